//! An export whose texts mean harm: whatever stands in its manifest and in its rows, what is printed stays harmless.

use std::fs;

use serde_json::{Value, json};

use super::import::Copy;
use super::{lens, minimal, text};
use crate::untrusted::{assert_no_formula, assert_plain, payloads};

/// Everything that is said of it, beside a run too.
#[track_caller]
fn assert_harmless(copy: &Copy, run: &str, of: &str) {
    for format in ["table", "csv", "json"] {
        let compare = ["--with", run, "--format", format, "--allow-partial"];
        for (command, more) in [("read", &compare[2..]), ("compare", &compare[..])] {
            let ran = lens(command, copy.space.path(), more);
            assert_plain(of, &ran.stdout);
            assert_plain(of, &ran.stderr);
            match format {
                "csv" => assert_no_formula(of, &ran.stdout),
                "json" if !ran.stdout.is_empty() => drop(serde_json::from_str::<Value>(&ran.stdout).expect("JSON")),
                _ => {}
            }
        }
    }
}

#[test]
fn no_text_of_an_export_gets_out_of_hand() {
    let run = minimal();
    let run = run.path("out");
    let copy = Copy::of("csv");
    let whole: Value = serde_json::from_slice(&fs::read(copy.manifest()).expect("readable")).expect("JSON");
    let payloads = payloads();
    let members = whole.as_object().expect("members").iter().filter(|(_, value)| value.is_string());
    for (number, (name, _)) in members.enumerate() {
        copy.change_manifest(|manifest| manifest[name] = json!(payloads[number % payloads.len()]));
        assert_harmless(&copy, text(&run), name);
        copy.change_manifest(|manifest| *manifest = whole.clone());
    }
    for (number, name) in ["key", "md5Checksum"].into_iter().enumerate() {
        copy.change_manifest(|manifest| manifest["reportFiles"][0][name] = json!(payloads[number]));
        assert_harmless(&copy, text(&run), name);
        copy.change_manifest(|manifest| *manifest = whole.clone());
    }
    // Each column of a row, in all rows.
    let rows = fs::read(copy.part(0)).expect("readable");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(rows.as_slice());
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
    for column in 0..records[0].len() {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for record in &records {
            let payload = &payloads[column % payloads.len()];
            let cells = record.iter().enumerate().map(|(at, cell)| if at == column { payload.as_str() } else { cell });
            writer.write_record(cells).expect("written");
        }
        copy.rewrite(0, &writer.into_inner().expect("written"));
        assert_harmless(&copy, text(&run), &format!("column {column}"));
    }
}
