//! One bucket a row: the bucket property metrics of an export to S3 Tables; and its coverage, which stands beside it.

use std::io::{self, BufWriter};

use super::coverage::{Coverage, Of};
use super::{WIDE, not_begun};
use crate::dataset::storage_lens::parquet;
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Run};
use crate::report::files::Writer;
use crate::report::text::harmless;
use crate::report::{Draft, Finished, Folder, Summary};
use crate::storage_lens::metrics::values;
use crate::storage_lens::place;
use crate::storage_lens::sums::{Done, OfAccount};

pub(in crate::report) struct Wide {
    table: Table,
    sums: OfAccount,
    coverage: Coverage,
}

type Rows = parquet::Wide<BufWriter<Draft>>;

enum Table {
    /// Until the run is known.
    Opened(Box<Draft>),
    Begun(Box<Rows>),
    /// While it passes from one to the other.
    None,
}

impl Wide {
    pub fn create(folder: &Folder) -> io::Result<Self> {
        let table = Table::Opened(Box::new(folder.create(WIDE)?));
        Ok(Self { table, sums: OfAccount::default(), coverage: Coverage::create(folder.create(place::COVERAGE)?)? })
    }

    fn rows(&mut self) -> io::Result<&mut Rows> {
        match &mut self.table {
            Table::Begun(rows) => Ok(rows),
            Table::Opened(_) | Table::None => Err(not_begun()),
        }
    }

    fn account(&mut self, (account, regions): &Done) -> io::Result<()> {
        let rows = self.rows()?;
        for (region, sums) in regions {
            rows.account(account.as_str(), &harmless(region.as_str()), sums)?;
        }
        Ok(())
    }
}

impl Writer for Wide {
    fn begin(&mut self, run: &Run) -> io::Result<()> {
        let Table::Opened(draft) = std::mem::replace(&mut self.table, Table::None) else { return Err(not_begun()) };
        let out = BufWriter::with_capacity(1 << 16, *draft);
        self.table = Table::Begun(Box::new(Rows::create(out, run.start.unix())?));
        Ok(())
    }

    fn bucket(&mut self, _: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        let values = values(record, evaluation.replication.as_ref());
        self.coverage.bucket(record, values.as_ref())?;
        let Some(values) = values else { return Ok(()) };
        if let Some(done) = self.sums.add(&record.account, &record.region, &values) {
            self.account(&done)?;
        }
        let (region, bucket) = (harmless(record.region.as_str()), harmless(&record.bucket));
        Ok(self.rows()?.bucket(record.account.as_str(), &region, &bucket, &values)?)
    }

    fn finish(mut self: Box<Self>, summary: &Summary<'_>, _: &Folder) -> io::Result<Vec<Finished>> {
        if let Some(done) = self.sums.take() {
            self.account(&done)?;
        }
        let Self { table, coverage, .. } = *self;
        let Table::Begun(rows) = table else { return Err(not_begun()) };
        let table = rows.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
        let first = summary.accounts.iter().find_map(|account| account.id.as_ref());
        let (source, report_date) = (place::source(summary.run, first), place::date_of(summary.run));
        let of = Of {
            source_account_id: place::name_of(source.as_ref()),
            config_id: parquet::TABLE_CONFIG_ID,
            report_date: &report_date,
        };
        Ok(vec![table, coverage.finish(summary, &of)?])
    }
}
