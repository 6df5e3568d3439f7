//! `ListBuckets`, page by page. Source: Amazon S3 API reference, `ListBuckets`.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use futures::Stream;
use futures::stream;

use super::body::Kept;
use super::failure::Failure;
use super::listing::{Behind, Most, PageEnd, Position, Seen};
use super::session::Session;
use crate::model::{ErrorClass, Operation, Region};

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
    /// An error where the answer says it in a way that is not documented.
    end: Result<PageEnd, String>,
}

/// What to ask next.
enum Next {
    First,
    Page(Position),
    /// Nothing: the rest of the list cannot be had, for this reason.
    Broken(String),
    /// All at once, because the server may have cut the list without saying so.
    Whole,
    Nothing,
}

impl Next {
    fn position(&self) -> Option<&Position> {
        match self {
            Self::Page(position) => Some(position),
            Self::First | Self::Broken(_) | Self::Whole | Self::Nothing => None,
        }
    }
}

impl From<Behind> for Next {
    fn from(behind: Behind) -> Self {
        match behind {
            Behind::Page(position) => Self::Page(position),
            Behind::Nothing => Self::Nothing,
            Behind::Broken(why) => Self::Broken(why),
        }
    }
}

/// All buckets of the session's account, a page at a time. After a failure the stream ends: what was listed before it
/// stays listed, and the account is incomplete.
pub fn list(session: &Session) -> impl Stream<Item = Result<Vec<Listed>, Failure>> + '_ {
    let state = (Next::First, Seen::new(Most::BUCKETS));
    stream::unfold(state, move |(next, mut seen)| async move {
        let form = match &next {
            Next::Nothing => return None,
            Next::Broken(why) => {
                let failure = Failure::malformed(Operation::ListBuckets, why);
                return Some((Err(failure), (Next::Nothing, seen)));
            }
            Next::First | Next::Page(_) => Form::Page,
            Next::Whole => Form::Whole,
        };
        let mut answer = page(session, form, next.position()).await;
        let plain = matches!(next, Next::First) && answer.as_ref().is_err_and(refuses_parameters);
        if plain {
            tracing::debug!("the server refuses max-buckets or x-id: asking for the list without them");
            answer = page(session, Form::Plain, None).await;
        }
        let Page { buckets, end } = match answer {
            Ok(page) => page,
            // S3 refuses to list without pages where the quota is above 10,000 buckets: so it does paginate, and there
            // is nothing behind the full page.
            Err(failure) if matches!(next, Next::Whole) && failure.code() == Some("InvalidRequest") => return None,
            Err(failure) => return Some((Err(failure), (Next::Nothing, seen))),
        };
        let full = buckets.len() == MAX_BUCKETS as usize;
        let new = seen.new_of(buckets, |bucket| &bucket.name);
        let then = match end {
            Err(why) => Next::Broken(why),
            Ok(end) => {
                let is_whole = end.says_whole();
                match end.behind(next.position(), &mut seen) {
                    // Exactly as many as were asked for and no token: AWS means the end, moto cut the list.
                    Behind::Nothing if full && !is_whole && !plain && matches!(next, Next::First) => Next::Whole,
                    behind => Next::from(behind),
                }
            }
        };
        Some((Ok(new), (then, seen)))
    })
}

/// How the list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Whole,
    /// As whole, without `x-id` either, which the SDK adds.
    Plain,
}

/// Whether the server may know the operation, but not `max-buckets` or `x-id`.
fn refuses_parameters(failure: &Failure) -> bool {
    let is_refusal = match failure.reason.class {
        ErrorClass::Unsupported | ErrorClass::Rejected | ErrorClass::Malformed => true,
        ErrorClass::Denied
        | ErrorClass::WrongRegion
        | ErrorClass::Credentials
        | ErrorClass::Throttled
        | ErrorClass::Unavailable
        | ErrorClass::Interrupted => false,
    };
    is_refusal && matches!(failure.reason.http_status, Some(400 | 501))
}

async fn page(session: &Session, form: Form, position: Option<&Position>) -> Result<Page, Failure> {
    let operation = Operation::ListBuckets;
    let s3 = session.s3(&session.home());
    let marker = position.and_then(Position::marker);
    let (answer, body) = session
        .call_in_two_passes(operation, || async {
            let (kept, marker) = (Kept::default(), marker.map(encoded));
            s3.list_buckets()
                .set_max_buckets((form == Form::Page).then_some(MAX_BUCKETS))
                .set_continuation_token(position.and_then(Position::token).map(str::to_owned))
                .customize()
                .interceptor(kept.clone())
                .mutate_request(move |request| match form {
                    Form::Page | Form::Whole => add_marker(request, marker.as_deref()),
                    Form::Plain => remove_parameters(request),
                })
                .send()
                .await
                .map(|answer| (answer, kept.take()))
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await?;
    // S3 sends an empty list where there are no buckets.
    let buckets = answer.buckets.ok_or_else(|| Failure::malformed(operation, "the answer has no list"))?;
    let buckets = buckets.into_iter().map(|bucket| {
        let name = bucket.name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Failure::malformed(operation, "a bucket in the list has no name"))?;
        let region = bucket.bucket_region.filter(|region| !region.is_empty());
        Ok(Listed { name, region: region.as_deref().and_then(Region::from_location_constraint) })
    });
    Ok(Page { buckets: buckets.collect::<Result<_, Failure>>()?, end: PageEnd::read(&body) })
}

/// S3 has no such parameter: only servers that answered with `NextMarker` get it.
fn add_marker(request: &mut HttpRequest, marker: Option<&str>) {
    let Some(marker) = marker else { return };
    let sign = if request.uri().contains('?') { '&' } else { '?' };
    let uri = format!("{}{sign}marker={marker}", request.uri());
    // The same page comes again where the address does not hold, and the list is given up.
    let _ = request.set_uri(uri);
}

fn remove_parameters(request: &mut HttpRequest) {
    if let Some((uri, _)) = request.uri().split_once('?') {
        // A URI without its query is one.
        let _ = request.set_uri(uri.to_owned());
    }
}

/// For the query of a URI.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}
