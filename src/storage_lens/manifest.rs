//! `manifest.json`: the files of one export of one day.
//!
//! Source: S3 user guide, "What is an S3 Storage Lens export manifest?".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rows::{csv_schema, parquet_schema};
use super::{Export, VERSION};

/// `reportFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReportFormat {
    #[serde(rename = "CSV")]
    Csv,
    Parquet,
}

impl ReportFormat {
    pub const ALL: [Self; 2] = [Self::Csv, Self::Parquet];

    /// Of the names of report files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "par",
        }
    }

    /// The configuration id of our exports: one for each format, so that both can stand in one folder.
    pub fn config_id(self) -> &'static str {
        match self {
            Self::Csv => "bucketlens-csv",
            Self::Parquet => "bucketlens-parquet",
        }
    }

    /// `reportSchema`.
    pub fn schema(self) -> String {
        match self {
            Self::Csv => csv_schema(),
            Self::Parquet => parquet_schema(),
        }
    }
}

/// The keys stand in AWS's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub source_account_id: String,
    pub config_id: String,
    /// An ARN. Ours is empty: the files are written to a folder, and no bucket is invented.
    pub destination_bucket: String,
    pub report_version: String,
    pub report_date: String,
    pub report_format: ReportFormat,
    pub report_schema: String,
    pub report_files: Vec<ReportFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportFile {
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// In lower-case hexadecimal digits.
    pub md5_checksum: String,
}

/// What is wrong with a manifest as a whole: nothing can be read by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("it is no manifest of S3 Storage Lens: {0}")]
    Unreadable(String),
    #[error("it is of version {0:?}, and only {VERSION} is known")]
    OtherVersion(String),
    #[error("its columns are not those of version {VERSION}: {0:?}")]
    OtherColumns(String),
    #[error("its reportDate {0:?} is no day (YYYY-MM-DD)")]
    NoDate(String),
    #[error("it lists no report file: the export is empty")]
    Empty,
    #[error("it lists the report file {0:?} twice")]
    Twice(String),
}

impl Manifest {
    pub fn of(export: &Export, file: ReportFile) -> Self {
        Self {
            source_account_id: export.account().to_owned(),
            config_id: export.format.config_id().to_owned(),
            destination_bucket: String::new(),
            report_version: VERSION.to_owned(),
            report_date: export.date.clone(),
            report_format: export.format,
            report_schema: export.format.schema(),
            report_files: vec![file],
        }
    }

    pub fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| ManifestError::Unreadable(error.to_string()))?;
        if manifest.report_version != VERSION {
            return Err(ManifestError::OtherVersion(manifest.report_version));
        }
        // Without regard to white space: the words are those of a person's example.
        let plain = |schema: &str| schema.split_whitespace().collect::<String>().to_ascii_lowercase();
        if plain(&manifest.report_schema) != plain(&manifest.report_format.schema()) {
            return Err(ManifestError::OtherColumns(manifest.report_schema));
        }
        if !is_date(&manifest.report_date) {
            return Err(ManifestError::NoDate(manifest.report_date));
        }
        if manifest.report_files.is_empty() {
            return Err(ManifestError::Empty);
        }
        let mut seen = BTreeSet::new();
        if let Some(file) = manifest.report_files.iter().find(|file| !seen.insert(&file.key)) {
            return Err(ManifestError::Twice(file.key.clone()));
        }
        Ok(manifest)
    }
}

/// Whether it is a day of the calendar, as `YYYY-MM-DD`.
pub fn is_date(text: &str) -> bool {
    time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the user guide, with a date of ours.
    const EXAMPLE: &str = r#"{ "sourceAccountId": "111122223333", "configId": "dashboard",
        "destinationBucket": "arn:aws:s3:::destination-bucket", "reportVersion": "V_1", "reportDate": "2026-07-15",
        "reportFormat": "CSV",
        "reportSchema": "version_number,configuration_id,report_date,aws_account_number,aws_region,storage_class,record_type,record_value,bucket_name,metric_name,metric_value",
        "reportFiles": [ { "key": "p/StorageLens/111122223333/dashboard/V_1/reports/dt=2026-07-15/1.csv",
            "size": 1603959, "md5Checksum": "2177e775870def72b8d84febe1ad3574" } ] }"#;

    #[test]
    fn a_manifest_as_aws_writes_it_is_read() {
        let manifest = Manifest::read(EXAMPLE.as_bytes()).expect("a manifest");
        assert_eq!((manifest.config_id.as_str(), manifest.report_format), ("dashboard", ReportFormat::Csv));
        assert_eq!(manifest.report_files[0].size, 1_603_959);
        let ours = serde_json::to_string(&manifest).expect("text");
        let keys: Vec<usize> = [
            "sourceAccountId",
            "configId",
            "destinationBucket",
            "reportVersion",
            "reportDate",
            "reportFormat",
            "reportSchema",
            "reportFiles",
            "key",
            "size",
            "md5Checksum",
        ]
        .iter()
        .map(|key| ours.find(&format!("\"{key}\":")).expect(key))
        .collect();
        assert!(keys.is_sorted(), "{ours}");
    }

    #[test]
    fn what_is_wrong_with_a_manifest_is_named() {
        let error = |from: &str, to: &str| {
            let text = EXAMPLE.replace(from, to);
            assert_ne!(text, EXAMPLE);
            Manifest::read(text.as_bytes()).expect_err(to)
        };
        assert_eq!(error("V_1\"", "V_2\""), ManifestError::OtherVersion("V_2".to_owned()));
        assert!(matches!(error("record_type,", ""), ManifestError::OtherColumns(_)));
        assert!(matches!(error("2026-07-15\",", "2026-02-30\","), ManifestError::NoDate(_)));
        assert!(matches!(error("\"CSV\"", "\"ORC\""), ManifestError::Unreadable(_)));
        assert!(matches!(error("\"configId\"", "\"config\""), ManifestError::Unreadable(_)));
        let none = &EXAMPLE[..EXAMPLE.find("[ {").expect("files")];
        assert_eq!(Manifest::read(format!("{none}[] }}").as_bytes()), Err(ManifestError::Empty));
        let key = "p/StorageLens/111122223333/dashboard/V_1/reports/dt=2026-07-15/1.csv";
        let file = format!(r#"{{"key": {key:?}, "size": 1, "md5Checksum": "0"}}"#);
        let twice = format!("{none}[{file}, {file}] }}");
        assert_eq!(Manifest::read(twice.as_bytes()), Err(ManifestError::Twice(key.to_owned())));
    }

    #[test]
    fn the_schema_of_parquet_is_that_of_the_user_guide() {
        let schema = ReportFormat::Parquet.schema();
        assert!(schema.starts_with("message s3.storage.lens { required string version_number; required string conf"));
        assert!(schema.ends_with("required string metric_name; required long metric_value; }"), "{schema}");
    }
}
