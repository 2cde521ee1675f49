//! Circuit breaker: whether reports may be sent now, and what a result means for its report. Pure: the caller supplies
//! time and randomness.
//!
//! ```text
//!                success                 needs a correction by the user (401, 402, 3xx, ...)
//!       +----------------- BACKING OFF <--+  +--> SUSPENDED
//!       v                                 |  |      | tries one other report at once,
//!     RUNNING: 2, 4, 8 ... in flight -----+--+      | then a different one each minute
//!       ^      transient (network, 5xx ...)         |
//!       +-------------------------------------------+ success
//! ```
//!
//! While the breaker backs off or is suspended, single reports probe. A report that fails while others are accepted is
//! delayed on its own.

use std::time::{Duration, Instant};

use super::outbox::{Disposition, EventKind};
use super::report_failures::ReportFailures;
use crate::backoff;
use crate::clock::after;
use crate::error::{Error, Kind};
use crate::outcome::Outcome;

/// Intervals of the circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Between two probes while suspended, plus or minus a quarter.
    pub(crate) probe: Duration,
    /// Delays of a report that keeps failing while others are accepted: the first, the second, and every later one.
    pub(crate) retry_delays: [Duration; 3],
}

impl Pace {
    pub(crate) const REAL: Self = Self {
        probe: Duration::from_secs(60),
        retry_delays: [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)],
    };
}

/// Minimum interval between two probes requested by callers.
const MIN_REQUESTED_INTERVAL: Duration = Duration::from_secs(1);

/// Decides how many reports may be sent.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    pace: Pace,
    max_in_flight: usize,
    state: State,
    failures: ReportFailures,
    /// When the probe that a caller requested last is or was due.
    probe_requested_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The number of reports that may be in flight.
    Running(usize),
    /// One report may probe once `until` has passed; `is_requested` if the service asked for that delay. Failures of
    /// requests that started before `since` carry no new information.
    BackingOff { failures: u32, since: Instant, until: Instant, is_requested: bool, probe: Option<u64> },
    /// Like `BackingOff`, for a reason that does not go away by itself. The response to the report `first_id` caused
    /// it; it is in doubt until another report gets such a response too.
    Suspended {
        since: Instant,
        until: Instant,
        is_requested: bool,
        probe: Option<u64>,
        first_id: u64,
        is_in_doubt: bool,
    },
}

/// The state of the breaker, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Running,
    BackingOff,
    Suspended,
}

/// The result of sending one report.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) id: u64,
    /// When its request started.
    pub(crate) started: Instant,
    pub(crate) outcome: &'a Outcome,
}

/// What an outcome means.
enum Verdict {
    Accepted,
    Rejected,
    Transient,
    Suspending,
    Ignored,
}

fn verdict(error: Option<&Error>) -> Verdict {
    match error.map(Error::kind) {
        None => Verdict::Accepted,
        Some(Kind::Rejected) => Verdict::Rejected,
        Some(Kind::Unauthorized | Kind::NotEnabled | Kind::Redirected | Kind::UnexpectedStatus) => Verdict::Suspending,
        Some(Kind::Cancelled) => Verdict::Ignored,
        Some(_) => Verdict::Transient,
    }
}

