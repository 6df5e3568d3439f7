//! Which run speaks for which day.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use time::Date;

use super::Source;
use crate::model::{AcceptedControl, Run, Standard};

/// A day and the run that speaks for it.
#[derive(Debug)]
pub struct Day {
    pub date: Date,
    pub source: Source,
    /// Other runs of that day.
    pub left_out: u64,
}

impl Day {
    /// What narrowed the scope of its run, as options; its values are of a part only.
    pub fn filters(&self) -> impl Iterator<Item = &str> {
        self.source.run().filters()
    }
}

/// The days in their order, and what is to be said of how they came about.
#[derive(Debug)]
pub struct Chosen {
    pub days: Vec<Day>,
    /// A sentence each.
    pub remarks: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum TrendError {
    #[error("find a finished run")]
    Nothing,
    #[error("follow one organization: there are runs of {0}")]
    OtherOrganizations(String),
}

/// `scanned`: by id, what the inventories say of runs that have one.
pub fn choose(sources: Vec<Source>, scanned: &BTreeMap<String, Run>) -> Result<Chosen, TrendError> {
    let organizations: BTreeSet<&str> =
        sources.iter().filter_map(|source| source.run().organization_id.as_deref()).collect();
    if organizations.len() > 1 {
        let all = organizations.into_iter().collect::<Vec<_>>().join(" and ");
        return Err(TrendError::OtherOrganizations(all));
    }
    let mut remarks = Vec::new();
    let mut by_id: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for source in sources {
        by_id.entry(source.run().id.clone()).or_default().push(source);
    }
    let twice: usize = by_id.values().map(|copies| copies.len() - 1).sum();
    if twice > 0 {
        remarks.push(format!("{} of a run that is there already: each run counts once", files(twice)));
    }
    let mut by_day: BTreeMap<Date, Vec<Source>> = BTreeMap::new();
    for (id, copies) in by_id {
        remarks.extend(differences(&copies, scanned.get(&id)));
        if let Some(source) = copies.into_iter().max_by_key(|source| rank(source, scanned.get(&id))) {
            by_day.entry(source.date()).or_default().push(source);
        }
    }
    let days: Vec<Day> = by_day.into_iter().filter_map(|(date, runs)| day(date, runs)).collect();
    if days.is_empty() {
        return Err(TrendError::Nothing);
    }
    let left_out: u64 = days.iter().map(|day| day.left_out).sum();
    if left_out > 0 {
        let runs = if left_out == 1 { "1 run was".to_owned() } else { format!("{left_out} runs were") };
        remarks.push(format!("{runs} left out: of several on one day the last complete one without filters counts"));
    }
    for day in &days {
        let filters: Vec<&str> = day.filters().collect();
        if !filters.is_empty() {
            let (date, filters) = (day.date, filters.join(" "));
            remarks.push(format!("the run of {date} was asked for a part only ({filters}), and counts nothing else"));
        }
    }
    let standards: BTreeSet<&str> = days.iter().map(|day| Standard::as_str(day.source.run().standard)).collect();
    if standards.len() > 1 {
        let all = standards.into_iter().collect::<Vec<_>>().join(" and ");
        remarks.push(format!("the runs were judged by {all}: pass and fail are not comparable"));
    }
    let scopes: BTreeSet<Vec<&String>> = days.iter().map(|day| counted(&day.source)).collect();
    if scopes.len() > 1 {
        remarks.push("the runs were not asked for the same: counts are not comparable throughout".to_owned());
    }
    Ok(Chosen { days, remarks })
}

fn files(count: usize) -> String {
    if count == 1 { "1 more file".to_owned() } else { format!("{count} more files") }
}

/// By what a run was judged: the standard, and what it takes for MFA delete.
fn judgement(run: &Run) -> (&'static str, &BTreeSet<AcceptedControl>) {
    (run.standard.as_str(), &run.accepted_controls)
}

/// Which of several copies of a run counts: it depends on what they say, never on the names of their folders. A run that was
/// taken up again ended later; a report that was made again may be judged otherwise.
fn rank(source: &Source, scanned: Option<&Run>) -> impl Ord + use<> {
    let run = source.run();
    let (standard, controls) = judgement(run);
    let as_scanned = scanned.is_some_and(|scanned| judgement(scanned) == judgement(run));
    (run.end, as_scanned, source.is_complete(), Reverse((standard, controls.clone())))
}

/// What is to be said where copies of one run do not say the same.
fn differences(copies: &[Source], scanned: Option<&Run>) -> Vec<String> {
    let Some(chosen) = copies.iter().max_by_key(|source| rank(source, scanned)) else { return Vec::new() };
    let (id, mut said) = (&chosen.run().id, Vec::new());
    if copies.iter().any(|copy| copy.run().end != chosen.run().end) {
        said.push(format!("run {id} is there in several states: the last, of {}, counts", chosen.run().end));
    }
    let words: BTreeSet<String> = copies.iter().map(|copy| words(copy.run())).collect();
    if words.len() > 1 {
        let (all, counts) = (words.into_iter().collect::<Vec<_>>().join(" and by "), self::words(chosen.run()));
        said.push(match scanned {
            Some(scanned) if judgement(scanned) == judgement(chosen.run()) => {
                format!("run {id} is there as judged by {all}: it counts by {counts}, as when it was scanned")
            }
            Some(_) | None => {
                format!(
                    "run {id} is there as judged by {all}, and how when it was scanned is not: it counts by {counts}"
                )
            }
        });
    }
    said
}

fn words(run: &Run) -> String {
    let controls = run.accepted_controls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let standard = run.standard.as_str();
    if controls.is_empty() { standard.to_owned() } else { format!("{standard} ({controls})") }
}

/// What was asked for, but for directory buckets: they are in no metric.
fn counted(source: &Source) -> Vec<&String> {
    source.run().scope.iter().filter(|word| *word != "--directory-buckets").collect()
}

/// The last complete run, else the last. A run with filters speaks for a day only where there is no other: it would pass
/// off a part as the whole.
fn day(date: Date, runs: Vec<Source>) -> Option<Day> {
    let left_out = (runs.len() as u64).saturating_sub(1);
    let last = |source: &Source| {
        let whole = source.run().filters().next().is_none();
        (whole, source.is_complete(), source.run().start, source.run().id.clone())
    };
    let source = runs.into_iter().max_by_key(last)?;
    Some(Day { date, source, left_out })
}
