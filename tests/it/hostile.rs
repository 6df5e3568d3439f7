//! An organization that means harm: whatever names, ids and words it holds, terminal, tables, JSON and logs stay harmless,
//! and what was told in confidence is told to nobody.

use std::fs;

use bucketlens::simulator::{SECRET_KEY, access_key};
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Row, Sim};
use crate::proxy::{Answer, Proxy};
use crate::scan::{MANAGEMENT, good, management, organization, scan, with};

const MEMBER: &str = "222222222222";

/// Names that drive terminals, open spreadsheets, or hide what they are.
fn evil() -> Vec<String> {
    let mut names: Vec<String> = [
        "\u{1b}[2J\u{1b}[1;1Hcleared",
        "\u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\",
        "\u{1b}]0;title\u{7}",
        "\u{9b}31mC1",
        "\u{8}\u{8}\u{8}backspaced",
        "nul\0nul",
        "line\nERROR forged\r\nline",
        "\u{85}\u{2028}\u{2029}lines",
        "<script>alert(1)</script>&amp;\"'",
        "=HYPERLINK(\"https://evil.example\",\"x\")",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "\u{202e}gpj.exe\u{2066}x\u{2069}\u{200f}\u{61c}",
        "zero\u{200b}\u{200d}\u{2060}\u{feff}width\u{ad}",
        "tags\u{e0041}\u{e007f}",
        "quoted\",\"cell\";x",
    ]
    .map(str::to_owned)
    .into();
    names.push("x".repeat(10_000));
    names.push("\u{1b}[31m".repeat(2_000));
    names
}

/// What no output may hold, but for the ends of lines.
pub fn is_harmful(c: char) -> bool {
    let hidden = ['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}'].contains(&c)
        || ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{e0000}'..='\u{e007f}']
            .iter()
            .any(|range| range.contains(&c));
    (c.is_control() && c != '\n') || hidden
}

#[track_caller]
fn assert_text(name: &str, text: &str) {
    if let Some(at) = text.find(is_harmful) {
        let begin = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        panic!("{name}: {:?}", text[begin..].chars().take(120).collect::<String>());
    }
}

/// Every byte that people or spreadsheets read.
#[track_caller]
fn assert_harmless(ran: &Ran) {
    assert_text("stdout", &ran.stdout);
    assert_text("stderr", &ran.stderr);
    if !ran.path("out/report.json").exists() {
        return;
    }
    assert_text("report.json", &ran.read("out/report.json"));
    for table in ["accounts", "buckets", "findings", "metrics"] {
        let file = format!("out/{table}.csv");
        assert_text(&file, &ran.read(&file));
        for cell in ran.rows(&file).into_iter().flat_map(Row::into_values) {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{file}: {cell:?}");
            assert!(!cell.contains('\n'), "{file}: {cell:?}");
        }
    }
}

/// As a person sees it, and with the logs of every level in both formats.
fn in_all_ways(run: impl Fn(&[&str]) -> Ran) -> Vec<Ran> {
    let loud = ["--log-level", "trace", "--log-format"];
    let ways = [vec![], [&loud[..], &["text"]].concat(), [&loud[..], &["json"]].concat()];
    let runs: Vec<Ran> = ways.iter().map(|way| run(way)).collect();
    for ran in &runs {
        assert_harmless(ran);
    }
    for line in runs[2].stderr.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    runs
}

fn scan_organization(endpoint: &str, ways: &[&str]) -> Ran {
    scan(["--organization"].iter().chain(ways).copied()).at(endpoint, MANAGEMENT).run()
}

// --- names, ids, words ---

