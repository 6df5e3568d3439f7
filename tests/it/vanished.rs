//! `NoSuchBucket` is no proof that a bucket vanished, and a Region that no server named is not known.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};
use crate::scan::{Answer, MANAGEMENT, Proxy, Request, buckets, coverage, good, scan};

const MISSING: &str = "<Error><Code>NoSuchBucket</Code><Message>not at this endpoint</Message></Error>";

fn missing() -> Answer {
    Answer::xml(404, MISSING)
}

/// A list of buckets and their Regions, which most servers do not name.
fn list_in(buckets: &[(&str, Option<&str>)], end: &str) -> Answer {
    let entry = |(name, region): &(&str, Option<&str>)| {
        let region = region.map(|region| format!("<BucketRegion>{region}</BucketRegion>")).unwrap_or_default();
        format!("<Bucket><Name>{name}</Name>{region}</Bucket>")
    };
    let entries: Vec<String> = buckets.iter().map(entry).collect();
    let body = format!("<ListAllMyBucketsResult><Buckets>{}</Buckets>{end}</ListAllMyBucketsResult>", entries.concat());
    Answer::xml(200, &body)
}

fn list(names: &[&str]) -> Answer {
    list_in(&names.iter().map(|name| (*name, None)).collect::<Vec<_>>(), "")
}

/// Two buckets, of which `away` is answered with `NoSuchBucket`; `lists` gives each list, by its number.
fn with_away(
    sim: &Sim,
    lists: impl Fn(usize) -> Option<Answer> + Send + Sync + 'static,
    away: impl Fn(&Request, usize) -> Option<Answer> + Send + Sync + 'static,
) -> Proxy {
    let listed = AtomicUsize::new(0);
    Proxy::before(sim, move |request, forward| {
        if request.operation() == "ListBuckets" {
            let number = listed.fetch_add(1, Ordering::Relaxed);
            return lists(number).unwrap_or_else(forward);
        }
        if request.bucket() != "away" {
            return forward();
        }
        away(request, listed.load(Ordering::Relaxed)).unwrap_or_else(forward)
    })
}

fn sim() -> Sim {
    buckets(&json!([good("here"), good("away")]))
}

fn scan_at(proxy: &Proxy, arguments: &[&str]) -> Ran {
    scan(arguments.iter().copied()).at(&proxy.endpoint, MANAGEMENT).run()
}

fn cells<const N: usize>(ran: &Ran, bucket: &str, columns: [&str; N]) -> [String; N] {
    let row = ran.bucket(bucket);
    columns.map(|column| row[column].clone())
}

/// The row of `away` says that nothing is known of it, its Region neither, in every output.
#[track_caller]
fn assert_unknown(ran: &Ran, says: &str) {
    let row = cells(ran, "away", ["region", "versioning", "mfa_delete", "lifecycle", "status"]);
    assert_eq!(row, ["unknown"; 5]);
    let [reasons] = cells(ran, "away", ["unknown_reasons"]);
    let first = "GetBucketVersioning rejected (NoSuchBucket, HTTP 404, request MADEUPREQUEST000)";
    assert_eq!(reasons, format!("{first};GetBucketLifecycleConfiguration rejected"));
    let figures = ["buckets", "buckets_complete", "buckets_unknown", "buckets_vanished"];
    assert_eq!(figures.map(|figure| coverage(ran, figure)), [2, 1, 1, 0]);
    let findings = ran.rows("out/findings.csv");
    let finding = findings.iter().find(|row| row["bucket"] == "away").expect("a finding");
    assert_eq!(finding["region"], "unknown");
    assert!(finding["evidence"].contains(says), "{}", finding["evidence"]);
    let report = ran.json("out/report.json");
    let of_away = |it: &&Value| it["bucket"] == "away";
    let findings = report["findings"].as_array().expect("a list").iter().filter(of_away);
    assert!(findings.clone().count() > 0 && findings.into_iter().all(|it| it["region"] == "unknown"));
    assert_eq!(ran.rows("out/accounts.csv")[0]["outcome"], "complete");
    let metrics = ran.rows("out/metrics.csv");
    let regions = metrics.iter().filter(|row| row["scope"] == "region" && row["metric"] == "BucketCount");
    let regions: Vec<(&str, &str)> = regions.map(|row| (row["scope_id"].as_str(), row["value"].as_str())).collect();
    assert_eq!(regions, [("unknown", "1"), ("us-east-1", "1")]);
}

const STILL_LISTED: &str = "a list of buckets that was read after that still has it";

