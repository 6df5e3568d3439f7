//! What is printed: a page for people, JSON for machines. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use super::decide::Outcome;
use crate::aws::put_bucket_versioning::{Change, Status, Switch};
use crate::cli::lifecycle::harmless;
use crate::model::{BucketRecord, Operation};
use crate::report::harmless as plain;

/// A bucket that was asked for, and what came of it.
#[derive(Debug)]
pub struct Row {
    pub before: BucketRecord,
    /// The endpoint in words.
    pub place: String,
    /// What is to be sent, or was; `None` where nothing is.
    pub change: Option<Change>,
    pub after: Option<BucketRecord>,
    pub outcome: Outcome,
    /// What to consider before the request is sent.
    pub notes: Vec<String>,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
    pub request_id: Option<String>,
}

/// What is shown besides the buckets.
#[derive(Debug, Serialize)]
pub struct Head {
    /// `status`, `enable` or `disable`.
    pub command: &'static str,
    pub dry_run: bool,
    pub account: String,
    pub caller_arn: Option<String>,
    /// `None` for `status`.
    pub mfa_serial: Option<String>,
    #[serde(skip)]
    pub expected_owner: Option<String>,
}

/// The states of a bucket, in the words of `buckets.csv`.
#[derive(Debug, Serialize)]
pub struct State {
    versioning: &'static str,
    mfa_delete: &'static str,
}

impl State {
    pub fn of(record: &BucketRecord) -> Self {
        Self { versioning: record.versioning_word(), mfa_delete: record.mfa_delete_word() }
    }

    /// `versioning enabled, MFA delete never configured`.
    fn words(&self) -> String {
        if self.versioning == "not_applicable" {
            return "no such bucket".to_owned();
        }
        let configured = |word: &str| if word == "never" { "never configured".to_owned() } else { word.to_owned() };
        format!("versioning {}, MFA delete {}", configured(self.versioning), configured(self.mfa_delete))
    }
}

/// What was read before a request, which does not touch the lifecycle configuration.
#[derive(Debug, Serialize)]
pub struct Before {
    #[serde(flatten)]
    state: State,
    lifecycle: &'static str,
    lifecycle_rules: Option<usize>,
}

impl Before {
    pub fn of(record: &BucketRecord) -> Self {
        Self { state: State::of(record), lifecycle: record.lifecycle_word(), lifecycle_rules: record.lifecycle_rules() }
    }

    fn words(&self) -> String {
        let lifecycle = match (self.lifecycle, self.lifecycle_rules) {
            ("none", _) => ", no lifecycle configuration".to_owned(),
            ("present", Some(1)) => ", a lifecycle configuration with 1 rule".to_owned(),
            ("present", Some(rules)) => format!(", a lifecycle configuration with {rules} rules"),
            ("not_applicable", _) => String::new(),
            _ => ", lifecycle configuration unknown".to_owned(),
        };
        self.state.words() + &lifecycle
    }
}

/// What the request asks for.
#[derive(Debug, Serialize)]
pub struct Sent {
    status: &'static str,
    mfa_delete: &'static str,
}

impl Sent {
    pub fn of(change: Change) -> Self {
        Self {
            status: match change.status {
                Status::Enabled => "Enabled",
                Status::Suspended => "Suspended",
            },
            mfa_delete: match change.mfa_delete {
                Switch::On => "Enabled",
                Switch::Off => "Disabled",
            },
        }
    }

    /// The body as it is sent.
    pub fn body(&self) -> String {
        let Self { status, mfa_delete } = self;
        format!(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><MfaDelete>{mfa_delete}\
             </MfaDelete><Status>{status}</Status></VersioningConfiguration>"
        )
    }
}

