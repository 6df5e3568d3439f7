//! `GetBucketLifecycleConfiguration`. Source: Amazon S3 API reference, `GetBucketLifecycleConfiguration`.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule as SdkRule};

use super::body::Kept;
use super::document;
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::lifecycle::MinimumSize;
use crate::lifecycle::read::{self, RemarkKind};
use crate::model::{ActionKind, Lifecycle, LifecycleConfiguration, LifecycleRule, Operation, Reading, RuleStatus};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<Lifecycle, Failure> {
    let operation = Operation::GetBucketLifecycleConfiguration;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_lifecycle_configuration()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .customize()
                .interceptor(kept.clone())
                .send()
                .await
                .map(|answer| (answer, kept.take()))
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await;
    match answer {
        Ok((answer, body)) if answer.rules().is_empty() => match document::parse(&body) {
            // Google Cloud Storage and rustfs say so that there is none. S3 keeps no configuration without rules.
            Ok(root) if root.children().is_empty() && root.text().is_ok_and(|text| text.trim().is_empty()) => {
                Ok(Lifecycle::None)
            }
            Ok(_) => Err(Failure::malformed(operation, "a configuration without rules")),
            Err(why) => Err(Failure::malformed(operation, why.to_string())),
        },
        Ok((answer, body)) => {
            let rules = answer.rules().iter().enumerate().map(|(index, rule)| rule_of(index + 1, rule)).collect();
            let word = answer.transition_default_minimum_object_size();
            let minimum_size = word.and_then(|word| MinimumSize::of(word.as_str()));
            Ok(Lifecycle::Present(LifecycleConfiguration { rules, reading: reading(&body), minimum_size }))
        }
        // S3's way to say that there is none.
        Err(failure) if failure.is(404, "NoSuchLifecycleConfiguration") => Ok(Lifecycle::None),
        Err(failure) => Err(failure),
    }
}

/// What the analyser makes of the body: the SDK passes over what it does not know, and with it over what a rule does.
fn reading(body: &[u8]) -> Reading {
    let document = match read::read(body) {
        Ok(document) => document,
        Err(error) => {
            let code = error.code.map(|code| code.to_string());
            return Reading::Unreadable { code, why: at(error.place, &error.message) };
        }
    };
    let rules = &document.configuration.rules;
    let matters = |remark: &&read::Remark| match (remark.kind, remark.rule) {
        // Beside the rules, or in one that does nothing, it changes nothing.
        (RemarkKind::LeftOut, Some(rule)) => rules.get(rule).is_some_and(|rule| rule.enabled),
        (RemarkKind::Unreadable, _) => true,
        (RemarkKind::LeftOut, None) | (RemarkKind::Refused | RemarkKind::PassedOver, _) => false,
    };
    match document.remarks.iter().find(matters) {
        Some(remark) => {
            let code = match remark.kind {
                RemarkKind::Unreadable => remark.code.map(|code| code.to_string()),
                RemarkKind::Refused | RemarkKind::LeftOut | RemarkKind::PassedOver => None,
            };
            Reading::Unreadable { code, why: at(remark.place, &remark.message) }
        }
        None => Reading::Read(document.configuration),
    }
}

fn at(place: read::Place, message: &str) -> String {
    format!("line {}, column {}: {message}", place.line, place.column)
}

fn rule_of(position: usize, rule: &SdkRule) -> LifecycleRule {
    let status = match rule.status() {
        ExpirationStatus::Enabled => RuleStatus::Enabled,
        ExpirationStatus::Disabled => RuleStatus::Disabled,
        other => RuleStatus::Other(other.as_str().to_owned()),
    };
    let id = rule.id().filter(|id| !id.is_empty()).map_or_else(|| format!("#{position}"), str::to_owned);
    LifecycleRule { id, status, actions: actions(rule) }
}

fn actions(rule: &SdkRule) -> BTreeSet<ActionKind> {
    let expiration = rule.expiration();
    let has = [
        (ActionKind::Expiration, expiration.is_some_and(|it| it.days().is_some() || it.date().is_some())),
        (
            ActionKind::ExpiredObjectDeleteMarker,
            expiration.is_some_and(|it| it.expired_object_delete_marker() == Some(true)),
        ),
        (ActionKind::Transition, !rule.transitions().is_empty()),
        (ActionKind::NoncurrentVersionTransition, !rule.noncurrent_version_transitions().is_empty()),
        (ActionKind::NoncurrentVersionExpiration, rule.noncurrent_version_expiration().is_some()),
        (ActionKind::AbortIncompleteMultipartUpload, rule.abort_incomplete_multipart_upload().is_some()),
    ];
    has.into_iter().filter_map(|(kind, present)| present.then_some(kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading_of(rule: &str) -> Reading {
        reading(format!("<LifecycleConfiguration>{rule}</LifecycleConfiguration>").as_bytes())
    }

    const PLAIN: &str = "<ID>a</ID><Filter/><Status>Enabled</Status><Expiration><Days>7</Days></Expiration>";

    #[test]
    fn what_changes_no_rule_does_not_keep_the_configuration_from_being_read() {
        let plain = reading_of(&format!("<Rule>{PLAIN}</Rule>"));
        assert!(matches!(&plain, Reading::Read(read) if read.rules.len() == 1), "{plain:?}");
        assert_eq!(reading_of(&format!("<UpdatedAt>now</UpdatedAt><Rule>{PLAIN}</Rule>")), plain);
        let disabled = format!("<Rule>{}<Sweep/></Rule>", PLAIN.replace("Enabled", "Disabled"));
        assert!(matches!(reading_of(&disabled), Reading::Read(_)));
    }

    #[test]
    fn what_may_change_a_rule_does() {
        for (rule, words) in [
            (format!("{PLAIN}<Sweep/>"), "unknown element \"Sweep\" in Rule"),
            (PLAIN.replace("<Days>", "<AllVersions/><Days>"), "unknown element \"AllVersions\" in Expiration"),
            (PLAIN.replace("<Filter/>", "<Filter><Age>3</Age></Filter>"), "unknown element \"Age\" in Filter"),
            (PLAIN.replace("Enabled", "Paused"), "Status must be Enabled or Disabled"),
        ] {
            let reading = reading_of(&format!("<Rule>{rule}</Rule>"));
            assert!(matches!(&reading, Reading::Unreadable { why, .. } if why.contains(words)), "{reading:?}");
        }
    }
}
