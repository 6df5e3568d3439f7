//! The Denies of a policy, and the requests that they can tell apart.

use super::budget::Budget;
use super::classes::{Class, distinct};
use super::conditions::{State, ages, of_mfa};
use super::document::{Effect, Element, Policy, Principals, Statement, Version};
use super::glob::{Glob, classes};
use super::groups::Group;
use super::judge::Credentials;
use super::other_keys::{Context, OtherKeys};
use super::principals::{Who, of_everybody};
use super::resources::Resources;
use super::truth::Truth;

pub(super) const WITHOUT_MFA: [(State, Credentials); 2] =
    [(State::LongTerm, Credentials::LongTermKeys), (State::Temporary, Credentials::Temporary)];

/// The statements that deny or may deny some of these actions.
pub(super) struct Denies<'a> {
    pub policy: &'a Policy,
    pub budget: Budget,
    /// Their positions in the policy.
    pub positions: Vec<usize>,
    pub statements: Vec<&'a Statement>,
    /// Whether they certainly deny what they are for.
    pub effects: Vec<Truth>,
    pub resources: Resources,
    pub other_keys: OtherKeys,
    /// For each state without MFA whether the conditions on MFA are true.
    pub without_mfa: [Vec<Truth>; 2],
    /// The same for each age, ascending.
    pub with_mfa: Vec<(u64, Vec<Truth>)>,
}

/// The classes of requests for some actions.
pub(super) struct Requests {
    pub targets: Vec<Target>,
    pub people: Vec<Class<Who>>,
    pub contexts: Vec<Class<Context>>,
}

/// An action on a resource.
pub(super) struct Target {
    pub action: Class<String>,
    pub resource: Class<String>,
}

/// A request without MFA by the positions of its classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub target: usize,
    pub who: usize,
    pub context: usize,
    /// In [`WITHOUT_MFA`].
    pub state: usize,
}

impl Requests {
    pub fn all(&self) -> impl Iterator<Item = Request> {
        (0..self.targets.len()).flat_map(move |target| {
            (0..self.people.len()).flat_map(move |who| {
                (0..self.contexts.len()).flat_map(move |context| {
                    (0..WITHOUT_MFA.len()).map(move |state| Request { target, who, context, state })
                })
            })
        })
    }
}

impl<'a> Denies<'a> {
    /// No list of actions is for all.
    pub fn new(policy: &'a Policy, bucket: &str, partition: &str, actions: &[&str]) -> Self {
        let may_deny = |(_, statement): &(usize, &Statement)| {
            let is_here = actions.is_empty() || actions.iter().any(|action| is_for(statement, action));
            statement.effect != Effect::Allow && is_here
        };
        let (positions, statements): (Vec<usize>, Vec<&Statement>) =
            policy.statements.iter().enumerate().filter(may_deny).unzip();
        let is_known = !matches!(policy.version, Version::Other(_)) && policy.unknown.is_empty();
        let effect = |statement: &&Statement| {
            let certain = is_known && statement.effect == Effect::Deny && statement.unknown.is_empty();
            if certain { Truth::True } else { Truth::Unknown }
        };
        let in_state = |state| statements.iter().map(|statement| of_mfa(statement, state)).collect::<Vec<Truth>>();
        Self {
            policy,
            budget: Budget::new(),
            positions,
            effects: statements.iter().map(effect).collect(),
            resources: Resources::new(&statements, &policy.version, bucket, partition),
            other_keys: OtherKeys::new(&statements),
            without_mfa: WITHOUT_MFA.map(|(state, _)| in_state(state)),
            with_mfa: ages(&statements).into_iter().map(|age| (age, in_state(State::Mfa { age }))).collect(),
            statements,
        }
    }

    /// `None` where there are too many to look at.
    pub fn requests(&self, group: Group) -> Option<Requests> {
        let targets = self.targets(group)?;
        self.take_for_people()?;
        let people = of_everybody(&self.statements);
        let contexts = self.contexts()?;
        let size = targets.len() * people.len() * contexts.len() * (2 + self.with_mfa.len()) * self.statements.len();
        self.budget.take(size)?;
        Some(Requests { targets, people, contexts })
    }

    /// How many principals the statements list.
    pub fn listed(&self) -> usize {
        let listed = self.statements.iter().map(|statement| match statement.principal.listed() {
            Principals::Everybody => 1,
            Principals::Listed(listed) => listed.len(),
        });
        listed.sum()
    }

    /// Everyone who is listed is compared with everyone else, and so are their accounts and sessions.
    pub fn take_for_people(&self) -> Option<()> {
        self.budget.take(12 * self.listed() * self.listed())
    }

    pub fn contexts(&self) -> Option<Vec<Class<Context>>> {
        self.other_keys.contexts(&self.statements, &self.budget)
    }

