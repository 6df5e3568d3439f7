//! Truth tables: `fixtures/rules/<id>.json` says for every rule what it must say of which facts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use time::Date;
use time::macros::{date, format_description};

use super::*;
use crate::lifecycle::read;
use crate::model::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    standard: Standard,
    versioning: String,
    mfa_delete: String,
    /// Rules in S3's JSON, or a word, see [`lifecycle`].
    lifecycle: Value,
    /// The day of the scan, 2026-11-22 where it makes no difference.
    #[serde(default)]
    today: Option<String>,
    /// `pass`, `fail`, `fail critical`, `fail info`, `unknown` or `not_applicable`.
    says: String,
    /// For `unknown`: the operations whose failure is named, and `analysis` where the analyser could not tell.
    #[serde(default)]
    because: Vec<String>,
    /// For `fail`: words the evidence must hold.
    #[serde(default)]
    evidence: String,
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
        "suspended" => Versioning::Suspended,
        word => panic!("versioning {word:?} in a truth table"),
    };
    fact(Some(VersioningState { versioning, mfa_delete }), Operation::GetBucketVersioning)
}

/// Rules in S3's JSON; `none`; `unknown`; kinds of action separated by spaces, a rule for each, `+expiration` enabled
/// and `-expiration` disabled; or `vast expiration`, rules with tag keys of their own, see [`vast`].
fn lifecycle(value: &Value) -> Fact<Lifecycle> {
    let known = match value.as_str() {
        Some("unknown") => None,
        Some("none") => Some(Lifecycle::None),
        Some(words) => Some(present(&match words.strip_prefix("vast ") {
            Some(kind) => vast(kind),
            None => words.split(' ').enumerate().map(|(index, word)| plain(index + 1, word)).collect(),
        })),
        None => Some(present(value.as_array().expect("rules"))),
    };
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
        Ok(document) => Reading::Read(document.configuration),
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
    Lifecycle::Present(LifecycleConfiguration { rules: rules.iter().map(rule).collect(), reading })
}

fn today(row: &Row) -> Date {
    let day = |text: &String| Date::parse(text, format_description!("[year]-[month]-[day]")).expect("a day");
    row.today.as_ref().map_or(date!(2026 - 11 - 22), day)
}

#[test]
fn every_rule_keeps_its_truth_table() {
    let mut days: BTreeMap<Date, Analyses> = BTreeMap::new();
    for rule in ALL {
        let path = fixtures().join(format!("{}.json", rule.id));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let rows: Vec<Row> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(rows.len() >= 6, "{} has few rows", path.display());
        for (number, row) in rows.iter().enumerate() {
            let (versioning, lifecycle) = (versioning(row), lifecycle(&row.lifecycle));
            let analyses = days.entry(today(row)).or_insert_with_key(|today| Analyses::new(*today));
            let verdict = (rule.check)(&BucketFacts::new(&versioning, &lifecycle, analyses), row.standard);
            let at = format!("{}, row {}", path.display(), number + 1);
            let (says, because) = match &verdict {
                Verdict::Pass => ("pass".to_owned(), vec![]),
                Verdict::NotApplicable => ("not_applicable".to_owned(), vec![]),
                Verdict::Unknown(doubts) => {
                    let because = doubts.iter().map(|doubt| match doubt {
                        Doubt::Unread(reason) => reason.operation.to_string(),
                        Doubt::NotAnalysed(_) => "analysis".to_owned(),
                    });
                    ("unknown".to_owned(), because.collect())
                }
                Verdict::Fail { evidence, severity } => {
                    assert!(!row.evidence.is_empty() && evidence.contains(&row.evidence), "{at}: {evidence}");
                    (severity.map_or("fail".to_owned(), |severity| format!("fail {}", severity.as_str())), vec![])
                }
            };
            assert_eq!((says, because), (row.says.clone(), row.because.clone()), "{at}");
        }
    }
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
    let rules = names.filter(|name| name != "tests.rs" && name != "analysis.rs").count();
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
