use std::sync::Arc;

use super::*;
use crate::model::{
    AccountId, LifecycleConfiguration, Observed, Operation, Reading, Reason, Region, Replication, RuleStatus, Timestamp,
};

fn at() -> Timestamp {
    Timestamp::from_unix(1_767_225_600).expect("in range")
}

fn known<T>(value: T) -> Fact<T> {
    Fact { at: at(), observed: Observed::Known(value) }
}

fn unknown<T>(operation: Operation) -> Fact<T> {
    Fact { at: at(), observed: Observed::Unknown(Arc::new(Reason::interrupted(operation))) }
}

fn bucket(versioning: Fact<VersioningState>, lifecycle: Fact<Lifecycle>, extras: Extras) -> BucketRecord {
    BucketRecord {
        account: AccountId::parse("111111111111").expect("12 digits"),
        region: Region::new("eu-west-1"),
        bucket: "b".to_owned(),
        facts: Facts::Read { versioning, lifecycle, extras: Box::new(extras) },
    }
}

fn enabled() -> Fact<VersioningState> {
    known(VersioningState { versioning: Versioning::Suspended, mfa_delete: MfaDelete::Enabled })
}

fn value(record: &BucketRecord, metric: Metric) -> Value {
    led(record, metric, None)
}

fn led(record: &BucketRecord, metric: Metric, to: Option<Tally>) -> Value {
    values(record, to.as_ref()).expect("it is there")[metric.index()]
}

#[test]
fn names_and_columns_are_unique_and_in_the_order_of_their_places() {
    for (index, metric) in Metric::ALL.into_iter().enumerate() {
        assert_eq!(metric.index(), index);
        assert_eq!(Metric::find(metric.name()), Some(metric));
    }
    let columns: Vec<&str> = Metric::ALL.into_iter().filter_map(Metric::column).collect();
    assert_eq!(columns.iter().collect::<std::collections::BTreeSet<_>>().len(), 19);
    assert_eq!(Metric::find("VersioningEnabledBucketcount"), None);
}

/// The columns are the names in snake case, but for those that AWS writes otherwise.
#[test]
fn columns_follow_from_names() {
    for metric in Metric::ALL {
        let Some(column) = metric.column() else { continue };
        let name = metric.name().replace("MFA", "Mfa").replace("SSEKMS", "SseKms").replace("MPU", "MultipartUpload");
        let name = name.replace("Noncurrent", "NonCurrent");
        let snake = name.chars().fold(String::new(), |mut snake, c| {
            if c.is_ascii_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
            snake
        });
        assert_eq!(column, snake);
    }
}

#[test]
fn what_is_unknown_is_no_zero_and_what_nobody_asked_for_is_neither() {
    let operation = Operation::GetBucketVersioning;
    let dark = bucket(unknown(operation), unknown(operation), Extras::default());
    for metric in Metric::ALL {
        let expected = match metric {
            Metric::VersioningEnabled | Metric::MfaDeleteEnabled => Value::Unknown,
            rules if rules.name().contains("LifecycleRule") => Value::Unknown,
            _ => Value::NotAsked,
        };
        assert_eq!(value(&dark, metric), expected, "{}", metric.name());
    }
    let gone = BucketRecord { facts: Facts::Vanished { at: at() }, ..dark };
    assert_eq!(values(&gone, None), None);
}

#[test]
fn suspended_is_not_enabled_and_rules_count_once_for_each_kind() {
    let rule = |status, actions: &[ActionKind]| LifecycleRule {
        id: "r".to_owned(),
        status,
        actions: actions.iter().copied().collect(),
    };
    let rules = vec![
        rule(RuleStatus::Enabled, &[ActionKind::Transition, ActionKind::Expiration]),
        rule(RuleStatus::Disabled, &[ActionKind::Transition]),
    ];
    let reading = Reading::Unreadable { code: None, why: "a test".to_owned() };
    let lifecycle = known(Lifecycle::Present(LifecycleConfiguration { rules, reading, minimum_size: None }));
    let record = bucket(enabled(), lifecycle, Extras::default());
    assert_eq!(value(&record, Metric::VersioningEnabled), Value::Known(0));
    assert_eq!(value(&record, Metric::MfaDeleteEnabled), Value::Known(1));
    assert_eq!(value(&record, Metric::TransitionRules), Value::Known(2));
    assert_eq!(value(&record, Metric::ExpirationRules), Value::Known(1));
    assert_eq!(value(&record, Metric::LifecycleRules), Value::Known(2));
    assert_eq!(value(&record, Metric::AbortIncompleteMpuRules), Value::Known(0));
}

