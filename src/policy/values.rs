//! Conditions on values that are known: whether they are true, and which values they can tell from others.
//!
//! Source: IAM user guide, "JSON policy elements: Condition operators", "Conditions with multiple context keys or values".

use std::net::IpAddr;

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, macros::format_description};

use super::budget::Budget;
use super::conditions::{any, boolean, compare, when_missing};
use super::document::{Condition, Quantifier, Test, Version};
use super::glob::{Glob, classes};
use super::truth::Truth;

/// The values that a request has for a key; none where it does not have the key.
pub(super) type Values = Vec<String>;

/// Whether a condition is true of these values.
pub(super) fn truth(condition: &Condition, values: &Values, version: &Version) -> Truth {
    let Some(meaning) = condition.operator.meaning else { return Truth::Unknown };
    if meaning.test == Test::Null {
        return any(condition, |wanted| boolean(wanted).map(|is_null| is_null == values.is_empty()));
    }
    if values.is_empty() {
        return when_missing(meaning);
    }
    let one = |value: &String| {
        let matches = condition.values.iter().map(|wanted| matches(meaning.test, value, wanted, version));
        Truth::any(matches).negated_if(meaning.negated)
    };
    match (meaning.quantifier, values.as_slice()) {
        (Some(Quantifier::ForAllValues), values) => Truth::all(values.iter().map(one)),
        (Some(Quantifier::ForAnyValue), values) => Truth::any(values.iter().map(one)),
        (None, [value]) => one(value),
        // What a plain operator does with several values is not documented.
        (None, _) => Truth::Unknown,
    }
}

fn matches(test: Test, value: &str, wanted: &str, version: &Version) -> Truth {
    let known = |is: Option<bool>| is.map_or(Truth::Unknown, Truth::from);
    if let Test::StringLike | Test::Arn = test {
        let (glob, has_variable) = Glob::of(wanted, version);
        let is_like = if test == Test::Arn { is_like_arn(value, &glob) } else { glob.matches(value) };
        return if has_variable && is_like { Truth::Unknown } else { Truth::from(is_like) };
    }
    if *version == Version::V2012 && Glob::of(wanted, version).1 {
        return Truth::Unknown;
    }
    match test {
        Test::StringEquals | Test::Binary => Truth::from(value == wanted),
        Test::StringEqualsIgnoreCase => Truth::from(value.to_lowercase() == wanted.to_lowercase()),
        Test::Bool => known(boolean(value).zip(boolean(wanted)).map(|(value, wanted)| value == wanted)),
        Test::Numeric(comparison) => {
            known(number(value).zip(number(wanted)).map(|(value, wanted)| compare(comparison, value, wanted)))
        }
        Test::Date(comparison) => {
            known(seconds(value).zip(seconds(wanted)).map(|(value, wanted)| compare(comparison, value, wanted)))
        }
        Test::IpAddress => known(value.parse().ok().zip(Range::of(wanted)).map(|(value, range)| range.has(value))),
        Test::StringLike | Test::Arn | Test::Null => Truth::Unknown,
    }
}

/// Each of the six parts of an ARN is compared with its own.
fn is_like_arn(arn: &str, pattern: &Glob) -> bool {
    let patterns = pattern.parts();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    parts.len() == 6 && patterns.len() == 6 && parts.iter().zip(&patterns).all(|(part, pattern)| pattern.matches(part))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Since 1970; a date is its midnight.
// Dates are far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn seconds(text: &str) -> Option<f64> {
    const DAY: &[time::format_description::BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
    let text = text.trim();
    if let Some(number) = number(text) {
        return Some(number);
    }
    let short = || {
        let (date, time) = text.split_once('T')?;
        // `2026-01-01T00:00Z`.
        OffsetDateTime::parse(&format!("{date}T{}:00Z", time.strip_suffix('Z')?), &Rfc3339).ok()
    };
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(short);
    let instant = instant.or_else(|| Some(Date::parse(text, DAY).ok()?.midnight().assume_utc()));
    Some(instant?.unix_timestamp() as f64)
}

/// Addresses in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: IpAddr,
    /// How many bits are the same in all of them.
    bits: u32,
}

impl Range {
    fn of(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let first: IpAddr = address.trim().parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok())?;
        (bits <= most).then_some(Self { first, bits })
    }

    fn has(self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// One of them, the one before them and the one behind them.
    fn around(self) -> Vec<IpAddr> {
        match self.first {
            IpAddr::V4(own) => {
                let size = u32::MAX.checked_shr(self.bits).unwrap_or(0);
                let first = own.to_bits() & !size;
                let others = [first.checked_sub(1), (first | size).checked_add(1)];
                [Some(first)].into_iter().chain(others).flatten().map(|bits| IpAddr::V4(bits.into())).collect()
            }
            IpAddr::V6(own) => {
                let size = u128::MAX.checked_shr(self.bits).unwrap_or(0);
                let first = own.to_bits() & !size;
                let others = [first.checked_sub(1), (first | size).checked_add(1)];
                [Some(first)].into_iter().chain(others).flatten().map(|bits| IpAddr::V6(bits.into())).collect()
            }
        }
    }
}

