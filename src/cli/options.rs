//! The command line: what clap needs to know, and what came of it.

mod demo;
mod diff;
mod lifecycle;
mod plan;
mod policy;
mod report;
mod scan;
mod simulate;
mod trend;

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::console;
use super::diff::Comparison;
use super::lifecycle::Check;
use super::mfa_delete::options as mfa_delete;
use super::plan::Order as PlanOrder;
use super::report::Again;
use super::storage_lens::options as storage_lens;
use super::trend::Order as TrendOrder;
use crate::config::options::ScanArgs;
use crate::config::{self, Config, Given, LogFormat, Mistake, variable};
use crate::exit::{Exit, Of};
use crate::permissions::Role;

pub use demo::{Demo, Generated};
pub use simulate::{Simulate, Simulated};

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    Scan {
        config: Box<Config>,
        /// What is odd about the configuration, a sentence each; the run goes on.
        warnings: Vec<String>,
    },
    Demo(Demo),
    Simulate(Simulate),
    Report(Box<Again>),
    Diff(Comparison),
    Trend(TrendOrder),
    LifecycleCheck(Check),
    MfaDelete(Box<mfa_delete::Order>),
    Plan(PlanOrder),
    Policy(Role),
    StorageLens(Box<storage_lens::Order>),
}

impl Command {
    /// How errors are told.
    pub fn log_format(&self) -> LogFormat {
        match self {
            Self::Scan { config, .. } => config.log.format,
            Self::Demo(demo) => demo.config.log.format,
            Self::Report(again) => again.log.format,
            Self::MfaDelete(order) => order.log.format,
            Self::StorageLens(order) => order.log.format,
            Self::Simulate(_)
            | Self::Diff(_)
            | Self::Trend(_)
            | Self::LifecycleCheck(_)
            | Self::Plan(_)
            | Self::Policy(_) => LogFormat::Text,
        }
    }

    /// Whether credentials, profiles and endpoints of the environment matter.
    pub fn reads_aws_settings(&self) -> bool {
        match self {
            Self::Scan { .. } | Self::MfaDelete(_) | Self::StorageLens(_) => true,
            Self::Demo(_)
            | Self::Simulate(_)
            | Self::Report(_)
            | Self::Diff(_)
            | Self::Trend(_)
            | Self::LifecycleCheck(_)
            | Self::Plan(_)
            | Self::Policy(_) => false,
        }
    }
}

/// Why there is nothing to be done.
#[derive(Debug)]
pub enum Problem {
    /// clap's own: usage errors, `--help` and `--version`.
    Usage(clap::Error),
    Configuration {
        mistakes: Vec<Mistake>,
        /// As the options say that could be read; `None` where they say nothing.
        log_format: Option<LogFormat>,
    },
}

impl From<clap::Error> for Problem {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl Problem {
    pub fn log_format(&self) -> Option<LogFormat> {
        match self {
            Self::Usage(_) => None,
            Self::Configuration { log_format, .. } => *log_format,
        }
    }

    /// Help and version go to stdout, everything else to stderr.
    pub fn print(&self) {
        match self {
            Self::Usage(error) if error.use_stderr() => console::usage(error),
            Self::Usage(error) => {
                // Nobody is left to tell when stdout is closed.
                let _ = error.print();
            }
            Self::Configuration { mistakes, .. } => console::mistakes(mistakes),
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(error) if !error.use_stderr() => Exit::Ok,
            Self::Usage(_) | Self::Configuration { .. } => Exit::CouldNotRun,
        }
    }
}

#[derive(Parser)]
#[command(name = "bucketlens", version, about, after_help = Of::Scan.told(), arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Scan the buckets of one account, several accounts or an AWS organization, and report
    #[command(after_long_help = scan::more())]
    Scan(Box<ScanArgs>),
    /// Scan a simulated organization: no AWS account, credentials or network needed
    ///
    /// Reads no environment variable but the one that turns off colors, no configuration and no AWS file, and sends
    /// nothing beyond this machine. Exits 0 whatever is found, unless --fail-on is given.
    Demo(demo::DemoArgs),
    /// Make the report of a finished run again, with other rules or in other formats, without AWS
    #[command(after_long_help = Of::Report.told())]
    Report(report::AgainArgs),
    /// Say what is different between two finished runs: buckets, versioning, MFA delete, lifecycle, status
    #[command(after_long_help = Of::Diff.told())]
    Diff(diff::DiffArgs),
    /// Show how metrics went over the runs of a folder, a value for each day
    #[command(after_long_help = Of::Trend.told())]
    Trend(trend::TrendArgs),
    /// Serve a simulated AWS organization on 127.0.0.1, for any S3 client
    Simulate(simulate::SimulateArgs),
    /// Say what the rules of a lifecycle configuration really do together
    #[command(subcommand)]
    Lifecycle(lifecycle::Job),
    /// Enable or disable MFA delete of buckets named here, with a code of the MFA device, or show its state
    #[command(subcommand, name = "mfa-delete", after_long_help = mfa_delete::AFTER_HELP)]
    MfaDelete(Box<mfa_delete::Job>),
    /// Turn the findings of a scan into steps: what enables MFA delete, what stands in the way, how to undo it
    ///
    /// Reads only the run's folder. Exits 3 where something the plan needs is unknown, else 0.
    #[command(after_long_help = plan::EXAMPLES)]
    Plan(plan::PlanArgs),
    /// Print the IAM policy that allows what a scan asks for, and nothing else
    #[command(after_long_help = policy::MORE)]
    Policy(policy::PolicyArgs),
    /// Read an export of S3 Storage Lens, and hold it against a scan; no bucket is asked
    #[command(subcommand, name = "storage-lens", after_long_help = storage_lens::AFTER_HELP)]
    StorageLens(Box<storage_lens::Job>),
}

