//! Truth tables: `fixtures/rules/<id>.json` says for every rule what it must say of which facts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use time::Date;
use time::macros::{date, format_description};

use super::*;
use crate::lifecycle::{MinimumSize, read};
use crate::model::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    standard: Standard,
    versioning: String,
    mfa_delete: String,
    /// Rules in S3's JSON, or a word, see [`lifecycle`].
    lifecycle: Value,
    /// `TransitionDefaultMinimumObjectSize`; where it is not there the server does not state it.
    #[serde(default)]
    minimum_size: Option<MinimumSize>,
    /// A bucket policy in JSON, `none` or `unknown`; nobody asked for it where it is not there. So with the next two.
    #[serde(default)]
    policy: Option<Value>,
    /// `none`, `unknown`, `without retention`, or mode, number and unit: `compliance 30 days`.
    #[serde(default)]
    object_lock: Option<String>,
    /// `none`, `unknown`, or rules, see [`ReplicationRow`].
    #[serde(default)]
    replication: Option<Value>,
    /// The accepted controls.
    #[serde(default)]
    accepted: Vec<String>,
    /// The second part of ARNs; `unknown` where STS did not answer.
    #[serde(default = "aws")]
    partition: String,
    /// The day of the scan, 2026-11-22 where it makes no difference.
    #[serde(default)]
    today: Option<String>,
    /// `unknown` where nobody confirmed it.
    #[serde(default = "region")]
    region: String,
    /// `pass`, `fail`, `fail critical`, `fail info`, `waived`, `unknown`, `not_applicable` or `not_offered`.
    says: String,
    /// For `unknown`: the operations whose failure is named, `analysis` or `policy` where an analyser could not tell, and
    /// `not asked` before what nobody asked for.
    #[serde(default)]
    because: Vec<String>,
    /// For `fail`, `waived` and `not_offered`: words the evidence must hold.
    #[serde(default)]
    evidence: String,
}

/// A rule of replication; enabled and for all objects where it does not say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplicationRow {
    account: Option<String>,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    tags: Vec<(String, String)>,
    #[serde(default)]
    disabled: bool,
    delete_markers: Option<bool>,
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn aws() -> String {
    "aws".to_owned()
}

/// Of the bucket.
const ACCOUNT: &str = "111122223333";

fn policy(value: &Value) -> Fact<BucketPolicy> {
    let known = match value.as_str() {
        Some("unknown") => None,
        Some("none") => Some(BucketPolicy::None),
        Some(word) => panic!("policy {word:?} in a truth table"),
        None => Some(BucketPolicy::Present(value.to_string().into())),
    };
    fact(known, Operation::GetBucketPolicy)
}

fn object_lock(words: &str) -> Fact<ObjectLock> {
    let known = match words.split(' ').collect::<Vec<_>>()[..] {
        ["unknown"] => None,
        ["none"] => Some(ObjectLock::None),
        ["hold", number, "days"] => {
            let period = RetentionPeriod::Days(number.parse().expect("a number"));
            let event_hold = Some(EventHold { mode: None, period });
            Some(ObjectLock::Enabled(DefaultLock { retention: None, event_hold }))
        }
        ["without", "retention"] => Some(ObjectLock::Enabled(DefaultLock::default())),
        [mode, number, unit] => {
            let number = number.parse().expect("a number");
            let mode = match mode {
                "compliance" => RetentionMode::Compliance,
                "governance" => RetentionMode::Governance,
                mode => panic!("mode {mode:?} in a truth table"),
            };
            let period = match unit {
                "days" => RetentionPeriod::Days(number),
                "years" => RetentionPeriod::Years(number),
                unit => panic!("unit {unit:?} in a truth table"),
            };
            let retention = Some(DefaultRetention { mode, period });
            Some(ObjectLock::Enabled(DefaultLock { retention, event_hold: None }))
        }
        _ => panic!("object_lock {words:?} in a truth table"),
    };
    fact(known, Operation::GetObjectLockConfiguration)
}

