//! The outcome of one report.

use std::time::Duration;

use crate::error::Error;

/// Whether the service may have accepted the report, over all attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Acceptance {
    /// No: each attempt either wrote nothing of the request, or was rejected by a response (401, 402, 420, 422, 423, 429).
    No,
    /// Unknown: at least one attempt was written and got no such response, and none got a 2xx.
    Unknown,
    /// Yes: an attempt got a 2xx.
    Yes,
}

/// The outcome of one report, on success and on failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the service accepted the report; if not, why.
    pub result: Result<(), Error>,
    /// The HTTP status of the last response; none if there was no response.
    pub http_status: Option<u16>,
    /// How many requests were made.
    pub attempts: u32,
    /// Whether the service may have accepted the report.
    pub acceptance: Acceptance,
    /// How long all attempts took.
    pub elapsed: Duration,
    /// How long to wait before the next attempt: what the service asked for, or a back-off that exceeds the time limit.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// The outcome of a report of which nothing was sent.
    pub(crate) fn unsent(error: Error) -> Self {
        Self {
            result: Err(error),
            http_status: None,
            attempts: 0,
            acceptance: Acceptance::No,
            elapsed: Duration::ZERO,
            retry_after: None,
        }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::unsent(error)
    }
}
