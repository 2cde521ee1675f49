//! The power goes out: what `submit` accepted with durability *power* is found on the disk.
//!
//! No test can cut the power. So a child process works while a recorder notes all that it does to its files, and afterwards
//! the disk is put together as a cut at one moment or another may leave it (see `disk.rs`), and looked at. The same is done
//! with durability *process*, which promises less, and must be seen to lose something: else the test could see nothing.
//!
//! A disk that lies about flushes cannot be told from one that does not, neither by the library nor here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
mod disk;
mod events;
mod recording;

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use nexmo_conversion::{Durability, Kind, ReporterOptions};
use nexmo_sandbox::{Listener, Sandbox, Settings};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, OpenFlags};

use crate::common::process::task;
use crate::common::{Dice, Folder, SOON, in_file, is_long, reporter, sms};
use crate::disk::{Disk, Unflushed};
use crate::recording::{MARKS, Recording, Run, Step};

/// What the child marks: that a report was accepted, refused, or that the service has it.
const ACCEPTED: &str = "accepted ";
const REFUSED: &str = "refused ";
const SENT: &str = "sent ";

/// A line each in the file of marks, which the recorder sees in its place among all else.
struct Marks(Mutex<std::fs::File>);

impl Marks {
    fn open(folder: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(folder.join(MARKS)).unwrap();
        Self(Mutex::new(file))
    }

    fn mark(&self, what: &str, message_id: &str) {
        let line = format!("{what}{message_id}\n");
        assert_eq!(self.0.lock().unwrap().write(line.as_bytes()).unwrap(), line.len());
    }
}

#[test]
#[ignore = "a part of other tests, which run it in a process of its own"]
fn work_in_a_child() {
    let Some(task) = task() else {
        return;
    };
    let [folder, durability, threads, reports] = task.as_slice() else {
        panic!("{task:?}");
    };
    let folder = Path::new(folder);
    let marks: &'static Marks = Box::leak(Box::new(Marks::open(folder)));
    let listener = Listener::new(|record| marks.mark(SENT, record.message_id.as_deref().unwrap()));
    let settings = Settings { keep: false, listener: Some(listener), ..Settings::default() };
    let sandbox = Sandbox::start(settings).unwrap();
    let outbox = folder.join("outbox");
    let durability = if durability == "power" { Durability::Power } else { Durability::Process };
    // A slow disk is no reason to refuse a report here.
    let options = ReporterOptions { durability, busy_timeout: Some(SOON), ..in_file(&outbox) };
    let reporter = reporter(&sandbox.http_url(), &options);
    let (threads, reports): (u64, u64) = (threads.parse().unwrap(), reports.parse().unwrap());
    thread::scope(|scope| {
        for number in 0..threads {
            let (reporter, outbox) = (&reporter, &outbox);
            scope.spawn(move || {
                let mut dice = Dice::new(number + 1);
                let checkpoints = (number == 0).then(|| connect(outbox));
                for report in 0..reports {
                    if let Some(connection) = checkpoints.as_ref().filter(|_| report % 25 == 24) {
                        checkpoint(connection, report % 50 == 49);
                    }
                    let message_id = format!("{:05x}-{number}-{report}", dice.throw(1 << 20));
                    match reporter.submit(&sms(&message_id, true)) {
                        Ok(()) => marks.mark(ACCEPTED, &message_id),
                        Err(error) => {
                            assert_eq!(error.kind(), Kind::Outbox, "{error}");
                            marks.mark(REFUSED, &message_id);
                        }
                    }
                }
            });
        }
    });
}

