//! `bucketlens mfa-delete` against the simulator, which has root users with an MFA device, and against servers and
//! networks that misbehave. What a real server does is in `real_mfa_delete.rs`.

use std::sync::atomic::{AtomicUsize, Ordering};

use bucketlens::simulator::{SECRET_KEY, root_access_key};
use serde_json::{Value, json};

use crate::aws_hosts::AwsHosts;
use crate::common::{Cli, Ran, Sim};
use crate::scan::{Answer, Proxy, Request};

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";
const SERIAL: &str = "arn:aws:iam::111111111111:mfa/root-account-mfa-device";
const CODES: [&str; 3] = ["314159", "271828", "161803"];
/// The end of the question for a code.
const QUESTION: &str = "Ctrl-C sends nothing: ";

fn organization() -> Value {
    let rule = json!([{"ID": "tidy", "Filter": {"Prefix": ""}, "Status": "Disabled", "Expiration": {"Days": 9}}]);
    json!({
        "organization_id": "o-act", "management_account": ONE, "root": "r-act1",
        "accounts": [
            {
                "id": ONE, "name": "One", "ou": "r-act1",
                "mfa_device": {"serial": SERIAL, "codes": CODES},
                "buckets": [
                    {"name": "plain", "region": "us-east-1", "versioning": "Enabled"},
                    {"name": "second", "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Disabled"},
                    {"name": "guarded", "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Enabled"},
                    {"name": "halved", "region": "us-east-1", "versioning": "Suspended", "mfa_delete": "Enabled"},
                    {"name": "never", "region": "us-east-1"},
                    {"name": "elsewhere", "region": "eu-west-1", "versioning": "Enabled"},
                    {"name": "logs", "region": "us-east-1", "versioning": "Enabled", "lifecycle": rule},
                    {"name": "locked", "region": "us-east-1", "versioning": "Enabled",
                     "object_lock": {"mode": "GOVERNANCE", "days": 1}},
                    {"name": "secret-lock", "region": "us-east-1", "versioning": "Enabled",
                     "deny": {"GetObjectLockConfiguration": ""}},
                    {"name": "secret-state", "region": "us-east-1", "versioning": "Enabled",
                     "deny": {"GetBucketVersioning": "with an explicit deny in a resource-based policy"}},
                    {"name": "secret-rules", "region": "us-east-1", "versioning": "Enabled",
                     "deny": {"GetBucketLifecycleConfiguration": ""}},
                ]
            },
            {
                "id": TWO, "name": "Two", "ou": "r-act1",
                "mfa_device": {"serial": "GAHT22222222", "codes": ["222222"]},
                "buckets": [{"name": "others", "region": "us-east-1", "versioning": "Enabled"}]
            }
        ]
    })
}

fn simulator() -> Sim {
    Sim::json(&organization().to_string())
}

/// `bucketlens mfa-delete` with these words and JSON to read, by root of the first account.
fn root(words: &str, endpoint: &str) -> Cli {
    by(&root_access_key(ONE), words, endpoint)
}

fn by(key: &str, words: &str, endpoint: &str) -> Cli {
    Cli::new(["mfa-delete"].into_iter().chain(words.split(' ')).chain(["--format", "json"]))
        .keys(endpoint, key, SECRET_KEY)
}

/// With the serial and everything it takes to send.
fn apply(words: &str) -> String {
    format!("{words} --mfa-serial {SERIAL} --apply --code-from-stdin --wait 0")
}

/// The bucket of the JSON that was printed.
#[track_caller]
fn bucket(ran: &Ran, name: &str) -> Value {
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout));
    let buckets = printed["buckets"].as_array().expect("a list").clone();
    buckets.into_iter().find(|bucket| bucket["bucket"] == name).unwrap_or_else(|| panic!("no {name}: {printed}"))
}

#[track_caller]
fn assert_outcome(ran: &Ran, name: &str, outcome: &str, why: &[&str]) {
    let bucket = bucket(ran, name);
    assert_eq!(bucket["outcome"], outcome, "{bucket:#}");
    for words in why {
        assert!(bucket["reasons"].to_string().contains(words), "{words}: {bucket:#}");
    }
    assert!(!why.is_empty() || bucket["reasons"] == json!([]), "{bucket:#}");
}

