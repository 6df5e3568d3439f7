//! What Amazon S3 Storage Lens says about the configuration of buckets, in its own names and files.
//!
//! - [`metrics`]: the twenty metrics that follow from a bucket's settings, and what a bucket adds to each;
//! - [`sums`]: the sums of an account, a Region at a time;
//! - [`rows`]: the columns and the rows of an export;
//! - [`compare`]: an export beside a run;
//! - [`place`]: where its files stand; [`manifest`]: the file that lists them; [`coverage`]: ours, that says what is
//!   missing.
//!
//! Pure: the files are written by `report` and read by `dataset`.
//!
//! Sources: S3 user guide, "Amazon S3 Storage Lens metrics glossary", "Understanding the Amazon S3 Storage Lens export
//! schemas", "What is an S3 Storage Lens export manifest?".

pub mod compare;
pub mod coverage;
pub mod manifest;
pub mod metrics;
pub mod place;
pub mod rows;
pub mod sums;

pub use manifest::{Manifest, ReportFile, ReportFormat};
pub use metrics::{Metric, Value, Values};
pub use place::Export;
pub use rows::{COLUMNS, RecordType, Row, VERSION};
