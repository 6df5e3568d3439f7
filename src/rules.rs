//! The rules: one small file each, with its metadata, logic, words and tests together.
//!
//! To add one: write `rules/<name>.rs`, add its line to [`ALL`] and a truth table `fixtures/rules/<id>.json`; a test
//! finds what was forgotten. Rules about what lifecycle actions do ask [`analysis`].

mod analysis;
mod incomplete_uploads_kept_forever;
mod lifecycle_bypasses_mfa_delete;
mod lifecycle_date_in_past;
mod lifecycle_deletes_noncurrent_versions;
mod lifecycle_deletes_permanently;
mod lifecycle_missing;
mod lifecycle_rule_never_applies;
mod lifecycle_rule_shadowed;
mod lifecycle_transition_too_late;
mod mfa_delete_blocked_by_lifecycle;
mod mfa_delete_enabled;
mod mfa_delete_versioning_suspended;
mod noncurrent_versions_kept_forever;
mod versioning_enabled;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use crate::model::{
    Fact, Kind, Lifecycle, LifecycleConfiguration, MfaDelete, Reason, RuleStatus, Severity, Standard, VersioningState,
};
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
    lifecycle_missing::RULE,
    lifecycle_rule_shadowed::RULE,
    mfa_delete_blocked_by_lifecycle::RULE,
    noncurrent_versions_kept_forever::RULE,
    incomplete_uploads_kept_forever::RULE,
];

pub struct Rule {
    /// Kebab case; stable: reports and people refer to it.
    pub id: &'static str,
    pub title: &'static str,
    pub kind: Kind,
    /// The severity of a finding, unless the verdict names another.
    pub severity: Severity,
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

/// What a rule is given of a bucket that exists.
pub struct BucketFacts<'a> {
    pub versioning: &'a Fact<VersioningState>,
    pub lifecycle: &'a Fact<Lifecycle>,
    analyses: &'a Analyses,
    /// The verdicts on the bucket's configuration, once a rule has asked for them.
    judged: OnceCell<Vec<analysis::Judged>>,
}

/// What a rule says. `Unknown` only where the known facts do not already decide, and then with every reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail { evidence: Cow<'static, str>, severity: Option<Severity> },
    Unknown(Vec<Doubt>),
    NotApplicable,
}

/// Why a rule cannot tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// A fact that could not be read.
    Unread(Arc<Reason>),
    /// The lifecycle configuration was read, and what its rules do together could not be found out: why.
    NotAnalysed(String),
}

impl Doubt {
    pub fn sentence(&self) -> String {
        match self {
            Self::Unread(reason) => reason.sentence(),
            Self::NotAnalysed(why) => format!("{NOT_ANALYSED}: {why}"),
        }
    }
}

/// With these words the evidence of a rule begins that has no verdicts to go by.
const NOT_ANALYSED: &str = "the lifecycle configuration could not be analysed";

impl Verdict {
    fn fail(evidence: impl Into<Cow<'static, str>>) -> Self {
        Self::Fail { evidence: evidence.into(), severity: None }
    }

    /// Whether it is unknown because the lifecycle configuration could not be analysed.
    pub fn lacks_analysis(&self) -> bool {
        match self {
            Self::Unknown(doubts) => doubts.iter().any(|doubt| matches!(doubt, Doubt::NotAnalysed(_))),
            Self::Pass | Self::Fail { .. } | Self::NotApplicable => false,
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
    pub fn new(versioning: &'a Fact<VersioningState>, lifecycle: &'a Fact<Lifecycle>, analyses: &'a Analyses) -> Self {
        Self { versioning, lifecycle, analyses, judged: OnceCell::new() }
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
