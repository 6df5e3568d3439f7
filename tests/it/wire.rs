//! The SDK is not trusted with nonsense: every answer of `fixtures/wire/` is cut at every byte, sent with a matching
//! `Content-Length`, and must not give another value than the whole one.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bucketlens::aws::addressing::{Addressing, Styles};
use bucketlens::aws::http::{self, Network};
use bucketlens::aws::pace::Pace;
use bucketlens::aws::session::{Aws, Role, Session, Source, Timeouts};
use bucketlens::aws::{
    bucket_region, get_bucket_accelerate_configuration, get_bucket_encryption, get_bucket_lifecycle_configuration,
    get_bucket_notification_configuration, get_bucket_ownership_controls, get_bucket_policy, get_bucket_replication,
    get_bucket_tagging, get_bucket_versioning, get_object_lock_configuration, list_buckets, list_directory_buckets,
    list_objects, organizations,
};
use bucketlens::model::{AccountId, Region};
use futures::StreamExt;

/// Answers every request with the bytes it was last given, one connection a request.
pub struct Server {
    pub answer: Arc<Mutex<Vec<u8>>>,
    pub endpoint: String,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let answer = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = shared.lock().expect("no panic").clone();
                let _ = reply(stream, &answer);
            }
        });
        Self { answer, endpoint }
    }
}

fn reply(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..read]);
        let head = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        let Some(head) = head else { continue };
        let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        if request.len() >= head + length.unwrap_or(0) || read == 0 {
            break;
        }
    }
    stream.write_all(answer)
}

/// A recorded answer and the operation it answers.
#[derive(Clone)]
struct Recorded {
    /// Folder and file.
    name: String,
    operation: String,
    /// The status line and headers.
    head: String,
    body: Vec<u8>,
}

/// `fixtures/wire/aws`: the status line, headers, an empty line, the body; the file's name begins with the operation.
fn of_aws(root: &Path) -> Vec<Recorded> {
    let files = fs::read_dir(root.join("aws")).expect("fixtures/wire/aws").flatten();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("readable");
        let at = bytes.windows(2).position(|window| window == b"\n\n").expect("an empty line");
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Recorded {
            operation: stem.split('-').next().expect("the operation comes first").to_owned(),
            name: format!("aws/{stem}"),
            head: String::from_utf8(bytes[..at].to_vec()).expect("text"),
            body: bytes[at + 2..].to_vec(),
        }
    };
    files.map(|entry| read(entry.path())).collect()
}

/// The other servers' bodies; request and status stand in the tables of the README beside them.
fn of_other_servers(root: &Path) -> Vec<Recorded> {
    let readme = fs::read_to_string(root.join("README.md")).expect("fixtures/wire/README.md");
    let (mut server, mut found) = (String::new(), Vec::new());
    for line in readme.lines() {
        if let Some(heading) = line.strip_prefix("## `") {
            heading.split('`').next().expect("a name").clone_into(&mut server);
        }
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, file, request, status, _, _] = cells.as_slice() else { continue };
        let Some(stem) = file.strip_suffix(".xml") else { continue };
        // A `Location` is left out: this test sends one answer to every request, and would go round in a circle.
        let operation = match request.rsplit_once('?').map_or("", |(_, query)| query) {
            "versioning" => "GetBucketVersioning",
            "lifecycle" => "GetBucketLifecycleConfiguration",
            "location" => "GetBucketLocation",
            "policy" => "GetBucketPolicy",
            "replication" => "GetBucketReplication",
            "encryption" => "GetBucketEncryption",
            query if query.is_empty() || query.contains("max-buckets") => "ListBuckets",
            // Operations that bucketlens does not call: another document must not be believed either.
            _ => "GetBucketVersioning",
        };
        found.push(Recorded {
            name: format!("{server}/{stem}"),
            operation: operation.to_owned(),
            head: format!("HTTP/1.1 {status} Status\nContent-Type: application/xml"),
            body: fs::read(root.join(&server).join(file)).expect("the README's file"),
        });
    }
    found
}

fn fixtures() -> Vec<Recorded> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire");
    let mut all = [of_aws(&root), of_other_servers(&root)].concat();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let folders = fs::read_dir(&root).expect("fixtures/wire").flatten().filter(|entry| entry.path().is_dir());
    let files: usize = folders.map(|folder| fs::read_dir(folder.path()).expect("readable").count()).sum();
    assert_eq!(all.len(), files, "a file of fixtures/wire is in no table of its README");
    all
}

impl Recorded {
    fn cut(&self, length: usize) -> Vec<u8> {
        let mut head = String::new();
        for line in self.head.lines() {
            let _ = write!(head, "{line}\r\n");
        }
        let _ = write!(head, "Content-Length: {length}\r\nConnection: close\r\n\r\n");
        [head.as_bytes(), &self.body[..length]].concat()
    }
}

pub fn aws(endpoint: &str) -> Aws {
    let second = Duration::from_secs(10);
    Aws {
        source: Source::Fixed {
            endpoint: endpoint.to_owned(),
            access_key: "AKIA0000111111111111".to_owned(),
            secret_key: "secret".to_owned(),
            region: Region::new("us-east-1"),
        },
        http: http::client(&Network::default(), 4).expect("no CA bundle"),
        pace: Arc::new(Pace::new(4, 1)),
        clock: Arc::default(),
        addressing: Styles::new(Addressing::Auto),
        timeouts: Timeouts { connect: second, read: second, operation: second },
    }
}

