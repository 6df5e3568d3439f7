//! The judge of bucket policies against an evaluator that answers for one request at a time.
//!
//! `BUCKETLENS_POLICY_CASES` is how many policies are made of each kind; if absent, 1,000 for the verdicts and 2,000 for the
//! threats.

mod evaluator;
mod strategy;
mod threats;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::env;

use bucketlens::model::Operation;
use bucketlens::policy::scanner::{Denial, denial};
use bucketlens::policy::{self, Access, Credentials, Escape, Group, Policy, Verdict, Who};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use evaluator::{Answer, Keys, and, or};

/// Ages around every bound that the policies have.
const AGES: [u64; 10] = [0, 59, 60, 61, 62, 3_599, 3_600, 3_601, 3_602, 10_000_000];
const OBJECTS: [&str; 9] = ["x", "a", "xx", "xa", "logs/x", "logs/a", "logs/ax", "users/x/x", "users/x/a"];
const PEOPLE: [&str; 7] = [
    "arn:aws:iam::999999999999:user/Stranger",
    "arn:aws:iam::111122223333:user/Unnamed",
    "arn:aws:iam::111122223333:user/Eve",
    "arn:aws:iam::111122223333:role/Admin",
    "arn:aws:sts::111122223333:assumed-role/Admin/session",
    "arn:aws:iam::111122223333:root",
    "logging.s3.amazonaws.com",
];
const ACTIONS: [&str; 11] = [
    "s3:DeleteObjectVersion",
    "s3:DeleteObject",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:DeleteOther",
    "s3:PutOther",
    "s3:PutBucketOther",
    "s3:GetOther",
    "s3:Other",
];

fn mfa_states() -> Vec<Keys> {
    let present = |is: &str| ("aws:multifactorauthpresent", is.to_owned());
    let with_age = |age: u64| [present("true"), ("aws:multifactorauthage", age.to_string())].into();
    [[].into(), [present("false")].into()].into_iter().chain(AGES.map(with_age)).collect()
}

const LONG_TERM: usize = 0;
const TEMPORARY: usize = 1;
const FIRST_AGE: usize = 2;

fn contexts() -> Vec<Keys> {
    let keys = [
        ("aws:principalorgid", ["o-1", "o-2"]),
        ("aws:viaawsservice", ["true", "false"]),
        ("aws:calledvia", ["athena.amazonaws.com", "cloudformation.amazonaws.com"]),
    ];
    keys.into_iter().fold(vec![Keys::new()], |contexts, (key, values)| {
        let with = |context: Keys| {
            let values = values.map(|value| Some((key, value.to_owned())));
            values.into_iter().chain([None]).map(move |value| context.clone().into_iter().chain(value).collect())
        };
        contexts.into_iter().flat_map(with).collect()
    })
}

/// The evaluator's answers for every part of every statement; a request is denied where all parts of one say so.
struct Answers {
    /// By statement, then by state.
    mfa: Vec<Vec<Answer>>,
    contexts: Vec<Vec<Answer>>,
    statements: Vec<Value>,
}

impl Answers {
    fn new(policy: &Value) -> Self {
        let statements = policy["Statement"].as_array().expect("a list").clone();
        let is_mfa = |key: &str| key.starts_with("aws:multifactorauth");
        let of = |keys: &[Keys], is_own: &dyn Fn(&str) -> bool| -> Vec<Vec<Answer>> {
            let answers = |statement| keys.iter().map(|keys| evaluator::conditions(statement, keys, is_own)).collect();
            statements.iter().map(answers).collect()
        };
        Self { mfa: of(&mfa_states(), &is_mfa), contexts: of(&contexts(), &|key| !is_mfa(key)), statements }
    }

    fn each(&self, answer: impl Fn(&Value) -> Answer) -> Vec<Answer> {
        self.statements.iter().map(answer).collect()
    }

    /// For each statement whether it is for this.
    fn target(&self, action: &str, resource: &str) -> Vec<Answer> {
        self.each(|statement| {
            and([
                evaluator::effect(statement),
                Some(evaluator::action(statement, action)),
                evaluator::resource(statement, resource),
            ])
        })
    }

    fn who(&self, who: &str) -> Vec<Answer> {
        self.each(|statement| evaluator::principal(statement, who))
    }

