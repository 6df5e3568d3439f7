//! `report.json`: the whole report for programs, frozen by `reports/report.schema.json`. The structs here are the
//! wire and nothing else; internal types may change without it. Findings are written as they come, one a line, and
//! so are all other rows, so that two reports can be compared line by line.
//!
//! A change that a reader of the old schema would trip over raises [`SCHEMA_VERSION`].

mod protection;

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::csv::listed_buckets;
use super::files::Writer;
use super::text::harmless;
use super::{Draft, Finished, Folder, Summary};
use crate::aggregate::{MetricRow, Value};
use crate::evaluate::Evaluation;
use crate::model::{self, AccountId, AccountRecord, BucketRecord, DirectoryGap};
use crate::rules;

#[cfg(test)]
mod tests;

const NAME: &str = "report.json";

/// In every report.
pub(super) const ALWAYS: [&str; 1] = [NAME];
pub(super) const FILES: [&str; 2] = [NAME, super::changes::JSON];

const SCHEMA_VERSION: u32 = 1;

pub(super) struct Report {
    out: BufWriter<Draft>,
    /// What stands before the next finding.
    separator: &'static str,
    protection: protection::Sections,
}

impl Report {
    pub fn create(folder: &Folder) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 16, folder.create(NAME)?);
        write!(out, "{{\n\"schema_version\": {SCHEMA_VERSION},\n\"findings\": [")?;
        Ok(Self { out, separator: "\n", protection: protection::Sections::new(folder.directory().clone()) })
    }

    fn section(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        write!(self.out, ",\n\"{name}\": ")?;
        Ok(serde_json::to_writer_pretty(&mut self.out, value)?)
    }

    fn rows<T: Serialize>(&mut self, name: &str, rows: impl Iterator<Item = T>) -> io::Result<()> {
        write!(self.out, ",\n\"{name}\": [")?;
        let mut separator = "\n";
        for row in rows {
            self.out.write_all(separator.as_bytes())?;
            serde_json::to_writer(&mut self.out, &row)?;
            separator = ",\n";
        }
        self.out.write_all(b"\n]")
    }
}

impl Writer for Report {
    fn bucket(&mut self, _: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        for finding in &evaluation.findings {
            self.out.write_all(self.separator.as_bytes())?;
            serde_json::to_writer(&mut self.out, &Finding::of(finding))?;
            self.separator = ",\n";
        }
        self.protection.bucket(record, evaluation)
    }

    fn finish(mut self: Box<Self>, summary: &Summary<'_>, _: &Folder) -> io::Result<Vec<Finished>> {
        self.out.write_all(b"\n]")?;
        self.section("run", &Run::of(summary.run))?;
        self.section("coverage", &Coverage::of(summary.coverage))?;
        let asked = |rule: &&rules::Rule| rule.asks.iter().all(|extra| summary.run.extras.contains(extra));
        self.rows("rules", rules::ALL.iter().filter(asked).map(Rule::of))?;
        self.rows("accounts", summary.accounts.iter().map(AccountLine::of))?;
        self.rows("metrics", summary.metrics.rows().map(|row| MetricLine::of(&row)))?;
        self.protection.finish(&mut self.out)?;
        self.out.write_all(b"\n}\n")?;
        let draft = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(vec![draft.finish()?])
    }
}

/// `None`, written as null, for text that is empty because there is nothing to say.
fn some(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then(|| harmless(text))
}

#[derive(Serialize)]
struct Finding<'a> {
    account_id: &'a str,
    region: Cow<'a, str>,
    bucket: Cow<'a, str>,
    rule: &'a str,
    status: &'static str,
    severity: &'static str,
    evidence: Cow<'a, str>,
    observed_at: String,
}

