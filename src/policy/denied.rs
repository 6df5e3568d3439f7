//! What a policy denies whatever the caller's MFA is.

use super::conditions::others;
use super::denies::{Denies, Request, Requests, WITHOUT_MFA};
use super::document::{Element, Policy};
use super::groups::Group;
use super::holes::Hole;
use super::principals::is_everybody;
use super::truth::Truth;

/// To whom a policy denies a group of actions, with MFA and without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// To everybody, for everything.
    All,
    /// To some, or for some objects: by what others get through.
    Some(Vec<Hole>),
    Nothing,
    /// It depends on something that the model does not know.
    Unknown,
}

/// What the policy of this bucket denies with MFA and without. `partition` is the second part of the bucket's ARN.
pub fn denied(policy: &Policy, bucket: &str, partition: &str, group: Group) -> Denied {
    let denies = Denies::new(policy, bucket, partition, group.actions());
    let Some(requests) = denies.requests(group) else { return Denied::Unknown };
    // Requests differ by their credentials, too, which do not matter here: each comes once.
    let cases = requests.all().filter(|request| request.state == 0);
    let answers: Vec<(Request, Truth)> =
        cases.map(|request| (request, in_every_state(&denies, &requests, request))).collect();
    if answers.iter().all(|(_, denied)| *denied == Truth::True) {
        return Denied::All;
    }
    if answers.iter().any(|(_, denied)| *denied == Truth::True) {
        return Denied::Some(holes(&denies, &requests, &answers));
    }
    if answers.iter().all(|(_, denied)| *denied == Truth::False) { Denied::Nothing } else { Denied::Unknown }
}

/// Whether the request is denied with every kind of credentials and every age of MFA.
fn in_every_state(denies: &Denies, requests: &Requests, request: Request) -> Truth {
    let without = (0..WITHOUT_MFA.len()).map(|state| denies.denies(requests, Request { state, ..request }));
    let with = denies.with_every_age(requests, request);
    Truth::all(without.chain(with))
}

/// Why the statements that deny something let others through.
fn holes(denies: &Denies, requests: &Requests, answers: &[(Request, Truth)]) -> Vec<Hole> {
    let mut holes = Vec::new();
    for (place, statement) in denies.statements.iter().enumerate() {
        let is_true = |truths: &Vec<Truth>| truths[place] == Truth::True;
        let hits = |(request, denied): &&(Request, Truth)| {
            let target = &requests.targets[request.target];
            *denied == Truth::True
                && is_true(&target.action.truths)
                && is_true(&target.resource.truths)
                && is_true(&requests.people[request.who].truths)
                && is_true(&requests.contexts[request.context].truths)
        };
        if denies.effects[place] != Truth::True || !answers.iter().any(|answer| hits(&answer)) {
            continue;
        }
        if let Some(target) = requests.targets.iter().find(|target| !is_true(&target.action.truths)) {
            holes.push(Hole::ActionOpen { action: target.action.example.clone() });
        }
        let left_out = requests.targets.iter().find(|target| !is_true(&target.resource.truths));
        if let Some(target) = left_out {
            let example = target.resource.example.split_once('/').map_or("", |(_, object)| object);
            holes.push(Hole::PartOfObjects { example: example.to_owned() });
        }
        match &statement.principal {
            Element::Only(principals) if is_everybody(principals) => {}
            Element::Only(_) => holes.push(Hole::NarrowPrincipal),
            Element::AllBut(_) => holes.push(Hole::NotPrincipal),
        }
        if !requests.contexts.iter().all(|context| is_true(&context.truths)) {
            let keys = others(statement).map(|condition| Hole::NarrowingCondition { key: condition.key.clone() });
            holes.extend(keys);
        }
    }
    holes.sort_unstable();
    holes.dedup();
    holes
}
