use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::Action;
use crate::model::{Kind, Severity, Standard, Versioning};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-deletes-noncurrent-versions",
    title: "Lifecycle deletes no noncurrent versions",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[],
    standards: &[],
    explanation: "NoncurrentVersionExpiration deletes overwritten and deleted versions for good, without a request and \
        whatever the bucket policy says. It is the usual way to keep a versioned bucket from growing; where versions \
        are the protection against mistakes and ransomware, it says how long that protection lasts.",
    remediation: "Make sure that NoncurrentDays leaves time to notice a mistake, and keep some versions whatever their \
        age (NewerNoncurrentVersions). Where nothing may go at all, remove the action, or protect versions with Object \
        Lock, which lifecycle respects.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    match facts.versioning.known().map(|state| state.versioning) {
        Some(Versioning::Never) => Verdict::Pass,
        Some(Versioning::Enabled | Versioning::Partial(_) | Versioning::Suspended) | None => {
            facts.no_action(deletes, words)
        }
    }
}

fn deletes(case: &Case<'_>) -> Answer {
    match case.action {
        Action::NoncurrentVersionExpiration { .. } => case.deletes(),
        _ => Answer::No,
    }
}

fn words(case: &Case<'_>) -> String {
    let none = match case.action {
        Action::NoncurrentVersionExpiration { newer: 0, .. } => ", keeping none",
        _ => "",
    };
    analysis::words(case) + none
}
