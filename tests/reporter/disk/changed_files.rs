//! Tests an open outbox whose files other programs remove, rename, replace, truncate or link. No report is lost while
//! its data still exists, and each loss is counted.

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nexmo_conversion::{Kind, Reporter};

use crate::common::outbox_db::{OutboxContents, assert_sound};
use crate::common::{Folder, SOON, is_root, sms, statistics, wait_until};
use crate::{NOWHERE, open_error, quarantined, sidecar, try_open};

/// Opens a reporter whose service cannot be reached. Several reporters of an outbox behave like separate processes.
fn open(outbox: &Path) -> Reporter {
    let mut reporter = None;
    wait_until("an open outbox", SOON, || {
        reporter = match try_open(outbox, NOWHERE) {
            Err(error) if error.kind() == Kind::OutboxBusy => None,
            other => Some(other.unwrap()),
        };
        reporter.is_some()
    });
    reporter.unwrap()
}

/// Submits reports, and repeats each submit while the outbox is busy.
fn submit(reporter: &Reporter, name: &str, count: usize) {
    for number in 0..count {
        wait_until("a submit", SOON, || match reporter.submit(&sms(&format!("{name}-{number}"), true)) {
            Err(error) if error.kind() == Kind::OutboxBusy => false,
            other => {
                other.unwrap();
                true
            }
        });
    }
}

#[track_caller]
fn assert_pending(outbox: &Path, count: u64) {
    assert_sound(outbox);
    let contents = OutboxContents::read(outbox).unwrap();
    contents.audit();
    assert_eq!(contents.rows, count, "{contents:?}");
}

#[test]
fn a_removed_wal_or_index_loses_no_report() {
    for suffixes in [&["-wal"][..], &["-shm"], &["-wal", "-shm"]] {
        let folder = Folder::new();
        let outbox = folder.outbox();
        let first = open(&outbox);
        submit(&first, "before", 100);
        suffixes.iter().for_each(|suffix| fs::remove_file(sidecar(&outbox, suffix)).unwrap());
        let second = open(&outbox);
        submit(&second, "second", 40);
        submit(&first, "after", 60);
        assert_eq!((statistics(&first).pending, statistics(&first).outbox_resets), (200, 0), "{suffixes:?}");
        assert_eq!(statistics(&second).pending, 200);
        assert_pending(&outbox, 200);
    }
}

#[test]
fn a_replaced_wal_or_index_loses_no_report() {
    for suffix in ["-wal", "-shm"] {
        let folder = Folder::new();
        let outbox = folder.outbox();
        let reporter = open(&outbox);
        submit(&reporter, "before", 100);
        let path = sidecar(&outbox, suffix);
        fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        File::create(&path).unwrap().set_permissions(Permissions::from_mode(0o600)).unwrap();
        submit(&reporter, "after", 60);
        assert_eq!((statistics(&reporter).pending, statistics(&reporter).outbox_resets), (160, 0), "{suffix}");
        assert_pending(&outbox, 160);
    }
}

#[test]
fn a_renamed_outbox_keeps_its_reports() {
    let folder = Folder::new();
    let (outbox, moved) = (folder.outbox(), folder.path().join("moved"));
    let reporter = open(&outbox);
    submit(&reporter, "before", 100);
    fs::rename(&outbox, &moved).unwrap();
    submit(&reporter, "after", 1);
    assert_eq!((statistics(&reporter).pending, statistics(&reporter).outbox_resets), (1, 1));
    drop(reporter);
    assert_pending(&moved, 100);
    assert_pending(&outbox, 1);
}

#[test]
fn a_truncated_index_is_rebuilt() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let reporter = open(&outbox);
    for length in [0, 100, 4096] {
        submit(&reporter, &format!("before-{length}"), 10);
        File::options().write(true).open(sidecar(&outbox, "-shm")).unwrap().set_len(length).unwrap();
        submit(&reporter, &format!("after-{length}"), 10);
    }
    assert_eq!((statistics(&reporter).pending, statistics(&reporter).outbox_resets), (60, 0));
    assert_pending(&outbox, 60);
}

#[test]
fn a_truncated_wal_or_database_is_quarantined_and_counted() {
    for (suffix, length) in [("-wal", 0), ("-wal", 40), ("-wal", 5000), ("", 0), ("", 512)] {
        let folder = Folder::new();
        let outbox = folder.outbox();
        let reporter = open(&outbox);
        submit(&reporter, "before", 100);
        File::options().write(true).open(sidecar(&outbox, suffix)).unwrap().set_len(length).unwrap();
        submit(&reporter, "after", 5);
        let counted = statistics(&reporter);
        assert_eq!((counted.pending, counted.outbox_resets), (5, 1), "{suffix:?} of {length}");
        assert_eq!(quarantined(&outbox).len(), 1);
        assert_pending(&outbox, 5);
    }
}

