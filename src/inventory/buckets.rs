//! A closed inventory, and how its buckets are read: in the order of their names, one at a time.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::vec;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use sha2::{Digest, Sha256};

use super::{Closing, InventoryError, Line, Opening, READABLE, RUN, START, digest, is_apple_double, segment_name};
use crate::model::{AccountId, AccountRecord, BucketRecord};
use crate::run_folder::{self, Directory, LARGEST_RECORD, LARGEST_SEGMENT};

/// A closed inventory.
#[derive(Debug)]
pub struct Inventory {
    folder: Directory,
    pub closing: Closing,
}

impl Inventory {
    pub(super) fn new(folder: Directory, closing: Closing) -> Self {
        Self { folder, closing }
    }

    /// What a run left behind that came to its end; interrupted runs did too.
    pub fn open(folder: Directory) -> Result<Self, InventoryError> {
        let path = folder.path().join(RUN);
        let closing = parse::<Closing>(&path, &text(&folder, RUN)?)?.check(&path)?;
        if digest::of_file(&folder, START)? != closing.start_sha256 {
            return Err(InventoryError::Altered { path: folder.path().join(START) });
        }
        Ok(Self::new(folder, closing))
    }

    /// How the run began.
    pub fn opening(&self) -> Result<Opening, InventoryError> {
        let path = self.folder.path().join(START);
        let text = text(&self.folder, START)?;
        let opening = parse::<Opening>(&path, &text)?;
        if digest::of(&text) == self.closing.start_sha256 { Ok(opening) } else { Err(InventoryError::Altered { path }) }
    }

    /// Files beside the segments that are named like one, sorted by name: no account of the run has them, and nothing of them
    /// is read.
    pub fn strangers(&self) -> Result<Vec<PathBuf>, InventoryError> {
        let accounts = self.closing.accounts.iter().filter_map(|account| account.id.as_ref());
        let segments: HashSet<OsString> = accounts.map(|id| segment_name(id).into()).collect();
        let entries = self.folder.entries();
        let entries = entries.map_err(|source| InventoryError::read(self.folder.path(), source))?;
        let names = entries.into_iter().map(|entry| entry.name).filter(|name| !segments.contains(name));
        let is_named = |name: &OsString| Path::new(name).extension().is_some_and(|extension| extension == "jsonl");
        let names = names.filter(|name| is_named(name) && !is_apple_double(name));
        Ok(names.map(|name| self.folder.path().join(name)).collect())
    }

    pub fn folder(&self) -> &Directory {
        &self.folder
    }

    /// Every account that was found, in the order of ids.
    pub fn accounts(&self) -> &[AccountRecord] {
        &self.closing.accounts
    }

    /// Holds every segment against its digest, each read once from one end to the other: for who uses it late, and wants to
    /// know before.
    pub fn verify(&self) -> Result<(), InventoryError> {
        for account in self.accounts().iter().filter(|account| account.buckets > 0) {
            let Some(id) = &account.id else { continue };
            let name = segment_name(id);
            if self.closing.segments_sha256.get(id) != Some(&digest::of_file(&self.folder, &name)?) {
                return Err(InventoryError::Altered { path: self.folder.path().join(name) });
            }
        }
        Ok(())
    }

    /// The buckets of an account, sorted by name, each once. The whole segment is held against its digest before the first.
    pub fn buckets(&self, account: &AccountRecord) -> Result<Buckets, InventoryError> {
        let Some(id) = account.id.as_ref().filter(|_| account.buckets > 0) else {
            return Ok(Buckets { path: PathBuf::new(), source: None, text: Vec::new() });
        };
        let name = segment_name(id);
        let path = self.folder.path().join(&name);
        let opened = self.folder.file(&name).and_then(|file| {
            run_folder::check_size(&file, LARGEST_SEGMENT)?;
            Ok(file)
        });
        let mut file = BufReader::new(opened.map_err(|source| InventoryError::read(&path, source))?);
        let (index, sha256) = index(&path, &mut file, account.buckets)?;
        if self.closing.segments_sha256.get(id) != Some(&sha256) {
            return Err(InventoryError::Altered { path });
        }
        // The index was read to the end of the file.
        let at = io::Seek::stream_position(&mut file).map_err(|source| InventoryError::read(&path, source))?;
        Ok(Buckets {
            source: Some(Source { account: id.clone(), file, at, index: index.into_iter() }),
            path,
            text: Vec::new(),
        })
    }
}

fn text(folder: &Directory, name: &str) -> Result<Vec<u8>, InventoryError> {
    folder.read(name, LARGEST_RECORD).map_err(|source| InventoryError::read(&folder.path().join(name), source))
}

/// A file of JSON, whose version is looked at before anything else is.
fn parse<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, InventoryError> {
    #[derive(Deserialize)]
    struct Outer {
        version: u32,
    }
    match from_json(path, text)? {
        Outer { version } if READABLE.contains(&version) => from_json(path, text),
        Outer { version } => Err(InventoryError::OtherVersion { path: path.to_owned(), found: version }),
    }
}

