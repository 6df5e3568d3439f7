//! The Region of a bucket that `ListBuckets` did not name. Sources: Amazon S3 API reference, `HeadBucket`,
//! `GetBucketLocation`.

use super::failure::{Elsewhere, Failure};
use super::session::{Route, Session};
use crate::model::{Operation, Region};

/// `x-amz-bucket-region` of `HeadBucket`, else `GetBucketLocation`; `None` where the server has no Regions or does not
/// tell.
pub async fn find(session: &Session, bucket: &str) -> Option<Region> {
    let route = Route::from(session.region.clone());
    match head(session, &route, bucket).await {
        Some(region) => Some(region),
        None => location(session, &route, bucket).await,
    }
}

/// The header comes whatever the permissions, also with 301, 400 and 403.
async fn head(session: &Session, route: &Route, bucket: &str) -> Option<Region> {
    let s3 = session.s3(route);
    let asked = session.pace.call(|| async {
        let answer = s3.head_bucket().bucket(bucket).send().await;
        answer.map_err(|error| {
            let mut failure = Failure::from_sdk(Operation::HeadBucket, &error);
            let header = error.raw_response().and_then(|raw| raw.headers().get("x-amz-bucket-region"));
            failure.elsewhere = Elsewhere { region: header.map(Region::new), endpoint: None };
            failure
        })
    });
    match asked.await {
        Ok(answer) => answer.bucket_region().and_then(Region::from_location_constraint),
        Err(failure) => failure.elsewhere.region,
    }
}

async fn location(session: &Session, route: &Route, bucket: &str) -> Option<Region> {
    let s3 = session.s3(route);
    let asked = session.pace.call(|| async {
        let answer = s3.get_bucket_location().bucket(bucket).send().await;
        answer.map_err(|error| Failure::from_sdk(Operation::GetBucketLocation, &error))
    });
    let answer = asked.await.ok()?;
    let constraint = answer.location_constraint().map_or("", |constraint| constraint.as_str());
    Region::from_location_constraint(constraint)
}
