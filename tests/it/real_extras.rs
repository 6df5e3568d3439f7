//! What is read beside versioning and lifecycle, of real servers: those of the calls that each of them knows.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule,
    ObjectOwnership, OwnershipControls, OwnershipControlsRule, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
};
use bucketlens::aws::http::{self, Network};
use serde_json::{Value, json};

use crate::common::{Cli, Ran};
use crate::extras::{ALL, extras, known};
use crate::servers::{Moto, Rgw, SeaweedFs};

/// In a form that every one of them takes.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Principal":"*","Action":"s3:DeleteObjectVersion","Resource":"arn:aws:s3:::locked/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;

fn client(endpoint: &str, access_key: &str, secret_key: &str) -> Client {
    let keys = aws_sdk_s3::config::Credentials::new(access_key, secret_key, None, None, "test");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .http_client(http::client(&Network::default(), 4).expect("no CA bundle"))
        .credentials_provider(keys)
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true);
    Client::from_conf(config.build())
}

/// A bucket `locked` with Object Lock, a policy and tags, and one without anything, `plain`.
async fn make_two(s3: &Client, team: &str) {
    s3.create_bucket().bucket("plain").send().await.expect("made");
    s3.create_bucket().bucket("locked").object_lock_enabled_for_bucket(true).send().await.expect("made");
    s3.put_bucket_policy().bucket("locked").policy(POLICY).send().await.expect("a policy");
    let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(30).build();
    let lock = ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(ObjectLockRule::builder().default_retention(retention).build());
    let put = s3.put_object_lock_configuration().bucket("locked").object_lock_configuration(lock.build());
    put.send().await.expect("a default retention");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().expect("both");
    let tags = Tagging::builder().tag_set(tag("team", team)).tag_set(tag("cost", "7")).build().expect("tags");
    s3.put_bucket_tagging().bucket("locked").tagging(tags).send().await.expect("tags");
}

async fn encrypt(s3: &Client) {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default.build().expect("an algorithm"));
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().expect("a rule");
    let put = s3.put_bucket_encryption().bucket("locked").server_side_encryption_configuration(configuration);
    put.send().await.expect("encrypted");
}

async fn prefer_owner(s3: &Client) {
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerPreferred);
    let controls = OwnershipControls::builder().rules(rule.build().expect("a word")).build().expect("a rule");
    let put = s3.put_bucket_ownership_controls().bucket("locked").ownership_controls(controls);
    put.send().await.expect("ownership");
}

/// The same document, whatever the server did to its white space and order.
fn policy(known: &Value) -> Value {
    serde_json::from_str(known["policy"]["present"].as_str().expect("a policy")).expect("JSON")
}

fn run(setting_up: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(setting_up);
}

fn scan(endpoint: &str, access_key: &str, secret_key: &str, more: &[&str]) -> Ran {
    let buckets = ["scan", "--bucket", "locked,plain", "--fail-on", "none", "--out", "out"];
    let cli = Cli::new(buckets.into_iter().chain(more.iter().copied()).chain(ALL));
    cli.keys(endpoint, access_key, secret_key).run()
}

fn lock() -> Value {
    json!({"enabled": {"default_retention": {"mode": "governance", "period": {"days": 30}}}})
}

