//! Workers: accounts and their buckets -> Inventory. Two requests a bucket, and one for each further fact that was asked
//! for; all accounts at once. Directory buckets are listed behind the others, where they were asked for.
//!
//! What an earlier part of the run wrote down is not asked again, see [`crate::inventory::Earlier`]; accounts that were
//! not read to the end are entered again, whatever kept them from it. A run that is told to stop keeps the row of every
//! bucket that it listed: what it did not read is unknown, because it was interrupted.

mod bucket;
mod collected;
mod directories;
mod last_pass;
mod stop;
mod vanished;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::aws::failure::Failure;
use crate::aws::list_buckets::{self, Listed};
use crate::aws::session::{Aws, Session};
use crate::config::Filters;
use crate::discover::{Entry, Target};
use crate::inventory::{Begun, InventoryError, Segment, Tally, Writer};
use crate::model::{
    AccountId, AccountRecord, BucketRecord, ErrorClass, Extra, Extras, Fact, Facts, Observed, Operation, Outcome,
    Reason, Region, Timestamp, is_directory_bucket,
};

pub use bucket::Way;
use bucket::{Open, read};
pub use collected::{CollectError, Collected};
use directories::Lacks;
use last_pass::{Again, Held, Known};
pub use stop::Stop;
use vanished::{AllGone, Gone};

/// Who watches a run.
pub trait Progress: Send + Sync {
    fn accounts_found(&self, accounts: u64);
    fn account_done(&self);
    fn buckets_found(&self, buckets: u64);
    fn bucket_done(&self);
}

/// What is read.
#[derive(Debug, Clone)]
pub struct Asked {
    pub filters: Filters,
    /// Beside versioning and lifecycle, in this order.
    pub extras: BTreeSet<Extra>,
    /// The Regions that are asked for directory buckets.
    pub directories: BTreeSet<Region>,
}

struct Context {
    aws: Aws,
    asked: Asked,
    writer: Writer,
    progress: Arc<dyn Progress>,
    stop: Stop,
    concurrency: usize,
    /// Buckets that may wait for the last pass of their account.
    held: Semaphore,
}

/// Accounts under way at most: each has a file and clients of its own.
const MOST_ACCOUNTS: usize = 256;

const LOOK_AGAIN_EVERY: Duration = Duration::from_millis(50);

/// Reads every account. A failure of AWS is a reason in the inventory; only a failure to write ends the run, and
/// a run that could enter nothing is none.
pub async fn collect(
    targets: Vec<Target>,
    aws: Aws,
    asked: Asked,
    concurrency: usize,
    writer: Writer,
    progress: Arc<dyn Progress>,
    stop: Stop,
) -> Result<(Collected, Writer), CollectError> {
    progress.accounts_found(targets.len() as u64);
    let held = Semaphore::new(last_pass::MOST_HELD);
    let context = Arc::new(Context { aws, asked, writer, progress, stop, concurrency, held });
    let mut collected = Collected::default();
    let mut targets = targets.into_iter();
    let mut workers = JoinSet::new();
    let mut look_again = tokio::time::interval(LOOK_AGAIN_EVERY);
    look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(context.stop.asked().fuse());
    loop {
        // Every account that is under way has at least one request to send, but for those that their tempo holds back:
        // no other waits for them.
        let under_way = concurrency.max(MOST_ACCOUNTS.min(concurrency + context.aws.pace.held_back()));
        while workers.len() < under_way
            && let Some(target) = targets.next()
        {
            workers.spawn(account(Arc::clone(&context), target));
        }
        let done = tokio::select! {
            done = workers.join_next() => done,
            () = &mut stop => {
                context.aws.pace.stop();
                continue;
            }
            _ = look_again.tick() => continue,
        };
        let Some(done) = done else { break };
        let worked = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        log_account(&worked.record);
        collected.add(worked);
        context.progress.account_done();
    }
    let context = Arc::into_inner(context).expect("every worker has ended");
    Ok((collected.check()?, context.writer))
}

