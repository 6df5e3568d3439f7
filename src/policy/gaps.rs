//! Which statements demand MFA, and by what they let requests without MFA through.

use std::collections::BTreeMap;

use super::budget::Budget;
use super::conditions::{State, is_about_mfa, mfa_doubts, mfa_holes, of_mfa};
use super::denies::{Denies, Request, Requests, WITHOUT_MFA, is_for};
use super::document::{Effect, Element, Policy, Principals, Statement, Version};
use super::groups::Group;
use super::holes::Hole;
use super::judge::{Demand, Escape, Gap, Scope};
use super::other_keys::OtherKeys;
use super::principals::{is_everybody, is_for_roles, unclear};
use super::resources::Resources;
use super::truth::Truth;

/// The parts of a statement that can keep it from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Effect,
    Action,
    Resource,
    Principal,
    Mfa,
    Context,
}

impl Part {
    const ALL: [Self; 6] = [Self::Effect, Self::Action, Self::Resource, Self::Principal, Self::Mfa, Self::Context];
}

/// What makes requests that get through, or may, different from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// The parts that are false, or unknown.
    parts: [bool; Part::ALL.len()],
    state: usize,
    of_object: bool,
    /// Where it is the context that makes a part so.
    context: Option<usize>,
}

impl Kind {
    fn size(self) -> usize {
        self.parts.into_iter().filter(|is| *is).count()
    }
}

/// Whether these parts are some of the others, and not all.
fn is_less(parts: &[bool], others: &[bool]) -> bool {
    parts != others && parts.iter().zip(others).all(|(part, other)| !*part || *other)
}

/// For every statement and every kind one request.
pub(super) struct Obstacles<'a> {
    denies: &'a Denies<'a>,
    requests: &'a Requests,
    truth: Truth,
    /// Whether the statement is one that could be meant to demand MFA here.
    is_meant: Vec<bool>,
    found: Vec<BTreeMap<Kind, Request>>,
}

impl<'a> Obstacles<'a> {
    pub fn new(denies: &'a Denies<'a>, requests: &'a Requests, truth: Truth) -> Self {
        // Whatever is unknown makes the verdict so.
        let is_meant = |statement: &&Statement| truth == Truth::Unknown || is_about_mfa(statement);
        Self {
            denies,
            requests,
            truth,
            is_meant: denies.statements.iter().map(is_meant).collect(),
            found: vec![BTreeMap::new(); denies.statements.len()],
        }
    }

    pub fn note(&mut self, request: Request) {
        let truths: Vec<Option<[Truth; Part::ALL.len()]>> = (0..self.found.len())
            .map(|place| self.is_meant[place].then(|| Part::ALL.map(|part| self.part(place, part, request))))
            // A statement that is false leaves nothing unknown.
            .map(|truths| truths.filter(|truths| Truth::all(*truths) == self.truth))
            .collect();
        let parts = |truths: &[Truth; Part::ALL.len()]| truths.map(|truth| truth == self.truth);
        let all: Vec<[bool; Part::ALL.len()]> = truths.iter().flatten().map(parts).collect();
        for (place, truths) in truths.iter().enumerate() {
            let Some(own) = truths.as_ref().map(parts) else { continue };
            // What another statement is nearer to denying is not open for this one's further parts.
            if self.truth == Truth::False && all.iter().any(|other| is_less(other, &own)) {
                continue;
            }
            let target = &self.requests.targets[request.target];
            let kind = Kind {
                parts: own,
                state: request.state,
                of_object: is_object(&target.resource.example),
                context: (self.part(place, Part::Context, request) == self.truth).then_some(request.context),
            };
            self.found[place].entry(kind).or_insert(request);
        }
    }

    fn part(&self, place: usize, part: Part, request: Request) -> Truth {
        let target = &self.requests.targets[request.target];
        match part {
            Part::Effect => self.denies.effects[place],
            Part::Action => target.action.truths[place],
            Part::Resource => target.resource.truths[place],
            Part::Principal => self.requests.people[request.who].truths[place],
            Part::Mfa => self.denies.without_mfa[request.state][place],
            Part::Context => self.requests.contexts[request.context].truths[place],
        }
    }

