use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::words::does;
use crate::lifecycle::{self, Action, Versions};
use crate::model::{Kind, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-transition-too-late",
    title: "No lifecycle transition comes after the expiration of what it is to move",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[],
    standards: &[],
    explanation: "A transition never happens, because the objects or versions that it is to move are expired before, or \
        on the same day where that deletes them for good: somebody pays for storage that was to be archived, or \
        believes in an archive that does not exist.",
    remediation: "Move the transition before the expiration, or the expiration after it, or remove the transition. On a \
        bucket with MFA delete S3 takes no configuration.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    facts.no_action(too_late, words).informs_under_mfa_delete(facts)
}

fn too_late(case: &Case<'_>) -> Answer {
    match case.action {
        Action::Transition { .. } | Action::NoncurrentVersionTransition { .. } => match case.applies() {
            Answer::No if expired_before(case).is_some() => Answer::Yes,
            Answer::Open => Answer::Open,
            Answer::No | Answer::Yes => Answer::No,
        },
        _ => Answer::No,
    }
}

fn words(case: &Case<'_>) -> String {
    let before = match expired_before(case) {
        Some((own, expiration)) if std::ptr::eq(own, case.rule) => format!("its own {}", does(expiration)),
        Some((other, expiration)) => format!("{} of rule {}", does(expiration), other.id),
        None => "an expiration".to_owned(),
    };
    format!("{} never happens, {before} comes first", analysis::words(case))
}

/// The expiration, among the rules that prevail, that leaves nothing to a transition which never applies.
pub(super) fn expired_before<'a>(case: &Case<'a>) -> Option<(&'a lifecycle::Rule, &'a Action)> {
    if case.verdict != lifecycle::Verdict::NeverApplies {
        return None;
    }
    let is_before = |expiration: &Action| match (case.action, expiration) {
        (Action::Transition { when, .. }, Action::Expiration(end)) => {
            let (move_on, end) = (when.days(case.today), end.days(case.today));
            // On the same day a transition goes before a delete marker.
            end.is_some() && if case.versions == Versions::Enabled { end < move_on } else { end <= move_on }
        }
        (
            Action::NoncurrentVersionTransition { days, newer, .. },
            Action::NoncurrentVersionExpiration { days: end, newer: kept },
        ) => end <= days && kept <= newer,
        _ => false,
    };
    let rules = case.by.iter().map(|rule| &case.configuration.rules[*rule]);
    let mut actions = rules.flat_map(|rule| rule.actions.iter().map(move |action| (rule, action)));
    actions.find(|(_, action)| is_before(action))
}
