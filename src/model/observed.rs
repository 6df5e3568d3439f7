use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A value that was read, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    Known(T),
    /// Shared: in an account that denies everything thousands of facts have one reason.
    Unknown(Arc<Reason>),
}

/// An [`Observed`] and when the answer came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<T> {
    pub at: Timestamp,
    #[serde(flatten)]
    pub observed: Observed<T>,
}

impl<T> Fact<T> {
    pub fn known(&self) -> Option<&T> {
        match &self.observed {
            Observed::Known(value) => Some(value),
            Observed::Unknown(_) => None,
        }
    }

    pub fn reason(&self) -> Option<&Arc<Reason>> {
        match &self.observed {
            Observed::Known(_) => None,
            Observed::Unknown(reason) => Some(reason),
        }
    }
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    pub operation: Operation,
    pub class: ErrorClass,
    /// The service's error code, where it sent one.
    pub code: Option<String>,
    pub http_status: Option<u16>,
    /// `x-amz-request-id` (S3) or `x-amzn-requestid`.
    pub request_id: Option<String>,
    /// The service's words, or ours where no answer came.
    pub message: String,
}

/// What a failure means for the fact it was to give.
///
/// Source: Amazon S3 API reference, "Error responses".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// AWS refused; asking again will not help.
    Denied,
    /// The bucket is in another Region than we found out.
    WrongRegion,
    /// The credentials are missing, expired, unknown, or the clock is off.
    Credentials,
    /// AWS asked us to slow down, and went on doing so.
    Throttled,
    /// No answer (refused, reset, timed out, name not found), or a server error.
    Unavailable,
    /// An answer that cannot be believed: cut, not well-formed, another document, or a value that is not documented.
    Malformed,
    /// The server does not do this operation.
    Unsupported,
    /// AWS calls our request wrong.
    Rejected,
    /// Nobody was asked, or the answer was not waited for: the run was interrupted.
    Interrupted,
}

impl ErrorClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::WrongRegion => "wrong_region",
            Self::Credentials => "credentials",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Rejected => "rejected",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The calls bucketlens makes. All of them read but `PutBucketVersioning`, which only `bucketlens mfa-delete` sends;
/// `ListObjectsV2` and `GetObject` read exports of Storage Lens, for `bucketlens storage-lens` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    GetCallerIdentity,
    AssumeRole,
    ListAccounts,
    ListRoots,
    ListOrganizationalUnitsForParent,
    ListAccountsForParent,
    ListTagsForResource,
    ListBuckets,
    ListDirectoryBuckets,
    HeadBucket,
    GetBucketLocation,
    GetBucketVersioning,
    GetBucketLifecycleConfiguration,
    GetBucketPolicy,
    GetObjectLockConfiguration,
    GetBucketReplication,
    GetBucketEncryption,
    GetBucketOwnershipControls,
    GetBucketAccelerateConfiguration,
    GetBucketNotificationConfiguration,
    GetBucketTagging,
    ListObjectsV2,
    GetObject,
    PutBucketVersioning,
}

