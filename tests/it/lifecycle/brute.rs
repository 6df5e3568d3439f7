//! What becomes of objects under a lifecycle configuration, by brute force: every class of objects, every history, day
//! by day. It is written from the lifecycle model alone and shares no code with the analyser.
//!
//! Where the model's text leaves room, a comment that begins with "Decided:" says which reading this is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use time::Date;

use super::{Action, ActionVerdict, Configuration, Filter, StorageClass, Verdict, Versions, When};

/// Up to this many names in `by`, every proper part of the list is tried; of longer ones, those with one name less.
const TRIED_IN_FULL: usize = 4;

/// All objects that every filter treats alike.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Class {
    key: String,
    tags: BTreeMap<String, String>,
    size: u64,
}

/// Every object class of the configuration.
/// Decided: filters of disabled rules count here, too. That splits classes without changing a verdict.
fn classes(configuration: &Configuration) -> Vec<Class> {
    let mut classes = Vec::new();
    for key in keys(configuration) {
        for tags in tags(configuration) {
            for size in sizes(configuration) {
                classes.push(Class { key: key.clone(), tags: tags.clone(), size });
            }
        }
    }
    classes
}

fn keys(configuration: &Configuration) -> BTreeSet<String> {
    let prefixes: BTreeSet<&str> = configuration.rules.iter().map(|rule| rule.filter.prefix.as_str()).collect();
    // In no prefix at all, so it starts no longer one.
    let unused = ('!'..=char::MAX).find(|character| prefixes.iter().all(|prefix| !prefix.contains(*character)));
    let unused = unused.expect("prefixes do not hold every character there is").to_string();
    let mut keys: BTreeSet<String> = prefixes.iter().map(|prefix| format!("{prefix}{unused}")).collect();
    keys.insert(unused);
    keys
}

fn tags(configuration: &Configuration) -> Vec<BTreeMap<String, String>> {
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in configuration.rules.iter().flat_map(|rule| &rule.filter.tags) {
        named.entry(key).or_default().insert(value);
    }
    let mut combinations = vec![BTreeMap::new()];
    for (key, values) in named {
        // Longer than each of them.
        let another = values.iter().copied().chain(["another"]).collect::<String>();
        let mut longer = Vec::new();
        for combination in combinations {
            for value in values.iter().copied().chain([another.as_str()]) {
                let mut tagged = combination.clone();
                tagged.insert(key.to_owned(), value.to_owned());
                longer.push(tagged);
            }
            longer.push(combination);
        }
        combinations = longer;
    }
    combinations
}

fn sizes(configuration: &Configuration) -> BTreeSet<u64> {
    let mut sizes = BTreeSet::from([0]);
    for filter in configuration.rules.iter().map(|rule| &rule.filter) {
        for bound in [filter.size_greater_than, filter.size_less_than].into_iter().flatten() {
            sizes.extend(bound.checked_sub(1));
            sizes.insert(bound);
            sizes.extend(bound.checked_add(1));
        }
    }
    sizes
}

fn prefix_matches(filter: &Filter, class: &Class) -> bool {
    class.key.starts_with(&filter.prefix)
}

fn size_matches(filter: &Filter, size: u64) -> bool {
    filter.size_greater_than.is_none_or(|bound| size > bound) && filter.size_less_than.is_none_or(|bound| size < bound)
}

fn matches(filter: &Filter, class: &Class) -> bool {
    prefix_matches(filter, class)
        && filter.tags.iter().all(|(key, value)| class.tags.get(key) == Some(value))
        && size_matches(filter, class.size)
}

fn reachable(from: StorageClass) -> &'static [StorageClass] {
    use StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OnezoneIa, Standard, StandardIa};
    match from {
        Standard => &[StandardIa, IntelligentTiering, OnezoneIa, GlacierIr, Glacier, DeepArchive],
        StandardIa => &[IntelligentTiering, OnezoneIa, GlacierIr, Glacier, DeepArchive],
        IntelligentTiering => &[OnezoneIa, GlacierIr, Glacier, DeepArchive],
        OnezoneIa | GlacierIr => &[Glacier, DeepArchive],
        Glacier => &[DeepArchive],
        DeepArchive => &[],
    }
}

