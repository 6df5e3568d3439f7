use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle;
use crate::model::{Kind, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-rule-shadowed",
    title: "No lifecycle rule takes objects from another",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[],
    standards: &[],
    explanation: "An action does not apply to some of the objects that its rule matches, because other rules come first \
        there: the shorter expiration, the cheaper class. Neither the order of rules nor the longer prefix decides. \
        Often that is meant; where it is not, objects are deleted or moved earlier than their own rule says.",
    remediation: "If it is not meant, narrow the filter of the rule that prevails or change its days. S3 has no \
        exclusion: objects with another retention need a tag or a prefix of their own. bucketlens lifecycle check \
        shows what each object meets.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    facts.no_action(shadowed, words).informs_under_mfa_delete(facts)
}

fn shadowed(case: &Case<'_>) -> Answer {
    case.is(&[lifecycle::Verdict::PartlyShadowed])
}

fn words(case: &Case<'_>) -> String {
    format!("{} does not apply to some of these objects, {} there", analysis::words(case), case.prevailing())
}