fn record(ran: &Ran) -> Vec<Value> {
    let text = ran.read("reports/mfa-delete.jsonl");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[track_caller]
fn assert_nothing_sent(ran: &Ran, sim: &Sim) {
    assert_eq!(sim.count("PutBucketVersioning"), 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(!ran.path("reports").exists(), "a record of nothing");
}

// ------------------------------------------------------------------------------------------------ as asked for

#[test]
fn what_the_dry_run_shows_is_what_is_sent_and_recorded() {
    let sim = simulator();
    let proxy = Proxy::before(&sim, |_, forward| forward());
    let words = format!("enable plain --mfa-serial {SERIAL}");
    let shown = root(&words, &proxy.endpoint).run().expect(0);
    assert_outcome(&shown, "plain", "dry_run", &[]);
    assert_nothing_sent(&shown, &sim);
    let planned = bucket(&shown, "plain")["request"].clone();

    let ran = root(&apply("enable plain"), &proxy.endpoint).run_with("314159\n").expect(0);
    assert_outcome(&ran, "plain", "confirmed", &[]);
    assert_eq!(bucket(&ran, "plain")["request"], planned);
    assert_eq!(bucket(&ran, "plain")["after"], json!({"versioning": "enabled", "mfa_delete": "enabled"}));
    let sent: Vec<Request> = proxy.seen().into_iter().filter(|it| it.operation() == "PutBucketVersioning").collect();
    let [sent] = sent.as_slice() else { panic!("{} requests", sent.len()) };
    assert_eq!(sent.body(), planned["body"]);
    assert_eq!((sent.operation(), sent.bucket()), ("PutBucketVersioning", "plain"));
    assert_eq!(planned["operation"], "PutBucketVersioning");
    let mfa = planned["x_amz_mfa"].as_str().expect("a text").replace("<code>", "314159");
    assert_eq!(sent.header("x-amz-mfa"), Some(mfa.as_str()));
    assert_eq!(sent.header("x-amz-expected-bucket-owner"), planned["x_amz_expected_bucket_owner"].as_str());
    assert_eq!(planned["x_amz_expected_bucket_owner"], ONE);

    let lines = record(&ran);
    let outcomes: Vec<&Value> = lines.iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["sending", "confirmed"]);
    let last = &lines[1];
    assert_eq!(last["caller_arn"], format!("arn:aws:iam::{ONE}:root"));
    assert_eq!(
        (&last["bucket"], &last["account"], &last["region"]),
        (&json!("plain"), &json!(ONE), &json!("us-east-1"))
    );
    assert_eq!((&last["command"], &last["before"]["mfa_delete"]), (&json!("enable"), &json!("never")));
    assert_eq!(last["after"]["mfa_delete"], "enabled");
    assert_eq!(last["request_id"], bucket(&ran, "plain")["request_id"]);
    assert!(last["request_id"].is_string() && last["time"].as_str().is_some_and(|time| time.ends_with('Z')));
}

#[test]
fn neither_codes_nor_keys_are_told_anywhere_even_with_the_loudest_log() {
    let sim = simulator();
    // Its answer repeats what it was sent.
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "PutBucketVersioning" => {
            let mfa = request.header("x-amz-mfa").expect("a code");
            Answer::xml(400, &format!("<Error><Code>TokenCodeInvalidError</Code><Message>{mfa}</Message></Error>"))
        }
        _ => forward(),
    });
    for log in ["text", "json"] {
        let words = apply("enable plain") + " --log-level trace --log-format " + log;
        let ran = root(&words, &proxy.endpoint).env("RUST_LOG", "trace").run_with("314159\n").expect(1);
        assert_outcome(&ran, "plain", "refused", &["TokenCodeInvalidError", "***"]);
        for text in [&ran.stdout, &ran.stderr, &ran.read("reports/mfa-delete.jsonl")] {
            assert!(!text.contains("314159") && !text.contains(SECRET_KEY), "{text}");
        }
    }
}

#[test]
fn versioning_stays_what_it_was_when_mfa_delete_is_disabled() {
    let sim = simulator();
    let ran = root(&apply("disable guarded halved"), &sim.endpoint).run_with("314159\n271828\n").expect(0);
    for (name, status, versioning) in [("guarded", "Enabled", "enabled"), ("halved", "Suspended", "suspended")] {
        assert_outcome(&ran, name, "confirmed", &[]);
        let bucket = bucket(&ran, name);
        assert!(bucket["request"]["body"].to_string().contains(&format!("<Status>{status}</Status>")));
        assert_eq!(bucket["after"], json!({"versioning": versioning, "mfa_delete": "disabled"}));
    }
    assert_eq!(sim.count("PutBucketVersioning"), 2);
}

