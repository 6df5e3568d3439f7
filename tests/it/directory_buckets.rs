//! `--directory-buckets`: directory buckets have a row where they were asked for, and nothing else is said of them; a
//! Region that does not list them is told.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Row, Sim};
use crate::contract::assert_valid;
use crate::proxy::Act;
use crate::saved::Runs;
use crate::scan::{Answer, MANAGEMENT, Proxy, counts, coverage, good, management, organization, same_lines, with};
use crate::servers::{Moto, python_lines};

const LIST: &str = "ListDirectoryBuckets";
const ASKED: [&str; 4] = ["ListBuckets", LIST, "GetBucketVersioning", "GetBucketLifecycleConfiguration"];
const OPTION: &str = "--directory-buckets";
const ALL_REGIONS: &str = "ap-northeast-1, ap-south-1, eu-north-1, eu-west-1, us-east-1, us-east-2, us-west-2";
const VIRGINIA: &str = "orders--use1-az4--x-s3";
const IRELAND: &str = "events--euw1-az1--x-s3";
const FRANKFURT: &str = "new--euc1-az2--x-s3";

fn directory(name: &str, region: &str) -> Value {
    json!({"name": name, "region": region})
}

fn three() -> Value {
    json!([directory(VIRGINIA, "us-east-1"), directory(IRELAND, "eu-west-1"), directory(FRANKFURT, "eu-central-1")])
}

/// An account of one bucket that passes, with further members.
fn account(members: &Value) -> Sim {
    let one = with(json!({"buckets": [good("plain")]}), members);
    Sim::json(&organization(&json!([management(&one)])).to_string())
}

fn with_directories() -> Sim {
    account(&json!({"directory_buckets": three()}))
}

fn scan(endpoint: &str, arguments: &[&str]) -> Ran {
    let first = ["scan", "--out", "out", "--fail-on", "none"];
    Cli::new(first.into_iter().chain(arguments.iter().copied())).at(endpoint, MANAGEMENT).run()
}

/// Name, Region and status of each row.
fn listed(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| [&row["bucket"], &row["region"], &row["status"]].map(String::as_str).join(" ")).collect()
}

fn rows(ran: &Ran) -> Vec<String> {
    listed(&ran.rows("out/buckets.csv"))
}

const BOTH: [&str; 3] = [
    "events--euw1-az1--x-s3 eu-west-1 not_applicable",
    "orders--use1-az4--x-s3 us-east-1 not_applicable",
    "plain us-east-1 pass",
];

fn outcome(ran: &Ran) -> (String, String) {
    let row = ran.rows("out/accounts.csv").remove(0);
    (row["outcome"].clone(), row["reason"].clone())
}

/// What the tables say of other buckets: all but the times.
fn of_others(ran: &Ran, file: &str) -> String {
    let rows = ran.rows(&format!("out/{file}"));
    let kept = rows.into_iter().filter(|row| row.get("bucket").is_none_or(|name| !name.ends_with("--x-s3")));
    kept.fold(String::new(), |text, mut row| {
        row.remove("observed_at");
        text + &format!("{row:?}\n")
    })
}

#[test]
fn they_have_a_row_and_nothing_is_asked_or_counted_of_them() {
    let sim = with_directories();
    let plain = scan(&sim.endpoint, &[]).expect(0);
    assert_eq!(counts(&sim, ASKED), [1, 0, 1, 1]);
    assert_eq!(rows(&plain), [BOTH[2]]);
    assert!(!plain.read("out/report.json").contains("directory"), "nobody asked");
    assert!(!plain.stdout.contains("irectory"), "{}", plain.stdout);

    let ran = scan(&sim.endpoint, &[OPTION]).expect(0);
    assert_eq!(counts(&sim, ASKED), [2, 7, 2, 2]);
    assert_eq!(rows(&ran), BOTH);
    let row = ran.bucket(VIRGINIA);
    let facts = ["versioning", "mfa_delete", "lifecycle", "lifecycle_rules", "severity", "failed_rules", "advisories"];
    let none = "not_applicable";
    assert_eq!(facts.map(|fact| row[fact].as_str()), [none, none, none, "", "", "", ""]);
    assert_eq!(row["unknown_reasons"], "directory_bucket");
    for table in ["buckets.csv", "findings.csv", "metrics.csv"] {
        same_lines(&of_others(&plain, table), &of_others(&ran, table));
    }
    let counted = ["buckets", "buckets_complete", "buckets_unknown", "buckets_vanished", "buckets_directory"];
    assert_eq!(counted.map(|figure| coverage(&ran, figure)), [3, 1, 0, 0, 2]);
    assert_eq!(outcome(&ran), ("complete".to_owned(), String::new()));
    assert!(ran.stdout.contains("3  listed: 1 read, 2 only listed"), "{}", ran.stdout);

    let report = ran.json("out/report.json");
    assert_valid(&report);
    assert_eq!(report["run"]["scope"], json!([OPTION]));
    let regions: Vec<&str> =
        report["run"]["directory_regions"].as_array().expect("Regions").iter().filter_map(Value::as_str).collect();
    assert_eq!(regions.join(", "), ALL_REGIONS);
    let help = Cli::new(["scan", "--help"]).run().expect(0).stdout;
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("README.md");
    for region in regions {
        assert!(help.contains(region) && readme.contains(region), "{region} is not told");
    }
}

