//! What `diff` says of accounts that neither run read, of accounts and units that were renamed or moved, and of settings.

use serde_json::{Value, json};

use crate::common::{Ran, Row, Sim};
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, good, management, organization, with};

const SECOND: &str = "222222222222";
const THIRD: &str = "333333333333";

fn member(id: &str, members: &Value) -> Value {
    with(json!({"id": id, "name": format!("Account {id}"), "ou": "ou-test-nested00", "buckets": []}), members)
}

fn scan(runs: &Runs, name: &str, organization: &Value, more: &[&str]) {
    let sim = Sim::json(&organization.to_string());
    let arguments = ["--organization", "--fail-on", "none", "--allow-unknown", "--max-attempts", "1"];
    runs.scan(name, &sim, MANAGEMENT, &[&arguments, more].concat()).expect(0);
}

fn rows(ran: &Ran) -> Vec<Row> {
    csv::Reader::from_reader(ran.stdout.as_bytes()).deserialize().collect::<Result<_, _>>().expect("CSV")
}

fn lines(ran: &Ran) -> Vec<String> {
    let keys = ["account_id", "ou_id", "bucket", "change", "fact", "old", "new", "finding"];
    let line = |row: &Row| {
        keys.iter().map(|key| row[*key].as_str()).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" ")
    };
    rows(ran).iter().map(line).collect()
}

#[test]
fn accounts_that_neither_run_could_read_are_no_difference() {
    let runs = Runs::new();
    let shut = json!({"assumable": false});
    let one = management(&json!({"buckets": [good("one")]}));
    let open = member("444444444444", &json!({}));
    let all = |third: &Value| organization(&json!([one, member(SECOND, &shut), member(THIRD, third), open]));
    scan(&runs, "old", &all(&shut), &[]);
    scan(&runs, "new", &all(&shut), &[]);
    let same = runs.run(&["diff", "@old", "@new", "--format", "csv"]).expect(3);
    assert_eq!(lines(&same), [""; 0], "{}", same.stdout);
    let page = runs.run(&["diff", "@old", "@new"]).expect(3).stdout;
    let end = "\n\nNothing is different. 2 buckets or accounts are not fully known in the newer run.\n";
    assert!(page.ends_with(end), "{page}");
    // Refused in another way it is the same.
    let second = member(SECOND, &json!({"deny": ["ListBuckets"]}));
    let refused = organization(&json!([one, second, member(THIRD, &shut), open]));
    scan(&runs, "refused", &refused, &[]);
    assert_eq!(lines(&runs.run(&["diff", "@old", "@refused", "--format", "csv"]).expect(3)), [""; 0]);
    // One that was read the other time is told.
    scan(&runs, "open", &all(&json!({})), &[]);
    assert_eq!(
        lines(&runs.run(&["diff", "@open", "@new", "--format", "csv"]).expect(3)),
        [format!("{THIRD} account_not_seen")]
    );
}

#[test]
fn a_profile_that_says_neither_time_whose_it_is_is_no_difference() {
    let runs = Runs::new();
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("one")]}))])).to_string());
    for name in ["old", "new"] {
        let key = |profile: &str, key: &str| {
            format!(
                "[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {}\n",
                bucketlens::simulator::SECRET_KEY
            )
        };
        let credentials = key("p", &bucketlens::simulator::access_key(MANAGEMENT))
            + &key("q", &bucketlens::simulator::access_key("999999999999"));
        let out = runs.text(name);
        let arguments = ["scan", "--out", &out, "--profile", "p", "--profile", "q", "--allow-unknown"];
        let cli = crate::common::Cli::new(arguments).file(".aws/credentials", &credentials);
        cli.env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_REGION", "us-east-1").run().expect(0);
    }
    let same = runs.run(&["diff", "@old", "@new", "--format", "csv"]).expect(3);
    assert_eq!(lines(&same), [""; 0], "{}", same.stdout);
}

#[test]
fn a_repeated_reason_is_given_once_and_lines_are_wrapped() {
    let runs = Runs::new();
    let one = management(&json!({"buckets": [good("one")]}));
    let all = |members: &Value| {
        let ids = (0..12).map(|number| format!("3000000000{number:02}"));
        let first = [one.clone(), member(SECOND, &json!({}))];
        let accounts: Vec<Value> = first.into_iter().chain(ids.map(|id| member(&id, members))).collect();
        organization(&json!(accounts))
    };
    scan(&runs, "old", &all(&json!({})), &[]);
    scan(&runs, "new", &all(&json!({"assumable": false})), &[]);
    let page = runs.run(&["diff", "@old", "@new"]).expect(3).stdout;
    assert!(page.contains("ACCOUNTS AND ORGANIZATIONAL UNITS (12)\n"), "{page}");
    assert_eq!(page.matches("AssumeRole denied").count(), 1, "{page}");
    assert!(page.contains("     for each of these 12: AssumeRole denied"), "{page}");
    assert_eq!(page.matches(": not seen by the newer run").count(), 12, "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    // The words that were wrapped are all there.
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("not compared: 0 buckets of the older run"), "{page}");
}

