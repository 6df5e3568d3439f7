//! The segment of one account while it is written.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{InventoryError, Line, READABLE, VERSION, segment_name};
use crate::model::{AccountId, AccountRecord, BucketRecord, ErrorClass, Facts, Outcome, Region, Timestamp};
use crate::run_folder::{self, Directory, LARGEST_SEGMENT};

const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Where the work on an account begins.
pub enum Begun {
    /// An earlier part of the run read all of it: nothing is left to do.
    Whole(AccountRecord, Tally),
    Open(Segment),
}

/// Buckets by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub complete: u64,
    pub unknown: u64,
    pub vanished: u64,
    pub directory: u64,
}

impl Tally {
    pub fn buckets(&self) -> u64 {
        self.complete + self.unknown + self.vanished + self.directory
    }

    fn of(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Complete => &mut self.complete,
            Kind::Unknown => &mut self.unknown,
            Kind::Vanished => &mut self.vanished,
            Kind::Directory => &mut self.directory,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Complete,
    Unknown,
    Vanished,
    Directory,
}

impl Kind {
    fn of(record: &BucketRecord) -> Self {
        match &record.facts {
            Facts::Vanished { .. } => Self::Vanished,
            Facts::Directory { .. } => Self::Directory,
            Facts::Read { .. } if record.has_unknown() => Self::Unknown,
            Facts::Read { .. } => Self::Complete,
        }
    }
}

/// What earlier parts of the run wrote down of an account.
#[derive(Debug, Default)]
pub struct Earlier {
    buckets: HashMap<Box<str>, Before>,
}

#[derive(Debug)]
struct Before {
    kind: Kind,
    /// The bucket's Region, where it is to be read again.
    again: Option<Region>,
}

impl Earlier {
    pub fn has(&self, bucket: &str) -> bool {
        self.buckets.contains_key(bucket)
    }

    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// What is to be read again, in no order.
    pub fn again(&self) -> impl Iterator<Item = (&str, &Region)> {
        self.stale().filter(|(_, kind, _)| *kind != Kind::Directory).map(|(name, _, region)| (name, region))
    }

    /// Directory buckets that are to be listed again, in no order: nothing else is read of them.
    pub fn directories_again(&self) -> impl Iterator<Item = (&str, &Region)> {
        self.stale().filter(|(_, kind, _)| *kind == Kind::Directory).map(|(name, _, region)| (name, region))
    }

    pub fn is_directory(&self, bucket: &str) -> bool {
        self.buckets.get(bucket).is_some_and(|before| before.kind == Kind::Directory)
    }

    fn stale(&self) -> impl Iterator<Item = (&str, Kind, &Region)> {
        self.buckets.iter().filter_map(|(name, before)| Some((&**name, before.kind, before.again.as_ref()?)))
    }
}

/// Whether an interrupted run would still have asked: for what is older than the run may use, and for what failed and
/// was no denial.
fn is_missing(record: &BucketRecord, oldest: Option<Timestamp>) -> bool {
    let failed = record.facts.reasons().any(|reason| reason.class != ErrorClass::Denied);
    failed || oldest.is_some_and(|oldest| record.observed_at() <= oldest)
}

#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    file: BufWriter<File>,
    flushed: Instant,
    earlier: Arc<Earlier>,
    tally: Tally,
}

