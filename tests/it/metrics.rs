//! The metrics of settings that take a request of their own, from the servers' answers to `metrics.csv`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::{Ran, Sim};
use crate::scan::{MANAGEMENT, good, management, organization, scan, with};

const OTHER: &str = "222222222222";

/// The metrics of one scope, by name.
fn metrics(ran: &Ran, scope: &str, id: &str) -> BTreeMap<String, String> {
    let rows = ran.rows("out/metrics.csv").into_iter();
    let rows = rows.filter(|row| {
        row["scope"] == scope && row["scope_id"] == id && (scope == "region" || row["region"].is_empty())
    });
    rows.map(|row| (row["metric"].clone(), row["value"].clone())).collect()
}

#[track_caller]
fn assert_has(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (metric, value) in expected {
        assert_eq!(found.get(*metric).map(String::as_str), Some(*value), "{metric}");
    }
}

fn sim(management_members: &Value, other_members: &Value) -> Sim {
    let other = json!({"id": OTHER, "name": "Other", "ou": "ou-test-other000"});
    Sim::json(&organization(&json!([management(management_members), with(other, other_members)])).to_string())
}

/// A bucket whose replication rules lead to these.
fn replicated(name: &str, rules: &Value) -> Value {
    with(good(name), &json!({"replication": rules}))
}

fn rule(destination: &str) -> Value {
    json!({"destination": format!("arn:aws:s3:::{destination}")})
}

fn rule_of(destination: &str, account: &str) -> Value {
    with(rule(destination), &json!({"account": account}))
}

