//! Parquet out, with the parts below polars' own writer, which has no required columns. No Arrow schema is put into the
//! file: what Parquet says of its columns is all there is, for every reader.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use polars::prelude::{PolarsError, PolarsResult};
use polars_arrow::array::{Array, BooleanArray, Int32Array, Int64Array, MutableBinaryViewArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, TimeUnit};
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::parquet::metadata::KeyValue;
use polars_parquet::write::{
    CompressionOptions, FileWriter, ParquetType, SchemaDescriptor, StatisticsOptions, Version, WriteOptions,
    get_dtype_encoding, row_group_iter, to_parquet_type,
};

use super::columns::{Column, Content, Row, columns, extra};
use super::{ABOUT, AboutRef, VERSION};
use crate::aggregate;
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Coverage, Run};

/// A file cannot be written: the disk, or a fault of the program.
#[derive(Debug, thiserror::Error)]
#[error("write Parquet: {0}")]
pub struct WriteError(#[from] PolarsError);

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        match error.0 {
            PolarsError::IO { error, .. } => Self::new(error.kind(), error.to_string()),
            error => Self::other(error.to_string()),
        }
    }
}

/// Buckets of a row group: some 12 MB while they are gathered and encoded.
const GROUP: usize = 8_192;

/// The values of a column that are not written yet.
enum Cells {
    Texts(MutableBinaryViewArray<str>),
    Flags(Vec<bool>),
    Numbers(Vec<Option<i32>>),
    /// Microseconds since 1970.
    Times(Vec<Option<i64>>),
}

/// A file that is written a row group at a time.
pub struct Table<W: Write> {
    file: FileWriter<W>,
    types: Vec<ParquetType>,
    options: WriteOptions,
    columns: Vec<Column>,
    cells: Vec<Cells>,
    height: usize,
}

impl<W: Write> Table<W> {
    pub fn create(out: W) -> Result<Self, WriteError> {
        let columns = columns();
        let fields: Vec<Field> = columns.iter().map(field).collect();
        let types = fields.iter().map(to_parquet_type).collect::<PolarsResult<Vec<_>>>()?;
        let options = WriteOptions {
            statistics: StatisticsOptions::default(),
            version: Version::V1,
            // Every reader knows it.
            compression: CompressionOptions::Snappy,
            data_page_size: None,
        };
        let schema: ArrowSchema = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
        let described = SchemaDescriptor::new("bucketlens_inventory".into(), types.clone());
        let file = FileWriter::new_with_parquet_schema(out, schema, described, options);
        let cells = columns.iter().map(Cells::of).collect();
        Ok(Self { file, types, options, columns, cells, height: 0 })
    }

    pub fn push(
        &mut self,
        run: &Run,
        account: &AccountRecord,
        record: &BucketRecord,
        evaluation: &Evaluation,
    ) -> Result<(), WriteError> {
        let row = Row { run, account, record, evaluation };
        let metrics = aggregate::added(record, evaluation);
        for (column, cells) in self.columns.iter().zip(&mut self.cells) {
            cells.push(&column.content, &row, &metrics);
        }
        self.height += 1;
        if self.height < GROUP { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        let empty = self.columns.iter().map(Cells::of).collect();
        let arrays: Vec<Box<dyn Array>> =
            std::mem::replace(&mut self.cells, empty).into_iter().map(Cells::into_array).collect();
        let encodings = arrays.iter().map(|array| get_dtype_encoding(array.dtype())).collect();
        let batch = RecordBatchT::try_new(self.height, Arc::new(self.file.schema().clone()), arrays)?;
        let group = row_group_iter(batch, encodings, self.types.clone(), self.options);
        self.file.write(self.height as u64, group)?;
        self.height = 0;
        Ok(())
    }

    pub fn finish(mut self, run: &Run, coverage: &Coverage, accounts: &[AccountRecord]) -> Result<W, WriteError> {
        if self.height > 0 {
            self.write()?;
        }
        let about = AboutRef { version: VERSION, run, coverage, accounts };
        let value = serde_json::to_string(&about).expect("texts and numbers are JSON");
        self.file.end(Some(vec![KeyValue { key: ABOUT.to_owned(), value: Some(value) }]))?;
        Ok(self.file.into_inner())
    }
}

fn time() -> ArrowDataType {
    ArrowDataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn field(column: &Column) -> Field {
    let kind = match column.content {
        Content::Text(_) | Content::Extra(_) | Content::WhyExtra(_) => ArrowDataType::Utf8View,
        Content::Flag(_) => ArrowDataType::Boolean,
        Content::Number(_) | Content::Metric(_) => ArrowDataType::Int32,
        Content::Time(_) => time(),
    };
    Field::new(column.name.as_ref().into(), kind, !column.is_required)
}

impl Cells {
    fn of(column: &Column) -> Self {
        match column.content {
            Content::Text(_) | Content::Extra(_) | Content::WhyExtra(_) => Self::Texts(MutableBinaryViewArray::new()),
            Content::Flag(_) => Self::Flags(Vec::new()),
            Content::Number(_) | Content::Metric(_) => Self::Numbers(Vec::new()),
            Content::Time(_) => Self::Times(Vec::new()),
        }
    }

    fn push(&mut self, content: &Content, row: &Row<'_>, metrics: &[Option<u32>]) {
        match (self, content) {
            (Self::Texts(texts), Content::Text(text)) => texts.push(text(row)),
            (Self::Texts(texts), Content::Extra(name)) => texts.push(extra(row, *name).0.map(Cow::Owned)),
            (Self::Texts(texts), Content::WhyExtra(name)) => texts.push(extra(row, *name).1.map(Cow::Owned)),
            (Self::Flags(flags), Content::Flag(flag)) => flags.push(flag(row)),
            (Self::Numbers(numbers), Content::Number(number)) => numbers.push(number(row)),
            (Self::Numbers(numbers), Content::Metric(place)) => {
                numbers
                    .push(metrics[*place].map(|count| count.try_into().expect("fewer than 2^31 rules in an answer")));
            }
            (Self::Times(times), Content::Time(time)) => times.push(time(row).map(|at| at.unix() * 1_000_000)),
            (Self::Texts(_) | Self::Flags(_) | Self::Numbers(_) | Self::Times(_), _) => {
                unreachable!("cells are made for their column")
            }
        }
    }

    fn into_array(self) -> Box<dyn Array> {
        match self {
            Self::Texts(texts) => Box::new(Utf8ViewArray::from(texts)),
            Self::Flags(flags) => Box::new(BooleanArray::from_slice(flags)),
            Self::Numbers(numbers) => {
                let (values, validity) = nullable(&numbers);
                Box::new(Int32Array::new(ArrowDataType::Int32, values.into(), validity))
            }
            Self::Times(times) => {
                let (values, validity) = nullable(&times);
                Box::new(Int64Array::new(ArrowDataType::Int64, values.into(), validity).to(time()))
            }
        }
    }
}

/// What stands below a null is never looked at.
fn nullable<T: Copy + Default>(cells: &[Option<T>]) -> (Vec<T>, Option<Bitmap>) {
    let values = cells.iter().map(|cell| cell.unwrap_or_default()).collect();
    let has_null = cells.iter().any(Option::is_none);
    (values, has_null.then(|| cells.iter().map(Option::is_some).collect()))
}
