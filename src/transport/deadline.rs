//! When time runs out, and which limit that is.

use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration as Limit;

/// The end of the time that something has; none, if it lies beyond what a clock can tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Option<Instant>,
    limit: Timeout,
}

impl Deadline {
    /// The end of `time`, which begins at `start` and is called `limit`.
    pub(super) fn new(start: Instant, time: Duration, limit: Timeout) -> Self {
        Self { at: start.checked_add(time), limit }
    }

    /// Whichever comes first.
    pub(super) fn or(self, other: Self) -> Self {
        match (self.at, other.at) {
            (Some(own), Some(others)) if others < own => other,
            (None, Some(_)) => other,
            _ => self,
        }
    }

    /// The same end, under another name if it was called `from`.
    pub(super) fn renamed(self, from: Timeout, to: Timeout) -> Self {
        Self { limit: if self.limit == from { to } else { self.limit }, ..self }
    }

    /// What is left, as connections take it.
    pub(super) fn left(self) -> NextTimeout {
        let after = self.at.map_or(Limit::NotHappening, |at| at.saturating_duration_since(Instant::now()).into());
        NextTimeout { after, reason: self.limit, per_read: None, per_write: None }
    }

    /// As [`Deadline::left`]; an error if that is nothing.
    pub(super) fn check(self) -> Result<NextTimeout, ureq::Error> {
        let left = self.left();
        if left.after.is_zero() { Err(self.over()) } else { Ok(left) }
    }

    /// That the time is over.
    pub(super) fn over(self) -> ureq::Error {
        ureq::Error::Timeout(self.limit)
    }
}
