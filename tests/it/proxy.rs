//! A server between the program and the simulator: it sees every request, and may answer in the simulator's place.
//! What it does on the wire is a list of [`Act`]s, so that it can also break off, fall silent and speak nonsense.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

use crate::common::Sim;

pub struct Proxy {
    pub endpoint: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

#[derive(Clone)]
pub struct Request {
    head: String,
    body: String,
    /// As it came, where the head was rewritten for the simulator.
    came: Option<Came>,
}

/// Host and path with which a request came, and where the bucket's name was.
#[derive(Clone)]
struct Came {
    address: String,
    place: Place,
}

/// Where the name of a bucket stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Host,
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What the proxy does on a connection, one after the other. Behind the last the connection is closed.
#[derive(Clone)]
pub enum Act {
    Send(Vec<u8>),
    /// The same again and again, as long as it is listened to.
    Forever(Vec<u8>),
    Pause(Duration),
    /// Closes with RST: what the other end has not read yet is lost to it.
    Reset,
    /// Keeps the connection and waits for the next request on it.
    Next,
}

impl Proxy {
    /// `meddle` is given each request and the way to the simulator's answer.
    pub fn before(sim: &Sim, meddle: impl Fn(&Request, &dyn Fn() -> Answer) -> Answer + Send + Sync + 'static) -> Self {
        Self::acting(sim, move |request, forward| meddle(request, forward).acts())
    }

    /// S3 at many hosts: the bucket's name may stand before them.
    pub fn by_host(
        sim: &Sim,
        meddle: impl Fn(&Request, &dyn Fn() -> Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::below(sim, "s3", "", meddle)
    }

    /// S3 at hosts whose name, behind that of a bucket, begins with `host`, and below a path. It may be asked as a proxy.
    pub fn below(
        sim: &Sim,
        host: &'static str,
        path: &'static str,
        meddle: impl Fn(&Request, &dyn Fn() -> Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let react = move |request: &Request, forward: &dyn Fn() -> Answer| meddle(request, forward).acts();
        Self::listening_to(listener, sim, move |request| request.in_path(host, path), react)
    }

    /// The same for what is no answer.
    pub fn acting(
        sim: &Sim,
        react: impl Fn(&Request, &dyn Fn() -> Answer) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        Self::listening(listener, sim, react)
    }

    fn listening(
        listener: TcpListener,
        sim: &Sim,
        react: impl Fn(&Request, &dyn Fn() -> Answer) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self::listening_to(listener, sim, |request| request, react)
    }

    /// `rewrite`: what the simulator is to understand.
    fn listening_to(
        listener: TcpListener,
        sim: &Sim,
        rewrite: impl Fn(Request) -> Request + Clone + Send + 'static,
        react: impl Fn(&Request, &dyn Fn() -> Answer) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let upstream = sim.endpoint.trim_start_matches("http://").to_owned();
        let seen = Arc::<Mutex<Vec<Request>>>::default();
        let (shared, react) = (Arc::clone(&seen), Arc::new(react));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (upstream, shared, react) = (upstream.clone(), Arc::clone(&shared), Arc::clone(&react));
                let rewrite = rewrite.clone();
                std::thread::spawn(move || {
                    while let Some(request) = Request::read(&mut stream).map(&rewrite) {
                        shared.lock().expect("no panic").push(request.clone());
                        match act(stream, react(&request, &|| request.forward(&upstream))) {
                            Some(kept) => stream = kept,
                            None => return,
                        }
                    }
                });
            }
        });
        Self { endpoint, seen }
    }

    /// What was asked for, in the order in which it came.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no panic").clone()
    }

    pub fn count(&self, operation: &str) -> usize {
        self.seen().iter().filter(|request| request.operation() == operation).count()
    }
}

/// Acts, and gives back a connection that is kept.
fn act(mut stream: TcpStream, acts: Vec<Act>) -> Option<TcpStream> {
    // So that each piece is on the wire when the next begins.
    let _ = stream.set_nodelay(true);
    for act in acts {
        match act {
            // The program may have gone.
            Act::Send(bytes) => stream.write_all(&bytes).ok()?,
            Act::Forever(bytes) => while stream.write_all(&bytes).is_ok() {},
            Act::Pause(time) => std::thread::sleep(time),
            Act::Reset => {
                reset(stream);
                return None;
            }
            Act::Next => return Some(stream),
        }
    }
    None
}

/// Closes without lingering, which sends RST.
fn reset(stream: TcpStream) {
    let runtime = sockets();
    let _inside = runtime.enter();
    stream.set_nonblocking(true).expect("a socket");
    let stream = tokio::net::TcpStream::from_std(stream).expect("a socket");
    stream.set_zero_linger().expect("a socket");
}

/// What tokio wants before it gives options of sockets that the standard library does not have.
fn sockets() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime")
}

/// A port of loopback that refuses connections, and that nobody else can take.
pub struct Refusing {
    socket: TcpSocket,
    runtime: Runtime,
}

impl Refusing {
    pub fn new() -> Self {
        let runtime = sockets();
        let inside = runtime.enter();
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("loopback");
        drop(inside);
        Self { socket, runtime }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.socket.local_addr().expect("bound"))
    }

    /// From here on connections are accepted, and requests handed on.
    pub fn accept(self, sim: &Sim) -> Proxy {
        let _inside = self.runtime.enter();
        let listener = self.socket.listen(1024).and_then(tokio::net::TcpListener::into_std).expect("loopback");
        listener.set_nonblocking(false).expect("a socket");
        Proxy::listening(listener, sim, |_, forward| forward().acts())
    }
}

