//! The sums of the account whose buckets are going by.

use std::collections::BTreeMap;

use super::{Metric, Value, Values};
use crate::model::{AccountId, Region};

/// A sum for each metric over the buckets of which it is known; `None` where it is known of none.
pub type Sums = [Option<u64>; Metric::COUNT];

/// Sums by Region. Memory grows with the Regions of one account.
#[derive(Debug, Default)]
pub struct OfAccount {
    account: Option<AccountId>,
    regions: BTreeMap<Region, Sums>,
}

/// An account that is through, with its Regions in the order of their names.
pub type Done = (AccountId, BTreeMap<Region, Sums>);

impl OfAccount {
    /// Adds a bucket. The first of another account gives what the one before added up to.
    pub fn add(&mut self, account: &AccountId, region: &Region, values: &Values) -> Option<Done> {
        let done = if self.account.as_ref() == Some(account) { None } else { self.take() };
        self.account.get_or_insert_with(|| account.clone());
        if !self.regions.contains_key(region) {
            self.regions.insert(region.clone(), Sums::default());
        }
        let sums = self.regions.get_mut(region).expect("it was put there");
        for (sum, value) in sums.iter_mut().zip(values) {
            if let Value::Known(value) = value {
                *sum = Some(sum.unwrap_or(0) + value);
            }
        }
        done
    }

    /// The last account.
    pub fn take(&mut self) -> Option<Done> {
        let account = self.account.take()?;
        Some((account, std::mem::take(&mut self.regions)))
    }
}
