//! Tracks which generation of the outbox file is open. Report ids carry the generation, so an id from a deleted or
//! quarantined file never matches a row of the new one.

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Identity;
use crate::sync::Mutex;

/// The number of low bits of a report id that hold the row. The bits above them hold the generation.
const ROW_BITS: u32 = 48;

/// The generations of the file that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    /// The current generation, which changes whenever the file is replaced.
    current: AtomicU64,
    /// The number of files that were damaged or removed, and replaced.
    resets: AtomicU64,
    /// The identity of the file opened last.
    known: Mutex<Option<Identity>>,
}

impl Generations {
    /// Returns the current generation.
    pub(crate) fn current(&self) -> u64 {
        self.current.load(Ordering::Acquire)
    }

    /// Returns the number of files that were damaged or removed, and replaced, while this process used them.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.load(Ordering::Acquire)
    }

    /// Returns the id of a row in the current file.
    pub(crate) fn id(&self, row: u64) -> u64 {
        row | self.current().wrapping_shl(ROW_BITS)
    }

    /// Returns the row of a report id, or None if the id belongs to an earlier file.
    pub(crate) fn row(&self, id: u64) -> Option<u64> {
        let row = id & !u64::MAX.wrapping_shl(ROW_BITS);
        (self.id(row) == id).then_some(row)
    }

    pub(crate) fn advance(&self) {
        self.resets.fetch_add(1, Ordering::AcqRel);
        self.current.fetch_add(1, Ordering::AcqRel);
        *self.known() = None;
    }

    /// Records that a file was opened. Advances the generation if it is not the previous file, which another process
    /// may have quarantined, or a user removed, while it was not open here.
    pub(crate) fn opened(&self, identity: Identity) {
        if self.known().is_some_and(|known| known != identity) {
            self.advance();
        }
        *self.known() = Some(identity);
    }

    fn known(&self) -> MutexGuard<'_, Option<Identity>> {
        self.known.lock()
    }
}
