//! What a scan exports: the files themselves, as `DuckDB` and pyarrow see them, beside what the other reports say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bucketlens::storage_lens::{COLUMNS, Metric};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{FORMATS, demo, files, json, minimal, only, text};
use crate::common::{Cli, Ran, Row, Sim};
use crate::servers::python;

fn described(path: &Path) -> Option<Value> {
    let said = python("tests/servers/parquet.py", &[text(path)])?;
    Some(serde_json::from_str(&said).expect("one line of JSON"))
}

fn csv(ran: &Ran) -> Vec<Row> {
    let path = only(&ran.path("out/StorageLens"), ".csv");
    let mut reader = csv::Reader::from_path(path).expect("CSV");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// Value by account, Region, bucket (empty for an account) and metric.
type Facts = BTreeMap<[String; 4], String>;

fn facts(rows: &[Row]) -> Facts {
    let mut facts = Facts::new();
    for row in rows {
        let key = ["aws_account_number", "aws_region", "bucket_name", "metric_name"].map(|name| row[name].clone());
        assert_eq!(row["record_type"], if key[2].is_empty() { "ACCOUNT" } else { "BUCKET" });
        assert_eq!(facts.insert(key.clone(), row["metric_value"].clone()), None, "{key:?} stands there twice");
    }
    facts
}

#[test]
fn a_manifest_lists_its_files_with_size_and_md5() {
    let ran = demo();
    let top = ran.path("out");
    for (config, form, extension) in [("bucketlens-csv", "CSV", "csv"), ("bucketlens-parquet", "Parquet", "par")] {
        let below = top.join("StorageLens").join(super::MANAGEMENT).join(config).join("V_1");
        let manifest = json(&only(&below, "manifest.json"));
        let run = json(&top.join("report.json"))["run"].clone();
        let (id, start) = (run["id"].as_str().expect("an id"), run["start"].as_str().expect("a time"));
        let date = &start[..10];
        assert_eq!(
            files(&below),
            [
                format!("manifests/dt={date}/coverage.json"),
                format!("manifests/dt={date}/manifest.json"),
                format!("reports/dt={date}/{id}.{extension}")
            ]
        );
        assert_eq!(manifest["sourceAccountId"], super::MANAGEMENT);
        assert_eq!((&manifest["configId"], &manifest["reportFormat"]), (&json!(config), &json!(form)));
        assert_eq!((&manifest["reportVersion"], &manifest["reportDate"]), (&json!("V_1"), &json!(date)));
        let [file] = manifest["reportFiles"].as_array().expect("a list").as_slice() else { panic!("{manifest}") };
        let content = std::fs::read(top.join(file["key"].as_str().expect("a key"))).expect("the file is there");
        assert_eq!(file["size"], content.len());
        let md5: String = Md5::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        assert_eq!(file["md5Checksum"], md5);
    }
    // All of it is in the sums of the report.
    let sums = ran.read("out/SHA256SUMS");
    assert_eq!(sums.lines().filter(|line| line.contains("  StorageLens/")).count(), 6, "{sums}");
}

#[test]
fn parquet_has_the_columns_of_storage_lens_and_requires_them_all() {
    let ran = demo();
    let Some(long) = described(&only(&ran.path("out/StorageLens"), ".par")) else { return };
    let expected = COLUMNS.iter().map(|name| match *name {
        "metric_value" => json!([name, "INT64", "None", false]),
        _ => json!([name, "BYTE_ARRAY", "String", false]),
    });
    let expected = expected.collect::<Vec<_>>();
    assert_eq!(long["pyarrow"], json!(expected));
    for column in long["duckdb"].as_array().expect("columns") {
        assert_eq!(column[2], "REQUIRED", "{column}");
    }
    let rows: Vec<Row> = long["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            let cells = row.as_object().expect("a row").iter();
            cells.map(|(name, cell)| (name.clone(), cell.as_str().map_or(cell.to_string(), str::to_owned))).collect()
        })
        .collect();
    for row in &rows {
        assert!(row.values().all(|cell| cell != "null"), "{row:?}");
        assert_eq!((row["version_number"].as_str(), row["configuration_id"].as_str()), ("V_1", "bucketlens-parquet"));
        assert_eq!((row["storage_class"].as_str(), row["record_value"].as_str()), ("", ""));
    }
    let from_csv = csv(&ran);
    assert!(from_csv.iter().all(|row| row["configuration_id"] == "bucketlens-csv" && row["version_number"] == "V_1"));
    assert_eq!(facts(&rows), facts(&from_csv));
}

