//! Answers that make no sense, failures that come together, and runs that meet: none may become a fact.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bucketlens::simulator::{Options, Organization};
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};
use crate::connections::in_front_of;
use crate::contract::{ALL_FILES, FILES};
use crate::scan::{
    Answer, MANAGEMENT, Proxy, Request, buckets, counts, coverage, good, management, many, organization, scan, with,
};

const UPPER: &str = "222222222222";
const NESTED: &str = "333333333333";
const OTHER: &str = "444444444444";

const VERSIONING: &str = "GetBucketVersioning";
const LIFECYCLE: &str = "GetBucketLifecycleConfiguration";

/// The management account and one account in each unit, each with a bucket.
fn four(members: &Value) -> Sim {
    let member = |id: &str, ou: &str| json!({"id": id, "name": id, "ou": ou, "buckets": [good(&format!("of-{id}"))]});
    let accounts = json!([
        management(&json!({"buckets": [good("of-management")]})),
        member(UPPER, "ou-test-upper000"),
        member(NESTED, "ou-test-nested00"),
        member(OTHER, "ou-test-other000"),
    ]);
    Sim::json(&with(organization(&accounts), members).to_string())
}

fn error(status: u16, code: &str) -> Answer {
    Answer::xml(status, &format!("<Error><Code>{code}</Code><Message>made up</Message></Error>"))
}

/// The same answer with another body.
fn says(answer: Answer, body: &str) -> Answer {
    Answer { body: body.to_owned(), ..answer }
}

/// The same document of Organizations with other members.
fn change(answer: Answer, members: &Value) -> Answer {
    let document: Value = serde_json::from_str(&answer.body).expect("JSON");
    says(answer, &with(document, members).to_string())
}

fn scan_at(proxy: &Proxy, arguments: &[&str]) -> Ran {
    scan(arguments.iter().copied()).at(&proxy.endpoint, MANAGEMENT).run()
}

/// Columns of a table, a line a row.
fn columns(ran: &Ran, file: &str, columns: &[&str]) -> Vec<String> {
    let rows = ran.rows(&format!("out/{file}"));
    rows.iter().map(|row| columns.iter().map(|column| row[*column].as_str()).collect::<Vec<_>>().join(" ")).collect()
}

/// The cells of a bucket.
fn cells<const N: usize>(ran: &Ran, bucket: &str, columns: [&str; N]) -> [String; N] {
    let row = ran.bucket(bucket);
    columns.map(|column| row[column].clone())
}

fn asked(proxy: &Proxy, operation: &str, bucket: &str) -> usize {
    proxy.seen().iter().filter(|request| request.operation() == operation && request.bucket() == bucket).count()
}

