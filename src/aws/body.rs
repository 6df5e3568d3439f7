//! No answer is believed before its raw body was checked.
//!
//! The SDK checks only the root element's name and skips what its tokenizer stumbles over: it reads a cut
//! `<VersioningConfiguration><Status>Enabled</Status>` as "MFA delete never configured" and a cut page of `ListBuckets`
//! as an account with fewer buckets. [`Guard`] is part of every client: an answer whose body is not well-formed, not
//! closed, or another document becomes a failure.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use http_body_util::Limited;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Cut or garbled on the way: another try may bring it whole.
    #[error("the answer's body is cut or not well-formed ({0})")]
    Broken(String),
    /// Whole, but not the document that AWS documents for the operation: another try will not help.
    #[error("the answer is a {found:?} document where {expected:?} is documented")]
    OtherDocument { found: String, expected: &'static str },
    /// The document, with a deciding element misspelt, misplaced or there twice.
    #[error("the answer's element {0} is not where or as often as documented")]
    Undocumented(String),
    /// More than any such answer can hold.
    #[error("the answer is longer than {0} MiB")]
    TooLong(u64),
}

/// The interceptor that checks bodies and counts requests.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    requests: Arc<AtomicU64>,
}

impl Guard {
    /// HTTP requests sent by the clients that have this guard or a clone of it.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "bucketlens-guard"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = cfg.load::<Metadata>().map_or("", Metadata::name);
        // An error in place of an object is as short as any.
        if matches!(documented_body(operation), Body::Stream) && context.response().status().is_success() {
            return Ok(());
        }
        let mib = longest_body(operation);
        let limit = mib * 1024 * 1024;
        let response = context.response_mut();
        let announced = response.headers().get("content-length").and_then(|length| length.parse::<u64>().ok());
        match announced {
            Some(length) if length > limit => Err(BodyError::TooLong(mib).into()),
            Some(_) => Ok(()),
            // Chunked: it may never end.
            None => {
                let body = response.take_body();
                let limited = Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX));
                *response.body_mut() = SdkBody::from_body_1_x(limited);
                Ok(())
            }
        }
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if !response.status().is_success() {
            return Ok(()); // `failure` reads error bodies, as strictly
        }
        let operation = cfg.load::<Metadata>().map_or("", Metadata::name);
        if matches!(documented_body(operation), Body::Stream) {
            return Ok(());
        }
        let Some(body) = response.body().bytes() else {
            // It broke off while it was read, and the SDK says why; without a body nothing is believed.
            let read = context.output_or_error().is_ok();
            return if read { Err(BodyError::Broken("it was not read".to_owned()).into()) } else { Ok(()) };
        };
        match documented_body(operation) {
            Body::None | Body::Stream => Ok(()),
            Body::Json => check_json(body).map_err(Into::into),
            Body::JsonObject => check_json_object(body).map_err(Into::into),
            // S3 can send an error with status 200; the SDK has made it one, and `failure` reads it.
            Body::Xml(_) if error_body(body).is_some() => Ok(()),
            Body::Xml(root) => check_xml(body, root).map_err(Into::into),
        }
    }
}

/// Keeps the body of a whole answer, for what the SDK's types do not hold. One for each call.
#[derive(Debug, Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// Empty where no whole answer came.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Kept {
    fn name(&self) -> &'static str {
        "bucketlens-kept"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

/// MiB that an answer may have: a list without pages of a server with a hundred thousand buckets, a configuration of
/// the longest rules.
pub(super) fn longest_body(operation: &str) -> u64 {
    match operation {
        "ListBuckets" => 64,
        _ => 16,
    }
}

