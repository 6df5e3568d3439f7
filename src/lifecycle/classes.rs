//! Which rules match one and the same object.
//!
//! Objects differ in key, size and tags. Keys and sizes give *cells*: all rules that match some key and some size, were
//! it not for their tags. Cells are few: one a prefix and a bound of size at most. Tags are combined only as far as a
//! question asks for them, in [`super::search`].

use std::collections::{BTreeSet, HashMap, HashSet};

use super::configuration::Filter;

/// The analyser's work, counted in steps that cost about the same on every machine.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

/// The work limit was reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(steps as u64).ok_or(Exhausted)?;
        Ok(())
    }
}

/// A set of positions in a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Positions(Vec<u64>);

impl Positions {
    pub(super) fn none_of(all: usize) -> Self {
        Self(vec![0; all.div_ceil(64)])
    }

    pub(super) fn of(all: usize, positions: impl IntoIterator<Item = usize>) -> Self {
        let mut these = Self::none_of(all);
        for position in positions {
            these.insert(position);
        }
        these
    }

    pub(super) fn insert(&mut self, position: usize) {
        self.0[position / 64] |= 1 << (position % 64);
    }

    pub(super) fn contains(&self, position: usize) -> bool {
        self.0[position / 64] >> (position % 64) & 1 == 1
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// What a test of all of them costs.
    pub(super) fn words(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, others: &Self) {
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word |= other;
        }
    }

    pub(super) fn meets(&self, others: &Self) -> bool {
        self.0.iter().zip(&others.0).any(|(word, other)| word & other != 0)
    }

    pub(super) fn without(&self, positions: &[usize]) -> Self {
        let mut rest = self.clone();
        for position in positions {
            rest.0[position / 64] &= !(1 << (position % 64));
        }
        rest
    }

    pub(super) fn both(&self, others: &Self) -> Self {
        Self(self.0.iter().zip(&others.0).map(|(word, other)| word & other).collect())
    }

    /// Ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

/// Every set of these filters that is all that match some key and some size, whatever their tags; each once, small ones
/// first.
pub(super) fn cells(filters: &[&Filter], budget: &mut Budget) -> Result<Vec<Positions>, Exhausted> {
    let mut found = HashSet::new();
    for group in by_key(filters, budget)? {
        by_size(filters, &group, &mut found, budget)?;
    }
    Ok(in_order(found))
}

/// The same by prefix only: uploads have neither tags nor a size.
pub(super) fn cells_of_uploads(filters: &[&Filter], budget: &mut Budget) -> Result<Vec<Positions>, Exhausted> {
    let groups = by_key(filters, budget)?;
    Ok(in_order(groups.into_iter().map(|group| Positions::of(filters.len(), group)).collect()))
}

/// The same order whatever the hasher did.
pub(super) fn in_order(found: HashSet<Positions>) -> Vec<Positions> {
    let mut cells: Vec<(usize, Positions)> = found.into_iter().map(|cell| (cell.len(), cell)).collect();
    cells.sort_unstable();
    cells.into_iter().map(|(_, cell)| cell).collect()
}

/// For every prefix the filters that match a key which begins with it and with no longer one.
fn by_key(filters: &[&Filter], budget: &mut Budget) -> Result<Vec<Vec<usize>>, Exhausted> {
    let mut of_prefix: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, filter) in filters.iter().enumerate() {
        of_prefix.entry(&filter.prefix).or_default().push(position);
    }
    // Only starts that are as long as some prefix can be one.
    let lengths: BTreeSet<usize> = of_prefix.keys().map(|prefix| prefix.len()).collect();
    let mut groups = Vec::with_capacity(of_prefix.len());
    for prefix in of_prefix.keys() {
        let ends = lengths.range(..=prefix.len()).copied();
        budget.spend(ends.clone().map(|end| end / 64 + 1).sum())?;
        let starts = ends.filter(|end| prefix.is_char_boundary(*end)).map(|end| &prefix[..end]);
        let group: Vec<usize> = starts.filter_map(|start| of_prefix.get(start)).flatten().copied().collect();
        budget.spend(group.len())?;
        groups.push(group);
    }
    Ok(groups)
}

/// The filters of a group that match one size, for every size that makes a difference: 0 and where a filter begins or
/// ceases to match.
fn by_size(
    filters: &[&Filter],
    group: &[usize],
    found: &mut HashSet<Positions>,
    budget: &mut Budget,
) -> Result<(), Exhausted> {
    let changes = |position: &usize| {
        let filter = filters[*position];
        [filter.size_greater_than.and_then(|bound| bound.checked_add(1)), filter.size_less_than]
    };
    let sizes: BTreeSet<u64> = group.iter().flat_map(changes).flatten().chain([0]).collect();
    budget.spend(sizes.len() * (group.len() + filters.len() / 64))?;
    for size in sizes {
        let matching = group.iter().copied().filter(|position| filters[*position].matches_size(size));
        found.insert(Positions::of(filters.len(), matching));
    }
    Ok(())
}
