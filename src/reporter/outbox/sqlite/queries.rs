//! What is done with the rows of an outbox, each within the transaction of its caller.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId, Timestamp};
use crate::reporter::outbox::{
    Counters, Entry, Event, EventKind, Fate, MAX_EVENTS, Overflow, Snapshot, next_event_id, unix_milliseconds,
};

/// What became of a report that was submitted.
pub(crate) enum Put {
    /// It was stored, and perhaps the oldest dropped for it.
    Stored {
        has_dropped: bool,
    },
    Full,
}

/// Stores a report, unless `most` are pending and none of them is to be dropped for it. `counters` is what [`counters`] returns in
/// the same transaction.
pub(crate) fn put(
    connection: &Connection,
    counters: &Counters,
    conversion: &Conversion,
    most: u64,
    overflow: Overflow,
) -> Result<Put> {
    let has_no_room = counters.pending() >= most && !has(connection, conversion)?;
    if has_no_room {
        match overflow {
            Overflow::Fail => return Ok(Put::Full),
            Overflow::DropOldest => drop_oldest(connection)?,
        }
    }
    let id = counters.submitted.saturating_add(1);
    if insert(connection, id, conversion)? == 0 {
        replace(connection, counters.submitted, conversion)?;
        insert(connection, id, conversion)?;
    }
    Ok(Put::Stored { has_dropped: has_no_room })
}

fn insert(connection: &Connection, id: u64, conversion: &Conversion) -> Result<usize> {
    const INSERT: &str =
        "INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id, channel) DO NOTHING";
    insert_by(connection, INSERT, id, conversion)
}

/// Stores a report under a number, in a transaction of its own, unless that is not the next or its key is there. Whether it was
/// stored.
pub(crate) fn put_as(connection: &Connection, id: u64, conversion: &Conversion) -> Result<bool> {
    // Without a message id it is ignored.
    const INSERT: &str = "INSERT OR IGNORE INTO report VALUES (?1, CASE ?1 WHEN 1 + \
                          (SELECT max(last, coalesce((SELECT max(id) FROM report), 0)) FROM counters) THEN ?2 END, \
                          ?3, ?4, ?5, ?6, ?7, ?8)";
    insert_by(connection, INSERT, id, conversion).map(|count| count > 0)
}

fn insert_by(connection: &Connection, statement: &str, id: u64, conversion: &Conversion) -> Result<usize> {
    let now = Moment::now();
    connection.prepare_cached(statement)?.execute(params![
        integer(id),
        conversion.message_id.as_str(),
        channel_number(conversion.channel),
        conversion.delivered,
        conversion.timestamp.map(Timestamp::unix_seconds),
        now.wall,
        now.uptime,
        now.boot,
    ])
}

/// Takes away an earlier report of the same key, which is counted.
fn replace(connection: &Connection, last: u64, conversion: &Conversion) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM report WHERE message_id = ? AND channel = ?")?
        .execute(params![conversion.message_id.as_str(), channel_number(conversion.channel)])?;
    connection
        .prepare_cached("UPDATE counters SET last = max(last, ?), replaced = replaced + 1")?
        .execute([integer(last)])
        .map(drop)
}

fn has(connection: &Connection, conversion: &Conversion) -> Result<bool> {
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
    make_event(connection, natural(id), EventKind::Dropped, None, EventKind::Dropped.message())
}

/// Which reports are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    /// The id beside which they stand.
    pub(crate) from: u64,
    /// Whether the older ones are looked for, the newest of them first; else the newer ones, the oldest of them first.
    pub(crate) is_for_older: bool,
    /// How many are wanted.
    pub(crate) limit: usize,
    /// How many rows are looked at for that.
    pub(crate) rows: u32,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// The ids of rows that this library cannot have written.
    pub(crate) damaged: Vec<i64>,
    /// The id of the last row that was looked at; none if there were no more.
    pub(crate) last: Option<u64>,
}

