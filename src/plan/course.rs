//! What is to be done about MFA delete of one bucket. Pure.

use std::rc::Rc;
use std::sync::Arc;

use super::effects::{Analyst, Effects};
use super::targets::{Source, Targets};
use crate::evaluate::{Evaluation, Evaluator};
use crate::lifecycle::Versions;
use crate::model::{
    AccountId, BucketRecord, DefaultLock, Facts, Lifecycle, MfaDelete, ObjectLock, Reason, Replication, Status,
    Versioning, VersioningState, is_bucket_name,
};

/// Rules that ask for something about MFA delete: where none of them fails or is unknown nothing is to be done.
const RULES: [&str; 3] = ["mfa-delete-enabled", "mfa-delete-versioning-suspended", "lifecycle-bypasses-mfa-delete"];

/// What is to be done about one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// It is as the standard wants it, excused, or gone.
    Nothing,
    /// AWS does not offer MFA delete where the bucket is.
    NotOffered,
    Enable(Work),
    /// MFA delete is enabled beside a lifecycle configuration, so one of the two has to go. The reasons say why MFA delete
    /// may be the wrong one to keep.
    Conflict(Work, Vec<Why>),
    /// MFA delete can be enabled, and something else is better: why, at least one.
    WrongTool(Work, Vec<Why>),
    /// What could not be read decides: each reason once.
    Unknown(Vec<Rc<Unread>>),
    /// No bucket of S3 can have this name, so it is put into no command.
    NoName,
}

impl Course {
    /// Whether a plan lists the bucket.
    pub fn has_entry(&self) -> bool {
        match self {
            Self::Nothing | Self::NotOffered => false,
            Self::Conflict(..) | Self::Enable(_) | Self::WrongTool(..) | Self::Unknown(_) | Self::NoName => true,
        }
    }
}

/// What stands between a bucket and MFA delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    pub state: VersioningState,
    /// The lifecycle configuration, which has to go first; `None` where there is none.
    pub lifecycle: Option<Rc<Effects>>,
    pub object_lock: Lock,
    /// Whether the bucket policy lets the root user, whose long-term keys carry no MFA, take the steps; `None` where that
    /// is not known.
    pub policy_lets_root: Option<bool>,
    /// Another account to which its objects are replicated.
    pub replicated_to: Option<AccountId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    None,
    Enabled(DefaultLock),
    /// Nobody asked, or it could not be read: what is done looks at it first.
    Unread,
}

/// Why MFA delete is the wrong tool for a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its lifecycle rules delete what is old, which MFA delete would end.
    LifecycleDeletes,
    ReplicationTarget(Source),
    ObjectLock(DefaultLock),
}

/// A fact that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// In one sentence.
    pub reason: String,
    /// The permission whose absence it may be; none where the service names a Deny.
    pub action: Option<&'static str>,
}

impl Unread {
    fn new(reason: &Arc<Reason>, evaluation: &Evaluation) -> Rc<Self> {
        Rc::new(Self { reason: evaluation.doubt(reason).sentence(), action: reason.needs() })
    }
}

/// Judges buckets, one after the other.
pub struct Judge<'a> {
    pub evaluator: &'a Evaluator,
    pub analyst: &'a Analyst,
    pub targets: &'a Targets,
}

