//! An export beside a run: where one of them contradicts itself, or lacks something, nothing else is called so.

use serde_json::{Value, json};

use super::import::Copy;
use super::{OWNER, lens, text};
use crate::common::Row;
use crate::saved::Runs;

const MEMBER: &str = "444455556666";

fn bucket(name: &str, region: &str, versioning: &str, mfa_delete: &str) -> Value {
    json!({"name": name, "region": region, "versioning": versioning, "mfa_delete": mfa_delete})
}

/// Of the organization of the fixture, as the export has it, with further buckets.
fn organization(owner: &[Value], member: &[Value]) -> crate::common::Sim {
    let mut organization: Value =
        serde_json::from_str(include_str!("../../../fixtures/orgs/minimal.json")).expect("JSON");
    let theirs = [
        bucket("member-logs", "eu-west-1", "Enabled", "Enabled"),
        json!({"name": "member-scratch", "region": "us-east-1"}),
    ];
    let accounts = organization["accounts"].as_array_mut().expect("accounts");
    accounts[0]["buckets"].as_array_mut().expect("buckets").extend_from_slice(owner);
    let buckets: Vec<&Value> = theirs.iter().chain(member).collect();
    accounts.push(json!({"id": MEMBER, "name": "Member", "ou": "r-min1", "buckets": buckets}));
    crate::common::Sim::json(&organization.to_string())
}

fn run(runs: &Runs, owner: &[Value], member: &[Value]) {
    let sim = organization(owner, member);
    runs.scan("run", &sim, OWNER, &["--organization", "--fail-on", "none", "--format", "json"]).expect(0);
}

struct Compared {
    rows: Vec<Row>,
    document: Value,
}

fn compare(copy: &Copy, runs: &Runs, code: i32) -> Compared {
    let ran = |format: &str| {
        let run = runs.text("run");
        lens("compare", copy.space.path(), &["--with", &run, "--format", format]).expect(code).stdout
    };
    let rows = csv::Reader::from_reader(ran("csv").as_bytes()).deserialize().collect::<Result<_, _>>().expect("rows");
    Compared { rows, document: serde_json::from_str(&ran("json")).expect("JSON") }
}

impl Compared {
    /// Account, Region and difference of each row with this name.
    fn of(&self, name: &str) -> Vec<[&str; 3]> {
        let rows = self.rows.iter().filter(|row| row["bucket"] == name);
        rows.map(|row| ["account_id", "region", "difference"].map(|column| row[column].as_str())).collect()
    }

    fn count(&self, of: &str) -> u64 {
        self.document["counts"][of].as_u64().unwrap_or_else(|| panic!("no {of}"))
    }
}

#[test]
fn a_name_in_two_places_is_a_contradiction_and_is_judged_at_neither() {
    let runs = Runs::new();
    run(&runs, &[], &[]);
    let whole = compare(&Copy::of("csv"), &runs, 0);
    assert_eq!((whole.of("only-good"), whole.count("contradiction")), (vec![], 0));
    for (account, region) in [(MEMBER, "eu-west-1"), (OWNER, "eu-west-1"), ("999988887777", "eu-west-1")] {
        let copy = Copy::of("csv");
        copy.change_lines(|line| {
            let twice = || line.replace(&format!("{OWNER},us-east-1,"), &format!("{account},{region},"));
            let is_it = line.contains(",BUCKET,,only-good,");
            // With another value, which would be a disagreement.
            Some(if is_it { format!("{line}\r\n{}", twice().replace("Count,1", "Count,0")) } else { line.to_owned() })
        });
        let compared = compare(&copy, &runs, 3);
        let mut places = [[OWNER, "us-east-1", "contradiction"], [account, region, "contradiction"]];
        places.sort_unstable();
        assert_eq!(compared.of("only-good"), places);
        assert_eq!(compared.count("contradiction"), 2);
        // The two values of the bucket are not compared, and all else is as it was.
        assert_eq!(compared.count("equal"), whole.count("equal") - 2);
        for count in ["buckets", "disagreement", "lag", "new", "gone", "unknown"] {
            assert_eq!(compared.count(count), whole.count(count), "{count}");
        }
    }
}

#[test]
fn a_doubt_about_one_place_is_none_about_another() {
    let runs = Runs::new();
    let fresh = |name: &str, region: &str| bucket(name, region, "Enabled", "Disabled");
    run(
        &runs,
        &[fresh("fresh-owner-east", "us-east-1"), fresh("fresh-owner-west", "eu-west-1")],
        &[fresh("fresh-member-west", "eu-west-1")],
    );
    // Of this account and Region the sums are not those of the buckets.
    let copy = Copy::of("csv");
    copy.change_lines(|line| (!line.contains(",BUCKET,,only-lifecycle,")).then(|| line.to_owned()));
    let compared = compare(&copy, &runs, 3);
    for (name, account, region, difference) in [
        ("only-lifecycle", OWNER, "eu-west-1", "unknown"),
        ("fresh-owner-west", OWNER, "eu-west-1", "unknown"),
        ("fresh-owner-east", OWNER, "us-east-1", "new"),
        ("fresh-member-west", MEMBER, "eu-west-1", "new"),
    ] {
        assert_eq!(compared.of(name), [[account, region, difference]], "{name}");
    }
    // Of no account anything is certain where a report file is missing.
    let copy = Copy::of("csv");
    std::fs::remove_file(super::only(copy.space.path(), "dt=2026-03-18/a38f6bc4-2e3d-4355-ac8a-e2fdcf3de151.csv"))
        .expect("there");
    let run = runs.text("run");
    let rows = lens("compare", copy.space.path(), &["--allow-partial", "--with", &run, "--format", "csv"]).expect(3);
    assert!(!rows.stdout.contains(",new,"), "{}", rows.stdout);
    // The row may have stood there.
    assert!(!rows.stdout.contains("no row of this metric"), "{}", rows.stdout);
}

