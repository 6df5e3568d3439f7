//! What each thing does against each threat.

use std::cmp::Reverse;

use super::controls::leaves_the_account;
use super::holes::days_of;
use super::{Answer, Facts, Noncurrent, Outcome, Threat, read};
use crate::model::{Control, Doubt, Extra, Lifecycle, MfaDelete, ObjectLock, Replication, RetentionMode, Versioning};
use crate::policy::{Access, Denied, Group, Guard, Hole as PolicyHole, Said};

/// Something that stands against a threat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub by: Means,
    pub strength: Strength,
    /// How, for a person.
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Means {
    MfaDelete,
    ObjectLockCompliance,
    ObjectLockGovernance,
    ReplicationOtherAccount,
    VersionsKept,
    /// What the bucket policy denies, MFA or not: more than the deletion of versions, which the controls are about.
    PolicyDeny,
    /// What it denies without MFA.
    PolicyMfa,
}

impl Means {
    const ALL: [Self; 7] = [
        Self::MfaDelete,
        Self::ObjectLockCompliance,
        Self::ObjectLockGovernance,
        Self::ReplicationOtherAccount,
        Self::VersionsKept,
        Self::PolicyDeny,
        Self::PolicyMfa,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::MfaDelete => "mfa-delete",
            Self::ObjectLockCompliance => Control::ObjectLockCompliance.as_str(),
            Self::ObjectLockGovernance => Control::ObjectLockGovernance.as_str(),
            Self::ReplicationOtherAccount => Control::ReplicationOtherAccount.as_str(),
            Self::VersionsKept => Control::VersionsKept.as_str(),
            Self::PolicyDeny => "policy-deny",
            Self::PolicyMfa => "policy-mfa",
        }
    }
}

/// In this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    Limits,
    Stops,
}

impl Strength {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Stops => "stops",
        }
    }
}

/// What one thing does against a threat, as far as it is known.
enum Does {
    Nothing,
    This(Strength, String),
    /// At best.
    Perhaps(Strength, Doubt),
    /// It limits the threat, and stops it perhaps.
    AtLeastLimits(String, Doubt),
}

impl Does {
    fn stops(words: impl Into<String>) -> Self {
        Self::This(Strength::Stops, words.into())
    }

    fn limits(words: impl Into<String>) -> Self {
        Self::This(Strength::Limits, words.into())
    }
}

