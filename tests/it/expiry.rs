//! Credentials that end, and clocks that are wrong, in the midst of a run: what was refused for them is asked again with
//! others, and nothing is unknown for them that need not be.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::common::{Ran, Sim};
use crate::proxy::{Answer, Proxy, Request};
use crate::scan::{MANAGEMENT, buckets, good, management, many, organization, scan};

const FIRST: &str = "222222222222";
const SECOND: &str = "333333333333";

const VERSIONING: &str = "GetBucketVersioning";
const LIFECYCLE: &str = "GetBucketLifecycleConfiguration";

/// The management account without buckets, and two accounts with many.
fn two() -> Sim {
    let member = |id: &str, prefix: &str| {
        let buckets: Value = (0..30).map(|number| good(&format!("{prefix}-{number:02}"))).collect();
        json!({"id": id, "name": id, "ou": "r-test", "buckets": buckets})
    };
    let accounts = json!([management(&json!({})), member(FIRST, "first"), member(SECOND, "second")]);
    Sim::json(&organization(&accounts).to_string())
}

fn s3_error(status: u16, code: &str) -> Answer {
    Answer::xml(status, &format!("<Error><Code>{code}</Code><Message>made up</Message></Error>"))
}

fn sts_error(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    Answer::xml(status, &format!("<ErrorResponse>{error}</ErrorResponse>"))
}

fn token(request: &Request) -> &str {
    request.header("x-amz-security-token").unwrap_or_default()
}

/// Gives each assumed session a token of its own: `-1`, `-2`, … behind its name.
fn numbered(answer: Answer, number: usize) -> Answer {
    answer.replace(":bucketlens:", &format!(":bucketlens-{number}:"))
}

fn is_about_bucket(request: &Request) -> bool {
    matches!(request.operation(), VERSIONING | LIFECYCLE)
}

#[track_caller]
fn assert_all_pass(ran: &Ran, count: usize) {
    let rows = ran.rows("out/buckets.csv");
    assert_eq!(rows.len(), count);
    for row in &rows {
        assert_eq!((row["status"].as_str(), row["unknown_reasons"].as_str()), ("pass", ""), "{row:?}");
    }
}

/// Counts by a text.
#[derive(Default)]
struct Counts(Mutex<BTreeMap<String, usize>>);

impl Counts {
    fn next(&self, name: &str) -> usize {
        let mut counts = self.0.lock().expect("no panic");
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        *count
    }
}

// --- credentials ---

#[test]
fn what_met_the_end_of_a_role_is_repeated_after_one_renewal_an_account() {
    let sim = two();
    let assumed = Counts::default();
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "AssumeRole" => {
            let role = request.parameter("RoleArn").expect("a role");
            numbered(forward(), assumed.next(role))
        }
        VERSIONING | LIFECYCLE if token(request).contains(":bucketlens-1:") => {
            // Meanwhile the others ask with the same.
            std::thread::sleep(Duration::from_millis(200));
            s3_error(400, "ExpiredToken")
        }
        _ => forward(),
    });
    let ran = scan(["--organization", "--max-attempts", "1"]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    assert_all_pass(&ran, 60);
    let refused = proxy.seen().iter().filter(|it| is_about_bucket(it) && token(it).contains(":bucketlens-1:")).count();
    // Of each account so many are in flight at first.
    assert!(refused > 4, "{refused}: several must have met the end at once");
    assert_eq!(proxy.count("AssumeRole"), 4, "each account is entered once and renewed once");
}

#[test]
fn a_renewal_that_is_denied_takes_one_account_and_is_not_asked_again() {
    let sim = two();
    let assumed = Counts::default();
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "AssumeRole" => {
            let role = request.parameter("RoleArn").expect("a role");
            match assumed.next(role) {
                1 => numbered(forward(), 1),
                _ if role.contains(FIRST) => sts_error(403, "AccessDenied", "no longer"),
                number => numbered(forward(), number),
            }
        }
        VERSIONING if token(request).contains(":bucketlens-1:") => s3_error(400, "ExpiredToken"),
        _ => forward(),
    });
    let ran = scan(["--organization"]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(proxy.count("AssumeRole"), 4, "a denial is asked once");
    let rows = ran.rows("out/buckets.csv");
    assert_eq!(rows.len(), 60);
    for row in &rows {
        let found = ["status", "versioning", "mfa_delete", "unknown_reasons"].map(|column| row[column].as_str());
        if row["account_id"] == SECOND {
            assert_eq!(found, ["pass", "enabled", "enabled", ""]);
            continue;
        }
        assert_eq!(found[..3], ["unknown"; 3]);
        assert!(found[3].starts_with(&format!("{VERSIONING} credentials")), "{}", found[3]);
    }
    let unknown = |row: &crate::common::Row| row["status"] == "unknown";
    let findings = ran.rows("out/findings.csv").into_iter().filter(unknown);
    let evidence: Vec<_> = findings.map(|row| row["evidence"].clone()).collect();
    let told = evidence.iter().filter(|it| it.contains("AssumeRole denied (AccessDenied, HTTP 403, request ")).count();
    assert!(told > 0 && told == evidence.len(), "every reason names the renewal: {evidence:?}");
}

