//! The files of an open outbox: the database, its WAL and its WAL index. Detects that another process removed, replaced
//! or truncated one of them, and prevents processes that have different files open from writing to the same database.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::OutboxPath;
use crate::os;
use crate::os::file_lock;
use crate::os::file_lock::Sharing;
use crate::os::file_status::{Directory, Status};

/// The starts of two ranges of bytes far beyond the end of each file. In them, a process locks one byte for each
/// other file that it uses together with this one. In the range at `WAL_BYTES`, it locks a byte of the database for
/// the WAL, and a byte of the WAL for the database. In the range at `INDEX_BYTES`, it does the same for the database
/// and the index.
const WAL_BYTES: i64 = 1 << 50;
const INDEX_BYTES: i64 = 1 << 51;

/// The number of bytes in each range. The offset in the range of the byte for a file is the inode number of the file
/// modulo this number.
const BYTE_COUNT: i64 = 1 << 40;

/// The byte of the index that a process locks while it runs a checkpoint.
const CHECKPOINT_BYTE: i64 = 1 << 52;

/// The format of the WAL index (<https://sqlite.org/walformat.html>): the size of its header; the positions in the
/// header of the page size and of the number of pages in the WAL; and the offset in the index of the number of pages
/// copied to the database.
const INDEX_HEADER_SIZE: usize = 48;
const INDEX_PAGE_SIZE: std::ops::Range<usize> = 14..16;
const INDEX_PAGES: std::ops::Range<usize> = 16..20;
const INDEX_COPIED: u64 = 96;

/// The sizes of the headers of the WAL and of each page in it, in bytes.
const WAL_HEADER_SIZE: u64 = 32;
const PAGE_HEADER_SIZE: u64 = 24;

#[derive(Debug)]
pub(crate) struct FileSet {
    /// The paths of the database and of its directory.
    path: CString,
    directory_path: CString,
    directory: Directory,
    database: KnownFile,
    wal: KnownFile,
    index: KnownFile,
    /// The WAL, open for flushing.
    pub(crate) wal_file: Arc<File>,
}

/// An open file, its identity, and its last known length.
#[derive(Debug)]
struct KnownFile {
    name: CString,
    file: Arc<File>,
    device: u64,
    inode: u64,
    /// The length when last checked, in bytes.
    length: AtomicU64,
}

/// The number of pages in the WAL, and how many of them have been copied to the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WalPages {
    pub(crate) total: u32,
    pub(crate) copied: u32,
}

impl WalPages {
    /// Returns the number of pages that are only in the WAL.
    pub(crate) fn uncopied(self) -> u32 {
        self.total.saturating_sub(self.copied)
    }
}

/// A guard that releases the lock for a checkpoint when dropped.
pub(crate) struct CheckpointGuard<'a>(&'a File);

impl Drop for CheckpointGuard<'_> {
    fn drop(&mut self) {
        file_lock::unlock(self.0, CHECKPOINT_BYTE).ok();
    }
}

/// The header of the WAL index. Each commit changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexHeader([u8; INDEX_HEADER_SIZE]);

impl IndexHeader {
    #[cfg(test)]
    pub(crate) fn for_tests(byte: u8) -> Self {
        Self([byte; INDEX_HEADER_SIZE])
    }

    /// Returns the number of pages in the WAL.
    fn pages(&self) -> u32 {
        let bytes = self.0.get(INDEX_PAGES).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_ne_bytes)
    }

    /// Returns the length of the part of the WAL that the index lists, in bytes.
    fn wal_length(&self) -> u64 {
        let bytes = self.0.get(INDEX_PAGE_SIZE).and_then(|bytes| bytes.try_into().ok());
        // The largest size, 65536, is stored as 1.
        let page_size = match bytes.map_or(0, u16::from_ne_bytes) {
            1 => 65536,
            size => u64::from(size),
        };
        match u64::from(self.pages()) {
            0 => 0,
            pages => pages.saturating_mul(page_size.saturating_add(PAGE_HEADER_SIZE)).saturating_add(WAL_HEADER_SIZE),
        }
    }
}

/// The length of the WAL, in bytes, above which truncating the WAL is worth the write that restarts it.
const LONG_WAL: u64 = 1024 * 1024;

/// The maximum number of bytes to remove from the WAL at once. Removing them takes about 1 ms.
const MAX_REMOVED: u64 = 4 * 1024 * 1024;

/// The maximum number of times that the index is read while other processes change it.
const MAX_READS: u32 = 100;

/// A change to the files by another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The database was removed.
    DatabaseRemoved,
    /// The database was moved, or another file is at its path. The open database is intact.
    DatabaseMoved,
    /// The WAL or its index was removed or replaced. The open WAL and index are intact.
    WalReplaced,
    /// The index was truncated. Accessing its mapping may raise SIGBUS.
    IndexTruncated,
    /// The WAL was truncated, but all its pages are in the database.
    CopiedWalTruncated,
    /// The database was truncated, or the WAL was while some of its pages were not in the database.
    ContentTruncated,
}

