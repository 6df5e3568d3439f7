//! Where credentials, Region, endpoints and the way to AWS come from. `default-features = false` drops some sources of
//! the SDK, so each kind is started here with the real program, which must then read the account of just these
//! credentials; and each that is broken gets one sentence.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bucketlens::simulator::{SECRET_KEY, access_key};
use serde_json::json;

use crate::common::{Cli, Ran, Sim};

pub const ONE: &str = "111111111111";
pub const TWO: &str = "222222222222";
pub const THREE: &str = "333333333333";

/// Nothing listens there, and only root could make it.
pub const DEAD: &str = "http://127.0.0.1:1";

pub const FUTURE: &str = "2099-12-31T23:59:59Z";
const FUTURE_UNIX: i64 = 4_102_444_799;
pub const PAST: &str = "2020-01-01T00:00:00Z";

/// Three accounts with a good bucket each. Roles of the second can be assumed, by who knows the external id.
pub fn organization() -> Sim {
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

pub fn scan() -> Cli {
    Cli::new(["scan", "--out", "out"])
}

pub fn scan_profile(name: &str) -> Cli {
    Cli::new(["scan", "--out", "out", "--profile", name])
}

/// A section of `~/.aws/config` or `~/.aws/credentials` with an account's long-term keys.
pub fn keys(section: &str, account: &str) -> String {
    let key = access_key(account);
    format!("[{section}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET_KEY}\n")
}

/// The access key of a role's credentials, as the simulator's STS gives them.
pub fn role_key(account: &str) -> String {
    format!("ASIA0000{account}")
}

/// Their session token, without which they are refused.
pub fn token(account: &str, role: &str) -> String {
    format!("simulated:{account}:{FUTURE_UNIX}:session:{role}")
}

pub fn user(account: &str) -> String {
    format!("arn:aws:iam::{account}:user/scanner")
}

pub fn role(account: &str, role: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{role}/session")
}

/// The run read the account of this caller whole, and no other.
#[track_caller]
pub fn read_as(ran: Ran, caller: &str) -> Ran {
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

/// A path below the run's home.
pub fn in_home(cli: &Cli, path: &str) -> String {
    cli.home().join(path).display().to_string()
}

#[track_caller]
pub fn tells_no_secret(ran: &Ran) {
    for secret in [SECRET_KEY, "simulated:", "open-sesame", "bearer-of-"] {
        assert!(
            !ran.stdout.contains(secret) && !ran.stderr.contains(secret),
            "{secret} in\n{}\n{}",
            ran.stdout,
            ran.stderr
        );
    }
}

/// What was told of a run that could not start: it left nothing but this. Logs of the SDK may stand before it.
#[track_caller]
pub fn problem(ran: Ran) -> String {
    let ran = ran.expect(2);
    assert_eq!(ran.stdout, "");
    tells_no_secret(&ran);
    for folder in ["out", "reports"] {
        assert!(!ran.path(folder).exists(), "{folder} was left behind");
    }
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    ran.stderr.replace(&ran.path("").display().to_string(), "HOME/")
}

/// A server on loopback that says what a function of the request says, one connection a request.
pub struct Mock {
    pub endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Mock {
    pub fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
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
    pub fn relay(sim: &Sim) -> Self {
        let to = address(&sim.endpoint);
        Self::start(move |request| request.forward(&to))
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }

    /// Region and service for which each request is signed.
    pub fn scopes(&self) -> Vec<String> {
        let scope = |request: &Request| {
            let signed = request.header("authorization").expect("signed").to_owned();
            let parts: Vec<&str> = signed.split('/').collect();
            format!("{}/{}", parts[2], parts[3])
        };
        self.requests().iter().map(scope).collect()
    }

    /// Method and target of each request.
    pub fn asked(&self) -> Vec<String> {
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
            if request.body.len()
                >= request.header("content-length").map_or(0, |length| length.parse().expect("a number"))
            {
                return Some(request);
            }
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    /// The answer of another server.
    pub fn forward(&self, to: &str) -> Vec<u8> {
        let path = self.target.trim_start_matches("http://").trim_start_matches(to);
        let mut text = format!("{} {path} HTTP/1.1\r\nconnection: close\r\n", self.method);
        for (name, value) in self.headers.iter().filter(|header| !header.0.contains("connection")) {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "\r\n{}", self.body);
        let mut answer = Vec::new();
        let mut stream = TcpStream::connect(to).expect("it listens");
        stream.write_all(text.as_bytes()).and_then(|()| stream.read_to_end(&mut answer)).expect("it answers");
        answer
    }
}

/// Host and port.
pub fn address(endpoint: &str) -> String {
    endpoint.trim_start_matches("http://").to_owned()
}

pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Mock\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
        .into_bytes()
}

pub fn json(status: u16, body: &serde_json::Value) -> Vec<u8> {
    answer(status, "content-type: application/json\r\n", &body.to_string())
}

pub fn not_found() -> Vec<u8> {
    answer(404, "", "")
}

// ------------------------------------------------------------------------------------------- keys and profiles

#[test]
fn keys_of_the_environment() {
    let sim = organization();
    read_as(scan().at(&sim.endpoint, ONE).run(), &user(ONE));
}

#[test]
fn keys_of_the_environment_with_a_session_token() {
    let sim = organization();
    let cli = scan().keys(&sim.endpoint, &role_key(TWO), SECRET_KEY).env("AWS_SESSION_TOKEN", &token(TWO, "FromEnv"));
    read_as(cli.run(), &role(TWO, "FromEnv"));
}

#[test]
fn without_a_profile_the_default_one_holds() {
    let sim = organization();
    let cli = scan().env("AWS_ENDPOINT_URL", &sim.endpoint);
    read_as(cli.file(".aws/credentials", &(keys("default", TWO) + &keys("other", THREE))).run(), &user(TWO));
}

#[test]
fn a_profile_of_either_file_wherever_the_files_are() {
    let sim = organization();
    let at = |cli: Cli| cli.env("AWS_ENDPOINT_URL", &sim.endpoint);
    read_as(at(scan_profile("p")).file(".aws/credentials", &keys("p", TWO)).run(), &user(TWO));
    read_as(at(scan_profile("p")).file(".aws/config", &keys("profile p", TWO)).run(), &user(TWO));

    let cli =
        at(scan_profile("p")).file("my-config", "[profile p]\nregion = eu-west-1\n").file("my-keys", &keys("p", TWO));
    let (config, credentials) = (in_home(&cli, "my-config"), in_home(&cli, "my-keys"));
    let cli = cli.env("AWS_CONFIG_FILE", &config).env("AWS_SHARED_CREDENTIALS_FILE", &credentials);
    read_as(cli.run(), &user(TWO));
}

#[test]
fn a_named_profile_wins_over_the_environment() {
    let sim = organization();
    let cli = scan_profile("p").at(&sim.endpoint, ONE).env("AWS_PROFILE", "other");
    let cli = cli.file(".aws/credentials", &(keys("p", TWO) + &keys("other", THREE)));
    read_as(cli.run(), &user(TWO));

    let cli = scan().at(&sim.endpoint, ONE).env("BUCKETLENS_PROFILE", "p");
    read_as(cli.file(".aws/credentials", &keys("p", TWO)).run(), &user(TWO));
}

/// As with the AWS CLI: `AWS_PROFILE` chooses a profile, but keys of the environment go before it.
#[test]
fn the_profile_of_the_environment() {
    let sim = organization();
    let files =
        |cli: Cli| cli.env("AWS_PROFILE", "p").file(".aws/credentials", &(keys("default", ONE) + &keys("p", TWO)));
    read_as(files(scan()).env("AWS_ENDPOINT_URL", &sim.endpoint).run(), &user(TWO));
    read_as(files(scan()).at(&sim.endpoint, THREE).run(), &user(THREE));
}

#[test]
fn several_profiles() {
    let sim = organization();
    let cli = Cli::new(["scan", "--out", "out", "--profile", "p", "--profile", "q"]).at(&sim.endpoint, ONE);
    let ran = cli.file(".aws/credentials", &(keys("p", TWO) + &keys("q", THREE))).run().expect(0);
    let accounts = ran.rows("out/accounts.csv");
    let read: Vec<_> = accounts.iter().map(|row| (row["account_id"].as_str(), row["outcome"].as_str())).collect();
    assert_eq!(read, [(TWO, "complete"), (THREE, "complete")]);
    tells_no_secret(&ran);
}

// ------------------------------------------------------------------------------------------------------- roles

#[test]
fn a_role_from_a_source_profile() {
    let sim = organization();
    let config = format!(
        "[profile p]\nrole_arn = arn:aws:iam::{TWO}:role/Auditor\nsource_profile = base\n\
         external_id = open-sesame\nrole_session_name = session\n{}",
        keys("profile base", ONE)
    );
    // Keys of the environment must not be taken for the source.
    let ran = scan_profile("p").at(&sim.endpoint, THREE).file(".aws/config", &config).run();
    read_as(ran, &role(TWO, "Auditor"));
    assert_eq!(sim.count("AssumeRole"), 1);
}

#[test]
fn a_role_from_keys_of_the_environment() {
    let sim = organization();
    let config = format!(
        "[profile p]\nrole_arn = arn:aws:iam::{TWO}:role/Auditor\ncredential_source = Environment\n\
         external_id = open-sesame\nrole_session_name = session\n"
    );
    let ran = scan_profile("p").at(&sim.endpoint, ONE).file(".aws/config", &config).run();
    read_as(ran, &role(TWO, "Auditor"));
    assert_eq!(sim.count("AssumeRole"), 1);
}

// -------------------------------------------------------------------------------------------- credential_process

#[test]
fn a_credential_process() {
    let sim = organization();
    let printed = json!({
        "Version": 1, "AccessKeyId": role_key(TWO), "SecretAccessKey": SECRET_KEY,
        "SessionToken": token(TWO, "FromProcess"), "Expiration": FUTURE
    });
    // Quoted, as a path with a space has to be.
    let cli =
        scan_profile("p").file("my tools/vault.sh", &format!("echo \"$1\" > asked\ncat <<'END'\n{printed}\nEND\n"));
    let script = in_home(&cli, "my tools/vault.sh");
    let config = format!("[profile p]\ncredential_process = sh \"{script}\" production\n");
    let ran = read_as(cli.at(&sim.endpoint, ONE).file(".aws/config", &config).run(), &role(TWO, "FromProcess"));
    assert_eq!(ran.read("asked"), "production\n");
}

// ---------------------------------------------------------------------------------------------------------- SSO

/// What `printf corp | sha1sum` says: a session's token is cached under its name,
pub const SESSION_CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
/// and without a session under its start URL.
const START_URL: &str = "http://127.0.0.1/start";
const START_URL_CACHE: &str = ".aws/sso/cache/2a76dd796461638ee53abbca9eb0f5261eca1108.json";

pub fn sso_session() -> String {
    format!(
        "[profile p]\nsso_session = corp\nsso_account_id = {TWO}\nsso_role_name = Auditor\n\
         [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = {START_URL}\nsso_registration_scopes = sso:account:access\n"
    )
}

pub fn sso_token(token: &str, expires: &str) -> String {
    json!({"startUrl": START_URL, "region": "eu-west-1", "accessToken": token, "expiresAt": expires}).to_string()
}

/// The SSO portal, which knows one token.
pub fn portal(known: &'static str) -> Mock {
    Mock::start(move |request| {
        if request.target != format!("/federation/credentials?role_name=Auditor&account_id={TWO}") {
            return not_found();
        }
        if request.header("x-amz-sso_bearer_token") != Some(known) {
            let headers = "content-type: application/json\r\nx-amzn-errortype: UnauthorizedException\r\n";
            return answer(401, headers, r#"{"message":"Session token not found or invalid"}"#);
        }
        let credentials = json!({
            "accessKeyId": role_key(TWO), "secretAccessKey": SECRET_KEY, "sessionToken": token(TWO, "FromSso"),
            "expiration": FUTURE_UNIX * 1000
        });
        json(200, &json!({"roleCredentials": credentials}))
    })
}

#[test]
fn an_sso_session() {
    let (sim, portal) = (organization(), portal("bearer-of-session"));
    let signed_in = |cli: Cli| {
        cli.env("AWS_ENDPOINT_URL", &sim.endpoint)
            .env("AWS_ENDPOINT_URL_SSO", &portal.endpoint)
            .file(".aws/config", &sso_session())
            .file(SESSION_CACHE, &sso_token("bearer-of-session", FUTURE))
    };
    read_as(signed_in(scan_profile("p")).run(), &role(TWO, "FromSso"));
    read_as(signed_in(scan()).env("AWS_PROFILE", "p").run(), &role(TWO, "FromSso"));
    assert_eq!(portal.requests().len(), 2, "one request each: {:?}", portal.asked());
}

#[test]
fn an_sso_session_whose_token_is_renewed() {
    let (sim, portal) = (organization(), portal("bearer-of-renewal"));
    let oidc = Mock::start(|request| {
        let asked: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
        if request.target == "/token" && asked["grantType"] == "refresh_token" && asked["refreshToken"] == "again" {
            json(200, &json!({"accessToken": "bearer-of-renewal", "expiresIn": 3600, "refreshToken": "once-more"}))
        } else {
            not_found()
        }
    });
    let ended = json!({
        "startUrl": START_URL, "region": "eu-west-1", "accessToken": "bearer-of-session", "expiresAt": PAST,
        "refreshToken": "again", "clientId": "client", "clientSecret": "secret", "registrationExpiresAt": FUTURE
    });
    let cli = scan_profile("p")
        .env("AWS_ENDPOINT_URL", &sim.endpoint)
        .env("AWS_ENDPOINT_URL_SSO", &portal.endpoint)
        .env("AWS_ENDPOINT_URL_SSO_OIDC", &oidc.endpoint)
        .file(".aws/config", &sso_session())
        .file(SESSION_CACHE, &ended.to_string());
    let ran = read_as(cli.run(), &role(TWO, "FromSso"));
    assert_eq!(ran.json(SESSION_CACHE)["refreshToken"], "once-more", "the AWS CLI goes on from here");
}

#[test]
fn an_sso_profile_of_the_older_form() {
    let (sim, portal) = (organization(), portal("bearer-of-url"));
    let config = format!(
        "[profile p]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\nsso_account_id = {TWO}\nsso_role_name = Auditor\n\
         services = local\n[services local]\nsso =\n  endpoint_url = {}\n",
        portal.endpoint
    );
    let cli = scan_profile("p").env("AWS_ENDPOINT_URL_S3", &sim.endpoint).env("AWS_ENDPOINT_URL_STS", &sim.endpoint);
    let cli = cli.file(".aws/config", &config).file(START_URL_CACHE, &sso_token("bearer-of-url", FUTURE));
    read_as(cli.run(), &role(TWO, "FromSso"));
}

// ------------------------------------------------------------------------------------------------- web identity

/// An STS that takes one token of an identity provider, and asks the simulator everything else.
pub fn sts(sim: &Sim) -> Mock {
    let to = address(&sim.endpoint);
    Mock::start(move |request| {
        let asks = |parameter: &str| request.body.split('&').any(|given| given == parameter);
        if !asks("Action=AssumeRoleWithWebIdentity") {
            return request.forward(&to);
        }
        if !asks("WebIdentityToken=header.payload.signature")
            || !asks(&format!("RoleArn=arn%3Aaws%3Aiam%3A%3A{TWO}%3Arole%2FCi"))
        {
            return sts_error(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account");
        }
        let (key, token) = (role_key(TWO), token(TWO, "FromWeb"));
        let credentials = format!(
            "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
             <SessionToken>{token}</SessionToken><Expiration>{FUTURE}</Expiration></Credentials>"
        );
        let body = format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult>{credentials}</AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>"
        );
        answer(200, "content-type: text/xml\r\n", &body)
    })
}

pub fn sts_error(status: u16, code: &str, message: &str) -> Vec<u8> {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    let body = format!("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">{error}</ErrorResponse>");
    answer(status, "content-type: text/xml\r\n", &body)
}

#[test]
fn a_web_identity_of_the_environment() {
    let sim = organization();
    let sts = sts(&sim);
    let cli = scan().file("token", "header.payload.signature");
    let file = in_home(&cli, "token");
    let cli = cli
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL_S3", &sim.endpoint)
        .env("AWS_ENDPOINT_URL_STS", &sts.endpoint)
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &file)
        .env("AWS_ROLE_ARN", &format!("arn:aws:iam::{TWO}:role/Ci"));
    read_as(cli.run(), &role(TWO, "FromWeb"));
}

#[test]
fn a_web_identity_of_a_profile() {
    let sim = organization();
    let sts = sts(&sim);
    let cli = scan_profile("p").file("token", "header.payload.signature");
    let config = format!(
        "[profile p]\nrole_arn = arn:aws:iam::{TWO}:role/Ci\nweb_identity_token_file = {}\n",
        in_home(&cli, "token")
    );
    let cli = cli.at(&sim.endpoint, ONE).env("AWS_ENDPOINT_URL_STS", &sts.endpoint).file(".aws/config", &config);
    read_as(cli.run(), &role(TWO, "FromWeb"));
}

// --------------------------------------------------------------------------------- containers and EC2 instances

/// What containers and instances are given.
pub fn metadata_credentials(role: &str) -> serde_json::Value {
    json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": PAST, "AccessKeyId": role_key(TWO),
        "SecretAccessKey": SECRET_KEY, "Token": token(TWO, role), "Expiration": FUTURE
    })
}

/// An ECS or EKS agent, which knows one token.
pub fn agent() -> Mock {
    Mock::start(|request| match (request.target.as_str(), request.header("authorization")) {
        ("/v1/credentials", Some("bearer-of-pod")) => json(200, &metadata_credentials("FromContainer")),
        _ => not_found(),
    })
}

#[test]
fn credentials_of_a_container() {
    let (sim, agent) = (organization(), agent());
    let inside = |cli: Cli| {
        let url = format!("{}/v1/credentials", agent.endpoint);
        cli.env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)
    };
    let ecs = inside(scan()).env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "bearer-of-pod");
    read_as(ecs.run(), &role(TWO, "FromContainer"));

    let eks = inside(scan()).file("token", "bearer-of-pod");
    let file = in_home(&eks, "token");
    read_as(eks.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file).run(), &role(TWO, "FromContainer"));
}

