//! Real S3 servers for the tests, started and filled by `tests/servers/serve.py`; `tests/servers/install` installs them.
//!
//! Each test starts its own and stops it by dropping it. A test whose server is not installed returns early, loudly;
//! with `BUCKETLENS_REAL_SERVERS=require`, as `tests/run --all` sets it, it fails instead.
//!
//! The form of `truth` is described in `tests/servers/rgw_setup.py` and, for what moto adds, `moto_setup.py`.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Ceph RGW: three accounts, and the only server that has MFA delete.
pub struct Rgw {
    /// The URL of the first Region, where every bucket is listed.
    pub endpoint: String,
    /// Region and URL of each gateway.
    pub endpoints: Vec<(String, String)>,
    /// Hands out the keys of the account of any role, see `sts_shim.py`.
    pub sts_endpoint: String,
    pub truth: Value,
    /// The cluster's `ceph.conf`, for `radosgw-admin`.
    conf: String,
    _process: Process,
}

/// What `radosgw-admin lc list` says of a bucket.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct LifecyclePass {
    /// `TENANT:NAME:ID`.
    pub bucket: String,
    /// When the last pass over it began, to the second.
    pub started: String,
    pub status: String,
}

impl Rgw {
    /// One gateway, whose Region is called `default`.
    pub fn start() -> Option<Self> {
        Self::start_regions(&[])
    }

    /// One gateway a Region, and buckets in the first two.
    pub fn start_regions(regions: &[&str]) -> Option<Self> {
        Self::start_with(regions)
    }

    /// One gateway, where lifecycle rules act soon: a day of theirs lasts so many seconds. The buckets that have rules in
    /// the others are missing. It has the storage classes `STANDARD_IA` and `GLACIER`.
    pub fn start_with_lifecycle_day(seconds: u32) -> Option<Self> {
        Self::start_with(&["--lifecycle-day", &seconds.to_string()])
    }

    fn start_with(arguments: &[&str]) -> Option<Self> {
        if Command::new("radosgw").arg("--version").output().is_err() {
            return skip("radosgw is not installed");
        }
        let (process, description) = Process::start("rgw", arguments)?;
        let endpoints: Vec<(String, String)> =
            serde_json::from_value(description["endpoints"].clone()).expect("serve.py gives pairs");
        Some(Self {
            endpoint: endpoints[0].1.clone(),
            endpoints,
            sts_endpoint: text(&description["sts_endpoint"]),
            truth: description["truth"].clone(),
            conf: text(&description["conf"]),
            _process: process,
        })
    }

    pub fn lifecycle_passes(&self) -> Vec<LifecyclePass> {
        let output = Command::new("radosgw-admin").args(["-c", &self.conf, "lc", "list"]).output();
        let output = output.expect("radosgw-admin comes with radosgw");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("a list of buckets")
    }

    /// Sends raw requests as the account's user.
    pub fn requests(&self, account: &str) -> Requests {
        let keys = &self.truth["accounts"][account];
        Requests::start(&self.endpoint, &text(&keys["access_key"]), &text(&keys["secret_key"]))
    }
}

