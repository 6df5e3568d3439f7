//! What protects versions, through the real program: bucket policies, Object Lock, replication, accepted controls.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Row, Sim};

const BY_POLICY: &str = "with an explicit deny in a resource-based policy";
const EXTRAS: [&str; 3] = ["GetBucketPolicy", "GetObjectLockConfiguration", "GetBucketReplication"];

fn deny(bucket: &str, actions: &Value, condition: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": actions, "Condition": condition,
        "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
    }]})
}

fn if_exists() -> Value {
    json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
}

/// Versioned, without MFA delete, and with what else it has.
fn bucket(name: &str, more: Value) -> Value {
    let mut bucket = json!({"name": name, "region": "eu-west-1", "versioning": "Enabled", "mfa_delete": "Disabled"});
    let Value::Object(more) = more else { panic!("{more}") };
    bucket.as_object_mut().expect("an object").extend(more);
    bucket
}

fn organization() -> Sim {
    let old = json!([{
        "ID": "old", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }]);
    let copy = json!([{"destination": "arn:aws:s3:::copy", "account": "222222222222", "delete_markers": "Enabled"}]);
    let own = json!([{"destination": "arn:aws:s3:::copy", "account": "111111111111"}]);
    let some = json!([{"destination": "arn:aws:s3:::copy", "account": "222222222222", "prefix": "a/"}]);
    let refused = json!({"GetBucketVersioning": BY_POLICY, "GetBucketLifecycleConfiguration": BY_POLICY});
    let buckets = [
        bucket("copied", json!({"replication": copy})),
        bucket("copied-in-account", json!({"replication": own})),
        bucket("copied-in-part", json!({"replication": some})),
        bucket("gated", json!({"policy": deny("gated", &json!("s3:*"), &if_exists()), "deny": refused})),
        bucket("guarded", json!({"policy": deny("guarded", &json!("s3:*"), &if_exists())})),
        bucket("kept", json!({"lifecycle": old})),
        bucket("locked", json!({"object_lock": {"mode": "COMPLIANCE", "days": 30}, "lifecycle": old})),
        bucket("locked-weakly", json!({"object_lock": {"mode": "GOVERNANCE", "days": 30}})),
        bucket("mfa", json!({"mfa_delete": "Enabled"})),
        bucket(
            "mistaken",
            json!({"policy": deny("mistaken", &json!("s3:*"), &json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}))}),
        ),
        bucket("plain", json!({"versioning": null, "mfa_delete": null})),
        bucket("refused", json!({"deny": EXTRAS.map(|call| (call, "")).into_iter().collect::<BTreeMap<_, _>>()})),
        bucket(
            "shut",
            json!({"deny": {"GetBucketVersioning": BY_POLICY}, "policy": deny("shut", &json!("s3:Get*"), &json!({}))}),
        ),
    ];
    Sim::json(
        &json!({
            "organization_id": "o-protect0000", "management_account": "111111111111", "root": "r-ab12", "ous": [],
            "accounts": [{
                "id": "111111111111", "name": "One", "ou": "r-ab12", "assumable": false, "buckets": buckets,
            }],
        })
        .to_string(),
    )
}

#[track_caller]
fn scan(sim: &Sim, options: &[&str], code: i32) -> Ran {
    let arguments = ["scan", "--out", "out", "--quiet"].into_iter().chain(options.iter().copied());
    Cli::new(arguments).at(&sim.endpoint, "111111111111").run().expect(code)
}

#[track_caller]
fn finding(ran: &Ran, bucket: &str, rule: &str) -> Row {
    let rows = ran.rows("out/findings.csv").into_iter().filter(|row| row["bucket"] == bucket && row["rule"] == rule);
    let rows: Vec<Row> = rows.collect();
    assert_eq!(rows.len(), 1, "{rule} of {bucket}: {rows:?}");
    rows[0].clone()
}

fn rules_of_extras(ran: &Ran) -> BTreeSet<String> {
    let is_extra = |rule: &String| {
        let begins = ["policy-", "nothing-against-", "object-lock-", "replication-", "noncurrent-expiration-below"];
        begins.iter().any(|begin| rule.starts_with(begin))
    };
    let found = ran.rows("out/findings.csv").into_iter().map(|row| row["rule"].clone());
    let rules = ran.json("out/report.json")["rules"].as_array().expect("rules").clone();
    let told = rules.into_iter().map(|rule| rule["id"].as_str().expect("an id").to_owned());
    found.chain(told).filter(is_extra).collect()
}

