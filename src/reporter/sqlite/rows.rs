//! What is done with the rows of an outbox, each within the transaction of its caller.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

use super::super::outbox::{Aside, Entry, Fate, Inventory, MOST_ASIDE, Reason, Tally, WhenFull};
use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId, Timestamp};

/// What became of a report that was to be accepted.
pub(super) enum Put {
    /// It was accepted, and perhaps the oldest set aside for it.
    Accepted {
        has_dropped: bool,
    },
    Full,
}

/// Accepts a report, unless `most` are pending and none of them is to go for it. `tally` is what [`tally`] tells in the same
/// transaction.
pub(super) fn put(
    connection: &Connection,
    tally: &Tally,
    conversion: &Conversion,
    most: u64,
    when_full: WhenFull,
) -> Result<Put> {
    let has_no_room = tally.pending() >= most && !has(connection, conversion)?;
    if has_no_room {
        match when_full {
            WhenFull::Refuse => return Ok(Put::Full),
            WhenFull::DropOldest => drop_oldest(connection)?,
        }
    }
    let id = tally.accepted.saturating_add(1);
    if insert(connection, id, conversion)? == 0 {
        replace(connection, tally.accepted, conversion)?;
        insert(connection, id, conversion)?;
    }
    Ok(Put::Accepted { has_dropped: has_no_room })
}

fn insert(connection: &Connection, id: u64, conversion: &Conversion) -> Result<usize> {
    const INSERT: &str =
        "INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id, channel) DO NOTHING";
    insert_by(connection, INSERT, id, conversion)
}

/// Accepts a report under a number, in a transaction of its own, unless that is not the next or its key is there. Whether it was
/// accepted.
pub(super) fn put_as(connection: &Connection, id: u64, conversion: &Conversion) -> Result<bool> {
    // Without a message id it is ignored.
    const INSERT: &str = "INSERT OR IGNORE INTO report VALUES (?1, CASE ?1 WHEN 1 + \
                          (SELECT max(last, coalesce((SELECT max(id) FROM report), 0)) FROM tally) THEN ?2 END, \
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
        .prepare_cached("UPDATE tally SET last = max(last, ?), replaced = replaced + 1")?
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
    set_aside(connection, natural(id), Reason::Dropped, None, Reason::Dropped.told())
}

/// Which reports are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// The id beside which they stand.
    pub(super) from: u64,
    /// Whether the older ones are looked for, the newest of them first; else the newer ones, the oldest of them first.
    pub(super) is_for_older: bool,
    /// How many are wanted.
    pub(super) limit: usize,
    /// How many rows are looked at for that.
    pub(super) rows: u32,
}

/// What was found, and the id of the last row that was looked at; none if there were no more.
pub(super) type Found = (Vec<Entry>, Option<u64>);

/// Reports that `is_wanted` by their ids.
pub(super) fn find(connection: &Connection, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found> {
    const OLDER: &str = "SELECT * FROM report WHERE id < ? ORDER BY id DESC LIMIT ?";
    const NEWER: &str = "SELECT * FROM report WHERE id > ? ORDER BY id LIMIT ?";
    let mut statement = connection.prepare_cached(if search.is_for_older { OLDER } else { NEWER })?;
    let mut rows = statement.query(params![integer(search.from), search.rows])?;
    let (mut entries, mut last) = (Vec::new(), None);
    while entries.len() < search.limit {
        let Some(row) = rows.next()? else {
            break;
        };
        let id = natural(row.get(0)?);
        last = Some(id);
        // Most of the newest are under way already. Of those no more is read.
        if is_wanted(id) {
            entries.push(entry(id, row)?);
        }
    }
    Ok((entries, last))
}

fn entry(id: u64, row: &Row<'_>) -> Result<Entry> {
    let accepted = Moment { wall: row.get(5)?, uptime: row.get(6)?, boot: row.get(7)? };
    Ok(Entry { id, conversion: conversion(row)?, accepted })
}

/// The report in a row of `report` or `aside`, whose first columns are the same. By number: to look a column up by its name
/// costs more than to read it.
fn conversion(row: &Row<'_>) -> Result<Conversion> {
    let message_id = row.get_ref(1)?.as_str()?;
    let timestamp: Option<i64> = row.get(4)?;
    Ok(Conversion {
        channel: match row.get(2)? {
            0 => Channel::Sms,
            1 => Channel::Voice,
            _ => return Err(nonsense("channel")),
        },
        message_id: MessageId::new(message_id).map_err(|_| nonsense("message_id"))?,
        delivered: row.get(3)?,
        timestamp: timestamp.map(Timestamp::from_unix_seconds).transpose().map_err(|_| nonsense("timestamp"))?,
    })
}

/// A value that this library never writes: the file is damaged.
fn nonsense(column: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Null, format!("{column} is not what it can be").into())
}

