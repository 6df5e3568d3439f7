use super::{BucketFacts, Rule, Verdict};
use crate::model::{Kind, MfaDelete, Severity, Standard, Versioning, VersioningState};

pub(super) const RULE: Rule = Rule {
    id: "mfa-delete-versioning-suspended",
    title: "MFA delete does not stand on suspended versioning",
    kind: Kind::Requirement,
    severity: Severity::High,
    asks: &[],
    standards: &[],
    explanation: "MFA delete is on and versioning is suspended: existing versions are protected, but every new object \
        gets the version id null and is overwritten and deleted without a code. The bucket looks protected and is \
        not. Whether AWS itself can store this combination is not documented; other S3 servers do.",
    remediation: "As root with a code: aws s3api put-bucket-versioning --bucket NAME --versioning-configuration \
        Status=Enabled,MFADelete=Enabled --mfa 'SERIAL-OR-ARN CODE'.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    match facts.versioning.known() {
        Some(VersioningState { versioning: Versioning::Suspended, mfa_delete: MfaDelete::Enabled }) => {
            Verdict::fail("MFA delete is enabled and versioning is suspended: new objects are not protected")
        }
        Some(_) => Verdict::Pass,
        None => facts.undecided_by_versioning(),
    }
}
