//! Random policies of elements that often meet: the same few actions, resources, principals and keys.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const PRESENT: &str = "aws:MultiFactorAuthPresent";
const AGE: &str = "AWS:multifactorauthage";

pub fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 1..5)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

fn some(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec(select(values), 1..4).prop_map(|values| json!(values))
}

/// An element, or its `Not` form in one case of `times`.
fn element(
    name: &'static str,
    values: impl Strategy<Value = Value>,
    times: u32,
) -> impl Strategy<Value = (String, Value)> {
    (values, prop::bool::weighted(1.0 / f64::from(times)))
        .prop_map(move |(value, is_not)| (if is_not { format!("Not{name}") } else { name.to_owned() }, value))
}

fn statement() -> impl Strategy<Value = Value> {
    let effect = prop_oneof![12 => Just("Deny"), 2 => Just("Allow"), 1 => Just("deny")];
    let action = prop_oneof![
        4 => Just(json!("s3:*")),
        2 => some(&["s3:DeleteObjectVersion", "s3:DeleteObject", "s3:PutLifecycleConfiguration", "s3:PutBucketPolicy"]),
        2 => some(&["s3:Delete*", "S3:put*", "s3:Put?ucket*", "s3:Get*", "s3:DeleteBucketPolicy", "*"]),
    ];
    let resource = prop_oneof![
        4 => Just(json!(["arn:aws:s3:::b", "arn:aws:s3:::b/*"])),
        3 => some(&["arn:aws:s3:::b/*", "arn:aws:s3:::b", "arn:aws:s3:::b/logs/*", "*", "arn:aws:s3:::*/*a"]),
        2 => some(&["arn:aws:s3:::b*", "arn:aws:s3:::b/?", "arn:aws:s3:::b/??*", "arn:aws:s3:::b/logs/a*", "arn:aws:s3:::c/*"]),
        1 => some(&["arn:aws:s3:::b/users/${aws:username}/*", "arn:aws:s3:::b/logs/*"]),
    ];
    let principal = prop_oneof![
        5 => Just(json!("*")),
        1 => Just(json!({"AWS": "*"})),
        3 => some(&[
            "111122223333",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:role/Admin",
            "arn:aws:iam::111122223333:user/Eve",
        ]).prop_map(|listed| json!({"AWS": listed})),
        1 => Just(json!({"Service": "logging.s3.amazonaws.com"})),
    ];
    let elements = (element("Action", action, 6), element("Resource", resource, 6), element("Principal", principal, 6));
    (effect, elements, conditions(), prop::bool::weighted(0.03)).prop_map(|(effect, (a, r, p), conditions, is_odd)| {
        let mut statement: Map<String, Value> = [a, r, p].into_iter().collect();
        statement.insert("Effect".to_owned(), json!(effect));
        statement.insert("Condition".to_owned(), conditions);
        if is_odd {
            statement.insert("Unless".to_owned(), json!("it rains"));
        }
        Value::Object(statement)
    })
}

fn conditions() -> impl Strategy<Value = Value> {
    let present =
        || prop_oneof![4 => Just(json!("false")), 1 => Just(json!(true)), 1 => Just(json!(["true", "false"]))];
    let age = || select(vec![json!("3600"), json!(60), json!(60.5), json!(["60", "3600"])]);
    let test =
        |operator: &'static str, key: &'static str| move |value: Value| (operator.to_owned(), key.to_owned(), value);
    let boolean = || select(vec![json!("true"), json!(false)]);
    let mfa = prop_oneof![
        5 => Just(json!("false")).prop_map(test("BoolIfExists", PRESENT)),
        3 => present().prop_map(test("BoolIfExists", PRESENT)),
        4 => present().prop_map(test("Bool", PRESENT)),
        1 => present().prop_map(test("ForAnyValue:Bool", PRESENT)),
        1 => present().prop_map(test("StringEquals", PRESENT)),
        1 => present().prop_map(test("StringNotEqualsIfExists", PRESENT)),
        1 => present().prop_map(test("ForAllValues:Bool", PRESENT)),
        1 => present().prop_map(test("BoolUnless", PRESENT)),
        2 => boolean().prop_map(test("Null", PRESENT)),
        3 => boolean().prop_map(test("Null", AGE)),
        2 => age().prop_map(test("NumericGreaterThan", AGE)),
        4 => age().prop_map(test("NumericGreaterThanIfExists", AGE)),
        1 => age().prop_map(test("NumericGreaterThanEqualsIfExists", AGE)),
        1 => age().prop_map(test("NumericLessThan", AGE)),
        1 => age().prop_map(test("NumericLessThanEqualsIfExists", AGE)),
        1 => age().prop_map(test("NumericNotEquals", AGE)),
        1 => age().prop_map(test("NumericEqualsIfExists", AGE)),
    ];
    // One test a key: the analyser holds different tests of one key for independent.
    let organization =
        select(vec!["StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringNotEqualsIfExists"]);
    let other = prop_oneof![
        3 => organization.prop_map(|operator| (operator.to_owned(), "aws:PrincipalOrgID".to_owned(), json!("o-1"))),
        1 => boolean().prop_map(test("Null", "aws:PrincipalOrgID")),
        1 => Just(json!("athena.amazonaws.com")).prop_map(test("ForAllValues:StringLike", "aws:CalledVia")),
        2 => Just(json!("false")).prop_map(test("Bool", "aws:ViaAWSService")),
        1 => Just(json!("false")).prop_map(test("BoolIfExists", "aws:viaAWSService")),
    ];
    let tests = prop_oneof![
        1 => Just(Vec::new()),
        12 => mfa.clone().prop_map(|mfa| vec![mfa]),
        2 => prop::collection::vec(mfa.clone(), 2),
        3 => (mfa, other.clone()).prop_map(|(mfa, other)| vec![mfa, other]),
        1 => other.prop_map(|other| vec![other]),
    ];
    tests.prop_map(|tests| {
        let mut operators: Map<String, Value> = Map::new();
        for (operator, key, value) in tests {
            operators.entry(operator).or_insert_with(|| json!({}))[key] = value;
        }
        Value::Object(operators)
    })
}