/// A running `s3raw.py`, which signs what it sends and looks at nothing that comes back.
pub struct Requests {
    child: Child,
    answers: BufReader<ChildStdout>,
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Requests {
    fn start(endpoint: &str, access_key: &str, secret_key: &str) -> Self {
        let mut child = Command::new(root().join("target/servers/python"))
            .arg(root().join("tests/servers/s3raw.py"))
            .args([endpoint, access_key, secret_key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("target/servers/python starts");
        let answers = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Self { child, answers }
    }

    /// `request` has the arguments of `request()` in `s3raw.py` after the keys.
    pub fn send(&mut self, request: &Value) -> Answer {
        let stdin = self.child.stdin.as_mut().expect("stdin is a pipe");
        writeln!(stdin, "{request}").expect("s3raw.py reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("s3raw.py prints text");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{request}: {error}: {line:?}"));
        let status = answer["status"].as_u64().and_then(|status| status.try_into().ok());
        Answer { status: status.expect("a status"), body: text(&answer["body"]) }
    }

    /// The same for a request that has to succeed; gives the body.
    #[track_caller]
    pub fn must(&mut self, request: &Value) -> String {
        let answer = self.send(request);
        assert_eq!(answer.status / 100, 2, "{request}: {} {}", answer.status, answer.body);
        answer.body
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // closes its standard input first
        let _ = self.child.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a Python script of this repository prints. `None` where `tests/servers/install` has not been run.
pub fn python(script: &str, arguments: &[&str]) -> Option<String> {
    let script = root().join(script);
    python_with(&[script.to_str().expect("text")], arguments)
}

/// What Python prints that is told these lines.
pub fn python_lines(lines: &str, arguments: &[&str]) -> Option<String> {
    python_with(&["-c", lines], arguments)
}

fn python_with(what: &[&str], arguments: &[&str]) -> Option<String> {
    let python = root().join("target/servers/python");
    if !python.exists() {
        return skip("tests/servers/install has not been run");
    }
    let output = Command::new(python).args(what).args(arguments).output().expect("python starts");
    assert!(output.status.success(), "{what:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// `SeaweedFS`: one account, and the only server that pages the list of buckets.
pub struct SeaweedFs {
    pub endpoint: String,
    /// See [`Rgw::sts_endpoint`].
    pub sts_endpoint: String,
    pub truth: Value,
    _process: Process,
}

impl SeaweedFs {
    pub fn with_buckets(count: usize) -> Option<Self> {
        let (process, description) = Process::start("seaweedfs", &[&count.to_string()])?;
        Some(Self {
            endpoint: text(&description["endpoint"]),
            sts_endpoint: text(&description["sts_endpoint"]),
            truth: description["truth"].clone(),
            _process: process,
        })
    }
}

/// moto: an organization, with STS and S3 at the same URL.
pub struct Moto {
    pub endpoint: String,
    pub truth: Value,
    _process: Process,
}

impl Moto {
    pub fn start() -> Option<Self> {
        let (process, description) = Process::start("moto", &[])?;
        Some(Self { endpoint: text(&description["endpoint"]), truth: description["truth"].clone(), _process: process })
    }
}

/// A running `serve.py`. It stops its server at the end of its standard input, which comes when this process drops
/// it or dies in whatever way.
struct Process(Child);

impl Process {
    fn start(server: &str, arguments: &[&str]) -> Option<(Self, Value)> {
        let python = root().join("target/servers/python");
        if !python.exists() {
            return skip("tests/servers/install has not been run");
        }
        let mut child = Command::new(python)
            .arg(root().join("tests/servers/serve.py"))
            .arg(server)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // apart from the signals with which a test runner ends a test, lest it die before it has cleaned up
            .process_group(0)
            .spawn()
            .expect("target/servers/python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is a pipe"))
            .read_line(&mut line)
            .expect("serve.py prints text");
        let process = Self(child);
        let description = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{server} did not start, see above: {error}: {line:?}"));
        Some((process, description))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // closes its standard input first
        let _ = self.0.wait();
    }
}

/// The folder of the AWS CLI, for a `PATH`.
pub fn aws_cli() -> Option<PathBuf> {
    let folder = root().join("target/servers/bin");
    if folder.join("aws").exists() { Some(folder) } else { skip("tests/servers/install has not installed the AWS CLI") }
}

/// A shell's lint.
pub fn shellcheck() -> Option<Command> {
    match Command::new("shellcheck").arg("--version").output() {
        Ok(_) => Some(Command::new("shellcheck")),
        Err(_) => skip("shellcheck is not installed"),
    }
}

fn skip<T>(reason: &str) -> Option<T> {
    assert!(
        std::env::var("BUCKETLENS_REAL_SERVERS").as_deref() != Ok("require"),
        "a real server is required: {reason}"
    );
    // test runners name the thread of a test after it
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    eprintln!("SKIPPED {test}: {reason}");
    // runners hide the output of tests that pass, so tests/run collects these lines
    if let Some(file) = std::env::var_os("BUCKETLENS_SKIPPED") {
        let mut file = OpenOptions::new().append(true).open(file).expect("tests/run made this file");
        writeln!(file, "{test}: {reason}").expect("the file of skipped tests can be written");
    }
    None
}

fn text(value: &Value) -> String {
    value.as_str().expect("serve.py gives a text here").to_owned()
}

/// The status line that an anonymous `GET /` brings.
fn greeting(endpoint: &str) -> std::io::Result<String> {
    let address = endpoint.strip_prefix("http://").expect("an http URL");
    let mut stream = std::net::TcpStream::connect(address)?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}

fn bucket_count(truth: &Value) -> usize {
    let accounts = truth["accounts"].as_object().expect("accounts are an object");
    accounts.values().map(|account| account["buckets"].as_object().expect("buckets are an object").len()).sum()
}

#[test]
fn rgw_runs_until_it_is_dropped() {
    let Some(rgw) = Rgw::start_regions(&["us-east-1", "eu-west-1"]) else { return };
    assert_ne!(bucket_count(&rgw.truth), 0);
    let mut urls = vec![rgw.endpoint.clone(), rgw.sts_endpoint.clone()];
    urls.extend(rgw.endpoints.iter().map(|(_, url)| url.clone()));
    assert_eq!(urls.len(), 4);
    for url in &urls {
        assert!(greeting(url).unwrap().starts_with("HTTP/1."), "{url}");
    }
    drop(rgw);
    for url in &urls {
        assert!(greeting(url).is_err(), "{url}");
    }
}

#[test]
fn seaweedfs_runs_until_it_is_dropped() {
    let Some(seaweedfs) = SeaweedFs::with_buckets(5) else { return };
    assert_eq!(bucket_count(&seaweedfs.truth), 5);
    let urls = [seaweedfs.endpoint.clone(), seaweedfs.sts_endpoint.clone()];
    for url in &urls {
        assert!(greeting(url).unwrap().starts_with("HTTP/1."), "{url}");
    }
    drop(seaweedfs);
    for url in &urls {
        assert!(greeting(url).is_err(), "{url}");
    }
}

#[test]
fn moto_runs_until_it_is_dropped() {
    let Some(moto) = Moto::start() else { return };
    assert_ne!(bucket_count(&moto.truth), 0);
    assert!(greeting(&moto.endpoint).unwrap().starts_with("HTTP/1."));
    let url = moto.endpoint.clone();
    drop(moto);
    assert!(greeting(&url).is_err());
}

#[test]
fn rgw_runs_without_regions() {
    let Some(rgw) = Rgw::start() else { return };
    assert_eq!(rgw.endpoints, [("default".to_owned(), rgw.endpoint.clone())]);
    assert_ne!(bucket_count(&rgw.truth), 0);
}
