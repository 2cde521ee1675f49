//! A discrete-event simulation of a reporter with a backlog and a service with latency. The circuit breaker and the
//! limit on the reports in flight are the real ones; of the outbox, the worker and the senders, only the order in
//! which they send reports is simulated.

mod service;
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::{Duration, Instant};

use self::service::{Response, Service};
use super::circuit_breaker::{Attempt, CircuitBreaker};
use super::pace::Pace;
use crate::error::Error;
use crate::outcome::{Acceptance, Outcome};

/// The latency from the reporter to the service, and from the service to the reporter.
const ONE_WAY: Duration = Duration::from_millis(100);

/// The start of a request, in simulated time.
#[derive(Debug, Clone, Copy)]
struct Began {
    at: Duration,
    /// The number of reports in flight, including this one.
    in_flight: usize,
}

/// The end of a request, in simulated time.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: Duration,
    elapsed: Duration,
    is_accepted: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival(u64),
    Response(u64, Response),
}

struct Simulation {
    breaker: CircuitBreaker,
    service: Service,
    /// A fixed number of reports in flight, which replaces the breaker's decisions.
    fixed: Option<usize>,
    /// The client's timeout.
    timeout: Duration,
    /// The maximum of the random delay that is added to the arrival of each request.
    jitter: Duration,
    random: u64,
    start: Instant,
    now: Instant,
    /// The reports waiting to be sent. A higher number is newer.
    pending: BTreeSet<u64>,
    claimed: u64,
    /// The reports in flight, in the order in which they started.
    in_flight: Vec<(u64, Instant)>,
    events: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    scheduled: u64,
    began: Vec<Began>,
    ended: Vec<Ended>,
}

impl Simulation {
    fn new(service: Service, reports: u64) -> Self {
        let now = Instant::now();
        Self {
            breaker: CircuitBreaker::new(Pace::REAL, 64),
            service,
            fixed: None,
            timeout: Duration::from_secs(10),
            jitter: Duration::ZERO,
            random: 1,
            start: now,
            now,
            pending: (0..reports).collect(),
            claimed: 0,
            in_flight: Vec::new(),
            events: BinaryHeap::new(),
            scheduled: 0,
            began: Vec::new(),
            ended: Vec::new(),
        }
    }

    fn with_fixed(self, in_flight: usize) -> Self {
        Self { fixed: Some(in_flight), ..self }
    }

    fn with_jitter(self, jitter: Duration, seed: u64) -> Self {
        Self { jitter, random: seed, ..self }
    }

    fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Runs until all reports are accepted, for at most `limit`. Returns the simulated time at the end.
    fn run(&mut self, limit: Duration) -> Duration {
        self.refill();
        let end = self.start + limit;
        while let Some(next) = self.next_event().filter(|next| *next < end) {
            self.now = next;
            let in_flight = self.in_flight.len();
            while self.events.peek().is_some_and(|Reverse((at, ..))| *at <= next) {
                if let Some(Reverse((_, _, event))) = self.events.pop() {
                    self.handle(event, in_flight);
                }
            }
            if let Some(started) = self.half_started() {
                self.breaker.check_overdue(started, self.now);
            }
            self.refill();
        }
        self.now - self.start
    }

    fn next_event(&self) -> Option<Instant> {
        let event = self.events.peek().map(|Reverse((at, ..))| *at);
        let wakeup = self.breaker.next_wakeup(self.now).filter(|_| !self.pending.is_empty());
        let overdue = self.half_started().and_then(|started| self.breaker.overdue_at(started, self.now));
        [event, wakeup, overdue].into_iter().flatten().min()
    }

    /// Returns the time by which half of the reports in flight had started.
    fn half_started(&self) -> Option<Instant> {
        self.in_flight.get(self.in_flight.len() / 2).map(|(_, started)| *started)
    }

    fn handle(&mut self, event: Event, in_flight: usize) {
        let time = self.now - self.start;
        match event {
            Event::Arrival(id) => {
                let (responds_at, response) = self.service.respond(time);
                let started = self.in_flight.iter().find(|(in_flight, _)| *in_flight == id).unwrap().1;
                let (responds_at, timed_out_at) = (self.start + responds_at + ONE_WAY, started + self.timeout);
                match responds_at <= timed_out_at {
                    true => self.schedule(responds_at, Event::Response(id, response)),
                    false => self.schedule(timed_out_at, Event::Response(id, Response::TimedOut)),
                }
            }
            Event::Response(id, response) => {
                let index = self.in_flight.iter().position(|(in_flight, _)| *in_flight == id).unwrap();
                let (_, started) = self.in_flight.remove(index);
                let elapsed = self.now - started;
                let result = response.kind().map_or(Ok(()), |kind| Err(Error::new(kind, "simulated")));
                let is_accepted = result.is_ok();
                let outcome = Outcome {
                    result,
                    http_status: None,
                    attempts: 1,
                    acceptance: Acceptance::Unknown,
                    elapsed,
                    retry_after: response.retry_after(),
                };
                let random = self.next_random();
                let attempt = Attempt { id, started, in_flight, outcome: &outcome };
                if self.breaker.record(&attempt, self.now, random).is_none() {
                    self.pending.insert(id);
                }
                self.ended.push(Ended { at: time, elapsed, is_accepted });
            }
        }
    }

    fn refill(&mut self) {
        loop {
            let is_probing = self.breaker.is_probing() && self.fixed.is_none();
            let capacity = self.fixed.unwrap_or_else(|| self.breaker.capacity(self.now));
            let in_flight = if is_probing { 0 } else { self.in_flight.len() };
            if in_flight >= capacity {
                return;
            }
            let Some(id) = self.claim(is_probing) else {
                let random = self.next_random();
                return self.breaker.no_report_found(self.now, random);
            };
            self.pending.remove(&id);
            self.breaker.sent(id);
            self.in_flight.push((id, self.now));
            self.began.push(Began { at: self.now - self.start, in_flight: self.in_flight.len() });
            let jitter = self.next_random() % (self.jitter.as_nanos() as u64 + 1);
            self.schedule(self.now + ONE_WAY + Duration::from_nanos(jitter), Event::Arrival(id));
        }
    }

    /// Returns the newest report that is not delayed or, every 32nd time, the oldest one. For a probe, prefers the
    /// newest report that has not failed.
    fn claim(&mut self, is_probing: bool) -> Option<u64> {
        self.claimed += 1;
        let is_due = |id: &&u64| !self.breaker.is_delayed(**id, self.now);
        let is_new = |id: &&u64| !self.breaker.has_failed(**id);
        let unfailed = self.pending.iter().rev().find(is_new).filter(|_| is_probing);
        unfailed
            .or_else(|| match self.claimed % 32 {
                0 => self.pending.iter().find(is_due),
                _ => self.pending.iter().rev().find(is_due),
            })
            .copied()
    }

    fn schedule(&mut self, at: Instant, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((at, self.scheduled, event)));
    }

    /// Returns a pseudorandom number (SplitMix64).
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