impl Judge<'_> {
    pub fn course(&self, record: &BucketRecord) -> Course {
        let Facts::Read { versioning, lifecycle, extras } = &record.facts else { return Course::Nothing };
        let evaluation = self.evaluator.evaluate(record);
        if !asks_for_something(&evaluation) {
            return if is_not_offered(&evaluation) { Course::NotOffered } else { Course::Nothing };
        }
        let (Some(state), Some(lifecycle)) = (versioning.known(), lifecycle.known()) else {
            let unread = [versioning.reason(), lifecycle.reason()].into_iter().flatten();
            let mut reasons: Vec<_> = unread.map(|reason| Unread::new(reason, &evaluation)).collect();
            reasons.dedup();
            return Course::Unknown(reasons);
        };
        if !is_bucket_name(&record.bucket) {
            return Course::NoName;
        }
        let object_lock = match extras.object_lock.as_ref().and_then(|fact| fact.known()) {
            None => Lock::Unread,
            Some(ObjectLock::None) => Lock::None,
            Some(ObjectLock::Enabled(lock)) => Lock::Enabled(*lock),
        };
        let policy_lets_root = evaluation.policy.as_ref().and_then(|said| {
            let steps = ["s3:PutBucketVersioning", "s3:GetBucketVersioning", "s3:GetLifecycleConfiguration"];
            let change = matches!(lifecycle, Lifecycle::Present(_)).then_some("s3:PutLifecycleConfiguration");
            let answers: Vec<Option<bool>> =
                steps.into_iter().chain(change).map(|action| said.lets_root(&record.account, action)).collect();
            match () {
                () if answers.contains(&Some(false)) => Some(false),
                () if answers.contains(&None) => None,
                () => Some(true),
            }
        });
        let work = Work {
            state: *state,
            policy_lets_root,
            lifecycle: match lifecycle {
                Lifecycle::None => None,
                Lifecycle::Present(configuration) => {
                    Some(self.analyst.effects(configuration, versions(state.versioning)))
                }
            },
            object_lock,
            replicated_to: extras
                .replication
                .as_ref()
                .and_then(|fact| fact.known())
                .and_then(|replication| other_account(replication, &record.account)),
        };
        let why = self.why_not(record, &work);
        if work.lifecycle.is_some() && work.state.mfa_delete == MfaDelete::Enabled {
            return Course::Conflict(work, why);
        }
        if why.is_empty() { Course::Enable(work) } else { Course::WrongTool(work, why) }
    }

    fn why_not(&self, record: &BucketRecord, work: &Work) -> Vec<Why> {
        let mut why = Vec::new();
        if work.lifecycle.as_ref().is_some_and(|effects| effects.deletes) {
            why.push(Why::LifecycleDeletes);
        }
        if let Lock::Enabled(lock) = work.object_lock {
            why.push(Why::ObjectLock(lock));
        }
        why.extend(self.targets.source_of(&record.bucket).cloned().map(Why::ReplicationTarget));
        why
    }
}

fn asks_for_something(evaluation: &Evaluation) -> bool {
    let matters = |status| match status {
        Status::Fail | Status::Unknown => true,
        Status::Waived | Status::Pass | Status::NotApplicable => false,
    };
    let findings = evaluation.findings.iter().filter(|finding| RULES.contains(&finding.rule));
    findings.into_iter().any(|finding| matters(finding.status))
}

fn is_not_offered(evaluation: &Evaluation) -> bool {
    evaluation.findings.iter().any(|finding| finding.rule == RULES[0] && finding.status == Status::NotApplicable)
}

fn versions(versioning: Versioning) -> Versions {
    match versioning {
        Versioning::Never => Versions::Unversioned,
        Versioning::Enabled => Versions::Enabled,
        // What is left out of versioning has null versions, as in a suspended bucket.
        Versioning::Partial(_) | Versioning::Suspended => Versions::Suspended,
    }
}

fn other_account(replication: &Replication, own: &AccountId) -> Option<AccountId> {
    match replication {
        Replication::None => None,
        Replication::Present(rules) => {
            let others = rules.iter().filter(|rule| rule.enabled).filter_map(|rule| rule.account.as_ref());
            others.into_iter().find(|account| *account != own).cloned()
        }
    }
}

/// Buckets by what is to be done about them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// MFA delete and a lifecycle configuration are both in force.
    pub conflict: u64,
    pub enable: u64,
    /// Of these, buckets of which it is not known whether they have Object Lock.
    pub object_lock_unread: u64,
    pub wrong_tool: u64,
    pub unknown: u64,
    /// With a name that is put into no command.
    pub no_name: u64,
    /// AWS does not offer MFA delete where they are.
    pub not_offered: u64,
    pub nothing: u64,
}

impl Tally {
    pub fn count(&mut self, course: &Course) {
        if matches!(course, Course::Enable(Work { object_lock: Lock::Unread, .. })) {
            self.object_lock_unread += 1;
        }
        *match course {
            Course::Nothing => &mut self.nothing,
            Course::NotOffered => &mut self.not_offered,
            Course::Conflict(..) => &mut self.conflict,
            Course::Enable(_) => &mut self.enable,
            Course::WrongTool(..) => &mut self.wrong_tool,
            Course::Unknown(_) => &mut self.unknown,
            Course::NoName => &mut self.no_name,
        } += 1;
    }

    pub fn add(&mut self, other: Self) {
        self.conflict += other.conflict;
        self.enable += other.enable;
        self.object_lock_unread += other.object_lock_unread;
        self.wrong_tool += other.wrong_tool;
        self.unknown += other.unknown;
        self.no_name += other.no_name;
        self.not_offered += other.not_offered;
        self.nothing += other.nothing;
    }

    /// Whether some bucket has to be spoken of.
    pub fn has_something(self) -> bool {
        self.has_steps() || self.unknown + self.no_name > 0
    }

    /// Whether some bucket has steps.
    pub fn has_steps(self) -> bool {
        self.conflict + self.enable + self.wrong_tool > 0
    }

    /// Whether no bucket was counted.
    pub fn is_empty(self) -> bool {
        !self.has_something() && self.nothing + self.not_offered == 0
    }
}