/// Of two classes the one with the higher rank wins the day.
fn rank(class: StorageClass) -> u8 {
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

/// Actions of the configuration, each a bit by its place among all of them.
type Actions = u64;

/// What an action does from a day on.
#[derive(Debug, Clone, Copy)]
enum Effect {
    Expire {
        days: u32,
    },
    Move {
        days: u32,
        to: StorageClass,
    },
    ExpireNoncurrent {
        days: u32,
        newer: u32,
    },
    MoveNoncurrent {
        days: u32,
        newer: u32,
        to: StorageClass,
    },
    Abort {
        days: u32,
    },
    /// A date yet to come, or delete markers: neither takes part in shadowing.
    LeftOut,
}

impl Effect {
    fn of(action: &Action, today: Date) -> Self {
        let due = |when: When| match when {
            When::Days(days) => Some(days),
            // Decided: 0 at every age, though an object may be created before or after the date.
            When::Date(date) if date <= today => Some(0),
            When::Date(_) => None,
        };
        match *action {
            Action::Expiration(when) => due(when).map_or(Self::LeftOut, |days| Self::Expire { days }),
            Action::ExpiredObjectDeleteMarker(_) => Self::LeftOut,
            Action::Transition { when, to } => due(when).map_or(Self::LeftOut, |days| Self::Move { days, to }),
            Action::NoncurrentVersionExpiration { days, newer } => Self::ExpireNoncurrent { days, newer },
            Action::NoncurrentVersionTransition { days, newer, to } => Self::MoveNoncurrent { days, newer, to },
            Action::AbortIncompleteMultipartUpload { days } => Self::Abort { days },
        }
    }

    fn days(self) -> u32 {
        match self {
            Self::Expire { days }
            | Self::Move { days, .. }
            | Self::ExpireNoncurrent { days, .. }
            | Self::MoveNoncurrent { days, .. }
            | Self::Abort { days } => days,
            Self::LeftOut => 0,
        }
    }

    fn newer(self) -> u32 {
        match self {
            Self::ExpireNoncurrent { newer, .. } | Self::MoveNoncurrent { newer, .. } => newer,
            Self::Expire { .. } | Self::Move { .. } | Self::Abort { .. } | Self::LeftOut => 0,
        }
    }
}

/// What Expiration means to a current version.
#[derive(Debug, Clone, Copy)]
enum Expiry {
    /// Unversioned, or suspended and a null version.
    Deletes,
    /// Enabled, or suspended and not a null version.
    PutsDeleteMarker,
}

/// Where a version is, and what it may not follow any more.
struct Version {
    class: StorageClass,
    spent: Actions,
}

impl Version {
    fn new(class: StorageClass) -> Self {
        Self { class, spent: 0 }
    }

    /// Moves it for the day, if one of the eligible transitions can: those that asked for this.
    /// Decided: spent is an action, not a class, so that another transition to the same class may still come; and a
    /// spent one is eligible no more, so it is not executed either when that other one is.
    fn transition(&mut self, eligible: &[(Actions, StorageClass)]) -> Option<Actions> {
        let open: Vec<(Actions, StorageClass)> = eligible
            .iter()
            .copied()
            .filter(|(action, to)| self.spent & action == 0 && reachable(self.class).contains(to))
            .collect();
        let best = open.iter().map(|(_, to)| *to).max_by_key(|to| rank(*to))?;
        let mut executed = 0;
        for (action, to) in open {
            if to == best {
                executed |= action;
            } else {
                self.spent |= action;
            }
        }
        self.class = best;
        Some(executed)
    }
}

/// Every history of every object class of one configuration.
pub struct Oracle<'a> {
    configuration: &'a Configuration,
    versions: Versions,
    today: Date,
    /// Rule and action within it, for each bit of [`Actions`].
    places: Vec<(usize, usize)>,
    effects: Vec<Effect>,
    /// For each object class the actions that have it in their scope; classes of which that is the same have the same
    /// histories whatever is removed, so they stand here once.
    classes: BTreeSet<Actions>,
    /// A day after which nothing can happen any more.
    last_day: u32,
    most_newer: u32,
    known: HashMap<Actions, Actions>,
    /// What was executed together, because it asks for the same.
    together: RefCell<BTreeSet<Actions>>,
    /// What was done to the object that is followed: the day, and the class it moved to or `None` for its end.
    done: RefCell<Vec<(u32, Option<StorageClass>)>>,
}

