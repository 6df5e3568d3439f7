//! The trend for a person: for each metric a line of blocks over the days, and where it began and ended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use time::Date;

use super::Trend;
use super::series::Series;
use crate::aggregate::MetricRow;
use crate::report::text::{harmless, wrapped};
use crate::trend::Day;

/// Blocks of a line; more days share one.
const BLOCKS: i64 = 60;

/// Organizations, OUs, accounts or Regions with lines of their own.
const MOST: usize = 20;

/// What one of them has.
#[derive(Default)]
struct Place {
    all: Vec<Series>,
    /// Of how many accounts its values are, day by day.
    accounts: Vec<(Date, (u64, u64))>,
}

/// Written when it is finished.
pub(super) struct Page<W: Write> {
    out: W,
    width: usize,
    start: Option<Date>,
    /// From the first day to the last, both counted.
    days: i64,
    places: BTreeMap<(String, String), Place>,
    /// Places that were not kept.
    further: BTreeSet<(String, String)>,
}

impl<W: Write> Page<W> {
    pub fn new(days: &[Day], width: u16, out: W) -> Self {
        let start = days.first().map(|day| day.date);
        let span = start.zip(days.last()).map_or(0, |(start, last)| (last.date - start).whole_days() + 1);
        let (places, further) = (BTreeMap::new(), BTreeSet::new());
        Self { out, width: width.into(), start, days: span, places, further }
    }

    fn blocks(&self) -> i64 {
        let fitting = i64::try_from(self.width).unwrap_or(BLOCKS) - 4;
        self.days.clamp(1, BLOCKS.min(fitting).max(1))
    }

    fn block(&self, date: Date) -> usize {
        let day = self.start.map_or(0, |start| (date - start).whole_days());
        usize::try_from(day * self.blocks() / self.days.max(1)).unwrap_or_default()
    }

    fn shares_blocks(&self) -> bool {
        self.days > self.blocks()
    }

    fn line(&self, text: &str) -> String {
        wrapped(text, self.width, 1, 3)
    }

    fn place(&self, (id, region): &(String, String), place: &Place, days: &[Day]) -> String {
        let name = if id.is_empty() { "all accounts" } else { id };
        let region = if region.is_empty() || region == id { String::new() } else { format!("  {region}") };
        let mut text = wrapped(&format!("{}{}", harmless(name), harmless(&region)), self.width, 0, 2);
        text += &self.line(&accounts(&place.accounts));
        let longest = place.all.iter().map(|series| series.metric.len()).max().unwrap_or_default();
        let ends: Vec<String> = place.all.iter().map(Series::ends).collect();
        let blocks = usize::try_from(self.blocks()).unwrap_or_default();
        let widest = ends.iter().map(|ends| ends.chars().count()).max().unwrap_or_default();
        let fits = 1 + longest + 2 + blocks + 2 + widest <= self.width;
        for (series, ends) in place.all.iter().zip(ends) {
            let (metric, line) = (series.metric, series.line());
            if fits {
                let _ = writeln!(text, " {metric:longest$}  {line}  {ends}");
            } else {
                text += &self.line(&format!("{metric}  {ends}"));
                let _ = writeln!(text, "   {line}");
            }
            for note in self.notes(series, days) {
                text += &wrapped(&note, self.width, 5, 7);
            }
        }
        text
    }

    /// What the line of a series does not show.
    fn notes(&self, series: &Series, days: &[Day]) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(series.between().filter(|_| self.shares_blocks()));
        notes.extend(series.unknown());
        if let (Some(first), Some(last)) = (days.first(), days.last())
            && (series.first.date != first.date || series.last.date != last.date)
        {
            notes.push(format!("there from {} to {}", series.first.date, series.last.date));
        }
        notes
    }
}

/// `accounts listed: 6 of 9 -> 8 of 9; fewest 3 of 9 on 2026-03-31`.
fn accounts(days: &[(Date, (u64, u64))]) -> String {
    let (Some((_, first)), Some((_, last))) = (days.first(), days.last()) else { return String::new() };
    let of = |(listed, all): (u64, u64)| format!("{listed} of {all}");
    let change = if first == last { of(*last) } else { format!("{} -> {}", of(*first), of(*last)) };
    let missing = |(listed, all): &(u64, u64)| all - listed;
    let most = days.iter().max_by_key(|(_, accounts)| missing(accounts));
    let most = most.filter(|(_, accounts)| missing(accounts) > missing(first).max(missing(last)));
    let between = most.map(|(date, accounts)| format!("; fewest {} on {date}", of(*accounts))).unwrap_or_default();
    format!("accounts listed: {change}{between}")
}

impl<W: Write> Trend for Page<W> {
    fn value(&mut self, day: &Day, row: &MetricRow<'_>) -> io::Result<()> {
        let (block, blocks) = (self.block(day.date), usize::try_from(self.blocks()).unwrap_or_default());
        let key = (row.scope_id.to_owned(), row.region.to_owned());
        if self.places.len() >= MOST && !self.places.contains_key(&key) {
            self.further.insert(key);
            return Ok(());
        }
        let place = self.places.entry(key).or_default();
        if place.accounts.last().is_none_or(|(date, _)| *date != day.date) {
            place.accounts.push((day.date, (row.accounts.listed, row.accounts.all)));
        }
        // A percentage of nothing.
        let Some(value) = row.value else { return Ok(()) };
        match place.all.iter_mut().find(|series| series.metric == row.metric) {
            Some(series) => series.add(day.date, value, block),
            None => place.all.push(Series::new(row.metric, day.date, value, block, blocks)),
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, days: &[Day], remarks: &[String]) -> io::Result<()> {
        let mut text = String::new();
        if let (Some(first), Some(last)) = (days.first(), days.last()) {
            let _ = writeln!(text, "FROM {} TO {}: {}", first.date, last.date, counted(days.len()));
        }
        if self.shares_blocks() {
            let most = (self.days + self.blocks() - 1) / self.blocks();
            text += &self.line(&format!(
                "A block is up to {most} days and shows the value that is farthest from the mean of its line."
            ));
        }
        for (key, place) in self.places.iter().filter(|(_, place)| !place.all.is_empty()) {
            text.push('\n');
            text += &self.place(key, place, days);
        }
        if !self.further.is_empty() {
            let more = format!("and {} more: --id shows one, --format csv lists all", self.further.len());
            text.push('\n');
            text += &wrapped(&more, self.width, 0, 2);
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
            let incomplete = format!("Not complete, something stayed unknown: {shown}{more}");
            text.push('\n');
            text += &wrapped(&incomplete, self.width, 0, 2);
        }
        let accepted = accepted(days);
        for remark in accepted.iter().chain(remarks) {
            text.push('\n');
            text += &wrapped(&format!("Note: {}", harmless(remark)), self.width, 0, 2);
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// Which controls were accepted in place of MFA delete, where any were: pass, fail and waived depend on it.
fn accepted(days: &[Day]) -> Option<String> {
    let controls = |day: &Day| {
        let accepted = day.source.run().accepted_controls.iter();
        let accepted = accepted.map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if accepted.is_empty() { "none".to_owned() } else { accepted }
    };
    let all: BTreeSet<String> = days.iter().map(controls).collect();
    let said = all.into_iter().collect::<Vec<_>>().join("; or ");
    (said != "none" && !said.is_empty()).then(|| format!("accepted in place of MFA delete: {said}"))
}

fn counted(days: usize) -> String {
    if days == 1 { "1 day with a run".to_owned() } else { format!("{days} days with a run") }
}
