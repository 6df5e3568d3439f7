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

/// Statements of the shapes that real policies have.
pub fn real_statements() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(real_statement(), 1..4)
}

pub fn real_statement() -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        5 => Just(json!("s3:*")),
        3 => some(&["s3:Delete*", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration", "s3:*BucketPolicy", "s3:Put*"]),
        1 => some(&["s3:Get*", "s3:List*", "s3:DeleteObject"]),
    ];
    let resource = prop_oneof![
        8 => Just(json!(["arn:aws:s3:::b", "arn:aws:s3:::b/*"])),
        2 => some(&["arn:aws:s3:::b/*", "arn:aws:s3:::b", "arn:aws:s3:::b/logs/*", "arn:aws:s3:::c/*", "*"]),
        1 => some(&["arn:aws:s3:::b/users/${aws:username}/*", "arn:aws:s3:::b/logs/*"]),
    ];
    let named = some(&[
        "arn:aws:iam::111122223333:root",
        "111122223333",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::111122223333:role/Admin",
        "arn:aws:sts::111122223333:assumed-role/Admin/s",
        "arn:aws:iam::111122223333:role/path/app",
        "arn:aws:iam::111122223333:user/Eve",
        "arn:aws:iam::111122223333:user/staff/Bob",
    ]);
    let principal = prop_oneof![
        8 => Just(json!("*")),
        1 => Just(json!({"AWS": "*"})),
        3 => named.prop_map(|listed| json!({"AWS": listed})),
        1 => Just(json!({"Service": "logging.s3.amazonaws.com"})),
    ];
    let elements = (element("Action", action, 8), element("Resource", resource, 8), element("Principal", principal, 6));
    (elements, real_conditions(), prop::bool::weighted(0.02)).prop_map(|((a, r, p), conditions, is_odd)| {
        let mut statement: Map<String, Value> = [a, r, p].into_iter().collect();
        statement.insert("Effect".to_owned(), json!("Deny"));
        statement.insert("Condition".to_owned(), conditions);
        if is_odd {
            statement.insert("Unless".to_owned(), json!("it rains"));
        }
        Value::Object(statement)
    })
}

/// An operator, a key and its values.
type RealTest = (&'static str, &'static str, Value);

fn real_conditions() -> impl Strategy<Value = Value> {
    let mfa = select::<RealTest>(vec![
        ("BoolIfExists", PRESENT, json!("false")),
        ("BoolIfExists", PRESENT, json!("true")),
        ("Bool", PRESENT, json!("false")),
        ("Null", PRESENT, json!(true)),
        ("Null", AGE, json!("true")),
        ("NumericGreaterThan", AGE, json!(3600)),
        ("NumericGreaterThanIfExists", AGE, json!("3600")),
        ("NumericLessThan", AGE, json!(60)),
    ]);
    let harmless = select::<RealTest>(vec![
        ("Bool", "aws:SecureTransport", json!("false")),
        ("Bool", "aws:SecureTransport", json!("false")),
        ("BoolIfExists", "aws:SecureTransport", json!("false")),
        ("NumericLessThan", "s3:TlsVersion", json!("1.2")),
        ("NumericLessThan", "s3:TlsVersion", json!(["1.3"])),
        ("DateLessThan", "aws:CurrentTime", json!("2020-01-01T00:00:00Z")),
        ("DateLessThan", "aws:CurrentTime", json!("2026-03-17T12:00:00Z")),
        ("DateGreaterThan", "aws:CurrentTime", json!("2026-03-17T12:00:00Z")),
        ("DateGreaterThan", "aws:CurrentTime", json!("2020-01-01T00:00:00Z")),
        ("StringLike", "aws:UserAgent", json!("backup/*")),
        ("StringNotLike", "aws:UserAgent", json!(["backup/*", "x"])),
        ("DateLessThan", "aws:TokenIssueTime", json!("2024-01-01T00:00:00Z")),
    ]);
    let place = select::<RealTest>(vec![
        ("NotIpAddress", "aws:SourceIp", json!(["192.0.2.0/24"])),
        ("IpAddress", "aws:SourceIp", json!("192.0.2.0/24")),
        ("NotIpAddressIfExists", "aws:SourceIp", json!("192.0.2.0/24")),
        ("StringNotEquals", "aws:SourceVpce", json!(["vpce-1", "vpce-2"])),
        ("StringEquals", "aws:SourceVpce", json!("vpce-1")),
        ("StringNotEqualsIfExists", "aws:SourceVpce", json!("vpce-1")),
        ("Null", "aws:SourceVpce", json!(true)),
        ("Bool", "aws:ViaAWSService", json!("false")),
        ("BoolIfExists", "aws:ViaAWSService", json!("true")),
        ("ForAnyValue:StringEquals", "aws:CalledVia", json!(["athena.amazonaws.com"])),
        ("ForAllValues:StringNotEquals", "aws:CalledVia", json!(["athena.amazonaws.com"])),
    ]);
    let who = select::<RealTest>(vec![
        ("StringNotEquals", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:role/Admin")),
        ("StringNotLike", "aws:PrincipalArn", json!(["arn:aws:iam::*:role/path/*", "arn:aws:iam::111122223333:root"])),
        ("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:user/*")),
        ("ArnNotLike", "aws:PrincipalArn", json!(["arn:aws:iam::111122223333:role/A*"])),
        ("StringEquals", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:root")),
        ("StringEquals", "aws:PrincipalType", json!("User")),
        ("StringNotEquals", "aws:PrincipalType", json!(["AssumedRole", "Account"])),
        ("Bool", "aws:PrincipalIsAWSService", json!("false")),
        ("BoolIfExists", "aws:PrincipalIsAWSService", json!("true")),
        ("StringNotEquals", "aws:PrincipalAccount", json!("111122223333")),
        ("StringEquals", "aws:PrincipalAccount", json!(["111122223333", "444455556666"])),
        ("StringNotEquals", "aws:PrincipalOrgID", json!("o-1")),
        ("StringEquals", "aws:PrincipalOrgID", json!(["o-1"])),
        ("StringNotEqualsIfExists", "aws:PrincipalTag/team", json!("backup")),
        ("StringEquals", "aws:PrincipalTag/team", json!(["dev", "backup"])),
        ("StringNotLike", "aws:userId", json!(["AROAADMIN:*", "111122223333"])),
        ("StringNotEquals", "aws:userid", json!("AIDAEVE")),
        ("StringEqualsIgnoreCase", "aws:username", json!("eve")),
        ("StringLike", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:user/${aws:username}")),
        ("StringNotEquals", "aws:SourceAccount", json!("111122223333")),
        ("MoonIsFull", "aws:CurrentTime", json!("true")),
    ]);
    let tests = prop_oneof![
        2 => Just(Vec::new()),
        4 => mfa.clone().prop_map(|mfa| vec![mfa]),
        3 => harmless.clone().prop_map(|harmless| vec![harmless]),
        2 => place.clone().prop_map(|place| vec![place]),
        3 => who.clone().prop_map(|who| vec![who]),
        1 => (mfa.clone(), harmless).prop_map(|(a, b)| vec![a, b]),
        2 => (mfa, who.clone()).prop_map(|(a, b)| vec![a, b]),
        1 => (place, who).prop_map(|(a, b)| vec![a, b]),
    ];
    tests.prop_map(|tests| {
        let mut operators: Map<String, Value> = Map::new();
        for (operator, key, values) in tests {
            operators.entry(operator.to_owned()).or_insert_with(|| json!({}))[key] = values;
        }
        Value::Object(operators)
    })
}
