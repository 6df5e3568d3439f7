//! The columns and rows of an export to a general purpose bucket: one metric a row.
//!
//! Source: S3 user guide, "Understanding the Amazon S3 Storage Lens export schemas". It does not say what stands in
//! `storage_class` where a metric is about settings; ours is empty, and no reader of ours looks at it.

use super::Metric;

/// `version_number` of every row and `reportVersion` of the manifest; there is no other yet.
pub const VERSION: &str = "V_1";

/// In their order. All are text but the last, a 64-bit number; all are required.
pub const COLUMNS: [&str; 11] = [
    "version_number",
    "configuration_id",
    "report_date",
    "aws_account_number",
    "aws_region",
    "storage_class",
    "record_type",
    "record_value",
    "bucket_name",
    "metric_name",
    "metric_value",
];

/// The name of the message in `reportSchema` and in our Parquet files.
pub const MESSAGE: &str = "s3.storage.lens";

/// `reportSchema` of a CSV export's manifest.
pub fn csv_schema() -> String {
    COLUMNS.join(",")
}

/// `reportSchema` of a Parquet export's manifest.
pub fn parquet_schema() -> String {
    let (last, texts) = COLUMNS.split_last().expect("there are columns");
    let texts: Vec<String> = texts.iter().map(|column| format!("required string {column};")).collect();
    format!("message {MESSAGE} {{ {} required long {last}; }}", texts.join(" "))
}

/// The record types that we write; prefixes and Storage Lens groups have no metrics of settings. There is none for an
/// organization: it is the sum of its accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordType {
    Account,
    Bucket,
}

impl RecordType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "ACCOUNT",
            Self::Bucket => "BUCKET",
        }
    }

    pub fn find(word: &str) -> Option<Self> {
        [Self::Account, Self::Bucket].into_iter().find(|record_type| record_type.as_str() == word)
    }
}

/// Those of AWS that say nothing about settings.
pub const OTHER_RECORD_TYPES: [&str; 3] = ["PREFIX", "STORAGE_LENS_GROUP_BUCKET", "STORAGE_LENS_GROUP_ACCOUNT"];

/// A row, without what is the same in all rows of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub record_type: RecordType,
    /// Empty for an account.
    pub bucket: &'a str,
    pub metric: Metric,
    pub value: u64,
}