    /// Whether a request without MFA is denied that is let through with it: certainly, and perhaps. What is not to be told
    /// of a statement is the same for both requests.
    fn bites(&self, target: &[Answer], who: &[Answer], context: usize, with: usize) -> (bool, bool) {
        let possible = |answer: Answer| answer.map_or(vec![false, true], |is| vec![is]);
        let pairs = |place: usize| -> BTreeSet<(bool, bool)> {
            let base = possible(and([target[place], who[place], self.contexts[place][context]]));
            let (without, with) = (possible(self.mfa[place][TEMPORARY]), possible(self.mfa[place][with]));
            let mut pairs = BTreeSet::new();
            for base in base {
                for without in &without {
                    pairs.extend(with.iter().map(|with| (base && *without, base && *with)));
                }
            }
            pairs
        };
        let pairs: Vec<BTreeSet<(bool, bool)>> = (0..self.statements.len()).map(pairs).collect();
        let certainly = pairs.iter().all(|pairs| pairs.iter().all(|(_, with)| !with))
            && pairs.iter().any(|pairs| pairs.iter().all(|(without, _)| *without));
        let perhaps = pairs.iter().all(|pairs| pairs.iter().any(|(_, with)| !with))
            && pairs.iter().any(|pairs| pairs.contains(&(true, false)));
        (certainly, perhaps)
    }

    fn denied(&self, target: &[Answer], who: &[Answer], context: usize, state: usize) -> Answer {
        or((0..self.statements.len())
            .map(|place| and([target[place], who[place], self.contexts[place][context], self.mfa[place][state]])))
    }
}

fn targets(group: Group) -> Vec<(&'static str, String)> {
    let objects = OBJECTS.map(|object| format!("arn:aws:s3:::b/{object}"));
    let bucket = ["arn:aws:s3:::b".to_owned()];
    let (actions, resources): (&[&'static str], Vec<String>) = match group {
        Group::DeleteVersions | Group::DeleteObjects => (group.actions(), objects.into()),
        Group::ChangeVersioning | Group::ChangeLifecycle | Group::ChangePolicy => (group.actions(), bucket.into()),
        Group::Everything => (&ACTIONS, bucket.into_iter().chain(objects).collect()),
    };
    actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, resource.clone()))).collect()
}

/// What the evaluator says of all requests for a group.
#[derive(Debug, Default)]
struct Seen {
    /// Whether it is denied without MFA.
    answers: BTreeSet<Answer>,
    /// Denied with temporary credentials without MFA, and let through with MFA.
    bites: bool,
    /// The same, or it is open on either side.
    may_bite: bool,
    /// What is denied without MFA is let through with it.
    only_for_mfa: bool,
    /// The greatest of [`AGES`] with which something of the kind is let through, certainly or perhaps.
    oldest: Option<u64>,
}

impl Seen {
    fn all_are(&self, answer: Answer) -> bool {
        self.answers.iter().all(|own| *own == answer)
    }

    fn some_is(&self, answer: Answer) -> bool {
        self.answers.contains(&answer)
    }
}

fn seen(answers: &Answers, targets: &[(&str, String)], people: &[&str], can_have_mfa: impl Fn(&str) -> bool) -> Seen {
    let mut seen = Seen { only_for_mfa: true, ..Seen::default() };
    // Many are alike.
    let people: BTreeSet<(Vec<Answer>, bool)> =
        people.iter().map(|who| (answers.who(who), can_have_mfa(who))).collect();
    let targets: BTreeSet<Vec<Answer>> =
        targets.iter().map(|(action, resource)| answers.target(action, resource)).collect();
    for target in targets {
        for (who, can_have_mfa) in &people {
            for context in 0..answers.contexts[0].len() {
                for state in [LONG_TERM, TEMPORARY] {
                    let without = answers.denied(&target, who, context, state);
                    seen.answers.insert(without);
                    let is_open = |age| answers.denied(&target, who, context, FIRST_AGE + age) == Some(false);
                    seen.only_for_mfa &= without != Some(true) || (0..AGES.len()).any(is_open);
                }
                let without = answers.denied(&target, who, context, TEMPORARY);
                if without == Some(false) || !can_have_mfa {
                    continue;
                }
                let denied = |age| answers.denied(&target, who, context, FIRST_AGE + age);
                let with: Vec<Answer> = (0..AGES.len()).map(denied).collect();
                let bites = |age| answers.bites(&target, who, context, FIRST_AGE + age);
                seen.may_bite |= (0..AGES.len()).any(|age| bites(age).1);
                if without == Some(true) && with.contains(&Some(false)) {
                    seen.bites = true;
                    let open = with.iter().rposition(|with| *with != Some(true)).map(|age| AGES[age]);
                    seen.oldest = seen.oldest.max(open);
                }
            }
        }
    }
    seen
}

fn who(who: &Who) -> &str {
    match who {
        Who::Other => PEOPLE[0],
        Who::OfAccount(account) if account == "111122223333" => PEOPLE[1],
        Who::OfAccount(account) => panic!("no policy names account {account}"),
        // An account stands for its root user.
        Who::Named(named) if named.value == "111122223333" => PEOPLE[5],
        Who::Named(named) => &named.value,
    }
}

/// Whether some request of this kind gets through.
fn gets_through(answers: &Answers, escape: &Escape) -> bool {
    let target = answers.target(&escape.action, &escape.resource);
    let who = answers.who(who(&escape.who));
    let state = match escape.credentials {
        Credentials::LongTermKeys => LONG_TERM,
        Credentials::Temporary => TEMPORARY,
    };
    (0..answers.contexts[0].len()).any(|context| answers.denied(&target, &who, context, state) == Some(false))
}

