//! `accounts.csv`, `buckets.csv`, `findings.csv`, `metrics.csv`: always with a header, quoted as RFC 4180 says, lines
//! ended by `\n`, lists joined by `;`, nothing for what is not there. The columns are a contract: they are not
//! renamed, moved or removed; new ones come last. `policy.csv`, `protection.csv` and `controls.csv` are there only where
//! they were asked for: [`protection`].

mod protection;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io;

use ::csv::{Terminator, Writer as CsvWriter, WriterBuilder};

use super::files::Writer;
use super::folder::draft;
use super::text::cell;
use super::{Draft, Finished, Folder, Summary};
use crate::aggregate::{MetricRow, Value};
use crate::evaluate::Evaluation;
use crate::model::{AcceptedControl, AccountRecord, BucketRecord, Finding, Kind, Outcome, Run};
use crate::rules;
use crate::run_folder::Directory;

const ACCOUNTS: &str = "accounts.csv";
const BUCKETS: &str = "buckets.csv";
const FINDINGS: &str = "findings.csv";
const METRICS: &str = "metrics.csv";

/// In every report.
pub(super) const ALWAYS: [&str; 4] = [ACCOUNTS, BUCKETS, FINDINGS, METRICS];
pub(super) const FILES: [&str; 8] = [
    ACCOUNTS,
    BUCKETS,
    FINDINGS,
    METRICS,
    protection::POLICY,
    protection::PROTECTION,
    protection::CONTROLS,
    super::changes::CSV,
];
/// Those of a report whose run asked for policies.
pub(super) const OF_POLICY: [&str; 1] = [protection::POLICY];
/// Those of a report whose run asked for all that protects a bucket.
pub(super) const OF_PROTECTION: [&str; 2] = [protection::PROTECTION, protection::CONTROLS];

const ACCOUNT_COLUMNS: [&str; 8] =
    ["account_id", "account_name", "ou_path", "state", "outcome", "reason", "buckets", "unknown_reasons"];
const BUCKET_COLUMNS: [&str; 16] = [
    "account_id",
    "account_name",
    "ou_path",
    "region",
    "bucket",
    "versioning",
    "mfa_delete",
    "lifecycle",
    "lifecycle_rules",
    "status",
    "severity",
    "failed_rules",
    "advisories",
    "unknown_reasons",
    "observed_at",
    ACCEPTED,
];
const FINDING_COLUMNS: [&str; 11] = [
    "account_id",
    "region",
    "bucket",
    "rule",
    "kind",
    "status",
    "severity",
    "standards",
    "evidence",
    "observed_at",
    ACCEPTED,
];
const METRIC_COLUMNS: [&str; 6] = ["scope", "scope_id", "region", "metric", "value", ACCEPTED];
/// The controls that the run took for MFA delete: what is waived depends on them.
const ACCEPTED: &str = "accepted_controls";

pub(super) struct Report {
    accounts: CsvWriter<Draft>,
    buckets: CsvWriter<Draft>,
    findings: CsvWriter<Draft>,
    metrics: CsvWriter<Draft>,
    protection: protection::Tables,
    /// The cell of [`ACCEPTED`].
    accepted: String,
    /// The cell of every rule.
    standards: HashMap<&'static str, String>,
}

impl Report {
    pub fn create(folder: &Folder) -> io::Result<Self> {
        let protection = protection::Tables::new(folder.directory().clone());
        let folder = folder.directory();
        Ok(Self {
            protection,
            accepted: String::new(),
            accounts: table(folder, ACCOUNTS, &ACCOUNT_COLUMNS)?,
            buckets: table(folder, BUCKETS, &BUCKET_COLUMNS)?,
            findings: table(folder, FINDINGS, &FINDING_COLUMNS)?,
            metrics: table(folder, METRICS, &METRIC_COLUMNS)?,
            standards: rules::ALL.iter().map(|rule| (rule.id, standards(rule))).collect(),
        })
    }
}

fn table(folder: &Directory, name: &'static str, columns: &[&str]) -> io::Result<CsvWriter<Draft>> {
    let mut builder = WriterBuilder::new();
    let mut writer =
        builder.terminator(Terminator::Any(b'\n')).buffer_capacity(1 << 16).from_writer(draft(folder, name)?);
    writer.write_record(columns)?;
    Ok(writer)
}

impl Writer for Report {
    fn begin(&mut self, run: &Run) -> io::Result<()> {
        self.accepted = controls(&run.accepted_controls);
        Ok(())
    }

    fn bucket(&mut self, account: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        write(&mut self.buckets, &bucket_row(account, record, evaluation, &self.accepted))?;
        for finding in &evaluation.findings {
            let standards = self.standards.get(finding.rule).map_or("", String::as_str);
            write(&mut self.findings, &finding_row(finding, standards, &self.accepted))?;
        }
        self.protection.bucket(record, evaluation)
    }

