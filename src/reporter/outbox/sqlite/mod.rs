//! A store in a file that any number of processes can share. Only this module uses the database.

mod database;
mod error;
mod fast_insert;
mod file;
mod lock;
mod queries;
mod rows;
mod transaction;
mod wal;

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::database::{Access, Database};
use self::error::Failure;
use self::file::{OpenFile, OutboxPath};
use self::lock::election::Election;
use self::lock::fair_lock::Wake;
use self::queries::{OldestEvent, PutOutcome};
use self::wal::group_commit::{GroupCommit, Step};
use super::counters::Snapshot;
use super::event::Event;
use super::store::{Completion, Entry, Found, Overflow, Search, Store, full_error};
use super::{Account, OutboxSettings};
use crate::clock::from_now;
use crate::conversion::Conversion;
use crate::error::{Error, Kind};

/// The maximum time that the worker waits while another process or thread has the file locked.
const WORKER_TIMEOUT: Duration = Duration::from_secs(1);

/// The reports and events of an outbox in a file.
pub(crate) struct SqliteStore {
    database: Arc<Database>,
    election: Election,
    /// The group commit, if submits wait for the disk.
    group_commit: Option<GroupCommit>,
    max_pending: u64,
    overflow: Overflow,
    busy_timeout: Duration,
}

impl SqliteStore {
    /// Creates a store in the file at `path`. The first use opens the file.
    pub(crate) fn new(path: &Path, settings: &OutboxSettings, account: &Account) -> Result<Self, Error> {
        let outbox_path = OutboxPath::find(path, settings.allow_network, account)?;
        let election = Election::new(outbox_path.sidecar(".lock"));
        let database = Arc::new(Database::new(outbox_path));
        lock::fork::register(&database);
        Ok(Self {
            database,
            election,
            group_commit: settings.survives_power_loss.then(GroupCommit::default),
            max_pending: settings.max_pending,
            overflow: settings.overflow,
            busy_timeout: settings.busy_timeout,
        })
    }

    /// Stores a report in a group commit with the reports of other threads.
    fn put_in_group(&self, group_commit: &GroupCommit, conversion: &Conversion) -> Result<bool, Error> {
        let deadline = from_now(self.busy_timeout);
        let slot = group_commit.queue(conversion);
        loop {
            match group_commit.wait(slot, deadline) {
                Step::Return(result) => return result,
                Step::TimedOut => return Err(self.to_error(Failure::Busy)),
                Step::Commit(group) => {
                    let results = self.put_all(&group.reports);
                    group.finish(results);
                }
            }
        }
    }

    /// Inserts many reports in one transaction and waits for the disk.
    fn put_all(&self, all: &[Conversion]) -> Vec<Result<bool, Error>> {
        let put = |rows: &Connection| {
            let put = |report| queries::put(rows, &queries::counters(rows)?, report, self.max_pending, self.overflow);
            all.iter().map(put).collect::<Result<Vec<_>, _>>()
        };
        let written = self.database.write(self.caller_access(), put).map_err(|failure| self.to_error(failure));
        let flushed = written.and_then(|written| match self.database.flush(&written) {
            Ok(()) => Ok(written.result),
            // The reports are committed, so they are sent if the disk recovers.
            Err(failure) => Err(self.to_error(failure).with_report_possibly_stored()),
        });
        match flushed {
            Ok(outcomes) => {
                self.notify_sender(&outcomes);
                outcomes.iter().map(|outcome| self.has_dropped(outcome)).collect()
            }
            Err(error) => all.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Notifies the sender of committed reports.
    fn notify_sender(&self, outcomes: &[PutOutcome]) {
        let stored = outcomes.iter().filter_map(|outcome| match outcome {
            PutOutcome::Stored { id, .. } => Some(*id),
            PutOutcome::Full => None,
        });
        if let Some(last) = stored.max() {
            self.database.submitted(last);
            self.election.notify();
        }
    }

    /// Returns whether the oldest report was dropped to make room, or the error if the outbox was full.
    fn has_dropped(&self, outcome: &PutOutcome) -> Result<bool, Error> {
        match outcome {
            PutOutcome::Stored { has_dropped, .. } => Ok(*has_dropped),
            PutOutcome::Full => Err(full_error(self.max_pending)),
        }
    }

    fn try_complete(&self, batch: &[Completion]) -> Result<(), Failure> {
        let dispositions = || {
            batch
                .iter()
                .filter_map(|completion| Some((self.database.generations.row(completion.id)?, &completion.disposition)))
        };
        self.database.write(worker_access(), |rows| queries::complete(rows, dispositions())).map(drop)
    }

    /// Reads for a call of the user.
    fn read<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        self.database.read(self.caller_access(), work).map_err(|failure| self.to_error(failure))
    }

    /// Writes for a call of the user.
    fn write(&self, work: impl Fn(&Connection) -> rusqlite::Result<()>) -> Result<(), Error> {
        self.database.write(self.caller_access(), work).map(drop).map_err(|failure| self.to_error(failure))
    }

    /// Returns the access for a call of the user, which creates a missing file.
    fn caller_access(&self) -> Access {
        Access { deadline: from_now(self.busy_timeout), may_create: true, wake: Wake::Always }
    }

    fn to_error(&self, failure: Failure) -> Error {
        failure.into_error(&self.database.outbox_path.path)
    }
}

/// Returns the access for the worker, which does not create a missing file, because there would be nothing to send.
fn worker_access() -> Access {
    Access { deadline: from_now(WORKER_TIMEOUT), may_create: false, wake: Wake::Once }
}

impl Store for SqliteStore {
    fn put(&self, conversion: &Conversion) -> Result<bool, Error> {
        if let Some(group_commit) = &self.group_commit {
            return self.put_in_group(group_commit, conversion);
        }
        let put = |file: &OpenFile| file.fast_insert.put(&file.connection, conversion, self.max_pending, self.overflow);
        let written = self.database.change(self.caller_access(), put).map_err(|failure| self.to_error(failure))?;
        self.notify_sender(std::slice::from_ref(&written.result));
        self.has_dropped(&written.result)
    }

