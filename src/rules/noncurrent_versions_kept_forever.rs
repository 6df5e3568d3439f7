use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::{self, Action};
use crate::model::{Kind, Lifecycle, MfaDelete, Severity, Standard, Versioning};

pub(super) const RULE: Rule = Rule {
    id: "noncurrent-versions-kept-forever",
    title: "Something expires noncurrent versions",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[],
    standards: &[],
    explanation: "The bucket keeps, or kept, versions, and no enabled rule expires those that were overwritten or \
        deleted: they pile up and are paid for until somebody deletes them one by one. With MFA delete on there is no \
        other possibility, because S3 takes no lifecycle configuration beside it.",
    remediation: "Where MFA delete is not needed, add a rule with NoncurrentVersionExpiration: NoncurrentDays long enough \
        to notice a mistake, NewerNoncurrentVersions to keep some in any case (s3:PutLifecycleConfiguration). With \
        MFA delete on, versions can only be deleted by the root user, with a code each time.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let state = facts.versioning.known();
    if state.is_some_and(|state| state.versioning == Versioning::Never) {
        return Verdict::Pass;
    }
    let without = match facts.lifecycle.known() {
        None => return facts.undecided(),
        Some(Lifecycle::None) => "there is no lifecycle configuration",
        Some(Lifecycle::Present(configuration)) => match analysis::reading(configuration) {
            Err(doubt) => return facts.undecided_with(doubt),
            // Of several that match a version one ends it, so no verdict is needed.
            Ok(read) if read.rules.iter().any(expires_noncurrent) => return Verdict::Pass,
            Ok(_) => "no enabled lifecycle rule has NoncurrentVersionExpiration",
        },
    };
    match state.map(|state| state.mfa_delete) {
        None => facts.undecided_by_versioning(),
        Some(MfaDelete::Enabled) => Verdict::fail(format!("{without}, and MFA delete, which is on, allows for none")),
        Some(MfaDelete::Never | MfaDelete::Disabled) => Verdict::fail(without),
    }
}

fn expires_noncurrent(rule: &lifecycle::Rule) -> bool {
    let expires = |action: &Action| matches!(action, Action::NoncurrentVersionExpiration { .. });
    rule.enabled && !rule.filter.is_empty_interval() && rule.actions.iter().any(expires)
}
