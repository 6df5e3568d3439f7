//! `coverage.json`, which stands beside every export of ours: what the export does not say, and why.
//!
//! Its buckets are given one by one as they are read, and never all held. A document that contradicts itself, or that
//! belongs to another export, is none.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Manifest, Metric};
use crate::model::AccountId;

/// `schema_version`: that of `reports/coverage.schema.json`.
pub const VERSION: u32 = 1;

/// A bucket of which something is unknown that the run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawGap")]
pub struct Gap {
    pub account: String,
    pub region: String,
    pub bucket: String,
    pub unknown: Vec<Metric>,
    pub reasons: Vec<String>,
}

#[derive(Deserialize)]
struct RawGap {
    account_id: String,
    region: String,
    bucket: String,
    unknown: Vec<String>,
    reasons: Vec<String>,
}

impl TryFrom<RawGap> for Gap {
    type Error = String;

    fn try_from(gap: RawGap) -> Result<Self, String> {
        if AccountId::parse(&gap.account_id).is_err() {
            return Err(format!("{:?} is no account id", gap.account_id));
        }
        if gap.bucket.is_empty() || [&gap.bucket, &gap.region].iter().any(|text| text.contains('\0')) {
            return Err(format!("{:?} is no name of a bucket", gap.bucket));
        }
        let metric = |name: &String| Metric::find(name).ok_or_else(|| format!("there is no metric {name:?}"));
        Ok(Self {
            unknown: gap.unknown.iter().map(metric).collect::<Result<_, _>>()?,
            account: gap.account_id,
            region: gap.region,
            bucket: gap.bucket,
            reasons: gap.reasons,
        })
    }
}

/// How far the run came in an account that it did not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    Incomplete,
    Failed,
    /// It was not tried, as AWS had closed or suspended it.
    Skipped,
}

impl Unread {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// An account that was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UnreadAccount {
    /// `None` for a profile whose credentials could not say whose they are.
    pub account_id: Option<String>,
    pub account_name: String,
    pub outcome: Unread,
    pub reason: String,
}

/// What it says beside its buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    pub interrupted: bool,
    /// The options of the scan that left out buckets, Regions or accounts.
    pub filters: Vec<String>,
    /// Buckets with a `BUCKET` row, by [`Metric::index`].
    pub known: [u64; Metric::COUNT],
    pub accounts: Vec<UnreadAccount>,
    /// `None` in one of an older version.
    pub accounts_listed: Option<AccountsListed>,
}

/// Of how many accounts an export has the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountsListed {
    pub listed: u64,
    pub all: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoverageError {
    #[error("it is no coverage of bucketlens: {0}")]
    Unreadable(String),
    #[error("it is of version {0}, and only {VERSION} is known")]
    OtherVersion(u32),
    #[error("it belongs to another export: its {field} is {found:?}")]
    Foreign { field: &'static str, found: String },
    #[error("it counts {counted} buckets of which {} is unknown, and lists {listed}", .metric.name())]
    OtherCount { metric: Metric, counted: u64, listed: u64 },
}

impl From<serde_json::Error> for CoverageError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Reads that of the export with this manifest. `take` is given each bucket, also where an error comes behind it.
pub fn read(from: impl Read, manifest: &Manifest, take: impl FnMut(Gap)) -> Result<Coverage, CoverageError> {
    let mut gaps = Gaps { take, listed: [0; Metric::COUNT] };
    let mut json = serde_json::Deserializer::from_reader(from);
    let document = json.deserialize_map(Document(&mut gaps))?;
    json.end()?;
    if document.version != VERSION {
        return Err(CoverageError::OtherVersion(document.version));
    }
    let run = document.run;
    let of_file = |key: &str| key.rsplit('/').next().and_then(|name| name.split('.').next()) == Some(&run.id);
    for (field, found, fits) in [
        ("source_account_id", &run.source_account_id, run.source_account_id == manifest.source_account_id),
        ("config_id", &run.config_id, run.config_id == manifest.config_id),
        ("report_date", &run.report_date, run.report_date == manifest.report_date),
        ("run_id", &run.id, manifest.report_files.iter().any(|file| of_file(&file.key))),
    ] {
        if !fits {
            return Err(CoverageError::Foreign { field, found: found.clone() });
        }
    }
    let mut known = [0; Metric::COUNT];
    for metric in Metric::ALL {
        let mut lines = document.metrics.iter().filter(|line| line.metric == metric.name());
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Err(CoverageError::Unreadable(format!("metrics has not one {}", metric.name())));
        };
        let (counted, listed) = (line.unknown_buckets, gaps.listed[metric.index()]);
        if counted != listed {
            return Err(CoverageError::OtherCount { metric, counted, listed });
        }
        known[metric.index()] = line.known_buckets;
    }
    let accounts_listed = run.accounts.zip(run.accounts_listed).map(|(all, listed)| AccountsListed { listed, all });
    let (interrupted, filters, accounts) = (run.interrupted, run.filters, document.accounts);
    Ok(Coverage { interrupted, filters, known, accounts, accounts_listed })
}

#[derive(Deserialize)]
struct Run {
    #[serde(rename = "run_id")]
    id: String,
    interrupted: bool,
    source_account_id: String,
    config_id: String,
    report_date: String,
    filters: Vec<String>,
    accounts: Option<u64>,
    accounts_listed: Option<u64>,
}

#[derive(Deserialize)]
struct MetricLine {
    metric: String,
    known_buckets: u64,
    unknown_buckets: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Key {
    SchemaVersion,
    Buckets,
    Run,
    Metrics,
    Accounts,
    #[serde(other)]
    Other,
}

/// All but the buckets.
struct Parts {
    version: u32,
    run: Run,
    metrics: Vec<MetricLine>,
    accounts: Vec<UnreadAccount>,
}

struct Document<'a, F>(&'a mut Gaps<F>);

impl<'de, F: FnMut(Gap)> Visitor<'de> for Document<'_, F> {
    type Value = Parts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts, A::Error> {
        let (mut version, mut buckets, mut run, mut metrics, mut accounts) = (None, None, None, None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::SchemaVersion => once(&mut version, "schema_version", map.next_value()?)?,
                Key::Buckets => once(&mut buckets, "buckets", map.next_value_seed(&mut *self.0)?)?,
                Key::Run => once(&mut run, "run", map.next_value()?)?,
                Key::Metrics => once(&mut metrics, "metrics", map.next_value()?)?,
                Key::Accounts => once(&mut accounts, "accounts", map.next_value()?)?,
                Key::Other => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        let missing = A::Error::missing_field;
        buckets.ok_or_else(|| missing("buckets"))?;
        Ok(Parts {
            version: version.ok_or_else(|| missing("schema_version"))?,
            run: run.ok_or_else(|| missing("run"))?,
            metrics: metrics.ok_or_else(|| missing("metrics"))?,
            accounts: accounts.ok_or_else(|| missing("accounts"))?,
        })
    }
}

fn once<T, E: Error>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// The buckets on their way to who takes them.
struct Gaps<F> {
    take: F,
    listed: [u64; Metric::COUNT],
}

impl<'de, F: FnMut(Gap)> DeserializeSeed<'de> for &mut Gaps<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Gap)> Visitor<'de> for &mut Gaps<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of buckets")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(gap) = list.next_element::<Gap>()? {
            for metric in &gap.unknown {
                self.listed[metric.index()] += 1;
            }
            (self.take)(gap);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
