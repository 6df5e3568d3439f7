//! How fast one account may be asked: pure, every moment is passed in.
//!
//! Nobody publishes how many requests S3 takes from an account; it says only when they were too many. So the tempo is
//! found out. At first only the requests in flight are limited, by a limit that grows with every good answer. A refusal
//! tells that the account's allowance is used up *now*, and a second one that it is used up again: what was admitted
//! between the two, over the time between them, is the rate at which it is refilled, to within a request. From then on
//! requests are spaced by that rate, which grows slowly at first, and faster the longer it is borne, until the next
//! refusal measures it anew. After each refusal the account rests a little: the allowance that gathers meanwhile is not
//! lost, and what is spent of it afterwards makes the measurement good.
//!
//! A service in trouble refuses too, whatever the rate is: one that spaced its requests ever more would end with one a
//! second. It shows itself by refusing soon after each reduction, which an allowance that is refilled never does. Then
//! only few requests are in flight, as fast as they are answered, until most of them are refused.

use std::time::Duration;

use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// In flight, for an account of which nothing is known.
const FIRST: f64 = 4.0;
/// In flight at least, and while the rate is measured: so many may be refused when the allowance ends.
const FEWEST: f64 = 2.0;
/// Added to the limit for each good answer: by so much it grows from one round trip to the next. When an unknown
/// allowance ends, all that is in flight is refused.
const GROWTH: f64 = 1.0 / 10.0;
const REST: Duration = Duration::from_millis(500);
/// The longest rest, where refusals follow each other and nothing is admitted.
const LONG_REST: Duration = Duration::from_secs(2);
/// The longest rest that a server may ask for.
const LONGEST_REST: Duration = Duration::from_secs(20);
/// The rate has doubled when it was borne so long.
const DOUBLED: Duration = Duration::from_secs(12);
/// At a rate that an allowance bears there is no refusal before: what gathered in the rest lasts longer than that.
const EARLY: Duration = Duration::from_secs(6);
/// After so many early refusals more than others it is not the rate that brings them about.
const ENOUGH_EARLY: u32 = 4;
/// So many answers show whether that still holds.
const WINDOW: u32 = 50;
/// By how much a request may be late and those behind it not: timers are no finer than a millisecond.
const LATENESS: Duration = Duration::from_millis(20);
/// Requests a second, at least.
const SLOWEST: f64 = 0.5;
/// With so many admitted a measurement is good to two in a hundred; until then the next goes on from its beginning.
const GOOD_MEASUREMENT: u32 = 50;
/// An account is given up when so many requests in a row came to nothing …
const GIVEN_UP_FAILURES: u32 = 20;
/// … and nothing else came for so long.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(30);

/// What an answer says about the tempo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The service did its work, be it that it denied.
    Good,
    /// Too many requests; how long the service asks to be left alone.
    SlowDown(Option<Duration>),
    /// None, or an error of the service.
    Failed,
}

/// When the next request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Now,
    At(Instant),
    /// When one of those in flight has ended.
    Later,
}

#[derive(Debug)]
pub struct Tempo {
    in_flight: u32,
    limit: f64,
    /// Whether the limit kept something from being sent: only then it may grow.
    reached: bool,
    /// In flight at most, whatever the answers are.
    most: f64,
    phase: Phase,
    /// Requests a second that were borne while the account was asked without regard to the rate: single refusals do not
    /// make it slower than that.
    floor: f64,
    /// Nothing is sent before.
    rest: Instant,
    /// Rests since something was admitted.
    rests: u32,
    /// Requests that were sent before know nothing of the last reaction.
    reacted: Option<Instant>,
    /// The last eight answers to first attempts, a bit for each that was not good.
    bad: u8,
    /// Since when the account came to nothing, and how often.
    failing: Option<(Instant, u32)>,
}

#[derive(Debug)]
enum Phase {
    /// Never refused.
    Open,
    /// Refused, at what rate is not known.
    Measuring(Measurement),
    Paced {
        /// Requests a second, as measured …
        rate: f64,
        /// … at this moment.
        at: Instant,
        next: Instant,
        measurement: Measurement,
        /// Refusals that came early, less those that did not.
        early: u32,
    },
    /// Refused whatever the rate is.
    Indifferent { measurement: Measurement, answered: u32 },
}

