//! The settings of a bucket that bucketlens reads only where it is asked to: how a fixture holds them, and S3's XML.
//!
//! Words are kept raw: the simulator serves what stands there, sensible or not.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fixture::Bucket;
use super::wire::{Fault, close, element, open, root};

/// A bucket policy, in the JSON of IAM.
pub(super) type Policy = Map<String, Value>;

/// Its existence is `ObjectLockEnabled`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectLock {
    /// With `days` or `years` the default retention; absent: there is none.
    mode: Option<String>,
    days: Option<u32>,
    years: Option<u32>,
    /// Of the default event hold; absent: there is none.
    event_hold_days: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplicationRule {
    id: Option<String>,
    #[serde(default = "enabled")]
    status: String,
    /// Absent: every object.
    prefix: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// The ARN of a bucket.
    destination: String,
    /// The account that owns the destination.
    account: Option<String>,
    /// `Status` of `DeleteMarkerReplication`; absent: no such element.
    delete_markers: Option<String>,
    /// `Status` of `SseKmsEncryptedObjects`; absent: no such element.
    kms_objects: Option<String>,
    #[serde(default)]
    version: RuleVersion,
}

/// How a rule says which objects it is for.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum RuleVersion {
    /// `Prefix` in the rule.
    V1,
    /// `Filter`.
    #[default]
    V2,
}

fn enabled() -> String {
    "Enabled".to_owned()
}

/// How many configurations there are of each kind.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Notification {
    topics: u16,
    queues: u16,
    functions: u16,
    event_bridge: bool,
}

impl ObjectLock {
    pub(super) fn of(mode: &str, days: u32) -> Self {
        Self { mode: Some(mode.to_owned()), days: Some(days), ..Self::default() }
    }
}

impl ReplicationRule {
    pub(super) fn to(bucket: &str, account: &str) -> Self {
        Self {
            id: Some("copy".to_owned()),
            status: enabled(),
            prefix: None,
            tags: BTreeMap::new(),
            destination: format!("arn:aws:s3:::{bucket}"),
            account: Some(account.to_owned()),
            delete_markers: Some("Disabled".to_owned()),
            kms_objects: None,
            version: RuleVersion::V2,
        }
    }
}

impl Notification {
    pub(super) fn of_queues(queues: u16) -> Self {
        Self { queues, ..Self::default() }
    }
}

/// S3's way to say that there is none.
fn none(bucket: &Bucket, code: &str, message: &str) -> Fault {
    Fault::new(404, code, message).with("BucketName", &bucket.name)
}

pub(super) fn policy(bucket: &Bucket) -> Result<String, Fault> {
    let policy = bucket.policy.as_ref().map(|policy| Value::Object((**policy).clone()).to_string());
    policy.ok_or_else(|| none(bucket, "NoSuchBucketPolicy", "The bucket policy does not exist"))
}

pub(super) fn object_lock(bucket: &Bucket) -> Result<String, Fault> {
    let Some(lock) = &bucket.object_lock else {
        let message = "Object Lock configuration does not exist for this bucket";
        return Err(none(bucket, "ObjectLockConfigurationNotFoundError", message));
    };
    let mut inner = String::new();
    element(&mut inner, "ObjectLockEnabled", "Enabled");
    if lock.mode.is_some() || lock.event_hold_days.is_some() {
        within(&mut inner, &["Rule", "DefaultRetention"], |inner| {
            if let Some(days) = lock.event_hold_days {
                within(inner, &["DefaultEventHold"], |inner| element(inner, "Days", &days.to_string()));
            }
            optional(inner, "Mode", lock.mode.as_deref());
            optional(inner, "Days", lock.days.map(|days| days.to_string()).as_deref());
            optional(inner, "Years", lock.years.map(|years| years.to_string()).as_deref());
        });
    }
    Ok(root("ObjectLockConfiguration", &inner))
}

