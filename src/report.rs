//! What people and programs read: one file per format, each a [`Sink`] that is given the evaluated buckets as they
//! come and the [`Summary`] at the end. Nothing here keeps buckets, so memory does not grow with them.
//!
//! [`Files`] puts all chosen formats into a [`Folder`] at once: a folder with `SHA256SUMS` holds a complete report, a
//! folder without does not. [`Terminal`] writes the one page for a person.
//!
//! To add a format: a variant of [`Format`], its files, and a module beside `csv` and `json`.

pub mod changes;
mod csv;
#[cfg(test)]
mod example;
mod files;
mod folder;
mod json;
mod parquet;
mod storage_lens;
pub mod sums;
mod terminal;
mod text;
pub mod trend;

pub use text::{cell, gist, harmless};

use std::io;

use crate::aggregate::Metrics;
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Coverage, Run};
use changes::TableFormat;

pub use files::Files;
pub use folder::{Draft, Finished, Folder, FolderError};
pub use terminal::{Terminal, TerminalOptions};

/// What `--format` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Format {
    /// accounts.csv, buckets.csv, findings.csv and metrics.csv; policy.csv, protection.csv and controls.csv where asked
    /// for; diff.csv with a baseline
    Csv,
    /// report.json; diff.json with a baseline
    Json,
    /// inventory.parquet, a row a bucket
    Parquet,
    /// As S3 Storage Lens exports to a bucket, as CSV
    StorageLensCsv,
    /// The same as Parquet
    StorageLensParquet,
    /// The bucket property metrics of its export to S3 Tables, as Parquet
    StorageLensTables,
}

impl Format {
    pub const ALL: [Self; 6] =
        [Self::Csv, Self::Json, Self::Parquet, Self::StorageLensCsv, Self::StorageLensParquet, Self::StorageLensTables];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::StorageLensCsv => "storage-lens-csv",
            Self::StorageLensParquet => "storage-lens-parquet",
            Self::StorageLensTables => "storage-lens-tables",
        }
    }

    /// The names of its files in a report with these contents.
    fn files_with(self, contents: &Contents) -> impl Iterator<Item = &'static str> {
        let (always, of_policy, of_protection) = match self {
            Self::Csv => (csv::ALWAYS.as_slice(), csv::OF_POLICY.as_slice(), csv::OF_PROTECTION.as_slice()),
            Self::Json => (json::ALWAYS.as_slice(), [].as_slice(), [].as_slice()),
            Self::Parquet | Self::StorageLensCsv | Self::StorageLensParquet | Self::StorageLensTables => {
                (self.files(), [].as_slice(), [].as_slice())
            }
        };
        let of_policy = of_policy.iter().filter(|_| contents.policy);
        let of_protection = of_protection.iter().filter(|_| contents.protection);
        let of_baseline = self.of_baseline().filter(|_| contents.baseline).map(|(name, _)| name);
        always.iter().chain(of_policy).chain(of_protection).copied().chain(of_baseline)
    }

    /// The file with what is different from the baseline, and how it is written.
    fn of_baseline(self) -> Option<(&'static str, TableFormat)> {
        match self {
            Self::Csv => Some((changes::CSV, TableFormat::Csv)),
            Self::Json => Some((changes::JSON, TableFormat::Json)),
            Self::Parquet | Self::StorageLensCsv | Self::StorageLensParquet | Self::StorageLensTables => None,
        }
    }

    /// The names of all files that it can have in the folder; one that ends with `/` is a folder.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::Csv => &csv::FILES,
            Self::Json => &json::FILES,
            Self::Parquet => &parquet::FILES,
            Self::StorageLensCsv | Self::StorageLensParquet => &storage_lens::LONG_FILES,
            Self::StorageLensTables => &storage_lens::WIDE_FILES,
        }
    }

    /// The names with which its files are made, see [`Folder::create`].
    pub fn drafts(self) -> &'static [&'static str] {
        match self {
            Self::Csv | Self::Json | Self::Parquet | Self::StorageLensTables => self.files(),
            Self::StorageLensCsv | Self::StorageLensParquet => &storage_lens::LONG_DRAFTS,
        }
    }
}

/// What a report has beside what every report has.
struct Contents {
    policy: bool,
    protection: bool,
    baseline: bool,
}

/// What is known only at the end of a run.
pub struct Summary<'a> {
    pub run: &'a Run,
    pub coverage: &'a Coverage,
    /// Every account that was found, sorted by id.
    pub accounts: &'a [AccountRecord],
    pub metrics: &'a Metrics,
    /// Whether the run was held against a baseline.
    pub compared: bool,
}

/// A report in the making.
pub trait Sink {
    /// Before the first bucket: what rows say of the run. Called once.
    fn begin(&mut self, _: &Run) -> io::Result<()> {
        Ok(())
    }

    /// One bucket, once, sorted by account id, then bucket name. Rows are written in the order in which they come.
    fn bucket(&mut self, account: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()>;

    /// The end of the run. A sink that is dropped without it leaves nothing.
    fn finish(self: Box<Self>, summary: &Summary<'_>) -> io::Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_name() {
        for format in Format::ALL {
            assert_eq!(<Format as clap::ValueEnum>::from_str(format.as_str(), false), Ok(format));
        }
    }
}
