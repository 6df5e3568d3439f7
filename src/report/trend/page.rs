//! The trend for a person: for each metric a line of blocks over the days, and where it began and ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use time::Date;

use super::Trend;
use crate::aggregate::{MetricRow, Value};
use crate::report::text::harmless;
use crate::trend::Day;

/// Blocks of a line; more days share one, and the last of them is shown.
const WIDTH: i64 = 60;

/// Organizations, OUs, accounts or Regions with lines of their own.
const MOST: usize = 20;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

#[derive(Clone, Copy)]
struct Point {
    date: Date,
    value: Value,
}

/// The first and last value, and the last one of each block.
struct Series {
    metric: &'static str,
    first: Point,
    last: Point,
    blocks: Vec<Option<f64>>,
}

/// Written when it is finished.
pub(super) struct Page<W: Write> {
    out: W,
    start: Option<Date>,
    /// From the first day to the last, both counted.
    days: i64,
    places: BTreeMap<(String, String), Vec<Series>>,
    /// Places that were not kept.
    further: std::collections::BTreeSet<(String, String)>,
}

impl<W: Write> Page<W> {
    pub fn new(days: &[Day], out: W) -> Self {
        let start = days.first().map(|day| day.date);
        let span = start.zip(days.last()).map_or(0, |(start, last)| (last.date - start).whole_days() + 1);
        Self { out, start, days: span, places: BTreeMap::new(), further: std::collections::BTreeSet::new() }
    }

    fn width(&self) -> i64 {
        self.days.clamp(1, WIDTH)
    }

    fn block(&self, date: Date) -> usize {
        let day = self.start.map_or(0, |start| (date - start).whole_days());
        usize::try_from(day * self.width() / self.days.max(1)).unwrap_or_default()
    }
}

fn number(value: Value) -> f64 {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "the height of a block")]
        Value::Count(count) => count as f64,
        Value::Percent(number) | Value::Average(number) => number,
    }
}

fn words(value: Value) -> String {
    match value {
        Value::Count(count) => count.to_string(),
        Value::Percent(percent) => format!("{percent:.2}%"),
        Value::Average(average) => format!("{average:.2}"),
    }
}

/// `+3`, `-1.20`, or nothing.
fn change(first: Value, last: Value) -> String {
    match (first, last) {
        (Value::Count(first), Value::Count(last)) if first == last => String::new(),
        (Value::Count(first), Value::Count(last)) => {
            format!("{}{}", if last > first { "+" } else { "-" }, last.abs_diff(first))
        }
        (first, last) => {
            let difference = number(last) - number(first);
            if difference.abs() < 0.005 { String::new() } else { format!("{difference:+.2}") }
        }
    }
}

impl<W: Write> Trend for Page<W> {
    fn value(&mut self, day: &Day, row: &MetricRow<'_>) -> io::Result<()> {
        let Some(value) = row.value else { return Ok(()) };
        let (block, width) = (self.block(day.date), usize::try_from(self.width()).unwrap_or_default());
        let place = (row.scope_id.to_owned(), row.region.to_owned());
        if self.places.len() >= MOST && !self.places.contains_key(&place) {
            self.further.insert(place);
            return Ok(());
        }
        let point = Point { date: day.date, value };
        let all = self.places.entry(place).or_default();
        let place = all.iter().position(|series| series.metric == row.metric).unwrap_or_else(|| {
            all.push(Series { metric: row.metric, first: point, last: point, blocks: vec![None; width] });
            all.len() - 1
        });
        let series = &mut all[place];
        series.last = point;
        series.blocks[block] = Some(number(value));
        Ok(())
    }

    fn finish(mut self: Box<Self>, days: &[Day], remarks: &[String]) -> io::Result<()> {
        let mut text = String::new();
        if let (Some(first), Some(last)) = (days.first(), days.last()) {
            let _ = writeln!(text, "FROM {} TO {}: {}", first.date, last.date, counted(days.len()));
        }
        for ((id, region), all) in &self.places {
            let name = if id.is_empty() { "all accounts" } else { id };
            let region = if region.is_empty() || region == id { String::new() } else { format!("  {region}") };
            let _ = writeln!(text, "\n{}{}", harmless(name), harmless(&region));
            let longest = all.iter().map(|series| series.metric.len()).max().unwrap_or_default();
            for series in all {
                let (first, last) = (series.first, series.last);
                let line = sparkline(&series.blocks);
                let _ = write!(
                    text,
                    " {:longest$}  {line}  {} -> {}",
                    series.metric,
                    words(first.value),
                    words(last.value)
                );
                let change = change(first.value, last.value);
                let _ = writeln!(text, "{}{change}", if change.is_empty() { "" } else { "  " });
                if first.date != days[0].date || last.date != days[days.len() - 1].date {
                    let _ = writeln!(text, " {:longest$}  known from {} to {}", "", first.date, last.date);
                }
            }
        }
        if !self.further.is_empty() {
            let _ = writeln!(text, "\nand {} more: --id names one, --format csv lists all", self.further.len());
        }
        let incomplete: Vec<String> = days
            .iter()
            .filter(|day| !day.source.is_complete())
            .map(|day| format!("{}{}", day.date, if day.source.run().interrupted { " (interrupted)" } else { "" }))
            .collect();
        if !incomplete.is_empty() {
            let rest = incomplete.len().saturating_sub(MOST);
            let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            let shown = incomplete.into_iter().take(MOST).collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "\nNot complete, something stayed unknown: {shown}{more}");
        }
        for remark in remarks {
            let _ = writeln!(text, "\nNote: {}", harmless(remark));
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn counted(days: usize) -> String {
    if days == 1 { "1 day with a run".to_owned() } else { format!("{days} days with a run") }
}

/// From the lowest value to the highest; a blank for days without one.
fn sparkline(blocks: &[Option<f64>]) -> String {
    let known = || blocks.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let block = |value: &Option<f64>| match value {
        None => ' ',
        Some(_) if high <= low => BLOCKS[3],
        Some(value) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
            let place = ((value - low) / (high - low) * 7.0).round() as usize;
            BLOCKS[place.min(7)]
        }
    };
    blocks.iter().map(block).collect()
}
