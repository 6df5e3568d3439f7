//! What the rules about MFA in the bucket policy have in common.

use super::{BucketFacts, Verdict};
use crate::model::{Doubt, MfaDelete, Severity};
use crate::policy::{self, Access, Group, Said};

/// Passes where the policy demands MFA of everybody for these actions, or denies them to everybody, and leaves no way
/// round but that of the root user, which no policy closes. Where it was meant to demand it and has a hole, that is worse than where nothing is demanded.
pub(super) fn demands_mfa(facts: &BucketFacts<'_>, group: Group) -> Verdict {
    let verdict = match facts.said() {
        None => return Verdict::NotApplicable,
        Some(Said::Unknown(doubt)) => return Verdict::Unknown(vec![doubt.clone()]),
        Some(Said::NoPolicy) => Verdict::fail("there is no bucket policy"),
        Some(Said::Judged(judged)) => judge(judged.mfa.of(group)),
    };
    let fails = matches!(verdict, Verdict::Fail { .. });
    match (group, facts.versioning.known().map(|state| state.mfa_delete)) {
        // There MFA delete asks everybody for a code.
        (Group::DeleteVersions | Group::ChangeVersioning, Some(MfaDelete::Enabled)) if fails => Verdict::NotApplicable,
        (Group::DeleteVersions | Group::ChangeVersioning, None) if fails => facts.undecided_by_versioning(),
        _ => verdict,
    }
}

fn judge(access: &Access) -> Verdict {
    let holes = access.holes().join("; ");
    let medium = |evidence: String| Verdict::Fail { evidence: evidence.into(), severity: Some(Severity::Medium) };
    match access.verdict {
        _ if access.denied_to_all => Verdict::Pass,
        policy::Verdict::Required if access.closable_gaps().next().is_none() => Verdict::Pass,
        policy::Verdict::Required => medium(format!("MFA is demanded, and there are ways round it: {holes}")),
        policy::Verdict::Partial => medium(format!("MFA is demanded in part: {holes}")),
        policy::Verdict::NotRequired if holes.is_empty() => Verdict::fail("the bucket policy does not demand MFA"),
        policy::Verdict::NotRequired => {
            medium(format!("MFA is not demanded, although the policy speaks of it: {holes}"))
        }
        policy::Verdict::Unknown => Verdict::Unknown(vec![Doubt::NotJudged(holes)]),
    }
}
