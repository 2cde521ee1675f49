//! The outcome of one report.

use std::time::Duration;

use crate::error::Error;

/// Whether the service accepted a report in any attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Acceptance {
    /// No. Each attempt wrote no part of the request, or was rejected by a 401, 402, 420, 422, 423 or 429 response.
    No,
    /// Unknown. At least one attempt may have written a part of the request and got none of these responses, and no
    /// attempt got a 2xx response.
    Unknown,
    /// Yes. An attempt got a 2xx response.
    Yes,
}

/// The outcome of one report, on success and on failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Ok if the service accepted the report; otherwise, the error.
    pub result: Result<(), Error>,
    /// The HTTP status of the response to the last attempt; None if it got no response or the report was cancelled.
    pub http_status: Option<u16>,
    /// The number of requests attempted.
    pub attempts: u32,
    /// Whether the service may have accepted the report.
    pub acceptance: Acceptance,
    /// The duration of the report: all attempts, the pauses between them and, in [`report`](crate::report), the check
    /// of the options.
    pub elapsed: Duration,
    /// The suggested delay before a retry: the delay that the last response requested, or else a back-off delay that
    /// would have exceeded the time limit. None if there is neither, or if the report was accepted or cancelled.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// Returns the outcome of a report that failed before anything was sent.
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
