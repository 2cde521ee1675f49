//! A separate connection for checkpoints, so that they do not block writers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use crate::reporter::outbox::sqlite::file::OutboxPath;
use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;

/// The connection and the generation of its file. Reused by later checkpoints.
#[derive(Default)]
pub(crate) struct CheckpointConnection {
    open: Mutex<Option<(u64, Connection)>>,
    busy_timeout: BusyTimeout,
}

impl CheckpointConnection {
    /// Sets how long to wait for others.
    pub(crate) fn set_deadline(&self, deadline: Instant) {
        self.busy_timeout.set_deadline(deadline);
    }

    /// Runs `work` if a connection to the file of that generation is available.
    pub(crate) fn with(&self, outbox_path: &OutboxPath, generation: u64, work: &mut dyn FnMut(&Connection)) {
        let mut open = self.open();
        if open.as_ref().is_none_or(|(current, _)| *current != generation) {
            *open = outbox_path.connect(&self.busy_timeout).ok().map(|connection| (generation, connection));
        }
        if let Some((_, connection)) = &*open {
            work(connection);
        }
    }

    pub(crate) fn close(&self) {
        *self.open() = None;
    }

    fn open(&self) -> MutexGuard<'_, Option<(u64, Connection)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
