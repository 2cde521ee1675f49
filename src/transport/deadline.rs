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
    /// Creates the deadline that results from `limit` and expires when `time` has passed since `start`.
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

    /// Fails if the deadline has passed at `now`.
    pub(super) fn check(self, now: Instant) -> Result<(), Failure> {
        match self.at {
            Some(at) if at <= now => Err(Failure::TimedOut(self.limit)),
            _ => Ok(()),
        }
    }
}
