//! An export beside a run, bucket by bucket: what differs, and what the difference means.

use std::cmp::Ordering;

use super::metrics::{Values, reasons, values};
use super::{Metric, Value};
use crate::model::{BucketRecord, Facts, Outcome, Region, Timestamp};
use crate::replication::Tally;

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Both know it, they differ, and the export is of the day on which the run read it.
    Disagreement,
    /// They have the bucket in different Regions: its values are not held against each other.
    OtherRegion,
    /// Both know it, they differ, and the export is of an earlier day: the setting may have changed since.
    Lag,
    /// The export is of a later day than the run: the setting may have changed since, the bucket come or gone.
    RunLag,
    /// The run saw the bucket and the export has no row of it.
    New,
    /// The export speaks of the bucket, and it is there no more.
    Gone,
    /// The export has its name in several accounts or Regions: what it says of them is held against nothing.
    Contradiction,
    /// One of them does not know.
    Unknown,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Disagreement,
        Self::OtherRegion,
        Self::Lag,
        Self::RunLag,
        Self::New,
        Self::Gone,
        Self::Contradiction,
        Self::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disagreement => "disagreement",
            Self::OtherRegion => "other_region",
            Self::Lag => "lag",
            Self::RunLag => "run_lag",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Contradiction => "contradiction",
            Self::Unknown => "unknown",
        }
    }
}

/// A difference, of one metric or of the whole bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: Kind,
    /// `None` for the whole bucket.
    pub metric: Option<Metric>,
    pub export: Option<u64>,
    pub run: Option<u64>,
    /// When the run read it.
    pub observed_at: Option<Timestamp>,
    pub why: String,
}

impl Difference {
    fn of_bucket(kind: Kind, observed_at: Option<Timestamp>, why: impl Into<String>) -> Self {
        Self { kind, metric: None, export: None, run: None, observed_at, why: why.into() }
    }
}

/// Whether a bucket of which the export has no row may have had one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole<'a> {
    /// No: it speaks of all buckets that there were.
    Yes,
    /// Report files or rows of it could not be read, wherever they belong.
    InPart,
    /// The scan that wrote it was asked for some buckets or Regions only.
    Filtered,
    /// Its sums of the account and Region of the bucket are not those of its buckets.
    Doubtful,
    /// It says that it does not have the whole account, for this reason.
    Unread(&'a str),
}

/// What holds for all buckets.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// `YYYY-MM-DD`.
    pub report_date: &'a str,
    /// Metrics of which the export has any row of a bucket; of the others it says nothing.
    pub exported: &'a [bool; Metric::COUNT],
    /// The day on which the run began to list buckets, `YYYY-MM-DD`.
    pub run_date: &'a str,
    /// Of the account and Region of the bucket.
    pub export: Whole<'a>,
    /// Whether the run was asked for some buckets or Regions only.
    pub run_is_filtered: bool,
}

/// What came of the comparison of one bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Metrics that both know and that are equal.
    pub same: u64,
    pub differences: Vec<Difference>,
    /// Metrics that the run was asked for and of which the export has no row at all.
    pub not_exported: Vec<Metric>,
    /// Metrics of which the export has a row and for which the run was not asked.
    pub not_asked: Vec<Metric>,
}

/// A bucket that both have. `region`: that of the export; empty where it does not say.
pub fn both(
    terms: Terms<'_>,
    region: &str,
    export: &[Option<u64>; Metric::COUNT],
    record: &BucketRecord,
    replication: Option<&Tally>,
) -> Compared {
    let Some(run) = values(record, replication) else {
        if let Facts::Directory { .. } = record.facts {
            let why = "the run lists it as a directory bucket, of which nothing is read";
            return one(Difference::of_bucket(Kind::Unknown, Some(record.observed_at()), why));
        }
        let (at, gone) = (record.observed_at(), "it was gone when the run read it");
        return one(if terms.report_date > at.date().to_string().as_str() {
            let why = format!("{gone}, and may have come again: the export is of {}", terms.report_date);
            Difference::of_bucket(Kind::RunLag, Some(at), why)
        } else {
            Difference::of_bucket(Kind::Gone, Some(at), gone)
        });
    };
    if is_other_region(region, &record.region) {
        let why = format!(
            "the export of {} has it in {region}, the run in {}: its values are not compared",
            terms.report_date,
            record.region.as_str()
        );
        return one(Difference::of_bucket(Kind::OtherRegion, Some(record.observed_at()), why));
    }
    let mut compared = Compared::default();
    for metric in Metric::ALL {
        let index = metric.index();
        if !terms.exported[index] {
            compared.not_exported.extend((run[index] != Value::NotAsked).then_some(metric));
            continue;
        }
        let at = observed_at(record, metric);
        let unknown = |export, run, why: String| Difference {
            kind: Kind::Unknown,
            metric: Some(metric),
            export,
            run,
            observed_at: Some(at),
            why,
        };
        match (export[index], run[index]) {
            (None, Value::NotAsked) => {}
            (Some(_), Value::NotAsked) => compared.not_asked.push(metric),
            (Some(export), Value::Known(run)) if export == run => compared.same += 1,
            (Some(export), Value::Known(run)) => {
                compared.differences.push(differs(terms, metric, export, run, at));
            }
            (None, Value::Known(run)) => {
                let why = match terms.export {
                    Whole::InPart => "the export is not whole",
                    Whole::Yes | Whole::Filtered | Whole::Doubtful | Whole::Unread(_) => {
                        "the export has no row of this metric for this bucket"
                    }
                };
                let why = why.to_owned();
                compared.differences.push(unknown(None, Some(run), why));
            }
            (export, Value::Unknown) => {
                compared.differences.push(unknown(export, None, reasons(record, &run).join("; ")));
            }
        }
    }
    compared
}

