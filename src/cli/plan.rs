//! `bucketlens plan`: from a run's findings to the steps that enable MFA delete, for people, for a shell, for programs.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::{Problem, saved};
use crate::config::NEEDS_CONTROLS;
use crate::evaluate::Evaluator;
use crate::exit::{self, Exit, Seen};
use crate::inventory::Inventory;
use crate::model::{AccountId, AccountRecord, Outcome, Run, Standard};
use crate::plan::{Analyst, Course, Entry, Format, Head, Judge, Section, Tally, Targets, sink};

/// What the plan is made of, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The output folder of a run.
    pub run: PathBuf,
    /// Empty for all.
    pub accounts: BTreeSet<AccountId>,
    /// `None`: that of the run.
    pub standard: Option<Standard>,
    pub format: Format,
}

pub fn run(order: &Order) -> Result<Exit, Problem> {
    let inventory = saved::open(&order.run)?;
    let accounts = chosen(order, &inventory)?;
    let run = &inventory.closing.run;
    let standard = order.standard.unwrap_or(run.standard);
    if standard == Standard::CisWithCompensation && run.accepted_controls.is_empty() {
        let help = "scan with --standard cis-with-compensation and --accept-control, or name another standard";
        return Err(Problem::new(format!("--standard: {NEEDS_CONTROLS}")).with_help(help));
    }
    let evaluator = Evaluator::of(&Run { standard, ..run.clone() });
    let analyst = Analyst::new(run.start.date());
    let targets = targets(&inventory)?;
    let judge = Judge { evaluator: &evaluator, analyst: &analyst, targets: &targets };
    let mut sections = Vec::new();
    for account in accounts {
        sections.push(Section { account, tally: tally(&inventory, account, &judge)? });
    }
    let mut tally = Tally::default();
    for section in &sections {
        tally.add(section.tally);
    }
    let incomplete = sections.iter().filter(|section| section.account.listing != Outcome::Complete).count() as u64;
    let head = Head { run, standard, tally, incomplete, target_doubts: targets.doubts() };
    match write(order.format, &inventory, &head, &sections, &judge) {
        Ok(()) => {}
        Err(Failure::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(Failure::Print(error)) => return Err(Problem::new(format!("failed to print the plan: {error}"))),
        Err(Failure::Read(problem)) => return Err(problem),
    }
    let is_whole = tally.unknown == 0 && incomplete == 0 && !run.interrupted;
    Ok(exit::decide(None, None, if is_whole { Seen::All } else { Seen::InPart }, false))
}

fn chosen<'a>(order: &Order, inventory: &'a Inventory) -> Result<Vec<&'a AccountRecord>, Problem> {
    let accounts = inventory.accounts();
    let is_there = |id: &AccountId| accounts.iter().any(|account| account.id.as_ref() == Some(id));
    if let Some(id) = order.accounts.iter().find(|id| !is_there(id)) {
        return Err(Problem::new(format!("account {id} is not in this run (--account)")).with_help("check the id"));
    }
    let is_wanted = |account: &&AccountRecord| {
        order.accounts.is_empty() || account.id.as_ref().is_some_and(|id| order.accounts.contains(id))
    };
    Ok(accounts.iter().filter(is_wanted).collect())
}

/// Of the whole run, whatever accounts are chosen.
fn targets(inventory: &Inventory) -> Result<Targets, Problem> {
    let mut targets = Targets::default();
    for account in inventory.accounts() {
        if account.listing != Outcome::Complete {
            targets.incomplete_account();
        }
        for record in inventory.buckets(account)? {
            targets.meet(&record?);
        }
    }
    Ok(targets)
}

fn tally(inventory: &Inventory, account: &AccountRecord, judge: &Judge<'_>) -> Result<Tally, Problem> {
    let mut tally = Tally::default();
    for record in inventory.buckets(account)? {
        tally.count(&judge.course(&record?));
    }
    Ok(tally)
}

enum Failure {
    Print(io::Error),
    Read(Problem),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Print(error)
    }
}

fn write(
    format: Format,
    inventory: &Inventory,
    head: &Head<'_>,
    sections: &[Section<'_>],
    judge: &Judge<'_>,
) -> Result<(), Failure> {
    let mut stdout = BufWriter::new(io::stdout());
    let mut plan = sink(format, &mut stdout);
    plan.begin(head)?;
    for section in sections {
        plan.account(section)?;
        // What is in force and should not be comes first.
        let passes: &[bool] = if section.tally.conflict > 0 { &[true, false] } else { &[false] };
        for of_conflicts in passes {
            for record in inventory.buckets(section.account).map_err(|error| Failure::Read(error.into()))? {
                let record = record.map_err(|error| Failure::Read(error.into()))?;
                let course = judge.course(&record);
                if course.has_entry() && matches!(course, Course::Conflict(..)) == *of_conflicts {
                    plan.bucket(&Entry { account: &record.account, record: &record, course: &course })?;
                }
            }
        }
        plan.account_end(section)?;
    }
    plan.finish()?;
    drop(plan);
    Ok(stdout.flush()?)
}
