//! Which sets of rules match one and the same object.
//!
//! Classes of objects grow exponentially in tag keys, the sets of rules that match them mostly do not: keys are
//! followed one after the other, and only as far as a rule that still can match asks for them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::configuration::Filter;

/// Positions in the list of filters that was given, ascending.
pub(super) type Matching = Vec<usize>;

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

/// Every set of these filters that is all that match some object, each once. A filter whose size interval is empty
/// matches nothing.
pub(super) fn matching_sets(filters: &[&Filter], budget: &mut Budget) -> Result<Vec<Matching>, Exhausted> {
    let mut found = HashSet::new();
    for group in by_key(filters, budget)? {
        for sized in by_size(filters, &group, budget)? {
            Tags::new(filters, &sized).follow(0, sized, &mut found, budget)?;
        }
    }
    Ok(in_order(found))
}

/// The same by prefix only: uploads have neither tags nor a size.
pub(super) fn matching_sets_of_uploads(filters: &[&Filter], budget: &mut Budget) -> Result<Vec<Matching>, Exhausted> {
    Ok(in_order(by_key(filters, budget)?.into_iter().collect()))
}

/// The same order whatever the hasher did; small sets first, because they make the shortest explanations.
fn in_order(found: HashSet<Matching>) -> Vec<Matching> {
    let mut sets: Vec<Matching> = found.into_iter().filter(|set| !set.is_empty()).collect();
    sets.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    sets
}

/// For every prefix the filters that match a key which begins with it and with no longer one.
fn by_key(filters: &[&Filter], budget: &mut Budget) -> Result<Vec<Matching>, Exhausted> {
    let mut of_prefix: HashMap<&str, Matching> = HashMap::new();
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
        let mut group: Matching = starts.filter_map(|start| of_prefix.get(start)).flatten().copied().collect();
        budget.spend(group.len())?;
        group.sort_unstable();
        groups.push(group);
    }
    Ok(groups)
}

/// The filters of a group that match one size, for every size that makes a difference.
fn by_size(filters: &[&Filter], group: &[usize], budget: &mut Budget) -> Result<BTreeSet<Matching>, Exhausted> {
    let bounds = group.iter().flat_map(|position| {
        let filter = filters[*position];
        [filter.size_greater_than, filter.size_less_than]
    });
    let sizes: BTreeSet<u64> = bounds
        .flatten()
        .flat_map(|bound| [bound.saturating_sub(1), bound, bound.saturating_add(1)])
        .chain([0])
        .collect();
    budget.spend(sizes.len() * group.len())?;
    let of_size = |size: u64| group.iter().copied().filter(|position| filters[*position].matches_size(size)).collect();
    Ok(sizes.into_iter().map(of_size).collect())
}

/// For each tag key that some filters ask for, the value that each of them wants.
struct Tags<'a> {
    keys: Vec<HashMap<usize, &'a str>>,
}

impl<'a> Tags<'a> {
    fn new(filters: &[&'a Filter], group: &[usize]) -> Self {
        let mut keys: BTreeMap<&str, HashMap<usize, &str>> = BTreeMap::new();
        for position in group {
            for (key, value) in &filters[*position].tags {
                keys.entry(key).or_default().insert(*position, value);
            }
        }
        Self { keys: keys.into_values().collect() }
    }

    /// `open` can still match; from `key` on it is not yet decided which tags the object has.
    fn follow(
        &self,
        key: usize,
        open: Matching,
        found: &mut HashSet<Matching>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        budget.spend(open.len() + 1)?;
        let Some(wants) = self.keys.get(key) else {
            found.insert(open);
            return Ok(());
        };
        let values: BTreeSet<&str> = open.iter().filter_map(|position| wants.get(position).copied()).collect();
        if values.is_empty() {
            return self.follow(key + 1, open, found, budget);
        }
        // The tag is absent or has a value that nobody asks for; then each value that somebody does.
        for value in [None].into_iter().chain(values.into_iter().map(Some)) {
            let matches = |position: &usize| wants.get(position).is_none_or(|wanted| Some(*wanted) == value);
            self.follow(key + 1, open.iter().copied().filter(matches).collect(), found, budget)?;
        }
        Ok(())
    }
}