/// A line of the log for each account.
pub fn log_account(record: &AccountRecord) {
    let account = record.id.as_ref().map_or(record.name.as_str(), AccountId::as_str);
    let (outcome, reason) = (record.outcome(), record.listing.reason());
    let outcome = outcome.as_str();
    if reason.is_empty() {
        tracing::info!(account, outcome, buckets = record.buckets, "account read");
    } else {
        tracing::info!(account, outcome, buckets = record.buckets, reason, "account not read, or not to its end");
    }
}

/// What came of one account.
struct Worked {
    record: AccountRecord,
    tally: Tally,
    by_role: bool,
    reached: Reached,
    /// The run was told to stop before the account was read.
    cut: bool,
}

enum Reached {
    /// Its buckets were listed, in part at least.
    Entered,
    /// It was entered, and its buckets could not be listed.
    Listing(Failure),
    Nothing(Failure),
    /// It was not tried.
    Unasked,
}

/// Runs what waits for the disk where it keeps nobody waiting.
async fn blocking<T: Send + 'static>(
    account: &AccountId,
    work: impl FnOnce() -> Result<T, InventoryError> + Send + 'static,
) -> Result<T, InventoryError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only when the program is ending.
            Err(error) => Err(InventoryError::ended(account, error)),
        },
    }
}

async fn account(context: Arc<Context>, target: Target) -> Result<Worked, InventoryError> {
    let Target { account, entry } = target;
    let entered = Timestamp::now();
    let by_role = matches!(entry, Entry::Role { .. });
    let begun = {
        let (context, id) = (Arc::clone(&context), account.id.clone());
        blocking(&account.id, move || context.writer.segment(&id)).await?
    };
    let mut segment = match begun {
        Begun::Whole(record, tally) => {
            context.progress.buckets_found(tally.buckets());
            (0..tally.buckets()).for_each(|_| context.progress.bucket_done());
            // What is said of the account itself is as it was found now.
            let record = AccountRecord::new(&account, record.listing, record.buckets);
            return Ok(Worked { record, tally, by_role, reached: Reached::Entered, cut: false });
        }
        Begun::Open(segment) => segment,
    };
    let mut lacks = None;
    let ended = match enter(&context, entry).await {
        Entered::In(session) => {
            let (ended, named) = buckets(&context, &session, &account.id, &mut segment).await?;
            if ended.lets_ask_more() && !context.asked.directories.is_empty() {
                lacks = Some(directories::list(&context, &session, &account.id, &mut segment, named).await?);
            }
            ended
        }
        Entered::Refused(failure) => Ended::Refused(failure),
        Entered::Gone => Ended::Gone,
        Entered::Skipped(reason) => Ended::Skipped(reason),
        Entered::Interrupted => Ended::Unentered,
    };
    let cut = matches!(ended, Ended::Interrupted | Ended::Unentered) || lacks.as_ref().is_some_and(Lacks::is_cut);
    let tally = segment.tally();
    // Directory buckets say nothing of the list of the others.
    let (listing, reached) = ended.outcome(tally.buckets() > tally.directory);
    let directory_gaps = match &lacks {
        Some(lacks) => lacks.gaps(),
        None => directories::not_asked(&context.asked.directories, &listing),
    };
    let record = AccountRecord { directory_gaps, ..AccountRecord::new(&account, listing, tally.buckets()) };
    // Where there is nothing to keep, nobody waits for the disk.
    if tally.buckets() > 0 || matches!(reached, Reached::Entered | Reached::Listing(_)) {
        let closing = record.clone();
        blocking(&account.id, move || segment.close(entered, closing)).await?;
    }
    Ok(Worked { record, tally, by_role, reached, cut })
}

/// What came of the way into an account.
enum Entered {
    In(Arc<Session>),
    Refused(Failure),
    /// It is not found any more.
    Gone,
    /// Its state keeps everybody out.
    Skipped(String),
    Interrupted,
}