fn replication(value: &Value) -> Fact<Replication> {
    let rule = |row: ReplicationRow| ReplicationRule {
        id: None,
        enabled: !row.disabled,
        prefix: row.prefix,
        tags: row.tags,
        destination: "arn:aws:s3:::copy".to_owned(),
        account: row.account.map(|id| AccountId::parse(&id).expect("12 digits")),
        left_out: LeftOut::default(),
        delete_markers: row.delete_markers,
        kms_objects: None,
    };
    let known = match value.as_str() {
        Some("unknown") => None,
        Some("none") => Some(Replication::None),
        Some(word) => panic!("replication {word:?} in a truth table"),
        None => {
            let rows: Vec<ReplicationRow> = serde_json::from_value(value.clone()).expect("rules");
            Some(Replication::Present(rows.into_iter().map(rule).collect()))
        }
    };
    fact(known, Operation::GetBucketReplication)
}

fn setting(row: &Row) -> Setting {
    let accepted = row.accepted.iter().map(|control| control.parse().expect("a control"));
    Setting {
        organization: None,
        today: today(row),
        analyses: Analyses::new(today(row)),
        partition: (row.partition != "unknown").then(|| row.partition.clone()),
        accepted: accepted.collect(),
    }
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules")
}

fn fact<T>(value: Option<T>, operation: Operation) -> Fact<T> {
    let at = Timestamp::from_unix(1_800_000_000).expect("in range");
    let denied = || Reason {
        operation,
        class: ErrorClass::Denied,
        code: Some("AccessDenied".to_owned()),
        http_status: Some(403),
        request_id: None,
        message: String::new(),
    };
    Fact { at, observed: value.map_or_else(|| Observed::Unknown(Arc::new(denied())), Observed::Known) }
}

fn versioning(row: &Row) -> Fact<VersioningState> {
    let mfa_delete = match row.mfa_delete.as_str() {
        "never" => MfaDelete::Never,
        "disabled" => MfaDelete::Disabled,
        "enabled" => MfaDelete::Enabled,
        "unknown" => return fact(None, Operation::GetBucketVersioning),
        word => panic!("mfa_delete {word:?} in a truth table"),
    };
    let versioning = match row.versioning.as_str() {
        "never" => Versioning::Never,
        "enabled" => Versioning::Enabled,
        "partial" => Versioning::Partial(Exclusions { prefixes: 1, folders: true }),
        "suspended" => Versioning::Suspended,
        word => panic!("versioning {word:?} in a truth table"),
    };
    fact(Some(VersioningState { versioning, mfa_delete }), Operation::GetBucketVersioning)
}

/// Rules in S3's JSON; `none`; `unknown`; kinds of action separated by spaces, a rule for each, `+expiration` enabled
/// and `-expiration` disabled; or `vast expiration`, rules with tag keys of their own, see [`vast`].
fn lifecycle(value: &Value, minimum_size: Option<MinimumSize>) -> Fact<Lifecycle> {
    let mut known = match value.as_str() {
        Some("unknown") => None,
        Some("none") => Some(Lifecycle::None),
        Some(words) => Some(present(&match words.strip_prefix("vast ") {
            Some(kind) => vast(kind),
            None => words.split(' ').enumerate().map(|(index, word)| plain(index + 1, word)).collect(),
        })),
        None => Some(present(value.as_array().expect("rules"))),
    };
    if let Some(Lifecycle::Present(configuration)) = &mut known {
        configuration.minimum_size = minimum_size;
    }
    fact(known, Operation::GetBucketLifecycleConfiguration)
}

fn plain(number: usize, word: &str) -> Value {
    let (sign, kind) = word.split_at(1);
    let status = if sign == "+" { "Enabled" } else { "Disabled" };
    with_action(json!({"ID": format!("rule-{number}"), "Filter": {}, "Status": status}), kind, 30)
}