/// It could not run, says so, and leaves nothing.
#[track_caller]
fn refused(ran: Ran, says: &str) {
    let ran = ran.expect(2);
    assert!(ran.stderr.starts_with(&format!("error: {says}")), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert!(!ran.path("out").exists());
}

// --- two runs, and runs that end early ---

#[test]
fn a_second_run_into_a_folder_is_refused_before_it_asks() {
    let organization = organization(&json!([management(&json!({"buckets": many(20)}))])).to_string();
    let organization = Organization::from_json(&organization).expect("a good fixture");
    let slow = Sim::with(organization, Options { latency: Duration::from_millis(300), ..Options::default() });
    let other = buckets(&json!([good("other")]));
    let shared = tempfile::tempdir().expect("a folder");
    let out = shared.path().join("out");
    let out = out.to_str().expect("text").to_owned();
    let run = |endpoint: &str| {
        let arguments = ["scan", "--out", &out, "--fail-on", "none", "--concurrency", "4"];
        Cli::new(arguments).at(endpoint, MANAGEMENT)
    };
    let first = run(&slow.endpoint);
    let first = std::thread::spawn(move || first.run());
    while slow.count(VERSIONING) == 0 {
        assert!(!first.is_finished(), "the first run must be under way");
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = run(&other.endpoint).run().expect(2);
    assert!(!first.is_finished(), "the second run must not wait for the first");
    let says = format!(
        "error: another run of bucketlens is writing to {out}\n  help: wait for it to end, or choose another folder \
         with --out DIR\n"
    );
    assert_eq!((second.stderr.as_str(), second.stdout.as_str()), (says.as_str(), ""));
    assert_eq!(counts(&other, ["GetCallerIdentity", "ListBuckets", VERSIONING]), [0; 3]);

    let first = first.join().expect("no panic").expect(0);
    let rows = first.rows(&format!("{out}/buckets.csv"));
    let names: Vec<&str> = rows.iter().map(|row| row["bucket"].as_str()).collect();
    assert_eq!(names, (0..20).map(|number| format!("bucket-{number:05}")).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row["status"] == "pass"), "{rows:?}");
    let found: BTreeSet<String> =
        fs::read_dir(&out).expect("readable").map(|it| name(&it.expect("readable"))).collect();
    let expected = ALL_FILES.iter().map(|file| (*file).to_owned()).chain(["inventory".to_owned()]);
    assert_eq!(found, expected.collect());

    // The folder is free again.
    let third = run(&other.endpoint).run().expect(0);
    let rows = third.rows(&format!("{out}/buckets.csv"));
    assert_eq!(rows.iter().map(|row| row["bucket"].as_str()).collect::<Vec<_>>(), ["other"]);
}

fn name(entry: &fs::DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

#[test]
fn what_a_killed_run_left_is_gone_after_the_next() {
    let sim = buckets(&json!([good("here")]));
    let stale = [".buckets.csv-Ab3dEf.tmp", ".report.json-x9Yz01.tmp", ".SHA256SUMS-000000.tmp"];
    let theirs = [".mine.csv-Ab3dEf.tmp", "notes.tmp", ".buckets.csv-notes.txt"];
    let mut cli = scan([]).file("out/inventory.partial/999999999999.jsonl", "torn");
    for file in stale.iter().chain(&theirs) {
        cli = cli.file(&format!("out/{file}"), "half");
    }
    let ran = cli.at(&sim.endpoint, MANAGEMENT).run().expect(0);
    for file in stale {
        assert!(!ran.path(&format!("out/{file}")).exists(), "{file}");
    }
    for file in theirs {
        assert_eq!(ran.read(&format!("out/{file}")), "half", "what is not ours stays");
    }
    assert!(!ran.path("out/inventory.partial").exists());
    assert!(!ran.path("out/inventory/999999999999.jsonl").exists());
}

/// Runs, and does this to the output folder while a bucket is read.
fn disturbed(disturb: impl Fn(&Path) + Send + Sync + 'static) -> Ran {
    let sim = buckets(&json!([good("here")]));
    let cli = scan([]);
    let out = cli.home().join("out");
    let proxy = Proxy::before(&sim, move |request, forward| {
        if request.operation() == VERSIONING {
            disturb(&out);
        }
        forward()
    });
    cli.at(&proxy.endpoint, MANAGEMENT).run()
}

/// The run could not end, and goes on when nothing is in its way any more.
#[track_caller]
fn goes_on(ran: &Ran, requests: u64) {
    assert!(!ran.path("out/SHA256SUMS").exists(), "the report is not complete");
    assert!(ran.path("out/inventory.partial/start.json").exists() && !ran.path("out/inventory").exists());
    let sim = buckets(&json!([good("here")]));
    let out = ran.path("out");
    let arguments = ["scan", "--resume", out.to_str().expect("text")];
    Cli::new(arguments).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(counts(&sim, ["ListBuckets", VERSIONING]), [requests; 2]);
    assert_eq!(ran.bucket("here")["status"], "pass");
}

#[test]
fn a_run_whose_report_cannot_be_written_keeps_what_it_read() {
    let ran = disturbed(|out| {
        fs::create_dir_all(out.join("metrics.csv/in-the-way")).expect("writable");
    });
    let ran = ran.expect(2);
    let says = "error: failed to open the output folder out: metrics.csv in it is a folder\n";
    assert!(ran.stderr.starts_with(says), "{}", ran.stderr);
    fs::remove_dir_all(ran.path("out/metrics.csv")).expect("there");
    goes_on(&ran, 0);
}

#[test]
fn a_run_whose_segment_is_removed_reads_what_is_missing() {
    let ran = disturbed(|out| {
        // The segment is open: what is written to it goes to a file without a name.
        fs::remove_file(out.join(format!("inventory.partial/{MANAGEMENT}.jsonl"))).expect("it is there");
    });
    let ran = ran.expect(2);
    assert!(ran.stderr.starts_with("error: failed to write the inventory "), "{}", ran.stderr);
    goes_on(&ran, 1);
}

#[test]
fn a_run_whose_inventory_cannot_be_closed_keeps_what_it_read() {
    let ran = disturbed(|out| {
        fs::create_dir_all(out.join("inventory.partial/run.json")).expect("writable");
    });
    let ran = ran.expect(2);
    assert!(ran.stderr.starts_with("error: failed to write the inventory "), "{}", ran.stderr);
    fs::remove_dir(ran.path("out/inventory.partial/run.json")).expect("there");
    goes_on(&ran, 0);
}

#[test]
fn a_folder_that_is_gone_is_said_to_be() {
    let ran = disturbed(|out| fs::remove_dir_all(out).expect("it is there")).expect(2);
    // As soon as something is written.
    let start = "error: failed to write the inventory out/inventory.partial/";
    assert!(ran.stderr.starts_with(start) && ran.stderr.contains("No such file or directory"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("\n  help: the folder was removed while the run wrote to it: scan again\n"));
}

// --- Regions ---

/// A list that names no Region, and nobody who tells it.
fn without_regions(sim: &Sim, then: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Proxy {
    Proxy::before(sim, move |request, forward| match request.operation() {
        "ListBuckets" => {
            let mut answer = forward();
            while let Some((before, rest)) = answer.body.split_once("<BucketRegion>") {
                let (_, after) = rest.split_once("</BucketRegion>").expect("closed");
                answer.body = format!("{before}{after}");
            }
            answer
        }
        "HeadBucket" => Answer::xml(503, ""),
        "GetBucketLocation" => error(503, "SlowDown"),
        _ => then(request).unwrap_or_else(forward),
    })
}

const NOTHING_TOLD: [&str; 4] = ["region", "versioning", "lifecycle", "status"];

#[test]
fn a_region_that_cannot_be_found_out_is_the_configured_one_only_where_the_bucket_was_read() {
    let away = with(good("away"), &json!({"region": "eu-west-1"}));
    let sim = buckets(&json!([good("here"), away]));
    let proxy = without_regions(&sim, |_| None);
    let patience = ["--max-attempts", "2"];
    let ran = scan_at(&proxy, &patience).expect(0);
    assert_eq!(cells(&ran, "here", NOTHING_TOLD), ["us-east-1", "enabled", "none", "pass"]);
    // The bucket itself said where it is.
    assert_eq!(cells(&ran, "away", NOTHING_TOLD), ["eu-west-1", "enabled", "none", "pass"]);
    assert_eq!((asked(&proxy, "HeadBucket", "here"), asked(&proxy, "GetBucketLocation", "here")), (2, 2));
    for (region, left) in [("us-east-1", "here"), ("eu-west-1", "away")] {
        let ran = scan_at(&proxy, &[&patience[..], &["--region", region]].concat()).expect(0);
        assert_eq!(columns(&ran, "buckets.csv", &["bucket"]), [left]);
    }
}

#[test]
fn a_bucket_of_which_not_even_the_region_is_known_is_in_no_filter_lost() {
    let sim = buckets(&json!([good("dark"), good("half-dark")]));
    let proxy = without_regions(&sim, |request| {
        let dark = request.bucket() == "dark" || request.operation() == LIFECYCLE;
        dark.then(|| error(503, "ServiceUnavailable"))
    });
    let patience = ["--max-attempts", "2"];
    let ran = scan_at(&proxy, &patience).expect(3);
    assert_eq!(cells(&ran, "dark", NOTHING_TOLD), ["unknown"; 4]);
    assert_eq!(cells(&ran, "half-dark", NOTHING_TOLD), ["us-east-1", "enabled", "unknown", "unknown"]);
    let metrics = ran.rows("out/metrics.csv");
    let regions: BTreeSet<&str> =
        metrics.iter().filter(|row| row["scope"] == "region").map(|row| row["scope_id"].as_str()).collect();
    assert_eq!(regions, BTreeSet::from(["unknown", "us-east-1"]));
    for (region, left) in [("us-east-1", &["dark", "half-dark"][..]), ("eu-west-1", &["dark"])] {
        let ran = scan_at(&proxy, &[&patience[..], &["--region", region]].concat()).expect(3);
        assert_eq!(columns(&ran, "buckets.csv", &["bucket"]), left, "{region}");
        assert_eq!(cells(&ran, "dark", NOTHING_TOLD), ["unknown"; 4]);
    }
}

#[test]
fn a_region_that_is_no_name_is_not_taken_over() {
    const EVIL: &str = "evil.com#";
    let moved = |name: &str| with(good(name), &json!({"region": "eu-west-1", "listed_region": "us-east-1"}));
    let sim = buckets(&json!([
        good("listed"),
        good("headed"),
        good("located"),
        moved("redirected"),
        with(moved("malformed"), &json!({"redirect": "400-header-malformed"})),
    ]));
    let proxy = Proxy::before(&sim, |request, forward| {
        let mut answer = forward();
        let header = |answer: &mut Answer| {
            answer.headers.retain(|(name, _)| name != "x-amz-bucket-region");
            answer.headers.push(("x-amz-bucket-region".to_owned(), EVIL.to_owned()));
        };
        match (request.operation(), request.bucket()) {
            ("ListBuckets", _) => {
                for bucket in ["listed", "headed", "located"] {
                    let (before, after) = answer.body.split_once(&format!("<Name>{bucket}</Name>")).expect("listed");
                    let after = after.replacen("us-east-1", EVIL, 1);
                    answer.body = format!("{before}<Name>{bucket}</Name>{after}");
                }
            }
            ("HeadBucket", "headed" | "located") => header(&mut answer),
            ("GetBucketLocation", "located") => {
                return Answer::xml(200, &format!("<LocationConstraint>{EVIL}</LocationConstraint>"));
            }
            (_, "redirected") if answer.status == 301 => header(&mut answer),
            (_, "malformed") if answer.status == 400 => return answer.replace("eu-west-1", EVIL),
            _ => {}
        }
        answer
    });
    let ran = scan_at(&proxy, &["--max-attempts", "1"]);
    let files = FILES.iter().map(|file| ran.read(&format!("out/{file}")));
    for text in files.chain([ran.stdout.clone(), ran.stderr.clone()]) {
        // The words of an error are quoted, and in nothing but the evidence.
        let cells = text.lines().flat_map(|line| line.split(','));
        assert!(!cells.into_iter().any(|cell| cell.trim_matches('"') == EVIL), "{text}");
    }
    let signed = |request: &Request| request.header("authorization").unwrap_or_default().to_owned();
    assert!(proxy.seen().iter().all(|request| !signed(request).contains("evil") && !request.says(EVIL)));
    for bucket in ["listed", "headed", "located"] {
        assert_eq!(cells(&ran, bucket, ["region", "status"]), ["us-east-1", "pass"], "{bucket}");
    }
}

// --- Organizations ---

/// Whether it asks for the second page or one behind it.
fn is_later(request: &Request) -> bool {
    request.says("\"NextToken\"")
}

#[test]
fn a_page_without_its_list_is_no_end_of_the_organization() {
    let sim = four(&json!({}));
    for later in [false, true] {
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListAccounts" if is_later(request) == later => says(forward(), "{}"),
            _ => forward(),
        });
        let says = "failed to list the accounts of the organization: ListAccounts malformed (HTTP 200): the answer has \
                    no list\n";
        refused(scan_at(&proxy, &["--organization"]), says);
        assert_eq!((proxy.count("AssumeRole"), proxy.count("ListBuckets")), (0, 0));
    }
}

#[test]
fn a_page_of_the_tree_without_its_list_leaves_paths_empty_and_no_account_out() {
    let sim = four(&json!({"omit_paths": true}));
    for operation in ["ListRoots", "ListOrganizationalUnitsForParent", "ListAccountsForParent"] {
        let proxy =
            Proxy::before(
                &sim,
                move |request, forward| {
                    if request.operation() == operation { says(forward(), "{}") } else { forward() }
                },
            );
        let ran = scan_at(&proxy, &["--organization"]).expect(0);
        let expected = [MANAGEMENT, UPPER, NESTED, OTHER].map(|id| format!("{id}  complete"));
        assert_eq!(columns(&ran, "accounts.csv", &["account_id", "ou_path", "outcome"]), expected, "{operation}");
        let says = format!("{operation} malformed (HTTP 200): the answer has no list");
        assert!(ran.stderr.contains(&says), "{}", ran.stderr);
        let says =
            "the organization's tree cannot be read, so nobody knows which accounts --ou and --exclude-ou mean: ";
        refused(scan_at(&proxy, &["--organization", "--exclude-ou", "ou-test-upper000"]), says);
    }
}

#[test]
fn an_account_that_is_nowhere_in_the_tree_has_no_path_and_no_filter_guesses_it() {
    let sim = four(&json!({"omit_paths": true}));
    let proxy = Proxy::before(&sim, |request, forward| {
        let is_others = request.operation() == "ListAccountsForParent" && request.says("ou-test-other000");
        if is_others { says(forward(), r#"{"Accounts": []}"#) } else { forward() }
    });
    let ran = scan_at(&proxy, &["--organization"]).expect(0);
    let root = "o-test000000/r-test";
    let expected = [
        format!("{MANAGEMENT} {root} complete"),
        format!("{UPPER} {root}/ou-test-upper000 complete"),
        format!("{NESTED} {root}/ou-test-upper000/ou-test-nested00 complete"),
        format!("{OTHER}  complete"),
    ];
    assert_eq!(columns(&ran, "accounts.csv", &["account_id", "ou_path", "outcome"]), expected);
    assert!(ran.stderr.contains(&format!("account {OTHER} is in no part of the tree")), "{}", ran.stderr);
    for filter in ["--ou", "--exclude-ou"] {
        let says =
            "the organization's tree cannot be read, so nobody knows which accounts --ou and --exclude-ou mean: ";
        refused(scan_at(&proxy, &["--organization", filter, "ou-test-upper000"]), says);
    }
    assert_eq!(proxy.count("ListBuckets"), 4, "of the first run");
}

#[test]
fn an_account_that_is_listed_twice_is_scanned_once() {
    let sim = four(&json!({}));
    let proxy = Proxy::before(&sim, |request, forward| {
        let answer = forward();
        if request.operation() != "ListAccounts" {
            return answer;
        }
        let document: Value = serde_json::from_str(&answer.body).expect("JSON");
        let listed = document["Accounts"].as_array().expect("a list");
        let twice: Vec<&Value> = listed.iter().chain(listed).collect();
        change(answer, &json!({"Accounts": twice}))
    });
    let ran = scan_at(&proxy, &["--organization"]).expect(0);
    let expected = [MANAGEMENT, UPPER, NESTED, OTHER].map(|id| format!("{id} complete 1"));
    assert_eq!(columns(&ran, "accounts.csv", &["account_id", "outcome", "buckets"]), expected);
    assert_eq!(columns(&ran, "buckets.csv", &["account_id"]), [MANAGEMENT, UPPER, NESTED, OTHER]);
    assert_eq!((proxy.count("AssumeRole"), proxy.count("ListBuckets"), coverage(&ran, "accounts")), (3, 4, 4));
    assert_eq!(ran.stderr.matches("ListAccounts names this account twice").count(), 4, "{}", ran.stderr);
}

#[test]
fn a_list_of_accounts_without_end_ends_with_a_sentence() {
    let sim = four(&json!({}));
    let pages = AtomicUsize::new(0);
    let circle = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListAccounts" => change(says(forward(), "{}"), &json!({"Accounts": [], "NextToken": "items-0"})),
        _ => forward(),
    });
    let endless = Proxy::before(&sim, move |request, forward| match request.operation() {
        "ListAccounts" => {
            let token = format!("items-{}", pages.fetch_add(1, Ordering::Relaxed));
            says(Answer::xml(200, ""), &json!({"Accounts": [], "NextToken": token}).to_string())
        }
        _ => forward(),
    });
    for (proxy, words) in [(circle, "the list goes round in a circle"), (endless, "the list has no end")] {
        let start = Instant::now();
        let says =
            format!("failed to list the accounts of the organization: ListAccounts malformed (HTTP 200): {words}\n");
        refused(scan_at(&proxy, &["--organization"]), &says);
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
        assert_eq!(proxy.count("ListBuckets"), 0);
    }
}

// --- ListBuckets ---

#[test]
fn an_answer_without_a_list_is_not_an_account_without_buckets() {
    let sim = buckets(&json!([good("here")]));
    let answers = |body: &'static str| {
        Proxy::before(
            &sim,
            move |request, forward| {
                if request.operation() == "ListBuckets" { Answer::xml(200, body) } else { forward() }
            },
        )
    };
    let outcome = ["outcome", "reason", "buckets"];
    let proxy = answers("<ListAllMyBucketsResult/>");
    let ran = scan_at(&proxy, &[]).expect(3);
    let failed = "failed ListBuckets malformed (HTTP 200): the answer has no list ";
    assert_eq!(columns(&ran, "accounts.csv", &outcome), [failed]);
    assert_eq!(proxy.count("ListBuckets"), 1);
    let proxy = answers("<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>");
    let ran = scan_at(&proxy, &[]).expect(0);
    assert_eq!(columns(&ran, "accounts.csv", &outcome), ["complete  0"]);
}

fn page(names: &[&str], next: Option<&str>) -> Answer {
    let region = "<BucketRegion>us-east-1</BucketRegion>";
    let entries: String =
        names.iter().flat_map(|name| ["<Bucket><Name>", name, "</Name>", region, "</Bucket>"]).collect();
    let next = next.map(|token| format!("<ContinuationToken>{token}</ContinuationToken>")).unwrap_or_default();
    Answer::xml(200, &format!("<ListAllMyBucketsResult><Buckets>{entries}</Buckets>{next}</ListAllMyBucketsResult>"))
}

#[test]
fn an_empty_page_in_the_midst_of_a_list_is_not_its_end() {
    let sim = buckets(&json!([good("first"), good("last")]));
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListBuckets" if request.says("continuation-token=two") => page(&[], Some("three")),
        "ListBuckets" if request.says("continuation-token=three") => page(&["last"], None),
        "ListBuckets" => page(&["first"], Some("two")),
        _ => forward(),
    });
    let ran = scan_at(&proxy, &[]).expect(0);
    assert_eq!(columns(&ran, "buckets.csv", &["bucket", "status"]), ["first pass", "last pass"]);
    assert_eq!(columns(&ran, "accounts.csv", &["outcome", "buckets"]), ["complete 2"]);
    assert_eq!(proxy.count("ListBuckets"), 3);
}