#[test]
fn the_option_can_stand_in_the_environment_and_the_file() {
    let sim = with_directories();
    let command = || Cli::new(["scan", "--out", "out", "--region", "us-east-1"]).at(&sim.endpoint, MANAGEMENT);
    let by_variable = command().env("BUCKETLENS_DIRECTORY_BUCKETS", "true").run().expect(0);
    assert_eq!(rows(&by_variable), BOTH[1..]);
    let by_file = Cli::new(["scan", "--config", "scan.toml"])
        .file("scan.toml", "out = \"out\"\ndirectory-buckets = true\nregion = [\"eu-west-1\"]\n")
        .at(&sim.endpoint, MANAGEMENT);
    assert_eq!(rows(&by_file.run().expect(0)), BOTH[..1]);
}

#[test]
fn filters_choose_them_and_their_regions() {
    let sim = with_directories();
    let ran = scan(&sim.endpoint, &[OPTION, "--region", "eu-central-1,us-east-1"]).expect(0);
    assert_eq!(rows(&ran), ["new--euc1-az2--x-s3 eu-central-1 not_applicable", BOTH[1], BOTH[2]]);
    assert_eq!(sim.count(LIST), 2, "no Region that was not asked for, and any that was");
    let ran = scan(&sim.endpoint, &[OPTION, "--bucket", "orders-*"]).expect(0);
    assert_eq!(rows(&ran), [BOTH[1]]);
    assert_eq!(counts(&sim, ["GetBucketVersioning"]), [1]);
}

#[test]
fn every_page_is_read() {
    let many: Vec<Value> =
        (0..2001).map(|number| directory(&format!("d{number:04}--use1-az4--x-s3"), "us-east-1")).collect();
    let sim = account(&json!({"directory_buckets": many}));
    let ran = scan(&sim.endpoint, &[OPTION]).expect(0);
    assert_eq!((rows(&ran).len(), sim.count(LIST)), (2002, 9));
}

#[test]
fn a_region_that_refuses_is_told_and_not_taken_for_empty() {
    let sim = account(&json!({"directory_buckets": three(), "deny": [LIST]}));
    let ran = scan(&sim.endpoint, &[OPTION]).expect(3);
    assert_eq!(counts(&sim, ASKED), [1, 7, 1, 1], "a denial is asked once");
    assert_eq!(rows(&ran), [BOTH[2]]);
    let (outcome, reason) = outcome(&ran);
    assert_eq!(outcome, "incomplete");
    let begin =
        format!("the directory buckets of {ALL_REGIONS} could not be listed: {LIST} denied (AccessDenied, HTTP 403,");
    assert!(reason.starts_with(&begin), "{reason}");
    assert!(reason.ends_with(": Access Denied, needs s3express:ListAllMyDirectoryBuckets"), "{reason}");
    assert_eq!(coverage(&ran, "buckets_directory"), 0);
}

