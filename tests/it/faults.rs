//! Faults of the network and of servers, over real sockets: whatever happens, every bucket that was listed has one row,
//! nothing false stands in it, and the run ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Ran, Sim};
use crate::proxy::{Act, Answer, Proxy, Refusing, Request};
use crate::scan::{MANAGEMENT, buckets, coverage, scan};

const VERSIONING: &str = "GetBucketVersioning";
const LIFECYCLE: &str = "GetBucketLifecycleConfiguration";

/// Names, and what is true of the buckets: versioning, MFA delete, lifecycle and its number of rules, as in
/// `buckets.csv`.
const TRUTH: [(&str, [&str; 4]); 9] = [
    ("plain", ["never", "never", "none", "0"]),
    ("kept", ["enabled", "never", "none", "0"]),
    ("guarded", ["enabled", "enabled", "none", "0"]),
    ("unguarded", ["enabled", "disabled", "none", "0"]),
    ("paused", ["suspended", "never", "none", "0"]),
    ("paused-guarded", ["suspended", "enabled", "none", "0"]),
    ("tidied", ["enabled", "never", "present", "1"]),
    ("tidied-twice", ["enabled", "disabled", "present", "2"]),
    ("plain-tidied", ["never", "never", "present", "1"]),
];

/// The simulator with these buckets, every third of them in another Region.
fn truth() -> Sim {
    let capital = |word: &str| match word {
        "enabled" => json!("Enabled"),
        "disabled" => json!("Disabled"),
        "suspended" => json!("Suspended"),
        _ => Value::Null,
    };
    let bucket = |(number, (name, [versioning, mfa_delete, _, rules])): (usize, &(&str, [&str; 4]))| {
        let region = if number % 3 == 2 { "eu-central-1" } else { "us-east-1" };
        let rules: u32 = rules.parse().expect("a number");
        let rule = |days: u32| json!({"ID": days.to_string(), "Filter": {}, "Status": "Enabled", "Expiration": {"Days": days}});
        let mut bucket = json!({"name": name, "region": region});
        for (member, value) in [("versioning", capital(versioning)), ("mfa_delete", capital(mfa_delete))] {
            if !value.is_null() {
                bucket[member] = value;
            }
        }
        if rules > 0 {
            bucket["lifecycle"] = (1..=rules).map(rule).collect();
        }
        bucket
    };
    buckets(&TRUTH.iter().enumerate().map(bucket).collect())
}

/// What a fault does to the facts whose requests it hits every time.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// They are unknown, for one of these reasons, in the words of `unknown_reasons` behind the operation.
    Hides(&'static [&'static str]),
    /// Nothing: the answer is as good as any.
    Nothing,
}

const SEEDS: [u64; 3] = [1, 2, 3];

/// How long a run may take, on a machine that has much else to do.
const BOUND: Duration = Duration::from_mins(1);

/// What a seed chooses: about every third request, of any kind.
fn is_victim(seed: u64, operation: &str, bucket: &str) -> bool {
    let bytes = operation.bytes().chain(bucket.bytes());
    let hash = bytes.fold(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    });
    hash % 3 == 0
}

fn run(endpoint: &str, attempts: &str) -> Ran {
    let quick = ["--connect-timeout", "2", "--read-timeout", "2", "--operation-timeout", "3"];
    let began = Instant::now();
    let ran = scan(quick.into_iter().chain(["--max-attempts", attempts])).at(endpoint, MANAGEMENT).run();
    assert!(began.elapsed() < BOUND, "{:?}\n{}", began.elapsed(), ran.stderr);
    ran
}