impl<'a> Oracle<'a> {
    pub fn new(configuration: &'a Configuration, versions: Versions, today: Date) -> Self {
        let mut places = Vec::new();
        let mut effects = Vec::new();
        for (rule, actions) in configuration.rules.iter().map(|rule| &rule.actions).enumerate() {
            for (action, it) in actions.iter().enumerate() {
                places.push((rule, action));
                effects.push(Effect::of(it, today));
            }
        }
        assert!(places.len() <= 64, "more actions than bits");
        let mut oracle = Self {
            configuration,
            versions,
            today,
            classes: BTreeSet::new(),
            // Once every action is eligible, a day without an event is followed by none with one. A version moves at
            // most six times; one event more ends it.
            last_day: effects.iter().map(|effect| effect.days()).max().unwrap_or(0) + 8,
            most_newer: effects.iter().map(|effect| effect.newer()).max().unwrap_or(0),
            places,
            effects,
            known: HashMap::new(),
            together: RefCell::default(),
            done: RefCell::default(),
        };
        oracle.classes = classes(configuration).iter().map(|class| oracle.matching(class)).collect();
        oracle
    }

    /// The actions of enabled rules that have the class in their scope.
    fn matching(&self, class: &Class) -> Actions {
        let mut matching = 0;
        for (place, (rule, action)) in self.places.iter().enumerate() {
            let rule = &self.configuration.rules[*rule];
            let in_scope = match rule.actions[*action] {
                Action::AbortIncompleteMultipartUpload { .. } => prefix_matches(&rule.filter, class),
                Action::Expiration(_)
                | Action::ExpiredObjectDeleteMarker(_)
                | Action::Transition { .. }
                | Action::NoncurrentVersionExpiration { .. }
                | Action::NoncurrentVersionTransition { .. } => matches(&rule.filter, class),
            };
            if rule.enabled && in_scope {
                matching |= 1 << place;
            }
        }
        matching
    }

    /// Those of the actions whose effect is one that `eligible` takes.
    fn those(&self, actions: Actions, eligible: impl Fn(Effect) -> bool) -> Actions {
        let mut those = 0;
        for (place, effect) in self.effects.iter().enumerate() {
            if actions & (1 << place) != 0 && eligible(*effect) {
                those |= 1 << place;
            }
        }
        those
    }

    /// As `those`, for transitions: with their classes.
    fn moves(
        &self,
        actions: Actions,
        eligible: impl Fn(Effect) -> Option<StorageClass>,
    ) -> Vec<(Actions, StorageClass)> {
        let places = self.effects.iter().enumerate().filter(|(place, _)| actions & (1 << place) != 0);
        places.filter_map(|(place, effect)| eligible(*effect).map(|to| (1 << place, to))).collect()
    }

    /// What at least one history of an object executes for which these are the actions that match.
    fn executed(&mut self, matching: Actions) -> Actions {
        if let Some(executed) = self.known.get(&matching) {
            return *executed;
        }
        let mut executed = self.follow_upload(matching);
        let expiries: &[Expiry] = match self.versions {
            Versions::Unversioned => &[Expiry::Deletes],
            Versions::Enabled => &[Expiry::PutsDeleteMarker],
            Versions::Suspended => &[Expiry::Deletes, Expiry::PutsDeleteMarker],
        };
        for expiry in expiries {
            let (of_current, noncurrent_in) = self.follow_current(matching, *expiry);
            executed |= of_current;
            if self.versions == Versions::Unversioned {
                continue;
            }
            // Decided: a null version of a suspended bucket becomes noncurrent like any other. It makes no difference:
            // until it is deleted its history is that of the others.
            for class in noncurrent_in {
                for newer in 0..=self.most_newer + 1 {
                    executed |= self.follow_noncurrent(matching, class, newer);
                }
            }
        }
        self.known.insert(matching, executed);
        executed
    }

    /// What is executed on a current version, and every class in which it may become noncurrent.
    fn follow_current(&self, matching: Actions, expiry: Expiry) -> (Actions, BTreeSet<StorageClass>) {
        let mut version = Version::new(StorageClass::Standard);
        let mut executed = 0;
        let mut noncurrent_in = BTreeSet::new();
        for age in 0..=self.last_day {
            // Its user's act comes before the lifecycle action of the day.
            noncurrent_in.insert(version.class);
            let expirations = self.those(matching, |effect| matches!(effect, Effect::Expire { days } if days <= age));
            let moves = self.moves(matching, |effect| match effect {
                Effect::Move { days, to } if days <= age => Some(to),
                Effect::Move { .. }
                | Effect::Expire { .. }
                | Effect::ExpireNoncurrent { .. }
                | Effect::MoveNoncurrent { .. }
                | Effect::Abort { .. }
                | Effect::LeftOut => None,
            });
            match expiry {
                Expiry::Deletes if expirations != 0 => return (executed | self.day(age, expirations), noncurrent_in),
                Expiry::Deletes | Expiry::PutsDeleteMarker => {}
            }
            if let Some(moved) = version.transition(&moves) {
                executed |= self.day(age, moved);
                continue;
            }
            // Decided: an Expiration that a transition put off is not spent; the text says so of transitions only.
            if expirations != 0 {
                // Under the delete marker it is noncurrent in the class it has, which was noted above.
                return (executed | self.day(age, expirations), noncurrent_in);
            }
        }
        (executed, noncurrent_in)
    }