/// EC2's metadata service, in its second version only.
pub fn imds() -> Mock {
    Mock::start(|request| match (request.method.as_str(), request.target.as_str()) {
        ("PUT", "/latest/api/token") if request.header("x-aws-ec2-metadata-token-ttl-seconds").is_some() => {
            answer(200, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", "bearer-of-instance")
        }
        _ if request.header("x-aws-ec2-metadata-token") != Some("bearer-of-instance") => answer(401, "", ""),
        ("GET", "/latest/meta-data/placement/region") => answer(200, "", "eu-central-1"),
        ("GET", "/latest/meta-data/iam/security-credentials/") => answer(200, "", "InstanceRole"),
        ("GET", "/latest/meta-data/iam/security-credentials/InstanceRole") => {
            json(200, &metadata_credentials("FromInstance"))
        }
        _ => not_found(),
    })
}

#[test]
fn credentials_and_region_of_an_instance() {
    let (sim, imds) = (organization(), imds());
    let sts = Mock::relay(&sim);
    let inside = |cli: Cli| {
        cli.env("AWS_EC2_METADATA_DISABLED", "false")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.endpoint)
            .env("AWS_ENDPOINT_URL", &sim.endpoint)
            .env("AWS_ENDPOINT_URL_STS", &sts.endpoint)
    };
    read_as(inside(scan()).run(), &role(TWO, "FromInstance"));
    assert_eq!(sts.scopes(), ["eu-central-1/sts"]);

    let config = "[profile p]\nregion = us-west-2\nrole_arn = arn:aws:iam::333333333333:role/Auditor\n\
                  credential_source = Ec2InstanceMetadata\nrole_session_name = session\n";
    read_as(inside(scan_profile("p")).file(".aws/config", config).run(), &role(THREE, "Auditor"));
    assert_eq!(sts.scopes()[1..], ["us-west-2/sts", "us-west-2/sts"]);
}

