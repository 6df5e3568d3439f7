//! The way to a bucket: where it is asked, and where its answers lead. Nothing else decides where a request of S3 goes.

use std::future::Future;

use super::address::Address;
use super::bucket_region;
use super::failure::Failure;
use super::redirect::{NotFollowed, quoted};
use super::session::Session;
use crate::model::{ErrorClass, Region};

/// Where a bucket is asked. Only a session makes one, so no server's word leads where a session does not go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    region: Region,
    /// Instead of the endpoint of the settings, where a server redirected to another address.
    endpoint: Option<Address>,
}

impl Route {
    pub fn region(&self) -> &Region {
        &self.region
    }

    pub(super) fn endpoint(&self) -> Option<&Address> {
        self.endpoint.as_ref()
    }
}

impl Session {
    /// The Region and the endpoint of the settings.
    pub fn home(&self) -> Route {
        Route { region: self.region.clone(), endpoint: None }
    }

    /// A Region, whoever names it.
    pub fn route(&self, region: &Region) -> Result<Route, NotFollowed> {
        if *region != self.region {
            self.service().admits_region(region)?;
        }
        Ok(Route { region: region.clone(), endpoint: None })
    }
}

/// Places at which one bucket is asked at most.
const MOST_PLACES: usize = 4;

/// Whether answers lead a request elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    Answers,
    Nothing,
}

/// The way to one bucket, which answers may change.
#[derive(Debug, Clone)]
pub struct Trail {
    route: Route,
    is_told: bool,
    /// Where it was asked.
    been: Vec<Route>,
    follows: Follows,
    /// What is known of the bucket's Region where an answer does not name it.
    found: Found,
    pointer: Option<Pointer>,
}

/// What came of looking for a bucket's Region.
#[derive(Debug, Clone)]
enum Found {
    NotLookedFor,
    Nothing,
    Region(Region),
}

/// Where the last answer pointed to that was not followed, as far as a user may go there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer {
    pub region: Option<Region>,
    /// Quoted.
    pub host: Option<String>,
}

/// What is tried next, and why the rest is not.
#[derive(Default)]
struct Ways {
    routes: Vec<Route>,
    region: Option<NotFollowed>,
    location: Option<NotFollowed>,
}

impl Trail {
    fn new(start: Route, follows: Follows) -> Self {
        let found = Found::NotLookedFor;
        Self { been: vec![start.clone()], route: start, is_told: false, follows, found, pointer: None }
    }

    /// A server says that the bucket is in this Region.
    pub fn told(start: Route) -> Self {
        Self { is_told: true, ..Self::new(start, Follows::Answers) }
    }

    /// The bucket's Region was looked for in vain.
    pub fn untold(start: Route) -> Self {
        Self { found: Found::Nothing, ..Self::new(start, Follows::Answers) }
    }

    /// No answer leads anywhere else.
    pub fn fixed(start: Route) -> Self {
        Self::new(start, Follows::Nothing)
    }

    /// Where the bucket is asked now.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// Whether a server said that the Region of the route is the bucket's; else it is the configured one, which is asked where
    /// none is told.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    pub fn pointer(&self) -> Option<&Pointer> {
        self.pointer.as_ref()
    }

    /// Asks, and asks elsewhere where the answer points there and may lead there.
    pub async fn ask<T, F>(&mut self, session: &Session, bucket: &str, ask: impl Fn(Route) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut waiting: Vec<Route> = Vec::new();
        let mut answer = ask(self.route.clone()).await;
        loop {
            let failure = match answer {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let ways = if failure.reason.class == ErrorClass::WrongRegion {
                self.ways(session, bucket, &failure).await
            } else {
                Ways::default()
            };
            waiting.splice(0..0, ways.routes);
            waiting.retain(|route| !self.been.contains(route));
            if waiting.is_empty() || !failure.asked {
                return Err(failure.not_followed(ways.region.as_ref(), ways.location.as_ref()));
            }
            if self.been.len() >= MOST_PLACES {
                let why = NotFollowed::TooMany;
                return Err(failure.not_followed(Some(&why), Some(&why)));
            }
            let route = waiting.remove(0);
            tracing::debug!(bucket, region = %route.region, "following to another place");
            self.been.push(route.clone());
            answer = ask(route.clone()).await;
            // An address that does not answer is no better than the one that does.
            if answer.as_ref().err().is_none_or(|failure| failure.reason.http_status.is_some()) {
                self.is_told |= route.region != self.route.region;
                self.route = route;
            }
        }
    }

    /// Where the answer points to: to the named Region first, and behind its `Location` where that does not help.
    async fn ways(&mut self, session: &Session, bucket: &str, failure: &Failure) -> Ways {
        let named = failure.elsewhere.region.clone();
        let region = match &named {
            Some(region) => Some(region.clone()),
            None => self.find(session, bucket).await,
        };
        let location = failure.elsewhere.location.as_deref();
        let there = region.map(|region| session.route(&region));
        let at = location.map(|location| session.service().follow(location, bucket));
        if self.follows == Follows::Nothing {
            let host = location.filter(|_| matches!(at, Some(Ok(_)))).map(quoted);
            let region = there.as_ref().and_then(|there| there.as_ref().ok()).map(|route| route.region.clone());
            self.pointer = Some(Pointer { region: region.filter(|region| *region != self.route.region), host });
            let why = |refused: Option<NotFollowed>| Some(refused.unwrap_or(NotFollowed::Never));
            let (region, location) = (there.and_then(Result::err), at.and_then(Result::err));
            return Ways { region: why(region), location: why(location), ..Ways::default() };
        }
        let mut ways = Ways::default();
        let region = match &there {
            Some(Ok(route)) => route.region.clone(),
            Some(Err(_)) | None => self.route.region.clone(),
        };
        // A server that names no Region itself means the address.
        if named.is_some() || !matches!(at, Some(Ok(_))) {
            match there {
                Some(Ok(route)) => ways.routes.push(route),
                Some(Err(why)) => ways.region = Some(why),
                None => {}
            }
        }
        match at {
            Some(Ok(endpoint)) => ways.routes.push(Route { region, endpoint: Some(endpoint) }),
            Some(Err(why)) => ways.location = Some(why),
            None => {}
        }
        let asked = |route: &Route| self.been.contains(route);
        if ways.routes.iter().any(|route| route.endpoint.is_none() && asked(route)) {
            ways.region = Some(NotFollowed::Asked);
        }
        if ways.routes.iter().any(|route| route.endpoint.is_some() && asked(route)) {
            ways.location = Some(NotFollowed::Asked);
        }
        ways
    }

    /// The bucket's Region, looked for once.
    async fn find(&mut self, session: &Session, bucket: &str) -> Option<Region> {
        if let Found::NotLookedFor = self.found {
            let start = match self.follows {
                Follows::Answers => session.home(),
                Follows::Nothing => self.route.clone(),
            };
            let found = bucket_region::find(session, &start, bucket).await.ok().flatten();
            self.found = found.map_or(Found::Nothing, Found::Region);
        }
        match &self.found {
            Found::Region(region) => Some(region.clone()),
            Found::Nothing | Found::NotLookedFor => None,
        }
    }
}
