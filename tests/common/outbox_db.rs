//! Reads the counters and rows of an outbox file directly, without the library.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// The counters and row counts of an outbox file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxContents {
    pub(crate) submitted: u64,
    pub(crate) accepted: u64,
    pub(crate) replaced: u64,
    /// The number of reports that were rejected, expired or dropped.
    pub(crate) ended: u64,
    /// The number of unreadable rows that were removed.
    pub(crate) damaged: u64,
    pub(crate) rows: u64,
    /// The number of unacknowledged events, including discarded ones.
    pub(crate) events: u64,
}

impl OutboxContents {
    /// Reads a snapshot, without changing the write-ahead log. Returns `None` if the file does not exist or is still
    /// empty.
    pub(crate) fn read(outbox: &Path) -> Option<Self> {
        const ALL: &str = "SELECT max(last, coalesce((SELECT max(id) FROM report), 0)), accepted, replaced, \
                           rejected + expired + dropped, damaged, (SELECT count(*) FROM report), \
                           events_discarded + (SELECT count(*) FROM event) FROM counters";
        let connection = open(outbox)?;
        let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let read = |row: &rusqlite::Row<'_>| {
            let count = |index| row.get::<_, i64>(index).map(|count| u64::try_from(count).unwrap());
            Ok(Self {
                submitted: count(0)?,
                accepted: count(1)?,
                replaced: count(2)?,
                ended: count(3)?,
                damaged: count(4)?,
                rows: count(5)?,
                events: count(6)?,
            })
        };
        (version > 0).then(|| connection.query_row(ALL, [], read).unwrap())
    }

    /// Fails unless every submitted report either has been counted as completed or still has a row.
    #[track_caller]
    pub(crate) fn audit(&self) {
        let gone = self.accepted + self.replaced + self.ended + self.damaged;
        assert_eq!(self.submitted, gone + self.rows, "{self:?}");
    }
}

/// Fails if SQLite's integrity check finds a problem.
#[track_caller]
pub(crate) fn assert_sound(outbox: &Path) {
    let found: String = open(outbox).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
}

fn open(outbox: &Path) -> Option<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = outbox.exists().then(|| Connection::open_with_flags(outbox, flags).unwrap())?;
    connection.busy_timeout(super::SOON).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    Some(connection)
}
