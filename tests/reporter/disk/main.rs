//! Tests an outbox whose disk or files fail. Each call succeeds or returns a documented error, and sending continues
//! where possible.
//!
//! * `disk_full`: the disk is full or almost full, or the file system is read-only
//! * `foreign_files`: the file at the path is not a usable outbox
//! * `removed`: the outbox file or its folder is removed or replaced while in use
//! * `changed_files`: a file of an open outbox is removed, renamed, replaced, truncated or linked
//! * `privileges`: the process drops privileges or changes its root directory
//! * `locked`: a process holds a lock for longer than the busy timeout
//! * `corrupt`: the outbox file, its write-ahead log or a row is corrupt
//! * `bit_flips`: bytes are corrupted at random before the outbox is opened or while it is open
//!
//! Some tests need a separate file system, which only root can mount. Without root, these tests print that they are
//! skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unsafe_code)]

mod bit_flips;
mod changed_files;
#[path = "../../common/mod.rs"]
mod common;
mod corrupt;
mod disk_full;
mod foreign_files;
mod locked;
mod privileges;
mod removed;
mod small_fs;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nexmo_conversion::{Error, Kind, Options, Reporter};

use crate::common::process::children;
use crate::common::{credentials, in_file};

children![
    locked::hold_in_a_child,
    privileges::submit_as_another_user,
    privileges::submit_in_another_root,
    removed::share_in_a_child
];

/// A base URL at which no server listens.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Tries to create a reporter with an outbox at this path.
fn try_open(outbox: &Path, base_url: &str) -> Result<Reporter, Error> {
    let options = Options { base_url: Some(base_url), ..Options::default() };
    Reporter::new(credentials(), &options, &in_file(outbox))
}

/// Returns the kind of error with which opening an outbox at this path fails.
#[track_caller]
fn open_error(outbox: &Path) -> Kind {
    let error =
        try_open(outbox, NOWHERE).err().unwrap_or_else(|| panic!("{} was opened as an outbox", outbox.display()));
    assert!(!error.message().is_empty());
    error.kind()
}

/// Returns whether errors of this kind concern the outbox.
fn is_of_the_outbox(kind: Kind) -> bool {
    let of_the_outbox = [
        Kind::Outbox,
        Kind::OutboxFull,
        Kind::OutboxBusy,
        Kind::OutboxCorrupt,
        Kind::OutboxWrongAccount,
        Kind::OutboxVersion,
    ];
    of_the_outbox.contains(&kind)
}

/// Returns the path of a companion file of an outbox.
fn sidecar(outbox: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(outbox);
    path.push(suffix);
    path.into()
}

/// Returns the quarantined outbox files next to an outbox, without their companion files.
fn quarantined(outbox: &Path) -> Vec<PathBuf> {
    let beginning = format!("{}.corrupt-", outbox.file_name().unwrap().to_str().unwrap());
    let files = std::fs::read_dir(outbox.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(&beginning) && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    files.filter(is_one).collect()
}

/// The default busy timeout of 1 s, and a margin for a busy machine.
const BUSY_TIMEOUT_AND_MARGIN: Duration = Duration::from_secs(4);
