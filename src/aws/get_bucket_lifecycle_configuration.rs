//! `GetBucketLifecycleConfiguration`. Source: Amazon S3 API reference, `GetBucketLifecycleConfiguration`.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule as SdkRule};

use super::failure::Failure;
use super::session::{Route, Session};
use crate::model::{ActionKind, Lifecycle, LifecycleConfiguration, LifecycleRule, Operation, RuleStatus};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<Lifecycle, Failure> {
    let operation = Operation::GetBucketLifecycleConfiguration;
    let s3 = session.s3(route);
    let answer = session
        .pace
        .call(|| async {
            s3.get_bucket_lifecycle_configuration()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .send()
                .await
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await;
    match answer {
        // S3 keeps no configuration without rules: this answer is not one of S3's.
        Ok(answer) if answer.rules().is_empty() => Err(Failure::malformed(operation, "a configuration without rules")),
        Ok(answer) => {
            let rules = answer.rules().iter().enumerate().map(|(index, rule)| read(index + 1, rule)).collect();
            Ok(Lifecycle::Present(LifecycleConfiguration { rules }))
        }
        // S3's way to say that there is none.
        Err(failure) if failure.is(404, "NoSuchLifecycleConfiguration") => Ok(Lifecycle::None),
        Err(failure) => Err(failure),
    }
}

fn read(position: usize, rule: &SdkRule) -> LifecycleRule {
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
