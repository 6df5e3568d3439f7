//! Where credentials, Region, endpoints and the way to AWS come from. `default-features = false` drops some sources of
//! the SDK, so each kind is started here with the real program, which must then read the account of just these
//! credentials; and each that is broken gets one sentence.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bucketlens::simulator::{SECRET_KEY, access_key};
use serde_json::json;

use crate::common::{Cli, Ran, Sim};

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";
const THREE: &str = "333333333333";

/// Nothing listens there, and only root could.
const DEAD: &str = "http://127.0.0.1:1";

const FUTURE: &str = "2099-12-31T23:59:59Z";
const FUTURE_UNIX: i64 = 4_102_444_799;
const PAST: &str = "2020-01-01T00:00:00Z";

/// Three accounts with a good bucket each. Roles of the second can be assumed, by who knows the external id.
fn organization() -> Sim {
    let account = |id: &str, external_id: Option<&str>| {
        json!({
            "id": id, "name": id, "ou": "r-cred", "role_names": ["Auditor"], "external_id": external_id,
            "buckets": [{"name": format!("bucket-of-{id}"), "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Enabled"}]
        })
    };
    let organization = json!({
        "organization_id": "o-credentials", "management_account": ONE, "root": "r-cred",
        "accounts": [account(ONE, None), account(TWO, Some("open-sesame")), account(THREE, None)]
    });
    Sim::json(&organization.to_string())
}

fn scan() -> Cli {
    Cli::new(["scan", "--out", "out"])
}

fn scan_profile(name: &str) -> Cli {
    Cli::new(["scan", "--out", "out", "--profile", name])
}

/// A section of `~/.aws/config` or `~/.aws/credentials` with an account's long-term keys.
fn keys(section: &str, account: &str) -> String {
    let key = access_key(account);
    format!("[{section}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET_KEY}\n")
}

/// The access key of a role's credentials, as the simulator's STS gives them.
fn role_key(account: &str) -> String {
    format!("ASIA0000{account}")
}

/// Their session token, without which they are refused.
fn token(account: &str, role: &str) -> String {
    format!("simulated:{account}:{FUTURE_UNIX}:session:{role}")
}

fn user(account: &str) -> String {
    format!("arn:aws:iam::{account}:user/scanner")
}

fn role(account: &str, role: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{role}/session")
}

/// The run read the account of this caller whole, and no other.
#[track_caller]
fn read_as(ran: Ran, caller: &str) -> Ran {
    let ran = ran.expect(0);
    assert_eq!(ran.json("out/report.json")["run"]["caller_arn"], caller);
    let account = caller.split(':').nth(4).expect("an ARN");
    let accounts = ran.rows("out/accounts.csv");
    let read: Vec<_> = accounts.iter().map(|row| (row["account_id"].as_str(), row["outcome"].as_str())).collect();
    assert_eq!(read, [(account, "complete")]);
    assert_eq!(ran.bucket(&format!("bucket-of-{account}"))["status"], "pass");
    tells_no_secret(&ran);
    ran
}

#[track_caller]
fn tells_no_secret(ran: &Ran) {
    for secret in [SECRET_KEY, "simulated:", "open-sesame", "bearer-of-"] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{secret} in\n{}\n{}", ran.stdout, ran.stderr);
    }
}

/// What was told of a run that could not start: it left nothing but this. Logs of the SDK may stand before it.
#[track_caller]
fn problem(ran: Ran) -> String {
    let ran = ran.expect(2);
    assert_eq!(ran.stdout, "");
    tells_no_secret(&ran);
    for folder in ["out", "reports"] {
        assert!(!ran.path(folder).exists(), "{folder} was left behind");
    }
    println!("-----\n{}", ran.stderr);
    let at = if ran.stderr.starts_with("error: ") { 0 } else { ran.stderr.find("\nerror: ").expect("an error") + 1 };
    ran.stderr[at..].replace(&ran.path("").display().to_string(), "HOME/")
}

/// A server on loopback that says what a function of the request says, one connection a request.
struct Mock {
    endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Debug, Clone)]
struct Request {
    method: String,
    target: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: String,
}