#[test]
fn a_list_that_goes_round_in_a_circle_is_incomplete() {
    let sim = buckets(&json!([good("first"), good("last")]));
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListBuckets" if request.says("continuation-token=two") => page(&["last"], Some("three")),
        "ListBuckets" if request.says("continuation-token=three") => page(&["first"], Some("two")),
        "ListBuckets" => page(&["first"], Some("two")),
        _ => forward(),
    });
    let ran = scan_at(&proxy, &[]).expect(3);
    assert_eq!(columns(&ran, "buckets.csv", &["bucket", "status"]), ["first pass", "last pass"]);
    let reason = "the list of buckets broke off: ListBuckets malformed (HTTP 200): the list goes round in a circle";
    assert_eq!(columns(&ran, "accounts.csv", &["outcome", "buckets", "reason"]), [format!("incomplete 2 {reason}")]);
    assert_eq!((proxy.count("ListBuckets"), proxy.count(VERSIONING)), (3, 2));
}

/// What a page lists is listed, also where the page is the last that can be believed.
#[test]
fn the_page_that_closes_a_circle_keeps_its_buckets() {
    let sim = buckets(&json!([good("first"), good("last")]));
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListBuckets" if request.says("continuation-token=two") => page(&["last"], Some("two")),
        "ListBuckets" => page(&["first"], Some("two")),
        _ => forward(),
    });
    let ran = scan_at(&proxy, &[]).expect(3);
    assert_eq!(columns(&ran, "accounts.csv", &["outcome"]), ["incomplete"]);
    assert_eq!(columns(&ran, "buckets.csv", &["bucket"]), ["first", "last"]);
}

