//! Tests that a corrupt outbox is quarantined with all its files once nothing else has it open, and that a corrupt log
//! or row leaves the rest of the outbox usable.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use nexmo_conversion::{Kind, Overflow, ReporterOptions};
use nexmo_sandbox::Behaviour;
use rusqlite::Connection;

use crate::common::service::Service;
use crate::common::{Folder, SOON, in_calm_file, in_file, reporter, sms, statistics, wait_until};
use crate::{NOWHERE, open_error, quarantined, sidecar, try_open};

const REPORTS: u64 = 200;

/// A description of the damage to a file, and a function that causes it.
type Damage = (&'static str, fn(&Path));

/// Creates an outbox with `reports` reports and closes it. Its data is in the database file if `is_moved`, otherwise in
/// the write-ahead log.
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
fn a_corrupt_file_is_quarantined_whole_and_counted() {
    let damages: [Damage; 6] = [
        ("the header is overwritten", |path| overwrite(path, 0, 100)),
        ("the first page is overwritten", |path| overwrite(path, 0, 4096)),
        ("the file is cut in half", |path| cut(path, 2)),
        ("everything except the header is overwritten", |path| overwrite(path, 100, 1 << 20)),
        ("the file is cut to less than its header", |path| cut(path, 4096)),
        ("the file is garbage", |path| fs::write(path, [7; 5000]).unwrap()),
    ];
    for (description, damage) in damages {
        let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        left_behind(&outbox, &service.url, REPORTS, true);
        damage(&outbox);
        let damaged = fs::read(&outbox).unwrap();
        service.recover();
        let reporter = try_open(&outbox, &service.url).expect(description);
        reporter.submit(&sms("after", true)).unwrap();
        reporter.flush(Some(SOON)).unwrap();
        assert_eq!(statistics(&reporter).outbox_resets, 1, "{description}");
        let files = quarantined(&outbox);
        assert_eq!(files.len(), 1, "{description}: {files:?}");
        assert!(fs::read(&files[0]).unwrap() == damaged, "{description}: the quarantined file must be unchanged");
        assert!(service.arrived().contains_key(&("after".to_owned(), true)));
    }
}

#[test]
fn a_file_truncated_to_nothing_is_quarantined_with_its_log() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    left_behind(&outbox, NOWHERE, 3, false);
    let log = fs::read(sidecar(&outbox, "-wal")).unwrap();
    cut(&outbox, u64::MAX);
    let reporter = try_open(&outbox, NOWHERE).unwrap();
    assert_eq!((statistics(&reporter).outbox_resets, statistics(&reporter).submitted), (1, 0));
    let files = quarantined(&outbox);
    assert_eq!(files.len(), 1);
    assert!(
        fs::read(sidecar(&files[0], "-wal")).unwrap() == log,
        "the quarantined log, which contains the reports, must be unchanged"
    );
}

/// SQLite reads a write-ahead log up to the first invalid checksum and ignores the rest, as after a crash, so it does
/// not report this corruption. The rest of the outbox must remain usable.
#[test]
fn a_corrupt_log_loses_only_its_own_reports() {
    let damages: [Damage; 5] = [
        ("the log is empty", |log| cut(log, u64::MAX)),
        ("the log is cut in half", |log| cut(log, 2)),
        ("the header is overwritten", |log| overwrite(log, 0, 32)),
        ("the log is garbage", |log| overwrite(log, 0, 1 << 20)),
        ("the log is removed", |log| fs::remove_file(log).unwrap()),
    ];
    for (description, damage) in damages {
        let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        // These reports are in the database file; later ones are in the write-ahead log.
        left_behind(&outbox, &service.url, REPORTS, true);
        let first = try_open(&outbox, &service.url).unwrap();
        first.submit(&sms("in-the-log", true)).unwrap();
        drop(first);
        wait_until_closed(&outbox);
        service.recover();
        damage(&sidecar(&outbox, "-wal"));
        let second = try_open(&outbox, &service.url).expect(description);
        second.submit(&sms("after", true)).unwrap();
        second.flush(Some(SOON)).unwrap();
        let arrived = service.arrived();
        for id in (0..REPORTS).map(|number| format!("id-{number}")).chain(["after".to_owned()]) {
            assert!(arrived.contains_key(&(id.clone(), true)), "{description}: {id}");
        }
        assert_eq!(statistics(&second).pending, 0, "{description}");
    }
}

/// Acquires the lock with which a process marks an outbox as in use.
fn share(outbox: &Path) -> File {
    lock(outbox, libc::F_RDLCK).unwrap()
}

/// Waits until no reporter has the outbox open. Dropping a reporter does not wait for its worker, which exits a little
/// later.
fn wait_until_closed(outbox: &Path) {
    wait_until("the close of the outbox", SOON, || lock(outbox, libc::F_WRLCK).is_some());
}

/// Tries to lock the byte of the lock file that marks the outbox as in use. Returns `None` if a conflicting lock
/// exists.
fn lock(outbox: &Path, kind: libc::c_int) -> Option<File> {
    let lock = File::options().read(true).write(true).open(sidecar(outbox, ".lock")).unwrap();
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
fn a_corrupt_file_is_not_moved_while_another_process_has_it_open() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    left_behind(&outbox, NOWHERE, REPORTS, true);
    let other = share(&outbox);
    overwrite(&outbox, 0, 4096);
    let damaged = fs::read(&outbox).unwrap();
    assert_eq!((open_error(&outbox), open_error(&outbox)), (Kind::OutboxCorrupt, Kind::OutboxCorrupt));
    assert!(fs::read(&outbox).unwrap() == damaged && quarantined(&outbox).is_empty());
    drop(other);
    let reporter = try_open(&outbox, NOWHERE).unwrap();
    reporter.submit(&sms("after", true)).unwrap();
    assert_eq!(statistics(&reporter).outbox_resets, 1);
    assert!(fs::read(&quarantined(&outbox)[0]).unwrap() == damaged);
}

