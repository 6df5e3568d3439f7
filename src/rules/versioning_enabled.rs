use super::{BucketFacts, Reference, Rule, Verdict};
use crate::model::{Kind, Severity, Standard, Versioning};

pub(super) const RULE: Rule = Rule {
    id: "versioning-enabled",
    title: "Versioning is enabled",
    kind: Kind::Requirement,
    severity: Severity::Medium,
    asks: &[],
    standards: &[
        Reference { standard: "Security Hub", id: "S3.14", severity: Some("Low") },
        Reference { standard: "AWS Config", id: "s3-bucket-versioning-enabled", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "AU-9(2)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-10", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-6", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-6(1)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-6(2)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-9", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "SC-5(2)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "SI-12", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "SI-13(5)", severity: None },
        Reference { standard: "NIST SP 800-171 r2", id: "3.3.8", severity: None },
    ],
    explanation: "Without versioning an overwritten or deleted object is gone. Suspended versioning keeps the versions \
        that exist and makes no new ones: it is not enabled, and it is not the same as never configured. Versioning that \
        leaves out prefixes or folders, as MinIO can, does not cover the bucket.",
    remediation: "aws s3api put-bucket-versioning --bucket NAME --versioning-configuration Status=Enabled, by a \
        principal with s3:PutBucketVersioning. On a bucket with MFA delete only the root user can change it, with a \
        code. Decide first how noncurrent versions are to expire: a lifecycle configuration and MFA delete exclude \
        each other.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    match facts.versioning.known().map(|state| state.versioning) {
        Some(Versioning::Enabled) => Verdict::Pass,
        // Objects that no version protects are known to be possible, so the requirement is not met.
        Some(Versioning::Partial(exclusions)) => {
            Verdict::fail(format!("versioning is enabled only in part: it leaves out {exclusions}"))
        }
        Some(Versioning::Suspended) => Verdict::fail("versioning is suspended"),
        Some(Versioning::Never) => Verdict::fail("versioning was never configured"),
        None => facts.undecided_by_versioning(),
    }
}
