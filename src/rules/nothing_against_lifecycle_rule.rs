use super::threats::stands_against;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{Extra, Kind, Severity, Standard};
use crate::protection::Threat;

pub(super) const RULE: Rule = Rule {
    id: "nothing-against-lifecycle-rule",
    title: "Something stands against a mistaken lifecycle rule",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[Extra::Policy, Extra::ObjectLock, Extra::Replication],
    standards: &[],
    explanation: "A lifecycle rule that expires what was to be kept deletes without a request, and no policy stops it. MFA \
        delete and Object Lock do; kept versions and a copy in another account limit it. Service control policies, \
        permissions and AWS Backup cannot be seen from a bucket.",
    remediation: "Enable versioning and let NoncurrentDays leave time to notice a mistake, or give the bucket Object Lock with \
        default retention, which lifecycle respects.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    stands_against(facts, Threat::LifecycleRule)
}
