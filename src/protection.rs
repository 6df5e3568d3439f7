//! What protects the versions of a bucket, with MFA delete or without: named facts, each with its hole, and what they
//! mean for somebody who would destroy them. No score.
//!
//! - [`controls`]: what is there, and what each control leaves open;
//! - [`effects`]: what each of them does against each [`Threat`];
//! - [`tally`]: buckets of one [`Class`] counted together.
//!
//! The words. What *stops* a threat keeps the data in the bucket; what *limits* it lets the data be had again from a copy
//! or an older version, or covers a part. Both hold as far as the control's holes do not matter. *Nothing* means that
//! none of what is looked at here does either; service control policies, permissions and AWS Backup are not seen from a
//! bucket. Where a fact that could change the answer is unknown, the answer is.
//!
//! Sources: S3 user guide, "Object Lock considerations", "What does Amazon S3 replicate?", "Expiring objects",
//! "Configuring MFA delete".

pub mod controls;
pub mod effects;
mod guarded;
mod holes;
pub mod tally;
#[cfg(test)]
mod tests;

use crate::model::{
    AcceptedControl, AccountId, Control, Doubt, Extra, Extras, Fact, Lifecycle, MfaDelete, ObjectLock, Observed,
    Versioning, VersioningState,
};
use crate::policy::Said;

pub use controls::{ControlState, Extent, State};
pub use effects::{Effect, Means, Strength};
pub use holes::Hole;

/// Who or what destroys versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threat {
    /// May do whatever IAM can allow in the account, and is not its root user.
    Administrator,
    /// Long-term keys that may do everything with objects and versions, and change no setting of the bucket.
    UserKeys,
    /// Somebody puts a rule that expires what was to be kept.
    LifecycleRule,
    /// A program with a role's credentials that deletes or overwrites what was to be kept.
    Script,
}

impl Threat {
    pub const ALL: [Self; 4] = [Self::Administrator, Self::UserKeys, Self::LifecycleRule, Self::Script];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::UserKeys => "user_keys",
            Self::LifecycleRule => "lifecycle_rule",
            Self::Script => "script",
        }
    }

    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Administrator => "an attacker with administrator credentials",
            Self::UserKeys => "a stolen user's keys",
            Self::LifecycleRule => "a mistaken lifecycle rule",
            Self::Script => "a mistaken script",
        }
    }
}

/// Buckets that are looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    MfaDelete,
    ObjectLock,
    Versioned,
    VersionedWithLifecycle,
    /// Versioning leaves out some objects.
    PartlyVersioned,
    Suspended,
    Unversioned,
    /// A fact that decides it is unknown.
    Unknown,
}

impl Class {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MfaDelete => "mfa_delete",
            Self::ObjectLock => "object_lock",
            Self::Versioned => "versioned",
            Self::VersionedWithLifecycle => "versioned_with_lifecycle",
            Self::PartlyVersioned => "partly_versioned",
            Self::Suspended => "suspended",
            Self::Unversioned => "unversioned",
            Self::Unknown => "unknown",
        }
    }

    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::MfaDelete => "with MFA delete",
            Self::ObjectLock => "with Object Lock",
            Self::Versioned => "versioned, without lifecycle rules",
            Self::VersionedWithLifecycle => "versioned, with lifecycle rules",
            Self::PartlyVersioned => "versioned in part",
            Self::Suspended => "with suspended versioning",
            Self::Unversioned => "without versioning",
            Self::Unknown => "of which too little is known",
        }
    }

    fn of(facts: &Facts<'_>) -> Self {
        let Some(state) = facts.versioning.known() else { return Self::Unknown };
        let locked = facts.extras.object_lock.as_ref().map(Fact::known);
        match (state.mfa_delete, locked) {
            (MfaDelete::Enabled, _) => return Self::MfaDelete,
            (MfaDelete::Never | MfaDelete::Disabled, Some(Some(ObjectLock::Enabled(_)))) => {
                return Self::ObjectLock;
            }
            // Object Lock is only where versioning is enabled.
            (MfaDelete::Never | MfaDelete::Disabled, None | Some(None)) if state.versioning == Versioning::Enabled => {
                return Self::Unknown;
            }
            (MfaDelete::Never | MfaDelete::Disabled, None | Some(None | Some(ObjectLock::None))) => {}
        }
        match (state.versioning, facts.lifecycle.known()) {
            (Versioning::Never, _) => Self::Unversioned,
            (Versioning::Partial(_), _) => Self::PartlyVersioned,
            (Versioning::Suspended, _) => Self::Suspended,
            (Versioning::Enabled, Some(Lifecycle::None)) => Self::Versioned,
            (Versioning::Enabled, Some(Lifecycle::Present(_))) => Self::VersionedWithLifecycle,
            (Versioning::Enabled, None) => Self::Unknown,
        }
    }
}

