//! Runs that are cut off: killed, told to stop, or out of disk. What was read is kept, and the run goes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bucketlens::simulator::{Options, Organization};
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Row, Running, Sim};
use crate::contract::{ALL_FILES, normalised};
use crate::scan::{Answer, MANAGEMENT, Proxy, buckets, good, management, many, organization, same_lines, with};

const VERSIONING: &str = "GetBucketVersioning";
const TABLES: [&str; 4] = ["accounts.csv", "buckets.csv", "findings.csv", "metrics.csv"];

/// A folder that outlives the runs that write to it.
struct Out {
    space: tempfile::TempDir,
}

impl Out {
    fn new() -> Self {
        Self { space: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.space.path().join("out")
    }

    fn cli(&self, option: &str, arguments: &[&str]) -> Cli {
        let path = self.path();
        let first = ["scan", option, path.to_str().expect("text"), "--fail-on", "none"];
        Cli::new(first.into_iter().chain(arguments.iter().copied()))
    }

    fn scan(&self, arguments: &[&str]) -> Cli {
        self.cli("--out", arguments)
    }

    fn resume(&self, arguments: &[&str]) -> Cli {
        self.cli("--resume", arguments)
    }

    #[track_caller]
    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    #[track_caller]
    fn rows(&self, file: &str) -> Vec<Row> {
        let text = self.read(file);
        csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().expect("rows")
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.read("report.json")).expect("JSON")
    }

    /// The report without what differs between a run in one piece and one in several: times, id, requests.
    fn report(&self) -> Vec<String> {
        let mut report = self.json();
        report["run"]["resumed"] = json!([]);
        for figure in ["requests", "retries"] {
            report["coverage"][figure] = json!(0);
        }
        report["run"]["id"] = json!("");
        let tables = TABLES.iter().map(|file| self.read(file));
        let report = serde_json::to_string_pretty(&report).expect("JSON");
        tables.chain([report]).map(|text| normalised(&text)).collect()
    }

    /// As a kill before the end leaves it.
    fn cut(&self) {
        fs::rename(self.path().join("inventory"), self.path().join("inventory.partial")).expect("there");
        fs::remove_file(self.path().join("inventory.partial/run.json")).expect("there");
    }

    /// Lines of buckets in the journal.
    fn journalled(&self) -> usize {
        let Ok(entries) = fs::read_dir(self.path().join("inventory.partial")) else { return 0 };
        let texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
        texts.map(|text| text.split_inclusive('\n').filter(|line| is_bucket(line)).count()).sum()
    }
}

fn is_bucket(line: &str) -> bool {
    line.starts_with("{\"bucket\"") && line.ends_with('\n')
}

#[track_caller]
fn assert_same(expected: &[String], found: &[String]) {
    assert_eq!(expected.len(), found.len());
    expected.iter().zip(found).for_each(|(expected, found)| same_lines(expected, found));
}

fn slow(organization: Organization, milliseconds: u64) -> Sim {
    Sim::with(organization, Options { latency: Duration::from_millis(milliseconds), ..Options::default() })
}

fn of(accounts: &Value) -> Organization {
    Organization::from_json(&organization(accounts).to_string()).expect("a good fixture")
}

