//! What the servers of one case have observed, and the progress of its client.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::case::LONG;

/// The longest wait of a server or the client for the other.
pub(crate) const LONGEST_WAIT: Duration = LONG;

/// Shared by the servers of a case and its client.
#[derive(Debug, Default)]
pub(crate) struct Observations {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// The state of a case.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// The number of request heads received, except those of `CONNECT`.
    pub(crate) requests: usize,
    /// Everything relevant that was received, in order.
    pub(crate) received: Vec<String>,
    /// The number of calls that have returned.
    pub(crate) returned: usize,
    /// Whether the client may make its second call.
    pub(crate) may_call: bool,
    /// Whether the case has ended.
    pub(crate) is_over: bool,
}

impl Seen {
    /// Whether a flood can stop: that many calls have returned, or the case has ended.
    pub(crate) fn is_flooded(&self, calls: usize) -> bool {
        self.returned >= calls || self.is_over
    }
}

impl Observations {
    /// Updates the state.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until `is_so`, up to a time limit.
    pub(crate) fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) {
        let seen = self.seen.lock().unwrap();
        drop(self.changed.wait_timeout_while(seen, LONGEST_WAIT, |seen| !is_so(seen) && !seen.is_over).unwrap());
    }

    /// Returns the current state.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}
