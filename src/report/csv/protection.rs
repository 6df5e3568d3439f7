//! `policy.csv`, `protection.csv` and `controls.csv`: each is there only where what it tells was asked for and a bucket was
//! read.

use std::borrow::Cow;
use std::io;

use ::csv::Writer as CsvWriter;

use super::{cell, finish, owned_cell, table, write};
use crate::evaluate::Evaluation;
use crate::model::BucketRecord;
use crate::policy::{Group, Said};
use crate::protection::{ControlState, Protection, State, Threat};
use crate::report::{Draft, Finished};
use crate::run_folder::Directory;

pub(super) const POLICY: &str = "policy.csv";
pub(super) const PROTECTION: &str = "protection.csv";
pub(super) const CONTROLS: &str = "controls.csv";

pub(super) const POLICY_COLUMNS: [&str; 10] = [
    "account_id",
    "region",
    "bucket",
    "policy",
    "actions",
    "mfa",
    "max_age_seconds",
    "denied_to_all",
    "holes",
    "unknown_reason",
];
pub(super) const PROTECTION_COLUMNS: [&str; 13] = [
    "account_id",
    "region",
    "bucket",
    "class",
    "administrator",
    "administrator_by",
    "user_keys",
    "user_keys_by",
    "lifecycle_rule",
    "lifecycle_rule_by",
    "script",
    "script_by",
    "unknown_reasons",
];
pub(super) const CONTROL_COLUMNS: [&str; 8] =
    ["account_id", "region", "bucket", "control", "state", "days", "fact", "holes"];

/// The tables, each from its first row on.
pub(super) struct Tables {
    folder: Directory,
    policy: Option<CsvWriter<Draft>>,
    protection: Option<CsvWriter<Draft>>,
    controls: Option<CsvWriter<Draft>>,
}

impl Tables {
    pub fn new(folder: Directory) -> Self {
        Self { folder, policy: None, protection: None, controls: None }
    }

    pub fn bucket(&mut self, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        if let Some(said) = &evaluation.policy {
            let out = open(&mut self.policy, &self.folder, POLICY, &POLICY_COLUMNS)?;
            Group::ALL.into_iter().try_for_each(|group| write(out, &policy_row(record, said, group)))?;
        }
        if let Some(protection) = &evaluation.protection {
            let out = open(&mut self.protection, &self.folder, PROTECTION, &PROTECTION_COLUMNS)?;
            write(out, &protection_row(record, protection))?;
            let out = open(&mut self.controls, &self.folder, CONTROLS, &CONTROL_COLUMNS)?;
            protection.controls.iter().try_for_each(|control| write(out, &control_row(record, control)))?;
        }
        Ok(())
    }

    pub fn finish(self) -> io::Result<Vec<Finished>> {
        [self.policy, self.protection, self.controls].into_iter().flatten().map(finish).collect()
    }
}

fn open<'a>(
    out: &'a mut Option<CsvWriter<Draft>>,
    folder: &Directory,
    name: &'static str,
    columns: &[&str],
) -> io::Result<&'a mut CsvWriter<Draft>> {
    let writer = match out.take() {
        Some(writer) => writer,
        None => table(folder, name, columns)?,
    };
    Ok(out.insert(writer))
}

fn policy_row<'a>(record: &'a BucketRecord, said: &Said, group: Group) -> [Cow<'a, str>; POLICY_COLUMNS.len()] {
    let access = said.access(group);
    let is_denied = access.is_some_and(|access| access.denied_to_all);
    let (word, reason) = match said {
        Said::NoPolicy => ("none", String::new()),
        Said::Judged(_) => ("present", String::new()),
        Said::Unknown(doubt) => ("unknown", doubt.sentence()),
    };
    [
        record.account.as_str().into(),
        cell(record.region.as_str()),
        cell(&record.bucket),
        word.into(),
        group.as_str().into(),
        said.verdict(group).as_str().into(),
        access.and_then(|access| access.max_age).map_or(Cow::Borrowed(""), |age| age.to_string().into()),
        match said {
            Said::Unknown(_) => "",
            Said::NoPolicy | Said::Judged(_) if is_denied => "true",
            Said::NoPolicy | Said::Judged(_) => "false",
        }
        .into(),
        owned_cell(&access.map(|access| listed(access.holes())).unwrap_or_default()),
        owned_cell(&reason),
    ]
}

/// A list in a cell, whose items have no `;`.
fn listed(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|item| item.replace(';', ",")).collect::<Vec<String>>().join(";")
}

fn protection_row<'a>(record: &'a BucketRecord, protection: &Protection) -> [Cow<'a, str>; PROTECTION_COLUMNS.len()] {
    let outcome = |threat| protection.answer(threat).outcome.as_str().into();
    let by = |threat| {
        let by: Vec<&str> = protection.answer(threat).by.iter().map(|effect| effect.by.as_str()).collect();
        by.join(";").into()
    };
    let mut reasons: Vec<String> = Vec::new();
    for doubt in protection.answers.iter().flat_map(|answer| &answer.doubts) {
        let sentence = doubt.sentence();
        if !reasons.contains(&sentence) {
            reasons.push(sentence);
        }
    }
    [
        record.account.as_str().into(),
        cell(record.region.as_str()),
        cell(&record.bucket),
        protection.class.as_str().into(),
        outcome(Threat::Administrator),
        by(Threat::Administrator),
        outcome(Threat::UserKeys),
        by(Threat::UserKeys),
        outcome(Threat::LifecycleRule),
        by(Threat::LifecycleRule),
        outcome(Threat::Script),
        by(Threat::Script),
        owned_cell(&listed(reasons)),
    ]
}

fn control_row<'a>(record: &'a BucketRecord, control: &'a ControlState) -> [Cow<'a, str>; CONTROL_COLUMNS.len()] {
    let (fact, days, holes) = match &control.state {
        State::Present { fact, days, holes, .. } => (cell(fact), *days, holes.as_slice()),
        State::Absent(why) => (cell(why), None, &[][..]),
        State::Unknown(doubt) => (owned_cell(&doubt.sentence()), None, &[][..]),
    };
    [
        record.account.as_str().into(),
        cell(record.region.as_str()),
        cell(&record.bucket),
        control.control.as_str().into(),
        control.state.as_str().into(),
        days.map_or(Cow::Borrowed(""), |days| days.to_string().into()),
        fact,
        owned_cell(&listed(holes.iter().map(ToString::to_string))),
    ]
}
