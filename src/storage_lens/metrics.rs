//! The metrics that follow from a bucket's settings: the one place with their names and what they count.
//!
//! **To add a metric**: a variant of [`Metric`], its line in [`Metric::ALL`], [`Metric::name`] and [`Metric::column`],
//! and what a bucket adds in `Metric::of`.
//!
//! Where AWS leaves something open, this is our definition: a rule counts whether it is enabled or disabled, and once
//! for each kind of action, however many of that kind it has; only `aws:kms` is SSE-KMS; a bucket without ownership
//! controls is one of the object writer; any notification to a topic, queue or function, or to `EventBridge`, counts; a
//! replication rule counts as it leads to a bucket that the run saw, and a destination is invalid where it is proven that
//! there is none ([`crate::replication`]).
//!
//! Source: S3 user guide, "Amazon S3 Storage Lens metrics glossary".

use crate::model::{
    Acceleration, ActionKind, BucketRecord, Encryption, Extra, Extras, Fact, Facts, Lifecycle, LifecycleRule,
    MfaDelete, Notification, ObjectOwnership, Versioning, VersioningState,
};
use crate::replication::Tally;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    VersioningEnabled,
    MfaDeleteEnabled,
    SseKmsEnabled,
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
    TransferAccelerationEnabled,
    EventNotificationEnabled,
    TransitionRules,
    ExpirationRules,
    NoncurrentVersionTransitionRules,
    NoncurrentVersionExpirationRules,
    AbortIncompleteMpuRules,
    ExpiredObjectDeleteMarkerRules,
    LifecycleRules,
    SameRegionReplicationRules,
    CrossRegionReplicationRules,
    SameAccountReplicationRules,
    CrossAccountReplicationRules,
    InvalidDestinationReplicationRules,
}

/// What a bucket adds to a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Known(u64),
    /// It was asked for, and could not be read or does not follow from what was read.
    Unknown,
    NotAsked,
}

impl Value {
    pub fn known(self) -> Option<u64> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::NotAsked => None,
        }
    }
}

/// A value for each metric, in the order of [`Metric::ALL`].
pub type Values = [Value; Metric::COUNT];

impl Metric {
    pub const COUNT: usize = 20;

