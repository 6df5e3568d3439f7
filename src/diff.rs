//! What is different between two runs: both inventories are read side by side, a bucket at a time, in the order of
//! account ids and bucket names. Organizational units come first.
//!
//! What nobody knows is not called different. A fact that could be read once and not the other time *became unknown*
//! or *became known*; a bucket that is missing is *gone* only where the newer run listed the account to its end and
//! would have kept the bucket, else it was *not seen*; likewise it is *new* only where the older run would have had
//! it. A bucket that was listed and of which nothing could be read is neither: lists of S3 may be behind. Facts that only
//! one of the runs asked for are not compared; of directory buckets a run that did not ask for them says nothing.

mod buckets;
mod change;
mod lifecycle;
mod merge;
mod organization;
mod settings;
mod side;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::evaluate::{Evaluation, Evaluator};
use crate::inventory::InventoryError;
use crate::model::{AcceptedControl, AccountRecord, BucketRecord, Facts, Outcome, Reason, Severity, Standard, Status};
use buckets::Difference;
use merge::{Pair, merge};

pub use change::{Change, Kind, Lost, Weight, What};
pub use side::{Kept, Side, check};

/// By what both runs are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub standard: Standard,
    /// What [`Standard::CisWithCompensation`] takes for MFA delete.
    pub accepted: BTreeSet<AcceptedControl>,
}

/// What a comparison came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub changes: BTreeMap<Kind, u64>,
    /// Changes by which the newer run is worse; a bucket may have several.
    pub regressions: u64,
    /// Buckets that have one.
    pub regressed_buckets: u64,
    /// Buckets and accounts of which the newer run does not know all that it asked for: what became of them cannot be
    /// said.
    pub unclear: u64,
    /// The worst severity among what the newer run has and the older had not: failed findings, and protection that is
    /// lost.
    pub worst_new: Option<Severity>,
}

impl Totals {
    pub fn of(&self, kind: Kind) -> u64 {
        self.changes.get(&kind).copied().unwrap_or_default()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    #[error("compare the runs: both are one and the same run, {0}")]
    SameRun(String),
    #[error("compare the runs: the older is of organization {old}, the newer of {new}")]
    OtherOrganization { old: String, new: String },
    #[error("compare the runs: they have no account in common")]
    NothingInCommon,
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error("write the comparison: {0}")]
    Write(#[from] io::Error),
}

/// Tells every change: those of organizational units, then the rest, sorted by account id, then bucket name. Both runs are judged alike, each on its own day. What
/// [`check`] refuses makes no sense here.
pub fn compare(
    old: &Side<'_>,
    new: &Side<'_>,
    judged: &Judged,
    tell: &mut dyn FnMut(&Change<'_>) -> io::Result<()>,
) -> Result<Totals, DiffError> {
    let evaluator = |side: &Side<'_>| {
        let run = &side.inventory.closing.run;
        let evaluator = Evaluator::new(judged.standard, run.start.date(), run.partition.as_deref());
        evaluator.accepting(judged.accepted.iter().copied())
    };
    let (before, after) = (evaluator(old), evaluator(new));
    let mut course = Course { old, new, before, after, totals: Totals::default(), tell };
    organization::units(&mut course)?;
    let accounts = |side: &Side<'_>| side.inventory.accounts().to_vec().into_iter().map(Ok::<_, DiffError>);
    // An account without an id has no buckets, and none like it.
    let order = |a: &AccountRecord, b: &AccountRecord| match (&a.id, &b.id) {
        (None, None) => Ordering::Less,
        (a, b) => a.cmp(b),
    };
    for pair in merge(accounts(old), accounts(new), order) {
        course.accounts(pair?)?;
    }
    Ok(course.totals)
}

struct Course<'a, 'b> {
    old: &'a Side<'a>,
    new: &'a Side<'a>,
    before: Evaluator,
    after: Evaluator,
    totals: Totals,
    tell: &'b mut dyn FnMut(&Change<'_>) -> io::Result<()>,
}

