use std::fs;

use insta::assert_snapshot;

use super::*;
use crate::model::Outcome;
use crate::report::example::{self, Example};
use crate::report::{Files, Format};

fn files(example: &Example) -> HashMap<&'static str, String> {
    let space = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::open(space.path(), crate::run_folder::Access::Private).expect("there");
    example.write(Box::new(Files::open(folder, &[Format::Csv]).expect("opened")));
    let read = |name| Some((name, fs::read_to_string(space.path().join(name)).ok()?));
    FILES.into_iter().filter_map(read).collect()
}

/// A file's rows after the header, read as a program reads them.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn headers_are_the_contract() {
    let files = files(&example::empty());
    assert_eq!(files[ACCOUNTS], "account_id,account_name,ou_path,state,outcome,reason,buckets,unknown_reasons\n");
    assert_eq!(
        files[BUCKETS],
        "account_id,account_name,ou_path,region,bucket,versioning,mfa_delete,lifecycle,lifecycle_rules,status,\
         severity,failed_rules,advisories,unknown_reasons,observed_at,accepted_controls\n"
    );
    assert_eq!(
        files[FINDINGS],
        "account_id,region,bucket,rule,kind,status,severity,standards,evidence,observed_at,accepted_controls\n"
    );
    let metrics = "scope,scope_id,region,metric,value,accepted_controls\norganization,,,AccountCount,0,\n";
    assert!(files[METRICS].starts_with(metrics), "{}", files[METRICS]);
}

#[test]
fn what_was_not_asked_for_has_no_file() {
    let names = |example: &Example| {
        let mut names: Vec<&str> = files(example).into_keys().collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&example::organization()), [ACCOUNTS, BUCKETS, FINDINGS, METRICS]);
    let all = [ACCOUNTS, BUCKETS, "controls.csv", FINDINGS, METRICS, "policy.csv", "protection.csv"];
    assert_eq!(names(&example::protected()), all);
}

#[test]
fn policies() {
    assert_snapshot!(files(&example::protected())["policy.csv"]);
}

#[test]
fn protection_by_bucket() {
    assert_snapshot!(files(&example::protected())["protection.csv"]);
}

#[test]
fn controls() {
    assert_snapshot!(files(&example::protected())["controls.csv"]);
}

#[test]
fn accounts() {
    assert_snapshot!(files(&example::organization())[ACCOUNTS]);
}

#[test]
fn buckets() {
    assert_snapshot!(files(&example::organization())[BUCKETS]);
}

#[test]
fn findings() {
    assert_snapshot!(files(&example::organization())[FINDINGS]);
}

#[test]
fn metrics_of_one_account() {
    let metrics = &files(&example::organization())[METRICS];
    let account: Vec<&str> = metrics.lines().filter(|line| line.starts_with("account,666666666666,")).collect();
    assert_snapshot!(account.join("\n"));
}

#[test]
fn hostile_names_are_made_harmless_and_numbers_are_not_touched() {
    let mut example = example::empty();
    let outcome = Outcome::Incomplete("+cut\nhere".to_owned());
    let bucket = example::bucket(1, "eu-west-1", "-b", "N.L");
    example.add(example::account(1, "=HYPERLINK(\"http://x\",\"y\"), Inc.", "", outcome), vec![bucket]);
    let files = files(&example);
    let account =
        "111111111111,\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\"), Inc.\",,ACTIVE,incomplete,'+cut\u{FFFD}here,1,\n";
    assert!(files[ACCOUNTS].ends_with(account), "{}", files[ACCOUNTS]);
    let row = &rows(&files[BUCKETS])[0];
    assert_eq!((row[1].as_str(), row[4].as_str()), ("'=HYPERLINK(\"http://x\",\"y\"), Inc.", "'-b"));
    assert_eq!((row[0].as_str(), row[8].as_str()), ("111111111111", "2"));
    assert!(rows(&files[FINDINGS]).iter().all(|row| row[2] == "'-b"));
}

#[test]
fn a_percentage_of_nothing_is_an_empty_cell() {
    let rows = rows(&files(&example::organization())[METRICS]);
    let value = |id: &str, metric: &str| {
        let row = rows.iter().find(|row| row[0] == "account" && row[1] == id && row[3] == metric);
        row.expect("there")[4].clone()
    };
    assert_eq!(value("666666666666", "MFADeleteEnabledOfKnownPercent"), "");
    assert_eq!(value("666666666666", "MFADeleteEnabledBucketPercent"), "0.00");
    assert_eq!(value("111111111111", "VersioningEnabledOfKnownPercent"), "100.00");
}
