//! Tracks which generation of the outbox file is open. Report ids carry the generation, so an id from a removed or
//! quarantined file does not match a row of the new file.

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Identity;
use crate::sync::Mutex;

/// The number of low bits of a report id that hold the row. The bits above them hold the generation.
const ROW_BITS: u32 = 48;

/// The largest row id.
pub(crate) const MAX_ROW: i64 = (1 << ROW_BITS) - 1;

/// The generations of the file that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    /// The current generation, which changes whenever the file is replaced.
    current: AtomicU64,
    /// The number of times that the file was replaced because it was damaged or removed.
    resets: AtomicU64,
    /// The identity of the file opened last.
    known: Mutex<Option<Identity>>,
}

impl Generations {
    pub(crate) fn current(&self) -> u64 {
        self.current.load(Ordering::Acquire)
    }

    /// Returns how many times the file was replaced, because it was damaged or removed, while this process used it.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.load(Ordering::Acquire)
    }

    /// Returns the report id of a row in the current file.
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

    /// Records that a file was opened. Advances the generation if the file is not the one opened before. Another
    /// process may have quarantined that file, or a user may have removed it, while this process did not have it
    /// open.
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
