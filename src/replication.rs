//! Where replication rules lead, as far as what was read says it. Pure; it makes no request.
//!
//! A rule names its destination by an ARN, which has neither account nor Region; `Destination.Account` is there only
//! where the owner of replicas changes or somebody named it, so that its absence says nothing. What can be known:
//!
//! - a destination that is among the buckets of the run has their account and Region. Of several buckets of one name,
//!   which only servers other than AWS have, nobody knows which is meant;
//! - else the account is the one that the rule names, and the Region is unknown;
//! - a destination is invalid where the rule names an account, that account's list of buckets was read to its end
//!   with no bucket left out, and has no such bucket. Whether a destination that exists can be replicated to is not
//!   asked.
//!
//! Only the names that rules mention are kept, so memory depends on the replication rules and not on the buckets.
//!
//! Source: S3 API reference, `Destination`.

use std::collections::{HashMap, HashSet};

use crate::model::{AccountId, BucketRecord, Facts, Region, Replication, ReplicationRule};

/// The destinations that rules mention, and what is known of them.
#[derive(Debug, Default)]
pub struct Destinations {
    names: HashMap<String, Known>,
    /// Accounts all of whose buckets were listed.
    whole: HashSet<AccountId>,
}

#[derive(Debug, PartialEq, Eq)]
enum Known {
    NotSeen,
    Seen(AccountId, Region),
    /// Gone when it was read, or several of this name.
    Doubtful,
}

/// The replication rules of one bucket, enabled or not, by where they lead. Each is in one of the first three, one of
/// the second three, or invalid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub rules: u32,
    pub same_region: u32,
    pub cross_region: u32,
    pub unknown_region: u32,
    pub same_account: u32,
    pub cross_account: u32,
    pub unknown_account: u32,
    /// Of which it is proven that the destination does not exist.
    pub invalid: u32,
}

