//! A plan for programs: one document, written a bucket at a time. Names of others are harmless in it, as in reports.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::course::{Course, Tally, Why, Work};
use super::quote::line;
use super::steps::{Commands, Step, Undo};
use super::words::{CHINA, CONFLICT, ROOT, ROOT_OF_CHINA, better, why_not};
use super::{Entry, Head, Section, Sink};
use crate::model::{AccountId, Timestamp, VersioningState};

const SCHEMA_VERSION: u32 = 1;

pub struct Document<'a> {
    out: &'a mut dyn Write,
    home_region: &'static str,
    is_china: bool,
    between_accounts: &'static str,
    between_buckets: &'static str,
}

impl<'a> Document<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, home_region: "", is_china: false, between_accounts: "\n", between_buckets: "\n" }
    }
}

#[derive(Serialize)]
struct First<'a> {
    schema_version: u32,
    run: &'a str,
    run_start: Timestamp,
    version: &'a str,
    standard: &'static str,
    interrupted: bool,
    /// The options of the run that left accounts or buckets out.
    filters: Vec<Cow<'a, str>>,
    buckets: Tally,
    accounts_incomplete: u64,
    replication_targets_in_doubt: bool,
}

#[derive(Serialize)]
struct OfAccount<'a> {
    /// Null for a profile whose credentials said nothing.
    account: Option<&'a str>,
    name: Cow<'a, str>,
    outcome: &'static str,
    reason: Cow<'a, str>,
    tally: Tally,
    /// What has to hold before the first step; null where there is none.
    before: Option<&'static str>,
}

#[derive(Serialize)]
struct OfBucket<'a> {
    bucket: Cow<'a, str>,
    region: &'a str,
    observed_at: Timestamp,
    course: &'static str,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What<'a> {
    Work {
        state: VersioningState,
        /// Null where it is not known.
        policy_lets_root: Option<bool>,
        lifecycle_rules: usize,
        lifecycle_today: Vec<Cow<'a, str>>,
        why_not: Vec<String>,
        better: Vec<String>,
        steps: Vec<Step>,
        undo: Vec<Undo>,
    },
    Unknown {
        reasons: Vec<Cow<'a, str>>,
        needs: Vec<&'static str>,
        read_first: Vec<String>,
    },
    Nothing {},
}

impl Sink for Document<'_> {
    fn begin(&mut self, head: &Head<'_>) -> io::Result<()> {
        self.home_region = head.home_region();
        self.is_china = head.partition() == CHINA;
        let first = First {
            schema_version: SCHEMA_VERSION,
            run: &head.run.id,
            run_start: head.run.start,
            version: &head.run.version,
            standard: head.standard.as_str(),
            interrupted: head.run.interrupted,
            filters: head.run.filters().map(line).collect(),
            buckets: head.tally,
            accounts_incomplete: head.incomplete,
            replication_targets_in_doubt: !head.target_doubts.is_empty(),
        };
        writeln!(self.out, "{{\n\"plan\": {},", serde_json::to_string(&first)?)?;
        write!(self.out, "\"accounts\": [")
    }

    fn account(&mut self, section: &Section<'_>) -> io::Result<()> {
        let Section { account, tally } = section;
        let of = OfAccount {
            account: account.id.as_ref().map(AccountId::as_str),
            name: line(&account.name),
            outcome: account.listing.as_str(),
            reason: line(account.listing.reason()),
            tally: *tally,
            before: tally.has_steps().then_some(if self.is_china { ROOT_OF_CHINA } else { ROOT }),
        };
        write!(self.out, "{}{{\"about\": {}, \"buckets\": [", self.between_accounts, serde_json::to_string(&of)?)?;
        (self.between_accounts, self.between_buckets) = (",\n", "\n");
        Ok(())
    }

    fn bucket(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let commands = Commands { record: entry.record, home_region: self.home_region };
        let work = |work, why_not, better| of_work(&commands, work, why_not, better);
        let (course, what) = match entry.course {
            Course::Nothing | Course::NotOffered => return Ok(()),
            // What is wrong comes first.
            Course::Conflict(needed, why) => {
                let words = std::iter::once(CONFLICT.to_owned()).chain(why.iter().map(in_a_line));
                let better = if why.is_empty() { Vec::new() } else { better(why, needed) };
                ("conflict", work(needed, words.collect(), better))
            }
            Course::Enable(needed) => ("enable", work(needed, Vec::new(), Vec::new())),
            Course::WrongTool(needed, why) => {
                ("wrong_tool", work(needed, why.iter().map(in_a_line).collect(), better(why, needed)))
            }
            Course::Unknown(reasons) => {
                let needs = reasons.iter().filter_map(|unread| unread.action).collect();
                let reasons = reasons.iter().map(|unread| line(&unread.reason)).collect();
                ("unknown", What::Unknown { reasons, needs, read_first: commands.reading() })
            }
            Course::NoName => ("no_name", What::Nothing {}),
        };
        let of = OfBucket {
            bucket: line(&entry.record.bucket),
            region: entry.record.region.as_str(),
            observed_at: entry.record.observed_at(),
            course,
            what,
        };
        write!(self.out, "{}{}", self.between_buckets, serde_json::to_string(&of)?)?;
        self.between_buckets = ",\n";
        Ok(())
    }

    fn account_end(&mut self, _: &Section<'_>) -> io::Result<()> {
        write!(self.out, "]}}")
    }

    fn finish(&mut self) -> io::Result<()> {
        writeln!(self.out, "\n]\n}}")?;
        self.out.flush()
    }
}

fn in_a_line(why: &Why) -> String {
    line(&why_not(why)).into_owned()
}

fn of_work<'a>(commands: &Commands<'_>, work: &'a Work, why_not: Vec<String>, better: Vec<String>) -> What<'a> {
    What::Work {
        state: work.state,
        policy_lets_root: work.policy_lets_root,
        lifecycle_rules: work.lifecycle.as_ref().map_or(0, |effects| effects.rules),
        lifecycle_today: work.lifecycle.iter().flat_map(|effects| &effects.today).map(|today| line(today)).collect(),
        why_not,
        better,
        steps: commands.steps(work),
        undo: commands.undo(work),
    }
}
