//! An outbox in a file, shared by any number of processes. Only this module uses the database.

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
use self::lock::fair_lock::Wake;
use self::queries::{OldestEvent, PutOutcome};
use super::{Claims, Completion, Entry, Event, Outbox, Overflow, Snapshot, check_event_id, full_error, oldest_share};
use crate::clock::{Moment, from_now};
use crate::conversion::Conversion;
use crate::error::Error;

/// How long the worker waits while others have the file locked.
const WORKER_TIMEOUT: Duration = Duration::from_secs(1);

/// The settings of an outbox file.
#[derive(Debug, Clone)]
pub(crate) struct OutboxSettings<'a> {
    pub(crate) path: &'a Path,
    pub(crate) allow_network: bool,
    pub(crate) api_key: &'a str,
    pub(crate) base_url: &'a str,
    /// Whether a report must be on the disk before it counts as submitted.
    pub(crate) survives_power_loss: bool,
    pub(crate) max_pending: u64,
    pub(crate) overflow: Overflow,
    pub(crate) busy_timeout: Duration,
}

/// Reports in a file.
pub(crate) struct SqliteOutbox {
    store: Arc<Store>,
    election: Election,
    survives_power_loss: bool,
    max_pending: u64,
    overflow: Overflow,
    busy_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    claims: Claims,
    total_claimed: usize,
}

impl SqliteOutbox {
    /// An outbox with these settings. Opens the file at its first use.
    pub(crate) fn new(settings: &OutboxSettings<'_>) -> Result<Self, Error> {
        let outbox_path = OutboxPath::find(settings.path, settings.allow_network, settings.api_key, settings.base_url)?;
        let store = Arc::new(Store::new(outbox_path));
        lock::fork::register(&store);
        Ok(Self {
            store,
            election: Election::new(),
            survives_power_loss: settings.survives_power_loss,
            max_pending: settings.max_pending,
            overflow: settings.overflow,
            busy_timeout: settings.busy_timeout,
            state: Mutex::default(),
        })
    }

    fn to_error(&self, failure: Failure) -> Error {
        failure.into_error(&self.store.outbox_path.path)
    }

    /// Access for a call of the user: creates a missing file.
    fn caller_access(&self) -> Access {
        Access { deadline: from_now(self.busy_timeout), may_create: true, wake: Wake::Always }
    }

