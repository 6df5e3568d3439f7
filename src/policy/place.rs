use time::Date;

use crate::model::AccountId;

/// Where a bucket is, and when its policy is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub bucket: String,
    /// The one that owns it.
    pub account: AccountId,
    /// The second part of its ARN.
    pub partition: String,
    /// The organization of the account, where it is known.
    pub organization: Option<String>,
    /// The day of the run, in UTC.
    pub today: Date,
}
