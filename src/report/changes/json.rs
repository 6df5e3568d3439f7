//! The comparison for programs: a change a line, then what they add up to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Changes, Runs};
use crate::diff::{Change, Judged, Kind, Lost, Totals, Weight, What};
use crate::model::{self, AccountId};
use crate::report::text::harmless;

const SCHEMA_VERSION: u32 = 1;

pub(super) struct Document<W: Write> {
    out: W,
    /// What stands before the next change.
    separator: &'static str,
}

#[derive(Serialize)]
struct Run<'a> {
    id: &'a str,
    start: String,
    interrupted: bool,
    standard: &'static str,
    accepted_controls: Vec<String>,
    organization_id: Option<Cow<'a, str>>,
    configuration_digest: &'a str,
}

impl<'a> Run<'a> {
    fn of(run: &'a model::Run) -> Self {
        Self {
            id: &run.id,
            start: run.start.to_string(),
            interrupted: run.interrupted,
            standard: run.standard.as_str(),
            accepted_controls: run.accepted_controls.iter().map(ToString::to_string).collect(),
            organization_id: run.organization_id.as_deref().map(harmless),
            configuration_digest: &run.configuration_digest,
        }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    account_id: Option<&'a str>,
    account_name: Cow<'a, str>,
    ou_id: Option<Cow<'a, str>>,
    region: Option<Cow<'a, str>>,
    bucket: Option<Cow<'a, str>>,
    change: &'static str,
    fact: Option<&'static str>,
    old: Option<Cow<'a, str>>,
    new: Option<Cow<'a, str>>,
    finding: Option<&'static str>,
    severity: Option<&'static str>,
    regression: bool,
    words: Cow<'a, str>,
}

#[derive(Serialize)]
struct Sums {
    regressions: u64,
    regressed_buckets: u64,
    unclear: u64,
    changes: BTreeMap<&'static str, u64>,
}

impl<W: Write> Document<W> {
    pub fn new(runs: Runs<'_>, mut out: W) -> io::Result<Self> {
        write!(out, "{{\n\"schema_version\": {SCHEMA_VERSION}")?;
        for (name, run) in [("old", runs.old), ("new", runs.new)] {
            write!(out, ",\n\"{name}\": ")?;
            serde_json::to_writer(&mut out, &Run::of(run))?;
        }
        let Judged { standard, accepted } = runs.judged;
        let accepted: Vec<String> = accepted.iter().map(ToString::to_string).collect();
        write!(out, ",\n\"standard\": \"{}\",\n\"accepted_controls\": ", standard.as_str())?;
        serde_json::to_writer(&mut out, &accepted)?;
        write!(out, ",\n\"changes\": [")?;
        Ok(Self { out, separator: "\n" })
    }
}

impl<W: Write> Changes for Document<W> {
    fn change(&mut self, change: &Change<'_>) -> io::Result<()> {
        let lost = match change.weight {
            Weight::Plain | Weight::Fails => None,
            Weight::Lost(lost) => Some(lost),
        };
        let row = Row {
            account_id: change.account.and_then(|account| account.id.as_ref()).map(AccountId::as_str),
            account_name: change.account.map_or(Cow::Borrowed(""), |account| harmless(&account.name)),
            ou_id: change.unit.map(harmless),
            region: change.bucket.map(|(_, region)| harmless(region.as_str())),
            bucket: change.bucket.map(|(bucket, _)| harmless(bucket)),
            change: change.kind.as_str(),
            fact: change.what.map(What::as_str),
            old: change.old.map(harmless),
            new: change.new.map(harmless),
            finding: lost.map(Lost::as_str),
            severity: lost.map(|_| Lost::SEVERITY.as_str()),
            regression: change.weight.is_regression(),
            words: harmless(change.words),
        };
        self.out.write_all(self.separator.as_bytes())?;
        self.separator = ",\n";
        Ok(serde_json::to_writer(&mut self.out, &row)?)
    }

    fn finish(mut self: Box<Self>, totals: &Totals) -> io::Result<()> {
        let changes = Kind::ALL.into_iter().map(|kind| (kind.as_str(), totals.of(kind))).collect();
        let Totals { regressions, regressed_buckets, unclear, .. } = *totals;
        let sums = Sums { regressions, regressed_buckets, unclear, changes };
        self.out.write_all(b"\n],\n\"totals\": ")?;
        serde_json::to_writer(&mut self.out, &sums)?;
        self.out.write_all(b"\n}\n")?;
        self.out.flush()
    }
}