/// Whether both know the Region, and differ. An export of ours has the word for one that was not found out, too.
fn is_other_region(export: &str, run: &Region) -> bool {
    let is_known = |region: &str| !region.is_empty() && region != Region::unknown().as_str();
    is_known(export) && is_known(run.as_str()) && export != run.as_str()
}

/// A name that the export has in several places, at one of them.
pub fn contradiction() -> Compared {
    let why =
        "the export has this name in several accounts or Regions, and a name belongs to one bucket: it is not compared";
    one(Difference::of_bucket(Kind::Contradiction, None, why))
}

fn differs(terms: Terms<'_>, metric: Metric, export: u64, run: u64, at: Timestamp) -> Difference {
    let (day, date) = (at.date().to_string(), terms.report_date);
    let (kind, why) = match date.cmp(day.as_str()) {
        Ordering::Less => (Kind::Lag, format!("the export is of {date}, before it was read")),
        Ordering::Equal => (Kind::Disagreement, format!("the export is of {date}, the day on which it was read")),
        Ordering::Greater => (Kind::RunLag, format!("the export is of {date}, after it was read")),
    };
    Difference { kind, metric: Some(metric), export: Some(export), run: Some(run), observed_at: Some(at), why }
}

/// A bucket that only the run has. `account_exported`: whether the export speaks of any bucket of its account.
pub fn only_run(
    terms: Terms<'_>,
    record: &BucketRecord,
    replication: Option<&Tally>,
    account_exported: bool,
) -> Compared {
    let Some(run) = values(record, replication) else { return Compared::default() };
    let at = Some(record.observed_at());
    let lacks = match terms.export {
        Whole::Yes if account_exported => None,
        Whole::Yes => Some("the export speaks of no bucket of this account".to_owned()),
        Whole::InPart => Some("the export is not whole".to_owned()),
        Whole::Filtered => Some("the scan that wrote the export was asked for a part only".to_owned()),
        Whole::Doubtful => Some("the export contradicts itself in this account and Region".to_owned()),
        Whole::Unread(reason) => Some(format!("the export does not have the whole account: {reason}")),
    };
    one(if let Some(why) = lacks {
        Difference::of_bucket(Kind::Unknown, at, why)
    } else if nothing_known(&run) {
        // Ours has no row of such a bucket.
        Difference::of_bucket(Kind::Unknown, at, reasons(record, &run).join("; "))
    } else if terms.report_date > record.observed_at().date().to_string().as_str() {
        let why = format!("the export of {} has no row of it: it may be gone since", terms.report_date);
        Difference::of_bucket(Kind::RunLag, at, why)
    } else {
        Difference::of_bucket(Kind::New, at, format!("the export of {} has no row of it", terms.report_date))
    })
}

/// A bucket that only the export has. `outcome`: how far the run came in its account; `None` where it found none.
pub fn only_export(terms: Terms<'_>, outcome: Option<&Outcome>) -> Compared {
    one(match outcome {
        Some(Outcome::Complete) if terms.run_is_filtered => {
            Difference::of_bucket(Kind::Unknown, None, "the run was asked for some buckets or Regions only")
        }
        Some(Outcome::Complete) if terms.report_date > terms.run_date => {
            let why = format!("the run of {} does not have it: it may have come since", terms.run_date);
            Difference::of_bucket(Kind::RunLag, None, why)
        }
        Some(Outcome::Complete) => Difference::of_bucket(Kind::Gone, None, "the run listed all buckets of the account"),
        Some(outcome @ (Outcome::Incomplete(_) | Outcome::Failed(_) | Outcome::Skipped(_))) => {
            let why = format!("the account is {}: {}", outcome.as_str(), outcome.reason());
            Difference::of_bucket(Kind::Unknown, None, why)
        }
        None => Difference::of_bucket(Kind::Unknown, None, "the run did not read this account"),
    })
}

fn one(difference: Difference) -> Compared {
    Compared { differences: vec![difference], ..Compared::default() }
}

fn nothing_known(values: &Values) -> bool {
    values.iter().all(|value| value.known().is_none())
}

/// When the fact was read from which the metric follows.
fn observed_at(record: &BucketRecord, metric: Metric) -> Timestamp {
    let Facts::Read { versioning, lifecycle, extras } = &record.facts else { return record.observed_at() };
    let extra = match metric {
        Metric::VersioningEnabled | Metric::MfaDeleteEnabled => Some(versioning.at),
        Metric::TransitionRules
        | Metric::ExpirationRules
        | Metric::NoncurrentVersionTransitionRules
        | Metric::NoncurrentVersionExpirationRules
        | Metric::AbortIncompleteMpuRules
        | Metric::ExpiredObjectDeleteMarkerRules
        | Metric::LifecycleRules => Some(lifecycle.at),
        Metric::SseKmsEnabled => extras.encryption.as_ref().map(|fact| fact.at),
        Metric::BucketOwnerEnforced | Metric::BucketOwnerPreferred | Metric::ObjectWriter => {
            extras.ownership.as_ref().map(|fact| fact.at)
        }
        Metric::TransferAccelerationEnabled => extras.acceleration.as_ref().map(|fact| fact.at),
        Metric::EventNotificationEnabled => extras.notification.as_ref().map(|fact| fact.at),
        Metric::SameRegionReplicationRules
        | Metric::CrossRegionReplicationRules
        | Metric::SameAccountReplicationRules
        | Metric::CrossAccountReplicationRules
        | Metric::InvalidDestinationReplicationRules => extras.replication.as_ref().map(|fact| fact.at),
    };
    extra.unwrap_or_else(|| record.observed_at())
}

#[cfg(test)]
mod tests;
