//! What a scan says of the lifecycle configurations it meets.

use std::sync::Arc;

use bucketlens::evaluate::{Evaluation, Evaluator};
use bucketlens::lifecycle::{Action, Configuration, Filter, Rule, When};
use bucketlens::model::{
    AccountId, BucketRecord, ErrorClass, Fact, Facts, Lifecycle, LifecycleConfiguration, LifecycleRule, MfaDelete,
    Observed, Operation, Reading, Reason, Region, RuleStatus, Standard, Timestamp, Versioning, VersioningState,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{Ran, Row};
use crate::lifecycle::strategy::{TODAY, everything};
use crate::scan::{MANAGEMENT, buckets, coverage, good, scan, with};

fn scanned(of: &Value) -> Ran {
    let sim = buckets(of);
    scan([]).at(&sim.endpoint, MANAGEMENT).run().expect(0)
}

/// Rule, status, severity and evidence of the findings on a bucket.
fn findings(ran: &Ran, bucket: &str) -> Vec<Row> {
    ran.rows("out/findings.csv").into_iter().filter(|row| row["bucket"] == bucket).collect()
}

fn of<'a>(findings: &'a [Row], rule: &str) -> &'a Row {
    findings.iter().find(|row| row["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {findings:#?}"))
}

#[test]
fn a_storage_class_of_another_server_leaves_only_the_verdicts_unknown() {
    let rules = json!([
        {"ID": "cold", "Filter": {}, "Status": "Enabled", "Transitions": [{"Days": 30, "StorageClass": "COLD_LINE"}]},
        {"ID": "old", "Filter": {}, "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
    ]);
    let plain = json!({"name": "plain", "region": "us-east-1", "versioning": "Enabled", "lifecycle": rules});
    let ran = scanned(&json!([plain, with(good("protected"), &json!({"lifecycle": rules}))]));
    let row = ran.bucket("plain");
    assert_eq!((row["lifecycle"].as_str(), row["lifecycle_rules"].as_str()), ("present", "2"));
    assert_eq!((row["status"].as_str(), row["unknown_reasons"].as_str()), ("fail", ""), "everything was read");
    assert_eq!(row["advisories"], "mfa-delete-blocked-by-lifecycle");
    let found = findings(&ran, "plain");
    let unknown: Vec<&str> =
        found.iter().filter(|row| row["status"] == "unknown").map(|row| row["rule"].as_str()).collect();
    let needing_verdicts = [
        "lifecycle-date-in-past",
        "lifecycle-deletes-noncurrent-versions",
        "lifecycle-rule-never-applies",
        "lifecycle-transition-too-late",
        "lifecycle-onezone-ia-to-glacier-ir",
        "lifecycle-prefix-taken-literally",
        "lifecycle-rule-shadowed",
        "noncurrent-versions-kept-forever",
        "incomplete-uploads-kept-forever",
        "delete-markers-kept-forever",
        "lifecycle-small-objects-stay",
        "lifecycle-infrequent-access-early",
    ];
    assert_eq!(unknown, needing_verdicts);
    for rule in needing_verdicts {
        let evidence = &of(&found, rule)["evidence"];
        assert!(
            evidence.starts_with("the lifecycle configuration could not be analysed: line 2, column "),
            "{evidence}"
        );
        assert!(evidence.contains("\"COLD_LINE\" is no storage class"), "{evidence}");
    }
    // A conflict in force is one whatever its rules do; how bad it is nobody can say.
    let conflict = of(&findings(&ran, "protected"), "lifecycle-bypasses-mfa-delete").clone();
    assert_eq!((conflict["status"].as_str(), conflict["severity"].as_str()), ("fail", "high"));
    assert!(conflict["evidence"].contains("whether versions are deleted for good is unknown"), "{conflict:?}");
    // Every fact was read, so the run is complete; the page says what stays open all the same.
    assert_eq!(coverage(&ran, "buckets_unknown"), 0);
    let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("What the lifecycle rules of 2 buckets do together is unknown"), "{page}");
    assert!(!page.contains("Nothing stayed unknown"), "{page}");
}

