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

/// Which fact, of a bucket or, from [`What::AccountName`] on, of an account or an organizational unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Region,
    Versioning,
    MfaDelete,
    Lifecycle,
    Status,
    Extra(Extra),
    AccountName,
    /// Where in the organization the account is.
    AccountPlace,
    AccountState,
    UnitName,
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
            Self::AccountName => "account_name",
            Self::AccountPlace => "ou_path",
            Self::AccountState => "state",
            Self::UnitName => "ou_name",
        }
    }
}

/// A change that is a finding of its own: protection that was there and is not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    MfaDelete,
    Versioning,
    /// A default retention in compliance mode is gone, shorter, or of a mode that can be bypassed.
    ComplianceLock,
}

impl Lost {
    pub const SEVERITY: Severity = Severity::High;

    pub fn as_str(self) -> &'static str {
        match self {
            Self::MfaDelete => "mfa-delete-was-enabled",
            Self::Versioning => "versioning-was-enabled",
            Self::ComplianceLock => "compliance-lock-was-stronger",
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
    /// `None` where the line speaks of an organizational unit.
    pub account: Option<&'a AccountRecord>,
    /// The id of the organizational unit of which the line speaks.
    pub unit: Option<&'a str>,
    /// `None` where the line speaks of the account or the unit.
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
