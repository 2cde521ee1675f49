//! Events: reports that the service rejected, that expired or that were dropped.

use std::time::{Duration, SystemTime};

use crate::conversion::Conversion;
use crate::error::Error;

/// The maximum number of events kept. Beyond it, the oldest event is discarded and counted.
pub(crate) const MAX_EVENTS: u64 = 10_000;

/// The lowest event id, even if the clock is wrong. It is so large that a number passed by mistake, such as an index,
/// is rejected.
pub(crate) const FIRST_EVENT_ID: i64 = 1 << 50;

/// The reason why a report became an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The service rejected the report.
    Rejected,
    /// The report was older than the maximum age.
    Expired,
    /// The outbox was full and the report was its oldest.
    Dropped,
}

impl EventKind {
    /// Returns the message of an event that was not caused by a response.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Rejected => "the service rejected the report",
            Self::Expired => "the report is older than max_age_s",
            Self::Dropped => "the outbox was full and this was its oldest report",
        }
    }
}

/// A report that was rejected, expired or was dropped, and the reason. The event stays in the outbox until it is
/// acknowledged; if there are more than 10,000 events, the oldest is discarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The id of the event. Ids increase within an outbox and are not reused.
    pub id: i64,
    /// The time at which the event was created, in milliseconds since 1970.
    pub created_unix_ms: i64,
    /// The reason why the report became an event.
    pub kind: EventKind,
    /// The HTTP status of the response that rejected the report, if any.
    pub http_status: Option<u16>,
    /// The report.
    pub conversion: Conversion,
    /// A description of what happened.
    pub message: String,
}

/// Returns the id of the event after `last`. The id is at least the current time in microseconds since 1970, so that
/// an outbox that lost its last changes or was restored from a backup does not reuse an id.
pub(crate) fn next_id(last: i64) -> i64 {
    last.saturating_add(1).max(unix_microseconds()).max(FIRST_EVENT_ID)
}

/// Rejects an id that no event can have in an outbox whose last event id is `last`.
pub(crate) fn check_id(id: i64, last: i64) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn event_ids_increase_and_follow_the_clock() {
        let now = unix_microseconds();
        assert!((now..now + 60_000_000).contains(&next_id(0)));
        let ahead = now + 3_600_000_000;
        assert_eq!(next_id(ahead), ahead + 1, "the id must increase even if the clock was set back");
        assert!(next_id(0) < 1 << 53, "a double must be able to represent the id exactly");
    }

    #[test]
    fn impossible_event_id_is_invalid() {
        let now = unix_microseconds();
        for id in [i64::MIN, -1, 0, 1, FIRST_EVENT_ID - 1, now + 3_600_000_000, i64::MAX] {
            assert_eq!(check_id(id, now).unwrap_err().kind(), Kind::InvalidArgument, "{id}");
        }
        for id in [FIRST_EVENT_ID, now - 1, now] {
            assert_eq!(check_id(id, 0), Ok(()), "{id}");
        }
        assert_eq!(check_id(now + 7, now + 7), Ok(()));
    }
}
