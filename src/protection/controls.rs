//! What is there, and what it leaves open.

use super::effects::sentences;
use super::holes::days_of;
use super::{Facts, Hole, Noncurrent, read};
use crate::model::{
    AccountId, Control, Doubt, EventHold, Extra, KmsObjects, MfaDelete, ObjectLock, Replication, ReplicationRule,
    RetentionMode, RetentionPeriod, Versioning,
};
use crate::policy::{Act, Caller, Denied, Group, Guard, Reach, Said, Statements, Verdict};

/// One control of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlState {
    pub control: Control,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Present {
        extent: Extent,
        /// What was read, in words.
        fact: String,
        /// How long it lasts at least; `None` for what does not end by itself.
        days: Option<u32>,
        holes: Vec<Hole>,
    },
    /// Why it is not there, or is no such control.
    Absent(String),
    Unknown(Doubt),
}

impl State {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Present { extent: Extent::Whole, .. } => "present",
            Self::Present { extent: Extent::Part, .. } => "partial",
            Self::Absent(_) => "absent",
            Self::Unknown(_) => "unknown",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// For every object, or everybody.
    Whole,
    Part,
}

pub(super) fn of(facts: &Facts<'_>) -> Vec<ControlState> {
    let state = |control| {
        let state = match control {
            Control::ObjectLockCompliance => object_lock(facts, RetentionMode::Compliance),
            Control::ObjectLockGovernance => object_lock(facts, RetentionMode::Governance),
            Control::ReplicationOtherAccount => replication(facts),
            Control::VersionsKept => versions_kept(facts),
            Control::DenyVersionDeletion => deny_version_deletion(facts),
            Control::MfaByPolicy => mfa_by_policy(facts),
        };
        ControlState { control, state: state.unwrap_or_else(State::Unknown) }
    };
    Control::ALL.map(state).into()
}

fn object_lock(facts: &Facts<'_>, mode: RetentionMode) -> Result<State, Doubt> {
    let absent = |why: &str| Ok(State::Absent(why.to_owned()));
    let lock = match read(facts.extras.object_lock.as_ref(), Extra::ObjectLock)? {
        ObjectLock::None => return absent("there is no Object Lock"),
        ObjectLock::Enabled(lock) => *lock,
    };
    let Some(retention) = lock.retention else {
        if let Some(hold) = lock.event_hold {
            return Ok(event_hold(hold, mode));
        }
        return absent(
            "Object Lock is on without default retention: only uploads that ask for retention are locked, and which \
                 do is not seen here",
        );
    };
    let (name, mut holes) = match retention.mode {
        RetentionMode::Compliance => ("COMPLIANCE", vec![]),
        RetentionMode::Governance => ("GOVERNANCE", vec![Hole::GovernanceBypass]),
    };
    if retention.mode != mode {
        return Ok(State::Absent(format!("default retention is in mode {name}")));
    }
    let period = words_of(retention.period);
    holes.extend([Hole::OnlyNewObjects, Hole::OwnRetention]);
    let (ends, until) = match lock.event_hold {
        None => (Hole::RetentionEnds { days: retention.days() }, String::new()),
        Some(hold) => {
            let until = format!(", and until their event hold is released and {} after that", words_of(hold.period));
            (Hole::HoldEnds { days: hold.days() }, until)
        }
    };
    holes.push(ends);
    let fact = format!("Object Lock retains new versions for {period} in mode {name}{until}");
    Ok(State::Present { extent: Extent::Whole, fact, days: lock.days(), holes })
}

/// An event hold without a default retention.
fn event_hold(hold: EventHold, mode: RetentionMode) -> State {
    let name = match hold.mode {
        None => return State::Absent("the default event hold has no mode".to_owned()),
        Some(RetentionMode::Compliance) => "COMPLIANCE",
        Some(RetentionMode::Governance) => "GOVERNANCE",
    };
    if hold.mode != Some(mode) {
        return State::Absent(format!("the default event hold is in mode {name}"));
    }
    let days = hold.days();
    let fact = format!(
        "Object Lock holds new versions until their event hold is released, and for {} after that, in mode {name}",
        words_of(hold.period)
    );
    let bypass = (mode == RetentionMode::Governance).then_some(Hole::GovernanceBypass);
    let ends = Hole::HoldEnds { days };
    let holes = bypass.into_iter().chain([Hole::OnlyNewObjects, Hole::OwnRetention, ends]).collect();
    State::Present { extent: Extent::Whole, fact, days: Some(days), holes }
}

fn words_of(period: RetentionPeriod) -> String {
    match period {
        RetentionPeriod::Days(days) => days_of(days),
        RetentionPeriod::Years(1) => "1 year".to_owned(),
        RetentionPeriod::Years(years) => format!("{years} years"),
    }
}

