//! What is printed: a page for a person, CSV or JSON. Rows go out as they come; none is kept.

mod compare;

pub use compare::{Counts, RunHead};

use std::borrow::Cow;
use std::io::{self, BufWriter, Stdout, Write};

use ::csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::Export;
use super::options::{Format, Order};
use super::read::{State, Tally};
use crate::cli::console;
use crate::dataset::storage_lens::intake::Taken;
use crate::report::{cell, harmless};
use crate::storage_lens::ReportFormat;

/// Of both documents: `reports/storage-lens-read.schema.json`, `reports/storage-lens-compare.schema.json`.
const SCHEMA_VERSION: u32 = 1;

/// Where a bucket is.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub bucket: &'a str,
}

/// What is said of the export.
#[derive(Debug, Serialize)]
pub struct Head {
    path: String,
    source_account_id: String,
    /// Of an organization-level dashboard.
    organization_id: Option<String>,
    configuration_id: String,
    report_date: String,
    /// Of so many days it is the latest; `None` where the day was named.
    latest_of_days: Option<usize>,
    report_format: ReportFormat,
    report_files: usize,
    rows: u64,
    /// Of how many accounts it has the buckets, and how many there are; `None` where it does not say.
    accounts_listed: Option<u64>,
    accounts: Option<u64>,
    /// Something of it could not be read, contradicts the rest, or is missing as it says itself: see `problems`, `doubts`
    /// and `missing`.
    pub partial: bool,
    problems: Vec<String>,
    doubts: Vec<String>,
    missing: Vec<String>,
    /// Rows of record types that are not known; they make nothing partial.
    not_read: Vec<String>,
}

impl Head {
    pub fn of(export: &Export, order: &Order) -> Self {
        let plain = |text: &str| harmless(text).into_owned();
        let all = |sentences: Vec<String>| sentences.iter().map(|sentence| plain(sentence)).collect();
        let Taken { problems, doubts, missing, unknown_types, counts, organization, accounts_listed, .. } =
            &export.taken;
        Self {
            path: plain(&order.path.to_string_lossy()),
            source_account_id: plain(&export.manifest.source_account_id),
            organization_id: organization.clone(),
            configuration_id: plain(&export.manifest.config_id),
            report_date: export.manifest.report_date.clone(),
            latest_of_days: export.found.latest_of,
            report_format: export.manifest.report_format,
            report_files: export.manifest.report_files.len(),
            rows: counts.rows,
            accounts_listed: accounts_listed.map(|accounts| accounts.listed),
            accounts: accounts_listed.map(|accounts| accounts.all),
            partial: !problems.is_empty() || !doubts.is_empty() || !missing.is_empty(),
            problems: all(problems.sentences()),
            doubts: all(doubts.sentences().into_iter().chain(missing.doubts()).collect()),
            missing: all(missing.sentences()),
            not_read: all(unknown_types.sentences().collect()),
        }
    }

    /// In the column `export`.
    fn word(&self) -> &'static str {
        if self.partial { "partial" } else { "complete" }
    }

    fn lines(&self) -> String {
        let latest = match self.latest_of_days {
            None => String::new(),
            Some(1) => ", the only day".to_owned(),
            Some(days) => format!(", the latest of {days} days"),
        };
        let format = match self.report_format {
            ReportFormat::Csv => "CSV",
            ReportFormat::Parquet => "Parquet",
        };
        let files = counted(self.report_files as u64, "report file");
        let owner = match &self.organization_id {
            Some(id) if *id == self.source_account_id => format!("organization {id}"),
            Some(id) => format!("organization {id}, account {}", self.source_account_id),
            None => format!("account {}", self.source_account_id),
        };
        let accounts = match (self.accounts_listed, self.accounts) {
            (Some(listed), Some(all)) => format!(", of the buckets of {listed} of {}", counted(all, "account")),
            (Some(_) | None, Some(_) | None) => String::new(),
        };
        let mut lines = format!(
            "S3 Storage Lens export {} of {owner}\n {}{latest}, {format}, {files}, {}{accounts}\n {}\n",
            self.configuration_id,
            self.report_date,
            counted(self.rows, "row"),
            self.path
        );
        for (title, sentences) in [
            ("PARTIAL: this could not be read, and what it says is missing below", &self.problems),
            ("DOUBTFUL: the export contradicts itself, and buckets may be missing below", &self.doubts),
            ("MISSING: the export does not have this", &self.missing),
            ("NOT READ: rows that do not affect the result", &self.not_read),
        ] {
            if !sentences.is_empty() {
                lines.extend(["\n", title, "\n"]);
                lines.extend(sentences.iter().map(|sentence| format!(" {sentence}\n")));
            }
        }
        lines
    }

    /// A table has no place for them.
    fn notes(&self) {
        for sentence in self.problems.iter().chain(&self.doubts).chain(&self.missing).chain(&self.not_read) {
            console::note(sentence);
        }
    }
}

