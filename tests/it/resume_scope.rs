//! What `--resume` takes from a folder, and what it does not: who decides where credentials are used, and what becomes of a
//! run that came to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{Cli, Sim};
use crate::contract::ALL_FILES;
use crate::run_folder::run_with;
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, buckets, good, management, organization, with};

const SEGMENT: &str = "111111111111.jsonl";

fn two_accounts() -> Value {
    organization(&json!([
        management(&json!({"buckets": [good("ours")]})),
        {"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [with(good("theirs"), &json!({}))]},
    ]))
}

/// A run that was cut off, begun with these options.
fn cut(runs: &Runs, sim: &Sim, options: &[&str]) -> PathBuf {
    runs.scan("run", sim, MANAGEMENT, &[&["--fail-on", "none", "--allow-unknown"], options].concat());
    let partial = runs.path("run/inventory.partial");
    fs::rename(runs.path("run/inventory"), &partial).expect("there");
    fs::remove_file(partial.join("run.json")).expect("there");
    partial.join("start.json")
}

fn say(start: &Path, option: &str, values: &Value) {
    let mut opening: Value = serde_json::from_str(&fs::read_to_string(start).expect("there")).expect("JSON");
    opening["scope"][option] = values.clone();
    fs::write(start, opening.to_string()).expect("writable");
}

#[test]
fn a_folder_alone_does_not_decide_where_credentials_are_used() {
    let runs = Runs::new();
    let sim = Sim::json(&two_accounts().to_string());
    let start = cut(&runs, &sim, &["--organization", "--bucket", "*"]);
    let run = runs.text("run");
    let resume = |options: &[&str]| {
        let first = ["scan", "--fail-on", "none", "--allow-unknown", "--resume", &run];
        run_with(Cli::new(first.into_iter().chain(options.iter().copied())), &sim)
    };
    let refused = |options: &[&str], only: &str, line: &str| {
        let asked = sim.total();
        let ran = resume(options).expect(2);
        let what =
            format!("only the folder {run} says that the run was begun with {only}, and a folder does not decide");
        assert!(ran.stderr.contains(&what), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("say it: bucketlens scan --resume {run} {line}\n")), "{}", ran.stderr);
        assert_eq!(sim.total(), asked, "nothing is asked");
    };
    let usual = "--organization --role-name=OrganizationAccountAccessRole";
    refused(&[], "--organization", usual);
    say(&start, "role-name", &json!(["Admin"]));
    refused(&[], "--organization --role-name=Admin", "--organization --role-name=Admin");
    refused(&["--organization"], "--role-name=Admin", "--organization --role-name=Admin");
    say(&start, "organization", &Value::Null);
    let whole: Value = serde_json::from_str(&fs::read_to_string(&start).expect("there")).expect("JSON");
    let with_scope = |scope: Value| {
        let mut whole = whole.clone();
        whole["scope"] = scope;
        fs::write(&start, whole.to_string()).expect("writable");
    };
    with_scope(json!({"profile": ["prod'; rm -rf ~ #"]}));
    refused(&[], "--profile=prod'; rm -rf ~ #", "--profile=\"prod'; rm -rf ~ #\"");
    let entry = "222222222222,arn:aws:iam::222222222222:role/Stranger";
    with_scope(json!({"accounts-file": [entry], "role-name": ["OrganizationAccountAccessRole"]}));
    let said = format!("--accounts-file (a FILE with the lines {entry})");
    refused(&[], &said, "--accounts-file=FILE --role-name=OrganizationAccountAccessRole");
    with_scope(json!({"account-id": ["222222222222"]}));
    refused(&[], "--account-id=222222222222", "--account-id=222222222222");
    with_scope(json!({"directory-buckets": [], "region": ["cn-north-1"]}));
    refused(&[], "--region=cn-north-1", "--region=cn-north-1");
    // Said by the user in whatever way.
    with_scope(json!({"organization": [], "role-name": ["OrganizationAccountAccessRole"], "bucket": ["*"]}));
    let ran = resume(&["--organization"]).expect(0);
    assert!(ran.stderr.contains("goes on with --bucket=*, as its folder says"), "{}", ran.stderr);
    cut(&runs, &sim, &["--organization"]);
    let first = ["scan", "--fail-on", "none", "--allow-unknown", "--resume", &run];
    run_with(Cli::new(first).env("BUCKETLENS_ORGANIZATION", "true"), &sim).expect(0);
}

