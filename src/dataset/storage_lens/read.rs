//! The rows of a report file, one by one, whatever they say: [`super::intake`] judges them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use ::csv::{ByteRecord, ReaderBuilder};
use md5::{Digest, Md5};
use polars::prelude::{DataFrame, ParquetReader, PolarsResult, SerReader, StringChunked};
use polars_arrow::datatypes::ArrowDataType;

use crate::dataset::broken::{Broken, guarded};
use crate::storage_lens::{COLUMNS, ReportFormat};

/// What a row says, unchecked. Columns that say nothing about settings are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRow<'a> {
    pub version: &'a str,
    pub config_id: &'a str,
    pub date: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    pub record_type: &'a str,
    pub bucket: &'a str,
    pub metric: &'a str,
    /// `None` where it is no number from 0 on.
    pub value: Option<u64>,
}

/// A line, or a row, that cannot be a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRow {
    /// It has so many columns.
    Columns(usize),
    NotText,
    /// A required column is null.
    Null,
}

/// Why a report file cannot be read, or can be read no further.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    #[error("it is missing")]
    Missing,
    #[error("it has {found} bytes where the manifest says {said}")]
    OtherSize { said: u64, found: u64 },
    #[error("it is longer than the {said} bytes that the manifest says")]
    TooLong { said: u64 },
    #[error("its MD5 is {found} where the manifest says {said}")]
    OtherSum { said: String, found: String },
    #[error("its name does not belong to the export: {0:?}")]
    Foreign(String),
    #[error("it has other columns than version V_1: {0}")]
    OtherColumns(String),
    #[error("it is no Parquet file, or one that was cut off: its footer cannot be read")]
    NoParquet,
    #[error("it is a damaged Parquet file: from row {0} on its rows cannot be decoded")]
    Damaged(usize),
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl From<io::Error> for PartError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Unreadable(error.to_string()) }
    }
}

/// Size in bytes and MD5 of what is read, in lower-case hexadecimal digits.
pub fn sum(mut content: impl Read) -> io::Result<(u64, String)> {
    let (mut md5, mut size, mut buffer) = (Md5::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = content.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hexadecimal(&md5.finalize())));
        }
        md5.update(&buffer[..read]);
        size += read as u64;
    }
}

/// Lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The same open file, read from its start. Its handles have one position.
pub(super) fn from_the_start(file: &File) -> io::Result<File> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(file)
}

