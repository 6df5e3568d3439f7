//! `GetObject`, into a temporary file. Source: Amazon S3 API reference, `GetObject`.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use md5::{Digest, Md5};
use tempfile::NamedTempFile;
use tokio::time::timeout;

use super::failure::{Failure, words};
use super::list_objects::{LONGEST_KEY, too_long};
use super::session::{Route, Session};
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

/// Streams an object into a file, from the beginning again where it breaks off. The outer error is AWS's, the inner one
/// that of the file. `silence`: how long nothing may come.
pub async fn download(
    session: &Session,
    route: &Route,
    bucket: &str,
    key: &str,
    silence: Duration,
) -> Result<io::Result<Downloaded>, Failure> {
    let operation = Operation::GetObject;
    if key.len() > LONGEST_KEY {
        return Err(too_long(operation, key));
    }
    let s3 = session.s3(route);
    session
        .call(operation, || async {
            let answer = s3.get_object().bucket(bucket).key(key).send().await;
            let mut body = answer.map_err(|error| Failure::from_sdk(operation, &error))?.body;
            let mut begun = match Begun::new() {
                Ok(begun) => begun,
                Err(error) => return Ok(Err(error)),
            };
            loop {
                let piece = match timeout(silence, body.next()).await {
                    Err(_) => return Err(broken("nothing more came of the object in time".to_owned())),
                    Ok(Some(Err(error))) => return Err(broken(words(&error))),
                    Ok(Some(Ok(piece))) => piece,
                    Ok(None) => return Ok(begun.finish()),
                };
                if let Err(error) = begun.write(&piece) {
                    return Ok(Err(error));
                }
            }
        })
        .await
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
