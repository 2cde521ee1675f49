//! Opens an outbox file on demand and lets one thread at a time use it, apart from checkpoints, which have their own
//! connection.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::Failure;
use super::file::file_set::{Change, FileSet, IndexHeader};
use super::file::generation::Generations;
use super::file::reserve::Reserve;
use super::file::{OpenFile, OutboxPath};
use super::lock::busy_timeout;
use super::lock::busy_timeout::BusyTimeout;
#[cfg(test)]
use super::lock::fair_lock::Guard;
use super::lock::fair_lock::{FairLock, Wake};
use super::queries;
use super::transaction::in_transaction;
use super::wal::checkpointer::{CheckpointConnection, Checkpointed, Checkpoints};
use super::wal::idle::IdleWal;
use super::wal::sync;
use super::wal::sync::WalSync;
use crate::clock::from_now;
use crate::os::wakeup;
use crate::os::wakeup::Watch;
use crate::sync::Mutex;

/// The maximum number of attempts at an operation while other processes keep changing the files.
const MAX_ATTEMPTS: u32 = 5;

/// The maximum time that a fork waits for each outbox to become idle.
const FORK_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum time that a flush waits for other users of the file before it rewrites the WAL.
const REWRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum time that checkpoints and related maintenance wait for readers and writers.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(50);

/// Whether a connection may stay open across a fork because an outbox was not idle in time, most likely because its
/// disk hangs. In the child, the value stays true, because SQLite cannot be used there.
static IS_OPEN_ACROSS_FORK: AtomicBool = AtomicBool::new(false);

/// The file of an outbox.
pub(crate) struct Database {
    pub(crate) outbox_path: OutboxPath,
    pub(crate) reserve: Reserve,
    /// Serializes access to `open`.
    lock: FairLock,
    /// Locked only by the holder of `lock`. Waiting for `lock` has a deadline, and waiting for a `Mutex` has none.
    open: Mutex<Option<OpenFile>>,
    busy_timeout: BusyTimeout,
    checkpoints: Arc<Checkpoints>,
    checkpoint_connection: CheckpointConnection,
    /// The WAL as the worker last found it.
    idle_wal: Mutex<IdleWal>,
    sync: WalSync,
    is_closed_for_fork: AtomicBool,
    /// The watch of this process, and whether it covers the open files.
    watch: Option<Arc<Watch>>,
    is_watched: AtomicBool,
    /// Whether the files were opened since the worker last asked.
    was_opened: AtomicBool,
    /// Whether the last write found the disk full.
    was_full: AtomicBool,
    pub(crate) generations: Generations,
    /// The id of the last report that this process stored.
    last_submitted: AtomicU64,
}

/// The parameters of an operation on the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    /// The deadline for waiting for other processes and threads.
    pub(crate) deadline: Instant,
    /// Whether a missing file is created.
    pub(crate) may_create: bool,
    pub(crate) wake: Wake,
}

/// The result of a write, and the WAL to flush to make the write durable.
pub(crate) struct Written<T> {
    pub(crate) result: T,
    wal: Arc<File>,
}

impl Database {
    pub(crate) fn new(outbox_path: OutboxPath, watch: Option<Arc<Watch>>) -> Self {
        Self {
            reserve: Reserve::new(outbox_path.sidecar(".reserve")),
            outbox_path,
            lock: FairLock::default(),
            open: Mutex::default(),
            busy_timeout: BusyTimeout::default(),
            checkpoints: Arc::default(),
            checkpoint_connection: CheckpointConnection::default(),
            idle_wal: Mutex::default(),
            sync: WalSync::default(),
            is_closed_for_fork: AtomicBool::new(false),
            watch,
            is_watched: AtomicBool::new(false),
            was_opened: AtomicBool::new(false),
            was_full: AtomicBool::new(false),
            generations: Generations::default(),
            last_submitted: AtomicU64::new(0),
        }
    }

    /// Records that this process stored a report in row `row`.
    pub(crate) fn submitted(&self, row: u64) {
        self.last_submitted.fetch_max(self.generations.id(row), Ordering::AcqRel);
    }

