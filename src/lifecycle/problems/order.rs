//! What S3 asks of the actions of one rule together: the order of their days or dates, and each storage class once.
//! Sources: answers of S3; S3 user guide, "Transitioning objects using Amazon S3 Lifecycle".

use time::Date;

use super::OfRule;
use crate::lifecycle::configuration::{Action, Rule, StorageClass, When};
use crate::lifecycle::history::reaches;
use crate::lifecycle::read::Code;
use crate::lifecycle::timeline::minimum_days;
use crate::model::Severity;

/// What a transition and what an expiration is called for these versions.
#[derive(Clone, Copy)]
struct Names {
    transition: &'static str,
    expiration: &'static str,
    days: &'static str,
}

const CURRENT: Names = Names { transition: "Transition", expiration: "Expiration", days: "Days" };
const NONCURRENT: Names = Names {
    transition: "NoncurrentVersionTransition",
    expiration: "NoncurrentVersionExpiration",
    days: "NoncurrentDays",
};

/// The actions of a rule for current or for noncurrent versions.
#[derive(Default)]
struct Plan {
    moves: Vec<(When, StorageClass)>,
    ends: Vec<When>,
}

impl OfRule<'_> {
    pub(super) fn combinations(&mut self, rule: &Rule) {
        let (mut current, mut noncurrent) = (Plan::default(), Plan::default());
        for action in &rule.actions {
            match *action {
                Action::Transition { when, to } => current.moves.push((when, to)),
                Action::Expiration(when) => current.ends.push(when),
                Action::NoncurrentVersionTransition { days, to, .. } => noncurrent.moves.push((When::Days(days), to)),
                Action::NoncurrentVersionExpiration { days, .. } => noncurrent.ends.push(When::Days(days)),
                Action::ExpiredObjectDeleteMarker(_) | Action::AbortIncompleteMultipartUpload { .. } => {}
            }
        }
        for (names, plan) in [(CURRENT, &current), (NONCURRENT, &noncurrent)] {
            self.each_class_once(names, plan);
            self.not_mixed(plan);
            self.transitions_in_order(names, plan);
            self.expiration_last(names, plan);
        }
    }

    fn each_class_once(&mut self, names: Names, plan: &Plan) {
        let mut classes: Vec<StorageClass> = plan.moves.iter().map(|(_, to)| *to).collect();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() < plan.moves.len() {
            let message = format!("'StorageClass' must be different for '{}' actions in same 'Rule'", names.transition);
            self.refuse(Code::InvalidRequest, message);
        }
    }

    fn not_mixed(&mut self, plan: &Plan) {
        let whens: Vec<When> = plan.moves.iter().map(|(when, _)| *when).chain(plan.ends.iter().copied()).collect();
        let dates = whens.iter().filter(|when| matches!(when, When::Date(_))).count();
        if dates > 0 && dates < whens.len() {
            let message = "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule";
            self.refuse(Code::InvalidRequest, message);
        }
    }

    /// The cheaper class must come later, and the dearer one be kept for its minimum duration.
    fn transitions_in_order(&mut self, names: Names, plan: &Plan) {
        let (mut in_days, mut on_dates): (Vec<_>, Vec<_>) =
            plan.moves.iter().copied().partition(|(when, _)| matches!(when, When::Days(_)));
        for moves in [&mut in_days, &mut on_dates] {
            // From dear to cheap: where neighbours are in order all are.
            moves.sort_by_key(|(_, to)| *to);
            for pair in moves.windows(2) {
                self.in_order(names, pair[0], pair[1]);
            }
        }
    }

    fn in_order(&mut self, names: Names, (first, from): (When, StorageClass), (second, to): (When, StorageClass)) {
        let Some(gap) = gap(first, second).filter(|_| from != to) else { return };
        if gap <= 0 {
            let message = format!(
                "'{field}' in the {action} action for StorageClass '{to}' must be greater than '{field}' in the {action} \
                 action for StorageClass '{from}'",
                field = field(names, first),
                action = names.transition,
            );
            self.refuse(Code::InvalidArgument, message);
        } else if reaches(from, to) && gap < i64::from(minimum_days(from)) {
            self.too_soon(names, (first, from), to);
        }
    }

    fn too_soon(&mut self, names: Names, (first, from): (When, StorageClass), to: StorageClass) {
        let days = minimum_days(from);
        match first {
            When::Days(_) => {
                let message = format!(
                    "'{}' in the '{action}' action for StorageClass '{to}' must be {days} days more than in the \
                     '{action}' action for StorageClass '{from}'",
                    names.days,
                    action = names.transition,
                );
                self.refuse(Code::InvalidArgument, message);
            }
            When::Date(date) => {
                let message = format!(
                    "what moves to {from} on {date} goes on to {to} within {days} days: {from} is charged for {days} \
                     days at least, and S3 refuses so short a time where it is given in days"
                );
                self.add(Severity::Low, message);
            }
        }
    }

    fn expiration_last(&mut self, names: Names, plan: &Plan) {
        let Some(end) = plan.ends.first() else { return };
        let is_late = |(when, _): &&(When, StorageClass)| gap(*when, *end).is_some_and(|gap| gap <= 0);
        if let Some((_, to)) = plan.moves.iter().find(is_late) {
            let field = field(names, *end);
            let message = format!(
                "'{field}' in the {} action must be greater than '{field}' in the {} action for StorageClass '{to}'",
                names.expiration, names.transition,
            );
            self.refuse(Code::InvalidArgument, message);
        }
    }
}

fn field(names: Names, when: When) -> &'static str {
    match when {
        When::Days(_) => names.days,
        When::Date(_) => "Date",
    }
}

/// Days from the one to the other; `None` between days and a date.
fn gap(one: When, other: When) -> Option<i64> {
    let between = |one: Date, other: Date| i64::from(other.to_julian_day()) - i64::from(one.to_julian_day());
    match (one, other) {
        (When::Days(one), When::Days(other)) => Some(i64::from(other) - i64::from(one)),
        (When::Date(one), When::Date(other)) => Some(between(one, other)),
        (When::Days(_), When::Date(_)) | (When::Date(_), When::Days(_)) => None,
    }
}
