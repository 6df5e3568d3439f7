//! A bucket on loopback that serves the files of a folder, and whose bodies may misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::common::{Cli, Ran, files};

pub const NAME: &str = "lens-exports";

/// How the body of an object comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Whole,
    /// With the right length, and then a byte now and then.
    Drips,
    /// It begins, and nothing more comes.
    Stops,
    /// Without a length and without an end.
    Endless,
    /// With a length of a terabyte, and without an end.
    Huge,
}

pub struct Bucket {
    endpoint: String,
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    /// How the objects whose keys end so come.
    bodies: Vec<(&'static str, Body)>,
    /// Bytes of bodies.
    sent: AtomicU64,
}

impl Bucket {
    pub fn of(folder: &Path, bodies: &[(&'static str, Body)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let shared = Arc::new(Shared { folder: folder.to_owned(), bodies: bodies.to_vec(), sent: AtomicU64::new(0) });
        let served = Arc::clone(&shared);
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&served);
                std::thread::spawn(move || {
                    // A client may go away before the end.
                    let _ = shared.answer(&stream);
                });
            }
        });
        Self { endpoint, shared }
    }

    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// `storage-lens read` of a prefix.
    pub fn read(&self, prefix: &str, more: &[&str]) -> Ran {
        let path = format!("s3://{NAME}/{prefix}");
        let arguments = ["storage-lens", "read", &path].into_iter().chain(more.iter().copied());
        Cli::new(arguments).keys(&self.endpoint, "AKIAEXAMPLE", "secret").run()
    }
}

impl Shared {
    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        let target = first.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let key = decoded(path).trim_start_matches('/').trim_start_matches(NAME).trim_start_matches('/').to_owned();
        if first.starts_with("HEAD ") {
            return write!(
                stream,
                "HTTP/1.1 200 OK\r\nx-amz-bucket-region: us-east-1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
        }
        if key.is_empty() {
            return respond(stream, "200 OK", self.list(query).as_bytes());
        }
        let Ok(content) = std::fs::read(self.folder.join(&key)) else {
            let error = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";
            return respond(stream, "404 Not Found", error.as_bytes());
        };
        let body = self.bodies.iter().find(|(end, _)| key.ends_with(end)).map_or(Body::Whole, |(_, body)| *body);
        self.object(stream, &content, body)
    }

    fn object(&self, mut stream: &TcpStream, content: &[u8], body: Body) -> std::io::Result<()> {
        let length = match body {
            Body::Whole | Body::Drips | Body::Stops => format!("content-length: {}\r\n", content.len()),
            Body::Endless => String::new(),
            Body::Huge => format!("content-length: {}\r\n", 1_u64 << 40),
        };
        write!(stream, "HTTP/1.1 200 OK\r\n{length}etag: \"x\"\r\nconnection: close\r\n\r\n")?;
        let mut send = |bytes: &[u8]| {
            self.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
            stream.write_all(bytes)
        };
        match body {
            Body::Whole => send(content),
            Body::Drips => content.chunks(1).try_for_each(|byte| {
                std::thread::sleep(Duration::from_millis(100));
                send(byte)
            }),
            Body::Stops => {
                send(&content[..content.len() / 2])?;
                std::thread::sleep(Duration::from_mins(1));
                Ok(())
            }
            Body::Endless | Body::Huge => loop {
                send(content)?;
            },
        }
    }

    /// The answer of `ListObjectsV2` with a delimiter.
    fn list(&self, query: &str) -> String {
        let prefix = query.split('&').find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default();
        let prefix = decoded(prefix);
        let mut entries = std::collections::BTreeSet::new();
        for name in files(&self.folder) {
            let Some(below) = name.strip_prefix(&prefix) else { continue };
            entries.insert(match below.split_once('/') {
                Some((folder, _)) => {
                    format!("<CommonPrefixes><Prefix>{prefix}{folder}/</Prefix></CommonPrefixes>")
                }
                None => format!("<Contents><Key>{name}</Key><Size>1</Size></Contents>"),
            });
        }
        let entries: String = entries.into_iter().collect();
        format!(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{NAME}</Name>\
             <IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
        )
    }
}

fn respond(mut stream: &TcpStream, status: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    stream.write_all(body)
}

/// Without percent signs.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
            let digits = std::str::from_utf8(&digits).expect("digits").to_owned();
            bytes.push(u8::from_str_radix(&digits, 16).expect("digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("text")
}
