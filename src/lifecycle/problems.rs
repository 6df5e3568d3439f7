//! What is wrong with a configuration beside its verdicts: what S3 would refuse, what costs more than it seems, and what
//! is dangerous. And what becomes of an object day by day, from which the costs follow.
//!
//! Sources: answers of S3 to what it refuses; S3 user guide, "Lifecycle configuration elements", "Transitioning objects
//! using Amazon S3 Lifecycle", "Expiring objects", "How S3 Lifecycle interacts with other bucket configurations".

use std::collections::{BTreeMap, HashSet};

use time::Date;

use super::configuration::{Action, Configuration, Filter, Rule, StorageClass, Versions, When};
use super::history::reaches;
use super::read::{Code, Document};
use super::verdicts::{ActionVerdict, Verdict};
use crate::model::Severity;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// What S3 would answer, where it would refuse the configuration and its answer is known.
    pub code: Option<Code>,
    /// The rule's position in the configuration.
    pub rule: Option<usize>,
    pub message: String,
}

/// The bucket that the configuration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub versions: Versions,
    /// Whether MFA delete is on, where somebody says so.
    pub mfa_delete: Option<bool>,
    pub today: Date,
}

/// S3's limit, not adjustable.
const MOST_RULES: usize = 1_000;
/// 50 TB: no object is larger.
const LARGEST_OBJECT: u64 = 1_099_511_627_776_000;
/// Below, transitions leave objects alone unless the filter has a size.
const SMALL_OBJECT: u64 = 128 << 10;
/// Noncurrent versions that go within so many days leave little time to find out that they are needed.
const SOON: u32 = 7;
const EARLY: u32 = 30;

/// First what concerns the whole configuration, then rule by rule.
pub fn problems(document: &Document, verdicts: &[ActionVerdict], bucket: Bucket) -> Vec<Problem> {
    let mut found = Found::default();
    found.remarks(document);
    found.configuration(&document.configuration);
    found.old_schema(document);
    found.mfa_delete(&document.configuration, verdicts, bucket);
    for (index, rule) in document.configuration.rules.iter().enumerate() {
        let mut of_rule = OfRule { found: &mut found, index };
        of_rule.refused(rule);
        of_rule.combinations(rule);
        of_rule.dangers(rule, bucket);
    }
    found.growing(&document.configuration, bucket);
    found.costs(&document.configuration, bucket);
    if verdicts.iter().any(|verdict| verdict.verdict == Verdict::NotAnalysed) {
        found.add(
            Severity::Info,
            None,
            None,
            "the configuration is past the analyser's work limit: some verdicts are open",
        );
    }
    let mut problems = found.problems;
    problems.sort_by_key(|problem| problem.rule);
    problems
}

#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
}

impl Found {
    fn add(&mut self, severity: Severity, code: Option<Code>, rule: Option<usize>, message: impl Into<String>) {
        self.problems.push(Problem { severity, code, rule, message: message.into() });
    }

    /// What S3 would refuse keeps the whole configuration from taking effect.
    fn refused(&mut self, code: impl Into<Option<Code>>, rule: Option<usize>, message: impl Into<String>) {
        self.add(Severity::High, code.into(), rule, message);
    }

    fn remarks(&mut self, document: &Document) {
        for remark in &document.remarks {
            self.refused(remark.code, remark.rule, format!("line {}: {}", remark.place.line, remark.message));
        }
    }

    fn configuration(&mut self, configuration: &Configuration) {
        let rules = configuration.rules.len();
        if rules == 0 {
            self.refused(Code::InvalidRequest, None, "it has no rule: S3 wants at least one");
        } else if rules > MOST_RULES {
            self.refused(Code::InvalidRequest, None, format!("it has {rules} rules: S3 takes at most {MOST_RULES}"));
        }
    }

    fn old_schema(&mut self, document: &Document) {
        let rules = &document.configuration.rules;
        let old: Vec<usize> = (0..rules.len()).filter(|rule| document.old_schema[*rule]).collect();
        if old.len() < rules.len() {
            for rule in old {
                let message =
                    "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.";
                self.refused(Code::InvalidRequest, Some(rule), message);
            }
            return;
        }
        for rule in old {
            if rules[rule].actions.iter().any(|action| newer(action) > 0) {
                let message = "NewerNoncurrentVersions element can only be used in Lifecycle V2.";
                self.refused(Code::InvalidRequest, Some(rule), message);
            }
        }
        self.overlaps(rules);
    }