/// Whether a rule copies to an account that it names and that is another.
pub(super) fn leaves_the_account(rule: &ReplicationRule, facts: &Facts<'_>) -> bool {
    rule.enabled && rule.account.as_ref().is_some_and(|account| account != facts.account)
}

fn replication(facts: &Facts<'_>) -> Result<State, Doubt> {
    let rules = match read(facts.extras.replication.as_ref(), Extra::Replication)? {
        Replication::None => return Ok(State::Absent("there is no replication".to_owned())),
        Replication::Present(rules) => rules,
    };
    let away: Vec<&ReplicationRule> = rules.iter().filter(|rule| leaves_the_account(rule, facts)).collect();
    if away.is_empty() {
        let why = if !rules.iter().any(|rule| rule.enabled) {
            "no replication rule is enabled"
        } else if rules.iter().any(|rule| rule.enabled && rule.account.is_some()) {
            "replication goes to the bucket's own account"
        } else {
            "the replication rules name no other account"
        };
        return Ok(State::Absent(why.to_owned()));
    }
    let mut accounts: Vec<&str> = away.iter().filter_map(|rule| rule.account.as_ref()).map(AccountId::as_str).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let is_whole = away.iter().any(|rule| rule.prefix.is_empty() && rule.tags.is_empty() && rule.left_out.is_empty());
    let mut holes = Vec::new();
    if !is_whole {
        holes.push(Hole::PartOfObjects { scopes: list(away.iter().map(|rule| scope(rule))) });
    }
    // Where a run says nothing of it the rule is of the first version, or not one of S3's.
    if away.iter().any(|rule| rule.delete_markers != Some(false)) {
        holes.push(Hole::DeleteMarkersTravel);
    }
    if away.iter().any(|rule| rule.kms_objects == Some(KmsObjects::LeftOut)) {
        holes.push(Hole::KmsObjectsLeftOut);
    }
    holes.push(Hole::CopyUnseen);
    let fact = format!("replicated to account {}", accounts.join(", "));
    Ok(State::Present { extent: if is_whole { Extent::Whole } else { Extent::Part }, fact, days: None, holes })
}

/// `keys that begin with "logs/", tag "a" = "b"`.
fn scope(rule: &ReplicationRule) -> String {
    let prefix = (!rule.prefix.is_empty()).then(|| format!("keys that begin with {:?}", rule.prefix));
    let tag = |(key, value): &(String, String)| format!("tag {key:?} = {value:?}");
    let not = rule.left_out.prefixes.iter().map(|prefix| format!("not keys that begin with {prefix:?}"));
    let not = not.chain(rule.left_out.tags.iter().map(|it| format!("not {}", tag(it))));
    prefix.into_iter().chain(rule.tags.iter().map(tag)).chain(not).collect::<Vec<String>>().join(", ")
}

/// The first few, and how many more.
fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    const NAMED: usize = 3;
    let more = items.len().saturating_sub(NAMED);
    let mut named: Vec<String> = items.take(NAMED).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join("; ")
}

fn versions_kept(facts: &Facts<'_>) -> Result<State, Doubt> {
    let state = facts.state()?;
    match state.versioning {
        Versioning::Enabled => {}
        Versioning::Never => return Ok(State::Absent("versioning was never configured".to_owned())),
        Versioning::Partial(exclusions) => return Ok(State::Absent(format!("versioning leaves out {exclusions}"))),
        Versioning::Suspended => {
            let why = "versioning is suspended: what is written now is a null version, and the next write replaces it";
            return Ok(State::Absent(why.to_owned()));
        }
    }
    let (fact, days, mut holes) = match &facts.noncurrent {
        Noncurrent::Unknown(doubt) => return Err(doubt.clone()),
        Noncurrent::Kept => ("no lifecycle rule ends noncurrent versions".to_owned(), None, vec![]),
        Noncurrent::Expire { days, newer, by } => {
            let kept = if *newer == 0 { String::new() } else { format!(", and the {newer} newest longer") };
            let expire = Hole::VersionsExpire { days: *days, by: by.clone() };
            let none = (*newer == 0).then_some(Hole::NoneKept);
            let fact = format!("noncurrent versions stay {} at least{kept}", days_of(*days));
            (fact, Some(*days), [expire].into_iter().chain(none).collect())
        }
    };
    if state.mfa_delete != MfaDelete::Enabled {
        holes.push(Hole::VersionsDeletable);
    }
    Ok(State::Present { extent: Extent::Whole, fact, days, holes })
}