#[test]
fn accounts_and_units_that_were_renamed_or_moved_are_told() {
    let runs = Runs::new();
    let one = management(&json!({"buckets": [good("one")]}));
    let before = organization(&json!([one, member(SECOND, &json!({})), member(THIRD, &json!({}))]));
    let moved = json!({"name": "Renamed, \"Inc.\"", "ou": "ou-test-other000", "state": "PENDING_CLOSURE"});
    let mut after = organization(&json!([one, member(SECOND, &moved), member(THIRD, &json!({}))]));
    after["ous"][0]["name"] = json!("Lower");
    scan(&runs, "old", &before, &[]);
    scan(&runs, "new", &after, &[]);
    let ran = runs.run(&["diff", "@old", "@new", "--format", "csv"]).expect(0);
    assert_eq!(
        lines(&ran),
        [
            "ou-test-upper000 changed ou_name Upper Lower".to_owned(),
            format!("{SECOND} changed account_name Account {SECOND} Renamed, \"Inc.\""),
            format!("{SECOND} changed state ACTIVE PENDING_CLOSURE"),
            format!(
                "{SECOND} changed ou_path o-test000000/r-test/ou-test-upper000/ou-test-nested00 \
                 o-test000000/r-test/ou-test-other000"
            ),
        ]
    );
    assert_eq!(rows(&ran)[3]["words"], "moved from Upper/Nested to Other");
    let page = runs.run(&["diff", "@old", "@new"]).expect(0).stdout;
    for line in [
        "ACCOUNTS AND ORGANIZATIONAL UNITS (4)\n ou-test-upper000: name Upper -> Lower\n",
        &format!(" {SECOND}  Renamed, \"Inc.\": state ACTIVE -> PENDING_CLOSURE\n"),
        &format!(" {SECOND}  Renamed, \"Inc.\"\n     organizational unit moved from Upper/Nested to Other\n"),
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert!(page.ends_with("\nNo regression.\n"), "{page}");
    let json: Value =
        serde_json::from_str(&runs.run(&["diff", "@old", "@new", "--format", "json"]).expect(0).stdout).expect("JSON");
    let unit = &json["changes"][0];
    assert_eq!((&unit["account_id"], &unit["ou_id"]), (&Value::Null, &json!("ou-test-upper000")));

    // A tree that could not be read is no move.
    let hidden = with(before.clone(), &json!({"omit_paths": true, "deny_tree": true}));
    scan(&runs, "hidden", &hidden, &[]);
    let ran = runs.run(&["diff", "@old", "@hidden", "--format", "csv"]).expect(0);
    let places: Vec<String> = lines(&ran).into_iter().filter(|line| line.contains("ou_path")).collect();
    assert!(places.len() == 3 && places.iter().all(|line| line.contains(" became_unknown ")), "{}", ran.stdout);
    // By a walk of the tree, names are known, too.
    scan(&runs, "walked", &with(after, &json!({"omit_paths": true})), &[]);
    let walked = runs.run(&["diff", "@old", "@walked", "--format", "csv"]).expect(0);
    assert_eq!(lines(&walked)[0], "ou-test-upper000 changed ou_name Upper Lower");
}

#[test]
fn units_without_names_are_no_difference() {
    let runs = Runs::new();
    let one = management(&json!({"buckets": [good("one")]}));
    let denied = management(&json!({"buckets": [good("one")], "deny": ["ListOrganizationalUnitsForParent"]}));
    scan(&runs, "old", &organization(&json!([one, member(SECOND, &json!({}))])), &[]);
    scan(&runs, "new", &organization(&json!([denied, member(SECOND, &json!({}))])), &[]);
    assert_eq!(lines(&runs.run(&["diff", "@old", "@new", "--format", "csv"]).expect(0)), [""; 0]);
    let moved = member(SECOND, &json!({"ou": "ou-test-other000"}));
    scan(&runs, "moved", &organization(&json!([denied, moved])), &[]);
    let ran = runs.run(&["diff", "@new", "@moved", "--format", "csv"]).expect(0);
    assert_eq!(rows(&ran)[0]["words"], "moved from ou-test-upper000/ou-test-nested00 to ou-test-other000");
}

/// One bucket before and after, with all settings read.
fn settings(old: &Value, new: &Value) -> (Runs, Ran) {
    let runs = Runs::new();
    for (name, members) in [("old", old), ("new", new)] {
        let bucket = with(good("one"), members);
        let all = organization(&json!([management(&json!({"buckets": [bucket]}))]));
        scan(&runs, name, &all, &["--with", "protection", "--metrics", "all", "--group-by-tag", "team"]);
    }
    let ran = runs.run(&["diff", "@old", "@new", "--format", "csv", "--allow-unknown"]);
    (runs, ran)
}

#[test]
fn settings_are_told_in_words() {
    let statement = |sid: &str, action: &str| json!({"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::one/*"});
    let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    let rule = |id: &str, to: &str| json!({"id": id, "destination": format!("arn:aws:s3:::{to}")});
    let old = json!({
        "policy": policy(json!([statement("A", "s3:DeleteObject"), statement("B", "s3:PutObject")])),
        "object_lock": {"mode": "GOVERNANCE", "days": 1}, "replication": [rule("r", "two"), rule("s", "two")],
        "encryption": "AES256", "ownership": "BucketOwnerPreferred", "acceleration": "Enabled",
        "notification": {"event_bridge": true}, "tags": {"team": "blue", "env": "test"},
    });
    let new = json!({
        "policy": policy(json!([statement("A", "s3:DeleteObjectVersion"), statement("C", "s3:GetObject")])),
        "object_lock": {"mode": "COMPLIANCE", "years": 2}, "replication": [rule("r", "three")],
        "encryption": "aws:kms", "acceleration": "Suspended",
        "tags": {"team": "red", "cost": "1"},
    });
    let (runs, ran) = settings(&old, &new);
    let told: Vec<[String; 4]> = rows(&ran)
        .iter()
        .map(|row| ["fact", "old", "new", "words"].map(|key| row[key].clone()))
        .filter(|row| row[0] != "status")
        .collect();
    let expected = [
        [
            "policy",
            "present",
            "present",
            "statement \"A\" changed; statement \"B\" removed; statement \"C\" added (Deny)",
        ],
        [
            "object_lock",
            "enabled, governance mode for 1 day by default",
            "enabled, compliance mode for 2 years by default",
            "",
        ],
        [
            "replication",
            "2 rules",
            "1 rule",
            "rule \"r\" to arn:aws:s3:::three (was arn:aws:s3:::two); rule \"s\" removed",
        ],
        ["encryption", "AES256", "aws:kms", ""],
        ["ownership", "BucketOwnerPreferred", "none", ""],
        ["acceleration", "enabled", "suspended", ""],
        ["notification", "EventBridge", "none", ""],
        [
            "tags",
            "env=test, team=blue",
            "cost=1, team=red",
            "tag \"cost\" added (\"1\"); tag \"env\" removed; tag \"team\" now \"red\" (was \"blue\")",
        ],
    ];
    assert_eq!(told, expected.map(|row| row.map(str::to_owned)), "{}", ran.stdout);
    for format in ["table", "json", "csv"] {
        let text = runs.run(&["diff", "@old", "@new", "--format", format]).stdout;
        assert!(
            !text.contains("default_retention") && !text.contains("{\\\"") && !text.contains("\"\"Version"),
            "{text}"
        );
    }
}

#[test]
fn a_lost_compliance_lock_is_lost_protection() {
    let locked = |mode: &str, days: u32| json!({"object_lock": {"mode": mode, "days": days}});
    for (old, new, is_lost) in [
        (locked("COMPLIANCE", 365), json!({"object_lock": {}}), true),
        (locked("COMPLIANCE", 365), locked("GOVERNANCE", 365), true),
        (locked("COMPLIANCE", 365), locked("COMPLIANCE", 30), true),
        (locked("COMPLIANCE", 365), json!({"object_lock": {"mode": "COMPLIANCE", "years": 1}}), false),
        (locked("COMPLIANCE", 30), locked("COMPLIANCE", 365), false),
        (locked("GOVERNANCE", 365), json!({"object_lock": {}}), false),
    ] {
        let (runs, ran) = settings(&old, &new);
        let row = rows(&ran).into_iter().find(|row| row["fact"] == "object_lock").expect("a row");
        let expected = if is_lost { ("compliance-lock-was-stronger", "high", "true", 1) } else { ("", "", "false", 0) };
        let found = (row["finding"].as_str(), row["severity"].as_str(), row["regression"].as_str(), ran.code);
        assert_eq!(found, expected, "{old} {new}");
        let page = runs.run(&["diff", "@old", "@new"]).stdout;
        assert_eq!(
            page.contains("PROTECTION LOST (1)\n high 111111111111  one (us-east-1): object_lock"),
            is_lost,
            "{page}"
        );
    }
}
