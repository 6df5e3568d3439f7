//! Whether a policy denies a request, from AWS's documentation: its JSON as it stands, one request at a time. Where the
//! documentation leaves the answer open it is `None`.
//!
//! Sources: IAM user guide, "JSON policy elements: Condition operators" (missing keys, `IfExists`, `Null`), "Conditions with
//! multiple context keys or values" (and, or, nor, `ForAllValues`, `ForAnyValue`), "JSON policy elements: Principal",
//! "`NotPrincipal`", "Resource", "AWS global condition context keys".

use std::collections::BTreeMap;

use serde_json::Value;

/// Condition keys in lower case.
pub type Keys = BTreeMap<&'static str, String>;

/// `None` is not to be told.
pub type Answer = Option<bool>;

pub fn and(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut all = Some(true);
    for answer in answers {
        match answer {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}

pub fn or(answers: impl IntoIterator<Item = Answer>) -> Answer {
    and(answers.into_iter().map(|answer| answer.map(|is| !is))).map(|is| !is)
}

fn not(answer: Answer) -> Answer {
    answer.map(|is| !is)
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|skipped| wildcard(rest, &text[skipped..])),
        (Some((b'?', pattern)), Some((_, text))) => wildcard(pattern, text),
        (Some((c, pattern)), Some((d, text))) => c == d && wildcard(pattern, text),
        _ => false,
    }
}

/// A statement that denies nothing for certain is `None` at best.
pub fn effect(statement: &Value) -> Answer {
    const KNOWN: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let is_known = statement.as_object().expect("an object").keys().all(|key| KNOWN.contains(&key.as_str()));
    match statement["Effect"].as_str() {
        Some("Allow") => Some(false),
        Some("Deny") if is_known => Some(true),
        _ => None,
    }
}

pub fn action(statement: &Value, action: &str) -> bool {
    let matches = |patterns: &Value| {
        let action = action.to_lowercase();
        list(patterns).into_iter().any(|pattern| wildcard(text(pattern).to_lowercase().as_bytes(), action.as_bytes()))
    };
    statement.get("Action").map_or_else(|| !matches(&statement["NotAction"]), matches)
}

pub fn resource(statement: &Value, arn: &str) -> Answer {
    let matches = |patterns: &Value| {
        or(list(patterns).into_iter().map(|pattern| {
            let pattern = text(pattern);
            match pattern.split_once("${") {
                // The variable can be any text.
                Some((before, after)) => {
                    let after = after.split_once('}').expect("closed").1;
                    if wildcard(format!("{before}*{after}").as_bytes(), arn.as_bytes()) { None } else { Some(false) }
                }
                None => Some(wildcard(pattern.as_bytes(), arn.as_bytes())),
            }
        }))
    };
    statement.get("Resource").map_or_else(|| not(matches(&statement["NotResource"])), matches)
}

/// A principal by its ARN or, for a service, its name.
pub fn principal(statement: &Value, who: &str) -> Answer {
    if let Some(listed) = statement.get("Principal") {
        return Some(principals(listed).iter().any(|listed| is_meant(listed, who)));
    }
    let listed = principals(&statement["NotPrincipal"]);
    let is_root = |listed: &str| who == format!("arn:aws:iam::{listed}:root");
    if listed.iter().any(|listed| listed == "*" || listed == who || is_root(listed)) {
        Some(false)
    } else if listed.iter().any(|listed| is_meant(listed, who)) {
        // Its account or its role is named: it "might" be denied, says the page.
        None
    } else {
        Some(true)
    }
}

fn principals(listed: &Value) -> Vec<String> {
    match listed {
        Value::Object(types) => types.values().flat_map(list).map(text).collect(),
        everybody => vec![text(everybody)],
    }
}

