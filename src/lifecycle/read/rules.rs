//! The tree of S3's elements to the rules. Source: API reference, `PutBucketLifecycleConfiguration`, and the answers of
//! S3 to what it refuses.
//!
//! What is wrong with one rule does not keep the others from being read: every refusal is collected.

use std::collections::{HashMap, HashSet};

use super::actions::{holds_elements, once, text, whole, word};
use super::dialect::Dialect;
use super::place::Places;
use super::tree::{Content, Element};
use super::{Code, Document, Fault, Foreign, Form, MAX_ACTIONS, Remark, RemarkKind, malformed, quoted};
use crate::lifecycle::configuration::{Configuration, Filter, MinimumSize, Rule};

const MINIMUM_SIZE: &str = "TransitionDefaultMinimumObjectSize";
const PREDICATES: [&str; 5] = ["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"];

/// A document whose remarks are not yet placed.
#[derive(Default)]
pub(super) struct Reading {
    dialect: Dialect,
    rules: Vec<Rule>,
    forms: Vec<Form>,
    minimum_size: Option<MinimumSize>,
    remarks: Vec<(Option<usize>, RemarkKind, Fault)>,
    /// Something in the rule that is being read cannot be read.
    is_unread: bool,
    /// Where each ID stands first.
    ids: HashMap<String, usize>,
    /// Unknown elements of a rule are reported once each: rule, parent, name.
    unknown: HashSet<(Option<usize>, String, String)>,
}

