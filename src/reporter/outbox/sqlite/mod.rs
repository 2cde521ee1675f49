//! An outbox in a file, which any number of processes share. Only this room names the database.

mod connection;
mod error;
mod fast_insert;
mod file;
mod lock;
mod pick;
mod queries;
mod transaction;
mod wal;

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::connection::{Access, Store};
use self::error::Failure;
use self::file::{OpenFile, OutboxPath};
use self::lock::election::Election;
use self::lock::fair_lock::Manner;
use self::queries::{OldestEvent, Put};
use super::{Claims, Entry, Event, Outbox, Overflow, Settlement, Snapshot, check_event_id, full, oldest_share};
use crate::clock::{Moment, from_now};
use crate::conversion::Conversion;
use crate::error::Error;

/// How long the worker waits for others that have the file locked.
const WORKERS_WAIT: Duration = Duration::from_secs(1);

/// What a file is to hold, and how.
#[derive(Debug, Clone)]
pub(crate) struct Terms<'a> {
    pub(crate) path: &'a Path,
    pub(crate) allow_network: bool,
    pub(crate) api_key: &'a str,
    pub(crate) base_url: &'a str,
    /// Whether a report must be on the disk before it counts as submitted.
    pub(crate) survives_power_loss: bool,
    pub(crate) most: u64,
    pub(crate) overflow: Overflow,
    pub(crate) busy_timeout: Duration,
}

/// Reports in a file.
pub(crate) struct SqliteOutbox {
    store: Arc<Store>,
    election: Election,
    survives_power_loss: bool,
    most: u64,
    overflow: Overflow,
    busy_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: Claims,
    taken_ever: usize,
}

impl SqliteOutbox {
    /// The outbox of those terms. The file is opened when it is first used.
    pub(crate) fn new(terms: &Terms<'_>) -> Result<Self, Error> {
        let place = OutboxPath::find(terms.path, terms.allow_network, terms.api_key, terms.base_url)?;
        let store = Arc::new(Store::new(place));
        lock::fork::register(&store);
        Ok(Self {
            store,
            election: Election::new(),
            survives_power_loss: terms.survives_power_loss,
            most: terms.most,
            overflow: terms.overflow,
            busy_timeout: terms.busy_timeout,
            state: Mutex::default(),
        })
    }

    fn to_error(&self, failure: Failure) -> Error {
        failure.into_error(&self.store.place.path)
    }

    /// How a caller comes to the file, which is made if it is not there.
    fn callers(&self) -> Access {
        Access { deadline: from_now(self.busy_timeout), may_make: true, manner: Manner::Eager }
    }

