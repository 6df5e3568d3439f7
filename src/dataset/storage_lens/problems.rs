//! What is wrong with an export and does not keep the rest of it from being read: each kind with how often it was met and
//! an example.

use std::collections::BTreeMap;
use std::fmt;

use super::missing::NoCoverage;
use super::read::PartError;
use crate::storage_lens::place::COVERAGE;

/// Report files that are listed.
const MOST: usize = 20;

/// What is wrong with a row, which is then left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Columns,
    NotText,
    Null,
    OtherVersion,
    OtherConfiguration,
    OtherDate,
    NoAccount,
    NoBucket,
    NoValue,
    /// It counts buckets, and is of one.
    SeveralBuckets,
    /// The bucket has rows that say different things for one metric.
    Contradiction,
}

impl Fault {
    fn words(self) -> &'static str {
        match self {
            Self::Columns => "with another number of columns",
            Self::NotText => "that are no text in UTF-8",
            Self::Null => "with a required column that is null",
            Self::OtherVersion => "of another version than V_1",
            Self::OtherConfiguration => "of another configuration than the manifest's",
            Self::OtherDate => "of another day than the manifest's",
            Self::NoAccount => "whose account is no account id",
            Self::NoBucket => "of a bucket without a name",
            Self::NoValue => "whose value is no number from 0 on",
            Self::SeveralBuckets => "of one bucket that count several",
            Self::Contradiction => "of one bucket and metric that contradict each other",
        }
    }
}

/// How often a fault was met, and the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    pub rows: u64,
    pub example: String,
}

/// All that is wrong with an export and does not keep the rest from being read.
#[derive(Debug, Default)]
pub struct Problems {
    /// By key.
    pub parts: Vec<(String, PartError)>,
    pub rows: BTreeMap<Fault, Met>,
    /// Of an export of ours.
    pub coverage: Option<NoCoverage>,
}

impl Problems {
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.rows.is_empty() && self.coverage.is_none()
    }

    /// A sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let parts = self.parts.iter().take(MOST).map(|(key, error)| format!("report file {key}: {error}"));
        let rest = self.parts.len().saturating_sub(MOST);
        let rest = (rest > 0).then(|| format!("and {rest} more report files"));
        let rows = self.rows.iter().map(|(fault, met)| met.sentence(*fault));
        let coverage = self.coverage.iter().map(|error| format!("{COVERAGE}: {error}"));
        parts.chain(rest).chain(rows).chain(coverage).collect()
    }

    pub fn add(&mut self, fault: Fault, example: impl fmt::Display) {
        let new = || Met { rows: 0, example: shortened(&example.to_string()) };
        self.rows.entry(fault).or_insert_with(new).rows += 1;
    }
}

impl Met {
    fn sentence(&self, fault: Fault) -> String {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        format!("{} {rows} {}, such as {}", self.rows, fault.words(), self.example)
    }
}

fn shortened(text: &str) -> String {
    /// Enough for a bucket with what stands around it.
    const MOST: usize = 120;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain(['…']).collect() }
}
