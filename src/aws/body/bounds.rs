//! How much an answer may hold. Whatever a server sends, an answer costs little memory and little time: what exceeds a
//! bound is no answer.
//!
//! A body is measured while it comes in, before the SDK makes values of it: its length, how many elements or objects it
//! can have at most, and how long a tag is. A body of at most [`SMALL`] bytes is not measured on the way, because it cannot
//! cost much. What the elements are exactly is checked by [`super::xml::walk`].

use aws_smithy_types::body::SdkBody;
use futures::StreamExt;
use http_body_util::{BodyStream, StreamBody};

use super::BodyError;
use crate::model::Operation;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Bytes of a body that is not measured on the way.
const SMALL: u64 = 64 * KIB;

/// Elements within each other. The deepest documented answers have seven: tags in the filter of a replication rule.
pub(crate) const MOST_DEPTH: usize = 16;

/// Bytes of an element's name with its prefix. The longest documented name has 34.
pub(crate) const LONGEST_NAME: usize = 256;

/// Bytes of a tag with its attributes, of a comment or of a processing instruction. S3 sends one attribute, `xmlns`, of
/// 46 bytes; with grants it sends two.
pub(crate) const LONGEST_TAG: usize = 4 * 1024;

/// Attributes of an element.
pub(crate) const MOST_ATTRIBUTES: usize = 16;

/// What one answer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub bytes: u64,
    /// Elements of XML, objects of JSON.
    pub elements: usize,
}

/// Of an error. Gateways send whole pages of HTML with theirs; the errors of AWS have less than 2 KiB.
const ERROR: Bounds = Bounds { bytes: MIB, elements: 1000 };

/// A few words. Credentials are the longest: session tokens have some KiB.
const SHORT: Bounds = Bounds { bytes: SMALL, elements: 1000 };

/// S3 takes 50 tags, each with a key of 128 and a value of 256 characters, which XML may write with six bytes each.
const TAGS: Bounds = Bounds { bytes: 256 * KIB, elements: 10_000 };

/// S3 takes policies of 20 KiB.
const POLICY: Bounds = Bounds { bytes: MIB, elements: 100_000 };

/// S3 takes 1000 rules, each with a prefix of 1024 characters and tags.
pub(crate) const RULES: Bounds = Bounds { bytes: 16 * MIB, elements: 100_000 };

/// A page has 1000 entries; other servers send all they have at once, for which this is room for 200,000.
pub(crate) const LIST: Bounds = Bounds { bytes: 32 * MIB, elements: 1_000_000 };

/// A page of Organizations has 20 entries of about 1 KiB.
const PAGE: Bounds = Bounds { bytes: MIB, elements: 1000 };

impl Bounds {
    pub fn of_error() -> Self {
        ERROR
    }

    /// Of an answer to the operation that is no error.
    pub fn of(operation: Operation) -> Self {
        match operation {
            Operation::GetCallerIdentity
            | Operation::AssumeRole
            | Operation::HeadBucket
            | Operation::GetBucketLocation
            | Operation::GetBucketVersioning
            | Operation::GetObjectLockConfiguration
            | Operation::GetBucketEncryption
            | Operation::GetBucketOwnershipControls
            | Operation::GetBucketAccelerateConfiguration
            | Operation::PutBucketVersioning => SHORT,
            Operation::GetBucketTagging => TAGS,
            Operation::GetBucketPolicy => POLICY,
            Operation::GetBucketLifecycleConfiguration
            | Operation::GetBucketReplication
            | Operation::GetBucketNotificationConfiguration => RULES,
            Operation::ListBuckets | Operation::ListDirectoryBuckets | Operation::ListObjectsV2 => LIST,
            Operation::ListAccounts
            | Operation::ListRoots
            | Operation::ListOrganizationalUnitsForParent
            | Operation::ListAccountsForParent
            | Operation::ListTagsForResource => PAGE,
            // Its body is a stream, whose reader bounds it.
            Operation::GetObject => Bounds { bytes: u64::MAX, elements: usize::MAX },
        }
    }

    fn too_long(self) -> BodyError {
        BodyError::TooLong { kib: self.bytes / KIB }
    }
}

/// What begins an element or an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Xml,
    Json,
    /// Only the length counts: the SDK makes nothing of the rest.
    Other,
}

