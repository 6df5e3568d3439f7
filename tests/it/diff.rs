//! What `diff` and `--baseline` say of two runs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Row, Sim};
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, good, management, organization, with};

const SECOND: &str = "222222222222";

fn bucket(name: &str, members: &Value) -> Value {
    with(json!({"name": name, "region": "us-east-1"}), members)
}

fn expires(id: &str, days: u32) -> Value {
    json!({"ID": id, "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": days}})
}

fn rows(ran: &Ran) -> Vec<Row> {
    csv::Reader::from_reader(ran.stdout.as_bytes()).deserialize().collect::<Result<_, _>>().expect("CSV")
}

/// Bucket or account, change, fact, old and new of each row.
fn lines(ran: &Ran) -> Vec<String> {
    let line = |row: &Row| {
        let subject = if row["bucket"].is_empty() { &row["account_id"] } else { &row["bucket"] };
        let parts = [subject, &row["change"], &row["fact"], &row["old"], &row["new"], &row["finding"]];
        parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
    };
    rows(ran).iter().map(line).collect()
}

fn diff(runs: &Runs, arguments: &[&str]) -> Ran {
    runs.run(&[&["diff", "@old", "@new"], arguments].concat())
}

/// Two runs over one account with these buckets.
fn between(old: &Value, new: &Value) -> Runs {
    let runs = Runs::new();
    runs.buckets("old", old);
    runs.buckets("new", new);
    runs
}

#[test]
fn every_kind_of_change_is_told_once() {
    let on = json!({"versioning": "Enabled", "mfa_delete": "Enabled"});
    let versioned = json!({"versioning": "Enabled"});
    let denied = json!({"deny": {"GetBucketVersioning": ""}});
    let configured = |rules: Value| json!({"versioning": "Enabled", "lifecycle": rules});
    let old = json!([
        bucket("blind-before", &with(on.clone(), &denied)),
        bucket("blind-now", &on),
        bucket("blind-twice", &denied),
        bucket("gone", &on),
        bucket("gone-while-read", &on),
        bucket("life-changed", &configured(json!([expires("a", 30), expires("b", 60)]))),
        bucket("life-new", &versioned),
        bucket("life-removed", &configured(json!([expires("a", 30)]))),
        bucket("life-reordered", &configured(json!([expires("a", 30), expires("b", 60)]))),
        bucket("mfa-lost", &on),
        bucket("mfa-won", &versioned),
        bucket("moved", &on),
        bucket("recreated", &on),
        bucket("same", &on),
        bucket("suspended", &versioned),
    ]);
    let off = json!({"versioning": "Enabled", "mfa_delete": "Disabled"});
    let mut changed = expires("b", 90);
    changed["Filter"] = json!({"Prefix": "old/"});
    let new = json!([
        bucket("blind-before", &on),
        bucket("blind-now", &with(on.clone(), &denied)),
        bucket("blind-twice", &denied),
        bucket("fresh", &json!({})),
        bucket("gone-while-read", &json!({"vanished": true})),
        bucket("life-changed", &configured(json!([changed, expires("c", 10)]))),
        bucket("life-new", &configured(json!([expires("a", 30)]))),
        bucket("life-removed", &versioned),
        bucket("life-reordered", &configured(json!([expires("b", 60), expires("a", 30)]))),
        bucket("mfa-lost", &off),
        bucket("mfa-won", &on),
        bucket("moved", &with(on.clone(), &json!({"region": "eu-west-1"}))),
        bucket("recreated", &json!({})),
        bucket("same", &on),
        bucket("suspended", &json!({"versioning": "Suspended"})),
    ]);
    let runs = between(&old, &new);
    let ran = diff(&runs, &["--format", "csv"]).expect(1);
    let on = "versioning enabled, MFA delete enabled, lifecycle none, status pass";
    assert_eq!(
        lines(&ran),
        [
            "blind-before became_known versioning enabled",
            "blind-before became_known mfa_delete enabled",
            "blind-now became_unknown versioning enabled",
            "blind-now became_unknown mfa_delete enabled",
            "fresh bucket_new versioning never, MFA delete never, lifecycle none, status fail",
            &format!("gone bucket_gone {on}"),
            &format!("gone-while-read bucket_gone {on}"),
            "life-changed changed lifecycle present present",
            "life-new changed lifecycle none present",
            "life-removed changed lifecycle present none",
            "mfa-lost changed mfa_delete enabled disabled mfa-delete-was-enabled",
            "mfa-lost changed status pass fail",
            "mfa-won changed mfa_delete never enabled",
            "mfa-won changed status fail pass",
            "moved changed region us-east-1 eu-west-1",
            "recreated changed versioning enabled never versioning-was-enabled",
            "recreated changed mfa_delete enabled never mfa-delete-was-enabled",
            "recreated changed status pass fail",
            "suspended changed versioning enabled suspended versioning-was-enabled",
        ]
    );
    let rows = rows(&ran);
    let words = |bucket: &str| &rows.iter().find(|row| row["bucket"] == bucket).expect("a row")["words"];
    assert_eq!(
        words("life-changed"),
        "rule \"a\" removed; rule \"b\" now for keys that begin with \"old/\" (was keys that begin with \"logs/\"), with \
         Expiration at 90 days instead of Expiration at 60 days; rule \"c\" added (Expiration at 10 days; keys that \
         begin with \"logs/\")"
    );
    assert!(words("blind-now").contains("GetBucketVersioning denied"), "{}", words("blind-now"));
    let severities: BTreeSet<_> = rows
        .iter()
        .map(|row| (row["finding"].is_empty(), row["severity"].as_str(), row["regression"].as_str()))
        .collect();
    assert_eq!(
        severities.into_iter().collect::<Vec<_>>(),
        [(false, "high", "true"), (true, "", "false"), (true, "", "true")]
    );

    other_formats_say_the_same(&runs, rows.len());
    // The other way round what was lost is won back.
    let back = runs.run(&["diff", "@new", "@old", "--format", "csv", "--allow-unknown"]).expect(1);
    let lost: Vec<String> = lines(&back).into_iter().filter(|line| line.contains("was-enabled")).collect();
    assert_eq!(lost, ["mfa-won changed mfa_delete enabled never mfa-delete-was-enabled"]);
}

