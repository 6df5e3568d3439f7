//! The comparison for a person: what is worse first.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Changes, Runs};
use crate::diff::{Change, Kind, Lost, Totals, Weight, What};
use crate::model::Standard;
use crate::report::text::harmless;

/// Lines of a part; more would not be read.
const MOST: usize = 20;

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
            Self::Accounts => "ACCOUNTS",
        }
    }
}

/// Written when it is finished.
pub(super) struct Page<'a, W: Write> {
    runs: Runs<'a>,
    out: W,
    /// The first lines of each part, and how many it has.
    parts: [(Vec<String>, u64); Part::ALL.len()],
}

impl<'a, W: Write> Page<'a, W> {
    pub fn new(runs: Runs<'a>, out: W) -> Self {
        Self { runs, out, parts: Default::default() }
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
        let _ = write!(text, " Both are judged by {both}");
        let _ = match (old == both, new == both) {
            (true, true) => writeln!(text, "."),
            (false, false) if old == new => writeln!(text, " here; when they were scanned, by {old}."),
            (true, false) | (false, true | false) => {
                writeln!(text, " here; when it was scanned, the older run by {old}, the newer by {new}.")
            }
        };
        text
    }
}

impl<W: Write> Changes for Page<'_, W> {
    fn change(&mut self, change: &Change<'_>) -> io::Result<()> {
        let part = Part::of(change);
        let place = Part::ALL.iter().position(|other| *other == part).unwrap_or_default();
        let (lines, count) = &mut self.parts[place];
        *count += 1;
        if lines.len() < MOST {
            lines.push(line(change));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, totals: &Totals) -> io::Result<()> {
        let mut text = self.head();
        for (part, (lines, count)) in Part::ALL.into_iter().zip(&self.parts).filter(|(_, (_, count))| *count > 0) {
            let _ = writeln!(text, "\n{} ({count})", part.title());
            for line in lines {
                text.push_str(line);
            }
            let rest = count - lines.len() as u64;
            if rest > 0 {
                let _ = writeln!(text, " and {rest} more: bucketlens diff --format csv lists all");
            }
        }
        text.push('\n');
        text += &sum(totals);
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
    format!("{first}{unclear}\n")
}

/// A change in a line, with its words in a second one.
fn line(change: &Change<'_>) -> String {
    let account = change.account.id.as_ref().map_or("unknown", |id| id.as_str());
    let subject = match change.bucket {
        Some((bucket, region)) => format!("{account}  {} ({})", harmless(bucket), harmless(region.as_str())),
        None if change.account.name.is_empty() => account.to_owned(),
        None => format!("{account}  {}", harmless(&change.account.name)),
    };
    let what = match change.what {
        None => "",
        Some(What::Region) => "Region",
        Some(What::Versioning) => "versioning",
        Some(What::MfaDelete) => "MFA delete",
        Some(What::Lifecycle) => "lifecycle",
        Some(What::Status) => "status",
        Some(What::Extra(extra)) => extra.as_str(),
    };
    let short = |text: &str| {
        let text = harmless(text);
        if text.chars().count() > 100 {
            text.chars().take(97).chain("...".chars()).collect()
        } else {
            text.into_owned()
        }
    };
    let states = match (change.old, change.new) {
        (Some(old), Some(new)) if old == new => String::new(),
        (Some(old), Some(new)) => format!(": {what} {} -> {}", short(old), short(new)),
        (Some(old), None) if what.is_empty() => format!(": was {}", short(old)),
        (Some(old), None) => format!(": {what} {} -> unknown", short(old)),
        (None, Some(new)) if what.is_empty() => format!(": {}", short(new)),
        (None, Some(new)) => format!(": {what} unknown -> {}", short(new)),
        (None, None) => String::new(),
    };
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
    let words = match (change.words, &states) {
        ("", _) => String::new(),
        (words, states) if states.is_empty() && !what.is_empty() => format!("     {what} {}\n", harmless(words)),
        (words, _) => format!("     {}\n", harmless(words)),
    };
    format!(" {severity}{subject}{states}{kind}\n{words}")
}
