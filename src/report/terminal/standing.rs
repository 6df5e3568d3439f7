//! How the organization stands, and the accounts that need most work.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::page::{Figures, Page, id_of, name_of};
use super::table::{Column, Text, Tone, grouped, plural};

const ACCOUNTS: usize = 10;
/// Below this width the longest header is broken.
const NARROW: u16 = 80;

impl Page<'_> {
    pub(super) fn standing(&self) -> String {
        let title = self.layout.title("BUCKETS");
        let figures = &self.organization;
        if !figures.has_buckets() {
            let nothing = "No account's buckets could be listed, so there is nothing to say of them.";
            return title + &self.layout.paragraph(Text::new(nothing).tone(Tone::Bad));
        }
        let columns = [Column::Fit, Column::Fit, Column::Wrap];
        let rows = [mfa_delete(figures), versioning(figures), combinations(figures), status(figures)].concat();
        let rows = rows.into_iter().map(Line::into_row).collect();
        title + &self.layout.table(rows, &columns)
    }

    pub(super) fn worst_accounts(&self) -> Option<String> {
        let badness = |figures: &Figures| (figures.count("FailBucketCount"), figures.count("UnknownBucketCount"));
        let mut worst: Vec<_> = self.accounts.iter().filter(|(_, figures)| badness(figures) > (0, 0)).collect();
        worst.sort_by_key(|(id, figures)| (Reverse(badness(figures)), **id));
        let accounts = self.summary.accounts.iter();
        let names: HashMap<&str, _> = accounts.map(|account| (id_of(account), name_of(account))).collect();
        let row = |(id, figures): &(&&str, &Figures)| {
            let (fail, unknown) = badness(figures);
            vec![
                Text::new(id),
                Text::new(names.get(**id).map_or("", |name| name)),
                Text::number(figures.count("BucketCount")),
                Text::number(fail).tone_unless_zero(fail, Tone::Bad),
                Text::number(unknown).tone_unless_zero(unknown, Tone::Warning),
                Text::new(&figures.percent("MFADeleteEnabledOfKnownPercent")).right(),
            ]
        };
        let rows = worst.iter().take(ACCOUNTS).map(row).collect();
        let mfa_delete = if self.layout.width < NARROW { "MFA del.\nof known" } else { "MFA delete of known" };
        let right = ["Buckets", "Fail", "Unknown"].map(|word| Text::new(word).right());
        let mut header = vec![Text::new("Account"), Text::new("Name")];
        header.extend(right);
        header.push(Text::broken(mfa_delete).right());
        let columns = [Column::Fit, Column::Wrap, Column::Fit, Column::Fit, Column::Fit, Column::Fit];
        let in_part = worst.iter().take(ACCOUNTS).filter(|(_, figures)| !figures.has_all_accounts());
        let in_part: Vec<&str> = in_part.map(|(id, _)| **id).collect();
        let note = format!("Not listed to the end, figures of a part: {}", in_part.join(", "));
        let note = if in_part.is_empty() { String::new() } else { self.layout.paragraph(Text::faint(&note)) };
        let table =
            self.layout.headed(header, rows, &columns) + &self.rest(worst.len(), ACCOUNTS, "metrics.csv") + &note;
        // For a single account the numbers above say the same.
        (self.accounts.len() > 1 && !worst.is_empty()).then(|| self.layout.title("ACCOUNTS WITH MOST TO DO") + &table)
    }
}

/// A number of buckets, with what stands before and behind it.
#[derive(Clone)]
pub(super) struct Line {
    name: &'static str,
    tone: Tone,
    number: u64,
    behind: String,
}

impl Line {
    pub fn head(name: &'static str, number: u64, behind: String) -> Self {
        Self { name, tone: Tone::Strong, number, behind }
    }

    pub fn part(name: &'static str, number: u64, tone: Tone) -> Self {
        Self { name, tone, number, behind: String::new() }
    }

    pub fn into_row(self) -> Vec<Text> {
        vec![
            Text::new(self.name).tone_unless_zero(self.number, self.tone),
            Text::number(self.number).tone_unless_zero(self.number, self.tone),
            Text::new(&self.behind),
        ]
    }
}

