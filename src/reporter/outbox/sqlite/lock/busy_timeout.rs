//! The deadline until which a call waits for a locked file.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::Mutex;

/// Minimum pause between two attempts, and the maximum added to it, in nanoseconds. SQLite's own delays grow and starve
/// the longest waiters.
const PAUSE_NS: (u64, u64) = (20_000, 80_000);

/// A deadline that the connection's busy handler checks. One call uses the connection at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct BusyTimeout(Arc<Mutex<Option<Instant>>>);

impl BusyTimeout {
    /// A busy timeout that ends at `deadline`.
    pub(crate) fn until(deadline: Instant) -> Self {
        let busy_timeout = Self::default();
        busy_timeout.set_deadline(deadline);
        busy_timeout
    }

    pub(crate) fn set_deadline(&self, deadline: Instant) {
        *self.0.lock() = Some(deadline);
    }

    /// Pauses for a moment. False: the deadline has passed.
    pub(crate) fn pause(&self) -> bool {
        let deadline = *self.0.lock();
        let has_time = deadline.is_some_and(|deadline| Instant::now() < deadline);
        if has_time {
            let random = RandomState::new().hash_one(0_u8) % PAUSE_NS.1;
            thread::sleep(Duration::from_nanos(PAUSE_NS.0.saturating_add(random)));
        }
        has_time
    }

    /// The busy handler for SQLite.
    pub(crate) fn handler(&self) -> impl FnMut(i32) -> bool + Send + 'static {
        let busy_timeout = self.clone();
        move |_| busy_timeout.pause()
    }
}
