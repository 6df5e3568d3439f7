//! The page for a person: the rules in order and what each really does, what becomes of an object day by day, problems.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

use super::{Judged, Population, harmless, population};
use crate::lifecycle::read::Form;
use crate::lifecycle::timeline::{Event, Life, Scope, Timeline, scopes};
use crate::lifecycle::words::{does, scope};
use crate::lifecycle::{ActionVerdict, Verdict, Versions};

/// Timelines of more scopes would not be read.
const MOST_SCOPES: usize = 50;

pub(super) struct Page<'a> {
    judged: &'a Judged<'a>,
    file: &'a str,
    width: u16,
}

impl<'a> Page<'a> {
    pub fn new(judged: &'a Judged<'a>, file: &'a str, width: u16) -> Self {
        Self { judged, file, width: width.clamp(60, 120) }
    }

    pub fn text(&self) -> String {
        let mut text = self.head();
        text += &self.rules();
        text += &self.timelines();
        text += &self.problems();
        text
    }

    fn head(&self) -> String {
        let bucket = &self.judged.bucket;
        let versions = match bucket.versions {
            Versions::Unversioned => "unversioned",
            Versions::Enabled if self.judged.is_assumed => "versioning enabled (assumed)",
            Versions::Enabled => "versioning enabled",
            Versions::Suspended => "versioning suspended",
        };
        let mfa = match bucket.mfa_delete {
            None => "",
            Some(true) => ", MFA delete enabled",
            Some(false) => ", MFA delete disabled",
        };
        let rules = self.judged.configuration.rules.len();
        let refused = if self.judged.is_refused() { "; S3 REFUSES IT, see PROBLEMS" } else { "" };
        let sentence = format!(
            "{} ({}): {}, {}; bucket: {versions}{mfa}; today: {}{refused}",
            self.file,
            self.judged.dialect,
            counted(rules, "rule"),
            counted(self.judged.verdicts.len(), "action"),
            bucket.today
        );
        self.grid(&[0], vec![vec![sentence]])
    }

    fn rules(&self) -> String {
        let mut text = "\nRULES\n".to_owned();
        let mut verdicts = self.judged.verdicts.as_slice();
        for (index, rule) in self.judged.configuration.rules.iter().enumerate() {
            let off = match self.judged.forms[index] {
                Form::Unread => " (not read)",
                Form::Filter | Form::Prefix if !rule.enabled => " (disabled)",
                Form::Filter | Form::Prefix => "",
            };
            let number = format!("{}.", index + 1);
            let name = harmless(&rule.id);
            text += &self.grid(&[4, 0], vec![vec![number, format!("{name}{off}: {}", scope(&rule.filter))]]);
            let (own, rest) = verdicts.split_at(rule.actions.len().min(verdicts.len()));
            verdicts = rest;
            let mut own: Vec<&ActionVerdict> = own.iter().collect();
            own.sort_by_key(|verdict| population(self.judged.action(verdict)));
            let mut last: Option<Population> = None;
            let rows = own.into_iter().map(|verdict| {
                let of = population(self.judged.action(verdict));
                let words = if last.replace(of) == Some(of) { "" } else { of.words() };
                let action = does(self.judged.action(verdict));
                vec![String::new(), words.to_owned(), action, self.verdict(verdict)]
            });
            text += &self.grid(&[4, 11, 0, 27], rows.collect());
        }
        text
    }

    fn verdict(&self, verdict: &ActionVerdict) -> String {
        let words = match self.judged.verdict(verdict) {
            Verdict::Disabled => "disabled",
            Verdict::NoEffect => "no effect",
            Verdict::NeverApplies => "NEVER APPLIES",
            Verdict::PartlyShadowed => "PARTLY SHADOWED",
            Verdict::Effective => "effective",
            Verdict::NotAnalysed => "not analysed",
        };
        let winner = |rule: &usize| {
            let own = if *rule == verdict.rule { "its own rule " } else { "" };
            format!("{own}{}", harmless(self.judged.id(*rule)))
        };
        let by: Vec<String> = verdict.by.iter().map(winner).collect();
        if by.is_empty() { words.to_owned() } else { format!("{words} by {}", by.join(", ")) }
    }

    fn timelines(&self) -> String {
        let bucket = &self.judged.bucket;
        let scopes = scopes(self.judged.configuration, bucket.versions, bucket.today);
        if scopes.is_empty() {
            return String::new();
        }
        let mut text = "\nTIMELINES in days, for objects that no further rule matches\n".to_owned();
        for scope in scopes.iter().take(MOST_SCOPES) {
            text += &self.timeline(scope);
        }
        if scopes.len() > MOST_SCOPES {
            let left_out = counted(scopes.len() - MOST_SCOPES, "scope");
            text += &self.grid(&[2, 0], vec![vec![String::new(), format!("and {left_out} more")]]);
        }
        text
    }

    fn timeline(&self, of: &Scope<'_>) -> String {
        let mut text = self.grid(&[2, 0], vec![vec![String::new(), scope(of.filter)]]);
        let rows = of.timelines.iter().map(|timeline| {
            let (label, start) = match timeline.of {
                Life::Object => ("object".to_owned(), "STANDARD"),
                Life::NullVersion => ("null version".to_owned(), "STANDARD"),
                Life::OlderVersion => ("other version".to_owned(), "STANDARD"),
                Life::Noncurrent { newer: 0 } => ("noncurrent".to_owned(), "as it is"),
                Life::Noncurrent { newer } => (format!("noncurrent, {newer}+ newer"), "as it is"),
                Life::Upload => ("upload".to_owned(), "begun"),
            };
            let room = usize::from(self.width) - 28;
            vec![String::new(), label, drawn(timeline, start, room)]
        });
        text += &self.grid(&[4, 22, 0], rows.collect());
        text
    }

    fn problems(&self) -> String {
        if self.judged.problems.is_empty() {
            return String::new();
        }
        let rows = self.judged.problems.iter().map(|problem| {
            let rule = problem.rule.map_or_else(String::new, |rule| format!("{}: ", harmless(self.judged.id(rule))));
            let code = problem.code.map_or_else(String::new, |code| format!(" ({code})"));
            let severity = problem.severity.as_str().to_owned();
            vec![String::new(), severity, format!("{rule}{}{code}", harmless(&problem.message))]
        });
        format!("\nPROBLEMS\n{}", self.grid(&[2, 9, 0], rows.collect()))
    }

    /// Columns of these widths; 0 is what the others leave.
    fn grid(&self, widths: &[u16], rows: Vec<Vec<String>>) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(self.width);
        table.force_no_tty().add_rows(rows);
        let left = self.width - widths.iter().sum::<u16>();
        for (column, width) in table.column_iter_mut().zip(widths) {
            column.set_padding((0, 1));
            let width = if *width == 0 { left } else { *width };
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
        table.trim_fmt() + "\n"
    }
}

/// `STANDARD ── 30 ──> GLACIER ── 365 ──> deleted for good`, broken before a step.
fn drawn(timeline: &Timeline, start: &str, room: usize) -> String {
    let mut text = start.to_owned();
    let mut used = text.chars().count();
    for step in &timeline.steps {
        let end = match step.event {
            Event::Moved(class) => class.as_str(),
            Event::DeleteMarker => "delete marker, noncurrent",
            Event::Deleted => "deleted for good",
            Event::Aborted => "aborted",
        };
        let piece = format!("── {} ──> {end}", step.day);
        let length = piece.chars().count();
        if used + 1 + length > room {
            text.push('\n');
            used = length;
        } else {
            text.push(' ');
            used += 1 + length;
        }
        text += &piece;
    }
    text
}

fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
