//! Answers and lists that are more than any can be: they cost little memory, and become no fact.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Ran, Sim};
use crate::scan::{Answer, MANAGEMENT, Proxy, buckets, good, management, organization, scan, with};

/// KiB that a run may have at most. One that reads a few buckets of a good server has a third of it.
const MEMORY: u64 = 160 * 1024;

/// What can be too much inside a document, by a name for it. All but the first fit into 16 MiB.
fn shapes() -> Vec<(&'static str, String)> {
    let mib = |piece: &str, mib: usize| piece.repeat((mib << 20) / piece.len());
    vec![
        ("long", mib("<!-- -->", 17)),
        // Found by an attack: it took 23 GB.
        ("name", format!("<n{0}>{1}</n{0}>", "n".repeat(1_500_000), "<Status>Enabled</Status>".repeat(40_000))),
        ("children", mib("<a></a>", 15)),
        ("empty-children", mib("<a/>", 15)),
        ("deep", format!("{}{}", mib("<a>", 5), mib("</a>", 5))),
        (
            "attributes",
            format!("<a{}/>", (0..500_000).fold(String::new(), |all, number| all + &format!(" a{number}=''"))),
        ),
        ("value", format!("<a b=\"{}\"/>", mib("v", 15))),
        (
            "namespaces",
            format!("<a{}/>", (0..300_000).fold(String::new(), |all, number| all + &format!(" xmlns:a{number}='u'"))),
        ),
        ("comment", format!("<!--{}-->", mib("c", 15))),
        ("instruction", format!("<?p {}?>", mib("p", 15))),
        ("unclosed", format!("<{}", mib("u", 15))),
    ]
}

const EXTRAS: [(&str, &str); 7] = [
    ("GetObjectLockConfiguration", "ObjectLockConfiguration"),
    ("GetBucketReplication", "ReplicationConfiguration"),
    ("GetBucketEncryption", "ServerSideEncryptionConfiguration"),
    ("GetBucketOwnershipControls", "OwnershipControls"),
    ("GetBucketAccelerateConfiguration", "AccelerateConfiguration"),
    ("GetBucketNotificationConfiguration", "NotificationConfiguration"),
    ("GetBucketTagging", "Tagging"),
];

fn root_of(operation: &str) -> Option<&'static str> {
    match operation {
        "GetBucketVersioning" => Some("VersioningConfiguration"),
        "GetBucketLifecycleConfiguration" => Some("LifecycleConfiguration"),
        _ => EXTRAS.iter().find(|(name, _)| *name == operation).map(|(_, root)| *root),
    }
}

fn document(root: &str, inside: &str) -> Answer {
    Answer::xml(200, &format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inside}</{root}>"))
}

#[track_caller]
fn measured(proxy: &Proxy, arguments: &[&str]) -> Ran {
    let start = Instant::now();
    let quick = ["--max-attempts", "1", "--operation-timeout", "120", "--read-timeout", "120"];
    let cli = scan(quick.into_iter().chain(arguments.iter().copied())).at(&proxy.endpoint, MANAGEMENT);
    let (ran, kib) = cli.run_measured();
    assert!(kib > 0 && kib < MEMORY, "{kib} KiB\n{}", ran.stderr);
    assert!(start.elapsed() < Duration::from_mins(5), "{:?}", start.elapsed());
    ran
}

/// A bucket for each shape, of which every answer has it.
#[test]
fn no_answer_about_a_bucket_costs_much_memory() {
    let shapes = shapes();
    let names: Value = shapes.iter().map(|(name, _)| good(name)).collect();
    let sim = buckets(&names);
    let proxy = Proxy::before(&sim, move |request, forward| {
        let inside = shapes.iter().find(|(name, _)| *name == request.bucket());
        match (root_of(request.operation()), inside) {
            (Some(root), Some((_, inside))) => document(root, inside),
            _ => forward(),
        }
    });
    let arguments = ["--concurrency=4", "--with=protection", "--metrics=all", "--group-by-tag=team"];
    let ran = measured(&proxy, &arguments).expect(3);
    for (name, _) in self::shapes() {
        let row = ran.bucket(name);
        assert_eq!([&row["versioning"], &row["mfa_delete"], &row["lifecycle"]], ["unknown"; 3], "{name}");
        let reasons: Vec<&str> = row["unknown_reasons"].split(';').collect();
        assert_eq!(reasons.len(), 2 + EXTRAS.len(), "{name}: {reasons:?}");
        assert!(reasons.iter().all(|reason| reason.contains(" malformed (HTTP 200")), "{name}: {reasons:?}");
        assert_eq!(row["status"], "unknown", "{name}");
    }
}