#[test]
fn a_run_that_asked_for_nothing_says_nothing_of_it() {
    let sim = organization();
    let ran = scan(&sim, &[], 1);
    assert_eq!(rules_of_extras(&ran), BTreeSet::new());
    assert!(EXTRAS.iter().all(|call| sim.count(call) == 0));
    for file in ["policy.csv", "protection.csv", "controls.csv"] {
        assert!(!ran.path("out").join(file).exists(), "{file}");
    }
    assert!(!ran.stdout.contains("MFA BY BUCKET POLICY") && !ran.stdout.contains("WHAT PROTECTS VERSIONS"));
    let report = ran.json("out/report.json");
    assert!(["mfa_by_policy", "protection", "protection_classes"].iter().all(|key| report.get(key).is_none()));
}

#[test]
fn policies_are_judged_where_they_are_asked_for() {
    let ran = scan(&organization(), &["--with", "policy"], 1);
    assert!(rules_of_extras(&ran).iter().all(|rule| rule.starts_with("policy-")), "{:?}", rules_of_extras(&ran));
    assert!(ran.stdout.contains("MFA BY BUCKET POLICY") && !ran.stdout.contains("WHAT PROTECTS VERSIONS"));
    assert!(!ran.path("out/protection.csv").exists());
    let sums = ran.read("out/SHA256SUMS");
    assert!(sums.contains("  policy.csv\n"), "{sums}");
    let mfa = |bucket: &str, actions: &str| {
        let rows = ran.rows("out/policy.csv").into_iter();
        let row: Vec<Row> = rows.filter(|row| row["bucket"] == bucket && row["actions"] == actions).collect();
        assert_eq!(row.len(), 1, "{bucket} {actions}");
        row[0].clone()
    };
    assert_eq!(mfa("guarded", "delete_versions")["mfa"], "required");
    assert_eq!(mfa("guarded", "everything")["mfa"], "required");
    assert_eq!(
        (&*mfa("plain", "delete_versions")["mfa"], &*mfa("plain", "delete_versions")["policy"]),
        ("not_required", "none")
    );
    let mistaken = mfa("mistaken", "delete_versions");
    assert_eq!(mistaken["mfa"], "partial");
    assert!(mistaken["holes"].starts_with("statement 1: long-term keys pass: "), "{mistaken:?}");
    let refused = mfa("refused", "delete_versions");
    assert_eq!((&*refused["mfa"], &*refused["policy"]), ("unknown", "unknown"));
    assert!(refused["unknown_reason"].starts_with("GetBucketPolicy denied (AccessDenied, HTTP 403"), "{refused:?}");

    let rule = "policy-mfa-to-delete-versions";
    let statuses =
        |bucket: &str| (finding(&ran, bucket, rule)["status"].clone(), finding(&ran, bucket, rule)["severity"].clone());
    assert_eq!(statuses("mistaken"), ("fail".to_owned(), "medium".to_owned()));
    assert_eq!(statuses("plain"), ("fail".to_owned(), "info".to_owned()));
    assert_eq!(statuses("refused").0, "unknown");
    // A policy never passes for MFA delete.
    assert_eq!(finding(&ran, "guarded", "mfa-delete-enabled")["status"], "fail");
    assert_eq!(ran.bucket("guarded")["status"], "fail");
    // Where MFA delete asks for a code nobody misses a policy.
    assert!(ran.rows("out/findings.csv").iter().all(|row| row["bucket"] != "mfa" || row["rule"] != rule));
}

