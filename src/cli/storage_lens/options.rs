//! The options of `storage-lens`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::config::options::ReadingArgs;
use crate::config::{self, Log, LogFormat, LogLevel, Reading};
use crate::exit::Of;

#[derive(Debug)]
pub struct Order {
    /// A path of this machine, or `s3://BUCKET/PREFIX`.
    pub path: OsString,
    pub task: Task,
    /// What can be read is read, and marked as partial.
    pub allow_partial: bool,
    pub reading: Reading,
    pub download: Download,
    pub format: Format,
    pub log: Log,
}

/// Bounds of what is read from S3.
#[derive(Debug, Clone, Copy)]
pub struct Download {
    /// In bytes, of all objects together.
    pub most: u64,
    /// How long a download may make no progress.
    pub stall: Duration,
}

#[derive(Debug)]
pub enum Task {
    Read,
    /// With the output folder of a scan.
    Compare(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
}

#[derive(Subcommand)]
pub enum Job {
    /// List the buckets that have MFA delete enabled, by account and Region
    #[command(after_long_help = Of::ExportRead.told())]
    Read(ReadArgs),
    /// Hold an export against what a scan read, bucket by bucket
    ///
    /// Names what differs: a disagreement; another Region; lag, where the export or the scan is of an earlier day; new and gone
    /// buckets; where the export contradicts itself; and what one of them does not know.
    #[command(after_long_help = Of::ExportCompared.told())]
    Compare(CompareArgs),
}

#[derive(Args)]
pub struct CompareArgs {
    /// Output folder of the scan
    #[arg(long, value_name = "RUN")]
    with: PathBuf,
    #[command(flatten)]
    read: ReadArgs,
}

const PATH: &str = "manifest.json, its dt= folder, the configuration's folder (the latest day is taken), or what holds \
                    StorageLens/; a path, or s3://BUCKET/PREFIX";

#[derive(Args)]
pub struct ReadArgs {
    #[arg(value_name = "PATH", help = PATH)]
    path: OsString,
    /// Read what can be read of an export that is not whole, and mark the result as partial
    #[arg(long)]
    allow_partial: bool,
    /// How the result is shown
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    #[command(flatten, next_help_heading = "Reading from s3://")]
    reading: ReadingArgs,
    /// Most MiB to download from s3:// in total; a report file is never read beyond the size in the manifest
    #[arg(long, value_name = "MIB", default_value = "65536", help_heading = "Reading from s3://",
        value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    max_download_mib: u64,
    /// Seconds without progress, or at less than 1,000 bytes per second, until a download is retried
    #[arg(long, value_name = "SECONDS", default_value = "30", help_heading = "Reading from s3://",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    stall_timeout: u64,
    /// Least level of the logs on stderr
    #[arg(long, value_name = "LEVEL", default_value = "warn", help_heading = "Console")]
    log_level: LogLevel,
    /// Format of the logs
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Console")]
    log_format: LogFormat,
}

impl Job {
    pub fn order(self) -> Order {
        match self {
            Self::Read(args) => args.order(Task::Read),
            Self::Compare(CompareArgs { with, read }) => read.order(Task::Compare(with)),
        }
    }
}

impl ReadArgs {
    fn order(self, task: Task) -> Order {
        Order {
            path: self.path,
            task,
            allow_partial: self.allow_partial,
            // One file after the other.
            reading: config::reading(1, &self.reading),
            download: Download { most: self.max_download_mib << 20, stall: Duration::from_secs(self.stall_timeout) },
            format: self.format,
            log: Log { level: self.log_level, format: self.log_format },
        }
    }
}

pub const AFTER_HELP: &str = "\
Examples:
  The export of the latest day in a bucket, with the credentials of the environment:
    bucketlens storage-lens read s3://example-exports/prefix
  Of one day, beside the scan of last night:
    bucketlens storage-lens compare StorageLens/111111111111/dashboard/V_1/manifests/dt=2026-11-20 \\
      --with reports/nightly";