#[test]
fn a_list_of_buckets_without_end_ends_too() {
    let sim = buckets(&json!([good("first")]));
    let pages = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "ListBuckets" => {
            let number = pages.fetch_add(1, Ordering::Relaxed);
            // So that a program that would never end does.
            if number > 3000 {
                return error(403, "AccessDenied");
            }
            page(&["first"], Some(&format!("page-{number}")))
        }
        _ => forward(),
    });
    let ran = scan_at(&proxy, &[]).expect(3);
    assert_eq!(columns(&ran, "buckets.csv", &["bucket"]), ["first"]);
    let accounts = columns(&ran, "accounts.csv", &["outcome", "reason"]);
    assert!(accounts[0].starts_with("incomplete the list of buckets broke off: ListBuckets malformed"), "{accounts:?}");
    assert!(proxy.count("ListBuckets") < 2000, "{}", proxy.count("ListBuckets"));
}

// --- STS ---

#[test]
fn an_account_id_of_another_account_is_found_out_where_sts_stumbles() {
    let sim = four(&json!({}));
    let asked = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
        "GetCallerIdentity" if asked.fetch_add(1, Ordering::Relaxed) == 0 => error(503, "ServiceUnavailable"),
        _ => forward(),
    });
    let says = format!("the credentials belong to account {MANAGEMENT}, not to {OTHER} (--account-id)\n");
    refused(scan_at(&proxy, &["--account-id", OTHER]), &says);
    assert_eq!((proxy.count("GetCallerIdentity"), proxy.count("ListBuckets")), (2, 0));
}