    /// Runs `work` in a transaction.
    pub(crate) fn write<T>(
        &self,
        access: Access,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Written<T>, Failure> {
        self.change(access, |file| in_transaction(&file.connection, &work))
    }

    /// Runs `work`, which executes a transaction. Waits for other users of the file until the deadline. Runs `work`
    /// again if the file was damaged and could be quarantined, if other processes changed the files meanwhile, or if
    /// a fork interrupted a wait.
    pub(crate) fn change<T>(
        &self,
        access: Access,
        work: impl Fn(&OpenFile) -> rusqlite::Result<T>,
    ) -> Result<Written<T>, Failure> {
        let written = self.with_file(access, |file| {
            let _guard = file.lock_for_writing(&self.busy_timeout)?;
            fail_if(file.files.change_before_write())?;
            if self.was_full.load(Ordering::Acquire) {
                // If the checkpoint copies all pages to the file, the next write restarts the WAL and needs no more
                // space. Otherwise the write may still fit.
                file.connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE).ok();
            }
            let result = work(file)?;
            // Without this check, the transaction could be in a WAL that no process will read.
            fail_if(file.files.change_after_write())?;
            Ok(Written { result, wal: Arc::clone(&file.files.wal_file) })
        });
        self.was_full.store(matches!(written, Err(Failure::Full)), Ordering::Release);
        written
    }

    /// Flushes this write and all earlier writes to the disk. The caller ensures that one thread does this at a time.
    pub(crate) fn flush<T>(&self, written: &Written<T>) -> Result<(), Failure> {
        if self.sync.needs_rewrite() {
            let access = Access { deadline: from_now(REWRITE_TIMEOUT), may_create: false, wake: Wake::Always };
            self.with_file(access, |file| {
                let _guard = file.lock_for_writing(&self.busy_timeout)?;
                fail_if(file.files.change())?;
                // The transaction prevents other connections from restarting the WAL meanwhile.
                let _transaction = Transaction::new_unchecked(&file.connection, TransactionBehavior::Immediate)?;
                Ok(sync::rewrite(&file.files.wal_file)?)
            })
            .map_err(|failure| Failure::unflushed(&failure.into_error(&self.outbox_path.path)))?;
        }
        self.sync.flush(&written.wal).map_err(|error| Failure::unflushed(&error))
    }

    /// Runs `work`, which writes nothing.
    pub(crate) fn read<T>(
        &self,
        access: Access,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        self.with_file(access, |file| {
            fail_if(file.files.change())?;
            Ok(work(&file.connection)?)
        })
    }

    fn with_file<T>(&self, access: Access, work: impl Fn(&OpenFile) -> Result<T, Failure>) -> Result<T, Failure> {
        let Access { deadline, may_create, mut wake } = access;
        let mut changes: u32 = 0;
        while changes < MAX_ATTEMPTS {
            let forks = busy_timeout::wait_for_forks(deadline);
            let is_in_use = if wake == Wake::Never { Failure::InUse } else { Failure::Busy };
            let _guard = self.lock.acquire(deadline, wake).ok_or(is_in_use)?;
            // Later attempts wait even if `wake` was `Never`, because `work` may have begun.
            wake = if wake == Wake::Never { Wake::Always } else { wake };
            self.busy_timeout.set_deadline(deadline);
            let mut open = self.open();
            let recovered = match self.attempt(&mut open, may_create, &work) {
                Err(Failure::Changed(change)) => self.recover(&mut open, change),
                Err(Failure::Corrupt(what)) => self.quarantine(&mut open, what, deadline),
                Err(failure) => Err(failure),
                Ok(result) => return Ok(result),
            };
            match recovered {
                Ok(()) => changes = changes.saturating_add(1),
                // A fork interrupted the wait, so the operation is repeated.
                Err(Failure::Busy) if busy_timeout::forks() != forks && Instant::now() < deadline => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::outbox(format!("other processes keep changing the files of {}", self.outbox_path.path.display())))
    }

    fn attempt<T>(
        &self,
        open: &mut Option<OpenFile>,
        may_create: bool,
        work: &impl Fn(&OpenFile) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let file = match open {
            Some(file) => file,
            None => {
                if !may_create {
                    self.outbox_path.fail_if_missing()?;
                }
                open.insert(self.open_file()?)
            }
        };
        if !file.is_compared.get() {
            if let Some(row) = self.generations.row(self.last_submitted.load(Ordering::Acquire)) {
                let _guard = file.lock_for_writing(&self.busy_timeout)?;
                in_transaction(&file.connection, |rows| queries::count_lost(rows, row))?;
            }
            file.is_compared.set(true);
        }
        work(file)
    }

    fn open_file(&self) -> Result<OpenFile, Failure> {
        if IS_OPEN_ACROSS_FORK.load(Ordering::Acquire) {
            return Err(Failure::outbox(
                "a disk did not respond in time when the parent forked; this process can use an outbox only after exec",
            ));
        }
        let mut file = self.outbox_path.open(&self.busy_timeout)?;
        let checkpoints = Arc::clone(&self.checkpoints);
        let record = move |_: &mut Wal, pages: i32| {
            checkpoints.record_pages(u32::try_from(pages).unwrap_or(0));
            Ok(())
        };
        file.connection.wal_hook(Some(record))?;
        self.generations.opened(file.identity);
        // The checkpoint connection is opened now, because the process may give up the necessary privileges later.
        self.checkpoint_connection.open(&self.outbox_path, &file.files)?;
        self.reserve.allocate();
        // Each operation compares the open files with those at their paths, so a change before the watch begins is
        // detected too.
        let is_watched = |suffix: &&str| {
            let path = self.outbox_path.sidecar(suffix);
            self.watch.as_ref().is_some_and(|watch| watch.set(&path, wakeup::Change::Renamed).is_ok())
        };
        self.is_watched.store(["", "-wal", "-shm"].iter().all(is_watched), Ordering::Release);
        self.was_opened.store(true, Ordering::Release);
        Ok(file)
    }

    /// Returns whether this process is notified when another one removes, renames or links the files.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Acquire)
    }

