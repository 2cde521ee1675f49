//! Tests that events survive crashes, and that their ids are not reused after a crash, in a restored outbox, or in an
//! outbox that replaces a corrupt one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use common::process::{Child, children, wait_for_end, write_line};
use common::service::Service;
use common::{Folder, IN_MEMORY, SOON, consume_event, in_calm_file, reporter, sms, statistics};
use nexmo_conversion::{Event, EventKind, Kind, Reporter};
use nexmo_sandbox::Behaviour;

children![poll_in_a_child];

fn rejecting() -> Service {
    Service::with_behaviour(Behaviour::Status(420))
}

/// Submits a report for `message_id`, which the service rejects, and returns its event.
fn new_event(reporter: &Reporter, message_id: &str) -> Event {
    reporter.submit(&sms(message_id, true)).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    let event = reporter.poll(Some(SOON)).unwrap().unwrap();
    assert_eq!((event.kind, event.conversion.message_id.as_str()), (EventKind::Rejected, message_id));
    event
}

fn poll_in_a_child(task: &[String]) {
    let [url, outbox] = task else { panic!("{task:?}") };
    let reporter = reporter(url, &in_calm_file(Path::new(outbox)));
    write_line(&new_event(&reporter, "id").id.to_string());
    wait_for_end();
}

#[test]
fn an_event_that_was_polled_before_a_crash_is_returned_again() {
    let (folder, service) = (Folder::new(), rejecting());
    let outbox = folder.outbox();
    let child = Child::start("poll_in_a_child", &[&service.url, outbox.to_str().unwrap()]);
    let id: i64 = child.read_line(SOON).parse().unwrap();
    child.kill();
    let reporter = reporter(&service.url, &in_calm_file(&outbox));
    let event = consume_event(&reporter).unwrap();
    assert_eq!((event.id, event.conversion.message_id.as_str()), (id, "id"));
    assert_eq!(consume_event(&reporter), None);
    assert!(new_event(&reporter, "next").id > id);
}

#[test]
fn ids_increase_after_a_backup_is_restored() {
    let (folder, service) = (Folder::new(), rejecting());
    let outbox = folder.outbox();
    let backup = |from: &Path, to: &Path| {
        for suffix in ["", "-wal"] {
            let path = |outbox: &Path| format!("{}{suffix}", outbox.display());
            fs::remove_file(path(to)).ok();
            if Path::new(&path(from)).exists() {
                fs::copy(path(from), path(to)).unwrap();
            }
        }
    };
    let copy = folder.path().join("backup");
    let first = reporter(&service.url, &in_calm_file(&outbox));
    let before = new_event(&first, "before").id;
    drop(first);
    backup(&outbox, &copy);
    let second = reporter(&service.url, &in_calm_file(&outbox));
    second.acknowledge(before).unwrap();
    let lost = new_event(&second, "lost").id;
    drop(second);
    backup(&copy, &outbox);
    let restored = reporter(&service.url, &in_calm_file(&outbox));
    assert_eq!(consume_event(&restored).unwrap().id, before, "the event must have the id that it had in the backup");
    let after = new_event(&restored, "after").id;
    assert!(before < lost && lost < after, "{before} {lost} {after}");
    restored.acknowledge(lost).unwrap();
    assert_eq!(consume_event(&restored).unwrap().id, after, "an id that was lost in the restore must not be reused");
}

#[test]
fn ids_increase_in_the_outbox_that_replaces_a_corrupt_one() {
    let (folder, service) = (Folder::new(), rejecting());
    let outbox = folder.outbox();
    let first = reporter(&service.url, &in_calm_file(&outbox));
    let before = new_event(&first, "before").id;
    first.close(Some(SOON)).unwrap();
    drop(first);
    fs::remove_file(format!("{}-wal", outbox.display())).ok();
    let mut damaged = b"SQLite format 3\0".to_vec();
    damaged.resize(64 * 1024, 0xa5);
    fs::write(&outbox, damaged).unwrap();
    let second = reporter(&service.url, &in_calm_file(&outbox));
    assert_eq!(consume_event(&second), None);
    assert_eq!(statistics(&second).outbox_resets, 1);
    let after = new_event(&second, "after").id;
    assert!(after > before);
    second.acknowledge(before).unwrap();
    assert_eq!(consume_event(&second).unwrap().id, after);
}

#[test]
fn an_id_that_was_never_issued_is_invalid() {
    let (folder, service) = (Folder::new(), rejecting());
    let outbox = folder.outbox();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        let reporter = reporter(&service.url, &options);
        let id = new_event(&reporter, "id").id;
        let last_day_of_ids = (1 << 53) - 1;
        for wrong in [i64::MIN, -1, 0, 1, (1 << 50) - 1, last_day_of_ids, i64::MAX] {
            assert_eq!(reporter.acknowledge(wrong).unwrap_err().kind(), Kind::InvalidArgument, "{wrong}");
        }
        // Another process may already have acknowledged an event with this id.
        reporter.acknowledge(id - 1).unwrap();
        assert_eq!(consume_event(&reporter).unwrap().id, id);
        reporter.acknowledge(id).unwrap();
    }
}

#[test]
fn a_poll_waits_for_an_event_and_ends_with_its_time_limit() {
    let (folder, service) = (Folder::new(), rejecting());
    let outbox = folder.outbox();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        let reporter = reporter(&service.url, &options);
        assert_eq!(reporter.poll(Some(Duration::from_millis(20))).unwrap(), None);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| reporter.poll(None).unwrap().unwrap());
            reporter.submit(&sms("id", true)).unwrap();
            assert_eq!(waiting.join().unwrap().conversion.message_id.as_str(), "id");
        });
        consume_event(&reporter).unwrap();
    }
}

#[test]
fn a_closed_reporter_returns_its_events_and_then_closed() {
    let (folder, service) = (Folder::new(), rejecting());
    let outbox = folder.outbox();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        let reporter = reporter(&service.url, &options);
        reporter.submit(&sms("id", true)).unwrap();
        reporter.close(Some(SOON)).unwrap();
        let event = reporter.poll(None).unwrap().unwrap();
        reporter.acknowledge(event.id).unwrap();
        assert_eq!(reporter.poll(None).unwrap_err().kind(), Kind::Closed);
    }
}
