//! Processes that are killed while they submit and send: nothing that was accepted is lost, and another takes over.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use common::books::{Books, assert_sound};
use common::process::{Child, Notes, noted, notes, say, task, wait_for_the_end};
use common::service::{Service, duplicates};
use common::{Dice, Folder, LATER, SOON, in_calm_file, in_file, is_long, reporter, sms, statistics, wait_until};
use nexmo_conversion::{Kind, State};
use nexmo_sandbox::{Behaviour, Moods};

/// How many submits one life is good for.
const A_LIFE: u64 = 2000;

/// The longest that a life lasts from the moment at which its reporter is there.
const LONGEST_LIFE: Duration = Duration::from_millis(600);

/// How many reports can be on their way when a process dies: those under way, and as many that wait for a connection, which
/// may have been sent and answered since the outbox was last told.
const ON_THEIR_WAY: u64 = 2 * 8;

#[test]
fn nothing_that_was_accepted_is_lost_when_processes_are_killed() {
    let (mut dice, seed) = Dice::of_today("kill");
    let lives = if is_long() { 200 } else { 12 };
    let (folder, service) = (Folder::new(), Service::start());
    let moods = Moods { failing: 10, ..Moods::of_a_bad_day(seed) };
    service.does(Behaviour::Erratic(moods));
    let mut killed_while_opening = 0;
    for life in 0..lives {
        let child = Child::start("a_life", &[&service.url, folder.path().to_str().unwrap(), &life.to_string()]);
        let is_told = life % 8 != 5;
        if is_told {
            assert_eq!(child.says(SOON), "ready");
        }
        // The moment is what is tried out here; nothing is waited for.
        thread::sleep(dice.while_up_to(if is_told { LONGEST_LIFE } else { LONGEST_LIFE / 12 }));
        child.kill();
        let accepted = noted(&notes(folder.path(), life)).len();
        killed_while_opening += u64::from(!is_told && accepted == 0);
        if let Some(books) = Books::read(&folder.outbox()) {
            books.audit();
        }
    }
    let left = Books::read(&folder.outbox()).unwrap().rows;
    service.recover();
    let last = reporter(&service.url, &in_calm_file(&folder.outbox()));
    last.flush(Some(if is_long() { LATER } else { SOON })).unwrap();
    let accepted = all_noted(folder.path(), lives);
    let (taken, last_words) = (service.taken(), service.last_words());
    let lost = accepted.iter().filter(|(id, delivered)| !has_arrived(&taken, id, **delivered)).count();
    let overtaken = accepted.iter().filter(|(id, delivered)| **delivered && last_words.get(*id) != Some(&true)).count();
    let (twice, unanswered) = (duplicates(&taken), service.unanswered());
    let counted = statistics(&last);
    println!(
        "kill: {lives} lives, {} submits accepted for {} ids, {killed_while_opening} killed before the first, {left} left at the \
         last kill, {} requests, {} versions arrived, {twice} duplicates (at most {} on their way + {unanswered} unanswered), \
         {lost} lost, {overtaken} overtaken; {counted:?}",
        counted.submitted,
        accepted.len(),
        service.count(),
        taken.len(),
        lives * ON_THEIR_WAY,
    );
    assert_eq!((lost, overtaken), (0, 0));
    assert!(twice <= lives * ON_THEIR_WAY + unanswered, "{twice} duplicates");
    assert_eq!((counted.pending, counted.events, counted.outbox_resets), (0, 0, 0));
    let submits: u64 = (0..lives).map(|life| noted(&notes(folder.path(), life)).len() as u64).sum();
    // Of each life one more may have been accepted, whose note did not survive.
    assert!((submits..=submits + lives).contains(&counted.submitted), "{submits} were noted");
    assert!(counted.replaced > 0 && submits > lives * A_LIFE / 40, "too little happened to learn from: {submits}");
    drop(last);
    assert_sound(&folder.outbox());
}

/// The last version of each report that was noted as accepted.
fn all_noted(folder: &Path, lives: u64) -> HashMap<String, bool> {
    (0..lives).flat_map(|life| noted(&notes(folder, life))).collect()
}

