//! The statistics of a reporter, and what its worker is doing.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::Reporter;
use crate::clock::Moment;
use crate::error::Error;

/// What a reporter is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// It sends reports.
    #[default]
    Running,
    /// The service is unreachable or failing: it waits, then retries.
    BackingOff,
    /// The service accepts no reports of the account: it sends one probe a minute.
    Suspended,
    /// It is closed.
    Closed,
    /// Another process sends the reports of the outbox.
    Standby,
}

/// The last error in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The error.
    pub error: Error,
    /// The HTTP status of the response, if there was one.
    pub http_status: Option<u16>,
    /// When it happened.
    pub at: SystemTime,
}

/// The status of the worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerStatus {
    pub(crate) state: State,
    pub(crate) last_error: Option<LastError>,
    /// How often reading or writing the outbox failed in the background.
    pub(crate) outbox_errors: u64,
    /// When the last probe started that confirmed the suspension.
    pub(crate) suspension_confirmed_at: Option<Instant>,
    /// Whether the service asked for the current wait.
    pub(crate) is_wait_requested: bool,
    /// Whether the worker has ended.
    pub(crate) is_ended: bool,
}

/// The statistics of a reporter. The outbox counts reports over its whole lifetime, for all its users.
///
/// `submitted` is the sum of `accepted`, `rejected`, `expired`, `replaced`, `dropped`, `damaged` and `pending`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Stored by `submit`.
    pub submitted: u64,
    /// Accepted by the service.
    pub accepted: u64,
    /// Rejected by the service.
    pub rejected: u64,
    /// Older than the maximum age.
    pub expired: u64,
    /// Replaced by a later report for the same message.
    pub replaced: u64,
    /// Dropped because the outbox was full.
    pub dropped: u64,
    /// Unreadable, and removed.
    pub damaged: u64,
    /// Not accepted yet, including reports in flight.
    pub pending: u64,
    /// Events waiting to be acknowledged.
    pub events: u64,
    /// Events discarded before they were acknowledged, because there were too many.
    pub events_discarded: u64,
    /// How many times the outbox was replaced while this reporter used it, because it was damaged or removed.
    pub outbox_resets: u64,
    /// How often reading or writing the outbox failed in the background.
    pub outbox_errors: u64,
    /// How long ago the oldest pending report was submitted.
    pub oldest_pending: Option<Duration>,
    /// How many reports this reporter is sending now.
    pub in_flight: usize,
    /// What this reporter is doing.
    pub state: State,
    /// The last error in the background.
    pub last_error: Option<LastError>,
}

impl Reporter {
    /// Returns the statistics.
    ///
    /// # Errors
    ///
    /// Outbox errors.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let runtime = self.runtime()?;
        self.start(&runtime);
        let snapshot = runtime.outbox.snapshot()?;
        let (status, counters) = (runtime.signals.status(), snapshot.counters);
        let is_closed = self.is_closed.load(Ordering::SeqCst);
        Ok(Statistics {
            submitted: counters.submitted,
            accepted: counters.accepted,
            rejected: counters.rejected,
            expired: counters.expired,
            replaced: counters.replaced,
            dropped: counters.dropped,
            damaged: counters.damaged,
            pending: counters.pending(),
            events: counters.events,
            events_discarded: counters.events_discarded,
            outbox_resets: runtime.outbox.resets(),
            outbox_errors: status.outbox_errors,
            oldest_pending: snapshot.oldest.map(|oldest| Moment::now().since(&oldest)),
            in_flight: runtime.senders.load().in_flight,
            state: if is_closed { State::Closed } else { status.state },
            last_error: status.last_error,
        })
    }
}