// ---------------------------------------------------------------------------------------------------- aws login

const LOGIN_SESSION: &str = "arn:aws:iam::222222222222:user/console";
/// What `printf ARN | sha256sum` says.
const LOGIN_CACHE: &str = ".aws/login/cache/cdae40250651e71733f473154ef40d7d977c0b56f073c53374bcafc6ef9e4255.json";

/// A key of this test's own: what is signed with it goes to a mock.
const DPOP_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIH0oFWwBOV+6ThrVLYo8enSXhv8raeUyH69+n+Mk6xQLoAoGCCqGSM49\nAwEHoUQDQgAEP32HFkX89aBzNsVfM25HED0xDub6hLiozrbtaGfFeSo8PgWcurdT\nQpN87qh9V4iznyDHHJtdug4Q3EzSymwq1g==\n-----END EC PRIVATE KEY-----\n";

pub fn login_profile() -> String {
    format!("[profile p]\nlogin_session = {LOGIN_SESSION}\n")
}

fn login_token(role: &str, expires: &str) -> String {
    let credentials = json!({
        "accessKeyId": role_key(TWO), "secretAccessKey": SECRET_KEY, "sessionToken": token(TWO, role),
        "accountId": TWO, "expiresAt": expires
    });
    let token = json!({
        "accessToken": credentials, "tokenType": "aws_sigv4", "refreshToken": "again", "idToken": "a.b.c",
        "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": DPOP_KEY
    });
    token.to_string()
}

