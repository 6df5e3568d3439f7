use serde_json::{Value, json};

use super::*;

fn manifest() -> Manifest {
    let manifest = json!({
        "sourceAccountId": "111122223333", "configId": "bucketlens-csv", "destinationBucket": "", "reportVersion": "V_1",
        "reportDate": "2026-07-15", "reportFormat": "CSV", "reportSchema": "",
        "reportFiles": [{
            "key": "StorageLens/111122223333/bucketlens-csv/V_1/reports/dt=2026-07-15/0193.csv",
            "size": 1, "md5Checksum": "",
        }],
    });
    serde_json::from_value(manifest).expect("a manifest")
}

/// Of MFA delete one bucket is unknown.
fn coverage() -> Value {
    let metrics = Metric::ALL.map(|metric| {
        let unknown = u64::from(metric == Metric::MfaDeleteEnabled);
        json!({"metric": metric.name(), "known_buckets": 7, "unknown_buckets": unknown, "not_asked_buckets": 0})
    });
    json!({
        "schema_version": 1,
        "buckets": [{
            "account_id": "444455556666", "region": "eu-west-1", "bucket": "b", "unknown": ["MFADeleteEnabledBucketCount"],
            "reasons": ["no"],
        }],
        "run": {
            "run_id": "0193", "interrupted": true, "source_account_id": "111122223333", "config_id": "bucketlens-csv",
            "report_date": "2026-07-15", "vanished_buckets": 0, "filters": [],
        },
        "metrics": metrics,
        "accounts": [
            {"account_id": null, "account_name": "prod", "outcome": "failed", "reason": "denied", "buckets": null}
        ],
        "to come": [1],
    })
}

fn read_text(text: &str) -> (Result<Coverage, CoverageError>, Vec<Gap>) {
    let mut gaps = Vec::new();
    let read = read(text.as_bytes(), &manifest(), |gap| gaps.push(gap));
    (read, gaps)
}

#[test]
fn it_is_read_as_it_was_written() {
    let (read, gaps) = read_text(&coverage().to_string());
    let read = read.expect("a coverage");
    assert!(read.interrupted);
    assert_eq!(read.known, [7; Metric::COUNT]);
    assert_eq!((read.accounts[0].outcome, read.accounts[0].account_id.as_ref()), (Unread::Failed, None));
    assert_eq!((gaps[0].bucket.as_str(), gaps[0].unknown.as_slice()), ("b", [Metric::MfaDeleteEnabled].as_slice()));
}

#[test]
fn what_is_wrong_with_it_is_named() {
    let error = |change: &dyn Fn(&mut Value)| {
        let mut document = coverage();
        change(&mut document);
        assert_ne!(document, coverage());
        read_text(&document.to_string()).0.expect_err("refused").to_string()
    };
    for (words, change) in [
        (
            "it is of version 2, and only 1 is known",
            &(|it: &mut Value| it["schema_version"] = json!(2)) as &dyn Fn(&mut Value),
        ),
        ("its run_id is \"0194\"", &|it| it["run"]["run_id"] = json!("0194")),
        ("its config_id is \"bucketlens-parquet\"", &|it| it["run"]["config_id"] = json!("bucketlens-parquet")),
        ("its report_date is \"2026-07-16\"", &|it| it["run"]["report_date"] = json!("2026-07-16")),
        ("its source_account_id is \"unknown\"", &|it| it["run"]["source_account_id"] = json!("unknown")),
        ("it counts 1 buckets of which MFADeleteEnabledBucketCount is unknown, and lists 0", &|it| {
            it["buckets"] = json!([]);
        }),
        ("metrics has not one VersioningEnabledBucketCount", &|it| it["metrics"][0] = it["metrics"][1].clone()),
        ("there is no metric \"Colour\"", &|it| it["buckets"][0]["unknown"][0] = json!("Colour")),
        ("\"1\" is no account id", &|it| it["buckets"][0]["account_id"] = json!("1")),
        ("\"\" is no name of a bucket", &|it| it["buckets"][0]["bucket"] = json!("")),
        ("unknown variant `complete`", &|it| it["accounts"][0]["outcome"] = json!("complete")),
        ("missing field `accounts`", &|it| drop(it.as_object_mut().expect("an object").remove("accounts"))),
        ("missing field `buckets`", &|it| drop(it.as_object_mut().expect("an object").remove("buckets"))),
    ] {
        let found = error(change);
        assert!(found.contains(words), "{words}: {found}");
    }
    let text = coverage().to_string();
    for (text, words) in [
        (text[..text.len() - 1].to_owned(), "EOF while parsing"),
        (format!("{text}x"), "trailing characters"),
        (text.replacen('{', "{\"run\":{},", 1), "missing field `run_id`"),
        (text.replacen('{', "{\"buckets\":[],", 1), "duplicate field `buckets`"),
        ("[]".to_owned(), "invalid type"),
        (String::new(), "EOF while parsing"),
    ] {
        let found = read_text(&text).0.expect_err("refused").to_string();
        assert!(found.contains("it is no coverage of bucketlens: ") && found.contains(words), "{words}: {found}");
    }
}
