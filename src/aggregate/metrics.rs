//! The tables of metrics. Names that Storage Lens has mean what Storage Lens means by them.
//!
//! Source: S3 user guide, "Amazon S3 Storage Lens metrics glossary". Where it leaves something open: a rule counts
//! whether it is enabled or disabled, and once for each kind of action, however many of that kind it has; a rule with
//! two kinds is in two counters, so the counters do not add up to the total. Only configurations that were read count.
//! Only `aws:kms` is SSE-KMS, `aws:kms:dsse` is not; a bucket without ownership controls is one of the object writer;
//! any notification to a topic, a queue, a function or `EventBridge` counts. Of replication rules, too, disabled ones
//! count; where they lead is [`crate::replication`]'s to say, and what that does not know is counted by itself.
//!
//! What takes a request of its own is counted in runs that asked for it, and in no other: [`Table::of`].

use std::collections::BTreeSet;

use super::{AccountCoverage, Value};
use crate::evaluate::Evaluation;
use crate::model::{
    Acceleration, AccountRecord, ActionKind, BucketRecord, Encryption, Extra, Extras, Fact, Facts, Lifecycle,
    LifecycleRule, MfaDelete, Notification, ObjectOwnership, Outcome, Status, Versioning, VersioningState,
};
use crate::replication::Tally;

/// A metric that counts: its name and what one bucket adds.
pub(super) struct Counter {
    pub name: &'static str,
    /// Without which nobody can say; `None` for what every scan reads.
    pub asks: Option<Extra>,
    adds: Adds,
}

#[derive(Clone, Copy)]
enum Adds {
    /// One, if this holds of the bucket; `None` where nobody can say.
    Bucket(fn(&Subject<'_>) -> Option<bool>),
    /// The lifecycle rules of which this holds.
    Rules(fn(&LifecycleRule) -> bool),
    /// This many of the replication rules.
    Replication(fn(&Tally) -> u32),
}

/// Whether AWS does not offer MFA delete where the bucket is, and it has none; `None` where that is unknown.
fn is_without_offer(bucket: &Subject<'_>) -> Option<bool> {
    bucket.mfa_delete()?;
    let findings = &bucket.evaluation.findings;
    Some(findings.iter().any(|finding| finding.rule == REQUIRED && finding.status == Status::NotApplicable))
}

impl Counter {
    pub fn is_of_buckets(&self) -> bool {
        match self.adds {
            Adds::Bucket(_) => true,
            Adds::Rules(_) | Adds::Replication(_) => false,
        }
    }

    pub fn is_of_lifecycle_rules(&self) -> bool {
        match self.adds {
            Adds::Rules(_) => true,
            Adds::Bucket(_) | Adds::Replication(_) => false,
        }
    }
}

const fn buckets(name: &'static str, holds: fn(&Subject<'_>) -> Option<bool>) -> Counter {
    Counter { name, asks: None, adds: Adds::Bucket(holds) }
}

const fn rules(name: &'static str, holds: fn(&LifecycleRule) -> bool) -> Counter {
    Counter { name, asks: None, adds: Adds::Rules(holds) }
}

/// A metric of what takes a request of its own.
const fn extra(name: &'static str, asks: Extra, holds: fn(&Subject<'_>) -> Option<bool>) -> Counter {
    Counter { name, asks: Some(asks), adds: Adds::Bucket(holds) }
}

const fn replication(name: &'static str, counts: fn(&Tally) -> u32) -> Counter {
    Counter { name, asks: Some(Extra::Replication), adds: Adds::Replication(counts) }
}

/// Rules whose findings are counted.
const REQUIRED: &str = "mfa-delete-enabled";
const BLOCKED: &str = "mfa-delete-blocked-by-lifecycle";
const CONFLICT: &str = "lifecycle-bypasses-mfa-delete";
const SUSPENDED: &str = "mfa-delete-versioning-suspended";

