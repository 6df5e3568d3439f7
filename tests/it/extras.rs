//! What is read beside versioning and lifecycle: only where it was asked for, and as truthfully.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bucketlens::model::Extra;
use bucketlens::simulator::{Options, Organization};
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};
use crate::scan::{
    Answer, MANAGEMENT, Proxy, buckets, counts, coverage, good, management, many, organization, scan, with,
};

/// Everything that can be asked for.
pub const ALL: [&str; 3] = ["--with=protection", "--metrics=all", "--group-by-tag=team"];

/// The names under which the inventory has them, in the order in which they are read.
const NAMES: [&str; 8] =
    ["policy", "object_lock", "replication", "encryption", "ownership", "acceleration", "notification", "tags"];

const OPERATIONS: [&str; 8] = [
    "GetBucketPolicy",
    "GetObjectLockConfiguration",
    "GetBucketReplication",
    "GetBucketEncryption",
    "GetBucketOwnershipControls",
    "GetBucketAccelerateConfiguration",
    "GetBucketNotificationConfiguration",
    "GetBucketTagging",
];

/// What the inventory says of a bucket beside versioning and lifecycle.
#[track_caller]
pub fn extras(ran: &Ran, account: &str, bucket: &str) -> Value {
    let lines = ran.read(&format!("out/inventory/{account}.jsonl"));
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let record = lines.filter_map(|mut line| Some(line.get_mut("bucket")?.take())).rfind(|it| it["bucket"] == bucket);
    record.unwrap_or_else(|| panic!("no row of {bucket}"))["facts"]["read"]["extras"].take()
}

/// The value of each that is known; `null` for what was not asked for or could not be read.
#[track_caller]
pub fn known(ran: &Ran, account: &str, bucket: &str) -> Value {
    let extras = extras(ran, account, bucket);
    NAMES.iter().map(|name| ((*name).to_owned(), extras[*name]["known"].clone())).collect()
}

/// A bucket with all settings, and what is then the truth.
fn full() -> (Value, Value) {
    let bucket = with(
        good("full"),
        &json!({
            "policy": {"Version": "2012-10-17", "Statement": []},
            "object_lock": {"mode": "COMPLIANCE", "years": 7},
            "replication": [
                {"id": "away", "destination": "arn:aws:s3:::copy", "account": "222222222222", "delete_markers": "Disabled"},
                {"status": "Disabled", "prefix": "logs/", "tags": {"a": "1", "b": "2"}, "destination": "arn:aws:s3:::two"},
            ],
            "encryption": "aws:kms",
            "ownership": "BucketOwnerEnforced",
            "acceleration": "Suspended",
            "notification": {"topics": 1, "queues": 2, "functions": 3, "event_bridge": true},
            "tags": {"team": "a & b", "cost": ""},
        }),
    );
    let truth = json!({
        "policy": {"present": "{\"Statement\":[],\"Version\":\"2012-10-17\"}"},
        "object_lock": {"enabled": {"default_retention": {"mode": "compliance", "period": {"years": 7}}}},
        "replication": {"present": [
            {"id": "away", "enabled": true, "prefix": "", "tags": [], "destination": "arn:aws:s3:::copy",
             "account": "222222222222", "delete_markers": false, "kms_objects": "left_out"},
            {"id": null, "enabled": false, "prefix": "logs/", "tags": [["a", "1"], ["b", "2"]],
             "destination": "arn:aws:s3:::two", "account": null, "delete_markers": null, "kms_objects": "left_out"},
        ]},
        "encryption": {"present": ["aws:kms"]},
        "ownership": "bucket_owner_enforced",
        "acceleration": "suspended",
        "notification": {"topics": 1, "queues": 2, "functions": 3, "event_bridge": true},
        "tags": [["cost", ""], ["team", "a & b"]],
    });
    (bucket, truth)
}