#[test]
fn a_login_session() {
    let sim = organization();
    let cli = scan_profile("p").at(&sim.endpoint, ONE).file(".aws/config", &login_profile());
    read_as(cli.file(LOGIN_CACHE, &login_token("FromLogin", FUTURE)).run(), &role(TWO, "FromLogin"));
}

/// Its credentials end every quarter of an hour: to renew them is the rule.
#[test]
fn a_login_session_whose_credentials_are_renewed() {
    let sim = organization();
    let signin = Mock::start(|request| {
        let asked: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
        let is_renewal = asked["grantType"] == "refresh_token" && asked["refreshToken"] == "again";
        if request.target != "/v1/token" || !is_renewal || request.header("dpop").is_none() {
            return not_found();
        }
        let credentials = json!({
            "accessKeyId": role_key(TWO), "secretAccessKey": SECRET_KEY, "sessionToken": token(TWO, "Renewed")
        });
        let renewed = json!({"accessToken": credentials, "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "once-more"});
        json(200, &renewed)
    });
    let cli = scan_profile("p").at(&sim.endpoint, ONE).env("AWS_ENDPOINT_URL_SIGNIN", &signin.endpoint);
    let cli = cli.file(".aws/config", &login_profile()).file(LOGIN_CACHE, &login_token("FromLogin", PAST));
    let ran = read_as(cli.run(), &role(TWO, "Renewed"));
    assert_eq!(ran.json(LOGIN_CACHE)["refreshToken"], "once-more", "the AWS CLI goes on from here");
}

// ---------------------------------------------------------------------------------------- endpoints and Regions

#[test]
fn endpoints_of_a_profile() {
    let sim = organization();
    let profile = |settings: &str| keys("profile p", TWO) + settings;
    let run = |cli: Cli, settings: &str| cli.file(".aws/config", &profile(settings)).run();
    let general = format!("endpoint_url = {}\n", sim.endpoint);
    read_as(run(scan_profile("p"), &general), &user(TWO));
    read_as(run(scan().env("AWS_PROFILE", "p"), &general), &user(TWO));

    let each = format!(
        "endpoint_url = {DEAD}\nservices = local\n\
         [services local]\ns3 =\n  endpoint_url = {0}\nsts =\n  endpoint_url = {0}\n",
        sim.endpoint
    );
    read_as(run(scan_profile("p"), &each), &user(TWO));
}

#[test]
fn endpoints_of_the_environment() {
    let sim = organization();
    let (s3, sts) = (Mock::relay(&sim), Mock::relay(&sim));
    let cli = scan().at(DEAD, ONE).env("AWS_ENDPOINT_URL_S3", &s3.endpoint).env("AWS_ENDPOINT_URL_STS", &sts.endpoint);
    read_as(cli.run(), &user(ONE));
    assert_eq!(sts.asked(), ["POST /"]);
    assert_eq!(s3.requests().len(), 3, "{:?}", s3.asked());
}

#[test]
fn the_region_is_the_one_of_the_environment_or_else_of_the_profile() {
    let sim = organization();
    let sts = Mock::relay(&sim);
    let at = |cli: Cli| {
        let config = keys("profile p", TWO) + "region = eu-west-3\n";
        cli.env("AWS_ENDPOINT_URL", &sim.endpoint)
            .env("AWS_ENDPOINT_URL_STS", &sts.endpoint)
            .file(".aws/config", &config)
    };
    read_as(at(scan_profile("p")).run(), &user(TWO));
    read_as(at(scan_profile("p")).env("AWS_REGION", "ap-south-1").run(), &user(TWO));
    read_as(at(scan_profile("p")).env("AWS_DEFAULT_REGION", "ap-south-2").run(), &user(TWO));
    read_as(at(scan()).file(".aws/config", &keys("default", TWO)).run(), &user(TWO));
    assert_eq!(sts.scopes(), ["eu-west-3/sts", "ap-south-1/sts", "ap-south-2/sts", "us-east-1/sts"]);
}

// ------------------------------------------------------------------------------------- proxies and certificates

#[test]
fn a_proxy_for_http() {
    let sim = organization();
    let proxy = Mock::relay(&sim);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let before = proxy.requests().len();
        read_as(scan().at(&sim.endpoint, ONE).env(name, &proxy.endpoint).run(), &user(ONE));
        let through = proxy.asked().split_off(before);
        assert_eq!(through.len(), 4, "{name}: {through:?}");
        let absolute = through.iter().all(|asked| asked.contains(&format!(" {}/", sim.endpoint)));
        assert!(absolute, "a proxy is told the whole URL: {through:?}");
    }
}

#[test]
fn no_proxy_goes_around_it() {
    let sim = organization();
    let proxy = Mock::relay(&sim);
    let (here, by_name) = (address(&sim.endpoint), sim.endpoint.replace("127.0.0.1", "localhost"));
    let exceptions = [
        ("127.0.0.1", &sim.endpoint),
        ("example.com, 127.0.0.0/8", &sim.endpoint),
        ("example.com,localhost", &by_name),
        ("*", &by_name),
        ("*", &sim.endpoint),
        ("example.com *", &sim.endpoint),
        (here.as_str(), &sim.endpoint),
        (".localhost", &by_name),
        ("LOCALHOST", &by_name),
    ];
    for (exception, endpoint) in exceptions {
        let cli = scan().at(endpoint, ONE).env("HTTP_PROXY", &proxy.endpoint).env("NO_PROXY", exception);
        read_as(cli.run(), &user(ONE));
    }
    assert_eq!(proxy.asked(), [""; 0]);
}

/// What they answer is for this machine alone.
#[test]
fn containers_and_instances_are_never_asked_through_a_proxy() {
    let (sim, agent, imds) = (organization(), agent(), imds());
    let proxy = Mock::relay(&sim);
    let cli = scan()
        .env("AWS_ENDPOINT_URL", &sim.endpoint)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}/v1/credentials", agent.endpoint))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "bearer-of-pod")
        .env("HTTP_PROXY", &proxy.endpoint);
    read_as(cli.run(), &role(TWO, "FromContainer"));
    let cli = scan()
        .env("AWS_ENDPOINT_URL", &sim.endpoint)
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.endpoint)
        .env("ALL_PROXY", &proxy.endpoint);
    read_as(cli.run(), &role(TWO, "FromInstance"));
    assert_eq!(proxy.requests().len(), 8, "{:?}", proxy.asked());
    let to_the_sim = |asked: &String| asked.contains(&sim.endpoint);
    assert!(proxy.asked().iter().all(to_the_sim), "{:?}", proxy.asked());
}

