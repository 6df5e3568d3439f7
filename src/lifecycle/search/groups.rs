//! The combinations of tags that have to be told apart, key after key.

use std::collections::HashMap;

use super::{Rival, Tag, is_within};
use crate::lifecycle::classes::{Budget, Exhausted};
use crate::lifecycle::history::Act;
use crate::lifecycle::influence::simplify;

/// What tells one combination of tags from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// Groups of rivals that can still match.
    pub open: Vec<usize>,
    /// Of the tags that the object has those that they want; ascending.
    pub tags: Vec<Tag>,
    /// What the others come to that match: `None` where one prevails.
    pub with: Option<Vec<Act>>,
    /// The same without the rules that are taken away.
    pub without: Vec<Act>,
}

/// The rivals of a cell that want the same tags, taken together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub wants: Vec<Tag>,
    /// With the rules that are removed, and without them; `None` where one prevails.
    with: Option<Vec<Act>>,
    without: Option<Vec<Act>>,
}

impl Group {
    /// Tags are combined only as far as a useful group wants them: what only others want makes them prevail, and
    /// nothing else.
    pub fn is_useful(&self) -> bool {
        self.without.is_some()
    }

    pub fn value_of(&self, key: usize) -> Option<usize> {
        self.wants.iter().find(|tag| tag.0 == key).map(|tag| tag.1)
    }
}

/// Those of all cells, by number.
#[derive(Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    numbers: HashMap<Group, usize>,
}

impl Groups {
    /// Those of one cell that count beside each other.
    pub fn of<'r>(
        &mut self,
        rivals: impl Iterator<Item = &'r Rival>,
        removed: &[usize],
        budget: &mut Budget,
    ) -> Result<Vec<usize>, Exhausted> {
        let mut rivals: Vec<&Rival> = rivals.collect();
        budget.spend(rivals.len() + 1)?;
        rivals.sort_by(|one, other| (one.wants.len(), &one.wants).cmp(&(other.wants.len(), &other.wants)));
        let mut groups: Vec<Group> = Vec::new();
        for same in rivals.chunk_by(|one, other| one.wants == other.wants) {
            let wants = &same[0].wants;
            budget.spend(groups.len() / 8)?;
            let is_prevented = |group: &Group| !group.is_useful() && is_within(&group.wants, wants);
            if groups.iter().any(is_prevented) {
                continue;
            }
            let mut group = Group { wants: wants.clone(), with: Some(Vec::new()), without: Some(Vec::new()) };
            for rival in same {
                let is_removed = removed.binary_search(&rival.rule).is_ok();
                for acts in [Some(&mut group.with), (!is_removed).then_some(&mut group.without)].into_iter().flatten() {
                    match acts {
                        Some(_) if rival.prevails => *acts = None,
                        Some(acts) => acts.extend(&rival.acts),
                        None => {}
                    }
                }
            }
            [&mut group.with, &mut group.without].into_iter().flatten().for_each(simplify);
            groups.push(group);
        }
        let number = |group: Group| {
            *self.numbers.entry(group).or_insert_with_key(|group| {
                self.all.push(group.clone());
                self.all.len() - 1
            })
        };
        let mut numbers: Vec<usize> = groups.into_iter().map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The key to be decided next: the one that most of the useful ones want.
    pub fn key(&self, state: &State) -> Option<usize> {
        let useful = state.open.iter().map(|group| &self.all[*group]).filter(|group| group.is_useful());
        let undecided = useful.flat_map(|group| &group.wants).filter(|tag| !state.tags.contains(tag));
        let mut keys: Vec<usize> = undecided.map(|tag| tag.0).collect();
        keys.sort_unstable();
        let most = keys.chunk_by(|one, other| one == other).max_by_key(|same| same.len());
        most.map(|same| same[0])
    }

    /// With those that have come to match; `None` where one of them prevails. Of those that can match yet it keeps what
    /// would change something.
    pub fn joined(
        &self,
        mut state: State,
        inside: &[usize],
        open: Vec<usize>,
        tags: &[Tag],
        budget: &mut Budget,
    ) -> Result<Option<State>, Exhausted> {
        for group in inside.iter().map(|group| &self.all[*group]) {
            let Some(without) = &group.without else { return Ok(None) };
            state.without.extend(without);
            match (&mut state.with, &group.with) {
                (Some(with), Some(acts)) => with.extend(acts),
                (with, _) => *with = None,
            }
        }
        if !inside.is_empty() {
            state.with.iter_mut().for_each(simplify);
            simplify(&mut state.without);
        }
        budget.spend(open.len())?;
        state.open = open;
        state.open.retain(|group| {
            let Group { with, without: Some(without), .. } = &self.all[*group] else { return true };
            let changes_now = match (&state.with, with) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(before), Some(acts)) => adds(before, acts),
            };
            changes_now || adds(&state.without, without)
        });
        if !state.open.iter().any(|group| self.all[*group].is_useful()) {
            // The other tags are best absent.
            state.open.clear();
        }
        let is_wanted = |tag: &&Tag| state.open.iter().any(|group| self.all[*group].wants.contains(tag));
        state.tags = tags.iter().filter(is_wanted).copied().collect();
        state.tags.sort_unstable();
        Ok(Some(state))
    }
}

/// Whether these acts make a difference beside those.
fn adds(before: &[Act], acts: &[Act]) -> bool {
    let mut after = [before, acts].concat();
    simplify(&mut after);
    after != before
}
