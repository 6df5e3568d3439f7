//! `mfa_by_policy`, `protection` and `protection_classes` of `report.json`: each is there only where what it tells was asked
//! for and a bucket was read. Their rows wait in files of their own until the findings are written.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};

use serde::Serialize;

use super::{NAME, harmless};
use crate::evaluate::Evaluation;
use crate::model::{BucketRecord, Doubt};
use crate::policy::{self, Group, Said};
use crate::protection::tally::{Counts, Line, Tally};
use crate::protection::{self, Class, ControlState, Effect, Hole, Outcome, State, Threat};
use crate::report::folder::scratch;
use crate::run_folder::Directory;

pub(super) struct Sections {
    folder: Directory,
    policy: Option<Rows>,
    protection: Option<Rows>,
    tally: Tally,
}

/// Rows that wait, a line each.
struct Rows {
    out: BufWriter<File>,
    /// What stands before the next.
    separator: &'static str,
}

impl Rows {
    fn add(&mut self, row: &impl Serialize) -> io::Result<()> {
        self.out.write_all(self.separator.as_bytes())?;
        self.separator = ",\n";
        Ok(serde_json::to_writer(&mut self.out, row)?)
    }

    fn copy(self, name: &str, to: &mut impl Write) -> io::Result<()> {
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        write!(to, ",\n\"{name}\": [")?;
        io::copy(&mut file, to)?;
        to.write_all(b"\n]")
    }
}

impl Sections {
    pub fn new(folder: Directory) -> Self {
        Self { folder, policy: None, protection: None, tally: Tally::default() }
    }

    pub fn bucket(&mut self, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        if let Some(said) = &evaluation.policy {
            open(&mut self.policy, &self.folder)?.add(&PolicyLine::of(record, said))?;
        }
        if let Some(protection) = &evaluation.protection {
            open(&mut self.protection, &self.folder)?.add(&ProtectionLine::of(record, protection))?;
            self.tally.add(protection);
        }
        Ok(())
    }

    pub fn finish(self, to: &mut impl Write) -> io::Result<()> {
        if let Some(rows) = self.policy {
            rows.copy("mfa_by_policy", to)?;
        }
        if let Some(rows) = self.protection {
            rows.copy("protection", to)?;
            write!(to, ",\n\"protection_classes\": [")?;
            let mut separator = "\n";
            for (class, counts) in self.tally.classes() {
                to.write_all(separator.as_bytes())?;
                serde_json::to_writer(&mut *to, &ClassLine::of(class, counts))?;
                separator = ",\n";
            }
            to.write_all(b"\n]")?;
        }
        Ok(())
    }
}

fn open<'a>(rows: &'a mut Option<Rows>, folder: &Directory) -> io::Result<&'a mut Rows> {
    let opened = match rows.take() {
        Some(opened) => opened,
        None => Rows { out: BufWriter::with_capacity(1 << 16, scratch(folder, NAME)?), separator: "\n" },
    };
    Ok(rows.insert(opened))
}

fn sentence(doubt: &Doubt) -> String {
    harmless(&doubt.sentence()).into_owned()
}

#[derive(Serialize)]
struct PolicyLine<'a> {
    account_id: &'a str,
    region: Cow<'a, str>,
    bucket: Cow<'a, str>,
    policy: &'static str,
    reason: Option<String>,
    groups: Vec<GroupCell<'a>>,
}

#[derive(Serialize)]
struct GroupCell<'a> {
    actions: &'static str,
    mfa: &'static str,
    max_age_seconds: Option<u64>,
    denied_to_all: Option<bool>,
    demands: Vec<DemandCell<'a>>,
    holes: Vec<HoleCell>,
}

#[derive(Serialize)]
struct DemandCell<'a> {
    statement: usize,
    resources: ScopeCell<'a>,
    principals: ScopeCell<'a>,
    max_age_seconds: Option<u64>,
}

/// `all`, or those that are named, or all but those.
#[derive(Serialize)]
struct ScopeCell<'a> {
    scope: &'static str,
    named: Vec<Cow<'a, str>>,
}

#[derive(Serialize)]
struct HoleCell {
    name: &'static str,
    statement: Option<usize>,
    sentence: String,
}

impl<'a> PolicyLine<'a> {
    fn of(record: &'a BucketRecord, said: &'a Said) -> Self {
        let (policy, reason) = match said {
            Said::NoPolicy => ("none", None),
            Said::Judged(_) => ("present", None),
            Said::Unknown(doubt) => ("unknown", Some(sentence(doubt))),
        };
        Self {
            account_id: record.account.as_str(),
            region: harmless(record.region.as_str()),
            bucket: harmless(&record.bucket),
            policy,
            reason,
            groups: Group::ALL.into_iter().map(|group| GroupCell::of(said, group)).collect(),
        }
    }
}

impl<'a> GroupCell<'a> {
    fn of(said: &'a Said, group: Group) -> Self {
        let access = said.access(group);
        Self {
            actions: group.as_str(),
            mfa: said.verdict(group).as_str(),
            max_age_seconds: access.and_then(|access| access.max_age),
            denied_to_all: match said {
                Said::Unknown(_) => None,
                Said::NoPolicy => Some(false),
                Said::Judged(judged) => Some(judged.mfa.of(group).denied_to_all),
            },
            demands: access.into_iter().flat_map(|access| &access.demands).map(DemandCell::of).collect(),
            holes: access.into_iter().flat_map(|access| &access.gaps).map(HoleCell::of_gap).collect(),
        }
    }
}