#[test]
fn further_facts_count_where_they_were_asked_for() {
    let extras = Extras {
        encryption: Some(known(Encryption::Present(vec!["aws:kms:dsse".to_owned()]))),
        ownership: Some(known(ObjectOwnership::None)),
        acceleration: Some(unknown(Operation::GetBucketAccelerateConfiguration)),
        notification: Some(known(Notification { event_bridge: true, ..Notification::default() })),
        replication: Some(known(Replication::None)),
        ..Extras::default()
    };
    let record = bucket(enabled(), known(Lifecycle::None), extras);
    assert_eq!(value(&record, Metric::SseKmsEnabled), Value::Known(0));
    assert_eq!(value(&record, Metric::ObjectWriter), Value::Known(1));
    assert_eq!(value(&record, Metric::BucketOwnerEnforced), Value::Known(0));
    assert_eq!(value(&record, Metric::TransferAccelerationEnabled), Value::Unknown);
    assert_eq!(value(&record, Metric::EventNotificationEnabled), Value::Known(1));
    let nowhere = Some(Tally::default());
    assert_eq!(led(&record, Metric::SameRegionReplicationRules, nowhere), Value::Known(0));
    assert_eq!(reasons(&record, &values(&record, nowhere.as_ref()).expect("there")).len(), 1);
}

#[test]
fn only_what_a_metric_needs_is_a_reason_for_one_that_is_unknown() {
    let extras = Extras {
        policy: Some(unknown(Operation::GetBucketPolicy)),
        object_lock: Some(unknown(Operation::GetObjectLockConfiguration)),
        tags: Some(unknown(Operation::GetBucketTagging)),
        encryption: Some(unknown(Operation::GetBucketEncryption)),
        ..Extras::default()
    };
    let record = bucket(enabled(), unknown(Operation::GetBucketLifecycleConfiguration), extras);
    let said = reasons(&record, &values(&record, None).expect("there"));
    let told = ["GetBucketLifecycleConfiguration ", "GetBucketEncryption "];
    assert_eq!(said.len(), told.len(), "{said:?}");
    assert!(said.iter().zip(told).all(|(reason, operation)| reason.starts_with(operation)), "{said:?}");
}

#[test]
fn replication_rules_count_where_the_run_knows_of_all_of_them_where_they_lead() {
    let read = |replication| Extras { replication: Some(replication), ..Extras::default() };
    let rules = || known(Replication::Present(Vec::new()));
    let record = bucket(enabled(), known(Lifecycle::None), read(rules()));
    let to = Tally {
        rules: 4,
        same_region: 1,
        cross_region: 2,
        same_account: 1,
        cross_account: 2,
        invalid: 1,
        ..Tally::default()
    };
    let of = |metric, to| led(&record, metric, Some(to));
    let all = [
        (Metric::SameRegionReplicationRules, 1),
        (Metric::CrossRegionReplicationRules, 2),
        (Metric::SameAccountReplicationRules, 1),
        (Metric::CrossAccountReplicationRules, 2),
        (Metric::InvalidDestinationReplicationRules, 1),
    ];
    for (metric, count) in all {
        assert_eq!(of(metric, to), Value::Known(count), "{}", metric.name());
        assert_eq!(value(&record, metric), Value::Unknown, "{}: nobody looked where they lead", metric.name());
    }
    assert!(reasons(&record, &values(&record, Some(&to)).expect("there")).is_empty());
    // Of one rule the account is known and the Region is not: whether its destination exists is open, too.
    let open = Tally { rules: 5, unknown_region: 1, cross_account: 3, ..to };
    assert_eq!(of(Metric::CrossAccountReplicationRules, open), Value::Known(3));
    for metric in [Metric::SameRegionReplicationRules, Metric::InvalidDestinationReplicationRules] {
        assert_eq!(of(metric, open), Value::Unknown);
    }
    assert_eq!(reasons(&record, &values(&record, Some(&open)).expect("there")).len(), 1);
    let blind = bucket(enabled(), known(Lifecycle::None), read(unknown(Operation::GetBucketReplication)));
    assert_eq!(value(&blind, Metric::SameRegionReplicationRules), Value::Unknown);
    let unasked = bucket(enabled(), known(Lifecycle::None), Extras::default());
    assert_eq!(value(&unasked, Metric::SameRegionReplicationRules), Value::NotAsked);
}
