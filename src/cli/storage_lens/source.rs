//! Where an export stands: a folder of this machine or a bucket. Names have `/` between their parts in both.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::mfa_codes::Terminal;
use super::super::progress::Progress;
use super::Problem;
use super::find::Found;
use super::options::{Download, Order};
use crate::aws::addressing::Styles;
use crate::aws::bucket_region;
use crate::aws::failure::Failure;
use crate::aws::get_object::{self, Downloaded, Limits, NotTaken};
use crate::aws::http::{self, Network};
use crate::aws::list_objects::{self, Level};
use crate::aws::pace::Pace;
use crate::aws::route::{Route, Trail};
use crate::aws::session::{self, Aws, Session, Surroundings};
use crate::dataset::storage_lens::intake::Received;
use crate::dataset::storage_lens::read::{PartError, hexadecimal};
use crate::run_folder::{Directory, Entry, Kind, Refused};
use crate::storage_lens::place::MANIFEST;
use crate::storage_lens::{Manifest, ReportFile};

/// No manifest is longer: that of a hundred thousand report files.
const LONGEST_MANIFEST: u64 = 32 << 20;

pub enum Source {
    Local(Local),
    Bucket(Box<Bucket>),
}

pub struct Bucket {
    session: Session,
    name: String,
    /// Where the bucket is asked.
    trail: Mutex<Trail>,
    download: Download,
    /// Bytes that may still be downloaded.
    left: Mutex<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("it is not there")]
    Missing,
    #[error("it is longer than {most} bytes")]
    TooLong { most: u64 },
    /// `--max-download-mib` was reached.
    #[error("it is more than --max-download-mib allows")]
    BeyondLimit,
    #[error("{0}")]
    Io(io::Error),
    #[error("{0}")]
    Aws(Box<Failure>),
}

impl From<io::Error> for SourceError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Io(error) }
    }
}

impl From<NotTaken> for SourceError {
    fn from(error: NotTaken) -> Self {
        match error {
            NotTaken::TooLong { most } => Self::TooLong { most },
            NotTaken::Io(error) => error.into(),
        }
    }
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        if failure.is(404, "NoSuchKey") { Self::Missing } else { Self::Aws(Box::new(failure)) }
    }
}

/// The bucket and the key of `s3://BUCKET/KEY`.
fn in_s3(path: &OsStr) -> Option<Result<(String, String), Problem>> {
    let rest = path.as_encoded_bytes().strip_prefix(b"s3://")?;
    let wrong = || {
        Problem::new(format!("{:?} is no place in S3", path.to_string_lossy())).with_help("write s3://BUCKET/PREFIX")
    };
    let Ok(rest) = std::str::from_utf8(rest) else { return Some(Err(wrong())) };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Some(Err(wrong()));
    }
    Some(Ok((bucket.to_owned(), key.trim_matches('/').to_owned())))
}

/// The file has no name from here on, and goes when it is closed.
fn received(object: Downloaded) -> Received {
    Received { file: object.file.into_file(), size: object.size, md5: hexadecimal(&object.md5) }
}

impl Source {
    pub async fn open(order: &Order, network: &Network) -> Result<Self, Problem> {
        let Some(place) = in_s3(&order.path) else { return Ok(Self::Local(Local::new(order)?)) };
        let ((name, _), reading) = (place?, &order.reading);
        let aws = Aws {
            source: session::Source::Environment(Box::new(Surroundings::new(
                network,
                reading.concurrency,
                Arc::new(Terminal::new(Progress::silent())),
                None,
            )?)),
            http: http::client(network, reading.concurrency)?,
            pace: Arc::new(Pace::new(reading.concurrency, reading.max_attempts)),
            clock: Arc::default(),
            addressing: Styles::new(reading.addressing),
            timeouts: reading.timeouts,
        };
        let session = aws.session(None).await?;
        let home = session.home();
        let region = bucket_region::find(&session, &home, &name).await.ok().flatten();
        let trail = match region.map(|region| session.route(&region)) {
            Some(Ok(route)) => Trail::told(route),
            Some(Err(_)) | None => Trail::untold(home),
        };
        let trail = Mutex::new(trail);
        let (download, left) = (order.download, Mutex::new(order.download.most));
        Ok(Self::Bucket(Box::new(Bucket { session, name, trail, download, left })))
    }

