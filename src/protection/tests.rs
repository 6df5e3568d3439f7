//! What is known decides, and nothing else: whatever is unknown is tried out with everything that it could be.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::model::{
    BucketPolicy, DefaultLock, DefaultRetention, LeftOut, LifecycleConfiguration, Operation, Reading, Reason,
    Replication, ReplicationRule, RetentionMode, RetentionPeriod, Timestamp,
};
use crate::policy::Place;

/// Each fact by its place in the lists below; `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Case {
    state: Option<usize>,
    lifecycle: Option<usize>,
    lock: Option<usize>,
    replication: Option<usize>,
    policy: Option<usize>,
}

const ACCOUNT: &str = "111122223333";

const STATES: [(Versioning, MfaDelete); 5] = [
    (Versioning::Never, MfaDelete::Never),
    (Versioning::Enabled, MfaDelete::Never),
    (Versioning::Suspended, MfaDelete::Disabled),
    (Versioning::Enabled, MfaDelete::Enabled),
    (Versioning::Suspended, MfaDelete::Enabled),
];

fn lifecycles() -> [(Lifecycle, Noncurrent); 4] {
    let present = || {
        let reading = Reading::Unreadable { code: None, why: "it is not looked at here".to_owned() };
        Lifecycle::Present(LifecycleConfiguration { rules: Vec::new(), reading, minimum_size: None })
    };
    let expire = |days| Noncurrent::Expire { days, newer: 0, by: "rule old".to_owned() };
    [
        (Lifecycle::None, Noncurrent::Kept),
        (present(), Noncurrent::Kept),
        (present(), expire(30)),
        (present(), expire(29)),
    ]
}

fn locks() -> [ObjectLock; 4] {
    let with = |mode| {
        let period = RetentionPeriod::Days(30);
        let retention = Some(DefaultRetention { mode, period });
        ObjectLock::Enabled(DefaultLock { retention, event_hold: None })
    };
    [
        ObjectLock::None,
        ObjectLock::Enabled(DefaultLock::default()),
        with(RetentionMode::Governance),
        with(RetentionMode::Compliance),
    ]
}

fn replications() -> [Replication; 3] {
    let to = |account: &str| {
        let rule = ReplicationRule {
            id: None,
            enabled: true,
            prefix: String::new(),
            tags: Vec::new(),
            destination: "arn:aws:s3:::copy".to_owned(),
            account: Some(AccountId::parse(account).expect("12 digits")),
            left_out: LeftOut::default(),
            delete_markers: Some(false),
            kms_objects: None,
        };
        Replication::Present(vec![rule])
    };
    [Replication::None, to(ACCOUNT), to("444455556666")]
}

fn policies() -> Vec<BucketPolicy> {
    const GUARD: [&str; 6] = [
        "s3:DeleteObjectVersion",
        "s3:DeleteObject",
        "s3:PutBucketVersioning",
        "s3:PutLifecycleConfiguration",
        "s3:PutBucketPolicy",
        "s3:DeleteBucketPolicy",
    ];
    let deny = |actions: &[&str], condition: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Deny", "Principal": "*", "Action": actions, "Condition": condition,
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
        }});
        BucketPolicy::Present(policy.to_string().into())
    };
    let mfa = || json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
    vec![
        BucketPolicy::None,
        deny(&GUARD, json!({})),
        deny(&GUARD[..1], json!({})),
        deny(&GUARD[3..4], json!({})),
        deny(&GUARD, mfa()),
        deny(&GUARD[..1], mfa()),
        deny(&GUARD, json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}})),
        deny(&GUARD[..1], json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        deny(&["s3:BypassGovernanceRetention"], mfa()),
        deny(&["s3:BypassGovernanceRetention"], json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
    ]
}

fn place() -> Place {
    Place {
        bucket: "bucket".to_owned(),
        account: AccountId::parse(ACCOUNT).expect("12 digits"),
        partition: "aws".to_owned(),
        organization: None,
        today: time::macros::date!(2026 - 03 - 17),
    }
}

/// Everything that there can be of each fact.
struct World {
    lifecycles: [(Lifecycle, Noncurrent); 4],
    locks: [ObjectLock; 4],
    replications: [Replication; 3],
    said: Vec<Said>,
}

fn fact<T>(value: Option<T>, operation: Operation) -> Fact<T> {
    let at = Timestamp::from_unix(1_800_000_000).expect("in range");
    Fact { at, observed: value.map_or_else(|| Observed::Unknown(reason(operation)), Observed::Known) }
}

fn reason(operation: Operation) -> Arc<Reason> {
    Arc::new(Reason::interrupted(operation))
}