impl<'a> DemandCell<'a> {
    fn of(demand: &'a policy::Demand) -> Self {
        Self {
            statement: demand.statement + 1,
            resources: ScopeCell::of(&demand.resources),
            principals: ScopeCell::of(&demand.principals),
            max_age_seconds: demand.max_age,
        }
    }
}

impl<'a> ScopeCell<'a> {
    fn of(scope: &'a policy::Scope) -> Self {
        let (scope, named) = match scope {
            policy::Scope::All => ("all", &[][..]),
            policy::Scope::Part(named) => ("part", named.as_slice()),
            policy::Scope::AllBut(named) => ("all_but", named.as_slice()),
        };
        Self { scope, named: named.iter().map(|name| harmless(name)).collect() }
    }
}

impl HoleCell {
    fn of_gap(gap: &policy::Gap) -> Self {
        Self {
            name: gap.hole.as_str(),
            statement: gap.statement.map(|position| position + 1),
            sentence: harmless(&gap.hole.to_string()).into_owned(),
        }
    }

    fn of_control(hole: &Hole) -> Self {
        Self { name: hole.as_str(), statement: None, sentence: harmless(&hole.to_string()).into_owned() }
    }
}

#[derive(Serialize)]
struct ProtectionLine<'a> {
    account_id: &'a str,
    region: Cow<'a, str>,
    bucket: Cow<'a, str>,
    class: &'static str,
    threats: Vec<AnswerCell<'a>>,
    controls: Vec<ControlCell<'a>>,
}

#[derive(Serialize)]
struct AnswerCell<'a> {
    threat: &'static str,
    outcome: &'static str,
    by: Vec<EffectCell<'a>>,
    unknown_reasons: Vec<String>,
}

#[derive(Serialize)]
struct EffectCell<'a> {
    by: &'static str,
    strength: &'static str,
    how: Cow<'a, str>,
}

#[derive(Serialize)]
struct ControlCell<'a> {
    control: &'static str,
    state: &'static str,
    days: Option<u32>,
    fact: Option<Cow<'a, str>>,
    holes: Vec<HoleCell>,
    reason: Option<String>,
}

impl<'a> ProtectionLine<'a> {
    fn of(record: &'a BucketRecord, protection: &'a protection::Protection) -> Self {
        Self {
            account_id: record.account.as_str(),
            region: harmless(record.region.as_str()),
            bucket: harmless(&record.bucket),
            class: protection.class.as_str(),
            threats: protection.answers.iter().map(AnswerCell::of).collect(),
            controls: protection.controls.iter().map(ControlCell::of).collect(),
        }
    }
}

impl<'a> AnswerCell<'a> {
    fn of(answer: &'a protection::Answer) -> Self {
        let effect = |effect: &'a Effect| EffectCell {
            by: effect.by.as_str(),
            strength: effect.strength.as_str(),
            how: harmless(&effect.words),
        };
        Self {
            threat: answer.threat.as_str(),
            outcome: answer.outcome.as_str(),
            by: answer.by.iter().map(effect).collect(),
            unknown_reasons: answer.doubts.iter().map(sentence).collect(),
        }
    }
}

impl<'a> ControlCell<'a> {
    fn of(control: &'a ControlState) -> Self {
        let (fact, days, holes, reason) = match &control.state {
            State::Present { fact, days, holes, .. } => (Some(harmless(fact)), *days, holes.as_slice(), None),
            State::Absent(why) => (Some(harmless(why)), None, &[][..], None),
            State::Unknown(doubt) => (None, None, &[][..], Some(sentence(doubt))),
        };
        Self {
            control: control.control.as_str(),
            state: control.state.as_str(),
            days,
            fact,
            holes: holes.iter().map(HoleCell::of_control).collect(),
            reason,
        }
    }
}

/// The buckets of one class together.
#[derive(Serialize)]
struct ClassLine {
    class: &'static str,
    buckets: u64,
    threats: Vec<ThreatCell>,
}

#[derive(Serialize)]
struct ThreatCell {
    threat: &'static str,
    stopped: u64,
    limited: u64,
    nothing: u64,
    unknown: u64,
    by: Vec<MeansCell>,
}

#[derive(Serialize)]
struct MeansCell {
    by: &'static str,
    buckets: u64,
}

impl ClassLine {
    fn of(class: Class, counts: &Counts) -> Self {
        let cell = |(threat, line): (Threat, &Line)| ThreatCell {
            threat: threat.as_str(),
            stopped: line.count(Outcome::Stopped),
            limited: line.count(Outcome::Limited),
            nothing: line.count(Outcome::Nothing),
            unknown: line.count(Outcome::Unknown),
            by: line.by().map(|(by, buckets)| MeansCell { by: by.as_str(), buckets }).collect(),
        };
        Self { class: class.as_str(), buckets: counts.buckets, threats: counts.lines().map(cell).collect() }
    }
}
