//! The requests of one account, one behind the other: each waits for the account's [`Tempo`], then for one of the run's
//! permits, and no account waits for another.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::Shared;
use super::retries::{self, Budget};
use super::tempo::{Answer, News, Tempo, Turn};
use crate::aws::body::Guard;
use crate::aws::failure::Failure;
use crate::model::{ErrorClass, Operation};

#[derive(Debug)]
pub struct Lane {
    shared: Arc<Shared>,
    /// Whose requests these are, for the log.
    account: String,
    state: Mutex<State>,
    /// Held by the first of those that wait; the others stand behind it, in order.
    first: tokio::sync::Mutex<()>,
    ended: Notify,
    last_pass: AtomicBool,
}

#[derive(Debug)]
struct State {
    tempo: Tempo,
    budget: Budget,
    /// The last failure after which a request could have been repeated.
    failure: Option<Failure>,
}

/// How often a request may be sent, and whether even the first time is a repetition.
#[derive(Debug, Clone, Copy)]
struct Attempts {
    at_most: u32,
    repeats: bool,
}

impl Lane {
    pub(super) fn new(shared: Arc<Shared>, account: String) -> Self {
        let tempo = Tempo::new(shared.concurrency, Instant::now());
        Self {
            shared,
            account,
            state: Mutex::new(State { tempo, budget: Budget::default(), failure: None }),
            first: tokio::sync::Mutex::default(),
            ended: Notify::new(),
            last_pass: AtomicBool::new(false),
        }
    }

    /// Part of every client.
    pub fn guard(&self) -> Guard {
        self.shared.guard.clone()
    }

    /// How often a request is asked at most.
    pub fn max_attempts(&self) -> u32 {
        self.shared.max_attempts
    }

    /// Asks, and asks again where that may help. Nothing is held while waiting to ask again.
    pub async fn call<T, F>(&self, operation: Operation, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let last = self.last_pass.load(Ordering::Relaxed);
        let attempts = if last { self.once_more() } else { self.attempts() };
        self.paced(operation, attempts, ask).await
    }

    /// The same for a question whose answer may be done without.
    pub async fn call_at_most<T, F>(
        &self,
        operation: Operation,
        at_most: u32,
        ask: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.paced(operation, Attempts { at_most, repeats: false }, ask).await
    }

    /// The same for a question on which a whole account hangs: what fails is asked once more a little later, as single
    /// facts are in the last pass.
    pub async fn call_in_two_passes<T, F>(&self, operation: Operation, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        match self.paced(operation, self.attempts(), &ask).await {
            Err(failure) if failure.again && self.prepare_last_pass().await => {
                self.paced(operation, self.once_more(), &ask).await
            }
            answer => answer,
        }
    }

    /// The same for a request that others wait for with their permits in hand, as for new credentials: were it to wait
    /// for a permit too, all of them would wait for ever.
    pub async fn call_within<T, F>(&self, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.repeat(self.attempts(), |_| ask()).await
    }

    /// From here on what is asked was asked before. Waits a little, since what was in trouble may come to itself;
    /// `false` where nothing may be repeated.
    pub async fn begin_last_pass(&self) -> bool {
        self.last_pass.store(true, Ordering::Relaxed);
        self.prepare_last_pass().await
    }

    async fn prepare_last_pass(&self) -> bool {
        if self.shared.max_attempts == 1 {
            return false;
        }
        sleep(Duration::from_secs(1).mul_f64(1.0 + fastrand::f64())).await;
        self.state().tempo.try_again();
        true
    }

    fn attempts(&self) -> Attempts {
        Attempts { at_most: self.shared.max_attempts, repeats: false }
    }

    fn once_more(&self) -> Attempts {
        Attempts { at_most: self.shared.max_attempts - 1, repeats: true }
    }

    async fn paced<T, F>(&self, operation: Operation, attempts: Attempts, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let ask = &ask;
        self.repeat(attempts, |attempt| async move {
            let flight = self.admit(operation).await?;
            let permit = self.shared.permits.acquire().await.expect("the semaphore is never closed");
            let sent = Instant::now();
            // What waits is small; what asks is not, and stands in a box of its own.
            let answer = Box::pin(ask()).await;
            drop(permit);
            let outcome = answer.as_ref().err().map_or("answered", |failure| failure.reason.class.as_str());
            let milliseconds = sent.elapsed().as_millis();
            tracing::trace!(account = self.account, %operation, attempt, milliseconds, outcome, "asked");
            flight.end(sent, attempt == 1 && !attempts.repeats, &answer);
            answer
        })
        .await
    }

