//! Circuit breaker: decides whether reports may be sent now, and what a result means for its report. Deterministic:
//! the caller supplies the time and the random numbers.
//!
//! ```text
//!                success                 needs a correction by the user (401, 402, 3xx, ...)
//!       +----------------- BACKING OFF <--+  +--> SUSPENDED
//!       v                                 |  |      | tries one other report at once,
//!     RUNNING: in_flight_limit.rs --------+--+      | then a different one each minute,
//!       |                                           | or sooner if others were just accepted
//!       ^      transient (network, 5xx ...)         |
//!       +-------------------------------------------+ success
//! ```
//!
//! A transient failure makes the breaker back off if the service asks for a wait, or if no report was accepted or
//! rejected while the request was in flight. Otherwise, it only lowers the limit on the number of reports in flight.
//!
//! If a report was accepted or rejected within the last minute, perhaps only some of the service's servers return
//! suspending responses. The waits between the probes of a suspension then start short and grow to about a minute.
//!
//! While the breaker backs off or is suspended, it allows only one report at a time, as a probe. A report that fails
//! while others are accepted is delayed separately.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::in_flight_limit::InFlightLimit;
use super::outbox::{Disposition, EventKind};
use super::pace::Pace;
use super::report_failures::ReportFailures;
use crate::backoff::{Backoff, part_of};
use crate::clock::after;
use crate::error::{Error, Kind};
use crate::outcome::Outcome;

/// The shortest wait between two probes of a suspension that follows a recent success. Later waits are half of the
/// time since the suspension began, up to the usual interval.
const SHORT_SUSPENSION: Duration = Duration::from_millis(50);

/// How long a suspension that follows a recent success must have lasted before another suspending response confirms
/// it.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// Another process may send instead if the current wait ends at least this long after the service became unreachable
/// or, while suspended, after the wait began.
const MAX_HOLD: Duration = Duration::from_secs(3);

/// Decides how many reports may be in flight.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    pace: Pace,
    limit: InFlightLimit,
    state: State,
    failures: ReportFailures,
    /// The time at which the last requested probe is due.
    probe_requested_at: Option<Instant>,
    /// See [`CircuitBreaker::confirmed_at`].
    confirmed_at: Option<Instant>,
    /// The time at which the service last accepted or rejected a report.
    last_success: Option<Instant>,
    /// The start of the first request in the current series of requests without a usable response.
    unreachable_since: Option<Instant>,
    /// Whether to probe with the next report that arrives, because the suspension is in doubt and there was no other
    /// report to probe with.
    waits_for_report: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// The breaker waits after transient failures or requests without a usable response.
    BackingOff(Wait, Backoff),
    /// The breaker waits because of a problem that a user must correct.
    Suspended(Wait, Cause),
}

/// A period in which no report is sent, and the probe that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    /// The start of the wait. The failure of a request that started earlier can prolong the wait only if the response
    /// has a `Retry-After`.
    since: Instant,
    until: Instant,
    /// Whether the service asked for the wait.
    is_requested: bool,
    /// The report that is in flight as a probe, if any.
    probe: Option<u64>,
}

/// The cause of a suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cause {
    /// The report whose response caused the suspension.
    first_id: u64,
    /// Whether no other report has received a suspending response since.
    is_in_doubt: bool,
    /// The time at which the suspension began.
    since: Instant,
    /// Whether a later response, or the lack of a report to probe with, confirmed the suspension.
    is_confirmed: bool,
    /// The back-off that the suspension interrupted. If a probe gets a transient failure, this back-off continues, so
    /// that alternating failures of both kinds do not cause many requests.
    backoff: Backoff,
}

impl Wait {
    fn new(now: Instant, duration: Duration, is_requested: bool) -> Self {
        Self { since: now, until: after(now, duration), is_requested, probe: None }
    }

    /// Returns the wait, prolonged to end no earlier than `retry_after` from now, for a response to a request that
    /// started before the wait.
    fn prolonged(self, now: Instant, retry_after: Option<Duration>) -> Self {
        let until = retry_after.map_or(self.until, |retry_after| self.until.max(after(now, retry_after)));
        Self { until, is_requested: self.is_requested || retry_after.is_some(), ..self }
    }
}

impl State {
    fn wait(&self) -> Option<&Wait> {
        match self {
            Self::Running => None,
            Self::BackingOff(wait, _) | Self::Suspended(wait, _) => Some(wait),
        }
    }

