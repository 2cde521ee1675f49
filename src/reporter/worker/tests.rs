use std::collections::HashMap;
use std::sync::{Condvar, Mutex};

use super::*;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::error::Kind;
use crate::outcome::Acceptance;
use crate::reporter::options::{Durability, ReporterOptions};
use crate::reporter::outbox::Account;
use crate::reporter::senders::Messenger;

/// A service that completes each report when the test provides its result.
#[derive(Default)]
struct Service {
    results: Mutex<HashMap<String, Result<(), Kind>>>,
    changed: Condvar,
    is_cancelled: Mutex<bool>,
}

impl Messenger for Service {
    fn report(&self, conversion: &Conversion) -> Outcome {
        let mut results = self.results.lock().unwrap();
        loop {
            let is_cancelled = *self.is_cancelled.lock().unwrap();
            let result = results.remove(conversion.message_id.as_str());
            if let Some(result) = result.or(is_cancelled.then_some(Err(Kind::Cancelled))) {
                let result = result.map_err(|kind| Error::new(kind, "test"));
                let acceptance = if result.is_ok() { Acceptance::Yes } else { Acceptance::Unknown };
                let elapsed = Duration::ZERO;
                return Outcome { result, http_status: None, attempts: 1, acceptance, elapsed, retry_after: None };
            }
            results = self.changed.wait(results).unwrap();
        }
    }

    fn cancel(&self) {
        let _results = self.results.lock().unwrap();
        *self.is_cancelled.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

/// A worker that steps only on request, with a limit of 32 reports in flight, of which it initially uses 8.
struct Fixture {
    worker: Worker,
    service: Arc<Service>,
}

impl Fixture {
    fn new() -> Self {
        let (service, signals) = (Arc::<Service>::default(), Arc::new(Signals::new().unwrap()));
        let options =
            ReporterOptions { durability: Durability::None, max_in_flight: Some(32), ..ReporterOptions::default() };
        let (to_notify, messenger) = (Arc::clone(&signals), Arc::clone(&service));
        let senders = Arc::new(Senders::new(messenger, 32, Box::new(move || to_notify.wake.notify())));
        let (settings, account) =
            (options.check().unwrap(), Account { api_key: String::new(), base_url: String::new() });
        let outbox = Arc::new(Outbox::new(&settings.outbox, &account).unwrap());
        Self { worker: Worker::new(outbox, senders, signals, &settings), service }
    }

    fn submit(&self, id: &str) {
        let message_id = MessageId::new(id).unwrap();
        let report = Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None };
        self.worker.outbox.put(&report).unwrap();
    }

    /// Completes a report and lets the worker process the result.
    fn complete(&mut self, id: &str, result: Result<(), Kind>) {
        self.service.results.lock().unwrap().insert(id.to_owned(), result);
        self.service.changed.notify_all();
        while self.worker.senders.load().completed == 0 {
            wait_for_either(self.worker.signals.wake.as_fd(), None, None);
        }
        self.worker.step();
    }

    /// Submits a report that fails with a network error, which makes the breaker back off.
    fn outage(&mut self) {
        self.submit("down");
        self.worker.step();
        self.complete("down", Err(Kind::Network));
    }

    fn probe(&mut self) {
        self.worker.signals.request_probe();
        self.worker.step();
    }

    /// Returns how many reports are queued or in flight.
    fn outstanding(&self) -> usize {
        let load = self.worker.senders.load();
        load.queued + load.in_flight
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.worker.end();
    }
}

#[test]
fn senders_have_queued_reports_at_full_capacity() {
    let mut fixture = Fixture::new();
    (0..300).for_each(|number| fixture.submit(&number.to_string()));
    fixture.worker.step();
    assert_eq!(fixture.outstanding(), 64);
    assert!(
        !fixture.worker.signals.wakes_on_report(),
        "reports must not wake the worker after it has claimed as many as it wanted"
    );
}

#[test]
fn later_reports_do_not_delay_those_that_a_flush_waits_for() {
    let mut fixture = Fixture::new();
    (0..1000).for_each(|number| fixture.submit(&format!("earlier-{number}")));
    let signals = Arc::clone(&fixture.worker.signals);
    let _flushing = signals.begin_flushing(fixture.worker.outbox.last().unwrap());
    (0..1000).for_each(|number| fixture.submit(&format!("later-{number}")));
    // A later flush does not delay the earlier reports either.
    let _later = signals.begin_flushing(fixture.worker.outbox.last().unwrap());
    fixture.worker.step();
    let queued = fixture.worker.senders.recall(32);
    let names = queued.iter().map(|entry| entry.conversion.message_id.as_str());
    let earlier = names.filter(|name| name.starts_with("earlier")).count();
    // Up to 8 of the 64 reports are already in flight.
    assert!((24..=34 + 2).contains(&earlier), "{earlier}");
    fixture.worker.outbox.release(queued.iter().map(|entry| entry.id));
}

#[test]
fn after_an_outage_the_breaker_limits_reports_in_flight() {
    let mut fixture = Fixture::new();
    fixture.outage();
    (0..40).for_each(|number| fixture.submit(&number.to_string()));
    fixture.probe();
    assert_eq!(fixture.outstanding(), 1);
    fixture.complete("39", Ok(()));
    assert_eq!(fixture.outstanding(), 2);
    assert!(!fixture.worker.signals.wakes_on_report());
}

#[test]
fn probe_does_not_wait_for_requests_that_hang() {
    let mut fixture = Fixture::new();
    (0..8).for_each(|number| fixture.submit(&number.to_string()));
    fixture.worker.step();
    while fixture.worker.senders.load().in_flight < 8 {
        std::thread::yield_now();
    }
    fixture.complete("0", Err(Kind::Network));
    assert_eq!(fixture.outstanding(), 7);
    fixture.probe();
    assert_eq!(fixture.outstanding(), 8);
    fixture.worker.step();
    assert_eq!(fixture.outstanding(), 8, "there must be only one probe");
}

#[test]
fn worker_that_must_end_does_not_wait_after_a_step() {
    let mut fixture = Fixture::new();
    fixture.worker.step();
    fixture.worker.signals.end();
    fixture.worker.step();
    let start = Instant::now();
    fixture.worker.wait();
    assert!(start.elapsed() < Duration::from_secs(20), "an idle worker would wait for a minute");
}

#[test]
fn report_that_replaced_the_probe_is_sent_after_it() {
    let mut fixture = Fixture::new();
    fixture.outage();
    fixture.submit("twice");
    fixture.probe();
    fixture.submit("twice");
    fixture.complete("twice", Ok(()));
    assert_eq!(
        fixture.outstanding(),
        2,
        "the report that failed and the report that replaced the probe must be outstanding"
    );
}
