//! The tree of S3's elements to the rules. Source: API reference, `PutBucketLifecycleConfiguration`, and the answers of
//! S3 to what it refuses.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, Time, UtcOffset};

use super::place::Places;
use super::tree::{Content, Element};
use super::{Code, Document, Fault, MAX_ACTIONS, Remark, RemarkKind, quoted};
use crate::lifecycle::configuration::{Action, Configuration, Filter, Rule, StorageClass, When};

/// S3's numbers are signed, of 32 bits.
const MOST_DAYS: u32 = i32::MAX as u32;

/// A document whose remarks are not yet placed.
#[derive(Default)]
pub(super) struct Reading {
    rules: Vec<Rule>,
    old_schema: Vec<bool>,
    remarks: Vec<(Option<usize>, RemarkKind, Fault)>,
    /// Where each ID stands first.
    ids: HashMap<String, usize>,
    /// Unknown elements of a rule are told once each: rule, parent, name.
    unknown: HashSet<(Option<usize>, String, String)>,
}

impl Reading {
    pub fn into_document(mut self, places: &mut Places<'_>) -> Document {
        self.remarks.sort_by_key(|(_, _, fault)| fault.at);
        let remark = |(rule, kind, fault): (Option<usize>, RemarkKind, Fault)| Remark {
            place: places.of(fault.at),
            rule,
            kind,
            code: fault.code,
            message: fault.message,
        };
        let remarks = self.remarks.into_iter().map(remark).collect();
        Document { configuration: Configuration { rules: self.rules }, old_schema: self.old_schema, remarks }
    }

    fn remark(&mut self, fault: Fault) {
        // The rule that is being read.
        self.remarks.push((Some(self.rules.len()), RemarkKind::Refused, fault));
    }

    fn unknown(&mut self, rule: Option<usize>, parent: &Element<'_>, child: &Element<'_>) {
        if self.unknown.insert((rule, parent.written.to_owned(), child.written.to_owned())) {
            let message = format!("unknown element {} in {}: it is left out", quoted(child.written), parent.written);
            self.remarks.push((rule, RemarkKind::LeftOut, Fault::new(child.at, Code::MalformedXml, message)));
        }
    }
}

pub(super) fn read(root: &Element<'_>) -> Result<Reading, Fault> {
    const NAME: &str = "LifecycleConfiguration";
    if root.name != NAME {
        let message = format!("it is a {} document, not a {NAME}", quoted(root.name));
        return Err(malformed(root, message));
    }
    let mut reading = Reading::default();
    holds_elements(root)?;
    once(root, "TransitionDefaultMinimumObjectSize")?;
    for child in &root.children {
        if child.is("Rule") {
            reading.rule(child)?;
        } else if !child.is("TransitionDefaultMinimumObjectSize") {
            reading.unknown(None, root, child);
        }
    }
    Ok(reading)
}

fn malformed(element: &Element<'_>, message: impl AsRef<str>) -> Fault {
    Fault::new(element.at, Code::MalformedXml, message)
}

/// The child of this name, which must not stand twice.
fn once<'e, 'a>(parent: &'e Element<'a>, name: &'e str) -> Result<Option<&'e Element<'a>>, Fault> {
    let mut children = parent.all(name);
    let first = children.next();
    match children.next() {
        Some(second) => Err(malformed(second, format!("{} stands twice in {}", second.written, parent.written))),
        None => Ok(first),
    }
}

fn holds_elements(element: &Element<'_>) -> Result<(), Fault> {
    if element.text.trim().is_empty() {
        return Ok(());
    }
    let message = format!("{} holds elements, not the text {}", element.written, quoted(element.text.trim()));
    Err(malformed(element, message))
}

/// The text of an element, as it is.
fn text<'e>(element: &'e Element<'_>) -> Result<&'e str, Fault> {
    match element.children.first() {
        Some(child) => Err(malformed(child, format!("{} holds text, not elements", element.written))),
        None if element.content == Content::Elements => {
            Err(malformed(element, format!("{} holds text, not elements", element.written)))
        }
        None => Ok(&element.text),
    }
}