/// What somebody who reads the log should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Slowing down did not help, and is given up.
    Indifferent,
}

/// What was admitted since a refusal.
#[derive(Debug, Clone, Copy)]
struct Measurement {
    since: Instant,
    admitted: u32,
}

impl Measurement {
    fn new(since: Instant) -> Self {
        Self { since, admitted: 0 }
    }

    fn rate(self, now: Instant) -> f64 {
        f64::from(self.admitted) / (now - self.since).as_secs_f64().max(1e-3)
    }
}

impl Tempo {
    /// At most `most` requests in flight.
    pub fn new(most: usize, now: Instant) -> Self {
        let most = u32::try_from(most).map_or(f64::MAX, f64::from);
        Self {
            in_flight: 0,
            limit: FIRST.min(most),
            reached: false,
            most,
            phase: Phase::Open,
            floor: 0.0,
            rest: now,
            rests: 0,
            reacted: None,
            bad: 0,
            failing: None,
        }
    }

    /// Whether a request may be sent; with [`Turn::Now`] it is counted as sent, and [`Tempo::end`] must follow.
    pub fn start(&mut self, now: Instant) -> Turn {
        if f64::from(self.in_flight) + 1.0 > self.limit {
            self.reached = true;
            return Turn::Later;
        }
        if now < self.rest {
            return Turn::At(self.rest);
        }
        if let Phase::Paced { rate, at, next, .. } = &mut self.phase {
            if now < *next {
                return Turn::At(*next);
            }
            let spacing = Duration::from_secs_f64(1.0 / grown(*rate, now - *at));
            *next = now.checked_sub(LATENESS).map_or(*next, |earliest| (*next).max(earliest)) + spacing;
        }
        self.reached &= f64::from(self.in_flight) * 2.0 >= self.limit;
        self.in_flight += 1;
        Turn::Now
    }

    /// A request that was sent has ended; without an answer when it was abandoned. Only a first attempt speaks for the
    /// account: what is refused again and again may be a bucket's own trouble.
    pub fn end(&mut self, now: Instant, sent: Instant, first_attempt: bool, answer: Option<Answer>) -> Option<News> {
        self.in_flight -= 1;
        let answer = answer?;
        if first_attempt {
            self.bad = self.bad << 1 | u8::from(answer != Answer::Good);
        }
        if matches!(self.phase, Phase::Indifferent { .. }) {
            self.end_indifferently(now, answer);
            return None;
        }
        if answer == Answer::Good {
            self.failing = None;
            self.rests = 0;
            if self.reached {
                self.limit = (self.limit + GROWTH).min(self.most);
            }
            if let Phase::Measuring(measurement) | Phase::Paced { measurement, .. } = &mut self.phase {
                measurement.admitted += 1;
            }
            return None;
        }
        self.fail(now);
        let answers_the_last_reaction = self.reacted.is_none_or(|reacted| sent > reacted);
        if !first_attempt || !answers_the_last_reaction {
            return None;
        }
        // One bad answer among good ones is no sign of the account's, unless the account is known to have a limit; and
        // where it also refuses without regard to the rate, a few are none either.
        let in_trouble = self.floor > 0.0;
        let confirmed = self.bad.count_ones() >= if in_trouble { 4 } else { 2 };
        let limited = matches!(self.phase, Phase::Paced { .. }) && !in_trouble;
        match answer {
            Answer::SlowDown(wish) if confirmed || limited => {
                self.reacted = Some(now);
                self.slow_down(now);
                if matches!(self.phase, Phase::Indifferent { .. }) {
                    self.heed(now, wish);
                    return Some(News::Indifferent);
                }
                self.rest(now, wish);
            }
            Answer::Failed if confirmed => {
                self.reacted = Some(now);
                self.limit = (self.limit / 2.0).max(FEWEST.min(self.most));
            }
            Answer::Good | Answer::SlowDown(_) | Answer::Failed => {}
        }
        None
    }

    fn fail(&mut self, now: Instant) {
        let (_, failures) = self.failing.get_or_insert((now, 0));
        *failures += 1;
    }

