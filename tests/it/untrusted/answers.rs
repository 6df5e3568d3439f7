//! Answers of servers, each field of each in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{EVERYTHING, MADE, assert_harmless, assert_markdown, assert_plain, follow, payloads, rich};
use crate::common::{Cli, Sim};
use crate::proxy::{Answer, Proxy, Request};
use crate::saved::Runs;
use crate::scan::MANAGEMENT;

/// The leaves of an answer: names of elements of XML, of members of JSON, of headers.
pub fn leaves(answer: &Answer) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if answer.body.starts_with('{') {
        fn walk(value: &Value, name: &str, names: &mut BTreeSet<String>) {
            match value {
                Value::String(_) => drop(names.insert(name.to_owned())),
                Value::Array(items) => items.iter().for_each(|item| walk(item, name, names)),
                Value::Object(members) => members.iter().for_each(|(name, value)| walk(value, name, names)),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        walk(&serde_json::from_str(&answer.body).expect("JSON"), "", &mut names);
    } else {
        for part in answer.body.split('<').skip(1) {
            if let Some((name, text)) = part.split_once('>')
                && !text.is_empty()
                && !name.starts_with(['/', '?'])
            {
                names.insert(name.split(' ').next().unwrap_or_default().to_owned());
            }
        }
    }
    names.extend(answer.headers.iter().map(|(name, _)| format!("header {name}")));
    names
}

/// The answer with this payload in all leaves of this name.
pub fn poisoned(answer: Answer, leaf: &str, payload: &str) -> Answer {
    if let Some(header) = leaf.strip_prefix("header ") {
        // What stands in a header is one line of plain characters.
        let payload: String = payload.chars().filter(|c| (' '..='~').contains(c)).collect();
        let headers = answer.headers.into_iter().map(|(name, value)| {
            let value = if name == header { payload.clone() } else { value };
            (name, value)
        });
        return Answer { headers: headers.collect(), ..answer };
    }
    let body = if answer.body.starts_with('{') {
        fn walk(value: &mut Value, name: &str, leaf: &str, payload: &str) {
            match value {
                Value::String(text) if name == leaf => payload.clone_into(text),
                Value::Array(items) => items.iter_mut().for_each(|item| walk(item, name, leaf, payload)),
                Value::Object(members) => members.iter_mut().for_each(|(name, value)| walk(value, name, leaf, payload)),
                _ => {}
            }
        }
        let mut document = serde_json::from_str(&answer.body).expect("JSON");
        walk(&mut document, "", leaf, payload);
        document.to_string()
    } else {
        let escaped = payload.chars().fold(String::new(), |text, c| {
            if c.is_ascii_alphanumeric() { text + &c.to_string() } else { text + &format!("&#{};", u32::from(c)) }
        });
        let parts = answer.body.split('<').map(|part| match part.split_once('>') {
            Some((name, text)) if !text.is_empty() && name.split(' ').next() == Some(leaf) => {
                format!("{name}>{escaped}")
            }
            _ => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("<")
    };
    Answer { body, ..answer }
}

/// The operation, and whether it was refused: then other fields are answered.
pub fn kind(request: &Request, answer: &Answer) -> String {
    format!("{} {}", request.operation(), if answer.status < 300 { "" } else { "refused" })
}

#[test]
fn no_field_of_an_answer_gets_out_of_hand() {
    let sim = Sim::json(&rich().to_string());
    let answers = Arc::new(Mutex::new(BTreeMap::<String, BTreeSet<String>>::new()));
    let seen = Arc::clone(&answers);
    let proxy = Proxy::before(&sim, move |request, forward| {
        let answer = forward();
        seen.lock().expect("no panic").entry(kind(request, &answer)).or_default().extend(leaves(&answer));
        answer
    });
    let runs = Runs::new();
    let scan = |name: &str, endpoint: &str| {
        let out = runs.text(name);
        let first = ["scan", "--out", &out, "--log-level", "trace", "--format", "csv,json,storage-lens-csv"];
        Cli::new(first.into_iter().chain(EVERYTHING)).at(endpoint, MANAGEMENT).run()
    };
    scan("good", &proxy.endpoint).expect(0);
    let answers = answers.lock().expect("no panic").clone();
    assert!(answers.len() > 15, "{:?}", answers.keys());
    let payloads = payloads();
    for (number, (operation, leaf)) in answers
        .iter()
        .flat_map(|(operation, leaves)| leaves.iter().map(move |leaf| (operation.clone(), leaf.clone())))
        .enumerate()
    {
        let payload = payloads[number % payloads.len()].clone();
        let (of, what) = (operation.clone(), leaf.clone());
        let proxy = Proxy::before(&sim, move |request, forward| {
            let answer = forward();
            if kind(request, &answer) == of { poisoned(answer, &what, &payload) } else { answer }
        });
        let _ = fs::remove_dir_all(runs.path("evil"));
        let ran = scan("evil", &proxy.endpoint);
        assert!([0, 2].contains(&ran.code), "{operation} {leaf}: {}", ran.stderr);
        assert_plain(&format!("{operation} {leaf}"), &ran.stderr);
        if ran.code == 0 {
            assert_harmless(&ran, &runs.path("evil"));
            let plan = |format: &str| runs.run(&["plan", "@evil", "--format", format]).stdout;
            let (markdown, script) = (plan("markdown"), plan("sh"));
            assert_markdown(&markdown);
            assert!(!markdown.is_empty() && script.ends_with("main \"$@\"\n"), "{operation} {leaf}");
            if script.contains(MADE) || markdown.contains(MADE) {
                follow(&runs.path("desk"), &script, &markdown, "An error occurred (AccessDenied)");
            }
        }
    }
}
