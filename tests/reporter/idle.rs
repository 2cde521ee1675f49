//! Tests that idle processes rarely wake, that events of other processes wake them, and that the WAL of an idle outbox
//! is truncated.
#![allow(unsafe_code, clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::outbox_db::{OutboxContents, assert_sound};
use common::process::{Child, children, wait_for_end, wait_for_resume, write_line};
use common::service::Service;
use common::{
    Folder, SOON, consume_event, credentials, in_calm_file, reporter, reporter_of, sms, statistics, wait_until,
    wrong_credentials,
};
use nexmo_conversion::{Client, EventKind, Options, Overflow, Reporter, ReporterOptions, State};
use nexmo_sandbox::Behaviour;

children![client_in_a_child, reporter_in_a_child, suspended_in_a_child, wait_in_a_child, poll_without_watches];

/// The time for which a process is observed. A process that polled would wake at least three times in this time.
const OBSERVED: Duration = Duration::from_secs(12);

/// Returns the number of voluntary context switches of all threads of a process.
fn waits(process: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let status = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).unwrap_or_default());
    let count = |text: String| {
        text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
    };
    status.filter_map(count).sum::<u64>()
}

#[test]
fn an_idle_process_wakes_less_than_once_in_ten_seconds() {
    let (folder, service) = (Folder::new(), Service::start());
    let (outbox, other) = (folder.outbox(), folder.path().join("suspended"));
    let start = |function: &str, outbox: &Path, expected: &str| {
        let child = Child::start(function, &[&service.url, outbox.to_str().unwrap()]);
        assert_eq!(child.read_line(SOON), expected);
        child
    };
    let all = [
        ("client", start("client_in_a_child", &outbox, "ready")),
        ("sender", start("reporter_in_a_child", &outbox, "Running")),
        ("standby", start("reporter_in_a_child", &outbox, "Standby")),
        ("second standby", start("reporter_in_a_child", &outbox, "Standby")),
        ("suspended", start("suspended_in_a_child", &other, "Suspended")),
    ];
    // Each process must once get through this time with at most one wakeup. Other attempts may fail, because a process
    // may still be starting, and the suspended one sends probes.
    let mut rest: Vec<_> = all.iter().map(|(name, child)| (*name, child, waits(child.id()), Instant::now())).collect();
    wait_until("idle processes", SOON, || {
        rest.retain_mut(|(name, child, before, since)| {
            let now = waits(child.id());
            if now > *before + 1 {
                (*before, *since) = (now, Instant::now());
            } else if since.elapsed() >= OBSERVED {
                println!("{name}: {} wakeups in {OBSERVED:?}", now - *before);
                return false;
            }
            true
        });
        rest.is_empty()
    });
    all.into_iter().for_each(|(_, child)| child.end());
}

fn client_in_a_child(task: &[String]) {
    let options = Options { base_url: Some(&task[0]), ..Options::default() };
    let client = Client::new(credentials(), &options).unwrap();
    assert!(client.report(&sms("id", true)).result.is_ok());
    write_line("ready");
    wait_for_end();
}

fn reporter_in_a_child(task: &[String]) {
    let reporter = reporter(&task[0], &in_calm_file(Path::new(&task[1])));
    write_line(&format!("{:?}", statistics(&reporter).state));
    wait_for_end();
}

fn suspended_in_a_child(task: &[String]) {
    let reporter = reporter_of(wrong_credentials(), &task[0], &in_calm_file(Path::new(&task[1])));
    reporter.submit(&sms("id", true)).unwrap();
    wait_until("a suspension", SOON, || statistics(&reporter).state == State::Suspended);
    write_line("Suspended");
    wait_for_end();
}

#[test]
fn an_event_of_another_process_wakes_a_standby_process() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Status(420)));
    let outbox = folder.outbox();
    let sender = reporter(&service.url, &in_calm_file(&outbox));
    let mut child = Child::start("wait_in_a_child", &[&service.url, outbox.to_str().unwrap()]);
    assert_eq!(child.read_line(SOON), "Standby");
    for id in ["first", "second"] {
        // In each round, the child waits for the descriptor, then polls.
        child.resume();
        sender.submit(&sms(id, true)).unwrap();
        assert_eq!(child.read_line(SOON), format!("readable, {id} Rejected"));
    }
    // An event also wakes a poll that is waiting.
    child.resume();
    sender.submit(&sms("third", true)).unwrap();
    assert_eq!(child.read_line(SOON), "third");
    child.end();
}

#[test]
fn dropped_and_expired_reports_wake_other_processes() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
    let outbox = folder.outbox();
    let full = ReporterOptions { max_pending: Some(1), overflow: Overflow::DropOldest, ..in_calm_file(&outbox) };
    let aged = ReporterOptions { max_age: Some(Duration::from_secs(1)), ..in_calm_file(&outbox) };
    let options = Options { base_url: Some(&service.url), ..Options::default() };
    let sender = Reporter::hurried(credentials(), &options, &aged, 20).unwrap();
    let mut child = Child::start("wait_in_a_child", &[&service.url, outbox.to_str().unwrap()]);
    assert_eq!(child.read_line(SOON), "Standby");
    child.resume();
    sender.submit(&sms("expired", true)).unwrap();
    assert_eq!(child.read_line(SOON), "readable, expired Expired");
    drop(sender);
    let other = reporter(&service.url, &full);
    child.resume();
    (0..2).for_each(|number| other.submit(&sms(&format!("dropped-{number}"), true)).unwrap());
    assert_eq!(child.read_line(SOON), "readable, dropped-0 Dropped");
}

