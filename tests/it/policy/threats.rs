//! What policies do against threats, compared with an evaluator of single requests: no threat is called stopped that has an
//! open request, none limited of which no part is denied, and a further Deny never lowers what was said.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::env;

use bucketlens::model::{AccountId, BucketPolicy, Fact, Observed, Timestamp};
use bucketlens::policy::{Act, Caller, Group, Place, Reach, Said, Statements};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::evaluator::{self, Answer, Keys, and, or};
use super::strategy;

const ACCOUNT: &str = "111122223333";
const AGES: [u64; 6] = [0, 59, 61, 3_599, 3_601, 10_000_000];
const OBJECTS: [&str; 6] = ["x", "a", "logs/x", "logs/ax", "users/x/a", "users/Eve/x"];

/// The organization that policies list, and another.
const ORGANIZATIONS: [&str; 2] = ["o-1", "o-2"];

/// A value of a key, and whether every caller can make a request with it.
type Values = &'static [(Option<&'static str>, bool)];

/// What the caller chooses, and where a request comes from.
const SURROUNDINGS: [(&str, Values); 8] = [
    ("aws:securetransport", &[(Some("true"), true), (Some("false"), true)]),
    ("s3:tlsversion", &[(Some("1.2"), true), (Some("1.3"), true), (None, true)]),
    ("aws:currenttime", &[(Some("2026-03-17T00:00:00Z"), true), (Some("2026-03-17T23:59:59Z"), true)]),
    ("aws:useragent", &[(None, true), (Some("x"), true), (Some("y"), true), (Some("backup/1"), true)]),
    ("aws:sourceip", &[(Some("8.8.8.8"), true), (Some("192.0.2.7"), false), (None, true)]),
    ("aws:sourcevpce", &[(None, true), (Some("vpce-x"), true), (Some("vpce-1"), false), (Some("vpce-2"), false)]),
    ("aws:viaawsservice", &[(Some("false"), true), (Some("true"), false)]),
    ("aws:calledvia", &[(None, true), (Some("x"), true), (Some("athena.amazonaws.com"), false)]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Role,
}

/// For every statement an answer.
type Row = Vec<Answer>;

struct World<'a> {
    statements: &'a [Value],
    surroundings: BTreeSet<(Row, bool)>,
    /// By kind and organization.
    people: Vec<(Kind, &'static str, BTreeSet<Row>)>,
    /// What was found of a key and a value.
    found: RefCell<BTreeMap<(&'static str, Option<String>), Row>>,
}

fn both(a: &Row, b: &Row) -> Row {
    a.iter().zip(b).map(|(a, b)| and([*a, *b])).collect()
}

impl<'a> World<'a> {
    fn new(statements: &'a [Value]) -> Self {
        let mut world =
            Self { statements, surroundings: BTreeSet::new(), people: Vec::new(), found: RefCell::default() };
        let mut all = BTreeSet::from([(vec![Some(true); statements.len()], true)]);
        for (key, values) in SURROUNDINGS {
            let rows: Vec<(Row, bool)> =
                values.iter().map(|(value, available)| (world.of_key(key, *value), *available)).collect();
            let product = all.iter().flat_map(|(row, available)| {
                rows.iter().map(move |(other, also)| (both(row, other), *available && *also))
            });
            all = product.collect();
        }
        world.surroundings = all;
        for kind in [Kind::User, Kind::Role] {
            for organization in ORGANIZATIONS {
                let people = world.find_people(kind, organization);
                world.people.push((kind, organization, people));
            }
        }
        world
    }

    fn each(&self, answer: impl Fn(&Value) -> Answer) -> Row {
        self.statements.iter().map(answer).collect()
    }

    fn of_key(&self, key: &'static str, value: Option<&str>) -> Row {
        let found = (key, value.map(str::to_owned));
        if let Some(row) = self.found.borrow().get(&found) {
            return row.clone();
        }
        let row = self.find_of_key(key, value);
        self.found.borrow_mut().insert(found, row.clone());
        row
    }

    fn find_of_key(&self, key: &'static str, value: Option<&str>) -> Row {
        let keys: Keys = value.into_iter().map(|value| (key, value.to_owned())).collect();
        self.each(|statement| evaluator::conditions(statement, &keys, |own| own == key))
    }

    /// Everybody of a kind, in one organization.
    fn people(&self, kind: Kind, organization: &'static str) -> BTreeSet<Row> {
        let own = self.people.iter().find(|(of, place, _)| *of == kind && *place == organization);
        own.expect("both kinds in both organizations").2.clone()
    }

    fn find_people(&self, kind: Kind, organization: &'static str) -> BTreeSet<Row> {
        let (names, ids, word): ([&str; 4], [&str; 2], _) = match kind {
            Kind::User => (["Eve", "eve", "Unnamed", "staff/Bob"], ["AIDAEVE", "AIDAX"], "user"),
            Kind::Role => (["Admin", "A", "path/x", "path/app"], ["AROAADMIN:s", "AROAX:s"], "role"),
        };
        let mut people = BTreeSet::new();
        for name in names {
            let arn = format!("arn:aws:iam::{ACCOUNT}:{word}/{name}");
            let last = name.rsplit('/').next().expect("a name");
            let sessions = match kind {
                Kind::User => vec![arn.clone()],
                Kind::Role => {
                    ["s", "any"].map(|session| format!("arn:aws:sts::{ACCOUNT}:assumed-role/{last}/{session}")).into()
                }
            };
            for who in sessions {
                for id in ids {
                    for tag in [None, Some("dev"), Some("backup")] {
                        let user = kind == Kind::User;
                        let fixed = [
                            ("aws:principalarn", Some(arn.as_str())),
                            ("aws:username", user.then_some(last)),
                            ("aws:userid", Some(id)),
                            ("aws:principaltag/team", tag),
                            ("aws:principalaccount", Some(ACCOUNT)),
                            ("aws:principaltype", Some(if user { "User" } else { "AssumedRole" })),
                            ("aws:principalisawsservice", Some("false")),
                            ("aws:principalorgid", Some(organization)),
                            ("aws:sourceaccount", None),
                        ];
                        let principal = self.each(|statement| evaluator::principal(statement, &who));
                        people.insert(
                            fixed.into_iter().fold(principal, |row, (key, value)| both(&row, &self.of_key(key, value))),
                        );
                    }
                }
            }
        }
        people
    }

    fn states(&self, states: impl IntoIterator<Item = Keys>) -> Vec<Row> {
        let is_mfa = |key: &str| key.starts_with("aws:multifactorauth") || key == "aws:tokenissuetime";
        let of = |keys: Keys| self.each(|statement| evaluator::conditions(statement, &keys, is_mfa));
        states.into_iter().map(of).collect()
    }

    fn targets(&self, group: Group) -> BTreeSet<Row> {
        let resources: Vec<String> = match group {
            Group::DeleteVersions => OBJECTS.map(|object| format!("arn:aws:s3:::b/{object}")).into(),
            Group::DeleteObjects
            | Group::ChangeVersioning
            | Group::ChangeLifecycle
            | Group::ChangePolicy
            | Group::Everything => vec!["arn:aws:s3:::b".to_owned()],
        };
        let row = |action: &str, resource: &str| {
            self.each(|statement| {
                and([
                    evaluator::effect(statement),
                    Some(evaluator::action(statement, action)),
                    evaluator::resource(statement, resource),
                ])
            })
        };
        let actions = group.actions().iter();
        actions
            .flat_map(|action| resources.iter().map(|resource| row(action, resource)).collect::<Vec<Row>>())
            .collect()
    }

    /// Whether all requests are denied, and whether those are that every caller can make.
    fn denied(&self, base: &Row, states: &[Row]) -> (Answer, Answer) {
        let mut all = (Some(true), Some(true));
        for state in states {
            for (around, available) in &self.surroundings {
                let denied = or((0..base.len()).map(|place| and([base[place], state[place], around[place]])));
                all.0 = and([all.0, denied]);
                if *available {
                    all.1 = and([all.1, denied]);
                }
            }
        }
        all
    }
}

fn long_term() -> Vec<Keys> {
    vec![Keys::new()]
}

fn temporary() -> Vec<Keys> {
    vec![[issued(), ("aws:multifactorauthpresent", "false".to_owned())].into()]
}

fn issued() -> (&'static str, String) {
    ("aws:tokenissuetime", "2026-03-17T23:59:59Z".to_owned())
}

fn every_state() -> Vec<Keys> {
    let with_age = |age: u64| -> Keys {
        let present = ("aws:multifactorauthpresent", "true".to_owned());
        [issued(), present, ("aws:multifactorauthage", age.to_string())].into()
    };
    long_term().into_iter().chain(temporary()).chain(AGES.map(with_age)).collect()
}

/// What the evaluator says of all requests of a caller, in one organization.
struct Seen {
    /// Every request is denied.
    stopped: Answer,
    /// Somebody is denied something.
    limited: Answer,
}

fn seen(world: &World, caller: Caller, group: Group, organization: &'static str) -> Seen {
    let users = || world.people(Kind::User, organization);
    let roles = || world.people(Kind::Role, organization);
    let each = |states: Vec<Keys>| states.into_iter().map(|state| vec![state]).collect::<Vec<Vec<Keys>>>();
    let crowds: Vec<(BTreeSet<Row>, Vec<Vec<Keys>>)> = match caller {
        Caller::UserKeys => vec![(users(), vec![long_term()])],
        Caller::Role => vec![(roles(), vec![temporary()])],
        Caller::Anyone => vec![(users(), each(every_state())), (roles(), vec![temporary()])],
        Caller::Administrator => vec![(users(), vec![every_state()]), (roles(), vec![temporary()])],
        Caller::UserSession | Caller::Everybody => panic!("{caller:?} is no threat"),
    };
    let mut seen = Seen { stopped: Some(true), limited: Some(false) };
    for target in world.targets(group) {
        for (people, states) in &crowds {
            for states in states {
                let states = world.states(states.iter().cloned());
                for who in people {
                    let (all, available) = world.denied(&both(&target, who), &states);
                    seen.stopped = and([seen.stopped, all]);
                    seen.limited = or([seen.limited, available]);
                }
            }
        }
    }
    seen
}

fn said(statements: &[Value]) -> Said {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let at = Timestamp::from_unix(1_773_700_000).expect("in range");
    let place = Place {
        bucket: "b".to_owned(),
        account: AccountId::parse(ACCOUNT).expect("12 digits"),
        partition: "aws".to_owned(),
        organization: None,
        today: time::macros::date!(2026 - 03 - 17),
    };
    Said::of(&Fact { at, observed: Observed::Known(BucketPolicy::Present(policy.into())) }, Some(place))
}

const ASKED: [(Caller, Group); 6] = [
    (Caller::UserKeys, Group::DeleteVersions),
    (Caller::Role, Group::DeleteVersions),
    (Caller::Anyone, Group::ChangeLifecycle),
    (Caller::Administrator, Group::DeleteVersions),
    (Caller::Administrator, Group::ChangeLifecycle),
    (Caller::Administrator, Group::ChangePolicy),
];

fn reach(said: &Said, caller: Caller, group: Group) -> Reach {
    said.reach(caller, Act::Group(group), Statements::All).expect("it was read")
}

fn agrees(statements: &[Value]) -> Result<(), TestCaseError> {
    let (world, said) = (World::new(statements), said(statements));
    for (caller, group) in ASKED {
        let reach = reach(&said, caller, group);
        let worlds = ORGANIZATIONS.map(|organization| seen(&world, caller, group, organization));
        let stopped = worlds.each_ref().map(|seen| seen.stopped);
        let limited = worlds.each_ref().map(|seen| seen.limited);
        let at = format!("{caller:?}, {group}: {reach:?}, stopped {stopped:?}, limited {limited:?}\n{statements:#?}");
        match &reach {
            Reach::All => prop_assert_eq!(stopped, [Some(true); 2], "{}", at),
            Reach::Part(_) | Reach::PartAtLeast(_) => prop_assert_eq!(limited, [Some(true); 2], "{}", at),
            Reach::Nothing => prop_assert!(!stopped.contains(&Some(true)) || stopped[0] != stopped[1], "{at}"),
            Reach::Unknown(holes) => prop_assert!(!holes.is_empty(), "{at}"),
        }
        if stopped == [Some(true); 2] {
            // A role that is left out can be what a user becomes.
            let is_part = caller == Caller::UserKeys && matches!(reach, Reach::Part(_));
            prop_assert!(reach == Reach::All || is_part, "{at}");
        }
        if limited == [Some(false); 2] {
            prop_assert_eq!(&reach, &Reach::Nothing, "{}", at);
        }
        if caller != Caller::Administrator && limited == [Some(true); 2] {
            prop_assert!(!matches!(reach, Reach::Nothing | Reach::Unknown(_)), "{at}");
        }
    }
    Ok(())
}

/// The least that it can mean.
fn at_least(reach: &Reach) -> u8 {
    match reach {
        Reach::Nothing | Reach::Unknown(_) => 0,
        Reach::Part(_) | Reach::PartAtLeast(_) => 1,
        Reach::All => 2,
    }
}

fn configured(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: env::var("BUCKETLENS_POLICY_CASES").map_or(cases, |cases| cases.parse().expect("a number of cases")),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(configured(2_000))]

    #[test]
    fn threats_agree_with_the_evaluator(statements in strategy::real_statements()) {
        agrees(&statements)?;
    }
}

proptest! {
    #![proptest_config(configured(500))]

    #[test]
    fn a_further_deny_never_lowers_what_a_policy_does(
        statements in strategy::real_statements(), further in strategy::real_statement(),
    ) {
        let before = said(&statements);
        let mut statements = statements;
        statements.push(further);
        let after = said(&statements);
        for (caller, group) in ASKED {
            let (before, after) = (reach(&before, caller, group), reach(&after, caller, group));
            prop_assert!(
                at_least(&after) >= at_least(&before),
                "{caller:?}, {group}: {before:?}, then {after:?}\n{statements:#?}"
            );
        }
    }
}

/// Otherwise the ones above would say little.
#[test]
fn random_policies_do_everything_that_policies_can_do() {
    let mut runner = TestRunner::deterministic();
    let counts = [(); 5].map(|()| Cell::new(0));
    for _ in 0..400 {
        let statements = strategy::real_statements().new_tree(&mut runner).expect("a policy").current();
        let said = said(&statements);
        for (caller, group) in ASKED {
            let place = match reach(&said, caller, group) {
                Reach::All => 0,
                Reach::Part(_) => 1,
                Reach::PartAtLeast(_) => 2,
                Reach::Nothing => 3,
                Reach::Unknown(_) => 4,
            };
            counts[place].set(counts[place].get() + 1);
        }
    }
    assert!(counts.iter().all(|count| count.get() > 3), "{counts:?}");
}