#[test]
fn a_proxy_for_https_is_asked_for_a_tunnel_with_its_password() {
    let proxy = Mock::start(|_| answer(502, "", ""));
    let with_password = proxy.endpoint.replace("http://", "http://me:bearer-of-proxy@");
    let cli = scan().keys("https://sts.example.com", &access_key(ONE), SECRET_KEY).env("HTTPS_PROXY", &with_password);
    let problem = problem(cli.run());
    assert!(problem.contains("GetCallerIdentity unavailable"), "{problem}");
    let asked = proxy.requests().remove(0);
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("CONNECT", "sts.example.com:443"));
    assert_eq!(asked.header("proxy-authorization"), Some("Basic bWU6YmVhcmVyLW9mLXByb3h5"));
}

#[test]
fn a_bundle_of_certificates_that_cannot_be_used() {
    let sim = organization();
    let section = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let table = [
        (None, "No such file or directory"),
        (Some(String::new()), "it holds no certificate in PEM form"),
        (Some("<html>Sign in to the network</html>".to_owned()), "it holds no certificate in PEM form"),
        (Some(section("MAMCAQE=") + &section("???")), "certificate 2 in it is damaged"),
        (Some(section("MAMCAQE=") + &section("MBADAgEBAA==")), "certificate 2 in it is damaged"),
        (Some("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n".to_owned()), "certificate 1 in it is damaged"),
    ];
    for (text, why) in table {
        let cli = scan().at(&sim.endpoint, ONE).env("AWS_CA_BUNDLE", "ca.pem");
        let ran = match &text {
            Some(text) => cli.file("ca.pem", text).run(),
            None => cli.run(),
        };
        let problem = problem(ran);
        assert!(problem.starts_with("error: failed to use the CA bundle ca.pem (AWS_CA_BUNDLE): "), "{problem}");
        assert!(problem.contains(why), "{text:?}: {problem}");
        assert!(
            problem.contains("help: name a file with certificates in PEM form, or unset AWS_CA_BUNDLE"),
            "{problem}"
        );
    }
}

