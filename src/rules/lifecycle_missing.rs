use super::{BucketFacts, Reference, Rule, Verdict, analysis, name_rules};
use crate::model::{Kind, Lifecycle, RuleStatus, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-missing",
    title: "The bucket has an enabled lifecycle rule",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[],
    standards: &[
        Reference { standard: "Security Hub", id: "S3.10", severity: Some("Medium") },
        Reference { standard: "Security Hub", id: "S3.13", severity: Some("Low") },
        Reference { standard: "AWS Config", id: "s3-version-lifecycle-policy-check", severity: None },
        Reference { standard: "AWS Config", id: "s3-lifecycle-policy-check", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-10", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-6(2)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CP-9", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "SC-5(2)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "SI-13(5)", severity: None },
    ],
    explanation: "Security Hub asks every bucket for a lifecycle configuration (S3.13), and versioned ones under an id of \
        its own (S3.10). S3 takes no lifecycle configuration beside MFA delete, so no bucket can pass one of these \
        and S3.20, MFA delete, at once: a bucket with MFA delete on gets this finding for information only.",
    remediation: "Decide which of the two the bucket needs. Where it is not MFA delete, give it a configuration that at \
        least ends incomplete uploads and, if versioned, expires noncurrent versions: aws s3api \
        put-bucket-lifecycle-configuration --bucket NAME --lifecycle-configuration file://FILE. bucketlens lifecycle \
        check says before what it will do.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let configuration = match facts.lifecycle.known() {
        None => return facts.undecided_by_lifecycle(),
        Some(Lifecycle::None) => {
            return Verdict::fail("the bucket has no lifecycle configuration").informs_under_mfa_delete(facts);
        }
        Some(Lifecycle::Present(configuration)) => configuration,
    };
    if configuration.rules.iter().any(|rule| rule.status == RuleStatus::Enabled) {
        return Verdict::Pass;
    }
    match analysis::reading(configuration) {
        Err(doubt) => Verdict::Unknown(vec![doubt]),
        Ok(_) => Verdict::fail(format!("no lifecycle rule is enabled: {}", name_rules(configuration)))
            .informs_under_mfa_delete(facts),
    }
}
