//! Accounts that throttle, fail for a while, or for ever.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bucketlens::simulator::{Options, Organization};
use serde_json::{Value, json};

use super::common::Sim;
use super::proxy::{Answer, Proxy};
use super::scan::{buckets, counts, coverage, good, management, many, organization, scan, with};

const MANAGEMENT: &str = "111111111111";

fn failing(code: &str, times: impl Into<Value>) -> Value {
    let failure = json!({"status": 503, "code": code, "times": times.into()});
    json!({"fail": {"GetBucketVersioning": failure, "GetBucketLifecycleConfiguration": failure}})
}

#[test]
fn an_account_with_a_limit_is_read_whole_and_hardly_ever_refused() {
    let accounts = json!([management(&json!({"buckets": many(60)}))]);
    let organization = Organization::from_json(&organization(&accounts).to_string()).expect("a good fixture");
    let latency = Duration::from_millis(10);
    let sim = Sim::with(organization, Options { rate: Some(30), latency, ..Options::default() });
    let ran = scan([]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let rows = ran.rows("out/buckets.csv");
    assert!(rows.len() == 60 && rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
    let throttled = sim.count("Throttled");
    assert!((1..20).contains(&throttled), "{throttled} of 121 requests were refused");
    assert_eq!(coverage(&ran, "throttled"), throttled);
    assert_eq!(coverage(&ran, "buckets_unknown"), 0);
}

/// A limit that slowing down satisfies is none of these: the slower it was asked, the longer it would take.
#[test]
fn refusals_that_do_not_depend_on_the_rate_bring_no_account_to_a_stand() {
    let sim = buckets(&many(100));
    let dice = Mutex::new(fastrand::Rng::with_seed(7));
    let proxy = Proxy::before(&sim, move |request, forward| {
        let about_bucket = !request.bucket().is_empty();
        if about_bucket && dice.lock().expect("no panic").u32(0..100) < 30 {
            Answer::xml(503, "<Error><Code>SlowDown</Code><Message>please</Message></Error>")
        } else {
            forward()
        }
    });
    let start = Instant::now();
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    // 200 requests, which took five minutes and more where each refusal made the account slower.
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
    let rows = ran.rows("out/buckets.csv");
    assert!(rows.len() == 100 && rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
    let told = ran.stderr.matches("refusals do not depend on how fast it is asked").count();
    assert_eq!(told, 1, "{}", ran.stderr);
}

#[test]
fn an_account_that_throttles_for_ever_ends_with_every_row_and_its_reason() {
    let refused = failing("SlowDown", Value::Null);
    let sim = buckets(&json!([with(good("a"), &refused), with(good("b"), &refused), with(good("c"), &refused)]));
    let start = Instant::now();
    let ran = scan(["--max-attempts", "2"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
    for name in ["a", "b", "c"] {
        let row = ran.bucket(name);
        let reasons: Vec<&str> = row["unknown_reasons"].split(';').collect();
        assert_eq!([row["status"].as_str(), row["versioning"].as_str(), row["lifecycle"].as_str()], ["unknown"; 3]);
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert!(reasons.iter().all(|reason| reason.contains(" throttled (SlowDown, HTTP 503")), "{reasons:?}");
    }
    // Twice, and once in the last pass.
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [9, 9]);
    assert_eq!((coverage(&ran, "throttled"), coverage(&ran, "retries")), (18, 12));
}

#[test]
fn what_the_last_pass_heals_is_known() {
    let sim = buckets(&json!([with(good("late"), &failing("ServiceUnavailable", 2)), good("steady")]));
    let ran = scan(["--max-attempts", "2"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let rows = ran.rows("out/buckets.csv");
    assert!(rows.len() == 2 && rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [4, 4]);
    assert_eq!((coverage(&ran, "retries"), coverage(&ran, "buckets_unknown")), (4, 0));
}

#[test]
fn only_what_is_open_is_asked_in_the_last_pass() {
    let versioning = json!({"fail": {"GetBucketVersioning": {"status": 500, "code": "InternalError", "times": 2}}});
    let denied = json!({"deny": {"GetBucketLifecycleConfiguration": ""}});
    let sim = buckets(&json!([with(with(good("one"), &versioning), &denied)]));
    let ran = scan(["--max-attempts", "2"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [3, 1]);
    let row = ran.bucket("one");
    assert_eq!((row["versioning"].as_str(), row["lifecycle"].as_str()), ("enabled", "unknown"));
}

#[test]
fn one_attempt_is_one_even_where_it_fails() {
    let sim = buckets(&json!([with(good("down"), &failing("ServiceUnavailable", 1))]));
    let ran = scan(["--max-attempts", "1"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(counts(&sim, ["GetBucketVersioning", "GetBucketLifecycleConfiguration"]), [1, 1]);
    assert_eq!((coverage(&ran, "retries"), coverage(&ran, "throttled")), (0, 2));
}