/// A value that the conditions on a key can tell from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub values: Values,
    /// It is not one that the conditions list: who can take no listed value can have this one.
    pub unlisted: bool,
}

/// Of every kind of values that these conditions on one key can tell from others one, an unlisted one first; every text
/// begins with `start`. `None` where there are too many.
pub(super) fn candidates(
    conditions: &[&Condition],
    start: &str,
    version: &Version,
    budget: &Budget,
) -> Option<Vec<Candidate>> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut put = |text: String, unlisted| {
        let candidate = Candidate { values: vec![text], unlisted };
        if !found.iter().any(|known| known.values == candidate.values) {
            found.push(candidate);
        }
    };
    for (place, (text, _)) in classes(start, &globs(conditions, version), budget)?.into_iter().enumerate() {
        put(text, place == 0);
    }
    let is_of = |wanted: fn(Test) -> bool| {
        conditions.iter().filter(move |it| it.operator.meaning.is_some_and(|meaning| wanted(meaning.test)))
    };
    let texts = |wanted| is_of(wanted).flat_map(|condition| &condition.values);
    for bound in texts(|test| matches!(test, Test::Numeric(_))).filter_map(|value| number(value)) {
        around(bound).for_each(|value| put(value, false));
    }
    for bound in texts(|test| matches!(test, Test::Date(_))).filter_map(|value| seconds(value)) {
        around(bound).for_each(|value| put(value, false));
    }
    if is_of(|test| test == Test::Bool).next().is_some() {
        put("false".to_owned(), false);
        put("true".to_owned(), false);
    }
    let ranges: Vec<Range> = texts(|test| test == Test::IpAddress).filter_map(|value| Range::of(value)).collect();
    if is_of(|test| test == Test::IpAddress).next().is_some() {
        const ANYWHERE: [&str; 2] = ["8.8.8.8", "2001:4860:4860::8888"];
        let anywhere = ANYWHERE.into_iter().filter_map(|address| address.parse().ok());
        for address in anywhere.chain(ranges.iter().flat_map(|range| range.around())) {
            // Nobody has to look for an address of a very large range.
            let is_listed = ranges.iter().any(|range| range.bits >= 8 && range.has(address));
            put(address.to_string(), !is_listed);
        }
    }
    if conditions.iter().any(|condition| condition.operator.meaning.is_some_and(|it| it.quantifier.is_some())) {
        let texts: Vec<String> = found.iter().flat_map(|candidate| candidate.values.clone()).collect();
        let with_first = texts.iter().skip(1).map(|text| vec![texts[0].clone(), text.clone()]);
        let sets: Vec<Values> = with_first.chain([texts.clone()]).collect();
        found.extend(sets.into_iter().map(|values| Candidate { values, unlisted: false }));
    }
    // No number, address or boolean begins so.
    found.retain(|candidate| !start.is_empty() || is_possible(conditions, candidate));
    found.push(Candidate { values: Vec::new(), unlisted: true });
    budget.take(found.len() * (4 + conditions.len()))?;
    Some(found)
}

/// A number, the one before it and the one behind it.
fn around(bound: f64) -> impl Iterator<Item = String> {
    [bound - 1.0, bound, bound + 1.0].into_iter().map(|value| value.to_string())
}

/// A made-up text is no value of a key that is compared as something else than a text.
fn is_possible(conditions: &[&Condition], candidate: &Candidate) -> bool {
    let fits = |test: Test, value: &str| match test {
        Test::Numeric(_) => number(value).is_some(),
        Test::Date(_) => seconds(value).is_some(),
        Test::Bool => boolean(value).is_some(),
        Test::IpAddress => value.parse::<IpAddr>().is_ok(),
        Test::StringEquals
        | Test::StringEqualsIgnoreCase
        | Test::StringLike
        | Test::Binary
        | Test::Arn
        | Test::Null => true,
    };
    let tests: Vec<Test> = conditions.iter().filter_map(|it| Some(it.operator.meaning?.test)).collect();
    candidate.values.iter().all(|value| tests.iter().all(|test| fits(*test, value)))
}

