//! The rules: one small file each, with its metadata, logic, words and tests together.
//!
//! To add one: write `rules/<name>.rs`, add its line to [`ALL`] and a truth table `fixtures/rules/<id>.json`; a test
//! finds what was forgotten.

mod lifecycle_bypasses_mfa_delete;
mod mfa_delete_blocked_by_lifecycle;
mod mfa_delete_enabled;
mod mfa_delete_versioning_suspended;
mod versioning_enabled;

use std::sync::Arc;

use crate::model::{Fact, Kind, Lifecycle, Reason, Severity, Standard, VersioningState};

/// Every rule, in the order in which reports name them: requirements first.
pub const ALL: &[Rule] = &[
    mfa_delete_enabled::RULE,
    versioning_enabled::RULE,
    mfa_delete_versioning_suspended::RULE,
    lifecycle_bypasses_mfa_delete::RULE,
    mfa_delete_blocked_by_lifecycle::RULE,
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
}

/// What a rule says. `Unknown` only where the known facts do not already decide, and then with every reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail { evidence: String, severity: Option<Severity> },
    Unknown(Vec<Arc<Reason>>),
    NotApplicable,
}

impl Verdict {
    fn fail(evidence: impl Into<String>) -> Self {
        Self::Fail { evidence: evidence.into(), severity: None }
    }
}

impl BucketFacts<'_> {
    /// The verdict of a rule that the known facts do not decide: every reason of every unknown fact, equal ones once.
    fn undecided(&self) -> Verdict {
        let mut reasons: Vec<Arc<Reason>> =
            [self.versioning.reason(), self.lifecycle.reason()].into_iter().flatten().cloned().collect();
        reasons.dedup();
        Verdict::Unknown(reasons)
    }

    /// The same for a rule that asks for the versioning state alone.
    fn undecided_by_versioning(&self) -> Verdict {
        Verdict::Unknown(self.versioning.reason().into_iter().cloned().collect())
    }
}

/// The part of a finding's evidence that names lifecycle rules: `rules a, b (disabled), c and 4 more`.
fn name_rules(lifecycle: &crate::model::LifecycleConfiguration) -> String {
    const NAMED: usize = 5;
    let rules = &lifecycle.rules;
    if rules.is_empty() {
        return "no rules".to_owned();
    }
    let named = rules.iter().take(NAMED).map(|rule| match &rule.status {
        crate::model::RuleStatus::Enabled => rule.id.clone(),
        crate::model::RuleStatus::Disabled => format!("{} (disabled)", rule.id),
        crate::model::RuleStatus::Other(word) => format!("{} (status {word:?})", rule.id),
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
