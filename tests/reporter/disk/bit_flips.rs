//! Tests an outbox whose bytes are corrupted at random, before it is opened or while it is open. Every call succeeds or
//! returns a documented error within a time limit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nexmo_conversion::{Kind, Reporter};
use nexmo_sandbox::Behaviour;

use crate::common::service::Service;
use crate::common::{Folder, SOON, SeededRng, is_long, sms, wait_until};
use crate::corrupt::left_behind;
use crate::{is_of_the_outbox, quarantined, sidecar, try_open};

const REPORTS: u64 = 40;

/// The time limit of a flush that may never succeed because of the corruption.
const FLUSH_LIMIT: Duration = Duration::from_secs(3);

/// The maximum duration of a round.
const LONGEST: Duration = Duration::from_secs(20);

/// Changes some bytes of a file or its length, and returns a description of the change.
fn damage(path: &Path, rng: &mut SeededRng) -> &'static str {
    let file = File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len().max(1);
    let pages = length.div_ceil(4096);
    let fill = |from: u64, count: u64, rng: &mut SeededRng| {
        let bytes: Vec<u8> = (0..count).map(|_| u8::try_from(rng.below(256)).unwrap()).collect();
        file.write_all_at(&bytes, from).unwrap();
    };
    match rng.below(5) {
        0 => {
            file.set_len(rng.below(length)).unwrap();
            "cut"
        }
        1 => {
            let page = rng.below(pages);
            fill(page * 4096, 4096.min(length - page * 4096), rng);
            "a page"
        }
        2 => {
            let page = rng.below(pages);
            file.write_all_at(&vec![0; usize::try_from(4096.min(length - page * 4096)).unwrap()], page * 4096).unwrap();
            "a page of zeroes"
        }
        3 => {
            fill(rng.below(length.min(120)), 4, rng);
            "the beginning"
        }
        _ => {
            for _ in 0..=rng.below(20) {
                fill(rng.below(length), 1, rng);
            }
            "single bytes"
        }
    }
}

/// The outcome of using an outbox with random corruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Opening the outbox returned an error.
    OpenFailed,
    /// The outbox was quarantined and counted.
    Quarantined,
    /// A later call returned an error, or the reporter counted one.
    CallFailed,
    /// Every report arrived.
    Intact,
    /// All calls succeeded although some reports are missing or changed: the corruption was not detected.
    Undetected,
}

/// Opens an outbox, submits a report and sends all reports, as a program would.
fn use_outbox(outbox: &Path, service: &Service, description: &str) -> Outcome {
    let reporter = match try_open(outbox, &service.url) {
        Ok(reporter) => reporter,
        Err(error) => {
            assert!(is_of_the_outbox(error.kind()), "{description}: {error}");
            return Outcome::OpenFailed;
        }
    };
    let submitted = reporter.submit(&sms("after", true));
    let flushed = submitted.clone().and_then(|()| reporter.flush(Some(FLUSH_LIMIT)));
    let statistics = reporter.statistics();
    for error in [&submitted.err(), &statistics.as_ref().err().cloned()].into_iter().flatten() {
        assert!(is_of_the_outbox(error.kind()), "{description}: {error}");
    }
    let arrived = service.arrived();
    let is_whole = (0..REPORTS).all(|number| arrived.contains_key(&(format!("id-{number}"), true)));
    match (statistics, flushed) {
        (Ok(statistics), flushed) if statistics.outbox_resets > 0 => {
            assert_eq!(quarantined(outbox).len() as u64, statistics.outbox_resets, "{description}");
            // The report "after" may have been lost with the old file.
            let well = reporter.submit(&sms("well", true)).and_then(|()| reporter.flush(Some(SOON)));
            assert!(
                well.is_ok() && service.arrived().contains_key(&("well".to_owned(), true)),
                "{description}: {flushed:?}, {well:?}"
            );
            Outcome::Quarantined
        }
        (Ok(_), Ok(())) if is_whole && arrived.len() as u64 == REPORTS + 1 => Outcome::Intact,
        (Ok(statistics), Ok(())) if statistics.outbox_errors == 0 => Outcome::Undetected,
        _ => Outcome::CallFailed,
    }
}

