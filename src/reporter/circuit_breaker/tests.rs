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

    /// Sends report `id` and records its result immediately.
    fn complete(&mut self, id: u64, kind: Option<Kind>) -> Option<Disposition> {
        self.breaker.sent(id);
        let (started, outcome) = (self.now, outcome(kind));
        self.breaker.record(&Attempt { id, started, in_flight: 1, outcome: &outcome }, self.now, MIDPOINT)
    }

    fn capacity(&self) -> usize {
        self.breaker.capacity(self.now)
    }

    /// Waits like [`Fixture::wait`] if the breaker is backing off, and otherwise returns zero.
    fn wait_if_backing_off(&mut self) -> Duration {
        if self.breaker.phase() == Phase::BackingOff { self.wait() } else { Duration::ZERO }
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
    assert_eq!((fixture.capacity(), fixture.breaker.next_wakeup(fixture.now)), (8, None));
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
    assert_eq!(fixture.capacity(), 0, "a second probe must not be allowed during the first");
    fixture.breaker.returned(9);
    assert_eq!(fixture.capacity(), 1, "another probe must be allowed after one that was not sent");
}

#[test]
fn failures_of_earlier_requests_do_not_extend_backoff() {
    let mut fixture = Fixture::new();
    let started = fixture.now;
    fixture.now += Duration::from_millis(5);
    for id in 1..=30 {
        let outcome = outcome(Some(Kind::Timeout));
        fixture.breaker.record(&Attempt { id, started, in_flight: 1, outcome: &outcome }, fixture.now, MIDPOINT);
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
    fixture.breaker.record(&Attempt { id: 2, started, in_flight: 1, outcome: &late }, fixture.now, MIDPOINT);
    assert_eq!(fixture.wait(), Duration::from_secs(7));
    let started = fixture.now;
    fixture.now += Duration::from_millis(5);
    fixture.complete(3, Some(Kind::Unauthorized));
    fixture.breaker.record(&Attempt { id: 4, started, in_flight: 1, outcome: &late }, fixture.now, MIDPOINT);
    assert_eq!((fixture.breaker.phase(), fixture.wait()), (Phase::Suspended, Duration::from_secs(7)));
}

#[test]
fn requested_probe_does_not_prolong_delays() {
    let mut fixture = Fixture::new();
    fixture.complete(1, None);
    fixture.complete(2, Some(Kind::RateLimited));
    fixture.complete(3, None);
    fixture.complete(2, Some(Kind::RateLimited));
    assert!(fixture.breaker.is_delayed(2, fixture.now));
    fixture.breaker.probe_now(fixture.now);
    assert!(!fixture.breaker.is_delayed(2, fixture.now));
    // The next probe is due in a second.
    fixture.breaker.probe_now(fixture.now);
    assert!(!fixture.breaker.is_delayed(2, fixture.now));
}

#[test]
fn capacity_grows_from_two_after_an_outage() {
    let mut fixture = Fixture::new();
    fixture.complete(1, Some(Kind::Network));
    fixture.wait();
    assert_eq!(fixture.complete(2, None), Some(Disposition::Accepted));
    assert_eq!(fixture.capacity(), 2);
    let mut capacities = vec![2];
    let start = fixture.now;
    for id in 3.. {
        let (started, in_flight) = (fixture.now, fixture.capacity());
        fixture.now += Duration::from_millis(1);
        let outcome = Outcome { elapsed: Duration::from_millis(1), ..outcome(None) };
        fixture.breaker.record(&Attempt { id, started, in_flight, outcome: &outcome }, fixture.now, MIDPOINT);
        if fixture.capacity() != capacities[capacities.len() - 1] {
            capacities.push(fixture.capacity());
        }
        if fixture.now - start >= Duration::from_secs(10) {
            break;
        }
    }
    assert_eq!(capacities, (2..=32).collect::<Vec<_>>());
}

#[test]
fn failure_among_successes_reduces_capacity_without_backing_off() {
    let mut fixture = Fixture::new();
    let started = fixture.now;
    fixture.now += Duration::from_millis(200);
    for kind in [None, Some(Kind::RateLimited), Some(Kind::Unavailable), Some(Kind::Timeout), None] {
        let outcome = outcome(kind);
        fixture.breaker.record(&Attempt { id: 1, started, in_flight: 1, outcome: &outcome }, fixture.now, MIDPOINT);
    }
    assert_eq!((fixture.capacity(), fixture.breaker.phase()), (5, Phase::Running));
    let asked = Outcome { retry_after: Some(Duration::from_secs(1)), ..outcome(Some(Kind::RateLimited)) };
    fixture.breaker.record(&Attempt { id: 2, started, in_flight: 1, outcome: &asked }, fixture.now, MIDPOINT);
    assert_eq!((fixture.capacity(), fixture.breaker.phase()), (0, Phase::BackingOff));
    assert_eq!(fixture.wait(), Duration::from_secs(1));
}

#[test]
fn failure_without_a_success_during_the_request_starts_backing_off() {
    let mut fixture = Fixture::new();
    fixture.complete(1, None);
    fixture.now += Duration::from_millis(1);
    fixture.complete(2, Some(Kind::RateLimited));
    assert_eq!(fixture.breaker.phase(), Phase::BackingOff);
}

#[test]
fn suspended_breaker_tries_one_other_report_then_probes_each_minute() {
    for kind in [Kind::Unauthorized, Kind::NotEnabled, Kind::Redirected, Kind::UnexpectedStatus] {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.complete(1, Some(kind)), None);
        assert_eq!((fixture.capacity(), fixture.breaker.phase()), (1, Phase::Suspended));
        assert!(
            fixture.breaker.is_delayed(1, fixture.now) && fixture.breaker.has_failed(1),
            "only a different report may be tried next"
        );
        for id in 2..100 {
            assert_eq!(fixture.complete(id, Some(kind)), None);
            assert_eq!(fixture.capacity(), 0);
            assert_eq!(fixture.wait(), PACE.probe);
        }
        assert_eq!(fixture.complete(100, None), Some(Disposition::Accepted));
        assert_eq!((fixture.capacity(), fixture.breaker.phase()), (2, Phase::Running));
        assert!(
            (1..100).all(|id| !fixture.breaker.is_delayed(id, fixture.now)),
            "the delays of reports that failed only during the suspension must end"
        );
    }
}

