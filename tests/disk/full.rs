//! No room on the disk, or none to write in.

use std::collections::HashMap;
use std::time::Instant;

use nexmo_conversion::{Kind, Reporter};
use nexmo_sandbox::Behaviour;

use crate::common::books::{Books, assert_sound};
use crate::common::service::{Service, duplicates};
use crate::common::{Dice, LATER, SOON, in_file, is_long, reporter, sms, statistics, wait_until};
use crate::room::Room;
use crate::{LOCK_WAIT_AND_MARGIN, NOWHERE, is_of_the_outbox, refusal, try_open};

/// Submits reports until one is refused. Their number, and why the last was refused.
fn submit_until_refused(reporter: &Reporter, dice: &mut Dice) -> (u64, Kind) {
    for number in 0..1_000_000 {
        if let Err(error) = reporter.submit(&sms(&format!("{:08x}-{number}", dice.throw(1 << 32)), true)) {
            return (number, error.kind());
        }
    }
    panic!("the disk has no end");
}

/// Everything that was accepted was sent once, the outbox is empty, and there is room for new reports.
fn all_is_well(room: &Room, reporter: &Reporter, service: &Service, accepted: u64) {
    let began = Instant::now();
    reporter.flush(Some(LATER)).unwrap();
    println!("{accepted} reports were sent and taken out in {:?}", began.elapsed());
    let statistics = statistics(reporter);
    assert_eq!((statistics.submitted, statistics.accepted, statistics.pending), (accepted, accepted, 0));
    let taken = service.taken();
    assert_eq!((taken.len() as u64, duplicates(&taken)), (accepted, 0), "what was sent is not sent again");
    wait_until("a submit that finds room", SOON, || reporter.submit(&sms("room-again", true)).is_ok());
    reporter.flush(Some(SOON)).unwrap();
    let books = Books::read(&room.outbox()).unwrap();
    books.audit();
    assert_eq!((books.submitted, books.rows), (accepted + 1, 0));
    assert_sound(&room.outbox());
}

#[test]
fn a_disk_that_runs_full_refuses_reports_and_all_that_it_holds_is_sent_once() {
    let sizes: &[u32] = if is_long() { &[1024, 1500, 2048, 4096, 12_000, 40_000] } else { &[1024, 1500, 2048] };
    for kilobytes in sizes.iter().copied() {
        let Some(room) = Room::of(kilobytes) else {
            return;
        };
        let service = Service::doing(Behaviour::Unavailable(None));
        let outbox = room.outbox();
        let reporter = reporter(&service.url, &in_file(&outbox));
        let (accepted, kind) = submit_until_refused(&reporter, &mut Dice::new(u64::from(kilobytes)));
        println!("{kilobytes} KiB are full with {accepted} reports");
        assert_eq!(kind, Kind::OutboxFull);
        assert!(accepted > 20, "{accepted}");
        service.recover();
        service.forget();
        all_is_well(&room, &reporter, &service, accepted);
    }
}

#[test]
fn a_disk_that_somebody_else_fills_keeps_nothing_from_being_sent_once() {
    let Some(room) = Room::of(8192) else {
        return;
    };
    let service = Service::doing(Behaviour::Unavailable(None));
    let outbox = room.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    let mut dice = Dice::new(1);
    for number in 0..500 {
        reporter.submit(&sms(&format!("{:08x}-{number}", dice.throw(1 << 32)), true)).unwrap();
    }
    let filling = room.fill();
    let (more, kind) = submit_until_refused(&reporter, &mut dice);
    assert_eq!(kind, Kind::OutboxFull);
    service.recover();
    service.forget();
    let count = usize::try_from(500 + more).unwrap();
    service.wait_until(SOON, |heard| heard.iter().filter(|hearing| hearing.is_taken()).count() == count);
    println!("{more} reports found room on a full disk, and all were sent: {:?}", statistics(&reporter));
    std::fs::remove_file(filling).unwrap();
    all_is_well(&room, &reporter, &service, 500 + more);
}

#[test]
fn what_was_sent_while_the_disk_was_full_is_taken_out_with_the_ballast_alone() {
    let Some(room) = Room::of(8192) else {
        return;
    };
    let service = Service::doing(Behaviour::Unavailable(None));
    let outbox = room.outbox();
    let reporter = reporter(&service.url, &in_file(&outbox));
    let mut dice = Dice::new(2);
    for number in 0..500 {
        reporter.submit(&sms(&format!("{:08x}-{number}", dice.throw(1 << 32)), true)).unwrap();
    }
    room.fill();
    service.recover();
    service.forget();
    reporter.flush(Some(SOON)).unwrap();
    let statistics = statistics(&reporter);
    assert_eq!((statistics.accepted, statistics.pending), (500, 0), "{statistics:?}");
    let taken: HashMap<_, _> = service.taken();
    assert_eq!((taken.len(), duplicates(&taken)), (500, 0));
}

#[test]
fn a_disk_that_is_full_from_the_start_is_a_status() {
    let Some(room) = Room::of(64) else {
        return;
    };
    let filling = room.fill();
    assert_eq!(refusal(&room.outbox()), Kind::OutboxFull);
    assert_eq!(refusal(&room.outbox()), Kind::OutboxFull);
    std::fs::remove_file(filling).unwrap();
    // There is room now, but for the index of the log, which has 32 KiB of its own, it is not enough.
    match try_open(&room.outbox(), NOWHERE) {
        Ok(reporter) => drop(reporter.submit(&sms("id", true))),
        Err(error) => assert_eq!(error.kind(), Kind::OutboxFull, "{error}"),
    }
}

#[test]
fn a_file_system_that_turns_read_only_is_a_status_until_it_is_writable_again() {
    let Some(room) = Room::of(8192) else {
        return;
    };
    let service = Service::doing(Behaviour::Unavailable(None));
    let outbox = room.outbox();
    let first = reporter(&service.url, &in_file(&outbox));
    first.submit(&sms("before", true)).unwrap();
    drop(first);
    // Descriptors that are open for writing keep a file system from turning read-only; those of the worker end soon.
    wait_until("a remount", SOON, || room.make_read_only().is_ok());
    let began = Instant::now();
    let error = try_open(&outbox, &service.url).err().expect("nothing can be written");
    assert!(is_of_the_outbox(error.kind()) && began.elapsed() < LOCK_WAIT_AND_MARGIN, "{error}");
    room.make_writable();
    service.recover();
    let second = reporter(&service.url, &in_file(&outbox));
    second.submit(&sms("after", true)).unwrap();
    second.flush(Some(SOON)).unwrap();
    assert_eq!(statistics(&second).accepted, 2);
}
