//! Stores submitted reports. States the contract of an outbox, for the one in a file and the one in memory.
//!
//! ```text
//! put -> PENDING --claim--> IN FLIGHT --complete--> accepted, or an EVENT (rejected, expired)
//!           ^                  |
//!           +-----release------+      PENDING --outbox full, the oldest is dropped--> an EVENT (dropped)
//! ```

pub(crate) mod memory;
pub(crate) mod sqlite;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::os::fd::BorrowedFd;
use std::time::{Duration, SystemTime};

use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::error::{Error, Kind};

/// The maximum of events kept; beyond it the oldest is discarded and counted.
pub(crate) const MAX_EVENTS: u64 = 10_000;

/// The lowest event id. Whatever the clock says, no number that a caller makes up is near it.
pub(crate) const FIRST_EVENT_ID: i64 = 1 << 50;

/// One in this many claimed reports is the oldest, so that old reports do not starve under a backlog. A larger share
/// would delay the newest, which are worth most: one in eight lowers the rank correlation with newest-first order to
/// 0.75, one in 32 to 0.94.
const OLDEST_INTERVAL: usize = 32;

/// A report in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number among all reports ever submitted to this outbox, starting at 1.
    pub(crate) id: u64,
    /// The report itself.
    pub(crate) conversion: Conversion,
    /// When it was submitted.
    pub(crate) submitted: Moment,
}

/// A later report replaces an earlier one with the same key.
pub(crate) type Key = (Channel, MessageId);

impl Entry {
    pub(crate) fn key(&self) -> Key {
        (self.conversion.channel, self.conversion.message_id.clone())
    }
}

/// How a report leaves the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The service accepted it.
    Accepted,
    /// It becomes an event, with the HTTP status of the response, if any, and a message.
    Event(EventKind, Option<u16>, String),
}

/// Why a report left the outbox without being accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The service rejected it.
    Rejected,
    /// It was older than the maximum age.
    Expired,
    /// The outbox was full and it was the oldest report.
    Dropped,
}

impl EventKind {
    /// The message of an event without a response.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Rejected => "the service rejected the report",
            Self::Expired => "the report is older than max_age_s",
            Self::Dropped => "the outbox was full and this was its oldest report",
        }
    }
}

/// A report that left the outbox without being accepted, and why. Kept until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Identifies the event. Ids increase within an outbox and are never reused.
    pub id: i64,
    /// When it happened, in milliseconds since 1970.
    pub created_unix_ms: i64,
    /// Why the report left the outbox.
    pub kind: EventKind,
    /// The HTTP status that rejected the report, if one did.
    pub http_status: Option<u16>,
    /// The report.
    pub conversion: Conversion,
    /// What happened, as a sentence.
    pub message: String,
}

/// The id of the event after `last`. It follows the clock, so that an outbox that lost its last changes or was restored
/// from a backup never reuses an id.
pub(crate) fn next_event_id(last: i64) -> i64 {
    last.saturating_add(1).max(unix_microseconds()).max(FIRST_EVENT_ID)
}

/// Rejects an id that no event can have in an outbox whose last event id is `last`.
pub(crate) fn check_event_id(id: i64, last: i64) -> Result<(), Error> {
    if id >= FIRST_EVENT_ID && id <= last.max(unix_microseconds()) {
        return Ok(());
    }
    Err(Error::argument(
        "event_id",
        format!("is {id}, which is not the id of an event; pass the id that poll returned"),
    ))
}

fn unix_microseconds() -> i64 {
    i64::try_from(since_1970().as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn unix_milliseconds() -> i64 {
    i64::try_from(since_1970().as_millis()).unwrap_or(i64::MAX)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The disposition of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) id: u64,
    pub(crate) disposition: Disposition,
}

/// How many reports were ever submitted to an outbox, and their dispositions. Each report is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) submitted: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) expired: u64,
    pub(crate) replaced: u64,
    pub(crate) dropped: u64,
    /// Reports that could not be read back and were removed.
    pub(crate) damaged: u64,
    /// Events waiting to be acknowledged.
    pub(crate) events: u64,
    /// Events discarded before they were acknowledged.
    pub(crate) events_discarded: u64,
}

impl Counters {
    /// Reports without a disposition.
    pub(crate) fn pending(&self) -> u64 {
        let completed = [self.accepted, self.rejected, self.expired, self.replaced, self.dropped, self.damaged];
        completed.iter().fold(self.submitted, |pending, count| pending.saturating_sub(*count))
    }

    /// Counts one report that became an event.
    pub(crate) fn count(&mut self, kind: EventKind) {
        let counter = match kind {
            EventKind::Rejected => &mut self.rejected,
            EventKind::Expired => &mut self.expired,
            EventKind::Dropped => &mut self.dropped,
        };
        *counter = counter.saturating_add(1);
    }
}

/// The state of an outbox at one point in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) counters: Counters,
    /// When the oldest pending report was submitted.
    pub(crate) oldest: Option<Moment>,
}

/// What `submit` does when the outbox is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// It fails.
    #[default]
    Fail,
    /// It drops the oldest report, which becomes an event.
    DropOldest,
}

/// The error of a submit to an outbox with `max_pending` reports.
pub(crate) fn full_error(max_pending: u64) -> Error {
    Error::new(Kind::OutboxFull, format!("the outbox is full (max_pending = {max_pending})"))
}