    /// In the order in which S3 Tables have them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::VersioningEnabled,
        Self::MfaDeleteEnabled,
        Self::SseKmsEnabled,
        Self::BucketOwnerEnforced,
        Self::BucketOwnerPreferred,
        Self::ObjectWriter,
        Self::TransferAccelerationEnabled,
        Self::EventNotificationEnabled,
        Self::TransitionRules,
        Self::ExpirationRules,
        Self::NoncurrentVersionTransitionRules,
        Self::NoncurrentVersionExpirationRules,
        Self::AbortIncompleteMpuRules,
        Self::ExpiredObjectDeleteMarkerRules,
        Self::LifecycleRules,
        Self::SameRegionReplicationRules,
        Self::CrossRegionReplicationRules,
        Self::SameAccountReplicationRules,
        Self::CrossAccountReplicationRules,
        Self::InvalidDestinationReplicationRules,
    ];

    /// `metric_name` of an export to a general purpose bucket.
    pub fn name(self) -> &'static str {
        match self {
            Self::VersioningEnabled => "VersioningEnabledBucketCount",
            Self::MfaDeleteEnabled => "MFADeleteEnabledBucketCount",
            Self::SseKmsEnabled => "SSEKMSEnabledBucketCount",
            Self::BucketOwnerEnforced => "ObjectOwnershipBucketOwnerEnforcedBucketCount",
            Self::BucketOwnerPreferred => "ObjectOwnershipBucketOwnerPreferredBucketCount",
            Self::ObjectWriter => "ObjectOwnershipObjectWriterBucketCount",
            Self::TransferAccelerationEnabled => "TransferAccelerationEnabledBucketCount",
            Self::EventNotificationEnabled => "EventNotificationEnabledBucketCount",
            Self::TransitionRules => "TransitionLifecycleRuleCount",
            Self::ExpirationRules => "ExpirationLifecycleRuleCount",
            Self::NoncurrentVersionTransitionRules => "NoncurrentVersionTransitionLifecycleRuleCount",
            Self::NoncurrentVersionExpirationRules => "NoncurrentVersionExpirationLifecycleRuleCount",
            Self::AbortIncompleteMpuRules => "AbortIncompleteMPULifecycleRuleCount",
            Self::ExpiredObjectDeleteMarkerRules => "ExpiredObjectDeleteMarkerLifecycleRuleCount",
            Self::LifecycleRules => "TotalLifecycleRuleCount",
            Self::SameRegionReplicationRules => "SameRegionReplicationRuleCount",
            Self::CrossRegionReplicationRules => "CrossRegionReplicationRuleCount",
            Self::SameAccountReplicationRules => "SameAccountReplicationRuleCount",
            Self::CrossAccountReplicationRules => "CrossAccountReplicationRuleCount",
            Self::InvalidDestinationReplicationRules => "InvalidDestinationReplicationRuleCount",
        }
    }

    /// Its column in the bucket property metrics of an export to S3 Tables, which have none for the total.
    pub fn column(self) -> Option<&'static str> {
        Some(match self {
            Self::VersioningEnabled => "versioning_enabled_bucket_count",
            Self::MfaDeleteEnabled => "mfa_delete_enabled_bucket_count",
            Self::SseKmsEnabled => "sse_kms_enabled_bucket_count",
            Self::BucketOwnerEnforced => "object_ownership_bucket_owner_enforced_bucket_count",
            Self::BucketOwnerPreferred => "object_ownership_bucket_owner_preferred_bucket_count",
            Self::ObjectWriter => "object_ownership_object_writer_bucket_count",
            Self::TransferAccelerationEnabled => "transfer_acceleration_enabled_bucket_count",
            Self::EventNotificationEnabled => "event_notification_enabled_bucket_count",
            Self::TransitionRules => "transition_lifecycle_rule_count",
            Self::ExpirationRules => "expiration_lifecycle_rule_count",
            Self::NoncurrentVersionTransitionRules => "non_current_version_transition_lifecycle_rule_count",
            Self::NoncurrentVersionExpirationRules => "non_current_version_expiration_lifecycle_rule_count",
            Self::AbortIncompleteMpuRules => "abort_incomplete_multipart_upload_lifecycle_rule_count",
            Self::ExpiredObjectDeleteMarkerRules => "expired_object_delete_marker_lifecycle_rule_count",
            Self::LifecycleRules => return None,
            Self::SameRegionReplicationRules => "same_region_replication_rule_count",
            Self::CrossRegionReplicationRules => "cross_region_replication_rule_count",
            Self::SameAccountReplicationRules => "same_account_replication_rule_count",
            Self::CrossAccountReplicationRules => "cross_account_replication_rule_count",
            Self::InvalidDestinationReplicationRules => "invalid_destination_replication_rule_count",
        })
    }

    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether it counts buckets: then a bucket adds 0 or 1.
    pub fn counts_buckets(self) -> bool {
        match self {
            Self::VersioningEnabled
            | Self::MfaDeleteEnabled
            | Self::SseKmsEnabled
            | Self::BucketOwnerEnforced
            | Self::BucketOwnerPreferred
            | Self::ObjectWriter
            | Self::TransferAccelerationEnabled
            | Self::EventNotificationEnabled => true,
            Self::TransitionRules
            | Self::ExpirationRules
            | Self::NoncurrentVersionTransitionRules
            | Self::NoncurrentVersionExpirationRules
            | Self::AbortIncompleteMpuRules
            | Self::ExpiredObjectDeleteMarkerRules
            | Self::LifecycleRules
            | Self::SameRegionReplicationRules
            | Self::CrossRegionReplicationRules
            | Self::SameAccountReplicationRules
            | Self::CrossAccountReplicationRules
            | Self::InvalidDestinationReplicationRules => false,
        }
    }

    /// Its place in [`Metric::ALL`] and in [`Values`].
    pub fn index(self) -> usize {
        self as usize
    }

    fn of(self, bucket: &Settings<'_>) -> Value {
        let versioning = |holds: fn(&VersioningState) -> bool| yes_or_no(Some(bucket.versioning), holds);
        let ownership = |holds: fn(&ObjectOwnership) -> bool| yes_or_no(bucket.extras.ownership.as_ref(), holds);
        let rules = |kind: ActionKind| lifecycle(bucket.lifecycle, |rule| rule.actions.contains(&kind));
        match self {
            Self::VersioningEnabled => versioning(|state| state.versioning == Versioning::Enabled),
            Self::MfaDeleteEnabled => versioning(|state| state.mfa_delete == MfaDelete::Enabled),
            Self::SseKmsEnabled => yes_or_no(bucket.extras.encryption.as_ref(), |encryption| match encryption {
                Encryption::None => false,
                Encryption::Present(algorithms) => algorithms.iter().any(|algorithm| algorithm == "aws:kms"),
            }),
            Self::BucketOwnerEnforced => ownership(|owner| *owner == ObjectOwnership::BucketOwnerEnforced),
            Self::BucketOwnerPreferred => ownership(|owner| *owner == ObjectOwnership::BucketOwnerPreferred),
            Self::ObjectWriter => {
                ownership(|owner| matches!(owner, ObjectOwnership::ObjectWriter | ObjectOwnership::None))
            }
            Self::TransferAccelerationEnabled => {
                yes_or_no(bucket.extras.acceleration.as_ref(), |it| *it == Acceleration::Enabled)
            }
            Self::EventNotificationEnabled => {
                yes_or_no(bucket.extras.notification.as_ref(), |it| *it != Notification::default())
            }
            Self::TransitionRules => rules(ActionKind::Transition),
            Self::ExpirationRules => rules(ActionKind::Expiration),
            Self::NoncurrentVersionTransitionRules => rules(ActionKind::NoncurrentVersionTransition),
            Self::NoncurrentVersionExpirationRules => rules(ActionKind::NoncurrentVersionExpiration),
            Self::AbortIncompleteMpuRules => rules(ActionKind::AbortIncompleteMultipartUpload),
            Self::ExpiredObjectDeleteMarkerRules => rules(ActionKind::ExpiredObjectDeleteMarker),
            Self::LifecycleRules => lifecycle(bucket.lifecycle, |_| true),
            Self::SameRegionReplicationRules => bucket.led(|to| to.unknown_region, |to| to.same_region),
            Self::CrossRegionReplicationRules => bucket.led(|to| to.unknown_region, |to| to.cross_region),
            Self::SameAccountReplicationRules => bucket.led(|to| to.unknown_account, |to| to.same_account),
            Self::CrossAccountReplicationRules => bucket.led(|to| to.unknown_account, |to| to.cross_account),
            // Of a destination whose Region is known it is known that it exists.
            Self::InvalidDestinationReplicationRules => bucket.led(|to| to.unknown_region, |to| to.invalid),
        }
    }
}