#[test]
fn a_refusal_for_want_of_mfa_is_told_and_stays_unknown() {
    let sim = organization();
    let (without, with) = (scan(&sim, &[], 1), scan(&sim, &["--with", "policy"], 1));
    let words = "the bucket policy denies this for want of MFA: the request carried none, or none recent enough";
    for rule in ["mfa-delete-enabled", "versioning-enabled"] {
        let gated = finding(&with, "gated", rule);
        assert_eq!(gated["status"], "unknown");
        assert!(gated["evidence"].contains(BY_POLICY) && gated["evidence"].contains(words), "{gated:?}");
        let gated = finding(&without, "gated", rule);
        assert!(gated["evidence"].contains(BY_POLICY) && !gated["evidence"].contains(words), "{gated:?}");
        // This policy denies it with MFA, too.
        let shut = finding(&with, "shut", rule);
        assert!(shut["status"] == "unknown" && !shut["evidence"].contains("want of MFA"), "{shut:?}");
    }
    // A plan of the same run says it too, and asks for no permission.
    let plan = |ran: &Ran| -> Value {
        let run = ran.path("out");
        let plan = Cli::new(["plan", run.to_str().expect("text"), "--format", "json"]).run().expect(3);
        let plan: Value = serde_json::from_str(&plan.stdout).expect("JSON");
        let buckets = plan["accounts"][0]["buckets"].as_array().expect("a list");
        buckets.iter().find(|bucket| bucket["bucket"] == "gated").expect("in the plan").clone()
    };
    let (read, unread) = (plan(&with), plan(&without));
    assert!(read["reasons"][0].to_string().contains(words) && read["needs"] == json!([]), "{read:#}");
    assert!(!unread["reasons"][0].to_string().contains(words) && unread["needs"] == json!([]), "{unread:#}");
    assert_eq!(with.bucket("gated")["mfa_delete"], "unknown");
    assert_eq!(with.bucket("gated")["status"], "unknown");
}

#[test]
fn each_bucket_says_what_stands_against_whom() {
    let ran = scan(&organization(), &["--with", "protection"], 1);
    let rows: BTreeMap<String, Row> =
        ran.rows("out/protection.csv").into_iter().map(|row| (row["bucket"].clone(), row)).collect();
    let says = |bucket: &str| {
        let row = &rows[bucket];
        ["class", "administrator", "user_keys", "lifecycle_rule", "script"].map(|column| row[column].as_str())
    };
    assert_eq!(says("mfa"), ["mfa_delete", "stopped", "stopped", "stopped", "stopped"]);
    assert_eq!(says("locked"), ["object_lock", "stopped", "stopped", "stopped", "stopped"]);
    assert_eq!(says("locked-weakly"), ["object_lock", "nothing", "nothing", "stopped", "stopped"]);
    assert_eq!(says("copied"), ["versioned", "limited", "limited", "limited", "limited"]);
    assert_eq!(says("copied-in-account"), ["versioned", "nothing", "nothing", "limited", "limited"]);
    assert_eq!(says("kept"), ["versioned_with_lifecycle", "nothing", "nothing", "limited", "limited"]);
    // Whoever may make MFA devices has MFA.
    assert_eq!(says("guarded"), ["versioned", "nothing", "stopped", "limited", "stopped"]);
    // Long-term keys pass, and credentials of roles, which are temporary and without MFA, do not.
    assert_eq!(says("mistaken"), ["versioned", "nothing", "nothing", "limited", "stopped"]);
    assert_eq!(says("plain"), ["unversioned", "nothing", "nothing", "nothing", "nothing"]);
    assert_eq!(says("refused"), ["unknown", "unknown", "unknown", "unknown", "unknown"]);
    for call in EXTRAS {
        assert!(rows["refused"]["unknown_reasons"].contains(call), "{:?}", rows["refused"]);
    }
    assert_eq!(rows["locked"]["script_by"], "object-lock-compliance;versions-kept");

    let controls = ran.rows("out/controls.csv");
    let control = |bucket: &str, name: &str| {
        let is = |row: &&Row| row["bucket"] == bucket && row["control"] == name;
        controls.iter().find(is).unwrap_or_else(|| panic!("{name} of {bucket}")).clone()
    };
    assert_eq!(control("copied", "replication-other-account")["state"], "present");
    assert!(control("copied", "replication-other-account")["holes"].contains("delete markers travel"));
    assert_eq!(control("copied-in-part", "replication-other-account")["state"], "partial");
    let own = control("copied-in-account", "replication-other-account");
    assert_eq!((&*own["state"], &*own["fact"]), ("absent", "replication goes to the bucket's own account"));
    assert_eq!(control("kept", "versions-kept")["days"], "30");
    assert_eq!(control("refused", "object-lock-compliance")["state"], "unknown");

    assert!(finding(&ran, "plain", "nothing-against-script")["evidence"].contains("versioning was never configured"));
    assert_eq!(finding(&ran, "refused", "nothing-against-administrator")["status"], "unknown");
    assert_eq!(finding(&ran, "copied-in-account", "replication-within-account")["severity"], "info");
    assert!(ran.stdout.contains("WHAT PROTECTS VERSIONS"), "{}", ran.stdout);
    let report = ran.json("out/report.json");
    let buckets: u64 = report["protection_classes"]
        .as_array()
        .expect("classes")
        .iter()
        .map(|class| class["buckets"].as_u64().expect("a number"))
        .sum();
    assert_eq!(usize::try_from(buckets), Ok(rows.len()));
    assert_eq!(report["protection"].as_array().expect("rows").len(), rows.len());
}