impl FileSet {
    /// Opens the files of the existing database, creates a missing WAL and index, and registers that this process uses
    /// them together. Returns None if another process uses one of these files together with a different file.
    pub(crate) fn open(path: &OutboxPath) -> io::Result<Option<Self>> {
        let directory_path = path.path.parent().unwrap_or_else(|| Path::new("/"));
        let directory = Directory::open(directory_path)?;
        let [database_path, directory_path] =
            [path.path.as_path(), directory_path].map(|path| CString::new(path.as_os_str().as_bytes()));
        let known = |path: &Path, file: File| KnownFile::new(path, file);
        let database = known(&path.path, file_lock::open_existing_private(&path.path)?)?;
        let [wal, index] = [path.sidecar("-wal"), path.sidecar("-shm")];
        let wal = known(&wal, file_lock::open_private(&wal, false)?)?;
        let index = known(&index, file_lock::open_private(&index, false)?)?;
        let wal_file = Arc::clone(&wal.file);
        let (path, directory_path) = (database_path?, directory_path?);
        let files = Self { path, directory_path, directory, database, wal, index, wal_file };
        Ok(files.register()?.then_some(files))
    }

    /// Locks, in each file, the bytes for the other files. Returns false if another process uses one of the files
    /// together with a different file.
    fn register(&self) -> io::Result<bool> {
        let pairs = [
            (&self.database, WAL_BYTES, &self.wal),
            (&self.database, INDEX_BYTES, &self.index),
            (&self.wal, WAL_BYTES, &self.database),
            (&self.index, INDEX_BYTES, &self.database),
        ];
        for (file, base, other) in pairs {
            let offset = i64::try_from(other.inode).unwrap_or(i64::MAX) % BYTE_COUNT;
            let byte = base.saturating_add(offset);
            let after = BYTE_COUNT.saturating_sub(offset).saturating_sub(1);
            file_lock::try_lock(&file.file, byte, Sharing::Shared)?;
            let is_used_otherwise = offset > 0 && file_lock::is_locked_elsewhere(&file.file, base, offset)?
                || after > 0 && file_lock::is_locked_elsewhere(&file.file, byte.saturating_add(1), after)?;
            if is_used_otherwise {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Like [`FileSet::change`], but does not detect that the WAL or its index was renamed. It is enough to detect a
    /// rename later, because no other process can open the outbox with a different WAL or index meanwhile.
    pub(crate) fn change_before_write(&self) -> Option<Change> {
        let database = self.database.state(self.find_database());
        let is_same = database == FileState::Same && self.wal.is_intact() && self.index.is_intact();
        if is_same { None } else { self.change() }
    }

    /// Returns None if the files just written still have a name and were not truncated; otherwise returns the change.
    pub(crate) fn change_after_write(&self) -> Option<Change> {
        if self.wal.is_intact() && self.database.is_intact() { None } else { self.change() }
    }

    /// Returns the change that another process has made since the files were opened, if any.
    pub(crate) fn change(&self) -> Option<Change> {
        let database = self.database.state(self.find_database());
        let index = self.index.state(self.directory.status(&self.index.name));
        let wal = self.wal.state(self.directory.status(&self.wal.name));
        if [database, index, wal] == [FileState::Same; 3] {
            return None;
        }
        if wal == FileState::Truncated && self.accept_restarted_wal() {
            return self.change();
        }
        if self.index.is_truncated() {
            return Some(Change::IndexTruncated);
        }
        if self.database.is_truncated() {
            return Some(Change::ContentTruncated);
        }
        if self.wal.is_truncated() {
            return Some(match self.wal_pages().uncopied() > 0 {
                true => Change::ContentTruncated,
                false => Change::CopiedWalTruncated,
            });
        }
        Some(match database {
            FileState::Gone if self.database.has_no_name() => Change::DatabaseRemoved,
            FileState::Gone => Change::DatabaseMoved,
            _ => Change::WalReplaced,
        })
    }

    /// Returns the status of the file at the path of the database. After `chroot`, the path may no longer exist, but
    /// the open directory still does.
    fn find_database(&self) -> io::Result<Status> {
        match Status::at(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && Status::at(&self.directory_path).is_err() => {
                self.directory.status(&self.database.name)
            }
            other => other,
        }
    }

    /// Returns the numbers of pages. If the index cannot be read, the total is the largest number, and no page counts
    /// as copied.
    pub(crate) fn wal_pages(&self) -> WalPages {
        let (header, mut copied) = (self.index_header(), [0; 4]);
        let is_read = self.index.file.read_exact_at(&mut copied, INDEX_COPIED).is_ok();
        match header.filter(|_| is_read) {
            Some(header) => WalPages { total: header.pages(), copied: u32::from_ne_bytes(copied) },
            None => WalPages { total: u32::MAX, copied: 0 },
        }
    }

    /// Returns the header of the index. Reads the file instead of a mapping, because accessing the mapping of a
    /// truncated file raises SIGBUS.
    pub(crate) fn index_header(&self) -> Option<IndexHeader> {
        let mut header = [0; INDEX_HEADER_SIZE];
        self.index.file.read_exact_at(&mut header, 0).is_ok().then_some(IndexHeader(header))
    }

    /// Returns the header of the index if the WAL is so long that it is worth truncating.
    pub(crate) fn header_of_long_wal(&self) -> Option<IndexHeader> {
        self.index_header().filter(|_| self.wal_length() > LONG_WAL)
    }

    /// Removes bytes at the end of the WAL that the index, which has this header, does not list, but at most
    /// [`MAX_REMOVED`]. Returns whether more can be removed. The caller prevents writes.
    pub(crate) fn shorten_wal(&self, header: IndexHeader) -> bool {
        let (length, needed) = (self.wal_length(), header.wal_length());
        let shortened = length.saturating_sub(MAX_REMOVED).max(needed);
        let is_shortened = shortened < length && self.wal_file.set_len(shortened).is_ok();
        if is_shortened {
            self.wal.length.store(shortened, Ordering::Relaxed);
        }
        is_shortened && shortened > needed
    }

    /// Returns the length of the WAL in bytes; 0 if it cannot be read.
    fn wal_length(&self) -> u64 {
        self.wal.status().map_or(0, |status| status.length)
    }

    /// Accepts that the WAL is shorter than before if it still contains all pages that the index lists. Another
    /// process truncates the WAL of an idle outbox in this way. Returns whether the length was accepted.
    fn accept_restarted_wal(&self) -> bool {
        for _ in 0..MAX_READS {
            // A page is written before the index lists it, so the length is read after the header.
            let header = self.index_header();
            let length = self.wal_length();
            if header.is_some_and(|header| length >= header.wal_length()) {
                self.wal.length.store(length, Ordering::Relaxed);
                return true;
            }
            if self.index_header() == header {
                return false;
            }
        }
        false
    }

    /// Makes the kernel start to write the database and the WAL to the disk.
    pub(crate) fn start_writeback(&self) {
        os::start_writeback(&self.database.file);
        os::start_writeback(&self.wal_file);
    }

    /// Flushes the database to the disk.
    pub(crate) fn flush_database(&self) {
        // If this fails, the checkpoint fails too, or flushes the database again.
        self.database.file.sync_data().ok();
    }

    /// Acquires the lock for a checkpoint. Returns None if another process holds it.
    pub(crate) fn lock_for_checkpoint(&self) -> Option<CheckpointGuard<'_>> {
        let is_locked = file_lock::try_lock(&self.index.file, CHECKPOINT_BYTE, Sharing::Exclusive);
        is_locked.is_ok_and(|is_locked| is_locked).then_some(CheckpointGuard(&self.index.file))
    }

    /// Returns whether a file has a second name, by which another process may use it with another WAL.
    pub(crate) fn has_links(&self) -> bool {
        [&self.database, &self.wal, &self.index].iter().any(|file| file.status().is_ok_and(|status| status.links > 1))
    }
}

/// The result of comparing a known file with the file at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    Same,
    Truncated,
    Gone,
}

impl KnownFile {
    fn new(path: &Path, file: File) -> io::Result<Self> {
        let name = CString::new(path.file_name().unwrap_or_default().as_bytes())?;
        let status = Status::of(&file)?;
        Ok(Self {
            name,
            file: Arc::new(file),
            device: status.device,
            inode: status.inode,
            length: AtomicU64::new(status.length),
        })
    }

