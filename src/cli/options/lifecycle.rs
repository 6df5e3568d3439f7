//! `bucketlens lifecycle check`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use time::Date;
use time::macros::format_description;

use crate::cli::lifecycle::{Check, Format};
use crate::config::options::FailOn;
use crate::lifecycle::Versions;

#[derive(Subcommand)]
pub enum Job {
    /// Check a lifecycle configuration in a file: which rule wins, which never applies, what S3 would refuse
    ///
    /// Needs no AWS account and no network. Exits 0 whatever the verdicts are, and 1 when --fail-on is given and a problem
    /// is at least that severe. What S3 would refuse is a problem of severity high; all of them are printed. Exits 2 when
    /// the file cannot be read at all.
    Check(CheckArgs),
}

const CHECKED_FILES: &str = "S3's XML, or JSON or YAML as the AWS CLI or CloudFormation writes it; - for stdin";

#[derive(Args)]
pub struct CheckArgs {
    #[arg(value_name = "FILE", help = CHECKED_FILES)]
    file: PathBuf,
    /// Versioning of the bucket it is for [default: enabled, and it is said so]
    #[arg(long, value_name = "STATE")]
    versioning: Option<VersioningArg>,
    /// MFA delete of the bucket it is for
    #[arg(long, value_name = "STATE")]
    mfa_delete: Option<MfaDeleteArg>,
    /// Day on which dates are past or to come [default: today in UTC]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    today: Option<Date>,
    /// How the verdicts are shown
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Exit 1 when a problem is at least this severe
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum VersioningArg {
    Unversioned,
    Enabled,
    Suspended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MfaDeleteArg {
    Enabled,
    Disabled,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(|error| error.to_string())
}

impl CheckArgs {
    pub fn read(self) -> Check {
        Check {
            file: self.file,
            versions: self.versioning.map(|state| match state {
                VersioningArg::Unversioned => Versions::Unversioned,
                VersioningArg::Enabled => Versions::Enabled,
                VersioningArg::Suspended => Versions::Suspended,
            }),
            mfa_delete: self.mfa_delete.map(|state| state == MfaDeleteArg::Enabled),
            today: self.today,
            format: self.format,
            fail_on: self.fail_on.and_then(FailOn::severity),
        }
    }
}
