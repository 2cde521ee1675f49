//! An outbox that was damaged: it is set aside whole, under another name, once nobody else has it open.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nexmo_conversion::Kind;
use nexmo_sandbox::Behaviour;
use rusqlite::Connection;

use crate::common::service::Service;
use crate::common::{Folder, SOON, in_file, reporter, sms, statistics, wait_until};
use crate::{NOWHERE, beside, refusal, set_aside, try_open};

const REPORTS: u64 = 200;

/// What is done to a file, in words and in deed.
type Damage = (&'static str, fn(&Path));

/// An outbox of many pages that was left behind, with its log as it was, or moved to the file.
pub(crate) fn left_behind(outbox: &Path, base_url: &str, reports: u64, is_moved: bool) {
    let reporter = reporter(base_url, &in_file(outbox));
    for number in 0..reports {
        reporter.submit(&sms(&format!("id-{number}"), true)).unwrap();
    }
    drop(reporter);
    wait_until_closed(outbox);
    if is_moved {
        let connection = Connection::open(outbox).unwrap();
        connection.busy_timeout(SOON).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
}

fn overwrite(path: &Path, from: usize, length: usize) {
    let mut bytes = fs::read(path).unwrap();
    let end = bytes.len().min(from + length);
    bytes[from..end].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, divisor: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / divisor).unwrap();
}

#[test]
fn a_damaged_file_is_set_aside_whole_and_counted() {
    let damages: [Damage; 6] = [
        ("its header is overwritten", |path| overwrite(path, 0, 100)),
        ("its first page is overwritten", |path| overwrite(path, 0, 4096)),
        ("it is cut in the middle", |path| cut(path, 2)),
        ("all but its header is overwritten", |path| overwrite(path, 100, 1 << 20)),
        ("it is cut to a piece of its header", |path| cut(path, 4096)),
        ("it is garbage", |path| fs::write(path, [7; 5000]).unwrap()),
    ];
    for (told, damage) in damages {
        let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        left_behind(&outbox, &service.url, REPORTS, true);
        damage(&outbox);
        let damaged = fs::read(&outbox).unwrap();
        service.recover();
        let reporter = try_open(&outbox, &service.url).expect(told);
        reporter.submit(&sms("after", true)).unwrap();
        reporter.flush(Some(SOON)).unwrap();
        assert_eq!(statistics(&reporter).outbox_resets, 1, "{told}");
        let aside = set_aside(&outbox);
        assert_eq!(aside.len(), 1, "{told}: {aside:?}");
        assert!(fs::read(&aside[0]).unwrap() == damaged, "{told}: it is kept as it was");
        assert!(service.taken().contains_key(&("after".to_owned(), true)));
    }
}

#[test]
fn a_file_that_was_cut_to_nothing_is_set_aside_with_its_log() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    left_behind(&outbox, NOWHERE, 3, false);
    let log = fs::read(beside(&outbox, "-wal")).unwrap();
    cut(&outbox, u64::MAX);
    let reporter = try_open(&outbox, NOWHERE).unwrap();
    assert_eq!((statistics(&reporter).outbox_resets, statistics(&reporter).submitted), (1, 0));
    let aside = set_aside(&outbox);
    assert_eq!(aside.len(), 1);
    assert!(fs::read(beside(&aside[0], "-wal")).unwrap() == log, "the log, from which reports could be had back");
}

