//! What happens to an object, day by day, under the rules that match it.

use std::collections::BTreeSet;

use super::configuration::{StorageClass, Versions};

/// An action that can do something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Act {
    Expire { days: u32 },
    Move { days: u32, to: StorageClass },
    ExpireNoncurrent { days: u32, newer: u32 },
    MoveNoncurrent { days: u32, newer: u32, to: StorageClass },
    Abort { days: u32 },
}

/// Marks which of the acts some history of an object executes that all of them match.
pub(super) fn executed(acts: &[Act], versions: Versions) -> Vec<bool> {
    let mut done = vec![false; acts.len()];
    let mut classes = BTreeSet::new();
    match versions {
        Versions::Unversioned => {
            follow_current(acts, Deletion::Permanent, &mut done);
            return done;
        }
        Versions::Enabled => classes.extend(follow_current(acts, Deletion::Marker, &mut done)),
        // Null versions and versions from the time before live side by side.
        Versions::Suspended => {
            classes.extend(follow_current(acts, Deletion::Permanent, &mut done));
            classes.extend(follow_current(acts, Deletion::Marker, &mut done));
        }
    }
    let counts = counts(acts);
    for class in classes {
        for count in &counts {
            follow_noncurrent(acts, class, *count, &mut done);
        }
    }
    done
}

/// The numbers of newer noncurrent versions that make a difference: fewer than anybody asks for execute nothing.
fn counts(acts: &[Act]) -> BTreeSet<u32> {
    let newer = |act: &Act| match act {
        Act::ExpireNoncurrent { newer, .. } | Act::MoveNoncurrent { newer, .. } => Some(*newer),
        Act::Expire { .. } | Act::Move { .. } | Act::Abort { .. } => None,
    };
    acts.iter().filter_map(newer).collect()
}

