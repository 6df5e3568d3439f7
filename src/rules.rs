//! The rules: one small file each, with its metadata, logic, words and tests together.
//!
//! To add one: write `rules/<name>.rs`, add its line to [`ALL`] and a truth table `fixtures/rules/<id>.json`; a test
//! finds what was forgotten. Rules about what lifecycle actions do ask [`analysis`],
//! those about the bucket policy [`policy_access`], those about what protects a bucket [`threats`].

mod analysis;
mod delete_markers_kept_forever;
mod incomplete_uploads_kept_forever;
mod lifecycle_bypasses_mfa_delete;
mod lifecycle_date_in_past;
mod lifecycle_deletes_noncurrent_versions;
mod lifecycle_deletes_permanently;
mod lifecycle_infrequent_access_early;
mod lifecycle_missing;
mod lifecycle_onezone_ia_to_glacier_ir;
mod lifecycle_prefix_taken_literally;
mod lifecycle_rule_never_applies;
mod lifecycle_rule_shadowed;
mod lifecycle_small_objects_stay;
mod lifecycle_transition_too_late;
mod mfa_delete_blocked_by_lifecycle;
mod mfa_delete_enabled;
mod mfa_delete_versioning_suspended;
mod noncurrent_expiration_below_retention;
mod noncurrent_versions_kept_forever;
mod nothing_against_administrator;
mod nothing_against_lifecycle_rule;
mod nothing_against_script;
mod nothing_against_user_keys;
mod object_lock_without_retention;
mod policy_access;
mod policy_mfa_to_change_lifecycle;
mod policy_mfa_to_change_policy;
mod policy_mfa_to_change_versioning;
mod policy_mfa_to_delete_objects;
mod policy_mfa_to_delete_versions;
mod replication_within_account;
mod threats;
mod versioning_enabled;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use time::Date;

use crate::model::{
    AcceptedControl, AccountId, Doubt, Extra, Extras, Fact, Kind, Lifecycle, LifecycleConfiguration, MfaDelete, Reason,
    Region, RuleStatus, Severity, Standard, VersioningState,
};
use crate::policy::{Place, Said};
use crate::protection::{Facts as Protected, Protection};
pub use analysis::Analyses;

/// Every rule, in the order in which reports name them: requirements first.
pub const ALL: &[Rule] = &[
    mfa_delete_enabled::RULE,
    versioning_enabled::RULE,
    mfa_delete_versioning_suspended::RULE,
    lifecycle_bypasses_mfa_delete::RULE,
    lifecycle_date_in_past::RULE,
    lifecycle_deletes_permanently::RULE,
    lifecycle_deletes_noncurrent_versions::RULE,
    lifecycle_rule_never_applies::RULE,
    lifecycle_transition_too_late::RULE,
    lifecycle_onezone_ia_to_glacier_ir::RULE,
    lifecycle_prefix_taken_literally::RULE,
    lifecycle_missing::RULE,
    lifecycle_rule_shadowed::RULE,
    mfa_delete_blocked_by_lifecycle::RULE,
    noncurrent_versions_kept_forever::RULE,
    incomplete_uploads_kept_forever::RULE,
    delete_markers_kept_forever::RULE,
    lifecycle_small_objects_stay::RULE,
    lifecycle_infrequent_access_early::RULE,
    policy_mfa_to_delete_versions::RULE,
    policy_mfa_to_delete_objects::RULE,
    policy_mfa_to_change_versioning::RULE,
    policy_mfa_to_change_lifecycle::RULE,
    policy_mfa_to_change_policy::RULE,
    nothing_against_administrator::RULE,
    nothing_against_user_keys::RULE,
    nothing_against_lifecycle_rule::RULE,
    nothing_against_script::RULE,
    object_lock_without_retention::RULE,
    replication_within_account::RULE,
    noncurrent_expiration_below_retention::RULE,
];

