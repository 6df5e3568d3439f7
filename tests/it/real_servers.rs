//! The real binary against real servers: what it reports must be what they were told.

use bucketlens::aws::http::Network;
use futures::StreamExt;
use serde_json::Value;

use crate::common::{Cli, Ran};
use crate::servers::{Moto, Rgw, SeaweedFs};

const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];

/// Every bucket of the truth has one row, every row is of the truth, and they say the same.
#[track_caller]
fn assert_truth(ran: &Ran, truth: &Value) {
    let rows = ran.rows("out/buckets.csv");
    let mut expected = 0;
    for (account, facts) in truth["accounts"].as_object().expect("accounts") {
        for (bucket, facts) in facts["buckets"].as_object().expect("buckets") {
            expected += 1;
            let of_bucket = |row: &&crate::common::Row| row["account_id"] == *account && row["bucket"] == *bucket;
            let found: Vec<_> = rows.iter().filter(of_bucket).collect();
            let [row] = found.as_slice() else { panic!("{} rows of {account}/{bucket}", found.len()) };
            for column in ["region", "versioning", "mfa_delete", "lifecycle"] {
                let truth = facts[column].as_str().expect("a text");
                // A server without Regions is read in the configured one.
                let truth = if column == "region" && truth == "default" { "us-east-1" } else { truth };
                assert_eq!(row[column], truth, "{column} of {account}/{bucket}: {row:?}");
            }
            let rules = facts["lifecycle_rules"].as_u64().map(|rules| rules.to_string()).unwrap_or_default();
            assert_eq!(row["lifecycle_rules"], rules, "lifecycle_rules of {account}/{bucket}");
        }
    }
    assert_eq!(rows.len(), expected, "rows that no server has: {rows:?}");
    assert!(expected > 0, "the truth is empty");
}

/// Hub and spokes: every account's role is assumed from the first account.
fn scan_by_roles(endpoint: &str, sts: &str) -> Cli {
    Cli::new(["scan", "--accounts-file", "accounts.txt", "--role-name", "Auditor", "--out", "out"])
        .file("accounts.txt", &ACCOUNTS.join("\n"))
        .keys(endpoint, "AK111111111111", "SK111111111111")
        .env("AWS_ENDPOINT_URL_STS", sts)
}

#[test]
fn rgw_has_mfa_delete_and_every_state_of_it_is_reported() {
    let Some(rgw) = Rgw::start() else { return };
    let ran = scan_by_roles(&rgw.endpoint, &rgw.sts_endpoint).run().expect(1);
    assert_truth(&ran, &rgw.truth);
    let words: std::collections::BTreeSet<_> =
        ran.rows("out/buckets.csv").iter().map(|row| format!("{} {}", row["versioning"], row["mfa_delete"])).collect();
    for state in ["never never", "enabled enabled", "enabled disabled", "suspended enabled", "unknown unknown"] {
        assert!(words.contains(state), "no bucket is {state}: {words:?}");
    }
    for account in ran.rows("out/accounts.csv") {
        assert_eq!(account["outcome"], "complete", "{account:?}");
    }
    let findings = ran.rows("out/findings.csv");
    let of = |rule: &str, status: &str| -> Vec<_> {
        findings.iter().filter(|row| row["rule"] == rule && row["status"] == status).collect()
    };
    // RGW allows a lifecycle configuration beside MFA delete: critical where it deletes versions, high otherwise.
    let conflicts = of("lifecycle-bypasses-mfa-delete", "fail");
    let severities: std::collections::BTreeSet<&str> = conflicts.iter().map(|row| row["severity"].as_str()).collect();
    assert_eq!(severities, ["critical", "high"].into(), "{conflicts:?}");
    assert!(!of("mfa-delete-versioning-suspended", "fail").is_empty());
    // The owner is denied by the bucket's own policy: unknown, with the server's code, and nothing else.
    let denied = of("mfa-delete-enabled", "unknown");
    assert!(!denied.is_empty() && denied.iter().all(|row| row["evidence"].contains("denied (AccessDenied, HTTP 403")));
    for row in &denied {
        assert!(of("mfa-delete-enabled", "fail").iter().all(|fail| fail["bucket"] != row["bucket"]));
    }
}

#[test]
fn rgw_without_sts_is_read_as_the_account_that_was_named() {
    let Some(rgw) = Rgw::start() else { return };
    for account in ACCOUNTS {
        let ran = Cli::new(["scan", "--account-id", account, "--out", "out", "--fail-on", "none", "--allow-unknown"])
            .keys(&rgw.endpoint, &format!("AK{account}"), &format!("SK{account}"))
            .run()
            .expect(0);
        let mut truth = rgw.truth.clone();
        truth["accounts"].as_object_mut().expect("accounts").retain(|id, _| id == account);
        assert_truth(&ran, &truth);
    }
}

