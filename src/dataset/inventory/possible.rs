//! Whether what a file counts can be: somebody else may have made it, or altered it.

use std::collections::BTreeMap;

use super::About;
use super::columns::{self, came_later};
use super::read::Sum;
use crate::aggregate;
use crate::model::AccountId;

/// All lifecycle rules of a bucket; a rule counts once for each kind of action, so no counter of a kind has more.
pub(super) const ALL_RULES: &str = "TotalLifecycleRuleCount";

/// Lifecycle rules of a bucket. S3 takes 1,000, but other servers may take more, and what a run read of them is true: more
/// than this do not fit into the longest answer that is read (16 MiB), were they nothing but `<Rule></Rule>`.
const MOST_RULES: i64 = 16 * 1024 * 1024 / 13;

const BUCKETS: &str = "BucketCount";
const UNKNOWN: &str = "UnknownBucketCount";
const VANISHED: &str = "VanishedBucketCount";
pub(super) const PARTIAL: &str = "VersioningPartialBucketCount";

/// Counters of which every bucket has one.
const PARTS: [&[&str]; 3] = [
    &[
        "VersioningEnabledBucketCount",
        PARTIAL,
        "VersioningSuspendedBucketCount",
        "VersioningNeverBucketCount",
        "VersioningUnknownBucketCount",
    ],
    &[
        "MFADeleteEnabledBucketCount",
        "MFADeleteDisabledBucketCount",
        "MFADeleteNeverBucketCount",
        "MFADeleteUnknownBucketCount",
    ],
    &[
        "PassBucketCount",
        "FailBucketCount",
        "UnknownStatusBucketCount",
        "WaivedBucketCount",
        "NotApplicableBucketCount",
    ],
];

/// Whether the columns are those of a file that a run wrote; else which is missing. Every version wrote them all, but for those
/// that came later; those of settings with a request of their own came at one time.
pub(super) fn check_columns(names: &[&str]) -> Result<(), String> {
    let has_settings = names.iter().any(|name| !aggregate::asks(name).is_empty());
    let is_there = |name: &str| names.contains(&name);
    let may_lack = |name: &str| came_later(name) || (!has_settings && !aggregate::asks(name).is_empty());
    match columns::columns().into_iter().find(|column| !is_there(&column.name) && !may_lack(&column.name)) {
        Some(column) => Err(format!("it has no column {}, without which no run of bucketlens writes it", column.name)),
        None => Ok(()),
    }
}

/// What is wrong where a bucket has more rules with this kind of action than rules.
pub(super) fn more_than_all(name: &str) -> String {
    format!("a bucket adds more to {name} than to {ALL_RULES}")
}

/// Whether a bucket can add these to a counter, from the least to the most; else what is wrong.
pub(super) fn check_range(name: &str, least: i64, most: i64) -> Result<(), String> {
    let of_buckets = aggregate::counts_buckets(name);
    let wrong = if least < 0 { Some(least) } else { (of_buckets && most > 1).then_some(most) };
    if aggregate::counts_lifecycle_rules(name) && most > MOST_RULES {
        return Err(format!("a bucket adds {most} to {name}, and no answer of a server can hold so many rules"));
    }
    let adds = if of_buckets { "0 or 1" } else { "0 or more" };
    wrong.map_or(Ok(()), |wrong| Err(format!("a bucket adds {wrong} to {name}, where it can add {adds}")))
}

/// Whether the sums of a file agree with each other and with what it says of its run; else what is wrong. `counters`: those
/// that it has a column for. `has_directories`: whether rows may be missing that are in no metric.
pub(super) fn check_sums(about: &About, counters: &[&str], has_directories: bool, sums: &[Sum]) -> Result<(), String> {
    if counters.contains(&BUCKETS) {
        sums.iter().try_for_each(|sum| check_place(counters, sum))?;
    }
    check_accounts(about, has_directories, sums)?;
    let coverage = &about.coverage;
    let read = coverage.buckets_complete + coverage.buckets_unknown;
    let (rows, said) = (sums.iter().map(|sum| sum.rows).sum::<u64>(), read + coverage.buckets_vanished);
    if rows != said {
        return Err(format!("it has {rows} rows of buckets that are no directory buckets, and its run found {said}"));
    }
    let said = [(BUCKETS, read), (UNKNOWN, coverage.buckets_unknown), (VANISHED, coverage.buckets_vanished)];
    for (name, said) in said.into_iter().filter(|(name, _)| counters.contains(name)) {
        let found: u64 = sums.iter().map(|sum| sum.count(name)).sum();
        if found != said {
            return Err(format!("its rows add up to {found} for {name}, and by its run it is {said}"));
        }
    }
    Ok(())
}

/// One account in one Region.
fn check_place(counters: &[&str], sum: &Sum) -> Result<(), String> {
    let all = sum.count(BUCKETS);
    let wrong = |what: String| Err(format!("in account {}, {}, {what}", sum.account, sum.region));
    let too_many = |name: &&&str| **name != VANISHED && aggregate::counts_buckets(name) && sum.count(name) > all;
    if let Some(name) = counters.iter().find(too_many) {
        return wrong(format!("{name} is {}, and {BUCKETS} is {all}", sum.count(name)));
    }
    // In a file that has no column for it, no bucket was read with it.
    let is_there = |name: &&str| counters.contains(name) || *name == PARTIAL;
    for part in PARTS.into_iter().filter(|part| part.iter().all(is_there)) {
        let found: u64 = part.iter().map(|name| sum.count(name)).sum();
        if found != all {
            return wrong(format!("{} add up to {found}, and {BUCKETS} is {all}", part.join(", ")));
        }
    }
    Ok(())
}

fn check_accounts(about: &About, has_directories: bool, sums: &[Sum]) -> Result<(), String> {
    let mut rows: BTreeMap<&AccountId, u64> = BTreeMap::new();
    for sum in sums {
        *rows.entry(&sum.account).or_default() += sum.rows;
    }
    for account in &about.accounts {
        let Some(id) = &account.id else { continue };
        let (found, said) = (rows.remove(id).unwrap_or_default(), account.buckets);
        if found > said || (found < said && !has_directories) {
            return Err(format!("it has {found} rows of account {id}, in which its run found {said} buckets"));
        }
    }
    match rows.keys().next() {
        Some(id) => Err(format!("it has rows of account {id}, which its run does not name")),
        None => Ok(()),
    }
}