/// What is small costs nothing, and is no answer all the same.
#[test]
fn the_bounds_hold_for_short_answers_too() {
    let short = [
        ("deep", "<a>".repeat(16) + &"</a>".repeat(16)),
        ("name", format!("<{}/>", "n".repeat(257))),
        ("attributes", format!("<a{}/>", (0..17).fold(String::new(), |all, number| all + &format!(" a{number}=''")))),
        ("value", format!("<a b='{}'/>", "v".repeat(5000))),
        ("children", "<a/>".repeat(1000)),
    ];
    let names: Value = short.iter().map(|(name, _)| good(name)).collect();
    let sim = buckets(&names);
    let answers = short.clone();
    let proxy = Proxy::before(&sim, move |request, forward| {
        let inside = answers.iter().find(|(name, _)| *name == request.bucket());
        match (request.operation(), inside) {
            ("GetBucketVersioning", Some((_, inside))) => {
                document("VersioningConfiguration", &format!("<Status>Enabled</Status>{inside}"))
            }
            _ => forward(),
        }
    });
    let ran = scan(["--max-attempts", "1"]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    for (name, _) in short {
        let row = ran.bucket(name);
        assert_eq!((row["versioning"].as_str(), row["lifecycle"].as_str()), ("unknown", "none"), "{name}");
        let findings = ran.rows("out/findings.csv");
        let finding = findings.iter().find(|row| row["bucket"] == name).expect("a finding");
        assert!(finding["evidence"].contains(": the answer has "), "{name}: {}", finding["evidence"]);
    }
}

#[test]
fn no_list_of_buckets_costs_much_memory() {
    let sim = buckets(&json!([good("here")]));
    for (name, inside) in shapes() {
        let body = format!("<Buckets><Bucket><Name>here</Name></Bucket></Buckets>{inside}");
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListBuckets" => document("ListAllMyBucketsResult", &body),
            _ => forward(),
        });
        let ran = measured(&proxy, &[]);
        let accounts = ran.rows("out/accounts.csv");

        assert_eq!(accounts[0]["outcome"], "failed", "{name}: {}", accounts[0]["reason"]);
    }
}

#[test]
fn no_answer_of_an_organization_costs_much_memory() {
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("own")]}))])).to_string());
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let list = |inside: &str| format!("{{\"Accounts\": [{inside}]}}");
    for (name, body) in [
        ("long", list(&format!("{{\"Id\": \"{}\"}}", "1".repeat(2 << 20)))),
        ("many", list(&vec!["{}"; 300_000].join(","))),
        ("deep", list(&deep(17))),
        ("deeper", list(&deep(100_000))),
        (
            "members",
            format!("{{{}\"Accounts\": []}}", (0..50_000).fold(String::new(), |all, n| all + &format!("\"a{n}\":1,"))),
        ),
        ("twice", "{\"Accounts\": [], \"Accounts\": []}".to_owned()),
        ("goes on", "{\"Accounts\": [], \"IsTruncated\": true}".to_owned()),
        ("other name", "{\"Accounts\": [], \"nextToken\": \"a\"}".to_owned()),
    ] {
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListAccounts" => Answer { body: body.clone(), ..forward() },
            _ => forward(),
        });
        let ran = measured(&proxy, &["--organization"]).expect(2);
        let says = "error: failed to list the accounts of the organization: ListAccounts malformed (HTTP 200";
        assert!(ran.stderr.starts_with(says), "{name}: {}", ran.stderr);
    }
}

