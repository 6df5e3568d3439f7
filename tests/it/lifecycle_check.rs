//! `bucketlens lifecycle check`, driven as people do.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{Cli, Ran};

const CONFLICTS: &str = include_str!("../../fixtures/lifecycle/conflicts.xml");
const EVERYTHING: [&str; 3] = [
    include_str!("../../fixtures/lifecycle/everything.xml"),
    include_str!("../../fixtures/lifecycle/aws-cli.json"),
    include_str!("../../fixtures/lifecycle/cloudformation.json"),
];

fn check(text: &str, arguments: &[&str]) -> Ran {
    let arguments = ["lifecycle", "check", "lifecycle.file", "--today", "2026-11-22"].iter().chain(arguments);
    Cli::new(arguments.copied()).file("lifecycle.file", text).run()
}

fn json(text: &str, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = ["--format", "json"].iter().chain(arguments).copied().collect();
    serde_json::from_str(&check(text, &arguments).expect(0).stdout).expect("JSON")
}

/// Rules as S3 XML; each is its ID and what stands beside Status.
fn xml(rules: &[(&str, &str)]) -> String {
    let rule = |(id, elements): &(&str, &str)| format!("<Rule><ID>{id}</ID><Status>Enabled</Status>{elements}</Rule>");
    format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", rules.iter().map(rule).collect::<String>())
}

