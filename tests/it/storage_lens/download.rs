//! What a bucket, a folder or a manifest says of the files of an export is not believed beyond bounds.

use std::time::{Duration, Instant};

use serde_json::json;

use super::bucket::{Body, Bucket};
use super::import::Copy;
use super::{fixture, lens};

const CONFIG: &str = "daily/StorageLens/111122223333/dashboard-csv";
const PART: &str = "dt=2026-03-18/a38f6bc4-2e3d-4355-ac8a-e2fdcf3de151.csv";

fn bucket(bodies: &[(&'static str, Body)]) -> Bucket {
    Bucket::of(fixture().parent().expect("a folder"), bodies)
}

#[test]
fn an_export_in_a_bucket_is_read() {
    let local = lens("read", &super::dashboard("csv"), &["--format", "csv"]).expect(3).stdout;
    let bucket = bucket(&[]);
    for path in [CONFIG.to_owned(), format!("{CONFIG}/V_1/manifests/dt=2026-03-18/manifest.json")] {
        assert_eq!(bucket.read(&path, &["--format", "csv"]).expect(3).stdout, local, "{path}");
    }
}

#[test]
fn a_report_file_is_never_read_beyond_the_size_in_the_manifest() {
    for body in [Body::Endless, Body::Huge] {
        let bucket = bucket(&[(PART, body)]);
        let begun = Instant::now();
        let refused = bucket.read(CONFIG, &[]).expect(2);
        assert!(refused.stderr.contains("is not whole: report file "), "{}", refused.stderr);
        assert!(refused.stderr.contains("it is longer than the "), "{}", refused.stderr);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let partial = bucket.read(CONFIG, &["--allow-partial"]).expect(3);
        assert!(partial.stdout.contains("\nPARTIAL: "), "{}", partial.stdout);
        // The buffers of the sockets hold some more.
        assert!(bucket.sent() < 64 << 20, "{}", bucket.sent());
    }
}

#[test]
fn a_manifest_without_an_end_is_refused() {
    for body in [Body::Endless, Body::Huge] {
        let bucket = bucket(&[("manifest.json", body)]);
        let refused = bucket.read(CONFIG, &[]).expect(2);
        assert!(refused.stderr.contains("failed to read the manifest s3://"), "{}", refused.stderr);
        assert!(refused.stderr.contains("it is longer than 33554432 bytes"), "{}", refused.stderr);
    }
}

#[test]
fn a_download_that_stalls_is_retried_and_then_told() {
    for body in [Body::Drips, Body::Stops] {
        let bucket = bucket(&[(PART, body)]);
        let begun = Instant::now();
        let arguments = ["--stall-timeout", "1", "--max-attempts", "2"];
        let refused = bucket.read(CONFIG, &arguments).expect(2);
        assert!(refused.stderr.contains("the download stalled: "), "{}", refused.stderr);
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_manifest_that_lists_too_much_is_refused_before_the_first_report_file() {
    let copy = Copy::of("csv");
    copy.change_manifest(|manifest| manifest["reportFiles"][0]["size"] = json!(u64::MAX));
    copy.change_manifest(|manifest| manifest["reportFiles"][1]["size"] = json!(5));
    let bucket = Bucket::of(copy.space.path(), &[(".csv", Body::Endless)]);
    let refused = bucket.read("V_1", &[]).expect(2);
    let says = format!("is larger than 65536 MiB: its manifest lists {} bytes", u64::MAX);
    assert!(refused.stderr.contains(&says), "{}", refused.stderr);
    assert!(refused.stderr.contains("help: raise --max-download-mib"), "{}", refused.stderr);
    assert!(bucket.sent() < 10_000, "{}", bucket.sent());
    // A size that is allowed and not true: the export is not whole.
    copy.change_manifest(|manifest| manifest["reportFiles"][0]["size"] = json!(1 << 20));
    let refused = bucket.read("V_1", &["--max-download-mib", "4"]).expect(2);
    assert!(refused.stderr.contains("it is longer than the 5 bytes that the manifest says"), "{}", refused.stderr);
}

#[test]
fn a_coverage_without_an_end_is_refused() {
    let own = super::minimal();
    let bucket = Bucket::of(&own.path("out"), &[("coverage.json", Body::Endless)]);
    let path = format!("StorageLens/{}/bucketlens-csv", super::OWNER);
    let refused = bucket.read(&path, &["--max-download-mib", "1"]).expect(2);
    assert!(refused.stderr.contains("is larger than 1 MiB: s3://"), "{}", refused.stderr);
}
