use super::policy_access::demands_mfa;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{Extra, Kind, Severity, Standard};
use crate::policy::Group;

pub(super) const RULE: Rule = Rule {
    id: "policy-mfa-to-delete-versions",
    title: "The bucket policy demands MFA to delete versions",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[Extra::Policy],
    standards: &[],
    explanation: "Looks whether a Deny of the bucket policy keeps everybody without MFA from s3:DeleteObjectVersion, and \
        whether versions can be lost all the same: by deleting null versions, suspending versioning, a lifecycle \
        rule, or another policy. It is advice beside MFA delete and never stands in for it: a bucket policy can be \
        taken away by who may change it. Where MFA delete is on it says nothing. Info where nothing was meant, \
        medium where a demand has a hole.",
    remediation: "Deny s3:DeleteObjectVersion, s3:DeleteObject, s3:PutBucketVersioning, s3:PutLifecycleConfiguration, \
        s3:PutBucketPolicy and s3:DeleteBucketPolicy to Principal * on the bucket and its objects, with BoolIfExists \
        aws:MultiFactorAuthPresent false. Credentials of a role never carry MFA, so such a Deny keeps out every \
        role, pipeline and single sign-on, and lifecycle goes on all the same.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    demands_mfa(facts, Group::DeleteVersions)
}