#[test]
fn object_lock_is_told_before_a_code_is_asked_for() {
    let sim = simulator();
    let ran = root(&format!("enable plain locked secret-lock --mfa-serial {SERIAL}"), &sim.endpoint).run().expect(0);
    assert_eq!(bucket(&ran, "plain")["notes"], json!([]));
    for (name, words) in [
        ("locked", "it has Object Lock with a default retention of 1 day (GOVERNANCE): whether S3 takes MFA delete"),
        ("secret-lock", "could not be read (it needs s3:GetBucketObjectLockConfiguration): GetObjectLockConfiguration"),
    ] {
        let bucket = bucket(&ran, name);
        assert!(bucket["outcome"] == "dry_run" && bucket["notes"][0].to_string().contains(words), "{bucket:#}");
    }
    // What protects less is nobody's worry.
    let ran = root(&format!("disable guarded --mfa-serial {SERIAL}"), &sim.endpoint).run().expect(0);
    assert_eq!((bucket(&ran, "guarded")["notes"].clone(), sim.count("GetObjectLockConfiguration")), (json!([]), 3));
}

#[test]
fn versioning_is_enabled_only_where_it_is_asked_for_too() {
    let sim = simulator();
    let ran = root(&apply("enable never"), &sim.endpoint).run_with("314159\n").expect(1);
    assert_outcome(&ran, "never", "refused", &["--enable-versioning"]);
    assert_nothing_sent(&ran, &sim);
    let ran = root(&apply("enable never --enable-versioning"), &sim.endpoint).run_with("314159\n").expect(0);
    assert_eq!(bucket(&ran, "never")["after"], json!({"versioning": "enabled", "mfa_delete": "enabled"}));
}

#[test]
fn what_is_so_already_needs_no_code() {
    let sim = simulator();
    for words in ["enable guarded", "disable plain second never secret-rules"] {
        let ran = root(&apply(words), &sim.endpoint).run_with("").expect(0);
        for name in words.split(' ').skip(1) {
            assert_outcome(&ran, name, "already", &[]);
        }
        assert_nothing_sent(&ran, &sim);
    }
}

#[test]
fn status_says_what_is_known_and_what_is_not() {
    let sim = simulator();
    let ran = root("status guarded logs", &sim.endpoint).run().expect(0);
    let known = json!({"versioning": "enabled", "mfa_delete": "enabled", "lifecycle": "none", "lifecycle_rules": 0});
    assert_eq!(bucket(&ran, "guarded")["before"], known);
    assert_eq!(bucket(&ran, "logs")["before"]["lifecycle_rules"], 1);
    let ran = root("status guarded secret-state secret-rules nobodys", &sim.endpoint).run().expect(3);
    assert_outcome(&ran, "secret-state", "unknown", &["GetBucketVersioning denied"]);
    assert_outcome(&ran, "secret-rules", "read", &["GetBucketLifecycleConfiguration denied"]);
    assert_outcome(&ran, "nobodys", "unknown", &[]);
}