#[test]
fn an_accepted_control_waives_and_never_passes() {
    let options = [
        "--standard=cis-with-compensation",
        "--with=protection",
        "--accept-control=object-lock-compliance:30,replication-other-account",
        "--accept-control=versions-kept:31,mfa-by-policy",
    ];
    let ran = scan(&organization(), &options, 1);
    let status = |bucket: &str| finding(&ran, bucket, "mfa-delete-enabled")["status"].clone();
    for bucket in ["locked", "copied", "guarded"] {
        assert_eq!(
            (status(bucket), ran.bucket(bucket)["status"].clone()),
            ("waived".into(), "waived".into()),
            "{bucket}"
        );
        assert_eq!(ran.bucket(bucket)["mfa_delete"], "disabled");
    }
    let locked = finding(&ran, "locked", "mfa-delete-enabled");
    assert!(
        locked["evidence"]
            .starts_with("MFA delete is disabled, and what is accepted for it is there: object-lock-compliance:30: "),
        "{locked:?}"
    );
    assert!(locked["evidence"].contains("objects that are older than the default retention are not locked by it"));
    // Nothing ends their versions.
    for bucket in ["copied-in-account", "copied-in-part", "mistaken", "locked-weakly"] {
        assert_eq!(status(bucket), "waived", "{bucket}");
    }
    for bucket in ["kept", "plain"] {
        assert_eq!(status(bucket), "fail", "{bucket}");
    }
    let kept = finding(&ran, "kept", "mfa-delete-enabled");
    assert!(
        kept["evidence"].contains("versions-kept:31: noncurrent versions stay 30 days at least: too few days"),
        "{kept:?}"
    );
    assert!(
        ran.rows("out/findings.csv").iter().all(|row| row["bucket"] != "mfa" || row["rule"] != "mfa-delete-enabled")
    );
    // Waived by what is known, whatever the rest is; unknown where MFA delete is.
    assert_eq!((status("refused"), status("gated")), ("waived".into(), "unknown".into()));
    let strict = ["--standard=cis-with-compensation", "--with=protection", "--accept-control=object-lock-compliance:1"];
    let strict = scan(&organization(), &strict, 1);
    let refused = finding(&strict, "refused", "mfa-delete-enabled");
    assert_eq!((&*refused["status"], &*strict.bucket("refused")["status"]), ("unknown", "unknown"));
    assert!(refused["evidence"].starts_with("GetObjectLockConfiguration denied"), "{refused:?}");
    assert!(ran.stdout.contains("waived"), "{}", ran.stdout);
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    let sim = organization();
    let says = |options: &[&str]| {
        let ran = scan(&sim, options, 2);
        ran.stderr
    };
    let standard = "--standard=cis-with-compensation";
    let without = says(&[standard, "--with=protection"]);
    assert!(without.contains("--standard: cis-with-compensation needs --accept-control"), "{without}");
    let unread = says(&[standard, "--accept-control=mfa-by-policy"]);
    assert!(unread.contains("--standard: cis-with-compensation needs --with protection"), "{unread}");
    let alone = says(&["--accept-control=mfa-by-policy"]);
    assert!(
        alone.contains("--accept-control: this has a meaning only with --standard cis-with-compensation"),
        "{alone}"
    );
    let bad = says(&[
        standard,
        "--with=protection",
        "--accept-control=versions-kept,luck,mfa-by-policy:3,object-lock-compliance:0",
    ]);
    for part in [
        "versions-kept needs the days that it has to last at least",
        "\"luck\" is no control: there are object-lock-compliance, ",
        "mfa-by-policy does not last for days",
        "the days of object-lock-compliance are a number from 1 to 36500, not \"0\"",
    ] {
        assert!(bad.contains(part), "{bad}");
    }
}

