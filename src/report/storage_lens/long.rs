//! One metric a row: a report file, its manifest, its coverage.

use std::io::{self, BufWriter, Write};

use ::csv::{Terminator, Writer as CsvWriter, WriterBuilder};
use md5::{Digest, Md5};

use super::coverage::{Coverage, Of};
use super::not_begun;
use crate::dataset::storage_lens::parquet;
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Run};
use crate::report::files::Writer;
use crate::report::text::{cell, harmless};
use crate::report::{Draft, Finished, Folder, Summary};
use crate::storage_lens::metrics::values;
use crate::storage_lens::sums::{Done, OfAccount};
use crate::storage_lens::{
    COLUMNS, Export, Manifest, Metric, RecordType, ReportFile, ReportFormat, Row, VERSION, place,
};

pub(super) const CSV: &str = "StorageLens.csv";
pub(super) const PARQUET: &str = "StorageLens.par";
pub(super) const MANIFEST: &str = "StorageLens.manifest";
pub(super) const CSV_COVERAGE: &str = "StorageLens.csv.coverage";
pub(super) const PARQUET_COVERAGE: &str = "StorageLens.par.coverage";

/// The files of an export in this format.
pub(in crate::report) fn long(folder: &Folder, format: ReportFormat) -> io::Result<Long> {
    let (rows, coverage) = match format {
        ReportFormat::Csv => (CSV, CSV_COVERAGE),
        ReportFormat::Parquet => (PARQUET, PARQUET_COVERAGE),
    };
    let draft = Summed::new(folder.create(rows)?);
    let coverage = Coverage::create(folder.create(coverage)?)?;
    Ok(Long { format, table: Table::Opened(Box::new(draft)), sums: OfAccount::default(), coverage })
}

pub(in crate::report) struct Long {
    format: ReportFormat,
    table: Table,
    sums: OfAccount,
    coverage: Coverage,
}

enum Table {
    /// Until the run is known.
    Opened(Box<Summed>),
    Csv(Box<Csv>),
    Parquet(Box<parquet::Long<Summed>>),
    /// While it passes from one to the other.
    None,
}

impl Writer for Long {
    fn begin(&mut self, run: &Run) -> io::Result<()> {
        let Table::Opened(draft) = std::mem::replace(&mut self.table, Table::None) else { return Err(not_begun()) };
        let date = place::date_of(run);
        self.table = match self.format {
            ReportFormat::Csv => Table::Csv(Box::new(Csv::create(*draft, &date)?)),
            ReportFormat::Parquet => Table::Parquet(Box::new(parquet::Long::create(*draft, &date)?)),
        };
        Ok(())
    }

    fn bucket(&mut self, _: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        let values = values(record, evaluation.replication.as_ref());
        self.coverage.bucket(record, values.as_ref())?;
        let Some(values) = values else { return Ok(()) };
        if let Some(done) = self.sums.add(&record.account, &record.region, &values) {
            self.account(&done)?;
        }
        for (metric, value) in Metric::ALL.into_iter().zip(&values) {
            let Some(value) = value.known() else { continue };
            self.table.push(&Row {
                account: record.account.as_str(),
                region: record.region.as_str(),
                record_type: RecordType::Bucket,
                bucket: &record.bucket,
                metric,
                value,
            })?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, summary: &Summary<'_>, folder: &Folder) -> io::Result<Vec<Finished>> {
        if let Some(done) = self.sums.take() {
            self.account(&done)?;
        }
        let Self { format, table, coverage, .. } = *self;
        let first = summary.accounts.iter().find_map(|account| account.id.as_ref());
        let export = Export::of(format, summary.run, first);
        let (file, md5_checksum, size) = table.finish()?;
        let file = file.finish()?.named(export.report());
        let report = ReportFile { key: export.report(), size, md5_checksum };
        let mut manifest = folder.create(MANIFEST)?;
        serde_json::to_writer_pretty(&mut manifest, &Manifest::of(&export, report))?;
        manifest.write_all(b"\n")?;
        let manifest = manifest.finish()?.named(export.manifest());
        let of = Of { source_account_id: export.account(), config_id: format.config_id(), report_date: &export.date };
        let coverage = coverage.finish(summary, &of)?.named(export.coverage());
        Ok(vec![file, manifest, coverage])
    }
}

impl Long {
    fn account(&mut self, (account, regions): &Done) -> io::Result<()> {
        for (region, sums) in regions {
            for (metric, sum) in Metric::ALL.into_iter().zip(sums) {
                let Some(value) = *sum else { continue };
                self.table.push(&Row {
                    account: account.as_str(),
                    region: region.as_str(),
                    record_type: RecordType::Account,
                    bucket: "",
                    metric,
                    value,
                })?;
            }
        }
        Ok(())
    }
}

impl Table {
    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        match self {
            Self::Csv(csv) => csv.push(row),
            Self::Parquet(parquet) => {
                let (region, bucket) = (harmless(row.region), harmless(row.bucket));
                Ok(parquet.push(&Row { region: &region, bucket: &bucket, ..*row })?)
            }
            Self::Opened(_) | Self::None => Err(not_begun()),
        }
    }

    fn finish(self) -> io::Result<(Draft, String, u64)> {
        match self {
            Self::Csv(csv) => csv.out.into_inner().map_err(::csv::IntoInnerError::into_error)?.finish(),
            Self::Parquet(parquet) => parquet.finish().map_err(io::Error::from)?.finish(),
            Self::Opened(_) | Self::None => Err(not_begun()),
        }
    }
}

/// With a header line, which AWS's documentation neither shows nor rules out.
struct Csv {
    out: CsvWriter<Summed>,
    date: String,
}

impl Csv {
    fn create(out: Summed, date: &str) -> io::Result<Self> {
        let mut out = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(out);
        out.write_record(COLUMNS)?;
        Ok(Self { out, date: date.to_owned() })
    }

    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        let (region, bucket, value) = (cell(row.region), cell(row.bucket), row.value.to_string());
        let cells: [&str; COLUMNS.len()] = [
            VERSION,
            ReportFormat::Csv.config_id(),
            &self.date,
            row.account,
            &region,
            "",
            row.record_type.as_str(),
            "",
            &bucket,
            row.metric.name(),
            &value,
        ];
        Ok(self.out.write_record(cells)?)
    }
}

/// A file whose size and MD5 go into the manifest.
struct Summed {
    out: BufWriter<Draft>,
    md5: Md5,
    size: u64,
}

impl Summed {
    fn new(draft: Draft) -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, draft), md5: Md5::new(), size: 0 }
    }

    fn finish(self) -> io::Result<(Draft, String, u64)> {
        let draft = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((draft, crate::report::folder::hexadecimal(&self.md5.finalize()), self.size))
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.md5.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