/// What a whole file of JSON holds; what cannot be understood is told with the field in which it stands.
pub(super) fn from_json<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, InventoryError> {
    understood(text).map_err(|(line, why)| InventoryError::Damaged { path: path.to_owned(), line, why })
}

/// With the line and the reason where it cannot be understood.
fn understood<T: DeserializeOwned>(text: &[u8]) -> Result<T, (usize, String)> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (field, inner) = (error.path().to_string(), error.inner());
        let field = if inner.is_data() && field != "." { format!("{field}: ") } else { String::new() };
        (inner.line(), format!("{field}{inner}"))
    });
    read.and_then(|value| json.end().map(|()| value).map_err(|error| (error.line(), error.to_string())))
}

/// See [`Inventory::buckets`]. Only the names are in memory.
#[derive(Debug)]
pub struct Buckets {
    path: PathBuf,
    source: Option<Source>,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Source {
    account: AccountId,
    file: BufReader<File>,
    /// Where the file is read next.
    at: u64,
    index: vec::IntoIter<Place>,
}

impl Source {
    fn line(&mut self, at: u64, text: &mut Vec<u8>) -> io::Result<()> {
        // Buckets are finished nearly in the order of their names: most lines stand in the buffer already.
        self.file.seek_relative(at.cast_signed() - self.at.cast_signed())?;
        self.at = at + run_folder::read_line(&mut self.file, text)? as u64;
        Ok(())
    }
}

impl Iterator for Buckets {
    type Item = Result<BucketRecord, InventoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let source = self.source.as_mut()?;
        let place = source.index.next()?;
        if let Err(error) = source.line(place.at?, &mut self.text) {
            return Some(Err(InventoryError::read(&self.path, error)));
        }
        let why = match serde_json::from_slice(&self.text) {
            Ok(Line::Bucket(record)) if record.account != source.account => {
                return Some(Err(InventoryError::OtherAccount { path: self.path.clone(), found: record.account }));
            }
            Ok(Line::Bucket(record)) => return Some(Ok(record)),
            Ok(Line::Segment { .. } | Line::OutOfScope { .. } | Line::Closed { .. }) => "no bucket".to_owned(),
            // Read once more: to keep the path of a field in mind takes time.
            Err(error) => understood::<Line>(&self.text).err().map_or_else(|| error.to_string(), |(_, why)| why),
        };
        Some(Err(InventoryError::Damaged { path: self.path.clone(), line: place.line, why }))
    }
}

/// Where the last line of a bucket stands.
#[derive(Debug)]
struct Place {
    bucket: Box<str>,
    /// `None` where it says that the bucket is not in the scope.
    at: Option<u64>,
    line: usize,
}

/// What the index needs to know of a line.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outline<'a> {
    Segment {
        version: u32,
    },
    Bucket {
        #[serde(borrow)]
        bucket: Cow<'a, str>,
    },
    OutOfScope {
        #[serde(borrow)]
        bucket: Cow<'a, str>,
    },
    Closed(IgnoredAny),
}

/// The places of the account's buckets, sorted by name, and the digest of the file. There must be as many as were read.
fn index(path: &Path, file: &mut BufReader<File>, buckets: u64) -> Result<(Vec<Place>, String), InventoryError> {
    let (mut places, mut closed): (Vec<Place>, _) = (Vec::new(), false);
    let (mut at, mut line) = (0, 0);
    let (mut text, mut sha256) = (Vec::new(), Sha256::new());
    loop {
        let length = run_folder::read_line(file, &mut text).map_err(|source| InventoryError::read(path, source))?;
        sha256.update(&text);
        if text.last() != Some(&b'\n') {
            break; // the end, or a torn line
        }
        line += 1;
        let place = |bucket: Cow<'_, str>, at| Place { bucket: bucket.into(), at, line };
        closed = false;
        match serde_json::from_slice(&text) {
            Ok(Outline::Segment { version }) if READABLE.contains(&version) => {}
            Ok(Outline::Segment { version }) => {
                return Err(InventoryError::OtherVersion { path: path.to_owned(), found: version });
            }
            Ok(Outline::Bucket { bucket }) => places.push(place(bucket, Some(at))),
            Ok(Outline::OutOfScope { bucket }) => places.push(place(bucket, None)),
            Ok(Outline::Closed(_)) => closed = true,
            Err(error) => {
                return Err(InventoryError::Damaged { path: path.to_owned(), line, why: error.to_string() });
            }
        }
        at += length as u64;
    }
    // The sort keeps the order of equal names: the last of them counts.
    places.sort_by(|a, b| a.bucket.cmp(&b.bucket));
    places.dedup_by(|later, kept| {
        let same = later.bucket == kept.bucket;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    places.retain(|place| place.at.is_some());
    let found = places.len() as u64;
    if !closed || found != buckets {
        let why = format!("{found} buckets stand in it where {buckets} were read");
        return Err(InventoryError::Damaged { path: path.to_owned(), line, why });
    }
    Ok((places, digest::finished(sha256)))
}