    /// What is executed on a version since it became noncurrent, with so many newer noncurrent ones.
    /// Decided: day 0 counts whatever happened that day to the version while it was current.
    fn follow_noncurrent(&self, matching: Actions, class: StorageClass, newer: u32) -> Actions {
        let mut version = Version::new(class);
        let mut executed = 0;
        let has = newer;
        for day in 0..=self.last_day {
            // Decided: "whatever its NewerNoncurrentVersions" is said of eligible actions; one that asks for more newer
            // versions than there are is not eligible.
            let expirations = self.those(
                matching,
                |effect| matches!(effect, Effect::ExpireNoncurrent { days, newer } if days <= day && newer <= has),
            );
            if expirations != 0 {
                return executed | self.day(day, expirations);
            }
            let moves = self.moves(matching, |effect| match effect {
                Effect::MoveNoncurrent { days, newer, to } if days <= day && newer <= has => Some(to),
                Effect::MoveNoncurrent { .. }
                | Effect::Expire { .. }
                | Effect::Move { .. }
                | Effect::ExpireNoncurrent { .. }
                | Effect::Abort { .. }
                | Effect::LeftOut => None,
            });
            // Decided: "chosen as above" holds for being spent, too.
            executed |= version.transition(&moves).map_or(0, |moved| self.day(day, moved));
        }
        executed
    }

    /// Notes what is executed on one day.
    fn day(&self, day: u32, executed: Actions) -> Actions {
        let class = match self.effects[executed.trailing_zeros() as usize] {
            Effect::Move { to, .. } | Effect::MoveNoncurrent { to, .. } => Some(to),
            Effect::Expire { .. } | Effect::ExpireNoncurrent { .. } | Effect::Abort { .. } | Effect::LeftOut => None,
        };
        self.done.borrow_mut().push((day, class));
        self.together.borrow_mut().insert(executed);
        executed
    }

    /// What becomes of every object of every class in every history, without these actions: rule and action within it.
    pub fn outcomes(&self, without: &[(usize, usize)]) -> Vec<Vec<(u32, Option<StorageClass>)>> {
        let gone = without.iter().fold(0, |gone, (rule, action)| gone | (1 << self.place(*rule, *action)));
        let mut outcomes = Vec::new();
        for class in &self.classes {
            let matching = class & !gone;
            let mut note = |run: &dyn Fn()| {
                self.done.borrow_mut().clear();
                run();
                outcomes.push(self.done.borrow().clone());
            };
            note(&|| {
                self.follow_upload(matching);
            });
            for expiry in [Expiry::Deletes, Expiry::PutsDeleteMarker] {
                note(&|| {
                    self.follow_current(matching, expiry);
                });
            }
            for start in StorageClass::ALL {
                for newer in 0..=self.most_newer + 1 {
                    note(&|| {
                        self.follow_noncurrent(matching, start, newer);
                    });
                }
            }
        }
        outcomes
    }

    /// Pairs of rules of which some history executes actions together.
    pub fn duplicates(&mut self) -> BTreeSet<(usize, usize)> {
        self.known.clear();
        self.together.borrow_mut().clear();
        for class in self.classes.clone() {
            self.executed(class);
        }
        let together = self.together.borrow();
        let rules = |day: &Actions| -> Vec<usize> {
            (0..self.places.len()).filter(|place| day & (1 << place) != 0).map(|place| self.places[place].0).collect()
        };
        let pairs = |rules: Vec<usize>| {
            let all = rules.iter().flat_map(|one| rules.iter().map(move |other| (*one, *other)));
            all.filter(|(one, other)| one < other).collect::<Vec<_>>()
        };
        together.iter().flat_map(|day| pairs(rules(day))).collect()
    }