/// What the operation makes of the answer: `Ok` is a value that would be believed.
pub async fn outcome(aws: &Aws, session: &Arc<Session>, operation: &str) -> Result<String, String> {
    let route = session.home();
    let said = |failure: bucketlens::aws::failure::Failure| {
        let class = failure.reason.class.as_str();
        failure.code().map_or_else(|| class.to_owned(), |code| format!("{class} {code}"))
    };
    match operation {
        "GetBucketVersioning" => {
            get_bucket_versioning::get(session, &route, "example").await.map(|it| format!("{it:?}")).map_err(said)
        }
        "GetBucketLifecycleConfiguration" => get_bucket_lifecycle_configuration::get(session, &route, "example")
            .await
            .map(|it| format!("{it:?}"))
            .map_err(said),
        "GetBucketPolicy" => {
            get_bucket_policy::get(session, &route, "example").await.map(|it| format!("{it:?}")).map_err(said)
        }
        "GetObjectLockConfiguration" => get_object_lock_configuration::get(session, &route, "example")
            .await
            .map(|it| format!("{it:?}"))
            .map_err(said),
        "GetBucketReplication" => {
            get_bucket_replication::get(session, &route, "example").await.map(|it| format!("{it:?}")).map_err(said)
        }
        "GetBucketEncryption" => {
            get_bucket_encryption::get(session, &route, "example").await.map(|it| format!("{it:?}")).map_err(said)
        }
        "GetBucketOwnershipControls" => get_bucket_ownership_controls::get(session, &route, "example")
            .await
            .map(|it| format!("{it:?}"))
            .map_err(said),
        "GetBucketAccelerateConfiguration" => get_bucket_accelerate_configuration::get(session, &route, "example")
            .await
            .map(|it| format!("{it:?}"))
            .map_err(said),
        "GetBucketNotificationConfiguration" => get_bucket_notification_configuration::get(session, &route, "example")
            .await
            .map(|it| format!("{it:?}"))
            .map_err(said),
        "GetBucketTagging" => {
            get_bucket_tagging::get(session, &route, "example").await.map(|it| format!("{it:?}")).map_err(said)
        }
        "ListBuckets" => {
            let page = Box::pin(list_buckets::list(session)).next().await.expect("at least one page");
            page.map(|it| format!("{it:?}")).map_err(said)
        }
        "ListDirectoryBuckets" => {
            let page = Box::pin(list_directory_buckets::list(session, route.region())).next().await;
            page.expect("at least one page").map(|it| format!("{it:?}")).map_err(said)
        }
        "ListObjectsV2" => {
            list_objects::level(session, &route, "example", "").await.map(|it| format!("{it:?}")).map_err(said)
        }
        // No failure: a Region that cannot be found is none.
        "GetBucketLocation" => {
            let found = bucket_region::find(session, &route, "example").await.map_err(said)?;
            found.map(|it| it.to_string()).ok_or_else(|| "none".to_owned())
        }
        "GetCallerIdentity" => session.caller().await.map(|it| format!("{it:?}")).map_err(said),
        "AssumeRole" => {
            let role = Role {
                account: AccountId::parse("222222222222").expect("12 digits"),
                arn: "arn:aws:iam::222222222222:role/Auditor".to_owned(),
                session_name: "bucketlens".to_owned(),
                external_id: None,
                duration: Duration::from_hours(1),
            };
            aws.assume(session, role).await.map(|_| "entered".to_owned()).map_err(said)
        }
        "ListAccounts" => {
            organizations::list_accounts(session, "aws").await.map(|it| format!("{:?}", it.accounts)).map_err(said)
        }
        other => panic!("fixtures/wire holds an answer of {other}, which this test does not know"),
    }
}

#[tokio::test]
async fn an_answer_cut_anywhere_gives_no_other_value() {
    let server = Server::start();
    let aws = aws(&server.endpoint);
    let session = Arc::new(aws.session(None).await.expect("good settings"));
    let mut believed = 0;
    for recorded in fixtures() {
        let operation = &recorded.operation;
        let set = |length| *server.answer.lock().expect("no panic") = recorded.cut(length);
        set(recorded.body.len());
        let whole = outcome(&aws, &session, operation).await;
        believed += usize::from(whole.is_ok());
        for length in 0..recorded.body.len() {
            set(length);
            let cut = outcome(&aws, &session, operation).await;
            assert!(
                cut.is_err() || cut == whole,
                "{} cut at {length} of {} gives {cut:?}, the whole gives {whole:?}",
                recorded.name,
                recorded.body.len()
            );
        }
    }
    assert!(believed > 45, "only {believed} whole answers were believed: this test would not notice anything");
}

/// What each whole answer gives: the golden of the wire formats.
#[tokio::test]
async fn whole_answers_give_what_they_say() {
    let server = Server::start();
    let aws = aws(&server.endpoint);
    let session = Arc::new(aws.session(None).await.expect("good settings"));
    let mut table = String::new();
    for recorded in fixtures() {
        *server.answer.lock().expect("no panic") = recorded.cut(recorded.body.len());
        let outcome = outcome(&aws, &session, &recorded.operation).await;
        let _ = writeln!(table, "{}\n    {outcome:?}", recorded.name);
    }
    insta::assert_snapshot!(table);
}
