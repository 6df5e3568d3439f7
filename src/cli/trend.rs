//! `bucketlens trend`: metrics over the runs of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::output::{Page, WRITING, WRITTEN};
use super::{Problem, judge, saved};
use crate::aggregate::{self, Aggregator, Scope};
use crate::dataset::inventory::read::{File, ReadError};
use crate::evaluate::Evaluator;
use crate::exit::Exit;
use crate::inventory::Inventory;
use crate::report::changes::TableFormat;
use crate::report::{Format, harmless, sums};
use crate::trend::{self, Source, SumError, TrendError, Wanted};

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
    if let Some(unknown) = wanted.metrics.iter().find(|name| !aggregate::metrics().any(|metric| metric == *name)) {
        let known = aggregate::metrics().collect::<Vec<_>>().join(", ");
        return Err(Problem::new(format!("--metric: there is no metric {unknown:?}; there are {known}")));
    }
    if wanted.metrics.is_empty() && order.format == TableFormat::Table {
        wanted.metrics = USUAL.map(str::to_owned).into();
    }
    let mut search = Search { sources: Vec::new(), remarks: Vec::new(), allow_partial: order.allow_partial };
    search.folder(&order.folder)?;
    let mut chosen = trend::choose(search.sources)?;
    chosen.remarks.splice(0..0, search.remarks);
    let out = io::BufWriter::with_capacity(1 << 16, Page(io::stdout()));
    let mut report = order.format.trend(&chosen.days, out)?;
    for day in &chosen.days {
        let told = trend::values(&day.source, &wanted, |row| report.value(day, row).map_err(Problem::from));
        match told {
            Err(problem) if order.allow_partial => {
                chosen.remarks.push(format!("{} was left out: {}", day.date, problem.what));
            }
            told => told?,
        }
    }
    report.finish(&chosen.days, &chosen.remarks)?;
    if order.format == TableFormat::Csv {
        // A table has no place for them.
        for remark in &chosen.remarks {
            eprintln!("note: {}", harmless(remark));
        }
    }
    Ok(Exit::Ok)
}

/// Looks for runs in a folder and in those below it.
struct Search {
    sources: Vec<Source>,
    remarks: Vec<String>,
    allow_partial: bool,
}

impl Search {
    fn folder(&mut self, folder: &Path) -> Result<(), Problem> {
        if folder.is_file() {
            let beside = folder.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            return self.file(folder, &sums::sums(beside));
        }
        let problem =
            |error: io::Error| Problem::new(format!("failed to read the folder {}: {error}", folder.display()));
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(problem)? {
            entries.push(entry.map_err(problem)?.path());
        }
        entries.sort();
        let is_parquet = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
        let (files, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|path| path.is_file() && is_parquet(path));
        let so_far = self.sources.len();
        let sums = sums::sums(folder);
        for file in &files {
            self.file(file, &sums)?;
        }
        if self.sources.len() == so_far {
            // A run without the format parquet is read from its inventory; that takes longer.
            if let Some(inventory) = saved::inventory(folder) {
                return self.try_to(|| added(&Inventory::open(&inventory)?));
            }
            if folder.join(WRITING).is_dir() {
                self.remarks.push(format!("the run in {} did not end and is left out", folder.display()));
            }
        }
        for path in others.into_iter().filter(|path| path.is_dir()) {
            let name = path.file_name().unwrap_or_default();
            if name != WRITTEN && name != WRITING && name != "StorageLens" {
                self.folder(&path)?;
            }
        }
        Ok(())
    }

    /// `sums`: those of the report in its folder.
    fn file(&mut self, path: &Path, sums: &BTreeMap<String, String>) -> Result<(), Problem> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(said) = sums.get(&*name) {
            // Another table of a report.
            if !Format::Parquet.files().contains(&&*name) {
                return Ok(());
            }
            let found = sums::sha256(path).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
            if found != *said {
                return self.try_to(|| Err(altered(path)));
            }
        }
        match File::open(path) {
            Err(ReadError::NotOurs { path }) => {
                self.remarks.push(format!("{} is no inventory of bucketlens and is left out", path.display()));
                Ok(())
            }
            opened => self.try_to(|| Ok(Source::File(opened?))),
        }
    }

    fn try_to(&mut self, open: impl FnOnce() -> Result<Source, Problem>) -> Result<(), Problem> {
        match open() {
            Ok(source) => self.sources.push(source),
            Err(problem) if self.allow_partial => self.remarks.push(format!("left out: {}", problem.what)),
            Err(problem) => return Err(problem),
        }
        Ok(())
    }
}

fn altered(path: &Path) -> Problem {
    let what = "it was altered after its report was written: its SHA-256 is not that in SHA256SUMS";
    Problem::new(format!("failed to read {}: {what}", path.display()))
        .with_help("make it again with bucketlens report DIR, or leave it out with --allow-partial")
}

fn added(inventory: &Inventory) -> Result<Source, Problem> {
    let closing = &inventory.closing;
    let evaluator = Evaluator::of(&closing.run).knowing(judge::destinations(inventory)?);
    let mut aggregator = Aggregator::new(&closing.run.extras);
    for account in inventory.accounts() {
        for record in inventory.buckets(account)? {
            let record = record?;
            aggregator.push(account, &record, &evaluator.evaluate(&record));
        }
    }
    let metrics = aggregator.finish(inventory.accounts())?;
    Ok(Source::Added { run: closing.run.clone(), coverage: closing.coverage.clone(), metrics })
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
