//! The command line: what clap needs to know, and what came of it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use time::Date;
use time::macros::format_description;

use super::diff::Comparison;
use super::judging::Judging;
use super::lifecycle::{Check, Format as CheckFormat};
use super::mfa_delete::options as mfa_delete;
use super::plan;
use super::report::Again;
use super::storage_lens::options as storage_lens;
use super::trend::{Order, ScopeName};
use crate::config::options::{ConcurrencyArgs, ConsoleArgs, FailOn, JudgingArgs, MoreArgs, ReportArgs, ScanArgs};
use crate::config::{self, Color, Config, Given, Log, LogFormat, LogLevel, Mistake, variable};
use crate::exit::{Exit, Of};
use crate::lifecycle::Versions;
use crate::model::{AccountId, Standard};
use crate::permissions::Role;
use crate::plan::Format as PlanFormat;
use crate::report::changes::TableFormat;
use crate::trend::Wanted;

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
    Trend(Order),
    LifecycleCheck(Check),
    MfaDelete(Box<mfa_delete::Order>),
    Plan(plan::Order),
    Policy(Role),
    StorageLens(Box<storage_lens::Order>),
}

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

/// A simulator that runs until it is stopped.
#[derive(Debug, PartialEq, Eq)]
pub struct Simulate {
    /// 0 for any free port.
    pub port: u16,
    pub organization: Simulated,
    /// Slept before each answer.
    pub latency: Duration,
    /// S3 requests a second of one account; `None` for no limit.
    pub rate: Option<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Simulated {
    /// The organization that comes with the program.
    Demo,
    File(PathBuf),
    Generated(Generated),
}

/// Why there is nothing to be done.
#[derive(Debug)]
pub enum Problem {
    /// clap's own: usage errors, `--help` and `--version`.
    Usage(clap::Error),
    Configuration(Vec<Mistake>),
}

impl From<clap::Error> for Problem {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl Problem {
    /// Help and version go to stdout, everything else to stderr.
    pub fn print(&self) -> io::Result<()> {
        match self {
            Self::Usage(error) => error.print(),
            Self::Configuration(mistakes) => io::stderr().write_all(sentences(mistakes).as_bytes()),
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(error) if !error.use_stderr() => Exit::Ok,
            Self::Usage(_) | Self::Configuration(_) => Exit::CouldNotRun,
        }
    }
}

fn sentences(mistakes: &[Mistake]) -> String {
    match mistakes {
        [mistake] => format!("error: {mistake}\n"),
        _ => mistakes.iter().fold(format!("error: {} mistakes\n", mistakes.len()), |mut text, mistake| {
            let _ = writeln!(text, "  {mistake}");
            text
        }),
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
    #[command(after_long_help = more_about_scan())]
    Scan(Box<ScanArgs>),
    /// Scan a simulated organization: no AWS account, credentials or network needed
    ///
    /// Reads no environment variable but the one that turns off colors, no configuration and no AWS file, and sends
    /// nothing beyond this machine. Exits 0 whatever is found, unless --fail-on is given.
    Demo(DemoArgs),
    /// Make the report of a finished run again, with other rules or in other formats, without AWS
    #[command(after_long_help = Of::Report.told())]
    Report(AgainArgs),
    /// Say what is different between two finished runs: buckets, versioning, MFA delete, lifecycle, status
    #[command(after_long_help = Of::Diff.told())]
    Diff(DiffArgs),
    /// Show how metrics went over the runs of a folder, a value for each day
    #[command(after_long_help = Of::Trend.told())]
    Trend(TrendArgs),
    /// Serve a simulated AWS organization on 127.0.0.1, for any S3 client
    Simulate(SimulateArgs),
    /// Say what the rules of a lifecycle configuration really do together
    #[command(subcommand)]
    Lifecycle(LifecycleJob),
    /// Enable or disable MFA delete of buckets named here, with a code of the MFA device, or show its state
    #[command(subcommand, name = "mfa-delete", after_long_help = mfa_delete::AFTER_HELP)]
    MfaDelete(Box<mfa_delete::Job>),
    /// Turn the findings of a scan into steps: what enables MFA delete, what stands in the way, how to undo it
    ///
    /// Reads only the run's folder. Exits 3 where something the plan needs is unknown, else 0.
    #[command(after_long_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Print the IAM policy that allows what a scan asks for, and nothing else
    #[command(after_long_help = MORE_ABOUT_POLICY)]
    Policy(PolicyArgs),
    /// Read an export of S3 Storage Lens, and hold it against a scan; no bucket is asked
    #[command(subcommand, name = "storage-lens", after_long_help = storage_lens::AFTER_HELP)]
    StorageLens(Box<storage_lens::Job>),
}

#[derive(Args)]
struct PlanArgs {
    /// Output folder of a scan
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Only this account (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    account: Vec<AccountId>,
    /// Which reading of the MFA delete requirement holds [default: that of the run]
    #[arg(long, value_name = "NAME")]
    standard: Option<Standard>,
    /// How the plan is written
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    format: PlanFormat,
}

impl PlanArgs {
    fn read(self) -> plan::Order {
        let accounts = self.account.into_iter().collect();
        plan::Order { run: self.run, accounts, standard: self.standard, format: self.format }
    }
}

const PLAN_EXAMPLES: &str = "\
Examples:
  For people:
    bucketlens plan reports/nightly > plan.md
  A script for one account; run without arguments it says how it is used:
    bucketlens plan reports/nightly --account 111111111111 --format sh > plan.sh
    sh plan.sh check";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    /// Who runs the scan of an organization
    Hub,
    /// The role in each account; also who scans an account with its own credentials
    Member,
}

#[derive(Args)]
struct PolicyArgs {
    #[command(flatten)]
    more: MoreArgs,
    /// For whom
    #[arg(long, value_name = "ROLE", default_value = "member")]
    role: RoleArg,
    /// For the hub: name of the role in each account, maybe with a path
    #[arg(long, value_name = "NAME", default_value = "OrganizationAccountAccessRole", value_parser = role_name)]
    role_name: String,
    /// For the hub: partition of the organization
    #[arg(long, value_name = "NAME", default_value = "aws", value_parser = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"])]
    partition: String,
}

impl PolicyArgs {
    fn read(self) -> Result<Role, Problem> {
        let config = defaults(|scan| scan.more = self.more)?;
        Ok(match self.role {
            RoleArg::Hub => {
                Role::Hub { partition: self.partition, role: self.role_name, tags: config.more.group_by_tag.is_some() }
            }
            RoleArg::Member => {
                Role::Member { extras: config.more.extras(), directory_buckets: config.more.directory_buckets }
            }
        })
    }
}

/// Source: IAM API reference, `CreateRole`: `RoleName` and `Path`. A `*` would let the hub into other roles.
fn role_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte);
    let valid = !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('/') && !text.ends_with('/');
    if valid {
        Ok(text.to_owned())
    } else {
        Err("a role name has letters, digits and _+=,.@- (and / in a path)".to_owned())
    }
}

const MORE_ABOUT_POLICY: &str = "\
The hub needs the member's policy too where buckets of its own account are scanned. The three actions
on roots and units are used only where Organizations sends no paths with its accounts. s3:ListBucket
and s3:GetBucketLocation are not needed on AWS, where the list of buckets names each Region.";

#[derive(Subcommand)]
enum LifecycleJob {
    /// Check a lifecycle configuration in a file: which rule wins, which never applies, what S3 would refuse
    ///
    /// Needs no AWS account and no network. Exits 0 whatever the verdicts are, 1 when --fail-on is given and a problem
    /// is at least that severe, 2 when the file cannot be read as a configuration.
    Check(LifecycleCheckArgs),
}

const CHECKED_FILES: &str =
    "S3's XML, the AWS CLI's JSON or CloudFormation's LifecycleConfiguration as JSON; - for stdin";

#[derive(Args)]
struct LifecycleCheckArgs {
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
    format: CheckFormat,
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

/// The options of `scan` that do not say where AWS is, without its environment variables and its file.
#[derive(Args)]
#[command(mut_arg("fail_on", |arg| arg.default_value(None::<&str>)))]
struct DemoArgs {
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
struct GeneratedArgs {
    /// Accounts of the organization [default with --buckets: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    accounts: Option<u32>,
    /// Buckets of all accounts together [default with --accounts: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    buckets: Option<u32>,
}

impl GeneratedArgs {
    fn size(&self) -> Option<Generated> {
        let asked = self.accounts.is_some() || self.buckets.is_some();
        asked.then(|| Generated { accounts: self.accounts.unwrap_or(10), buckets: self.buckets.unwrap_or(1000) })
    }
}

/// The judging and report options of `scan`, for what was read before.
#[derive(Args)]
#[command(mut_arg("standard", |arg| arg.hide_default_value(true).help(AGAIN_STANDARD)))]
struct AgainArgs {
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

#[derive(Args)]
struct DiffArgs {
    /// Output folder of the older run
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Output folder of the newer run
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Which reading of the MFA delete requirement holds for both [default: that of the newer run]
    #[arg(long, value_name = "NAME")]
    standard: Option<Standard>,
    /// Control that waives it, as NAME or NAME:DAYS (comma list) [default: those of the newer run]
    #[arg(long, value_name = "CONTROL", value_delimiter = ',')]
    accept_control: Vec<String>,
    /// How the differences are shown
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: TableFormat,
    /// Exit 0 instead of 3 when the newer run does not know all
    #[arg(long)]
    allow_unknown: bool,
}

#[derive(Args)]
struct TrendArgs {
    /// Folder in which output folders of scans stand, or inventory.parquet files
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What the values add up over
    #[arg(long, value_name = "SCOPE", default_value = "organization")]
    scope: ScopeName,
    /// Only this OU, account or Region (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    id: Vec<String>,
    /// Only this metric of metrics.csv (repeatable) [default: all; eight of them as a table]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metric: Vec<String>,
    /// How the values are shown
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: TableFormat,
    /// Leave out runs that cannot be read, and say so
    #[arg(long)]
    allow_partial: bool,
}

const AGAIN_STANDARD: &str = "Which reading of the MFA delete requirement holds [default: that of the run]";

#[derive(Args)]
struct SimulateArgs {
    /// Listen on this port; 0 for any free one
    #[arg(long, value_name = "N", default_value = "0")]
    port: u16,
    /// Serve the organization of this JSON file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["accounts", "buckets"])]
    org: Option<PathBuf>,
    /// Milliseconds to sleep before each answer
    #[arg(long, value_name = "MS", default_value = "0", value_parser = clap::value_parser!(u64).range(0..=600_000))]
    latency: u64,
    /// S3 requests a second of one account before it is throttled [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    #[command(flatten)]
    generated: GeneratedArgs,
}

/// What the arguments, with their environment, ask for. `argv` begins with the name of the program.
pub fn parse(
    argv: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Command, Problem> {
    let argv: Vec<OsString> = argv.into_iter().collect();
    let matches = command().try_get_matches_from(&argv)?;
    match (Cli::from_arg_matches(&matches)?.job, matches.subcommand()) {
        (Job::Scan(_), Some((_, flags))) => {
            // The program has no options before the name of a subcommand: what follows is all scan's.
            let environment: Vec<_> = environment.into_iter().collect();
            let loaded = config::load(&scan_command(), flags, &argv[2..], &environment);
            let loaded = loaded.map_err(Problem::Configuration)?;
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
        (Job::Lifecycle(LifecycleJob::Check(check)), _) => Ok(Command::LifecycleCheck(check.read())),
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
    Config::new(args, &given).map_err(Problem::Configuration)
}

impl DemoArgs {
    fn read(self) -> Result<Demo, Problem> {
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

impl AgainArgs {
    fn read(self, standard_is_given: bool) -> Again {
        Again {
            folder: self.folder,
            judging: Judging {
                standard: standard_is_given.then_some(self.judging.standard),
                accepted: self.judging.accept_control,
            },
            fail_on: self.judging.fail_on.and_then(FailOn::severity),
            allow_unknown: self.judging.allow_unknown,
            baseline: self.judging.baseline,
            output: config::Output { out: self.report.out, formats: self.report.format.into_iter().collect() },
            color: self.color,
            log: Log { level: LogLevel::Warn, format: LogFormat::Text },
        }
    }
}

impl DiffArgs {
    fn read(self) -> Comparison {
        Comparison {
            old: self.old,
            new: self.new,
            judging: Judging { standard: self.standard, accepted: self.accept_control },
            format: self.format,
            allow_unknown: self.allow_unknown,
        }
    }
}

impl TrendArgs {
    fn read(self) -> Order {
        Order {
            folder: self.folder,
            wanted: Wanted { scope: self.scope.scope(), ids: self.id, metrics: self.metric },
            format: self.format,
            allow_partial: self.allow_partial,
        }
    }
}

impl LifecycleCheckArgs {
    fn read(self) -> Check {
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

impl SimulateArgs {
    fn read(self) -> Simulate {
        let generated = self.generated.size().map_or(Simulated::Demo, Simulated::Generated);
        Simulate {
            port: self.port,
            organization: self.org.map_or(generated, Simulated::File),
            latency: Duration::from_millis(self.latency),
            rate: self.rate,
        }
    }
}

fn more_about_scan() -> String {
    format!("{SCAN_EXAMPLES}\n\n{SCAN_CONFIGURATION}\n\n{}", Of::Scan.told())
}

const SCAN_EXAMPLES: &str = "\
Examples:
  The account of the current credentials:
    bucketlens scan
  Two profiles, the report in a folder of its own:
    bucketlens scan --profile dev --profile prod --out reports/today
  Every account of the organization, through a role of yours, without the sandboxes:
    bucketlens scan --organization --role-name Audit --exclude-ou ou-ab12-11111111
  The accounts of a file, for a scheduled job: only critical findings matter, logs as JSON:
    bucketlens scan --accounts-file accounts.txt --fail-on critical --quiet --log-format json
  What a run that was killed or interrupted has not read yet; the scope is that of the run:
    bucketlens scan --resume reports/today
  An S3 server that is not AWS:
    AWS_ENDPOINT_URL=https://s3.example.org bucketlens scan --account-id 111111111111";

const SCAN_CONFIGURATION: &str = "\
Configuration:
  Each option is also an environment variable, named beside it, and a key of the file of --config:
    organization = true
    role-name = \"Audit\"
    region = [\"eu-central-1\", \"us-east-1\"]
  The command line goes before the environment, the environment before the file; a list replaces the
  one of a lower level, and a way to find accounts replaces the lower one with the options it takes.
  In variables a comma separates the values of a list. Paths start at the working directory.
  Credentials, profiles, endpoints and proxies are AWS's own settings (AWS_PROFILE, HTTPS_PROXY, ...).";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Discovery;
    use crate::model::{Severity, Standard};

    fn read(line: &str, variables: &[(&str, &str)]) -> Result<Command, Problem> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        parse(line.split_whitespace().map(OsString::from), variables)
    }

    fn problem(line: &str) -> Problem {
        read(line, &[]).expect_err("a problem")
    }

    fn demo(line: &str, variables: &[(&str, &str)]) -> Demo {
        match read(line, variables) {
            Ok(Command::Demo(demo)) => demo,
            other => panic!("no demo: {other:?}"),
        }
    }

    fn simulate(line: &str) -> Simulate {
        match read(line, &[]) {
            Ok(Command::Simulate(simulate)) => simulate,
            other => panic!("no simulator: {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn help_and_version_are_no_failures_and_everything_else_is_code_2() {
        for line in ["bucketlens --help", "bucketlens --version", "bucketlens scan -h", "bucketlens help demo"] {
            assert_eq!(problem(line).exit(), Exit::Ok, "{line}");
        }
        for line in [
            "bucketlens",
            "bucketlens scna",
            "bucketlens scan --nope",
            "bucketlens scan bucket",
            "bucketlens scan --concurrency 0",
            "bucketlens scan --account 1",
            "bucketlens demo --organization",
            "bucketlens demo --config x.toml",
            "bucketlens simulate --org x.json --buckets 3",
        ] {
            assert_eq!(problem(line).exit(), Exit::CouldNotRun, "{line}");
        }
    }

    #[test]
    fn mistakes_are_a_sentence_or_a_list() {
        let Problem::Configuration(mistakes) = problem("bucketlens scan --account 1 --region a,é") else {
            panic!("mistakes of the configuration")
        };
        insta::assert_snapshot!(sentences(&mistakes[..1]), @r#"error: --account: an AWS account id has 12 digits, "1" has not: it has 1, leading zeros belong to it"#);
        insta::assert_snapshot!(sentences(&mistakes), @r#"
        error: 2 mistakes
          --account: an AWS account id has 12 digits, "1" has not: it has 1, leading zeros belong to it
          --region: "é" is not the name of a Region (eu-central-1)
        "#);
    }

    #[test]
    fn scan_reads_its_variables_and_names_the_unknown_ones() {
        let variables = [("BUCKETLENS_FAIL_ON", "high"), ("BUCKETLENS_FALL_ON", "low"), ("AWS_PROFILE", "dev")];
        let Ok(Command::Scan { config, warnings }) = read("bucketlens scan --standard security-hub", &variables) else {
            panic!("a scan")
        };
        assert_eq!((config.fail_on, config.standard), (Some(Severity::High), Standard::SecurityHub));
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn the_demo_takes_no_variables_and_exits_0_unless_it_is_asked_for_more() {
        let variables = [("BUCKETLENS_FAIL_ON", "high"), ("BUCKETLENS_CONCURRENCY", "none")];
        let plain = demo("bucketlens demo --standard security-hub", &variables);
        assert_eq!((plain.config.fail_on, plain.config.allow_unknown), (None, true));
        assert_eq!((&plain.config.discovery, plain.config.reading.concurrency), (&Discovery::Organization, 64));
        assert_eq!((plain.config.standard, plain.generated), (Standard::SecurityHub, None));

        let strict = demo("bucketlens demo --fail-on low --buckets 7", &[]);
        assert_eq!((strict.config.fail_on, strict.config.allow_unknown), (Some(Severity::Low), false));
        assert_eq!(strict.generated, Some(Generated { accounts: 10, buckets: 7 }));
    }

    #[test]
    fn the_simulator_serves_the_demo_a_file_or_a_generated_organization() {
        let plain = Simulate { port: 0, organization: Simulated::Demo, latency: Duration::ZERO, rate: None };
        assert_eq!(simulate("bucketlens simulate"), plain);
        let slow = simulate("bucketlens simulate --port 9000 --org x.json --latency 20 --rate 50");
        let file = Simulated::File("x.json".into());
        assert_eq!(
            slow,
            Simulate { port: 9000, organization: file, latency: Duration::from_millis(20), rate: Some(50) }
        );
        let generated = Simulated::Generated(Generated { accounts: 3, buckets: 1000 });
        assert_eq!(simulate("bucketlens simulate --accounts 3").organization, generated);
    }

    #[test]
    fn a_check_knows_only_what_it_is_told() {
        let check = |line: &str| match read(line, &[("BUCKETLENS_FAIL_ON", "high")]) {
            Ok(Command::LifecycleCheck(check)) => check,
            other => panic!("no check: {other:?}"),
        };
        let plain = Check {
            file: "-".into(),
            versions: None,
            mfa_delete: None,
            today: None,
            format: CheckFormat::Table,
            fail_on: None,
        };
        assert_eq!(check("bucketlens lifecycle check -"), plain);
        let all = "bucketlens lifecycle check x.xml --versioning suspended --mfa-delete disabled --today 2026-02-28 \
                   --format json --fail-on low";
        let told = Check {
            file: "x.xml".into(),
            versions: Some(Versions::Suspended),
            mfa_delete: Some(false),
            today: Some(time::macros::date!(2026 - 02 - 28)),
            format: CheckFormat::Json,
            fail_on: Some(Severity::Low),
        };
        assert_eq!(check(all), told);
        for line in
            ["bucketlens lifecycle", "bucketlens lifecycle check", "bucketlens lifecycle check x --today 2026-2-3"]
        {
            assert_eq!(problem(line).exit(), Exit::CouldNotRun, "{line}");
        }
    }

    fn help(of: &str) -> String {
        let mut command = command().term_width(100);
        command.build();
        command.find_subcommand_mut(of).expect("a subcommand").render_help().to_string()
    }

    #[test]
    fn the_help_of_scan_is_grouped() {
        insta::assert_snapshot!(help("scan"), @"
        Scan the buckets of one account, several accounts or an AWS organization, and report

        Usage: bucketlens scan [OPTIONS]

        Options:
          -h, --help  Print help (see more with '--help')

        Discovery (default: the account of the current credentials):
              --profile <NAME>        Scan the account of this AWS profile (repeatable)
              --organization          Scan every account of the organization that the credentials manage
              --accounts-file <FILE>  Scan the accounts of this file; a line is ID or ID,ROLE-ARN
              --account-id <ID>       Id of the current credentials' account, for S3 servers without STS

        Role in each account (with --organization or --accounts-file):
              --role-name <NAME>            Role to assume, maybe with a path [default:
                                            OrganizationAccountAccessRole]
              --external-id <ID>            External id to assume it with; never printed or logged
              --session-name <NAME>         Name of the session in AWS's logs [default: bucketlens]
              --session-duration <SECONDS>  Seconds its credentials last, 900 to 43200 [default: 3600]

        Filters:
              --account <ID>          Scan only this account (repeatable)
              --exclude-account <ID>  Leave out this account (repeatable)
              --ou <ID>               Scan only accounts in or under this OU or root (repeatable)
              --exclude-ou <ID>       Leave out accounts in or under this OU (repeatable)
              --bucket <GLOB>         Scan only buckets with such a name: *, ? and [a-z] (repeatable)
              --region <NAME>         Scan only buckets in this Region (repeatable)

        Going on with a run that was cut off:
              --resume <DIR>        Read only what the run in this folder lacks, and report there
              --max-age <DURATION>  With --resume: also read again what is older: 90s, 30m, 12h, 7d

        What is read (default: two requests a bucket):
              --with <WHAT>         Read what else protects buckets, 1 or 3 requests each (comma list)
                                    [possible values: policy, protection]
              --metrics <GROUP>     Read the settings that S3 Storage Lens counts, a request a bucket for
                                    each group (comma list) [default: basic] [possible values: basic, all,
                                    encryption, ownership, acceleration, notification, replication]
              --group-by-tag <KEY>  Read the tags of buckets, a request each, to group them by this one
              --directory-buckets   List directory buckets too, a request for each Region of --region, else
                                    for us-east-1, us-east-2, us-west-2, ap-south-1, ap-northeast-1,
                                    eu-west-1 and eu-north-1

        Reading:
              --concurrency <N>              Requests in flight over all accounts, 1 to 4096 [default: 64]
              --addressing <STYLE>           Where a bucket's name stands; virtual: a connection a bucket
                                             [default: path] [possible values: path, virtual]
              --connect-timeout <SECONDS>    Seconds until a connection stands [default: 5]
              --read-timeout <SECONDS>       Seconds until an answer begins [default: 15]
              --operation-timeout <SECONDS>  Seconds until an answer is read to its end [default: 60]
              --max-attempts <N>             Attempts for one request, 1 to 20 [default: 5]

        Judging and report:
              --standard <NAME>           Which reading of the MFA delete requirement holds [default: cis]
                                          [possible values: cis, security-hub, cis-with-compensation]
              --accept-control <CONTROL>  Control that waives it, as NAME or NAME:DAYS (comma list)
              --fail-on <SEVERITY>        Exit 1 when a finding is at least this severe [default: medium]
                                          [possible values: info, low, medium, high, critical, none]
              --allow-unknown             Exit 0 instead of 3 when something stayed unknown
              --baseline <DIR>            Let only what the run in this folder did not have decide the exit
                                          code, and show what changed
              --out <DIR>                 Folder of the report's files [default: reports/<UTC time>]
              --format <FORMAT>           Formats of the report's files (comma list) [default:
                                          csv,json,parquet] [possible values: csv, json, parquet,
                                          storage-lens-csv, storage-lens-parquet, storage-lens-tables]

        Console:
              --quiet                Show no progress
              --log-level <LEVEL>    Least level of the logs on stderr [default: warn] [possible values:
                                     error, warn, info, debug, trace]
              --log-format <FORMAT>  Format of the logs [default: text] [possible values: text, json]
              --color <WHEN>         When to colour the report; auto heeds NO_COLOR and pipes [default:
                                     auto] [possible values: auto, always, never]

        Configuration:
              --config <FILE>  TOML file with further options, keys named like them
        ");
    }

    #[test]
    fn the_long_help_of_scan_names_variables_examples_and_exit_codes() {
        let mut command = command().term_width(100);
        let help = command.find_subcommand_mut("scan").expect("a subcommand").render_long_help().to_string();
        let options: Vec<String> =
            scan_command().get_arguments().filter_map(clap::Arg::get_long).map(variable).collect();
        assert!(options.iter().all(|variable| help.contains(variable)));
        assert!(help.contains("Examples:") && help.contains("Exit codes:"));
    }

    #[test]
    fn the_long_help_tells_the_exit_codes() {
        for (words, of) in [
            (["report"].as_slice(), Of::Report),
            (&["diff"], Of::Diff),
            (&["trend"], Of::Trend),
            (&["storage-lens", "read"], Of::ExportRead),
            (&["storage-lens", "compare"], Of::ExportCompared),
        ] {
            let argv = ["bucketlens"].iter().chain(words).chain(&["--help"]).map(OsString::from);
            let help = command().term_width(120).try_get_matches_from(argv).expect_err("help").to_string();
            assert!(help.contains(&of.told()), "{words:?}: {help}");
        }
    }
}
