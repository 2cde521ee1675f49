//! Checkpoints the WAL on a separate thread, so that submits do not wait for checkpoints.
//!
//! A checkpoint that does not block writers may not catch up with writers that never pause, and the WAL would grow
//! without limit. Therefore, if the WAL is long, a checkpoint blocks writers at its end, so that the WAL restarts.
//!
//! The WAL of a busy outbox keeps its length, because extending a file costs more than overwriting it. Once the
//! outbox is idle, the worker requests the truncation of the WAL.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;

use crate::clock::from_now;
use crate::os;
use crate::reporter::outbox::sqlite::error::Failure;
use crate::reporter::outbox::sqlite::file::OutboxPath;
use crate::reporter::outbox::sqlite::file::file_set::{FileSet, IndexHeader, WalPages};
use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;
use crate::reporter::outbox::sqlite::lock::fair_lock::{FairLock, Wake};
use crate::reporter::outbox::sqlite::wal::vfs;
use crate::sync::{Condvar, Mutex};

/// A checkpoint starts when this many pages exist only in the WAL.
const CHECKPOINT_PAGES: u32 = 16_000;

/// The kernel starts to write the WAL to the disk whenever this many pages were added. Otherwise, the flush at the start
/// of a checkpoint would write them all at once, and on ext4 a submit would wait for most of that time.
const WRITEBACK_PAGES: u32 = 256;

/// A checkpoint also restarts the WAL if the WAL has this many pages.
const RESTART_PAGES: u32 = 64_000;

/// The maximum time that the thread waits before it checkpoints a WAL with fewer than [`CHECKPOINT_PAGES`] pages to
/// copy. Pages that a complete checkpoint has copied survive a power loss and the loss of the WAL.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// If fewer pages than this exist only in the WAL, they can be copied and flushed so fast that writers may be blocked
/// meanwhile.
const BLOCKING_PAGES: u32 = 256;

/// The maximum number of passes that copy pages without blocking writers before the WAL restarts.
const MAX_PASSES: u32 = 8;

/// The maximum time that restarting the WAL waits for readers and writers.
const BLOCKED_TIMEOUT: Duration = Duration::from_millis(50);

/// The maximum time that opening the connection waits for other users of the file.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum time that truncating the WAL waits for readers and writers. Submits may be blocked meanwhile.
const TRUNCATE_TIMEOUT: Duration = Duration::from_millis(2);

/// The pause between two removals of a part of the WAL, in which others can use the outbox.
const SHORTEN_PAUSE: Duration = Duration::from_millis(1);

/// If nothing is written for this time after a checkpoint, the connection releases its unused memory.
const RELEASE_DELAY: Duration = Duration::from_secs(5);

/// The pause after each task.
const PAUSE: Duration = Duration::from_millis(20);

/// The state shared by the writers and the checkpoint thread.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// The number of pages that exist only in the WAL, as of the last write or checkpoint. At least 1 if there was a
    /// write since the last checkpoint.
    uncopied: AtomicU32,
    /// The value of `uncopied` when the kernel last started to write the WAL to the disk.
    written_back: AtomicU32,
    /// The number of pages in the WAL that the last checkpoint found copied.
    copied: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
    /// The lock held during a checkpoint.
    pub(crate) lock: FairLock,
}

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    is_running: bool,
    /// When the next checkpoint is due; None if there was no write since the last one.
    due: Option<Instant>,
    /// Whether the connection may hold unused memory since the last checkpoint.
    holds_memory: bool,
    /// The index header of the idle WAL that must be truncated.
    idle_wal: Option<IndexHeader>,
}

/// The next task of the thread.
enum Task {
    StartWriteback,
    Checkpoint,
    /// Truncate the WAL if its index still has this header.
    Truncate(IndexHeader),
    ReleaseMemory,
    Stop,
}