async fn enter(context: &Context, entry: Entry) -> Entered {
    if context.stop.is_asked() {
        return Entered::Interrupted;
    }
    match entry {
        Entry::Session(session) => Entered::In(session),
        Entry::Role { hub, role } => match context.stop.in_time(context.aws.assume(&hub, role)).await {
            Some(Ok(session)) => Entered::In(Arc::new(session)),
            Some(Err(failure)) => Entered::Refused(failure),
            None => Entered::Interrupted,
        },
        Entry::Gone => Entered::Gone,
        Entry::Skipped(reason) => Entered::Skipped(reason),
    }
}

/// How the work on an account ended.
enum Ended {
    Whole,
    Broken(Failure),
    /// Not one page came.
    Unlisted(Failure),
    Refused(Failure),
    Gone,
    Skipped(String),
    /// The run was told to stop, when it listed or read.
    Interrupted,
    /// The run was told to stop before.
    Unentered,
}

impl Ended {
    /// Whether directory buckets are listed behind the others, which could be listed in part at least.
    fn lets_ask_more(&self) -> bool {
        match self {
            Self::Whole | Self::Broken(_) => true,
            Self::Unlisted(_)
            | Self::Refused(_)
            | Self::Gone
            | Self::Skipped(_)
            | Self::Interrupted
            | Self::Unentered => false,
        }
    }

    /// `rows`: whether there are rows of the account, which an earlier part of the run may have read.
    fn outcome(self, rows: bool) -> (Outcome, Reached) {
        let incomplete = |reason: String| if rows { Outcome::Incomplete(reason) } else { Outcome::Failed(reason) };
        match self {
            Self::Whole => (Outcome::Complete, Reached::Entered),
            Self::Broken(failure) => {
                let reason = format!("the list of buckets broke off: {}", failure.reason.sentence());
                (Outcome::Incomplete(reason), Reached::Entered)
            }
            Self::Unlisted(failure) => (incomplete(failure.reason.sentence()), Reached::Listing(failure)),
            Self::Refused(failure) => (incomplete(failure.reason.sentence()), Reached::Nothing(failure)),
            Self::Gone => {
                let reason = "the account was found when the run began, and is not found any more";
                (incomplete(reason.to_owned()), Reached::Unasked)
            }
            Self::Skipped(reason) if rows => {
                let reason = format!("{reason}: what an earlier part of the run read of it stands");
                (Outcome::Incomplete(reason), Reached::Unasked)
            }
            Self::Skipped(reason) => (Outcome::Skipped(reason), Reached::Unasked),
            Self::Interrupted => {
                let reason = "the run was interrupted before all buckets of the account were read";
                (incomplete(reason.to_owned()), Reached::Entered)
            }
            Self::Unentered => {
                let reason = "the run was interrupted before it entered the account";
                (incomplete(reason.to_owned()), Reached::Unasked)
            }
        }
    }
}

/// One step of an account's work.
enum Step {
    Read(BucketRecord, Open),
    /// The bucket is in a Region that was not asked for.
    OutOfScope(String),
    /// S3 says that it does not have the bucket.
    Gone(Gone),
    /// The run was told to stop before.
    Cut(Listed),
    /// The list of buckets broke off.
    Broken {
        failure: Failure,
        listed_before: bool,
    },
    /// The list of buckets was read to its end.
    Listed,
}

