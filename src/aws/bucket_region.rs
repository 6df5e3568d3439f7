//! The Region of a bucket that `ListBuckets` did not name. Sources: Amazon S3 API reference, `HeadBucket`,
//! `GetBucketLocation`.

use super::failure::Failure;
use super::redirect::Elsewhere;
use super::route::Route;
use super::session::Session;
use crate::model::{Operation, Region};

/// `x-amz-bucket-region` of `HeadBucket`, else `GetBucketLocation`; the configured Region where the server says that it has
/// none, and `None` where it does not tell. A failure means that it might have told, had it answered.
pub async fn find(session: &Session, route: &Route, bucket: &str) -> Result<Option<Region>, Failure> {
    let head = head(session, route, bucket).await;
    if let Ok(Some(region)) = head {
        return Ok(Some(region));
    }
    match location(session, route, bucket).await {
        Err(failure) if failure.again => Err(failure),
        // Refused, unsupported, or another document: servers other than AWS do not tell.
        Err(_) => head,
        Ok(region) => Ok(region),
    }
}

/// The header comes whatever the permissions, also with 301, 400 and 403.
async fn head(session: &Session, route: &Route, bucket: &str) -> Result<Option<Region>, Failure> {
    let s3 = session.s3(route);
    let asked = session.call(Operation::HeadBucket, || async {
        let request = s3.head_bucket().bucket(bucket).set_expected_bucket_owner(session.expected_owner());
        request.send().await.map_err(|error| {
            let mut failure = Failure::from_sdk(Operation::HeadBucket, &error);
            let header = error.raw_response().and_then(|raw| raw.headers().get("x-amz-bucket-region"));
            failure.elsewhere = Box::new(Elsewhere::of_region(header.and_then(named)));
            failure
        })
    });
    match asked.await {
        Ok(answer) => Ok(answer.bucket_region().and_then(named)),
        Err(failure) => match failure.elsewhere.region.clone() {
            Some(region) => Ok(Some(region)),
            None if failure.again => Err(failure),
            None => Ok(None),
        },
    }
}

/// In this header an empty text is no name.
fn named(header: &str) -> Option<Region> {
    if header.is_empty() { None } else { Region::from_location_constraint(header) }
}

async fn location(session: &Session, route: &Route, bucket: &str) -> Result<Option<Region>, Failure> {
    let s3 = session.s3(route);
    let asked = session.call(Operation::GetBucketLocation, || async {
        let request = s3.get_bucket_location().bucket(bucket).set_expected_bucket_owner(session.expected_owner());
        request.send().await.map_err(|error| Failure::from_sdk(Operation::GetBucketLocation, &error))
    });
    let answer = asked.await?;
    let constraint = answer.location_constraint().map_or("", |constraint| constraint.as_str());
    // The server says that it has no Regions: the configured one is that of all its buckets.
    if constraint == "default" {
        return Ok(Some(session.region.clone()));
    }
    Ok(Region::from_location_constraint(constraint))
}