#[test]
fn a_run_that_goes_on_keeps_its_controls_unless_others_are_accepted() {
    let sim = organization();
    let options =
        ["--standard=cis-with-compensation", "--with=protection", "--accept-control=replication-other-account"];
    let begun = scan(&sim, &options, 1);
    let out = begun.path("out").to_str().expect("text").to_owned();
    let resume = |options: &[&str]| {
        // Nothing is as old as that.
        let arguments =
            ["scan", "--quiet", "--max-age=7d", "--resume", &out].into_iter().chain(options.iter().copied());
        Cli::new(arguments).at(&sim.endpoint, "111111111111").run()
    };
    resume(&[]).expect(1);
    assert_eq!(begun.bucket("copied")["status"], "waived");
    resume(&["--accept-control=object-lock-compliance:1"]).expect(1);
    assert_eq!(begun.bucket("copied")["status"], "fail");
    resume(&["--standard=cis"]).expect(1);
    assert_eq!(begun.bucket("copied")["status"], "fail");
    let refused = |options: &[&str], why: &str| {
        let ran = resume(options).expect(2);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    };
    let alone = "--accept-control: this has a meaning only with --standard cis-with-compensation";
    refused(&["--accept-control=versions-kept:5"], alone);
    refused(&["--standard=cis-with-compensation"], "--standard: cis-with-compensation needs --accept-control");
    // What was not read at all stands in for nothing.
    let begun = scan(&sim, &["--with=policy"], 1);
    let out = begun.path("out").to_str().expect("text").to_owned();
    let compensated = ["--standard=cis-with-compensation", "--accept-control=versions-kept:5"];
    let arguments = ["scan", "--quiet", "--resume", &out].into_iter().chain(compensated);
    let ran = Cli::new(arguments).at(&sim.endpoint, "111111111111").run().expect(2);
    assert!(ran.stderr.contains("cis-with-compensation needs --with protection"), "{}", ran.stderr);
}

#[test]
fn what_guards_versions_is_worth_less_where_a_rule_ends_them_and_little_where_there_are_none() {
    let old = json!([{
        "ID": "old", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }]);
    let policy = |bucket: &str| deny(bucket, &json!("s3:DeleteObjectVersion"), &json!({}));
    let none = json!({"policy": policy("none"), "versioning": null, "mfa_delete": null});
    let buckets = [bucket("ended", json!({"policy": policy("ended"), "lifecycle": old})), bucket("none", none)];
    let sim = Sim::json(
        &json!({
            "organization_id": "o-protect0000", "management_account": "111111111111", "root": "r-ab12", "ous": [],
            "accounts": [{
                "id": "111111111111", "name": "One", "ou": "r-ab12", "assumable": false, "buckets": buckets,
            }],
        })
        .to_string(),
    );
    let accepting = ["--standard=cis-with-compensation", "--accept-control=deny-version-deletion"];
    let ran = scan(&sim, &[accepting.as_slice(), &["--with=protection"]].concat(), 1);
    let of = |file: &str, bucket: &str, key: &str, value: &str| {
        let rows = ran.rows(file);
        rows.into_iter().find(|row| row["bucket"] == bucket && row[key] == value).expect("a row")
    };
    let ended = of("out/protection.csv", "ended", "bucket", "ended");
    assert_eq!(
        (ended["user_keys"].as_str(), ended["script"].as_str()),
        ("limited", "limited"),
        "a plain deletion ends it"
    );
    let control = |bucket: &str| of("out/controls.csv", bucket, "control", "deny-version-deletion");
    assert!(control("ended")["holes"].contains("a version can be gone 30 days after it became noncurrent"));
    assert_eq!(control("none")["state"], "absent");
    assert!(control("none")["fact"].contains("versioning was never configured"));
    let status = |bucket: &str| of("out/findings.csv", bucket, "rule", "mfa-delete-enabled")["status"].clone();
    assert_eq!([status("ended"), status("none")], ["waived", "fail"]);
}