/// Twice waits until the descriptor is readable and consumes an event, then waits for a third event in `poll`.
fn wait_in_a_child(task: &[String]) {
    let reporter = reporter(&task[0], &in_calm_file(Path::new(&task[1])));
    write_line(&format!("{:?}", statistics(&reporter).state));
    let fd = reporter.fd().unwrap();
    for _ in 0..2 {
        wait_for_resume();
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: the struct outlives the call.
        let readable = unsafe { libc::poll(&raw mut poll, 1, i32::try_from(SOON.as_millis()).unwrap()) };
        let event = consume_event(&reporter).unwrap();
        let is_readable = if readable == 1 { "readable" } else { "not readable" };
        write_line(&format!("{is_readable}, {} {:?}", event.conversion.message_id.as_str(), event.kind));
    }
    wait_for_resume();
    let event = reporter.poll(Some(SOON)).unwrap();
    write_line(event.as_ref().map_or("no event", |event| event.conversion.message_id.as_str()));
    wait_for_end();
}

#[test]
fn a_process_that_cannot_watch_files_polls() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Status(420)));
    let outbox = folder.outbox();
    let sender = reporter(&service.url, &in_calm_file(&outbox));
    let child = Child::start("poll_without_watches", &[&service.url, outbox.to_str().unwrap()]);
    let state = child.read_line(SOON);
    if state == "skipped" {
        println!("skipped: no user namespace can be created");
        return;
    }
    assert_eq!(state, "Standby");
    sender.submit(&sms("id", true)).unwrap();
    assert_eq!(child.read_line(SOON), "id Rejected");
    // The child also becomes the sender when the other reporter is closed.
    sender.acknowledge(sender.poll(Some(SOON)).unwrap().unwrap().id).unwrap();
    drop(sender);
    assert_eq!(child.read_line(SOON), "Running");
    child.end();
}

fn poll_without_watches(task: &[String]) {
    // In a separate user namespace, this process can set the limit on inotify instances to 0.
    // SAFETY: the calls change only this process.
    let (user, is_separate) = unsafe { (libc::getuid(), libc::unshare(libc::CLONE_NEWUSER) == 0) };
    let is_mapped = is_separate && fs::write("/proc/self/uid_map", format!("{user} {user} 1")).is_ok();
    if !is_mapped || fs::write("/proc/sys/user/max_inotify_instances", "0").is_err() {
        write_line("skipped");
        return wait_for_end();
    }
    // SAFETY: the call takes no pointers.
    assert_eq!(unsafe { libc::inotify_init1(0) }, -1);
    let reporter = reporter(&task[0], &in_calm_file(Path::new(&task[1])));
    write_line(&format!("{:?}", statistics(&reporter).state));
    let event = reporter.poll(Some(SOON)).unwrap().unwrap();
    write_line(&format!("{} {:?}", event.conversion.message_id.as_str(), event.kind));
    assert_eq!(event.kind, EventKind::Rejected);
    wait_until("becoming the sender", SOON, || statistics(&reporter).state == State::Running);
    write_line("Running");
    wait_for_end();
}

#[test]
fn a_standby_reporter_whose_directory_was_replaced_sends_from_the_new_one() {
    let (folder, service) = (Folder::new(), Service::start());
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let outbox = inner.join("outbox");
    let (sender, standby) =
        (reporter(&service.url, &in_calm_file(&outbox)), reporter(&service.url, &in_calm_file(&outbox)));
    assert_eq!((statistics(&sender).state, statistics(&standby).state), (State::Running, State::Standby));
    fs::rename(&inner, folder.path().join("elsewhere")).unwrap();
    fs::create_dir(&inner).unwrap();
    standby.submit(&sms("after", true)).unwrap();
    standby.flush(Some(SOON)).unwrap();
    assert!(service.arrived().contains_key(&("after".to_owned(), true)));
}

#[test]
fn the_wal_of_an_idle_outbox_is_truncated() {
    const REPORTS: u64 = 2000;
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    let wal = format!("{}-wal", outbox.display());
    let length = || fs::metadata(&wal).unwrap().len();
    let options = Options { base_url: Some(&service.url), ..Options::default() };
    let hurried = || Reporter::hurried(credentials(), &options, &in_calm_file(&outbox), 200).unwrap();
    let (sender, standby) = (hurried(), hurried());
    let mut count = 0;
    for round in 0..2 {
        for number in 0..REPORTS {
            let reporter = if number % 2 == 0 { &sender } else { &standby };
            reporter.submit(&sms(&format!("{round}-{number}"), true)).unwrap();
        }
        sender.flush(Some(SOON)).unwrap();
        count += REPORTS;
        wait_until("a truncated WAL", SOON, || length() < 100_000);
        // Neither reporter mistakes the truncation for damage.
        for reporter in [&standby, &sender] {
            reporter.submit(&sms(&format!("after-{round}-{count}"), true)).unwrap();
            count += 1;
            let counted = statistics(reporter);
            assert_eq!((counted.submitted, counted.outbox_resets, counted.damaged), (count, 0, 0));
        }
        sender.flush(Some(SOON)).unwrap();
    }
    drop((sender, standby));
    OutboxContents::read(&outbox).unwrap().audit();
    assert_sound(&outbox);
}
