//! The tables of metrics. Names that Storage Lens has mean what Storage Lens means by them.
//!
//! Source: S3 user guide, "Amazon S3 Storage Lens metrics glossary". Where it leaves something open: a rule counts
//! whether it is enabled or disabled, and once for each kind of action, however many of that kind it has; a rule with
//! two kinds is in two counters, so the counters do not add up to the total. Only configurations that were read count.

use super::Value;
use crate::evaluate::Evaluation;
use crate::model::{
    ActionKind, BucketRecord, Facts, Lifecycle, LifecycleRule, MfaDelete, Outcome, Status, Versioning, VersioningState,
};

/// A metric that counts: its name and what one bucket adds.
pub(super) struct Counter {
    pub name: &'static str,
    adds: Adds,
}

#[derive(Clone, Copy)]
enum Adds {
    /// One, if this holds of the bucket; `None` where nobody can say.
    Bucket(fn(&Subject<'_>) -> Option<bool>),
    /// The lifecycle rules of which this holds.
    Rules(fn(&LifecycleRule) -> bool),
}

const fn buckets(name: &'static str, holds: fn(&Subject<'_>) -> Option<bool>) -> Counter {
    Counter { name, adds: Adds::Bucket(holds) }
}

const fn rules(name: &'static str, holds: fn(&LifecycleRule) -> bool) -> Counter {
    Counter { name, adds: Adds::Rules(holds) }
}

/// Rules whose findings are counted.
const BLOCKED: &str = "mfa-delete-blocked-by-lifecycle";
const CONFLICT: &str = "lifecycle-bypasses-mfa-delete";
const SUSPENDED: &str = "mfa-delete-versioning-suspended";

/// Vanished buckets are in `VanishedBucketCount` and nowhere else. A rule of ours that fails and is waived still
/// counts where a metric speaks of the bucket (blocked, conflict, suspended): the excuse does not change the fact.
pub(super) const COUNTERS: &[Counter] = &[
    buckets("BucketCount", |bucket| Some(exists(bucket))),
    buckets("UnknownBucketCount", |bucket| Some(bucket.record.has_unknown())),
    buckets("VanishedBucketCount", |bucket| Some(!exists(bucket))),
    buckets("VersioningEnabledBucketCount", |bucket| Some(bucket.versioning()? == Versioning::Enabled)),
    buckets("VersioningSuspendedBucketCount", |bucket| Some(bucket.versioning()? == Versioning::Suspended)),
    buckets("VersioningNeverBucketCount", |bucket| Some(bucket.versioning()? == Versioning::Never)),
    buckets("VersioningUnknownBucketCount", |bucket| Some(exists(bucket) && bucket.versioning().is_none())),
    buckets("MFADeleteEnabledBucketCount", |bucket| Some(bucket.mfa_delete()? == MfaDelete::Enabled)),
    buckets("MFADeleteDisabledBucketCount", |bucket| Some(bucket.mfa_delete()? == MfaDelete::Disabled)),
    buckets("MFADeleteNeverBucketCount", |bucket| Some(bucket.mfa_delete()? == MfaDelete::Never)),
    buckets("MFADeleteUnknownBucketCount", |bucket| Some(exists(bucket) && bucket.mfa_delete().is_none())),
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
];

/// A metric that counts accounts; in the scopes that can hold several, organization and OU.
pub(super) struct AccountCounter {
    pub name: &'static str,
    pub counts: fn(&Outcome) -> bool,
}

pub(super) const ACCOUNT_COUNTERS: &[AccountCounter] = &[
    AccountCounter { name: "AccountCount", counts: |_| true },
    AccountCounter { name: "IncompleteAccountCount", counts: |outcome| matches!(outcome, Outcome::Incomplete(_)) },
    AccountCounter { name: "FailedAccountCount", counts: |outcome| matches!(outcome, Outcome::Failed(_)) },
    AccountCounter { name: "SkippedAccountCount", counts: |outcome| matches!(outcome, Outcome::Skipped(_)) },
];

/// A metric that is a part of a whole.
pub(super) struct Percentage {
    pub name: &'static str,
    part: fn(&Counts) -> u64,
    whole: fn(&Counts) -> u64,
}

const ALL_BUCKETS: fn(&Counts) -> u64 = |counts| counts.of("BucketCount");
/// MFA delete and versioning come in one answer: where the one is known, the other is.
const KNOWN_VERSIONING: fn(&Counts) -> u64 =
    |counts| counts.of("BucketCount") - counts.of("VersioningUnknownBucketCount");
const MFA_DELETE: fn(&Counts) -> u64 = |counts| counts.of("MFADeleteEnabledBucketCount");
const VERSIONING: fn(&Counts) -> u64 = |counts| counts.of("VersioningEnabledBucketCount");
const KNOWN: fn(&Counts) -> u64 = |counts| counts.of("BucketCount") - counts.of("UnknownBucketCount");

/// `...BucketPercent` is of all buckets, as Storage Lens derives it (unknown ones count as not enabled there);
/// `...OfKnownPercent` is of the buckets whose fact is known.
pub(super) const PERCENTAGES: &[Percentage] = &[
    Percentage { name: "MFADeleteEnabledBucketPercent", part: MFA_DELETE, whole: ALL_BUCKETS },
    Percentage { name: "MFADeleteEnabledOfKnownPercent", part: MFA_DELETE, whole: KNOWN_VERSIONING },
    Percentage { name: "VersioningEnabledBucketPercent", part: VERSIONING, whole: ALL_BUCKETS },
    Percentage { name: "VersioningEnabledOfKnownPercent", part: VERSIONING, whole: KNOWN_VERSIONING },
    Percentage { name: "KnownBucketPercent", part: KNOWN, whole: ALL_BUCKETS },
];

impl Percentage {
    /// `None` for a part of nothing.
    pub fn of(&self, counts: &Counts) -> Option<Value> {
        percent((self.part)(counts), (self.whole)(counts)).map(Value::Percent)
    }
}

/// Rounded half up in whole numbers, so that no float decides the last digit.
fn percent(part: u64, whole: u64) -> Option<f64> {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let hundredths = (part * 20_000 + whole).checked_div(whole * 2)?;
    let hundredths = u32::try_from(hundredths).expect("a part is at most the whole");
    Some(f64::from(hundredths) / 100.0)
}

/// One bucket, as counters see it.
pub(super) struct Subject<'a> {
    pub record: &'a BucketRecord,
    pub evaluation: &'a Evaluation,
}

