//! The file or its folder is removed or replaced while it is in use: a status and a count, and the next report goes to a new
//! file.

use std::fs;
use std::path::Path;

use nexmo_conversion::{Kind, Reporter};
use nexmo_sandbox::Behaviour;

use crate::beside;
use crate::common::books::assert_sound;
use crate::common::process::{Child, pause, say, task, wait_for_the_end};
use crate::common::service::Service;
use crate::common::{Folder, SOON, in_file, reporter, sms, statistics, wait_until};

const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// A reporter with three reports that cannot be sent yet.
fn with_three(service: &Service, outbox: &Path) -> Reporter {
    let reporter = reporter(&service.url, &in_file(outbox));
    for number in 0..3 {
        reporter.submit(&sms(&format!("before-{number}"), true)).unwrap();
    }
    reporter
}

/// Removes files of an outbox, itself last: what is missing beside it is not looked for while it is there.
fn remove(outbox: &Path, endings: &[&str]) {
    endings.iter().rev().for_each(|ending| fs::remove_file(beside(outbox, ending)).unwrap());
}

/// The call has said what is wrong, or that the worker is busy finding it out.
#[track_caller]
fn is_told<T: std::fmt::Debug>(result: Result<T, nexmo_conversion::Error>) {
    let kind = result.unwrap_err().kind();
    assert!(matches!(kind, Kind::Outbox | Kind::OutboxBusy), "{kind:?}");
}

/// The reporter has begun anew, once, with one report, which goes out.
#[track_caller]
fn has_begun_anew(reporter: &Reporter, service: &Service, outbox: &Path) {
    let statistics = statistics(reporter);
    assert_eq!((statistics.outbox_resets, statistics.submitted), (1, 1), "{statistics:?}");
    service.recover();
    reporter.flush(Some(SOON)).unwrap();
    assert!(service.taken().contains_key(&("after".to_owned(), true)), "{:?}", service.heard());
    assert_eq!(crate::common::statistics(reporter).accepted, 1, "what was in flight is not counted for the new file");
    assert_sound(outbox);
}

#[test]
fn a_file_that_was_removed_is_counted_and_the_next_report_goes_to_a_new_one() {
    for endings in [&ENDINGS[..], &ENDINGS[..1], &ENDINGS[..2]] {
        let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        let reporter = with_three(&service, &outbox);
        remove(&outbox, endings);
        reporter.submit(&sms("after", true)).unwrap();
        has_begun_anew(&reporter, &service, &outbox);
        let is_kept = |name: &str| name.contains(".corrupt-") && name.ends_with("-wal");
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let has_log = names.into_iter().any(|name| is_kept(&name));
        assert_eq!(has_log, endings.len() == 1, "a log whose file was removed is kept");
    }
}

#[test]
fn two_reporters_whose_file_was_removed_meet_again_in_the_new_one() {
    for endings in [&ENDINGS[..], &ENDINGS[..1]] {
        let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        let (first, second) = (with_three(&service, &outbox), reporter(&service.url, &in_file(&outbox)));
        remove(&outbox, endings);
        // The other one may have the old file open for as long as it has nothing to do.
        wait_until("a new file", SOON, || first.submit(&sms("first", true)).is_ok());
        wait_until("the same one", SOON, || second.submit(&sms("second", true)).is_ok());
        service.recover();
        first.flush(Some(SOON)).unwrap();
        second.flush(Some(SOON)).unwrap();
        let taken = service.taken();
        let is_taken = |id: &str| taken.contains_key(&(id.to_owned(), true));
        assert!(is_taken("first") && is_taken("second"), "{taken:?}");
        assert!(statistics(&first).outbox_resets > 0 && statistics(&second).outbox_resets > 0);
        assert_sound(&outbox);
    }
}

#[test]
#[ignore = "a part of another test, which runs it in a process of its own"]
fn share_in_a_child() {
    let Some(task) = task() else {
        return;
    };
    let outbox = Path::new(&task[0]);
    let reporter = reporter(&task[1], &in_file(outbox));
    reporter.submit(&sms("child-before", true)).unwrap();
    say("open");
    pause();
    wait_until("a submit of the child", SOON, || reporter.submit(&sms("child-after", true)).is_ok());
    say(&statistics(&reporter).outbox_resets.to_string());
    wait_for_the_end();
}

#[test]
fn two_processes_whose_file_was_removed_meet_again_in_the_new_one() {
    for endings in [&ENDINGS[..], &ENDINGS[..1]] {
        let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        let reporter = with_three(&service, &outbox);
        let mut child = Child::start("gone::share_in_a_child", &[outbox.to_str().unwrap(), &service.url]);
        assert_eq!(child.says(SOON), "open");
        remove(&outbox, endings);
        // The child has the old file open, and its index of the log.
        wait_until("a submit", SOON, || reporter.submit(&sms("after", true)).is_ok());
        child.go_on();
        assert!(child.says(SOON).parse::<u64>().unwrap() > 0, "the child has noticed");
        service.recover();
        reporter.flush(Some(SOON)).unwrap();
        let taken = service.taken();
        let is_taken = |id: &str| taken.contains_key(&(id.to_owned(), true));
        assert!(is_taken("after") && is_taken("child-after"), "{taken:?}");
        let statistics = statistics(&reporter);
        assert_eq!(statistics.outbox_resets, 1, "the new file is not mixed up with what is left of the old one");
        assert_sound(&outbox);
        child.end();
    }
}

#[test]
fn a_folder_that_was_removed_is_a_status_until_it_is_there_again() {
    let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let outbox = inner.join("outbox");
    let reporter = with_three(&service, &outbox);
    // At once, as the reporter sees it: else it would make a new file in what is left.
    let removed = folder.path().join("removed");
    fs::rename(&inner, &removed).unwrap();
    fs::remove_dir_all(&removed).unwrap();
    for _ in 0..3 {
        is_told(reporter.submit(&sms("nowhere", true)));
        is_told(reporter.statistics());
    }
    fs::create_dir(&inner).unwrap();
    reporter.submit(&sms("after", true)).unwrap();
    has_begun_anew(&reporter, &service, &outbox);
}

#[test]
fn a_folder_that_was_replaced_gets_a_new_file_and_the_old_one_keeps_its_reports() {
    let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
    let (inner, elsewhere) = (folder.path().join("inner"), folder.path().join("elsewhere"));
    fs::create_dir(&inner).unwrap();
    let outbox = inner.join("outbox");
    let first = with_three(&service, &outbox);
    fs::rename(&inner, &elsewhere).unwrap();
    fs::create_dir(&inner).unwrap();
    first.submit(&sms("after", true)).unwrap();
    has_begun_anew(&first, &service, &outbox);
    let moved = elsewhere.join("outbox");
    let second = reporter(&service.url, &in_file(&moved));
    second.flush(Some(SOON)).unwrap();
    assert_eq!(statistics(&second).accepted, 3);
}
