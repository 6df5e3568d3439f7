//! The inventory of a run as one Parquet file: a row a bucket, for every program that reads Parquet.
//!
//! [`columns`] says what stands in it; [`write`] writes it, a row group at a time, so that memory does not grow with
//! the buckets; [`read`] adds its buckets up again. What is unknown is null, and the reason stands beside it.

mod columns;
mod possible;
pub mod read;
mod statistics;

pub mod write;

use serde::{Deserialize, Serialize};

use crate::model::{AccountRecord, Coverage, Run};

pub use columns::schema;

/// Raised whenever a column changes its meaning; another version is refused. New columns come last and change nothing.
const VERSION: u32 = 1;

/// The key of the file's own metadata under which [`About`] stands.
const ABOUT: &str = "bucketlens";

/// What the rows do not say: the run, and the accounts that have no bucket or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    version: u32,
    pub run: Run,
    pub coverage: Coverage,
    pub accounts: Vec<AccountRecord>,
}

/// The same without the accounts, and without a copy.
#[derive(Serialize)]
struct AboutRef<'a> {
    version: u32,
    run: &'a Run,
    coverage: &'a Coverage,
    accounts: &'a [AccountRecord],
}