    /// Two rules of the old schema must not do the same to one key.
    fn overlaps(&mut self, rules: &[Rule]) {
        let mut of_action: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let names: HashSet<&str> = rule.actions.iter().map(name).collect();
            for name in names {
                of_action.entry(name).or_default().push((&rule.filter.prefix, index));
            }
        }
        for (action, mut prefixes) in of_action {
            prefixes.sort_unstable();
            // A prefix of any other is one of the next, too.
            for pair in prefixes.windows(2) {
                let ((outer, _), (inner, rule)) = (pair[0], pair[1]);
                if inner.starts_with(outer) {
                    let message =
                        format!("Found overlapping prefixes '{outer}' and '{inner}' for same action type '{action}'");
                    self.refused(Code::InvalidRequest, Some(rule), message);
                }
            }
        }
    }

    fn mfa_delete(&mut self, configuration: &Configuration, verdicts: &[ActionVerdict], bucket: Bucket) {
        let names = |rules: &[usize]| named(configuration, rules);
        match bucket.mfa_delete {
            None => {}
            Some(false) => self.add(
                Severity::Info,
                None,
                None,
                "MFA delete cannot be enabled while the bucket has a lifecycle configuration (409 InvalidBucketState; no \
                 exception for disabled rules is documented): the configuration has to be deleted first",
            ),
            Some(true) => {
                let deletes = |verdict: &&ActionVerdict| {
                    let action = &configuration.rules[verdict.rule].actions[verdict.action];
                    let for_good = matches!(action, Action::NoncurrentVersionExpiration { .. })
                        || (matches!(action, Action::Expiration(_)) && bucket.versions != Versions::Enabled);
                    for_good && matches!(verdict.verdict, Verdict::Effective | Verdict::PartlyShadowed)
                };
                let mut rules: Vec<usize> = verdicts.iter().filter(deletes).map(|verdict| verdict.rule).collect();
                rules.dedup();
                let conflict = "a lifecycle configuration and MFA delete exclude each other: S3 does not take the one \
                                while the bucket has the other";
                if rules.is_empty() {
                    self.add(Severity::High, None, None, format!("{conflict}; one of them has to go"));
                } else {
                    let message = format!(
                        "{conflict}; where a server has both, {} without any code what MFA delete keeps from being \
                         deleted",
                        match rules.len() {
                            1 => format!("rule {} deletes", names(&rules)),
                            _ => format!("rules {} delete", names(&rules)),
                        }
                    );
                    self.add(Severity::Critical, None, None, message);
                }
            }
        }
    }

    /// Expiration in a versioned bucket keeps what it expires, and adds a delete marker.
    fn growing(&mut self, configuration: &Configuration, bucket: Bucket) {
        if bucket.versions == Versions::Unversioned {
            return;
        }
        let deletes = |rule: &&Rule| {
            let is_it = |action: &Action| matches!(action, Action::NoncurrentVersionExpiration { .. });
            rule.enabled && rule.actions.iter().any(is_it)
        };
        let deleting: Vec<&Filter> = configuration.rules.iter().filter(deletes).map(|rule| &rule.filter).collect();
        for (index, rule) in configuration.rules.iter().take(MOST_RULES).enumerate() {
            let expires = rule.actions.iter().any(|action| matches!(action, Action::Expiration(_)));
            if rule.enabled && expires && !deleting.iter().any(|outer| contains(outer, &rule.filter)) {
                let message = "Expiration in a versioned bucket frees no space: it adds a delete marker and keeps the \
                               version, and no NoncurrentVersionExpiration covers the whole scope of this rule";
                self.add(Severity::Low, None, Some(index), message);
            }
        }
    }

    /// Storage classes that are left before their minimum duration is over.
    fn costs(&mut self, configuration: &Configuration, bucket: Bucket) {
        let mut told = HashSet::new();
        for scope in scopes(configuration, bucket.versions, bucket.today) {
            for early in scope.early.iter().filter(|early| !early.within_one_rule) {
                let Early { class, entered, left, rule, .. } = *early;
                let message = format!(
                    "what moves to {class} at {entered} days leaves it after {} days; {class} is charged for {} days \
                     at least",
                    left - entered,
                    minimum_days(class)
                );
                if told.insert((rule, message.clone())) {
                    self.add(Severity::Low, None, Some(rule), message);
                }
            }
        }
    }
}

