//! JSON and YAML to S3's elements, in the names of the AWS CLI or of `CloudFormation`.
//!
//! Which of the two a document uses is decided by its names, because both may stand below `LifecycleConfiguration`. A
//! name of the other one is read too, and reported.

use std::borrow::Cow;

use time::OffsetDateTime;

use super::dialect::{Dialect, Name, RULE, Shape};
use super::json::{Json, Member, Value};
use super::tree::{Content, Element};
use super::{Fault, Foreign, quoted};

const OUTER: &str = "LifecycleConfiguration";
const RULES: &str = "Rules";
const MINIMUM_SIZE: &str = "TransitionDefaultMinimumObjectSize";
/// What answers of the AWS CLI and the SDKs have beside the configuration.
const BOOKKEEPING: [&str; 4] = ["ResponseMetadata", "ResultMetadata", "$metadata", "RequestCharged"];

/// A document as the element `LifecycleConfiguration`.
pub(super) struct Translated<'a> {
    pub root: Element<'a>,
    pub dialect: Dialect,
    /// Names of the other dialect.
    pub foreign: Vec<Foreign>,
    /// Keys beside the rules that are passed over.
    pub beside: Vec<Fault>,
}

pub(super) fn translate<'a>(document: &'a Json<'a>) -> Result<Translated<'a>, Fault> {
    let mut root = Element::new(OUTER, OUTER, document.at, Content::Elements);
    let mut beside = Vec::new();
    let (rules, is_wrapped) = match &document.value {
        // Such as `--query Rules` prints.
        Value::List(rules) => (rules, false),
        _ => rules_of(document, &mut root, &mut beside)?,
    };
    let dialect = dialect(rules, is_wrapped);
    let mut translation = Translation { dialect, rule: 0, foreign: Vec::new() };
    for (position, rule) in rules.iter().enumerate() {
        translation.rule = position;
        let element = translation.branch("Rule", "Rule", rule, RULE)?;
        root.children.push(gathered(element, dialect));
    }
    Ok(Translated { root, dialect, foreign: translation.foreign, beside })
}

/// The rules, and whether they stand below `LifecycleConfiguration`.
fn rules_of<'a>(
    document: &'a Json<'a>,
    root: &mut Element<'a>,
    beside: &mut Vec<Fault>,
) -> Result<(&'a Vec<Json<'a>>, bool), Fault> {
    let mut members = object(document, "the document")?;
    let find = |members: &'a [Member<'a>], key: &str| members.iter().find(|member| member.key == key);
    // A resource of a template, and then the properties of a bucket or the parameters of a call: what else they hold
    // is of no concern here.
    if let Some(properties) = find(members, "Properties").filter(|_| find(members, RULES).is_none()) {
        members = object(&properties.value, "Properties")?;
    }
    let outer = find(members, OUTER);
    if let Some(outer) = outer {
        minimum_size(members, root);
        members = object(&outer.value, OUTER)?;
    }
    minimum_size(members, root);
    let Some(rules) = find(members, RULES) else {
        let near = members.iter().find(|member| member.key.eq_ignore_ascii_case(RULES));
        let hint = near.map_or_else(
            || "what is read is the configuration alone, not a template or a plan around it".to_owned(),
            |near| format!("the key {} must be written \"{RULES}\"", quoted(&near.key)),
        );
        return Err(Fault::new(document.at, None, format!("it has no key \"{RULES}\": {hint}")));
    };
    for member in members.iter().filter(|member| ![RULES, MINIMUM_SIZE].contains(&member.key.as_str())) {
        if outer.is_some() {
            root.children.push(Element::new(&member.key, &member.key, member.at, Content::Unknown));
        } else if !BOOKKEEPING.contains(&member.key.as_str()) {
            let message = format!("{} is no part of a lifecycle configuration: it is not read", quoted(&member.key));
            beside.push(Fault::new(member.at, None, message));
        }
    }
    match &rules.value.value {
        Value::List(list) => Ok((list, outer.is_some())),
        _ if is_intrinsic(&rules.value) => Err(intrinsic(RULES, &rules.value)),
        other => Err(Fault::new(rules.value.at, None, format!("{RULES} must be a list, not {}", kind(other)))),
    }
}

