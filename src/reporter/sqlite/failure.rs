//! What went wrong with the file, in the classes that a caller is told.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::{Error, Kind};

/// Why nothing became of what was to be done with the file.
#[derive(Debug)]
pub(super) enum Failure {
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
    pub(super) fn outbox(message: impl Into<String>) -> Self {
        Self::Other(Error::new(Kind::Outbox, message))
    }

    /// What the caller is told of the outbox at `path`.
    pub(super) fn told(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Corrupt(what) => Error::new(
                Kind::OutboxCorrupt,
                format!("{path} is damaged ({what}) and still open elsewhere: it is set aside once that is closed"),
            ),
            Self::Full => Error::new(Kind::OutboxFull, format!("the disk of {path} is full")),
            Self::Busy => Error::new(Kind::OutboxBusy, format!("others held {path} for longer than lock_wait_ms")),
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
            _ => Self::outbox(format!("the outbox cannot be used: {error}")),
        }
    }
}