/// A source that hands out other credentials each time, as the real ones do, and counts how often it is asked.
const PROCESS: &str = "#!/bin/sh
echo asked >>\"$(dirname \"$0\")/asked\"
number=$(wc -l <\"$(dirname \"$0\")/asked\" | tr -d ' ')
echo '{\"Version\": 1, \"AccessKeyId\": \"AKIA0000111111111111\", \"SecretAccessKey\": \"secret\",'
echo \"\\\"SessionToken\\\": \\\"process-$number\\\", \\\"Expiration\\\": \\\"EXPIRATION\\\"}\"
";

/// Runs with a `credential_process` whose credentials end then, and gives how often it was asked.
fn run_with_process(arguments: &[&str], endpoint: &str, ends: OffsetDateTime) -> (Ran, usize) {
    let rfc3339 = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let process = PROCESS.replace("EXPIRATION", &ends.format(&rfc3339).expect("in range"));
    let cli = scan(arguments.iter().copied()).file("process.sh", &process);
    let profile = format!("[default]\ncredential_process = sh {}/process.sh\n", cli.home().display());
    let cli = cli.file(".aws/config", &profile).env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    let ran = cli.env("PATH", "/usr/bin:/bin").run();
    let asked = ran.read("asked").lines().count();
    (ran, asked)
}

fn hence(time: Duration) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time
}

#[test]
fn what_met_the_end_of_a_process_is_repeated_after_one_renewal() {
    let sim = buckets(&many(30));
    let proxy = Proxy::before(&sim, |request, forward| {
        if is_about_bucket(request) && token(request) == "process-1" {
            std::thread::sleep(Duration::from_millis(100));
            return s3_error(400, "ExpiredToken");
        }
        forward()
    });
    let (ran, asked) = run_with_process(&[], &proxy.endpoint, hence(Duration::from_hours(1)));
    assert_all_pass(&ran.expect(0), 30);
    assert_eq!(asked, 2);
}

#[test]
fn credentials_are_kept_until_they_end_and_not_asked_for_with_every_request() {
    let sim = buckets(&many(30));
    for seconds in [0, 30, 3600] {
        let (ran, asked) = run_with_process(&[], &sim.endpoint, hence(Duration::from_secs(seconds)));
        assert_all_pass(&ran.expect(0), 30);
        assert_eq!(asked, 1, "{seconds}");
    }
}

#[test]
fn the_end_of_the_credentials_that_assume_roles_stops_no_account() {
    let sim = two();
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "AssumeRole" if token(request) == "process-1" => sts_error(403, "ExpiredToken", "has expired"),
        "ListAccounts" if token(request) == "process-2" => panic!("not renewed before the roles are assumed"),
        _ => forward(),
    });
    let (ran, asked) = run_with_process(&["--organization"], &proxy.endpoint, hence(Duration::from_hours(1)));
    assert_all_pass(&ran.expect(0), 60);
    assert_eq!(asked, 2);
}

#[test]
fn keys_that_nobody_can_renew_are_refused_in_the_words_of_aws() {
    let sim = buckets(&many(30));
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        VERSIONING => s3_error(400, "ExpiredToken"),
        _ => forward(),
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).env("AWS_SESSION_TOKEN", "of-yesterday").run().expect(3);
    let rows = ran.rows("out/buckets.csv");
    assert_eq!(rows.len(), 30);
    for row in &rows {
        let reason = format!("{VERSIONING} credentials (ExpiredToken, HTTP 400, request ");
        assert!(row["unknown_reasons"].starts_with(&reason), "{row:?}");
        assert_eq!(row["lifecycle"], "none");
    }
    assert_eq!(proxy.count(VERSIONING), 30, "the same keys again would be refused again");
}

