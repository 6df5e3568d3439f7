//! Every reader knows every element and word of S3's newest model: `fixtures/wire/s3-model.json`, made by
//! `tests/servers/s3_model.py`. A new word is one line there, and fails here until a reader knows it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;

use crate::wire::{Server, aws, outcome};

/// An element without elements of its own.
#[derive(Debug, Deserialize)]
struct Leaf {
    operation: String,
    /// From the root element on.
    element: String,
    holds: Holds,
}

/// Words, or a type.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Holds {
    Words(Vec<String>),
    Kind(String),
}

fn model() -> Vec<Leaf> {
    serde_json::from_str(include_str!("../../fixtures/wire/s3-model.json")).expect("a table")
}

/// The least that makes a whole answer: elements below the root, each with its text.
fn least(operation: &str) -> Vec<(&'static str, &'static str)> {
    match operation {
        "GetBucketAccelerateConfiguration"
        | "GetBucketLocation"
        | "GetBucketNotificationConfiguration"
        | "GetBucketVersioning" => vec![],
        "GetBucketEncryption" => vec![("Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm", "AES256")],
        "GetBucketLifecycleConfiguration" => vec![
            ("Rule/ID", "a"),
            ("Rule/Filter/Prefix", "p"),
            ("Rule/Status", "Enabled"),
            ("Rule/Expiration/Days", "4000"),
        ],
        "GetBucketOwnershipControls" => vec![("Rule/ObjectOwnership", "ObjectWriter")],
        "GetBucketReplication" => vec![("Rule/Status", "Enabled"), ("Rule/Destination/Bucket", "arn:aws:s3:::copy")],
        "GetBucketTagging" => vec![("TagSet/Tag/Key", "k"), ("TagSet/Tag/Value", "v")],
        "GetObjectLockConfiguration" => vec![("ObjectLockEnabled", "Enabled")],
        "ListBuckets" => vec![("Buckets/Bucket/Name", "example")],
        "ListDirectoryBuckets" => vec![("Buckets/Bucket/Name", "example--use1-az4--x-s3")],
        "ListObjectsV2" => vec![("Name", "example"), ("Contents/Key", "a")],
        other => panic!("the model has {other}, which this test does not know"),
    }
}

/// Elements below the root, each with its text.
type Texts = &'static [(&'static str, &'static str)];

/// What an element below this one needs beside it, and what cannot stand beside it.
const COMPANIONS: [(&str, Texts, &[&str]); 16] = [
    ("Rule/Prefix", &[], &["Rule/Filter/"]),
    ("Rule/Filter/ObjectSize", &[], &["Rule/Filter/Prefix"]),
    ("Rule/Filter/Tag/", &[("Rule/Filter/Tag/Key", "k"), ("Rule/Filter/Tag/Value", "v")], &["Rule/Filter/Prefix"]),
    ("Rule/Filter/And/", &[("Rule/Filter/And/Prefix", "p")], &["Rule/Filter/Prefix"]),
    (
        "Rule/Filter/And/Tag/",
        &[("Rule/Filter/And/Tag/Key", "k"), ("Rule/Filter/And/Tag/Value", "v")],
        &["Rule/Filter/Prefix"],
    ),
    ("Rule/Filter/And/Prefix", &[("Rule/Filter/And/Tag/Key", "k"), ("Rule/Filter/And/Tag/Value", "v")], &[]),
    ("Rule/Filter/And/ObjectSize", &[("Rule/Filter/And/Prefix", "p")], &["Rule/Filter/Prefix"]),
    ("Rule/Filter/Not/Tag/", &[("Rule/Filter/Not/Tag/Key", "k"), ("Rule/Filter/Not/Tag/Value", "v")], &[]),
    ("Rule/Filter/Not/Or/Tag/", &[("Rule/Filter/Not/Or/Tag/Key", "k"), ("Rule/Filter/Not/Or/Tag/Value", "v")], &[]),
    ("Rule/Filter/And/Not/Tag/", &[("Rule/Filter/And/Not/Tag/Key", "k"), ("Rule/Filter/And/Not/Tag/Value", "v")], &[]),
    (
        "Rule/Filter/And/Not/Or/Tag/",
        &[("Rule/Filter/And/Not/Or/Tag/Key", "k"), ("Rule/Filter/And/Not/Or/Tag/Value", "v")],
        &[],
    ),
    ("Rule/Expiration/", &[], &["Rule/Expiration/"]),
    ("Rule/Transition/", &[("Rule/Transition/StorageClass", "GLACIER"), ("Rule/Transition/Days", "30")], &[]),
    ("Rule/Transition/Date", &[], &["Rule/Transition/Days", "Rule/Expiration/"]),
    (
        "Rule/NoncurrentVersionTransition/",
        &[
            ("Rule/NoncurrentVersionTransition/NoncurrentDays", "30"),
            ("Rule/NoncurrentVersionTransition/StorageClass", "GLACIER"),
        ],
        &[],
    ),
    ("Rule/NoncurrentVersionExpiration/", &[("Rule/NoncurrentVersionExpiration/NoncurrentDays", "400")], &[]),
];

