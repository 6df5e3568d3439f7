//! Whether some object is such that an action is executed on it, or is not, and which rules make the difference.
//!
//! The rules that can matter to the action are found first ([`super::influence`]). Where none of them depends on a
//! third one, pairs decide. Otherwise tags are combined key after key, but only those that a rule asks for whose
//! actions depend on others, and combinations that come to the same are followed once.
//!
//! The work is bounded by what can be told apart: of the actions that depend on others an object has at most nine left
//! once [`super::influence::simplify`] is done with them, and those that put off a delete marker lie within six days.

mod groups;
mod question;

use std::collections::HashMap;

use super::classes::{Budget, Exhausted, Positions, cells, cells_of_uploads};
use super::configuration::{Filter, Versions};
use super::history::Act;
use super::influence::Company;
use question::Question;

/// The rules whose actions meet on the same objects.
pub(super) struct Field<'a> {
    acts: &'a [Vec<Act>],
    /// Key and value of each tag, by number; ascending.
    tags: Vec<Vec<Tag>>,
    cells: Vec<Positions>,
    population: Population,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Population {
    Objects(Versions),
    Uploads,
}

type Tag = (usize, usize);

impl<'a> Field<'a> {
    pub(super) fn new(
        filters: &[&Filter],
        acts: &'a [Vec<Act>],
        population: Population,
        budget: &mut Budget,
    ) -> Result<Self, Exhausted> {
        let (cells, tags) = match population {
            Population::Objects(_) => (cells(filters, budget)?, numbered_tags(filters)),
            Population::Uploads => (cells_of_uploads(filters, budget)?, vec![Vec::new(); filters.len()]),
        };
        Ok(Self { acts, tags, cells, population })
    }

    /// The objects that one rule is for, or several at once.
    pub(super) fn scope(&self, rules: &[usize], budget: &mut Budget) -> Result<Scope<'_>, Exhausted> {
        budget.spend(self.cells.len() + self.acts.len())?;
        let has_all = |cell: &&Positions| rules.iter().all(|rule| cell.contains(*rule));
        let cells: Vec<&Positions> = self.cells.iter().filter(has_all).collect();
        let mut tags: Vec<Tag> = rules.iter().flat_map(|rule| self.tags[*rule].iter().copied()).collect();
        tags.sort_unstable();
        tags.dedup();
        let mut matching = Positions::none_of(self.acts.len());
        for cell in &cells {
            matching.add(cell);
        }
        budget.spend(cells.len() * matching.words())?;
        let near: Vec<usize> = matching.iter().filter(|rule| !contradict(&tags, &self.tags[*rule])).collect();
        let company = Company::new(near.iter().flat_map(|rule| self.acts[*rule].iter().copied()));
        Ok(Scope { field: self, cells, tags, near, company })
    }
}

fn numbered_tags(filters: &[&Filter]) -> Vec<Vec<Tag>> {
    let mut keys: HashMap<&str, usize> = HashMap::new();
    let mut values: HashMap<&str, usize> = HashMap::new();
    let mut all = Vec::with_capacity(filters.len());
    for filter in filters {
        let numbered = filter.tags.iter().map(|(key, value)| {
            let (next_key, next_value) = (keys.len(), values.len());
            (*keys.entry(key).or_insert(next_key), *values.entry(value).or_insert(next_value))
        });
        let mut tags: Vec<Tag> = numbered.collect();
        tags.sort_unstable();
        all.push(tags);
    }
    all
}

/// Whether no object can have both.
fn contradict(one: &[Tag], other: &[Tag]) -> bool {
    one.iter().any(|(key, value)| other.iter().any(|(same, another)| key == same && value != another))
}

fn is_within(inner: &[Tag], outer: &[Tag]) -> bool {
    inner.iter().all(|tag| outer.contains(tag))
}

pub(super) struct Scope<'a> {
    field: &'a Field<'a>,
    cells: Vec<&'a Positions>,
    tags: Vec<Tag>,
    /// The rules that some object of the scope matches, too.
    near: Vec<usize>,
    company: Company,
}

/// What becomes of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    /// To some objects.
    pub applies: bool,
    /// Where it does not apply to others: a minimal list of rules without which it does to some of them.
    pub lost_to: Option<Vec<usize>>,
}

impl Scope<'_> {
    /// Whether no object is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty() || self.tags.windows(2).any(|pair| pair[0].0 == pair[1].0)
    }

    /// `own` is the place of the action: its rule and which it is there.
    pub(super) fn fate(&self, own: (usize, usize), budget: &mut Budget) -> Result<Fate, Exhausted> {
        let act = self.field.acts[own.0][own.1];
        Question::new(self, act, Some(own), budget)?.fate(budget)
    }

    /// Whether some object of the scope is such that an action would be executed on it.
    pub(super) fn applies(&self, act: Act, budget: &mut Budget) -> Result<bool, Exhausted> {
        Ok(Question::new(self, act, None, budget)?.outcomes(false, budget)?.applies)
    }
}

/// A rule that can make a difference to the action.
struct Rival {
    rule: usize,
    /// Whatever else matches.
    prevails: bool,
    /// What depends on other rules.
    acts: Vec<Act>,
    /// Tags beside those that the scope has already.
    wants: Vec<Tag>,
}
