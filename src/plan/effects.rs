//! What a lifecycle configuration does today, and what stops when it is removed, in words.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use time::Date;

use super::contents::contents;
use crate::lifecycle::words::{does, scope_in_short};
use crate::lifecycle::{Action, Configuration, Verdict, Versions, analyse};
use crate::model::{ActionKind, LifecycleConfiguration, Reading, RuleStatus};

/// What was found out about one configuration in one versioning state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Rules, disabled ones included.
    pub rules: usize,
    /// What they are, see [`contents`]; empty where they could not be analysed.
    pub contents: String,
    /// A line an action, as `bucketlens lifecycle check` judges it.
    pub today: Vec<String>,
    /// What happens no more without it.
    pub ends: Vec<&'static str>,
    /// Whether it deletes what is old: then it is there for retention.
    pub deletes: bool,
}

/// Configurations that are kept; an organization puts one on thousands of buckets.
const KEPT: usize = 1_000;
/// Lines for one configuration; S3 takes 1,000 rules.
const MOST_LINES: usize = 50;

/// The analyser with what it said so far. What it has forgotten it analyses again, so nothing depends on it.
#[derive(Debug)]
pub struct Analyst {
    today: Date,
    kept: RefCell<HashMap<(Versions, Configuration), Rc<Effects>>>,
}

impl Analyst {
    /// `today`: the day on which the run began, in UTC.
    pub fn new(today: Date) -> Self {
        Self { today, kept: RefCell::default() }
    }

    pub fn effects(&self, lifecycle: &LifecycleConfiguration, versions: Versions) -> Rc<Effects> {
        let configuration = match &lifecycle.reading {
            Reading::Read(configuration) => configuration,
            Reading::Unreadable { why, .. } => return Rc::new(unreadable(lifecycle, why)),
        };
        let key = (versions, configuration.clone());
        if let Some(effects) = self.kept.borrow().get(&key) {
            return Rc::clone(effects);
        }
        let effects = Rc::new(self.analysed(configuration, versions));
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&effects));
        effects
    }

    fn analysed(&self, configuration: &Configuration, versions: Versions) -> Effects {
        let mut found =
            Effects { rules: configuration.rules.len(), contents: contents(configuration), ..Effects::default() };
        for verdict in analyse(configuration, versions, self.today) {
            let rule = &configuration.rules[verdict.rule];
            let action = &rule.actions[verdict.action];
            let by: Vec<&str> = verdict.by.iter().map(|rule| configuration.rules[*rule].id.as_str()).collect();
            let by = if by.is_empty() { String::new() } else { format!(" by rule {}", by.join(", ")) };
            let words = match verdict.verdict {
                Verdict::Disabled => "disabled",
                Verdict::NoEffect => "no effect",
                Verdict::NeverApplies => "never applies",
                Verdict::PartlyShadowed => "partly shadowed",
                Verdict::Effective => "effective",
                Verdict::NotAnalysed => "not analysed",
            };
            let line = format!("rule {} ({}): {}: {words}{by}", rule.id, scope_in_short(&rule.filter), does(action));
            found.today.push(line);
            match verdict.verdict {
                Verdict::Effective | Verdict::PartlyShadowed | Verdict::NotAnalysed => found.add(action, versions),
                Verdict::Disabled | Verdict::NoEffect | Verdict::NeverApplies => {}
            }
        }
        if found.today.is_empty() {
            found.today.push("it has no action".to_owned());
        }
        if found.today.len() > MOST_LINES {
            let more = found.today.len() - MOST_LINES;
            found.today.truncate(MOST_LINES);
            found.today.push(format!("and {more} more actions: see bucketlens lifecycle check"));
        }
        found
    }
}

impl Effects {
    fn add(&mut self, action: &Action, versions: Versions) {
        let deletes = matches!(action, Action::Expiration(_) | Action::NoncurrentVersionExpiration { .. });
        self.deletes |= deletes;
        let end = match action {
            Action::Expiration(_) if versions == Versions::Unversioned => {
                "old objects are no longer deleted: all of them stay and are paid for"
            }
            Action::Expiration(_) => "old objects no longer expire: all of them stay current and are paid for",
            Action::NoncurrentVersionExpiration { .. } => {
                "noncurrent versions are no longer deleted: every one that is overwritten or deleted stays and is paid \
                 for, and only the root user with a code can delete it"
            }
            Action::Transition { .. } | Action::NoncurrentVersionTransition { .. } => {
                "nothing moves to another storage class any more: what comes from now on is charged as it was stored"
            }
            Action::AbortIncompleteMultipartUpload { .. } => {
                "incomplete uploads are no longer aborted: their parts stay and are paid for"
            }
            Action::ExpiredObjectDeleteMarker(_) => "lone delete markers are no longer removed",
        };
        if !self.ends.contains(&end) {
            self.ends.push(end);
        }
    }
}

/// What can be said without the analyser: what kinds of action its enabled rules have.
fn unreadable(lifecycle: &LifecycleConfiguration, why: &str) -> Effects {
    let enabled = |kind| lifecycle.rules.iter().any(|rule| rule.enabled_with(kind));
    let today = lifecycle.rules.iter().take(MOST_LINES).map(|rule| {
        let off = match &rule.status {
            RuleStatus::Enabled => "",
            RuleStatus::Disabled => " (disabled)",
            RuleStatus::Other(_) => " (of a status that S3 does not document)",
        };
        format!("rule {}{off}: not analysed", rule.id)
    });
    Effects {
        rules: lifecycle.rules.len(),
        contents: String::new(),
        today: std::iter::once(format!("it could not be analysed: {why}")).chain(today).collect(),
        ends: vec!["whatever its rules do happens no more"],
        deletes: enabled(ActionKind::Expiration) || enabled(ActionKind::NoncurrentVersionExpiration),
    }
}
