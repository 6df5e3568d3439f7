//! The value between the two halves of the program: everything that was read, on disk; and, while it is written, the
//! journal from which a run that was interrupted goes on.
//!
//! A folder with
//! - `start.json`: how the run began and, once discovery is through, what it found ([`Opening`]). It is on the disk
//!   before the first account is entered; a folder without it has no record of its run and cannot be resumed;
//! - one append-only segment an account (`<account id>.jsonl`): a header line, a line a bucket as buckets are
//!   finished, a closing line with the account's outcome. Lines are flushed within a second and a segment is synced
//!   when its account closes. A run that goes on appends: the later line of a bucket replaces the earlier, and what
//!   counts is the last closing line;
//! - `run.json` ([`Closing`]), written when the run closes, with the SHA-256 of all other files that reports are made from
//!   and of itself: whoever reads an inventory notices what was altered after the run, by hand or by a disk.
//!
//! Segments are written by the account's worker and read account by account, a bucket at a time: memory grows with
//! the names of one account's buckets and with nothing else. A last line without its end of line was torn by a crash
//! and is dropped, and cut off before anything is appended; anything else that does not parse is an error to who
//! reads, and the end of what is believed to who goes on (it is read from AWS again).
//!
//! **The seam for sharding** is here: accounts never share a segment, so a run can be split by account, each part
//! with the run id, scope and start of one [`Opening`]; the parts' segments in one folder are the whole.

mod buckets;
mod digest;
mod segment;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{
    AcceptedControl, Account, AccountId, AccountRecord, Arn, BucketRecord, Coverage, OrganizationId, Partition, Run,
    RunId, ScopeOptions, Standard, Timestamp,
};
use crate::run_folder::Refused;

pub use buckets::{Buckets, Inventory};
pub use segment::{Begun, Earlier, Segment, Tally};
pub use writer::{Finished, RUN, START, Writer};

/// Raised whenever a record changes its shape.
const VERSION: u32 = 5;

/// The versions that are read; others are refused. Format 3 has no gaps of directory buckets by themselves: they are part of what
/// became of the account. Format 4 has no default event holds.
const READABLE: RangeInclusive<u32> = 3..=VERSION;

#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("failed to write the inventory {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to read the inventory {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the inventory {} is damaged in line {line}: {why}", .path.display())]
    Damaged { path: PathBuf, line: usize, why: String },
    #[error("the inventory {} was altered after its run: its SHA-256 is not that in run.json", .path.display())]
    Altered { path: PathBuf },
    #[error("the inventory {} was written by another version of bucketlens (format {found}, this one reads {} to {})", .path.display(), READABLE.start(), READABLE.end())]
    OtherVersion { path: PathBuf, found: u32 },
    #[error("the inventory {} holds what was read of another account ({found})", .path.display())]
    OtherAccount { path: PathBuf, found: AccountId },
    #[error("the inventory {} was begun in {began}, and these credentials are those of {now}", .path.display())]
    OtherCaller { path: PathBuf, began: String, now: String },
}

impl InventoryError {
    /// The program ended before the account was closed.
    pub fn ended(account: &AccountId, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Write { path: PathBuf::from(format!("{account}.jsonl")), source: io::Error::other(why) }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        /// `EMFILE`: a file is open for each account, and a connection for each request in flight.
        const TOO_MANY_OPEN_FILES: i32 = 24;
        match self {
            Self::Write { source, .. } | Self::Read { source, .. } if Refused::is(source) => {
                "check who can write to this folder; nothing was read from this file or written to it"
            }
            Self::Write { source, .. } if source.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => {
                "raise the limit of open files (ulimit -n), or lower --concurrency; then go on with --resume DIR"
            }
            Self::Write { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "the folder was removed while the run wrote to it: scan again"
            }
            Self::Write { .. } => {
                "free space and go on with --resume DIR, or scan into another folder with --out DIR; what was written \
                 so far is kept"
            }
            Self::Read { .. } | Self::Damaged { .. } => {
                "go on with --resume DIR, which reads again what is missing; nothing else may write to the folder \
                 while a scan runs"
            }
            Self::Altered { .. } => {
                "put the file back as the run left it, or scan again: reports are made only of what was read from AWS"
            }
            Self::OtherAccount { .. } => {
                "put each account's file under its own name, or remove this one and go on with --resume DIR, which reads \
                 the account again"
            }
            Self::OtherVersion { .. } => "scan again, into this folder or another with --out DIR",
            Self::OtherCaller { .. } => {
                "go on with the credentials with which the run was begun, or start another with --out DIR"
            }
        }
    }

    fn write(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Write { path: path.to_owned(), source: source.into() }
    }

    fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

/// What `start.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub run_id: RunId,
    pub start: Timestamp,
    /// When the run was resumed.
    pub resumed: Vec<Timestamp>,
    pub standard: Standard,
    /// Empty in a run of an older version, and by other standards.
    #[serde(default)]
    pub accepted_controls: BTreeSet<AcceptedControl>,
    pub scope: ScopeOptions,
    /// `None` until discovery is through.
    pub found: Option<Found>,
}

/// What discovery found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// `None` where STS did not answer, and for several profiles.
    pub caller_arn: Option<Arn>,
    pub organization_id: Option<OrganizationId>,
    pub partition: Option<Partition>,
    /// Names of organizational units by id, as far as they could be read; none in an inventory of an older version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unit_names: BTreeMap<String, String>,
    /// The accounts that are to be read.
    pub accounts: Vec<Account>,
}

/// One line of a segment.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Segment {
        version: u32,
        account: AccountId,
    },
    Bucket(BucketRecord),
    /// The bucket turned out not to be in the scope: what was said of it before is void.
    OutOfScope {
        bucket: String,
    },
    Closed {
        /// When the account was entered: its list of buckets is no older.
        at: Timestamp,
        account: AccountRecord,
    },
}

/// What `run.json` holds: the run, what it covered, and the accounts in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub version: u32,
    pub run: Run,
    pub coverage: Coverage,
    pub accounts: Vec<AccountRecord>,
    /// Of `start.json`; like all here in lower-case hexadecimal digits.
    start_sha256: String,
    /// Of the segments of accounts that have buckets.
    segments_sha256: BTreeMap<AccountId, String>,
    /// Of this record as compact JSON, with this text empty.
    sha256: String,
}

/// Whether it is one of the files (`._NAME`) that macOS puts beside others where a file system has no room for their
/// attributes.
pub fn is_apple_double(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"._")
}

fn segment_name(account: &AccountId) -> String {
    format!("{account}.jsonl")
}

#[cfg(test)]
mod tests;
