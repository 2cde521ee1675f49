//! Deadlines, and which timeout each results from.

use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration as Limit;

/// A deadline; none if it is beyond the range of the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Option<Instant>,
    limit: Timeout,
}

impl Deadline {
    /// The deadline `time` after `start`, which results from `limit`.
    pub(super) fn new(start: Instant, time: Duration, limit: Timeout) -> Self {
        Self { at: start.checked_add(time), limit }
    }

    /// Returns the earlier deadline.
    pub(super) fn or(self, other: Self) -> Self {
        match (self.at, other.at) {
            (Some(own), Some(others)) if others < own => other,
            (None, Some(_)) => other,
            _ => self,
        }
    }

    /// The same deadline with the limit `to` if its limit is `from`.
    pub(super) fn renamed(self, from: Timeout, to: Timeout) -> Self {
        Self { limit: if self.limit == from { to } else { self.limit }, ..self }
    }

    /// Returns the remaining time in the form that connections use.
    pub(super) fn left(self) -> NextTimeout {
        let after = self.at.map_or(Limit::NotHappening, |at| at.saturating_duration_since(Instant::now()).into());
        NextTimeout { after, reason: self.limit, per_read: None, per_write: None }
    }

    /// As [`Deadline::left`], but an error if no time remains.
    pub(super) fn check(self) -> Result<NextTimeout, ureq::Error> {
        let left = self.left();
        if left.after.is_zero() { Err(self.over()) } else { Ok(left) }
    }

    /// The error for an expired deadline.
    pub(super) fn over(self) -> ureq::Error {
        ureq::Error::Timeout(self.limit)
    }
}