/// Reports that `is_wanted` by their ids.
pub(crate) fn find(connection: &Connection, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found> {
    const OLDER: &str = "SELECT * FROM report WHERE id < ? ORDER BY id DESC LIMIT ?";
    const NEWER: &str = "SELECT * FROM report WHERE id > ? ORDER BY id LIMIT ?";
    let mut statement = connection.prepare_cached(if search.is_for_older { OLDER } else { NEWER })?;
    let mut rows = statement.query(params![integer(search.from), search.rows])?;
    let mut found = Found::default();
    while found.entries.len() < search.limit {
        let Some(row) = rows.next()? else {
            break;
        };
        let number = row.get(0)?;
        let id = natural(number);
        found.last = Some(id);
        // Most of the newest are in flight already. Of those no more is read.
        if is_wanted(id) {
            match entry(id, row) {
                Ok(entry) => found.entries.push(entry),
                Err(error) if is_nonsense(&error) => found.damaged.push(number),
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

/// The report in a row of `report` or `event`, whose first columns are the same. By number: to look a column up by its name
/// costs more than to read it.
fn conversion(row: &Row<'_>) -> Result<Conversion> {
    let message_id = row.get_ref(1)?.as_str().map_err(|_| nonsense("message_id"))?;
    let timestamp: Option<i64> = row.get(4)?;
    Ok(Conversion {
        channel: match row.get(2)? {
            0 => Channel::Sms,
            1 => Channel::Voice,
            _ => return Err(nonsense("channel")),
        },
        message_id: MessageId::new(message_id).map_err(|_| nonsense("message_id"))?,
        delivered: match row.get(3)? {
            0 => false,
            1 => true,
            _ => return Err(nonsense("delivered")),
        },
        timestamp: timestamp.map(Timestamp::from_unix_seconds).transpose().map_err(|_| nonsense("timestamp"))?,
    })
}

/// A value that this library never writes: the row is damaged.
fn nonsense(column: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Null, format!("{column} has an impossible value").into())
}

/// Whether a row was read, and holds what this library never writes.
fn is_nonsense(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..)
    )
}

/// Removes reports that cannot be read, and counts them.
pub(crate) fn remove_damaged(connection: &Connection, ids: &[i64]) -> Result<()> {
    remember_last(connection)?;
    let mut count: i64 = 0;
    for id in ids {
        count = count.saturating_add(i64::from(connection.prepare_cached(DELETE)?.execute([id])? > 0));
    }
    connection.prepare_cached("UPDATE counters SET damaged = damaged + ?")?.execute([count]).map(drop)
}

/// Records what became of reports, of those that are still there.
pub(crate) fn settle<'a>(connection: &Connection, batch: impl Iterator<Item = (u64, &'a Fate)>) -> Result<()> {
    remember_last(connection)?;
    let mut accepted: i64 = 0;
    // Looked up once: there are many.
    let mut delete = connection.prepare_cached(DELETE)?;
    for (id, fate) in batch {
        match fate {
            Fate::Accepted => accepted = accepted.saturating_add(i64::from(delete.execute([integer(id)])? > 0)),
            Fate::Event(kind, http_status, message) => make_event(connection, id, *kind, *http_status, message)?,
        }
    }
    connection.prepare_cached("UPDATE counters SET accepted = accepted + ?")?.execute([accepted]).map(drop)
}

/// Keeps the number of submitted reports when their rows go.
pub(crate) fn remember_last(connection: &Connection) -> Result<()> {
    connection
        .prepare_cached("UPDATE counters SET last = max(last, coalesce((SELECT max(id) FROM report), 0))")?
        .execute([])
        .map(drop)
}

const DELETE: &str = "DELETE FROM report WHERE id = ?";

fn delete(connection: &Connection, id: u64) -> Result<bool> {
    connection.prepare_cached(DELETE)?.execute([integer(id)]).map(|count| count > 0)
}

/// Makes an event of a report, if it is still there.
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
        integer(id)
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

/// Keeps the number of events within its limit.
fn discard_oldest_events(connection: &Connection) -> Result<()> {
    const DISCARD: &str = "DELETE FROM event WHERE id IN \
                           (SELECT id FROM event ORDER BY id LIMIT max(0, (SELECT events FROM counters) - ?))";
    let count = connection.prepare_cached(DISCARD)?.execute([integer(MAX_EVENTS)])?;
    count_discarded(connection, count)
}

fn count_discarded(connection: &Connection, count: usize) -> Result<()> {
    const COUNT: &str = "UPDATE counters SET events = events - ?1, events_discarded = events_discarded + ?1";
    match i64::try_from(count) {
        Ok(count) if count > 0 => connection.prepare_cached(COUNT)?.execute([count]).map(drop),
        _ => Ok(()),
    }
}

/// The oldest event, or the id of a row that is none.
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
        Err(error) if is_nonsense(&error) => Ok(OldestEvent::Damaged(id)),
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
            _ => return Err(nonsense("kind")),
        },
        http_status: row.get(6)?,
        message: row.get_ref(7)?.as_str().map_err(|_| nonsense("message"))?.to_owned(),
        created_unix_ms: row.get(8)?,
    })
}

/// Removes an event, if it is still there.
pub(crate) fn remove_event(connection: &Connection, id: i64) -> Result<()> {
    if connection.prepare_cached("DELETE FROM event WHERE id = ?")?.execute([id])? > 0 {
        connection.prepare_cached("UPDATE counters SET events = events - 1")?.execute([])?;
    }
    Ok(())
}

/// Removes an event that cannot be read, and counts it.
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

/// The counters.
pub(crate) fn counters(connection: &Connection) -> Result<Counters> {
    const TALLY: &str = "SELECT max(last, coalesce((SELECT max(id) FROM report), 0)), accepted, rejected, expired, \
                         replaced, dropped, damaged, events, events_discarded FROM counters";
    connection.prepare_cached(TALLY)?.query_row([], |row| {
        let count = |index: usize| row.get(index).map(natural);
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

/// The lowest id that is pending.
pub(crate) fn lowest(connection: &Connection) -> Result<Option<u64>> {
    connection
        .prepare_cached("SELECT min(id) FROM report")?
        .query_row([], |row| row.get(0))
        .optional()
        .map(|id| id.flatten().map(natural))
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

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
