//! Classifies the errors of outbox files and converts them to the errors that callers receive.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use super::file::file_set::Change;
use crate::error::{Error, Kind, is_shortage};
use crate::os;

/// Why an operation on the file failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The file or its WAL is corrupt.
    Corrupt(String),
    /// Another process changed the files. The operation is repeated.
    Changed(Change),
    /// There is no space on the disk, or a quota or the file size limit is reached.
    Full,
    /// Another user of the file held the lock for too long.
    Busy,
    /// Another thread uses the file, and the call does not wait.
    InUse,
    /// Any other error, which is returned to the caller unchanged.
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

    /// Returns the error for a commit that may not have reached the disk. The report is stored, so the error must not
    /// be `Full`, even if the disk is full.
    pub(crate) fn unflushed(error: &dyn std::fmt::Display) -> Self {
        Self::outbox(format!("the outbox cannot be flushed to the disk: {error}"))
    }

    /// Returns the error for a report that another thread is still storing.
    pub(crate) fn unfinished() -> Self {
        let message = "another thread is storing this report, and its write did not finish within busy_timeout_ms";
        Self::Other(Error::new(Kind::Outbox, message).with_report_possibly_stored())
    }

    /// Converts the failure to an error for the outbox at `path`.
    pub(crate) fn into_error(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Corrupt(what) => Error::new(
                Kind::OutboxCorrupt,
                format!(
                    "{path} is corrupt ({what}) and still open elsewhere; it is replaced once no process has it open"
                ),
            ),
            Self::Changed(_) => Error::new(Kind::Outbox, format!("other processes changed the files of {path}")),
            Self::Full => Error::new(Kind::OutboxFull, format!("no space left for {path} (disk, quota or size limit)")),
            Self::Busy | Self::InUse => Error::new(
                Kind::OutboxBusy,
                format!("{path} stayed locked by another process, reporter or thread (see busy_timeout_ms)"),
            ),
            Self::Other(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(code, _) => match (code.code, code.extended_code) {
                // A short read means that the outbox or its WAL was truncated.
                (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) | (_, ffi::SQLITE_IOERR_SHORT_READ) => {
                    Self::Corrupt(error.to_string())
                }
                // The WAL index is also a file, and the disk has no space for it.
                (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Self::Full,
                (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed, _) => {
                    Self::Busy
                }
                (ErrorCode::OutOfMemory, _) => Self::system(&error),
                // SQLite does not report why it cannot open a file.
                (ErrorCode::CannotOpen, _) if os::descriptor_shortage().is_some() => Self::system(&error),
                // The whole transaction may nevertheless be in the WAL.
                (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_FSYNC) => {
                    let error = Error::new(Kind::Outbox, format!("the outbox cannot be written to: {error}"));
                    Self::Other(error.with_report_possibly_stored())
                }
                _ => Self::outbox(format!("the outbox cannot be used: {error}")),
            },
            // The other errors mean that the file contains rows or tables that this library does not write.
            _ => Self::Corrupt(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                Self::Full
            }
            _ if is_shortage(&error) => Self::system(&error),
            _ => Self::outbox(format!("the outbox cannot be used: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disk_during_flush_is_not_reported_as_full() {
        let full = || std::io::Error::from_raw_os_error(libc::ENOSPC);
        let written = Failure::from(full()).into_error(Path::new("/x"));
        assert_eq!(written.kind(), Kind::OutboxFull);
        assert_eq!(written.message(), "no space left for /x (disk, quota or size limit)");
        let flushed = Failure::unflushed(&full()).into_error(Path::new("/x"));
        assert_eq!(flushed.kind(), Kind::Outbox);
        assert!(flushed.message().starts_with("the outbox cannot be flushed to the disk: No space left"), "{flushed}");
    }
}
