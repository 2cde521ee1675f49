//! A damaged outbox gets another name, and so does what was left beside one that was removed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use super::{Identity, OPEN_BYTE, OutboxPath, identity, lock_byte, no_opening, with_ending};
use crate::conversion::Timestamp;
use crate::os::file_lock::Sharing;
use crate::reporter::outbox::sqlite::error::Failure;
use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;

/// The endings of the files that SQLite keeps beside the outbox.
const ENDINGS: [&str; 3] = ["-wal", "-shm", "-journal"];

impl OutboxPath {
    /// Gives a damaged outbox another name, so that a new one can take its place. `damaged` is the file; none, if it could
    /// not be opened. False: others have it open.
    pub(crate) fn set_aside(&self, damaged: Option<Identity>, busy_timeout: &BusyTimeout) -> Result<bool, Failure> {
        let _opening = no_opening();
        let lock = self.open_lock()?;
        if !lock_byte(lock.file(), OPEN_BYTE, Sharing::Exclusive, busy_timeout)? {
            return Ok(false);
        }
        if self.is_damaged(damaged, busy_timeout) {
            let name = self.unused_name()?;
            fs::rename(&self.path, &name)?;
            self.move_beside(&name)?;
        }
        Ok(true)
    }

    /// Whether the file that is there now is the damaged one. Another process may have set that aside meanwhile.
    fn is_damaged(&self, damaged: Option<Identity>, busy_timeout: &BusyTimeout) -> bool {
        let found = fs::symlink_metadata(&self.path);
        match (damaged, found) {
            (_, Err(_)) => false,
            (Some(damaged), Ok(found)) => identity(&found) == damaged,
            (None, Ok(found)) => {
                let opened = self.refuse_cut(&found).and_then(|()| self.check(&mut self.connect(busy_timeout)?));
                matches!(opened, Err(Failure::Corrupt(_)))
            }
        }
    }

    /// Gives the files beside the outbox the name that it has got.
    pub(crate) fn move_beside(&self, name: &Path) -> io::Result<()> {
        ENDINGS
            .iter()
            .try_for_each(|ending| fs::rename(self.beside(ending), with_ending(name, ending)).or_else(missing_is_fine))
    }

    pub(crate) fn unused_name(&self) -> io::Result<PathBuf> {
        let now = Timestamp::from_system_time(SystemTime::now()).to_string().replace([' ', ':'], "-");
        let names = (1..1000_u32).map(|number| self.beside(&format!(".corrupt-{now}-{number}")));
        let is_unused =
            |name: &PathBuf| ["", "-wal"].iter().all(|ending| fs::symlink_metadata(with_ending(name, ending)).is_err());
        names
            .into_iter()
            .find(is_unused)
            .ok_or_else(|| io::Error::other("no unused name is left for the corrupt outbox"))
    }
}

fn missing_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
