//! The names of the AWS CLI and of `CloudFormation`, translated to S3's elements.
//!
//! Which of the two a document speaks is told by its names, because both may stand below `LifecycleConfiguration`.
//!
//! Sources: S3 model, `LifecycleRule`; `CloudFormation` template reference, `AWS::S3::Bucket Rule`, `Transition`,
//! `NoncurrentVersionTransition`, `NoncurrentVersionExpiration`, `TagFilter`, `AbortIncompleteMultipartUpload`.

use std::borrow::Cow;

use time::OffsetDateTime;

use super::json::{Json, Member, Value};
use super::tree::{Content, Element};
use super::{Fault, quoted};

/// A key, S3's element for it, and what it holds.
struct Name {
    key: &'static str,
    element: &'static str,
    shape: Shape,
}

enum Shape {
    Text,
    /// ISO 8601 or seconds since 1970.
    Date,
    One(&'static [Name]),
    /// A list of them, or one alone.
    Many(&'static [Name]),
}

const fn same(key: &'static str, shape: Shape) -> Name {
    Name { key, element: key, shape }
}

const fn named(key: &'static str, element: &'static str, shape: Shape) -> Name {
    Name { key, element, shape }
}

const TAG: &[Name] = &[same("Key", Shape::Text), same("Value", Shape::Text)];
const ABORT: &[Name] = &[same("DaysAfterInitiation", Shape::Text)];
const NONCURRENT_EXPIRATION: &[Name] =
    &[same("NoncurrentDays", Shape::Text), same("NewerNoncurrentVersions", Shape::Text)];

const CLI_FILTER: &[Name] = &[
    same("Prefix", Shape::Text),
    same("Tag", Shape::One(TAG)),
    same("ObjectSizeGreaterThan", Shape::Text),
    same("ObjectSizeLessThan", Shape::Text),
    same(
        "And",
        Shape::One(&[
            same("Prefix", Shape::Text),
            named("Tags", "Tag", Shape::Many(TAG)),
            same("ObjectSizeGreaterThan", Shape::Text),
            same("ObjectSizeLessThan", Shape::Text),
        ]),
    ),
];
const CLI_TRANSITION: &[Name] =
    &[same("Days", Shape::Text), same("Date", Shape::Date), same("StorageClass", Shape::Text)];
const CLI_NONCURRENT_TRANSITION: &[Name] = &[
    same("NoncurrentDays", Shape::Text),
    same("NewerNoncurrentVersions", Shape::Text),
    same("StorageClass", Shape::Text),
];
const CLI: &[Name] = &[
    same("ID", Shape::Text),
    same("Status", Shape::Text),
    same("Prefix", Shape::Text),
    same("Filter", Shape::One(CLI_FILTER)),
    same(
        "Expiration",
        Shape::One(&[
            same("Days", Shape::Text),
            same("Date", Shape::Date),
            same("ExpiredObjectDeleteMarker", Shape::Text),
        ]),
    ),
    named("Transitions", "Transition", Shape::Many(CLI_TRANSITION)),
    same("Transition", Shape::Many(CLI_TRANSITION)),
    named("NoncurrentVersionTransitions", "NoncurrentVersionTransition", Shape::Many(CLI_NONCURRENT_TRANSITION)),
    same("NoncurrentVersionTransition", Shape::Many(CLI_NONCURRENT_TRANSITION)),
    same("NoncurrentVersionExpiration", Shape::One(NONCURRENT_EXPIRATION)),
    same("AbortIncompleteMultipartUpload", Shape::One(ABORT)),
];

const CLOUDFORMATION_TRANSITION: &[Name] = &[
    named("TransitionInDays", "Days", Shape::Text),
    named("TransitionDate", "Date", Shape::Date),
    same("StorageClass", Shape::Text),
];
const CLOUDFORMATION_NONCURRENT_TRANSITION: &[Name] = &[
    named("TransitionInDays", "NoncurrentDays", Shape::Text),
    same("NewerNoncurrentVersions", Shape::Text),
    same("StorageClass", Shape::Text),
];
/// What belongs into `Filter` and `Expiration` is put there afterwards, see [`gathered`].
const CLOUDFORMATION: &[Name] = &[
    named("Id", "ID", Shape::Text),
    same("Status", Shape::Text),
    same("Prefix", Shape::Text),
    named("TagFilters", "Tag", Shape::Many(TAG)),
    same("ObjectSizeGreaterThan", Shape::Text),
    same("ObjectSizeLessThan", Shape::Text),
    named("ExpirationInDays", "Days", Shape::Text),
    named("ExpirationDate", "Date", Shape::Date),
    same("ExpiredObjectDeleteMarker", Shape::Text),
    named("Transitions", "Transition", Shape::Many(CLOUDFORMATION_TRANSITION)),
    same("Transition", Shape::Many(CLOUDFORMATION_TRANSITION)),
    named(
        "NoncurrentVersionTransitions",
        "NoncurrentVersionTransition",
        Shape::Many(CLOUDFORMATION_NONCURRENT_TRANSITION),
    ),
    same("NoncurrentVersionTransition", Shape::Many(CLOUDFORMATION_NONCURRENT_TRANSITION)),
    same("NoncurrentVersionExpiration", Shape::One(NONCURRENT_EXPIRATION)),
    named("NoncurrentVersionExpirationInDays", "NoncurrentDays", Shape::Text),
    same("AbortIncompleteMultipartUpload", Shape::One(ABORT)),
];

/// Beside the configuration in what `--cli-input-json` of `put-bucket-lifecycle-configuration` takes.
const BESIDE: [&str; 4] = ["Bucket", "ChecksumAlgorithm", "ExpectedBucketOwner", "TransitionDefaultMinimumObjectSize"];
const OUTER: &str = "LifecycleConfiguration";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Cli,
    CloudFormation,
}

impl Dialect {
    fn names(self) -> &'static [Name] {
        match self {
            Self::Cli => CLI,
            Self::CloudFormation => CLOUDFORMATION,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Cli => Self::CloudFormation,
            Self::CloudFormation => Self::Cli,
        }
    }

