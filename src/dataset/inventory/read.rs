//! Parquet in: what the buckets of a run add up to, by account and Region.

use std::collections::BTreeSet;
use std::fs::File as Handle;
use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::{
    DataFrame, DataType, Engine, Expr, LazyFrame, PlRefPath, PolarsResult, ScanArgsParquet, col, len,
};
use polars_parquet::parquet::statistics::{BooleanStatistics, PrimitiveStatistics, Statistics};
use polars_parquet::read::{FileMetadata, ParquetType, RowGroupMetadata, read_metadata};

use super::columns::DIRECTORY;
use super::{ABOUT, About, VERSION, possible};
use crate::aggregate;
use crate::dataset::broken::{Broken, guarded};
use crate::model::{AccountId, Region};

/// An `inventory.parquet` that was opened: its footer is read, its rows are not.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    pub about: About,
    /// The metrics it has a column for, in the order of [`aggregate::counters`].
    counters: Vec<&'static str>,
    /// Those of them that are not 0 everywhere, and how they are added up.
    added: Vec<(&'static str, Width)>,
    /// Those of them whose statistics do not say from where to where their values go.
    open: Vec<&'static str>,
    /// Whether there may be directory buckets, which are in no metric; an older file has none.
    has_directories: bool,
}

/// What the statistics of a column say about its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// It is below 2^31, whichever rows are added up.
    Narrow,
    Wide,
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

fn of_column(name: &str, what: &str) -> String {
    format!("{what} of {name}")
}

const ACCOUNT: &str = "account_id";
const REGION: &str = "region";

impl File {
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let damaged = |why: String| ReadError::Damaged { path: path.to_owned(), why };
        let mut handle = Handle::open(path).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
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
        if let Some(missing) = [ACCOUNT, REGION].into_iter().find(|name| !names.contains(name)) {
            return Err(damaged(format!("it has no column {missing}")));
        }
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
        Ok(Self { path: path.to_owned(), about, counters, added, open, has_directories })
    }

    /// Whether the file has no column for something that this metric is made of.
    pub fn lacks(&self, metric: &str) -> bool {
        aggregate::made_of(metric).any(|counter| !self.counters.contains(&counter))
    }

    /// The sums of every metric by account and Region, in no order. What is null adds nothing.
    pub fn sums(&self) -> Result<Vec<Sum>, ReadError> {
        let damaged = |why: String| ReadError::Damaged { path: self.path.clone(), why };
        let no_rows = || damaged("its rows cannot be decoded".to_owned());
        let path = self.path.to_str().ok_or_else(|| damaged("its name is no text in UTF-8".to_owned()))?;
        let frame = guarded(|| self.grouped(path)).map_err(|broken| match broken {
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
        let sums = self.rows(&frame).map_err(|_| no_rows())?.collect::<Option<Vec<_>>>();
        let sums = sums.ok_or_else(|| damaged("a row has no account, or sums that cannot be".to_owned()))?;
        possible::check_sums(&self.about, &self.counters, self.has_directories, &sums).map_err(damaged)?;
        Ok(sums)
    }

    /// The Regions that have buckets in it.
    pub fn regions(&self) -> Result<BTreeSet<Region>, ReadError> {
        Ok(self.sums()?.into_iter().map(|sum| sum.region).collect())
    }

    fn grouped(&self, path: &str) -> PolarsResult<DataFrame> {
        // The name is that of a file, whatever signs are in it.
        let options = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
        let sums = self.added.iter().map(|(name, width)| match width {
            Width::Narrow => col(*name).sum().cast(DataType::Int64),
            Width::Wide => col(*name).cast(DataType::Int64).sum(),
        });
        let ends = self.open.iter().flat_map(|name| {
            let values = || col(*name).cast(DataType::Int64);
            [values().min().alias(of_column(name, LEAST)), values().max().alias(of_column(name, MOST))]
        });
        let sums: Vec<Expr> = sums.chain(ends).chain([len().cast(DataType::Int64).alias(ROWS)]).collect();
        let rows = LazyFrame::scan_parquet(PlRefPath::new(path), options)?;
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
                region: regions.get(row).map_or_else(Region::unknown, Region::new),
                counts: places.iter().map(count).collect::<Option<_>>()?,
                rows: u64::try_from(rows.get(row)?).ok()?,
            })
        }))
    }
}

