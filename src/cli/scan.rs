//! `bucketlens scan`: the sentence of the program, in the order in which it happens.

use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::heartbeat::Counted;
use super::mfa_codes::Terminal;
use super::output::{Journal, Output, WRITING};
use super::progress::Progress;
use super::{Problem, judge, panics, resume, saved, signals};
use crate::aws::addressing::Styles;
use crate::aws::clock::{Clock, Skew};
use crate::aws::http::{self, Network};
use crate::aws::pace::Pace;
use crate::aws::session::{Aws, Source, Surroundings};
use crate::aws::settings::is_region_of_aws;
use crate::collect::{Asked, Collected, Stop, collect, log_account};
use crate::config::Config;
use crate::discover::{Discovered, Entry, Target, discover};
use crate::exit::{self, Exit, Of};
use crate::inventory::{Found, Inventory, Writer};
use crate::model::{
    Account, AccountId, AccountRecord, Coverage, Outcome, Region, Run, Timestamp, Version, directory_regions,
};
use crate::run_folder::Directory;

/// What a scan comes to.
struct Ends {
    output: Output,
    /// What it is held against.
    baseline: Option<Inventory>,
}

/// Reads, judges and reports. `source` is the demo's simulator, and nothing where AWS's own settings hold.
pub async fn run(
    config: &Config,
    source: Option<Source>,
    network: &Network,
    progress: Arc<Progress>,
) -> Result<Exit, Problem> {
    let exit = begin(config, source, network, progress).await;
    let (outcome, code) = match &exit {
        Ok(exit) => (exit.meaning(Of::Scan).unwrap_or_default(), exit.code()),
        Err(_) => ("the error follows", Exit::CouldNotRun.code()),
    };
    tracing::info!(exit_code = code, outcome, "the scan ended");
    exit
}

async fn begin(
    config: &Config,
    source: Option<Source>,
    network: &Network,
    progress: Arc<Progress>,
) -> Result<Exit, Problem> {
    let start = Timestamp::now();
    let (told, stop) = Stop::new();
    resume::may_go_on(config)?;
    // Before the work: what it is to be held against must be there, and whole.
    let baseline = config.baseline.as_deref().map(saved::baseline).transpose()?;
    let ends = Ends { output: Output::open(&config.output, start)?, baseline };
    let folder = ends.output.path().display().to_string();
    let scan = Box::pin(scan(config, source, network, progress, start, ends, stop));
    tokio::select! {
        exit = scan => exit,
        () = signals::twice(told) => {
            tracing::warn!("stopped; `bucketlens scan --resume {folder}` goes on");
            Ok(Exit::Stopped)
        }
    }
}

async fn scan(
    config: &Config,
    source: Option<Source>,
    network: &Network,
    progress: Arc<Progress>,
    start: Timestamp,
    Ends { output, baseline }: Ends,
    stop: Stop,
) -> Result<Exit, Problem> {
    let aws = connect(config, source, network, &progress)?;
    let journal = match &config.resume {
        Some(resume) => resume::journal(&output, config, resume, start).await?,
        None => output.begin(config, start)?,
    };
    let _leftovers = Leftovers { directory: output.directory().clone(), goes_on: journal.goes_on };
    let config = journal.config.clone();
    let folder = output.path().display();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), scope = config.scope().join(" "), %folder, "the scan begins");
    let inventory = Box::pin(read(journal, &aws, start, &output, progress, stop)).await?;
    for remark in saved::remarks(&inventory)? {
        tracing::warn!("{remark}");
    }
    let seen = judge::seen(&inventory);
    let (fail_on, allow_unknown) = (config.fail_on, config.allow_unknown);
    // On a thread of its own, so that a signal is heard meanwhile.
    let judged = tokio::task::spawn_blocking(move || {
        let reports = output.reports(&config.output, config.color)?;
        judge::judge(&inventory, baseline.as_ref(), reports, &output, || output.keep(&inventory))
    });
    let worst = judged.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    Ok(exit::decide(worst, fail_on, seen, allow_unknown))
}

