//! A lock that is waited for no longer than a while, and that a fork can take and leave.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turn {
    is_taken: Mutex<bool>,
    ended: Condvar,
}

/// A turn, which ends when this is dropped.
pub(super) struct Held<'a>(&'a Turn);

impl Turn {
    /// Waits for a turn until `deadline`.
    pub(super) fn take(&self, deadline: Instant) -> Option<Held<'_>> {
        self.begin(deadline).then(|| Held(self))
    }

    /// As [`Turn::take`], to be ended by [`Turn::end`].
    pub(super) fn begin(&self, deadline: Instant) -> bool {
        let mut is_taken = self.is_taken();
        while *is_taken {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            is_taken = self.ended.wait_timeout(is_taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_taken = true;
        true
    }

    pub(super) fn end(&self) {
        *self.is_taken() = false;
        self.ended.notify_one();
    }

    fn is_taken(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn there_is_one_turn_at_a_time() {
        let turn = Turn::default();
        let held = turn.take(Instant::now()).unwrap();
        assert!(turn.take(Instant::now()).is_none());
        drop(held);
        assert!(turn.take(Instant::now()).is_some());
        assert!(turn.begin(Instant::now()));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| turn.take(Instant::now() + Duration::from_secs(60)).is_some());
            turn.end();
            assert!(waiter.join().unwrap());
        });
    }
}
