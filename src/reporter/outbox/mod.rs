//! Stores submitted reports and decides which of them are sent next.
//!
//! ```text
//! put -> UNCLAIMED --claim--> CLAIMED --complete--> accepted, or an EVENT (rejected, expired)
//!            ^                   |
//!            +------release------+
//!
//! UNCLAIMED --expire--> an EVENT (expired)
//! UNCLAIMED or CLAIMED --put of a report with the same key--> replaced
//! UNCLAIMED or CLAIMED --put to a full outbox, which may drop the oldest report--> an EVENT (dropped)
//! ```
//!
//! A report is pending while it is in the outbox, claimed or not.
//!
//! A [`Store`] holds the reports and events, in a file or in memory.

mod claims;
mod counters;
mod event;
mod memory;
mod sqlite;
mod store;

use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use self::claims::Claims;
use self::counters::Snapshot;
pub use self::event::{Event, EventKind};
use self::memory::MemoryStore;
use self::sqlite::SqliteStore;
pub use self::store::Overflow;
pub(crate) use self::store::{Completion, Disposition, Entry};
use self::store::{Order, Search, Store};
use crate::clock::Moment;
use crate::conversion::Conversion;
use crate::error::Error;
use crate::os::wakeup::Noticed;
use crate::sync::Mutex;

/// The maximum number of reports that one search of [`Outbox::claim`] examines.
const SEARCH_SIZE: u32 = 512;

/// The maximum number of reports that one call checks for expiry.
const EXPIRY_BATCH_SIZE: u32 = 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutboxSettings {
    /// The path of the file; None for an outbox in memory.
    pub(crate) path: Option<PathBuf>,
    /// Whether the file may be on a network file system.
    pub(crate) allow_network: bool,
    /// Whether a report must be on the disk before it counts as submitted.
    pub(crate) survives_power_loss: bool,
    pub(crate) max_pending: u64,
    pub(crate) overflow: Overflow,
    /// The maximum time that a call waits for other processes and threads that use the file.
    pub(crate) busy_timeout: Duration,
}

/// The account that an outbox belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) api_key: String,
    /// The normalized base URL.
    pub(crate) base_url: String,
}

/// The reports and events of one account. Any thread may put reports, and read and acknowledge events; only the
/// worker claims, completes and expires reports.
pub(crate) struct Outbox {
    store: Box<dyn Store>,
    claims: Mutex<Claims>,
}

impl Outbox {
    /// Creates an outbox with these settings. Its file is opened when it is first used.
    pub(crate) fn new(settings: &OutboxSettings, account: &Account) -> Result<Self, Error> {
        let store: Box<dyn Store> = match &settings.path {
            Some(path) => Box::new(SqliteStore::new(path, settings, account)?),
            None => Box::new(MemoryStore::new(settings.max_pending, settings.overflow)),
        };
        Ok(Self { store, claims: Mutex::default() })
    }

    /// Stores a report as durably as the settings require. Replaces a report with the same key. Returns true if the
    /// oldest report was dropped to make room.
    pub(crate) fn put(&self, conversion: &Conversion) -> Result<bool, Error> {
        self.store.put(conversion)
    }

    /// Claims up to `limit` reports for sending, the newest first, except that one in 32 is the oldest. With `flushed`,
    /// half of the reports are the newest up to this id, so that later reports do not delay those that a flush waits
    /// for. Skips claimed reports, reports with the key of a claimed report, and reports for which `skip` returns true.
    pub(crate) fn claim(
        &self,
        limit: usize,
        flushed: Option<u64>,
        skip: &dyn Fn(u64) -> bool,
    ) -> Result<Vec<Entry>, Error> {
        let mut claims = self.claims();
        let mut entries: Vec<Entry> = Vec::new();
        let oldest_share = claims.oldest_share(limit);
        let flushed_share = flushed.map_or(0, |_| claims.flushed_share(limit));
        for (limit, order, start) in [
            (oldest_share, Order::OldestFirst, None),
            (
                limit.min(oldest_share.saturating_add(flushed_share)),
                Order::NewestFirst,
                flushed.map(|last| last.saturating_add(1)),
            ),
            (limit, Order::NewestFirst, None),
        ] {
            let mut after = start;
            while entries.len() < limit {
                let search =
                    Search { order, after, limit: limit.saturating_sub(entries.len()), max_examined: SEARCH_SIZE };
                match self.store.find(search, &|id| !skip(id) && !claims.contains(id)) {
                    Ok(found) if found.last.is_none() => break,
                    Ok(found) => {
                        after = found.last;
                        entries.extend(found.entries.into_iter().filter(|entry| claims.add(entry)));
                    }
                    Err(error) => {
                        entries.iter().for_each(|entry| claims.remove(entry.id));
                        return Err(error);
                    }
                }
            }
        }
        Ok(entries)
    }

