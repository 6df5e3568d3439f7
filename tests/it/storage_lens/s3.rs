//! Exports in a bucket of a real server. The tests' `SeaweedFS` has no room for objects.

use std::path::Path;

use serde_json::Value;

use super::{dashboard, fixture, lens, text};
use crate::common::Cli;
use crate::servers::{Moto, Rgw, python};

fn upload(endpoint: &str, keys: [&str; 2], bucket: &str, folder: &Path) {
    let [access_key, secret_key] = keys;
    python("tests/servers/upload.py", &[endpoint, access_key, secret_key, bucket, text(folder)]).expect("installed");
}

fn read(endpoint: &str, keys: [&str; 2], path: &str, more: &[&str]) -> crate::common::Ran {
    let arguments = ["storage-lens", "read", path].into_iter().chain(more.iter().copied());
    Cli::new(arguments).keys(endpoint, keys[0], keys[1]).run()
}

/// What is read from the bucket is what is read from the folder.
fn check(endpoint: &str, keys: [&str; 2]) {
    let bucket = "lens-exports";
    upload(endpoint, keys, bucket, fixture().parent().expect("a folder"));
    for format in ["csv", "parquet"] {
        let local = lens("read", &dashboard(format), &["--format", "csv"]).expect(3).stdout;
        let config = format!("s3://{bucket}/daily/StorageLens/111122223333/dashboard-{format}");
        for path in
            [config.clone(), format!("{config}/V_1/manifests/dt=2026-03-18/manifest.json"), config.clone() + "/"]
        {
            let ran = read(endpoint, keys, &path, &["--format", "csv"]).expect(3);
            assert_eq!(ran.stdout, local, "{path}");
        }
    }
    // One of ours, with what it says is missing, and without that.
    let demo = super::demo();
    let top = demo.path("out/StorageLens");
    upload(endpoint, keys, "lens-ours", &top);
    let config = format!("s3://lens-ours/{}/bucketlens-csv", super::MANAGEMENT);
    let page = read(endpoint, keys, &config, &[]).expect(3).stdout;
    assert!(page.contains("\nMISSING: ") && page.contains("bucket payments-card-vault in account "), "{page}");
    std::fs::remove_file(super::only(&top.join(super::MANAGEMENT).join("bucketlens-csv"), "/coverage.json"))
        .expect("there");
    upload(endpoint, keys, "lens-alone", &top);
    let page = read(endpoint, keys, &config.replace("ours", "alone"), &[]).expect(3).stdout;
    assert!(
        page.contains("\n there is no coverage.json beside the manifest: nobody knows what is missing\n"),
        "{page}"
    );
    let several = read(endpoint, keys, &format!("s3://{bucket}/daily"), &[]).expect(2);
    assert!(
        several.stderr.contains("there are 2 exports in s3://lens-exports/daily/StorageLens: "),
        "{}",
        several.stderr
    );
    let nothing = read(endpoint, keys, &format!("s3://{bucket}"), &[]).expect(2);
    assert!(
        nothing.stderr.contains("there is no export of S3 Storage Lens in s3://lens-exports"),
        "{}",
        nothing.stderr
    );
    let nowhere = read(endpoint, keys, "s3://lens-nowhere/daily", &[]).expect(2);
    assert!(nowhere.stderr.contains("ListObjectsV2"), "{}", nowhere.stderr);
    let missing = format!("s3://{bucket}/daily/manifest.json");
    let missing = read(endpoint, keys, &missing, &[]).expect(2);
    assert!(
        missing.stderr.contains("failed to read the manifest") && missing.stderr.contains("not there"),
        "{}",
        missing.stderr
    );
}

#[test]
fn rgw_holds_an_export_and_a_part_that_is_another_is_seen() {
    let Some(rgw) = Rgw::start() else { return };
    let keys = ["AK111111111111", "SK111111111111"];
    check(&rgw.endpoint, keys);
    let space = tempfile::tempdir().expect("a folder");
    super::copy(&dashboard("csv"), &space.path().join("StorageLens/111122223333/dashboard-csv"));
    let part = super::only(space.path(), "dt=2026-03-18/a38f6bc4-2e3d-4355-ac8a-e2fdcf3de151.csv");
    let mut content = std::fs::read(&part).expect("there");
    content[10] ^= 1;
    std::fs::write(&part, content).expect("writable");
    upload(&rgw.endpoint, keys, "lens-damaged", space.path());
    let refused = read(&rgw.endpoint, keys, "s3://lens-damaged", &[]).expect(2);
    assert!(refused.stderr.contains("its MD5 is "), "{}", refused.stderr);
    let said = read(&rgw.endpoint, keys, "s3://lens-damaged", &["--allow-partial", "--format", "json"]).expect(3);
    let said: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(said["mfa_delete_enabled"], 1);
    // Another account may not read it.
    let other = read(&rgw.endpoint, ["AK222222222222", "SK222222222222"], "s3://lens-exports/daily", &[]).expect(2);
    assert!(other.stderr.contains("denied") || other.stderr.contains("NoSuchBucket"), "{}", other.stderr);
}

#[test]
fn moto_holds_an_export() {
    let Some(moto) = Moto::start() else { return };
    check(&moto.endpoint, ["access_key", "secret_key"].map(|name| moto.truth[name].as_str().expect("a key")));
}
