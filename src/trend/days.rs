//! Which run speaks for which day.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use time::Date;

use super::Source;
use crate::model::{AcceptedControl, Breadth, Run, RunId, Standard, Timestamp};

/// Days, or runs, that a remark lists.
const MOST: usize = 3;

/// A day and the run that speaks for it.
#[derive(Debug)]
pub struct Day {
    pub date: Date,
    pub source: Source,
    /// Other runs of that day, in the order in which they began.
    pub left_out: Vec<LeftOut>,
}

/// A run that does not speak for its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub id: RunId,
    pub start: Timestamp,
    pub complete: bool,
    pub breadth: Breadth,
    pub filters: Vec<String>,
}

impl LeftOut {
    fn of(source: &Source) -> Self {
        let run = source.run();
        Self {
            id: run.id.clone(),
            start: run.start,
            complete: source.is_complete(),
            breadth: run.breadth(),
            filters: run.filters().map(str::to_owned).collect(),
        }
    }

    /// `2026-03-31T01:00:02Z, of one account, --bucket=one`.
    fn words(&self) -> String {
        let mut words = vec![self.start.to_string()];
        words.extend(match self.breadth {
            Breadth::Organization => None,
            Breadth::Accounts => Some("of some accounts".to_owned()),
            Breadth::Account => Some("of one account".to_owned()),
        });
        words.extend((!self.complete).then(|| "not complete".to_owned()));
        words.extend(self.filters.iter().cloned());
        words.join(", ")
    }
}

impl Day {
    /// What narrowed the scope of its run, as options; its values are of a part only.
    pub fn filters(&self) -> impl Iterator<Item = &str> {
        self.source.run().filters()
    }

    /// How many accounts of the organization have a place in it that is unknown: metrics by OU leave them out.
    pub fn unplaced(&self) -> usize {
        let is_organization = self.source.run().organization_id.is_some();
        self.source.accounts().iter().filter(|account| is_organization && account.ou_path.is_empty()).count()
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
pub fn choose(sources: Vec<Source>, scanned: &BTreeMap<RunId, Run>) -> Result<Chosen, TrendError> {
    let organizations: BTreeSet<&str> =
        sources.iter().filter_map(|source| source.run().organization_id.as_deref()).collect();
    if organizations.len() > 1 {
        let all = organizations.into_iter().collect::<Vec<_>>().join(" and ");
        return Err(TrendError::OtherOrganizations(all));
    }
    let mut remarks = Vec::new();
    let mut by_id: BTreeMap<RunId, Vec<Source>> = BTreeMap::new();
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
    remarks.extend(left_out(&days));
    remarks.extend(parts(&days));
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

fn left_out(days: &[Day]) -> Option<String> {
    let all: Vec<String> = days.iter().flat_map(|day| &day.left_out).map(LeftOut::words).collect();
    let runs = match all.len() {
        0 => return None,
        1 => "1 run was".to_owned(),
        count => format!("{count} runs were"),
    };
    let which = listed(all, "; ");
    Some(format!(
        "{runs} left out ({which}): of several on one day that of most accounts counts, and among these the last complete \
         one without filters"
    ))
}

/// Which days are those of a part only, by what they are of.
fn parts(days: &[Day]) -> Vec<String> {
    let widest = days.iter().map(|day| day.source.run().breadth()).max();
    let mut by_part: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for day in days {
        let run = day.source.run();
        let mut part = Vec::new();
        if widest > Some(run.breadth()) {
            part.push(match day.source.accounts() {
                [account] => format!("account {}", account.id.as_ref().map_or("unknown", |id| id.as_str())),
                accounts => format!("{} accounts", accounts.len()),
            });
        }
        part.extend(day.filters().map(str::to_owned));
        if !part.is_empty() {
            by_part.entry(part.join(" ")).or_default().push(day.date.to_string());
        }
    }
    let sentence = |(part, dates): (String, Vec<String>)| {
        let (runs, were, count) = if dates.len() == 1 { ("run", "was", "counts") } else { ("runs", "were", "count") };
        format!("the {runs} of {} {were} asked for a part only ({part}), and {count} nothing else", listed(dates, ", "))
    };
    by_part.into_iter().map(sentence).collect()
}

/// The first of these, and how many more there are.
pub fn listed(all: Vec<String>, separator: &str) -> String {
    let rest = all.len().saturating_sub(MOST);
    let shown = all.into_iter().take(MOST).collect::<Vec<_>>().join(separator);
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
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

/// The run over most accounts; of these the last complete one without filters. Any other would pass off a part as the
/// whole.
fn day(date: Date, mut runs: Vec<Source>) -> Option<Day> {
    runs.sort_by_cached_key(|source| {
        let run = source.run();
        let accounts = match run.breadth() {
            // However many it has that day, it is all of it.
            Breadth::Organization => 0,
            Breadth::Accounts | Breadth::Account => source.accounts().len(),
        };
        let whole = run.filters().next().is_none();
        (run.breadth(), accounts, whole, source.is_complete(), run.start, run.id.clone())
    });
    let source = runs.pop()?;
    let mut left_out: Vec<LeftOut> = runs.iter().map(LeftOut::of).collect();
    left_out.sort_by_key(|run| run.start);
    Some(Day { date, source, left_out })
}
