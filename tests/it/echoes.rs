//! Servers that repeat what they are told in confidence, in every field of every answer: nobody else hears of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use bucketlens::simulator::{SECRET_KEY, access_key, root_access_key};
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim, files};
use crate::hostile::all_output;
use crate::plan;
use crate::proxy::{Answer, Proxy, Request};
use crate::scan::{MANAGEMENT, good, management, organization, scan, with};
use crate::untrusted::{kind, leaves, poisoned};

const MEMBER: &str = "222222222222";
const TOKEN: &str = "token-of-the-environment/0123456789+AbCdEf==";
const EXTERNAL_ID: &str = "sesame-0815-sesame";
const CODE: &str = "314159";

fn guarded() -> Sim {
    let rule = json!([{"ID": "tidy", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 9}}]);
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow", "Principal": "*",
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::full/*"}]});
    let full = json!({"name": "full", "region": "us-east-1", "versioning": "Enabled", "lifecycle": rule, "policy": policy,
        "tags": {"team": "blue"}, "replication": [{"id": "copy", "destination": "arn:aws:s3:::one"}]});
    let member = json!({"id": MEMBER, "name": "Member", "ou": "r-test", "external_id": EXTERNAL_ID});
    let member = with(member, &json!({"buckets": [good("one")]}));
    let own = management(&json!({"buckets": [full]}));
    Sim::json(&organization(&json!([own, member])).to_string())
}

/// As loud as it can be made, with everything read.
fn run(endpoint: &str) -> Ran {
    let more = ["--organization", "--external-id", EXTERNAL_ID, "--max-attempts", "1", "--with", "protection"];
    let loud = ["--group-by-tag", "team", "--log-level", "trace", "--allow-unknown"];
    let cli = scan(more.into_iter().chain(loud)).at(endpoint, MANAGEMENT);
    cli.env("AWS_SESSION_TOKEN", TOKEN).env("RUST_LOG", "trace").run()
}

/// All that the program was told, and that this server was told in the request.
fn secrets(request: &Request) -> Vec<String> {
    let key = request.header("authorization").and_then(|it| it.split(['=', '/']).nth(1)).unwrap_or_default();
    let token = request.header("x-amz-security-token").unwrap_or_default();
    let all = [SECRET_KEY, TOKEN, EXTERNAL_ID, key, token];
    all.into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// What nobody may hear: also what is left of a token when its end is cut off.
#[track_caller]
fn assert_silent(of: &str, ran: &Ran) {
    let keys = [access_key(MANAGEMENT), access_key(MEMBER).replace("AKIA", "ASIA")];
    let secrets = [SECRET_KEY, TOKEN, EXTERNAL_ID, "simulated:", &keys[0], &keys[1]];
    for (name, text) in all_output(ran) {
        for secret in secrets {
            let at = text.find(secret);
            let near =
                at.map(|at| text[..at].chars().rev().take(80).collect::<Vec<_>>().iter().rev().collect::<String>());
            assert!(at.is_none(), "{of}: {secret} stands in {name}, behind {near:?}");
        }
    }
}

fn encoded(secret: &str, how: usize) -> String {
    let bytes = secret.bytes();
    match how % 5 {
        0 => secret.to_owned(),
        1 => bytes.map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat(),
        2 => secret.chars().flat_map(|c| [c, ' ']).collect(),
        3 => bytes.map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        _ => secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<Vec<_>>().concat(),
    }
}

#[test]
fn no_failure_tells_what_a_server_repeats() {
    let sim = guarded();
    let operations = [
        "GetCallerIdentity",
        "AssumeRole",
        "ListAccounts",
        "ListTagsForResource",
        "ListBuckets",
        "GetBucketVersioning",
        "GetBucketLifecycleConfiguration",
        "GetBucketPolicy",
        "GetObjectLockConfiguration",
        "GetBucketReplication",
        "GetBucketTagging",
    ];
    for (number, operation) in operations.into_iter().enumerate() {
        for (place, status) in [403, 400, 503, 301].into_iter().enumerate() {
            let proxy = Proxy::before(&sim, move |request, forward| {
                if request.operation() != operation {
                    return forward();
                }
                let told: Vec<String> = secrets(request).iter().map(|it| encoded(it, number + place)).collect();
                let one = told.iter().find(|it| it.contains("AKIA") || it.contains("ASIA")).unwrap_or(&told[0]);
                let all = told.join(" ").replace('&', "&amp;");
                let error = format!(
                    "<Error><Code>{one}</Code><Message>{all}</Message><Region>{one}</Region><RequestId>{all}</RequestId></Error>"
                );
                let answer = match operation {
                    "AssumeRole" | "GetCallerIdentity" => {
                        Answer::xml(status, &format!("<ErrorResponse>{error}</ErrorResponse>"))
                    }
                    "ListAccounts" | "ListTagsForResource" => {
                        let body = json!({"__type": one, "message": all, "Message": all}).to_string();
                        Answer { status, headers: Vec::new(), body }
                    }
                    _ => Answer::xml(status, &error),
                };
                let headers =
                    ["x-amz-request-id", "x-amzn-requestid", "x-amz-id-2", "x-amz-bucket-region", "x-amzn-errortype"];
                headers
                    .into_iter()
                    .fold(Answer { headers: Vec::new(), ..answer }, |answer, name| answer.header(name, one))
                    .header("location", &format!("http://127.0.0.1:9/{one}"))
            });
            let ran = run(&proxy.endpoint);
            assert!([0, 2].contains(&ran.code), "{operation}: {}", ran.stderr);
            assert_silent(&format!("{operation} {status}"), &ran);
        }
    }
}

#[test]
fn no_answer_that_repeats_a_secret_is_kept() {
    let sim = guarded();
    let answers = Arc::new(Mutex::new(BTreeMap::<String, BTreeSet<String>>::new()));
    let seen = Arc::clone(&answers);
    let proxy = Proxy::before(&sim, move |request, forward| {
        let answer = forward();
        seen.lock().expect("no panic").entry(kind(request, &answer)).or_default().extend(leaves(&answer));
        answer
    });
    let ran = run(&proxy.endpoint).expect(0);
    assert_silent("nothing", &ran);
    assert!(all_output(&ran).iter().any(|(name, _)| name.contains("inventory")), "the journal was searched");
    let answers = answers.lock().expect("no panic").clone();
    for (operation, leaf) in
        answers.iter().flat_map(|(operation, leaves)| leaves.iter().map(move |leaf| (operation, leaf)))
    {
        // Nobody reads these.
        if ["header content-type", "header date", "header x-amz-id-2", "header server"].contains(&leaf.as_str()) {
            continue;
        }
        let (of, what) = (operation.clone(), leaf.clone());
        let proxy = Proxy::before(&sim, move |request, forward| {
            let answer = forward();
            if kind(request, &answer) != of {
                return answer;
            }
            // Each in turn: the first that is found may not hide the others.
            let told = secrets(request);
            let told = &told[what.len() % told.len()];
            poisoned(answer, &what, told)
        });
        let ran = run(&proxy.endpoint);
        assert!([0, 2].contains(&ran.code), "{operation} {leaf}: {}", ran.stderr);
        assert_silent(&format!("{operation} {leaf}"), &ran);
    }
}

/// What an honest server tells of a user is read, also where a user is called by the id of the access key.
#[test]
fn an_owner_that_is_named_by_the_access_key_is_no_leak() {
    let sim = guarded();
    let proxy = Proxy::before(&sim, |request, forward| match request.operation() {
        "ListBuckets" => {
            let key =
                request.header("authorization").and_then(|it| it.split(['=', '/']).nth(1)).expect("signed").to_owned();
            poisoned(poisoned(forward(), "ID", &key), "DisplayName", &key)
        }
        _ => forward(),
    });
    let ran = run(&proxy.endpoint).expect(0);
    assert_eq!(ran.rows("out/buckets.csv").len(), 2, "{}", ran.stderr);
    assert_silent("the owner", &ran);
}

// --- codes ---

/// The same code as a server may write it.
fn codes() -> [&'static str; 5] {
    [CODE, "314 159", "3-1-4-1-5-9", "%33%31%34%31%35%39", "MzE0MTU5"]
}

#[test]
fn no_code_reaches_a_file_by_way_of_a_server() {
    let device = json!({"serial": "GAHT12345678", "codes": [CODE]});
    let own = management(&json!({"buckets": [{"name": "plain", "region": "us-east-1", "versioning": "Enabled"}],
        "mfa_device": device}));
    for (number, told) in codes().into_iter().enumerate() {
        for status in [200, 403, 400, 500, 301] {
            let sim = Sim::json(&organization(&json!([own])).to_string());
            let sent = Arc::new(Mutex::new(false));
            let proxy = Proxy::before(&sim, move |request, forward| {
                let mut sent = sent.lock().expect("no panic");
                *sent |= request.operation() == "PutBucketVersioning";
                if !*sent {
                    return forward();
                }
                let error =
                    format!("<Error><Code>X{told}</Code><Message>a {told} b</Message><Region>{told}</Region></Error>");
                let answer = match (request.operation(), number % 2) {
                    ("PutBucketVersioning", _) if status == 200 => {
                        Answer { headers: Vec::new(), ..Answer::xml(200, "") }
                    }
                    ("GetBucketVersioning", 0) => Answer::xml(
                        200,
                        &format!("<VersioningConfiguration><Status>{told}</Status></VersioningConfiguration>"),
                    ),
                    _ => Answer { headers: Vec::new(), ..Answer::xml(status.max(400), &error) },
                };
                let headers = ["x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region"];
                let answer = headers.into_iter().fold(answer, |answer, name| answer.header(name, told));
                answer.header("location", &format!("http://127.0.0.1:9/{told}"))
            });
            let words = "mfa-delete enable plain --mfa-serial GAHT12345678 --apply --code-from-stdin --wait 0 --log-level trace";
            let cli = Cli::new(words.split(' ')).keys(&proxy.endpoint, &root_access_key(MANAGEMENT), SECRET_KEY);
            let ran = cli.run_with(&format!("{CODE}\n"));
            let record = ran.read("reports/mfa-delete.jsonl");
            assert!(record.lines().count() == 2, "{record}");
            for (name, text) in [("record", &record), ("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
                for code in codes() {
                    assert!(!text.contains(code), "{told} {status}: {code} stands in {name}: {text}");
                }
            }
            let all = files(&ran.path("."));
            assert_eq!(all, ["reports/mfa-delete.jsonl"], "nothing else is written");
        }
    }
}

/// An `aws` that says everything that it is told, and looks whether a code stands in a file already.
const AWS: &str = r#"#!/bin/sh
grep -r -q -e 314159 -e '314 159' "$HOME/tmp" "$HOME/saved" 2>/dev/null && echo yes >"$HOME/leaked"
case "$*" in
  *'configure get cli_history'*) cat "$HOME/history" 2>/dev/null; exit ;;
  *get-bucket-lifecycle*) echo 'An error occurred (NoSuchLifecycleConfiguration) when calling' >&2; exit 254 ;;
  *get-object-lock*) echo 'An error occurred (ObjectLockConfigurationNotFoundError) when calling' >&2; exit 254 ;;
  *put-bucket-versioning*) echo "An error occurred (AccessDenied): $* 314 159" | tee "$HOME/tmp/../told" >&2; exit 254 ;;
  *get-bucket-versioning*)
    if [ -e "$HOME/told" ]; then rm "$HOME/told"; echo '314159 314 159'; echo '314159' >&2; else printf 'Enabled\tDisabled\n'; fi ;;
esac
"#;

#[test]
fn no_code_reaches_a_file_by_way_of_a_plan() {
    let sim = plan::organization();
    let ran = plan::scan(&sim, "--with protection").expect(3);
    let desk = ran.path("desk");
    for folder in ["tmp", "saved"] {
        fs::create_dir_all(desk.join(folder)).expect("a folder");
    }
    fs::write(desk.join("aws"), AWS).expect("writable");
    fs::set_permissions(desk.join("aws"), fs::Permissions::from_mode(0o755)).expect("a program");
    fs::write(desk.join("plan.sh"), plan::plan(&ran.path("out"), "--format sh").expect(3).stdout).expect("writable");
    let shell = |arguments: &[&str]| {
        use std::io::Write;
        let mut shell = Command::new("/bin/sh");
        shell.args(arguments).current_dir(&desk).env_clear().env("HOME", &desk).env("MFA_SERIAL", "GAHT12345678");
        shell.env("PATH", format!("{}:/usr/bin:/bin", desk.display())).env("TMPDIR", desk.join("tmp"));
        shell.env("SAVE", desk.join("saved")).env("WAIT", "2").env("HISTFILE", desk.join("history-of-the-shell"));
        shell.env("SKIP_ROOT_CHECK", "111111111111").env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().expect("a shell");
        let _ = child.stdin.take().expect("a pipe").write_all(format!("{CODE}\n").as_bytes());
        let output = child.wait_with_output().expect("a child");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let said = shell(&["plan.sh", "enable", "plain"]);
    assert!(said.contains("A code of GAHT12345678") && said.contains("STOP: "), "{said}");
    assert!(!said.contains(CODE) && !said.contains("314 159"), "{said}");
    assert!(!desk.join("leaked").exists(), "a code was in a file");
    let _ = fs::remove_file(desk.join("told"));
    // With it the AWS CLI would write its arguments to a file.
    fs::write(desk.join("history"), "enabled\n").expect("writable");
    let said = shell(&["plan.sh", "enable", "plain"]);
    assert!(said.contains("STOP: cli_history is enabled") && !said.contains("A code of"), "{said}");

    // What is pasted asks for the code, and no shell keeps it.
    let markdown = plan::plan(&ran.path("out"), "").expect(3).stdout;
    let puts: Vec<&str> =
        markdown.lines().map(str::trim).filter(|line| line.contains("put-bucket-versioning")).collect();
    assert!(
        !puts.is_empty() && puts.iter().all(|put| put.starts_with("printf 'Code: ' && read -r CODE && aws ")),
        "{puts:?}"
    );
    let said = shell(&["-c", puts[0]]);
    assert!(said.starts_with("Code: ") && said.contains(&format!("GAHT12345678 {CODE}")), "{said}");
    let document: Value =
        serde_json::from_str(&plan::plan(&ran.path("out"), "--format json").expect(3).stdout).expect("JSON");
    assert!(!document.to_string().contains("$MFA_SERIAL CODE"));
}
