//! No answer is believed before its raw body was checked.
//!
//! The SDK checks only the root element's name and skips what its tokenizer stumbles over: it reads a cut
//! `<VersioningConfiguration><Status>Enabled</Status>` as "MFA delete never configured" and a cut page of `ListBuckets`
//! as an account with fewer buckets. [`Guard`] is part of every client: an answer whose body is not well-formed, not
//! closed, another document, or more than such an answer can be ([`bounds`]) becomes a failure.

pub(super) mod bounds;
mod json;
mod xml;

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
use aws_smithy_types::config_bag::ConfigBag;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NoSuchWord;

use self::bounds::{Bounds, Syntax, bounded};
use self::json::{check_json, check_json_object};
pub use self::xml::{ErrorBody, check_xml, error_body};
pub(super) use self::xml::{Piece, walk};
use super::secrets;
use crate::model::Operation;

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
    /// A list whose rest cannot be asked for.
    #[error("the answer says that the list goes on ({0}), but not where")]
    GoesOn(String),
    /// More than any such answer can hold.
    #[error("the answer is longer than {}", size(*.kib))]
    TooLong { kib: u64 },
    #[error("the answer has {0}")]
    TooMuch(String),
    /// A server that repeats what it was told in confidence: to show the answer would be to tell it.
    #[error("the answer repeats credentials, so nothing of it is kept")]
    Indiscreet,
}

fn size(kib: u64) -> String {
    if kib >= 1024 && kib.is_multiple_of(1024) { format!("{} MiB", kib / 1024) } else { format!("{kib} KiB") }
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
        let operation = operation(cfg)?;
        let is_error = !context.response().status().is_success();
        let (bounds, syntax) = match documented_body(operation) {
            // The answer to a HEAD says how long a body would be that it does not have.
            Body::None if operation == Operation::HeadBucket => return Ok(()),
            // An error in place of an object is as short as any.
            Body::Stream if !is_error => return Ok(()),
            _ if is_error => (Bounds::of_error(), Syntax::Other),
            Body::None | Body::Stream | Body::JsonObject => (Bounds::of(operation), Syntax::Other),
            Body::Json => (Bounds::of(operation), Syntax::Json),
            Body::Xml(_) => (Bounds::of(operation), Syntax::Xml),
        };
        let response = context.response_mut();
        let announced = response.headers().get("content-length").and_then(|length| length.parse::<u64>().ok());
        let body = bounded(response.take_body(), announced, bounds, syntax)?;
        *response.body_mut() = body;
        Ok(())
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
        let operation = operation(cfg)?;
        if matches!(documented_body(operation), Body::Stream) {
            return Ok(());
        }
        let Some(body) = response.body().bytes() else {
            // It broke off while it was read, and the SDK says why; without a body nothing is believed.
            let read = context.output_or_error().is_ok();
            return if read { Err(BodyError::Broken("it was not read".to_owned()).into()) } else { Ok(()) };
        };
        let documented = documented_body(operation);
        // S3 can send an error with status 200; the SDK has made it one, and `failure` reads it.
        if matches!(documented, Body::Xml(_)) && error_body(body).is_some() {
            return Ok(());
        }
        let region = response.headers().get("x-amz-bucket-region").unwrap_or_default();
        if secrets::are_repeated(operation, body) || secrets::are_in(region) {
            return Err(BodyError::Indiscreet.into());
        }
        match documented {
            Body::None | Body::Stream => Ok(()),
            Body::Json => check_json(body).map_err(Into::into),
            Body::JsonObject => check_json_object(body).map_err(Into::into),
            Body::Xml(root) => check_xml(body, root, Bounds::of(operation).elements).map_err(Into::into),
        }
    }
}

/// Which operation is answered, by the SDK's name of it.
fn operation(cfg: &ConfigBag) -> Result<Operation, BoxError> {
    let name = cfg.load::<Metadata>().map_or("", Metadata::name);
    Ok(Operation::deserialize(IntoDeserializer::<NoSuchWord>::into_deserializer(name))?)
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
fn documented_body(operation: Operation) -> Body {
    match operation {
        Operation::HeadBucket | Operation::PutBucketVersioning => Body::None,
        Operation::GetObject => Body::Stream,
        Operation::ListObjectsV2 => Body::Xml("ListBucketResult"),
        Operation::ListBuckets => Body::Xml("ListAllMyBucketsResult"),
        Operation::ListDirectoryBuckets => Body::Xml("ListAllMyDirectoryBucketsResult"),
        Operation::GetBucketVersioning => Body::Xml("VersioningConfiguration"),
        Operation::GetBucketLifecycleConfiguration => Body::Xml("LifecycleConfiguration"),
        Operation::GetBucketLocation => Body::Xml("LocationConstraint"),
        Operation::GetBucketPolicy => Body::JsonObject,
        Operation::GetObjectLockConfiguration => Body::Xml("ObjectLockConfiguration"),
        Operation::GetBucketReplication => Body::Xml("ReplicationConfiguration"),
        Operation::GetBucketEncryption => Body::Xml("ServerSideEncryptionConfiguration"),
        Operation::GetBucketOwnershipControls => Body::Xml("OwnershipControls"),
        Operation::GetBucketAccelerateConfiguration => Body::Xml("AccelerateConfiguration"),
        Operation::GetBucketNotificationConfiguration => Body::Xml("NotificationConfiguration"),
        Operation::GetBucketTagging => Body::Xml("Tagging"),
        Operation::GetCallerIdentity => Body::Xml("GetCallerIdentityResponse"),
        Operation::AssumeRole => Body::Xml("AssumeRoleResponse"),
        Operation::ListAccounts
        | Operation::ListRoots
        | Operation::ListOrganizationalUnitsForParent
        | Operation::ListAccountsForParent
        | Operation::ListTagsForResource => Body::Json,
    }
}
