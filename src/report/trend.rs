//! Metrics over time: as a page with a line of blocks each, as CSV, as JSON. Values come day by day.

mod page;

use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::{Terminator, Writer, WriterBuilder};
use serde::Serialize;

use super::changes::TableFormat;
use super::text::{cell, harmless};
use crate::aggregate::{MetricRow, Value};
use crate::trend::Day;

/// A trend in the making.
pub trait Trend {
    /// A value of a day; days in their order.
    fn value(&mut self, day: &Day, row: &MetricRow<'_>) -> io::Result<()>;

    fn finish(self: Box<Self>, days: &[Day], remarks: &[String]) -> io::Result<()>;
}

impl TableFormat {
    pub fn trend<'a>(self, days: &[Day], out: impl Write + 'a) -> io::Result<Box<dyn Trend + 'a>> {
        Ok(match self {
            Self::Table => Box::new(page::Page::new(days, out)),
            Self::Csv => Box::new(Table::new(out)?),
            Self::Json => Box::new(Document::new(out)?),
        })
    }
}

const COLUMNS: [&str; 9] =
    ["date", "run_id", "run_start", "complete", "scope", "scope_id", "region", "metric", "value"];

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
        let value = match row.value {
            Some(Value::Count(count)) => count.to_string(),
            Some(Value::Percent(number) | Value::Average(number)) => format!("{number:.2}"),
            None => String::new(),
        };
        let cells: [Cow<'_, str>; COLUMNS.len()] = [
            day.date.to_string().into(),
            run.id.as_str().into(),
            run.start.to_string().into(),
            if day.source.is_complete() { "true" } else { "false" }.into(),
            row.scope.as_str().into(),
            cell(row.scope_id),
            cell(row.region),
            row.metric.into(),
            value.into(),
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
}

#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Count(u64),
    Rounded(f64),
}

#[derive(Serialize)]
struct DayLine<'a> {
    date: String,
    run_id: &'a str,
    run_start: String,
    complete: bool,
    interrupted: bool,
    standard: &'static str,
    /// What narrowed its scope.
    filters: Vec<Cow<'a, str>>,
    runs_left_out: u64,
}

impl<W: Write> Trend for Document<W> {
    fn value(&mut self, day: &Day, row: &MetricRow<'_>) -> io::Result<()> {
        let point = Point {
            date: day.date.to_string(),
            scope: row.scope.as_str(),
            scope_id: harmless(row.scope_id),
            region: harmless(row.region),
            metric: row.metric,
            value: row.value.map(|value| match value {
                Value::Count(count) => Number::Count(count),
                Value::Percent(number) | Value::Average(number) => Number::Rounded(number),
            }),
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
                filters: day.filters().map(harmless).collect(),
                runs_left_out: day.left_out,
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
