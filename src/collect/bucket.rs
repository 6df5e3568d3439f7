//! One bucket: its Region, its facts, and the way to them.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use super::last_pass::Known;
use super::vanished::Gone;
use super::{Asked, Step, all_unknown};
use crate::aws::failure::Failure;
use crate::aws::list_buckets::Listed;
use crate::aws::route::{Pointer, Route, Trail};
use crate::aws::session::Session;
use crate::aws::{
    bucket_region, get_bucket_accelerate_configuration, get_bucket_encryption, get_bucket_lifecycle_configuration,
    get_bucket_notification_configuration, get_bucket_ownership_controls, get_bucket_policy, get_bucket_replication,
    get_bucket_tagging, get_bucket_versioning, get_object_lock_configuration,
};
use crate::model::{
    AccountId, BucketRecord, Extra, Extras, Fact, Facts, Lifecycle, MfaDelete, Observed, Reason, Region, Timestamp,
    VersioningState,
};

/// The facts that stayed unknown and might be known if they were asked another time.
#[derive(Debug, Default, Clone)]
pub(super) struct Open {
    pub versioning: bool,
    pub lifecycle: bool,
    pub extras: BTreeSet<Extra>,
}

impl Open {
    pub fn is_any(&self) -> bool {
        self.versioning || self.lifecycle || !self.extras.is_empty()
    }
}

/// Bytes of a name that is asked for. The longest that S3 ever took have 255, and a request about one of 22,000 has an
/// address that no client can send.
const LONGEST_NAME: usize = 1024;

/// Reads what is not known of a bucket.
pub(super) async fn read(session: &Session, asked: &Asked, account: &AccountId, listed: Listed, known: Known) -> Step {
    if listed.name.len() > LONGEST_NAME {
        let bytes = listed.name.len();
        let why = |operation| {
            let words = format!("not asked: no bucket has a name of {bytes} bytes");
            Failure::not_asked(operation, words).reason
        };
        let listed = Listed { region: None, ..listed };
        let record = all_unknown(account, listed, Timestamp::now(), &asked.extras, why);
        return Step::Read(record, Open::default());
    }
    let trail = start(session, &listed).await;
    if trail.is_told() && !asked.filters.region(trail.route().region()) {
        return Step::OutOfScope(listed.name);
    }
    let mut way = Way { session, bucket: &listed.name, trail, open: Open::default() };
    let facts = match facts(&mut way, &asked.extras, known).await {
        Ok(facts) => facts,
        Err(Vanished { at, reason }) => {
            let region = way.trail.is_told().then(|| way.route().region().clone());
            return Step::Gone(Gone { listed: Listed { name: listed.name, region }, at, reason });
        }
    };
    let Way { trail, open, .. } = way;
    let is_known = trail.is_told() || facts.some_known();
    let region = if is_known { trail.route().region().clone() } else { Region::unknown() };
    // It was listed in one Region and found in another. A bucket whose Region stays unknown may be meant.
    if region != Region::unknown() && !asked.filters.region(&region) {
        return Step::OutOfScope(listed.name);
    }
    Step::Read(BucketRecord { account: account.clone(), region, bucket: listed.name, facts }, open)
}

/// Where a bucket is asked first. Where no server tells its Region, or one in which it cannot be, the configured Region is
/// asked.
async fn start(session: &Session, listed: &Listed) -> Trail {
    if let Some(Ok(route)) = listed.region.as_ref().map(|region| session.route(region)) {
        return Trail::told(route);
    }
    let found = bucket_region::find(session, &session.home(), &listed.name).await.ok().flatten();
    match found.map(|region| session.route(&region)) {
        Some(Ok(route)) => Trail::told(route),
        Some(Err(_)) | None => Trail::untold(session.home()),
    }
}

async fn facts(way: &mut Way<'_>, wanted: &BTreeSet<Extra>, known: Known) -> Result<Facts, Vanished> {
    let mut versioning = match known.versioning {
        Some(fact) => fact,
        None => way.versioning().await?,
    };
    let lifecycle = match known.lifecycle {
        Some(fact) => fact,
        None => way.lifecycle().await?,
    };
    if is_conflict(&versioning, &lifecycle) {
        // AWS says that this cannot be. S3 is eventually consistent: look again before it is reported.
        let again = way.versioning().await?;
        if again.known().is_some() {
            versioning = again;
        } else {
            way.open.versioning = false;
        }
    }
    let mut extras = known.extras;
    for extra in wanted {
        if !extras.has(*extra) {
            way.extra(*extra, &mut extras).await?;
        }
    }
    Ok(Facts::Read { versioning, lifecycle, extras })
}