impl Request {
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut buffer).ok()?;
            bytes.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let request = Self { head: head.to_owned(), body: body.to_owned(), came: None };
                let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
                if body.len() >= length {
                    return Some(request);
                }
            }
            if read == 0 {
                return None;
            }
        }
    }

    /// With the bucket's name in the path, and without the path of the endpoint.
    fn in_path(self, host: &str, path: &str) -> Self {
        let mut words = self.head.splitn(3, ' ').map(str::to_owned);
        let [method, target, rest] = std::array::from_fn(|_| words.next().expect("a line of three words"));
        let from = self.header("host").expect("a host").to_owned();
        let target =
            target.split_once("://").map_or(target.as_str(), |(_, rest)| &rest[rest.find('/').unwrap_or(rest.len())..]);
        let bucket = from.find(&format!(".{host}")).map(|at| &from[..at]);
        let place = if bucket.is_some() { Place::Host } else { Place::Path };
        let whole = target.split('?').next().unwrap_or_default().trim_end_matches('/');
        let came = Came { address: format!("{method} {from}{whole}"), place };
        let target = target.strip_prefix(path).unwrap_or("/outside-of-the-endpoints-path");
        let target = format!("/{}/{}", bucket.unwrap_or_default(), target.trim_start_matches('/'));
        let target = target.replace("//", "/");
        Self { head: format!("{method} {target} {rest}"), came: Some(came), ..self }
    }

    /// Method, host and path with which it came, without a `/` at the end.
    pub fn address(&self) -> String {
        self.came.as_ref().expect("a proxy that reads hosts").address.clone()
    }

    /// Where the bucket's name was.
    pub fn place(&self) -> Place {
        self.came.as_ref().expect("a proxy that reads hosts").place
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines
            .map(|(found, value)| (found, value.trim()))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub fn body(&self) -> &str {
        &self.body
    }

    /// A parameter of a form, as it stands on the wire.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Whether these words stand in it, in its head or its body.
    pub fn says(&self, words: &str) -> bool {
        self.head.contains(words) || self.body.contains(words)
    }

    /// The first part of the path.
    pub fn bucket(&self) -> &str {
        let target = self.head.split(' ').nth(1).unwrap_or_default();
        target.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default()
    }

    pub fn operation(&self) -> &str {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or_default();
        }
        if let Some(action) = self.parameter("Action") {
            return action;
        }
        let line = self.head.lines().next().unwrap_or_default();
        match self.bucket() {
            "" if line.contains("x-id=ListDirectoryBuckets") => "ListDirectoryBuckets",
            "" => "ListBuckets",
            _ if line.starts_with("HEAD") => "HeadBucket",
            _ if line.starts_with("PUT") && line.contains("?versioning") => "PutBucketVersioning",
            _ if line.contains("?versioning") => "GetBucketVersioning",
            _ if line.contains("?lifecycle") => "GetBucketLifecycleConfiguration",
            _ if line.contains("?location") => "GetBucketLocation",
            _ if line.contains("?policy") => "GetBucketPolicy",
            _ if line.contains("?object-lock") => "GetObjectLockConfiguration",
            _ if line.contains("?replication") => "GetBucketReplication",
            _ if line.contains("?encryption") => "GetBucketEncryption",
            _ if line.contains("?ownershipControls") => "GetBucketOwnershipControls",
            _ if line.contains("?accelerate") => "GetBucketAccelerateConfiguration",
            _ if line.contains("?notification") => "GetBucketNotificationConfiguration",
            _ if line.contains("?tagging") => "GetBucketTagging",
            _ if line.contains("list-type=2") => "ListObjectsV2",
            _ => line,
        }
    }

    fn forward(&self, upstream: &str) -> Answer {
        let mut stream = TcpStream::connect(upstream).expect("the simulator listens");
        let head = self.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let head = head.collect::<Vec<_>>().join("\r\n");
        let request = format!("{head}\r\nConnection: close\r\n\r\n{}", self.body);
        stream.write_all(request.as_bytes()).expect("the simulator reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("the simulator answers in text");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
        let headers = headers.filter(|(name, _): &(String, String)| name != "content-length" && name != "connection");
        Answer { status, headers: headers.collect(), body: body.to_owned() }
    }
}

impl Answer {
    /// With the ids that S3 gives every answer.
    pub fn xml(status: u16, body: &str) -> Self {
        let headers = [("content-type", "application/xml"), ("x-amz-request-id", "MADEUPREQUEST000")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { status, headers: headers.into(), body: body.to_owned() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn replace(self, from: &str, to: &str) -> Self {
        assert!(self.body.contains(from), "{from:?} is not in the answer {:?}", self.body);
        Self { body: self.body.replace(from, to), ..self }
    }

    /// The connection breaks off before the first byte of it.
    pub fn lost() -> Self {
        Self { status: 0, headers: Vec::new(), body: String::new() }
    }

    /// With a body that never ends: `body` again and again.
    pub fn endless(self) -> Self {
        self.header("transfer-encoding", "chunked")
    }

    fn is_endless(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "transfer-encoding")
    }

    /// Status and headers, with these besides, up to the body.
    pub fn head(&self, more: &str) -> String {
        let mut text = format!("HTTP/1.1 {} Made-Up\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text + more + "\r\n"
    }

    /// The whole, for a connection that is closed behind it.
    pub fn wire(&self) -> String {
        self.head(&format!("connection: close\r\ncontent-length: {}\r\n", self.body.len())) + &self.body
    }

    pub fn acts(&self) -> Vec<Act> {
        if self.status == 0 {
            return Vec::new();
        }
        if self.is_endless() {
            let chunk = format!("{:x}\r\n{}\r\n", self.body.len(), self.body);
            return vec![Act::Send(self.head("connection: close\r\n").into()), Act::Forever(chunk.into())];
        }
        vec![Act::Send(self.wire().into())]
    }
}
