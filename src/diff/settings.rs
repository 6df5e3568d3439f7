//! The settings that are read only where they were asked for, in words, and what is different between two readings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{
    Acceleration, BucketPolicy, DefaultRetention, Encryption, EventHold, Notification, ObjectLock, ObjectOwnership,
    Replication, ReplicationRule, RetentionMode, RetentionPeriod, Tags,
};

/// Parts of a sentence; further ones are counted.
const MOST: usize = 20;

/// A setting that two readings of it can be compared by.
pub(super) trait Setting: PartialEq {
    /// What it is, in a few words.
    fn word(&self) -> String;

    /// What the words of both do not say; empty where they say all.
    fn difference(&self, _new: &Self) -> String {
        String::new()
    }

    /// Whether both do the same, however they are written.
    fn is_same(&self, new: &Self) -> bool {
        self == new
    }
}

impl Setting for BucketPolicy {
    fn word(&self) -> String {
        match self {
            Self::None => "none",
            Self::Present(_) => "present",
        }
        .to_owned()
    }

    fn difference(&self, new: &Self) -> String {
        match (self, new) {
            (Self::Present(old), Self::Present(new)) => statements(old, new),
            (Self::None, Self::Present(new)) => statements("{}", new),
            (Self::Present(old), Self::None) => statements(old, "{}"),
            (Self::None, Self::None) => String::new(),
        }
    }

    fn is_same(&self, new: &Self) -> bool {
        match (self, new) {
            (Self::Present(old), Self::Present(new)) => {
                let read = |text: &str| serde_json::from_str::<Value>(text).ok();
                old == new || read(old).is_some_and(|old| Some(old) == read(new))
            }
            (old, new) => old == new,
        }
    }
}

/// Which statements of a policy are different, by their `Sid` or, without one, by their number.
fn statements(old: &str, new: &str) -> String {
    let read = |text: &str| -> Option<BTreeMap<String, Value>> {
        let mut policy: Value = serde_json::from_str(text).ok()?;
        let statements = match policy.get_mut("Statement").map(Value::take) {
            None => Vec::new(),
            Some(Value::Array(statements)) => statements,
            Some(statement) => vec![statement],
        };
        let mut all = BTreeMap::new();
        for (number, statement) in (1..).zip(statements) {
            let named = statement["Sid"].as_str().map(|sid| format!("{sid:?}"));
            let name = named.filter(|name| !all.contains_key(name)).unwrap_or_else(|| format!("number {number}"));
            all.insert(name, statement);
        }
        Some(all)
    };
    let (Some(old), Some(new)) = (read(old), read(new)) else { return "the policy changed".to_owned() };
    let effect = |statement: &Value| format!(" ({})", statement["Effect"].as_str().unwrap_or("without an effect"));
    let parts = by_name(&old, &new, "statement", effect, |_, _| String::new());
    if parts.is_empty() { "the policy changed outside its statements".to_owned() } else { joined(&parts) }
}

impl Setting for ObjectLock {
    fn word(&self) -> String {
        let lock = match self {
            Self::None => return "none".to_owned(),
            Self::Enabled(lock) => lock,
        };
        let mode = |mode: RetentionMode| match mode {
            RetentionMode::Governance => "governance",
            RetentionMode::Compliance => "compliance",
        };
        let period = |period: RetentionPeriod| match period {
            RetentionPeriod::Days(days) => counted(days, "day"),
            RetentionPeriod::Years(years) => counted(years, "year"),
        };
        let retention = lock.retention.map(|it| format!("{} mode for {} by default", mode(it.mode), period(it.period)));
        let hold = lock.event_hold.map(|hold| {
            let mode = hold.mode.map_or_else(String::new, |it| format!(" in {} mode", mode(it)));
            format!("event hold and {} after its release{mode} by default", period(hold.period))
        });
        let parts: Vec<String> = [retention, hold].into_iter().flatten().collect();
        if parts.is_empty() {
            "enabled, without default retention".to_owned()
        } else {
            format!("enabled, {}", parts.join(", "))
        }
    }
}

/// For how many days new objects are locked in compliance mode at least; `None` where they are not.
pub(super) fn compliance_days(lock: &ObjectLock) -> Option<u32> {
    let is_compliance = |mode: RetentionMode| match mode {
        RetentionMode::Compliance => true,
        RetentionMode::Governance => false,
    };
    match lock {
        ObjectLock::None => None,
        ObjectLock::Enabled(lock) => {
            let retention = lock.retention.filter(|retention| is_compliance(retention.mode));
            let hold = lock.event_hold.filter(|hold| hold.mode.is_some_and(is_compliance));
            retention.map(DefaultRetention::days).max(hold.map(EventHold::days))
        }
    }
}

impl Setting for Replication {
    fn word(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Present(rules) => counted(u32::try_from(rules.len()).unwrap_or(u32::MAX), "rule"),
        }
    }

    /// The order of rules decides nothing.
    fn is_same(&self, new: &Self) -> bool {
        self == new || matches!((self, new), (Self::Present(_), Self::Present(_))) && rules(self) == rules(new)
    }

    fn difference(&self, new: &Self) -> String {
        let to = |rule: &&ReplicationRule| {
            format!(" ({}to {})", if rule.enabled { "" } else { "disabled, " }, rule.destination)
        };
        joined(&by_name(&rules(self), &rules(new), "rule", to, |old, new| rule_difference(old, new)))
    }
}