fn other_formats_say_the_same(runs: &Runs, changes: usize) {
    let json: Value = serde_json::from_str(&diff(runs, &["--format", "json"]).expect(1).stdout).expect("JSON");
    assert_eq!(json["changes"].as_array().expect("changes").len(), changes);
    assert_eq!((&json["totals"]["regressions"], &json["totals"]["unclear"]), (&json!(6), &json!(2)));
    assert_eq!(json["totals"]["regressed_buckets"], 3);
    assert_eq!(json["old"]["id"], runs.json("old/report.json")["run"]["id"]);
    let page = diff(runs, &[]).expect(1).stdout;
    for part in [
        "PROTECTION LOST (4)",
        "PASSED, AND FAIL NOW (2)",
        "BECAME UNKNOWN",
        "GONE BUCKETS (2)",
        "6 changes for the worse, in 3 buckets.",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("blind-twice") && !page.contains("life-reordered") && !page.contains(" same "), "{page}");
}

#[test]
fn nothing_is_different_between_two_like_runs() {
    let buckets = json!([good("one"), bucket("two", &json!({}))]);
    let runs = between(&buckets, &buckets);
    assert!(diff(&runs, &[]).expect(0).stdout.ends_with("Nothing is different.\n"));
    assert_eq!(diff(&runs, &["--format", "csv"]).expect(0).stdout.lines().count(), 1);
}

#[test]
fn what_could_not_be_read_is_neither_gone_nor_new() {
    let runs = Runs::new();
    let sim = |second: Value| {
        Sim::json(&organization(&json!([management(&json!({"buckets": [good("one")]})), second])).to_string())
    };
    let account = |members: Value| with(json!({"id": SECOND, "name": "Second", "ou": "r-test"}), &members);
    let two = json!([good("b1"), good("b2"), good("b3")]);
    let all = sim(account(json!({"buckets": two})));
    let closed = sim(account(json!({"buckets": two, "assumable": false})));
    let cut = sim(account(json!({"buckets": two, "list_breaks_after": 1})));
    let arguments = ["--organization", "--allow-unknown", "--max-attempts", "1"];
    runs.scan("old", &all, MANAGEMENT, &arguments).expect(0);
    runs.scan("new", &closed, MANAGEMENT, &arguments).expect(0);
    runs.scan("cut", &cut, MANAGEMENT, &arguments).expect(0);

    let unseen = diff(&runs, &["--format", "csv"]).expect(3);
    assert_eq!(lines(&unseen), ["222222222222 account_not_seen"]);
    assert!(rows(&unseen)[0]["words"].ends_with("; not compared: 3 buckets of the older run"), "{}", unseen.stdout);
    diff(&runs, &["--allow-unknown"]).expect(0);
    let first = runs.run(&["diff", "@new", "@old", "--format", "csv"]).expect(0);
    assert!(lines(&first).iter().all(|line| line.contains("first_seen")), "{}", first.stdout);
    assert_eq!(lines(&first).len(), 4);

    let half = runs.run(&["diff", "@old", "@cut", "--format", "csv"]).expect(3);
    let kinds: BTreeSet<String> = rows(&half).iter().map(|row| row["change"].clone()).collect();
    assert_eq!(kinds, BTreeSet::from(["bucket_not_seen".to_owned()]), "{}", half.stdout);
    let half = runs.run(&["diff", "@cut", "@old", "--format", "csv"]).expect(0);
    assert!(lines(&half).iter().all(|line| line.contains("bucket_first_seen")), "{}", half.stdout);
}

