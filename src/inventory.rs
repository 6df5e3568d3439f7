//! The value between the two halves of the program: everything that was read, on disk.
//!
//! A folder with one append-only segment an account (`<account id>.jsonl`: a header line, a line a bucket as buckets
//! are finished, a closing line with the account's outcome) and `run.json`, written when the run closes. Segments are
//! written by the account's worker and read account by account, so memory is flat in accounts. Every line is flushed
//! within a second and a segment is synced when its account closes. A last line without its end of line was torn by a
//! crash and is dropped; anything else that does not parse is an error.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, AccountRecord, BucketRecord, Coverage, Run};

/// Raised whenever a record changes its shape; another version is refused.
const VERSION: u32 = 2;

const FLUSH_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("failed to write the inventory {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to read the inventory {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the inventory {} is damaged in line {line}: {why}", .path.display())]
    Damaged { path: PathBuf, line: usize, why: String },
    #[error("the inventory {} was written by another version of bucketlens (format {found}, this one reads {VERSION})", .path.display())]
    OtherVersion { path: PathBuf, found: u32 },
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
            Self::Write { source, .. } if source.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => {
                "raise the limit of open files (ulimit -n), or lower --concurrency"
            }
            Self::Write { .. } => "free space, or choose another folder with --out DIR",
            Self::Read { .. } | Self::Damaged { .. } | Self::OtherVersion { .. } => {
                "scan again; nothing else may write to the folder while a scan runs"
            }
        }
    }
}

/// One line of a segment.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Segment { version: u32, account: AccountId },
    Bucket(BucketRecord),
    Closed(AccountRecord),
}

/// What `run.json` holds: the run, what it covered, and the accounts in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub version: u32,
    pub run: Run,
    pub coverage: Coverage,
    pub accounts: Vec<AccountRecord>,
}

/// The folder while it is written.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
}

impl Writer {
    /// Makes the folder; it must not exist.
    pub fn create(folder: &Path) -> Result<Self, InventoryError> {
        fs::create_dir(folder).map_err(|source| write_error(folder, source))?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub fn segment(&self, account: &AccountId) -> Result<Segment, InventoryError> {
        let path = segment_path(&self.folder, account);
        let file = File::create_new(&path).map_err(|source| write_error(&path, source))?;
        let mut segment = Segment { path, file: BufWriter::new(file), flushed: Instant::now(), buckets: 0 };
        segment.append(&Line::Segment { version: VERSION, account: account.clone() })?;
        Ok(segment)
    }

    /// Writes `run.json`: from here on the inventory is complete and can be read.
    pub fn close(
        self,
        run: Run,
        coverage: Coverage,
        accounts: Vec<AccountRecord>,
    ) -> Result<Inventory, InventoryError> {
        let closing = Closing { version: VERSION, run, coverage, accounts };
        let path = self.folder.join("run.json");
        let json = serde_json::to_vec_pretty(&closing).map_err(io::Error::from);
        json.and_then(|json| fs::write(&path, json)).map_err(|source| write_error(&path, source))?;
        Ok(Inventory { folder: self.folder, closing })
    }
}

/// The segment of one account while it is written.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    file: BufWriter<File>,
    flushed: Instant,
    buckets: u64,
}

impl Segment {
    pub fn bucket(&mut self, record: BucketRecord) -> Result<(), InventoryError> {
        self.buckets += 1;
        self.append(&Line::Bucket(record))?;
        if self.flushed.elapsed() >= FLUSH_EVERY { self.flush() } else { Ok(()) }
    }

    /// To be called at least every second while nothing comes.
    pub fn flush(&mut self) -> Result<(), InventoryError> {
        self.flushed = Instant::now();
        self.file.flush().map_err(|source| write_error(&self.path, source))
    }

    pub fn buckets(&self) -> u64 {
        self.buckets
    }

    /// Writes the account's outcome and syncs.
    pub fn close(mut self, record: AccountRecord) -> Result<(), InventoryError> {
        self.append(&Line::Closed(record))?;
        self.flush()?;
        self.file.get_ref().sync_data().map_err(|source| write_error(&self.path, source))
    }

    fn append(&mut self, line: &Line) -> Result<(), InventoryError> {
        serde_json::to_writer(&mut self.file, line)
            .map_err(io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|source| write_error(&self.path, source))
    }
}

/// A closed inventory.
#[derive(Debug)]
pub struct Inventory {
    folder: PathBuf,
    pub closing: Closing,
}

impl Inventory {
    /// Every account that was found, in the order of ids.
    pub fn accounts(&self) -> &[AccountRecord] {
        &self.closing.accounts
    }

