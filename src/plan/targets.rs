//! Which buckets are replication targets: only the rules of other buckets say so.

use std::collections::BTreeMap;

use super::quote::code;
use super::words::counted;
use crate::model::{AccountId, BucketRecord, Facts, Replication};

/// The buckets that others replicate to, each with one of those others. The only thing of a plan that grows with what a
/// run found: by the names of such buckets.
#[derive(Debug, Default)]
pub struct Targets {
    sources: BTreeMap<Box<str>, Source>,
    is_not_asked: bool,
    /// Buckets whose replication rules could not be read, and one of them.
    unread: usize,
    example: Option<String>,
    incomplete_accounts: usize,
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
        match extras.replication.as_ref().map(|fact| fact.known()) {
            None => self.is_not_asked = true,
            Some(None) => {
                self.unread += 1;
                self.example.get_or_insert_with(|| record.bucket.clone());
            }
            Some(Some(Replication::None)) => {}
            Some(Some(Replication::Present(rules))) => {
                for rule in rules.iter().filter(|rule| rule.enabled) {
                    // `arn:PARTITION:s3:::BUCKET`
                    let name = rule.destination.rsplit(':').next().unwrap_or_default();
                    let source = || Source { account: record.account.clone(), bucket: record.bucket.clone() };
                    self.sources.entry(name.into()).or_insert_with(source);
                }
            }
        }
    }

    /// The run does not know all buckets of an account.
    pub fn incomplete_account(&mut self) {
        self.incomplete_accounts += 1;
    }

    /// Why more buckets may be targets than are known.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.is_not_asked {
            doubts.push(
                "which buckets are replication targets is not known: only the replication rules of other buckets say so, \
                 and `bucketlens scan --with protection` reads them"
                    .to_owned(),
            );
        }
        if let Some(example) = &self.example {
            let (number, example) = (counted(self.unread, "bucket"), code(example));
            let which = if self.unread == 1 { example } else { format!("{example} is one") };
            doubts.push(format!(
                "more buckets may be replication targets: the replication rules of {number} could not be read ({which})"
            ));
        }
        if self.incomplete_accounts > 0 && !self.is_not_asked {
            let accounts = counted(self.incomplete_accounts, "account");
            doubts.push(format!(
                "more buckets may be replication targets: not all buckets of {accounts} are known, nor where they \
                 replicate to"
            ));
        }
        doubts
    }

    pub fn source_of(&self, bucket: &str) -> Option<&Source> {
        self.sources.get(bucket)
    }
}
