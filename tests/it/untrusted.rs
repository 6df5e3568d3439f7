//! Texts that mean harm, in every field of a run's folder and in every field of every server's answer: none of them
//! becomes a command, a formula, a line of a page, or part of a document.
//!
//! The fields are found in the files of a real run and in real answers, so that new ones are tried too.

mod answers;
mod folder;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Ran, files};
use crate::hostile::is_harmful;
use crate::scan::{MANAGEMENT, good, management, organization};

pub use answers::{kind, leaves, poisoned};

const MEMBER: &str = "222222222222";

/// Whoever takes it for a command makes this file.
const MADE: &str = "made-by-a-payload";

const FORMATS: &str = "csv,json,parquet,storage-lens-csv,storage-lens-parquet,storage-lens-tables";

/// Texts for a shell, a spreadsheet, a terminal, Markdown and HTML at once, and with each beginning that counts.
pub fn payloads() -> Vec<String> {
    let touch = format!("touch {MADE}");
    let shell = format!("$({touch})`{touch}`;{touch};'$({touch})'\"$({touch})\"&&{touch}||{touch}\n{touch}\r\n{touch}");
    let page = "<script>alert(1)</script>|[a](http://evil.example)\n# forged\n```\n~~~\n- [x] <b>";
    let terminal = "\u{1b}[2J\u{9b}31m\u{8}\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\u{e0041}\u{2028}";
    let sheet = "a;=cmd|' /C calc'!A0;\"@x\";\t+1";
    let starts = ["", "=", "+", "-", "@", "\t", "\r", " =", "'", "-rf ", "file://"];
    starts.iter().map(|start| format!("{start}{shell}{sheet}{terminal}{page}")).collect()
}

/// An organization of which every kind of answer is read, and of which something is refused.
fn rich() -> Value {
    let rules = json!([
        {"ID": "tidy", "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "kind", "Value": "log"}]}},
         "Status": "Enabled", "Expiration": {"Days": 90}},
        {"ID": "abort", "Filter": {"Prefix": ""}, "Status": "Disabled",
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    ]);
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "MfaPlease", "Effect": "Deny", "Principal": "*",
        "Action": "s3:DeleteObjectVersion", "Resource": "arn:aws:s3:::full/*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]});
    let full = json!({"name": "full", "region": "eu-west-1", "versioning": "Enabled", "mfa_delete": "Disabled",
        "lifecycle": rules, "policy": policy, "object_lock": {"mode": "GOVERNANCE", "days": 3},
        "replication": [{"id": "copy", "destination": "arn:aws:s3:::plain", "account": MEMBER}],
        "encryption": "aws:kms", "ownership": "BucketOwnerEnforced", "acceleration": "Enabled",
        "tags": {"team": "blue"}});
    let denied = json!({"name": "denied", "region": "us-east-1", "deny": {"GetBucketVersioning": "with an explicit deny",
        "GetBucketTagging": ""}});
    let plain = json!({"name": "plain", "region": "us-east-1", "versioning": "Enabled"});
    let own = management(
        &json!({"buckets": [full, plain, denied, {"name": "gone", "region": "us-east-1", "vanished": true}]}),
    );
    let member = json!({"id": MEMBER, "name": "Member", "ou": "ou-test-nested00", "buckets": [good("of-member")]});
    let shut = json!({"id": "333333333333", "name": "Shut", "ou": "r-test", "assumable": false});
    let closed = json!({"id": "444444444444", "name": "Closed", "ou": "r-test", "state": "CLOSED"});
    organization(&json!([own, member, shut, closed]))
}

const EVERYTHING: [&str; 12] = [
    "--organization",
    "--with",
    "protection",
    "--metrics",
    "all",
    "--group-by-tag",
    "team",
    "--max-attempts",
    "1",
    "--allow-unknown",
    "--fail-on",
    "none",
];

// --- what no output may hold ---

#[track_caller]
pub fn assert_plain(name: &str, text: &str) {
    if let Some(at) = text.find(is_harmful) {
        let begin = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        panic!("{name}: {:?}", text[begin..].chars().take(120).collect::<String>());
    }
}

/// Whatever is taken for the separator, and whatever is taken for quotation marks.
#[track_caller]
pub fn assert_no_formula(name: &str, text: &str) {
    let starts = |cell: &str| cell.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@', '\t']);
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    for row in rows.records() {
        for cell in &row.expect("CSV") {
            let is_number = cell.parse::<f64>().is_ok();
            assert!(is_number || !cell.split(';').any(starts), "{name}: {cell:?}");
        }
    }
    let mut rows =
        csv::ReaderBuilder::new().delimiter(b';').flexible(true).has_headers(false).from_reader(text.as_bytes());
    for row in rows.records() {
        for cell in &row.expect("CSV") {
            assert!(!starts(cell), "{name} with semicolons: {cell:?}");
        }
    }
}

/// Outside of code nothing is HTML, a link, or a line of its own.
#[track_caller]
fn assert_markdown(text: &str) {
    let mut outside = String::new();
    let mut fence = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fence = !fence;
        } else if !fence {
            outside.push_str(&without_code(line));
            outside.push('\n');
        }
    }
    assert!(!fence, "a fence is not closed: {text}");
    for raw in ["<script", "<b>", "](http", "\n# forged", "\ntouch"] {
        assert!(!outside.contains(raw), "{raw}: {outside}");
    }
}

