//! The tempo against servers of which only the clock is simulated: the figures hold on any machine.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

/// A server that lets `rate` requests pass a second, and as many more as it was not asked for within the last second.
#[derive(Debug, Clone, Copy)]
struct Server {
    rate: Option<u32>,
    latency: Duration,
    /// What is asked of it.
    requests: u32,
    /// Every so many-th request is refused, however often it is repeated.
    refused_always: Option<u32>,
    /// So many of a hundred answers are refusals, whatever the rate is.
    refused_at_random: u32,
}

#[derive(Debug)]
struct Run {
    elapsed: Duration,
    throttled: u32,
    in_flight: u32,
    /// How often it was told that slowing down does not help.
    news: u32,
}

impl Server {
    /// The least time that can be needed.
    fn bound(&self) -> Duration {
        let rate = self.rate.expect("of a server with a limit");
        Duration::from_secs(1) * self.requests.saturating_sub(rate) / rate
    }

    /// Asks everything, and repeats what was refused up to five times, a quarter of a second later.
    fn run(&self, concurrency: usize) -> Run {
        let begin = Instant::now();
        let mut tempo = Tempo::new(concurrency, begin);
        let (mut now, mut tokens, mut filled) = (begin, f64::from(self.rate.unwrap_or_default()), begin);
        // (when, number of the request, attempt); the first of those that wait is sent first.
        let mut waiting: BinaryHeap<_> = (0..self.requests).map(|number| Reverse((begin, number, 1))).collect();
        let mut flying: BinaryHeap<Reverse<(Instant, Instant, u32, u32)>> = BinaryHeap::new();
        let mut run = Run { elapsed: Duration::ZERO, throttled: 0, in_flight: 0, news: 0 };
        let mut dice = fastrand::Rng::with_seed(1);
        loop {
            let mut wake = flying.peek().map(|Reverse((end, ..))| *end);
            while let Some(Reverse((due, number, attempt))) = waiting.peek().copied() {
                let turn = if due > now { Turn::At(due) } else { tempo.start(now) };
                match turn {
                    Turn::Now => {
                        waiting.pop();
                        flying.push(Reverse((now + self.latency, now, number, attempt)));
                        run.in_flight = run.in_flight.max(u32::try_from(flying.len()).expect("few"));
                        wake = flying.peek().map(|Reverse((end, ..))| *end);
                    }
                    Turn::At(at) => {
                        assert!(at > now, "a moment that has passed");
                        wake = Some(wake.map_or(at, |wake| wake.min(at)));
                        break;
                    }
                    Turn::Later => break,
                }
            }
            let Some(next) = wake else { break };
            now = next;
            while let Some(Reverse((end, sent, number, attempt))) = flying.peek().copied().filter(|it| it.0.0 <= now) {
                flying.pop();
                let admitted = match self.rate {
                    None => true,
                    Some(rate) => {
                        tokens = (tokens + (end - filled).as_secs_f64() * f64::from(rate)).min(f64::from(rate));
                        filled = end;
                        tokens >= 1.0
                    }
                };
                let spared = dice.u32(0..100) >= self.refused_at_random;
                let good = admitted && spared && self.refused_always.is_none_or(|every| number % every != every - 1);
                tokens -= f64::from(u8::from(admitted));
                run.throttled += u32::from(!good);
                let answer = if good { Answer::Good } else { Answer::SlowDown(None) };
                run.news += u32::from(tempo.end(now, sent, attempt == 1, Some(answer)).is_some());
                if !good && attempt < 5 {
                    waiting.push(Reverse((now + Duration::from_millis(250), number, attempt + 1)));
                }
            }
        }
        run.elapsed = now - begin;
        run
    }
}

const CAPPED: Server = Server {
    rate: Some(60),
    latency: Duration::from_millis(10),
    requests: 401,
    refused_always: None,
    refused_at_random: 0,
};

#[test]
fn a_small_account_with_a_limit_is_hardly_ever_refused() {
    for milliseconds in [1, 3, 10, 30, 100] {
        let server = Server { latency: Duration::from_millis(milliseconds), ..CAPPED };
        let run = server.run(64);
        assert!(run.throttled < 20, "{server:?}: {run:?}");
        assert!(run.elapsed < server.bound().mul_f64(1.25) + Duration::from_secs(1), "{server:?}: {run:?}");
    }
}

#[test]
fn a_large_account_with_a_limit_is_read_at_its_limit() {
    for rate in [5, 20, 60, 200, 1000] {
        for milliseconds in [3, 10, 30, 100] {
            let latency = Duration::from_millis(milliseconds);
            let server = Server { rate: Some(rate), latency, requests: rate * 60, ..CAPPED };
            let run = server.run(64);
            if f64::from(rate) * latency.as_secs_f64() < 32.0 {
                assert!(run.elapsed < server.bound().mul_f64(1.10), "{server:?}: {run:?}, bound {:?}", server.bound());
            }
            assert!(run.throttled < 120.max(server.requests / 50), "{server:?}: {run:?}");
        }
    }
}