#[test]
fn what_a_server_says_in_an_error_is_cut() {
    let sim = buckets(&json!([good("denied"), good("page")]));
    let proxy = Proxy::before(&sim, |request, forward| match (request.operation(), request.bucket()) {
        ("GetBucketVersioning", "denied") => {
            let (code, words) = ("C".repeat(100_000), "words ".repeat(100_000));
            let body = format!("<Error><Code>{code}</Code><Message>{words}</Message></Error>");
            Answer::xml(403, &body).header("x-amz-request-id", &"R".repeat(10_000))
        }
        ("GetBucketVersioning", "page") => Answer::xml(503, &format!("<html>{}</html>", "<p>".repeat(1 << 20))),
        _ => forward(),
    });
    let ran = measured(&proxy, &[]).expect(3);
    assert_eq!(ran.bucket("denied")["versioning"], "unknown");
    assert_eq!(ran.bucket("page")["versioning"], "unknown");
    let inventory = ran.read(&format!("out/inventory/{MANAGEMENT}.jsonl"));
    let longest = inventory.lines().map(str::len).max().expect("lines");
    assert!(longest < 16 * 1024, "{longest}");
}

// --- lists ---

fn page(names: &[String], end: &str) -> Answer {
    let entries = names.iter().map(|name| format!("<Bucket><Name>{name}</Name></Bucket>"));
    let entries: Vec<String> = entries.collect();
    document("ListAllMyBucketsResult", &format!("<Buckets>{}</Buckets>{end}", entries.concat()))
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The one account's outcome and reason.
fn outcome(ran: &Ran) -> (String, String) {
    let accounts = ran.rows("out/accounts.csv");
    (accounts[0]["outcome"].clone(), accounts[0]["reason"].clone())
}

fn rows(ran: &Ran) -> Vec<String> {
    ran.rows("out/buckets.csv").iter().map(|row| row["bucket"].clone()).collect()
}

const TRUE: &str = "<IsTruncated>true</IsTruncated>";
const FALSE: &str = "<IsTruncated>false</IsTruncated>";

/// As Cloudflare R2 does it: the list of `ListObjectsV2`, in which `ContinuationToken` is that of the request.
#[test]
fn a_list_with_the_tokens_of_objects_is_read_to_its_end() {
    let sim = buckets(&json!([good("one"), good("two"), good("three")]));
    let r2 = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListBuckets" if request.says("continuation-token=c") => {
            page(&named(&["three"]), &format!("{FALSE}<ContinuationToken>c</ContinuationToken>"))
        }
        "ListBuckets" if request.says("continuation-token=b") => {
            let tokens = "<ContinuationToken>b</ContinuationToken><NextContinuationToken>c</NextContinuationToken>";
            page(&named(&["two"]), &format!("{TRUE}{tokens}"))
        }
        "ListBuckets" => page(&named(&["one"]), &format!("{TRUE}<NextContinuationToken>b</NextContinuationToken>")),
        _ => forward(),
    });
    let ran = scan([]).at(&r2.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!((rows(&ran), outcome(&ran).0.as_str()), (named(&["one", "three", "two"]), "complete"));
    assert_eq!(r2.count("ListBuckets"), 3);

    // As Alibaba OSS, Huawei OBS and Tencent COS do it.
    let markers = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListBuckets" if request.says("marker=one%2F1") => page(&named(&["two"]), FALSE),
        "ListBuckets" => page(&named(&["one"]), &format!("{TRUE}<NextMarker>one/1</NextMarker>")),
        _ => forward(),
    });
    let ran = scan([]).at(&markers.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!((rows(&ran), outcome(&ran).0.as_str()), (named(&["one", "two"]), "complete"));
}

#[test]
fn a_truncated_list_is_not_whole() {
    let sim = buckets(&json!([good("one")]));
    let no_place = "the list is truncated (IsTruncated), and the answer does not say where it goes on";
    for (end, says) in [
        (TRUE.to_owned(), no_place),
        ("<IsTruncated>True</IsTruncated>".to_owned(), no_place),
        (format!("{TRUE}<ContinuationToken/><NextContinuationToken></NextContinuationToken>"), no_place),
        (format!("{TRUE}<NextContinuationToken>a</NextContinuationToken>"), "the list goes round in a circle"),
        (format!("{TRUE}<NextMarker>one</NextMarker>"), "the list goes round in a circle"),
        ("<isTruncated>true</isTruncated>".to_owned(), "isTruncated is written for IsTruncated"),
        ("<IsTruncated>perhaps</IsTruncated>".to_owned(), "IsTruncated is \"perhaps\", which is not documented"),
        (format!("{TRUE}{FALSE}"), "IsTruncated has two different values"),
    ] {
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListBuckets" => page(&named(&["one"]), &end),
            _ => forward(),
        });
        let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
        let reason = format!("the list of buckets broke off: ListBuckets malformed (HTTP 200): {says}");
        assert_eq!(outcome(&ran), ("incomplete".to_owned(), reason));
        assert_eq!(ran.bucket("one")["status"], "pass", "what was listed is read");
    }
}