#[test]
fn names_of_accounts_and_rules_do_no_harm() {
    let mut accounts = vec![management(&json!({}))];
    for (number, name) in evil().iter().enumerate() {
        // One in two refuses, so that the name stands among the failures too.
        let lifecycle =
            json!([{"ID": name, "Filter": {"Prefix": name}, "Status": "Enabled", "Expiration": {"Days": 1}}]);
        let bucket = json!({"name": format!("bucket-{number}"), "region": "us-east-1", "lifecycle": lifecycle});
        let id = format!("2000000000{number:02}");
        let entered = number % 2 == 0;
        accounts.push(json!({"id": id, "name": name, "ou": "r-test", "buckets": [bucket], "assumable": entered}));
    }
    let sim = Sim::json(&organization(&json!(accounts)).to_string());
    for ran in in_all_ways(|ways| scan_organization(&sim.endpoint, ways)) {
        let ran = ran.expect(3);
        assert_eq!(ran.rows("out/accounts.csv").len(), 1 + evil().len());
        assert_eq!(ran.rows("out/buckets.csv").len(), evil().len().div_ceil(2));
        assert!(ran.rows("out/buckets.csv").iter().all(|row| row["lifecycle"] == "present"));
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
        assert!(ran.stdout.lines().count() < 150, "{} lines", ran.stdout.lines().count());
    }
}

#[test]
fn ids_and_states_of_an_organization_do_no_harm() {
    let member = json!({"id": MEMBER, "name": "Member", "ou": "ou-test-upper000", "buckets": [good("of-member")]});
    let sim = Sim::json(&organization(&json!([management(&json!({})), member])).to_string());
    for name in evil() {
        let text = json!(name).to_string();
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListAccounts" => {
                let inside = text.trim_matches('"');
                let answer = forward();
                let mut document: Value = serde_json::from_str(&answer.body).expect("JSON");
                for account in document["Accounts"].as_array_mut().expect("a list") {
                    account["State"] = json!("EVIL");
                    account["Email"] = json!("EVIL");
                    account["Paths"] = json!(["o-EVIL/r-EVIL/ou-EVIL/"]);
                }
                let body = document.to_string().replace("EVIL", inside);
                Answer { body, ..answer }
            }
            _ => forward(),
        });
        let ran = scan_organization(&proxy.endpoint, &["--log-level", "trace"]).expect(0);
        assert_harmless(&ran);
        assert_eq!(ran.bucket("of-member")["status"], "pass");
    }
}

#[test]
fn text_that_is_none_ends_with_a_sentence() {
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("one")]}))])).to_string());
    for evil in [r"\ud800", r"\udc00\ud800", r"\uZZZZ", r"\x41", "\u{1}"] {
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListAccounts" => forward().replace("\"Management\"", &format!("\"{evil}\"")),
            _ => forward(),
        });
        for ran in in_all_ways(|ways| scan_organization(&proxy.endpoint, &[&["--max-attempts", "2"], ways].concat())) {
            let ran = ran.expect(2);
            let says = "failed to list the accounts of the organization: ListAccounts malformed (HTTP 200";
            assert!(ran.stderr.contains(says), "{evil}: {}", ran.stderr);
        }
    }
}

/// Names that S3 gives, or gave once.
#[test]
fn bucket_names_at_the_limits_are_read() {
    let names = [
        "abc".to_owned(),
        "a".repeat(63),
        "a.b-c.1".to_owned(),
        "192-168-0-1".to_owned(),
        "xn--like".to_owned(),
        "UPPER_and_lower".to_owned(),
        "L".repeat(255),
    ];
    let all: Value = names.iter().map(|name| good(name)).collect();
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": all}))])).to_string());
    let ran = scan([]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    for name in &names {
        assert_eq!(ran.bucket(name)["status"], "pass", "{name}");
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
}

/// Names that S3 never gave: other servers may. Each has one row, in which nothing passes that was not read.
#[test]
fn bucket_names_that_are_none_do_no_harm() {
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("placeholder")]}))])).to_string());
    let mut names = evil();
    names.extend(
        [
            "..",
            ".",
            "../../etc/passwd",
            "a/../placeholder",
            "/placeholder",
            "placeholder?lifecycle",
            "a#b",
            "%2e%2e",
            "a b",
            "é",
        ]
        .map(str::to_owned),
    );
    let escaped = |name: &str| {
        name.chars().fold(String::new(), |text, c| match c {
            'a'..='z' | '0'..='9' => text + &c.to_string(),
            c => text + &format!("&#{};", u32::from(c)),
        })
    };
    for name in names.iter().filter(|name| !name.contains('\0')) {
        let entry = escaped(name);
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListBuckets" => forward().replace("placeholder", &entry),
            _ => forward(),
        });
        let ran = scan(["--log-level", "trace", "--max-attempts", "2"]).at(&proxy.endpoint, MANAGEMENT).run();
        assert_harmless(&ran);
        let rows = ran.rows("out/buckets.csv");
        assert_eq!(rows.len(), 1, "{name:?}: {}", ran.stderr);
        assert_ne!(rows[0]["status"], "pass", "{name:?} is not the bucket that passes");
        let files: Vec<_> = fs::read_dir(ran.path("out/inventory")).expect("a folder").flatten().collect();
        assert!(files.len() <= 3, "the name of a bucket names no file: {files:?}");
    }
}

