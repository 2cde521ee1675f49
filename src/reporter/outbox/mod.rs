//! Where submitted reports wait. What a store must do is stated here, for the one in a file and the one in memory.
//!
//! ```text
//! put -> PENDING --take--> IN FLIGHT --settle--> accepted, or an EVENT (rejected, expired)
//!           ^                 |
//!           +-----release-----+      PENDING --outbox full, the oldest is dropped--> an EVENT (dropped)
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

/// The most events that are kept; beyond that the oldest is discarded and counted.
pub(crate) const MAX_EVENTS: u64 = 10_000;

/// The lowest id of an event: whatever the clock says, an id is far from anything that a caller makes up.
pub(crate) const FIRST_EVENT_ID: i64 = 1 << 50;

/// One in so many reports that are taken is the oldest, so that under a backlog the end does not starve. More of them would be
/// at the cost of the newest, which are worth most: one in eight brings the rank correlation with newest first down to 0.75,
/// one in 32 to 0.94.
const ONE_IN: usize = 32;

/// A report in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number among all that were ever submitted to this outbox: 1 for the first.
    pub(crate) id: u64,
    /// What is to be reported.
    pub(crate) conversion: Conversion,
    /// When it was submitted.
    pub(crate) submitted: Moment,
}

/// What a later report must have in common with an earlier one to replace it.
pub(crate) type Key = (Channel, MessageId);

impl Entry {
    pub(crate) fn key(&self) -> Key {
        (self.conversion.channel, self.conversion.message_id.clone())
    }
}

/// How a report leaves the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The service accepted it.
    Accepted,
    /// It becomes an event, with the HTTP status of the response, if there was one, and a message.
    Event(EventKind, Option<u16>, String),
}

/// Why a report left the outbox without being accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The service rejected it.
    Rejected,
    /// It was older than the age limit.
    Expired,
    /// The outbox was full, and it was the oldest report in it.
    Dropped,
}

impl EventKind {
    /// The message of an event that no response caused.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Rejected => "the service rejected the report",
            Self::Expired => "the report is older than max_age_s",
            Self::Dropped => "the outbox was full and this was its oldest report",
        }
    }
}

/// A report that left the outbox without being accepted, and why. It is kept until it is acknowledged.
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
    /// What happened, in a sentence.
    pub message: String,
}

/// The id of the event that follows `last`. It grows with the clock, so that an outbox that lost its last changes, or was
/// restored from a backup, gives no id twice.
pub(crate) fn next_event_id(last: i64) -> i64 {
    last.saturating_add(1).max(unix_microseconds()).max(FIRST_EVENT_ID)
}

/// Refuses an id that no event of an outbox can have whose last event has the id `last`.
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

/// The fate of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) id: u64,
    pub(crate) fate: Fate,
}

/// How many reports were ever submitted to an outbox, and what became of each of them. Each has one fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) submitted: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) expired: u64,
    pub(crate) replaced: u64,
    pub(crate) dropped: u64,
    /// How many could not be read back and were removed.
    pub(crate) damaged: u64,
    /// How many events wait to be acknowledged.
    pub(crate) events: u64,
    /// How many events were discarded before they were acknowledged.
    pub(crate) events_discarded: u64,
}

