//! Reserves disk space, and releases it when the disk is full so that sent reports can be deleted.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use crate::os::file_lock;

/// The size of the reserve in bytes, enough for the WAL of a typical batch of completed reports and for its
/// checkpoint.
const SIZE: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    exists: AtomicBool,
}

impl Reserve {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, exists: AtomicBool::new(false) }
    }

    /// Allocates the reserve if it does not exist and space permits.
    pub(crate) fn allocate(&self) {
        if !self.exists.load(Ordering::Acquire) {
            let exists = fs::metadata(&self.path).is_ok_and(|found| found.len() >= len()) || fill(&self.path).is_ok();
            self.exists.store(exists, Ordering::Release);
        }
    }

    /// Releases the reserve. Returns false if there is no reserve.
    pub(crate) fn release(&self) -> bool {
        self.exists.store(false, Ordering::Release);
        fs::remove_file(&self.path).is_ok()
    }
}

fn len() -> u64 {
    u64::try_from(SIZE).unwrap_or(u64::MAX)
}

/// Writes pseudo-random bytes, because a file of zeros occupies no space on some file systems.
fn fill(path: &Path) -> io::Result<()> {
    let file = file_lock::open_private(path, false)?;
    write_all(file).inspect_err(|_| drop(fs::remove_file(path)))
}

fn write_all(mut file: File) -> io::Result<()> {
    let mut number: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut block = Vec::with_capacity(SIZE);
    while block.len() < SIZE {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        block.extend_from_slice(&number.to_le_bytes());
    }
    file.write_all(&block)
}