impl CircuitBreaker {
    /// A running breaker that allows up to `max_in_flight` reports in flight.
    pub(crate) fn new(pace: Pace, max_in_flight: usize) -> Self {
        Self {
            pace,
            max_in_flight,
            state: State::Running(max_in_flight),
            failures: ReportFailures::new(pace.retry_delays),
            probe_requested_at: None,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.state {
            State::Running(_) => Phase::Running,
            State::BackingOff { .. } => Phase::BackingOff,
            State::Suspended { .. } => Phase::Suspended,
        }
    }

    /// How many reports may be in flight now.
    pub(crate) fn capacity(&self, now: Instant) -> usize {
        match self.state {
            State::Running(capacity) => capacity,
            State::BackingOff { until, probe, .. } | State::Suspended { until, probe, .. } => {
                usize::from(probe.is_none() && now >= until)
            }
        }
    }

    /// Whether a report sent now is a probe.
    pub(crate) fn is_probing(&self) -> bool {
        !matches!(self.state, State::Running(_))
    }

    /// Whether report `id` is delayed at `now`.
    pub(crate) fn is_delayed(&self, id: u64, now: Instant) -> bool {
        self.failures.is_delayed(id, now)
    }

    /// Whether report `id` has failed.
    pub(crate) fn has_failed(&self, id: u64) -> bool {
        self.failures.contains(id)
    }

    /// Records that report `id` is in flight.
    pub(crate) fn sent(&mut self, id: u64) {
        if let State::BackingOff { probe, .. } | State::Suspended { probe, .. } = &mut self.state {
            *probe = Some(id);
        }
    }

    /// The next time at which something changes without an event.
    pub(crate) fn next_wakeup(&self, now: Instant) -> Option<Instant> {
        let probe_due = match self.state {
            State::BackingOff { until, probe: None, .. } | State::Suspended { until, probe: None, .. } => Some(until),
            State::Running(_) | State::BackingOff { .. } | State::Suspended { .. } => None,
        };
        probe_due.filter(|until| *until > now).into_iter().chain(self.failures.next_retry(now)).min()
    }

    /// Allows a probe by any report now, or one second after the previously requested probe. Does not shorten a wait
    /// that the service asked for.
    pub(crate) fn probe_now(&mut self, now: Instant) {
        let at = match self.probe_requested_at {
            Some(last) if last > now => last,
            Some(last) => after(last, MIN_REQUESTED_INTERVAL).max(now),
            None => now,
        };
        self.probe_requested_at = Some(at);
        if !self.is_wait_requested() {
            self.shorten_wait(at);
            self.failures.clear_delays(at);
        }
    }

    /// Whether the service asked for the current wait.
    pub(crate) fn is_wait_requested(&self) -> bool {
        matches!(self.state, State::BackingOff { is_requested: true, .. } | State::Suspended { is_requested: true, .. })
    }

    fn shorten_wait(&mut self, at: Instant) {
        if let State::BackingOff { until, .. } | State::Suspended { until, .. } = &mut self.state {
            *until = at.min(*until);
        }
    }

    /// Keeps a probe due that was requested for a time after `started`.
    fn keep_request(&mut self, started: Instant) {
        if let Some(at) = self.probe_requested_at.filter(|at| *at > started && !self.is_wait_requested()) {
            self.shorten_wait(at);
        }
    }

    /// Records that no report was available to probe with while suspended: all that failed are delayed. The next probe
    /// is made on request, or a minute later.
    pub(crate) fn no_report_found(&mut self, now: Instant, random: u64) {
        if let State::Suspended { until, probe: None, .. } = &mut self.state {
            *until = after(now, probe_interval(self.pace.probe, random)).max(*until);
        }
        self.keep_request(now);
    }

    /// Whether it is suspended because of one report's response, and no other report was tried.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.state, State::Suspended { is_in_doubt: true, .. })
    }

    /// Records that another report has arrived, which can resolve the doubt.
    pub(crate) fn report_arrived(&mut self, now: Instant) {
        if let State::Suspended { is_in_doubt: true, is_requested: false, until, .. } = &mut self.state {
            *until = now;
        }
    }

    /// Records a result. Returns the report's disposition, or None if it is to be sent again.
    pub(crate) fn record(&mut self, attempt: &Attempt<'_>, now: Instant, random: u64) -> Option<Disposition> {
        let error = attempt.outcome.result.as_ref().err();
        match verdict(error) {
            Verdict::Accepted => {
                self.succeed(attempt, now);
                return Some(Disposition::Accepted);
            }
            Verdict::Rejected => {
                self.succeed(attempt, now);
                return error.map(|error| rejected(attempt.outcome, error));
            }
            Verdict::Transient => {
                self.failures.record(attempt.id, now, Duration::ZERO);
                self.back_off(attempt, now, random);
                self.keep_request(attempt.started);
            }
            Verdict::Suspending => {
                let delay = probe_interval(self.pace.probe, random);
                let is_at_fault = self.failures.record_suspending(attempt.id, now, delay);
                self.suspend(attempt, now, random);
                self.keep_request(attempt.started);
                if is_at_fault {
                    self.failures.forget(attempt.id);
                    return error.map(|error| rejected(attempt.outcome, error));
                }
            }
            Verdict::Ignored => {}
        }
        self.returned(attempt.id);
        None
    }

