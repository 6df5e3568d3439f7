//! The organization while it is served: look-ups, who is calling, and the little that changes from request to request.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::fixture::{Account, Bucket, BucketCall, Failure, MfaDelete, Operation, Organization, Versioning};

pub(super) struct World {
    pub(super) organization: Organization,
    accounts: HashMap<String, usize>,
    /// Name to the positions of the account and, within it, of the bucket.
    buckets: HashMap<String, (usize, usize)>,
    rate: Option<u32>,
    budgets: Mutex<HashMap<String, Budget>>,
    failures: Mutex<HashMap<String, BTreeMap<BucketCall, u32>>>,
    /// By account and Region, how often the list of directory buckets failed.
    directory_failures: Mutex<HashMap<(String, String), u32>>,
    counts: Mutex<BTreeMap<Option<Operation>, u64>>,
    throttled: Mutex<u64>,
    /// By the name of the bucket, what it was set to.
    set: Mutex<HashMap<String, State>>,
    /// By the name of a vanished bucket, what the lists say of it.
    vanishing: Mutex<HashMap<String, Vanishing>>,
    /// Serial and code.
    used_codes: Mutex<HashSet<(String, String)>>,
}

/// What `GetBucketVersioning` tells; absent: never configured.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) versioning: Option<Versioning>,
    pub(super) mfa_delete: Option<MfaDelete>,
}

/// A vanished bucket is in a list and, once it was asked for, not in the next: S3's lists are eventually consistent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vanishing {
    Listed,
    AskedFor,
    Unlisted,
}

impl World {
    pub(super) fn new(organization: Organization, rate: Option<u32>) -> Self {
        let mut accounts = HashMap::new();
        let mut buckets = HashMap::new();
        for (place, account) in organization.accounts.iter().enumerate() {
            accounts.insert(account.id.clone(), place);
            for (position, bucket) in account.buckets.iter().enumerate() {
                buckets.insert(bucket.name.clone(), (place, position));
            }
        }
        Self {
            organization,
            accounts,
            buckets,
            rate,
            budgets: Mutex::default(),
            failures: Mutex::default(),
            directory_failures: Mutex::default(),
            counts: Mutex::default(),
            throttled: Mutex::default(),
            set: Mutex::default(),
            vanishing: Mutex::default(),
            used_codes: Mutex::default(),
        }
    }

    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        Some(&self.organization.accounts[*self.accounts.get(id)?])
    }

    /// A bucket that exists, with its owner.
    pub(super) fn bucket(&self, name: &str) -> Option<(&Account, &Bucket)> {
        let (account, position) = *self.buckets.get(name)?;
        let owner = &self.organization.accounts[account];
        let bucket = &owner.buckets[position];
        if bucket.vanished
            && let Some(vanishing) = locked(&self.vanishing).get_mut(name)
            && *vanishing == Vanishing::Listed
        {
            *vanishing = Vanishing::AskedFor;
        }
        (!bucket.vanished).then_some((owner, bucket))
    }

    /// A list of the account's buckets begins.
    pub(super) fn begin_list(&self, account: &Account) {
        let mut vanishing = locked(&self.vanishing);
        for bucket in account.buckets.iter().filter(|bucket| bucket.vanished) {
            let next = match vanishing.get(&bucket.name) {
                Some(Vanishing::AskedFor) => Vanishing::Unlisted,
                Some(Vanishing::Listed | Vanishing::Unlisted) | None => Vanishing::Listed,
            };
            vanishing.insert(bucket.name.clone(), next);
        }
    }

    pub(super) fn is_listed(&self, bucket: &Bucket) -> bool {
        !bucket.vanished || locked(&self.vanishing).get(&bucket.name) != Some(&Vanishing::Unlisted)
    }

    /// The state of a bucket now.
    pub(super) fn state(&self, bucket: &Bucket) -> State {
        let fixed = State { versioning: bucket.versioning, mfa_delete: bucket.mfa_delete };
        locked(&self.set).get(&bucket.name).copied().unwrap_or(fixed)
    }

    pub(super) fn set(&self, bucket: &Bucket, state: State) {
        locked(&self.set).insert(bucket.name.clone(), state);
    }

    /// Whether this code was not used before; it is now.
    pub(super) fn use_code(&self, serial: &str, code: &str) -> bool {
        locked(&self.used_codes).insert((serial.to_owned(), code.to_owned()))
    }

    /// Counts a request; `None` for one the simulator has no answer to.
    pub(super) fn count(&self, operation: Option<Operation>) {
        *locked(&self.counts).entry(operation).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let name =
            |operation: Option<Operation>| operation.map_or_else(|| "NotImplemented".to_owned(), Operation::name);
        let counted = locked(&self.counts);
        let operations = counted.iter().map(|(key, count)| (name(*key), *count));
        let throttled = ("Throttled".to_owned(), *locked(&self.throttled));
        operations.chain([throttled]).collect()
    }

    /// Whether the account may send one more request to S3 now.
    pub(super) fn admits(&self, account: &str, now: OffsetDateTime) -> bool {
        let Some(rate) = self.rate else { return true };
        let mut budgets = locked(&self.budgets);
        let budget = budgets.entry(account.to_owned()).or_insert_with(|| Budget::full(rate, now));
        let admitted = budget.take(rate, now);
        if !admitted {
            *locked(&self.throttled) += 1;
        }
        admitted
    }

    /// The error the fixture wants this request to end with; counts it if so.
    pub(super) fn failure<'a>(&self, bucket: &'a Bucket, call: BucketCall) -> Option<&'a Failure> {
        let failure = bucket.fail.get(&call)?;
        let mut failures = locked(&self.failures);
        due(failure, failures.entry(bucket.name.clone()).or_default().entry(call).or_default())
    }

    /// The same for the list of directory buckets of a Region.
    pub(super) fn directory_failure<'a>(&self, account: &'a Account, region: &str) -> Option<&'a Failure> {
        let failure = account.directory_buckets_fail.get(region)?;
        let mut failures = locked(&self.directory_failures);
        due(failure, failures.entry((account.id.clone(), region.to_owned())).or_default())
    }
}

/// `failed`: how often it did.
fn due<'a>(failure: &'a Failure, failed: &mut u32) -> Option<&'a Failure> {
    let is_due = failure.times.is_none_or(|times| *failed < times);
    *failed = failed.saturating_add(u32::from(is_due));
    is_due.then_some(failure)
}

/// A token bucket that holds one second's worth of requests.
struct Budget {
    tokens: f64,
    since: OffsetDateTime,
}

impl Budget {
    fn full(rate: u32, now: OffsetDateTime) -> Self {
        let tokens = f64::from(rate);
        Self { tokens, since: now }
    }

    fn take(&mut self, rate: u32, now: OffsetDateTime) -> bool {
        let rate = f64::from(rate);
        // The wall clock may step back; that must not take tokens away.
        let elapsed = (now - self.since).as_seconds_f64().max(0.0);
        self.tokens = (self.tokens + elapsed * rate).min(rate);
        self.since = now;
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        }
        admitted
    }
}

/// The simulator holds a lock over a few additions only: a poisoned one is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