impl Reading {
    pub fn new(dialect: Dialect, foreign: Vec<Foreign>, beside: Vec<Fault>) -> Self {
        let foreign = foreign.into_iter().map(|it| (Some(it.rule), RemarkKind::Refused, it.fault));
        let beside = beside.into_iter().map(|fault| (None, RemarkKind::PassedOver, fault));
        Self { dialect, remarks: foreign.chain(beside).collect(), ..Self::default() }
    }

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
        let configuration = Configuration { rules: self.rules };
        let Self { dialect, forms, minimum_size, .. } = self;
        Document { configuration, dialect, forms, minimum_size, remarks }
    }

    fn add(&mut self, kind: RemarkKind, fault: Fault) {
        // The rule that is being read.
        self.remarks.push((Some(self.rules.len()), kind, fault));
    }

    /// S3 would refuse it; it is read all the same.
    pub(super) fn refused(&mut self, fault: Fault) {
        self.add(RemarkKind::Refused, fault);
    }

    /// Nothing is wrong with it, but it may surprise.
    pub(super) fn passed_over(&mut self, fault: Fault) {
        self.add(RemarkKind::PassedOver, fault);
    }

    /// What was read, or nothing and the complaint.
    pub(super) fn keep<T>(&mut self, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| {
            self.is_unread = true;
            self.add(RemarkKind::Unreadable, fault);
        })
        .ok()
    }

    fn unknown(&mut self, rule: Option<usize>, parent: &Element<'_>, child: &Element<'_>) {
        if self.unknown.insert((rule, parent.written.to_owned(), child.written.to_owned())) {
            let is_near = child.content == Content::Unknown && child.name != child.written;
            let hint = if is_near { format!("; the name is written {}", quoted(child.name)) } else { String::new() };
            let (name, parent) = (quoted(child.written), parent.written);
            let message = format!("unknown element {name} in {parent}: it is left out{hint}");
            self.remarks.push((rule, RemarkKind::LeftOut, Fault::new(child.at, Code::MalformedXml, message)));
        }
    }

    /// The rules of a document; an error only where it is no configuration at all, or more than is read of one.
    pub fn read(mut self, root: &Element<'_>) -> Result<Self, Fault> {
        const NAME: &str = "LifecycleConfiguration";
        if root.name != NAME {
            let message = format!("it is a {} document, not a {NAME}", quoted(root.name));
            return Err(malformed(root, message));
        }
        holds_elements(root)?;
        for child in &root.children {
            if child.is("Rule") {
                self.rule(child)?;
            } else if !child.is(MINIMUM_SIZE) {
                self.unknown(None, root, child);
            }
        }
        self.minimum_size(root);
        Ok(self)
    }

    fn minimum_size(&mut self, root: &Element<'_>) {
        let read = once(root, MINIMUM_SIZE).and_then(|element| element.map(minimum_size).transpose());
        match read {
            Ok(size) => self.minimum_size = size,
            Err(fault) => self.remarks.push((None, RemarkKind::Refused, fault)),
        }
    }

    fn rule(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        self.is_unread = false;
        let id = self.id(element);
        let is_object = self.keep(holds_elements(element)).is_some();
        let (mut enabled, mut scope, mut actions) = (None, None, Vec::new());
        if is_object {
            enabled = self.keep(status(element));
            scope = self.scope(element);
            actions = self.actions(element);
        }
        if actions.len() > MAX_ACTIONS {
            return Err(Fault::new(element.at, None, format!("the rule has more than {MAX_ACTIONS} actions")));
        }
        let (filter, form) = scope.unwrap_or_default();
        let form = if self.is_unread { Form::Unread } else { form };
        // What is not wholly read must do nothing in an analysis.
        let enabled = enabled.unwrap_or(false) && !self.is_unread;
        self.rules.push(Rule { id, enabled, filter, actions });
        self.forms.push(form);
        Ok(())
    }

    fn actions(&mut self, rule: &Element<'_>) -> Vec<crate::lifecycle::Action> {
        for name in ["Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"] {
            self.keep(once(rule, name));
        }
        let mut actions = Vec::new();
        let mut is_empty = true;
        for child in &rule.children {
            let read = match child.name {
                _ if child.content == Content::Unknown => {
                    self.unknown(Some(self.rules.len()), rule, child);
                    continue;
                }
                "ID" | "Status" | "Prefix" | "Filter" => continue,
                "Expiration" => self.expiration(child),
                "Transition" => self.transition(child).map(Some),
                "NoncurrentVersionExpiration" => self.noncurrent_expiration(child).map(Some),
                "NoncurrentVersionTransition" => self.noncurrent_transition(child).map(Some),
                "AbortIncompleteMultipartUpload" => self.abort(child).map(Some),
                _ => {
                    self.unknown(Some(self.rules.len()), rule, child);
                    continue;
                }
            };
            is_empty = false;
            actions.extend(self.keep(read).flatten());
        }
        if is_empty {
            let message = "At least one action needs to be specified in a rule";
            self.refused(Fault::new(rule.at, Code::InvalidRequest, message));
        }
        actions
    }

    /// What the rule is for, and in which schema.
    fn scope(&mut self, rule: &Element<'_>) -> Option<(Filter, Form)> {
        let prefix = self.keep(once(rule, "Prefix"))?;
        let filter = self.keep(once(rule, "Filter"))?;
        match (prefix, filter) {
            (Some(prefix), None) => {
                let prefix = self.keep(text(prefix))?.to_owned();
                Some((Filter { prefix, ..Filter::default() }, Form::Prefix))
            }
            (None, Some(filter)) => {
                let filter = self.filter(filter);
                Some((self.keep(filter)?, Form::Filter))
            }
            (None, None) => {
                let message = "the rule has neither Filter nor Prefix; an empty Filter stands for all objects";
                self.keep(Err(malformed(rule, message)))
            }
            (Some(prefix), Some(_)) => {
                let message = "the rule has both Filter and a Prefix of its own; the Prefix belongs into the Filter";
                self.keep(Err(Fault::new(prefix.at, Code::InvalidRequest, message)))
            }
        }
    }

    fn id(&mut self, rule: &Element<'_>) -> String {
        let position = self.rules.len() + 1;
        let element = self.keep(once(rule, "ID")).flatten();
        let given = element.and_then(|element| self.keep(text(element))).filter(|id| !id.is_empty());
        let Some(given) = given else {
            // One without an ID is called by its position; no other has that name.
            let mut id = format!("#{position}");
            while self.ids.contains_key(&id) {
                id.push('\'');
            }
            self.ids.insert(id.clone(), position);
            return id;
        };
        if let Some(first) = self.ids.get(given) {
            let message = format!("Rule ID must be unique: rule {first} has the ID {} too", quoted(given));
            let at = element.map_or(rule.at, |element| element.at);
            self.refused(Fault::new(at, Code::InvalidArgument, message));
        } else {
            self.ids.insert(given.to_owned(), position);
        }
        given.to_owned()
    }

    /// Elements that are none of these are left out, and reported.
    pub(super) fn only(&mut self, parent: &Element<'_>, known: &[&str]) -> Result<(), Fault> {
        holds_elements(parent)?;
        for child in &parent.children {
            if !known.iter().any(|name| child.is(name)) {
                self.unknown(Some(self.rules.len()), parent, child);
            }
        }
        Ok(())
    }

    fn filter(&mut self, element: &Element<'_>) -> Result<Filter, Fault> {
        self.only(element, &PREDICATES)?;
        let predicates = element.children.iter().filter(|child| PREDICATES.iter().any(|name| child.is(name)));
        if predicates.count() > 1 {
            let message = "Filter holds several predicates without And: they are read as if they stood in And";
            self.refused(malformed(element, message));
        }
        let mut filter = Filter::default();
        let mut has_prefix = false;
        self.predicates(element, &mut filter, &mut has_prefix)?;
        if let Some(and) = once(element, "And")? {
            self.only(and, &PREDICATES[..4])?;
            if and.children.len() < 2 {
                self.refused(malformed(and, "And holds fewer than two predicates"));
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
                let bytes = whole(element, Code::InvalidRequest, u64::MAX)?;
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
            // Which of them is meant cannot be known.
            let message = format!("Duplicate Tag Keys are not allowed. The key is {}", quoted(key));
            return Err(Fault::new(element.at, Code::InvalidRequest, message));
        }
        filter.tags.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

fn minimum_size(element: &Element<'_>) -> Result<MinimumSize, Fault> {
    let word = word(element)?;
    MinimumSize::of(word).ok_or_else(|| {
        let known = MinimumSize::ALL.map(MinimumSize::as_str).join(" or ");
        let message = format!("Invalid {MINIMUM_SIZE} found: it must be {known}, not {}", quoted(word));
        Fault::new(element.at, Code::InvalidRequest, message)
    })
}

fn status(rule: &Element<'_>) -> Result<bool, Fault> {
    let Some(element) = once(rule, "Status")? else { return Err(malformed(rule, "the rule has no Status")) };
    match word(element)? {
        "Enabled" => Ok(true),
        "Disabled" => Ok(false),
        other => Err(malformed(element, format!("Status must be Enabled or Disabled, not {}", quoted(other)))),
    }
}
