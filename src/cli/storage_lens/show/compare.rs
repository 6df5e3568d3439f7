//! The page of a comparison.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::{Head, Page, SCHEMA_VERSION, Shown, counted};
use crate::cli::storage_lens::options::Format;
use crate::model::{AccountRecord, Run};
use crate::report::{cell, harmless};
use crate::storage_lens::Metric;
use crate::storage_lens::compare::{Difference, Kind};

/// What is said of the run.
#[derive(Debug, Serialize)]
pub struct RunHead {
    id: String,
    start: String,
    end: String,
    interrupted: bool,
    accounts: u64,
    /// Those whose buckets were all listed.
    accounts_listed: u64,
}

impl RunHead {
    pub fn of(run: &Run, accounts: &[AccountRecord]) -> Self {
        Self {
            accounts: accounts.len() as u64,
            accounts_listed: accounts.iter().filter(|account| account.listed().is_ok()).count() as u64,
            id: harmless(&run.id).into_owned(),
            start: run.start.to_string(),
            end: run.end.to_string(),
            interrupted: run.interrupted,
        }
    }
}

/// Of a comparison.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// General purpose buckets: those that the run read, and those that only the export has. A name that the export has in
    /// several places is one only where the run has it.
    pub buckets: u64,
    /// Directory buckets that the run lists, of which Storage Lens has no such metrics.
    pub directory: u64,
    /// Buckets that were gone when the run read them, and of which the export does not speak.
    pub vanished: u64,
    /// Values that are equal.
    pub same: u64,
    differences: [u64; Kind::ALL.len()],
}

impl Counts {
    pub fn add(&mut self, kind: Kind) {
        self.differences[kind as usize] += 1;
    }

    pub fn of(&self, kind: Kind) -> u64 {
        self.differences[kind as usize]
    }
}

impl Page {
    pub fn begin_compare(&mut self, head: &Head, run: &RunHead) -> io::Result<()> {
        match self.format {
            Format::Table => {
                let RunHead { id, start, end, interrupted, accounts, accounts_listed } = run;
                let interrupted = if *interrupted { ", interrupted" } else { "" };
                let accounts = format!("the buckets of {accounts_listed} of {}", counted(*accounts, "account"));
                let lines = head.lines();
                writeln!(self.out, "{lines}beside run {id}\n {start} to {end}{interrupted}, {accounts}\n\nDIFFERENCES")
            }
            Format::Csv => self.row(&[
                "account_id",
                "region",
                "bucket",
                "difference",
                "metric",
                "export",
                "run",
                "observed_at",
                "why",
            ]),
            Format::Json => {
                write!(self.out, "{{\n\"schema_version\": {SCHEMA_VERSION},\n\"export\": ")?;
                serde_json::to_writer_pretty(&mut self.out, head)?;
                self.out.write_all(b",\n\"run\": ")?;
                serde_json::to_writer_pretty(&mut self.out, run)?;
                self.out.write_all(b",\n\"differences\": [")
            }
        }
    }

    /// All of one bucket.
    pub fn differences(&mut self, bucket: &Shown<'_>, differences: &[Difference]) -> io::Result<()> {
        match self.format {
            Format::Table => self.difference_lines(bucket, differences),
            Format::Csv => differences.iter().try_for_each(|difference| self.difference_row(bucket, difference)),
            Format::Json => differences.iter().try_for_each(|difference| {
                let Difference { kind, metric, export, run, observed_at, why } = difference;
                self.line(&DifferenceLine {
                    account_id: harmless(bucket.account),
                    region: harmless(bucket.region),
                    bucket: harmless(bucket.bucket),
                    difference: kind.as_str(),
                    metric: metric.map(Metric::name),
                    export: *export,
                    run: *run,
                    observed_at: observed_at.map(|at| at.to_string()),
                    why: harmless(why),
                })
            }),
        }
    }