    /// Each hole of a statement once.
    pub fn gaps(&self, group: Group) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = Vec::new();
        for (place, found) in self.found.iter().enumerate() {
            // What alone lets a request through says most.
            let fewest = found.keys().map(|kind| kind.size()).min();
            for (kind, request) in found.iter().filter(|(kind, _)| Some(kind.size()) == fewest) {
                let parts = Part::ALL.into_iter().zip(kind.parts).filter(|(_, is)| *is);
                for hole in parts.flat_map(|(part, _)| self.holes(place, part, group, *request)) {
                    let statement = Some(self.denies.positions[place]);
                    if !gaps.iter().any(|gap| gap.statement == statement && gap.hole == hole) {
                        let escape = if self.truth == Truth::False { self.escape(*request) } else { None };
                        gaps.push(Gap { hole, statement, escape });
                    }
                }
            }
        }
        gaps
    }

    fn holes(&self, place: usize, part: Part, group: Group, request: Request) -> Vec<Hole> {
        let (statement, state) = (self.denies.statements[place], WITHOUT_MFA[request.state].0);
        let context = &self.requests.contexts[request.context].example;
        let is_unknown = self.truth == Truth::Unknown;
        match part {
            Part::Effect => unknown_effects(self.denies.policy, statement),
            Part::Action => vec![self.action_open(group, request)],
            Part::Resource if is_unknown => self.denies.resources.doubts(place).collect(),
            Part::Resource => vec![self.resource_open(place, request)],
            Part::Principal => match &statement.principal {
                Element::Only(_) if !is_unknown && is_for_roles(statement) => vec![Hole::RolesCarryNoMfa],
                Element::Only(_) if !is_unknown => vec![Hole::NarrowPrincipal],
                Element::AllBut(_) if !is_unknown => vec![Hole::NotPrincipal],
                principals => self.unknown_principals(principals, request),
            },
            Part::Mfa if is_unknown => mfa_doubts(statement, state),
            Part::Mfa => mfa_holes(statement, state),
            Part::Context if is_unknown => self.denies.other_keys.doubts(statement, context),
            Part::Context => self.denies.other_keys.holes(statement, context),
        }
    }

    fn action_open(&self, group: Group, request: Request) -> Hole {
        let action = match group {
            // The one that was looked at may be made up.
            Group::Everything => "some action of S3".to_owned(),
            _ => self.requests.targets[request.target].action.example.clone(),
        };
        Hole::ActionOpen { action }
    }

    fn resource_open(&self, place: usize, request: Request) -> Hole {
        let left_out = &self.requests.targets[request.target].resource.example;
        let covers_some = self
            .requests
            .targets
            .iter()
            .any(|target| is_object(&target.resource.example) && target.resource.truths[place] != Truth::False);
        if !is_object(left_out) {
            Hole::OtherResource { resource: left_out.clone() }
        } else if covers_some {
            let example = left_out.split_once('/').map_or("", |(_, object)| object);
            Hole::PartOfObjects { example: example.to_owned() }
        } else {
            let bucket = left_out.split_once('/').map_or("", |(bucket, _)| bucket);
            Hole::OtherResource { resource: format!("{bucket}/*") }
        }
    }

    fn unknown_principals(&self, principals: &Element<Principals>, request: Request) -> Vec<Hole> {
        let named = |principal: &String| Hole::UnknownPrincipal { principal: principal.clone() };
        let unclear: Vec<Hole> = unclear(principals.listed()).map(|principal| named(&principal.value)).collect();
        match principals {
            _ if !unclear.is_empty() => unclear,
            Element::AllBut(_) => vec![Hole::NotPrincipal],
            Element::Only(_) => vec![named(&self.requests.people[request.who].example.to_string())],
        }
    }

    /// `None` where there may be no such request.
    fn escape(&self, request: Request) -> Option<Escape> {
        let target = &self.requests.targets[request.target];
        let context = &self.requests.contexts[request.context].example;
        OtherKeys::is_possible(context).then(|| Escape {
            action: target.action.example.clone(),
            resource: target.resource.example.clone(),
            who: self.requests.people[request.who].example.clone(),
            credentials: WITHOUT_MFA[request.state].1,
            context: self.denies.other_keys.words(context),
        })
    }
}

