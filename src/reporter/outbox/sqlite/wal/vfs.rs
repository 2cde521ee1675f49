//! A VFS that writes a transaction of up to 48 KiB to the WAL with one system call instead of two per page.
//!
//! The VFS named by [`file_system`] behaves like SQLite's default VFS, called the system's below, with two
//! exceptions. It buffers writes to the WAL until the transaction is complete or the buffer is full, and it checks
//! that each page read belongs to the current WAL. The whole transaction is in the WAL before SQLite publishes it in
//! the WAL index. If a write fails, the committing call returns the error, as it does without this VFS.
//!
//! The module also replaces system calls of this copy of SQLite. As a result, SQLite's locks belong to open file
//! descriptions instead of the process, so they are not released when other code in the process, such as another copy
//! of SQLite, closes the same file. No file gets descriptor 0, 1 or 2, and no file changes its owner. A write beyond
//! the file size limit fails as on a full disk.
//!
//! The buffering requires a connection that writes no page before it commits (`PRAGMA cache_spill = OFF`). While the
//! buffer contains data, any read, and any write that does not continue the data, fails.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;
use std::time::Duration;
use std::{ptr, slice, thread};

use rusqlite::ffi;
use rusqlite::ffi::{SQLITE_OK, sqlite3_file, sqlite3_filename, sqlite3_io_methods, sqlite3_vfs};

use super::write_buffer::{Step, WriteBuffer};
use crate::os::{file_lock, file_size};
use crate::reporter::outbox::sqlite::lock::busy_timeout;

const NAME: &CStr = c"nexmo-outbox";

/// The format of the WAL (<https://sqlite.org/fileformat2.html#the_write_ahead_log>): the sizes of its header and of
/// the header of each page, and the offsets and the size of the salt in them. The salt changes when the WAL restarts.
const WAL_HEADER_SIZE: i64 = 32;
const FRAME_HEADER_SIZE: i64 = 24;
const HEADER_BYTES: usize = 24;
const SALT_IN_HEADER: i64 = 16;
const SALT_IN_FRAME: usize = 8;
const SALT_SIZE: usize = 8;

/// The number of pages copied between two pauses, and the length of a pause.
const PAGES_PER_PAUSE: u32 = 32;
const PAUSE: Duration = Duration::from_micros(200);

thread_local! {
    /// The number of pages that this thread reads before its next pause; 0 if it makes no pauses.
    static PAGES_UNTIL_PAUSE: Cell<u32> = const { Cell::new(0) };
}

/// The minimum size of a page, in bytes.
const MIN_PAGE_SIZE: c_int = 512;

/// Returns the name of the VFS; None if it cannot be registered.
pub(crate) fn file_system() -> Option<&'static CStr> {
    static IS_REGISTERED: OnceLock<bool> = OnceLock::new();
    IS_REGISTERED.get_or_init(register).then_some(NAME)
}

/// Returns the size of the page cache of a connection, in bytes.
#[cfg(test)]
pub(crate) fn cache_size(connection: &rusqlite::Connection) -> c_int {
    let (mut size, mut highest) = (0, 0);
    // SAFETY: the connection is open, and both numbers outlive the call.
    let code = unsafe {
        ffi::sqlite3_db_status(connection.handle(), ffi::SQLITE_DBSTATUS_CACHE_USED, &raw mut size, &raw mut highest, 0)
    };
    assert_eq!(code, SQLITE_OK);
    size
}

