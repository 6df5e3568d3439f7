//! What came of a run's accounts, and whether the run could run at all.

use super::{Reached, Worked};
use crate::aws::failure::Failure;
use crate::inventory::InventoryError;
use crate::model::{AccountRecord, Coverage, ErrorClass};

/// What came of the accounts.
#[derive(Debug, Default)]
pub struct Collected {
    /// In the order in which they were finished.
    pub accounts: Vec<AccountRecord>,
    pub coverage: Coverage,
    /// The run was told to stop, and something was not read for that.
    pub interrupted: bool,
    roles: Roles,
    /// Accounts whose buckets could be listed, in part at least.
    reached: u64,
    /// The first failure of an account that was not reached, and whether all such failures mean that the run itself
    /// has no credentials or no way to AWS.
    failure: Option<Failure>,
    ours: bool,
}

#[derive(Debug, Default)]
struct Roles {
    asked: u64,
    assumed: u64,
    /// The first.
    failure: Option<Failure>,
}

/// Why a run that asked found that it could not run at all.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error("the role could be assumed in none of the accounts ({accounts}): {failure}")]
    NoRole { accounts: u64, failure: Failure },
    #[error("no account could be read: {0}")]
    NoWay(Failure),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl CollectError {
    /// Whether there is something to go on with: AWS was asked, and what it said could not be written.
    pub fn is_of_the_disk(&self) -> bool {
        match self {
            Self::Inventory(_) => true,
            Self::NoRole { .. } | Self::NoWay(_) => false,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoRole { failure, .. } => failure.help().unwrap_or(
                "check --role-name, the role's trust policy and --external-id; OrganizationAccountAccessRole exists \
                 only in accounts that Organizations created, and trusts the management account only",
            ),
            Self::NoWay(failure) => {
                failure.help().unwrap_or("check the credentials, the network, AWS_REGION and AWS_ENDPOINT_URL")
            }
            Self::Inventory(error) => error.help(),
        }
    }
}

impl Collected {
    pub(super) fn add(&mut self, worked: Worked) {
        self.coverage.buckets_complete += worked.tally.complete;
        self.coverage.buckets_unknown += worked.tally.unknown;
        self.coverage.buckets_vanished += worked.tally.vanished;
        *self.coverage.buckets_directory.get_or_insert_default() += worked.tally.directory;
        self.accounts.push(worked.record);
        self.interrupted |= worked.cut;
        let by_role = u64::from(worked.by_role);
        match worked.reached {
            Reached::Unasked => {}
            Reached::Entered => {
                self.reached += 1;
                self.roles.asked += by_role;
                self.roles.assumed += by_role;
            }
            Reached::Listing(failure) => {
                self.roles.asked += by_role;
                self.roles.assumed += by_role;
                self.fail(failure);
            }
            Reached::Nothing(failure) => {
                self.roles.asked += by_role;
                self.roles.failure.get_or_insert_with(|| failure.clone());
                self.fail(failure);
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        let ours = match failure.reason.class {
            ErrorClass::Credentials => true,
            ErrorClass::Unavailable => failure.reason.http_status.is_none(),
            ErrorClass::Denied
            | ErrorClass::WrongRegion
            | ErrorClass::Throttled
            | ErrorClass::Malformed
            | ErrorClass::Unsupported
            | ErrorClass::Rejected
            | ErrorClass::Interrupted => false,
        };
        self.ours = ours && (self.ours || self.failure.is_none());
        self.failure.get_or_insert(failure);
    }

    /// A role that exists nowhere, credentials that are worth nothing and an endpoint that does not answer are no
    /// findings about accounts: such a run could not run. A single role that is refused beside an account that was
    /// read says nothing of the role's name.
    pub(super) fn check(mut self) -> Result<Self, CollectError> {
        let Roles { asked, assumed, failure } = std::mem::take(&mut self.roles);
        match (failure, self.failure.take()) {
            (Some(failure), _) if assumed == 0 && (asked > 1 || self.reached == 0) => {
                Err(CollectError::NoRole { accounts: asked, failure })
            }
            (_, Some(failure)) if self.reached == 0 && self.ours => Err(CollectError::NoWay(failure)),
            _ => Ok(self),
        }
    }
}
