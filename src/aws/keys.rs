//! The credentials of a session: kept until they end or AWS says that they ended, and renewed once for all that wait.
//!
//! The SDK's cache would renew them too, but only by their end: it cannot be told that AWS refuses them already.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::clock::Clock;
use super::failure::{Failure, cause};
use super::secrets;

/// They are renewed this long before they end.
const MARGIN: Duration = Duration::from_mins(1);

/// What just came, or could not be had, is not asked for again within this time.
const PAUSE: Duration = Duration::from_secs(10);

/// Which of a session's credentials: each renewal that gives others is a new number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(u64);

/// Clones share what they hold.
#[derive(Clone)]
pub(super) struct Keys {
    source: SharedCredentialsProvider,
    clock: Arc<Clock>,
    /// How long the source may take.
    patience: Duration,
    number: Arc<AtomicU64>,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    keys: Option<Credentials>,
    since: Option<Instant>,
    /// AWS does not take them any more.
    refused: bool,
    refused_at: Option<Instant>,
    /// The last renewal, if it failed.
    failed: Option<Failed>,
}

#[derive(Debug, Clone)]
struct Failed {
    at: Instant,
    why: Shared,
    /// Asking again will not help.
    finally: bool,
}

/// An error that many are told.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
struct Shared(Arc<CredentialsError>);

impl Keys {
    /// `given`: credentials that the source gave already.
    pub(super) fn new(
        source: SharedCredentialsProvider,
        clock: Arc<Clock>,
        patience: Duration,
        given: Option<Credentials>,
    ) -> Self {
        given.iter().for_each(secrets::hold_credentials);
        let since = given.is_some().then(Instant::now);
        let held = Held { keys: given, since, ..Held::default() };
        Self { source, clock, patience, number: Arc::default(), held: Arc::new(Mutex::new(held)) }
    }

    /// The number of those that a request gets which asks now.
    pub(super) fn number(&self) -> Number {
        Number(self.number.load(Ordering::Acquire))
    }

    /// AWS refused those of this number. Says whether it is worth while to ask again: there are others now, or there
    /// is a better reason why not.
    pub(super) async fn renew(&self, refused: Number) -> bool {
        let mut held = self.held.lock().await;
        if self.number() != refused {
            return true;
        }
        if !held.refused {
            let recent = |at: Instant| at.elapsed() < PAUSE;
            if held.keys.is_none() || held.refused_at.is_some_and(recent) && !self.have_ended(&held) {
                return false;
            }
            held.refused = true;
            held.refused_at = Some(Instant::now());
        }
        drop(held);
        self.give().await.is_err() || self.number() != refused
    }

    async fn give(&self) -> provider::Result {
        let held = Arc::clone(&self.held).lock_owned().await;
        if let Some(answer) = self.usable(&held) {
            return answer;
        }
        // In a task of its own: a request that gives up must not take the renewal with it for which others wait.
        let renewal = tokio::spawn(self.clone().fetch(held));
        renewal.await.unwrap_or_else(|ended| match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only when the program is ending.
            Err(ended) => Err(CredentialsError::unhandled(ended)),
        })
    }

    /// What is held, as long as nobody need be asked.
    fn usable(&self, held: &Held) -> Option<provider::Result> {
        let failed = held.failed.as_ref().filter(|failed| failed.finally || failed.at.elapsed() < PAUSE);
        if let Some(keys) = held.keys.as_ref().filter(|_| !held.refused) {
            let fresh = keys.expiry().is_none_or(|end| end > self.clock.aws_now() + MARGIN);
            let new = held.since.is_some_and(|since| since.elapsed() < PAUSE);
            if fresh || new || failed.is_some() && !self.have_ended(held) {
                return Some(Ok(keys.clone()));
            }
        }
        failed.map(|failed| Err(CredentialsError::provider_error(failed.why.clone())))
    }

    fn have_ended(&self, held: &Held) -> bool {
        let end = held.keys.as_ref().and_then(Credentials::expiry);
        end.is_some_and(|end| end <= self.clock.aws_now())
    }

    async fn fetch(self, mut held: OwnedMutexGuard<Held>) -> provider::Result {
        let answer = tokio::time::timeout(self.patience, self.source.provide_credentials()).await;
        let answer = answer.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(self.patience)));
        let error = match answer {
            Ok(keys) => {
                secrets::hold_credentials(&keys);
                let same = |held: &Credentials| {
                    (held.access_key_id(), held.session_token()) == (keys.access_key_id(), keys.session_token())
                };
                if held.keys.as_ref().is_some_and(|held| !same(held)) {
                    self.number.fetch_add(1, Ordering::Release);
                }
                held.keys = Some(keys.clone());
                held.since = Some(Instant::now());
                held.refused = false;
                held.failed = None;
                return Ok(keys);
            }
            // Who never had any may ask again at once.
            Err(error) if held.keys.is_none() => return Err(error),
            Err(error) => error,
        };
        let finally = cause::<Failure>(&error).is_some_and(|failure| !failure.again);
        let why = Shared(Arc::new(error));
        tracing::warn!(reason = %super::failure::words(&why), "the credentials could not be renewed");
        held.failed = Some(Failed { at: Instant::now(), why: why.clone(), finally });
        self.usable(&held).unwrap_or_else(|| Err(CredentialsError::provider_error(why)))
    }
}

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.give())
    }
}

/// Without any of them.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
