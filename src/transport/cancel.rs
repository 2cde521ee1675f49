//! Cancels the current and future waits of other threads.

use std::sync::{Arc, Weak};
use std::time::Instant;

use super::socket::Socket;
use crate::sync::{Condvar, Mutex};

/// A flag shared by many calls. When it is set, their sleeps and their waits on watched connections end.
#[derive(Debug, Default)]
pub(super) struct Cancel {
    state: Mutex<State>,
    thrown: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_cancelled: bool,
    connections: Vec<Weak<Socket>>,
}

impl Cancel {
    /// Sets the flag and ends all sleeps and all waits on watched connections.
    pub(super) fn cancel(&self) {
        let connections = {
            let mut state = self.state.lock();
            state.is_cancelled = true;
            std::mem::take(&mut state.connections)
        };
        self.thrown.notify_all();
        // Shutting down a connection wakes the thread that is waiting on it.
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.end();
        }
    }

    /// Returns whether the flag is set.
    pub(super) fn is_cancelled(&self) -> bool {
        self.state.lock().is_cancelled
    }

    /// Registers `connection` to be shut down when the flag is set. Returns false if the flag is already set; the
    /// caller must then not wait on the connection.
    pub(super) fn watch(&self, connection: &Arc<Socket>) -> bool {
        let mut state = self.state.lock();
        state.connections.retain(|other| other.strong_count() > 0);
        state.connections.push(Arc::downgrade(connection));
        !state.is_cancelled
    }

    /// Waits until `deadline`. Returns false if the flag was set first.
    pub(super) fn sleep_until(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.is_cancelled {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.thrown.wait_timeout(state, left).0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn cancellation_ends_connections_and_sleep() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let soon = Some(Instant::now() + Duration::from_secs(10));
        let connection = Arc::new(Socket::start(listener.local_addr().unwrap()).unwrap());
        assert!(connection.finish(soon).unwrap());
        let cancel = Cancel::default();
        assert!(cancel.watch(&connection));
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| connection.read(&mut [0], soon).unwrap());
            let sleeper = scope.spawn(|| cancel.sleep_until(Instant::now() + Duration::from_secs(3600)));
            cancel.cancel();
            assert_eq!((reader.join().unwrap(), sleeper.join().unwrap()), (Some(0), false));
        });
        assert!(cancel.is_cancelled() && !cancel.watch(&connection));
    }

    #[test]
    fn a_sleep_with_a_past_deadline_returns_at_once() {
        assert!(Cancel::default().sleep_until(Instant::now()));
    }
}
