//! How the groups of a tag stand.

use std::cmp::Reverse;

use super::page::{Figures, Page};
use super::table::{Column, Text, Tone};

const GROUPS: usize = 10;

impl Page<'_> {
    pub(super) fn tags(&self) -> Option<String> {
        let key = self.summary.run.group_by_tag.as_deref()?;
        let mut groups: Vec<_> = self.tags.iter().collect();
        groups.sort_by_key(|(value, figures)| (Reverse(figures.count("BucketCount")), **value));
        let row = |(value, figures): &(&&str, &Figures)| {
            let (fail, unknown) = (figures.count("FailBucketCount"), figures.count("UnknownBucketCount"));
            vec![
                Text::new(value),
                Text::number(figures.count("BucketCount")),
                Text::number(fail).tone_unless_zero(fail, Tone::Bad),
                Text::number(unknown).tone_unless_zero(unknown, Tone::Warning),
                Text::new(&figures.percent("MFADeleteEnabledOfKnownPercent")).right(),
            ]
        };
        let rows: Vec<_> = groups.iter().take(GROUPS).map(row).collect();
        let right = ["Buckets", "Fail", "Unknown", "MFA delete of known"].map(|word| Text::new(word).right());
        let header = [Text::new("Value")].into_iter().chain(right).collect();
        let columns = [Column::Wrap, Column::Fit, Column::Fit, Column::Fit, Column::Fit];
        let accounts = format!("These are the buckets of {}.", self.organization.accounts());
        let table = self.layout.headed(header, rows, &columns)
            + &self.rest(groups.len(), GROUPS, "metrics.csv")
            + &self.layout.paragraph(Text::faint(&accounts));
        (!groups.is_empty()).then(|| self.layout.title(&format!("BY TAG {key}")) + &table)
    }
}
