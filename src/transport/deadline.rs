//! Deadlines, each with the time limit from which it results.

use std::time::{Duration, Instant};

use super::error::{Failure, Limit};

/// A deadline. It never expires if it is beyond the range of the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Option<Instant>,
    pub(super) limit: Limit,
}

impl Deadline {
    /// Creates a deadline at `time` after `start`. It results from `limit`.
    pub(super) fn new(start: Instant, time: Duration, limit: Limit) -> Self {
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

    /// Returns the remaining time, or None if the deadline never expires. Fails if the deadline has passed.
    pub(super) fn left(self) -> Result<Option<Duration>, Failure> {
        let Some(at) = self.at else {
            return Ok(None);
        };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Failure::TimedOut(self.limit)) } else { Ok(Some(left)) }
    }
}