    fn whose(self) -> &'static str {
        match self {
            Self::Cli => "the AWS CLI's",
            Self::CloudFormation => "CloudFormation's",
        }
    }
}

/// A document as the element `LifecycleConfiguration`.
pub(super) fn translate<'a>(document: &'a Json<'a>) -> Result<Element<'a>, Fault> {
    let mut root = Element::new(OUTER, OUTER, document.at, Content::Elements);
    let mut members = object(document, "the document")?;
    let outer = members.iter().find(|member| member.key == OUTER);
    if let Some(outer) = outer {
        unknown_but(&BESIDE, members.iter().filter(|member| member.key != OUTER), &mut root);
        members = object(&outer.value, OUTER)?;
    }
    let Some(rules) = members.iter().find(|member| member.key == "Rules") else {
        let message = "it has no key \"Rules\": what is read is the configuration alone, not a template around it";
        return Err(Fault::new(document.at, None, message));
    };
    let others = members.iter().filter(|member| member.key != "Rules");
    unknown_but(&["TransitionDefaultMinimumObjectSize"], others, &mut root);
    let Value::List(rules) = &rules.value.value else {
        return Err(Fault::new(rules.value.at, None, "Rules must be a list"));
    };
    let dialect = dialect(rules, outer.is_some())?;
    for rule in rules {
        let mut element = Element::new("Rule", "Rule", rule.at, Content::Elements);
        fill(&mut element, object(rule, "a rule")?, dialect.names())?;
        root.children.push(match dialect {
            Dialect::Cli => element,
            Dialect::CloudFormation => gathered(element),
        });
    }
    Ok(root)
}

fn unknown_but<'a>(known: &[&str], members: impl Iterator<Item = &'a Member<'a>>, parent: &mut Element<'a>) {
    for member in members.filter(|member| !known.contains(&member.key.as_str())) {
        parent.children.push(Element::new(&member.key, &member.key, member.at, Content::Unknown));
    }
}

/// Told by the first name that only one of them has. Without any, what stands below the outer key is taken for
/// `CloudFormation`'s.
fn dialect(rules: &[Json<'_>], outer: bool) -> Result<Dialect, Fault> {
    let mut told: Option<(Dialect, &str)> = None;
    for rule in rules {
        for member in object(rule, "a rule")? {
            let Some((own, key)) = told_by(member) else { continue };
            match told {
                None => told = Some((own, key)),
                Some((dialect, _)) if dialect == own => {}
                Some((dialect, first)) => {
                    let message = format!(
                        "{key} is {} name, and {first} before it is {}: a document must keep to one of them",
                        own.whose(),
                        dialect.whose(),
                    );
                    return Err(Fault::new(member.at, None, message));
                }
            }
        }
    }
    let default = if outer { Dialect::CloudFormation } else { Dialect::Cli };
    Ok(told.map_or(default, |(dialect, _)| dialect))
}

/// The dialect that alone has this name or one within it.
fn told_by<'a>(member: &'a Member<'a>) -> Option<(Dialect, &'a str)> {
    [Dialect::Cli, Dialect::CloudFormation].into_iter().find_map(|dialect| {
        let find = |of: Dialect| of.names().iter().find(|name| name.key == member.key);
        let own = find(dialect)?;
        let Some(theirs) = find(dialect.other()) else { return Some((dialect, own.key)) };
        let own_keys = keys_within(&own.shape);
        let their_keys = keys_within(&theirs.shape);
        let inner: Vec<&Json<'_>> = match &member.value.value {
            Value::List(values) => values.iter().collect(),
            _ => vec![&member.value],
        };
        let keys = inner.into_iter().filter_map(|json| match &json.value {
            Value::Object(members) => Some(members.iter()),
            _ => None,
        });
        let alone = |key: &&Member<'_>| own_keys.contains(&key.key.as_str()) && !their_keys.contains(&key.key.as_str());
        keys.flatten().find(alone).map(|key| (dialect, key.key.as_str()))
    })
}

