use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::report::example;
use crate::run_folder::Access;

fn space() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn open(path: &Path, formats: &[Format]) -> Files {
    Files::open(Folder::open(path, Access::Private).expect("there"), formats).expect("opened")
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

fn read(path: &Path, name: &str) -> String {
    fs::read_to_string(path.join(name)).expect("there")
}

#[test]
fn a_report_is_its_files_and_their_sums() {
    let space = space();
    example::organization().write(Box::new(open(space.path(), &[Format::Json, Format::Csv, Format::Csv])));
    let files = ["accounts.csv", "buckets.csv", "findings.csv", "metrics.csv", "report.json"];
    assert_eq!(names(space.path()), [&["SHA256SUMS"][..], &files].concat());
    for (line, name) in read(space.path(), SUMS).lines().zip(files) {
        let digest = Sha256::digest(read(space.path(), name));
        let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(line, format!("{}  {name}", hex.concat()));
    }
    assert_eq!(read(space.path(), SUMS).matches('\n').count(), files.len());
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let (first, second) = (space(), space());
    for space in [&first, &second] {
        example::organization().write(Box::new(open(space.path(), &Format::ALL)));
    }
    assert_eq!(read(first.path(), SUMS), read(second.path(), SUMS));
}

#[test]
fn nothing_has_a_name_before_the_end() {
    let space = space();
    let mut files = open(space.path(), &Format::ALL);
    let example = example::organization();
    let (account, records) = &example.accounts[0];
    files.begin(&example.run).expect("written");
    files.bucket(account, &records[0], &example.evaluator().evaluate(&records[0])).expect("written");
    assert!(names(space.path()).iter().all(|name| name.starts_with('.')), "{:?}", names(space.path()));
    drop(files);
    assert_eq!(names(space.path()), [""; 0], "a run that ends early leaves nothing");
}

#[test]
fn a_run_that_ends_early_leaves_the_old_report_whole() {
    let space = space();
    example::organization().write(Box::new(open(space.path(), &Format::ALL)));
    let sums = read(space.path(), SUMS);
    let listed: Vec<&str> = sums.lines().filter_map(sums::listed).map(|(_, name)| name).collect();
    assert_eq!(listed.len(), 14);
    let old =
        || -> Vec<Vec<u8>> { listed.iter().map(|name| fs::read(space.path().join(name)).expect("there")).collect() };
    let before = (names(space.path()), old());
    drop(open(space.path(), &Format::ALL));
    let after = (names(space.path()), old());
    assert_eq!(before, after);
}

#[test]
fn a_new_report_replaces_the_old_one_and_takes_its_stale_files_away() {
    let space = space();
    example::organization().write(Box::new(open(space.path(), &Format::ALL)));
    fs::write(space.path().join("notes.csv"), "mine").expect("written");
    example::empty().write(Box::new(open(space.path(), &[Format::Json])));
    assert_eq!(names(space.path()), ["SHA256SUMS", "notes.csv", "report.json"]);
    assert_eq!(read(space.path(), SUMS).lines().count(), 1);
    assert!(!read(space.path(), "report.json").contains("acme"), "nothing of the old report is left");
}

#[test]
fn only_files_of_an_old_report_are_stale() {
    let space = space();
    let outside = space.path().join("outside");
    let path = space.path().join("report");
    fs::create_dir(&path).expect("made");
    for file in [&outside, &path.join("mine.txt"), &path.join("buckets.csv"), &path.join("metrics.csv")] {
        fs::write(file, "mine").expect("written");
    }
    let sum = "0".repeat(64);
    let sums = format!("{sum}  ../outside\n{sum}  mine.txt\n{sum}  metrics.csv\nnot a sum  buckets.csv\n\u{FFFD}\n");
    fs::write(path.join(SUMS), sums).expect("written");
    example::empty().write(Box::new(open(&path, &[Format::Json])));
    assert_eq!(names(&path), ["SHA256SUMS", "buckets.csv", "mine.txt", "report.json"]);
    assert!(outside.exists());
}

#[test]
fn a_folder_in_a_files_place_is_found_before_the_scan() {
    let space = space();
    fs::create_dir(space.path().join("metrics.csv")).expect("made");
    let folder = Folder::open(space.path(), Access::Private).expect("there");
    let error = Files::open(folder, &Format::ALL).err().expect("a folder is in the way");
    assert!(matches!(&error, FolderError::Taken { name, .. } if name == "metrics.csv"), "{error}");
    assert_eq!(names(space.path()), ["metrics.csv"]);
}

#[test]
fn a_report_that_cannot_take_its_place_is_no_report() {
    let space = space();
    example::organization().write(Box::new(open(space.path(), &Format::ALL)));
    let mut files = open(space.path(), &Format::ALL);
    fs::remove_file(space.path().join("report.json")).expect("removed");
    fs::create_dir(space.path().join("report.json")).expect("made");
    let example = example::empty();
    let empty = example.metrics();
    let summary =
        Summary { run: &example.run, coverage: &example.coverage, accounts: &[], metrics: &empty, compared: false };
    files.begin(&example.run).expect("written");
    let error = Box::new(files).finish(&summary).expect_err("a folder cannot be replaced");
    assert!(error.to_string().starts_with("report.json: "), "{error}");
    assert!(!space.path().join(SUMS).exists());
}
