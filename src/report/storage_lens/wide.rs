//! One bucket a row: the bucket property metrics of an export to S3 Tables.

use std::io::{self, BufWriter};

use super::{WIDE, not_begun};
use crate::dataset::storage_lens::parquet;
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Run};
use crate::report::files::Writer;
use crate::report::text::harmless;
use crate::report::{Draft, Finished, Folder, Summary};
use crate::storage_lens::metrics::values;
use crate::storage_lens::sums::{Done, OfAccount};

pub(in crate::report) struct Wide {
    table: Table,
    sums: OfAccount,
}

type Rows = parquet::Wide<BufWriter<Draft>>;

enum Table {
    /// Until the run is known.
    Opened(Draft),
    Begun(Box<Rows>),
    /// While it passes from one to the other.
    None,
}

impl Wide {
    pub fn create(folder: &Folder) -> io::Result<Self> {
        Ok(Self { table: Table::Opened(folder.create(WIDE)?), sums: OfAccount::default() })
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
        let out = BufWriter::with_capacity(1 << 16, draft);
        self.table = Table::Begun(Box::new(Rows::create(out, run.start.unix())?));
        Ok(())
    }

    fn bucket(&mut self, _: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        let Some(values) = values(record, evaluation.replication.as_ref()) else { return Ok(()) };
        if let Some(done) = self.sums.add(&record.account, &record.region, &values) {
            self.account(&done)?;
        }
        let (region, bucket) = (harmless(record.region.as_str()), harmless(&record.bucket));
        Ok(self.rows()?.bucket(record.account.as_str(), &region, &bucket, &values)?)
    }

    fn finish(mut self: Box<Self>, _: &Summary<'_>, _: &Folder) -> io::Result<Vec<Finished>> {
        if let Some(done) = self.sums.take() {
            self.account(&done)?;
        }
        let Table::Begun(rows) = self.table else { return Err(not_begun()) };
        let out = rows.finish()?;
        Ok(vec![out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?])
    }
}
