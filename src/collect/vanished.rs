//! Buckets that were listed and that S3 then said it does not have. A list of S3 is eventually consistent, so such a bucket
//! may be deleted. But other services list the buckets of all locations, and answer like this at the endpoint of another
//! location: a bucket has vanished only where a list that was asked for after the answer does not have it any more. That
//! costs an account one more list, and only where it has such buckets.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::bucket::read;
use super::last_pass::Known;
use super::{Context, FLUSH_EVERY, Step, all_unknown, is_cut, unread};
use crate::aws::list_buckets::{self, Listed};
use crate::aws::session::Session;
use crate::inventory::{InventoryError, Segment};
use crate::model::{AccountId, BucketRecord, Extra, Facts, Operation, Reason, Region, Timestamp};

/// A bucket that S3 says it does not have.
#[derive(Debug)]
pub(super) struct Gone {
    pub listed: Listed,
    pub at: Timestamp,
    /// What S3 said.
    pub reason: Arc<Reason>,
}

/// Such buckets of an account, until its other buckets are read.
pub(super) struct AllGone<'a> {
    room: &'a Semaphore,
    buckets: Vec<(Gone, SemaphorePermit<'a>)>,
}

/// What the second list says.
struct SecondList {
    /// Of the buckets that S3 says it does not have, those in the list.
    found: HashMap<String, Listed>,
    end: End,
}

enum End {
    Whole,
    /// Why it says nothing about buckets that are not in it.
    Broken(String),
    Interrupted,
}

impl<'a> AllGone<'a> {
    /// `room`: for buckets that wait until their account is done.
    pub fn new(room: &'a Semaphore) -> Self {
        Self { room, buckets: Vec::new() }
    }

    /// Gives back what there is no room for.
    pub fn hold(&mut self, gone: Gone) -> Option<Gone> {
        match self.room.try_acquire() {
            Ok(place) => {
                self.buckets.push((gone, place));
                None
            }
            Err(_) => Some(gone),
        }
    }

    /// Writes what became of each. Returns whether the run was told to stop before that was known.
    pub async fn settle(
        self,
        context: &Context,
        session: &Session,
        account: &AccountId,
        segment: &mut Segment,
    ) -> Result<bool, InventoryError> {
        if self.buckets.is_empty() {
            return Ok(false);
        }
        segment.flush()?;
        let second = self.list_again(context, session).await;
        let wanted = &context.asked.extras;
        let mut cut = false;
        let mut back = Vec::new();
        for (gone, _place) in self.buckets {
            let record = match (second.found.get(&gone.listed.name), &second.end) {
                (Some(listed), End::Whole | End::Broken(_)) => {
                    back.push((gone, listed.clone()));
                    continue;
                }
                (_, End::Interrupted) => {
                    cut = true;
                    unread(account, Listed { region: None, ..gone.listed }, wanted)
                }
                (None, End::Whole) => vanished(account, gone),
                (None, End::Broken(why)) => {
                    let words = format!(
                        "S3 does not have the bucket; whether it was deleted is unknown, because the list of buckets could not be \
                         read again: {why}"
                    );
                    unknown(account, &gone, &words, wanted)
                }
            };
            segment.bucket(record)?;
            context.progress.bucket_done();
        }
        Ok(ask_again(context, session, account, segment, back).await? || cut)
    }

    async fn list_again(&self, context: &Context, session: &Session) -> SecondList {
        let names: BTreeSet<&str> = self.buckets.iter().map(|(gone, _)| gone.listed.name.as_str()).collect();
        let mut found = HashMap::new();
        let mut pages = std::pin::pin!(list_buckets::list(session).take_until(context.stop.asked()));
        // Nothing more can be learnt where all of them are still listed.
        while found.len() < names.len() {
            match pages.next().await {
                Some(Ok(page)) => {
                    let these = page.into_iter().filter(|listed| names.contains(listed.name.as_str()));
                    found.extend(these.map(|listed| (listed.name.clone(), listed)));
                }
                Some(Err(failure)) => return SecondList { found, end: End::Broken(failure.reason.sentence()) },
                None => break,
            }
        }
        let end = if context.stop.is_asked() { End::Interrupted } else { End::Whole };
        SecondList { found, end }
    }
}

/// A bucket that is still listed may have been made anew, or its settings were not in force yet: it is asked once more.
async fn ask_again(
    context: &Context,
    session: &Session,
    account: &AccountId,
    segment: &mut Segment,
    back: Vec<(Gone, Listed)>,
) -> Result<bool, InventoryError> {
    let wanted = &context.asked.extras;
    let asked = stream::iter(back).map(|(gone, listed)| async move {
        let reading = read(session, &context.asked, account, listed, Known::default());
        let step = if context.stop.is_asked() { None } else { context.stop.in_time(reading).await };
        (gone, step)
    });
    let mut asked = std::pin::pin!(asked.buffer_unordered(context.concurrency));
    let mut cut = false;
    loop {
        let (gone, step) = match tokio::time::timeout(FLUSH_EVERY, asked.next()).await {
            Err(_) => {
                segment.flush()?;
                continue;
            }
            Ok(None) => return Ok(cut),
            Ok(Some(done)) => done,
        };
        let record = match step {
            Some(Step::OutOfScope(bucket)) => {
                segment.out_of_scope(bucket)?;
                context.progress.bucket_done();
                continue;
            }
            Some(Step::Read(record, _)) => record,
            Some(Step::Gone(gone)) => unknown(account, &gone, STILL_LISTED, wanted),
            // `read` gives no other step.
            Some(Step::Cut(_) | Step::Broken { .. } | Step::Listed) | None => {
                unread(account, Listed { region: None, ..gone.listed }, wanted)
            }
        };
        cut |= is_cut(&record);
        segment.bucket(record)?;
        context.progress.bucket_done();
    }
}

const STILL_LISTED: &str = "S3 does not have the bucket, and a list of buckets that was read after that still has it: it \
                            may be in a location that this endpoint does not serve";

fn vanished(account: &AccountId, gone: Gone) -> BucketRecord {
    BucketRecord {
        account: account.clone(),
        region: gone.listed.region.unwrap_or_else(Region::unknown),
        bucket: gone.listed.name,
        facts: Facts::Vanished { at: gone.at },
    }
}

/// The row of a bucket that is there for all that is known: nothing is known of it, its Region neither. A list may name one,
/// but S3 does not have the bucket there.
pub(super) fn unknown(account: &AccountId, gone: &Gone, words: &str, wanted: &BTreeSet<Extra>) -> BucketRecord {
    let said = Arc::new(Reason { message: words.to_owned(), ..(*gone.reason).clone() });
    let of = |operation: Operation| {
        if operation == gone.reason.operation {
            return Arc::clone(&said);
        }
        let message = format!("{} said that the bucket does not exist: {words}", gone.reason.operation);
        Arc::new(Reason { operation, code: None, http_status: None, request_id: None, message, ..(*said).clone() })
    };
    let listed = Listed { name: gone.listed.name.clone(), region: None };
    all_unknown(account, listed, gone.at, wanted, of)
}

/// There was no room to wait for a second list.
pub(super) const NOT_CONFIRMED: &str = "S3 does not have the bucket; whether it was deleted is unknown, because too many buckets \
                                        wait for a second list of buckets";
