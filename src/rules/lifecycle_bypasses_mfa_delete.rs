use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis, name_rules};
use crate::lifecycle::{Action, Versions};
use crate::model::{Doubt, Kind, Lifecycle, MfaDelete, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-bypasses-mfa-delete",
    title: "No lifecycle configuration stands beside MFA delete",
    kind: Kind::Requirement,
    severity: Severity::High,
    asks: &[],
    standards: &[],
    explanation: "MFA delete and a lifecycle configuration are in force at once. AWS refuses to create this; other S3 \
        servers allow it, and there lifecycle rules delete versions that no request could delete without a code. \
        Critical when an enabled rule deletes versions for good (NoncurrentVersionExpiration, or Expiration on a \
        bucket whose versioning is suspended, and other rules do not always come first), high otherwise, also where \
        the configuration could not be analysed.",
    remediation: "Decide which of the two the bucket needs. To keep MFA delete, remove the lifecycle configuration \
        (s3:PutLifecycleConfiguration): aws s3api delete-bucket-lifecycle --bucket NAME.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let versioning = facts.versioning.known();
    match (versioning, facts.lifecycle.known()) {
        (_, Some(Lifecycle::None)) => Verdict::Pass,
        (Some(state), _) if state.mfa_delete != MfaDelete::Enabled => Verdict::Pass,
        (Some(_), Some(Lifecycle::Present(configuration))) => {
            let conflict = format!("MFA delete is enabled beside lifecycle {}", name_rules(configuration));
            match facts.no_action(deletes_versions, analysis::words) {
                Verdict::Fail { evidence, .. } => Verdict::Fail {
                    evidence: format!("{conflict}; versions are deleted for good by {evidence}").into(),
                    severity: Some(Severity::Critical),
                },
                Verdict::Unknown(doubts) => {
                    let doubts: Vec<String> = doubts.iter().map(Doubt::sentence).collect();
                    Verdict::fail(format!(
                        "{conflict}; whether versions are deleted for good is unknown: {}",
                        doubts.join("; ")
                    ))
                }
                Verdict::Pass | Verdict::NotApplicable | Verdict::NotOffered { .. } | Verdict::Waived { .. } => {
                    Verdict::fail(conflict)
                }
            }
        }
        (None, _) | (_, None) => facts.undecided(),
    }
}

fn deletes_versions(case: &Case<'_>) -> Answer {
    match (case.action, case.versions) {
        (Action::NoncurrentVersionExpiration { .. }, _) | (Action::Expiration(_), Versions::Suspended) => {
            case.deletes()
        }
        _ => Answer::No,
    }
}
