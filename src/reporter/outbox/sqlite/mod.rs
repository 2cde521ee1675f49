//! A store in a file that any number of processes can share. Only this module and its submodules use SQLite.

mod database;
mod error;
mod fast_insert;
mod file;
mod lock;
mod queries;
mod rows;
mod transaction;
mod wal;

use std::cell::RefCell;
use std::iter;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::database::{Access, Database, Written};
use self::error::Failure;
use self::file::OutboxPath;
use self::lock::election::Election;
use self::lock::fair_lock::Wake;
use self::queries::{OldestEvent, PutOutcome};
use self::wal::group_commit::{Committer, GroupCommit, Step};
use super::counters::Snapshot;
use super::event::Event;
use super::store::{Completion, Disposition, Entry, Found, Overflow, Search, Store, full_error};
use super::{Account, OutboxSettings};
use crate::clock::{Moment, from_now};
use crate::conversion::Conversion;
use crate::error::{Error, Kind};
use crate::os::wakeup::{Noticed, Watch};

/// The maximum time that the worker waits while another process or thread has the file locked.
const WORKER_TIMEOUT: Duration = Duration::from_secs(1);

/// The reports and events of an outbox in a file.
pub(crate) struct SqliteStore {
    database: Arc<Database>,
    election: Election,
    group_commit: GroupCommit,
    survives_power_loss: bool,
    max_pending: u64,
    overflow: Overflow,
    busy_timeout: Duration,
}

impl SqliteStore {
    /// Creates a store in the file at `path`. The file is opened when the store is first used.
    pub(crate) fn new(path: &Path, settings: &OutboxSettings, account: &Account) -> Result<Self, Error> {
        let outbox_path = OutboxPath::find(path, settings.allow_network, account)?;
        let watch = Watch::new().ok().map(Arc::new);
        let election = Election::new(outbox_path.sidecar(".lock"), watch.clone());
        let database = Arc::new(Database::new(outbox_path, watch));
        lock::fork::register(&database);
        Ok(Self {
            database,
            election,
            group_commit: GroupCommit::new(!settings.survives_power_loss),
            survives_power_loss: settings.survives_power_loss,
            max_pending: settings.max_pending,
            overflow: settings.overflow,
            busy_timeout: settings.busy_timeout,
        })
    }

    /// Stores a report without queueing it, together with the reports that were queued while this thread waited for
    /// other processes. Returns [`Failure::InUse`] if another thread uses the file.
    fn put_at_once(&self, conversion: &Conversion) -> Result<bool, Failure> {
        let group = RefCell::new(self.group_commit.group());
        let written = self.database.change(Access { wake: Wake::Never, ..self.caller_access() }, |file| {
            if self.group_commit.is_idle() && group.borrow().is_empty() {
                let put = file.fast_insert.put(&file.connection, conversion, self.max_pending, self.overflow)?;
                return Ok((put, Vec::new()));
            }
            let group = &mut *group.borrow_mut();
            let mut outcomes = file.fast_insert.put_all(
                &file.connection,
                move || iter::once(conversion).chain(group.fill()),
                self.max_pending,
                self.overflow,
            )?;
            Ok((outcomes.remove(0), outcomes))
        });
        let group = group.into_inner();
        match written {
            Ok(Written { result: (own, others), .. }) => {
                self.notify_others(others.iter().chain([&own]));
                if !others.is_empty() {
                    group.finish(None, others.iter().map(|outcome| self.has_dropped(outcome)));
                }
                self.has_dropped(&own).map_err(Failure::Other)
            }
            Err(failure) if group.is_empty() => Err(failure),
            Err(failure) => {
                let error = self.to_error(failure);
                group.fail(None, &error);
                Err(Failure::Other(error))
            }
        }
    }

    /// Stores a report in one transaction with the reports of other threads.
    fn put_in_group(&self, conversion: &Conversion) -> Result<bool, Error> {
        let deadline = from_now(self.busy_timeout);
        let queued = self.group_commit.queue(conversion);
        loop {
            match queued.wait(deadline, self.survives_power_loss) {
                Step::Return(result) => return result,
                Step::TimedOut => return Err(self.to_error(Failure::Busy)),
                Step::Unfinished => return Err(self.to_error(Failure::unfinished())),
                Step::Commit(_) if queued.is_finished() => {}
                Step::Commit(committer) => match self.put_all(committer, deadline) {
                    // If the report is no longer queued, another thread stores it, and that result counts.
                    Err(error) if queued.leave() => return Err(error),
                    _ => {}
                },
            }
        }
    }