impl Course<'_, '_> {
    fn tell(&mut self, change: &Change<'_>) -> Result<(), DiffError> {
        *self.totals.changes.entry(change.kind).or_default() += 1;
        if change.weight.is_regression() {
            self.totals.regressions += 1;
        }
        match change.weight {
            Weight::Lost(_) => self.totals.worst_new = self.totals.worst_new.max(Some(Lost::SEVERITY)),
            // The finding behind it is counted with its own severity.
            Weight::Fails | Weight::Plain => {}
        }
        Ok((self.tell)(change)?)
    }

    fn accounts(&mut self, pair: Pair<AccountRecord>) -> Result<(), DiffError> {
        match pair {
            Pair::Both(old, new) => self.same_account(&old, &new),
            // What it was is told by the newer run, under its id or without one.
            Pair::Old(account) if account.id.is_none() => Ok(()),
            Pair::Old(account) => {
                match self.new.would_have(self.old, &account) {
                    Ok(()) => self.account(&account, Kind::AccountGone, &in_the_older_run(&was_read(&account)))?,
                    Err(why) => {
                        self.totals.unclear += 1;
                        self.account(&account, Kind::AccountNotSeen, &why)?;
                        return Ok(());
                    }
                }
                for record in self.old.inventory.buckets(&account)? {
                    self.gone(&account, &record?, "with its account")?;
                }
                Ok(())
            }
            Pair::New(account) if self.was_nameless_before(&account) => {
                self.totals.unclear += 1;
                Ok(())
            }
            Pair::New(account) => {
                let reach = self.old.would_have(self.new, &account);
                let (kind, why) = match &reach {
                    Ok(()) => (Kind::AccountNew, was_read(&account)),
                    Err(why) => (Kind::AccountFirstSeen, why.clone()),
                };
                if !matches!(*account.outcome(), Outcome::Complete | Outcome::Skipped(_)) {
                    self.totals.unclear += 1;
                }
                self.account(&account, kind, &why)?;
                let kind = if reach.is_ok() { Kind::BucketNew } else { Kind::BucketFirstSeen };
                for record in self.new.inventory.buckets(&account)? {
                    let record = record?;
                    match self.old.asked_for(&record) {
                        Ok(()) => self.appeared(&account, kind, &record, "with its account")?,
                        Err(why) => self.appeared(&account, Kind::BucketFirstSeen, &record, &in_the_older_run(&why))?,
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether it is that of a profile that said neither time whose its credentials are.
    fn was_nameless_before(&self, account: &AccountRecord) -> bool {
        let mut before = self.old.inventory.accounts().iter();
        account.id.is_none() && before.any(|old| old.id.is_none() && old.name == account.name)
    }

    fn same_account(&mut self, old: &AccountRecord, new: &AccountRecord) -> Result<(), DiffError> {
        organization::account(self, old, new)?;
        match (&old.listing, &new.listing) {
            // Closed accounts stay in the list of the organization for a while.
            (Outcome::Skipped(_), Outcome::Skipped(_)) => {}
            // Nothing changed: neither run read it.
            (Outcome::Failed(_) | Outcome::Skipped(_), Outcome::Failed(_) | Outcome::Skipped(_))
                if old.buckets == 0 && new.buckets == 0 =>
            {
                self.totals.unclear += 1;
                return Ok(());
            }
            (_, Outcome::Failed(why) | Outcome::Skipped(why)) if new.buckets == 0 => {
                self.totals.unclear += 1;
                // Its buckets are not told one by one: nothing else is to be said of them.
                let words = format!("{why}; not compared: {} of the older run", buckets(old.buckets));
                return self.account(new, Kind::AccountNotSeen, &words);
            }
            (Outcome::Failed(why) | Outcome::Skipped(why), _) if old.buckets == 0 => {
                self.account(new, Kind::AccountFirstSeen, &in_the_older_run(why))?;
            }
            (_, Outcome::Incomplete(_) | Outcome::Failed(_)) => self.totals.unclear += 1,
            (_, Outcome::Complete | Outcome::Skipped(_)) => {
                self.totals.unclear += u64::from(!new.directory_gaps.is_empty());
            }
        }
        let (then, now) = (self.old.inventory.buckets(old)?, self.new.inventory.buckets(new)?);
        let order = |a: &BucketRecord, b: &BucketRecord| a.bucket.cmp(&b.bucket);
        for pair in merge(then, now, order) {
            match pair? {
                Pair::Both(then, now) => self.same_bucket(new, &then, &now)?,
                Pair::Old(record) => match self.new.would_have_bucket(new, &record) {
                    Ok(()) => self.gone(new, &record, "")?,
                    Err(why) => {
                        // What was not asked for is no gap in what is known.
                        self.totals.unclear += u64::from(self.new.asked_for(&record).is_ok());
                        let evaluation = self.before.evaluate(&record);
                        self.whole(new, Kind::BucketNotSeen, &record, &evaluation, &why)?;
                    }
                },
                Pair::New(record) => match self.old.would_have_bucket(old, &record) {
                    Ok(()) => self.appeared(new, Kind::BucketNew, &record, "")?,
                    Err(why) => self.appeared(new, Kind::BucketFirstSeen, &record, &in_the_older_run(&why))?,
                },
            }
        }
        Ok(())
    }

    fn same_bucket(
        &mut self,
        account: &AccountRecord,
        then: &BucketRecord,
        now: &BucketRecord,
    ) -> Result<(), DiffError> {
        match (&then.facts, &now.facts) {
            (Facts::Vanished { .. }, Facts::Vanished { .. }) | (Facts::Directory { .. }, Facts::Directory { .. }) => {
                return Ok(());
            }
            (Facts::Read { .. } | Facts::Directory { .. }, Facts::Vanished { .. }) => {
                let before = self.before.evaluate(then);
                return self.whole(account, Kind::BucketGone, then, &before, "listed, and gone when it was read");
            }
            // AWS has names of their own for each kind.
            (Facts::Read { .. }, Facts::Directory { .. }) | (Facts::Directory { .. }, Facts::Read { .. }) => {
                let before = self.before.evaluate(then);
                self.whole(account, Kind::BucketGone, then, &before, "another kind of bucket has its name")?;
                return self.appeared(account, Kind::BucketNew, now, "another kind of bucket had its name");
            }
            (Facts::Vanished { .. }, Facts::Read { .. } | Facts::Directory { .. }) => {
                return self.appeared(account, Kind::BucketNew, now, "it was gone when the older run read it");
            }
            (Facts::Read { .. }, Facts::Read { .. }) => {}
        }
        let (before, after) = (self.before.evaluate(then), self.after.evaluate(now));
        self.new_findings(&after, Some(&before));
        let comparison = buckets::compare((then, &before), (now, &after));
        self.totals.unclear += u64::from(comparison.lacks);
        let worse = comparison.differences.iter().any(|difference| difference.weight.is_regression());
        self.totals.regressed_buckets += u64::from(worse);
        for Difference { kind, what, old, new, weight, words } in &comparison.differences {
            self.tell(&Change {
                account: Some(account),
                unit: None,
                bucket: Some((&now.bucket, &now.region)),
                kind: *kind,
                what: Some(*what),
                old: old.as_deref(),
                new: new.as_deref(),
                weight: *weight,
                words,
            })?;
        }
        Ok(())
    }

    /// A bucket that only the older run has, where the newer would have it.
    fn gone(&mut self, account: &AccountRecord, record: &BucketRecord, words: &str) -> Result<(), DiffError> {
        let evaluation = self.before.evaluate(record);
        if let Err(why) = self.new.asked_for(record) {
            return self.whole(account, Kind::BucketNotSeen, record, &evaluation, &why);
        }
        match unread(record) {
            // It was gone already.
            None if matches!(record.facts, Facts::Vanished { .. }) => Ok(()),
            None => self.whole(account, Kind::BucketGone, record, &evaluation, words),
            Some(why) => {
                let words = format!("the older run listed it and read nothing of it: {why}");
                self.whole(account, Kind::BucketNotSeen, record, &evaluation, &words)
            }
        }
    }

    /// A bucket that only the newer run has.
    fn appeared(
        &mut self,
        account: &AccountRecord,
        kind: Kind,
        record: &BucketRecord,
        words: &str,
    ) -> Result<(), DiffError> {
        if let Facts::Vanished { .. } = record.facts {
            return Ok(());
        }
        self.totals.unclear += u64::from(record.has_unknown());
        let evaluation = self.after.evaluate(record);
        self.new_findings(&evaluation, None);
        match unread(record).filter(|_| kind == Kind::BucketNew) {
            None => self.whole(account, kind, record, &evaluation, words),
            Some(why) => {
                let words = format!("listed, and nothing of it was read: {why}");
                self.whole(account, Kind::BucketFirstSeen, record, &evaluation, &words)
            }
        }
    }

    fn new_findings(&mut self, after: &Evaluation, before: Option<&Evaluation>) {
        let failed = after.findings.iter().filter(|finding| finding.status == Status::Fail);
        let had = |rule: &str, severity: Severity| {
            before
                .into_iter()
                .flat_map(|before| &before.findings)
                .any(|finding| finding.rule == rule && finding.status == Status::Fail && finding.severity >= severity)
        };
        let new = failed.filter(|finding| !had(finding.rule, finding.severity));
        self.totals.worst_new = self.totals.worst_new.max(new.map(|finding| finding.severity).max());
    }

    /// A line of a bucket as a whole, with what is known of it.
    fn whole(
        &mut self,
        account: &AccountRecord,
        kind: Kind,
        record: &BucketRecord,
        evaluation: &Evaluation,
        words: &str,
    ) -> Result<(), DiffError> {
        let state = match record.facts {
            Facts::Directory { .. } => "a directory bucket".to_owned(),
            Facts::Read { .. } | Facts::Vanished { .. } => format!(
                "versioning {}, MFA delete {}, lifecycle {}, status {}",
                record.versioning_word(),
                record.mfa_delete_word(),
                record.lifecycle_word(),
                evaluation.status.as_str()
            ),
        };
        let (old, new) = match kind {
            Kind::BucketGone | Kind::BucketNotSeen => (Some(state.as_str()), None),
            Kind::BucketNew | Kind::BucketFirstSeen => (None, Some(state.as_str())),
            Kind::Changed
            | Kind::BecameUnknown
            | Kind::BecameKnown
            | Kind::AccountNew
            | Kind::AccountGone
            | Kind::AccountNotSeen
            | Kind::AccountFirstSeen => (None, None),
        };
        let bucket = Some((record.bucket.as_str(), &record.region));
        let account = Some(account);
        self.tell(&Change { account, unit: None, bucket, kind, what: None, old, new, weight: Weight::Plain, words })
    }

    fn account(&mut self, account: &AccountRecord, kind: Kind, words: &str) -> Result<(), DiffError> {
        self.tell(&Change {
            account: Some(account),
            unit: None,
            bucket: None,
            kind,
            what: None,
            old: None,
            new: None,
            weight: Weight::Plain,
            words,
        })
    }
}

fn in_the_older_run(why: &str) -> String {
    format!("in the older run: {why}")
}

/// Why nothing was read of a bucket that was listed; `None` where something was.
fn unread(record: &BucketRecord) -> Option<String> {
    if record.facts.some_known() {
        return None;
    }
    record.facts.reasons().next().map(Reason::sentence)
}

fn was_read(account: &AccountRecord) -> String {
    let outcome = account.outcome();
    match &*outcome {
        Outcome::Complete => buckets(account.buckets),
        Outcome::Incomplete(why) | Outcome::Failed(why) | Outcome::Skipped(why) => {
            format!("{}: {why}", outcome.as_str())
        }
    }
}

fn buckets(count: u64) -> String {
    format!("{count} {}", if count == 1 { "bucket" } else { "buckets" })
}
