//! `ListBuckets`, page by page. Source: Amazon S3 API reference, `ListBuckets`.

use std::collections::HashSet;

use futures::Stream;
use futures::stream;

use super::failure::Failure;
use super::session::{Route, Session};
use crate::model::{Operation, Region};

/// Sent always: with it S3 paginates and names each bucket's Region, and accounts with more than 10,000 buckets can be
/// listed at all.
const MAX_BUCKETS: i32 = 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// `None` where the server does not say.
    pub region: Option<Region>,
}

struct Page {
    buckets: Vec<Listed>,
    next: Option<String>,
}

/// What earlier pages held.
#[derive(Default)]
pub(super) struct Seen {
    names: HashSet<String>,
    tokens: HashSet<String>,
    /// Pages in a row that held nothing new.
    barren: u32,
}

impl Seen {
    /// What no earlier page held.
    pub fn new_of(&mut self, page: Vec<Listed>) -> Vec<Listed> {
        let new: Vec<Listed> = page.into_iter().filter(|bucket| self.names.insert(bucket.name.clone())).collect();
        self.barren = if new.is_empty() { self.barren + 1 } else { 0 };
        new
    }

    /// Why a further page is not asked for: a server that names a page again would be asked for ever.
    pub fn refuse(&mut self, token: &str) -> Option<&'static str> {
        /// No server needs more of them to go on.
        const BARREN_PAGES: u32 = 1000;
        if !self.tokens.insert(token.to_owned()) {
            Some("the list goes round in a circle")
        } else if self.barren > BARREN_PAGES {
            Some("the list has no end")
        } else {
            None
        }
    }
}

/// What to ask next.
enum Next {
    First,
    Page(String),
    /// Nothing: the rest of the list cannot be had, for this reason.
    Broken(&'static str),
    /// All at once, because the server may have cut the list without saying so.
    Whole,
    Nothing,
}

/// All buckets of the session's account, a page at a time. After a failure the stream ends: what was listed before it
/// stays listed, and the account is incomplete.
pub fn list(session: &Session) -> impl Stream<Item = Result<Vec<Listed>, Failure>> + '_ {
    let state = (Next::First, Seen::default());
    stream::unfold(state, move |(next, mut seen)| async move {
        let (max_buckets, token) = match &next {
            Next::Nothing => return None,
            Next::Broken(why) => {
                let failure = Failure::malformed(Operation::ListBuckets, *why);
                return Some((Err(failure), (Next::Nothing, seen)));
            }
            Next::First => (Some(MAX_BUCKETS), None),
            Next::Page(token) => (Some(MAX_BUCKETS), Some(token.as_str())),
            Next::Whole => (None, None),
        };
        let page = match page(session, max_buckets, token).await {
            Ok(page) => page,
            // S3 refuses to list without pages where the quota is above 10,000 buckets: so it does paginate, and there
            // is nothing behind the full page.
            Err(failure) if matches!(next, Next::Whole) && failure.code() == Some("InvalidRequest") => return None,
            Err(failure) => return Some((Err(failure), (Next::Nothing, seen))),
        };
        let full = page.buckets.len() == MAX_BUCKETS as usize;
        let new = seen.new_of(page.buckets);
        let then = match (&next, page.next) {
            (_, Some(token)) => seen.refuse(&token).map_or(Next::Page(token), Next::Broken),
            // Exactly as many as were asked for and no token: AWS means the end, moto cut the list.
            (Next::First, None) if full => Next::Whole,
            (_, None) => Next::Nothing,
        };
        Some((Ok(new), (then, seen)))
    })
}

async fn page(session: &Session, max_buckets: Option<i32>, token: Option<&str>) -> Result<Page, Failure> {
    let operation = Operation::ListBuckets;
    let s3 = session.s3(&Route::from(session.region.clone()));
    let answer = session
        .call_in_two_passes(operation, || async {
            s3.list_buckets()
                .set_max_buckets(max_buckets)
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
        let name = bucket.name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Failure::malformed(operation, "a bucket in the list has no name"))?;
        let region = bucket.bucket_region.filter(|region| !region.is_empty());
        Ok(Listed { name, region: region.as_deref().and_then(Region::from_location_constraint) })
    });
    Ok(Page { buckets: buckets.collect::<Result<_, Failure>>()?, next })
}
