//! What S3 would refuse. Sources: answers of S3 to it; S3 user guide, "Lifecycle configuration elements".

use std::collections::{BTreeMap, HashSet};

use super::{Found, MOST_RULES, OfRule, name};
use crate::lifecycle::configuration::{Action, Configuration, Rule, StorageClass, When};
use crate::lifecycle::history::reaches;
use crate::lifecycle::read::{Code, Document};
use crate::lifecycle::timeline::minimum_days;
use crate::model::Severity;

/// 50 TB: no object is larger.
const LARGEST_OBJECT: u64 = 1_099_511_627_776_000;

impl Found {
    pub(super) fn configuration(&mut self, configuration: &Configuration) {
        let rules = configuration.rules.len();
        if rules == 0 {
            self.refused(Code::InvalidRequest, None, "it has no rule: S3 wants at least one");
        } else if rules > MOST_RULES {
            self.refused(
                Code::InvalidRequest,
                None,
                format!("it has {rules} rules: S3 takes at most {MOST_RULES}; no timelines and costs are told"),
            );
        }
    }

    pub(super) fn old_schema(&mut self, document: &Document) {
        let rules = &document.configuration.rules;
        let old: Vec<usize> = (0..rules.len()).filter(|rule| document.old_schema[*rule]).collect();
        if old.len() < rules.len() {
            for rule in old {
                let message =
                    "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.";
                self.refused(Code::InvalidRequest, Some(rule), message);
            }
            return;
        }
        for rule in old {
            if rules[rule].actions.iter().any(|action| newer(action) > 0) {
                let message = "NewerNoncurrentVersions element can only be used in Lifecycle V2.";
                self.refused(Code::InvalidRequest, Some(rule), message);
            }
        }
        self.overlaps(rules);
    }

    /// Two rules of the old schema must not do the same to one key.
    fn overlaps(&mut self, rules: &[Rule]) {
        let mut of_action: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let names: HashSet<&str> = rule.actions.iter().map(name).collect();
            for name in names {
                of_action.entry(name).or_default().push((&rule.filter.prefix, index));
            }
        }
        for (action, mut prefixes) in of_action {
            prefixes.sort_unstable();
            // A prefix of any other is one of the next, too.
            for pair in prefixes.windows(2) {
                let ((outer, _), (inner, rule)) = (pair[0], pair[1]);
                if inner.starts_with(outer) {
                    let message =
                        format!("Found overlapping prefixes '{outer}' and '{inner}' for same action type '{action}'");
                    self.refused(Code::InvalidRequest, Some(rule), message);
                }
            }
        }
    }
}