    /// Compares the file with `found`, the status of the file at its path.
    fn state(&self, found: io::Result<Status>) -> FileState {
        match found {
            Ok(found) if (found.device, found.inode) != (self.device, self.inode) => FileState::Gone,
            Ok(found) if found.length < self.length.load(Ordering::Relaxed) => FileState::Truncated,
            Ok(found) => {
                self.length.store(found.length, Ordering::Relaxed);
                FileState::Same
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => FileState::Gone,
            // The path cannot be read, for example because the process gave up its privileges. The file is still open.
            Err(_) => FileState::Same,
        }
    }

    fn status(&self) -> io::Result<Status> {
        Status::of(&self.file)
    }

    /// Returns whether the file has a name and is not shorter than before. If so, records its length.
    fn is_intact(&self) -> bool {
        self.status().is_ok_and(|status| {
            let is_intact = status.links > 0 && status.length >= self.length.load(Ordering::Relaxed);
            if is_intact {
                self.length.store(status.length, Ordering::Relaxed);
            }
            is_intact
        })
    }

    fn is_truncated(&self) -> bool {
        self.status().is_ok_and(|status| status.length < self.length.load(Ordering::Relaxed))
    }

    fn has_no_name(&self) -> bool {
        self.status().is_ok_and(|status| status.links == 0)
    }
}
