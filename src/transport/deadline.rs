//! Deadlines, and which time limit each results from.

use std::time::{Duration, Instant};

use super::error::{Failure, Limit};

/// A deadline; none if it is beyond the range of the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Option<Instant>,
    pub(super) limit: Limit,
}

impl Deadline {
    /// The deadline `time` after `start`, which results from `limit`.
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

    /// Returns the remaining time, none if there is no deadline; an error if none remains.
    pub(super) fn left(self) -> Result<Option<Duration>, Failure> {
        let Some(at) = self.at else {
            return Ok(None);
        };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Failure::TimedOut(self.limit)) } else { Ok(Some(left)) }
    }
}