#[test]
fn tokens_and_names_that_no_address_can_hold_are_told() {
    let sim = buckets(&json!([good("one")]));
    let doubling = AtomicUsize::new(8);
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "ListBuckets" => {
            let length = doubling.fetch_add(1, Ordering::Relaxed);
            let token = "t".repeat(1 << length.min(22));
            page(&named(&["one"]), &format!("<ContinuationToken>{token}</ContinuationToken>"))
        }
        _ => forward(),
    });
    let ran = measured(&proxy, &[]).expect(3);
    let (outcome, reason) = outcome(&ran);
    assert_eq!(outcome, "incomplete");
    assert!(reason.ends_with("the list goes on at a token of 16384 bytes, and AWS has none above 8192"), "{reason}");

    let names: Vec<String> = [1025, 22_000, 100_000, 1_000_000].map(|length| "x".repeat(length)).into();
    let listed = [named(&["one"]), names.clone()].concat();
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "ListBuckets" => page(&listed, ""),
        _ => forward(),
    });
    let ran = measured(&proxy, &[]).expect(3);
    assert_eq!(ran.bucket("one")["status"], "pass");
    for name in &names {
        let row = ran.bucket(name);
        assert_eq!((row["status"].as_str(), row["region"].as_str()), ("unknown", "unknown"), "{}", name.len());
        assert!(row["unknown_reasons"].starts_with("GetBucketVersioning malformed"), "{}", row["unknown_reasons"]);
    }
    assert!(proxy.seen().iter().all(|request| request.bucket().len() <= 1024), "nothing is asked of them");
}

/// The tokens change, and the buckets are the same again and again.
#[test]
fn a_list_that_repeats_its_buckets_is_given_up_soon() {
    let sim = buckets(&json!([good("one")]));
    let pages = AtomicUsize::new(0);
    let names: Vec<String> = (0..1000).map(|number| format!("bucket-{number:0>50}")).collect();
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "ListBuckets" => {
            let number = pages.fetch_add(1, Ordering::Relaxed);
            page(&names, &format!("<ContinuationToken>t{number}</ContinuationToken>"))
        }
        _ => forward(),
    });
    let ran = measured(&proxy, &["--bucket", "one"]).expect(3);
    let (outcome, reason) = outcome(&ran);
    assert_eq!(outcome, "incomplete");
    assert!(reason.ends_with("the list repeats the same entries without end"), "{reason}");
    assert!(proxy.count("ListBuckets") < 20, "{}", proxy.count("ListBuckets"));
}

/// Each organizational unit has another in it, for ever.
#[test]
fn a_tree_without_end_is_given_up() {
    let accounts = json!([management(&json!({"buckets": [good("own")]}))]);
    let sim = Sim::json(&with(organization(&accounts), &json!({"omit_paths": true})).to_string());
    let units = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "ListOrganizationalUnitsForParent" => {
            let number = units.fetch_add(1, Ordering::Relaxed);
            let unit = json!({"OrganizationalUnits": [{"Id": format!("ou-test-{number:0>8}")}]});
            Answer::xml(200, &unit.to_string())
        }
        "ListAccountsForParent" => Answer::xml(200, "{\"Accounts\": []}"),
        _ => forward(),
    });
    let ran = measured(&proxy, &["--organization"]).expect(0);
    assert!(ran.stderr.contains("the tree has more than 12 levels or 20000 units"), "{}", ran.stderr);
    assert!(proxy.count("ListOrganizationalUnitsForParent") < 20);
}