const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Reads the buckets. Returns too which of them have names of directory buckets, as they can have on other servers than AWS.
async fn buckets(
    context: &Context,
    session: &Session,
    account: &AccountId,
    segment: &mut Segment,
) -> Result<(Ended, HashSet<String>), InventoryError> {
    /// What is to be done.
    enum Item {
        Bucket(Listed),
        Broken { failure: Failure, listed_before: bool },
        Listed,
    }
    let earlier = Arc::clone(segment.earlier());
    let again: Vec<Item> =
        earlier.again().filter_map(|it| asked_again(it, &session.region)).map(Item::Bucket).collect();
    context.progress.buckets_found(segment.tally().buckets());
    (again.len() as u64..segment.tally().buckets()).for_each(|_| context.progress.bucket_done());
    // The list is cut between two pages: what one of them named is never lost.
    let pages = list_buckets::list(session).map(Some).chain(stream::iter([None])).take_until(context.stop.asked());
    let listed = pages.enumerate().flat_map(|(number, page)| {
        let items: Vec<Item> = match page {
            Some(Ok(listed)) => {
                let new = |bucket: &Listed| context.asked.filters.bucket(&bucket.name) && !earlier.has(&bucket.name);
                listed.into_iter().filter(new).map(Item::Bucket).collect()
            }
            Some(Err(failure)) => vec![Item::Broken { failure, listed_before: number > 0 }],
            None => vec![Item::Listed],
        };
        context.progress.buckets_found(items.iter().filter(|item| matches!(item, Item::Bucket(_))).count() as u64);
        stream::iter(items)
    });
    let steps = stream::iter(again)
        .chain(listed)
        .map(|item| async move {
            match item {
                Item::Bucket(listed) => {
                    let step = bucket(context, session, account, listed.clone()).await;
                    step.unwrap_or(Step::Cut(listed))
                }
                Item::Broken { failure, listed_before } => Step::Broken { failure, listed_before },
                Item::Listed => Step::Listed,
            }
        })
        .buffer_unordered(context.concurrency);
    let mut steps = std::pin::pin!(steps);
    // Until the end of the list comes, something cut it.
    let mut ended = Ended::Interrupted;
    let mut cut = false;
    let (mut held, mut gone) = (Held::new(&context.held), AllGone::new(&context.held));
    let mut named = HashSet::new();
    loop {
        match tokio::time::timeout(FLUSH_EVERY, steps.next()).await {
            Err(_) => segment.flush()?,
            Ok(None) => break,
            Ok(Some(Step::Read(record, open))) => {
                cut |= is_cut(&record);
                if is_directory_bucket(&record.bucket) {
                    named.insert(record.bucket.clone());
                }
                if let Some(record) = held.hold(record, open) {
                    segment.bucket(record)?;
                    context.progress.bucket_done();
                }
            }
            Ok(Some(Step::Cut(listed))) => {
                cut = true;
                // What an earlier part of the run said of it stands.
                let in_scope = listed.region.as_ref().is_none_or(|region| context.asked.filters.region(region));
                if in_scope && !segment.earlier().has(&listed.name) {
                    segment.bucket(unread(account, listed, &context.asked.extras))?;
                }
            }
            Ok(Some(Step::OutOfScope(bucket))) => {
                segment.out_of_scope(bucket)?;
                context.progress.bucket_done();
            }
            Ok(Some(Step::Gone(bucket))) => {
                if is_directory_bucket(&bucket.listed.name) {
                    named.insert(bucket.listed.name.clone());
                }
                wait_for_list(context, account, segment, &mut gone, bucket)?;
            }
            Ok(Some(Step::Listed)) if matches!(ended, Ended::Interrupted) => ended = Ended::Whole,
            Ok(Some(Step::Listed)) => {}
            Ok(Some(Step::Broken { failure, listed_before: true })) => ended = Ended::Broken(failure),
            Ok(Some(Step::Broken { failure, listed_before: false })) => ended = Ended::Unlisted(failure),
        }
    }
    cut |= finish(context, session, account, segment, held, gone).await?;
    Ok((if cut { Ended::Interrupted } else { ended }, named))
}

/// Writes the rows of the buckets that waited until the others were read. Returns whether the run was told to stop before all of
/// them were read.
async fn finish<'a>(
    context: &'a Context,
    session: &'a Session,
    account: &AccountId,
    segment: &mut Segment,
    held: Held<'a>,
    mut gone: AllGone<'a>,
) -> Result<bool, InventoryError> {
    let mut cut = false;
    segment.flush()?;
    let mut steps = std::pin::pin!(held.last_pass(context, session));
    loop {
        match tokio::time::timeout(FLUSH_EVERY, steps.next()).await {
            Err(_) => segment.flush()?,
            Ok(None) => break,
            Ok(Some(Again::Read(record))) => {
                cut |= is_cut(&record);
                segment.bucket(record)?;
                context.progress.bucket_done();
            }
            Ok(Some(Again::OutOfScope(bucket))) => {
                segment.out_of_scope(bucket)?;
                context.progress.bucket_done();
            }
            Ok(Some(Again::Gone(bucket))) => wait_for_list(context, account, segment, &mut gone, bucket)?,
        }
    }
    Ok(gone.settle(context, session, account, segment).await? || cut)
}

