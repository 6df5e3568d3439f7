//! Dates thousands of years away, in answers and in folders: they may be refused, and they end nothing.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};
use crate::saved::Runs;
use crate::scan::{Answer, MANAGEMENT, Proxy, buckets, good, management, organization};

const FAR: [&str; 4] =
    ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"];

fn two() -> Sim {
    Sim::json(
        &organization(&json!([
            management(&json!({"buckets": [good("ours")]})),
            {"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("theirs")]},
        ]))
        .to_string(),
    )
}

#[track_caller]
fn assert_ended(ran: &Ran, codes: &[i32], what: &str) {
    assert!(codes.contains(&ran.code), "{what}: {}\n{}{}", ran.code, ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
}

fn scan(proxy: &Proxy) -> Ran {
    let arguments = ["scan", "--organization", "--out", "out", "--max-attempts", "2"];
    Cli::new(arguments).at(&proxy.endpoint, MANAGEMENT).run()
}

/// What stands between these, in whatever answer has them.
fn with_date(mut answer: Answer, before: &str, after: &str, date: &str) -> Answer {
    let mut body = String::new();
    let mut rest = answer.body.as_str();
    while let Some((head, tail)) = rest.split_once(before) {
        body.push_str(head);
        body.push_str(before);
        body.push_str(date);
        rest = tail.find(after).map_or(tail, |end| &tail[end..]);
    }
    body.push_str(rest);
    answer.body = body;
    answer
}

#[test]
fn the_time_of_a_server_may_be_far_away() {
    let sim = two();
    for date in ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Sat, 01 Jan 2999 00:00:00 GMT"] {
        for refuses in ["GetBucketVersioning", "ListBuckets", "AssumeRole"] {
            let proxy = Proxy::before(&sim, move |request, forward| {
                let answer = if request.operation() == refuses {
                    Answer::xml(403, "<Error><Code>RequestTimeTooSkewed</Code><Message>no</Message></Error>")
                } else {
                    forward()
                };
                answer.header("date", date)
            });
            let ran = scan(&proxy);
            // No account could be read, or not all.
            let code = if refuses == "ListBuckets" { 2 } else { 3 };
            assert_ended(&ran, &[code], &format!("{date} of {refuses}"));
            if code == 2 {
                continue;
            }
            assert_eq!(ran.json("out/report.json")["run"]["clock_skew_seconds"], Value::Null);
        }
    }
}

#[test]
fn dates_in_answers_may_be_far_away() {
    let sim = two();
    for (before, after, code) in [("<Expiration>", "</Expiration>", 0), ("<CreationDate>", "</CreationDate>", 0)] {
        for date in FAR.into_iter().chain(["+12026-01-01T00:00:00Z", "292277026596-12-04T15:30:07Z"]) {
            let proxy = Proxy::before(&sim, move |_, forward| with_date(forward(), before, after, date));
            let ran = scan(&proxy);
            // The SDK reads no other years; then the account is failed, with the reason.
            let codes = if date.len() == 20 { [code, 1, 1] } else { [code, 1, 3] };
            assert_ended(&ran, &codes, &format!("{before}{date}"));
        }
    }
    for number in ["253402300799", "1e300", "-1e300", "1e18", "-9223372036854775808", "0.0000001"] {
        let proxy = Proxy::before(&sim, move |request, forward| {
            let answer = forward();
            if request.operation() != "ListAccounts" {
                return answer;
            }
            with_date(answer, "\"Id\":", "\"", &format!(" \"x\", \"JoinedTimestamp\": {number}, \"Id\":"))
        });
        assert_ended(&scan(&proxy), &[0, 1, 2, 3], number);
    }
}

#[test]
fn credentials_may_end_far_away() {
    let sim = buckets(&json!([good("one")]));
    for date in FAR {
        let keys = json!({
            "Version": 1,
            "AccessKeyId": bucketlens::simulator::access_key(MANAGEMENT),
            "SecretAccessKey": bucketlens::simulator::SECRET_KEY,
            "SessionToken": "x",
            "Expiration": date,
        });
        let ran = Cli::new(["scan", "--out", "out"])
            .file("keys.json", &keys.to_string())
            .file(".aws/config", "[default]\nregion = us-east-1\ncredential_process = /bin/cat keys.json\n")
            .env("AWS_ENDPOINT_URL", &sim.endpoint)
            .run();
        assert_ended(&ran, &[0, 2, 3], date);
    }
}

#[test]
fn dates_in_folders_may_be_far_away() {
    let (sim, runs) = (buckets(&json!([good("one")])), Runs::new());
    runs.scan("good", &sim, MANAGEMENT, &[]).expect(0);
    for inside in ["run.json", "start.json", "111111111111.jsonl"] {
        for date in FAR {
            let _ = fs::remove_dir_all(runs.path("run"));
            crate::common::copy(&runs.path("good"), &runs.path("run"));
            let path = runs.path(&format!("run/inventory/{inside}"));
            let text = fs::read_to_string(&path).expect("there");
            let (head, day) = text.split_once("\"20").expect("a time");
            let rest = day.split_once('"').expect("closed").1;
            fs::write(&path, format!("{head}\"{date}\"{rest}")).expect("writable");
            for arguments in
                [&["report", "@run", "--out", "@again"][..], &["diff", "@good", "@run"], &["trend", "@run"]]
            {
                assert_ended(&runs.run(arguments), &[0, 2], &format!("{inside} {date} {arguments:?}"));
            }
            let run = runs.text("run");
            for age in ["0s", "4294967295d"] {
                let resume = ["scan", "--resume", &run, "--max-age", age];
                let ran = Cli::new(resume).at(&sim.endpoint, MANAGEMENT).run();
                assert_ended(&ran, &[0, 2], &format!("{inside} {date} {age}"));
            }
        }
    }
}