pub struct Rule {
    /// Kebab case; stable: reports and people refer to it.
    pub id: &'static str,
    pub title: &'static str,
    pub kind: Kind,
    /// The severity of a finding, unless the verdict names another.
    pub severity: Severity,
    /// What it looks at beside versioning and lifecycle. Where that was not asked for it says nothing.
    pub asks: &'static [Extra],
    pub standards: &'static [Reference],
    /// What the rule looks at and why it matters.
    pub explanation: &'static str,
    /// What to do, true for AWS as it is.
    pub remediation: &'static str,
    pub check: fn(&BucketFacts<'_>, Standard) -> Verdict,
}

/// Where a published standard asks for the same.
pub struct Reference {
    /// For example `CIS AWS Foundations 5.0.0`.
    pub standard: &'static str,
    /// The item's id in it.
    pub id: &'static str,
    /// The severity the standard gives it, where it gives one.
    pub severity: Option<&'static str>,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.standard, self.id)?;
        self.severity.map_or(Ok(()), |severity| write!(f, " ({severity})"))
    }
}

/// What was read of a bucket that exists.
#[derive(Clone, Copy)]
pub struct Bucket<'a> {
    pub account: &'a AccountId,
    pub name: &'a str,
    pub region: &'a Region,
    pub versioning: &'a Fact<VersioningState>,
    pub lifecycle: &'a Fact<Lifecycle>,
    pub extras: &'a Extras,
}

/// What is the same for all buckets of a run.
pub struct Setting {
    pub analyses: Analyses,
    /// The second part of ARNs; `None` where STS did not answer.
    pub partition: Option<String>,
    /// The organization of the run's accounts, where there is one.
    pub organization: Option<String>,
    /// The day on which the run began, in UTC.
    pub today: Date,
    /// What [`Standard::CisWithCompensation`] takes for MFA delete.
    pub accepted: Vec<AcceptedControl>,
}

/// What a rule is given of a bucket that exists.
pub struct BucketFacts<'a> {
    pub versioning: &'a Fact<VersioningState>,
    pub lifecycle: &'a Fact<Lifecycle>,
    pub extras: &'a Extras,
    account: &'a AccountId,
    name: &'a str,
    region: &'a Region,
    setting: &'a Setting,
    /// The verdicts on the bucket's configuration, once a rule has asked for them.
    judged: OnceCell<Vec<analysis::Judged>>,
    said: OnceCell<Said>,
    protection: OnceCell<Protection>,
}

/// What a rule says. `Unknown` only where the known facts do not already decide, and then with every reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail {
        evidence: Cow<'static, str>,
        severity: Option<Severity>,
    },
    /// It fails, and is excused: why.
    Waived {
        evidence: String,
    },
    Unknown(Vec<Doubt>),
    NotApplicable,
    /// AWS documents that the bucket cannot have it: why. Nothing that the owner does changes that.
    NotOffered {
        evidence: &'static str,
    },
}

/// Source: AWS `GovCloud` (US) user guide, "Amazon S3": MFA delete is not available in its Regions.
const NOT_IN_GOVCLOUD: &str = "AWS does not offer MFA delete in the AWS GovCloud (US) Regions";

impl Verdict {
    fn fail(evidence: impl Into<Cow<'static, str>>) -> Self {
        Self::Fail { evidence: evidence.into(), severity: None }
    }

    /// Whether it is unknown because the lifecycle configuration could not be analysed.
    pub fn lacks_analysis(&self) -> bool {
        match self {
            Self::Unknown(doubts) => doubts.iter().any(|doubt| matches!(doubt, Doubt::NotAnalysed(_))),
            Self::Pass | Self::Fail { .. } | Self::Waived { .. } | Self::NotApplicable | Self::NotOffered { .. } => {
                false
            }
        }
    }

    /// For a rule whose remedy is a lifecycle configuration, new or changed: S3 refuses it while MFA delete is on, so
    /// there a finding can only inform.
    fn informs_under_mfa_delete(self, facts: &BucketFacts<'_>) -> Self {
        let is_on = facts.versioning.known().is_some_and(|state| state.mfa_delete == MfaDelete::Enabled);
        match self {
            Self::Fail { evidence, .. } if is_on => Self::Fail { evidence, severity: Some(Severity::Info) },
            verdict => verdict,
        }
    }
}

impl<'a> BucketFacts<'a> {
    pub fn new(bucket: Bucket<'a>, setting: &'a Setting) -> Self {
        let Bucket { account, name, region, versioning, lifecycle, extras } = bucket;
        let (judged, said, protection) = Default::default();
        Self { versioning, lifecycle, extras, account, name, region, setting, judged, said, protection }
    }

