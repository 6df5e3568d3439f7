use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::{Action, When};
use crate::model::{Kind, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-date-in-past",
    title: "No lifecycle action has a date that has come",
    kind: Kind::Advisory,
    severity: Severity::Medium,
    asks: &[],
    standards: &[],
    explanation: "An action with a Date does not act once: from that day on it acts every day, on everything the rule \
        matches, new objects included. What was meant as one sweep deletes or moves what was written yesterday.",
    remediation: "If the sweep is done, remove the rule or set its Status to Disabled; if the action is to go on, give \
        it Days instead of Date (s3:PutLifecycleConfiguration).",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    facts.no_action(has_come, |case| format!("{}, and every day since", analysis::words(case)))
}

fn has_come(case: &Case<'_>) -> Answer {
    match case.action {
        Action::Expiration(When::Date(date)) | Action::Transition { when: When::Date(date), .. }
            if *date <= case.today =>
        {
            case.applies()
        }
        _ => Answer::No,
    }
}
