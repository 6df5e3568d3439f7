//! `GetBucketPolicy`: the document as the service gave it. Source: Amazon S3 API reference, `GetBucketPolicy`.

use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{BucketPolicy, Operation};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<BucketPolicy, Failure> {
    let operation = Operation::GetBucketPolicy;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            s3.get_bucket_policy()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .send()
                .await
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await;
    match answer {
        // That it is an object was seen when the body was checked.
        Ok(answer) => match answer.policy {
            Some(policy) => Ok(BucketPolicy::Present(policy.trim().into())),
            None => Err(Failure::malformed(operation, "an answer without a policy")),
        },
        // S3's way to say that there is none.
        Err(failure) if failure.code() == Some("NoSuchBucketPolicy") => Ok(BucketPolicy::None),
        Err(failure) => Err(failure),
    }
}