#[test]
fn an_account_id_that_is_only_believed_is_told() {
    let sim = four(&json!({}));
    for (status, code, most) in [(503, "ServiceUnavailable", 3), (405, "MethodNotAllowed", 1)] {
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "GetCallerIdentity" => error(status, code),
            _ => forward(),
        });
        let ran = scan_at(&proxy, &["--account-id", MANAGEMENT, "--max-attempts", "2"]).expect(0);
        assert!(ran.stderr.contains("WARN"), "{}", ran.stderr);
        assert!(ran.stderr.contains("--account-id is believed"), "{}", ran.stderr);
        assert!(ran.stderr.contains("GetCallerIdentity ") && ran.stderr.contains(code), "{}", ran.stderr);
        assert_eq!(ran.json("out/report.json")["run"]["partition"], Value::Null, "nobody told it");
        assert_eq!(proxy.count("GetCallerIdentity"), most);
    }
}

// --- the facts of a bucket ---

/// Bodies of `GetBucketVersioning` that are whole and well-formed, and no answers.
const NO_VERSIONING: [(&str, &str); 12] = [
    ("mfa-in-capitals", "<Status>Enabled</Status><MFADelete>Enabled</MFADelete>"),
    ("mfa-in-small", "<Status>Enabled</Status><mfadelete>Enabled</mfadelete>"),
    ("status-in-small", "<status>Enabled</status>"),
    ("status-twice", "<Status>Enabled</Status><Status>Enabled</Status>"),
    ("status-contradicts", "<Status>Suspended</Status><MfaDelete>Enabled</MfaDelete><Status>Enabled</Status>"),
    ("mfa-contradicts", "<MfaDelete>Disabled</MfaDelete><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"),
    ("mfa-twice-spelt", "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete><MFADelete>Disabled</MFADelete>"),
    ("nested-status", "<X><Status>Enabled</Status></X>"),
    ("nested-mfa", "<Status>Enabled</Status><X><MfaDelete>Enabled</MfaDelete></X>"),
    ("status-in-status", "<Status>Enabled<Status>Suspended</Status></Status>"),
    ("status-empty", "<Status></Status><MfaDelete>Enabled</MfaDelete>"),
    ("status-padded", "<Status>\n  enabled\n</Status>"),
];

