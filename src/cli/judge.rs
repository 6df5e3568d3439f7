//! The second half of a run, from the inventory to the reports: after a scan, and whenever a report is made again.

use std::sync::mpsc::{SendError, SyncSender, sync_channel};
use std::thread;

use super::diff;
use super::output::{Output, Reports};
use super::{Problem, lifecycle};
use crate::aggregate::Aggregator;
use crate::diff::Totals;
use crate::evaluate::{Evaluation, Evaluator};
use crate::exit::Seen;
use crate::inventory::{Inventory, InventoryError};
use crate::model::{AccountRecord, BucketRecord, Extra, Severity, Status};
use crate::replication::Destinations;
use crate::report::{Files, Sink, Summary};

pub fn seen(inventory: &Inventory) -> Seen {
    let lacks_tag = inventory.accounts().iter().any(AccountRecord::lacks_tag);
    match inventory.closing.coverage.is_complete() && !lacks_tag {
        _ if inventory.closing.run.interrupted => Seen::Interrupted,
        true => Seen::All,
        false => Seen::InPart,
    }
}

/// Buckets that go from the one thread to the other at once, and how many times as many may wait: a few MB.
const BATCH: usize = 128;
const BATCHES: usize = 4;

struct Evaluated<'a> {
    account: &'a AccountRecord,
    record: BucketRecord,
    evaluation: Evaluation,
}

type Batch<'a> = Result<Vec<Evaluated<'a>>, InventoryError>;

/// Every bucket in its order, or an error as the last. Fails when nobody takes them any more.
fn evaluate_all<'a>(
    inventory: &'a Inventory,
    evaluator: &Evaluator,
    batches: &SyncSender<Batch<'a>>,
) -> Result<(), SendError<Batch<'a>>> {
    let mut batch = Vec::with_capacity(BATCH);
    for account in inventory.accounts() {
        let records = match inventory.buckets(account) {
            Ok(records) => records,
            Err(error) => return batches.send(Err(error)),
        };
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => return batches.send(Err(error)),
            };
            let evaluation = evaluator.evaluate(&record);
            batch.push(Evaluated { account, record, evaluation });
            if batch.len() == BATCH {
                batches.send(Ok(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))))?;
            }
        }
    }
    batches.send(Ok(batch))
}

/// Pure but for the files: every bucket once, in order, to the metrics and every report. Returns the worst severity
/// that failed; with a baseline, the worst that it had not. `keep` is called when the files are whole.
pub fn judge(
    inventory: &Inventory,
    baseline: Option<&Inventory>,
    mut reports: Reports,
    output: &Output,
    keep: impl FnOnce() -> Result<(), Problem>,
) -> Result<Option<Severity>, Problem> {
    let closing = &inventory.closing;
    let run = &closing.run;
    let destinations = destinations(inventory)?;
    let metrics = Aggregator::new(&run.extras).of_organization(run.organization_id.as_deref());
    let mut metrics = metrics.by_tag(run.group_by_tag.as_deref());
    let mut worst = None;
    reports.files.begin(&closing.run).map_err(|error| output.write_problem(&error))?;
    // One thread reads and evaluates, this one adds up and writes.
    thread::scope(|scope| {
        let (batches, evaluated) = sync_channel(BATCHES);
        scope.spawn(move || {
            let evaluator = Evaluator::of(run).knowing(destinations);
            // Where nobody takes any more, there was a problem with what was written.
            let _ = evaluate_all(inventory, &evaluator, &batches);
        });
        for batch in evaluated {
            for Evaluated { account, record, evaluation } in batch? {
                let failed = evaluation.findings.iter().filter(|finding| finding.status == Status::Fail);
                worst = worst.max(failed.map(|finding| finding.severity).max());
                metrics.push(account, &record, &evaluation);
                let files = reports.files.bucket(account, &record, &evaluation);
                files.map_err(|error| output.write_problem(&error))?;
                let page = reports.page.bucket(account, &record, &evaluation);
                page.map_err(|error| output.page_problem(&error))?;
            }
        }
        Ok::<_, Problem>(())
    })?;
    let metrics = metrics.finish(inventory.accounts())?;
    // Before `keep`, which may put this run's inventory in the place of the baseline's. Where the two cannot be compared,
    // the report is written all the same.
    let compared = baseline.map(|baseline| compared(baseline, inventory, &mut reports.files, output)).transpose();
    let summary = Summary {
        run: &closing.run,
        coverage: &closing.coverage,
        accounts: &closing.accounts,
        metrics: &metrics,
        compared: matches!(compared, Ok(Some(_))),
    };
    reports.files.finish(&summary).map_err(|error| output.write_problem(&error))?;
    keep()?;
    reports.page.finish(&summary).map_err(|error| output.page_problem(&error))?;
    let Some((page, totals)) = compared? else { return Ok(worst) };
    lifecycle::print(&format!("\n{page}")).map_err(|error| output.page_problem(&error))?;
    Ok(totals.worst_new)
}

/// What is different from the baseline: into files of the report, and as the page behind the report's.
fn compared(
    baseline: &Inventory,
    inventory: &Inventory,
    files: &mut Files,
    output: &Output,
) -> Result<(String, Totals), Problem> {
    let drafts = files.begin_comparison().map_err(|error| output.write_problem(&error))?;
    let (page, totals, written) = diff::compared(baseline, inventory, drafts)?;
    files.add_comparison(written);
    Ok((page, totals))
}

/// Where the replication rules of a run lead: two more passes over its buckets, where replication was read.
pub fn destinations(inventory: &Inventory) -> Result<Destinations, Problem> {
    let mut destinations = Destinations::default();
    if !inventory.closing.run.extras.contains(&Extra::Replication) {
        return Ok(destinations);
    }
    for account in inventory.accounts() {
        for record in inventory.buckets(account)? {
            destinations.mention(&record?);
        }
    }
    if destinations.is_empty() {
        return Ok(destinations);
    }
    let scope = inventory.opening()?.scope;
    let leaves_out = ["bucket", "region"].into_iter().any(|option| scope.contains_key(option));
    for account in inventory.accounts() {
        for record in inventory.buckets(account)? {
            destinations.see(&record?);
        }
        if let (Ok(()), Some(id)) = (account.listed(), &account.id)
            && !leaves_out
        {
            destinations.whole(id.clone());
        }
    }
    Ok(destinations)
}
