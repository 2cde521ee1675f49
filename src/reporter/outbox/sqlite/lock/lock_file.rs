//! The lock file, which coordinates the processes that share an outbox. The library never removes it.
//!
//! | byte | lock | meaning |
//! | --- | --- | --- |
//! | 0 | exclusive | this process sends the reports of the outbox |
//! | 1 | shared | the outbox is open |
//! | 1 | exclusive | the outbox is being quarantined |
//! | 2 | exclusive | this process writes to, opens or creates the outbox |
//! | 3 | shared | this process has waited too long to write and precedes newcomers |
//!
//! The content identifies the file as the lock file of an outbox, so that no file of another program is quarantined.
//!
//! Processes also notify each other through it. A write tells the sender that a report was stored. A read tells all
//! processes that an event was created while there was none. A close tells all processes that a process may have
//! ended or that the files may have been replaced.

use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, io};

use super::busy_timeout::BusyTimeout;
use crate::os::file_lock;
use crate::os::file_lock::Sharing;
use crate::os::futex::Futex;
use crate::os::wakeup::Descriptor;

/// The content of the file.
const MAGIC: &[u8] = b"Processes that use the adjacent outbox lock this file. Do not delete or move it.\n";

/// The first bytes of the file.
pub(crate) const MAGIC_START: [u8; 4] = *b"Proc";

/// A lock on a byte of the file. Two processes cannot hold locks on the same byte, unless both locks are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Held by the sender.
    Sender,
    /// Held while the outbox is open.
    Open,
    /// Held while a damaged outbox is quarantined.
    Quarantine,
    /// Held while the outbox is written to, opened or created.
    Write,
    /// Held by processes that have waited too long for [`Lock::Write`].
    Overdue,
}

impl Lock {
    fn byte(self) -> i64 {
        match self {
            Self::Sender => 0,
            Self::Open | Self::Quarantine => 1,
            Self::Write => 2,
            Self::Overdue => 3,
        }
    }

    fn sharing(self) -> Sharing {
        match self {
            Self::Open | Self::Overdue => Sharing::Shared,
            Self::Sender | Self::Quarantine | Self::Write => Sharing::Exclusive,
        }
    }
}

/// An open lock file.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: Descriptor,
    path: PathBuf,
    /// The first bytes, mapped by the first notification.
    first_bytes: OnceLock<Option<Futex>>,
}

impl LockFile {
    /// Opens the lock file at `path` and creates it if it does not exist.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = Descriptor::open(|| file_lock::open_private(path, false))?;
        Ok(Self { file, path: path.to_owned(), first_bytes: OnceLock::new() })
    }

    /// Returns whether this file is still at its path. A user may have removed it.
    pub(crate) fn is_current(&self) -> bool {
        let opened = self.file.file().metadata();
        let found = fs::metadata(&self.path);
        opened.is_ok_and(|opened| found.is_ok_and(|found| (opened.dev(), opened.ino()) == (found.dev(), found.ino())))
    }

    /// Acquires a lock. Returns false if another process holds a conflicting lock.
    pub(crate) fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        file_lock::try_lock(self.file.file(), lock.byte(), lock.sharing())
    }

    /// Returns whether another open file description has a lock on the same byte.
    pub(crate) fn is_locked_elsewhere(&self, lock: Lock) -> io::Result<bool> {
        file_lock::is_locked_elsewhere(self.file.file(), lock.byte(), 1)
    }

    /// Returns a futex in the first bytes of the file, which are [`MAGIC_START`] once the file is marked.
    pub(crate) fn futex(&self) -> io::Result<Futex> {
        Futex::map(self.file.file())
    }

    /// Waits for a lock. Returns false if the timeout expired or a fork interrupted the wait.
    pub(crate) fn lock(&self, lock: Lock, busy_timeout: &BusyTimeout) -> io::Result<bool> {
        while !self.try_lock(lock)? {
            if !busy_timeout.pause() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn unlock(&self, lock: Lock) -> io::Result<()> {
        file_lock::unlock(self.file.file(), lock.byte())
    }

    /// Writes the content if the file is empty.
    pub(crate) fn mark(&self) -> io::Result<()> {
        match self.file.file().metadata()?.len() {
            0 => self.file.file().write_all(MAGIC),
            _ => Ok(()),
        }
    }

    /// Returns whether the file at `path` is the lock file of an outbox.
    pub(crate) fn is_marked(path: &Path) -> bool {
        fs::read(path).is_ok_and(|found| found == MAGIC)
    }

    /// Notifies the sender of a report, by rewriting the first byte unchanged. If the file does not begin with the
    /// first bytes of [`MAGIC`] or cannot be written, opens and closes it instead, which notifies all processes. The
    /// kernel compares the first bytes in the mapped page ([`Futex::begins_with`]), because a `read` of the file
    /// would notify other processes of an event.
    pub(crate) fn notify(&self) {
        let first_bytes = self.first_bytes.get_or_init(|| self.futex().ok());
        let is_ours = first_bytes.as_ref().is_some_and(|first_bytes| first_bytes.begins_with(MAGIC_START));
        let [first, ..] = MAGIC_START;
        if !is_ours || self.file.file().write_all_at(&[first], 0).is_err() {
            self.notify_all();
        }
    }

    /// Notifies all processes of the first event, by reading a byte. This requires no permission that the process could
    /// have given up.
    pub(crate) fn notify_of_event(&self) {
        if !self.file.file().read_at(&mut [0], 0).is_ok_and(|count| count > 0) {
            self.notify_all();
        }
    }

    /// Notifies all processes that something may have changed, by opening and closing the lock file.
    fn notify_all(&self) {
        Self::open(&self.path).ok();
    }
}
