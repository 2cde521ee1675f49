//! A fair mutex with a deadline. Threads that have waited for 1 ms lock it before newcomers. Fork handlers may lock and
//! unlock it without a guard.

use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex};

/// The time after which a waiting thread precedes newcomers. Without this delay, each unlock would cost a context
/// switch while a thread waits.
const OVERDUE_AFTER: Duration = Duration::from_millis(1);

/// When a waiter is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// At every unlock, even if another thread may lock the mutex first.
    Always,
    /// Once, and again when the waiter is overdue, so that a thread that locks in a loop does not pay for a wakeup each
    /// time.
    Once,
    /// Never: the call does not wait.
    Never,
}

#[derive(Debug, Default)]
pub(crate) struct FairLock {
    state: Mutex<State>,
    /// Notified when the mutex is unlocked while a waiter is overdue.
    unlocked_for_overdue: Condvar,
    unlocked: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_locked: bool,
    /// The number of waiters not yet woken. Counted because notifying costs a system call even without a waiter.
    waiting: usize,
    overdue: usize,
}

impl State {
    /// Locks the mutex if it is free and no waiter is overdue.
    fn try_lock(&mut self) -> bool {
        let is_free = !self.is_locked && self.overdue == 0;
        self.is_locked |= is_free;
        is_free
    }
}

/// Unlocks the mutex when dropped.
pub(crate) struct Guard<'a>(&'a FairLock);

impl FairLock {
    /// Waits for the mutex and locks it. Returns None if `deadline` passes first, or if the call would have to wait
    /// and `wake` is [`Wake::Never`].
    pub(crate) fn acquire(&self, deadline: Instant, wake: Wake) -> Option<Guard<'_>> {
        self.lock(deadline, wake).then(|| Guard(self))
    }

    /// Like [`FairLock::acquire`], but returns no guard: the caller must call [`FairLock::unlock`]. Returns whether
    /// the mutex was locked.
    pub(crate) fn lock(&self, deadline: Instant, wake: Wake) -> bool {
        let mut state = self.state();
        if state.try_lock() {
            return true;
        }
        if wake == Wake::Never {
            return false;
        }
        let overdue_at = Instant::now().checked_add(OVERDUE_AFTER).unwrap_or(deadline).min(deadline);
        while !remaining(overdue_at).is_zero() {
            state = self.wait(state, overdue_at);
            if state.try_lock() {
                return true;
            }
            if wake == Wake::Once {
                drop(state);
                std::thread::sleep(remaining(overdue_at));
                state = self.state();
            }
        }
        self.lock_overdue(state, deadline)
    }

    /// Waits until the mutex may be free, or until `until`.
    fn wait<'a>(&'a self, mut state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        state.waiting = state.waiting.saturating_add(1);
        let (mut state, wait) = self.unlocked.wait_timeout(state, remaining(until));
        if wait.timed_out() {
            state.waiting = state.waiting.saturating_sub(1);
        }
        state
    }

    /// Continues to wait, ahead of all newcomers. Returns false if `deadline` passes first.
    fn lock_overdue(&self, mut state: MutexGuard<'_, State>, deadline: Instant) -> bool {
        state.overdue = state.overdue.saturating_add(1);
        let mut is_in_time = true;
        while state.is_locked && is_in_time {
            let left = remaining(deadline);
            is_in_time = !left.is_zero();
            state = self.unlocked_for_overdue.wait_timeout(state, left).0;
        }
        state.overdue = state.overdue.saturating_sub(1);
        let is_free = !state.is_locked;
        state.is_locked = true;
        is_free
    }

    pub(crate) fn unlock(&self) {
        let mut state = self.state();
        state.is_locked = false;
        let (has_overdue, has_waiting) = (state.overdue > 0, state.waiting > 0);
        if !has_overdue {
            state.waiting = state.waiting.saturating_sub(1);
        }
        // The state is unlocked first, so that the woken thread need not wait for it.
        drop(state);
        if has_overdue {
            self.unlocked_for_overdue.notify_one();
        } else if has_waiting {
            self.unlocked.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

fn remaining(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far_deadline() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn lock_has_one_holder_at_a_time() {
        let lock = FairLock::default();
        let guard = lock.acquire(Instant::now(), Wake::Always).unwrap();
        assert!(lock.acquire(Instant::now(), Wake::Always).is_none());
        assert!(lock.acquire(far_deadline(), Wake::Never).is_none());
        drop(guard);
        assert!(lock.acquire(far_deadline(), Wake::Never).is_some());
        assert!(lock.acquire(Instant::now(), Wake::Always).is_some());
        assert!(lock.lock(Instant::now(), Wake::Always));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| lock.acquire(far_deadline(), Wake::Always).is_some());
            lock.unlock();
            assert!(waiter.join().unwrap());
        });
    }

    #[test]
    fn thread_that_locks_in_a_loop_does_not_starve_others() {
        for wake in [Wake::Always, Wake::Once] {
            let lock = FairLock::default();
            let mut guard = lock.acquire(far_deadline(), Wake::Always);
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| lock.acquire(far_deadline(), wake).is_some());
                while !waiter.is_finished() {
                    drop(guard.take());
                    guard = lock.acquire(far_deadline(), Wake::Always);
                }
                assert!(waiter.join().unwrap());
            });
        }
    }

    #[test]
    fn many_threads_lock_and_time_out() {
        let (lock, count) = (FairLock::default(), std::sync::Mutex::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (lock, count) = (&lock, &count);
                scope.spawn(move || {
                    for _ in 0..500 {
                        let guard = lock.acquire(far_deadline(), [Wake::Always, Wake::Once][thread % 2]).unwrap();
                        *count.try_lock().unwrap() += 1;
                        drop(guard);
                        lock.acquire(Instant::now(), Wake::Always);
                    }
                });
            }
        });
        assert_eq!(*count.lock().unwrap(), 4000);
        assert!(lock.acquire(Instant::now(), Wake::Always).is_some());
    }
}
