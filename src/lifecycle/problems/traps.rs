//! The traps of [`crate::lifecycle::traps`] in words.

use std::collections::BTreeSet;

use super::{Bucket, Found, OfRule};
use crate::lifecycle::configuration::{Configuration, MinimumSize, Rule, StorageClass, Versions};
use crate::lifecycle::read::Document;
use crate::lifecycle::traps;
use crate::lifecycle::verdicts::{ActionVerdict, Verdict};
use crate::lifecycle::words::does;
use crate::model::Severity;

impl Found {
    pub(super) fn delete_markers(&mut self, configuration: &Configuration, bucket: Bucket) {
        if bucket.versions == Versions::Unversioned {
            return;
        }
        for rule in traps::keeping_delete_markers(configuration) {
            let message = "delete markers stay for ever: NoncurrentVersionExpiration deletes the versions below them, \
                           and no rule for the same prefix has ExpiredObjectDeleteMarker or Expiration";
            self.add(Severity::Low, None, Some(rule), message);
        }
    }
}

impl OfRule<'_> {
    /// `verdicts` are those of the rule's actions: what does nothing is no trap.
    pub(super) fn traps(&mut self, document: &Document, rule: &Rule, verdicts: &[ActionVerdict], bucket: Bucket) {
        if let Some(what) = traps::taken_literally(&rule.filter).filter(|_| rule.enabled) {
            let message = format!(
                "the prefix {:?} {what}: S3 takes it literally, as the start of the key, and knows no wildcard",
                rule.filter.prefix
            );
            self.add(Severity::Low, message);
        }
        let minimum = document.minimum_size.unwrap_or(MinimumSize::AllStorageClasses128K);
        let mut left: BTreeSet<&str> = BTreeSet::new();
        for verdict in verdicts {
            let action = &rule.actions[verdict.action];
            let is_lost = matches!(verdict.verdict, Verdict::NeverApplies | Verdict::PartlyShadowed);
            let stuck = traps::stuck_in_onezone(&document.configuration, action, &verdict.by, bucket.today);
            if stuck.is_some() && is_lost {
                let message = format!(
                    "{} does not move what is in ONEZONE_IA by then: S3 moves objects from there to GLACIER and \
                     DEEP_ARCHIVE only",
                    does(action)
                );
                self.add(Severity::Low, message);
            }
            if !super::dangers::acts(verdict.verdict) {
                continue;
            }
            if traps::is_early_for_infrequent_access(action) {
                let message = format!(
                    "{}: AWS's texts disagree about fewer than {} days (the user guide allows them since July 2026, the \
                     API reference does not); the class is charged for {} days in any case",
                    does(action),
                    traps::INFREQUENT_ACCESS_DAYS,
                    traps::INFREQUENT_ACCESS_DAYS,
                );
                self.add(Severity::Info, message);
            }
            let class = traps::leaves_small_objects(&rule.filter, action, minimum);
            left.extend(class.map(StorageClass::as_str));
        }
        if !left.is_empty() {
            let setting = match minimum {
                MinimumSize::AllStorageClasses128K => "all_storage_classes_128K, S3's default",
                MinimumSize::VariesByStorageClass => "varies_by_storage_class",
            };
            let message = format!(
                "objects below 128 KB do not move to {}: TransitionDefaultMinimumObjectSize is {setting}, and the filter \
                 has no size of its own",
                left.into_iter().collect::<Vec<_>>().join(", "),
            );
            self.add(Severity::Info, message);
        }
    }
}