/// A bucket that is listed, and of which nothing can be read.
fn dark(name: &str, region: &str) -> Value {
    json!({"name": name, "region": region, "deny": {"GetBucketVersioning": "", "GetBucketLifecycleConfiguration": ""}})
}

#[test]
fn a_region_that_was_only_listed_proves_nothing() {
    let runs = between(&json!([good("moved")]), &json!([dark("moved", "eu-west-1")]));
    let there = diff(&runs, &["--format", "csv"]).expect(3);
    let region = |ran: &Ran| rows(ran).into_iter().find(|row| row["fact"] == "region").expect("a row");
    assert_eq!(lines(&there)[0], "moved became_unknown region us-east-1");
    assert_eq!(region(&there)["words"], "listed in eu-west-1, where nothing of it could be read");
    let back = runs.run(&["diff", "@new", "@old", "--format", "csv"]).expect(0);
    assert_eq!(lines(&back)[0], "moved became_known region us-east-1");
    assert_eq!(region(&back)["words"], "it was listed in eu-west-1, where nothing of it could be read");
    assert!(lines(&back).iter().all(|line| !line.contains(" changed ")), "{}", back.stdout);
    // Nobody was there either time.
    runs.buckets("other", &json!([dark("moved", "eu-central-1")]));
    assert_eq!(lines(&runs.run(&["diff", "@new", "@other", "--format", "csv"]).expect(3)), [""; 0]);
}

#[test]
fn a_bucket_of_which_nothing_was_read_is_neither_new_nor_gone() {
    let runs = between(&json!([good("one")]), &json!([good("one"), dark("dark", "us-east-1")]));
    let came = diff(&runs, &["--format", "csv"]).expect(3);
    let state = "versioning unknown, MFA delete unknown, lifecycle unknown, status unknown";
    assert_eq!(lines(&came), [format!("dark bucket_first_seen {state}")]);
    let words = &rows(&came)[0]["words"];
    assert!(words.starts_with("listed, and nothing of it was read: GetBucketVersioning denied"), "{words}");
    let went = runs.run(&["diff", "@new", "@old", "--format", "csv"]).expect(0);
    assert_eq!(lines(&went), [format!("dark bucket_not_seen {state}")]);
    assert!(rows(&went)[0]["words"].starts_with("the older run listed it and read nothing of it: "), "{}", went.stdout);
    let page = runs.run(&["diff", "@new", "@old"]).expect(0).stdout;
    assert!(page.contains("NOT SEEN: nobody can say whether they are gone (1)"), "{page}");
}

#[test]
fn an_account_whose_profile_does_not_say_which_it_is_is_neither_new_nor_gone() {
    let runs = Runs::new();
    let one = management(&json!({"buckets": [good("one")]}));
    let second = json!({"id": SECOND, "name": "Second", "ou": "r-test", "buckets": [good("two")]});
    let sim = Sim::json(&organization(&json!([one, second])).to_string());
    let key = |profile: &str, key: &str| {
        format!(
            "[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {}\n",
            bucketlens::simulator::SECRET_KEY
        )
    };
    let scan = |name: &str, second: &str| {
        let out = runs.text(name);
        let arguments = ["scan", "--out", &out, "--profile", "p", "--profile", "q", "--allow-unknown"];
        let credentials = key("p", &bucketlens::simulator::access_key(MANAGEMENT)) + &key("q", second);
        let cli = Cli::new(arguments).file(".aws/credentials", &credentials).env("AWS_ENDPOINT_URL", &sim.endpoint);
        cli.env("AWS_REGION", "us-east-1").run().expect(0);
    };
    scan("old", &bucketlens::simulator::access_key(SECOND));
    scan("new", &bucketlens::simulator::access_key("999999999999"));
    let went = diff(&runs, &["--format", "csv"]).expect(3);
    let gone = rows(&went).into_iter().find(|row| row["account_id"] == SECOND).expect("a row");
    assert_eq!(gone["change"], "account_not_seen");
    assert!(
        gone["words"].starts_with("it may be that of profile q, whose account is not known: "),
        "{}",
        gone["words"]
    );
    assert!(rows(&went).iter().all(|row| !row["change"].ends_with("_gone")), "{}", went.stdout);
    let came = runs.run(&["diff", "@new", "@old", "--format", "csv"]).expect(0);
    assert_eq!(lines(&came)[0], "222222222222 account_first_seen");
    assert!(rows(&came).iter().all(|row| !row["change"].ends_with("_new")), "{}", came.stdout);
}