    /// The actions of a group on what they are for.
    pub fn targets(&self, group: Group) -> Option<Vec<Target>> {
        let actions: Vec<Class<String>> = match group {
            Group::Everything => self.all_actions()?,
            _ => group.actions().iter().map(|action| self.action(action)).collect(),
        };
        let mut resources = Vec::new();
        if !group.is_of_objects() {
            resources.push(self.resources.of_bucket());
        }
        if group.is_of_objects() || group == Group::Everything {
            resources.extend(self.resources.of_objects(&self.budget)?);
        }
        let on_all = |action: Class<String>| {
            resources.iter().map(move |resource| Target { action: action.clone(), resource: resource.clone() })
        };
        Some(actions.into_iter().flat_map(on_all).collect())
    }

    pub fn action(&self, action: &str) -> Class<String> {
        let truths = self.statements.iter().map(|statement| is_for(statement, action).into()).collect();
        Class { example: action.to_owned(), truths }
    }

    fn all_actions(&self) -> Option<Vec<Class<String>>> {
        let mut globs: Vec<Glob> = Vec::new();
        for pattern in self.statements.iter().flat_map(|statement| statement.action.listed()) {
            let glob = Glob::new(&pattern.to_ascii_lowercase());
            if !globs.contains(&glob) {
                globs.push(glob);
            }
        }
        let found = classes("s3:", &globs, &self.budget)?;
        Some(distinct(found.into_iter().map(|(action, _)| self.action(&action))))
    }

    /// Whether the policy denies the request.
    pub fn denies(&self, requests: &Requests, request: Request) -> Truth {
        self.denies_in(&self.without_mfa[request.state], requests, request)
    }

    /// The ages of MFA that open what the same request without MFA is denied, with what remains of the denial.
    pub fn opening_ages(&self, requests: &Requests, request: Request) -> impl Iterator<Item = (u64, Truth)> {
        let denied = move |(age, mfa): &(u64, Vec<Truth>)| (*age, self.denies_in(mfa, requests, request));
        self.with_mfa.iter().map(denied).filter(|(_, denied)| *denied != Truth::True)
    }

    /// For each age of MFA whether what the request is denied without MFA is open with it. The other parts of a statement
    /// are the same for both: one that does not look at MFA never makes the difference.
    pub fn bites(&self, requests: &Requests, request: Request) -> impl Iterator<Item = (u64, Truth)> {
        let base = self.base(requests, request);
        let without = &self.without_mfa[request.state];
        let possible = |truth: Truth, is: bool| truth == Truth::Unknown || truth == Truth::from(is);
        self.with_mfa.iter().map(move |(age, with)| {
            let places = 0..self.statements.len();
            let (mut is_denied, mut may_be_denied) = (false, false);
            let (mut is_open, mut may_be_open) = (true, true);
            for place in places {
                let (base, without, with) = (base[place], without[place], with[place]);
                is_denied |= base.and(without) == Truth::True;
                may_be_denied |= possible(base, true) && possible(without, true) && possible(with, false);
                is_open &= base.and(with) == Truth::False;
                may_be_open &= base.and(with) != Truth::True;
            }
            let bites = match (is_denied && is_open, may_be_denied && may_be_open) {
                (true, _) => Truth::True,
                (false, true) => Truth::Unknown,
                (false, false) => Truth::False,
            };
            (*age, bites)
        })
    }

    /// For each statement whether it is for the request, but for what it asks of MFA.
    fn base(&self, requests: &Requests, request: Request) -> Vec<Truth> {
        let Target { action, resource } = &requests.targets[request.target];
        let who = &requests.people[request.who].truths;
        let context = &requests.contexts[request.context].truths;
        let parts = [&self.effects, &action.truths, &resource.truths, who, context];
        (0..self.statements.len()).map(|place| Truth::all(parts.iter().map(|part| part[place]))).collect()
    }

    fn denies_in(&self, mfa: &[Truth], requests: &Requests, request: Request) -> Truth {
        let Target { action, resource } = &requests.targets[request.target];
        let who = &requests.people[request.who].truths;
        let context = &requests.contexts[request.context].truths;
        let parts = [&self.effects, &action.truths, &resource.truths, who, context].map(Vec::as_slice);
        let statement = |place: usize| Truth::all(parts.iter().chain([&mfa]).map(|part| part[place]));
        Truth::any((0..self.statements.len()).map(statement))
    }

    /// It is older than all bounds on it.
    pub fn oldest_age(&self) -> u64 {
        self.with_mfa.last().expect("an age is always looked at").0
    }
}

/// Whether a statement is for an action; case does not count.
pub(super) fn is_for(statement: &Statement, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let is_listed =
        |listed: &Vec<String>| listed.iter().any(|pattern| Glob::new(&pattern.to_ascii_lowercase()).matches(&action));
    match &statement.action {
        Element::Only(listed) => is_listed(listed),
        Element::AllBut(listed) => !is_listed(listed),
    }
}
