use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AcceptedControl, Arn, Extra, OrganizationId, Partition, Region, RunId, Sha256Sum, Timestamp, Version};

/// Which reading of the MFA delete requirement holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Standard {
    /// CIS AWS Foundations Benchmark, and the AWS Config rule by itself: a lifecycle configuration is no excuse
    Cis,
    /// Security Hub control S3.20: a bucket with a lifecycle configuration gets no finding for MFA delete
    SecurityHub,
    /// As cis, but a bucket with a control named by --accept-control is waived, with the reason written
    CisWithCompensation,
}

impl Standard {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cis => "cis",
            Self::SecurityHub => "security-hub",
            Self::CisWithCompensation => "cis-with-compensation",
        }
    }
}

/// The options that decide what is read, with their values; a flag has none. Without secrets: of an external id it is
/// said only that there was one.
pub type ScopeOptions = BTreeMap<String, Vec<String>>;

/// What a run was: written into the inventory and every report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    pub start: Timestamp,
    pub end: Timestamp,
    /// When it was taken up again after an interruption.
    pub resumed: Vec<Timestamp>,
    /// It was told to stop, and stopped before everything was read.
    pub interrupted: bool,
    /// The version of bucketlens.
    pub version: Version,
    pub standard: Standard,
    /// What [`Standard::CisWithCompensation`] takes for MFA delete.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted_controls: BTreeSet<AcceptedControl>,
    /// What was asked for, in the words of the command line.
    pub scope: Vec<String>,
    /// What was read of each bucket beside versioning and lifecycle: one more request each.
    #[serde(default)]
    pub extras: BTreeSet<Extra>,
    /// The key of the tag by whose values buckets are grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by_tag: Option<String>,
    /// The Regions that were asked for directory buckets; `None` where nobody asked: then the run says nothing of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory_regions: Option<BTreeSet<Region>>,
    /// `None` where STS did not answer, and for several profiles.
    pub caller_arn: Option<Arn>,
    pub organization_id: Option<OrganizationId>,
    /// `None` where STS did not answer, and for profiles of several partitions.
    pub partition: Option<Partition>,
    /// By how many seconds the clock of AWS was ahead of ours; negative where it was behind. `None` unless AWS refused
    /// a request for that: then requests were signed with AWS's time. The times of the run are those of our clock.
    #[serde(default)]
    pub clock_skew_seconds: Option<i64>,
    /// SHA-256 of the configuration that decides what the report says.
    pub configuration_digest: Sha256Sum,
}

/// Over what a run looked for buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breadth {
    /// The account of its credentials.
    Account,
    /// Those of profiles or of a file.
    Accounts,
    Organization,
}

impl Breadth {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Accounts => "accounts",
            Self::Organization => "organization",
        }
    }
}

impl Run {
    /// From the words of [`Run::scope`].
    pub fn breadth(&self) -> Breadth {
        let count = |start: &str| self.scope.iter().filter(|word| word.starts_with(start)).count();
        match (count("--organization"), count("--accounts-file"), count("--profile=")) {
            (1.., _, _) => Breadth::Organization,
            (0, 1.., _) | (0, 0, 2..) => Breadth::Accounts,
            (0, 0, 0 | 1) => Breadth::Account,
        }
    }

    /// The options that left something out, in the words of [`Run::scope`].
    pub fn filters(&self) -> impl Iterator<Item = &str> {
        const OF_ACCOUNTS: [&str; 4] = ["--account=", "--exclude-account=", "--ou=", "--exclude-ou="];
        let words = self.scope.iter().map(String::as_str);
        words.filter(|word| leaves_out_buckets(word) || OF_ACCOUNTS.iter().any(|filter| word.starts_with(filter)))
    }
}

/// Whether by this word of a scope buckets of accounts that were read may be missing.
pub fn leaves_out_buckets(word: &str) -> bool {
    ["--bucket=", "--region="].iter().any(|filter| word.starts_with(filter))
}

/// How much of what exists was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub accounts: u64,
    pub accounts_complete: u64,
    pub accounts_incomplete: u64,
    pub accounts_failed: u64,
    pub accounts_skipped: u64,
    /// Buckets that were listed and are in the scope.
    pub buckets: u64,
    /// Of these, those of which every fact is known.
    pub buckets_complete: u64,
    /// Those of which at least one fact is unknown.
    pub buckets_unknown: u64,
    /// Those that were gone when they were read.
    pub buckets_vanished: u64,
    /// Directory buckets, of which nothing is read; `None` where nobody asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets_directory: Option<u64>,
    /// HTTP requests sent to AWS by bucketlens, retries included.
    pub requests: u64,
    /// Of these, those that repeated a request.
    pub retries: u64,
    /// Answers that asked for fewer requests.
    pub throttled: u64,
}

impl Coverage {
    /// Whether nothing stayed unknown: no fact, no account.
    pub fn is_complete(&self) -> bool {
        self.buckets_unknown == 0 && self.accounts_failed == 0 && self.accounts_incomplete == 0
    }
}