/// Gives every row of a report file.
pub fn rows<E: From<PartError>>(
    file: &File,
    format: ReportFormat,
    mut take: impl FnMut(Result<RawRow<'_>, NoRow>) -> Result<(), E>,
) -> Result<(), E> {
    match format {
        ReportFormat::Csv => csv_rows(file, &mut take),
        ReportFormat::Parquet => parquet_rows(file, &mut take),
    }
}

/// AWS does not say whether there is a header line: a first line that names the columns is one.
fn csv_rows<E: From<PartError>>(
    file: &File,
    take: &mut impl FnMut(Result<RawRow<'_>, NoRow>) -> Result<(), E>,
) -> Result<(), E> {
    let file = BufReader::with_capacity(1 << 18, from_the_start(file).map_err(PartError::from)?);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut record = ByteRecord::new();
    let mut first = true;
    loop {
        let more = reader.read_byte_record(&mut record);
        if !more.map_err(|error| PartError::Unreadable(error.to_string()))? {
            return Ok(());
        }
        let is_first = std::mem::take(&mut first);
        if is_first && record.iter().next().is_some_and(|cell| cell == COLUMNS[0].as_bytes()) {
            if !record.iter().eq(COLUMNS.iter().map(|column| column.as_bytes())) {
                let found: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
                return Err(PartError::OtherColumns(found.join(",")).into());
            }
            continue;
        }
        take(csv_row(&record))?;
    }
}

fn csv_row(record: &ByteRecord) -> Result<RawRow<'_>, NoRow> {
    if record.len() != COLUMNS.len() {
        return Err(NoRow::Columns(record.len()));
    }
    let cell = |index: usize| std::str::from_utf8(&record[index]).map_err(|_| NoRow::NotText);
    Ok(RawRow {
        version: cell(0)?,
        config_id: cell(1)?,
        date: cell(2)?,
        account: cell(3)?,
        region: cell(4)?,
        record_type: cell(6)?,
        bucket: cell(8)?,
        metric: cell(9)?,
        value: cell(10)?.parse().ok(),
    })
}

/// The columns of text that are read, by their places in [`COLUMNS`].
const TEXTS: [usize; 8] = [0, 1, 2, 3, 4, 6, 8, 9];

/// Rows that are in memory at once, should a row group have more.
const AT_ONCE: usize = 500_000;

fn parquet_rows<E: From<PartError>>(
    file: &File,
    take: &mut impl FnMut(Result<RawRow<'_>, NoRow>) -> Result<(), E>,
) -> Result<(), E> {
    let mut opened = ParquetReader::new(from_the_start(file).map_err(PartError::from)?);
    let no_parquet = |broken| part_error(broken, PartError::NoParquet);
    let schema = guarded(|| opened.schema()).map_err(no_parquet)?;
    let right = |name: &str, dtype: &ArrowDataType| match dtype {
        ArrowDataType::Int64 => name == COLUMNS[10],
        ArrowDataType::Utf8View | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8 => name != COLUMNS[10],
        _ => false,
    };
    let found: Vec<&str> = schema.iter_names().map(AsRef::as_ref).collect();
    if found != COLUMNS || !schema.iter_values().all(|field| right(&field.name, &field.dtype)) {
        let words = schema.iter_values().map(|field| format!("{} {}", field.name, type_word(&field.dtype)));
        return Err(PartError::OtherColumns(words.collect::<Vec<_>>().join(", ")).into());
    }
    let metadata = guarded(|| opened.get_metadata().cloned()).map_err(no_parquet)?;
    let mut at = 0;
    for group in &metadata.row_groups {
        let (end, mut begin) = (at + group.num_rows(), at);
        while begin < end {
            let length = (end - begin).min(AT_ONCE);
            let file = from_the_start(file).map_err(PartError::from)?;
            let columns = TEXTS.into_iter().chain([10]).collect();
            let mut reader = ParquetReader::new(file).with_projection(Some(columns)).with_slice(Some((begin, length)));
            reader.set_metadata(metadata.clone());
            let damaged = |broken| part_error(broken, PartError::Damaged(begin + 1));
            frame_rows(&guarded(|| reader.finish()).map_err(damaged)?, begin, take)?;
            begin += length;
        }
        at = end;
    }
    Ok(())
}

fn part_error(broken: Broken, content: PartError) -> PartError {
    match broken {
        Broken::Io(error) => error.into(),
        Broken::Content => content,
    }
}

/// The types that Parquet has for these columns by their names in an export, others by their own.
fn type_word(dtype: &ArrowDataType) -> String {
    match dtype {
        ArrowDataType::Int64 => "int64".to_owned(),
        ArrowDataType::Utf8View | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8 => "string".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// `begin`: rows of the file before these.
fn frame_rows<E: From<PartError>>(
    frame: &DataFrame,
    begin: usize,
    take: &mut impl FnMut(Result<RawRow<'_>, NoRow>) -> Result<(), E>,
) -> Result<(), E> {
    let texts = |index: usize| frame.column(COLUMNS[index])?.str();
    let columns: PolarsResult<Vec<&StringChunked>> = TEXTS.into_iter().map(texts).collect();
    let damaged = |_| PartError::Damaged(begin + 1);
    let columns = columns.map_err(damaged)?;
    let values = frame.column(COLUMNS[10]).and_then(|column| column.i64()).map_err(damaged)?;
    let mut columns: Vec<_> = columns.iter().map(|column| column.iter()).collect();
    for value in values.iter() {
        let mut cells = [""; 8];
        let mut whole = value.is_some();
        for (cell, column) in cells.iter_mut().zip(&mut columns) {
            match column.next().flatten() {
                Some(text) => *cell = text,
                None => whole = false,
            }
        }
        let [version, config_id, date, account, region, record_type, bucket, metric] = cells;
        let value = value.and_then(|value| u64::try_from(value).ok());
        let row = RawRow { version, config_id, date, account, region, record_type, bucket, metric, value };
        take(if whole { Ok(row) } else { Err(NoRow::Null) })?;
    }
    Ok(())
}
