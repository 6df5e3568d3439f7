//! `bucketlens mfa-delete` on Ceph RGW, which has TOTP devices and really asks for their codes: what is enabled here
//! protects versions from the test's own requests.

use std::cell::Cell;
use std::time::Duration;

use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus, VersioningConfiguration};
use bucketlens::aws::http::{self, Network};
use serde_json::{Value, json};

use crate::common::{Cli, Ran};
use crate::servers::{Rgw, SeaweedFs};

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";
const THREE: &str = "333333333333";

/// An account's user, device and own S3 client.
pub struct Account<'a> {
    id: &'static str,
    endpoint: &'a str,
    pub serial: String,
    codes: Vec<String>,
    given: Cell<usize>,
    runtime: tokio::runtime::Runtime,
    s3: aws_sdk_s3::Client,
}

impl<'a> Account<'a> {
    pub fn of(rgw: &'a Rgw, id: &'static str) -> Self {
        let mfa = &rgw.truth["accounts"][id]["mfa"];
        let keys = aws_sdk_s3::config::Credentials::new(format!("AK{id}"), format!("SK{id}"), None, None, "test");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .http_client(http::client(&Network::default(), 4).expect("no CA bundle"))
            .credentials_provider(keys)
            .region(aws_config::Region::new("us-east-1"))
            .endpoint_url(&rgw.endpoint)
            .force_path_style(true);
        Self {
            id,
            endpoint: &rgw.endpoint,
            serial: mfa["serial"].as_str().expect("a text").to_owned(),
            codes: serde_json::from_value(mfa["codes"].clone()).expect("texts"),
            given: Cell::new(0),
            runtime: tokio::runtime::Runtime::new().expect("a runtime"),
            s3: aws_sdk_s3::Client::from_conf(config.build()),
        }
    }

    /// The next one. RGW takes no more than five a second of one device, right or wrong.
    pub fn code(&self) -> String {
        std::thread::sleep(Duration::from_millis(300));
        self.given.set(self.given.get() + 1);
        self.codes[self.given.get() - 1].clone()
    }

    pub fn run(&self, words: &str, stdin: &str) -> Ran {
        let cli = Cli::new(["mfa-delete"].into_iter().chain(words.split(' ')).chain(["--format", "json"]));
        let cli = cli.keys(self.endpoint, &format!("AK{}", self.id), &format!("SK{}", self.id));
        cli.run_with(stdin)
    }

    fn change(&self, words: &str, serial: &str, stdin: &str) -> Ran {
        let words =
            format!("{words} --account-id {} --mfa-serial {serial} --apply --code-from-stdin --wait 2", self.id);
        self.run(&words, stdin)
    }

    /// Status and MFA delete as the server says, not bucketlens.
    pub fn state(&self, bucket: &str) -> (String, String) {
        let answer = self.runtime.block_on(self.s3.get_bucket_versioning().bucket(bucket).send()).expect("an answer");
        let word = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (
            word(answer.status().map(BucketVersioningStatus::as_str)),
            word(answer.mfa_delete().map(MfaDeleteStatus::as_str)),
        )
    }

    pub fn put_version(&self, bucket: &str) -> String {
        let put = self.s3.put_object().bucket(bucket).key("a").body(b"x".to_vec().into());
        let put = self.runtime.block_on(put.send()).expect("stored");
        put.version_id().expect("a version").to_owned()
    }

    /// The HTTP status with which deleting a version is refused; `None` when it is deleted.
    pub fn refuses_to_delete(&self, bucket: &str, version: &str, code: Option<&str>) -> Option<u16> {
        let delete = self.s3.delete_object().bucket(bucket).key("a").version_id(version);
        let delete = delete.set_mfa(code.map(|code| format!("{} {code}", self.serial)));
        let refused = self.runtime.block_on(delete.send()).err()?;
        Some(refused.raw_response().expect("an answer").status().as_u16())
    }

    /// Whether versioning can be suspended without a code.
    fn can_suspend(&self, bucket: &str) -> bool {
        let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
        let put = self.s3.put_bucket_versioning().bucket(bucket).versioning_configuration(suspended);
        self.runtime.block_on(put.send()).is_ok()
    }
}

#[track_caller]
pub fn bucket(ran: &Ran, name: &str) -> Value {
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout));
    let buckets = printed["buckets"].as_array().expect("a list").clone();
    buckets.into_iter().find(|bucket| bucket["bucket"] == name).unwrap_or_else(|| panic!("no {name}: {printed}"))
}