// --- the clock ---

/// A server whose clock is off by this many seconds from that of the machine, and which takes it seriously as AWS does.
fn off_by(sim: &Sim, seconds: i64) -> Proxy {
    Proxy::before(sim, move |request, forward| {
        let now = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
        let answer = if is_signed_within(request, now) { forward() } else { refuse_time(request) };
        dated(answer, now)
    })
}

/// S3 allows 15 minutes, the other services five.
fn is_signed_within(request: &Request, now: OffsetDateTime) -> bool {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let signed = time::PrimitiveDateTime::parse(request.header("x-amz-date").expect("signed"), &format);
    let allowed = if is_of_s3(request) { 15 } else { 5 };
    (signed.expect("a time").assume_utc() - now).abs() <= time::Duration::minutes(allowed)
}

fn is_of_s3(request: &Request) -> bool {
    request.header("authorization").expect("signed").contains("/s3/aws4_request")
}

/// In the words of each service.
fn refuse_time(request: &Request) -> Answer {
    const WORDS: &str = "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z";
    if is_of_s3(request) {
        s3_error(403, "RequestTimeTooSkewed")
    } else if request.header("x-amz-target").is_some() {
        let body = json!({"__type": "InvalidSignatureException", "message": WORDS}).to_string();
        let headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())];
        Answer { status: 400, headers, body }
    } else {
        sts_error(403, "SignatureDoesNotMatch", WORDS)
    }
}

/// With the time of the server: of the answer, and of the end of credentials in it.
fn dated(mut answer: Answer, now: OffsetDateTime) -> Answer {
    let imf = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
    if let Some((_, rest)) = answer.body.split_once("<Expiration>") {
        let end = rest.split_once("</Expiration>").expect("closed").0.to_owned();
        let rfc3339 = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        let new = (now + time::Duration::HOUR).format(&rfc3339).expect("in range");
        answer = answer.replace(&end, &new);
    }
    answer.header("date", &now.format(&imf).expect("in range"))
}

fn skew_of(ran: &Ran) -> Value {
    ran.json("out/report.json")["run"]["clock_skew_seconds"].clone()
}

