//! What is known of the condition keys of requests that somebody makes to delete or to change something in a bucket.
//!
//! Source: IAM user guide, "AWS global condition context keys"; service authorization reference, "Actions, resources, and
//! condition keys for Amazon S3".

use time::Date;

use super::values::Values;

/// What is known of a key in the requests of one caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// Its value, or that it is missing.
    Fixed(Values),
    /// The caller takes one of these.
    OneOf(Vec<Values>),
    /// The caller takes what it likes, or leaves the key out.
    Chosen,
    /// Where the request comes from: the caller can do without the values that a policy lists, and may have them.
    Surroundings,
    /// It belongs to the caller, and differs from one user or role to the other.
    Attribute,
    /// The organization of the bucket's account.
    Organization,
    /// It is the same for all requests, and not known here.
    Undecided,
    /// It depends on the credentials.
    Credentials,
}

/// Who makes the request, as far as the keys differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Role,
    /// Somebody who is no user or role of the bucket's account: nothing is known of them.
    Outsider,
}

/// What is known of a key, in lower case. `account`: the one that owns the bucket.
pub(super) fn known(key: &str, kind: Kind, account: &str, today: Date) -> Known {
    let fixed = |value: &str| Known::Fixed(vec![value.to_owned()]);
    let one_of = |values: &[&str]| Known::OneOf(values.iter().map(|value| vec![(*value).to_owned()]).collect());
    let (prefix, _) = key.split_once('/').unwrap_or((key, ""));
    match (prefix, kind) {
        ("aws:securetransport", _) => one_of(&["true", "false"]),
        // Requests without TLS have none.
        ("s3:tlsversion", _) => Known::OneOf(vec![vec!["1.3".to_owned()], vec!["1.2".to_owned()], Vec::new()]),
        ("aws:currenttime" | "aws:epochtime", _) => Known::OneOf(on(today)),
        ("aws:multifactorauthpresent" | "aws:multifactorauthage" | "aws:tokenissuetime", _) => Known::Credentials,
        ("aws:resourceaccount" | "s3:resourceaccount", _) => fixed(account),
        ("aws:resourcetag" | "s3:buckettag" | "aws:requestedregion", _) => Known::Undecided,
        (_, Kind::Outsider) => Known::Chosen,
        ("aws:principalaccount", _) => fixed(account),
        ("aws:principaltype", Kind::User) => fixed("User"),
        ("aws:principaltype", Kind::Role) => fixed("AssumedRole"),
        ("aws:principalisawsservice", _) => fixed("false"),
        // Only services, sessions or the root user have them.
        (
            "aws:principalservicename"
            | "aws:principalservicenameslist"
            | "aws:sourcearn"
            | "aws:sourceaccount"
            | "aws:sourceorgid"
            | "aws:sourceorgpaths"
            | "aws:assumedroot",
            _,
        )
        | ("aws:sourceidentity" | "aws:federatedprovider" | "aws:chatbotsourcearn", Kind::User)
        | ("aws:username", Kind::Role) => Known::Fixed(Vec::new()),
        (
            "aws:principalarn"
            | "aws:username"
            | "aws:userid"
            | "aws:principaltag"
            | "aws:sourceidentity"
            | "aws:federatedprovider"
            | "aws:chatbotsourcearn",
            _,
        ) => Known::Attribute,
        ("aws:principalorgid" | "aws:principalorgpaths" | "aws:resourceorgid" | "aws:resourceorgpaths", _) => {
            Known::Organization
        }
        ("aws:sourceip" | "aws:vpcsourceip" | "aws:viaawsservice", _) => Known::Surroundings,
        (key, _)
            if ["aws:sourcevpc", "aws:vpce", "aws:calledvia", "aws:ec2instance"]
                .iter()
                .any(|it| key.starts_with(it)) =>
        {
            Known::Surroundings
        }
        ("s3:dataaccesspointarn" | "s3:dataaccesspointaccount" | "s3:accesspointnetworkorigin", _) => {
            Known::Surroundings
        }
        ("aws:useragent" | "aws:referer" | "aws:requesttag" | "aws:tagkeys", _) => Known::Chosen,
        // What a request asks for, headers among it.
        (key, _) if key.starts_with("s3:") => Known::Chosen,
        (key, kind) => match (key.starts_with("aws:"), kind) {
            // Identity providers and other services give theirs to sessions of roles.
            (false, Kind::User) => Known::Fixed(Vec::new()),
            (false, Kind::Role) => Known::Attribute,
            (true, Kind::User | Kind::Role) | (_, Kind::Outsider) => Known::Undecided,
        },
    }
}

/// The first and the last second of a day: a caller can wait.
pub(super) fn on(today: Date) -> Vec<Values> {
    ["00:00:00", "23:59:59"].map(|time| vec![format!("{today}T{time}Z")]).into()
}

/// With what every value of a key begins.
pub(super) fn start(key: &str, kind: Kind) -> &'static str {
    match (key, kind) {
        ("aws:userid", Kind::User) => "AIDA",
        ("aws:userid", Kind::Role) => "AROA",
        ("aws:sourcevpce", _) => "vpce-",
        ("aws:sourcevpc", _) => "vpc-",
        _ => "",
    }
}
