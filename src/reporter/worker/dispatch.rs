//! Claims reports and passes them to the senders, within the limits of the circuit breaker.

use std::time::Instant;

use super::Worker;
use crate::client;
use crate::clock::{Moment, after};
use crate::error::{Error, Kind};
use crate::outcome::Outcome;
use crate::reporter::circuit_breaker::Attempt;
use crate::reporter::in_flight_limit;
use crate::reporter::outbox::{Completion, Disposition, Entry, EventKind};

/// The number of completed reports not yet recorded in the outbox at which no more reports are claimed.
const MAX_COMPLETIONS: usize = 10_000;

/// The number of reports claimed for each report that may be in flight, so that no sender waits for the outbox while
/// results are collected. Newer reports are still sent ahead of the claimed ones.
const CLAIMS_PER_SENDER: usize = 8;

impl Worker {
    /// Claims and sends reports if more are wanted: at least `min` while reports are claimed ahead, and at least one
    /// otherwise.
    pub(super) fn refill(&mut self, min: usize) {
        let now = Instant::now();
        let load = self.senders.load();
        let capacity = self.breaker.capacity(now);
        // While few reports may be in flight, the senders need no queue.
        let claims_ahead = !self.breaker.is_probing() && capacity >= self.max_in_flight.min(in_flight_limit::INITIAL);
        let limit = if claims_ahead { capacity.saturating_mul(CLAIMS_PER_SENDER) } else { capacity };
        // A probe does not wait for earlier requests, which may hang.
        let held = if self.breaker.is_probing() { 0 } else { load.queued + load.in_flight + load.completed };
        let wanted = limit.saturating_sub(held);
        let has_capacity = wanted > 0 && self.completions.len() < MAX_COMPLETIONS && now >= self.claim_due;
        self.signals.set_wakes_on_report(has_capacity);
        if !has_capacity || claims_ahead && wanted < min {
            if load.queued > 0 {
                // The limit may have grown.
                self.send(Vec::new());
            }
            return;
        }
        match self.claim(wanted, now) {
            // A report that was submitted after the search began wakes the worker, so it is not missed.
            Ok(entries) if entries.is_empty() => self.breaker.no_report_found(now, client::random()),
            Ok(entries) => {
                if self.send(entries) >= wanted {
                    // Later reports are claimed when a result frees capacity.
                    self.signals.set_wakes_on_report(false);
                }
            }
            Err(error) => self.claim_due = self.outbox_failed(error),
        }
    }

    /// Returns how many requests the senders may have in flight. A probe is sent even if earlier requests hang.
    pub(super) fn sender_limit(&self, now: Instant) -> usize {
        if self.breaker.is_probing() { usize::MAX } else { self.breaker.capacity(now) }
    }

    /// Claims reports that are not delayed. For a probe, prefers a report that has not failed.
    fn claim(&self, wanted: usize, now: Instant) -> Result<Vec<Entry>, Error> {
        let flushed = self.signals.flushed();
        if self.breaker.is_probing() {
            let entries = self.outbox.claim(wanted, flushed, &|id| self.breaker.has_failed(id))?;
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        self.outbox.claim(wanted, flushed, &|id| self.breaker.is_delayed(id, now))
    }

    /// Passes the entries that have not expired to the senders, and completes the others as expired. Returns the
    /// number of entries passed.
    fn send(&mut self, entries: Vec<Entry>) -> usize {
        let (moment, max_age) = (Moment::now(), self.max_age);
        let (expired, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| moment.since(&entry.submitted) > max_age);
        let disposition = Disposition::event(EventKind::Expired);
        self.completions
            .extend(expired.iter().map(|entry| Completion { id: entry.id, disposition: disposition.clone() }));
        entries.iter().for_each(|entry| self.breaker.sent(entry.id));
        // The next check may have been scheduled while the outbox was empty, and be too late for these reports if
        // they fail.
        self.next_expiry = self.next_expiry.min(after(Instant::now(), self.max_age.max(self.expiry_interval)));
        let count = entries.len();
        let Err((unsent, error)) = self.senders.send(entries, self.sender_limit(Instant::now())) else {
            return count;
        };
        let (now, outcome) = (Instant::now(), Outcome::unsent(Error::new(Kind::System, error.to_string())));
        self.record_error(&outcome);
        unsent.iter().for_each(|entry| self.breaker.returned(entry.id));
        // Without a thread, the reporter backs off as if the service were unreachable, so that another process may
        // send.
        if let Some(entry) = unsent.first() {
            let attempt = Attempt { id: entry.id, started: now, in_flight: 1, outcome: &outcome };
            self.breaker.record(&attempt, now, client::random());
        }
        self.outbox.release(unsent.iter().map(|entry| entry.id));
        count.saturating_sub(unsent.len())
    }
}
