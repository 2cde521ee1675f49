//! Tests that reports that were submitted with durability *power* survive a power loss.
//!
//! A test cannot cut the power. Instead, a recorder records the changes that a child process makes to the files in its
//! folder. The test then simulates a power loss at many points of the recording (see `disk.rs`), and each time checks
//! what is left on the disk. With durability *process*, which guarantees less, some reports must be lost, which proves
//! that the test can detect a loss.
//!
//! Neither the library nor this test can detect a disk that acknowledges flushes without performing them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "../../common/mod.rs"]
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
use nexmo_sandbox::{Observer, Sandbox, Settings};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, OpenFlags};

use crate::common::process::children;
use crate::common::{Folder, SOON, SeededRng, in_file, is_long, reporter, sms};
use crate::disk::{Disk, Unflushed};
use crate::recording::{MARKS, Recording, Run, Step};

children![work_in_a_child, events::handle_events_in_a_child];

/// The prefixes of the child's marks: a report was submitted, its submit failed, or the service accepted it.
const ACCEPTED: &str = "accepted ";
const FAILED: &str = "failed ";
const SENT: &str = "sent ";

/// A file of marks. The recorder records each line of this file in order with all other changes.
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

fn work_in_a_child(task: &[String]) {
    let [folder, durability, threads, reports] = task else { panic!("{task:?}") };
    let folder = Path::new(folder);
    let marks: &'static Marks = Box::leak(Box::new(Marks::open(folder)));
    let observer = Observer::new(|record| marks.mark(SENT, record.message_id.as_deref().unwrap()));
    let settings = Settings { keep: false, observer: Some(observer), ..Settings::default() };
    let sandbox = Sandbox::start(settings).unwrap();
    let outbox = folder.join("outbox");
    let durability = if durability == "power" { Durability::Power } else { Durability::Process };
    // With a long busy timeout, no submit fails because the disk is slow.
    let options = ReporterOptions { durability, busy_timeout: Some(SOON), ..in_file(&outbox) };
    let reporter = reporter(&sandbox.http_url(), &options);
    let (threads, reports): (u64, u64) = (threads.parse().unwrap(), reports.parse().unwrap());
    thread::scope(|scope| {
        for number in 0..threads {
            let (reporter, outbox) = (&reporter, &outbox);
            scope.spawn(move || {
                let mut rng = SeededRng::new(number + 1);
                let checkpoints = (number == 0).then(|| connect(outbox));
                for report in 0..reports {
                    if let Some(connection) = checkpoints.as_ref().filter(|_| report % 25 == 24) {
                        checkpoint(connection, report % 50 == 49);
                    }
                    let message_id = format!("{:05x}-{number}-{report}", rng.below(1 << 20));
                    match reporter.submit(&sms(&message_id, true)) {
                        Ok(()) => marks.mark(ACCEPTED, &message_id),
                        Err(error) => {
                            assert_eq!(error.kind(), Kind::Outbox, "{error}");
                            marks.mark(FAILED, &message_id);
                        }
                    }
                }
            });
        }
    });
}

