//! The outbox file: how it is made and opened, and whether it is one of ours.

pub(crate) mod generation;
pub(crate) mod quarantine;
pub(crate) mod reserve;

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::Failure;
use super::fast_insert::Next;
use super::lock::busy_timeout::BusyTimeout;
use super::wal::vfs;
use crate::error::{Error, Kind, is_shortage};
use crate::os::file_lock;
use crate::os::file_lock::Sharing;
use crate::os::wakeup::Descriptor;

/// Tells an outbox from other SQLite databases: "nxcv".
const APPLICATION: i32 = 0x6e78_6376;

/// The version of the schema, which the file keeps.
const VERSION: i32 = 1;

/// Bytes of a page of a new file. A report changes two pages, which are written as a whole each time.
const PAGE: i32 = 1024;

/// Pages of the file that are kept in memory, in KiB.
const CACHE: i32 = 4096;

/// What stands in the lock file of an outbox.
const MARK: &[u8] = b"Processes that use the outbox beside this file lock this one. Leave it where it is.\n";

/// The byte of the lock file that every open outbox shares. Who has it alone may set a damaged file aside.
pub(crate) const OPEN_BYTE: i64 = 1;

/// The byte that is locked while the file is made.
const MAKE_BYTE: i64 = 2;

/// One file is opened at a time in a process: to close a descriptor of a file ends all locks that the process has on it.
static OPENING: Mutex<()> = Mutex::new(());

/// Has no file opened for as long as the guard lives.
pub(crate) fn no_opening() -> MutexGuard<'static, ()> {
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where an outbox lies, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct OutboxPath {
    /// Absolute; its folder is no link.
    pub(crate) path: PathBuf,
    pub(crate) api_key: String,
    pub(crate) base_url: String,
}

/// An open outbox.
pub(crate) struct OpenFile {
    pub(crate) connection: Connection,
    /// What the connection knows of the next report.
    pub(crate) next: Next,
    /// The log of changes that are not in the file yet.
    pub(crate) log: Arc<File>,
    /// Which file that is, so that its replacement is noticed.
    pub(crate) identity: Identity,
    lock: Descriptor,
}

/// Device, inode, and when it was made, for an inode is used again.
pub(crate) type Identity = (u64, u64, Option<SystemTime>);