/// Vanished buckets are in `VanishedBucketCount` and nowhere else; directory buckets add to nothing. A rule of ours that fails and is waived still
/// counts where a metric speaks of the bucket (blocked, conflict, suspended): the excuse does not change the fact.
pub(super) const COUNTERS: &[Counter] = &[
    buckets("BucketCount", |bucket| Some(exists(bucket))),
    buckets("UnknownBucketCount", |bucket| Some(bucket.record.has_unknown())),
    buckets("VanishedBucketCount", |bucket| Some(is_gone(bucket))),
    buckets("VersioningEnabledBucketCount", |bucket| Some(bucket.versioning()? == Versioning::Enabled)),
    buckets("VersioningPartialBucketCount", |bucket| Some(matches!(bucket.versioning()?, Versioning::Partial(_)))),
    buckets("VersioningSuspendedBucketCount", |bucket| Some(bucket.versioning()? == Versioning::Suspended)),
    buckets("VersioningNeverBucketCount", |bucket| Some(bucket.versioning()? == Versioning::Never)),
    buckets("VersioningUnknownBucketCount", |bucket| Some(exists(bucket) && bucket.versioning().is_none())),
    buckets("MFADeleteEnabledBucketCount", |bucket| Some(bucket.mfa_delete()? == MfaDelete::Enabled)),
    buckets("MFADeleteDisabledBucketCount", |bucket| Some(bucket.mfa_delete()? == MfaDelete::Disabled)),
    buckets("MFADeleteNeverBucketCount", |bucket| Some(bucket.mfa_delete()? == MfaDelete::Never)),
    buckets("MFADeleteUnknownBucketCount", |bucket| Some(exists(bucket) && bucket.mfa_delete().is_none())),
    buckets("MFADeleteNotOfferedBucketCount", is_without_offer),
    buckets("MFADeleteBlockedByLifecycleBucketCount", |bucket| bucket.fails(BLOCKED)),
    buckets("MFADeleteLifecycleConflictBucketCount", |bucket| bucket.fails(CONFLICT)),
    buckets("MFADeleteVersioningSuspendedBucketCount", |bucket| bucket.fails(SUSPENDED)),
    buckets("LifecycleConfigurationBucketCount", |bucket| Some(matches!(bucket.lifecycle()?, Lifecycle::Present(_)))),
    buckets("LifecycleUnknownBucketCount", |bucket| Some(exists(bucket) && bucket.lifecycle().is_none())),
    rules("TransitionLifecycleRuleCount", |rule| rule.actions.contains(&ActionKind::Transition)),
    rules("ExpirationLifecycleRuleCount", |rule| rule.actions.contains(&ActionKind::Expiration)),
    rules("NoncurrentVersionTransitionLifecycleRuleCount", |rule| {
        rule.actions.contains(&ActionKind::NoncurrentVersionTransition)
    }),
    rules("NoncurrentVersionExpirationLifecycleRuleCount", |rule| {
        rule.actions.contains(&ActionKind::NoncurrentVersionExpiration)
    }),
    rules("AbortIncompleteMPULifecycleRuleCount", |rule| {
        rule.actions.contains(&ActionKind::AbortIncompleteMultipartUpload)
    }),
    rules("ExpiredObjectDeleteMarkerLifecycleRuleCount", |rule| {
        rule.actions.contains(&ActionKind::ExpiredObjectDeleteMarker)
    }),
    rules("TotalLifecycleRuleCount", |_| true),
    buckets("PassBucketCount", |bucket| Some(bucket.has(Status::Pass))),
    buckets("FailBucketCount", |bucket| Some(bucket.has(Status::Fail))),
    buckets("UnknownStatusBucketCount", |bucket| Some(bucket.has(Status::Unknown))),
    buckets("WaivedBucketCount", |bucket| Some(bucket.has(Status::Waived))),
    buckets("NotApplicableBucketCount", |bucket| Some(bucket.has(Status::NotApplicable))),
    extra("SSEKMSEnabledBucketCount", Extra::Encryption, |bucket| {
        Some(match bucket.extra(|extras| extras.encryption.as_ref())? {
            Encryption::None => false,
            Encryption::Present(algorithms) => algorithms.iter().any(|algorithm| algorithm == "aws:kms"),
        })
    }),
    extra("EncryptionUnknownBucketCount", Extra::Encryption, |bucket| {
        bucket.lacks(|extras| extras.encryption.as_ref())
    }),
    extra("ObjectOwnershipBucketOwnerEnforcedBucketCount", Extra::Ownership, |bucket| {
        Some(bucket.ownership()? == ObjectOwnership::BucketOwnerEnforced)
    }),
    extra("ObjectOwnershipBucketOwnerPreferredBucketCount", Extra::Ownership, |bucket| {
        Some(bucket.ownership()? == ObjectOwnership::BucketOwnerPreferred)
    }),
    extra("ObjectOwnershipObjectWriterBucketCount", Extra::Ownership, |bucket| {
        Some(matches!(bucket.ownership()?, ObjectOwnership::ObjectWriter | ObjectOwnership::None))
    }),
    extra("ObjectOwnershipUnknownBucketCount", Extra::Ownership, |bucket| {
        bucket.lacks(|extras| extras.ownership.as_ref())
    }),
    extra("TransferAccelerationEnabledBucketCount", Extra::Acceleration, |bucket| {
        Some(*bucket.extra(|extras| extras.acceleration.as_ref())? == Acceleration::Enabled)
    }),
    extra("TransferAccelerationUnknownBucketCount", Extra::Acceleration, |bucket| {
        bucket.lacks(|extras| extras.acceleration.as_ref())
    }),
    extra("EventNotificationEnabledBucketCount", Extra::Notification, |bucket| {
        Some(*bucket.extra(|extras| extras.notification.as_ref())? != Notification::default())
    }),
    extra("EventNotificationUnknownBucketCount", Extra::Notification, |bucket| {
        bucket.lacks(|extras| extras.notification.as_ref())
    }),
    replication("TotalReplicationRuleCount", |tally| tally.rules),
    replication("SameRegionReplicationRuleCount", |tally| tally.same_region),
    replication("CrossRegionReplicationRuleCount", |tally| tally.cross_region),
    replication("UnknownDestinationRegionReplicationRuleCount", |tally| tally.unknown_region),
    replication("SameAccountReplicationRuleCount", |tally| tally.same_account),
    replication("CrossAccountReplicationRuleCount", |tally| tally.cross_account),
    replication("UnknownDestinationAccountReplicationRuleCount", |tally| tally.unknown_account),
    replication("InvalidDestinationReplicationRuleCount", |tally| tally.invalid),
    extra("ReplicationUnknownBucketCount", Extra::Replication, |bucket| {
        bucket.lacks(|extras| extras.replication.as_ref())
    }),
];

