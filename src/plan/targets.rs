//! Which buckets are replication targets: only the rules of other buckets say so.

use std::collections::BTreeMap;

use crate::model::{AccountId, BucketRecord, Facts, Replication};

/// The buckets that others replicate to, each with one of those others. The only thing of a plan that grows with what a
/// run found: by the names of such buckets.
#[derive(Debug, Default)]
pub struct Targets {
    sources: BTreeMap<Box<str>, Source>,
    /// Whether the replication rules of some bucket are not known: then more buckets may be targets.
    pub is_in_doubt: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub account: AccountId,
    pub bucket: String,
}

impl Targets {
    /// To be called for every bucket before the first is judged.
    pub fn meet(&mut self, record: &BucketRecord) {
        let Facts::Read { extras, .. } = &record.facts else { return };
        match extras.replication.as_ref().and_then(|fact| fact.known()) {
            None => self.is_in_doubt = true,
            Some(Replication::None) => {}
            Some(Replication::Present(rules)) => {
                for rule in rules.iter().filter(|rule| rule.enabled) {
                    // `arn:PARTITION:s3:::BUCKET`
                    let name = rule.destination.rsplit(':').next().unwrap_or_default();
                    let source = || Source { account: record.account.clone(), bucket: record.bucket.clone() };
                    self.sources.entry(name.into()).or_insert_with(source);
                }
            }
        }
    }

    pub fn source_of(&self, bucket: &str) -> Option<&Source> {
        self.sources.get(bucket)
    }
}
