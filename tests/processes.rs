//! Many processes with one outbox file: each gets its reports in, one sends, and none is lost when some die or stop.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::books::{Books, assert_sound};
use common::process::{Child, Notes, noted, notes, pause, say, task, wait_for_the_end};
use common::service::{Service, duplicates};
use common::{Dice, Folder, LATER, SOON, in_calm_file, in_file, is_long, reporter, sms, statistics, wait_until};
use nexmo_conversion::{Durability, Kind, ReporterOptions, State};
use nexmo_sandbox::{Behaviour, Moods};

const PROCESSES: u64 = 8;

/// How many reports can be on their way when a process dies or stops.
const ON_THEIR_WAY: u64 = 2 * 8;

/// What is done to some of the processes, by their numbers. The first to come is the one that sends.
struct Plot {
    killed: &'static [u64],
    stopped: u64,
}

#[test]
fn none_is_lost_when_the_process_that_sends_is_killed_and_another_stops() {
    play("sender killed", &Plot { killed: &[0, 7], stopped: 4 });
}

#[test]
fn none_is_lost_when_the_process_that_sends_stops_and_goes_on() {
    play("sender stopped", &Plot { killed: &[3], stopped: 0 });
}

fn play(name: &str, plot: &Plot) {
    let (mut dice, seed) = Dice::of_today(name);
    let (each, stop, limit) = if is_long() { (10_000, 60, LATER) } else { (1000, 2, SOON) };
    let (folder, service) = (Folder::new(), Service::start());
    let moods = Moods { failing: 2, hanging_up: 1, ..Moods::of_a_bad_day(seed) };
    service.does(Behaviour::Erratic(moods));
    let mut children: Vec<Option<Child>> = (0..PROCESSES)
        .map(|number| {
            let task = [&service.url, folder.path().to_str().unwrap(), &number.to_string(), &each.to_string()];
            let child = Child::start("one_of_many", &task);
            assert_eq!(child.says(limit), "ready");
            Some(child)
        })
        .collect();
    children.iter_mut().flatten().for_each(Child::go_on);
    // A third of the reports of the first that dies are in, then half of those of the next.
    for (number, share) in plot.killed.iter().zip([3, 2]) {
        wait_for_notes(folder.path(), *number, each / share - dice.throw(each / 10), limit);
        children[usize::try_from(*number).unwrap()].take().unwrap().kill();
    }
    let stopped = children[usize::try_from(plot.stopped).unwrap()].as_ref().unwrap();
    stopped.signal(libc::SIGSTOP);
    let (stopped_at, heard_before) = (Instant::now(), service.count());
    let got_on = |child: &Child| report_of(&child.says(limit));
    let others = (0..PROCESSES).filter(|number| *number != plot.stopped);
    // It may have been stopped in the middle of a write, and then nobody else can put before it goes on.
    wait_until("the end of the stop", limit, || stopped_at.elapsed() >= Duration::from_secs(stop));
    let heard_meanwhile = service.count() - heard_before;
    stopped.signal(libc::SIGCONT);
    let mut reports: Vec<Report> =
        others.filter_map(|number| children[usize::try_from(number).unwrap()].as_ref().map(got_on)).collect();
    let others_took = stopped_at.elapsed();
    let of_stopped = got_on(stopped);
    service.recover();
    let last = reporter(&service.url, &in_calm_file(&folder.outbox()));
    last.flush(Some(limit)).unwrap();
    let counted = statistics(&last);

    let noted: Vec<_> = (0..PROCESSES).flat_map(|number| noted(&notes(folder.path(), number))).collect();
    let taken = service.taken();
    let lost = noted.iter().filter(|version| !taken.contains_key(*version)).count();
    let (twice, unanswered) = (duplicates(&taken), service.unanswered());
    let worst = reports.iter().map(|report| report.worst).max().unwrap();
    let slowest = reports.iter().map(|report| report.all).max().unwrap();
    let fastest = reports.iter().map(|report| report.all).min().unwrap();
    let busy: u64 = reports.iter().map(|report| report.busy).sum();
    reports.push(of_stopped);
    println!(
        "{name}: {} accepted, {} arrived, {twice} duplicates (unanswered {unanswered}), {lost} lost; worst wait for one put \
         {worst:?} ({busy} times OUTBOX_BUSY), a process's {each} puts took {fastest:?} to {slowest:?}; \
         while one was stopped for {stop} s the others were done after {others_took:?}, and {heard_meanwhile} requests heard; \
         {counted:?}",
        noted.len(),
        taken.len(),
    );
    assert_eq!(lost, 0);
    let killed = plot.killed.len() as u64;
    assert!(twice <= (killed + 1) * ON_THEIR_WAY + unanswered, "{twice} duplicates");
    assert!((noted.len() as u64..=noted.len() as u64 + killed).contains(&counted.submitted), "{counted:?}");
    assert_eq!(reports.len() as u64, PROCESSES - killed);
    assert!(noted.len() as u64 >= (PROCESSES - killed) * each);
    // Should it have been stopped while it wrote, the others wait for it.
    assert!(worst < Duration::from_secs(stop + 5), "{worst:?}");
    children.into_iter().flatten().for_each(Child::end);
    drop(last);
    let books = Books::read(&folder.outbox()).unwrap();
    books.audit();
    assert_eq!(books.rows, 0);
    assert_sound(&folder.outbox());
}