    /// Ends the claims on these reports. Those that are still in the outbox can be claimed again.
    pub(crate) fn release(&self, ids: impl IntoIterator<Item = u64>) {
        let mut claims = self.claims();
        ids.into_iter().for_each(|id| claims.remove(id));
    }

    /// Records the dispositions of claimed reports, except those that were replaced or dropped meanwhile. On an
    /// error, all of them stay claimed.
    pub(crate) fn complete(&self, batch: &[Completion]) -> Result<(), Error> {
        self.store.complete(batch)?;
        self.release(batch.iter().map(|completion| completion.id));
        Ok(())
    }

    /// Turns unclaimed reports that are too old into events. Each call checks at most [`EXPIRY_BATCH_SIZE`] reports,
    /// the oldest first. Returns the number of reports found too old.
    pub(crate) fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error> {
        let search =
            Search { order: Order::OldestFirst, after: None, limit: usize::MAX, max_examined: EXPIRY_BATCH_SIZE };
        let claims = self.claims();
        let unclaimed = self.store.find(search, &|id| !claims.contains(id))?.entries;
        // If the clock was changed, the reports may not be in the order of their ages, so each one is checked.
        let expired = unclaimed.iter().filter(|entry| is_too_old(&entry.submitted));
        let disposition = Disposition::event(EventKind::Expired);
        let batch: Vec<Completion> =
            expired.map(|entry| Completion { id: entry.id, disposition: disposition.clone() }).collect();
        if !batch.is_empty() {
            self.store.complete(&batch)?;
        }
        Ok(batch.len())
    }

    /// Returns the oldest event without removing it.
    pub(crate) fn oldest_event(&self) -> Result<Option<Event>, Error> {
        self.store.oldest_event()
    }

    /// Removes one event. Succeeds even if the event is already gone. Fails if no event can have that id.
    pub(crate) fn acknowledge(&self, event_id: i64) -> Result<(), Error> {
        event::check_id(event_id, self.store.last_event_id()?)?;
        self.store.remove_event(event_id)
    }

    /// Returns the counters and the time at which the oldest pending report was submitted.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        self.store.snapshot()
    }

    /// Returns when the oldest pending report was submitted. Only the worker calls this function.
    pub(crate) fn oldest(&self) -> Result<Option<Moment>, Error> {
        self.store.oldest()
    }

    /// Returns whether there is an event. Only the worker calls this function.
    pub(crate) fn has_events(&self) -> Result<bool, Error> {
        self.store.has_events()
    }

    /// Returns the id of the last submitted report.
    pub(crate) fn last(&self) -> Result<u64, Error> {
        self.store.last()
    }

    /// Returns whether no report with an id up to `id` is pending.
    pub(crate) fn is_done_up_to(&self, id: u64) -> Result<bool, Error> {
        self.store.is_done_up_to(id)
    }

    /// Tries to become the sender if this process is not the sender. Returns whether it is the sender now. Only the
    /// worker of the sender may claim reports.
    pub(crate) fn try_become_sender(&self) -> Result<bool, Error> {
        self.store.try_become_sender()
    }

    /// Lets another process become the sender. The caller must have no request in flight.
    pub(crate) fn step_down(&self) {
        self.store.step_down();
    }

    /// Returns a descriptor that becomes readable when the sender may have exited, or when another process has
    /// created an event while there was none, or has removed, replaced or linked a file. In the sender, it also
    /// becomes readable when another process has committed a report. Returns None if the system cannot watch files.
    pub(crate) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.store.watch()
    }

    /// Discards the notifications that made the descriptor of `watch` readable. Returns what they were.
    pub(crate) fn clear_watch(&self) -> Noticed {
        self.store.clear_watch()
    }

    /// Returns whether `watch` reports every change that concerns this process. Otherwise, the worker must poll.
    pub(crate) fn is_notified(&self) -> bool {
        self.store.is_notified()
    }

    /// Returns whether the files were opened since the last call of this function. If so, they may be different
    /// files.
    pub(crate) fn clear_opened(&self) -> bool {
        self.store.clear_opened()
    }

    /// Like [`Outbox::clear_opened`], but does not reset the result.
    pub(crate) fn was_opened(&self) -> bool {
        self.store.was_opened()
    }

    /// Returns an error if the outbox works but another process could destroy it. Only the worker calls this function.
    pub(crate) fn danger(&self) -> Option<Error> {
        self.store.danger()
    }

    /// Releases unused memory, and unused disk space if no process has written to the outbox for `idle`. The worker
    /// calls this function repeatedly.
    pub(crate) fn shrink(&self, idle: Duration, now: Instant) {
        self.claims().shrink();
        self.store.shrink(idle, now);
    }

    /// Returns how many times the outbox was replaced, because it was damaged or removed, while this process used it.
    pub(crate) fn resets(&self) -> u64 {
        self.store.resets()
    }

    fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock()
    }
}