#[test]
fn an_account_without_a_limit_soon_fills_all_that_may_be_in_flight() {
    for (concurrency, requests) in [(64, 20_000), (7, 2_000), (1, 100), (4, 400)] {
        let server = Server { rate: None, latency: Duration::from_millis(30), requests, ..CAPPED };
        let run = server.run(concurrency);
        let bound = server.latency * requests / u32::try_from(concurrency).expect("small");
        assert!(run.elapsed < bound.mul_f64(1.05) + Duration::from_secs(1), "{run:?}, bound {bound:?}");
        assert_eq!(run.in_flight as usize, concurrency);
    }
}

#[test]
fn a_bucket_that_is_always_refused_slows_the_others_little() {
    for every in [1000, 100] {
        let server = Server {
            rate: None,
            latency: Duration::from_millis(30),
            requests: 20_000,
            refused_always: Some(every),
            refused_at_random: 0,
        };
        let bound = server.latency * server.requests / 64;
        let run = server.run(64);
        assert!(run.elapsed < bound.mul_f64(1.2) + Duration::from_secs(1), "{run:?}, bound {bound:?}");
    }
}

#[test]
fn a_service_that_refuses_at_random_is_asked_on() {
    for (refused_at_random, milliseconds) in [(5, 10), (10, 10), (30, 3), (30, 10), (30, 100), (45, 10)] {
        let latency = Duration::from_millis(milliseconds);
        let server = Server { rate: None, latency, requests: 2_000, refused_always: None, refused_at_random };
        let run = server.run(64);
        // As fast as four at a time are answered, each asked up to five times, after a while of finding out.
        let bound = latency * server.requests / 4 * 2 + Duration::from_secs(15);
        assert!(run.elapsed < bound, "{server:?}: {run:?}, bound {bound:?}");
    }
}

#[test]
fn an_account_with_a_limit_that_also_refuses_at_random_is_not_brought_to_a_stand() {
    for (refused_at_random, times) in [(2, 2), (10, 3), (30, 8)] {
        let server = Server { requests: 3_600, refused_at_random, ..CAPPED };
        let run = server.run(64);
        assert!(run.elapsed < server.bound() * times, "{server:?}: {run:?}, bound {:?}", server.bound());
        assert!(run.throttled < server.requests, "{server:?}: {run:?}");
    }
}

#[test]
fn a_limit_alone_is_never_taken_for_trouble() {
    for rate in [1, 5, 20, 60, 200, 1000] {
        for milliseconds in [1, 3, 10, 30, 100, 400] {
            let latency = Duration::from_millis(milliseconds);
            let run = Server { rate: Some(rate), latency, requests: rate * 60, ..CAPPED }.run(64);
            assert_eq!(run.news, 0, "{rate} a second, {latency:?}: {run:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the server is, the run ends and keeps within what may be in flight.
    #[test]
    fn every_run_ends(
        rate in prop::option::of(1_u32..3000),
        milliseconds in 1_u64..500,
        requests in 1_u32..2000,
        refused_always in prop::option::of(1_u32..50),
        refused_at_random in 0_u32..100,
        concurrency in 1_usize..100,
    ) {
        let latency = Duration::from_millis(milliseconds);
        let run = Server { rate, latency, requests, refused_always, refused_at_random }.run(concurrency);
        prop_assert!(run.in_flight as usize <= concurrency);
        // Five attempts of each, none of which waits longer than a rest or the slowest rate makes it.
        prop_assert!(run.elapsed < Duration::from_secs(5) * 2 * requests + Duration::from_mins(1), "{run:?}");
    }
}

#[test]
fn an_account_that_answers_nothing_is_given_up_and_one_good_answer_brings_it_back() {
    let begin = Instant::now();
    let mut tempo = Tempo::new(64, begin);
    let mut now = begin;
    let mut ask = |tempo: &mut Tempo, answer| {
        loop {
            match tempo.start(now) {
                Turn::Now => break,
                Turn::At(at) => now = at,
                Turn::Later => unreachable!("nothing is in flight"),
            }
        }
        let sent = now;
        now += Duration::from_millis(10);
        tempo.end(now, sent, true, Some(answer));
        now
    };
    let mut asked = 0;
    loop {
        asked += 1;
        let now = ask(&mut tempo, Answer::SlowDown(None));
        assert!(now - begin < Duration::from_mins(1), "it is never given up");
        if tempo.is_given_up(now) {
            assert!(now - begin >= GIVEN_UP_AFTER && asked >= GIVEN_UP_FAILURES);
            break;
        }
    }
    tempo.try_again();
    let now = ask(&mut tempo, Answer::SlowDown(None));
    assert!(tempo.is_given_up(now), "one failure decides");
    tempo.try_again();
    let now = ask(&mut tempo, Answer::Good);
    assert!(!tempo.is_given_up(now));
    let now = ask(&mut tempo, Answer::SlowDown(None));
    assert!(!tempo.is_given_up(now), "a failure among good answers");
}

#[test]
fn a_server_that_names_a_time_is_left_alone_so_long_but_not_for_ever() {
    for (wish, rest) in [(5, 5), (3600, 20)] {
        let begin = Instant::now();
        let mut tempo = Tempo::new(64, begin);
        assert_eq!((tempo.start(begin), tempo.start(begin)), (Turn::Now, Turn::Now));
        let answer = Some(Answer::SlowDown(Some(Duration::from_secs(wish))));
        tempo.end(begin, begin, true, answer);
        tempo.end(begin, begin, true, answer);
        assert_eq!(tempo.start(begin), Turn::At(begin + Duration::from_secs(rest)));
    }
}
