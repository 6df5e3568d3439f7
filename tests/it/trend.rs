//! What `trend` makes of the runs of a folder.

use std::fs;

use bucketlens::model::RunId;
use serde_json::{Value, json};

use crate::common::{Ran, Row, Sim};
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, good, management, organization, with};
use crate::servers::python_lines;

fn rows(ran: &Ran) -> Vec<Row> {
    csv::Reader::from_reader(ran.stdout.as_bytes()).deserialize().collect::<Result<_, _>>().expect("CSV")
}

/// The run is said to have begun on another day, and everything is made again from that.
pub fn move_to(runs: &Runs, name: &str, day: &str, id: u8) {
    runs.say_of(name, |run| {
        run.start = serde_json::from_value(json!(format!("{day}T01:00:0{id}Z"))).expect("a time");
        run.id = RunId::parse(&format!("0193f0a0-0000-7000-8000-00000000000{id}")).expect("an id");
    });
    let (from, out) = (format!("@{name}"), format!("@{name}"));
    runs.run(&["report", &from, "--out", &out, "--fail-on", "none", "--allow-unknown"]).expect(0);
}

/// Four days, three of them with runs: 1 of 2 protected, then 1 of 3 and one unknown, then all 3.
fn four_days() -> Runs {
    let runs = Runs::new();
    let bad = |name: &str| json!({"name": name, "region": "eu-west-1"});
    let blind = with(bad("three"), &json!({"deny": {"GetBucketVersioning": ""}}));
    runs.buckets("all/first", &json!([good("one"), bad("two")]));
    runs.buckets("all/more/second", &json!([good("one"), bad("two"), blind]));
    runs.buckets("all/more/again", &json!([good("one"), bad("two"), bad("three"), bad("four")]));
    runs.buckets("all/last", &json!([good("one"), good("two"), good("three")]));
    for (name, day, id) in [
        ("all/first", "2026-03-30", 1),
        ("all/more/again", "2026-03-31", 2),
        ("all/more/second", "2026-03-31", 3),
        ("all/last", "2026-04-02", 4),
    ] {
        move_to(&runs, name, day, id);
    }
    runs
}

#[test]
fn each_metric_has_a_value_for_each_day_with_a_run() {
    let runs = four_days();
    let ran = runs.run(&["trend", "@all", "--format", "csv", "--metric", "BucketCount,MFADeleteEnabledOfKnownPercent"]);
    let ran = ran.expect(0);
    let lines: Vec<String> = rows(&ran)
        .iter()
        .map(|row| {
            [&row["date"], &row["complete"], &row["scope_id"], &row["metric"], &row["value"]]
                .map(String::as_str)
                .join(" ")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "2026-03-30 true o-test000000 BucketCount 2",
            "2026-03-30 true o-test000000 MFADeleteEnabledOfKnownPercent 50.00",
            // The later run of the day is not complete, the earlier is.
            "2026-03-31 true o-test000000 BucketCount 4",
            "2026-03-31 true o-test000000 MFADeleteEnabledOfKnownPercent 25.00",
            "2026-04-02 true o-test000000 BucketCount 3",
            "2026-04-02 true o-test000000 MFADeleteEnabledOfKnownPercent 100.00",
        ]
    );
    assert!(
        ran.stderr.contains("1 run was left out (2026-03-31T01:00:03Z, not complete): of several on one day "),
        "{}",
        ran.stderr
    );

    // Without the complete one the other counts, and is marked; a day without a run stays empty.
    fs::remove_dir_all(runs.path("all/more/again")).expect("there");
    let page = runs.run(&["trend", "@all", "--metric", "BucketCount"]).expect(0).stdout;
    assert_eq!(
        page,
        "FROM 2026-03-30 TO 2026-04-02: 3 days with a run\n\no-test000000\n accounts listed: 1 of 1\n \
         BucketCount  ▁█ █  2 -> 3  +1\n\n\
         Not complete, something stayed unknown: 2026-03-31\n"
    );
    let all: Value =
        serde_json::from_str(&runs.run(&["trend", "@all", "--format", "json"]).expect(0).stdout).expect("JSON");
    let complete: Vec<&Value> = all["days"].as_array().expect("days").iter().map(|day| &day["complete"]).collect();
    assert_eq!(complete, [&json!(true), &json!(false), &json!(true)]);
    assert_eq!(all["values"].as_array().expect("values").len() % 3, 0);
}