    /// Refuses an export whose manifest lists more than may be downloaded, before the first report file.
    pub fn check_size(&self, manifest: &Manifest) -> Result<(), Problem> {
        let Self::Bucket(bucket) = self else { return Ok(()) };
        let listed = manifest.report_files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        if listed <= bucket.left() {
            Ok(())
        } else {
            Err(bucket.beyond_limit(&format!("its manifest lists {listed} bytes")))
        }
    }

    /// The name of what the user named.
    pub fn name_of(&self, order: &Order) -> Result<String, Problem> {
        match self {
            Self::Bucket(_) => in_s3(&order.path).expect("it is a place in S3").map(|(_, key)| key),
            Self::Local(_) => canonical(order)?
                .into_os_string()
                .into_string()
                .map_err(|path| Problem::new(format!("{} is no path in UTF-8", path.display()))),
        }
    }

    /// For a person.
    pub fn shown(&self, name: &str) -> String {
        match self {
            Self::Local(_) => name.to_owned(),
            Self::Bucket(bucket) => format!("s3://{}/{name}", bucket.name),
        }
    }

    /// Whether it is a file, and not a folder.
    pub fn is_file(&self, name: &str) -> bool {
        match self {
            Self::Local(_) => Path::new(name).is_file(),
            Self::Bucket(_) => name == MANIFEST || name.ends_with(&format!("/{MANIFEST}")),
        }
    }

    /// What stands directly below a folder.
    pub async fn level(&self, name: &str) -> Result<Level, SourceError> {
        match self {
            Self::Local(local) => Ok(local.level(name)?),
            Self::Bucket(bucket) => {
                let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
                let (bucket, prefix) = (bucket.as_ref(), prefix.as_str());
                let list =
                    |route| async move { list_objects::level(&bucket.session, &route, &bucket.name, prefix).await };
                Ok(bucket.ask(list).await?)
            }
        }
    }

    /// The manifest.
    pub async fn manifest(&self, found: &Found) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        match self {
            Self::Local(local) => {
                let file = local.open(&found.manifest)?;
                if file.metadata()?.len() > LONGEST_MANIFEST {
                    return Err(SourceError::TooLong { most: LONGEST_MANIFEST });
                }
                file.take(LONGEST_MANIFEST).read_to_end(&mut bytes)?
            }
            Self::Bucket(bucket) => {
                let object = bucket.download(&found.manifest, Some(LONGEST_MANIFEST)).await?;
                object.file.reopen()?.read_to_end(&mut bytes)?
            }
        };
        Ok(bytes)
    }

    /// A report file, wherever the copy of the export has it. The outer error ends the command: it is no fault of the
    /// export.
    pub async fn report(&self, found: &Found, file: &ReportFile) -> Result<Result<Received, PartError>, Problem> {
        let mut names = found.places(&file.key);
        match self {
            Self::Local(_) => {}
            Self::Bucket(_) => names.extend((!names.contains(&file.key)).then(|| file.key.clone())),
        }
        for name in names {
            match self.file(&name, Some(file.size)).await? {
                Err(PartError::Missing) => {}
                received => return Ok(received),
            }
        }
        Ok(Err(PartError::Missing))
    }

    /// `coverage.json` beside the manifest. The outer error is as that of [`Source::report`].
    pub async fn coverage(&self, found: &Found) -> Result<Result<Received, PartError>, Problem> {
        self.file(&found.coverage(), None).await
    }

    /// `size`: what the manifest says.
    async fn file(&self, name: &str, size: Option<u64>) -> Result<Result<Received, PartError>, Problem> {
        let bucket = match self {
            Self::Local(local) => {
                return Ok(local.open(name).map_err(PartError::from).and_then(|file| Received::read(file, size)));
            }
            Self::Bucket(bucket) => bucket,
        };
        Ok(match bucket.download(name, size).await {
            Ok(object) => Ok(received(object)),
            Err(SourceError::Missing) => Err(PartError::Missing),
            Err(SourceError::Io(error)) => {
                let what = format!("failed to write a temporary file for {}: {error}", self.shown(name));
                return Err(Problem::new(what).with_help("free space, or set TMPDIR to another folder"));
            }
            Err(SourceError::BeyondLimit) => return Err(bucket.beyond_limit(&format!("{} goes on", self.shown(name)))),
            Err(SourceError::TooLong { most }) => Err(PartError::TooLong { said: most }),
            Err(error @ SourceError::Aws(_)) => Err(PartError::Unreadable(error.to_string())),
        })
    }
}

