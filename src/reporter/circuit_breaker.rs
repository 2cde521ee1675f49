//! Whether reports may go out now, and what an answer means for them. Pure: time and randomness come from the caller.
//!
//! ```text
//!              success                      no use until somebody corrects something (401, 402, 3xx, ...)
//!       +------------------ SHUT <---+   +----> SUSPENDED
//!       v                            |   |        | one report at once to see whether it was that report alone,
//!     OPEN: 2, 4, 8 ... at a time ---+---+        | then one a minute, another each time
//!       ^      it may go later (network, 5xx ...) |
//!       +-----------------------------------------+ success
//! ```
//!
//! While it is shut or suspended, one report probes. A report that alone fails while others are accepted has troubles of its
//! own.

use std::time::{Duration, Instant};

use super::outbox::{EventKind, Fate};
use super::report_failures::ReportFailures;
use crate::backoff;
use crate::clock::after;
use crate::error::{Error, Kind};
use crate::outcome::Outcome;

/// How fast the gate does what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Between two probes while suspended, give or take a quarter.
    pub(crate) probe: Duration,
    /// How long a report rests that alone keeps failing, first, second, and each later time.
    pub(crate) rests: [Duration; 3],
}

impl Pace {
    pub(crate) const REAL: Self = Self {
        probe: Duration::from_secs(60),
        rests: [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)],
    };
}

/// The shortest time between two probes that callers request.
const BETWEEN_REQUESTED: Duration = Duration::from_secs(1);

/// What the gate lets through.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    pace: Pace,
    most: usize,
    state: State,
    failures: ReportFailures,
    /// When the latest probe that a caller requested is due, or was.
    requested: Option<Instant>,
}

/// The gate's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many reports may be in flight.
    Open(usize),
    /// One may probe after a time, which the service may have asked for; a failure that was begun before the gate was shut
    /// tells nothing new.
    Shut { failures: u32, since: Instant, until: Instant, is_asked: bool, probe: Option<u64> },
    /// As shut, for a reason that will not go away by itself. It began with one report, and is in doubt until another was
    /// answered so too.
    Suspended { since: Instant, until: Instant, is_asked: bool, probe: Option<u64>, began_with: u64, is_in_doubt: bool },
}

/// What the gate is doing, as its owner is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Open,
    BackingOff,
    Suspended,
}

/// One report's answer.
#[derive(Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) id: u64,
    /// When its request was begun.
    pub(crate) began: Instant,
    pub(crate) outcome: &'a Outcome,
}

/// What kind of news an answer is.
enum News {
    Accepted,
    Rejected,
    Later,
    Useless,
    Nothing,
}

fn news(error: Option<&Error>) -> News {
    match error.map(Error::kind) {
        None => News::Accepted,
        Some(Kind::Rejected) => News::Rejected,
        Some(Kind::Unauthorized | Kind::NotEnabled | Kind::Redirected | Kind::UnexpectedStatus) => News::Useless,
        Some(Kind::Cancelled) => News::Nothing,
        Some(_) => News::Later,
    }
}

impl CircuitBreaker {
    /// An open gate for at most `most` reports at a time.
    pub(crate) fn new(pace: Pace, most: usize) -> Self {
        Self { pace, most, state: State::Open(most), failures: ReportFailures::new(pace.rests), requested: None }
    }

    /// What it is doing.
    pub(crate) fn phase(&self) -> Phase {
        match self.state {
            State::Open(_) => Phase::Open,
            State::Shut { .. } => Phase::BackingOff,
            State::Suspended { .. } => Phase::Suspended,
        }
    }

    /// How many reports may be in flight now.
    pub(crate) fn width(&self, now: Instant) -> usize {
        match self.state {
            State::Open(width) => width,
            State::Shut { until, probe, .. } | State::Suspended { until, probe, .. } => {
                usize::from(probe.is_none() && now >= until)
            }
        }
    }

    /// Whether what is let through now is a probe.
    pub(crate) fn is_probing(&self) -> bool {
        !matches!(self.state, State::Open(_))
    }