/// A metric that counts accounts: those whose buckets a scope may hold.
pub(super) struct AccountCounter {
    pub name: &'static str,
    counts: fn(&AccountRecord) -> bool,
}

pub(super) const ACCOUNT_COUNTERS: &[AccountCounter] = &[
    AccountCounter { name: "AccountCount", counts: |_| true },
    AccountCounter {
        name: "IncompleteAccountCount",
        counts: |account| matches!(*account.outcome(), Outcome::Incomplete(_)),
    },
    AccountCounter { name: "FailedAccountCount", counts: |account| matches!(*account.outcome(), Outcome::Failed(_)) },
    AccountCounter { name: "SkippedAccountCount", counts: |account| matches!(*account.outcome(), Outcome::Skipped(_)) },
    // Directory buckets, which may make an account incomplete, are in no metric.
    AccountCounter { name: "ListedAccountCount", counts: |account| account.listed().is_ok() },
];

/// How many accounts a scope is about, and what became of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Accounts {
    /// In the order of [`ACCOUNT_COUNTERS`].
    pub counts: [u64; ACCOUNT_COUNTERS.len()],
    /// How many of them may have buckets that nobody listed.
    unlisted: u64,
    /// How many accounts may belong to the scope, of which the place in the organization is unknown.
    unplaced: u64,
}

impl Accounts {
    /// Of an OU, of which so many further accounts may be.
    pub fn of_unit(unplaced: u64) -> Self {
        Self { unplaced, ..Self::default() }
    }

    pub fn add(&mut self, account: &AccountRecord) {
        for (count, counter) in self.counts.iter_mut().zip(ACCOUNT_COUNTERS) {
            *count += u64::from((counter.counts)(account));
        }
        self.unlisted += u64::from(match account.listing {
            Outcome::Failed(_) | Outcome::Incomplete(_) => true,
            Outcome::Complete | Outcome::Skipped(_) => false,
        });
    }

    /// Whether every bucket that there is was listed. An account that was skipped is one that AWS has closed or suspended.
    pub fn has_all_buckets(&self) -> bool {
        self.unlisted == 0 && self.unplaced == 0
    }

