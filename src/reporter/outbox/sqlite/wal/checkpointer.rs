//! Checkpoints the WAL on a separate thread, so that submits do not wait for checkpoints.
//!
//! A checkpoint that does not block writers never catches up with a writer that never pauses, and the WAL would grow
//! without limit. So, when the WAL is long, one checkpoint blocks writers, and the WAL restarts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;

use crate::clock::from_now;
use crate::os;
use crate::reporter::outbox::sqlite::error::Failure;
use crate::reporter::outbox::sqlite::file::OutboxPath;
use crate::reporter::outbox::sqlite::file::file_set::FileSet;
use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;
use crate::reporter::outbox::sqlite::lock::fair_lock::{FairLock, Wake};
use crate::sync::{Condvar, Mutex};

/// The number of pages in the WAL that starts a checkpoint.
const CHECKPOINT_PAGES: u32 = 16_000;

/// The number of pages in the WAL that forces a restart of the WAL.
const RESTART_PAGES: u32 = 64_000;

/// The maximum time that the thread waits before it checkpoints a WAL with fewer than [`CHECKPOINT_PAGES`] pages. A
/// page that was copied to the file survives power loss and the loss of the WAL.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// The maximum number of further checkpoints without blocking writers before the WAL restarts.
const MAX_PASSES: u32 = 4;

/// The maximum time that opening the connection waits for other users of the file.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The minimum time between two checkpoints.
const PAUSE: Duration = Duration::from_millis(20);

/// The state shared by the writers and the checkpoint thread.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// The number of pages in the WAL after the last write; 0 if no page was written since the last complete
    /// checkpoint.
    pages: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
    /// The lock held during a checkpoint.
    pub(crate) lock: FairLock,
}

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    is_running: bool,
}

/// The operations that a checkpoint requires of the outbox.
pub(crate) trait Checkpointed: Send + Sync + 'static {
    fn checkpoints(&self) -> &Checkpoints;

    /// Closes the open file.
    fn close(&self);

    /// Runs `work` with the checkpoint connection. The caller holds the lock.
    fn with_checkpoint_connection(&self, work: &mut dyn FnMut(&Connection));

    /// Runs `work` while writers are blocked, then makes a write, because the first write to a restarted WAL waits for
    /// the disk.
    fn without_writers(&self, work: &mut dyn FnMut());
}

impl Checkpoints {
    /// Records the number of pages in the WAL and wakes the checkpoint thread if necessary. Called after each
    /// transaction of the writing connection.
    pub(crate) fn record_pages(&self, pages: u32) {
        let before = self.pages.swap(pages, Ordering::AcqRel);
        if before == 0 || (pages >= CHECKPOINT_PAGES && before < CHECKPOINT_PAGES) {
            // Locking the state ensures that a thread that is about to wait does not miss the notification.
            drop(self.state());
            self.changed.notify_one();
        }
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
                    if !outbox.checkpoints().wait() {
                        outbox.close();
                        break;
                    }
                    crate::panic::catch_panic(|| checkpoint(&*outbox));
                }
            };
            state.is_running = os::spawn("nexmo-wal", work).is_ok();
        }
    }

    /// Waits until a checkpoint is due. Returns false if the outbox is closing.
    fn wait(&self) -> bool {
        let mut state = self.state();
        state = self.changed.wait_timeout(state, PAUSE).0;
        while !state.is_stopped && self.pages.load(Ordering::Acquire) == 0 {
            state = self.changed.wait(state);
        }
        let is_below_threshold =
            |state: &mut State| !state.is_stopped && self.pages.load(Ordering::Acquire) < CHECKPOINT_PAGES;
        let waited = self.changed.wait_timeout_while(state, MAX_DELAY, is_below_threshold);
        !waited.0.is_stopped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// A separate connection for checkpoints, which therefore do not block writers.
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
    pub(crate) fn with(&self, deadline: Instant, work: &mut dyn FnMut(&Connection)) {
        self.set_deadline(deadline);
        if let Some((connection, files)) = &*self.open.lock()
            && files.change().is_none()
        {
            work(connection);
        }
    }

    pub(crate) fn close(&self) {
        *self.open.lock() = None;
    }
}

fn checkpoint(outbox: &impl Checkpointed) {
    let Some(_guard) = outbox.checkpoints().lock.acquire(from_now(Duration::from_secs(1)), Wake::Always) else {
        return;
    };
    outbox.with_checkpoint_connection(&mut |connection| {
        // Pages written from now on are counted separately.
        let before = outbox.checkpoints().pages.swap(0, Ordering::AcqRel);
        let mut wal = run(connection, CheckpointMode::PASSIVE).unwrap_or(WalPages { total: before, moved: 0 });
        if wal.total >= RESTART_PAGES {
            // Writers are blocked while the remaining pages are copied, so most pages are copied before that.
            for _ in 0..MAX_PASSES {
                if wal.remaining() < CHECKPOINT_PAGES {
                    break;
                }
                wal = run(connection, CheckpointMode::PASSIVE).unwrap_or(wal);
            }
            outbox.without_writers(&mut || wal = run(connection, CheckpointMode::RESTART).unwrap_or(wal));
        }
        outbox.checkpoints().pages.fetch_max(wal.remaining(), Ordering::AcqRel);
    });
}

/// The number of pages in the WAL, and how many of them are copied to the database.
#[derive(Debug, Clone, Copy, Default)]
struct WalPages {
    total: u32,
    moved: u32,
}

impl WalPages {
    fn remaining(self) -> u32 {
        self.total.saturating_sub(self.moved)
    }
}

/// Runs a checkpoint. Returns None if it fails, for example because another checkpoint is in progress.
fn run(connection: &Connection, mode: CheckpointMode) -> Option<WalPages> {
    let (total, moved) = connection.wal_checkpoint_v2(None::<&str>, mode).ok()?;
    Some(WalPages { total: u32::try_from(total).unwrap_or(0), moved: u32::try_from(moved).unwrap_or(0) })
}
