//! What the bucket policy does against each threat: every request that the threat can make is looked at.

use super::effects::{Does, Strength, outlived_by_rules, sentences};
use super::{Facts, Noncurrent, Threat};
use crate::model::{Doubt, Lifecycle, Versioning};
use crate::policy::{Act, Caller, Group, Reach, Said, Statements, Verdict};

/// Which statements of a policy are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Those that deny with MFA, too.
    Deny,
    /// Those that demand it.
    Mfa,
}

pub(super) fn policy(kind: Kind, threat: Threat, facts: &Facts<'_>) -> Does {
    // Where there are no versions an upload destroys, and a policy on deletions guards nothing.
    let is_unversioned = facts.state().is_ok_and(|state| state.versioning != Versioning::Enabled);
    let said = match facts.policy() {
        _ if is_unversioned && threat == Threat::Administrator => return Does::Nothing,
        // Whoever makes MFA devices has MFA.
        _ if kind == Kind::Mfa && threat == Threat::Administrator => return Does::Nothing,
        Ok(Said::NoPolicy) => return Does::Nothing,
        Ok(said) => said,
        Err(doubt) => return Does::Perhaps(best(kind, threat, facts), doubt),
    };
    let done = match threat {
        Threat::Administrator => administrator(said, facts),
        Threat::UserKeys => deletion(kind, Caller::UserKeys, said, facts),
        Threat::Script => deletion(kind, Caller::Role, said, facts),
        Threat::LifecycleRule => new_rule(kind, said, facts),
    };
    done.unwrap_or_else(|doubt| Does::Perhaps(best(kind, threat, facts), doubt))
}

/// The most that any policy does.
fn best(kind: Kind, threat: Threat, facts: &Facts<'_>) -> Strength {
    match (threat, kind) {
        // Whoever changes policies is stopped by none.
        (Threat::Administrator, Kind::Deny | Kind::Mfa) | (Threat::LifecycleRule, Kind::Mfa) => Strength::Limits,
        (Threat::LifecycleRule, Kind::Deny) => match facts.lifecycle() {
            Ok(Lifecycle::Present(_)) => Strength::Limits,
            Ok(Lifecycle::None) | Err(_) => Strength::Stops,
        },
        (Threat::UserKeys | Threat::Script, Kind::Deny | Kind::Mfa) => {
            match facts.state().map(|state| state.versioning) {
                Ok(Versioning::Never | Versioning::Partial(_) | Versioning::Suspended) => Strength::Limits,
                Ok(Versioning::Enabled) | Err(_) => match facts.noncurrent {
                    Noncurrent::Expire { .. } => Strength::Limits,
                    Noncurrent::Kept | Noncurrent::Unknown(_) => Strength::Stops,
                },
            }
        }
    }
}

/// Only a policy that guards itself holds somebody up who may change policies.
fn administrator(said: &Said, facts: &Facts<'_>) -> Result<Does, Doubt> {
    let mut doubts = Vec::new();
    for group in [Group::DeleteVersions, Group::ChangeLifecycle, Group::ChangePolicy] {
        match said.reach(Caller::Administrator, Act::Group(group), Statements::All) {
            Some(Reach::All) => {}
            Some(Reach::Nothing | Reach::Part(_) | Reach::PartAtLeast(_)) | None => return Ok(Does::Nothing),
            Some(Reach::Unknown(holes)) => doubts.extend(holes),
        }
    }
    facts.state()?;
    if !doubts.is_empty() {
        doubts.sort_unstable();
        doubts.dedup();
        return Err(Doubt::NotJudged(sentences(&doubts)));
    }
    Ok(Does::limits(
        "the bucket policy denies everybody to delete versions and to change it; the root user, or sts:AssumeRoot with \
         S3UnlockBucketPolicy, takes it away",
    ))
}

/// How far the statements of this kind go. Those that demand MFA do what they do together with the others; where nobody
/// is asked for MFA, a condition on it is like any other.
fn reach(kind: Kind, caller: Caller, group: Group, said: &Said) -> Reach {
    let of = |statements| said.reach(caller, Act::Group(group), statements).unwrap_or(Reach::Nothing);
    match (kind, said.verdict(group)) {
        (Kind::Deny, Verdict::NotRequired) => of(Statements::All),
        (Kind::Mfa, Verdict::NotRequired) => Reach::Nothing,
        (Kind::Deny, Verdict::Required | Verdict::Partial | Verdict::Unknown) => of(Statements::Others),
        (Kind::Mfa, Verdict::Required | Verdict::Partial | Verdict::Unknown) => {
            let all = of(Statements::All);
            if rank(&all) > rank(&of(Statements::Others)) { all } else { of(Statements::AboutMfa) }
        }
    }
}

