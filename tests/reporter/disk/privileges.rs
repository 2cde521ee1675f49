//! Tests a process that drops its privileges or changes its root directory after it has opened an outbox: it continues
//! to use the open files.

use std::fs;
use std::path::Path;

use nexmo_conversion::Kind;

use crate::common::outbox_db::OutboxContents;
use crate::common::process::{Child, wait_for_end, write_line};
use crate::common::{Folder, SOON, is_root, sms, statistics, wait_until};
use crate::{NOWHERE, try_open};

/// The user that a child becomes.
const OTHER_USER: libc::uid_t = 65534;

const REPORTS: u64 = 2000;

#[test]
fn a_process_without_its_privileges_submits_and_checkpoints() {
    if !is_root() {
        println!("skipped: only root can drop privileges");
        return;
    }
    submit_in("privileges::submit_as_another_user");
}

#[test]
fn a_process_in_another_root_submits_and_checkpoints() {
    if !is_root() {
        println!("skipped: only root can change its root directory");
        return;
    }
    submit_in("privileges::submit_in_another_root");
}

#[track_caller]
fn submit_in(child: &str) {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let child = Child::start(child, &[outbox.to_str().unwrap()]);
    assert_eq!(child.read_line(SOON), "submitted");
    let size = || fs::metadata(&outbox).unwrap().len();
    // A checkpoint copies the WAL to the database file within 5 s.
    wait_until("a checkpoint", SOON, || size() > REPORTS * 40);
    assert_eq!(OutboxContents::read(&outbox).unwrap().rows, REPORTS);
    child.end();
}

pub(crate) fn submit_as_another_user(arguments: &[String]) {
    submit_after(arguments, || {
        // SAFETY: the calls only change the identity of this process.
        let changed = unsafe { (libc::setgid(OTHER_USER), libc::setuid(OTHER_USER)) };
        assert_eq!(changed, (0, 0));
    });
}

pub(crate) fn submit_in_another_root(arguments: &[String]) {
    submit_after(arguments, || {
        let root = Path::new(&arguments[0]).with_file_name("root");
        fs::create_dir(&root).unwrap();
        std::os::unix::fs::chroot(&root).unwrap();
        std::env::set_current_dir("/").unwrap();
    });
}

/// Submits one report before `change` and all others after it.
fn submit_after(arguments: &[String], change: impl FnOnce()) {
    let reporter = try_open(Path::new(&arguments[0]), NOWHERE).unwrap();
    reporter.submit(&sms("before", true)).unwrap();
    change();
    for number in 1..REPORTS {
        wait_until("a submit", SOON, || match reporter.submit(&sms(&format!("id-{number}"), true)) {
            Err(error) if error.kind() == Kind::OutboxBusy => false,
            other => {
                other.unwrap();
                true
            }
        });
    }
    let counted = statistics(&reporter);
    assert_eq!((counted.pending, counted.outbox_resets), (REPORTS, 0));
    write_line("submitted");
    wait_for_end();
}
