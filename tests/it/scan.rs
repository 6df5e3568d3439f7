//! What `scan` asks of S3, and what becomes of every answer it can get.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bucketlens::simulator::{Options, Organization};
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Row, Sim};
use crate::contract::{FILES, normalised};
pub use crate::proxy::{Answer, Proxy, Request};

pub const MANAGEMENT: &str = "111111111111";

/// An organization of three units, one of them nested in another.
pub fn organization(accounts: &Value) -> Value {
    json!({
        "organization_id": "o-test000000", "management_account": MANAGEMENT, "root": "r-test",
        "ous": [
            {"id": "ou-test-upper000", "name": "Upper", "parent": "r-test"},
            {"id": "ou-test-nested00", "name": "Nested", "parent": "ou-test-upper000"},
            {"id": "ou-test-other000", "name": "Other", "parent": "r-test"},
        ],
        "accounts": accounts,
    })
}

/// The same with further members.
pub fn with(mut object: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().expect("members") {
        object[name] = value.clone();
    }
    object
}

/// The management account, with further members.
pub fn management(members: &Value) -> Value {
    with(json!({"id": MANAGEMENT, "name": "Management", "ou": "r-test", "assumable": false}), members)
}

/// A bucket that passes.
pub fn good(name: &str) -> Value {
    json!({"name": name, "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Enabled"})
}

/// A single account whose buckets are these.
pub fn buckets(buckets: &Value) -> Sim {
    account(&json!({"buckets": buckets}))
}

fn account(members: &Value) -> Sim {
    Sim::json(&organization(&json!([management(members)])).to_string())
}

pub fn many(count: usize) -> Value {
    (0..count).map(|number| good(&format!("bucket-{number:05}"))).collect()
}

/// A scan from the management account into `out`, of which findings do not decide the exit code.
pub fn scan<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Cli {
    Cli::new(["scan", "--out", "out", "--fail-on", "none"].into_iter().chain(arguments))
}

fn run(sim: &Sim) -> Ran {
    scan([]).at(&sim.endpoint, MANAGEMENT).run()
}

/// How often each of these was asked.
pub fn counts<const N: usize>(sim: &Sim, operations: [&str; N]) -> [u64; N] {
    operations.map(|operation| sim.count(operation))
}

pub fn coverage(ran: &Ran, figure: &str) -> u64 {
    let report = ran.json("out/report.json");
    report["coverage"][figure].as_u64().unwrap_or_else(|| panic!("no figure {figure}: {}", report["coverage"]))
}

/// The advisories of a bucket with MFA delete, or with versioning alone, that has no lifecycle configuration.
const NO_LIFECYCLE: &str = "lifecycle-missing;noncurrent-versions-kept-forever;incomplete-uploads-kept-forever";

/// All but the time.
const BUCKET_COLUMNS: [&str; 14] = [
    "account_id",
    "account_name",
    "ou_path",
    "region",
    "bucket",
    "versioning",
    "mfa_delete",
    "lifecycle",
    "lifecycle_rules",
    "status",
    "severity",
    "failed_rules",
    "advisories",
    "unknown_reasons",
];

/// The row must have exactly these cells, beside the time.
#[track_caller]
fn assert_row(mut row: Row, cells: [&str; 14]) {
    let names = BUCKET_COLUMNS.map(str::to_owned).into_iter();
    let expected: Row = names.zip(cells.map(str::to_owned)).collect();
    let at = row.remove("observed_at").expect("a column");
    assert_eq!(row.remove("accepted_controls").as_deref(), Some(""));
    assert_eq!(row, expected);
    assert!(at.len() == 20 && at.starts_with("20") && at.ends_with('Z'), "{at}");
}

