//! `--id` of `trend`: what it names has to be there.

use std::collections::BTreeSet;

use super::Problem;
use crate::trend::{Day, Wanted, ids};

/// Ids that a message names.
const MOST: usize = 10;

/// Whether each id is that of something in one of the runs. With `allow_partial`, runs that cannot be read have none.
pub fn check(days: &[Day], wanted: &Wanted, allow_partial: bool) -> Result<(), Problem> {
    let mut missing: Vec<&String> = wanted.ids.iter().collect();
    let mut known = BTreeSet::new();
    for day in days {
        if missing.is_empty() {
            return Ok(());
        }
        match ids(&day.source, wanted.scope) {
            Ok(there) => {
                missing.retain(|id| !there.contains(*id));
                known.extend(there);
            }
            Err(_) if allow_partial => {}
            Err(error) => return Err(error.into()),
        }
    }
    let Some(id) = missing.first() else { return Ok(()) };
    let scope = wanted.scope.as_str();
    Err(Problem::new(format!("--id: no run has {id:?} in the scope {scope}; {}", there_is(id, known)))
        .with_help("name one that there is, in the scope in which it is: --scope"))
}

/// What there is instead, that which is most like it first.
fn there_is(id: &str, known: BTreeSet<String>) -> String {
    let mut known: Vec<String> = known.into_iter().collect();
    // The sort keeps the order of the names.
    known.sort_by_cached_key(|other| strsim::levenshtein(id, other));
    let rest = known.len().saturating_sub(MOST);
    known.truncate(MOST);
    match (known.join(", "), rest) {
        (names, _) if names.is_empty() => "it has nothing".to_owned(),
        (names, 0) => format!("there are {names}"),
        (names, rest) => format!("there are {names} and {rest} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_most_like_it_is_named_first() {
        let known = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let says = there_is("eu-west-11", known(&["ap-south-1", "eu-west-1", "us-east-1"]));
        assert_eq!(says, "there are eu-west-1, us-east-1, ap-south-1");
        let many: Vec<String> = (0..12).map(|number| format!("{number:02}")).collect();
        let says = there_is("11", many.into_iter().collect());
        assert!(says.starts_with("there are 11, ") && says.ends_with(" and 2 more"), "{says}");
        assert_eq!(there_is("x", BTreeSet::new()), "it has nothing");
    }
}