/// By which other actions versions are lost although their deletion is denied.
fn ways_round(said: &Said) -> impl Iterator<Item = Hole> {
    let ways = [
        (Group::ChangeVersioning, "s3:PutBucketVersioning is open: versioning can be suspended"),
        (
            Group::ChangeLifecycle,
            "s3:PutLifecycleConfiguration is open: a lifecycle rule deletes versions, and no policy stops it",
        ),
        (Group::ChangePolicy, "s3:PutBucketPolicy or s3:DeleteBucketPolicy is open: the policy can be taken away"),
    ];
    let is_open = |group| match said.guard(group) {
        // Whom other accounts let in may pass; the bucket's account may not.
        Guard::Open | Guard::InPart => {
            said.reach(Caller::Administrator, Act::Group(group), Statements::All) != Some(Reach::All)
        }
        Guard::Denied | Guard::Mfa | Guard::Unknown => false,
    };
    ways.into_iter().filter(move |(group, _)| is_open(*group)).map(|(_, words)| Hole::Policy(words.to_owned()))
}

/// Whom no bucket policy keeps out.
fn owner_hole(said: &Said) -> Option<Hole> {
    said.owner_hole().map(|hole| Hole::Policy(hole.to_string()))
}

/// What guards versions guards nothing that is written where there are none, whatever a policy says.
fn without_versions(facts: &Facts<'_>) -> Option<State> {
    match facts.state().ok()?.versioning {
        Versioning::Enabled => None,
        Versioning::Never => Some(State::Absent("versioning was never configured".to_owned())),
        Versioning::Partial(exclusions) => Some(State::Absent(format!("versioning leaves out {exclusions}"))),
        Versioning::Suspended => {
            let why = "versioning is suspended: a plain deletion or a new upload destroys what is written now";
            Some(State::Absent(why.to_owned()))
        }
    }
}

/// And it guards versions as long as no rule ends them.
fn of_versions(facts: &Facts<'_>, extent: Extent, fact: String, mut holes: Vec<Hole>) -> Result<State, Doubt> {
    facts.state()?;
    match &facts.noncurrent {
        Noncurrent::Kept => {}
        Noncurrent::Expire { days, by, .. } => holes.push(Hole::VersionsExpire { days: *days, by: by.clone() }),
        Noncurrent::Unknown(_) => holes.push(Hole::VersionsMayExpire),
    }
    Ok(State::Present { extent, fact, days: None, holes })
}

fn deny_version_deletion(facts: &Facts<'_>) -> Result<State, Doubt> {
    if let Some(absent) = without_versions(facts) {
        return Ok(absent);
    }
    let said = facts.policy()?;
    let Said::Judged(judged) = said else { return Ok(State::Absent("there is no bucket policy".to_owned())) };
    let present = |extent, fact: &str, holes: Vec<Hole>| {
        let holes = holes.into_iter().chain(ways_round(said)).chain(owner_hole(said)).collect();
        of_versions(facts, extent, fact.to_owned(), holes)
    };
    match &judged.version_deletion {
        Denied::All => present(Extent::Whole, "the bucket policy denies s3:DeleteObjectVersion to everybody", vec![]),
        Denied::Some(holes) => {
            let holes = holes.iter().map(|hole| Hole::Policy(hole.to_string())).collect();
            present(Extent::Part, "the bucket policy denies s3:DeleteObjectVersion in part", holes)
        }
        Denied::Nothing => {
            let why = "the bucket policy denies s3:DeleteObjectVersion to nobody, or only to requests that nobody has to make, \
                       such as those without TLS";
            Ok(State::Absent(why.to_owned()))
        }
        Denied::Unknown(holes) => Err(Doubt::NotJudged(sentences(holes))),
    }
}

fn mfa_by_policy(facts: &Facts<'_>) -> Result<State, Doubt> {
    if let Some(absent) = without_versions(facts) {
        return Ok(absent);
    }
    let said = facts.policy()?;
    let Some(access) = said.access(Group::DeleteVersions) else {
        return Ok(State::Absent("there is no bucket policy".to_owned()));
    };
    let present = |extent, fact: &str| {
        let age = access.max_age.map_or(String::new(), |age| format!(", used at most {age} seconds before"));
        let holes = access.holes().into_iter().map(Hole::Policy).chain(owner_hole(said)).collect();
        of_versions(facts, extent, format!("{fact}{age}"), holes)
    };
    match access.verdict {
        Verdict::Required => present(Extent::Whole, "the bucket policy demands MFA for s3:DeleteObjectVersion"),
        Verdict::Partial => present(Extent::Part, "the bucket policy demands MFA for s3:DeleteObjectVersion in part"),
        Verdict::NotRequired if access.denied_to_all => {
            Ok(State::Absent("the bucket policy denies s3:DeleteObjectVersion with MFA, too".to_owned()))
        }
        Verdict::NotRequired => {
            let holes = access.holes();
            let holes = if holes.is_empty() { String::new() } else { format!(": {}", holes.join("; ")) };
            Ok(State::Absent(format!("the bucket policy does not demand MFA for s3:DeleteObjectVersion{holes}")))
        }
        Verdict::Unknown => Err(Doubt::NotJudged(access.holes().join("; "))),
    }
}