struct OfRule<'a> {
    found: &'a mut Found,
    index: usize,
}

impl OfRule<'_> {
    fn refuse(&mut self, code: impl Into<Option<Code>>, message: impl Into<String>) {
        self.found.refused(code, Some(self.index), message);
    }

    fn add(&mut self, severity: Severity, message: impl Into<String>) {
        self.found.add(severity, None, Some(self.index), message);
    }

    /// Element by element.
    fn refused(&mut self, rule: &Rule) {
        use Code::{InvalidArgument, InvalidRequest};
        if rule.id.chars().count() > 255 {
            self.refuse(InvalidArgument, "ID length should not exceed allowed limit of 255");
        }
        if rule.actions.is_empty() {
            self.refuse(InvalidRequest, "At least one action needs to be specified in a rule");
        }
        let has_size = rule.filter.size_greater_than.or(rule.filter.size_less_than).is_some();
        for action in &rule.actions {
            match action {
                Action::Expiration(When::Days(0)) => {
                    self.refuse(InvalidArgument, "'Days' for Expiration action must be a positive integer");
                }
                Action::NoncurrentVersionExpiration { days: 0, .. } => {
                    let message = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
                    self.refuse(InvalidArgument, message);
                }
                Action::AbortIncompleteMultipartUpload { days } => {
                    if *days == 0 {
                        self.refuse(None, "DaysAfterInitiation must be positive");
                    }
                    if !rule.filter.tags.is_empty() {
                        self.refuse(InvalidRequest, "AbortIncompleteMultipartUpload cannot be specified with Tags.");
                    }
                    if has_size {
                        let message = "AbortIncompleteMultipartUpload cannot be specified with Object Size.";
                        self.refuse(InvalidRequest, message);
                    }
                }
                Action::ExpiredObjectDeleteMarker(_) => {
                    if !rule.filter.tags.is_empty() {
                        self.refuse(None, "ExpiredObjectDeleteMarker cannot be specified with tags");
                    }
                    if has_size {
                        self.refuse(InvalidRequest, "ExpiredObjectDeleteMarker cannot be specified with Object Size.");
                    }
                }
                Action::Expiration(_)
                | Action::Transition { .. }
                | Action::NoncurrentVersionExpiration { .. }
                | Action::NoncurrentVersionTransition { .. } => {}
            }
            if newer(action) > 100 {
                let message = "NewerNoncurrentVersions is documented for 1 to 100; larger numbers may be refused";
                self.add(Severity::Info, message);
            }
        }
        if rule.filter.size_less_than.is_some_and(|bytes| !(1..=LARGEST_OBJECT).contains(&bytes)) {
            self.refuse(InvalidRequest, "'ObjectSizeLessThan' should be between 1 and 1099511627776000.");
        }
        if rule.filter.size_greater_than.is_some_and(|bytes| bytes > LARGEST_OBJECT) {
            self.refuse(None, "ObjectSizeGreaterThan is more than any object has: 50 TB");
        }
        if let (Some(greater), Some(less)) = (rule.filter.size_greater_than, rule.filter.size_less_than)
            && less <= greater
        {
            let message = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.";
            self.refuse(InvalidRequest, message);
        }
    }

    /// What its actions are to each other.
    fn combinations(&mut self, rule: &Rule) {
        let mut moves: Vec<(When, StorageClass)> = Vec::new();
        let mut noncurrent: Vec<(u32, StorageClass)> = Vec::new();
        for action in &rule.actions {
            match *action {
                Action::Transition { when, to } => moves.push((when, to)),
                Action::NoncurrentVersionTransition { days, to, .. } => noncurrent.push((days, to)),
                _ => {}
            }
        }
        let of_current: Vec<StorageClass> = moves.iter().map(|(_, to)| *to).collect();
        let of_noncurrent: Vec<StorageClass> = noncurrent.iter().map(|(_, to)| *to).collect();
        for (action, mut classes) in [("Transition", of_current), ("NoncurrentVersionTransition", of_noncurrent)] {
            let all = classes.len();
            classes.sort_unstable();
            classes.dedup();
            if classes.len() < all {
                let message = format!("'StorageClass' must be different for '{action}' actions in same 'Rule'");
                self.refuse(Code::InvalidRequest, message);
            }
        }
        let expiration = rule.actions.iter().find_map(|action| match action {
            Action::Expiration(when) => Some(*when),
            _ => None,
        });
        let whens: Vec<When> = moves.iter().map(|(when, _)| *when).chain(expiration).collect();
        let dates = whens.iter().filter(|when| matches!(when, When::Date(_))).count();
        if dates > 0 && dates < whens.len() {
            let message = "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule";
            self.refuse(Code::InvalidRequest, message);
        }
        let is_late = |(when, _): &(When, StorageClass)| match (*when, expiration) {
            (When::Days(days), Some(When::Days(end))) => days >= end,
            (When::Date(date), Some(When::Date(end))) => date >= end,
            _ => false,
        };
        if let Some((_, to)) = moves.iter().find(|it| is_late(it)) {
            self.refuse(None, format!("Expiration must be later than the Transition to {to} of the same rule"));
        }
        let in_days = |(when, to): (When, StorageClass)| match when {
            When::Days(days) => Some((days, to)),
            When::Date(_) => None,
        };
        self.successive(moves.into_iter().filter_map(in_days).collect());
        self.successive(noncurrent);
    }

    /// Within one rule S3 wants each class to be kept for its minimum duration.
    fn successive(&mut self, mut moves: Vec<(u32, StorageClass)>) {
        moves.sort_unstable();
        for pair in moves.windows(2) {
            let ((entered, class), (left, to)) = (pair[0], pair[1]);
            if class != to && reaches(class, to) && left - entered < minimum_days(class) {
                let message = format!(
                    "within one rule {class} at {entered} days must be followed by {to} at {} days or later, not at \
                     {left}",
                    entered.saturating_add(minimum_days(class))
                );
                self.refuse(None, message);
            }
        }
    }

    fn dangers(&mut self, rule: &Rule, bucket: Bucket) {
        if !rule.enabled {
            return;
        }
        let is_whole_bucket = rule.filter == Filter::default();
        for action in &rule.actions {
            if let Action::Expiration(When::Date(date)) | Action::Transition { when: When::Date(date), .. } = action
                && *date <= bucket.today
            {
                let severity = if matches!(action, Action::Expiration(_)) { Severity::High } else { Severity::Medium };
                let message = format!(
                    "{} on {date}: the day has come, so it acts at once, and on every new object too",
                    name(action)
                );
                self.add(severity, message);
            }
            match *action {
                Action::Expiration(_) if bucket.versions == Versions::Unversioned && is_whole_bucket => {
                    let message = "it deletes every object of the bucket for good: no version is kept";
                    self.add(Severity::High, message);
                }
                Action::Expiration(_) if bucket.versions == Versions::Suspended => {
                    let message = "versioning is suspended: objects whose version id is null are deleted for good, the \
                                   others get a delete marker";
                    self.add(Severity::High, message);
                }
                Action::NoncurrentVersionExpiration { days, newer: 0 }
                    if days < EARLY && bucket.versions != Versions::Unversioned =>
                {
                    let severity = if days < SOON { Severity::Medium } else { Severity::Low };
                    let message = format!(
                        "noncurrent versions are deleted for good after {days} days and none is kept \
                         (NewerNoncurrentVersions): nothing older can be restored"
                    );
                    self.add(severity, message);
                }
                Action::Transition { to, .. } | Action::NoncurrentVersionTransition { to, .. } => {
                    let smallest = rule.filter.size_greater_than.map_or(0, |bytes| bytes.saturating_add(1));
                    let has_size = rule.filter.size_greater_than.or(rule.filter.size_less_than).is_some();
                    if has_size && smallest < SMALL_OBJECT {
                        let message = format!(
                            "its size filter lets objects below 128 KB move to {to}, which S3 leaves out otherwise: \
                             their requests and minimum sizes can cost more than is saved"
                        );
                        self.add(Severity::Low, message);
                    }
                }
                _ => {}
            }
        }
    }
}

