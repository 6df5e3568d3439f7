use super::{BucketFacts, Rule, Verdict, name_rules};
use crate::model::{ActionKind, Kind, Lifecycle, LifecycleRule, MfaDelete, Severity, Standard, Versioning};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-bypasses-mfa-delete",
    title: "No lifecycle configuration stands beside MFA delete",
    kind: Kind::Requirement,
    severity: Severity::High,
    standards: &[],
    explanation: "MFA delete and a lifecycle configuration are in force at once. AWS refuses to create this; other S3 \
        servers allow it, and there lifecycle rules delete versions that no request could delete without a code. \
        Critical when an enabled rule deletes versions for good (NoncurrentVersionExpiration, or Expiration on a \
        bucket whose versioning is suspended), high otherwise.",
    remediation: "Decide which of the two the bucket needs. To keep MFA delete, remove the lifecycle configuration \
        (s3:PutLifecycleConfiguration): aws s3api delete-bucket-lifecycle --bucket NAME.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let versioning = facts.versioning.known();
    match (versioning, facts.lifecycle.known()) {
        (_, Some(Lifecycle::None)) => Verdict::Pass,
        (Some(state), _) if state.mfa_delete != MfaDelete::Enabled => Verdict::Pass,
        (Some(state), Some(Lifecycle::Present(configuration))) => {
            let deletes = |rule: &&LifecycleRule| {
                rule.enabled_with(ActionKind::NoncurrentVersionExpiration)
                    || (state.versioning == Versioning::Suspended && rule.enabled_with(ActionKind::Expiration))
            };
            let deleting: Vec<&str> =
                configuration.rules.iter().filter(deletes).map(|rule| rule.id.as_str()).take(5).collect();
            let conflict = format!("MFA delete is enabled beside lifecycle {}", name_rules(configuration));
            if deleting.is_empty() {
                Verdict::fail(conflict)
            } else {
                Verdict::Fail {
                    evidence: format!("{conflict}; versions are deleted for good by {}", deleting.join(", ")),
                    severity: Some(Severity::Critical),
                }
            }
        }
        (None, _) | (_, None) => facts.undecided(),
    }
}