/// What the arguments, with their environment, ask for. `argv` begins with the name of the program.
pub fn parse(argv: &[OsString], environment: &[(OsString, OsString)]) -> Result<Command, Problem> {
    let matches = command().try_get_matches_from(argv)?;
    match (Cli::from_arg_matches(&matches)?.job, matches.subcommand()) {
        (Job::Scan(_), Some((_, flags))) => {
            // The program has no options before the name of a subcommand: what follows is all scan's.
            let scan = scan_command();
            let loaded = config::load(&scan, flags, &argv[2..], environment).map_err(|mistakes| {
                Problem::Configuration { mistakes, log_format: config::log_format(&scan, flags, environment) }
            })?;
            Ok(Command::Scan { config: Box::new(loaded.config), warnings: loaded.warnings })
        }
        (Job::Demo(demo), _) => demo.read().map(Command::Demo),
        (Job::Report(again), Some((_, flags))) => {
            let is_given = flags.value_source("standard") == Some(ValueSource::CommandLine);
            Ok(Command::Report(Box::new(again.read(is_given))))
        }
        (Job::Scan(_) | Job::Report(_), None) => unreachable!("clap gave the subcommand a moment ago"),
        (Job::Trend(trend), _) => Ok(Command::Trend(trend.read())),
        (Job::Diff(diff), _) => Ok(Command::Diff(diff.read())),
        (Job::Simulate(simulate), _) => Ok(Command::Simulate(simulate.read())),
        (Job::Lifecycle(lifecycle::Job::Check(check)), _) => Ok(Command::LifecycleCheck(check.read())),
        (Job::Plan(plan), _) => Ok(Command::Plan(plan.read())),
        (Job::Policy(policy), _) => policy.read().map(Command::Policy),
        (Job::MfaDelete(job), _) => Ok(Command::MfaDelete(Box::new(job.read()))),
        (Job::StorageLens(job), _) => Ok(Command::StorageLens(Box::new(job.order()))),
    }
}

/// The whole command line, as clap sees it.
fn command() -> clap::Command {
    Cli::command().mut_subcommand("scan", |scan| scan.mut_args(with_variable))
}

/// The options of `scan` alone.
fn scan_command() -> clap::Command {
    ScanArgs::augment_args(clap::Command::new("scan"))
}

/// Names the environment variable in the long help. clap would also read it, but can neither take an empty one as not
/// set nor report all mistakes at once; [`config::load`] does.
fn with_variable(arg: clap::Arg) -> clap::Arg {
    match (arg.get_help(), arg.get_long()) {
        (Some(help), Some(option)) => {
            let help = format!("{help} [env: {}]", variable(option));
            arg.long_help(help)
        }
        _ => arg,
    }
}

/// The configuration of a scan of an organization for which nothing else is given than what is `set`.
fn defaults(set: impl FnOnce(&mut ScanArgs)) -> Result<Config, Problem> {
    let scan = scan_command().no_binary_name(true).try_get_matches_from(["--organization"])?;
    let mut args = ScanArgs::from_arg_matches(&scan)?;
    set(&mut args);
    let mut given = Given::default();
    given.insert("organization", Vec::new());
    Config::new(args, &given).map_err(|mistakes| Problem::Configuration { mistakes, log_format: None })
}

#[cfg(test)]
mod tests;
