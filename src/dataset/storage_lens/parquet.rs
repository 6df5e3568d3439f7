//! Parquet out: the long table of an export to a bucket, and the wide one of an export to S3 Tables.
//!
//! Written a row group at a time with the parts below polars' own writer, which has no required columns. No Arrow schema
//! is put into the file: what Parquet says of its columns is all there is, for every reader.

use std::io::Write;

use polars::prelude::{PolarsError, PolarsResult};
use polars_arrow::array::{Array, Int64Array, MutableBinaryViewArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, TimeUnit};
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::write::{
    CompressionOptions, FileWriter, ParquetType, SchemaDescriptor, StatisticsOptions, Version, WriteOptions,
    get_dtype_encoding, row_group_iter, to_parquet_type,
};

use crate::storage_lens::rows::MESSAGE;
use crate::storage_lens::sums::Sums;
use crate::storage_lens::{COLUMNS, Metric, RecordType, ReportFormat, Row, VERSION, Value, Values};

/// A file cannot be written: the disk, or a fault of the program.
#[derive(Debug, thiserror::Error)]
#[error("write Parquet: {0}")]
pub struct WriteError(#[from] PolarsError);

impl From<WriteError> for std::io::Error {
    fn from(error: WriteError) -> Self {
        match error.0 {
            PolarsError::IO { error, .. } => Self::new(error.kind(), error.to_string()),
            error => Self::other(error.to_string()),
        }
    }
}

/// Rows of the long table that are written at once: some 25 MB of columns.
const LONG_GROUP: usize = 131_072;

/// Buckets of the wide table that are written at once.
const WIDE_GROUP: usize = 50_000;

/// A file that is written a row group at a time.
struct Groups<W: Write> {
    file: FileWriter<W>,
    types: Vec<ParquetType>,
    options: WriteOptions,
}

impl<W: Write> Groups<W> {
    fn create(out: W, message: &'static str, fields: Vec<Field>) -> PolarsResult<Self> {
        let types = fields.iter().map(to_parquet_type).collect::<PolarsResult<Vec<_>>>()?;
        let options = WriteOptions {
            statistics: StatisticsOptions::default(),
            version: Version::V1,
            // Every reader knows it.
            compression: CompressionOptions::Snappy,
            data_page_size: None,
        };
        let schema: ArrowSchema = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
        let described = SchemaDescriptor::new(message.into(), types.clone());
        Ok(Self { file: FileWriter::new_with_parquet_schema(out, schema, described, options), types, options })
    }

    fn write(&mut self, height: usize, columns: Vec<Box<dyn Array>>) -> PolarsResult<()> {
        let encodings = columns.iter().map(|column| get_dtype_encoding(column.dtype())).collect();
        let schema = std::sync::Arc::new(self.file.schema().clone());
        let batch = RecordBatchT::try_new(height, schema, columns)?;
        let group = row_group_iter(batch, encodings, self.types.clone(), self.options);
        self.file.write(height as u64, group)
    }

    fn finish(mut self) -> PolarsResult<W> {
        self.file.end(Some(Vec::new()))?;
        Ok(self.file.into_inner())
    }
}

fn text(name: &str) -> Field {
    Field::new(name.into(), ArrowDataType::Utf8View, false)
}

type Texts = MutableBinaryViewArray<str>;

/// The same text in every row.
fn constant(value: &str, height: usize) -> Box<dyn Array> {
    let mut texts = Texts::with_capacity(height);
    texts.extend_constant(height, Some(value));
    boxed(texts)
}

fn boxed(texts: Texts) -> Box<dyn Array> {
    Box::new(Utf8ViewArray::from(texts))
}

/// The long table: one metric a row, every column required.
pub struct Long<W: Write> {
    groups: Groups<W>,
    /// What every row says of the export.
    config_id: &'static str,
    date: String,
    accounts: Texts,
    regions: Texts,
    record_types: Texts,
    buckets: Texts,
    metrics: Texts,
    values: Vec<i64>,
}

impl<W: Write> Long<W> {
    /// `date`: `YYYY-MM-DD`.
    pub fn create(out: W, date: &str) -> Result<Self, WriteError> {
        let (last, texts) = COLUMNS.split_last().expect("there are columns");
        let mut fields: Vec<Field> = texts.iter().map(|name| text(name)).collect();
        fields.push(Field::new((*last).into(), ArrowDataType::Int64, false));
        Ok(Self {
            groups: Groups::create(out, MESSAGE, fields)?,
            config_id: ReportFormat::Parquet.config_id(),
            date: date.to_owned(),
            accounts: Texts::new(),
            regions: Texts::new(),
            record_types: Texts::new(),
            buckets: Texts::new(),
            metrics: Texts::new(),
            values: Vec::new(),
        })
    }

    pub fn push(&mut self, row: &Row<'_>) -> Result<(), WriteError> {
        self.accounts.push_value(row.account);
        self.regions.push_value(row.region);
        self.record_types.push_value(row.record_type.as_str());
        self.buckets.push_value(row.bucket);
        self.metrics.push_value(row.metric.name());
        self.values.push(signed(row.value));
        if self.values.len() < LONG_GROUP { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        use std::mem::take;
        let height = self.values.len();
        let same = |value: &str| constant(value, height);
        let columns = vec![
            same(VERSION),
            same(self.config_id),
            same(&self.date),
            boxed(take(&mut self.accounts)),
            boxed(take(&mut self.regions)),
            same(""),
            boxed(take(&mut self.record_types)),
            same(""),
            boxed(take(&mut self.buckets)),
            boxed(take(&mut self.metrics)),
            Box::new(Int64Array::from_vec(take(&mut self.values))),
        ];
        Ok(self.groups.write(height, columns)?)
    }

    pub fn finish(mut self) -> Result<W, WriteError> {
        if !self.values.is_empty() {
            self.write()?;
        }
        Ok(self.groups.finish()?)
    }
}

/// The identifying columns of the wide table, all required.
///
/// Source: S3 user guide, "Understanding the Amazon S3 Storage Lens export schemas".
const IDENTITY: [&str; 9] = [
    "version_number",
    "configuration_id",
    "report_time",
    "aws_account_id",
    "record_type",
    "record_value",
    "aws_region",
    "storage_class",
    "bucket_name",
];

const REPORT_TIME: &str = "report_time";

/// `configuration_id` of the wide table.
pub const TABLE_CONFIG_ID: &str = "bucketlens-tables";

/// The wide table: a row a bucket and a row for each account and Region, a column a metric. A column is null where the
/// metric is unknown or was not asked for.
pub struct Wide<W: Write> {
    groups: Groups<W>,
    /// In microseconds since 1970.
    time: i64,
    accounts: Texts,
    record_types: Texts,
    regions: Texts,
    buckets: Texts,
    /// A column for each metric that has one.
    metrics: Vec<(Metric, Vec<Option<i64>>)>,
}

impl<W: Write> Wide<W> {
    /// `unix`: when the run began, in seconds since 1970.
    pub fn create(out: W, unix: i64) -> Result<Self, WriteError> {
        let time = ArrowDataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let identity = IDENTITY.iter().map(|name| match *name {
            REPORT_TIME => Field::new(REPORT_TIME.into(), time.clone(), false),
            name => text(name),
        });
        let metrics = Metric::ALL.into_iter().filter_map(Metric::column);
        let metrics = metrics.map(|name| Field::new(name.into(), ArrowDataType::Int64, true));
        Ok(Self {
            groups: Groups::create(out, "bucket_property_metrics", identity.chain(metrics).collect())?,
            time: unix * 1_000_000,
            accounts: Texts::new(),
            record_types: Texts::new(),
            regions: Texts::new(),
            buckets: Texts::new(),
            metrics: columns(),
        })
    }

    pub fn bucket(&mut self, account: &str, region: &str, bucket: &str, values: &Values) -> Result<(), WriteError> {
        self.push(account, RecordType::Bucket, region, bucket, &values.map(Value::known))
    }

    pub fn account(&mut self, account: &str, region: &str, sums: &Sums) -> Result<(), WriteError> {
        self.push(account, RecordType::Account, region, "", sums)
    }

    fn push(
        &mut self,
        account: &str,
        record_type: RecordType,
        region: &str,
        bucket: &str,
        values: &[Option<u64>; Metric::COUNT],
    ) -> Result<(), WriteError> {
        self.accounts.push_value(account);
        self.record_types.push_value(record_type.as_str());
        self.regions.push_value(region);
        self.buckets.push_value(bucket);
        for (metric, column) in &mut self.metrics {
            column.push(values[metric.index()].map(signed));
        }
        if self.accounts.len() < WIDE_GROUP { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        use std::mem::take;
        let height = self.accounts.len();
        let times = Int64Array::from_vec(vec![self.time; height]);
        let times = times.to(ArrowDataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
        let same = |value: &str| constant(value, height);
        let mut all: Vec<Box<dyn Array>> = vec![
            same(VERSION),
            same(TABLE_CONFIG_ID),
            Box::new(times),
            boxed(take(&mut self.accounts)),
            boxed(take(&mut self.record_types)),
            same(""),
            boxed(take(&mut self.regions)),
            same(""),
            boxed(take(&mut self.buckets)),
        ];
        all.extend(std::mem::replace(&mut self.metrics, columns()).into_iter().map(|(_, column)| optional(&column)));
        Ok(self.groups.write(height, all)?)
    }

    pub fn finish(mut self) -> Result<W, WriteError> {
        if self.accounts.len() > 0 {
            self.write()?;
        }
        Ok(self.groups.finish()?)
    }
}

fn columns() -> Vec<(Metric, Vec<Option<i64>>)> {
    Metric::ALL.into_iter().filter(|metric| metric.column().is_some()).map(|metric| (metric, Vec::new())).collect()
}

fn optional(column: &[Option<i64>]) -> Box<dyn Array> {
    let validity: Bitmap = column.iter().map(Option::is_some).collect();
    let values = column.iter().map(|value| value.unwrap_or_default()).collect::<Vec<_>>();
    Box::new(Int64Array::new(ArrowDataType::Int64, values.into(), Some(validity)))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).expect("fewer than 2^63 buckets and rules")
}
