//! `inventory.parquet`: what was read, a row a bucket; see [`crate::dataset::inventory`].

use std::io::{self, BufWriter};

use super::files::Writer;
use super::{Draft, Finished, Folder, Summary};
use crate::dataset::inventory::write::Table;
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Run};

const NAME: &str = "inventory.parquet";

pub(super) const FILES: [&str; 1] = [NAME];

pub(super) struct Report {
    table: Table<BufWriter<Draft>>,
    run: Option<Run>,
}

impl Report {
    pub fn create(folder: &Folder) -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 16, folder.create(NAME)?);
        Ok(Self { table: Table::create(out)?, run: None })
    }
}

impl Writer for Report {
    fn begin(&mut self, run: &Run) -> io::Result<()> {
        self.run = Some(run.clone());
        Ok(())
    }

    fn bucket(&mut self, account: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        let run = self.run.as_ref().expect("a report begins before its buckets");
        Ok(self.table.push(run, account, record, evaluation)?)
    }

    fn finish(self: Box<Self>, summary: &Summary<'_>, _: &Folder) -> io::Result<Vec<Finished>> {
        let out = self.table.finish(summary.run, summary.coverage, summary.accounts)?;
        let draft = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(vec![draft.finish()?])
    }
}