    /// Pairs of rules that have some class of objects both in their scope.
    pub fn overlapping(configuration: &Configuration) -> BTreeSet<(usize, usize)> {
        let rules = &configuration.rules;
        let all = (0..rules.len()).flat_map(|one| (0..one).map(move |other| (other, one)));
        let classes = classes(configuration);
        let meet = |(one, other): &(usize, usize)| {
            classes.iter().any(|class| matches(&rules[*one].filter, class) && matches(&rules[*other].filter, class))
        };
        all.filter(meet).collect()
    }

    fn follow_upload(&self, matching: Actions) -> Actions {
        for day in 0..=self.last_day {
            let aborts = self.those(matching, |effect| matches!(effect, Effect::Abort { days } if days <= day));
            if aborts != 0 {
                return self.day(day, aborts);
            }
        }
        0
    }

    /// Rule, action within it, verdict: for every action of every rule, in order.
    pub fn verdicts(&mut self) -> Vec<(usize, usize, Verdict)> {
        (0..self.places.len())
            .map(|place| {
                let (rule, action) = self.places[place];
                (rule, action, self.verdict(place))
            })
            .collect()
    }

    fn verdict(&mut self, place: usize) -> Verdict {
        let (rule, action) = self.places[place];
        if !self.configuration.rules[rule].enabled {
            return Verdict::Disabled;
        }
        if self.has_no_effect(rule, action) {
            return Verdict::NoEffect;
        }
        match self.configuration.rules[rule].actions[action] {
            Action::Expiration(When::Date(date)) | Action::Transition { when: When::Date(date), .. }
                if date > self.today =>
            {
                return Verdict::Effective;
            }
            // No shadowing is computed for it.
            Action::ExpiredObjectDeleteMarker(_) => return Verdict::Effective,
            Action::Expiration(_)
            | Action::Transition { .. }
            | Action::NoncurrentVersionExpiration { .. }
            | Action::NoncurrentVersionTransition { .. }
            | Action::AbortIncompleteMultipartUpload { .. } => {}
        }
        let bit = 1 << place;
        let scope: Vec<Actions> = self.classes.iter().copied().filter(|class| class & bit != 0).collect();
        let applies_to = scope.iter().filter(|class| self.executed(**class) & bit != 0).count();
        assert!(!scope.is_empty(), "an interval that is not empty holds a size");
        if applies_to == 0 {
            Verdict::NeverApplies
        } else if applies_to < scope.len() {
            Verdict::PartlyShadowed
        } else {
            Verdict::Effective
        }
    }

    fn has_no_effect(&self, rule: usize, action: usize) -> bool {
        let rule = &self.configuration.rules[rule];
        let empty = sizes(self.configuration).iter().all(|size| !size_matches(&rule.filter, *size));
        let unversioned = self.versions == Versions::Unversioned;
        match rule.actions[action] {
            Action::Expiration(_) | Action::Transition { .. } => empty,
            // Decided: with an empty size interval it does nothing, though delete markers have no size.
            Action::ExpiredObjectDeleteMarker(set) => empty || !set || unversioned,
            Action::NoncurrentVersionExpiration { .. } | Action::NoncurrentVersionTransition { .. } => {
                empty || unversioned
            }
            // Decided: its scope is taken by prefix only, so the sizes cannot make it empty.
            Action::AbortIncompleteMultipartUpload { .. } => false,
        }
    }

    /// Whether, without the rules named, the action applies to a class to which it did not apply before.
    /// Decided: a rule that is named goes as a whole, the action's own one but for the action; the classes are those of
    /// the configuration before.
    fn helps(&mut self, place: usize, named: &[usize]) -> bool {
        let mut gone = 0;
        for (other, (rule, _)) in self.places.iter().enumerate() {
            if other != place && named.contains(rule) {
                gone |= 1 << other;
            }
        }
        let bit = 1 << place;
        let scope: Vec<Actions> = self.classes.iter().copied().filter(|class| class & bit != 0).collect();
        scope.into_iter().any(|class| self.executed(class) & bit == 0 && self.executed(class & !gone) & bit != 0)
    }