/// The same without the blanks around it, for what is no free text.
fn word<'e>(element: &'e Element<'_>) -> Result<&'e str, Fault> {
    text(element).map(str::trim)
}

/// What a number is for, which decides what S3 answers to a negative one.
#[derive(Clone, Copy)]
enum Number {
    Days,
    NewerVersions,
    Size,
}

fn whole(element: &Element<'_>, number: Number, most: u64) -> Result<u64, Fault> {
    let written = word(element)?;
    let unsigned = written.strip_prefix(['-', '+']).unwrap_or(written);
    let name = element.written;
    if unsigned.is_empty() || !unsigned.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(malformed(element, format!("{name} must be a whole number, not {}", quoted(written))));
    }
    if written.starts_with('-') && unsigned.bytes().any(|digit| digit != b'0') {
        let code = match number {
            Number::Days => Some(Code::InvalidArgument),
            Number::Size => Some(Code::InvalidRequest),
            Number::NewerVersions => None,
        };
        return Err(Fault::new(element.at, code, format!("{name} must not be negative, it is {}", quoted(written))));
    }
    let value = unsigned.parse().ok().filter(|value| *value <= most);
    value.ok_or_else(|| Fault::new(element.at, None, format!("{name} is larger than {most}: {}", quoted(written))))
}

fn count(element: &Element<'_>, number: Number) -> Result<u32, Fault> {
    let value = whole(element, number, u64::from(MOST_DAYS))?;
    Ok(u32::try_from(value).unwrap_or(MOST_DAYS))
}

fn storage_class(parent: &Element<'_>) -> Result<StorageClass, Fault> {
    let Some(element) = once(parent, "StorageClass")? else {
        return Err(malformed(parent, format!("{} without a StorageClass", parent.written)));
    };
    word(element)?.parse().map_err(|_| {
        let known: Vec<&str> = StorageClass::ALL.iter().skip(1).map(|class| class.as_str()).collect();
        let message = format!(
            "{} is no storage class that a rule can move objects to ({})",
            quoted(&element.text),
            known.join(", ")
        );
        malformed(element, message)
    })
}

impl Reading {
    fn rule(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        holds_elements(element)?;
        let id = self.id(element)?;
        let enabled = status(element)?;
        let (filter, old_schema) = match (once(element, "Prefix")?, once(element, "Filter")?) {
            (Some(prefix), None) => (Filter { prefix: text(prefix)?.to_owned(), ..Filter::default() }, true),
            (None, Some(filter)) => (self.filter(filter)?, false),
            (None, None) => {
                let message = "the rule has neither Filter nor Prefix; an empty Filter stands for all objects";
                return Err(malformed(element, message));
            }
            (Some(prefix), Some(_)) => {
                let message = "the rule has both Filter and a Prefix of its own; the Prefix belongs into the Filter";
                return Err(Fault::new(prefix.at, Code::InvalidRequest, message));
            }
        };
        for name in ["Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"] {
            once(element, name)?;
        }
        let mut actions = Vec::new();
        for child in &element.children {
            match child.name {
                _ if child.content == Content::Unknown => self.unknown(Some(self.rules.len()), element, child),
                "ID" | "Status" | "Prefix" | "Filter" => {}
                "Expiration" => actions.push(self.expiration(child)?),
                "Transition" => actions.push(self.transition(child)?),
                "NoncurrentVersionExpiration" => actions.push(self.noncurrent_expiration(child)?),
                "NoncurrentVersionTransition" => actions.push(self.noncurrent_transition(child)?),
                "AbortIncompleteMultipartUpload" => actions.push(self.abort(child)?),
                _ => self.unknown(Some(self.rules.len()), element, child),
            }
        }
        if actions.len() > MAX_ACTIONS {
            return Err(Fault::new(element.at, None, format!("the rule has more than {MAX_ACTIONS} actions")));
        }
        self.rules.push(Rule { id, enabled, filter, actions });
        self.old_schema.push(old_schema);
        Ok(())
    }

