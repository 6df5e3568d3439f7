//! Where answers that point elsewhere lead, and where they do not: requests carry credentials.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bucketlens::simulator::access_key;
use serde_json::{Value, json};

use crate::aws_hosts::AwsHosts;
use crate::common::{Cli, Ran, Sim};
use crate::extras::ALL;
use crate::scan::{Answer, MANAGEMENT, Proxy, Request, buckets, good, management, organization, scan, with};

const VERSIONING: &str = "GetBucketVersioning";
const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
const CODE: &str = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";

/// The hosts of AWS that a run in us-east-1 may ask.
const HOME: [&str; 3] =
    ["organizations.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"];

fn on_aws(aws: &AwsHosts, arguments: &[&str]) -> Cli {
    aws.run_as(scan(["--max-attempts", "1"].into_iter().chain(arguments.iter().copied())), &access_key(MANAGEMENT))
}

#[track_caller]
fn only_wanted(aws: &AwsHosts, hosts: &[&str]) {
    let allowed: BTreeSet<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    assert!(aws.wanted().is_subset(&allowed), "{:?}", aws.wanted());
}

/// What a finding says of why a bucket is unknown.
#[track_caller]
fn evidence(ran: &Ran, bucket: &str) -> String {
    let findings = ran.rows("out/findings.csv");
    let unknown = findings.iter().find(|row| row["bucket"] == bucket && row["status"] == "unknown");
    unknown.unwrap_or_else(|| panic!("{bucket} is known")).get("evidence").expect("a column").clone()
}

// ------------------------------------------------------------------------------------------------------- on AWS

/// Every spelling of another place, with what of it is shown.
fn locations() -> Vec<(String, String)> {
    let long = "a".repeat(200);
    let plain = [
        ("https://other.example/BUCKET?versioning", "\"other.example\""),
        ("https://OTHER.example./BUCKET", "\"OTHER.example.\""),
        ("http://other.example/BUCKET", "\"other.example\""),
        ("//other.example/BUCKET", "\"other.example\""),
        ("https://other.example:8443/BUCKET", "\"other.example:8443\""),
        ("https://s3.us-east-1.amazonaws.com@other.example/BUCKET", "\"other.example\""),
        ("https://s3.us-east-1.amazonaws.com:443@other.example/", "\"other.example\""),
        ("https://other.example\\@s3.us-east-1.amazonaws.com/", "\"other.example\""),
        ("https://xn--bcher-kva.other.example/BUCKET", "\"xn--bcher-kva.other.example\""),
        ("https://s3.eu-west-1.amazonaws.com/BUCKET", "\"s3.eu-west-1.amazonaws.com\""),
        ("https://s3.us-east-1.amazonaws.com.other.example/", "\"s3.us-east-1.amazonaws.com.other.example\""),
        ("/BUCKET/?versioning", "\"/BUCKET/\""),
        ("BUCKET", "\"BUCKET\""),
        ("https:other.example/BUCKET", "\"https:other.example/BUCKET\""),
        ("ftp://other.example/BUCKET", "\"other.example\""),
        ("https://[::1]:1/BUCKET", "\"[::1]:1\""),
        ("https://2130706433/BUCKET", "\"2130706433\""),
    ];
    let plain = plain.map(|(location, shown)| (location.to_owned(), shown.to_owned()));
    let long = (format!("https://{long}.example/"), format!("\"{}\"…", "a".repeat(100)));
    plain.into_iter().chain([long]).collect()
}

#[test]
fn no_location_leads_away_from_aws_whatever_was_asked() {
    let locations = locations();
    let names: Vec<String> =
        (0..locations.len()).flat_map(|it| STATUSES.map(|status| format!("to-{it:02}-{status}"))).collect();
    let sim = buckets(&names.iter().map(|name| good(name)).collect());
    let all = locations.clone();
    let proxy = Proxy::before(&sim, move |request, forward| {
        let mut parts = request.bucket().split('-').skip(1).map(|part| part.parse::<usize>().expect("a number"));
        let (Some(at), Some(status)) = (parts.next(), parts.next()) else { return forward() };
        let status = u16::try_from(status).expect("a status");
        let location = all[at].0.replace("BUCKET", request.bucket());
        // A code of S3, as AWS sends it, or none, as a portal does.
        Answer::xml(status, if status == 301 { CODE } else { "" }).header("location", &location)
    });
    let aws = AwsHosts::lead_to(&proxy.endpoint);
    let ran = on_aws(&aws, &ALL).run().expect(3);
    only_wanted(&aws, &HOME);
    let asked: BTreeSet<String> = proxy.seen().iter().map(|request| request.operation().to_owned()).collect();
    assert!(asked.len() >= 12, "every operation about a bucket was redirected: {asked:?}");
    for name in &names {
        let row = ran.bucket(name);
        assert_eq!([&row["versioning"], &row["lifecycle"], &row["status"]], ["unknown"; 3], "{row:?}");
        let at: usize = name[3..5].parse().expect("a number");
        let shown = locations[at].1.replace("BUCKET", name);
        let said = evidence(&ran, name);
        let words = format!("it redirects to {shown} (not followed: AWS does not redirect so");
        assert!(said.contains(&words), "{}: {said}", locations[at].0);
    }
}

