//! Columns of buckets and their sums, in polars.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::{
    ChunkedArray, Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, LazyFrame, PolarsResult, UInt32Chunked,
    UInt64Type, col,
};

use super::metrics::{COUNTERS, Counts, Subject};

const ACCOUNT: &str = "account";
const REGION: &str = "region";
const OU: &str = "ou";

/// Buckets that are not added up yet, a row each: the numbers of account and Region, and what each counter gets.
#[derive(Default)]
pub(super) struct Buffer {
    accounts: Vec<u32>,
    regions: Vec<u32>,
    counts: [Vec<u32>; COUNTERS.len()],
}

impl Buffer {
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    pub fn push(&mut self, account: u32, region: u32, subject: &Subject<'_>) {
        self.accounts.push(account);
        self.regions.push(region);
        for (column, counter) in self.counts.iter_mut().zip(COUNTERS) {
            // What is unknown is counted by itself.
            column.push(counter.added_by(subject).unwrap_or_default());
        }
    }

    pub fn push_sums(&mut self, account: u32, region: u32, sums: &[u64]) {
        self.accounts.push(account);
        self.regions.push(region);
        for (column, sum) in self.counts.iter_mut().zip(sums) {
            column.push(u32::try_from(*sum).expect("fewer than 2^32 rules in a Region of an account"));
        }
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        let names = COUNTERS.iter().map(|counter| counter.name);
        let mut columns = vec![numbers(ACCOUNT, self.accounts), numbers(REGION, self.regions)];
        columns.extend(names.zip(self.counts).map(|(name, counts)| numbers(name, counts)));
        DataFrame::new_infer_height(columns)
    }
}

fn numbers(name: &str, values: Vec<u32>) -> Column {
    UInt32Chunked::from_vec(name.into(), values).into_column()
}

/// Sums by account and Region: as many rows as there are such pairs, however many buckets there were. `None` until
/// the first buffer, which may be an empty one, is added.
#[derive(Default)]
pub(super) struct Sums(Option<DataFrame>);

impl Sums {
    pub fn add(&mut self, buffer: Buffer) -> PolarsResult<()> {
        let batch = grouped(buffer.into_frame()?.lazy(), &[ACCOUNT, REGION])?;
        self.0 = Some(match self.0.take() {
            None => batch,
            Some(sums) => grouped(sums.vstack(&batch)?.lazy(), &[ACCOUNT, REGION])?,
        });
        Ok(())
    }

    fn lazy(&self) -> LazyFrame {
        self.0.clone().unwrap_or_default().lazy()
    }

    pub fn total(&self) -> PolarsResult<Counts> {
        let total = self.lazy().select(sums()).collect()?;
        Ok(Rows::of(&total)?.counts(0))
    }

    pub fn by_account(&self) -> PolarsResult<HashMap<u32, Counts>> {
        by(ACCOUNT, self.lazy())
    }

    pub fn by_region(&self) -> PolarsResult<HashMap<u32, Counts>> {
        by(REGION, self.lazy())
    }

    /// Each pair and its row, and the rows. Something was added before.
    pub fn by_account_and_region(&self) -> PolarsResult<(Vec<Pair>, Rows<'_>)> {
        let sums = self.0.as_ref().expect("something was added");
        let pairs = keys(ACCOUNT, sums)?.into_iter().zip(keys(REGION, sums)?);
        let keys = pairs.enumerate().map(|(row, (account, region))| Pair { account, region, row }).collect();
        Ok((keys, Rows::of(sums)?))
    }

    /// Sums by OU. `memberships` are pairs of account and OU: an account adds to each OU above it.
    pub fn by_membership(&self, memberships: &BTreeSet<(u32, u32)>) -> PolarsResult<HashMap<u32, Counts>> {
        let (accounts, ous) = memberships.iter().copied().unzip();
        let memberships = DataFrame::new_infer_height(vec![numbers(ACCOUNT, accounts), numbers(OU, ous)])?;
        by(OU, self.lazy().inner_join(memberships.lazy(), col(ACCOUNT), col(ACCOUNT)))
    }
}

/// The sum of every counter, wide enough for all buckets there are.
fn sums() -> Vec<Expr> {
    COUNTERS.iter().map(|counter| col(counter.name).cast(DataType::UInt64).sum()).collect()
}

fn grouped(frame: LazyFrame, keys: &[&str]) -> PolarsResult<DataFrame> {
    frame.group_by(keys.iter().map(|key| col(*key)).collect::<Vec<_>>()).agg(sums()).collect()
}

fn by(key: &str, frame: LazyFrame) -> PolarsResult<HashMap<u32, Counts>> {
    let grouped = grouped(frame, &[key])?;
    let rows = Rows::of(&grouped)?;
    Ok(keys(key, &grouped)?.into_iter().enumerate().map(|(row, key)| (key, rows.counts(row))).collect())
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
    fn of(frame: &'a DataFrame) -> PolarsResult<Self> {
        let columns = COUNTERS.iter().map(|counter| frame.column(counter.name)?.u64());
        Ok(Self(columns.collect::<PolarsResult<_>>()?))
    }

    pub fn counts(&self, row: usize) -> Counts {
        let mut counts = Counts::default();
        for (count, column) in counts.0.iter_mut().zip(&self.0) {
            *count = column.get(row).expect("no sum of counts is null");
        }
        counts
    }
}
