use super::threats::stands_against;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{Extra, Kind, Severity, Standard};
use crate::protection::Threat;

pub(super) const RULE: Rule = Rule {
    id: "nothing-against-administrator",
    title: "Something stands against an attacker with administrator credentials",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[Extra::Policy, Extra::ObjectLock, Extra::Replication],
    standards: &[],
    explanation: "An attacker who may do whatever IAM can allow in the account, and is not its root user, can delete every \
        version. MFA delete and Object Lock in mode COMPLIANCE stop that, a copy in another account limits it. \
        Service control policies, permissions and AWS Backup cannot be seen from a bucket.",
    remediation: "Give the bucket Object Lock with default retention in mode COMPLIANCE, replicate it to a bucket of another \
        account, or enable MFA delete where no lifecycle configuration is needed.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    stands_against(facts, Threat::Administrator)
}
