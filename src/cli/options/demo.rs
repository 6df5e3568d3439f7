//! `bucketlens demo`.

use clap::Args;

use super::{Problem, defaults};
use crate::config::Config;
use crate::config::options::{ConcurrencyArgs, ConsoleArgs, JudgingArgs, MoreArgs, ReportArgs};

/// A scan of a simulated organization.
#[derive(Debug)]
pub struct Demo {
    pub config: Box<Config>,
    /// `None` for the organization that comes with the program.
    pub generated: Option<Generated>,
}

/// The size of a generated organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    pub accounts: u32,
    /// In all accounts together.
    pub buckets: u32,
}

/// The options of `scan` that do not say where AWS is, without its environment variables and its file.
#[derive(Args)]
#[command(mut_arg("fail_on", |arg| arg.default_value(None::<&str>)))]
pub struct DemoArgs {
    #[command(flatten)]
    generated: GeneratedArgs,
    #[command(flatten)]
    more: MoreArgs,
    #[command(flatten)]
    concurrency: ConcurrencyArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    console: ConsoleArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Generated organization (default: a small one that comes with the program)")]
pub struct GeneratedArgs {
    /// Accounts of the organization [default with --buckets: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    accounts: Option<u32>,
    /// Buckets of all accounts together [default with --accounts: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    buckets: Option<u32>,
}

impl GeneratedArgs {
    pub fn size(&self) -> Option<Generated> {
        let asked = self.accounts.is_some() || self.buckets.is_some();
        asked.then(|| Generated { accounts: self.accounts.unwrap_or(10), buckets: self.buckets.unwrap_or(1000) })
    }
}

impl DemoArgs {
    pub fn read(self) -> Result<Demo, Problem> {
        let generated = self.generated.size();
        // The organization has something of everything: only who asks for another exit code gets one.
        let exits_0 = self.judging.fail_on.is_none();
        let mut config = defaults(|scan| {
            (scan.more, scan.concurrency, scan.judging) = (self.more, self.concurrency, self.judging);
            (scan.report, scan.console) = (self.report, self.console);
        })?;
        config.allow_unknown |= exits_0;
        Ok(Demo { config: Box::new(config), generated })
    }
}
