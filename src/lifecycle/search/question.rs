//! What becomes of one action on the objects of a scope.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::groups::{Groups, State};
use super::{Fate, Population, Rival, Scope, Tag, is_within};
use crate::lifecycle::classes::{Budget, Exhausted, Positions, in_order};
use crate::lifecycle::configuration::Versions;
use crate::lifecycle::history::{Act, executed, executed_on_upload};
use crate::lifecycle::influence::{Influence, Subject, simplify};

/// An action, and what can keep it from objects of the scope.
pub(super) struct Question {
    act: Act,
    population: Population,
    /// Ascending by rule.
    rivals: Vec<Rival>,
    /// Their rules.
    prevailing: Positions,
    /// Rules that prevail whatever further tags an object has.
    everywhere: Positions,
    /// Rules of rivals that match some key and some size together; small ones first.
    cells: Vec<Positions>,
    played: RefCell<HashMap<Vec<Act>, bool>>,
}

/// What has to go for an action to apply: rules, and with its own rule that rule's other actions.
struct Removed {
    prevailing: Vec<usize>,
    depending: Vec<usize>,
}

impl Removed {
    fn len(&self) -> usize {
        self.prevailing.len() + self.depending.len()
    }

    /// Ascending.
    fn rules(&self) -> Vec<usize> {
        let mut rules = [self.prevailing.as_slice(), &self.depending].concat();
        rules.sort_unstable();
        rules
    }
}

/// Whether it has seen enough.
type Visit<'a> = dyn FnMut(&State, &Witness, &mut Budget) -> Result<bool, Exhausted> + 'a;

/// An object of the scope, by its cell and its further tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Witness {
    cell: usize,
    tags: Vec<Tag>,
}

#[derive(Default)]
pub(super) struct Outcomes {
    pub applies: bool,
    pub lost: Vec<Witness>,
}

impl Question {
    pub fn new(scope: &Scope, act: Act, own: Option<(usize, usize)>, budget: &mut Budget) -> Result<Self, Exhausted> {
        let field = scope.field;
        let versions = match field.population {
            Population::Objects(versions) => versions,
            Population::Uploads => Versions::Unversioned,
        };
        let acts_near = || scope.near.iter().flat_map(|rule| field.acts[*rule].iter().copied());
        let subject = Subject::new(act, &scope.company, versions, acts_near());
        // A look at one of them is a fraction of a step.
        budget.spend(acts_near().count() / 4 + 1)?;
        let mut rivals = Vec::new();
        let [mut rules, mut prevailing, mut everywhere] = [(); 3].map(|()| Positions::none_of(field.acts.len()));
        for rule in &scope.near {
            let mut rival = Rival { rule: *rule, prevails: false, acts: Vec::new(), wants: Vec::new() };
            for (index, other) in field.acts[*rule].iter().enumerate() {
                if Some((*rule, index)) == own {
                    continue;
                }
                match subject.of(*other) {
                    Influence::None => {}
                    Influence::Prevails => rival.prevails = true,
                    Influence::Depends(like) => rival.acts.push(like),
                }
            }
            if !rival.prevails && rival.acts.is_empty() {
                continue;
            }
            rival.wants = field.tags[*rule].iter().copied().filter(|tag| !scope.tags.contains(tag)).collect();
            rules.insert(*rule);
            if rival.prevails {
                prevailing.insert(*rule);
                if rival.wants.is_empty() {
                    everywhere.insert(*rule);
                }
            }
            rivals.push(rival);
        }
        budget.spend(scope.cells.len() * rules.words())?;
        let cells = if rivals.is_empty() {
            vec![rules]
        } else {
            in_order(scope.cells.iter().map(|cell| cell.both(&rules)).collect())
        };
        let act = subject.act();
        let population = field.population;
        Ok(Self { act, population, rivals, prevailing, everywhere, cells, played: RefCell::default() })
    }

    fn rival(&self, rule: usize) -> &Rival {
        &self.rivals[self.position(rule)]
    }

    fn position(&self, rule: usize) -> usize {
        self.rivals.binary_search_by_key(&rule, |rival| rival.rule).expect("cells hold rivals")
    }

    /// The rivals that match an object.
    fn matching(&self, witness: &Witness) -> Vec<&Rival> {
        let here = self.cells[witness.cell].iter().map(|rule| self.rival(rule));
        here.filter(|rival| is_within(&rival.wants, &witness.tags)).collect()
    }