    /// Returns whether the files were opened since the last call of this function.
    pub(crate) fn clear_opened(&self) -> bool {
        self.was_opened() && self.was_opened.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn was_opened(&self) -> bool {
        self.was_opened.load(Ordering::Acquire)
    }

    /// Saves the data that can still be saved after other processes changed the files, and closes the files.
    fn recover(&self, open: &mut Option<OpenFile>, change: Change) -> Result<(), Failure> {
        if let Some(file) = &*open
            && matches!(change, Change::DatabaseMoved | Change::WalReplaced)
        {
            // Without this checkpoint, pages that are only in the WAL would be lost.
            let _guard = file.lock_for_writing(&self.busy_timeout)?;
            file.connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::FULL)?;
        }
        if matches!(change, Change::DatabaseMoved | Change::DatabaseRemoved) {
            self.generations.advance();
        }
        self.close_connections(open)
    }

    /// Closes the files and moves them to another name if they are damaged.
    fn quarantine(&self, open: &mut Option<OpenFile>, what: String, deadline: Instant) -> Result<(), Failure> {
        let damaged = open.as_ref().map(|file| file.identity);
        self.close_connections(open)?;
        if !self.outbox_path.was_outbox() {
            return Err(self.outbox_path.not_an_outbox());
        }
        if !self.outbox_path.quarantine(damaged, &BusyTimeout::until(deadline))? {
            return Err(if busy_timeout::is_fork_waiting() { Failure::Busy } else { Failure::Corrupt(what) });
        }
        self.generations.advance();
        Ok(())
    }

    /// Closes both connections, because SQLite would let a new connection share the WAL index of one that is still
    /// open. A checkpoint in progress may be waiting for the lock that the caller holds. Its timeout is half of the
    /// timeout used here, so it gives up first.
    fn close_connections(&self, open: &mut Option<OpenFile>) -> Result<(), Failure> {
        let guard = self.checkpoints.lock.acquire(from_now(2 * CHECKPOINT_TIMEOUT), Wake::Always);
        let _guard = guard.ok_or(Failure::Busy)?;
        self.checkpoint_connection.close();
        *open = None;
        Ok(())
    }

    /// Closes both connections, unless one of them is in use until `deadline`. In that case, they are closed when the
    /// last reference to the database is dropped. A fork waits for these locks, and so for this function.
    pub(crate) fn close(&self, deadline: Instant) {
        if let (Some(_checkpoint_guard), Some(_guard)) =
            (self.checkpoints.lock.acquire(deadline, Wake::Always), self.lock.acquire(deadline, Wake::Always))
        {
            self.checkpoint_connection.close();
            *self.open() = None;
        }
    }

