//! Columns of buckets and their sums, in polars.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use polars::prelude::{
    ChunkedArray, Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, LazyFrame, PolarsResult, UInt32Chunked,
    UInt64Type, col,
};

use super::metrics::{Counts, Subject, Table};

const ACCOUNT: &str = "account";
const REGION: &str = "region";
const OU: &str = "ou";
const TAG: &str = "tag";

/// Buckets that are not added up yet, a row each: the numbers of account, Region and value of the tag, and what each
/// counter gets.
pub(super) struct Buffer {
    table: Arc<Table>,
    accounts: Vec<u32>,
    regions: Vec<u32>,
    /// Empty where nobody asked for a tag.
    tags: Vec<u32>,
    counts: Vec<Vec<u32>>,
}

impl Buffer {
    pub fn new(table: Arc<Table>) -> Self {
        let counts = vec![Vec::new(); table.counters().len()];
        Self { table, accounts: Vec::new(), regions: Vec::new(), tags: Vec::new(), counts }
    }

    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// With a `tag` for every bucket, or for none.
    pub fn push(&mut self, account: u32, region: u32, tag: Option<u32>, subject: &Subject<'_>) {
        self.accounts.push(account);
        self.regions.push(region);
        self.tags.extend(tag);
        for (column, counter) in self.counts.iter_mut().zip(self.table.counters()) {
            // What is unknown is counted by itself.
            column.push(counter.added_by(subject).unwrap_or_default());
        }
    }

    pub fn push_sums(&mut self, account: u32, region: u32, sums: &[u64]) {
        self.accounts.push(account);
        self.regions.push(region);
        for (column, sum) in self.counts.iter_mut().zip(self.table.choose(sums)) {
            column.push(u32::try_from(sum).expect("fewer than 2^32 rules in a Region of an account"));
        }
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        let names = self.table.counters().map(|counter| counter.name);
        let mut columns = vec![numbers(ACCOUNT, self.accounts), numbers(REGION, self.regions)];
        if !self.tags.is_empty() {
            columns.push(numbers(TAG, self.tags));
        }
        columns.extend(names.zip(self.counts).map(|(name, counts)| numbers(name, counts)));
        DataFrame::new_infer_height(columns)
    }
}

fn numbers(name: &str, values: Vec<u32>) -> Column {
    UInt32Chunked::from_vec(name.into(), values).into_column()
}

/// Sums by account and Region: as many rows as there are such pairs, however many buckets there were. `None` until
/// the first buffer, which may be an empty one, is added.
pub(super) struct Sums {
    table: Arc<Table>,
    frame: Option<DataFrame>,
    /// The sums of the same buckets by the value of a tag, where somebody asked for one.
    tags: Option<DataFrame>,
}

impl Sums {
    pub fn new(table: Arc<Table>) -> Self {
        Self { table, frame: None, tags: None }
    }

    pub fn add(&mut self, buffer: Buffer) -> PolarsResult<()> {
        let has_tags = !buffer.tags.is_empty();
        let batch = buffer.into_frame()?;
        if has_tags {
            let tags = self.tags.take();
            self.tags = Some(self.added(tags, &batch, &[TAG])?);
        }
        let frame = self.frame.take();
        self.frame = Some(self.added(frame, &batch, &[ACCOUNT, REGION])?);
        Ok(())
    }

    fn added(&self, sums: Option<DataFrame>, batch: &DataFrame, keys: &[&str]) -> PolarsResult<DataFrame> {
        let batch = self.grouped(batch.clone().lazy(), keys)?;
        match sums {
            None => Ok(batch),
            Some(sums) => self.grouped(sums.vstack(&batch)?.lazy(), keys),
        }
    }

    fn lazy(&self) -> LazyFrame {
        self.frame.clone().unwrap_or_default().lazy()
    }

    pub fn total(&self) -> PolarsResult<Counts> {
        let total = self.lazy().select(self.sums()).collect()?;
        Ok(Rows::of(&self.table, &total)?.counts(0))
    }

    pub fn by_account(&self) -> PolarsResult<HashMap<u32, Counts>> {
        self.by(ACCOUNT, self.lazy())
    }

    pub fn by_region(&self) -> PolarsResult<HashMap<u32, Counts>> {
        self.by(REGION, self.lazy())
    }

    pub fn by_tag(&self) -> PolarsResult<HashMap<u32, Counts>> {
        self.tags.as_ref().map_or_else(|| Ok(HashMap::new()), |tags| self.by(TAG, tags.clone().lazy()))
    }

    /// Each pair and its row, and the rows. Something was added before.
    pub fn by_account_and_region(&self) -> PolarsResult<(Vec<Pair>, Rows<'_>)> {
        let sums = self.frame.as_ref().expect("something was added");
        let pairs = keys(ACCOUNT, sums)?.into_iter().zip(keys(REGION, sums)?);
        let keys = pairs.enumerate().map(|(row, (account, region))| Pair { account, region, row }).collect();
        Ok((keys, Rows::of(&self.table, sums)?))
    }

    /// Sums by OU. `memberships` are pairs of account and OU: an account adds to each OU above it.
    pub fn by_membership(&self, memberships: &BTreeSet<(u32, u32)>) -> PolarsResult<HashMap<u32, Counts>> {
        let (accounts, ous) = memberships.iter().copied().unzip();
        let memberships = DataFrame::new_infer_height(vec![numbers(ACCOUNT, accounts), numbers(OU, ous)])?;
        self.by(OU, self.lazy().inner_join(memberships.lazy(), col(ACCOUNT), col(ACCOUNT)))
    }

    /// The sum of every counter, wide enough for all buckets there are.
    fn sums(&self) -> Vec<Expr> {
        self.table.counters().map(|counter| col(counter.name).cast(DataType::UInt64).sum()).collect()
    }

    fn grouped(&self, frame: LazyFrame, keys: &[&str]) -> PolarsResult<DataFrame> {
        frame.group_by(keys.iter().map(|key| col(*key)).collect::<Vec<_>>()).agg(self.sums()).collect()
    }

    fn by(&self, key: &str, frame: LazyFrame) -> PolarsResult<HashMap<u32, Counts>> {
        let grouped = self.grouped(frame, &[key])?;
        let rows = Rows::of(&self.table, &grouped)?;
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
pub(super) struct Rows<'a>(Vec<&'a ChunkedArray<UInt64Type>>);

impl<'a> Rows<'a> {
    fn of(table: &Table, frame: &'a DataFrame) -> PolarsResult<Self> {
        let columns = table.counters().map(|counter| frame.column(counter.name)?.u64());
        Ok(Self(columns.collect::<PolarsResult<_>>()?))
    }

    pub fn counts(&self, row: usize) -> Counts {
        Counts(self.0.iter().map(|column| column.get(row).expect("no sum of counts is null")).collect())
    }
}
