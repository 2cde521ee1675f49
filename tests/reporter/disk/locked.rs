//! Tests a process that holds the write lock of an outbox for longer than the busy timeout.

use std::path::Path;
use std::time::Instant;

use nexmo_conversion::Kind;
use nexmo_sandbox::Behaviour;
use rusqlite::Connection;

use crate::common::process::{Child, wait_for_resume, write_line};
use crate::common::service::{Service, duplicates};
use crate::common::{Folder, SOON, in_file, reporter, sms, statistics};
use crate::{BUSY_TIMEOUT_AND_MARGIN, open_error};

pub(crate) fn hold_in_a_child(task: &[String]) {
    let connection = Connection::open(Path::new(&task[0])).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    write_line("held");
    wait_for_resume();
    connection.execute_batch("ROLLBACK").unwrap();
    write_line("freed");
    wait_for_resume();
}

#[test]
fn a_held_lock_makes_submits_fail_in_time_and_does_not_prevent_sending() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
    let outbox = folder.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    for number in 0..20 {
        reporter.submit(&sms(&format!("id-{number}"), true)).unwrap();
    }
    let mut holder = Child::start("locked::hold_in_a_child", &[outbox.to_str().unwrap()]);
    assert_eq!(holder.read_line(SOON), "held");
    holder.signal(libc::SIGSTOP);
    for number in 0..5 {
        let began = Instant::now();
        assert_eq!(reporter.submit(&sms(&format!("no-{number}"), true)).unwrap_err().kind(), Kind::OutboxBusy);
        assert!(began.elapsed() < BUSY_TIMEOUT_AND_MARGIN, "the wait took {:?}", began.elapsed());
    }
    // Many threads must not wait longer than a single thread.
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(reporter.submit(&sms("no", true)).unwrap_err().kind(), Kind::OutboxBusy));
        }
    });
    assert!(began.elapsed() < BUSY_TIMEOUT_AND_MARGIN, "the wait took {:?}", began.elapsed());
    assert_eq!(open_error(&outbox), Kind::OutboxBusy, "a second reporter must find the outbox busy");
    assert_eq!(statistics(&reporter).pending, 20, "statistics must be readable while the lock is held");
    service.recover();
    service.forget();
    let all_accepted =
        |received: &[crate::common::service::Received]| received.iter().filter(|one| one.is_accepted()).count() == 20;
    service.wait_until(SOON, all_accepted);
    holder.signal(libc::SIGCONT);
    holder.resume();
    assert_eq!(holder.read_line(SOON), "freed");
    reporter.submit(&sms("after", true)).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    let arrived = service.arrived();
    assert_eq!((statistics(&reporter).accepted, arrived.len(), duplicates(&arrived)), (21, 21, 0), "{arrived:?}");
    holder.resume();
    holder.end();
}

#[test]
fn a_lock_is_released_when_its_process_dies() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    let holder = Child::start("locked::hold_in_a_child", &[outbox.to_str().unwrap()]);
    assert_eq!(holder.read_line(SOON), "held");
    assert_eq!(reporter.submit(&sms("before", true)).unwrap_err().kind(), Kind::OutboxBusy);
    holder.kill();
    reporter.submit(&sms("after", true)).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    assert_eq!(statistics(&reporter).accepted, 1);
}