#[track_caller]
fn wait_for_notes(folder: &Path, number: u64, count: u64, limit: Duration) {
    let path = notes(folder, number);
    // "7-999 true" and an end of line at the most.
    let length = count * format!("{number}-999 true\n").len() as u64;
    wait_until("notes", limit, || fs::metadata(&path).is_ok_and(|found| found.len() >= length));
}

/// How one process got on.
struct Report {
    /// The longest that one report took to be accepted.
    worst: Duration,
    /// How long all of them took.
    all: Duration,
    /// How often it was told to try again.
    busy: u64,
}

fn report_of(said: &str) -> Report {
    let numbers: Vec<u64> = said.split(' ').map(|number| number.parse().unwrap()).collect();
    let [worst, all, busy] = numbers.try_into().unwrap();
    Report { worst: Duration::from_micros(worst), all: Duration::from_micros(all), busy }
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn one_of_many() {
    let Some(task) = task() else { return };
    let [url, folder, process, count] = task.try_into().unwrap();
    let folder = Path::new(&folder);
    let mut notes = Notes::open(&notes(folder, process.parse().unwrap()));
    let reporter = reporter(&url, &in_file(&folder.join("outbox")));
    say("ready");
    pause();
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
    say(&format!("{} {} {busy}", worst.as_micros(), began.elapsed().as_micros()));
    wait_for_the_end();
}

/// So many that they take longer than [`SOON`] if each is found only when the one that sends looks for what nobody told of.
const ONE_BY_ONE: usize = 30;

#[test]
fn what_another_process_puts_goes_out_at_once() {
    for durability in ["process", "power"] {
        let (folder, service) = (Folder::new(), Service::start());
        let sender = reporter(&service.url, &in_calm_file(&folder.outbox()));
        assert_eq!(statistics(&sender).state, State::Running);
        let mut child =
            Child::start("one_that_stands_by", &[&service.url, folder.path().to_str().unwrap(), durability]);
        assert_eq!(child.says(SOON), "Standby");
        let began = Instant::now();
        for number in 1..=ONE_BY_ONE {
            child.go_on();
            service.wait_for(number, SOON.saturating_sub(began.elapsed()));
            // Else the one that sends may find the next while it is about this one.
            wait_until("rest", SOON, || statistics(&sender).pending == 0);
        }
        println!("{ONE_BY_ONE} reports of another process, {durability}, in {:?}", began.elapsed());
        child.end();
    }
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn one_that_stands_by() {
    let Some(task) = task() else { return };
    let [url, folder, durability] = task.try_into().unwrap();
    let outbox = Path::new(&folder).join("outbox");
    let durability = if durability == "power" { Durability::Power } else { Durability::Process };
    let reporter = reporter(&url, &ReporterOptions { durability, ..in_calm_file(&outbox) });
    say(&format!("{:?}", statistics(&reporter).state));
    for number in 0..ONE_BY_ONE {
        pause();
        reporter.submit(&sms(&number.to_string(), true)).unwrap();
    }
    wait_for_the_end();
}
