//! Where an export contradicts itself, though each of its rows is one: `ACCOUNT` rows that are not the sum of the `BUCKET`
//! rows, or without any, so that buckets are missing or too many; and one name for several buckets, which a partition does
//! not have.
//!
//! Found in one pass over the sorted export, and a second over its names; nothing is kept but the places of doubtful sums
//! and sentences, and of these not all.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::kept::Kept;
use super::sorted::{Buckets, Order, Said, Sorted, Sorter};
use crate::storage_lens::{Metric, RecordType};

/// Bytes of names that are sorted at once.
const IN_MEMORY: usize = 8 << 20;

/// The same, of those that several buckets have.
const OF_SEVERAL: usize = 1 << 20;

/// What contradicts what.
#[derive(Debug)]
pub struct Doubts {
    sums: Kept,
    names: Kept,
    /// By account.
    places: BTreeMap<String, Place>,
    several: Sorted,
}

/// Where in an account buckets may be missing.
#[derive(Debug)]
enum Place {
    Account,
    Regions(BTreeSet<String>),
}

impl Doubts {
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty() && self.names.is_empty()
    }

    /// A sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let sums = self.sums.told("sums that differ");
        sums.chain(self.names.told("names of several buckets")).collect()
    }

    /// Whether buckets of this account and Region may be missing in the export; of a Region that is not known (`None`),
    /// whether those of any are.
    pub fn is_doubtful(&self, account: &str, region: Option<&str>) -> bool {
        match self.places.get(account) {
            None => false,
            Some(Place::Account) => true,
            Some(Place::Regions(regions)) => region.is_none_or(|region| regions.contains(region)),
        }
    }

    /// All places of the names that the export has in several, by account, name and Region.
    pub fn several(&self) -> io::Result<Buckets<'_>> {
        self.several.buckets()
    }
}

/// Adds up the account whose rows are going by. Memory grows with its Regions.
struct Sums<'a> {
    metrics: &'a [Metric],
    account: String,
    regions: BTreeMap<String, OfRegion>,
    has_buckets: bool,
}

#[derive(Default)]
struct OfRegion {
    /// What the account's own rows say; `None` where there is none of the metric.
    said: [Option<u64>; Metric::COUNT],
    /// Of which its own rows say several things.
    contradicted: Vec<Metric>,
    added: [u64; Metric::COUNT],
    has_buckets: bool,
}

impl OfRegion {
    fn add_account(&mut self, said: &[Option<u64>; Metric::COUNT], contradicted: &[Metric]) {
        for (sum, value) in self.said.iter_mut().zip(said) {
            *sum = value.map_or(*sum, |value| Some(sum.unwrap_or_default().saturating_add(value)));
        }
        self.contradicted.extend(contradicted);
    }

    fn add_buckets(&mut self, values: &[u64; Metric::COUNT]) {
        for (added, value) in self.added.iter_mut().zip(values) {
            *added = added.saturating_add(*value);
        }
    }
}

impl<'a> Sums<'a> {
    fn of(metrics: &'a [Metric], account: String) -> Self {
        Self { metrics, account, regions: BTreeMap::new(), has_buckets: false }
    }

    fn add(&mut self, said: &Said) {
        if !self.regions.contains_key(&said.region) {
            self.regions.insert(said.region.clone(), OfRegion::default());
        }
        let region = self.regions.get_mut(&said.region).expect("it was put there");
        if said.bucket.is_empty() {
            region.add_account(&said.values, &said.contradicted);
        } else {
            self.has_buckets = true;
            region.has_buckets = true;
            region.add_buckets(&said.values.map(Option::unwrap_or_default));
        }
    }

