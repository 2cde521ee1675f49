//! A lock that is waited for no longer than a while, that nobody can be kept from for ever, and that a fork can take and
//! leave.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long somebody waits before newcomers are kept back. To hand over each time would cost a switch of threads each time.
const PATIENCE: Duration = Duration::from_millis(1);

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turn {
    state: Mutex<State>,
    /// For those who have waited for longer than their patience.
    ended_for_impatient: Condvar,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    /// How many wait: to wake nobody costs a system call too.
    waiting: usize,
    impatient: usize,
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
        let mut state = self.state();
        if !state.is_taken && state.impatient == 0 {
            state.is_taken = true;
            return true;
        }
        let patience_ends = Instant::now().checked_add(PATIENCE).unwrap_or(deadline);
        loop {
            let left = patience_ends.min(deadline).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.begin_impatiently(state, deadline);
            }
            state.waiting = state.waiting.saturating_add(1);
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            state.waiting = state.waiting.saturating_sub(1);
            if !state.is_taken && state.impatient == 0 {
                state.is_taken = true;
                return true;
            }
        }
    }

    /// Goes on waiting, before all newcomers.
    fn begin_impatiently(&self, mut state: MutexGuard<'_, State>, deadline: Instant) -> bool {
        state.impatient = state.impatient.saturating_add(1);
        let mut is_in_time = true;
        while state.is_taken && is_in_time {
            let left = deadline.saturating_duration_since(Instant::now());
            is_in_time = !left.is_zero();
            state = self.ended_for_impatient.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.impatient = state.impatient.saturating_sub(1);
        let is_free = !state.is_taken;
        state.is_taken = true;
        is_free
    }

    pub(super) fn end(&self) {
        let mut state = self.state();
        state.is_taken = false;
        match (state.impatient, state.waiting) {
            (0, 0) => {}
            (0, _) => self.ended.notify_one(),
            _ => self.ended_for_impatient.notify_one(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn there_is_one_turn_at_a_time() {
        let turn = Turn::default();
        let held = turn.take(Instant::now()).unwrap();
        assert!(turn.take(Instant::now()).is_none());
        drop(held);
        assert!(turn.take(Instant::now()).is_some());
        assert!(turn.begin(Instant::now()));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| turn.take(soon()).is_some());
            turn.end();
            assert!(waiter.join().unwrap());
        });
    }

    #[test]
    fn nobody_is_kept_from_it_by_one_who_comes_again_and_again() {
        let turn = Turn::default();
        let mut held = turn.take(soon());
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| turn.take(soon()).is_some());
            while !waiter.is_finished() {
                drop(held.take());
                held = turn.take(soon());
            }
            assert!(waiter.join().unwrap());
        });
    }

    #[test]
    fn many_threads_take_turns_and_each_gives_up_in_time() {
        let (turn, count) = (Turn::default(), Mutex::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let held = turn.take(soon()).unwrap();
                        *count.try_lock().unwrap() += 1;
                        drop(held);
                        turn.take(Instant::now());
                    }
                });
            }
        });
        assert_eq!(*count.lock().unwrap(), 4000);
        assert!(turn.take(Instant::now()).is_some());
    }
}
