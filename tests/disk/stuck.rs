//! Somebody holds a lock of the file, and does not let go.

use std::path::Path;
use std::time::Instant;

use nexmo_conversion::Kind;
use nexmo_sandbox::Behaviour;
use rusqlite::Connection;

use crate::common::process::{Child, pause, say, task};
use crate::common::service::{Service, duplicates};
use crate::common::{Folder, SOON, in_file, reporter, sms, statistics};
use crate::{LOCK_WAIT_AND_MARGIN, refusal};

#[test]
#[ignore = "a part of another test, which runs it in a process of its own"]
fn hold_in_a_child() {
    let Some(task) = task() else {
        return;
    };
    let connection = Connection::open(Path::new(&task[0])).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    say("held");
    pause();
    connection.execute_batch("ROLLBACK").unwrap();
    say("freed");
    pause();
}

#[test]
fn a_stuck_process_makes_submits_end_in_time_and_keeps_nothing_from_being_sent() {
    let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
    let outbox = folder.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    for number in 0..20 {
        reporter.submit(&sms(&format!("id-{number}"), true)).unwrap();
    }
    let mut holder = Child::start("stuck::hold_in_a_child", &[outbox.to_str().unwrap()]);
    assert_eq!(holder.says(SOON), "held");
    holder.signal(libc::SIGSTOP);
    for number in 0..5 {
        let began = Instant::now();
        assert_eq!(reporter.submit(&sms(&format!("no-{number}"), true)).unwrap_err().kind(), Kind::OutboxBusy);
        assert!(began.elapsed() < LOCK_WAIT_AND_MARGIN, "{:?}", began.elapsed());
    }
    // Many threads wait no longer than one.
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(reporter.submit(&sms("no", true)).unwrap_err().kind(), Kind::OutboxBusy));
        }
    });
    assert!(began.elapsed() < LOCK_WAIT_AND_MARGIN, "{:?}", began.elapsed());
    assert_eq!(refusal(&outbox), Kind::OutboxBusy, "a second reporter");
    assert_eq!(statistics(&reporter).pending, 20, "what there is can be read all the while");
    service.recover();
    service.forget();
    let all_taken = |heard: &[crate::common::service::Hearing]| heard.iter().filter(|one| one.is_taken()).count() == 20;
    service.wait_until(SOON, all_taken);
    holder.signal(libc::SIGCONT);
    holder.go_on();
    assert_eq!(holder.says(SOON), "freed");
    reporter.submit(&sms("after", true)).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    let taken = service.taken();
    assert_eq!((statistics(&reporter).accepted, taken.len(), duplicates(&taken)), (21, 21, 0), "{taken:?}");
    holder.go_on();
    holder.end();
}

#[test]
fn a_process_that_dies_with_the_lock_leaves_it_to_the_next() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    let holder = Child::start("stuck::hold_in_a_child", &[outbox.to_str().unwrap()]);
    assert_eq!(holder.says(SOON), "held");
    assert_eq!(reporter.submit(&sms("before", true)).unwrap_err().kind(), Kind::OutboxBusy);
    holder.kill();
    reporter.submit(&sms("after", true)).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    assert_eq!(statistics(&reporter).accepted, 1);
}
