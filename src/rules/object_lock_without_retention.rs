use super::{BucketFacts, Rule, Verdict};
use crate::model::{Doubt, Extra, Kind, ObjectLock, Observed, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "object-lock-without-retention",
    title: "Object Lock has default retention",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[Extra::ObjectLock],
    standards: &[],
    explanation: "Object Lock is on, and there is neither default retention nor a default event hold: only what is uploaded with a retention of its own is \
        locked. Which objects are cannot be seen from the bucket.",
    remediation: "Set default retention, which is for new objects only: aws s3api put-object-lock-configuration --bucket NAME \
        --object-lock-configuration with Mode COMPLIANCE or GOVERNANCE and Days or Years.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let Some(object_lock) = &facts.extras.object_lock else { return Verdict::NotApplicable };
    match &object_lock.observed {
        Observed::Known(ObjectLock::None) => Verdict::NotApplicable,
        Observed::Known(ObjectLock::Enabled(lock)) if lock.days().is_some() => Verdict::Pass,
        Observed::Known(ObjectLock::Enabled(_)) => Verdict::fail("Object Lock is on without default retention"),
        Observed::Unknown(reason) => Verdict::Unknown(vec![Doubt::Unread(reason.clone())]),
    }
}