#[test]
fn no_service_of_aws_leads_away() {
    let member = json!({"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("of-member")]});
    let accounts = json!([management(&json!({"buckets": [good("of-management")]})), member]);
    let table = [
        ("GetCallerIdentity", 2),
        ("ListAccounts", 2),
        ("ListTagsForResource", 3),
        ("AssumeRole", 3),
        ("ListBuckets", 3),
        ("ListDirectoryBuckets", 3),
    ];
    for (operation, code) in table {
        for status in STATUSES {
            let sim = Sim::json(&organization(&accounts).to_string());
            let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
                it if it == operation => Answer::xml(status, "").header("location", "https://other.example/x"),
                _ => forward(),
            });
            let aws = AwsHosts::lead_to(&proxy.endpoint);
            let options = [
                "--organization",
                "--directory-buckets",
                "--region",
                "us-east-1",
                "--group-by-tag",
                "team",
                "--log-level=warn",
            ];
            let ran = on_aws(&aws, &options).run();
            let hosts = [&HOME[..], &["s3express-control.us-east-1.amazonaws.com"]].concat();
            only_wanted(&aws, &hosts);
            assert_ne!(proxy.count(operation), 0, "{operation}");
            let ran = ran.expect(code);
            let mut said = ran.stderr.clone();
            if code != 2 {
                let _ = write!(said, "{}{}", ran.read("out/accounts.csv"), ran.read("out/report.json"));
            }
            let said = said.replace("\"\"", "\"").replace("\\\"", "\"");
            assert!(said.contains("it redirects to \"other.example\" (not followed"), "{operation} {status}: {said}");
        }
    }
}

/// A bucket in another Region than the list says.
fn moved(region: &str) -> Value {
    with(good("moved"), &json!({"region": region, "listed_region": "us-east-1"}))
}

#[test]
fn a_region_of_the_partition_is_followed_on_aws_by_the_settings() {
    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL_STACK: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    let endpoint = |url| ("AWS_ENDPOINT_URL_S3", url);
    let table = [
        (None, "s3.eu-west-1.amazonaws.com"),
        (Some(FIPS), "moved.s3-fips.eu-west-1.amazonaws.com"),
        (Some(DUAL_STACK), "s3.dualstack.eu-west-1.amazonaws.com"),
        (Some(endpoint("https://s3.us-east-1.amazonaws.com")), "s3.eu-west-1.amazonaws.com"),
        (Some(endpoint("https://s3.dualstack.us-east-1.amazonaws.com")), "s3.dualstack.eu-west-1.amazonaws.com"),
        (Some(endpoint("https://s3-fips.us-east-1.amazonaws.com")), "moved.s3-fips.eu-west-1.amazonaws.com"),
    ];
    for (setting, host) in table {
        let sim = buckets(&json!([moved("eu-west-1")]));
        let proxy = Proxy::by_host(&sim, |_, forward| {
            let answer = forward();
            // With an address of its own, too, which is not needed.
            if answer.status == 301 { answer.header("location", "https://other.example/moved") } else { answer }
        });
        let aws = AwsHosts::lead_to(&proxy.endpoint);
        let ran = setting.into_iter().fold(on_aws(&aws, &[]), |cli, (name, value)| cli.env(name, value)).run();
        let wanted = aws.wanted();
        assert!(wanted.contains(host) && !wanted.contains("other.example"), "{setting:?}: {wanted:?}\n{}", ran.stderr);
        let ran = ran.expect(0);
        let row = ran.bucket("moved");
        assert_eq!([&row["region"], &row["status"]], ["eu-west-1", "pass"], "{setting:?}");
    }
}