#[test]
fn one_region_that_fails_leaves_the_others_their_rows() {
    let broken = json!({"eu-west-1": {"status": 500, "code": "InternalError"}});
    let sim = account(&json!({"directory_buckets": three(), "directory_buckets_fail": broken}));
    let ran = scan(&sim.endpoint, &[OPTION, "--max-attempts", "2"]).expect(3);
    assert_eq!(rows(&ran), BOTH[1..]);
    let (outcome, reason) = outcome(&ran);
    assert_eq!(outcome, "incomplete");
    let begin =
        format!("the directory buckets of eu-west-1 could not be listed: {LIST} unavailable (InternalError, HTTP 500");
    assert!(reason.starts_with(&begin) && !reason.contains("us-east-1"), "{reason}");
    // Twice in the first pass, once in the second.
    assert_eq!(sim.count(LIST), 6 + 3);

    let passing = json!({"eu-west-1": {"status": 503, "code": "SlowDown", "times": 1}});
    let sim = account(&json!({"directory_buckets": three(), "directory_buckets_fail": passing}));
    assert_eq!(rows(&scan(&sim.endpoint, &[OPTION]).expect(0)), BOTH);
}

type React = Box<dyn Fn() -> Vec<Act> + Send + Sync>;

#[test]
fn a_region_without_an_answer_or_with_nonsense_is_told_too() {
    const OTHER_LIST: &str = "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>";
    const NOT_A_NAME: &str = "<ListAllMyDirectoryBucketsResult><Buckets><Bucket><Name>plain</Name></Bucket></Buckets>\
                              </ListAllMyDirectoryBucketsResult>";
    const NO_LIST: &str = "<ListAllMyDirectoryBucketsResult/>";
    const CIRCLE: &str = "<ListAllMyDirectoryBucketsResult><Buckets/><ContinuationToken>a</ContinuationToken>\
                          </ListAllMyDirectoryBucketsResult>";
    let body = |body: &'static str| move || Answer::xml(200, body).acts();
    let cases: [(React, &str, &str); 5] = [
        (Box::new(|| vec![Act::Reset]), "unavailable", ""),
        (Box::new(body(OTHER_LIST)), "malformed", "the answer is a \"ListAllMyBucketsResult\" document where"),
        (Box::new(body(NOT_A_NAME)), "malformed", "the list names \"plain\", and no directory bucket"),
        (Box::new(body(NO_LIST)), "malformed", "the answer has no list"),
        (Box::new(body(CIRCLE)), "malformed", "the list goes round in a circle"),
    ];
    let sim = with_directories();
    for (react, class, says) in cases {
        let proxy = Proxy::acting(&sim, move |request, forward| {
            let meant = request.operation() == LIST && request.says("/eu-west-1/s3express/");
            if meant { react() } else { forward().acts() }
        });
        let ran = scan(&proxy.endpoint, &[OPTION, "--max-attempts", "1"]).expect(3);
        assert_eq!(rows(&ran), BOTH[1..], "{says}");
        let (outcome, reason) = outcome(&ran);
        let begin = format!("the directory buckets of eu-west-1 could not be listed: {LIST} {class}");
        assert!(outcome == "incomplete" && reason.starts_with(&begin) && reason.contains(says), "{reason}");
    }
}

#[test]
fn an_account_whose_buckets_cannot_be_listed_stays_failed() {
    let sim = account(&json!({"directory_buckets": three(), "deny": ["ListBuckets"]}));
    let ran = scan(&sim.endpoint, &[OPTION]).expect(3);
    assert_eq!((rows(&ran).len(), counts(&sim, ASKED)), (0, [1, 0, 0, 0]));
    assert_eq!(outcome(&ran).0, "failed");
    // A list that breaks off says why beside what the directory buckets' list says.
    let sim = account(&json!({"directory_buckets": three(), "list_breaks_after": 1, "deny": [LIST],
        "buckets": [good("one"), good("two")]}));
    let ran = scan(&sim.endpoint, &[OPTION, "--max-attempts", "1"]).expect(3);
    let (outcome, reason) = outcome(&ran);
    assert_eq!(outcome, "incomplete");
    assert!(reason.starts_with("the list of buckets broke off: ListBuckets"), "{reason}");
    assert!(reason.contains("; the directory buckets of ap-northeast-1, "), "{reason}");
}

#[test]
fn a_partition_without_such_regions_is_asked_in_none_and_says_so() {
    let members = json!({"buckets": [good("plain")], "directory_buckets": three()});
    let of_china = with(organization(&json!([management(&members)])), &json!({"partition": "aws-cn"}));
    let sim = Sim::json(&of_china.to_string());
    let ran = scan(&sim.endpoint, &[OPTION]).expect(0);
    assert_eq!((rows(&ran), sim.count(LIST)), (vec![BOTH[2].to_owned()], 0));
    assert!(ran.stderr.contains("no Region of this partition is known to have directory buckets"), "{}", ran.stderr);
    assert!(ran.stdout.contains("asked for in no Region"), "{}", ran.stdout);
    assert_eq!(ran.json("out/report.json")["run"]["directory_regions"], json!([]));
    scan(&sim.endpoint, &[OPTION, "--region", "us-east-1"]).expect(0);
    assert_eq!(sim.count(LIST), 1, "what was named is asked");
}