    /// Few are in flight, and stay few. When two of three are refused, it is a matter of the rate after all; when none
    /// is, the trouble is over.
    fn end_indifferently(&mut self, now: Instant, answer: Answer) {
        match answer {
            Answer::Good => self.failing = None,
            Answer::SlowDown(wish) => {
                self.fail(now);
                self.heed(now, wish);
            }
            Answer::Failed => self.fail(now),
        }
        let Phase::Indifferent { measurement, answered } = &mut self.phase else { return };
        measurement.admitted += u32::from(answer == Answer::Good);
        *answered += 1;
        if *answered < WINDOW {
            return;
        }
        let (found, measurement) = (*measurement, Measurement::new(now));
        self.phase = if found.admitted == WINDOW {
            Phase::Open
        } else if found.admitted * 3 >= WINDOW {
            Phase::Indifferent { measurement, answered: 0 }
        } else {
            let rate = found.rate(now).max(SLOWEST);
            (self.floor, self.bad) = (rate * 0.7, 0);
            Phase::Paced { rate, at: now, next: now, measurement, early: 0 }
        };
    }

    fn slow_down(&mut self, now: Instant) {
        let (measurement, current, early) = match self.phase {
            Phase::Open => (Measurement::new(now), None, 0),
            Phase::Measuring(measurement) => (measurement, None, 0),
            Phase::Paced { rate, at, measurement, early, .. } => {
                let borne = now - at;
                // Where nothing is admitted at all, there is nothing to be had by asking faster.
                let early = if borne < EARLY && measurement.admitted > 0 { early + 1 } else { early.saturating_sub(1) };
                (measurement, Some(grown(rate, borne)), early)
            }
            Phase::Indifferent { .. } => return,
        };
        if self.bad.count_ones() >= 7 {
            self.floor = 0.0;
        }
        if early >= ENOUGH_EARLY && self.floor == 0.0 {
            self.limit = FIRST.min(self.most);
            self.phase = Phase::Indifferent { measurement: Measurement::new(now), answered: 0 };
            return;
        }
        let rate = match current {
            _ if measurement.admitted == 0 => current.map(|current| current / 2.0),
            Some(current) => Some(measurement.rate(now).clamp(current / 2.0, current)),
            None => Some(measurement.rate(now)),
        };
        // Where nothing was admitted since, the allowance was as empty then as it is now.
        let well_measured = measurement.admitted == 0 || measurement.admitted >= GOOD_MEASUREMENT;
        let measurement = if well_measured { Measurement::new(now) } else { measurement };
        if let Some(rate) = rate {
            self.limit = (self.limit / 2.0).max(FIRST.min(self.most));
            self.phase =
                Phase::Paced { rate: rate.max(self.floor).max(SLOWEST), at: now, next: now, measurement, early };
        } else {
            self.limit = (self.limit / 4.0).max(FEWEST.min(self.most));
            self.phase = Phase::Measuring(measurement);
        }
    }

    fn rest(&mut self, now: Instant, wish: Option<Duration>) {
        let rest = LONG_REST.min(REST * 2_u32.pow(self.rests.min(8)));
        self.rests += 1;
        self.rest = self.rest.max(now + rest);
        self.heed(now, wish);
    }

    /// What a server asks for is done, within reason.
    fn heed(&mut self, now: Instant, wish: Option<Duration>) {
        self.rest = self.rest.max(now + wish.unwrap_or_default().min(LONGEST_REST));
    }

    /// Whether it is of no use to ask this account any more.
    pub fn is_given_up(&self, now: Instant) -> bool {
        let lost = |(since, failures)| failures >= GIVEN_UP_FAILURES && now - since >= GIVEN_UP_AFTER;
        self.failing.is_some_and(lost)
    }

    /// Lets one more request of a given-up account through: it decides about all others.
    pub fn try_again(&mut self) {
        if let Some((_, failures)) = &mut self.failing {
            *failures = (*failures).min(GIVEN_UP_FAILURES - 1);
        }
    }
}

/// A rate that was borne for so long.
fn grown(rate: f64, borne: Duration) -> f64 {
    rate * (1.0 + borne.div_duration_f64(DOUBLED).powi(4))
}