impl Mock {
    fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    if let Some(request) = Request::read(&mut stream) {
                        seen.lock().expect("no panic").push(request.clone());
                        let _ = stream.write_all(&answer(&request));
                    }
                });
            }
        });
        Self { endpoint, requests }
    }

    /// Hands everything on to the simulator: a proxy, or a look at what is sent to it.
    fn relay(sim: &Sim) -> Self {
        let to = sim.endpoint.trim_start_matches("http://").to_owned();
        Self::start(move |request| request.forward(&to))
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }

    /// Method and target of each request.
    fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }
}

impl Request {
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
            bytes.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&bytes);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let mut lines = head.lines();
            let mut words = lines.next()?.split(' ').map(str::to_owned);
            let headers = lines.filter_map(|line| line.split_once(": "));
            let request = Self {
                method: words.next()?,
                target: words.next()?,
                headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
                body: body.to_owned(),
            };
            if request.body.len() >= request.header("content-length").map_or(0, |length| length.parse().expect("a number")) {
                return Some(request);
            }
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    /// The answer of another server.
    fn forward(&self, to: &str) -> Vec<u8> {
        let path = self.target.trim_start_matches("http://").trim_start_matches(to);
        let mut text = format!("{} {path} HTTP/1.1\r\nconnection: close\r\n", self.method);
        for (name, value) in self.headers.iter().filter(|header| !header.0.contains("connection")) {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("\r\n{}", self.body);
        let mut answer = Vec::new();
        let mut stream = TcpStream::connect(to).expect("it listens");
        stream.write_all(text.as_bytes()).and_then(|()| stream.read_to_end(&mut answer)).expect("it answers");
        answer
    }
}

fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Mock\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}").into_bytes()
}

fn json(status: u16, body: &serde_json::Value) -> Vec<u8> {
    answer(status, "content-type: application/json\r\n", &body.to_string())
}

fn not_found() -> Vec<u8> {
    answer(404, "", "")
}