#[test]
fn a_bucket_costs_exactly_two_requests() {
    let sim = Sim::json(include_str!("../../fixtures/orgs/minimal.json"));
    let ran = scan([]).at(&sim.endpoint, "111122223333").run().expect(0);
    let asked =
        counts(&sim, ["GetCallerIdentity", "ListBuckets", "GetBucketVersioning", "GetBucketLifecycleConfiguration"]);
    assert_eq!(asked, [1, 1, 3, 3]);
    assert_eq!(counts(&sim, ["HeadBucket", "GetBucketLocation", "AssumeRole", "NotImplemented"]), [0; 4]);
    assert_eq!((coverage(&ran, "requests"), coverage(&ran, "retries")), (8, 0));
    let cells = ["111122223333", "", "", "us-east-1", "only-good", "enabled", "enabled", "none", "0", "pass"];
    let judged = ["", "", NO_LIFECYCLE, ""];
    assert_row(ran.bucket("only-good"), [&cells[..], &judged].concat().try_into().expect("14 cells"));
    let lifecycle = ran.bucket("only-lifecycle");
    assert_eq!((lifecycle["lifecycle"].as_str(), lifecycle["lifecycle_rules"].as_str()), ("present", "1"));
    assert_eq!((lifecycle["mfa_delete"].as_str(), lifecycle["region"].as_str()), ("never", "eu-west-1"));
    assert_eq!(lifecycle["failed_rules"], "mfa-delete-enabled");
    let advisories = "lifecycle-deletes-noncurrent-versions;mfa-delete-blocked-by-lifecycle;\
        incomplete-uploads-kept-forever;delete-markers-kept-forever";
    assert_eq!(lifecycle["advisories"], advisories);
    let never = ran.bucket("only-never");
    assert_eq!((never["versioning"].as_str(), never["mfa_delete"].as_str()), ("never", "never"));
    assert_eq!(never["failed_rules"], "mfa-delete-enabled;versioning-enabled");
}

