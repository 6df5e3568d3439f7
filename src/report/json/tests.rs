use std::fs;

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::*;
use crate::model::Outcome;
use crate::report::example::{self, Example};
use crate::report::{Files, Format};

fn schema() -> jsonschema::Validator {
    let text = include_str!("../../../reports/report.schema.json");
    let schema: Json = serde_json::from_str(text).expect("JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

fn text(example: &Example) -> String {
    let space = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::open(space.path(), crate::run_folder::Access::Private).expect("there");
    example.write(Box::new(Files::open(folder, &[Format::Json]).expect("opened")));
    fs::read_to_string(space.path().join(NAME)).expect("written")
}

fn report(example: &Example) -> Json {
    serde_json::from_str(&text(example)).expect("JSON")
}

fn assert_valid(report: &Json) {
    let errors: Vec<String> =
        schema().iter_errors(report).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn reports_follow_the_schema() {
    assert_valid(&report(&example::organization()));
    assert_valid(&report(&example::empty()));
    let mut nameless = example::empty();
    (nameless.run.caller_arn, nameless.run.organization_id) = (None, None);
    let mut account = example::account(1, "", "", Outcome::Failed("expired credentials".to_owned()));
    (account.id, account.state) = (None, None);
    nameless.add(account, vec![]);
    assert_valid(&report(&nameless));
    assert_valid(&report(&example::protected()));
}

#[test]
fn what_was_not_asked_for_is_not_there() {
    let plain = report(&example::organization());
    let protected = report(&example::protected());
    for section in ["mfa_by_policy", "protection", "protection_classes"] {
        assert!(plain.get(section).is_none(), "{section}");
        assert!(!protected[section].as_array().expect("rows").is_empty(), "{section}");
    }
}

#[test]
fn what_protects_versions_is_told_with_its_holes() {
    let text = text(&example::protected());
    let sections = text.split_once("\"mfa_by_policy\"").expect("there").1;
    assert_snapshot!(format!("\"mfa_by_policy\"{sections}"));
}

#[test]
fn a_broken_report_does_not_follow_the_schema() {
    type Break = fn(&mut Json);
    let valid = report(&example::organization());
    let breaks: [(&str, Break); 9] = [
        ("a missing key", |report| drop(report["run"].as_object_mut().expect("object").remove("standard"))),
        ("a key too many", |report| report["findings"][0]["color"] = "red".into()),
        ("an unknown status", |report| report["findings"][0]["status"] = "maybe".into()),
        ("a pass among the findings", |report| report["findings"][0]["status"] = "pass".into()),
        ("an account of 11 digits", |report| report["accounts"][0]["account_id"] = "11111111111".into()),
        ("a count as text", |report| report["coverage"]["buckets"] = "40".into()),
        ("a negative value", |report| report["metrics"][0]["value"] = (-1).into()),
        ("a time that is none", |report| report["run"]["start"] = "2026-13-22T14:43:20Z".into()),
        ("another version", |report| report["schema_version"] = 2.into()),
    ];
    for (what, break_it) in breaks {
        let mut broken = valid.clone();
        break_it(&mut broken);
        assert!(!schema().is_valid(&broken), "{what} is accepted");
    }
}

/// Whether every object of the schema says what its keys mean and allows no others.
fn assert_described(schema: &Json, path: &str) {
    if let Some(properties) = schema["properties"].as_object() {
        assert_eq!(schema["additionalProperties"], false, "{path}");
        let required = schema["required"].as_array().expect("list");
        let is_optional = |key: &&String| !required.contains(&Json::from(key.as_str()));
        let optional: Vec<&String> = properties.keys().filter(is_optional).collect();
        // What was not asked for, and gaps of it.
        let may_be_absent = [
            "/mfa_by_policy",
            "/protection",
            "/protection_classes",
            "/run/directory_regions",
            "/accounts[]/directory_gaps",
            "/coverage/buckets_directory",
        ];
        let is_meant = |key: &&String| may_be_absent.contains(&format!("{path}/{key}").as_str());
        assert!(optional.iter().all(is_meant), "{path} {optional:?}");
        for (key, property) in properties {
            let words = property["description"].as_str().unwrap_or_default();
            assert!(words.len() > 10, "{path}/{key} is not described");
            assert_described(property, &format!("{path}/{key}"));
        }
    }
    if !schema["items"].is_null() {
        assert_described(&schema["items"], &format!("{path}[]"));
    }
}

#[test]
fn the_schema_describes_every_key() {
    let schema: Json = serde_json::from_str(include_str!("../../../reports/report.schema.json")).expect("JSON");
    assert_described(&schema, "");
}

#[test]
fn rows_stand_on_a_line_each() {
    let example = example::organization();
    let text = text(&example);
    let report: Json = serde_json::from_str(&text).expect("JSON");
    let rows: usize = ["findings", "rules", "accounts", "metrics"]
        .iter()
        .map(|section| report[section].as_array().expect("list").len())
        .sum();
    let lines = text.lines().filter(|line| line.starts_with('{') && line.len() > 1).count();
    assert_eq!(lines, rows);
}

#[test]
fn rules_are_told_once_and_every_finding_refers_to_one() {
    let basic = rules::ALL.iter().filter(|rule| rule.asks.is_empty()).count();
    for (example, count) in [(example::organization(), basic), (example::protected(), rules::ALL.len())] {
        let report = report(&example);
        let ids: Vec<&Json> = report["rules"].as_array().expect("list").iter().map(|rule| &rule["id"]).collect();
        assert_eq!(ids.len(), count);
        let findings = report["findings"].as_array().expect("list");
        assert!(!findings.is_empty() && findings.iter().all(|finding| ids.contains(&&finding["rule"])));
    }
}

#[test]
fn what_is_not_known_is_null_and_numbers_are_numbers() {
    let report = report(&example::organization());
    let account = |id: &str| {
        let accounts = report["accounts"].as_array().expect("list");
        accounts.iter().find(|account| account["account_id"] == id).expect("there").clone()
    };
    assert_eq!(account("888888888888")["buckets"], Json::Null);
    assert_eq!(account("111111111111")["buckets"], 3);
    assert_eq!(account("111111111111")["reason"], Json::Null);
    let value = |scope: &str, id: &str, metric: &str| {
        let metrics = report["metrics"].as_array().expect("list");
        let row = metrics.iter().find(|row| row["scope"] == scope && row["scope_id"] == id && row["metric"] == metric);
        row.expect("there")["value"].clone()
    };
    assert_eq!(value("account", "666666666666", "MFADeleteEnabledOfKnownPercent"), Json::Null);
    assert_eq!(value("account", "111111111111", "MFADeleteEnabledOfKnownPercent"), 33.33);
    assert_eq!(value("account", "111111111111", "BucketCount"), 3);
}

#[test]
fn text_of_others_is_harmless() {
    let mut example = example::empty();
    let outcome = Outcome::Incomplete("cut\u{1B}[2J".to_owned());
    let bucket = example::bucket(1, "eu-west-1", "b\u{7}", "N..");
    example.add(example::account(1, "evil\u{202E}name", "", outcome), vec![bucket]);
    let report = report(&example);
    assert_eq!(report["accounts"][0]["account_name"], "evil\u{FFFD}name");
    assert_eq!(report["accounts"][0]["reason"], "cut\u{FFFD}[2J");
    assert_eq!(report["findings"][0]["bucket"], "b\u{FFFD}");
    assert_valid(&report);
}