    fn wait_mut(&mut self) -> Option<&mut Wait> {
        match self {
            Self::Running => None,
            Self::BackingOff(wait, _) | Self::Suspended(wait, _) => Some(wait),
        }
    }
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
    /// The time at which the request started.
    pub(crate) started: Instant,
    /// The number of reports in flight when the request ended, including this one.
    pub(crate) in_flight: usize,
    pub(crate) outcome: &'a Outcome,
}

/// The meaning of an outcome.
enum Verdict {
    Accepted,
    Rejected,
    /// A response after which a retry can succeed.
    Transient,
    /// No usable response.
    Unreachable,
    Suspending,
    Ignored,
}

fn verdict(error: Option<&Error>) -> Verdict {
    match error.map(Error::kind) {
        None => Verdict::Accepted,
        Some(Kind::Cancelled) => Verdict::Ignored,
        Some(kind) if kind.is_final() => Verdict::Rejected,
        Some(kind) if kind.is_suspending() => Verdict::Suspending,
        Some(Kind::RateLimited | Kind::Unavailable) => Verdict::Transient,
        Some(_) => Verdict::Unreachable,
    }
}

impl CircuitBreaker {
    /// Creates a running breaker that allows up to `max_in_flight` reports in flight.
    pub(crate) fn new(pace: Pace, max_in_flight: usize) -> Self {
        Self {
            pace,
            limit: InFlightLimit::new(max_in_flight),
            state: State::Running,
            failures: ReportFailures::new(pace.retry_delays),
            probe_requested_at: None,
            confirmed_at: None,
            last_success: None,
            unreachable_since: None,
            waits_for_report: false,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.state {
            State::Running => Phase::Running,
            State::BackingOff(..) => Phase::BackingOff,
            State::Suspended(..) => Phase::Suspended,
        }
    }

    /// Returns how many reports may be in flight now.
    pub(crate) fn capacity(&self, now: Instant) -> usize {
        match self.state {
            State::Running => self.limit.current(now),
            State::BackingOff(wait, _) | State::Suspended(wait, _) => {
                usize::from(wait.probe.is_none() && now >= wait.until)
            }
        }
    }

    /// Returns whether a report sent now is a probe.
    pub(crate) fn is_probing(&self) -> bool {
        self.state.wait().is_some()
    }

    /// Returns whether report `id` is delayed at `now`.
    pub(crate) fn is_delayed(&self, id: u64, now: Instant) -> bool {
        self.failures.is_delayed(id, now)
    }

    /// Returns whether report `id` has failed.
    pub(crate) fn has_failed(&self, id: u64) -> bool {
        self.failures.contains(id)
    }

    /// Records that report `id` is in flight.
    pub(crate) fn sent(&mut self, id: u64) {
        if let Some(wait) = self.state.wait_mut() {
            wait.probe = Some(id);
        }
    }

    /// Returns the next time at which the breaker's decisions change without a new result.
    pub(crate) fn next_wakeup(&self, now: Instant) -> Option<Instant> {
        let due = match &self.state {
            State::Running => self.limit.next_step(now),
            State::BackingOff(wait, _) | State::Suspended(wait, _) => {
                Some(wait.until).filter(|until| wait.probe.is_none() && *until > now)
            }
        };
        due.into_iter().chain(self.failures.next_retry(now)).min()
    }

    /// Returns the time from which [`CircuitBreaker::check_overdue`] reduces the limit, or None if it does not.
    /// `started` is the time by which half of the requests in flight had started.
    pub(crate) fn overdue_at(&self, started: Instant, now: Instant) -> Option<Instant> {
        self.limit.overdue_at(started, now).filter(|_| self.state == State::Running)
    }

    /// Reduces the limit if half of the requests in flight are overdue.
    pub(crate) fn check_overdue(&mut self, started: Instant, now: Instant) {
        if self.overdue_at(started, now).is_some_and(|at| at <= now) {
            self.limit.restart(now);
        }
    }

    /// Allows a probe with any report, even a delayed one, now or at the minimum interval after the last requested
    /// probe if that is later. Does not shorten a wait that the service asked for.
    pub(crate) fn probe_now(&mut self, now: Instant) {
        let at = match self.probe_requested_at {
            Some(last) if last > now => last,
            Some(last) => after(last, self.pace.requested_probe).max(now),
            None => now,
        };
        self.probe_requested_at = Some(at);
        if !self.is_wait_requested() {
            self.shorten_wait(at);
            self.failures.shorten_delays(at);
        }
    }

    /// Returns whether the service asked for the current wait.
    pub(crate) fn is_wait_requested(&self) -> bool {
        self.state.wait().is_some_and(|wait| wait.is_requested)
    }

    /// Returns whether another process may send during the current wait, because by the end of that wait, this
    /// process will have been unable to reach the service, or will have waited while suspended, for at least
    /// [`MAX_HOLD`].
    pub(crate) fn may_hand_over(&self, now: Instant) -> bool {
        let since = match &self.state {
            State::Running => None,
            State::BackingOff(wait, _) => self.unreachable_since.filter(|_| !wait.is_requested),
            State::Suspended(wait, _) => Some(wait.since),
        };
        let wait = self.state.wait().filter(|wait| wait.probe.is_none() && now < wait.until);
        wait.zip(since).is_some_and(|(wait, since)| wait.until.saturating_duration_since(since) >= MAX_HOLD)
    }

    fn shorten_wait(&mut self, at: Instant) {
        if let Some(wait) = self.state.wait_mut() {
            wait.until = at.min(wait.until);
        }
    }

    /// Keeps the requested probe if it is due after `started`, so that a new wait does not delay it.
    fn keep_request(&mut self, started: Instant) {
        if let Some(at) = self.probe_requested_at.filter(|at| *at > started && !self.is_wait_requested()) {
            self.shorten_wait(at);
        }
    }

    /// Records that no report could be claimed. The next probe of a suspension is then made on request, after the
    /// interval between probes or, if the suspension is in doubt, when another report arrives.
    pub(crate) fn no_report_found(&mut self, now: Instant, random: u64) {
        self.waits_for_report = matches!(self.state, State::Suspended(_, Cause { is_in_doubt: true, .. }));
        if let State::Suspended(_, Cause { since, .. }) = self.state {
            let duration = self.suspension(since, now, random);
            let is_confirmed = self.is_confirming(since, now);
            if let State::Suspended(wait, cause) = &mut self.state {
                if wait.probe.is_none() {
                    wait.until = after(now, duration).max(wait.until);
                }
                if is_confirmed && !std::mem::replace(&mut cause.is_confirmed, true) {
                    self.confirmed_at = self.confirmed_at.max(Some(now));
                }
            }
        }
        self.keep_request(now);
    }

    /// Returns whether to call [`CircuitBreaker::report_arrived`] for the next report.
    pub(crate) fn waits_for_report(&self) -> bool {
        self.waits_for_report
    }

    /// Records that another report has arrived, whose result can confirm or end the suspension.
    pub(crate) fn report_arrived(&mut self, now: Instant) {
        self.waits_for_report = false;
        if let State::Suspended(wait, Cause { is_in_doubt: true, .. }) = &mut self.state
            && !wait.is_requested
        {
            wait.until = now;
        }
    }

    /// Returns the last confirmation of a suspension: the start of a request that got another suspending response, or
    /// the time at which there was no report to probe with.
    pub(crate) fn confirmed_at(&self) -> Option<Instant> {
        self.confirmed_at
    }

    /// Records a result. Returns the report's disposition, or None if the report must be sent again.
    pub(crate) fn record(&mut self, attempt: &Attempt<'_>, now: Instant, random: u64) -> Option<Disposition> {
        let error = attempt.outcome.result.as_ref().err();
        let verdict = verdict(error);
        match verdict {
            Verdict::Unreachable => self.unreachable_since = self.unreachable_since.or(Some(attempt.started)),
            Verdict::Ignored => {}
            _ => self.unreachable_since = None,
        }
        match verdict {
            Verdict::Accepted => {
                self.succeed(attempt, now);
                return Some(Disposition::Accepted);
            }
            Verdict::Rejected => {
                self.succeed(attempt, now);
                return error.map(|error| rejected(attempt.outcome, error));
            }
            Verdict::Transient | Verdict::Unreachable => {
                self.failures.record(attempt.id, now, Duration::ZERO);
                self.back_off(attempt, now, random);
                self.keep_request(attempt.started);
            }
            Verdict::Suspending => {
                let since = match self.state {
                    State::Suspended(_, cause) => cause.since,
                    State::Running | State::BackingOff(..) => now,
                };
                let delay = self.suspension(since, now, random);
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

    /// Records that the service accepted or rejected a report. While running, lets the limit grow. Otherwise, ends
    /// the wait, and the delays of reports that failed only during the outage, unless the service asked for the wait
    /// after the request had started.
    fn succeed(&mut self, attempt: &Attempt<'_>, now: Instant) {
        self.last_success = Some(now);
        self.failures.record_success(attempt.id, now);
        // Three quarters of the limit suffice, because the worker may not yet have replaced reports whose requests
        // have ended.
        let is_used = self.state == State::Running && attempt.in_flight > self.limit.current(now).saturating_mul(3) / 4;
        self.limit.succeeded(attempt.started, attempt.outcome.elapsed, is_used, now);
        self.state = match self.state {
            State::Running => State::Running,
            waiting @ (State::BackingOff(wait, _) | State::Suspended(wait, _))
                if wait.is_requested && attempt.started < wait.since =>
            {
                waiting
            }
            State::BackingOff(..) | State::Suspended(..) => {
                self.failures.clear_first_delays(now);
                self.limit.resume(now);
                State::Running
            }
        };
    }

    fn back_off(&mut self, attempt: &Attempt<'_>, now: Instant, random: u64) {
        let retry_after = attempt.outcome.retry_after;
        let are_others_accepted = self.last_success.is_some_and(|at| at > attempt.started);
        match are_others_accepted {
            true => self.limit.failed(attempt.started, now),
            false => self.limit.restart(now),
        }
        let backing_off = |mut backoff: Backoff| {
            let delay = backoff.delay(retry_after, random);
            State::BackingOff(Wait::new(now, delay, retry_after.is_some()), backoff)
        };
        self.state = match self.state {
            State::Running if are_others_accepted && retry_after.is_none() => State::Running,
            State::Running => backing_off(Backoff::default()),
            State::BackingOff(wait, backoff) if attempt.started >= wait.since => backing_off(backoff),
            State::Suspended(wait, cause) if attempt.started >= wait.since => backing_off(cause.backoff),
            // The request started before the wait. Its `Retry-After` still counts.
            State::BackingOff(wait, backoff) => State::BackingOff(wait.prolonged(now, retry_after), backoff),
            State::Suspended(wait, cause) => State::Suspended(wait.prolonged(now, retry_after), cause),
        };
    }

    fn suspend(&mut self, attempt: &Attempt<'_>, now: Instant, random: u64) {
        let retry_after = attempt.outcome.retry_after;
        self.state = match self.state {
            // Tries another report at once, unless the service asked for a wait.
            State::Running | State::BackingOff(..) => {
                self.limit.restart(now);
                let backoff = if let State::BackingOff(_, backoff) = self.state { backoff } else { Backoff::default() };
                State::Suspended(
                    Wait::new(now, retry_after.unwrap_or_default(), retry_after.is_some()),
                    Cause { first_id: attempt.id, is_in_doubt: true, since: now, is_confirmed: false, backoff },
                )
            }
            State::Suspended(wait, cause) => {
                let is_confirmed = cause.is_confirmed || self.is_confirming(cause.since, now);
                if is_confirmed {
                    self.confirmed_at = self.confirmed_at.max(Some(attempt.started));
                }
                let interval = self.suspension(cause.since, now, random).max(retry_after.unwrap_or_default());
                let is_in_doubt = cause.is_in_doubt && attempt.id == cause.first_id;
                State::Suspended(
                    match attempt.started >= wait.since {
                        true => Wait::new(now, interval, retry_after.is_some()),
                        false => wait.prolonged(now, retry_after),
                    },
                    Cause { is_in_doubt, is_confirmed, ..cause },
                )
            }
        };
    }

    /// Returns the time to wait until the next probe of a suspension that began at `since`.
    fn suspension(&self, since: Instant, now: Instant, random: u64) -> Duration {
        let interval = probe_interval(self.pace.probe, random);
        match self.has_recent_success(now) {
            true => (now.saturating_duration_since(since) / 2).max(SHORT_SUSPENSION).min(interval),
            false => interval,
        }
    }

    /// Returns whether another suspending response at `now` confirms a suspension that began at `since`.
    fn is_confirming(&self, since: Instant, now: Instant) -> bool {
        !self.has_recent_success(now) || now.saturating_duration_since(since) >= CONFIRM_AFTER
    }

    fn has_recent_success(&self, now: Instant) -> bool {
        self.last_success.is_some_and(|at| now.saturating_duration_since(at) < self.pace.probe)
    }

    /// Records that report `id` is no longer in flight.
    pub(crate) fn returned(&mut self, id: u64) {
        if let Some(wait) = self.state.wait_mut() {
            wait.probe = wait.probe.filter(|probe| *probe != id);
        }
    }
}

fn rejected(outcome: &Outcome, error: &Error) -> Disposition {
    Disposition::Event(EventKind::Rejected, outcome.http_status, error.message().to_owned())
}

/// Returns `pace`, randomly lengthened or shortened by up to a quarter.
fn probe_interval(pace: Duration, random: u64) -> Duration {
    let quarter = pace / 4;
    quarter.saturating_mul(3).saturating_add(part_of(quarter.saturating_mul(2), random))
}
