//! The page: its parts in their order, and the figures they speak of.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::TerminalOptions;
use super::table::{Column, Layout, Text, Tone, grouped, plural, shortened};
use super::tally::Tally;
use crate::aggregate::{Scope, Value};
use crate::model::AccountRecord;
use crate::report::Summary;
use crate::report::files::SUMS;

/// From this width on lists have further columns.
pub(super) const WIDE: u16 = 100;

/// The values of one scope, by metric. Those that have none are left out.
#[derive(Default)]
pub(super) struct Figures(HashMap<&'static str, Value>);

impl Figures {
    pub fn count(&self, metric: &str) -> u64 {
        match self.0.get(metric) {
            Some(Value::Count(count)) => *count,
            Some(Value::Percent(_) | Value::Average(_) | Value::Unknown) | None => 0,
        }
    }

    /// `17.65%`, or `n/a` where there is nothing to take a percentage of.
    pub fn percent(&self, metric: &str) -> String {
        match self.0.get(metric) {
            Some(Value::Percent(percent)) => format!("{percent:.2}%"),
            Some(Value::Unknown) => "unknown".to_owned(),
            Some(Value::Count(_) | Value::Average(_)) | None => "n/a".to_owned(),
        }
    }

    /// Of how many accounts the buckets are: `6 of 9 accounts`.
    pub fn accounts(&self) -> String {
        format!("{} of {}", grouped(self.count("ListedAccountCount")), plural(self.count("AccountCount"), "account"))
    }

    /// Whether all accounts were listed to their end.
    pub fn has_all_accounts(&self) -> bool {
        self.count("ListedAccountCount") == self.count("AccountCount")
    }

    /// Whether any account was read in this scope.
    pub fn has_buckets(&self) -> bool {
        self.0.contains_key("BucketCount")
    }
}

/// In its two largest units.
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{} d {} h", grouped(days), hours % 24),
    }
}

pub(super) struct Page<'a> {
    pub layout: Layout,
    pub options: &'a TerminalOptions,
    pub tally: &'a Tally,
    pub summary: &'a Summary<'a>,
    pub organization: Figures,
    pub accounts: BTreeMap<&'a str, Figures>,
    /// By the value of the tag by which the run groups.
    pub tags: BTreeMap<&'a str, Figures>,
}

impl<'a> Page<'a> {
    pub fn new(options: &'a TerminalOptions, tally: &'a Tally, summary: &'a Summary<'a>) -> Self {
        let mut organization = Figures::default();
        let mut accounts: BTreeMap<&str, Figures> = BTreeMap::new();
        let mut tags: BTreeMap<&str, Figures> = BTreeMap::new();
        for row in summary.metrics.rows() {
            let figures = match row.scope {
                Scope::Organization => &mut organization,
                Scope::Account => accounts.entry(row.scope_id).or_default(),
                Scope::Tag => tags.entry(row.scope_id).or_default(),
                Scope::Ou | Scope::Region | Scope::AccountRegion => continue,
            };
            figures.0.extend(row.value.map(|value| (row.metric, value)));
        }
        let layout = Layout { width: options.width.clamp(60, 200), color: options.color };
        Self { layout, options, tally, summary, organization, accounts, tags }
    }

    pub fn text(&self) -> String {
        let parts = [
            Some(self.age().unwrap_or_default() + &self.head()),
            Some(self.coverage()),
            self.accounts_not_read(),
            self.gaps(),
            Some(self.standing()),
            self.settings(),
            self.worst_accounts(),
            self.tags(),
            self.findings(),
            self.policy(),
            self.protection(),
            self.advisories(),
            self.files(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// What an earlier part of a run read is as old as that, whatever the time of the report.
    fn age(&self) -> Option<String> {
        let run = self.summary.run;
        let resumed = run.resumed.last()?;
        // Without buckets the lists of the accounts may be from the first part.
        let oldest = self.tally.oldest.unwrap_or(run.start);
        let seconds =
            u64::try_from(resumed.unix().saturating_sub(oldest.unix())).ok().filter(|seconds| *seconds > 0)?;
        let line = format!("Resumed run: the oldest fact was read at {oldest}, {} earlier", duration(seconds));
        Some(self.layout.paragraph(Text::new(&line).tone(Tone::Warning)))
    }

    fn head(&self) -> String {
        let run = self.summary.run;
        let seconds = run.end.unix().abs_diff(run.start.unix());
        let title = format!("bucketlens {} on {}", run.version, self.subject());
        let time = format!("{}, {} s, standard {}", run.start, grouped(seconds), run.standard.as_str());
        let mut rows = vec![vec![Text::faint(&time)]];
        let accepted: Vec<String> = run.accepted_controls.iter().map(ToString::to_string).collect();
        if !accepted.is_empty() {
            rows.push(vec![Text::faint(&format!("accepted in place of MFA delete: {}", accepted.join(", ")))]);
        }
        match run.resumed.as_slice() {
            [] => {}
            [once] => rows.push(vec![Text::faint(&format!("resumed at {once}"))]),
            [.., last] => {
                let times = grouped(run.resumed.len() as u64);
                rows.push(vec![Text::faint(&format!("resumed {times} times, last at {last}"))]);
            }
        }
        if !run.scope.is_empty() {
            rows.push(vec![Text::faint(&run.scope.join(" "))]);
        }
        self.layout.title(&title) + &self.layout.table(rows, &[Column::Wrap])
    }

    fn subject(&self) -> String {
        match (&self.summary.run.organization_id, self.summary.accounts) {
            (Some(id), _) => format!("organization {id}"),
            (None, [account]) if account.name.is_empty() => format!("account {}", id_of(account)),
            (None, [account]) => format!("account {} ({})", id_of(account), name_of(account)),
            (None, accounts) => format!("{} accounts", grouped(accounts.len() as u64)),
        }
    }

    /// The line after a list that was cut, with the file that has all of it.
    pub fn rest(&self, all: usize, shown: usize, file: &'static str) -> String {
        if all <= shown {
            return String::new();
        }
        let written = self.options.formats.iter().any(|format| format.files().contains(&file));
        let place = if written { format!(", see {file}") } else { String::new() };
        self.layout.paragraph(Text::faint(&format!("and {} more{place}", grouped((all - shown) as u64))))
    }

    fn files(&self) -> Option<String> {
        let formats = self.options.formats.iter();
        let contents = self.tally.contents(self.summary);
        let mut names: Vec<&str> = formats.flat_map(|format| format.files_with(&contents)).chain([SUMS]).collect();
        // Two formats may stand in one folder.
        names.dedup();
        let rows = vec![vec![Text::new(&self.options.folder)], vec![Text::faint(&names.join("  "))]];
        let table = self.layout.table(rows, &[Column::Wrap]);
        (!self.options.formats.is_empty()).then(|| self.layout.title("FILES") + &table)
    }
}

/// An account's id, for a person.
pub(super) fn id_of(account: &AccountRecord) -> &str {
    account.id.as_ref().map_or("unknown", |id| id.as_str())
}

/// An account's name, as far as it helps; the files have it whole. AWS allows 50 characters.
pub(super) fn name_of(account: &AccountRecord) -> Cow<'_, str> {
    shortened(&account.name, 50)
}