#[test]
fn misspelt_misplaced_and_contradicting_elements_are_no_fact() {
    let sim = buckets(&NO_VERSIONING.iter().map(|(name, _)| good(name)).chain([good("documented")]).collect());
    let proxy = Proxy::before(&sim, |request, forward| {
        let body =
            NO_VERSIONING.iter().find(|(name, _)| request.operation() == VERSIONING && *name == request.bucket());
        match body {
            Some((_, inside)) => {
                Answer::xml(200, &format!("<VersioningConfiguration>{inside}</VersioningConfiguration>"))
            }
            None => forward(),
        }
    });
    let ran = scan_at(&proxy, &["--max-attempts", "2"]).expect(3);
    let facts = ["versioning", "mfa_delete", "lifecycle", "status", "unknown_reasons"];
    for (bucket, _) in NO_VERSIONING {
        let [versioning, mfa_delete, lifecycle, status, reasons] = cells(&ran, bucket, facts);
        assert_eq!([versioning, mfa_delete, lifecycle, status], ["unknown", "unknown", "none", "unknown"], "{bucket}");
        assert!(reasons.starts_with("GetBucketVersioning malformed (HTTP 200"), "{bucket}: {reasons}");
        assert_eq!(asked(&proxy, VERSIONING, bucket), 2, "{bucket}: once, and once in the last pass");
    }
    assert_eq!(cells(&ran, "documented", facts), ["enabled", "enabled", "none", "pass", ""]);
}

#[test]
fn a_lifecycle_configuration_without_rules_is_no_fact() {
    let sim = buckets(&json!([good("empty"), good("spaces"), good("no-rules"), good("text"), good("other-document")]));
    let proxy = Proxy::before(&sim, |request, forward| {
        let body = match request.bucket() {
            _ if request.operation() != LIFECYCLE => return forward(),
            "empty" => "<LifecycleConfiguration/>",
            "spaces" => "<LifecycleConfiguration>\n</LifecycleConfiguration>\n",
            "no-rules" => "<LifecycleConfiguration><Rules/></LifecycleConfiguration>",
            "text" => "<LifecycleConfiguration>none</LifecycleConfiguration>",
            _ => "<VersioningConfiguration/>",
        };
        Answer::xml(200, body)
    });
    let ran = scan_at(&proxy, &[]).expect(3);
    // Google Cloud Storage and rustfs say so that there is none.
    for bucket in ["empty", "spaces"] {
        let facts = cells(&ran, bucket, ["mfa_delete", "lifecycle", "lifecycle_rules", "status"]);
        assert_eq!(facts, ["enabled", "none", "0", "pass"], "{bucket}");
    }
    for bucket in ["no-rules", "text", "other-document"] {
        let facts = cells(&ran, bucket, ["mfa_delete", "lifecycle", "lifecycle_rules", "status"]);
        assert_eq!(facts, ["enabled", "unknown", "", "unknown"], "{bucket}");
        let [reasons] = cells(&ran, bucket, ["unknown_reasons"]);
        assert!(reasons.starts_with(&format!("{LIFECYCLE} malformed (HTTP 200")), "{reasons}");
        assert_eq!(asked(&proxy, LIFECYCLE, bucket), 2, "{bucket}: once, and once in the last pass");
    }
}