    /// Every list of rules that may stand beside the verdict, each in order, shorter ones first.
    pub fn lists(&mut self, rule: usize, action: usize) -> Vec<Vec<usize>> {
        let place = self.place(rule, action);
        match self.verdict(place) {
            Verdict::NeverApplies | Verdict::PartlyShadowed => {}
            Verdict::Disabled | Verdict::NoEffect | Verdict::Effective | Verdict::NotAnalysed => return Vec::new(),
        }
        let rules = &self.configuration.rules;
        let enabled: Vec<usize> = (0..rules.len()).filter(|rule| rules[*rule].enabled).collect();
        let mut lists: Vec<Vec<usize>> = Vec::new();
        let mut candidates = parts(&enabled);
        candidates.sort_by_key(Vec::len);
        for candidate in candidates {
            let minimal = !lists.iter().any(|list| list.iter().all(|name| candidate.contains(name)));
            if minimal && self.helps(place, &candidate) {
                lists.push(candidate);
            }
        }
        lists
    }

    fn place(&self, rule: usize, action: usize) -> usize {
        self.places.iter().position(|place| *place == (rule, action)).expect("an action of the configuration")
    }

    /// What is wrong with an analyser's verdicts, a line for each mistake.
    pub fn check(&mut self, given: &[ActionVerdict]) -> Vec<String> {
        let wanted = self.verdicts();
        let order: Vec<(usize, usize)> = given.iter().map(|given| (given.rule, given.action)).collect();
        if order != self.places {
            return vec![format!("verdicts for {order:?} instead of {:?}", self.places)];
        }
        let mut mistakes = Vec::new();
        for (given, (rule, action, verdict)) in given.iter().zip(wanted) {
            if given.verdict != verdict {
                mistakes.push(format!(
                    "rule {rule} action {action}: {:?} by {:?} is given, {verdict:?} is right",
                    given.verdict, given.by
                ));
            } else if let Err(mistake) = self.check_by(given) {
                let lists = self.lists(rule, action);
                mistakes.push(format!(
                    "rule {rule} action {action}: {verdict:?} by {:?} {mistake}; any of {lists:?} is right",
                    given.by
                ));
            }
        }
        mistakes
    }

    /// Takes the verdict as right.
    /// Decided: the order of the names is free.
    fn check_by(&mut self, given: &ActionVerdict) -> Result<(), String> {
        let by = &given.by;
        match given.verdict {
            Verdict::NeverApplies | Verdict::PartlyShadowed if by.is_empty() => return Err("names nothing".to_owned()),
            Verdict::NeverApplies | Verdict::PartlyShadowed => {}
            Verdict::Disabled | Verdict::NoEffect | Verdict::Effective | Verdict::NotAnalysed if by.is_empty() => {
                return Ok(());
            }
            Verdict::Disabled | Verdict::NoEffect | Verdict::Effective | Verdict::NotAnalysed => {
                return Err("should be empty".to_owned());
            }
        }
        for (position, name) in by.iter().enumerate() {
            match self.configuration.rules.get(*name) {
                None => return Err(format!("names {name}, which is no rule")),
                Some(rule) if !rule.enabled => return Err(format!("names {name}, which is disabled")),
                Some(_) if by[..position].contains(name) => return Err(format!("names {name} twice")),
                Some(_) => {}
            }
        }
        let place = self.place(given.rule, given.action);
        if !self.helps(place, by) {
            return Err("does not make it apply to more".to_owned());
        }
        let shorter = if by.len() <= TRIED_IN_FULL {
            parts(by)
        } else {
            by.iter().map(|name| by.iter().copied().filter(|other| other != name).collect()).collect()
        };
        for part in shorter.into_iter().filter(|part| part.len() < by.len()) {
            if self.helps(place, &part) {
                return Err(format!("could be {part:?}"));
            }
        }
        Ok(())
    }
}

