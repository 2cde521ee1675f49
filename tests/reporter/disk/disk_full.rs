//! Tests a full disk and a read-only file system.

use std::collections::HashMap;
use std::time::Instant;

use nexmo_conversion::{Kind, Reporter};
use nexmo_sandbox::Behaviour;

use crate::common::outbox_db::{OutboxContents, assert_sound};
use crate::common::service::{Service, duplicates};
use crate::common::{LATER, SOON, SeededRng, in_file, is_long, reporter, sms, statistics, wait_until};
use crate::small_fs::SmallFileSystem;
use crate::{BUSY_TIMEOUT_AND_MARGIN, NOWHERE, is_of_the_outbox, open_error, try_open};

/// Submits reports until a submit fails. Returns the number of stored reports and the kind of the failure.
fn submit_until_full(reporter: &Reporter, rng: &mut SeededRng) -> (u64, Kind) {
    for number in 0..1_000_000 {
        if let Err(error) = reporter.submit(&sms(&format!("{:08x}-{number}", rng.below(1 << 32)), true)) {
            return (number, error.kind());
        }
    }
    panic!("no submit failed: the disk is not full");
}

/// Checks that every stored report was sent once, that the outbox is empty, and that new reports can be submitted.
fn assert_recovered(file_system: &SmallFileSystem, reporter: &Reporter, service: &Service, accepted: u64) {
    let began = Instant::now();
    reporter.flush(Some(LATER)).unwrap();
    println!("{accepted} reports were sent and deleted in {:?}", began.elapsed());
    let statistics = statistics(reporter);
    assert_eq!((statistics.submitted, statistics.accepted, statistics.pending), (accepted, accepted, 0));
    let arrived = service.arrived();
    assert_eq!(
        (arrived.len() as u64, duplicates(&arrived)),
        (accepted, 0),
        "every stored report must be sent exactly once"
    );
    wait_until("a submit that succeeds", SOON, || reporter.submit(&sms("space-again", true)).is_ok());
    reporter.flush(Some(SOON)).unwrap();
    let contents = OutboxContents::read(&file_system.outbox()).unwrap();
    contents.audit();
    assert_eq!((contents.submitted, contents.rows), (accepted + 1, 0));
    assert_sound(&file_system.outbox());
}

#[test]
fn a_disk_that_fills_up_fails_submits_and_every_stored_report_is_sent_once() {
    let sizes: &[u32] = if is_long() { &[1024, 1500, 2048, 4096, 12_000, 40_000] } else { &[1024, 1500, 2048] };
    for kilobytes in sizes.iter().copied() {
        let Some(file_system) = SmallFileSystem::of(kilobytes) else {
            return;
        };
        let service = Service::with_behaviour(Behaviour::Unavailable(None));
        let outbox = file_system.outbox();
        let reporter = reporter(&service.url, &in_file(&outbox));
        let (accepted, kind) = submit_until_full(&reporter, &mut SeededRng::new(u64::from(kilobytes)));
        println!("{accepted} reports filled {kilobytes} KiB");
        assert_eq!(kind, Kind::OutboxFull);
        assert!(accepted > 20, "only {accepted} reports were stored");
        service.recover();
        service.forget();
        assert_recovered(&file_system, &reporter, &service, accepted);
    }
}

#[test]
fn a_disk_filled_by_another_program_does_not_prevent_sending() {
    let Some(file_system) = SmallFileSystem::of(8192) else {
        return;
    };
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let outbox = file_system.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    let mut rng = SeededRng::new(1);
    for number in 0..500 {
        reporter.submit(&sms(&format!("{:08x}-{number}", rng.below(1 << 32)), true)).unwrap();
    }
    let filling = file_system.fill();
    let (more, kind) = submit_until_full(&reporter, &mut rng);
    assert_eq!(kind, Kind::OutboxFull);
    service.recover();
    service.forget();
    let count = usize::try_from(500 + more).unwrap();
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() == count);
    println!("the full disk had space for {more} more reports, and all were sent: {:?}", statistics(&reporter));
    std::fs::remove_file(filling).unwrap();
    assert_recovered(&file_system, &reporter, &service, 500 + more);
}

#[test]
fn reports_sent_while_the_disk_is_full_are_deleted_with_the_reserve_alone() {
    let Some(file_system) = SmallFileSystem::of(8192) else {
        return;
    };
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let outbox = file_system.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    let mut rng = SeededRng::new(2);
    for number in 0..500 {
        reporter.submit(&sms(&format!("{:08x}-{number}", rng.below(1 << 32)), true)).unwrap();
    }
    file_system.fill();
    service.recover();
    service.forget();
    reporter.flush(Some(SOON)).unwrap();
    let statistics = statistics(&reporter);
    assert_eq!((statistics.accepted, statistics.pending), (500, 0), "{statistics:?}");
    let arrived: HashMap<_, _> = service.arrived();
    assert_eq!((arrived.len(), duplicates(&arrived)), (500, 0));
}

#[test]
fn an_outbox_cannot_be_created_on_a_full_disk() {
    let Some(file_system) = SmallFileSystem::of(64) else {
        return;
    };
    let filling = file_system.fill();
    assert_eq!(open_error(&file_system.outbox()), Kind::OutboxFull);
    assert_eq!(open_error(&file_system.outbox()), Kind::OutboxFull);
    std::fs::remove_file(filling).unwrap();
    // The free space may be too small for the index of the write-ahead log, which needs 32 KiB.
    match try_open(&file_system.outbox(), NOWHERE) {
        Ok(reporter) => drop(reporter.submit(&sms("id", true))),
        Err(error) => assert_eq!(error.kind(), Kind::OutboxFull, "{error}"),
    }
}

#[test]
fn an_outbox_on_a_read_only_file_system_fails_until_it_is_writable_again() {
    let Some(file_system) = SmallFileSystem::of(8192) else {
        return;
    };
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let outbox = file_system.outbox();
    let first = reporter(&service.url, &in_file(&outbox));
    first.submit(&sms("before", true)).unwrap();
    drop(first);
    // A file system cannot become read-only while a file is open for writing. The worker closes its files soon
    // after the drop.
    wait_until("a remount", SOON, || file_system.make_read_only().is_ok());
    let began = Instant::now();
    let error = try_open(&outbox, &service.url).err().expect("an outbox on a read-only file system must not be opened");
    assert!(is_of_the_outbox(error.kind()) && began.elapsed() < BUSY_TIMEOUT_AND_MARGIN, "{error}");
    file_system.make_writable();
    service.recover();
    let second = reporter(&service.url, &in_file(&outbox));
    second.submit(&sms("after", true)).unwrap();
    second.flush(Some(SOON)).unwrap();
    assert_eq!(statistics(&second).accepted, 2);
}