/// Severity, code, rule and message of each problem, a line each.
fn problems(text: &str, arguments: &[&str]) -> String {
    let answer = json(text, arguments);
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |problem: &Value| {
        let parts = ["severity", "code", "rule", "message"].map(|key| word(&problem[key]));
        parts.join(" | ")
    };
    answer["problems"].as_array().expect("a list").iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_says_who_wins_and_what_becomes_of_an_object() {
    insta::assert_snapshot!(check(CONFLICTS, &[]).expect(0).stdout);
}

#[test]
fn the_table_of_a_suspended_bucket_with_mfa_delete() {
    let arguments = ["--versioning", "suspended", "--mfa-delete", "enabled"];
    insta::assert_snapshot!(check(EVERYTHING[0], &arguments).expect(0).stdout);
}

#[test]
fn the_json_has_actions_and_problems() {
    let arguments = ["--format", "json", "--versioning", "enabled"];
    insta::assert_snapshot!(check(CONFLICTS, &arguments).expect(0).stdout);
}

#[test]
fn the_page_keeps_to_80_columns() {
    for versioning in ["unversioned", "enabled", "suspended"] {
        let page = check(CONFLICTS, &["--versioning", versioning, "--mfa-delete", "disabled"]).expect(0).stdout;
        let long: Vec<&str> = page.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{long:#?}");
        assert!(!page.contains('\u{1B}'));
    }
}

#[test]
fn every_format_gives_the_same_answer() {
    let mut answers = EVERYTHING.map(|text| json(text, &[]));
    for (answer, dialect) in answers.iter_mut().zip(["s3-xml", "aws-cli", "cloudformation"]) {
        assert_eq!(answer["dialect"].take(), dialect);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[test]
fn versioning_that_is_not_given_is_enabled_and_said_so() {
    let (mut assumed, given) = (json(CONFLICTS, &[]), json(CONFLICTS, &["--versioning", "enabled"]));
    let said = assumed["problems"].as_array_mut().expect("a list").remove(0);
    assert_eq!((said["severity"].as_str(), said["rule"].as_str()), (Some("info"), None));
    assert!(said["message"].as_str().expect("a text").contains("taken as enabled"));
    assert_eq!(assumed, given);
}

/// S3 user guide, "How Amazon S3 handles conflicts in lifecycle configurations", examples 1 to 4.
#[test]
fn the_documented_examples_resolve_as_documented() {
    let expire = |days: u32| format!("<Expiration><Days>{days}</Days></Expiration>");
    let to = |class: &str, days: u32| {
        format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>")
    };
    let prefix = |prefix: &str| format!("<Filter><Prefix>{prefix}</Prefix></Filter>");
    let tag = |key: &str| format!("<Filter><Tag><Key>{key}</Key><Value>v</Value></Tag></Filter>");
    let cases = [
        (prefix("") + &expire(365), prefix("logs/") + &to("STANDARD_IA", 30), ["effective", "effective"]),
        (prefix("logs/") + &expire(365), prefix("logs/") + &to("STANDARD_IA", 365), ["effective", "never_applies"]),
        (
            prefix("") + &to("STANDARD_IA", 10),
            prefix("logs/") + &to("STANDARD_IA", 365),
            ["effective", "never_applies"],
        ),
        (tag("tag1") + &to("GLACIER", 365), tag("tag2") + &expire(14), ["partly_shadowed", "effective"]),
    ];
    for (one, two, verdicts) in cases {
        let answer = json(&xml(&[("one", &one), ("two", &two)]), &["--versioning", "unversioned"]);
        let found = [0, 1].map(|action| answer["actions"][action]["verdict"].as_str().expect("a text").to_owned());
        assert_eq!(found, verdicts, "{answer:#}");
        for action in answer["actions"].as_array().expect("a list") {
            let other = if action["rule"] == "one" { "two" } else { "one" };
            let by = if action["verdict"] == "effective" { vec![] } else { vec![other] };
            assert_eq!(action["by"], serde_json::json!(by), "{action}");
            let why = action["why"].as_str().expect("a text");
            assert!(by.is_empty() || why.contains(&format!("rule {other:?} (")), "{why}");
        }
    }
}

#[test]
fn what_s3_would_refuse_is_named_with_its_code() {
    let long_id = "i".repeat(256);
    let rules = [
        (long_id.as_str(), "<Filter/><Expiration><Days>0</Days></Expiration>"),
        ("nothing", "<Filter/>"),
        (
            "upload",
            "<Filter><And><Tag><Key>a</Key></Tag><ObjectSizeLessThan>0</ObjectSizeLessThan></And></Filter>\
             <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
        ),
        (
            "marker",
            "<Filter><And><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></And>\
             </Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
        ),
        (
            "moves",
            "<Filter/><Transition><Days>9</Days><StorageClass>GLACIER</StorageClass></Transition><Transition><Days>10</Days>\
             <StorageClass>DEEP_ARCHIVE</StorageClass></Transition><Transition><Date>2031-01-01</Date>\
             <StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>10</Days></Expiration>",
        ),
        (
            "old",
            "<Prefix/><NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>",
        ),
    ];
    let shown = problems(&xml(&rules), &["--versioning", "unversioned"]).replace(&long_id, "iii");
    insta::assert_snapshot!(shown);
}

#[test]
fn the_old_schema_has_limits_of_its_own() {
    let rules = [
        ("a", "<Prefix>a</Prefix><Expiration><Days>1</Days></Expiration>"),
        ("all", "<Prefix/><Expiration><Days>2</Days></Expiration>"),
        (
            "kept",
            "<Prefix>k</Prefix><NoncurrentVersionExpiration><NoncurrentDays>60</NoncurrentDays>\
             <NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
        ),
    ];
    insta::assert_snapshot!(problems(&xml(&rules), &["--versioning", "unversioned"]), @"
    high | InvalidRequest | a | Found overlapping prefixes '' and 'a' for same action type 'Expiration'
    high | - | all | it deletes every object of the bucket for good: no version is kept
    high | InvalidRequest | kept | NewerNoncurrentVersions element can only be used in Lifecycle V2.
    ");
}

#[test]
fn costs_and_dangers_are_named() {
    let rules = [
        (
            "days",
            "<Filter><Prefix>a</Prefix></Filter><Transition><Days>5</Days><StorageClass>GLACIER</StorageClass></Transition>\
             <Expiration><Days>20</Days></Expiration>",
        ),
        (
            "later",
            "<Filter><Prefix>a</Prefix></Filter><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>\
             </NoncurrentVersionExpiration>",
        ),
        ("date", "<Filter><Prefix>b</Prefix></Filter><Expiration><Date>2026-11-22</Date></Expiration>"),
        (
            "small",
            "<Filter><ObjectSizeGreaterThan>100</ObjectSizeGreaterThan></Filter><Transition><Days>1</Days>\
             <StorageClass>STANDARD_IA</StorageClass></Transition>",
        ),
    ];
    let text = xml(&rules);
    insta::assert_snapshot!(problems(&text, &["--versioning", "enabled", "--mfa-delete", "disabled"]));
    let suspended = problems(&text, &["--versioning", "suspended", "--mfa-delete", "enabled"]);
    assert!(suspended.starts_with("critical | - | - | "), "{suspended}");
    assert!(suspended.contains("high | - | days | null versions"), "{suspended}");
}

/// The severities of the model.
#[test]
fn a_configuration_beside_mfa_delete_is_high_and_critical_where_it_deletes_for_good() {
    let rule = |elements: &str| xml(&[("r", &format!("<Filter/>{elements}"))]);
    let expiration = rule("<Expiration><Days>400</Days></Expiration>");
    let future = rule("<Expiration><Date>2099-01-01</Date></Expiration>");
    let noncurrent = rule(
        "<NoncurrentVersionExpiration><NoncurrentDays>400</NoncurrentDays><NewerNoncurrentVersions>1\
         </NewerNoncurrentVersions></NoncurrentVersionExpiration>",
    );
    let disabled = noncurrent.replace("Enabled", "Disabled");
    for (text, versioning, severity) in [
        (&expiration, "enabled", "high"),
        (&expiration, "suspended", "critical"),
        (&future, "suspended", "critical"),
        (&noncurrent, "enabled", "critical"),
        (&disabled, "enabled", "high"),
    ] {
        let problems = json(text, &["--versioning", versioning, "--mfa-delete", "enabled"])["problems"].clone();
        assert_eq!(problems[0]["severity"], severity, "{text} {versioning} {problems:#}");
    }
}

#[test]
fn only_fail_on_makes_it_exit_1() {
    let critical = ["--versioning", "suspended", "--mfa-delete", "enabled"];
    check(EVERYTHING[0], &critical).expect(0);
    check(EVERYTHING[0], &[&critical[..], &["--fail-on", "critical"]].concat()).expect(1);
    check(EVERYTHING[0], &[&critical[..], &["--fail-on", "none"]].concat()).expect(0);
    check(EVERYTHING[0], &["--fail-on", "critical"]).expect(0);
    check(EVERYTHING[0], &["--fail-on", "info"]).expect(1);
}

#[test]
fn what_cannot_be_read_is_told_by_file_line_column_and_code() {
    let ran = check("<LifecycleConfiguration>\n  <Rule>\n</LifecycleConfiguration>", &[]).expect(2);
    assert!(ran.stderr.starts_with("error: lifecycle.file:3:"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with(" (S3: MalformedXML)\n"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let ran = check("{\"Rules\": [}", &[]).expect(2);
    assert_eq!(ran.stderr, "error: lifecycle.file:1:12: it is not JSON: a value should stand here\n");
    let ran = Cli::new(["lifecycle", "check", "none.xml"]).run().expect(2);
    assert!(ran.stderr.starts_with("error: failed to read none.xml: "), "{}", ran.stderr);
    let ran = Cli::new(["lifecycle", "check", "."]).run().expect(2);
    assert!(ran.stderr.starts_with("error: failed to read .: "), "{}", ran.stderr);
    check(EVERYTHING[0], &["--today", "2026-02-30"]).expect(2);
}

#[test]
fn a_dash_is_stdin() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bucketlens"))
        .args(["lifecycle", "check", "-", "--format", "json"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bucketlens starts");
    let written = child.stdin.take().expect("piped").write_all(EVERYTHING[1].as_bytes());
    written.expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), answer["actions"].as_array().map(Vec::len)), (Some(0), Some(8)));
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let text = "{\"Rules\": [{\"ID\": \"\\u001b[2J\\u202ex\", \"Status\": \"Enabled\", \"Filter\": {\"Prefix\": \"\\u001b]0;x\\n\"}, \
        \"Expiration\": {\"Days\": 1}}]}";
    let page = check(text, &["--versioning", "suspended"]).expect(0).stdout;
    assert!(!page.contains(['\u{1B}', '\u{202E}']), "{page:?}");
    assert!(page.contains(r"\u{1b}[2J\u{202e}x"), "{page}");
    let ran = check("<a\u{1B}[2J></b>", &[]).expect(2);
    assert!(!ran.stderr.contains('\u{1B}'), "{:?}", ran.stderr);
}

#[test]
fn more_rules_than_s3_takes_are_read() {
    let rules: Vec<(String, String)> = (0..5000)
        .map(|n| {
            (format!("r{n}"), format!("<Filter><Prefix>{n}/</Prefix></Filter><Expiration><Days>9</Days></Expiration>"))
        })
        .collect();
    let rules: Vec<(&str, &str)> = rules.iter().map(|(id, elements)| (id.as_str(), elements.as_str())).collect();
    let answer = json(&xml(&rules), &["--versioning", "unversioned"]);
    assert_eq!(answer["actions"].as_array().map(Vec::len), Some(5000));
    assert_eq!(answer["problems"][0]["code"], "InvalidRequest");
}

#[test]
fn what_does_nothing_is_no_danger() {
    let expire = |days: u32| format!("<Expiration><Days>{days}</Days></Expiration>");
    let empty = "<Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>6</ObjectSizeLessThan>\
                 </And></Filter>";
    let no_effect = xml(&[("e", &(empty.to_owned() + &expire(3)))]);
    assert_eq!(problems(&no_effect, &["--versioning", "suspended"]), "");
    check(&no_effect, &["--versioning", "suspended", "--fail-on", "info"]).expect(0);
    let shadowed = xml(&[("a", &("<Filter/>".to_owned() + &expire(3))), ("b", &("<Filter/>".to_owned() + &expire(9)))]);
    let found = problems(&shadowed, &["--versioning", "unversioned"]);
    assert!(found.contains(" | a | it deletes every object") && !found.contains(" | b | "), "{found}");
}

#[test]
fn a_date_that_is_yet_to_come_is_told() {
    let rule = "<Filter/><Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration>";
    let found = problems(&xml(&[("later", rule)]), &["--versioning", "enabled"]);
    assert!(found.contains("info | - | later | Expiration on 2027-01-01: from that day on"), "{found}");
}
