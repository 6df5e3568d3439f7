use std::sync::Arc;

use super::*;
use crate::model::{LifecycleConfiguration, Observed, Operation, Reading, Reason, Region, RuleStatus, Timestamp};

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
    values(record).expect("it is there")[metric.index()]
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
    assert_eq!(values(&gone), None);
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
    let lifecycle = known(Lifecycle::Present(LifecycleConfiguration { rules, reading }));
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
    assert_eq!(value(&record, Metric::SameRegionReplicationRules), Value::Known(0));
    assert_eq!(reasons(&record, &values(&record).expect("there")).len(), 1);
}

#[test]
fn a_rule_that_names_no_account_says_nothing_of_accounts() {
    let rule = |account: Option<&str>| ReplicationRule {
        id: None,
        enabled: true,
        prefix: String::new(),
        tags: Vec::new(),
        destination: "arn:aws:s3:::elsewhere".to_owned(),
        account: account.map(|id| AccountId::parse(id).expect("12 digits")),
        delete_markers: None,
    };
    let replicated = |rules: Vec<ReplicationRule>| {
        let extras = Extras { replication: Some(known(Replication::Present(rules))), ..Extras::default() };
        bucket(enabled(), known(Lifecycle::None), extras)
    };
    let told = replicated(vec![rule(Some("111111111111")), rule(Some("222222222222"))]);
    assert_eq!(value(&told, Metric::SameAccountReplicationRules), Value::Known(1));
    assert_eq!(value(&told, Metric::CrossAccountReplicationRules), Value::Known(1));
    assert_eq!(value(&told, Metric::CrossRegionReplicationRules), Value::Unknown);
    let untold = replicated(vec![rule(Some("111111111111")), rule(None)]);
    assert_eq!(value(&untold, Metric::SameAccountReplicationRules), Value::Unknown);
    assert_eq!(reasons(&untold, &values(&untold).expect("there")).len(), 1);
}