/// The same body, which ends with an error where it exceeds the bounds. `announced`: its length, where the server says it.
pub(super) fn bounded(
    body: SdkBody,
    announced: Option<u64>,
    bounds: Bounds,
    syntax: Syntax,
) -> Result<SdkBody, BodyError> {
    match announced {
        Some(length) if length > bounds.bytes => return Err(bounds.too_long()),
        Some(length) if length <= SMALL => return Ok(body),
        Some(_) | None => {}
    }
    let mut meter = Meter { bounds, syntax, bytes: 0, marks: 0, open: None };
    let frames = BodyStream::new(body).map(move |frame| {
        let frame = frame?;
        if let Some(piece) = frame.data_ref() {
            meter.add(piece)?;
        }
        Ok::<_, aws_smithy_types::body::Error>(frame)
    });
    Ok(SdkBody::from_body_1_x(StreamBody::new(frames)))
}

/// What came so far of a body.
struct Meter {
    bounds: Bounds,
    syntax: Syntax,
    bytes: u64,
    /// Tags or objects that began.
    marks: usize,
    /// How many bytes came of a tag that did not end yet.
    open: Option<usize>,
}

impl Meter {
    fn add(&mut self, piece: &[u8]) -> Result<(), BodyError> {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.bytes > self.bounds.bytes {
            return Err(self.bounds.too_long());
        }
        match self.syntax {
            Syntax::Xml => self.tags(piece),
            Syntax::Json => self.begun(objects(piece), self.bounds.elements),
            Syntax::Other => Ok(()),
        }
    }

    fn begun(&mut self, marks: usize, most: usize) -> Result<(), BodyError> {
        self.marks += marks;
        if self.marks > most { Err(too_many(self.bounds.elements)) } else { Ok(()) }
    }

    fn tags(&mut self, piece: &[u8]) -> Result<(), BodyError> {
        let mut marks = 0;
        for byte in piece {
            self.open = match (byte, self.open) {
                (b'<', _) => {
                    marks += 1;
                    Some(0)
                }
                (b'>', _) | (_, None) => None,
                (_, Some(LONGEST_TAG..)) => return Err(tag_too_long()),
                (_, Some(length)) => Some(length + 1),
            };
        }
        // Most elements have two tags; a declaration and comments are none.
        self.begun(marks, self.bounds.elements.saturating_mul(2).saturating_add(100))
    }
}

/// Braces that open, those in texts among them.
fn objects(piece: &[u8]) -> usize {
    piece.split(|byte| *byte == b'{').count() - 1
}

pub(super) fn too_many(elements: usize) -> BodyError {
    BodyError::TooMuch(format!("more than {elements} elements"))
}

pub(super) fn tag_too_long() -> BodyError {
    BodyError::TooMuch(format!("a tag or comment of more than {LONGEST_TAG} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a body in pieces of this length.
    fn measured(body: &str, pieces: usize, bounds: Bounds, syntax: Syntax) -> Result<(), String> {
        let mut meter = Meter { bounds, syntax, bytes: 0, marks: 0, open: None };
        let mut pieces = body.as_bytes().chunks(pieces);
        let measured = pieces.try_for_each(|piece| meter.add(piece));
        measured.map_err(|error| error.to_string())
    }

    #[test]
    fn each_bound_holds_however_the_body_comes_in() {
        let few = Bounds { bytes: 100_000, elements: 10 };
        let tag = |length: usize| format!("<a {}/>", "b".repeat(length));
        for pieces in [1, 7, 4096, 1_000_000] {
            let xml = |body: &str| measured(body, pieces, few, Syntax::Xml);
            assert_eq!(xml(&"<a></a>".repeat(10)), Ok(()));
            assert_eq!(xml(&"<a></a>".repeat(61)), Err("the answer has more than 10 elements".to_owned()));
            assert_eq!(xml(&" ".repeat(100_000)), Ok(()));
            assert_eq!(xml(&" ".repeat(100_001)), Err("the answer is longer than 97 KiB".to_owned()));
            assert_eq!(xml(&tag(LONGEST_TAG - 10).repeat(3)), Ok(()));
            let long = "the answer has a tag or comment of more than 4096 bytes";
            assert_eq!(xml(&tag(LONGEST_TAG)), Err(long.to_owned()));
            assert_eq!(xml(&format!("<{}", "a".repeat(LONGEST_TAG + 1))), Err(long.to_owned()), "it never ends");
            let json = |body: &str| measured(body, pieces, few, Syntax::Json);
            assert_eq!(json(&"{}".repeat(10)), Ok(()));
            assert_eq!(json(&"{}".repeat(11)), Err("the answer has more than 10 elements".to_owned()));
            assert_eq!(measured(&"<{".repeat(100), pieces, few, Syntax::Other), Ok(()));
        }
    }
}
