//! The log as SQLite has it written, but with one system call a transaction in place of two a page.
//!
//! Under the name of [`file_system`] SQLite finds the system's files as they are, but for the log: what is written to that is
//! gathered until the page that completes the transaction has come. So a transaction is in the log as a whole before SQLite
//! tells others of it in the index, and what a write fails of is told to the one who commits, as without this.
//!
//! That asks for a connection that writes no page before it commits (`PRAGMA cache_spill = OFF`). What else is read
//! or written while something is gathered is refused, and fails the transaction.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;
use std::{ptr, slice};

use rusqlite::ffi;
use rusqlite::ffi::{SQLITE_OK, sqlite3_file, sqlite3_filename, sqlite3_io_methods, sqlite3_vfs};

use super::write_buffer::{Step, WriteBuffer};

const NAME: &CStr = c"nexmo-outbox";

/// The name that SQLite knows this by; none, which means the system's files, if it cannot be had.
pub(crate) fn file_system() -> Option<&'static CStr> {
    static IS_KNOWN: OnceLock<bool> = OnceLock::new();
    IS_KNOWN.get_or_init(register).then_some(NAME)
}

/// Makes it known to SQLite, for as long as the process runs.
fn register() -> bool {
    // SAFETY: SQLite gives its default file system for null, which lives for ever.
    let system = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    // SAFETY: it is null, or SQLite's, which nobody changes.
    let Some(found) = (unsafe { system.as_ref() }) else {
        return false;
    };
    let own = sqlite3_vfs {
        pNext: ptr::null_mut(),
        zName: NAME.as_ptr(),
        pAppData: system.cast(),
        xOpen: Some(open),
        ..*found
    };
    // SAFETY: it is complete, and is never freed.
    unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(own)), 0) == SQLITE_OK }
}

/// The log of one connection. SQLite finds it by the methods of the file, which come first in it.
#[repr(C)]
struct WalFile {
    methods: sqlite3_io_methods,
    /// Those of the system, to which all is left but what stands here.
    system: *const sqlite3_io_methods,
    gathered: WriteBuffer,
}

/// Opens a file as the system does. Of a log what is written, read and closed comes here.
unsafe extern "C" fn open(
    own: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over what was registered, whose data is the system's.
    let system: *mut sqlite3_vfs = unsafe { (*own).pAppData.cast() };
    // SAFETY: the system's lives for ever.
    let Some(open) = (unsafe { (*system).xOpen }) else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: the arguments are those that SQLite has for the system.
    let code = unsafe { open(system, name, file, flags, flags_out) };
    if code == SQLITE_OK && flags & ffi::SQLITE_OPEN_WAL != 0 {
        // SAFETY: the file was opened, which set its methods.
        unsafe { (*file).pMethods = gathering((*file).pMethods) };
    }
    code
}

/// The methods for a log that is otherwise used by those of the system. [`close`] frees them.
unsafe fn gathering(system: *const sqlite3_io_methods) -> *const sqlite3_io_methods {
    // SAFETY: the caller has it from a file that was opened.
    let found = unsafe { *system };
    let methods = sqlite3_io_methods { xWrite: Some(write), xRead: Some(read), xClose: Some(close), ..found };
    Box::into_raw(Box::new(WalFile { methods, system, gathered: WriteBuffer::default() })).cast()
}

/// The log whose methods `file` has.
unsafe fn log<'a>(file: *mut sqlite3_file) -> &'a mut WalFile {
    // SAFETY: the methods are the first field of the log, and one thread at a time uses the connection.
    unsafe { &mut *(*file).pMethods.cast_mut().cast::<WalFile>() }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, count: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite calls this for what `gathering` made alone.
    let log = unsafe { log(file) };
    // SAFETY: SQLite hands over so many bytes.
    let given = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(count).unwrap_or(0)) };
    match log.gathered.add(given, offset) {
        Step::Wait => SQLITE_OK,
        // SAFETY: the file is open, and its methods are those of `log`.
        Step::WriteThis => unsafe { write_through(file, log.system, given, offset) },
        Step::WriteAll => {
            // SAFETY: as above.
            let code = unsafe { write_through(file, log.system, log.gathered.bytes(), log.gathered.start()) };
            log.gathered.clear();
            code
        }
        Step::Refuse => {
            log.gathered.clear();
            ffi::SQLITE_IOERR_WRITE
        }
    }
}

