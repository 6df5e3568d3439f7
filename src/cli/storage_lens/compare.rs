//! `storage-lens compare`: an export beside the inventory of a run, both in the order of accounts and names.

use std::io;
use std::iter::Peekable;
use std::path::Path;

use super::options::Order;
use super::show::{Counts, Head, Page, RunHead, Shown};
use super::take;
use crate::aws::http::Network;
use crate::cli::{Problem, judge, saved};
use crate::dataset::storage_lens::intake::Taken;
use crate::dataset::storage_lens::sorted::{self, Buckets, Said};
use crate::exit::Exit;
use crate::inventory::Inventory;
use crate::model::{AccountId, AccountRecord, BucketRecord, Facts, Outcome, Region, leaves_out_buckets};
use crate::replication::Destinations;
use crate::storage_lens::Metric;
use crate::storage_lens::compare::{Compared, Kind, Terms, Whole, both, contradiction, only_export, only_run};

pub async fn run(order: &Order, run: &Path, network: &Network) -> Result<Exit, Problem> {
    let inventory = saved::open(run)?;
    let export = take(order, network, &Metric::ALL, sorted::Order::Name).await?;
    let (head, run) = (Head::of(&export, order), RunHead::of(&inventory.closing.run, inventory.accounts()));
    let exported = export.taken.counts.metrics.map(|rows| rows > 0);
    let run_date = inventory.closing.run.start.date().to_string();
    let mut comparison = Comparison {
        terms: Terms {
            report_date: &export.manifest.report_date,
            exported: &exported,
            run_date: &run_date,
            export: whole(&export.taken),
            run_is_filtered: inventory.closing.run.filters().any(leaves_out_buckets),
        },
        taken: &export.taken,
        several: export.taken.doubts.several().map_err(|error| super::disk(&error))?.peekable(),
        page: Page::new(order.format),
        counts: Counts::default(),
        not_exported: [false; Metric::COUNT],
        not_asked: [false; Metric::COUNT],
        destinations: judge::destinations(&inventory)?,
    };
    comparison.page.begin_compare(&head, &run).map_err(|error| print_problem(&error))?;
    comparison.all(&inventory)?;
    let Comparison { mut page, counts, not_exported, not_asked, .. } = comparison;
    page.end_compare(&head, &counts, &not_exported, &not_asked).map_err(|error| print_problem(&error))?;
    Ok(if counts.of(Kind::Disagreement) > 0 || counts.of(Kind::OtherRegion) > 0 {
        Exit::Findings
    } else if counts.of(Kind::Unknown) > 0 || counts.of(Kind::Contradiction) > 0 || head.partial {
        Exit::Unknown
    } else {
        Exit::Ok
    })
}

fn print_problem(error: &io::Error) -> Problem {
    Problem::new(format!("failed to print the differences: {error}"))
}

/// What the export may lack wherever a bucket is.
fn whole(taken: &Taken) -> Whole<'static> {
    if !taken.problems.is_empty() || taken.missing.is_anywhere() {
        Whole::InPart
    } else if taken.missing.is_filtered() {
        Whole::Filtered
    } else {
        Whole::Yes
    }
}

/// The buckets of the export that are still to come.
type Rest<'a> = Peekable<Buckets<'a>>;

struct Comparison<'a> {
    terms: Terms<'a>,
    taken: &'a Taken,
    /// The places, still to come, of names that the export has in several.
    several: Rest<'a>,
    page: Page,
    counts: Counts,
    not_exported: [bool; Metric::COUNT],
    not_asked: [bool; Metric::COUNT],
    destinations: Destinations,
}

