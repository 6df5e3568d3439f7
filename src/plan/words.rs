//! The words that every format of a plan shares, and `bucketlens mfa-delete` with it.

use super::course::{Lock, Why, Work};
use crate::model::{
    DefaultLock, DefaultRetention, EventHold, MfaDelete, RetentionMode, RetentionPeriod, Run, Versioning,
    VersioningState,
};

/// Why a lifecycle configuration stands in the way of MFA delete, and what is to be considered before it goes.
pub fn lifecycle_blocks(rules: usize) -> String {
    format!(
        "it has a lifecycle configuration ({}), and S3 refuses MFA delete beside one, whatever its rules do. Where its \
         rules are needed, MFA delete is the wrong tool: consider Object Lock, or replication to another account",
        counted(rules, "rule")
    )
}

/// Why the steps would be refused.
pub const POLICY_KEEPS_ROOT_OUT: &str = "the bucket policy denies the root user's long-term keys what the steps need: such \
                                         keys never carry MFA, as policies see it (aws:MultiFactorAuthPresent). Change the \
                                         policy first, and put it back afterwards";

/// What its removal means, whatever its rules are.
pub const WITHOUT_LIFECYCLE: &str = "from then on nothing expires, and old versions and incomplete uploads stay";

/// Of buckets to enable.
pub fn lock_unread(buckets: u64) -> String {
    let number = counted(usize::try_from(buckets).unwrap_or(usize::MAX), "bucket");
    format!(
        "whether {number} of those to enable has Object Lock, beside which MFA delete is not documented, was not read: \
         their first step looks (`bucketlens scan --with protection` reads it before)"
    )
}

pub fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// `versioning enabled, MFA delete never configured`.
pub fn state(state: VersioningState) -> String {
    let versioning = match state.versioning {
        Versioning::Never => "never configured",
        Versioning::Enabled => "enabled",
        Versioning::Partial(_) => "enabled in part",
        Versioning::Suspended => "suspended",
    };
    let mfa_delete = match state.mfa_delete {
        MfaDelete::Never => "never configured",
        MfaDelete::Disabled => "disabled",
        MfaDelete::Enabled => "enabled",
    };
    format!("versioning {versioning}, MFA delete {mfa_delete}")
}

pub fn lock(lock: Lock) -> Option<String> {
    match lock {
        Lock::None => None,
        Lock::Enabled(lock) => Some(format!("Object Lock {}", retained(lock))),
        Lock::Unread => Some("Object Lock not known".to_owned()),
    }
}

fn retained(lock: DefaultLock) -> String {
    let mode_of = |mode| match mode {
        RetentionMode::Governance => "GOVERNANCE",
        RetentionMode::Compliance => "COMPLIANCE",
    };
    let period_of = |period| {
        let (number, unit) = match period {
            RetentionPeriod::Days(days) => (days, "day"),
            RetentionPeriod::Years(years) => (years, "year"),
        };
        counted(usize::try_from(number).unwrap_or(usize::MAX), unit)
    };
    let retention = lock.retention.map(|DefaultRetention { mode, period }| {
        format!("a default retention of {} ({})", period_of(period), mode_of(mode))
    });
    let hold = lock.event_hold.map(|EventHold { mode, period }| {
        // Beside a retention the mode is the same.
        let mode = mode.filter(|_| retention.is_none()).map_or(String::new(), |mode| format!(" ({})", mode_of(mode)));
        format!("a default event hold that ends {} after its release{mode}", period_of(period))
    });
    let both: Vec<String> = retention.into_iter().chain(hold).collect();
    if both.is_empty() { "without a default retention".to_owned() } else { format!("with {}", both.join(" and ")) }
}

/// What is wrong with a bucket that has both.
pub const CONFLICT: &str = "MFA delete is enabled beside a lifecycle configuration, which AWS documents as impossible: read \
                            both again; if they stay, one of the two has to go";

/// What a run leaves out because of its filters; `None` where it has none.
pub fn filtered(run: &Run) -> Option<String> {
    let filters: Vec<&str> = run.filters().collect();
    let words = "the run was filtered, so buckets that its filters leave out are missing here";
    (!filters.is_empty()).then(|| format!("{words}: {}", filters.join(" ")))
}

/// Of an account without a bucket.
pub const NO_BUCKET: &str = "no bucket in this run";

