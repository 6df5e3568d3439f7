//! What becomes of an object day by day, as far as it is certain which rules match it: for people to look at, and for
//! what it costs.

use std::collections::HashSet;

use time::Date;

use super::configuration::{Action, Configuration, Filter, Rule, StorageClass, Versions};
use super::history::{preference, reaches};
use super::overlap::contains;
use super::problems::MOST_RULES;

/// What happens to the objects of a filter that no other rules match than those that match all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope<'a> {
    pub filter: &'a Filter,
    pub timelines: Vec<Timeline>,
    pub(super) early: Vec<Early>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    pub of: Life,
    pub steps: Vec<Step>,
}

/// Whose days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// From its creation.
    Object,
    /// In a suspended bucket: with the version id `null`.
    NullVersion,
    /// In a suspended bucket: from the time when versioning was enabled.
    OlderVersion,
    /// Since it became noncurrent, with at least so many newer noncurrent versions.
    Noncurrent {
        newer: u32,
    },
    Upload,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub day: u32,
    pub event: Event,
    /// The rules that want it, by position.
    pub rules: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Moved(StorageClass),
    /// It is noncurrent from here on.
    DeleteMarker,
    /// For good.
    Deleted,
    Aborted,
}

/// A class that is left before its minimum duration is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Early {
    pub class: StorageClass,
    pub entered: u32,
    pub left: u32,
    /// That takes it away.
    pub rule: usize,
    /// Both by transitions of one rule: S3 refuses that.
    pub within_one_rule: bool,
}

/// Each filter of an enabled rule with actions once, in their order; none of a configuration with more rules than S3
/// takes, which would need the square of their number.
pub fn scopes(configuration: &Configuration, versions: Versions, today: Date) -> Vec<Scope<'_>> {
    if configuration.rules.len() > MOST_RULES {
        return Vec::new();
    }
    let enabled = |(_, rule): &(usize, &Rule)| rule.enabled && !rule.actions.is_empty();
    let rules: Vec<(usize, &Rule)> = configuration.rules.iter().enumerate().filter(enabled).collect();
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut scopes = Vec::new();
    for (_, rule) in &rules {
        let filter = &rule.filter;
        if filter.is_empty_interval() || !seen.insert(format!("{filter:?}").into_bytes()) {
            continue;
        }
        let acts = Acts::of(&rules, filter, today);
        let timelines = acts.timelines(versions);
        if !timelines.is_empty() {
            scopes.push(Scope { filter, early: acts.early(versions), timelines });
        }
    }
    scopes
}

/// The actions that meet on the objects of a filter, by what they do; each with its days and its rule.
#[derive(Default)]
struct Acts {
    moves: Vec<Moving>,
    ends: Vec<Ending>,
    noncurrent_moves: Vec<Moving>,
    noncurrent_ends: Vec<Ending>,
    aborts: Vec<Ending>,
}

#[derive(Clone, Copy)]
struct Moving {
    days: u32,
    newer: u32,
    to: StorageClass,
    rule: usize,
}

#[derive(Clone, Copy)]
struct Ending {
    days: u32,
    newer: u32,
    rule: usize,
}

/// Whether what ends a version goes before a transition of the same day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    EndFirst,
    MoveFirst,
}

impl Acts {
    fn of(rules: &[(usize, &Rule)], filter: &Filter, today: Date) -> Self {
        let mut acts = Self::default();
        for (rule, other) in rules {
            let rule = *rule;
            if !filter.prefix.starts_with(&other.filter.prefix) {
                continue;
            }
            let is_certain = contains(&other.filter, filter);
            for action in &other.actions {
                match *action {
                    Action::AbortIncompleteMultipartUpload { days } => {
                        acts.aborts.push(Ending { days, newer: 0, rule });
                    }
                    _ if !is_certain => {}
                    Action::Expiration(when) => {
                        acts.ends.extend(when.days(today).map(|days| Ending { days, newer: 0, rule }));
                    }
                    Action::Transition { when, to } => {
                        acts.moves.extend(when.days(today).map(|days| Moving { days, newer: 0, to, rule }));
                    }
                    Action::NoncurrentVersionExpiration { days, newer } => {
                        acts.noncurrent_ends.push(Ending { days, newer, rule });
                    }
                    Action::NoncurrentVersionTransition { days, newer, to } => {
                        acts.noncurrent_moves.push(Moving { days, newer, to, rule });
                    }
                    Action::ExpiredObjectDeleteMarker(_) => {}
                }
            }
        }
        acts
    }

