//! Grouping by the value of a tag.
//!
//! A bucket's own tag decides; a bucket that is known to have none is in the group of its account's tag, where the
//! accounts' tags were read. What could not be read may hold the tag: then the group is unknown, not "none".

use std::borrow::Cow;

use super::Interned;
use crate::model::{AccountRecord, BucketRecord, Facts, Observed};

/// More values than these are one group: memory must not grow with the buckets where each has a value of its own.
const VALUES: usize = 10_000;

/// The words of groups that are no value. AWS allows no parenthesis in a tag, other servers do: see [`value_word`].
const NONE: &str = "(none)";
const UNKNOWN: &str = "(unknown)";
const EMPTY: &str = "(empty)";
const MORE: &str = "(more values)";

/// Which bucket has which value.
pub(super) struct Tag {
    key: String,
    values: Interned<String>,
    limit: usize,
}

impl Tag {
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), values: Interned::default(), limit: VALUES }
    }

    #[cfg(test)]
    pub fn with_limit(key: &str, limit: usize) -> Self {
        Self { limit, ..Self::new(key) }
    }

    /// The number of the bucket's group.
    pub fn index(&mut self, account: &AccountRecord, record: &BucketRecord) -> u32 {
        let group = group(&self.key, account, record);
        let is_known = self.values.find(&*group).is_some();
        let is_value = ![NONE, UNKNOWN].contains(&&*group);
        let group = if is_value && !is_known && self.values.len() >= self.limit { MORE } else { &group };
        self.values.index(group)
    }

    pub fn word(&self, index: u32) -> &str {
        self.values.get(index)
    }
}

fn group<'a>(key: &str, account: &'a AccountRecord, record: &'a BucketRecord) -> Cow<'a, str> {
    let Facts::Read { extras, .. } = &record.facts else { return UNKNOWN.into() };
    let Some(tags) = extras.tags.as_ref().and_then(|fact| fact.known()) else { return UNKNOWN.into() };
    let own = tags.0.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str());
    match (own, &account.tag) {
        (Some(value), _) => value_word(value),
        (None, None | Some(Observed::Known(None))) => NONE.into(),
        (None, Some(Observed::Known(Some(value)))) => value_word(value),
        (None, Some(Observed::Unknown(_))) => UNKNOWN.into(),
    }
}

/// A value that could be taken for a group that is none has `\` before it; so has one that begins with that sign, or two
/// values would be one.
fn value_word(value: &str) -> Cow<'_, str> {
    match value.chars().next() {
        None => EMPTY.into(),
        Some('(' | '\\') => format!("\\{value}").into(),
        Some(_) => value.into(),
    }
}