fn with_action(mut rule: Value, kind: &str, days: usize) -> Value {
    let (name, action) = match kind {
        "expiration" => ("Expiration", json!({"Days": days})),
        "expired_object_delete_marker" => ("Expiration", json!({"ExpiredObjectDeleteMarker": true})),
        "transition" => ("Transitions", json!([{"Days": days, "StorageClass": "GLACIER"}])),
        "noncurrent_version_expiration" => ("NoncurrentVersionExpiration", json!({"NoncurrentDays": days})),
        "abort_incomplete_multipart_upload" => ("AbortIncompleteMultipartUpload", json!({"DaysAfterInitiation": days})),
        kind => panic!("kind {kind:?} in a truth table"),
    };
    rule[name] = action;
    rule
}

/// Each rule has a tag key of its own, so objects meet them in very many ways. Transitions that lie close to each other and
/// to expirations are more than the analyser looks at; expirations by themselves are not.
fn vast(kind: &str) -> Vec<Value> {
    let rule = |number: usize| {
        let filter = json!({"Tag": {"Key": format!("key-{number}"), "Value": "x"}});
        with_action(json!({"ID": format!("rule-{number}"), "Filter": filter, "Status": "Enabled"}), kind, number)
    };
    let crowded = |number: usize| {
        let class =
            ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"][number % 6];
        let mut rule = with_action(rule(number), "expiration", number % 10 + 1);
        rule["Transitions"] = json!([{"Days": number % 10, "StorageClass": class}]);
        rule
    };
    if kind == "transition" { (1..=300).map(crowded).collect() } else { (1..=60).map(rule).collect() }
}

/// The tolerant reading by hand, the other one as the scan does it.
fn present(rules: &[Value]) -> Lifecycle {
    let reading = match read::read(json!({"Rules": rules}).to_string().as_bytes()) {
        Ok(document) => match document.remarks.iter().find(|remark| remark.kind == read::RemarkKind::Unreadable) {
            Some(remark) => Reading::Unreadable { code: None, why: remark.message.clone() },
            None => Reading::Read(document.configuration),
        },
        Err(error) => Reading::Unreadable { code: None, why: error.message },
    };
    let rule = |rule: &Value| {
        let has = |member: &str, inner: &str| rule[member].get(inner).is_some();
        let kinds = [
            (ActionKind::Transition, rule.get("Transitions").is_some()),
            (ActionKind::Expiration, has("Expiration", "Days") || has("Expiration", "Date")),
            (ActionKind::NoncurrentVersionExpiration, rule.get("NoncurrentVersionExpiration").is_some()),
            (ActionKind::AbortIncompleteMultipartUpload, rule.get("AbortIncompleteMultipartUpload").is_some()),
        ];
        let status = match rule["Status"].as_str().expect("a status") {
            "Enabled" => RuleStatus::Enabled,
            "Disabled" => RuleStatus::Disabled,
            other => RuleStatus::Other(other.to_owned()),
        };
        let actions = kinds.into_iter().filter_map(|(kind, there)| there.then_some(kind)).collect();
        LifecycleRule { id: rule["ID"].as_str().expect("an ID").to_owned(), status, actions }
    };
    Lifecycle::Present(LifecycleConfiguration { rules: rules.iter().map(rule).collect(), reading, minimum_size: None })
}

fn today(row: &Row) -> Date {
    let day = |text: &String| Date::parse(text, format_description!("[year]-[month]-[day]")).expect("a day");
    row.today.as_ref().map_or(date!(2026 - 11 - 22), day)
}

