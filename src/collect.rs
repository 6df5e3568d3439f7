//! Workers: accounts and their buckets -> Inventory. Two requests a bucket, all accounts at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::aws::failure::Failure;
use crate::aws::list_buckets::{self, Listed};
use crate::aws::session::{Aws, Route, Session};
use crate::aws::{bucket_region, get_bucket_lifecycle_configuration, get_bucket_versioning};
use crate::config::Filters;
use crate::discover::{Entry, Target};
use crate::inventory::{InventoryError, Segment, Writer};
use crate::model::{
    AccountRecord, BucketRecord, Coverage, ErrorClass, Fact, Facts, Lifecycle, MfaDelete, Observed, Outcome, Region,
    Timestamp, VersioningState,
};

/// Who watches a run.
pub trait Progress: Send + Sync {
    fn accounts_found(&self, accounts: u64);
    fn account_done(&self);
    fn buckets_found(&self, buckets: u64);
    fn bucket_done(&self);
}

/// What came of the accounts.
#[derive(Debug, Default)]
pub struct Collected {
    /// In the order in which they were finished.
    pub accounts: Vec<AccountRecord>,
    pub coverage: Coverage,
    roles: Roles,
    /// Accounts whose buckets could be listed, in part at least.
    reached: u64,
    /// The first failure of an account that was not reached, and whether all such failures mean that the run itself
    /// has no credentials or no way to AWS.
    failure: Option<Failure>,
    ours: bool,
}

#[derive(Debug, Default)]
struct Roles {
    asked: u64,
    assumed: u64,
    /// The first.
    failure: Option<Failure>,
}

/// Why a run that asked found that it could not run at all.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error("the role could be assumed in none of the accounts ({accounts}): {failure}")]
    NoRole { accounts: u64, failure: Failure },
    #[error("no account could be read: {0}")]
    NoWay(Failure),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl CollectError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoRole { .. } => {
                "check --role-name, the role's trust policy and --external-id; OrganizationAccountAccessRole exists \
                 only in accounts that Organizations created, and trusts the management account only"
            }
            Self::NoWay(_) => "check the credentials, the network, AWS_REGION and AWS_ENDPOINT_URL",
            Self::Inventory(error) => error.help(),
        }
    }
}