    /// Whether the bucket is in AWS `GovCloud` (US). Where the run does not know its partition, the Region decides.
    fn is_in_govcloud(&self) -> bool {
        match self.setting.partition.as_deref() {
            Some(partition) => partition == "aws-us-gov",
            None => self.region.as_str().starts_with("us-gov-"),
        }
    }

    /// What the bucket policy says; `None` where nobody asked for it.
    pub fn said(&self) -> Option<&Said> {
        let policy = self.extras.policy.as_ref()?;
        Some(self.said.get_or_init(|| {
            let place = self.setting.partition.as_ref().map(|partition| Place {
                bucket: self.name.to_owned(),
                account: self.account.clone(),
                partition: partition.clone(),
                organization: self.setting.organization.clone(),
                today: self.setting.today,
            });
            Said::of(policy, place)
        }))
    }

    /// How the bucket is protected; `None` where nobody asked for all that decides it.
    pub fn asked_protection(&self) -> Option<&Protection> {
        let Extras { policy, object_lock, replication, .. } = self.extras;
        (policy.is_some() && object_lock.is_some() && replication.is_some()).then(|| self.protection())
    }

    /// The same, where what was not asked for is unknown.
    fn protection(&self) -> &Protection {
        self.protection.get_or_init(|| {
            let protected = Protected {
                account: self.account,
                versioning: self.versioning,
                lifecycle: self.lifecycle,
                extras: self.extras,
                policy: self.said(),
                noncurrent: self.noncurrent(),
            };
            Protection::of(&protected).explained(|doubt| self.explained(doubt))
        })
    }

    /// With what the bucket's own policy explains of a refusal.
    pub fn explained(&self, doubt: Doubt) -> Doubt {
        match doubt {
            Doubt::Unread(reason) if self.said().is_some_and(|said| said.explains(&reason)) => {
                Doubt::DeniedByPolicy(reason)
            }
            doubt => doubt,
        }
    }

    /// What was found out of the policy and the protection, where it was asked for.
    pub fn into_found(self) -> (Option<Said>, Option<Protection>) {
        let has_protection = self.asked_protection().is_some();
        let has_said = self.said().is_some();
        (self.said.into_inner().filter(|_| has_said), self.protection.into_inner().filter(|_| has_protection))
    }

    /// The verdict of a rule that the known facts do not decide: every reason of every unknown fact, equal ones once.
    fn undecided(&self) -> Verdict {
        let mut reasons: Vec<&Arc<Reason>> =
            [self.versioning.reason(), self.lifecycle.reason()].into_iter().flatten().collect();
        reasons.dedup();
        Verdict::Unknown(reasons.into_iter().cloned().map(Doubt::Unread).collect())
    }

    /// The same for a rule that asks for the versioning state alone.
    fn undecided_by_versioning(&self) -> Verdict {
        Verdict::Unknown(self.versioning.reason().into_iter().cloned().map(Doubt::Unread).collect())
    }

    /// The same for a rule that asks for the lifecycle configuration alone.
    fn undecided_by_lifecycle(&self) -> Verdict {
        Verdict::Unknown(self.lifecycle.reason().into_iter().cloned().map(Doubt::Unread).collect())
    }
}

/// The part of a finding's evidence that names lifecycle rules: `rules a, b (disabled), c and 4 more`.
fn name_rules(lifecycle: &LifecycleConfiguration) -> String {
    const NAMED: usize = 5;
    let rules = &lifecycle.rules;
    if rules.is_empty() {
        return "no rules".to_owned();
    }
    let named = rules.iter().take(NAMED).map(|rule| match &rule.status {
        RuleStatus::Enabled => rule.id.clone(),
        RuleStatus::Disabled => format!("{} (disabled)", rule.id),
        RuleStatus::Other(word) => format!("{} (status {word:?})", rule.id),
    });
    let text = named.collect::<Vec<_>>().join(", ");
    let word = if rules.len() == 1 { "rule" } else { "rules" };
    match rules.len().checked_sub(NAMED) {
        None | Some(0) => format!("{word} {text}"),
        Some(more) => format!("{word} {text} and {more} more"),
    }
}

/// By id; rules are few.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests;
