//! What S3 would refuse. Sources: answers of S3 to it; S3 user guide, "Lifecycle configuration elements".

use std::collections::{BTreeMap, HashSet};

use super::{Found, MOST_RULES, OfRule, name};
use crate::lifecycle::configuration::{Action, Configuration, Filter, Rule, When};
use crate::lifecycle::read::{Code, Document, Form};
use crate::model::Severity;

/// 50 TB: no object is larger.
const LARGEST_OBJECT: u64 = 1_099_511_627_776_000;
/// Bytes of the longest key.
const LONGEST_PREFIX: usize = 1_024;
const LONGEST_TAG_KEY: usize = 128;
const LONGEST_TAG_VALUE: usize = 256;

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
        let with = |form: Form| (0..rules.len()).filter(|rule| document.forms[*rule] == form).collect::<Vec<_>>();
        let (old, new) = (with(Form::Prefix), with(Form::Filter));
        if let (Some(first_old), Some(first_new)) = (old.first(), new.first()) {
            // The first rule decides which schema the configuration has.
            let (wrong, message) = if first_new < first_old {
                (old, "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.")
            } else {
                (new, "Filter element can only be used in Lifecycle V2.")
            };
            for rule in wrong {
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
        if new.is_empty() {
            self.overlaps(document);
        }
    }

    /// Two rules of the old schema must not do the same to one key.
    fn overlaps(&mut self, document: &Document) {
        let mut of_action: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        let rules = document.configuration.rules.iter().enumerate();
        for (index, rule) in rules.filter(|(index, _)| document.forms[*index] == Form::Prefix) {
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
    pub(super) fn elements(&mut self, rule: &Rule) {
        use Code::{InvalidArgument, InvalidRequest};
        if rule.id.chars().count() > 255 {
            self.refuse(InvalidArgument, "ID length should not exceed allowed limit of 255");
        }
        self.filter(&rule.filter);
        let has_tags = !rule.filter.tags.is_empty();
        for action in &rule.actions {
            match action {
                Action::Expiration(When::Days(0)) => {
                    self.refuse(InvalidArgument, "'Days' for Expiration action must be a positive integer");
                }
                Action::NoncurrentVersionExpiration { days: 0, .. } => {
                    let message = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
                    self.refuse(InvalidArgument, message);
                }
                Action::AbortIncompleteMultipartUpload { days: 0 } => {
                    let message =
                        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer";
                    self.refuse(InvalidArgument, message);
                }
                Action::Expiration(_)
                | Action::ExpiredObjectDeleteMarker(_)
                | Action::Transition { .. }
                | Action::NoncurrentVersionExpiration { .. }
                | Action::NoncurrentVersionTransition { .. }
                | Action::AbortIncompleteMultipartUpload { .. } => {}
            }
            let of_prefixes_only =
                matches!(action, Action::ExpiredObjectDeleteMarker(_) | Action::AbortIncompleteMultipartUpload { .. });
            if of_prefixes_only && has_tags {
                self.refuse(InvalidRequest, format!("{} cannot be specified with Tags.", name(action)));
            }
            if of_prefixes_only && rule.filter.has_size() {
                self.refuse(InvalidRequest, format!("{} cannot be specified with Object Size.", name(action)));
            }
            if newer(action) > 100 {
                let message = "NewerNoncurrentVersions is documented for 1 to 100; S3 was seen to take 500";
                self.add(Severity::Info, message);
            }
        }
    }

    fn filter(&mut self, filter: &Filter) {
        use Code::InvalidRequest;
        if filter.prefix.len() > LONGEST_PREFIX {
            self.refuse(InvalidRequest, "The maximum size of a prefix is 1024");
        }
        if filter.tags.contains_key("") {
            self.refuse(InvalidRequest, "A Tag's Key must be a length between 1 and 128: it is empty");
        }
        if filter.tags.keys().any(|key| key.chars().count() > LONGEST_TAG_KEY) {
            self.refuse(InvalidRequest, "A Tag's Key must be a length between 1 and 128");
        }
        if filter.tags.values().any(|value| value.chars().count() > LONGEST_TAG_VALUE) {
            self.refuse(InvalidRequest, "A Tag's Value must be a length between 0 and 256");
        }
        if filter.has_too_many_tags() {
            let message = format!(
                "the filter asks for {} tags and an object has at most {}: the rule matches no object",
                filter.tags.len(),
                Filter::MOST_TAGS
            );
            self.add(Severity::Medium, message);
        }
        if filter.size_less_than.is_some_and(|bytes| !(1..=LARGEST_OBJECT).contains(&bytes)) {
            self.refuse(InvalidRequest, "'ObjectSizeLessThan' should be between 1 and 1099511627776000.");
        }
        if filter.size_greater_than.is_some_and(|bytes| bytes > LARGEST_OBJECT) {
            self.refuse(InvalidRequest, "'ObjectSizeGreaterThan' should be between 0 and 1099511627776000.");
        }
        if let (Some(greater), Some(less)) = (filter.size_greater_than, filter.size_less_than)
            && less <= greater
        {
            let message = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.";
            self.refuse(InvalidRequest, message);
        }
    }
}

fn newer(action: &Action) -> u32 {
    match action {
        Action::NoncurrentVersionExpiration { newer, .. } | Action::NoncurrentVersionTransition { newer, .. } => *newer,
        _ => 0,
    }
}
