//! YAML 1.2 as the JSON that it stands for, as the AWS CLI prints it with `--output yaml`.
//!
//! One document of mappings with text keys, lists and scalars. Short forms of intrinsic functions (`!Ref`) become the
//! long ones. Aliases count like the text that they stand for, so that a small file cannot grow without bounds.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::json::{Json, Member, Value};
use super::{Fault, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, quoted};

pub(super) fn parse(text: &str) -> Result<Json<'_>, Fault> {
    let mut builder = Builder { offsets: Offsets { text, index: 0, at: 0 }, ..Builder::default() };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, span)?,
            Err(error) => {
                let at = builder.offsets.of(error.marker().index());
                return Err(Fault::new(at, None, format!("it is not YAML: {}", error.info())));
            }
        }
    }
    builder.root.ok_or_else(|| Fault::new(0, None, "it is empty"))
}

/// Bytes of places that are counted in characters, found from the last one.
#[derive(Default)]
struct Offsets<'a> {
    text: &'a str,
    index: usize,
    at: usize,
}

impl Offsets<'_> {
    fn of(&mut self, index: usize) -> usize {
        if let Some(back) = self.index.checked_sub(index + 1) {
            self.at = self.text[..self.at].char_indices().rev().nth(back).map_or(0, |(at, _)| at);
        } else {
            let ahead = self.text[self.at..].char_indices().nth(index - self.index);
            self.at = ahead.map_or(self.text.len(), |(bytes, _)| self.at + bytes);
        }
        self.index = index;
        self.at
    }
}

/// A mapping or a list that is not yet closed.
struct Open<'a> {
    at: usize,
    anchor: usize,
    function: Option<String>,
    content: Content<'a>,
}

enum Content<'a> {
    List(Vec<Json<'a>>),
    Object {
        members: Vec<Member<'a>>,
        keys: HashSet<String>,
        /// The key whose value comes next.
        key: Option<(usize, String)>,
    },
}

#[derive(Default)]
struct Builder<'a> {
    offsets: Offsets<'a>,
    /// From the root inwards.
    open: Vec<Open<'a>>,
    root: Option<Json<'a>>,
    documents: usize,
    /// Values that have an anchor.
    anchors: HashMap<usize, Json<'a>>,
    values: usize,
    /// Bytes of text that aliases stand for.
    repeated: usize,
}

impl<'a> Builder<'a> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let at = self.offsets.of(span.start.index());
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Fault::new(at, None, "it holds several YAML documents: one configuration is read"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(at)?;
                let value = scalar(&text, style, tag.as_deref());
                self.add(Json { at, value: called(function(tag.as_deref()), at, value) }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(at, anchor, tag.as_deref(), Content::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Object { members: Vec::new(), keys: HashSet::new(), key: None };
                self.begin(at, anchor, tag.as_deref(), content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { at, anchor, function, content }) = self.open.pop() {
                    let value = match content {
                        Content::List(values) => Value::List(values),
                        Content::Object { members, .. } => Value::Object(members),
                    };
                    self.add(Json { at, value: called(function, at, value) }, anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor) else {
                    return Err(Fault::new(at, None, "an alias within the value that it stands for"));
                };
                let again = known.clone();
                self.repeat(at, &again)?;
                self.add(Json { at, ..again }, 0)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn count(&mut self, at: usize) -> Result<(), Fault> {
        self.values += 1;
        if self.values > MAX_ELEMENTS {
            return Err(Fault::new(at, None, format!("it has more than {MAX_ELEMENTS} values")));
        }
        Ok(())
    }

    fn begin(&mut self, at: usize, anchor: usize, tag: Option<&Tag>, content: Content<'a>) -> Result<(), Fault> {
        self.count(at)?;
        if self.open.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} mappings and lists within each other");
            return Err(Fault::new(at, None, message));
        }
        self.open.push(Open { at, anchor, function: function(tag), content });
        Ok(())
    }

    fn add(&mut self, json: Json<'a>, anchor: usize) -> Result<(), Fault> {
        if anchor > 0 {
            // It is kept a second time.
            self.repeat(json.at, &json)?;
            self.anchors.insert(anchor, json.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(json),
            Some(Content::List(values)) => values.push(json),
            Some(Content::Object { members, keys, key }) => {
                if let Some((at, key)) = key.take() {
                    members.push(Member { at, key, value: json });
                    return Ok(());
                }
                let name = text_of(&json)?;
                if !keys.insert(name.clone()) {
                    let message = format!("the key {} stands twice in its mapping", quoted(&name));
                    return Err(Fault::new(json.at, None, message));
                }
                *key = Some((json.at, name));
            }
        }
        Ok(())
    }

    /// Counts what is there once more.
    fn repeat(&mut self, at: usize, json: &Json<'_>) -> Result<(), Fault> {
        let mut values = vec![json];
        while let Some(json) = values.pop() {
            self.count(at)?;
            match &json.value {
                Value::Null | Value::Bool(_) => {}
                Value::Number(text) => self.repeated += text.len(),
                Value::Text(text) => self.repeated += text.len(),
                Value::List(list) => values.extend(list),
                Value::Object(members) => {
                    self.repeated += members.iter().map(|member| member.key.len()).sum::<usize>();
                    values.extend(members.iter().map(|member| &member.value));
                }
            }
            if self.repeated > MAX_BYTES {
                return Err(Fault::new(at, None, "its aliases stand for too much text"));
            }
        }
        Ok(())
    }
}

fn text_of(key: &Json<'_>) -> Result<String, Fault> {
    match &key.value {
        Value::Text(text) if text == "<<" => Err(Fault::new(key.at, None, "merge keys (<<) are not read")),
        Value::Text(text) => Ok(text.clone()),
        Value::Number(text) => Ok(text.to_string()),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => {
            Err(Fault::new(key.at, None, "a key must be a text"))
        }
    }
}

/// The long name of an intrinsic function, for a tag that is none of YAML's own.
fn function(tag: Option<&Tag>) -> Option<String> {
    let tag = tag.filter(|tag| !tag.is_yaml_core_schema() && !tag.suffix.is_empty())?;
    let name = tag.suffix.as_str();
    Some(if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") })
}

fn called(function: Option<String>, at: usize, value: Value<'_>) -> Value<'_> {
    match function {
        None => value,
        Some(key) => Value::Object(vec![Member { at, key, value: Json { at, value } }]),
    }
}

/// Source: YAML 1.2.2, 10.3, core schema.
fn scalar<'a>(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value<'a> {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if is_text || style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(Cow::Owned(text.to_owned())),
        _ => Value::Text(text.to_owned()),
    }
}

/// Digits without a leading zero, which some take for octal, and perhaps a fraction.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.').unwrap_or((text, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let are_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    are_digits(whole) && are_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}
