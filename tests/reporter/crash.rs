//! Tests processes that are killed while they submit and send: no submitted report is lost, and another process takes
//! over.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::HashMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use common::outbox_db::{OutboxContents, assert_sound};
use common::process::{Child, Notes, children, noted, notes, wait_for_end, write_line};
use common::service::{Service, duplicates};
use common::{Folder, LATER, SOON, SeededRng, in_calm_file, in_file, is_long, reporter, sms, statistics, wait_until};
use nexmo_conversion::{Kind, ReporterOptions, State};
use nexmo_sandbox::{Behaviour, RandomFaults};

/// The maximum number of submits of one process.
const SUBMITS: u64 = 2000;

/// The maximum lifetime of a process after it has created its reporter.
const LONGEST_RUN: Duration = Duration::from_millis(600);

/// The maximum number of reports that are sent twice because a process dies: for each of its 8 sender threads, up to 8
/// reports whose responses have arrived but are not recorded yet, and one report that is being sent.
const ON_THEIR_WAY: u64 = 8 * 8 + 8;

children![submit_until_killed];

#[test]
fn no_submitted_report_is_lost_when_processes_are_killed() {
    let (mut rng, seed) = SeededRng::from_environment("kill");
    let processes = if is_long() { 200 } else { 12 };
    let (folder, service) = (Folder::new(), Service::start());
    let faults = RandomFaults { errors: 10, ..RandomFaults::seeded(seed) };
    service.does(Behaviour::Erratic(faults));
    let mut killed_while_opening = 0;
    for process in 0..processes {
        let child =
            Child::start("submit_until_killed", &[&service.url, folder.path().to_str().unwrap(), &process.to_string()]);
        let is_ready = process % 8 != 5;
        if is_ready {
            assert_eq!(child.read_line(SOON), "ready");
        }
        // The process is killed at a random time, so the test waits for no condition.
        thread::sleep(rng.while_up_to(if is_ready { LONGEST_RUN } else { LONGEST_RUN / 12 }));
        child.kill();
        let accepted = noted(&notes(folder.path(), process)).len();
        killed_while_opening += u64::from(!is_ready && accepted == 0);
        if let Some(contents) = OutboxContents::read(&folder.outbox()) {
            contents.audit();
        }
    }
    let left = OutboxContents::read(&folder.outbox()).unwrap().rows;
    service.recover();
    let last = reporter(&service.url, &in_calm_file(&folder.outbox()));
    last.flush(Some(if is_long() { LATER } else { SOON })).unwrap();
    let accepted = all_noted(folder.path(), processes);
    let (arrived, last_versions) = (service.arrived(), service.last_versions());
    let lost = accepted.iter().filter(|(id, delivered)| !has_arrived(&arrived, id, **delivered)).count();
    let overtaken =
        accepted.iter().filter(|(id, delivered)| **delivered && last_versions.get(*id) != Some(&true)).count();
    let (twice, without_response) = (duplicates(&arrived), service.without_response());
    let counted = statistics(&last);
    println!(
        "kill: {processes} processes, {} submits for {} ids, {killed_while_opening} killed before the first submit, {left} pending after the \
         last kill, {} requests, {} versions arrived, {twice} duplicates (at most {} in transit + {without_response} without a response), \
         {lost} lost, {overtaken} overtaken; {counted:?}",
        counted.submitted,
        accepted.len(),
        service.count(),
        arrived.len(),
        processes * ON_THEIR_WAY,
    );
    assert_eq!((lost, overtaken), (0, 0));
    assert!(twice <= processes * ON_THEIR_WAY + without_response, "{twice} duplicates");
    assert_eq!((counted.pending, counted.events, counted.outbox_resets), (0, 0, 0));
    let submits: u64 = (0..processes).map(|process| noted(&notes(folder.path(), process)).len() as u64).sum();
    // Each process may have died after it had submitted one more report and before it noted that report.
    assert!(
        (submits..=submits + processes).contains(&counted.submitted),
        "{submits} reports were noted, {} were submitted",
        counted.submitted
    );
    assert!(counted.replaced > 0 && submits > processes * SUBMITS / 40, "only {submits} reports were submitted");
    drop(last);
    assert_sound(&folder.outbox());
}

/// Returns the last noted version of each report.
fn all_noted(folder: &Path, processes: u64) -> HashMap<String, bool> {
    (0..processes).flat_map(|process| noted(&notes(folder, process))).collect()
}

/// Returns whether this version of a report arrived, or the next version, whose note may be missing.
fn has_arrived(arrived: &HashMap<(String, bool), u64>, id: &str, delivered: bool) -> bool {
    arrived.contains_key(&(id.to_owned(), delivered)) || arrived.contains_key(&(id.to_owned(), true))
}