/// As a person sees it: the plan before the question, and what came of it behind.
#[test]
fn on_a_terminal_a_slip_of_the_pen_is_asked_for_again() {
    let sim = simulator();
    let words = ["mfa-delete", "enable", "plain", "--mfa-serial", SERIAL, "--apply"];
    let cli = Cli::new(words).keys(&sim.endpoint, &root_access_key(ONE), SECRET_KEY);
    let ran = cli.run_on_terminal(QUESTION, &["31415\r", "\r", "314159\r"]).expect(0);
    let shown = ran.stdout.replace('\r', "");
    insta::assert_snapshot!(shown.replace(&sim.endpoint, "ENDPOINT"), @r#"
    plain in us-east-1
      before   versioning enabled, MFA delete never configured, no lifecycle configuration
      request  PutBucketVersioning (PUT ?versioning) at ENDPOINT
               x-amz-expected-bucket-owner: 111111111111
               x-amz-mfa: arn:aws:iam::111111111111:mfa/root-account-mfa-device <code>
               <VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><MfaDelete>Enabled</MfaDelete><Status>Enabled</Status></VersioningConfiguration>
    To enable MFA delete of plain (1 of 1), type a code of arn:aws:iam::111111111111:mfa/root-account-mfa-device; Ctrl-C sends nothing: 31415
    a code is 6 digits without anything between them, and this line is not
    To enable MFA delete of plain (1 of 1), type a code of arn:aws:iam::111111111111:mfa/root-account-mfa-device; Ctrl-C sends nothing: 
    a code is 6 digits without anything between them, and this line is not
    To enable MFA delete of plain (1 of 1), type a code of arn:aws:iam::111111111111:mfa/root-account-mfa-device; Ctrl-C sends nothing: 314159
      after    versioning enabled, MFA delete enabled
      outcome  confirmed: it was read after the request and is as asked for
    "#);
    assert_eq!(sim.count("PutBucketVersioning"), 1);
}

#[test]
fn ctrl_c_or_the_end_of_input_at_the_question_sends_nothing() {
    for (typed, why) in [("12\u{3}", "interrupted before anything was sent"), ("\u{4}", "the input is at its end")] {
        let sim = simulator();
        let words = ["mfa-delete", "enable", "plain", "second", "--mfa-serial", SERIAL, "--apply"];
        let cli = Cli::new(words).keys(&sim.endpoint, &root_access_key(ONE), SECRET_KEY);
        let ran = cli.run_on_terminal(QUESTION, &[typed]).expect(1);
        assert!(ran.stdout.contains(why), "{}", ran.stdout);
        assert!(ran.stdout.contains("the command ended at another bucket"), "{}", ran.stdout);
        assert_eq!(sim.count("PutBucketVersioning"), 0);
        assert_eq!(ran.read("reports/mfa-delete.jsonl"), "");
    }
}

// ------------------------------------------------------------------------------------------ refused beforehand

#[test]
fn refused_before_anything_is_sent() {
    let table = [
        ("logs", "lifecycle configuration (1 rule)"),
        ("secret-state", "could not be read (the bucket's policy denies it): GetBucketVersioning denied (AccessDenied"),
        ("secret-rules", "s3:GetLifecycleConfiguration"),
        ("others", "only the account that owns a bucket can read it"),
        ("nobodys", "no such bucket"),
        ("plain --region eu-west-1", "run the command again with --region us-east-1"),
        ("elsewhere --region us-east-1", "run the command again with --region eu-west-1"),
        ("elsewhere", "run the command again with --region eu-west-1"),
    ];
    for (words, why) in table {
        let sim = simulator();
        let ran = root(&apply(&format!("enable {words}")), &sim.endpoint).run_with("314159\n").expect(1);
        assert_outcome(&ran, words.split(' ').next().expect("a name"), "refused", &[why]);
        assert_nothing_sent(&ran, &sim);
    }
}

#[test]
fn where_one_bucket_is_refused_nothing_is_sent_for_any() {
    let sim = simulator();
    let ran = root(&apply("enable plain logs guarded"), &sim.endpoint).run_with("314159\n").expect(1);
    assert_outcome(&ran, "plain", "not_sent", &["another bucket of this command is refused"]);
    assert_outcome(&ran, "logs", "refused", &["bucketlens plan RUN", "the commands for logs in order"]);
    assert_outcome(&ran, "guarded", "already", &[]);
    assert_nothing_sent(&ran, &sim);
}

#[test]
fn a_bucket_that_changed_while_the_code_was_looked_for_is_left_alone() {
    let sim = simulator();
    let reads = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| {
        if request.operation() == "GetBucketLifecycleConfiguration" && reads.fetch_add(1, Ordering::Relaxed) > 0 {
            let rule =
                "<Rule><ID>x</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>";
            return Answer::xml(200, &format!("<LifecycleConfiguration>{rule}</LifecycleConfiguration>"));
        }
        forward()
    });
    let ran = root(&apply("enable plain"), &proxy.endpoint).run_with("314159\n").expect(1);
    assert_outcome(&ran, "plain", "refused", &["not as it was when the code was asked for"]);
    assert_eq!(sim.count("PutBucketVersioning"), 0);
}

#[test]
fn usage_is_refused_before_anything_is_asked() {
    let key = format!("enable orders--use1-az4--x-s3 --mfa-serial {SERIAL}");
    let fido = format!("enable plain --mfa-serial arn:aws:iam::{ONE}:u2f/root-account/key");
    let table = [
        (vec!["enable", "plain", "--mfa-serial", "GAHT 123"], "no spaces"),
        (vec!["enable", "plain", "--mfa-serial", "GAHT\r\nx-amz-acl:public-read"], "no spaces"),
        (vec!["enable", "plain"], "--mfa-serial"),
        (vec!["enable", "--mfa-serial", SERIAL], "BUCKET"),
        (vec!["enable", "plain", "--mfa-serial", SERIAL, "--code", "314159"], "--code"),
        (vec!["disable", "plain", "--mfa-serial", SERIAL, "--enable-versioning"], "--enable-versioning"),
        (vec!["enable", "plain", "--mfa-serial", SERIAL, "--apply"], "no terminal"),
        (vec!["enable", "plain", "--mfa-serial", SERIAL, "--force"], "--force"),
        (vec!["status", "tenant:plain"], "no bucket can have this name"),
        (key.split(' ').collect(), "directory bucket"),
        (fido.split(' ').collect(), "security key"),
    ];
    for (words, why) in table {
        let sim = simulator();
        let cli = Cli::new(["mfa-delete"].into_iter().chain(words.iter().copied()));
        let ran = cli.keys(&sim.endpoint, &root_access_key(ONE), SECRET_KEY).run().expect(2);
        assert!(ran.stderr.contains(why), "{words:?}: {}", ran.stderr);
        assert_eq!(["GetCallerIdentity", "GetBucketVersioning"].map(|call| sim.count(call)), [0, 0], "{words:?}");
    }
}