/// Returns when this holds.
#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what} does not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_that_was_killed_twenty_times_ends_as_one_that_was_not() {
    const KILLS: usize = 20;
    let seed = std::env::var("BUCKETLENS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122);
    println!("BUCKETLENS_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let sim = slow(Organization::generate(5, 1200), 20);
    let whole = Out::new();
    let scope = ["--organization", "--concurrency", "8"];
    let start = Instant::now();
    whole.scan(&scope).at(&sim.endpoint, "100000000000").run().expect(3);
    // Longer than it takes until something is flushed.
    let longest = (start.elapsed() / 4).max(Duration::from_millis(1500));

    let cut = Out::new();
    let (mut killed, mut kept) = (0, 0);
    for number in 0..KILLS {
        let cli = match number {
            0 => cut.scan(&scope),
            // Before anything was read nothing but the scope is known; filters may be repeated, and need not.
            _ if random.bool() => cut.resume(&scope),
            _ => cut.resume(&["--organization", "--concurrency", "8"]),
        };
        let mut running = cli.at(&sim.endpoint, "100000000000").start();
        std::thread::sleep(longest.mul_f64(random.f64()));
        if !running.has_ended() {
            running.signal("KILL");
            killed += 1;
        }
        running.wait();
        kept = kept.max(cut.journalled());
    }
    assert!(killed > KILLS / 2 && kept > 20, "{killed} kills, {kept} buckets kept: nothing was tried");
    // One of them may have come to its end: there is nothing to resume then.
    if !cut.path().join("SHA256SUMS").exists() || cut.path().join("inventory.partial").exists() {
        cut.resume(&["--organization"]).at(&sim.endpoint, "100000000000").run().expect(3);
    }
    assert_same(&whole.report(), &cut.report());
    assert!(!cut.path().join("inventory.partial").exists());
    assert!(!cut.json()["run"]["resumed"].as_array().expect("times").is_empty());
}

#[test]
fn what_the_journal_has_is_not_asked_again() {
    let accounts = json!([
        management(&json!({"buckets": many(300)})),
        {"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("other")]},
    ]);
    let sim = slow(of(&accounts), 20);
    let out = Out::new();
    let running = out.scan(&["--organization", "--concurrency", "4"]).at(&sim.endpoint, MANAGEMENT).start();
    until("a flush", || out.journalled() > 50);
    running.signal("KILL");
    running.wait();
    let (known, asked) = (out.journalled(), sim.count(VERSIONING));
    assert!(known < 301);
    out.resume(&["--organization"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(sim.count(VERSIONING) - asked, 301 - known as u64);
    let rows = out.rows("buckets.csv");
    assert!(rows.len() == 301 && rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
    // Once more: it is finished, and is not taken for a new one.
    let (asked, before) = (sim.total(), out.report());
    let again = out.resume(&["--organization"]).at(&sim.endpoint, MANAGEMENT).run().expect(2);
    assert!(again.stderr.contains(" was finished at 20") && again.stdout.is_empty(), "{}", again.stderr);
    assert_eq!(sim.total(), asked);
    assert_same(&before, &out.report());
}

/// States in which a kill can leave the folder between the last account and the last rename.
#[test]
fn a_run_that_was_killed_near_its_end_goes_on_from_there() {
    let sim = Sim::start(Organization::demo());
    let whole = Out::new();
    whole.scan(&["--organization"]).at(&sim.endpoint, "104217683095").run().expect(3);
    let expected = whole.report();
    let remove = |path: &Path, files: &[&str]| {
        for file in files {
            fs::remove_file(path.join(file)).expect("there");
        }
    };
    let inventory = |path: &Path| fs::rename(path.join("inventory"), path.join("inventory.partial")).expect("there");
    let states: [&dyn Fn(&Path); 4] = [
        // Every account is closed, the run is not.
        &|path| {
            inventory(path);
            remove(path, &["inventory.partial/run.json"]);
            remove(path, &ALL_FILES);
        },
        // The run is closed, the report is being written.
        &|path| {
            inventory(path);
            remove(path, &ALL_FILES);
            fs::write(path.join(".buckets.csv-Ab3dEf.tmp"), "account_id,acc").expect("writable");
        },
        // Some files have their names.
        &|path| {
            inventory(path);
            remove(path, &["SHA256SUMS", "metrics.csv"]);
        },
        // All have, and the inventory has not.
        &inventory,
    ];
    for (number, state) in states.into_iter().enumerate() {
        state(&whole.path());
        let asked = sim.count(VERSIONING);
        whole.resume(&["--organization"]).at(&sim.endpoint, "104217683095").run().expect(3);
        assert_eq!(sim.count(VERSIONING), asked, "{number}");
        assert_same(&expected, &whole.report());
        let names = fs::read_dir(whole.path()).expect("there").flatten().map(|entry| entry.file_name());
        let names: BTreeSet<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        let expected = ALL_FILES.iter().chain(&["inventory"]).map(ToString::to_string).collect();
        assert_eq!(names, expected, "{number}");
    }
}

/// A run of two accounts that is told to stop while it reads the first.
fn told(signal: &str) -> (Out, Sim, Ran) {
    let accounts = json!([
        management(&json!({"buckets": many(1500)})),
        {"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("other")]},
    ]);
    let sim = slow(of(&accounts), 10);
    let out = Out::new();
    // One account at a time.
    let running = out.scan(&["--organization", "--concurrency", "1"]).at(&sim.endpoint, MANAGEMENT).start();
    until("a bucket", || sim.count(VERSIONING) > 30);
    running.signal(signal);
    let ran = running.wait();
    (out, sim, ran)
}

#[test]
fn a_run_that_is_told_to_stop_reports_what_it_read_and_goes_on_later() {
    for signal in ["INT", "TERM"] {
        let (out, sim, ran) = told(signal);
        let ran = ran.expect(3);
        assert!(ran.stdout.contains("The run was interrupted"), "{}", ran.stdout);
        let report = out.json();
        assert_eq!(report["run"]["interrupted"], true);
        assert!(out.path().join("SHA256SUMS").exists());
        // What was listed has a row, and what was not read says why.
        let rows = out.rows("buckets.csv");
        let read = rows.iter().filter(|row| row["status"] == "pass").count();
        let asked = usize::try_from(sim.count(VERSIONING)).expect("few");
        assert!(rows.len() == 1000 && (30..=asked).contains(&read) && asked < 500, "{read} of {}", rows.len());
        let cut: Vec<&Row> = rows.iter().filter(|row| row["status"] == "unknown").collect();
        let reason = "GetBucketVersioning interrupted;GetBucketLifecycleConfiguration interrupted";
        assert!(cut.len() == rows.len() - read && cut.iter().all(|row| row["unknown_reasons"] == reason));
        let accounts = out.rows("accounts.csv");
        let outcomes: Vec<(&str, &str)> =
            accounts.iter().map(|row| (row["outcome"].as_str(), row["buckets"].as_str())).collect();
        assert_eq!(outcomes, [("incomplete", "1000"), ("failed", "")]);
        assert!(accounts.iter().all(|row| row["reason"].contains("the run was interrupted")), "{accounts:?}");

        let asked = sim.count(VERSIONING);
        out.resume(&["--organization"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
        assert_eq!(sim.count(VERSIONING) - asked, 1501 - read as u64);
        assert_eq!(out.json()["run"]["interrupted"], false);
        let rows = out.rows("buckets.csv");
        assert!(rows.len() == 1501 && rows.iter().all(|row| row["status"] == "pass"));
    }
}

/// A run whose requests of this kind are never answered.
fn stuck(operation: &'static str, out: &Out) -> (Proxy, Running) {
    let sim = buckets(&many(3));
    let proxy = Proxy::before(&sim, move |request, forward| {
        if request.operation() == operation {
            std::thread::sleep(Duration::from_mins(2));
        }
        forward()
    });
    let running = out.scan(&["--read-timeout", "100"]).at(&proxy.endpoint, MANAGEMENT).start();
    until("the request", || proxy.count(operation) > 0);
    std::mem::forget(sim);
    (proxy, running)
}

#[test]
fn what_is_in_flight_has_five_seconds_and_a_second_signal_none() {
    let out = Out::new();
    let (_proxy, running) = stuck(VERSIONING, &out);
    let told = Instant::now();
    running.signal("TERM");
    running.wait().expect(3);
    let took = told.elapsed();
    assert!((4..9).contains(&took.as_secs()), "{took:?}");
    assert_eq!(out.rows("buckets.csv").len(), 3);

    let out = Out::new();
    let (proxy, running) = stuck(VERSIONING, &out);
    running.signal("INT");
    std::thread::sleep(Duration::from_millis(500));
    let (told, asked) = (Instant::now(), proxy.seen().len());
    running.signal("INT");
    let ran = running.wait().expect(130);
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    assert!(ran.stderr.contains("--resume ") && ran.stdout.is_empty(), "{}", ran.stderr);
    assert_eq!(proxy.seen().len(), asked, "nothing is asked after the first signal");
    assert!(out.path().join("inventory.partial/start.json").exists() && !out.path().join("SHA256SUMS").exists());
}

#[test]
fn a_run_that_is_told_to_stop_before_it_found_anything_says_so() {
    let out = Out::new();
    let (_proxy, running) = stuck("GetCallerIdentity", &out);
    let told = Instant::now();
    running.signal("INT");
    let ran = running.wait().expect(3);
    assert!(told.elapsed() < Duration::from_secs(9));
    assert!(ran.stdout.contains("The run was interrupted"), "{}", ran.stdout);
    assert_eq!(out.json()["run"]["interrupted"], true);
    assert!(out.rows("accounts.csv").is_empty());
    let sim = buckets(&many(3));
    out.resume(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(out.rows("buckets.csv").len(), 3);
}

#[test]
fn the_scope_may_be_repeated_and_not_changed() {
    let accounts = json!([
        management(&json!({"buckets": [good("ours")]})),
        {"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("theirs"), good("unwanted")]},
    ]);
    let sim = Sim::start(of(&accounts));
    let out = Out::new();
    let scope = ["--organization", "--bucket", "ours,theirs", "--region", "us-east-1"];
    out.scan(&scope).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let before = out.report();
    let path = out.path();
    let folder = path.to_str().expect("text");
    for (arguments, says) in [
        (
            &["--region", "eu-west-1"][..],
            format!("--region: the run in {folder} was begun with us-east-1, not with eu-west-1: "),
        ),
        (&["--bucket", "ours"], format!("--bucket: the run in {folder} was begun with ours,theirs, not with ours: ")),
        (
            &["--account", MANAGEMENT],
            format!("--account: the run in {folder} was begun without it, not with {MANAGEMENT}: "),
        ),
        (&["--profile", "dev"], format!("--profile: the run in {folder} was begun without it, not with dev: ")),
        (
            &["--role-name", "Audit"],
            format!("--role-name: the run in {folder} was begun with OrganizationAccountAccessRole, not with Audit: "),
        ),
        (
            &["--out", "elsewhere"],
            format!("--out: the report of a run that goes on stands in its own folder {folder}, "),
        ),
    ] {
        let asked = sim.count("GetCallerIdentity");
        let ran = out.resume(arguments).at(&sim.endpoint, MANAGEMENT).run().expect(2);
        assert!(ran.stderr.starts_with(&format!("error: {says}")), "{}", ran.stderr);
        assert_eq!(sim.count("GetCallerIdentity"), asked, "{arguments:?}");
        assert_same(&before, &out.report());
    }
    for arguments in [
        &["--organization", "--region", "us-east-1"][..],
        &["--organization", "--bucket", "theirs,ours", "--role-name", "OrganizationAccountAccessRole"],
        &[
            "--organization",
            "--out",
            folder,
            "--concurrency",
            "3",
            "--format",
            "csv,json",
            "--quiet",
            "--log-level",
            "error",
        ],
    ] {
        out.cut();
        out.resume(arguments).at(&sim.endpoint, MANAGEMENT).run().expect(0);
        assert_same(&before, &out.report());
    }
    // How it is judged is no scope: the run's own standard holds unless another is asked for.
    out.cut();
    out.resume(&["--organization", "--standard", "security-hub"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(out.json()["run"]["standard"], "security-hub");
    out.cut();
    out.resume(&["--organization"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(out.json()["run"]["standard"], "security-hub");
    assert_eq!(
        out.scan(&["--max-age", "1h"]).run().expect(2).stderr,
        "error: --max-age: this has a meaning only with --resume\n"
    );
}

#[test]
fn another_caller_and_another_version_are_refused() {
    let accounts = json!([
        management(&json!({"buckets": [good("ours")]})),
        {"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("theirs")]},
    ]);
    let sim = Sim::start(of(&accounts));
    let out = Out::new();
    out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let before = out.report();
    out.cut();
    let ran = out.resume(&[]).at(&sim.endpoint, "222222222222").run().expect(2);
    let says = "was begun in account 111111111111, and these credentials are those of account 222222222222";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    assert_same(&before, &out.report());
    let start = out.path().join("inventory.partial/start.json");
    let text = fs::read_to_string(&start).expect("there");
    fs::write(&start, text.replacen("\"version\": ", "\"version\": 9", 1)).expect("writable");
    let ran = out.resume(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(2);
    assert!(ran.stderr.contains("was written by another version of bucketlens (format 9"), "{}", ran.stderr);
}

#[test]
fn an_external_id_is_kept_nowhere_and_has_to_be_given_again() {
    let accounts = json!([
        management(&json!({})),
        {"id": "222222222222", "name": "Member", "ou": "r-test", "external_id": "hush-hush", "buckets": [good("b")]},
    ]);
    let sim = Sim::start(of(&accounts));
    let out = Out::new();
    out.scan(&["--organization", "--external-id", "hush-hush"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    let inventory = fs::read_dir(out.path().join("inventory")).expect("there");
    for entry in inventory {
        let text = fs::read_to_string(entry.expect("readable").path()).expect("text");
        assert!(!text.contains("hush"), "{text}");
    }
    let ran = out.resume(&["--organization", "--max-age", "0s"]).at(&sim.endpoint, MANAGEMENT).run().expect(2);
    assert!(ran.stderr.starts_with("error: --external-id: the run was begun with an external id, "), "{}", ran.stderr);
    let again = ["--organization", "--max-age", "0s", "--external-id", "hush-hush"];
    out.resume(&again).at(&sim.endpoint, MANAGEMENT).run().expect(0);
}

#[test]
fn what_failed_is_read_again_and_what_was_denied_is_not() {
    let denied = with(good("denied"), &json!({"fail": {VERSIONING: {"status": 403, "code": "AccessDenied"}}}));
    let sim = buckets(&json!([good("fine"), denied, good("flaky")]));
    let broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&broken);
    let proxy = Proxy::before(&sim, move |request, forward| {
        let fails = switch.load(Ordering::Relaxed) && request.bucket() == "flaky";
        if fails { Answer::xml(500, "<Error><Code>InternalError</Code></Error>") } else { forward() }
    });
    let out = Out::new();
    out.scan(&["--max-attempts", "1"]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    broken.store(false, Ordering::Relaxed);
    let seen = proxy.seen().len();
    out.resume(&[]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    let asked: Vec<String> = proxy.seen()[seen..].iter().map(|request| request.bucket().to_owned()).collect();
    assert!(asked.contains(&"flaky".to_owned()) && !asked.iter().any(|name| name == "fine" || name == "denied"));
    let status: Vec<String> = out.rows("buckets.csv").iter().map(|row| row["status"].clone()).collect();
    assert_eq!(status, ["unknown", "pass", "pass"]);
}

#[test]
fn what_is_older_than_max_age_is_read_again() {
    let two = buckets(&many(2));
    let out = Out::new();
    out.scan(&[]).at(&two.endpoint, MANAGEMENT).run().expect(0);
    let three = buckets(&json!([good("bucket-00000"), good("bucket-00002")]));
    let ran = out.resume(&["--max-age", "1d"]).at(&three.endpoint, MANAGEMENT).run().expect(0);
    assert!(ran.stderr.contains("older than --max-age is read again"), "{}", ran.stderr);
    assert_eq!((three.count(VERSIONING), three.count("ListBuckets")), (0, 0));
    out.resume(&["--max-age", "0s"]).at(&three.endpoint, MANAGEMENT).run().expect(0);
    let rows = out.rows("buckets.csv");
    let rows: Vec<(&str, &str)> = rows.iter().map(|row| (row["bucket"].as_str(), row["status"].as_str())).collect();
    assert_eq!(rows, [("bucket-00000", "pass"), ("bucket-00001", "not_applicable"), ("bucket-00002", "pass")]);
}

#[test]
fn a_folder_without_a_record_is_scanned_from_the_start() {
    let sim = buckets(&many(2));
    let out = Out::new();
    fs::create_dir_all(out.path()).expect("new");
    let ran = out.resume(&["--bucket", "*-00001"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert!(ran.stderr.contains("there is no whole record of a run in "), "{}", ran.stderr);
    assert!(ran.stderr.contains("it is scanned from the start: --bucket=*-00001"), "{}", ran.stderr);
    assert_eq!(out.rows("buckets.csv").len(), 1);
    // The journal of a run of which nobody knows how it began.
    fs::rename(out.path().join("inventory"), out.path().join("inventory.partial")).expect("there");
    fs::write(out.path().join("inventory.partial/start.json"), "{\"version\"").expect("writable");
    let asked = sim.count(VERSIONING);
    let ran = out.resume(&["--bucket", "*-00000"]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert!(ran.stderr.contains("--bucket=*-00000; what was read of an account before is discarded"), "{}", ran.stderr);
    assert_eq!(sim.count(VERSIONING) - asked, 1);
}

/// The default, the account of the credentials alone, is no guess to make in place of a whole organization.
#[test]
fn a_folder_without_a_record_is_left_alone_where_nothing_says_what_to_scan() {
    let sim = Sim::start(Organization::generate(3, 6));
    let out = Out::new();
    fs::create_dir_all(out.path()).expect("new");
    let ran = out.resume(&[]).at(&sim.endpoint, "100000000000").run().expect(2);
    assert!(ran.stderr.contains("is empty, and nothing says what is to be scanned"), "{}", ran.stderr);
    out.scan(&["--organization"]).at(&sim.endpoint, "100000000000").run();
    let (report, asked) = (out.report(), sim.count("ListBuckets"));
    let start = out.path().join("inventory/start.json");
    let whole = fs::read(&start).expect("there");
    for broken in [None, Some(&[][..]), Some(&whole[..whole.len() / 2])] {
        match broken {
            None => fs::remove_file(&start).expect("there"),
            Some(text) => fs::write(&start, text).expect("writable"),
        }
        let ran = out.resume(&[]).at(&sim.endpoint, "100000000000").run().expect(2);
        let told = "there is no whole record of a run in ";
        assert!(ran.stderr.contains(told) && ran.stderr.contains("nothing says what is to be"), "{}", ran.stderr);
        assert!(ran.stderr.contains("help: say again what is scanned (--organization, …)"), "{}", ran.stderr);
        assert_same(&report, &out.report());
    }
    assert_eq!(sim.count("ListBuckets"), asked);
    let ran = out.resume(&["--organization"]).at(&sim.endpoint, "100000000000").run();
    assert!(ran.stderr.contains("; what was read of 3 accounts before is discarded"), "{}", ran.stderr);
    assert_same(&report, &out.report());
}

#[test]
fn nothing_is_begun_in_a_folder_that_holds_no_run() {
    let sim = buckets(&many(2));
    let out = Out::new();
    fs::create_dir_all(out.path()).expect("new");
    fs::write(out.path().join("notes.txt"), "precious").expect("writable");
    let ran = out.resume(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(2);
    assert!(ran.stderr.contains("holds no run of bucketlens\n  help: name the folder of the run"), "{}", ran.stderr);
    fs::remove_dir_all(out.path()).expect("there");
    let ran = out.resume(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(2);
    assert!(ran.stderr.contains("does not exist, and nothing says what is to be scanned"), "{}", ran.stderr);
    assert!(!out.path().exists() && sim.count("ListBuckets") == 0);
    // A job may begin and go on with one and the same line.
    for (told, code) in [("it is scanned from the start: --bucket=*-00001", 0), ("there is nothing to resume", 2)] {
        let ran = out.resume(&["--bucket", "*-00001"]).at(&sim.endpoint, MANAGEMENT).run().expect(code);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[test]
fn a_scan_begins_anew_where_another_did_not_end_and_says_so() {
    let sim = buckets(&many(2));
    let out = Out::new();
    out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    fs::rename(out.path().join("inventory"), out.path().join("inventory.partial")).expect("there");
    let asked = sim.count(VERSIONING);
    let ran = out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert!(ran.stderr.contains("did not end: what it had read is discarded; scan --resume "), "{}", ran.stderr);
    assert_eq!(sim.count(VERSIONING) - asked, 2);
}

#[test]
fn an_account_that_is_found_no_more_keeps_its_rows() {
    let both = json!([
        management(&json!({"buckets": [good("ours")]})),
        {"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("theirs")]},
        {"id": "333333333333", "name": "Closed", "ou": "r-test", "assumable": false},
    ]);
    let out = Out::new();
    let sim = Sim::start(of(&both));
    out.scan(&["--organization"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    let alone = Sim::start(of(&json!([management(&json!({"buckets": [good("ours")]}))])));
    out.resume(&["--organization"]).at(&alone.endpoint, MANAGEMENT).run().expect(3);
    let accounts = out.rows("accounts.csv");
    let outcomes: Vec<&str> = accounts.iter().map(|row| row["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["complete", "complete", "failed"]);
    assert!(accounts[2]["reason"].ends_with("is not found any more"), "{accounts:?}");
    assert_eq!(out.rows("buckets.csv").len(), 2);
}

/// What Organizations says now is said of the account, and what was read before stands.
#[test]
fn an_account_that_was_suspended_meanwhile_is_said_to_be() {
    let organization = |theirs: &Value| {
        let theirs = with(json!({"id": "222222222222", "name": "Member", "ou": "r-test"}), theirs);
        let empty = json!({"id": "333333333333", "name": "Empty", "ou": "r-test", "state": theirs["state"]});
        of(&json!([management(&json!({"buckets": [good("ours")]})), theirs, empty]))
    };
    let failing = json!({"fail": {"GetBucketVersioning": {"status": 500, "code": "InternalError"}}});
    let out = Out::new();
    let sim = Sim::start(organization(&json!({"buckets": [good("theirs"), with(good("worse"), &failing)]})));
    out.scan(&["--organization", "--max-attempts", "2"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    let sim = Sim::start(organization(&json!({"state": "SUSPENDED"})));
    let said = |columns: [&str; 4]| {
        let rows = out.rows("accounts.csv");
        rows.iter().map(|row| columns.map(|column| row[column].clone())).collect::<Vec<_>>()
    };
    let ran = out.resume(&["--organization"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert!(ran.stderr.contains("an account is skipped now that was to be read when the run began"), "{}", ran.stderr);
    let reason = "the account is suspended by AWS (SUSPENDED)";
    let stands = format!("{reason}: what an earlier part of the run read of it stands");
    assert_eq!(
        said(["state", "outcome", "reason", "buckets"]),
        [
            ["ACTIVE", "complete", "", "1"],
            ["SUSPENDED", "incomplete", stands.as_str(), "2"],
            // Nothing was left to be read of it.
            ["SUSPENDED", "complete", "", "0"],
        ]
    );
    out.resume(&["--organization", "--max-age", "0s"]).at(&sim.endpoint, MANAGEMENT).run().expect(3);
    assert_eq!(said(["state", "outcome", "reason", "buckets"])[2], ["SUSPENDED", "skipped", reason, ""]);
}

#[test]
fn what_was_read_of_another_account_is_not_taken_for_this_one() {
    let sim = Sim::start(Organization::generate(3, 6));
    let out = Out::new();
    out.scan(&["--organization"]).at(&sim.endpoint, "100000000000").run();
    out.cut();
    let segment = |number: u32| out.path().join(format!("inventory.partial/10000000000{number}.jsonl"));
    let (whole, asked) = (fs::read_to_string(segment(1)).expect("there"), sim.count(VERSIONING));
    // As a whole, and only a bucket of it.
    let (header, rest) = whole.split_once('\n').expect("lines");
    let of_another = rest.replace("100000000001", "100000000002");
    for wrong in [fs::read_to_string(segment(2)).expect("there"), format!("{header}\n{of_another}")] {
        fs::write(segment(1), wrong).expect("writable");
        let ran = out.resume(&["--organization"]).at(&sim.endpoint, "100000000000").run().expect(2);
        let says = "100000000001.jsonl holds what was read of another account (100000000002)\n  help: ";
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    assert_eq!(sim.count(VERSIONING), asked);
    // As the help says.
    fs::remove_file(segment(1)).expect("there");
    out.resume(&["--organization"]).at(&sim.endpoint, "100000000000").run();
    assert_eq!(sim.count(VERSIONING), asked + 2);
}

/// The seam for sharding: accounts share no file, so parts that read some accounts each are the whole once their files
/// stand in one folder.
#[test]
fn parts_that_read_some_accounts_each_make_one_run() {
    let sim = Sim::start(Organization::generate(4, 24));
    let [whole, run] = [(); 2].map(|()| Out::new());
    for out in [&whole, &run] {
        out.scan(&["--organization"]).at(&sim.endpoint, "100000000000").run();
    }
    // One was interrupted before it read anything.
    let unfinished = run.path().join("inventory.partial");
    fs::rename(run.path().join("inventory"), &unfinished).expect("there");
    fs::remove_file(unfinished.join("run.json")).expect("there");
    let segment = |number: u32| format!("10000000000{number}.jsonl");
    (0..4).for_each(|number| fs::remove_file(unfinished.join(segment(number))).expect("there"));
    for numbers in [[0, 1], [2, 3]] {
        let part = Out::new();
        let accounts = numbers.map(|number| format!("10000000000{number}")).join(",");
        part.scan(&["--organization", "--account", &accounts]).at(&sim.endpoint, "100000000000").run();
        for name in numbers.map(segment) {
            fs::copy(part.path().join("inventory").join(&name), unfinished.join(&name)).expect("both are there");
        }
    }
    // Of an account that is none of the run's.
    fs::copy(unfinished.join(segment(0)), unfinished.join("999999999999.jsonl")).expect("both are there");
    let asked = sim.count(VERSIONING);
    let ran = run.resume(&["--organization"]).at(&sim.endpoint, "100000000000").run();
    assert!(ran.stderr.contains("999999999999.jsonl is of no account of its run, and is left out"), "{}", ran.stderr);
    assert_eq!(sim.count(VERSIONING), asked, "nothing is left to be read");
    assert_same(&whole.report(), &run.report());
}

#[test]
fn what_is_not_ours_stays() {
    let sim = buckets(&many(3));
    for name in ["inventory", "inventory.partial"] {
        let out = Out::new();
        let file = out.path().join(name).join("stock.txt");
        fs::create_dir_all(file.parent().expect("a folder")).expect("new");
        fs::write(&file, "precious").expect("new");
        let ran = out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(2);
        assert!(ran.stderr.contains("stock.txt in it is not bucketlens's"), "{}", ran.stderr);
        assert_eq!(fs::read_to_string(&file).expect("still there"), "precious");
    }
}

#[test]
fn no_report_takes_the_place_of_a_file_that_no_run_wrote() {
    let sim = buckets(&many(3));
    let out = Out::new();
    let file = out.path().join("accounts.csv");
    fs::create_dir_all(out.path()).expect("new");
    fs::write(&file, "precious").expect("writable");
    let ran = out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(2);
    assert!(ran.stderr.contains("no run of bucketlens wrote accounts.csv in it"), "{}", ran.stderr);
    assert_eq!((fs::read_to_string(&file).expect("still there"), sim.count("ListBuckets")), ("precious".to_owned(), 0));
    fs::remove_file(&file).expect("there");
    out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    // What a run wrote a run replaces, also where its sums were taken away or its inventory.
    fs::remove_file(out.path().join("SHA256SUMS")).expect("there");
    out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    fs::remove_dir_all(out.path().join("inventory")).expect("there");
    out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
}

#[test]
fn a_full_disk_ends_the_run_with_a_sentence_and_the_run_goes_on() {
    let sim = buckets(&many(400));
    let out = Out::new();
    // What a full disk is to the program, which must not let itself be killed for it.
    let ran = out.scan(&[]).at(&sim.endpoint, MANAGEMENT).run_by_shell("ulimit -f 32").expect(2);
    assert!(ran.stderr.starts_with("error: failed to write the inventory "), "{}", ran.stderr);
    assert!(ran.stderr.contains("File too large") && ran.stderr.contains("go on with --resume DIR"), "{}", ran.stderr);
    let (known, asked) = (out.journalled(), sim.count(VERSIONING));
    assert!((10..400).contains(&known), "{known}");
    out.resume(&[]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(sim.count(VERSIONING) - asked, 400 - known as u64);
    assert_eq!(out.rows("buckets.csv").len(), 400);
}
