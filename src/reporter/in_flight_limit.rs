//! Adapts the number of reports in flight to what the service accepts. Deterministic: the caller supplies the time.
//!
//! The algorithm is based on CUBIC, a congestion control for TCP (RFC 9438), which remembers the limit at which
//! requests failed:
//!
//! ```text
//! limit |                                  .'
//!       |      /|  failure     _______...''     the limit that failed
//!       |    /  |           .-'
//!       |  /    |  x 0.8  .'
//!       | /     +--------'
//!       +---------------------------------------- time
//!        doubles          fast, slow near that limit, then faster again
//! ```
//!
//! * The limit grows only while it is used and requests take at most about twice the shortest recent round trip. It
//!   grows with time rather than with each response, so that requests are spread over the round trip instead of being
//!   sent in bursts.
//! * The first failure in a round trip multiplies the limit by 0.8. If the failures exceed a fifth of the limit,
//!   their number is subtracted from it instead. Failures of requests that started before a reduction count towards
//!   that reduction and cause no further one.
//! * If half of the requests in flight are overdue, by a timeout like the retransmission timeout of RFC 6298, the
//!   service is assumed to be queueing requests, and the limit falls to 2.

use std::time::{Duration, Instant};

use crate::clock::after;

/// The initial limit. TCP begins with 10 segments (RFC 6928).
pub(crate) const INITIAL: usize = 8;

/// The lowest limit, like that of TCP's slow start threshold (RFC 5681, section 3.1). Only a lower ceiling, or the
/// circuit breaker, allows fewer reports in flight.
const LOWEST: f64 = 2.0;

/// The factor by which a reduction multiplies the limit. RFC 9438 uses 0.7; the original CUBIC uses 0.8. In the
/// simulation of a service that throttles, 0.8 causes at least a quarter fewer failures than 0.7.
const BETA: f64 = 0.8;

/// The factor of the cubic growth, per second cubed. RFC 9438 uses 0.4, for windows of thousands of segments. In the
/// same simulation, 0.1 causes a quarter to a third fewer failures than 0.4, but growing from 2 to 48 takes 9 s
/// instead of 6 s.
const C: f64 = 0.1;

/// The time after which requests are overdue until a round trip has been measured (RFC 6298, section 2).
const INITIAL_TIMEOUT: Duration = Duration::from_secs(1);

/// The minimum time after which a request is overdue, so that a short pause of this machine is not attributed to the
/// service.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(400);

/// How much longer than twice the shortest round trip a request may take if the limit is to grow. It matters mainly
/// for fast services, for which the time that this machine needs is a large part of the round trip.
const JITTER: Duration = Duration::from_millis(100);

/// The time after which the shortest round trip is forgotten, so that a service that has become slower can get more
/// reports in flight again. It exceeds by more than a minute the 32 s that a service needs to serve 64 queued
/// requests at 2 per second.
const FORGET_SHORTEST: Duration = Duration::from_secs(120);

/// The longest time over which the limit is restored after a pause.
const LONGEST_RESTORATION: Duration = Duration::from_secs(1);

/// The shortest time between two steps of the limit.
const SHORTEST_STEP: Duration = Duration::from_millis(1);

/// The limit on the number of reports in flight.
#[derive(Debug)]
pub(crate) struct InFlightLimit {
    ceiling: usize,
    /// The limit at the start of its current growth.
    base: f64,
    /// The limit at which the growth is slowest; None before the first reduction.
    plateau: Option<f64>,
    /// The time for which the limit has grown, up to the start of `growing`.
    grown: Duration,
    /// The start and the end of the period in which the limit grows.
    growing: Option<(Instant, Instant)>,
    reduction: Option<Reduction>,
    round_trip: Option<RoundTrip>,
    /// The end of the last pause in sending.
    resumed: Option<Instant>,
}

/// The last reduction of the limit.
#[derive(Debug, Clone, Copy)]
struct Reduction {
    at: Instant,
    /// The limit before the reduction, or the lowest one after a restart.
    limit: f64,
    /// The number of failures of requests that started before the reduction.
    failures: u32,
}

/// The duration of successful requests.
#[derive(Debug, Clone, Copy)]
struct RoundTrip {
    /// The mean and the variation (RFC 6298, section 2).
    mean: Duration,
    variation: Duration,
    /// The shortest recent duration, and the last time at which a request took about as long.
    shortest: Duration,
    confirmed: Instant,
}

impl RoundTrip {
    fn new(elapsed: Duration, now: Instant) -> Self {
        Self { mean: elapsed, variation: elapsed / 2, shortest: elapsed, confirmed: now }
    }