#[test]
fn every_scope_is_that_of_the_runs_own_metrics() {
    let runs = Runs::new();
    let second = json!({"id": "222222222222", "name": "Second", "ou": "ou-test-nested00", "buckets": [good("b")]});
    let empty = json!({"id": "333333333333", "name": "Empty", "ou": "ou-test-nested00", "buckets": []});
    let shut =
        json!({"id": "444444444444", "name": "Shut", "ou": "ou-test-nested00", "assumable": false, "buckets": []});
    let one = management(&json!({"buckets": [good("a"), {"name": "c", "region": "eu-west-1"}]}));
    let sim = Sim::json(&organization(&json!([one, second, empty, shut])).to_string());
    runs.scan("run", &sim, MANAGEMENT, &["--organization", "--fail-on", "none", "--allow-unknown"]).expect(0);
    let metrics = runs.read("run/metrics.csv");
    let five = |line: &str| line.splitn(6, ',').take(5).collect::<Vec<_>>().join(",");
    let expected = |scope: &str| -> Vec<String> {
        metrics.lines().filter(|line| line.starts_with(&format!("{scope},"))).map(five).collect()
    };
    for scope in ["organization", "ou", "account", "region", "account_region"] {
        let name = scope.replace('_', "-");
        let told = runs.run(&["trend", "@run", "--scope", &name, "--format", "csv"]).expect(0);
        // Without the columns of the run.
        let cells = |line: &str| five(line.splitn(5, ',').last().expect("cells"));
        let told: Vec<String> = told.stdout.lines().skip(1).map(cells).collect();
        assert!(!told.is_empty());
        assert_eq!(told, expected(scope), "{scope}");
    }
    let some = runs.run(&["trend", "@run", "--scope", "account", "--id", "222222222222", "--format", "csv"]).expect(0);
    assert!(rows(&some).iter().all(|row| row["scope_id"] == "222222222222") && rows(&some).len() > 20);
    // From the saved inventory alone it is the same, and so it is from nothing but the file.
    let by_file = runs.run(&["trend", "@run", "--scope", "account-region", "--format", "csv"]).expect(0).stdout;
    fs::create_dir(runs.path("set")).expect("writable");
    fs::rename(runs.path("run/inventory.parquet"), runs.path("set/of another name [1].parquet")).expect("there");
    for folder in ["@run", "@set"] {
        assert_eq!(
            runs.run(&["trend", folder, "--scope", "account-region", "--format", "csv"]).expect(0).stdout,
            by_file
        );
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let runs = Runs::new();
    let refused = |arguments: &[&str], what: &str| {
        let ran = runs.run(arguments).expect(2);
        assert!(ran.stderr.contains(what) && ran.stdout.is_empty(), "{}", ran.stderr);
    };
    fs::create_dir_all(runs.path("all/empty")).expect("writable");
    refused(&["trend", "@nowhere"], "failed to read the folder");
    refused(&["trend", "@all"], "failed to find a finished run");
    runs.buckets("all/run", &json!([good("one")]));
    refused(&["trend", "@all", "--metric", "Buckets"], "there is no metric \"Buckets\"; there are AccountCount, ");

    let whole = fs::read(runs.path("all/run/inventory.parquet")).expect("there");
    // The same run in two places counts once.
    fs::write(runs.path("all/copy.parquet"), &whole).expect("writable");
    let twice = runs.run(&["trend", "@all"]).expect(0);
    assert!(twice.stdout.contains("1 more file of a run that is there already"), "{}", twice.stdout);
    // Torn, and of others.
    fs::write(runs.path("all/copy.parquet"), &whole[..whole.len() / 2]).expect("writable");
    refused(
        &["trend", "@all"],
        "copy.parquet: it is damaged: its footer cannot be read; it is no Parquet file, or was cut off",
    );
    let partial = runs.run(&["trend", "@all", "--allow-partial"]).expect(0);
    assert!(partial.stdout.contains("left out: failed to read"), "{}", partial.stdout);
    let mut other = whole.clone();
    let at = other.windows(12).rposition(|bytes| bytes == b"{\"version\":1").expect("the footer");
    other[at + 11] = b'9';
    fs::write(runs.path("all/copy.parquet"), &other).expect("writable");
    refused(&["trend", "@all"], "written by another version of bucketlens (format 9, this one reads 1)");
    // With fewer rows than its run has buckets.
    let mut fewer = whole.clone();
    let at_coverage = fewer.windows(12).rposition(|bytes| bytes == b"\"coverage\":{").expect("the footer");
    let at_buckets = fewer[at_coverage..].windows(10).position(|bytes| bytes == b"\"buckets\":").expect("a count");
    fewer[at_coverage + at_buckets + 10] = b'7';
    fs::write(runs.path("all/copy.parquet"), &fewer).expect("writable");
    refused(&["trend", "@all"], "it has 1 rows, and its run found 7 buckets");
    let key = other.windows(10).rposition(|bytes| bytes == b"bucketlens").expect("the key");
    let mut foreign = whole.clone();
    let key = key.min(at);
    foreign[key] = b'B';
    fs::write(runs.path("all/copy.parquet"), &foreign).expect("writable");
    let foreign = runs.run(&["trend", "@all"]).expect(0);
    assert!(
        foreign.stdout.contains("copy.parquet is no inventory of bucketlens and is left out"),
        "{}",
        foreign.stdout
    );
    fs::remove_file(runs.path("all/copy.parquet")).expect("there");

    // A run that did not end, and one of another organization.
    fs::create_dir_all(runs.path("all/cut/inventory.partial")).expect("writable");
    assert!(runs.run(&["trend", "@all"]).expect(0).stdout.contains("did not end and is left out"));
    let mut organization = organization(&json!([management(&json!({"buckets": [good("one")]}))]));
    organization["organization_id"] = json!("o-other00000");
    runs.scan("all/other", &Sim::json(&organization.to_string()), MANAGEMENT, &["--organization"]).expect(0);
    refused(&["trend", "@all"], "there are runs of o-other00000 and o-test000000");
}

#[test]
fn a_part_does_not_speak_for_a_day_of_which_the_whole_was_read() {
    let runs = Runs::new();
    let blind = with(good("two"), &json!({"deny": {"GetBucketVersioning": ""}}));
    let buckets = json!([good("one"), blind]);
    runs.buckets("all/whole", &buckets);
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": buckets}))])).to_string());
    let part = ["--organization", "--bucket", "one"];
    runs.scan("all/part", &sim, MANAGEMENT, &part).expect(0);
    runs.scan("all/other", &sim, MANAGEMENT, &part).expect(0);
    for (name, day, id) in [("whole", "2026-03-31", 1), ("part", "2026-03-31", 2), ("other", "2026-04-01", 3)] {
        move_to(&runs, &format!("all/{name}"), day, id);
    }
    let ran = runs.run(&["trend", "@all", "--format", "csv", "--metric", "BucketCount"]).expect(0);
    let values: Vec<String> = rows(&ran).iter().map(|row| format!("{} {}", row["date"], row["value"])).collect();
    assert_eq!(values, ["2026-03-31 2", "2026-04-01 1"], "the part was complete, and the whole was not");
    let told = "the run of 2026-04-01 was asked for a part only (--bucket=one)";
    assert!(ran.stderr.contains(told) && !ran.stderr.contains("of 2026-03-31 was asked"), "{}", ran.stderr);
    // The other formats have a place for it.
    let page = runs.run(&["trend", "@all", "--metric", "BucketCount"]).expect(0);
    assert!(page.stdout.contains(told) && page.stderr.is_empty(), "{}{}", page.stdout, page.stderr);
    let json = runs.run(&["trend", "@all", "--format", "json"]).expect(0);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let remarks = json["remarks"].as_array().expect("remarks");
    assert!(remarks.iter().any(|remark| remark.as_str().is_some_and(|remark| remark.contains(told))), "{remarks:?}");
    let filters: Vec<&Value> = json["days"].as_array().expect("days").iter().map(|day| &day["filters"]).collect();
    assert_eq!(filters, [&json!([]), &json!(["--bucket=one"])]);
}

#[test]
fn other_tables_of_a_report_are_no_foreign_files_and_an_altered_inventory_is_named() {
    let runs = Runs::new();
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("one")]}))])).to_string());
    runs.scan("run", &sim, MANAGEMENT, &["--format", "parquet,storage-lens-tables,storage-lens-parquet"]).expect(0);
    assert!(runs.path("run/bucket_property_metrics.parquet").exists());
    let page = runs.run(&["trend", "@run"]).expect(0).stdout;
    assert!(!page.contains("Note: "), "{page}");
    // The same table where no report names it is one of somebody else.
    fs::copy(runs.path("run/bucket_property_metrics.parquet"), runs.path("run/other.parquet")).expect("writable");
    let page = runs.run(&["trend", "@run"]).expect(0).stdout;
    assert!(page.contains("other.parquet is no inventory of bucketlens and is left out"), "{page}");

    let path = runs.path("run/inventory.parquet");
    let mut bytes = fs::read(&path).expect("there");
    bytes[40] ^= 1;
    fs::write(&path, bytes).expect("writable");
    for name in ["@run", "@run/inventory.parquet"] {
        let ran = runs.run(&["trend", name]).expect(2);
        assert!(ran.stderr.contains("it was altered after its report was written"), "{}", ran.stderr);
    }
}