/// What stands against a threat. It is unknown only where what is unknown could be stronger than what is known.
pub(super) fn against(threat: Threat, facts: &Facts<'_>) -> Answer {
    let mut by = Vec::new();
    let mut open: Vec<(Strength, Doubt)> = Vec::new();
    for means in Means::ALL {
        match does(means, threat, facts) {
            Does::Nothing => {}
            Does::This(strength, words) => by.push(Effect { by: means, strength, words }),
            Does::Perhaps(best, doubt) => open.push((best, doubt)),
            Does::AtLeastLimits(words, doubt) => {
                by.push(Effect { by: means, strength: Strength::Limits, words });
                open.push((Strength::Stops, doubt));
            }
        }
    }
    by.sort_by_key(|effect| Reverse(effect.strength));
    let known = by.first().map(|effect| effect.strength);
    let mut doubts = Vec::new();
    for (_, doubt) in open.into_iter().filter(|(best, _)| Some(*best) > known) {
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    let outcome = match known {
        _ if !doubts.is_empty() => Outcome::Unknown,
        Some(Strength::Stops) => Outcome::Stopped,
        Some(Strength::Limits) => Outcome::Limited,
        None => Outcome::Nothing,
    };
    Answer { threat, outcome, by, doubts }
}

fn does(means: Means, threat: Threat, facts: &Facts<'_>) -> Does {
    match means {
        Means::MfaDelete => mfa_delete(threat, facts),
        Means::ObjectLockCompliance => object_lock(RetentionMode::Compliance, threat, facts),
        Means::ObjectLockGovernance => object_lock(RetentionMode::Governance, threat, facts),
        Means::ReplicationOtherAccount => replication(threat, facts),
        Means::VersionsKept => versions_kept(threat, facts),
        Means::PolicyDeny => policy(Kind::Deny, threat, facts),
        Means::PolicyMfa => policy(Kind::Mfa, threat, facts),
    }
}

/// Source: S3 user guide, "Configuring MFA delete".
fn mfa_delete(threat: Threat, facts: &Facts<'_>) -> Does {
    const CODE: &str = "deleting a version and changing versioning need a code of the root user's MFA device";
    const NO_RULE: &str = "S3 takes no lifecycle configuration beside MFA delete";
    let state = match facts.state() {
        Ok(state) => state,
        Err(doubt) => return Does::Perhaps(Strength::Stops, doubt),
    };
    if state.mfa_delete != MfaDelete::Enabled {
        return Does::Nothing;
    }
    // What is written now is a null version, which the next write replaces; in part where versioning leaves objects out.
    if state.versioning != Versioning::Enabled {
        return Does::limits(format!("{CODE}; new objects have no versions"));
    }
    let words = match threat {
        Threat::UserKeys | Threat::Script => return outlived_by_rules(CODE, facts),
        Threat::Administrator => CODE,
        Threat::LifecycleRule => NO_RULE,
    };
    match (facts.lifecycle(), threat) {
        (Ok(Lifecycle::None), _) => Does::stops(words),
        // Other servers than AWS's allow both.
        (Ok(Lifecycle::Present(_)), Threat::Administrator) => {
            Does::limits(format!("{CODE}; lifecycle rules, which this server takes beside it, need none"))
        }
        (Ok(Lifecycle::Present(_)), Threat::LifecycleRule | Threat::UserKeys | Threat::Script) => Does::Nothing,
        (Err(doubt), _) => Does::Perhaps(Strength::Stops, doubt),
    }
}

/// Source: S3 user guide, "Object Lock considerations".
fn object_lock(mode: RetentionMode, threat: Threat, facts: &Facts<'_>) -> Does {
    // Stolen keys have every right on objects, that to bypass governance too; a script does not ask for it. Whoever may
    // change policies may lift the one that denies it.
    let is_governance = mode == RetentionMode::Governance;
    let lock = match read(facts.extras.object_lock.as_ref(), Extra::ObjectLock) {
        _ if is_governance && threat == Threat::Administrator => return Does::Nothing,
        Err(doubt) => return Does::Perhaps(Strength::Stops, doubt),
        Ok(ObjectLock::None) => return Does::Nothing,
        Ok(ObjectLock::Enabled(lock)) => lock,
    };
    // A hold is released after the upload, so its period is the least that it lasts.
    let retention = lock.retention.map(|it| (Some(it.mode), it.days()));
    let hold = lock.event_hold.map(|it| (it.mode, it.days()));
    let Some((found, days)) = retention.or(hold) else { return Does::Nothing };
    if found != Some(mode) {
        return Does::Nothing;
    }
    if is_governance && threat == Threat::UserKeys {
        return governance(facts, days);
    }
    let who = match (mode, threat) {
        (_, Threat::LifecycleRule) => "lifecycle does not delete",
        (RetentionMode::Compliance, _) => "nobody can delete",
        (RetentionMode::Governance, _) => "nobody without s3:BypassGovernanceRetention can delete",
    };
    Does::stops(format!("{who} a locked version for {}", days_of(days)))
}

/// Against keys that may do everything with objects, but what the bucket policy denies them.
fn governance(facts: &Facts<'_>, days: u32) -> Does {
    let said = match facts.policy() {
        Ok(said) => said,
        Err(doubt) => return Does::Perhaps(Strength::Stops, doubt),
    };
    match said.keeps_governance() {
        Some(true) => Does::stops(format!(
            "the bucket policy denies s3:BypassGovernanceRetention to these keys, without which nobody can delete a locked \
             version for {}",
            days_of(days)
        )),
        Some(false) => Does::Nothing,
        None => {
            let why = "whether the bucket policy denies s3:BypassGovernanceRetention depends on something that the \
                       analyser does not know";
            Does::Perhaps(Strength::Stops, Doubt::NotJudged(why.to_owned()))
        }
    }
}

/// Source: S3 user guide, "What does Amazon S3 replicate?"
fn replication(threat: Threat, facts: &Facts<'_>) -> Does {
    let rules = match read(facts.extras.replication.as_ref(), Extra::Replication) {
        Err(doubt) => return Does::Perhaps(Strength::Limits, doubt),
        Ok(Replication::None) => return Does::Nothing,
        Ok(Replication::Present(rules)) => rules,
    };
    if !rules.iter().any(|rule| leaves_the_account(rule, facts)) {
        return Does::Nothing;
    }
    Does::limits(match threat {
        Threat::LifecycleRule => "lifecycle actions are not replicated: the copy in another account stays",
        Threat::Administrator | Threat::UserKeys | Threat::Script => {
            "deletions of versions are not replicated: the copy in another account stays"
        }
    })
}

fn versions_kept(threat: Threat, facts: &Facts<'_>) -> Does {
    let how = match threat {
        // They delete the versions.
        Threat::Administrator | Threat::UserKeys => return Does::Nothing,
        Threat::LifecycleRule => "Expiration leaves the version, NoncurrentVersionExpiration does not",
        Threat::Script => "a deletion or a new upload leaves the old version, a deletion of versions does not",
    };
    let state = match facts.state() {
        Err(doubt) => return Does::Perhaps(Strength::Limits, doubt),
        // What is written while versioning is suspended has no older version.
        Ok(state) if state.versioning != Versioning::Enabled => return Does::Nothing,
        Ok(_) => &facts.noncurrent,
    };
    match state {
        Noncurrent::Unknown(doubt) => Does::Perhaps(Strength::Limits, doubt.clone()),
        Noncurrent::Kept => Does::limits(how),
        Noncurrent::Expire { days, .. } => Does::limits(format!("{how}; it stays {}", days_of(*days))),
    }
}

/// Which statements of a policy are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those that deny with MFA, too.
    Deny,
    /// Those that demand it.
    Mfa,
}

