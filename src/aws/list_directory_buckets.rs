//! `ListDirectoryBuckets` of one Region, page by page. Source: Amazon S3 API reference, `ListDirectoryBuckets`.

use futures::Stream;
use futures::stream;

use super::failure::Failure;
use super::list_buckets::{Listed, Seen};
use super::session::{Route, Session};
use crate::model::{Operation, Region, is_directory_bucket};

/// S3's most.
const MAX_DIRECTORY_BUCKETS: i32 = 1000;

/// What to ask next.
enum Next {
    First,
    Page(String),
    /// Nothing: the rest of the list cannot be had, for this reason.
    Broken(&'static str),
    Nothing,
}

/// The directory buckets of the session's account in a Region, a page at a time. After a failure the stream ends: what was
/// listed before it stays listed.
pub fn list<'a>(session: &'a Session, region: &'a Region) -> impl Stream<Item = Result<Vec<Listed>, Failure>> + 'a {
    let state = (Next::First, Seen::default());
    stream::unfold(state, move |(next, mut seen)| async move {
        let token = match &next {
            Next::Nothing => return None,
            Next::Broken(why) => {
                let failure = Failure::malformed(Operation::ListDirectoryBuckets, *why);
                return Some((Err(failure), (Next::Nothing, seen)));
            }
            Next::First => None,
            Next::Page(token) => Some(token.as_str()),
        };
        let (buckets, token) = match page(session, region, token).await {
            Ok(page) => page,
            Err(failure) => return Some((Err(failure), (Next::Nothing, seen))),
        };
        let new = seen.new_of(buckets);
        let then = match token {
            Some(token) => seen.refuse(&token).map_or(Next::Page(token), Next::Broken),
            None => Next::Nothing,
        };
        Some((Ok(new), (then, seen)))
    })
}

async fn page(
    session: &Session,
    region: &Region,
    token: Option<&str>,
) -> Result<(Vec<Listed>, Option<String>), Failure> {
    let operation = Operation::ListDirectoryBuckets;
    let s3 = session.s3(&Route::from(region.clone()));
    let answer = session
        .call_in_two_passes(operation, || async {
            s3.list_directory_buckets()
                .max_directory_buckets(MAX_DIRECTORY_BUCKETS)
                .set_continuation_token(token.map(str::to_owned))
                .send()
                .await
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await?;
    let next = answer.continuation_token.filter(|token| !token.is_empty());
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
    Ok((buckets.collect::<Result<_, Failure>>()?, next))
}