/// Opens the outbox as another process would, so the test can make checkpoints more often than the library does.
fn connect(outbox: &Path) -> Connection {
    let connection = Connection::open_with_flags(outbox, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.busy_timeout(SOON).unwrap();
    connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
    connection
}

/// Makes a passive checkpoint, or a full one after which the write-ahead log restarts.
fn checkpoint(connection: &Connection, is_whole: bool) {
    let mode = if is_whole { CheckpointMode::RESTART } else { CheckpointMode::PASSIVE };
    connection.wal_checkpoint_v2(None::<&str>, mode).unwrap();
}

/// The results of all simulated power losses.
#[derive(Debug, Default)]
struct Found {
    cuts: usize,
    /// The number of submitted reports, summed over all power losses.
    accepted: usize,
    lost: usize,
    cuts_with_losses: usize,
    damaged: Vec<String>,
}

/// Simulates a power loss in all four ways at each of about `count` points of the recording.
fn cut_at_many_moments(recording: &Recording, count: usize, seed: u64) -> Found {
    let mut rng = SeededRng::new(seed);
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
        // About half of the chosen steps are ends of flushes, and half are other steps. Of the first 60 steps, about a
        // quarter is chosen in addition.
        let of = if is_end(step) { 2 * ends } else { 2 * (recording.steps.len() - ends) };
        let is_moment = rng.below(of as u64) < count as u64 || number < 60 && rng.below(4) == 0;
        if is_moment || number + 1 == recording.steps.len() {
            for unflushed in Unflushed::ALL {
                found.look(&disk, unflushed, &mut rng, (&accepted, &sent), number);
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
        rng: &mut SeededRng,
        (accepted, sent): (&[String], &HashSet<String>),
        number: usize,
    ) {
        let folder = Folder::new();
        disk.cut(unflushed, rng, folder.path());
        // After a power loss, the index of the write-ahead log may contain anything.
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

/// Returns the reports in a file, or an error if the file cannot be read or fails the integrity check. Panics if the
/// counters are wrong.
fn pending(outbox: &Path) -> Result<HashSet<String>, String> {
    let to_text = |error: rusqlite::Error| error.to_string();
    if !outbox.exists() {
        return Ok(HashSet::new());
    }
    let connection = Connection::open_with_flags(outbox, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(to_text)?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(to_text)?;
    if version == 0 {
        return Ok(HashSet::new());
    }
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(to_text)?;
    let contents = common::outbox_db::OutboxContents::read(outbox).unwrap();
    contents.audit();
    let mut statement = connection.prepare("SELECT message_id FROM report").map_err(to_text)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(to_text)?;
    let pending = rows.collect::<Result<_, _>>().map_err(to_text)?;
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
fn submitted_reports_survive_power_loss_at_any_moment() {
    let (_, seed) = SeededRng::from_environment("power");
    let recording = record("power", 8, REPORTS / 8, 0, None);
    assert_eq!(recording.marks(ACCEPTED) as u64, REPORTS);
    let restarts = log_restarts(&recording);
    let (of_log, of_file) = (recording.flushes("-wal"), recording.flushes("outbox"));
    println!(
        "{} steps, {of_log} flushes of the log, {of_file} flushes of the file, {restarts} restarts of the log",
        recording.steps.len()
    );
    assert!(
        of_file > 3 && restarts > 2,
        "too few checkpoints or restarts of the log were recorded: {of_file}, {restarts}"
    );
    let found = cut_at_many_moments(&recording, moments(), seed);
    println!("{found:?}");
    assert!(found.lost == 0 && found.damaged.is_empty(), "{found:?}");
    assert!(found.cuts > 100 && found.accepted > 10_000, "{found:?}");
}

#[test]
fn without_power_durability_reports_are_lost_and_nothing_is_corrupt() {
    let (_, seed) = SeededRng::from_environment("power");
    let found = cut_at_many_moments(&record("process", 8, REPORTS / 8, 0, None), moments(), seed);
    println!("{found:?}");
    assert!(found.lost > 0 && found.cuts_with_losses > 10, "too few simulated power losses lost a report: {found:?}");
    assert!(found.damaged.is_empty(), "{found:?}");
}

/// Returns the number of times that the write-ahead log was started or restarted. Each time, SQLite writes a header of
/// 32 bytes at offset 0.
fn log_restarts(recording: &Recording) -> usize {
    let is_header = |step: &&Step| matches!(step, Step::Write { at: 0, bytes, .. } if bytes.len() == 32);
    recording.steps.iter().filter(is_header).count()
}

#[test]
fn threads_share_their_flushes() {
    const REPORTS: usize = 16 * 60;
    // Each flush takes at least 20 ms here, so even slow threads submit again before the next flush.
    let recording = record("power", 16, 60, 20_000, None);
    let flushes = recording.flushes("-wal");
    println!("{flushes} flushes for {REPORTS} reports of 16 threads");
    assert_eq!(recording.marks(ACCEPTED), REPORTS);
    assert!(flushes * 6 <= REPORTS, "{flushes} flushes are too many for {REPORTS} reports");
    // A thread waits for the flush of its report, so a flush covers at most one report of each thread.
    assert!(flushes * 16 >= REPORTS, "{flushes} flushes cannot have covered all reports");
}

#[test]
fn reports_submitted_after_a_failed_flush_survive_power_loss_too() {
    let (_, seed) = SeededRng::from_environment("power");
    let recording = record("power", 4, 40, 0, Some(20));
    let failed = recording.marks(FAILED);
    println!("{failed} submits failed");
    assert!((1..80).contains(&failed), "a failed flush must make only some submits fail, not {failed}");
    let found = cut_at_many_moments(&recording, moments(), seed);
    println!("{found:?}");
    assert!(found.lost == 0 && found.damaged.is_empty(), "{found:?}");
}
