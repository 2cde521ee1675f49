//! The outbox file as one process uses it: opened when it is needed, by one thread at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::Failure;
use super::file::generation::Generations;
use super::file::reserve::Reserve;
use super::file::{Identity, OpenFile, OutboxPath};
use super::lock::busy_timeout::BusyTimeout;
use super::lock::fair_lock::{FairLock, Manner};
use super::queries;
use super::transaction::in_transaction;
use super::wal::checkpoint_connection::CheckpointConnection;
use super::wal::checkpointer::{Checkpointed, Checkpoints};
use super::wal::group_commit::GroupCommit;
use crate::clock::from_now;

/// The longest that a fork waits for a call that is stuck in a disk.
const LONGEST_FORK: Duration = Duration::from_secs(2);

/// The longest that others are waited for before the log is written again.
const LONGEST_REPAIR: Duration = Duration::from_secs(1);

/// The longest that a checkpoint waits for those who write or read.
const LONGEST_CHECKPOINT: Duration = Duration::from_millis(50);

/// Whether a connection is crossing a fork, because a disk did not answer in time. In the child this stays, for SQLite
/// cannot be used in it.
static IS_CROSSING: AtomicBool = AtomicBool::new(false);

/// One outbox file.
pub(crate) struct Store {
    pub(crate) place: OutboxPath,
    /// Those who wait for the disk together.
    pub(crate) group: GroupCommit,
    pub(crate) reserve: Reserve,
    /// Whose turn it is to use what is open.
    turn: FairLock,
    open: Mutex<Option<OpenFile>>,
    busy_timeout: BusyTimeout,
    checkpoints: Arc<Checkpoints>,
    checkpoint_connection: CheckpointConnection,
    is_closed_for_fork: AtomicBool,
    /// Whether the last write found no room on the disk.
    was_full: AtomicBool,
    pub(crate) generations: Generations,
}

/// On which terms somebody comes to the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    /// Until when others are waited for.
    pub(crate) deadline: Instant,
    /// Whether a file is made if there is none.
    pub(crate) may_make: bool,
    pub(crate) manner: Manner,
}

/// What was written: what came of the work, and where to wait for the disk.
pub(crate) struct Written<T> {
    pub(crate) done: T,
    log: Arc<File>,
}

impl Store {
    pub(crate) fn new(place: OutboxPath) -> Self {
        Self {
            reserve: Reserve::new(place.beside(".reserve")),
            place,
            group: GroupCommit::default(),
            turn: FairLock::default(),
            open: Mutex::default(),
            busy_timeout: BusyTimeout::default(),
            checkpoints: Arc::default(),
            checkpoint_connection: CheckpointConnection::default(),
            is_closed_for_fork: AtomicBool::new(false),
            was_full: AtomicBool::new(false),
            generations: Generations::default(),
        }
    }

    /// Does `work` in a transaction.
    pub(crate) fn write<T>(
        &self,
        access: Access,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Written<T>, Failure> {
        self.change(access, |file| in_transaction(&file.connection, &work))
    }

    /// Does `work`, which makes a transaction. Others are waited for until a deadline. A damaged file is set aside if it can
    /// be, and the work done in the one that follows.
    pub(crate) fn change<T>(
        &self,
        access: Access,
        work: impl Fn(&OpenFile) -> rusqlite::Result<T>,
    ) -> Result<Written<T>, Failure> {
        let written = self.with_file(access, |file| {
            if self.was_full.load(Ordering::Acquire) {
                // Once all of it is in the file, the log begins anew in the room that it has. Else the write may fit all the same.
                file.connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE).ok();
            }
            Ok(Written { done: work(file)?, log: Arc::clone(&file.log) })
        });
        self.was_full.store(matches!(written, Err(Failure::Full)), Ordering::Release);
        written
    }

    /// Has the write reach the disk, and all before it. One thread does this at a time.
    pub(crate) fn flush<T>(&self, written: &Written<T>) -> Result<(), Failure> {
        let to_io_error = |failure: Failure| io::Error::other(failure.into_error(&self.place.path));
        let flushed = self.group.flush(&written.log, &|| self.write_log_again().map_err(to_io_error));
        flushed.map_err(|error| Failure::unflushed(&error))
    }

    /// Writes the log over itself, so that the next flush takes all of it to the disk.
    fn write_log_again(&self) -> Result<(), Failure> {
        self.with_file(Access { deadline: from_now(LONGEST_REPAIR), may_make: false, manner: Manner::Eager }, |file| {
            // So that nobody else writes meanwhile, or begins the log anew.
            let _transaction = Transaction::new_unchecked(&file.connection, TransactionBehavior::Immediate)?;
            let (mut block, mut at) = (vec![0; 64 * 1024], 0_u64);
            loop {
                let length = file.log.read_at(&mut block, at)?;
                let Some(bytes) = block.get(..length).filter(|bytes| !bytes.is_empty()) else {
                    return Ok(());
                };
                file.log.write_all_at(bytes, at)?;
                at = at.saturating_add(u64::try_from(length).unwrap_or(0));
            }
        })
    }

    /// Does `work`, which writes nothing.
    pub(crate) fn read<T>(
        &self,
        access: Access,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        self.with_file(access, |file| Ok(work(&file.connection)?))
    }