/// The operations that a checkpoint requires of the outbox.
pub(crate) trait Checkpointed: Send + Sync + 'static {
    fn checkpoints(&self) -> &Checkpoints;

    /// Closes the open file.
    fn close(&self);

    /// Runs `work` with the checkpoint connection and its files, unless the outbox is closed or its files were
    /// changed. The caller holds [`Checkpoints::lock`].
    fn with_checkpoint_connection(&self, work: &mut dyn FnMut(&Connection, &FileSet));

    /// Runs `work` while writers are blocked. If it returns true, then makes a write that changes nothing, so that no
    /// submit makes the first write to the restarted WAL, which waits for the disk. Returns the index header after
    /// that write, or None if `work` returned false or other users did not release the file within `timeout`.
    fn without_writers(&self, timeout: Duration, work: &mut dyn FnMut(&FileSet) -> bool) -> Option<IndexHeader>;

    /// Removes a part of the WAL that its index does not list. Returns false if nothing is left to remove, if the
    /// index no longer has this header, or if other users do not release the file within `timeout`.
    fn shorten_wal(&self, timeout: Duration, header: IndexHeader) -> bool;

    /// Releases the memory that the connection used by submits holds but does not need.
    fn release_memory(&self);
}

impl Checkpoints {
    /// Records the number of pages in the WAL and wakes the checkpoint thread if necessary. Called after each commit
    /// of the writing connection.
    pub(crate) fn record_pages(&self, pages: u32) {
        let uncopied = pages.checked_sub(self.copied.load(Ordering::Acquire)).unwrap_or_else(|| {
            // The WAL has restarted.
            self.copied.store(0, Ordering::Release);
            pages
        });
        let before = self.uncopied.swap(uncopied.max(1), Ordering::AcqRel);
        let reaches = |threshold| before < threshold && threshold <= uncopied;
        if before == 0 || reaches(CHECKPOINT_PAGES) || reaches(self.writeback_threshold()) {
            // Locking the state ensures that a thread that is about to wait does not miss the notification.
            drop(self.state());
            self.changed.notify_one();
        }
    }

    /// Sets `uncopied` to 0. Returns its former value.
    fn reset_uncopied(&self) -> u32 {
        self.written_back.store(0, Ordering::Release);
        self.uncopied.swap(0, Ordering::AcqRel)
    }

    /// Returns the value of `uncopied` from which on the kernel must start to write the WAL to the disk.
    fn writeback_threshold(&self) -> u32 {
        self.written_back.load(Ordering::Acquire).saturating_add(WRITEBACK_PAGES)
    }

    /// Records the result of a checkpoint that began after `uncopied` was set to 0.
    fn record_checkpoint(&self, wal: WalPages) {
        self.copied.store(wal.copied, Ordering::Release);
        let is_written = self.uncopied.swap(wal.uncopied(), Ordering::AcqRel) > 0;
        // A write during the checkpoint counts as at least one page, because it may have come after `wal` was read.
        self.uncopied.fetch_max(u32::from(is_written), Ordering::AcqRel);
    }

    /// Stops the thread at its next check.
    pub(crate) fn end(&self) {
        self.state().is_stopped = true;
        self.changed.notify_one();
    }

    /// Starts the thread unless it is running. If no thread can be started, the WAL grows until a later call succeeds.
    pub(crate) fn start(outbox: &Arc<impl Checkpointed>) {
        let mut state = outbox.checkpoints().state();
        if !state.is_running && !state.is_stopped {
            let weak = Arc::downgrade(outbox);
            let work = move || {
                while let Some(outbox) = weak.upgrade() {
                    match outbox.checkpoints().wait() {
                        Task::StartWriteback => crate::panic::catch_panic(|| start_writeback(&*outbox)),
                        Task::Checkpoint => crate::panic::catch_panic(|| checkpoint(&*outbox)),
                        Task::Truncate(header) => crate::panic::catch_panic(|| truncate(&*outbox, header)),
                        Task::ReleaseMemory => crate::panic::catch_panic(|| outbox.release_memory()),
                        Task::Stop => {
                            outbox.close();
                            break;
                        }
                    };
                }
            };
            state.is_running = os::spawn("nexmo-wal", work).is_ok();
        }
    }

    /// Makes the thread truncate the WAL, if its index still has this header.
    pub(crate) fn truncate(&self, header: IndexHeader) {
        self.state().idle_wal = Some(header);
        self.changed.notify_one();
    }

