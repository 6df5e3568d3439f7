use super::analysis::list;
use super::{BucketFacts, Rule, Verdict};
use crate::model::{AccountId, Doubt, Extra, Kind, Observed, Replication, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "replication-within-account",
    title: "Replication names another account",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[Extra::Replication],
    standards: &[],
    explanation: "The bucket is replicated, and no enabled rule names another account. Copies within the account are no \
        protection: whoever can destroy this bucket can destroy them. A rule may lead to a bucket of another account without \
        naming it; what protects the copies there is that account's to say.",
    remediation: "Replicate to a bucket of another account and name that account (Destination.Account, with \
        AccessControlTranslation Owner=Destination), so that the copies belong to it.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let Some(replication) = &facts.extras.replication else { return Verdict::NotApplicable };
    let rules = match &replication.observed {
        Observed::Known(Replication::None) => return Verdict::NotApplicable,
        Observed::Known(Replication::Present(rules)) => rules,
        Observed::Unknown(reason) => return Verdict::Unknown(vec![Doubt::Unread(reason.clone())]),
    };
    let enabled: Vec<_> = rules.iter().filter(|rule| rule.enabled).collect();
    let is_other = |account: &AccountId| account != facts.account;
    if enabled.is_empty() {
        Verdict::fail("no replication rule is enabled")
    } else if enabled.iter().any(|rule| rule.account.as_ref().is_some_and(is_other)) {
        Verdict::Pass
    } else {
        let destinations = list(&enabled, ", ", |rule| rule.destination.clone());
        Verdict::fail(format!("no enabled rule names another account: {destinations}"))
    }
}