#[test]
fn the_demo_has_one_and_shows_it_only_where_it_is_asked_for() {
    let ran =
        |more: &[&str]| Cli::new(["demo", "--out", "out"].into_iter().chain(more.iter().copied())).run().expect(0);
    let (without, with) = (rows(&ran(&[])), rows(&ran(&[OPTION])));
    assert_eq!(with.len(), without.len() + 1);
    assert!(with.contains(&"shop-sessions--euw1-az1--x-s3 eu-west-1 not_applicable".to_owned()), "{with:?}");
}

// --- a run that goes on ---

fn resume(runs: &Runs, endpoint: &str, arguments: &[&str]) -> Ran {
    let out = runs.text("run");
    let first = ["scan", "--resume", &out, "--fail-on", "none"];
    Cli::new(first.into_iter().chain(arguments.iter().copied())).at(endpoint, MANAGEMENT).run()
}

fn rows_of(runs: &Runs) -> Vec<String> {
    let text = runs.read("run/buckets.csv");
    let rows: Vec<Row> =
        csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().expect("CSV");
    listed(&rows)
}

#[test]
fn a_run_that_goes_on_lists_what_it_lacks_and_knows_what_it_has() {
    let runs = Runs::new();
    let broken = json!({"eu-west-1": {"status": 500, "code": "InternalError", "times": 1}});
    let sim = account(&json!({"directory_buckets": three(), "directory_buckets_fail": broken}));
    runs.scan("run", &sim, MANAGEMENT, &[OPTION, "--max-attempts", "1", "--fail-on", "none"]).expect(3);
    assert_eq!(rows_of(&runs), BOTH[1..]);
    resume(&runs, &sim.endpoint, &[OPTION]).expect(0);
    assert_eq!(rows_of(&runs), BOTH);
    assert_eq!(counts(&sim, ASKED), [2, 14, 1, 1], "what is known of the other bucket is not asked again");
    let report = runs.json("run/report.json");
    assert_eq!((&report["coverage"]["buckets_directory"], &report["coverage"]["buckets"]), (&json!(2), &json!(3)));
    // All of it is known now.
    resume(&runs, &sim.endpoint, &["--max-age", "7d"]).expect(0);
    assert_eq!(counts(&sim, ASKED), [2, 14, 1, 1]);
    assert_eq!(
        (rows_of(&runs), &runs.json("run/report.json")["run"]["scope"]),
        (BOTH.map(str::to_owned).into(), &json!([OPTION]))
    );
    // It was part of what was asked.
    let plain = Runs::new();
    plain.scan("run", &sim, MANAGEMENT, &["--fail-on", "none"]).expect(0);
    let ran = resume(&plain, &sim.endpoint, &[OPTION]).expect(2);
    assert!(ran.stderr.contains("was begun without it, not with it"), "{}", ran.stderr);
}

#[test]
fn what_is_too_old_is_listed_again_and_never_read_like_other_buckets() {
    let runs = Runs::new();
    let sim = with_directories();
    runs.scan("run", &sim, MANAGEMENT, &[OPTION, "--fail-on", "none"]).expect(0);
    let later = account(&json!({"directory_buckets": [directory(IRELAND, "eu-west-1")]}));
    resume(&runs, &later.endpoint, &["--max-age", "1d"]).expect(0);
    assert_eq!((rows_of(&runs), counts(&later, ASKED)), (BOTH.map(str::to_owned).into(), [0; 4]));
    resume(&runs, &later.endpoint, &["--max-age", "0s"]).expect(0);
    assert_eq!(rows_of(&runs), [BOTH[0], BOTH[2]]);
    assert_eq!(counts(&later, ASKED), [1, 7, 1, 1]);
    // One that no list names any more stays only where its Region did not say so.
    let refusing = account(&json!({"deny": [LIST]}));
    resume(&runs, &refusing.endpoint, &["--max-age", "0s"]).expect(3);
    assert_eq!(rows_of(&runs), [BOTH[0], BOTH[2]]);
    let ran = resume(&runs, &later.endpoint, &["--max-age", "0s"]).expect(0);
    assert!(ran.stdout.contains("Nothing stayed unknown."), "{}", ran.stdout);
}

