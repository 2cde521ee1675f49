//! What a reporter's worker is doing.

use std::time::{Instant, SystemTime};

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