impl Bucket {
    fn left(&self) -> u64 {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `most`: how long the object may be, where that is known.
    async fn download(&self, key: &str, most: Option<u64>) -> Result<Downloaded, SourceError> {
        let left = self.left();
        let limits = Limits { size: most.map_or(left, |most| most.min(left)), stall: self.download.stall };
        let get = |route| async move { get_object::download(&self.session, &route, &self.name, key, limits).await };
        match self.ask(get).await? {
            Ok(object) => {
                *self.left.lock().unwrap_or_else(PoisonError::into_inner) -= object.size;
                Ok(object)
            }
            Err(NotTaken::TooLong { .. }) if most.is_none_or(|most| most > left) => Err(SourceError::BeyondLimit),
            Err(error) => Err(error.into()),
        }
    }

    fn beyond_limit(&self, what: &str) -> Problem {
        let allowed = self.download.most >> 20;
        Problem::new(format!("the export in s3://{} is larger than {allowed} MiB: {what}", self.name))
            .with_help("raise --max-download-mib if the export is really that large")
    }

    /// Asks where the answers lead.
    async fn ask<T, F>(&self, ask: impl Fn(Route) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let held = || self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        let mut trail = held().clone();
        let answer = trail.ask(&self.session, &self.name, ask).await;
        *held() = trail;
        answer
    }
}

/// What the user named; below it no links are followed.
pub struct Local {
    /// Without links; a folder.
    named: PathBuf,
}

impl Local {
    fn new(order: &Order) -> Result<Self, Problem> {
        let named = canonical(order)?;
        let folder = if named.is_dir() { named } else { named.parent().map(Path::to_owned).unwrap_or_default() };
        Ok(Self { named: folder })
    }

    /// The folder that holds what has this name, and the last part of the name. What is above the folder that the user
    /// named is trusted as that is.
    fn beneath(&self, name: &Path) -> io::Result<(Directory, OsString)> {
        let trusted = self.named.ancestors().find(|folder| name != *folder && name.starts_with(folder));
        let trusted = trusted.ok_or(Refused::Elsewhere)?;
        Directory::open(trusted)?.beneath(name.strip_prefix(trusted).unwrap_or(name))
    }

    fn open(&self, name: &str) -> io::Result<File> {
        let (folder, name) = self.beneath(Path::new(name))?;
        folder.file(name)
    }

    fn level(&self, name: &str) -> io::Result<Level> {
        let mut level = Level { folders: BTreeSet::new(), objects: BTreeSet::new() };
        for Entry { name, kind } in self.folder(Path::new(name))?.entries()? {
            // A name that is no text is none of an export.
            let Ok(name) = name.into_string() else { continue };
            match kind {
                Kind::Folder => level.folders.insert(name),
                // Whichever it leads to: it is refused when it is opened, and not passed over.
                Kind::Link => level.folders.insert(name.clone()) | level.objects.insert(name),
                Kind::File | Kind::Fifo | Kind::Device | Kind::Socket | Kind::Other => level.objects.insert(name),
            };
        }
        Ok(level)
    }

    fn folder(&self, path: &Path) -> io::Result<Directory> {
        if path == self.named {
            return Directory::open(path);
        }
        let (folder, name) = self.beneath(path)?;
        folder.folder(name)
    }
}

/// The path that the user named, without links.
fn canonical(order: &Order) -> Result<PathBuf, Problem> {
    let path = Path::new(&order.path);
    path.canonicalize().map_err(|error| {
        Problem::new(format!("failed to open {}: {error}", path.display()))
            .with_help("name the manifest.json of an export, or a folder above it")
    })
}