impl OutboxPath {
    /// Finds the folder of `path`, which must be there and, unless that is allowed, on this machine.
    pub(crate) fn find(path: &Path, allow_network: bool, api_key: &str, base_url: &str) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| cannot_be("found", path, &error))?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::argument("outbox", "is not the path of a file"));
        };
        let folder = fs::canonicalize(folder).map_err(|error| cannot_be("found", folder, &error))?;
        if !allow_network
            && file_lock::is_on_network(&folder).map_err(|error| cannot_be("examined", &folder, &error))?
        {
            let message = "is on a network file system, whose locks may not work; use a local one, or set allow_network_file_system (NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM)";
            return Err(Error::argument("outbox", message));
        }
        Ok(Self { path: folder.join(name), api_key: api_key.to_owned(), base_url: base_url.to_owned() })
    }

    /// The path of a file that stands beside the outbox.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        with_ending(&self.path, suffix)
    }

    /// Opens the outbox, and makes it if there is none.
    pub(crate) fn open(&self, busy_timeout: &BusyTimeout) -> Result<OpenFile, Failure> {
        let _opening = no_opening();
        self.refuse_foreign()?;
        let lock = self.open_lock()?;
        if !lock_byte(lock.file(), OPEN_BYTE, Sharing::Shared, busy_timeout)? {
            return Err(Failure::Busy);
        }
        self.make(lock.file(), busy_timeout)?;
        let mut connection = self.connect(busy_timeout)?;
        self.check(&mut connection)?;
        mark(lock.file())?;
        let log = Arc::new(plain(file_lock::open_private(&self.beside("-wal"), false)?)?);
        let identity = identity(&fs::symlink_metadata(&self.path)?);
        Ok(OpenFile { connection, next: Next::default(), log, identity, lock })
    }

    /// Refuses what cannot be an outbox and never was one, before anything is created beside it.
    fn refuse_foreign(&self) -> Result<(), Failure> {
        let Ok(found) = fs::symlink_metadata(&self.path) else {
            return Ok(());
        };
        if !found.is_file() {
            return Err(Failure::outbox(format!("{} is not a regular file", self.path.display())));
        }
        let mut beginning = Vec::new();
        let read = File::open(&self.path).and_then(|file| file.take(16).read_to_end(&mut beginning));
        // Who may not read it learns that from SQLite.
        let is_foreign = read.is_ok_and(|length| length > 0) && beginning != *b"SQLite format 3\0";
        if is_foreign && !self.was_outbox() { Err(self.foreign()) } else { Ok(()) }
    }

    /// The failure of a file that is not an outbox.
    pub(crate) fn foreign(&self) -> Failure {
        Failure::outbox(format!("{} exists but is not an outbox file; choose another path", self.path.display()))
    }

    /// Opens the file that processes lock to agree on who does what. It is never removed.
    pub(crate) fn open_lock(&self) -> io::Result<Descriptor> {
        Descriptor::open(|| plain(file_lock::open_private(&self.beside(".lock"), false)?))
    }

    /// Has those woken who watch the lock file for writes. Where there is nothing to write over, it is opened and closed, which
    /// wakes those too who watch it for closings alone.
    pub(crate) fn notify(&self, lock: &File) {
        if write_over(lock).is_err() {
            self.open_lock().ok();
        }
    }

    /// Whether an outbox was ever opened here. What was none is not ours to rename, nor is what lies beside a lock file of
    /// some other program.
    pub(crate) fn was_outbox(&self) -> bool {
        fs::read(self.beside(".lock")).is_ok_and(|found| found == MARK)
    }

    /// Makes an empty file for its owner alone, if there is none.
    fn make(&self, lock: &File, busy_timeout: &BusyTimeout) -> Result<(), Failure> {
        if self.is_missing() {
            if !lock_byte(lock, MAKE_BYTE, Sharing::Exclusive, busy_timeout)? {
                return Err(Failure::Busy);
            }
            let made = self.make_alone();
            file_lock::unlock(lock, MAKE_BYTE)?;
            made?;
        }
        self.refuse_cut(&fs::symlink_metadata(&self.path)?)
    }

    /// Refuses what SQLite would take for empty.
    pub(crate) fn refuse_cut(&self, found: &Metadata) -> Result<(), Failure> {
        let has_log = fs::metadata(self.beside("-wal")).is_ok_and(|log| log.len() > 0);
        // SQLite takes a single byte for nothing.
        if found.len() == 1 || found.len() == 0 && has_log {
            return Err(Failure::Corrupt("it was truncated".to_owned()));
        }
        Ok(())
    }

    /// Makes the file. What stands beside it is of one that was removed, and that others may have open still: SQLite would mix
    /// both.
    fn make_alone(&self) -> io::Result<()> {
        if self.is_missing() {
            self.move_beside(&self.unused_name()?)?;
            file_lock::open_private(&self.path, true)?;
        }
        Ok(())
    }

    /// Refuses to go on when there is no file.
    pub(crate) fn refuse_missing(&self) -> Result<(), Failure> {
        match self.is_missing() {
            true => Err(Failure::outbox(format!("{} was removed", self.path.display()))),
            false => Ok(()),
        }
    }

    fn is_missing(&self) -> bool {
        fs::symlink_metadata(&self.path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// A connection to the file that is there.
    pub(crate) fn connect(&self, busy_timeout: &BusyTimeout) -> Result<Connection, Failure> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut connection = match vfs::file_system() {
            Some(name) => Connection::open_with_flags_and_vfs(&self.path, flags, name)?,
            None => Connection::open_with_flags(&self.path, flags)?,
        };
        connection.busy_handler(Some(busy_timeout.handler()))?;
        // A close must neither wait for a disk nor take the log from others.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // Else a statement with a limit is prepared anew for each limit.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(Failure::outbox(format!("{} is not writable", self.path.display())));
        }
        self.refuse_others(&connection)?;
        connection.pragma_update(None, "page_size", PAGE)?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(Failure::outbox(format!("{} is on a file system without shared memory", self.path.display())));
        }
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        // What is written of a transaction before its commit, the log does not expect.
        connection.pragma_update(None, "cache_spill", false)?;
        Ok(connection)
    }

    /// Leaves the databases of other programs, and those of later versions, as they are.
    fn refuse_others(&self, connection: &Connection) -> Result<(), Failure> {
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let path = self.path.display();
        match (number("application_id")?, number("user_version")?) {
            (APPLICATION, version) if version > VERSION => {
                let message = format!(
                    "{path} was created by a later version of this library; load that version, or use another path"
                );
                Err(Failure::Other(Error::new(Kind::OutboxVersion, message)))
            }
            (APPLICATION, _) => Ok(()),
            (0, 0) if number("schema_version")? == 0 => Ok(()),
            _ => Err(Failure::outbox(format!(
                "{path} is a database of another program, not an outbox; choose another path"
            ))),
        }
    }

    /// Makes the tables if there are none, and compares the account.
    pub(crate) fn check(&self, connection: &mut Connection) -> Result<(), Failure> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            transaction.execute_batch(include_str!("../schema.sql"))?;
            transaction.execute("INSERT INTO account VALUES (?, ?)", [&self.api_key, &self.base_url])?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        let account = transaction.query_row("SELECT api_key, base_url FROM account", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        if account != (self.api_key.clone(), self.base_url.clone()) {
            return Err(Failure::Other(self.of_another_account(&account)));
        }
        Ok(transaction.commit()?)
    }

    fn of_another_account(&self, (api_key, base_url): &(String, String)) -> Error {
        let message = format!(
            "{} belongs to the account {api_key} at {base_url}; use a separate path for each account",
            self.path.display()
        );
        Error::new(Kind::OutboxWrongAccount, message)
    }
}

