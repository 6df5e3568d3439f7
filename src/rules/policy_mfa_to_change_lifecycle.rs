use super::policy_access::demands_mfa;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{Extra, Kind, Severity, Standard};
use crate::policy::Group;

pub(super) const RULE: Rule = Rule {
    id: "policy-mfa-to-change-lifecycle",
    title: "The bucket policy demands MFA to change lifecycle",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[Extra::Policy],
    standards: &[],
    explanation: "Looks whether a Deny of the bucket policy keeps everybody without MFA from s3:PutLifecycleConfiguration, \
        with which versions can be deleted by a rule; what rules do no policy stops. Info where nothing was meant, \
        medium where a demand has a hole.",
    remediation: "Deny s3:PutLifecycleConfiguration to Principal * on the bucket itself (arn:aws:s3:::NAME, without /*), with \
        BoolIfExists aws:MultiFactorAuthPresent false. Credentials of a role never carry MFA, so such a Deny keeps \
        out every role, pipeline and single sign-on, and lifecycle goes on all the same.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    demands_mfa(facts, Group::ChangeLifecycle)
}
