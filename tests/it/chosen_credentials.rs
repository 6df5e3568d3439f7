//! Credentials that were chosen and cannot be used end the run: it never goes on as somebody else. Beside each stand
//! good credentials of a container, which the SDK would take.

use std::path::Path;

use serde_json::json;

use bucketlens::simulator::SECRET_KEY;

use crate::common::{Cli, Ran, Sim};
use crate::credentials::{
    DEAD, FUTURE, Mock, ONE, PAST, SESSION_CACHE, TWO, agent, answer, imds, keys, not_found, one_sentence,
    organization, portal, problem, read_as, role, role_key, says, scan, scan_profile, sso_session, sso_token, token,
    user,
};

/// How a profile is chosen.
#[derive(Debug, Clone, Copy)]
enum By {
    Option,
    Variable,
    Default,
}

impl By {
    const ALL: [Self; 3] = [Self::Option, Self::Variable, Self::Default];

    fn scan(self) -> Cli {
        match self {
            Self::Option => scan_profile("audit"),
            Self::Variable => scan().env("AWS_PROFILE", "audit"),
            Self::Default => scan(),
        }
    }

    /// Its section of `~/.aws/config`, and of `~/.aws/credentials`.
    fn sections(self) -> (&'static str, &'static str) {
        match self {
            Self::Option | Self::Variable => ("profile audit", "audit"),
            Self::Default => ("default", "default"),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Option | Self::Variable => r#"the profile "audit" ("#,
            Self::Default => "the default profile (",
        }
    }
}

/// In a container with good credentials.
fn inside(cli: Cli, sim: &Sim, agent: &Mock) -> Cli {
    cli.env("AWS_ENDPOINT_URL", &sim.endpoint)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}/v1/credentials", agent.endpoint))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "bearer-of-pod")
}

