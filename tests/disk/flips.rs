//! Bytes that change at random, before the file is opened and while it is open. Whatever comes of it is a status or a success,
//! in bounded time.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nexmo_conversion::{Kind, Reporter};
use nexmo_sandbox::Behaviour;

use crate::common::service::Service;
use crate::common::{Dice, Folder, SOON, is_long, sms, wait_until};
use crate::torn::left_behind;
use crate::{beside, is_of_the_outbox, set_aside, try_open};

const REPORTS: u64 = 40;

/// How long a call is given that may find what it waits for nowhere.
const PATIENCE: Duration = Duration::from_secs(3);

/// Longer than any call may take here.
const LONGEST: Duration = Duration::from_secs(20);

/// Changes what is at some places of a file, or its length.
fn damage(path: &Path, dice: &mut Dice) -> &'static str {
    let file = File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len().max(1);
    let pages = length.div_ceil(4096);
    let fill = |from: u64, count: u64, dice: &mut Dice| {
        let bytes: Vec<u8> = (0..count).map(|_| u8::try_from(dice.throw(256)).unwrap()).collect();
        file.write_all_at(&bytes, from).unwrap();
    };
    match dice.throw(5) {
        0 => {
            file.set_len(dice.throw(length)).unwrap();
            "cut"
        }
        1 => {
            let page = dice.throw(pages);
            fill(page * 4096, 4096.min(length - page * 4096), dice);
            "a page"
        }
        2 => {
            let page = dice.throw(pages);
            file.write_all_at(&vec![0; usize::try_from(4096.min(length - page * 4096)).unwrap()], page * 4096).unwrap();
            "a page of zeroes"
        }
        3 => {
            fill(dice.throw(length.min(120)), 4, dice);
            "the beginning"
        }
        _ => {
            for _ in 0..=dice.throw(20) {
                fill(dice.throw(length), 1, dice);
            }
            "single bytes"
        }
    }
}

/// What came of it, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// It could not be opened, which was said.
    Refused,
    /// It was set aside, and counted.
    SetAside,
    /// A later call said that something is wrong.
    Told,
    /// Every report arrived.
    Unharmed,
    /// All calls succeeded, and some reports are gone or changed: what SQLite cannot detect.
    Unnoticed,
}

/// Does with an outbox what one does.
fn use_it(outbox: &Path, service: &Service, told: &str) -> End {
    let reporter = match try_open(outbox, &service.url) {
        Ok(reporter) => reporter,
        Err(error) => {
            assert!(is_of_the_outbox(error.kind()), "{told}: {error}");
            return End::Refused;
        }
    };
    let submitted = reporter.submit(&sms("after", true));
    let flushed = submitted.clone().and_then(|()| reporter.flush(Some(PATIENCE)));
    let statistics = reporter.statistics();
    for error in [&submitted.err(), &statistics.as_ref().err().cloned()].into_iter().flatten() {
        assert!(is_of_the_outbox(error.kind()), "{told}: {error}");
    }
    let taken = service.taken();
    let is_whole = (0..REPORTS).all(|number| taken.contains_key(&(format!("id-{number}"), true)));
    match (statistics, flushed) {
        (Ok(statistics), flushed) if statistics.outbox_resets > 0 => {
            assert_eq!(set_aside(outbox).len() as u64, statistics.outbox_resets, "{told}");
            // The first report may have been lost with the old file.
            let well = reporter.submit(&sms("well", true)).and_then(|()| reporter.flush(Some(SOON)));
            assert!(
                well.is_ok() && service.taken().contains_key(&("well".to_owned(), true)),
                "{told}: {flushed:?}, {well:?}"
            );
            End::SetAside
        }
        (Ok(_), Ok(())) if is_whole && taken.len() as u64 == REPORTS + 1 => End::Unharmed,
        (Ok(statistics), Ok(())) if statistics.outbox_errors == 0 => End::Unnoticed,
        _ => End::Told,
    }
}

#[test]
fn random_damage_ends_in_a_status_or_a_success() {
    let (mut dice, _) = Dice::of_today("flips");
    let rounds = if is_long() { 1000 } else { 80 };
    let service = Service::doing(Behaviour::Unavailable(None));
    let mut tally: BTreeMap<(&str, End), u32> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    // One outbox in its log, one in its file.
    let originals = [Folder::new(), Folder::new()];
    left_behind(&originals[0].outbox(), &service.url, REPORTS, false);
    left_behind(&originals[1].outbox(), &service.url, REPORTS, true);
    service.recover();
    for round in 0..rounds {
        let (folder, is_moved) = (Folder::new(), dice.throw(3) > 0);
        let outbox = folder.outbox();
        for ending in ["", "-wal", ".lock"] {
            let original = beside(&originals[usize::from(is_moved)].outbox(), ending);
            if original.exists() {
                fs::copy(original, beside(&outbox, ending)).unwrap();
            }
        }
        let ending = if is_moved { "" } else { "-wal" };
        let how = damage(&beside(&outbox, ending), &mut dice);
        service.forget();
        let began = Instant::now();
        let told = format!("round {round}, {how} of {}", if is_moved { "the file" } else { "the log" });
        let end = use_it(&outbox, &service, &told);
        slowest = slowest.max(began.elapsed());
        assert!(began.elapsed() < LONGEST, "{told}: {:?}", began.elapsed());
        *tally.entry((if is_moved { "file" } else { "log" }, end)).or_default() += 1;
    }
    tally.iter().for_each(|((what, end), count)| println!("{what:>5} {end:?}: {count}"));
    println!("the slowest round took {slowest:?}");
    let count = |end: End| tally.iter().filter(|((_, other), _)| *other == end).map(|(_, count)| count).sum::<u32>();
    assert!(count(End::SetAside) > 5, "no damage was noticed: {tally:?}");
}

