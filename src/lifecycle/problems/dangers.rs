//! What is dangerous, and what costs more than it seems. Sources: S3 user guide, "Expiring objects", "Transitioning
//! objects using Amazon S3 Lifecycle", "How S3 Lifecycle interacts with other bucket configurations".

use std::collections::HashSet;

use super::{Bucket, Found, MOST_RULES, OfRule, name, named};
use crate::lifecycle::configuration::{Action, Configuration, Filter, Rule, Versions, When};
use crate::lifecycle::duplicates::{Duplicate, Duplicates, duplicates};
use crate::lifecycle::overlap::{Overlap, contains};
use crate::lifecycle::superfluous::{Superfluous, advice};
use crate::lifecycle::timeline::{Early, minimum_days, scopes};
use crate::lifecycle::verdicts::{ActionVerdict, Verdict};
use crate::lifecycle::words::does;
use crate::model::Severity;

/// Below, transitions leave objects alone unless the filter has a size.
const SMALL_OBJECT: u64 = 128 << 10;
/// Noncurrent versions that go within so many days leave little time to find out that they are needed.
const SOON: u32 = 7;
const EARLY: u32 = 30;
/// Pairs of rules; a thousand rules make half a million.
const MOST_DUPLICATES: usize = 50;

impl Found {
    pub(super) fn mfa_delete(&mut self, configuration: &Configuration, verdicts: &[ActionVerdict], bucket: Bucket) {
        let names = |rules: &[usize]| named(configuration, rules);
        match bucket.mfa_delete {
            None => {}
            Some(false) => self.add(
                Severity::Info,
                None,
                None,
                "MFA delete cannot be enabled while the bucket has a lifecycle configuration (409 InvalidBucketState; no \
                 exception for disabled rules is documented): the configuration has to be deleted first",
            ),
            Some(true) => {
                let deletes = |verdict: &&ActionVerdict| {
                    let action = &configuration.rules[verdict.rule].actions[verdict.action];
                    let for_good = matches!(action, Action::NoncurrentVersionExpiration { .. })
                        || (matches!(action, Action::Expiration(_)) && bucket.versions != Versions::Enabled);
                    for_good && matches!(verdict.verdict, Verdict::Effective | Verdict::PartlyShadowed)
                };
                let mut rules: Vec<usize> = verdicts.iter().filter(deletes).map(|verdict| verdict.rule).collect();
                rules.dedup();
                let conflict = "a lifecycle configuration and MFA delete exclude each other: S3 does not take the one \
                                while the bucket has the other";
                if rules.is_empty() {
                    self.add(Severity::High, None, None, format!("{conflict}; one of them has to go"));
                } else {
                    let message = format!(
                        "{conflict}; where a server has both, {} without any code what MFA delete keeps from being \
                         deleted",
                        match rules.len() {
                            1 => format!("rule {} deletes", names(&rules)),
                            _ => format!("rules {} delete", names(&rules)),
                        }
                    );
                    self.add(Severity::Critical, None, None, message);
                }
            }
        }
    }

    /// Expiration in a versioned bucket keeps what it expires, and adds a delete marker.
    pub(super) fn growing(&mut self, configuration: &Configuration, verdicts: &[ActionVerdict], bucket: Bucket) {
        if bucket.versions == Versions::Unversioned {
            return;
        }
        let deletes = |rule: &&Rule| {
            let is_it = |action: &Action| matches!(action, Action::NoncurrentVersionExpiration { .. });
            rule.enabled && rule.actions.iter().any(is_it)
        };
        let deleting: Vec<&Filter> = configuration.rules.iter().filter(deletes).map(|rule| &rule.filter).collect();
        let expires = |verdict: &&ActionVerdict| {
            let action = &configuration.rules[verdict.rule].actions[verdict.action];
            acts(verdict.verdict) && matches!(action, Action::Expiration(_))
        };
        let expiring: HashSet<usize> = verdicts.iter().filter(expires).map(|verdict| verdict.rule).collect();
        for (index, rule) in configuration.rules.iter().take(MOST_RULES).enumerate() {
            if !expiring.contains(&index) {
                continue;
            }
            let is_deleted = deleting.iter().any(|outer| contains(outer, &rule.filter));
            match (bucket.versions, is_deleted) {
                (Versions::Enabled, false) => {
                    let message = "Expiration in a versioned bucket frees no space: it adds a delete marker and keeps \
                                   the version, and no NoncurrentVersionExpiration covers the whole scope of this rule";
                    self.add(Severity::Low, None, Some(index), message);
                }
                (Versions::Suspended, false) => {
                    let message = "versions from before the suspension: Expiration adds a delete marker and keeps the \
                                   version, and no NoncurrentVersionExpiration covers the whole scope of this rule";
                    self.add(Severity::Low, None, Some(index), message);
                }
                (Versions::Suspended, true) => {
                    let message = "versions from before the suspension: Expiration adds a delete marker, and \
                                   NoncurrentVersionExpiration deletes the version later";
                    self.add(Severity::Info, None, Some(index), message);
                }
                (Versions::Unversioned, _) | (Versions::Enabled, true) => {}
            }
        }
    }

