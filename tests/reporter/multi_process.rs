//! Tests several processes that share an outbox file: each can submit, one at a time sends, and no report is lost when
//! some of them die or stop.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::outbox_db::{OutboxContents, assert_sound};
use common::process::{Child, Notes, children, noted, notes, wait_for_end, wait_for_resume, write_line};
use common::service::{Service, duplicates};
use common::{
    Folder, LATER, SOON, SeededRng, credentials, in_calm_file, in_file, is_long, reporter, sms, statistics, wait_until,
};
use nexmo_conversion::{Durability, Kind, Options, Reporter, ReporterOptions, State};
use nexmo_sandbox::{Behaviour, RandomFaults};

const PROCESSES: u64 = 8;

/// The maximum number of reports that are sent twice because a process dies or stops: for each of its 8 sender threads,
/// up to 8 reports whose responses have arrived but are not recorded yet, and one report that is being sent.
const ON_THEIR_WAY: u64 = 8 * 8 + 8;

/// The numbers of the processes that are killed or stopped. Process 0 is the sender at first.
struct Disturbance {
    killed: &'static [u64],
    stopped: u64,
}

children![submit_in_a_child, standby_in_a_child, submit_to_a_new_outbox];

#[test]
fn no_report_is_lost_when_the_sender_is_killed_and_another_process_stops() {
    play("sender killed", &Disturbance { killed: &[0, 7], stopped: 4 });
}

#[test]
fn no_report_is_lost_when_the_sender_stops_and_continues() {
    play("sender stopped", &Disturbance { killed: &[3], stopped: 0 });
}

fn play(name: &str, disturbance: &Disturbance) {
    let (mut rng, seed) = SeededRng::from_environment(name);
    let (each, stop, limit) = if is_long() { (10_000, 60, LATER) } else { (1000, 2, SOON) };
    let (folder, service) = (Folder::new(), Service::start());
    let faults = RandomFaults { errors: 2, disconnects: 1, ..RandomFaults::seeded(seed) };
    service.does(Behaviour::Erratic(faults));
    let mut children: Vec<Option<Child>> = (0..PROCESSES)
        .map(|number| {
            let task = [&service.url, folder.path().to_str().unwrap(), &number.to_string(), &each.to_string()];
            let child = Child::start("submit_in_a_child", &task);
            assert_eq!(child.read_line(limit), "ready");
            Some(child)
        })
        .collect();
    children.iter_mut().flatten().for_each(Child::resume);
    // Kills the first of these processes after about a third of its reports, and the second after about half of its
    // reports.
    for (number, share) in disturbance.killed.iter().zip([3, 2]) {
        wait_for_notes(folder.path(), *number, each / share - rng.below(each / 10), limit);
        children[usize::try_from(*number).unwrap()].take().unwrap().kill();
    }
    let stopped = children[usize::try_from(disturbance.stopped).unwrap()].as_ref().unwrap();
    stopped.signal(libc::SIGSTOP);
    let (stopped_at, received_before) = (Instant::now(), service.count());
    let result_of = |child: &Child| report_of(&child.read_line(limit));
    let others = (0..PROCESSES).filter(|number| *number != disturbance.stopped);
    // If the process was stopped during a write, no other process can submit until it continues.
    wait_until("the end of the stop", limit, || stopped_at.elapsed() >= Duration::from_secs(stop));
    let received_meanwhile = service.count() - received_before;
    stopped.signal(libc::SIGCONT);
    let mut reports: Vec<Report> =
        others.filter_map(|number| children[usize::try_from(number).unwrap()].as_ref().map(result_of)).collect();
    let others_took = stopped_at.elapsed();
    let result_of_stopped = result_of(stopped);
    service.recover();
    let last = reporter(&service.url, &in_calm_file(&folder.outbox()));
    last.flush(Some(limit)).unwrap();
    let counted = statistics(&last);

    let noted: Vec<_> = (0..PROCESSES).flat_map(|number| noted(&notes(folder.path(), number))).collect();
    let arrived = service.arrived();
    let lost = noted.iter().filter(|version| !arrived.contains_key(*version)).count();
    let (twice, without_response) = (duplicates(&arrived), service.without_response());
    let worst = reports.iter().map(|report| report.worst).max().unwrap();
    let slowest = reports.iter().map(|report| report.all).max().unwrap();
    let fastest = reports.iter().map(|report| report.all).min().unwrap();
    let busy: u64 = reports.iter().map(|report| report.busy).sum();
    reports.push(result_of_stopped);
    println!(
        "{name}: {} submitted, {} arrived, {twice} duplicates ({without_response} without a response), {lost} lost; longest submit \
         {worst:?} ({busy} times OUTBOX_BUSY), a process's {each} submits took {fastest:?} to {slowest:?}; \
         while one process was stopped for {stop} s, {received_meanwhile} requests were received; the others finished after {others_took:?}; \
         {counted:?}",
        noted.len(),
        arrived.len(),
    );
    assert_eq!(lost, 0);
    let killed = disturbance.killed.len() as u64;
    assert!(twice <= (killed + 1) * ON_THEIR_WAY + without_response, "{twice} duplicates");
    assert!((noted.len() as u64..=noted.len() as u64 + killed).contains(&counted.submitted), "{counted:?}");
    assert_eq!(reports.len() as u64, PROCESSES - killed);
    assert!(noted.len() as u64 >= (PROCESSES - killed) * each);
    // If the process was stopped during a write, the other processes wait for it.
    assert!(worst < Duration::from_secs(stop + 5), "the longest submit took {worst:?}");
    children.into_iter().flatten().for_each(Child::end);
    drop(last);
    let contents = OutboxContents::read(&folder.outbox()).unwrap();
    contents.audit();
    assert_eq!(contents.rows, 0);
    assert_sound(&folder.outbox());
}

