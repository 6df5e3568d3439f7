//! What an export says of each bucket, in order, however many buckets there are and however their rows were mixed:
//! what does not fit into memory is sorted piece by piece into temporary files, which are merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use crate::storage_lens::Metric;

/// Bytes that are kept in memory before they are sorted and written.
const IN_MEMORY: usize = 32 << 20;

/// Bytes of an entry, but for monstrous ones.
const LONGEST: usize = 64 << 10;

/// By what buckets are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Account, Region, name.
    Region,
    /// Account, name, Region.
    Name,
    /// Name, account, Region.
    Bucket,
}

/// What an export says of a bucket, or of an account in a Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub account: String,
    pub region: String,
    /// Empty where it is of the account.
    pub bucket: String,
    /// By [`Metric::index`]; `None` where it has no row.
    pub values: [Option<u64>; Metric::COUNT],
    /// Metrics for which it has rows that contradict each other; they have no value.
    pub contradicted: Vec<Metric>,
}

/// Takes rows in any order.
#[derive(Debug)]
pub struct Sorter {
    order: Order,
    /// The bucket whose rows are coming: most exports have them one behind the other.
    current: Option<Entry>,
    /// Encoded entries, one behind the other, and where each begins.
    arena: Vec<u8>,
    places: Vec<usize>,
    runs: Vec<File>,
    in_memory: usize,
}

/// A bucket with some of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: Vec<u8>,
    values: Vec<(u8, u64)>,
}

impl Sorter {
    pub fn new(order: Order) -> Self {
        Self::with_memory(order, IN_MEMORY)
    }

    pub(super) fn with_memory(order: Order, in_memory: usize) -> Self {
        // With room for the entry that makes it full: growing would double it.
        let arena = Vec::with_capacity(in_memory + LONGEST);
        Self { order, current: None, arena, places: Vec::new(), runs: Vec::new(), in_memory }
    }

    /// A row that speaks of a bucket, or with an empty name of the account; `value`: what it says, where it is about
    /// settings.
    pub fn push(&mut self, account: &str, region: &str, bucket: &str, value: Option<(Metric, u64)>) -> io::Result<()> {
        let parts = match self.order {
            Order::Region => [account, region, bucket],
            Order::Name => [account, bucket, region],
            Order::Bucket => [bucket, account, region],
        };
        let entry = match &mut self.current {
            Some(entry) if is_key(&entry.key, parts) => entry,
            _ => {
                self.close()?;
                // No name has this byte: it is below all others, so that keys sort as their parts do.
                self.current.insert(Entry { key: parts.join("\0").into_bytes(), values: Vec::new() })
            }
        };
        if let Some((metric, value)) = value {
            let said = (u8::try_from(metric.index()).expect("20 metrics"), value);
            if !entry.values.contains(&said) {
                entry.values.push(said);
            }
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(entry) = self.current.take() else { return Ok(()) };
        self.places.push(self.arena.len());
        entry.write(&mut self.arena)?;
        if self.arena.len() < self.in_memory { Ok(()) } else { self.spill() }
    }

    /// Sorts what is in memory, and makes a file of it.
    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for place in &self.places {
            file.write_all(encoded(&self.arena[*place..]))?;
        }
        self.runs.push(file.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.arena.clear();
        self.places.clear();
        Ok(())
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.places.sort_by(|a, b| key(&arena[*a..]).cmp(key(&arena[*b..])));
    }

    /// No more rows come.
    pub fn finish(mut self) -> io::Result<Sorted> {
        self.close()?;
        if self.runs.is_empty() {
            self.sort();
        } else if !self.places.is_empty() {
            self.spill()?;
        }
        Ok(Sorted { order: self.order, arena: self.arena, places: self.places, runs: self.runs })
    }
}

fn is_key(key: &[u8], parts: [&str; 3]) -> bool {
    let [a, b, c] = parts.map(str::as_bytes);
    let length = a.len() + b.len() + c.len() + 2;
    let separated = || key[a.len()] == 0 && key[a.len() + 1 + b.len()] == 0;
    key.len() == length && separated() && key.starts_with(a) && key[a.len() + 1..].starts_with(b) && key.ends_with(c)
}

impl Entry {
    /// The lengths of key and values in two bytes each, the key, the values.
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let short = |length: usize| {
            u16::try_from(length).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a name is too long"))
        };
        out.extend(short(self.key.len())?.to_le_bytes());
        out.extend(short(self.values.len())?.to_le_bytes());
        out.extend(&self.key);
        for (metric, value) in &self.values {
            out.push(*metric);
            out.extend(value.to_le_bytes());
        }
        Ok(())
    }