    /// Finds pending reports. Also removes and counts damaged rows, so that one damaged row does not make the whole
    /// outbox unusable.
    fn find(&self, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found, Error> {
        let id = |row| self.database.generations.id(row);
        let after = search.after.and_then(|id| self.database.generations.row(id)).or(search.after);
        let search = Search { after, ..search };
        let found = self.database.read(worker_access(), |rows| {
            let (found, damaged) = queries::find(rows, search, &|row| is_wanted(id(row)))?;
            let entries = found.entries.into_iter().map(|entry| Entry { id: id(entry.id), ..entry }).collect();
            Ok((Found { entries, last: found.last.map(id) }, damaged))
        });
        let (found, damaged) = found.map_err(|failure| self.to_error(failure))?;
        if !damaged.is_empty() {
            let removed = self.database.write(worker_access(), |rows| queries::remove_damaged(rows, &damaged));
            removed.map_err(|failure| self.to_error(failure))?;
        }
        Ok(found)
    }

    fn complete(&self, batch: &[Completion]) -> Result<(), Error> {
        let completed = match self.try_complete(batch) {
            Err(Failure::Full) if self.database.reserve.release() => self.try_complete(batch),
            other => other,
        };
        completed.map_err(|failure| self.to_error(failure))?;
        self.database.reserve.allocate();
        Ok(())
    }

    fn oldest_event(&self) -> Result<Option<Event>, Error> {
        loop {
            match self.read(queries::oldest_event)? {
                OldestEvent::None => return Ok(None),
                OldestEvent::Event(event) => return Ok(Some(event)),
                OldestEvent::Damaged(id) => self.write(|rows| queries::discard_event(rows, id))?,
            }
        }
    }

    fn last_event_id(&self) -> Result<i64, Error> {
        self.read(queries::last_event)
    }

    fn remove_event(&self, id: i64) -> Result<(), Error> {
        self.write(|rows| queries::remove_event(rows, id))
    }

    fn snapshot(&self) -> Result<Snapshot, Error> {
        self.read(queries::snapshot)
    }

    fn has_events(&self) -> Result<bool, Error> {
        let snapshot = self.database.read(worker_access(), queries::snapshot);
        Ok(snapshot.map_err(|failure| self.to_error(failure))?.counters.events > 0)
    }

    fn last(&self) -> Result<u64, Error> {
        self.read(|rows| Ok(self.database.generations.id(queries::counters(rows)?.submitted)))
    }

    fn is_done_up_to(&self, id: u64) -> Result<bool, Error> {
        let Some(row) = self.database.generations.row(id) else {
            return Ok(true);
        };
        Ok(self.read(queries::lowest_id)?.is_none_or(|lowest_id| lowest_id > row))
    }

    fn try_become_sender(&self) -> Result<bool, Error> {
        self.database.start();
        self.election.try_become_sender().map_err(|error| self.to_error(error.into()))
    }

    fn step_down(&self) {
        self.election.step_down();
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

    fn danger(&self) -> Option<Error> {
        let path = self.database.outbox_path.path.display();
        self.database.has_links(from_now(WORKER_TIMEOUT)).then(|| {
            let message = format!(
                "{path}, its WAL or its WAL index has gained a second name (a hard link), by which another process could \
                 destroy it; remove that name"
            );
            Error::new(Kind::Outbox, message)
        })
    }

    fn resets(&self) -> u64 {
        self.database.generations.resets()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.database.end();
        // If the checkpoint thread is using the file, that thread closes it later.
        self.database.close(Instant::now());
    }
}
