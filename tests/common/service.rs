//! The sandbox, and all that it heard, in the order in which it heard it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nexmo_sandbox::{Behaviour, Listener, Record, Rule, Sandbox, Settings};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Hearing {
    pub(crate) message_id: String,
    pub(crate) delivered: bool,
    pub(crate) status: u16,
    /// Whether the connection was closed instead of answering.
    pub(crate) is_unanswered: bool,
    pub(crate) at: Instant,
}

impl Hearing {
    fn of(record: &Record) -> Self {
        Self {
            message_id: record.message_id.clone().unwrap_or_default(),
            delivered: record.delivered.as_deref() == Some("true"),
            status: record.status,
            is_unanswered: record.faults.iter().any(|fault| fault.contains("closes the connection")),
            at: Instant::now(),
        }
    }

    /// Whether the service took the report, told it or not.
    pub(crate) fn is_taken(&self) -> bool {
        self.status == 200
    }
}

/// A sandbox that keeps of each request only what a test asks for.
pub(crate) struct Service {
    sandbox: Option<Sandbox>,
    pub(crate) url: String,
    heard: Arc<(Mutex<Vec<Hearing>>, Condvar)>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let mut service = Self { sandbox: None, url: String::new(), heard: Arc::default() };
        service.resume();
        service
    }

    pub(crate) fn doing(behaviour: Behaviour) -> Self {
        let service = Self::start();
        service.does(behaviour);
        service
    }

    /// Is there again, where it was.
    pub(crate) fn resume(&mut self) {
        let heard = self.heard.clone();
        let listener = Listener::new(move |record| {
            heard.0.lock().unwrap().push(Hearing::of(record));
            heard.1.notify_all();
        });
        let http_port = self.url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
        let settings = Settings { http_port, keep: false, listener: Some(listener), ..Settings::default() };
        let sandbox = Sandbox::start(settings).unwrap();
        self.url = sandbox.http_url();
        self.sandbox = Some(sandbox);
    }

    /// Is gone: connections to it are refused.
    pub(crate) fn go_away(&mut self) {
        self.sandbox = None;
    }

    pub(crate) fn rule(&self, rule: Rule) {
        self.sandbox.as_ref().unwrap().rule(rule);
    }

    /// Does this with every request from now on.
    pub(crate) fn does(&self, behaviour: Behaviour) {
        self.rule(Rule::for_all(behaviour));
    }

    /// Is well from now on.
    pub(crate) fn recover(&self) {
        self.sandbox.as_ref().unwrap().clear_rules();
    }

    pub(crate) fn heard(&self) -> MutexGuard<'_, Vec<Hearing>> {
        self.heard.0.lock().unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.heard().len()
    }

    pub(crate) fn forget(&self) {
        self.heard().clear();
    }

    /// Waits until `count` requests were heard.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize, limit: Duration) {
        self.wait_until(limit, |heard| heard.len() >= count);
    }

    /// Waits until that can be said of what was heard; it is looked at after each request.
    #[track_caller]
    pub(crate) fn wait_until(&self, limit: Duration, mut is_so: impl FnMut(&[Hearing]) -> bool) {
        let deadline = Instant::now() + limit;
        let mut heard = self.heard();
        while !is_so(&heard) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not heard within {limit:?}; {} requests were", heard.len());
            heard = self.heard.1.wait_timeout(heard, left).unwrap().0;
        }
    }

    /// How often each version of each report was taken.
    pub(crate) fn taken(&self) -> HashMap<(String, bool), u64> {
        let mut taken = HashMap::new();
        for hearing in self.heard().iter().filter(|hearing| hearing.is_taken()) {
            *taken.entry((hearing.message_id.clone(), hearing.delivered)).or_default() += 1;
        }
        taken
    }

    /// The version of each report that was heard last.
    pub(crate) fn last_words(&self) -> HashMap<String, bool> {
        self.heard().iter().map(|hearing| (hearing.message_id.clone(), hearing.delivered)).collect()
    }

    /// How many reports were taken without an answer.
    pub(crate) fn unanswered(&self) -> u64 {
        self.heard().iter().filter(|hearing| hearing.is_taken() && hearing.is_unanswered).count() as u64
    }
}

/// How many were taken more often than once, counted for each time too many.
pub(crate) fn duplicates(taken: &HashMap<(String, bool), u64>) -> u64 {
    taken.values().map(|times| times - 1).sum()
}