    pub fn coverage(&self) -> AccountCoverage {
        let count = |name: &str| {
            let place = ACCOUNT_COUNTERS.iter().position(|counter| counter.name == name);
            place.map_or(0, |place| self.counts[place])
        };
        AccountCoverage { listed: count("ListedAccountCount"), all: count("AccountCount") }
    }
}

/// A metric that is made of two counters of the same scope.
pub(super) struct Quotient {
    pub name: &'static str,
    part: Sum,
    whole: Sum,
    shape: fn(f64) -> Value,
    /// What a part that is the whole comes to.
    one: u32,
}

/// A counter, less another.
#[derive(Clone, Copy)]
struct Sum(&'static str, Option<&'static str>);

/// How much of all buckets is known: where some could not be listed, there is no known number of all.
pub(super) const KNOWN_BUCKETS: &str = "KnownBucketPercent";

const ALL_BUCKETS: Sum = Sum("BucketCount", None);
/// MFA delete and versioning come in one answer: where the one is known, the other is.
const KNOWN_VERSIONING: &str = "VersioningUnknownBucketCount";
const KNOWN_LIFECYCLE: &str = "LifecycleUnknownBucketCount";
const KNOWN_OWNERSHIP: &str = "ObjectOwnershipUnknownBucketCount";

const fn percentage(name: &'static str, part: &'static str) -> Quotient {
    Quotient { name, part: Sum(part, None), whole: ALL_BUCKETS, shape: Value::Percent, one: 100 }
}

/// Of the buckets that this counter does not count.
const fn of_known(name: &'static str, part: &'static str, unknown: &'static str) -> Quotient {
    Quotient { whole: Sum("BucketCount", Some(unknown)), ..percentage(name, part) }
}

const fn average(name: &'static str, part: &'static str) -> Quotient {
    Quotient { shape: Value::Average, one: 1, ..percentage(name, part) }
}

const fn average_of_known(name: &'static str, part: &'static str, unknown: &'static str) -> Quotient {
    Quotient { shape: Value::Average, one: 1, ..of_known(name, part, unknown) }
}

/// `...BucketPercent` and `Average...PerBucket` are of all buckets, as Storage Lens derives them (what is unknown adds
/// nothing there); `...OfKnownPercent` and `...PerKnownBucket` are of the buckets whose fact is known. The average of
/// replication rules takes each rule once, where Storage Lens adds up its five counters.
pub(super) const QUOTIENTS: &[Quotient] = &[
    percentage("MFADeleteEnabledBucketPercent", "MFADeleteEnabledBucketCount"),
    of_known("MFADeleteEnabledOfKnownPercent", "MFADeleteEnabledBucketCount", KNOWN_VERSIONING),
    percentage("VersioningEnabledBucketPercent", "VersioningEnabledBucketCount"),
    of_known("VersioningEnabledOfKnownPercent", "VersioningEnabledBucketCount", KNOWN_VERSIONING),
    Quotient { part: Sum("BucketCount", Some("UnknownBucketCount")), ..percentage(KNOWN_BUCKETS, "BucketCount") },
    average("AverageTransitionLifecycleRulesPerBucket", "TransitionLifecycleRuleCount"),
    average("AverageExpirationLifecycleRulesPerBucket", "ExpirationLifecycleRuleCount"),
    average(
        "AverageNoncurrentVersionTransitionLifecycleRulesPerBucket",
        "NoncurrentVersionTransitionLifecycleRuleCount",
    ),
    average(
        "AverageNoncurrentVersionExpirationLifecycleRulesPerBucket",
        "NoncurrentVersionExpirationLifecycleRuleCount",
    ),
    average("AverageAbortIncompleteMPULifecycleRulesPerBucket", "AbortIncompleteMPULifecycleRuleCount"),
    average("AverageExpiredObjectDeleteMarkerLifecycleRulesPerBucket", "ExpiredObjectDeleteMarkerLifecycleRuleCount"),
    average("AverageTotalLifecycleRulesPerBucket", "TotalLifecycleRuleCount"),
    average_of_known("AverageTotalLifecycleRulesPerKnownBucket", "TotalLifecycleRuleCount", KNOWN_LIFECYCLE),
    percentage("SSEKMSEnabledBucketPercent", "SSEKMSEnabledBucketCount"),
    of_known("SSEKMSEnabledOfKnownPercent", "SSEKMSEnabledBucketCount", "EncryptionUnknownBucketCount"),
    percentage("ObjectOwnershipBucketOwnerEnforcedBucketPercent", "ObjectOwnershipBucketOwnerEnforcedBucketCount"),
    of_known(
        "ObjectOwnershipBucketOwnerEnforcedOfKnownPercent",
        "ObjectOwnershipBucketOwnerEnforcedBucketCount",
        KNOWN_OWNERSHIP,
    ),
    percentage("ObjectOwnershipBucketOwnerPreferredBucketPercent", "ObjectOwnershipBucketOwnerPreferredBucketCount"),
    of_known(
        "ObjectOwnershipBucketOwnerPreferredOfKnownPercent",
        "ObjectOwnershipBucketOwnerPreferredBucketCount",
        KNOWN_OWNERSHIP,
    ),
    percentage("ObjectOwnershipObjectWriterBucketPercent", "ObjectOwnershipObjectWriterBucketCount"),
    of_known("ObjectOwnershipObjectWriterOfKnownPercent", "ObjectOwnershipObjectWriterBucketCount", KNOWN_OWNERSHIP),
    percentage("TransferAccelerationEnabledBucketPercent", "TransferAccelerationEnabledBucketCount"),
    of_known(
        "TransferAccelerationEnabledOfKnownPercent",
        "TransferAccelerationEnabledBucketCount",
        "TransferAccelerationUnknownBucketCount",
    ),
    percentage("EventNotificationEnabledBucketPercent", "EventNotificationEnabledBucketCount"),
    of_known(
        "EventNotificationEnabledOfKnownPercent",
        "EventNotificationEnabledBucketCount",
        "EventNotificationUnknownBucketCount",
    ),
    average("AverageReplicationRulesPerBucket", "TotalReplicationRuleCount"),
    average_of_known(
        "AverageReplicationRulesPerKnownBucket",
        "TotalReplicationRuleCount",
        "ReplicationUnknownBucketCount",
    ),
];

