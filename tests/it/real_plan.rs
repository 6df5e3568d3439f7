//! A plan followed step by step on Ceph RGW, which has MFA delete and really asks for codes: by the script with the AWS
//! CLI, and by the commands for people.

use std::path::Path;

use crate::common::{Cli, Ran};
use crate::plan::run_script;
use crate::real_mfa_delete::{Account, bucket};
use crate::servers::{self, Rgw};

const TWO: &str = "222222222222";
const NAME: &str = "lifecycle-versioned";

fn scan(rgw: &Rgw, out: &str) -> Ran {
    let words = ["scan", "--account-id", TWO, "--out", out, "--quiet", "--fail-on", "none"];
    Cli::new(words).keys(&rgw.endpoint, &format!("AK{TWO}"), &format!("SK{TWO}")).run().expect(0)
}

/// The script of what was scanned, beside it.
fn script(ran: &Ran) -> std::path::PathBuf {
    let run = ran.path("out");
    let plan = Cli::new(["plan", run.to_str().expect("text"), "--format", "sh"]).run().expect(0);
    let script = ran.path("plan.sh");
    std::fs::write(&script, plan.stdout).expect("writable");
    script
}

struct Followed {
    code: Option<i32>,
    said: String,
}

fn follow(rgw: &Rgw, script: &Path, serial: &str, words: &[&str], stdin: &str) -> Followed {
    let (access, secret) = (format!("AK{TWO}"), format!("SK{TWO}"));
    let settings = [
        ("AWS_ENDPOINT_URL_S3", rgw.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", &access),
        ("AWS_SECRET_ACCESS_KEY", &secret),
        ("MFA_SERIAL", serial),
        ("SKIP_ROOT_CHECK", TWO),
        ("WAIT", "10"),
    ];
    let output = run_script(script, words, stdin, &settings).expect("the AWS CLI is there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Followed { code: output.status.code(), said }
}

#[test]
fn a_script_followed_to_its_end_protects_a_bucket_with_versions_and_lifecycle_and_undoes_it() {
    if servers::aws_cli().is_none() {
        return;
    }
    let Some(rgw) = Rgw::start() else { return };
    let two = Account::of(&rgw, TWO);
    let version = two.put_version(NAME);
    let ran = scan(&rgw, "out");
    let (script, serial) = (script(&ran), two.serial.clone());
    let follow = |words: &[&str], stdin: &str| follow(&rgw, &script, &serial, words, stdin);
    let saved = ran.path(&format!("lifecycle-{TWO}-{NAME}.json"));
    let rules = || {
        rgw.requests(TWO).must(&serde_json::json!({"method": "GET", "path": format!("/{NAME}"), "query": "lifecycle"}))
    };
    let before = rules();

    // Whoever does not type the name changes nothing; the configuration is saved all the same.
    let stopped = follow(&["enable", NAME], "no\n");
    assert!(stopped.code == Some(1) && stopped.said.contains("nothing was changed"), "{}", stopped.said);
    assert_eq!((rules(), saved.is_file()), (before.clone(), true));

    // A wrong code: the lifecycle configuration is gone and saved, MFA delete is not enabled.
    let wrong = follow(&["enable", NAME], &format!("{NAME}\n12345\n000000\n"));
    assert!(wrong.code == Some(1) && wrong.said.contains("a code is 6 digits"), "{}", wrong.said);
    assert!(wrong.said.contains("the request was refused, or its code was wrong or late"), "{}", wrong.said);
    assert!(
        wrong.said.contains("rule expire-noncurrent (all objects): NoncurrentVersionExpiration at 30 days: effective")
    );
    assert_eq!(two.state(NAME), ("Enabled".to_owned(), "Disabled".to_owned()));
    let text = std::fs::read_to_string(&saved).expect("saved");
    let checked = Cli::new(["lifecycle", "check", saved.to_str().expect("text")]).run().expect(0);
    assert!(checked.stdout.contains("4 rules") && text.contains("expire-tagged"), "{}", checked.stdout);

    // Taken up again with a good one.
    let done = follow(&["enable", NAME], &format!("{}\n", two.code()));
    assert!(
        done.code == Some(0) && done.said.contains("confirmed: versioning Enabled, MFA delete Enabled"),
        "{}",
        done.said
    );
    let status = two.run(&format!("status {NAME} --account-id {TWO}"), "").expect(0);
    assert_eq!(bucket(&status, NAME)["before"]["mfa_delete"], "enabled");
    assert_eq!(two.refuses_to_delete(NAME, &version, None), Some(403));
    assert_eq!(scan(&rgw, "out").bucket(NAME)["status"], "pass");
    let again = follow(&["enable", NAME], "");
    assert!(again.code == Some(0) && again.said.contains("enabled already"), "{}", again.said);

    let undone = follow(&["undo", NAME], &format!("{}\n", two.code()));
    assert!(undone.code == Some(0) && undone.said.contains("(4 lifecycle rules) is back"), "{}", undone.said);
    assert_eq!(two.state(NAME), ("Enabled".to_owned(), "Disabled".to_owned()));
    assert_eq!(rules(), before);
    assert_eq!(two.refuses_to_delete(NAME, &version, None), None);
}

#[test]
fn a_script_stops_where_something_has_changed_since_the_scan() {
    if servers::aws_cli().is_none() {
        return;
    }
    let Some(rgw) = Rgw::start() else { return };
    let two = Account::of(&rgw, TWO);
    let ran = scan(&rgw, "out");
    let script = script(&ran);
    let follow = |words: &[&str], stdin: &str| follow(&rgw, &script, &two.serial, words, stdin);
    let checked = follow(&["check", NAME], "");
    assert_eq!(checked.code, Some(0), "{}", checked.said);
    let path = format!("/{NAME}");
    rgw.requests(TWO).must(&serde_json::json!({"method": "DELETE", "path": path, "query": "lifecycle"}));
    let checked = follow(&["check", NAME], "");
    assert!(
        checked.code == Some(1) && checked.said.contains(&format!("CHANGED  {NAME}: 0 lifecycle rules")),
        "{}",
        checked.said
    );
    let stopped = follow(&["enable", NAME], "123456\n");
    assert!(stopped.code == Some(1) && stopped.said.contains("scan again and make a new plan"), "{}", stopped.said);
    assert_eq!(two.state(NAME), ("Enabled".to_owned(), "Disabled".to_owned()));
}

/// As a person does it: every command of the steps is pasted into a shell, and the code is given when it is asked for.
#[test]
fn the_commands_for_people_do_what_they_say() {
    let Some(aws) = servers::aws_cli() else { return };
    let Some(rgw) = Rgw::start() else { return };
    let two = Account::of(&rgw, TWO);
    let ran = scan(&rgw, "out");
    let run = ran.path("out");
    let plan = Cli::new(["plan", run.to_str().expect("text"), "--format", "json"]).run().expect(0);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let buckets = plan["accounts"][0]["buckets"].as_array().expect("a list");
    let of = |name: &str| buckets.iter().find(|bucket| bucket["bucket"] == name).expect("in the plan").clone();
    let paste = |command: &str| -> (bool, String) {
        let mut shell = std::process::Command::new("/bin/sh");
        let path = format!("{}:{}:/usr/bin:/bin", aws.display(), program_folder());
        shell
            .args(["-c", &command.replace("read -r CODE", &format!("CODE={}", two.code()))])
            .current_dir(ran.path(""))
            .env_clear();
        shell.env("PATH", path).env("HOME", ran.path("")).env("MFA_SERIAL", &two.serial);
        shell.env("AWS_ENDPOINT_URL_S3", &rgw.endpoint).env("AWS_ACCESS_KEY_ID", format!("AK{TWO}"));
        let output = shell.env("AWS_SECRET_ACCESS_KEY", format!("SK{TWO}")).output().expect("a shell");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().replace('\t', " "))
    };
    let commands = |list: &serde_json::Value| -> Vec<String> {
        let entries = list.as_array().expect("a list").iter();
        entries
            .flat_map(|entry| serde_json::from_value::<Vec<String>>(entry["commands"].clone()).expect("texts"))
            .collect()
    };
    let name = "lifecycle-never-versioned";
    let steps = commands(&of(name)["steps"]);
    let said: Vec<(bool, String)> = steps.iter().map(|command| paste(command)).collect();
    assert_eq!(said[0], (true, "None None".to_owned()));
    assert_eq!(said[1], (true, "1".to_owned()));
    assert_eq!(said.last(), Some(&(true, "Enabled Enabled".to_owned())), "{steps:#?} {said:#?}");
    assert_eq!(two.state(name), ("Enabled".to_owned(), "Enabled".to_owned()));
    assert_eq!(scan(&rgw, "out").bucket(name)["status"], "pass");
    for command in commands(&of(name)["undo"]) {
        assert!(paste(&command).0, "{command}");
    }
    assert_eq!(two.state(name), ("Suspended".to_owned(), "Disabled".to_owned()));
    assert_eq!(scan(&rgw, "out").bucket(name)["lifecycle_rules"], "1");
}

/// Where `bucketlens` itself is.
fn program_folder() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_bucketlens"));
    program.parent().expect("a folder").display().to_string()
}
