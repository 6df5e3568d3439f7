//! What a run says on stderr while nobody watches it: a line for each step at `info`, what was not answered at `debug`,
//! and with `--log-format json` an object a line, errors of any kind included.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};
use crate::proxy::{Act, Proxy};

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";
const THREE: &str = "333333333333";

/// One account is read, one cannot be entered, one cannot be listed.
fn organization() -> Sim {
    let bucket =
        json!({"name": "bucket-of-one", "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Enabled"});
    let organization = json!({
        "organization_id": "o-logs", "management_account": ONE, "root": "r-logs",
        "accounts": [
            {"id": ONE, "name": "one", "ou": "r-logs", "buckets": [bucket]},
            {"id": TWO, "name": "two", "ou": "r-logs", "role_names": ["Other"], "buckets": []},
            {"id": THREE, "name": "three", "ou": "r-logs", "role_names": ["Audit"], "deny": ["ListBuckets"], "buckets": []}
        ]
    });
    Sim::json(&organization.to_string())
}

fn scan(sim: &Sim, more: &[&str]) -> Ran {
    let fixed = ["scan", "--organization", "--role-name", "Audit", "--out", "out", "--external-id", "open-sesame"];
    Cli::new(fixed.into_iter().chain(more.iter().copied())).at(&sim.endpoint, ONE).run()
}

/// Every line of stderr is an object.
#[track_caller]
fn objects(ran: &Ran) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let objects: Vec<Value> = ran.stderr.lines().map(parse).collect();
    assert!(
        objects.iter().all(|object| object["timestamp"].is_string() && object["message"].is_string()),
        "{objects:?}"
    );
    objects
}