    /// Rules that do one thing twice: what can go without a change for any object, and what only looks like it.
    pub(super) fn duplicates(&mut self, configuration: &Configuration, bucket: Bucket) {
        let Duplicates { pairs, is_cut } = duplicates(configuration, bucket.versions, bucket.today, MOST_DUPLICATES);
        let advice = advice(configuration, &pairs, bucket.today);
        for found in advice.chunk_by(|one, other| one.rule == other.rule) {
            self.add(Severity::Info, None, Some(found[0].rule), can_go(configuration, found));
        }
        let settled: HashSet<(usize, usize)> =
            advice.iter().map(|it| (it.rule.min(it.kept), it.rule.max(it.kept))).collect();
        let open: Vec<&Duplicate> = pairs.iter().filter(|pair| !settled.contains(&pair.rules)).collect();
        for of_second in open.chunk_by(|one, other| one.rules.1 == other.rules.1) {
            let rules: Vec<usize> = of_second.iter().map(|pair| pair.rules.0).collect();
            let certainty = if of_second.iter().all(|pair| pair.overlap == Overlap::Possible) {
                "objects that have the tags of both"
            } else {
                "the objects that both match"
            };
            let message = format!(
                "for {certainty} it asks for what {} {} asks for on the same day; keep them all, for none does all that \
                 another does",
                if rules.len() == 1 { "rule" } else { "rules" },
                named(configuration, &rules)
            );
            self.add(Severity::Info, None, Some(of_second[0].rules.1), message);
        }
        if is_cut {
            let message = "not every pair of rules was compared: more of them may ask for the same";
            self.add(Severity::Info, None, None, message);
        }
    }

    /// Storage classes that are left before their minimum duration is over.
    pub(super) fn costs(&mut self, configuration: &Configuration, bucket: Bucket) {
        let mut told = HashSet::new();
        for scope in scopes(configuration, bucket.versions, bucket.today) {
            for early in scope.early.iter().filter(|early| !early.within_one_rule) {
                let Early { class, entered, left, rule, .. } = *early;
                let message = format!(
                    "what moves to {class} at {entered} days leaves it after {} days; {class} is charged for {} days \
                     at least",
                    left - entered,
                    minimum_days(class)
                );
                if told.insert((rule, message.clone())) {
                    self.add(Severity::Low, None, Some(rule), message);
                }
            }
        }
    }
}

/// `the rule can go: rule "wide" (Expiration at 7 days) does the same for all of its objects, and no later`.
fn can_go(configuration: &Configuration, found: &[Superfluous]) -> String {
    let own = &configuration.rules[found[0].rule];
    let mut kept: Vec<usize> = found.iter().map(|it| it.kept).collect();
    kept.sort_unstable();
    kept.dedup();
    let actions: Vec<String> = found.iter().map(|it| does(&own.actions[it.action])).collect();
    let what = if found.len() == own.actions.len() {
        "the rule can go".to_owned()
    } else {
        format!("its {} can go", actions.join(" and "))
    };
    let names: Vec<String> = kept.iter().map(|kept| configuration.rules[*kept].id.clone()).collect();
    format!(
        "{what}: once is enough, and {} {} the same for all of its objects, no later",
        match names.len() {
            1 => format!("rule {}", names[0]),
            _ => format!("rules {}", names.join(", ")),
        },
        if names.len() == 1 { "does" } else { "do" }
    )
}

/// Whether the action does something, or may.
pub(super) fn acts(verdict: Verdict) -> bool {
    match verdict {
        Verdict::PartlyShadowed | Verdict::Effective | Verdict::NotAnalysed => true,
        Verdict::Disabled | Verdict::NoEffect | Verdict::NeverApplies => false,
    }
}

impl OfRule<'_> {
    /// `verdicts` are those of the rule's actions: what does nothing is no danger.
    pub(super) fn dangers(&mut self, rule: &Rule, verdicts: &[ActionVerdict], bucket: Bucket) {
        let is_whole_bucket = rule.filter == Filter::default();
        for action in verdicts.iter().filter(|verdict| acts(verdict.verdict)).map(|it| &rule.actions[it.action]) {
            if let Action::Expiration(When::Date(date)) | Action::Transition { when: When::Date(date), .. } = action
                && *date <= bucket.today
            {
                let severity = if matches!(action, Action::Expiration(_)) { Severity::High } else { Severity::Medium };
                let message = format!(
                    "{} on {date}: the day has come, so it acts at once, and on every new object too",
                    name(action)
                );
                self.add(severity, message);
            }
            if let Action::Expiration(When::Date(date)) | Action::Transition { when: When::Date(date), .. } = action
                && *date > bucket.today
            {
                let message = format!(
                    "{} on {date}: from that day on it acts on everything that its rule matches; timelines show it then",
                    name(action)
                );
                self.add(Severity::Info, message);
            }
            match *action {
                Action::Expiration(_) if bucket.versions == Versions::Unversioned && is_whole_bucket => {
                    let message = "it deletes every object of the bucket for good: no version is kept";
                    self.add(Severity::High, message);
                }
                Action::Expiration(_) if bucket.versions == Versions::Suspended => {
                    let message = "null versions, which is what a suspended bucket stores: Expiration deletes them for \
                                   good";
                    self.add(Severity::High, message);
                }
                Action::NoncurrentVersionExpiration { days, newer: 0 }
                    if days < EARLY && bucket.versions != Versions::Unversioned =>
                {
                    let severity = if days < SOON { Severity::Medium } else { Severity::Low };
                    let message = format!(
                        "noncurrent versions are deleted for good after {days} days and none is kept \
                         (NewerNoncurrentVersions): nothing older can be restored"
                    );
                    self.add(severity, message);
                }
                Action::Transition { to, .. } | Action::NoncurrentVersionTransition { to, .. } => {
                    let smallest = rule.filter.size_greater_than.map_or(0, |bytes| bytes.saturating_add(1));
                    if rule.filter.has_size() && smallest < SMALL_OBJECT {
                        let message = format!(
                            "its size filter lets objects below 128 KB move to {to}, which S3 leaves out otherwise: \
                             their requests and minimum sizes can cost more than is saved"
                        );
                        self.add(Severity::Low, message);
                    }
                }
                _ => {}
            }
        }
    }
}
