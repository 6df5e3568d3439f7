use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::traps::is_early_for_infrequent_access;
use crate::model::{Kind, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-infrequent-access-early",
    title: "Lifecycle moves nothing to an infrequent access class before 30 days",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[],
    standards: &[],
    explanation: "STANDARD_IA and ONEZONE_IA are charged for 30 days at least, and for each access. Since July 2026 the \
        user guide allows transitions before an object is 30 days old; the API reference still asks for more. New \
        objects are often read, moved on or deleted within that time.",
    remediation: "Move objects to these classes at 30 days or later, or use INTELLIGENT_TIERING, which has no minimum \
        duration. Where the objects are known to be rarely read from the start, nothing is to be done.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    facts.no_action(early, analysis::words)
}

fn early(case: &Case<'_>) -> Answer {
    if is_early_for_infrequent_access(case.action) { case.applies() } else { Answer::No }
}