    /// `None` at the end.
    fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; HEAD];
        match from.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let (key, values) = lengths(&head);
        let mut bytes = vec![0; key + values * VALUE];
        from.read_exact(&mut bytes)?;
        let values = bytes[key..].chunks_exact(VALUE).map(|said| {
            let value = said[1..].try_into().expect("eight bytes");
            (said[0], u64::from_le_bytes(value))
        });
        let values = values.collect();
        bytes.truncate(key);
        Ok(Some(Self { key: bytes, values }))
    }
}

const HEAD: usize = 4;
const VALUE: usize = 9;

fn lengths(entry: &[u8]) -> (usize, usize) {
    let short = |at: usize| usize::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
    (short(0), short(2))
}

fn key(entry: &[u8]) -> &[u8] {
    &entry[HEAD..HEAD + lengths(entry).0]
}

fn encoded(entry: &[u8]) -> &[u8] {
    let (key, values) = lengths(entry);
    &entry[..HEAD + key + values * VALUE]
}

/// All buckets of an export. Can be gone through as often as need be, one pass at a time.
#[derive(Debug)]
pub struct Sorted {
    order: Order,
    arena: Vec<u8>,
    places: Vec<usize>,
    runs: Vec<File>,
}

impl Sorted {
    pub fn buckets(&self) -> io::Result<Buckets<'_>> {
        Ok(Buckets(self.entries()?))
    }

    /// What is said of accounts, too: before what is said of the buckets of the same account and, by Region, Region.
    pub(super) fn entries(&self) -> io::Result<Entries<'_>> {
        let mut sources: Vec<Source<'_>> = Vec::new();
        for mut run in &self.runs {
            run.seek(SeekFrom::Start(0))?;
            sources.push(Source::File(BufReader::new(run)));
        }
        if self.runs.is_empty() {
            sources.push(Source::Memory { arena: &self.arena, places: self.places.iter() });
        }
        let mut heads = BinaryHeap::new();
        for (index, source) in sources.iter_mut().enumerate() {
            heads.extend(source.next()?.map(|entry| Reverse((entry.key, index, entry.values))));
        }
        Ok(Entries { order: self.order, sources, heads })
    }
}

enum Source<'a> {
    File(BufReader<&'a File>),
    Memory { arena: &'a [u8], places: std::slice::Iter<'a, usize> },
}

impl Source<'_> {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        match self {
            Self::File(file) => Entry::read(file),
            Self::Memory { arena, places } => match places.next() {
                Some(place) => Entry::read(&mut encoded(&arena[*place..])),
                None => Ok(None),
            },
        }
    }
}

/// The key of an entry, the number of its source, its values.
type Head = (Vec<u8>, usize, Vec<(u8, u64)>);

/// See [`Sorted::buckets`].
pub struct Buckets<'a>(Entries<'a>);

impl Iterator for Buckets<'_> {
    type Item = io::Result<Said>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find(|said| said.as_ref().map_or(true, |said| !said.bucket.is_empty()))
    }
}

/// See [`Sorted::entries`].
pub(super) struct Entries<'a> {
    order: Order,
    sources: Vec<Source<'a>>,
    /// The first entry of each source.
    heads: BinaryHeap<Reverse<Head>>,
}

impl Entries<'_> {
    fn pop(&mut self) -> io::Result<Option<Entry>> {
        let Some(Reverse((key, index, values))) = self.heads.pop() else { return Ok(None) };
        let next = self.sources[index].next()?;
        self.heads.extend(next.map(|entry| Reverse((entry.key, index, entry.values))));
        Ok(Some(Entry { key, values }))
    }

    fn entry(&mut self) -> io::Result<Option<Said>> {
        let Some(mut entry) = self.pop()? else { return Ok(None) };
        while self.heads.peek().is_some_and(|Reverse((key, ..))| *key == entry.key) {
            entry.values.extend(self.pop()?.into_iter().flat_map(|same| same.values));
        }
        Ok(Some(said(self.order, &entry)))
    }
}

impl Iterator for Entries<'_> {
    type Item = io::Result<Said>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entry().transpose()
    }
}

fn said(order: Order, entry: &Entry) -> Said {
    let text = String::from_utf8_lossy(&entry.key);
    let mut parts = text.split('\0').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let (first, second, third) = (part(), part(), part());
    let (account, region, bucket) = match order {
        Order::Region => (first, second, third),
        Order::Name => (first, third, second),
        Order::Bucket => (second, third, first),
    };
    let (mut values, mut contradicted) = ([None; Metric::COUNT], Vec::new());
    for (metric, value) in &entry.values {
        let known = &mut values[usize::from(*metric)];
        if known.replace(*value).is_some_and(|before| before != *value) {
            contradicted.push(Metric::ALL[usize::from(*metric)]);
        }
    }
    contradicted.sort();
    contradicted.dedup();
    for metric in &contradicted {
        values[metric.index()] = None;
    }
    Said { account, region, bucket, values, contradicted }
}

#[cfg(test)]
mod tests;
