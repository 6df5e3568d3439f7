//! A plan as a POSIX shell script. What it does is written once, in `steps.sh`; what is made here is data: a function an
//! account, with a line a bucket.

use std::io::{self, Write};

use super::contents::QUERY;
use super::course::{Course, Lock, Why, Work};
use super::quote::{line, shell};
use super::steps::{mfa, saved_in, status};
use super::words::{CONFLICT, NO_BUCKET, POLICY_KEEPS_ROOT_OUT, better, filtered, lock_unread, why_not};
use super::{Entry, Head, Section, Sink};

const STEPS: &str = include_str!("steps.sh");

pub struct Script<'a> {
    out: &'a mut dyn Write,
    home_region: &'static str,
}

impl<'a> Script<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, home_region: "" }
    }

    fn unknown(&mut self, what: &str) -> io::Result<()> {
        writeln!(self.out, "  unknown {}", shell(&line(what)))
    }

    /// Why MFA delete is the wrong tool, and what is better.
    fn against(&mut self, work: &Work, why: &[Why]) -> io::Result<()> {
        if why.is_empty() {
            return Ok(());
        }
        let why_not = why.iter().map(|why| format!("MFA delete is the wrong tool: {}", why_not(why)));
        let better = better(why, work).into_iter().map(|better| format!("better: {better}"));
        why_not.chain(better).try_for_each(|words| writeln!(self.out, "  unlike {}", shell(&line(&words))))
    }

    fn turn(&mut self, entry: &Entry<'_>, work: &Work, course: &str) -> io::Result<()> {
        if work.policy_lets_root == Some(false) {
            writeln!(self.out, "  unlike {}", shell(&format!("mind: {POLICY_KEEPS_ROOT_OUT}")))?;
        }
        for today in work.lifecycle.iter().flat_map(|effects| &effects.today) {
            writeln!(self.out, "  says {}", shell(&line(today)))?;
        }
        for end in work.lifecycle.iter().flat_map(|effects| &effects.ends) {
            writeln!(self.out, "  says {}", shell(&format!("without it {end}")))?;
        }
        let region = match entry.record.region.as_str() {
            "unknown" => self.home_region,
            region => region,
        };
        let lock = match work.object_lock {
            Lock::None => "None",
            Lock::Enabled(_) => "Enabled",
            Lock::Unread => "unread",
        };
        writeln!(
            self.out,
            "  turn {} {} {} {} {} {lock} {course} {} {}",
            shell(&entry.record.bucket),
            shell(region),
            status(work.state.versioning),
            mfa(work.state.mfa_delete),
            work.lifecycle.as_ref().map_or(0, |effects| effects.rules),
            shell(&saved_in(entry.record)),
            shell(work.lifecycle.as_ref().map_or("", |effects| &effects.contents)),
        )
    }
}

impl Sink for Script<'_> {
    fn begin(&mut self, head: &Head<'_>) -> io::Result<()> {
        self.home_region = head.home_region();
        let Head { run, standard, tally, .. } = head;
        writeln!(
            self.out,
            "#!/bin/sh\n# Plan for MFA delete, made by bucketlens {} from run {} of {}, standard {}.\n\
             # Buckets: {} with MFA delete beside a lifecycle configuration, {} to enable, {} for which MFA delete is the\n\
             # wrong tool (the first and the last are only done when they are named),\n\
             # {} unknown, {} with a name that is put into no command, {} where AWS does not offer MFA delete,\n\
             # {} with nothing to do.\n\
             # Read it, then: sh FILE check",
            line(&run.version),
            line(&run.id),
            run.start,
            standard.as_str(),
            tally.conflict,
            tally.enable,
            tally.wrong_tool,
            tally.unknown,
            tally.no_name,
            tally.not_offered,
            tally.nothing
        )?;
        if let Some(words) = filtered(run) {
            writeln!(self.out, "# Mind: {}.", line(&words))?;
        }
        for doubt in &head.target_doubts {
            writeln!(self.out, "# Mind: {}.", line(doubt))?;
        }
        if tally.object_lock_unread > 0 {
            writeln!(self.out, "# Mind: {}.", lock_unread(tally.object_lock_unread))?;
        }
        let (partition, region) = (shell(head.partition()), head.home_region());
        writeln!(self.out, "partition={partition} home_region={region}\nquery={}\n\n{STEPS}", shell(QUERY))
    }

    fn account(&mut self, section: &Section<'_>) -> io::Result<()> {
        let (outcome, name) = (&section.account.listing, line(&section.account.name));
        writeln!(self.out, "# Account {} {name}", section.id())?;
        if section.account.id.is_none() {
            return writeln!(self.out, "# {}: {}\n", outcome.as_str(), line(outcome.reason()));
        }
        if section.tally.is_empty() && outcome.has_listed() {
            writeln!(self.out, "# {NO_BUCKET}")?;
        }
        // A function needs a command; buckets may follow or not.
        writeln!(self.out, "plan_{}() {{\n  :", section.id())?;
        if outcome.reason().is_empty() {
            return Ok(());
        }
        self.unknown(&format!("buckets of this account ({}): {}", outcome.as_str(), outcome.reason()))
    }

    fn bucket(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let name = &entry.record.bucket;
        match entry.course {
            Course::Nothing | Course::NotOffered => Ok(()),
            Course::Enable(work) => self.turn(entry, work, "enable"),
            Course::Conflict(work, why) => {
                writeln!(self.out, "  unlike {}", shell(CONFLICT))?;
                self.against(work, why)?;
                self.turn(entry, work, "conflict")
            }
            Course::WrongTool(work, why) => {
                self.against(work, why)?;
                self.turn(entry, work, "wrong-tool")
            }
            Course::Unknown(reasons) => {
                reasons.iter().try_for_each(|unread| self.unknown(&format!("{name}: {}", unread.reason)))
            }
            Course::NoName => self.unknown(&format!("{name}: no bucket of Amazon S3 can have this name: by hand")),
        }
    }

    fn account_end(&mut self, section: &Section<'_>) -> io::Result<()> {
        if section.account.id.is_some() { writeln!(self.out, "}}\n") } else { Ok(()) }
    }

    fn finish(&mut self) -> io::Result<()> {
        writeln!(self.out, "main \"$@\"")?;
        self.out.flush()
    }
}