#[test]
fn no_code_leaves_the_machine_without_tls() {
    let sim = simulator();
    for endpoint in ["http://s3.example.org", "http://10.1.2.3:9000", "http://127.0.0.1.example.org"] {
        let cli = root(&apply("enable plain"), &sim.endpoint).env("AWS_ENDPOINT_URL_S3", endpoint);
        let ran = cli.run_with("314159\n").expect(2);
        assert!(ran.stderr.contains("without TLS") && ran.stderr.contains(endpoint), "{}", ran.stderr);
        assert_nothing_sent(&ran, &sim);
    }
}

/// To loopback it may go in the open, but not to a proxy.
#[test]
fn no_code_goes_to_a_proxy_in_the_open() {
    let sim = simulator();
    let proxy = Proxy::before(&sim, |_, _| Answer::xml(502, ""));
    let cli = root(&apply("enable plain"), &sim.endpoint)
        .env("HTTP_PROXY", &proxy.endpoint)
        .env("ALL_PROXY", &proxy.endpoint);
    assert_outcome(&cli.run_with("314159\n").expect(0), "plain", "confirmed", &[]);
    assert_eq!(proxy.seen().len(), 0);
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let sim = simulator();
    let words = apply("enable plain") + " --record taken/record.jsonl";
    let ran = root(&words, &sim.endpoint).file("taken", "a file").run_with("314159\n").expect(2);
    assert!(ran.stderr.contains("failed to open the record taken/record.jsonl"), "{}", ran.stderr);
    assert_eq!(sim.count("PutBucketVersioning"), 0);
    let full = apply("enable plain") + " --record /dev/full";
    let ran = root(&full, &sim.endpoint).run_with("314159\n").expect(2);
    assert!(ran.stderr.contains("nothing was sent"), "{}", ran.stderr);
    assert_eq!(sim.count("PutBucketVersioning"), 0);
}

/// A link would append the lines to a file of somebody else, and a FIFO would wait for a reader.
#[test]
fn the_record_is_a_file_of_its_own() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let sim = simulator();
    for (kind, says) in [
        ("link", "it is a symbolic link"),
        ("hard link", "it has a second name (hard link)"),
        ("fifo", "it is a FIFO"),
        ("folder", "it is a folder"),
    ] {
        let cli = root(&apply("enable plain"), &sim.endpoint).file("reports/x", "").file("theirs", "precious");
        let place = cli.home().join("reports/mfa-delete.jsonl");
        match kind {
            "link" => symlink(cli.home().join("theirs"), place).expect("new"),
            "hard link" => std::fs::hard_link(cli.home().join("theirs"), place).expect("new"),
            "folder" => std::fs::create_dir(place).expect("new"),
            _ => assert!(std::process::Command::new("mkfifo").arg(place).status().expect("a program").success()),
        }
        let ran = cli.run_with("314159\n").expect(2);
        assert!(ran.stderr.contains(says) && ran.stderr.contains("nothing was sent"), "{kind}: {}", ran.stderr);
        assert_eq!((ran.read("theirs").as_str(), sim.count("PutBucketVersioning")), ("precious", 0), "{kind}");
    }
    let ran = root(&apply("enable plain"), &sim.endpoint).run_with("314159\n").expect(0);
    let mode = |path: &str| std::fs::metadata(ran.path(path)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("reports"), mode("reports/mfa-delete.jsonl")), (0o700, 0o600));
}

#[test]
fn the_record_is_only_appended_to() {
    let sim = simulator();
    let cli =
        root(&(apply("enable plain") + " --record kept.jsonl"), &sim.endpoint).file("kept.jsonl", "{\"older\":1}\n");
    let ran = cli.run_with("314159\n").expect(0);
    let text = ran.read("kept.jsonl");
    assert!(text.starts_with("{\"older\":1}\n{\"time\":") && text.lines().count() == 3, "{text}");
}

// ------------------------------------------------------------------------------------------------------- codes

#[test]
fn every_bucket_takes_a_code_of_its_own() {
    let sim = simulator();
    let ran = root(&apply("enable plain second locked"), &sim.endpoint).run_with("314159\n271828\n161803\n").expect(0);
    for name in ["plain", "second", "locked"] {
        assert_outcome(&ran, name, "confirmed", &[]);
    }
    assert_eq!(record(&ran).len(), 6);
}