    /// Puts many reports in one transaction, and waits for the disk.
    fn put_all(&self, all: &[Conversion]) -> Vec<Result<bool, Error>> {
        let put = |rows: &Connection| {
            let put = |report| queries::put(rows, &queries::counters(rows)?, report, self.most, self.overflow);
            all.iter().map(put).collect::<Result<Vec<_>, _>>()
        };
        let written = self.store.write(self.callers(), put);
        let written = written.map_err(|failure| self.to_error(failure));
        let flushed = written.and_then(|written| match self.store.flush(&written) {
            Ok(()) => Ok(written.done),
            // What is committed is sent all the same, if the disk recovers.
            Err(failure) => Err(self.to_error(failure).with_report_possibly_stored()),
        });
        match flushed {
            Ok(puts) => {
                self.notify_for(&puts);
                puts.iter().map(|put| self.stored(put)).collect()
            }
            Err(error) => all.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Wakes the process that sends, for what was stored and is committed.
    fn notify_for(&self, puts: &[Put]) {
        if puts.iter().any(|put| matches!(put, Put::Stored { .. })) {
            self.election.notify(&self.store.place);
        }
    }

    /// Whether the oldest was dropped for what was stored.
    fn stored(&self, put: &Put) -> Result<bool, Error> {
        match put {
            Put::Stored { has_dropped } => Ok(*has_dropped),
            Put::Full => Err(full(self.most)),
        }
    }

    fn try_settle(&self, batch: &[Settlement]) -> Result<(), Failure> {
        let fates =
            || batch.iter().filter_map(|settled| Some((self.store.generations.row(settled.id)?, &settled.fate)));
        self.store.write(workers(), |rows| queries::settle(rows, fates())).map(drop)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox for SqliteOutbox {
    fn put(&self, conversion: &Conversion) -> Result<bool, Error> {
        if self.survives_power_loss {
            let busy = || self.to_error(Failure::Busy);
            return self.store.group.put(conversion, from_now(self.busy_timeout), &|all| self.put_all(all), &busy);
        }
        let put = |file: &OpenFile| file.next.put(&file.connection, conversion, self.most, self.overflow);
        let written = self.store.change(self.callers(), put).map_err(|failure| self.to_error(failure))?;
        self.notify_for(std::slice::from_ref(&written.done));
        self.stored(&written.done)
    }

    fn take(&self, limit: usize, skip: &dyn Fn(u64) -> bool) -> Result<Vec<Entry>, Error> {
        let oldest = oldest_share(self.state().taken_ever, limit);
        let mut entries = Vec::new();
        let picked =
            self.pick(oldest, skip, false, &mut entries).and_then(|()| self.pick(limit, skip, true, &mut entries));
        if let Err(failure) = picked {
            self.release(&entries.iter().map(|entry| entry.id).collect::<Vec<_>>());
            return Err(self.to_error(failure));
        }
        let mut state = self.state();
        state.taken_ever = state.taken_ever.wrapping_add(entries.len());
        Ok(entries)
    }

    fn release(&self, ids: &[u64]) {
        let mut state = self.state();
        ids.iter().for_each(|id| state.taken.remove(*id));
    }

    fn settle(&self, batch: &[Settlement]) -> Result<(), Error> {
        let settled = match self.try_settle(batch) {
            Err(Failure::Full) if self.store.reserve.give_up() => self.try_settle(batch),
            other => other,
        };
        settled.map_err(|failure| self.to_error(failure))?;
        self.release(&batch.iter().map(|settled| settled.id).collect::<Vec<_>>());
        self.store.reserve.take_up();
        Ok(())
    }

    fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error> {
        self.expire_rows(is_too_old).map_err(|failure| self.to_error(failure))
    }

    fn oldest_event(&self) -> Result<Option<Event>, Error> {
        loop {
            match self.store.read(self.callers(), queries::oldest_event).map_err(|failure| self.to_error(failure))? {
                OldestEvent::None => return Ok(None),
                OldestEvent::Event(event) => return Ok(Some(event)),
                OldestEvent::Damaged(id) => {
                    let discarded = self.store.write(self.callers(), |rows| queries::discard_event(rows, id));
                    discarded.map_err(|failure| self.to_error(failure))?;
                }
            }
        }
    }

    fn acknowledge(&self, event_id: i64) -> Result<(), Error> {
        let last = self.store.read(self.callers(), queries::last_event).map_err(|failure| self.to_error(failure))?;
        check_event_id(event_id, last)?;
        let removed = self.store.write(self.callers(), |rows| queries::remove_event(rows, event_id));
        removed.map(drop).map_err(|failure| self.to_error(failure))
    }

    fn snapshot(&self) -> Result<Snapshot, Error> {
        self.store.read(self.callers(), queries::snapshot).map_err(|failure| self.to_error(failure))
    }

    fn has_events(&self) -> Result<bool, Error> {
        let snapshot = self.store.read(workers(), queries::snapshot).map_err(|failure| self.to_error(failure))?;
        Ok(snapshot.counters.events > 0)
    }

    fn last(&self) -> Result<u64, Error> {
        let last = |rows: &Connection| Ok(self.store.generations.id(queries::counters(rows)?.submitted));
        self.store.read(self.callers(), last).map_err(|failure| self.to_error(failure))
    }

    fn is_done_up_to(&self, id: u64) -> Result<bool, Error> {
        let Some(row) = self.store.generations.row(id) else {
            return Ok(true);
        };
        let lowest = self.store.read(self.callers(), queries::lowest).map_err(|failure| self.to_error(failure))?;
        Ok(lowest.is_none_or(|lowest| lowest > row))
    }

    fn try_become_sender(&self) -> Result<bool, Error> {
        self.store.start();
        self.election.seek(&self.store.place).map_err(|failure| self.to_error(failure))
    }

    fn step_down(&self) {
        self.election.give_up(&self.store.place);
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.election.watch()
    }

    fn clear_notice(&self) -> bool {
        self.election.clear_notice()
    }

    fn notices(&self) -> bool {
        self.election.notices()
    }

    fn resets(&self) -> u64 {
        self.store.generations.lost()
    }
}

impl Drop for SqliteOutbox {
    fn drop(&mut self) {
        self.store.end();
        // Waits for nothing: what a checkpoint uses, its thread closes.
        self.store.close(Instant::now());
    }
}

/// How the worker comes to the file. If that was removed, there is nothing for it to do.
fn workers() -> Access {
    Access { deadline: from_now(WORKERS_WAIT), may_make: false, manner: Manner::Calm }
}