/// Why MFA delete is the wrong tool.
pub fn why_not(why: &Why) -> String {
    match why {
        Why::LifecycleDeletes => {
            "its lifecycle rules delete what is old, as for logs: MFA delete would end that, because S3 takes no \
             lifecycle configuration beside it"
                .to_owned()
        }
        Why::ReplicationTarget(source) => format!(
            "bucket {} of account {} replicates to it: deletions of versions and lifecycle actions are not replicated, so \
             its versions pile up, and beside MFA delete no lifecycle configuration can tidy it",
            source.bucket, source.account
        ),
        Why::ObjectLock(lock) => {
            format!("it has Object Lock {}: whether S3 takes MFA delete beside it is not documented", retained(*lock))
        }
    }
}

/// What protects such a bucket better, the best first; at least one.
///
/// Source: S3 user guide, "Object Lock considerations", "What does Amazon S3 replicate?".
pub fn better(why: &[Why], work: &Work) -> Vec<String> {
    let mut better = Vec::new();
    let locked = match work.object_lock {
        Lock::Enabled(lock) => Some(lock),
        Lock::None | Lock::Unread => None,
    };
    let mode = locked.map(|lock| lock.retention.map(|it| it.mode).or(lock.event_hold.and_then(|it| it.mode)));
    better.push(match mode {
        Some(Some(RetentionMode::Compliance)) => {
            "keep Object Lock as it is: nobody can delete a locked version, the root user neither".to_owned()
        }
        Some(Some(RetentionMode::Governance)) => {
            "keep Object Lock and consider the mode COMPLIANCE: GOVERNANCE is bypassed by whoever has \
             s3:BypassGovernanceRetention"
                .to_owned()
        }
        Some(None) if locked.is_some_and(|lock| lock.event_hold.is_some()) => {
            "keep Object Lock as it is, and consider a default retention in the mode COMPLIANCE beside the event hold"
                .to_owned()
        }
        Some(None) => "give Object Lock a default retention: without one only objects that ask for it are locked, and \
                       only new objects get it"
            .to_owned(),
        None => {
            "Object Lock with a default retention (COMPLIANCE is the strongest; it needs versioning, and holds for \
                 new objects only): \
                 lifecycle rules go on, and delete nothing that is locked"
                .to_owned()
        }
    });
    better.push(
        "a Deny of s3:DeleteObjectVersion, s3:PutLifecycleConfiguration, s3:PutBucketVersioning and s3:PutBucketPolicy \
         for all but a break-glass role, in a service control policy (which does not bind the management account) or the \
         bucket policy; no policy stops lifecycle rules that are there"
            .to_owned(),
    );
    let is_target = why.iter().any(|why| matches!(why, Why::ReplicationTarget(_)));
    match &work.replicated_to {
        Some(account) => better.push(format!(
            "it already replicates to account {account}: deletions of versions and lifecycle actions do not travel there; \
             lock the copy with Object Lock"
        )),
        None if !is_target => better.push(
            "replication to a bucket of another account: deletions of versions and lifecycle actions do not travel there"
                .to_owned(),
        ),
        None => {}
    }
    if work.lifecycle.as_ref().is_some_and(|effects| effects.deletes) {
        better.push(
            "careful lifecycle rules: NoncurrentDays that leave time to notice a mistake, and NewerNoncurrentVersions \
             of at least 1"
                .to_owned(),
        );
    }
    better
}

/// The partition of the AWS China Regions.
pub const CHINA: &str = "aws-cn";

/// Who can take the steps in the AWS China Regions.
///
/// Source: "Getting Started with AWS services in China", IAM: there is no root user, and all users are IAM users.
pub const ROOT_OF_CHINA: &str = "The AWS China Regions have no root user, and AWS does not document whether MFA delete can be \
                                 enabled there. Ask an administrator of the account or AWS Support first.";

/// What the root user has to have, and why: shared by the formats.
pub const ROOT: &str = "Only the root user of this account can change MFA delete, by CLI or API, with long-term access \
                        keys and a code of its own MFA device: no role, no administrator, not the console, not CloudShell \
                        (its temporary credentials are refused), and not sts:AssumeRoot. New member accounts have no root \
                        credentials, and centralized root access removes them: then recover the root user first, or take \
                        a better control. Security Hub IAM.4 and CIS want no root access keys: create one for this, and \
                        delete it afterwards.";
