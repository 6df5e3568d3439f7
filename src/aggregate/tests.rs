//! Every value is computed a second time, naively, from the words that `buckets.csv` has for a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::evaluate::Evaluator;
use crate::model::{
    ActionKind, ErrorClass, Exclusions, Fact, Facts, Kind, Lifecycle, LifecycleConfiguration, LifecycleRule, MfaDelete,
    Observed, Operation, OuPath, Reading, Reason, RuleStatus, Standard, Status, Timestamp, Versioning, VersioningState,
};

fn fact<T>(value: Option<T>) -> Fact<T> {
    let reason = Reason {
        operation: Operation::GetBucketVersioning,
        class: ErrorClass::Denied,
        code: None,
        http_status: Some(403),
        request_id: None,
        message: String::new(),
    };
    let at = Timestamp::from_unix(1_800_000_000).expect("in range");
    Fact { at, observed: value.map_or_else(|| Observed::Unknown(Arc::new(reason)), Observed::Known) }
}

fn evaluate(record: &BucketRecord) -> Evaluation {
    Evaluator::new(Standard::Cis, fact(Some(())).at.date(), None).evaluate(record)
}

fn account_id(number: u32) -> AccountId {
    AccountId::parse(&format!("{number:012}")).expect("12 digits")
}

fn account(number: u32, ou_path: &str, outcome: Outcome) -> AccountRecord {
    let id = Some(account_id(number));
    AccountRecord {
        id,
        name: String::new(),
        ou_path: OuPath::from_path(ou_path).expect("ids"),
        state: None,
        tag: None,
        listing: outcome,
        directory_gaps: Vec::new(),
        buckets: 0,
    }
}

fn bucket(account: u32, region: &str, facts: Facts) -> BucketRecord {
    BucketRecord { account: account_id(account), region: Region::new(region), bucket: "b".to_owned(), facts }
}

/// Evaluated and added up.
fn rows(accounts: &[AccountRecord], buckets: &[BucketRecord]) -> Vec<MetricRow<'static>> {
    let mut aggregator = Aggregator::new(&BTreeSet::new());
    for record in buckets {
        let account = accounts.iter().find(|account| account.id.as_ref() == Some(&record.account)).expect("known");
        aggregator.push(account, record, &evaluate(record));
    }
    leaked(aggregator.finish(accounts).expect("adds up"))
}

/// The rows of metrics that live as long as the tests.
fn leaked(metrics: Metrics) -> Vec<MetricRow<'static>> {
    Box::leak(Box::new(metrics)).rows().collect()
}