#[test]
fn a_profile_that_is_broken_ends_the_run() {
    const ROLE: &str = "role_arn = arn:aws:iam::222222222222:role/Auditor";
    let table = [
        (format!("{ROLE}\nsource_profile = nowhere"), r#"source_profile "nowhere" does not exist"#),
        (format!("{ROLE}\nsource_profile = p"), "leads in a circle: "),
        (
            format!("{ROLE}\nsource_profile = lonely"),
            r#"the profile "lonely" (HOME/.aws/config): source_profile "gone""#,
        ),
        (format!("{ROLE}\nsource_profile = bare"), "it has no credentials"),
        (format!("{ROLE}\nsource_profile = half"), "half of the key pair is missing: aws_secret_access_key"),
        (ROLE.to_owned(), "neither source_profile nor credential_source is"),
        (format!("{ROLE}\nsource_profile = base\ncredential_source = Environment"), "both set"),
        (format!("{ROLE}\ncredential_source = Moon"), r#"credential_source "Moon" is none of Environment"#),
        (format!("{ROLE}\ncredential_source = Environment"), "AWS_ACCESS_KEY_ID is not set"),
        (format!("{ROLE}\nsource_profile = base\nduration_seconds = long"), r#"duration_seconds "long""#),
        ("role_arn =\nsource_profile = base".to_owned(), "role_arn is empty"),
        (format!("{ROLE}\nsource_profile ="), "source_profile is empty"),
        ("source_profile = base".to_owned(), "only source_profile"),
        ("credential_source = Environment".to_owned(), "only credential_source"),
        ("aws_access_key_id = AKIA".to_owned(), "half of the key pair is missing: aws_secret_access_key"),
        ("aws_secret_access_key = secret".to_owned(), "half of the key pair is missing: aws_access_key_id"),
        ("aws_access_key_id =\naws_secret_access_key = secret".to_owned(), "aws_access_key_id is empty"),
        ("aws_session_token = token".to_owned(), "only aws_session_token"),
        (
            "aws_access_key_id = AKIA\n  MORE\naws_secret_access_key = x".to_owned(),
            "aws_access_key_id holds a line end",
        ),
        ("credential_process =".to_owned(), "credential_process is empty"),
        ("credential_process = /nowhere/vault".to_owned(), "exit status: 127"),
        ("credential_process = false".to_owned(), "exit status: 1"),
        ("credential_process = echo hello".to_owned(), "could not parse response"),
        ("credential_process = true".to_owned(), "could not parse response"),
        (
            "sso_session = gone\nsso_account_id = 222222222222\nsso_role_name = Auditor".to_owned(),
            r#""gone" does not exist"#,
        ),
        (
            "sso_session = half\nsso_account_id = 222222222222\nsso_role_name = Auditor".to_owned(),
            "sso_region is missing",
        ),
        ("sso_session = corp\nsso_account_id = 222222222222".to_owned(), "sso_role_name is missing"),
        ("sso_session = corp".to_owned(), "sso_account_id is missing"),
        ("sso_start_url = http://127.0.0.1/start".to_owned(), "sso_account_id is missing"),
        (
            "sso_session = corp\nsso_account_id = 222222222222\nsso_role_name = Auditor".to_owned(),
            "the SSO token has expired",
        ),
        ("web_identity_token_file = /nowhere/token".to_owned(), "role_arn is not"),
        (
            format!("{ROLE}\nweb_identity_token_file = /nowhere/token"),
            "/nowhere/token of the web identity cannot be read",
        ),
        (format!("{ROLE}\nweb_identity_token_file = empty"), "is empty"),
        ("login_session = arn:aws:iam::222222222222:user/console".to_owned(), "failed to read"),
    ];
    let (sim, agent) = (organization(), agent());
    let others = format!(
        "{}[profile bare]\nregion = eu-west-1\n[profile half]\naws_access_key_id = AKIA\n[profile lonely]\n{ROLE}\n\
         source_profile = gone\n[profile p]\n{ROLE}\nsource_profile = q\n[profile q]\n{ROLE}\nsource_profile = p\n\
         [sso-session half]\nsso_start_url = http://127.0.0.1/start\n[sso-session corp]\nsso_region = eu-west-1\n\
         sso_start_url = http://127.0.0.1/start\n",
        keys("profile base", ONE)
    );
    for by in By::ALL {
        for (settings, why) in &table {
            let config = format!("[{}]\nregion = us-east-1\n{settings}\n{others}", by.sections().0);
            let cli = inside(by.scan(), &sim, &agent).file(".aws/config", &config).file("empty", "");
            let cli = cli.file(SESSION_CACHE, &sso_token("bearer-of-session", PAST));
            let told = problem(cli.run());
            says(&told, &[by.words(), "HOME/.aws/config)", why]);
        }
    }
    assert_eq!(agent.asked(), [""; 0]);
    assert_eq!(sim.count("GetCallerIdentity") + sim.count("AssumeRole") + sim.count("ListBuckets"), 0);
}

type Break = fn(&Path);

#[test]
fn a_file_that_cannot_be_read_ends_the_run() {
    let (sim, agent) = (organization(), agent());
    let broken: [(&str, Break, &str); 4] = [
        (".aws/config", |path| std::fs::create_dir_all(path).expect("writable"), "Is a directory"),
        (".aws/config", |path| std::fs::write(path, b"[default]\n# \xff\n").expect("writable"), "it is not UTF-8 text"),
        (".aws/credentials", |path| std::fs::write(path, b"\xfe\xff").expect("writable"), "it is not UTF-8 text"),
        (".aws/credentials", |path| std::fs::write(path, "[default\n").expect("writable"), "on line 1"),
    ];
    for by in By::ALL {
        for (file, break_it, why) in &broken {
            let cli = inside(by.scan(), &sim, &agent).file(".aws/other", "");
            break_it(&cli.home().join(file));
            says(&one_sentence(cli.run()), &[&format!("HOME/{file}"), why]);
        }
    }
    assert_eq!(agent.asked(), [""; 0]);
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

/// A profile that only chooses a Region is whole. As with botocore the container has its turn then, but for
/// `--profile`, whose account is meant.
#[test]
fn a_profile_without_credentials_is_not_broken() {
    let (sim, agent) = (organization(), agent());
    for by in By::ALL {
        let config = format!("[{}]\nregion = us-west-2\noutput = json\n", by.sections().0);
        let ran = inside(by.scan(), &sim, &agent).file(".aws/config", &config).run();
        match by {
            By::Option => says(&one_sentence(ran), &[by.words(), "HOME/.aws/config) sets no credentials"]),
            By::Variable => {
                let ran = read_as(ran, &role(TWO, "FromContainer"));
                says(&ran.stderr, &["WARN", r#"the profile "audit" ("#, "sets no credentials"]);
            }
            By::Default => assert_eq!(read_as(ran, &role(TWO, "FromContainer")).stderr, ""),
        }
    }
    // An empty token is none, which some tools write beside long-term keys.
    let credentials = keys("default", TWO) + "aws_session_token =\n";
    read_as(inside(scan(), &sim, &agent).file(".aws/credentials", &credentials).run(), &user(TWO));
}

/// In the order of botocore.
#[test]
fn keys_of_the_environment_go_before_a_profile_that_is_broken() {
    let (sim, agent) = (organization(), agent());
    let config = "[profile audit]\nrole_arn = arn:aws:iam::222222222222:role/Auditor\nsource_profile = nowhere\n";
    let cli = || inside(scan(), &sim, &agent).at(&sim.endpoint, ONE).file(".aws/config", config);
    read_as(cli().env("AWS_PROFILE", "audit").run(), &user(ONE));
    // Who names the profile as an option means it.
    let cli = inside(scan_profile("audit"), &sim, &agent).at(&sim.endpoint, ONE).file(".aws/config", config);
    says(&one_sentence(cli.run()), &[r#"source_profile "nowhere""#]);
    // Keys of the credentials file go before a process of the config file.
    let cli = inside(scan(), &sim, &agent).file(".aws/config", "[default]\ncredential_process = false\n");
    read_as(cli.file(".aws/credentials", &keys("default", TWO)).run(), &user(TWO));
}

#[test]
fn half_of_what_the_environment_should_hold_ends_the_run() {
    let (sim, agent) = (organization(), agent());
    for (set, missing) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
    ] {
        let told = one_sentence(inside(scan(), &sim, &agent).env(set, "half").run());
        says(&told, &[&format!("the environment variable {set} is set, and {missing}")]);
    }
    assert_eq!(agent.asked(), [""; 0]);
}

// ---------------------------------------------------------------------------------------- line ends and blanks

const SPOILED: [(&str, &str); 5] = [
    ("{}\n", "ends with a line end"),
    ("{}\r\n", "ends with a line end"),
    (" {}", "has a blank"),
    ("{}\t", "has a blank"),
    ("\n", "nothing but blanks"),
];

fn spoil(pattern: &str, value: &str) -> String {
    pattern.replace("{}", value)
}

#[test]
fn blanks_around_keys_of_the_environment() {
    let sim = organization();
    let good = [
        ("AWS_ACCESS_KEY_ID", role_key(TWO)),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ("AWS_SESSION_TOKEN", token(TWO, "FromEnv")),
    ];
    for (spoiled, _) in &good {
        for (pattern, why) in SPOILED {
            let cli = good.iter().fold(scan().env("AWS_ENDPOINT_URL", &sim.endpoint), |cli, (name, value)| {
                let value = if name == spoiled { spoil(pattern, value) } else { value.clone() };
                cli.env(name, &value)
            });
            says(&one_sentence(cli.run()), &[&format!("the environment variable {spoiled} "), why]);
        }
    }
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

/// What gives credentials in JSON, spoiled in one field.
fn credentials(pattern: &str, spoiled: usize, names: [&str; 3]) -> serde_json::Value {
    let values = [role_key(TWO), SECRET_KEY.to_owned(), token(TWO, "FromEnv")];
    let mut json = json!({"Version": 1, "Code": "Success", "LastUpdated": PAST, "Expiration": FUTURE});
    for (field, (name, value)) in names.iter().zip(values).enumerate() {
        json[*name] = if field == spoiled { spoil(pattern, &value).into() } else { value.into() };
    }
    json
}

#[test]
fn blanks_around_keys_of_processes_containers_and_instances() {
    let sim = organization();
    for (field, name) in ["AccessKeyId", "SecretAccessKey", "SessionToken"].into_iter().enumerate() {
        for (pattern, why) in SPOILED {
            let printed = credentials(pattern, field, ["AccessKeyId", "SecretAccessKey", "SessionToken"]);
            let cli = scan_profile("p").at(&sim.endpoint, ONE).file("printed", &printed.to_string());
            let told = problem(cli.file(".aws/config", "[profile p]\ncredential_process = cat printed\n").run());
            says(&told, &[r#"the profile "p" (HOME/.aws/config)"#, "what the credential_process printed: ", name, why]);

            let body = credentials(pattern, field, ["AccessKeyId", "SecretAccessKey", "Token"]).to_string();
            let agent = Mock::start({
                let body = body.clone();
                move |_| answer(200, "content-type: application/json\r\n", &body)
            });
            let cli = scan().env("AWS_ENDPOINT_URL", &sim.endpoint);
            let told = problem(cli.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &agent.endpoint).run());
            says(&told, &["the answer of the container's agent: ", name, why]);

            let imds = Mock::start(move |request| match request.target.as_str() {
                "/latest/api/token" => {
                    answer(200, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", "bearer-of-instance")
                }
                "/latest/meta-data/iam/security-credentials/" => answer(200, "", "Role"),
                "/latest/meta-data/iam/security-credentials/Role" => answer(200, "", &body),
                _ => not_found(),
            });
            says(&problem(on_instance(&sim, &imds).run()), &["the instance's metadata service: ", name, why]);
        }
    }
    let imds = Mock::start(|request| match request.method.as_str() {
        "PUT" => answer(200, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", "bearer-of-instance"),
        _ => answer(200, "", "Role\n"),
    });
    says(&problem(on_instance(&sim, &imds).run()), &["the name of the role in the answer", "ends with a line end"]);
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

fn on_instance(sim: &Sim, imds: &Mock) -> Cli {
    scan()
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_ENDPOINT_URL", &sim.endpoint)
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.endpoint)
}

#[test]
fn blanks_around_tokens() {
    let (sim, agent) = (organization(), agent());
    let url = format!("{}/v1/credentials", agent.endpoint);
    for (pattern, why) in SPOILED {
        let spoiled = spoil(pattern, "bearer-of-pod");
        let cli = || scan().env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url);
        let told = one_sentence(cli().env("AWS_CONTAINER_AUTHORIZATION_TOKEN", &spoiled).run());
        says(&told, &["the environment variable AWS_CONTAINER_AUTHORIZATION_TOKEN", why]);
        let cli = cli().env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token").file("token", &spoiled);
        says(&one_sentence(cli.run()), &["the file token (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)", why]);

        let cli = scan().env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_WEB_IDENTITY_TOKEN_FILE", "token");
        let cli = cli.env("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/Ci").env("AWS_REGION", "us-east-1");
        let told = problem(cli.file("token", &spoil(pattern, "header.payload.signature")).run());
        says(&told, &["the token of the web identity in token ", why]);

        let portal = portal("bearer-of-session");
        let cli = scan_profile("p").at(DEAD, ONE).env("AWS_ENDPOINT_URL_SSO", &portal.endpoint);
        let cli = cli.file(".aws/config", &sso_session());
        problem(cli.file(SESSION_CACHE, &sso_token(&spoil(pattern, "bearer-of-session"), FUTURE)).run());
    }
    assert_eq!(agent.asked(), [""; 0]);
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

/// Nor does an answer of STS pass unseen: XML keeps a line end where it is escaped.
#[test]
fn blanks_around_keys_of_roles() {
    let sim = organization();
    for (field, pattern) in [(0, "{}&#10;"), (1, "&#9;{}"), (2, "{}&#13;")] {
        let mut values = [role_key(TWO), SECRET_KEY.to_owned(), token(TWO, "Auditor")];
        values[field] = spoil(pattern, &values[field]);
        let [key, secret, token] = values;
        let body = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
             <Expiration>{FUTURE}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        );
        let sts = Mock::start(move |request| {
            assert!(request.body.contains("Action=AssumeRole&"), "{request:?}");
            answer(200, "content-type: text/xml\r\n", &body)
        });
        let config = format!(
            "[profile p]\nrole_arn = arn:aws:iam::{TWO}:role/Auditor\nsource_profile = base\n{}",
            keys("profile base", ONE)
        );
        let cli = scan_profile("p").at(&sim.endpoint, ONE).env("AWS_ENDPOINT_URL_STS", &sts.endpoint);
        let told = problem(cli.file(".aws/config", &config).run());
        let name = ["AccessKeyId", "SecretAccessKey", "SessionToken"][field];
        says(&told, &[r#"the profile "p" (HOME/.aws/config), role arn:"#, "the answer to AssumeRole: ", name]);
        assert_eq!(sts.asked(), ["POST /"]);
    }
}

// -------------------------------------------------------------------------------------------------- what helps

/// An STS that wants a code of an MFA device for a role.
fn sts_with_mfa(sim: &Sim) -> Mock {
    let to = crate::credentials::address(&sim.endpoint);
    Mock::start(move |request| {
        let gives = |parameter: &str| request.body.split('&').any(|given| given == parameter);
        let serial = "SerialNumber=arn%3Aaws%3Aiam%3A%3A111111111111%3Amfa%2Fme";
        if gives("Action=AssumeRole") && !(gives(serial) && gives("TokenCode=123456")) {
            return crate::credentials::sts_error(403, "AccessDenied", "MultiFactorAuthentication failed");
        }
        let body = request.body.replace(&format!("&{serial}"), "").replace("&TokenCode=123456", "");
        let mut headers = request.headers.clone();
        headers.retain(|(name, _)| name != "content-length");
        headers.push(("content-length".to_owned(), body.len().to_string()));
        crate::credentials::Request { headers, body, ..request.clone() }.forward(&to)
    })
}

fn with_mfa() -> String {
    format!(
        "[profile audit]\nrole_arn = arn:aws:iam::{TWO}:role/Auditor\nsource_profile = base\nexternal_id = open-sesame\n\
         role_session_name = session\nmfa_serial = arn:aws:iam::{ONE}:mfa/me\n{}",
        keys("profile base", ONE)
    )
}

#[test]
fn a_code_of_an_mfa_device_is_asked_for_on_a_terminal() {
    let sim = organization();
    let sts = sts_with_mfa(&sim);
    for by in [By::Option, By::Variable] {
        let cli = by.scan().env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_ENDPOINT_URL_STS", &sts.endpoint);
        let cli = cli.file(".aws/config", &with_mfa());
        let ran = cli.run_on_terminal("Code of the MFA device", &["12345\n", "123456\n"]).expect(0);
        assert_eq!(ran.json("out/report.json")["run"]["caller_arn"], role(TWO, "Auditor"));
        says(&ran.stdout, &["arn:aws:iam::111111111111:mfa/me", "6 digits"]);
        for file in crate::common::files(&ran.path("out")) {
            let bytes = std::fs::read(ran.path("out").join(&file)).expect("readable");
            assert!(!String::from_utf8_lossy(&bytes).contains("123456"), "the code is in {file}");
        }
    }
}

#[test]
fn without_a_terminal_a_profile_that_needs_a_code_is_refused_before_any_request() {
    let (sim, agent) = (organization(), agent());
    for by in [By::Option, By::Variable] {
        let told = one_sentence(inside(by.scan(), &sim, &agent).file(".aws/config", &with_mfa()).run());
        says(&told, &[by.words(), "needs a code of the MFA device arn:aws:iam::111111111111:mfa/me", "no terminal"]);
    }
    assert_eq!(sim.count("AssumeRole") + sim.count("GetCallerIdentity"), 0);
    assert_eq!(agent.asked(), [""; 0]);
}

#[test]
fn a_bundle_of_certificates_of_a_profile() {
    let sim = organization();
    let config = format!("{}ca_bundle = ~/own-ca.pem\n", keys("profile p", TWO));
    let cli = || scan_profile("p").env("AWS_ENDPOINT_URL", &sim.endpoint).file(".aws/config", &config);
    let told = one_sentence(cli().run());
    says(&told, &["failed to use the CA bundle HOME/own-ca.pem (ca_bundle of the profile \"p\" (HOME/.aws/config))"]);
    // The variable goes before it, as with botocore.
    says(&one_sentence(cli().env("AWS_CA_BUNDLE", "ca.pem").run()), &["the CA bundle ca.pem (AWS_CA_BUNDLE)"]);
    assert_eq!(sim.count("GetCallerIdentity"), 0);
}

#[test]
fn keys_that_are_unknown_say_where_they_may_be_known() {
    let sim = organization();
    let unknown = || scan().env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    let unknown = || unknown().env("AWS_ACCESS_KEY_ID", "AKIA0000999999999999");
    let told = one_sentence(unknown().run());
    says(&told, &["InvalidClientTokenId", "no Region is set", "AWS GovCloud (US)", "China", "set AWS_REGION"]);
    let told = one_sentence(unknown().env("AWS_REGION", "af-south-1").run());
    says(&told, &["InvalidClientTokenId", "an account has to enable af-south-1 (opt-in)"]);
    let told = one_sentence(unknown().env("AWS_REGION", "eu-west-1").run());
    assert!(!told.contains("opt-in") && !told.contains("GovCloud"), "{told}");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let sim = organization();
    let empty = [
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONFIG_FILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ];
    let with = |cli: Cli| empty.iter().fold(cli, |cli, name| cli.env(name, ""));
    read_as(with(scan().at(&sim.endpoint, ONE)).run(), &user(ONE));
    let config = keys("default", TWO) + "region = eu-west-1\n";
    let cli = with(scan().env("AWS_ENDPOINT_URL", &sim.endpoint))
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "");
    read_as(cli.file(".aws/config", &config).run(), &user(TWO));
    let general = format!("{}endpoint_url = {}\n", keys("default", TWO), sim.endpoint);
    read_as(with(scan()).env("AWS_ENDPOINT_URL", "").file(".aws/config", &general).run(), &user(TWO));
}

/// With a setting of retries that it does not understand the SDK panics.
#[test]
fn a_setting_that_the_sdk_does_not_understand() {
    let sim = organization();
    for (name, value) in [("AWS_MAX_ATTEMPTS", "many"), ("AWS_RETRY_MODE", "never")] {
        read_as(scan().at(&sim.endpoint, ONE).env(name, value).run(), &user(ONE));
    }
}

#[test]
fn the_list_is_asked_in_the_region_that_is_scanned_where_none_is_set() {
    let sim = organization();
    let sts = Mock::relay(&sim);
    let at = |arguments: &[&str]| {
        let cli = Cli::new(["scan", "--out", "out"].into_iter().chain(arguments.iter().copied()));
        let cli = cli.env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_ENDPOINT_URL_STS", &sts.endpoint);
        cli.file(".aws/config", &keys("default", TWO))
    };
    at(&["--region", "us-gov-west-1"]).run().expect(0);
    at(&["--region", "eu-central-1"]).env("AWS_REGION", "us-east-1").run().expect(0);
    at(&["--region", "garage"]).run().expect(0);
    assert_eq!(sts.scopes(), ["us-gov-west-1/sts", "us-east-1/sts", "us-east-1/sts"]);
}

#[test]
fn where_the_list_is_denied_nothing_is_said_of_patterns() {
    let account = json!({"id": ONE, "name": "one", "ou": "r-cred", "deny": ["ListBuckets"], "buckets": []});
    let organization =
        json!({"organization_id": "o-x", "management_account": ONE, "root": "r-cred", "accounts": [account]});
    let sim = Sim::json(&organization.to_string());
    let cli = Cli::new(["scan", "--out", "out", "--region", "eu-central-1"]).at(&sim.endpoint, ONE);
    let ran = cli.run().expect(3);
    assert!(ran.stdout.contains("ListBuckets denied"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("--bucket"), "{}", ran.stderr);
}

// ------------------------------------------------------------------------------------- passwords and TLS

#[track_caller]
fn shows_nothing_of(ran: &Ran, secret: &str) {
    let mut told = vec![ran.stdout.clone(), ran.stderr.clone()];
    for file in crate::common::files(&ran.path("")) {
        if !file.starts_with(".aws") {
            told.push(String::from_utf8_lossy(&std::fs::read(ran.path(&file)).expect("readable")).into_owned());
        }
    }
    for text in told {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_password_in_an_endpoint_is_never_shown() {
    let sim = organization();
    let with_password = sim.endpoint.replace("http://", "http://me:hunter2@");
    let traced = || Cli::new(["scan", "--out", "out", "--log-level", "trace"]);
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS"] {
        for value in [with_password.as_str(), "https://me:hunter2@127.0.0.1:1/", "me:hunter2@h", "ftp://me:hunter2@h/"]
        {
            let ran = traced().at(&sim.endpoint, ONE).env(name, value).run().expect(2);
            shows_nothing_of(&ran, "hunter2");
            assert!(ran.stderr.contains("AWS_ENDPOINT_URL"), "{}", ran.stderr);
        }
    }
    let config = format!("{}endpoint_url = {with_password}\n", keys("default", TWO));
    let ran = traced().file(".aws/config", &config).run().expect(2);
    shows_nothing_of(&ran, "hunter2");
    assert!(ran.stderr.contains("endpoint_url in the profile"), "{}", ran.stderr);
    let status = Cli::new(["mfa-delete", "status", "orders"]).at(&with_password, ONE).run().expect(2);
    shows_nothing_of(&status, "hunter2");
    let elsewhere = "http://me:hunter2@192.0.2.1/credentials";
    let cli = traced().env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", elsewhere);
    shows_nothing_of(&cli.run().expect(2), "hunter2");
}

#[test]
fn a_password_of_a_proxy_is_never_shown() {
    let sim = organization();
    let relay = Mock::relay(&sim);
    let with_password = |endpoint: &str| endpoint.replace("http://", "http://me:hunter2@");
    let scan = || Cli::new(["scan", "--out", "out", "--log-level", "trace", "--max-attempts", "1"]);
    let through = scan().at(&sim.endpoint, ONE).env("HTTP_PROXY", &with_password(&relay.endpoint)).run().expect(0);
    shows_nothing_of(&through, "hunter2");
    for proxy in
        [with_password(DEAD), "http://me:hunter2@nowhere.invalid:1".to_owned(), "ftp://me:hunter2@h".to_owned()]
    {
        for name in ["HTTP_PROXY", "ALL_PROXY"] {
            shows_nothing_of(&scan().at(&sim.endpoint, ONE).env(name, &proxy).run(), "hunter2");
        }
    }
}

#[test]
fn what_leaves_the_machine_without_tls_is_warned_of() {
    let sim = organization();
    let to = crate::credentials::address(&sim.endpoint);
    let proxy = Mock::start(move |request| {
        let target = request.target.replace("http://s3.example.com", "");
        crate::credentials::Request { target, ..request.clone() }.forward(&to)
    });
    let ran = scan().at("http://s3.example.com", ONE).env("HTTP_PROXY", &proxy.endpoint).run().expect(0);
    says(&ran.stderr, &["WARN", "http://s3.example.com", "without TLS"]);
    assert_eq!(ran.stderr.matches("without TLS").count(), 1, "{}", ran.stderr);
    assert_eq!(scan().at(&sim.endpoint, ONE).run().expect(0).stderr, "");
}

/// The instance's role is not taken either where a profile names it and is broken.
#[test]
fn an_instance_is_not_asked_for_a_profile_that_is_broken() {
    let (sim, imds) = (organization(), imds());
    let config = "[default]\nregion = us-east-1\nrole_arn = arn:aws:iam::222222222222:role/Auditor\n";
    let cli = on_instance(&sim, &imds).file(".aws/config", config);
    says(&one_sentence(cli.run()), &["the default profile (HOME/.aws/config)"]);
    assert_eq!(imds.asked(), [""; 0]);
}