fn newer(action: &Action) -> u32 {
    match action {
        Action::NoncurrentVersionExpiration { newer, .. } | Action::NoncurrentVersionTransition { newer, .. } => *newer,
        _ => 0,
    }
}

/// S3's name for the action; an `Expiration` of delete markers has one of its own here.
pub fn name(action: &Action) -> &'static str {
    match action {
        Action::Expiration(_) => "Expiration",
        Action::ExpiredObjectDeleteMarker(_) => "ExpiredObjectDeleteMarker",
        Action::Transition { .. } => "Transition",
        Action::NoncurrentVersionExpiration { .. } => "NoncurrentVersionExpiration",
        Action::NoncurrentVersionTransition { .. } => "NoncurrentVersionTransition",
        Action::AbortIncompleteMultipartUpload { .. } => "AbortIncompleteMultipartUpload",
    }
}

/// The first rules by their ids.
fn named(configuration: &Configuration, rules: &[usize]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> = rules.iter().take(SHOWN).map(|rule| configuration.rules[*rule].id.clone()).collect();
    if rules.len() > SHOWN {
        names.push(format!("{} more", rules.len() - SHOWN));
    }
    names.join(", ")
}

/// Days that are charged at least. Source: S3 user guide, "Transitioning objects using Amazon S3 Lifecycle".
fn minimum_days(class: StorageClass) -> u32 {
    match class {
        StorageClass::Standard | StorageClass::IntelligentTiering => 0,
        StorageClass::StandardIa | StorageClass::OnezoneIa => 30,
        StorageClass::GlacierIr | StorageClass::Glacier => 90,
        StorageClass::DeepArchive => 180,
    }
}

