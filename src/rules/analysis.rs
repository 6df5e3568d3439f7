//! What the lifecycle analyser says of a bucket's configuration, for the rules that ask for it.
//!
//! An organization puts one configuration on thousands of buckets, so equal ones are analysed once. Where the versioning
//! state is unknown every state is looked at: what holds in all of them holds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use time::Date;

use super::{BucketFacts, Verdict};
use crate::lifecycle::words::{does, scope_in_short};
use crate::lifecycle::{self, Action, ActionVerdict, Configuration, Versions, analyse};
use crate::model::{Doubt, Lifecycle, LifecycleConfiguration, Reading, RuleStatus, Versioning};
use crate::protection::Noncurrent;

/// Lifecycle rules that are kept with their verdicts: some 10 MB.
const KEPT: usize = 20_000;

/// The verdicts on the configurations met so far. What it has forgotten it analyses again, so nothing depends on it.
pub struct Analyses {
    today: Date,
    kept: RefCell<Kept>,
}

#[derive(Default)]
struct Kept {
    rules: usize,
    by_versions: HashMap<Versions, HashMap<Configuration, Rc<[ActionVerdict]>>>,
}

/// The verdicts in one versioning state.
pub(super) struct Judged {
    versions: Versions,
    verdicts: Rc<[ActionVerdict]>,
}

impl Analyses {
    /// `today`: the day on which the run began, in UTC.
    pub fn new(today: Date) -> Self {
        Self { today, kept: RefCell::default() }
    }

    fn of(&self, configuration: &Configuration, versions: Versions) -> Rc<[ActionVerdict]> {
        let mut kept = self.kept.borrow_mut();
        if let Some(verdicts) = kept.by_versions.get(&versions).and_then(|of| of.get(configuration)) {
            return verdicts.clone();
        }
        let verdicts: Rc<[ActionVerdict]> = analyse(configuration, versions, self.today).into();
        if kept.rules > KEPT {
            *kept = Kept::default();
        }
        kept.rules += configuration.rules.len();
        kept.by_versions.entry(versions).or_default().insert(configuration.clone(), verdicts.clone());
        verdicts
    }
}

/// Whether an action is what a rule looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// The analyser gave the action up.
    Open,
}

/// An action with its verdict in one versioning state.
pub(super) struct Case<'a> {
    pub configuration: &'a Configuration,
    pub versions: Versions,
    pub today: Date,
    pub rule: &'a lifecycle::Rule,
    pub action: &'a Action,
    pub verdict: lifecycle::Verdict,
    /// The rules that prevail; none where they depend on a versioning state that is unknown.
    pub by: &'a [usize],
}

impl Case<'_> {
    /// Yes where the verdict is one of these.
    pub fn is(&self, wanted: &[lifecycle::Verdict]) -> Answer {
        match self.verdict {
            lifecycle::Verdict::NotAnalysed => Answer::Open,
            verdict if wanted.contains(&verdict) => Answer::Yes,
            _ => Answer::No,
        }
    }

    /// Whether it does something to some objects.
    pub fn applies(&self) -> Answer {
        self.is(&[lifecycle::Verdict::Effective, lifecycle::Verdict::PartlyShadowed])
    }

    /// The same for an action that deletes. Of those that the analyser gave up at least one applies, because the first
    /// that is due ends the object: the answer is never open.
    pub fn deletes(&self) -> Answer {
        match self.applies() {
            Answer::Yes | Answer::Open => Answer::Yes,
            Answer::No => Answer::No,
        }
    }

    /// `rule b prevails`.
    pub fn prevailing(&self) -> String {
        let name = |rule: &usize| match &self.configuration.rules[*rule] {
            own if std::ptr::eq(own, self.rule) => "the rest of the rule itself".to_owned(),
            other => format!("rule {}", other.id),
        };
        match self.by {
            [] => "others prevail".to_owned(),
            [rule] => format!("{} prevails", name(rule)),
            rules => format!("{} prevail together", list(rules, " and ", name)),
        }
    }
}

/// `rule a (keys that begin with "logs/"): Expiration at 7 days`.
pub(super) fn words(case: &Case<'_>) -> String {
    let open = if case.applies() == Answer::Open { " (not analysed)" } else { "" };
    format!("rule {} ({}): {}{open}", case.rule.id, scope_in_short(&case.rule.filter), does(case.action))
}