/// An empty variable is as good as none, as with the AWS CLI.
#[test]
fn an_empty_name_of_a_bundle_is_none() {
    let sim = organization();
    read_as(scan().at(&sim.endpoint, ONE).env("AWS_CA_BUNDLE", "").run(), &user(ONE));
}

// --------------------------------------------------------------------------------------------------------- demo

#[test]
fn the_demo_knows_nothing_of_all_this() {
    let demo = || Cli::new(["demo", "--out", "out"]);
    let proxy = Mock::start(|_| answer(502, "", ""));
    let misled = [
        ("AWS_PROFILE", "nobody"),
        ("AWS_REGION", "not a region"),
        ("AWS_ACCESS_KEY_ID", "half"),
        ("AWS_CA_BUNDLE", "nowhere.pem"),
        ("AWS_CONFIG_FILE", "/nowhere/config"),
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("BUCKETLENS_CONFIG", "nowhere.toml"),
        ("BUCKETLENS_CONCURRENCY", "none"),
        ("BUCKETLENS_FAIL_ON", "info"),
        ("BUCKETLENS_FORMAT", "csv"),
        ("BUCKETLENS_NO_SUCH_OPTION", "1"),
    ];
    let to_the_proxy = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ];
    let cli = misled.iter().fold(demo(), |cli, (name, value)| cli.env(name, value));
    let cli = to_the_proxy.iter().fold(cli, |cli, name| cli.env(name, &proxy.endpoint));
    let cli = cli.file(".aws/config", "[profile").file(".aws/credentials", "]").file("bucketlens.toml", "nonsense");
    let (ran, clean) = (cli.run().expect(0), demo().run().expect(0));
    assert_eq!(ran.stderr, "");
    for file in ["accounts.csv", "metrics.csv"] {
        let path = format!("out/{file}");
        assert_eq!(ran.read(&path), clean.read(&path), "{file}");
    }
    assert!(ran.path("out/report.json").exists());
    assert_eq!(proxy.asked(), [""; 0]);
}

// ------------------------------------------------------------------------------------------------- what is wrong

/// One sentence, and what to do.
#[track_caller]
pub fn one_sentence(ran: Ran) -> String {
    let problem = problem(ran);
    let lines: Vec<&str> = problem.split_inclusive('\n').collect();
    let [error, help] = lines[..] else { panic!("{} lines:\n{problem}", lines.len()) };
    assert!(error.starts_with("error: ") && help.starts_with("  help: "), "{problem}");
    assert!(!problem.contains("{ ") && !problem.contains("Some("), "debug output: {problem}");
    problem
}

#[track_caller]
pub fn says(problem: &str, words: &[&str]) {
    for words in words {
        assert!(problem.contains(words), "{words:?} is not in\n{problem}");
    }
}