    /// Closes the file and blocks access to it until [`Database::resume_after_fork`]. If the file is still in use
    /// after [`FORK_TIMEOUT`], leaves it open.
    pub(crate) fn close_for_fork(&self) {
        let deadline = from_now(FORK_TIMEOUT);
        let is_checkpointing = !self.checkpoints.lock.lock(deadline, Wake::Always);
        let is_idle = !is_checkpointing && self.lock.lock(deadline, Wake::Always);
        if is_idle {
            self.checkpoint_connection.close();
            *self.open() = None;
        } else {
            IS_OPEN_ACROSS_FORK.store(true, Ordering::Release);
            if !is_checkpointing {
                self.checkpoints.lock.unlock();
            }
        }
        self.is_closed_for_fork.store(is_idle, Ordering::Release);
    }

    pub(crate) fn resume_after_fork(&self) {
        IS_OPEN_ACROSS_FORK.store(false, Ordering::Release);
        if self.is_closed_for_fork.swap(false, Ordering::AcqRel) {
            self.lock.unlock();
            self.checkpoints.lock.unlock();
        }
    }

    /// Returns whether one of the open files has a second name. Returns false if the files are in use until `deadline`.
    pub(crate) fn has_links(&self, deadline: Instant) -> bool {
        // If the disk hangs, other threads wait for this lock only until their own deadlines.
        let guard = self.lock.acquire(deadline, Wake::Once);
        guard.is_some() && self.open().as_ref().is_some_and(|file| file.files.has_links())
    }

    /// Keeps other threads from using the file until the guard is dropped.
    #[cfg(test)]
    pub(crate) fn use_file(&self) -> Guard<'_> {
        self.lock.acquire(from_now(Duration::from_secs(60)), Wake::Always).unwrap()
    }

    /// Requests the truncation of the WAL if it is long and no process has written to the outbox for `idle`. The
    /// worker calls this function repeatedly, because only a later call can find that nothing was written since an
    /// earlier one.
    pub(crate) fn truncate_idle_wal(&self, idle: Duration, now: Instant) {
        let Some(_guard) = self.lock.acquire(from_now(CHECKPOINT_TIMEOUT), Wake::Once) else {
            return;
        };
        let open = self.open();
        let Some(header) = open.as_ref().and_then(|file| file.files.header_of_long_wal()) else {
            return;
        };
        if self.idle_wal.lock().is_idle(header, idle, now) {
            self.checkpoints.truncate(header);
        }
    }

    /// Starts the checkpoint thread unless it is running.
    pub(crate) fn start(self: &Arc<Self>) {
        Checkpoints::start(self);
    }

    pub(crate) fn end(&self) {
        self.checkpoints.end();
    }

    fn open(&self) -> MutexGuard<'_, Option<OpenFile>> {
        self.open.lock()
    }
}

impl Checkpointed for Database {
    fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    fn close(&self) {
        Self::close(self, from_now(CHECKPOINT_TIMEOUT));
    }

    fn with_checkpoint_connection(&self, work: &mut dyn FnMut(&Connection, &FileSet)) {
        self.checkpoint_connection.with(from_now(CHECKPOINT_TIMEOUT), work);
    }

    fn without_writers(&self, timeout: Duration, work: &mut dyn FnMut(&FileSet) -> bool) -> Option<IndexHeader> {
        let _guard = self.lock.acquire(from_now(timeout), Wake::Once)?;
        self.busy_timeout.set_deadline(from_now(timeout));
        self.checkpoint_connection.set_deadline(from_now(timeout));
        let open = self.open();
        let file = open.as_ref()?;
        let _write_guard = file.lock_for_writing(&self.busy_timeout).ok()?;
        if file.files.change().is_some() || !work(&file.files) {
            return None;
        }
        // If this write fails, the next submit is slower, but nothing is lost.
        queries::write_unchanged(&file.connection).ok();
        file.files.index_header()
    }

