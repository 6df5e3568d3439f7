//! A policy from its JSON, as `GetBucketPolicy` answers it. What the grammar does not know is kept by its name; what
//! breaks the grammar is a [`ReadError`].

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::document::{
    Condition, Effect, Element, Operator, Policy, Principal, PrincipalKind, Principals, Statement, Version,
};

/// Why a text is no policy that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct ReadError {
    /// From 1; where the reader was when it found the mistake.
    pub line: usize,
    /// In bytes.
    pub column: usize,
    /// A fragment that fits after a colon; what it quotes is escaped.
    pub message: String,
}

pub fn read(json: &[u8]) -> Result<Policy, ReadError> {
    const LONGEST: usize = 400;
    serde_json::from_slice(json).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let message = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message);
        ReadError { line, column: column.max(1), message: message.chars().take(LONGEST).collect() }
    })
}

/// Text of a policy for a message: escaped, in quotes, cut where it is long.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The next key of an object; the same key again is an error, because readers differ in which of the two they take.
fn next_key<'de, A: MapAccess<'de>>(map: &mut A, keys: &mut BTreeSet<String>) -> Result<Option<String>, A::Error> {
    let Some(key) = map.next_key::<String>()? else { return Ok(None) };
    if keys.insert(key.clone()) {
        Ok(Some(key))
    } else {
        Err(A::Error::custom(format_args!("the key {} stands twice in its object", quoted(&key))))
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Policy;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy, which is an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
                let mut keys = BTreeSet::new();
                let (mut version, mut statements, mut unknown) = (Version::default(), None, Vec::new());
                while let Some(key) = next_key(&mut map, &mut keys)? {
                    match key.as_str() {
                        "Version" => version = map.next_value()?,
                        "Id" => drop(map.next_value::<String>()?),
                        "Statement" => statements = Some(map.next_value::<OneOrMany<Statement>>()?.0),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            unknown.push(key);
                        }
                    }
                }
                let statements = statements.ok_or_else(|| A::Error::custom("the policy has no Statement"))?;
                Ok(Policy { version, statements, unknown })
            }
        }
        deserializer.deserialize_any(Object)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let version = String::deserialize(deserializer)?;
        Ok(match version.as_str() {
            "2008-10-17" => Self::V2008,
            "2012-10-17" => Self::V2012,
            _ => Self::Other(version),
        })
    }
}

impl<'de> Deserialize<'de> for Effect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let effect = String::deserialize(deserializer)?;
        Ok(match effect.as_str() {
            "Allow" => Self::Allow,
            "Deny" => Self::Deny,
            _ => Self::Other(effect),
        })
    }
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Statement;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a statement, which is an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statement, A::Error> {
                let mut keys = BTreeSet::new();
                let (mut sid, mut effect, mut conditions, mut unknown) = (None, None, Vec::new(), Vec::new());
                let (mut principal, mut action, mut resource) = (None, None, None);
                while let Some(key) = next_key(&mut map, &mut keys)? {
                    match key.as_str() {
                        "Sid" => sid = Some(map.next_value()?),
                        "Effect" => effect = Some(map.next_value()?),
                        "Principal" => put(&mut principal, Element::Only(map.next_value()?), "Principal")?,
                        "NotPrincipal" => put(&mut principal, Element::AllBut(map.next_value()?), "Principal")?,
                        "Action" => put(&mut action, Element::Only(texts(&mut map)?), "Action")?,
                        "NotAction" => put(&mut action, Element::AllBut(texts(&mut map)?), "Action")?,
                        "Resource" => put(&mut resource, Element::Only(texts(&mut map)?), "Resource")?,
                        "NotResource" => put(&mut resource, Element::AllBut(texts(&mut map)?), "Resource")?,
                        "Condition" => conditions = map.next_value::<Conditions>()?.0,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            unknown.push(key);
                        }
                    }
                }
                Ok(Statement {
                    sid,
                    effect: effect.ok_or_else(|| A::Error::custom("a statement has no Effect"))?,
                    principal: principal.ok_or_else(|| neither("Principal"))?,
                    action: action.ok_or_else(|| neither("Action"))?,
                    resource: resource.ok_or_else(|| neither("Resource"))?,
                    conditions,
                    unknown,
                })
            }
        }
        deserializer.deserialize_any(Object)
    }
}

fn put<T, E: Error>(place: &mut Option<Element<T>>, element: Element<T>, name: &str) -> Result<(), E> {
    match place.replace(element) {
        None => Ok(()),
        Some(_) => Err(E::custom(format_args!("a statement has both {name} and Not{name}"))),
    }
}

fn neither<E: Error>(name: &str) -> E {
    E::custom(format_args!("a statement has neither {name} nor Not{name}"))
}

fn texts<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Vec<String>, A::Error> {
    Ok(map.next_value::<OneOrMany<Text>>()?.0.into_iter().map(|text| text.0).collect())
}

struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// A value of a condition: text, number or boolean.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

/// A list; one value may stand without its brackets.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);
        impl<T> Values<T> {
            fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error>
            where
                T: Deserialize<'de>,
            {
                Ok(OneOrMany(vec![T::deserialize(deserializer)?]))
            }
        }
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Self::one(serde::de::value::StrDeserializer::new(text))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Self::one(serde::de::value::BoolDeserializer::new(value))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                Self::one(serde::de::value::U64Deserializer::new(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Self::one(serde::de::value::I64Deserializer::new(value))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Self::one(serde::de::value::F64Deserializer::new(value))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Self::one(MapAccessDeserializer::new(map))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(OneOrMany(values))
            }
        }
        deserializer.deserialize_any(Values(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Principals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Element;
        impl<'de> Visitor<'de> for Element {
            type Value = Principals;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"*\" or an object of principals")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Principals, E> {
                match text {
                    "*" => Ok(Principals::Everybody),
                    _ => Err(E::custom(format_args!(
                        "the principal {} needs its type, as in {{\"AWS\": ...}}",
                        quoted(text)
                    ))),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Principals, A::Error> {
                let mut keys = BTreeSet::new();
                let mut listed = Vec::new();
                while let Some(key) = next_key(&mut map, &mut keys)? {
                    let kind = match key.as_str() {
                        "AWS" => PrincipalKind::Aws,
                        "CanonicalUser" => PrincipalKind::CanonicalUser,
                        "Federated" => PrincipalKind::Federated,
                        "Service" => PrincipalKind::Service,
                        _ => PrincipalKind::Other(key),
                    };
                    listed.extend(texts(&mut map)?.into_iter().map(|value| Principal { kind: kind.clone(), value }));
                }
                Ok(Principals::Listed(listed))
            }
        }
        deserializer.deserialize_any(Element)
    }
}

struct Conditions(Vec<Condition>);

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Conditions;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of condition operators")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Conditions, A::Error> {
                let mut keys = BTreeSet::new();
                let mut conditions = Vec::new();
                while let Some(name) = next_key(&mut map, &mut keys)? {
                    let operator = Operator::named(&name);
                    for (key, values) in map.next_value::<Keys>()?.0 {
                        conditions.push(Condition { operator: operator.clone(), key, values });
                    }
                }
                Ok(Conditions(conditions))
            }
        }
        deserializer.deserialize_any(Object)
    }
}

/// The keys below one operator.
struct Keys(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Keys;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of condition keys")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut seen = BTreeSet::new();
                let mut keys = Vec::new();
                while let Some(key) = next_key(&mut map, &mut seen)? {
                    let values = map.next_value::<OneOrMany<Scalar>>()?.0;
                    keys.push((key, values.into_iter().map(|value| value.0).collect()));
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_any(Object)
    }
}