    /// The service accepts reports: capacity grows step by step, and reports that failed only during the outage are no
    /// longer delayed. The result of a request that started earlier does not shorten a wait that the service asked for.
    fn succeed(&mut self, attempt: &Attempt<'_>, now: Instant) {
        self.failures.forget(attempt.id);
        self.failures.record_success();
        self.state = match self.state {
            State::Running(capacity) => State::Running(capacity.saturating_mul(2).min(self.max_in_flight)),
            backing_off @ (State::BackingOff { is_requested: true, since, .. }
            | State::Suspended { is_requested: true, since, .. })
                if attempt.started < since =>
            {
                backing_off
            }
            State::BackingOff { .. } | State::Suspended { .. } => {
                self.failures.clear_first_delays(now);
                State::Running(self.max_in_flight.min(2))
            }
        };
    }

    fn back_off(&mut self, attempt: &Attempt<'_>, now: Instant, random: u64) {
        let retry_after = attempt.outcome.retry_after;
        let backing_off = |failures: u32| {
            let until = after(now, backoff::wait(failures, retry_after, random));
            State::BackingOff { failures, since: now, until, is_requested: retry_after.is_some(), probe: None }
        };
        self.state = match self.state {
            State::Running(_) => backing_off(1),
            State::BackingOff { failures, since, .. } if attempt.started >= since => {
                backing_off(failures.saturating_add(1))
            }
            State::Suspended { since, .. } if attempt.started >= since => backing_off(1),
            // The request was in flight when backing off began. Its Retry-After still counts.
            State::BackingOff { failures, since, until, is_requested, probe } => {
                let until = retry_after.map_or(until, |retry_after| until.max(after(now, retry_after)));
                State::BackingOff { failures, since, until, is_requested: is_requested || retry_after.is_some(), probe }
            }
            suspended @ State::Suspended { .. } => suspended,
        };
    }

    fn suspend(&mut self, attempt: &Attempt<'_>, now: Instant, random: u64) {
        let retry_after = attempt.outcome.retry_after;
        let is_requested = retry_after.is_some();
        self.state = match self.state {
            // Tries another report at once, unless the service asked for a wait.
            State::Running(_) | State::BackingOff { .. } => State::Suspended {
                since: now,
                until: after(now, retry_after.unwrap_or_default()),
                is_requested,
                probe: None,
                first_id: attempt.id,
                is_in_doubt: true,
            },
            State::Suspended { since, first_id, is_in_doubt, .. } if attempt.started >= since => State::Suspended {
                since: now,
                until: after(now, probe_interval(self.pace.probe, random).max(retry_after.unwrap_or_default())),
                is_requested,
                probe: None,
                first_id,
                is_in_doubt: is_in_doubt && attempt.id == first_id,
            },
            State::Suspended { since, until, is_requested: was_requested, probe, first_id, is_in_doubt } => {
                State::Suspended {
                    since,
                    until: retry_after.map_or(until, |retry_after| until.max(after(now, retry_after))),
                    is_requested: was_requested || is_requested,
                    probe,
                    first_id,
                    is_in_doubt: is_in_doubt && attempt.id == first_id,
                }
            }
        };
    }

    /// Records that report `id` is no longer in flight.
    pub(crate) fn returned(&mut self, id: u64) {
        if let State::BackingOff { probe, .. } | State::Suspended { probe, .. } = &mut self.state {
            *probe = probe.filter(|probe| *probe != id);
        }
    }
}

fn rejected(outcome: &Outcome, error: &Error) -> Disposition {
    Disposition::Event(EventKind::Rejected, outcome.http_status, error.message().to_owned())
}

