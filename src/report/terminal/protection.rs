//! What bucket policies say of MFA, and what stands against those who would destroy versions: only where it was asked for.

use super::page::Page;
use super::table::{Column, Text, Tone, grouped, plural};
use crate::policy::Group;
use crate::protection::tally::{Counts, Line};
use crate::protection::{Class, Outcome, Threat};

impl Page<'_> {
    pub(super) fn policy(&self) -> Option<String> {
        let tally = &self.tally.policies;
        if tally.is_empty() {
            return None;
        }
        let row = |group: Group| {
            let counts = tally.get(&group).copied().unwrap_or_default();
            let number = |count: u64, tone| Text::number(count).tone_unless_zero(count, tone);
            vec![
                Text::new(&group.as_str().replace('_', " ")),
                number(counts.required, Tone::Plain),
                number(counts.partial, Tone::Warning),
                number(counts.not_required, Tone::Plain),
                number(counts.denied, Tone::Plain),
                number(counts.unknown, Tone::Warning),
            ]
        };
        let header =
            ["Needed", "In part", "Not needed", "Denied to all", "Unknown"].map(|word| Text::new(word).right());
        let header = [Text::new("To")].into_iter().chain(header).collect();
        let columns = [Column::Wrap, Column::Fit, Column::Fit, Column::Fit, Column::Fit, Column::Fit];
        let table = self.layout.headed(header, Group::ALL.map(row).into(), &columns);
        let note = "Buckets whose policy needs MFA for it. It is no MFA delete and never counts as that.";
        Some(self.layout.title("MFA BY BUCKET POLICY") + &table + &self.layout.paragraph(Text::faint(note)))
    }

    pub(super) fn protection(&self) -> Option<String> {
        if self.tally.protection.is_empty() {
            return None;
        }
        let parts: Vec<String> =
            self.tally.protection.classes().map(|(class, counts)| self.class(class, counts)).collect();
        let note = "Stopped: the data stays. Limited: it can be had again, or a part is covered. Nothing: nothing that a \
                    bucket shows. Each control has its holes, which the report's files name.";
        let note = self.layout.paragraph(Text::faint(note));
        Some(self.layout.title("WHAT PROTECTS VERSIONS") + &parts.join("\n") + &note)
    }

    fn class(&self, class: Class, counts: &Counts) -> String {
        let head = format!("{} {}", plural(counts.buckets, "bucket"), class.words());
        let row = |(threat, line): (Threat, &Line)| {
            let number = |outcome, tone| {
                let count = line.count(outcome);
                Text::number(count).tone_unless_zero(count, tone)
            };
            vec![
                Text::new(threat.words()),
                number(Outcome::Stopped, Tone::Good),
                number(Outcome::Limited, Tone::Plain),
                number(Outcome::Nothing, Tone::Bad),
                number(Outcome::Unknown, Tone::Warning),
                Text::faint(&by(line)),
            ]
        };
        let right = ["Stopped", "Limited", "Nothing", "Unknown"].map(|word| Text::new(word).right());
        let mut header = vec![Text::new(&head)];
        header.extend(right);
        header.push(Text::new("By"));
        let columns = [Column::Wrap, Column::Fit, Column::Fit, Column::Fit, Column::Fit, Column::Wrap];
        self.layout.headed(header, counts.lines().map(row).collect(), &columns)
    }
}

/// `versions-kept 12, mfa-by-policy 1`.
fn by(line: &Line) -> String {
    line.by().map(|(means, buckets)| format!("{} {}", means.as_str(), grouped(buckets))).collect::<Vec<_>>().join(", ")
}
