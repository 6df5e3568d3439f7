use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::traps::keeping_delete_markers;
use crate::lifecycle::words::scope_in_short;
use crate::model::{Kind, Lifecycle, Severity, Standard, Versioning};

pub(super) const RULE: Rule = Rule {
    id: "delete-markers-kept-forever",
    title: "Lifecycle removes delete markers that have no versions left",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[],
    standards: &[],
    explanation: "NoncurrentVersionExpiration deletes the versions below a delete marker, not the marker itself. Markers \
        without versions pile up, make listings slow and are never removed by themselves.",
    remediation: "Add a rule for the same prefix, without tags and sizes, that has Expiration with \
        ExpiredObjectDeleteMarker set to true (s3:PutLifecycleConfiguration). An Expiration by days for that prefix \
        removes such markers too.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let state = facts.versioning.known().map(|state| state.versioning);
    if state == Some(Versioning::Never) {
        return Verdict::Pass;
    }
    let configuration = match facts.lifecycle.known() {
        None => return facts.undecided(),
        Some(Lifecycle::None) => return Verdict::Pass,
        Some(Lifecycle::Present(configuration)) => match analysis::reading(configuration) {
            Ok(configuration) => configuration,
            Err(doubt) => return facts.undecided_with(doubt),
        },
    };
    let keeping = keeping_delete_markers(configuration);
    if keeping.is_empty() {
        return Verdict::Pass;
    }
    if state.is_none() {
        return facts.undecided_by_versioning();
    }
    let words = |rule: &usize| {
        let rule = &configuration.rules[*rule];
        format!("rule {} ({})", rule.id, scope_in_short(&rule.filter))
    };
    let rules = analysis::list(&keeping, "; ", words);
    Verdict::fail(format!("{rules}: noncurrent versions expire, and no rule removes the delete markers"))
        .informs_under_mfa_delete(facts)
}