impl OfRule<'_> {
    /// Element by element.
    pub(super) fn refused(&mut self, rule: &Rule) {
        use Code::{InvalidArgument, InvalidRequest};
        if rule.id.chars().count() > 255 {
            self.refuse(InvalidArgument, "ID length should not exceed allowed limit of 255");
        }
        if rule.actions.is_empty() {
            self.refuse(InvalidRequest, "At least one action needs to be specified in a rule");
        }
        let has_size = rule.filter.size_greater_than.or(rule.filter.size_less_than).is_some();
        for action in &rule.actions {
            match action {
                Action::Expiration(When::Days(0)) => {
                    self.refuse(InvalidArgument, "'Days' for Expiration action must be a positive integer");
                }
                Action::NoncurrentVersionExpiration { days: 0, .. } => {
                    let message = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
                    self.refuse(InvalidArgument, message);
                }
                Action::AbortIncompleteMultipartUpload { days } => {
                    if *days == 0 {
                        self.refuse(None, "DaysAfterInitiation must be positive");
                    }
                    if !rule.filter.tags.is_empty() {
                        self.refuse(InvalidRequest, "AbortIncompleteMultipartUpload cannot be specified with Tags.");
                    }
                    if has_size {
                        let message = "AbortIncompleteMultipartUpload cannot be specified with Object Size.";
                        self.refuse(InvalidRequest, message);
                    }
                }
                Action::ExpiredObjectDeleteMarker(_) => {
                    if !rule.filter.tags.is_empty() {
                        self.refuse(None, "ExpiredObjectDeleteMarker cannot be specified with tags");
                    }
                    if has_size {
                        self.refuse(InvalidRequest, "ExpiredObjectDeleteMarker cannot be specified with Object Size.");
                    }
                }
                Action::Expiration(_)
                | Action::Transition { .. }
                | Action::NoncurrentVersionExpiration { .. }
                | Action::NoncurrentVersionTransition { .. } => {}
            }
            if newer(action) > 100 {
                let message = "NewerNoncurrentVersions is documented for 1 to 100; larger numbers may be refused";
                self.add(Severity::Info, message);
            }
        }
        if rule.filter.size_less_than.is_some_and(|bytes| !(1..=LARGEST_OBJECT).contains(&bytes)) {
            self.refuse(InvalidRequest, "'ObjectSizeLessThan' should be between 1 and 1099511627776000.");
        }
        if rule.filter.size_greater_than.is_some_and(|bytes| bytes > LARGEST_OBJECT) {
            self.refuse(None, "ObjectSizeGreaterThan is more than any object has: 50 TB");
        }
        if let (Some(greater), Some(less)) = (rule.filter.size_greater_than, rule.filter.size_less_than)
            && less <= greater
        {
            let message = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.";
            self.refuse(InvalidRequest, message);
        }
    }

    /// What its actions are to each other.
    pub(super) fn combinations(&mut self, rule: &Rule) {
        let mut moves: Vec<(When, StorageClass)> = Vec::new();
        let mut noncurrent: Vec<(u32, StorageClass)> = Vec::new();
        for action in &rule.actions {
            match *action {
                Action::Transition { when, to } => moves.push((when, to)),
                Action::NoncurrentVersionTransition { days, to, .. } => noncurrent.push((days, to)),
                _ => {}
            }
        }
        let of_current: Vec<StorageClass> = moves.iter().map(|(_, to)| *to).collect();
        let of_noncurrent: Vec<StorageClass> = noncurrent.iter().map(|(_, to)| *to).collect();
        for (action, mut classes) in [("Transition", of_current), ("NoncurrentVersionTransition", of_noncurrent)] {
            let all = classes.len();
            classes.sort_unstable();
            classes.dedup();
            if classes.len() < all {
                let message = format!("'StorageClass' must be different for '{action}' actions in same 'Rule'");
                self.refuse(Code::InvalidRequest, message);
            }
        }
        let expiration = rule.actions.iter().find_map(|action| match action {
            Action::Expiration(when) => Some(*when),
            _ => None,
        });
        let whens: Vec<When> = moves.iter().map(|(when, _)| *when).chain(expiration).collect();
        let dates = whens.iter().filter(|when| matches!(when, When::Date(_))).count();
        if dates > 0 && dates < whens.len() {
            let message = "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule";
            self.refuse(Code::InvalidRequest, message);
        }
        let is_late = |(when, _): &(When, StorageClass)| match (*when, expiration) {
            (When::Days(days), Some(When::Days(end))) => days >= end,
            (When::Date(date), Some(When::Date(end))) => date >= end,
            _ => false,
        };
        if let Some((_, to)) = moves.iter().find(|it| is_late(it)) {
            self.refuse(None, format!("Expiration must be later than the Transition to {to} of the same rule"));
        }
        let in_days = |(when, to): (When, StorageClass)| match when {
            When::Days(days) => Some((days, to)),
            When::Date(_) => None,
        };
        self.successive(moves.into_iter().filter_map(in_days).collect());
        self.successive(noncurrent);
    }

    /// Within one rule S3 wants each class to be kept for its minimum duration.
    fn successive(&mut self, mut moves: Vec<(u32, StorageClass)>) {
        moves.sort_unstable();
        for pair in moves.windows(2) {
            let ((entered, class), (left, to)) = (pair[0], pair[1]);
            if class != to && reaches(class, to) && left - entered < minimum_days(class) {
                let message = format!(
                    "within one rule {class} at {entered} days must be followed by {to} at {} days or later, not at \
                     {left}",
                    entered.saturating_add(minimum_days(class))
                );
                self.refuse(None, message);
            }
        }
    }
}

fn newer(action: &Action) -> u32 {
    match action {
        Action::NoncurrentVersionExpiration { newer, .. } | Action::NoncurrentVersionTransition { newer, .. } => *newer,
        _ => 0,
    }
}
