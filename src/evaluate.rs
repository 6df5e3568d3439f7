//! Inventory x rules x standard -> findings. Pure: the same facts give the same findings.

use std::sync::Arc;

use time::Date;

use crate::model::{
    AcceptedControl, BucketRecord, Doubt, Facts, Finding, Kind, Reason, Run, Severity, Standard, Status,
};
use crate::policy::Said;
use crate::protection::Protection;
use crate::replication::{Destinations, Tally};
use crate::rules::{self, Analyses, Bucket, BucketFacts, Rule, Setting, Verdict};

/// What the rules say of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// By requirements only: fail before unknown before waived before pass before `not_applicable`.
    pub status: Status,
    /// The worst severity among the failed requirements; `None` when none failed.
    pub severity: Option<Severity>,
    /// What fails, is unknown, waived or not offered by AWS, in the order of `rules::ALL`.
    pub findings: Vec<Finding>,
    pub lifecycle: Analysis,
    /// What the bucket policy says; `None` where nobody asked for it.
    pub policy: Option<Said>,
    /// `None` where nobody asked for all that decides it.
    pub protection: Option<Protection>,
    /// Where replication rules lead; `None` where nobody asked, or it is unknown.
    pub replication: Option<Tally>,
}

/// Whether the rules got what they asked of the lifecycle analyser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analysis {
    Done,
    /// The configuration was read, and some rule could not tell because it could not be analysed.
    Open,
}

impl Evaluation {
    /// Why a fact of the bucket is unknown, with what its policy explains of it where somebody asked for that.
    pub fn doubt(&self, reason: &Arc<Reason>) -> Doubt {
        let is_explained = self.policy.as_ref().is_some_and(|said| said.explains(reason));
        if is_explained { Doubt::DeniedByPolicy(reason.clone()) } else { Doubt::Unread(reason.clone()) }
    }

    pub fn failed(&self, kind: Kind) -> impl Iterator<Item = &'static str> {
        self.findings
            .iter()
            .filter(move |finding| finding.kind == kind && finding.status == Status::Fail)
            .map(|finding| finding.rule)
    }
}

/// Holds the rules against buckets, one after the other. Each bucket's evaluation is its own, whatever came before.
pub struct Evaluator {
    standard: Standard,
    setting: Setting,
    destinations: Destinations,
}

impl Evaluator {
    /// `today`: the day on which the run began, in UTC; lifecycle dates are held against it. `partition`: the second part
    /// of ARNs, `None` where STS did not answer.
    pub fn new(standard: Standard, today: Date, partition: Option<&str>) -> Self {
        let partition = partition.map(str::to_owned);
        let setting =
            Setting { analyses: Analyses::new(today), partition, organization: None, today, accepted: Vec::new() };
        Self { standard, setting, destinations: Destinations::default() }
    }

    /// As a run is judged.
    pub fn of(run: &Run) -> Self {
        let evaluator = Self::new(run.standard, run.start.date(), run.partition.as_deref());
        evaluator
            .in_organization(run.organization_id.as_ref().map(ToString::to_string))
            .accepting(run.accepted_controls.iter().copied())
    }

    /// With the organization that the accounts are in.
    fn in_organization(self, organization: Option<String>) -> Self {
        Self { setting: Setting { organization, ..self.setting }, ..self }
    }

    /// With the controls that [`Standard::CisWithCompensation`] takes for MFA delete.
    #[must_use]
    pub fn accepting(self, accepted: impl IntoIterator<Item = AcceptedControl>) -> Self {
        Self { setting: Setting { accepted: accepted.into_iter().collect(), ..self.setting }, ..self }
    }

    /// With what is known of the destinations of replication rules; without, all of them are unknown.
    #[must_use]
    pub fn knowing(self, destinations: Destinations) -> Self {
        Self { destinations, ..self }
    }

    /// Holds every rule against one bucket.
    pub fn evaluate(&self, record: &BucketRecord) -> Evaluation {
        let mut evaluation = Evaluation {
            status: Status::NotApplicable,
            severity: None,
            findings: Vec::new(),
            lifecycle: Analysis::Done,
            policy: None,
            protection: None,
            replication: self.destinations.tally(record),
        };
        let Facts::Read { versioning, lifecycle, extras } = &record.facts else { return evaluation };
        let bucket = Bucket {
            account: &record.account,
            name: &record.bucket,
            region: &record.region,
            versioning,
            lifecycle,
            extras,
        };
        let facts = BucketFacts::new(bucket, &self.setting);
        for rule in rules::ALL {
            let verdict = (rule.check)(&facts, self.standard);
            if verdict.lacks_analysis() {
                evaluation.lifecycle = Analysis::Open;
            }
            let (status, finding) = judge(rule, verdict, record, &facts);
            if rule.kind == Kind::Requirement {
                evaluation.status = evaluation.status.min(status);
                if status == Status::Fail {
                    evaluation.severity = evaluation.severity.max(finding.as_ref().map(|finding| finding.severity));
                }
            }
            evaluation.findings.extend(finding);
        }
        (evaluation.policy, evaluation.protection) = facts.into_found();
        evaluation
    }
}

fn judge(rule: &Rule, verdict: Verdict, record: &BucketRecord, facts: &BucketFacts<'_>) -> (Status, Option<Finding>) {
    let (status, severity, evidence) = match verdict {
        Verdict::Pass => return (Status::Pass, None),
        Verdict::NotApplicable => return (Status::NotApplicable, None),
        Verdict::NotOffered { evidence } => (Status::NotApplicable, rule.severity, evidence.into()),
        Verdict::Fail { evidence, severity } => (Status::Fail, severity.unwrap_or(rule.severity), evidence),
        Verdict::Waived { evidence } => (Status::Waived, rule.severity, evidence.into()),
        Verdict::Unknown(doubts) => {
            let doubts = doubts.into_iter().map(|doubt| facts.explained(doubt));
            let sentences: Vec<String> = doubts.map(|doubt: Doubt| doubt.sentence()).collect();
            (Status::Unknown, rule.severity, sentences.join("; ").into())
        }
    };
    let finding = Finding {
        account: record.account.clone(),
        region: record.region.clone(),
        bucket: record.bucket.clone(),
        rule: rule.id,
        kind: rule.kind,
        status,
        severity,
        evidence,
        observed_at: record.observed_at(),
    };
    (status, Some(finding))
}