/// What was read of a bucket.
struct Settings<'a> {
    versioning: &'a Fact<VersioningState>,
    lifecycle: &'a Fact<Lifecycle>,
    extras: &'a Extras,
    /// Where its replication rules lead, where they are known.
    replication: Option<&'a Tally>,
}

impl Settings<'_> {
    /// Unknown as soon as of one rule it is not known whether it counts.
    fn led(&self, unknown: fn(&Tally) -> u32, count: fn(&Tally) -> u32) -> Value {
        match (&self.extras.replication, self.replication) {
            (None, _) => Value::NotAsked,
            (Some(_), Some(tally)) if unknown(tally) == 0 => Value::Known(count(tally).into()),
            (Some(_), Some(_) | None) => Value::Unknown,
        }
    }
}

/// What a bucket adds to each metric; `None` for one that is gone, and for a directory bucket. `replication`: where its
/// rules lead, as far as the run knows it, see [`crate::replication`].
///
/// Source: S3 user guide, "Understanding Amazon S3 Storage Lens" (it leaves directory buckets out).
pub fn values(record: &BucketRecord, replication: Option<&Tally>) -> Option<Values> {
    let Facts::Read { versioning, lifecycle, extras } = &record.facts else { return None };
    let bucket = Settings { versioning, lifecycle, extras, replication };
    Some(Metric::ALL.map(|metric| metric.of(&bucket)))
}

/// Why metrics of a bucket are unknown, a sentence each. What else is unknown of it, as its policy or its tags, is no reason.
pub fn reasons(record: &BucketRecord, values: &Values) -> Vec<String> {
    let Facts::Read { extras, .. } = &record.facts else { return Vec::new() };
    let others = [Extra::Policy, Extra::ObjectLock, Extra::Tags].map(Extra::operation);
    let of_metrics = record.facts.reasons().filter(|reason| !others.contains(&reason.operation));
    let mut reasons: Vec<String> = of_metrics.map(ToString::to_string).collect();
    reasons.dedup();
    let was_read = extras.replication.as_ref().is_some_and(|fact| fact.known().is_some());
    let is_unknown = |metric: Metric| values[metric.index()] == Value::Unknown;
    let lead = [Metric::SameRegionReplicationRules, Metric::SameAccountReplicationRules];
    if was_read && lead.into_iter().any(is_unknown) {
        reasons.push(
            "GetBucketReplication names no Region, and not always the account, of a destination, and the run did not see it"
                .to_owned(),
        );
    }
    reasons
}

fn yes_or_no<T>(fact: Option<&Fact<T>>, holds: impl Fn(&T) -> bool) -> Value {
    match fact {
        None => Value::NotAsked,
        Some(fact) => fact.known().map_or(Value::Unknown, |value| Value::Known(u64::from(holds(value)))),
    }
}

fn lifecycle(fact: &Fact<Lifecycle>, holds: impl Fn(&LifecycleRule) -> bool) -> Value {
    match fact.known() {
        None => Value::Unknown,
        Some(Lifecycle::None) => Value::Known(0),
        Some(Lifecycle::Present(configuration)) => {
            Value::Known(configuration.rules.iter().filter(|rule| holds(rule)).count() as u64)
        }
    }
}

#[cfg(test)]
mod tests;
