//! What a caller can choose of a request, and where the request can come from.

use super::callers::{Keys, both};
use super::knowledge::{Kind, Known};
use super::truth::Truth;
use super::values::Values;

/// Requests that the statements treat alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// For every statement whether its conditions on these keys are true.
    pub truths: Vec<Truth>,
    /// Every caller can make such a request; another may come from where only some can be.
    pub available: bool,
}

impl Keys<'_> {
    /// Those of this kind of callers; `None` where there are too many to look at.
    pub fn surroundings(&self, kind: Kind) -> Option<Vec<Surroundings>> {
        let is_of_request = |known: &Known| match known {
            Known::OneOf(_) | Known::Chosen | Known::Surroundings => true,
            Known::Fixed(_) | Known::Attribute | Known::Organization | Known::Undecided | Known::Credentials => false,
        };
        let budget = &self.denies.budget;
        let mut all = vec![Surroundings { truths: self.nothing(), available: true }];
        for key in self.of(kind, is_of_request) {
            let of_key = self.of_key(key, kind)?;
            budget.take(4 * all.len() * of_key.len() * (4 + self.nothing().len()))?;
            let pair = |a: &Surroundings, b: &Surroundings| Surroundings {
                truths: both(&a.truths, &b.truths),
                available: a.available && b.available,
            };
            all = distinct(all.iter().flat_map(|a| of_key.iter().map(move |b| pair(a, b))).collect());
        }
        Some(all)
    }

    fn of_key(&self, key: &str, kind: Kind) -> Option<Vec<Surroundings>> {
        let one = |values: &Values, available| Surroundings { truths: self.truths(key, values), available };
        let all = match self.known(key, kind) {
            Known::OneOf(values) => values.iter().map(|values| one(values, true)).collect(),
            // It is in every request.
            Known::Surroundings if key == "aws:viaawsservice" => [("false", true), ("true", false)]
                .map(|(value, available)| one(&vec![value.to_owned()], available))
                .into(),
            Known::Surroundings => {
                let candidates = self.candidates(key, kind)?;
                candidates.iter().map(|candidate| one(&candidate.values, candidate.unlisted)).collect()
            }
            Known::Chosen => self.candidates(key, kind)?.iter().map(|candidate| one(&candidate.values, true)).collect(),
            Known::Fixed(_) | Known::Attribute | Known::Organization | Known::Undecided | Known::Credentials => {
                Vec::new()
            }
        };
        Some(distinct(all))
    }
}

/// Each once; of two that differ in nothing else the one that every caller can make.
fn distinct(mut all: Vec<Surroundings>) -> Vec<Surroundings> {
    all.sort_by(|a, b| a.truths.cmp(&b.truths).then(b.available.cmp(&a.available)));
    all.dedup_by(|next, kept| next.truths == kept.truths);
    all
}
