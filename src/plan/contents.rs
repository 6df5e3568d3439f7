//! A lifecycle configuration as one line that the AWS CLI says of it, too: so a script can see whether the rules are
//! still those of the plan.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::lifecycle::{Action, Configuration, Rule, When};

/// What the AWS CLI is asked: how many rules there are, and what they are. Tags in the order of their keys. A text of
/// nothing counts as false, so what comes after `||` takes its place: `null` there names a member that no rule has. The
/// script takes an ID that looks like `#1` for none, because that is what a rule without one is called.
///
/// Source: `JMESPath` specification, `to_string`; S3 API reference, `GetBucketLifecycleConfiguration`.
pub const QUERY: &str = "[length(Rules),to_string(Rules[].[ID||null,Status,Prefix||Filter.Prefix||Filter.And.Prefix||null,\
                         [Filter.Tag,Filter.And.Tags][].[Key,Value]|sort_by(@,&[0]),\
                         Filter.ObjectSizeGreaterThan||Filter.And.ObjectSizeGreaterThan,\
                         Filter.ObjectSizeLessThan||Filter.And.ObjectSizeLessThan,\
                         Expiration.[Days,Date,ExpiredObjectDeleteMarker],Transitions[].[Days,Date,StorageClass],\
                         NoncurrentVersionExpiration.[NoncurrentDays,NewerNoncurrentVersions],\
                         NoncurrentVersionTransitions[].[NoncurrentDays,NewerNoncurrentVersions,StorageClass],\
                         AbortIncompleteMultipartUpload.DaysAfterInitiation])]";

/// What it answers, but for the time of day behind dates.
pub fn contents(configuration: &Configuration) -> String {
    let rules: Vec<Value> = (1..).zip(&configuration.rules).map(|(position, rule)| of_rule(position, rule)).collect();
    in_ascii(&Value::Array(rules).to_string())
}

fn of_rule(position: usize, rule: &Rule) -> Value {
    let filter = &rule.filter;
    let id = (rule.id != format!("#{position}")).then_some(&rule.id);
    let status = if rule.enabled { "Enabled" } else { "Disabled" };
    let prefix = (!filter.prefix.is_empty()).then_some(&filter.prefix);
    let tags: Vec<_> = filter.tags.iter().collect();
    let (mut days, mut date, mut markers) = (None, None, None);
    let (mut transitions, mut moves) = (Vec::new(), Vec::new());
    let (mut expiration, mut abort) = (Value::Null, Value::Null);
    for action in &rule.actions {
        match action {
            Action::Expiration(When::Days(number)) => days = Some(*number),
            Action::Expiration(When::Date(day)) => date = Some(day.to_string()),
            Action::ExpiredObjectDeleteMarker(is_on) => markers = Some(*is_on),
            Action::Transition { when: When::Days(days), to } => transitions.push(json!([days, null, to])),
            Action::Transition { when: When::Date(day), to } => transitions.push(json!([null, day.to_string(), to])),
            Action::NoncurrentVersionExpiration { days, newer } => expiration = json!([days, given(*newer)]),
            Action::NoncurrentVersionTransition { days, newer, to } => moves.push(json!([days, given(*newer), to])),
            Action::AbortIncompleteMultipartUpload { days } => abort = json!(days),
        }
    }
    let of_current = (days.is_some() || date.is_some() || markers.is_some()).then(|| json!([days, date, markers]));
    let list = |items: Vec<Value>| if items.is_empty() { Value::Null } else { Value::Array(items) };
    let (greater, less) = (filter.size_greater_than, filter.size_less_than);
    let (transitions, moves) = (list(transitions), list(moves));
    json!([id, status, prefix, tags, greater, less, of_current, transitions, expiration, moves, abort])
}

/// A number that S3 does not send where it is 0.
fn given(number: u32) -> Option<u32> {
    (number > 0).then_some(number)
}

/// JSON with everything but printable ASCII escaped.
fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, ' '..='~') {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}
