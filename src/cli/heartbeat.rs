//! Says every half minute how far a scan is, for logs that nobody watches while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::progress::Progress;
use crate::aws::pace::Pace;
use crate::collect;

const EVERY: Duration = Duration::from_secs(30);

/// Counts what it passes on.
#[derive(Debug)]
pub struct Counted {
    progress: Arc<Progress>,
    accounts_found: AtomicU64,
    accounts_done: AtomicU64,
    buckets_found: AtomicU64,
    buckets_done: AtomicU64,
}

impl Counted {
    pub fn new(progress: Arc<Progress>) -> Self {
        Self {
            progress,
            accounts_found: AtomicU64::default(),
            accounts_done: AtomicU64::default(),
            buckets_found: AtomicU64::default(),
            buckets_done: AtomicU64::default(),
        }
    }

    /// Never returns.
    pub async fn beat(&self, pace: &Pace) {
        let mut last = (Instant::now(), pace.requests());
        loop {
            tokio::time::sleep(EVERY).await;
            let (now, requests) = (Instant::now(), pace.requests());
            let seconds = now.duration_since(last.0).as_secs_f64();
            #[allow(clippy::cast_precision_loss)] // a rate for people
            let rate = (requests - last.1) as f64 / seconds;
            let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
            tracing::info!(
                accounts_done = get(&self.accounts_done),
                accounts_found = get(&self.accounts_found),
                buckets_done = get(&self.buckets_done),
                buckets_found = get(&self.buckets_found),
                requests,
                retries = pace.retries(),
                throttled = pace.throttled(),
                requests_per_second = format!("{rate:.1}"),
                "the scan goes on"
            );
            last = (now, requests);
        }
    }
}

impl collect::Progress for Counted {
    fn accounts_found(&self, accounts: u64) {
        self.accounts_found.fetch_add(accounts, Ordering::Relaxed);
        self.progress.accounts_found(accounts);
    }

    fn account_done(&self) {
        self.accounts_done.fetch_add(1, Ordering::Relaxed);
        self.progress.account_done();
    }

    fn buckets_found(&self, buckets: u64) {
        self.buckets_found.fetch_add(buckets, Ordering::Relaxed);
        self.progress.buckets_found(buckets);
    }

    fn bucket_done(&self) {
        self.buckets_done.fetch_add(1, Ordering::Relaxed);
        self.progress.bucket_done();
    }
}
