//! The queries of an outbox. Those that change more than one row must run in a transaction of the caller.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::file::generation::MAX_ROW;
use super::rows;
use super::rows::{event_checksum, is_invalid_value, kind_number, report_checksum, to_i64, to_u64};
use crate::clock::Moment;
use crate::conversion::Conversion;
use crate::reporter::outbox::counters::{Counters, Snapshot};
use crate::reporter::outbox::event::{Event, EventKind, MAX_EVENTS, next_id, unix_milliseconds};
use crate::reporter::outbox::store::{Disposition, Found, Order, Overflow, Search};
use crate::timestamp::Timestamp;

/// The outcome of storing a report.
pub(crate) enum PutOutcome {
    /// Stored with this id. `has_dropped` is true if the oldest report was dropped for it, and `is_first_event` if
    /// that may have created an event while there was none.
    Stored {
        id: u64,
        has_dropped: bool,
        is_first_event: bool,
    },
    Full,
}

/// Stores a report. If `max_pending` reports are pending and the report replaces none of them, `overflow` decides
/// whether the oldest is dropped or nothing is stored. `counters` is the result of [`counters`] in the same
/// transaction, and is updated.
pub(crate) fn put(
    connection: &Connection,
    counters: &mut Counters,
    conversion: &Conversion,
    max_pending: u64,
    overflow: Overflow,
) -> Result<PutOutcome> {
    let is_full = counters.pending() >= max_pending && !contains(connection, conversion)?;
    let is_first_event = is_full && counters.events == 0;
    if is_full {
        match overflow {
            Overflow::Fail => return Ok(PutOutcome::Full),
            Overflow::DropOldest => {
                drop_oldest(connection)?;
                *counters = self::counters(connection)?;
            }
        }
    }
    let id = counters.submitted.saturating_add(1);
    if insert(connection, id, conversion)? == 0 {
        replace(connection, counters.submitted, conversion)?;
        counters.replaced = counters.replaced.saturating_add(1);
        insert(connection, id, conversion)?;
    }
    counters.submitted = id;
    Ok(PutOutcome::Stored { id, has_dropped: is_full, is_first_event })
}

fn insert(connection: &Connection, id: u64, conversion: &Conversion) -> Result<usize> {
    const INSERT: &str =
        "INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id, channel) DO NOTHING";
    insert_with(connection, INSERT, id, conversion)
}

/// Stores a report with this id in its own transaction, unless `id` is not the next id or a report with the same
/// key exists. Returns whether the report was stored.
pub(crate) fn put_with_id(connection: &Connection, id: u64, conversion: &Conversion) -> Result<bool> {
    // If the id is not the next one, the message id is NULL, and SQLite ignores the row.
    const INSERT: &str = "INSERT OR IGNORE INTO report VALUES (?1, CASE ?1 WHEN 1 + \
                          (SELECT max(last, coalesce((SELECT max(id) FROM report), 0)) FROM counters) THEN ?2 END, \
                          ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    insert_with(connection, INSERT, id, conversion).map(|count| count > 0)
}

fn insert_with(connection: &Connection, statement: &str, id: u64, conversion: &Conversion) -> Result<usize> {
    let now = Moment::now();
    connection.prepare_cached(statement)?.execute(params![
        to_i64(id),
        conversion.message_id.as_str(),
        conversion.channel.number(),
        conversion.delivered,
        conversion.timestamp.map(Timestamp::unix_seconds),
        now.wall,
        now.uptime,
        now.boot,
        report_checksum(id, conversion, &now),
    ])
}

/// Deletes an earlier report with the same key and counts it as replaced. `last` is the last id used.
fn replace(connection: &Connection, last: u64, conversion: &Conversion) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM report WHERE message_id = ? AND channel = ?")?
        .execute(params![conversion.message_id.as_str(), conversion.channel.number()])?;
    connection
        .prepare_cached("UPDATE counters SET last = max(last, ?), replaced = replaced + 1")?
        .execute([to_i64(last)])
        .map(drop)
}

fn contains(connection: &Connection, conversion: &Conversion) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM report WHERE message_id = ? AND channel = ?")?
        .exists(params![conversion.message_id.as_str(), conversion.channel.number()])
}

fn drop_oldest(connection: &Connection) -> Result<()> {
    // A damaged row may have a lower id.
    let oldest: Option<i64> =
        connection.prepare_cached("SELECT min(id) FROM report WHERE id > 0")?.query_row([], |row| row.get(0))?;
    let Some(id) = oldest else {
        return Ok(());
    };
    remember_last(connection)?;
    make_event(connection, to_u64(id), EventKind::Dropped, None, EventKind::Dropped.message())
}