/// Registers the VFS for the lifetime of the process.
fn register() -> bool {
    // SAFETY: for null, SQLite returns its default VFS, which is never freed.
    let system = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    // SAFETY: the pointer is null or points to SQLite's VFS, which is not changed while it is borrowed.
    let Some(found) = (unsafe { system.as_ref() }) else {
        return false;
    };
    let Some(set_system_call) = found.xSetSystemCall else {
        return false;
    };
    let calls: [(&CStr, *const ()); 5] = [
        (c"fcntl", file_lock::fcntl as *const ()),
        (c"open", file_lock::open as *const ()),
        (c"fchown", file_lock::keep_owner as *const ()),
        (c"pread", file_size::read_at as *const ()),
        (c"pwrite", file_size::write_at as *const ()),
    ];
    for (name, call) in calls {
        // SAFETY: SQLite calls the function only with the arguments of that system call, whatever the declared type is.
        let call = unsafe { std::mem::transmute::<*const (), ffi::sqlite3_syscall_ptr>(call) };
        // SAFETY: the VFS is SQLite's, and no connection is open yet, because each one is opened with the VFS that
        // this function registers.
        if unsafe { set_system_call(system, name.as_ptr(), call) } != SQLITE_OK {
            return false;
        }
    }
    let vfs = sqlite3_vfs {
        pNext: ptr::null_mut(),
        zName: NAME.as_ptr(),
        pAppData: system.cast(),
        xOpen: Some(open),
        ..*found
    };
    // SAFETY: the VFS is complete and is never freed.
    unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) == SQLITE_OK }
}

/// The WAL of one connection. SQLite reaches it through the file's methods, which are its first field.
#[repr(C)]
struct WalFile {
    methods: sqlite3_io_methods,
    /// The system's methods, used for everything not implemented here.
    system: *const sqlite3_io_methods,
    buffer: WriteBuffer,
    /// The salt in the header of the WAL when it was last read.
    salt: [u8; SALT_SIZE],
    /// The header and the content of the last page read.
    frame: Vec<u8>,
}

/// Opens a file with the system's VFS. If the file is a WAL, replaces its write, read and close methods.
unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the registered VFS, whose data is the system's.
    let system: *mut sqlite3_vfs = unsafe { (*vfs).pAppData.cast() };
    // SAFETY: the system's VFS is never freed.
    let Some(open) = (unsafe { (*system).xOpen }) else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: SQLite passes valid arguments, which are forwarded.
    let code = unsafe { open(system, name, file, flags, flags_out) };
    if code == SQLITE_OK && flags & ffi::SQLITE_OPEN_WAL != 0 {
        // SAFETY: the file was opened, which set its methods.
        unsafe { (*file).pMethods = buffering_methods((*file).pMethods) };
    }
    code
}

/// Returns the methods of a buffered WAL, based on the system's methods. [`close`] frees them.
unsafe fn buffering_methods(system: *const sqlite3_io_methods) -> *const sqlite3_io_methods {
    // SAFETY: the caller passes the methods of an open file.
    let found = unsafe { *system };
    let methods = sqlite3_io_methods { xWrite: Some(write), xRead: Some(read), xClose: Some(close), ..found };
    Box::into_raw(Box::new(WalFile {
        methods,
        system,
        buffer: WriteBuffer::default(),
        salt: [0; SALT_SIZE],
        frame: Vec::new(),
    }))
    .cast()
}

/// Returns the WAL whose methods `file` has.
unsafe fn wal_file<'a>(file: *mut sqlite3_file) -> &'a mut WalFile {
    // SAFETY: the methods are the first field of the WAL, and one thread at a time uses the connection.
    unsafe { &mut *(*file).pMethods.cast_mut().cast::<WalFile>() }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, count: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite calls this only for files from `buffering_methods`.
    let wal = unsafe { wal_file(file) };
    // SAFETY: `bytes` points to `count` bytes.
    let data = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(count).unwrap_or(0)) };
    match wal.buffer.add(data, offset) {
        Step::Wait => SQLITE_OK,
        // SAFETY: the file is open, and its methods are those of `wal`.
        Step::WriteThis => unsafe { write_through(file, wal.system, data, offset) },
        Step::WriteAll => {
            // SAFETY: as above.
            let code = unsafe { write_through(file, wal.system, wal.buffer.bytes(), wal.buffer.start()) };
            wal.buffer.clear();
            code
        }
        Step::Fail => {
            wal.buffer.clear();
            ffi::SQLITE_IOERR_WRITE
        }
    }
}