/// One row for each bucket, and the rows say what is true but for what these requests had to tell.
fn assert_rows(ran: &Ran, hidden: &BTreeSet<(&str, &str)>, why: &[&str]) {
    let rows = ran.rows("out/buckets.csv");
    let names: Vec<&str> = rows.iter().map(|row| row["bucket"].as_str()).collect();
    let listed: BTreeSet<&str> = TRUTH.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed.iter().copied().collect::<Vec<_>>(), "each once");
    let truth = BTreeMap::from(TRUTH);
    for row in &rows {
        let bucket = row["bucket"].as_str();
        let [versioning, lifecycle] = [VERSIONING, LIFECYCLE].map(|operation| hidden.contains(&(operation, bucket)));
        let mut expected = truth[bucket];
        if versioning {
            [expected[0], expected[1]] = ["unknown"; 2];
        }
        if lifecycle {
            [expected[2], expected[3]] = ["unknown", ""];
        }
        let found = ["versioning", "mfa_delete", "lifecycle", "lifecycle_rules"].map(|column| row[column].as_str());
        assert_eq!(found, expected, "{row:?}");
        let reasons: Vec<&str> = row["unknown_reasons"].split(';').filter(|reason| !reason.is_empty()).collect();
        let operations = [(VERSIONING, versioning), (LIFECYCLE, lifecycle)];
        let expected = operations.iter().filter(|(_, hidden)| *hidden).map(|(operation, _)| *operation);
        assert_eq!(reasons.len(), expected.clone().count(), "{row:?}");
        for (found, operation) in reasons.iter().zip(expected) {
            let is_named = why.iter().any(|reason| found.starts_with(&format!("{operation} {reason}")));
            assert!(is_named, "{found} is not {operation} {why:?}");
        }
    }
    let unknown: BTreeSet<&str> = hidden.iter().map(|(_, bucket)| *bucket).collect();
    assert_eq!(coverage(ran, "buckets_unknown"), unknown.len() as u64);
    assert_eq!(ran.rows("out/accounts.csv")[0]["outcome"], "complete");
}

type Fault = Arc<dyn Fn(&Request, &dyn Fn() -> Answer) -> Vec<Act> + Send + Sync>;

/// The fault, met by some requests about buckets always, and by some requests of any kind once or twice.
fn hold(does: Does, fault: impl Fn(&Request, &dyn Fn() -> Answer) -> Vec<Act> + Send + Sync + 'static) {
    let sim = truth();
    let fault: Fault = Arc::new(fault);
    std::thread::scope(|scope| {
        for seed in SEEDS {
            let (sim, persistent, transient) = (&sim, Arc::clone(&fault), Arc::clone(&fault));
            scope.spawn(move || persists(sim, seed, does, persistent));
            scope.spawn(move || heals(sim, seed, transient));
        }
    });
}

fn persists(sim: &Sim, seed: u64, does: Does, fault: Fault) {
    let proxy = Proxy::acting(sim, move |request, forward| {
        let about_bucket = matches!(request.operation(), VERSIONING | LIFECYCLE);
        if about_bucket && is_victim(seed, request.operation(), request.bucket()) {
            fault(request, forward)
        } else {
            forward().acts()
        }
    });
    let victims = TRUTH.iter().flat_map(|(name, _)| [(VERSIONING, *name), (LIFECYCLE, *name)]);
    let victims: BTreeSet<_> = victims.filter(|(operation, bucket)| is_victim(seed, operation, bucket)).collect();
    assert!((3..=12).contains(&victims.len()), "seed {seed} chooses {victims:?}");
    let ran = run(&proxy.endpoint, "2");
    match does {
        Does::Hides(why) => assert_rows(&ran.expect(3), &victims, why),
        Does::Nothing => assert_rows(&ran.expect(0), &BTreeSet::new(), &[]),
    }
}

fn heals(sim: &Sim, seed: u64, fault: Fault) {
    let hits = Mutex::new(BTreeMap::<(String, String), u64>::new());
    let proxy = Proxy::acting(sim, move |request, forward| {
        let (operation, bucket) = (request.operation(), request.bucket());
        let hit = is_victim(seed, operation, bucket) && {
            let mut hits = hits.lock().expect("no panic");
            let hits = hits.entry((operation.to_owned(), bucket.to_owned())).or_default();
            *hits += 1;
            *hits <= 1 + seed % 2
        };
        if hit { fault(request, forward) } else { forward().acts() }
    });
    let ran = run(&proxy.endpoint, "6").expect(0);
    assert_rows(&ran, &BTreeSet::new(), &[]);
}