impl World {
    fn new() -> Self {
        let said = policies()
            .into_iter()
            .map(|policy| Said::of(&fact(Some(policy), Operation::GetBucketPolicy), Some(place())));
        Self { lifecycles: lifecycles(), locks: locks(), replications: replications(), said: said.collect() }
    }

    fn protection(&self, case: Case) -> Protection {
        let state =
            case.state.map(|place| VersioningState { versioning: STATES[place].0, mfa_delete: STATES[place].1 });
        let lifecycle = case.lifecycle.map(|place| self.lifecycles[place].0.clone());
        let unread = Noncurrent::Unknown(Doubt::Unread(reason(Operation::GetBucketLifecycleConfiguration)));
        let noncurrent = case.lifecycle.map_or(unread, |place| self.lifecycles[place].1.clone());
        let unknown = Said::Unknown(Doubt::Unread(reason(Operation::GetBucketPolicy)));
        let replication = case.replication.map(|place| self.replications[place].clone());
        let extras = Extras {
            object_lock: Some(fact(case.lock.map(|place| self.locks[place]), Operation::GetObjectLockConfiguration)),
            replication: Some(fact(replication, Operation::GetBucketReplication)),
            ..Extras::default()
        };
        Protection::of(&Facts {
            account: &AccountId::parse(ACCOUNT).expect("12 digits"),
            versioning: &fact(state, Operation::GetBucketVersioning),
            lifecycle: &fact(lifecycle, Operation::GetBucketLifecycleConfiguration),
            extras: &extras,
            policy: Some(case.policy.map_or(&unknown, |place| &self.said[place])),
            noncurrent,
        })
    }
}

/// Every case in which this one can turn out to be when everything is known.
fn completions(case: Case) -> Vec<Case> {
    let all = |fact: Option<usize>, count: usize| fact.map_or_else(|| (0..count).collect(), |place| vec![place]);
    let mut cases = Vec::new();
    for state in all(case.state, STATES.len()) {
        for lifecycle in all(case.lifecycle, 4) {
            for lock in all(case.lock, 4) {
                for replication in all(case.replication, 3) {
                    for policy in all(case.policy, policies().len()) {
                        cases.push(Case {
                            state: Some(state),
                            lifecycle: Some(lifecycle),
                            lock: Some(lock),
                            replication: Some(replication),
                            policy: Some(policy),
                        });
                    }
                }
            }
        }
    }
    cases
}

const NOTHING: Case = Case { state: None, lifecycle: None, lock: None, replication: None, policy: None };

/// Each of 5 facts is either known or not.
fn masks() -> impl Iterator<Item = [bool; 5]> {
    (0..1_u8 << 5).map(|bits| [0, 1, 2, 3, 4].map(|place| bits >> place & 1 == 1))
}

fn masked(case: Case, mask: [bool; 5]) -> Case {
    let keep = |fact: Option<usize>, place: usize| fact.filter(|_| mask[place]);
    Case {
        state: keep(case.state, 0),
        lifecycle: keep(case.lifecycle, 1),
        lock: keep(case.lock, 2),
        replication: keep(case.replication, 3),
        policy: keep(case.policy, 4),
    }
}

/// The cases of each mask, each once.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for mask in masks() {
        let mut seen = BTreeSet::new();
        for case in completions(NOTHING) {
            let case = masked(case, mask);
            if seen.insert((case.state, case.lifecycle, case.lock, case.replication, case.policy)) {
                cases.push(case);
            }
        }
    }
    cases
}

#[test]
fn an_answer_is_unknown_exactly_where_what_is_known_does_not_decide_it() {
    let world = World::new();
    let complete: Vec<(Case, Protection)> =
        completions(NOTHING).into_iter().map(|case| (case, world.protection(case))).collect();
    for case in cases() {
        let protection = world.protection(case);
        let fits = |other: &&(Case, Protection)| {
            let mask = [case.state, case.lifecycle, case.lock, case.replication, case.policy].map(|it| it.is_some());
            masked(other.0, mask) == case
        };
        let possible: Vec<&Protection> = complete.iter().filter(fits).map(|(_, protection)| protection).collect();
        for answer in &protection.answers {
            let outcomes: BTreeSet<Outcome> =
                possible.iter().map(|protection| protection.answer(answer.threat).outcome).collect();
            let at = format!("{case:?}, {}: {answer:?}, and it can be {outcomes:?}", answer.threat.as_str());
            match answer.outcome {
                Outcome::Unknown => assert!(!answer.doubts.is_empty(), "{at}"),
                decided => {
                    assert!(answer.doubts.is_empty(), "{at}");
                    assert_eq!(outcomes, BTreeSet::from([decided]), "{at}");
                }
            }
            // The other way round: where all agree it is known, but for facts that depend on each other.
            if outcomes.len() == 1 && case.state.is_some() && case.lifecycle.is_some() {
                assert_ne!(answer.outcome, Outcome::Unknown, "{at}");
            }
        }
    }
}