    fn id(&mut self, rule: &Element<'_>) -> Result<String, Fault> {
        let position = self.rules.len() + 1;
        let element = once(rule, "ID")?;
        let given = element.map(text).transpose()?.filter(|id| !id.is_empty());
        // One without an ID is named by its position; another must not have that name.
        let id = given.map_or_else(|| format!("#{position}"), str::to_owned);
        match self.ids.insert(id.clone(), position) {
            None => Ok(id),
            Some(first) => {
                let message = format!("the ID {} stands twice: rule {first} has it too", quoted(&id));
                Err(Fault::new(element.map_or(rule.at, |element| element.at), Code::InvalidArgument, message))
            }
        }
    }

    /// Elements that are none of these are left out, and said so.
    fn only(&mut self, parent: &Element<'_>, known: &[&str]) -> Result<(), Fault> {
        holds_elements(parent)?;
        for child in &parent.children {
            if !known.iter().any(|name| child.is(name)) {
                self.unknown(Some(self.rules.len()), parent, child);
            }
        }
        Ok(())
    }

    fn filter(&mut self, element: &Element<'_>) -> Result<Filter, Fault> {
        const PREDICATES: [&str; 5] = ["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"];
        self.only(element, &PREDICATES)?;
        let predicates = element.children.iter().filter(|child| PREDICATES.iter().any(|name| child.is(name)));
        if predicates.count() > 1 {
            let message = "Filter holds several predicates without And: they are read as if they stood in And";
            self.remark(malformed(element, message));
        }
        let mut filter = Filter::default();
        let mut has_prefix = false;
        self.predicates(element, &mut filter, &mut has_prefix)?;
        if let Some(and) = once(element, "And")? {
            self.only(and, &PREDICATES[..4])?;
            if and.children.len() < 2 {
                self.remark(malformed(and, "And holds fewer than two predicates"));
            }
            self.predicates(and, &mut filter, &mut has_prefix)?;
        }
        Ok(filter)
    }

    fn predicates(&mut self, parent: &Element<'_>, filter: &mut Filter, has_prefix: &mut bool) -> Result<(), Fault> {
        if let Some(prefix) = once(parent, "Prefix")? {
            if std::mem::replace(has_prefix, true) {
                return Err(malformed(prefix, "Prefix stands twice in Filter"));
            }
            text(prefix)?.clone_into(&mut filter.prefix);
        }
        for tag in parent.all("Tag") {
            self.tag(tag, filter)?;
        }
        for (name, size) in [
            ("ObjectSizeGreaterThan", &mut filter.size_greater_than),
            ("ObjectSizeLessThan", &mut filter.size_less_than),
        ] {
            if let Some(element) = once(parent, name)? {
                let bytes = whole(element, Number::Size, u64::MAX)?;
                if size.replace(bytes).is_some() {
                    return Err(malformed(element, format!("{name} stands twice in Filter")));
                }
            }
        }
        Ok(())
    }

    fn tag(&mut self, element: &Element<'_>, filter: &mut Filter) -> Result<(), Fault> {
        self.only(element, &["Key", "Value"])?;
        let Some(key) = once(element, "Key")? else { return Err(malformed(element, "Tag without a Key")) };
        // Without a value it matches the empty one.
        let value = once(element, "Value")?.map(text).transpose()?.unwrap_or("");
        let key = text(key)?;
        if filter.tags.contains_key(key) {
            // Which of them is meant nobody can tell.
            let message = format!("Duplicate Tag Keys are not allowed. The key is {}", quoted(key));
            return Err(Fault::new(element.at, Code::InvalidRequest, message));
        }
        filter.tags.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn expiration(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["Days", "Date", "ExpiredObjectDeleteMarker"])?;
        let marker = once(element, "ExpiredObjectDeleteMarker")?;
        match (self.when(element)?, marker) {
            (Some(when), None) => Ok(Action::Expiration(when)),
            (None, Some(marker)) => match word(marker)? {
                "true" => Ok(Action::ExpiredObjectDeleteMarker(true)),
                "false" => Ok(Action::ExpiredObjectDeleteMarker(false)),
                other => {
                    let message = format!("{} must be true or false, not {}", marker.written, quoted(other));
                    Err(malformed(marker, message))
                }
            },
            (Some(_), Some(marker)) => {
                let message = "ExpiredObjectDeleteMarker cannot stand beside Days or Date: that is another rule's work";
                Err(malformed(marker, message))
            }
            (None, None) => Err(malformed(element, "Expiration without Days, Date or ExpiredObjectDeleteMarker")),
        }
    }

