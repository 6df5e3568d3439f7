//! The conditions on the two keys of MFA.
//!
//! Source: IAM user guide, "JSON policy elements: Condition operators", "Conditions with multiple context keys or values",
//! "AWS global condition context keys".

use super::document::{Comparison, Condition, Meaning, Quantifier, Statement, Test};
use super::holes::Hole;
use super::truth::Truth;

/// What a request says of MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Long-term keys, or none: neither key is there.
    LongTerm,
    /// Temporary credentials that were made without MFA: present is false, the age is not there.
    Temporary,
    Mfa {
        age: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MfaKey {
    Present,
    Age,
}

fn mfa_key(key: &str) -> Option<MfaKey> {
    if key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent") {
        Some(MfaKey::Present)
    } else {
        key.eq_ignore_ascii_case("aws:MultiFactorAuthAge").then_some(MfaKey::Age)
    }
}

/// The conditions on all other keys.
pub(super) fn others(statement: &Statement) -> impl Iterator<Item = &Condition> {
    statement.conditions.iter().filter(|condition| mfa_key(&condition.key).is_none())
}

/// Whether a key is one of the credentials: those of MFA, and when they were made.
pub(super) fn is_about_credentials(key: &str) -> bool {
    mfa_key(key).is_some() || key.eq_ignore_ascii_case("aws:TokenIssueTime")
}

pub(super) fn is_about_mfa(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| mfa_key(&condition.key).is_some())
}

/// Whether the conditions on the keys of MFA are true.
pub(super) fn of_mfa(statement: &Statement, state: State) -> Truth {
    Truth::all(
        statement
            .conditions
            .iter()
            .map(|condition| mfa_key(&condition.key).map_or(Truth::True, |key| mfa_truth(condition, key, state))),
    )
}

// Ages are far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn mfa_truth(condition: &Condition, key: MfaKey, state: State) -> Truth {
    let Some(meaning) = condition.operator.meaning else { return Truth::Unknown };
    let is_there = match key {
        MfaKey::Present => state != State::LongTerm,
        MfaKey::Age => matches!(state, State::Mfa { .. }),
    };
    if meaning.test == Test::Null {
        return any(condition, |value| boolean(value).map(|is_null| is_null != is_there));
    }
    if meaning.quantifier == Some(Quantifier::ForAllValues) {
        return Truth::Unknown;
    }
    if !is_there {
        return when_missing(meaning);
    }
    let truth = match (key, meaning.test, state) {
        (MfaKey::Present, Test::Bool, _) => {
            let is_present = matches!(state, State::Mfa { .. });
            any(condition, |value| boolean(value).map(|wanted| wanted == is_present))
        }
        (MfaKey::Age, Test::Numeric(comparison), State::Mfa { age }) => {
            any(condition, |value| number(value).map(|bound| compare(comparison, age as f64, bound)))
        }
        // An operator for another type: how S3 compares then is not documented.
        _ => return Truth::Unknown,
    };
    truth.negated_if(meaning.negated)
}

pub(super) fn when_missing(meaning: Meaning) -> Truth {
    match meaning.quantifier {
        None => Truth::from(meaning.if_exists || meaning.negated),
        Some(Quantifier::ForAllValues) => Truth::True,
        // What the two together mean is not documented.
        Some(Quantifier::ForAnyValue) if meaning.if_exists => Truth::Unknown,
        Some(Quantifier::ForAnyValue) => Truth::False,
    }
}

/// Whether one of the values matches; `None` is a value that the operator does not know.
pub(super) fn any(condition: &Condition, matches: impl Fn(&str) -> Option<bool>) -> Truth {
    Truth::any(condition.values.iter().map(|value| matches(value).map_or(Truth::Unknown, Truth::from)))
}

pub(super) fn boolean(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("true") { Some(true) } else { value.eq_ignore_ascii_case("false").then_some(false) }
}

fn number(value: &str) -> Option<f64> {
    value.parse().ok().filter(|number: &f64| number.is_finite())
}

#[allow(clippy::float_cmp)]
pub(super) fn compare(comparison: Comparison, value: f64, bound: f64) -> bool {
    match comparison {
        Comparison::Equals => value == bound,
        Comparison::Less => value < bound,
        Comparison::LessOrEqual => value <= bound,
        Comparison::Greater => value > bound,
        Comparison::GreaterOrEqual => value >= bound,
    }
}

/// An age of every kind that these statements can tell from others, ascending; the last is older than all bounds.
pub(super) fn ages(statements: &[&Statement]) -> Vec<u64> {
    /// More than a hundred years.
    const OLDEST: f64 = 4e9;
    let conditions = statements.iter().flat_map(|statement| &statement.conditions);
    let of_age = conditions.filter(|condition| mfa_key(&condition.key) == Some(MfaKey::Age));
    let bounds = of_age.flat_map(|condition| &condition.values).filter_map(|value| number(value));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let bounds = bounds.map(|bound| bound.clamp(0.0, OLDEST) as u64);
    let mut ages: Vec<u64> = bounds.flat_map(|bound| [bound.saturating_sub(1), bound, bound + 1]).chain([0]).collect();
    ages.sort_unstable();
    ages.dedup();
    ages
}

/// Why the conditions on the keys of MFA are not true of a request without MFA.
pub(super) fn mfa_holes(statement: &Statement, state: State) -> Vec<Hole> {
    let hole = |condition: &Condition| {
        let key = mfa_key(&condition.key)?;
        let test = condition.operator.meaning?.test;
        let is_false = |state| mfa_truth(condition, key, state) == Truth::False;
        let operator = condition.operator.name.clone();
        is_false(state).then(|| match (test, key, state) {
            (Test::Null, MfaKey::Present, State::LongTerm) => Hole::OnlyTemporaryCredentials,
            (Test::Null, MfaKey::Present, _) => Hole::OnlyLongTermKeys,
            (Test::Null, MfaKey::Age, _) => Hole::DeniesMfa,
            (_, MfaKey::Present, _) if is_false(State::Temporary) => Hole::DeniesMfa,
            (_, MfaKey::Present, _) => Hole::BoolWithoutIfExists { operator },
            (_, MfaKey::Age, _) => Hole::AgeWithoutIfExists { operator },
        })
    };
    statement.conditions.iter().filter_map(hole).collect()
}

/// Why it is unknown whether the conditions on the keys of MFA are true.
pub(super) fn mfa_doubts(statement: &Statement, state: State) -> Vec<Hole> {
    let doubt = |condition: &Condition| {
        let key = mfa_key(&condition.key)?;
        (mfa_truth(condition, key, state) == Truth::Unknown).then(|| doubt(condition))
    };
    statement.conditions.iter().filter_map(doubt).collect()
}

/// Why it is unknown whether a condition is true.
pub(super) fn doubt(condition: &Condition) -> Hole {
    let operator = condition.operator.name.clone();
    match (condition.operator.meaning, mfa_key(&condition.key)) {
        (None, _) => Hole::UnknownOperator { operator },
        (Some(Meaning { quantifier: Some(_), .. }), _) => Hole::SetOperator { operator },
        (Some(Meaning { test: Test::Null, .. }), _)
        | (Some(Meaning { test: Test::Bool, .. }), Some(MfaKey::Present))
        | (Some(Meaning { test: Test::Numeric(_), .. }), Some(MfaKey::Age)) => {
            Hole::UnknownValue { operator, values: condition.values.join(", ") }
        }
        _ => Hole::WrongOperator { operator, key: condition.key.clone() },
    }
}