/// The policy of one statement for all of a bucket; `more` says more of it, or another principal.
fn statement(bucket: &str, more: &Value) -> Value {
    let mut statement = json!({
        "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
    });
    let elements = statement.as_object_mut().expect("an object");
    elements.extend(more.as_object().expect("an object").clone());
    if elements.contains_key("NotPrincipal") {
        elements.remove("Principal");
    }
    if elements.contains_key("NotResource") {
        elements.remove("Resource");
    }
    statement
}

/// Buckets with nothing but a policy of these statements.
fn with_policies(policies: &[(&str, Vec<Value>)]) -> Sim {
    let buckets: Vec<Value> = policies
        .iter()
        .map(|(name, more)| {
            let statements: Vec<Value> = more.iter().map(|more| statement(name, more)).collect();
            bucket(name, json!({"policy": {"Version": "2012-10-17", "Statement": statements}, "mfa_delete": null}))
        })
        .collect();
    Sim::json(
        &json!({
            "organization_id": "o-protect0000", "management_account": "111111111111", "root": "r-ab12", "ous": [],
            "accounts": [{
                "id": "111111111111", "name": "One", "ou": "r-ab12", "assumable": false, "buckets": buckets,
            }],
        })
        .to_string(),
    )
}

fn trial_policies() -> Vec<(&'static str, Vec<Value>)> {
    let condition = |condition: Value| vec![json!({"Condition": condition})];
    let tax = |condition: Value| json!({"Resource": "arn:aws:s3:::folder/tax/*", "Condition": condition});
    vec![
        ("all-denied", vec![json!({})]),
        ("everything", condition(if_exists())),
        (
            "folder",
            vec![
                tax(json!({"Null": {"aws:MultiFactorAuthAge": true}})),
                tax(json!({"NumericGreaterThan": {"aws:MultiFactorAuthAge": 3600}})),
            ],
        ),
        ("keys", condition(json!({"Null": {"aws:MultiFactorAuthPresent": true}}))),
        ("old-date", condition(json!({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}))),
        ("organization", condition(json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-protect0000"}}))),
        (
            "own-account",
            vec![json!({"Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Condition": if_exists()})],
        ),
        ("not-role", vec![json!({"NotPrincipal": {"AWS": "arn:aws:iam::111111111111:role/R"}})]),
        ("role-deny", vec![json!({"Principal": {"AWS": "arn:aws:iam::111111111111:role/app"}})]),
        (
            "role-mfa",
            vec![json!({"Principal": {"AWS": "arn:aws:iam::111111111111:role/app"}, "Condition": if_exists()})],
        ),
        (
            "services",
            condition(json!({"BoolIfExists": {
                "aws:MultiFactorAuthPresent": "false", "aws:PrincipalIsAWSService": "false",
            }})),
        ),
        ("tls", condition(json!({"Bool": {"aws:SecureTransport": "false"}}))),
        (
            "tls-mfa",
            condition(json!({
                "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}, "Bool": {"aws:SecureTransport": "false"},
            })),
        ),
        (
            "variable",
            vec![json!({"Action": "s3:Delete*", "NotResource": "arn:aws:s3:::variable/users/${aws:username}/*"})],
        ),
    ]
}

#[test]
fn a_policy_counts_only_against_requests_that_a_threat_has_to_make() {
    let ran = scan(&with_policies(&trial_policies()), &["--with", "protection"], 1);
    let rows: BTreeMap<String, Row> =
        ran.rows("out/protection.csv").into_iter().map(|row| (row["bucket"].clone(), row)).collect();
    let says = |bucket: &str| {
        let row = &rows[bucket];
        [row["administrator"].as_str(), row["user_keys"].as_str(), row["user_keys_by"].as_str()]
    };
    for (bucket, expected) in [
        ("all-denied", ["limited", "stopped", "policy-deny"]),
        ("everything", ["nothing", "stopped", "policy-mfa"]),
        ("folder", ["nothing", "limited", "policy-mfa"]),
        ("keys", ["nothing", "stopped", "policy-deny"]),
        ("old-date", ["nothing", "nothing", ""]),
        ("organization", ["nothing", "nothing", ""]),
        ("own-account", ["nothing", "stopped", "policy-mfa"]),
        ("not-role", ["unknown", "limited", "policy-deny"]),
        ("role-deny", ["nothing", "nothing", ""]),
        ("role-mfa", ["nothing", "nothing", ""]),
        ("services", ["nothing", "stopped", "policy-mfa"]),
        ("tls", ["nothing", "nothing", ""]),
        ("tls-mfa", ["nothing", "nothing", ""]),
    ] {
        assert_eq!(says(bucket), expected, "{bucket}");
    }
    let nothing = |bucket: &str| {
        let rows = ran.rows("out/findings.csv").into_iter();
        rows.filter(|row| row["bucket"] == bucket && row["rule"] == "nothing-against-user-keys").count()
    };
    for bucket in ["tls", "tls-mfa", "old-date", "organization", "role-deny", "role-mfa"] {
        assert_eq!(nothing(bucket), 1, "{bucket}");
    }
    for bucket in ["all-denied", "everything", "folder", "keys", "services", "not-role"] {
        assert_eq!(nothing(bucket), 0, "{bucket}");
    }
    // Keys can be exchanged for a session that such a policy lets in: it is said.
    let report = ran.json("out/report.json");
    let keys =
        report["protection"].as_array().expect("rows").iter().find(|row| row["bucket"] == "keys").expect("a row");
    let how = keys["threats"][1]["by"][0]["how"].as_str().expect("words");
    assert!(how.contains("sts:GetSessionToken"), "{how}");
}

#[test]
fn a_policy_that_does_not_look_at_mfa_is_never_unknown_for_it() {
    let ran = scan(&with_policies(&trial_policies()), &["--with", "protection"], 1);
    for bucket in ["not-role", "variable", "tls", "all-denied", "role-deny", "role-mfa", "old-date"] {
        let rows = ran.rows("out/policy.csv").into_iter().filter(|row| row["bucket"] == bucket);
        assert!(rows.clone().count() == 6, "{bucket}");
        assert!(rows.clone().all(|row| row["mfa"] == "not_required"), "{bucket}: {:?}", rows.collect::<Vec<Row>>());
    }
    for bucket in ["not-role", "variable"] {
        let findings = ran.rows("out/findings.csv").into_iter();
        let unknown = findings.filter(|row| row["bucket"] == bucket && row["status"] == "unknown");
        let rules: Vec<String> = unknown.map(|row| row["rule"].clone()).collect();
        assert!(!rules.iter().any(|rule| rule.starts_with("policy-mfa")), "{bucket}: {rules:?}");
    }
    // The first statement stops whoever the second lets pass.
    let row = ran
        .rows("out/policy.csv")
        .into_iter()
        .find(|row| row["bucket"] == "folder" && row["actions"] == "delete_versions");
    let holes = row.expect("a row")["holes"].clone();
    assert!(holes.contains("only a part of the objects") && !holes.contains("whoever has no MFA passes"), "{holes}");
}

#[test]
fn the_root_user_is_a_hole_of_every_policy() {
    let ran = scan(&with_policies(&trial_policies()), &["--with", "protection"], 1);
    let words = "the root user of the bucket's account can read, put and delete the bucket policy";
    for bucket in ["all-denied", "everything"] {
        let holes = |file: &str, key: &str, value: &str| {
            let rows = ran.rows(file);
            let row = rows.into_iter().find(|row| row["bucket"] == bucket && row[key] == value);
            row.expect("a row")["holes"].clone()
        };
        assert!(holes("out/policy.csv", "actions", "change_policy").contains(words), "{bucket}");
        let control = if bucket == "everything" { "mfa-by-policy" } else { "deny-version-deletion" };
        assert!(holes("out/controls.csv", "control", control).contains(words), "{bucket}");
        // No policy can close it, so that it fails no rule.
        let rows = ran.rows("out/findings.csv").into_iter();
        assert!(
            rows.filter(|row| row["bucket"] == bucket).all(|row| row["rule"] != "policy-mfa-to-change-policy"),
            "{bucket}"
        );
    }
    let control = |bucket: &str| {
        let rows = ran.rows("out/controls.csv");
        rows.into_iter()
            .find(|row| row["bucket"] == bucket && row["control"] == "deny-version-deletion")
            .expect("a row")
    };
    assert_eq!(control("tls")["state"], "absent");
    let accepting = ["--standard=cis-with-compensation", "--accept-control=deny-version-deletion", "--with=protection"];
    let ran = scan(&with_policies(&trial_policies()), &accepting, 1);
    let waived = finding(&ran, "all-denied", "mfa-delete-enabled");
    assert!(waived["status"] == "waived" && waived["evidence"].contains(words), "{waived:?}");
    assert_eq!(finding(&ran, "tls", "mfa-delete-enabled")["status"], "fail");
}

#[test]
fn a_copy_has_holes_where_delete_markers_travel_and_where_encrypted_objects_stay_behind() {
    let to = |more: Value| {
        let mut rule =
            json!({"destination": "arn:aws:s3:::copy", "account": "222222222222", "delete_markers": "Disabled"});
        rule.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"replication": [rule], "mfa_delete": null})
    };
    let buckets = [
        bucket("first-version", to(json!({"version": "V1", "delete_markers": null, "kms_objects": "Enabled"}))),
        bucket("disabled", to(json!({"kms_objects": "Disabled"}))),
        bucket("silent", to(json!({}))),
        bucket("whole", to(json!({"kms_objects": "Enabled"}))),
    ];
    let sim = Sim::json(
        &json!({
            "organization_id": "o-protect0000", "management_account": "111111111111", "root": "r-ab12", "ous": [],
            "accounts": [{
                "id": "111111111111", "name": "One", "ou": "r-ab12", "assumable": false, "buckets": buckets,
            }],
        })
        .to_string(),
    );
    let options =
        ["--standard=cis-with-compensation", "--with=protection", "--accept-control=replication-other-account"];
    let ran = scan(&sim, &options, 0);
    let (travel, kms) = ("delete markers travel", "objects that are encrypted with SSE-KMS are not copied");
    for (name, travels, leaves_out) in
        [("first-version", true, false), ("disabled", false, true), ("silent", false, true), ("whole", false, false)]
    {
        let rows = ran.rows("out/controls.csv").into_iter();
        let row = rows.filter(|row| row["bucket"] == name && row["control"] == "replication-other-account");
        let row: Vec<Row> = row.collect();
        assert_eq!(row[0]["state"], "present", "{name}");
        let waived = finding(&ran, name, "mfa-delete-enabled");
        assert_eq!(waived["status"], "waived", "{name}");
        for holes in [&row[0]["holes"], &waived["evidence"]] {
            assert_eq!((holes.contains(travel), holes.contains(kms)), (travels, leaves_out), "{name}: {holes}");
        }
    }
}

