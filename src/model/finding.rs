use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{AccountId, Region, Timestamp};

/// How bad a finding is: bucketlens's own scale. A standard's own severity stands beside the standard's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Requirements decide a bucket's status; advisories inform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Requirement,
    Advisory,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requirement => "requirement",
            Self::Advisory => "advisory",
        }
    }
}

/// What came of a rule for a bucket. The order is that in which the worst decides a bucket's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Fail,
    Unknown,
    /// Failed and excused, with the reason written.
    Waived,
    Pass,
    NotApplicable,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Waived => "waived",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// What a rule says of a bucket. Only those that fail, are unknown or are waived are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub account: AccountId,
    pub region: Region,
    pub bucket: String,
    /// The rule's id; its words stand in `rules::ALL`.
    pub rule: &'static str,
    pub kind: Kind,
    pub status: Status,
    pub severity: Severity,
    pub evidence: Cow<'static, str>,
    pub observed_at: Timestamp,
}
