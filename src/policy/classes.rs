//! Values that the statements treat alike.

use std::collections::HashSet;

use super::truth::Truth;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class<T> {
    /// One of them.
    pub example: T,
    /// For every statement whether it is for them.
    pub truths: Vec<Truth>,
}

/// Of the classes that every statement treats alike only the first.
pub(super) fn distinct<T>(classes: impl IntoIterator<Item = Class<T>>) -> Vec<Class<T>> {
    let mut seen = HashSet::new();
    classes.into_iter().filter(|class| seen.insert(class.truths.clone())).collect()
}
