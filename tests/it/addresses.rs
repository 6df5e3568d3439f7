//! The URLs of requests: endpoints with a path, and where the bucket's name stands.

use std::collections::BTreeSet;

use bucketlens::simulator::{SECRET_KEY, access_key, root_access_key};
use serde_json::json;

use crate::aws_hosts::AwsHosts;
use crate::common::{Cli, Ran, Sim};
use crate::extras::ALL;
use crate::proxy::Place;
use crate::scan::{Answer, MANAGEMENT, Proxy, Request, buckets, counts, good, management, organization, scan, with};

/// What boto3 1.43 (botocore 1.44.8) asks for with `endpoint_url="http://h.example/storage/v1/s3"`, without the query: path-style
/// and virtual-hosted style. A `/` at its end means nothing: boto3 adds none, and the SDK for Rust always does.
const BOTO3: [(&str, &str, &str); 20] = [
    ("GetCallerIdentity", "POST h.example/storage/v1/s3", "POST h.example/storage/v1/s3"),
    ("AssumeRole", "POST h.example/storage/v1/s3", "POST h.example/storage/v1/s3"),
    ("ListAccounts", "POST h.example/storage/v1/s3", "POST h.example/storage/v1/s3"),
    ("ListTagsForResource", "POST h.example/storage/v1/s3", "POST h.example/storage/v1/s3"),
    ("ListBuckets", "GET h.example/storage/v1/s3", "GET h.example/storage/v1/s3"),
    ("ListDirectoryBuckets", "GET h.example/storage/v1/s3", "GET h.example/storage/v1/s3"),
    ("HeadBucket", "HEAD h.example/storage/v1/s3/one", "HEAD one.h.example/storage/v1/s3"),
    // With virtual-hosted style boto3 asks for this one path-style.
    ("GetBucketLocation", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketVersioning", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketLifecycleConfiguration", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketPolicy", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetObjectLockConfiguration", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketReplication", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketEncryption", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketOwnershipControls", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketAccelerateConfiguration", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketNotificationConfiguration", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("GetBucketTagging", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("ListObjectsV2", "GET h.example/storage/v1/s3/one", "GET one.h.example/storage/v1/s3"),
    ("PutBucketVersioning", "PUT h.example/storage/v1/s3/one", "PUT one.h.example/storage/v1/s3"),
];

/// Everything that the program asks for, of servers whose endpoint has a path, through a proxy for HTTP.
#[test]
fn the_path_of_an_endpoint_stands_before_everything() {
    let one = json!({"name": "one", "region": "us-east-1", "versioning": "Enabled"});
    let member = json!({"id": "222222222222", "name": "Member", "ou": "r-test", "buckets": [good("of-member")]});
    let device = json!({"serial": "GAHT11111111", "codes": ["314159"]});
    let accounts = json!([management(&json!({"buckets": [one], "mfa_device": device})), member]);
    for endpoint in ["http://h.example/storage/v1/s3", "http://h.example/storage/v1/s3/"] {
        for (style, place) in [("path", Place::Path), ("virtual", Place::Host)] {
            let sim = Sim::json(&organization(&accounts).to_string());
            let proxy =
                Proxy::below(&sim, "h.example", "/storage/v1/s3", |request, forward| match request.operation() {
                    "ListBuckets" => forward().replace("<BucketRegion>us-east-1</BucketRegion>", ""),
                    "HeadBucket" => Answer::xml(403, ""),
                    _ => forward(),
                });
            let at = |cli: Cli, key: &str| cli.keys(endpoint, key, SECRET_KEY).env("HTTP_PROXY", &proxy.endpoint);
            let options = ["--organization", "--addressing", style, "--directory-buckets", "--region", "us-east-1"];
            let scanned = at(scan(options.into_iter().chain(ALL)), &access_key(MANAGEMENT)).run();
            assert_eq!(scanned.expect(0).bucket("one")["versioning"], "enabled", "{endpoint} {style}");
            let lens = ["storage-lens", "read", "s3://one/daily", "--addressing", style];
            at(Cli::new(lens), &access_key(MANAGEMENT)).run().expect(2);

            let seen = proxy.seen();
            for (operation, in_path, in_host) in BOTO3 {
                if operation == "PutBucketVersioning" {
                    continue; // without TLS it goes to loopback only, see below
                }
                let of_one =
                    |request: &&Request| request.operation() == operation && ["", "one"].contains(&request.bucket());
                let asked: BTreeSet<String> = seen.iter().filter(of_one).map(Request::address).collect();
                let expected = if place == Place::Path { in_path } else { in_host };
                assert_eq!(asked, BTreeSet::from([expected.to_owned()]), "{operation} {endpoint} {style}");
            }
        }
    }
    let sim = Sim::json(&organization(&accounts).to_string());
    let proxy = Proxy::below(&sim, "127.0.0.1", "/storage/v1/s3", |_, forward| forward());
    let words = "mfa-delete enable one --mfa-serial GAHT11111111 --apply --code-from-stdin --wait 0";
    let cli = Cli::new(words.split(' ')).keys(
        &format!("{}/storage/v1/s3", proxy.endpoint),
        &root_access_key(MANAGEMENT),
        SECRET_KEY,
    );
    cli.run_with("314159\n").expect(0);
    let put = proxy.seen().into_iter().find(|request| request.operation() == "PutBucketVersioning").expect("sent");
    assert!(put.address().ends_with("/storage/v1/s3/one"), "{}", put.address());
}

// ---------------------------------------------------------------------------------------------------- addressing

/// A service that refuses path-style URLs as this answer does, at `http://oss.example` behind a proxy for HTTP.
fn refusing(sim: &Sim, status: u16, code: &'static str, message: &'static str) -> Proxy {
    Proxy::below(sim, "oss.example", "", move |request, forward| {
        if request.place() == Place::Path && !request.bucket().is_empty() {
            // Errors of HEAD have no body.
            let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            return Answer::xml(status, if request.operation() == "HeadBucket" { "" } else { &body });
        }
        forward()
    })
}

fn at_oss(proxy: &Proxy, sim: &Sim, arguments: &[&str]) -> Ran {
    let cli = scan(["--log-level", "info"].into_iter().chain(arguments.iter().copied())).at(&sim.endpoint, MANAGEMENT);
    cli.env("AWS_ENDPOINT_URL_S3", "http://oss.example")
        .env("HTTP_PROXY", &proxy.endpoint)
        .env("NO_PROXY", "127.0.0.1")
        .run()
}

#[test]
fn a_service_that_refuses_path_style_is_asked_by_host() {
    for (status, code, message) in [
        (
            403,
            "SecondLevelDomainForbidden",
            "The bucket you are attempting to access must be addressed using OSS third level domain.",
        ),
        (403, "SecondLevelDomainForbidden", "Please use virtual hosted style to access."),
        (403, "PathStyleDomainForbidden", "must be addressed using COS virtual-styled domain."),
        (403, "InvalidPathAccess", "Forbidden path to access server"),
        (400, "InvalidRequest", "Path-style requests are not supported, use virtual-hosted style"),
    ] {
        let names = ["with.dots", "first", "second", "third"];
        let sim = buckets(&names.iter().map(|name| good(name)).collect());
        let proxy = refusing(&sim, status, code, message);
        let ran = at_oss(&proxy, &sim, &["--concurrency", "1"]).expect(3);
        for name in ["first", "second", "third"] {
            assert_eq!(ran.bucket(name)["status"], "pass", "{code}");
        }
        let dotted = ran.bucket("with.dots");
        assert_eq!(dotted["status"], "unknown", "{code}");
        assert!(dotted["unknown_reasons"].contains(code), "{dotted:?}");
        let in_path = |request: &&Request| request.place() == Place::Path && !request.bucket().is_empty();
        let seen = proxy.seen();
        let in_path: Vec<&str> = seen.iter().filter(in_path).map(Request::bucket).collect();
        let undotted = in_path.iter().filter(|bucket| **bucket != "with.dots").count();
        assert!(undotted <= 1, "decided once: {in_path:?}");
        let said = "the service refuses path-style URLs: S3 is asked with virtual-hosted-style URLs";
        assert_eq!(ran.stderr.matches(said).count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_style_that_the_user_wants_is_kept() {
    let sim = buckets(&json!([good("one")]));
    let proxy = refusing(&sim, 403, "SecondLevelDomainForbidden", "");
    let ran = at_oss(&proxy, &sim, &["--addressing", "path"]).expect(3);
    assert!(ran.bucket("one")["unknown_reasons"].contains("SecondLevelDomainForbidden"));
    let virtual_hosted = refusing(&sim, 403, "SecondLevelDomainForbidden", "");
    assert_eq!(at_oss(&virtual_hosted, &sim, &["--addressing", "virtual"]).expect(0).bucket("one")["status"], "pass");
    assert!(virtual_hosted.seen().iter().all(|request| request.bucket().is_empty() || request.place() == Place::Host));
}

/// An address has no names below it: the service stays as it is, and says why.
#[test]
fn an_ip_address_takes_no_name_before_it() {
    let sim = buckets(&json!([good("one")]));
    let proxy = Proxy::before(&sim, |request, forward| match request.bucket() {
        "one" => Answer::xml(403, "<Error><Code>SecondLevelDomainForbidden</Code><Message>m</Message></Error>"),
        _ => forward(),
    });
    let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
    assert!(ran.bucket("one")["unknown_reasons"].contains("SecondLevelDomainForbidden"));
    assert!(proxy.seen().len() < 10, "{}", proxy.seen().len());
}

#[test]
fn fips_endpoints_are_asked_by_host_and_others_by_path() {
    let names = ["one", "two", "with.dots"];
    for (setting, hosts, said) in [
        (None, &["s3.us-east-1.amazonaws.com"][..], 0),
        (
            Some("AWS_USE_FIPS_ENDPOINT"),
            &[
                "one.s3-fips.us-east-1.amazonaws.com",
                "s3-fips.us-east-1.amazonaws.com",
                "two.s3-fips.us-east-1.amazonaws.com",
            ],
            1,
        ),
    ] {
        let sim = buckets(&names.iter().map(|name| good(name)).collect());
        let proxy = Proxy::by_host(&sim, |_, forward| forward());
        let aws = AwsHosts::lead_to(&proxy.endpoint);
        let cli = aws.run_as(scan(["--log-level", "info"]), &access_key(MANAGEMENT));
        let cli = setting.into_iter().fold(cli, |cli, name| cli.env(name, "true"));
        let ran = cli.run().expect(0);
        let wanted: Vec<String> = aws.wanted().into_iter().filter(|host| !host.starts_with("sts")).collect();
        assert_eq!(wanted, hosts, "{setting:?}");
        for name in names {
            assert_eq!(ran.bucket(name)["status"], "pass", "{setting:?}");
        }
        let words = "S3 is asked with virtual-hosted-style URLs: FIPS endpoints take no other";
        assert_eq!(ran.stderr.matches(words).count(), said, "{}", ran.stderr);
    }
}

// ------------------------------------------------------------------------------------------- the list of buckets

#[test]
fn a_list_that_takes_no_parameters_is_asked_for_without() {
    for (status, body) in [
        (501, "<Error><Code>NotImplemented</Code><Message>max-buckets</Message></Error>"),
        (400, "<Error><Code>InvalidArgument</Code><Message>x-id</Message></Error>"),
        (501, ""),
        (400, ""),
    ] {
        let sim = buckets(&json!([good("one"), good("two")]));
        let proxy = Proxy::before(&sim, move |request, forward| {
            let refused = request.operation() == "ListBuckets" && (request.says("max-buckets") || request.says("x-id"));
            if refused { Answer::xml(status, body) } else { forward() }
        });
        let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
        assert_eq!(["one", "two"].map(|name| ran.bucket(name)["status"].clone()), ["pass", "pass"]);
        assert_eq!(proxy.count("ListBuckets"), 2, "{status} {body}");
        let accounts = ran.rows("out/accounts.csv");
        assert_eq!((accounts[0]["outcome"].as_str(), accounts[0]["buckets"].as_str()), ("complete", "2"));
    }
}

#[test]
fn a_list_that_is_refused_altogether_is_asked_for_once_more_only() {
    for (status, code, asked) in
        [(501, "NotImplemented", 2), (400, "InvalidRequest", 2), (403, "AccessDenied", 1), (405, "MethodNotAllowed", 1)]
    {
        let sim = buckets(&json!([good("one")]));
        let proxy = Proxy::before(&sim, move |request, forward| match request.operation() {
            "ListBuckets" => Answer::xml(status, &format!("<Error><Code>{code}</Code><Message>m</Message></Error>")),
            _ => forward(),
        });
        let ran = scan([]).at(&proxy.endpoint, MANAGEMENT).run().expect(3);
        assert_eq!(proxy.count("ListBuckets"), asked, "{code}");
        let accounts = ran.rows("out/accounts.csv");
        assert_eq!(accounts[0]["outcome"], "failed");
        assert!(accounts[0]["reason"].contains(code), "{}", accounts[0]["reason"]);
    }
    let sim = buckets(&json!([with(good("one"), &json!({}))]));
    scan([]).at(&sim.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(counts(&sim, ["ListBuckets"]), [1]);
}
