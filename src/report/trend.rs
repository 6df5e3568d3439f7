//! Metrics over time: as a page with a line of blocks each, as CSV, as JSON. Values come day by day.

mod page;
mod series;

use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::{Terminator, Writer, WriterBuilder};
use serde::Serialize;

use super::changes::TableFormat;
use super::csv::{controls, number};
use super::json::Number;
use super::text::{cell, harmless};
use crate::aggregate::MetricRow;
use crate::trend::{Day, LeftOut};

/// A trend in the making.
pub trait Trend {
    /// A value of a day; days in their order.
    fn value(&mut self, day: &Day, row: &MetricRow<'_>) -> io::Result<()>;

    fn finish(self: Box<Self>, days: &[Day], remarks: &[String]) -> io::Result<()>;
}

impl TableFormat {
    /// `width`: that of a page, in characters.
    pub fn trend<'a>(self, days: &[Day], width: u16, out: impl Write + 'a) -> io::Result<Box<dyn Trend + 'a>> {
        Ok(match self {
            Self::Table => Box::new(page::Page::new(days, width, out)),
            Self::Csv => Box::new(Table::new(out)?),
            Self::Json => Box::new(Document::new(out)?),
        })
    }
}

const COLUMNS: [&str; 13] = [
    "date",
    "run_id",
    "run_start",
    "complete",
    "scope",
    "scope_id",
    "region",
    "metric",
    "value",
    "accounts",
    "accounts_listed",
    "standard",
    "accepted_controls",
];

struct Table<W: Write>(Writer<W>);

impl<W: Write> Table<W> {
    fn new(out: W) -> io::Result<Self> {
        let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(out);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }
}

impl<W: Write> Trend for Table<W> {
    fn value(&mut self, day: &Day, row: &MetricRow<'_>) -> io::Result<()> {
        let run = day.source.run();
        let cells: [Cow<'_, str>; COLUMNS.len()] = [
            day.date.to_string().into(),
            run.id.as_str().into(),
            run.start.to_string().into(),
            if day.source.is_complete() { "true" } else { "false" }.into(),
            row.scope.as_str().into(),
            cell(row.scope_id),
            cell(row.region),
            row.metric.into(),
            number(row.value).into(),
            row.accounts.all.to_string().into(),
            row.accounts.listed.to_string().into(),
            run.standard.as_str().into(),
            controls(&run.accepted_controls).into(),
        ];
        Ok(self.0.write_record(cells.iter().map(|cell| cell.as_bytes()))?)
    }

    fn finish(mut self: Box<Self>, _: &[Day], _: &[String]) -> io::Result<()> {
        self.0.flush()
    }
}

const SCHEMA_VERSION: u32 = 1;

struct Document<W: Write> {
    out: W,
    /// What stands before the next value.
    separator: &'static str,
}

impl<W: Write> Document<W> {
    fn new(mut out: W) -> io::Result<Self> {
        write!(out, "{{\n\"schema_version\": {SCHEMA_VERSION},\n\"values\": [")?;
        Ok(Self { out, separator: "\n" })
    }
}

#[derive(Serialize)]
struct Point<'a> {
    date: String,
    scope: &'static str,
    scope_id: Cow<'a, str>,
    region: Cow<'a, str>,
    metric: &'static str,
    value: Option<Number>,
    accounts: u64,
    accounts_listed: u64,
}

#[derive(Serialize)]
struct DayLine<'a> {
    date: String,
    run_id: &'a str,
    run_start: String,
    complete: bool,
    interrupted: bool,
    standard: &'static str,
    accepted_controls: Vec<String>,
    /// Of what it is: `organization`, `accounts`, `account`.
    breadth: &'static str,
    /// What narrowed its scope.
    filters: Vec<Cow<'a, str>>,
    runs_left_out: u64,
    left_out: Vec<LeftOutLine<'a>>,
}

/// Another run of the day.
#[derive(Serialize)]
struct LeftOutLine<'a> {
    run_id: &'a str,
    run_start: String,
    complete: bool,
    breadth: &'static str,
    filters: Vec<Cow<'a, str>>,
}

impl<'a> LeftOutLine<'a> {
    fn of(left_out: &'a LeftOut) -> Self {
        Self {
            run_id: &left_out.id,
            run_start: left_out.start.to_string(),
            complete: left_out.complete,
            breadth: left_out.breadth.as_str(),
            filters: left_out.filters.iter().map(|filter| harmless(filter)).collect(),
        }
    }
}

impl<W: Write> Trend for Document<W> {
    fn value(&mut self, day: &Day, row: &MetricRow<'_>) -> io::Result<()> {
        let point = Point {
            date: day.date.to_string(),
            scope: row.scope.as_str(),
            scope_id: harmless(row.scope_id),
            region: harmless(row.region),
            metric: row.metric,
            value: row.value.and_then(Number::of),
            accounts: row.accounts.all,
            accounts_listed: row.accounts.listed,
        };
        self.out.write_all(self.separator.as_bytes())?;
        self.separator = ",\n";
        Ok(serde_json::to_writer(&mut self.out, &point)?)
    }

    fn finish(mut self: Box<Self>, days: &[Day], remarks: &[String]) -> io::Result<()> {
        self.out.write_all(b"\n],\n\"days\": [")?;
        let mut separator = "\n";
        for day in days {
            let run = day.source.run();
            let line = DayLine {
                date: day.date.to_string(),
                run_id: &run.id,
                run_start: run.start.to_string(),
                complete: day.source.is_complete(),
                interrupted: run.interrupted,
                standard: run.standard.as_str(),
                accepted_controls: run.accepted_controls.iter().map(ToString::to_string).collect(),
                breadth: run.breadth().as_str(),
                filters: day.filters().map(harmless).collect(),
                runs_left_out: day.left_out.len() as u64,
                left_out: day.left_out.iter().map(LeftOutLine::of).collect(),
            };
            self.out.write_all(separator.as_bytes())?;
            separator = ",\n";
            serde_json::to_writer(&mut self.out, &line)?;
        }
        self.out.write_all(b"\n],\n\"remarks\": ")?;
        let remarks: Vec<Cow<'_, str>> = remarks.iter().map(|remark| harmless(remark)).collect();
        serde_json::to_writer(&mut self.out, &remarks)?;
        self.out.write_all(b"\n}\n")?;
        self.out.flush()
    }
}
