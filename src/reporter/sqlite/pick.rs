//! Which reports are picked: the newest and the oldest to be sent, and the oldest to be set aside if they are too old.

use super::epochs::row_of_any;
use super::failure::Failure;
use super::{SqliteOutbox, rows, workers};
use crate::clock::Moment;
use crate::reporter::outbox::{Entry, Fate, Reason, Settlement};

/// How many rows are read in one go.
const CHUNK: u32 = 64;

/// How many reports are looked at in one go for being too old.
const EXPIRED_AT_ONCE: u32 = 1000;

impl SqliteOutbox {
    /// Takes entries that `skip` does not name, the oldest or the newest first, a chunk at a time, until there are `limit` or
    /// no more.
    pub(super) fn pick(
        &self,
        limit: usize,
        skip: &dyn Fn(u64) -> bool,
        is_older: bool,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Failure> {
        let mut last = if is_older { u64::MAX } else { 0 };
        while entries.len() < limit {
            let found = self.beside(last, is_older, CHUNK)?;
            let Some(end) = found.last() else {
                break;
            };
            last = row_of_any(end.id);
            let mut state = self.state();
            for entry in found {
                if entries.len() < limit && !skip(entry.id) && state.taken.add(&entry) {
                    entries.push(entry);
                }
            }
        }
        Ok(())
    }

    /// Reports next to a row, with their numbers.
    fn beside(&self, row: u64, is_older: bool, limit: u32) -> Result<Vec<Entry>, Failure> {
        self.store.read(workers(), |rows| {
            let found = rows::beside(rows, row, is_older, limit)?;
            Ok(found.into_iter().map(|entry| Entry { id: self.store.epochs.id(entry.id), ..entry }).collect())
        })
    }

    /// Sets aside what is too old among the oldest, and not taken. Tells how many.
    pub(super) fn expire_rows(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Failure> {
        let oldest = self.beside(0, false, EXPIRED_AT_ONCE)?;
        // Not in the order of their age, where the clock was set in between.
        let old = oldest.iter().filter(|entry| is_too_old(&entry.accepted));
        let fate = Fate::Aside(Reason::Expired, None, Reason::Expired.told().to_owned());
        let expired = |entry: &Entry| Settlement { id: entry.id, fate: fate.clone() };
        let free = |entry: &&Entry| !self.state().taken.holds(entry.id);
        let batch: Vec<Settlement> = old.filter(free).map(expired).collect();
        if !batch.is_empty() {
            self.try_settle(&batch)?;
        }
        Ok(batch.len())
    }
}
