//! What S3 takes and people did not mean. Each trap is told of a rule or an action as it stands in its configuration.
//!
//! Sources: S3 user guide, "Adding filters to Lifecycle rules", "Lifecycle configuration elements", "Transitioning
//! objects using Amazon S3 Lifecycle", "Troubleshooting Amazon S3 Lifecycle issues".

use time::Date;

use super::configuration::{Action, Configuration, Filter, MinimumSize, Rule, StorageClass, When};

/// Days before which S3 once refused a transition to an infrequent access class.
pub const INFREQUENT_ACCESS_DAYS: u32 = 30;

/// What of a prefix S3 does not interpret: it compares the prefix with the start of each key, byte by byte.
pub fn taken_literally(filter: &Filter) -> Option<&'static str> {
    match (filter.prefix.starts_with('/'), filter.prefix.contains('*')) {
        (true, true) => Some("begins with / and contains *"),
        (true, false) => Some("begins with /"),
        (false, true) => Some("contains *"),
        (false, false) => None,
    }
}

/// Enabled rules that delete noncurrent versions and leave the delete markers above them, by position: no enabled rule
/// removes markers from their whole scope. Markers have no tags and no size, so only rules for a prefix alone do.
pub fn keeping_delete_markers(configuration: &Configuration) -> Vec<usize> {
    let removes = |action: &Action| matches!(action, Action::Expiration(_) | Action::ExpiredObjectDeleteMarker(true));
    let is_plain = |rule: &&Rule| rule.filter.tags.is_empty() && !rule.filter.has_size();
    let removing: Vec<&str> = (configuration.rules.iter())
        .filter(|rule| rule.enabled && rule.actions.iter().any(removes))
        .filter(is_plain)
        .map(|rule| rule.filter.prefix.as_str())
        .collect();
    let deletes = |rule: &Rule| {
        let is_it = |action: &Action| matches!(action, Action::NoncurrentVersionExpiration { .. });
        let matches_some = !rule.filter.is_empty_interval() && !rule.filter.has_too_many_tags();
        rule.enabled && matches_some && rule.actions.iter().any(is_it)
    };
    let rules = configuration.rules.iter().enumerate().filter(|(_, rule)| deletes(rule));
    let keeps = rules.filter(|(_, rule)| !removing.iter().any(|prefix| rule.filter.prefix.starts_with(prefix)));
    keeps.map(|(position, _)| position).collect()
}

/// The class that objects below 128 KB do not move to. A filter with a size of its own decides for itself.
pub fn leaves_small_objects(filter: &Filter, action: &Action, minimum: MinimumSize) -> Option<StorageClass> {
    let to = target(action)?;
    (!filter.has_size() && minimum.leaves_small_objects(to)).then_some(to)
}

/// Whether it moves objects to an infrequent access class before they are 30 days old.
pub fn is_early_for_infrequent_access(action: &Action) -> bool {
    let days = match action {
        Action::Transition { when: When::Days(days), .. } | Action::NoncurrentVersionTransition { days, .. } => *days,
        Action::Transition { when: When::Date(_), .. }
        | Action::Expiration(_)
        | Action::ExpiredObjectDeleteMarker(_)
        | Action::NoncurrentVersionExpiration { .. }
        | Action::AbortIncompleteMultipartUpload { .. } => return false,
    };
    let is_infrequent = matches!(target(action), Some(StorageClass::StandardIa | StorageClass::OnezoneIa));
    is_infrequent && days < INFREQUENT_ACCESS_DAYS
}

/// The rule, among those that prevail over the action, because of which objects are in `ONEZONE_IA` when they are to
/// move to `GLACIER_IR`: no transition leads from the one to the other.
pub fn stuck_in_onezone(configuration: &Configuration, action: &Action, by: &[usize], today: Date) -> Option<usize> {
    if target(action) != Some(StorageClass::GlacierIr) {
        return None;
    }
    let is_before = |other: &Action| {
        let both = match (action, other) {
            (Action::Transition { when, .. }, Action::Transition { when: other, .. }) => {
                (when.days(today), other.days(today))
            }
            (
                Action::NoncurrentVersionTransition { days, .. },
                Action::NoncurrentVersionTransition { days: other, .. },
            ) => (Some(*days), Some(*other)),
            _ => return false,
        };
        target(other) == Some(StorageClass::OnezoneIa) && matches!(both, (Some(days), Some(other)) if other <= days)
    };
    by.iter().copied().find(|rule| configuration.rules[*rule].actions.iter().any(is_before))
}

fn target(action: &Action) -> Option<StorageClass> {
    match action {
        Action::Transition { to, .. } | Action::NoncurrentVersionTransition { to, .. } => Some(*to),
        Action::Expiration(_)
        | Action::ExpiredObjectDeleteMarker(_)
        | Action::NoncurrentVersionExpiration { .. }
        | Action::AbortIncompleteMultipartUpload { .. } => None,
    }
}
