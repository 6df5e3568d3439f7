//! An export beside a run, bucket by bucket: what differs, and what the difference means.

use std::cmp::Ordering;

use super::metrics::{Values, reasons, values};
use super::{Metric, Value};
use crate::model::{BucketRecord, Facts, Outcome, Timestamp};
use crate::replication::Tally;

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Both know it, they differ, and the export is of the day on which the run read it.
    Disagreement,
    /// Both know it, they differ, and the export is of an earlier day: the setting may have changed since.
    Lag,
    /// The export is of a later day than the run: the setting may have changed since, the bucket come or gone.
    RunLag,
    /// The run saw the bucket and the export has no row of it.
    New,
    /// The export speaks of the bucket, and it is there no more.
    Gone,
    /// One of them does not know.
    Unknown,
}

impl Kind {
    pub const ALL: [Self; 6] = [Self::Disagreement, Self::Lag, Self::RunLag, Self::New, Self::Gone, Self::Unknown];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disagreement => "disagreement",
            Self::Lag => "lag",
            Self::RunLag => "run_lag",
            Self::New => "new",
            Self::Gone => "gone",
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

/// What holds for all buckets.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// `YYYY-MM-DD`.
    pub report_date: &'a str,
    /// Metrics of which the export has any row of a bucket; of the others it says nothing.
    pub exported: &'a [bool; Metric::COUNT],
    /// The day on which the run began to list buckets, `YYYY-MM-DD`.
    pub run_date: &'a str,
    /// Whether the export is not whole: what it lacks may have stood there.
    pub export_is_partial: bool,
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
}

/// A bucket that both have.
pub fn both(
    terms: Terms<'_>,
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
            (_, Value::NotAsked) => {}
            (Some(export), Value::Known(run)) if export == run => compared.same += 1,
            (Some(export), Value::Known(run)) => {
                compared.differences.push(differs(terms, metric, export, run, at));
            }
            (None, Value::Known(run)) => {
                let why = "the export has no row of this metric for this bucket".to_owned();
                compared.differences.push(unknown(None, Some(run), why));
            }
            (export, Value::Unknown) => {
                compared.differences.push(unknown(export, None, reasons(record, &run).join("; ")));
            }
        }
    }
    compared
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
    one(if terms.export_is_partial {
        Difference::of_bucket(Kind::Unknown, at, "the export is not whole")
    } else if !account_exported {
        Difference::of_bucket(Kind::Unknown, at, "the export speaks of no bucket of this account")
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