    fn shorten_wal(&self, timeout: Duration, header: IndexHeader) -> bool {
        let Some(_guard) = self.lock.acquire(from_now(timeout), Wake::Once) else {
            return false;
        };
        self.busy_timeout.set_deadline(from_now(timeout));
        let open = self.open();
        let Some(file) = &*open else {
            return false;
        };
        let Ok(_write_guard) = file.lock_for_writing(&self.busy_timeout) else {
            return false;
        };
        // The transaction prevents other connections from writing to the WAL meanwhile.
        let transaction = Transaction::new_unchecked(&file.connection, TransactionBehavior::Immediate);
        transaction.is_ok()
            && file.files.change().is_none()
            && file.files.index_header() == Some(header)
            && file.files.shorten_wal(header)
    }

    fn release_memory(&self) {
        let Some(_guard) = self.lock.acquire(from_now(CHECKPOINT_TIMEOUT), Wake::Once) else {
            return;
        };
        if let Some(file) = &*self.open() {
            file.connection.execute_batch("PRAGMA shrink_memory").ok();
        }
    }
}

/// Fails if another process changed the files.
fn fail_if(change: Option<Change>) -> Result<(), Failure> {
    match change {
        None => Ok(()),
        Some(Change::ContentTruncated) => Err(Failure::Corrupt("the file or its WAL was truncated".to_owned())),
        Some(change) => Err(Failure::Changed(change)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::reporter::outbox::Account;
    use crate::reporter::outbox::sqlite::wal::{checkpointer, vfs};

    /// Creates a directory with an outbox.
    fn create(name: &str) -> (PathBuf, Database, Access) {
        let folder = PathBuf::from(env!("OUT_DIR")).join(name);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir(&folder).unwrap();
        let account = Account { api_key: "k".to_owned(), base_url: "http://127.0.0.1".to_owned() };
        let database = Database::new(OutboxPath::find(&folder.join("outbox"), true, &account).unwrap(), None);
        let access = Access { deadline: from_now(Duration::from_secs(60)), may_create: true, wake: Wake::Always };
        database.write(access, queries::counters).unwrap();
        (folder, database, access)
    }

    /// Makes the WAL longer than 1 MiB.
    fn lengthen_wal(database: &Database, access: Access) {
        let write = |rows: &Connection| {
            rows.execute_batch(
                "CREATE TABLE IF NOT EXISTS long (bytes BLOB); INSERT INTO long VALUES (zeroblob(2000000))",
            )
        };
        database.write(access, write).unwrap();
    }

    #[test]
    fn released_memory_includes_the_page_cache() {
        let (folder, database, access) = create("page-cache");
        lengthen_wal(&database, access);
        let size = || vfs::cache_size(&database.open().as_ref().unwrap().connection);
        assert!(size() > 1_000_000);
        database.release_memory();
        assert!(size() < 100_000, "{}", size());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_an_idle_wal_is_truncated() {
        let (folder, database, access) = create("idle-wal");
        let database = Arc::new(database);
        let (length, idle) = (|| fs::metadata(folder.join("outbox-wal")).unwrap().len(), Duration::from_secs(60));
        let at = |minutes: u32| Instant::now() + minutes * idle;
        database.start();
        for minutes in 0..3 {
            lengthen_wal(&database, access);
            database.truncate_idle_wal(idle, at(minutes));
        }
        // This write follows the decision to truncate, so `truncate` must detect it.
        let header = database.open().as_ref().unwrap().files.index_header().unwrap();
        lengthen_wal(&database, access);
        checkpointer::truncate(&*database, header);
        assert!(length() > 6_000_000, "the WAL was truncated while it was busy: {}", length());
        // An earlier attempt may have found the file in use.
        let mut minutes = 3;
        let deadline = Instant::now() + Duration::from_secs(60);
        while length() > 100_000 {
            assert!(Instant::now() < deadline);
            database.truncate_idle_wal(idle, at(minutes));
            minutes += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
        database.clear_opened();
        database.write(access, queries::counters).unwrap();
        assert!(!database.was_opened(), "a WAL that this process truncated must not count as changed by another");
        database.end();
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_the_holder_of_the_lock_checks_for_links() {
        let (folder, database, access) = create("owner-of-lock");
        fs::hard_link(folder.join("outbox"), folder.join("link")).unwrap();
        let guard = database.lock.acquire(access.deadline, Wake::Always);
        assert!(!database.has_links(Instant::now()), "the files must not be checked without the lock");
        drop(guard);
        assert!(database.has_links(access.deadline));
        fs::remove_dir_all(&folder).unwrap();
    }
}
