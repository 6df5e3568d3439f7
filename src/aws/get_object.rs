//! `GetObject`, into a temporary file. Source: Amazon S3 API reference, `GetObject`.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use md5::{Digest, Md5};
use tempfile::NamedTempFile;
use tokio::time::{Instant, timeout};

use super::body::BodyError;
use super::failure::{Failure, words};
use super::list_objects::{LONGEST_KEY, too_long};
use super::route::Route;
use super::secrets;
use super::session::Session;
use crate::model::{ErrorClass, Operation, Reason};

/// An object that was read to its end.
#[derive(Debug)]
pub struct Downloaded {
    /// Gone when it is dropped.
    pub file: NamedTempFile,
    /// In bytes.
    pub size: u64,
    /// Of what was received; a digest of 16 bytes.
    pub md5: [u8; 16],
}

/// How much of an object is taken, and how fast it has to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In bytes. A longer object is refused, and nothing is read beyond.
    pub size: u64,
    /// How long nothing may come. Less than [`LEAST_RATE`] over this time counts as nothing.
    pub stall: Duration,
}

/// In bytes per second.
const LEAST_RATE: u64 = 1_000;

/// Why an object that the service gives is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("it is longer than {most} bytes")]
    TooLong { most: u64 },
    /// Of the file.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Streams an object into a file, from the beginning again where it breaks off. The outer error is AWS's.
pub async fn download(
    session: &Session,
    route: &Route,
    bucket: &str,
    key: &str,
    limits: Limits,
) -> Result<Result<Downloaded, NotTaken>, Failure> {
    let operation = Operation::GetObject;
    if key.len() > LONGEST_KEY {
        return Err(too_long(operation, key));
    }
    let s3 = session.s3(route);
    session
        .call(operation, || async {
            let answer = s3.get_object().bucket(bucket).key(key).send().await;
            let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
            let said = answer.content_length().and_then(|length| u64::try_from(length).ok());
            if said.is_some_and(|length| length > limits.size) {
                return Ok(Err(NotTaken::TooLong { most: limits.size }));
            }
            receive(answer.body, limits).await
        })
        .await
}

async fn receive(mut body: ByteStream, limits: Limits) -> Result<Result<Downloaded, NotTaken>, Failure> {
    let mut begun = match Begun::new() {
        Ok(begun) => begun,
        Err(error) => return Ok(Err(error.into())),
    };
    let mut rate = Rate { since: Instant::now(), received: 0 };
    let mut watch = secrets::Watch::default();
    loop {
        let piece = match timeout(limits.stall, body.next()).await {
            Err(_) => {
                let seconds = limits.stall.as_secs();
                return Err(broken(format!("the download stalled: nothing came for {seconds} s")));
            }
            Ok(Some(Err(error))) => return Err(broken(words(&error))),
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => return Ok(begun.finish().map_err(NotTaken::from)),
        };
        if piece.len() as u64 > limits.size - begun.size {
            return Ok(Err(NotTaken::TooLong { most: limits.size }));
        }
        if watch.meets(&piece) {
            return Err(Failure::malformed(Operation::GetObject, BodyError::Indiscreet.to_string()));
        }
        if let Err(error) = begun.write(&piece) {
            return Ok(Err(error.into()));
        }
        rate.add(piece.len() as u64, limits.stall)?;
    }
}

/// What came since a moment.
struct Rate {
    since: Instant,
    received: u64,
}

impl Rate {
    fn add(&mut self, bytes: u64, window: Duration) -> Result<(), Failure> {
        self.received += bytes;
        let elapsed = self.since.elapsed();
        if elapsed < window {
            return Ok(());
        }
        if self.received < LEAST_RATE * elapsed.as_secs() {
            let (received, seconds) = (self.received, elapsed.as_secs());
            return Err(broken(format!("the download stalled: only {received} bytes came in {seconds} s")));
        }
        *self = Self { since: Instant::now(), received: 0 };
        Ok(())
    }
}

struct Begun {
    file: BufWriter<NamedTempFile>,
    size: u64,
    md5: Md5,
}

impl Begun {
    fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(1 << 18, NamedTempFile::new()?), size: 0, md5: Md5::new() })
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.md5.update(piece);
        self.size += piece.len() as u64;
        Ok(())
    }

    fn finish(self) -> io::Result<Downloaded> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Downloaded { file, size: self.size, md5: self.md5.finalize().into() })
    }
}

/// The answer began and did not come to its end.
fn broken(message: String) -> Failure {
    let reason = Reason {
        operation: Operation::GetObject,
        class: ErrorClass::Unavailable,
        code: None,
        http_status: None,
        request_id: None,
        message,
    };
    Failure::new(reason, true)
}