#[track_caller]
fn wait_for_notes(folder: &Path, number: u64, count: u64, limit: Duration) {
    let path = notes(folder, number);
    // Estimates the length of `count` notes, which contain numbers of different lengths.
    let length = count * format!("{number}-999 true\n").len() as u64;
    wait_until("notes", limit, || fs::metadata(&path).is_ok_and(|found| found.len() >= length));
}

/// The results of one process.
struct Report {
    /// The duration of the slowest submit, including its retries.
    worst: Duration,
    /// The total duration of all submits.
    all: Duration,
    /// The number of calls that found the outbox busy. Each is retried.
    busy: u64,
}

fn report_of(said: &str) -> Report {
    let numbers: Vec<u64> = said.split(' ').map(|number| number.parse().unwrap()).collect();
    let [worst, all, busy] = numbers.try_into().unwrap();
    Report { worst: Duration::from_micros(worst), all: Duration::from_micros(all), busy }
}

fn submit_in_a_child(task: &[String]) {
    let [url, folder, process, count] = task else { panic!("{task:?}") };
    let folder = Path::new(&folder);
    let mut notes = Notes::open(&notes(folder, process.parse().unwrap()));
    // `ON_THEIR_WAY` assumes at most 8 sender threads.
    let outbox = folder.join("outbox");
    let options = ReporterOptions { max_in_flight: Some(8), ..in_file(&outbox) };
    let reporter = reporter(url, &options);
    write_line("ready");
    wait_for_resume();
    let (began, mut worst, mut busy) = (Instant::now(), Duration::ZERO, 0);
    for number in 0..count.parse::<u64>().unwrap() {
        let (id, begins) = (format!("{process}-{number}"), Instant::now());
        while let Err(error) = reporter.submit(&sms(&id, true)) {
            assert_eq!(error.kind(), Kind::OutboxBusy, "{error}");
            busy += 1;
        }
        worst = worst.max(begins.elapsed());
        notes.add(&id, true);
    }
    write_line(&format!("{} {} {busy}", worst.as_micros(), began.elapsed().as_micros()));
    wait_for_end();
}

/// The number of reports that are sent one by one. If the sender found them only by polling the outbox, sending them
/// would take longer than [`SOON`].
const ONE_BY_ONE: usize = 30;