#[test]
fn no_credentials_at_all() {
    let sim = organization();
    let problem = problem(scan().env("AWS_ENDPOINT_URL", &sim.endpoint).run());
    says(&problem, &["error: failed to find out whose credentials these are", "GetCallerIdentity credentials"]);
    says(&problem, &["help: give credentials as for the AWS CLI", "`aws sso login`", "AWS_ACCESS_KEY_ID", "--profile"]);
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

#[test]
fn credentials_that_have_expired_or_that_nobody_knows() {
    let sim = organization();
    let expired = format!("simulated:{TWO}:1000000000:session:Auditor");
    let cli = scan().keys(&sim.endpoint, &role_key(TWO), SECRET_KEY).env("AWS_SESSION_TOKEN", &expired);
    let problem = one_sentence(cli.run());
    says(&problem, &["ExpiredToken, HTTP 403", "The security token included in the request is expired"]);
    says(&problem, &["log in again if they have expired"]);

    let problem = one_sentence(scan().at(&sim.endpoint, "999999999999").run());
    says(&problem, &["InvalidClientTokenId, HTTP 403", "help: give credentials as for the AWS CLI"]);
    assert_eq!(sim.count("GetCallerIdentity"), 2, "such an answer is final");
}

#[test]
fn a_profile_that_is_not_there() {
    let sim = organization();
    let files = keys("default", ONE) + &keys("profile dev", TWO);
    let problem = one_sentence(scan_profile("nobody").at(&sim.endpoint, ONE).file(".aws/config", &files).run());
    insta::assert_snapshot!(problem, @r#"
    error: the AWS configuration has no profile "nobody"; it has default, dev
      help: name one of these with --profile, or add it to ~/.aws/config
    "#);
    let problem = one_sentence(scan_profile("nobody").at(&sim.endpoint, ONE).run());
    says(&problem, &[r#"no profile "nobody"; it has none"#]);

    // In this file its section has another form.
    let files = keys("default", ONE) + &keys("nobody", TWO);
    let problem = one_sentence(scan_profile("nobody").at(&sim.endpoint, ONE).file(".aws/config", &files).run());
    says(&problem, &["[nobody] in HOME/.aws/config has to be [profile nobody]"]);
    let cli = scan_profile("nobody").at(&sim.endpoint, ONE).env("AWS_CONFIG_FILE", "elsewhere");
    says(&one_sentence(cli.run()), &["it has none (in elsewhere)"]);

    // The SDK would go on with whatever else it finds.
    let files = keys("default", ONE) + &keys("profile dev", TWO);
    let chosen = |cli: Cli| cli.env("AWS_PROFILE", "nobody").file(".aws/config", &files);
    for cli in [chosen(scan()).env("AWS_ENDPOINT_URL", &sim.endpoint), chosen(scan()).at(&sim.endpoint, ONE)] {
        says(&one_sentence(cli.run()), &[r#"no profile "nobody"; it has default, dev"#, "AWS_PROFILE"]);
    }
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

/// Its Region and endpoint would be passed over: what is meant for another server would go to AWS.
#[test]
fn a_file_that_cannot_be_read() {
    let sim = organization();
    let config = "[default]\nregion = eu-west-1\n[profile p\n";
    for cli in [scan(), scan_profile("p")] {
        let problem = one_sentence(cli.at(&sim.endpoint, ONE).file(".aws/config", config).run());
        says(&problem, &["error parsing HOME/.aws/config on line 3: Profile definition must end with ']'"]);
    }
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

#[test]
fn a_credential_process_that_fails() {
    let table = [
        ("sh -c \"echo the vault is locked >&2; exit 3\"", "exit status: 3; run the credential_process by hand"),
        ("/nowhere/vault", "exit status: 127; run the credential_process by hand"),
        ("echo hello", "could not parse response"),
        ("echo {\\\"Version\\\": 1}", "AccessKeyId"),
    ];
    for (command, why) in table {
        let config = format!("[profile p]\nregion = us-east-1\ncredential_process = {command}\n");
        let problem = problem(scan_profile("p").at(DEAD, ONE).file(".aws/config", &config).run());
        says(&problem, &["none of the profiles can be used: profile p: ", why]);
        assert!(!problem.contains("vault is locked"), "it may print anything: {problem}");
    }
}

#[test]
fn an_sso_session_that_has_ended() {
    let portal = portal("bearer-of-session");
    let cli = || scan_profile("p").at(DEAD, ONE).env("AWS_ENDPOINT_URL_SSO", &portal.endpoint);
    let log_in = "log in again (`aws sso login --profile NAME`)";

    let never = one_sentence(cli().file(".aws/config", &sso_session()).run());
    says(&never, &["profile p: ", "failed to load the cached SSO token", log_in]);

    let over = cli().file(".aws/config", &sso_session()).file(SESSION_CACHE, &sso_token("bearer-of-session", PAST));
    says(&one_sentence(over.run()), &["profile p: ", "the SSO token has expired and cannot be refreshed", log_in]);
    assert_eq!(portal.asked(), [""; 0]);

    // The portal knows that it ended; nobody else does.
    let ended = cli().file(".aws/config", &sso_session()).file(SESSION_CACHE, &sso_token("bearer-of-nobody", FUTURE));
    says(&one_sentence(ended.run()), &["profile p: ", "Session token not found or invalid", log_in]);

    let chosen = scan().env("AWS_PROFILE", "p").env("AWS_ENDPOINT_URL", DEAD).file(".aws/config", &sso_session());
    let problem = one_sentence(chosen.file(SESSION_CACHE, &sso_token("bearer-of-session", PAST)).run());
    says(&problem, &["the SSO token has expired", "`aws sso login`", "log in again if they have expired"]);

    let nameless = sso_session().replace("[sso-session corp]", "[sso-session other]");
    let problem = one_sentence(cli().file(".aws/config", &nameless).run());
    says(
        &problem,
        &[r#"the profile "p" (HOME/.aws/config) cannot be used"#, r#"sso-session named "corp" does not exist"#],
    );
}

#[test]
fn a_login_session_that_has_ended() {
    let signin = Mock::start(|_| {
        let headers = "content-type: application/json\r\nx-amzn-errortype: AccessDeniedException\r\n";
        answer(401, headers, r#"{"error":"TOKEN_EXPIRED","message":"The token has expired"}"#)
    });
    let cli = || {
        let cli = scan_profile("p").at(DEAD, ONE).env("AWS_ENDPOINT_URL_SIGNIN", &signin.endpoint);
        cli.file(".aws/config", &login_profile())
    };
    let never = one_sentence(cli().run());
    says(&never, &[&format!("failed to read `HOME/{LOGIN_CACHE}`"), "log in again"]);
    let over = one_sentence(cli().file(LOGIN_CACHE, &login_token("FromLogin", PAST)).run());
    says(&over, &["Your session has expired. Please reauthenticate.", "log in again"]);
}

#[test]
fn a_role_of_a_profile_that_cannot_be_assumed() {
    let sim = organization();
    let arn = format!("role_arn = arn:aws:iam::{TWO}:role/Nobody\nexternal_id = open-sesame\n");
    let base = keys("profile base", ONE);
    let config = format!("[profile p]\n{arn}source_profile = base\n{base}");
    let problem = problem(scan_profile("p").at(&sim.endpoint, ONE).file(".aws/config", &config).run());
    says(&problem, &["none of the profiles can be used: profile p: ", "not authorized to perform: sts:AssumeRole"]);
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

#[test]
fn a_web_identity_that_is_refused() {
    let sim = organization();
    let sts = sts(&sim);
    let cli = || {
        let cli = scan().file("token", "header.other.signature").env("AWS_REGION", "us-east-1");
        let cli = cli.env("AWS_ENDPOINT_URL", &sts.endpoint);
        cli.env("AWS_ROLE_ARN", &format!("arn:aws:iam::{TWO}:role/Ci"))
    };
    let refused = problem(cli().env("AWS_WEB_IDENTITY_TOKEN_FILE", "token").run());
    says(&refused, &["No OpenIDConnect provider found in your account"]);
    let missing = one_sentence(cli().env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token").run());
    says(&missing, &["No such file or directory"]);
}

#[test]
fn an_agent_or_instance_without_a_role() {
    let sim = organization();
    let agent = agent();
    let url = format!("{}/v1/credentials", agent.endpoint);
    let cli = scan().env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url);
    says(&problem(cli.run()), &["GetCallerIdentity credentials", "help: give credentials as for the AWS CLI"]);

    let elsewhere = "http://192.0.2.1/credentials";
    let cli = scan().env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", elsewhere);
    says(&one_sentence(cli.run()), &["URI did not refer to an allowed IP address", elsewhere]);

    let imds = Mock::start(|request| match request.method.as_str() {
        "PUT" => answer(200, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", "bearer-of-instance"),
        _ => not_found(),
    });
    let cli = scan().env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_ENDPOINT_URL", &sim.endpoint);
    let problem = problem(cli.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.endpoint).run());
    says(&problem, &["received 404 from IMDS", "help: give credentials as for the AWS CLI"]);
}

#[test]
fn an_endpoint_that_refuses() {
    let start = Instant::now();
    let problem = one_sentence(scan().at(DEAD, ONE).run());
    says(&problem, &["GetCallerIdentity unavailable", "Connection refused"]);
    says(&problem, &["help: check the network, AWS_REGION and AWS_ENDPOINT_URL", "--account-id"]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());

    let proxied = scan().keys("http://s3.example.com", &access_key(ONE), SECRET_KEY).env("HTTP_PROXY", DEAD);
    says(&one_sentence(proxied.run()), &["GetCallerIdentity unavailable", "Connection refused"]);
}

#[test]
fn a_region_that_is_none() {
    let sim = organization();
    for nonsense in ["not a region", "us-east-1!", "-us-east-1", "https://eu-west-1", "us-east-1\n"] {
        let words = format!("{nonsense:?} is not the name of a Region: correct AWS_REGION");
        let cli = scan().at(&sim.endpoint, ONE).env("AWS_REGION", nonsense);
        says(&one_sentence(cli.run()), &[&words]);
        let cli = Cli::new(["scan", "--out", "out", "--account-id", ONE]).at(&sim.endpoint, ONE);
        says(&one_sentence(cli.env("AWS_REGION", nonsense).run()), &[&words]);
    }
    let config = keys("profile p", ONE) + "region = Ireland (eu-west-1)\n";
    let problem = one_sentence(scan_profile("p").file(".aws/config", &config).run());
    says(&problem, &[r#""Ireland (eu-west-1)" is not the name of a Region"#, "or region in the profile"]);
    assert_eq!(sim.count("GetCallerIdentity") + sim.count("ListBuckets"), 0);
}

/// At some of them the SDK panics, and not only where the program itself asks.
#[test]
fn an_endpoint_that_is_none() {
    let sim = organization();
    for nonsense in [" ", "not a url", "localhost:9000", "http://", "ftp://127.0.0.1/"] {
        for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3"] {
            let words = format!("{nonsense:?} is no URL (http://host:port): correct AWS_ENDPOINT_URL");
            says(&one_sentence(scan().at(&sim.endpoint, ONE).env(name, nonsense).run()), &[&words]);
        }
    }
    let config = format!("{}endpoint_url =\n", keys("profile p", ONE));
    let problem = one_sentence(scan_profile("p").file(".aws/config", &config).run());
    says(&problem, &["is no URL", "or endpoint_url in the profile"]);

    let named = Cli::new(["scan", "--out", "out", "--account-id", ONE]).at("none", ONE);
    says(&one_sentence(named.run()), &["is no URL"]);

    let role = format!("[profile p]\nrole_arn = arn:aws:iam::{TWO}:role/Auditor\ncredential_source = Environment\n");
    says(&one_sentence(scan_profile("p").at("none", ONE).file(".aws/config", &role).run()), &["is no URL"]);
    let portal = scan_profile("p").at(&sim.endpoint, ONE).env("AWS_ENDPOINT_URL_SSO", "none");
    let portal =
        portal.file(".aws/config", &sso_session()).file(SESSION_CACHE, &sso_token("bearer-of-session", FUTURE));
    says(&one_sentence(portal.run()), &["is no URL"]);
}
