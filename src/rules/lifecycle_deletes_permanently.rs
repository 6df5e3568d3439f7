use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::{Action, Versions};
use crate::model::{Kind, Severity, Standard, Versioning};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-deletes-permanently",
    title: "Lifecycle expires no object for good",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[],
    standards: &[],
    explanation: "Where versioning was never configured, Expiration deletes the object for good; where it is suspended, \
        Expiration deletes the null version for good. No bucket policy stops lifecycle. For scratch data that is what \
        is wanted; for the only copy of something it is not.",
    remediation: "Make sure that nothing in the rule's scope is needed after that age. Where it is, enable versioning \
        first (aws s3api put-bucket-versioning --bucket NAME --versioning-configuration Status=Enabled): Expiration \
        then puts a delete marker on the object, and NoncurrentVersionExpiration says how long it stays.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    match facts.versioning.known().map(|state| state.versioning) {
        Some(Versioning::Enabled) => Verdict::Pass,
        Some(Versioning::Never | Versioning::Partial(_) | Versioning::Suspended) | None => {
            facts.no_action(deletes, analysis::words)
        }
    }
}

fn deletes(case: &Case<'_>) -> Answer {
    match (case.action, case.versions) {
        (Action::Expiration(_), Versions::Unversioned | Versions::Suspended) => case.deletes(),
        _ => Answer::No,
    }
}
