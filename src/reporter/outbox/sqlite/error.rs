//! What went wrong with the file, in the classes that a caller is told.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use crate::error::{Error, Kind, is_shortage};
use crate::os;

/// Why nothing became of what was to be done with the file.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite found it damaged.
    Corrupt(String),
    /// Its disk is full.
    Full,
    /// Others held it for too long.
    Busy,
    /// Anything else, as the caller is told of it.
    Other(Error),
}

impl Failure {
    fn system(error: &dyn std::fmt::Display) -> Self {
        Self::Other(Error::new(
            Kind::System,
            format!("the outbox cannot be used because the system is out of resources: {error}"),
        ))
    }

    pub(crate) fn outbox(message: impl Into<String>) -> Self {
        Self::Other(Error::new(Kind::Outbox, message))
    }

    /// A commit that may not have reached the disk. It is stored, so that not even a full disk means that it was refused.
    pub(crate) fn unflushed(error: &std::io::Error) -> Self {
        Self::outbox(format!("the outbox cannot be flushed to the disk: {error}"))
    }

    /// What the caller is told of the outbox at `path`.
    pub(crate) fn into_error(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Corrupt(what) => Error::new(
                Kind::OutboxCorrupt,
                format!(
                    "{path} is corrupt ({what}) and still open elsewhere; it is replaced once all others have closed it"
                ),
            ),
            Self::Full => Error::new(Kind::OutboxFull, format!("the disk of {path} is full")),
            Self::Busy => Error::new(Kind::OutboxBusy, format!("{path} is locked by others (waited busy_timeout_ms)")),
            Self::Other(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(code, _) => match (code.code, code.extended_code) {
                // A file that ends before its end was cut, be it the outbox or its log.
                (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) | (_, ffi::SQLITE_IOERR_SHORT_READ) => {
                    Self::Corrupt(error.to_string())
                }
                // No room for the index of the log, which is a file like any other.
                (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Self::Full,
                (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed, _) => {
                    Self::Busy
                }
                (ErrorCode::OutOfMemory, _) => Self::system(&error),
                // SQLite does not say why it cannot open a file.
                (ErrorCode::CannotOpen, _) if os::descriptor_shortage().is_some() => Self::system(&error),
                // The last page of the transaction may be in the log all the same.
                (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_FSYNC) => {
                    let error = Error::new(Kind::Outbox, format!("the outbox cannot be written: {error}"));
                    Self::Other(error.with_report_possibly_stored())
                }
                _ => Self::outbox(format!("the outbox cannot be used: {error}")),
            },
            // Rows that this library never writes, and tables that are not what it made.
            _ => Self::Corrupt(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full,
            _ if is_shortage(&error) => Self::system(&error),
            _ => Self::outbox(format!("the outbox cannot be used: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_during_a_flush_does_not_mean_that_the_report_was_not_stored() {
        let full = || std::io::Error::from_raw_os_error(libc::ENOSPC);
        let written = Failure::from(full()).into_error(Path::new("/x"));
        assert_eq!((written.kind(), written.message()), (Kind::OutboxFull, "the disk of /x is full"));
        let flushed = Failure::unflushed(&full()).into_error(Path::new("/x"));
        assert_eq!(flushed.kind(), Kind::Outbox);
        assert!(flushed.message().starts_with("the outbox cannot be flushed to the disk: No space left"), "{flushed}");
    }
}
