//! The command line: one file per subcommand. The only place that prints, and the only one that reads argv and the
//! environment.

mod ask;
mod console;
mod core_dumps;
mod demo;
mod diff;
mod environment;
mod heartbeat;
mod judge;
mod judging;
mod lifecycle;
mod logging;
mod mfa_codes;
mod mfa_delete;
pub mod options;
mod output;
mod panics;
mod permissions;
mod plan;
mod progress;
mod report;
mod resume;
mod saved;
mod scan;
mod signals;
mod simulate;
mod storage_lens;
mod trend;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use self::options::Command;
use self::progress::Progress;
use crate::aws::http::Network;
use crate::aws::proxy::NoProxy;
use crate::aws::secrets;
use crate::config::Config;
use crate::exit::Exit;
use crate::report::harmless;

/// Why a command could not run: a sentence, and what to do about it.
#[derive(Debug)]
pub struct Problem {
    what: String,
    help: Option<Cow<'static, str>>,
}

impl Problem {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None }
    }

    fn with_help(self, help: impl Into<Cow<'static, str>>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may quote a server.
        write!(f, "{}", harmless(&self.what))
    }
}

impl From<crate::report::FolderError> for Problem {
    fn from(error: crate::report::FolderError) -> Self {
        Self::new(format!("failed to {error}")).with_help("choose a folder that can be written with --out DIR")
    }
}

impl From<crate::inventory::InventoryError> for Problem {
    fn from(error: crate::inventory::InventoryError) -> Self {
        Self::new(error.to_string()).with_help(error.help())
    }
}

impl From<crate::config::Mistake> for Problem {
    fn from(mistake: crate::config::Mistake) -> Self {
        Self::new(mistake.to_string())
    }
}

impl From<crate::aws::http::CaBundleError> for Problem {
    fn from(error: crate::aws::http::CaBundleError) -> Self {
        Self::new(error.to_string()).with_help("name a file with certificates in PEM form, or unset AWS_CA_BUNDLE")
    }
}

impl From<crate::aws::settings::SettingsError> for Problem {
    fn from(error: crate::aws::settings::SettingsError) -> Self {
        Self::new(error.to_string()).with_help(error.help())
    }
}

impl From<crate::aws::clock::ClockOff> for Problem {
    fn from(error: crate::aws::clock::ClockOff) -> Self {
        Self::new(error.to_string())
            .with_help("set the clock of this machine, and look for a proxy that holds requests back")
    }
}

impl From<crate::discover::DiscoverError> for Problem {
    fn from(error: crate::discover::DiscoverError) -> Self {
        Self { what: error.to_string(), help: error.help().map(Cow::from) }
    }
}

impl From<crate::collect::CollectError> for Problem {
    fn from(error: crate::collect::CollectError) -> Self {
        Self::new(error.to_string()).with_help(error.help())
    }
}

impl From<crate::aggregate::AggregateError> for Problem {
    fn from(error: crate::aggregate::AggregateError) -> Self {
        Self::new(error.to_string())
    }
}

/// Runs the command that argv asks for, prints what comes of it, and says how to exit.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> Exit {
    core_dumps::switch_off();
    panics::watch();
    let argv: Vec<OsString> = argv.into_iter().collect();
    panics::guard_all(|| start_command(&argv)).unwrap_or_else(|problem| fail(&problem))
}

fn start_command(argv: &[OsString]) -> Exit {
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let command = match options::parse(argv, &environment) {
        Ok(command) => command,
        Err(problem) => {
            console::start(problem.log_format().unwrap_or_else(|| console::guess(argv, &environment)));
            problem.print();
            return problem.exit();
        }
    };
    console::start(command.log_format());
    if command.reads_aws_settings()
        && let Err(problem) = environment::settle(argv, &environment)
    {
        return fail(&problem);
    }
    let mut runtime = match workers(&command) {
        // Everything on this thread: none is woken for another.
        1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(threads);
            runtime
        }
    };
    // Each thread has memory of its own: hundreds of them, one for each account whose file waits for the disk, would cost
    // more than the accounts.
    runtime.max_blocking_threads(16).enable_all();
    let runtime = match runtime.build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Problem::new(format!("failed to start: {error}"))),
    };
    let exit = runtime.block_on(panics::guard(dispatch(command)));
    // Look-ups of names cannot be cancelled; the program does not wait for them.
    runtime.shutdown_background();
    exit.unwrap_or_else(|problem| fail(&problem))
}

/// Threads that send requests. One is enough for some thousands a second, and two that wake each other cost more CPU.
fn workers(command: &Command) -> usize {
    const REQUESTS_OF_ONE: usize = 64;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if let Command::Scan { config, .. } = command {
        config.reading.concurrency.div_ceil(REQUESTS_OF_ONE).clamp(1, cores)
    } else {
        cores
    }
}

fn fail(problem: &Problem) -> Exit {
    console::error(&problem.to_string(), problem.help.as_deref());
    Exit::CouldNotRun
}

async fn dispatch(command: Command) -> Result<Exit, Problem> {
    match command {
        Command::Scan { config, warnings } => {
            let progress = start(&config);
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            let exit = scan::run(&config, None, &network(), progress.clone()).await;
            progress.finish();
            exit
        }
        Command::Demo(demo) => {
            let progress = start(&demo.config);
            let exit = demo::run(&demo, progress.clone()).await;
            progress.finish();
            exit
        }
        Command::Simulate(simulate) => simulate::run(simulate).await,
        Command::Report(again) => {
            logging::start(again.log, &Progress::silent());
            report::run(&again)
        }
        Command::Diff(comparison) => diff::run(&comparison),
        Command::Trend(order) => trend::run(&order),
        Command::LifecycleCheck(check) => lifecycle::run(&check),
        Command::Plan(order) => plan::run(&order),
        Command::Policy(role) => permissions::run(&role),
        Command::MfaDelete(order) => {
            logging::start(order.log, &Progress::silent());
            mfa_delete::run(&order, &network()).await
        }
        Command::StorageLens(order) => {
            logging::start(order.log, &Progress::silent());
            storage_lens::run(&order, &network()).await
        }
    }
}

/// The way to AWS as the environment describes it.
fn network() -> Network {
    // A proxy is told its password, and may repeat it.
    let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    for url in proxies.into_iter().filter_map(std::env::var_os) {
        secrets::hold_password_of(&url.to_string_lossy());
    }
    // curl and botocore read the one in small letters first, the HTTP client the other: both are meant.
    let no_proxy: Vec<String> = ["no_proxy", "NO_PROXY"].iter().filter_map(|name| std::env::var(name).ok()).collect();
    Network {
        ca_bundle: std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(PathBuf::from),
        proxy_from_environment: true,
        no_proxy: NoProxy::parse(&no_proxy.join(",")),
    }
}

/// Starts logs and progress.
fn start(config: &Config) -> Arc<Progress> {
    let progress = Progress::stderr(config.quiet);
    logging::start(config.log, &progress);
    Arc::new(progress)
}
