//! One flush of the log to the disk for many threads that wait for it.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Which writes have reached the disk.
#[derive(Debug, Default)]
pub(super) struct Sync {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many writes were made.
    written: u64,
    /// How many of them have reached the disk.
    synced: u64,
    is_under_way: bool,
    /// How many flushes have failed, and why the last one did.
    failures: u64,
    failure: Option<(io::ErrorKind, String)>,
}

impl Sync {
    /// Notes that a write was made, and gives its number.
    pub(super) fn written(&self) -> u64 {
        let mut state = self.state();
        state.written = state.written.saturating_add(1);
        state.written
    }

    /// Waits until the write of that number has reached the disk. One of those who wait flushes for all whose writes were
    /// made before.
    pub(super) fn wait(&self, write: u64, log: &Arc<File>) -> io::Result<()> {
        let mut state = self.state();
        let failures = state.failures;
        while state.synced < write {
            if state.failures > failures {
                return Err(state.last_failure());
            }
            state = if state.is_under_way {
                self.ended.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.flush(state, log)
            };
        }
        Ok(())
    }

    fn flush<'a>(&'a self, mut state: MutexGuard<'a, State>, log: &Arc<File>) -> MutexGuard<'a, State> {
        state.is_under_way = true;
        let written = state.written;
        drop(state);
        let flushed = log.sync_data();
        let mut state = self.state();
        state.is_under_way = false;
        match flushed {
            Ok(()) => state.synced = state.synced.max(written),
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                state.failure = Some((error.kind(), error.to_string()));
            }
        }
        self.ended.notify_all();
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn last_failure(&self) -> io::Error {
        match &self.failure {
            Some((kind, told)) => io::Error::new(*kind, told.clone()),
            None => io::Error::other("the disk did not say why"),
        }
    }
}