    /// Waits for the next task.
    fn wait(&self) -> Task {
        let mut state = self.state();
        state = self.changed.wait_timeout_while(state, PAUSE, |state| !state.is_stopped).0;
        let has_work = |state: &State, pages| {
            state.is_stopped || state.idle_wal.is_some() || self.uncopied.load(Ordering::Acquire) >= pages
        };
        if state.holds_memory {
            state = self.changed.wait_timeout_while(state, RELEASE_DELAY, |state| !has_work(state, 1)).0;
            if !has_work(&state, 1) {
                state.holds_memory = false;
                return Task::ReleaseMemory;
            }
        }
        while !has_work(&state, 1) {
            state = self.changed.wait(state);
        }
        let due = *state.due.get_or_insert_with(|| from_now(MAX_DELAY));
        let delay = due.saturating_duration_since(Instant::now());
        let threshold = self.writeback_threshold().min(CHECKPOINT_PAGES);
        state = self.changed.wait_timeout_while(state, delay, |state| !has_work(state, threshold)).0;
        if state.is_stopped {
            return Task::Stop;
        }
        if Instant::now() < due && !has_work(&state, CHECKPOINT_PAGES) {
            return Task::StartWriteback;
        }
        state.due = None;
        state.holds_memory = true;
        state.idle_wal.take().map_or(Task::Checkpoint, Task::Truncate)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// A separate connection for checkpoints, so that a checkpoint does not keep writers from using theirs.
#[derive(Default)]
pub(crate) struct CheckpointConnection {
    open: Mutex<Option<(Connection, Arc<FileSet>)>>,
    busy_timeout: BusyTimeout,
}

impl CheckpointConnection {
    /// Connects to the outbox whose open files are `files`.
    pub(crate) fn open(&self, outbox_path: &OutboxPath, files: &Arc<FileSet>) -> Result<(), Failure> {
        self.set_deadline(from_now(CONNECT_TIMEOUT));
        *self.open.lock() = Some((outbox_path.connect(&self.busy_timeout)?, Arc::clone(files)));
        Ok(())
    }

    /// Sets the deadline for waiting for other users of the file.
    pub(crate) fn set_deadline(&self, deadline: Instant) {
        self.busy_timeout.set_deadline(deadline);
    }

    /// Runs `work`, unless the outbox is closed or another process changed its files.
    pub(crate) fn with(&self, deadline: Instant, work: &mut dyn FnMut(&Connection, &FileSet)) {
        self.set_deadline(deadline);
        if let Some((connection, files)) = &*self.open.lock()
            && files.change().is_none()
        {
            work(connection, files);
        }
    }

    pub(crate) fn close(&self) {
        *self.open.lock() = None;
    }
}

/// Makes the kernel start to write to the disk what was written to the files.
fn start_writeback(outbox: &impl Checkpointed) {
    let checkpoints = outbox.checkpoints();
    let Some(_guard) = checkpoints.lock.acquire(from_now(Duration::from_secs(1)), Wake::Always) else {
        return;
    };
    checkpoints.written_back.store(checkpoints.uncopied.load(Ordering::Acquire), Ordering::Release);
    outbox.with_checkpoint_connection(&mut |_, files| files.start_writeback());
}

fn checkpoint(outbox: &impl Checkpointed) {
    let Some(_guard) = outbox.checkpoints().lock.acquire(from_now(Duration::from_secs(1)), Wake::Always) else {
        return;
    };
    outbox.with_checkpoint_connection(&mut |connection, files| {
        // Another process may be running a checkpoint. Waiting for it while writers are blocked would delay them.
        let Some(_process_guard) = files.lock_for_checkpoint() else {
            return;
        };
        // Pages written from now on are counted separately.
        let is_long = outbox.checkpoints().reset_uncopied() >= CHECKPOINT_PAGES;
        let mut wal = files.wal_pages();
        // Another process may have run a checkpoint meanwhile.
        if !is_long || wal.uncopied() >= CHECKPOINT_PAGES {
            // With so many pages, writers may be faster than a checkpoint with pauses.
            match wal.uncopied() < 2 * CHECKPOINT_PAGES {
                true => vfs::with_pauses(|| copy(connection, CheckpointMode::PASSIVE)),
                false => copy(connection, CheckpointMode::PASSIVE),
            };
            files.start_writeback();
            wal = files.wal_pages();
            if wal.total >= RESTART_PAGES {
                restart(outbox, connection, files);
                wal = files.wal_pages();
            }
        }
        outbox.checkpoints().record_checkpoint(wal);
    });
}

/// Blocks writers and restarts the WAL. Before that, copies and flushes most of the pages without blocking writers,
/// because both take a long time.
fn restart(outbox: &impl Checkpointed, connection: &Connection, files: &FileSet) {
    for _ in 0..MAX_PASSES {
        files.flush_database();
        if files.wal_pages().uncopied() < BLOCKING_PAGES {
            break;
        }
        copy(connection, CheckpointMode::PASSIVE);
    }
    outbox.without_writers(BLOCKED_TIMEOUT, &mut |_| {
        copy(connection, CheckpointMode::RESTART);
        true
    });
}

/// Truncates the WAL, unless the outbox has been written to since its index had this header.
pub(crate) fn truncate(outbox: &impl Checkpointed, header: IndexHeader) {
    let Some(_guard) = outbox.checkpoints().lock.acquire(from_now(Duration::from_secs(1)), Wake::Always) else {
        return;
    };
    let mut restarted = None;
    outbox.with_checkpoint_connection(&mut |connection, files| {
        let Some(_process_guard) = files.lock_for_checkpoint() else {
            return;
        };
        outbox.checkpoints().reset_uncopied();
        // Copies the remaining pages without blocking writers.
        vfs::with_pauses(|| copy(connection, CheckpointMode::PASSIVE));
        let mut wal = files.wal_pages();
        if wal.uncopied() == 0 {
            restarted = outbox.without_writers(TRUNCATE_TIMEOUT, &mut |files| {
                files.index_header() == Some(header) && copy(connection, CheckpointMode::RESTART)
            });
            wal = files.wal_pages();
        }
        outbox.checkpoints().record_checkpoint(wal);
    });
    // SQLite would truncate a long WAL in one step, which would noticeably delay a submit.
    while restarted.is_some_and(|header| outbox.shorten_wal(TRUNCATE_TIMEOUT, header)) {
        std::thread::sleep(SHORTEN_PAUSE);
    }
}

/// Copies pages from the WAL to the database. Returns false if another connection prevented it or the disk failed.
/// The pages then stay in the WAL, and a later checkpoint copies them.
fn copy(connection: &Connection, mode: CheckpointMode) -> bool {
    connection.wal_checkpoint_v2(None::<&str>, mode).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uncopied(checkpoints: &Checkpoints) -> u32 {
        checkpoints.uncopied.load(Ordering::Acquire)
    }

    #[test]
    fn pages_are_counted_from_the_last_checkpoint_or_restart() {
        let checkpoints = Checkpoints::default();
        checkpoints.record_pages(100);
        assert_eq!(uncopied(&checkpoints), 100);
        checkpoints.uncopied.store(0, Ordering::Release);
        checkpoints.record_checkpoint(WalPages { total: 100, copied: 100 });
        assert_eq!(uncopied(&checkpoints), 0);
        checkpoints.record_pages(103);
        assert_eq!(uncopied(&checkpoints), 3);
        checkpoints.record_pages(7);
        assert_eq!(uncopied(&checkpoints), 7);
        checkpoints.record_pages(150);
        assert_eq!(uncopied(&checkpoints), 150);
    }

    #[test]
    fn kernel_writes_the_wal_to_the_disk_before_the_checkpoint() {
        let checkpoints = Checkpoints::default();
        checkpoints.record_pages(WRITEBACK_PAGES);
        assert!(matches!(checkpoints.wait(), Task::StartWriteback));
        checkpoints.written_back.store(WRITEBACK_PAGES, Ordering::Release);
        checkpoints.record_pages(CHECKPOINT_PAGES);
        assert!(matches!(checkpoints.wait(), Task::Checkpoint));
    }

    #[test]
    fn constant_writes_do_not_delay_the_checkpoint() {
        let checkpoints = Checkpoints::default();
        checkpoints.record_pages(WRITEBACK_PAGES);
        assert!(matches!(checkpoints.wait(), Task::StartWriteback));
        checkpoints.state().due = Some(Instant::now());
        assert!(matches!(checkpoints.wait(), Task::Checkpoint));
        assert_eq!(checkpoints.state().due, None);
    }

    #[test]
    fn pages_written_during_a_checkpoint_are_not_forgotten() {
        let checkpoints = Checkpoints::default();
        checkpoints.record_pages(102);
        checkpoints.record_checkpoint(WalPages { total: 100, copied: 100 });
        assert_eq!(uncopied(&checkpoints), 1);
        checkpoints.record_checkpoint(WalPages { total: 104, copied: 100 });
        assert_eq!(uncopied(&checkpoints), 4);
    }
}