/// However a Region of another partition is named.
#[test]
fn no_answer_leads_into_another_partition() {
    for region in ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "evil"] {
        let names = ["listed", "headed", "located", "header", "body", "endpoint"];
        let sim = buckets(&names.iter().map(|name| good(name)).collect());
        let proxy = Proxy::before(&sim, move |request, forward| {
            let error = |status, code: &str, more: String| {
                Answer::xml(status, &format!("<Error><Code>{code}</Code><Message>m</Message>{more}</Error>"))
            };
            let unlisted = ["headed", "located"];
            match (request.operation(), request.bucket()) {
                ("ListBuckets", _) => {
                    let mut answer = forward();
                    for name in ["listed", "headed", "located"] {
                        let to = if unlisted.contains(&name) { "" } else { region };
                        let (before, after) = answer.body.split_once(&format!("<Name>{name}</Name>")).expect("listed");
                        answer.body = format!("{before}<Name>{name}</Name>{}", after.replacen("us-east-1", to, 1));
                    }
                    answer
                }
                ("HeadBucket", "headed") => Answer::xml(301, "").header("x-amz-bucket-region", region),
                ("GetBucketLocation", "located" | "headed") => {
                    Answer::xml(200, &format!("<LocationConstraint>{region}</LocationConstraint>"))
                }
                ("HeadBucket", _) => Answer::xml(403, ""),
                (_, "header") => Answer::xml(301, CODE).header("x-amz-bucket-region", region),
                (_, "body") => error(400, "AuthorizationHeaderMalformed", format!("<Region>{region}</Region>")),
                (_, "endpoint") => {
                    error(301, "PermanentRedirect", format!("<Endpoint>s3.{region}.amazonaws.com.cn</Endpoint>"))
                }
                _ => forward(),
            }
        });
        let aws = AwsHosts::lead_to(&proxy.endpoint);
        let ran = on_aws(&aws, &[]).run().expect(3);
        only_wanted(&aws, &HOME);
        assert!(proxy.seen().iter().all(|request| !request.says(region)), "{region}");
        // Asked where the run is, they answered.
        for name in ["listed", "headed", "located"] {
            assert_eq!(ran.bucket(name)["status"], "pass", "{region} {name}");
        }
        let why =
            if region == "evil" { "it is not a Region of AWS" } else { "it is not in the partition aws of this run" };
        for name in ["header", "body"] {
            let said = evidence(&ran, name);
            assert!(said.contains(&format!("it names the Region \"{region}\" (not followed: {why}")), "{said}");
            assert_eq!(ran.bucket(name)["status"], "unknown", "{region} {name}");
        }
        assert_eq!(ran.bucket("endpoint")["status"], "unknown", "{region}");
    }
}

/// STS may be another server than S3 and Organizations.
#[test]
fn the_partition_of_a_callers_arn_leads_nowhere() {
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("one")]}))])).to_string());
    let sts = Proxy::before(&sim, |request, forward| {
        let answer = forward();
        if request.operation() == "GetCallerIdentity" { answer.replace("arn:aws:", "arn:aws-cn:") } else { answer }
    });
    let aws = AwsHosts::lead_to(&sim.endpoint);
    let cli = on_aws(&aws, &["--organization"]).env("AWS_ENDPOINT_URL_STS", &sts.endpoint);
    cli.env("NO_PROXY", "127.0.0.1").run().expect(0);
    only_wanted(&aws, &HOME);
}

// ----------------------------------------------------------------------------------- with an endpoint of the settings

