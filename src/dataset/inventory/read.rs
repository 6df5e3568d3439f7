//! Parquet in: what the buckets of a run add up to, by account and Region.

use std::collections::BTreeSet;
use std::fs::File as Handle;
use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::{
    DataFrame, DataType, Engine, Expr, LazyFrame, PolarsResult, ScanArgsParquet, ScanSources, col, len, lit,
};
use polars_parquet::read::{ParquetType, read_metadata};

use super::columns::DIRECTORY;
use super::statistics::{Width, is_everywhere, is_false, range, width};
use super::{ABOUT, About, VERSION, possible};
use crate::aggregate;
use crate::dataset::broken::{Broken, guarded};
use crate::model::{AccountId, Region};
use crate::run_folder::Identity;

/// An `inventory.parquet` that was opened: its footer is read, its rows are not.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    identity: Identity,
    pub about: About,
    /// The metrics it has a column for, in the order of [`aggregate::counters`].
    counters: Vec<&'static str>,
    /// Those of them that are not 0 everywhere, and how they are added up.
    added: Vec<(&'static str, Width)>,
    /// Those of them whose statistics do not say from where to where their values go.
    open: Vec<&'static str>,
    /// Whether there may be directory buckets, which are in no metric; an older file has none.
    has_directories: bool,
    /// Whether the statistics show that every row is of the file's own run.
    is_of_one_run: bool,
}

/// The buckets of one account in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub account: AccountId,
    pub region: Region,
    /// In the order of [`aggregate::counters`]; 0 for what the file has no column for.
    pub counts: Vec<u64>,
    pub(super) rows: u64,
}

impl Sum {
    pub(super) fn count(&self, counter: &str) -> u64 {
        let place = aggregate::counters().position(|name| name == counter);
        place.and_then(|place| self.counts.get(place)).copied().unwrap_or_default()
    }
}

/// Why a file cannot be read as an inventory.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("open {}: {source}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    /// Some Parquet of others.
    #[error("read {}: it is no inventory of bucketlens", .path.display())]
    NotOurs { path: PathBuf },
    #[error("read {}: it was written by another version of bucketlens (format {found}, this one reads {VERSION})", .path.display())]
    OtherVersion { path: PathBuf, found: u64 },
    #[error("read {}: it is damaged: {why}", .path.display())]
    Damaged { path: PathBuf, why: String },
}

/// Beside the sums, in columns that no inventory has.
const LEAST: &str = "least";
const MOST: &str = "most";
const ROWS: &str = "rows of the group";
const OWN_ROWS: &str = "rows of the file's own run";
const BEYOND: &str = "rows with more than all";

fn of_column(name: &str, what: &str) -> String {
    format!("{what} of {name}")
}

const RUN_ID: &str = "run_id";
const ACCOUNT: &str = "account_id";
const REGION: &str = "region";

impl File {
    /// `path`: where the open file stands. It is not kept open, because there may be many: when its rows are read, the same
    /// file must stand there.
    pub fn open(mut handle: &Handle, path: &Path) -> Result<Self, ReadError> {
        let damaged = |why: String| ReadError::Damaged { path: path.to_owned(), why };
        let identity = Identity::of(handle).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
        let no_footer = "its footer cannot be read; it is no Parquet file, or was cut off";
        let footer = guarded(|| read_metadata(&mut handle)).map_err(|broken| match broken {
            Broken::Io(source) => ReadError::Open { path: path.to_owned(), source },
            Broken::Content => damaged(no_footer.to_owned()),
        })?;
        let about = footer.key_value_metadata().iter().flatten().find(|pair| pair.key == ABOUT);
        let Some(about) = about.and_then(|pair| pair.value.as_deref()) else {
            return Err(ReadError::NotOurs { path: path.to_owned() });
        };
        let no_run =
            |error: serde_json::Error| damaged(format!("what it says of its run cannot be understood: {error}"));
        let version: serde_json::Value = serde_json::from_str(about).map_err(no_run)?;
        match version["version"].as_u64() {
            Some(found) if found != u64::from(VERSION) => {
                return Err(ReadError::OtherVersion { path: path.to_owned(), found });
            }
            Some(_) | None => {}
        }
        let about: About = serde_json::from_value(version).map_err(no_run)?;
        let (rows, buckets) = (footer.num_rows, about.coverage.buckets);
        if u64::try_from(rows).ok() != Some(buckets) {
            return Err(damaged(format!("it has {rows} rows, and its run found {buckets} buckets")));
        }
        let names: Vec<&str> = footer.schema_descr.fields().iter().map(ParquetType::name).collect();
        possible::check_columns(&names).map_err(&damaged)?;
        let counters: Vec<&str> = aggregate::counters().filter(|name| names.contains(name)).collect();
        let mut open = Vec::new();
        for name in &counters {
            match range(&footer, name) {
                Some((least, most)) => possible::check_range(name, least, most).map_err(&damaged)?,
                None => open.push(*name),
            }
        }
        let added = counters.iter().filter_map(|name| Some((*name, width(&footer, name)?))).collect();
        let has_directories = names.contains(&DIRECTORY) && !is_false(&footer, DIRECTORY);
        let is_of_one_run = is_everywhere(&footer, RUN_ID, &about.run.id);
        Ok(Self { path: path.to_owned(), identity, about, counters, added, open, has_directories, is_of_one_run })
    }

    /// Whether the file has no column for something that this metric is made of.
    pub fn lacks(&self, metric: &str) -> bool {
        aggregate::made_of(metric).any(|counter| !self.counters.contains(&counter))
    }