fn is_conflict(versioning: &Fact<VersioningState>, lifecycle: &Fact<Lifecycle>) -> bool {
    versioning.known().is_some_and(|state| state.mfa_delete == MfaDelete::Enabled)
        && matches!(lifecycle.known(), Some(Lifecycle::Present(_)))
}

/// S3 said that it does not have the bucket.
pub struct Vanished {
    at: Timestamp,
    reason: Arc<Reason>,
}

impl From<Vanished> for Facts {
    fn from(vanished: Vanished) -> Self {
        Self::Vanished { at: vanished.at }
    }
}

/// One bucket, the way to it, and what may be worth another try.
pub struct Way<'a> {
    session: &'a Session,
    bucket: &'a str,
    trail: Trail,
    open: Open,
}

impl<'a> Way<'a> {
    /// Of a bucket that is asked in one place only, whatever its answers say.
    pub fn fixed(session: &'a Session, bucket: &'a str, route: Route) -> Self {
        Self { session, bucket, trail: Trail::fixed(route), open: Open::default() }
    }

    pub fn route(&self) -> &Route {
        self.trail.route()
    }

    /// Where the answers point to, if it is elsewhere.
    pub fn pointer(&self) -> Option<&Pointer> {
        self.trail.pointer()
    }

    pub async fn versioning(&mut self) -> Result<Fact<VersioningState>, Vanished> {
        let (session, bucket) = (self.session, self.bucket);
        let ask = |route| async move { get_bucket_versioning::get(session, &route, bucket).await };
        let (fact, again) = self.ask(ask).await?;
        self.open.versioning = again;
        Ok(fact)
    }

    pub async fn lifecycle(&mut self) -> Result<Fact<Lifecycle>, Vanished> {
        let (session, bucket) = (self.session, self.bucket);
        let ask = |route| async move { get_bucket_lifecycle_configuration::get(session, &route, bucket).await };
        let (fact, again) = self.ask(ask).await?;
        self.open.lifecycle = again;
        Ok(fact)
    }

    /// Reads one of the facts that are read only where they were asked for.
    pub async fn extra(&mut self, extra: Extra, extras: &mut Extras) -> Result<(), Vanished> {
        let (session, bucket) = (self.session, self.bucket);
        match extra {
            Extra::Policy => {
                let ask = |route| async move { get_bucket_policy::get(session, &route, bucket).await };
                extras.policy = self.further(extra, ask).await?;
            }
            Extra::ObjectLock => {
                let ask = |route| async move { get_object_lock_configuration::get(session, &route, bucket).await };
                extras.object_lock = self.further(extra, ask).await?;
            }
            Extra::Replication => {
                let ask = |route| async move { get_bucket_replication::get(session, &route, bucket).await };
                extras.replication = self.further(extra, ask).await?;
            }
            Extra::Encryption => {
                let ask = |route| async move { get_bucket_encryption::get(session, &route, bucket).await };
                extras.encryption = self.further(extra, ask).await?;
            }
            Extra::Ownership => {
                let ask = |route| async move { get_bucket_ownership_controls::get(session, &route, bucket).await };
                extras.ownership = self.further(extra, ask).await?;
            }
            Extra::Acceleration => {
                let ask =
                    |route| async move { get_bucket_accelerate_configuration::get(session, &route, bucket).await };
                extras.acceleration = self.further(extra, ask).await?;
            }
            Extra::Notification => {
                let ask =
                    |route| async move { get_bucket_notification_configuration::get(session, &route, bucket).await };
                extras.notification = self.further(extra, ask).await?;
            }
            Extra::Tags => {
                let ask = |route| async move { get_bucket_tagging::get(session, &route, bucket).await };
                extras.tags = self.further(extra, ask).await?;
            }
        }
        Ok(())
    }

    async fn further<T, F>(&mut self, extra: Extra, ask: impl Fn(Route) -> F) -> Result<Option<Fact<T>>, Vanished>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let (fact, again) = Box::pin(self.ask(ask)).await?;
        if again {
            self.open.extras.insert(extra);
        }
        Ok(Some(fact))
    }

    /// Asks where the answers lead. Tells too whether asking another time may help.
    async fn ask<T, F>(&mut self, ask: impl Fn(Route) -> F) -> Result<(Fact<T>, bool), Vanished>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let answer = self.trail.ask(self.session, self.bucket, ask).await;
        let at = Timestamp::now();
        match answer {
            Ok(value) => Ok((Fact { at, observed: Observed::Known(value) }, false)),
            Err(failure) if failure.is(404, "NoSuchBucket") => Err(Vanished { at, reason: failure.reason }),
            Err(failure) => {
                Ok((Fact { at, observed: Observed::Unknown(Arc::clone(&failure.reason)) }, failure.may_pass()))
            }
        }
    }
}
