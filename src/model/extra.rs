//! Facts that are read only where they were asked for: one more request a bucket each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AccountId, Fact, Observed, Operation, Reason, Timestamp};

/// What can be read of a bucket beside versioning and lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    Policy,
    ObjectLock,
    Replication,
    Encryption,
    Ownership,
    Acceleration,
    Notification,
    Tags,
}

impl Extra {
    pub const ALL: [Self; 8] = [
        Self::Policy,
        Self::ObjectLock,
        Self::Replication,
        Self::Encryption,
        Self::Ownership,
        Self::Acceleration,
        Self::Notification,
        Self::Tags,
    ];

    /// The call that reads it.
    pub fn operation(self) -> Operation {
        match self {
            Self::Policy => Operation::GetBucketPolicy,
            Self::ObjectLock => Operation::GetObjectLockConfiguration,
            Self::Replication => Operation::GetBucketReplication,
            Self::Encryption => Operation::GetBucketEncryption,
            Self::Ownership => Operation::GetBucketOwnershipControls,
            Self::Acceleration => Operation::GetBucketAccelerateConfiguration,
            Self::Notification => Operation::GetBucketNotificationConfiguration,
            Self::Tags => Operation::GetBucketTagging,
        }
    }
}

/// What was read beside versioning and lifecycle; `None` is what nobody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Fact<BucketPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_lock: Option<Fact<ObjectLock>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<Fact<Replication>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Fact<Encryption>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Fact<ObjectOwnership>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acceleration: Option<Fact<Acceleration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification: Option<Fact<Notification>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Fact<Tags>>,
}

impl Extras {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why some of them are unknown, in the order of [`Extra::ALL`].
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        fn of<T>(fact: Option<&Fact<T>>) -> Option<&Reason> {
            fact.and_then(Fact::reason).map(AsRef::as_ref)
        }
        [
            of(self.policy.as_ref()),
            of(self.object_lock.as_ref()),
            of(self.replication.as_ref()),
            of(self.encryption.as_ref()),
            of(self.ownership.as_ref()),
            of(self.acceleration.as_ref()),
            of(self.notification.as_ref()),
            of(self.tags.as_ref()),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether it was asked for, known or not.
    pub fn has(&self, extra: Extra) -> bool {
        match extra {
            Extra::Policy => self.policy.is_some(),
            Extra::ObjectLock => self.object_lock.is_some(),
            Extra::Replication => self.replication.is_some(),
            Extra::Encryption => self.encryption.is_some(),
            Extra::Ownership => self.ownership.is_some(),
            Extra::Acceleration => self.acceleration.is_some(),
            Extra::Notification => self.notification.is_some(),
            Extra::Tags => self.tags.is_some(),
        }
    }

    /// As if it had not been asked for yet.
    pub fn forget(&mut self, extra: Extra) {
        match extra {
            Extra::Policy => self.policy = None,
            Extra::ObjectLock => self.object_lock = None,
            Extra::Replication => self.replication = None,
            Extra::Encryption => self.encryption = None,
            Extra::Ownership => self.ownership = None,
            Extra::Acceleration => self.acceleration = None,
            Extra::Notification => self.notification = None,
            Extra::Tags => self.tags = None,
        }
    }

    /// All of these unknown, because the run was told to stop before.
    pub fn interrupted(wanted: impl IntoIterator<Item = Extra>, at: Timestamp) -> Self {
        Self::unknown(wanted, at, |operation| Arc::new(Reason::interrupted(operation)))
    }

    /// All of these unknown. `why`: by the operation that would have read it.
    pub fn unknown(
        wanted: impl IntoIterator<Item = Extra>,
        at: Timestamp,
        why: impl Fn(Operation) -> Arc<Reason>,
    ) -> Self {
        fn fact<T>(at: Timestamp, reason: Arc<Reason>) -> Fact<T> {
            Fact { at, observed: Observed::Unknown(reason) }
        }
        let mut extras = Self::default();
        for extra in wanted {
            let reason = why(extra.operation());
            match extra {
                Extra::Policy => extras.policy = Some(fact(at, reason)),
                Extra::ObjectLock => extras.object_lock = Some(fact(at, reason)),
                Extra::Replication => extras.replication = Some(fact(at, reason)),
                Extra::Encryption => extras.encryption = Some(fact(at, reason)),
                Extra::Ownership => extras.ownership = Some(fact(at, reason)),
                Extra::Acceleration => extras.acceleration = Some(fact(at, reason)),
                Extra::Notification => extras.notification = Some(fact(at, reason)),
                Extra::Tags => extras.tags = Some(fact(at, reason)),
            }
        }
        extras
    }

    /// Whether one of them could be read.
    pub fn some_known(&self) -> bool {
        Extra::ALL.into_iter().filter(|extra| self.has(*extra)).count() > self.reasons().count()
    }

    /// When the first of them was read.
    pub fn oldest(&self) -> Option<Timestamp> {
        fn at<T>(fact: Option<&Fact<T>>) -> Option<Timestamp> {
            fact.map(|fact| fact.at)
        }
        [
            at(self.policy.as_ref()),
            at(self.object_lock.as_ref()),
            at(self.replication.as_ref()),
            at(self.encryption.as_ref()),
            at(self.ownership.as_ref()),
            at(self.acceleration.as_ref()),
            at(self.notification.as_ref()),
            at(self.tags.as_ref()),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// One answer of `GetBucketPolicy`: the document as the service gave it; [`crate::policy`] reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BucketPolicy {
    None,
    Present(Box<str>),
}

/// One answer of `GetObjectLockConfiguration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectLock {
    None,
    /// `ObjectLockEnabled` is `Enabled`.
    Enabled(DefaultLock),
}

/// What new objects are locked with unless their upload asks for something else: S3 takes one of the two, or both.
///
/// Source: Amazon S3 API reference, `ObjectLockRule`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultLock {
    #[serde(rename = "default_retention")]
    pub retention: Option<DefaultRetention>,
    #[serde(rename = "default_event_hold", default, skip_serializing_if = "Option::is_none")]
    pub event_hold: Option<EventHold>,
}

impl DefaultLock {
    /// For how many days after its upload a new object is locked at least; `None` where it is not locked.
    pub fn days(self) -> Option<u32> {
        self.retention.map(DefaultRetention::days).max(self.event_hold.map(EventHold::days))
    }
}

/// Retention that begins with the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRetention {
    pub mode: RetentionMode,
    pub period: RetentionPeriod,
}

