//! How many requests are in flight, and how often one is repeated.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::body::Guard;
use super::failure::Failure;
use crate::model::ErrorClass;

/// One for the whole run, shared by all accounts.
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    max_attempts: u32,
    retries: AtomicU64,
    /// Part of every client of the run: it counts the requests that really went out.
    pub guard: Guard,
}

impl Pace {
    /// How often a request is asked at most.
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// At most `concurrency` requests in flight, each asked at most `max_attempts` times.
    pub fn new(concurrency: usize, max_attempts: u32) -> Self {
        Self { permits: Semaphore::new(concurrency), max_attempts, retries: AtomicU64::new(0), guard: Guard::default() }
    }

    pub fn requests(&self) -> u64 {
        self.guard.requests()
    }

    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Asks, and asks again where that may help. No permit is held while waiting to ask again.
    pub async fn call<T, F>(&self, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.call_at_most(self.max_attempts, ask).await
    }

    /// The same for a question whose answer may be done without.
    pub async fn call_at_most<T, F>(&self, attempts: u32, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.repeat(attempts, || async {
            let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
            ask().await
        })
        .await
    }

    /// The same for a request that others wait for with their permits in hand, as for new credentials: were it to wait
    /// for a permit too, all of them would wait for ever.
    pub async fn call_within<T, F>(&self, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.repeat(self.max_attempts, ask).await
    }

    async fn repeat<T, F>(&self, attempts: u32, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut attempt = 1;
        loop {
            let failure = match ask().await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if !failure.again || attempt >= attempts {
                return Err(failure);
            }
            tracing::debug!(attempt, reason = %failure.reason, "asking again");
            self.retries.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(backoff(attempt, failure.reason.class)).await;
            attempt += 1;
        }
    }
}

/// Exponential with full jitter, so that workers which failed together do not come back together.
fn backoff(attempt: u32, class: ErrorClass) -> Duration {
    const LONGEST: Duration = Duration::from_secs(10);
    let first = if class == ErrorClass::Throttled { 500 } else { 100 };
    let ceiling = LONGEST.min(Duration::from_millis(first << attempt.min(10)));
    ceiling.mul_f64(fastrand::f64())
}
