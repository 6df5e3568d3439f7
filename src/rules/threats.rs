//! What the rules about threats have in common.

use super::{BucketFacts, Verdict};
use crate::protection::{Outcome, State, Threat};

/// Passes where something stops the threat, or limits what it does.
pub(super) fn stands_against(facts: &BucketFacts<'_>, threat: Threat) -> Verdict {
    let Some(protection) = facts.asked_protection() else { return Verdict::NotApplicable };
    let answer = protection.answer(threat);
    match answer.outcome {
        Outcome::Stopped | Outcome::Limited => Verdict::Pass,
        // What is known limits it, whatever the rest is.
        Outcome::Unknown if !answer.by.is_empty() => Verdict::Pass,
        Outcome::Unknown => Verdict::Unknown(answer.doubts.clone()),
        Outcome::Nothing => {
            let mut facts = Vec::new();
            for control in &protection.controls {
                let fact = match &control.state {
                    State::Present { fact, .. } => format!("{fact}, which does not help against this"),
                    State::Absent(why) => why.clone(),
                    State::Unknown(_) => continue,
                };
                if !facts.contains(&fact) {
                    facts.push(fact);
                }
            }
            Verdict::fail(facts.join("; "))
        }
    }
}