fn rule(status: &str) -> Value {
    json!([{"ID": "old", "Filter": {}, "Status": status, "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}])
}

#[test]
fn only_a_conflict_in_force_is_looked_at_again() {
    let sim = buckets(&json!([
        with(good("conflict"), &json!({"lifecycle": rule("Enabled")})),
        with(good("disabled-mfa"), &json!({"mfa_delete": "Disabled", "lifecycle": rule("Enabled")})),
        good("no-lifecycle"),
    ]));
    let ran = run(&sim).expect(0);
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [4, 3]);
    let row = ran.bucket("conflict");
    assert_eq!((row["status"].as_str(), row["severity"].as_str()), ("fail", "critical"));
    assert_eq!(row["failed_rules"], "lifecycle-bypasses-mfa-delete");
}

#[test]
fn the_second_look_decides_what_a_conflict_is() {
    let sim = buckets(&json!([with(good("settling"), &json!({"lifecycle": rule("Enabled")}))]));
    let looks = Mutex::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| {
        if request.operation() != "GetBucketVersioning" {
            return forward();
        }
        let mut looks = looks.lock().expect("no panic");
        *looks += 1;
        if *looks == 1 { forward() } else { forward().replace(">Enabled</MfaDelete>", ">Disabled</MfaDelete>") }
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!((proxy.count("GetBucketVersioning"), proxy.count("GetBucketLifecycleConfiguration")), (2, 1));
    let row = ran.bucket("settling");
    assert_eq!((row["mfa_delete"].as_str(), row["failed_rules"].as_str()), ("disabled", "mfa-delete-enabled"));
}

#[test]
fn denials_are_asked_once() {
    let reason = "with an explicit deny in a resource-based policy";
    let sim = buckets(&json!([with(
        good("denied"),
        &json!({"deny": {"GetBucketVersioning": reason, "GetBucketLifecycleConfiguration": ""}})
    ),]));
    let ran = run(&sim).expect(3);
    assert_eq!(counts(&sim, ["ListBuckets", "GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [1, 1, 1]);
    assert_eq!(coverage(&ran, "retries"), 0);
    let row = ran.bucket("denied");
    let words = ["versioning", "mfa_delete", "lifecycle", "status"].map(|column| row[column].as_str());
    assert_eq!(words, ["unknown"; 4]);
    assert_eq!((row["lifecycle_rules"].as_str(), row["severity"].as_str(), row["failed_rules"].as_str()), ("", "", ""));
    let reasons: Vec<&str> = row["unknown_reasons"].split(';').collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].starts_with("GetBucketVersioning denied (AccessDenied, HTTP 403, request "), "{}", reasons[0]);
    assert!(reasons[1].starts_with("GetBucketLifecycleConfiguration denied (AccessDenied, HTTP 403, request "));
    // No permission helps against a Deny; where the service names none, one may be missing.
    assert!(ran.stdout.contains("GetBucketVersioning denied by the bucket's policy (AccessDenied) "), "{}", ran.stdout);
    for needed in ["GetBucketLifecycleConfiguration denied (AccessDenied), needs ", " s3:GetLifecycleConfiguration\n"] {
        assert!(ran.stdout.contains(needed), "{}", ran.stdout);
    }
    assert_eq!(ran.stdout.matches("needs").count(), 1, "{}", ran.stdout);
}

#[test]
fn an_error_that_passes_is_asked_away_and_counted() {
    let sim = buckets(&json!([
        with(
            good("flaky"),
            &json!({"fail": {"GetBucketVersioning": {"status": 500, "code": "InternalError", "times": 2}}})
        ),
        good("steady"),
    ]));
    let ran = run(&sim).expect(0);
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [4, 2]);
    assert_eq!((coverage(&ran, "retries"), coverage(&ran, "requests")), (2, 8));
    let row = ran.bucket("flaky");
    assert_eq!(
        (row["versioning"].as_str(), row["mfa_delete"].as_str(), row["status"].as_str()),
        ("enabled", "enabled", "pass")
    );
}

#[test]
fn an_error_that_does_not_pass_is_asked_as_often_as_allowed() {
    let fail = json!({"fail": {"GetBucketVersioning": {"status": 503, "code": "ServiceUnavailable"}}});
    let sim = buckets(&json!([with(good("down"), &fail)]));
    let ran = scan(["--max-attempts", "3"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    // Three times, and in the last pass once less.
    assert_eq!(sim.count("GetBucketVersioning"), 5);
    assert_eq!((coverage(&ran, "retries"), coverage(&ran, "buckets_unknown")), (4, 1));
}

#[test]
fn a_wrong_region_is_followed_in_all_three_styles() {
    for (style, head_buckets) in [("301-permanent-redirect", 0), ("400-header-malformed", 0), ("illegal-location", 1)] {
        let elsewhere = json!({"region": "eu-central-1", "listed_region": "us-west-2", "redirect": style});
        let sim = buckets(&json!([with(good("moved"), &elsewhere)]));
        let ran = run(&sim).expect(0);
        // Asked in the wrong Region, then in the right one; the second operation goes there at once.
        let asked =
            counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration", "HeadBucket", "GetBucketLocation"]);
        assert_eq!(asked, [2, 1, head_buckets, 0], "{style}");
        let cells = [MANAGEMENT, "", "", "eu-central-1", "moved", "enabled", "enabled", "none", "0", "pass"];
        let judged = ["", "", NO_LIFECYCLE, ""];
        assert_row(ran.bucket("moved"), [&cells[..], &judged].concat().try_into().expect("14 cells"));
        assert_eq!(coverage(&ran, "retries"), 0, "following is no retry");
        let metrics = ran.rows("out/metrics.csv");
        let regions: BTreeSet<&str> =
            metrics.iter().filter(|row| row["scope"] == "region").map(|row| row["scope_id"].as_str()).collect();
        assert_eq!(regions, BTreeSet::from(["eu-central-1"]), "{style}");
    }
}

#[test]
fn a_redirect_that_leads_nowhere_is_unknown() {
    let nowhere = json!({"status": 400, "code": "PermanentRedirect"});
    let fail = json!({"fail": {"GetBucketVersioning": nowhere, "GetBucketLifecycleConfiguration": nowhere}});
    let sim = buckets(&json!([with(good("nowhere"), &fail)]));
    let ran = run(&sim).expect(3);
    // Once, and once in the last pass.
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [2, 2]);
    let row = ran.bucket("nowhere");
    assert_eq!((row["region"].as_str(), row["status"].as_str()), ("us-east-1", "unknown"));
    assert!(
        row["unknown_reasons"].starts_with("GetBucketVersioning wrong_region (PermanentRedirect, HTTP 400, request ")
    );
}

#[test]
fn redirects_in_a_circle_are_followed_once() {
    let sim = buckets(&json!([good("circle")]));
    let proxy = Proxy::before(&sim, |request, forward| {
        if request.bucket() != "circle" {
            return forward();
        }
        let here = request.header("authorization").expect("signed").contains("/us-east-1/");
        let there = if here { "eu-west-1" } else { "us-east-1" };
        let body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
        Answer::xml(301, body).header("x-amz-bucket-region", there)
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    // And once more in the last pass.
    assert_eq!((proxy.count("GetBucketVersioning"), proxy.count("GetBucketLifecycleConfiguration")), (4, 2));
    let row = ran.bucket("circle");
    let reasons = "GetBucketVersioning wrong_region (PermanentRedirect, HTTP 301, request MADEUPREQUEST000);\
                   GetBucketLifecycleConfiguration wrong_region (PermanentRedirect, HTTP 301, request MADEUPREQUEST000)";
    assert_eq!(row["unknown_reasons"], reasons);
}

#[test]
fn a_list_that_breaks_on_a_later_page_keeps_what_was_listed() {
    let sim = account(&json!({"buckets": many(5), "list_breaks_after": 3}));
    let ran = scan(["--max-attempts", "2"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(counts(&sim, ["ListBuckets", "GetBucketVersioning"]), [4, 3]);
    let rows = ran.rows("out/buckets.csv");
    let names: Vec<&str> = rows.iter().map(|row| row["bucket"].as_str()).collect();
    assert_eq!(names, ["bucket-00000", "bucket-00001", "bucket-00002"]);
    assert!(rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
    let accounts = ran.rows("out/accounts.csv");
    assert_eq!((accounts[0]["outcome"].as_str(), accounts[0]["buckets"].as_str()), ("incomplete", "3"));
    let reason = "the list of buckets broke off: ListBuckets unavailable (InternalError, HTTP 500, request ";
    assert!(accounts[0]["reason"].starts_with(reason), "{}", accounts[0]["reason"]);
    assert_eq!((coverage(&ran, "accounts_incomplete"), coverage(&ran, "accounts_complete")), (1, 0));
    let allowed = scan(["--max-attempts", "1", "--allow-unknown"]).at(&sim.endpoint, MANAGEMENT);
    allowed.run().expect(0);
}

#[test]
fn a_later_page_that_is_cut_ends_the_list_as_a_broken_one_does() {
    let sim = buckets(&many(1100));
    let proxy = Proxy::before(&sim, |request, forward| {
        let later = request.operation() == "ListBuckets" && request.says("continuation-token");
        if later { forward().replace("</Buckets></ListAllMyBucketsResult>", "") } else { forward() }
    });
    let ran = scan(["--max-attempts", "2"]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    let accounts = ran.rows("out/accounts.csv");
    assert_eq!((accounts[0]["outcome"].as_str(), accounts[0]["buckets"].as_str()), ("incomplete", "1000"));
    assert!(accounts[0]["reason"].contains("ListBuckets malformed (HTTP 200, request "), "{}", accounts[0]["reason"]);
    assert_eq!(proxy.count("ListBuckets"), 4);
}

#[test]
fn an_account_whose_list_is_denied_failed() {
    let sim = account(&json!({"buckets": many(2), "deny": ["ListBuckets"]}));
    let ran = run(&sim).expect(3);
    assert_eq!(counts(&sim, ["ListBuckets", "GetBucketVersioning"]), [1, 0]);
    assert_eq!(ran.rows("out/buckets.csv"), []);
    let accounts = ran.rows("out/accounts.csv");
    assert_eq!(
        (accounts[0]["outcome"].as_str(), accounts[0]["buckets"].as_str()),
        ("failed", ""),
        "not 0: nobody knows"
    );
    let reason = &accounts[0]["reason"];
    assert!(reason.starts_with("ListBuckets denied (AccessDenied, HTTP 403, request "), "{reason}");
    assert!(reason.ends_with("because no identity-based policy allows the s3:ListAllMyBuckets action"), "{reason}");
    assert_eq!((coverage(&ran, "accounts_failed"), coverage(&ran, "buckets")), (1, 0));
    assert_eq!(ran.json("out/report.json")["accounts"][0]["buckets"], Value::Null);
}

#[test]
fn a_bucket_that_vanished_is_in_no_denominator_and_makes_no_run_incomplete() {
    let sim = buckets(&json!([good("stays"), with(good("vanished"), &json!({"vanished": true}))]));
    let ran = run(&sim).expect(0);
    let cells = [MANAGEMENT, "", "", "us-east-1", "vanished"];
    let words = ["not_applicable", "not_applicable", "not_applicable", "", "not_applicable", "", "", "", "vanished"];
    assert_row(ran.bucket("vanished"), [&cells[..], &words[..]].concat().try_into().expect("14 cells"));
    assert!(ran.rows("out/findings.csv").iter().all(|row| row["bucket"] == "stays"));
    let figures = ["buckets", "buckets_complete", "buckets_unknown", "buckets_vanished"];
    assert_eq!(figures.map(|figure| coverage(&ran, figure)), [2, 1, 0, 1]);
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [2, 1]);
    let metrics = ran.rows("out/metrics.csv");
    let metric = |name: &str| {
        let row = metrics.iter().find(|row| row["scope"] == "organization" && row["metric"] == name);
        row.map_or_else(|| panic!("no metric {name}"), |row| row["value"].as_str())
    };
    assert_eq!((metric("BucketCount"), metric("VanishedBucketCount")), ("1", "1"));
    assert_eq!((metric("UnknownBucketCount"), metric("NotApplicableBucketCount")), ("0", "0"));
    assert_eq!((metric("MFADeleteEnabledBucketPercent"), metric("PassBucketCount")), ("100.00", "1"));
    let accounts = ran.rows("out/accounts.csv");
    assert_eq!((accounts[0]["outcome"].as_str(), accounts[0]["buckets"].as_str()), ("complete", "2"));
}

#[test]
fn a_bucket_that_vanishes_between_the_two_requests_vanished_too() {
    let sim = buckets(&json!([good("going")]));
    let lists = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "ListBuckets" if lists.fetch_add(1, Ordering::Relaxed) > 0 => {
            forward().replace("<Name>going</Name>", "<Name>another</Name>")
        }
        "GetBucketLifecycleConfiguration" => {
            Answer::xml(404, "<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>")
        }
        _ => forward(),
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    let row = ran.bucket("going");
    assert_eq!((row["versioning"].as_str(), row["unknown_reasons"].as_str()), ("not_applicable", "vanished"));
}

/// Error codes, as S3 sends them, and the class each must get.
const FAILURES: [(u16, &str, &str); 9] = [
    (403, "AccessDenied", "denied"),
    (403, "AllAccessDisabled", "denied"),
    (400, "ExpiredToken", "credentials"),
    (403, "RequestTimeTooSkewed", "credentials"),
    (503, "SlowDown", "throttled"),
    (500, "InternalError", "unavailable"),
    (405, "MethodNotAllowed", "unsupported"),
    (501, "NotImplemented", "unsupported"),
    (400, "InvalidArgument", "rejected"),
];

#[test]
fn every_unknown_says_class_code_status_and_request() {
    let name = |code: &str| code.to_lowercase();
    let failing = |&(status, code, _): &(u16, &str, &str)| {
        let failure = json!({"status": status, "code": code});
        with(
            good(&name(code)),
            &json!({"fail": {"GetBucketLifecycleConfiguration": failure, "GetBucketVersioning": failure}}),
        )
    };
    let sim = buckets(&FAILURES.iter().map(failing).collect());
    let ran = scan(["--max-attempts", "1"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    let (csv, report) = (ran.rows("out/findings.csv"), ran.json("out/report.json"));
    for (status, code, class) in FAILURES {
        let begin = |operation: &str| format!("{operation} {class} ({code}, HTTP {status}, request ");
        let findings: Vec<&Row> = csv.iter().filter(|row| row["bucket"] == name(code)).collect();
        let rules: Vec<&str> = findings.iter().map(|row| row["rule"].as_str()).collect();
        let versioning = ["mfa-delete-enabled", "versioning-enabled", "mfa-delete-versioning-suspended"];
        let lifecycle = ["lifecycle-prefix-taken-literally", "lifecycle-missing", "incomplete-uploads-kept-forever"];
        assert_eq!(rules.iter().filter(|rule| versioning.contains(rule)).count(), 3, "{code}");
        assert_eq!(rules.iter().filter(|rule| lifecycle.contains(rule)).count(), 3, "{code}");
        assert_eq!(rules.len(), 19, "every rule: {rules:?}");
        assert!(findings.iter().all(|row| row["status"] == "unknown"), "{code}");
        for row in &findings {
            let evidence = &row["evidence"];
            let rule = row["rule"].as_str();
            let (first, second) = (begin("GetBucketVersioning"), begin("GetBucketLifecycleConfiguration"));
            assert_eq!(evidence.starts_with(&first), !lifecycle.contains(&rule), "{rule}: {evidence}");
            assert_eq!(evidence.starts_with(&second), lifecycle.contains(&rule), "{rule}: {evidence}");
            let gives_all = evidence.contains(&format!("; {second}"));
            let needs_all = ![&versioning[..], &lifecycle].concat().contains(&rule);
            assert_eq!(gives_all, needs_all, "every reason, and no other: {rule}: {evidence}");
            for rest in evidence.split(", request ").skip(1) {
                let (id, _) = rest.split_once(')').expect("closed");
                assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{evidence}");
            }
        }
        let in_json = report["findings"].as_array().expect("findings").iter().filter(|it| it["bucket"] == name(code));
        let in_json: Vec<&str> = in_json.map(|it| it["evidence"].as_str().expect("text")).collect();
        assert_eq!(in_json, findings.iter().map(|row| row["evidence"].as_str()).collect::<Vec<_>>());
        let row = ran.bucket(&name(code));
        assert!(row["unknown_reasons"].starts_with(&begin("GetBucketVersioning")), "{row:?}");
        assert!(row["unknown_reasons"].contains(&format!(";{}", begin("GetBucketLifecycleConfiguration"))), "{row:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_believed_is_unknown_and_asked_again() {
    let sim = buckets(&json!([good("cut"), good("other-document"), good("undocumented")]));
    let proxy = Proxy::before(&sim, |request, forward| match (request.operation(), request.bucket()) {
        ("GetBucketVersioning", "cut") => {
            forward().replace("<MfaDelete>Enabled</MfaDelete></VersioningConfiguration>", "")
        }
        ("GetBucketVersioning", "other-document") => {
            forward().replace("VersioningConfiguration", "GetBucketVersioningResponse")
        }
        ("GetBucketVersioning", "undocumented") => forward().replace(">Enabled</MfaDelete>", ">Perhaps</MfaDelete>"),
        _ => forward(),
    });
    let ran = scan(["--max-attempts", "2"]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    for (bucket, asked) in [("cut", 3), ("other-document", 2), ("undocumented", 2)] {
        let row = ran.bucket(bucket);
        assert_eq!(
            (row["versioning"].as_str(), row["mfa_delete"].as_str(), row["lifecycle"].as_str()),
            ("unknown", "unknown", "none")
        );
        let reasons = &row["unknown_reasons"];
        assert!(reasons.starts_with("GetBucketVersioning malformed (HTTP 200"), "{reasons}");
        let seen = proxy.seen();
        let times = seen.iter().filter(|it| it.bucket() == bucket && it.operation() == "GetBucketVersioning").count();
        assert_eq!(times, asked, "{bucket}");
    }
}

#[test]
fn the_owner_is_named_in_every_request_about_a_bucket() {
    let member = json!({"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("theirs")]});
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("ours")]})), member])).to_string());
    let proxy = Proxy::before(&sim, |_, forward| forward());
    scan(["--organization"]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    let seen = proxy.seen();
    let owner = |bucket: &str, operation: &str| {
        let request = seen.iter().find(|it| it.bucket() == bucket && it.operation() == operation).expect("asked");
        request.header("x-amz-expected-bucket-owner")
    };
    for operation in ["GetBucketVersioning", "GetBucketLifecycleConfiguration"] {
        assert_eq!(owner("ours", operation), Some(MANAGEMENT));
        assert_eq!(owner("theirs", operation), Some("222222222222"), "the account's, not the caller's");
    }
}

#[test]
fn a_bucket_that_belongs_to_another_by_now_is_unknown() {
    let other = json!({"id": "222222222222", "name": "Other", "ou": "r-test", "buckets": [good("taken-over")]});
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("mine")]})), other])).to_string());
    // The list is stale: meanwhile somebody else made a bucket of that name.
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListBuckets" => forward().replace("<Name>mine</Name>", "<Name>taken-over</Name>"),
        _ => forward(),
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    let row = ran.bucket("taken-over");
    assert_eq!((row["status"].as_str(), row["mfa_delete"].as_str()), ("unknown", "unknown"));
    assert!(row["unknown_reasons"].contains("denied (AccessDenied, HTTP 403"), "{row:?}");
}

/// Every file of the report and the page, without what differs from run to run.
fn report_of(ran: &Ran) -> Vec<String> {
    let files = FILES.iter().filter(|file| **file != "SHA256SUMS").map(|file| ran.read(&format!("out/{file}")));
    files.chain([ran.stdout.clone()]).map(|text| normalised(&text)).collect()
}

#[test]
fn concurrency_changes_no_byte() {
    let scans = ["1", "64", "4096"].map(|concurrency| {
        let sim = Sim::start(Organization::demo());
        let arguments = ["--organization", "--concurrency", concurrency];
        report_of(&scan(arguments).at(&sim.endpoint, "104217683095").run().expect(3))
    });
    let generated = ["1", "64", "4096"].map(|concurrency| {
        let sim = Sim::start(Organization::generate(9, 300));
        let arguments = ["--organization", "--concurrency", concurrency];
        report_of(&scan(arguments).at(&sim.endpoint, "100000000000").run().expect(3))
    });
    for [one, default, most] in [scans, generated] {
        assert!(one[1].lines().count() > 30, "{}", one[1]);
        for ((one, default), most) in one.iter().zip(&default).zip(&most) {
            same_lines(one, default);
            same_lines(one, most);
        }
    }
}

/// Shows the first line that differs: the whole of two reports would help nobody.
#[track_caller]
pub fn same_lines(expected: &str, found: &str) {
    let differs = expected.lines().zip(found.lines()).enumerate().find(|(_, (expected, found))| expected != found);
    if let Some((number, (expected, found))) = differs {
        panic!("line {} differs:\n expected {expected}\n found    {found}", number + 1);
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "number of lines");
    assert_eq!(expected, found);
}

#[test]
fn a_large_account_is_listed_page_by_page() {
    let sim = buckets(&many(1500));
    let ran = run(&sim).expect(0);
    let asked = counts(&sim, ["ListBuckets", "GetBucketVersioning", "GetBucketLifecycleConfiguration", "HeadBucket"]);
    assert_eq!(asked, [2, 1500, 1500, 0]);
    let rows = ran.rows("out/buckets.csv");
    let names: Vec<&str> = rows.iter().map(|row| row["bucket"].as_str()).collect();
    let expected: Vec<String> = (0..1500).map(|number| format!("bucket-{number:05}")).collect();
    assert_eq!(names, expected, "each once, sorted");
    assert!(rows.iter().all(|row| row["status"] == "pass"));
}

#[test]
fn an_account_of_exactly_one_page_is_whole_and_not_read_twice() {
    let sim = buckets(&many(1000));
    // Above the default quota of buckets S3 refuses to list without pages; the list was complete before.
    let proxy = Proxy::before(&sim, |request, forward| {
        if request.operation() == "ListBuckets" && !request.says("max-buckets") {
            return Answer::xml(400, "<Error><Code>InvalidRequest</Code><Message>paginate</Message></Error>");
        }
        forward()
    });
    for endpoint in [&sim.endpoint, &proxy.endpoint] {
        let before = sim.count("GetBucketVersioning");
        let ran = scan([]).at(endpoint, MANAGEMENT).run().expect(0);
        assert_eq!(ran.rows("out/buckets.csv").len(), 1000);
        assert_eq!(ran.rows("out/accounts.csv")[0]["outcome"], "complete");
        assert_eq!((sim.count("GetBucketVersioning") - before, sim.count("HeadBucket")), (1000, 0));
    }
}

#[test]
fn throttling_makes_no_row_wrong() {
    let throttled = |rate| {
        let organization = organization(&json!([management(&json!({"buckets": many(40)}))])).to_string();
        let organization = Organization::from_json(&organization).expect("a good fixture");
        Sim::with(organization, Options { rate: Some(rate), ..Options::default() })
    };
    let patient = throttled(15);
    let ran = scan(["--max-attempts", "20"]).at(&patient.endpoint, MANAGEMENT).run().expect(0);
    let rows = ran.rows("out/buckets.csv");
    assert!(rows.len() == 40 && rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
    assert_ne!(patient.count("Throttled"), 0);
    let throttled_answers = patient.count("Throttled");
    assert_eq!([coverage(&ran, "retries"), coverage(&ran, "throttled")], [throttled_answers; 2]);

    let hasty = throttled(15);
    let ran = scan(["--max-attempts", "1"]).at(&hasty.endpoint, MANAGEMENT).run().expect(3);
    let rows = ran.rows("out/buckets.csv");
    assert_eq!(rows.len(), 40);
    let mut unknown = 0;
    for row in &rows {
        let facts = [("versioning", "enabled"), ("mfa_delete", "enabled"), ("lifecycle", "none")];
        let right = facts.iter().filter(|(column, word)| row[*column] == *word).count();
        let open = facts.iter().filter(|(column, _)| row[*column] == "unknown").count();
        assert_eq!(right + open, facts.len(), "{row:?}");
        assert_eq!(open > 0, row["unknown_reasons"].contains(" throttled (SlowDown, HTTP 503, request "), "{row:?}");
        unknown += u64::from(open > 0);
    }
    assert_ne!(unknown, 0);
    assert_eq!((coverage(&ran, "buckets_unknown"), coverage(&ran, "retries")), (unknown, 0));
}

/// The credentials of a role end in the midst of a scan of many hours; here they have half a minute from the start.
#[test]
fn credentials_that_end_are_renewed_even_when_every_request_waits_for_them() {
    let member = json!({"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": many(3)});
    let sim = Sim::json(&organization(&json!([management(&json!({})), member])).to_string());
    let proxy = Proxy::before(&sim, |request, forward| {
        let answer = forward();
        if request.operation() != "AssumeRole" {
            return answer;
        }
        let (_, rest) = answer.body.split_once("<Expiration>").expect("an end");
        let (end, _) = rest.split_once("</Expiration>").expect("an end");
        let soon = time::OffsetDateTime::now_utc() + time::Duration::seconds(30);
        let soon = soon.replace_nanosecond(0).expect("in range");
        let soon = soon.format(&time::format_description::well_known::Rfc3339).expect("in range");
        let end = end.to_owned();
        answer.replace(&end, &soon)
    });
    for concurrency in ["1", "2"] {
        let arguments = ["--organization", "--account", "222222222222", "--concurrency", concurrency];
        let ran = scan(arguments).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
        let rows = ran.rows("out/buckets.csv");
        assert!(rows.len() == 3 && rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
        assert_eq!(coverage(&ran, "retries"), 0);
    }
}
