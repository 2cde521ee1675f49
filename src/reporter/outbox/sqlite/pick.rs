//! Selects reports: the newest and the oldest for sending, and the oldest that have expired.

use super::error::Failure;
use super::queries::{Found, Search};
use super::{SqliteOutbox, queries, worker_access};
use crate::clock::Moment;
use crate::reporter::outbox::{Completion, Disposition, Entry, EventKind};

/// How many rows one query reads.
const CHUNK_ROWS: u32 = 512;

/// How many reports one call checks for their age.
const EXPIRY_BATCH_SIZE: u32 = 1000;

impl SqliteOutbox {
    /// Claims entries for which `skip` returns false, the newest or the oldest first, one chunk at a time, until there
    /// are `limit` or no more.
    pub(crate) fn pick(
        &self,
        limit: usize,
        skip: &dyn Fn(u64) -> bool,
        newest_first: bool,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Failure> {
        let mut from = if newest_first { u64::MAX } else { 0 };
        let mut state = self.state();
        while entries.len() < limit {
            let search = Search { from, newest_first, limit: limit.saturating_sub(entries.len()), rows: CHUNK_ROWS };
            let found = self.find(search, &|id| !skip(id) && !state.claims.contains(id))?;
            entries.extend(found.entries.into_iter().filter(|entry| state.claims.add(entry)));
            let Some(last) = found.last else {
                break;
            };
            from = last;
        }
        Ok(())
    }

    /// Finds reports whose ids satisfy `is_wanted`. Removes and counts damaged rows, so that one of them does not cost
    /// the whole outbox.
    fn find(&self, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found, Failure> {
        let found = self.store.read(worker_access(), |rows| {
            let id = |row| self.store.generations.id(row);
            let found = queries::find(rows, search, &|row| is_wanted(id(row)))?;
            let entries = found.entries.into_iter().map(|entry| Entry { id: id(entry.id), ..entry }).collect();
            Ok(Found { entries, ..found })
        })?;
        if !found.damaged.is_empty() {
            self.store.write(worker_access(), |rows| queries::remove_damaged(rows, &found.damaged))?;
        }
        Ok(found)
    }

    /// Turns expired reports among the oldest, except claimed ones, into events. Returns how many.
    pub(crate) fn expire_rows(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Failure> {
        let limit = usize::try_from(EXPIRY_BATCH_SIZE).unwrap_or(usize::MAX);
        let search = Search { from: 0, newest_first: false, limit, rows: EXPIRY_BATCH_SIZE };
        let oldest = self.find(search, &|_| true)?.entries;
        // If the clock was set, the order is not the order of age.
        let expired = oldest.iter().filter(|entry| is_too_old(&entry.submitted));
        let disposition = Disposition::Event(EventKind::Expired, None, EventKind::Expired.message().to_owned());
        let completion = |entry: &Entry| Completion { id: entry.id, disposition: disposition.clone() };
        let unclaimed = |entry: &&Entry| !self.state().claims.contains(entry.id);
        let batch: Vec<Completion> = expired.filter(unclaimed).map(completion).collect();
        if !batch.is_empty() {
            self.try_complete(&batch)?;
        }
        Ok(batch.len())
    }
}