#[test]
fn explore_bad() {
    let sim = organization();
    let s = sim.endpoint.as_str();
    let p = |name: &str, cli: Cli| {
        let t = Instant::now();
        println!("===== {name}");
        let ran = cli.run();
        println!("code {} stdout {:?} out {} {:?}\n{}", ran.code, ran.stdout, ran.path("out").exists(), t.elapsed(), ran.stderr);
    };
    let conf = |text: &str| scan_profile("p").env("AWS_ENDPOINT_URL", s).env("AWS_REGION", "us-east-1").file(".aws/config", text);
    p("unknown profile", scan_profile("nobody").file(".aws/config", &(keys("default", ONE) + &keys("profile dev", TWO))));
    p("unknown profile none", scan_profile("nobody"));
    p("AWS_PROFILE missing", scan().env("AWS_PROFILE", "nobody").env("AWS_ENDPOINT_URL", s).file(".aws/config", &keys("default", ONE)));
    p("AWS_PROFILE missing with keys", scan().at(s, ONE).env("AWS_PROFILE", "nobody").file(".aws/config", &keys("default", ONE)));
    p("broken config", scan().at(s, ONE).file(".aws/config", "[profile x\nfoo"));
    p("broken config profile", conf("[profile p\nfoo"));
    p("region only profile", conf("[profile p]\nregion = eu-west-1\n"));
    p("process fails", conf("[profile p]\ncredential_process = sh -c 'echo vault (prod) is locked >&2; exit 3'\n"));
    p("process fails2", conf("[profile p]\ncredential_process = /nowhere/vault --x\n"));
    p("process garbage", conf("[profile p]\ncredential_process = echo hello\n"));
    p("sso missing", conf("[profile p]\nsso_session = corp\nsso_account_id = 222222222222\nsso_role_name = Auditor\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = http://127.0.0.1/start\n"));
    p("sso expired", conf("[profile p]\nsso_session = corp\nsso_account_id = 222222222222\nsso_role_name = Auditor\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = http://127.0.0.1/start\n")
      .file(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json", r#"{"accessToken":"bearer-of-x","expiresAt":"2020-01-01T00:00:00Z"}"#));
    p("sso no session section", conf("[profile p]\nsso_session = corp\nsso_account_id = 222222222222\nsso_role_name = Auditor\n"));
    p("sso env expired", scan().env("AWS_PROFILE", "p").env("AWS_ENDPOINT_URL", s).env("AWS_REGION", "us-east-1").file(".aws/config","[profile p]\nsso_session = corp\nsso_account_id = 222222222222\nsso_role_name = Auditor\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = http://127.0.0.1/start\n")
      .file(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json", r#"{"accessToken":"bearer-of-x","expiresAt":"2020-01-01T00:00:00Z"}"#));
    let portal = Mock::start(|_| answer(401, "content-type: application/json\r\nx-amzn-errortype: UnauthorizedException\r\n", r#"{"message":"Session token not found or invalid"}"#));
    p("sso legacy expired", conf("[profile p]\nsso_region = us-east-1\nsso_start_url = http://127.0.0.1/start\nsso_account_id = 222222222222\nsso_role_name = Auditor\n").env("AWS_ENDPOINT_URL_SSO", &portal.endpoint)
      .file(".aws/sso/cache/2a76dd796461638ee53abbca9eb0f5261eca1108.json", r#"{"accessToken":"bearer-of-x","expiresAt":"2020-01-01T00:00:00Z"}"#));
    p("login missing", conf("[profile p]\nlogin_session = arn:aws:iam::222222222222:user/console\n"));
    p("role refused", conf(&(keys("profile s", ONE) + "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/Nobody\nsource_profile = s\n")));
    p("role source missing", conf("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/Nobody\nsource_profile = s\n"));
    p("role loop", conf("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/Nobody\nsource_profile = q\n[profile q]\nrole_arn = arn:aws:iam::222222222222:role/Nobody\nsource_profile = p\n"));
    p("role no source", conf("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/Nobody\n"));
    p("web identity missing file", scan().env("AWS_ENDPOINT_URL", s).env("AWS_REGION", "us-east-1").env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token").env("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/Auditor"));
    p("ecs refuses", scan().env("AWS_ENDPOINT_URL", s).env("AWS_REGION", "us-east-1").env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/creds"));
    p("ecs not allowed", scan().env("AWS_ENDPOINT_URL", s).env("AWS_REGION", "us-east-1").env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.1.2.3/creds"));
    p("dead endpoint", scan().at(DEAD, ONE));
    p("endpoint nonsense", scan().at("not a url", ONE));
    p("endpoint nonsense2", scan().at("http://", ONE));
    p("endpoint noscheme", scan().at("localhost:9000", ONE));
    p("half keys", scan().env("AWS_ENDPOINT_URL", s).env("AWS_ACCESS_KEY_ID", "AKIA0000111111111111"));
    p("expired token", scan().at(s, ONE).env("AWS_ACCESS_KEY_ID", &role_key(TWO)).env("AWS_SESSION_TOKEN", "simulated:222222222222:1000:session:Auditor"));
    p("wrong key", scan().at(s, "999999999999"));
    for region in ["not a region", "us-east-1!", "../x", ""] {
        p(&format!("region {region}"), scan().at(s, ONE).env("AWS_REGION", region));
        p(&format!("region {region} without endpoint"), scan().keys("", &access_key(ONE), SECRET_KEY).env("AWS_REGION", region).env("HTTPS_PROXY", DEAD));
    }
    p("region nowhere-1 noendpoint", scan().keys("", &access_key(ONE), SECRET_KEY).env("AWS_REGION", "nowhere-1").env("HTTPS_PROXY", DEAD));
    p("ca missing", scan().at(s, ONE).env("AWS_CA_BUNDLE", "nowhere.pem"));
    p("ca empty", scan().at(s, ONE).file("empty.pem", "").env("AWS_CA_BUNDLE", "empty.pem"));
    p("ca garbage", scan().at(s, ONE).file("empty.pem", "-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----\n").env("AWS_CA_BUNDLE", "empty.pem"));
    p("ca half", scan().at(s, ONE).file("empty.pem", "-----BEGIN CERTIFICATE-----\nxxxx\n").env("AWS_CA_BUNDLE", "empty.pem"));
    p("dead proxy", scan().at(s, ONE).env("HTTP_PROXY", DEAD));
    p("nonsense proxy", scan().at(s, ONE).env("HTTP_PROXY", "not a proxy"));
}
