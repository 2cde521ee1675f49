//! What went wrong with the file, in the classes that a caller is told.

use std::fs::File;
use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use crate::error::{Error, Kind, is_shortage};

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
            format!("the outbox cannot be used, for the system is out of resources: {error}"),
        ))
    }

    pub(crate) fn outbox(message: impl Into<String>) -> Self {
        Self::Other(Error::new(Kind::Outbox, message))
    }

    /// What the caller is told of the outbox at `path`.
    pub(crate) fn told(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Corrupt(what) => Error::new(
                Kind::OutboxCorrupt,
                format!(
                    "{path} is corrupt ({what}) and still open elsewhere: it is replaced once all others have closed it"
                ),
            ),
            Self::Full => Error::new(Kind::OutboxFull, format!("the disk of {path} is full")),
            Self::Busy => Error::new(Kind::OutboxBusy, format!("{path} is locked by others (waited busy_timeout_ms)")),
            Self::Other(error) => error,
        }
    }
}

/// Whether the system, or this process, has no file descriptor left. SQLite does not say why it cannot open a file.
fn are_descriptors_short() -> bool {
    File::open("/dev/null").is_err_and(|error| is_shortage(&error))
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
                (ErrorCode::CannotOpen, _) if are_descriptors_short() => Self::system(&error),
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
