//! Filters beside each other.

use super::configuration::Filter;

/// Whether some object is in the scope of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// No object can be.
    Disjoint,
    /// An object could be, but each filter names a tag that the other does not: there may be none that has both.
    Possible,
    /// Whoever puts objects into the scope of the one can expect them in that of the other.
    Certain,
}

pub fn overlap(one: &Filter, other: &Filter) -> Overlap {
    let prefixes = one.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&one.prefix);
    let sizes = Filter {
        size_greater_than: one.size_greater_than.max(other.size_greater_than),
        size_less_than: [one.size_less_than, other.size_less_than].into_iter().flatten().min(),
        ..Filter::default()
    };
    let tags = one.tags.iter().all(|(key, value)| other.tags.get(key).is_none_or(|it| it == value));
    if !prefixes || !tags || sizes.is_empty_interval() {
        return Overlap::Disjoint;
    }
    let names_another = |one: &Filter, other: &Filter| one.tags.keys().any(|key| !other.tags.contains_key(key));
    if names_another(one, other) && names_another(other, one) { Overlap::Possible } else { Overlap::Certain }
}

/// Whether every object that `inner` matches is one that `outer` matches.
pub(super) fn contains(outer: &Filter, inner: &Filter) -> bool {
    let tags = outer.tags.iter().all(|(key, value)| inner.tags.get(key) == Some(value));
    let above = outer.size_greater_than.is_none_or(|bound| inner.size_greater_than.is_some_and(|it| it >= bound));
    let below = outer.size_less_than.is_none_or(|bound| inner.size_less_than.is_some_and(|it| it <= bound));
    inner.prefix.starts_with(&outer.prefix) && tags && above && below
}
