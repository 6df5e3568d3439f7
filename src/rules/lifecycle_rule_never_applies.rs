use super::analysis::{Answer, Case};
use super::lifecycle_transition_too_late::expired_before;
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::{self, Action, Versions};
use crate::model::{Kind, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-rule-never-applies",
    title: "Every action of an enabled lifecycle rule can take effect",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[],
    standards: &[],
    explanation: "An action of an enabled rule applies to no object: other rules always come first, no object has the \
        size that the filter asks for, or a bucket that never had versioning has nothing for it. Somebody believes in \
        an archive or a deletion that never happens. A transition that comes too late has a rule of its own.",
    remediation: "Look at the rules together (bucketlens lifecycle check) and correct the days, the filter or the \
        storage class of one of them, or remove the action. On a bucket with MFA delete S3 takes no configuration.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    facts.no_action(never_applies, words).informs_under_mfa_delete(facts)
}

fn never_applies(case: &Case<'_>) -> Answer {
    match case.action {
        // It asks for nothing.
        Action::ExpiredObjectDeleteMarker(false) => Answer::No,
        _ if expired_before(case).is_some() => Answer::No,
        _ => case.is(&[lifecycle::Verdict::NeverApplies, lifecycle::Verdict::NoEffect]),
    }
}

fn words(case: &Case<'_>) -> String {
    let why = if case.verdict == lifecycle::Verdict::NeverApplies {
        case.prevailing()
    } else if case.versions == Versions::Unversioned && !case.rule.filter.is_empty_interval() {
        "the bucket never had versions".to_owned()
    } else {
        "no object has a size that the filter matches".to_owned()
    };
    format!("{} never applies, {why}", analysis::words(case))
}