impl Quotient {
    /// Every counter that it is made of.
    pub fn counters(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.part.0), self.part.1, Some(self.whole.0), self.whole.1].into_iter().flatten()
    }
}

/// The metrics of one run: those of what it asked for.
#[derive(Debug)]
pub(super) struct Table {
    /// Their places in [`COUNTERS`].
    counters: Vec<usize>,
    quotients: Vec<Resolved>,
}

/// A line of [`QUOTIENTS`], with the places of its counters among those of a table.
struct Resolved {
    quotient: &'static Quotient,
    part: (usize, Option<usize>),
    whole: (usize, Option<usize>),
}

impl std::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.quotient.name)
    }
}

impl Table {
    pub fn of(asked: &BTreeSet<Extra>) -> Self {
        let there = |counter: &Counter| counter.asks.is_none_or(|extra| asked.contains(&extra));
        let counters: Vec<usize> = (0..COUNTERS.len()).filter(|place| there(&COUNTERS[*place])).collect();
        let find = |name: &str| counters.iter().position(|place| COUNTERS[*place].name == name);
        let sum = |sum: Sum| Some((find(sum.0)?, sum.1.and_then(find)));
        let quotients = QUOTIENTS.iter().filter_map(|quotient| {
            quotient.counters().all(|name| find(name).is_some()).then_some(())?;
            Some(Resolved { quotient, part: sum(quotient.part)?, whole: sum(quotient.whole)? })
        });
        let quotients = quotients.collect();
        Self { counters, quotients }
    }

    pub fn counters(&self) -> impl ExactSizeIterator<Item = &'static Counter> {
        self.counters.iter().map(|place| &COUNTERS[*place])
    }

    /// What stands in the table's order, of what is in the order of [`COUNTERS`].
    pub fn choose<'a>(&'a self, sums: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
        self.counters.iter().map(|place| sums[*place])
    }

    /// `None` for a part of nothing.
    pub fn quotients<'a>(
        &'a self,
        counts: &'a Counts,
        accounts: &Accounts,
    ) -> impl Iterator<Item = (&'static str, Option<Value>)> + 'a {
        let has_all_buckets = accounts.has_all_buckets();
        let of = |(plus, minus): (usize, Option<usize>)| counts.0[plus] - minus.map_or(0, |place| counts.0[place]);
        self.quotients.iter().map(move |resolved| {
            let quotient = resolved.quotient;
            let value = rounded(of(resolved.part), of(resolved.whole), quotient.one);
            if quotient.name == KNOWN_BUCKETS && !has_all_buckets {
                return (quotient.name, Some(Value::Unknown));
            }
            (quotient.name, value.map(quotient.shape))
        })
    }

    pub fn nothing(&self) -> Counts {
        Counts(vec![0; self.counters.len()].into())
    }
}

