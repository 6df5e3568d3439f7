//! One bucket: its Region, its facts, and the way to them.

use std::future::Future;

use super::Step;
use super::last_pass::Known;
use crate::aws::failure::Failure;
use crate::aws::list_buckets::Listed;
use crate::aws::session::{Route, Session};
use crate::aws::{bucket_region, get_bucket_lifecycle_configuration, get_bucket_versioning};
use crate::config::Filters;
use crate::model::{
    AccountId, BucketRecord, ErrorClass, Fact, Facts, Lifecycle, MfaDelete, Observed, Region, Timestamp,
    VersioningState,
};

/// The facts that stayed unknown and might be known if they were asked another time.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Open {
    pub versioning: bool,
    pub lifecycle: bool,
}

/// Reads what is not known of a bucket.
pub(super) async fn read(
    session: &Session,
    filters: &Filters,
    account: &AccountId,
    listed: Listed,
    known: Known,
) -> Step {
    let found = match listed.region {
        Some(region) => Ok(Some(region)),
        None => bucket_region::find(session, &listed.name).await,
    };
    // Where nobody tells, the configured Region is asked; it is the bucket's where the server has no Regions.
    let told = found.is_ok();
    let region = found.ok().flatten().unwrap_or_else(|| session.region.clone());
    if told && !filters.region(&region) {
        return Step::OutOfScope(listed.name);
    }
    let mut way =
        Way { session, bucket: &listed.name, route: Route::from(region), followed: false, open: Open::default() };
    let facts = facts(&mut way, known).await;
    let open = way.open;
    let region = if told || way.followed || facts.some_known() { way.route.region } else { Region::unknown() };
    // It was listed in one Region and found in another. A bucket whose Region stays unknown may be meant.
    if region != Region::unknown() && !filters.region(&region) {
        return Step::OutOfScope(listed.name);
    }
    Step::Read(BucketRecord { account: account.clone(), region, bucket: listed.name, facts }, open)
}

async fn facts(way: &mut Way<'_>, known: Known) -> Facts {
    let versioning = match known.versioning {
        Some(fact) => Ok(fact),
        None => way.versioning().await,
    };
    let versioning = match versioning {
        Ok(fact) => fact,
        Err(vanished) => return vanished.into(),
    };
    let lifecycle = match known.lifecycle {
        Some(fact) => Ok(fact),
        None => way.lifecycle().await,
    };
    let lifecycle = match lifecycle {
        Ok(fact) => fact,
        Err(vanished) => return vanished.into(),
    };
    if !is_conflict(&versioning, &lifecycle) {
        return Facts::Read { versioning, lifecycle, extras: Box::default() };
    }
    // AWS says that this cannot be. S3 is eventually consistent: look again before it is reported.
    match way.versioning().await {
        Ok(again) if again.known().is_some() => Facts::Read { versioning: again, lifecycle, extras: Box::default() },
        Ok(_) => {
            way.open.versioning = false;
            Facts::Read { versioning, lifecycle, extras: Box::default() }
        }
        Err(vanished) => vanished.into(),
    }
}

fn is_conflict(versioning: &Fact<VersioningState>, lifecycle: &Fact<Lifecycle>) -> bool {
    versioning.known().is_some_and(|state| state.mfa_delete == MfaDelete::Enabled)
        && matches!(lifecycle.known(), Some(Lifecycle::Present(_)))
}

/// The bucket was gone when it was asked.
pub struct Vanished(Timestamp);

impl From<Vanished> for Facts {
    fn from(Vanished(at): Vanished) -> Self {
        Self::Vanished { at }
    }
}

/// The way to a bucket: where it is asked, whether a redirect was followed, and what may be worth another try.
pub struct Way<'a> {
    session: &'a Session,
    bucket: &'a str,
    pub route: Route,
    followed: bool,
    open: Open,
}

impl<'a> Way<'a> {
    /// Of a bucket that nobody listed: its Region is looked for first.
    pub async fn find(session: &'a Session, bucket: &'a str) -> Self {
        let found = bucket_region::find(session, bucket).await.ok().flatten();
        let route = Route::from(found.unwrap_or_else(|| session.region.clone()));
        Self { session, bucket, route, followed: false, open: Open::default() }
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

    /// Asks, and follows a wrong-Region answer once a bucket: the SDK does not. Tells too whether asking another time may
    /// help.
    async fn ask<T, F>(&mut self, ask: impl Fn(Route) -> F) -> Result<(Fact<T>, bool), Vanished>
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
            Ok(value) => Ok((Fact { at, observed: Observed::Known(value) }, false)),
            Err(failure) if failure.is(404, "NoSuchBucket") => Err(Vanished(at)),
            Err(failure) => Ok((Fact { at, observed: Observed::Unknown(failure.reason) }, failure.again)),
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