pub(super) fn replication(bucket: &Bucket) -> Result<String, Fault> {
    let Some(rules) = &bucket.replication else {
        let message = "The replication configuration was not found";
        return Err(none(bucket, "ReplicationConfigurationNotFoundError", message));
    };
    let mut inner = String::new();
    element(&mut inner, "Role", "arn:aws:iam::000000000000:role/replication");
    for (position, rule) in rules.iter().enumerate() {
        within(&mut inner, &["Rule"], |inner| {
            optional(inner, "ID", rule.id.as_deref());
            element(inner, "Priority", &position.to_string());
            element(inner, "Status", &rule.status);
            match rule.version {
                RuleVersion::V1 => element(inner, "Prefix", rule.prefix.as_deref().unwrap_or_default()),
                RuleVersion::V2 => write_filter(inner, rule),
            }
            if let Some(status) = &rule.kms_objects {
                within(inner, &["SourceSelectionCriteria", "SseKmsEncryptedObjects"], |inner| {
                    element(inner, "Status", status);
                });
            }
            if let Some(status) = &rule.delete_markers {
                within(inner, &["DeleteMarkerReplication"], |inner| element(inner, "Status", status));
            }
            within(inner, &["Destination"], |inner| {
                element(inner, "Bucket", &rule.destination);
                optional(inner, "Account", rule.account.as_deref());
            });
        });
    }
    Ok(root("ReplicationConfiguration", &inner))
}

fn write_filter(inner: &mut String, rule: &ReplicationRule) {
    let prefix = rule.prefix.as_deref();
    match (prefix, rule.tags.len()) {
        (None, 0) => element(inner, "Filter", ""),
        (Some(prefix), 0) => within(inner, &["Filter"], |inner| element(inner, "Prefix", prefix)),
        (None, 1) => within(inner, &["Filter"], |inner| write_tags(inner, &rule.tags)),
        (_, _) => within(inner, &["Filter", "And"], |inner| {
            optional(inner, "Prefix", prefix);
            write_tags(inner, &rule.tags);
        }),
    }
}

pub(super) fn encryption(bucket: &Bucket) -> Result<String, Fault> {
    let Some(algorithm) = &bucket.encryption else {
        let message = "The server side encryption configuration was not found";
        return Err(none(bucket, "ServerSideEncryptionConfigurationNotFoundError", message));
    };
    let mut inner = String::new();
    within(&mut inner, &["Rule"], |inner| {
        within(inner, &["ApplyServerSideEncryptionByDefault"], |inner| element(inner, "SSEAlgorithm", algorithm));
        element(inner, "BucketKeyEnabled", "false");
    });
    Ok(root("ServerSideEncryptionConfiguration", &inner))
}

pub(super) fn ownership(bucket: &Bucket) -> Result<String, Fault> {
    let Some(word) = &bucket.ownership else {
        let message = "The bucket ownership controls were not found";
        return Err(none(bucket, "OwnershipControlsNotFoundError", message));
    };
    let mut inner = String::new();
    within(&mut inner, &["Rule"], |inner| element(inner, "ObjectOwnership", word));
    Ok(root("OwnershipControls", &inner))
}

/// What was never set is absent.
pub(super) fn acceleration(bucket: &Bucket) -> String {
    let mut inner = String::new();
    optional(&mut inner, "Status", bucket.acceleration.as_deref());
    root("AccelerateConfiguration", &inner)
}

pub(super) fn notification(bucket: &Bucket) -> String {
    let kinds = bucket.notification.unwrap_or_default();
    let mut inner = String::new();
    for (name, target, count) in [
        ("TopicConfiguration", "Topic", kinds.topics),
        ("QueueConfiguration", "Queue", kinds.queues),
        ("CloudFunctionConfiguration", "CloudFunction", kinds.functions),
    ] {
        for number in 0..count {
            within(&mut inner, &[name], |inner| {
                element(inner, "Id", &format!("{target}-{number}"));
                element(inner, target, &format!("arn:aws:simulated:::{target}-{number}"));
                element(inner, "Event", "s3:ObjectCreated:*");
            });
        }
    }
    if kinds.event_bridge {
        element(&mut inner, "EventBridgeConfiguration", "");
    }
    root("NotificationConfiguration", &inner)
}

pub(super) fn tags(bucket: &Bucket) -> Result<String, Fault> {
    let Some(tags) = &bucket.tags else { return Err(none(bucket, "NoSuchTagSet", "The TagSet does not exist")) };
    let mut inner = String::new();
    within(&mut inner, &["TagSet"], |inner| write_tags(inner, tags));
    Ok(root("Tagging", &inner))
}

fn write_tags(inner: &mut String, tags: &BTreeMap<String, String>) {
    for (key, value) in tags {
        within(inner, &["Tag"], |inner| {
            element(inner, "Key", key);
            element(inner, "Value", value);
        });
    }
}

fn optional(out: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        element(out, name, text);
    }
}

fn within(out: &mut String, names: &[&str], write: impl FnOnce(&mut String)) {
    for name in names {
        open(out, name);
    }
    write(out);
    for name in names.iter().rev() {
        close(out, name);
    }
}
