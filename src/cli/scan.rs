//! `bucketlens scan`: the sentence of the program, in the order in which it happens.

use std::future::Future;
use std::sync::Arc;

use super::Problem;
use super::output::Output;
use super::progress::Progress;
use crate::aws::clock::{Clock, Skew};
use crate::aws::http::{self, Network};
use crate::aws::pace::Pace;
use crate::aws::session::{Aws, Source};
use crate::collect::{Collected, collect};
use crate::config::Config;
use crate::discover::{Discovered, discover};
use crate::evaluate::Evaluator;
use crate::exit::{self, Exit};
use crate::inventory::Inventory;
use crate::model::{Coverage, Outcome, Run, Severity, Status, Timestamp};
use crate::{aggregate, report};

/// Reads, judges and reports. `source` and `network` say where AWS is: the environment, or the demo's simulator.
pub async fn run(config: &Config, source: Source, network: &Network, progress: Arc<Progress>) -> Result<Exit, Problem> {
    let start = Timestamp::now();
    let output = Output::open(config, start)?;
    let aws = connect(config, source, network)?;
    let found = unless_off(&aws.clock, Box::pin(discover(&aws, config))).await?;
    let inventory = read(config, &aws, found, start, &output, progress).await?;
    let worst = judge(config, &inventory, &output).inspect_err(|_| output.abandon_inventory())?;
    Ok(exit::decide(worst, config.fail_on, inventory.closing.coverage.is_complete(), config.allow_unknown))
}

fn connect(config: &Config, source: Source, network: &Network) -> Result<Aws, Problem> {
    let reading = &config.reading;
    Ok(Aws {
        source,
        http: http::client(network, reading.concurrency)?,
        pace: Arc::new(Pace::new(reading.concurrency, reading.max_attempts)),
        clock: Arc::default(),
        addressing: reading.addressing,
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

/// The first half: everything that talks to AWS.
async fn read(
    config: &Config,
    aws: &Aws,
    found: Discovered,
    start: Timestamp,
    output: &Output,
    progress: Arc<Progress>,
) -> Result<Inventory, Problem> {
    let collecting = collect(
        found.targets,
        aws.clone(),
        config.filters.clone(),
        config.reading.concurrency,
        output.inventory()?,
        progress.clone(),
    );
    let (mut collected, writer) =
        unless_off(&aws.clock, Box::pin(collecting)).await.inspect_err(|_| output.abandon_inventory())?;
    progress.finish();
    collected.accounts.extend(found.others);
    let run = Run {
        id: output.run_id.clone(),
        start,
        end: Timestamp::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        standard: config.standard,
        scope: config.scope(),
        caller_arn: found.caller_arn,
        organization_id: found.organization_id,
        partition: found.partition,
        clock_skew_seconds: aws.clock.skew().map(Skew::seconds),
        configuration_digest: config.digest(),
    };
    let coverage = coverage(&mut collected, aws);
    if coverage.buckets == 0 && config.filters.chooses_buckets() {
        tracing::warn!("no bucket is left by --bucket and --region: is there a slip of the pen?");
    }
    Ok(writer.close(run, coverage, collected.accounts).inspect_err(|_| output.abandon_inventory())?)
}

/// Sorts the accounts and adds up what became of them.
fn coverage(collected: &mut Collected, aws: &Aws) -> Coverage {
    collected.accounts.sort_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
    let count = |wanted: fn(&Outcome) -> bool| {
        collected.accounts.iter().filter(|account| wanted(&account.outcome)).count() as u64
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
        ..collected.coverage
    }
}

/// The second half, pure but for the files: every bucket once, in order, to the metrics and every report. Returns the
/// worst severity that failed.
fn judge(config: &Config, inventory: &Inventory, output: &Output) -> Result<Option<Severity>, Problem> {
    let mut reports = output.reports(config)?;
    let evaluator = Evaluator::new(config.standard, inventory.closing.run.start.date());
    let mut metrics = aggregate::Aggregator::new();
    let mut worst = None;
    for account in inventory.accounts() {
        for record in inventory.buckets(account)? {
            let evaluation = evaluator.evaluate(&record);
            let failed = evaluation.findings.iter().filter(|finding| finding.status == Status::Fail);
            worst = worst.max(failed.map(|finding| finding.severity).max());
            metrics.push(account, &record, &evaluation)?;
            let files = reports.files.bucket(account, &record, &evaluation);
            files.map_err(|error| output.write_problem(&error))?;
            let page = reports.page.bucket(account, &record, &evaluation);
            page.map_err(|error| output.page_problem(&error))?;
        }
    }
    let metrics = metrics.finish(inventory.accounts())?;
    let closing = &inventory.closing;
    let summary = report::Summary {
        run: &closing.run,
        coverage: &closing.coverage,
        accounts: &closing.accounts,
        metrics: &metrics,
    };
    reports.files.finish(&summary).map_err(|error| output.write_problem(&error))?;
    output.keep_inventory()?;
    reports.page.finish(&summary).map_err(|error| output.page_problem(&error))?;
    Ok(worst)
}
