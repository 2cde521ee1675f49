//! Tracks reports that fail. A report that keeps failing while others are accepted is delayed, each time for longer,
//! up to a maximum. A report that keeps getting suspending responses meanwhile is eventually rejected, unless another
//! report was recently accepted after such a response. Deterministic: the caller supplies the time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::clock::after;

/// The maximum number of tracked reports. If it is exceeded, all are forgotten.
const MAX_TRACKED: usize = 10_000;

/// The number of suspending responses at which a report is rejected if others are accepted between them.
const MAX_SUSPENDING: u32 = 4;

/// The time, in multiples of the longest delay, for which no report is rejected for suspending responses after a
/// report that had got one was accepted. The acceptance shows that such responses do not depend on the report.
const RECOVERY_DELAYS: u32 = 10;

/// The reports that failed and have not been accepted or rejected since.
#[derive(Debug)]
pub(crate) struct ReportFailures {
    /// The delays of a report that keeps failing while others are accepted: the first, the second, and all later
    /// delays.
    retry_delays: [Duration; 3],
    /// The number of reports that the service accepted or rejected.
    successes: u64,
    /// The last time at which a report was accepted or rejected after it had got a suspending response.
    recovered_at: Option<Instant>,
    by_id: HashMap<u64, ReportFailure>,
}

/// The failures of one report.
#[derive(Debug, Clone, Copy)]
struct ReportFailure {
    /// The number of failures, and how many of these were suspending responses. A failure after the first counts only
    /// if the service has accepted or rejected a report since the previous one.
    failures: u32,
    suspending: u32,
    /// The value of [`ReportFailures::successes`] at the last failure.
    successes: u64,
    retry_at: Instant,
}

impl ReportFailures {
    pub(crate) fn new(retry_delays: [Duration; 3]) -> Self {
        Self { retry_delays, successes: 0, recovered_at: None, by_id: HashMap::new() }
    }

    /// Returns whether report `id` has failed.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Returns whether report `id` is delayed at `now`.
    pub(crate) fn is_delayed(&self, id: u64, now: Instant) -> bool {
        self.by_id.get(&id).is_some_and(|failure| failure.retry_at > now)
    }

    /// Returns the earliest time after `now` at which a delay ends.
    pub(crate) fn next_retry(&self, now: Instant) -> Option<Instant> {
        self.by_id.values().map(|failure| failure.retry_at).filter(|retry_at| *retry_at > now).min()
    }

    /// Makes all delays end at `at` or earlier.
    pub(crate) fn shorten_delays(&mut self, at: Instant) {
        self.by_id.values_mut().for_each(|failure| failure.retry_at = failure.retry_at.min(at));
    }

    /// Ends the delays of reports that have not failed again after another report was accepted or rejected.
    pub(crate) fn clear_first_delays(&mut self, now: Instant) {
        self.by_id.values_mut().filter(|failure| failure.failures <= 1).for_each(|failure| failure.retry_at = now);
    }

    /// Stops tracking report `id`, whose disposition is known.
    pub(crate) fn forget(&mut self, id: u64) {
        self.by_id.remove(&id);
    }

    /// Records that the service accepted or rejected report `id`. If another report that has failed before fails
    /// again, that failure then counts.
    pub(crate) fn record_success(&mut self, id: u64, now: Instant) {
        if self.by_id.remove(&id).is_some_and(|failure| failure.suspending > 0) {
            self.recovered_at = Some(now);
        }
        self.successes = self.successes.saturating_add(1);
    }

    /// Records that report `id` failed and delays it: by `first_delay` while only one of its failures counts, then by
    /// the retry delays.
    pub(crate) fn record(&mut self, id: u64, now: Instant, first_delay: Duration) {
        self.count(id, now, first_delay, 0);
    }

    /// Like [`ReportFailures::record`], but for a suspending response. Returns true if the report must be rejected,
    /// because it got too many such responses while others were accepted.
    pub(crate) fn record_suspending(&mut self, id: u64, now: Instant, first_delay: Duration) -> bool {
        let suspending = self.count(id, now, first_delay, 1);
        suspending >= MAX_SUSPENDING && !self.has_recovered(now, RECOVERY_DELAYS)
    }

    /// Returns whether a report that had received a suspending response was accepted within the last `delays` times
    /// the longest delay.
    fn has_recovered(&self, now: Instant, delays: u32) -> bool {
        let window = self.retry_delays[2].saturating_mul(delays);
        self.recovered_at.is_some_and(|at| now.saturating_duration_since(at) < window)
    }

    /// Counts a failure. Returns the number of suspending responses that the report got while others were accepted.
    fn count(&mut self, id: u64, now: Instant, first_delay: Duration, suspending: u32) -> u32 {
        if self.by_id.len() >= MAX_TRACKED && !self.by_id.contains_key(&id) {
            self.by_id.clear();
        }
        let (successes, is_random) = (self.successes, suspending > 0 && self.has_recovered(now, 1));
        let failure =
            self.by_id.entry(id).or_insert(ReportFailure { failures: 0, suspending: 0, successes, retry_at: now });
        let is_alone = failure.failures == 0 || successes > failure.successes;
        if is_alone {
            failure.failures = failure.failures.saturating_add(1);
            failure.suspending = failure.suspending.saturating_add(suspending);
        }
        let index = usize::try_from(failure.failures).unwrap_or(usize::MAX).checked_sub(2);
        let index = index.map(|index| if is_random { 0 } else { index });
        let delay = index.map_or(first_delay, |index| *self.retry_delays.get(index).unwrap_or(&self.retry_delays[2]));
        failure.successes = successes;
        failure.retry_at = after(now, delay);
        failure.suspending
    }
}