#[test]
fn a_bucket_that_is_still_listed_is_unknown_and_so_is_its_region() {
    let sim = sim();
    for region in [None, Some("eu-west-1")] {
        let both = move |_| Some(list_in(&[("here", Some("us-east-1")), ("away", region)], ""));
        let proxy = with_away(&sim, both, |_, _| Some(missing()));
        let ran = scan_at(&proxy, &[]).expect(3);
        assert_unknown(&ran, STILL_LISTED);
        assert_eq!(proxy.count("ListBuckets"), 2, "one more list");
        assert!(!ran.stdout.contains("Nothing stayed unknown"), "{}", ran.stdout);
        // Where it is another day, it is asked again.
        let out = ran.path("out");
        let resumed = Cli::new(["scan", "--resume", out.to_str().expect("text"), "--fail-on", "none"]);
        resumed.at(&sim.endpoint, MANAGEMENT).run().expect(0);
        assert_eq!(cells(&ran, "away", ["region", "status"]), ["us-east-1", "pass"]);
    }
}

#[test]
fn a_list_that_cannot_be_read_again_proves_nothing() {
    let sim = sim();
    let truncated = list_in(&[("here", None)], "<IsTruncated>true</IsTruncated>");
    for (second, says) in [
        (Answer::xml(403, "<Error><Code>AccessDenied</Code></Error>"), "denied (AccessDenied, HTTP 403, request"),
        (truncated, "malformed (HTTP 200): the list is truncated (IsTruncated)"),
        (Answer::xml(200, "<ListAllMyBucketsResult/>"), "malformed (HTTP 200): the answer has no list"),
    ] {
        let (status, body) = (second.status, second.body);
        let lists = move |number| Some(if number == 0 { list(&["here", "away"]) } else { Answer::xml(status, &body) });
        let proxy = with_away(&sim, lists, |_, _| Some(missing()));
        let ran = scan_at(&proxy, &["--max-attempts", "1"]).expect(3);
        assert_unknown(&ran, &format!("could not be read again: ListBuckets {says}"));
    }
}

#[test]
fn a_bucket_that_is_not_listed_any_more_vanished() {
    let sim = sim();
    let lists = |number: usize| Some(if number == 0 { list(&["here", "away"]) } else { list(&["here"]) });
    // What is found only when the rest is asked for is no other case.
    for operation in ["GetBucketVersioning", "GetBucketLifecycleConfiguration"] {
        let proxy = with_away(&sim, lists, move |request, _| (request.operation() == operation).then(missing));
        let ran = scan_at(&proxy, &[]).expect(0);
        let [reasons, versioning] = cells(&ran, "away", ["unknown_reasons", "versioning"]);
        assert_eq!([reasons.as_str(), versioning.as_str()], ["vanished", "not_applicable"]);
        assert_eq!((coverage(&ran, "buckets_vanished"), proxy.count("ListBuckets")), (1, 2));
        assert_eq!(proxy.count("GetBucketVersioning"), 2, "it is not asked again");
    }
    // No server named the Region of one that is gone.
    let proxy = with_away(&sim, lists, |_, _| Some(missing()));
    let ran = scan_at(&proxy, &[]).expect(0);
    assert_eq!(cells(&ran, "away", ["region", "unknown_reasons"]), ["unknown", "vanished"]);
}

#[test]
fn a_bucket_that_was_made_anew_is_read() {
    let sim = sim();
    let both = |_| Some(list(&["here", "away"]));
    let proxy = with_away(&sim, both, |_, lists| (lists < 2).then(missing));
    let ran = scan_at(&proxy, &[]).expect(0);
    assert_eq!(cells(&ran, "away", ["region", "status", "unknown_reasons"]), ["us-east-1", "pass", ""]);
    assert_eq!(proxy.count("ListBuckets"), 2);
}

#[test]
fn no_second_list_is_read_where_no_bucket_is_missing() {
    let sim = sim();
    let proxy = with_away(&sim, |_| None, |_, _| None);
    scan_at(&proxy, &[]).expect(0);
    assert_eq!(proxy.count("ListBuckets"), 1);
}

/// Nobody names its Region, and nothing of it can be read.
#[test]
fn the_configured_region_is_no_answer() {
    let sim = sim();
    let both = |_| Some(list(&["here", "away"]));
    let denied = |request: &Request, _| match request.operation() {
        "HeadBucket" => Some(Answer::xml(404, "")),
        _ => Some(Answer::xml(403, "<Error><Code>AccessDenied</Code></Error>")),
    };
    let proxy = with_away(&sim, both, denied);
    let ran = scan_at(&proxy, &["--max-attempts", "1"]).expect(3);
    assert_eq!(cells(&ran, "away", ["region", "versioning"]), ["unknown"; 2]);
    assert_eq!(cells(&ran, "here", ["region", "versioning"]), ["us-east-1", "enabled"]);
}