#[test]
fn a_corrupt_file_is_not_moved_while_another_reporter_of_the_process_has_it_open() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    left_behind(&outbox, &service.url, REPORTS, true);
    let first = reporter(&service.url, &in_file(&outbox));
    first.flush(Some(SOON)).unwrap();
    // Overwrites the file in place, as a failing disk does, and also the write-ahead log, which would otherwise hide
    // the corruption. Both are opened first, because the reporter may rename them once it detects the corruption.
    let both = [outbox.clone(), sidecar(&outbox, "-wal")].map(|path| File::options().write(true).open(path).unwrap());
    for file in both {
        let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
        file.write_all_at(&vec![0xa5; length], 0).unwrap();
    }
    let failure = try_open(&outbox, &service.url).err().map(|error| error.kind());
    let is_moved = !quarantined(&outbox).is_empty();
    // The first reporter may have detected the corruption and replaced the outbox in the meantime.
    let by_first = statistics(&first).outbox_resets;
    assert!(by_first == 1 || (failure, is_moved) == (Some(Kind::OutboxCorrupt), false), "{failure:?} {is_moved}");
    drop(first);
    let mut second = None;
    wait_until("the close of the first reporter", SOON, || {
        second = try_open(&outbox, &service.url).ok();
        second.is_some()
    });
    let second = second.unwrap();
    let resets = by_first.max(statistics(&second).outbox_resets);
    assert_eq!((resets, quarantined(&outbox).len()), (1, 1));
    second.submit(&sms("after", true)).unwrap();
    second.flush(Some(SOON)).unwrap();
    assert!(service.arrived().contains_key(&("after".to_owned(), true)));
}

#[test]
fn a_changed_row_is_removed_and_counted_and_no_other_row_is_lost() {
    const CHANGES: [&str; 9] = [
        "UPDATE report SET message_id = 'changed' WHERE id = 3",
        "UPDATE report SET delivered = 1 - delivered WHERE id = 3",
        "UPDATE report SET delivered = 7 WHERE id = 3",
        "UPDATE report SET channel = 2 WHERE id = 3",
        "UPDATE report SET timestamp = timestamp + 1 WHERE id = 3",
        "UPDATE report SET wall = wall + 4096 WHERE id = 3",
        "UPDATE report SET boot = boot + 1 WHERE id = 3",
        "UPDATE report SET checksum = checksum + 1 WHERE id = 3",
        "UPDATE report SET id = -3 WHERE id = 3",
    ];
    for change in CHANGES {
        let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        left_behind(&outbox, &service.url, REPORTS, false);
        assert_eq!(Connection::open(&outbox).unwrap().execute(change, []).unwrap(), 1);
        service.recover();
        let reporter = reporter(&service.url, &in_file(&outbox));
        reporter.flush(Some(SOON)).unwrap();
        // A row with an impossible id is found only after all other reports have been sent.
        wait_until("the removal of the damaged row", SOON, || statistics(&reporter).damaged == 1);
        let counted = statistics(&reporter);
        assert_eq!((counted.submitted, counted.accepted, counted.pending), (REPORTS, REPORTS - 1, 0), "{change}");
        assert_eq!((counted.outbox_resets, counted.last_error), (0, None), "{change}");
    }
}

#[test]
fn a_row_with_an_impossible_id_does_not_count_as_the_oldest() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    left_behind(&outbox, NOWHERE, 3, false);
    assert_eq!(Connection::open(&outbox).unwrap().execute("UPDATE report SET id = -1 WHERE id = 1", []).unwrap(), 1);
    let options = ReporterOptions { max_pending: Some(3), overflow: Overflow::DropOldest, ..in_calm_file(&outbox) };
    let reporter = reporter(NOWHERE, &options);
    reporter.submit(&sms("new", true)).unwrap();
    let rows = |id| {
        Connection::open(&outbox).unwrap().query_row("SELECT count(*) FROM report WHERE id = ?", [id], |row| row.get(0))
    };
    assert_eq!([2, 3, 4].map(rows), [Ok(0), Ok(1), Ok(1)]);
}

#[test]
fn a_changed_event_is_discarded_and_counted() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Status(420)));
    let outbox = folder.outbox();
    let first = reporter(&service.url, &in_file(&outbox));
    (0..3).for_each(|number| first.submit(&sms(&format!("id-{number}"), true)).unwrap());
    first.flush(Some(SOON)).unwrap();
    let connection = Connection::open(&outbox).unwrap();
    let change = "UPDATE event SET message = 'changed' WHERE id = (SELECT min(id) FROM event)";
    wait_until("the change", SOON, || connection.execute(change, []).is_ok());
    drop(connection);
    let mut events = Vec::new();
    while let Some(event) = first.poll(Some(Duration::ZERO)).unwrap() {
        first.acknowledge(event.id).unwrap();
        events.push(event);
    }
    let counted = statistics(&first);
    assert_eq!((events.len(), counted.rejected, counted.events, counted.events_discarded), (2, 3, 0, 1));
}
