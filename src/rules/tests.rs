//! Truth tables: `fixtures/rules/<id>.json` says for every rule what it must say of which facts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

use super::*;
use crate::model::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    standard: Standard,
    versioning: String,
    mfa_delete: String,
    lifecycle: String,
    /// `pass`, `fail`, `fail critical`, `unknown` or `not_applicable`.
    says: String,
    /// For `unknown`: the operations whose failure is named.
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

/// `none`, `unknown`, or rules separated by spaces: `+NoncurrentVersionExpiration` enabled, `-Expiration` disabled.
fn lifecycle(text: &str) -> Fact<Lifecycle> {
    let value = match text {
        "unknown" => None,
        "none" => Some(Lifecycle::None),
        rules => {
            let rule = |(position, word): (usize, &str)| {
                let (status, name) = word.split_at(1);
                let action: ActionKind = serde_json::from_value(serde_json::Value::String(name.to_owned()))
                    .unwrap_or_else(|error| panic!("{name:?} in a truth table: {error}"));
                let status = if status == "+" { RuleStatus::Enabled } else { RuleStatus::Disabled };
                LifecycleRule { id: format!("rule-{}", position + 1), status, actions: BTreeSet::from([action]) }
            };
            let rules = rules.split(' ').enumerate().map(rule).collect();
            Some(Lifecycle::Present(LifecycleConfiguration { rules }))
        }
    };
    fact(value, Operation::GetBucketLifecycleConfiguration)
}

#[test]
fn every_rule_keeps_its_truth_table() {
    for rule in ALL {
        let path = fixtures().join(format!("{}.json", rule.id));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let rows: Vec<Row> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(rows.len() >= 6, "{} has few rows", path.display());
        for (number, row) in rows.iter().enumerate() {
            let (versioning, lifecycle) = (versioning(row), lifecycle(&row.lifecycle));
            let verdict = (rule.check)(&BucketFacts { versioning: &versioning, lifecycle: &lifecycle }, row.standard);
            let at = format!("{}, row {}", path.display(), number + 1);
            let (says, because) = match &verdict {
                Verdict::Pass => ("pass".to_owned(), vec![]),
                Verdict::NotApplicable => ("not_applicable".to_owned(), vec![]),
                Verdict::Unknown(reasons) => {
                    ("unknown".to_owned(), reasons.iter().map(|reason| reason.operation.to_string()).collect())
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
    let rules = files.filter(|entry| entry.as_ref().expect("readable").file_name() != "tests.rs").count();
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