/// `None` for a counter that is 0 or null in every row; [`Width::Wide`] where the statistics do not say more.
fn width(footer: &FileMetadata, name: &str) -> Option<Width> {
    let groups = footer.row_groups.iter().map(|group| most(footer, group, name));
    match groups.sum::<Option<i64>>() {
        Some(0) => None,
        Some(most) if i32::try_from(most).is_ok() => Some(Width::Narrow),
        Some(_) | None => Some(Width::Wide),
    }
}

/// From where to where its values go; `None` where the statistics do not say it of every row group. What is null everywhere
/// goes nowhere.
fn range(footer: &FileMetadata, name: &str) -> Option<(i64, i64)> {
    let ends = footer.row_groups.iter().map(|group| {
        let column = group.columns_under_root_iter(name)?.next()?;
        match column.statistics(&footer.footer_buf)?.ok()? {
            Statistics::Int32(PrimitiveStatistics { min_value: Some(least), max_value: Some(most), .. }) => {
                Some((i64::from(least), i64::from(most)))
            }
            Statistics::Int32(PrimitiveStatistics { null_count: Some(nulls), .. }) => {
                (usize::try_from(nulls).ok()? == group.num_rows()).then_some((0, 0))
            }
            _ => None,
        }
    });
    let ends = ends.collect::<Option<Vec<_>>>()?;
    Some(ends.into_iter().fold((0, 0), |(least, most), (a, b)| (least.min(a), most.max(b))))
}

/// Whether the statistics say that it is true nowhere.
fn is_false(footer: &FileMetadata, name: &str) -> bool {
    footer.row_groups.iter().all(|group| {
        let column = group.columns_under_root_iter(name).and_then(|mut columns| columns.next());
        let statistics = column.and_then(|column| column.statistics(&footer.footer_buf));
        matches!(statistics, Some(Ok(Statistics::Boolean(BooleanStatistics { max_value: Some(false), .. }))))
    })
}

/// What a counter adds up to at most in a row group.
fn most(footer: &FileMetadata, group: &RowGroupMetadata, name: &str) -> Option<i64> {
    let rows = i64::try_from(group.num_rows()).ok()?;
    let column = group.columns_under_root_iter(name)?.next()?;
    match column.statistics(&footer.footer_buf)?.ok()? {
        Statistics::Int32(PrimitiveStatistics { null_count: Some(nulls), .. }) if nulls == rows => Some(0),
        Statistics::Int32(PrimitiveStatistics { min_value: Some(0..), max_value: Some(most), .. }) => {
            i64::from(most).checked_mul(rows)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars::df;
    use polars::prelude::{ParquetWriter, StatisticsOptions};

    use super::*;

    #[test]
    fn statistics_say_what_need_not_be_read_and_what_cannot_overflow() {
        let mut frame = df!(
            "nothing" => [Some(0), None, Some(0), Some(0)],
            "unknown" => [None::<i32>, None, None, None],
            "few" => [Some(7), None, Some(1_000), Some(0)],
            "many" => [Some(i32::MAX), Some(1), None, Some(0)],
            "below" => [Some(-1), Some(0), Some(0), Some(0)],
            "no" => [false, false, false, false],
            "yes" => [false, false, false, true],
        )
        .expect("columns of one length");
        let footer = |statistics: StatisticsOptions, frame: &mut DataFrame| {
            let mut file = Cursor::new(Vec::new());
            let writer = ParquetWriter::new(&mut file).with_statistics(statistics).with_row_group_size(Some(2));
            writer.finish(frame).expect("memory");
            read_metadata(&mut file).expect("Parquet")
        };
        let known = footer(StatisticsOptions::default(), &mut frame);
        assert_eq!(known.row_groups.len(), 2);
        let names = ["nothing", "unknown", "few", "many", "below", "absent"];
        let (narrow, wide) = (Some(Width::Narrow), Some(Width::Wide));
        assert_eq!(names.map(|name| width(&known, name)), [None, None, narrow, wide, wide, wide]);
        assert_eq!(["no", "yes", "absent"].map(|name| is_false(&known, name)), [true, false, false]);
        let ends = [Some((0, 0)), Some((0, 0)), Some((0, 1_000)), Some((0, i64::from(i32::MAX))), Some((-1, 0)), None];
        assert_eq!(names.map(|name| range(&known, name)), ends);
        let unknown = footer(StatisticsOptions::empty(), &mut frame);
        assert_eq!(names.map(|name| range(&unknown, name)), [None; 6]);
        assert!(!is_false(&unknown, "no"));
        assert_eq!(names.map(|name| width(&unknown, name)), [wide; 6]);
    }
}
