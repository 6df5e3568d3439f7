//! Exports of organization-level dashboards, which stand below the id of the organization.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bucket::Bucket;
use super::{OWNER, copy, dashboard, files, json, lens, text};

const ORGANIZATION: &str = "o-exampleorgid";

/// The export of a dashboard of an organization, whose manifests have this `sourceAccountId`.
fn export(format: &str, source: &str) -> (TempDir, PathBuf) {
    let space = tempfile::tempdir().expect("a folder");
    let config = space.path().join("daily/StorageLens").join(ORGANIZATION).join(format!("dashboard-{format}"));
    copy(&dashboard(format), &config);
    for name in files(&config).into_iter().filter(|name| name.ends_with("manifest.json")) {
        let mut manifest = json(&config.join(&name));
        manifest["sourceAccountId"] = json!(source);
        let text =
            manifest.to_string().replace(&format!("StorageLens/{OWNER}/"), &format!("StorageLens/{ORGANIZATION}/"));
        fs::write(config.join(name), text).expect("writable");
    }
    (space, config)
}

#[test]
fn both_ways_in_which_a_manifest_may_name_the_owner_are_read() {
    for format in ["csv", "parquet"] {
        let expected = lens("read", &dashboard(format), &["--format", "csv"]).expect(3).stdout;
        for (source, owner) in [
            (OWNER, format!("organization {ORGANIZATION}, account {OWNER}")),
            (ORGANIZATION, format!("organization {ORGANIZATION}")),
        ] {
            let (space, config) = export(format, source);
            let day = config.join("V_1/manifests/dt=2026-03-18");
            let top = space.path().join("daily");
            let owned = top.join("StorageLens").join(ORGANIZATION);
            for path in
                [&top, &top.join("StorageLens"), &owned, &config, &config.join("V_1"), &day, &day.join("manifest.json")]
            {
                let ran = lens("read", path, &["--format", "csv"]).expect(3);
                assert_eq!(ran.stdout, expected, "{}", path.display());
            }
            let page = lens("read", &config, &[]).expect(3).stdout;
            assert!(page.starts_with(&format!("S3 Storage Lens export dashboard-{format} of {owner}\n")), "{page}");
            let said: Value =
                serde_json::from_str(&lens("read", &config, &["--format", "json"]).expect(3).stdout).expect("JSON");
            assert_eq!(
                (&said["export"]["organization_id"], &said["export"]["source_account_id"]),
                (&json!(ORGANIZATION), &json!(source))
            );
            let bucket = Bucket::of(space.path(), &[]);
            for prefix in ["daily", "daily/StorageLens/", "daily/StorageLens/o-exampleorgid"] {
                let ran = bucket.read(prefix, &["--format", "csv"]).expect(3);
                assert_eq!(ran.stdout, expected, "{prefix}");
            }
        }
    }
}

#[test]
fn report_files_of_another_owner_do_not_belong_to_it() {
    for (source, other) in [(OWNER, "444455556666"), (ORGANIZATION, "o-another0org"), (OWNER, "o-short")] {
        let (_space, config) = export("csv", source);
        let path = config.join("V_1/manifests/dt=2026-03-18/manifest.json");
        let mut manifest = json(&path);
        let key = manifest["reportFiles"][1]["key"].as_str().expect("a key").replace(ORGANIZATION, other);
        manifest["reportFiles"][1]["key"] = json!(key);
        fs::write(&path, manifest.to_string()).expect("writable");
        let refused = lens("read", &path, &[]).expect(2);
        assert!(refused.stderr.contains("its name does not belong to the export: "), "{}", refused.stderr);
    }
    let (_space, config) = export("csv", "somebody");
    let refused = lens("read", &config, &[]).expect(2);
    assert!(refused.stderr.contains("sourceAccountId \"somebody\" of the manifest"), "{}", refused.stderr);
}

#[test]
fn record_types_that_are_not_known_are_counted_and_do_not_refuse_the_export() {
    let copy = super::import::Copy::of("csv");
    let expected = lens("read", copy.space.path(), &["--format", "csv"]).expect(3).stdout;
    copy.change_lines(|line| {
        let more = if line.contains(",BUCKET,,only-good,MFADelete") {
            // The account of such a row may be none.
            let organization =
                "V_1,dashboard-csv,2026-03-18,o-exampleorgid,,,ORGANIZATION,,,MFADeleteEnabledBucketCount,4\r\n";
            let next = "V_1,dashboard-csv,2026-03-18,,,,NEXT,,,MFADeleteEnabledBucketCount,\r\n";
            [organization, organization, next].concat()
        } else {
            String::new()
        };
        Some(more + line)
    });
    let path = copy.space.path();
    let ran = lens("read", path, &["--format", "csv"]).expect(3);
    assert_eq!(ran.stdout, expected);
    let says = "2 rows of the unknown record type \"ORGANIZATION\" not read";
    assert!(ran.stderr.contains(&format!("note: {says}\n")), "{}", ran.stderr);
    let page = lens("read", path, &[]).expect(3).stdout;
    assert!(page.contains(&format!("\nNOT READ: rows that do not affect the result\n 1 row of the unknown record type \"NEXT\" not read\n {says}\n")), "{page}");
    let said: Value = serde_json::from_str(&lens("read", path, &["--format", "json"]).expect(3).stdout).expect("JSON");
    assert_eq!(
        (&said["export"]["partial"], said["export"]["not_read"].as_array().map(Vec::len)),
        (&json!(false), Some(2))
    );
    let own = super::minimal();
    let compared = lens("compare", path, &["--with", text(&own.path("out"))]).expect(3).stdout;
    assert!(compared.contains(says), "{compared}");
}

#[test]
fn buckets_of_which_mfa_delete_is_unknown_are_told_in_every_format() {
    for format in ["csv", "parquet"] {
        let config = dashboard(format);
        let rows = lens("read", &config, &["--format", "csv"]).expect(3).stdout;
        let unknown: Vec<&str> = rows.lines().filter(|row| row.contains(",unknown,")).collect();
        assert_eq!(unknown, [format!("{OWNER},us-east-1,only-silent,unknown,dashboard-{format},2026-03-18,complete")]);
        assert_eq!(rows.lines().filter(|row| row.contains(",enabled,")).count(), 4);
        let said: Value =
            serde_json::from_str(&lens("read", &config, &["--format", "json"]).expect(3).stdout).expect("JSON");
        let silent = json!({"account_id": OWNER, "region": "us-east-1", "bucket": "only-silent"});
        assert_eq!((&said["mfa_delete_unknown"], &said["unknown_buckets"]), (&json!(1), &json!([silent])));
        assert_eq!(said["buckets"].as_array().map(Vec::len), Some(4));
    }
}
