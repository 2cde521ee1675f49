//! Which reports are picked: the newest and the oldest to be sent, and the oldest to expire if they are too old.

use super::error::Failure;
use super::queries::{Found, Search};
use super::{SqliteOutbox, queries, workers};
use crate::clock::Moment;
use crate::reporter::outbox::{Entry, EventKind, Fate, Settlement};

/// How many rows are looked at in one go.
const ROWS: u32 = 512;

/// How many reports are looked at in one go for being too old.
const EXPIRED_AT_ONCE: u32 = 1000;

impl SqliteOutbox {
    /// Takes entries that `skip` does not name, the oldest or the newest first, a chunk at a time, until there are `limit` or
    /// no more.
    pub(crate) fn pick(
        &self,
        limit: usize,
        skip: &dyn Fn(u64) -> bool,
        is_older: bool,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Failure> {
        let mut from = if is_older { u64::MAX } else { 0 };
        let mut state = self.state();
        while entries.len() < limit {
            let search =
                Search { from, is_for_older: is_older, limit: limit.saturating_sub(entries.len()), rows: ROWS };
            let found = self.find(search, &|id| !skip(id) && !state.taken.holds(id))?;
            entries.extend(found.entries.into_iter().filter(|entry| state.taken.add(entry)));
            let Some(last) = found.last else {
                break;
            };
            from = last;
        }
        Ok(())
    }

    /// Reports that `is_wanted` by their numbers. Rows that are damaged are removed and counted, so that one of them does not
    /// cost the whole outbox.
    fn find(&self, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found, Failure> {
        let found = self.store.read(workers(), |rows| {
            let id = |row| self.store.generations.id(row);
            let found = queries::find(rows, search, &|row| is_wanted(id(row)))?;
            let entries = found.entries.into_iter().map(|entry| Entry { id: id(entry.id), ..entry }).collect();
            Ok(Found { entries, ..found })
        })?;
        if !found.damaged.is_empty() {
            self.store.write(workers(), |rows| queries::remove_damaged(rows, &found.damaged))?;
        }
        Ok(found)
    }

    /// Makes events of what is too old among the oldest, and not taken. Returns how many.
    pub(crate) fn expire_rows(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Failure> {
        let limit = usize::try_from(EXPIRED_AT_ONCE).unwrap_or(usize::MAX);
        let search = Search { from: 0, is_for_older: false, limit, rows: EXPIRED_AT_ONCE };
        let oldest = self.find(search, &|_| true)?.entries;
        // Not in the order of their age, where the clock was set in between.
        let old = oldest.iter().filter(|entry| is_too_old(&entry.submitted));
        let fate = Fate::Event(EventKind::Expired, None, EventKind::Expired.message().to_owned());
        let expired = |entry: &Entry| Settlement { id: entry.id, fate: fate.clone() };
        let free = |entry: &&Entry| !self.state().taken.holds(entry.id);
        let batch: Vec<Settlement> = old.filter(free).map(expired).collect();
        if !batch.is_empty() {
            self.try_settle(&batch)?;
        }
        Ok(batch.len())
    }
}
