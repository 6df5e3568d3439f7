//! Small lifecycle configurations that are as nasty as possible.

use std::collections::BTreeSet;
use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use time::Date;
use time::ext::NumericalDuration;
use time::macros::date;

use super::{Action, Configuration, Filter, Rule, StorageClass, When};

pub const TODAY: Date = date!(2026 - 06 - 15);

/// A configuration that prints as people would write it down.
#[derive(Clone)]
pub struct Readable(pub Configuration);

impl fmt::Debug for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.0.rules.iter().enumerate() {
            let filter = &rule.filter;
            write!(f, "\n  rule {index} {:?}", filter.prefix)?;
            for (key, value) in &filter.tags {
                write!(f, " {key}={value}")?;
            }
            if let Some(bound) = filter.size_greater_than {
                write!(f, " size>{bound}")?;
            }
            if let Some(bound) = filter.size_less_than {
                write!(f, " size<{bound}")?;
            }
            f.write_str(if rule.enabled { ":" } else { " (disabled):" })?;
            for (index, action) in rule.actions.iter().enumerate() {
                let separator = if index == 0 { " " } else { "; " };
                write!(f, "{separator}{}", words(action))?;
            }
        }
        Ok(())
    }
}

fn words(action: &Action) -> String {
    let at = |when: When| match when {
        When::Days(days) => days.to_string(),
        When::Date(date) if date < TODAY => format!("{date} (past)"),
        When::Date(date) if date == TODAY => format!("{date} (today)"),
        When::Date(date) => format!("{date} (future)"),
    };
    match *action {
        Action::Expiration(when) => format!("expire @{}", at(when)),
        Action::ExpiredObjectDeleteMarker(set) => format!("expired object delete marker {set}"),
        Action::Transition { when, to } => format!("{to} @{}", at(when)),
        Action::NoncurrentVersionExpiration { days, newer } => format!("noncurrent expire @{days} newer {newer}"),
        Action::NoncurrentVersionTransition { days, newer, to } => format!("noncurrent {to} @{days} newer {newer}"),
        Action::AbortIncompleteMultipartUpload { days } => format!("abort @{days}"),
    }
}

/// A bit of everything.
pub fn everything() -> impl Strategy<Value = Readable> {
    let value = || option::weighted(0.25, select(vec!["1", "2"]));
    let bound = || option::weighted(0.2, select(vec![5, 2, 1, 0]));
    let filter = (select(vec!["", "a", "a/", "ab", "b"]), value(), value(), bound(), bound());
    let filter = filter.prop_map(|(prefix, first, second, greater, less)| Filter {
        size_greater_than: greater,
        size_less_than: less,
        ..labelled(prefix, [("k", first), ("l", second)])
    });
    let mix = Mix { days: 5, newer: 3, classes: &StorageClass::ALL[1..], weights: [3, 1, 3, 3, 3, 1] };
    configurations(filter, mix, 4)
}

/// Many transitions on few days, so that they lose the day, cannot be reached, put off a delete marker, or decide in
/// which class a version becomes noncurrent.
pub fn crowded() -> impl Strategy<Value = Readable> {
    use StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OnezoneIa, StandardIa};
    let configurations = |mix: Mix, actions: usize| {
        let filter = (select(vec!["", "", "a"]), option::weighted(0.15, select(vec!["1", "2"])));
        let filter = filter.prop_map(|(prefix, value)| labelled(prefix, [("k", value)]));
        configurations(filter, mix, actions)
    };
    let classes: &[_] = &[StandardIa, IntelligentTiering, OnezoneIa, GlacierIr, Glacier, DeepArchive];
    // The classes between which something can be lost: what gets to GLACIER goes nowhere but one class further.
    let warm: &[_] = &[StandardIa, IntelligentTiering, IntelligentTiering, OnezoneIa, GlacierIr];
    prop_oneof![
        configurations(Mix { days: 3, newer: 2, classes, weights: [6, 1, 12, 2, 10, 1] }, 4),
        configurations(Mix { days: 4, newer: 0, classes, weights: [3, 0, 6, 0, 0, 0] }, 2),
        configurations(Mix { days: 3, newer: 1, classes: warm, weights: [1, 0, 3, 1, 8, 0] }, 2),
    ]
}

/// What actions are like.
#[derive(Clone, Copy)]
struct Mix {
    /// At most.
    days: u32,
    /// At most.
    newer: u32,
    classes: &'static [StorageClass],
    /// How often each kind of action comes, in the order of [`Action`].
    weights: [u32; 6],
}

fn labelled<const N: usize>(prefix: &str, tags: [(&str, Option<&str>); N]) -> Filter {
    let tags = tags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect();
    Filter { prefix: prefix.to_owned(), tags, size_greater_than: None, size_less_than: None }
}

fn action(Mix { days, newer, classes, weights }: Mix) -> impl Strategy<Value = Action> {
    let class = || select(classes);
    let date = || select(vec![0, -1, -400, 1, 400]).prop_map(|days: i64| When::Date(TODAY + days.days()));
    let when = move |first: u32| prop_oneof![7 => (first..=days).prop_map(When::Days), 1 => date()];
    let [expiration, marker, transition, noncurrent_expiration, noncurrent_transition, abort] = weights;
    let kinds = [
        (expiration, when(1).prop_map(Action::Expiration).boxed()),
        (marker, any::<bool>().prop_map(Action::ExpiredObjectDeleteMarker).boxed()),
        (transition, (when(0), class()).prop_map(|(when, to)| Action::Transition { when, to }).boxed()),
        (
            noncurrent_expiration,
            (1..=days, 0..=newer).prop_map(|(days, newer)| Action::NoncurrentVersionExpiration { days, newer }).boxed(),
        ),
        (
            noncurrent_transition,
            (0..=days, 0..=newer, class())
                .prop_map(|(days, newer, to)| Action::NoncurrentVersionTransition { days, newer, to })
                .boxed(),
        ),
        (abort, (1..=days).prop_map(|days| Action::AbortIncompleteMultipartUpload { days }).boxed()),
    ];
    Union::new_weighted(kinds.into_iter().filter(|(weight, _)| *weight > 0).collect())
}

fn configurations(filter: impl Strategy<Value = Filter>, mix: Mix, actions: usize) -> impl Strategy<Value = Readable> {
    let rule = (prop::bool::weighted(0.08), filter, vec(action(mix), 1..=actions));
    vec(rule, 1..=6).prop_map(|rules| {
        let rules = rules.into_iter().enumerate().map(|(index, (disabled, filter, actions))| Rule {
            id: format!("#{}", index + 1),
            enabled: !disabled,
            filter,
            actions: each_class_once(actions),
        });
        Readable(Configuration { rules: rules.collect() })
    })
}

/// One rule moves versions of a kind to a class once. Everything else may stand there again.
fn each_class_once(actions: Vec<Action>) -> Vec<Action> {
    let mut seen = BTreeSet::new();
    let first = |action: &Action| match *action {
        Action::Transition { to, .. } => seen.insert((true, to)),
        Action::NoncurrentVersionTransition { to, .. } => seen.insert((false, to)),
        Action::Expiration(_)
        | Action::ExpiredObjectDeleteMarker(_)
        | Action::NoncurrentVersionExpiration { .. }
        | Action::AbortIncompleteMultipartUpload { .. } => true,
    };
    actions.into_iter().filter(first).collect()
}