/// Two decimals, rounded half up in whole numbers, so that no float decides the last digit.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 hundredths nobody counts rules")]
fn rounded(part: u64, whole: u64, one: u32) -> Option<f64> {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let hundredths = (part * 200 * u128::from(one) + whole).checked_div(whole * 2)?;
    Some(hundredths as f64 / 100.0)
}

/// One bucket, as counters see it.
pub(super) struct Subject<'a> {
    pub record: &'a BucketRecord,
    pub evaluation: &'a Evaluation,
}

/// Whether it is one of those that metrics speak of.
fn exists(bucket: &Subject<'_>) -> bool {
    match bucket.record.facts {
        Facts::Read { .. } => true,
        Facts::Vanished { .. } | Facts::Directory { .. } => false,
    }
}

fn is_gone(bucket: &Subject<'_>) -> bool {
    match bucket.record.facts {
        Facts::Vanished { .. } => true,
        Facts::Read { .. } | Facts::Directory { .. } => false,
    }
}

impl Subject<'_> {
    fn state(&self) -> Option<&VersioningState> {
        match &self.record.facts {
            Facts::Read { versioning, .. } => versioning.known(),
            Facts::Vanished { .. } | Facts::Directory { .. } => None,
        }
    }

    fn versioning(&self) -> Option<Versioning> {
        self.state().map(|state| state.versioning)
    }

    fn mfa_delete(&self) -> Option<MfaDelete> {
        self.state().map(|state| state.mfa_delete)
    }

    fn lifecycle(&self) -> Option<&Lifecycle> {
        match &self.record.facts {
            Facts::Read { lifecycle, .. } => lifecycle.known(),
            Facts::Vanished { .. } | Facts::Directory { .. } => None,
        }
    }

    fn has(&self, status: Status) -> bool {
        exists(self) && self.evaluation.status == status
    }

    /// What was read beside versioning and lifecycle; `None` where it is unknown or nobody asked.
    fn extra<T>(&self, of: fn(&Extras) -> Option<&Fact<T>>) -> Option<&T> {
        match &self.record.facts {
            Facts::Read { extras, .. } => of(extras)?.known(),
            Facts::Vanished { .. } | Facts::Directory { .. } => None,
        }
    }

    fn ownership(&self) -> Option<ObjectOwnership> {
        self.extra(|extras| extras.ownership.as_ref()).copied()
    }

    /// Whether a fact that was asked for could not be read; `None` where nobody asked.
    fn lacks<T>(&self, of: fn(&Extras) -> Option<&Fact<T>>) -> Option<bool> {
        match &self.record.facts {
            Facts::Read { extras, .. } => of(extras).map(|fact| fact.known().is_none()),
            Facts::Vanished { .. } | Facts::Directory { .. } => None,
        }
    }

    /// `None` where the rule is unknown, or the bucket gone.
    fn fails(&self, rule: &str) -> Option<bool> {
        let finding = self.evaluation.findings.iter().find(|finding| finding.rule == rule);
        match finding.map(|finding| finding.status) {
            _ if !exists(self) => None,
            Some(Status::Unknown) => None,
            Some(Status::Fail | Status::Waived) => Some(true),
            Some(Status::Pass | Status::NotApplicable) | None => Some(false),
        }
    }
}

impl Counter {
    /// What this bucket adds to the metric; `None` where that is unknown, the bucket gone, or a directory bucket.
    pub fn added_by(&self, subject: &Subject<'_>) -> Option<u32> {
        if let Facts::Directory { .. } = subject.record.facts {
            return None;
        }
        match (self.adds, subject.lifecycle()) {
            (Adds::Bucket(holds), _) => holds(subject).map(u32::from),
            (Adds::Rules(holds), Some(Lifecycle::Present(configuration))) => {
                let rules = configuration.rules.iter().filter(|rule| holds(rule)).count();
                Some(u32::try_from(rules).expect("fewer than 2^32 rules in an answer"))
            }
            (Adds::Rules(_), Some(Lifecycle::None)) => Some(0),
            (Adds::Rules(_), None) => None,
            (Adds::Replication(counts), _) => subject.evaluation.replication.as_ref().map(counts),
        }
    }
}