enum Body {
    None,
    /// Of any content and length; who reads it has its MD5.
    Stream,
    Json,
    /// A bucket policy.
    JsonObject,
    /// With the root element's local name.
    Xml(&'static str),
}

/// Source: the API reference of each operation ("Response Syntax").
fn documented_body(operation: &str) -> Body {
    match operation {
        "HeadBucket" | "PutBucketVersioning" => Body::None,
        "GetObject" => Body::Stream,
        "ListObjectsV2" => Body::Xml("ListBucketResult"),
        "ListBuckets" => Body::Xml("ListAllMyBucketsResult"),
        "ListDirectoryBuckets" => Body::Xml("ListAllMyDirectoryBucketsResult"),
        "GetBucketVersioning" => Body::Xml("VersioningConfiguration"),
        "GetBucketLifecycleConfiguration" => Body::Xml("LifecycleConfiguration"),
        "GetBucketLocation" => Body::Xml("LocationConstraint"),
        "GetBucketPolicy" => Body::JsonObject,
        "GetObjectLockConfiguration" => Body::Xml("ObjectLockConfiguration"),
        "GetBucketReplication" => Body::Xml("ReplicationConfiguration"),
        "GetBucketEncryption" => Body::Xml("ServerSideEncryptionConfiguration"),
        "GetBucketOwnershipControls" => Body::Xml("OwnershipControls"),
        "GetBucketAccelerateConfiguration" => Body::Xml("AccelerateConfiguration"),
        "GetBucketNotificationConfiguration" => Body::Xml("NotificationConfiguration"),
        "GetBucketTagging" => Body::Xml("Tagging"),
        "GetCallerIdentity" => Body::Xml("GetCallerIdentityResponse"),
        "AssumeRole" => Body::Xml("AssumeRoleResponse"),
        // Organizations
        _ => Body::Json,
    }
}

fn check_json(body: &[u8]) -> Result<(), BodyError> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body)
        .map(drop)
        .map_err(|error| BodyError::Broken(error.to_string()))
}

fn check_json_object(body: &[u8]) -> Result<(), BodyError> {
    check_json(body)?;
    let other = || BodyError::OtherDocument { found: "JSON".to_owned(), expected: "JSON object" };
    if body.trim_ascii_start().starts_with(b"{") { Ok(()) } else { Err(other()) }
}

/// Well-formed, closed, one root element of this name.
pub fn check_xml(body: &[u8], root: &'static str) -> Result<(), BodyError> {
    let mut met: Vec<String> = Vec::new();
    let mut odd = None;
    let found = walk(body, |path, piece| {
        if matches!(piece, Piece::Text(_)) && decides(path) {
            if !DECIDING.contains(&path) || met.iter().any(|before| before == path) {
                odd.get_or_insert_with(|| path.to_owned());
            }
            met.push(path.to_owned());
        }
    })?;
    match odd {
        _ if found != root => Err(BodyError::OtherDocument { found, expected: root }),
        Some(path) => Err(BodyError::Undocumented(path)),
        None => Ok(()),
    }
}

/// The elements of `VersioningConfiguration` on which everything hangs.
const DECIDING: [&str; 2] = ["/VersioningConfiguration/Status", "/VersioningConfiguration/MfaDelete"];

/// Whether an element goes by one of their names, in whatever case and depth. The SDK passes over a server's
/// `MFADelete`, which would then be "never configured", and takes the last of two that contradict each other.
fn decides(path: &str) -> bool {
    let last = |path: &'static str| path.rsplit('/').next().unwrap_or_default();
    path.starts_with("/VersioningConfiguration/")
        && path.rsplit('/').next().is_some_and(|name| DECIDING.map(last).iter().any(|it| it.eq_ignore_ascii_case(name)))
}

/// What an S3 or STS error body says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: Option<String>,
    pub message: Option<String>,
    /// The bucket's Region, in some wrong-Region answers.
    pub region: Option<String>,
}

