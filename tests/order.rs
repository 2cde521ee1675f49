//! The later of two reports for one message is what the service hears last, at whatever moment it comes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::service::Service;
use common::{Dice, Folder, IN_MEMORY, LATER, SOON, in_calm_file, is_long, reporter, sms, statistics};
use nexmo_conversion::{Kind, Reporter, ReporterOptions};
use nexmo_sandbox::{Behaviour, Moods};

const THREADS: usize = 4;

/// How many messages a thread has in hand: the second report of one comes when the first one of others is being sent.
const AT_ONCE: usize = 16;

#[test]
fn the_later_report_is_heard_last_with_an_outbox_in_memory() {
    let tries = if is_long() { 100_000 } else { 10_000 };
    let told = play("order in memory", tries, &IN_MEMORY);
    assert!(told.both > tries / 100 && told.replaced > tries / 100, "{told:?}");
}

#[test]
fn the_later_report_is_heard_last_with_an_outbox_in_a_file() {
    let (folder, tries) = (Folder::new(), if is_long() { 100_000 } else { 10_000 });
    let told = play("order in a file", tries, &in_calm_file(&folder.outbox()));
    assert!(told.both > tries / 100 && told.replaced > tries / 100, "{told:?}");
}

/// What happened, so that a test can tell whether it tried what it was to try.
#[derive(Debug)]
struct Told {
    /// Messages of which the service heard both reports.
    both: usize,
    /// Messages whose first report never went out.
    replaced: usize,
}

fn play(name: &str, tries: usize, options: &ReporterOptions<'_>) -> Told {
    let (_, seed) = Dice::of_today(name);
    let service = Service::start();
    let longest_stall = Duration::from_millis(4);
    service.does(Behaviour::Erratic(Moods {
        failing: 1,
        hanging_up: 1,
        stalling: 500,
        longest_stall,
        ..Moods::of_a_bad_day(seed)
    }));
    let reporter = reporter(&service.url, &ReporterOptions { max_in_flight: Some(32), ..*options });
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (reporter, next, service) = (&reporter, &next, &service);
            let mut dice = Dice::new(seed + thread as u64);
            scope.spawn(move || submit_pairs(reporter, next, tries, &mut dice, service));
        }
    });
    reporter.flush(Some(if is_long() { LATER } else { SOON })).unwrap();
    let last_words = service.last_words();
    let wrong: Vec<_> = (0..tries).filter(|number| last_words.get(&format!("id-{number}")) != Some(&true)).collect();
    let taken = service.taken();
    let both = (0..tries).filter(|number| taken.contains_key(&(format!("id-{number}"), false))).count();
    let counted = statistics(&reporter);
    println!(
        "{name}: {tries} messages, {} requests; both reports arrived of {both}, {} were replaced before; overtaken: {}",
        service.count(),
        counted.replaced,
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!((counted.submitted, counted.pending, counted.events), (2 * tries as u64, 0, 0));
    Told { both, replaced: usize::try_from(counted.replaced).unwrap() }
}

/// Takes messages from `next` and submits false and then true for each, with a random distance in between.
fn submit_pairs(reporter: &Reporter, next: &AtomicUsize, tries: usize, dice: &mut Dice, service: &Service) {
    let mut in_hand = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number < tries {
            submit(reporter, number, false);
            in_hand.push(number);
        }
        if in_hand.is_empty() {
            return;
        }
        while in_hand.len() >= AT_ONCE || (number >= tries && !in_hand.is_empty()) {
            let chosen = usize::try_from(dice.throw(in_hand.len() as u64)).unwrap();
            submit(reporter, in_hand.swap_remove(chosen), true);
            // The service is to be kept busy with recent reports, not with a backlog.
            let (heard, limit) = (service.count(), Instant::now() + Duration::from_millis(dice.throw(3)));
            while service.count() < heard + 2 && Instant::now() < limit {
                thread::yield_now();
            }
        }
    }
}

fn submit(reporter: &Reporter, number: usize, delivered: bool) {
    while let Err(error) = reporter.submit(&sms(&format!("id-{number}"), delivered)) {
        assert_eq!(error.kind(), Kind::OutboxBusy, "{error}");
    }
}
