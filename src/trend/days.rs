//! Which run speaks for which day.

use std::collections::{BTreeMap, BTreeSet};

use time::Date;

use super::Source;
use crate::model::Standard;

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
        filters(&self.source)
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

pub fn choose(sources: Vec<Source>) -> Result<Chosen, TrendError> {
    let organizations: BTreeSet<&str> =
        sources.iter().filter_map(|source| source.run().organization_id.as_deref()).collect();
    if organizations.len() > 1 {
        let all = organizations.into_iter().collect::<Vec<_>>().join(" and ");
        return Err(TrendError::OtherOrganizations(all));
    }
    let mut remarks = Vec::new();
    let mut seen = BTreeSet::new();
    let mut twice = 0;
    let mut by_day: BTreeMap<Date, Vec<Source>> = BTreeMap::new();
    for source in sources {
        if seen.insert(source.run().id.clone()) {
            by_day.entry(source.date()).or_default().push(source);
        } else {
            twice += 1;
        }
    }
    if twice > 0 {
        remarks.push(format!("{} of a run that is there already: each run counts once", files(twice)));
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

fn files(count: u64) -> String {
    if count == 1 { "1 more file".to_owned() } else { format!("{count} more files") }
}

/// What was asked for, but for directory buckets: they are in no metric.
fn counted(source: &Source) -> Vec<&String> {
    source.run().scope.iter().filter(|word| *word != "--directory-buckets").collect()
}

/// What narrowed the scope of a run.
fn filters(source: &Source) -> impl Iterator<Item = &str> {
    const FILTERS: [&str; 6] = ["--account=", "--exclude-account=", "--ou=", "--exclude-ou=", "--bucket=", "--region="];
    let words = source.run().scope.iter().map(String::as_str);
    words.filter(|word| FILTERS.iter().any(|filter| word.starts_with(filter)))
}

/// The last complete run, else the last. A run with filters speaks for a day only where there is no other: it would pass
/// off a part as the whole.
fn day(date: Date, runs: Vec<Source>) -> Option<Day> {
    let left_out = (runs.len() as u64).saturating_sub(1);
    let last = |source: &Source| {
        let whole = filters(source).next().is_none();
        (whole, source.is_complete(), source.run().start, source.run().id.clone())
    };
    let source = runs.into_iter().max_by_key(last)?;
    Some(Day { date, source, left_out })
}
