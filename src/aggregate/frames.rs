//! Columns of buckets and their sums, in polars.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use polars::prelude::{
    ChunkedArray, Column, DataFrame, Expr, IntoColumn, IntoLazy, LazyFrame, PolarsResult, UInt32Chunked, UInt64Chunked,
    UInt64Type, col,
};

use super::metrics::{Counts, Subject, Table};

const ACCOUNT: &str = "account";
const REGION: &str = "region";
const OU: &str = "ou";
const TAG: &str = "tag";

/// What buckets add up to, a row for each key: sums of every counter, in the table's order.
struct Rows<K> {
    places: HashMap<K, usize>,
    keys: Vec<K>,
    sums: Vec<u64>,
}

impl<K: Copy + Eq + Hash> Rows<K> {
    fn new() -> Self {
        Self { places: HashMap::new(), keys: Vec::new(), sums: Vec::new() }
    }

    fn of(&mut self, key: K, width: usize) -> &mut [u64] {
        let place = *self.places.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.sums.resize(self.keys.len() * width, 0);
            self.keys.len() - 1
        });
        &mut self.sums[place * width..][..width]
    }

    /// With these columns of keys in front.
    fn into_frame(self, table: &Table, keys: impl FnOnce(Vec<K>) -> Vec<Column>) -> PolarsResult<DataFrame> {
        let width = table.counters().len();
        let mut columns = keys(self.keys);
        for (place, counter) in table.counters().enumerate() {
            let sums = self.sums.iter().skip(place).step_by(width).copied().collect();
            columns.push(UInt64Chunked::from_vec(counter.name.into(), sums).into_column());
        }
        DataFrame::new_infer_height(columns)
    }
}

/// Sums that grow with the accounts and their Regions, and with the values of a tag, however many buckets there are.
pub(super) struct Buckets {
    table: Arc<Table>,
    places: Rows<(u32, u32)>,
    /// Empty where nobody asked for a tag.
    tags: Rows<u32>,
}

impl Buckets {
    pub fn new(table: Arc<Table>) -> Self {
        Self { table, places: Rows::new(), tags: Rows::new() }
    }

    /// Adds one, by the numbers of its account, its Region and the value of its tag.
    pub fn push(&mut self, account: u32, region: u32, tag: Option<u32>, subject: &Subject<'_>) {
        let width = self.table.counters().len();
        let places = self.places.of((account, region), width);
        let mut tags = tag.map(|tag| self.tags.of(tag, width));
        for (place, counter) in self.table.counters().enumerate() {
            // What is unknown is counted by itself.
            let adds = u64::from(counter.added_by(subject).unwrap_or_default());
            places[place] += adds;
            if let Some(tags) = &mut tags {
                tags[place] += adds;
            }
        }
    }

    /// Adds what was added up before.
    pub fn push_sums(&mut self, account: u32, region: u32, sums: &[u64]) {
        let places = self.places.of((account, region), self.table.counters().len());
        for (place, sum) in places.iter_mut().zip(self.table.choose(sums)) {
            *place += sum;
        }
    }

    pub fn into_sums(self) -> PolarsResult<Sums> {
        let Self { table, places, tags } = self;
        let frame = places.into_frame(&table, |keys| {
            let (accounts, regions) = keys.into_iter().unzip();
            vec![numbers(ACCOUNT, accounts), numbers(REGION, regions)]
        })?;
        let tags = tags.into_frame(&table, |values| vec![numbers(TAG, values)])?;
        Ok(Sums { table, frame, tags })
    }
}

fn numbers(name: &str, values: Vec<u32>) -> Column {
    UInt32Chunked::from_vec(name.into(), values).into_column()
}

/// Sums by account and Region, and those of the same buckets by the value of a tag.
pub(super) struct Sums {
    table: Arc<Table>,
    frame: DataFrame,
    tags: DataFrame,
}

impl Sums {
    fn lazy(&self) -> LazyFrame {
        self.frame.clone().lazy()
    }

    pub fn total(&self) -> PolarsResult<Counts> {
        let total = self.lazy().select(self.sums()).collect()?;
        Ok(Counters::of(&self.table, &total)?.counts(0))
    }

    pub fn by_account(&self) -> PolarsResult<HashMap<u32, Counts>> {
        self.by(ACCOUNT, self.lazy())
    }

    pub fn by_region(&self) -> PolarsResult<HashMap<u32, Counts>> {
        self.by(REGION, self.lazy())
    }

    pub fn by_tag(&self) -> PolarsResult<HashMap<u32, Counts>> {
        self.by(TAG, self.tags.clone().lazy())
    }

    /// Each pair and its row, and the rows.
    pub fn by_account_and_region(&self) -> PolarsResult<(Vec<Pair>, Counters<'_>)> {
        let sums = &self.frame;
        let pairs = keys(ACCOUNT, sums)?.into_iter().zip(keys(REGION, sums)?);
        let keys = pairs.enumerate().map(|(row, (account, region))| Pair { account, region, row }).collect();
        Ok((keys, Counters::of(&self.table, sums)?))
    }

    /// Sums by OU. `memberships` are pairs of account and OU: an account adds to each OU above it.
    pub fn by_membership(&self, memberships: &BTreeSet<(u32, u32)>) -> PolarsResult<HashMap<u32, Counts>> {
        let (accounts, ous) = memberships.iter().copied().unzip();
        let memberships = DataFrame::new_infer_height(vec![numbers(ACCOUNT, accounts), numbers(OU, ous)])?;
        self.by(OU, self.lazy().inner_join(memberships.lazy(), col(ACCOUNT), col(ACCOUNT)))
    }

    fn sums(&self) -> Vec<Expr> {
        self.table.counters().map(|counter| col(counter.name).sum()).collect()
    }

    fn by(&self, key: &str, frame: LazyFrame) -> PolarsResult<HashMap<u32, Counts>> {
        let grouped = frame.group_by([col(key)]).agg(self.sums()).collect()?;
        let rows = Counters::of(&self.table, &grouped)?;
        Ok(keys(key, &grouped)?.into_iter().enumerate().map(|(row, key)| (key, rows.counts(row))).collect())
    }
}

/// A column of keys; no key is null, because none is pushed.
fn keys(name: &str, frame: &DataFrame) -> PolarsResult<Vec<u32>> {
    Ok(frame.column(name)?.u32()?.iter().flatten().collect())
}

/// An account and a Region in which it has buckets.
pub(super) struct Pair {
    pub account: u32,
    pub region: u32,
    pub row: usize,
}

/// The counters' columns of a frame of sums.
pub(super) struct Counters<'a>(Vec<&'a ChunkedArray<UInt64Type>>);

impl<'a> Counters<'a> {
    fn of(table: &Table, frame: &'a DataFrame) -> PolarsResult<Self> {
        let columns = table.counters().map(|counter| frame.column(counter.name)?.u64());
        Ok(Self(columns.collect::<PolarsResult<_>>()?))
    }

    pub fn counts(&self, row: usize) -> Counts {
        Counts(self.0.iter().map(|column| column.get(row).expect("no sum of counts is null")).collect())
    }
}