/// Whether a version arrived, or the one after it, whose note may not have survived.
fn has_arrived(taken: &HashMap<(String, bool), u64>, id: &str, delivered: bool) -> bool {
    taken.contains_key(&(id.to_owned(), delivered)) || taken.contains_key(&(id.to_owned(), true))
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn a_life() {
    let Some(task) = task() else { return };
    let [url, folder, life] = task.try_into().unwrap();
    let folder = Path::new(&folder);
    let mut notes = Notes::open(&notes(folder, life.parse().unwrap()));
    let reporter = reporter(&url, &in_file(&folder.join("outbox")));
    say("ready");
    for number in 0..A_LIFE {
        // Of eight reports one is false at first, and true four reports later.
        let (number, delivered) = match number % 8 {
            3 => (number, false),
            7 => (number - 4, true),
            _ => (number, true),
        };
        let id = format!("{life}-{number}");
        while let Err(error) = reporter.submit(&sms(&id, delivered)) {
            assert_eq!(error.kind(), Kind::OutboxBusy, "{error}");
        }
        notes.add(&id, delivered);
    }
    say("submitted");
    wait_for_the_end();
}

#[test]
fn who_stands_by_sends_what_a_killed_process_left_without_being_called() {
    let (mut dice, _) = Dice::of_today("take-over");
    let rounds = if is_long() { 30 } else { 4 };
    let mut worst = Duration::ZERO;
    for round in 0..rounds {
        let (folder, service) = (Folder::new(), Service::start());
        service.does(Behaviour::Slow(Duration::from_millis(50)));
        let sender = Child::start("a_life", &[&service.url, folder.path().to_str().unwrap(), "0"]);
        assert_eq!(sender.says(SOON), "ready");
        service.wait_for(1, SOON);
        let outbox = folder.outbox();
        let standby = reporter(&service.url, &in_calm_file(&outbox));
        wait_until("standing by", SOON, || statistics(&standby).state == State::Standby);
        // So much is left that it takes seconds to send, however long the end of a process takes.
        assert_eq!(sender.says(SOON), "submitted");
        let count = service.count();
        service.wait_for(count + usize::try_from(1 + dice.throw(100)).unwrap(), SOON);
        let killed = Instant::now();
        sender.kill();
        // From here on the reporter is not called until all is over.
        let dead = Instant::now();
        service.wait_until(SOON, |heard| heard.iter().any(|hearing| hearing.at > dead));
        let wait = service.heard().iter().find(|hearing| hearing.at > dead).unwrap().at - killed;
        service.recover();
        let accepted = noted(&notes(folder.path(), 0));
        let mut missing: HashMap<String, bool> = accepted.into_iter().collect();
        let mut seen = 0;
        service.wait_until(SOON, |heard| {
            for hearing in heard.iter().skip(seen).filter(|hearing| hearing.is_taken()) {
                if hearing.delivered || missing.get(&hearing.message_id) == Some(&false) {
                    missing.remove(&hearing.message_id);
                }
            }
            seen = heard.len();
            missing.is_empty()
        });
        worst = worst.max(wait);
        let twice = duplicates(&service.taken());
        println!(
            "take-over: round {round}: first request {wait:?} after the kill, {seen} requests, {twice} duplicates"
        );
        assert!(twice <= ON_THEIR_WAY, "{twice} duplicates");
        wait_until("the books", SOON, || statistics(&standby).pending == 0);
        assert_eq!(statistics(&standby).state, State::Running);
    }
    println!("take-over: worst of {rounds}: {worst:?}");
    assert!(worst < Duration::from_secs(2), "{worst:?}");
}

#[test]
fn who_stands_by_sends_what_a_closed_reporter_left_without_being_called() {
    let (folder, service) = (Folder::new(), Service::doing(Behaviour::Slow(Duration::from_millis(20))));
    let outbox = folder.outbox();
    let first = reporter(&service.url, &in_calm_file(&outbox));
    for number in 0..200 {
        first.submit(&sms(&format!("id-{number}"), true)).unwrap();
    }
    // It is the one that sends.
    service.wait_for(1, SOON);
    let second = reporter(&service.url, &in_calm_file(&outbox));
    wait_until("standing by", SOON, || statistics(&second).state == State::Standby);
    service.wait_for(20, SOON);
    assert_eq!(first.close(Some(Duration::ZERO)).unwrap_err().kind(), Kind::Pending);
    let closed = Instant::now();
    service.wait_until(SOON, |heard| heard.iter().filter(|hearing| hearing.is_taken()).count() >= 200);
    println!("take-over: all was sent {:?} after the close", closed.elapsed());
    wait_until("the books", SOON, || statistics(&second).pending == 0);
    assert_eq!(statistics(&second).accepted, 200);
}