fn submit_until_killed(task: &[String]) {
    let [url, folder, process] = task else { panic!("{task:?}") };
    let folder = Path::new(&folder);
    let mut notes = Notes::open(&notes(folder, process.parse().unwrap()));
    // `ON_THEIR_WAY` assumes at most 8 sender threads.
    let outbox = folder.join("outbox");
    let options = ReporterOptions { max_in_flight: Some(8), ..in_file(&outbox) };
    let reporter = reporter(url, &options);
    write_line("ready");
    for number in 0..SUBMITS {
        // One of eight reports is first submitted as false, and as true four reports later.
        let (number, delivered) = match number % 8 {
            3 => (number, false),
            7 => (number - 4, true),
            _ => (number, true),
        };
        let id = format!("{process}-{number}");
        while let Err(error) = reporter.submit(&sms(&id, delivered)) {
            assert_eq!(error.kind(), Kind::OutboxBusy, "{error}");
        }
        notes.add(&id, delivered);
    }
    write_line("submitted");
    wait_for_end();
}

#[test]
fn a_standby_sends_the_reports_of_a_killed_process_without_being_called() {
    let (mut rng, _) = SeededRng::from_environment("take-over");
    let rounds = if is_long() { 30 } else { 4 };
    let mut worst = Duration::ZERO;
    for round in 0..rounds {
        let (folder, service) = (Folder::new(), Service::start());
        service.does(Behaviour::Slow(Duration::from_millis(50)));
        let sender = Child::start("submit_until_killed", &[&service.url, folder.path().to_str().unwrap(), "0"]);
        assert_eq!(sender.read_line(SOON), "ready");
        service.wait_for(1, SOON);
        let outbox = folder.outbox();
        let standby = reporter(&service.url, &in_calm_file(&outbox));
        wait_until("standby", SOON, || statistics(&standby).state == State::Standby);
        // Sending the remaining reports takes seconds, so the process is killed before it has sent them all.
        assert_eq!(sender.read_line(SOON), "submitted");
        let count = service.count();
        service.wait_for(count + usize::try_from(1 + rng.below(100)).unwrap(), SOON);
        let killed = Instant::now();
        sender.kill();
        // From here on, the test does not call the standby reporter until all reports are sent.
        let dead = Instant::now();
        service.wait_until(SOON, |received| received.iter().any(|request| request.at > dead));
        let wait = service.received().iter().find(|request| request.at > dead).unwrap().at - killed;
        service.recover();
        let accepted = noted(&notes(folder.path(), 0));
        let mut missing: HashMap<String, bool> = accepted.into_iter().collect();
        let mut seen = 0;
        service.wait_until(SOON, |received| {
            for request in received.iter().skip(seen).filter(|request| request.is_accepted()) {
                if request.delivered || missing.get(&request.message_id) == Some(&false) {
                    missing.remove(&request.message_id);
                }
            }
            seen = received.len();
            missing.is_empty()
        });
        worst = worst.max(wait);
        let twice = duplicates(&service.arrived());
        println!(
            "take-over: round {round}: first request {wait:?} after the kill, {seen} requests, {twice} duplicates"
        );
        assert!(twice <= ON_THEIR_WAY, "{twice} duplicates");
        wait_until("an empty outbox", SOON, || statistics(&standby).pending == 0);
        assert_eq!(statistics(&standby).state, State::Running);
    }
    println!("take-over: the longest of {rounds} waits was {worst:?}");
}

#[test]
fn a_standby_sends_the_reports_of_a_closed_reporter_without_being_called() {
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Slow(Duration::from_millis(20))));
    let outbox = folder.outbox();
    let first = reporter(&service.url, &in_calm_file(&outbox));
    for number in 0..200 {
        first.submit(&sms(&format!("id-{number}"), true)).unwrap();
    }
    // Once a request has arrived, the first reporter is the sender.
    service.wait_for(1, SOON);
    let second = reporter(&service.url, &in_calm_file(&outbox));
    wait_until("standby", SOON, || statistics(&second).state == State::Standby);
    service.wait_for(20, SOON);
    assert_eq!(first.close(Some(Duration::ZERO)).unwrap_err().kind(), Kind::Pending);
    let closed = Instant::now();
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() >= 200);
    println!("take-over: all reports were sent {:?} after the close", closed.elapsed());
    wait_until("an empty outbox", SOON, || statistics(&second).pending == 0);
    assert_eq!(statistics(&second).accepted, 200);
}
