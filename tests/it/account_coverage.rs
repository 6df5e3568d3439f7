//! Coverage does not get better when an account is lost: how much is known of all buckets is unknown in every scope that
//! may hold buckets of an account that was not listed to its end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::{Row, Sim};
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, good, management, organization, with};
use crate::trend::move_to;

const KNOWN: &str = "KnownBucketPercent";
const SECOND: &str = "222222222222";
const THIRD: &str = "333333333333";
const FOURTH: &str = "444444444444";
const FIFTH: &str = "555555555555";

/// Five accounts, two of them in a nested unit; one bucket of the first is not read. `second`: members of the second.
fn sim(second: &Value, of_all: &Value) -> Sim {
    let blind = with(good("blind"), &json!({"deny": {"GetBucketVersioning": ""}}));
    let account = |id: &str, ou: &str, bucket: &str| {
        let tagged = with(good(bucket), &json!({"tags": {"team": "blue"}}));
        json!({"id": id, "name": format!("Account {id}"), "ou": ou, "buckets": [tagged]})
    };
    let one = management(&json!({"buckets": [with(good("a1"), &json!({"tags": {"team": "red"}})), blind]}));
    let mut lost = account(SECOND, "ou-test-nested00", "b1");
    lost["buckets"] = json!([good("b1"), good("b2"), good("b3")]);
    let shut = with(account(FIFTH, "ou-test-other000", "e1"), &json!({"state": "SUSPENDED"}));
    let accounts = json!([
        one,
        with(lost, second),
        account(THIRD, "ou-test-nested00", "c1"),
        account(FOURTH, "ou-test-other000", "d1"),
        shut,
    ]);
    Sim::json(&with(organization(&accounts), of_all).to_string())
}

const ARGUMENTS: [&str; 8] = [
    "--organization",
    "--fail-on",
    "none",
    "--allow-unknown",
    "--max-attempts=1",
    "--group-by-tag=team",
    "--format",
    "csv,json,parquet,storage-lens-csv,storage-lens-tables",
];

fn scan(runs: &Runs, name: &str, second: &Value, more: &[&str]) -> String {
    runs.scan(name, &sim(second, &json!({})), MANAGEMENT, &[&ARGUMENTS, more].concat()).expect(0).stdout
}

/// The values of a metric by scope, id and Region.
fn values(runs: &Runs, name: &str, metric: &str) -> BTreeMap<String, String> {
    let text = runs.read(&format!("{name}/metrics.csv"));
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<Row>().map(|row| row.expect("CSV"));
    let rows = rows.filter(|row| row["metric"] == metric);
    rows.map(|row| {
        ([&row["scope"], &row["scope_id"], &row["region"]].map(String::as_str).join(" "), row["value"].clone())
    })
    .collect()
}

fn organization_value(runs: &Runs, name: &str, metric: &str) -> String {
    values(runs, name, metric)["organization o-test000000 "].clone()
}

#[test]
fn a_lost_account_makes_coverage_unknown_wherever_its_buckets_may_be() {
    let runs = Runs::new();
    let whole = scan(&runs, "whole", &json!({}), &[]);
    assert_eq!(organization_value(&runs, "whole", KNOWN), "85.71", "an account that AWS suspended hides nothing");
    assert!(whole.contains(" Fully known   6  of 7 buckets = 85.71%\n"), "{whole}");
    let metrics: usize = values(&runs, "whole", "AccountCount").len();

    for (name, second, counter) in [
        ("failed", json!({"assumable": false}), "FailedAccountCount"),
        ("refused", json!({"deny": ["ListBuckets"]}), "FailedAccountCount"),
        ("cut", json!({"list_breaks_after": 1}), "IncompleteAccountCount"),
    ] {
        let page = scan(&runs, name, &second, &[]);
        let known = values(&runs, name, KNOWN);
        for (scope, value) in &known {
            let words: Vec<&str> = scope.splitn(3, ' ').collect();
            let hides = match (words[0], words[1]) {
                ("organization" | "region" | "tag", _) => true,
                ("ou", id) => ["ou-test-upper000", "ou-test-nested00"].contains(&id),
                (_, id) => id == SECOND,
            };
            // The suspended account has no percentage of anything.
            let is_empty = hides || *scope == format!("account {FIFTH} ");
            assert_eq!(value.is_empty(), is_empty, "{name} {scope} {value}");
        }
        // Nothing lost its row by it.
        for scope in
            [format!("account {SECOND} "), "ou ou-test-nested00 ".to_owned(), "region us-east-1 us-east-1".to_owned()]
        {
            assert!(known.contains_key(&scope), "{scope}");
        }
        let failed = values(&runs, name, counter);
        assert_eq!(failed["region us-east-1 us-east-1"], "1");
        assert_eq!(failed["tag blue "], "1");
        assert_eq!(failed[&format!("account {SECOND} ")], "1");
        assert_eq!(failed[&format!("account_region {THIRD} us-east-1")], "0");
        assert_eq!(failed.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>(), "in every scope");
        // What is of the known stays a number, with its coverage.
        assert_eq!(values(&runs, name, "MFADeleteEnabledOfKnownPercent")["ou ou-test-nested00 "], "100.00");
        assert_eq!(organization_value(&runs, name, "ListedAccountCount"), "3");
        assert!(page.contains(" known = 100.00%, 1 of ") && page.contains(" unknown, 3 of 5 accounts\n"), "{page}");
        assert!(page.contains(" listed, unknown %: 1 account may have more\n"), "{page}");
        assert!(page.contains("These are the buckets of 3 of 5 accounts.\n"), "{page}");
        let report = runs.json(&format!("{name}/report.json"));
        let of = |metric: &str, scope: &str| -> Value {
            let mut rows = report["metrics"].as_array().expect("metrics").iter();
            rows.find(|row| row["metric"] == metric && row["scope"] == scope).expect("a row")["value"].clone()
        };
        assert_eq!((of(KNOWN, "organization"), of("AccountCount", "tag")), (Value::Null, json!(5)));
    }
    assert!(metrics >= 13, "{metrics}");
}

