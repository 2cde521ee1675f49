//! Moves what stands in the log to the file, on a thread of its own, so that no submit pays for it.
//!
//! A checkpoint that waits for nobody never catches up with somebody who writes without a pause, and the log would grow
//! without end. So, when it has grown long, one is made while nobody may write, and the log begins anew.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;

use crate::clock::from_now;
use crate::os;
use crate::reporter::outbox::sqlite::lock::fair_lock::{FairLock, Manner};

/// From so many pages in the log on it is worth a checkpoint.
const WORTH_IT: u32 = 16_000;

/// From so many pages on the log has to begin anew.
const TOO_LONG: u32 = 64_000;

/// How long something may stand in the log alone. What is in the file too is safe from the loss of power, and of the log.
const LONGEST_IN_LOG: Duration = Duration::from_secs(5);

/// The most checkpoints in a row before the log begins anew.
const MOST_ROUNDS: u32 = 4;

/// The shortest time between two checkpoints.
const PAUSE: Duration = Duration::from_millis(20);

/// What the writer and the thread tell each other.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// Pages in the log, as the last writer found it.
    pages: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
    /// Held during a checkpoint.
    pub(crate) turn: FairLock,
}

#[derive(Debug, Default)]
struct State {
    is_over: bool,
    is_running: bool,
}

/// What a checkpoint needs of the outbox.
pub(crate) trait Checkpointed: Send + Sync + 'static {
    fn checkpoints(&self) -> &Checkpoints;

    /// Closes what is open.
    fn close(&self);

    /// A connection for checkpoints, kept from one to the next; called by the holder of the turn.
    fn with_own_connection(&self, work: &mut dyn FnMut(&Connection));

    /// Has nobody write meanwhile, and makes a write afterwards: the first in a new log waits for the disk.
    fn with_no_writer(&self, work: &mut dyn FnMut());
}

impl Checkpoints {
    /// For the connection that writes, to be called after each transaction.
    pub(crate) fn noted(&self, pages: u32) {
        let before = self.pages.swap(pages, Ordering::AcqRel);
        if before == 0 || (pages >= WORTH_IT && before < WORTH_IT) {
            // Else a thread that is about to wait could miss it.
            drop(self.state());
            self.changed.notify_one();
        }
    }

    /// Has the thread end, when it next looks.
    pub(crate) fn end(&self) {
        self.state().is_over = true;
        self.changed.notify_one();
    }

    /// Starts the thread, unless it runs. Without one, which a system may be too short of, the log grows.
    pub(crate) fn start(outbox: &Arc<impl Checkpointed>) {
        let mut state = outbox.checkpoints().state();
        if !state.is_running && !state.is_over {
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

    /// Waits for work. False: there will be none.
    fn wait(&self) -> bool {
        let mut state = self.state();
        state = self.changed.wait_timeout(state, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
        while !state.is_over && self.pages.load(Ordering::Acquire) == 0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let is_little = |state: &mut State| !state.is_over && self.pages.load(Ordering::Acquire) < WORTH_IT;
        let waited = self.changed.wait_timeout_while(state, LONGEST_IN_LOG, is_little);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn checkpoint(outbox: &impl Checkpointed) {
    let Some(_turn) = outbox.checkpoints().turn.acquire(from_now(Duration::from_secs(1)), Manner::Eager) else {
        return;
    };
    outbox.with_own_connection(&mut |connection| {
        // What is written from here on counts anew.
        let before = outbox.checkpoints().pages.swap(0, Ordering::AcqRel);
        let mut log = run(connection, CheckpointMode::PASSIVE).unwrap_or(Log { pages: before, moved: 0 });
        if log.pages >= TOO_LONG {
            // What is written meanwhile is to be little, for nobody can write while the rest is moved.
            for _ in 0..MOST_ROUNDS {
                if log.left() < WORTH_IT {
                    break;
                }
                log = run(connection, CheckpointMode::PASSIVE).unwrap_or(log);
            }
            outbox.with_no_writer(&mut || log = run(connection, CheckpointMode::RESTART).unwrap_or(log));
        }
        outbox.checkpoints().pages.fetch_max(log.left(), Ordering::AcqRel);
    });
}

/// Pages in the log, and how many of them were moved to the file.
#[derive(Debug, Clone, Copy, Default)]
struct Log {
    pages: u32,
    moved: u32,
}

impl Log {
    fn left(self) -> u32 {
        self.pages.saturating_sub(self.moved)
    }
}

/// Makes a checkpoint. None: others made one, or the disk failed, which whoever writes next is told of.
fn run(connection: &Connection, mode: CheckpointMode) -> Option<Log> {
    let (pages, moved) = connection.wal_checkpoint_v2(None::<&str>, mode).ok()?;
    Some(Log { pages: u32::try_from(pages).unwrap_or(0), moved: u32::try_from(moved).unwrap_or(0) })
}
