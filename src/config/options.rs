//! The options of `scan`, each defined once: clap derives the flag from it, and [`super::layers`] the environment
//! variable and the key of the configuration file.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::more::{MetricsArg, With};
use super::{Color, LogFormat, LogLevel, Secret};
use crate::aws::addressing::Addressing;
use crate::model::{Severity, Standard};
use crate::report::Format;

/// What `scan` was asked for, not yet known to make sense; [`super::Config::new`] finds out.
#[derive(Debug, Clone, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    pub discovery: DiscoveryArgs,
    #[command(flatten)]
    pub role: RoleArgs,
    #[command(flatten)]
    pub filters: FilterArgs,
    #[command(flatten)]
    pub resume: ResumeArgs,
    #[command(flatten)]
    pub more: MoreArgs,
    #[command(flatten)]
    pub concurrency: ConcurrencyArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    #[command(flatten)]
    pub console: ConsoleArgs,
    /// TOML file with further options, keys named like them
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Discovery (default: the account of the current credentials)")]
pub struct DiscoveryArgs {
    /// Scan the account of this AWS profile (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub profile: Vec<String>,
    /// Scan every account of the organization that the credentials manage
    #[arg(long)]
    pub organization: bool,
    /// Scan the accounts of this file; a line is ID or ID,ROLE-ARN
    #[arg(long, value_name = "FILE")]
    pub accounts_file: Option<PathBuf>,
    /// Id of the current credentials' account, for S3 servers without STS
    #[arg(long, value_name = "ID")]
    pub account_id: Option<String>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Role in each account (with --organization or --accounts-file)")]
pub struct RoleArgs {
    /// Role to assume, maybe with a path
    #[arg(long, value_name = "NAME", default_value = "OrganizationAccountAccessRole")]
    pub role_name: String,
    /// External id to assume it with; never printed or logged
    #[arg(long, value_name = "ID")]
    pub external_id: Option<Secret>,
    /// Name of the session in AWS's logs
    #[arg(long, value_name = "NAME", default_value = "bucketlens")]
    pub session_name: String,
    /// Seconds its credentials last, 900 to 43200
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds(900, 43_200))]
    pub session_duration: u64,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filters")]
pub struct FilterArgs {
    /// Scan only this account (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub account: Vec<String>,
    /// Leave out this account (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub exclude_account: Vec<String>,
    /// Scan only accounts in or under this OU or root (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub ou: Vec<String>,
    /// Leave out accounts in or under this OU (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub exclude_ou: Vec<String>,
    /// Scan only buckets with such a name: *, ? and [a-z] (repeatable)
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    pub bucket: Vec<String>,
    /// Scan only buckets in this Region (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub region: Vec<String>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Resuming a run that was cut off")]
pub struct ResumeArgs {
    /// Read only what the run in this folder lacks, and report there; say again how accounts are found, and the role
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// With --resume: also read again what is older: 90s, 30m, 12h, 7d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_age: Option<Duration>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What is read (default: two requests a bucket)")]
pub struct MoreArgs {
    /// Read what else protects buckets, 1 or 3 requests each (comma list)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub with: Vec<With>,
    /// Read the settings that S3 Storage Lens counts, a request a bucket for each group (comma list)
    #[arg(long, value_name = "GROUP", value_delimiter = ',', default_value = "basic")]
    pub metrics: Vec<MetricsArg>,
    /// Read the tags of buckets, a request each, to group them by this one
    #[arg(long, value_name = "KEY")]
    pub group_by_tag: Option<String>,
    /// List directory buckets too, a request for each Region of --region, else for us-east-1, us-east-2, us-west-2,
    /// ap-south-1, ap-northeast-1, eu-west-1 and eu-north-1
    #[arg(long)]
    pub directory_buckets: bool,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading")]
pub struct ConcurrencyArgs {
    /// Requests in flight over all accounts, 1 to 4096
    #[arg(long, value_name = "N", default_value = "64", value_parser = RangedI64ValueParser::<usize>::new().range(1..=4096))]
    pub concurrency: usize,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// S3 addressing style; auto: path, but virtual for FIPS endpoints and services that refuse path (a connection per bucket)
    #[arg(long, value_name = "STYLE", default_value = "auto", value_parser = addressing())]
    pub addressing: Addressing,
    /// Seconds until a connection stands
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds(1, 3600))]
    pub connect_timeout: u64,
    /// Seconds until an answer begins
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds(1, 3600))]
    pub read_timeout: u64,
    /// Seconds until an answer is read to its end
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds(1, 3600))]
    pub operation_timeout: u64,
    /// Attempts for one request, 1 to 20
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub max_attempts: u32,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Judging and report")]
pub struct JudgingArgs {
    /// Which reading of the MFA delete requirement holds
    #[arg(long, value_name = "NAME", default_value = "cis")]
    pub standard: Standard,
    /// Control that waives it, as NAME or NAME:DAYS (comma list)
    #[arg(long, value_name = "CONTROL", value_delimiter = ',')]
    pub accept_control: Vec<String>,
    /// Exit 1 when a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", default_value = "medium")]
    pub fail_on: Option<FailOn>,
    /// Exit 0 instead of 3 when something stayed unknown
    #[arg(long)]
    pub allow_unknown: bool,
    /// Let only what the run in this folder did not have decide the exit code, and show what changed
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Judging and report")]
pub struct ReportArgs {
    /// Folder of the report's files [default: reports/<UTC time>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Formats of the report's files (comma list)
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', default_value = "csv,json,parquet")]
    pub format: Vec<Format>,
    /// Let the umask decide who can read the files [default: only you]
    #[arg(long)]
    pub public_files: bool,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Console")]
pub struct ConsoleArgs {
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
    /// Least level of the logs on stderr
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub log_level: LogLevel,
    /// Format of the logs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    #[arg(help = "When to colour the report; auto heeds NO_COLOR and pipes")]
    pub color: Color,
}

fn addressing() -> impl TypedValueParser<Value = Addressing> {
    PossibleValuesParser::new(["auto", "path", "virtual"]).map(|name| match name.as_str() {
        "path" => Addressing::Path,
        "virtual" => Addressing::Virtual,
        _ => Addressing::Auto,
    })
}

fn seconds(least: i64, most: i64) -> RangedI64ValueParser<u64> {
    RangedI64ValueParser::new().range(least..=most)
}

/// A whole number and its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(60 * 60),
        "d" => Some(24 * 60 * 60),
        _ => None,
    };
    let duration = number.parse::<u32>().ok().zip(seconds);
    let what = || format!("{text:?} is no duration: write a whole number and s, m, h or d, like 12h");
    duration.map(|(number, seconds)| Duration::from_secs(u64::from(number) * seconds)).ok_or_else(what)
}

