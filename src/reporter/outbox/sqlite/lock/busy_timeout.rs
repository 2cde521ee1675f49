//! How long a call waits for others that have the file locked.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The shortest rest between two looks, and the most that is added to it. SQLite's own waits grow long, and starve those
/// who wait for longest.
const REST: (u64, u64) = (20_000, 80_000);

/// A deadline that the connection's busy handler looks at. One call uses the connection at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct BusyTimeout(Arc<Mutex<Option<Instant>>>);

impl BusyTimeout {
    /// BusyTimeout until `deadline`.
    pub(crate) fn until(deadline: Instant) -> Self {
        let busy_timeout = Self::default();
        busy_timeout.lasts_until(deadline);
        busy_timeout
    }

    pub(crate) fn lasts_until(&self, deadline: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
    }

    /// Waits for a moment. False: the busy_timeout is at its end.
    pub(crate) fn rest(&self) -> bool {
        let deadline = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_time = deadline.is_some_and(|deadline| Instant::now() < deadline);
        if has_time {
            let random = RandomState::new().hash_one(0_u8) % REST.1;
            thread::sleep(Duration::from_nanos(REST.0.saturating_add(random)));
        }
        has_time
    }

    /// What SQLite asks whether to try again.
    pub(crate) fn handler(&self) -> impl FnMut(i32) -> bool + Send + 'static {
        let busy_timeout = self.clone();
        move |_| busy_timeout.rest()
    }
}
