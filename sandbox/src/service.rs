//! Validates and records requests, with the state that all connections share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::error::Error;
use crate::record::Record;
use crate::redact::Redactor;
use crate::request::Request;
use crate::request_log::RequestLog;
use crate::response::Response;
use crate::rule::{Rule, Rules};
use crate::settings::Settings;
use crate::validator::{Outcome, Validator};

#[derive(Debug)]
pub(crate) struct Service {
    validator: Mutex<Validator>,
    log: Mutex<RequestLog>,
    redactor: Redactor,
    connections: AtomicU64,
    /// The number of connections before the last `clear`.
    cleared_connections: AtomicU64,
    requests: AtomicU64,
}

impl Service {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut rules = Rules::default();
        settings.rules.iter().cloned().for_each(|rule| rules.add(rule));
        let validator = Validator { accounts: settings.accounts.clone(), prefix: prefix(&settings.prefix), rules };
        Ok(Self {
            validator: Mutex::new(validator),
            log: Mutex::new(RequestLog::open(settings)?),
            redactor: Redactor::new(&settings.accounts),
            connections: AtomicU64::new(0),
            cleared_connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        })
    }

    /// Counts a connection and returns its number.
    pub(crate) fn connected(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    pub(crate) fn connections(&self) -> u64 {
        let all = self.connections.load(Ordering::SeqCst);
        all.saturating_sub(self.cleared_connections.load(Ordering::SeqCst))
    }

    /// Validates a request and records it. The caller sends the response afterwards.
    pub(crate) fn handle(&self, request: &Request, now: SystemTime) -> Outcome {
        let number = self.requests.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let mut outcome = lock(&self.validator).validate(request, number);
        let at = DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Millis, true);
        if let Err(error) = lock(&self.log).add(Record::new(at, request, &outcome, &self.redactor)) {
            // Tests rely on a complete log, so a request that cannot be logged fails.
            outcome.response = Response::log_failed(&error);
        }
        outcome
    }

    pub(crate) fn add_rule(&self, rule: Rule) {
        lock(&self.validator).rules.add(rule);
    }

    pub(crate) fn clear_rules(&self) {
        lock(&self.validator).rules.clear();
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        lock(&self.log).records.clone()
    }

    pub(crate) fn count(&self) -> u64 {
        lock(&self.log).count
    }

    pub(crate) fn clear(&self) {
        lock(&self.log).clear();
        self.cleared_connections.store(self.connections.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

fn prefix(given: &str) -> String {
    match given.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}

/// Locks a mutex even if it is poisoned, because its value remains usable after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::request::tests::post;

    #[test]
    fn a_prefix_gets_a_leading_slash_and_no_trailing_slash() {
        assert_eq!(["", "/", "a", "/a/b/"].map(prefix), ["", "", "/a", "/a/b"]);
    }

    #[test]
    fn a_record_has_the_time_and_no_secrets() {
        let service = Service::new(&Settings::default()).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_577_880_000_042);
        service.handle(&post("/conversions/sms?api_key=abcd1234&api_secret=s3cret&delivered=s3cret", &[]), now);
        let record = service.records().remove(0);
        assert_eq!(record.at, "2020-01-01T12:00:00.042Z");
        assert_eq!((record.status, record.delivered.as_deref()), (420, Some("***")));
        assert!(!serde_json::to_string(&record).unwrap().contains("s3cret"));
    }

    #[test]
    fn clear_resets_the_connection_count_but_not_the_numbering() {
        let service = Service::new(&Settings::default()).unwrap();
        assert_eq!((service.connected(), service.connections()), (1, 1));
        service.clear();
        assert_eq!((service.connections(), service.connected(), service.connections()), (0, 2, 1));
    }
}
