//! What each thing does against each threat.

use std::cmp::Reverse;

use super::controls::leaves_the_account;
use super::guarded::{Kind, policy};
use super::holes::days_of;
use super::{Answer, Facts, Noncurrent, Outcome, Threat, read};
use crate::model::{
    Control, Doubt, EventHold, Extra, Lifecycle, MfaDelete, ObjectLock, Replication, RetentionMode, Versioning,
};
use crate::policy::{Act, Caller, Hole as PolicyHole, Reach, Statements};

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
pub(super) enum Does {
    Nothing,
    This(Strength, String),
    /// At best.
    Perhaps(Strength, Doubt),
    /// It limits the threat, and stops it perhaps.
    AtLeastLimits(String, Doubt),
}

impl Does {
    pub fn stops(words: impl Into<String>) -> Self {
        Self::This(Strength::Stops, words.into())
    }

    pub fn limits(words: impl Into<String>) -> Self {
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
    let released = |hold: EventHold| format!("{} from the release of its event hold", days_of(hold.days()));
    let (found, time) = match (lock.retention, lock.event_hold) {
        (None, None) => return Does::Nothing,
        (Some(retention), None) => (Some(retention.mode), days_of(retention.days())),
        (None, Some(hold)) => (hold.mode, released(hold)),
        (Some(retention), Some(hold)) => {
            (Some(retention.mode), format!("{}, and {}", days_of(retention.days()), released(hold)))
        }
    };
    if found != Some(mode) {
        return Does::Nothing;
    }
    if is_governance && threat == Threat::UserKeys {
        return governance(facts, &time);
    }
    let who = match (mode, threat) {
        (_, Threat::LifecycleRule) => "lifecycle does not delete",
        (RetentionMode::Compliance, _) => "nobody can delete",
        (RetentionMode::Governance, _) => "nobody without s3:BypassGovernanceRetention can delete",
    };
    Does::stops(format!("{who} a locked version for {time}"))
}

/// Against keys that may do everything with objects, but what the bucket policy denies them.
fn governance(facts: &Facts<'_>, time: &str) -> Does {
    let said = match facts.policy() {
        Ok(said) => said,
        Err(doubt) => return Does::Perhaps(Strength::Stops, doubt),
    };
    let denied = "the bucket policy denies s3:BypassGovernanceRetention";
    let locked = format!("without which nobody can delete a locked version for {time}");
    match said.reach(Caller::UserKeys, Act::BypassGovernance, Statements::All) {
        Some(Reach::All) => Does::stops(format!("{denied} to these keys, {locked}")),
        Some(Reach::Part(holes)) => Does::limits(format!("{denied} in part, {locked}: {}", sentences(&holes))),
        Some(Reach::PartAtLeast(holes)) => {
            Does::AtLeastLimits(format!("{denied} in part at least, {locked}"), Doubt::NotJudged(sentences(&holes)))
        }
        Some(Reach::Unknown(holes)) => Does::Perhaps(Strength::Stops, Doubt::NotJudged(sentences(&holes))),
        Some(Reach::Nothing) | None => Does::Nothing,
    }
}

pub(super) fn sentences(holes: &[PolicyHole]) -> String {
    holes.iter().map(ToString::to_string).collect::<Vec<String>>().join("; ")
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

/// A plain deletion or a new upload makes a version noncurrent, and a lifecycle rule that ends noncurrent versions finishes
/// it: nothing that guards the deletion of versions stops that.
pub(super) fn outlived_by_rules(words: &str, facts: &Facts<'_>) -> Does {
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
