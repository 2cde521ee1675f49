//! The queries of an outbox. Each runs in its caller's transaction.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId, Timestamp};
use crate::reporter::outbox::{
    Counters, Disposition, Entry, Event, EventKind, MAX_EVENTS, Overflow, Snapshot, next_event_id, unix_milliseconds,
};

/// The outcome of storing a report.
pub(crate) enum PutOutcome {
    /// Stored; `has_dropped` if the oldest report was dropped for it.
    Stored {
        has_dropped: bool,
    },
    Full,
}

/// Stores a report, unless `max_pending` are pending and none may be dropped. `counters` is the result of [`counters`]
/// in the same transaction.
pub(crate) fn put(
    connection: &Connection,
    counters: &Counters,
    conversion: &Conversion,
    max_pending: u64,
    overflow: Overflow,
) -> Result<PutOutcome> {
    let is_full = counters.pending() >= max_pending && !contains(connection, conversion)?;
    if is_full {
        match overflow {
            Overflow::Fail => return Ok(PutOutcome::Full),
            Overflow::DropOldest => drop_oldest(connection)?,
        }
    }
    let id = counters.submitted.saturating_add(1);
    if insert(connection, id, conversion)? == 0 {
        replace(connection, counters.submitted, conversion)?;
        insert(connection, id, conversion)?;
    }
    Ok(PutOutcome::Stored { has_dropped: is_full })
}

fn insert(connection: &Connection, id: u64, conversion: &Conversion) -> Result<usize> {
    const INSERT: &str =
        "INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id, channel) DO NOTHING";
    insert_with(connection, INSERT, id, conversion)
}

/// Stores a report with a given number in its own transaction, unless that is not the next number or the key exists.
/// Returns whether it was stored.
pub(crate) fn put_with_id(connection: &Connection, id: u64, conversion: &Conversion) -> Result<bool> {
    // A row without a message id is ignored.
    const INSERT: &str = "INSERT OR IGNORE INTO report VALUES (?1, CASE ?1 WHEN 1 + \
                          (SELECT max(last, coalesce((SELECT max(id) FROM report), 0)) FROM counters) THEN ?2 END, \
                          ?3, ?4, ?5, ?6, ?7, ?8)";
    insert_with(connection, INSERT, id, conversion).map(|count| count > 0)
}

fn insert_with(connection: &Connection, statement: &str, id: u64, conversion: &Conversion) -> Result<usize> {
    let now = Moment::now();
    connection.prepare_cached(statement)?.execute(params![
        to_i64(id),
        conversion.message_id.as_str(),
        channel_number(conversion.channel),
        conversion.delivered,
        conversion.timestamp.map(Timestamp::unix_seconds),
        now.wall,
        now.uptime,
        now.boot,
    ])
}

/// Deletes and counts an earlier report with the same key.
fn replace(connection: &Connection, last: u64, conversion: &Conversion) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM report WHERE message_id = ? AND channel = ?")?
        .execute(params![conversion.message_id.as_str(), channel_number(conversion.channel)])?;
    connection
        .prepare_cached("UPDATE counters SET last = max(last, ?), replaced = replaced + 1")?
        .execute([to_i64(last)])
        .map(drop)
}

fn contains(connection: &Connection, conversion: &Conversion) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM report WHERE message_id = ? AND channel = ?")?
        .exists(params![conversion.message_id.as_str(), channel_number(conversion.channel)])
}

fn drop_oldest(connection: &Connection) -> Result<()> {
    let oldest: Option<i64> =
        connection.prepare_cached("SELECT min(id) FROM report")?.query_row([], |row| row.get(0))?;
    let Some(id) = oldest else {
        return Ok(());
    };
    remember_last(connection)?;
    make_event(connection, to_u64(id), EventKind::Dropped, None, EventKind::Dropped.message())
}

/// Which reports to find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    /// The id at which the search starts, exclusive.
    pub(crate) from: u64,
    /// Searches towards lower ids; otherwise towards higher ones.
    pub(crate) newest_first: bool,
    /// Maximum number of reports to return.
    pub(crate) limit: usize,
    /// Maximum number of rows to read.
    pub(crate) rows: u32,
}

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// The ids of rows that this library cannot have written.
    pub(crate) damaged: Vec<i64>,
    /// The id of the last row read; None if there was none.
    pub(crate) last: Option<u64>,
}

