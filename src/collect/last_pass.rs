//! The last pass: what failed and may succeed another time is asked once more when the rest of the account is done. Until
//! then it is held back, so that a bucket is written once, when all that can be known of it is known.

use futures::{Stream, StreamExt, stream};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::bucket::{Open, read};
use super::vanished::Gone;
use super::{Context, Step};
use crate::aws::list_buckets::Listed;
use crate::aws::session::Session;
use crate::model::{BucketPolicy, BucketRecord, Extras, Fact, Facts, Lifecycle, Region, VersioningState};

/// Buckets that may be held over all accounts: memory must not grow with what fails. Where more do, their first failure
/// is the last.
pub(super) const MOST_HELD: usize = 100_000;

/// The buckets of an account that wait for the last pass.
pub(super) struct Held<'a> {
    room: &'a Semaphore,
    buckets: Vec<(BucketRecord, Open, SemaphorePermit<'a>)>,
}

/// What need not be asked again.
#[derive(Default)]
pub(super) struct Known {
    pub versioning: Option<Fact<VersioningState>>,
    pub lifecycle: Option<Fact<Lifecycle>>,
    pub extras: Box<Extras>,
}

impl<'a> Held<'a> {
    pub fn new(room: &'a Semaphore) -> Self {
        Self { room, buckets: Vec::new() }
    }

    /// Gives back what is final.
    pub fn hold(&mut self, record: BucketRecord, open: Open) -> Option<BucketRecord> {
        if open.is_any()
            && let Ok(place) = self.room.try_acquire_many(places(&record))
        {
            self.buckets.push((record, open, place));
            return None;
        }
        Some(record)
    }

    /// Each bucket that was held, when all that can be known of it is known.
    pub fn last_pass(self, context: &'a Context, session: &'a Session) -> impl Stream<Item = Again> + 'a {
        let prepared = async move {
            let asks = !self.buckets.is_empty()
                && context.stop.unless_asked(session.lane.begin_last_pass()).await.unwrap_or_default();
            stream::iter(self.buckets).map(move |(record, open, _place)| async move {
                if asks { again(context, session, record, open).await } else { Again::Read(record) }
            })
        };
        stream::once(prepared).flatten().buffer_unordered(context.concurrency)
    }
}

/// A bucket policy may be much longer than all the rest of a record.
fn places(record: &BucketRecord) -> u32 {
    const BYTES: usize = 2048;
    let policy = match &record.facts {
        Facts::Read { extras, .. } => extras.policy.as_ref().and_then(Fact::known),
        Facts::Vanished { .. } | Facts::Directory { .. } => None,
    };
    match policy {
        Some(BucketPolicy::Present(text)) => u32::try_from(1 + text.len() / BYTES).unwrap_or(u32::MAX),
        Some(BucketPolicy::None) | None => 1,
    }
}

/// What became of a bucket in the last pass.
pub(super) enum Again {
    Read(BucketRecord),
    /// The bucket is in a Region that was not asked for.
    OutOfScope(String),
    Gone(Gone),
}

async fn again(context: &Context, session: &Session, record: BucketRecord, open: Open) -> Again {
    let known = match &record.facts {
        Facts::Read { versioning, lifecycle, extras } => {
            let mut extras = extras.clone();
            open.extras.iter().for_each(|extra| extras.forget(*extra));
            Known {
                versioning: (!open.versioning).then(|| versioning.clone()),
                lifecycle: (!open.lifecycle).then(|| lifecycle.clone()),
                extras,
            }
        }
        Facts::Vanished { .. } | Facts::Directory { .. } => Known::default(),
    };
    let region = (record.region != Region::unknown()).then(|| record.region.clone());
    let listed = Listed { name: record.bucket.clone(), region };
    let reading = read(session, &context.asked, &record.account, listed, known);
    match context.stop.in_time(reading).await {
        Some(Step::Read(record, _)) => Again::Read(record),
        Some(Step::OutOfScope(bucket)) => Again::OutOfScope(bucket),
        Some(Step::Gone(gone)) => Again::Gone(gone),
        // Where the run was told to stop, what was known before is the last that is known.
        Some(Step::Cut(_) | Step::Broken { .. } | Step::Listed) | None => Again::Read(record),
    }
}
