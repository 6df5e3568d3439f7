//! A bucket policy as it is written. Source: IAM user guide, "Grammar of the IAM JSON policy language".

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub version: Version,
    pub statements: Vec<Statement>,
    /// Names of elements beside Version, Id and Statement.
    pub unknown: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Version {
    /// Also without the element: `${...}` is text.
    #[default]
    V2008,
    /// `${...}` is a policy variable.
    V2012,
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    pub principal: Element<Principals>,
    pub action: Element<Vec<String>>,
    pub resource: Element<Vec<String>>,
    /// All must be true, in the order in which they are written.
    pub conditions: Vec<Condition>,
    /// Names of elements that the grammar does not know.
    pub unknown: Vec<String>,
}

/// Case counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
    Other(String),
}

/// An element that can be turned round by `Not` before its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element<T> {
    Only(T),
    AllBut(T),
}

impl<T> Element<T> {
    pub fn listed(&self) -> &T {
        match self {
            Self::Only(listed) | Self::AllBut(listed) => listed,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// `"*"`.
    Everybody,
    Listed(Vec<Principal>),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    pub kind: PrincipalKind,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    Aws,
    CanonicalUser,
    Federated,
    Service,
    Other(String),
}

/// One key below one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub operator: Operator,
    /// As it is written; case does not count.
    pub key: String,
    /// One of them has to match; numbers and booleans as text.
    pub values: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// As it is written.
    pub name: String,
    /// `None` for an operator that is not known.
    pub meaning: Option<Meaning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meaning {
    pub quantifier: Option<Quantifier>,
    pub test: Test,
    /// `Not`: true where the test is false, and where the key is missing.
    pub negated: bool,
    /// True where the key is missing.
    pub if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantifier {
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    IpAddress,
    /// `ArnEquals` and `ArnLike` are the same.
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    Equals,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// Case does not count. Source: IAM user guide, "JSON policy elements: Condition operators".
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), meaning: meaning(&name.to_ascii_lowercase()) }
    }
}

fn meaning(name: &str) -> Option<Meaning> {
    let (quantifier, name) = match name.split_once(':') {
        None => (None, name),
        Some(("forallvalues", name)) => (Some(Quantifier::ForAllValues), name),
        Some(("foranyvalue", name)) => (Some(Quantifier::ForAnyValue), name),
        Some(_) => return None,
    };
    let (name, if_exists) = name.strip_suffix("ifexists").map_or((name, false), |name| (name, true));
    let (test, negated) = match name {
        "stringequals" => (Test::StringEquals, false),
        "stringnotequals" => (Test::StringEquals, true),
        "stringequalsignorecase" => (Test::StringEqualsIgnoreCase, false),
        "stringnotequalsignorecase" => (Test::StringEqualsIgnoreCase, true),
        "stringlike" => (Test::StringLike, false),
        "stringnotlike" => (Test::StringLike, true),
        "bool" => (Test::Bool, false),
        "binaryequals" => (Test::Binary, false),
        "ipaddress" => (Test::IpAddress, false),
        "notipaddress" => (Test::IpAddress, true),
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        // Null looks at missing keys itself.
        "null" if !if_exists && quantifier.is_none() => (Test::Null, false),
        _ => {
            let (test, comparison): (fn(Comparison) -> Test, _) = match name.strip_prefix("numeric") {
                Some(comparison) => (Test::Numeric, comparison),
                None => (Test::Date, name.strip_prefix("date")?),
            };
            let (comparison, negated) = match comparison {
                "equals" => (Comparison::Equals, false),
                "notequals" => (Comparison::Equals, true),
                "lessthan" => (Comparison::Less, false),
                "lessthanequals" => (Comparison::LessOrEqual, false),
                "greaterthan" => (Comparison::Greater, false),
                "greaterthanequals" => (Comparison::GreaterOrEqual, false),
                _ => return None,
            };
            (test(comparison), negated)
        }
    };
    Some(Meaning { quantifier, test, negated, if_exists })
}