/// `pace`, plus or minus a quarter.
fn probe_interval(pace: Duration, random: u64) -> Duration {
    let quarter = pace / 4;
    quarter.saturating_mul(3).saturating_add(backoff::part_of(quarter.saturating_mul(2), random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Acceptance;

    const PACE: Pace = Pace::REAL;
    const MIDPOINT: u64 = 1 << 63;

    fn outcome(kind: Option<Kind>) -> Outcome {
        let result = kind.map_or(Ok(()), |kind| Err(Error::new(kind, "test")));
        let acceptance = if result.is_ok() { Acceptance::Yes } else { Acceptance::Unknown };
        Outcome { result, http_status: None, attempts: 1, acceptance, elapsed: Duration::ZERO, retry_after: None }
    }

    /// A breaker and a clock that advances only on request.
    struct Fixture {
        breaker: CircuitBreaker,
        now: Instant,
    }

    impl Fixture {
        fn new() -> Self {
            Self { breaker: CircuitBreaker::new(PACE, 32), now: Instant::now() }
        }

        /// Sends report `id` and completes it at once.
        fn complete(&mut self, id: u64, kind: Option<Kind>) -> Option<Disposition> {
            self.breaker.sent(id);
            let (started, outcome) = (self.now, outcome(kind));
            self.breaker.record(&Attempt { id, started, outcome: &outcome }, self.now, MIDPOINT)
        }

        fn capacity(&self) -> usize {
            self.breaker.capacity(self.now)
        }

        /// Advances the clock to the breaker's next wakeup and returns the time waited.
        fn wait(&mut self) -> Duration {
            let next = self.breaker.next_wakeup(self.now).unwrap();
            let waited = next - self.now;
            self.now = next;
            waited
        }
    }

    #[test]
    fn outage_increases_backoff_and_allows_one_probe() {
        let mut fixture = Fixture::new();
        assert_eq!((fixture.capacity(), fixture.breaker.next_wakeup(fixture.now)), (32, None));
        let waits: Vec<u128> = (1..=3)
            .map(|id| {
                assert_eq!(fixture.complete(id, Some(Kind::Network)), None);
                assert_eq!((fixture.capacity(), fixture.breaker.phase()), (0, Phase::BackingOff));
                fixture.wait().as_millis()
            })
            .collect();
        assert_eq!(waits, [100, 200, 400]);
        assert_eq!(fixture.capacity(), 1);
        fixture.breaker.sent(9);
        assert_eq!(fixture.capacity(), 0, "one probe at a time");
        fixture.breaker.returned(9);
        assert_eq!(fixture.capacity(), 1, "a probe that was not sent permits another");
    }

    #[test]
    fn failures_of_earlier_requests_do_not_extend_backoff() {
        let mut fixture = Fixture::new();
        let started = fixture.now;
        fixture.now += Duration::from_millis(5);
        for id in 1..=30 {
            let outcome = outcome(Some(Kind::Timeout));
            fixture.breaker.record(&Attempt { id, started, outcome: &outcome }, fixture.now, MIDPOINT);
        }
        assert_eq!(fixture.wait(), Duration::from_millis(100));
    }

    #[test]
    fn retry_after_of_a_late_response_is_honored() {
        let mut fixture = Fixture::new();
        let started = fixture.now;
        fixture.now += Duration::from_millis(5);
        fixture.complete(1, Some(Kind::Unavailable));
        let late = Outcome { retry_after: Some(Duration::from_secs(7)), ..outcome(Some(Kind::RateLimited)) };
        fixture.breaker.record(&Attempt { id: 2, started, outcome: &late }, fixture.now, MIDPOINT);
        assert_eq!(fixture.wait(), Duration::from_secs(7));
    }

    #[test]
    fn capacity_grows_step_by_step_after_an_outage() {
        let mut fixture = Fixture::new();
        fixture.complete(1, Some(Kind::Network));
        fixture.wait();
        let capacities: Vec<usize> = (1..=6)
            .map(|id| {
                assert_eq!(fixture.complete(id, None), Some(Disposition::Accepted));
                fixture.capacity()
            })
            .collect();
        assert_eq!(capacities, [2, 4, 8, 16, 32, 32]);
    }

    #[test]
    fn suspending_response_tries_one_other_report_then_probes_each_minute() {
        for kind in [Kind::Unauthorized, Kind::NotEnabled, Kind::Redirected, Kind::UnexpectedStatus] {
            let mut fixture = Fixture::new();
            assert_eq!(fixture.complete(1, Some(kind)), None);
            assert_eq!((fixture.capacity(), fixture.breaker.phase()), (1, Phase::Suspended));
            assert!(
                fixture.breaker.is_delayed(1, fixture.now) && fixture.breaker.has_failed(1),
                "another report is tried next"
            );
            for id in 2..100 {
                assert_eq!(fixture.complete(id, Some(kind)), None);
                assert_eq!(fixture.capacity(), 0);
                assert_eq!(fixture.wait(), PACE.probe);
            }
            assert_eq!(fixture.complete(100, None), Some(Disposition::Accepted));
            assert_eq!((fixture.capacity(), fixture.breaker.phase()), (2, Phase::Running));
            assert!((1..100).all(|id| !fixture.breaker.is_delayed(id, fixture.now)), "none of them is at fault");
        }
    }

    #[test]
    fn suspended_without_another_report_waits_for_next_probe() {
        let mut fixture = Fixture::new();
        fixture.complete(1, Some(Kind::NotEnabled));
        assert_eq!(fixture.capacity(), 1);
        fixture.breaker.no_report_found(fixture.now, MIDPOINT);
        assert_eq!((fixture.capacity(), fixture.breaker.is_in_doubt()), (0, true));
        fixture.breaker.report_arrived(fixture.now);
        assert_eq!(fixture.capacity(), 1);
        fixture.breaker.no_report_found(fixture.now, MIDPOINT);
        assert_eq!(fixture.wait(), PACE.probe);
        assert_eq!(fixture.capacity(), 1);
        fixture.complete(2, Some(Kind::NotEnabled));
        fixture.breaker.report_arrived(fixture.now);
        assert_eq!((fixture.capacity(), fixture.breaker.is_in_doubt()), (0, false));
    }

    #[test]
    fn requested_probe_is_made_at_once() {
        let mut fixture = Fixture::new();
        fixture.complete(1, Some(Kind::NotEnabled));
        fixture.complete(2, Some(Kind::NotEnabled));
        assert_eq!(fixture.capacity(), 0);
        fixture.breaker.probe_now(fixture.now);
        assert_eq!(fixture.capacity(), 1);
        assert!(!fixture.breaker.is_delayed(1, fixture.now));
    }

    #[test]
    fn requested_probes_are_limited_to_one_per_second() {
        for kind in [Kind::NotEnabled, Kind::Network] {
            let mut fixture = Fixture::new();
            (1..=8).for_each(|id| drop(fixture.complete(id, Some(kind))));
            fixture.breaker.probe_now(fixture.now);
            let mut probes = 0;
            for id in 9.. {
                (0..40).for_each(|_| fixture.breaker.probe_now(fixture.now));
                if fixture.capacity() == 1 {
                    fixture.complete(id, Some(kind));
                    probes += 1;
                }
                if probes == 5 {
                    break;
                }
                let since = fixture.breaker.probe_requested_at.unwrap();
                fixture.now += Duration::from_millis(100);
                assert!(fixture.now < since + Duration::from_secs(2));
            }
            let waited = fixture.breaker.probe_requested_at.unwrap() - fixture.now;
            assert!(waited <= MIN_REQUESTED_INTERVAL, "{waited:?}");
        }
    }

    #[test]
    fn probe_requested_during_another_follows_it() {
        let mut fixture = Fixture::new();
        fixture.complete(1, Some(Kind::NotEnabled));
        fixture.complete(2, Some(Kind::NotEnabled));
        fixture.breaker.probe_now(fixture.now);
        fixture.breaker.sent(3);
        let started = fixture.now;
        fixture.now += Duration::from_millis(1500);
        fixture.breaker.probe_now(fixture.now);
        let outcome = outcome(Some(Kind::NotEnabled));
        fixture.breaker.record(&Attempt { id: 3, started, outcome: &outcome }, fixture.now, MIDPOINT);
        assert_eq!(fixture.capacity(), 1);
    }

    #[test]
    fn later_probe_is_kept_when_no_report_is_found() {
        let mut fixture = Fixture::new();
        fixture.breaker.probe_now(fixture.now);
        fixture.complete(1, Some(Kind::NotEnabled));
        fixture.breaker.probe_now(fixture.now);
        fixture.breaker.no_report_found(fixture.now, MIDPOINT);
        assert_eq!(fixture.capacity(), 0);
        fixture.now += MIN_REQUESTED_INTERVAL;
        assert_eq!(fixture.capacity(), 1);
    }

    #[test]
    fn callers_do_not_shorten_a_requested_wait() {
        for kind in [Kind::RateLimited, Kind::Unavailable, Kind::NotEnabled] {
            let mut fixture = Fixture::new();
            let delayed = Outcome { retry_after: Some(Duration::from_secs(90)), ..outcome(Some(kind)) };
            fixture.breaker.sent(1);
            fixture.breaker.record(&Attempt { id: 1, started: fixture.now, outcome: &delayed }, fixture.now, MIDPOINT);
            fixture.breaker.probe_now(fixture.now);
            fixture.breaker.report_arrived(fixture.now);
            fixture.breaker.no_report_found(fixture.now, MIDPOINT);
            assert_eq!((fixture.capacity(), fixture.breaker.is_wait_requested()), (0, true));
            fixture.now += Duration::from_secs(90);
            assert_eq!(fixture.capacity(), 1);
        }
    }

    #[test]
    fn report_that_alone_gets_suspending_responses_is_rejected() {
        let mut fixture = Fixture::new();
        let mut delays = Vec::new();
        let disposition = loop {
            if let Some(disposition) = fixture.complete(1, Some(Kind::UnexpectedStatus)) {
                break disposition;
            }
            assert_eq!(fixture.complete(2, None), Some(Disposition::Accepted));
            delays.push(if fixture.breaker.is_delayed(1, fixture.now) { fixture.wait().as_secs() } else { 0 });
        };
        assert_eq!(delays, [0, 1, 10]);
        assert_eq!(disposition, Disposition::Event(EventKind::Rejected, None, "test".to_owned()));
        assert!(!fixture.breaker.has_failed(1));
    }

    #[test]
    fn transient_failures_do_not_count_as_suspending() {
        let mut fixture = Fixture::new();
        for _ in 0..6 {
            assert_eq!(fixture.complete(1, Some(Kind::Unavailable)), None);
            fixture.complete(2, None);
        }
        for _ in 0..3 {
            assert_eq!(fixture.complete(1, Some(Kind::Unauthorized)), None);
            fixture.complete(2, None);
        }
        assert!(fixture.complete(1, Some(Kind::Unauthorized)).is_some());
    }

    #[test]
    fn only_report_is_never_rejected_for_suspending_responses() {
        let mut fixture = Fixture::new();
        for _ in 0..1000 {
            assert_eq!(fixture.complete(1, Some(Kind::Unauthorized)), None);
            fixture.now += Duration::from_secs(60);
        }
    }

    #[test]
    fn transient_failures_of_one_report_delay_but_never_reject_it() {
        let mut fixture = Fixture::new();
        let delays: Vec<u64> = (0..6)
            .map(|_| {
                assert_eq!(fixture.complete(1, Some(Kind::Unavailable)), None);
                fixture.complete(2, None);
                if fixture.breaker.is_delayed(1, fixture.now) { fixture.wait().as_secs() } else { 0 }
            })
            .collect();
        assert_eq!(delays, [0, 1, 10, 60, 60, 60]);
    }

    #[test]
    fn rejection_is_final_and_ends_backoff() {
        let mut fixture = Fixture::new();
        fixture.complete(1, Some(Kind::Network));
        let disposition = fixture.complete(2, Some(Kind::Rejected));
        assert!(matches!(disposition, Some(Disposition::Event(EventKind::Rejected, _, _))));
        assert_eq!(fixture.breaker.phase(), Phase::Running);
    }

    #[test]
    fn cancelled_request_is_ignored() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.complete(1, Some(Kind::Cancelled)), None);
        assert_eq!((fixture.breaker.phase(), fixture.breaker.has_failed(1)), (Phase::Running, false));
    }

    #[test]
    fn probe_interval_varies_by_a_quarter() {
        assert_eq!(probe_interval(PACE.probe, 0), Duration::from_secs(45));
        assert!(probe_interval(PACE.probe, u64::MAX) > Duration::from_millis(74_999));
    }
}
