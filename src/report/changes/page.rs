//! The comparison for a person: what is worse first.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Changes, Runs};
use crate::diff::{Change, Kind, Lost, Totals, Weight, What};
use crate::model::Standard;
use crate::report::text::{gist, harmless, wrapped};

/// Changes of a part; more would not be read.
const MOST: usize = 20;

/// Characters of a state; the other formats have it whole.
const LONGEST: usize = 100;

/// The parts of the page, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Lost,
    Failing,
    Changed,
    New,
    Gone,
    BecameUnknown,
    BecameKnown,
    NotSeen,
    FirstSeen,
    Accounts,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Lost,
        Self::Failing,
        Self::Changed,
        Self::New,
        Self::Gone,
        Self::BecameUnknown,
        Self::BecameKnown,
        Self::NotSeen,
        Self::FirstSeen,
        Self::Accounts,
    ];

    fn of(change: &Change<'_>) -> Self {
        match (change.weight, change.kind) {
            (Weight::Lost(_), _) => Self::Lost,
            (Weight::Fails, _) => Self::Failing,
            (Weight::Plain, Kind::Changed | Kind::BecameUnknown | Kind::BecameKnown) if change.bucket.is_none() => {
                Self::Accounts
            }
            (Weight::Plain, Kind::Changed) => Self::Changed,
            (Weight::Plain, Kind::BucketNew) => Self::New,
            (Weight::Plain, Kind::BucketGone) => Self::Gone,
            (Weight::Plain, Kind::BecameUnknown) => Self::BecameUnknown,
            (Weight::Plain, Kind::BecameKnown) => Self::BecameKnown,
            (Weight::Plain, Kind::BucketNotSeen) => Self::NotSeen,
            (Weight::Plain, Kind::BucketFirstSeen) => Self::FirstSeen,
            (Weight::Plain, Kind::AccountNew | Kind::AccountGone | Kind::AccountNotSeen | Kind::AccountFirstSeen) => {
                Self::Accounts
            }
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Lost => "PROTECTION LOST",
            Self::Failing => "PASSED, AND FAIL NOW",
            Self::Changed => "CHANGED",
            Self::New => "NEW BUCKETS",
            Self::Gone => "GONE BUCKETS",
            Self::BecameUnknown => "BECAME UNKNOWN: nobody can say whether it changed",
            Self::BecameKnown => "BECAME KNOWN: nobody can say whether it changed",
            Self::NotSeen => "NOT SEEN: nobody can say whether they are gone",
            Self::FirstSeen => "FIRST SEEN: nobody can say whether they are new",
            Self::Accounts => "ACCOUNTS AND ORGANIZATIONAL UNITS",
        }
    }
}

/// Changes for the same reason.
struct Group {
    /// What they have in common; empty where nothing is said of the change.
    gist: String,
    /// Of the first.
    words: String,
    /// A line for each, without its end.
    lines: Vec<String>,
}

#[derive(Default)]
struct Changed {
    /// The first of the part.
    groups: Vec<Group>,
    kept: usize,
    all: u64,
}

impl Changed {
    fn add(&mut self, change: &Change<'_>) {
        self.all += 1;
        if self.kept == MOST {
            return;
        }
        self.kept += 1;
        let (line, words) = told(change);
        let account = change.account.and_then(|account| account.id.as_ref()).map_or("", |id| id.as_str());
        let gist = gist(&words, &[account, change.bucket.map_or("", |(bucket, _)| bucket)]);
        match self.groups.iter_mut().find(|group| !gist.is_empty() && group.gist == gist) {
            Some(group) => group.lines.push(line),
            None => self.groups.push(Group { gist, words, lines: vec![line] }),
        }
    }

    fn text(&self, width: usize) -> String {
        let mut text = String::new();
        for Group { words, lines, .. } in &self.groups {
            for line in lines {
                text += &wrapped(line, width, 1, 3);
            }
            match (words.as_str(), lines.len()) {
                ("", _) => {}
                (words, 1) => text += &wrapped(words, width, 5, 5),
                (words, lines) => text += &wrapped(&format!("for each of these {lines}: {words}"), width, 5, 5),
            }
        }
        let rest = self.all - self.kept as u64;
        if rest > 0 {
            let _ = writeln!(text, " and {rest} more: bucketlens diff --format csv lists all");
        }
        text
    }
}

/// Written when it is finished.
pub(super) struct Page<'a, W: Write> {
    runs: Runs<'a>,
    width: usize,
    out: W,
    parts: [Changed; Part::ALL.len()],
}

impl<'a, W: Write> Page<'a, W> {
    pub fn new(runs: Runs<'a>, width: u16, out: W) -> Self {
        Self { runs, width: width.into(), out, parts: Default::default() }
    }