/// Finds reports whose ids satisfy `is_wanted`.
pub(crate) fn find(connection: &Connection, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found> {
    const OLDER: &str = "SELECT * FROM report WHERE id < ? ORDER BY id DESC LIMIT ?";
    const NEWER: &str = "SELECT * FROM report WHERE id > ? ORDER BY id LIMIT ?";
    let mut statement = connection.prepare_cached(if search.newest_first { OLDER } else { NEWER })?;
    let mut rows = statement.query(params![to_i64(search.from), search.rows])?;
    let mut found = Found::default();
    while found.entries.len() < search.limit {
        let Some(row) = rows.next()? else {
            break;
        };
        let number = row.get(0)?;
        let id = to_u64(number);
        found.last = Some(id);
        // Most of the newest are already in flight. Their other columns are not read.
        if is_wanted(id) {
            match entry(id, row) {
                Ok(entry) => found.entries.push(entry),
                Err(error) if is_invalid_value(&error) => found.damaged.push(number),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

fn entry(id: u64, row: &Row<'_>) -> Result<Entry> {
    let submitted = Moment { wall: row.get(5)?, uptime: row.get(6)?, boot: row.get(7)? };
    Ok(Entry { id, conversion: conversion(row)?, submitted })
}

/// The report in a row of `report` or `event`, whose first columns are the same. Reads by index: looking up a column by
/// name costs more than reading it.
fn conversion(row: &Row<'_>) -> Result<Conversion> {
    let message_id = row.get_ref(1)?.as_str().map_err(|_| invalid_value("message_id"))?;
    let timestamp: Option<i64> = row.get(4)?;
    Ok(Conversion {
        channel: match row.get(2)? {
            0 => Channel::Sms,
            1 => Channel::Voice,
            _ => return Err(invalid_value("channel")),
        },
        message_id: MessageId::new(message_id).map_err(|_| invalid_value("message_id"))?,
        delivered: match row.get(3)? {
            0 => false,
            1 => true,
            _ => return Err(invalid_value("delivered")),
        },
        timestamp: timestamp.map(Timestamp::from_unix_seconds).transpose().map_err(|_| invalid_value("timestamp"))?,
    })
}

/// The error for a value that this library never writes: the row is damaged.
fn invalid_value(column: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Null, format!("{column} has an impossible value").into())
}

/// Whether the error is a value that this library never writes.
fn is_invalid_value(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..)
    )
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

/// Records the dispositions of those reports that still exist.
pub(crate) fn complete<'a>(connection: &Connection, batch: impl Iterator<Item = (u64, &'a Disposition)>) -> Result<()> {
    remember_last(connection)?;
    let mut accepted: i64 = 0;
    // Prepared once for the whole batch.
    let mut delete = connection.prepare_cached(DELETE)?;
    for (id, disposition) in batch {
        match disposition {
            Disposition::Accepted => accepted = accepted.saturating_add(i64::from(delete.execute([to_i64(id)])? > 0)),
            Disposition::Event(kind, http_status, message) => make_event(connection, id, *kind, *http_status, message)?,
        }
    }
    connection.prepare_cached("UPDATE counters SET accepted = accepted + ?")?.execute([accepted]).map(drop)
}

/// Preserves the number of submitted reports before their rows are deleted.
pub(crate) fn remember_last(connection: &Connection) -> Result<()> {
    connection
        .prepare_cached("UPDATE counters SET last = max(last, coalesce((SELECT max(id) FROM report), 0))")?
        .execute([])
        .map(drop)
}

const DELETE: &str = "DELETE FROM report WHERE id = ?";

fn delete(connection: &Connection, id: u64) -> Result<bool> {
    connection.prepare_cached(DELETE)?.execute([to_i64(id)]).map(|count| count > 0)
}

/// Turns a report into an event, if it still exists.
fn make_event(
    connection: &Connection,
    id: u64,
    kind: EventKind,
    http_status: Option<u16>,
    message: &str,
) -> Result<()> {
    const MOVE: &str = "INSERT INTO event SELECT ?, message_id, channel, delivered, timestamp, ?, ?, ?, ? \
                        FROM report WHERE id = ?";
    let event_id = next_event_id(last_event(connection)?);
    connection.prepare_cached(MOVE)?.execute(params![
        event_id,
        kind_number(kind),
        http_status,
        message,
        unix_milliseconds(),
        to_i64(id)
    ])?;
    if delete(connection, id)? {
        connection.prepare_cached(count_event(kind))?.execute([event_id])?;
        discard_oldest_events(connection)?;
    }
    Ok(())
}

/// The id of the last event, which may be gone.
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

/// Enforces the limit on events.
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

/// The oldest event, or the id of a damaged row.
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
    match event(id, row) {
        Ok(event) => Ok(OldestEvent::Event(event)),
        Err(error) if is_invalid_value(&error) => Ok(OldestEvent::Damaged(id)),
        Err(error) => Err(error),
    }
}

fn event(id: i64, row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        id,
        conversion: conversion(row)?,
        kind: match row.get(5)? {
            1 => EventKind::Rejected,
            2 => EventKind::Expired,
            3 => EventKind::Dropped,
            _ => return Err(invalid_value("kind")),
        },
        http_status: row.get(6)?,
        message: row.get_ref(7)?.as_str().map_err(|_| invalid_value("message"))?.to_owned(),
        created_unix_ms: row.get(8)?,
    })
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

/// The lowest pending id.
pub(crate) fn lowest_id(connection: &Connection) -> Result<Option<u64>> {
    connection
        .prepare_cached("SELECT min(id) FROM report")?
        .query_row([], |row| row.get(0))
        .optional()
        .map(|id| id.flatten().map(to_u64))
}

fn channel_number(channel: Channel) -> i64 {
    match channel {
        Channel::Sms => 0,
        Channel::Voice => 1,
    }
}

fn kind_number(kind: EventKind) -> i64 {
    match kind {
        EventKind::Rejected => 1,
        EventKind::Expired => 2,
        EventKind::Dropped => 3,
    }
}

fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn to_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