    /// Whether report `id` rests for now.
    pub(crate) fn rests(&self, id: u64, now: Instant) -> bool {
        self.failures.rests(id, now)
    }

    /// Whether report `id` failed before.
    pub(crate) fn has_failed(&self, id: u64) -> bool {
        self.failures.has(id)
    }

    /// Notes that report `id` goes out.
    pub(crate) fn goes_out(&mut self, id: u64) {
        if let State::Shut { probe, .. } | State::Suspended { probe, .. } = &mut self.state {
            *probe = Some(id);
        }
    }

    /// When to look again, if nothing happens before.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        let opening = match self.state {
            State::Shut { until, probe: None, .. } | State::Suspended { until, probe: None, .. } => Some(until),
            State::Open(_) | State::Shut { .. } | State::Suspended { .. } => None,
        };
        opening.filter(|until| *until > now).into_iter().chain(self.failures.next(now)).min()
    }

    /// Lets a probe through at once, by any report, or in a moment if another was requested less than a second ago. A wait that
    /// the service asked for is not cut short.
    pub(crate) fn probe_now(&mut self, now: Instant) {
        let at = match self.requested {
            Some(last) if last > now => last,
            Some(last) => after(last, BETWEEN_REQUESTED).max(now),
            None => now,
        };
        self.requested = Some(at);
        if !self.is_wait_asked() {
            self.end_wait(at);
            self.failures.end_rests(at);
        }
    }

    /// Whether the service asked for the wait.
    pub(crate) fn is_wait_asked(&self) -> bool {
        matches!(self.state, State::Shut { is_asked: true, .. } | State::Suspended { is_asked: true, .. })
    }

    fn end_wait(&mut self, at: Instant) {
        if let State::Shut { until, .. } | State::Suspended { until, .. } = &mut self.state {
            *until = at.min(*until);
        }
    }

    /// A probe that is requested for a time after `began` is still due.
    fn keep_request(&mut self, began: Instant) {
        if let Some(at) = self.requested.filter(|at| *at > began && !self.is_wait_asked()) {
            self.end_wait(at);
        }
    }

    /// While suspended, there is no report left to probe with: those that failed so rest. The next probe is made when one is
    /// requested, or a minute later.
    pub(crate) fn found_none(&mut self, now: Instant, random: u64) {
        if let State::Suspended { until, probe: None, .. } = &mut self.state {
            *until = after(now, between_probes(self.pace.probe, random)).max(*until);
        }
        self.keep_request(now);
    }

    /// Whether it is suspended for the response to one report, and no other was tried.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.state, State::Suspended { is_in_doubt: true, .. })
    }

    /// Another report has come, which can settle the doubt.
    pub(crate) fn another_came(&mut self, now: Instant) {
        if let State::Suspended { is_in_doubt: true, is_asked: false, until, .. } = &mut self.state {
            *until = now;
        }
    }

    /// What an answer means for its report: a fate, or none, and it goes out again.
    pub(crate) fn answered(&mut self, answered: &Answered<'_>, now: Instant, random: u64) -> Option<Fate> {
        let error = answered.outcome.result.as_ref().err();
        match news(error) {
            News::Accepted => {
                self.open(answered, now);
                return Some(Fate::Accepted);
            }
            News::Rejected => {
                self.open(answered, now);
                return error.map(|error| rejected(answered.outcome, error));
            }
            News::Later => {
                self.failures.note(answered.id, now, Duration::ZERO);
                self.shut(answered, now, random);
                self.keep_request(answered.began);
            }
            News::Useless => {
                let rest = between_probes(self.pace.probe, random);
                let is_at_fault = self.failures.note_useless(answered.id, now, rest);
                self.suspend(answered, now, random);
                self.keep_request(answered.began);
                if is_at_fault {
                    self.failures.forget(answered.id);
                    return error.map(|error| rejected(answered.outcome, error));
                }
            }
            News::Nothing => {}
        }
        self.came_back(answered.id);
        None
    }

    /// The service takes reports: the gate opens by degrees, and what failed only while it was shut need not rest. Time that
    /// the service has asked for is not cut short by what was in flight before.
    fn open(&mut self, answered: &Answered<'_>, now: Instant) {
        self.failures.forget(answered.id);
        self.failures.another_was_taken();
        self.state = match self.state {
            State::Open(width) => State::Open(width.saturating_mul(2).min(self.most)),
            shut @ (State::Shut { is_asked: true, since, .. } | State::Suspended { is_asked: true, since, .. })
                if answered.began < since =>
            {
                shut
            }
            State::Shut { .. } | State::Suspended { .. } => {
                self.failures.end_first_rests(now);
                State::Open(self.most.min(2))
            }
        };
    }

    fn shut(&mut self, answered: &Answered<'_>, now: Instant, random: u64) {
        let asked = answered.outcome.retry_after;
        let shut = |failures: u32| {
            let until = after(now, backoff::wait(failures, asked, random));
            State::Shut { failures, since: now, until, is_asked: asked.is_some(), probe: None }
        };
        self.state = match self.state {
            State::Open(_) => shut(1),
            State::Shut { failures, since, .. } if answered.began >= since => shut(failures.saturating_add(1)),
            State::Suspended { since, .. } if answered.began >= since => shut(1),
            // One of those that were in flight when the gate was shut. What it asks for is heeded all the same.
            State::Shut { failures, since, until, is_asked, probe } => {
                let until = asked.map_or(until, |asked| until.max(after(now, asked)));
                State::Shut { failures, since, until, is_asked: is_asked || asked.is_some(), probe }
            }
            suspended @ State::Suspended { .. } => suspended,
        };
    }

    fn suspend(&mut self, answered: &Answered<'_>, now: Instant, random: u64) {
        let asked = answered.outcome.retry_after;
        let is_asked = asked.is_some();
        self.state = match self.state {
            // Another report is tried at once, unless the service asked for a wait.
            State::Open(_) | State::Shut { .. } => State::Suspended {
                since: now,
                until: after(now, asked.unwrap_or_default()),
                is_asked,
                probe: None,
                began_with: answered.id,
                is_in_doubt: true,
            },
            State::Suspended { since, began_with, is_in_doubt, .. } if answered.began >= since => State::Suspended {
                since: now,
                until: after(now, between_probes(self.pace.probe, random).max(asked.unwrap_or_default())),
                is_asked,
                probe: None,
                began_with,
                is_in_doubt: is_in_doubt && answered.id == began_with,
            },
            State::Suspended { since, until, is_asked: was_asked, probe, began_with, is_in_doubt } => {
                State::Suspended {
                    since,
                    until: asked.map_or(until, |asked| until.max(after(now, asked))),
                    is_asked: was_asked || is_asked,
                    probe,
                    began_with,
                    is_in_doubt: is_in_doubt && answered.id == began_with,
                }
            }
        };
    }

    /// Report `id` is no longer in flight.
    pub(crate) fn came_back(&mut self, id: u64) {
        if let State::Shut { probe, .. } | State::Suspended { probe, .. } = &mut self.state {
            *probe = probe.filter(|probe| *probe != id);
        }
    }
}