/// Whatever bytes are wrong, what is said of the file is said in our words, and the program does not fall.
#[test]
fn broken_parquet_is_told_in_a_sentence_without_pages_of_source_code() {
    let runs = Runs::new();
    runs.buckets("run", &json!([good("one"), good("two"), {"name": "three", "region": "eu-west-1"}]));
    let whole = fs::read(runs.path("run/inventory.parquet")).expect("there");
    fs::create_dir(runs.path("set")).expect("writable");
    let (mut refused, mut number) = (0, 1_u64);
    let mut next = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(number >> 33).expect("31 bits") % below
    };
    for _ in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..=next(6) {
            let at = 4 + next(bytes.len() - 8);
            bytes[at] = u8::try_from(next(256)).expect("a byte");
        }
        fs::write(runs.path("set/x.parquet"), bytes).expect("writable");
        let ran = runs.run(&["trend", "@set"]);
        assert!([0, 2].contains(&ran.code), "{}", ran.stderr);
        for words in ["panicked", ".rs:", "parquet: File", "thrift", "snap error"] {
            assert!(!ran.stderr.contains(words), "{}", ran.stderr);
        }
        refused += u32::from(ran.code == 2);
    }
    assert!(refused > 10, "only {refused} were found to be broken");
}

fn json_of(runs: &Runs, arguments: &[&str]) -> Value {
    let ran = runs.run(&[arguments, &["--format", "json"]].concat()).expect(0);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn a_report_by_another_standard_does_not_take_the_place_of_its_run_by_its_name() {
    let runs = Runs::new();
    runs.buckets("all/m", &json!([{"name": "one", "region": "eu-west-1"}]));
    let again = |out: &str, standard: &str| {
        runs.run(&["report", "@all/m", "--out", out, "--standard", standard, "--fail-on", "none"]).expect(0);
    };
    let told = || {
        let json = json_of(&runs, &["trend", "@all", "--metric", "FailBucketCount"]);
        (json["days"][0]["standard"].clone(), json["remarks"].to_string())
    };
    for name in ["a", "z"] {
        let out = format!("@all/{name}");
        again(&out, "security-hub");
        let (standard, remarks) = told();
        assert_eq!(standard, "cis", "beside {name}");
        let says = "is there as judged by cis and by security-hub: it counts by cis, as when it was scanned";
        assert!(remarks.contains(says), "{remarks}");
        fs::remove_dir_all(runs.path(&out[1..])).expect("there");
    }
    // Where its own folder is not there, the contradiction is told, whatever the copies are called.
    for (one, other) in [("@all/a", "@all/z"), ("@all/z", "@all/a")] {
        again(one, "cis");
        again(other, "security-hub");
        fs::rename(runs.path("all/m"), runs.path("m")).expect("there");
        let (standard, remarks) = told();
        assert_eq!(standard, "cis");
        assert!(remarks.contains("and how when it was scanned is not: it counts by cis"), "{remarks}");
        fs::rename(runs.path("m"), runs.path("all/m")).expect("there");
    }
    // One that was made again in the run's own folder is a copy like others.
    again("@all/m", "security-hub");
    fs::remove_dir_all(runs.path("all/a")).expect("there");
    assert_eq!(told().0, "cis");
}

#[test]
fn an_id_of_nobody_is_bad_input() {
    let runs = Runs::new();
    runs.buckets("all/run", &json!([good("one"), {"name": "two", "region": "eu-west-1"}]));
    for format in ["table", "csv", "json"] {
        let words = ["trend", "@all", "--scope", "region", "--id", "eu-west-11", "--format", format];
        let ran = runs.run(&words).expect(2);
        let says = "--id: no run has \"eu-west-11\" in the scope region; there are eu-west-1, us-east-1";
        assert!(ran.stderr.contains(says) && ran.stdout.is_empty(), "{}{}", ran.stdout, ran.stderr);
    }
    for (scope, id, there) in [
        ("organization", MANAGEMENT, "o-test000000"),
        ("account", "999999999999", MANAGEMENT),
        ("account-region", "999999999999", MANAGEMENT),
        ("ou", "ou-none", "it has nothing"),
    ] {
        let ran = runs.run(&["trend", "@all", "--scope", scope, "--id", id]).expect(2);
        assert!(ran.stderr.contains(there) && ran.stderr.contains("help: "), "{}", ran.stderr);
    }
    // From the inventory alone it is the same.
    fs::remove_file(runs.path("all/run/inventory.parquet")).expect("there");
    let ran = runs.run(&["trend", "@all", "--scope", "region", "--id", "eu-west-11"]).expect(2);
    assert!(ran.stderr.contains("there are eu-west-1, us-east-1"), "{}", ran.stderr);
    runs.run(&["trend", "@all", "--scope", "region", "--id", "eu-west-1"]).expect(0);
}

#[test]
fn an_account_that_was_never_read_is_said_to_be_so() {
    let runs = Runs::new();
    let shut =
        json!({"id": "444444444444", "name": "Shut", "ou": "ou-test-nested00", "assumable": false, "buckets": []});
    let one = management(&json!({"buckets": [good("a")]}));
    let sim = Sim::json(&organization(&json!([one, shut])).to_string());
    runs.scan("run", &sim, MANAGEMENT, &["--organization", "--fail-on", "none", "--allow-unknown"]).expect(0);
    let ran = runs.run(&["trend", "@run", "--scope", "account", "--id", "444444444444"]).expect(0);
    let says = "Note: 444444444444 was read on none of these days";
    assert!(ran.stdout.contains(says), "{}", ran.stdout);
    fs::remove_file(runs.path("run/inventory.parquet")).expect("there");
    let ran = runs.run(&["trend", "@run", "--scope", "account", "--id", "444444444444"]).expect(0);
    assert!(ran.stdout.contains(says), "{}", ran.stdout);
}

#[test]
fn what_no_sums_prove_is_named_and_what_proves_itself_goes_before_it() {
    let runs = Runs::new();
    runs.buckets("all/run", &json!([good("one")]));
    let page = || runs.run(&["trend", "@all", "--metric", "BucketCount"]).expect(0).stdout;
    assert!(!page().contains("Note: "), "{}", page());
    // A report that was not written to its end: its inventory is whole by itself.
    fs::remove_file(runs.path("all/run/SHA256SUMS")).expect("there");
    let path = runs.path("all/run/inventory.parquet");
    let whole = fs::read(&path).expect("there");
    fs::write(&path, &whole[..whole.len() / 2]).expect("writable");
    assert!(page().contains("run has no whole report (no SHA256SUMS): what its run read counts"), "{}", page());
    assert!(page().contains("BucketCount  ▄  1 -> 1"), "{}", page());
    // Alone it is all there is.
    fs::remove_dir_all(runs.path("all/run")).expect("there");
    for (name, says) in [("a", "a.parquet: no SHA256SUMS beside it"), ("b", "likewise ")] {
        fs::write(runs.path(&format!("all/{name}.parquet")), &whole).expect("writable");
        assert!(page().contains(says), "{}", page());
    }
}

/// Values of one column are changed, and everything else stays.
const ALTER: &str = "
import json, sys, pyarrow, pyarrow.parquet as parquet
path, out, column, row, value, statistics = sys.argv[1:]
table = parquet.read_table(path)
place = table.schema.get_field_index(column)
field = table.schema.field(place)
values = table.column(place).to_pylist()
values[int(row)] = value if field.type in (pyarrow.string(), pyarrow.string_view()) else int(value)
table = table.set_column(place, field, pyarrow.array(values, type=field.type))
table = table.replace_schema_metadata(parquet.read_metadata(path).metadata)
parquet.write_table(table, out, write_statistics=statistics == 'yes')
print('{}')
";

#[test]
fn what_no_run_can_have_counted_is_not_believed() {
    let runs = Runs::new();
    runs.buckets("run", &json!([good("one"), good("two"), {"name": "three", "region": "eu-west-1"}]));
    fs::create_dir(runs.path("set")).expect("writable");
    let (from, to) = (runs.text("run/inventory.parquet"), runs.text("set/altered.parquet"));
    for statistics in ["yes", "no"] {
        let alter = |column: &str, value: &str| python_lines(ALTER, &[&from, &to, column, "1", value, statistics]);
        // Written by somebody else, and as it was.
        if alter("BucketCount", "1").is_none() {
            return;
        }
        runs.run(&["trend", "@set"]).expect(0);
        for (column, value, says) in [
            ("BucketCount", "3", "a bucket adds 3 to BucketCount, where it can add 0 or 1"),
            (
                "TotalLifecycleRuleCount",
                "-1",
                "a bucket adds -1 to TotalLifecycleRuleCount, where it can add 0 or more",
            ),
            ("BucketCount", "0", "VersioningNeverBucketCount is 1, and BucketCount is 0"),
            ("UnknownBucketCount", "1", "its rows add up to 1 for UnknownBucketCount, and by its run it is 0"),
            ("PassBucketCount", "1", "NotApplicableBucketCount add up to 2, and BucketCount is 1"),
            ("MFADeleteEnabledBucketCount", "1", "MFADeleteUnknownBucketCount add up to 2, and BucketCount is 1"),
            ("account_id", "999999999999", "rows of account "),
            (
                "TotalLifecycleRuleCount",
                "2000001",
                "a bucket adds 2000001 to TotalLifecycleRuleCount, and no answer of a server can hold so many rules",
            ),
            (
                "TransitionLifecycleRuleCount",
                "1",
                "a bucket adds more to TransitionLifecycleRuleCount than to TotalLifecycleRuleCount",
            ),
            ("run_id", "0193f0a0-0000-7000-8000-000000000009", "it has rows of another run than "),
        ] {
            alter(column, value).expect("it could be altered a moment ago");
            let ran = runs.run(&["trend", "@set"]).expect(2);
            assert!(ran.stderr.contains("it is damaged: ") && ran.stderr.contains(says), "{column}: {}", ran.stderr);
            let partial = runs.run(&["trend", "@set", "--allow-partial"]);
            assert!([partial.stderr, partial.stdout].concat().contains("altered.parquet"), "{column}");
        }
    }
}

/// S3 takes 1,000 rules, and a Ceph RGW as many as it is told to: what a run read of one is true.
#[test]
fn a_bucket_with_more_rules_than_s3_takes_is_counted() {
    let runs = Runs::new();
    let rule = |number: u32| json!({"ID": number.to_string(), "Status": "Enabled", "Filter": {"Prefix": number.to_string()}, "Expiration": {"Days": 9}});
    let rules: Vec<Value> = (0..1001).map(rule).collect();
    runs.buckets("run", &json!([{"name": "many", "region": "us-east-1", "lifecycle": rules}]));
    let table = runs.run(&["trend", "@run", "--metric", "TotalLifecycleRuleCount", "--format", "csv"]).expect(0).stdout;
    assert!(table.contains(",TotalLifecycleRuleCount,1001,"), "{table}");
}

/// Two rules of one bucket are not those of another.
#[test]
fn no_bucket_has_more_rules_of_a_kind_than_rules() {
    let runs = Runs::new();
    let rules = json!([
        {"ID": "a", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9}},
        {"ID": "b", "Status": "Enabled", "Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
    ]);
    runs.buckets("run", &json!([with(good("a"), &json!({"lifecycle": rules})), good("b")]));
    runs.run(&["trend", "@run"]).expect(0);
    fs::create_dir(runs.path("set")).expect("writable");
    let (from, to) = (runs.text("run/inventory.parquet"), runs.text("set/altered.parquet"));
    if python_lines(ALTER, &[&from, &to, "ExpirationLifecycleRuleCount", "1", "1", "yes"]).is_none() {
        return;
    }
    let ran = runs.run(&["trend", "@set"]).expect(2);
    let says = "it is damaged: a bucket adds more to ExpirationLifecycleRuleCount than to TotalLifecycleRuleCount";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
}

/// Columns are left out, and everything else stays.
const DROP: &str = "
import sys, pyarrow.parquet as parquet
path, out, columns = sys.argv[1:]
table = parquet.read_table(path).drop_columns(columns.split(','))
table = table.replace_schema_metadata(parquet.read_metadata(path).metadata)
parquet.write_table(table, out)
print('{}')
";

#[test]
fn a_file_without_a_column_of_every_run_is_not_taken_for_one_of_a_run() {
    let runs = Runs::new();
    runs.buckets("run", &json!([good("one"), {"name": "two", "region": "eu-west-1"}]));
    fs::create_dir(runs.path("set")).expect("writable");
    let (from, to) = (runs.text("run/inventory.parquet"), runs.text("set/less.parquet"));
    let drop = |columns: &str| python_lines(DROP, &[&from, &to, columns]);
    for column in ["MFADeleteEnabledBucketCount", "run_id", "region", "severity", "TotalReplicationRuleCount"] {
        if drop(column).is_none() {
            return;
        }
        let ran = runs.run(&["trend", "@set"]).expect(2);
        let says =
            format!("less.parquet: it is damaged: it has no column {column}, without which no run of bucketlens");
        assert!(ran.stderr.contains(&says) && ran.stderr.contains("--allow-partial"), "{}", ran.stderr);
        let partial = runs.run(&["trend", "@set", "--allow-partial"]);
        assert!([partial.stderr, partial.stdout].concat().contains(&format!("no column {column}, ")));
    }
    // Older versions had no columns of these: they are not missing, and nothing is made up for them.
    let settings: Vec<&str> = bucketlens::aggregate::counters()
        .filter(|counter| !bucketlens::aggregate::asks(counter).is_empty())
        .chain(["directory_bucket"])
        .collect();
    assert!(settings.len() > 15, "{settings:?}");
    drop(&settings.join(",")).expect("it could be written a moment ago");
    let page = runs.run(&["trend", "@set"]).expect(0).stdout;
    let line = page.lines().find(|line| line.trim().starts_with("MFADeleteEnabledBucketCount ")).expect("a line");
    assert!(line.ends_with("1 -> 1"), "{page}");
}

#[test]
fn a_metric_that_no_run_has_read_is_bad_input_and_one_of_some_days_is_named() {
    let runs = Runs::new();
    runs.buckets("all/first", &json!([good("one")]));
    move_to(&runs, "all/first", "2026-03-30", 1);
    let metric = ["--metric", "BucketCount,SSEKMSEnabledOfKnownPercent"];
    let trend = |more: &[&str]| runs.run(&[&["trend", "@all"], metric.as_slice(), more].concat());
    let nobody = |more: &[&str]| {
        let ran = trend(more).expect(2);
        let says =
            "--metric: no run of these days has read SSEKMSEnabledOfKnownPercent: scan --metrics encryption reads it";
        assert!(ran.stderr.contains(says) && ran.stderr.contains("help: ") && ran.stdout.is_empty(), "{}", ran.stderr);
    };
    for format in ["table", "csv", "json"] {
        nobody(&["--format", format]);
    }
    nobody(&["--scope", "account"]);
    // From the inventory alone it is the same.
    fs::rename(runs.path("all/first/inventory.parquet"), runs.path("file")).expect("there");
    nobody(&[]);
    fs::rename(runs.path("file"), runs.path("all/first/inventory.parquet")).expect("there");

    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("one")]}))])).to_string());
    runs.scan("all/second", &sim, MANAGEMENT, &["--organization", "--metrics", "encryption"]).expect(0);
    move_to(&runs, "all/second", "2026-03-31", 2);
    let says = "SSEKMSEnabledOfKnownPercent was not read on 2026-03-30: scan --metrics encryption reads it";
    let page = trend(&[]).expect(0);
    assert!(page.stdout.contains(&format!("Note: {says}\n")), "{}", page.stdout);
    let csv = trend(&["--format", "csv"]).expect(0);
    assert!(csv.stderr.contains(says) && rows(&csv).len() == 3, "{}{}", csv.stdout, csv.stderr);
    let json = json_of(&runs, &[&["trend", "@all"], metric.as_slice()].concat());
    assert!(json["remarks"].to_string().contains(says), "{}", json["remarks"]);
    // Every scope counts its accounts.
    for scope in ["organization", "ou", "account", "region", "account-region"] {
        runs.run(&["trend", "@all", "--metric", "FailedAccountCount", "--scope", scope]).expect(0);
    }
}