#[test]
fn accounts_come_and_go_with_their_buckets() {
    let runs = Runs::new();
    let one = management(&json!({"buckets": [good("one")]}));
    let second =
        json!({"id": SECOND, "name": "Second", "ou": "r-test", "buckets": [good("b1"), bucket("b2", &json!({}))]});
    let small = Sim::json(&organization(&json!([one])).to_string());
    let large = Sim::json(&organization(&json!([one, second])).to_string());
    let arguments = ["--organization", "--fail-on", "none"];
    runs.scan("old", &small, MANAGEMENT, &arguments).expect(0);
    runs.scan("new", &large, MANAGEMENT, &arguments).expect(0);
    let fail = "versioning never, MFA delete never, lifecycle none, status fail";
    let came = diff(&runs, &["--format", "csv"]).expect(0);
    assert_eq!(lines(&came)[0], "222222222222 account_new");
    assert_eq!(lines(&came)[2], format!("b2 bucket_new {fail}"));
    let went = runs.run(&["diff", "@new", "@old", "--format", "csv"]).expect(0);
    assert_eq!(lines(&went)[0], "222222222222 account_gone");
    assert_eq!(rows(&went)[0]["words"], "in the older run: 2 buckets");
    assert_eq!(lines(&went)[2], format!("b2 bucket_gone {fail}"));
    // Why it could not be read then is not why it is gone.
    let shut = json!({"id": SECOND, "name": "Second", "ou": "r-test", "assumable": false, "buckets": []});
    let shut = Sim::json(&organization(&json!([one, shut])).to_string());
    runs.scan("shut", &shut, MANAGEMENT, &["--organization", "--allow-unknown"]).expect(0);
    let went = runs.run(&["diff", "@shut", "@old", "--format", "csv"]).expect(0);
    assert_eq!(lines(&went), ["222222222222 account_gone"]);
    assert!(rows(&went)[0]["words"].starts_with("in the older run: failed: "), "{}", went.stdout);
    let page = runs.run(&["diff", "@shut", "@old"]).expect(0).stdout;
    assert!(page.contains(" 222222222222  Second: gone\n     in the older run: failed: "), "{page}");
    // A run that looked elsewhere says nothing of what it left out.
    runs.scan("part", &large, MANAGEMENT, &["--organization", "--account", MANAGEMENT, "--bucket", "other*"]).expect(0);
    let part = runs.run(&["diff", "@new", "@part", "--format", "csv"]).expect(3);
    let expected = ["222222222222 account_not_seen".to_owned()];
    assert_eq!(lines(&part).iter().filter(|line| line.contains("222222222222")).cloned().collect::<Vec<_>>(), expected);
    assert!(lines(&part).iter().all(|line| line.contains("not_seen")), "{}", part.stdout);
}

#[test]
fn runs_that_have_nothing_to_do_with_each_other_are_refused() {
    let runs = Runs::new();
    runs.buckets("old", &json!([good("one")]));
    let mut other = organization(&json!([management(&json!({"buckets": [good("one")]}))]));
    other["organization_id"] = json!("o-other00000");
    let sim = Sim::json(&other.to_string());
    runs.scan("new", &sim, MANAGEMENT, &["--organization"]).expect(0);
    let refused = |arguments: &[&str], what: &str| {
        let ran = runs.run(arguments).expect(2);
        assert!(ran.stderr.contains(what) && ran.stdout.is_empty(), "{}", ran.stderr);
    };
    refused(&["diff", "@old", "@new"], "the older is of organization o-test000000, the newer of o-other00000");
    refused(&["diff", "@old", "@old"], "one and the same run");
    // Single accounts have no organization to be compared by.
    let second = json!({"id": SECOND, "name": "Second", "ou": "r-test", "buckets": [good("two")]});
    let one = management(&json!({"buckets": [good("one")]}));
    let sim = Sim::json(&organization(&json!([one, second])).to_string());
    runs.scan("first", &sim, MANAGEMENT, &[]).expect(0);
    runs.scan("second", &sim, SECOND, &[]).expect(0);
    refused(&["diff", "@first", "@second"], "no account in common");
}