#[test]
fn rgw_redirects_to_another_region_and_is_followed() {
    let Some(rgw) = Rgw::start_regions(&["us-east-1", "eu-west-1"]) else { return };
    let ran = scan_by_roles(&rgw.endpoint, &rgw.sts_endpoint).run().expect(1);
    assert_truth(&ran, &rgw.truth);
    assert!(ran.rows("out/buckets.csv").iter().any(|row| row["region"] == "eu-west-1"));
}

#[test]
fn rgw_refuses_bad_keys_and_nothing_is_written() {
    let Some(rgw) = Rgw::start() else { return };
    let ran = Cli::new(["scan", "--account-id", "111111111111", "--out", "out"])
        .keys(&rgw.endpoint, "AK111111111111", "wrong")
        .run()
        .expect(2);
    assert!(ran.stderr.contains("SignatureDoesNotMatch"), "{}", ran.stderr);
    assert!(!ran.path("out").exists());
}

#[test]
fn rgw_has_no_such_role_and_nothing_is_written() {
    let Some(rgw) = Rgw::start() else { return };
    let ran = Cli::new(["scan", "--accounts-file", "accounts.txt", "--role-name", "NoSuchRole", "--out", "out"])
        .file("accounts.txt", "222222222222\n333333333333")
        .keys(&rgw.endpoint, "AK111111111111", "SK111111111111")
        .env("AWS_ENDPOINT_URL_STS", &rgw.sts_endpoint)
        .run()
        .expect(2);
    assert!(ran.stderr.contains("the role could be assumed in none of the accounts (2)"), "{}", ran.stderr);
    assert!(!ran.path("out").exists());
}

#[test]
fn seaweedfs_pages_the_list_of_buckets() {
    let Some(seaweedfs) = SeaweedFs::with_buckets(1203) else { return };
    let account = &seaweedfs.truth["accounts"]["111111111111"];
    let key = |name: &str| account[name].as_str().expect("a key").to_owned();
    let ran = Cli::new(["scan", "--out", "out", "--fail-on", "none"])
        .keys(&seaweedfs.endpoint, &key("access_key"), &key("secret_key"))
        .env("AWS_ENDPOINT_URL_STS", &seaweedfs.sts_endpoint)
        .run()
        .expect(0);
    assert_truth(&ran, &seaweedfs.truth);
}

#[test]
fn moto_gives_an_organization_and_answers_that_cannot_be_believed() {
    let Some(moto) = Moto::start() else { return };
    let key = |name: &str| moto.truth[name].as_str().expect("a text").to_owned();
    let ran = Cli::new(["scan", "--organization", "--role-name", "Auditor", "--out", "out", "--fail-on", "none"])
        .keys(&moto.endpoint, &key("access_key"), &key("secret_key"))
        .run()
        .expect(3);
    // Its GetBucketVersioning answers with another root element: unknown, never "not configured".
    assert_truth(&ran, &moto.truth);
    let rows = ran.rows("out/buckets.csv");
    assert!(rows.iter().all(|row| row["unknown_reasons"].contains("GetBucketVersioning malformed")), "{rows:?}");
    let accounts = ran.rows("out/accounts.csv");
    for (id, facts) in moto.truth["accounts"].as_object().expect("accounts") {
        let found: Vec<_> = accounts.iter().filter(|row| row["account_id"] == *id).collect();
        let [row] = found.as_slice() else { panic!("{} rows of {id}", found.len()) };
        assert_eq!(row["account_name"], facts["name"].as_str().expect("a name"));
        // moto sends no paths: the tree was walked.
        for parent in facts["parents"].as_array().expect("parents") {
            assert!(row["ou_path"].contains(parent.as_str().expect("an id")), "{row:?} is not in {parent}");
        }
    }
}

/// moto cuts the list at `max-buckets` and sends no token: the list that looks whole is asked for again.
#[test]
fn moto_cuts_the_list_without_a_word_and_no_bucket_is_lost() {
    let Some(moto) = Moto::start() else { return };
    let key = |name: &str| moto.truth[name].as_str().expect("a text").to_owned();
    let keys = aws_sdk_s3::config::Credentials::new(key("access_key"), key("secret_key"), None, None, "test");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .http_client(bucketlens::aws::http::client(&Network::default(), 16).expect("no CA bundle"))
        .credentials_provider(keys)
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url(&moto.endpoint)
        .force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    let names: Vec<String> = (0..1005).map(|number| format!("many-{number:04}")).collect();
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let made = names.iter().map(|name| s3.create_bucket().bucket(name).send());
        let failed = futures::stream::iter(made).buffer_unordered(16).filter(|made| std::future::ready(made.is_err()));
        assert_eq!(failed.count().await, 0);
    });
    let ran = Cli::new(["scan", "--bucket", "many-*", "--out", "out", "--fail-on", "none", "--allow-unknown"])
        .keys(&moto.endpoint, &key("access_key"), &key("secret_key"))
        .run()
        .expect(0);
    let found: Vec<String> = ran.rows("out/buckets.csv").iter().map(|row| row["bucket"].clone()).collect();
    assert_eq!(found, names);
}
