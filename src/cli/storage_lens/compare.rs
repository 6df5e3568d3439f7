//! `storage-lens compare`: an export beside the inventory of a run, both in the order of accounts and names.

use std::io;
use std::iter::Peekable;
use std::path::Path;

use super::options::Order;
use super::show::{Counts, Head, Page, RunHead, Shown};
use super::{Export, take};
use crate::aws::http::Network;
use crate::cli::{Problem, judge};
use crate::dataset::storage_lens::sorted::{self, Buckets, Said};
use crate::exit::Exit;
use crate::inventory::{Inventory, InventoryError};
use crate::model::{AccountId, AccountRecord, BucketRecord, Outcome};
use crate::replication::Destinations;
use crate::storage_lens::Metric;
use crate::storage_lens::compare::{Compared, Kind, Terms, both, only_export, only_run};

/// The folder of the inventory in the output folder of a scan.
const INVENTORY: &str = "inventory";

pub async fn run(order: &Order, run: &Path, network: &Network) -> Result<Exit, Problem> {
    let inventory = open(run)?;
    let export = take(order, network, &Metric::ALL, sorted::Order::Name).await?;
    let (head, run) = (Head::of(&export, order), RunHead::of(&inventory.closing.run));
    let exported = export.taken.counts.metrics.map(|rows| rows > 0);
    let run_date = inventory.closing.run.start.date().to_string();
    let mut comparison = Comparison {
        terms: Terms {
            report_date: &export.manifest.report_date,
            exported: &exported,
            run_date: &run_date,
            export_is_partial: head.partial,
            run_is_filtered: is_filtered(&inventory.closing.run.scope),
        },
        page: Page::new(order.format),
        counts: Counts::default(),
        not_exported: [false; Metric::COUNT],
        destinations: judge::destinations(&inventory)?,
    };
    comparison.page.begin_compare(&head, &run).map_err(|error| print_problem(&error))?;
    comparison.all(&export, &inventory)?;
    let (counts, missing) = (comparison.counts, comparison.not_exported);
    comparison.page.end_compare(&head, &counts, &missing).map_err(|error| print_problem(&error))?;
    Ok(if counts.of(Kind::Disagreement) > 0 {
        Exit::Findings
    } else if counts.of(Kind::Unknown) > 0 || head.partial {
        Exit::Unknown
    } else {
        Exit::Ok
    })
}

fn print_problem(error: &io::Error) -> Problem {
    Problem::new(format!("failed to print the differences: {error}"))
}

fn open(run: &Path) -> Result<Inventory, Problem> {
    let folder = run.join(INVENTORY);
    match Inventory::open(&folder) {
        Err(InventoryError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(Problem::new(format!("{} is not the output folder of a scan that came to its end", run.display()))
                .with_help("name the folder of --out of a scan, with its inventory in it"))
        }
        opened => Ok(opened?),
    }
}

/// Whether buckets of the run's accounts may be missing in it because nobody asked for them.
fn is_filtered(scope: &[String]) -> bool {
    scope.iter().any(|option| ["--bucket=", "--region="].iter().any(|it| option.starts_with(it)))
}

/// The buckets of the export that are still to come.
type Rest<'a> = Peekable<Buckets<'a>>;

struct Comparison<'a> {
    terms: Terms<'a>,
    page: Page,
    counts: Counts,
    not_exported: [bool; Metric::COUNT],
    destinations: Destinations,
}

impl Comparison<'_> {
    fn all(&mut self, export: &Export, inventory: &Inventory) -> Result<(), Problem> {
        let mut rest = export.taken.buckets.buckets().map_err(|error| super::disk(&error))?.peekable();
        for account in inventory.accounts() {
            let Some(id) = &account.id else { continue };
            while let Some(said) = next_if(&mut rest, |said| said.account.as_str() < id.as_str())? {
                self.differs(&place(&said), &only_export(self.terms, None))?;
            }
            self.account(id, account, inventory, &mut rest)?;
        }
        while let Some(said) = next_if(&mut rest, |_| true)? {
            self.differs(&place(&said), &only_export(self.terms, None))?;
        }
        Ok(())
    }

    fn account(
        &mut self,
        id: &AccountId,
        account: &AccountRecord,
        inventory: &Inventory,
        rest: &mut Rest<'_>,
    ) -> Result<(), Problem> {
        let is_of_account = |said: &Said| said.account == id.as_str();
        let exported = matches!(rest.peek(), Some(Ok(said)) if is_of_account(said));
        for record in inventory.buckets(account)? {
            let record = record?;
            while let Some(said) = next_if(rest, |said| is_of_account(said) && said.bucket < record.bucket)? {
                self.only_export(&said, &account.outcome)?;
            }
            let mut same = next_if(rest, |said| is_of_account(said) && said.bucket == record.bucket)?;
            // Rows of one bucket in two Regions.
            while let Some(more) = next_if(rest, |said| is_of_account(said) && said.bucket == record.bucket)? {
                same = same.map(|said| merged(said, &more));
            }
            self.bucket(&record, same.as_ref(), exported)?;
        }
        while let Some(said) = next_if(rest, is_of_account)? {
            self.only_export(&said, &account.outcome)?;
        }
        Ok(())
    }

    fn bucket(&mut self, record: &BucketRecord, said: Option<&Said>, exported: bool) -> Result<(), Problem> {
        let replication = self.destinations.tally(record);
        let compared = match said {
            Some(said) => both(self.terms, &said.values, record, replication.as_ref()),
            None => only_run(self.terms, record, replication.as_ref(), exported),
        };
        let place = Shown { account: record.account.as_str(), region: record.region.as_str(), bucket: &record.bucket };
        self.differs(&place, &compared)
    }

    fn only_export(&mut self, said: &Said, outcome: &Outcome) -> Result<(), Problem> {
        self.differs(&place(said), &only_export(self.terms, Some(outcome)))
    }

    fn differs(&mut self, place: &Shown<'_>, compared: &Compared) -> Result<(), Problem> {
        self.counts.buckets += 1;
        self.counts.same += compared.same;
        for metric in &compared.not_exported {
            self.not_exported[metric.index()] = true;
        }
        for difference in &compared.differences {
            self.counts.add(difference.kind);
        }
        self.page.differences(place, &compared.differences).map_err(|error| print_problem(&error))
    }
}

fn place(said: &Said) -> Shown<'_> {
    Shown { account: &said.account, region: &said.region, bucket: &said.bucket }
}

/// What either says holds, unless the other says something else.
fn merged(mut said: Said, more: &Said) -> Said {
    for (metric, value) in Metric::ALL.into_iter().zip(more.values) {
        let known = &mut said.values[metric.index()];
        *known = match (*known, value) {
            (Some(a), Some(b)) if a != b => None,
            (a, b) => a.or(b),
        };
    }
    said
}

fn next_if(rest: &mut Rest<'_>, wanted: impl Fn(&Said) -> bool) -> Result<Option<Said>, Problem> {
    let next = rest.next_if(|said| said.as_ref().map_or(true, &wanted));
    next.transpose().map_err(|error| super::disk(&error))
}