#[test]
fn a_clock_that_is_off_is_corrected_logged_and_reported() {
    // In the last case roles end in the past, by the clock of the machine.
    for (seconds, says) in
        [(1200, "20 minutes behind"), (-1200, "20 minutes ahead of"), (-7200, "120 minutes ahead of")]
    {
        let sim = two();
        let proxy = off_by(&sim, seconds);
        let ran = scan(["--organization", "--max-attempts", "1"]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
        assert_all_pass(&ran, 60);
        let skew = skew_of(&ran).as_i64().expect("a number");
        assert!((skew - seconds).abs() <= 5, "{skew}");
        let warning =
            format!("the clock of this machine is {says} that of AWS: requests are signed with the time of AWS");
        assert_eq!(ran.stderr.matches(&warning).count(), 1, "{}", ran.stderr);
        // One refusal is enough for all clients, and a role is assumed once although it ends in the past.
        let usual =
            [("GetCallerIdentity", 1), ("AssumeRole", 2), ("ListBuckets", 3), (VERSIONING, 60), (LIFECYCLE, 60)];
        for (operation, count) in usual {
            let refused = usize::from(operation == "GetCallerIdentity");
            assert_eq!(proxy.count(operation), count + refused, "{operation}, {seconds}");
        }
    }
}

#[test]
fn every_service_may_be_the_first_that_minds_the_clock() {
    for first in ["GetCallerIdentity", "ListAccounts", "AssumeRole", "ListBuckets", VERSIONING] {
        let sim = two();
        let minds = AtomicUsize::new(0);
        let proxy = Proxy::before(&sim, move |request, forward| {
            let now = OffsetDateTime::now_utc() + time::Duration::minutes(20);
            if request.operation() == first {
                minds.store(1, Ordering::Relaxed);
            }
            let good = minds.load(Ordering::Relaxed) == 0 || is_signed_within(request, now);
            dated(if good { forward() } else { refuse_time(request) }, now)
        });
        let ran = scan(["--organization"]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
        assert_all_pass(&ran, 60);
        assert!(skew_of(&ran).as_i64().is_some_and(|skew| (1190..=1210).contains(&skew)), "{first}");
    }
}

/// AWS always does; what stands between may not pass it on.
#[test]
fn a_refusal_that_does_not_tell_the_time_is_spoken_of_once() {
    let sim = two();
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        VERSIONING => s3_error(403, "RequestTimeTooSkewed"),
        _ => forward(),
    });
    let ran = scan(["--organization", "--max-attempts", "1"]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    let says =
        "a request was refused for its time, and the answer has no usable Date: the clock of this machine may be off";
    assert_eq!((ran.stderr.matches(says).count(), skew_of(&ran)), (1, Value::Null), "{}", ran.stderr);
    assert!(ran.rows("out/buckets.csv").iter().all(|row| row["mfa_delete"] == "unknown"));
    // Where nothing is answered otherwise, that is what is to be done about it.
    let proxy = Proxy::before(&sim, |request, _| refuse_time(request));
    let ran = scan(["--organization"]).at(&proxy.endpoint, MANAGEMENT).run().expect(2);
    assert!(ran.stderr.contains("\n  help: set the clock of this machine"), "{}", ran.stderr);
}

/// No permission is missing where a gateway answers in the place of AWS.
#[test]
fn a_gateway_in_the_place_of_aws_is_named() {
    let sim = two();
    for operation in ["GetCallerIdentity", "ListAccounts", "AssumeRole"] {
        for page in ["<html>Blocked by gateway</html>", ""] {
            let proxy =
                Proxy::before(
                    &sim,
                    move |request, forward| {
                        if request.operation() == operation { Answer::xml(403, page) } else { forward() }
                    },
                );
            let ran = scan(["--organization", "--max-attempts", "1"]).at(&proxy.endpoint, MANAGEMENT).run().expect(2);
            let says = [&format!("{operation} malformed (HTTP 403"), "): the answer is no whole error of AWS: "];
            assert!(says.iter().all(|says| ran.stderr.contains(says)), "{}", ran.stderr);
            assert!(ran.stderr.contains("\n  help: something between this machine and AWS"), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_clock_that_is_right_or_nearly_is_not_spoken_of() {
    let sim = two();
    for seconds in [0, 200, -200] {
        let proxy = off_by(&sim, seconds);
        let ran = scan(["--organization"]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
        assert_eq!((skew_of(&ran), ran.stderr.as_str()), (Value::Null, ""), "{seconds}");
    }
}

#[test]
fn a_time_that_is_refused_although_it_is_that_of_aws_ends_the_run() {
    for refusing in ["GetCallerIdentity", "ListAccounts", "AssumeRole", "ListBuckets", VERSIONING] {
        let sim = two();
        let proxy = Proxy::before(&sim, move |request, forward| {
            let now = OffsetDateTime::now_utc() + time::Duration::minutes(20);
            let bad = request.operation() == refusing || !is_signed_within(request, now);
            dated(if bad { refuse_time(request) } else { forward() }, now)
        });
        let ran = scan(["--organization"]).at(&proxy.endpoint, MANAGEMENT).run().expect(2);
        let says = format!(
            "error: the clock of this machine is 20 minutes behind that of AWS, and AWS refused even a request that was \
             signed with AWS's time: {refusing} credentials ("
        );
        assert!(ran.stderr.contains(&says), "{refusing}: {}", ran.stderr);
        assert!(ran.stderr.contains("\n  help: set the clock of this machine"), "{}", ran.stderr);
        assert!(!ran.path("out/report.json").exists());
        assert!(proxy.seen().len() < 100, "{refusing}: {}", proxy.seen().len());
    }
}

/// A code of a wrong time with a right one is no wrong clock, nor is a wrong signature with a wrong clock.
#[test]
fn a_wrong_signature_is_not_blamed_on_the_clock() {
    let sim = buckets(&many(2));
    let proxy = Proxy::before(&sim, |request, forward| {
        let now = OffsetDateTime::now_utc() + time::Duration::minutes(20);
        let answer = match request.operation() {
            VERSIONING => s3_error(403, "SignatureDoesNotMatch"),
            _ => forward(),
        };
        dated(answer, now)
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!((skew_of(&ran), proxy.count(VERSIONING)), (Value::Null, 2));
    assert!(ran.rows("out/buckets.csv").iter().all(|row| {
        row["unknown_reasons"].starts_with(&format!("{VERSIONING} credentials (SignatureDoesNotMatch, HTTP 403, "))
    }));
}