/// Tests of one kind of fault each.
macro_rules! faults {
    ($($(#[$comment:meta])* $name:ident: $does:expr, $acts:expr;)*) => {
        $($(#[$comment])* #[test] fn $name() { hold($does, $acts); })*
    };
}

fn send(text: impl Into<Vec<u8>>) -> Act {
    Act::Send(text.into())
}

/// The first half of a text and the second.
fn halves(text: &str) -> (&str, &str) {
    text.split_at(text.len() / 2)
}

/// An error of the service, as S3 writes it.
fn error(status: u16, code: &str) -> Vec<Act> {
    Answer::xml(status, &format!("<Error><Code>{code}</Code><Message>made up</Message></Error>")).acts()
}

/// Another body with the status, headers and length that fit it.
fn says(status: u16, body: &str) -> Vec<Act> {
    Answer::xml(status, body).acts()
}

/// Longer than any timeout.
const SILENCE: Act = Act::Pause(Duration::from_secs(10));

const UNAVAILABLE: Does = Does::Hides(&["unavailable"]);
/// Of a bucket that has no lifecycle configuration the answer is 404.
const MALFORMED: Does = Does::Hides(&["malformed (HTTP 200", "malformed (HTTP 404"]);

faults! {
    // --- the connection ---
    closed_at_once: UNAVAILABLE, |_, _| vec![];
    reset_before_the_answer: UNAVAILABLE, |_, _| vec![Act::Reset];
    reset_in_the_headers: UNAVAILABLE, |_, forward| {
        let answer = forward();
        vec![send(halves(&answer.head("")).0), Act::Pause(Duration::from_millis(20)), Act::Reset]
    };
    closed_in_the_headers: UNAVAILABLE, |_, forward| vec![send(halves(&forward().head("")).0)];
    reset_in_the_body: MALFORMED, |_, forward| {
        let answer = forward();
        let length = format!("content-length: {}\r\n", answer.body.len());
        vec![send(answer.head(&length) + halves(&answer.body).0), Act::Pause(Duration::from_millis(20)), Act::Reset]
    };
    closed_in_the_body: MALFORMED, |_, forward| {
        let answer = forward();
        let length = format!("content-length: {}\r\n", answer.body.len());
        vec![send(answer.head(&length) + halves(&answer.body).0)]
    };
    /// HTTP/1.0 has no other end of a body than that of the connection.
    closed_in_a_body_without_length: MALFORMED, |_, forward| {
        let answer = forward();
        vec![send(answer.head("").replace("HTTP/1.1", "HTTP/1.0") + halves(&answer.body).0)]
    };
    whole_without_length: Does::Nothing, |_, forward| {
        let answer = forward();
        vec![send(answer.head("").replace("HTTP/1.1", "HTTP/1.0") + &answer.body)]
    };

    trickling_to_the_end: Does::Nothing, |_, forward| {
        let wire = forward().wire().into_bytes();
        let step = wire.len() / 10;
        wire.chunks(step).flat_map(|part| [send(part), Act::Pause(Duration::from_millis(10))]).collect()
    };

    // --- errors of the service ---
    internal_error: Does::Hides(&["unavailable (InternalError, HTTP 500"]), |_, _| error(500, "InternalError");
    service_unavailable: Does::Hides(&["unavailable (ServiceUnavailable, HTTP 503"]), |_, _| {
        error(503, "ServiceUnavailable")
    };
    slow_down: Does::Hides(&["throttled (SlowDown, HTTP 503"]), |_, _| error(503, "SlowDown");
    slow_down_without_body: Does::Hides(&["unavailable (HTTP 503"]), |_, _| says(503, "");
    too_many_requests_without_body: Does::Hides(&["throttled (HTTP 429"]), |_, _| says(429, "");
    request_timeout: Does::Hides(&["unavailable (RequestTimeout, HTTP 400"]), |_, _| error(400, "RequestTimeout");
    operation_aborted: Does::Hides(&["unavailable (OperationAborted, HTTP 409"]), |_, _| error(409, "OperationAborted");
    a_gateway_in_html: Does::Hides(&["unavailable (HTTP 502"]), |_, _| {
        says(502, "<html><body><h1>502 Bad Gateway</h1></body></html>")
    };

    /// AWS names a code with what it denies: this is nobody's word on permissions.
    a_firewall_in_html: Does::Hides(&["malformed (HTTP 403"]), |_, _| {
        says(403, "<html><body>Blocked by gateway</body></html>")
    };
    forbidden_without_body: Does::Hides(&["malformed (HTTP 403"]), |_, _| says(403, "");
    unauthorized_without_body: Does::Hides(&["malformed (HTTP 401"]), |_, _| says(401, "");

    // --- no HTTP, or HTTP of another kind ---
    garbage: UNAVAILABLE, |_, _| vec![send("\u{0}\u{1}\u{2}SSH-2.0-OpenSSH_9.2\r\n")];
    early_information: Does::Nothing, |_, forward| {
        vec![send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n"), send(forward().wire())]
    };
    a_chunk_size_that_is_none: MALFORMED, |_, forward| {
        let answer = forward();
        vec![send(answer.head("transfer-encoding: chunked\r\n") + "zz\r\n" + &answer.body + "\r\n0\r\n\r\n")]
    };
    a_last_chunk_that_never_comes: MALFORMED, |_, forward| {
        let answer = forward();
        let chunk = format!("{:x}\r\n{}\r\n", answer.body.len(), answer.body);
        vec![send(answer.head("transfer-encoding: chunked\r\n") + &chunk)]
    };
    /// The rest of a body that is longer than it says is no part of it, and no answer to the next request.
    more_body_than_announced: Does::Nothing, |_, forward| {
        let answer = forward();
        let length = format!("content-length: {}\r\n", answer.body.len());
        vec![send(answer.head(&length) + &answer.body + &answer.body), Act::Next]
    };
    less_body_announced_than_there_is: MALFORMED, |_, forward| {
        let answer = forward();
        let length = format!("content-length: {}\r\n", answer.body.len() / 2);
        vec![send(answer.head(&length) + &answer.body)]
    };

    // --- other content ---
    a_captive_portal: Does::Hides(&["malformed (HTTP 200"]), |_, _| {
        says(200, "<html><head><title>Welcome</title></head><body>Please log in</body></html>")
    };
    a_portal_in_older_html: Does::Hides(&["malformed (HTTP 200"]), |_, _| {
        says(200, "<!DOCTYPE html><html><body><br>Please<p>log in</body>")
    };
    json: Does::Hides(&["malformed (HTTP 200"]), |_, _| says(200, r#"{"Status": "Enabled", "MfaDelete": "Enabled"}"#);
    nothing: Does::Hides(&["malformed (HTTP 200"]), |_, _| says(200, "");
    // Complete at once, so they say that the connection is closed: no other request may go out on it.
    no_content: Does::Hides(&["malformed (HTTP 204"]), |_, forward| {
        vec![send(Answer { status: 204, ..forward() }.head("connection: close\r\n"))]
    };
    not_modified: Does::Hides(&["malformed (HTTP 304"]), |_, forward| {
        vec![send(Answer { status: 304, ..forward() }.head("connection: close\r\n"))]
    };
    /// Nobody asked for it.
    compressed: MALFORMED, |_, forward| {
        let answer = forward();
        let body = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xb3\xb1\xaf\xc8\xcdQ(K-*\xce\xcc\xcf\xb3U2\xd43P\xb2\xb7\0";
        let length = body.len();
        let head = answer.head(&format!("connection: close\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n"));
        vec![send([head.as_bytes(), body].concat())]
    };
    /// Behind the answer stands another, which nobody asked for: it must not become the answer to the next request.
    an_answer_too_many: Does::Nothing, |_, forward| {
        let answer = forward();
        let length = format!("content-length: {}\r\n", answer.body.len());
        let lie = "<VersioningConfiguration><Status>Suspended</Status><MfaDelete>Disabled</MfaDelete>\
                   </VersioningConfiguration>";
        let lie = Answer::xml(200, lie);
        let more = format!("content-length: {}\r\n", lie.body.len());
        vec![send(answer.head(&length) + &answer.body + &lie.head(&more) + &lie.body), Act::Next]
    };
}

/// All in one test, because it mostly waits: silence before the answer, in its headers, in its body, and an answer of
/// which every byte comes in time and the whole does not.
#[test]
fn what_comes_too_late_or_never_is_no_answer() {
    let met = AtomicUsize::new(0);
    hold(UNAVAILABLE, move |_, forward| {
        let answer = forward();
        let length = format!("content-length: {}\r\n", answer.body.len());
        match met.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => vec![SILENCE],
            1 => vec![send(halves(&answer.head("")).0), SILENCE],
            2 => vec![send(answer.head(&length) + halves(&answer.body).0), SILENCE],
            _ => answer.wire().bytes().flat_map(|byte| [send([byte]), Act::Pause(Duration::from_millis(50))]).collect(),
        }
    });
}

/// A document of S3, but not the one that was asked for. That is no accident of the way, so it is not asked away.
#[test]
fn another_document_of_s3_is_no_answer() {
    let sim = truth();
    for seed in SEEDS {
        let list = "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>";
        persists(&sim, seed, Does::Hides(&["malformed (HTTP 200"]), Arc::new(move |_, _| says(200, list)));
    }
}

/// Every third bucket, for both of its requests.
fn is_astray(seed: u64, bucket: &str) -> bool {
    TRUTH.iter().position(|(name, _)| *name == bucket).is_some_and(|place| (place as u64 + seed).is_multiple_of(3))
}

/// The way in which Ceph RGW says that a bucket is elsewhere.
fn sent_to(endpoint: &str) -> Vec<Act> {
    let body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
    Answer::xml(301, body).header("location", endpoint).acts()
}

/// An address that does not answer is followed once a bucket; then the answer that names it is the reason.
const ASTRAY: Does = Does::Hides(&["unavailable", "wrong_region (PermanentRedirect, HTTP 301"]);

#[test]
fn a_refused_connection_hides_only_what_is_behind_it() {
    let sim = truth();
    for seed in SEEDS {
        let refusing = Refusing::new();
        let endpoint = refusing.endpoint();
        persists(&sim, seed, ASTRAY, Arc::new(move |_, _| sent_to(&endpoint)));
        drop(refusing);
    }
}

#[test]
fn a_connection_that_is_refused_for_a_while_is_tried_again() {
    for seed in SEEDS {
        let sim = truth();
        let refusing = Refusing::new();
        let endpoint = refusing.endpoint();
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            VERSIONING if is_astray(seed, request.bucket()) => {
                let body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
                Answer::xml(301, body).header("location", &endpoint)
            }
            _ => forward(),
        });
        let accepted = std::thread::scope(|scope| {
            let (sim, proxy) = (&sim, &proxy);
            let accepting = scope.spawn(move || {
                while proxy.count(VERSIONING) == 0 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                std::thread::sleep(Duration::from_millis(50));
                refusing.accept(sim)
            });
            assert_rows(&run(&proxy.endpoint, "8").expect(0), &BTreeSet::new(), &[]);
            accepting.join().expect("no panic")
        });
        assert_ne!(accepted.count(VERSIONING), 0);
    }
}

#[test]
fn a_name_that_nobody_knows_hides_only_what_is_behind_it() {
    let sim = truth();
    for seed in SEEDS {
        persists(&sim, seed, ASTRAY, Arc::new(|_, _| sent_to("http://s3.eu-south-9.invalid")));
    }
}

#[test]
fn a_circle_of_regions_is_left() {
    let sim = truth();
    for seed in SEEDS {
        let proxy = Proxy::before(&sim, move |request, forward| {
            if !is_astray(seed, request.bucket()) {
                return forward();
            }
            let here = request.header("authorization").expect("signed").contains("/us-east-1/");
            let there = if here { "eu-central-1" } else { "us-east-1" };
            let body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
            Answer::xml(301, body).header("x-amz-bucket-region", there)
        });
        let chosen = TRUTH.iter().map(|(name, _)| *name).filter(|bucket| is_astray(seed, bucket));
        let hidden: BTreeSet<_> = chosen.flat_map(|bucket| [(VERSIONING, bucket), (LIFECYCLE, bucket)]).collect();
        let ran = run(&proxy.endpoint, "6").expect(3);
        assert_rows(&ran, &hidden, &["wrong_region (PermanentRedirect, HTTP 301"]);
        // Twice for the first fact, once for the second; and as much in the last pass.
        assert!(proxy.count(VERSIONING) + proxy.count(LIFECYCLE) <= 2 * (TRUTH.len() + hidden.len()));
    }
}
