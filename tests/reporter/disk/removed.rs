//! Tests an outbox whose file or folder is removed or replaced while in use. The loss is counted, and the next report
//! is stored in a new file.

use std::fs;
use std::path::Path;

use nexmo_conversion::{Kind, Reporter};
use nexmo_sandbox::Behaviour;

use crate::common::outbox_db::assert_sound;
use crate::common::process::{Child, wait_for_end, wait_for_resume, write_line};
use crate::common::service::Service;
use crate::common::{Folder, SOON, in_file, reporter, sms, statistics, wait_until};
use crate::sidecar;

const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// Creates a reporter with three reports that cannot be sent yet.
fn with_three(service: &Service, outbox: &Path) -> Reporter {
    let reporter = reporter(&service.url, &in_file(outbox));
    for number in 0..3 {
        reporter.submit(&sms(&format!("before-{number}"), true)).unwrap();
    }
    reporter
}

/// Removes the files of an outbox. Removes the outbox file last, because the library checks for companion files only
/// once the outbox file is missing.
fn remove(outbox: &Path, endings: &[&str]) {
    endings.iter().rev().for_each(|ending| fs::remove_file(sidecar(outbox, ending)).unwrap());
}

/// Checks that the call failed with [`Kind::Outbox`], or with [`Kind::OutboxBusy`] while the worker handles the
/// removal.
#[track_caller]
fn is_reported<T: std::fmt::Debug>(result: Result<T, nexmo_conversion::Error>) {
    let kind = result.unwrap_err().kind();
    assert!(matches!(kind, Kind::Outbox | Kind::OutboxBusy), "{kind:?}");
}

/// Checks that the reporter has created exactly one new outbox with one report, and that it sends this report.
#[track_caller]
fn has_new_outbox(reporter: &Reporter, service: &Service, outbox: &Path) {
    let statistics = statistics(reporter);
    assert_eq!((statistics.outbox_resets, statistics.submitted), (1, 1), "{statistics:?}");
    service.recover();
    reporter.flush(Some(SOON)).unwrap();
    assert!(service.arrived().contains_key(&("after".to_owned(), true)), "{:?}", service.received());
    assert_eq!(
        crate::common::statistics(reporter).accepted,
        1,
        "reports in flight must not be counted in the new file"
    );
    assert_sound(outbox);
}

#[test]
fn a_removed_file_is_counted_and_the_next_report_goes_to_a_new_file() {
    for endings in [&ENDINGS[..], &ENDINGS[..1], &ENDINGS[..2]] {
        let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        let reporter = with_three(&service, &outbox);
        remove(&outbox, endings);
        reporter.submit(&sms("after", true)).unwrap();
        has_new_outbox(&reporter, &service, &outbox);
        let is_kept = |name: &str| name.contains(".corrupt-") && name.ends_with("-wal");
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let has_log = names.into_iter().any(|name| is_kept(&name));
        assert_eq!(has_log, endings.len() == 1, "the log of a removed file must be kept");
    }
}

#[test]
fn two_reporters_whose_file_was_removed_share_the_new_file() {
    for endings in [&ENDINGS[..], &ENDINGS[..1]] {
        let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        let (first, second) = (with_three(&service, &outbox), reporter(&service.url, &in_file(&outbox)));
        remove(&outbox, endings);
        // A submit may fail, because an idle reporter may still have the old file open.
        wait_until("a new file", SOON, || first.submit(&sms("first", true)).is_ok());
        wait_until("a submit to the same file", SOON, || second.submit(&sms("second", true)).is_ok());
        service.recover();
        first.flush(Some(SOON)).unwrap();
        second.flush(Some(SOON)).unwrap();
        let arrived = service.arrived();
        let is_accepted = |id: &str| arrived.contains_key(&(id.to_owned(), true));
        assert!(is_accepted("first") && is_accepted("second"), "{arrived:?}");
        assert!(statistics(&first).outbox_resets > 0 && statistics(&second).outbox_resets > 0);
        assert_sound(&outbox);
    }
}

pub(crate) fn share_in_a_child(task: &[String]) {
    let outbox = Path::new(&task[0]);
    let reporter = reporter(&task[1], &in_file(outbox));
    reporter.submit(&sms("child-before", true)).unwrap();
    write_line("open");
    wait_for_resume();
    wait_until("a submit of the child", SOON, || reporter.submit(&sms("child-after", true)).is_ok());
    write_line(&statistics(&reporter).outbox_resets.to_string());
    wait_for_end();
}

#[test]
fn two_processes_whose_file_was_removed_share_the_new_file() {
    for endings in [&ENDINGS[..], &ENDINGS[..1]] {
        let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        let reporter = with_three(&service, &outbox);
        let mut child = Child::start("removed::share_in_a_child", &[outbox.to_str().unwrap(), &service.url]);
        assert_eq!(child.read_line(SOON), "open");
        remove(&outbox, endings);
        // The child still has the old file and the index of its write-ahead log open.
        wait_until("a submit", SOON, || reporter.submit(&sms("after", true)).is_ok());
        child.resume();
        assert!(child.read_line(SOON).parse::<u64>().unwrap() > 0, "the child must detect the removal");
        service.recover();
        reporter.flush(Some(SOON)).unwrap();
        let arrived = service.arrived();
        let is_accepted = |id: &str| arrived.contains_key(&(id.to_owned(), true));
        assert!(is_accepted("after") && is_accepted("child-after"), "{arrived:?}");
        let statistics = statistics(&reporter);
        assert_eq!(statistics.outbox_resets, 1, "the new file must not be combined with remains of the old one");
        assert_sound(&outbox);
        child.end();
    }
}

#[test]
fn calls_fail_after_the_folder_was_removed_until_it_exists_again() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let outbox = inner.join("outbox");
    let reporter = with_three(&service, &outbox);
    // Renames the folder first, because the reporter could otherwise create a new file in it during the removal.
    let removed = folder.path().join("removed");
    fs::rename(&inner, &removed).unwrap();
    fs::remove_dir_all(&removed).unwrap();
    for _ in 0..3 {
        is_reported(reporter.submit(&sms("nowhere", true)));
        is_reported(reporter.statistics());
    }
    fs::create_dir(&inner).unwrap();
    reporter.submit(&sms("after", true)).unwrap();
    has_new_outbox(&reporter, &service, &outbox);
}

#[test]
fn a_new_file_is_created_in_a_replaced_folder_and_the_old_file_keeps_its_reports() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
    let (inner, elsewhere) = (folder.path().join("inner"), folder.path().join("elsewhere"));
    fs::create_dir(&inner).unwrap();
    let outbox = inner.join("outbox");
    let first = with_three(&service, &outbox);
    fs::rename(&inner, &elsewhere).unwrap();
    fs::create_dir(&inner).unwrap();
    first.submit(&sms("after", true)).unwrap();
    has_new_outbox(&first, &service, &outbox);
    let moved = elsewhere.join("outbox");
    let second = reporter(&service.url, &in_file(&moved));
    second.flush(Some(SOON)).unwrap();
    assert_eq!(statistics(&second).accepted, 3);
}