    fn record(&mut self, elapsed: Duration, now: Instant) {
        self.variation = self.variation * 3 / 4 + elapsed.abs_diff(self.mean) / 4;
        self.mean = self.mean * 7 / 8 + elapsed / 8;
        if elapsed <= self.shortest * 5 / 4 {
            self.shortest = self.shortest.min(elapsed);
            self.confirmed = now;
        } else if now.saturating_duration_since(self.confirmed) > FORGET_SHORTEST {
            self.shortest = elapsed;
            self.confirmed = now;
        }
    }

    /// Returns the time after which a request is overdue.
    fn timeout(&self) -> Duration {
        (self.mean + self.mean.max(self.variation * 4)).max(SHORTEST_TIMEOUT)
    }
}

impl InFlightLimit {
    pub(crate) fn new(ceiling: usize) -> Self {
        Self {
            ceiling,
            base: INITIAL as f64,
            plateau: None,
            grown: Duration::ZERO,
            growing: None,
            reduction: None,
            round_trip: None,
            resumed: None,
        }
    }

    /// Returns how many reports may be in flight.
    pub(crate) fn current(&self, now: Instant) -> usize {
        let limit = self.restored(now).map_or(1.0, |part| part.min(1.0)) * self.value(now);
        (limit.max(LOWEST) as usize).min(self.ceiling)
    }

    /// Returns the next time at which the limit rises without a result.
    pub(crate) fn next_step(&self, now: Instant) -> Option<Instant> {
        let value = self.value(now);
        let restoration = self.restored(now).filter(|part| *part < 1.0 && value > LOWEST);
        let restoration = restoration.map(|_| self.restoration_time().div_f64(value));
        let next = value.floor() + 1.0;
        let growth = self.growing.filter(|_| next <= self.ceiling as f64).and_then(|(_, until)| {
            // The extra time exceeds the rounding error, so that the limit has risen by then.
            let wait = self.time_to(next).saturating_sub(self.grown_at(now)) + Duration::from_micros(1);
            Some(wait).filter(|wait| after(now, *wait) < until)
        });
        restoration.into_iter().chain(growth).min().map(|wait| after(now, wait.max(SHORTEST_STEP)))
    }

    /// Records a success. `is_used` says whether about as many reports were in flight as the limit allows.
    pub(crate) fn succeeded(&mut self, started: Instant, elapsed: Duration, is_used: bool, now: Instant) {
        match self.plateau {
            // The growth so far must not change with the doubling time, which is about to change.
            None => self.base = self.value(now),
            Some(_) => self.grown = self.grown_at(now),
        }
        let round_trip = self.round_trip.get_or_insert(RoundTrip::new(elapsed, now));
        round_trip.record(elapsed, now);
        let is_current = self.reduction.is_none_or(|reduction| started >= reduction.at);
        let is_fast = elapsed <= round_trip.shortest * 2 + JITTER;
        self.growing = match is_used && is_current && is_fast {
            true => Some((now, after(now, round_trip.mean))),
            false => self.growing.map(|(_, until)| (now, until)),
        };
    }

    /// Records the failure of a request during which other requests succeeded.
    pub(crate) fn failed(&mut self, started: Instant, now: Instant) {
        let mut reduction = match self.reduction {
            Some(reduction) if started < reduction.at => reduction,
            _ => Reduction { at: now, limit: self.value(now), failures: 0 },
        };
        reduction.failures = reduction.failures.saturating_add(1);
        let is_first = reduction.failures == 1;
        self.reduction = Some(reduction);
        let limit = (reduction.limit * BETA).min(reduction.limit - f64::from(reduction.failures));
        if is_first || limit < self.base {
            self.reduce_to(limit);
        }
    }