/// Has the system write.
unsafe fn write_through(
    file: *mut sqlite3_file,
    system: *const sqlite3_io_methods,
    bytes: &[u8],
    offset: i64,
) -> c_int {
    // SAFETY: the system's methods live for ever.
    let write = unsafe { (*system).xWrite };
    match (write, c_int::try_from(bytes.len())) {
        // SAFETY: the file is the system's, but for its methods, which that does not look at.
        (Some(write), Ok(count)) => unsafe { write(file, bytes.as_ptr().cast(), count, offset) },
        _ => ffi::SQLITE_IOERR_WRITE,
    }
}

/// Reads what is in the log. Nothing is looked for while something is gathered.
unsafe extern "C" fn read(file: *mut sqlite3_file, bytes: *mut c_void, count: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite calls this for what `gathering` made alone.
    let log = unsafe { log(file) };
    // SAFETY: the system's methods live for ever.
    let read = unsafe { (*log.system).xRead };
    match read {
        // SAFETY: the arguments are those that SQLite has for the system.
        Some(read) if log.gathered.is_empty() => unsafe { read(file, bytes, count, offset) },
        _ => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite calls this once, for what `gathering` made, and uses the file no more.
    let log = unsafe { Box::from_raw((*file).pMethods.cast_mut().cast::<WalFile>()) };
    // SAFETY: the file is the system's again, which lives for ever.
    let close = unsafe { (*log.system).xClose };
    // SAFETY: the file is open.
    unsafe { (*file).pMethods = log.system };
    // SAFETY: as above.
    close.map_or(ffi::SQLITE_IOERR_CLOSE, |close| unsafe { close(file) })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use super::*;
    use crate::reporter::outbox::sqlite::file::OutboxPath;
    use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;
    use crate::reporter::outbox::sqlite::transaction::in_transaction;

    fn connect(path: &Path) -> Connection {
        let place = OutboxPath { path: path.to_owned(), api_key: String::new(), base_url: String::new() };
        place.connect(&BusyTimeout::until(Instant::now() + Duration::from_secs(10))).unwrap()
    }

    fn insert(rows: &Connection, number: i64) -> rusqlite::Result<usize> {
        rows.execute("INSERT INTO t VALUES (?, ?)", (number, vec![7_u8; 700]))
    }

    /// A database with one table, its path, and two connections to it, opened while it is empty: a database with tables
    /// that are not an outbox's is refused.
    fn made(name: &str) -> (PathBuf, [Connection; 2]) {
        assert!(file_system().is_some());
        let path = Path::new(env!("OUT_DIR")).join(name);
        for ending in ["", "-wal", "-shm"] {
            std::fs::remove_file(format!("{}{ending}", path.display())).ok();
        }
        // Only what is there is opened.
        std::fs::File::create(&path).unwrap();
        let connections = [connect(&path), connect(&path)];
        connections[0].execute_batch("CREATE TABLE t (number INTEGER PRIMARY KEY, bytes BLOB)").unwrap();
        (path, connections)
    }

    /// How often this thread has had the system write.
    fn writes() -> usize {
        let counts = std::fs::read_to_string("/proc/thread-self/io").unwrap();
        counts.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap().parse().unwrap()
    }

    fn count(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn what_is_committed_is_there_for_others_however_large_and_what_is_not_never_was() {
        let (path, [one, other]) = made("log-file");
        let mut expected = 0;
        for size in [1, 2, 100, 1000, 10_000] {
            for (writer, reader) in [(&one, &other), (&other, &one)] {
                let failed = in_transaction(writer, |rows| {
                    (0..size).try_for_each(|number| insert(rows, expected + number).map(drop))?;
                    assert_eq!((count(rows), count(reader)), (expected + size, expected));
                    insert(rows, expected)
                });
                assert!(failed.is_err());
                in_transaction(writer, |rows| {
                    (0..size).try_for_each(|number| insert(rows, expected + number).map(drop))
                })
                .unwrap();
                expected += size;
                assert_eq!((count(writer), count(reader)), (expected, expected));
            }
        }
        one.execute_batch("PRAGMA wal_checkpoint(RESTART)").unwrap();
        let check: String = other.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!((check.as_str(), count(&Connection::open(&path).unwrap())), ("ok", expected));
    }

    #[test]
    fn a_transaction_of_many_pages_is_written_at_once() {
        let (_, [connection, _]) = made("log-at-once");
        in_transaction(&connection, |rows| insert(rows, 0)).unwrap();
        let before = writes();
        in_transaction(&connection, |rows| (1..11).try_for_each(|number| insert(rows, number).map(drop))).unwrap();
        assert_eq!(writes() - before, 1);
    }
}