/// Writes with the system's VFS.
unsafe fn write_through(
    file: *mut sqlite3_file,
    system: *const sqlite3_io_methods,
    bytes: &[u8],
    offset: i64,
) -> c_int {
    // SAFETY: the system's methods are never freed.
    let write = unsafe { (*system).xWrite };
    match (write, c_int::try_from(bytes.len())) {
        // SAFETY: the file is the system's except for its methods, which the system does not read.
        (Some(write), Ok(count)) => unsafe { write(file, bytes.as_ptr().cast(), count, offset) },
        _ => ffi::SQLITE_IOERR_WRITE,
    }
}

/// Reads from the WAL. Fails while writes are buffered, and if a page does not belong to the current WAL. Without the
/// latter check, SQLite would use zeros as a page after the file was truncated.
unsafe extern "C" fn read(file: *mut sqlite3_file, bytes: *mut c_void, count: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite calls this only for files from `buffering_methods`.
    let wal = unsafe { wal_file(file) };
    // SAFETY: the system's methods are never freed.
    let Some(read) = (unsafe { (*wal.system).xRead }).filter(|_| wal.buffer.is_empty()) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SQLite also reads headers, and pages together with their headers. Only for a read of a page alone is the size a
    // power of two of at least `MIN_PAGE_SIZE`.
    let is_page = count >= MIN_PAGE_SIZE && count.count_ones() == 1;
    let Some(start) = offset.checked_sub(FRAME_HEADER_SIZE).filter(|start| is_page && *start >= WAL_HEADER_SIZE) else {
        // SAFETY: SQLite passes valid arguments, which are forwarded.
        return unsafe { read(file, bytes, count, offset) };
    };
    pause_between_pages();
    let (header_size, page_size) = (HEADER_BYTES, usize::try_from(count).unwrap_or(0));
    wal.frame.resize(header_size.saturating_add(page_size), 0);
    let size = c_int::try_from(wal.frame.len()).unwrap_or(0);
    // SAFETY: the file is open, and the buffer has that size.
    let code = unsafe { read(file, wal.frame.as_mut_ptr().cast(), size, start) };
    let (header, page) = wal.frame.split_at(header_size);
    // SAFETY: SQLite passes a buffer for a page, and the system fills the rest of a page that it cannot read.
    unsafe { ptr::copy_nonoverlapping(page.as_ptr(), bytes.cast(), page.len()) };
    if code != SQLITE_OK || header.get(SALT_IN_FRAME..SALT_IN_FRAME.saturating_add(SALT_SIZE)) == Some(&wal.salt) {
        return code;
    }
    // Another connection may have restarted the WAL.
    let size = c_int::try_from(SALT_SIZE).unwrap_or(0);
    // SAFETY: the file is open, and the buffer has that size.
    let code = unsafe { read(file, wal.salt.as_mut_ptr().cast(), size, SALT_IN_HEADER) };
    if code != SQLITE_OK {
        return code;
    }
    let is_same = header.get(SALT_IN_FRAME..SALT_IN_FRAME.saturating_add(SALT_SIZE)) == Some(&wal.salt);
    if is_same { SQLITE_OK } else { ffi::SQLITE_CORRUPT }
}

/// Runs `work`, which copies pages, with a short pause after every [`PAGES_PER_PAUSE`] pages, so that other threads,
/// one of which may hold a lock, do not wait long for a processor.
pub(crate) fn with_pauses<T>(work: impl FnOnce() -> T) -> T {
    PAGES_UNTIL_PAUSE.set(PAGES_PER_PAUSE);
    let result = work();
    PAGES_UNTIL_PAUSE.set(0);
    result
}