/// Of a filtered scan `coverage.json` says so: what it did not ask for is not new.
#[test]
fn what_the_scan_of_the_export_was_not_asked_for_is_not_new() {
    let runs = Runs::new();
    let sim = organization(&[], &[]);
    let scan = |name: &str, more: &[&str]| {
        let always = ["--organization", "--fail-on", "none", "--format", "json,storage-lens-csv"];
        runs.scan(name, &sim, OWNER, &[&always, more].concat()).expect(0);
        runs.path(name)
    };
    let whole = scan("whole", &[]);
    for filter in ["--bucket=*-logs", "--region=us-east-1"] {
        let export = scan("part", &[filter]).join("StorageLens");
        let said = lens("read", &export, &[]).expect(3).stdout;
        assert!(said.contains(&format!("\n the scan that wrote it was asked for a part only: {filter}\n")), "{said}");
        let rows = lens("compare", &export, &["--with", text(&whole), "--format", "csv"]).expect(3).stdout;
        assert!(!rows.contains(",new,"), "{rows}");
        let why = "the scan that wrote the export was asked for a part only";
        assert!(rows.lines().any(|row| row.ends_with(why)) && !rows.contains("gone"), "{rows}");
        std::fs::remove_dir_all(runs.path("part")).expect("there");
    }
    // Of accounts that it has it has all buckets.
    let export = scan("part", &["--account", MEMBER]).join("StorageLens");
    lens("read", &export, &[]).expect(3);
    let rows = lens("compare", &export, &["--with", text(&whole), "--format", "csv"]).expect(3).stdout;
    assert!(rows.contains("the export speaks of no bucket of this account") && !rows.contains(MEMBER), "{rows}");
}

#[test]
fn metrics_for_which_the_run_was_not_asked_are_named() {
    let runs = Runs::new();
    let sim = organization(&[], &[]);
    let scan = |name: &str, more: &[&str]| {
        runs.scan(name, &sim, OWNER, &[&["--organization", "--fail-on", "none"], more].concat()).expect(0);
        runs.path(name)
    };
    let export = scan("all", &["--metrics", "encryption", "--format", "json,storage-lens-csv"]).join("StorageLens");
    let run = scan("few", &[]);
    let compared = lens("compare", &export, &["--with", text(&run), "--format", "json"]).expect(0).stdout;
    let document: Value = serde_json::from_str(&compared).expect("JSON");
    assert_eq!(document["metrics_not_in_run"], json!(["SSEKMSEnabledBucketCount"]));
    let page = lens("compare", &export, &["--with", text(&run)]).expect(0).stdout;
    assert!(page.contains("\n The run was not asked for SSEKMSEnabledBucketCount: not compared.\n"), "{page}");
}

#[test]
fn a_bucket_in_another_region_is_a_difference_of_its_own() {
    let runs = Runs::new();
    run(&runs, &[], &[]);
    let whole = compare(&Copy::of("csv"), &runs, 0);
    let copy = Copy::of("csv");
    copy.change_lines(|line| Some(line.replace(&format!("{OWNER},eu-west-1,"), &format!("{OWNER},eu-central-1,"))));
    let compared = compare(&copy, &runs, 1);
    assert_eq!(compared.of("only-lifecycle"), [[OWNER, "eu-west-1", "other_region"]]);
    assert_eq!((compared.count("other_region"), compared.count("equal")), (1, whole.count("equal") - 2));
    let row = compared.rows.iter().find(|row| row["bucket"] == "only-lifecycle").expect("a row");
    assert_eq!(
        row["why"],
        "the export of 2026-03-18 has it in eu-central-1, the run in eu-west-1: its values are not compared"
    );
}

#[test]
fn vanished_buckets_are_no_buckets_that_were_compared() {
    let runs = Runs::new();
    let vanished = |name: &str| json!({"name": name, "region": "us-east-1", "vanished": true});
    run(&runs, &[vanished("only-deleted"), vanished("only-passing-by")], &[]);
    let compared = compare(&Copy::of("csv"), &runs, 0);
    assert_eq!(compared.of("only-deleted"), [[OWNER, "us-east-1", "gone"]]);
    assert_eq!(compared.of("only-passing-by").len(), 0);
    assert_eq!((compared.count("buckets"), compared.count("vanished_buckets")), (7, 1));
    let page = lens("compare", Copy::of("csv").space.path(), &["--with", text(&runs.path("run"))]).expect(0).stdout;
    assert!(
        page.contains("\n 7 general purpose buckets, ") && page.contains("\n 1 bucket not compared: gone "),
        "{page}"
    );
}