#[test]
fn with_a_baseline_only_what_is_new_decides_the_exit_code() {
    let runs = Runs::new();
    let bad = bucket("bad", &json!({}));
    let sim = |buckets: Value| Sim::json(&organization(&json!([management(&json!({"buckets": buckets}))])).to_string());
    let before = sim(json!([bad, good("one")]));
    runs.scan("base", &before, MANAGEMENT, &[]).expect(1);
    let base = runs.text("base");
    let arguments = ["--baseline", base.as_str()];
    let same = runs.scan("same", &before, MANAGEMENT, &arguments).expect(0);
    assert!(same.stdout.ends_with("Nothing is different.\n"), "{}", same.stdout);
    // What is different stands beside the report, as the formats ask.
    assert!(same.stdout.contains("diff.csv") && same.stdout.contains("diff.json"), "{}", same.stdout);
    let beside = [runs.read("same/diff.csv"), runs.read("same/diff.json"), runs.read("same/SHA256SUMS")];
    assert_eq!(beside[0].lines().count(), 1);
    assert!(beside[2].contains("  diff.csv\n") && beside[2].contains("  diff.json\n"), "{}", beside[2]);
    // The report still says all there is.
    assert!(runs.read("same/findings.csv").contains("mfa-delete-enabled"));

    let worse = sim(json!([bad, bucket("one", &json!({"versioning": "Enabled", "mfa_delete": "Disabled"}))]));
    let ran = runs.scan("worse", &worse, MANAGEMENT, &arguments).expect(1);
    assert!(ran.stdout.contains("PROTECTION LOST (1)"), "{}", ran.stdout);
    assert_eq!(runs.read("worse/diff.csv"), runs.run(&["diff", "@base", "@worse", "--format", "csv"]).expect(1).stdout);
    let json = runs.run(&["diff", "@base", "@worse", "--format", "json"]).expect(1).stdout;
    assert_eq!(runs.read("worse/diff.json"), json);
    runs.scan("worse", &worse, MANAGEMENT, &["--format", "json", "--baseline", &base]).expect(1);
    assert!(!runs.path("worse/diff.csv").exists() && runs.path("worse/diff.json").exists());
    // Lost protection is of severity high, whatever the rule's is.
    runs.scan("worse", &worse, MANAGEMENT, &["--baseline", &base, "--fail-on", "high"]).expect(1);
    runs.scan("worse", &worse, MANAGEMENT, &["--baseline", &base, "--fail-on", "critical"]).expect(0);
    let more = sim(json!([bad, bucket("bad-too", &json!({})), good("one")]));
    runs.scan("more", &more, MANAGEMENT, &arguments).expect(1);
    // Unknown stays unknown.
    let blind = sim(json!([with(bad.clone(), &json!({"deny": {"GetBucketVersioning": ""}})), good("one")]));
    runs.scan("blind", &blind, MANAGEMENT, &arguments).expect(3);
    // A night's job that writes to one folder: the last run is the baseline of this one.
    runs.scan("base", &more, MANAGEMENT, &arguments).expect(1);
    runs.scan("base", &more, MANAGEMENT, &arguments).expect(0);
    runs.run(&["report", "@worse", "--baseline", "@same", "--out", "@again"]).expect(1);
    assert!(runs.path("again/diff.csv").exists());
    // Without a baseline nothing is said of one.
    let plain = runs.run(&["report", "@worse", "--out", "@again"]).expect(1);
    assert!(!runs.path("again/diff.csv").exists() && !plain.stdout.contains("diff.csv"), "{}", plain.stdout);
    // Two runs that cannot be compared: the report is there, the comparison is not.
    let mut stranger = organization(&json!([management(&json!({"buckets": [good("one")]}))]));
    stranger["organization_id"] = json!("o-other00000");
    let stranger = Sim::json(&stranger.to_string());
    runs.scan("theirs", &before, MANAGEMENT, &["--organization", "--fail-on", "none"]).expect(0);
    let theirs = runs.text("theirs");
    let other = runs.scan("other", &stranger, MANAGEMENT, &["--organization", "--baseline", &theirs]).expect(2);
    assert!(
        other.stderr.contains("the newer of o-other00000") && !other.stdout.contains("diff.csv"),
        "{}",
        other.stdout
    );
    assert!(runs.path("other/SHA256SUMS").exists() && !runs.path("other/diff.csv").exists());
}