#[test]
fn an_error_that_comes_with_200_is_an_error() {
    let sim = buckets(&json!([good("slow"), good("denied"), good("gone"), good("none")]));
    let slow = Mutex::new(BTreeSet::new());
    let list = AtomicUsize::new(0);
    let proxy = Proxy::before(&sim, move |request, forward| match (request.operation(), request.bucket()) {
        ("ListBuckets", _) if list.fetch_add(1, Ordering::Relaxed) == 0 => error(200, "InternalError"),
        (operation @ (VERSIONING | LIFECYCLE), "slow")
            if slow.lock().expect("no panic").insert(operation.to_owned()) =>
        {
            error(200, "SlowDown")
        }
        (VERSIONING | LIFECYCLE, "denied") => error(200, "AccessDenied"),
        (VERSIONING, "gone") => error(200, "NoSuchBucket"),
        (LIFECYCLE, "none") => error(200, "NoSuchLifecycleConfiguration"),
        _ => forward(),
    });
    for level in ["info", "trace"] {
        let before =
            (asked(&proxy, VERSIONING, "slow"), asked(&proxy, VERSIONING, "denied"), proxy.count("ListBuckets"));
        let ran = scan_at(&proxy, &["--log-level", level]).expect(3);
        let facts = ["versioning", "mfa_delete", "lifecycle", "unknown_reasons"];
        assert_eq!(cells(&ran, "slow", facts), ["enabled", "enabled", "none", ""]);
        let reason = |operation: &str| format!("{operation} denied (AccessDenied, HTTP 200, request MADEUPREQUEST000)");
        let reasons = format!("{};{}", reason(VERSIONING), reason(LIFECYCLE));
        assert_eq!(cells(&ran, "denied", facts), ["unknown", "unknown", "unknown", &reasons]);
        assert_eq!(cells(&ran, "gone", ["versioning", "lifecycle"]), ["unknown", "none"], "no 404");
        assert_eq!(cells(&ran, "none", ["versioning", "lifecycle"]), ["enabled", "unknown"], "no 404");
        let (slow, denied, lists) = before;
        let first = usize::from(level == "info");
        assert_eq!(asked(&proxy, VERSIONING, "slow") - slow, 1 + first);
        assert_eq!(asked(&proxy, VERSIONING, "denied") - denied, 1, "a denial is asked once");
        assert_eq!(proxy.count("ListBuckets") - lists, 1 + first);
        for debug in ["SdkBody", "Response {", "ServiceError", "Headers {", "Extensions", "aws_smithy"] {
            assert!(!ran.stderr.contains(debug), "{debug}: {}", ran.stderr);
        }
    }
}

#[test]
fn none_is_believed_with_404_only_and_vanished_with_a_list_only() {
    let sim = buckets(&json!([good("none-403"), good("none-500"), good("gone-403"), good("gone-404")]));
    let proxy = Proxy::before(&sim, |request, forward| match (request.operation(), request.bucket()) {
        (LIFECYCLE, "none-403") => error(403, "NoSuchLifecycleConfiguration"),
        (LIFECYCLE, "none-500") => error(500, "NoSuchLifecycleConfiguration"),
        (VERSIONING | LIFECYCLE, "gone-403") => error(403, "NoSuchBucket"),
        (VERSIONING, "gone-404") => error(404, "NoSuchBucket"),
        _ => forward(),
    });
    let ran = scan_at(&proxy, &["--max-attempts", "2"]).expect(3);
    let facts = ["mfa_delete", "lifecycle", "unknown_reasons"];
    let reason = |operation: &str, class: &str, code: &str, status: u16| {
        format!("{operation} {class} ({code}, HTTP {status}, request MADEUPREQUEST000)")
    };
    let none = |class, status| reason(LIFECYCLE, class, "NoSuchLifecycleConfiguration", status);
    assert_eq!(cells(&ran, "none-403", facts), ["enabled", "unknown", &none("denied", 403)]);
    assert_eq!(cells(&ran, "none-500", facts), ["enabled", "unknown", &none("unavailable", 500)]);
    let gone = [VERSIONING, LIFECYCLE].map(|operation| reason(operation, "denied", "NoSuchBucket", 403)).join(";");
    assert_eq!(cells(&ran, "gone-403", facts), ["unknown", "unknown", &gone]);
    // It is listed all the same.
    let gone = reason(VERSIONING, "rejected", "NoSuchBucket", 404) + ";GetBucketLifecycleConfiguration rejected";
    assert_eq!(cells(&ran, "gone-404", facts), ["unknown", "unknown", &gone]);
    assert_eq!((coverage(&ran, "buckets_vanished"), coverage(&ran, "buckets_unknown")), (0, 4));
    assert_eq!((asked(&proxy, LIFECYCLE, "none-403"), asked(&proxy, LIFECYCLE, "none-500")), (1, 3));
}

