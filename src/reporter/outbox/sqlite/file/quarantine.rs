//! Quarantines a damaged outbox, and the sidecars of a removed outbox, by renaming them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use super::{Identity, OutboxPath, identity, with_suffix};
use crate::reporter::outbox::sqlite::error::Failure;
use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;
use crate::reporter::outbox::sqlite::lock::lock_file::{Lock, LockFile};
use crate::timestamp::Timestamp;

/// The suffixes of the files that SQLite creates next to the outbox.
const SIDECAR_SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];

impl OutboxPath {
    /// Renames a damaged outbox so that a new one can replace it. `damaged` identifies the file; it is None if the
    /// file could not be opened. Returns false if another process or reporter has the outbox open until the timeout
    /// expires.
    pub(crate) fn quarantine(&self, damaged: Option<Identity>, busy_timeout: &BusyTimeout) -> Result<bool, Failure> {
        let lock_file = LockFile::open(&self.sidecar(".lock"))?;
        if !lock_file.lock(Lock::Quarantine, busy_timeout)? {
            return Ok(false);
        }
        if self.is_damaged(damaged, busy_timeout) {
            let name = self.unused_name()?;
            fs::rename(&self.path, &name)?;
            self.move_sidecars(&name)?;
        }
        Ok(true)
    }

    /// Returns whether the file at the path is the damaged file. Another process may have quarantined it meanwhile.
    fn is_damaged(&self, damaged: Option<Identity>, busy_timeout: &BusyTimeout) -> bool {
        let found = fs::symlink_metadata(&self.path);
        match (damaged, found) {
            (_, Err(_)) => false,
            (Some(damaged), Ok(found)) => identity(&found) == damaged,
            (None, Ok(found)) => {
                let opened = self.reject_truncated(&found).and_then(|()| self.check(&mut self.connect(busy_timeout)?));
                matches!(opened, Err(Failure::Corrupt(_)))
            }
        }
    }

    /// Renames the sidecars to `name` followed by their suffixes.
    pub(crate) fn move_sidecars(&self, name: &Path) -> io::Result<()> {
        for suffix in SIDECAR_SUFFIXES {
            match fs::rename(self.sidecar(suffix), with_suffix(name, suffix)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn unused_name(&self) -> io::Result<PathBuf> {
        let now = Timestamp::from_system_time(SystemTime::now()).to_string().replace([' ', ':'], "-");
        let names = (1..1000_u32).map(|number| self.sidecar(&format!(".corrupt-{now}-{number}")));
        let is_unused =
            |name: &PathBuf| ["", "-wal"].iter().all(|suffix| fs::symlink_metadata(with_suffix(name, suffix)).is_err());
        names
            .into_iter()
            .find(is_unused)
            .ok_or_else(|| io::Error::other("no unused name is left for the corrupt outbox"))
    }
}
