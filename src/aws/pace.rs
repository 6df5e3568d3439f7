//! How many requests are in flight, how fast an account is asked, and how often a request is repeated.
//!
//! - [`tempo`]: how fast one account may be asked; pure.
//! - [`lane`]: the requests of one account, one behind the other.
//! - [`retries`]: how long to wait before a request is repeated, and how many may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::body::Guard;
pub use lane::Lane;

pub mod lane;
pub mod retries;
pub mod tempo;

/// One for the whole run, shared by all accounts.
#[derive(Debug)]
pub struct Pace {
    shared: Arc<Shared>,
    /// For STS and Organizations: they are asked with the credentials of the hub, whatever account it is about, and
    /// have limits of their own.
    pub control: Arc<Lane>,
}

#[derive(Debug)]
struct Shared {
    /// Requests in flight, over all accounts. Nothing that waits for its account holds one.
    permits: Semaphore,
    concurrency: usize,
    max_attempts: u32,
    held_back: AtomicUsize,
    retries: AtomicU64,
    throttled: AtomicU64,
    /// Nothing more is to be asked.
    stopped: AtomicBool,
    /// Part of every client of the run: it counts the requests that really went out.
    guard: Guard,
}

impl Pace {
    /// At most `concurrency` requests in flight, each asked at most `max_attempts` times, and in the last pass once less.
    pub fn new(concurrency: usize, max_attempts: u32) -> Self {
        let shared = Arc::new(Shared {
            permits: Semaphore::new(concurrency),
            concurrency,
            max_attempts,
            held_back: AtomicUsize::new(0),
            retries: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            guard: Guard::default(),
        });
        Self { control: Arc::new(Lane::new(Arc::clone(&shared), "STS and Organizations".to_owned())), shared }
    }

    /// A lane for one more account.
    pub fn lane(&self, account: String) -> Arc<Lane> {
        Arc::new(Lane::new(Arc::clone(&self.shared), account))
    }

    /// From here on nothing is asked any more; what is in flight may come in.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
    }

    /// Accounts that have something to ask and are kept from it by their tempo.
    pub fn held_back(&self) -> usize {
        self.shared.held_back.load(Ordering::Relaxed)
    }

    pub fn requests(&self) -> u64 {
        self.shared.guard.requests()
    }

    pub fn retries(&self) -> u64 {
        self.shared.retries.load(Ordering::Relaxed)
    }

    /// Answers that asked for fewer requests.
    pub fn throttled(&self) -> u64 {
        self.shared.throttled.load(Ordering::Relaxed)
    }
}