const LOCK: &str = "Rule/DefaultRetention/";

/// The least answer with this element; the later of two texts of an element counts.
fn answer(leaf: &Leaf, text: &str) -> String {
    let (root, below) = leaf.element.split_once('/').unwrap_or((&leaf.element, ""));
    let mut elements: Vec<(String, String)> = Vec::new();
    let mut set = |path: &str, text: &str| {
        elements.retain(|(before, _)| before != path);
        elements.push((path.to_owned(), text.to_owned()));
    };
    for (path, text) in least(&leaf.operation) {
        set(path, text);
    }
    let is_hold = below.contains("DefaultEventHold");
    if below.starts_with(LOCK) && !is_hold {
        set(&format!("{LOCK}Mode"), "GOVERNANCE");
        set(&format!("{LOCK}Days"), "1");
    }
    for (of, with, _) in COMPANIONS.iter().filter(|(of, ..)| below.starts_with(of)) {
        assert!(!of.is_empty());
        for (path, text) in *with {
            set(path, text);
        }
    }
    for (_, _, without) in COMPANIONS.iter().filter(|(of, ..)| below.starts_with(of)) {
        elements.retain(|(path, _)| !without.iter().any(|it| path.starts_with(it)));
    }
    if below.ends_with("/Years") && !is_hold {
        elements.retain(|(path, _)| path != &format!("{LOCK}Days"));
    }
    let keeps = elements.iter().any(|(path, _)| path == below) && text == SAMPLE;
    if !keeps && !below.is_empty() {
        elements.retain(|(path, _)| path != below);
        elements.push((below.to_owned(), text.to_owned()));
    }
    let inside = if below.is_empty() { text.to_owned() } else { tree(&elements) };
    format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inside}</{root}>")
}

/// Elements of one parent stand in one.
fn tree(elements: &[(String, String)]) -> String {
    let mut xml = String::new();
    let mut done = BTreeSet::new();
    for (path, text) in elements {
        match path.split_once('/') {
            None => write!(xml, "<{path}>{text}</{path}>").expect("a string"),
            Some((first, _)) if !done.insert(first.to_owned()) => {}
            Some((first, _)) => {
                let below = elements.iter().filter_map(|(path, text)| {
                    let rest = path.strip_prefix(first)?.strip_prefix('/')?;
                    Some((rest.to_owned(), text.clone()))
                });
                let below: Vec<(String, String)> = below.collect();
                write!(xml, "<{first}>{}</{first}>", tree(&below)).expect("a string");
            }
        }
    }
    xml
}

const SAMPLE: &str = "text";

/// A text for each type.
fn samples(leaf: &Leaf) -> Vec<String> {
    let samples: Vec<&str> = match &leaf.holds {
        Holds::Words(words) => return words.clone(),
        Holds::Kind(kind) => match kind.as_str() {
            "string" if leaf.element.ends_with("/Account") => vec!["222222222222"],
            "string" => vec![SAMPLE],
            "integer" | "long" => vec!["500"],
            "boolean" if leaf.element.ends_with("IsTruncated") => vec!["false"],
            "boolean" => vec!["true", "false"],
            "timestamp" => vec!["2035-01-01T00:00:00.000Z"],
            "empty" => vec![""],
            other => panic!("{other} is new"),
        },
    };
    samples.into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn every_element_and_word_of_the_newest_model_is_read() {
    let server = Server::start();
    let aws = aws(&server.endpoint);
    let session = Arc::new(aws.session(None).await.expect("good settings"));
    let mut wrong = String::new();
    let mut words = 0;
    for leaf in model() {
        // The SDK reads a list to its end, and this server has one page.
        let goes_on = leaf.element.ends_with("NextContinuationToken");
        for text in samples(&leaf) {
            words += 1;
            let body = answer(&leaf, &text);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nConnection: close\r\n";
            let wire = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            *server.answer.lock().expect("no panic") = wire.into_bytes();
            match outcome(&aws, &session, &leaf.operation).await {
                Ok(value) if !value.contains("Unreadable") => {}
                Err(said) if goes_on && said == "malformed" => {}
                other => writeln!(wrong, "{} {text:?}: {other:?}\n    {body}", leaf.element).expect("a string"),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(words > 200, "{words}");
}

#[test]
fn every_answer_in_xml_that_the_scan_reads_is_in_the_model() {
    let model = model();
    let operations: BTreeSet<&str> = model.iter().map(|leaf| leaf.operation.as_str()).collect();
    assert_eq!(operations.len(), 13, "{operations:?}");
}