#[test]
fn without_a_good_code_nothing_more_is_sent() {
    let table = [
        ("314159\n", "the input is at its end", 1),
        ("314159\n314159\n", "sent already", 1),
        ("314159\n27182\n", "6 digits", 1),
        ("31415\n271828\n", "6 digits", 0),
        ("314159 271828\n", "6 digits", 0),
        ("", "the input is at its end", 0),
    ];
    for (codes, why, sent) in table {
        let sim = simulator();
        let ran = root(&apply("enable plain second"), &sim.endpoint).run_with(codes).expect(1);
        let (ended, then) = if sent == 1 { ("second", None) } else { ("plain", Some("second")) };
        assert_outcome(&ran, ended, "not_sent", &[why]);
        if let Some(then) = then {
            assert_outcome(&ran, then, "not_sent", &["ended at another bucket"]);
        } else {
            assert_outcome(&ran, "plain", "confirmed", &[]);
        }
        assert_eq!(sim.count("PutBucketVersioning"), sent, "{codes:?}");
        assert!(!ran.stdout.contains("31415") && !ran.stderr.contains("31415"), "{}", ran.stdout);
    }
}

#[test]
fn what_the_server_refuses_is_explained_and_ends_the_command() {
    let table = [
        (root_access_key(ONE), SERIAL, "000000", "TokenCodeInvalidError", "wait for the next code"),
        (root_access_key(ONE), "GAHT22222222", "222222", "NotDeviceOwnerError", "belongs to another user"),
        (format!("AKIA0000{ONE}"), SERIAL, "314159", "only be performed by the bucket owner", "only the root user"),
    ];
    for (key, serial, code, says, means) in table {
        let sim = simulator();
        let words = apply("enable plain second").replace(SERIAL, serial);
        let ran = by(&key, &words, &sim.endpoint).run_with(&format!("{code}\n271828\n")).expect(1);
        assert_outcome(&ran, "plain", "refused", &[says, means]);
        assert_outcome(&ran, "second", "not_sent", &["ended at another bucket"]);
        assert_eq!(bucket(&ran, "plain")["after"]["mfa_delete"], "never");
        assert_eq!(sim.count("PutBucketVersioning"), 1);
        assert_eq!(record(&ran)[1]["outcome"], "refused");
    }
}

#[test]
fn a_code_that_was_used_by_another_run_is_refused() {
    let sim = simulator();
    root(&apply("enable plain"), &sim.endpoint).run_with("314159\n").expect(0);
    let ran = root(&apply("disable plain"), &sim.endpoint).run_with("314159\n").expect(1);
    assert_outcome(&ran, "plain", "refused", &["TokenCodeInvalidError"]);
}

// ------------------------------------------------------------------------------------- the way, and what is seen

/// Region and service for which a request is signed.
fn scope(request: &Request) -> String {
    request.header("authorization").expect("signed").split('/').skip(2).take(2).collect::<Vec<_>>().join("/")
}

#[test]
fn a_bucket_in_another_region_is_changed_where_the_user_says_only() {
    for redirect in ["301-permanent-redirect", "400-header-malformed", "illegal-location"] {
        let mut organization = organization();
        organization["accounts"][0]["buckets"][5]["redirect"] = json!(redirect);
        let sim = Sim::json(&organization.to_string());
        let proxy = Proxy::before(&sim, |_, forward| forward());
        let ran = root(&apply("enable elsewhere"), &proxy.endpoint).run_with("314159\n").expect(1);
        let why =
            ["run the command again with --region eu-west-1", "not followed: no answer leads this request elsewhere"];
        let why = if redirect == "illegal-location" { &why[..1] } else { &why };
        assert_outcome(&ran, "elsewhere", "refused", why);
        assert_nothing_sent(&ran, &sim);
        assert!(proxy.seen().iter().all(|request| scope(request).starts_with("us-east-1/")), "{redirect}");
        let status = root("status elsewhere", &proxy.endpoint).run().expect(3);
        assert_outcome(&status, "elsewhere", "unknown", &["run the command again with --region eu-west-1"]);

        let ran = root(&apply("enable elsewhere --region eu-west-1"), &proxy.endpoint).run_with("314159\n").expect(0);
        assert_eq!(bucket(&ran, "elsewhere")["region"], "eu-west-1");
        let seen = proxy.seen();
        let sent: Vec<String> =
            seen.iter().filter(|request| request.header("x-amz-mfa").is_some()).map(scope).collect();
        assert_eq!(sent, ["eu-west-1/s3"], "{redirect}");
    }
}