#[test]
fn suspended_breaker_without_another_report_waits_for_the_next_probe() {
    let mut fixture = Fixture::new();
    fixture.complete(1, Some(Kind::NotEnabled));
    assert_eq!(fixture.capacity(), 1);
    fixture.breaker.no_report_found(fixture.now, MIDPOINT);
    assert_eq!((fixture.capacity(), fixture.breaker.waits_for_report()), (0, true));
    assert_eq!(
        fixture.breaker.confirmed_at(),
        Some(fixture.now),
        "the suspension must be confirmed if there is no other report to try"
    );
    fixture.breaker.report_arrived(fixture.now);
    assert_eq!(fixture.capacity(), 1);
    fixture.breaker.no_report_found(fixture.now, MIDPOINT);
    assert_eq!(fixture.wait(), PACE.probe);
    assert_eq!(fixture.capacity(), 1);
    fixture.complete(2, Some(Kind::NotEnabled));
    assert_eq!(fixture.breaker.confirmed_at(), Some(fixture.now));
    fixture.breaker.no_report_found(fixture.now, MIDPOINT);
    fixture.breaker.report_arrived(fixture.now);
    assert_eq!((fixture.capacity(), fixture.breaker.waits_for_report()), (0, false));
}

#[test]
fn requested_probe_is_made_immediately() {
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
        assert!(waited <= PACE.requested_probe, "{waited:?}");
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
    fixture.breaker.record(&Attempt { id: 3, started, in_flight: 1, outcome: &outcome }, fixture.now, MIDPOINT);
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
    fixture.now += PACE.requested_probe;
    assert_eq!(fixture.capacity(), 1);
}