fn is_meant(listed: &str, who: &str) -> bool {
    if listed == "*" || listed == who {
        return true;
    }
    // arn:aws:iam::ACCOUNT:what
    let of = |arn: &str| -> Option<(String, String)> {
        let mut parts = arn.splitn(6, ':').skip(4);
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    let Some((account, what)) = of(who) else { return false };
    let role = what.strip_prefix("assumed-role/").and_then(|session| session.split('/').next());
    listed == account
        || listed == format!("arn:aws:iam::{account}:root")
        || role.is_some_and(|role| {
            let path = listed.strip_prefix(&format!("arn:aws:iam::{account}:role/"));
            path.and_then(|path| path.rsplit('/').next()) == Some(role)
        })
}

/// Every condition of the statement that `is_own` picks by its key in lower case.
pub fn conditions(statement: &Value, keys: &Keys, is_own: impl Fn(&str) -> bool) -> Answer {
    let Some(operators) = statement.get("Condition").and_then(Value::as_object) else { return Some(true) };
    let single = |(operator, tests): (&String, &Value)| {
        let tests = tests.as_object().expect("an object").clone();
        let own = tests.into_iter().filter(|(key, _)| is_own(&key.to_lowercase()));
        and(own.map(|(key, values)| condition(operator, &key.to_lowercase(), &values, keys)))
    };
    and(operators.iter().map(single))
}

fn condition(operator: &str, key: &str, values: &Value, keys: &Keys) -> Answer {
    let value = keys.get(key);
    let values: Vec<String> = list(values).into_iter().map(text).collect();
    if operator == "Null" {
        return Some(values.iter().any(|is_null| (is_null == "true") == value.is_none()));
    }
    // "Do not use ForAllValues with single-valued keys", says the page; MFA's are.
    let operator = match operator.split_once(':') {
        Some(("ForAllValues", _)) if key.starts_with("aws:multifactorauth") => return None,
        Some(("ForAllValues", _)) if value.is_none() => return Some(true),
        Some(("ForAnyValue", operator)) if value.is_none() => {
            return if operator.ends_with("IfExists") { None } else { Some(false) };
        }
        Some((_, operator)) => operator,
        None => operator,
    };
    let (operator, if_exists) =
        operator.strip_suffix("IfExists").map_or((operator, false), |operator| (operator, true));
    let (is_negated, test): (bool, Test) = match operator {
        "StringEquals" => (false, Box::new(|value, wanted| Some(value == wanted))),
        "StringNotEquals" => (true, Box::new(|value, wanted| Some(value == wanted))),
        "StringLike" => (false, Box::new(|value, wanted| Some(wildcard(wanted.as_bytes(), value.as_bytes())))),
        "StringNotLike" => (true, Box::new(|value, wanted| Some(wildcard(wanted.as_bytes(), value.as_bytes())))),
        "StringEqualsIgnoreCase" => (false, Box::new(|value, wanted| Some(value.eq_ignore_ascii_case(wanted)))),
        "StringNotEqualsIgnoreCase" => (true, Box::new(|value, wanted| Some(value.eq_ignore_ascii_case(wanted)))),
        "ArnEquals" | "ArnLike" => (false, Box::new(|value, wanted| Some(arn(value, wanted)))),
        "ArnNotEquals" | "ArnNotLike" => (true, Box::new(|value, wanted| Some(arn(value, wanted)))),
        "IpAddress" => (false, Box::new(network)),
        "NotIpAddress" => (true, Box::new(network)),
        // All are written alike and in UTC.
        "DateLessThan" => (false, Box::new(|value, wanted| Some(value < wanted))),
        "DateGreaterThan" => (false, Box::new(|value, wanted| Some(value > wanted))),
        "Bool" => (false, Box::new(|value, wanted| Some(value.eq_ignore_ascii_case(wanted)))),
        "NumericEquals" => (false, compare(|value, wanted| value.total_cmp(&wanted).is_eq())),
        "NumericNotEquals" => (true, compare(|value, wanted| value.total_cmp(&wanted).is_eq())),
        "NumericLessThan" => (false, compare(|value, wanted| value < wanted)),
        "NumericLessThanEquals" => (false, compare(|value, wanted| value <= wanted)),
        "NumericGreaterThan" => (false, compare(|value, wanted| value > wanted)),
        "NumericGreaterThanEquals" => (false, compare(|value, wanted| value >= wanted)),
        _ => return None,
    };
    let Some(value) = value else { return Some(if_exists || is_negated) };
    // Text against a boolean or a number, or the other way round, is not documented.
    let is_right = match key {
        "aws:multifactorauthpresent" => operator == "Bool",
        "aws:multifactorauthage" => operator.starts_with("Numeric"),
        _ => true,
    };
    let matches = or(values.iter().map(|wanted| match wanted.split_once("${") {
        None => test(value, wanted),
        // The variable can be any text.
        Some((before, after)) if operator.contains("Like") => {
            let after = after.split_once('}').expect("closed").1;
            test(value, &format!("{before}*{after}")).filter(|is_like| !is_like)
        }
        Some(_) => None,
    }));
    if !is_right {
        None
    } else if is_negated {
        not(matches)
    } else {
        matches
    }
}

fn arn(value: &str, wanted: &str) -> bool {
    let parts = |arn: &str| arn.splitn(6, ':').map(str::to_owned).collect::<Vec<String>>();
    let (value, wanted) = (parts(value), parts(wanted));
    value.len() == 6
        && wanted.len() == 6
        && wanted.iter().zip(&value).all(|(pattern, part)| wildcard(pattern.as_bytes(), part.as_bytes()))
}

/// Whether an address is in a network of whole bytes.
fn network(value: &str, wanted: &str) -> Answer {
    let (network, bits) = wanted.split_once('/')?;
    let bytes = bits.parse::<usize>().ok()? / 8;
    Some(value.contains('.') && value.split('.').take(bytes).eq(network.split('.').take(bytes)))
}

/// Of the request's value and one of the policy's.
type Test = Box<dyn Fn(&str, &str) -> Answer>;

fn compare(holds: fn(f64, f64) -> bool) -> Test {
    Box::new(move |value, wanted| Some(holds(value.parse().ok()?, wanted.parse().ok()?)))
}
