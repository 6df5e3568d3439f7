//! One of the two runs, and what it would have found had it been there.

use super::DiffError;
use crate::inventory::{Found, Inventory};
use crate::model::{AccountId, AccountRecord, BucketRecord, Facts, Region, ScopeOptions};

/// One of the two runs.
pub struct Side<'a> {
    pub inventory: &'a Inventory,
    /// How its accounts were found: two runs with the same look in the same places.
    pub discovery: ScopeOptions,
    pub kept: &'a dyn Kept,
    /// What it found before it read anything.
    pub found: Option<Found>,
}

/// What a run kept of what it found.
pub trait Kept {
    fn account(&self, id: &AccountId) -> bool;
    /// Whether that depends on where an account stands in its organization.
    fn looks_at_units(&self) -> bool;
    fn bucket(&self, name: &str) -> bool;
    /// `None` for a Region that is not known.
    fn region(&self, region: Option<&Region>) -> bool;
}

/// Whether the two can be compared at all.
pub fn check(old: &Side<'_>, new: &Side<'_>) -> Result<(), DiffError> {
    let (before, after) = (&old.inventory.closing.run, &new.inventory.closing.run);
    if before.id == after.id {
        return Err(DiffError::SameRun(after.id.to_string()));
    }
    match (&before.organization_id, &after.organization_id) {
        (Some(old), Some(new)) if old == new => Ok(()),
        (Some(old), Some(new)) => Err(DiffError::OtherOrganization { old: old.to_string(), new: new.to_string() }),
        (None, _) | (_, None) => {
            let ids = |side: &Side<'_>| -> Vec<AccountId> {
                side.inventory.accounts().iter().filter_map(|account| account.id.clone()).collect()
            };
            let (before, after) = (ids(old), ids(new));
            let apart = !before.is_empty() && !after.is_empty() && !before.iter().any(|id| after.contains(id));
            if apart { Err(DiffError::NothingInCommon) } else { Ok(()) }
        }
    }
}

impl Side<'_> {
    /// Whether it would have this account that the other run has, were the account there; else why not.
    pub(super) fn would_have(&self, other: &Self, account: &AccountRecord) -> Result<(), String> {
        let no = |why: &str| Err(why.to_owned());
        let Some(id) = &account.id else {
            return Err(format!("which account it is, is not known: {}", account.listing.reason()));
        };
        if self.inventory.closing.run.interrupted {
            no("the run was interrupted")
        } else if self.discovery != other.discovery {
            no("the runs found their accounts in different ways")
        } else if !self.kept.account(id) {
            no("it is outside the accounts that were asked for")
        } else if self.kept.looks_at_units() {
            no("it may stand in another organizational unit by then")
        } else if let Some(nameless) = self.inventory.accounts().iter().find(|account| account.id.is_none()) {
            let why = nameless.listing.reason();
            Err(format!("it may be that of {}, whose account is not known: {why}", nameless.name))
        } else {
            Ok(())
        }
    }

    /// Whether the run asked for such buckets in this Region at all; else why it says nothing of the bucket.
    pub(super) fn asked_for(&self, record: &BucketRecord) -> Result<(), String> {
        match record.facts {
            Facts::Read { .. } | Facts::Vanished { .. } => return Ok(()),
            Facts::Directory { .. } => {}
        }
        match &self.inventory.closing.run.directory_regions {
            None => Err("directory buckets were not asked for".to_owned()),
            Some(regions) if !regions.contains(&record.region) => {
                Err(format!("{} was not asked for directory buckets", record.region))
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether it would have this bucket, were the bucket there; else why not. `account` is as this run saw it.
    pub(super) fn would_have_bucket(&self, account: &AccountRecord, record: &BucketRecord) -> Result<(), String> {
        self.asked_for(record)?;
        let listed = match record.facts {
            Facts::Read { .. } | Facts::Vanished { .. } => account.listed(),
            Facts::Directory { .. } => account.directories_listed(&record.region),
        };
        listed.map_err(str::to_owned)?;
        if self.kept.bucket(&record.bucket) && self.kept.region(record.confirmed_region()) {
            Ok(())
        } else {
            Err("it is outside the buckets that were asked for".to_owned())
        }
    }
}