fn keys_within(shape: &Shape) -> Vec<&'static str> {
    match shape {
        Shape::Text | Shape::Date => Vec::new(),
        Shape::One(names) | Shape::Many(names) => names.iter().map(|name| name.key).collect(),
    }
}

fn object<'a>(json: &'a Json<'a>, what: &str) -> Result<&'a [Member<'a>], Fault> {
    match &json.value {
        Value::Object(members) => Ok(members),
        other => Err(Fault::new(json.at, None, format!("{what} must be an object, not {}", kind(other)))),
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn fill<'a>(parent: &mut Element<'a>, members: &'a [Member<'a>], names: &'static [Name]) -> Result<(), Fault> {
    for member in members {
        let Some(name) = names.iter().find(|name| name.key == member.key) else {
            parent.children.push(Element::new(&member.key, &member.key, member.at, Content::Unknown));
            continue;
        };
        match &name.shape {
            Shape::Text => parent.children.push(leaf(name, &member.value, text(name.key, &member.value)?)),
            Shape::Date => parent.children.push(leaf(name, &member.value, date(name.key, &member.value)?)),
            Shape::One(within) => parent.children.push(branch(name, &member.value, within)?),
            Shape::Many(within) => {
                let values = match &member.value.value {
                    Value::List(values) => values.as_slice(),
                    _ => std::slice::from_ref(&member.value),
                };
                for value in values {
                    parent.children.push(branch(name, value, within)?);
                }
            }
        }
    }
    Ok(())
}

fn leaf<'a>(name: &Name, json: &Json<'_>, text: Cow<'a, str>) -> Element<'a> {
    Element { text, ..Element::new(name.element, name.key, json.at, Content::Text) }
}

fn branch<'a>(name: &Name, json: &'a Json<'a>, within: &'static [Name]) -> Result<Element<'a>, Fault> {
    let mut branch = Element::new(name.element, name.key, json.at, Content::Elements);
    fill(&mut branch, object(json, name.key)?, within)?;
    Ok(branch)
}

fn text<'a>(key: &str, json: &'a Json<'a>) -> Result<Cow<'a, str>, Fault> {
    match &json.value {
        Value::Text(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Borrowed(number)),
        Value::Bool(value) => Ok(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Object(members)
            if members.iter().any(|member| member.key == "Ref" || member.key.starts_with("Fn::")) =>
        {
            let message = format!("{key} is an intrinsic function: its value is known to CloudFormation alone");
            Err(Fault::new(json.at, None, message))
        }
        other => Err(Fault::new(json.at, None, format!("{key} must be a text or a number, not {}", kind(other)))),
    }
}

fn date<'a>(key: &str, json: &'a Json<'a>) -> Result<Cow<'a, str>, Fault> {
    let Value::Number(number) = &json.value else { return text(key, json) };
    // The CLI writes whole seconds with or without a fraction.
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let seconds = whole.parse().ok().filter(|_| fraction.bytes().all(|digit| digit == b'0'));
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let Some(time) = time.filter(|time| (0..=9999).contains(&time.year())) else {
        let message = format!("{key} must be a date or whole seconds since 1970, not {}", quoted(number));
        return Err(Fault::new(json.at, None, message));
    };
    let (hour, minute, second) = time.to_hms();
    Ok(Cow::Owned(format!("{}T{hour:02}:{minute:02}:{second:02}Z", time.date())))
}

/// `CloudFormation` has the predicates, the expiration and the days of noncurrent versions beside each other in the
/// rule.
fn gathered(mut rule: Element<'_>) -> Element<'_> {
    let at = rule.at;
    let mut predicates = Vec::new();
    let mut groups: [Option<Element<'_>>; 2] = [None, None];
    let mut children = Vec::new();
    for child in std::mem::take(&mut rule.children) {
        let group = match child.name {
            _ if child.content == Content::Unknown => None,
            "Prefix" | "Tag" | "ObjectSizeGreaterThan" | "ObjectSizeLessThan" => {
                predicates.push(child);
                continue;
            }
            "Days" | "Date" | "ExpiredObjectDeleteMarker" => Some((0, "Expiration")),
            "NoncurrentDays" => Some((1, "NoncurrentVersionExpiration")),
            _ => None,
        };
        match group {
            None => children.push(child),
            Some((group, name)) => {
                let first = || Element::new(name, child.written, child.at, Content::Elements);
                groups[group].get_or_insert_with(first).children.push(child);
            }
        }
    }
    let mut filter = Element::new("Filter", "Filter", at, Content::Elements);
    if predicates.len() > 1 {
        let mut and = Element::new("And", "And", at, Content::Elements);
        and.children = predicates;
        filter.children.push(and);
    } else {
        filter.children = predicates;
    }
    children.extend(groups.into_iter().flatten());
    children.push(filter);
    // The order of the file, for what is reported of it.
    children.sort_by_key(|child| child.at);
    rule.children = children;
    rule
}
