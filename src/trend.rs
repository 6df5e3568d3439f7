//! How metrics go over time: the runs of a folder, one for each day, and what they add up to.
//!
//! A day is that on which a run began, in UTC. Of several runs of a day the last complete one speaks for it; where none
//! is complete, the last one does, and is marked. A run of the organization goes before one of some accounts, and one
//! without filters before one with them: a part would pass for the whole. A run that stands in several places counts once, as
//! it was judged when it was scanned. Days without a run have no values: nothing is made up between two.
//! Runs are read one after the other, each from the sums of its buckets, so memory depends on the accounts of one run.

mod days;

use std::collections::BTreeSet;

use time::Date;

use crate::aggregate::{self, AggregateError, Aggregator, MetricRow, Metrics, Scope};
use crate::dataset::inventory::read::{File, ReadError};
use crate::model::{AccountRecord, Coverage, Run};

pub use days::{Chosen, Day, LeftOut, TrendError, choose, listed};

/// A run whose metrics can be had.
#[derive(Debug)]
pub enum Source {
    /// Its `inventory.parquet`.
    File(File),
    /// Its metrics as they were added up from its inventory.
    Added { run: Run, coverage: Coverage, accounts: Vec<AccountRecord>, metrics: Metrics },
}

impl Source {
    pub fn run(&self) -> &Run {
        match self {
            Self::File(file) => &file.about.run,
            Self::Added { run, .. } => run,
        }
    }

    fn accounts(&self) -> &[AccountRecord] {
        match self {
            Self::File(file) => &file.about.accounts,
            Self::Added { accounts, .. } => accounts,
        }
    }

    fn coverage(&self) -> &Coverage {
        match self {
            Self::File(file) => &file.about.coverage,
            Self::Added { coverage, .. } => coverage,
        }
    }

    pub fn date(&self) -> Date {
        self.run().start.date()
    }

    /// Whether it came to its end and nothing stayed unknown.
    pub fn is_complete(&self) -> bool {
        !self.run().interrupted && self.coverage().is_complete()
    }
}

/// Which values are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub scope: Scope,
    /// Ids of OUs or accounts, or names of Regions; empty for all.
    pub ids: Vec<String>,
    /// Names of metrics; empty for all.
    pub metrics: Vec<String>,
}

impl Wanted {
    fn has(&self, row: &MetricRow<'_>) -> bool {
        let is_listed = |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == value);
        row.scope == self.scope && is_listed(&self.ids, row.scope_id) && is_listed(&self.metrics, row.metric)
    }
}

/// The ids that can be asked for in this scope of a run, be anything known of them or not.
pub fn ids(source: &Source, scope: Scope) -> Result<BTreeSet<String>, SumError> {
    let accounts = source.accounts().iter();
    Ok(match scope {
        Scope::Account | Scope::AccountRegion => {
            accounts.filter_map(|account| Some(account.id.as_ref()?.to_string())).collect()
        }
        Scope::Ou => accounts.flat_map(|account| account.ou_path.ous().map(str::to_owned)).collect(),
        Scope::Organization => source.run().organization_id.iter().map(ToString::to_string).collect(),
        Scope::Region => match source {
            Source::File(file) => file.regions()?.iter().map(|region| region.as_str().to_owned()).collect(),
            Source::Added { metrics, .. } => {
                let rows = metrics.rows().filter(|row| row.scope == scope);
                rows.map(|row| row.scope_id.to_owned()).collect()
            }
        },
        Scope::Tag => BTreeSet::new(),
    })
}

/// Whether a run read what this metric is made of. Those that count accounts are made of nothing.
pub fn has(source: &Source, metric: &str) -> bool {
    let lacks = match source {
        Source::File(file) => file.lacks(metric),
        Source::Added { .. } => false,
    };
    !lacks && aggregate::asks(metric).is_subset(&source.run().extras)
}

/// Why the buckets of a run cannot be added up.
#[derive(Debug, thiserror::Error)]
pub enum SumError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
}

/// Tells what is wanted of a run, sorted as in `metrics.csv`.
pub fn values<E: From<SumError>>(
    source: &Source,
    wanted: &Wanted,
    mut tell: impl FnMut(&MetricRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = |metrics: &Metrics, lacks: &dyn Fn(&str) -> bool| {
        metrics.rows().filter(|row| wanted.has(row) && !lacks(row.metric)).try_for_each(|row| tell(&row))
    };
    match source {
        Source::File(file) => rows(&added_up(file)?, &|metric| file.lacks(metric)),
        Source::Added { metrics, .. } => rows(metrics, &|_| false),
    }
}

/// Every metric of every scope of a run, from its `inventory.parquet`.
pub fn added_up(file: &File) -> Result<Metrics, SumError> {
    let run = &file.about.run;
    let mut aggregator = Aggregator::new(&run.extras).of_organization(run.organization_id.as_deref());
    for sum in file.sums()? {
        aggregator.push_sums(&sum.account, &sum.region, &sum.counts);
    }
    let accounts: &[AccountRecord] = &file.about.accounts;
    Ok(aggregator.finish(accounts)?)
}
