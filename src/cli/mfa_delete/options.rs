//! The options of `mfa-delete`. None is taken from the environment or a configuration file: a change is asked for by
//! name, on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::code::Source;
use super::decide::{Serial, Wish, bucket_name};
use crate::cli::lifecycle::Format;
use crate::config::options::ReadingArgs;
use crate::config::{self, Log, LogFormat, LogLevel, Reading};
use crate::model::{AccountId, Region};

/// What is to be done, with which buckets.
#[derive(Debug)]
pub struct Order {
    pub task: Task,
    /// At least one, each once.
    pub buckets: Vec<String>,
    pub profile: Option<String>,
    pub account_id: Option<AccountId>,
    /// Instead of that of the settings. Buckets elsewhere are refused.
    pub region: Option<Region>,
    pub reading: Reading,
    pub format: Format,
    pub log: Log,
}

#[derive(Debug)]
pub enum Task {
    Status,
    Change(Change),
}

#[derive(Debug)]
pub struct Change {
    pub wish: Wish,
    pub serial: Serial,
    /// How long the new state is waited for.
    pub wait: Duration,
    pub mode: Mode,
}

#[derive(Debug)]
pub enum Mode {
    DryRun,
    Apply { codes: Source, record: PathBuf },
}

#[derive(Subcommand)]
pub enum Job {
    /// Enable MFA delete; without --apply only say what would be sent
    ///
    /// Refused before anything is sent: a bucket with a lifecycle configuration, one whose state cannot be read, and on
    /// AWS a caller other than the root user. Where one bucket is refused, nothing is sent for any.
    Enable(EnableArgs),
    /// Disable MFA delete and leave versioning as it is; without --apply only say what would be sent
    Disable(ChangeArgs),
    /// Say whether MFA delete and versioning are enabled, and whether a lifecycle configuration stands in the way
    Status(WhereArgs),
}

#[derive(Args)]
pub struct EnableArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// Allow that versioning is enabled too where it is not; it can never be removed again, only suspended
    #[arg(long, help_heading = "Change")]
    enable_versioning: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Change")]
pub struct ChangeArgs {
    /// Serial number of the MFA device, or the ARN of a virtual one
    #[arg(long, value_name = "SERIAL", value_parser = Serial::parse)]
    mfa_serial: Serial,
    /// Send it: asks for a code of the device for each bucket
    #[arg(long)]
    apply: bool,
    /// Read the codes from stdin, one a line, instead of asking on the terminal
    #[arg(long)]
    code_from_stdin: bool,
    /// Seconds to wait until the new state is seen, 0 to 3600
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(0..=3600))]
    wait: u64,
    /// File to which what is done is appended, a line of JSON each
    #[arg(long, value_name = "FILE", default_value = "reports/mfa-delete.jsonl")]
    record: PathBuf,
    #[command(flatten)]
    place: WhereArgs,
}

#[derive(Args)]
pub struct WhereArgs {
    /// Names of the buckets
    #[arg(value_name = "BUCKET", required = true, value_parser = bucket_name, help_heading = "Arguments")]
    buckets: Vec<String>,
    /// Use the credentials of this AWS profile
    #[arg(long, value_name = "NAME", help_heading = "Account")]
    profile: Option<String>,
    /// Id of the credentials' account, for S3 servers without STS
    #[arg(long, value_name = "ID", value_parser = AccountId::parse, help_heading = "Account")]
    account_id: Option<AccountId>,
    /// Region of the buckets [default: that of the settings]; no answer of a server leads to another
    #[arg(long, value_name = "NAME", value_parser = Region::parse, help_heading = "Account")]
    region: Option<Region>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// How what was found and done is shown
    #[arg(long, value_name = "FORMAT", default_value = "table", help_heading = "Console")]
    format: Format,
    /// Least level of the logs on stderr
    #[arg(long, value_name = "LEVEL", default_value = "warn", help_heading = "Console")]
    log_level: LogLevel,
    /// Format of the logs
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Console")]
    log_format: LogFormat,
}

impl Job {
    pub fn read(self) -> Order {
        match self {
            Self::Status(place) => place.read(Task::Status),
            Self::Disable(change) => change.read(Wish::Disable),
            Self::Enable(EnableArgs { change, enable_versioning: true }) => change.read(Wish::EnableWithVersioning),
            Self::Enable(EnableArgs { change, enable_versioning: false }) => change.read(Wish::Enable),
        }
    }
}

impl ChangeArgs {
    fn read(self, wish: Wish) -> Order {
        let codes = if self.code_from_stdin { Source::Stdin } else { Source::Terminal };
        let mode = if self.apply { Mode::Apply { codes, record: self.record } } else { Mode::DryRun };
        let wait = Duration::from_secs(self.wait);
        self.place.read(Task::Change(Change { wish, serial: self.mfa_serial, wait, mode }))
    }
}

impl WhereArgs {
    fn read(self, task: Task) -> Order {
        let mut buckets: Vec<String> = Vec::new();
        for bucket in self.buckets {
            if !buckets.contains(&bucket) {
                buckets.push(bucket);
            }
        }
        Order {
            task,
            buckets,
            profile: self.profile,
            account_id: self.account_id,
            region: self.region,
            // One bucket after the other.
            reading: config::reading(1, &self.reading),
            format: self.format,
            log: Log { level: self.log_level, format: self.log_format },
        }
    }
}

pub const AFTER_HELP: &str = "\
Examples:
  What would be sent; nothing is:
    bucketlens mfa-delete enable orders --mfa-serial GAHT12345678
  Send it; the code is asked for on the terminal:
    bucketlens mfa-delete enable orders --mfa-serial GAHT12345678 --apply
  A bucket in another Region than AWS_REGION:
    bucketlens mfa-delete status orders --region eu-west-1
  An S3 server that is not AWS:
    export AWS_ENDPOINT_URL=https://s3.example.org
    bucketlens mfa-delete status orders --account-id 111111111111

On AWS only the root user of the account that owns the bucket can do it, with long-term
access keys. Each code works once, so the request is never repeated.

Exit codes:
  0  as was asked for: confirmed by reading it, or so before; dry run: it can be sent
  1  refused by bucketlens or by the server, or not sent: that bucket is not changed
  2  it could not run: usage, credentials, no terminal to ask for the code, an endpoint
     without TLS, or a record that cannot be written
  3  sent, and not seen in force within --wait; status: something could not be read";
