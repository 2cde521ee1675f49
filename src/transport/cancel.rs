//! Ends what other threads are waiting for, at once and for good.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::socket::Socket;

/// A switch that many calls share: once thrown, every wait of theirs ends, and no new one begins.
#[derive(Debug, Default)]
pub(super) struct Cancel {
    state: Mutex<State>,
    thrown: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_thrown: bool,
    connections: Vec<Weak<Socket>>,
}

impl Cancel {
    /// Ends every wait.
    pub(super) fn throw(&self) {
        let connections = {
            let mut state = self.state();
            state.is_thrown = true;
            std::mem::take(&mut state.connections)
        };
        self.thrown.notify_all();
        // A thread that waits on a connection wakes up to its end.
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.end();
        }
    }

    /// Whether the switch was thrown.
    pub(super) fn is_thrown(&self) -> bool {
        self.state().is_thrown
    }

    /// Has `connection` ended when the switch is thrown. False: it was thrown already.
    pub(super) fn watch(&self, connection: &Arc<Socket>) -> bool {
        let mut state = self.state();
        state.connections.retain(|other| other.strong_count() > 0);
        state.connections.push(Arc::downgrade(connection));
        !state.is_thrown
    }

    /// Waits until `deadline`. False: the switch was thrown first.
    pub(super) fn sleep_until(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        while !state.is_thrown {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.thrown.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thrown_switch_ends_connections_and_sleep() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let soon = Some(Instant::now() + Duration::from_secs(10));
        let connection = Arc::new(Socket::begin(listener.local_addr().unwrap()).unwrap());
        assert!(connection.finish(soon).unwrap());
        let cancel = Cancel::default();
        assert!(cancel.watch(&connection));
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| connection.read(&mut [0], soon).unwrap());
            let sleeper = scope.spawn(|| cancel.sleep_until(Instant::now() + Duration::from_secs(3600)));
            cancel.throw();
            assert_eq!((reader.join().unwrap(), sleeper.join().unwrap()), (Some(0), false));
        });
        assert!(cancel.is_thrown() && !cancel.watch(&connection));
    }

    #[test]
    fn a_sleep_whose_time_has_come_is_over() {
        assert!(Cancel::default().sleep_until(Instant::now()));
    }
}