/// Finds reports whose ids satisfy `is_wanted`. Also returns the ids of damaged rows.
pub(crate) fn find(
    connection: &Connection,
    search: Search,
    is_wanted: &dyn Fn(u64) -> bool,
) -> Result<(Found, Vec<i64>)> {
    const OLDER: &str = "SELECT * FROM report WHERE id < ? ORDER BY id DESC LIMIT ?";
    const NEWER: &str = "SELECT * FROM report WHERE id > ? ORDER BY id LIMIT ?";
    let (statement, first) = match search.order {
        Order::NewestFirst => (OLDER, u64::MAX),
        Order::OldestFirst => (NEWER, 0),
    };
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(params![to_i64(search.after.unwrap_or(first)), search.max_examined])?;
    let (mut found, mut damaged) = (Found::default(), Vec::new());
    while found.entries.len() < search.limit {
        let Some(row) = rows.next()? else {
            break;
        };
        let number = row.get(0)?;
        let id = to_u64(number);
        found.last = Some(id);
        if !(1..=MAX_ROW).contains(&number) {
            damaged.push(number);
            continue;
        }
        // Only wanted reports are read completely, because most of the newest reports are already in flight.
        if is_wanted(id) {
            match rows::entry(row) {
                Ok(entry) => found.entries.push(entry),
                Err(error) if is_invalid_value(&error) => damaged.push(number),
                Err(error) => return Err(error),
            }
        }
    }
    Ok((found, damaged))
}

/// Removes and counts reports that cannot be read.
pub(crate) fn remove_damaged(connection: &Connection, ids: &[i64]) -> Result<()> {
    remember_last(connection)?;
    let mut count: i64 = 0;
    for id in ids {
        count = count.saturating_add(i64::from(connection.prepare_cached(DELETE)?.execute([id])? > 0));
    }
    connection.prepare_cached("UPDATE counters SET damaged = damaged + ?")?.execute([count]).map(drop)
}

/// Counts as damaged the reports up to row `submitted` that are missing because the file lost its latest changes.
pub(crate) fn count_lost(connection: &Connection, submitted: u64) -> Result<()> {
    let known = counters(connection)?.submitted;
    if known >= submitted {
        return Ok(());
    }
    connection
        .prepare_cached("UPDATE counters SET last = ?1, damaged = damaged + ?2")?
        .execute([to_i64(submitted), to_i64(submitted.saturating_sub(known))])
        .map(drop)
}

/// Records the dispositions of those reports that still exist.
pub(crate) fn complete<'a>(connection: &Connection, batch: impl Iterator<Item = (u64, &'a Disposition)>) -> Result<()> {
    remember_last(connection)?;
    let mut accepted: i64 = 0;
    // The statement is looked up once for the whole batch.
    let mut delete = connection.prepare_cached(DELETE)?;
    for (id, disposition) in batch {
        match disposition {
            Disposition::Accepted => accepted = accepted.saturating_add(i64::from(delete.execute([to_i64(id)])? > 0)),
            Disposition::Event(kind, http_status, message) => make_event(connection, id, *kind, *http_status, message)?,
        }
    }
    connection.prepare_cached("UPDATE counters SET accepted = accepted + ?")?.execute([accepted]).map(drop)
}

/// Stores the highest id used. Must be called before rows of `report` are deleted.
pub(crate) fn remember_last(connection: &Connection) -> Result<()> {
    connection
        .prepare_cached("UPDATE counters SET last = max(last, coalesce((SELECT max(id) FROM report), 0))")?
        .execute([])
        .map(drop)
}

/// Writes the page of the database header with its content unchanged. SQLite would not write a row that is set to its
/// current values.
pub(crate) fn write_unchanged(connection: &Connection) -> Result<()> {
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}

const DELETE: &str = "DELETE FROM report WHERE id = ?";

/// Turns a report into an event, if it still exists.
fn make_event(
    connection: &Connection,
    id: u64,
    kind: EventKind,
    http_status: Option<u16>,
    message: &str,
) -> Result<()> {
    let mut report = connection.prepare_cached("SELECT * FROM report WHERE id = ?")?;
    let mut rows = report.query([to_i64(id)])?;
    let entry = match rows.next()?.map(rows::entry) {
        None => return Ok(()),
        Some(Err(error)) if is_invalid_value(&error) => return remove_damaged(connection, &[to_i64(id)]),
        Some(entry) => entry?,
    };
    drop(rows);
    let event = Event {
        id: next_id(last_event(connection)?),
        created_unix_ms: unix_milliseconds(),
        kind,
        http_status,
        conversion: entry.conversion,
        message: message.to_owned(),
    };
    connection.prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        event.id,
        event.conversion.message_id.as_str(),
        event.conversion.channel.number(),
        event.conversion.delivered,
        event.conversion.timestamp.map(Timestamp::unix_seconds),
        kind_number(kind),
        http_status,
        message,
        event.created_unix_ms,
        event_checksum(&event),
    ])?;
    connection.prepare_cached(DELETE)?.execute([to_i64(id)])?;
    connection.prepare_cached(count_event(kind))?.execute([event.id])?;
    discard_oldest_events(connection)
}

