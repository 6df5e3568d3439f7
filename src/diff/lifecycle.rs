//! What is different between two lifecycle configurations, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::lifecycle::words::{does, scope};
use crate::lifecycle::{Configuration, Rule};
use crate::model::{Lifecycle, LifecycleConfiguration, LifecycleRule, Reading};

/// Words for further rules would not be read.
const MOST: usize = 20;

/// `None` where both do the same: the order of rules decides nothing.
pub(super) fn difference(old: &Lifecycle, new: &Lifecycle) -> Option<String> {
    match (old, new) {
        (Lifecycle::None, Lifecycle::None) => None,
        (Lifecycle::None, Lifecycle::Present(new)) => Some(format!("configured with {}", named(new))),
        (Lifecycle::Present(old), Lifecycle::None) => Some(format!("configuration removed: {}", named(old))),
        (Lifecycle::Present(old), Lifecycle::Present(new)) => {
            let size = minimum_size(old, new);
            let mut parts = match (&old.reading, &new.reading) {
                _ if old.rules == new.rules && old.reading == new.reading => Vec::new(),
                (Reading::Read(old), Reading::Read(new)) => by_rule(&whole(old), &whole(new), added, changed),
                (Reading::Read(_) | Reading::Unreadable { .. }, Reading::Read(_) | Reading::Unreadable { .. }) => {
                    let parts = by_rule(&outline(old), &outline(new), |_| String::new(), |_, _| "changed".to_owned());
                    // What the analyser could not read may be what is different.
                    if parts.is_empty() { vec!["the configuration changed".to_owned()] } else { parts }
                }
            };
            parts.extend(size);
            (!parts.is_empty()).then(|| listed(&parts))
        }
    }
}

/// An older run, or another server, may not have stated the setting: that is no change.
fn minimum_size(old: &LifecycleConfiguration, new: &LifecycleConfiguration) -> Option<String> {
    let (old, new) = (old.minimum_size?, new.minimum_size?);
    (old != new).then(|| format!("TransitionDefaultMinimumObjectSize is now {} (was {})", new.as_str(), old.as_str()))
}

/// `rules "a", "b"`.
fn named(configuration: &LifecycleConfiguration) -> String {
    let names: Vec<String> = configuration.rules.iter().map(|rule| format!("{:?}", rule.id)).collect();
    format!("{} {}", if names.len() == 1 { "rule" } else { "rules" }, cut(&names, ", "))
}

fn listed(parts: &[String]) -> String {
    cut(parts, "; ")
}

fn cut(parts: &[String], separator: &str) -> String {
    let rest = parts.len().saturating_sub(MOST);
    let shown = parts.iter().take(MOST).cloned().collect::<Vec<_>>().join(separator);
    if rest == 0 { shown } else { format!("{shown}{separator}and {rest} more") }
}

/// Rules by their id, and by their place among those that share it: other servers take an id twice.
type ById<'a, T> = BTreeMap<(&'a str, usize), &'a T>;

fn by_id<T>(rules: &[T], id: fn(&T) -> &str) -> ById<'_, T> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    rules
        .iter()
        .map(|rule| {
            let nth = seen.entry(id(rule)).or_default();
            *nth += 1;
            ((id(rule), *nth), rule)
        })
        .collect()
}

fn whole(configuration: &Configuration) -> ById<'_, Rule> {
    by_id(&configuration.rules, |rule| &rule.id)
}

fn outline(configuration: &LifecycleConfiguration) -> ById<'_, LifecycleRule> {
    by_id(&configuration.rules, |rule| &rule.id)
}

fn by_rule<T: PartialEq>(
    old: &ById<'_, T>,
    new: &ById<'_, T>,
    added: fn(&T) -> String,
    changed: fn(&T, &T) -> String,
) -> Vec<String> {
    let ids: BTreeSet<(&str, usize)> = old.keys().chain(new.keys()).copied().collect();
    let parts = ids.into_iter().filter_map(|id| match (old.get(&id), new.get(&id)) {
        (Some(_), None) => Some(format!("rule {:?} removed", id.0)),
        (None, Some(rule)) => Some(format!("rule {:?} added{}", id.0, added(rule))),
        (Some(old), Some(new)) => (old != new).then(|| format!("rule {:?} {}", id.0, changed(old, new))),
        (None, None) => None,
    });
    parts.collect()
}

/// ` (Expiration at 30 days; all objects)`.
fn added(rule: &Rule) -> String {
    let actions = rule.actions.iter().map(does).collect::<Vec<_>>().join(", ");
    format!(" ({}{actions}; {})", if rule.enabled { "" } else { "disabled, " }, scope(&rule.filter))
}

fn changed(old: &Rule, new: &Rule) -> String {
    let mut parts = Vec::new();
    if old.enabled != new.enabled {
        parts.push(if new.enabled { "enabled" } else { "disabled" }.to_owned());
    }
    if old.filter != new.filter {
        parts.push(format!("now for {} (was {})", scope(&new.filter), scope(&old.filter)));
    }
    let words = |rule: &Rule| rule.actions.iter().map(does).collect::<Vec<_>>();
    let (before, after) = (words(old), words(new));
    let only = |these: &[String], those: &[String]| -> String {
        these.iter().filter(|word| !those.contains(word)).cloned().collect::<Vec<_>>().join(", ")
    };
    let (without, with) = (only(&before, &after), only(&after, &before));
    match (without.is_empty(), with.is_empty()) {
        (true, true) => {}
        (true, false) => parts.push(format!("with {with}")),
        (false, true) => parts.push(format!("without {without}")),
        (false, false) => parts.push(format!("with {with} instead of {without}")),
    }
    // The same actions in another order or number.
    if parts.is_empty() { "changed".to_owned() } else { parts.join(", ") }
}