#[test]
fn a_person_can_agree_to_what_a_folder_says() {
    let runs = Runs::new();
    let sim = Sim::json(&two_accounts().to_string());
    cut(&runs, &sim, &["--organization"]);
    let run = runs.text("run");
    let cli = || Cli::new(["scan", "--fail-on", "none", "--resume", &run]).at(&sim.endpoint, MANAGEMENT);
    let question = "Use your credentials for this scan? [y/N] ";
    let asked = sim.total();
    for no in ["n\n", "\n", "yess\n"] {
        let ran = cli().run_on_terminal(question, &[no]).expect(2);
        assert!(ran.stdout.contains("--organization") && ran.stdout.contains("was not confirmed"), "{}", ran.stdout);
    }
    assert_eq!(sim.total(), asked, "nothing is asked");
    cli().run_on_terminal(question, &["y\n"]).expect(0);
    assert!(sim.total() > asked);
}

#[test]
fn a_finished_run_is_not_taken_for_a_new_one() {
    let runs = Runs::new();
    let denied =
        with(good("denied"), &json!({"fail": {"GetBucketVersioning": {"status": 403, "code": "AccessDenied"}}}));
    let sim = buckets(&json!([good("one"), denied]));
    runs.scan("run", &sim, MANAGEMENT, &["--fail-on", "none"]).expect(3);
    let before: Vec<Vec<u8>> =
        ALL_FILES.iter().map(|name| fs::read(runs.path("run").join(name)).expect("there")).collect();
    let asked = sim.total();
    let run = runs.text("run");
    for more in [&[][..], &["--standard", "security-hub"], &["--format", "json"], &["--quiet"]] {
        let ran =
            run_with(Cli::new(["scan", "--resume", &run].into_iter().chain(more.iter().copied())), &sim).expect(2);
        assert!(ran.stderr.contains(" was finished at 20"), "{}", ran.stderr);
        for right in ["scan --out DIR", "--max-age 12h", "report DIR"] {
            assert!(ran.stderr.contains(right), "{}", ran.stderr);
        }
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    }
    assert_eq!(sim.total(), asked, "nothing is asked");
    let after: Vec<Vec<u8>> =
        ALL_FILES.iter().map(|name| fs::read(runs.path("run").join(name)).expect("there")).collect();
    assert!(before == after, "nothing is written");
}

#[test]
fn the_first_line_of_a_resumed_run_says_how_old_it_is() {
    let runs = Runs::new();
    let broken = json!({"fail": {"GetBucketVersioning": {"status": 500, "code": "InternalError", "times": 1}}});
    let sim = buckets(&json!([good("one"), with(good("flaky"), &broken)]));
    let scan = runs.scan("run", &sim, MANAGEMENT, &["--fail-on", "none", "--max-attempts", "1"]).expect(3);
    assert!(scan.stdout.starts_with("bucketlens "), "{}", scan.stdout);
    // As if it had been two days ago.
    let segment = runs.path(&format!("run/inventory/{SEGMENT}"));
    let text = fs::read_to_string(&segment).expect("there");
    let now = Command::new("date").args(["-u", "+%Y-%m-%d"]).output().expect("a program").stdout;
    let then = Command::new("date").args(["-u", "-d", "2 days ago", "+%Y-%m-%d"]).output().expect("a program").stdout;
    let [now, then] = [now, then].map(|day| String::from_utf8(day).expect("text").trim().to_owned());
    fs::write(&segment, text.replace(&now, &then)).expect("writable");
    let asked = sim.count("GetBucketVersioning");
    let run = runs.text("run");
    let ran = run_with(Cli::new(["scan", "--resume", &run, "--fail-on", "none"]), &sim).expect(0);
    assert_eq!(sim.count("GetBucketVersioning"), asked + 1);
    assert!(ran.stderr.contains("only what failed is read again, and the rest is as old as it was"), "{}", ran.stderr);
    let first = ran.stdout.lines().next().expect("a page");
    let says = format!("Resumed run: the oldest fact was read at {then}T");
    assert!(first.contains(&says) && first.contains("d ") && first.ends_with("earlier"), "{first}");
    // A report that is made again says it too.
    let again = runs.run(&["report", "@run", "--out", "@again", "--fail-on", "none"]).expect(0);
    assert_eq!(again.stdout.lines().next(), Some(first));
    // Once everything is of now there is nothing to say.
    let ran = run_with(Cli::new(["scan", "--resume", &run, "--fail-on", "none", "--max-age", "0s"]), &sim).expect(0);
    assert!(!ran.stdout.contains("Resumed run: "), "{}", ran.stdout);
}
