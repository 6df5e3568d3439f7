//! How far the Denies of a policy go against one who makes requests: every way that a request can take is looked at.
//!
//! A way is a target, somebody who makes the request, with the credentials that they can take, and the rest of what a
//! request says. What the caller chooses (TLS, the time of the day, headers) stops nobody: the way that is open is taken.
//! Where requests come from (addresses, VPC endpoints) can keep out those who are not there, which is a part. Whose keys
//! they are (names, tags) makes parts, too. The account's own organization is taken to be one that the policy lets in.

use super::Place;
use super::callers::{Caller, Keys, Subject, both};
use super::denies::{Denies, Target};
use super::document::Policy;
use super::groups::Group;
use super::holes::Hole;
use super::knowledge::Kind;
use super::surroundings::Surroundings;
use super::truth::Truth;

#[cfg(test)]
pub(super) mod tests;

/// What the Denies do to the requests of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// They are all denied.
    All,
    /// A part is; what passes.
    Part(Vec<Hole>),
    /// A part is at least; whether all are depends on something that the model does not know.
    PartAtLeast(Vec<Hole>),
    Nothing,
    /// It depends on something that the model does not know: on what.
    Unknown(Vec<Hole>),
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Group(Group),
    BypassGovernance,
}

impl Act {
    fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Group(group) => group.actions(),
            Self::BypassGovernance => &["s3:BypassGovernanceRetention"],
        }
    }
}

/// How far a policy goes against a caller who does something with the bucket in this place.
pub(super) fn reach(policy: &Policy, place: &Place, caller: Caller, act: Act) -> Reach {
    let denies = Denies::new(policy, &place.bucket, &place.partition, act.actions());
    if denies.statements.is_empty() {
        return Reach::Nothing;
    }
    let keys = Keys::new(&denies, place);
    judged(&denies, &keys, caller, act).unwrap_or_else(|| Reach::Unknown(vec![Hole::TooManyCases]))
}

/// `None` where there are too many ways to look at.
fn judged(denies: &Denies, keys: &Keys, caller: Caller, act: Act) -> Option<Reach> {
    let targets = match act {
        Act::Group(group) => denies.targets(group)?,
        Act::BypassGovernance => {
            let objects = denies.resources.of_objects(&denies.budget)?.into_iter();
            let action = denies.action(act.actions()[0]);
            objects.map(|resource| Target { action: action.clone(), resource }).collect()
        }
    };
    let ways = Ways::new(denies, keys, &targets, caller)?;
    let whole = Truth::all(ways.all.iter().map(|way| way.all));
    if caller == Caller::Administrator {
        // Whoever may become anybody takes the way that is open.
        return Some(match whole {
            Truth::True => Reach::All,
            Truth::False => Reach::Nothing,
            Truth::Unknown => Reach::Unknown(ways.doubts()),
        });
    }
    if whole == Truth::True && caller == Caller::UserKeys {
        let roles = Ways::new(denies, keys, &targets, Caller::Role)?;
        let is_denied = ways.all_denied_without(&roles.leaving_one_out())?;
        return Some(if is_denied { Reach::All } else { Reach::Part(roles.holes()?) });
    }
    let part = if whole == Truth::True { Truth::True } else { ways.part()? };
    Some(match (whole, part) {
        (Truth::True, _) => Reach::All,
        (Truth::Unknown, Truth::True) => Reach::PartAtLeast(ways.holes()?),
        (Truth::False, Truth::True) => Reach::Part(ways.holes()?),
        (Truth::Unknown, Truth::False) | (_, Truth::Unknown) => Reach::Unknown(ways.doubts()),
        (Truth::False, Truth::False) => Reach::Nothing,
    })
}

/// All ways that the requests of a caller can take.
pub(super) struct Ways<'a> {
    pub denies: &'a Denies<'a>,
    pub keys: &'a Keys<'a>,
    pub targets: &'a [Target],
    pub subjects: Vec<Subject>,
    /// By [`Kind`].
    surroundings: [Vec<Surroundings>; 3],
    pub all: Vec<Way>,
}

/// What becomes of one subject's requests to one target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub target: usize,
    pub subject: usize,
    /// Whether every request is denied.
    pub all: Truth,
    /// Whether every request is that every caller can make.
    pub available: Truth,
}

