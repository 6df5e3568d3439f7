//! A lifecycle configuration from a file: S3's XML, or JSON or YAML with the names of the AWS CLI or of
//! `CloudFormation`.
//!
//! Each format becomes one tree of elements with S3's names ([`xml`]; [`json`] or [`yaml`], and then [`names`]), and
//! [`rules`] reads that tree. What S3 would refuse is a [`Remark`], and the rest is read all the same; only what is no
//! configuration at all is a [`ReadError`]. No input makes it panic.
//!
//! Sources: API reference, `GetBucketLifecycleConfiguration`, `PutBucketLifecycleConfiguration`; `CloudFormation` template
//! reference, `AWS::S3::Bucket LifecycleConfiguration`.

mod actions;
mod dialect;
mod json;
mod names;
mod place;
mod rules;
#[cfg(test)]
mod tests;
mod tree;
mod xml;
mod yaml;

use std::fmt;

pub use dialect::Dialect;
pub use place::Place;

use super::configuration::{Configuration, MinimumSize};
use place::Places;
use rules::Reading;
use tree::Element;

/// Bytes of a file that are read; S3 itself takes far less.
pub const MAX_BYTES: usize = 16 << 20;
/// Elements within elements, objects and lists within each other.
const MAX_DEPTH: usize = 64;
/// Elements or values of a document: more make no configuration and would only take memory.
const MAX_ELEMENTS: usize = 1_000_000;
/// Actions of a rule. S3 takes one of each kind and class, 15 in all; verdicts of very many would take hours.
const MAX_ACTIONS: usize = 100;

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// A rule of [`Form::Unread`] is not enabled here, whatever its Status: it takes part in no analysis.
    pub configuration: Configuration,
    pub dialect: Dialect,
    /// One for each rule.
    pub forms: Vec<Form>,
    /// `None` where the file does not say it, or not in a word that S3 knows.
    pub minimum_size: Option<MinimumSize>,
    /// In the order of the file.
    pub remarks: Vec<Remark>,
}

/// How a rule was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    #[default]
    Filter,
    /// With the rule-level `Prefix` of the old schema in place of a `Filter`.
    Prefix,
    /// Something in it could not be read, see [`RemarkKind::Unreadable`].
    Unread,
}

/// What was read, and S3 would refuse or bucketlens does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub place: Place,
    /// The rule's position in the configuration.
    pub rule: Option<usize>,
    pub kind: RemarkKind,
    pub code: Option<Code>,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemarkKind {
    /// S3 would refuse it; it can be read all the same.
    Refused,
    /// S3 would refuse it, and what the rule would do cannot be read.
    Unreadable,
    /// An element that bucketlens does not know, left out. In a rule it may change what the rule does.
    LeftOut,
    /// S3 takes it, or never sees it, and it does nothing.
    PassedOver,
}

impl RemarkKind {
    /// Whether S3, or the tool whose names the file uses, would refuse the configuration.
    pub fn is_refusal(self) -> bool {
        match self {
            Self::Refused | Self::Unreadable | Self::LeftOut => true,
            Self::PassedOver => false,
        }
    }
}

/// S3's error codes for lifecycle configurations. Source: API reference, "Error responses".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    InvalidArgument,
    InvalidRequest,
    MalformedXml,
}

impl Code {
    /// S3's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "InvalidArgument",
            Self::InvalidRequest => "InvalidRequest",
            Self::MalformedXml => "MalformedXML",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a file is no configuration that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ReadError {
    pub place: Place,
    /// What is wrong, as a fragment that fits after a colon; control characters in what it quotes are escaped.
    pub message: String,
    /// What S3 would answer, where that is known.
    pub code: Option<Code>,
}

/// Something wrong, at a byte.
#[derive(Debug)]
struct Fault {
    at: usize,
    code: Option<Code>,
    message: String,
}

impl Fault {
    /// Some messages quote the file by way of a parser: what a terminal would obey is escaped, what is long is cut.
    fn new(at: usize, code: impl Into<Option<Code>>, message: impl AsRef<str>) -> Self {
        const LONGEST: usize = 400;
        let message = message.as_ref().chars().take(LONGEST).fold(String::new(), |mut message, c| {
            match c {
                '"' | '\'' | '\\' => message.push(c),
                _ => message.extend(c.escape_debug()),
            }
            message
        });
        Self { at, code: code.into(), message }
    }
}

/// A name of the other dialect, in the rule at this position.
struct Foreign {
    rule: usize,
    fault: Fault,
}

fn malformed(element: &Element<'_>, message: impl AsRef<str>) -> Fault {
    Fault::new(element.at, Code::MalformedXml, message)
}

/// The format is recognized by the first character that is not blank.
pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let text = text(bytes).map_err(|fault| Places::new(bytes).error(fault))?;
    document(text).map_err(|fault| Places::new(text.as_bytes()).error(fault))
}

fn text(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(Fault::new(0, None, format!("it is larger than {} MiB", MAX_BYTES >> 20)));
    }
    if bytes.starts_with(b"\xFE\xFF") || bytes.starts_with(b"\xFF\xFE") {
        return Err(Fault::new(0, None, "it is UTF-16, and only UTF-8 is read: save it as UTF-8"));
    }
    let text = str::from_utf8(bytes).map_err(|error| Fault::new(error.valid_up_to(), None, "it is not UTF-8 text"))?;
    Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text))
}

fn document(text: &str) -> Result<Document, Fault> {
    let start = text.len() - text.trim_start().len();
    let reading = match text[start..].chars().next() {
        Some('<') => Reading::new(Dialect::S3Xml, Vec::new(), Vec::new()).read(&xml::parse(text)?)?,
        Some('{' | '[') => translated(&json::parse(text)?)?,
        Some(_) => {
            let yaml = yaml::parse(text)?;
            if !yaml.is_collection() {
                let message = "it is neither XML, which begins with '<', nor JSON, nor a mapping or list in YAML";
                return Err(Fault::new(start, None, message));
            }
            translated(&yaml)?
        }
        None => return Err(Fault::new(0, None, "it is empty")),
    };
    Ok(reading.into_document(&mut Places::new(text.as_bytes())))
}

fn translated(document: &json::Json<'_>) -> Result<Reading, Fault> {
    let names::Translated { root, dialect, foreign, beside } = names::translate(document)?;
    Reading::new(dialect, foreign, beside).read(&root)
}

/// Text of a file for a message: escaped, in quotes, cut where it is long.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
