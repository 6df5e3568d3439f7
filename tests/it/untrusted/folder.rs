//! The folder of a run, altered by a forger: each text of its files in turn, then all that may be anything at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    EVERYTHING, FORMATS, assert_harmless, assert_markdown, assert_no_formula, assert_plain, follow, payloads, rich,
};
use crate::common::{Sim, copy, files};
use crate::saved::Runs;
use crate::scan::MANAGEMENT;

/// A text in a file of JSON: where it stands, and the bytes between its quotation marks.
#[derive(Debug, Clone)]
struct Field {
    path: String,
    start: usize,
    end: usize,
}

/// The texts of JSON values, in their order; of objects whose keys are texts of others the keys too.
fn fields(text: &str) -> Vec<Field> {
    let bytes = text.as_bytes();
    let (mut found, mut stack, mut key): (Vec<Field>, Vec<String>, String) = (Vec::new(), Vec::new(), String::new());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => stack.push(std::mem::take(&mut key)),
            b'}' | b']' => drop(stack.pop()),
            b',' => key.clear(),
            b'"' => {
                let start = at + 1;
                let mut end = start;
                while bytes[end] != b'"' {
                    end += if bytes[end] == b'\\' { 2 } else { 1 };
                }
                let is_key = text[end + 1..].trim_start().starts_with(':');
                let above = stack.join(".");
                if !is_key || above.ends_with("tags") || above.ends_with("scope") {
                    found.push(Field {
                        path: format!("{above}.{key}{}", if is_key { "<key>" } else { "" }),
                        start,
                        end,
                    });
                }
                key = if is_key { text[start..end].to_owned() } else { String::new() };
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// One field of each path, beginning with those that stand last.
fn one_of_each(text: &str) -> Vec<Field> {
    let mut met = BTreeSet::new();
    fields(text).into_iter().rev().filter(|field| met.insert(field.path.clone())).collect()
}

fn replaced(text: &str, field: &Field, payload: &str) -> String {
    let payload = serde_json::to_string(payload).expect("JSON");
    format!("{}{}{}", &text[..field.start], payload.trim_matches('"'), &text[field.end..])
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The same JSON without white space between its parts.
fn compact(text: &str) -> String {
    let (mut compact, mut inside, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        if inside || !c.is_whitespace() {
            compact.push(c);
        }
        inside = if c == '"' && !escaped { !inside } else { inside };
        escaped = inside && c == '\\' && !escaped;
    }
    compact
}

/// Sets the texts at these paths of `run.json` as a forger would.
fn set(text: &str, path: &str, value: &str) -> String {
    let field = fields(text).into_iter().find(|field| field.path == path).unwrap_or_else(|| panic!("no {path}"));
    replaced(text, &field, value)
}

/// Makes the digests of an altered folder right: they prove accidents, not forgers.
fn seal(inventory: &Path) {
    let path = inventory.join("run.json");
    let mut text = fs::read_to_string(&path).expect("text");
    let segments = files(inventory).into_iter().filter_map(|name| Some(name.strip_suffix(".jsonl")?.to_owned()));
    for segment in segments {
        let digest = sha256(&fs::read(inventory.join(format!("{segment}.jsonl"))).expect("readable"));
        if fields(&text).iter().any(|field| field.path == format!(".segments_sha256.{segment}")) {
            text = set(&text, &format!(".segments_sha256.{segment}"), &digest);
        }
    }
    text = set(&text, ".start_sha256", &sha256(&fs::read(inventory.join("start.json")).expect("readable")));
    text = set(&text, ".sha256", "");
    text = set(&text, ".sha256", &sha256(compact(&text).as_bytes()));
    fs::write(&path, text).expect("writable");
}

/// What everything that reads the folder `evil` makes of it, beside the folder `good`.
fn read_in_all_ways(runs: &Runs, payload: &str) {
    let out = runs.path("again");
    let _ = fs::remove_dir_all(&out);
    let told =
        runs.run(&["report", "@evil", "--out", "@again", "--format", FORMATS, "--fail-on", "none", "--allow-unknown"]);
    assert_harmless(&told.expect(0), &out);
    let print = |arguments: &[&str]| {
        let ran = runs.run(arguments);
        assert_plain(&format!("{arguments:?}"), &ran.stdout);
        assert_plain(&format!("{arguments:?}"), &ran.stderr);
        ran
    };
    for format in ["table", "csv", "json"] {
        let format = ["--format", format];
        let export = ["storage-lens", "compare", "@again", "--with", "@evil"];
        for arguments in [
            ["diff", "@good", "@evil"].as_slice(),
            &["diff", "@evil", "@good"],
            &["trend", "@evil"],
            &["trend", "@again"],
            &["storage-lens", "read", "@again"],
            &export,
        ] {
            let ran = print(&[arguments, &format].concat());
            match format[1] {
                "csv" => assert_no_formula(&format!("{arguments:?}"), &ran.stdout),
                "json" if !ran.stdout.is_empty() => drop(serde_json::from_str::<Value>(&ran.stdout).expect("JSON")),
                _ => {}
            }
        }
    }
    let plan = |format: &str| print(&["plan", "@evil", "--format", format]).expect(3).stdout;
    serde_json::from_str::<Value>(&plan("json")).expect("JSON");
    let markdown = plan("markdown");
    assert_markdown(&markdown);
    follow(&runs.path("desk"), &plan("sh"), &markdown, payload);
}

fn scanned() -> Runs {
    let runs = Runs::new();
    let sim = Sim::json(&rich().to_string());
    runs.scan("good", &sim, MANAGEMENT, &[&EVERYTHING[..], &["--format", FORMATS]].concat()).expect(0);
    runs
}

/// Those of which a type says what they may be, with what their kind is called.
const TYPED: [(&str, &str); 12] = [
    ("run.id", "the id of a run"),
    ("run.version", "a version"),
    ("run.partition", "the name of a partition"),
    ("run.caller_arn", "an ARN"),
    ("run.organization_id", "the id of an organization"),
    ("run.configuration_digest", "a SHA-256"),
    ("ou_path", "the id of an organizational unit"),
    ("accounts..id", "an AWS account id"),
    ("found.partition", "the name of a partition"),
    ("found.caller_arn", "an ARN"),
    ("bucket.region", "the name of a Region"),
    ("run_id", "the id of a run"),
];

#[test]
fn no_field_of_a_folder_gets_out_of_hand() {
    let runs = scanned();
    let payloads = payloads();
    let (good, evil) = (runs.path("good"), runs.path("evil"));
    copy(&good, &evil);
    let inventory = evil.join("inventory");
    let (mut free, mut refused) = (Vec::new(), BTreeMap::new());
    for name in files(&inventory) {
        let whole = fs::read_to_string(inventory.join(&name)).expect("text");
        for (number, field) in one_of_each(&whole).into_iter().enumerate() {
            if field.path.ends_with("sha256") || field.path.contains(".segments_sha256.") {
                continue;
            }
            fs::write(inventory.join(&name), replaced(&whole, &field, &payloads[number % payloads.len()]))
                .expect("writable");
            seal(&inventory);
            let arguments = ["report", "@evil", "--out", "@tried", "--fail-on", "none", "--allow-unknown"];
            let ran = runs.run(&arguments);
            assert_plain(&field.path, &ran.stdout);
            assert_plain(&field.path, &ran.stderr);
            match ran.code {
                0 => free.push((name.clone(), field.path.clone())),
                2 => {
                    let one = ran.stderr.lines().filter(|line| line.starts_with("error: ")).count() == 1;
                    assert!(one && ran.stderr.contains(&name), "{}: {}", field.path, ran.stderr);
                    assert!(ran.stderr.lines().count() == 2, "{}: {}", field.path, ran.stderr);
                    refused.insert(field.path.trim_start_matches('.').to_owned(), ran.stderr);
                }
                code => panic!("{} of {name}: {code} {}", field.path, ran.stderr),
            }
            copy(&good.join("inventory"), &inventory);
        }
    }
    for (path, kind) in TYPED {
        let found = refused.iter().find(|(found, _)| found.trim_end_matches('.').ends_with(path));
        let (_, said) = found.unwrap_or_else(|| panic!("{path} is not refused: {:?}", refused.keys()));
        assert!(said.contains(kind), "{path}: {said}");
    }
    assert!(free.iter().any(|(_, path)| path.ends_with("name")) && free.len() > 15, "{free:?}");
    for payload in &payloads[..5] {
        for (name, path) in &free {
            let text = fs::read_to_string(inventory.join(name)).expect("text");
            let all = fields(&text).into_iter().rev().filter(|field| field.path == *path);
            // Names stay different.
            let text = all
                .enumerate()
                .fold(text.clone(), |text, (number, field)| replaced(&text, &field, &format!("{payload}{number}")));
            fs::write(inventory.join(name), text).expect("writable");
        }
        seal(&inventory);
        read_in_all_ways(&runs, payload);
        copy(&good.join("inventory"), &inventory);
    }
}
