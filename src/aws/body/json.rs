//! Bodies in JSON.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::BodyError;
use super::bounds::MOST_DEPTH;

/// An answer of Organizations: well-formed, each member once, and nothing in it that says that a list goes on unless it is
/// `NextToken`, the only name that the SDK reads. The SDK takes the last of two members of one name.
pub(super) fn check_json(body: &[u8]) -> Result<(), BodyError> {
    let broken = |error: serde_json::Error| BodyError::Broken(error.to_string());
    if depth(body) > MOST_DEPTH {
        return Err(BodyError::TooMuch(format!("more than {MOST_DEPTH} values within each other")));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    if !is_object(body) {
        return serde_json::from_slice::<IgnoredAny>(body).map(drop).map_err(broken);
    }
    let mut odd = None;
    deserializer.deserialize_map(Members(&mut odd)).and_then(|()| deserializer.end()).map_err(broken)?;
    odd.map_or(Ok(()), Err)
}

/// A bucket policy.
pub(super) fn check_json_object(body: &[u8]) -> Result<(), BodyError> {
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| BodyError::Broken(error.to_string()))?;
    let other = || BodyError::OtherDocument { found: "JSON".to_owned(), expected: "JSON object" };
    if is_object(body) { Ok(()) } else { Err(other()) }
}

/// Objects and arrays within each other.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// Tells what is odd about the members of an object.
struct Members<'a>(&'a mut Option<BodyError>);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        const TOKEN: &str = "NextToken";
        let (mut names, mut goes_on, mut has_token) = (HashSet::new(), None, false);
        while let Some(name) = map.next_key::<String>()? {
            let alike = |other: &str| name.eq_ignore_ascii_case(other);
            if alike(TOKEN) {
                let said = map.next_value::<Value>()?;
                has_token |= name == TOKEN && said.as_str().is_some_and(|token| !token.is_empty());
                if name != TOKEN && !said.is_null() {
                    self.0.get_or_insert_with(|| BodyError::Undocumented(shown(&name)));
                }
            } else if ["IsTruncated", "Truncated", "HasMore", "HasMoreResults"].into_iter().any(alike) {
                if map.next_value::<Value>()? == Value::Bool(true) {
                    goes_on = Some(name.clone());
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if names.contains(&name) {
                self.0.get_or_insert_with(|| BodyError::Undocumented(shown(&name)));
            }
            if names.len() > MOST_MEMBERS {
                return Err(A::Error::custom(format!("more than {MOST_MEMBERS} members")));
            }
            names.insert(name);
        }
        if let Some(name) = goes_on.filter(|_| !has_token) {
            self.0.get_or_insert(BodyError::GoesOn(name));
        }
        Ok(())
    }
}

/// Members of an answer of Organizations, which has two.
const MOST_MEMBERS: usize = 100;

/// A name that a server made up, in a sentence.
fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_a_json_object() {
        assert_eq!(check_json_object(b" {\"Statement\": []}\n"), Ok(()));
        for other in ["[]", "\"{}\"", "null", "7"] {
            let checked = check_json_object(other.as_bytes());
            assert!(matches!(checked, Err(BodyError::OtherDocument { .. })), "{other}: {checked:?}");
        }
        for broken in ["", "{", "{\"Statement\": [}", "{}{}", "<Policy/>"] {
            let checked = check_json_object(broken.as_bytes());
            assert!(matches!(checked, Err(BodyError::Broken(_))), "{broken}: {checked:?}");
        }
    }

    #[test]
    fn a_list_that_goes_on_says_where_and_each_member_stands_once() {
        for good in [
            r#"{"Accounts": [{"Id": 1, "Id": 2}]}"#,
            r#"{"Accounts": [], "NextToken": "t", "IsTruncated": true}"#,
            r#"{"Accounts": [], "NextToken": null, "IsTruncated": false, "nextToken": null}"#,
            "[]",
        ] {
            assert_eq!(check_json(good.as_bytes()), Ok(()), "{good}");
        }
        for odd in [
            r#"{"Accounts": [], "Accounts": []}"#,
            r#"{"Accounts": [], "NextToken": "a", "NextToken": "b"}"#,
            r#"{"Accounts": [], "nextToken": "a"}"#,
        ] {
            assert!(matches!(check_json(odd.as_bytes()), Err(BodyError::Undocumented(_))), "{odd}");
        }
        for cut in [r#"{"Accounts": [], "IsTruncated": true}"#, r#"{"isTruncated": true, "NextToken": ""}"#] {
            assert!(matches!(check_json(cut.as_bytes()), Err(BodyError::GoesOn(_))), "{cut}");
        }
        for broken in ["", "{", r#"{"a": 1}{}"#] {
            assert!(matches!(check_json(broken.as_bytes()), Err(BodyError::Broken(_))), "{broken}");
        }
        let deep = |levels: usize| "{\"[\\\"{\":".repeat(levels) + "1" + &"}".repeat(levels);
        assert_eq!(check_json(deep(MOST_DEPTH).as_bytes()), Ok(()));
        for levels in [MOST_DEPTH + 1, 100_000] {
            assert!(matches!(check_json(deep(levels).as_bytes()), Err(BodyError::TooMuch(_))), "{levels}");
        }
    }
}