/// How a bucket is, and what is to be sent, for a person.
pub fn plan(head: &Head, row: &Row) -> String {
    let mut text = format!("{} in {}\n", row.before.bucket, harmless(row.before.region.as_str()));
    let name = if head.command == "status" { "state" } else { "before" };
    line(&mut text, name, &Before::of(&row.before).words());
    if let (Some(change), Some(serial)) = (row.change, &head.mfa_serial) {
        let place = harmless(&row.place);
        line(&mut text, "request", &format!("{} (PUT ?versioning) at {place}", Operation::PutBucketVersioning));
        if let Some(owner) = &head.expected_owner {
            line(&mut text, "", &format!("x-amz-expected-bucket-owner: {owner}"));
        }
        line(&mut text, "", &format!("x-amz-mfa: {serial} <code>"));
        // In one piece.
        let _ = writeln!(text, "{:INDENT$}{}", "", Sent::of(change).body());
    }
    for note in &row.notes {
        line(&mut text, "note", &harmless(note));
    }
    text
}

/// What came of it, for a person. Of a state that was read there is nothing more to say.
pub fn end(row: &Row) -> String {
    let mut text = String::new();
    if let Some(after) = &row.after {
        line(&mut text, "after", &State::of(after).words());
    }
    if let Some(words) = outcome(row.outcome) {
        line(&mut text, "outcome", words);
    }
    for reason in &row.reasons {
        // In parts the words of servers.
        line(&mut text, "why", &harmless(reason));
    }
    text
}

/// Where words begin.
const INDENT: usize = 11;

/// `  before   versioning enabled, ...`, wrapped between words.
fn line(text: &mut String, name: &str, words: &str) {
    const WIDTH: usize = 100;
    let _ = write!(text, "  {name:<9}");
    let mut column = INDENT;
    for (position, word) in words.split(' ').enumerate() {
        let length = word.chars().count();
        if position > 0 && column + 1 + length > WIDTH {
            let _ = write!(text, "\n{:INDENT$}", "");
            column = INDENT;
        } else if position > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}

fn outcome(outcome: Outcome) -> Option<&'static str> {
    let words = match outcome {
        Outcome::Read | Outcome::Unknown => return None,
        Outcome::Already => "already as asked for: nothing is to be sent",
        Outcome::DryRun => "dry run: nothing was sent",
        Outcome::Confirmed => "confirmed: it was read after the request and is as asked for",
        Outcome::NotVisible => {
            "accepted, not yet visible: on AWS it may take 15 minutes; look again with bucketlens mfa-delete status"
        }
        Outcome::NoAnswer => {
            "no answer, and not applied as far as could be read: it may still be; look with bucketlens mfa-delete \
             status before you send it again"
        }
        Outcome::Refused => "refused",
        Outcome::NotSent => "not sent",
    };
    Some(words)
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    head: &'a Head,
    buckets: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    bucket: &'a str,
    region: &'a str,
    outcome: &'static str,
    before: Before,
    request: Option<Request>,
    after: Option<State>,
    notes: Vec<Cow<'a, str>>,
    reasons: Vec<Cow<'a, str>>,
    request_id: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Request {
    operation: &'static str,
    /// Without the code.
    x_amz_mfa: Option<String>,
    x_amz_expected_bucket_owner: Option<String>,
    body: String,
}

pub fn json(head: &Head, rows: &[Row]) -> String {
    fn all(texts: &[String]) -> Vec<Cow<'_, str>> {
        texts.iter().map(|text| plain(text)).collect()
    }
    let buckets = rows.iter().map(|row| Shown {
        bucket: &row.before.bucket,
        region: row.before.region.as_str(),
        outcome: row.outcome.as_str(),
        before: Before::of(&row.before),
        request: row.change.map(|change| Request {
            operation: Operation::PutBucketVersioning.as_str(),
            x_amz_mfa: head.mfa_serial.as_ref().map(|serial| format!("{serial} <code>")),
            x_amz_expected_bucket_owner: head.expected_owner.clone(),
            body: Sent::of(change).body(),
        }),
        after: row.after.as_ref().map(State::of),
        notes: all(&row.notes),
        reasons: all(&row.reasons),
        request_id: row.request_id.as_deref().map(plain),
    });
    let document = Document { head, buckets: buckets.collect() };
    serde_json::to_string_pretty(&document).expect("texts and lists are JSON") + "\n"
}