/// `of 34 known = 17.65%, 5 of 39 unknown, 8 of 9 accounts`.
pub(super) fn of_known(figures: &Figures, percentage: &str, unknown: &str) -> String {
    let (all, unknown) = (figures.count("BucketCount"), figures.count(unknown));
    let known = format!("of {} known = {}", grouped(all - unknown), figures.percent(percentage));
    let unknown =
        if unknown == 0 { String::new() } else { format!(", {} of {} unknown", grouped(unknown), grouped(all)) };
    format!("{known}{unknown}, {}", figures.accounts())
}

fn status(figures: &Figures) -> Vec<Line> {
    let all = format!("of {}", plural(figures.count("BucketCount"), "bucket"));
    let optional = [("  waived", "WaivedBucketCount"), ("  not applicable", "NotApplicableBucketCount")];
    let optional = optional.map(|(name, metric)| Line::part(name, figures.count(metric), Tone::Plain));
    let mut lines = vec![
        Line::head("All requirements pass", figures.count("PassBucketCount"), all),
        Line::part("  fail", figures.count("FailBucketCount"), Tone::Bad),
        Line::part("  unknown", figures.count("UnknownStatusBucketCount"), Tone::Warning),
    ];
    lines.extend(optional.into_iter().filter(|line| line.number > 0));
    lines
}

fn mfa_delete(figures: &Figures) -> Vec<Line> {
    let unknown = "MFADeleteUnknownBucketCount";
    let behind = of_known(figures, "MFADeleteEnabledOfKnownPercent", unknown);
    let mut lines = vec![
        Line::head("MFA delete enabled", figures.count("MFADeleteEnabledBucketCount"), behind),
        Line::part("  disabled", figures.count("MFADeleteDisabledBucketCount"), Tone::Plain),
        Line::part("  never configured", figures.count("MFADeleteNeverBucketCount"), Tone::Plain),
        Line::part("  unknown", figures.count(unknown), Tone::Warning),
    ];
    let not_offered = figures.count("MFADeleteNotOfferedBucketCount");
    if not_offered > 0 {
        let behind = "of these, in AWS GovCloud (US)".to_owned();
        lines.push(Line { behind, ..Line::part("  not offered by AWS", not_offered, Tone::Plain) });
    }
    lines
}

fn versioning(figures: &Figures) -> Vec<Line> {
    let unknown = "VersioningUnknownBucketCount";
    let behind = of_known(figures, "VersioningEnabledOfKnownPercent", unknown);
    // Only other servers than AWS have such buckets.
    let partial = Line::part("  enabled in part", figures.count("VersioningPartialBucketCount"), Tone::Warning);
    let partial = Some(partial).filter(|line| line.number > 0);
    let mut lines = vec![Line::head("Versioning enabled", figures.count("VersioningEnabledBucketCount"), behind)];
    lines.extend(partial);
    lines.extend([
        Line::part("  suspended", figures.count("VersioningSuspendedBucketCount"), Tone::Plain),
        Line::part("  never configured", figures.count("VersioningNeverBucketCount"), Tone::Plain),
        Line::part("  unknown", figures.count(unknown), Tone::Warning),
    ]);
    lines
}

fn combinations(figures: &Figures) -> Vec<Line> {
    let line = |name, metric, tone, behind: &str| Line {
        name,
        tone,
        number: figures.count(metric),
        behind: behind.to_owned(),
    };
    vec![
        line(
            "Lifecycle blocks MFA delete",
            "MFADeleteBlockedByLifecycleBucketCount",
            Tone::Plain,
            "MFA delete cannot be enabled there",
        ),
        line(
            "Lifecycle beside MFA delete",
            "MFADeleteLifecycleConflictBucketCount",
            Tone::Bad,
            "both in force at once",
        ),
        line(
            "Suspended under MFA delete",
            "MFADeleteVersioningSuspendedBucketCount",
            Tone::Bad,
            "new objects are not protected",
        ),
    ]
}
