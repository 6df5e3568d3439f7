//! `coverage.json`: what an export does not say, and why. Buckets are written as they come, one a line.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::model::{AccountId, AccountRecord, BucketRecord, Facts, Outcome};
use crate::report::csv::listed_buckets;
use crate::report::text::harmless;
use crate::report::{Draft, Finished, Summary};
use crate::storage_lens::metrics::reasons;
use crate::storage_lens::{Metric, Value, Values, coverage};

pub(super) struct Coverage {
    out: BufWriter<Draft>,
    separator: &'static str,
    counts: [Count; Metric::COUNT],
    vanished: u64,
}

/// Buckets, by what is known of a metric.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    known: u64,
    unknown: u64,
    not_asked: u64,
}

#[derive(Serialize)]
struct Gap<'a> {
    account_id: &'a str,
    region: Cow<'a, str>,
    bucket: Cow<'a, str>,
    /// Metrics without a row.
    unknown: Vec<&'static str>,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct Head<'a> {
    run_id: &'a str,
    interrupted: bool,
    source_account_id: &'a str,
    config_id: &'static str,
    report_date: &'a str,
    vanished_buckets: u64,
    /// The options that left out buckets, Regions or accounts.
    filters: Vec<Cow<'a, str>>,
    standard: &'static str,
    accepted_controls: Vec<String>,
    accounts: u64,
    /// Those whose buckets were all listed.
    accounts_listed: u64,
    accounts_incomplete: u64,
    accounts_failed: u64,
    accounts_skipped: u64,
}

#[derive(Serialize)]
struct MetricLine {
    metric: &'static str,
    known_buckets: u64,
    unknown_buckets: u64,
    not_asked_buckets: u64,
}

/// An account of which something is missing.
#[derive(Serialize)]
struct AccountLine<'a> {
    account_id: Option<&'a str>,
    account_name: Cow<'a, str>,
    outcome: &'static str,
    reason: Cow<'a, str>,
    /// Null where they could not be listed.
    buckets: Option<u64>,
}

/// The export that it is of.
pub(super) struct Of<'a> {
    pub source_account_id: &'a str,
    pub config_id: &'static str,
    /// `YYYY-MM-DD`.
    pub report_date: &'a str,
}

impl Coverage {
    pub fn create(draft: Draft) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 16, draft);
        write!(out, "{{\n\"schema_version\": {},\n\"buckets\": [", coverage::VERSION)?;
        Ok(Self { out, separator: "\n", counts: Default::default(), vanished: 0 })
    }

    /// `values`: `None` for a bucket that is gone, and for a directory bucket, of which Storage Lens has no such metrics.
    pub fn bucket(&mut self, record: &BucketRecord, values: Option<&Values>) -> io::Result<()> {
        let Some(values) = values else {
            self.vanished += u64::from(matches!(record.facts, Facts::Vanished { .. }));
            return Ok(());
        };
        let mut unknown = Vec::new();
        for (metric, count) in Metric::ALL.into_iter().zip(&mut self.counts) {
            match values[metric.index()] {
                Value::Known(_) => count.known += 1,
                Value::Unknown => {
                    count.unknown += 1;
                    unknown.push(metric.name());
                }
                Value::NotAsked => count.not_asked += 1,
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let reasons = reasons(record, values);
        let gap = Gap {
            account_id: record.account.as_str(),
            region: harmless(record.region.as_str()),
            bucket: harmless(&record.bucket),
            unknown,
            reasons: reasons.iter().map(|reason| harmless(reason).into_owned()).collect(),
        };
        self.out.write_all(self.separator.as_bytes())?;
        serde_json::to_writer(&mut self.out, &gap)?;
        self.separator = ",\n";
        Ok(())
    }

    pub fn finish(mut self, summary: &Summary<'_>, export: &Of<'_>) -> io::Result<Finished> {
        self.out.write_all(b"\n],\n\"run\": ")?;
        let count = |wanted: fn(&Outcome) -> bool| {
            summary.accounts.iter().filter(|account| wanted(&account.listing)).count() as u64
        };
        let head = Head {
            run_id: summary.run.id.as_str(),
            interrupted: summary.run.interrupted,
            source_account_id: export.source_account_id,
            config_id: export.config_id,
            report_date: export.report_date,
            vanished_buckets: self.vanished,
            filters: summary.run.filters().map(harmless).collect(),
            standard: summary.run.standard.as_str(),
            accepted_controls: summary.run.accepted_controls.iter().map(ToString::to_string).collect(),
            accounts: summary.accounts.len() as u64,
            accounts_listed: count(|outcome| matches!(outcome, Outcome::Complete)),
            accounts_incomplete: count(|outcome| matches!(outcome, Outcome::Incomplete(_))),
            accounts_failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
            accounts_skipped: count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        };
        serde_json::to_writer_pretty(&mut self.out, &head)?;
        let metrics = Metric::ALL.into_iter().zip(self.counts).map(|(metric, count)| MetricLine {
            metric: metric.name(),
            known_buckets: count.known,
            unknown_buckets: count.unknown,
            not_asked_buckets: count.not_asked,
        });
        lines(&mut self.out, "metrics", metrics)?;
        // Of directory buckets the export says nothing.
        let missing = summary.accounts.iter().filter(|account| account.listing != Outcome::Complete);
        lines(&mut self.out, "accounts", missing.map(AccountLine::of))?;
        self.out.write_all(b"\n}\n")?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}

fn lines<T: Serialize>(out: &mut impl Write, name: &str, rows: impl Iterator<Item = T>) -> io::Result<()> {
    write!(out, ",\n\"{name}\": [")?;
    let mut separator = "\n";
    for row in rows {
        out.write_all(separator.as_bytes())?;
        serde_json::to_writer(&mut *out, &row)?;
        separator = ",\n";
    }
    out.write_all(b"\n]")
}

impl<'a> AccountLine<'a> {
    fn of(account: &'a AccountRecord) -> Self {
        Self {
            account_id: account.id.as_ref().map(AccountId::as_str),
            account_name: harmless(&account.name),
            outcome: account.listing.as_str(),
            reason: harmless(account.listing.reason()),
            buckets: listed_buckets(account),
        }
    }
}