#[test]
fn a_run_that_is_told_to_stop_meanwhile_is_interrupted_and_goes_on() {
    let runs = Runs::new();
    let sim = with_directories();
    let proxy = Proxy::before(&sim, |request, forward| {
        if request.operation() == LIST && request.says("/eu-west-1/s3express/") {
            sleep(Duration::from_mins(1));
        }
        forward()
    });
    let out = runs.text("run");
    let words = ["scan", "--out", &out, OPTION, "--fail-on", "none", "--read-timeout", "100"];
    let running = Cli::new(words).at(&proxy.endpoint, MANAGEMENT).start();
    while proxy.count(LIST) < 7 {
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(500));
    running.signal("INT");
    running.wait().expect(3);
    assert_eq!(rows_of(&runs), BOTH[1..]);
    let report = runs.json("run/report.json");
    assert_eq!(
        (&report["run"]["interrupted"], &report["accounts"][0]["outcome"]),
        (&json!(true), &json!("incomplete"))
    );
    resume(&runs, &sim.endpoint, &[]).expect(0);
    assert_eq!(rows_of(&runs), BOTH);
    assert_eq!(sim.count("GetBucketVersioning"), 1);
}

// --- what reads runs ---

/// Change, name and words of each row.
fn changes(runs: &Runs, code: i32) -> Vec<String> {
    let ran = runs.run(&["diff", "@old", "@new", "--format", "csv"]).expect(code);
    let rows = csv::Reader::from_reader(ran.stdout.as_bytes()).deserialize().collect::<Result<Vec<Row>, _>>();
    let line = |row: &Row| {
        [&row["change"], &row["bucket"], &row["old"], &row["new"], &row["words"]].map(String::as_str).join("|")
    };
    rows.expect("CSV").iter().map(line).collect()
}

fn run(runs: &Runs, name: &str, directories: &Value, arguments: &[&str]) {
    let sim = account(&json!({"directory_buckets": directories}));
    let arguments = [&["--fail-on", "none", "--organization"], arguments].concat();
    runs.scan(name, &sim, MANAGEMENT, &arguments).expect(0);
}

#[test]
fn a_run_that_did_not_ask_says_nothing_of_them() {
    let runs = Runs::new();
    run(&runs, "old", &three(), &[]);
    run(&runs, "new", &three(), &[OPTION, "--region", "us-east-1"]);
    let not_asked = "directory buckets were not asked for";
    assert_eq!(
        changes(&runs, 0),
        [format!("bucket_first_seen|{VIRGINIA}||a directory bucket|in the older run: {not_asked}")]
    );
    fs::rename(runs.path("old"), runs.path("x")).expect("there");
    fs::rename(runs.path("new"), runs.path("old")).expect("there");
    fs::rename(runs.path("x"), runs.path("new")).expect("there");
    assert_eq!(changes(&runs, 0), [format!("bucket_not_seen|{VIRGINIA}|a directory bucket||{not_asked}")]);
}

#[test]
fn between_two_runs_that_asked_they_come_and_go() {
    let runs = Runs::new();
    run(&runs, "old", &json!([directory(VIRGINIA, "us-east-1")]), &[OPTION]);
    run(&runs, "new", &json!([directory(IRELAND, "eu-west-1")]), &[OPTION]);
    assert_eq!(
        changes(&runs, 0),
        [format!("bucket_new|{IRELAND}||a directory bucket|"), format!("bucket_gone|{VIRGINIA}|a directory bucket||")]
    );
    // One whose Region the other did not ask for them.
    let runs = Runs::new();
    run(&runs, "old", &three(), &[OPTION, "--region", "eu-central-1"]);
    run(&runs, "new", &three(), &[OPTION]);
    let found = changes(&runs, 0);
    let line =
        format!("bucket_not_seen|{FRANKFURT}|a directory bucket||eu-central-1 was not asked for directory buckets");
    assert!(found.contains(&line), "{found:?}");
}