fn policy(kind: Kind, threat: Threat, facts: &Facts<'_>) -> Does {
    // Where there are no versions an upload destroys, and a policy on deletions guards nothing.
    let is_unversioned = facts.state().is_ok_and(|state| state.versioning != Versioning::Enabled);
    let said = match facts.policy() {
        _ if is_unversioned && threat == Threat::Administrator => return Does::Nothing,
        Ok(Said::NoPolicy) => return Does::Nothing,
        Ok(said) => said,
        Err(doubt) => return Does::Perhaps(best(kind, threat, facts), doubt),
    };
    let done = match threat {
        Threat::Administrator => administrator(kind, said, facts),
        Threat::UserKeys | Threat::Script => deletion(kind, threat, said, facts),
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
fn administrator(kind: Kind, said: &Said, facts: &Facts<'_>) -> Result<Does, Doubt> {
    let groups = [Group::DeleteVersions, Group::ChangeLifecycle, Group::ChangePolicy];
    let guards = groups.map(|group| (group, said.guard(group)));
    if guards.iter().any(|(_, guard)| matches!(guard, Guard::Open | Guard::InPart)) {
        return Ok(Does::Nothing);
    }
    facts.state()?;
    if let Some((group, _)) = guards.iter().find(|(_, guard)| *guard == Guard::Unknown) {
        return Err(unjudged(said, *group));
    }
    let is_mfa = guards.iter().any(|(_, guard)| *guard == Guard::Mfa);
    Ok(match kind {
        Kind::Mfa if is_mfa => {
            Does::limits("deleting versions and taking the policy away need MFA; credentials with MFA pass")
        }
        Kind::Deny if !is_mfa => Does::limits(
            "the bucket policy denies everybody to delete versions and to change it; the root user, or sts:AssumeRoot \
             with S3UnlockBucketPolicy, takes it away",
        ),
        Kind::Mfa | Kind::Deny => Does::Nothing,
    })
}

fn unjudged(said: &Said, group: Group) -> Doubt {
    let holes = said.access(group).map(Access::holes).unwrap_or_default();
    Doubt::NotJudged(holes.join("; "))
}

/// Somebody deletes versions, or objects where there are none.
fn deletion(kind: Kind, threat: Threat, said: &Said, facts: &Facts<'_>) -> Result<Does, Doubt> {
    let is_versioned = facts.state()?.versioning == Versioning::Enabled;
    let group = if is_versioned { Group::DeleteVersions } else { Group::DeleteObjects };
    let what = if is_versioned { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    // Where nothing keeps versions a new upload destroys as much as a deletion.
    let guarded = |words: String| {
        if is_versioned {
            outlived_by_rules(&words, facts)
        } else {
            Does::limits(format!("{words}; overwriting needs neither"))
        }
    };
    Ok(match (kind, said.guard(group)) {
        (_, Guard::Unknown) => return Err(unjudged(said, group)),
        (Kind::Deny, Guard::Denied) => guarded(format!("the bucket policy denies {what} to everybody")),
        (Kind::Deny, Guard::Mfa | Guard::InPart | Guard::Open) => match said {
            Said::Judged(judged) if is_versioned && matches!(judged.version_deletion, Denied::Some(_)) => {
                Does::limits(format!("the bucket policy denies {what} in part"))
            }
            Said::Judged(_) | Said::NoPolicy | Said::Unknown(_) => Does::Nothing,
        },
        (Kind::Mfa, Guard::Mfa) => guarded(match threat {
            Threat::Script => {
                format!("the bucket policy demands MFA for {what}, which a role's credentials never carry")
            }
            Threat::Administrator | Threat::UserKeys | Threat::LifecycleRule => {
                format!("the bucket policy demands MFA for {what}, which long-term keys never carry")
            }
        }),
        (Kind::Mfa, Guard::InPart) if threat == Threat::UserKeys && lets_keys_pass(said, group) => Does::Nothing,
        (Kind::Mfa, Guard::InPart) => Does::limits(format!("the bucket policy demands MFA for {what} in part")),
        (Kind::Mfa, Guard::Denied | Guard::Open) => Does::Nothing,
    })
}

/// A plain deletion or a new upload makes a version noncurrent, and a lifecycle rule that ends noncurrent versions finishes
/// it: nothing that guards the deletion of versions stops that.
fn outlived_by_rules(words: &str, facts: &Facts<'_>) -> Does {
    match &facts.noncurrent {
        Noncurrent::Kept => Does::stops(words),
        Noncurrent::Expire { days, by, .. } => {
            let days = days_of(*days);
            Does::limits(format!(
                "{words}; what a plain deletion or a new upload makes noncurrent ends {days} later, by {by}"
            ))
        }
        Noncurrent::Unknown(doubt) => Does::AtLeastLimits(words.to_owned(), doubt.clone()),
    }
}

/// Whether a condition on MFA lets long-term keys through.
fn lets_keys_pass(said: &Said, group: Group) -> bool {
    let gaps = said.access(group).into_iter().flat_map(|access| &access.gaps);
    gaps.map(|gap| &gap.hole).any(|hole| {
        matches!(
            hole,
            PolicyHole::BoolWithoutIfExists { .. }
                | PolicyHole::AgeWithoutIfExists { .. }
                | PolicyHole::OnlyTemporaryCredentials
        )
    })
}

/// Somebody puts a lifecycle rule. What no policy stops is a rule that is there.
fn new_rule(kind: Kind, said: &Said, facts: &Facts<'_>) -> Result<Does, Doubt> {
    Ok(match (kind, said.guard(Group::ChangeLifecycle)) {
        (_, Guard::Unknown) => return Err(unjudged(said, Group::ChangeLifecycle)),
        (Kind::Deny, Guard::Denied) => match facts.lifecycle()? {
            Lifecycle::None => Does::stops("the bucket policy denies s3:PutLifecycleConfiguration to everybody"),
            Lifecycle::Present(_) => Does::limits(
                "the bucket policy denies s3:PutLifecycleConfiguration to everybody; the rules that are there go on",
            ),
        },
        (Kind::Mfa, Guard::Mfa) => Does::limits("a rule can only be put with MFA"),
        (Kind::Mfa, Guard::InPart) => Does::limits("some can put a rule only with MFA"),
        (Kind::Deny, Guard::Mfa | Guard::InPart | Guard::Open) | (Kind::Mfa, Guard::Denied | Guard::Open) => {
            Does::Nothing
        }
    })
}
