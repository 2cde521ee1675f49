//! One process sends what is in an outbox: the one that has a byte of its lock file for itself. The kernel frees it the
//! moment its holder dies, so there are no leases, and no clocks to compare.

use std::fs;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::failure::Failure;
use super::file::Place;
use crate::sys::events::{Change, Descriptor, Watch, Watched};
use crate::sys::files::{self, Sharing};

/// The byte of the lock file that the sending process has.
const LEAD_BYTE: i64 = 0;

/// Whether this process sends, and what it notices of the others.
#[derive(Debug)]
pub(super) struct Lead {
    state: Mutex<State>,
    watch: Option<Watch>,
}

#[derive(Debug, Default)]
struct State {
    lock: Option<Descriptor>,
    is_leading: bool,
    log: Option<Watched>,
    /// In which epoch of the outbox the log was found.
    epoch: u64,
}

impl Lead {
    /// Without a watch, of which a system has only so many, others are looked for now and then.
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), watch: Watch::new().ok() }
    }

    /// Tries to be the one that sends. The epoch is another when the file at `place` is.
    pub(super) fn seek(&self, place: &Place, epoch: u64) -> Result<bool, Failure> {
        let mut state = self.state();
        if state.epoch != epoch {
            self.forget_log(&mut state);
        }
        if !state.lock.as_ref().is_some_and(|lock| is_current(lock, place)) {
            *state = State { lock: Some(self.open(place)?), ..State::default() };
        }
        if !state.is_leading {
            let is_free = state.lock.as_ref().map(|lock| files::try_lock(lock.file(), LEAD_BYTE, Sharing::Exclusive));
            state.is_leading = is_free.transpose()?.unwrap_or(false);
        }
        if state.is_leading && state.log.is_none() {
            let log = self.watch.as_ref().and_then(|watch| watch.add(&place.beside("-wal"), Change::Written).ok());
            (state.log, state.epoch) = (log, epoch);
        }
        Ok(state.is_leading)
    }

    /// The lock file, of which others notice when it is closed.
    fn open(&self, place: &Place) -> Result<Descriptor, Failure> {
        let lock = place.open_lock()?;
        if let Some(watch) = &self.watch {
            watch.add(&place.beside(".lock"), Change::Closed).ok();
        }
        Ok(lock)
    }

    /// Lets others send.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        self.forget_log(&mut state);
        if let Some(lock) = &state.lock {
            files::unlock(lock.file(), LEAD_BYTE).ok();
        }
        // Closed only now, so that those who notice find it unlocked.
        *state = State::default();
    }

    fn forget_log(&self, state: &mut State) {
        if let (Some(watch), Some(log)) = (&self.watch, state.log.take()) {
            watch.remove(log);
        }
    }

    /// Whether what others write is noticed.
    pub(super) fn notices(&self) -> bool {
        self.state().log.is_some()
    }

    pub(super) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(Watch::as_fd)
    }

    pub(super) fn hush(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::hush)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// Whether the lock is on the file that its path names, which somebody may have removed.
fn is_current(lock: &Descriptor, place: &Place) -> bool {
    let own = lock.file().metadata();
    let found = fs::metadata(place.beside(".lock"));
    own.is_ok_and(|own| found.is_ok_and(|found| (own.dev(), own.ino()) == (found.dev(), found.ino())))
}