    fn transition(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["Days", "Date", "StorageClass"])?;
        let to = storage_class(element)?;
        match self.when(element)? {
            Some(when) => Ok(Action::Transition { when, to }),
            None => Err(malformed(element, "Transition without Days or Date")),
        }
    }

    fn when(&mut self, parent: &Element<'_>) -> Result<Option<When>, Fault> {
        match (once(parent, "Days")?, once(parent, "Date")?) {
            (None, None) => Ok(None),
            (Some(days), None) => Ok(Some(When::Days(count(days, Number::Days)?))),
            (None, Some(element)) => {
                let (date, is_midnight) = date(element)?;
                if !is_midnight {
                    let message = format!("'{}' must be at midnight GMT; the day is read", element.written);
                    self.remark(Fault::new(element.at, Code::InvalidArgument, message));
                }
                Ok(Some(When::Date(date)))
            }
            (Some(days), Some(date)) => {
                let message = format!("{} and {} cannot stand beside each other", days.written, date.written);
                Err(malformed(date, message))
            }
        }
    }

    fn noncurrent_expiration(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["NoncurrentDays", "NewerNoncurrentVersions"])?;
        let (days, newer) = noncurrent(element)?;
        Ok(Action::NoncurrentVersionExpiration { days, newer })
    }

    fn noncurrent_transition(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"])?;
        let to = storage_class(element)?;
        let (days, newer) = noncurrent(element)?;
        Ok(Action::NoncurrentVersionTransition { days, newer, to })
    }

    fn abort(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["DaysAfterInitiation"])?;
        match once(element, "DaysAfterInitiation")? {
            Some(days) => Ok(Action::AbortIncompleteMultipartUpload { days: count(days, Number::Days)? }),
            None => Err(malformed(element, "AbortIncompleteMultipartUpload without DaysAfterInitiation")),
        }
    }
}

/// Days and how many newer versions are kept.
fn noncurrent(element: &Element<'_>) -> Result<(u32, u32), Fault> {
    let newer = once(element, "NewerNoncurrentVersions")?;
    let newer = newer.map(|newer| count(newer, Number::NewerVersions)).transpose()?.unwrap_or(0);
    match once(element, "NoncurrentDays")? {
        Some(days) => Ok((count(days, Number::Days)?, newer)),
        None => Err(malformed(element, format!("{} without NoncurrentDays", element.written))),
    }
}

fn status(rule: &Element<'_>) -> Result<bool, Fault> {
    let Some(element) = once(rule, "Status")? else { return Err(malformed(rule, "the rule has no Status")) };
    match word(element)? {
        "Enabled" => Ok(true),
        "Disabled" => Ok(false),
        other => Err(malformed(element, format!("Status must be Enabled or Disabled, not {}", quoted(other)))),
    }
}

/// A day in UTC, and whether its midnight is what is written.
fn date(element: &Element<'_>) -> Result<(Date, bool), Fault> {
    let written = word(element)?;
    if let Ok(date) = Date::parse(written, format_description!("[year]-[month]-[day]")) {
        return Ok((date, true));
    }
    // Without an offset it is UTC.
    let is_local = written.len() == 19 && written.is_ascii();
    let full = if is_local { Cow::Owned(format!("{written}Z")) } else { Cow::Borrowed(written) };
    let time = OffsetDateTime::parse(&full, &Rfc3339).ok().and_then(|time| time.checked_to_offset(UtcOffset::UTC));
    time.map(|time| (time.date(), time.time() == Time::MIDNIGHT)).ok_or_else(|| {
        let message =
            format!("{} must be a date such as 2031-01-01T00:00:00Z, not {}", element.written, quoted(written));
        malformed(element, message)
    })
}