/// Nothing that a server says sends a code, or a read of the root user, to another server.
#[test]
fn no_answer_leads_to_another_server() {
    let sim = simulator();
    let other = Proxy::before(&sim, |_, forward| forward());
    let location = format!("{}/plain?versioning", other.endpoint);
    for status in [301, 302, 303, 307, 308] {
        for operation in ["GetBucketVersioning", "GetBucketLifecycleConfiguration", "PutBucketVersioning"] {
            let location = location.clone();
            let proxy = Proxy::before(&sim, move |request, forward| {
                if request.operation() != operation {
                    return forward();
                }
                let body = "<Error><Code>TemporaryRedirect</Code><Region>eu-west-1</Region></Error>";
                Answer::xml(status, body).header("location", &location).header("x-amz-bucket-region", "eu-west-1")
            });
            let ran = root(&apply("enable plain"), &proxy.endpoint).run_with("314159\n").expect(1);
            let to = other.endpoint.replace("http://", "");
            let why = format!("redirects to \\\"{to}\\\" (not followed");
            assert_outcome(&ran, "plain", "refused", &[&why]);
            let after = &bucket(&ran, "plain")["after"]["mfa_delete"];
            assert!(after.is_null() || after == "never", "{status} {operation}: {after}");
            let codes = proxy.seen().iter().filter(|request| request.header("x-amz-mfa").is_some()).count();
            assert_eq!(codes, usize::from(operation == "PutBucketVersioning"), "{status} {operation}");
        }
    }
    assert_eq!(other.seen().len(), 0);
    assert_eq!(sim.count("PutBucketVersioning"), 0);
}

#[test]
fn no_answer_of_aws_leads_away() {
    let sim = simulator();
    let table = [
        ("location", "https://other.example/plain", "redirects to \\\"other.example\\\""),
        ("location", "https://s3.eu-west-1.amazonaws.com/plain", "redirects to \\\"s3.eu-west-1.amazonaws.com\\\""),
        ("x-amz-bucket-region", "eu-west-1", "run the command again with --region eu-west-1"),
        ("x-amz-bucket-region", "cn-north-1", "it names the Region \\\"cn-north-1\\\""),
    ];
    for (name, value, why) in table {
        for operation in ["GetBucketVersioning", "PutBucketVersioning"] {
            let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
                it if it == operation => Answer::xml(307, "").header(name, value),
                _ => forward(),
            });
            let aws = AwsHosts::lead_to(&proxy.endpoint);
            let ran = on_aws(&aws, &root_access_key(ONE), &apply("enable plain"), "314159\n").expect(1);
            let why = if operation == "PutBucketVersioning" { "not followed" } else { why };
            assert_outcome(&ran, "plain", "refused", &[why]);
            assert!(!ran.stdout.contains("--region cn-north-1"), "{}", ran.stdout);
            let hosts: Vec<String> = aws.wanted().into_iter().collect();
            assert_eq!(hosts, ["s3.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"], "{value} {operation}");
        }
    }
    assert_eq!(sim.count("PutBucketVersioning"), 0);
}

/// What a network or a server does with the request for the first bucket, and what comes of both buckets.
#[test]
fn the_request_goes_out_once_whatever_becomes_of_it_and_the_state_tells() {
    type Meddle = fn(&dyn Fn() -> Answer) -> Answer;
    const INTERNAL: &str = "<Error><Code>InternalError</Code><Message/></Error>";
    const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code><Message/></Error>";
    let table: [(&str, Meddle, [&str; 2], i32); 6] = [
        ("applied, and the answer is lost", |forward| (forward(), Answer::lost()).1, ["confirmed"; 2], 0),
        ("lost on the way", |_| Answer::lost(), ["no_answer", "not_sent"], 3),
        ("applied, and called an error", |forward| (forward(), Answer::xml(500, INTERNAL)).1, ["confirmed"; 2], 0),
        ("an error", |_| Answer::xml(500, INTERNAL), ["no_answer", "not_sent"], 3),
        ("too fast", |_| Answer::xml(503, SLOW_DOWN), ["refused", "not_sent"], 1),
        ("accepted and forgotten", |_| Answer::xml(200, ""), ["accepted_not_visible", "confirmed"], 3),
    ];
    for (what, meddle, outcomes, code) in table {
        let sim = simulator();
        let proxy = Proxy::before(&sim, move |request, forward| match (request.operation(), request.bucket()) {
            ("PutBucketVersioning", "plain") => meddle(forward),
            _ => forward(),
        });
        let ran = root(&apply("enable plain second"), &proxy.endpoint).run_with("314159\n271828\n");
        assert_eq!(["plain", "second"].map(|name| bucket(&ran, name)["outcome"].clone()), outcomes, "{what}");
        assert_eq!(ran.code, code, "{what}");
        if outcomes[0] != "confirmed" {
            let unchanged = json!({"versioning": "enabled", "mfa_delete": "never"});
            assert_eq!(bucket(&ran, "plain")["after"], unchanged, "{what}");
        }
        let lines = record(&ran);
        let recorded: Vec<&Value> = lines.iter().map(|line| &line["outcome"]).collect();
        let sent: Vec<&str> = outcomes.into_iter().filter(|outcome| *outcome != "not_sent").collect();
        assert_eq!(recorded, sent.iter().flat_map(|outcome| ["sending", outcome]).collect::<Vec<_>>(), "{what}");
        let codes = proxy.seen().iter().filter(|request| request.header("x-amz-mfa").is_some()).count();
        assert_eq!(codes, sent.len(), "{what}");
    }
}

