//! Tests that, of two reports for one message, the service receives the later one last.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::service::Service;
use common::{Folder, IN_MEMORY, LATER, SOON, SeededRng, in_calm_file, is_long, reporter, sms, statistics};
use nexmo_conversion::{Kind, Reporter, ReporterOptions};
use nexmo_sandbox::{Behaviour, RandomFaults};

const THREADS: usize = 4;

/// The number of messages for which a thread has submitted the first report before it submits a second one. First
/// reports are thus being sent when second ones are submitted.
const AT_ONCE: usize = 16;

#[test]
fn the_later_report_is_received_last_with_an_outbox_in_memory() {
    let tries = if is_long() { 100_000 } else { 10_000 };
    let observed = play("order in memory", tries, &IN_MEMORY);
    assert!(observed.both > tries / 100 && observed.replaced > tries / 100, "{observed:?}");
}

#[test]
fn the_later_report_is_received_last_with_an_outbox_in_a_file() {
    let (folder, tries) = (Folder::new(), if is_long() { 100_000 } else { 10_000 });
    let observed = play("order in a file", tries, &in_calm_file(&folder.outbox()));
    assert!(observed.both > tries / 100 && observed.replaced > tries / 100, "{observed:?}");
}

/// How often each of two cases occurred. The tests require both to occur often.
#[derive(Debug)]
struct Observed {
    /// The number of messages for which the service accepted both reports.
    both: usize,
    /// The number of messages whose second report replaced the first one in the outbox.
    replaced: usize,
}

fn play(name: &str, tries: usize, options: &ReporterOptions<'_>) -> Observed {
    let (_, seed) = SeededRng::from_environment(name);
    let service = Service::start();
    let max_delay = Duration::from_millis(4);
    service.does(Behaviour::Erratic(RandomFaults {
        errors: 1,
        disconnects: 1,
        delays: 500,
        max_delay,
        ..RandomFaults::seeded(seed)
    }));
    let reporter = reporter(&service.url, &ReporterOptions { max_in_flight: Some(32), ..*options });
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (reporter, next, service) = (&reporter, &next, &service);
            let mut rng = SeededRng::new(seed + thread as u64);
            scope.spawn(move || submit_pairs(reporter, next, tries, &mut rng, service));
        }
    });
    reporter.flush(Some(if is_long() { LATER } else { SOON })).unwrap();
    let last_versions = service.last_versions();
    let wrong: Vec<_> = (0..tries).filter(|number| last_versions.get(&format!("id-{number}")) != Some(&true)).collect();
    let arrived = service.arrived();
    let both = (0..tries).filter(|number| arrived.contains_key(&(format!("id-{number}"), false))).count();
    let counted = statistics(&reporter);
    println!(
        "{name}: {tries} messages, {} requests; both reports arrived for {both} messages, {} reports were replaced, {} overtaken",
        service.count(),
        counted.replaced,
        wrong.len()
    );
    assert!(wrong.is_empty(), "the later report did not arrive last for {wrong:?}");
    assert_eq!((counted.submitted, counted.pending, counted.events), (2 * tries as u64, 0, 0));
    Observed { both, replaced: usize::try_from(counted.replaced).unwrap() }
}

/// Takes message numbers from `next`. Submits false and later true for each message, with other reports in between.
fn submit_pairs(reporter: &Reporter, next: &AtomicUsize, tries: usize, rng: &mut SeededRng, service: &Service) {
    let mut started = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number < tries {
            submit(reporter, number, false);
            started.push(number);
        }
        if started.is_empty() {
            return;
        }
        while started.len() >= AT_ONCE || (number >= tries && !started.is_empty()) {
            let chosen = usize::try_from(rng.below(started.len() as u64)).unwrap();
            submit(reporter, started.swap_remove(chosen), true);
            // Waits briefly, so that no backlog builds up.
            let (received, limit) = (service.count(), Instant::now() + Duration::from_millis(rng.below(3)));
            while service.count() < received + 2 && Instant::now() < limit {
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