    fn with_file<T>(&self, access: Access, work: impl Fn(&OpenFile) -> Result<T, Failure>) -> Result<T, Failure> {
        let Access { deadline, may_make, manner } = access;
        let _turn = self.turn.acquire(deadline, manner).ok_or(Failure::Busy)?;
        self.busy_timeout.lasts_until(deadline);
        let mut open = self.open();
        match self.attempt(&mut open, may_make, &work) {
            Err(Failure::Corrupt(what)) => {
                let damaged = open.take().map(|file| file.identity);
                self.set_aside(what, damaged, deadline)?;
                self.attempt(&mut open, may_make, &work)
            }
            other => other,
        }
    }

    fn attempt<T>(
        &self,
        open: &mut Option<OpenFile>,
        may_make: bool,
        work: &impl Fn(&OpenFile) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if open.as_ref().is_some_and(|file| !file.is_current(&self.place)) {
            *open = None;
            self.close_checkpoint_connection();
            self.generations.file_was_lost();
        }
        let file = match open {
            Some(file) => file,
            None => {
                if !may_make {
                    self.place.refuse_missing()?;
                }
                let file = self.open_file()?;
                self.generations.found(file.identity);
                open.insert(file)
            }
        };
        work(file)
    }

    fn open_file(&self) -> Result<OpenFile, Failure> {
        if IS_CROSSING.load(Ordering::Acquire) {
            return Err(Failure::outbox(
                "the disk did not respond when this process was forked; execute a program in it",
            ));
        }
        let mut file = self.place.open(&self.busy_timeout)?;
        let checkpoints = Arc::clone(&self.checkpoints);
        let note = move |_: &mut Wal, pages: i32| {
            checkpoints.noted(u32::try_from(pages).unwrap_or(0));
            Ok(())
        };
        file.connection.wal_hook(Some(note))?;
        self.reserve.take_up();
        Ok(file)
    }

    fn set_aside(&self, what: String, damaged: Option<Identity>, deadline: Instant) -> Result<(), Failure> {
        self.close_checkpoint_connection();
        if !self.place.was_outbox() {
            return Err(self.place.foreign());
        }
        if !self.place.set_aside(damaged, &BusyTimeout::until(deadline))? {
            return Err(Failure::Corrupt(what));
        }
        self.generations.file_was_lost();
        Ok(())
    }

    /// Closes what a checkpoint keeps open, unless one is under way: the next finds that it is of another epoch. That one may
    /// be waiting for the turn that is held here, and gives up in half the time that is waited for it.
    fn close_checkpoint_connection(&self) {
        if let Some(_turn) = self.checkpoints.turn.acquire(from_now(2 * LONGEST_CHECKPOINT), Manner::Eager) {
            self.checkpoint_connection.close();
        }
    }

    /// Closes all, for good, unless it is in use until `deadline`: then whoever uses it last does. A fork waits for this.
    pub(crate) fn close(&self, deadline: Instant) {
        if let (Some(_checkpoint), Some(_turn)) =
            (self.checkpoints.turn.acquire(deadline, Manner::Eager), self.turn.acquire(deadline, Manner::Eager))
        {
            self.checkpoint_connection.close();
            *self.open() = None;
        }
    }

    /// Ends all use of the file, and allows none until [`Store::go_on_after_fork`].
    pub(crate) fn close_for_fork(&self) {
        let deadline = from_now(LONGEST_FORK);
        let is_checkpointing = !self.checkpoints.turn.begin(deadline, Manner::Eager);
        let is_idle = !is_checkpointing && self.turn.begin(deadline, Manner::Eager);
        if is_idle {
            self.checkpoint_connection.close();
            *self.open() = None;
        } else {
            IS_CROSSING.store(true, Ordering::Release);
            if !is_checkpointing {
                self.checkpoints.turn.end();
            }
        }
        self.is_closed_for_fork.store(is_idle, Ordering::Release);
    }

    pub(crate) fn go_on_after_fork(&self) {
        IS_CROSSING.store(false, Ordering::Release);
        if self.is_closed_for_fork.swap(false, Ordering::AcqRel) {
            self.turn.end();
            self.checkpoints.turn.end();
        }
    }

    /// Has the thread for checkpoints run, or end.
    pub(crate) fn start(self: &Arc<Self>) {
        Checkpoints::start(self);
    }

    pub(crate) fn end(&self) {
        self.checkpoints.end();
    }

    fn open(&self) -> MutexGuard<'_, Option<OpenFile>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checkpointed for Store {
    fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    fn close(&self) {
        Self::close(self, from_now(LONGEST_CHECKPOINT));
    }

    fn with_own_connection(&self, work: &mut dyn FnMut(&Connection)) {
        self.checkpoint_connection.waits_until(from_now(LONGEST_CHECKPOINT));
        self.checkpoint_connection.with(&self.place, self.generations.now(), work);
    }

    fn with_no_writer(&self, work: &mut dyn FnMut()) {
        let Some(_turn) = self.turn.acquire(from_now(LONGEST_CHECKPOINT), Manner::Calm) else {
            return;
        };
        self.busy_timeout.lasts_until(from_now(LONGEST_CHECKPOINT));
        self.checkpoint_connection.waits_until(from_now(LONGEST_CHECKPOINT));
        work();
        if let Some(file) = &*self.open() {
            // Should it fail, the next submit is slower, and no more.
            queries::remember_last(&file.connection).ok();
        }
    }
}
