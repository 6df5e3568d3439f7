//! The settings that S3 Storage Lens counts and that take a request of their own: only where they were asked for.

use super::page::{Figures, Page};
use super::standing::{Line, of_known};
use super::table::{Column, Tone, plural};
use crate::model::Extra;

impl Page<'_> {
    pub(super) fn settings(&self) -> Option<String> {
        let figures = &self.organization;
        if !figures.has_buckets() {
            return None;
        }
        let lines: Vec<Line> = self.summary.run.extras.iter().flat_map(|extra| lines(*extra, figures)).collect();
        let rows = lines.into_iter().map(Line::into_row).collect::<Vec<_>>();
        let columns = [Column::Fit, Column::Fit, Column::Wrap];
        (!rows.is_empty()).then(|| self.layout.title("SETTINGS") + &self.layout.table(rows, &columns))
    }
}

fn lines(extra: Extra, figures: &Figures) -> Vec<Line> {
    let head = |name, metric, percentage, unknown| {
        Line::head(name, figures.count(metric), of_known(figures, percentage, unknown))
    };
    let part = |name, metric| Line::part(name, figures.count(metric), Tone::Plain);
    let unknown = |metric| Line::part("  unknown", figures.count(metric), Tone::Warning);
    match extra {
        Extra::Policy | Extra::ObjectLock | Extra::Tags => Vec::new(),
        Extra::Encryption => vec![
            head(
                "SSE-KMS enabled",
                "SSEKMSEnabledBucketCount",
                "SSEKMSEnabledOfKnownPercent",
                "EncryptionUnknownBucketCount",
            ),
            unknown("EncryptionUnknownBucketCount"),
        ],
        Extra::Ownership => vec![
            head(
                "Bucket owner enforced",
                "ObjectOwnershipBucketOwnerEnforcedBucketCount",
                "ObjectOwnershipBucketOwnerEnforcedOfKnownPercent",
                "ObjectOwnershipUnknownBucketCount",
            ),
            part("  bucket owner preferred", "ObjectOwnershipBucketOwnerPreferredBucketCount"),
            part("  object writer", "ObjectOwnershipObjectWriterBucketCount"),
            unknown("ObjectOwnershipUnknownBucketCount"),
        ],
        Extra::Acceleration => vec![
            head(
                "Transfer Acceleration enabled",
                "TransferAccelerationEnabledBucketCount",
                "TransferAccelerationEnabledOfKnownPercent",
                "TransferAccelerationUnknownBucketCount",
            ),
            unknown("TransferAccelerationUnknownBucketCount"),
        ],
        Extra::Notification => vec![
            head(
                "Event notification enabled",
                "EventNotificationEnabledBucketCount",
                "EventNotificationEnabledOfKnownPercent",
                "EventNotificationUnknownBucketCount",
            ),
            unknown("EventNotificationUnknownBucketCount"),
        ],
        Extra::Replication => {
            let without = figures.count("ReplicationUnknownBucketCount");
            let behind = if without == 0 { String::new() } else { format!("unknown of {}", plural(without, "bucket")) };
            let doubt = |name, metric| Line::part(name, figures.count(metric), Tone::Warning);
            vec![
                Line::head("Replication rules", figures.count("TotalReplicationRuleCount"), behind),
                part("  to the same Region", "SameRegionReplicationRuleCount"),
                part("  to another Region", "CrossRegionReplicationRuleCount"),
                doubt("  Region unknown", "UnknownDestinationRegionReplicationRuleCount"),
                part("  to the same account", "SameAccountReplicationRuleCount"),
                part("  to another account", "CrossAccountReplicationRuleCount"),
                doubt("  account unknown", "UnknownDestinationAccountReplicationRuleCount"),
                Line::part(
                    "  to a bucket that does not exist",
                    figures.count("InvalidDestinationReplicationRuleCount"),
                    Tone::Bad,
                ),
            ]
        }
    }
}
