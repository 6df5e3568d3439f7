//! Actions that another rule makes needless.
//!
//! An action can go where another one does the same to every object of its scope, and never later: without it each
//! object comes to the same end on the same day. Of two that are alike the later one can go, so that all of them can go
//! together.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use time::Date;

use super::configuration::{Action, Configuration, Filter, Rule};
use super::duplicates::Duplicate;
use super::overlap::contains;

/// An action that can go, and the rule that does the same without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Superfluous {
    /// The rule's position in the configuration.
    pub rule: usize,
    /// The action's position in the rule.
    pub action: usize,
    pub kept: usize,
}

/// What can go of rules that do one thing twice: all of it together, by rule and action.
pub fn advice(configuration: &Configuration, pairs: &[Duplicate], today: Date) -> Vec<Superfluous> {
    let mut partners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for Duplicate { rules: (first, second), .. } in pairs {
        partners.entry(*first).or_default().push(*second);
        partners.entry(*second).or_default().push(*first);
    }
    let of_rule = |(rule, others): (usize, Vec<usize>)| superfluous(configuration, rule, &others, today);
    partners.into_iter().flat_map(of_rule).collect()
}

/// The actions of the rule at this position that can go because of one of `others`, in their order.
pub fn superfluous(configuration: &Configuration, rule: usize, others: &[usize], today: Date) -> Vec<Superfluous> {
    let rules = &configuration.rules;
    let own = &rules[rule];
    let mut found = Vec::new();
    for (action, it) in own.actions.iter().enumerate() {
        let does_it = |kept: &usize| {
            let is_enough = |other: &Action| {
                let order = compare((other, &rules[*kept]), (it, own), today);
                order == Some(Ordering::Greater) || (order == Some(Ordering::Equal) && *kept < rule)
            };
            *kept != rule && rules[*kept].enabled && rules[*kept].actions.iter().any(is_enough)
        };
        if let (true, Some(kept)) = (own.enabled, others.iter().copied().find(does_it)) {
            found.push(Superfluous { rule, action, kept });
        }
    }
    found
}

/// Greater where the first action does all that the other one does, equal where each does all of the other.
fn compare(one: (&Action, &Rule), other: (&Action, &Rule), today: Date) -> Option<Ordering> {
    match (covers(one, other, today), covers(other, one, today)) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        (false, false) => None,
    }
}

/// Whether the first action is eligible whenever the other one is, on every object of its scope, and does the same.
///
/// A transition that lost the day to another class is spent, so of two the days must be the same. An expiration is
/// never spent: the earlier one covers the later.
fn covers((one, of_one): (&Action, &Rule), (other, of_other): (&Action, &Rule), today: Date) -> bool {
    let objects = || contains(&of_one.filter, &of_other.filter);
    match (one, other) {
        (Action::Expiration(one), Action::Expiration(other)) => {
            objects() && matches!((one.days(today), other.days(today)), (Some(one), Some(other)) if one <= other)
        }
        (Action::ExpiredObjectDeleteMarker(one), Action::ExpiredObjectDeleteMarker(other)) => objects() && one == other,
        (Action::Transition { when, to }, Action::Transition { when: other, to: class }) => {
            let same_day = matches!((when.days(today), other.days(today)), (Some(one), Some(other)) if one == other);
            objects() && to == class && same_day
        }
        (
            Action::NoncurrentVersionExpiration { days, newer },
            Action::NoncurrentVersionExpiration { days: other, newer: more },
        ) => objects() && days <= other && newer <= more,
        (
            Action::NoncurrentVersionTransition { days, newer, to },
            Action::NoncurrentVersionTransition { days: other, newer: more, to: class },
        ) => objects() && to == class && days == other && newer <= more,
        (Action::AbortIncompleteMultipartUpload { days }, Action::AbortIncompleteMultipartUpload { days: other }) => {
            // Uploads have neither tags nor a size.
            let prefix = |rule: &Rule| Filter { prefix: rule.filter.prefix.clone(), ..Filter::default() };
            contains(&prefix(of_one), &prefix(of_other)) && days <= other
        }
        (
            Action::Expiration(_)
            | Action::ExpiredObjectDeleteMarker(_)
            | Action::Transition { .. }
            | Action::NoncurrentVersionExpiration { .. }
            | Action::NoncurrentVersionTransition { .. }
            | Action::AbortIncompleteMultipartUpload { .. },
            _,
        ) => false,
    }
}