#[test]
fn another_standard_judges_as_report_does_or_is_refused_and_is_named() {
    let runs = Runs::new();
    let lax = bucket("lax", &json!({"versioning": "Enabled"}));
    let locked = bucket("locked", &json!({"versioning": "Enabled", "object_lock": {"mode": "COMPLIANCE", "years": 7}}));
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [lax, locked]}))])).to_string());
    let scan = |name: &str, more: &[&str]| {
        runs.scan(name, &sim, MANAGEMENT, &[&["--organization", "--fail-on", "none"], more].concat()).expect(0);
    };
    scan("plain", &[]);
    scan("old", &["--with", "protection"]);
    scan("new", &["--with", "protection"]);
    let standard = ["--standard", "cis-with-compensation"];
    let refused = |arguments: &[&str], what: &str| {
        let ran = runs.run(&[&["diff"], arguments, &standard].concat()).expect(2);
        assert!(ran.stderr.contains(what) && ran.stderr.contains("help: ") && ran.stdout.is_empty(), "{}", ran.stderr);
    };
    refused(&["@old", "@new"], "--standard: cis-with-compensation needs --accept-control");
    // The one that the help names is one that is taken.
    let control = ["--accept-control", "object-lock-compliance:30"];
    refused(&["@old", "@new"], &format!("name them: {}\n", control.join(" ")));
    let unread = |run: &str| format!("the {run} run did not read the controls by which cis-with-compensation judges");
    refused(&[&["@old", "@plain"], control.as_slice()].concat(), &unread("newer"));
    refused(&[&["@plain", "@new"], control.as_slice()].concat(), &unread("older"));
    let alone = diff(&runs, &control).expect(2);
    assert!(alone.stderr.contains("--accept-control has a meaning only with"), "{}", alone.stderr);

    // With the control, a bucket that loses it is one of whose judgement nobody heard by cis.
    let bare = bucket("locked", &json!({"versioning": "Enabled"}));
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [bare]}))])).to_string());
    let words = ["--organization", "--fail-on", "none", "--with", "protection", "--standard", "security-hub"];
    runs.scan("new", &sim, MANAGEMENT, &words).expect(0);
    let by = [standard, control].concat();
    let ran = diff(&runs, &[by.as_slice(), &["--format", "csv"]].concat()).expect(1);
    assert!(lines(&ran).contains(&"locked changed status waived fail".to_owned()), "{}", ran.stdout);
    assert!(lines(&ran).iter().any(|line| line.ends_with(" compliance-lock-was-stronger")), "{}", ran.stdout);
    assert!(rows(&ran).iter().all(|row| row["standard"] == "cis-with-compensation"), "{}", ran.stdout);
    let json: Value =
        serde_json::from_str(&diff(&runs, &[by.as_slice(), &["--format", "json"]].concat()).stdout).expect("JSON");
    assert_eq!(json["standard"], "cis-with-compensation");
    assert_eq!(json["accepted_controls"], json!(["object-lock-compliance:30"]));
    assert_eq!((&json["old"]["standard"], &json["new"]["standard"]), (&json!("cis"), &json!("security-hub")));
    let head = |arguments: &[&str]| {
        let page = diff(&runs, arguments).stdout;
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        page[page.find("Both are judged by").expect("a sentence")..].to_owned()
    };
    let both = "Both are judged by cis-with-compensation here; when it was scanned, the older run by cis, the newer by \
                security-hub.";
    assert!(head(&by).starts_with(both), "{}", head(&by));
    assert!(head(&by).contains("Accepted in place of MFA delete: object-lock-compliance:30."), "{}", head(&by));
    assert!(head(&[]).starts_with("Both are judged by security-hub here; "));
    let plain: Value =
        serde_json::from_str(&runs.run(&["diff", "@old", "@plain", "--format", "json"]).stdout).expect("JSON");
    assert_eq!((&plain["standard"], &plain["accepted_controls"]), (&json!("cis"), &json!([])));
}
