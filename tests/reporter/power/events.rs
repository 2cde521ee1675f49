//! Tests that no event id is reused after a power loss.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use nexmo_conversion::{Durability, Reporter, ReporterOptions};
use nexmo_sandbox::Behaviour;

use crate::Marks;
use crate::common::service::Service;
use crate::common::{Folder, SOON, SeededRng, consume_event, in_file, is_long, reporter, sms};
use crate::disk::{Disk, Unflushed};
use crate::recording::{Recording, Run, Step};

/// The prefix of the mark that the child writes before it acknowledges an event.
const EVENT: &str = "event ";

/// The number of events that the child handles.
const EVENTS: usize = 60;

/// Submits reports that the service rejects, and acknowledges their events.
pub(crate) fn handle_events_in_a_child(task: &[String]) {
    let [folder, durability, url] = task else { panic!("{task:?}") };
    let folder = Path::new(folder);
    let marks = Marks::open(folder);
    let outbox = folder.join("outbox");
    let durability = if durability == "power" { Durability::Power } else { Durability::Process };
    let reporter = reporter(url, &ReporterOptions { durability, busy_timeout: Some(SOON), ..in_file(&outbox) });
    for number in 0..EVENTS {
        reporter.submit(&sms(&format!("id-{number}"), true)).unwrap();
        let event = reporter.poll(Some(SOON)).unwrap().unwrap();
        marks.mark(EVENT, &format!("{} {}", event.id, event.conversion.message_id.as_str()));
        reporter.acknowledge(event.id).unwrap();
    }
}

#[test]
fn event_ids_increase_across_power_loss() {
    let service = Service::with_behaviour(Behaviour::Status(420));
    for durability in ["power", "process"] {
        let folder = Folder::new();
        let task = [folder.path().to_str().unwrap(), durability, &service.url];
        let run = Run { function: "events::handle_events_in_a_child", task: &task, slow_us: 0, failing: None };
        let recording = Recording::of(folder.path(), &run);
        assert_eq!(recording.marks(EVENT), EVENTS);
        let cuts = cut_and_continue(&service, &recording, if is_long() { 500 } else { 20 });
        println!("{durability}: every new event had a new id after {cuts} power losses");
    }
}

/// Simulates a power loss in all four ways at each of about `count` points of the recording, and causes another event
/// after each loss.
fn cut_and_continue(service: &Service, recording: &Recording, count: usize) -> usize {
    let (mut rng, _) = SeededRng::from_environment("power, events");
    let (mut disk, mut seen, mut cuts) = (Disk::default(), HashMap::new(), 0);
    let first = recording.steps.iter().position(|step| matches!(step, Step::Mark(_))).unwrap();
    let between = ((recording.steps.len() - first) / count).max(1);
    let offset = usize::try_from(rng.below(between as u64)).unwrap();
    for (number, step) in recording.steps.iter().enumerate() {
        disk.step(step);
        if let Step::Mark(mark) = step
            && let Some((id, message_id)) = mark.strip_prefix(EVENT).and_then(|event| event.trim_end().split_once(' '))
        {
            seen.insert(id.parse::<i64>().unwrap(), message_id.to_owned());
        }
        if number >= first && number % between == offset {
            for unflushed in Unflushed::ALL {
                let folder = Folder::new();
                disk.cut(unflushed, &mut rng, folder.path());
                std::fs::write(folder.path().join("outbox-shm"), vec![0xa5; 32 * 1024]).unwrap();
                let outbox = folder.outbox();
                continue_after(
                    &reporter(&service.url, &ReporterOptions { busy_timeout: Some(SOON), ..in_file(&outbox) }),
                    &seen,
                );
                cuts += 1;
            }
        }
    }
    cuts
}

/// Checks that an event from before the power loss is unchanged if it is returned again, and that the id of each new
/// event is greater than all earlier ids.
fn continue_after(reporter: &Reporter, seen: &HashMap<i64, String>) {
    reporter.submit(&sms("after the cut", true)).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    let last = *seen.keys().max().unwrap();
    let mut is_new_one_there = false;
    while let Some(event) = consume_event(reporter) {
        let message_id = event.conversion.message_id.as_str();
        match seen.get(&event.id) {
            Some(known) => assert_eq!(known, message_id, "the id {} was used twice", event.id),
            None => assert!(event.id > last, "the new id {} is not greater than {last}", event.id),
        }
        is_new_one_there |= message_id == "after the cut" && event.id > last;
    }
    assert!(is_new_one_there);
    assert_eq!(reporter.poll(Some(Duration::ZERO)).unwrap(), None);
}