impl BucketFacts<'_> {
    /// The verdicts on the bucket's configuration in every versioning state that it may be in.
    fn judged(&self, configuration: &Configuration) -> &[Judged] {
        self.judged.get_or_init(|| {
            let states = match self.versioning.known().map(|state| state.versioning) {
                Some(Versioning::Never) => vec![Versions::Unversioned],
                Some(Versioning::Enabled) => vec![Versions::Enabled],
                // What is left out of versioning has null versions, as in a suspended bucket.
                Some(Versioning::Suspended | Versioning::Partial(_)) => vec![Versions::Suspended],
                None => vec![Versions::Unversioned, Versions::Enabled, Versions::Suspended],
            };
            let judged = |versions| Judged { versions, verdicts: self.setting.analyses.of(configuration, versions) };
            states.into_iter().map(judged).collect()
        })
    }

    /// Passes where no action of the bucket's configuration is what the rule `asks` for. It fails where one is in every
    /// versioning state that the bucket may be in; `says` has the words for it.
    pub(super) fn no_action(&self, asks: fn(&Case<'_>) -> Answer, says: fn(&Case<'_>) -> String) -> Verdict {
        match self.lifecycle.known() {
            None => self.undecided(),
            Some(Lifecycle::None) => Verdict::Pass,
            Some(Lifecycle::Present(configuration)) => match reading(configuration) {
                Ok(read) => self.no_action_of(read, asks, says),
                Err(doubt) => self.undecided_with(doubt),
            },
        }
    }

    fn no_action_of(
        &self,
        configuration: &Configuration,
        asks: fn(&Case<'_>) -> Answer,
        says: fn(&Case<'_>) -> String,
    ) -> Verdict {
        let judged = self.judged(configuration);
        let (mut certain, mut depends, mut open) = (Vec::new(), false, false);
        for position in 0..judged[0].verdicts.len() {
            let asked =
                |wanted| judged.iter().filter(|it| asks(&self.case(configuration, it, position)) == wanted).count();
            let yes = asked(Answer::Yes);
            if yes == judged.len() {
                certain.push(position);
            } else if asked(Answer::Open) > 0 {
                open = true;
            } else {
                depends |= yes > 0;
            }
        }
        if !certain.is_empty() {
            let case = |position: &usize| {
                let case = self.case(configuration, &judged[0], *position);
                let agree = judged.iter().all(|it| it.verdicts[*position].by == case.by);
                if agree { case } else { Case { by: &[], ..case } }
            };
            Verdict::fail(list(&certain, "; ", |position| says(&case(position))))
        } else if open {
            self.undecided_with(Doubt::NotAnalysed("it is past the analyser's work limit".to_owned()))
        } else if depends {
            self.undecided_by_versioning()
        } else {
            Verdict::Pass
        }
    }

    fn case<'c>(&self, configuration: &'c Configuration, judged: &'c Judged, position: usize) -> Case<'c> {
        let ActionVerdict { rule, action, verdict, by } = &judged.verdicts[position];
        let rule = &configuration.rules[*rule];
        let (action, today) = (&rule.actions[*action], self.setting.analyses.today);
        Case { configuration, versions: judged.versions, today, rule, action, verdict: *verdict, by }
    }

    /// What lifecycle does to noncurrent versions. Several rules may be for one version: then the first that is due ends
    /// it, so it is safe only for the fewest days and with the fewest newer ones.
    pub(super) fn noncurrent(&self) -> Noncurrent {
        let configuration = match (self.lifecycle.known(), self.lifecycle.reason()) {
            (None, Some(reason)) => return Noncurrent::Unknown(Doubt::Unread(reason.clone())),
            (None | Some(Lifecycle::None), _) => return Noncurrent::Kept,
            (Some(Lifecycle::Present(configuration)), _) => configuration,
        };
        let configuration = match reading(configuration) {
            Ok(configuration) => configuration,
            Err(doubt) => return Noncurrent::Unknown(doubt),
        };
        let cases = self.judged(configuration).iter().flat_map(|judged| {
            (0..judged.verdicts.len()).map(move |position| self.case(configuration, judged, position))
        });
        let mut expirations: Vec<(u32, u32, String)> = Vec::new();
        for case in cases.filter(|case| case.deletes() == Answer::Yes) {
            if let Action::NoncurrentVersionExpiration { days, newer } = case.action {
                let expiration = (*days, *newer, words(&case));
                if !expirations.contains(&expiration) {
                    expirations.push(expiration);
                }
            }
        }
        let days = expirations.iter().map(|(days, _, _)| *days).min();
        let newer = expirations.iter().map(|(_, newer, _)| *newer).min();
        match (days, newer) {
            (Some(days), Some(newer)) => {
                Noncurrent::Expire { days, newer, by: list(&expirations, "; ", |(_, _, words)| words.clone()) }
            }
            (None, _) | (_, None) => Noncurrent::Kept,
        }
    }

    /// Every reason of every unknown fact, and this.
    pub(super) fn undecided_with(&self, doubt: Doubt) -> Verdict {
        let unread = self.versioning.reason().cloned().map(Doubt::Unread);
        Verdict::Unknown(unread.into_iter().chain([doubt]).collect())
    }
}

/// The configuration for the analyser; what is unreadable in disabled rules does nothing.
pub(super) fn reading(lifecycle: &LifecycleConfiguration) -> Result<&Configuration, Doubt> {
    const NOTHING: &Configuration = &Configuration { rules: Vec::new() };
    match &lifecycle.reading {
        Reading::Read(configuration) => Ok(configuration),
        Reading::Unreadable { .. } if lifecycle.rules.iter().all(|rule| rule.status == RuleStatus::Disabled) => {
            Ok(NOTHING)
        }
        Reading::Unreadable { why, .. } => Err(Doubt::NotAnalysed(why.clone())),
    }
}

/// The first few, and how many more.
pub(super) fn list<T>(items: &[T], separator: &str, words: impl Fn(&T) -> String) -> String {
    const NAMED: usize = 3;
    let mut named: Vec<String> = items.iter().take(NAMED).map(words).collect();
    if items.len() > NAMED {
        named.push(format!("{} more", items.len() - NAMED));
    }
    named.join(separator)
}
