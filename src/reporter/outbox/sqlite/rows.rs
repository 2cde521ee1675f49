//! Reads the rows of an outbox, and numbers what they hold.

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};

use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::reporter::outbox::event::{Event, EventKind};
use crate::reporter::outbox::store::Entry;
use crate::timestamp::Timestamp;

/// A row of `report`.
pub(crate) fn entry(id: u64, row: &Row<'_>) -> Result<Entry> {
    let submitted = Moment { wall: row.get(5)?, uptime: row.get(6)?, boot: row.get(7)? };
    Ok(Entry { id, conversion: conversion(row)?, submitted })
}

/// The report in a row of `report` or `event`, whose first columns are the same. Reads by index: looking up a column by
/// name costs more than reading it.
fn conversion(row: &Row<'_>) -> Result<Conversion> {
    let message_id = row.get_ref(1)?.as_str().map_err(|_| invalid_value("message_id"))?;
    let timestamp: Option<i64> = row.get(4)?;
    Ok(Conversion {
        channel: Channel::from_number(row.get(2)?).ok_or_else(|| invalid_value("channel"))?,
        message_id: MessageId::new(message_id).map_err(|_| invalid_value("message_id"))?,
        delivered: match row.get(3)? {
            0 => false,
            1 => true,
            _ => return Err(invalid_value("delivered")),
        },
        timestamp: timestamp.map(Timestamp::from_unix_seconds).transpose().map_err(|_| invalid_value("timestamp"))?,
    })
}

/// A row of `event`.
pub(crate) fn event(id: i64, row: &Row<'_>) -> Result<Event> {
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

/// The error for a value that this library never writes: the row is damaged.
fn invalid_value(column: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Null, format!("{column} has an impossible value").into())
}

/// Whether the error is a value that this library never writes.
pub(crate) fn is_invalid_value(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..)
    )
}

pub(crate) fn kind_number(kind: EventKind) -> i64 {
    match kind {
        EventKind::Rejected => 1,
        EventKind::Expired => 2,
        EventKind::Dropped => 3,
    }
}

pub(crate) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn to_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
