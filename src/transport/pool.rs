//! Keeps idle connections for later requests.

use std::time::{Duration, Instant};

use super::connection::Connection;
use crate::sync::Mutex;

/// The time after which an idle connection is no longer used.
const IDLE_TIME: Duration = Duration::from_secs(15);

/// The idle connections of one service. The most recently used one is reused first, so that surplus connections exceed
/// the idle time and are closed.
#[derive(Debug)]
pub(super) struct Pool {
    /// The connections in the order of their return to the pool.
    idle: Mutex<Vec<Idle>>,
    most: usize,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// Creates a pool that keeps up to `most` connections.
    pub(super) fn new(most: usize) -> Self {
        Self { idle: Mutex::default(), most }
    }

    /// Removes and returns an open connection that has not exceeded the idle time at `now`, if there is one. Closes
    /// the unusable connections that it finds.
    pub(super) fn acquire(&self, now: Instant) -> Option<Connection> {
        loop {
            let mut newest = self.idle.lock().pop()?;
            if now.saturating_duration_since(newest.since) > IDLE_TIME {
                self.clear();
                return None;
            }
            if newest.connection.is_idle() {
                return Some(newest.connection);
            }
        }
    }

    /// Keeps a connection for a later request, unless the pool is full. Closes connections that exceed the idle time.
    pub(super) fn put(&self, connection: Connection) {
        let since = Instant::now();
        let mut idle = self.idle.lock();
        let old = idle.partition_point(|idle| since.saturating_duration_since(idle.since) > IDLE_TIME);
        let old: Vec<Idle> = idle.drain(..old).collect();
        if idle.len() < self.most {
            idle.push(Idle { connection, since });
        }
        // The lock is released before connections are closed.
        drop(idle);
        drop(old);
    }

    /// Closes all connections.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.idle.lock());
        drop(all);
    }
}