    async fn repeat<T, F>(&self, attempts: Attempts, ask: impl Fn(u32) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut attempt = 1;
        loop {
            let answer = ask(attempt).await;
            let failed = answer.as_ref().err();
            let asked = failed.is_none_or(|failure| failure.asked);
            let tells = |failure: &&Failure| {
                asked && (failure.again || matches!(failure.reason.class, ErrorClass::Denied | ErrorClass::Throttled))
            };
            if let Some(failure) = failed.filter(tells) {
                self.log(attempt, failure);
            }
            self.shared.retries.fetch_add(u64::from(asked && (attempt > 1 || attempts.repeats)), Ordering::Relaxed);
            self.shared.throttled.fetch_add(u64::from(asked && failed.is_some_and(is_throttled)), Ordering::Relaxed);
            let failure = match answer {
                Err(failure) if asked && failure.again && attempt < attempts.at_most => failure,
                answer => return answer,
            };
            if !self.state().budget.retry() {
                return Err(failure);
            }
            let wait = retries::backoff(attempt, &failure, fastrand::f64());
            tracing::debug!(account = self.account, attempt, seconds = wait.as_secs_f64(), "asking again");
            sleep(wait).await;
            attempt += 1;
        }
    }

    /// Without the words of the answer, which may repeat what was sent.
    fn log(&self, attempt: u32, failure: &Failure) {
        let reason = &failure.reason;
        let (operation, class, status) = (reason.operation, reason.class.as_str(), reason.http_status);
        tracing::debug!(account = self.account, %operation, attempt, class, http_status = status, "not answered");
    }

    /// Waits until the account may be asked; fails at once where that is of no use any more.
    async fn admit(&self, operation: Operation) -> Result<Flight<'_>, Failure> {
        let _first = self.first.lock().await;
        loop {
            if self.shared.stopped.load(Ordering::Relaxed) {
                return Err(Failure::interrupted(operation));
            }
            let now = Instant::now();
            let turn = {
                let mut state = self.state();
                if state.tempo.is_given_up(now)
                    && let Some(failure) = &state.failure
                {
                    return Err(failure.given_up(operation));
                }
                let turn = state.tempo.start(now);
                if turn == Turn::Now {
                    state.budget.sent();
                    return Ok(Flight { lane: self, landed: false });
                }
                turn
            };
            match turn {
                Turn::Now => unreachable!("returned above"),
                // What ends meanwhile may change the moment.
                Turn::At(at) => {
                    let _held_back = HeldBack::new(&self.shared.held_back);
                    drop(timeout_at(at, self.ended.notified()).await);
                }
                Turn::Later => self.ended.notified().await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

fn is_throttled(failure: &Failure) -> bool {
    failure.reason.class == ErrorClass::Throttled || matches!(failure.reason.http_status, Some(429 | 503))
}

/// Counts its account among those held back.
struct HeldBack<'a>(&'a AtomicUsize);

impl<'a> HeldBack<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request in flight, also where its future is dropped.
struct Flight<'a> {
    lane: &'a Lane,
    landed: bool,
}

impl Flight<'_> {
    fn end<T>(mut self, sent: Instant, first_attempt: bool, answer: &Result<T, Failure>) {
        self.landed = true;
        let failure = answer.as_ref().err().filter(|failure| failure.again);
        let says = failure.map_or(Answer::Good, |failure| {
            if is_throttled(failure) { Answer::SlowDown(failure.retry_after) } else { Answer::Failed }
        });
        let mut state = self.lane.state();
        if let Some(failure) = failure {
            state.failure = Some(failure.clone());
        }
        let news = state.tempo.end(Instant::now(), sent, first_attempt, Some(says));
        drop(state);
        if news == Some(News::Indifferent) {
            let why =
                "refusals do not depend on how fast it is asked: it is asked with few requests at a time, not slower";
            tracing::warn!(account = self.lane.account, "{why}");
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if !self.landed {
            let now = Instant::now();
            self.lane.state().tempo.end(now, now, false, None);
        }
        self.lane.ended.notify_one();
    }
}