#[test]
fn moto_knows_nearly_all_of_them() {
    let Some(moto) = Moto::start() else { return };
    let key = |name: &str| moto.truth[name].as_str().expect("a text").to_owned();
    let (account, access_key, secret_key) = (key("management"), key("access_key"), key("secret_key"));
    run(async {
        let s3 = client(&moto.endpoint, &access_key, &secret_key);
        make_two(&s3, "a & b").await;
        encrypt(&s3).await;
        prefer_owner(&s3).await;
    });
    let ran = scan(&moto.endpoint, &access_key, &secret_key, &[]).expect(3);
    let locked = known(&ran, &account, "locked");
    assert_eq!(policy(&locked), serde_json::from_str::<Value>(POLICY).expect("JSON"));
    assert_eq!(locked["tags"], json!([["cost", "7"], ["team", "a & b"]]));
    assert_eq!(locked["encryption"], json!({"present": ["AES256"]}));
    assert_eq!((&locked["ownership"], &locked["replication"]), (&json!("bucket_owner_preferred"), &json!("none")));
    let plain = known(&ran, &account, "plain");
    for name in ["policy", "object_lock", "replication", "encryption", "ownership"] {
        assert_eq!(plain[name], "none", "{name}: {plain}");
    }
    assert_eq!(plain["tags"], json!([]));
    // It sends Days and, beside them, Years of 0; and these two with other root elements.
    let unknown = extras(&ran, &account, "locked");
    for name in ["object_lock", "acceleration", "notification"] {
        assert_eq!(unknown[name]["unknown"]["class"], "malformed", "{name}: {unknown}");
    }
}

#[test]
fn rgw_knows_policies_locks_and_tags_and_of_the_rest_nothing_is_believed() {
    let Some(rgw) = Rgw::start() else { return };
    let account = "111111111111";
    let (access_key, secret_key) = (format!("AK{account}"), format!("SK{account}"));
    run(async { make_two(&client(&rgw.endpoint, &access_key, &secret_key), "a & b").await });
    let ran = scan(&rgw.endpoint, &access_key, &secret_key, &["--account-id", account]).expect(3);
    let locked = known(&ran, account, "locked");
    assert_eq!(policy(&locked), serde_json::from_str::<Value>(POLICY).expect("JSON"));
    assert_eq!(locked["object_lock"], lock());
    assert_eq!(locked["tags"], json!([["cost", "7"], ["team", "a & b"]]));
    let plain = extras(&ran, account, "plain");
    assert_eq!((&plain["policy"]["known"], &plain["tags"]["known"]), (&json!("none"), &json!([])), "{plain}");
    assert_eq!(plain["object_lock"]["known"], "none", "{plain}");
    // It lists the objects for what it does not know, with status 200; a replication without rules is no answer either.
    for name in ["encryption", "ownership", "acceleration", "replication"] {
        assert_eq!(plain[name]["unknown"]["class"], "malformed", "{name}: {plain}");
    }
}

#[test]
fn seaweedfs_answers_all_of_them() {
    let Some(seaweedfs) = SeaweedFs::with_buckets(1) else { return };
    let account = "111111111111";
    let key = |name: &str| seaweedfs.truth["accounts"][account][name].as_str().expect("a key").to_owned();
    let (access_key, secret_key) = (key("access_key"), key("secret_key"));
    run(async {
        let s3 = client(&seaweedfs.endpoint, &access_key, &secret_key);
        make_two(&s3, "shop").await;
        encrypt(&s3).await;
        prefer_owner(&s3).await;
    });
    let ran = scan(&seaweedfs.endpoint, &access_key, &secret_key, &["--account-id", account]).expect(0);
    let locked = known(&ran, account, "locked");
    assert_eq!(policy(&locked), serde_json::from_str::<Value>(POLICY).expect("JSON"));
    assert_eq!(locked["object_lock"], lock());
    assert_eq!(locked["tags"], json!([["cost", "7"], ["team", "shop"]]));
    assert_eq!(locked["encryption"], json!({"present": ["AES256"]}));
    assert_eq!(locked["ownership"], "bucket_owner_preferred");
    let plain = known(&ran, account, "plain");
    for name in ["policy", "object_lock", "replication", "encryption"] {
        assert_eq!(plain[name], "none", "{name}: {plain}");
    }
    let none = json!({"topics": 0, "queues": 0, "functions": 0, "event_bridge": false});
    assert_eq!((&plain["notification"], &plain["tags"]), (&none, &json!([])));
    // Of these it says so of every bucket.
    assert_eq!((&plain["ownership"], &plain["acceleration"]), (&json!("bucket_owner_enforced"), &json!("suspended")));
}