#[test]
fn info_tells_the_run_from_its_beginning_to_its_end() {
    let sim = organization();
    let ran = scan(&sim, &["--log-level", "info", "--log-format", "json", "--fail-on", "none"]).expect(3);
    let lines = objects(&ran);
    let said = |message: &str| -> Vec<&Value> { lines.iter().filter(|line| line["message"] == message).collect() };
    let [begins] = said("the scan begins")[..] else { panic!("{lines:?}") };
    assert_eq!(begins["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(begins["scope"], "--organization --role-name=Audit");
    let read: Vec<_> = said("account read").iter().map(|line| (&line["account"], &line["buckets"])).collect();
    assert_eq!(read, [(&json!(ONE), &json!(1))]);
    let mut failed = said("account not read, or not to its end");
    failed.sort_by_key(|line| line["account"].to_string());
    let accounts: Vec<_> = failed.iter().map(|line| (&line["account"], &line["outcome"])).collect();
    assert_eq!(accounts, [(&json!(TWO), &json!("failed")), (&json!(THREE), &json!("failed"))]);
    assert!(failed[0]["reason"].to_string().contains("AssumeRole denied"), "{failed:?}");
    assert!(failed[1]["reason"].to_string().contains("ListBuckets denied"), "{failed:?}");
    let [ended] = said("the scan ended")[..] else { panic!("{lines:?}") };
    assert_eq!(ended["exit_code"], 3);
    assert!(ended["outcome"].to_string().contains("stayed unknown"), "{ended}");
    assert!(!ran.stderr.contains("open-sesame"));
    assert_eq!(lines.first().expect("lines")["message"], "the scan begins");
    assert_eq!(lines.last().expect("lines")["message"], "the scan ended");
}

#[test]
fn nothing_is_told_where_nobody_asked() {
    let sim = organization();
    assert_eq!(scan(&sim, &["--fail-on", "none"]).expect(3).stderr, "");
}

#[test]
fn debug_tells_what_was_not_answered() {
    let sim = organization();
    let busy = Proxy::before(&sim, {
        let asked = AtomicBool::new(false);
        move |request, forward| {
            if request.operation() == "GetBucketVersioning" && !asked.swap(true, Ordering::SeqCst) {
                return crate::proxy::Answer::xml(
                    503,
                    "<Error><Code>SlowDown</Code><Message>Slow down</Message></Error>",
                );
            }
            forward()
        }
    });
    let fixed = ["scan", "--organization", "--role-name", "Audit", "--out", "out", "--log-level", "debug"];
    let ran = Cli::new(fixed.into_iter().chain(["--log-format", "json"])).at(&busy.endpoint, ONE).run().expect(3);
    let lines = objects(&ran);
    let not_answered = |operation: &str, class: &str| {
        lines
            .iter()
            .any(|line| line["message"] == "not answered" && line["operation"] == operation && line["class"] == class)
    };
    assert!(not_answered("ListBuckets", "denied"), "{}", ran.stderr);
    assert!(!not_answered("GetBucketLifecycleConfiguration", "rejected"), "that there is none is an answer");
    assert!(not_answered("AssumeRole", "denied"), "{}", ran.stderr);
    assert!(not_answered("GetBucketVersioning", "throttled"), "{}", ran.stderr);
    assert!(lines.iter().any(|line| line["message"] == "asking again"), "{}", ran.stderr);
}

#[test]
fn errors_of_any_kind_are_objects_too() {
    let sim = organization();
    let run = |arguments: &[&str], variables: &[(&str, &str)], file: Option<&str>| {
        let cli = Cli::new(arguments.iter().copied()).at(&sim.endpoint, ONE);
        let cli = variables.iter().fold(cli, |cli, (name, value)| cli.env(name, value));
        let cli = file.into_iter().fold(cli, |cli, text| cli.file("bucketlens.toml", text));
        let ran = cli.run().expect(2);
        assert_eq!(ran.stdout, "");
        objects(&ran)
    };
    let json = ["--log-format", "json"];
    let with = |words: &[&'static str]| [words, &json].concat();
    let in_the_file = Some("log-format = \"json\"\nconcurrency = 0\nstandard = \"none\"\n");
    for (errors, words) in [
        // clap's own
        (run(&with(&["scan", "--nonsense"]), &[], None), vec!["unexpected argument '--nonsense'"]),
        (run(&["scan", "--log-format=json", "--concurrency", "0"], &[], None), vec!["--concurrency"]),
        (run(&["scan", "--nonsense"], &[("BUCKETLENS_LOG_FORMAT", "json")], None), vec!["--nonsense"]),
        (run(&with(&["storage-lens", "read"]), &[], None), vec!["required arguments"]),
        (run(&with(&["mfa-delete", "enable"]), &[], None), vec!["required arguments"]),
        // of the configuration
        (run(&with(&["scan", "--account", "1", "--region", "é"]), &[], None), vec!["12 digits", "name of a Region"]),
        (run(&["scan", "--config", "bucketlens.toml"], &[], in_the_file), vec!["concurrency", "standard"]),
        // when it runs
        (run(&with(&["scan", "--profile", "nobody"]), &[], None), vec!["no profile \"nobody\""]),
        (run(&with(&["scan", "--account-id", TWO]), &[], None), vec!["not to 222222222222"]),
        (run(&with(&["scan", "--resume", "nowhere"]), &[], None), vec!["nowhere"]),
        (run(&with(&["storage-lens", "read", "nowhere"]), &[], None), vec!["nowhere"]),
        (run(&with(&["mfa-delete", "status", "a-b-c", "--profile", "nobody"]), &[], None), vec!["no profile"]),
    ] {
        assert_eq!(errors.len(), words.len(), "{errors:?}");
        for (error, words) in errors.iter().zip(words) {
            assert_eq!(error["level"], "ERROR");
            assert!(error["message"].as_str().expect("text").contains(words), "{words}: {error}");
            assert!(!error["message"].as_str().expect("text").starts_with("error"), "{error}");
        }
    }
}

/// The longest wait of all tests: half a minute until the first one is due.
#[test]
fn a_heartbeat_tells_how_far_a_long_scan_is() {
    let sim = organization();
    let slow = Proxy::acting(&sim, |request, forward| {
        let mut acts = forward().acts();
        if request.operation() == "GetBucketVersioning" {
            acts.insert(0, Act::Pause(Duration::from_secs(32)));
        }
        acts
    });
    let arguments = ["scan", "--out", "out", "--log-level", "info", "--log-format", "json", "--read-timeout", "60"];
    let ran = Cli::new(arguments).at(&slow.endpoint, ONE).run().expect(0);
    let lines = objects(&ran);
    let beats: Vec<&Value> = lines.iter().filter(|line| line["message"] == "the scan goes on").collect();
    let [beat] = beats[..] else { panic!("{lines:?}") };
    let counts = ["accounts_done", "accounts_found", "buckets_done", "buckets_found"].map(|name| beat[name].as_u64());
    assert_eq!(counts, [Some(0), Some(1), Some(0), Some(1)]);
    assert!(beat["requests"].as_u64().is_some_and(|requests| requests >= 3), "{beat}");
    assert!(beat["requests_per_second"].is_string(), "{beat}");
}