#[test]
fn what_the_rules_of_a_bucket_do_together_is_told() {
    let rules = json!([
        {"ID": "sweep", "Filter": {"Prefix": "tmp/"}, "Status": "Enabled", "Expiration": {"Date": "2024-01-01T00:00:00Z"}},
        {"ID": "year", "Filter": {}, "Status": "Enabled", "Expiration": {"Days": 365}},
        {"ID": "archive", "Filter": {}, "Status": "Enabled", "Transitions": [{"Days": 400, "StorageClass": "GLACIER"}]},
        {"ID": "slow", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 500}},
        {"ID": "uploads", "Filter": {}, "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    ]);
    let ran = scanned(&json!([{"name": "b", "region": "us-east-1", "lifecycle": rules}]));
    let found = findings(&ran, "b");
    let told = [
        ("lifecycle-date-in-past", "medium", "rule sweep (keys that begin with \"tmp/\"): Expiration on 2024-01-01"),
        ("lifecycle-deletes-permanently", "low", "rule year (all objects): Expiration at 365 days"),
        ("lifecycle-rule-never-applies", "low", "rule slow (keys that begin with \"logs/\"): Expiration at 500 days"),
        ("lifecycle-transition-too-late", "low", "Expiration at 365 days of rule year comes first"),
        ("lifecycle-rule-shadowed", "info", "rule year (all objects): Expiration at 365 days does not apply to some"),
    ];
    // Nothing moves, so no small object is left behind.
    assert!(found.iter().all(|row| row["rule"] != "lifecycle-small-objects-stay"), "{found:#?}");
    for (rule, severity, words) in told {
        let finding = of(&found, rule);
        assert_eq!((finding["status"].as_str(), finding["severity"].as_str()), ("fail", severity), "{rule}");
        assert!(finding["evidence"].contains(words), "{rule}: {}", finding["evidence"]);
    }
    assert_eq!(found.iter().filter(|row| row["kind"] == "advisory").count(), told.len() + 1, "{found:#?}");
}

#[test]
fn traps_of_lifecycle_rules_are_told() {
    let moves = json!([{"Days": 7, "StorageClass": "STANDARD_IA"}]);
    let onezone = json!([{"Days": 40, "StorageClass": "ONEZONE_IA"}, {"Days": 90, "StorageClass": "GLACIER_IR"}]);
    let rules = json!([
        {"ID": "slash", "Filter": {"Prefix": "/tmp/*"}, "Status": "Enabled", "Transitions": moves},
        {"ID": "versions", "Filter": {}, "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 90}},
        {"ID": "cheap", "Filter": {"Prefix": "b/"}, "Status": "Enabled", "Transitions": onezone},
    ]);
    let ran = scanned(&json!([{"name": "b", "region": "us-east-1", "versioning": "Enabled", "lifecycle": rules}]));
    let found = findings(&ran, "b");
    for (rule, severity, words) in [
        ("lifecycle-prefix-taken-literally", "low", "rule slash: the prefix \"/tmp/*\" begins with / and contains *"),
        ("delete-markers-kept-forever", "info", "rule versions (all objects)"),
        // The simulator states the setting as S3 does.
        ("lifecycle-small-objects-stay", "info", "Transition to STANDARD_IA at 7 days"),
        ("lifecycle-infrequent-access-early", "info", "rule slash"),
        ("lifecycle-onezone-ia-to-glacier-ir", "low", "rule cheap (keys that begin with \"b/\")"),
    ] {
        let finding = of(&found, rule);
        assert_eq!((finding["status"].as_str(), finding["severity"].as_str()), ("fail", severity), "{rule}");
        assert!(finding["evidence"].contains(words), "{rule}: {}", finding["evidence"]);
    }
}

// The evaluation is a function of the record and the day.

fn record(state: Option<VersioningState>, configuration: Configuration) -> BucketRecord {
    let at = Timestamp::from_unix(1_795_358_600).expect("in range");
    let reason = Reason {
        operation: Operation::GetBucketVersioning,
        class: ErrorClass::Denied,
        code: None,
        http_status: Some(403),
        request_id: None,
        message: String::new(),
    };
    let versioning = state.map_or_else(|| Observed::Unknown(Arc::new(reason)), Observed::Known);
    let rule = |rule: &Rule| LifecycleRule {
        id: rule.id.clone(),
        status: if rule.enabled { RuleStatus::Enabled } else { RuleStatus::Disabled },
        actions: [].into(),
    };
    let rules = configuration.rules.iter().map(rule).collect();
    let present =
        Lifecycle::Present(LifecycleConfiguration { rules, reading: Reading::Read(configuration), minimum_size: None });
    BucketRecord {
        account: AccountId::parse("111111111111").expect("12 digits"),
        region: Region::new("us-east-1"),
        bucket: "b".to_owned(),
        facts: Facts::Read {
            versioning: Fact { at, observed: versioning },
            lifecycle: Fact { at, observed: Observed::Known(present) },
            extras: Box::default(),
        },
    }
}

fn records() -> impl Strategy<Value = Vec<BucketRecord>> {
    let versioning = prop_oneof![Just(Versioning::Never), Just(Versioning::Enabled), Just(Versioning::Suspended)];
    let mfa_delete = prop_oneof![Just(MfaDelete::Never), Just(MfaDelete::Enabled)];
    let state =
        (versioning, mfa_delete).prop_map(|(versioning, mfa_delete)| VersioningState { versioning, mfa_delete });
    let facts = (prop::option::weighted(0.8, state), everything());
    prop::collection::vec(facts.prop_map(|(state, configuration)| record(state, configuration.0)), 1..8)
}

fn alone(record: &BucketRecord) -> Evaluation {
    Evaluator::new(Standard::Cis, TODAY, Some("aws")).evaluate(record)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_evaluation_depends_on_nothing_but_its_record(records in records()) {
        let evaluator = Evaluator::new(Standard::Cis, TODAY, Some("aws"));
        // There and back: the second time everything is known already.
        for record in records.iter().chain(records.iter().rev()) {
            let evaluation = evaluator.evaluate(record);
            prop_assert_eq!(&evaluation, &alone(record));
            let text = serde_json::to_string(record).expect("a record is JSON");
            let read: BucketRecord = serde_json::from_str(&text).expect("the same record");
            prop_assert_eq!(&read, record, "{}", text);
            prop_assert_eq!(evaluation, alone(&read));
        }
    }
}

#[test]
fn more_configurations_than_are_remembered_change_nothing() {
    let state = VersioningState { versioning: Versioning::Never, mfa_delete: MfaDelete::Never };
    let configuration = |number: u32| {
        let rule = |position: u32| Rule {
            id: format!("rule-{position}"),
            enabled: true,
            filter: Filter { prefix: format!("{number}/{position}/"), ..Filter::default() },
            actions: vec![Action::Expiration(When::Days(position + 1))],
        };
        Configuration { rules: (0..100).map(rule).collect() }
    };
    let records: Vec<BucketRecord> = (0..300).map(|number| record(Some(state), configuration(number))).collect();
    let evaluator = Evaluator::new(Standard::Cis, TODAY, Some("aws"));
    let first: Vec<Evaluation> = records.iter().map(|record| evaluator.evaluate(record)).collect();
    let second: Vec<Evaluation> = records.iter().map(|record| evaluator.evaluate(record)).collect();
    assert_eq!(first, second);
    assert_eq!(first[7], alone(&records[7]));
    assert!(first.iter().all(|evaluation| evaluation.findings.iter().any(|it| it.evidence.ends_with("; 97 more"))));
}
