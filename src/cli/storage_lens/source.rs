//! Where an export stands: a folder of this machine or a bucket. Names have `/` between their parts in both.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::future::Future;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Problem;
use super::find::Found;
use super::options::Order;
use crate::aws::bucket_region;
use crate::aws::failure::Failure;
use crate::aws::get_object::{self, Downloaded};
use crate::aws::http::{self, Network};
use crate::aws::list_objects::{self, Level};
use crate::aws::pace::Pace;
use crate::aws::session::{self, Aws, Route, Session};
use crate::dataset::storage_lens::intake::Received;
use crate::dataset::storage_lens::read::{PartError, hexadecimal};
use crate::model::ErrorClass;
use crate::storage_lens::ReportFile;
use crate::storage_lens::place::MANIFEST;

/// No manifest is longer: that of a hundred thousand report files.
const LONGEST_MANIFEST: u64 = 32 << 20;

pub enum Source {
    Local,
    Bucket(Box<Bucket>),
}

pub struct Bucket {
    session: Session,
    name: String,
    /// Where the bucket is asked; changes where a server redirects.
    route: Mutex<Route>,
    silence: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("it is not there")]
    Missing,
    #[error("it is longer than any manifest")]
    TooLong,
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

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        if failure.is(404, "NoSuchKey") { Self::Missing } else { Self::Aws(Box::new(failure)) }
    }
}

/// A report file on this machine, and what keeps it there.
pub enum Kept {
    There(Received),
    Temporary(Downloaded),
}