#[test]
fn directory_buckets_are_in_no_coverage() {
    let runs = Runs::new();
    let broken = json!({"directory_buckets_fail": {"eu-west-1": {"status": 403, "code": "AccessDenied"}}});
    scan(&runs, "run", &broken, &["--directory-buckets"]);
    assert_eq!(organization_value(&runs, "run", KNOWN), "85.71");
    assert_eq!(organization_value(&runs, "run", "IncompleteAccountCount"), "1");
    assert_eq!(organization_value(&runs, "run", "ListedAccountCount"), "4");
}

#[test]
fn a_tree_that_could_not_be_read_is_said() {
    let runs = Runs::new();
    let hidden = sim(&json!({}), &json!({"omit_paths": true, "deny_tree": true}));
    let page = runs.scan("all/hidden", &hidden, MANAGEMENT, &ARGUMENTS).expect(0).stdout;
    let says = "The organizational units of 5 accounts could not be read: metrics by OU leave them out.";
    assert!(page.contains(says), "{page}");
    assert_eq!(organization_value(&runs, "all/hidden", KNOWN), "85.71");
    runs.scan("all/seen", &sim(&json!({}), &json!({})), MANAGEMENT, &ARGUMENTS).expect(0);
    move_to(&runs, "all/hidden", "2026-03-30", 1);
    move_to(&runs, "all/seen", "2026-03-31", 2);
    let page = runs.run(&["trend", "@all", "--scope", "ou"]).expect(0).stdout;
    let says = "Note: on 2026-03-30 the organizational units of some accounts could not be read, and values";
    assert!(page.contains(says), "{page}");
}

#[test]
fn a_trend_over_a_day_on_which_an_account_was_lost_says_so() {
    let runs = Runs::new();
    for (name, second, day, id) in [
        ("all/before", json!({}), "2026-03-30", 1),
        ("all/lost", json!({"assumable": false}), "2026-03-31", 2),
        ("all/after", json!({}), "2026-04-01", 3),
    ] {
        scan(&runs, name, &second, &[]);
        move_to(&runs, name, day, id);
    }
    let metrics = ["trend", "@all", "--metric", "KnownBucketPercent,MFADeleteEnabledOfKnownPercent"];
    let page = runs.run(&metrics).expect(0).stdout;
    for line in [
        " accounts listed: 4 of 5; fewest 3 of 5 on 2026-03-31\n",
        " KnownBucketPercent              ▄?▄  85.71% -> 85.71%\n",
        "     unknown on 2026-03-31\n",
    ] {
        assert!(page.contains(line), "{page}");
    }
    let csv = runs.run(&[&metrics[..], &["--format", "csv"]].concat()).expect(0).stdout;
    let rows: Vec<Row> = csv::Reader::from_reader(csv.as_bytes()).deserialize().collect::<Result<_, _>>().expect("CSV");
    let told: Vec<[&str; 3]> =
        rows.iter().map(|row| ["value", "accounts", "accounts_listed"].map(|key| row[key].as_str())).collect();
    assert_eq!(
        told,
        [
            ["100.00", "5", "4"],
            ["85.71", "5", "4"],
            ["100.00", "5", "3"],
            ["", "5", "3"],
            ["100.00", "5", "4"],
            ["85.71", "5", "4"]
        ]
    );
    let json: Value = serde_json::from_str(&runs.run(&[&metrics[..], &["--format", "json"]].concat()).expect(0).stdout)
        .expect("JSON");
    let lost = &json["values"].as_array().expect("values")[3];
    assert_eq!((&lost["metric"], &lost["value"], &lost["accounts_listed"]), (&json!(KNOWN), &Value::Null, &json!(3)));
    // Added up from what the run read, it is the same.
    std::fs::remove_file(runs.path("all/lost/inventory.parquet")).expect("there");
    assert_eq!(runs.run(&[&metrics[..], &["--format", "csv"]].concat()).expect(0).stdout, csv);
}