fn exists(bucket: &Subject<'_>) -> bool {
    match bucket.record.facts {
        Facts::Read { .. } => true,
        Facts::Vanished { .. } => false,
    }
}

impl Subject<'_> {
    fn state(&self) -> Option<&VersioningState> {
        match &self.record.facts {
            Facts::Read { versioning, .. } => versioning.known(),
            Facts::Vanished { .. } => None,
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
            Facts::Vanished { .. } => None,
        }
    }

    fn has(&self, status: Status) -> bool {
        exists(self) && self.evaluation.status == status
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
    /// What this bucket adds to the metric; `None` where that is unknown, or the bucket gone.
    pub fn added_by(&self, subject: &Subject<'_>) -> Option<u32> {
        match (self.adds, subject.lifecycle()) {
            (Adds::Bucket(holds), _) => holds(subject).map(u32::from),
            (Adds::Rules(holds), Some(Lifecycle::Present(configuration))) => {
                let rules = configuration.rules.iter().filter(|rule| holds(rule)).count();
                Some(u32::try_from(rules).expect("fewer than 2^32 rules in an answer"))
            }
            (Adds::Rules(_), Some(Lifecycle::None)) => Some(0),
            (Adds::Rules(_), None) => None,
        }
    }
}

/// The values of [`COUNTERS`] for one thing, in their order.
#[derive(Debug, Clone)]
pub(super) struct Counts(pub [u64; COUNTERS.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; COUNTERS.len()])
    }
}

impl Counts {
    pub fn of(&self, name: &str) -> u64 {
        let index = COUNTERS.iter().position(|counter| counter.name == name);
        self.0[index.unwrap_or_else(|| panic!("{name} is no line of COUNTERS"))]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn percentages_have_two_decimals_rounded_half_up_and_are_not_made_of_nothing() {
        assert_eq!(percent(1, 3), Some(33.33));
        assert_eq!(percent(2, 3), Some(66.67));
        assert_eq!(percent(1, 800), Some(0.13));
        assert_eq!(percent(7, 7), Some(100.0));
        assert_eq!(percent(0, 7), Some(0.0));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(u64::MAX, u64::MAX), Some(100.0));
    }

    #[test]
    fn names_are_unique_and_every_percentage_names_counters_that_exist() {
        let counters = COUNTERS.iter().map(|counter| counter.name);
        let accounts = ACCOUNT_COUNTERS.iter().map(|counter| counter.name);
        let percentages = PERCENTAGES.iter().map(|percentage| percentage.name);
        let names: Vec<&str> = counters.chain(accounts).chain(percentages).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for percentage in PERCENTAGES {
            assert_eq!(percentage.of(&Counts::default()), None, "{}", percentage.name);
        }
    }

    #[test]
    fn rules_that_counters_speak_of_exist() {
        for id in [BLOCKED, CONFLICT, SUSPENDED] {
            assert!(crate::rules::find(id).is_some(), "{id}");
        }
    }
}