    fn finish(mut self: Box<Self>, summary: &Summary<'_>, _: &Folder) -> io::Result<Vec<Finished>> {
        summary.accounts.iter().try_for_each(|account| write(&mut self.accounts, &account_row(account)))?;
        let mut metrics = summary.metrics.rows();
        metrics.try_for_each(|metric| write(&mut self.metrics, &metric_row(&metric, &self.accepted)))?;
        let Self { accounts, buckets, findings, metrics, protection, .. } = *self;
        let finished = [accounts, buckets, findings, metrics].map(finish);
        let mut finished = finished.into_iter().collect::<io::Result<Vec<Finished>>>()?;
        finished.extend(protection.finish()?);
        Ok(finished)
    }
}

fn write<const COLUMNS: usize>(table: &mut CsvWriter<Draft>, row: &[Cow<'_, str>; COLUMNS]) -> io::Result<()> {
    Ok(table.write_record(row.iter().map(|cell| cell.as_bytes()))?)
}

fn finish(table: CsvWriter<Draft>) -> io::Result<Finished> {
    table.into_inner().map_err(::csv::IntoInnerError::into_error)?.finish()
}

fn account_row(account: &AccountRecord) -> [Cow<'_, str>; ACCOUNT_COLUMNS.len()] {
    [
        account.id.as_ref().map_or("", |id| id.as_str()).into(),
        cell(&account.name),
        owned_cell(&account.ou_path.to_string()),
        account.state.as_ref().map_or(Cow::Borrowed(""), |state| cell(state.as_str())),
        account.outcome().as_str().into(),
        owned_cell(&account.reason()),
        listed_buckets(account).map_or(Cow::Borrowed(""), |buckets| buckets.to_string().into()),
        account.unknown_reasons().map_or(Cow::Borrowed(""), |why| owned_cell(&why)),
    ]
}

/// How many buckets were listed. `None` where the list could not be read: that is not the same as having none.
pub(super) fn listed_buckets(account: &AccountRecord) -> Option<u64> {
    match account.listing {
        Outcome::Complete | Outcome::Incomplete(_) => Some(account.buckets),
        Outcome::Failed(_) | Outcome::Skipped(_) => (account.buckets > 0).then_some(account.buckets),
    }
}

fn bucket_row<'a>(
    account: &'a AccountRecord,
    record: &'a BucketRecord,
    evaluation: &'a Evaluation,
    accepted: &'a str,
) -> [Cow<'a, str>; BUCKET_COLUMNS.len()] {
    let rules = |kind| evaluation.failed(kind).collect::<Vec<_>>().join(";");
    [
        record.account.as_str().into(),
        cell(&account.name),
        owned_cell(&account.ou_path.to_string()),
        cell(record.region.as_str()),
        cell(&record.bucket),
        record.versioning_word().into(),
        record.mfa_delete_word().into(),
        record.lifecycle_word().into(),
        record.lifecycle_rules().map_or(Cow::Borrowed(""), |rules| rules.to_string().into()),
        evaluation.status.as_str().into(),
        evaluation.severity.map_or("", |severity| severity.as_str()).into(),
        rules(Kind::Requirement).into(),
        rules(Kind::Advisory).into(),
        owned_cell(&record.unknown_reasons().join(";")),
        record.observed_at().to_string().into(),
        accepted.into(),
    ]
}

fn finding_row<'a>(
    finding: &'a Finding,
    standards: &'a str,
    accepted: &'a str,
) -> [Cow<'a, str>; FINDING_COLUMNS.len()] {
    [
        finding.account.as_str().into(),
        cell(finding.region.as_str()),
        cell(&finding.bucket),
        finding.rule.into(),
        finding.kind.as_str().into(),
        finding.status.as_str().into(),
        finding.severity.as_str().into(),
        standards.into(),
        cell(&finding.evidence),
        finding.observed_at.to_string().into(),
        accepted.into(),
    ]
}

fn standards(rule: &rules::Rule) -> String {
    rule.standards.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

fn metric_row<'a>(row: &MetricRow<'a>, accepted: &'a str) -> [Cow<'a, str>; METRIC_COLUMNS.len()] {
    let value = number(row.value);
    let (scope, id, region) = (row.scope.as_str().into(), cell(row.scope_id), cell(row.region));
    [scope, id, region, row.metric.into(), value.into(), accepted.into()]
}

/// Empty for what is not known, and for a part of nothing.
pub(super) fn number(value: Option<Value>) -> String {
    match value {
        Some(Value::Count(count)) => count.to_string(),
        Some(Value::Percent(number) | Value::Average(number)) => format!("{number:.2}"),
        Some(Value::Unknown) | None => String::new(),
    }
}

/// The controls that are accepted for MFA delete, joined by `;`.
pub(super) fn controls(accepted: &BTreeSet<AcceptedControl>) -> String {
    accepted.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

fn owned_cell(text: &str) -> Cow<'static, str> {
    cell(text).into_owned().into()
}

#[cfg(test)]
mod tests;