impl Kept {
    pub fn received(&self) -> Received {
        match self {
            Self::There(Received { path, size, md5 }) => Received { path: path.clone(), size: *size, md5: md5.clone() },
            Self::Temporary(object) => {
                Received { path: object.file.path().to_owned(), size: object.size, md5: hexadecimal(&object.md5) }
            }
        }
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

impl Source {
    pub async fn open(order: &Order, network: &Network) -> Result<Self, Problem> {
        let Some(place) = in_s3(&order.path) else { return Ok(Self::Local) };
        let ((name, _), reading) = (place?, &order.reading);
        let aws = Aws {
            source: session::Source::Environment,
            http: http::client(network, reading.concurrency)?,
            pace: Arc::new(Pace::new(reading.concurrency, reading.max_attempts)),
            clock: Arc::default(),
            addressing: reading.addressing,
            timeouts: reading.timeouts,
        };
        let session = aws.session(None).await;
        let region = bucket_region::find(&session, &name).await.ok().flatten();
        let route = Mutex::new(Route::from(region.unwrap_or_else(|| session.region.clone())));
        Ok(Self::Bucket(Box::new(Bucket { session, name, route, silence: reading.timeouts.operation })))
    }

    /// The name of what the user named.
    pub fn name_of(&self, order: &Order) -> Result<String, Problem> {
        match self {
            Self::Bucket(_) => in_s3(&order.path).expect("it is a place in S3").map(|(_, key)| key),
            Self::Local => {
                let path = Path::new(&order.path);
                let whole = path.canonicalize().map_err(|error| {
                    Problem::new(format!("failed to open {}: {error}", path.display()))
                        .with_help("name the manifest.json of an export, or a folder above it")
                })?;
                whole
                    .into_os_string()
                    .into_string()
                    .map_err(|path| Problem::new(format!("{} is no path in UTF-8", path.display())))
            }
        }
    }

    /// For a person.
    pub fn shown(&self, name: &str) -> String {
        match self {
            Self::Local => name.to_owned(),
            Self::Bucket(bucket) => format!("s3://{}/{name}", bucket.name),
        }
    }

    /// Whether it is a file, and not a folder.
    pub fn is_file(&self, name: &str) -> bool {
        match self {
            Self::Local => Path::new(name).is_file(),
            Self::Bucket(_) => name == MANIFEST || name.ends_with(&format!("/{MANIFEST}")),
        }
    }

    /// What stands directly below a folder.
    pub async fn level(&self, name: &str) -> Result<Level, SourceError> {
        match self {
            Self::Local => Ok(local_level(Path::new(name))?),
            Self::Bucket(bucket) => {
                let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
                let (bucket, prefix) = (bucket.as_ref(), prefix.as_str());
                let list =
                    |route| async move { list_objects::level(&bucket.session, &route, &bucket.name, prefix).await };
                Ok(bucket.ask(list).await?)
            }
        }
    }

    /// A file that is short.
    pub async fn small(&self, name: &str) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        let most = LONGEST_MANIFEST + 1;
        match self {
            Self::Local => std::fs::File::open(name)?.take(most).read_to_end(&mut bytes)?,
            Self::Bucket(bucket) => {
                let object = bucket.download(name).await?;
                object.file.reopen()?.take(most).read_to_end(&mut bytes)?
            }
        };
        if bytes.len() as u64 > LONGEST_MANIFEST { Err(SourceError::TooLong) } else { Ok(bytes) }
    }

    /// A report file, wherever the copy of the export has it. The outer error ends the command: it is no fault of the
    /// export.
    pub async fn report(&self, found: &Found, file: &ReportFile) -> Result<Result<Kept, PartError>, Problem> {
        let mut names = found.places(&file.key);
        match self {
            Self::Local => {}
            Self::Bucket(_) => names.extend((!names.contains(&file.key)).then(|| file.key.clone())),
        }
        for name in names {
            match self.file(&name).await? {
                Err(PartError::Missing) => {}
                received => return Ok(received),
            }
        }
        Ok(Err(PartError::Missing))
    }

    /// `coverage.json` beside the manifest. The outer error is as that of [`Source::report`].
    pub async fn coverage(&self, found: &Found) -> Result<Result<Kept, PartError>, Problem> {
        self.file(&found.coverage()).await
    }

    async fn file(&self, name: &str) -> Result<Result<Kept, PartError>, Problem> {
        Ok(match self {
            Self::Local => Received::read(Path::new(name)).map(Kept::There),
            Self::Bucket(bucket) => match bucket.download(name).await {
                Ok(object) => Ok(Kept::Temporary(object)),
                Err(SourceError::Missing) => Err(PartError::Missing),
                Err(SourceError::Io(error)) => {
                    let what = format!("failed to write a temporary file for {}: {error}", self.shown(name));
                    return Err(Problem::new(what).with_help("free space, or set TMPDIR to another folder"));
                }
                Err(error @ (SourceError::TooLong | SourceError::Aws(_))) => {
                    Err(PartError::Unreadable(error.to_string()))
                }
            },
        })
    }
}

impl Bucket {
    async fn download(&self, key: &str) -> Result<Downloaded, SourceError> {
        let get =
            |route| async move { get_object::download(&self.session, &route, &self.name, key, self.silence).await };
        Ok(self.ask(get).await??)
    }

    /// Asks, and asks once more where an answer names another Region or address.
    async fn ask<T, F>(&self, ask: impl Fn(Route) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let route = || self.route.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let failure = match ask(route()).await {
            Err(failure) if failure.reason.class == ErrorClass::WrongRegion => failure,
            answer => return answer,
        };
        let named = failure.elsewhere.clone();
        let endpoint = named.endpoint.filter(|it| named.region.is_none() && self.session.may_follow(it));
        let elsewhere = Route { region: named.region.unwrap_or_else(|| route().region), endpoint };
        if elsewhere == route() {
            return Err(failure);
        }
        *self.route.lock().unwrap_or_else(PoisonError::into_inner) = elsewhere.clone();
        ask(elsewhere).await
    }
}

fn local_level(folder: &Path) -> io::Result<Level> {
    let mut level = Level { folders: BTreeSet::new(), objects: BTreeSet::new() };
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no text is none of an export.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let names = if entry.path().is_dir() { &mut level.folders } else { &mut level.objects };
        names.insert(name);
    }
    Ok(level)
}