    fn head(&self) -> String {
        let mut text = "WHAT IS DIFFERENT\n".to_owned();
        for (name, run) in [("older", self.runs.old), ("newer", self.runs.new)] {
            let interrupted = if run.interrupted { ", interrupted" } else { "" };
            let _ = writeln!(text, " {name} run  {}  {}{interrupted}", run.start, run.id);
        }
        if self.runs.old.start > self.runs.new.start {
            text += " The first of the two began later than the second.\n";
        }
        let standards =
            [self.runs.judged.standard, self.runs.old.standard, self.runs.new.standard].map(Standard::as_str);
        let [both, old, new] = standards;
        let judged = match (old == both, new == both) {
            (true, true) => format!("Both are judged by {both}."),
            (false, false) if old == new => {
                format!("Both are judged by {both} here; when they were scanned, by {old}.")
            }
            (true, false) | (false, true | false) => format!(
                "Both are judged by {both} here; when it was scanned, the older run by {old}, the newer by {new}."
            ),
        };
        text += &wrapped(&judged, self.width, 1, 1);
        let accepted: Vec<String> = self.runs.judged.accepted.iter().map(ToString::to_string).collect();
        if !accepted.is_empty() {
            let accepted = format!("Accepted in place of MFA delete: {}.", accepted.join(", "));
            text += &wrapped(&accepted, self.width, 1, 1);
        }
        text
    }
}

impl<W: Write> Changes for Page<'_, W> {
    fn change(&mut self, change: &Change<'_>) -> io::Result<()> {
        let part = Part::of(change);
        let place = Part::ALL.iter().position(|other| *other == part).unwrap_or_default();
        self.parts[place].add(change);
        Ok(())
    }

    fn finish(mut self: Box<Self>, totals: &Totals) -> io::Result<()> {
        let mut text = self.head();
        for (part, changed) in Part::ALL.into_iter().zip(&self.parts).filter(|(_, changed)| changed.all > 0) {
            text.push('\n');
            text += &wrapped(&format!("{} ({})", part.title(), changed.all), self.width, 0, 1);
            text += &changed.text(self.width);
        }
        text.push('\n');
        text += &wrapped(&sum(totals), self.width, 0, 0);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn sum(totals: &Totals) -> String {
    let unclear = match totals.unclear {
        0 => String::new(),
        1 => " One bucket or account is not fully known in the newer run.".to_owned(),
        count => format!(" {count} buckets or accounts are not fully known in the newer run."),
    };
    let first = match (totals.regressions, totals.changes.is_empty()) {
        (0, true) => "Nothing is different.".to_owned(),
        (0, false) => "No regression.".to_owned(),
        (count, _) => {
            let changes = if count == 1 { "change" } else { "changes" };
            let buckets = if totals.regressed_buckets == 1 { "bucket" } else { "buckets" };
            format!("{count} {changes} for the worse, in {} {buckets}.", totals.regressed_buckets)
        }
    };
    format!("{first}{unclear}")
}

/// A change in a line, and what else is to be said of it.
fn told(change: &Change<'_>) -> (String, String) {
    let what = change.what.map_or("", words);
    let states = states(change, what);
    let kind = match change.kind {
        Kind::AccountNew => ": new",
        Kind::AccountGone => ": gone",
        Kind::AccountNotSeen => ": not seen by the newer run",
        Kind::AccountFirstSeen => ": not read by the older run",
        Kind::Changed
        | Kind::BecameUnknown
        | Kind::BecameKnown
        | Kind::BucketNew
        | Kind::BucketGone
        | Kind::BucketNotSeen
        | Kind::BucketFirstSeen => "",
    };
    let severity = match change.weight {
        Weight::Lost(_) => format!("{} ", Lost::SEVERITY.as_str()),
        Weight::Plain | Weight::Fails => String::new(),
    };
    let said = match harmless(change.words) {
        words if !words.is_empty() && states.is_empty() && !what.is_empty() => format!("{what} {words}"),
        words => words.into_owned(),
    };
    (format!("{severity}{}{states}{kind}", subject(change)), said)
}

fn subject(change: &Change<'_>) -> String {
    let Some(account) = change.account else {
        return change.unit.map_or_else(String::new, |unit| harmless(unit).into_owned());
    };
    let id = account.id.as_ref().map_or("unknown", |id| id.as_str());
    match change.bucket {
        Some((bucket, region)) => format!("{id}  {} ({})", harmless(bucket), harmless(region.as_str())),
        None if account.name.is_empty() => id.to_owned(),
        None => format!("{id}  {}", harmless(&account.name)),
    }
}

fn words(what: What) -> &'static str {
    match what {
        What::Region => "Region",
        What::Versioning => "versioning",
        What::MfaDelete => "MFA delete",
        What::Lifecycle => "lifecycle",
        What::Status => "status",
        What::Extra(extra) => extra.as_str(),
        What::AccountName | What::UnitName => "name",
        What::AccountPlace => "organizational unit",
        What::AccountState => "state",
    }
}

/// `: versioning enabled -> suspended`.
fn states(change: &Change<'_>, what: &str) -> String {
    let short = |text: &str| {
        let text = harmless(text);
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text.into_owned(),
        }
    };
    match (change.old, change.new) {
        // The words have their names.
        (Some(_), Some(_)) if change.what == Some(What::AccountPlace) => String::new(),
        (Some(old), Some(new)) if old == new => String::new(),
        (Some(old), Some(new)) => format!(": {what} {} -> {}", short(old), short(new)),
        (Some(old), None) if what.is_empty() => format!(": was {}", short(old)),
        (Some(old), None) => format!(": {what} {} -> unknown", short(old)),
        (None, Some(new)) if what.is_empty() => format!(": {}", short(new)),
        (None, Some(new)) => format!(": {what} unknown -> {}", short(new)),
        (None, None) => String::new(),
    }
}