/// Stores submitted reports. Implementations differ only in durability and in the cost of `put`.
pub(crate) trait Outbox: Send + Sync {
    /// Stores a report as durably as the outbox promises before it returns. Replaces a report with the same key. True:
    /// the oldest report was dropped to make room.
    fn put(&self, conversion: &Conversion) -> Result<bool, Error>;

    /// Claims up to `limit` reports for sending: the newest first, but one in 32 the oldest. Leaves out claimed
    /// reports, those with the key of a claimed one, and those for which `skip` returns true.
    fn claim(&self, limit: usize, skip: &dyn Fn(u64) -> bool) -> Result<Vec<Entry>, Error>;

    /// Releases claimed reports: they are pending again.
    fn release(&self, ids: &[u64]);

    /// Records the dispositions of claimed reports. One that was replaced or dropped meanwhile already has one. On an
    /// error, all of them stay claimed.
    fn complete(&self, batch: &[Completion]) -> Result<(), Error>;

    /// Turns the oldest reports that are too old and not claimed into events, up to a fixed number per call. Returns
    /// how many.
    fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error>;

    /// The oldest event. Does not remove it.
    fn oldest_event(&self) -> Result<Option<Event>, Error>;

    /// Removes one event. Succeeds if it is already gone; an id that cannot have been issued is an invalid argument.
    fn acknowledge(&self, event_id: i64) -> Result<(), Error>;

    /// Its counters and oldest report.
    fn snapshot(&self) -> Result<Snapshot, Error>;

    /// Whether there is an event. Called by the worker.
    fn has_events(&self) -> Result<bool, Error>;

    /// The number of the last submitted report.
    fn last(&self) -> Result<u64, Error>;

    /// Whether no report up to number `id` is pending.
    fn is_done_up_to(&self, id: u64) -> Result<bool, Error>;

    /// Whether this process may claim reports. Called repeatedly until it may.
    fn try_become_sender(&self) -> Result<bool, Error>;

    /// Lets another process claim reports. No report may be claimed.
    fn step_down(&self);

    /// Becomes readable when the sender may have exited and, in the sender, when another process has committed a
    /// report. None if the system cannot watch files.
    fn watch(&self) -> Option<BorrowedFd<'_>>;

    /// Clears the readiness of `watch`. True: it was readable.
    fn clear_watch(&self) -> bool;

    /// Whether this process is the sender and is notified of reports by other processes.
    fn is_watching(&self) -> bool;

    /// How many times the outbox was replaced while this process used it, because it was damaged or removed.
    fn resets(&self) -> u64;
}

/// The claimed reports of an outbox. Stores a hash of each key; if two keys have the same hash, one waits for the
/// other.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    entries: HashMap<u64, u64>,
    keys: HashSet<u64>,
    hasher: RandomState,
}

impl Claims {
    /// Claims `entry`. False: it or its key is already claimed.
    pub(crate) fn add(&mut self, entry: &Entry) -> bool {
        let Conversion { channel, message_id, .. } = &entry.conversion;
        let key = self.hasher.hash_one((channel, message_id));
        if self.entries.contains_key(&entry.id) || !self.keys.insert(key) {
            return false;
        }
        self.entries.insert(entry.id, key);
        true
    }

    pub(crate) fn remove(&mut self, id: u64) {
        if let Some(key) = self.entries.remove(&id) {
            self.keys.remove(&key);
        }
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.entries.contains_key(&id)
    }
}

/// How many of `limit` reports must be the oldest, after `claimed` earlier ones.
pub(crate) fn oldest_share(claimed: usize, limit: usize) -> usize {
    claimed.saturating_add(limit) / OLDEST_INTERVAL - claimed / OLDEST_INTERVAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_32_claimed_reports_is_the_oldest() {
        assert_eq!((0..320).map(|claimed| oldest_share(claimed, 1)).sum::<usize>(), 10);
        assert_eq!(oldest_share(0, 320), 10);
        assert_eq!((oldest_share(30, 1), oldest_share(31, 1), oldest_share(32, 31)), (0, 1, 0));
    }

    #[test]
    fn every_report_is_counted_once() {
        let mut counters = Counters { submitted: 10, accepted: 2, replaced: 1, damaged: 1, ..Counters::default() };
        for kind in [EventKind::Rejected, EventKind::Expired, EventKind::Dropped, EventKind::Dropped] {
            counters.count(kind);
        }
        assert_eq!((counters.rejected, counters.expired, counters.dropped, counters.pending()), (1, 1, 2, 2));
    }

    #[test]
    fn event_ids_increase_and_follow_the_clock() {
        let now = unix_microseconds();
        assert!((now..now + 60_000_000).contains(&next_event_id(0)));
        let ahead = now + 3_600_000_000;
        assert_eq!(next_event_id(ahead), ahead + 1, "the clock was set back");
        assert!(next_event_id(0) < 1 << 53, "a double holds it exactly");
    }

    #[test]
    fn impossible_event_id_is_invalid() {
        let now = unix_microseconds();
        for id in [i64::MIN, -1, 0, 1, FIRST_EVENT_ID - 1, now + 3_600_000_000, i64::MAX] {
            assert_eq!(check_event_id(id, now).unwrap_err().kind(), Kind::InvalidArgument, "{id}");
        }
        for id in [FIRST_EVENT_ID, now - 1, now] {
            assert_eq!(check_event_id(id, 0), Ok(()), "{id}");
        }
        assert_eq!(check_event_id(now + 7, now + 7), Ok(()));
    }
}