impl OpenFile {
    /// Whether the file is still the one that its path names.
    pub(crate) fn is_current(&self, place: &OutboxPath) -> bool {
        fs::symlink_metadata(&place.path).is_ok_and(|found| identity(&found) == self.identity)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // It ends with the descriptor too, unless a forked child has a copy of that.
        file_lock::unlock(self.lock.file(), OPEN_BYTE).ok();
    }
}

/// Leaves a sign in the lock file that there was an outbox here.
fn mark(mut lock: &File) -> io::Result<()> {
    match lock.metadata()?.len() {
        0 => lock.write_all(MARK),
        _ => Ok(()),
    }
}

/// Writes the first byte of the mark over itself, so that the file stays as it is. What is another's is not written to.
fn write_over(lock: &File) -> io::Result<()> {
    let mut first = [0];
    lock.read_exact_at(&mut first, 0)?;
    if MARK.starts_with(&first) { lock.write_all_at(&first, 0) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Waits for the lock of one byte. False: others had it for too long.
pub(crate) fn lock_byte(lock: &File, byte: i64, sharing: Sharing, busy_timeout: &BusyTimeout) -> io::Result<bool> {
    while !file_lock::try_lock(lock, byte, sharing)? {
        if !busy_timeout.rest() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The file, unless it is something else, such as a pipe that somebody put in its place.
fn plain(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("a file beside the outbox (.lock or -wal) is not a regular file"))
    }
}

pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(ending);
    path.into()
}

pub(crate) fn identity(found: &Metadata) -> Identity {
    (found.dev(), found.ino(), found.created().ok())
}

fn cannot_be(done: &str, path: &Path, error: &io::Error) -> Error {
    let kind = if is_shortage(error) { Kind::System } else { Kind::Outbox };
    Error::new(kind, format!("the outbox directory {} cannot be {done}: {error}", path.display()))
}