/// Without code spans, and without what is behind a backslash.
fn without_code(line: &str) -> String {
    let mut left = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let span = (ticks > 0).then(|| {
            let mut from = ticks;
            loop {
                let at = from + rest[from..].find('`')?;
                let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
                if run == ticks {
                    return Some(at + run);
                }
                from = at + run;
            }
        });
        let skipped = match span.flatten() {
            Some(end) => end,
            None if c == '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            None => {
                left.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[skipped..];
    }
    left
}

/// Everything that a command printed, and the files below a folder.
#[track_caller]
fn assert_harmless(ran: &Ran, out: &Path) {
    let named = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    assert_plain("stdout", &ran.stdout);
    assert_plain("stderr", &ran.stderr);
    for name in files(out).into_iter().filter(|name| !name.starts_with("inventory")) {
        let bytes = fs::read(out.join(&name)).expect("readable");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match named(&name).rsplit('.').next() {
            Some("csv") => {
                assert_plain(&name, &text);
                assert_no_formula(&name, &text);
            }
            Some("json") => {
                assert_plain(&name, &text);
                serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            // Data.
            Some("parquet" | "par") => {}
            _ => assert_plain(&name, &text),
        }
        assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    }
}

// --- the commands of a plan ---

/// An `aws` that says what it is told to say, and that nothing worked.
const AWS: &str = "#!/bin/sh\ncat \"$HOME/words\"; cat \"$HOME/words\" >&2; exit 254\n";

/// Runs the script of a plan and everything that can be pasted, with this `aws`.
#[track_caller]
fn follow(desk: &Path, script: &str, markdown: &str, words: &str) {
    fs::create_dir_all(desk).expect("a folder");
    fs::write(desk.join("words"), words).expect("writable");
    fs::write(desk.join("aws"), AWS).expect("writable");
    fs::set_permissions(desk.join("aws"), fs::Permissions::from_mode(0o755)).expect("a program");
    fs::write(desk.join("plan.sh"), script).expect("writable");
    let run = |shell: &str, arguments: &[&str]| {
        let mut command = Command::new(shell);
        command.args(arguments).current_dir(desk).env_clear().env("HOME", desk).env("MFA_SERIAL", "GAHT12345678");
        command.env("PATH", format!("{}:/usr/bin:/bin", desk.display())).env("WAIT", "0");
        command.env("SKIP_ROOT_CHECK", MANAGEMENT).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.spawn().and_then(std::process::Child::wait_with_output).expect("a shell");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!desk.join(MADE).exists(), "{arguments:?} made the file: {said}");
        said
    };
    for words in [["plan.sh", "check"].as_slice(), &["plan.sh", "enable", "--all"], &["plan.sh", "undo", "plain"]] {
        assert_plain("what the script says", &run("/bin/sh", words));
    }
    assert!(!run("/bin/sh", &["-n", "plan.sh"]).contains("rror"));
    for block in markdown.split("```sh\n").skip(1) {
        let block = block.split("```").next().expect("text");
        for shell in ["/bin/sh", "/bin/bash"] {
            run(shell, &["-c", block]);
        }
    }
}
