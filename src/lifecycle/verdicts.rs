//! A verdict for every action, and the rules that prevail over it.

use time::Date;

use super::classes::{Budget, Exhausted, Matching, matching_sets, matching_sets_of_uploads};
use super::configuration::{Action, Configuration, Filter, Versions};
use super::history::{Act, executed, executed_on_upload};

/// Steps of work for one configuration. Past it the verdict is [`Verdict::NotAnalysed`], so that no configuration holds
/// a scan up for more than 2 s.
const WORK_LIMIT: u64 = 15_000_000;

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
    /// rule's other actions have to go too.
    pub by: Vec<usize>,
}

/// A verdict for every action of every rule, in their order.
pub fn analyse(configuration: &Configuration, versions: Versions, today: Date) -> Vec<ActionVerdict> {
    let mut budget = Budget::new(WORK_LIMIT);
    let mut verdicts: Vec<ActionVerdict> = Vec::new();
    let mut players: Vec<Player> = Vec::new();
    for (index, rule) in configuration.rules.iter().enumerate() {
        for (position, action) in rule.actions.iter().enumerate() {
            let verdict = match (decided(rule.enabled, &rule.filter, action, versions), act(action, today)) {
                (Some(verdict), _) => verdict,
                // A date that is yet to come is left out of shadowing; delete markers know none.
                (None, None) => Verdict::Effective,
                (None, Some(act)) => {
                    players.push(Player { rule: index, verdict: verdicts.len(), act });
                    Verdict::NotAnalysed
                }
            };
            verdicts.push(ActionVerdict { rule: index, action: position, verdict, by: Vec::new() });
        }
    }
    let (uploads, objects): (Vec<Player>, Vec<Player>) =
        players.into_iter().partition(|player| matches!(player.act, Act::Abort { .. }));
    for (players, population) in [(objects, Population::Objects(versions)), (uploads, Population::Uploads)] {
        let filters: Vec<&Filter> = configuration.rules.iter().map(|rule| &rule.filter).collect();
        if let Ok(contest) = Contest::new(&players, &filters, population, &mut budget) {
            contest.judge(&mut verdicts, &mut budget);
        }
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
    if !enabled {
        Some(Verdict::Disabled)
    } else if *action == Action::ExpiredObjectDeleteMarker(false)
        || (of_versions && versions == Versions::Unversioned)
        || (!of_uploads && filter.is_empty_interval())
    {
        Some(Verdict::NoEffect)
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

/// An action that takes part.
#[derive(Debug, Clone, Copy)]
struct Player {
    rule: usize,
    /// Its place among the verdicts.
    verdict: usize,
    act: Act,
}

#[derive(Debug, Clone, Copy)]
enum Population {
    Objects(Versions),
    Uploads,
}

/// The actions that meet on the same objects, and on which.
struct Contest<'a> {
    players: &'a [Player],
    population: Population,
    /// For every set of rules that match some object together: the players of these rules, ascending.
    sets: Vec<Vec<usize>>,
}

/// What has to go for an action to apply: rules, and with its own rule that rule's other actions.
type Removed = Vec<usize>;

impl<'a> Contest<'a> {
    fn new(
        players: &'a [Player],
        filters: &[&Filter],
        population: Population,
        budget: &mut Budget,
    ) -> Result<Self, Exhausted> {
        let mut rules: Vec<usize> = players.iter().map(|player| player.rule).collect();
        rules.dedup();
        let filters: Vec<&Filter> = rules.iter().map(|rule| filters[*rule]).collect();
        let matching = match population {
            Population::Objects(_) => matching_sets(&filters, budget)?,
            Population::Uploads => matching_sets_of_uploads(&filters, budget)?,
        };
        let mut of_rule: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
        for (index, player) in players.iter().enumerate() {
            let position = rules.binary_search(&player.rule).expect("every player's rule is among them");
            of_rule[position].push(index);
        }
        let players_of =
            |set: Matching| set.into_iter().flat_map(|position| of_rule[position].iter().copied()).collect();
        Ok(Self { players, population, sets: matching.into_iter().map(players_of).collect() })
    }

    fn judge(&self, verdicts: &mut [ActionVerdict], budget: &mut Budget) {
        let Ok(results) = self.play(budget) else { return };
        for (index, (player, result)) in self.players.iter().zip(results).enumerate() {
            let verdict = &mut verdicts[player.verdict];
            if result.lost.is_empty() {
                verdict.verdict = Verdict::Effective;
            } else if let Ok(by) = self.prevailing(index, &result.lost, budget) {
                verdict.verdict = if result.applies { Verdict::PartlyShadowed } else { Verdict::NeverApplies };
                verdict.by = by;
            }
        }
    }

    /// For every player whether it applies somewhere, and the sets in which it does not.
    fn play(&self, budget: &mut Budget) -> Result<Vec<PlayerResult>, Exhausted> {
        let mut results = vec![PlayerResult::default(); self.players.len()];
        for (number, set) in self.sets.iter().enumerate() {
            for (player, done) in set.iter().zip(self.executed(set, budget)?) {
                if done {
                    results[*player].applies = true;
                } else {
                    results[*player].lost.push(number);
                }
            }
        }
        Ok(results)
    }

    fn executed(&self, players: &[usize], budget: &mut Budget) -> Result<Vec<bool>, Exhausted> {
        let acts: Vec<Act> = players.iter().map(|player| self.players[*player].act).collect();
        budget.spend(8 * acts.len() + 8)?;
        Ok(match self.population {
            Population::Objects(versions) => executed(&acts, versions),
            Population::Uploads => executed_on_upload(&acts),
        })
    }

    /// Whether the player applies in the set once these rules are gone.
    fn applies_without(
        &self,
        player: usize,
        set: usize,
        removed: &[usize],
        budget: &mut Budget,
    ) -> Result<bool, Exhausted> {
        let stays = |other: &usize| *other == player || !removed.contains(&self.players[*other].rule);
        let left: Vec<usize> = self.sets[set].iter().copied().filter(stays).collect();
        let done = self.executed(&left, budget)?;
        Ok(left.iter().zip(done).any(|(other, done)| *other == player && done))
    }

    /// A minimal list of rules without which the player applies where it does not now. `lost` are the sets in which it
    /// does not, small ones first.
    fn prevailing(&self, player: usize, lost: &[usize], budget: &mut Budget) -> Result<Removed, Exhausted> {
        // One rule explains most cases, and one is always minimal.
        for set in lost {
            for rule in self.rivals(player, *set) {
                if self.applies_without(player, *set, &[rule], budget)? {
                    return Ok(vec![rule]);
                }
            }
        }
        // Alone the player applies: without all its rivals in some set it does, and then as few as can be.
        let mut removed = self.rivals(player, lost[0]);
        while let Some(fewer) = self.fewer(player, lost, &removed, budget)? {
            removed = fewer;
        }
        Ok(removed)
    }

    /// The rules of a set that have an action beside the player, each once.
    fn rivals(&self, player: usize, set: usize) -> Removed {
        let others = self.sets[set].iter().filter(|other| **other != player);
        let mut rules: Removed = others.map(|other| self.players[*other].rule).collect();
        rules.dedup();
        rules
    }

    /// A part of the list that does as well, in whatever set; `None` when the list is minimal.
    fn fewer(
        &self,
        player: usize,
        lost: &[usize],
        removed: &[usize],
        budget: &mut Budget,
    ) -> Result<Option<Removed>, Exhausted> {
        for part in parts(removed) {
            for set in lost {
                if self.applies_without(player, *set, &part, budget)? {
                    return Ok(Some(part));
                }
            }
        }
        Ok(None)
    }
}

/// The lists to try in place of one: each with one name left out, and of a short list every part. Taking rules away is
/// not always a gain, so a part may do what a longer one does not.
fn parts(removed: &[usize]) -> Vec<Removed> {
    const SHORT: usize = 6;
    let mut parts: Vec<Removed> =
        (0..removed.len()).map(|left_out| [&removed[..left_out], &removed[left_out + 1..]].concat()).collect();
    if removed.len() <= SHORT {
        let of_bits = |bits: usize| -> Removed {
            removed.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, rule)| *rule).collect()
        };
        parts.extend((1..(1_usize << removed.len()) - 1).map(of_bits).filter(|part| part.len() + 1 < removed.len()));
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[derive(Debug, Clone, Default)]
struct PlayerResult {
    applies: bool,
    /// Sets in which it does not apply.
    lost: Vec<usize>,
}