/// SQLite takes a log for as long as its checksums go, and what follows for never written: that is how it survives a crash,
/// and why this damage cannot be told from one. What is left of the outbox must work.
#[test]
fn a_damaged_log_costs_what_was_in_it_and_no_more() {
    let damages: [Damage; 5] = [
        ("it is cut to nothing", |log| cut(log, u64::MAX)),
        ("it is cut in the middle", |log| cut(log, 2)),
        ("its header is overwritten", |log| overwrite(log, 0, 32)),
        ("it is garbage", |log| overwrite(log, 0, 1 << 20)),
        ("it is removed", |log| fs::remove_file(log).unwrap()),
    ];
    for (told, damage) in damages {
        let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        // In the file are these; in the log, others.
        left_behind(&outbox, &service.url, REPORTS, true);
        let first = try_open(&outbox, &service.url).unwrap();
        first.submit(&sms("in-the-log", true)).unwrap();
        drop(first);
        wait_until_closed(&outbox);
        service.recover();
        damage(&beside(&outbox, "-wal"));
        let second = try_open(&outbox, &service.url).expect(told);
        second.submit(&sms("after", true)).unwrap();
        second.flush(Some(SOON)).unwrap();
        let taken = service.taken();
        assert!(taken.contains_key(&("after".to_owned(), true)), "{told}");
        assert_eq!(statistics(&second).pending, 0, "{told}");
    }
}

/// Has an outbox open as another process would, and does nothing with it.
fn share(outbox: &Path) -> File {
    lock(outbox, libc::F_RDLCK).unwrap()
}

/// Waits until nobody has the outbox open: a reporter that was dropped waits for nothing, and its worker ends a bit later.
fn wait_until_closed(outbox: &Path) {
    wait_until("the end of all use", SOON, || lock(outbox, libc::F_WRLCK).is_some());
}

/// The byte of the lock file that stands for use of the outbox, locked, if that can be.
fn lock(outbox: &Path, kind: libc::c_int) -> Option<File> {
    let lock = File::options().read(true).write(true).open(beside(outbox, ".lock")).unwrap();
    let range = libc::flock {
        l_type: libc::c_short::try_from(kind).unwrap(),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).unwrap(),
        l_start: 1,
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open, and the struct outlives the call.
    (unsafe { libc::fcntl(lock.as_raw_fd(), libc::F_OFD_SETLK, &raw const range) } == 0).then_some(lock)
}

#[test]
fn a_damaged_file_stays_in_its_place_while_another_process_has_it_open() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    left_behind(&outbox, NOWHERE, REPORTS, true);
    let other = share(&outbox);
    overwrite(&outbox, 0, 4096);
    let damaged = fs::read(&outbox).unwrap();
    assert_eq!((refusal(&outbox), refusal(&outbox)), (Kind::OutboxCorrupt, Kind::OutboxCorrupt));
    assert!(fs::read(&outbox).unwrap() == damaged && set_aside(&outbox).is_empty());
    drop(other);
    let reporter = try_open(&outbox, NOWHERE).unwrap();
    reporter.submit(&sms("after", true)).unwrap();
    assert_eq!(statistics(&reporter).outbox_resets, 1);
    assert!(fs::read(&set_aside(&outbox)[0]).unwrap() == damaged);
}

#[test]
fn a_damaged_file_stays_in_its_place_while_another_reporter_of_the_process_has_it_open() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    left_behind(&outbox, &service.url, REPORTS, true);
    let (first, began) = (reporter(&service.url, &in_file(&outbox)), Instant::now());
    first.flush(Some(SOON)).unwrap();
    // In place, as a broken disk does it; the log too, else it would hide what is wrong.
    overwrite(&outbox, 0, 1 << 20);
    overwrite(&beside(&outbox, "-wal"), 0, 1 << 20);
    let refused = try_open(&outbox, &service.url).err().map(|error| error.kind());
    // Later, the first one looks at the file again, and leaves it.
    if began.elapsed() < Duration::from_secs(4) {
        assert_eq!((refused, set_aside(&outbox).len()), (Some(Kind::OutboxCorrupt), 0));
    }
    drop(first);
    let mut second = None;
    wait_until("the end of the first", SOON, || {
        second = try_open(&outbox, &service.url).ok();
        second.is_some()
    });
    let second = second.unwrap();
    assert_eq!((statistics(&second).outbox_resets, set_aside(&outbox).len()), (1, 1));
    second.submit(&sms("after", true)).unwrap();
    second.flush(Some(SOON)).unwrap();
    assert!(service.taken().contains_key(&("after".to_owned(), true)));
}
