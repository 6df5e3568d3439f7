//! `GetBucketVersioning`: versioning and MFA delete. Source: Amazon S3 API reference, `GetBucketVersioning`.

use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus};

use super::failure::Failure;
use super::session::{Route, Session};
use crate::model::{MfaDelete, Operation, Versioning, VersioningState};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<VersioningState, Failure> {
    let operation = Operation::GetBucketVersioning;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            s3.get_bucket_versioning()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .send()
                .await
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await?;
    let undocumented = |element: &str, word: &str| {
        Failure::malformed(operation, format!("{element} is {word:?}, which is not documented"))
    };
    // An absent element is an answer: never configured. A word that is not documented is none.
    let versioning = match answer.status() {
        None => Versioning::Never,
        Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
        Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
        Some(other) => return Err(undocumented("Status", other.as_str())),
    };
    let mfa_delete = match answer.mfa_delete() {
        None => MfaDelete::Never,
        Some(MfaDeleteStatus::Disabled) => MfaDelete::Disabled,
        Some(MfaDeleteStatus::Enabled) => MfaDelete::Enabled,
        Some(other) => return Err(undocumented("MfaDelete", other.as_str())),
    };
    Ok(VersioningState { versioning, mfa_delete })
}