#[test]
fn every_metric_of_settings_is_counted_where_it_was_asked_for() {
    let sim = sim(
        &json!({"buckets": [
            with(good("all"), &json!({
                "encryption": "aws:kms", "ownership": "BucketOwnerEnforced", "acceleration": "Enabled",
                "notification": {"event_bridge": true},
            })),
            with(good("dual"), &json!({"encryption": "aws:kms:dsse", "ownership": "BucketOwnerPreferred", "acceleration": "Suspended"})),
            with(good("old"), &json!({"encryption": "AES256"})),
            with(good("shut"), &json!({"deny": {
                "GetBucketEncryption": "no", "GetBucketOwnershipControls": "no", "GetBucketReplication": "no",
                "GetBucketAccelerateConfiguration": "no", "GetBucketNotificationConfiguration": "no",
            }})),
        ]}),
        &json!({}),
    );
    let ran = scan(["--metrics=all"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    let found = metrics(&ran, "organization", "");
    assert_has(
        &found,
        &[
            ("SSEKMSEnabledBucketCount", "1"),
            ("EncryptionUnknownBucketCount", "1"),
            ("SSEKMSEnabledBucketPercent", "25.00"),
            ("SSEKMSEnabledOfKnownPercent", "33.33"),
            ("ObjectOwnershipBucketOwnerEnforcedBucketCount", "1"),
            ("ObjectOwnershipBucketOwnerPreferredBucketCount", "1"),
            ("ObjectOwnershipObjectWriterBucketCount", "1"),
            ("ObjectOwnershipUnknownBucketCount", "1"),
            ("TransferAccelerationEnabledBucketCount", "1"),
            ("TransferAccelerationUnknownBucketCount", "1"),
            ("EventNotificationEnabledBucketCount", "1"),
            ("EventNotificationUnknownBucketCount", "1"),
            ("TotalReplicationRuleCount", "0"),
            ("ReplicationUnknownBucketCount", "1"),
            ("AverageTotalLifecycleRulesPerBucket", "0.00"),
        ],
    );
    for says in ["SSE-KMS enabled", "of 3 known = 33.33%, 1 of 4 unknown", "Bucket owner enforced", "Replication rules"]
    {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    let basic = scan([]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let without = metrics(&basic, "organization", "");
    assert!(!without.keys().any(|name| name.contains("SSEKMS") || name.contains("Replication")), "{without:?}");
    assert!(!basic.stdout.contains("SETTINGS"), "{}", basic.stdout);
    let one = scan(["--metrics=encryption"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    let one = metrics(&one, "organization", "");
    assert!(one.contains_key("SSEKMSEnabledBucketCount") && !one.contains_key("TotalReplicationRuleCount"));
}

#[test]
fn where_replication_rules_lead_is_said_only_where_it_is_known() {
    let rules = json!([
        rule("near"),                                                    // same Region, same account
        rule("far"),                                                     // another Region, another account
        with(rule_of("nowhere", OTHER), &json!({"status": "Disabled"})), // proven: the account was listed and has none
        rule("elsewhere"),                                               // nobody knows
        rule_of("elsewhere", "333333333333"),                            // another account, Region unknown
    ]);
    let far = with(good("far"), &json!({"region": "eu-west-1"}));
    let sim = sim(&json!({"buckets": [good("near"), replicated("source", &rules)]}), &json!({"buckets": [far]}));
    let ran = scan(["--organization", "--metrics=replication"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let expected = [
        ("TotalReplicationRuleCount", "5"),
        ("SameRegionReplicationRuleCount", "1"),
        ("CrossRegionReplicationRuleCount", "1"),
        ("UnknownDestinationRegionReplicationRuleCount", "2"),
        ("SameAccountReplicationRuleCount", "1"),
        ("CrossAccountReplicationRuleCount", "2"),
        ("UnknownDestinationAccountReplicationRuleCount", "1"),
        ("InvalidDestinationReplicationRuleCount", "1"),
        ("ReplicationUnknownBucketCount", "0"),
        ("AverageReplicationRulesPerBucket", "1.67"),
    ];
    assert_has(&metrics(&ran, "organization", "o-test000000"), &expected);
    assert_has(&metrics(&ran, "account", OTHER), &[("TotalReplicationRuleCount", "0")]);

    // A scan of one account alone proves less, and so does one that leaves buckets out.
    let alone = scan(["--metrics=replication"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let less = [
        ("SameRegionReplicationRuleCount", "1"),
        ("CrossRegionReplicationRuleCount", "0"),
        ("UnknownDestinationRegionReplicationRuleCount", "4"),
        ("CrossAccountReplicationRuleCount", "2"),
        ("UnknownDestinationAccountReplicationRuleCount", "2"),
        ("InvalidDestinationReplicationRuleCount", "0"),
    ];
    assert_has(&metrics(&alone, "organization", ""), &less);
    let part = scan(["--organization", "--metrics=replication", "--bucket=source"]);
    let part = part.at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let nothing =
        [("InvalidDestinationReplicationRuleCount", "0"), ("UnknownDestinationRegionReplicationRuleCount", "5")];
    assert_has(&metrics(&part, "organization", "o-test000000"), &nothing);
}

#[test]
fn exports_count_replication_rules_as_the_metrics_do() {
    let far = with(good("far"), &json!({"region": "eu-west-1"}));
    let rules = json!([rule("near"), rule("far"), rule_of("nowhere", OTHER)]);
    let doubtful = replicated("doubtful", &json!([rule("elsewhere")]));
    let buckets = json!([good("near"), replicated("source", &rules), doubtful]);
    let sim = sim(&json!({"buckets": buckets}), &json!({"buckets": [far]}));
    let arguments = ["--organization", "--metrics=replication", "--format=csv,storage-lens-csv"];
    let ran = scan(arguments).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let export = ran.path(&format!("out/StorageLens/{MANAGEMENT}/bucketlens-csv"));
    let below = crate::common::files(&export);
    let file = below.iter().find(|name| name.contains("reports/")).expect("a report file");
    let mut reader = csv::Reader::from_path(export.join(file)).expect("CSV");
    let rows: Vec<crate::common::Row> = reader.deserialize().collect::<Result<_, _>>().expect("rows");
    let of = |bucket: &str, metric: &str| {
        let mut rows = rows.iter().filter(|row| row["bucket_name"] == bucket && row["metric_name"] == metric);
        rows.next().map(|row| row["metric_value"].clone())
    };
    for name in ["SameRegion", "CrossRegion", "SameAccount", "CrossAccount", "InvalidDestination"] {
        let metric = format!("{name}ReplicationRuleCount");
        assert_eq!(of("source", &metric).as_deref(), Some("1"), "{metric}");
        assert_eq!(of("near", &metric).as_deref(), Some("0"), "{metric}");
        assert_eq!(of("doubtful", &metric), None, "{metric}");
    }
    let coverage = below.iter().find(|name| name.ends_with("coverage.json")).expect("beside the manifest");
    let coverage = std::fs::read_to_string(export.join(coverage)).expect("text");
    assert!(coverage.contains("\"bucket\":\"doubtful\"") && !coverage.contains("\"bucket\":\"source\""), "{coverage}");
    // And beside the run nothing differs.
    let (export, out) = (export.to_str().expect("text"), ran.path("out"));
    let out = out.to_str().expect("text");
    let compare = ["storage-lens", "compare", export, "--with", out, "--format", "csv"];
    let compared = crate::common::Cli::new(compare).run().expect(3).stdout;
    assert!(compared.lines().skip(1).all(|row| row.contains(",doubtful,unknown,")), "{compared}");
    assert_eq!(compared.lines().count(), 6);
}

#[test]
fn a_report_made_again_and_a_trend_say_the_same_of_replication() {
    let sim = sim(&json!({"buckets": [good("near"), replicated("source", &json!([rule("near")]))]}), &json!({}));
    let ran = scan(["--metrics=replication"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let folder = ran.path("out");
    let again = crate::common::Cli::new(["report", folder.to_str().expect("text"), "--out", "again"]).run();
    assert_eq!(again.read("again/metrics.csv"), ran.read("out/metrics.csv"), "{}", again.stderr);
    let trend =
        ["trend", folder.to_str().expect("text"), "--format", "csv", "--metric", "SameRegionReplicationRuleCount"];
    let trend = crate::common::Cli::new(trend).run().expect(0);
    let mut lines = trend.stdout.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let value = lines.next().and_then(|names| names.iter().position(|name| *name == "value")).expect("a column");
    assert_eq!(lines.next().map(|cells| cells[value]), Some("1"), "{}", trend.stdout);
    assert!(trend.stdout.contains("SameRegionReplicationRuleCount"), "{}", trend.stdout);
}

/// `--group-by-tag=team`: of each group its buckets and those with MFA delete.
fn groups(ran: &Ran) -> BTreeMap<String, (String, String)> {
    let rows = ran.rows("out/metrics.csv");
    let values = |metric: &str| -> BTreeMap<String, String> {
        let rows = rows.iter().filter(|row| row["scope"] == "tag" && row["metric"] == metric);
        rows.map(|row| (row["scope_id"].clone(), row["value"].clone())).collect()
    };
    let (all, enabled) = (values("BucketCount"), values("MFADeleteEnabledBucketCount"));
    all.into_iter().map(|(group, count)| (group.clone(), (count, enabled[&group].clone()))).collect()
}

fn expected(groups: &[(&str, &str, &str)]) -> BTreeMap<String, (String, String)> {
    groups.iter().map(|(group, all, on)| ((*group).to_owned(), ((*all).to_owned(), (*on).to_owned()))).collect()
}

fn tagged(name: &str, team: &str) -> Value {
    with(good(name), &json!({"tags": {"team": team, "cost": "1"}}))
}

/// Buckets with a tag of their own, without, and of whose tags nothing is known.
fn teams() -> Value {
    json!([
        tagged("a", "red"),
        with(tagged("b", "red"), &json!({"mfa_delete": "Disabled"})),
        tagged("c", "blue"),
        tagged("d", ""),
        good("none"),
        with(good("other-key"), &json!({"tags": {"Team": "red"}})),
        with(tagged("shut", "red"), &json!({"deny": {"GetBucketTagging": "no"}})),
    ])
}

#[test]
fn buckets_are_grouped_by_their_tag() {
    let sim = sim(&json!({"buckets": teams(), "tags": {"team": "green"}}), &json!({}));
    let ran = scan(["--group-by-tag=team"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    let truth =
        [("red", "2", "1"), ("blue", "1", "1"), ("(empty)", "1", "1"), ("(none)", "2", "2"), ("(unknown)", "1", "1")];
    assert_eq!(groups(&ran), expected(&truth));
    // Nobody asks Organizations where it is not scanned.
    assert_eq!(sim.count("ListTagsForResource"), 0);
    assert!(ran.stdout.contains("BY TAG team"), "{}", ran.stdout);
    let metrics = ran.json("out/report.json")["metrics"].take();
    let rows = metrics.as_array().expect("rows").iter().filter(|row| row["scope"] == "tag" && row["scope_id"] == "red");
    assert!(rows.clone().any(|row| row["metric"] == "BucketCount" && row["value"] == 2));
    assert!(rows.clone().all(|row| row["region"].is_null()));
    let without = scan([]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert!(groups(&without).is_empty() && !without.stdout.contains("BY TAG"));
}

#[test]
fn a_bucket_without_the_tag_is_in_the_group_of_its_account() {
    let ours = json!({"buckets": teams(), "tags": {"team": "green"}});
    let simulator = sim(&ours, &json!({"buckets": [good("lonely"), tagged("own", "blue")]}));
    let ran = scan(["--organization", "--group-by-tag=team"]).at(&simulator.endpoint, MANAGEMENT).run().expect(3);
    let truth = [
        ("red", "2", "1"),
        ("blue", "2", "2"),
        ("(empty)", "1", "1"),
        ("green", "2", "2"),
        ("(none)", "1", "1"),
        ("(unknown)", "1", "1"),
    ];
    assert_eq!(groups(&ran), expected(&truth));
    assert_eq!(simulator.count("ListTagsForResource"), 2);
    let again = crate::common::Cli::new(["report", ran.path("out").to_str().expect("text"), "--out", "again"]).run();
    assert_eq!(again.read("again/metrics.csv"), ran.read("out/metrics.csv"), "{}", again.stderr);
}

#[test]
fn tags_of_accounts_that_cannot_be_read_are_not_taken_for_none() {
    let ours = json!({"buckets": [good("bare"), tagged("own", "blue")], "deny": ["ListTagsForResource"]});
    let simulator = sim(&ours, &json!({}));
    let ran = scan(["--organization", "--group-by-tag=team"]).at(&simulator.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(groups(&ran), expected(&[("blue", "1", "1"), ("(unknown)", "1", "1")]));
    assert!(ran.stdout.contains("The tags of 2 accounts could not be read"), "{}", ran.stdout);
    let listed = ran.stdout.lines().find(|line| line.trim_start().starts_with("ListTagsForResource denied ("));
    let figures: Vec<&str> = listed.expect("a reason in the list").split_whitespace().rev().take(2).collect();
    assert_eq!(figures, ["2", "-"], "{}", ran.stdout);
    let report = ran.json("out/report.json");
    for (account, row) in report["accounts"].as_array().expect("accounts").iter().zip(ran.rows("out/accounts.csv")) {
        let why = account["unknown_reasons"].as_str().expect("a reason");
        assert!(why.starts_with("ListTagsForResource denied (AccessDenied"), "{why}");
        assert_eq!((row["outcome"].as_str(), row["unknown_reasons"].as_str()), ("complete", why));
    }
    assert!(!ran.stdout.contains("Nothing stayed unknown"), "{}", ran.stdout);
    assert!(ran.stderr.contains("organizations:ListTagsForResource"), "{}", ran.stderr);
}