    /// Metrics that differ alike stand together.
    fn difference_lines(&mut self, bucket: &Shown<'_>, differences: &[Difference]) -> io::Result<()> {
        let Shown { account, region, bucket } = *bucket;
        if !differences.is_empty() {
            writeln!(self.out, " {}  {}  {}", harmless(account), harmless(region), harmless(bucket))?;
        }
        let known = |value: Option<u64>| value.map_or("unknown".to_owned(), |value| value.to_string());
        let alike =
            |a: &Difference, b: &Difference| (a.kind, a.export, a.run, &a.why) == (b.kind, b.export, b.run, &b.why);
        for group in differences.chunk_by(alike) {
            let Difference { kind, export, run, why, .. } = &group[0];
            let names: Vec<&str> = group.iter().filter_map(|it| it.metric.map(Metric::name)).collect();
            let values = format!("{}: export {}, run {}; ", names.join(", "), known(*export), known(*run));
            let values = if names.is_empty() { "" } else { &values };
            writeln!(self.out, "   {:<13}  {values}{}", kind.as_str(), harmless(why))?;
        }
        Ok(())
    }

    fn difference_row(&mut self, bucket: &Shown<'_>, difference: &Difference) -> io::Result<()> {
        let Difference { kind, metric, export, run, observed_at, why } = difference;
        let number = |value: &Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        let at = observed_at.map(|at| at.to_string());
        self.row(&[
            &cell(bucket.account),
            &cell(bucket.region),
            &cell(bucket.bucket),
            kind.as_str(),
            metric.map_or("", Metric::name),
            &number(export),
            &number(run),
            at.as_deref().unwrap_or(""),
            &cell(why),
        ])
    }

    /// `not_exported`: metrics that the run was asked for and of which the export has no row of a bucket. `not_asked`: those
    /// that the export has, and for which the run was not asked.
    pub fn end_compare(
        &mut self,
        head: &Head,
        counts: &Counts,
        not_exported: &[bool; Metric::COUNT],
        not_asked: &[bool; Metric::COUNT],
    ) -> io::Result<()> {
        let [absent, unasked] = [not_exported, not_asked].map(|these| {
            Metric::ALL.into_iter().filter(|metric| these[metric.index()]).map(Metric::name).collect::<Vec<_>>()
        });
        match self.format {
            Format::Table => {
                if Kind::ALL.into_iter().all(|kind| counts.of(kind) == 0) {
                    writeln!(self.out, " none")?;
                }
                let (buckets, same) =
                    (counted(counts.buckets, "general purpose bucket"), counted(counts.same, "value"));
                write!(self.out, "\n {buckets}, {same} equal")?;
                for kind in Kind::ALL {
                    write!(self.out, ", {} {}", counts.of(kind), kind.as_str())?;
                }
                writeln!(self.out)?;
                if counts.directory > 0 {
                    writeln!(self.out, " {} of the run not compared", counted(counts.directory, "directory bucket"))?;
                }
                if counts.vanished > 0 {
                    let vanished = counted(counts.vanished, "bucket");
                    writeln!(self.out, " {vanished} not compared: gone when the run read them, not in the export")?;
                }
                if !absent.is_empty() {
                    writeln!(self.out, " The export has no bucket row of {}.", absent.join(", "))?;
                }
                if !unasked.is_empty() {
                    writeln!(self.out, " The run was not asked for {}: not compared.", unasked.join(", "))?;
                }
                if head.partial {
                    writeln!(self.out, " The export is partial.")?;
                }
            }
            Format::Csv => head.notes(),
            Format::Json => {
                self.out.write_all(b"\n],\n\"counts\": {")?;
                let Counts { buckets, directory, vanished, same, .. } = counts;
                write!(self.out, "\"buckets\": {buckets}, \"directory_buckets\": {directory}")?;
                write!(self.out, ", \"vanished_buckets\": {vanished}, \"equal\": {same}")?;
                for kind in Kind::ALL {
                    write!(self.out, ", \"{}\": {}", kind.as_str(), counts.of(kind))?;
                }
                self.out.write_all(b"},\n\"metrics_not_exported\": ")?;
                serde_json::to_writer(&mut self.out, &absent)?;
                self.out.write_all(b",\n\"metrics_not_in_run\": ")?;
                serde_json::to_writer(&mut self.out, &unasked)?;
                self.out.write_all(b"\n}\n")?;
            }
        }
        self.out.flush()
    }
}

#[derive(Serialize)]
struct DifferenceLine<'a> {
    account_id: Cow<'a, str>,
    region: Cow<'a, str>,
    bucket: Cow<'a, str>,
    difference: &'static str,
    metric: Option<&'static str>,
    export: Option<u64>,
    run: Option<u64>,
    observed_at: Option<String>,
    why: Cow<'a, str>,
}