#[test]
fn reports_of_another_process_are_sent_immediately() {
    for durability in ["process", "power"] {
        let (folder, service) = (Folder::new(), Service::start());
        let sender = reporter(&service.url, &in_calm_file(&folder.outbox()));
        assert_eq!(statistics(&sender).state, State::Running);
        let mut child =
            Child::start("standby_in_a_child", &[&service.url, folder.path().to_str().unwrap(), durability]);
        assert_eq!(child.read_line(SOON), "Standby");
        let began = Instant::now();
        for number in 1..=ONE_BY_ONE {
            child.resume();
            service.wait_for(number, SOON.saturating_sub(began.elapsed()));
            // Otherwise the sender may find the next report while it handles this one, without being notified.
            wait_until("an empty outbox", SOON, || statistics(&sender).pending == 0);
        }
        println!("{ONE_BY_ONE} reports of another process, {durability}, in {:?}", began.elapsed());
        child.end();
    }
}

fn standby_in_a_child(task: &[String]) {
    let [url, folder, durability] = task else { panic!("{task:?}") };
    let outbox = Path::new(&folder).join("outbox");
    let durability = if durability == "power" { Durability::Power } else { Durability::Process };
    let reporter = reporter(url, &ReporterOptions { durability, ..in_calm_file(&outbox) });
    write_line(&format!("{:?}", statistics(&reporter).state));
    for number in 0..ONE_BY_ONE {
        wait_for_resume();
        reporter.submit(&sms(&number.to_string(), true)).unwrap();
    }
    wait_for_end();
}

#[test]
fn many_processes_open_a_new_outbox_at_once() {
    let (processes, rounds, limit) = if is_long() { (64, 20, LATER) } else { (16, 1, SOON) };
    for round in 0..rounds {
        let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
        let outbox = folder.outbox();
        let start = |number: i32| {
            let arguments = [outbox.to_str().unwrap(), &service.url, &number.to_string()];
            Child::start("submit_to_a_new_outbox", &arguments)
        };
        let mut children: Vec<Child> = (0..processes).map(start).collect();
        children.iter().for_each(|child| assert_eq!(child.read_line(limit), "ready"));
        children.iter_mut().for_each(Child::resume);
        let results = children.iter().map(|child| child.read_line(limit));
        // The number of calls that found the outbox busy, and the longest call in milliseconds.
        let results = results.map(|line| {
            let (busy, longest) = line.split_once(' ').unwrap();
            (busy.parse::<u64>().unwrap(), longest.parse::<u64>().unwrap())
        });
        let (busy, longest) = results.fold((0, 0), |all, one| (all.0 + one.0, all.1.max(one.1)));
        children.into_iter().for_each(Child::end);
        println!("round {round}: {processes} processes: {busy} busy, longest call {longest} ms");
        let contents = OutboxContents::read(&outbox).unwrap();
        contents.audit();
        assert_eq!(contents.rows, SUBMITS * u64::try_from(processes).unwrap());
        assert_sound(&outbox);
    }
}

/// The number of reports that each process submits to a new outbox.
const SUBMITS: u64 = 100;

/// Opens an outbox with the default options and submits reports. Retries calls that find the outbox busy.
fn submit_to_a_new_outbox(arguments: &[String]) {
    write_line("ready");
    wait_for_resume();
    let (mut busy, mut longest) = (0_u64, Duration::ZERO);
    let mut retry = |call: &mut dyn FnMut() -> Result<(), nexmo_conversion::Error>| loop {
        let start = Instant::now();
        let result = call();
        longest = longest.max(start.elapsed());
        match result {
            Err(error) if error.kind() == Kind::OutboxBusy => busy += 1,
            other => break other.unwrap(),
        }
    };
    let options = Options { base_url: Some(&arguments[1]), ..Options::default() };
    let mut opened = None;
    retry(&mut || {
        opened = Some(Reporter::new(credentials(), &options, &in_file(Path::new(&arguments[0])))?);
        Ok(())
    });
    let reporter = opened.unwrap();
    (0..SUBMITS).for_each(|number| retry(&mut || reporter.submit(&sms(&format!("{}-{number}", arguments[2]), true))));
    write_line(&format!("{busy} {}", longest.as_millis()));
    wait_for_end();
}
