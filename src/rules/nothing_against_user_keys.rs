use super::threats::stands_against;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{Extra, Kind, Severity, Standard};
use crate::protection::Threat;

pub(super) const RULE: Rule = Rule {
    id: "nothing-against-user-keys",
    title: "Something stands against a stolen user's keys",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[Extra::Policy, Extra::ObjectLock, Extra::Replication],
    standards: &[],
    explanation: "Whoever stole long-term keys that may do everything with objects and versions can delete every version. MFA \
        delete, Object Lock and a bucket policy that denies the deletion of versions, or demands MFA for it, stop \
        that; a copy in another account limits it. Service control policies, permissions and AWS Backup cannot be \
        seen from a bucket.",
    remediation: "Give the bucket Object Lock with default retention, or a bucket policy that demands MFA to delete versions, \
        or replicate it to a bucket of another account.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    stands_against(facts, Threat::UserKeys)
}
