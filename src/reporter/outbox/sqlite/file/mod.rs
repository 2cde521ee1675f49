//! Creates, opens and verifies the outbox file.

pub(crate) mod file_set;
pub(crate) mod generation;
pub(crate) mod quarantine;
pub(crate) mod reserve;

use std::cell::Cell;
use std::fs::Metadata;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use std::{fs, io};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use self::file_set::FileSet;
use super::error::Failure;
use super::fast_insert::FastInsert;
use super::lock::busy_timeout;
use super::lock::busy_timeout::BusyTimeout;
use super::lock::lock_file::{Lock, LockFile};
use super::lock::write_lock::{WriteGuard, WriteLock};
use super::wal::vfs;
use crate::error::{Error, Kind, is_shortage};
use crate::os::file_lock;
use crate::reporter::outbox::Account;

/// Distinguishes an outbox from other SQLite databases: "nxcv".
const APPLICATION_ID: i32 = 0x6e78_6376;

/// The schema version stored in the file.
const SCHEMA_VERSION: i32 = 1;

/// The size of the header of an SQLite database in bytes, and the position of the application id in it.
const HEADER_SIZE: u64 = 100;
const APPLICATION_ID_BYTES: std::ops::Range<usize> = 68..72;

/// The page size of a new file, in bytes. It is small because a submit changes two pages, and SQLite writes whole
/// pages.
const PAGE_SIZE: i32 = 1024;

/// The size of the page cache, in KiB.
const CACHE_KIB: i32 = 4096;

/// The path and the account of an outbox.
#[derive(Debug, Clone)]
pub(crate) struct OutboxPath {
    /// The absolute path. Its directory is canonical.
    pub(crate) path: PathBuf,
    /// Whether other machines may change the files without a notification.
    pub(crate) is_on_network: bool,
    account: Account,
}

/// An open outbox. Fields are dropped in this order: the connection is closed first, then the files, then the lock that
/// shows other processes that the outbox is open.
pub(crate) struct OpenFile {
    pub(crate) connection: Connection,
    pub(crate) fast_insert: FastInsert,
    /// Whether the counters in the file were compared with the number of reports that this process submitted before it
    /// opened the file.
    pub(crate) is_compared: Cell<bool>,
    pub(crate) files: Arc<FileSet>,
    /// The identity of the file, by which its replacement is detected.
    pub(crate) identity: Identity,
    write_lock: WriteLock,
    open_lock: OpenLock,
}

/// The lock file, with [`Lock::Open`] locked.
struct OpenLock(LockFile);

impl Drop for OpenLock {
    fn drop(&mut self) {
        // Closing the descriptor also releases the lock, unless a forked child has a copy of the descriptor.
        self.0.unlock(Lock::Open).ok();
    }
}

/// The device, inode and creation time of a file. An inode number alone can be reused.
pub(crate) type Identity = (u64, u64, Option<SystemTime>);