/// Holds a bucket that S3 says it does not have, until the account's buckets are listed again.
fn wait_for_list(
    context: &Context,
    account: &AccountId,
    segment: &mut Segment,
    gone: &mut AllGone<'_>,
    bucket: Gone,
) -> Result<(), InventoryError> {
    if let Some(bucket) = gone.hold(bucket) {
        segment.bucket(vanished::unknown(account, &bucket, vanished::NOT_CONFIRMED, &context.asked.extras))?;
        context.progress.bucket_done();
    }
    Ok(())
}

/// What the journal says of a bucket, whose folder may be a stranger's: nothing of it leads to an address that the user's own
/// settings do not lead to. A Region that is not taken from it is looked for.
fn asked_again((name, region): (&str, &Region), own: &Region) -> Option<Listed> {
    // The SDK takes the host of an ARN from the ARN.
    if name.starts_with("arn:") {
        return None;
    }
    let is_usable = region.is_plain() && region.is_in_partition_of(own) && *region != Region::unknown();
    Some(Listed { name: name.to_owned(), region: is_usable.then(|| region.clone()) })
}

/// Whether the run was told to stop before something of the bucket was asked.
fn is_cut(record: &BucketRecord) -> bool {
    record.facts.reasons().any(|reason| reason.class == ErrorClass::Interrupted)
}

/// `None` when the run is told to stop before the bucket is read.
async fn bucket(context: &Context, session: &Session, account: &AccountId, listed: Listed) -> Option<Step> {
    if context.stop.is_asked() {
        return None;
    }
    context.stop.in_time(read(session, &context.asked, account, listed, Known::default())).await
}

/// The row of a bucket of which the list alone is known.
fn unread(account: &AccountId, listed: Listed, wanted: &BTreeSet<Extra>) -> BucketRecord {
    all_unknown(account, listed, Timestamp::now(), wanted, |operation| Arc::new(Reason::interrupted(operation)))
}

/// The row of a bucket of which nothing could be read. `why`: by the operation that would have read it.
fn all_unknown(
    account: &AccountId,
    listed: Listed,
    at: Timestamp,
    wanted: &BTreeSet<Extra>,
    why: impl Fn(Operation) -> Arc<Reason>,
) -> BucketRecord {
    BucketRecord {
        account: account.clone(),
        region: listed.region.unwrap_or_else(Region::unknown),
        bucket: listed.name,
        facts: Facts::Read {
            versioning: Fact { at, observed: Observed::Unknown(why(Operation::GetBucketVersioning)) },
            lifecycle: Fact { at, observed: Observed::Unknown(why(Operation::GetBucketLifecycleConfiguration)) },
            extras: Box::new(Extras::unknown(wanted.iter().copied(), at, why)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_chooses_no_address() {
        let own = Region::new("eu-west-1");
        let asked = |name: &str, region: &str| {
            let listed = asked_again((name, &Region::new(region)), &own)?;
            Some(listed.region.map(|region| region.to_string()))
        };
        assert_eq!(asked("orders", "us-east-1"), Some(Some("us-east-1".to_owned())));
        for region in ["cn-north-1", "us-gov-west-1", "x.evil.example"] {
            assert_eq!(asked("orders", region), Some(None), "{region}");
        }
        let listed = asked_again(("orders", &Region::unknown()), &own).expect("a bucket");
        assert_eq!(listed.region, None);
        for region in ["", "x/../y", "x#", "x@evil.example:443/"] {
            assert!(Region::parse(region).is_err(), "{region}");
        }
        assert_eq!(asked("arn:aws:s3:us-west-2:222222222222:accesspoint/theirs", "us-east-1"), None);
    }
}