impl Counters {
    /// How many have no fate yet.
    pub(crate) fn pending(&self) -> u64 {
        let gone = [self.accepted, self.rejected, self.expired, self.replaced, self.dropped, self.damaged];
        gone.iter().fold(self.submitted, |pending, count| pending.saturating_sub(*count))
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

/// The state of an outbox at one moment.
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

/// The failure of a submit to an outbox that holds `most` reports.
pub(crate) fn full(most: u64) -> Error {
    Error::new(Kind::OutboxFull, format!("the outbox is full (max_pending = {most})"))
}

/// A place for submitted reports. How safe they are there, and how fast `put` is, are its own properties; all else is as
/// stated here.
pub(crate) trait Outbox: Send + Sync {
    /// Stores a report, which is safe when this returns. It replaces one of the same key. True: the oldest was dropped to
    /// make room.
    fn put(&self, conversion: &Conversion) -> Result<bool, Error>;

    /// Takes up to `limit` reports to be sent: the newest first, but one in 32 the oldest. None that is taken already,
    /// none whose key is that of a taken one, and none that `skip` names.
    fn take(&self, limit: usize, skip: &dyn Fn(u64) -> bool) -> Result<Vec<Entry>, Error>;

    /// Gives taken reports back: they are pending again.
    fn release(&self, ids: &[u64]);

    /// Records what became of taken reports. One that was replaced or dropped meanwhile has its fate already. On an
    /// error all of them stay taken.
    fn settle(&self, batch: &[Settlement]) -> Result<(), Error>;

    /// Makes events of the oldest reports, taken ones excepted, as long as they are too old, and of no more than a bounded
    /// number of them. Returns how many.
    fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error>;

    /// The oldest event, which stays.
    fn oldest_event(&self) -> Result<Option<Event>, Error>;

    /// Removes one event. One that is gone already is fine; an id that cannot have been issued is an invalid argument.
    fn acknowledge(&self, event_id: i64) -> Result<(), Error>;

    /// Its state.
    fn snapshot(&self) -> Result<Snapshot, Error>;

    /// Whether there is an event. For the worker.
    fn has_events(&self) -> Result<bool, Error>;

    /// The number of the report that was submitted last.
    fn last(&self) -> Result<u64, Error>;

    /// Whether no report up to number `id` is pending any more.
    fn is_done_up_to(&self, id: u64) -> Result<bool, Error>;

    /// Whether this process may take reports. Asked again and again until it may.
    fn try_become_sender(&self) -> Result<bool, Error>;

    /// Lets another process take reports. Nothing must be taken.
    fn step_down(&self);

    /// Readable when another process may have stopped taking, and, for the one that takes, when another has put something,
    /// which can be read then; none if the system cannot watch files.
    fn watch(&self) -> Option<BorrowedFd<'_>>;

    /// Forgets that the watch was readable. True: it was.
    fn clear_notice(&self) -> bool;

    /// Whether this process takes, and notices what others put without looking for it.
    fn notices(&self) -> bool;

    /// How many times the outbox was damaged or removed while this process used it, and replaced by a new one.
    fn resets(&self) -> u64;
}

/// The reports of an outbox that are taken. Of a key its hash is kept: should two have the same, one waits for the other.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    entries: HashMap<u64, u64>,
    keys: HashSet<u64>,
    hasher: RandomState,
}

impl Claims {
    /// Notes that `entry` is taken. False: it cannot be, for it or its key is taken already.
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

    pub(crate) fn holds(&self, id: u64) -> bool {
        self.entries.contains_key(&id)
    }
}

/// How many of `limit` reports are to be the oldest, when `before` have been taken so far.
pub(crate) fn oldest_share(before: usize, limit: usize) -> usize {
    before.saturating_add(limit) / ONE_IN - before / ONE_IN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_32_is_the_oldest_however_they_are_taken() {
        assert_eq!((0..320).map(|before| oldest_share(before, 1)).sum::<usize>(), 10);
        assert_eq!(oldest_share(0, 320), 10);
        assert_eq!((oldest_share(30, 1), oldest_share(31, 1), oldest_share(32, 31)), (0, 1, 0));
    }

    #[test]
    fn every_report_has_one_fate() {
        let mut counters = Counters { submitted: 10, accepted: 2, replaced: 1, damaged: 1, ..Counters::default() };
        for kind in [EventKind::Rejected, EventKind::Expired, EventKind::Dropped, EventKind::Dropped] {
            counters.count(kind);
        }
        assert_eq!((counters.rejected, counters.expired, counters.dropped, counters.pending()), (1, 1, 2, 2));
    }

    #[test]
    fn event_ids_grow_with_the_last_one_and_with_the_clock() {
        let now = unix_microseconds();
        assert!((now..now + 60_000_000).contains(&next_event_id(0)));
        let ahead = now + 3_600_000_000;
        assert_eq!(next_event_id(ahead), ahead + 1, "the clock was set back");
        assert!(next_event_id(0) < 1 << 53, "a double holds it exactly");
    }

    #[test]
    fn an_id_that_cannot_have_been_issued_is_refused() {
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