/// After a panic nothing of the run stays: nobody knows what is missing in it. What an earlier part of the run read does.
struct Leftovers {
    directory: Directory,
    goes_on: bool,
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        /// Tasks that end may still have a file in their hands.
        const TRIES: u32 = 20;
        if self.goes_on || !panics::happened() {
            return;
        }
        for _ in 0..TRIES {
            if self.directory.remove_with_files(WRITING).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn connect(config: &Config, source: Option<Source>, network: &Network, progress: &Progress) -> Result<Aws, Problem> {
    let reading = &config.reading;
    let source = if let Some(source) = source {
        source
    } else {
        let codes = Arc::new(Terminal::new(progress.clone()));
        let region = config.filters.regions.iter().find(|region| is_region_of_aws(region.as_str())).cloned();
        Source::Environment(Box::new(Surroundings::new(network, reading.concurrency, codes, region)?))
    };
    Ok(Aws {
        source,
        http: http::client(network, reading.concurrency)?,
        pace: Arc::new(Pace::new(reading.concurrency, reading.max_attempts)),
        clock: Arc::default(),
        addressing: Styles::new(reading.addressing),
        timeouts: reading.timeouts,
    })
}

/// Does the work, but for a clock with which AWS takes no request.
async fn unless_off<T, E: Into<Problem>>(
    clock: &Clock,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Problem> {
    tokio::select! {
        off = clock.refused() => Err(off.into()),
        done = work => done.map_err(|error| clock.off().map_or_else(|| error.into(), Into::into)),
    }
}

/// What comes of the work. What is beside it never ends.
async fn beside<T>(other: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
    tokio::select! {
        done = work => done,
        () = other => unreachable!("it never ends"),
    }
}

/// The first half: everything that talks to AWS.
async fn read(
    journal: Journal,
    aws: &Aws,
    start: Timestamp,
    output: &Output,
    progress: Arc<Progress>,
    stop: Stop,
) -> Result<Inventory, Problem> {
    let Journal { mut writer, config, goes_on } = journal;
    let abandon = || {
        if !goes_on {
            output.abandon();
        }
    };
    let counted = Arc::new(Counted::new(progress.clone()));
    let discovering = Box::pin(beside(counted.beat(&aws.pace), unless_off(&aws.clock, discover(aws, &config))));
    let discovered = stop.unless_asked(discovering).await.transpose().inspect_err(|_| abandon())?;
    let interrupted = discovered.is_none();
    let found = discovered.unwrap_or_else(|| known(&writer));
    for other in &found.others {
        log_account(other);
    }
    let mut targets = found.targets;
    if !interrupted {
        let mut how = writer.opening().clone();
        how.standard = config.standard;
        how.accepted_controls.clone_from(&config.accepted);
        how.resumed.extend(goes_on.then_some(start));
        let now = Found {
            caller_arn: found.caller_arn.clone(),
            organization_id: found.organization_id.clone(),
            partition: found.partition.clone(),
            unit_names: found.unit_names.clone(),
            accounts: targets.iter().map(|target| target.account.clone()).collect(),
        };
        let gone = writer.found(now, how)?;
        targets.extend(gone.into_iter().map(|account| as_found_now(account, &found.others)));
    }
    let opening = writer.opening().clone();
    let directories = directories(&config, found.partition.as_deref());
    let asked = Asked {
        filters: config.filters.clone(),
        extras: config.more.extras(),
        directories: directories.clone().unwrap_or_default(),
    };
    let extras = asked.extras.clone();
    if !extras.is_empty() {
        let more: Vec<&str> = extras.iter().map(|extra| extra.operation().as_str()).collect();
        tracing::info!("a bucket takes {} requests: the two of every scan and {}", 2 + more.len(), more.join(", "));
    }
    let concurrency = config.reading.concurrency;
    let collecting = collect(targets, aws.clone(), asked, concurrency, writer, counted.clone(), stop);
    let collecting = collecting.map(|done| {
        done.inspect_err(|error| {
            if !error.is_of_the_disk() {
                abandon();
            }
        })
    });
    let collecting = beside(counted.beat(&aws.pace), unless_off(&aws.clock, Box::pin(collecting)));
    let (mut collected, writer) = Box::pin(collecting).await?;
    progress.finish();
    // An account may be skipped by now that an earlier part of the run read: then it has rows.
    let read: HashSet<Option<AccountId>> = collected.accounts.iter().map(|account| account.id.clone()).collect();
    collected.accounts.extend(found.others.into_iter().filter(|other| other.id.is_none() || !read.contains(&other.id)));
    let run = Run {
        id: opening.run_id,
        start: opening.start,
        end: Timestamp::now(),
        resumed: opening.resumed,
        interrupted: collected.interrupted || interrupted,
        version: Version::parse(env!("CARGO_PKG_VERSION")).expect("the version of this program is one"),
        standard: config.standard,
        accepted_controls: config.accepted.clone(),
        scope: config.scope(),
        extras,
        group_by_tag: config.more.group_by_tag.clone(),
        directory_regions: directories,
        caller_arn: found.caller_arn,
        organization_id: found.organization_id,
        partition: found.partition,
        clock_skew_seconds: aws.clock.skew().map(Skew::seconds),
        configuration_digest: config.digest(),
    };
    let coverage = coverage(&mut collected, aws, run.directory_regions.is_some());
    // Where a list was refused, nobody knows what the filters leave.
    let all_listed = coverage.accounts_failed == 0 && coverage.accounts_incomplete == 0;
    if coverage.buckets == 0 && config.filters.chooses_buckets() && all_listed && !run.interrupted {
        tracing::warn!("no bucket is left by --bucket and --region: is there a slip of the pen?");
    }
    // It reads all that was written once more: not on this thread, so that a signal is heard meanwhile.
    let closed = tokio::task::spawn_blocking(move || writer.close(run, coverage, collected.accounts));
    Ok(closed.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?)
}

/// The Regions that are asked for directory buckets; `None` where nobody wants to know.
fn directories(config: &Config, partition: Option<&str>) -> Option<BTreeSet<Region>> {
    let regions = config.more.directory_buckets.then(|| directory_regions(&config.filters.regions, partition))?;
    if regions.is_empty() {
        let partition = partition.unwrap_or_default();
        tracing::warn!(
            partition,
            "no Region of this partition is known to have directory buckets: none is asked; --region names one"
        );
    } else {
        let regions = regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ");
        tracing::info!("directory buckets are listed in {regions}, a request each");
    }
    Some(regions)
}

/// An account that an earlier part of the run was to read, and this one is not.
fn as_found_now(account: Account, others: &[AccountRecord]) -> Target {
    let now = others.iter().find(|other| other.id.as_ref() == Some(&account.id));
    match now.map(|other| (other, &other.listing)) {
        Some((other, Outcome::Skipped(reason))) => {
            tracing::warn!(account = %account.id, reason, "an account is skipped now that was to be read when the run began");
            let (entry, state) = (Entry::Skipped(reason.clone()), other.state.clone());
            Target { account: Account { state, ..account }, entry }
        }
        Some((_, Outcome::Complete | Outcome::Incomplete(_) | Outcome::Failed(_))) | None => {
            tracing::warn!(account = %account.id, "an account is not found any more that was found when the run began");
            Target { account, entry: Entry::Gone }
        }
    }
}

/// What earlier parts of the run found, when this one is told to stop before it found anything.
fn known(writer: &Writer) -> Discovered {
    let Some(found) = writer.opening().found.clone() else { return Discovered::default() };
    let targets = found.accounts.into_iter().map(|account| Target { account, entry: Entry::Gone });
    Discovered {
        targets: targets.collect(),
        others: Vec::new(),
        caller_arn: found.caller_arn,
        organization_id: found.organization_id,
        partition: found.partition,
        unit_names: found.unit_names,
    }
}

/// Sorts the accounts and adds up what became of them.
fn coverage(collected: &mut Collected, aws: &Aws, lists_directories: bool) -> Coverage {
    collected.accounts.sort_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
    let count = |wanted: fn(&Outcome) -> bool| {
        collected.accounts.iter().filter(|account| wanted(&account.outcome())).count() as u64
    };
    Coverage {
        accounts: collected.accounts.len() as u64,
        accounts_complete: count(|outcome| matches!(outcome, Outcome::Complete)),
        accounts_incomplete: count(|outcome| matches!(outcome, Outcome::Incomplete(_))),
        accounts_failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
        accounts_skipped: count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        buckets: collected.accounts.iter().map(|account| account.buckets).sum(),
        requests: aws.pace.requests(),
        retries: aws.pace.retries(),
        throttled: aws.pace.throttled(),
        buckets_directory: lists_directories.then(|| collected.coverage.buckets_directory.unwrap_or_default()),
        ..collected.coverage
    }
}