fn rank(reach: &Reach) -> u8 {
    match reach {
        Reach::Nothing => 0,
        Reach::Unknown(_) => 1,
        Reach::Part(_) => 2,
        Reach::PartAtLeast(_) => 3,
        Reach::All => 4,
    }
}

/// Somebody deletes versions, or objects where there are none.
fn deletion(kind: Kind, caller: Caller, said: &Said, facts: &Facts<'_>) -> Result<Does, Doubt> {
    let is_versioned = facts.state()?.versioning == Versioning::Enabled;
    let group = if is_versioned { Group::DeleteVersions } else { Group::DeleteObjects };
    let what = if is_versioned { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    let keys = if caller == Caller::Role { "every role of the account" } else { "every user's long-term keys" };
    let (whole, part) = match kind {
        Kind::Deny => {
            (format!("the bucket policy denies {what} to {keys}"), format!("the bucket policy denies {what} in part"))
        }
        Kind::Mfa => {
            let who = if caller == Caller::Role { "a role's credentials" } else { "long-term keys" };
            (
                format!("the bucket policy demands MFA for {what}, which {who} never carry"),
                format!("the bucket policy demands MFA for {what} in part"),
            )
        }
    };
    Ok(match reach(kind, caller, group, said) {
        Reach::All => {
            let words = if passes_as_session(caller, group, said) {
                format!("{whole}; credentials that these keys get from sts:GetSessionToken pass")
            } else {
                whole
            };
            // Where nothing keeps versions a new upload destroys as much as a deletion.
            if is_versioned {
                outlived_by_rules(&words, facts)
            } else {
                Does::limits(format!("{words}; overwriting needs neither"))
            }
        }
        Reach::Part(holes) => Does::limits(with_holes(&part, &sentences(&holes))),
        Reach::PartAtLeast(holes) => Does::AtLeastLimits(part, Doubt::NotJudged(sentences(&holes))),
        Reach::Nothing => Does::Nothing,
        Reach::Unknown(holes) => return Err(Doubt::NotJudged(sentences(&holes))),
    })
}

/// Whoever has the keys of a user can exchange them for temporary credentials, which need no permission.
fn passes_as_session(caller: Caller, group: Group, said: &Said) -> bool {
    caller == Caller::UserKeys
        && said.reach(Caller::UserSession, Act::Group(group), Statements::All) != Some(Reach::All)
}

fn with_holes(words: &str, holes: &str) -> String {
    if holes.is_empty() { words.to_owned() } else { format!("{words}: {holes}") }
}

/// Somebody puts a lifecycle rule. What no policy stops is a rule that is there.
fn new_rule(kind: Kind, said: &Said, facts: &Facts<'_>) -> Result<Does, Doubt> {
    let group = Group::ChangeLifecycle;
    let is_demanded = said.verdict(group) == Verdict::Required;
    Ok(match (kind, reach(kind, Caller::Anyone, group, said)) {
        (_, Reach::Nothing) => Does::Nothing,
        (_, Reach::Unknown(holes)) => return Err(Doubt::NotJudged(sentences(&holes))),
        (Kind::Deny, Reach::All) => match facts.lifecycle()? {
            Lifecycle::None => Does::stops("the bucket policy denies s3:PutLifecycleConfiguration to everybody"),
            Lifecycle::Present(_) => Does::limits(
                "the bucket policy denies s3:PutLifecycleConfiguration to everybody; the rules that are there go on",
            ),
        },
        (Kind::Deny, Reach::Part(holes)) => Does::limits(with_holes(
            "the bucket policy denies s3:PutLifecycleConfiguration to some",
            &sentences(&holes),
        )),
        (Kind::Deny, Reach::PartAtLeast(holes)) => Does::AtLeastLimits(
            "the bucket policy denies s3:PutLifecycleConfiguration to some at least".to_owned(),
            Doubt::NotJudged(sentences(&holes)),
        ),
        (Kind::Mfa, Reach::All | Reach::Part(_) | Reach::PartAtLeast(_)) if is_demanded => {
            Does::limits("a rule can only be put with MFA")
        }
        (Kind::Mfa, Reach::All) => Does::limits("some can put a rule only with MFA"),
        (Kind::Mfa, Reach::Part(holes) | Reach::PartAtLeast(holes)) => {
            Does::limits(with_holes("some can put a rule only with MFA", &sentences(&holes)))
        }
    })
}