#[test]
fn a_control_is_accepted_or_missing_only_where_it_is_known() {
    let world = World::new();
    let complete: Vec<(Case, Protection)> =
        completions(NOTHING).into_iter().map(|case| (case, world.protection(case))).collect();
    let accepted = ["versions-kept:30", "object-lock-compliance:30", "replication-other-account", "mfa-by-policy"];
    let accepted: Vec<AcceptedControl> = accepted.map(|control| control.parse().expect("a control")).into();
    let says = |protection: &Protection, accepted: &[AcceptedControl]| match protection.compensation(accepted) {
        Compensation::Accepted(_) => "accepted",
        Compensation::Missing(_) => "missing",
        Compensation::Unknown(doubts) => {
            assert!(!doubts.is_empty());
            "unknown"
        }
    };
    for case in cases() {
        let protection = world.protection(case);
        let mask = [case.state, case.lifecycle, case.lock, case.replication, case.policy].map(|it| it.is_some());
        let possible = complete.iter().filter(|(other, _)| masked(*other, mask) == case);
        let possible: Vec<&Protection> = possible.map(|(_, protection)| protection).collect();
        for count in 0..=accepted.len() {
            let accepted = &accepted[..count];
            let words: BTreeSet<&str> = possible.iter().map(|protection| says(protection, accepted)).collect();
            match says(&protection, accepted) {
                "unknown" => assert!(words.len() > 1 || case.state.is_none(), "{case:?}, {accepted:?}: {words:?}"),
                decided => assert_eq!(words, BTreeSet::from([decided]), "{case:?}, {accepted:?}"),
            }
        }
    }
}

#[test]
fn buckets_fall_into_classes_by_what_is_known() {
    let world = World::new();
    let class = |state: Option<usize>, lifecycle, lock| {
        world.protection(Case { state, lifecycle, lock, replication: None, policy: None }).class
    };
    assert_eq!(class(Some(3), None, None), Class::MfaDelete);
    assert_eq!(class(Some(4), None, None), Class::MfaDelete);
    assert_eq!(class(Some(1), None, Some(1)), Class::ObjectLock);
    assert_eq!(class(Some(1), Some(0), Some(0)), Class::Versioned);
    assert_eq!(class(Some(1), Some(2), Some(0)), Class::VersionedWithLifecycle);
    assert_eq!(class(Some(2), None, None), Class::Suspended);
    assert_eq!(class(Some(0), None, None), Class::Unversioned);
    for (state, lifecycle, lock) in [(None, Some(0), Some(0)), (Some(1), None, Some(0)), (Some(1), Some(0), None)] {
        assert_eq!(class(state, lifecycle, lock), Class::Unknown);
    }
}

#[test]
fn buckets_are_counted_by_class() {
    let world = World::new();
    let mut tally = tally::Tally::default();
    assert!(tally.is_empty());
    let case = Case { state: Some(1), lifecycle: Some(2), lock: Some(0), replication: Some(2), policy: Some(0) };
    for case in [case, Case { replication: Some(0), ..case }, Case { lock: None, ..case }] {
        tally.add(&world.protection(case));
    }
    let seen: Vec<String> = tally
        .classes()
        .flat_map(|(class, counts)| {
            counts.lines().map(move |(threat, line)| {
                let outcomes = Outcome::ALL.map(|outcome| line.count(outcome));
                let by: Vec<String> = line.by().map(|(means, count)| format!("{} {count}", means.as_str())).collect();
                format!("{} {} {}: {outcomes:?} {}", class.as_str(), counts.buckets, threat.as_str(), by.join(", "))
            })
        })
        .collect();
    assert_eq!(
        seen,
        [
            "versioned_with_lifecycle 2 administrator: [0, 1, 1, 0] replication-other-account 1",
            "versioned_with_lifecycle 2 user_keys: [0, 1, 1, 0] replication-other-account 1",
            "versioned_with_lifecycle 2 lifecycle_rule: [0, 2, 0, 0] replication-other-account 1, versions-kept 2",
            "versioned_with_lifecycle 2 script: [0, 2, 0, 0] replication-other-account 1, versions-kept 2",
            "unknown 1 administrator: [0, 0, 0, 1] replication-other-account 1",
            "unknown 1 user_keys: [0, 0, 0, 1] replication-other-account 1",
            "unknown 1 lifecycle_rule: [0, 0, 0, 1] replication-other-account 1, versions-kept 1",
            "unknown 1 script: [0, 0, 0, 1] replication-other-account 1, versions-kept 1",
        ]
    );
}
