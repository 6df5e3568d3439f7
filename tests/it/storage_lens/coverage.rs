//! `coverage.json` beside an export of ours: what it says is missing is told by who reads the export.

use std::fs;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{MANAGEMENT, demo, json, lens, minimal, only, text};
use crate::common::Ran;
use crate::saved::Runs;
use crate::scan::{good, management, organization, with};

fn export(ran: &Ran, format: &str) -> PathBuf {
    ran.path("out/StorageLens").join(MANAGEMENT).join(format!("bucketlens-{format}"))
}

fn read(path: &Path, code: i32, more: &[&str]) -> Value {
    let said = lens("read", path, &[&["--format", "json"], more].concat()).expect(code).stdout;
    serde_json::from_str(&said).expect("JSON")
}

fn sentences(said: &Value, kind: &str) -> Vec<String> {
    let sentences = said["export"][kind].as_array().expect("a list").iter();
    sentences.map(|sentence| sentence.as_str().expect("a sentence").to_owned()).collect()
}

#[test]
fn what_our_export_does_not_have_is_told_with_the_reason() {
    let ran = demo();
    for format in ["csv", "parquet"] {
        let said = read(&export(&ran, format), 3, &[]);
        let missing = sentences(&said, "missing");
        let [first, second, bucket, skipped] = missing.as_slice() else { panic!("{missing:#?}") };
        assert!(first.starts_with("account 330592184467 (Security Tooling): failed: "), "{first}");
        assert!(second.starts_with("account 734018265590 (Developer Sandbox): failed: "), "{second}");
        assert!(skipped.starts_with("account 853367192048 (Legacy Intranet): skipped: "), "{skipped}");
        // Only what matters for MFA delete.
        assert!(bucket.starts_with("bucket payments-card-vault in account 512886340971, eu-central-1: "), "{bucket}");
        assert!(bucket.contains(": MFADeleteEnabledBucketCount unknown: GetBucketVersioning denied"), "{bucket}");
        assert_eq!((&said["export"]["partial"], &said["mfa_delete_unknown"]), (&json!(true), &json!(1)));
        let page = lens("read", &export(&ran, format), &[]).expect(3).stdout;
        for sentence in &missing {
            assert!(page.contains(&format!("\n {sentence}\n")), "{sentence}: {page}");
        }
        let rows = lens("read", &export(&ran, format), &["--format", "csv"]).expect(3);
        assert!(rows.stderr.contains(&format!("note: {first}\n")), "{}", rows.stderr);
    }
    // One of which nothing is missing.
    let own = minimal();
    let said = read(&own.path("out/StorageLens").join(super::OWNER).join("bucketlens-csv"), 0, &[]);
    assert_eq!((sentences(&said, "missing").len(), &said["export"]["partial"]), (0, &json!(false)));
}

#[test]
fn an_export_of_ours_without_it_is_not_called_whole() {
    let ran = demo();
    let path = export(&ran, "csv");
    fs::remove_file(only(&path, "/coverage.json")).expect("there");
    let said = read(&path, 3, &[]);
    assert_eq!(
        sentences(&said, "missing"),
        ["there is no coverage.json beside the manifest: nobody knows what is missing"]
    );
}

#[test]
fn a_broken_one_is_named() {
    for (change, words) in [
        (
            (|it: &mut Value| it["schema_version"] = json!(2)) as fn(&mut Value),
            "it is of version 2, and only 1 is known",
        ),
        (|it| it["run"]["run_id"] = json!("x"), "it belongs to another export: its run_id is \"x\""),
        (|it| it["buckets"] = json!([]), "is unknown, and lists 0"),
        (|it| *it = json!([]), "it is no coverage of bucketlens: invalid type"),
    ] {
        let ran = demo();
        let path = export(&ran, "parquet");
        let file = only(&path, "/coverage.json");
        let mut coverage = json(&file);
        change(&mut coverage);
        fs::write(&file, coverage.to_string()).expect("writable");
        let refused = lens("read", &path, &[]).expect(2);
        assert!(refused.stderr.contains("is not whole: coverage.json: "), "{}", refused.stderr);
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        let said = read(&path, 3, &["--allow-partial"]);
        let problems = sentences(&said, "problems");
        assert!(problems.len() == 1 && problems[0].contains(words), "{problems:?}");
        // Nothing of it is taken.
        assert_eq!(sentences(&said, "missing").len(), 0);
    }
}

#[test]
fn rows_that_were_lost_are_seen_by_its_counts() {
    let ran = minimal();
    let path = ran.path("out/StorageLens").join(super::OWNER).join("bucketlens-csv");
    // All of its values are 0: the sums of its account are as they were.
    let report = only(&path, ".csv");
    let rows = fs::read_to_string(&report).expect("text");
    let left: String = rows.lines().filter(|row| !row.contains(",only-never,")).flat_map(|row| [row, "\n"]).collect();
    fs::write(&report, &left).expect("writable");
    let file = only(&path, "/manifest.json");
    let mut manifest = json(&file);
    let md5: Vec<String> = Md5::digest(&left).iter().map(|byte| format!("{byte:02x}")).collect();
    manifest["reportFiles"][0]["size"] = json!(left.len());
    manifest["reportFiles"][0]["md5Checksum"] = json!(md5.concat());
    fs::write(&file, manifest.to_string()).expect("writable");
    let said = read(&path, 3, &[]);
    assert_eq!(
        sentences(&said, "doubts"),
        ["coverage.json counts 3 BUCKET rows of MFADeleteEnabledBucketCount, and there are 2"]
    );
    // It is not new.
    let run = ran.path("out");
    let rows = lens("compare", &path, &["--with", text(&run), "--format", "csv"]).expect(3).stdout;
    assert!(rows.contains(",only-never,unknown,,,,") && rows.contains(",the export is not whole\n"), "{rows}");
}

/// What the export says that it could not read is not new to it.
#[test]
fn a_bucket_that_the_export_could_not_read_is_not_new() {
    let runs = Runs::new();
    let denied = json!({"deny": {"GetBucketVersioning": "no", "GetBucketLifecycleConfiguration": "no"}});
    let member = |members: &Value| with(json!({"id": "222222222222", "name": "Member", "ou": "r-test"}), members);
    let theirs = json!({"buckets": [good("theirs")]});
    for (name, blind, member) in [
        ("old", with(good("blind"), &denied), member(&with(theirs.clone(), &json!({"assumable": false})))),
        ("new", good("blind"), member(&theirs)),
    ] {
        let ours = management(&json!({"buckets": [blind, good("seen")]}));
        let sim = crate::common::Sim::json(&organization(&json!([ours, member])).to_string());
        let arguments = ["--organization", "--fail-on", "none", "--allow-unknown", "--format", "json,storage-lens-csv"];
        runs.scan(name, &sim, crate::scan::MANAGEMENT, &arguments).expect(0);
    }
    let (export, run) = (runs.path("old/StorageLens"), runs.path("new"));
    let rows = lens("compare", &export, &["--with", text(&run), "--format", "csv"]).expect(3).stdout;
    assert!(!rows.contains(",new,"), "{rows}");
    assert!(rows.contains(",blind,unknown,MFADeleteEnabledBucketCount,,1,"), "{rows}");
    assert!(rows.contains(",theirs,unknown,"), "{rows}");
    let why = "the export does not have the whole account: failed: ";
    assert!(rows.contains(why), "{rows}");
}