    /// Whether the action applies to an object on which, but for those removed, these match.
    fn applies_beside<'b>(
        &self,
        rivals: impl Iterator<Item = &'b Rival>,
        budget: &mut Budget,
    ) -> Result<bool, Exhausted> {
        let mut acts: Vec<Act> = Vec::new();
        for rival in rivals {
            if rival.prevails {
                return Ok(false);
            }
            acts.extend(&rival.acts);
        }
        budget.spend(acts.len() + 1)?;
        simplify(&mut acts);
        self.is_executed(&acts, budget)
    }

    pub fn fate(&self, budget: &mut Budget) -> Result<Fate, Exhausted> {
        let beaten = self.beaten(budget)?;
        let outcomes = self.outcomes(beaten.is_empty(), budget)?;
        let applies = outcomes.applies;
        let mut best: Option<Removed> = None;
        for witness in beaten.iter().chain(&outcomes.lost) {
            let removed = self.enough(witness, budget)?;
            if removed.depending.is_empty() || removed.len() == 1 {
                // The fewest of those that prevail, or one alone: no part of it is enough.
                return Ok(Fate { applies, lost_to: Some(removed.rules()) });
            }
            if best.as_ref().is_none_or(|best| removed.len() < best.len()) {
                best = Some(removed);
            }
        }
        let Some(mut removed) = best else { return Ok(Fate { applies, lost_to: None }) };
        while let Some(fewer) = self.fewer(&removed, budget)? {
            removed = fewer;
        }
        Ok(Fate { applies, lost_to: Some(removed.rules()) })
    }

    /// Objects that as few rivals match as can be of those that prevail, but one. They have no other tags than one of
    /// these rivals wants, for fewer tags only make fewer of them match.
    fn beaten(&self, budget: &mut Budget) -> Result<Vec<Witness>, Exhausted> {
        const MOST: usize = 8;
        let mut fewest = usize::MAX;
        let mut found: Vec<Witness> = Vec::new();
        let mut add = |count: usize, witness: Witness, found: &mut Vec<Witness>| {
            if count < fewest {
                fewest = count;
                found.clear();
            }
            if count == fewest && found.len() < MOST {
                found.push(witness);
            }
            fewest == 1 && found.len() == MOST
        };
        for (number, cell) in self.cells.iter().enumerate() {
            budget.spend(cell.words())?;
            let always = cell.both(&self.everywhere).len();
            if always > 0 {
                if add(always, Witness { cell: number, tags: Vec::new() }, &mut found) {
                    return Ok(found);
                }
                continue;
            }
            let mut here: Vec<&Rival> = cell.both(&self.prevailing).iter().map(|rule| self.rival(rule)).collect();
            here.sort_by_key(|rival| rival.wants.len());
            let mut tried: HashSet<&[Tag]> = HashSet::new();
            for rival in &here {
                if !tried.insert(&rival.wants) {
                    continue;
                }
                budget.spend(here.len() + 1)?;
                let shorter = here.iter().take_while(|other| other.wants.len() <= rival.wants.len());
                let count = shorter.filter(|other| is_within(&other.wants, &rival.wants)).count();
                if add(count, Witness { cell: number, tags: rival.wants.clone() }, &mut found) {
                    return Ok(found);
                }
                // None can be fewer; others of this cell would be as good.
                if count == 1 {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Rules without which the action applies to this object, to which it does not apply now: all that prevail, and of
    /// those that depend on others as few as come by leaving out one after the other.
    fn enough(&self, witness: &Witness, budget: &mut Budget) -> Result<Removed, Exhausted> {
        let (prevailing, others): (Vec<&Rival>, Vec<&Rival>) =
            self.matching(witness).into_iter().partition(|rival| rival.prevails);
        let prevailing: Vec<usize> = prevailing.iter().map(|rival| rival.rule).collect();
        let mut applies_without = |removed: &[usize]| {
            let left = others.iter().copied().filter(|rival| !removed.contains(&rival.rule));
            self.applies_beside(left, budget)
        };
        if applies_without(&[])? {
            return Ok(Removed { prevailing, depending: Vec::new() });
        }
        for rival in &others {
            if applies_without(&[rival.rule])? {
                return Ok(Removed { prevailing, depending: vec![rival.rule] });
            }
        }
        let mut depending: Vec<usize> = others.iter().map(|rival| rival.rule).collect();
        for rival in &others {
            let fewer: Vec<usize> = depending.iter().copied().filter(|rule| *rule != rival.rule).collect();
            if applies_without(&fewer)? {
                depending = fewer;
            }
        }
        Ok(Removed { prevailing, depending })
    }

    /// A part of the list that does as well, for whatever object; `None` when the list is minimal.
    ///
    /// Of those that prevail all are needed or none: no object is matched by fewer of them, but by none.
    fn fewer(&self, removed: &Removed, budget: &mut Budget) -> Result<Option<Removed>, Exhausted> {
        let mut candidates: Vec<Removed> = Vec::new();
        for depending in parts(&removed.depending) {
            candidates.push(Removed { prevailing: Vec::new(), depending });
        }
        if !removed.prevailing.is_empty() {
            candidates.push(Removed { prevailing: Vec::new(), depending: removed.depending.clone() });
            for depending in parts(&removed.depending) {
                candidates.push(Removed { prevailing: removed.prevailing.clone(), depending });
            }
        }
        for candidate in candidates {
            if candidate.len() > 0 && self.helps(&candidate.rules(), budget)? {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    fn is_executed(&self, acts: &[Act], budget: &mut Budget) -> Result<bool, Exhausted> {
        if let Some(known) = self.played.borrow().get(acts) {
            return Ok(*known);
        }
        budget.spend(32 + 8 * acts.len())?;
        let all: Vec<Act> = [self.act].into_iter().chain(acts.iter().copied()).collect();
        let done = match self.population {
            Population::Objects(versions) => executed(&all, versions)[0],
            Population::Uploads => executed_on_upload(&all)[0],
        };
        self.played.borrow_mut().insert(acts.to_vec(), done);
        Ok(done)
    }

    /// What can come of objects on which no rival prevails. It stops when it has an answer: where rivals prevail on
    /// others, once the action applies.
    pub fn outcomes(&self, wants_lost: bool, budget: &mut Budget) -> Result<Outcomes, Exhausted> {
        const WITNESSES: usize = 8;
        let mut outcomes = Outcomes::default();
        self.explore(&[], budget, &mut |state, witness, budget| {
            if self.is_executed(&state.without, budget)? {
                outcomes.applies = true;
            } else if outcomes.lost.len() < WITNESSES {
                outcomes.lost.push(witness.clone());
            }
            Ok(outcomes.applies && (!wants_lost || !outcomes.lost.is_empty()))
        })?;
        Ok(outcomes)
    }

    /// Whether without these rules the action applies to an object to which it does not apply now.
    fn helps(&self, removed: &[usize], budget: &mut Budget) -> Result<bool, Exhausted> {
        let mut helps = false;
        self.explore(removed, budget, &mut |state, _, budget| {
            let applies_now = match &state.with {
                Some(acts) => self.is_executed(acts, budget)?,
                None => false,
            };
            helps = !applies_now && self.is_executed(&state.without, budget)?;
            Ok(helps)
        })?;
        Ok(helps)
    }

    /// Visits every state that objects come to on which no rival prevails but those that are removed, until the visitor
    /// has seen enough.
    fn explore(&self, removed: &[usize], budget: &mut Budget, visit: &mut Visit) -> Result<(), Exhausted> {
        let mut groups = Groups::default();
        let mut known: HashSet<State> = HashSet::new();
        let mut stack: Vec<(State, Witness)> = Vec::new();
        let decided = self.everywhere.without(removed);
        for (number, cell) in self.cells.iter().enumerate() {
            budget.spend(cell.words())?;
            if cell.meets(&decided) {
                continue;
            }
            let open = groups.of(cell.iter().map(|rule| self.rival(rule)), removed, budget)?;
            let state = State { with: Some(Vec::new()), ..State::default() };
            let (inside, open): (Vec<usize>, Vec<usize>) =
                open.into_iter().partition(|group| groups.all[*group].wants.is_empty());
            if let Some(state) = groups.joined(state, &inside, open, &[], budget)?
                && known.insert(state.clone())
            {
                stack.push((state, Witness { cell: number, tags: Vec::new() }));
            }
            if Self::follow(&groups, &mut stack, &mut known, budget, visit)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The states that those on the stack lead to; says whether the visitor has seen enough.
    fn follow(
        groups: &Groups,
        stack: &mut Vec<(State, Witness)>,
        known: &mut HashSet<State>,
        budget: &mut Budget,
        visit: &mut Visit,
    ) -> Result<bool, Exhausted> {
        while let Some((state, witness)) = stack.pop() {
            let Some(key) = groups.key(&state) else {
                if visit(&state, &witness, budget)? {
                    return Ok(true);
                }
                continue;
            };
            let wanted = |group: &usize| groups.all[*group].value_of(key);
            let mut values: Vec<usize> =
                state.open.iter().filter(|group| groups.all[**group].is_useful()).filter_map(wanted).collect();
            values.sort_unstable();
            values.dedup();
            // Each value that somebody wants; and first, for it is on top, absent or a value that nobody wants.
            for value in values.into_iter().map(Some).chain([None]) {
                budget.spend(state.open.len() + 4)?;
                let mut tags = witness.tags.clone();
                tags.extend(value.map(|value| (key, value)));
                let (mut inside, mut open) = (Vec::new(), Vec::new());
                for group in &state.open {
                    match wanted(group) {
                        None => open.push(*group),
                        wanted if wanted != value => {}
                        _ if is_within(&groups.all[*group].wants, &tags) => inside.push(*group),
                        _ => open.push(*group),
                    }
                }
                let (with, without) = (state.with.clone(), state.without.clone());
                let before = State { with, without, ..State::default() };
                if let Some(after) = groups.joined(before, &inside, open, &tags, budget)?
                    && known.insert(after.clone())
                {
                    stack.push((after, Witness { cell: witness.cell, tags }));
                }
            }
        }
        Ok(false)
    }
}

/// The parts of a list to try in its place: those with one name less, and of a short list every part but itself. Taking
/// rules away is not always a gain, so a part may do what a longer one does not.
fn parts(names: &[usize]) -> Vec<Vec<usize>> {
    const SHORT: usize = 6;
    if names.len() > SHORT {
        return (0..names.len()).map(|left_out| [&names[..left_out], &names[left_out + 1..]].concat()).collect();
    }
    let of_bits = |bits: usize| -> Vec<usize> {
        names.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, name)| *name).collect()
    };
    let mut parts: Vec<Vec<usize>> = (0..(1_usize << names.len()) - 1).map(of_bits).collect();
    parts.sort_by_key(Vec::len);
    parts
}