/// Whether every object that `inner` matches is one that `outer` matches.
fn contains(outer: &Filter, inner: &Filter) -> bool {
    let tags = outer.tags.iter().all(|(key, value)| inner.tags.get(key) == Some(value));
    let above = outer.size_greater_than.is_none_or(|bound| inner.size_greater_than.is_some_and(|it| it >= bound));
    let below = outer.size_less_than.is_none_or(|bound| inner.size_less_than.is_some_and(|it| it <= bound));
    inner.prefix.starts_with(&outer.prefix) && tags && above && below
}

/// What happens to the objects of a filter that no other rules match than those that match all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope<'a> {
    pub filter: &'a Filter,
    pub timelines: Vec<Timeline>,
    early: Vec<Early>,
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
struct Early {
    class: StorageClass,
    entered: u32,
    left: u32,
    /// That takes it away.
    rule: usize,
    /// Both by transitions of one rule: S3 refuses that.
    within_one_rule: bool,
}

/// Each filter of an enabled rule with actions once, in their order; those of the first rules, as many as S3 takes.
pub fn scopes(configuration: &Configuration, versions: Versions, today: Date) -> Vec<Scope<'_>> {
    let enabled = |(_, rule): &(usize, &Rule)| rule.enabled && !rule.actions.is_empty();
    let rules: Vec<(usize, &Rule)> = configuration.rules.iter().enumerate().filter(enabled).collect();
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut scopes = Vec::new();
    for (_, rule) in rules.iter().take(MOST_RULES) {
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
        let days = moves.iter().map(|act| act.days).chain(ends.iter().map(|act| act.days));
        match days.filter(|days| *days > day).min() {
            Some(next) => day = next,
            None => return steps,
        }
    }
}

/// GLACIER and `DEEP_ARCHIVE` go before `INTELLIGENT_TIERING`, that before the rest; otherwise the cheaper class.
fn preference(class: StorageClass) -> (bool, bool, StorageClass) {
    let is_archive = matches!(class, StorageClass::Glacier | StorageClass::DeepArchive);
    (is_archive, class == StorageClass::IntelligentTiering, class)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
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