fn globs(conditions: &[&Condition], version: &Version) -> Vec<Glob> {
    let mut globs: Vec<Glob> = Vec::new();
    for condition in conditions {
        let glob = |value: &String| match condition.operator.meaning?.test {
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::Binary => Some(Glob::literal(value)),
            Test::StringLike | Test::Arn => Some(Glob::of(value, version).0),
            Test::Numeric(_) | Test::Date(_) | Test::Bool | Test::IpAddress | Test::Null => None,
        };
        for glob in condition.values.iter().filter_map(glob) {
            if !globs.contains(&glob) {
                globs.push(glob);
            }
        }
    }
    globs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::document::Operator;

    fn condition(operator: &str, values: &[&str]) -> Condition {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Condition { operator: Operator::named(operator), key: "k".to_owned(), values }
    }

    #[track_caller]
    fn assert_truth(operator: &str, listed: &[&str], values: &[&str], expected: Truth) {
        let values: Values = values.iter().map(|value| (*value).to_owned()).collect();
        let seen = truth(&condition(operator, listed), &values, &Version::V2012);
        assert_eq!(seen, expected, "{operator} {listed:?} of {values:?}");
    }

    #[test]
    fn values_are_compared_by_type() {
        use Truth::{False, True, Unknown};
        for (operator, listed, values, expected) in [
            ("StringEquals", &["a*"][..], &["ab"][..], False),
            ("StringLike", &["a*"], &["ab"], True),
            ("StringLike", &["${aws:username}"], &["ab"], Unknown),
            ("StringLike", &["x${aws:username}"], &["ab"], False),
            ("StringEqualsIgnoreCase", &["AB"], &["ab"], True),
            ("StringNotEquals", &["a", "b"], &["b"], False),
            ("StringNotEquals", &["a", "b"], &[], True),
            ("StringEquals", &["a"], &[], False),
            ("StringEqualsIfExists", &["a"], &[], True),
            ("StringEquals", &["a"], &["a", "b"], Unknown),
            ("ForAnyValue:StringEquals", &["a"], &["a", "b"], True),
            ("ForAllValues:StringEquals", &["a"], &["a", "b"], False),
            ("ForAllValues:StringEquals", &["a"], &[], True),
            ("ForAnyValue:StringNotEquals", &["a"], &["a", "b"], True),
            ("ArnLike", &["arn:aws:iam::*:role/*"], &["arn:aws:iam::1:role/a/b"], True),
            ("ArnLike", &["arn:aws:iam::*"], &["arn:aws:iam::1:role/a"], False),
            ("ArnEquals", &["arn:*:role/a"], &["arn:aws:iam::1:role/a"], False),
            ("IpAddress", &["192.0.2.0/24"], &["192.0.2.255"], True),
            ("IpAddress", &["192.0.2.0/24"], &["192.0.3.0"], False),
            ("IpAddress", &["0.0.0.0/0"], &["8.8.8.8"], True),
            ("IpAddress", &["0.0.0.0/0"], &["2001:db8::1"], False),
            ("NotIpAddress", &["2001:db8::/32"], &["2001:db8::1"], False),
            ("IpAddress", &["somewhere"], &["8.8.8.8"], Unknown),
            ("DateLessThan", &["2020-01-01T00:00:00Z"], &["2026-01-01T00:00:00Z"], False),
            ("DateGreaterThan", &["2020-01-01"], &["2026-01-01T00:00:00Z"], True),
            ("DateGreaterThan", &["1577836800"], &["2026-01-01T00:00Z"], True),
            ("DateLessThan", &["soon"], &["2026-01-01T00:00:00Z"], Unknown),
            ("NumericLessThan", &["1.2"], &["1.3"], False),
            ("Bool", &["false"], &["False"], True),
            ("Null", &["true"], &[], True),
            ("Null", &["false"], &["a"], True),
            ("Foo", &["a"], &["a"], Unknown),
        ] {
            assert_truth(operator, listed, values, expected);
        }
    }

    #[test]
    fn candidates_are_one_of_every_kind() {
        let found = |conditions: &[Condition], start: &str| {
            let conditions: Vec<&Condition> = conditions.iter().collect();
            let found = candidates(&conditions, start, &Version::V2012, &Budget::new()).expect("few");
            found.into_iter().map(|it| (it.values.join("+"), it.unlisted)).collect::<Vec<_>>()
        };
        let listed = |text: &str| (text.to_owned(), false);
        let unlisted = |text: &str| (text.to_owned(), true);
        assert_eq!(
            found(&[condition("StringEquals", &["vpce-1"])], "vpce-"),
            [unlisted("vpce-x"), listed("vpce-1"), unlisted("")]
        );
        let both = [condition("StringLike", &["a*"]), condition("StringNotEquals", &["ab"])];
        assert_eq!(found(&both, ""), [unlisted("x"), listed("a"), listed("ab"), unlisted("")]);
        let addresses = found(&[condition("NotIpAddress", &["192.0.2.0/24"])], "");
        assert_eq!(
            addresses,
            [
                unlisted("8.8.8.8"),
                unlisted("2001:4860:4860::8888"),
                listed("192.0.2.0"),
                unlisted("192.0.1.255"),
                unlisted("192.0.3.0"),
                unlisted("")
            ]
        );
        assert_eq!(found(&[condition("Bool", &["true"])], ""), [listed("false"), listed("true"), unlisted("")]);
    }
}
