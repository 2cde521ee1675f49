//! Limits how long a call waits for a locked file.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::Mutex;

/// The minimum pause between two attempts and the maximum random addition to it, in nanoseconds. SQLite's own delays
/// grow, which starves the longest waiters.
const PAUSE_NS: (u64, u64) = (20_000, 80_000);

/// Whether a fork is waiting for the outboxes to be closed. Meanwhile, calls that wait for a locked file stop
/// waiting; most of them try again after the fork.
static IS_FORK_WAITING: AtomicBool = AtomicBool::new(false);

/// The number of forks that have begun to wait.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// Records whether a fork is waiting. While one is, calls do not wait for locked files.
pub(crate) fn set_fork_waiting(is_waiting: bool) {
    // The count is increased first, so that a call whose wait is interrupted sees the new count.
    FORKS.fetch_add(u64::from(is_waiting), Ordering::AcqRel);
    IS_FORK_WAITING.store(is_waiting, Ordering::Release);
}

/// Returns whether a fork is waiting for the outboxes to be closed.
pub(crate) fn is_fork_waiting() -> bool {
    IS_FORK_WAITING.load(Ordering::Acquire)
}

/// Waits until no fork is waiting for the outboxes to be closed, or until `deadline`. Returns the number of forks
/// that have begun to wait.
pub(crate) fn wait_for_forks(deadline: Instant) -> u64 {
    while is_fork_waiting() && Instant::now() < deadline {
        thread::sleep(Duration::from_nanos(PAUSE_NS.0));
    }
    forks()
}

/// Returns the number of forks that have begun to wait.
pub(crate) fn forks() -> u64 {
    FORKS.load(Ordering::Acquire)
}

/// A deadline that the connection's busy handler checks. All calls share it, because one call at a time uses the
/// connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct BusyTimeout(Arc<Mutex<Option<Instant>>>);

impl BusyTimeout {
    /// Creates a busy timeout that expires at `deadline`.
    pub(crate) fn until(deadline: Instant) -> Self {
        let busy_timeout = Self::default();
        busy_timeout.set_deadline(deadline);
        busy_timeout
    }

    pub(crate) fn set_deadline(&self, deadline: Instant) {
        *self.0.lock() = Some(deadline);
    }

    /// Returns whether the deadline has not passed and no fork is waiting.
    pub(crate) fn has_time(&self) -> bool {
        let deadline = *self.0.lock();
        !is_fork_waiting() && deadline.is_some_and(|deadline| Instant::now() < deadline)
    }

    /// Pauses briefly. Returns false without pausing if the deadline has passed or a fork is waiting.
    pub(crate) fn pause(&self) -> bool {
        let has_time = self.has_time();
        if has_time {
            let random = RandomState::new().hash_one(0_u8) % PAUSE_NS.1;
            thread::sleep(Duration::from_nanos(PAUSE_NS.0.saturating_add(random)));
        }
        has_time
    }

    /// Returns the busy handler for SQLite.
    pub(crate) fn handler(&self) -> impl FnMut(i32) -> bool + Send + 'static {
        let busy_timeout = self.clone();
        move |_| busy_timeout.pause()
    }
}
