//! The lifecycle rules of a fixture, in the JSON of `aws s3api get-bucket-lifecycle-configuration`, as the XML of S3.

use serde_json::{Map, Value};

use super::wire::{close, element, open, root};

/// One rule, kept raw: the simulator serves what stands there, sensible or not.
pub(super) type Rule = Map<String, Value>;

/// What is wrong with the rules of a fixture.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("a lifecycle configuration has at least one rule; leave it out for none")]
    Empty,
    #[error("`{0}` is no element of a lifecycle rule")]
    UnknownElement(String),
    #[error("`{0}` of a lifecycle rule is null")]
    Null(String),
}

/// All elements of a rule at any depth, in the order S3 writes them: name in the JSON, name in the XML.
const ELEMENTS: [(&str, &str); 23] = [
    ("ID", "ID"),
    ("Filter", "Filter"),
    ("And", "And"),
    ("Prefix", "Prefix"),
    ("Tag", "Tag"),
    ("Tags", "Tag"),
    ("Key", "Key"),
    ("Value", "Value"),
    ("ObjectSizeGreaterThan", "ObjectSizeGreaterThan"),
    ("ObjectSizeLessThan", "ObjectSizeLessThan"),
    ("Status", "Status"),
    ("Transitions", "Transition"),
    ("Expiration", "Expiration"),
    ("NoncurrentVersionTransitions", "NoncurrentVersionTransition"),
    ("NoncurrentVersionExpiration", "NoncurrentVersionExpiration"),
    ("AbortIncompleteMultipartUpload", "AbortIncompleteMultipartUpload"),
    ("Days", "Days"),
    ("Date", "Date"),
    ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
    ("NoncurrentDays", "NoncurrentDays"),
    ("NewerNoncurrentVersions", "NewerNoncurrentVersions"),
    ("DaysAfterInitiation", "DaysAfterInitiation"),
    ("StorageClass", "StorageClass"),
];

/// Whether all of the rules can be written as XML: a misspelt element would silently not be served.
pub(super) fn check(rules: &[Rule]) -> Result<(), Fault> {
    if rules.is_empty() {
        return Err(Fault::Empty);
    }
    rules.iter().try_for_each(check_members)
}

fn check_members(members: &Rule) -> Result<(), Fault> {
    members.iter().try_for_each(|(name, value)| {
        if !ELEMENTS.iter().any(|(json, _)| json == name) {
            return Err(Fault::UnknownElement(name.clone()));
        }
        check_value(name, value)
    })
}

fn check_value(name: &str, value: &Value) -> Result<(), Fault> {
    match value {
        Value::Null => Err(Fault::Null(name.to_owned())),
        Value::Array(items) => items.iter().try_for_each(|item| check_value(name, item)),
        Value::Object(members) => check_members(members),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// The body of `GetBucketLifecycleConfiguration`.
pub(super) fn xml(rules: &[Rule]) -> String {
    let mut inner = String::new();
    for rule in rules {
        open(&mut inner, "Rule");
        write_members(&mut inner, rule);
        close(&mut inner, "Rule");
    }
    root("LifecycleConfiguration", &inner)
}

fn write_members(out: &mut String, members: &Rule) {
    for (json, xml) in ELEMENTS {
        if let Some(value) = members.get(json) {
            write(out, xml, value);
        }
    }
}

/// A list is the element repeated, without a wrapper.
fn write(out: &mut String, name: &str, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| write(out, name, item)),
        Value::Object(members) if members.is_empty() => {
            element(out, name, "");
        }
        Value::Object(members) => {
            open(out, name);
            write_members(out, members);
            close(out, name);
        }
        Value::String(text) => element(out, name, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => element(out, name, &value.to_string()),
    }
}
