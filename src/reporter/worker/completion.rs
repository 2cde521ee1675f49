//! Evaluates results and records completed reports in the outbox.

use std::time::{Duration, Instant};

use super::Worker;
use crate::client;
use crate::reporter::circuit_breaker::Attempt;
use crate::reporter::outbox::{Completion, Disposition};
use crate::reporter::senders::SendResult;

/// How long the worker waits for more results while many reports are queued.
const COLLECT_TIME: Duration = Duration::from_millis(2);

/// The number of results from which the worker does not wait for more.
const BATCH_SIZE: usize = 64;

impl Worker {
    /// Evaluates the available results.
    pub(super) fn collect_results(&mut self) {
        let before = (self.sender_limit(Instant::now()), self.breaker.is_probing());
        let results = self.drain_results(before.0);
        let mut released: Vec<u64> = results.iter().filter_map(|result| self.evaluate(result)).collect();
        let now = Instant::now();
        if let Some(started) = self.senders.load().half_started {
            self.breaker.check_overdue(started, now);
        }
        let limit = self.sender_limit(now);
        if limit < before.0 || self.breaker.is_probing() && !before.1 {
            released.extend(self.senders.recall(limit).iter().map(|entry| entry.id));
        }
        self.senders.resume();
        self.outbox.release(released);
    }

    /// Returns the results that were added since the last call. If there are a few and many reports are queued, first
    /// waits briefly for more.
    fn drain_results(&self, limit: usize) -> Vec<SendResult> {
        let load = self.senders.load();
        let mut results = self.senders.drain_results();
        if !results.is_empty() && results.len() < BATCH_SIZE && load.queued > limit / 2 && load.in_flight > 0 {
            std::thread::sleep(COLLECT_TIME);
            results.extend(self.senders.drain_results());
        }
        results
    }

    /// Evaluates a result. Returns the report's id if the report must be sent again.
    fn evaluate(&mut self, result: &SendResult) -> Option<u64> {
        let SendResult { id, started, in_flight, outcome } = result;
        let attempt = Attempt { id: *id, started: *started, in_flight: *in_flight, outcome };
        let disposition = self.breaker.record(&attempt, Instant::now(), client::random());
        let is_retry = disposition.is_none();
        self.completions.extend(disposition.map(|disposition| Completion { id: result.id, disposition }));
        self.record_error(&result.outcome);
        is_retry.then_some(result.id)
    }

    /// Records completed reports in the outbox. If that fails, keeps their dispositions in memory and does not send
    /// the reports again.
    pub(super) fn complete(&mut self) {
        if self.completions.is_empty() || Instant::now() < self.complete_due {
            return;
        }
        // A caller that finds that its reports are no longer pending must not see an outdated state.
        self.set_state();
        match self.outbox.complete(&self.completions) {
            Ok(()) => {
                if self.completions.iter().any(|completion| matches!(completion.disposition, Disposition::Event(..))) {
                    self.signals.events.notify();
                }
                self.completions.clear();
                self.signals.update(|_| {});
            }
            Err(error) => self.complete_due = self.outbox_failed(error),
        }
    }
}
