//! Which of the files that lay at the path of an outbox one after the other is in use now. The numbers of reports tell, so that
//! none is taken for one of another file.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Identity;

/// The bits of a report's number that say which row it is; those above, in which of the files that this process has seen.
const ROW_BITS: u32 = 48;

/// The files that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    /// Another whenever the file is.
    now: AtomicU64,
    /// How many files were damaged or removed.
    lost: AtomicU64,
    /// The file that was open last.
    known: Mutex<Option<Identity>>,
}

impl Generations {
    /// A number that is another for every file that there was.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }

    /// How many files were damaged or removed while this process used them, and began anew.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Acquire)
    }

    /// The number of a row of the file that is in use now.
    pub(crate) fn id(&self, row: u64) -> u64 {
        row | self.now().wrapping_shl(ROW_BITS)
    }

    /// The row of that number, unless it was one of a file that is gone.
    pub(crate) fn row(&self, id: u64) -> Option<u64> {
        let row = id & !u64::MAX.wrapping_shl(ROW_BITS);
        (self.id(row) == id).then_some(row)
    }

    pub(crate) fn file_was_lost(&self) {
        self.lost.fetch_add(1, Ordering::AcqRel);
        self.now.fetch_add(1, Ordering::AcqRel);
        *self.known() = None;
    }

    /// A file was opened. Another process may have set aside the one before, or somebody removed it, while it was not open
    /// here.
    pub(crate) fn found(&self, identity: Identity) {
        if self.known().is_some_and(|known| known != identity) {
            self.file_was_lost();
        }
        *self.known() = Some(identity);
    }

    fn known(&self) -> MutexGuard<'_, Option<Identity>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
