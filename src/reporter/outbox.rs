//! Where accepted reports wait. What a store must do is said here, so that one for many machines can stand beside the
//! file and the memory.
//!
//! ```text
//! put -> PENDING --take--> TAKEN --settle--> sent, or ASIDE (refused, expired)
//!           ^                 |
//!           +-----release-----+      PENDING --full, and the oldest is to go--> ASIDE (dropped)
//! ```

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::os::fd::BorrowedFd;

use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::error::{Error, Kind};

/// The most reports that are kept aside; beyond that the oldest is forgotten, and counted.
pub(crate) const MOST_ASIDE: u64 = 10_000;

/// One in so many reports that are taken is the oldest, so that under a backlog the end does not starve. More of them would be
/// at the cost of the newest, which are worth most: one in eight brings the rank correlation with newest first down to 0.75,
/// one in 32 to 0.94.
const ONE_IN: usize = 32;

/// A report that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number among all that this outbox ever accepted: 1 for the first.
    pub(crate) id: u64,
    /// What is to be reported.
    pub(crate) conversion: Conversion,
    /// When it was accepted.
    pub(crate) accepted: Moment,
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
    /// The service took it.
    Sent,
    /// It goes aside.
    Aside(Reason, Option<u16>, String),
}

/// Why a report was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The service refused it.
    Refused,
    /// It grew older than the age limit.
    Expired,
    /// The outbox was full, and it was the oldest.
    Dropped,
}

impl Reason {
    /// What is said of a report that was set aside without an answer of the service.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Refused => "the service refused the report",
            Self::Expired => "the report grew older than the age limit",
            Self::Dropped => "the outbox was full, and this was its oldest report",
        }
    }
}

/// A report that was set aside, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The report.
    pub conversion: Conversion,
    /// Why it was set aside.
    pub reason: Reason,
    /// The HTTP status that refused it, if one did.
    pub http_status: Option<u16>,
    /// What happened, in a sentence.
    pub message: String,
}

/// The fate of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) id: u64,
    pub(crate) fate: Fate,
}

/// How many reports an outbox ever accepted, and what became of each of them. Each has one fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    pub(crate) expired: u64,
    pub(crate) replaced: u64,
    pub(crate) dropped: u64,
    /// How many are aside and wait to be fetched.
    pub(crate) aside: u64,
    /// How many were set aside and forgotten, for want of room.
    pub(crate) forgotten: u64,
}

impl Tally {
    /// How many have no fate yet.
    pub(crate) fn pending(&self) -> u64 {
        let gone = [self.sent, self.refused, self.expired, self.replaced, self.dropped];
        gone.iter().fold(self.accepted, |pending, count| pending.saturating_sub(*count))
    }

    /// Counts one report that was set aside.
    pub(crate) fn count(&mut self, reason: Reason) {
        let counter = match reason {
            Reason::Refused => &mut self.refused,
            Reason::Expired => &mut self.expired,
            Reason::Dropped => &mut self.dropped,
        };
        *counter = counter.saturating_add(1);
    }
}

/// The state of an outbox at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    pub(crate) tally: Tally,
    /// When the oldest pending report was accepted.
    pub(crate) oldest: Option<Moment>,
}

/// What `put` does when the outbox is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// Refuses the new report.
    #[default]
    Refuse,
    /// Sets the oldest report aside.
    DropOldest,
}

/// The refusal of a report by an outbox that holds `most`.
pub(crate) fn full(most: u64) -> Error {
    Error::new(Kind::OutboxFull, format!("the outbox holds {most} reports, which is as many as it may"))
}

/// A place for accepted reports. How safe they are there, and how fast `put` is, are its own properties; all else is as
/// said here.
pub(crate) trait Outbox: Send + Sync {
    /// Accepts a report, which is safe when this returns. It replaces one of the same key. True: the oldest was set aside to
    /// make room.
    fn put(&self, conversion: &Conversion) -> Result<bool, Error>;

    /// Takes up to `limit` reports to be sent: the newest first, but one in 32 the oldest. None that is taken already,
    /// none whose key is that of a taken one, and none that `skip` names.
    fn take(&self, limit: usize, skip: &dyn Fn(u64) -> bool) -> Result<Vec<Entry>, Error>;

    /// Gives taken reports back: they are pending again.
    fn release(&self, ids: &[u64]);

    /// Writes down what became of taken reports. One that was replaced or dropped meanwhile has its fate already. On an
    /// error all of them stay taken.
    fn settle(&self, batch: &[Settlement]) -> Result<(), Error>;

    /// Sets aside the oldest reports, taken ones excepted, as long as they are too old, and no more than a bounded
    /// number of them. Tells how many.
    fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error>;

    /// Hands out a report that was set aside, once.
    fn fetch_aside(&self) -> Result<Option<Aside>, Error>;

    /// Its state.
    fn inventory(&self) -> Result<Inventory, Error>;

    /// Whether something is aside. For the worker.
    fn has_aside(&self) -> Result<bool, Error>;

    /// The number of the report that was accepted last.
    fn last(&self) -> Result<u64, Error>;

    /// Whether no report up to number `id` is pending any more.
    fn is_done_up_to(&self, id: u64) -> Result<bool, Error>;

    /// Whether this process may take reports. Asked again and again until it may.
    fn lead(&self) -> Result<bool, Error>;

    /// Lets another process take reports. Nothing must be taken.
    fn resign(&self);

    /// Readable when another process may have stopped taking, and, for the one that takes, when another has put something,
    /// which can be read then; none if that cannot be told.
    fn watch(&self) -> Option<BorrowedFd<'_>>;

    /// Forgets that the watch was readable. True: it was.
    fn hush(&self) -> bool;

    /// Whether this process takes, and notices what others put without looking for it.
    fn notices(&self) -> bool;

    /// How many outboxes were damaged or removed while this process used them, and began anew.
    fn lost(&self) -> u64;
}

/// The reports of an outbox that are taken. Of a key its hash is kept: should two have the same, one waits for the other.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    entries: HashMap<u64, u64>,
    keys: HashSet<u64>,
    hasher: RandomState,
}

impl Taken {
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
        let mut tally = Tally { accepted: 9, sent: 2, replaced: 1, ..Tally::default() };
        for reason in [Reason::Refused, Reason::Expired, Reason::Dropped, Reason::Dropped] {
            tally.count(reason);
        }
        assert_eq!((tally.refused, tally.expired, tally.dropped, tally.pending()), (1, 1, 2, 2));
    }
}
