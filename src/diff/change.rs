//! One thing that is different, or of which nobody can tell.

use crate::model::{AccountRecord, Extra, Region, Severity};

/// What became of an account, a bucket or a fact from the older run to the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Changed,
    BecameUnknown,
    BecameKnown,
    BucketNew,
    BucketGone,
    /// The newer run cannot say whether it is gone.
    BucketNotSeen,
    /// The older run cannot say whether it was there.
    BucketFirstSeen,
    AccountNew,
    AccountGone,
    AccountNotSeen,
    AccountFirstSeen,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Changed,
        Self::BecameUnknown,
        Self::BecameKnown,
        Self::BucketNew,
        Self::BucketGone,
        Self::BucketNotSeen,
        Self::BucketFirstSeen,
        Self::AccountNew,
        Self::AccountGone,
        Self::AccountNotSeen,
        Self::AccountFirstSeen,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::BecameUnknown => "became_unknown",
            Self::BecameKnown => "became_known",
            Self::BucketNew => "bucket_new",
            Self::BucketGone => "bucket_gone",
            Self::BucketNotSeen => "bucket_not_seen",
            Self::BucketFirstSeen => "bucket_first_seen",
            Self::AccountNew => "account_new",
            Self::AccountGone => "account_gone",
            Self::AccountNotSeen => "account_not_seen",
            Self::AccountFirstSeen => "account_first_seen",
        }
    }
}

/// Which fact of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Region,
    Versioning,
    MfaDelete,
    Lifecycle,
    Status,
    Extra(Extra),
}

impl What {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Versioning => "versioning",
            Self::MfaDelete => "mfa_delete",
            Self::Lifecycle => "lifecycle",
            Self::Status => "status",
            Self::Extra(extra) => extra.as_str(),
        }
    }
}

/// A change that is a finding of its own: protection that was there and is not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    MfaDelete,
    Versioning,
}

impl Lost {
    pub const SEVERITY: Severity = Severity::High;

    pub fn as_str(self) -> &'static str {
        match self {
            Self::MfaDelete => "mfa-delete-was-enabled",
            Self::Versioning => "versioning-was-enabled",
        }
    }
}

/// What a change is to the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Plain,
    /// The bucket passed and fails.
    Fails,
    Lost(Lost),
}

impl Weight {
    /// Whether the newer run is worse than the older by it.
    pub fn is_regression(self) -> bool {
        match self {
            Self::Plain => false,
            Self::Fails | Self::Lost(_) => true,
        }
    }
}

/// A line of the comparison.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub account: &'a AccountRecord,
    /// `None` where the line speaks of the account.
    pub bucket: Option<(&'a str, &'a Region)>,
    pub kind: Kind,
    /// `None` where the line speaks of the bucket or the account as a whole.
    pub what: Option<What>,
    /// `None` where there was nothing or nothing was known.
    pub old: Option<&'a str>,
    pub new: Option<&'a str>,
    pub weight: Weight,
    /// What the columns do not say; empty where they say all.
    pub words: &'a str,
}
