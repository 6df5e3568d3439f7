//! Where an export contradicts itself, though each of its rows is one: `ACCOUNT` rows that are not the sum of the `BUCKET`
//! rows, so that buckets are missing or too many; and one name for several buckets, which a partition does not have.
//!
//! Found in one pass over the sorted export, and a second over its names; nothing is kept but sentences, and not all.

use std::io;

use super::sorted::{Order, Said, Sorted, Sorter};
use crate::storage_lens::{Metric, RecordType};

/// Sentences that are kept of each kind.
const MOST: usize = 20;

/// Bytes of names that are sorted at once.
const IN_MEMORY: usize = 8 << 20;

/// What contradicts what.
#[derive(Debug, Default)]
pub struct Doubts {
    sums: Kept,
    names: Kept,
}

/// The first sentences, and how many there are.
#[derive(Debug, Default)]
struct Kept {
    sentences: Vec<String>,
    all: u64,
}

impl Kept {
    fn add(&mut self, sentence: impl FnOnce() -> String) {
        self.all += 1;
        if self.sentences.len() < MOST {
            self.sentences.push(sentence());
        }
    }

    fn told(&self, what: &str) -> impl Iterator<Item = String> {
        let rest = self.all - self.sentences.len() as u64;
        self.sentences.iter().cloned().chain((rest > 0).then(|| format!("and {rest} more {what}")))
    }
}

impl Doubts {
    pub fn is_empty(&self) -> bool {
        self.sums.all == 0 && self.names.all == 0
    }

    /// A sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let sums = self.sums.told("sums that differ");
        sums.chain(self.names.told("names of several buckets")).collect()
    }
}

/// Adds up the account whose rows are going by.
struct Sums<'a> {
    metrics: &'a [Metric],
    account: String,
    /// What its own rows say; `None` where there is none of the metric.
    said: [Option<u64>; Metric::COUNT],
    /// Of which its own rows say several things.
    contradicted: Vec<Metric>,
    added: [u64; Metric::COUNT],
}

impl<'a> Sums<'a> {
    fn of(metrics: &'a [Metric], account: String) -> Self {
        Self { metrics, account, said: Default::default(), contradicted: Vec::new(), added: Default::default() }
    }

    fn add(&mut self, said: &Said) {
        if !said.bucket.is_empty() {
            for (added, value) in self.added.iter_mut().zip(said.values) {
                *added = added.saturating_add(value.unwrap_or_default());
            }
            return;
        }
        // A row for each Region.
        for (sum, value) in self.said.iter_mut().zip(said.values) {
            *sum = value.map_or(*sum, |value| Some(sum.unwrap_or_default().saturating_add(value)));
        }
        self.contradicted.extend(&said.contradicted);
    }

    fn tell(self, kept: &mut Kept) {
        let Self { account, .. } = &self;
        let (of_account, of_bucket) = (RecordType::Account.as_str(), RecordType::Bucket.as_str());
        for metric in self.metrics {
            let (name, added) = (metric.name(), self.added[metric.index()]);
            if self.contradicted.contains(metric) {
                kept.add(|| format!("account {account}: its {of_account} rows of {name} contradict each other"));
            } else if let Some(said) = self.said[metric.index()].filter(|said| *said != added) {
                kept.add(|| {
                    format!(
                        "account {account}: its {of_account} rows of {name} add up to {said}, its {of_bucket} rows to {added}"
                    )
                });
            }
        }
    }
}

/// Goes through all buckets. `metrics`: those whose sums matter. `tell` is given each bucket.
pub(super) fn find(sorted: &Sorted, metrics: &[Metric], mut tell: impl FnMut(&Said)) -> io::Result<Doubts> {
    let mut doubts = Doubts::default();
    let mut names = Sorter::with_memory(Order::Bucket, IN_MEMORY);
    let mut sums: Option<Sums<'_>> = None;
    for said in sorted.entries()? {
        let said = said?;
        if sums.as_ref().is_some_and(|sums| sums.account != said.account)
            && let Some(done) = sums.take()
        {
            done.tell(&mut doubts.sums);
        }
        sums.get_or_insert_with(|| Sums::of(metrics, said.account.clone())).add(&said);
        if !said.bucket.is_empty() {
            tell(&said);
            names.push(&said.account, &said.region, &said.bucket, None)?;
        }
    }
    if let Some(last) = sums {
        last.tell(&mut doubts.sums);
    }
    several(&names.finish()?, &mut doubts.names)?;
    Ok(doubts)
}

/// Names that stand in several accounts or Regions.
fn several(names: &Sorted, kept: &mut Kept) -> io::Result<()> {
    let mut before: Option<Said> = None;
    for said in names.entries()? {
        let said = said?;
        if let Some(before) = before.as_ref().filter(|before| before.bucket == said.bucket) {
            kept.add(|| {
                format!(
                    "bucket {}: in account {}, {}, and in account {}, {}, and a name belongs to one bucket",
                    said.bucket, before.account, before.region, said.account, said.region
                )
            });
        }
        before = Some(said);
    }
    Ok(())
}