/// Bodies of `GetBucketVersioning` that never end, and that end too late.
fn far_too_long(sim: &Sim) -> Proxy {
    let filler = "<Status>Enabled</Status>".repeat(2000);
    let long = format!("<VersioningConfiguration>{}</VersioningConfiguration>", " ".repeat(16 * 1024 * 1024));
    Proxy::before(sim, move |request, forward| match (request.operation(), request.bucket()) {
        (VERSIONING, "endless") => Answer::xml(200, &filler).endless(),
        (VERSIONING, "announced") => Answer::xml(200, &long),
        _ => forward(),
    })
}

#[test]
fn a_body_without_end_costs_neither_time_nor_memory() {
    let sim = buckets(&json!([good("endless"), good("announced"), good("steady")]));
    let proxy = far_too_long(&sim);
    let start = Instant::now();
    let cli = scan(["--max-attempts", "2", "--operation-timeout", "10"]).at(&proxy.endpoint, MANAGEMENT);
    let (ran, kib) = cli.run_measured();
    let ran = ran.expect(3);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert!(kib > 0 && kib < 200 * 1024, "{kib} KiB");
    for bucket in ["endless", "announced"] {
        let facts = cells(&ran, bucket, ["versioning", "mfa_delete", "lifecycle"]);
        assert_eq!(facts, ["unknown", "unknown", "none"], "{bucket}");
    }
    assert_eq!(cells(&ran, "steady", ["versioning", "status"]), ["enabled", "pass"]);
}

#[test]
fn a_body_that_is_too_long_is_told_and_asked_for_only_once_more() {
    let sim = buckets(&json!([good("announced"), good("endless")]));
    let proxy = far_too_long(&sim);
    let ran = scan_at(&proxy, &["--max-attempts", "2"]).expect(3);
    for (bucket, says) in
        [("announced", "the answer is longer than 64 KiB"), ("endless", "the answer has more than 1000 elements")]
    {
        let findings = ran.rows("out/findings.csv");
        let finding = findings.iter().find(|row| row["bucket"] == bucket).expect("a finding");
        let evidence = &finding["evidence"];
        assert!(evidence.starts_with("GetBucketVersioning malformed (HTTP 200"), "{bucket}: {evidence}");
        assert!(evidence.ends_with(says), "{bucket}: {evidence}");
        assert_eq!(asked(&proxy, VERSIONING, bucket), 2, "{bucket}: once, and once in the last pass");
    }
}

// --- redirects ---

/// S3 that sends all that is about a bucket to this address, as Ceph RGW does: without a Region.
fn redirecting(sim: &Sim, operations: &'static [&'static str], location: String) -> Proxy {
    Proxy::before(sim, move |request, forward| match request.operation() {
        operation if operations.contains(&operation) => {
            Answer::xml(301, "<Error><Code>PermanentRedirect</Code></Error>").header("location", &location)
        }
        _ => forward(),
    })
}

#[test]
fn a_redirect_does_not_lead_out_of_tls() {
    let sim = buckets(&json!([good("here")]));
    let plain = Proxy::before(&sim, |_, forward| forward());
    let proxy = redirecting(&sim, &[VERSIONING, LIFECYCLE], format!("{}/here", plain.endpoint));
    let tls = in_front_of(&proxy.endpoint);
    let cli = scan([]).file("ca.pem", &tls.certificate);
    let bundle = cli.home().join("ca.pem").display().to_string();
    let ran = cli.env("AWS_CA_BUNDLE", &bundle).at(&tls.endpoint, MANAGEMENT).run().expect(3);
    let requests: Vec<String> = plain.seen().iter().map(|request| request.operation().to_owned()).collect();
    assert_eq!(requests, [""; 0], "nothing goes out without TLS");
    let reason =
        |operation: &str| format!("{operation} wrong_region (PermanentRedirect, HTTP 301, request MADEUPREQUEST000)");
    let [reasons] = cells(&ran, "here", ["unknown_reasons"]);
    assert_eq!(reasons, [VERSIONING, LIFECYCLE].map(reason).join(";"));
    // Where nothing is encrypted there is nothing to lose.
    let ran = scan_at(&proxy, &[]).expect(0);
    assert_eq!(cells(&ran, "here", ["status"]), ["pass"]);
    assert_eq!((plain.count(VERSIONING), plain.count(LIFECYCLE)), (1, 1));
}

#[test]
fn an_address_that_does_not_answer_takes_only_one_fact_with_it() {
    let sim = buckets(&json!([good("here")]));
    let proxy = redirecting(&sim, &[VERSIONING], "http://127.0.0.1:1/here".to_owned());
    let ran = scan_at(&proxy, &["--max-attempts", "2"]).expect(3);
    let facts = ["region", "versioning", "mfa_delete", "lifecycle"];
    assert_eq!(cells(&ran, "here", facts), ["us-east-1", "unknown", "unknown", "none"]);
    // Followed in the last pass again.
    assert_eq!((proxy.count(VERSIONING), proxy.count(LIFECYCLE)), (2, 1));
    let [reasons] = cells(&ran, "here", ["unknown_reasons"]);
    assert_eq!(reasons, format!("{VERSIONING} unavailable"));
}