/// `None` unless the body is a whole, well-formed error document.
pub fn error_body(body: &[u8]) -> Option<ErrorBody> {
    // Most bodies are none: to see it is much cheaper than to read them.
    if !body.windows(5).any(|letters| letters == b"Error") {
        return None;
    }
    let mut error = ErrorBody::default();
    let root = walk(body, |path, piece| {
        let Piece::Text(text) = piece else { return };
        let field = match path.strip_prefix("/ErrorResponse").unwrap_or(path) {
            "/Error/Code" => &mut error.code,
            "/Error/Message" => &mut error.message,
            "/Error/Region" => &mut error.region,
            _ => return,
        };
        field.get_or_insert_default().push_str(text);
    })
    .ok()?;
    (root == "Error" || root == "ErrorResponse").then_some(error)
}

/// What a document is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Open,
    Text(&'a str),
    Close,
}

/// Reads a whole document, gives every piece with the path of its element (`/Error/Code`), and returns the root
/// element's local name.
pub(super) fn walk(body: &[u8], mut see: impl FnMut(&str, Piece<'_>)) -> Result<String, BodyError> {
    let broken = |why: &str| BodyError::Broken(why.to_owned());
    let body = std::str::from_utf8(body).map_err(|error| BodyError::Broken(error.to_string()))?;
    let mut reader = Reader::from_str(body.strip_prefix('\u{feff}').unwrap_or(body));
    let mut path = String::new();
    let mut root: Option<String> = None;
    loop {
        let event = reader.read_event().map_err(|error| BodyError::Broken(error.to_string()))?;
        let outside = path.is_empty();
        match event {
            Event::Start(element) => {
                enter(&element, outside, &mut root)?;
                path.push('/');
                path.push_str(element.local_name().into_inner());
                see(&path, Piece::Open);
            }
            Event::Empty(element) => {
                enter(&element, outside, &mut root)?;
                let length = path.len();
                path.push('/');
                path.push_str(element.local_name().into_inner());
                see(&path, Piece::Open);
                see(&path, Piece::Close);
                path.truncate(length);
            }
            // quick-xml has compared the names of opening and closing tag
            Event::End(_) => {
                see(&path, Piece::Close);
                path.truncate(path.rfind('/').unwrap_or(0));
            }
            Event::Text(piece) => {
                let piece = piece.xml_content(XmlVersion::Implicit1_0);
                if !outside {
                    see(&path, Piece::Text(&piece));
                } else if !piece.trim().is_empty() {
                    return Err(broken("text outside the root element"));
                }
            }
            Event::CData(_) | Event::GeneralRef(_) if outside => return Err(broken("text outside the root element")),
            Event::CData(piece) => see(&path, Piece::Text(&piece.xml_content(XmlVersion::Implicit1_0))),
            Event::GeneralRef(reference) => see(&path, Piece::Text(&resolve(&reference)?)),
            Event::DocType(_) => return Err(broken("a document type")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if !outside => return Err(broken("it ends inside an element")),
            Event::Eof => return root.ok_or_else(|| broken("it is empty")),
        }
    }
}

fn enter(element: &BytesStart<'_>, outside: bool, root: &mut Option<String>) -> Result<(), BodyError> {
    for attribute in element.attributes() {
        attribute.map_err(|error| BodyError::Broken(error.to_string()))?;
    }
    match root {
        Some(_) if outside => Err(BodyError::Broken("a second root element".to_owned())),
        Some(_) => Ok(()),
        None => {
            *root = Some(element.local_name().into_inner().to_owned());
            Ok(())
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, BodyError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => resolve_xml_entity(reference)
            .map(str::to_owned)
            .ok_or_else(|| BodyError::Broken("an unknown entity".to_owned())),
        Err(error) => Err(BodyError::Broken(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONING: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"#;

    #[test]
    fn a_whole_document_passes() {
        assert_eq!(check_xml(VERSIONING.as_bytes(), "VersioningConfiguration"), Ok(()));
        assert_eq!(check_xml(b"<VersioningConfiguration/>\n", "VersioningConfiguration"), Ok(()));
        assert_eq!(check_xml(b"<s3:VersioningConfiguration xmlns:s3='x'/>", "VersioningConfiguration"), Ok(()));
    }

    #[test]
    fn a_document_cut_anywhere_does_not() {
        for end in 0..VERSIONING.len() {
            let cut = check_xml(&VERSIONING.as_bytes()[..end], "VersioningConfiguration");
            assert!(matches!(cut, Err(BodyError::Broken(_))), "cut at {end}: {cut:?}");
        }
    }

    #[test]
    fn another_document_does_not() {
        let moto = check_xml(b"<GetBucketVersioningResponse/>", "VersioningConfiguration");
        assert!(matches!(moto, Err(BodyError::OtherDocument { .. })), "{moto:?}");
    }

    #[test]
    fn a_policy_is_a_json_object() {
        assert_eq!(check_json_object(b" {\"Statement\": []}\n"), Ok(()));
        for other in ["[]", "\"{}\"", "null", "7"] {
            let checked = check_json_object(other.as_bytes());
            assert!(matches!(checked, Err(BodyError::OtherDocument { .. })), "{other}: {checked:?}");
        }
        for broken in ["", "{", "{\"Statement\": [}", "{}{}", "<Policy/>"] {
            let checked = check_json_object(broken.as_bytes());
            assert!(matches!(checked, Err(BodyError::Broken(_))), "{broken}: {checked:?}");
        }
    }

    #[test]
    fn elements_that_decide_stand_where_they_are_documented_and_once() {
        let checked = |inside: &str| {
            let body = format!("<VersioningConfiguration>{inside}</VersioningConfiguration>");
            check_xml(body.as_bytes(), "VersioningConfiguration")
        };
        assert_eq!(checked("<Status>Enabled</Status><ExcludeFolders>true</ExcludeFolders>"), Ok(()));
        for odd in [
            "<Status>Enabled</Status><MFADelete>Enabled</MFADelete>",
            "<status>Enabled</status>",
            "<Status>Suspended</Status><Status>Enabled</Status>",
            "<MfaDelete>Disabled</MfaDelete><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>",
            "<X><Status>Enabled</Status></X>",
        ] {
            assert!(matches!(checked(odd), Err(BodyError::Undocumented(_))), "{odd}");
        }
    }

    #[test]
    fn nonsense_does_not() {
        for nonsense in [
            "",
            "   ",
            "Enabled",
            "<A/><A/>",
            "<A></B>",
            "<A/>x",
            "x<A/>",
            "<A>&nonsense;</A>",
            "<A b=c/>",
            "<A",
            "<!DOCTYPE A><A/>",
            "<A/>&amp;",
            "<A b='1' b='2'/>",
            "<A/></A>",
            "{}",
        ] {
            let checked = check_xml(nonsense.as_bytes(), "A");
            assert!(matches!(checked, Err(BodyError::Broken(_))), "{nonsense:?}: {checked:?}");
        }
        assert!(check_xml(b"<A>\xff</A>", "A").is_err());
    }

    #[test]
    fn error_bodies_of_s3_and_sts_are_read() {
        let s3 = b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>a &amp; b</Message><Region>eu-west-1</Region></Error>";
        let read = error_body(s3).expect("whole");
        assert_eq!(read.code.as_deref(), Some("AuthorizationHeaderMalformed"));
        assert_eq!(read.message.as_deref(), Some("a & b"));
        assert_eq!(read.region.as_deref(), Some("eu-west-1"));
        let sts =
            b"<ErrorResponse xmlns='x'><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>";
        assert_eq!(error_body(sts).expect("whole").code.as_deref(), Some("AccessDenied"));
        for end in 0..s3.len() {
            assert_eq!(error_body(&s3[..end]), None, "cut at {end}");
        }
        assert_eq!(error_body(b"<html><Code>NoSuchBucket</Code></html>"), None);
    }
}