#[test]
fn a_wal_can_be_truncated_after_a_complete_checkpoint() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let reporter = open(&outbox);
    submit(&reporter, "before", 100);
    // The command-line shell of SQLite can truncate the WAL like this.
    let connection = rusqlite::Connection::open(&outbox).unwrap();
    let truncated =
        || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).unwrap() == 0;
    wait_until("a checkpoint", SOON, truncated);
    assert_eq!(fs::metadata(sidecar(&outbox, "-wal")).unwrap().len(), 0);
    drop(connection);
    submit(&reporter, "after", 10);
    assert_eq!((statistics(&reporter).pending, statistics(&reporter).outbox_resets), (110, 0));
    assert_pending(&outbox, 110);
}

#[test]
fn reports_that_disappear_from_the_file_are_counted_as_damaged() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let reporter = open(&outbox);
    submit(&reporter, "before", 10);
    // Simulates a disk that loses its latest writes.
    let connection = rusqlite::Connection::open(&outbox).unwrap();
    wait_until("the loss", SOON, || connection.execute("DELETE FROM report WHERE id > 6", []).is_ok());
    drop(connection);
    fs::remove_file(sidecar(&outbox, "-shm")).unwrap();
    submit(&reporter, "after", 1);
    let counted = statistics(&reporter);
    assert_eq!((counted.submitted, counted.pending, counted.damaged, counted.outbox_resets), (11, 7, 4, 0));
    assert_pending(&outbox, 7);
}

#[test]
fn removals_under_load_lose_no_report() {
    const REPORTS: usize = 3000;
    let folder = Folder::new();
    let outbox = folder.outbox();
    let (first, second) = (open(&outbox), open(&outbox));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let remover = scope.spawn(|| {
            let mut count = 0_usize;
            while !is_done.load(Ordering::SeqCst) {
                count += usize::from(fs::remove_file(sidecar(&outbox, ["-wal", "-shm"][count % 2])).is_ok());
                std::thread::sleep(Duration::from_millis(100));
            }
            count
        });
        let other = scope.spawn(|| submit(&second, "second", REPORTS));
        submit(&first, "first", REPORTS);
        other.join().unwrap();
        is_done.store(true, Ordering::SeqCst);
        println!("changed files: {} removals", remover.join().unwrap());
    });
    assert_eq!((statistics(&first).outbox_resets, statistics(&second).outbox_resets), (0, 0));
    // A submit may store its report and still fail because a file was removed. The repeated submit then replaces the
    // stored report.
    let counted = statistics(&first);
    assert_eq!(counted.pending, 2 * REPORTS as u64, "{counted:?}");
    assert_pending(&outbox, 2 * REPORTS as u64);
}

#[test]
fn a_file_with_a_second_name_cannot_be_opened() {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let folder = Folder::new();
        let (outbox, link) = (folder.outbox(), folder.path().join("link"));
        let reporter = open(&outbox);
        submit(&reporter, "before", 3);
        fs::hard_link(sidecar(&outbox, suffix), &link).unwrap();
        let error = try_open(&outbox, NOWHERE).err().expect("a file with two names must not be opened");
        assert_eq!(error.kind(), Kind::Outbox, "{error}");
        assert!(error.message().contains("second name"), "{error}");
        if suffix.is_empty() {
            assert_eq!(open_error(&link), Kind::Outbox);
        }
        // An open outbox that gains a second name continues to work.
        submit(&reporter, "after", 3);
        assert_eq!(statistics(&reporter).pending, 6);
        let is_reported =
            || statistics(&reporter).last_error.is_some_and(|last| last.error.message().contains("second name"));
        if suffix != ".lock" {
            wait_until("an error about the second name", SOON, is_reported);
        }
        fs::remove_file(&link).unwrap();
        drop(reporter);
        assert_eq!(statistics(&open(&outbox)).pending, 6);
    }
}

#[test]
fn a_file_that_others_can_write_to_cannot_be_opened() {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let folder = Folder::new();
        let outbox = folder.outbox();
        let reporter = open(&outbox);
        submit(&reporter, "before", 3);
        reporter.close(Some(Duration::ZERO)).unwrap_err();
        drop(reporter);
        let path = sidecar(&outbox, suffix);
        for mode in [0o620, 0o602] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = try_open(&outbox, NOWHERE).err().expect("a file that others can write to must not be opened");
            assert!(error.kind() == Kind::Outbox && error.message().contains("can be written by others"), "{error}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            chown(&path, Some(12345), None).unwrap();
            let error = try_open(&outbox, NOWHERE).err().expect("a file of another user must not be opened");
            assert!(error.kind() == Kind::Outbox && error.message().contains("belongs to user 12345"), "{error}");
            chown(&path, Some(0), None).unwrap();
        }
        assert_eq!(statistics(&open(&outbox)).pending, 3);
    }
}

#[test]
fn a_link_to_a_file_is_not_followed() {
    for suffix in ["-wal", "-shm", ".lock"] {
        let folder = Folder::new();
        let (outbox, target) = (folder.outbox(), folder.path().join("target"));
        fs::write(&target, "precious").unwrap();
        symlink(&target, sidecar(&outbox, suffix)).unwrap();
        if suffix == ".lock" {
            assert_eq!(open_error(&outbox), Kind::Outbox);
        } else {
            // There is no outbox file, so the library renames the link, as it does with remnants of an outbox.
            drop(try_open(&outbox, NOWHERE));
        }
        assert_eq!(fs::read(&target).unwrap(), b"precious");
    }
}
