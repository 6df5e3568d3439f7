use super::policy_access::demands_mfa;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{Extra, Kind, Severity, Standard};
use crate::policy::Group;

pub(super) const RULE: Rule = Rule {
    id: "policy-mfa-to-delete-objects",
    title: "The bucket policy demands MFA to delete objects",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[Extra::Policy],
    standards: &[],
    explanation: "Looks whether a Deny of the bucket policy keeps everybody without MFA from s3:DeleteObject, which destroys \
        objects that have no versions, and null versions. Info where nothing was meant, medium where a demand has a \
        hole.",
    remediation: "Deny s3:DeleteObject to Principal * on the bucket's objects (arn:aws:s3:::NAME/*), with BoolIfExists \
        aws:MultiFactorAuthPresent false. Credentials of a role never carry MFA, so such a Deny keeps out every \
        role, pipeline and single sign-on, and lifecycle goes on all the same.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    demands_mfa(facts, Group::DeleteObjects)
}
