//! A little room on the disk that is given up when there is none left, so that what was sent can be taken out.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use crate::os::file_lock;

/// Enough for the log of one batch that is taken out, and for moving it to the file.
const SIZE: usize = 256 * 1024;

/// The file that takes up the room.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    is_there: AtomicBool,
}

impl Reserve {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, is_there: AtomicBool::new(false) }
    }

    /// Takes up the room, if there is that much and it is not done yet.
    pub(crate) fn take_up(&self) {
        if !self.is_there.load(Ordering::Acquire) {
            let is_there = fs::metadata(&self.path).is_ok_and(|found| found.len() >= len()) || fill(&self.path).is_ok();
            self.is_there.store(is_there, Ordering::Release);
        }
    }

    /// Gives up the room. False: there is none to give up.
    pub(crate) fn give_up(&self) -> bool {
        self.is_there.store(false, Ordering::Release);
        fs::remove_file(&self.path).is_ok()
    }
}

fn len() -> u64 {
    u64::try_from(SIZE).unwrap_or(u64::MAX)
}

/// A file of zeroes takes up no room on some file systems.
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
