//! A verdict for every action, and the rules that prevail over it.

use std::collections::HashSet;

use time::Date;

use super::classes::{Budget, Exhausted};
use super::configuration::{Action, Configuration, Filter, StorageClass, Versions};
use super::history::Act;
use super::search::{Field, Population};

/// Steps of work for one configuration. Past it the verdict is [`Verdict::NotAnalysed`], so that no configuration holds
/// a scan up for more than 2 s.
const WORK_LIMIT: u64 = 25_000_000;
/// For fewer than 100 rules with at most 4 tag keys, which are never left open. The dearest that was found, with
/// up to 15 actions a rule and all of them within 8 days, took 2 s; that none takes longer is not proven.
const WORK_LIMIT_OF_FEW: u64 = 10 * WORK_LIMIT;

pub(super) fn work_limit(configuration: &Configuration) -> u64 {
    let keys: HashSet<&str> =
        configuration.rules.iter().flat_map(|rule| rule.filter.tags.keys()).map(String::as_str).collect();
    if configuration.rules.len() < 100 && keys.len() <= 4 { WORK_LIMIT_OF_FEW } else { WORK_LIMIT }
}

/// What an action does in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its rule is disabled.
    Disabled,
    /// It can do nothing, whatever the other rules are.
    NoEffect,
    /// It applies to no class of objects in its scope.
    NeverApplies,
    /// It applies to some classes of objects in its scope and not to others.
    PartlyShadowed,
    /// It applies to every class of objects in its scope.
    Effective,
    /// The configuration is past the analyser's work limit.
    NotAnalysed,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NoEffect => "no_effect",
            Self::NeverApplies => "never_applies",
            Self::PartlyShadowed => "partly_shadowed",
            Self::Effective => "effective",
            Self::NotAnalysed => "not_analysed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionVerdict {
    /// The rule's position in the configuration.
    pub rule: usize,
    /// The action's position in the rule.
    pub action: usize,
    pub verdict: Verdict,
    /// Positions of the rules that prevail, for `NeverApplies` and `PartlyShadowed`: without them the action applies to
    /// objects to which it does not apply now. None of them can be left out. It names the action's own rule where that
    /// rule's other actions have to go too. Empty where the filter asks for more tags than an object can have.
    pub by: Vec<usize>,
}

/// A verdict for every action of every rule, in their order.
pub fn analyse(configuration: &Configuration, versions: Versions, today: Date) -> Vec<ActionVerdict> {
    let mut budget = Budget::new(work_limit(configuration));
    let mut verdicts: Vec<ActionVerdict> = Vec::new();
    for (index, rule) in configuration.rules.iter().enumerate() {
        for (position, action) in rule.actions.iter().enumerate() {
            let verdict = match (decided(rule.enabled, &rule.filter, action, versions), act(action, today)) {
                (Some(verdict), _) => verdict,
                // A date that is yet to come is left out of shadowing; delete markers know none.
                (None, None) => Verdict::Effective,
                (None, Some(_)) => Verdict::NotAnalysed,
            };
            verdicts.push(ActionVerdict { rule: index, action: position, verdict, by: Vec::new() });
        }
    }
    for contest in contests(configuration, versions, today) {
        // What is past the limit stays as it was set above.
        let _ = contest.judge(configuration, &mut verdicts, &mut budget);
    }
    verdicts
}

