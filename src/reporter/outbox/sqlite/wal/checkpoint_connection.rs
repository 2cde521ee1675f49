//! The connection that checkpoints are made with: one of their own, so that they do not hinder those who write.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use crate::reporter::outbox::sqlite::file::OutboxPath;
use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;

/// The connection, and the epoch it is of. It is kept from one checkpoint to the next.
#[derive(Default)]
pub(crate) struct CheckpointConnection {
    open: Mutex<Option<(u64, Connection)>>,
    busy_timeout: BusyTimeout,
}

impl CheckpointConnection {
    /// Others are waited for until `deadline`.
    pub(crate) fn waits_until(&self, deadline: Instant) {
        self.busy_timeout.lasts_until(deadline);
    }

    /// Does `work`, if a connection to the file of that epoch can be had.
    pub(crate) fn with(&self, place: &OutboxPath, epoch: u64, work: &mut dyn FnMut(&Connection)) {
        let mut open = self.open();
        if open.as_ref().is_none_or(|(of, _)| *of != epoch) {
            *open = place.connect(&self.busy_timeout).ok().map(|made| (epoch, made));
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