#[test]
fn words_of_servers_do_no_harm() {
    let member = json!({"id": MEMBER, "name": "Member", "ou": "r-test", "buckets": [good("of-member")]});
    let own = management(&json!({"buckets": [good("own")]}));
    let sim = Sim::json(&organization(&json!([own, member])).to_string());
    let short = evil().into_iter().filter(|it| !it.contains('\0') && it.len() < 100);
    let text = short.collect::<Vec<_>>();
    let text = text.join(" ").replace('&', "&amp;").replace('<', "&lt;");
    let text = text.chars().fold(String::new(), |all, c| {
        if c.is_control() { all + &format!("&#{};", u32::from(c)) } else { all + &c.to_string() }
    });
    for failing in ["GetBucketVersioning", "ListBuckets", "AssumeRole", "ListAccounts", "GetCallerIdentity"] {
        let text = text.clone();
        let proxy = Proxy::before(&sim, move |request, forward| {
            if request.operation() != failing {
                return forward();
            }
            let error = format!("<Error><Code>{text}</Code><Message>{text}</Message></Error>");
            match failing {
                "AssumeRole" | "GetCallerIdentity" => {
                    Answer::xml(400, &format!("<ErrorResponse>{error}</ErrorResponse>"))
                }
                "ListAccounts" => {
                    let message = evil().concat();
                    let body = json!({"__type": message, "message": message}).to_string();
                    Answer { status: 400, headers: Vec::new(), body }
                }
                _ => Answer::xml(400, &error),
            }
        });
        let code = if matches!(failing, "ListAccounts" | "GetCallerIdentity") { 2 } else { 3 };
        for ran in in_all_ways(|ways| scan_organization(&proxy.endpoint, ways)) {
            let ran = ran.expect(code);
            let is_error = |line: &&str| line.starts_with("error: ") || line.contains("\"level\":\"ERROR\"");
            let errors = ran.stderr.lines().filter(is_error).count();
            assert_eq!(errors, usize::from(code == 2), "{failing}: no line is forged\n{}", ran.stderr);
        }
    }
}

// --- secrets ---