impl<'a> Ways<'a> {
    fn new(denies: &'a Denies<'a>, keys: &'a Keys<'a>, targets: &'a [Target], caller: Caller) -> Option<Self> {
        let subjects = keys.subjects(caller)?;
        let of = |kind| {
            let is_there = subjects.iter().any(|subject| subject.kind == kind);
            if is_there { keys.surroundings(kind) } else { Some(Vec::new()) }
        };
        let surroundings = [of(Kind::User)?, of(Kind::Role)?, of(Kind::Outsider)?];
        let mut found = Self { denies, keys, targets, subjects, surroundings, all: Vec::new() };
        for target in 0..targets.len() {
            for subject in 0..found.subjects.len() {
                let way = found.way(target, subject, &[])?;
                found.all.push(way);
            }
        }
        Some(found)
    }

    pub fn surroundings(&self, kind: Kind) -> &[Surroundings] {
        &self.surroundings[kind as usize]
    }

    /// `without`: the statements that are passed over.
    fn way(&self, target: usize, subject: usize, without: &[usize]) -> Option<Way> {
        let base = {
            let (target, subject) = (&self.targets[target], &self.subjects[subject]);
            let parts = [&target.action.truths, &target.resource.truths, &subject.principal, &subject.own];
            parts.into_iter().fold(self.denies.effects.clone(), |base, part| both(&base, part))
        };
        let by = &self.subjects[subject];
        let is_meant = |place: &usize| base[*place] != Truth::False && !without.contains(place);
        let places: Vec<usize> = (0..base.len()).filter(is_meant).collect();
        let surroundings = self.surroundings(by.kind);
        self.denies.budget.take(8 * base.len() + by.credentials.len() * surroundings.len() * (2 + places.len()))?;
        let mut way = Way { target, subject, all: Truth::True, available: Truth::True };
        for (_, credentials) in &by.credentials {
            for around in surroundings {
                let of = |place: &usize| base[*place].and(credentials[*place]).and(around.truths[*place]);
                let denied = Truth::any(places.iter().map(of));
                way.all = way.all.and(denied);
                if around.available {
                    way.available = way.available.and(denied);
                }
            }
        }
        Some(way)
    }

    /// Whether the requests of somebody to something are denied, unless they come from where only some can be.
    fn part(&self) -> Option<Truth> {
        let of = |ways: &Self, organization: usize| {
            let own = ways.all.iter().filter(|way| ways.subjects[way.subject].organization == organization);
            own.map(|way| way.available).collect::<Vec<Truth>>()
        };
        let mut listed: Vec<usize> = self.subjects.iter().map(|subject| subject.organization).collect();
        listed.sort_unstable();
        listed.dedup();
        listed.retain(|organization| *organization != 0);
        let unlisted = Truth::any(of(self, 0));
        if listed.is_empty() {
            return Some(unlisted);
        }
        // No owner shuts out the whole account: an organization that is shut out is another one.
        let anyone = Ways::new(self.denies, self.keys, self.targets, Caller::Anyone)?;
        listed.retain(|organization| Truth::all(of(&anyone, *organization)) != Truth::True);
        let is_empty = listed.is_empty();
        let in_listed = Truth::all(listed.into_iter().map(|organization| Truth::any(of(self, organization))));
        Some(match (in_listed, unlisted) {
            // The organization that a policy lists is the account's own most of the time.
            (in_listed, Truth::True) => in_listed,
            (Truth::True, unlisted) if is_empty => unlisted,
            (Truth::True | Truth::Unknown, _) => Truth::Unknown,
            (Truth::False, _) => Truth::False,
        })
    }

    /// The statements that deny what they deny to every role but to one that they name, where that one may pass.
    fn leaving_one_out(&self) -> Vec<usize> {
        let may_pass = |subject: usize| self.all.iter().any(|way| way.subject == subject && way.all != Truth::True);
        let passing: Vec<usize> = (0..self.subjects.len()).filter(|subject| may_pass(*subject)).collect();
        let is_for = |subject: &Subject, place: usize| subject.principal[place].and(subject.own[place]) == Truth::True;
        let leaves_one_out = |place: &usize| {
            passing.iter().any(|passing| {
                let passing = &self.subjects[*passing];
                // The first one of an organization is one that the statements do not name.
                let first = self.subjects.iter().find(|first| first.organization == passing.organization);
                !is_for(passing, *place) && first.is_some_and(|first| is_for(first, *place))
            })
        };
        (0..self.denies.statements.len()).filter(leaves_one_out).collect()
    }

    /// Whether every request is denied by the other statements alone.
    fn all_denied_without(&self, statements: &[usize]) -> Option<bool> {
        if statements.is_empty() {
            return Some(self.all.iter().all(|way| way.all == Truth::True));
        }
        for way in &self.all {
            if self.way(way.target, way.subject, statements)?.all != Truth::True {
                return Some(false);
            }
        }
        Some(true)
    }
}