/// The outbox as another process has it open, which makes checkpoints more often than the library does by itself.
fn connect(outbox: &Path) -> Connection {
    let connection = Connection::open_with_flags(outbox, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.busy_timeout(SOON).unwrap();
    connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
    connection
}

/// Moves the log to the file, in passing, or so that the log begins anew.
fn checkpoint(connection: &Connection, is_whole: bool) {
    let mode = if is_whole { CheckpointMode::RESTART } else { CheckpointMode::PASSIVE };
    connection.wal_checkpoint_v2(None::<&str>, mode).unwrap();
}

/// What was found on the disk after all cuts.
#[derive(Debug, Default)]
struct Found {
    cuts: usize,
    /// Accepted reports at all cuts, and those that were lost.
    accepted: usize,
    lost: usize,
    cuts_with_losses: usize,
    damaged: Vec<String>,
}

/// Cuts the power at `count` moments, in all four ways.
fn cut_at_many_moments(recording: &Recording, count: usize, seed: u64) -> Found {
    let mut dice = Dice::new(seed);
    let (mut disk, mut found) = (Disk::default(), Found::default());
    let (mut accepted, mut sent) = (Vec::new(), HashSet::new());
    let is_end = |step: &Step| matches!(step, Step::FlushEnds { .. });
    let ends = recording.steps.iter().filter(|step| is_end(step)).count();
    for (number, step) in recording.steps.iter().enumerate() {
        disk.step(step);
        match step {
            Step::Mark(mark) if mark.starts_with(ACCEPTED) => accepted.push(mark.replacen(ACCEPTED, "", 1)),
            Step::Mark(mark) if mark.starts_with(SENT) => drop(sent.insert(mark.replacen(SENT, "", 1))),
            _ => {}
        }
        // Half of the moments are ends of flushes; the others, and all that can be found at the beginning, are any.
        let of = if is_end(step) { 2 * ends } else { 2 * (recording.steps.len() - ends) };
        let is_moment = dice.throw(of as u64) < count as u64 || number < 60 && dice.throw(4) == 0;
        if is_moment || number + 1 == recording.steps.len() {
            for unflushed in Unflushed::ALL {
                found.look(&disk, unflushed, &mut dice, (&accepted, &sent), number);
            }
        }
    }
    found
}

impl Found {
    fn look(
        &mut self,
        disk: &Disk,
        unflushed: Unflushed,
        dice: &mut Dice,
        (accepted, sent): (&[String], &HashSet<String>),
        number: usize,
    ) {
        let folder = Folder::new();
        disk.cut(unflushed, dice, folder.path());
        // The index of the log is no part of the promise: after a cut it holds anything.
        std::fs::write(folder.path().join("outbox-shm"), vec![0xa5; 32 * 1024]).unwrap();
        let pending = match pending(&folder.outbox()) {
            Ok(pending) => pending,
            Err(error) => {
                self.damaged.push(format!("step {number}, {unflushed:?}: {error}"));
                return;
            }
        };
        let lost = accepted.iter().filter(|id| !sent.contains(*id) && !pending.contains(*id)).count();
        self.cuts += 1;
        self.accepted += accepted.len();
        self.lost += lost;
        self.cuts_with_losses += usize::from(lost > 0);
    }
}

/// The reports that a file holds, if it is sound and its books are right.
fn pending(outbox: &Path) -> Result<HashSet<String>, String> {
    let told = |error: rusqlite::Error| error.to_string();
    if !outbox.exists() {
        return Ok(HashSet::new());
    }
    let connection = Connection::open_with_flags(outbox, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(told)?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(told)?;
    if version == 0 {
        return Ok(HashSet::new());
    }
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(told)?;
    let books = common::books::Books::read(outbox).unwrap();
    books.audit();
    let mut statement = connection.prepare("SELECT message_id FROM report").map_err(told)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(told)?;
    let pending = rows.collect::<Result<_, _>>().map_err(told)?;
    if check == "ok" { Ok(pending) } else { Err(check) }
}

fn record(durability: &str, threads: u64, reports: u64, slow_us: u32, failing: Option<u32>) -> Recording {
    let folder = Folder::new();
    let (threads, reports) = (threads.to_string(), reports.to_string());
    let task = [folder.path().to_str().unwrap(), durability, &threads, &reports];
    Recording::of(folder.path(), &Run { function: "work_in_a_child", task: &task, slow_us, failing })
}

const REPORTS: u64 = 1600;

fn moments() -> usize {
    if is_long() { 2000 } else { 50 }
}

#[test]
fn what_was_accepted_survives_a_power_cut_at_any_moment() {
    let (_, seed) = Dice::of_today("power");
    let recording = record("power", 8, REPORTS / 8, 0, None);
    assert_eq!(recording.marks(ACCEPTED) as u64, REPORTS);
    let restarts = log_restarts(&recording);
    let (of_log, of_file) = (recording.flushes("-wal"), recording.flushes("outbox"));
    println!("{} steps, {of_log} flushes of the log, {of_file} of the file, {restarts} logs", recording.steps.len());
    assert!(of_file > 3 && restarts > 2, "no checkpoints, or no new logs, were recorded: {of_file}, {restarts}");
    let found = cut_at_many_moments(&recording, moments(), seed);
    println!("{found:?}");
    assert!(found.lost == 0 && found.damaged.is_empty(), "{found:?}");
    assert!(found.cuts > 100 && found.accepted > 10_000, "{found:?}");
}

#[test]
fn the_same_cuts_lose_reports_that_need_not_survive_them_and_damage_nothing() {
    let (_, seed) = Dice::of_today("power");
    let found = cut_at_many_moments(&record("process", 8, REPORTS / 8, 0, None), moments(), seed);
    println!("{found:?}");
    assert!(found.lost > 0 && found.cuts_with_losses > 10, "these cuts can lose nothing: {found:?}");
    assert!(found.damaged.is_empty(), "{found:?}");
}

/// How often the log was begun: its header is written at its beginning, and nothing else is.
fn log_restarts(recording: &Recording) -> usize {
    let is_header = |step: &&Step| matches!(step, Step::Write { at: 0, bytes, .. } if bytes.len() == 32);
    recording.steps.iter().filter(is_header).count()
}

#[test]
fn threads_share_their_flushes() {
    const REPORTS: usize = 16 * 60;
    // With a disk that takes 20 ms for a flush, so that the threads are back in time for the next one however slow they are.
    let recording = record("power", 16, 60, 20_000, None);
    let flushes = recording.flushes("-wal");
    println!("{flushes} flushes for {REPORTS} reports of 16 threads");
    assert_eq!(recording.marks(ACCEPTED), REPORTS);
    assert!(flushes * 6 <= REPORTS, "{flushes} flushes");
    // No thread has two reports in one flush, for it waits for the first.
    assert!(flushes * 16 >= REPORTS, "{flushes} flushes cannot have covered all reports");
}

#[test]
fn what_is_accepted_after_a_flush_has_failed_survives_a_power_cut_too() {
    let (_, seed) = Dice::of_today("power");
    let recording = record("power", 4, 40, 0, Some(20));
    let refused = recording.marks(REFUSED);
    println!("{refused} reports were refused");
    assert!((1..80).contains(&refused), "{refused} reports were refused for a flush that failed");
    let found = cut_at_many_moments(&recording, moments(), seed);
    println!("{found:?}");
    assert!(found.lost == 0 && found.damaged.is_empty(), "{found:?}");
}