    /// Reduces the limit to the lowest one, because no request succeeds, the breaker is suspended, or requests are
    /// overdue.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.reduction = Some(Reduction { at: now, limit: LOWEST, failures: 0 });
        self.reduce_to(LOWEST);
    }

    /// Begins to restore the limit after a pause. This lasts one round trip, so that the requests are spread over it.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.resumed = Some(now);
    }

    /// Returns the time from which half of the requests in flight are overdue, or None if that does not reduce the
    /// limit. `started` is the time by which half of them had started.
    pub(crate) fn overdue_at(&self, started: Instant, now: Instant) -> Option<Instant> {
        let is_current = self.reduction.is_none_or(|reduction| started >= reduction.at);
        let timeout = self.round_trip.map_or(INITIAL_TIMEOUT, |round_trip| round_trip.timeout());
        (is_current && self.value(now) > LOWEST).then(|| after(started, timeout))
    }

    fn reduce_to(&mut self, limit: f64) {
        self.base = limit.max(LOWEST);
        self.plateau = Some(self.base / BETA);
        self.grown = Duration::ZERO;
        self.growing = None;
    }

    fn grown_at(&self, now: Instant) -> Duration {
        let growing =
            self.growing.map_or(Duration::ZERO, |(since, until)| now.min(until).saturating_duration_since(since));
        self.grown.saturating_add(growing)
    }

    /// Returns the limit, without rounding.
    fn value(&self, now: Instant) -> f64 {
        let grown = self.grown_at(now).as_secs_f64();
        let value = match self.plateau {
            None => self.base * (grown / self.doubling_time()).exp2(),
            // RFC 9438, section 4.2.
            Some(plateau) => (C * (grown - self.time_to_plateau(plateau)).powi(3) + plateau).max(self.base),
        };
        value.min(self.ceiling as f64)
    }

    /// Returns how long the limit must grow to reach `value`.
    fn time_to(&self, value: f64) -> Duration {
        let time = match self.plateau {
            None => self.doubling_time() * (value / self.base).log2(),
            Some(plateau) => self.time_to_plateau(plateau) + ((value - plateau) / C).cbrt(),
        };
        Duration::try_from_secs_f64(time).unwrap_or_default()
    }

    fn time_to_plateau(&self, plateau: f64) -> f64 {
        ((plateau - self.base) / C).cbrt()
    }

    /// Returns the time in which the limit doubles before the first reduction, in seconds.
    fn doubling_time(&self) -> f64 {
        self.round_trip.map_or(1.0, |round_trip| round_trip.mean.as_secs_f64()).max(SHORTEST_STEP.as_secs_f64())
    }

    /// Returns the fraction of the limit that has been restored since the last pause, which is 1 or more once the
    /// limit is fully restored. Returns None if there was no pause.
    fn restored(&self, now: Instant) -> Option<f64> {
        self.resumed.map(|resumed| now.saturating_duration_since(resumed).div_duration_f64(self.restoration_time()))
    }

    fn restoration_time(&self) -> Duration {
        let mean = self.round_trip.map_or(Duration::ZERO, |round_trip| round_trip.mean);
        mean.clamp(SHORTEST_STEP, LONGEST_RESTORATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(200);

    /// A limit and a clock. All requests take [`ROUND_TRIP`].
    struct Fixture {
        limit: InFlightLimit,
        now: Instant,
    }

    impl Fixture {
        fn new() -> Self {
            Self { limit: InFlightLimit::new(64), now: Instant::now() }
        }

        /// Advances the clock, with a success every 10 ms.
        fn succeed(&mut self, time: Duration, is_used: bool) {
            for _ in 0..time.as_millis() / 10 {
                self.now += Duration::from_millis(10);
                self.limit.succeeded(self.now - ROUND_TRIP, ROUND_TRIP, is_used, self.now);
            }
        }

        /// Records the failure of a request that started a round trip ago, and returns the new limit.
        fn fail(&mut self) -> usize {
            self.limit.failed(self.now - ROUND_TRIP, self.now);
            self.current()
        }

        fn current(&self) -> usize {
            self.limit.current(self.now)
        }
    }

    #[test]
    fn limit_doubles_in_each_round_trip_up_to_the_ceiling() {
        let mut fixture = Fixture::new();
        fixture.succeed(Duration::from_millis(10), true);
        let mut limits = vec![fixture.current()];
        for _ in 0..4 {
            fixture.succeed(ROUND_TRIP, true);
            limits.push(fixture.current());
        }
        assert_eq!(limits, [8, 16, 32, 64, 64]);
    }

    #[test]
    fn limit_grows_only_while_it_is_used() {
        let mut fixture = Fixture::new();
        fixture.succeed(ROUND_TRIP * 10, false);
        assert_eq!((fixture.current(), fixture.limit.next_step(fixture.now)), (8, None));
    }

    #[test]
    fn limit_rises_between_results_at_the_announced_times_for_one_round_trip() {
        let mut fixture = Fixture::new();
        fixture.succeed(Duration::from_millis(10), true);
        let (start, mut limits) = (fixture.now, Vec::new());
        while let Some(next) = fixture.limit.next_step(fixture.now) {
            fixture.now = next;
            limits.push(fixture.current());
        }
        assert!(limits.is_sorted() && limits.len() <= 8 && fixture.now - start <= ROUND_TRIP, "{limits:?}");
        fixture.now = start + ROUND_TRIP * 5;
        assert_eq!(fixture.current(), 16);
    }

    #[test]
    fn failures_of_one_round_trip_reduce_the_limit_once_or_by_their_number() {
        let mut fixture = Fixture::new();
        fixture.succeed(ROUND_TRIP * 5, true);
        let limits: Vec<usize> = (0..15).map(|_| fixture.fail()).collect();
        assert_eq!(limits[..12], [51; 12]);
        assert_eq!(limits[12..], [51, 50, 49]);
        let lowest = (0..100).map(|_| fixture.fail()).last();
        assert_eq!(lowest, Some(2));
    }

    #[test]
    fn next_round_trip_can_reduce_the_limit_again() {
        let mut fixture = Fixture::new();
        fixture.succeed(ROUND_TRIP * 5, true);
        assert_eq!(fixture.fail(), 51);
        fixture.now += ROUND_TRIP;
        assert_eq!(fixture.fail(), 40);
    }

    #[test]
    fn growth_is_slowest_at_the_limit_that_failed() {
        let mut fixture = Fixture::new();
        fixture.succeed(Duration::from_millis(500), true);
        let failed = fixture.current();
        fixture.fail();
        fixture.succeed(ROUND_TRIP, true);
        let limits: Vec<usize> = (0..8)
            .map(|_| {
                fixture.succeed(Duration::from_secs(1), true);
                fixture.current()
            })
            .collect();
        let steps: Vec<usize> = limits.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(limits.contains(&failed) && steps.contains(&0), "{failed}: {limits:?}");
        assert!(steps[0] > 0 && steps[6] > steps[3], "{failed}: {limits:?}");
    }

    #[test]
    fn limit_does_not_grow_for_two_minutes_after_requests_become_much_slower() {
        let mut fixture = Fixture::new();
        fixture.succeed(ROUND_TRIP, true);
        fixture.limit.restart(fixture.now);
        let slow = Duration::from_secs(1);
        let mut succeed = |seconds| {
            for _ in 0..seconds {
                fixture.now += slow;
                fixture.limit.succeeded(fixture.now - slow, slow, true, fixture.now);
            }
            fixture.current()
        };
        assert_eq!(succeed(119), 2);
        assert_eq!(succeed(60), 64);
    }

    #[test]
    fn requests_are_overdue_after_twice_the_round_trip() {
        let mut fixture = Fixture::new();
        let unknown = fixture.limit.overdue_at(fixture.now, fixture.now).unwrap();
        assert_eq!(unknown - fixture.now, INITIAL_TIMEOUT);
        fixture.succeed(ROUND_TRIP * 5, true);
        let known = fixture.limit.overdue_at(fixture.now, fixture.now).unwrap();
        let timeout = known - fixture.now;
        assert!((ROUND_TRIP * 2..ROUND_TRIP * 5 / 2).contains(&timeout), "{timeout:?}");
        fixture.limit.restart(fixture.now);
        assert_eq!(fixture.limit.overdue_at(fixture.now, fixture.now), None, "the limit cannot fall further");
    }

    #[test]
    fn limit_is_restored_gradually_after_a_pause() {
        let mut fixture = Fixture::new();
        fixture.succeed(ROUND_TRIP * 5, true);
        fixture.fail();
        fixture.now += Duration::from_secs(1);
        fixture.limit.resume(fixture.now);
        let (start, mut limits) = (fixture.now, vec![fixture.current()]);
        while let Some(next) = fixture.limit.next_step(fixture.now) {
            fixture.now = next;
            limits.push(fixture.current());
        }
        assert_eq!((limits[0], limits[limits.len() - 1]), (2, 51));
        assert!(limits.is_sorted() && limits.len() > 40 && fixture.now - start <= ROUND_TRIP * 2, "{limits:?}");
    }

    #[test]
    fn ceiling_is_never_exceeded() {
        for ceiling in [1, 2, 5, 256] {
            let mut fixture = Fixture { limit: InFlightLimit::new(ceiling), now: Instant::now() };
            fixture.succeed(ROUND_TRIP * 10, true);
            assert_eq!(fixture.current(), ceiling);
            assert_eq!(fixture.limit.next_step(fixture.now), None);
            fixture.fail();
            fixture.limit.restart(fixture.now);
            assert_eq!(fixture.current(), ceiling.min(2));
        }
    }
}
