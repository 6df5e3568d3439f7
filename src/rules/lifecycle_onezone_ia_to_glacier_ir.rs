use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::traps::stuck_in_onezone;
use crate::model::{Kind, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-onezone-ia-to-glacier-ir",
    title: "No lifecycle transition leads from ONEZONE_IA to GLACIER_IR",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[],
    standards: &[],
    explanation: "S3 moves objects from ONEZONE_IA to GLACIER and DEEP_ARCHIVE only. Where a transition to ONEZONE_IA comes \
        first, a later one to GLACIER_IR does nothing: the objects stay in a single Availability Zone.",
    remediation: "Move the objects to STANDARD_IA in place of ONEZONE_IA, or on to GLACIER in place of GLACIER_IR \
        (s3:PutLifecycleConfiguration).",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    facts.no_action(stuck, words).informs_under_mfa_delete(facts)
}

fn stuck(case: &Case<'_>) -> Answer {
    match stuck_in_onezone(case.configuration, case.action, case.by, case.today) {
        Some(_) => Answer::Yes,
        None => Answer::No,
    }
}

fn words(case: &Case<'_>) -> String {
    format!("{} does not move what is in ONEZONE_IA by then", analysis::words(case))
}
