//! Which run speaks for a day, what a page of many days shows, and files that are none of ours.

use std::fs;

use serde_json::{Value, json};

use crate::common::Sim;
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, good, management, organization};
use crate::trend::move_to;

const SECOND: &str = "222222222222";

fn sim() -> Sim {
    let second = json!({"id": SECOND, "name": "Second", "ou": "r-test", "buckets": [good("b"), good("c")]});
    let one = management(&json!({"buckets": [good("a"), {"name": "d", "region": "us-east-1"}]}));
    Sim::json(&organization(&json!([one, second])).to_string())
}

fn scan(runs: &Runs, name: &str, sim: &Sim, arguments: &[&str]) {
    runs.scan(name, sim, MANAGEMENT, &[arguments, &["--fail-on", "none"]].concat()).expect(0);
}

/// Date and value of each row.
fn values(runs: &Runs, arguments: &[&str]) -> (Vec<String>, String) {
    let ran =
        runs.run(&[&["trend", "@all", "--format", "csv", "--metric", "BucketCount"], arguments].concat()).expect(0);
    let rows = csv::Reader::from_reader(ran.stdout.as_bytes()).into_deserialize::<crate::common::Row>();
    let rows =
        rows.map(|row| row.expect("CSV")).map(|row| format!("{} {} {}", row["date"], row["scope_id"], row["value"]));
    (rows.collect(), ran.stderr)
}

#[test]
fn a_run_of_some_accounts_does_not_take_the_place_of_the_organization() {
    let (runs, sim) = (Runs::new(), sim());
    let file = runs.path("accounts.txt");
    fs::write(&file, format!("{MANAGEMENT}\n{SECOND}\n")).expect("writable");
    let of_file = ["--accounts-file", file.to_str().expect("text")];
    for (name, arguments, day, id) in [
        ("whole", ["--organization"].as_slice(), "2026-03-30", 1),
        ("single", &[], "2026-03-30", 2),
        ("file", &of_file, "2026-03-30", 3),
        ("part", &["--organization", "--bucket", "a"], "2026-03-30", 4),
        // Days without a run of the organization.
        ("single2", &[], "2026-03-31", 5),
        ("file2", &of_file, "2026-03-31", 6),
        ("single3", &[], "2026-03-31", 7),
        ("single4", &[], "2026-04-01", 8),
    ] {
        scan(&runs, &format!("all/{name}"), &sim, arguments);
        move_to(&runs, &format!("all/{name}"), day, id);
    }
    let (told, notes) = values(&runs, &[]);
    assert_eq!(told, ["2026-03-30 o-test000000 4", "2026-03-31  4", "2026-04-01  2"]);
    for says in [
        "5 runs were left out (2026-03-30T01:00:02Z, of one account; 2026-03-30T01:00:03Z, of some accounts; \
         2026-03-30T01:00:04Z, --bucket=a and 2 more): of several on one day that of most accounts counts",
        &format!("the run of 2026-04-01 was asked for a part only (account {MANAGEMENT}), and counts nothing else"),
        "the run of 2026-03-31 was asked for a part only (2 accounts), and counts nothing else",
    ] {
        assert!(notes.contains(says), "{says}\n{notes}");
    }
    let json = runs.run(&["trend", "@all", "--format", "json"]).expect(0).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let breadths: Vec<&Value> = json["days"].as_array().expect("days").iter().map(|day| &day["breadth"]).collect();
    assert_eq!(breadths, ["organization", "accounts", "account"]);
    let left_out = &json["days"][0]["left_out"];
    assert_eq!(left_out.as_array().map(Vec::len), Some(3));
    let id = "0193f0a0-0000-7000-8000-000000000002";
    assert_eq!((&left_out[0]["run_id"], &left_out[0]["breadth"]), (&json!(id), &json!("account")));
    assert_eq!(left_out[2]["filters"], json!(["--bucket=a"]));
}

