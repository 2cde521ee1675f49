use std::collections::HashMap;
use std::sync::{Condvar, Mutex};

use super::*;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::error::Kind;
use crate::outcome::Acceptance;
use crate::reporter::options::{Durability, ReporterOptions};
use crate::reporter::outbox::Overflow;
use crate::reporter::outbox::memory::MemoryOutbox;
use crate::reporter::senders::Messenger;

/// Answers each report when the test says so, and then that.
#[derive(Default)]
struct Service {
    answers: Mutex<HashMap<String, Result<(), Kind>>>,
    changed: Condvar,
    is_cancelled: Mutex<bool>,
}

impl Messenger for Service {
    fn report(&self, conversion: &Conversion) -> Outcome {
        let mut answers = self.answers.lock().unwrap();
        loop {
            let is_cancelled = *self.is_cancelled.lock().unwrap();
            let answer = answers.remove(conversion.message_id.as_str());
            if let Some(answer) = answer.or(is_cancelled.then_some(Err(Kind::Cancelled))) {
                let result = answer.map_err(|kind| Error::new(kind, "told"));
                let acceptance = if result.is_ok() { Acceptance::Yes } else { Acceptance::Unknown };
                let elapsed = Duration::ZERO;
                return Outcome { result, http_status: None, attempts: 1, acceptance, elapsed, retry_after: None };
            }
            answers = self.changed.wait(answers).unwrap();
        }
    }

    fn cancel(&self) {
        let _answers = self.answers.lock().unwrap();
        *self.is_cancelled.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

/// A worker with 32 connections that does a turn when it is told to.
struct Scene {
    worker: Worker,
    service: Arc<Service>,
}

impl Scene {
    fn new() -> Self {
        let (service, signals) = (Arc::<Service>::default(), Arc::new(Signals::new().unwrap()));
        let options =
            ReporterOptions { durability: Durability::None, max_in_flight: Some(32), ..ReporterOptions::default() };
        let (woken, messenger) = (Arc::clone(&signals), Arc::clone(&service));
        let senders = Arc::new(Senders::new(messenger, 32, Box::new(move || woken.wake.notify())));
        let outbox = Arc::new(MemoryOutbox::new(1000, Overflow::Fail));
        Self { worker: Worker::new(outbox, senders, signals, &options.check().unwrap()), service }
    }

    fn submit(&self, id: &str) {
        let message_id = MessageId::new(id).unwrap();
        let report = Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None };
        self.worker.outbox.put(&report).unwrap();
    }

    /// The report gets its answer, and the worker hears of it.
    fn answer(&mut self, id: &str, answer: Result<(), Kind>) {
        self.service.answers.lock().unwrap().insert(id.to_owned(), answer);
        self.service.changed.notify_all();
        while self.worker.senders.load().answered == 0 {
            wait_for_either(self.worker.signals.wake.as_fd(), None, None);
        }
        self.worker.turn();
    }

    /// The service is down for the report that is submitted for that, which then waits.
    fn outage(&mut self) {
        self.submit("down");
        self.worker.turn();
        self.answer("down", Err(Kind::Network));
    }

    fn probe(&mut self) {
        self.worker.signals.ask_for_probe();
        self.worker.turn();
    }

    /// How many reports are out.
    fn out(&self) -> usize {
        let load = self.worker.senders.load();
        load.queued + load.in_flight
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.worker.end();
    }
}

#[test]
fn all_senders_have_something_ahead_while_the_gate_is_wide_open() {
    let mut scene = Scene::new();
    (0..300).for_each(|number| scene.submit(&number.to_string()));
    scene.worker.turn();
    assert_eq!(scene.out(), 256);
    assert!(!scene.worker.signals.wants_reports(), "it has as many as it wanted");
}

#[test]
fn after_an_outage_no_more_are_under_way_than_the_gate_lets_through() {
    let mut scene = Scene::new();
    scene.outage();
    (0..40).for_each(|number| scene.submit(&number.to_string()));
    scene.probe();
    assert_eq!(scene.out(), 1);
    scene.answer("39", Ok(()));
    assert_eq!(scene.out(), 2);
    assert!(!scene.worker.signals.wants_reports());
}

#[test]
fn a_report_that_replaced_the_probe_goes_out_when_that_is_answered_though_another_is_slow() {
    let mut scene = Scene::new();
    scene.outage();
    scene.submit("twice");
    scene.probe();
    scene.submit("twice");
    scene.answer("twice", Ok(()));
    assert_eq!(scene.out(), 2, "the one that was down, and the later of the two");
}
