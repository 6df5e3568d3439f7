//! What an export of ours says in its `coverage.json` that it does not have: accounts and buckets, each with the reason.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};

use super::kept::Kept;
use super::read::{PartError, from_the_start};
use crate::model::leaves_out_buckets;
use crate::storage_lens::coverage::{self, Coverage, CoverageError, Gap, Unread, UnreadAccount};
use crate::storage_lens::place::COVERAGE;
use crate::storage_lens::{Manifest, Metric, RecordType};

/// Why a `coverage.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoCoverage {
    #[error(transparent)]
    Part(#[from] PartError),
    #[error(transparent)]
    Content(#[from] CoverageError),
}

#[derive(Debug, Default)]
pub struct Missing {
    /// That it says nothing.
    unsaid: Kept,
    /// Where it counts other rows than there are.
    counts: Kept,
    accounts: Kept,
    buckets: Kept,
    /// The options of the scan that left something out.
    filters: Vec<String>,
    /// Accounts that AWS had closed or suspended: there was nothing to read.
    skipped: Kept,
    /// Why buckets of an account may be missing.
    unread: BTreeMap<String, String>,
}

impl Missing {
    /// Of an export of ours without the file.
    pub fn unsaid() -> Self {
        let mut missing = Self::default();
        missing.unsaid.add(|| format!("there is no {COVERAGE} beside the manifest: nobody knows what is missing"));
        missing
    }

    /// `metrics`: those that matter. `take` is given every bucket of the file, of which some have no row: nothing, unless
    /// the whole file can be used.
    pub fn read(
        file: &File,
        manifest: &Manifest,
        metrics: &[Metric],
        mut take: impl FnMut(&Gap) -> io::Result<()>,
    ) -> Result<(Self, Coverage), MissingError> {
        let open = || from_the_start(file).map(BufReader::new).map_err(|error| NoCoverage::Part(error.into()));
        coverage::read(open()?, manifest, |_| ()).map_err(NoCoverage::from)?;
        let (mut missing, mut taken) = (Self::default(), Ok(()));
        let read = coverage::read(open()?, manifest, |gap| {
            missing.bucket(&gap, metrics);
            if taken.is_ok() {
                taken = take(&gap);
            }
        });
        taken.map_err(MissingError::Disk)?;
        let read = read.map_err(NoCoverage::from)?;
        if read.interrupted {
            missing.accounts.add(|| "the run that wrote it was interrupted".to_owned());
        }
        missing.filters.clone_from(&read.filters);
        for account in &read.accounts {
            missing.account(account);
        }
        Ok((missing, read))
    }

    fn bucket(&mut self, gap: &Gap, metrics: &[Metric]) {
        let unknown: Vec<&str> =
            gap.unknown.iter().filter(|metric| metrics.contains(metric)).map(|metric| metric.name()).collect();
        if !unknown.is_empty() {
            let Gap { account, region, bucket, reasons, .. } = gap;
            let (unknown, reasons) = (unknown.join(", "), reasons.join("; "));
            self.buckets
                .add(|| format!("bucket {bucket} in account {account}, {region}: {unknown} unknown: {reasons}"));
        }
    }

    fn account(&mut self, account: &UnreadAccount) {
        let UnreadAccount { account_id, account_name, outcome, reason } = account;
        let id = account_id.as_deref().unwrap_or("of an unknown id");
        let name = if account_name.is_empty() { String::new() } else { format!(" ({account_name})") };
        let why = format!("{}: {reason}", outcome.as_str());
        let kept = match outcome {
            Unread::Incomplete | Unread::Failed => &mut self.accounts,
            Unread::Skipped => &mut self.skipped,
        };
        kept.add(|| format!("account {id}{name}: {why}"));
        if let Some(id) = account_id {
            self.unread.insert(id.clone(), why);
        }
    }

    /// It counts the rows of buckets, too: `rows` are those that were read.
    pub fn hold(&mut self, coverage: &Coverage, rows: &[u64; Metric::COUNT], metrics: &[Metric]) {
        for metric in metrics {
            let (said, found) = (coverage.known[metric.index()], rows[metric.index()]);
            if said != found {
                let (name, bucket) = (metric.name(), RecordType::Bucket.as_str());
                self.counts.add(|| format!("{COVERAGE} counts {said} {bucket} rows of {name}, and there are {found}"));
            }
        }
    }

    /// Whether something is missing that was there; of an account that was skipped nothing is.
    pub fn is_empty(&self) -> bool {
        !self.is_anywhere() && self.accounts.is_empty() && self.buckets.is_empty() && self.filters.is_empty()
    }

    /// Whether in accounts that it has nobody asked for some of the buckets.
    pub fn is_filtered(&self) -> bool {
        self.filters.iter().any(|filter| leaves_out_buckets(filter))
    }

    /// Whether buckets of any account may be missing.
    pub fn is_anywhere(&self) -> bool {
        !self.unsaid.is_empty() || !self.counts.is_empty()
    }

    /// A sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let unsaid = self.unsaid.told("files that are not there");
        let accounts = self.accounts.told("accounts that were not read to their end");
        let skipped = self.skipped.told("accounts that were skipped");
        let filters = (!self.filters.is_empty())
            .then(|| format!("the scan that wrote it was asked for a part only: {}", self.filters.join(" ")));
        unsaid.chain(filters).chain(accounts).chain(self.buckets.told("buckets")).chain(skipped).collect()
    }

    /// Where it and the rows contradict each other, a sentence each.
    pub fn doubts(&self) -> impl Iterator<Item = String> {
        self.counts.told("counts that differ")
    }

    /// Why buckets of the account may be missing in the export; `None` where they are not.
    pub fn of(&self, account: &str) -> Option<&str> {
        self.unread.get(account).map(String::as_str)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MissingError {
    #[error(transparent)]
    Content(#[from] NoCoverage),
    /// The temporary files in which buckets are sorted.
    #[error("sort the buckets of the export: {0}")]
    Disk(io::Error),
}