fn minimum_size<'a>(members: &'a [Member<'a>], root: &mut Element<'a>) {
    for member in members.iter().filter(|member| member.key == MINIMUM_SIZE) {
        if let Value::Text(text) = &member.value.value {
            let leaf = Element::new(MINIMUM_SIZE, MINIMUM_SIZE, member.value.at, Content::Text);
            root.children.push(Element { text: Cow::Borrowed(text), ..leaf });
        } else if !matches!(member.value.value, Value::Null) {
            let mut wrong = Element::new(MINIMUM_SIZE, MINIMUM_SIZE, member.value.at, Content::Text);
            wrong.wrong = Some(format!("{MINIMUM_SIZE} must be a text, not {}", kind(&member.value.value)));
            root.children.push(wrong);
        }
    }
}

/// The dialect that most of the names belong to. Without any, what stands below the outer key is taken for
/// `CloudFormation`'s.
fn dialect(rules: &[Json<'_>], is_wrapped: bool) -> Dialect {
    let default = if is_wrapped { Dialect::CloudFormation } else { Dialect::AwsCli };
    let (mut cli, mut cloudformation) = (0_usize, 0_usize);
    for rule in rules {
        count(rule, RULE, &mut cli, &mut cloudformation);
    }
    match cli.cmp(&cloudformation) {
        std::cmp::Ordering::Less => Dialect::CloudFormation,
        std::cmp::Ordering::Equal => default,
        std::cmp::Ordering::Greater => Dialect::AwsCli,
    }
}

fn count(json: &Json<'_>, names: &'static [Name], cli: &mut usize, cloudformation: &mut usize) {
    let Value::Object(members) = &json.value else { return };
    for member in members {
        let Some(name) = names.iter().find(|name| name.key == member.key) else { continue };
        match name.owner.dialect() {
            Some(Dialect::AwsCli) => *cli += 1,
            Some(Dialect::CloudFormation) => *cloudformation += 1,
            Some(Dialect::S3Xml) | None => {}
        }
        match name.shape {
            Shape::Text | Shape::Date | Shape::StorageClass => {}
            Shape::One(within) | Shape::Many(within) => {
                for value in values(&member.value) {
                    count(value, within, cli, cloudformation);
                }
            }
        }
    }
}

fn values<'a>(json: &'a Json<'a>) -> &'a [Json<'a>] {
    match &json.value {
        Value::List(values) => values,
        _ => std::slice::from_ref(json),
    }
}

fn object<'a>(json: &'a Json<'a>, what: &str) -> Result<&'a [Member<'a>], Fault> {
    match &json.value {
        Value::Object(members) => Ok(members),
        other => Err(Fault::new(json.at, None, must_be_object(what, other))),
    }
}

fn must_be_object(what: &str, value: &Value<'_>) -> String {
    format!("{what} must be an object, not {}", kind(value))
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

fn is_intrinsic(json: &Json<'_>) -> bool {
    match &json.value {
        Value::Object(members) => members.iter().any(|member| member.key == "Ref" || member.key.starts_with("Fn::")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => false,
    }
}

fn intrinsic(key: &str, json: &Json<'_>) -> Fault {
    let message = format!("{key} is an intrinsic function: its value is known to CloudFormation alone");
    Fault::new(json.at, None, message)
}

struct Translation {
    dialect: Dialect,
    /// The position of the rule that is read.
    rule: usize,
    foreign: Vec<Foreign>,
}

impl Translation {
    /// What cannot be an object is an element with a complaint, so that the rest of the rule is read.
    fn branch<'a>(
        &mut self,
        element: &'static str,
        written: &'a str,
        json: &'a Json<'a>,
        names: &'static [Name],
    ) -> Result<Element<'a>, Fault> {
        let mut branch = Element::new(element, written, json.at, Content::Elements);
        match &json.value {
            _ if is_intrinsic(json) => return Err(intrinsic(written, json)),
            Value::Object(members) => self.fill(&mut branch, members, names)?,
            other => branch.wrong = Some(must_be_object(if element == "Rule" { "a rule" } else { written }, other)),
        }
        Ok(branch)
    }

    fn fill<'a>(
        &mut self,
        parent: &mut Element<'a>,
        members: &'a [Member<'a>],
        names: &'static [Name],
    ) -> Result<(), Fault> {
        for member in members {
            let json = &member.value;
            // As if it were not there: dumps of SDKs write what is not set so.
            if matches!(json.value, Value::Null) {
                continue;
            }
            let Some(name) = names.iter().find(|name| name.key == member.key) else {
                let near = names.iter().find(|name| name.key.eq_ignore_ascii_case(&member.key));
                let meant = near.map_or(member.key.as_str(), |name| name.key);
                parent.children.push(Element::new(meant, &member.key, member.at, Content::Unknown));
                continue;
            };
            if let Some(complaint) = name.owner.complaint(name.key, self.dialect) {
                self.foreign.push(Foreign { rule: self.rule, fault: Fault::new(member.at, None, complaint) });
            }
            match name.shape {
                Shape::Text | Shape::Date | Shape::StorageClass => parent.children.push(self.leaf(name, json)?),
                Shape::One(within) => parent.children.push(self.branch(name.element, name.key, json, within)?),
                Shape::Many(within) => {
                    for value in values(json) {
                        parent.children.push(self.branch(name.element, name.key, value, within)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn leaf<'a>(&self, name: &Name, json: &'a Json<'a>) -> Result<Element<'a>, Fault> {
        let mut leaf = Element::new(name.element, name.key, json.at, Content::Text);
        let text: Result<Cow<'a, str>, String> = match &json.value {
            Value::Text(text)
                if matches!(name.shape, Shape::StorageClass)
                    && self.dialect == Dialect::CloudFormation
                    && text == "Glacier" =>
            {
                Ok(Cow::Borrowed("GLACIER"))
            }
            Value::Text(text) => Ok(Cow::Borrowed(text)),
            Value::Number(number) if matches!(name.shape, Shape::Date) => seconds(name.key, number).map(Cow::Owned),
            Value::Number(number) => Ok(Cow::Borrowed(number)),
            Value::Bool(value) => Ok(Cow::Borrowed(if *value { "true" } else { "false" })),
            Value::Object(_) if is_intrinsic(json) => return Err(intrinsic(name.key, json)),
            other => Err(format!("{} must be a text or a number, not {}", name.key, kind(other))),
        };
        match text {
            Ok(text) => leaf.text = text,
            Err(wrong) => leaf.wrong = Some(wrong),
        }
        Ok(leaf)
    }
}

/// The CLI writes whole seconds with or without a fraction.
fn seconds(key: &str, number: &str) -> Result<String, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let seconds = whole.parse().ok().filter(|_| fraction.bytes().all(|digit| digit == b'0'));
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let Some(time) = time.filter(|time| (0..=9999).contains(&time.year())) else {
        return Err(format!("{key} must be a date or whole seconds since 1970, not {}", quoted(number)));
    };
    let (hour, minute, second) = time.to_hms();
    Ok(format!("{}T{hour:02}:{minute:02}:{second:02}Z", time.date()))
}

/// `CloudFormation` has the predicates, the expiration and the days of noncurrent versions beside each other in the
/// rule.
fn gathered(mut rule: Element<'_>, dialect: Dialect) -> Element<'_> {
    if rule.wrong.is_some() {
        return rule;
    }
    let at = rule.at;
    let is_cloudformation = dialect == Dialect::CloudFormation;
    let has_filter = rule.children.iter().any(|child| child.is("Filter"));
    let is_predicate = |child: &Element<'_>| {
        let is_other = ["Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"].iter().any(|name| child.is(name));
        is_other || (child.is("Prefix") && is_cloudformation)
    };
    let mut predicates = Vec::new();
    let mut groups: [Option<Element<'_>>; 2] = [None, None];
    let mut children = Vec::new();
    for child in std::mem::take(&mut rule.children) {
        let group = match child.name {
            _ if child.content == Content::Unknown => None,
            _ if is_predicate(&child) => {
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
    if !predicates.is_empty() || (is_cloudformation && !has_filter) {
        let mut filter = Element::new("Filter", "Filter", at, Content::Elements);
        if predicates.len() > 1 {
            let mut and = Element::new("And", "And", at, Content::Elements);
            and.children = predicates;
            filter.children.push(and);
        } else {
            filter.children = predicates;
        }
        children.push(filter);
    }
    children.extend(groups.into_iter().flatten());
    // The order of the file, for what is reported of it.
    children.sort_by_key(|child| child.at);
    rule.children = children;
    rule
}