#[test]
fn an_event_hold_lasts_from_its_release() {
    let held = |lock: Value| json!({"object_lock": lock, "mfa_delete": null});
    let buckets = [
        bucket("beside", held(json!({"event_hold_days": 30, "mode": "COMPLIANCE", "days": 90}))),
        bucket("held", held(json!({"event_hold_days": 30, "mode": "COMPLIANCE"}))),
    ];
    let sim = Sim::json(
        &json!({
            "organization_id": "o-protect0000", "management_account": "111111111111", "root": "r-ab12", "ous": [],
            "accounts": [{
                "id": "111111111111", "name": "One", "ou": "r-ab12", "assumable": false, "buckets": buckets,
            }],
        })
        .to_string(),
    );
    let ran = scan(&sim, &["--with=protection"], 1);
    for (name, days) in [("held", "30"), ("beside", "90")] {
        let rows = ran.rows("out/controls.csv").into_iter();
        let row: Vec<Row> =
            rows.filter(|row| row["bucket"] == name && row["control"] == "object-lock-compliance").collect();
        assert_eq!((row[0]["state"].as_str(), row[0]["days"].as_str()), ("present", days), "{name}");
        let holes = &row[0]["holes"];
        assert!(holes.contains("30 days after its event hold is released"), "{holes}");
        assert!(!holes.contains("after its upload"), "{holes}");
        let report = ran.json("out/report.json");
        let row =
            report["protection"].as_array().expect("rows").iter().find(|row| row["bucket"] == name).expect("a row");
        let how = row["threats"][1]["by"][0]["how"].as_str().expect("words").to_owned();
        assert!(how.contains("30 days from the release of its event hold"), "{how}");
    }
}
