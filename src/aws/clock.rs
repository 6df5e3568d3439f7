//! What time it is for AWS, which refuses requests that are signed with another.
//!
//! The SDK corrects the time too, but for each client by itself, and says nothing of it. Here one refusal corrects it
//! for all clients of a run, and the run can tell.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use super::failure::Failure;

/// The clock of this machine, set right when AWS has refused its time.
#[derive(Debug, Default)]
pub struct Clock {
    /// Seconds, as in [`Skew`]; 0 before anything was refused.
    skew: AtomicI64,
    refused: OnceLock<ClockOff>,
    refusal: Notify,
    unsaid: OnceLock<()>,
}

/// By how many seconds the clock of AWS is ahead of this machine's; negative where it is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew(i64);

impl Skew {
    /// No clock that is off by less is refused.
    const LEAST: u64 = 4 * 60;

    /// No machine's clock is off by more; a time that is further away cannot be signed with. In seconds, 300 years.
    const MOST: i64 = 300 * 365 * 86_400;

    /// `None` where the time that AWS tells cannot be right.
    pub(super) fn between(aws: SystemTime, here: SystemTime) -> Option<Self> {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let skew = aws.duration_since(here).map_or_else(|behind| -seconds(behind.duration()), seconds);
        (-Self::MOST..=Self::MOST).contains(&skew).then_some(Self(skew))
    }

    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Whether AWS may refuse one of two times that are this far apart.
    fn matters_beside(self, other: Self) -> bool {
        self.0.abs_diff(other.0) > Self::LEAST
    }

    fn correct(self, here: SystemTime) -> SystemTime {
        let by = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 { here.checked_sub(by) } else { here.checked_add(by) }.unwrap_or(here)
    }
}

/// In words that follow "the clock of this machine is".
impl std::fmt::Display for Skew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.0 < 0 { "ahead of" } else { "behind" };
        write!(f, "{} minutes {place} that of AWS", (self.0.unsigned_abs() + 30) / 60)
    }
}

/// AWS refuses the time although it is its own.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "the clock of this machine is {skew}, and AWS refused even a request that was signed with AWS's time: {failure}"
)]
pub struct ClockOff {
    skew: Skew,
    failure: Failure,
}

impl Clock {
    /// What is corrected, if anything is.
    pub fn skew(&self) -> Option<Skew> {
        let skew = Skew(self.skew.load(Ordering::Relaxed));
        (skew != Skew(0)).then_some(skew)
    }

    /// The time by which AWS goes, as far as it is known.
    pub(super) fn aws_now(&self) -> SystemTime {
        let here = SystemTime::now();
        self.skew().map_or(here, |skew| skew.correct(here))
    }

    /// A request was refused for its time, and AWS told its own. `before`: what was corrected when it was signed. Says
    /// whether it is worth while to ask again.
    pub(super) fn correct(&self, measured: Skew, before: Option<Skew>) -> bool {
        let current = self.skew().unwrap_or(Skew(0));
        if measured.matters_beside(current) {
            self.skew.store(measured.0, Ordering::Relaxed);
            tracing::warn!("the clock of this machine is {measured}: requests are signed with the time of AWS");
            return true;
        }
        current.matters_beside(before.unwrap_or(Skew(0)))
    }

    /// A request that was signed with the time of AWS is refused for its time: no other will fare better.
    pub(super) fn give_up(&self, failure: &Failure) {
        if let Some(skew) = self.skew() {
            let _ = self.refused.set(ClockOff { skew, failure: failure.clone() });
            self.refusal.notify_waiters();
        }
    }

    /// A request was refused for its time, and the answer does not say which time would be right. AWS does; what stands
    /// between may not pass it on.
    pub(super) fn is_left_open(&self, failure: &Failure) {
        self.unsaid.get_or_init(|| {
            let what =
                "a request was refused for its time, and the answer has no usable Date: the clock of this machine may be off";
            tracing::warn!(reason = %failure.reason, "{what}");
        });
    }

    /// Whether the correction was of no use.
    pub fn off(&self) -> Option<ClockOff> {
        self.refused.get().cloned()
    }

    /// Comes when the correction was of no use, and else never.
    pub async fn refused(&self) -> ClockOff {
        loop {
            let refusal = self.refusal.notified();
            if let Some(off) = self.off() {
                return off;
            }
            refusal.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_corrected_in_both_directions() {
        let here = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for seconds in [-4000, -241, 0, 241, 4000_i64] {
            let by = Duration::from_secs(seconds.unsigned_abs());
            let aws = if seconds < 0 { here - by } else { here + by };
            let skew = Skew::between(aws, here).expect("a time that can be");
            assert_eq!((skew.seconds(), skew.correct(here)), (seconds, aws));
        }
        for years in [-2000, -301, 301, 8000_i64] {
            let by = Duration::from_secs(years.unsigned_abs() * 366 * 86_400);
            let aws = if years < 0 { here - by } else { here + by };
            assert_eq!(Skew::between(aws, here), None, "{years}");
        }
        assert_eq!(Skew(1200).to_string(), "20 minutes behind that of AWS");
        assert_eq!(Skew(-300).to_string(), "5 minutes ahead of that of AWS");
    }

    #[test]
    fn what_was_signed_before_the_correction_is_asked_again_and_nothing_else() {
        let clock = Clock::default();
        assert!(!clock.correct(Skew(100), None), "AWS does not mind that");
        assert!(clock.correct(Skew(1200), None));
        assert!(clock.correct(Skew(1201), None), "it was signed before");
        assert!(!clock.correct(Skew(1201), clock.skew()));
        // The clock of the machine was set meanwhile.
        assert!(clock.correct(Skew(1), clock.skew()));
        assert_eq!(clock.skew(), Some(Skew(1)));
    }
}