/// The result, on its way to stdout.
pub struct Page {
    format: Format,
    out: BufWriter<Out>,
    separator: &'static str,
}

impl Page {
    pub fn new(format: Format) -> Self {
        Self { format, out: BufWriter::with_capacity(1 << 16, Out(io::stdout())), separator: "\n" }
    }

    pub fn begin_read(&mut self, head: &Head, tally: Tally) -> io::Result<()> {
        match self.format {
            Format::Table => {
                write!(self.out, "{}", head.lines())?;
                self.buckets_title("MFA DELETE ENABLED")
            }
            Format::Csv => {
                self.row(&["account_id", "region", "bucket", "mfa_delete", "configuration_id", "report_date", "export"])
            }
            Format::Json => {
                write!(self.out, "{{\n\"schema_version\": {SCHEMA_VERSION},\n\"export\": ")?;
                serde_json::to_writer_pretty(&mut self.out, head)?;
                let Tally { enabled, not_enabled, unknown } = tally;
                write!(self.out, ",\n\"mfa_delete_enabled\": {enabled},\n\"mfa_delete_not_enabled\": {not_enabled}")?;
                write!(self.out, ",\n\"mfa_delete_unknown\": {unknown},\n\"buckets\": [")
            }
        }
    }

    /// What follows are the buckets of which MFA delete is unknown.
    pub fn begin_unknown(&mut self, tally: Tally) -> io::Result<()> {
        match self.format {
            Format::Table if tally.unknown > 0 => {
                self.buckets_title("MFA DELETE UNKNOWN: the export has no usable row of it for these")
            }
            Format::Table | Format::Csv => Ok(()),
            Format::Json => {
                self.separator = "\n";
                self.out.write_all(b"\n],\n\"unknown_buckets\": [")
            }
        }
    }

    fn buckets_title(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out, "\n{title}\n {:<12}  {:<14}  Bucket", "Account", "Region")
    }

    pub fn bucket(&mut self, head: &Head, bucket: &Shown<'_>, state: State) -> io::Result<()> {
        let Shown { account, region, bucket } = *bucket;
        let word = match state {
            State::Enabled => "enabled",
            State::NotEnabled => "not_enabled",
            State::Unknown => "unknown",
        };
        match self.format {
            Format::Table => {
                writeln!(self.out, " {:<12}  {:<14}  {}", harmless(account), harmless(region), harmless(bucket))
            }
            Format::Csv => self.row(&[
                &cell(account),
                &cell(region),
                &cell(bucket),
                word,
                &cell(&head.configuration_id),
                &head.report_date,
                head.word(),
            ]),
            Format::Json => self.line(&BucketLine {
                account_id: harmless(account),
                region: harmless(region),
                bucket: harmless(bucket),
            }),
        }
    }

    pub fn end_read(&mut self, head: &Head, tally: Tally) -> io::Result<()> {
        match self.format {
            Format::Table => {
                let Tally { enabled, not_enabled, unknown } = tally;
                let all = counted(enabled + not_enabled + unknown, "bucket");
                let partial = if head.partial { " in what could be read" } else { "" };
                writeln!(self.out, "\n {enabled} of {all}{partial}; {not_enabled} not enabled, {unknown} unknown")?;
            }
            Format::Csv => head.notes(),
            Format::Json => self.out.write_all(b"\n]\n}\n")?,
        }
        self.out.flush()
    }

    fn row(&mut self, cells: &[&str]) -> io::Result<()> {
        let mut builder = WriterBuilder::new();
        let mut writer = builder.terminator(Terminator::Any(b'\n')).buffer_capacity(512).from_writer(Vec::new());
        writer.write_record(cells)?;
        self.out.write_all(&writer.into_inner().map_err(::csv::IntoInnerError::into_error)?)
    }

    fn line(&mut self, row: &impl Serialize) -> io::Result<()> {
        self.out.write_all(self.separator.as_bytes())?;
        self.separator = ",\n";
        Ok(serde_json::to_writer(&mut self.out, row)?)
    }
}

#[derive(Serialize)]
struct BucketLine<'a> {
    account_id: Cow<'a, str>,
    region: Cow<'a, str>,
    bucket: Cow<'a, str>,
}

fn counted(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// stdout, whose reader may close it before the end (`| head`).
struct Out(Stdout);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
    }
}
