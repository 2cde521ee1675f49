//! What the servers of one row have seen, and how far its client has come.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::row::LONG;

/// The longest that anybody here waits for anybody else.
pub(crate) const PATIENCE: Duration = LONG;

/// Shared by the servers of a row and its client.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What happened so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// Heads of requests that were received, those of `CONNECT` not counted.
    pub(crate) requests: usize,
    /// Everything worth telling that was received, in order.
    pub(crate) heard: Vec<String>,
    /// Calls from which the client has returned.
    pub(crate) returned: usize,
    /// Whether the client may make its second call.
    pub(crate) may_call: bool,
    /// Whether the row is over.
    pub(crate) is_over: bool,
}

impl Seen {
    /// Whether a flood has served its purpose: the client has returned from so many calls, or the row is over.
    pub(crate) fn is_flooded(&self, calls: usize) -> bool {
        self.returned >= calls || self.is_over
    }
}

impl Notes {
    /// Notes something.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until `is_so`, but not for ever.
    pub(crate) fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) {
        let seen = self.seen.lock().unwrap();
        drop(self.changed.wait_timeout_while(seen, PATIENCE, |seen| !is_so(seen) && !seen.is_over).unwrap());
    }

    /// What happened so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}