/// What lifecycle does to noncurrent versions, by the analyser's verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noncurrent {
    /// No rule ends them.
    Kept,
    /// A version is kept for so many days and with so many newer ones at least, whichever rules are for it.
    Expire {
        days: u32,
        newer: u32,
        /// The rules, in words.
        by: String,
    },
    Unknown(Doubt),
}

/// What is looked at.
pub struct Facts<'a> {
    pub account: &'a AccountId,
    pub versioning: &'a Fact<VersioningState>,
    pub lifecycle: &'a Fact<Lifecycle>,
    pub extras: &'a Extras,
    /// `None` where nobody asked for the policy.
    pub policy: Option<&'a Said>,
    pub noncurrent: Noncurrent,
}

impl Facts<'_> {
    fn state(&self) -> Result<VersioningState, Doubt> {
        of_fact(self.versioning).copied()
    }

    fn lifecycle(&self) -> Result<&Lifecycle, Doubt> {
        of_fact(self.lifecycle)
    }

    fn policy(&self) -> Result<&Said, Doubt> {
        match self.policy {
            None => Err(Doubt::NotAsked(Extra::Policy)),
            Some(Said::Unknown(doubt)) => Err(doubt.clone()),
            Some(said @ (Said::NoPolicy | Said::Judged(_))) => Ok(said),
        }
    }
}

/// A fact that was asked for and read.
fn read<T>(fact: Option<&Fact<T>>, extra: Extra) -> Result<&T, Doubt> {
    of_fact(fact.ok_or(Doubt::NotAsked(extra))?)
}

fn of_fact<T>(fact: &Fact<T>) -> Result<&T, Doubt> {
    match &fact.observed {
        Observed::Known(value) => Ok(value),
        Observed::Unknown(reason) => Err(Doubt::Unread(reason.clone())),
    }
}

/// How a bucket is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    pub class: Class,
    /// One for each of [`Control::ALL`], in that order.
    pub controls: Vec<ControlState>,
    /// One for each of [`Threat::ALL`], in that order.
    pub answers: Vec<Answer>,
}

/// What stands against a threat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub threat: Threat,
    pub outcome: Outcome,
    /// What does, the strongest first.
    pub by: Vec<Effect>,
    /// What would have to be known.
    pub doubts: Vec<Doubt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Nothing,
    Limited,
    Stopped,
    Unknown,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Stopped, Self::Limited, Self::Nothing, Self::Unknown];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Limited => "limited",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether one of the accepted controls stands in for MFA delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compensation {
    /// By what, with its holes.
    Accepted(String),
    /// Why none does.
    Missing(String),
    Unknown(Vec<Doubt>),
}

impl Protection {
    pub fn of(facts: &Facts<'_>) -> Self {
        Self {
            class: Class::of(facts),
            controls: controls::of(facts),
            answers: Threat::ALL.map(|threat| effects::against(threat, facts)).into(),
        }
    }

    /// With what is known of the refusals among its doubts.
    #[must_use]
    pub fn explained(mut self, explain: impl Fn(Doubt) -> Doubt) -> Self {
        let of_controls = self.controls.iter_mut().filter_map(|control| match &mut control.state {
            State::Unknown(doubt) => Some(doubt),
            State::Present { .. } | State::Absent(_) => None,
        });
        for doubt in of_controls.chain(self.answers.iter_mut().flat_map(|answer| &mut answer.doubts)) {
            *doubt = explain(doubt.clone());
        }
        self
    }

    pub fn answer(&self, threat: Threat) -> &Answer {
        self.answers.iter().find(|answer| answer.threat == threat).expect("every threat is there")
    }

    pub fn control(&self, control: Control) -> &ControlState {
        self.controls.iter().find(|state| state.control == control).expect("every control is there")
    }

    /// Whether one of these controls is there for the whole bucket, and long enough.
    pub fn compensation(&self, accepted: &[AcceptedControl]) -> Compensation {
        let (mut missing, mut doubts) = (Vec::new(), Vec::new());
        for accepted in accepted {
            match &self.control(accepted.control).state {
                State::Present { extent: Extent::Whole, fact, days, holes }
                    if days.is_none_or(|it| it >= accepted.days) =>
                {
                    let holes: Vec<String> = holes.iter().map(ToString::to_string).collect();
                    let holes = if holes.is_empty() { String::new() } else { format!("; {}", holes.join("; ")) };
                    return Compensation::Accepted(format!("{accepted}: {fact}{holes}"));
                }
                State::Present { extent: Extent::Whole, fact, .. } => {
                    missing.push(format!("{accepted}: {fact}: too few days"));
                }
                State::Present { extent: Extent::Part, fact, .. } => {
                    missing.push(format!("{accepted}: {fact}: not the whole bucket"));
                }
                State::Absent(why) => missing.push(format!("{accepted}: {why}")),
                State::Unknown(doubt) if doubts.contains(doubt) => {}
                State::Unknown(doubt) => doubts.push(doubt.clone()),
            }
        }
        if doubts.is_empty() { Compensation::Missing(missing.join("; ")) } else { Compensation::Unknown(doubts) }
    }
}
