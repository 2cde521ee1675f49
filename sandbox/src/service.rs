//! Where requests are received, judged and put on record, whichever connection they came on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::error::Error;
use crate::record::Record;
use crate::redact::Mask;
use crate::request::Request;
use crate::request_log::Journal;
use crate::response::Answer;
use crate::rule::{Rule, Rules};
use crate::settings::Settings;
use crate::validator::{Judge, Verdict};

/// What all connections share, and what the owner of the sandbox looks into.
#[derive(Debug)]
pub(crate) struct Office {
    judge: Mutex<Judge>,
    journal: Mutex<Journal>,
    mask: Mask,
    connections: AtomicU64,
    forgotten_connections: AtomicU64,
    requests: AtomicU64,
}

impl Office {
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let mut rules = Rules::default();
        settings.rules.iter().cloned().for_each(|rule| rules.add(rule));
        let judge = Judge { accounts: settings.accounts.clone(), prefix: prefix(&settings.prefix), rules };
        Ok(Self {
            judge: Mutex::new(judge),
            journal: Mutex::new(Journal::open(settings)?),
            mask: Mask::new(&settings.accounts),
            connections: AtomicU64::new(0),
            forgotten_connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        })
    }

    /// Counts a connection and gives it its number.
    pub(crate) fn connected(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    pub(crate) fn connections(&self) -> u64 {
        let all = self.connections.load(Ordering::SeqCst);
        all.saturating_sub(self.forgotten_connections.load(Ordering::SeqCst))
    }

    /// Judges a request and puts it on record, so that whoever has the answer finds the record there.
    pub(crate) fn attend(&self, request: &Request, now: SystemTime) -> Verdict {
        let number = self.requests.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let mut verdict = lock(&self.judge).judge(request, number);
        let at = DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Millis, true);
        if let Err(error) = lock(&self.journal).add(Record::new(at, request, &verdict, &self.mask)) {
            // An answer without its record would make every count of records wrong, so this request fails.
            verdict.answer = Answer::unrecorded(&error);
        }
        verdict
    }

    pub(crate) fn add_rule(&self, rule: Rule) {
        lock(&self.judge).rules.add(rule);
    }

    pub(crate) fn clear_rules(&self) {
        lock(&self.judge).rules.clear();
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        lock(&self.journal).records.clone()
    }

    pub(crate) fn count(&self) -> u64 {
        lock(&self.journal).count
    }

    pub(crate) fn clear(&self) {
        lock(&self.journal).clear();
        self.forgotten_connections.store(self.connections.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

fn prefix(given: &str) -> String {
    match given.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}

/// Nothing that is done under these locks leaves them half done, so a lock that saw a panic is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::request::tests::post;

    #[test]
    fn a_prefix_has_one_slash_in_front_and_none_behind() {
        assert_eq!(["", "/", "a", "/a/b/"].map(prefix), ["", "", "/a", "/a/b"]);
    }

    #[test]
    fn a_record_tells_when_and_hides_secrets() {
        let office = Office::open(&Settings::default()).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_577_880_000_042);
        office.attend(&post("/conversions/sms?api_key=abcd1234&api_secret=s3cret&delivered=s3cret", &[]), now);
        let record = office.records().remove(0);
        assert_eq!(record.at, "2020-01-01T12:00:00.042Z");
        assert_eq!((record.status, record.delivered.as_deref()), (420, Some("***")));
        assert!(!serde_json::to_string(&record).unwrap().contains("s3cret"));
    }

    #[test]
    fn a_cleared_office_goes_on_numbering_connections() {
        let office = Office::open(&Settings::default()).unwrap();
        assert_eq!((office.connected(), office.connections()), (1, 1));
        office.clear();
        assert_eq!((office.connections(), office.connected(), office.connections()), (0, 2, 1));
    }
}