    /// Inserts many reports in one transaction and waits for the disk.
    fn put_all(&self, all: &[Conversion]) -> Vec<Result<bool, Error>> {
        let put = |rows: &Connection| {
            let put = |report| queries::put(rows, &queries::counters(rows)?, report, self.max_pending, self.overflow);
            all.iter().map(put).collect::<Result<Vec<_>, _>>()
        };
        let written = self.store.write(self.caller_access(), put);
        let written = written.map_err(|failure| self.to_error(failure));
        let flushed = written.and_then(|written| match self.store.flush(&written) {
            Ok(()) => Ok(written.result),
            // A committed report is still sent if the disk recovers.
            Err(failure) => Err(self.to_error(failure).with_report_possibly_stored()),
        });
        match flushed {
            Ok(puts) => {
                self.notify_for(&puts);
                puts.iter().map(|put| self.has_dropped(put)).collect()
            }
            Err(error) => all.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Notifies the sender of committed reports.
    fn notify_for(&self, puts: &[PutOutcome]) {
        if puts.iter().any(|put| matches!(put, PutOutcome::Stored { .. })) {
            self.election.notify(&self.store.outbox_path);
        }
    }

    /// Whether the oldest report was dropped to make room.
    fn has_dropped(&self, put: &PutOutcome) -> Result<bool, Error> {
        match put {
            PutOutcome::Stored { has_dropped } => Ok(*has_dropped),
            PutOutcome::Full => Err(full_error(self.max_pending)),
        }
    }

    fn try_complete(&self, batch: &[Completion]) -> Result<(), Failure> {
        let dispositions = || {
            batch
                .iter()
                .filter_map(|completion| Some((self.store.generations.row(completion.id)?, &completion.disposition)))
        };
        self.store.write(worker_access(), |rows| queries::complete(rows, dispositions())).map(drop)
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
        let put = |file: &OpenFile| file.fast_insert.put(&file.connection, conversion, self.max_pending, self.overflow);
        let written = self.store.change(self.caller_access(), put).map_err(|failure| self.to_error(failure))?;
        self.notify_for(std::slice::from_ref(&written.result));
        self.has_dropped(&written.result)
    }

    fn claim(&self, limit: usize, skip: &dyn Fn(u64) -> bool) -> Result<Vec<Entry>, Error> {
        let oldest = oldest_share(self.state().total_claimed, limit);
        let mut entries = Vec::new();
        let picked =
            self.pick(oldest, skip, false, &mut entries).and_then(|()| self.pick(limit, skip, true, &mut entries));
        if let Err(failure) = picked {
            self.release(&entries.iter().map(|entry| entry.id).collect::<Vec<_>>());
            return Err(self.to_error(failure));
        }
        let mut state = self.state();
        state.total_claimed = state.total_claimed.wrapping_add(entries.len());
        Ok(entries)
    }

    fn release(&self, ids: &[u64]) {
        let mut state = self.state();
        ids.iter().for_each(|id| state.claims.remove(*id));
    }

    fn complete(&self, batch: &[Completion]) -> Result<(), Error> {
        let completion = match self.try_complete(batch) {
            Err(Failure::Full) if self.store.reserve.release() => self.try_complete(batch),
            other => other,
        };
        completion.map_err(|failure| self.to_error(failure))?;
        self.release(&batch.iter().map(|completion| completion.id).collect::<Vec<_>>());
        self.store.reserve.allocate();
        Ok(())
    }

    fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error> {
        self.expire_rows(is_too_old).map_err(|failure| self.to_error(failure))
    }

    fn oldest_event(&self) -> Result<Option<Event>, Error> {
        loop {
            match self
                .store
                .read(self.caller_access(), queries::oldest_event)
                .map_err(|failure| self.to_error(failure))?
            {
                OldestEvent::None => return Ok(None),
                OldestEvent::Event(event) => return Ok(Some(event)),
                OldestEvent::Damaged(id) => {
                    let discarded = self.store.write(self.caller_access(), |rows| queries::discard_event(rows, id));
                    discarded.map_err(|failure| self.to_error(failure))?;
                }
            }
        }
    }

    fn acknowledge(&self, event_id: i64) -> Result<(), Error> {
        let last =
            self.store.read(self.caller_access(), queries::last_event).map_err(|failure| self.to_error(failure))?;
        check_event_id(event_id, last)?;
        let removed = self.store.write(self.caller_access(), |rows| queries::remove_event(rows, event_id));
        removed.map(drop).map_err(|failure| self.to_error(failure))
    }

    fn snapshot(&self) -> Result<Snapshot, Error> {
        self.store.read(self.caller_access(), queries::snapshot).map_err(|failure| self.to_error(failure))
    }

    fn has_events(&self) -> Result<bool, Error> {
        let snapshot = self.store.read(worker_access(), queries::snapshot).map_err(|failure| self.to_error(failure))?;
        Ok(snapshot.counters.events > 0)
    }

    fn last(&self) -> Result<u64, Error> {
        let last = |rows: &Connection| Ok(self.store.generations.id(queries::counters(rows)?.submitted));
        self.store.read(self.caller_access(), last).map_err(|failure| self.to_error(failure))
    }

    fn is_done_up_to(&self, id: u64) -> Result<bool, Error> {
        let Some(row) = self.store.generations.row(id) else {
            return Ok(true);
        };
        let lowest_id =
            self.store.read(self.caller_access(), queries::lowest_id).map_err(|failure| self.to_error(failure))?;
        Ok(lowest_id.is_none_or(|lowest_id| lowest_id > row))
    }

    fn try_become_sender(&self) -> Result<bool, Error> {
        self.store.start();
        self.election.try_become_sender(&self.store.outbox_path).map_err(|failure| self.to_error(failure))
    }

    fn step_down(&self) {
        self.election.step_down(&self.store.outbox_path);
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.election.watch()
    }

    fn clear_watch(&self) -> bool {
        self.election.clear_watch()
    }

    fn is_watching(&self) -> bool {
        self.election.is_watching()
    }

    fn resets(&self) -> u64 {
        self.store.generations.resets()
    }
}

impl Drop for SqliteOutbox {
    fn drop(&mut self) {
        self.store.end();
        // Does not wait: the checkpoint thread closes what it uses.
        self.store.close(Instant::now());
    }
}

/// Access for the worker: if the file was removed, there is nothing to send.
fn worker_access() -> Access {
    Access { deadline: from_now(WORKER_TIMEOUT), may_create: false, wake: Wake::Once }
}