impl Destinations {
    /// Takes down the names that this bucket's rules mention: all buckets are mentioned before any is seen.
    pub fn mention(&mut self, record: &BucketRecord) {
        for rule in rules(record).unwrap_or_default() {
            self.names.entry(name(rule).to_owned()).or_insert(Known::NotSeen);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Every bucket once.
    pub fn see(&mut self, record: &BucketRecord) {
        let Some(known) = self.names.get_mut(&record.bucket) else { return };
        *known = match (&known, &record.facts) {
            // Rules name general purpose buckets.
            (_, Facts::Directory { .. }) => return,
            (Known::NotSeen, Facts::Read { .. }) => Known::Seen(record.account.clone(), record.region.clone()),
            (Known::Seen(..) | Known::Doubtful, Facts::Read { .. }) | (_, Facts::Vanished { .. }) => Known::Doubtful,
        };
    }

    /// All buckets of this account were listed, and none was left out of the run.
    pub fn whole(&mut self, account: AccountId) {
        self.whole.insert(account);
    }

    /// `None` where nobody asked for replication, it is unknown, or the bucket is gone.
    pub fn tally(&self, record: &BucketRecord) -> Option<Tally> {
        let mut tally = Tally::default();
        for rule in rules(record)? {
            self.add(rule, record, &mut tally);
        }
        Some(tally)
    }

    fn add(&self, rule: &ReplicationRule, from: &BucketRecord, tally: &mut Tally) {
        tally.rules += 1;
        let (account, region) = match self.names.get(name(rule)).unwrap_or(&Known::Doubtful) {
            // A rule that names another account than the owner's contradicts what was seen.
            Known::Seen(account, region) => {
                (Some(account).filter(|_| rule.account.as_ref().is_none_or(|named| named == account)), Some(region))
            }
            Known::NotSeen if rule.account.as_ref().is_some_and(|named| self.whole.contains(named)) => {
                tally.invalid += 1;
                return;
            }
            Known::NotSeen | Known::Doubtful => (rule.account.as_ref(), None),
        };
        let known = |region: &&Region| **region != Region::unknown();
        let of_region = match region.filter(known).zip(Some(&from.region).filter(known)) {
            Some((to, from)) if to == from => &mut tally.same_region,
            Some(_) => &mut tally.cross_region,
            None => &mut tally.unknown_region,
        };
        *of_region += 1;
        let of_account = match account {
            Some(account) if *account == from.account => &mut tally.same_account,
            Some(_) => &mut tally.cross_account,
            None => &mut tally.unknown_account,
        };
        *of_account += 1;
    }
}

/// `None` where they are not known.
fn rules(record: &BucketRecord) -> Option<&[ReplicationRule]> {
    let Facts::Read { extras, .. } = &record.facts else { return None };
    Some(match extras.replication.as_ref()?.known()? {
        Replication::None => &[],
        Replication::Present(rules) => rules,
    })
}

/// The bucket's name in `arn:<partition>:s3:::<bucket>`.
fn name(rule: &ReplicationRule) -> &str {
    rule.destination.rsplit_once(":::").map_or(rule.destination.as_str(), |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Extras, Fact, LeftOut, Lifecycle, MfaDelete, Observed, Timestamp, Versioning, VersioningState};

    fn fact<T>(value: T) -> Fact<T> {
        Fact { at: Timestamp::from_unix(1_800_000_000).expect("in range"), observed: Observed::Known(value) }
    }

    fn id(number: u64) -> AccountId {
        AccountId::parse(&format!("{number:012}")).expect("12 digits")
    }

    fn rule(destination: &str, account: Option<u64>) -> ReplicationRule {
        ReplicationRule {
            id: None,
            enabled: true,
            prefix: String::new(),
            tags: Vec::new(),
            destination: format!("arn:aws:s3:::{destination}"),
            account: account.map(id),
            left_out: LeftOut::default(),
            delete_markers: None,
            kms_objects: None,
        }
    }

    fn bucket(account: u64, region: &str, name: &str, rules: Vec<ReplicationRule>) -> BucketRecord {
        let state = VersioningState { versioning: Versioning::Enabled, mfa_delete: MfaDelete::Never };
        let replication = Some(fact(Replication::Present(rules)));
        let extras = Box::new(Extras { replication, ..Extras::default() });
        let facts = Facts::Read { versioning: fact(state), lifecycle: fact(Lifecycle::None), extras };
        BucketRecord { account: id(account), region: Region::new(region), bucket: name.to_owned(), facts }
    }

    fn tally(rule: ReplicationRule, others: &[BucketRecord], whole: &[u64]) -> Tally {
        let source = bucket(1, "eu-central-1", "source", vec![rule]);
        let mut destinations = Destinations::default();
        destinations.mention(&source);
        others.iter().chain([&source]).for_each(|bucket| destinations.see(bucket));
        for number in whole {
            destinations.whole(id(*number));
        }
        destinations.tally(&source).expect("known")
    }

    #[test]
    fn a_destination_of_the_run_has_its_account_and_region() {
        let one = Tally { rules: 1, ..Tally::default() };
        let near = [bucket(1, "eu-central-1", "to", Vec::new())];
        let same = Tally { same_region: 1, same_account: 1, ..one };
        assert_eq!(tally(rule("to", None), &near, &[]), same);
        let far = [bucket(2, "us-east-1", "to", Vec::new())];
        let cross = Tally { cross_region: 1, cross_account: 1, ..one };
        assert_eq!(tally(rule("to", None), &far, &[]), cross);
        assert_eq!(tally(rule("to", Some(2)), &far, &[]), cross);
        let contradicted = Tally { cross_region: 1, unknown_account: 1, ..one };
        assert_eq!(tally(rule("to", Some(1)), &far, &[1]), contradicted);
    }

    #[test]
    fn what_was_not_seen_is_unknown_and_invalid_only_where_that_is_proven() {
        let one = Tally { rules: 1, ..Tally::default() };
        let unknown = Tally { unknown_region: 1, unknown_account: 1, ..one };
        assert_eq!(tally(rule("to", None), &[], &[]), unknown);
        // That it is not here does not say that it is nowhere.
        assert_eq!(tally(rule("to", None), &[], &[1]), unknown);
        assert_eq!(tally(rule("to", Some(1)), &[], &[2]), Tally { unknown_region: 1, same_account: 1, ..one });
        assert_eq!(tally(rule("to", Some(2)), &[], &[1]), Tally { unknown_region: 1, cross_account: 1, ..one });
        assert_eq!(tally(rule("to", Some(2)), &[], &[2]), Tally { invalid: 1, ..one });
        let gone = BucketRecord { facts: Facts::Vanished { at: fact(()).at }, ..bucket(2, "x", "to", Vec::new()) };
        assert_eq!(tally(rule("to", None), &[gone], &[2]), unknown);
    }

    #[test]
    fn of_several_buckets_of_one_name_none_is_meant() {
        let others = [bucket(2, "us-east-1", "to", Vec::new()), bucket(3, "us-east-1", "to", Vec::new())];
        let unknown = Tally { rules: 1, unknown_region: 1, unknown_account: 1, ..Tally::default() };
        assert_eq!(tally(rule("to", None), &others, &[2, 3]), unknown);
        let nowhere = [bucket(2, Region::unknown().as_str(), "to", Vec::new())];
        let known = Tally { rules: 1, unknown_region: 1, cross_account: 1, ..Tally::default() };
        assert_eq!(tally(rule("to", None), &nowhere, &[]), known);
    }
}
