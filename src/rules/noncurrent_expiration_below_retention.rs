use super::{BucketFacts, Rule, Verdict};
use crate::model::{Doubt, Extra, Kind, ObjectLock, Observed, Severity, Standard};
use crate::protection::Noncurrent;

pub(super) const RULE: Rule = Rule {
    id: "noncurrent-expiration-below-retention",
    title: "Noncurrent versions expire after their retention",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[Extra::ObjectLock],
    standards: &[],
    explanation: "NoncurrentVersionExpiration comes sooner than the default retention of Object Lock ends: locked versions are \
        not deleted before that, so they stay longer, and cost longer, than the lifecycle rule says.",
    remediation: "Make NoncurrentDays at least as long as the default retention, or know that retention decides.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let Some(object_lock) = &facts.extras.object_lock else { return Verdict::NotApplicable };
    let retention = match &object_lock.observed {
        Observed::Known(ObjectLock::None) => return Verdict::NotApplicable,
        Observed::Known(ObjectLock::Enabled(lock)) => match lock.days() {
            Some(days) => days,
            None => return Verdict::NotApplicable,
        },
        // Without such an action there is nothing that could come too soon.
        Observed::Unknown(_) if facts.noncurrent() == Noncurrent::Kept => return Verdict::NotApplicable,
        Observed::Unknown(reason) => return Verdict::Unknown(vec![Doubt::Unread(reason.clone())]),
    };
    match facts.noncurrent() {
        Noncurrent::Expire { days, by, .. } if days < retention => {
            Verdict::fail(format!("versions are retained for {retention} days, and {by}"))
        }
        Noncurrent::Kept | Noncurrent::Expire { .. } => Verdict::Pass,
        Noncurrent::Unknown(doubt) => Verdict::Unknown(vec![doubt]),
    }
}
