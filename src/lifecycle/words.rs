//! Actions and filters in words, for people.

use super::configuration::{Action, Filter, When};
use super::problems;

/// `Transition to GLACIER at 30 days`.
pub fn does(action: &Action) -> String {
    let name = problems::name(action);
    let at = |when: &When| match when {
        When::Days(days) => format!("at {}", days_of(*days)),
        When::Date(date) => format!("on {date}"),
    };
    let keeping = |newer: u32| if newer == 0 { String::new() } else { format!(", keeping the {newer} newest") };
    match action {
        Action::Expiration(when) => format!("{name} {}", at(when)),
        Action::ExpiredObjectDeleteMarker(value) => format!("{name} {value}"),
        Action::Transition { when, to } => format!("{name} to {to} {}", at(when)),
        Action::NoncurrentVersionExpiration { days, newer } => {
            format!("{name} at {}{}", days_of(*days), keeping(*newer))
        }
        Action::NoncurrentVersionTransition { days, newer, to } => {
            format!("{name} to {to} at {}{}", days_of(*days), keeping(*newer))
        }
        Action::AbortIncompleteMultipartUpload { days } => format!("{name} at {}", days_of(*days)),
    }
}

fn days_of(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// `keys that begin with "logs/", tag a=b, larger than 500 bytes`.
pub fn scope(filter: &Filter) -> String {
    // S3's keys have at most 1,024 bytes.
    parts(filter).iter().map(|part| cut(part, 1100)).collect::<Vec<_>>().join(", ")
}

fn cut(part: &str, characters: usize) -> String {
    match part.char_indices().nth(characters) {
        Some((end, _)) => format!("{}...", &part[..end]),
        None => part.to_owned(),
    }
}

/// The same, shortened for a list.
pub fn scope_in_short(filter: &Filter) -> String {
    const PARTS: usize = 3;
    const CHARACTERS: usize = 80;
    let parts = parts(filter);
    let mut named: Vec<String> = parts.iter().take(PARTS).map(|part| cut(part, CHARACTERS)).collect();
    if parts.len() > PARTS {
        named.push(format!("and {} more", parts.len() - PARTS));
    }
    named.join(", ")
}

fn parts(filter: &Filter) -> Vec<String> {
    let mut parts = Vec::new();
    if !filter.prefix.is_empty() {
        parts.push(format!("keys that begin with {:?}", filter.prefix));
    }
    parts.extend(filter.tags.iter().map(|(key, value)| format!("tag {key:?} = {value:?}")));
    parts.extend(filter.size_greater_than.map(|bytes| format!("larger than {bytes} bytes")));
    parts.extend(filter.size_less_than.map(|bytes| format!("smaller than {bytes} bytes")));
    if parts.is_empty() {
        parts.push("all objects".to_owned());
    }
    parts
}