/// The values of a [`Table`]'s counters for one thing, in their order.
#[derive(Debug, Clone)]
pub(super) struct Counts(pub Box<[u64]>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_have_two_decimals_rounded_half_up_and_are_not_made_of_nothing() {
        let percent = |part, whole| rounded(part, whole, 100);
        assert_eq!(percent(1, 3), Some(33.33));
        assert_eq!(percent(2, 3), Some(66.67));
        assert_eq!(percent(1, 800), Some(0.13));
        assert_eq!(percent(7, 7), Some(100.0));
        assert_eq!(percent(0, 7), Some(0.0));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(u64::MAX, u64::MAX), Some(100.0));
        assert_eq!(rounded(7, 3, 1), Some(2.33));
        assert_eq!(rounded(1, 8, 1), Some(0.13));
    }

    #[test]
    fn names_are_unique_and_every_quotient_names_counters_that_exist() {
        let counters = COUNTERS.iter().map(|counter| counter.name);
        let accounts = ACCOUNT_COUNTERS.iter().map(|counter| counter.name);
        let quotients = QUOTIENTS.iter().map(|quotient| quotient.name);
        let names: Vec<&str> = counters.chain(accounts).chain(quotients).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let table = Table::of(&Extra::ALL.into());
        assert_eq!(table.counters().len(), COUNTERS.len());
        let nothing = table.nothing();
        let values: Vec<_> = table.quotients(&nothing, &Accounts::default()).collect();
        assert_eq!(values.len(), QUOTIENTS.len(), "each names counters that exist");
        assert!(values.iter().all(|(_, value)| value.is_none()));
    }

    #[test]
    fn what_nobody_asked_for_has_no_metric() {
        let table = Table::of(&BTreeSet::from([Extra::Replication]));
        let names: Vec<&str> = table.counters().map(|counter| counter.name).collect();
        assert!(names.contains(&"SameRegionReplicationRuleCount") && !names.contains(&"SSEKMSEnabledBucketCount"));
        let nothing = table.nothing();
        let quotients: Vec<&str> = table.quotients(&nothing, &Accounts::default()).map(|(name, _)| name).collect();
        assert!(quotients.contains(&"AverageReplicationRulesPerBucket"));
        assert!(!quotients.contains(&"SSEKMSEnabledBucketPercent"));
    }

    /// Source: S3 user guide, "Amazon S3 Storage Lens metrics glossary".
    #[test]
    fn the_metrics_that_storage_lens_makes_of_settings_are_there() {
        const GLOSSARY: [&str; 20] = [
            "VersioningEnabledBucketCount",
            "MFADeleteEnabledBucketCount",
            "SSEKMSEnabledBucketCount",
            "ObjectOwnershipBucketOwnerEnforcedBucketCount",
            "ObjectOwnershipBucketOwnerPreferredBucketCount",
            "ObjectOwnershipObjectWriterBucketCount",
            "TransferAccelerationEnabledBucketCount",
            "EventNotificationEnabledBucketCount",
            "TransitionLifecycleRuleCount",
            "ExpirationLifecycleRuleCount",
            "NoncurrentVersionTransitionLifecycleRuleCount",
            "NoncurrentVersionExpirationLifecycleRuleCount",
            "AbortIncompleteMPULifecycleRuleCount",
            "ExpiredObjectDeleteMarkerLifecycleRuleCount",
            "TotalLifecycleRuleCount",
            "SameRegionReplicationRuleCount",
            "CrossRegionReplicationRuleCount",
            "SameAccountReplicationRuleCount",
            "CrossAccountReplicationRuleCount",
            "InvalidDestinationReplicationRuleCount",
        ];
        for name in GLOSSARY {
            assert!(COUNTERS.iter().any(|counter| counter.name == name), "{name}");
        }
    }

    #[test]
    fn rules_that_counters_speak_of_exist() {
        for id in [BLOCKED, CONFLICT, SUSPENDED] {
            assert!(crate::rules::find(id).is_some(), "{id}");
        }
    }
}