/// By their ids or, without one, by their numbers.
fn rules(replication: &Replication) -> BTreeMap<String, &ReplicationRule> {
    let rules = match replication {
        Replication::None => &[],
        Replication::Present(rules) => rules.as_slice(),
    };
    let mut all = BTreeMap::new();
    for (number, rule) in (1..).zip(rules) {
        let named = rule.id.as_ref().map(|id| format!("{id:?}"));
        let name = named.filter(|name| !all.contains_key(name)).unwrap_or_else(|| format!("number {number}"));
        all.insert(name, rule);
    }
    all
}

fn rule_difference(old: &ReplicationRule, new: &ReplicationRule) -> String {
    let mut parts = Vec::new();
    let mut part = |what: &str, old: &str, new: &str| {
        if old != new {
            parts.push(format!("{what} {new} (was {old})"));
        }
    };
    let or = |text: &str, empty: &str| if text.is_empty() { empty.to_owned() } else { text.to_owned() };
    let tags = |rule: &ReplicationRule| or(&Tags(rule.tags.clone()).word(), "none");
    let account = |rule: &ReplicationRule| rule.account.as_ref().map_or("not named".to_owned(), ToString::to_string);
    let markers = |rule: &ReplicationRule| match rule.delete_markers {
        None => "not said",
        Some(true) => "replicated",
        Some(false) => "not replicated",
    };
    part("now", if old.enabled { "enabled" } else { "disabled" }, if new.enabled { "enabled" } else { "disabled" });
    part("to", &old.destination, &new.destination);
    part("account", &account(old), &account(new));
    part("prefix", &format!("{:?}", old.prefix), &format!("{:?}", new.prefix));
    part("tags", &tags(old), &tags(new));
    part("delete markers", markers(old), markers(new));
    parts.join(", ")
}

impl Setting for Encryption {
    fn word(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Present(algorithms) => algorithms.join(", "),
        }
    }
}

impl Setting for ObjectOwnership {
    fn word(&self) -> String {
        match self {
            Self::None => "none",
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
        .to_owned()
    }
}

impl Setting for Acceleration {
    fn word(&self) -> String {
        match self {
            Self::Never => "never",
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
        }
        .to_owned()
    }
}

impl Setting for Notification {
    fn word(&self) -> String {
        let Self { topics, queues, functions, event_bridge } = *self;
        let kinds = [(topics, "topic"), (queues, "queue"), (functions, "function")];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0).map(|(number, one)| counted(number, one));
        let all: Vec<String> = kinds.chain(event_bridge.then(|| "EventBridge".to_owned())).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    }
}

impl Setting for Tags {
    fn word(&self) -> String {
        let tags: Vec<String> = self.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if tags.is_empty() { "none".to_owned() } else { cut(&tags, ", ") }
    }

    fn difference(&self, new: &Self) -> String {
        let all = |tags: &Self| -> BTreeMap<String, String> {
            tags.0.iter().map(|(key, value)| (format!("{key:?}"), value.clone())).collect()
        };
        let value = |value: &String| format!(" ({value:?})");
        joined(&by_name(&all(self), &all(new), "tag", value, |old, new| format!("now {new:?} (was {old:?})")))
    }
}

/// `rule "a" removed`, `rule "b" added (...)`, `rule "c" changed: ...`.
fn by_name<T: PartialEq>(
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    what: &str,
    added: impl Fn(&T) -> String,
    changed: impl Fn(&T, &T) -> String,
) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let part = |name: &String| match (old.get(name), new.get(name)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => {
            let how = changed(old, new);
            Some(if how.is_empty() { format!("{what} {name} changed") } else { format!("{what} {name} {how}") })
        }
        (Some(_), None) => Some(format!("{what} {name} removed")),
        (None, Some(new)) => Some(format!("{what} {name} added{}", added(new))),
        (None, None) => None,
    };
    names.into_iter().filter_map(part).collect()
}

fn joined(parts: &[String]) -> String {
    cut(parts, "; ")
}

fn cut(parts: &[String], separator: &str) -> String {
    let rest = parts.len().saturating_sub(MOST);
    let shown = parts[..parts.len() - rest].join(separator);
    if rest == 0 { shown } else { format!("{shown}{separator}and {rest} more") }
}

fn counted(number: u32, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_is_only_written_otherwise_is_the_same() {
        let policy = |text: &str| BucketPolicy::Present(text.into());
        let one = policy(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*"}]}"#);
        let other = policy(r#"{"Statement":[{"Action":"s3:*","Effect":"Deny"}],"Version":"2012-10-17"}"#);
        assert!(one != other && one.is_same(&other));
        let more = policy(r#"{"Statement":[{"Action":"s3:*","Effect":"Allow"}],"Version":"2012-10-17"}"#);
        assert!(!one.is_same(&more) && !one.is_same(&BucketPolicy::None));
        assert_eq!(one.difference(&more), "statement number 1 changed");
        assert_eq!(one.difference(&policy("no JSON")), "the policy changed");
        assert_eq!(BucketPolicy::None.difference(&one), "statement number 1 added (Deny)");
        let version = policy(r#"{"Statement":[{"Action":"s3:*","Effect":"Deny"}],"Version":"2008-10-17"}"#);
        assert_eq!(one.difference(&version), "the policy changed outside its statements");
    }
}
