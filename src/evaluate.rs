//! Inventory x rules x standard -> findings. Pure: the same facts give the same findings.

use crate::model::{BucketRecord, Facts, Finding, Kind, Reason, Severity, Standard, Status};
use crate::rules::{self, BucketFacts, Rule, Verdict};

/// What the rules say of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// By requirements only: fail before unknown before waived before pass before `not_applicable`.
    pub status: Status,
    /// The worst severity among the failed requirements; `None` when none failed.
    pub severity: Option<Severity>,
    /// What fails, is unknown or waived, in the order of `rules::ALL`.
    pub findings: Vec<Finding>,
}

impl Evaluation {
    pub fn failed(&self, kind: Kind) -> impl Iterator<Item = &'static str> {
        self.findings
            .iter()
            .filter(move |finding| finding.kind == kind && finding.status == Status::Fail)
            .map(|finding| finding.rule)
    }
}

/// Holds every rule against one bucket.
pub fn evaluate(record: &BucketRecord, standard: Standard) -> Evaluation {
    let Facts::Read { versioning, lifecycle } = &record.facts else {
        return Evaluation { status: Status::NotApplicable, severity: None, findings: Vec::new() };
    };
    let facts = BucketFacts { versioning, lifecycle };
    let mut evaluation = Evaluation { status: Status::NotApplicable, severity: None, findings: Vec::new() };
    for rule in rules::ALL {
        let (status, finding) = judge(rule, (rule.check)(&facts, standard), record);
        if rule.kind == Kind::Requirement {
            evaluation.status = evaluation.status.min(status);
            if status == Status::Fail {
                evaluation.severity = evaluation.severity.max(finding.as_ref().map(|finding| finding.severity));
            }
        }
        evaluation.findings.extend(finding);
    }
    evaluation
}

fn judge(rule: &Rule, verdict: Verdict, record: &BucketRecord) -> (Status, Option<Finding>) {
    let (status, severity, evidence) = match verdict {
        Verdict::Pass => return (Status::Pass, None),
        Verdict::NotApplicable => return (Status::NotApplicable, None),
        Verdict::Fail { evidence, severity } => (Status::Fail, severity.unwrap_or(rule.severity), evidence),
        Verdict::Unknown(reasons) => {
            let sentences: Vec<String> = reasons.iter().map(|reason| Reason::sentence(reason)).collect();
            (Status::Unknown, rule.severity, sentences.join("; "))
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