/// Why it is unknown whether a statement denies what it is for.
pub(super) fn unknown_effects(policy: &Policy, statement: &Statement) -> Vec<Hole> {
    let version = match &policy.version {
        Version::V2008 | Version::V2012 => None,
        Version::Other(version) => Some(Hole::UnknownVersion { version: version.clone() }),
    };
    let effect = match &statement.effect {
        Effect::Allow | Effect::Deny => None,
        Effect::Other(effect) => Some(Hole::UnknownEffect { effect: effect.clone() }),
    };
    let names = policy.unknown.iter().chain(&statement.unknown);
    let elements = names.map(|name| Hole::UnknownElement { name: name.clone() });
    version.into_iter().chain(effect).chain(elements).collect()
}

/// No bucket's name has a slash.
fn is_object(arn: &str) -> bool {
    arn.contains('/')
}

/// The statements that certainly demand MFA of some requests.
pub(super) fn demands(denies: &Denies, requests: &Requests) -> Vec<Demand> {
    let [_, temporary] = &denies.without_mfa;
    let demand = |place: usize| {
        let statement = denies.statements[place];
        if is_for_roles(statement) {
            return None;
        }
        let is_true = |truths: &Vec<Truth>| truths[place] == Truth::True;
        let is_hit = denies.effects[place] == Truth::True
            && is_true(temporary)
            && requests.targets.iter().any(|target| is_true(&target.action.truths) && is_true(&target.resource.truths))
            && requests.people.iter().any(|who| is_true(&who.truths))
            && requests.contexts.iter().any(|context| is_true(&context.truths));
        let is_open = denies.with_mfa.iter().any(|(_, truths)| truths[place] == Truth::False);
        let oldest = denies.with_mfa.iter().rev().find(|(_, truths)| !is_true(truths)).map(|(age, _)| *age);
        let acted_on = requests.targets.iter().filter(|target| is_true(&target.action.truths));
        let all_resources = acted_on.map(|target| &target.resource.truths).all(is_true);
        (is_hit && is_open).then(|| Demand {
            statement: denies.positions[place],
            resources: scope(&statement.resource, all_resources, Clone::clone),
            principals: scope(&statement.principal, requests.people.iter().all(|who| is_true(&who.truths)), names),
            max_age: oldest.filter(|age| *age != denies.oldest_age()),
        })
    };
    (0..denies.statements.len()).filter_map(demand).collect()
}

fn scope<T>(element: &Element<T>, is_all: bool, names: impl Fn(&T) -> Vec<String>) -> Scope {
    match element {
        _ if is_all => Scope::All,
        Element::Only(listed) => Scope::Part(names(listed)),
        Element::AllBut(listed) => Scope::AllBut(names(listed)),
    }
}

fn names(principals: &Principals) -> Vec<String> {
    match principals {
        everybody if is_everybody(everybody) => vec!["*".to_owned()],
        Principals::Everybody => vec!["*".to_owned()],
        Principals::Listed(listed) => listed.iter().map(|principal| principal.value.clone()).collect(),
    }
}

/// Allows with a condition on MFA, which somebody may have taken for a demand.
pub(super) fn mistaken_allows(policy: &Policy, bucket: &str, partition: &str, group: Group) -> Vec<Gap> {
    let budget = Budget::new();
    let gap = |(position, statement): (usize, &Statement)| {
        let is_for_group = group == Group::Everything || group.actions().iter().any(|action| is_for(statement, action));
        if statement.effect != Effect::Allow || !is_about_mfa(statement) || !is_for_group {
            return None;
        }
        let resources = Resources::new(&[statement], &policy.version, bucket, partition);
        let of_objects = resources.of_objects(&budget).unwrap_or_default();
        let resources = match group {
            Group::Everything => [vec![resources.of_bucket()], of_objects].concat(),
            _ if group.is_of_objects() => of_objects,
            _ => vec![resources.of_bucket()],
        };
        let is_here = resources.iter().any(|resource| resource.truths[0] != Truth::False);
        is_here.then(|| {
            let passes = |state| of_mfa(statement, state) == Truth::True;
            let hole = if passes(State::LongTerm) {
                Hole::AllowPassesLongTermKeys
            } else if passes(State::Temporary) {
                Hole::AllowPassesTemporaryCredentials
            } else {
                Hole::AllowIsNoDemand
            };
            Gap { hole, statement: Some(position), escape: None }
        })
    };
    policy.statements.iter().enumerate().filter_map(gap).collect()
}
