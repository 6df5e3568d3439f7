//! `bucketlens plan` of runs that scanned the simulator: what it says of each bucket, and the script's checks with the
//! AWS CLI. What is followed to its end on a real server is in `real_plan.rs`.

use std::path::Path;
use std::process::{Command, Output};

use bucketlens::simulator::{SECRET_KEY, access_key, root_access_key};
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};
use crate::servers;

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";

/// Every kind of bucket of which a plan has something to say, and one of which it has not.
pub fn organization() -> Sim {
    let abort = json!([{"ID": "uploads", "Filter": {}, "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]);
    let expire = json!([{"ID": "it's old", "Filter": {"Prefix": "app/"}, "Status": "Enabled", "Expiration": {"Days": 90},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]);
    let copy = json!([{"id": "copy", "destination": "arn:aws:s3:::copies", "account": TWO}]);
    Sim::json(
        &json!({
            "organization_id": "o-plan", "management_account": ONE, "root": "r-ab12",
            "accounts": [
                {"id": ONE, "name": "Shop", "ou": "r-ab12", "assumable": false, "buckets": [
                    {"name": "copies", "region": "us-east-1", "versioning": "Enabled"},
                    {"name": "guarded", "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Enabled"},
                    {"name": "locked", "region": "us-east-1", "versioning": "Enabled",
                     "object_lock": {"mode": "GOVERNANCE", "days": 30}},
                    {"name": "logs", "region": "eu-west-1", "versioning": "Enabled", "lifecycle": expire},
                    {"name": "plain", "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Disabled",
                     "replication": copy},
                    {"name": "secret", "region": "us-east-1",
                     "deny": {"GetBucketVersioning": "with an explicit deny in a resource-based policy"}},
                    {"name": "tidy", "region": "eu-west-1", "lifecycle": abort},
                ]},
                {"id": TWO, "name": "Closed", "ou": "r-ab12", "assumable": false},
            ]
        })
        .to_string(),
    )
}

pub fn scan(sim: &Sim, more: &str) -> Ran {
    let words = format!("scan --organization --out out --quiet --fail-on none {more}");
    Cli::new(words.split_whitespace()).at(&sim.endpoint, ONE).run()
}

pub fn plan(run: &Path, more: &str) -> Ran {
    let run = run.to_str().expect("text");
    Cli::new(["plan", run].into_iter().chain(more.split_whitespace())).run()
}

/// Without what differs from run to run.
fn settled(text: &str) -> String {
    let mut settled = String::new();
    for line in text.lines() {
        let words = line.split(' ').map(|word| {
            let is_time =
                word.len() >= 20 && word.starts_with("20") && word[4..].starts_with('-') && word.contains('Z');
            let is_id = word.starts_with("`01") && word.len() == 38;
            if is_time {
                "TIME".to_owned() + &word[20..]
            } else if is_id {
                "`ID`".to_owned()
            } else {
                word.to_owned()
            }
        });
        settled += &(words.collect::<Vec<_>>().join(" ") + "\n");
    }
    settled
}

#[test]
fn a_plan_for_people_says_what_blocks_what_is_lost_and_how_it_is_undone() {
    let sim = organization();
    let ran = scan(&sim, "--with protection").expect(3);
    let plan = plan(&ran.path("out"), "").expect(3);
    insta::assert_snapshot!(settled(&plan.stdout).replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn the_data_of_a_script_is_a_line_a_bucket() {
    let sim = organization();
    let ran = scan(&sim, "--with protection").expect(3);
    let script = plan(&ran.path("out"), "--format sh").expect(3).stdout;
    assert!(script.starts_with("#!/bin/sh\n") && script.ends_with("\nmain \"$@\"\n"));
    insta::assert_snapshot!(script[script.find("# Account").expect("data")..]);
}

#[test]
fn programs_get_the_same_steps() {
    let sim = organization();
    let ran = scan(&sim, "").expect(3);
    let plan: Value = serde_json::from_str(&plan(&ran.path("out"), "--format json").expect(3).stdout).expect("JSON");
    assert_eq!(
        plan["plan"]["buckets"],
        json!({"conflict": 0, "enable": 4, "object_lock_unread": 4, "wrong_tool": 1, "unknown": 1, "no_name": 0,
            "not_offered": 0, "nothing": 1})
    );
    // Nobody asked for the replication rules, nor for Object Lock.
    assert_eq!(plan["plan"]["replication_targets_in_doubt"], true);
    let buckets = plan["accounts"][0]["buckets"].as_array().expect("a list");
    let of = |name: &str| buckets.iter().find(|bucket| bucket["bucket"] == name).expect("there");
    let kinds = |name: &str| -> Vec<String> {
        let steps = of(name)["steps"].as_array().expect("a list").iter();
        steps.map(|step| step["kind"].as_str().expect("a word").to_owned()).collect()
    };
    assert_eq!(kinds("plain"), ["check", "enable_mfa_delete", "verify"]);
    assert_eq!(kinds("tidy"), ["check", "save_lifecycle", "remove_lifecycle", "enable_mfa_delete", "verify"]);
    assert_eq!(of("tidy")["undo"].as_array().map(Vec::len), Some(2));
    // No permission helps against a Deny.
    assert_eq!(of("secret")["needs"], json!([]));
    assert_eq!(plan["accounts"][1]["about"]["outcome"], "failed");
    // A bucket as it should be is in no plan.
    assert!(buckets.iter().all(|bucket| bucket["bucket"] != "guarded"));
}

/// What should not be in force comes before what is not in force yet.
#[test]
fn mfa_delete_beside_a_lifecycle_configuration_is_a_group_of_its_own_and_comes_first() {
    let abort = json!([{"ID": "uploads", "Filter": {}, "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]);
    let both = json!({"name": "tidied", "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Enabled",
        "lifecycle": abort});
    let plain = json!({"name": "plain", "region": "us-east-1", "versioning": "Enabled"});
    let sim = Sim::json(
        &json!({"organization_id": "o-plan", "management_account": ONE, "root": "r-ab12", "accounts": [
            {"id": ONE, "name": "Shop", "ou": "r-ab12", "assumable": false, "buckets": [plain, both]}]})
        .to_string(),
    );
    let ran = scan(&sim, "").expect(0);
    let document = plan(&ran.path("out"), "").expect(0).stdout;
    let first = "- 1 bucket: MFA delete and a lifecycle configuration are both in force, and one of the two has to go\n\
                 - 1 bucket: MFA delete is to be enabled\n";
    assert_eq!(document.matches(first).count(), 2, "{document}");
    let (conflict, other) = (document.find("### `tidied`"), document.find("### `plain`"));
    assert!(conflict.is_some() && conflict < other, "{document}");
    assert!(
        document.contains("bucketlens mfa-delete disable tidied --mfa-serial \"$MFA_SERIAL\" --apply"),
        "{document}"
    );
    assert!(!document.contains("wrong tool"), "{document}");
    let script = plan(&ran.path("out"), "--format sh").expect(0).stdout;
    let data = &script[script.find("# Account").expect("data")..];
    let turns: Vec<&str> = data.lines().filter(|line| line.starts_with("  turn ")).collect();
    assert!(turns[0].starts_with("  turn tidied us-east-1 Enabled Enabled 1 unread conflict "), "{turns:#?}");
    assert!(turns[1].starts_with("  turn plain ") && turns.len() == 2, "{turns:#?}");
    let json: Value = serde_json::from_str(&plan(&ran.path("out"), "--format json").expect(0).stdout).expect("JSON");
    assert_eq!((&json["plan"]["buckets"]["conflict"], &json["plan"]["buckets"]["wrong_tool"]), (&json!(1), &json!(0)));
    let bucket = &json["accounts"][0]["buckets"][0];
    assert_eq!((&bucket["bucket"], &bucket["course"]), (&json!("tidied"), &json!("conflict")));
    assert!(bucket["why_not"][0].as_str().is_some_and(|why| why.contains("beside a lifecycle configuration")));
}

#[test]
fn a_plan_of_a_filtered_run_shows_the_filters_and_which_accounts_have_no_bucket_in_it() {
    let sim = Sim::json(include_str!("../../fixtures/orgs/demo.json"));
    let filters = ["--bucket=shop-*", "--exclude-account=512886340971"];
    let arguments = ["scan", "--organization", "--out", "out", "--quiet", "--fail-on", "none"];
    let ran = Cli::new(arguments.iter().chain(&filters).copied()).at(&sim.endpoint, "104217683095").run().expect(3);
    let words = "the run was filtered, so buckets that its filters leave out are missing here: ";
    let document = plan(&ran.path("out"), "").expect(3).stdout;
    let line = document.lines().find(|line| line.contains(words)).expect("the filters").replace('\\', "");
    assert!(filters.iter().all(|filter| line.contains(filter)), "{line}");
    let of = |id: &str| {
        let from = document.find(&format!("## Account {id}")).expect(id);
        document[from + 3..].split("\n## ").next().expect("text").to_owned()
    };
    assert!(of("629471035584").contains("There is no bucket in this run."), "{document}");
    assert!(!of("447105928823").contains("no bucket in this run"), "{document}");
    // Of an account that could not be listed this is not known.
    assert!(!of("330592184467").contains("no bucket in this run"), "{document}");
    let script = plan(&ran.path("out"), "--format sh").expect(3).stdout;
    assert!(script.lines().any(|line| line.starts_with("# Mind: ") && line.contains(words)), "{script}");
    let section = &script[script.find("# Account 629471035584").expect("the account")..];
    assert_eq!(section.lines().nth(1), Some("# no bucket in this run"));
    let json: Value = serde_json::from_str(&plan(&ran.path("out"), "--format json").expect(3).stdout).expect("JSON");
    let named: Vec<&str> =
        json["plan"]["filters"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(filters.iter().all(|filter| named.contains(filter)), "{named:?}");
}

/// An organization of another partition than `aws`.
fn elsewhere(partition: &str, region: &str) -> Sim {
    let abort = json!([{"ID": "uploads", "Filter": {}, "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]);
    let buckets = json!([
        {"name": "guarded", "region": region, "versioning": "Enabled", "mfa_delete": "Enabled"},
        {"name": "off", "region": region, "versioning": "Enabled", "mfa_delete": "Disabled"},
        {"name": "plain", "region": region, "versioning": "Enabled"},
        {"name": "secret", "region": region, "deny": {"GetBucketVersioning": "with an explicit deny in a resource-based policy"}},
        {"name": "tidy", "region": region, "versioning": "Enabled", "lifecycle": abort},
    ]);
    Sim::json(
        &json!({"organization_id": "o-plan", "partition": partition, "management_account": ONE, "root": "r-ab12",
            "accounts": [{"id": ONE, "name": "Shop", "ou": "r-ab12", "assumable": false, "buckets": buckets}]})
        .to_string(),
    )
}

/// AWS documents that MFA delete is not available there, so its absence is nothing that the owner can mend.
#[test]
fn what_aws_does_not_offer_in_govcloud_is_no_failure_and_in_no_plan() {
    let sim = elsewhere("aws-us-gov", "us-gov-west-1");
    for standard in ["cis", "security-hub"] {
        let arguments = ["scan", "--organization", "--out", "out", "--fail-on", "none", "--standard", standard];
        let ran = Cli::new(arguments).at(&sim.endpoint, ONE).env("AWS_REGION", "us-gov-west-1").run().expect(3);
        let findings: Vec<_> = ran.rows("out/findings.csv");
        let of = |bucket: &str| {
            let row = findings.iter().find(|row| row["bucket"] == bucket && row["rule"] == "mfa-delete-enabled");
            row.map(|row| (row["status"].as_str(), row["evidence"].as_str()))
        };
        let reason = "AWS does not offer MFA delete in the AWS GovCloud (US) Regions";
        for bucket in ["off", "plain", "tidy"] {
            assert_eq!(of(bucket), Some(("not_applicable", reason)), "{bucket}");
        }
        // What was read wins, and what could not be read stays unknown.
        assert_eq!(of("guarded"), None);
        assert_eq!(of("secret").map(|(status, _)| status), Some("unknown"));
        assert!(
            !findings.iter().any(|row| row["rule"] == "mfa-delete-blocked-by-lifecycle" && row["status"] == "fail")
        );
        let page = &ran.stdout;
        assert!(
            page.lines().any(|line| line.trim().starts_with("not offered by AWS") && line.contains(" 3 ")),
            "{page}"
        );
        let json: Value =
            serde_json::from_str(&plan(&ran.path("out"), "--format json").expect(3).stdout).expect("JSON");
        assert_eq!(
            json["plan"]["buckets"],
            json!({"conflict": 0, "enable": 0, "object_lock_unread": 0, "wrong_tool": 0, "unknown": 1, "no_name": 0,
                "not_offered": 3, "nothing": 1})
        );
        let document = plan(&ran.path("out"), "").expect(3).stdout;
        assert!(document.contains("3 buckets: AWS does not offer MFA delete in the AWS GovCloud"), "{document}");
        assert!(!document.contains("put-bucket-versioning"), "{document}");
    }
}

/// There is no root user there. Whether MFA delete works is not documented, so a plan is made all the same.
#[test]
fn in_china_the_words_are_about_an_administrator_and_no_arn_is_that_of_a_root_user() {
    let sim = elsewhere("aws-cn", "cn-north-1");
    let arguments = ["scan", "--organization", "--out", "out", "--quiet", "--fail-on", "none"];
    let ran = Cli::new(arguments).at(&sim.endpoint, ONE).env("AWS_REGION", "cn-north-1").run().expect(3);
    let failed = ran.rows("out/findings.csv");
    let is_failed = |bucket| {
        let mut rows = failed.iter();
        rows.any(|row| row["bucket"] == bucket && row["rule"] == "mfa-delete-enabled" && row["status"] == "fail")
    };
    assert!(is_failed("plain") && is_failed("off"));
    for format in ["markdown", "sh", "json"] {
        let plan = plan(&ran.path("out"), &format!("--format {format}")).expect(3).stdout;
        assert!(plan.contains("administrator") && plan.contains("AWS Support"), "{format}: {plan}");
        assert!(
            !plan.contains(&format!("arn:aws-cn:iam::{ONE}:root")) && !plan.contains("arn:aws:"),
            "{format}: {plan}"
        );
        if format != "sh" {
            assert!(!plan.contains("root-account-mfa-device") && !plan.contains("root user of this account"), "{plan}");
        }
    }
}

#[test]
fn a_plan_of_an_account_or_of_another_standard_leaves_out_the_rest() {
    let sim = organization();
    let ran = scan(&sim, "").expect(3);
    let one = plan(&ran.path("out"), &format!("--account {ONE}")).expect(3).stdout;
    assert!(one.contains(ONE) && !one.contains(TWO));
    let hub = plan(&ran.path("out"), "--standard security-hub --format sh").expect(3).stdout;
    assert!(hub.contains("turn plain ") && !hub.contains("turn logs ") && !hub.contains("turn tidy "));
    let closed = plan(&ran.path("out"), &format!("--account {TWO}")).expect(3).stdout;
    assert!(closed.contains("no bucket of this account could be listed") && !closed.contains("aws s3api"), "{closed}");
}

#[test]
fn nothing_unknown_is_exit_code_0() {
    let sim = Sim::json(include_str!("../../fixtures/orgs/readme.json"));
    let ran = Cli::new(["scan", "--out", "out", "--quiet"]).at(&sim.endpoint, ONE).run().expect(0);
    // The inventory's own folder is taken too.
    for folder in ["out", "out/inventory"] {
        let plan = plan(&ran.path(folder), "").expect(0).stdout;
        assert!(plan.contains("2 buckets: nothing to do") && !plan.contains("aws "), "{plan}");
    }
}

#[test]
fn what_is_no_finished_run_is_refused() {
    let sim = organization();
    let ran = scan(&sim, "").expect(3);
    std::fs::create_dir_all(ran.path("begun/inventory.partial")).expect("a folder");
    std::fs::create_dir_all(ran.path("other")).expect("a folder");
    let table = [
        ("nowhere", "", "there is no such folder"),
        ("begun", "", "scan --resume"),
        ("other", "", "it holds no inventory"),
        ("out", "--account 999999999999", "account 999999999999 is not in this run"),
        ("out", "--account 1", "12 digits"),
        ("out", "--format html", "html"),
    ];
    for (folder, more, words) in table {
        let refused = plan(&ran.path(folder), more).expect(2);
        assert!(refused.stderr.contains(words) && refused.stdout.is_empty(), "{folder} {more}: {}", refused.stderr);
    }
    std::fs::write(ran.path(&format!("out/inventory/{ONE}.jsonl")), "nonsense\n").expect("writable");
    let damaged = plan(&ran.path("out"), "").expect(2);
    assert!(damaged.stderr.contains("is damaged in line 1"), "{}", damaged.stderr);
}

#[test]
fn a_policy_that_keeps_the_root_user_out_is_told_before_the_steps() {
    let deny = |bucket: &str, condition: Value| {
        json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Condition": condition,
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")]}})
    };
    let without_mfa = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
    let others = json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}});
    let bucket = |name: &str, condition: &Value| json!({"name": name, "region": "us-east-1", "versioning": "Enabled", "policy": deny(name, condition.clone())});
    let buckets = [bucket("shut", &without_mfa), bucket("perhaps", &others)];
    let open = json!({"name": "plain", "region": "us-east-1", "versioning": "Enabled"});
    let buckets: Vec<Value> = buckets.into_iter().chain([open]).collect();
    let sim = Sim::json(
        &json!({"organization_id": "o-plan", "management_account": ONE, "root": "r-ab12", "accounts": [
            {"id": ONE, "name": "Shop", "ou": "r-ab12", "assumable": false, "buckets": buckets}]})
        .to_string(),
    );
    let ran = scan(&sim, "--with policy").expect(0);
    let of = |format: &str| plan(&ran.path("out"), &format!("--format {format}")).expect(0).stdout;
    let plan: Value = serde_json::from_str(&of("json")).expect("JSON");
    let lets = |name: &str| {
        let buckets = plan["accounts"][0]["buckets"].as_array().expect("a list");
        buckets.iter().find(|bucket| bucket["bucket"] == name).expect(name)["policy_lets_root"].clone()
    };
    assert_eq!([lets("shut"), lets("plain")], [json!(false), json!(true)]);
    assert!(lets("perhaps") != json!(false), "some of the root user's requests get through");
    for (format, words) in
        [("markdown", "**Mind:** the bucket policy denies"), ("sh", "mind: the bucket policy denies")]
    {
        assert_eq!(of(format).matches(words).count(), 1, "{format}");
    }
}

/// A script of `bucketlens plan`, run with the AWS CLI and these settings and nothing else of this machine.
pub fn run_script(script: &Path, words: &[&str], stdin: &str, settings: &[(&str, &str)]) -> Option<Output> {
    use std::io::Write;
    let path = format!("{}:/usr/bin:/bin", servers::aws_cli()?.display());
    let mut shell = Command::new("/bin/sh");
    let folder = script.parent().expect("a folder");
    shell.arg(script).args(words).current_dir(folder).env_clear().env("PATH", path).env("HOME", folder);
    shell.env("AWS_EC2_METADATA_DISABLED", "true").envs(settings.iter().copied());
    shell.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = shell.stderr(std::process::Stdio::piped()).spawn().expect("a shell");
    // It may end without having read.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
    Some(child.wait_with_output().expect("a child"))
}

#[test]
fn scripts_have_nothing_that_a_lint_of_the_shell_would_say() {
    let sim = organization();
    let ran = scan(&sim, "--with protection").expect(3);
    let script = ran.path("plan.sh");
    std::fs::write(&script, plan(&ran.path("out"), "--format sh").stdout).expect("writable");
    let Some(mut shellcheck) = servers::shellcheck() else { return };
    let checked = shellcheck.arg(&script).output().expect("shellcheck");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

/// Words, key, settings, exit code, and what is said.
type Refused<'a> = (&'a [&'a str], &'a str, &'a [(&'a str, &'a str)], i32, &'a str);

/// The simulator has STS and no IAM, so that the script cannot get past its checks there: it says why.
#[test]
fn a_script_looks_at_who_runs_it_and_at_every_bucket_before_it_does_anything() {
    let sim = organization();
    let ran = scan(&sim, "--with protection").expect(3);
    let script = ran.path("plan.sh");
    std::fs::write(&script, plan(&ran.path("out"), "--format sh").stdout).expect("writable");
    let (user, root) = (access_key(ONE), root_access_key(ONE));
    let run = |words: &[&str], key: &str, more: &[(&str, &str)]| {
        let settings = [("AWS_ENDPOINT_URL", sim.endpoint.as_str()), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
        let settings: Vec<_> = [&settings, [("AWS_ACCESS_KEY_ID", key)].as_slice(), more].concat();
        let output = run_script(&script, words, "", &settings)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        Some((output.status.code(), text(&output.stdout), text(&output.stderr)))
    };
    let Some((code, said, _)) = run(&["check"], &user, &[]) else { return };
    assert_eq!(code, Some(3), "{said}");
    for words in [
        "user/scanner: enough to check, but only the root user can go on",
        "as known plain: versioning Enabled, MFA delete Disabled, 0 lifecycle rules (enable)",
        "as known tidy: versioning None, MFA delete None, 1 lifecycle rule (enable)",
        "as known logs: versioning Enabled, MFA delete None, 1 lifecycle rule (wrong-tool)",
        "UNKNOWN  secret: GetBucketVersioning denied",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let serial = ("MFA_SERIAL", "any");
    let skip = ("SKIP_ROOT_CHECK", ONE);
    let two = access_key(TWO);
    let key = [("MFA_SERIAL", "arn:aws:iam::111111111111:u2f/root-account/key"), skip];
    let no_device = [("MFA_SERIAL", "arn:aws:iam::111111111111:root"), skip];
    let no_name = [("MFA_SERIAL", "arn:aws:iam::111111111111:mfa/"), skip];
    let of_code = [("MFA_SERIAL", "123456"), skip];
    let table: [Refused<'_>; 14] = [
        (&[], &user, &[], 2, "usage: sh FILE check"),
        (&["enable"], &user, &[], 2, "usage: sh FILE check"),
        (&["undo", "--all"], &user, &[], 2, "usage: sh FILE check"),
        (&["enable", "a b"], &user, &[], 2, "usage: sh FILE check"),
        (&["enable", "plain"], &user, &[serial], 1, "only the root user of the account can change MFA delete"),
        (&["enable", "plain"], &root, &[serial], 1, "IAM does not say whether the root user"),
        (&["enable", "plain"], &root, &[serial, ("AWS_SESSION_TOKEN", "x")], 1, "these are temporary credentials"),
        (&["enable", "guarded"], &root, &[serial, skip], 1, "the plan has no steps for guarded"),
        (&["enable", "plain"], &root, &[skip], 1, "set MFA_SERIAL"),
        (&["enable", "plain"], &root, &key, 1, "is a security key, which gives no codes"),
        (&["enable", "plain"], &root, &no_device, 1, "is no MFA device"),
        (&["enable", "plain"], &root, &no_name, 1, "is no MFA device"),
        (&["enable", "plain"], &root, &of_code, 1, "this looks like a code, not a serial"),
        (&["check"], &two, &[("SKIP_ROOT_CHECK", "333333333333")], 1, "nothing to do in account 333333333333"),
    ];
    for (words, key, more, code, why) in table {
        let (found, said, complained) = run(words, key, more).expect("the AWS CLI is there");
        let all = said + &complained;
        assert!(found == Some(code) && all.contains(why), "{words:?}: {found:?} {all}");
    }
    assert_eq!(sim.count("PutBucketVersioning"), 0);
    // The whole way for a bucket without a lifecycle configuration, where nobody has a good code.
    let (found, said, complained) = run(&["enable", "--all"], &root, &[serial, skip]).expect("the AWS CLI is there");
    assert_eq!((found, sim.count("PutBucketVersioning")), (Some(1), 0), "{said}{complained}");
    assert!(complained.contains("there is no further code; no code was sent"), "{complained}");
}

/// One bucket with rules of every kind; `days` is of the last one.
fn with_every_kind_of_rule(days: u32) -> Sim {
    let rules = json!([
        {"ID": "#1", "Filter": {}, "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
        {"ID": "naïve \"quotes\" \\ 'and' 🪣", "Filter": {"Prefix": "a/|é"}, "Status": "Disabled",
         "Expiration": {"Date": "2031-02-03T00:00:00Z"}},
        {"ID": "moves", "Status": "Enabled", "Filter": {"And": {"Prefix": "b/", "ObjectSizeGreaterThan": 0,
         "ObjectSizeLessThan": 1_048_576, "Tags": [{"Key": "z", "Value": "1"}, {"Key": "a", "Value": "2"}]}},
         "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}],
         "NoncurrentVersionTransitions":
            [{"NoncurrentDays": 30, "NewerNoncurrentVersions": 2, "StorageClass": "DEEP_ARCHIVE"}],
         "NoncurrentVersionExpiration": {"NoncurrentDays": 400, "NewerNoncurrentVersions": 3}},
        {"ID": "markers", "Filter": {"Tag": {"Key": "k", "Value": ""}}, "Status": "Enabled",
         "Expiration": {"ExpiredObjectDeleteMarker": true}},
        {"ID": "dated", "Prefix": "old/", "Status": "Enabled",
         "Transitions": [{"Date": "2030-01-01T00:00:00Z", "StorageClass": "GLACIER_IR"}]},
        {"ID": "everywhere", "Status": "Enabled", "Expiration": {"Days": 400},
         "Filter": {"And": {"Prefix": "", "Tags": [{"Key": "#1", "Value": "Enabled"}]}}},
        {"ID": "last", "Filter": {"ObjectSizeGreaterThan": 500}, "Status": "Enabled", "Expiration": {"Days": days}},
    ]);
    let bucket = json!({"name": "kinds", "region": "us-east-1", "versioning": "Enabled", "lifecycle": rules});
    let account = json!({"id": ONE, "name": "Shop", "ou": "r-ab12", "assumable": false, "buckets": [bucket]});
    let organization =
        json!({"organization_id": "o-plan", "management_account": ONE, "root": "r-ab12", "accounts": [account]});
    Sim::json(&organization.to_string())
}

#[test]
fn a_script_knows_the_rules_of_its_plan_from_others_of_the_same_number() {
    let sim = with_every_kind_of_rule(90);
    let ran = scan(&sim, "").expect(0);
    let script = ran.path("plan.sh");
    std::fs::write(&script, plan(&ran.path("out"), "--format sh").stdout).expect("writable");
    let user = access_key(ONE);
    let check = |sim: &Sim| {
        let settings = [
            ("AWS_ENDPOINT_URL", sim.endpoint.as_str()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_ACCESS_KEY_ID", &user),
        ];
        let output = run_script(&script, &["check"], "", &settings)?;
        Some((output.status.code(), String::from_utf8(output.stdout).expect("text")))
    };
    let Some((code, said)) = check(&sim) else { return };
    assert!(code == Some(0) && said.contains("as known kinds: versioning Enabled"), "{said}");
    let (code, said) = check(&with_every_kind_of_rule(91)).expect("the AWS CLI is there");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("CHANGED  kinds: its lifecycle rules are no longer those of the plan"), "{said}");
}