/// Every part of a list, itself and the empty one among them.
fn parts(list: &[usize]) -> Vec<Vec<usize>> {
    let mut parts = vec![Vec::new()];
    for name in list {
        for part in parts.clone() {
            parts.push(part.into_iter().chain([*name]).collect());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::strategy::TODAY;
    use super::super::{
        Rule, abort, disabled, every, expire, expire_noncurrent, noncurrent_to, rule, sized, tagged, to,
    };
    use super::*;

    fn configuration(rules: impl IntoIterator<Item = Rule>) -> Configuration {
        Configuration { rules: rules.into_iter().collect() }
    }

    /// What objects execute that all of the actions match, in order of the actions.
    fn executed(versions: Versions, actions: impl IntoIterator<Item = Action>) -> Vec<bool> {
        let configuration = configuration([rule("", actions)]);
        let mut oracle = Oracle::new(&configuration, versions, TODAY);
        let all = oracle.places.len();
        let executed = oracle.executed((1 << all) - 1);
        (0..all).map(|place| executed & (1 << place) != 0).collect()
    }

    #[test]
    fn keys_are_one_for_each_prefix_and_one_for_none() {
        let keys = |prefixes: &[&str]| keys(&configuration(prefixes.iter().map(|prefix| rule(prefix, []))));
        let of = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<String>>();
        assert_eq!(keys(&["a", "a/", "ab", "a"]), of(&["a!", "a/!", "ab!", "!"]));
        assert_eq!(keys(&["", "b"]), of(&["!", "b!"]));
        assert_eq!(keys(&["!", "a\""]), of(&["!#", "a\"#", "#"]));
    }

    #[test]
    fn tags_are_every_combination_of_values_another_and_none() {
        let rules = [tagged(&[("k", "1")], abort(1)), tagged(&[("k", "2"), ("l", "1")], abort(1))];
        let combinations = tags(&configuration(rules));
        assert_eq!(combinations.len(), (2 + 1 + 1) * (1 + 1 + 1));
        let count = |key: &str, value: Option<&str>| {
            combinations.iter().filter(|tags| tags.get(key).map(String::as_str) == value).count()
        };
        assert_eq!([count("k", None), count("k", Some("1")), count("k", Some("2"))], [3, 3, 3]);
        assert_eq!([count("l", None), count("l", Some("1"))], [4, 4]);
        assert_eq!(tags(&configuration([every(abort(1))])), [BTreeMap::new()]);
    }

    #[test]
    fn sizes_are_those_around_each_bound() {
        let of = |rules: &[Rule]| sizes(&configuration(rules.to_vec())).into_iter().collect::<Vec<u64>>();
        assert_eq!(of(&[every(abort(1))]), [0]);
        assert_eq!(of(&[sized(Some(0), None, []), sized(Some(5), Some(9), [])]), [0, 1, 4, 5, 6, 8, 9, 10]);
        assert_eq!(of(&[sized(Some(u64::MAX), None, [])]), [0, u64::MAX - 1, u64::MAX]);
    }

    #[test]
    fn the_class_of_an_object_is_what_matches_it() {
        let configuration = configuration([
            rule("a", [expire(1), abort(1)]),
            tagged(&[("k", "1")], expire(2)),
            disabled(every(expire(3))),
            Rule {
                filter: Filter { size_greater_than: Some(5), ..Filter::default() },
                ..rule("", [expire(4), abort(4)])
            },
        ]);
        let oracle = Oracle::new(&configuration, Versions::Enabled, TODAY);
        // Bits: 0 and 1 the first rule, 2 the second, 3 is disabled, 4 and 5 the last, whose abort matches always.
        let wanted = [0b10_0000, 0b11_0000, 0b10_0100, 0b11_0100];
        assert_eq!(oracle.classes, wanted.into_iter().flat_map(|class| [class, class | 0b11]).collect());
    }

    #[test]
    fn a_current_version_goes_from_class_to_class_until_it_ends() {
        use StorageClass::{DeepArchive, Glacier, OnezoneIa, StandardIa};
        // Day 1 STANDARD_IA, 2 ONEZONE_IA, 3 DEEP_ARCHIVE, whence nothing goes to GLACIER; 4 the end.
        let actions =
            || [to(StandardIa, 1), to(OnezoneIa, 2), to(DeepArchive, 3), to(Glacier, 3), expire(4), expire(5)];
        for versions in [Versions::Unversioned, Versions::Enabled, Versions::Suspended] {
            assert_eq!(executed(versions, actions()), [true, true, true, false, true, false], "{versions:?}");
        }
        let configuration = configuration([rule("", actions())]);
        let oracle = Oracle::new(&configuration, Versions::Enabled, TODAY);
        let (_, noncurrent_in) = oracle.follow_current(0b11_1111, Expiry::PutsDeleteMarker);
        assert_eq!(noncurrent_in, BTreeSet::from([StorageClass::Standard, StandardIa, OnezoneIa, DeepArchive]));
    }

    #[test]
    fn a_null_version_is_deleted_where_another_is_moved() {
        let actions = [to(StorageClass::StandardIa, 5), expire(5), expire(6)];
        let configuration = configuration([rule("", actions)]);
        let oracle = Oracle::new(&configuration, Versions::Suspended, TODAY);
        assert_eq!(oracle.follow_current(0b111, Expiry::Deletes).0, 0b010);
        assert_eq!(oracle.follow_current(0b111, Expiry::PutsDeleteMarker).0, 0b111);
    }

    #[test]
    fn a_noncurrent_version_keeps_its_number_of_newer_ones() {
        use StorageClass::{DeepArchive, Glacier, GlacierIr, Standard};
        let actions = [noncurrent_to(GlacierIr, 0, 0), noncurrent_to(DeepArchive, 1, 2), expire_noncurrent(2, 1)];
        let configuration = configuration([rule("", actions)]);
        let oracle = Oracle::new(&configuration, Versions::Enabled, TODAY);
        assert_eq!(oracle.follow_noncurrent(0b111, Standard, 0), 0b001);
        assert_eq!(oracle.follow_noncurrent(0b111, Standard, 1), 0b101);
        assert_eq!(oracle.follow_noncurrent(0b111, Standard, 2), 0b111);
        assert_eq!(oracle.follow_noncurrent(0b111, Standard, 3), 0b111);
        assert_eq!(oracle.follow_noncurrent(0b111, Glacier, 2), 0b110);
        assert_eq!(oracle.follow_noncurrent(0b111, DeepArchive, 2), 0b100);
        assert_eq!(oracle.most_newer, 2);
    }

    #[test]
    fn verdicts_and_names_that_are_wrong_are_noticed() {
        let configuration = configuration([
            every(expire(5)),
            every(expire(6)),
            every(expire(10)),
            disabled(every(expire(1))),
            every(abort(1)),
        ]);
        let mut oracle = Oracle::new(&configuration, Versions::Enabled, TODAY);
        let right: Vec<ActionVerdict> = [
            (Verdict::Effective, vec![]),
            (Verdict::NeverApplies, vec![0]),
            (Verdict::NeverApplies, vec![1, 0]),
            (Verdict::Disabled, vec![]),
            (Verdict::Effective, vec![]),
        ]
        .into_iter()
        .enumerate()
        .map(|(rule, (verdict, by))| ActionVerdict { rule, action: 0, verdict, by })
        .collect();
        assert_eq!(oracle.check(&right), Vec::<String>::new());
        assert_eq!(oracle.lists(2, 0), [[0, 1]]);
        assert!(oracle.check(&right[1..])[0].starts_with("verdicts for"));

        let mut with = |rule: usize, verdict, by: &[usize]| {
            let mut given = right.clone();
            given[rule] = ActionVerdict { rule, action: 0, verdict, by: by.to_vec() };
            oracle.check(&given).join("; ")
        };
        assert_eq!(
            with(1, Verdict::PartlyShadowed, &[0]),
            "rule 1 action 0: PartlyShadowed by [0] is given, NeverApplies is right"
        );
        for (by, mistake) in [
            (&[] as &[usize], "names nothing"),
            (&[0], "does not make it apply to more"),
            (&[0, 1, 4], "could be [0, 1]"),
            (&[0, 1, 3], "names 3, which is disabled"),
            (&[0, 1, 5], "names 5, which is no rule"),
            (&[0, 0, 1], "names 0 twice"),
            (&[0, 1, 2], "could be [0, 1]"),
        ] {
            let wanted = format!("rule 2 action 0: NeverApplies by {by:?} {mistake}; any of [[0, 1]] is right");
            assert_eq!(with(2, Verdict::NeverApplies, by), wanted);
        }
        assert!(with(0, Verdict::Effective, &[1]).contains("should be empty"));
    }

    #[test]
    fn a_list_with_a_part_that_is_enough_is_noticed() {
        let configuration = configuration([
            rule("", [Action::Expiration(When::Date(TODAY)), expire(3)]),
            rule("", [to(StorageClass::Glacier, 2), expire(1)]),
            rule("", [expire(1), to(StorageClass::StandardIa, 1)]),
        ]);
        let mut oracle = Oracle::new(&configuration, Versions::Enabled, TODAY);
        for (by, helps) in [(vec![0], true), (vec![0, 1], false), (vec![0, 2], false), (vec![1, 2], false)] {
            assert_eq!(oracle.helps(1, &by), helps, "{by:?}");
        }
        let given = ActionVerdict { rule: 0, action: 1, verdict: Verdict::NeverApplies, by: vec![0, 1, 2] };
        assert_eq!(oracle.check_by(&given), Err("could be [0]".to_owned()));
    }

    #[test]
    fn parts_are_every_choice() {
        assert_eq!(parts(&[1, 2]), [vec![], vec![1], vec![2], vec![1, 2]]);
    }
}