#[test]
fn a_part_on_many_days_is_said_once() {
    let (runs, sim) = (Runs::new(), sim());
    for number in 1..=5_u8 {
        let name = format!("all/{number}");
        scan(&runs, &name, &sim, &["--organization", "--bucket", "a"]);
        move_to(&runs, &name, &format!("2026-03-0{number}"), number);
    }
    let page = runs.run(&["trend", "@all"]).expect(0).stdout;
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let says = "Note: the runs of 2026-03-01, 2026-03-02, 2026-03-03 and 2 more were asked for a part only (--bucket=a), and count nothing else";
    assert!(words.contains(says), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
}

#[test]
fn a_dip_that_shares_a_block_is_shown_and_said() {
    let runs = Runs::new();
    let buckets = |names: &[&str]| json!(names.iter().map(|name| good(name)).collect::<Vec<_>>());
    let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    for (name, buckets, day, id) in [
        ("all/1", buckets(&many), "2026-01-01", 1),
        ("all/2", buckets(&many), "2026-01-31", 2),
        ("all/3", buckets(&many[..2]), "2026-02-01", 3),
        ("all/4", buckets(&many), "2026-02-02", 4),
        ("all/5", buckets(&many), "2026-06-30", 5),
    ] {
        runs.buckets(name, &buckets);
        move_to(&runs, name, day, id);
    }
    let page = runs.run(&["trend", "@all", "--metric", "BucketCount"]).expect(0).stdout;
    assert!(
        page.contains(" A block is up to 4 days and shows the value that is farthest from the mean of its line.\n"),
        "{page}"
    );
    let line = page.lines().find(|line| line.starts_with(" BucketCount")).expect("a line");
    assert!(line.contains('▁') && line.ends_with("  10 -> 10"), "{page}");
    assert!(page.contains("\n     lowest 2 on 2026-02-01\n"), "{page}");
    // With fewer days each has its block.
    fs::remove_dir_all(runs.path("all/5")).expect("there");
    let page = runs.run(&["trend", "@all", "--metric", "BucketCount"]).expect(0).stdout;
    assert!(!page.contains("A block is") && !page.contains("lowest"), "{page}");
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_read_and_files_of_macos_passed_over() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let runs = Runs::new();
    for (name, day, id) in [("all/one", "2026-03-30", 1), ("all/two", "2026-03-31", 2)] {
        runs.buckets(name, &json!([good("a"), good("b")]));
        move_to(&runs, name, day, id);
    }
    let expected = values(&runs, &[]).0;
    assert_eq!(expected.len(), 2);
    // A folder, and a file in another.
    let odd = |name: &[u8]| runs.path("all").join(OsStr::from_bytes(name));
    fs::rename(runs.path("all/one"), odd(b"r\xff\xfe")).expect("a file system of bytes");
    fs::create_dir(runs.path("all/set")).expect("writable");
    fs::rename(runs.path("all/two/inventory.parquet"), odd(b"set/x\xff.parquet")).expect("there");
    fs::remove_dir_all(runs.path("all/two")).expect("there");
    let (told, notes) = values(&runs, &[]);
    assert_eq!(told, expected, "{notes}");
    assert!(!notes.contains("damaged"), "{notes}");

    let folder = odd(b"r\xff\xfe");
    for name in ["._inventory.parquet", "inventory/._111111111111.jsonl", "._SHA256SUMS"] {
        fs::write(folder.join(name), b"\0\x05\x16\x07 Mac OS X").expect("writable");
    }
    fs::write(runs.path("all/._set"), b"\0\x05\x16\x07").expect("writable");
    let (told, said) = values(&runs, &[]);
    assert_eq!((told, said), (expected, notes));
}

#[test]
fn a_reason_that_many_files_share_is_given_once() {
    let runs = Runs::new();
    runs.buckets("all/run", &json!([good("one")]));
    for number in 0..6 {
        fs::write(runs.path(&format!("all/torn{number}.parquet")), "PAR1").expect("writable");
    }
    let page = runs.run(&["trend", "@all", "--allow-partial"]).expect(0).stdout;
    assert_eq!(page.matches("left out: failed to read").count(), 1, "{page}");
    let words = page.split_whitespace().collect::<String>();
    assert!(words.contains("torn3.parquetand2more"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
}