    /// Stores the queued reports in one transaction and, if required, flushes it to the disk. Returns an error only
    /// if no report left the queue. Otherwise, an error is the result of each report in the group.
    fn put_all(&self, committer: Committer<'_>, deadline: Instant) -> Result<(), Error> {
        let group = RefCell::new(self.group_commit.group());
        let written = self.database.change(Access { deadline, ..self.caller_access() }, |file| {
            let group = &mut *group.borrow_mut();
            // A report leaves the queue only after the transaction has begun. Until then, its thread can time out.
            file.fast_insert.put_all(&file.connection, move || group.fill(), self.max_pending, self.overflow)
        });
        let flushed = written.map_err(|failure| self.to_error(failure)).and_then(|written| {
            if self.survives_power_loss && !written.result.is_empty() {
                // The reports are committed, so they may be sent despite the error.
                let flushed = self.database.flush(&written);
                flushed.map_err(|failure| self.to_error(failure).with_report_possibly_stored())?;
            }
            Ok(written.result)
        });
        let group = group.into_inner();
        match flushed {
            Ok(outcomes) => {
                self.notify_others(outcomes.iter());
                group.finish(Some(committer), outcomes.iter().map(|outcome| self.has_dropped(outcome)));
                Ok(())
            }
            Err(error) if group.is_empty() => Err(error),
            Err(error) => {
                group.fail(Some(committer), &error);
                Ok(())
            }
        }
    }

    /// Notifies the sender of committed reports. Notifies all processes if storing the reports created an event while
    /// there was none.
    fn notify_others<'a>(&self, mut outcomes: impl Iterator<Item = &'a PutOutcome> + Clone) {
        let stored = outcomes.clone().filter_map(|outcome| match outcome {
            PutOutcome::Stored { id, .. } => Some(*id),
            PutOutcome::Full => None,
        });
        if let Some(last) = stored.max() {
            self.database.submitted(last);
            self.election.notify();
        }
        if outcomes.any(|outcome| matches!(outcome, PutOutcome::Stored { is_first_event: true, .. })) {
            self.election.notify_of_event();
        }
    }

    /// Returns whether the oldest report was dropped to make room, or the error if the outbox was full.
    fn has_dropped(&self, outcome: &PutOutcome) -> Result<bool, Error> {
        match outcome {
            PutOutcome::Stored { has_dropped, .. } => Ok(*has_dropped),
            PutOutcome::Full => Err(full_error(self.max_pending)),
        }
    }

    /// Records dispositions. Returns whether there was no event before and there may be one now.
    fn try_complete(&self, batch: &[Completion]) -> Result<bool, Failure> {
        let has_event = batch.iter().any(|completion| matches!(completion.disposition, Disposition::Event(..)));
        let dispositions = || {
            batch
                .iter()
                .filter_map(|completion| Some((self.database.generations.row(completion.id)?, &completion.disposition)))
        };
        let complete = |rows: &Connection| {
            let is_first_event = has_event && queries::counters(rows)?.events == 0;
            queries::complete(rows, dispositions())?;
            Ok(is_first_event)
        };
        self.database.write(worker_access(), complete).map(|written| written.result)
    }

    fn worker_snapshot(&self) -> Result<Snapshot, Error> {
        self.database.read(worker_access(), queries::snapshot).map_err(|failure| self.to_error(failure))
    }

    /// Reads for a public call, as opposed to the worker.
    fn read<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        self.database.read(self.caller_access(), work).map_err(|failure| self.to_error(failure))
    }

    /// Writes for a public call, as opposed to the worker.
    fn write(&self, work: impl Fn(&Connection) -> rusqlite::Result<()>) -> Result<(), Error> {
        self.database.write(self.caller_access(), work).map(drop).map_err(|failure| self.to_error(failure))
    }

    /// Returns the access for a public call, which creates a missing file.
    fn caller_access(&self) -> Access {
        Access { deadline: from_now(self.busy_timeout), may_create: true, wake: Wake::Always }
    }

    fn to_error(&self, failure: Failure) -> Error {
        failure.into_error(&self.database.outbox_path.path)
    }
}

/// Returns the access for the worker, which does not create a missing file, because a new file would contain nothing
/// to send.
fn worker_access() -> Access {
    Access { deadline: from_now(WORKER_TIMEOUT), may_create: false, wake: Wake::Once }
}

