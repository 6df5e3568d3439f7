//! The findings that matter most, equal ones together.

use super::page::Page;
use super::table::{Column, Text, Tone, grouped, plural};
use super::tally::{Group, KEPT};
use crate::model::{Kind, Severity};
use crate::rules::{self, Rule};

const GROUPS: usize = 15;

impl Page<'_> {
    pub(super) fn findings(&self) -> Option<String> {
        let groups = &self.tally.failed;
        let rows = groups.iter().take(GROUPS).flat_map(|((severity, position), group)| {
            rules::ALL.get(*position).map_or_else(Vec::new, |rule| rows(severity.0, rule, group))
        });
        let table = self.layout.table(rows.collect(), &[Column::Fit, Column::Wrap]);
        let rest = self.rest(groups.len(), GROUPS, "findings.csv");
        (!groups.is_empty()).then(|| self.layout.title("FINDINGS THAT MATTER MOST") + &table + &rest)
    }
}

/// What fails and how often, then where and why.
fn rows(severity: Severity, rule: &Rule, group: &Group) -> Vec<Vec<Text>> {
    let tone = match severity {
        Severity::Critical | Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warning,
        Severity::Low | Severity::Info => Tone::Faint,
    };
    let kind = match rule.kind {
        Kind::Requirement => "",
        Kind::Advisory => " (advisory)",
    };
    let (buckets, accounts) = (group.extent.buckets, group.extent.accounts);
    let head = format!("{}{kind}: {} in {}", rule.id, plural(buckets, "bucket"), plural(accounts, "account"));
    let mut rows = vec![vec![Text::new(severity.as_str()).tone(tone), Text::strong(&head)]];
    rows.extend(details(group).into_iter().map(|text| vec![Text::new(""), text]));
    rows
}

/// Why, and where. Findings that differ are told one by one while they are few; their evidence is in `findings.csv`
/// when they are many.
fn details(group: &Group) -> Vec<Text> {
    let places = group.first.iter().map(|finding| format!("{} in {}", finding.bucket, finding.account));
    if group.evidence.is_none() && group.extent.buckets <= KEPT as u64 {
        let lines = places.zip(&group.first).map(|(place, finding)| format!("{place}: {}", finding.evidence));
        return lines.map(|line| Text::new(&line)).collect();
    }
    let more = group.extent.buckets - group.first.len() as u64;
    let more = if more == 0 { String::new() } else { format!(" and {} more", grouped(more)) };
    let places = places.collect::<Vec<_>>().join(", ") + &more;
    let evidence = group.evidence.iter().map(|evidence| Text::new(evidence));
    evidence.chain([Text::faint(&places)]).collect()
}