fn holds(answers: &Answers, access: &Access) -> Result<(), TestCaseError> {
    // Credentials of a role never carry it.
    let can_have_mfa = |who: &str| !who.contains(":role/") && !who.contains(":assumed-role/");
    let seen = seen(answers, &targets(access.group), &PEOPLE, can_have_mfa);
    let at = format!("{}: {seen:?}\n{access:#?}\n{:#?}", access.group, answers.statements);
    match access.verdict {
        Verdict::Required => prop_assert!(seen.all_are(Some(true)) && seen.may_bite, "{at}"),
        Verdict::Partial => {
            prop_assert!(seen.some_is(Some(false)) && seen.bites, "{at}");
            prop_assert!(access.gaps.iter().any(|gap| gap.escape.is_some()), "{at}");
            prop_assert!(!access.demands.is_empty(), "{at}");
        }
        Verdict::NotRequired => prop_assert!(!seen.may_bite, "{at}"),
        Verdict::Unknown => prop_assert!(seen.may_bite && (seen.some_is(None) || !seen.bites), "{at}"),
    }
    // And the other way round.
    if seen.all_are(Some(true)) && seen.may_bite {
        prop_assert_eq!(access.verdict, Verdict::Required, "{}", at);
    }
    if seen.some_is(Some(false)) && seen.bites {
        prop_assert_eq!(access.verdict, Verdict::Partial, "{}", at);
    }
    if !seen.may_bite {
        prop_assert_eq!(access.verdict, Verdict::NotRequired, "{}", at);
    }
    prop_assert_eq!(access.denied_to_all, seen.all_are(Some(true)) && !seen.may_bite, "{}", at);
    let greatest = AGES.last().copied();
    prop_assert_eq!(access.max_age, seen.oldest.filter(|age| Some(*age) != greatest), "{}", at);
    for escape in access.gaps.iter().filter_map(|gap| gap.escape.as_ref()) {
        prop_assert!(gets_through(answers, escape), "{escape:?}\n{at}");
    }
    Ok(())
}

/// The same of what is denied to a session of a role.
fn foretells(answers: &Answers, policy: &Policy) -> Result<(), TestCaseError> {
    let session = PEOPLE[4];
    let readings =
        [Operation::GetBucketVersioning, Operation::GetBucketLifecycleConfiguration, Operation::GetBucketPolicy];
    for reading in readings {
        let action = reading.action().expect("it needs a permission");
        let seen = seen(answers, &[(action, "arn:aws:s3:::b".to_owned())], &[session], |_| true);
        let expected = match () {
            () if seen.all_are(Some(false)) => Denial::No,
            () if seen.all_are(Some(true)) && seen.may_bite => Denial::ForWantOfMfa,
            () if seen.all_are(Some(true)) => Denial::Always,
            () if !seen.some_is(None) && seen.only_for_mfa => Denial::PerhapsForWantOfMfa,
            () => Denial::Perhaps,
        };
        let denial = denial(policy, "b", "aws", action, session);
        prop_assert_eq!(denial, expected, "{:?}: {:?}\n{:#?}", reading, seen, answers.statements);
    }
    Ok(())
}

fn read(policy: &Value) -> Policy {
    policy::read(policy.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{policy:#}"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: env::var("BUCKETLENS_POLICY_CASES").map_or(1_000, |cases| cases.parse().expect("a number of cases")),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn verdicts_agree_with_the_evaluator(policy in strategy::policy()) {
        agrees(&policy)?;
    }
}

fn agrees(policy: &Value) -> Result<(), TestCaseError> {
    let (answers, policy) = (Answers::new(policy), read(policy));
    for access in policy::judge(&policy, "b", "aws").groups {
        holds(&answers, &access)?;
    }
    foretells(&answers, &policy)
}

/// A `NotPrincipal` may keep out the sessions of the role that it names.
#[test]
fn a_session_is_not_its_role() {
    let (role, all) = (json!({"AWS": PEOPLE[3]}), ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": role, "Action": "s3:*", "Resource": all,
         "Condition": {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}},
        {"Effect": "Deny", "NotPrincipal": role, "Action": "s3:*", "Resource": all,
         "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}},
    ]});
    agrees(&policy).expect("the same answers");
}

/// Otherwise the one above would say little.
#[test]
fn random_policies_get_every_verdict() {
    let mut runner = TestRunner::deterministic();
    let counts = [(); 4].map(|()| Cell::new(0));
    for _ in 0..500 {
        let policy = strategy::policy().new_tree(&mut runner).expect("a policy").current();
        for access in policy::judge(&read(&policy), "b", "aws").groups {
            let count = &counts[access.verdict as usize];
            count.set(count.get() + 1);
        }
    }
    assert!(counts.iter().all(|count| count.get() > 150), "{counts:?}");
}