#[test]
fn an_event_hold_and_encryption_for_backups_are_read() {
    let held = |name: &str, lock: Value| with(good(name), &json!({"object_lock": lock, "encryption": "aws:backup"}));
    let sim = buckets(&json!([
        held("alone", json!({"event_hold_days": 30})),
        held("moded", json!({"event_hold_days": 30, "mode": "COMPLIANCE"})),
        held("beside", json!({"event_hold_days": 30, "mode": "GOVERNANCE", "years": 1})),
    ]));
    let ran = scan(ALL).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let event_hold = |mode: Value| json!({"mode": mode, "period": {"days": 30}});
    for (bucket, retention, mode) in [
        ("alone", Value::Null, Value::Null),
        ("moded", Value::Null, json!("compliance")),
        ("beside", json!({"mode": "governance", "period": {"years": 1}}), json!("governance")),
    ] {
        let known = known(&ran, MANAGEMENT, bucket);
        let lock = json!({"enabled": {"default_retention": retention, "default_event_hold": event_hold(mode)}});
        assert_eq!(
            (&known["object_lock"], &known["encryption"]),
            (&lock, &json!({"present": ["aws:backup"]})),
            "{bucket}"
        );
    }
}

/// What is known of a bucket that has none of them.
fn nothing() -> Value {
    json!({
        "policy": "none", "object_lock": "none", "replication": "none", "encryption": "none", "ownership": "none",
        "acceleration": "never",
        "notification": {"topics": 0, "queues": 0, "functions": 0, "event_bridge": false},
        "tags": [],
    })
}

#[test]
fn this_test_knows_them_all() {
    assert_eq!(Extra::ALL.map(|extra| extra.operation().as_str()), OPERATIONS);
    assert_eq!(Extra::ALL.map(|extra| serde_json::to_value(extra).expect("a word")), NAMES.map(Value::from));
}

#[test]
fn nothing_more_is_read_unless_it_is_asked_for() {
    let sim = buckets(&json!([full().0]));
    for arguments in [&[][..], &["--metrics", "basic"]] {
        let ran = scan(arguments.iter().copied()).at(&sim.endpoint, MANAGEMENT).run().expect(0);
        assert_eq!(counts(&sim, OPERATIONS), [0; 8]);
        assert_eq!(extras(&ran, MANAGEMENT, "full"), Value::Null);
        assert!(!ran.stdout.contains("A bucket"), "{}", ran.stdout);
    }
}

#[test]
fn what_is_asked_for_costs_one_request_each_and_is_told_as_it_is() {
    let (full, truth) = full();
    let sim = buckets(&json!([full, good("plain")]));
    let ran = scan(ALL).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(known(&ran, MANAGEMENT, "full"), truth);
    assert_eq!(known(&ran, MANAGEMENT, "plain"), nothing());
    assert_eq!(counts(&sim, OPERATIONS), [2; 8]);
    assert_eq!((coverage(&ran, "requests"), coverage(&ran, "buckets_complete")), (2 + 2 * 10, 2));
    let says = "A bucket 10 requests: the two of every scan and GetBucketPolicy, GetObjectLockConfiguration, ";
    let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(says), "{}", ran.stdout);
    let scope = &ran.json("out/report.json")["run"]["scope"];
    let metrics = ["encryption", "ownership", "acceleration", "notification", "replication"];
    let metrics = metrics.map(|group| format!("--metrics={group}"));
    let words = [&["--with=protection".to_owned()][..], &metrics, &["--group-by-tag=team".to_owned()]].concat();
    assert_eq!(scope, &json!(words));
    assert_eq!(ran.json("out/inventory/run.json")["run"]["extras"], json!(NAMES));
}