/// S3 at `https://s3.example.com`, whose answers about buckets redirect.
fn of_example(sim: &Sim, redirect: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> (Proxy, AwsHosts) {
    let proxy = Proxy::before(sim, move |request, forward| redirect(request).unwrap_or_else(forward));
    let hosts = AwsHosts::lead_to(&proxy.endpoint);
    (proxy, hosts)
}

fn at_example(hosts: &AwsHosts, sim: &Sim, arguments: &[&str]) -> Cli {
    let cli = on_aws(hosts, arguments).env("AWS_ENDPOINT_URL_STS", &sim.endpoint).env("NO_PROXY", "127.0.0.1");
    cli.env("AWS_ENDPOINT_URL_S3", "https://s3.example.com")
}

/// As Wasabi does: one endpoint lists all buckets, and names Region and address of those that are elsewhere.
#[test]
fn a_region_that_does_not_help_is_asked_at_its_location() {
    for (status, named) in [(301, true), (301, false), (307, true), (302, false), (308, true), (303, true)] {
        let region = if named { "us-west-1" } else { "us-east-1" };
        let west = with(good("west"), &json!({"region": region, "listed_region": "us-east-1"}));
        let sim = buckets(&json!([west, good("here")]));
        let (proxy, hosts) = of_example(&sim, move |request| {
            let west = request.bucket() == "west" && request.header("host") == Some("s3.example.com");
            let answer =
                Answer::xml(status, "").header("location", "https://s3.us-west-1.example.com/west/?versioning");
            west.then_some(if named { answer.header("x-amz-bucket-region", "us-west-1") } else { answer })
        });
        let ran = at_example(&hosts, &sim, &ALL).run().expect(0);
        only_wanted(&hosts, &["s3.example.com", "s3.us-west-1.example.com"]);
        assert_eq!(ran.bucket("west")["status"], "pass", "{status} {named}");
        let there = |request: &&Request| request.header("host") == Some("s3.us-west-1.example.com");
        let seen = proxy.seen();
        let there: Vec<&Request> = seen.iter().filter(there).collect();
        assert_eq!(there.len(), 10, "both facts and eight more");
        let signed = if named { "/us-west-1/s3/" } else { "/us-east-1/s3/" };
        assert!(there.iter().all(|request| request.header("authorization").is_some_and(|it| it.contains(signed))));
    }
}

#[test]
fn a_location_is_followed_within_the_domain_only() {
    let table = [
        ("inside", "https://s3.us-west-1.example.com/inside", None),
        ("port", "https://s3.us-west-1.example.com:8443/port", None),
        ("upper", "HTTPS://S3.US-WEST-1.EXAMPLE.COM./upper", None),
        ("scheme-relative", "//s3.us-west-1.example.com/scheme-relative", None),
        ("hosted", "https://hosted.s3.example.com/?versioning", Some("the bucket was asked there already")),
        ("same", "/same/?versioning", Some("the bucket was asked there already")),
        ("outside", "https://other.example/outside", Some("it is outside the endpoint's domain \"example.com\"")),
        ("suffix", "https://other.example.co.uk/suffix", Some("it is outside the endpoint's domain")),
        ("plain", "http://s3.us-west-1.example.com/plain", Some("only https:// is, as in the endpoint")),
        ("user", "https://s3.example.com@other.example/user", Some("it contains a user name")),
        ("password", "https://a:b@s3.us-west-1.example.com/password", Some("it contains a user name")),
        ("address", "https://127.0.0.1/address", Some("it is outside the endpoint's domain")),
        ("backslash", "https://other.example\\.s3.example.com/backslash", Some("it is not a plain URL")),
        ("portal", "https://sso.example.com/login", Some("it does not lead to the bucket")),
        ("aws", "https://s3.us-east-1.amazonaws.com/aws", Some("it is outside the endpoint's domain")),
    ];
    let sim = buckets(&table.iter().map(|(name, _, _)| good(name)).collect());
    let (_proxy, hosts) = of_example(&sim, move |request| {
        let location = table.iter().find(|(name, _, _)| *name == request.bucket())?.1;
        (request.header("host") == Some("s3.example.com")).then(|| Answer::xml(301, CODE).header("location", location))
    });
    let ran = at_example(&hosts, &sim, &[]).run().expect(3);
    only_wanted(&hosts, &["s3.example.com", "s3.us-west-1.example.com", "s3.us-west-1.example.com:8443"]);
    for (name, location, why) in table {
        match why {
            None => assert_eq!(ran.bucket(name)["status"], "pass", "{location}"),
            Some(why) => {
                assert_eq!(ran.bucket(name)["status"], "unknown", "{location}");
                let said = evidence(&ran, name);
                assert!(said.contains(&format!("(not followed: {why}")), "{location}: {said}");
            }
        }
    }
}

#[test]
fn an_address_leads_to_its_own_ports_only() {
    let sim = buckets(&json!([good("port"), good("name"), good("other")]));
    let there = Proxy::before(&sim, |_, forward| forward());
    let port = there.endpoint.rsplit(':').next().expect("a port").to_owned();
    let proxy = Proxy::before(&sim, move |request, forward| {
        let host = match request.bucket() {
            "port" => "127.0.0.1",
            "name" => "localhost",
            "other" => "127.0.0.2",
            _ => return forward(),
        };
        Answer::xml(301, CODE).header("location", &format!("http://{host}:{port}/{}", request.bucket()))
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    let statuses = ["port", "name", "other"].map(|name| ran.bucket(name)["status"].clone());
    assert_eq!(statuses, ["pass", "unknown", "unknown"]);
    assert!(evidence(&ran, "name").contains("it is another host than the endpoint's \"127.0.0.1\""));
    assert!(there.seen().iter().all(|request| request.bucket() == "port"));
}

/// A server that sends a bucket round and round is left soon.
#[test]
fn a_bucket_is_asked_in_few_places() {
    let sim = buckets(&json!([good("round")]));
    let (proxy, hosts) = of_example(&sim, |request| {
        if request.bucket() != "round" {
            return None;
        }
        let host = request.header("host").expect("a host");
        let at: u32 =
            host.trim_start_matches("s3-").split('.').next().and_then(|it| it.parse().ok()).unwrap_or_default();
        Some(Answer::xml(307, CODE).header("location", &format!("https://s3-{}.example.com/round", at + 1)))
    });
    let ran = at_example(&hosts, &sim, &[]).run().expect(3);
    assert!(hosts.wanted().len() <= 4, "{:?}", hosts.wanted());
    assert!(proxy.count(VERSIONING) <= 4, "{}", proxy.count(VERSIONING));
    assert!(evidence(&ran, "round").contains("the bucket led through too many places already"));
}

/// What a server repeats of what it was told in confidence is blanked in a place, too.
#[test]
fn a_secret_in_a_location_is_not_shown() {
    let sim = buckets(&json!([good("one")]));
    let proxy = Proxy::before(&sim, |request, forward| match request.bucket() {
        "one" => {
            let key = access_key(MANAGEMENT);
            Answer::xml(301, CODE).header("location", &format!("http://{key}.example.com/one"))
        }
        _ => forward(),
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    assert!(
        evidence(&ran, "one").contains("it redirects to \"***.example.com\" (not followed"),
        "{}",
        evidence(&ran, "one")
    );
    for file in ["out/report.json", "out/findings.csv", "out/inventory/111111111111.jsonl"] {
        assert!(!ran.read(file).contains(&access_key(MANAGEMENT)), "{file}");
    }
}

// -------------------------------------------------------------------------------------------- exports in a bucket

#[test]
fn an_export_is_read_within_the_service_only() {
    let sim = buckets(&json!([]));
    let proxy = Proxy::before(&sim, |_, _| Answer::xml(307, "").header("location", "https://other.example/exports"));
    let aws = AwsHosts::lead_to(&proxy.endpoint);
    let lens = || Cli::new(["storage-lens", "read", "s3://exports/daily", "--max-attempts", "1"]);
    let ran = aws.run_as(lens(), &access_key(MANAGEMENT)).run().expect(2);
    only_wanted(&aws, &HOME);
    assert!(ran.stderr.contains("it redirects to \"other.example\" (not followed: AWS does not"), "{}", ran.stderr);

    let there = Proxy::before(&sim, |_, _| {
        Answer::xml(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    });
    let location = format!("{}/exports?list-type=2", there.endpoint);
    let own = Proxy::before(&sim, move |_, _| Answer::xml(307, "").header("location", &location));
    lens().at(&own.endpoint, MANAGEMENT).run().expect(2);
    assert!(there.seen().iter().any(|request| request.says("list-type=2") && request.bucket() == "exports"));
}

// ----------------------------------------------------------------------------------------- sources of credentials

/// The SDK follows no redirect for credentials either, and neither does the HTTP client below it.
#[test]
fn no_source_of_credentials_leads_elsewhere() {
    const SSO: &str = "[default]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = Auditor\n\
                       [sso-session corp]\nsso_region = us-east-1\nsso_start_url = http://127.0.0.1/start\n";
    const SSO_CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let sim = buckets(&json!([good("one")]));
    let there = Proxy::before(&sim, |_, forward| forward());
    let location = format!("{}/x", there.endpoint);
    let source = |status| {
        let location = location.clone();
        Proxy::before(&sim, move |_, _| Answer::xml(status, "").header("location", &location))
    };
    for status in STATUSES {
        let source = source(status);
        let at = || scan(["--max-attempts", "1"]).env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_REGION", "us-east-1");
        let from = &source.endpoint;
        let sso_cache = |cli: Cli| {
            let token = json!({"startUrl": "http://127.0.0.1/start", "region": "us-east-1", "accessToken": "bearer",
                               "expiresAt": "2099-12-31T23:59:59Z"});
            cli.file(".aws/config", SSO).file(SSO_CACHE, &token.to_string())
        };
        let sources = [
            at().env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{from}/creds")),
            at().env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", from),
            sso_cache(at()).env("AWS_ENDPOINT_URL_SSO", from),
            at().env("AWS_ENDPOINT_URL_STS", from)
                .env("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/Auditor")
                .env("AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/null"),
        ];
        for cli in sources {
            cli.run().expect(2);
        }
        assert!(source.seen().len() >= 2, "{} requests", source.seen().len());
    }
    assert_eq!(there.seen().len(), 0);
}