fn pause_between_pages() {
    match PAGES_UNTIL_PAUSE.get() {
        0 => {}
        1 => {
            if !busy_timeout::is_fork_waiting() {
                thread::sleep(PAUSE);
            }
            PAGES_UNTIL_PAUSE.set(PAGES_PER_PAUSE);
        }
        pages => PAGES_UNTIL_PAUSE.set(pages.saturating_sub(1)),
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite calls this once, only for files from `buffering_methods`, and does not use the file afterwards.
    let wal = unsafe { Box::from_raw((*file).pMethods.cast_mut().cast::<WalFile>()) };
    // SAFETY: the system's methods are never freed.
    let close = unsafe { (*wal.system).xClose };
    // SAFETY: the file is open.
    unsafe { (*file).pMethods = wal.system };
    // SAFETY: as above.
    close.map_or(ffi::SQLITE_IOERR_CLOSE, |close| unsafe { close(file) })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use super::*;
    use crate::reporter::outbox::Account;
    use crate::reporter::outbox::sqlite::file::OutboxPath;
    use crate::reporter::outbox::sqlite::lock::busy_timeout::BusyTimeout;
    use crate::reporter::outbox::sqlite::transaction::in_transaction;

    fn connect(path: &Path) -> Connection {
        let account = Account { api_key: String::new(), base_url: String::new() };
        let outbox_path = OutboxPath::find(path, true, &account).unwrap();
        outbox_path.connect(&BusyTimeout::until(Instant::now() + Duration::from_secs(10))).unwrap()
    }

    fn insert(rows: &Connection, number: i64) -> rusqlite::Result<usize> {
        rows.execute("INSERT INTO t VALUES (?, ?)", (number, vec![7_u8; 700]))
    }

    /// Creates a database with one table and opens two connections. Opens them while the database is empty, because the
    /// library rejects a database with tables of another program.
    fn database(name: &str) -> (PathBuf, [Connection; 2]) {
        assert!(file_system().is_some());
        let path = Path::new(env!("OUT_DIR")).join(name);
        for ending in ["", "-wal", "-shm"] {
            std::fs::remove_file(format!("{}{ending}", path.display())).ok();
        }
        // The file must exist, because connections do not create it.
        std::fs::File::create(&path).unwrap();
        let connections = [connect(&path), connect(&path)];
        connections[0].execute_batch("CREATE TABLE t (number INTEGER PRIMARY KEY, bytes BLOB)").unwrap();
        (path, connections)
    }

    /// Returns how many write system calls this thread has made.
    fn writes() -> usize {
        let counts = std::fs::read_to_string("/proc/thread-self/io").unwrap();
        counts.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap().parse().unwrap()
    }

    fn count(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn commits_of_any_size_are_visible_to_others_and_rollbacks_are_not() {
        let (path, [one, other]) = database("vfs");
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
    fn page_that_does_not_belong_to_the_wal_is_corrupt() {
        let (path, [one, other]) = database("vfs-hole");
        in_transaction(&one, |rows| (0..50).try_for_each(|number| insert(rows, number).map(drop))).unwrap();
        assert_eq!(count(&other), 50);
        other.execute_batch("PRAGMA cache_size = 0; PRAGMA shrink_memory").unwrap();
        let wal = std::fs::OpenOptions::new().write(true).open(format!("{}-wal", path.display())).unwrap();
        let length = wal.metadata().unwrap().len();
        wal.set_len(length / 2).unwrap();
        wal.set_len(length).unwrap();
        let failed = other.query_row("SELECT sum(length(bytes)) FROM t", [], |row| row.get::<_, i64>(0)).unwrap_err();
        assert_eq!(failed.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseCorrupt), "{failed}");
        let checkpoint = one.query_row("PRAGMA wal_checkpoint", [], |row| row.get::<_, i64>(0));
        assert!(checkpoint.is_err(), "the checkpoint must not copy zeros to the database");
    }

    #[test]
    fn transaction_of_many_pages_is_written_with_one_call() {
        let (_, [connection, _]) = database("vfs-single-write");
        in_transaction(&connection, |rows| insert(rows, 0)).unwrap();
        let before = writes();
        in_transaction(&connection, |rows| (1..11).try_for_each(|number| insert(rows, number).map(drop))).unwrap();
        assert_eq!(writes() - before, 1);
    }
}