impl Store for SqliteStore {
    fn put(&self, conversion: &Conversion) -> Result<bool, Error> {
        if !self.survives_power_loss && self.group_commit.is_idle() {
            match self.put_at_once(conversion) {
                Err(Failure::InUse) => {}
                other => return other.map_err(|failure| self.to_error(failure)),
            }
        }
        self.put_in_group(conversion)
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
        if completed.map_err(|failure| self.to_error(failure))? {
            self.election.notify_of_event();
        }
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

    fn oldest(&self) -> Result<Option<Moment>, Error> {
        Ok(self.worker_snapshot()?.oldest)
    }

    fn has_events(&self) -> Result<bool, Error> {
        Ok(self.worker_snapshot()?.counters.events > 0)
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

    fn clear_watch(&self) -> Noticed {
        self.election.clear_watch()
    }

    fn is_notified(&self) -> bool {
        !self.database.outbox_path.is_on_network && self.database.is_watched() && self.election.is_notified()
    }

    fn clear_opened(&self) -> bool {
        self.database.clear_opened()
    }

    fn was_opened(&self) -> bool {
        self.database.was_opened()
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

    fn shrink(&self, idle: Duration, now: Instant) {
        self.database.truncate_idle_wal(idle, now);
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::wal::group_commit::Queued;
    use super::*;
    use crate::conversion::{Channel, MessageId};

    fn report(id: usize) -> Conversion {
        let message_id = MessageId::new(&id.to_string()).unwrap();
        Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }
    }

    /// Opens a store in a new directory, which the caller must remove.
    fn open(name: &str, survives_power_loss: bool, busy_timeout: Duration) -> (PathBuf, SqliteStore) {
        let folder = PathBuf::from(env!("OUT_DIR")).join(name);
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir(&folder).unwrap();
        let settings = OutboxSettings {
            path: None,
            allow_network: true,
            survives_power_loss,
            max_pending: 20,
            overflow: Overflow::Fail,
            busy_timeout,
        };
        let account = Account { api_key: "k".to_owned(), base_url: "http://127.0.0.1".to_owned() };
        let store = SqliteStore::new(&folder.join("outbox"), &settings, &account).unwrap();
        store.snapshot().unwrap();
        (folder, store)
    }

    #[test]
    fn reports_of_waiting_threads_are_stored_together() {
        for survives_power_loss in [false, true] {
            let name = if survives_power_loss { "together-power" } else { "together" };
            let (folder, store) = open(name, survives_power_loss, Duration::from_secs(60));
            let guard = store.database.use_file();
            std::thread::scope(|scope| {
                for id in 0..16 {
                    let store = &store;
                    scope.spawn(move || assert_eq!(store.put(&report(id)), Ok(false)));
                }
                while store.group_commit.queued() < 16 {
                    std::thread::yield_now();
                }
                drop(guard);
            });
            assert_eq!(store.snapshot().unwrap().counters.pending(), 16);
            assert!(store.group_commit.is_idle());
            assert_eq!(store.put(&report(99)), Ok(false));
            drop(store);
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn thread_that_gets_the_lock_first_stores_the_queued_reports() {
        let (folder, store) = open("queued", false, Duration::from_secs(60));
        // This report takes the place of one that is queued while the call below waits for another process.
        let queued = store.group_commit.queue(&report(1));
        assert!(!store.put_at_once(&report(2)).unwrap());
        assert!(queued.is_finished());
        assert_eq!(store.snapshot().unwrap().counters.pending(), 2);
        drop(queued);
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_the_reports_beyond_the_limit_fail() {
        let (folder, store) = open("queued-full", false, Duration::from_secs(60));
        (0..19).for_each(|id| assert!(!store.put(&report(id)).unwrap()));
        let [same, first, second] = [18, 19, 20].map(|id| store.group_commit.queue(&report(id)));
        assert!(!store.put_at_once(&report(21)).unwrap());
        let result = |queued: &Queued<'_>| loop {
            if let Step::Return(result) = queued.wait(from_now(Duration::from_secs(60)), true) {
                return result.map_err(|error| error.kind());
            }
        };
        assert_eq!([&same, &first, &second].map(result), [Ok(false), Err(Kind::OutboxFull), Err(Kind::OutboxFull)]);
        drop((same, first, second));
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn each_waiting_thread_gives_up_at_its_deadline() {
        let (folder, store) = open("deadlines", false, Duration::from_millis(1));
        let guard = store.database.use_file();
        std::thread::scope(|scope| {
            for id in 0..8 {
                let store = &store;
                scope.spawn(move || assert_eq!(store.put(&report(id)).unwrap_err().kind(), Kind::OutboxBusy));
            }
        });
        drop(guard);
        assert!(store.group_commit.is_idle());
        assert_eq!(store.snapshot().unwrap().counters.submitted, 0);
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