#[test]
fn each_choice_reads_what_it_says() {
    let sim = buckets(&json!([good("b")]));
    let mut before = [0; 8];
    for (argument, read) in [
        ("--with=policy", &["GetBucketPolicy"][..]),
        ("--with=protection", &["GetBucketPolicy", "GetObjectLockConfiguration", "GetBucketReplication"]),
        ("--with=policy,protection", &["GetBucketPolicy", "GetObjectLockConfiguration", "GetBucketReplication"]),
        ("--metrics=encryption", &["GetBucketEncryption"]),
        ("--metrics=ownership,basic", &["GetBucketOwnershipControls"]),
        ("--metrics=acceleration", &["GetBucketAccelerateConfiguration"]),
        ("--metrics=notification", &["GetBucketNotificationConfiguration"]),
        ("--metrics=replication", &["GetBucketReplication"]),
        ("--metrics=all", &[OPERATIONS[2], OPERATIONS[3], OPERATIONS[4], OPERATIONS[5], OPERATIONS[6]]),
        ("--group-by-tag=team", &["GetBucketTagging"]),
    ] {
        scan([argument]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
        let now = counts(&sim, OPERATIONS);
        let asked: Vec<&str> = (0..8).filter(|at| now[*at] > before[*at]).map(|at| OPERATIONS[at]).collect();
        assert_eq!(asked, read, "{argument}");
        assert!((0..8).all(|at| now[at] - before[at] <= 1), "{argument}: nothing is asked twice");
        before = now;
    }
}

#[test]
fn the_choice_stands_in_the_environment_and_the_file_too() {
    let sim = buckets(&json!([good("b")]));
    let cli = scan(["--config", "scan.toml"]).file("scan.toml", "with = [\"policy\"]\nmetrics = \"encryption\"\n");
    cli.env("BUCKETLENS_METRICS", "ownership")
        .env("BUCKETLENS_GROUP_BY_TAG", "team")
        .at(&sim.endpoint, MANAGEMENT)
        .run()
        .expect(0);
    assert_eq!(counts(&sim, OPERATIONS), [1, 0, 0, 0, 1, 0, 0, 1]);
    let says =
        |arguments: &[&str]| scan(arguments.iter().copied()).at(&sim.endpoint, MANAGEMENT).run().expect(2).stderr;
    assert!(says(&["--with", "everything"]).contains("[possible values: policy, protection]"));
    assert!(says(&["--metrics", "mfa"]).contains("[possible values: basic, all, encryption, ownership, "));
    assert_eq!(says(&["--group-by-tag", ""]), "error: --group-by-tag: the key of a tag is empty\n");
}

#[test]
fn what_is_denied_is_unknown_and_nothing_else() {
    let (full, _) = full();
    let denials: serde_json::Map<String, Value> =
        OPERATIONS.iter().map(|operation| ((*operation).to_owned(), json!("because I say so"))).collect();
    let sim = buckets(&json!([with(full, &json!({"deny": denials})), good("plain")]));
    let ran = scan(ALL).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(counts(&sim, OPERATIONS), [2; 8], "a denial is asked once");
    let extras = extras(&ran, MANAGEMENT, "full");
    for (extra, name) in Extra::ALL.into_iter().zip(NAMES) {
        let reason = &extras[name]["unknown"];
        assert_eq!((&reason["class"], &reason["code"]), (&json!("denied"), &json!("AccessDenied")), "{name}");
        let needs = format!("perform: {} on", extra.operation().action().expect("an action"));
        assert!(reason["message"].as_str().is_some_and(|message| message.contains(&needs)), "{reason}");
    }
    let row = ran.bucket("full");
    assert_eq!((row["status"].as_str(), row["mfa_delete"].as_str()), ("pass", "enabled"), "it decides nothing");
    let reasons = OPERATIONS.map(|operation| format!("{operation} denied (AccessDenied, HTTP 403, request "));
    let found: Vec<&str> = row["unknown_reasons"].split(';').collect();
    assert!(
        found.len() == 8 && found.iter().zip(&reasons).all(|(found, reason)| found.starts_with(reason)),
        "{found:?}"
    );
    assert_eq!((coverage(&ran, "buckets_complete"), coverage(&ran, "buckets_unknown")), (1, 1));
    for says in ["GetBucketPolicy denied (AccessDenied), needs s3:GetBucketPolicy ", "and 2 more, see buckets.csv"] {
        assert!(ran.stdout.contains(says), "{}", ran.stdout);
    }
}

#[test]
fn what_fails_is_asked_again_to_the_last_pass_and_no_other() {
    let passing = json!({"status": 500, "code": "InternalError", "times": 2});
    let sim = buckets(&json!([
        with(full().0, &json!({"fail": {"GetBucketReplication": passing, "GetBucketTagging": passing}})),
        with(good("broken"), &json!({"fail": {"GetBucketEncryption": {"status": 500, "code": "InternalError"}}})),
    ]));
    let ran = scan(["--max-attempts", "2"].into_iter().chain(ALL)).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(known(&ran, MANAGEMENT, "full"), full().1);
    // Twice for the one and three times for the other: two attempts, and one more in the last pass.
    assert_eq!(counts(&sim, ["GetBucketReplication", "GetBucketTagging", "GetBucketEncryption"]), [4, 4, 4]);
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketPolicy", "GetBucketOwnershipControls"]), [2, 2, 2]);
    let broken = extras(&ran, MANAGEMENT, "broken");
    assert_eq!(broken["encryption"]["unknown"]["class"], "unavailable");
    assert!(
        NAMES.iter().filter(|name| **name != "encryption").all(|name| !broken[*name]["known"].is_null()),
        "{broken}"
    );
}

#[test]
fn an_answer_that_cannot_be_believed_is_unknown() {
    let sim = buckets(&(0..8).map(|at| with(full().0, &json!({"name": format!("full-{at}")}))).collect());
    // Another document, whole and well-formed, for one of them in each bucket.
    let proxy = Proxy::before(&sim, |request, forward| {
        let at: usize = request.bucket().trim_start_matches("full-").parse().unwrap_or(8);
        let hit = OPERATIONS.get(at).is_some_and(|operation| *operation == request.operation());
        let body = if at == 0 { "[\"no\", \"object\"]" } else { "<ListBucketResult><Name>b</Name></ListBucketResult>" };
        if hit { Answer { body: body.to_owned(), ..forward() } } else { forward() }
    });
    let ran = scan(ALL).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    for (at, operation) in OPERATIONS.into_iter().enumerate() {
        let reasons = &ran.bucket(&format!("full-{at}"))["unknown_reasons"];
        assert!(
            reasons.starts_with(&format!("{operation} malformed (HTTP 200")) && !reasons.contains(';'),
            "{reasons}"
        );
    }
}

#[test]
fn words_that_s3_does_not_know_are_unknown() {
    let odd = [
        json!({"object_lock": {"mode": "MAYBE", "days": 1}}),
        json!({"object_lock": {"mode": "GOVERNANCE"}}),
        json!({"replication": []}),
        json!({"replication": [{"destination": "arn:aws:s3:::copy", "account": "somebody"}]}),
        json!({"encryption": "rot13"}),
        json!({"ownership": "Nobody"}),
        json!({"acceleration": "Enabled?"}),
    ];
    let named = |(at, members): (usize, &Value)| with(with(good("b"), &json!({"name": format!("odd-{at}")})), members);
    let sim = buckets(&odd.iter().enumerate().map(named).collect());
    let ran = scan(ALL).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    for at in 0..odd.len() {
        let reasons = &ran.bucket(&format!("odd-{at}"))["unknown_reasons"];
        assert!(reasons.contains(" malformed (HTTP 200)") && !reasons.contains(';'), "{at}: {reasons}");
    }
}

#[test]
fn a_bucket_that_is_gone_when_more_is_asked_has_vanished() {
    for operation in OPERATIONS {
        let sim = buckets(&json!([full().0, good("stays")]));
        let gone = Mutex::new(false);
        let proxy = Proxy::before(&sim, move |request, forward| {
            let mut gone = gone.lock().expect("no panic");
            *gone |= request.bucket() == "full" && request.operation() == operation;
            let missing = "<Error><Code>NoSuchBucket</Code></Error>";
            match request.operation() {
                "ListBuckets" if *gone => forward().replace("<Name>full</Name>", "<Name>stays</Name>"),
                _ if *gone && request.bucket() == "full" => Answer::xml(404, missing),
                _ => forward(),
            }
        });
        let ran = scan(ALL).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
        let row = ran.bucket("full");
        assert_eq!(
            (row["status"].as_str(), row["unknown_reasons"].as_str()),
            ("not_applicable", "vanished"),
            "{operation}"
        );
        assert_eq!((coverage(&ran, "buckets_vanished"), coverage(&ran, "buckets_complete")), (1, 1));
    }
}

#[test]
fn a_bucket_in_another_region_is_followed_once() {
    let elsewhere = json!({"region": "eu-west-1", "listed_region": "us-east-1"});
    let sim = buckets(&json!([with(full().0, &elsewhere)]));
    let ran = scan(ALL).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(known(&ran, MANAGEMENT, "full"), full().1);
    assert_eq!(ran.bucket("full")["region"], "eu-west-1");
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketPolicy", "GetBucketTagging"]), [2, 1, 1]);
}

/// Where versioning and lifecycle are denied, a further answer shows where the bucket is.
#[test]
fn the_owner_is_named_in_every_further_request() {
    let sim = buckets(&json!([full().0]));
    let proxy = Proxy::before(&sim, |_, forward| forward());
    scan(ALL).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    let seen = proxy.seen();
    for operation in OPERATIONS {
        let request = seen.iter().find(|request| request.operation() == operation).expect("asked");
        assert_eq!(request.header("x-amz-expected-bucket-owner"), Some(MANAGEMENT), "{operation}");
    }
}

#[test]
fn a_run_that_is_cut_off_says_so_of_what_it_did_not_read_and_goes_on() {
    let sim = Sim::with(
        Organization::from_json(&organization(&json!([management(&json!({"buckets": many(300)}))])).to_string())
            .expect("a good fixture"),
        Options { latency: Duration::from_millis(10), ..Options::default() },
    );
    let space = tempfile::tempdir().expect("a folder");
    let out = space.path().join("out");
    let out = out.to_str().expect("text");
    let cli = |option: &str, more: &[&str]| {
        Cli::new(["scan", option, out, "--fail-on", "none"].into_iter().chain(more.iter().copied()))
            .at(&sim.endpoint, MANAGEMENT)
    };
    let running = cli("--out", &["--with", "policy", "--metrics", "encryption", "--concurrency", "2"]).start();
    while sim.count("GetBucketEncryption") < 20 {
        std::thread::sleep(Duration::from_millis(2));
    }
    running.signal("INT");
    running.wait().expect(3);
    let rows = || -> Vec<Value> {
        let text = std::fs::read_to_string(format!("{out}/inventory/{MANAGEMENT}.jsonl")).expect("there");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let mut rows: std::collections::BTreeMap<String, Value> = std::collections::BTreeMap::new();
        for row in lines.filter_map(|mut line| Some(line.get_mut("bucket")?.take())) {
            rows.insert(row["bucket"].as_str().expect("a name").to_owned(), row["facts"]["read"].clone());
        }
        rows.into_values().collect()
    };
    let found = rows();
    assert_eq!(found.len(), 300);
    let class = |row: &Value, name: &str| row["extras"][name]["unknown"]["class"].as_str().map(str::to_owned);
    for row in &found {
        let names: Vec<&String> = row["extras"].as_object().expect("asked for").keys().collect();
        assert_eq!(names, ["encryption", "policy"], "{row}");
        for name in names {
            assert!(
                row["extras"][name].get("known").is_some() || class(row, name).as_deref() == Some("interrupted"),
                "{row}"
            );
        }
    }
    let cut = found.iter().filter(|row| class(row, "encryption").is_some()).count();
    assert!((200..300).contains(&cut), "{cut}");
    let asked = sim.count("GetBucketEncryption");

    // What was asked for may be repeated and not changed.
    cli("--resume", &["--with", "policy", "--metrics", "encryption"]).run().expect(0);
    assert_eq!(sim.count("GetBucketEncryption") - asked, cut as u64);
    assert!(
        rows().iter().all(|row| ["encryption", "policy"].iter().all(|name| row["extras"][name].get("known").is_some()))
    );
    for (more, says) in [
        (["--with", "protection"], "--with: the run in"),
        (["--metrics", "all"], "--metrics: the run in"),
        (["--metrics", "basic"], "--metrics: the run in"),
        (["--group-by-tag", "team"], "--group-by-tag: the run in"),
    ] {
        let ran = cli("--resume", &more).run().expect(2);
        assert!(ran.stderr.starts_with(&format!("error: {says}")), "{}", ran.stderr);
    }
    cli("--resume", &["--max-age", "7d"]).run().expect(0);
    assert_eq!(sim.count("GetBucketEncryption") - asked, cut as u64, "nothing is asked twice");
}

#[test]
fn what_failed_of_them_is_read_again_by_a_run_that_goes_on() {
    let sim = buckets(&json!([full().0, good("plain")]));
    let broken = Arc::new(AtomicBool::new(true));
    let tries = Arc::new(AtomicUsize::new(0));
    let (switch, counted) = (Arc::clone(&broken), Arc::clone(&tries));
    let proxy = Proxy::before(&sim, move |request, forward| {
        if request.operation() != "GetBucketTagging" || request.bucket() != "full" {
            return forward();
        }
        counted.fetch_add(1, Ordering::Relaxed);
        if switch.load(Ordering::Relaxed) {
            Answer::xml(503, "<Error><Code>ServiceUnavailable</Code></Error>")
        } else {
            forward()
        }
    });
    let space = tempfile::tempdir().expect("a folder");
    let out = space.path().join("out");
    let out = out.to_str().expect("text");
    let run = |option: &str, more: &[&'static str]| {
        let arguments = ["scan", option, out, "--fail-on", "none", "--max-attempts", "1"];
        Cli::new(arguments.into_iter().chain(more.iter().copied())).at(&proxy.endpoint, MANAGEMENT).run()
    };
    run("--out", &ALL).expect(3);
    assert_eq!((tries.load(Ordering::Relaxed), proxy.count("GetBucketTagging")), (1, 2));
    broken.store(false, Ordering::Relaxed);
    run("--resume", &[]).expect(0);
    assert_eq!((tries.load(Ordering::Relaxed), proxy.count("GetBucketTagging")), (2, 3));
}

#[test]
fn the_demo_reads_them_too() {
    let ran = Cli::new(["demo", "--accounts", "3", "--buckets", "400", "--out", "out"].into_iter().chain(ALL))
        .run()
        .expect(0);
    assert_eq!(ran.stderr, "");
    let text: String = ["100000000000", "100000000001", "100000000002"]
        .map(|account| ran.read(&format!("out/inventory/{account}.jsonl")))
        .concat();
    for word in [
        "\"policy\":{\"at\"",
        "governance",
        "generated-copies",
        "aws:kms",
        "AES256",
        "bucket_owner_enforced",
        "\"queues\":1",
        "\"team\",\"search\"",
    ] {
        assert!(text.contains(word), "no bucket has {word}");
    }
    assert!(
        ["acceleration", "notification"]
            .iter()
            .all(|name| text.matches(&format!("\"{name}\":{{\"at\"")).count() == 400)
    );
    assert!(ran.stdout.contains("A bucket"), "{}", ran.stdout);
}