impl Comparison<'_> {
    fn all(&mut self, inventory: &Inventory) -> Result<(), Problem> {
        let mut rest = self.taken.buckets.buckets().map_err(|error| super::disk(&error))?.peekable();
        for account in inventory.accounts() {
            let Some(id) = &account.id else { continue };
            while let Some(said) = next_if(&mut rest, |said| said.account.as_str() < id.as_str())? {
                self.only_export(&said, None)?;
            }
            self.account(id, account, inventory, &mut rest)?;
        }
        while let Some(said) = next_if(&mut rest, |_| true)? {
            self.only_export(&said, None)?;
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
                self.only_export(&said, Some(&account.listing))?;
            }
            let (mut same, mut contradicted) = (None, false);
            while let Some(said) = next_if(rest, |said| is_of_account(said) && said.bucket == record.bucket)? {
                if self.is_of_several(&said)? {
                    contradicted = true;
                    self.differs(&place(&said), &contradiction())?;
                } else {
                    same = Some(said);
                }
            }
            self.count(&record, contradicted || same.is_some());
            if !contradicted {
                self.bucket(&record, same.as_ref(), exported)?;
            }
        }
        while let Some(said) = next_if(rest, is_of_account)? {
            self.only_export(&said, Some(&account.listing))?;
        }
        Ok(())
    }

    /// A bucket of the run. `exported`: whether the export speaks of it.
    fn count(&mut self, record: &BucketRecord, exported: bool) {
        let counter = match &record.facts {
            Facts::Directory { .. } => &mut self.counts.directory,
            // One that only the export has.
            Facts::Vanished { .. } if exported => &mut self.counts.buckets,
            Facts::Vanished { .. } => &mut self.counts.vanished,
            Facts::Read { .. } => &mut self.counts.buckets,
        };
        *counter += 1;
    }

    fn bucket(&mut self, record: &BucketRecord, said: Option<&Said>, exported: bool) -> Result<(), Problem> {
        let replication = self.destinations.tally(record);
        let compared = if let Some(said) = said {
            both(self.terms, &said.region, &said.values, record, replication.as_ref())
        } else {
            let terms = Terms { export: self.whole(record), ..self.terms };
            only_run(terms, record, replication.as_ref(), exported)
        };
        let place = Shown { account: record.account.as_str(), region: record.region.as_str(), bucket: &record.bucket };
        self.differs(&place, &compared)
    }

    /// What the export may lack where this bucket is. A doubt about one account says nothing of another.
    fn whole(&self, record: &BucketRecord) -> Whole<'_> {
        let account = record.account.as_str();
        let region = Some(record.region.as_str()).filter(|_| record.region != Region::unknown());
        if let Some(reason) = self.taken.missing.of(account) {
            Whole::Unread(reason)
        } else if self.taken.doubts.is_doubtful(account, region) {
            Whole::Doubtful
        } else {
            self.terms.export
        }
    }

    /// `outcome`: how far the run came in its account; `None` where it found none.
    fn only_export(&mut self, said: &Said, outcome: Option<&Outcome>) -> Result<(), Problem> {
        if self.is_of_several(said)? {
            return self.differs(&place(said), &contradiction());
        }
        self.counts.buckets += 1;
        self.differs(&place(said), &only_export(self.terms, outcome))
    }

    /// Both come in the same order.
    fn is_of_several(&mut self, said: &Said) -> Result<bool, Problem> {
        let is_it = |it: &Said| (&it.account, &it.bucket, &it.region) == (&said.account, &said.bucket, &said.region);
        Ok(next_if(&mut self.several, is_it)?.is_some())
    }

    fn differs(&mut self, place: &Shown<'_>, compared: &Compared) -> Result<(), Problem> {
        self.counts.same += compared.same;
        for metric in &compared.not_exported {
            self.not_exported[metric.index()] = true;
        }
        for metric in &compared.not_asked {
            self.not_asked[metric.index()] = true;
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

fn next_if(rest: &mut Rest<'_>, wanted: impl Fn(&Said) -> bool) -> Result<Option<Said>, Problem> {
    let next = rest.next_if(|said| said.as_ref().map_or(true, &wanted));
    next.transpose().map_err(|error| super::disk(&error))
}