fn state(status: &str, mfa_delete: &str) -> (String, String) {
    (status.to_owned(), mfa_delete.to_owned())
}

#[test]
fn what_is_enabled_protects_versions_until_it_is_disabled() {
    let Some(rgw) = Rgw::start() else { return };
    let one = Account::of(&rgw, ONE);
    let unprotected = one.put_version("versioned");
    assert_eq!(one.refuses_to_delete("versioned", &unprotected, None), None);

    let ran = one.change("enable versioned", &one.serial, &one.code()).expect(0);
    assert_eq!(bucket(&ran, "versioned")["outcome"], "confirmed");
    assert_eq!(one.state("versioned"), state("Enabled", "Enabled"));
    let status = one.run(&format!("status versioned --account-id {ONE}"), "").expect(0);
    assert_eq!(bucket(&status, "versioned")["before"]["mfa_delete"], "enabled");

    let version = one.put_version("versioned");
    assert_eq!(one.refuses_to_delete("versioned", &version, None), Some(403));
    assert_eq!(one.refuses_to_delete("versioned", &version, Some("000000")), Some(403));
    assert!(!one.can_suspend("versioned"));
    assert_eq!(one.refuses_to_delete("versioned", &version, Some(&one.code())), None);

    let ran = one.change("disable versioned", &one.serial, &one.code()).expect(0);
    assert_eq!(bucket(&ran, "versioned")["after"], json!({"versioning": "enabled", "mfa_delete": "disabled"}));
    assert_eq!(one.state("versioned"), state("Enabled", "Disabled"));
    let version = one.put_version("versioned");
    assert_eq!(one.refuses_to_delete("versioned", &version, None), None);
    assert!(one.can_suspend("versioned"));
}

#[test]
fn codes_that_are_wrong_used_or_of_another_account_change_nothing() {
    let Some(rgw) = Rgw::start() else { return };
    let (one, two) = (Account::of(&rgw, ONE), Account::of(&rgw, TWO));
    let refused = |ran: Ran| {
        let ran = ran.expect(1);
        let bucket = bucket(&ran, "mfa-switched-off");
        assert_eq!((&bucket["outcome"], &bucket["after"]["mfa_delete"]), (&json!("refused"), &json!("disabled")));
        assert!(bucket["reasons"].to_string().contains("the code is wrong or was used before"), "{bucket:#}");
        assert_eq!(one.state("mfa-switched-off"), state("Enabled", "Disabled"));
    };
    refused(one.change("enable mfa-switched-off", &one.serial, "000000"));
    refused(one.change("enable mfa-switched-off", &two.serial, &two.code()));
    refused(one.change("enable mfa-switched-off", "no-such-device", &one.code()));
    let used = one.code();
    one.change("enable versioned", &one.serial, &used).expect(0);
    refused(one.change("enable mfa-switched-off", &one.serial, &used));
}

#[test]
fn suspended_buckets_keep_their_versioning_and_get_it_only_where_it_is_asked_for() {
    let Some(rgw) = Rgw::start() else { return };
    let one = Account::of(&rgw, ONE);
    let ran = one.change("disable suspended-mfa", &one.serial, &one.code()).expect(0);
    assert_eq!(bucket(&ran, "suspended-mfa")["outcome"], "confirmed");
    assert_eq!(one.state("suspended-mfa"), state("Suspended", "Disabled"));

    for name in ["suspended-mfa", "never-versioned"] {
        let before = one.state(name);
        let ran = one.change(&format!("enable {name}"), &one.serial, "").expect(1);
        assert!(bucket(&ran, name)["reasons"].to_string().contains("--enable-versioning"));
        assert_eq!(one.state(name), before);
    }
    let codes = format!("{}\n{}\n", one.code(), one.code());
    one.change("enable suspended-mfa never-versioned --enable-versioning", &one.serial, &codes).expect(0);
    for name in ["suspended-mfa", "never-versioned"] {
        assert_eq!(one.state(name), state("Enabled", "Enabled"));
    }
}

/// MFA delete that is on beside suspended versioning is not what `enable` asks for.
#[test]
fn suspended_versioning_under_mfa_delete_is_enabled_again_only_where_it_is_asked_for() {
    let Some(rgw) = Rgw::start() else { return };
    let one = Account::of(&rgw, ONE);
    let ran = one.change("enable suspended-mfa", &one.serial, "").expect(1);
    assert!(bucket(&ran, "suspended-mfa")["reasons"].to_string().contains("versioning is suspended"));
    let ran = one.change("enable suspended-mfa --enable-versioning", &one.serial, &one.code()).expect(0);
    assert_eq!(bucket(&ran, "suspended-mfa")["outcome"], "confirmed");
    assert_eq!(one.state("suspended-mfa"), state("Enabled", "Enabled"));
}