fn of<'a>(rows: &'a [MetricRow<'_>], scope: Scope, id: &str, region: &str) -> BTreeMap<&'a str, Option<Value>> {
    let there = |row: &&MetricRow<'_>| row.scope == scope && row.scope_id == id && row.region == region;
    rows.iter().filter(there).map(|row| (row.metric, row.value)).collect()
}

fn count(rows: &[MetricRow<'_>], scope: Scope, id: &str, metric: &str) -> Option<u64> {
    match of(rows, scope, id, "").get(metric) {
        Some(Some(Value::Count(count))) => Some(*count),
        Some(Some(Value::Percent(_) | Value::Average(_) | Value::Unknown) | None) | None => None,
    }
}

const ENABLED: VersioningState = VersioningState { versioning: Versioning::Enabled, mfa_delete: MfaDelete::Enabled };
const NEVER: VersioningState = VersioningState { versioning: Versioning::Never, mfa_delete: MfaDelete::Never };

fn read(state: Option<VersioningState>, lifecycle: Option<Lifecycle>) -> Facts {
    Facts::Read { versioning: fact(state), lifecycle: fact(lifecycle), extras: Box::default() }
}

#[test]
fn a_bucket_counts_in_every_ou_above_it_and_the_root_is_no_ou() {
    let accounts = [
        account(1, "o-a/r-1/ou-1-top/ou-1-nested/", Outcome::Complete),
        account(2, "o-a/r-1/ou-1-top/", Outcome::Complete),
    ];
    let facts = || read(Some(ENABLED), Some(Lifecycle::None));
    let rows = rows(&accounts, &[bucket(1, "x", facts()), bucket(1, "y", facts()), bucket(2, "x", facts())]);
    assert_eq!(count(&rows, Scope::Ou, "ou-1-top", "BucketCount"), Some(3));
    assert_eq!(count(&rows, Scope::Ou, "ou-1-nested", "BucketCount"), Some(2));
    assert_eq!(count(&rows, Scope::Ou, "ou-1-top", "AccountCount"), Some(2));
    assert_eq!(count(&rows, Scope::Organization, "o-a", "MFADeleteEnabledBucketCount"), Some(3));
    assert!(of(&rows, Scope::Ou, "r-1", "").is_empty());
}

#[test]
fn what_was_not_read_is_left_out_and_what_is_empty_is_zero() {
    let accounts = [
        account(1, "o-a/r-1/ou-1-a/", Outcome::Complete),
        account(2, "o-a/r-1/ou-1-b/", Outcome::Failed("denied".to_owned())),
        account(3, "o-a/r-1/ou-1-b/", Outcome::Skipped("closed".to_owned())),
    ];
    let rows = rows(&accounts, &[]);
    assert_eq!(count(&rows, Scope::Account, "000000000001", "BucketCount"), Some(0));
    assert_eq!(of(&rows, Scope::Account, "000000000001", "")["MFADeleteEnabledOfKnownPercent"], None);
    let only_accounts = [
        "AccountCount",
        "FailedAccountCount",
        "IncompleteAccountCount",
        "KnownBucketPercent",
        "ListedAccountCount",
        "SkippedAccountCount",
    ];
    for (scope, id) in [(Scope::Ou, "ou-1-b"), (Scope::Account, "000000000002"), (Scope::Account, "000000000003")] {
        let metrics = of(&rows, scope, id, "");
        assert_eq!(metrics.keys().copied().collect::<Vec<_>>(), only_accounts, "{id}");
        // Nobody may have bought anything in an account that is closed.
        let known = if id == "000000000003" { None } else { Some(Value::Unknown) };
        assert_eq!(metrics["KnownBucketPercent"], known, "{id}");
    }
    assert_eq!(count(&rows, Scope::Organization, "o-a", "FailedAccountCount"), Some(1));
    assert_eq!(count(&rows, Scope::Organization, "o-a", "BucketCount"), Some(0));
}

#[test]
fn how_much_is_known_of_all_buckets_is_unknown_where_some_were_not_listed() {
    let accounts = [
        account(1, "o-a/r-1/ou-1-a/", Outcome::Complete),
        account(2, "o-a/r-1/ou-1-b/", Outcome::Incomplete("cut".to_owned())),
        account(3, "o-a/r-1/ou-1-c/", Outcome::Complete),
    ];
    let facts = || read(Some(ENABLED), Some(Lifecycle::None));
    let buckets = [bucket(1, "x", facts()), bucket(2, "y", facts()), bucket(3, "x", facts())];
    let known = |accounts: &[AccountRecord], scope, id: &str, region: &str| {
        of(&rows(accounts, &buckets), scope, id, region)["KnownBucketPercent"]
    };
    let all = Some(Value::Percent(100.0));
    for (scope, id, region, expected) in [
        (Scope::Organization, "o-a", "", Some(Value::Unknown)),
        (Scope::Ou, "ou-1-a", "", all),
        (Scope::Ou, "ou-1-b", "", Some(Value::Unknown)),
        (Scope::Account, "000000000001", "", all),
        (Scope::Account, "000000000002", "", Some(Value::Unknown)),
        // The cut list may have had buckets anywhere.
        (Scope::Region, "x", "x", Some(Value::Unknown)),
        (Scope::AccountRegion, "000000000001", "x", all),
        (Scope::AccountRegion, "000000000002", "y", Some(Value::Unknown)),
    ] {
        assert_eq!(known(&accounts, scope, id, region), expected, "{scope:?} {id}");
    }
    // An account of which nobody knows where it is may be in any unit.
    let mut unplaced = accounts.clone();
    unplaced[1].listing = Outcome::Complete;
    unplaced[1].ou_path = OuPath::default();
    assert_eq!(known(&unplaced, Scope::Ou, "ou-1-a", ""), Some(Value::Unknown));
    assert_eq!(known(&unplaced, Scope::Organization, "o-a", ""), all);
}

#[test]
fn an_unknown_fact_is_in_no_part_of_what_is_known() {
    let buckets = [
        bucket(1, "x", read(Some(ENABLED), Some(Lifecycle::None))),
        bucket(1, "x", read(Some(NEVER), None)),
        bucket(1, "x", read(None, Some(Lifecycle::None))),
        bucket(1, "x", Facts::Vanished { at: fact(Some(())).at }),
    ];
    let rows = rows(&[account(1, "", Outcome::Complete)], &buckets);
    let organization = of(&rows, Scope::Organization, "", "");
    assert_eq!(organization["BucketCount"], Some(Value::Count(3)));
    assert_eq!(organization["VanishedBucketCount"], Some(Value::Count(1)));
    assert_eq!(organization["UnknownBucketCount"], Some(Value::Count(2)));
    assert_eq!(organization["MFADeleteUnknownBucketCount"], Some(Value::Count(1)));
    assert_eq!(organization["MFADeleteDisabledBucketCount"], Some(Value::Count(0)));
    assert_eq!(organization["MFADeleteEnabledBucketPercent"], Some(Value::Percent(33.33)));
    assert_eq!(organization["MFADeleteEnabledOfKnownPercent"], Some(Value::Percent(50.0)));
    assert_eq!(organization["KnownBucketPercent"], Some(Value::Percent(33.33)));
}

#[test]
fn an_account_that_was_listed_twice_is_added_once() {
    let account = || account(1, "o-a/r-1/ou-1-a/", Outcome::Complete);
    let rows = rows(&[account(), account()], &[bucket(1, "x", read(Some(ENABLED), Some(Lifecycle::None)))]);
    assert_eq!(count(&rows, Scope::Ou, "ou-1-a", "BucketCount"), Some(1));
}

/// What one metric counts of one bucket, by the words of its row.
fn naive(metric: &str, record: &BucketRecord) -> u64 {
    let evaluation = evaluate(record);
    let is_directory = matches!(record.facts, Facts::Directory { .. });
    let exists = record.unknown_reasons() != ["vanished"] && !is_directory;
    let failed: Vec<&str> = evaluation.failed(Kind::Requirement).chain(evaluation.failed(Kind::Advisory)).collect();
    let rules = match &record.facts {
        Facts::Read { lifecycle, .. } => match lifecycle.known() {
            Some(Lifecycle::Present(configuration)) => configuration.rules.clone(),
            Some(Lifecycle::None) | None => vec![],
        },
        Facts::Vanished { .. } | Facts::Directory { .. } => vec![],
    };
    let with = |kind: ActionKind| rules.iter().filter(|rule| rule.actions.contains(&kind)).count() as u64;
    let one = |holds: bool| u64::from(holds);
    match metric {
        "BucketCount" => one(exists),
        "VanishedBucketCount" => one(!exists && !is_directory),
        "UnknownBucketCount" => one(exists && !record.unknown_reasons().is_empty()),
        "VersioningEnabledBucketCount" => one(record.versioning_word() == "enabled"),
        "VersioningPartialBucketCount" => one(record.versioning_word() == "partial"),
        "VersioningSuspendedBucketCount" => one(record.versioning_word() == "suspended"),
        "VersioningNeverBucketCount" => one(record.versioning_word() == "never"),
        "VersioningUnknownBucketCount" => one(record.versioning_word() == "unknown"),
        "MFADeleteEnabledBucketCount" => one(record.mfa_delete_word() == "enabled"),
        "MFADeleteDisabledBucketCount" => one(record.mfa_delete_word() == "disabled"),
        "MFADeleteNeverBucketCount" => one(record.mfa_delete_word() == "never"),
        "MFADeleteUnknownBucketCount" => one(record.mfa_delete_word() == "unknown"),
        "MFADeleteNotOfferedBucketCount" => {
            one(record.region.as_str().starts_with("us-gov-")
                && ["disabled", "never"].contains(&record.mfa_delete_word()))
        }
        "MFADeleteBlockedByLifecycleBucketCount" => one(failed.contains(&"mfa-delete-blocked-by-lifecycle")),
        "MFADeleteLifecycleConflictBucketCount" => one(failed.contains(&"lifecycle-bypasses-mfa-delete")),
        "MFADeleteVersioningSuspendedBucketCount" => one(failed.contains(&"mfa-delete-versioning-suspended")),
        "LifecycleConfigurationBucketCount" => one(record.lifecycle_word() == "present"),
        "LifecycleUnknownBucketCount" => one(record.lifecycle_word() == "unknown"),
        "TransitionLifecycleRuleCount" => with(ActionKind::Transition),
        "ExpirationLifecycleRuleCount" => with(ActionKind::Expiration),
        "NoncurrentVersionTransitionLifecycleRuleCount" => with(ActionKind::NoncurrentVersionTransition),
        "NoncurrentVersionExpirationLifecycleRuleCount" => with(ActionKind::NoncurrentVersionExpiration),
        "AbortIncompleteMPULifecycleRuleCount" => with(ActionKind::AbortIncompleteMultipartUpload),
        "ExpiredObjectDeleteMarkerLifecycleRuleCount" => with(ActionKind::ExpiredObjectDeleteMarker),
        "TotalLifecycleRuleCount" => record.lifecycle_rules().unwrap_or(0) as u64,
        "PassBucketCount" => one(evaluation.status == Status::Pass),
        "FailBucketCount" => one(evaluation.status == Status::Fail),
        "UnknownStatusBucketCount" => one(evaluation.status == Status::Unknown),
        "WaivedBucketCount" => one(evaluation.status == Status::Waived),
        "NotApplicableBucketCount" => one(exists && evaluation.status == Status::NotApplicable),
        metric => panic!("{metric} has no naive computation"),
    }
}

/// The counters of a run that asked for nothing more.
fn basic() -> impl Iterator<Item = &'static metrics::Counter> {
    let nothing: Vec<_> = Table::of(&BTreeSet::new()).counters().collect();
    nothing.into_iter()
}

/// Every row of the metrics about buckets, by going through all buckets for each of them.
fn naive_rows(accounts: &[AccountRecord], buckets: &[BucketRecord]) -> BTreeMap<(Scope, String, String), Vec<u64>> {
    let mut places: BTreeSet<(Scope, String, String)> = BTreeSet::new();
    let mut holds: Vec<(Scope, String, String, usize)> = Vec::new();
    let home = |record: &BucketRecord| accounts.iter().find(|account| account.id.as_ref() == Some(&record.account));
    for account in accounts.iter().filter(|account| was_read(account)) {
        places.insert((Scope::Organization, "o-a".to_owned(), String::new()));
        places.insert((Scope::Account, account.id.as_ref().expect("set").to_string(), String::new()));
        places.extend(account.ou_path.ous().map(|ou| (Scope::Ou, ou.to_owned(), String::new())));
    }
    let counted = |record: &BucketRecord| !matches!(record.facts, Facts::Directory { .. });
    for (index, record) in buckets.iter().enumerate().filter(|(_, record)| counted(record)) {
        let (account, region) = (record.account.to_string(), record.region.to_string());
        let mut add = |scope, id: &str, region: &str| holds.push((scope, id.to_owned(), region.to_owned(), index));
        add(Scope::Organization, "o-a", "");
        add(Scope::Account, &account, "");
        add(Scope::Region, &region, &region);
        add(Scope::AccountRegion, &account, &region);
        home(record).expect("known").ou_path.ous().for_each(|ou| add(Scope::Ou, ou, ""));
    }
    places.extend(holds.iter().map(|(scope, id, region, _)| (*scope, id.clone(), region.clone())));
    let values = |place: &(Scope, String, String)| {
        let inside =
            holds.iter().filter(|(scope, id, region, _)| (scope, id, region) == (&place.0, &place.1, &place.2));
        let inside: Vec<&BucketRecord> = inside.map(|(.., index)| &buckets[*index]).collect();
        basic().map(|counter| inside.iter().map(|record| naive(counter.name, record)).sum()).collect()
    };
    places.iter().map(|place| (place.clone(), values(place))).collect()
}

fn facts() -> impl Strategy<Value = Facts> {
    let partial = Versioning::Partial(Exclusions { prefixes: 2, folders: false });
    let versioning =
        prop_oneof![Just(Versioning::Never), Just(Versioning::Enabled), Just(partial), Just(Versioning::Suspended)];
    let mfa_delete = prop_oneof![Just(MfaDelete::Never), Just(MfaDelete::Disabled), Just(MfaDelete::Enabled)];
    let state =
        (versioning, mfa_delete).prop_map(|(versioning, mfa_delete)| VersioningState { versioning, mfa_delete });
    let kinds = [
        ActionKind::Transition,
        ActionKind::Expiration,
        ActionKind::NoncurrentVersionTransition,
        ActionKind::NoncurrentVersionExpiration,
        ActionKind::AbortIncompleteMultipartUpload,
        ActionKind::ExpiredObjectDeleteMarker,
    ];
    let rule = (any::<bool>(), prop::sample::subsequence(kinds.to_vec(), 0..=6)).prop_map(|(enabled, actions)| {
        let status = if enabled { RuleStatus::Enabled } else { RuleStatus::Disabled };
        LifecycleRule { id: "rule".to_owned(), status, actions: actions.into_iter().collect() }
    });
    let lifecycle = prop_oneof![
        Just(Lifecycle::None),
        prop::collection::vec(rule, 0..4).prop_map(|rules| {
            let reading = Reading::Unreadable { code: None, why: "metrics do not ask for it".to_owned() };
            Lifecycle::Present(LifecycleConfiguration { rules, reading, minimum_size: None })
        }),
    ];
    prop_oneof![
        1 => Just(Facts::Vanished { at: fact(Some(())).at }),
        1 => Just(Facts::Directory { at: fact(Some(())).at }),
        9 => (prop::option::weighted(0.8, state), prop::option::weighted(0.8, lifecycle))
            .prop_map(|(state, lifecycle)| read(state, lifecycle)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_is_what_a_naive_count_gives(buckets in prop::collection::vec((0_u32..5, 0_u8..3, facts()), 0..40)) {
        let accounts = [
            account(0, "o-a/r-1/ou-1-top/ou-1-nested/", Outcome::Complete),
            account(1, "o-a/r-1/ou-1-top/", Outcome::Complete),
            account(2, "o-a/r-1/", Outcome::Incomplete("cut".to_owned())),
            account(3, "o-a/r-1/ou-1-other/", Outcome::Complete),
            account(4, "", Outcome::Complete),
            account(5, "o-a/r-1/ou-1-failed/", Outcome::Failed("denied".to_owned())),
        ];
        let records: Vec<BucketRecord> =
            buckets.into_iter().map(|(account, region, facts)| bucket(account, &format!("r{region}"), facts)).collect();
        let rows = rows(&accounts, &records);
        let expected = naive_rows(&accounts, &records);
        for ((scope, id, region), values) in &expected {
            let found = of(&rows, *scope, id, region);
            for (counter, value) in basic().zip(values) {
                let found = found.get(counter.name);
                prop_assert_eq!(found, Some(&Some(Value::Count(*value))), "{:?} {} {} {}", scope, id, region, counter.name);
            }
        }
        let counted = |row: &&MetricRow<'_>| basic().any(|counter| counter.name == row.metric);
        prop_assert_eq!(rows.iter().filter(counted).count(), expected.len() * basic().count(), "no other rows");
        let keys: Vec<_> = rows.iter().map(|row| (row.scope, &row.scope_id, &row.region)).collect();
        prop_assert!(keys.is_sorted(), "sorted by scope, id and Region");
    }
}

#[test]
fn values_beyond_the_limit_are_one_group_and_what_is_no_value_keeps_its_own() {
    let tagged = |value: Option<&str>| {
        let tags =
            value.map(|value| crate::model::Tags(vec![("team".to_owned(), value.to_owned())])).unwrap_or_default();
        let extras = crate::model::Extras { tags: Some(fact(Some(tags))), ..crate::model::Extras::default() };
        let facts = Facts::Read {
            versioning: fact(Some(ENABLED)),
            lifecycle: fact(Some(Lifecycle::None)),
            extras: Box::new(extras),
        };
        bucket(1, "x", facts)
    };
    let account = account(1, "", Outcome::Complete);
    let mut aggregator = Aggregator::new(&BTreeSet::from([Extra::Tags]));
    aggregator.tag = Some(Tag::with_limit("team", 2));
    for value in [Some("a"), Some("b"), Some("c"), Some("a"), Some("d"), None] {
        let record = tagged(value);
        aggregator.push(&account, &record, &evaluate(&record));
    }
    let rows = leaked(aggregator.finish(std::slice::from_ref(&account)).expect("adds up"));
    let count = |group| count(&rows, Scope::Tag, group, "BucketCount");
    let counts = ["a", "b", "(more values)", "(none)", "c"].map(count);
    assert_eq!(counts, [Some(2), Some(1), Some(2), Some(1), None]);
    // Values in the words of groups, which servers other than AWS take, are not those groups.
    let mut aggregator = Aggregator::new(&BTreeSet::from([Extra::Tags])).by_tag(Some("team"));
    let values = ["(none)", "(none)", "(unknown)", "(empty)", "(more values)", "\\(none)", ""];
    for value in values.map(Some).into_iter().chain([None]) {
        let record = tagged(value);
        aggregator.push(&account, &record, &evaluate(&record));
    }
    let rows = leaked(aggregator.finish(&[account]).expect("adds up"));
    let count = |group| self::count(&rows, Scope::Tag, group, "BucketCount");
    let groups = ["(none)", "(empty)", "\\(none)", "\\(unknown)", "\\(empty)", "\\(more values)", "\\\\(none)"];
    assert_eq!(groups.map(count), [Some(1), Some(1), Some(2), Some(1), Some(1), Some(1), Some(1)]);
    assert_eq!(count("(unknown)"), None);
}