    /// The buckets of an account, sorted by name, each once.
    pub fn buckets(&self, account: &AccountRecord) -> Result<Vec<BucketRecord>, InventoryError> {
        let Some(id) = account.id.as_ref().filter(|_| account.buckets > 0) else { return Ok(Vec::new()) };
        let path = segment_path(&self.folder, id);
        let segment = read_segment(&path)?;
        let mut buckets = segment.buckets;
        let found = buckets.len() as u64;
        if !segment.closed || found != account.buckets {
            let why = format!("{found} buckets stand in it where {} were read", account.buckets);
            return Err(InventoryError::Damaged { path, line: segment.lines, why });
        }
        buckets.sort_by(|a, b| a.bucket.cmp(&b.bucket));
        buckets.dedup_by(|a, b| a.bucket == b.bucket);
        Ok(buckets)
    }
}

fn segment_path(folder: &Path, account: &AccountId) -> PathBuf {
    folder.join(format!("{account}.jsonl"))
}

fn write_error(path: &Path, source: io::Error) -> InventoryError {
    InventoryError::Write { path: path.to_owned(), source }
}

/// What a segment holds.
struct Read {
    /// In the order in which they were finished.
    buckets: Vec<BucketRecord>,
    /// Whether the account was closed: nothing was to follow.
    closed: bool,
    lines: usize,
}

fn read_segment(path: &Path) -> Result<Read, InventoryError> {
    let read_error = |source| InventoryError::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(read_error)?);
    let mut read = Read { buckets: Vec::new(), closed: false, lines: 0 };
    let mut text = Vec::new();
    loop {
        text.clear();
        file.read_until(b'\n', &mut text).map_err(read_error)?;
        if text.last() != Some(&b'\n') {
            return Ok(read); // the end, or a torn line
        }
        read.lines += 1;
        let parsed = serde_json::from_slice(&text).map_err(|error| InventoryError::Damaged {
            path: path.to_owned(),
            line: read.lines,
            why: error.to_string(),
        })?;
        match parsed {
            Line::Segment { version: VERSION, .. } => {}
            Line::Closed(_) => read.closed = true,
            Line::Segment { version, .. } => {
                return Err(InventoryError::OtherVersion { path: path.to_owned(), found: version });
            }
            Line::Bucket(record) => read.buckets.push(record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, Facts, OuPath, Outcome, Region, Timestamp};

    fn account() -> Account {
        let id = AccountId::parse("111111111111").expect("12 digits");
        Account { id, name: "a".to_owned(), ou_path: OuPath::default(), state: None }
    }

    fn bucket(name: &str) -> BucketRecord {
        let at = Timestamp::from_unix(1_800_000_000).expect("in range");
        BucketRecord {
            account: account().id,
            region: Region::new("us-east-1"),
            bucket: name.to_owned(),
            facts: Facts::Vanished { at },
        }
    }

    fn written(names: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let writer = Writer::create(&folder.path().join("inventory")).expect("new");
        let mut segment = writer.segment(&account().id).expect("new");
        for name in names {
            segment.bucket(bucket(name)).expect("written");
        }
        let buckets = segment.buckets();
        segment.close(AccountRecord::new(&account(), Outcome::Complete, buckets)).expect("closed");
        let path = folder.path().join("inventory/111111111111.jsonl");
        (folder, path)
    }

    #[test]
    fn what_was_written_is_read() {
        let (_folder, path) = written(&["b", "a"]);
        let read = read_segment(&path).expect("whole");
        assert_eq!(read.buckets, [bucket("b"), bucket("a")]);
        assert!(read.closed);
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
        let (_folder, path) = written(&["b", "a"]);
        let whole = fs::read(&path).expect("readable");
        let ends: Vec<usize> = whole.iter().enumerate().filter_map(|(at, b)| (*b == b'\n').then_some(at + 1)).collect();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("writable");
            let lines = ends.iter().filter(|end| **end <= length).count();
            let expected = lines.saturating_sub(1).min(2); // the first line is the header
            let read = read_segment(&path).expect("torn, not damaged");
            assert_eq!((read.buckets.len(), read.closed), (expected, false), "cut at {length}");
        }
    }

    #[test]
    fn damage_in_the_middle_and_another_version_are_refused() {
        let version = |number: u32| format!("\"version\":{number}");
        let (_folder, path) = written(&["b", "a"]);
        let whole = fs::read_to_string(&path).expect("readable");
        fs::write(&path, whole.replace("\"bucket\":\"b\"", "\"bucket\":b")).expect("writable");
        let damaged = read_segment(&path).err().expect("damaged").to_string();
        assert!(damaged.contains("line 2"), "{damaged}");
        fs::write(&path, whole.replace(&version(VERSION), &version(VERSION + 1))).expect("writable");
        assert!(matches!(read_segment(&path), Err(InventoryError::OtherVersion { found, .. }) if found == VERSION + 1));
    }
}