/// All that a run left: what it printed, and every file in its folder, the inventory too.
pub fn all_output(ran: &Ran) -> Vec<(String, String)> {
    let mut all = vec![("stdout".to_owned(), ran.stdout.clone()), ("stderr".to_owned(), ran.stderr.clone())];
    let mut folders = vec![ran.path("out")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let bytes = fs::read(entry.path()).expect("readable");
                all.push((entry.path().display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    all
}

#[track_caller]
fn assert_silent(ran: &Ran, secrets: &[&str]) {
    for (name, text) in all_output(ran) {
        for secret in secrets {
            let at = text.find(secret);
            let near =
                at.map(|at| text[..at].chars().rev().take(80).collect::<Vec<_>>().iter().rev().collect::<String>());
            assert!(at.is_none(), "{secret} stands in {name}, behind {near:?}");
        }
    }
}

const EXTERNAL_ID: &str = "sesame-0815-sesame";

/// All that the simulator and these tests know and nobody else may.
fn secrets() -> [String; 8] {
    [
        SECRET_KEY.to_owned(),
        access_key(MANAGEMENT),
        access_key(MEMBER).replace("AKIA", "ASIA"),
        "simulated:".to_owned(),
        EXTERNAL_ID.to_owned(),
        "token-of-the-environment".to_owned(),
        "secret-of-the-profile".to_owned(),
        "secret-of-the-process".to_owned(),
    ]
}

fn guarded() -> Sim {
    let member = json!({"id": MEMBER, "name": "Member", "ou": "r-test", "external_id": EXTERNAL_ID});
    let member = with(member, &json!({"buckets": [good("one"), good("two")]}));
    let own = management(&json!({"buckets": [good("own")]}));
    Sim::json(&organization(&json!([own, member])).to_string())
}

/// As loud as it can be made.
fn loud(cli: Cli) -> Cli {
    let names = ["RUST_LOG", "AWS_LOG_LEVEL", "BUCKETLENS_LOG_LEVEL", "SMITHY_LOG"];
    let cli = names.into_iter().fold(cli, |cli, name| cli.env(name, "trace"));
    cli.env("RUST_BACKTRACE", "full").env("AWS_DEBUG", "true").env("PATH", "/usr/bin:/bin")
}

#[test]
fn no_run_tells_its_secrets() {
    let sim = guarded();
    let secrets = secrets();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let told = |operation: &'static str, status: u16| {
        // A server that says all that it was told.
        Proxy::before(&sim, move |request, forward| {
            if request.operation() != operation {
                return forward();
            }
            let key = request.header("authorization").and_then(|it| it.split(['=', '/']).nth(1)).unwrap_or_default();
            let token = request.header("x-amz-security-token").unwrap_or_default();
            let id = request.parameter("ExternalId").unwrap_or_default();
            let error = format!("<Error><Code>AccessDenied</Code><Message>{key} {token} {id}</Message></Error>");
            match operation {
                "AssumeRole" => Answer::xml(status, &format!("<ErrorResponse>{error}</ErrorResponse>")),
                _ => Answer::xml(status, &error),
            }
        })
    };
    let proxies = [told("AssumeRole", 403), told("ListBuckets", 403), told("GetBucketVersioning", 503)];
    let endpoints = proxies.iter().map(|proxy| (proxy.endpoint.as_str(), 3)).chain([(sim.endpoint.as_str(), 0)]);
    for (endpoint, code) in endpoints {
        for format in ["text", "json"] {
            let cli = scan([
                "--organization",
                "--external-id",
                EXTERNAL_ID,
                "--max-attempts",
                "2",
                "--log-level",
                "trace",
                "--log-format",
                format,
            ]);
            let cli = loud(cli.at(endpoint, MANAGEMENT)).env("AWS_SESSION_TOKEN", "token-of-the-environment");
            let ran = cli.run().expect(code);
            assert_silent(&ran, &secrets);
            assert!(all_output(&ran).iter().any(|(name, _)| name.contains("inventory")), "the journal was searched");
        }
    }
}

#[test]
fn no_profile_tells_its_secrets() {
    let sim = guarded();
    let secrets = secrets();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let key = access_key(MANAGEMENT);
    let keys = format!("aws_access_key_id = {key}\naws_secret_access_key = secret-of-the-profile\n");
    let role = format!("role_arn = arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole\nsource_profile = keys\n");
    let json = r#"{\"Version\": 1, \"AccessKeyId\": \"KEY\", \"SecretAccessKey\": \"secret-of-the-process\"}"#;
    let json = json.replace("KEY", &key);
    let profiles = format!(
        "[profile keys]\n{keys}\n\
         [profile role]\n{role}external_id = {EXTERNAL_ID}\n\
         [profile refused]\n{role}external_id = {EXTERNAL_ID}-wrong\n\
         [profile process]\ncredential_process = sh -c \"echo '{json}'\"\n\
         [profile loud]\ncredential_process = sh -c \"echo '{json}' >&2; exit 1\"\n\
         [profile both]\ncredential_process = sh -c \"echo '{json}' >&2; echo '{json}'\"\n\
         [profile torn]\ncredential_process = sh -c \"echo '{json}' | head -c 90\"\n"
    );
    for (profile, code) in
        [("keys", 0), ("role", 0), ("refused", 2), ("process", 0), ("loud", 2), ("both", 0), ("torn", 2)]
    {
        let cli = scan(["--profile", profile, "--log-level", "trace"]).file(".aws/config", &profiles);
        let ran = loud(cli).env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_REGION", "us-east-1").run();
        let ran = ran.expect(code);
        assert_silent(&ran, &secrets);
    }
}