    fn current(&self, life: Life) -> Vec<Step> {
        let (order, event) = match life {
            Life::Object | Life::OlderVersion => (Order::MoveFirst, Event::DeleteMarker),
            _ => (Order::EndFirst, Event::Deleted),
        };
        follow(&self.moves, &self.ends, order, event, StorageClass::Standard)
    }

    fn noncurrent(&self, newer: u32, class: StorageClass) -> Vec<Step> {
        let moves: Vec<Moving> = self.noncurrent_moves.iter().copied().filter(|act| act.newer <= newer).collect();
        let ends: Vec<Ending> = self.noncurrent_ends.iter().copied().filter(|act| act.newer <= newer).collect();
        follow(&moves, &ends, Order::EndFirst, Event::Deleted, class)
    }

    fn lives(versions: Versions) -> &'static [Life] {
        match versions {
            Versions::Unversioned => &[Life::NullVersion],
            Versions::Enabled => &[Life::Object],
            Versions::Suspended => &[Life::NullVersion, Life::OlderVersion],
        }
    }

    fn timelines(&self, versions: Versions) -> Vec<Timeline> {
        let mut timelines = Vec::new();
        for life in Self::lives(versions) {
            // An unversioned bucket knows no other objects than those.
            let of = if versions == Versions::Unversioned { Life::Object } else { *life };
            timelines.push(Timeline { of, steps: self.current(*life) });
        }
        if versions != Versions::Unversioned {
            let mut counts: Vec<u32> = self.noncurrent_ends.iter().map(|act| act.newer).collect();
            counts.extend(self.noncurrent_moves.iter().map(|act| act.newer));
            counts.sort_unstable();
            counts.dedup();
            for newer in counts {
                let steps = self.noncurrent(newer, StorageClass::Standard);
                timelines.push(Timeline { of: Life::Noncurrent { newer }, steps });
            }
        }
        if let Some(day) = self.aborts.iter().map(|act| act.days).min() {
            let rules = self.aborts.iter().filter(|act| act.days == day).map(|act| act.rule).collect();
            timelines.push(Timeline { of: Life::Upload, steps: vec![Step { day, event: Event::Aborted, rules }] });
        }
        timelines.retain(|timeline| !timeline.steps.is_empty());
        timelines
    }

    fn early(&self, versions: Versions) -> Vec<Early> {
        let mut early = Vec::new();
        for life in Self::lives(versions) {
            let mut steps = self.current(*life);
            if let Some(Step { event: Event::DeleteMarker, day, .. }) = steps.last() {
                // Its days go on as a noncurrent version, with as many newer ones as the rules keep.
                let (day, class) = (*day, last_class(&steps));
                steps.pop();
                steps.extend(
                    self.noncurrent(u32::MAX, class)
                        .into_iter()
                        .map(|step| Step { day: day.saturating_add(step.day), ..step }),
                );
            }
            collect_early(&steps, &mut early);
        }
        if versions != Versions::Unversioned {
            collect_early(&self.noncurrent(u32::MAX, StorageClass::Standard), &mut early);
        }
        early
    }
}

fn last_class(steps: &[Step]) -> StorageClass {
    let class = |step: &Step| if let Event::Moved(class) = step.event { Some(class) } else { None };
    steps.iter().rev().find_map(class).unwrap_or(StorageClass::Standard)
}

fn collect_early(steps: &[Step], early: &mut Vec<Early>) {
    for pair in steps.windows(2) {
        let (entry, exit) = (&pair[0], &pair[1]);
        let Event::Moved(class) = entry.event else { continue };
        if exit.day - entry.day < minimum_days(class) {
            let is_move = matches!(exit.event, Event::Moved(_));
            early.push(Early {
                class,
                entered: entry.day,
                left: exit.day,
                rule: exit.rules[0],
                within_one_rule: is_move && exit.rules.iter().any(|rule| entry.rules.contains(rule)),
            });
        }
    }
}

