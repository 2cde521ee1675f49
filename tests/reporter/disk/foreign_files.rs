//! Tests that opening a file that is not a usable outbox fails and leaves the file unchanged.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nexmo_conversion::Kind;
use rusqlite::Connection;

use crate::common::{Folder, SeededRng, in_file, reporter, sms};
use crate::corrupt::left_behind;
use crate::{NOWHERE, open_error, quarantined, sidecar, try_open};

fn garbage(beginning: &[u8], length: usize) -> Vec<u8> {
    let mut rng = SeededRng::new(length as u64);
    let rest = (beginning.len()..length).map(|_| u8::try_from(rng.below(256)).unwrap());
    beginning.iter().copied().chain(rest).collect()
}

/// Checks that opening an outbox at `path` fails twice with an error of this kind, and leaves the files unchanged.
#[track_caller]
fn fails_and_is_unchanged(path: &Path, kind: Kind) {
    let files = [path.to_owned(), sidecar(path, "-wal"), sidecar(path, "-journal")];
    let before = files.each_ref().map(|file| fs::read(file).ok());
    assert_eq!((open_error(path), open_error(path)), (kind, kind));
    let after = files.each_ref().map(|file| fs::read(file).ok());
    assert!(before[0] == after[0], "{} was changed", path.display());
    assert!(quarantined(path).is_empty(), "a foreign file must not be renamed");
    // SQLite may create a missing write-ahead log, but an existing one must stay unchanged.
    assert!(before.iter().zip(&after).all(|(before, after)| before.is_none() || before == after));
}

#[test]
fn a_file_that_is_not_an_outbox_fails_and_is_unchanged() {
    let lengths = [1, 15, 16, 99, 100, 511, 512, 4095, 4096, 50_000];
    for (length, beginning) in lengths.iter().flat_map(|length| [(length, &b""[..]), (length, b"SQLite format 3\0")]) {
        // A file with the name of the lock file may belong to another program and have any contents.
        for lock in [None, Some(&b""[..]), Some(b"4711\n"), Some(b"Processes that use something else lock this one.\n")]
        {
            let folder = Folder::new();
            let outbox = folder.outbox();
            fs::write(&outbox, garbage(beginning, (*length).max(beginning.len()))).unwrap();
            if let Some(lock) = lock {
                fs::write(sidecar(&outbox, ".lock"), lock).unwrap();
            }
            fails_and_is_unchanged(&outbox, Kind::Outbox);
            let left = fs::read(sidecar(&outbox, ".lock")).ok();
            assert_eq!(left.as_deref(), lock, "the lock file must be unchanged");
        }
    }
}

#[test]
fn a_database_of_another_program_fails_and_is_unchanged() {
    let forms = [
        "CREATE TABLE report (id INTEGER PRIMARY KEY, text TEXT)",
        "PRAGMA application_id = 1; CREATE TABLE theirs (id)",
        "PRAGMA user_version = 1; CREATE TABLE theirs (id)",
        "PRAGMA journal_mode = WAL; CREATE TABLE theirs (id); INSERT INTO theirs VALUES (1)",
        "PRAGMA encoding = 'UTF-16'; CREATE TABLE theirs (id)",
    ];
    for form in forms {
        let folder = Folder::new();
        let database = Connection::open(folder.outbox()).unwrap();
        database.execute_batch(form).unwrap();
        // The database must stay unchanged while its owner has it open and after it is closed.
        fails_and_is_unchanged(&folder.outbox(), Kind::Outbox);
        drop(database);
        fails_and_is_unchanged(&folder.outbox(), Kind::Outbox);
    }
}

#[test]
fn an_outbox_of_a_later_version_fails_and_is_unchanged() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let first = try_open(&outbox, NOWHERE).unwrap();
    first.submit(&sms("id", true)).unwrap();
    drop(first);
    let database = Connection::open(&outbox).unwrap();
    database.pragma_update(None, "user_version", 2).unwrap();
    fails_and_is_unchanged(&outbox, Kind::OutboxVersion);
    database.pragma_update(None, "user_version", 1).unwrap();
    let reporter = reporter(NOWHERE, &in_file(&outbox));
    assert_eq!(reporter.statistics().unwrap().pending, 1, "the report must still be pending");
}

#[test]
fn a_path_that_is_not_a_regular_file_fails() {
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("target"), b"").unwrap();
    symlink(path("target"), path("link")).unwrap();
    symlink(path("nowhere"), path("broken")).unwrap();
    make_fifo(&path("fifo"));
    for name in ["folder", "link", "broken", "fifo"] {
        assert_eq!(open_error(&path(name)), Kind::Outbox, "{name}");
    }
    assert!(!path("nowhere").exists() && fs::read(path("target")).unwrap().is_empty());
    // The companion files of an outbox must be regular files too.
    for (name, suffix) in [("a", ".lock"), ("b", "-wal"), ("c", ".lock"), ("d", "-wal")] {
        let beside = sidecar(&path(name), suffix);
        left_behind(&path(name), NOWHERE, 3, true);
        fs::remove_file(&beside).ok();
        if name < "c" {
            make_fifo(&beside)
        } else {
            symlink(path("target"), &beside).unwrap()
        }
        assert_eq!(open_error(&path(name)), Kind::Outbox, "{suffix} of {name}");
    }
    assert!(fs::read(path("target")).unwrap().is_empty());
    assert_eq!(open_error(&path("nowhere/outbox")), Kind::Outbox);
    assert_eq!(open_error(&path("target/outbox")), Kind::Outbox);
}

fn make_fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path ends with NUL and outlives the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

#[test]
fn missing_permissions_are_an_error() {
    let folder = Folder::new();
    let (outbox, inner) = (folder.outbox(), folder.path().join("inner"));
    let first = try_open(&outbox, NOWHERE).unwrap();
    first.submit(&sms("id", true)).unwrap();
    drop(first);
    fs::create_dir(&inner).unwrap();
    let modes = [(folder.path(), 0o555), (&outbox, 0o444), (&inner, 0o000)];
    modes.iter().for_each(|(path, mode)| fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap());
    let kinds = without_privileges(|| {
        [open_error(&outbox), open_error(&inner.join("outbox")), open_error(&folder.path().join("new"))]
    });
    assert_eq!(kinds, [Kind::Outbox; 3]);
    modes.iter().for_each(|(path, _)| fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap());
    assert_eq!(try_open(&outbox, NOWHERE).unwrap().statistics().unwrap().pending, 1);
}

/// Runs `work` without the privileges of root, who can read and write every file.
fn without_privileges<T>(work: impl FnOnce() -> T) -> T {
    const KEEP: libc::c_long = -1;
    let become_user = |user: libc::c_long| {
        // SAFETY: the call has no pointer argument. Unlike libc's function, the raw system call affects only this
        // thread.
        unsafe { libc::syscall(libc::SYS_setresuid, KEEP, user, KEEP) }
    };
    // SAFETY: the call has no arguments.
    if unsafe { libc::geteuid() } != 0 {
        return work();
    }
    assert_eq!(become_user(65_534), 0);
    let result = work();
    assert_eq!(become_user(0), 0);
    result
}