impl Segment {
    /// Opens the account's segment, which may have lines of an earlier part of the run; a torn one is cut off.
    pub(super) fn open(
        folder: &Directory,
        account: &AccountId,
        oldest: Option<Timestamp>,
    ) -> Result<Begun, InventoryError> {
        let name = segment_name(account);
        let path = folder.path().join(&name);
        let write_error = |source| InventoryError::write(&path, source);
        let mut file = folder.writable(&name).map_err(write_error)?;
        let mut read = read(&path, &file, account, oldest)?;
        if let Some(record) = read.whole(oldest) {
            return Ok(Begun::Whole(record, read.tally));
        }
        file.set_len(read.length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(write_error)?;
        let mut segment = Self {
            file: BufWriter::new(file),
            path,
            flushed: Instant::now(),
            earlier: Arc::new(read.earlier),
            tally: read.tally,
        };
        if read.length == 0 {
            segment.append(&Line::Segment { version: VERSION, account: account.clone() })?;
        }
        Ok(Begun::Open(segment))
    }

    pub fn earlier(&self) -> &Arc<Earlier> {
        &self.earlier
    }

    /// All buckets of the account so far, each once.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Takes the place of what was said of the bucket by an earlier part of the run.
    pub fn bucket(&mut self, record: BucketRecord) -> Result<(), InventoryError> {
        self.forget(&record.bucket);
        *self.tally.of(Kind::of(&record)) += 1;
        self.append(&Line::Bucket(record))?;
        if self.flushed.elapsed() >= FLUSH_EVERY { self.flush() } else { Ok(()) }
    }

    /// The bucket is in no row, whatever was said of it by an earlier part of the run.
    pub fn out_of_scope(&mut self, bucket: String) -> Result<(), InventoryError> {
        if self.earlier.has(&bucket) {
            self.forget(&bucket);
            self.append(&Line::OutOfScope { bucket })?;
        }
        Ok(())
    }

    fn forget(&mut self, bucket: &str) {
        if let Some(before) = self.earlier.buckets.get(bucket) {
            *self.tally.of(before.kind) -= 1;
        }
    }

    /// To be called at least every second while nothing comes.
    pub fn flush(&mut self) -> Result<(), InventoryError> {
        self.flushed = Instant::now();
        // A file that was removed takes what is written, and nobody ever sees it.
        let written = self.file.flush().and_then(|()| run_folder::check_there(self.file.get_ref()));
        written.map_err(|source| InventoryError::write(&self.path, source))
    }

    /// Writes the account's outcome and syncs. `entered` is when the account was.
    pub fn close(mut self, entered: Timestamp, record: AccountRecord) -> Result<(), InventoryError> {
        self.append(&Line::Closed { at: entered, account: record })?;
        self.flush()?;
        self.file.get_ref().sync_data().map_err(|source| InventoryError::write(&self.path, source))
    }

    fn append(&mut self, line: &Line) -> Result<(), InventoryError> {
        serde_json::to_writer(&mut self.file, line)
            .map_err(io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|source| InventoryError::write(&self.path, source))
    }
}

/// What a segment holds when a run goes on.
struct Read {
    earlier: Earlier,
    tally: Tally,
    /// When the account was entered and what became of it, where nothing follows.
    closed: Option<(Timestamp, AccountRecord)>,
    /// How many bytes are whole lines that are believed.
    length: u64,
}

impl Read {
    /// The account, where nothing of it is left to do.
    fn whole(&mut self, oldest: Option<Timestamp>) -> Option<AccountRecord> {
        let (_, record) = self.closed.take_if(|(at, record)| {
            *record.outcome() == Outcome::Complete
                && record.buckets == self.tally.buckets()
                && oldest.is_none_or(|oldest| *at > oldest)
                && self.earlier.stale().next().is_none()
        })?;
        Some(record)
    }
}

/// Whether nothing of the account is left to do.
pub(super) fn is_whole(folder: &Directory, account: &AccountId) -> Result<bool, InventoryError> {
    let name = segment_name(account);
    let path = folder.path().join(&name);
    match folder.file(&name) {
        Ok(file) => Ok(read(&path, &file, account, None)?.whole(None).is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(InventoryError::read(&path, error)),
    }
}

fn read(path: &Path, file: &File, account: &AccountId, oldest: Option<Timestamp>) -> Result<Read, InventoryError> {
    run_folder::check_size(file, LARGEST_SEGMENT).map_err(|source| InventoryError::read(path, source))?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    let mut read = Read { earlier: Earlier::default(), tally: Tally::default(), closed: None, length: 0 };
    let mut text = Vec::new();
    loop {
        run_folder::read_line(&mut file, &mut text).map_err(|source| InventoryError::read(path, source))?;
        if text.is_empty() {
            break;
        }
        let line = if text.ends_with(b"\n") { serde_json::from_slice(&text).ok() } else { None };
        match (line, read.length) {
            (Some(Line::Segment { version, .. }), _) if !READABLE.contains(&version) => {
                return Err(InventoryError::OtherVersion { path: path.to_owned(), found: version });
            }
            (Some(Line::Segment { account: found, .. } | Line::Bucket(BucketRecord { account: found, .. })), _)
                if found != *account =>
            {
                return Err(InventoryError::OtherAccount { path: path.to_owned(), found });
            }
            (Some(Line::Segment { .. }), 0) => {}
            // A crash can tear the last line and, where the machine lost its power, leave what is no line at all.
            (Some(Line::Segment { .. }) | None, _) | (Some(_), 0) => {
                tracing::warn!(path = %path.display(), "the end of the journal is torn; it is read from AWS again");
                break;
            }
            (Some(Line::Bucket(record)), _) => {
                read.closed = None;
                let again = is_missing(&record, oldest).then(|| record.region.clone());
                let before = Before { kind: Kind::of(&record), again };
                read.earlier.buckets.insert(record.bucket.into_boxed_str(), before);
            }
            (Some(Line::OutOfScope { bucket }), _) => {
                read.closed = None;
                read.earlier.buckets.remove(bucket.as_str());
            }
            (Some(Line::Closed { at, account }), _) => read.closed = Some((at, account)),
        }
        read.length += text.len() as u64;
    }
    for before in read.earlier.buckets.values() {
        *read.tally.of(before.kind) += 1;
    }
    Ok(read)
}