fn rejected(outcome: &Outcome, error: &Error) -> Fate {
    Fate::Event(EventKind::Rejected, outcome.http_status, error.message().to_owned())
}

/// Three quarters of `pace` and up to half of it more.
fn between_probes(pace: Duration, random: u64) -> Duration {
    let quarter = pace / 4;
    quarter.saturating_mul(3).saturating_add(backoff::part_of(quarter.saturating_mul(2), random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Acceptance;

    const PACE: Pace = Pace::REAL;
    const HALF: u64 = 1 << 63;

    fn outcome(kind: Option<Kind>) -> Outcome {
        let result = kind.map_or(Ok(()), |kind| Err(Error::new(kind, "told")));
        let acceptance = if result.is_ok() { Acceptance::Yes } else { Acceptance::Unknown };
        Outcome { result, http_status: None, attempts: 1, acceptance, elapsed: Duration::ZERO, retry_after: None }
    }

    /// A gate and a time that passes only when it is told to.
    struct Scene {
        breaker: CircuitBreaker,
        now: Instant,
    }

    impl Scene {
        fn new() -> Self {
            Self { breaker: CircuitBreaker::new(PACE, 32), now: Instant::now() }
        }

        /// Report `id` goes out and is answered at once.
        fn answer(&mut self, id: u64, kind: Option<Kind>) -> Option<Fate> {
            self.breaker.goes_out(id);
            let (began, outcome) = (self.now, outcome(kind));
            self.breaker.answered(&Answered { id, began, outcome: &outcome }, self.now, HALF)
        }

        fn width(&self) -> usize {
            self.breaker.width(self.now)
        }

        /// Lets time pass until the gate wants to be looked at again, and tells how much that was.
        fn wait(&mut self) -> Duration {
            let next = self.breaker.next(self.now).unwrap();
            let waited = next - self.now;
            self.now = next;
            waited
        }
    }

    #[test]
    fn an_outage_shuts_the_gate_for_longer_each_time_and_one_report_probes() {
        let mut scene = Scene::new();
        assert_eq!((scene.width(), scene.breaker.next(scene.now)), (32, None));
        let waits: Vec<u128> = (1..=3)
            .map(|id| {
                assert_eq!(scene.answer(id, Some(Kind::Network)), None);
                assert_eq!((scene.width(), scene.breaker.phase()), (0, Phase::BackingOff));
                scene.wait().as_millis()
            })
            .collect();
        assert_eq!(waits, [100, 200, 400]);
        assert_eq!(scene.width(), 1);
        scene.breaker.goes_out(9);
        assert_eq!(scene.width(), 0, "one probe at a time");
        scene.breaker.came_back(9);
        assert_eq!(scene.width(), 1, "a probe that was not sent makes room for another");
    }

    #[test]
    fn what_was_under_way_when_the_gate_shut_does_not_shut_it_for_longer() {
        let mut scene = Scene::new();
        let began = scene.now;
        scene.now += Duration::from_millis(5);
        for id in 1..=30 {
            let outcome = outcome(Some(Kind::Timeout));
            scene.breaker.answered(&Answered { id, began, outcome: &outcome }, scene.now, HALF);
        }
        assert_eq!(scene.wait(), Duration::from_millis(100));
    }

    #[test]
    fn what_the_service_asks_for_is_heeded_even_from_a_late_answer() {
        let mut scene = Scene::new();
        let began = scene.now;
        scene.now += Duration::from_millis(5);
        scene.answer(1, Some(Kind::Unavailable));
        let late = Outcome { retry_after: Some(Duration::from_secs(7)), ..outcome(Some(Kind::RateLimited)) };
        scene.breaker.answered(&Answered { id: 2, began, outcome: &late }, scene.now, HALF);
        assert_eq!(scene.wait(), Duration::from_secs(7));
    }

    #[test]
    fn after_an_outage_the_gate_opens_by_degrees() {
        let mut scene = Scene::new();
        scene.answer(1, Some(Kind::Network));
        scene.wait();
        let widths: Vec<usize> = (1..=6)
            .map(|id| {
                assert_eq!(scene.answer(id, None), Some(Fate::Accepted));
                scene.width()
            })
            .collect();
        assert_eq!(widths, [2, 4, 8, 16, 32, 32]);
    }

    #[test]
    fn a_useless_answer_suspends_after_a_look_at_another_report_and_one_a_minute_probes() {
        for kind in [Kind::Unauthorized, Kind::NotEnabled, Kind::Redirected, Kind::UnexpectedStatus] {
            let mut scene = Scene::new();
            assert_eq!(scene.answer(1, Some(kind)), None);
            assert_eq!((scene.width(), scene.breaker.phase()), (1, Phase::Suspended));
            assert!(scene.breaker.rests(1, scene.now) && scene.breaker.has_failed(1), "another report is to be tried");
            for id in 2..100 {
                assert_eq!(scene.answer(id, Some(kind)), None);
                assert_eq!(scene.width(), 0);
                assert_eq!(scene.wait(), PACE.probe);
            }
            assert_eq!(scene.answer(100, None), Some(Fate::Accepted));
            assert_eq!((scene.width(), scene.breaker.phase()), (2, Phase::Open));
            assert!((1..100).all(|id| !scene.breaker.rests(id, scene.now)), "none of them was at fault");
        }
    }

    #[test]
    fn a_suspended_gate_without_another_report_waits_for_the_next_probe() {
        let mut scene = Scene::new();
        scene.answer(1, Some(Kind::NotEnabled));
        assert_eq!(scene.width(), 1);
        scene.breaker.found_none(scene.now, HALF);
        assert_eq!((scene.width(), scene.breaker.is_in_doubt()), (0, true));
        scene.breaker.another_came(scene.now);
        assert_eq!(scene.width(), 1);
        scene.breaker.found_none(scene.now, HALF);
        assert_eq!(scene.wait(), PACE.probe);
        assert_eq!(scene.width(), 1);
        scene.answer(2, Some(Kind::NotEnabled));
        scene.breaker.another_came(scene.now);
        assert_eq!((scene.width(), scene.breaker.is_in_doubt()), (0, false));
    }

    #[test]
    fn a_flush_has_one_more_try_at_once() {
        let mut scene = Scene::new();
        scene.answer(1, Some(Kind::NotEnabled));
        scene.answer(2, Some(Kind::NotEnabled));
        assert_eq!(scene.width(), 0);
        scene.breaker.probe_now(scene.now);
        assert_eq!(scene.width(), 1);
        assert!(!scene.breaker.rests(1, scene.now));
    }

    #[test]
    fn callers_get_one_probe_a_second_however_often_they_ask() {
        for kind in [Kind::NotEnabled, Kind::Network] {
            let mut scene = Scene::new();
            (1..=8).for_each(|id| drop(scene.answer(id, Some(kind))));
            scene.breaker.probe_now(scene.now);
            let mut probes = 0;
            for id in 9.. {
                (0..40).for_each(|_| scene.breaker.probe_now(scene.now));
                if scene.width() == 1 {
                    scene.answer(id, Some(kind));
                    probes += 1;
                }
                if probes == 5 {
                    break;
                }
                let since = scene.breaker.requested.unwrap();
                scene.now += Duration::from_millis(100);
                assert!(scene.now < since + Duration::from_secs(2));
            }
            let waited = scene.breaker.requested.unwrap() - scene.now;
            assert!(waited <= BETWEEN_REQUESTED, "{waited:?}");
        }
    }

    #[test]
    fn a_probe_that_is_asked_for_while_another_is_in_flight_follows_it() {
        let mut scene = Scene::new();
        scene.answer(1, Some(Kind::NotEnabled));
        scene.answer(2, Some(Kind::NotEnabled));
        scene.breaker.probe_now(scene.now);
        scene.breaker.goes_out(3);
        let began = scene.now;
        scene.now += Duration::from_millis(1500);
        scene.breaker.probe_now(scene.now);
        let outcome = outcome(Some(Kind::NotEnabled));
        scene.breaker.answered(&Answered { id: 3, began, outcome: &outcome }, scene.now, HALF);
        assert_eq!(scene.width(), 1);
    }

    #[test]
    fn a_probe_that_is_due_later_is_made_though_no_report_was_left_meanwhile() {
        let mut scene = Scene::new();
        scene.breaker.probe_now(scene.now);
        scene.answer(1, Some(Kind::NotEnabled));
        scene.breaker.probe_now(scene.now);
        scene.breaker.found_none(scene.now, HALF);
        assert_eq!(scene.width(), 0);
        scene.now += BETWEEN_REQUESTED;
        assert_eq!(scene.width(), 1);
    }

    #[test]
    fn a_wait_that_the_service_asks_for_is_not_cut_short_by_callers() {
        for kind in [Kind::RateLimited, Kind::Unavailable, Kind::NotEnabled] {
            let mut scene = Scene::new();
            let asked = Outcome { retry_after: Some(Duration::from_secs(90)), ..outcome(Some(kind)) };
            scene.breaker.goes_out(1);
            scene.breaker.answered(&Answered { id: 1, began: scene.now, outcome: &asked }, scene.now, HALF);
            scene.breaker.probe_now(scene.now);
            scene.breaker.another_came(scene.now);
            scene.breaker.found_none(scene.now, HALF);
            assert_eq!((scene.width(), scene.breaker.is_wait_asked()), (0, true));
            scene.now += Duration::from_secs(90);
            assert_eq!(scene.width(), 1);
        }
    }

    #[test]
    fn a_report_that_alone_is_answered_so_is_rejected_in_the_end() {
        let mut scene = Scene::new();
        let mut rests = Vec::new();
        let fate = loop {
            if let Some(fate) = scene.answer(1, Some(Kind::UnexpectedStatus)) {
                break fate;
            }
            assert_eq!(scene.answer(2, None), Some(Fate::Accepted));
            rests.push(if scene.breaker.rests(1, scene.now) { scene.wait().as_secs() } else { 0 });
        };
        assert_eq!(rests, [0, 1, 10]);
        assert_eq!(fate, Fate::Event(EventKind::Rejected, None, "told".to_owned()));
        assert!(!scene.breaker.has_failed(1));
    }

    #[test]
    fn outages_that_a_report_met_do_not_count_when_it_is_answered_in_a_way_that_suspends() {
        let mut scene = Scene::new();
        for _ in 0..6 {
            assert_eq!(scene.answer(1, Some(Kind::Unavailable)), None);
            scene.answer(2, None);
        }
        for _ in 0..3 {
            assert_eq!(scene.answer(1, Some(Kind::Unauthorized)), None);
            scene.answer(2, None);
        }
        assert!(scene.answer(1, Some(Kind::Unauthorized)).is_some());
    }

    #[test]
    fn a_report_that_is_the_only_one_is_never_rejected_for_it() {
        let mut scene = Scene::new();
        for _ in 0..1000 {
            assert_eq!(scene.answer(1, Some(Kind::Unauthorized)), None);
            scene.now += Duration::from_secs(60);
        }
    }

    #[test]
    fn a_report_that_alone_meets_an_outage_rests_for_longer_and_is_never_rejected() {
        let mut scene = Scene::new();
        let rests: Vec<u64> = (0..6)
            .map(|_| {
                assert_eq!(scene.answer(1, Some(Kind::Unavailable)), None);
                scene.answer(2, None);
                if scene.breaker.rests(1, scene.now) { scene.wait().as_secs() } else { 0 }
            })
            .collect();
        assert_eq!(rests, [0, 1, 10, 60, 60, 60]);
    }

    #[test]
    fn rejected_parameters_are_rejected_at_once_and_show_that_the_service_is_there() {
        let mut scene = Scene::new();
        scene.answer(1, Some(Kind::Network));
        let fate = scene.answer(2, Some(Kind::Rejected));
        assert!(matches!(fate, Some(Fate::Event(EventKind::Rejected, _, _))));
        assert_eq!(scene.breaker.phase(), Phase::Open);
    }

    #[test]
    fn an_answer_that_was_cut_off_by_closing_means_nothing() {
        let mut scene = Scene::new();
        assert_eq!(scene.answer(1, Some(Kind::Cancelled)), None);
        assert_eq!((scene.breaker.phase(), scene.breaker.has_failed(1)), (Phase::Open, false));
    }

    #[test]
    fn probes_come_at_times_that_differ_by_a_quarter() {
        assert_eq!(between_probes(PACE.probe, 0), Duration::from_secs(45));
        assert!(between_probes(PACE.probe, u64::MAX) > Duration::from_millis(74_999));
    }
}
