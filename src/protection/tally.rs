//! The buckets of one class together: what stands against each threat in how many of them.

use std::collections::BTreeMap;

use super::{Class, Means, Outcome, Protection, Threat};

/// Counts by class; its size does not depend on the number of buckets.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    classes: BTreeMap<Class, Counts>,
}

/// The buckets of one class.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub buckets: u64,
    threats: BTreeMap<Threat, Line>,
}

/// What stands against one threat.
#[derive(Debug, Clone, Default)]
pub struct Line {
    outcomes: BTreeMap<Outcome, u64>,
    /// In how many buckets something stops or limits it.
    by: BTreeMap<Means, u64>,
}

impl Line {
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    pub fn by(&self) -> impl Iterator<Item = (Means, u64)> {
        self.by.iter().map(|(means, buckets)| (*means, *buckets))
    }
}

impl Counts {
    /// One for each of [`Threat::ALL`].
    pub fn lines(&self) -> impl Iterator<Item = (Threat, &Line)> {
        self.threats.iter().map(|(threat, line)| (*threat, line))
    }
}

impl Tally {
    pub fn add(&mut self, protection: &Protection) {
        let counts = self.classes.entry(protection.class).or_default();
        counts.buckets += 1;
        for answer in &protection.answers {
            let line = counts.threats.entry(answer.threat).or_default();
            *line.outcomes.entry(answer.outcome).or_default() += 1;
            for effect in &answer.by {
                *line.by.entry(effect.by).or_default() += 1;
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The classes that have buckets.
    pub fn classes(&self) -> impl Iterator<Item = (Class, &Counts)> {
        self.classes.iter().map(|(class, counts)| (*class, counts))
    }
}