impl Operation {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::AssumeRole => "AssumeRole",
            Self::ListAccounts => "ListAccounts",
            Self::ListRoots => "ListRoots",
            Self::ListOrganizationalUnitsForParent => "ListOrganizationalUnitsForParent",
            Self::ListAccountsForParent => "ListAccountsForParent",
            Self::ListTagsForResource => "ListTagsForResource",
            Self::ListBuckets => "ListBuckets",
            Self::ListDirectoryBuckets => "ListDirectoryBuckets",
            Self::HeadBucket => "HeadBucket",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::GetBucketVersioning => "GetBucketVersioning",
            Self::GetBucketLifecycleConfiguration => "GetBucketLifecycleConfiguration",
            Self::GetBucketPolicy => "GetBucketPolicy",
            Self::GetObjectLockConfiguration => "GetObjectLockConfiguration",
            Self::GetBucketReplication => "GetBucketReplication",
            Self::GetBucketEncryption => "GetBucketEncryption",
            Self::GetBucketOwnershipControls => "GetBucketOwnershipControls",
            Self::GetBucketAccelerateConfiguration => "GetBucketAccelerateConfiguration",
            Self::GetBucketNotificationConfiguration => "GetBucketNotificationConfiguration",
            Self::GetBucketTagging => "GetBucketTagging",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::GetObject => "GetObject",
            Self::PutBucketVersioning => "PutBucketVersioning",
        }
    }

    /// Whether AWS Organizations answers it; the others are answered by S3 and STS.
    pub fn is_of_organizations(self) -> bool {
        match self {
            Self::ListAccounts
            | Self::ListRoots
            | Self::ListOrganizationalUnitsForParent
            | Self::ListAccountsForParent
            | Self::ListTagsForResource => true,
            Self::GetCallerIdentity
            | Self::AssumeRole
            | Self::ListBuckets
            | Self::ListDirectoryBuckets
            | Self::HeadBucket
            | Self::GetBucketLocation
            | Self::GetBucketVersioning
            | Self::GetBucketLifecycleConfiguration
            | Self::GetBucketPolicy
            | Self::GetObjectLockConfiguration
            | Self::GetBucketReplication
            | Self::GetBucketEncryption
            | Self::GetBucketOwnershipControls
            | Self::GetBucketAccelerateConfiguration
            | Self::GetBucketNotificationConfiguration
            | Self::GetBucketTagging
            | Self::ListObjectsV2
            | Self::GetObject
            | Self::PutBucketVersioning => false,
        }
    }

    /// The IAM action that allows it; none for calls that need no permission.
    ///
    /// Sources: S3 user guide, "Required permissions for Amazon S3 API operations"; S3 API reference,
    /// `ListDirectoryBuckets`.
    pub fn action(self) -> Option<&'static str> {
        match self {
            Self::GetCallerIdentity => None,
            Self::AssumeRole => Some("sts:AssumeRole"),
            Self::ListAccounts => Some("organizations:ListAccounts"),
            Self::ListRoots => Some("organizations:ListRoots"),
            Self::ListOrganizationalUnitsForParent => Some("organizations:ListOrganizationalUnitsForParent"),
            Self::ListAccountsForParent => Some("organizations:ListAccountsForParent"),
            Self::ListTagsForResource => Some("organizations:ListTagsForResource"),
            Self::ListBuckets => Some("s3:ListAllMyBuckets"),
            Self::ListDirectoryBuckets => Some("s3express:ListAllMyDirectoryBuckets"),
            Self::HeadBucket | Self::ListObjectsV2 => Some("s3:ListBucket"),
            Self::GetBucketLocation => Some("s3:GetBucketLocation"),
            Self::GetBucketVersioning => Some("s3:GetBucketVersioning"),
            Self::GetBucketLifecycleConfiguration => Some("s3:GetLifecycleConfiguration"),
            Self::GetBucketPolicy => Some("s3:GetBucketPolicy"),
            Self::GetObjectLockConfiguration => Some("s3:GetBucketObjectLockConfiguration"),
            Self::GetBucketReplication => Some("s3:GetReplicationConfiguration"),
            Self::GetBucketEncryption => Some("s3:GetEncryptionConfiguration"),
            Self::GetBucketOwnershipControls => Some("s3:GetBucketOwnershipControls"),
            Self::GetBucketAccelerateConfiguration => Some("s3:GetAccelerateConfiguration"),
            Self::GetBucketNotificationConfiguration => Some("s3:GetBucketNotification"),
            Self::GetBucketTagging => Some("s3:GetBucketTagging"),
            Self::GetObject => Some("s3:GetObject"),
            Self::PutBucketVersioning => Some("s3:PutBucketVersioning"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// In which kind of policy the Deny is that keeps a caller out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deny {
    /// Of a bucket its own.
    ResourceBasedPolicy,
    OtherPolicy,
}

/// `GetBucketVersioning denied (AccessDenied, HTTP 403, request 4442587FB7D0A2F9)`: short enough for a cell; the
/// service's words follow in the evidence.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.class.as_str())?;
        let status = self.http_status.map(|status| format!("HTTP {status}"));
        let request = self.request_id.as_ref().map(|id| format!("request {id}"));
        let known: Vec<String> = [self.code.clone(), status, request].into_iter().flatten().collect();
        if known.is_empty() { Ok(()) } else { write!(f, " ({})", known.join(", ")) }
    }
}

impl Reason {
    /// What was not asked, or not waited for, because the run was told to stop.
    pub fn interrupted(operation: Operation) -> Self {
        Self {
            operation,
            class: ErrorClass::Interrupted,
            code: None,
            http_status: None,
            request_id: None,
            message: "the run was interrupted".to_owned(),
        }
    }

    /// Which Deny the service's words name; `None` where it denied nothing, or says nothing of a Deny.
    ///
    /// Source: IAM user guide, "Troubleshoot access denied error messages".
    pub fn deny(&self) -> Option<Deny> {
        let message = self.message.to_ascii_lowercase();
        if self.class != ErrorClass::Denied || !message.contains("with an explicit deny") {
            return None;
        }
        let is_of_bucket = message.contains("with an explicit deny in a resource-based policy");
        Some(if is_of_bucket { Deny::ResourceBasedPolicy } else { Deny::OtherPolicy })
    }

    /// The permission whose absence may be why: no permission helps against a Deny.
    pub fn needs(&self) -> Option<&'static str> {
        let is_unsaid = self.class == ErrorClass::Denied && self.deny().is_none();
        self.operation.action().filter(|_| is_unsaid)
    }

    /// The reason in one sentence, with the service's words.
    pub fn sentence(&self) -> String {
        if self.message.is_empty() { self.to_string() } else { format!("{self}: {}", self.message) }
    }
}
