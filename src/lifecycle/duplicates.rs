//! Rules that do one thing twice.

use time::Date;

use super::classes::{Budget, Exhausted};
use super::configuration::{Configuration, Versions};
use super::history::Act;
use super::overlap::{Overlap, overlap};
use super::search::Population;
use super::verdicts::{Contest, contests, work_limit};

/// Two rules of which some history executes actions together that ask for the same; by position, the first one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    pub rules: (usize, usize),
    /// Never [`Overlap::Disjoint`].
    pub overlap: Overlap,
}

/// The pairs that were found, in order, and whether these are all: a thousand rules make half a million pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duplicates {
    pub pairs: Vec<Duplicate>,
    pub is_cut: bool,
}

/// At most so many.
pub fn duplicates(configuration: &Configuration, versions: Versions, today: Date, most: usize) -> Duplicates {
    let mut found = Duplicates::default();
    let mut budget = Budget::new(work_limit(configuration));
    for contest in contests(configuration, versions, today) {
        if find(configuration, &contest, most, &mut found, &mut budget).is_err() {
            found.is_cut = true;
        }
    }
    // By the rule that stands later.
    found.pairs.sort_by_key(|pair| (pair.rules.1, pair.rules.0));
    found.pairs.dedup_by_key(|pair| pair.rules);
    found
}

fn find(
    configuration: &Configuration,
    contest: &Contest,
    most: usize,
    found: &mut Duplicates,
    budget: &mut Budget,
) -> Result<(), Exhausted> {
    let field = contest.field(configuration, budget)?;
    let rules = &contest.rules;
    for second in 0..rules.len() {
        for first in 0..second {
            let both: Vec<Act> = (contest.acts[first].iter())
                .flat_map(|one| contest.acts[second].iter().filter_map(|other| together(*one, *other)))
                .collect();
            budget.spend(1 + contest.acts[first].len() * contest.acts[second].len() / 4)?;
            if both.is_empty() {
                continue;
            }
            let scope = field.scope(&[first, second], budget)?;
            if scope.is_empty() {
                continue;
            }
            for act in both {
                if scope.applies(act, budget)? {
                    if found.pairs.len() >= most {
                        found.is_cut = true;
                        return Ok(());
                    }
                    let rules = (rules[first], rules[second]);
                    let [one, other] = [rules.0, rules.1].map(|rule| &configuration.rules[rule].filter);
                    // Uploads have neither tags nor a size: the prefixes decide.
                    let overlap = match contest.population {
                        Population::Uploads => Overlap::Certain,
                        Population::Objects(_) => overlap(one, other),
                    };
                    found.pairs.push(Duplicate { rules, overlap });
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What is executed where both are, if both ask for the same thing and can do so on one day: that of them which asks
/// for more.
fn together(one: Act, other: Act) -> Option<Act> {
    match (one, other) {
        // Whichever is due first, a delete marker that was put off is both their work.
        (Act::Expire { days }, Act::Expire { days: other }) => Some(Act::Expire { days: days.max(other) }),
        (Act::Move { days, to }, Act::Move { days: day, to: other }) => {
            (days == day && to == other).then_some(Act::Move { days, to })
        }
        (Act::ExpireNoncurrent { days, newer }, Act::ExpireNoncurrent { days: day, newer: more }) => {
            (days == day).then_some(Act::ExpireNoncurrent { days, newer: newer.max(more) })
        }
        (Act::MoveNoncurrent { days, newer, to }, Act::MoveNoncurrent { days: day, newer: more, to: other }) => {
            (days == day && to == other).then_some(Act::MoveNoncurrent { days, newer: newer.max(more), to })
        }
        (Act::Abort { days }, Act::Abort { days: day }) => (days == day).then_some(Act::Abort { days }),
        _ => None,
    }
}