/// Writes down that reports have met their fates, those that are still there.
pub(super) fn settle<'a>(connection: &Connection, batch: impl Iterator<Item = (u64, &'a Fate)>) -> Result<()> {
    remember_last(connection)?;
    let mut sent: i64 = 0;
    // Looked up once: there are many.
    let mut delete = connection.prepare_cached(DELETE)?;
    for (id, fate) in batch {
        match fate {
            Fate::Sent => sent = sent.saturating_add(i64::from(delete.execute([integer(id)])? > 0)),
            Fate::Aside(reason, http_status, message) => set_aside(connection, id, *reason, *http_status, message)?,
        }
    }
    connection.prepare_cached("UPDATE tally SET sent = sent + ?")?.execute([sent]).map(drop)
}

/// Keeps the number of accepted reports when their rows go.
pub(super) fn remember_last(connection: &Connection) -> Result<()> {
    connection
        .prepare_cached("UPDATE tally SET last = max(last, coalesce((SELECT max(id) FROM report), 0))")?
        .execute([])
        .map(drop)
}

const DELETE: &str = "DELETE FROM report WHERE id = ?";

fn delete(connection: &Connection, id: u64) -> Result<bool> {
    connection.prepare_cached(DELETE)?.execute([integer(id)]).map(|count| count > 0)
}

/// Moves a report aside, if it is still there.
pub(super) fn set_aside(
    connection: &Connection,
    id: u64,
    reason: Reason,
    http_status: Option<u16>,
    message: &str,
) -> Result<()> {
    const MOVE: &str = "INSERT INTO aside SELECT coalesce((SELECT max(id) FROM aside), 0) + 1, message_id, channel, delivered, \
                        timestamp, ?, ?, ? FROM report WHERE id = ?";
    connection.prepare_cached(MOVE)?.execute(params![reason_number(reason), http_status, message, integer(id)])?;
    if delete(connection, id)? {
        connection.prepare_cached(count_up(reason))?.execute([])?;
        forget_oldest_aside(connection)?;
    }
    Ok(())
}

fn count_up(reason: Reason) -> &'static str {
    match reason {
        Reason::Refused => "UPDATE tally SET refused = refused + 1",
        Reason::Expired => "UPDATE tally SET expired = expired + 1",
        Reason::Dropped => "UPDATE tally SET dropped = dropped + 1",
    }
}

/// Makes room aside. Rows come in at the upper end and go at the lower one, so that their ids have no gaps.
fn forget_oldest_aside(connection: &Connection) -> Result<()> {
    const FORGET: &str = "DELETE FROM aside WHERE id <= (SELECT max(id) FROM aside) - ?";
    let count = connection.prepare_cached(FORGET)?.execute([integer(MOST_ASIDE)])?;
    if let Some(count) = i64::try_from(count).ok().filter(|count| *count > 0) {
        connection.prepare_cached("UPDATE tally SET forgotten = forgotten + ?")?.execute([count])?;
    }
    Ok(())
}

/// Takes out the report that has been aside for longest.
pub(super) fn fetch_aside(connection: &Connection) -> Result<Option<Aside>> {
    const FETCH: &str = "DELETE FROM aside WHERE id = (SELECT min(id) FROM aside) RETURNING *";
    let mut statement = connection.prepare_cached(FETCH)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let aside = Aside {
        conversion: conversion(row)?,
        reason: reason(row.get("reason")?)?,
        http_status: row.get("http_status")?,
        message: row.get("message")?,
    };
    // The row is gone only when the statement has run to its end.
    while rows.next()?.is_some() {}
    Ok(Some(aside))
}

pub(super) fn inventory(connection: &Connection) -> Result<Inventory> {
    const ASIDE: &str = "SELECT coalesce((SELECT max(id) FROM aside) - (SELECT min(id) FROM aside) + 1, 0)";
    let aside = connection.prepare_cached(ASIDE)?.query_row([], |row| row.get(0).map(natural))?;
    let oldest = Search { from: 0, is_for_older: false, limit: 1, rows: 1 };
    let oldest = find(connection, oldest, &|_| true)?.0.first().map(|entry| entry.accepted);
    Ok(Inventory { tally: Tally { aside, ..tally(connection)? }, oldest })
}

/// The counters, but for what is aside.
pub(super) fn tally(connection: &Connection) -> Result<Tally> {
    const TALLY: &str = "SELECT max(last, coalesce((SELECT max(id) FROM report), 0)), sent, refused, expired, replaced, \
                         dropped, forgotten FROM tally";
    connection.prepare_cached(TALLY)?.query_row([], |row| {
        let count = |index: usize| row.get(index).map(natural);
        Ok(Tally {
            accepted: count(0)?,
            sent: count(1)?,
            refused: count(2)?,
            expired: count(3)?,
            replaced: count(4)?,
            dropped: count(5)?,
            aside: 0,
            forgotten: count(6)?,
        })
    })
}

/// The lowest id that is pending.
pub(super) fn lowest(connection: &Connection) -> Result<Option<u64>> {
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

fn reason_number(reason: Reason) -> i64 {
    match reason {
        Reason::Refused => 0,
        Reason::Expired => 1,
        Reason::Dropped => 2,
    }
}

fn reason(number: i64) -> Result<Reason> {
    Ok(match number {
        0 => Reason::Refused,
        1 => Reason::Expired,
        2 => Reason::Dropped,
        _ => return Err(nonsense("reason")),
    })
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
