//! The interface of a store, which holds an outbox in a file or in memory.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::counters::Snapshot;
use super::event::{Event, EventKind};
use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::error::{Error, Kind};
use crate::os::wakeup::Noticed;

/// A report in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The sequence number of the report, starting at 1. For an outbox in a file, each file starts again at 1, and
    /// the high bits hold the generation of the file.
    pub(crate) id: u64,
    pub(crate) conversion: Conversion,
    /// The time at which the report was submitted.
    pub(crate) submitted: Moment,
}

/// The key of a report. A later report replaces an earlier one with the same key.
pub(crate) type Key = (Channel, MessageId);

impl Entry {
    pub(crate) fn key(&self) -> Key {
        (self.conversion.channel, self.conversion.message_id.clone())
    }
}

/// How a report leaves the outbox, unless a later report replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The service accepted the report.
    Accepted,
    /// The report becomes an event, with the HTTP status of the response, if any, and a message.
    Event(EventKind, Option<u16>, String),
}

impl Disposition {
    /// Returns the disposition of a report that becomes an event for a reason other than a response.
    pub(crate) fn event(kind: EventKind) -> Self {
        Self::Event(kind, None, kind.message().to_owned())
    }
}

/// The disposition of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) id: u64,
    pub(crate) disposition: Disposition,
}

/// The behavior of `submit` when the outbox is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The call fails.
    #[default]
    Fail,
    /// The call drops the oldest report, which becomes an event.
    DropOldest,
}

/// Returns the error for a submit to an outbox in which `max_pending` reports are pending.
pub(crate) fn full_error(max_pending: u64) -> Error {
    Error::new(Kind::OutboxFull, format!("the outbox is full (max_pending = {max_pending})"))
}

/// The order of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

/// The order, the start and the limits of a search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    pub(crate) order: Order,
    /// The id after which, in this order, the search starts; None to start at the first report.
    pub(crate) after: Option<u64>,
    /// The maximum number of reports to return.
    pub(crate) limit: usize,
    /// The maximum number of reports to examine.
    pub(crate) max_examined: u32,
}

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// The id of the last report examined; None if there was none.
    pub(crate) last: Option<u64>,
}

/// Stores reports, events and counters, and changes them atomically. [`Outbox`](super::Outbox) decides which reports
/// are sent next.
pub(crate) trait Store: Send + Sync {
    /// Stores a report as durably as the settings require. Replaces a report with the same key. Returns true if the
    /// oldest report was dropped to make room.
    fn put(&self, conversion: &Conversion) -> Result<bool, Error>;

    /// Finds pending reports whose ids satisfy `is_wanted`. Only the worker calls this function.
    fn find(&self, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found, Error>;

    /// Removes the reports of `batch` that still exist, and records their dispositions. Only the worker calls this
    /// function.
    fn complete(&self, batch: &[Completion]) -> Result<(), Error>;

    /// Returns the oldest event.
    fn oldest_event(&self) -> Result<Option<Event>, Error>;

    /// Returns the highest event id used so far, even if that event was removed.
    fn last_event_id(&self) -> Result<i64, Error>;

    /// Removes an event, if it still exists.
    fn remove_event(&self, id: i64) -> Result<(), Error>;

    /// Returns the counters and the time at which the oldest pending report was submitted.
    fn snapshot(&self) -> Result<Snapshot, Error>;

    /// Returns when the oldest pending report was submitted. Only the worker calls this function.
    fn oldest(&self) -> Result<Option<Moment>, Error>;

    /// Returns whether there is an event. Only the worker calls this function.
    fn has_events(&self) -> Result<bool, Error>;

    /// Returns the id of the last submitted report.
    fn last(&self) -> Result<u64, Error>;

    /// Returns whether no report with an id up to `id` is pending.
    fn is_done_up_to(&self, id: u64) -> Result<bool, Error>;

    /// Tries to become the sender if this process is not the sender. Returns whether it is the sender now.
    fn try_become_sender(&self) -> Result<bool, Error>;

    /// Lets another process become the sender.
    fn step_down(&self);

    /// Returns a descriptor that becomes readable when the sender may have exited, or when another process has
    /// created an event while there was none, or has removed, replaced or linked a file. In the sender, it also
    /// becomes readable when another process has committed a report. Returns None if the system cannot watch files.
    fn watch(&self) -> Option<BorrowedFd<'_>>;

    /// Discards the notifications that made the descriptor of `watch` readable. Returns what they were.
    fn clear_watch(&self) -> Noticed;

    /// Returns whether `watch` reports every change that concerns this process. Otherwise, the worker must poll.
    fn is_notified(&self) -> bool;

    /// Returns whether the files were opened since the last call of this function.
    fn clear_opened(&self) -> bool;

    /// Like `clear_opened`, but does not reset the result.
    fn was_opened(&self) -> bool;

    /// Returns an error if the outbox works but another process could destroy it. Only the worker calls this function.
    fn danger(&self) -> Option<Error>;

    /// Releases unused memory, and unused disk space if no process has written to the outbox for `idle`. The worker
    /// calls this function repeatedly.
    fn shrink(&self, idle: Duration, now: Instant);

    /// Returns how many times the outbox was replaced, because it was damaged or removed, while this process used it.
    fn resets(&self) -> u64;
}