/// From which severity findings decide the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    AtLeast(Severity),
    Never,
}

impl FailOn {
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::AtLeast(severity) => Some(severity),
            Self::Never => None,
        }
    }
}

impl ValueEnum for FailOn {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [FailOn; Severity::ALL.len() + 1] = {
            let mut all = [FailOn::Never; Severity::ALL.len() + 1];
            let mut index = 0;
            while index < Severity::ALL.len() {
                all[index] = FailOn::AtLeast(Severity::ALL[index]);
                index += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.severity().map_or("none", Severity::as_str)))
    }
}

/// The ways to find the accounts; a run goes one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Profile,
    Organization,
    AccountsFile,
    AccountId,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Profile, Self::Organization, Self::AccountsFile, Self::AccountId];

    pub fn option(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Organization => "organization",
            Self::AccountsFile => "accounts-file",
            Self::AccountId => "account-id",
        }
    }
}

/// The ways with which an option has a meaning; `None` where it has one with all.
pub fn ways_of(option: &str) -> Option<&'static [Way]> {
    match option {
        "role-name" | "external-id" | "session-name" | "session-duration" => {
            Some(&[Way::Organization, Way::AccountsFile])
        }
        "ou" | "exclude-ou" => Some(&[Way::Organization]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_that_others_depend_on_exist() {
        let scan = ScanArgs::augment_args(clap::Command::new("scan"));
        let known = |name: &str| scan.get_arguments().any(|arg| arg.get_long() == Some(name));
        assert!(Way::ALL.into_iter().all(|way| known(way.option())));
        let dependent = scan.get_arguments().filter_map(clap::Arg::get_long).filter(|name| ways_of(name).is_some());
        assert_eq!(dependent.count(), 6);
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("12h"), Ok(Duration::from_hours(12)));
        assert_eq!(duration("7d"), Ok(Duration::from_hours(7 * 24)));
        for wrong in ["", "12", "h", "-1h", "1.5h", "12 h", "12H", "12hours", "99999999999s", "1h30m", "１h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_severity_can_be_named() {
        let names = FailOn::value_variants().iter().filter_map(FailOn::to_possible_value);
        let names: Vec<String> = names.map(|value| value.get_name().to_owned()).collect();
        assert_eq!(names, ["info", "low", "medium", "high", "critical", "none"]);
    }
}