/// An upload ends on the day of its first abort.
pub(super) fn executed_on_upload(acts: &[Act]) -> Vec<bool> {
    let days = |act: &Act| if let Act::Abort { days } = act { Some(*days) } else { None };
    let first = acts.iter().filter_map(days).min();
    acts.iter().map(|act| days(act).is_some() && days(act) == first).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Deletion {
    /// Before a transition of the same day.
    Permanent,
    /// A delete marker: after a transition of the same day.
    Marker,
}

/// The transitions of one version.
struct Moves {
    class: StorageClass,
    /// Eligible and reachable once, and lost the day to another class.
    spent: Vec<bool>,
}

impl Moves {
    fn new(class: StorageClass, acts: usize) -> Self {
        Self { class, spent: vec![false; acts] }
    }

    /// Moves the version if one of the transitions that are eligible today can; says whether it did.
    fn step(&mut self, eligible: &[(usize, StorageClass)], done: &mut [bool]) -> bool {
        let able: Vec<(usize, StorageClass)> =
            eligible.iter().copied().filter(|(act, to)| self.awaits(*act, *to)).collect();
        let Some(winner) = able.iter().map(|(_, to)| *to).max_by_key(|to| preference(*to)) else { return false };
        for (act, to) in able {
            if to == winner {
                done[act] = true;
            } else {
                self.spent[act] = true;
            }
        }
        self.class = winner;
        true
    }

    /// Whether this transition can still move the version on some day.
    fn awaits(&self, act: usize, to: StorageClass) -> bool {
        !self.spent[act] && reaches(self.class, to)
    }
}

/// Follows a current version from its creation; returns the classes in which it can become noncurrent.
fn follow_current(acts: &[Act], deletion: Deletion, done: &mut [bool]) -> BTreeSet<StorageClass> {
    let mut moves = Moves::new(StorageClass::Standard, acts.len());
    let mut classes = BTreeSet::from([moves.class]);
    let mut day = 0;
    loop {
        let expiring: Vec<usize> = eligible(acts, |act| matches!(act, Act::Expire { days } if *days <= day));
        if deletion == Deletion::Permanent && !expiring.is_empty() {
            mark(&expiring, done);
            return classes;
        }
        let moving: Vec<(usize, StorageClass)> = (acts.iter().enumerate())
            .filter_map(|(index, act)| match act {
                Act::Move { days, to } if *days <= day => Some((index, *to)),
                _ => None,
            })
            .collect();
        if moves.step(&moving, done) {
            classes.insert(moves.class);
            day = day.saturating_add(1);
            continue;
        }
        if !expiring.is_empty() {
            mark(&expiring, done);
            return classes;
        }
        // Only to a day on which something happens: there are as many others as acts.
        let days = acts.iter().enumerate().filter_map(|(index, act)| match act {
            Act::Expire { days } => Some(*days),
            Act::Move { days, to } => moves.awaits(index, *to).then_some(*days),
            Act::ExpireNoncurrent { .. } | Act::MoveNoncurrent { .. } | Act::Abort { .. } => None,
        });
        match days.filter(|days| *days > day).min() {
            Some(next) => day = next,
            None => return classes,
        }
    }
}

/// Follows a version from the day on which it became noncurrent in this class, with so many newer noncurrent versions.
fn follow_noncurrent(acts: &[Act], class: StorageClass, count: u32, done: &mut [bool]) {
    let mut moves = Moves::new(class, acts.len());
    let mut day = 0;
    loop {
        let expiring: Vec<usize> = eligible(
            acts,
            |act| matches!(act, Act::ExpireNoncurrent { days, newer } if *days <= day && *newer <= count),
        );
        if !expiring.is_empty() {
            mark(&expiring, done);
            return;
        }
        let moving: Vec<(usize, StorageClass)> = (acts.iter().enumerate())
            .filter_map(|(index, act)| match act {
                Act::MoveNoncurrent { days, newer, to } if *days <= day && *newer <= count => Some((index, *to)),
                _ => None,
            })
            .collect();
        if moves.step(&moving, done) {
            day = day.saturating_add(1);
            continue;
        }
        let days = acts.iter().enumerate().filter_map(|(index, act)| match act {
            Act::ExpireNoncurrent { days, newer } if *newer <= count => Some(*days),
            Act::MoveNoncurrent { days, newer, to } if *newer <= count && moves.awaits(index, *to) => Some(*days),
            _ => None,
        });
        match days.filter(|days| *days > day).min() {
            Some(next) => day = next,
            None => return,
        }
    }
}

fn mark(acts: &[usize], done: &mut [bool]) {
    for act in acts {
        done[*act] = true;
    }
}

fn eligible(acts: &[Act], is_eligible: impl Fn(&Act) -> bool) -> Vec<usize> {
    acts.iter().enumerate().filter(|(_, act)| is_eligible(act)).map(|(index, _)| index).collect()
}

/// `GLACIER` and `DEEP_ARCHIVE` go before `INTELLIGENT_TIERING`, that before the rest; otherwise the cheaper class.
pub(super) fn preference(class: StorageClass) -> u8 {
    match class {
        StorageClass::Standard => 0,
        StorageClass::StandardIa => 1,
        StorageClass::OnezoneIa => 2,
        StorageClass::GlacierIr => 3,
        StorageClass::IntelligentTiering => 4,
        StorageClass::Glacier => 5,
        StorageClass::DeepArchive => 6,
    }
}

/// Source: S3 user guide, "Transitioning objects using Amazon S3 Lifecycle", supported transitions.
pub(super) fn reaches(from: StorageClass, to: StorageClass) -> bool {
    use StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OnezoneIa, Standard, StandardIa};
    match from {
        Standard => to != Standard,
        StandardIa => matches!(to, IntelligentTiering | OnezoneIa | GlacierIr | Glacier | DeepArchive),
        IntelligentTiering => matches!(to, OnezoneIa | GlacierIr | Glacier | DeepArchive),
        OnezoneIa | GlacierIr => matches!(to, Glacier | DeepArchive),
        Glacier => to == DeepArchive,
        DeepArchive => false,
    }
}