impl DefaultRetention {
    pub fn days(self) -> u32 {
        self.period.days()
    }
}

/// An event hold: a new object is locked until somebody releases its hold, and for this period after the release.
/// The release cannot come before the upload, so the object is locked for this period at least.
///
/// Source: Amazon S3 API reference, `DefaultRetention` and `ObjectLockRetention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventHold {
    /// The `Mode` beside it. S3 documents a mode for `Days` and `Years` only, so there may be none.
    pub mode: Option<RetentionMode>,
    pub period: RetentionPeriod,
}

impl EventHold {
    pub fn days(self) -> u32 {
        self.period.days()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionMode {
    /// Who has `s3:BypassGovernanceRetention` can still delete.
    Governance,
    /// Nobody can delete, the root user neither.
    Compliance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionPeriod {
    Days(u32),
    Years(u32),
}

impl RetentionPeriod {
    /// How many days it lasts; a year counts as 365, the fewest it has.
    pub fn days(self) -> u32 {
        match self {
            Self::Days(days) => days,
            Self::Years(years) => years.saturating_mul(365),
        }
    }
}

/// One answer of `GetBucketReplication`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    None,
    Present(Vec<ReplicationRule>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationRule {
    pub id: Option<String>,
    pub enabled: bool,
    /// Empty for every object.
    pub prefix: String,
    pub tags: Vec<(String, String)>,
    /// Of these objects, those that it is not for.
    #[serde(default, skip_serializing_if = "LeftOut::is_empty")]
    pub left_out: LeftOut,
    /// The ARN of the bucket; it names neither account nor Region.
    pub destination: String,
    /// `Destination.Account`, which is given only where the replicas change their owner or the other account was named.
    pub account: Option<AccountId>,
    /// Whether the delete markers of users are copied: `DeleteMarkerReplication` says it of rules with a `Filter`; rules
    /// without one always copy them. `None` in runs that did not tell the two apart, of a rule without the element.
    pub delete_markers: Option<bool>,
    /// `None` in runs that did not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_objects: Option<KmsObjects>,
}

/// What a replication rule does with objects that are encrypted with SSE-KMS: `SseKmsEncryptedObjects`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KmsObjects {
    Copied,
    /// `Disabled`, or the element is absent.
    LeftOut,
}

/// What the filter of a replication rule leaves out (`Not`): objects with one of these prefixes or tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub prefixes: Vec<String>,
    pub tags: Vec<(String, String)>,
}

impl LeftOut {
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.tags.is_empty()
    }
}

/// One answer of `GetBucketEncryption`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    None,
    /// The algorithm of each rule, in S3's own words: `AES256`, `aws:kms`, `aws:kms:dsse`, `aws:fsx`, `aws:backup`.
    Present(Vec<String>),
}

/// One answer of `GetBucketOwnershipControls`. Without them a bucket is one of `ObjectWriter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectOwnership {
    None,
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
}

/// One answer of `GetBucketAccelerateConfiguration`. `Status` is absent where it was never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceleration {
    Never,
    Enabled,
    Suspended,
}

/// One answer of `GetBucketNotificationConfiguration`: how many configurations there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub topics: u32,
    pub queues: u32,
    pub functions: u32,
    pub event_bridge: bool,
}

/// One answer of `GetBucketTagging`: keys and values in the order of keys; none where the bucket has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub Vec<(String, String)>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_extra_has_its_place() {
        let at = Timestamp::from_unix(1_800_000_000).expect("in range");
        for extra in Extra::ALL {
            let mut extras = Extras::interrupted([extra], at);
            assert_eq!(Extra::ALL.map(|other| extras.has(other)), Extra::ALL.map(|other| other == extra));
            let operations: Vec<Operation> = extras.reasons().map(|reason| reason.operation).collect();
            assert_eq!((operations.as_slice(), extras.oldest()), ([extra.operation()].as_slice(), Some(at)));
            assert!(!extras.some_known());
            extras.forget(extra);
            assert!(extras.is_empty());
        }
        let all = Extras::interrupted(Extra::ALL, at);
        assert!(all.reasons().map(|reason| reason.operation).eq(Extra::ALL.map(Extra::operation)));
        let tags = Some(Fact { at, observed: Observed::Known(Tags::default()) });
        assert!(Extras { tags, ..all }.some_known());
    }
}