#[test]
fn every_rule_keeps_its_truth_table() {
    // Rows that share one share its verdicts on lifecycle configurations.
    let mut settings: BTreeMap<(Date, String, Vec<String>), Setting> = BTreeMap::new();
    let mut wrong = Vec::new();
    for rule in ALL {
        let path = fixtures().join(format!("{}.json", rule.id));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let rows: Vec<Row> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(rows.len() >= 6, "{} has few rows", path.display());
        for (number, row) in rows.iter().enumerate() {
            let (versioning, lifecycle) = (versioning(row), lifecycle(&row.lifecycle, row.minimum_size));
            let extras = Extras {
                policy: row.policy.as_ref().map(policy),
                object_lock: row.object_lock.as_deref().map(object_lock),
                replication: row.replication.as_ref().map(replication),
                ..Extras::default()
            };
            let account = AccountId::parse(ACCOUNT).expect("12 digits");
            let key = (today(row), row.partition.clone(), row.accepted.clone());
            let setting = settings.entry(key).or_insert_with(|| setting(row));
            let region = Region::new(row.region.as_str());
            let bucket = Bucket {
                account: &account,
                name: "bucket",
                region: &region,
                versioning: &versioning,
                lifecycle: &lifecycle,
                extras: &extras,
            };
            let verdict = (rule.check)(&BucketFacts::new(bucket, setting), row.standard);
            let at = format!("{}, row {}", path.display(), number + 1);
            let (says, because) = match &verdict {
                Verdict::Pass => ("pass".to_owned(), vec![]),
                Verdict::NotApplicable => ("not_applicable".to_owned(), vec![]),
                Verdict::NotOffered { .. } => ("not_offered".to_owned(), vec![]),
                Verdict::Unknown(doubts) => {
                    let because = doubts.iter().map(|doubt| match doubt {
                        Doubt::Unread(reason) => reason.operation.to_string(),
                        Doubt::DeniedByPolicy(reason) => format!("policy against {}", reason.operation),
                        Doubt::NotAnalysed(_) => "analysis".to_owned(),
                        Doubt::NotJudged(_) => "policy".to_owned(),
                        Doubt::NotAsked(extra) => format!("not asked {}", extra.operation()),
                    });
                    ("unknown".to_owned(), because.collect())
                }
                Verdict::Waived { .. } => ("waived".to_owned(), vec![]),
                Verdict::Fail { severity, .. } => {
                    (severity.map_or("fail".to_owned(), |severity| format!("fail {}", severity.as_str())), vec![])
                }
            };
            if (&says, &because) != (&row.says, &row.because) {
                wrong.push(format!("{at}: {says} {because:?} is not {} {:?}", row.says, row.because));
            }
            let evidence = match &verdict {
                Verdict::Fail { evidence, .. } => evidence.as_ref(),
                Verdict::Waived { evidence } => evidence,
                Verdict::NotOffered { evidence } => evidence,
                Verdict::Pass | Verdict::Unknown(_) | Verdict::NotApplicable => continue,
            };
            if row.evidence.is_empty() || !evidence.contains(&row.evidence) {
                wrong.push(format!("{at}: {evidence:?} has no {:?}", row.evidence));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_truth_table_belongs_to_a_rule_and_ids_are_unique() {
    let ids: BTreeSet<&str> = ALL.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), ALL.len());
    for entry in std::fs::read_dir(fixtures()).expect("fixtures/rules") {
        let name = entry.expect("readable").file_name().into_string().expect("text");
        let id = name.strip_suffix(".json").expect("only truth tables");
        assert!(ids.contains(id), "fixtures/rules/{name} belongs to no rule");
    }
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules")).expect("src/rules");
    let names = files.map(|entry| entry.expect("readable").file_name());
    let helpers = ["tests.rs", "analysis.rs", "policy_access.rs", "threats.rs"];
    let rules = names.filter(|name| !helpers.iter().any(|helper| name == helper)).count();
    assert_eq!(rules, ALL.len(), "a file of src/rules is not in rules::ALL");
}

#[test]
fn every_rule_has_its_words() {
    for rule in ALL {
        assert!(!rule.title.is_empty() && rule.explanation.len() > 40 && rule.remediation.len() > 40, "{}", rule.id);
        assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.id);
        for text in [rule.explanation, rule.remediation] {
            assert!(!text.contains("  "), "{}: a line was broken badly: {text}", rule.id);
        }
    }
}
