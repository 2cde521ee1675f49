//! A lock that is waited for no longer than a while, that nobody can be kept from for ever, and that a fork can take and
//! leave.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long somebody waits before newcomers are kept back. To hand over each time would cost a switch of threads each time.
const PATIENCE: Duration = Duration::from_millis(1);

/// How somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Woken whenever a turn ends, though others may be quicker again.
    Eager,
    /// Woken once, and then when patience ends: one who comes again and again is not to pay for a waking each time.
    Calm,
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct FairLock {
    state: Mutex<State>,
    /// For those who have waited for longer than their busy_timeout.
    ended_for_impatient: Condvar,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    /// How many wait and were not woken yet: to wake nobody costs a system call too.
    waiting: usize,
    impatient: usize,
}

impl State {
    /// Takes the turn, if that is free, and nobody has waited for too long.
    fn take(&mut self) -> bool {
        let is_free = !self.is_taken && self.impatient == 0;
        self.is_taken |= is_free;
        is_free
    }
}

/// A turn, which ends when this is dropped.
pub(crate) struct Held<'a>(&'a FairLock);

impl FairLock {
    /// Waits for a turn until `deadline`.
    pub(crate) fn acquire(&self, deadline: Instant, manner: Manner) -> Option<Held<'_>> {
        self.begin(deadline, manner).then(|| Held(self))
    }

    /// As [`FairLock::acquire`], to be ended by [`FairLock::end`].
    pub(crate) fn begin(&self, deadline: Instant, manner: Manner) -> bool {
        let mut state = self.state();
        if state.take() {
            return true;
        }
        let patience_ends = Instant::now().checked_add(PATIENCE).unwrap_or(deadline).min(deadline);
        while !left(patience_ends).is_zero() {
            state = self.wait(state, patience_ends);
            if state.take() {
                return true;
            }
            if manner == Manner::Calm {
                drop(state);
                std::thread::sleep(left(patience_ends));
                state = self.state();
            }
        }
        self.begin_impatiently(state, deadline)
    }

    /// Waits until the turn may be free.
    fn wait<'a>(&'a self, mut state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        state.waiting = state.waiting.saturating_add(1);
        let (mut state, wait) = self.ended.wait_timeout(state, left(until)).unwrap_or_else(PoisonError::into_inner);
        if wait.timed_out() {
            state.waiting = state.waiting.saturating_sub(1);
        }
        state
    }

    /// Goes on waiting, before all newcomers.
    fn begin_impatiently(&self, mut state: MutexGuard<'_, State>, deadline: Instant) -> bool {
        state.impatient = state.impatient.saturating_add(1);
        let mut is_in_time = true;
        while state.is_taken && is_in_time {
            let left = left(deadline);
            is_in_time = !left.is_zero();
            state = self.ended_for_impatient.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.impatient = state.impatient.saturating_sub(1);
        let is_free = !state.is_taken;
        state.is_taken = true;
        is_free
    }

    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_taken = false;
        let (is_anybody_impatient, is_anybody_waiting) = (state.impatient > 0, state.waiting > 0);
        if !is_anybody_impatient {
            state.waiting = state.waiting.saturating_sub(1);
        }
        // Who is woken is to find the state free too.
        drop(state);
        if is_anybody_impatient {
            self.ended_for_impatient.notify_one();
        } else if is_anybody_waiting {
            self.ended.notify_one();
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

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn there_is_one_turn_at_a_time() {
        let turn = FairLock::default();
        let held = turn.acquire(Instant::now(), Manner::Eager).unwrap();
        assert!(turn.acquire(Instant::now(), Manner::Eager).is_none());
        drop(held);
        assert!(turn.acquire(Instant::now(), Manner::Eager).is_some());
        assert!(turn.begin(Instant::now(), Manner::Eager));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| turn.acquire(soon(), Manner::Eager).is_some());
            turn.end();
            assert!(waiter.join().unwrap());
        });
    }

    #[test]
    fn nobody_is_kept_from_it_by_one_who_comes_again_and_again() {
        for manner in [Manner::Eager, Manner::Calm] {
            let turn = FairLock::default();
            let mut held = turn.acquire(soon(), Manner::Eager);
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| turn.acquire(soon(), manner).is_some());
                while !waiter.is_finished() {
                    drop(held.take());
                    held = turn.acquire(soon(), Manner::Eager);
                }
                assert!(waiter.join().unwrap());
            });
        }
    }

    #[test]
    fn many_threads_take_turns_and_each_gives_up_in_time() {
        let (turn, count) = (FairLock::default(), Mutex::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (turn, count) = (&turn, &count);
                scope.spawn(move || {
                    for _ in 0..500 {
                        let held = turn.acquire(soon(), [Manner::Eager, Manner::Calm][thread % 2]).unwrap();
                        *count.try_lock().unwrap() += 1;
                        drop(held);
                        turn.acquire(Instant::now(), Manner::Eager);
                    }
                });
            }
        });
        assert_eq!(*count.lock().unwrap(), 4000);
        assert!(turn.acquire(Instant::now(), Manner::Eager).is_some());
    }
}
