//! What the statements that deny a part let through, and why it is unknown what they deny.

use super::conditions::{doubt, is_about_credentials, mfa_doubts, mfa_holes};
use super::document::{Condition, Element, Principal};
use super::gaps::unknown_effects;
use super::holes::Hole;
use super::knowledge::{Kind, Known};
use super::principals::{is_everybody, unclear};
use super::reach::{Way, Ways};
use super::truth::Truth;

/// The parts of a statement that can keep it from a request, a bit each.
const RESOURCE: u8 = 1;
const PRINCIPAL: u8 = 2;
const OWN: u8 = 4;
const CREDENTIALS: u8 = 8;
const AROUND: u8 = 16;

/// One request.
#[derive(Clone, Copy)]
struct Case {
    way: Way,
    credentials: usize,
    around: usize,
}

impl Ways<'_> {
    fn cases(&self, way: Way) -> impl Iterator<Item = Case> {
        let subject = &self.subjects[way.subject];
        let around = self.surroundings(subject.kind).len();
        let credentials = subject.credentials.len();
        (0..credentials).flat_map(move |credentials| (0..around).map(move |around| Case { way, credentials, around }))
    }

    /// The parts of a statement that are not certainly true of a request; `None` where it is not for the action at all.
    fn obstacles(&self, place: usize, case: Case) -> Option<u8> {
        let (target, subject) = (&self.targets[case.way.target], &self.subjects[case.way.subject]);
        let around = &self.surroundings(subject.kind)[case.around];
        if target.action.truths[place] != Truth::True || self.denies.effects[place] != Truth::True {
            return None;
        }
        let parts = [
            (RESOURCE, target.resource.truths[place]),
            (PRINCIPAL, subject.principal[place]),
            (OWN, subject.own[place]),
            (CREDENTIALS, subject.credentials[case.credentials].1[place]),
            (AROUND, around.truths[place]),
        ];
        Some(parts.into_iter().filter(|(_, truth)| *truth != Truth::True).map(|(bit, _)| bit).sum())
    }

    /// By what requests get through the statements that deny something. A statement says nothing of a request that
    /// another one is nearer to denying.
    pub fn holes(&self) -> Option<Vec<Hole>> {
        let count = self.denies.statements.len();
        let cases: usize = self.all.iter().map(|way| self.cases(*way).count()).sum();
        self.denies.budget.take(cases * count * 2)?;
        let mut denies_some = vec![false; count];
        for case in self.all.iter().flat_map(|way| self.cases(*way)) {
            for (place, some) in denies_some.iter_mut().enumerate() {
                *some |= self.obstacles(place, case) == Some(0);
            }
        }
        let mut holes = Vec::new();
        for case in self.all.iter().filter(|way| way.all != Truth::True).flat_map(|way| self.cases(*way)) {
            let places = (0..count).filter(|place| denies_some[*place]);
            let found: Vec<(usize, u8)> =
                places.filter_map(|place| Some((place, self.obstacles(place, case)?))).collect();
            if found.iter().any(|(_, bits)| *bits == 0) {
                continue;
            }
            let is_nearer = |bits: u8| found.iter().any(|(_, other)| *other != bits && other & bits == *other);
            for (place, bits) in found.iter().filter(|(_, bits)| !is_nearer(*bits)) {
                self.put(*place, *bits, case, &mut holes);
            }
        }
        holes.sort_unstable();
        // One example is enough.
        holes.dedup_by(|next, kept| next.as_str() == kept.as_str() && matches!(next, Hole::PartOfObjects { .. }));
        holes.dedup();
        Some(holes)
    }

    fn put(&self, place: usize, bits: u8, case: Case, holes: &mut Vec<Hole>) {
        let (target, subject) = (&self.targets[case.way.target], &self.subjects[case.way.subject]);
        let statement = self.denies.statements[place];
        if bits & RESOURCE != 0 {
            let example = target.resource.example.split_once('/').map_or("", |(_, object)| object);
            holes.push(Hole::PartOfObjects { example: example.to_owned() });
        }
        if bits & PRINCIPAL != 0 {
            holes.push(match &statement.principal {
                Element::Only(_) => Hole::NarrowPrincipal,
                Element::AllBut(_) => Hole::NotPrincipal,
            });
        }
        let (state, _) = &subject.credentials[case.credentials];
        if bits & CREDENTIALS != 0 {
            holes.extend(mfa_holes(statement, *state));
        }
        let conditions = statement.conditions.iter().filter(|condition| !is_about_credentials(&condition.key));
        for condition in conditions {
            let is_narrow =
                if self.is_of_request(condition, subject.kind) { bits & AROUND != 0 } else { bits & OWN != 0 };
            if is_narrow {
                holes.push(Hole::NarrowingCondition { key: condition.key.clone() });
            }
        }
    }

    fn is_of_request(&self, condition: &Condition, kind: Kind) -> bool {
        match self.keys.known(&condition.key.to_ascii_lowercase(), kind) {
            Known::OneOf(_) | Known::Chosen | Known::Surroundings => true,
            Known::Fixed(_) | Known::Attribute | Known::Organization | Known::Undecided | Known::Credentials => false,
        }
    }

    /// Why it is unknown what the statements deny.
    pub fn doubts(&self) -> Vec<Hole> {
        let mut doubts = Vec::new();
        let is_unknown = |truths: &[Truth], place: usize| truths[place] == Truth::Unknown;
        for (place, statement) in self.denies.statements.iter().enumerate() {
            if self.denies.effects[place] == Truth::Unknown {
                doubts.extend(unknown_effects(self.denies.policy, statement));
            }
            if self.targets.iter().any(|target| is_unknown(&target.resource.truths, place)) {
                doubts.extend(self.denies.resources.doubts(place));
            }
            if self.subjects.iter().any(|subject| is_unknown(&subject.principal, place)) {
                let named = |principal: &Principal| Hole::UnknownPrincipal { principal: principal.value.clone() };
                let listed = statement.principal.listed();
                doubts.extend(unclear(listed).map(named));
                if matches!(statement.principal, Element::AllBut(_)) && !is_everybody(listed) {
                    doubts.push(Hole::NotPrincipal);
                }
            }
            let own = self.subjects.iter().any(|subject| is_unknown(&subject.own, place));
            let mut around = self.subjects.iter().flat_map(|subject| self.surroundings(subject.kind));
            if own || around.any(|around| is_unknown(&around.truths, place)) {
                doubts.extend(statement.conditions.iter().filter_map(|condition| self.doubt(condition)));
            }
            let credentials = self.subjects.iter().flat_map(|subject| &subject.credentials);
            let unknown = credentials.filter(|(_, truths)| is_unknown(truths, place));
            doubts.extend(unknown.flat_map(|(state, _)| mfa_doubts(statement, *state)));
        }
        if self.subjects.iter().any(|subject| subject.organization != 0) {
            let conditions = self.denies.statements.iter().flat_map(|statement| &statement.conditions);
            let is_open = |condition: &&Condition| {
                self.keys.known(&condition.key.to_ascii_lowercase(), Kind::User) == Known::Organization
            };
            doubts.extend(conditions.filter(is_open).map(|condition| Hole::UnknownKey { key: condition.key.clone() }));
        }
        doubts.sort_unstable();
        doubts.dedup();
        doubts
    }

    fn doubt(&self, condition: &Condition) -> Option<Hole> {
        let key = condition.key.to_ascii_lowercase();
        if is_about_credentials(&key) {
            return None;
        }
        if condition.operator.meaning.is_none() {
            return Some(doubt(condition));
        }
        let is_undecided = self.keys.known(&key, Kind::User) == Known::Undecided;
        let has_variable = condition.values.iter().any(|value| value.contains("${"));
        (is_undecided || has_variable).then(|| Hole::UnknownKey { key: condition.key.clone() })
    }
}