impl OutboxPath {
    /// Resolves the directory of `path`. The directory must exist and, unless `allow_network` is set, be on a local
    /// file system.
    pub(crate) fn find(path: &Path, allow_network: bool, account: &Account) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| directory_error("found", path, &error))?;
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::argument("outbox", "is not the path of a file"));
        };
        let directory = fs::canonicalize(directory).map_err(|error| directory_error("found", directory, &error))?;
        let is_on_network = match file_lock::is_on_network(&directory) {
            Err(error) if !allow_network => return Err(directory_error("examined", &directory, &error)),
            found => found.unwrap_or(true),
        };
        if is_on_network && !allow_network {
            let message = "is on a file system that other machines share (network, FUSE, shared folder), whose locks may \
                           not work; use a local one, or set allow_network_file_system \
                           (NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM)";
            return Err(Error::argument("outbox", message));
        }
        Ok(Self { path: directory.join(name), is_on_network, account: account.clone() })
    }

    /// Returns the path of a sidecar file of the outbox.
    pub(crate) fn sidecar(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.path, suffix)
    }

    /// Opens the outbox and creates it if it does not exist.
    pub(crate) fn open(&self, busy_timeout: &BusyTimeout) -> Result<OpenFile, Failure> {
        self.reject_foreign()?;
        let lock_file = LockFile::open(&self.sidecar(".lock"))?;
        if !lock_file.lock(Lock::Open, busy_timeout)? {
            return Err(Failure::Busy);
        }
        let write_lock = WriteLock::new(&lock_file)?;
        let open_lock = OpenLock(lock_file);
        loop {
            let guard = write_lock.acquire(&open_lock.0, busy_timeout)?.ok_or(Failure::Busy)?;
            self.create_if_missing()?;
            if fs::symlink_metadata(&self.path)?.len() == 0 {
                // If the creation fails or is interrupted, the next process must recognize the file as an outbox.
                open_lock.0.mark()?;
                // SQLite removes a WAL next to an empty database, so the tables are created before `FileSet::open`
                // opens the WAL.
                self.check(&mut self.connect(busy_timeout)?)?;
            }
            if let Some(files) = FileSet::open(self)? {
                let mut connection = self.connect(busy_timeout)?;
                self.check(&mut connection)?;
                open_lock.0.mark()?;
                drop(guard);
                let identity = identity(&fs::symlink_metadata(&self.path)?);
                return Ok(OpenFile {
                    connection,
                    fast_insert: FastInsert::default(),
                    is_compared: Cell::new(false),
                    files: Arc::new(files),
                    identity,
                    write_lock,
                    open_lock,
                });
            }
            // The notification wakes the other processes. They detect that their files were replaced, and open the
            // files that are at the paths now.
            drop(guard);
            open_lock.0.notify();
            LockFile::open(&self.sidecar(".lock")).ok();
            if busy_timeout::is_fork_waiting() {
                return Err(Failure::Busy);
            }
            if !busy_timeout.pause() {
                let message = format!(
                    "another process still uses {}, its WAL or its WAL index together with a file that was removed or \
                     replaced; retry after that process has closed the outbox",
                    self.path.display()
                );
                return Err(Failure::Other(Error::new(Kind::OutboxBusy, message)));
            }
        }
    }

    /// Rejects a file that is not and never was an outbox, before any sidecar is created.
    fn reject_foreign(&self) -> Result<(), Failure> {
        let Ok(found) = fs::symlink_metadata(&self.path) else {
            return Ok(());
        };
        if !found.is_file() {
            return Err(Failure::outbox(format!("{} is not a regular file", self.path.display())));
        }
        let mut header = Vec::new();
        file_lock::open_existing_private(&self.path)?.take(HEADER_SIZE).read_to_end(&mut header)?;
        let is_database = header.starts_with(b"SQLite format 3\0");
        // The application id is 0 while the first page is only in the WAL.
        let application_id = header.get(APPLICATION_ID_BYTES).filter(|id| **id != [0; 4]);
        let is_other_database = is_database && application_id.is_some_and(|id| *id != APPLICATION_ID.to_be_bytes());
        let has_wal = fs::metadata(self.sidecar("-wal")).is_ok_and(|wal| wal.len() > 0);
        let is_new_database = is_database && application_id.is_none() && !has_wal;
        match (header.is_empty() || is_database, is_other_database || is_new_database) {
            (true, false) => Ok(()),
            _ if self.was_outbox() => Ok(()),
            (true, true) => Err(self.other_database()),
            (false, _) => Err(self.not_an_outbox()),
        }
    }

    /// Returns the error for a file that is not an outbox.
    pub(crate) fn not_an_outbox(&self) -> Failure {
        Failure::outbox(format!("{} exists but is not an outbox file; choose another path", self.path.display()))
    }

    /// Returns whether the content of the lock file shows that an outbox was opened at this path. If not, the file
    /// may belong to another program and must not be renamed, even if there is a file with the name of the lock file.
    pub(crate) fn was_outbox(&self) -> bool {
        LockFile::is_marked(&self.sidecar(".lock"))
    }

    /// Creates an empty file with owner-only permissions if the file does not exist. Moves existing sidecars away: they
    /// belong to a removed file that other processes may still have open, and SQLite would combine them with the new
    /// file.
    fn create_if_missing(&self) -> Result<(), Failure> {
        if self.is_missing() {
            self.move_sidecars(&self.unused_name()?)?;
            file_lock::open_private(&self.path, true)?;
        }
        self.reject_truncated(&fs::symlink_metadata(&self.path)?)
    }

    /// Rejects a truncated file that SQLite would treat as empty.
    pub(crate) fn reject_truncated(&self, found: &Metadata) -> Result<(), Failure> {
        let has_wal = fs::metadata(self.sidecar("-wal")).is_ok_and(|wal| wal.len() > 0);
        // SQLite treats a file of a single byte as empty.
        if found.len() == 1 || found.len() == 0 && has_wal {
            return Err(Failure::Corrupt("the file was truncated".to_owned()));
        }
        Ok(())
    }

    /// Fails if the file does not exist.
    pub(crate) fn fail_if_missing(&self) -> Result<(), Failure> {
        match self.is_missing() {
            true => Err(Failure::outbox(format!("{} was removed", self.path.display()))),
            false => Ok(()),
        }
    }

    fn is_missing(&self) -> bool {
        fs::symlink_metadata(&self.path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// Connects to the existing file.
    pub(crate) fn connect(&self, busy_timeout: &BusyTimeout) -> Result<Connection, Failure> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let Some(vfs) = vfs::file_system() else {
            return Err(Failure::outbox("the SQLite in this build does not allow its file locks to be replaced"));
        };
        let mut connection = Connection::open_with_flags_and_vfs(&self.path, flags, vfs)?;
        connection.busy_handler(Some(busy_timeout.handler()))?;
        // Closing the connection must neither wait for a disk nor remove a WAL that other processes use.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // Without this setting, SQLite prepares a statement with a LIMIT parameter again whenever its value changes.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(Failure::outbox(format!("{} is not writable", self.path.display())));
        }
        self.reject_other_databases(&connection)?;
        connection.pragma_update(None, "page_size", PAGE_SIZE)?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(Failure::outbox(format!(
                "{} is on a file system that does not support shared memory",
                self.path.display()
            )));
        }
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        // The write buffer does not support pages written before the commit.
        connection.pragma_update(None, "cache_spill", false)?;
        Ok(connection)
    }

    /// Rejects databases of other programs and of later versions, which must stay unchanged.
    fn reject_other_databases(&self, connection: &Connection) -> Result<(), Failure> {
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let path = self.path.display();
        match (number("application_id")?, number("user_version")?) {
            (APPLICATION_ID, version) if version > SCHEMA_VERSION => {
                let message = format!(
                    "{path} was created by a later version of this library; load that version, or use another path"
                );
                Err(Failure::Other(Error::new(Kind::OutboxVersion, message)))
            }
            (APPLICATION_ID, _) => Ok(()),
            (0, 0) if number("schema_version")? == 0 => Ok(()),
            _ => Err(self.other_database()),
        }
    }

    fn other_database(&self) -> Failure {
        let path = self.path.display();
        Failure::outbox(format!("{path} is a database of another program, not an outbox; choose another path"))
    }

    /// Creates the tables if they do not exist, and checks the account.
    pub(crate) fn check(&self, connection: &mut Connection) -> Result<(), Failure> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            transaction.execute_batch(include_str!("../schema.sql"))?;
            transaction
                .execute("INSERT INTO account VALUES (?, ?)", [&self.account.api_key, &self.account.base_url])?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        let account = transaction.query_row("SELECT api_key, base_url FROM account", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        if account != (self.account.api_key.clone(), self.account.base_url.clone()) {
            return Err(Failure::Other(self.wrong_account(&account)));
        }
        Ok(transaction.commit()?)
    }

    fn wrong_account(&self, (api_key, base_url): &(String, String)) -> Error {
        let message = format!(
            "{} belongs to the account {api_key} at {base_url}; use a separate path for each account",
            self.path.display()
        );
        Error::new(Kind::OutboxWrongAccount, message)
    }
}

impl OpenFile {
    /// Waits for the lock that allows this process to write while other processes have the outbox open.
    pub(crate) fn lock_for_writing(&self, busy_timeout: &BusyTimeout) -> Result<WriteGuard<'_>, Failure> {
        self.write_lock.acquire_among_others(&self.open_lock.0, busy_timeout)?.ok_or(Failure::Busy)
    }
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(suffix);
    path.into()
}

pub(crate) fn identity(found: &Metadata) -> Identity {
    (found.dev(), found.ino(), found.created().ok())
}

fn directory_error(done: &str, path: &Path, error: &io::Error) -> Error {
    let kind = if is_shortage(error) { Kind::System } else { Kind::Outbox };
    Error::new(kind, format!("the outbox directory {} cannot be {done}: {error}", path.display()))
}
