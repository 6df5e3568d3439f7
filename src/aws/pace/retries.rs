//! How long to wait before a request is repeated, and how many of an account's requests may be: pure.

use std::time::Duration;

use crate::aws::failure::Failure;
use crate::model::ErrorClass;

/// So many requests of an account may be repeated …
const FLOOR: u64 = 100;
/// … and one more for so many that were sent: a service in trouble is not asked twice as much.
const SHARE: u64 = 5;
const LONGEST: Duration = Duration::from_secs(10);
/// The longest wait that a server may ask for.
pub const LONGEST_WISH: Duration = Duration::from_secs(20);

/// What an account has left to repeat.
#[derive(Debug, Default)]
pub struct Budget {
    requests: u64,
    retries: u64,
}

impl Budget {
    pub fn sent(&mut self) {
        self.requests += 1;
    }

    /// Whether one more may be repeated; then it is counted.
    pub fn retry(&mut self) -> bool {
        let may = self.retries < FLOOR + self.requests / SHARE;
        self.retries += u64::from(may);
        may
    }
}

/// The wait before the next attempt, after so many: exponential with full jitter, so that what failed together does not
/// come back together. `dice` is between 0 and 1.
pub fn backoff(attempts: u32, failure: &Failure, dice: f64) -> Duration {
    let first = if failure.reason.class == ErrorClass::Throttled { 500 } else { 100 };
    let ceiling = LONGEST.min(Duration::from_millis(first << attempts.min(10)));
    ceiling.mul_f64(dice).max(failure.retry_after.unwrap_or_default().min(LONGEST_WISH))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Operation;

    fn failure(class: ErrorClass, retry_after: Option<u64>) -> Failure {
        let mut failure = Failure::malformed(Operation::ListBuckets, "");
        let mut reason = (*failure.reason).clone();
        reason.class = class;
        failure.reason = reason.into();
        failure.retry_after = retry_after.map(Duration::from_secs);
        failure
    }

    #[test]
    fn waits_double_up_to_ten_seconds() {
        let waits =
            |class| [1, 2, 3, 4, 5, 20].map(|attempts| backoff(attempts, &failure(class, None), 1.0).as_millis());
        assert_eq!(waits(ErrorClass::Unavailable), [200, 400, 800, 1600, 3200, 10_000]);
        assert_eq!(waits(ErrorClass::Throttled), [1000, 2000, 4000, 8000, 10_000, 10_000]);
        let wish = |seconds| backoff(1, &failure(ErrorClass::Throttled, Some(seconds)), 0.5).as_millis();
        assert_eq!([wish(0), wish(3), wish(3600)], [500, 3000, 20_000], "what the server asks for, within reason");
    }

    proptest! {
        #[test]
        fn repetitions_are_a_share_of_the_requests(asked in prop::collection::vec(0_u64..10, 0..500)) {
            let (mut budget, mut requests, mut retries) = (Budget::default(), 0, 0);
            for wanted in asked {
                budget.sent();
                requests += 1;
                retries += (0..wanted).filter(|_| budget.retry()).count() as u64;
                prop_assert!(retries <= FLOOR + requests / SHARE);
            }
            // All that may be: nobody is refused a repetition for nothing.
            retries += (0..1000).filter(|_| budget.retry()).count() as u64;
            prop_assert_eq!(retries, FLOOR + requests / SHARE);
        }
    }
}
