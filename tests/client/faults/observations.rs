//! What the servers of a case have received, and the progress of its client.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::case::LONG;

/// The maximum time that a server or the client waits for the other.
pub(crate) const LONGEST_WAIT: Duration = LONG;

/// The state that the servers of a case share with its client.
#[derive(Debug, Default)]
pub(crate) struct Observations {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// A snapshot of the observations.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// The number of request heads that were received, not counting those of `CONNECT` requests.
    pub(crate) requests: usize,
    /// The received request heads, including those of `CONNECT` requests, and notes about SOCKS messages, in order.
    pub(crate) received: Vec<String>,
    /// The number of calls that have returned.
    pub(crate) returned: usize,
    /// Whether the client may make its second call.
    pub(crate) may_call: bool,
    /// Whether the case has ended.
    pub(crate) is_over: bool,
}

impl Seen {
    /// Returns whether a flood can stop because this number of calls have returned or the case has ended.
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

    /// Waits until `is_so` returns true or the case has ended, but at most [`LONGEST_WAIT`].
    pub(crate) fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) {
        let seen = self.seen.lock().unwrap();
        drop(self.changed.wait_timeout_while(seen, LONGEST_WAIT, |seen| !is_so(seen) && !seen.is_over).unwrap());
    }

    /// Returns the current state.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}
