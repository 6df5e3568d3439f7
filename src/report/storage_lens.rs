//! What S3 Storage Lens would export, of what was read: [`long`] as it exports to a bucket, one metric a row, as CSV or
//! Parquet, with a manifest; [`Wide`] the bucket property metrics as it exports them to S3 Tables, one bucket a row; each
//! with a `coverage.json`.
//!
//! A fact that is unknown, or that nobody asked for, has no `BUCKET` row, and never a zero; an `ACCOUNT` row, one for each
//! Region, is the sum over the buckets of which the fact is known, and there is none where that is no bucket. A known
//! zero has its row: without it nobody could tell the two apart. What is missing stands in `coverage.json`, bucket by
//! bucket. In the wide table such a fact is null.

mod coverage;
mod long;
mod wide;

pub(super) use long::long;
pub(super) use wide::Wide;

use std::io;

use crate::storage_lens::place;

pub(super) const LONG_FILES: [&str; 1] = ["StorageLens/"];

/// The names with which the files are made.
pub(super) const LONG_DRAFTS: [&str; 5] =
    [long::CSV, long::PARQUET, long::MANIFEST, long::CSV_COVERAGE, long::PARQUET_COVERAGE];

const WIDE: &str = "bucket_property_metrics.parquet";

pub(super) const WIDE_FILES: [&str; 2] = [WIDE, place::COVERAGE];

const _: () = assert!(LONG_FILES[0].len() == place::TOP.len() + 1);

/// Every sink is told of the run before the first bucket.
fn not_begun() -> io::Error {
    io::Error::other("the report was not begun")
}
