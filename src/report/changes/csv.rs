//! A row a change. The columns are a contract like those of the report's tables.

use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::{Terminator, Writer, WriterBuilder};

use super::{Changes, Runs};
use crate::diff::{Change, Lost, Totals, Weight};
use crate::model::{AccountId, Standard};
use crate::report::csv::controls;
use crate::report::text::cell;

const COLUMNS: [&str; 15] = [
    "account_id",
    "account_name",
    "region",
    "bucket",
    "change",
    "fact",
    "old",
    "new",
    "finding",
    "severity",
    "regression",
    "words",
    "standard",
    "accepted_controls",
    "ou_id",
];

pub(super) struct Table<W: Write> {
    writer: Writer<W>,
    /// By which both runs are judged.
    standard: Standard,
    accepted_controls: String,
}

impl<W: Write> Table<W> {
    pub fn new(runs: Runs<'_>, out: W) -> io::Result<Self> {
        let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(out);
        writer.write_record(COLUMNS)?;
        let accepted_controls = controls(&runs.judged.accepted);
        Ok(Self { writer, standard: runs.judged.standard, accepted_controls })
    }
}

impl<W: Write> Changes for Table<W> {
    fn change(&mut self, change: &Change<'_>) -> io::Result<()> {
        let (finding, severity) = match change.weight {
            Weight::Plain | Weight::Fails => ("", ""),
            Weight::Lost(lost) => (lost.as_str(), Lost::SEVERITY.as_str()),
        };
        let row: [Cow<'_, str>; COLUMNS.len()] = [
            change.account.and_then(|account| account.id.as_ref()).map_or("", AccountId::as_str).into(),
            change.account.map_or(Cow::Borrowed(""), |account| cell(&account.name)),
            change.bucket.map_or(Cow::Borrowed(""), |(_, region)| cell(region.as_str())),
            change.bucket.map_or(Cow::Borrowed(""), |(bucket, _)| cell(bucket)),
            change.kind.as_str().into(),
            change.what.map_or("", |what| what.as_str()).into(),
            cell(change.old.unwrap_or_default()),
            cell(change.new.unwrap_or_default()),
            finding.into(),
            severity.into(),
            if change.weight.is_regression() { "true" } else { "false" }.into(),
            cell(change.words),
            self.standard.as_str().into(),
            self.accepted_controls.as_str().into(),
            change.unit.map_or(Cow::Borrowed(""), cell),
        ];
        Ok(self.writer.write_record(row.iter().map(|cell| cell.as_bytes()))?)
    }

    fn finish(mut self: Box<Self>, _: &Totals) -> io::Result<()> {
        self.writer.flush()
    }
}