impl Collected {
    fn add(&mut self, worked: Worked) {
        self.coverage.buckets_complete += worked.tally.complete;
        self.coverage.buckets_unknown += worked.tally.unknown;
        self.coverage.buckets_vanished += worked.tally.vanished;
        self.accounts.push(worked.record);
        self.roles.asked += u64::from(worked.by_role);
        match worked.reached {
            Reached::Entered => {
                self.reached += 1;
                self.roles.assumed += u64::from(worked.by_role);
            }
            Reached::Listing(failure) => {
                self.roles.assumed += u64::from(worked.by_role);
                self.fail(failure);
            }
            Reached::Nothing(failure) => {
                self.roles.failure.get_or_insert_with(|| failure.clone());
                self.fail(failure);
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        let ours = match failure.reason.class {
            ErrorClass::Credentials => true,
            ErrorClass::Unavailable => failure.reason.http_status.is_none(),
            ErrorClass::Denied
            | ErrorClass::WrongRegion
            | ErrorClass::Throttled
            | ErrorClass::Malformed
            | ErrorClass::Unsupported
            | ErrorClass::Rejected => false,
        };
        self.ours = ours && (self.ours || self.failure.is_none());
        self.failure.get_or_insert(failure);
    }

    /// A role that exists nowhere, credentials that are worth nothing and an endpoint that does not answer are no
    /// findings about accounts: such a run could not run. A single role that is refused beside an account that was
    /// read says nothing of the role's name.
    fn check(mut self) -> Result<Self, CollectError> {
        let Roles { asked, assumed, failure } = std::mem::take(&mut self.roles);
        match (failure, self.failure.take()) {
            (Some(failure), _) if assumed == 0 && (asked > 1 || self.reached == 0) => {
                Err(CollectError::NoRole { accounts: asked, failure })
            }
            (_, Some(failure)) if self.reached == 0 && self.ours => Err(CollectError::NoWay(failure)),
            _ => Ok(self),
        }
    }
}

struct Context {
    aws: Aws,
    filters: Filters,
    writer: Writer,
    progress: Arc<dyn Progress>,
    concurrency: usize,
    /// Buckets being read, over all accounts: memory must not grow with accounts times concurrency.
    slots: Semaphore,
}

/// Reads every account. A failure of AWS is a reason in the inventory; only a failure to write ends the run, and
/// a run that could enter nothing is none.
pub async fn collect(
    targets: Vec<Target>,
    aws: Aws,
    filters: Filters,
    concurrency: usize,
    writer: Writer,
    progress: Arc<dyn Progress>,
) -> Result<(Collected, Writer), CollectError> {
    progress.accounts_found(targets.len() as u64);
    let context = Arc::new(Context { aws, filters, writer, progress, concurrency, slots: Semaphore::new(concurrency) });
    let mut collected = Collected::default();
    let mut targets = targets.into_iter();
    let mut workers = JoinSet::new();
    loop {
        // Every account that is under way has at least one request to send; more would only wait.
        while workers.len() < context.concurrency
            && let Some(target) = targets.next()
        {
            let context = Arc::clone(&context);
            workers.spawn(async move { account(&context, target).await });
        }
        let Some(done) = workers.join_next().await else { break };
        collected.add(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?);
        context.progress.account_done();
    }
    let context = Arc::into_inner(context).expect("every worker has ended");
    Ok((collected.check()?, context.writer))
}

/// What came of one account.
struct Worked {
    record: AccountRecord,
    tally: Tally,
    by_role: bool,
    reached: Reached,
}

enum Reached {
    /// Its buckets were listed, in part at least.
    Entered,
    /// It was entered, and its buckets could not be listed.
    Listing(Failure),
    Nothing(Failure),
}

/// Buckets by what became of them.
#[derive(Default)]
struct Tally {
    complete: u64,
    unknown: u64,
    vanished: u64,
}

impl Tally {
    fn count(&mut self, record: &BucketRecord) {
        match &record.facts {
            Facts::Vanished { .. } => self.vanished += 1,
            Facts::Read { .. } if record.has_unknown() => self.unknown += 1,
            Facts::Read { .. } => self.complete += 1,
        }
    }
}

async fn account(context: &Context, target: Target) -> Result<Worked, InventoryError> {
    let account = target.account;
    let (by_role, entered) = match target.entry {
        Entry::Session(session) => (false, Ok(session)),
        Entry::Role { hub, role } => (true, context.aws.assume(&hub, role).await.map(Arc::new)),
    };
    let mut tally = Tally::default();
    let session = match entered {
        Ok(session) => session,
        Err(failure) => {
            let record = AccountRecord::new(&account, Outcome::Failed(failure.reason.sentence()), 0);
            return Ok(Worked { record, tally, by_role, reached: Reached::Nothing(failure) });
        }
    };
    let mut segment = context.writer.segment(&account.id)?;
    let (outcome, reached) = match buckets(context, &session, &account.id, &mut segment, &mut tally).await? {
        Ended::Whole => (Outcome::Complete, Reached::Entered),
        Ended::Broken(failure) => {
            let reason = format!("the list of buckets broke off: {}", failure.reason.sentence());
            (Outcome::Incomplete(reason), Reached::Entered)
        }
        Ended::Unlisted(failure) => (Outcome::Failed(failure.reason.sentence()), Reached::Listing(failure)),
    };
    let record = AccountRecord::new(&account, outcome, segment.buckets());
    let closing = record.clone();
    match tokio::task::spawn_blocking(move || segment.close(closing)).await {
        Ok(closed) => closed?,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only when the program is ending.
            Err(error) => return Err(InventoryError::ended(&account.id, error)),
        },
    }
    Ok(Worked { record, tally, by_role, reached })
}

/// How the list of an account's buckets ended.
enum Ended {
    Whole,
    Broken(Failure),
    /// Not one page came.
    Unlisted(Failure),
}

/// One step of an account's work.
enum Step {
    Read(BucketRecord),
    /// The bucket is in a Region that was not asked for.
    OutOfScope,
    /// The list of buckets broke off.
    Broken {
        failure: Failure,
        listed_before: bool,
    },
}

async fn buckets(
    context: &Context,
    session: &Session,
    account: &crate::model::AccountId,
    segment: &mut Segment,
    tally: &mut Tally,
) -> Result<Ended, InventoryError> {
    const FLUSH_EVERY: Duration = Duration::from_secs(1);
    let pages = list_buckets::list(session).enumerate().flat_map(|(number, page)| {
        let items: Vec<Result<Listed, (Failure, bool)>> = match page {
            Ok(listed) => listed.into_iter().filter(|bucket| context.filters.bucket(&bucket.name)).map(Ok).collect(),
            Err(failure) => vec![Err((failure, number > 0))],
        };
        context.progress.buckets_found(items.iter().filter(|item| item.is_ok()).count() as u64);
        stream::iter(items)
    });
    let steps = pages
        .map(|item| async move {
            match item {
                Ok(listed) => {
                    // What waits here is small; what reads a bucket is not, and stands in a box of its own.
                    let _slot = context.slots.acquire().await.expect("the semaphore is never closed");
                    Box::pin(read(session, &context.filters, account, listed)).await
                }
                Err((failure, listed_before)) => Step::Broken { failure, listed_before },
            }
        })
        .buffer_unordered(context.concurrency);
    let mut steps = std::pin::pin!(steps);
    let mut ended = Ended::Whole;
    loop {
        match tokio::time::timeout(FLUSH_EVERY, steps.next()).await {
            Err(_) => segment.flush()?,
            Ok(None) => return Ok(ended),
            Ok(Some(Step::Read(record))) => {
                tally.count(&record);
                segment.bucket(record)?;
                context.progress.bucket_done();
            }
            Ok(Some(Step::OutOfScope)) => context.progress.bucket_done(),
            Ok(Some(Step::Broken { failure, listed_before: true })) => ended = Ended::Broken(failure),
            Ok(Some(Step::Broken { failure, listed_before: false })) => ended = Ended::Unlisted(failure),
        }
    }
}

async fn read(session: &Session, filters: &Filters, account: &crate::model::AccountId, listed: Listed) -> Step {
    let found = match listed.region {
        Some(region) => Ok(Some(region)),
        None => bucket_region::find(session, &listed.name).await,
    };
    // Where nobody tells, the configured Region is asked; it is the bucket's where the server has no Regions.
    let told = found.is_ok();
    let region = found.ok().flatten().unwrap_or_else(|| session.region.clone());
    if told && !filters.region(&region) {
        return Step::OutOfScope;
    }
    let mut way = Way { session, bucket: &listed.name, route: Route::from(region), followed: false };
    let facts = facts(&mut way).await;
    let region = if told || way.followed || facts.some_known() { way.route.region } else { Region::unknown() };
    // It was listed in one Region and found in another. A bucket whose Region stays unknown may be meant.
    if region != Region::unknown() && !filters.region(&region) {
        return Step::OutOfScope;
    }
    Step::Read(BucketRecord { account: account.clone(), region, bucket: listed.name, facts })
}

async fn facts(way: &mut Way<'_>) -> Facts {
    let versioning = match way.versioning().await {
        Ok(fact) => fact,
        Err(vanished) => return vanished.into(),
    };
    let lifecycle = match way.lifecycle().await {
        Ok(fact) => fact,
        Err(vanished) => return vanished.into(),
    };
    if !is_conflict(&versioning, &lifecycle) {
        return Facts::Read { versioning, lifecycle };
    }
    // AWS says that this cannot be. S3 is eventually consistent: look again before it is reported.
    match way.versioning().await {
        Ok(again) if again.known().is_some() => Facts::Read { versioning: again, lifecycle },
        Ok(_) => Facts::Read { versioning, lifecycle },
        Err(vanished) => vanished.into(),
    }
}

fn is_conflict(versioning: &Fact<VersioningState>, lifecycle: &Fact<Lifecycle>) -> bool {
    versioning.known().is_some_and(|state| state.mfa_delete == MfaDelete::Enabled)
        && matches!(lifecycle.known(), Some(Lifecycle::Present(_)))
}

/// The bucket was gone when it was asked.
struct Vanished(Timestamp);

impl From<Vanished> for Facts {
    fn from(Vanished(at): Vanished) -> Self {
        Self::Vanished { at }
    }
}

/// The way to a bucket: where it is asked, and whether a redirect was followed.
struct Way<'a> {
    session: &'a Session,
    bucket: &'a str,
    route: Route,
    followed: bool,
}