#[test]
fn an_export_says_of_how_many_accounts_it_has_the_buckets() {
    let runs = Runs::new();
    scan(&runs, "lost", &json!({"assumable": false}), &[]);
    let of = |path: &str| {
        let run = &runs.json(path)["run"];
        ["accounts", "accounts_listed", "accounts_failed", "accounts_skipped"]
            .map(|key| run[key].as_u64().expect("a count"))
    };
    let folder = format!("lost/StorageLens/{MANAGEMENT}/bucketlens-csv");
    let day = std::fs::read_dir(runs.path(&format!("{folder}/V_1/manifests"))).expect("there").next().expect("a day");
    let day = day.expect("readable").file_name().into_string().expect("text");
    assert_eq!(of(&format!("{folder}/V_1/manifests/{day}/coverage.json")), [5, 3, 1, 1]);
    assert_eq!(of("lost/coverage.json"), [5, 3, 1, 1]);
    let export = format!("@{folder}");
    let page = runs.run(&["storage-lens", "read", &export]).expect(3).stdout;
    assert!(page.contains(", of the buckets of 3 of 5 accounts\n"), "{page}");
    let json: Value =
        serde_json::from_str(&runs.run(&["storage-lens", "read", &export, "--format", "json"]).expect(3).stdout)
            .expect("JSON");
    assert_eq!((&json["export"]["accounts"], &json["export"]["accounts_listed"]), (&json!(5), &json!(3)));
    let page = runs.run(&["storage-lens", "compare", &export, "--with", "@lost"]).expect(3).stdout;
    assert!(page.contains(", the buckets of 3 of 5 accounts\n"), "{page}");
}

#[test]
fn accepted_controls_are_in_every_output() {
    let runs = Runs::new();
    let locked = with(good("locked"), &json!({"mfa_delete": null, "object_lock": {"mode": "COMPLIANCE", "days": 90}}));
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [locked]}))])).to_string());
    let (one, other) = ("object-lock-compliance:30", "replication-other-account");
    let accept = format!("--accept-control={one},{other}");
    let arguments = ["--organization", "--with=protection", "--standard=cis-with-compensation", &accept];
    let formats = ["--format", "csv,json,parquet,storage-lens-csv,storage-lens-tables"];
    let page = runs.scan("all/run", &sim, MANAGEMENT, &[&arguments[..], &formats].concat()).expect(0).stdout;
    let said = format!("accepted in place of MFA delete: {one}, {other}");
    assert!(page.contains(&format!(" {said}\n")), "{page}");
    assert_eq!(runs.json("all/run/report.json")["run"]["accepted_controls"], json!([one, other]));
    assert_eq!(runs.json("all/run/coverage.json")["run"]["accepted_controls"], json!([one, other]));
    for table in ["buckets.csv", "findings.csv", "metrics.csv"] {
        let text = runs.read(&format!("all/run/{table}"));
        assert!(text.lines().skip(1).all(|line| line.ends_with(&format!(",{one};{other}"))), "{text}");
    }
    let parquet = std::fs::read(runs.path("all/run/inventory.parquet")).expect("there");
    let cell = format!("{one};{other}");
    assert!(parquet.windows(cell.len()).any(|bytes| bytes == cell.as_bytes()), "the column");
    let trend = |format: &str| runs.run(&["trend", "@all", "--format", format]).expect(0).stdout;
    assert!(trend("table").contains(&format!("Note: {said}\n")), "{}", trend("table"));
    assert!(trend("csv").lines().skip(1).all(|line| line.ends_with(&format!(",cis-with-compensation,{one};{other}"))));
    let json: Value = serde_json::from_str(&trend("json")).expect("JSON");
    assert_eq!(json["days"][0]["accepted_controls"], json!([one, other]));
    // And in a comparison.
    let bare = with(good("locked"), &json!({"mfa_delete": null}));
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [bare]}))])).to_string());
    runs.scan("new", &sim, MANAGEMENT, &arguments).expect(1);
    let diff = |format: &str| runs.run(&["diff", "@all/run", "@new", "--format", format]).expect(1).stdout;
    assert!(
        diff("table").contains(&format!(" Accepted in place of MFA delete: {one}, {other}.\n")),
        "{}",
        diff("table")
    );
    let json: Value = serde_json::from_str(&diff("json")).expect("JSON");
    assert_eq!(
        (&json["accepted_controls"], &json["old"]["accepted_controls"]),
        (&json!([one, other]), &json!([one, other]))
    );
    assert!(diff("csv").lines().skip(1).all(|line| line.contains(&format!(",{one};{other},"))), "{}", diff("csv"));
    // By another standard there are none.
    let plain =
        runs.run(&["report", "@all/run", "--out", "@plain", "--standard", "cis", "--fail-on", "none"]).expect(0);
    assert!(!plain.stdout.contains("accepted in place"), "{}", plain.stdout);
    assert_eq!(runs.json("plain/report.json")["run"]["accepted_controls"], json!([]));
}
