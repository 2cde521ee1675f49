//! The statistics of a reporter, and the status of its worker.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::Reporter;
use crate::clock::Moment;
use crate::error::Error;

/// The state of a reporter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// The reporter sends reports.
    #[default]
    Running,
    /// The service is unreachable or failing. The reporter waits, then retries.
    BackingOff,
    /// The service accepts no reports from this account, or does not respond as expected, until a user corrects the
    /// problem. The reporter sends about one probe a minute.
    Suspended,
    /// The reporter is closed.
    Closed,
    /// Another process or reporter sends the reports in the outbox.
    Standby,
}

/// The last background error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The error.
    pub error: Error,
    /// The HTTP status of the response, if there was one.
    pub http_status: Option<u16>,
    /// The time at which the error occurred.
    pub at: SystemTime,
}

/// The status of the worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerStatus {
    pub(crate) state: State,
    pub(crate) last_error: Option<LastError>,
    /// The number of times that reading or writing the outbox failed in the background.
    pub(crate) outbox_errors: u64,
    /// The last confirmation of a suspension, as returned by `CircuitBreaker::confirmed_at`.
    pub(crate) suspension_confirmed_at: Option<Instant>,
    /// Whether the service asked for the current wait.
    pub(crate) is_wait_requested: bool,
    /// Whether the worker has ended.
    pub(crate) is_ended: bool,
}

/// The statistics of a reporter. The counts of reports and events cover the whole lifetime of the outbox and all
/// reporters that use it.
///
/// `submitted` is the sum of `accepted`, `rejected`, `expired`, `replaced`, `dropped`, `damaged` and `pending`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Reports stored by `submit`.
    pub submitted: u64,
    /// Reports that the service accepted.
    pub accepted: u64,
    /// Reports that the service rejected.
    pub rejected: u64,
    /// Reports that exceeded the maximum age.
    pub expired: u64,
    /// Reports replaced by a later report for the same message.
    pub replaced: u64,
    /// Reports dropped because the outbox was full.
    pub dropped: u64,
    /// Reports that were removed because they could not be read back, or that the outbox lost.
    pub damaged: u64,
    /// Reports still pending, including those in flight.
    pub pending: u64,
    /// Events waiting to be acknowledged.
    pub events: u64,
    /// Events discarded before they were acknowledged, because there were too many.
    pub events_discarded: u64,
    /// The number of times that the outbox was damaged or removed, and replaced, while this reporter used it.
    pub outbox_resets: u64,
    /// The number of times that reading or writing the outbox failed in the background.
    pub outbox_errors: u64,
    /// The time since the oldest pending report was submitted; None if no report is pending.
    pub oldest_pending: Option<Duration>,
    /// The number of reports that this reporter is currently sending.
    pub in_flight: usize,
    /// The state of this reporter.
    pub state: State,
    /// The last background error.
    pub last_error: Option<LastError>,
}

impl Reporter {
    /// Returns the statistics.
    ///
    /// # Errors
    ///
    /// Returns an outbox error if the outbox cannot be read.
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
