use super::{BucketFacts, NOT_IN_GOVCLOUD, Reference, Rule, Verdict};
use crate::model::{Kind, Lifecycle, MfaDelete, Severity, Standard, Versioning};
use crate::protection::Compensation;

pub(super) const RULE: Rule = Rule {
    id: "mfa-delete-enabled",
    title: "MFA delete is enabled",
    kind: Kind::Requirement,
    severity: Severity::Medium,
    asks: &[],
    standards: &[
        Reference { standard: "CIS AWS Foundations 1.4.0", id: "2.1.3", severity: None },
        Reference { standard: "CIS AWS Foundations 1.5.0", id: "2.1.3", severity: None },
        Reference { standard: "CIS AWS Foundations 2.0.0", id: "2.1.2", severity: None },
        Reference { standard: "CIS AWS Foundations 3.0.0", id: "2.1.2", severity: None },
        Reference { standard: "CIS AWS Foundations 4.0.0", id: "2.1.2", severity: None },
        Reference { standard: "CIS AWS Foundations 5.0.0", id: "2.1.2", severity: None },
        Reference { standard: "CIS AWS Foundations 6.0.0", id: "3.1.2", severity: None },
        Reference { standard: "CIS AWS Foundations 7.0.0", id: "3.1.2", severity: None },
        Reference { standard: "Security Hub", id: "S3.20", severity: Some("Low") },
        Reference { standard: "AWS Config", id: "s3-bucket-mfa-delete-enabled", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CA-9(1)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CM-2", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CM-2(2)", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "CM-3", severity: None },
        Reference { standard: "NIST SP 800-53 r5", id: "SC-5(2)", severity: None },
    ],
    explanation: "With MFA delete, permanently deleting an object version and changing the bucket's versioning state \
        need a code of the root user's MFA device in the request. The standard cis takes no lifecycle configuration \
        as an excuse; under security-hub (S3.20) a bucket with one gets no finding; under cis-with-compensation a \
        bucket with an accepted control is waived, which is no pass.",
    remediation: "Only the root user of the owning account can enable MFA delete, with long-term root access keys, \
        and only by CLI or API: not in the console, not from CloudShell, not by a role. Remove the lifecycle \
        configuration first if there is one (S3 refuses with 409 InvalidBucketState otherwise). Then, as root: \
        aws s3api put-bucket-versioning --bucket NAME --versioning-configuration Status=Enabled,MFADelete=Enabled \
        --mfa 'SERIAL-OR-ARN CODE'. Delete the root access keys afterwards. AWS does not offer MFA delete in AWS GovCloud \
        (US). The AWS China Regions have no root user: ask an administrator of the account or AWS Support there.",
    check,
};

fn check(facts: &BucketFacts<'_>, standard: Standard) -> Verdict {
    let is_off = facts.versioning.known().is_some_and(|state| state.mfa_delete != MfaDelete::Enabled);
    if is_off && facts.is_in_govcloud() {
        return Verdict::NotOffered { evidence: NOT_IN_GOVCLOUD };
    }
    if standard == Standard::SecurityHub {
        match facts.lifecycle.known() {
            Some(Lifecycle::Present(_)) => return Verdict::NotApplicable,
            Some(Lifecycle::None) => {}
            None => return facts.undecided(),
        }
    }
    let Some(state) = facts.versioning.known() else { return facts.undecided_by_versioning() };
    let evidence = match (state.mfa_delete, state.versioning) {
        // MFA delete guards versions, and what is left out of versioning has none.
        (MfaDelete::Enabled, Versioning::Partial(exclusions)) => {
            format!("MFA delete is enabled, but versioning leaves out {exclusions}")
        }
        (MfaDelete::Enabled, Versioning::Never | Versioning::Enabled | Versioning::Suspended) => return Verdict::Pass,
        (MfaDelete::Disabled, _) => "MFA delete is disabled".to_owned(),
        (MfaDelete::Never, _) => "MFA delete was never configured".to_owned(),
    };
    match standard {
        Standard::Cis | Standard::SecurityHub => Verdict::fail(evidence),
        Standard::CisWithCompensation => match facts.protection().compensation(&facts.setting.accepted) {
            Compensation::Accepted(control) => {
                Verdict::Waived { evidence: format!("{evidence}, and what is accepted for it is there: {control}") }
            }
            Compensation::Missing(why) if why.is_empty() => Verdict::fail(evidence),
            Compensation::Missing(why) => {
                Verdict::fail(format!("{evidence}, and nothing that is accepted for it is there: {why}"))
            }
            Compensation::Unknown(doubts) => Verdict::Unknown(doubts),
        },
    }
}
