use super::threats::stands_against;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{Extra, Kind, Severity, Standard};
use crate::protection::Threat;

pub(super) const RULE: Rule = Rule {
    id: "nothing-against-script",
    title: "Something stands against a mistaken script",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[Extra::Policy, Extra::ObjectLock, Extra::Replication],
    standards: &[],
    explanation: "A program with a role's credentials that deletes or overwrites what was to be kept does so at once. Kept \
        versions and a copy in another account limit that; Object Lock, MFA delete and a bucket policy that denies \
        the deletion of versions stop it. Service control policies, permissions and AWS Backup cannot be seen from a \
        bucket.",
    remediation: "Enable versioning: aws s3api put-bucket-versioning --bucket NAME --versioning-configuration Status=Enabled, \
        and let NoncurrentDays leave time to notice a mistake.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    stands_against(facts, Threat::Script)
}
