//! Everything that can be wrong with the disk under an outbox: each ends in a status or a success, and sending goes on.
//!
//! * `full`: no room, a little room, no writing at all
//! * `odd`: what is at the path is no outbox, or not ours
//! * `gone`: the file or its folder is removed or replaced while it is in use
//! * `stuck`: somebody holds a lock, and does not let go
//! * `torn`: the file or its log is damaged in a way that must be noticed
//! * `flips`: bytes that change at random, before the file is opened and while it is open
//!
//! Some of it needs a file system of its own, which root alone can mount. Who is not root is told what was left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
mod flips;
mod full;
mod gone;
mod odd;
mod room;
mod stuck;
mod torn;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nexmo_conversion::{Error, Kind, Options, Reporter};

use crate::common::{credentials, in_file};

/// A base URL where nobody listens, for reporters that never get as far.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A reporter with the outbox at that path, or what stood in its way.
fn try_open(outbox: &Path, base_url: &str) -> Result<Reporter, Error> {
    let options = Options { base_url: Some(base_url), ..Options::default() };
    Reporter::new(credentials(), &options, &in_file(outbox))
}

/// The kind of what stands in the way of an outbox at that path.
#[track_caller]
fn refusal(outbox: &Path) -> Kind {
    let error =
        try_open(outbox, NOWHERE).err().unwrap_or_else(|| panic!("{} was taken for an outbox", outbox.display()));
    assert!(!error.message().is_empty());
    error.kind()
}

/// Whether a call that cannot do its work says so in one of the ways in which an outbox fails.
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

/// A file that belongs to an outbox.
fn beside(outbox: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(outbox);
    path.push(suffix);
    path.into()
}

/// What was set aside beside an outbox, without the logs.
fn set_aside(outbox: &Path) -> Vec<PathBuf> {
    let beginning = format!("{}.corrupt-", outbox.file_name().unwrap().to_str().unwrap());
    let files = std::fs::read_dir(outbox.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(&beginning) && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    files.filter(is_one).collect()
}

/// Longer than the library may let a call wait for locks, with the default of 100 ms, on a machine with much else to do.
const LOCK_WAIT_AND_MARGIN: Duration = Duration::from_secs(2);