/// One version, day by day: at most one thing happens on each.
fn follow(moves: &[Moving], ends: &[Ending], order: Order, end: Event, mut class: StorageClass) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut spent = vec![false; moves.len()];
    let mut day = 0;
    loop {
        let ending: Vec<usize> = ends.iter().filter(|act| act.days <= day).map(|act| act.rule).collect();
        let able: Vec<usize> = (0..moves.len())
            .filter(|act| !spent[*act] && moves[*act].days <= day && reaches(class, moves[*act].to))
            .collect();
        let winner = able.iter().map(|act| moves[*act].to).max_by_key(|to| preference(*to));
        match winner {
            Some(to) if ending.is_empty() || order == Order::MoveFirst => {
                let (executed, lost): (Vec<usize>, Vec<usize>) = able.into_iter().partition(|act| moves[*act].to == to);
                for act in lost {
                    spent[act] = true;
                }
                let mut rules: Vec<usize> = executed.into_iter().map(|act| moves[act].rule).collect();
                rules.dedup();
                steps.push(Step { day, event: Event::Moved(to), rules });
                class = to;
                day = day.saturating_add(1);
                continue;
            }
            _ if !ending.is_empty() => {
                let mut rules = ending;
                rules.dedup();
                steps.push(Step { day, event: end, rules });
                return steps;
            }
            _ => {}
        }
        // Only to a day on which something happens: there are as many others as acts.
        let awaited = moves.iter().enumerate().filter(|(act, it)| !spent[*act] && reaches(class, it.to));
        let days = awaited.map(|(_, act)| act.days).chain(ends.iter().map(|act| act.days));
        match days.filter(|days| *days > day).min() {
            Some(next) => day = next,
            None => return steps,
        }
    }
}

/// Days that are charged at least. Source: S3 user guide, "Transitioning objects using Amazon S3 Lifecycle".
pub(super) fn minimum_days(class: StorageClass) -> u32 {
    match class {
        StorageClass::Standard | StorageClass::IntelligentTiering => 0,
        StorageClass::StandardIa | StorageClass::OnezoneIa => 30,
        StorageClass::GlacierIr | StorageClass::Glacier => 90,
        StorageClass::DeepArchive => 180,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::lifecycle::When;
    use crate::lifecycle::history::{Act, executed};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        /// What the timelines show is what the analyser says is executed.
        #[test]
        fn timelines_agree_with_the_analyser(
            actions in proptest::collection::vec((0..6_u32, proptest::option::of(1..7_usize)), 1..6),
        ) {
            let rule = |(index, (days, class)): (usize, &(u32, Option<usize>))| {
                let when = When::Days(*days);
                let to = class.map(|class| StorageClass::ALL[class]);
                let action = to.map_or(Action::Expiration(when), |to| Action::Transition { when, to });
                Rule { id: index.to_string(), enabled: true, filter: Filter::default(), actions: vec![action] }
            };
            let configuration = Configuration { rules: actions.iter().enumerate().map(rule).collect() };
            let act = |(days, class): &(u32, Option<usize>)| match class {
                Some(class) => Act::Move { days: *days, to: StorageClass::ALL[*class] },
                None => Act::Expire { days: *days },
            };
            let acts: Vec<Act> = actions.iter().map(act).collect();
            for versions in [Versions::Unversioned, Versions::Enabled, Versions::Suspended] {
                let scopes = scopes(&configuration, versions, date!(2026 - 11 - 22));
                let steps = scopes.iter().flat_map(|scope| &scope.timelines).flat_map(|timeline| &timeline.steps);
                let shown: HashSet<usize> = steps.flat_map(|step| step.rules.iter().copied()).collect();
                let done = executed(&acts, versions);
                prop_assert_eq!(shown, (0..acts.len()).filter(|act| done[*act]).collect(), "{:?}", versions);
            }
        }
    }
}
