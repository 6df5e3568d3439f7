//! `bucketlens report`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::judging::Judging;
use crate::cli::report::Again;
use crate::config::options::{FailOn, JudgingArgs, ReportArgs};
use crate::config::{self, Color, Log, LogFormat, LogLevel};
use crate::run_folder::Access;

/// The judging and report options of `scan`, for what was read before.
#[derive(Args)]
#[command(mut_arg("standard", |arg| arg.hide_default_value(true).help(STANDARD)))]
pub struct AgainArgs {
    /// Output folder of the run
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    #[arg(help = "When to colour the report; auto heeds NO_COLOR and pipes")]
    color: Color,
}

const STANDARD: &str = "Which reading of the MFA delete requirement holds [default: that of the run]";

impl AgainArgs {
    pub fn read(self, standard_is_given: bool) -> Again {
        Again {
            folder: self.folder,
            judging: Judging {
                standard: standard_is_given.then_some(self.judging.standard),
                accepted: self.judging.accept_control,
            },
            fail_on: self.judging.fail_on.and_then(FailOn::severity),
            allow_unknown: self.judging.allow_unknown,
            baseline: self.judging.baseline,
            output: config::Output {
                out: self.report.out,
                formats: self.report.format.into_iter().collect(),
                access: Access::of(self.report.public_files),
            },
            color: self.color,
            log: Log { level: LogLevel::Warn, format: LogFormat::Text },
        }
    }
}