impl Way<'_> {
    async fn versioning(&mut self) -> Result<Fact<VersioningState>, Vanished> {
        let (session, bucket) = (self.session, self.bucket);
        self.ask(|route| async move { get_bucket_versioning::get(session, &route, bucket).await }).await
    }

    async fn lifecycle(&mut self) -> Result<Fact<Lifecycle>, Vanished> {
        let (session, bucket) = (self.session, self.bucket);
        self.ask(|route| async move { get_bucket_lifecycle_configuration::get(session, &route, bucket).await }).await
    }

    /// Asks, and follows a wrong-Region answer once a bucket: the SDK does not.
    async fn ask<T, F>(&mut self, ask: impl Fn(Route) -> F) -> Result<Fact<T>, Vanished>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut answer = ask(self.route.clone()).await;
        if let Err(failure) = &answer
            && failure.reason.class == ErrorClass::WrongRegion
            && !self.followed
            && let Some(route) = self.elsewhere(failure).await
        {
            tracing::debug!(bucket = self.bucket, region = %route.region, "following to another Region");
            self.followed = true;
            answer = ask(route.clone()).await;
            // An address that does not answer is no better than the one that does.
            if answer.as_ref().err().is_none_or(|failure| failure.reason.http_status.is_some()) {
                self.route = route;
            }
        }
        let at = Timestamp::now();
        match answer {
            Ok(value) => Ok(Fact { at, observed: Observed::Known(value) }),
            Err(failure) if failure.is(404, "NoSuchBucket") => Err(Vanished(at)),
            Err(failure) => Ok(Fact { at, observed: Observed::Unknown(failure.reason) }),
        }
    }

    /// Where the answer points to; the same place again is none.
    async fn elsewhere(&self, failure: &Failure) -> Option<Route> {
        let named = failure.elsewhere.clone();
        let region = match named.region {
            Some(region) => Some(region),
            None => bucket_region::find(self.session, self.bucket).await.ok().flatten(),
        };
        // A server that names the Region means the Region's own endpoint; only one that names none is followed by
        // its `Location`.
        let endpoint = if failure.elsewhere.region.is_none() { named.endpoint } else { None };
        let endpoint = endpoint.filter(|endpoint| self.session.may_follow(endpoint));
        let route = Route { region: region.unwrap_or_else(|| self.route.region.clone()), endpoint };
        (route != self.route).then_some(route)
    }
}