/// RGW would do it; S3 would not.
#[test]
fn beside_a_lifecycle_configuration_it_is_not_even_tried() {
    let Some(rgw) = Rgw::start() else { return };
    let two = Account::of(&rgw, TWO);
    let code = two.code();
    let ran = two.change("enable lifecycle-versioned", &two.serial, &code).expect(1);
    let reasons = bucket(&ran, "lifecycle-versioned")["reasons"].to_string();
    assert!(reasons.contains("a lifecycle configuration (4 rules)"), "{reasons}");
    assert_eq!(two.state("lifecycle-versioned"), state("Enabled", "Disabled"));
    assert!(!ran.path("reports").exists());
    // The code was not used up, and disabling needs no look at the rules.
    two.change("disable mfa-lifecycle", &two.serial, &code).expect(0);
    assert_eq!(two.state("mfa-lifecycle"), state("Enabled", "Disabled"));
}

#[test]
fn what_cannot_be_read_and_what_belongs_to_others_is_not_tried() {
    let Some(rgw) = Rgw::start() else { return };
    let three = Account::of(&rgw, THREE);
    let table = [
        ("disable denied-versioning", "GetBucketVersioning denied (AccessDenied, HTTP 403"),
        ("enable denied-both", "GetBucketVersioning denied (AccessDenied, HTTP 403"),
        // Each tenant of RGW has names of its own: another account's bucket is none of ours.
        ("enable never-versioned", "there is no such bucket"),
    ];
    for (words, why) in table {
        let ran = three.change(words, &three.serial, &three.codes[0]).expect(1);
        let reasons = bucket(&ran, words.split(' ').nth(1).expect("a name"))["reasons"].to_string();
        assert!(reasons.contains(why), "{words}: {reasons}");
        assert!(!ran.path("reports").exists());
    }
    // Already enabled, whatever its lifecycle configuration is.
    three.change("enable denied-lifecycle", &three.serial, "").expect(0);
}

/// The first gateway answers with a redirect that names nothing but another address.
#[test]
fn a_bucket_of_another_region_is_changed_at_its_own_gateway_only() {
    let Some(rgw) = Rgw::start_regions(&["us-east-1", "eu-west-1"]) else { return };
    let mut one = Account::of(&rgw, ONE);
    let refused = one.change("enable elsewhere", &one.serial, "").expect(1);
    let there = &rgw.endpoints[1].1;
    let reasons = bucket(&refused, "elsewhere")["reasons"].to_string();
    assert!(reasons.contains("run the command again with --region eu-west-1"), "{reasons}");
    assert!(reasons.contains(&format!("redirects to \\\"{}\\\"", there.replace("http://", ""))), "{reasons}");
    one.endpoint = there;
    let ran = one.change("enable elsewhere --region eu-west-1", &one.serial, &one.code()).expect(0);
    let bucket = bucket(&ran, "elsewhere");
    assert_eq!((&bucket["outcome"], &bucket["region"]), (&json!("confirmed"), &json!("eu-west-1")));
}

/// It answers 200 and keeps nothing of it.
#[test]
fn a_server_that_forgets_mfa_delete_is_not_believed() {
    let Some(seaweedfs) = SeaweedFs::with_buckets(1) else { return };
    let account = &seaweedfs.truth["accounts"][ONE];
    let name = account["buckets"].as_object().expect("buckets").keys().next().expect("one").clone();
    let key = |name: &str| account[name].as_str().expect("a key").to_owned();
    let words = ["enable", &name, "--mfa-serial", "any", "--apply", "--code-from-stdin", "--wait", "2"];
    let more = ["--enable-versioning", "--account-id", ONE, "--format", "json"];
    let cli = Cli::new(["mfa-delete"].into_iter().chain(words).chain(more));
    let ran = cli.keys(&seaweedfs.endpoint, &key("access_key"), &key("secret_key")).run_with("000000\n").expect(3);
    let bucket = bucket(&ran, &name);
    assert_eq!(bucket["outcome"], "accepted_not_visible");
    assert_eq!(bucket["after"], json!({"versioning": "enabled", "mfa_delete": "never"}));
}