    fn tell(self, doubts: &mut Doubts) {
        let Self { account, .. } = &self;
        let (of_account, of_bucket) = (RecordType::Account.as_str(), RecordType::Bucket.as_str());
        if !self.has_buckets {
            doubts.sums.add(|| format!("account {account}: it has {of_account} rows and no {of_bucket} row"));
            doubts.places.insert(self.account, Place::Account);
            return;
        }
        // AWS does not say that every row has its Region: where one has none, only the account's sum can be held.
        let by_region = !self.regions.contains_key("");
        let mut whole = OfRegion::default();
        for region in self.regions.values() {
            whole.add_account(&region.said, &region.contradicted);
            whole.add_buckets(&region.added);
        }
        let regions: Vec<(&str, &OfRegion)> = if by_region {
            self.regions.iter().map(|(region, sums)| (region.as_str(), sums)).collect()
        } else {
            vec![("", &whole)]
        };
        let mut doubtful = BTreeSet::new();
        for (region, sums) in regions {
            let place = if by_region { format!("{account}, {region}") } else { account.clone() };
            // Whatever its rows count, there was a bucket.
            if by_region && !sums.has_buckets && sums.said.iter().flatten().any(|said| *said > 0) {
                doubts.sums.add(|| format!("account {place}: it has {of_account} rows and no {of_bucket} row"));
                doubtful.insert(region.to_owned());
                continue;
            }
            for metric in self.metrics {
                let (name, index) = (metric.name(), metric.index());
                let added = sums.added[index];
                let sentence = match sums.said[index] {
                    _ if sums.contradicted.contains(metric) => {
                        format!("account {place}: its {of_account} rows of {name} contradict each other")
                    }
                    Some(said) if said != added => format!(
                        "account {place}: its {of_account} rows of {name} add up to {said}, its {of_bucket} rows to {added}"
                    ),
                    // There are some in other Regions.
                    None if added > 0 && whole.said[index].is_some() => format!(
                        "account {place}: it has no {of_account} row of {name}, and its {of_bucket} rows add up to {added}"
                    ),
                    Some(_) | None => continue,
                };
                doubts.sums.add(|| sentence);
                doubtful.insert(region.to_owned());
            }
        }
        if !doubtful.is_empty() {
            let place = if by_region { Place::Regions(doubtful) } else { Place::Account };
            doubts.places.insert(self.account, place);
        }
    }
}

/// Goes through all buckets. `metrics`: those whose sums matter. `tell` is given each bucket.
pub(super) fn find(sorted: &Sorted, metrics: &[Metric], mut tell: impl FnMut(&Said)) -> io::Result<Doubts> {
    let none = Sorter::with_memory(Order::Name, 0).finish()?;
    let mut doubts = Doubts { sums: Kept::default(), names: Kept::default(), places: BTreeMap::new(), several: none };
    let mut names = Sorter::with_memory(Order::Bucket, IN_MEMORY);
    let mut sums: Option<Sums<'_>> = None;
    for said in sorted.entries()? {
        let said = said?;
        if sums.as_ref().is_some_and(|sums| sums.account != said.account)
            && let Some(done) = sums.take()
        {
            done.tell(&mut doubts);
        }
        sums.get_or_insert_with(|| Sums::of(metrics, said.account.clone())).add(&said);
        if !said.bucket.is_empty() {
            tell(&said);
            names.push(&said.account, &said.region, &said.bucket, None)?;
        }
    }
    if let Some(last) = sums {
        last.tell(&mut doubts);
    }
    doubts.several = several(&names.finish()?, &mut doubts.names)?;
    Ok(doubts)
}

/// Names that stand in several accounts or Regions.
fn several(names: &Sorted, kept: &mut Kept) -> io::Result<Sorted> {
    let mut places = Sorter::with_memory(Order::Name, OF_SEVERAL);
    let mut before: Option<(Said, bool)> = None;
    for said in names.entries()? {
        let said = said?;
        let is_one_more = before.as_ref().is_some_and(|(before, _)| before.bucket == said.bucket);
        if let Some((before, is_in)) = before.filter(|_| is_one_more) {
            kept.add(|| {
                format!(
                    "bucket {}: in account {}, {}, and in account {}, {}, and a name belongs to one bucket",
                    said.bucket, before.account, before.region, said.account, said.region
                )
            });
            if !is_in {
                places.push(&before.account, &before.region, &before.bucket, None)?;
            }
            places.push(&said.account, &said.region, &said.bucket, None)?;
        }
        before = Some((said, is_one_more));
    }
    places.finish()
}