#[test]
fn a_change_that_is_seen_late_is_waited_for() {
    let sim = simulator();
    let reads = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| {
        let answer = forward();
        // Two reads come before the request, and two more see nothing of it.
        if request.operation() == "GetBucketVersioning" && reads.fetch_add(1, Ordering::Relaxed) < 4 {
            return Answer::xml(200, "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
        }
        answer
    });
    let words = apply("enable plain").replace("--wait 0", "--wait 30");
    let ran = root(&words, &proxy.endpoint).run_with("314159\n").expect(0);
    assert_outcome(&ran, "plain", "confirmed", &[]);
    assert_eq!(proxy.count("GetBucketVersioning"), 5);
    assert!(ran.stderr.contains("waiting up to 30 s"), "{}", ran.stderr);
}

#[test]
fn a_state_that_cannot_be_read_afterwards_is_not_guessed() {
    let sim = simulator();
    let reads = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| {
        if request.operation() == "GetBucketVersioning" && reads.fetch_add(1, Ordering::Relaxed) >= 2 {
            return Answer::xml(403, "<Error><Code>AccessDenied</Code><Message/></Error>");
        }
        forward()
    });
    let ran = root(&apply("enable plain"), &proxy.endpoint).run_with("314159\n").expect(3);
    assert_outcome(&ran, "plain", "accepted_not_visible", &[]);
    assert_eq!(bucket(&ran, "plain")["after"], json!({"versioning": "unknown", "mfa_delete": "unknown"}));
}

#[test]
fn words_of_a_server_cannot_drive_the_terminal() {
    let sim = simulator();
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "PutBucketVersioning" => Answer::xml(400, "<Error><Code>X</Code><Message>\u{1b}[2Jconfirmed</Message></Error>"),
        _ => forward(),
    });
    let words = apply("enable plain");
    let cli = Cli::new(["mfa-delete"].into_iter().chain(words.split(' ')));
    let ran = cli.keys(&proxy.endpoint, &root_access_key(ONE), SECRET_KEY).run_with("314159\n").expect(1);
    assert!(ran.stdout.contains("\\u{1b}[2Jconfirmed") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}

// --------------------------------------------------------------------------------------------------------- AWS

/// On AWS, without any endpoint in the settings.
fn on_aws(aws: &AwsHosts, key: &str, words: &str, code: &str) -> Ran {
    let cli = Cli::new(["mfa-delete"].into_iter().chain(words.split(' ')).chain(["--format", "json"]));
    aws.run_as(cli, key).run_with(code)
}

#[test]
fn on_aws_only_root_is_asked_for_a_code() {
    let sim = simulator();
    let aws = AwsHosts::lead_to(&sim.endpoint);
    let user = on_aws(&aws, &format!("AKIA0000{ONE}"), &apply("enable plain"), "314159\n").expect(1);
    let why = "these are the credentials of arn:aws:iam::111111111111:user/scanner";
    assert_outcome(&user, "plain", "refused", &[why]);
    assert_nothing_sent(&user, &sim);

    let others = apply("enable plain").replace(ONE, TWO);
    let ran = on_aws(&aws, &root_access_key(ONE), &others, "314159\n").expect(1);
    assert_outcome(&ran, "plain", "refused", &["the MFA device belongs to another account"]);
    assert_nothing_sent(&ran, &sim);

    let ran = on_aws(&aws, &root_access_key(ONE), &apply("enable plain"), "314159\n").expect(0);
    assert_outcome(&ran, "plain", "confirmed", &[]);
    let status = on_aws(&aws, &format!("AKIA0000{ONE}"), "status plain", "").expect(0);
    assert_eq!(bucket(&status, "plain")["before"]["mfa_delete"], "enabled");
}