#[test]
fn rows_say_what_the_other_reports_say_and_nothing_of_what_is_unknown() {
    let ran = demo();
    let facts = facts(&csv(&ran));
    let mut expected = Facts::new();
    for row in ran.rows("out/buckets.csv") {
        let mut say = |metric: &str, value: String| {
            let key = [row["account_id"].clone(), row["region"].clone(), row["bucket"].clone(), metric.to_owned()];
            expected.insert(key, value);
        };
        let known = |column: &str| !["unknown", "not_applicable"].contains(&row[column].as_str());
        let yes = |column: &str| u8::from(row[column] == "enabled").to_string();
        if known("versioning") {
            say("VersioningEnabledBucketCount", yes("versioning"));
        }
        if known("mfa_delete") {
            say("MFADeleteEnabledBucketCount", yes("mfa_delete"));
        }
        if known("lifecycle") {
            say("TotalLifecycleRuleCount", row["lifecycle_rules"].clone());
        }
    }
    let told: BTreeSet<&str> = expected.keys().map(|key| key[3].as_str()).collect();
    assert_eq!(told.len(), 3);
    let of_buckets: Facts = facts
        .iter()
        .filter(|(key, _)| !key[2].is_empty() && told.contains(key[3].as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    assert_eq!(of_buckets, expected);

    // Account rows are what metrics.csv says of account and Region, where anything of it is known.
    let mut sums = 0;
    for row in ran.rows("out/metrics.csv") {
        let Some(metric) = Metric::find(&row["metric"]).filter(|_| row["scope"] == "account_region") else { continue };
        let key = [row["scope_id"].clone(), row["region"].clone(), String::new(), metric.name().to_owned()];
        let known = facts
            .keys()
            .any(|other| !other[2].is_empty() && (&other[0], &other[1], &other[3]) == (&key[0], &key[1], &key[3]));
        assert_eq!(facts.get(&key), known.then_some(&row["value"]), "{key:?}");
        sums += u64::from(known);
    }
    assert_eq!(facts.keys().filter(|key| key[2].is_empty()).count() as u64, sums);
}

#[test]
fn coverage_names_every_gap() {
    let ran = demo();
    for config in ["bucketlens-csv", "bucketlens-parquet"] {
        let coverage = json(&only(&ran.path("out/StorageLens"), &format!("{config}/V_1/manifests/{}", date(&ran))));
        let gaps: BTreeMap<&str, &Value> = coverage["buckets"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|gap| (gap["bucket"].as_str().expect("a name"), gap))
            .collect();
        let unknown: BTreeSet<String> = ran
            .rows("out/buckets.csv")
            .into_iter()
            .filter(|row| !row["unknown_reasons"].is_empty() && row["unknown_reasons"] != "vanished")
            .map(|row| row["bucket"].clone())
            .collect();
        assert_eq!(gaps.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), unknown);
        let vault = gaps["payments-card-vault"];
        assert_eq!(vault["unknown"], json!(["VersioningEnabledBucketCount", "MFADeleteEnabledBucketCount"]));
        let reason = vault["reasons"][0].as_str().expect("a reason");
        assert!(reason.starts_with("GetBucketVersioning denied (AccessDenied, HTTP 403"), "{reason}");
        assert_eq!(coverage["run"]["vanished_buckets"], 1);
        let accounts: Vec<&Value> = coverage["accounts"].as_array().expect("a list").iter().collect();
        assert_eq!(
            accounts.iter().map(|account| &account["outcome"]).collect::<Vec<_>>(),
            ["failed", "failed", "skipped"]
        );
        assert!(accounts.iter().all(|account| account["buckets"].is_null()), "{accounts:?}");
        let metric = |name: &str| {
            let metrics = coverage["metrics"].as_array().expect("a list");
            metrics.iter().find(|metric| metric["metric"] == name).expect(name).clone()
        };
        let mfa_delete = metric("MFADeleteEnabledBucketCount");
        assert_eq!((&mfa_delete["known_buckets"], &mfa_delete["unknown_buckets"]), (&json!(36), &json!(1)));
        assert_eq!(metric("SSEKMSEnabledBucketCount")["not_asked_buckets"], 37);
    }
}

fn date(ran: &Ran) -> String {
    let start = ran.json("out/report.json")["run"]["start"].as_str().expect("a time").to_owned();
    format!("dt={}/coverage.json", &start[..10])
}

#[test]
fn the_table_has_the_same_gaps_beside_it() {
    let ran = demo();
    let of_export = json(&only(&ran.path("out/StorageLens"), &format!("bucketlens-csv/V_1/manifests/{}", date(&ran))));
    let mut of_table = ran.json("out/coverage.json");
    assert_eq!(of_table["run"]["config_id"], "bucketlens-tables");
    of_table["run"]["config_id"] = json!("bucketlens-csv");
    assert_eq!(of_table, of_export);
}

#[test]
fn the_wide_table_is_null_where_nothing_is_known() {
    let ran = demo();
    let Some(wide) = described(&ran.path("out/bucket_property_metrics.parquet")) else { return };
    let columns: Vec<(String, String, bool)> = wide["pyarrow"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|it| (it[0].as_str().expect("a name").to_owned(), it[1].to_string() + &it[2].to_string(), it[3] == true))
        .collect();
    let names: Vec<&str> = columns.iter().map(|(name, ..)| name.as_str()).collect();
    let identity = [
        "version_number",
        "configuration_id",
        "report_time",
        "aws_account_id",
        "record_type",
        "record_value",
        "aws_region",
        "storage_class",
        "bucket_name",
    ];
    let metrics: Vec<&str> = Metric::ALL.into_iter().filter_map(Metric::column).collect();
    assert_eq!(names, [identity.as_slice(), &metrics].concat());
    for (name, kind, nullable) in &columns {
        assert_eq!(*nullable, metrics.contains(&name.as_str()), "{name}");
        if name == "report_time" {
            assert!(kind.contains("isAdjustedToUTC=true, timeUnit=microseconds"), "{kind}");
        } else if metrics.contains(&name.as_str()) {
            assert!(kind.starts_with("\"INT64\""), "{name} is {kind}");
        }
    }
    let rows = wide["rows"].as_array().expect("rows");
    let bucket = |name: &str| rows.iter().find(|row| row["bucket_name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let vault = bucket("payments-card-vault");
    assert!(vault["mfa_delete_enabled_bucket_count"].is_null() && vault["versioning_enabled_bucket_count"].is_null());
    assert!(vault["transition_lifecycle_rule_count"].is_u64(), "{vault}");
    let index = bucket("shop-search-index");
    assert!(index["mfa_delete_enabled_bucket_count"].is_u64() && index["expiration_lifecycle_rule_count"].is_null());
    assert!(rows.iter().all(|row| row["sse_kms_enabled_bucket_count"].is_null()), "nobody asked for encryption");
    // A row a bucket that is there; the demo has 37 and one that vanished.
    assert_eq!(rows.iter().filter(|row| row["record_type"] == "BUCKET").count(), 37);
    let long = facts(&csv(&ran));
    for row in rows {
        let text = |name: &str| row[name].as_str().expect(name).to_owned();
        for metric in Metric::ALL {
            let Some(column) = metric.column() else { continue };
            let key = [text("aws_account_id"), text("aws_region"), text("bucket_name"), metric.name().to_owned()];
            assert_eq!(row[column].as_u64().map(|value| value.to_string()), long.get(&key).cloned(), "{key:?}");
        }
    }
}

#[test]
fn the_same_run_gives_the_same_bytes_and_an_older_export_goes() {
    let simulator = Sim::json(include_str!("../../../fixtures/orgs/minimal.json"));
    let space = tempfile::tempdir().expect("a folder");
    let out = text(space.path()).to_owned();
    let scan = |arguments: &[&str]| {
        let common = ["scan", "--fail-on", "none", "--quiet"];
        Cli::new(common.into_iter().chain(arguments.iter().copied()))
            .at(&simulator.endpoint, super::OWNER)
            .run()
            .expect(0)
    };
    scan(&["--out", &out, "--format", FORMATS]);
    let exported = |name: &String| name.starts_with("StorageLens/") || name.ends_with(".parquet");
    let read = || -> BTreeMap<String, Vec<u8>> {
        let names = files(space.path()).into_iter().filter(exported);
        names.map(|name| (name.clone(), std::fs::read(space.path().join(&name)).expect("readable"))).collect()
    };
    let first = read();
    assert_eq!(first.len(), 7);
    scan(&["--max-age", "7d", "--resume", &out, "--format", FORMATS]);
    assert!(first == read(), "made again from the same run");
    scan(&["--max-age", "7d", "--resume", &out, "--format", "storage-lens-parquet"]);
    assert_eq!(read().len(), 3);
    scan(&["--max-age", "7d", "--resume", &out, "--format", "storage-lens-tables"]);
    assert_eq!(read().keys().collect::<Vec<_>>(), ["bucket_property_metrics.parquet"]);
    let coverage = json(&space.path().join("coverage.json"));
    assert_eq!((&coverage["buckets"], &coverage["accounts"]), (&json!([]), &json!([])));
    assert!(std::fs::read_to_string(space.path().join("SHA256SUMS")).expect("sums").contains("  coverage.json\n"));
    scan(&["--max-age", "7d", "--resume", &out, "--format", "json"]);
    assert!(!space.path().join("coverage.json").exists());
    assert!(!space.path().join("StorageLens").exists(), "{:?}", files(space.path()));
    let taken = space.path().join("StorageLens");
    std::fs::write(&taken, "mine").expect("writable");
    let common = ["scan", "--max-age", "7d", "--resume", &out, "--format", "storage-lens-csv"];
    let refused = Cli::new(common).at(&simulator.endpoint, super::OWNER).run().expect(2);
    assert!(refused.stderr.contains("StorageLens"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(taken).expect("still there"), "mine");
}

#[test]
fn a_known_zero_has_its_row() {
    let ran = minimal();
    let facts = facts(&csv(&ran));
    let value = |bucket: &str, metric: &str| {
        let found = facts.iter().find(|(key, _)| key[2] == bucket && key[3] == metric);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(value("only-never", "MFADeleteEnabledBucketCount"), Some("0"));
    assert_eq!(value("only-never", "TotalLifecycleRuleCount"), Some("0"));
    assert_eq!(value("only-lifecycle", "NoncurrentVersionExpirationLifecycleRuleCount"), Some("1"));
    assert_eq!(value("only-never", "SSEKMSEnabledBucketCount"), None, "nobody asked");
}
