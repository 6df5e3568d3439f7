use super::{BucketFacts, Reference, Rule, Verdict, name_rules};
use crate::model::{Kind, Lifecycle, MfaDelete, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "mfa-delete-blocked-by-lifecycle",
    title: "A lifecycle configuration keeps MFA delete from being enabled",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[],
    standards: &[Reference { standard: "Security Hub", id: "S3.20", severity: Some("Low") }],
    explanation: "S3 refuses to enable MFA delete while a lifecycle configuration exists (409 InvalidBucketState), \
        whatever its rules do: disabled rules are taken to block as well, because S3's answer speaks of the \
        configuration's existence.",
    remediation: "Decide which of the two the bucket needs. Where lifecycle is needed, protect versions in another way \
        (Object Lock, replication to another account). Where MFA delete is needed, save the configuration, remove it \
        (s3:PutLifecycleConfiguration), then enable MFA delete as root, by CLI or API, with a code.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let mfa_delete = facts.versioning.known().map(|state| state.mfa_delete);
    match (mfa_delete, facts.lifecycle.known()) {
        (Some(MfaDelete::Enabled), _) | (_, Some(Lifecycle::None)) => Verdict::Pass,
        (Some(MfaDelete::Never | MfaDelete::Disabled), Some(Lifecycle::Present(_))) if facts.is_in_govcloud() => {
            Verdict::NotApplicable
        }
        (Some(MfaDelete::Never | MfaDelete::Disabled), Some(Lifecycle::Present(configuration))) => {
            Verdict::fail(format!("the bucket has a lifecycle configuration: {}", name_rules(configuration)))
        }
        (None, _) | (_, None) => facts.undecided(),
    }
}