/// Returns the id of the last event created, even if that event was removed.
pub(crate) fn last_event(connection: &Connection) -> Result<i64> {
    connection.prepare_cached("SELECT last_event FROM counters")?.query_row([], |row| row.get(0))
}

fn count_event(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Rejected => "UPDATE counters SET last_event = ?, events = events + 1, rejected = rejected + 1",
        EventKind::Expired => "UPDATE counters SET last_event = ?, events = events + 1, expired = expired + 1",
        EventKind::Dropped => "UPDATE counters SET last_event = ?, events = events + 1, dropped = dropped + 1",
    }
}

/// Discards and counts the oldest events beyond the limit.
fn discard_oldest_events(connection: &Connection) -> Result<()> {
    const DISCARD: &str = "DELETE FROM event WHERE id IN \
                           (SELECT id FROM event ORDER BY id LIMIT max(0, (SELECT events FROM counters) - ?))";
    let count = connection.prepare_cached(DISCARD)?.execute([to_i64(MAX_EVENTS)])?;
    count_discarded(connection, count)
}

fn count_discarded(connection: &Connection, count: usize) -> Result<()> {
    const COUNT: &str = "UPDATE counters SET events = events - ?1, events_discarded = events_discarded + ?1";
    match i64::try_from(count) {
        Ok(count) if count > 0 => connection.prepare_cached(COUNT)?.execute([count]).map(drop),
        _ => Ok(()),
    }
}

/// The oldest event, or the id of its row if the row is damaged.
pub(crate) enum OldestEvent {
    None,
    Event(Event),
    Damaged(i64),
}

pub(crate) fn oldest_event(connection: &Connection) -> Result<OldestEvent> {
    let mut statement = connection.prepare_cached("SELECT * FROM event ORDER BY id LIMIT 1")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else {
        return Ok(OldestEvent::None);
    };
    let id = row.get(0)?;
    match rows::event(row) {
        Ok(event) => Ok(OldestEvent::Event(event)),
        Err(error) if is_invalid_value(&error) => Ok(OldestEvent::Damaged(id)),
        Err(error) => Err(error),
    }
}

/// Removes an event, if it still exists.
pub(crate) fn remove_event(connection: &Connection, id: i64) -> Result<()> {
    if connection.prepare_cached("DELETE FROM event WHERE id = ?")?.execute([id])? > 0 {
        connection.prepare_cached("UPDATE counters SET events = events - 1")?.execute([])?;
    }
    Ok(())
}

/// Removes and counts an event that cannot be read.
pub(crate) fn discard_event(connection: &Connection, id: i64) -> Result<()> {
    let count = connection.prepare_cached("DELETE FROM event WHERE id = ?")?.execute([id])?;
    count_discarded(connection, count)
}

pub(crate) fn snapshot(connection: &Connection) -> Result<Snapshot> {
    let oldest = connection
        .prepare_cached("SELECT wall, uptime, boot FROM report ORDER BY id LIMIT 1")?
        .query_row([], |row| Ok(Moment { wall: row.get(0)?, uptime: row.get(1)?, boot: row.get(2)? }))
        .optional()?;
    Ok(Snapshot { counters: counters(connection)?, oldest })
}

pub(crate) fn counters(connection: &Connection) -> Result<Counters> {
    const COUNTERS: &str = "SELECT max(last, coalesce((SELECT max(id) FROM report), 0)), accepted, rejected, expired, \
                         replaced, dropped, damaged, events, events_discarded FROM counters";
    connection.prepare_cached(COUNTERS)?.query_row([], |row| {
        let count = |index: usize| row.get(index).map(to_u64);
        Ok(Counters {
            submitted: count(0)?,
            accepted: count(1)?,
            rejected: count(2)?,
            expired: count(3)?,
            replaced: count(4)?,
            dropped: count(5)?,
            damaged: count(6)?,
            events: count(7)?,
            events_discarded: count(8)?,
        })
    })
}

/// Returns the lowest id of a pending report; None if no report is pending.
pub(crate) fn lowest_id(connection: &Connection) -> Result<Option<u64>> {
    connection
        .prepare_cached("SELECT min(id) FROM report")?
        .query_row([], |row| row.get(0))
        .optional()
        .map(|id| id.flatten().map(to_u64))
}
