//! Truth table: `fixtures/policy/threats.json` says what policies do to those who make requests.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::policy::tests::{good, place, rows};
use crate::policy::{Verdict, judge};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct ThreatRow {
    why: String,
    pub policy: Value,
    organization: Option<String>,
    /// A user's keys and a role that delete versions, anyone who puts a lifecycle rule, an administrator who deletes versions.
    says: [String; 4],
    /// What passes of the first of these of which a part is denied, or is unknown.
    holes: Option<BTreeSet<String>>,
}

#[test]
fn threats_are_judged_by_the_truth_table() {
    let rows = rows::<ThreatRow>("threats.json");
    assert!(rows.len() >= 80, "{}", rows.len());
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let (policy, place) = (good(&row.policy), Place { organization: row.organization.clone(), ..place() });
        let (versions, rule) = (Act::Group(Group::DeleteVersions), Act::Group(Group::ChangeLifecycle));
        let asked = [
            (Caller::UserKeys, versions),
            (Caller::Role, versions),
            (Caller::Anyone, rule),
            (Caller::Administrator, versions),
        ];
        let reached = asked.map(|(caller, act)| reach(&policy, &place, caller, act));
        let says = reached.each_ref().map(|reach| match reach {
            Reach::All => "all",
            Reach::Part(_) => "part",
            Reach::PartAtLeast(_) => "part_at_least",
            Reach::Nothing => "nothing",
            Reach::Unknown(_) => "unknown",
        });
        let holes = reached.iter().find_map(|reach| match reach {
            Reach::Part(holes) | Reach::PartAtLeast(holes) | Reach::Unknown(holes) => Some(holes),
            Reach::All | Reach::Nothing => None,
        });
        let holes: BTreeSet<String> = holes.into_iter().flatten().map(|hole| hole.as_str().to_owned()).collect();
        if says != row.says.each_ref().map(String::as_str) || row.holes.as_ref().is_some_and(|wanted| *wanted != holes)
        {
            wrong.push(format!(
                "row {}, {}: {says:?} {holes:?}, not {:?} {:?}",
                number + 1,
                row.why,
                row.says,
                row.holes
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Policies of about 15 kB, each of which multiplies something.
fn large_policies() -> Vec<(&'static str, Value)> {
    let filled = |statement: &dyn Fn(usize) -> Value| {
        let mut statements = Vec::new();
        while json!(statements).to_string().len() < 15_000 {
            statements.push(statement(statements.len()));
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    };
    let deny = |more: Value| {
        let mut statement = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"});
        statement.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        statement
    };
    let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).expect("small"));
    vec![
        ("objects", filled(&|n| deny(json!({"Resource": format!("arn:aws:s3:::bucket/*{}*{n}*", letter(n))})))),
        ("actions", filled(&|n| deny(json!({"Action": format!("s3:*{}*{}*", letter(n), letter(n / 26 + 3))})))),
        ("keys", filled(&|n| deny(json!({"Condition": {"StringEquals": {format!("aws:PrincipalTag/{n}"): "x"}}})))),
        (
            "values",
            filled(&|n| deny(json!({"Condition": {"StringLike": {"aws:UserAgent": format!("*{}*{n}*", letter(n))}}}))),
        ),
        (
            "names",
            filled(&|n| {
                deny(
                    json!({"Condition": {"ArnLike": {"aws:PrincipalArn": format!("arn:aws:iam::*:user/*{}*{n}*", letter(n))}}}),
                )
            }),
        ),
        ("ages", filled(&|n| deny(json!({"Condition": {"NumericGreaterThan": {"aws:MultiFactorAuthAge": n * 7}}})))),
        (
            "principals",
            filled(&|n| {
                deny(json!({
                    "Principal": {"AWS": format!("arn:aws:iam::111122223333:role/r{n}")},
                    "Resource": format!("arn:aws:s3:::bucket/f{n}/*"),
                }))
            }),
        ),
        ("one text", filled(&|n| deny(json!({"Resource": format!("arn:aws:s3:::bucket/{}", "*a".repeat(n + 200))})))),
    ]
}

#[test]
fn large_policies_are_judged_in_a_fixed_number_of_steps() {
    for (what, policy) in large_policies() {
        let policy = good(&policy);
        let access = judge(&policy, "bucket", "aws");
        let versions = access.of(Group::DeleteVersions);
        let is_too_large = versions.gaps.iter().any(|gap| gap.hole == Hole::TooManyCases);
        match versions.verdict {
            Verdict::Unknown => assert!(is_too_large, "{what}: {versions:?}"),
            Verdict::Required | Verdict::Partial | Verdict::NotRequired => assert!(!is_too_large, "{what}"),
        }
        for caller in [Caller::UserKeys, Caller::Role, Caller::Administrator, Caller::Everybody] {
            if let Reach::Unknown(holes) = reach(&policy, &place(), caller, Act::Group(Group::DeleteVersions)) {
                assert_eq!(holes, [Hole::TooManyCases], "{what}, {caller:?}");
            }
        }
    }
}
