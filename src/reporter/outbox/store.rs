//! The contract of a store: what an outbox needs from a file or from memory.

use std::os::fd::BorrowedFd;

use super::counters::Snapshot;
use super::event::{Event, EventKind};
use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::error::{Error, Kind};

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

impl Disposition {
    /// An event without a response.
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

/// The order of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

/// Where a search starts and what limits it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    pub(crate) order: Order,
    /// The id after which it starts; None for the first in this order.
    pub(crate) after: Option<u64>,
    /// Maximum number of reports to return.
    pub(crate) limit: usize,
    /// Maximum number of reports to look at.
    pub(crate) max_examined: u32,
}

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// The id of the last report looked at; None if there was none.
    pub(crate) last: Option<u64>,
}

/// Holds reports, events and counters, and changes them together. What is sent, and when, is up to
/// [`Outbox`](super::Outbox).
pub(crate) trait Store: Send + Sync {
    /// Stores a report as durably as the store promises before it returns. Replaces a report with the same key. True:
    /// the oldest report was dropped to make room.
    fn put(&self, conversion: &Conversion) -> Result<bool, Error>;

    /// Finds pending reports whose ids satisfy `is_wanted`. Called by the worker.
    fn find(&self, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found, Error>;

    /// Removes and counts the reports of `batch` that still exist. Called by the worker.
    fn complete(&self, batch: &[Completion]) -> Result<(), Error>;

    /// The oldest event.
    fn oldest_event(&self) -> Result<Option<Event>, Error>;

    /// The id of the last event, which may be gone.
    fn last_event_id(&self) -> Result<i64, Error>;

    /// Removes an event, if it still exists.
    fn remove_event(&self, id: i64) -> Result<(), Error>;

    /// Its counters and oldest report.
    fn snapshot(&self) -> Result<Snapshot, Error>;

    /// Whether there is an event. Called by the worker.
    fn has_events(&self) -> Result<bool, Error>;

    /// The id of the last submitted report.
    fn last(&self) -> Result<u64, Error>;

    /// Whether no report up to `id` is pending.
    fn is_done_up_to(&self, id: u64) -> Result<bool, Error>;

    /// Whether this process may claim reports. Called repeatedly until it may.
    fn try_become_sender(&self) -> Result<bool, Error>;

    /// Lets another process claim reports.
    fn step_down(&self);

    /// Becomes readable when the sender may have exited and, in the sender, when another process has committed a
    /// report. None if the system cannot watch files.
    fn watch(&self) -> Option<BorrowedFd<'_>>;

    /// Clears the readiness of `watch`. True: it was readable.
    fn clear_watch(&self) -> bool;

    /// Whether this process is the sender and is notified of reports by other processes.
    fn is_watching(&self) -> bool;

    /// What endangers the outbox although it works, if anything. Called by the worker.
    fn danger(&self) -> Option<Error>;

    /// How many times the outbox was replaced while this process used it, because it was damaged or removed.
    fn resets(&self) -> u64;
}