#[test]
fn every_call_returns_after_random_corruption() {
    let (mut rng, _) = SeededRng::from_environment("bit flips");
    let rounds = if is_long() { 1000 } else { 80 };
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let mut counts: BTreeMap<(&str, Outcome), u32> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    // The first outbox has its data in the write-ahead log, the second in the database file.
    let originals = [Folder::new(), Folder::new()];
    left_behind(&originals[0].outbox(), &service.url, REPORTS, false);
    left_behind(&originals[1].outbox(), &service.url, REPORTS, true);
    service.recover();
    for round in 0..rounds {
        let (folder, is_moved) = (Folder::new(), rng.below(3) > 0);
        let outbox = folder.outbox();
        for ending in ["", "-wal", ".lock"] {
            let original = sidecar(&originals[usize::from(is_moved)].outbox(), ending);
            if original.exists() {
                fs::copy(original, sidecar(&outbox, ending)).unwrap();
            }
        }
        let ending = if is_moved { "" } else { "-wal" };
        let how = damage(&sidecar(&outbox, ending), &mut rng);
        service.forget();
        let began = Instant::now();
        let description = format!("round {round}, {how} of {}", if is_moved { "the file" } else { "the log" });
        let end = use_outbox(&outbox, &service, &description);
        slowest = slowest.max(began.elapsed());
        assert!(began.elapsed() < LONGEST, "{description} took {:?}", began.elapsed());
        *counts.entry((if is_moved { "file" } else { "log" }, end)).or_default() += 1;
    }
    counts.iter().for_each(|((what, end), count)| println!("{what:>5} {end:?}: {count}"));
    println!("the slowest round took {slowest:?}");
    let count =
        |end: Outcome| counts.iter().filter(|((_, other), _)| *other == end).map(|(_, count)| count).sum::<u32>();
    assert!(count(Outcome::Quarantined) > 5, "too few files were quarantined: {counts:?}");
}

#[test]
fn every_call_returns_after_corruption_while_the_file_is_open() {
    let (mut rng, _) = SeededRng::from_environment("bit flips while open");
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    let mut reporter = try_open(&outbox, &service.url).unwrap();
    let rounds = if is_long() { 3000 } else { 150 };
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let ending = if rng.below(2) == 0 { "" } else { "-wal" };
        if let Ok(file) = File::options().write(true).open(sidecar(&outbox, ending)) {
            let length = file.metadata().unwrap().len();
            for _ in 0..=rng.below(200) {
                file.write_all_at(&[u8::try_from(rng.below(256)).unwrap()], rng.below(length.max(1))).unwrap();
            }
        }
        let began = Instant::now();
        for number in 0..4 {
            count(&mut counts, "submit", reporter.submit(&sms(&format!("id-{round}-{number}"), true)));
        }
        count(&mut counts, "statistics", reporter.statistics().map(drop));
        count(&mut counts, "poll", reporter.poll(Some(Duration::ZERO)).map(drop));
        if rng.below(10) == 0 {
            count(&mut counts, "flush", reporter.flush(Some(Duration::from_millis(50))));
        }
        // An open connection may not see the changes on disk, because it caches pages. So a new reporter opens the
        // outbox, first while this one has it open and then alone.
        if rng.below(5) == 0 {
            count(&mut counts, "new", try_open(&outbox, &service.url).map(drop));
            drop(reporter);
            reporter = open_alone(&outbox, &service, &mut counts);
        }
        slowest = slowest.max(began.elapsed());
        assert!(began.elapsed() < LONGEST, "round {round} took {:?}", began.elapsed());
    }
    counts.iter().for_each(|(what, count)| println!("{what}: {count}"));
    println!("the slowest round took {slowest:?}, {} files were quarantined", quarantined(&outbox).len());
    assert!(!quarantined(&outbox).is_empty(), "no file was quarantined: {counts:?}");
    recovers(&reporter, &service);
}

fn count(counts: &mut BTreeMap<String, u32>, call: &str, result: Result<(), nexmo_conversion::Error>) {
    let kind = result.map_err(|error| error.kind());
    let is_known = |kind: Kind| is_of_the_outbox(kind) || matches!(kind, Kind::Pending);
    assert!(kind.is_ok() || kind.is_err_and(is_known), "{call}: {kind:?}");
    let description = kind.map_or_else(|kind| format!("{kind:?}"), |()| "ok".to_owned());
    *counts.entry(format!("{call} {description}")).or_default() += 1;
}

/// Opens an outbox once the previous reporter has closed it. Removes an outbox whose corruption makes it appear to
/// belong to another account or program, because the library leaves such a file unchanged.
fn open_alone(outbox: &Path, service: &Service, counts: &mut BTreeMap<String, u32>) -> Reporter {
    let (began, mut opened) = (Instant::now(), None);
    wait_until("a new reporter", SOON, || {
        let tried = try_open(outbox, &service.url);
        let is_foreign =
            tried.as_ref().is_err_and(|error| matches!(error.kind(), Kind::Outbox | Kind::OutboxWrongAccount));
        if is_foreign && began.elapsed() > FLUSH_LIMIT {
            count(counts, "new before a removal", tried.map(drop));
            ["", "-wal", "-shm"].iter().for_each(|ending| drop(fs::remove_file(sidecar(outbox, ending))));
            return false;
        }
        opened = tried.ok();
        opened.is_some()
    });
    opened.unwrap()
}

/// Waits until a new report can be stored and sent after the last corruption. Undetected corruption may remain.
fn recovers(reporter: &Reporter, service: &Service) {
    let mut number = 0;
    wait_until("a report that arrives", SOON, || {
        number += 1;
        let id = format!("well-{number}");
        reporter.submit(&sms(&id, true)).is_ok()
            && reporter.flush(Some(FLUSH_LIMIT)).is_ok()
            && service.arrived().contains_key(&(id, true))
    });
}
