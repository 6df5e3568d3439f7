//! What fails, equal findings together: requirements with why and where, advisories a line each.

use super::page::{Page, WIDE};
use super::table::{Column, Text, Tone, grouped, plural};
use super::tally::{Group, KEPT};
use crate::model::{Kind, Severity};
use crate::rules::{self, Rule};

const GROUPS: usize = 15;
const ADVISORIES: usize = 15;

impl Page<'_> {
    pub(super) fn findings(&self) -> Option<String> {
        let groups = self.failed(Kind::Requirement);
        let rows = groups.iter().take(GROUPS).flat_map(|(severity, rule, group)| rows(*severity, rule, group));
        let table = self.layout.table(rows.collect(), &[Column::Fit, Column::Wrap]);
        let rest = self.rest(groups.len(), GROUPS, "findings.csv");
        (!groups.is_empty()).then(|| self.layout.title("FINDINGS THAT MATTER MOST") + &table + &rest)
    }

    pub(super) fn advisories(&self) -> Option<String> {
        let groups = self.failed(Kind::Advisory);
        let wide = self.layout.width >= WIDE;
        let row = |(severity, rule, group): &(Severity, &Rule, &Group)| {
            let mut row = vec![Text::new(severity.as_str()).tone(tone(*severity)), Text::new(rule.id)];
            row.push(Text::number(group.extent.buckets));
            if wide {
                row.push(Text::number(group.extent.accounts));
                row.push(Text::faint(group.first.first().map_or("", |finding| &finding.bucket)));
            }
            row
        };
        let rows = groups.iter().take(ADVISORIES).map(row).collect();
        let mut header = vec![Text::new("Severity"), Text::new("Advisory"), Text::new("Buckets").right()];
        let mut columns = vec![Column::Fit, Column::Fit, Column::Fit];
        if wide {
            header.extend([Text::new("Accounts").right(), Text::new("For example")]);
            columns.extend([Column::Fit, Column::Wrap]);
        }
        let table = self.layout.headed(header, rows, &columns) + &self.rest(groups.len(), ADVISORIES, "findings.csv");
        (!groups.is_empty()).then(|| self.layout.title("ADVISORIES") + &table)
    }

    /// The worst first.
    fn failed(&self, kind: Kind) -> Vec<(Severity, &'static Rule, &Group)> {
        let groups = self.tally.failed.iter().filter_map(|((severity, position), group)| {
            rules::ALL.get(*position).map(|rule| (severity.0, rule, group))
        });
        groups.filter(|(_, rule, _)| rule.kind == kind).collect()
    }
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical | Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warning,
        Severity::Low | Severity::Info => Tone::Faint,
    }
}

/// What fails and how often, then where and why.
fn rows(severity: Severity, rule: &Rule, group: &Group) -> Vec<Vec<Text>> {
    let (buckets, accounts) = (group.extent.buckets, group.extent.accounts);
    let head = format!("{}: {} in {}", rule.id, plural(buckets, "bucket"), plural(accounts, "account"));
    let mut rows = vec![vec![Text::new(severity.as_str()).tone(tone(severity)), Text::strong(&head)]];
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
