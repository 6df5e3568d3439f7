//! Truth tables: `fixtures/policy` says of conditions and of whole policies what must be judged of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use super::reach::reach;
use super::reach::tests::ThreatRow;
use super::scanner::{Denial, denial, is_for_want_of_mfa};
use super::*;
use crate::model::{AccountId, ErrorClass, Operation, Reason};

/// What an [`Access`] says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Expected {
    verdict: String,
    /// Names, in any order.
    #[serde(default)]
    holes: BTreeSet<String>,
    max_age: Option<u64>,
    #[serde(default)]
    denied_to_all: bool,
}

/// A condition of a statement for everybody, everything and the whole bucket.
#[derive(Deserialize)]
struct ConditionRow {
    why: String,
    effect: String,
    condition: Value,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyRow {
    why: String,
    #[serde(default = "aws")]
    partition: String,
    policy: Value,
    /// By the name of the group; a group that is not there has no hole and demands nothing.
    says: BTreeMap<String, Expected>,
    /// Demands of the first group in `says`, as `resources of principals`.
    #[serde(default)]
    demands: Vec<String>,
}

fn aws() -> String {
    "aws".to_owned()
}

pub(super) fn rows<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/policy").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
pub(super) fn good(policy: &Value) -> Policy {
    read(policy.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{policy}"))
}

/// What differs, for a person.
fn mistakes(access: &Access, expected: &Expected, at: &str) -> Option<String> {
    let holes = access.gaps.iter().map(|gap| gap.hole.as_str().to_owned()).collect();
    let verdict = access.verdict.as_str().to_owned();
    let seen = Expected { verdict, holes, max_age: access.max_age, denied_to_all: access.denied_to_all };
    (seen != *expected).then(|| format!("{at}, {}:\n  {seen:?}\n  is not {expected:?}", access.group))
}

#[test]
fn conditions_are_judged_by_the_truth_table() {
    let rows = rows::<ConditionRow>("conditions.json");
    assert!(rows.len() >= 40, "{}", rows.len());
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": row.effect, "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"], "Condition": row.condition,
        }});
        let access = judge(&good(&policy), "bucket", "aws");
        let at = format!("row {}, {}", number + 1, row.why);
        for access in &access.groups {
            let mut expected = row.expected.clone();
            let guards = matches!(expected.verdict.as_str(), "required" | "partial") || expected.denied_to_all;
            if access.group == Group::ChangePolicy && guards {
                expected.holes.insert("root_user".to_owned());
            }
            wrong.extend(mistakes(access, &expected, &at));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn policies_are_judged_by_the_truth_table() {
    let rows = rows::<PolicyRow>("policies.json");
    assert!(rows.len() >= 40, "{}", rows.len());
    let nothing = Expected { verdict: "not_required".to_owned(), ..Expected::default() };
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let at = format!("row {}, {}", number + 1, row.why);
        let access = judge(&good(&row.policy), "bucket", &row.partition);
        for access in &access.groups {
            let expected = row.says.get(access.group.as_str()).unwrap_or(&nothing);
            wrong.extend(mistakes(access, expected, &at));
        }
        let known: BTreeSet<&str> = Group::ALL.into_iter().map(Group::as_str).collect();
        assert!(row.says.keys().all(|group| known.contains(group.as_str())), "{at}");
        let group = access.groups.iter().find(|access| row.says.contains_key(access.group.as_str()));
        let demands = group.map_or(&[][..], |access| &access.demands).iter();
        let demands: Vec<String> =
            demands.map(|demand| format!("{} of {}", scope(&demand.resources), scope(&demand.principals))).collect();
        if demands != row.demands {
            wrong.push(format!("{at}: demands {demands:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::All => "all".to_owned(),
        Scope::Part(listed) => listed.join(" "),
        Scope::AllBut(listed) => format!("all but {}", listed.join(" ")),
    }
}

const READINGS: [Operation; 3] =
    [Operation::GetBucketVersioning, Operation::GetBucketLifecycleConfiguration, Operation::GetBucketPolicy];
const SCANNER: &str = "arn:aws:sts::111122223333:assumed-role/Scanner/bucketlens";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScannerRow {
    why: String,
    policy: Value,
    /// Versioning, lifecycle, policy.
    says: [String; 3],
}

#[test]
fn denials_of_the_scanner_are_foretold_by_the_truth_table() {
    let rows = rows::<ScannerRow>("scanner.json");
    assert!(rows.len() >= 10, "{}", rows.len());
    for (number, row) in rows.iter().enumerate() {
        let policy = good(&row.policy);
        let says = READINGS.map(|reading| {
            let action = reading.action().expect("it needs a permission");
            match denial(&policy, "bucket", "aws", action, SCANNER) {
                Denial::No => "no",
                Denial::ForWantOfMfa => "for want of MFA",
                Denial::Always => "always",
                Denial::PerhapsForWantOfMfa => "perhaps for want of MFA",
                Denial::Perhaps => "perhaps",
            }
        });
        assert_eq!(says, row.says.each_ref().map(String::as_str), "row {}, {}", number + 1, row.why);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeniedRow {
    why: String,
    policy: Value,
    says: String,
    #[serde(default)]
    holes: BTreeSet<String>,
}

#[test]
fn denials_of_versions_are_judged_by_the_truth_table() {
    let rows = rows::<DeniedRow>("denied.json");
    assert!(rows.len() >= 15, "{}", rows.len());
    for (number, row) in rows.iter().enumerate() {
        let (says, holes) = match denied(&good(&row.policy), &place(), Group::DeleteVersions) {
            Denied::All => ("all", vec![]),
            Denied::Some(holes) => ("some", holes),
            Denied::Nothing => ("nothing", vec![]),
            Denied::Unknown(_) => ("unknown", vec![]),
        };
        let holes: BTreeSet<String> = holes.iter().map(|hole| hole.as_str().to_owned()).collect();
        assert_eq!((says, &holes), (row.says.as_str(), &row.holes), "row {}, {}", number + 1, row.why);
    }
}

pub(super) fn place() -> Place {
    Place {
        bucket: "bucket".to_owned(),
        account: AccountId::parse("111122223333").expect("12 digits"),
        partition: "aws".to_owned(),
        organization: None,
        today: time::macros::date!(2026 - 03 - 17),
    }
}

#[test]
fn a_refusal_is_for_want_of_mfa_only_where_s3_and_the_policy_say_so() {
    let policy = |operator: &str, key: &str| {
        good(&json!({"Statement": {
            "Effect": "Deny", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::bucket",
            "Condition": {operator: {key: "false"}},
        }}))
    };
    let gate = policy("Bool", "aws:MultiFactorAuthPresent");
    let said = |policy: &Policy, message: &str| {
        let refusal = Reason {
            operation: Operation::GetBucketVersioning,
            class: ErrorClass::Denied,
            code: Some("AccessDenied".to_owned()),
            http_status: Some(403),
            request_id: None,
            message: message.to_owned(),
        };
        is_for_want_of_mfa(policy, "bucket", "aws", &refusal)
    };
    let words = |kind: &str| {
        format!(
            "User: {SCANNER} is not authorized to perform: s3:GetBucketVersioning on resource: \"arn:aws:s3:::bucket\" {kind}"
        )
    };
    let explicit = words("with an explicit deny in a resource-based policy");
    assert!(said(&gate, &explicit));
    assert!(said(&policy("BoolIfExists", "aws:MultiFactorAuthPresent"), &explicit));
    // The policy that is named may come after it, and case does not count.
    assert!(said(&gate, &words("with an Explicit Deny in a resource-based policy: arn:aws:s3:::bucket")));
    // Another policy, no reason, no caller, another bucket's policy, a Deny of something else.
    assert!(!said(&gate, &words("with an explicit deny in a service control policy")));
    assert!(!said(&gate, &words("because no identity-based policy allows the s3:GetBucketVersioning action")));
    assert!(!said(&gate, "Access Denied"));
    assert!(!said(&gate, "denied with an explicit deny in a resource-based policy"));
    assert!(!said(&policy("Bool", "aws:SecureTransport"), &explicit));
}

#[test]
fn mistakes_have_their_place() {
    let statement = |elements: &str| format!("{{\"Statement\":\n[{{{elements}}}]}}");
    let all = r#""Effect":"Deny","Principal":"*","Action":"*","Resource":"*""#;
    assert!(read(statement(all).as_bytes()).is_ok());
    let bad = [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"Statement": 7}"#.to_owned(),
        r#"{"Statement": []} x"#.to_owned(),
        r#"{"Statement": [], "Statement": []}"#.to_owned(),
        statement(&format!(r#"{all},"Effect":"Allow""#)),
        statement(&format!(r#"{all},"NotAction":"*""#)),
        statement(&all.replace(r#""Action""#, r#""action""#)),
        statement(&all.replace(r#""Effect""#, r#""effect""#)),
        statement(&all.replace(r#""Principal":"*""#, r#""Principal":"111122223333""#)),
        statement(&all.replace(r#""Resource":"*""#, r#""Resource":null"#)),
        statement(&format!(r#"{all},"Condition":{{"Bool":"x"}}"#)),
        statement(&format!(r#"{all},"Condition":{{"Bool":{{"k":{{}}}}}}"#)),
        statement(&format!(r#"{all},"Condition":{{"Bool":{{"k":1,"k":2}}}}"#)),
        statement(&format!(r#"{all},"Condition":{{"Bool":{{"\u001b":1,"\u001b":2}}}}"#)),
    ];
    let errors: Vec<String> = bad.iter().map(|json| read(json.as_bytes()).expect_err("an error").to_string()).collect();
    let expected = [
        "1:1: EOF while parsing a value",
        "1:2: invalid type: sequence, expected a policy, which is an object",
        "1:2: the policy has no Statement",
        "1:15: invalid type: integer `7`, expected a statement, which is an object",
        "1:19: trailing characters",
        r#"1:29: the key "Statement" stands twice in its object"#,
        r#"2:70: the key "Effect" stands twice in its object"#,
        "2:78: a statement has both Action and NotAction",
        "2:62: a statement has neither Action nor NotAction",
        "2:62: a statement has no Effect",
        r#"2:44: the principal "111122223333" needs its type, as in {"AWS": ...}"#,
        "2:62: invalid type: null, expected a value or a list of values",
        r#"2:85: invalid type: string "x", expected an object of condition keys"#,
        "2:89: invalid type: map, expected a text, a number or a boolean",
        r#"2:92: the key "k" stands twice in its object"#,
        r#"2:102: the key "\u{1b}" stands twice in its object"#,
    ];
    assert_eq!(errors, expected, "{}", errors.join("\n"));
}

#[test]
fn every_shape_of_the_grammar_is_read() {
    let policy = good(&json!({"Id": "x", "Statement": [
        {"Sid": "one", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},
        {
            "Effect": "Deny", "NotPrincipal": {"AWS": ["1", "2"], "Service": "s", "CanonicalUser": "c", "Federated": "f"},
            "NotAction": ["a", "b"], "NotResource": ["c"], "Unless": {"a": 1},
            "Condition": {"ForAnyValue:StringNotLikeIfExists": {"k": ["a", 1, -2, 0.5, true]}, "Foo": {"k": 7}},
        },
    ]}));
    assert_eq!(policy.version, document::Version::V2008);
    let [one, two] = &policy.statements[..] else { panic!("{policy:?}") };
    assert_eq!((one.sid.as_deref(), two.sid.as_deref()), (Some("one"), None));
    assert_eq!(one.principal, document::Element::Only(document::Principals::Everybody));
    let document::Element::AllBut(document::Principals::Listed(listed)) = &two.principal else { panic!("{two:?}") };
    // A program may write the types in any order.
    let listed: BTreeSet<(String, &str)> =
        listed.iter().map(|principal| (format!("{:?}", principal.kind), principal.value.as_str())).collect();
    let expected = [("Aws", "1"), ("Aws", "2"), ("CanonicalUser", "c"), ("Federated", "f"), ("Service", "s")];
    assert_eq!(listed, expected.map(|(kind, value)| (kind.to_owned(), value)).into());
    assert_eq!(two.action, document::Element::AllBut(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(two.resource, document::Element::AllBut(vec!["c".to_owned()]));
    assert_eq!(two.unknown, ["Unless"]);
    let known = two.conditions.iter().find(|condition| condition.operator.meaning.is_some()).expect("one");
    assert_eq!(known.values, ["a", "1", "-2", "0.5", "true"]);
    let meaning = document::Meaning {
        quantifier: Some(document::Quantifier::ForAnyValue),
        test: document::Test::StringLike,
        negated: true,
        if_exists: true,
    };
    assert_eq!(known.operator.meaning, Some(meaning));
    assert!(two.conditions.iter().any(|condition| condition.operator.name == "Foo" && condition.values == ["7"]));
}

#[test]
fn more_cases_than_can_be_looked_at_are_unknown() {
    let statement = |number: usize| {
        json!({
            "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*",
            "Condition": {"StringEquals": {format!("aws:PrincipalTag/{number}"): "x"}},
        })
    };
    let policy = good(&json!({"Statement": (0..20).map(statement).collect::<Vec<Value>>()}));
    let access = judge(&policy, "bucket", "aws");
    let holes = |group| access.of(group).gaps.iter().map(|gap| gap.hole.clone()).collect::<Vec<Hole>>();
    assert_eq!(access.of(Group::DeleteObjects).verdict, Verdict::Unknown);
    assert_eq!(holes(Group::DeleteObjects), [Hole::TooManyCases]);
    // Other actions have nothing to do with it.
    assert_eq!(access.of(Group::DeleteVersions).verdict, Verdict::NotRequired);
}

#[test]
fn every_hole_is_in_a_truth_table_and_has_its_sentence() {
    let conditions = rows::<ConditionRow>("conditions.json").into_iter().map(|row| {
        json!({"Version": "2012-10-17", "Statement": {
            "Effect": row.effect, "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": row.condition,
        }})
    });
    let policies = rows::<PolicyRow>("policies.json").into_iter().map(|row| (row.policy, row.partition));
    let mut sentences: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut put = |hole: &Hole| sentences.entry(hole.as_str()).or_default().insert(hole.to_string());
    for (policy, partition) in conditions.map(|policy| (policy, aws())).chain(policies) {
        for gap in judge(&good(&policy), "bucket", &partition).groups.iter().flat_map(|access| &access.gaps) {
            put(&gap.hole);
        }
    }
    for row in rows::<ThreatRow>("threats.json") {
        match reach(&good(&row.policy), &place(), Caller::UserKeys, Act::Group(Group::DeleteVersions)) {
            Reach::Part(holes) | Reach::PartAtLeast(holes) | Reach::Unknown(holes) => {
                for hole in &holes {
                    put(hole);
                }
            }
            Reach::All | Reach::Nothing => {}
        }
    }
    // All but the one that needs a very large policy.
    let names = include_str!("holes.rs").matches(" => \"").count() - 1;
    assert_eq!(sentences.len(), names, "{sentences:#?}");
    let mut seen = BTreeSet::new();
    for sentence in sentences.values().flatten() {
        assert!(sentence.len() > 20 && !sentence.contains("  ") && !sentence.ends_with('.'), "{sentence}");
        assert!(seen.insert(sentence), "{sentence}");
    }
}