/// The verdicts that need no look at the other rules.
fn decided(enabled: bool, filter: &Filter, action: &Action, versions: Versions) -> Option<Verdict> {
    let of_uploads = matches!(action, Action::AbortIncompleteMultipartUpload { .. });
    let of_versions = matches!(
        action,
        Action::NoncurrentVersionExpiration { .. }
            | Action::NoncurrentVersionTransition { .. }
            | Action::ExpiredObjectDeleteMarker(_)
    );
    // Nothing moves there.
    let to_standard = matches!(
        action,
        Action::Transition { to: StorageClass::Standard, .. }
            | Action::NoncurrentVersionTransition { to: StorageClass::Standard, .. }
    );
    if !enabled {
        Some(Verdict::Disabled)
    } else if *action == Action::ExpiredObjectDeleteMarker(false)
        || (of_versions && versions == Versions::Unversioned)
        || (!of_uploads && filter.is_empty_interval())
        || to_standard
    {
        Some(Verdict::NoEffect)
    } else if !of_uploads && filter.has_too_many_tags() {
        Some(Verdict::NeverApplies)
    } else {
        None
    }
}

fn act(action: &Action, today: Date) -> Option<Act> {
    Some(match *action {
        Action::Expiration(when) => Act::Expire { days: when.days(today)? },
        Action::ExpiredObjectDeleteMarker(_) => return None,
        Action::Transition { when, to } => Act::Move { days: when.days(today)?, to },
        Action::NoncurrentVersionExpiration { days, newer } => Act::ExpireNoncurrent { days, newer },
        Action::NoncurrentVersionTransition { days, newer, to } => Act::MoveNoncurrent { days, newer, to },
        Action::AbortIncompleteMultipartUpload { days } => Act::Abort { days },
    })
}

/// The actions that meet on the same objects.
pub(super) struct Contest {
    pub population: Population,
    /// Positions of the rules that have such actions.
    pub rules: Vec<usize>,
    pub acts: Vec<Vec<Act>>,
    /// For each of the acts its place among all actions of the configuration.
    places: Vec<Vec<usize>>,
}

/// That of objects and that of uploads.
pub(super) fn contests(configuration: &Configuration, versions: Versions, today: Date) -> [Contest; 2] {
    let mut contests = [Population::Objects(versions), Population::Uploads].map(|population| Contest {
        population,
        rules: Vec::new(),
        acts: Vec::new(),
        places: Vec::new(),
    });
    let mut place = 0;
    for (index, rule) in configuration.rules.iter().enumerate() {
        for action in &rule.actions {
            if let (None, Some(act)) = (decided(rule.enabled, &rule.filter, action, versions), act(action, today)) {
                let [objects, uploads] = &mut contests;
                let contest = if matches!(act, Act::Abort { .. }) { uploads } else { objects };
                contest.add(index, act, place);
            }
            place += 1;
        }
    }
    contests
}

impl Contest {
    fn add(&mut self, rule: usize, act: Act, place: usize) {
        if self.rules.last() != Some(&rule) {
            self.rules.push(rule);
            self.acts.push(Vec::new());
            self.places.push(Vec::new());
        }
        self.acts.last_mut().expect("there is a rule").push(act);
        self.places.last_mut().expect("there is a rule").push(place);
    }

    pub(super) fn field(&self, configuration: &Configuration, budget: &mut Budget) -> Result<Field<'_>, Exhausted> {
        let filters: Vec<&Filter> = self.rules.iter().map(|rule| &configuration.rules[*rule].filter).collect();
        Field::new(&filters, &self.acts, self.population, budget)
    }

    /// Judges one action after the other, as far as the budget goes.
    fn judge(
        &self,
        configuration: &Configuration,
        verdicts: &mut [ActionVerdict],
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let field = self.field(configuration, budget)?;
        for (rule, places) in self.places.iter().enumerate() {
            let scope = field.scope(&[rule], budget)?;
            for (act, place) in places.iter().enumerate() {
                let fate = scope.fate((rule, act), budget)?;
                let verdict = &mut verdicts[*place];
                verdict.verdict = match (fate.applies, &fate.lost_to) {
                    (_, None) => Verdict::Effective,
                    (true, Some(_)) => Verdict::PartlyShadowed,
                    (false, Some(_)) => Verdict::NeverApplies,
                };
                verdict.by = fate.lost_to.into_iter().flatten().map(|rule| self.rules[rule]).collect();
            }
        }
        Ok(())
    }
}