#[test]
fn bytes_that_change_while_the_file_is_open_end_in_a_status_or_a_success() {
    let (mut dice, _) = Dice::of_today("flips while open");
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    let mut reporter = try_open(&outbox, &service.url).unwrap();
    let rounds = if is_long() { 3000 } else { 150 };
    let mut tally: BTreeMap<String, u32> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let ending = if dice.throw(2) == 0 { "" } else { "-wal" };
        if let Ok(file) = File::options().write(true).open(beside(&outbox, ending)) {
            let length = file.metadata().unwrap().len();
            for _ in 0..=dice.throw(200) {
                file.write_all_at(&[u8::try_from(dice.throw(256)).unwrap()], dice.throw(length.max(1))).unwrap();
            }
        }
        let began = Instant::now();
        for number in 0..4 {
            count(&mut tally, "submit", reporter.submit(&sms(&format!("id-{round}-{number}"), true)));
        }
        count(&mut tally, "statistics", reporter.statistics().map(drop));
        count(&mut tally, "poll", reporter.poll(Some(Duration::ZERO)).map(drop));
        if dice.throw(10) == 0 {
            count(&mut tally, "flush", reporter.flush(Some(Duration::from_millis(50))));
        }
        // What is in memory hides what is on the disk, until somebody reads it anew; first beside the one that has it open,
        // then alone.
        if dice.throw(5) == 0 {
            count(&mut tally, "new", try_open(&outbox, &service.url).map(drop));
            drop(reporter);
            reporter = open_alone(&outbox, &service, &mut tally);
        }
        slowest = slowest.max(began.elapsed());
        assert!(began.elapsed() < LONGEST, "round {round}: {:?}", began.elapsed());
    }
    tally.iter().for_each(|(what, count)| println!("{what}: {count}"));
    println!("the slowest round took {slowest:?}, {} files were set aside", set_aside(&outbox).len());
    assert!(!set_aside(&outbox).is_empty(), "no damage was noticed: {tally:?}");
    becomes_well(&reporter, &service);
}

fn count(tally: &mut BTreeMap<String, u32>, call: &str, result: Result<(), nexmo_conversion::Error>) {
    let kind = result.map_err(|error| error.kind());
    let is_known = |kind: Kind| is_of_the_outbox(kind) || matches!(kind, Kind::Pending);
    assert!(kind.is_ok() || kind.is_err_and(is_known), "{call}: {kind:?}");
    let told = kind.map_or_else(|kind| format!("{kind:?}"), |()| "ok".to_owned());
    *tally.entry(format!("{call} {told}")).or_default() += 1;
}

/// Opens an outbox that nobody else has open, or is about to have open no more. One that looks as if it belonged to somebody
/// else stays what it is until somebody takes it away.
fn open_alone(outbox: &Path, service: &Service, tally: &mut BTreeMap<String, u32>) -> Reporter {
    let (began, mut opened) = (Instant::now(), None);
    wait_until("a reporter of its own", SOON, || {
        let tried = try_open(outbox, &service.url);
        let is_foreign =
            tried.as_ref().is_err_and(|error| matches!(error.kind(), Kind::Outbox | Kind::OutboxWrongAccount));
        if is_foreign && began.elapsed() > PATIENCE {
            count(tally, "new by hand", tried.map(drop));
            ["", "-wal", "-shm"].iter().for_each(|ending| drop(fs::remove_file(beside(outbox, ending))));
            return false;
        }
        opened = tried.ok();
        opened.is_some()
    });
    opened.unwrap()
}

/// Once the bytes stay what they are, reports are accepted and sent again. What was damaged without notice may stay.
fn becomes_well(reporter: &Reporter, service: &Service) {
    let mut number = 0;
    wait_until("a report that arrives", SOON, || {
        number += 1;
        let id = format!("well-{number}");
        reporter.submit(&sms(&id, true)).is_ok()
            && reporter.flush(Some(PATIENCE)).is_ok()
            && service.taken().contains_key(&(id, true))
    });
}
