//! What became of one report.

use std::time::Duration;

use crate::error::Error;

/// What the caller can know about the report's arrival, over all attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Taken {
    /// No: nothing of it was written on any connection.
    No,
    /// Perhaps: something of it was written, and the service did not say that it took it.
    Perhaps,
    /// Yes: the service said so.
    Yes,
}

/// What became of one report, told on success and on failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the service took the report; if not, why.
    pub result: Result<(), Error>,
    /// The HTTP status of the last answer; none if there was no answer.
    pub http_status: Option<u16>,
    /// How many requests were made.
    pub attempts: u32,
    /// Whether the report may have arrived.
    pub taken: Taken,
    /// How long it all took.
    pub elapsed: Duration,
    /// How long the service asked to wait before the next try.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// The outcome of a report that was refused before anything was sent.
    pub(crate) fn refused(error: Error) -> Self {
        Self {
            result: Err(error),
            http_status: None,
            attempts: 0,
            taken: Taken::No,
            elapsed: Duration::ZERO,
            retry_after: None,
        }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::refused(error)
    }
}