impl<'a> Finding<'a> {
    fn of(finding: &'a model::Finding) -> Self {
        Self {
            account_id: finding.account.as_str(),
            region: harmless(finding.region.as_str()),
            bucket: harmless(&finding.bucket),
            rule: finding.rule,
            status: finding.status.as_str(),
            severity: finding.severity.as_str(),
            evidence: harmless(&finding.evidence),
            observed_at: finding.observed_at.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Run<'a> {
    id: &'a str,
    start: String,
    end: String,
    resumed: Vec<String>,
    interrupted: bool,
    version: &'a str,
    standard: &'static str,
    accepted_controls: Vec<String>,
    scope: Vec<Cow<'a, str>>,
    caller_arn: Option<Cow<'a, str>>,
    organization_id: Option<Cow<'a, str>>,
    partition: Option<&'a str>,
    clock_skew_seconds: Option<i64>,
    /// Only where directory buckets were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory_regions: Option<Vec<Cow<'a, str>>>,
    configuration_digest: &'a str,
}

impl<'a> Run<'a> {
    fn of(run: &'a model::Run) -> Self {
        Self {
            id: &run.id,
            start: run.start.to_string(),
            end: run.end.to_string(),
            resumed: run.resumed.iter().map(ToString::to_string).collect(),
            interrupted: run.interrupted,
            version: &run.version,
            standard: run.standard.as_str(),
            accepted_controls: run.accepted_controls.iter().map(ToString::to_string).collect(),
            scope: run.scope.iter().map(|part| harmless(part)).collect(),
            caller_arn: run.caller_arn.as_deref().map(harmless),
            organization_id: run.organization_id.as_deref().map(harmless),
            partition: run.partition.as_deref(),
            clock_skew_seconds: run.clock_skew_seconds,
            directory_regions: (run.directory_regions.as_ref())
                .map(|regions| regions.iter().map(|region| harmless(region.as_str())).collect()),
            configuration_digest: &run.configuration_digest,
        }
    }
}

#[derive(Serialize)]
struct Coverage {
    accounts: u64,
    accounts_complete: u64,
    accounts_incomplete: u64,
    accounts_failed: u64,
    accounts_skipped: u64,
    buckets: u64,
    buckets_complete: u64,
    buckets_unknown: u64,
    buckets_vanished: u64,
    /// Only where directory buckets were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    buckets_directory: Option<u64>,
    requests: u64,
    retries: u64,
    throttled: u64,
}

impl Coverage {
    fn of(coverage: &model::Coverage) -> Self {
        Self {
            accounts: coverage.accounts,
            accounts_complete: coverage.accounts_complete,
            accounts_incomplete: coverage.accounts_incomplete,
            accounts_failed: coverage.accounts_failed,
            accounts_skipped: coverage.accounts_skipped,
            buckets: coverage.buckets,
            buckets_complete: coverage.buckets_complete,
            buckets_unknown: coverage.buckets_unknown,
            buckets_vanished: coverage.buckets_vanished,
            buckets_directory: coverage.buckets_directory,
            requests: coverage.requests,
            retries: coverage.retries,
            throttled: coverage.throttled,
        }
    }
}

#[derive(Serialize)]
struct Rule {
    id: &'static str,
    title: &'static str,
    kind: &'static str,
    severity: &'static str,
    explanation: &'static str,
    remediation: &'static str,
    standards: Vec<Reference>,
}

#[derive(Serialize)]
struct Reference {
    standard: &'static str,
    id: &'static str,
    severity: Option<&'static str>,
}

impl Rule {
    fn of(rule: &rules::Rule) -> Self {
        let reference = |reference: &rules::Reference| Reference {
            standard: reference.standard,
            id: reference.id,
            severity: reference.severity,
        };
        Self {
            id: rule.id,
            title: rule.title,
            kind: rule.kind.as_str(),
            severity: rule.severity.as_str(),
            explanation: rule.explanation,
            remediation: rule.remediation,
            standards: rule.standards.iter().map(reference).collect(),
        }
    }
}

/// The columns of `accounts.csv`.
#[derive(Serialize)]
struct AccountLine<'a> {
    account_id: Option<&'a str>,
    account_name: Option<Cow<'a, str>>,
    ou_path: Option<String>,
    state: Option<Cow<'a, str>>,
    outcome: &'static str,
    reason: Option<Cow<'a, str>>,
    buckets: Option<u64>,
    unknown_reasons: Option<String>,
    /// Where directory buckets are why the account is incomplete, as far as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    directory_gaps: Vec<GapLine<'a>>,
}

impl<'a> AccountLine<'a> {
    fn of(account: &'a AccountRecord) -> Self {
        Self {
            account_id: account.id.as_ref().map(AccountId::as_str),
            account_name: some(&account.name),
            ou_path: some(&account.ou_path.to_string()).map(Cow::into_owned),
            state: account.state.as_ref().map(|state| harmless(state.as_str())),
            outcome: account.outcome().as_str(),
            reason: some(&account.reason()).map(|why| Cow::Owned(why.into_owned())),
            buckets: listed_buckets(account),
            unknown_reasons: account.unknown_reasons().map(|why| harmless(&why).into_owned()),
            directory_gaps: account.directory_gaps.iter().map(GapLine::of).collect(),
        }
    }
}

/// Regions whose directory buckets are not all known.
#[derive(Serialize)]
struct GapLine<'a> {
    regions: Vec<Cow<'a, str>>,
    reason: Cow<'a, str>,
}

impl<'a> GapLine<'a> {
    fn of(gap: &'a DirectoryGap) -> Self {
        let regions = gap.regions.iter().map(|region| harmless(region.as_str())).collect();
        Self { regions, reason: harmless(&gap.reason) }
    }
}

/// The columns of `metrics.csv`.
#[derive(Serialize)]
struct MetricLine<'a> {
    scope: &'static str,
    scope_id: Option<Cow<'a, str>>,
    region: Option<Cow<'a, str>>,
    metric: &'static str,
    value: Option<Number>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    Count(u64),
    Rounded(f64),
}

impl Number {
    pub(super) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Count(count) => Some(Self::Count(count)),
            Value::Percent(number) | Value::Average(number) => Some(Self::Rounded(number)),
            Value::Unknown => None,
        }
    }
}

impl<'a> MetricLine<'a> {
    fn of(row: &MetricRow<'a>) -> Self {
        Self {
            scope: row.scope.as_str(),
            scope_id: some(row.scope_id),
            region: some(row.region),
            metric: row.metric,
            value: row.value.and_then(Number::of),
        }
    }
}