#[test]
fn callers_do_not_shorten_a_requested_wait() {
    for kind in [Kind::RateLimited, Kind::Unavailable, Kind::NotEnabled] {
        let mut fixture = Fixture::new();
        let delayed = Outcome { retry_after: Some(Duration::from_secs(90)), ..outcome(Some(kind)) };
        fixture.breaker.sent(1);
        fixture.breaker.record(
            &Attempt { id: 1, started: fixture.now, in_flight: 1, outcome: &delayed },
            fixture.now,
            MIDPOINT,
        );
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

#[test]
fn suspension_with_a_recent_success_is_short_at_first() {
    let mut fixture = Fixture::new();
    fixture.complete(1, None);
    assert_eq!(fixture.complete(2, Some(Kind::Unauthorized)), None);
    assert_eq!(fixture.capacity(), 1, "another report must be tried immediately");
    let (start, mut probes) = (fixture.now, 0);
    let (mut waits, mut confirmed_after) = (Vec::new(), None);
    while fixture.now - start < Duration::from_secs(300) {
        probes += 1;
        fixture.complete(2 + probes, Some(Kind::Unauthorized));
        if fixture.breaker.confirmed_at().is_some() {
            confirmed_after.get_or_insert(fixture.now - start);
        }
        let before = fixture.now;
        while fixture.capacity() == 0 {
            fixture.wait();
        }
        waits.push((fixture.now - before).as_millis());
    }
    assert_eq!(waits[..5], [50, 50, 50, 75, 112]);
    assert!(waits.is_sorted() && confirmed_after.is_some_and(|after| after < Duration::from_secs(2)));
    // Once the last success is more than a minute old, the interval is the usual one.
    assert!(waits.iter().filter(|wait| **wait < 45_000).count() < 20, "{waits:?}");
    assert_eq!(waits.last(), Some(&60_000));
}

#[test]
fn no_report_is_rejected_if_suspending_responses_do_not_depend_on_it() {
    let mut fixture = Fixture::new();
    fixture.complete(1, Some(Kind::Unauthorized));
    fixture.complete(1, None);
    for id in 3..20 {
        assert_eq!(fixture.complete(2, Some(Kind::Unauthorized)), None);
        fixture.complete(id, None);
        fixture.now += Duration::from_secs(20);
    }
    fixture.now += Duration::from_secs(600);
    assert!(fixture.complete(2, Some(Kind::Unauthorized)).is_some());
}

#[test]
fn another_process_may_send_while_this_one_cannot_reach_the_service() {
    let mut fixture = Fixture::new();
    let mut waited = Duration::ZERO;
    let mut id = 0;
    while !fixture.breaker.may_hand_over(fixture.now) {
        waited += fixture.wait_if_backing_off();
        id += 1;
        fixture.complete(id, Some(Kind::Proxy));
    }
    assert!(waited < MAX_HOLD, "{waited:?}");
    fixture.wait();
    assert!(!fixture.breaker.may_hand_over(fixture.now), "a process whose probe is due must not hand over");
    fixture.complete(100, Some(Kind::Unavailable));
    assert!(!fixture.breaker.may_hand_over(fixture.now), "a process that got a response must not hand over");
    let mut fixture = Fixture::new();
    fixture.complete(1, Some(Kind::Timeout));
    let asked = Outcome { retry_after: Some(Duration::from_secs(90)), ..outcome(Some(Kind::RateLimited)) };
    fixture.breaker.record(
        &Attempt { id: 2, started: fixture.now, in_flight: 1, outcome: &asked },
        fixture.now,
        MIDPOINT,
    );
    assert!(
        !fixture.breaker.may_hand_over(fixture.now),
        "the wait that the service asked for applies to all processes"
    );
}

#[test]
fn alternating_failures_of_both_kinds_cause_few_requests() {
    let mut fixture = Fixture::new();
    let start = fixture.now;
    let requests = (1..).take_while(|id| {
        let kind = if id % 2 == 0 { Kind::Unauthorized } else { Kind::Unavailable };
        fixture.complete(*id, Some(kind));
        if fixture.capacity() == 0 {
            fixture.wait();
        }
        fixture.now < start + Duration::from_secs(10)
    });
    assert!(requests.count() < 25);
}
