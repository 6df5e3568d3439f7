//! `bucketlens trend`: metrics over the runs of a folder.

mod ids;
mod metrics;
mod remarks;
mod search;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use self::search::Search;
use super::output::{Page, width};
use super::{Problem, console};
use crate::aggregate::{self, Scope};
use crate::dataset::inventory::read::ReadError;
use crate::exit::Exit;
use crate::report::changes::TableFormat;
use crate::trend::{self, Day, SumError, TrendError, Wanted};

/// What is to be shown of which runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub folder: PathBuf,
    pub wanted: Wanted,
    pub format: TableFormat,
    /// Runs that cannot be read are left out, and it is said so.
    pub allow_partial: bool,
}

/// What the page shows where nothing else is asked for.
const USUAL: [&str; 8] = [
    "BucketCount",
    "UnknownBucketCount",
    "VersioningEnabledBucketCount",
    "MFADeleteEnabledBucketCount",
    "MFADeleteEnabledOfKnownPercent",
    "LifecycleConfigurationBucketCount",
    "PassBucketCount",
    "FailBucketCount",
];

impl From<TrendError> for Problem {
    fn from(error: TrendError) -> Self {
        let help = match error {
            TrendError::Nothing => {
                "name a folder in which the output folders of scans stand, or inventory.parquet files"
            }
            TrendError::OtherOrganizations(_) => "keep the runs of each organization in a folder of their own",
        };
        Self::new(format!("failed to {error}")).with_help(help)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        Self::new(format!("failed to {error}"))
            .with_help("make it again with bucketlens report DIR, or leave it out with --allow-partial")
    }
}

impl From<SumError> for Problem {
    fn from(error: SumError) -> Self {
        match error {
            SumError::Read(error) => error.into(),
            SumError::Aggregate(error) => error.into(),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::new(format!("failed to print the trend: {error}"))
    }
}

pub fn run(order: &Order) -> Result<Exit, Problem> {
    let mut wanted = order.wanted.clone();
    metrics::check_names(&wanted)?;
    if wanted.metrics.is_empty() && order.format == TableFormat::Table {
        wanted.metrics = USUAL.map(str::to_owned).into();
    }
    let found = Search::new(order.allow_partial).all(&order.folder)?;
    let chosen = trend::choose(found.sources, &found.scanned);
    let mut chosen = chosen.inspect_err(|_| notes(&found.remarks))?;
    chosen.remarks.splice(0..0, found.remarks);
    chosen.remarks.extend(metrics::check(&chosen.days, &wanted)?);
    ids::check(&chosen.days, &wanted, order.allow_partial)?;
    let out = io::BufWriter::with_capacity(1 << 16, Page(io::stdout()));
    let mut report = order.format.trend(&chosen.days, width(), out)?;
    let mut silent: BTreeSet<&str> = wanted.ids.iter().map(String::as_str).collect();
    for day in &chosen.days {
        let told = trend::values(&day.source, &wanted, |row| {
            // Accounts are counted although nothing of them was read.
            if aggregate::made_of(row.metric).next().is_some() && row.value.is_some() {
                silent.remove(row.scope_id);
            }
            report.value(day, row).map_err(Problem::from)
        });
        match told {
            Err(problem) if order.allow_partial => {
                chosen.remarks.push(format!("{} was left out: {}", day.date, problem.what));
            }
            told => told?,
        }
    }
    chosen.remarks.extend(unplaced(&chosen.days).filter(|_| wanted.scope == Scope::Ou));
    chosen.remarks.extend(silent.into_iter().map(|id| format!("{id} was read on none of these days")));
    report.finish(&chosen.days, &chosen.remarks)?;
    if order.format == TableFormat::Csv {
        // A table has no place for them.
        notes(&chosen.remarks);
    }
    Ok(Exit::Ok)
}

/// On which days metrics by OU leave accounts out.
fn unplaced(days: &[Day]) -> Option<String> {
    let dates: Vec<String> = days.iter().filter(|day| day.unplaced() > 0).map(|day| day.date.to_string()).collect();
    let what = "the organizational units of some accounts could not be read, and values by OU leave these accounts out";
    (!dates.is_empty()).then(|| format!("on {} {what}", trend::listed(dates, ", ")))
}

fn notes(remarks: &[String]) {
    for remark in remarks {
        console::note(remark);
    }
}

/// What `--scope` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ScopeName {
    Organization,
    Ou,
    Account,
    Region,
    AccountRegion,
}

impl ScopeName {
    pub fn scope(self) -> Scope {
        match self {
            Self::Organization => Scope::Organization,
            Self::Ou => Scope::Ou,
            Self::Account => Scope::Account,
            Self::Region => Scope::Region,
            Self::AccountRegion => Scope::AccountRegion,
        }
    }
}