/// A run of an organization of one account in which a Region does not list its directory buckets.
fn run_with_gap(runs: &Runs, name: &str, buckets: &Value, directories: &Value, arguments: &[&str]) {
    let members = json!({"buckets": buckets, "directory_buckets": directories,
        "directory_buckets_fail": {"eu-west-1": {"status": 403, "code": "AccessDenied"}}});
    let sim = Sim::json(&organization(&json!([management(&members)])).to_string());
    let arguments = [&["--fail-on", "none", "--organization", OPTION], arguments].concat();
    runs.scan(name, &sim, MANAGEMENT, &arguments).expect(3);
}

#[test]
fn a_region_that_refuses_says_nothing_of_other_buckets_and_other_regions() {
    let runs = Runs::new();
    let sim = account(&json!({"directory_buckets": three()}));
    runs.scan("old", &sim, MANAGEMENT, &["--fail-on", "none", "--organization", OPTION]).expect(0);
    run_with_gap(&runs, "new", &json!([good("other")]), &json!([]), &[]);
    let report = runs.json("new/report.json");
    assert_valid(&report);
    let of_account = &report["accounts"][0];
    assert_eq!((&of_account["outcome"], &report["coverage"]["accounts_incomplete"]), (&json!("incomplete"), &json!(1)));
    assert_eq!(of_account["directory_gaps"][0]["regions"], json!(["eu-west-1"]));

    let found = changes(&runs, 3);
    let known = |line: &String| !line.contains(IRELAND);
    let whole = "versioning enabled, MFA delete enabled, lifecycle none, status pass";
    assert_eq!(
        found.iter().filter(|line| known(line)).collect::<Vec<_>>(),
        [
            &format!("bucket_gone|{VIRGINIA}|a directory bucket||"),
            &format!("bucket_new|other||{whole}|"),
            &format!("bucket_gone|plain|{whole}||"),
        ]
    );
    let begin = format!("bucket_not_seen|{IRELAND}|a directory bucket||{LIST} denied (AccessDenied, HTTP 403");
    assert!(found.iter().any(|line| line.starts_with(&begin)), "{found:?}");

    // The other way round: the older run lacks the Region.
    let names = [("old", "x"), ("new", "old"), ("x", "new")];
    for (from, to) in names {
        fs::rename(runs.path(from), runs.path(to)).expect("there");
    }
    let found = changes(&runs, 0);
    let new = |line: &&String| line.starts_with("bucket_new|");
    assert_eq!(found.iter().filter(new).count(), 2, "{found:?}");
    let begin = format!("bucket_first_seen|{IRELAND}||a directory bucket|in the older run: {LIST} denied");
    assert!(found.iter().any(|line| line.starts_with(&begin)), "{found:?}");
}

#[test]
fn a_region_that_refuses_takes_nothing_from_destinations_exports_and_plans() {
    let rule = json!({"id": "r", "destination": "arn:aws:s3:::nowhere", "account": MANAGEMENT});
    let source = with(good("source"), &json!({"replication": [rule]}));
    let runs = Runs::new();
    let asked = ["--metrics", "replication", "--format", "csv,json,storage-lens-csv"];
    run_with_gap(&runs, "run", &json!([good("plain"), source]), &three(), &asked);
    let invalid = "organization,o-test000000,,InvalidDestinationReplicationRuleCount,1,";
    let metrics = runs.read("run/metrics.csv");
    assert!(metrics.lines().any(|line| line == invalid), "{metrics}");
    let export = runs.path("run/StorageLens");
    let coverage = crate::common::files(&export).into_iter().find(|name| name.ends_with("coverage.json"));
    let coverage = fs::read_to_string(export.join(coverage.expect("written"))).expect("text");
    let coverage: Value = serde_json::from_str(&coverage).expect("JSON");
    assert_eq!(coverage["accounts"], json!([]));
    let plan = runs.run(&["plan", "@run"]).expect(0).stdout;
    assert!(!plan.contains("not read to the end"), "{plan}");
    // A bucket of the export that is there no more is gone, and not unknown.
    run_with_gap(&runs, "later", &json!([good("plain")]), &three(), &["--metrics", "replication"]);
    let words = ["storage-lens", "compare", "@run", "--with", "@later", "--format", "csv"];
    let compared = runs.run(&words).expect(0).stdout;
    let of_source = compared.lines().find(|line| line.contains("source")).expect("a line");
    assert!(of_source.contains("gone"), "{compared}");
}