    /// The sums of every metric by account and Region, in no order. What is null adds nothing.
    pub fn sums(&self) -> Result<Vec<Sum>, ReadError> {
        let damaged = |why: String| ReadError::Damaged { path: self.path.clone(), why };
        let no_rows = || damaged("its rows cannot be decoded".to_owned());
        let handle = self.identity.reopen(&self.path);
        let handle = handle.map_err(|source| ReadError::Open { path: self.path.clone(), source })?;
        let frame = guarded(|| self.grouped(handle)).map_err(|broken| match broken {
            Broken::Io(source) => ReadError::Open { path: self.path.clone(), source },
            Broken::Content => no_rows(),
        })?;
        for name in &self.open {
            let values = |of: &str| -> PolarsResult<Vec<i64>> {
                Ok(frame.column(&of_column(name, of))?.i64()?.iter().flatten().collect())
            };
            let (least, most) = (values(LEAST).map_err(|_| no_rows())?, values(MOST).map_err(|_| no_rows())?);
            if let (Some(least), Some(most)) = (least.into_iter().min(), most.into_iter().max()) {
                possible::check_range(name, least, most).map_err(damaged)?;
            }
        }
        let all = |name: &str| -> PolarsResult<i64> { Ok(frame.column(name)?.i64()?.iter().flatten().sum()) };
        if !self.is_of_one_run && all(ROWS).map_err(|_| no_rows())? != all(OWN_ROWS).map_err(|_| no_rows())? {
            return Err(damaged(format!("it has rows of another run than {}", self.about.run.id)));
        }
        for name in self.kinds_of_rules() {
            if all(&of_column(name, BEYOND)).map_err(|_| no_rows())? > 0 {
                return Err(damaged(possible::more_than_all(name)));
            }
        }
        let sums = self.rows(&frame).map_err(|_| no_rows())?.collect::<Option<Vec<_>>>();
        let sums = sums
            .ok_or_else(|| damaged("a row has no account, a Region that is none, or sums that cannot be".to_owned()))?;
        possible::check_sums(&self.about, &self.counters, self.has_directories, &sums).map_err(damaged)?;
        Ok(sums)
    }

    /// The Regions that have buckets in it.
    pub fn regions(&self) -> Result<BTreeSet<Region>, ReadError> {
        Ok(self.sums()?.into_iter().map(|sum| sum.region).collect())
    }

    /// Counters of lifecycle rules with one kind of action, where there are any.
    fn kinds_of_rules(&self) -> impl Iterator<Item = &'static str> {
        let added = self.added.iter().map(|(name, _)| *name);
        added.filter(|name| aggregate::counts_lifecycle_rules(name) && *name != possible::ALL_RULES)
    }

    fn grouped(&self, handle: Handle) -> PolarsResult<DataFrame> {
        let source = ScanSources::Files([handle].into());
        let sums = self.added.iter().map(|(name, width)| match width {
            Width::Narrow => col(*name).sum().cast(DataType::Int64),
            Width::Wide => col(*name).cast(DataType::Int64).sum(),
        });
        let ends = self.open.iter().flat_map(|name| {
            let values = || col(*name).cast(DataType::Int64);
            [values().min().alias(of_column(name, LEAST)), values().max().alias(of_column(name, MOST))]
        });
        let own = col(RUN_ID).eq(lit(self.about.run.id.as_str())).cast(DataType::Int64).sum().alias(OWN_ROWS);
        let own = (!self.is_of_one_run).then_some(own);
        let rules = |name: &str| col(name).fill_null(lit(0));
        let beyond = self.kinds_of_rules().map(|name| {
            let beyond = rules(name).gt(rules(possible::ALL_RULES)).cast(DataType::Int64);
            beyond.sum().alias(of_column(name, BEYOND))
        });
        let rows = [len().cast(DataType::Int64).alias(ROWS)];
        let sums: Vec<Expr> = sums.chain(ends).chain(own).chain(beyond).chain(rows).collect();
        let mut options = ScanArgsParquet::default();
        // Names of folders say nothing of the rows, and an open file has none.
        options.hive_options.enabled = Some(false);
        let rows = LazyFrame::scan_parquet_sources(source, options)?;
        // They are in no metric, and their Region has rows only for other buckets.
        let rows = if self.has_directories { rows.filter(col(DIRECTORY).not()) } else { rows };
        let grouped = rows.group_by([col(ACCOUNT), col(REGION)]).agg(sums);
        Ok(grouped.collect_with_engine(Engine::Streaming)?.unwrap_single())
    }

    fn rows<'a>(&'a self, frame: &'a DataFrame) -> PolarsResult<impl Iterator<Item = Option<Sum>> + 'a> {
        let (accounts, regions) = (frame.column(ACCOUNT)?.str()?, frame.column(REGION)?.str()?);
        let columns = self.added.iter().map(|(name, _)| frame.column(name)?.i64()).collect::<PolarsResult<Vec<_>>>()?;
        let rows = frame.column(ROWS)?.i64()?;
        let places: Vec<Option<usize>> =
            aggregate::counters().map(|name| self.added.iter().position(|(added, _)| *added == name)).collect();
        Ok((0..frame.height()).map(move |row| {
            let count = |place: &Option<usize>| {
                let sum = place.and_then(|place| columns[place].get(row)).unwrap_or_default();
                u64::try_from(sum).ok()
            };
            Some(Sum {
                account: AccountId::parse(accounts.get(row)?).ok()?,
                region: regions.get(row).map_or_else(|| Some(Region::unknown()), |name| Region::parse(name).ok())?,
                counts: places.iter().map(count).collect::<Option<_>>()?,
                rows: u64::try_from(rows.get(row)?).ok()?,
            })
        }))
    }
}
