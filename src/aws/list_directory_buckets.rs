//! `ListDirectoryBuckets` of one Region, page by page. Source: Amazon S3 API reference, `ListDirectoryBuckets`.

use futures::Stream;
use futures::stream;

use super::body::Kept;
use super::failure::Failure;
use super::list_buckets::Listed;
use super::listing::{Behind, Most, PageEnd, Position, Seen};
use super::session::Session;
use crate::model::{Operation, Region, is_directory_bucket};

/// S3's most.
const MAX_DIRECTORY_BUCKETS: i32 = 1000;

/// The directory buckets of the session's account in a Region, a page at a time. After a failure the stream ends: what was
/// listed before it stays listed.
pub fn list<'a>(session: &'a Session, region: &'a Region) -> impl Stream<Item = Result<Vec<Listed>, Failure>> + 'a {
    // What to ask next: the first page, one behind it, or no more.
    let state = (Some(Ok(None)), Seen::new(Most::BUCKETS));
    stream::unfold(state, move |(next, mut seen)| async move {
        let asked: Option<Position> = match next? {
            Ok(position) => position,
            Err(why) => return Some((Err(Failure::malformed(Operation::ListDirectoryBuckets, why)), (None, seen))),
        };
        let (buckets, end) = match page(session, region, asked.as_ref().and_then(Position::token)).await {
            Ok(page) => page,
            Err(failure) => return Some((Err(failure), (None, seen))),
        };
        let new = seen.new_of(buckets, |bucket| &bucket.name);
        let then: Option<Result<Option<Position>, String>> = match end.map(|end| end.behind(asked.as_ref(), &mut seen))
        {
            Ok(Behind::Page(position)) => Some(Ok(Some(position))),
            Ok(Behind::Nothing) => None,
            Ok(Behind::Broken(why)) | Err(why) => Some(Err(why)),
        };
        Some((Ok(new), (then, seen)))
    })
}

async fn page(
    session: &Session,
    region: &Region,
    token: Option<&str>,
) -> Result<(Vec<Listed>, Result<PageEnd, String>), Failure> {
    let operation = Operation::ListDirectoryBuckets;
    let route = session.route(region).map_err(|why| Failure::not_asked(operation, format!("not asked: {why}")))?;
    let s3 = session.s3(&route);
    let (answer, body) = session
        .call_in_two_passes(operation, || async {
            let kept = Kept::default();
            s3.list_directory_buckets()
                .max_directory_buckets(MAX_DIRECTORY_BUCKETS)
                .set_continuation_token(token.map(str::to_owned))
                .customize()
                .interceptor(kept.clone())
                .send()
                .await
                .map(|answer| (answer, kept.take()))
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await?;
    // S3 sends an empty list where there are no buckets.
    let buckets = answer.buckets.ok_or_else(|| Failure::malformed(operation, "the answer has no list"))?;
    let buckets = buckets.into_iter().map(|bucket| {
        let name = bucket.name.unwrap_or_default();
        if !is_directory_bucket(&name) {
            let what = format!("the list names {name:?}, and no directory bucket can have this name");
            return Err(Failure::malformed(operation, what));
        }
        // AWS names no Region: the list is that of the Region that was asked.
        let told = bucket.bucket_region.filter(|region| !region.is_empty());
        let told = told.as_deref().and_then(Region::from_location_constraint);
        Ok(Listed { name, region: Some(told.unwrap_or_else(|| region.clone())) })
    });
    Ok((buckets.collect::<Result<_, Failure>>()?, PageEnd::read(&body)))
}