#[test]
fn plans_trends_and_exports_have_nothing_of_them() {
    let runs = Runs::new();
    run(&runs, "all/plain", &three(), &["--format", "json,parquet"]);
    run(&runs, "all/asked", &three(), &[OPTION, "--format", "csv,json,parquet,storage-lens-csv,storage-lens-tables"]);
    let plan = runs.run(&["plan", "@all/asked"]).expect(0).stdout;
    assert!(!plan.contains("--x-s3"), "{plan}");

    let export = runs.path("all/asked/StorageLens");
    for name in crate::common::files(&export) {
        let text = String::from_utf8_lossy(&fs::read(export.join(&name)).expect("readable")).into_owned();
        assert!(!text.contains("--x-s3") && !text.contains("\"vanished_buckets\": 1"), "{name}: {text}");
    }
    let table = fs::read(runs.path("all/asked/bucket_property_metrics.parquet")).expect("written");
    assert!(!String::from_utf8_lossy(&table).contains("--x-s3"));

    // A day each, so that both speak.
    for (name, day, id) in [("plain", "2026-03-30", 1), ("asked", "2026-03-31", 2)] {
        crate::trend::move_to(&runs, &format!("all/{name}"), day, id);
    }
    let trend = |more: &[&str]| {
        let words = [&["trend", "@all", "--format", "csv", "--scope", "region"], more].concat();
        let ran = runs.run(&words).expect(0);
        assert!(!ran.stderr.contains("not comparable"), "{}", ran.stderr);
        ran.stdout
    };
    let regions = trend(&[]);
    assert!(regions.contains("us-east-1") && !regions.contains("eu-west-1"), "{regions}");
    for run in ["all/plain", "all/asked"] {
        fs::remove_dir_all(runs.path(&format!("{run}/inventory"))).expect("there");
    }
    assert_eq!(trend(&[]), regions, "from the files alone");
}

#[test]
fn an_export_beside_a_run_with_them_differs_in_nothing() {
    let runs = Runs::new();
    run(&runs, "run", &three(), &[OPTION, "--format", "csv,json,storage-lens-csv"]);
    let ran = runs.run(&["storage-lens", "compare", "@run", "--with", "@run"]).expect(0);
    assert!(!ran.stdout.contains("--x-s3"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n 1 general purpose bucket, 9 values equal, "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n 2 directory buckets of the run not compared\n"), "{}", ran.stdout);
}

#[test]
fn the_parquet_file_tells_them_apart_and_counts_nothing() {
    const ROWS: &str = "
import duckdb, json, sys
rows = duckdb.sql(\"select * exclude (run_start, observed_at) from '\" + sys.argv[1] + \"' where directory_bucket order by bucket\")
print(json.dumps([{name: value for name, value in zip(rows.columns, row) if value is not None} for row in rows.fetchall()], default=str))
";
    let runs = Runs::new();
    run(&runs, "run", &three(), &[OPTION]);
    let Some(told) = python_lines(ROWS, &[&runs.text("run/inventory.parquet")]) else { return };
    let told: Vec<Value> = serde_json::from_str(&told).expect("JSON");
    let names: Vec<&str> = told.iter().filter_map(|row| row["bucket"].as_str()).collect();
    assert_eq!(names, [IRELAND, VIRGINIA]);
    let known: Vec<&str> = told[0].as_object().expect("a row").keys().map(String::as_str).collect();
    let mut expected = [
        "run_id",
        "standard",
        "organization_id",
        "account_id",
        "account_name",
        "ou_path",
        "region",
        "bucket",
        "vanished",
        "status",
        "directory_bucket",
    ];
    expected.sort_unstable();
    assert_eq!(known, expected, "all else is null");
}

/// moto takes the request for `ListBuckets`.
#[test]
fn a_server_without_such_a_list_is_not_believed() {
    let Some(moto) = Moto::start() else { return };
    let key = |name: &str| moto.truth[name].as_str().expect("a text").to_owned();
    let words = ["scan", OPTION, "--region", "us-east-1", "--out", "out", "--fail-on", "none"];
    let ran = Cli::new(words).keys(&moto.endpoint, &key("access_key"), &key("secret_key")).run().expect(3);
    let (outcome, reason) = outcome(&ran);
    assert_eq!(outcome, "incomplete");
    assert!(
        reason.starts_with("the directory buckets of us-east-1 could not be listed: ListDirectoryBuckets "),
        "{reason}"
    );
    assert!(rows(&ran).iter().all(|row| !row.contains("--x-s3")));
}
