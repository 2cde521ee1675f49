//! A sandbox that records the requests it receives, in order.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nexmo_sandbox::{Behaviour, Observer, Record, Rule, Sandbox, Settings};

/// A request that the sandbox received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) message_id: String,
    pub(crate) delivered: bool,
    pub(crate) status: u16,
    /// Whether the connection was closed without a response.
    pub(crate) is_without_response: bool,
    pub(crate) at: Instant,
}

impl Received {
    fn of(record: &Record) -> Self {
        Self {
            message_id: record.message_id.clone().unwrap_or_default(),
            delivered: record.delivered.as_deref() == Some("true"),
            status: record.status,
            is_without_response: record.violations.iter().any(|violation| violation.contains("closes the connection")),
            at: Instant::now(),
        }
    }

    /// Returns whether the service accepted the report, even if it sent no response.
    pub(crate) fn is_accepted(&self) -> bool {
        self.status == 200
    }
}

/// A sandbox, and the parts of each received request that the tests need.
pub(crate) struct Service {
    sandbox: Option<Sandbox>,
    pub(crate) url: String,
    received: Arc<(Mutex<Vec<Received>>, Condvar)>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let mut service = Self { sandbox: None, url: String::new(), received: Arc::default() };
        service.resume();
        service
    }

    pub(crate) fn with_behaviour(behaviour: Behaviour) -> Self {
        let service = Self::start();
        service.does(behaviour);
        service
    }

    /// Starts the sandbox, at its previous address if it has been stopped.
    pub(crate) fn resume(&mut self) {
        let received = self.received.clone();
        let observer = Observer::new(move |record| {
            received.0.lock().unwrap().push(Received::of(record));
            received.1.notify_all();
        });
        let http_port = self.url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
        let settings = Settings { http_port, keep: false, observer: Some(observer), ..Settings::default() };
        let sandbox = Sandbox::start(settings).unwrap();
        self.url = sandbox.http_url();
        self.sandbox = Some(sandbox);
    }

    /// Stops the sandbox. Connections to its address are then refused.
    pub(crate) fn stop(&mut self) {
        self.sandbox = None;
    }

    pub(crate) fn rule(&self, rule: Rule) {
        self.sandbox.as_ref().unwrap().rule(rule);
    }

    /// Applies this behavior to every request from now on.
    pub(crate) fn does(&self, behaviour: Behaviour) {
        self.rule(Rule::for_all(behaviour));
    }

    /// Removes all rules, so the sandbox accepts every valid request from now on.
    pub(crate) fn recover(&self) {
        self.sandbox.as_ref().unwrap().clear_rules();
    }

    pub(crate) fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received.0.lock().unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.received().len()
    }

    pub(crate) fn forget(&self) {
        self.received().clear();
    }

    /// Waits until the service has received `count` requests.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize, limit: Duration) {
        self.wait_until(limit, |received| received.len() >= count);
    }

    /// Waits until `is_so` returns true for the received requests. Fails after `limit`.
    #[track_caller]
    pub(crate) fn wait_until(&self, limit: Duration, mut is_so: impl FnMut(&[Received]) -> bool) {
        let deadline = Instant::now() + limit;
        let mut received = self.received();
        while !is_so(&received) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the condition did not hold within {limit:?}; {} requests were received",
                received.len()
            );
            received = self.received.1.wait_timeout(received, left).unwrap().0;
        }
    }

    /// Returns how often each version of each report was accepted.
    pub(crate) fn arrived(&self) -> HashMap<(String, bool), u64> {
        let mut arrived = HashMap::new();
        for request in self.received().iter().filter(|request| request.is_accepted()) {
            *arrived.entry((request.message_id.clone(), request.delivered)).or_default() += 1;
        }
        arrived
    }

    /// Returns, for each report, the version that was received last.
    pub(crate) fn last_versions(&self) -> HashMap<String, bool> {
        self.received().iter().map(|request| (request.message_id.clone(), request.delivered)).collect()
    }

    /// Returns the number of requests whose report the service accepted without sending a response.
    pub(crate) fn without_response(&self) -> u64 {
        self.received().iter().filter(|request| request.is_accepted() && request.is_without_response).count() as u64
    }
}

/// Returns the number of duplicates, which are all acceptances of a version after its first.
pub(crate) fn duplicates(arrived: &HashMap<(String, bool), u64>) -> u64 {
    arrived.values().map(|times| times - 1).sum()
}
