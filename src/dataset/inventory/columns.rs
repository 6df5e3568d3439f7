//! The columns, a line each: name, whether it is required, and what a bucket has there.

use std::borrow::Cow;

use super::possible::PARTIAL;
use crate::aggregate;
use crate::evaluate::Evaluation;
use crate::model::{
    AccountRecord, BucketRecord, Extra, Fact, Facts, Kind, Lifecycle, Reason, Region, Run, Timestamp, Told,
    VersioningState,
};

/// What a row is made of.
pub(super) struct Row<'a> {
    pub run: &'a Run,
    pub account: &'a AccountRecord,
    pub record: &'a BucketRecord,
    pub evaluation: &'a Evaluation,
}

type Text = for<'a> fn(&Row<'a>) -> Option<Cow<'a, str>>;

/// What stands in a column; `None` is null.
pub(super) enum Content {
    Text(Text),
    Flag(fn(&Row<'_>) -> bool),
    Number(fn(&Row<'_>) -> Option<i32>),
    Time(fn(&Row<'_>) -> Option<Timestamp>),
    /// A fact that is read only where it was asked for, as JSON, and why it is unknown.
    Extra(Extra),
    WhyExtra(Extra),
    /// What the bucket adds to the metric of this place in [`aggregate::counters`].
    Metric(usize),
}

pub(super) struct Column {
    pub name: Cow<'static, str>,
    pub is_required: bool,
    pub content: Content,
}

const fn column(name: &'static str, is_required: bool, content: Content) -> Column {
    Column { name: Cow::Borrowed(name), is_required, content }
}

const fn required(name: &'static str, text: Text) -> Column {
    column(name, true, Content::Text(text))
}

const fn optional(name: &'static str, text: Text) -> Column {
    column(name, false, Content::Text(text))
}

/// Whether it is a directory bucket, of which nothing else is known and nothing is counted.
pub(super) const DIRECTORY: &str = "directory_bucket";

/// The controls that the run took for MFA delete.
const ACCEPTED: &str = "accepted_controls";

/// Whether files of older versions have no such column. Like these, a new column is to be listed here.
pub(super) fn came_later(name: &str) -> bool {
    [DIRECTORY, PARTIAL, ACCEPTED, "MFADeleteNotOfferedBucketCount"].contains(&name)
}

/// Every column in its order. Those of further facts and of metrics follow from their lists.
pub(super) fn columns() -> Vec<Column> {
    let first = [
        required("run_id", |row| Some(row.run.id.as_str().into())),
        column("run_start", true, Content::Time(|row| Some(row.run.start))),
        required("standard", |row| Some(row.run.standard.as_str().into())),
        optional("organization_id", |row| row.run.organization_id.as_deref().map(Cow::Borrowed)),
        required("account_id", |row| Some(row.record.account.as_str().into())),
        optional("account_name", |row| some(row.account.name.as_str())),
        optional("ou_path", |row| some(row.account.ou_path.to_string())),
        optional("region", |row| {
            let region = &row.record.region;
            (*region != Region::unknown()).then(|| region.as_str().into())
        }),
        required("bucket", |row| Some(row.record.bucket.as_str().into())),
        column("vanished", true, Content::Flag(|row| matches!(row.record.facts, Facts::Vanished { .. }))),
        optional("versioning", |row| known(versioning(row)).map(|state| state.versioning_word().into())),
        optional("mfa_delete", |row| known(versioning(row)).map(|state| state.mfa_delete_word().into())),
        optional("versioning_unknown", |row| why(versioning(row))),
        column("versioning_observed_at", false, Content::Time(|row| versioning(row).map(|fact| fact.at))),
        optional("lifecycle", |row| {
            known(lifecycle(row)).map(|lifecycle| match lifecycle {
                Lifecycle::None => "none".into(),
                Lifecycle::Present(_) => "present".into(),
            })
        }),
        column(
            "lifecycle_rules",
            false,
            Content::Number(|row| row.record.lifecycle_rules().and_then(|rules| rules.try_into().ok())),
        ),
        optional("lifecycle_rules_json", |row| match known(lifecycle(row))? {
            Lifecycle::None => None,
            Lifecycle::Present(configuration) => {
                Some(serde_json::to_string(&configuration.rules).expect("texts are JSON").into())
            }
        }),
        optional("lifecycle_unknown", |row| why(lifecycle(row))),
        column("lifecycle_observed_at", false, Content::Time(|row| lifecycle(row).map(|fact| fact.at))),
        required("status", |row| Some(row.evaluation.status.as_str().into())),
        optional("severity", |row| row.evaluation.severity.map(|severity| severity.as_str().into())),
        optional("failed_rules", |row| failed(row, Kind::Requirement)),
        optional("advisories", |row| failed(row, Kind::Advisory)),
        column("observed_at", true, Content::Time(|row| Some(row.record.observed_at()))),
        column(DIRECTORY, true, Content::Flag(|row| matches!(row.record.facts, Facts::Directory { .. }))),
    ];
    let extras = Extra::ALL.into_iter().flat_map(|extra| {
        let name = extra.as_str();
        [
            Column { name: name.into(), is_required: false, content: Content::Extra(extra) },
            Column { name: format!("{name}_unknown").into(), is_required: false, content: Content::WhyExtra(extra) },
        ]
    });
    let metrics = aggregate::counters().enumerate();
    let metrics = metrics.map(|(place, name)| column(name, false, Content::Metric(place)));
    let last = [optional(ACCEPTED, |row| {
        let accepted: Vec<String> = row.run.accepted_controls.iter().map(ToString::to_string).collect();
        some(accepted.join(";"))
    })];
    first.into_iter().chain(extras).chain(metrics).chain(last).collect()
}

/// Name, type and whether it is required, of every column: for what is written about it.
pub fn schema() -> Vec<(String, &'static str, bool)> {
    let columns = columns().into_iter().map(|column| {
        let kind = match column.content {
            Content::Text(_) | Content::Extra(_) | Content::WhyExtra(_) => "string",
            Content::Flag(_) => "boolean",
            Content::Number(_) | Content::Metric(_) => "int32",
            Content::Time(_) => "timestamp",
        };
        (column.name.into_owned(), kind, column.is_required)
    });
    columns.collect()
}

fn some<'a>(text: impl Into<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let text = text.into();
    (!text.is_empty()).then_some(text)
}

fn versioning<'a>(row: &Row<'a>) -> Option<&'a Fact<VersioningState>> {
    match &row.record.facts {
        Facts::Read { versioning, .. } => Some(versioning),
        Facts::Vanished { .. } | Facts::Directory { .. } => None,
    }
}

fn lifecycle<'a>(row: &Row<'a>) -> Option<&'a Fact<Lifecycle>> {
    match &row.record.facts {
        Facts::Read { lifecycle, .. } => Some(lifecycle),
        Facts::Vanished { .. } | Facts::Directory { .. } => None,
    }
}

fn known<T>(fact: Option<&Fact<T>>) -> Option<&T> {
    fact.and_then(Fact::known)
}

fn why<'a, T>(fact: Option<&Fact<T>>) -> Option<Cow<'a, str>> {
    fact.and_then(Fact::reason).map(|reason| reason.sentence().into())
}

fn failed<'a>(row: &Row<'a>, kind: Kind) -> Option<Cow<'a, str>> {
    some(row.evaluation.failed(kind).collect::<Vec<_>>().join(";"))
}

/// The value of such a fact as JSON, and why it is unknown; nothing where nobody asked.
pub(super) fn extra(row: &Row<'_>, extra: Extra) -> (Option<String>, Option<String>) {
    let Facts::Read { extras, .. } = &row.record.facts else { return (None, None) };
    match extras.told(extra) {
        Told::NotAsked => (None, None),
        Told::Known(json) => (Some(json), None),
        Told::Unknown(reason) => (None, Some(Reason::sentence(reason))),
    }
}
