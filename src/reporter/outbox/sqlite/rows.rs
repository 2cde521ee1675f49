//! Reads the rows of an outbox, verifies their checksums, and converts between Rust types and column values.

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};

use crate::clock::Moment;
use crate::conversion::{Channel, Conversion, MessageId};
use crate::reporter::outbox::event::{Event, EventKind};
use crate::reporter::outbox::store::Entry;
use crate::timestamp::Timestamp;

/// Reads a row of `report`.
pub(crate) fn entry(row: &Row<'_>) -> Result<Entry> {
    let id = row.get(0).map(to_u64)?;
    let submitted = Moment { wall: row.get(5)?, uptime: row.get(6)?, boot: row.get(7)? };
    let entry = Entry { id, conversion: conversion(row)?, submitted };
    let checksum: i64 = row.get(8)?;
    let is_unchanged = report_checksum(id, &entry.conversion, &entry.submitted) == checksum;
    if is_unchanged { Ok(entry) } else { Err(invalid_value("checksum")) }
}

/// Returns the checksum of a row of `report`.
pub(crate) fn report_checksum(id: u64, conversion: &Conversion, submitted: &Moment) -> i64 {
    let checksum = Checksum::new(to_i64(id)).conversion(conversion);
    checksum.number(submitted.wall).number(submitted.uptime).number(submitted.boot).value()
}

/// Returns the checksum of a row of `event`.
pub(crate) fn event_checksum(event: &Event) -> i64 {
    let checksum = Checksum::new(event.id).conversion(&event.conversion).number(kind_number(event.kind));
    let checksum = checksum.number(event.http_status.map_or(-1, i64::from));
    checksum.text(&event.message).number(event.created_unix_ms).value()
}

/// A checksum. It always changes if only one number, or one 8-byte chunk of a text, changes, because each step is a
/// bijection. It is not cryptographic: it detects damage, not forgery.
struct Checksum(u64);

impl Checksum {
    /// An odd factor with well-distributed bits, 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    fn new(first: i64) -> Self {
        Self(Self::FACTOR).number(first)
    }

    fn number(self, number: i64) -> Self {
        Self((self.0 ^ number.cast_unsigned()).wrapping_mul(Self::FACTOR).rotate_left(29))
    }

    fn text(self, text: &str) -> Self {
        let length = self.number(i64::try_from(text.len()).unwrap_or(i64::MAX));
        text.as_bytes().chunks(8).fold(length, |sum, chunk| {
            let bytes = chunk.iter().fold(0_u64, |bytes, byte| bytes << 8 | u64::from(*byte));
            sum.number(bytes.cast_signed())
        })
    }

    fn conversion(self, conversion: &Conversion) -> Self {
        let sum = self.text(conversion.message_id.as_str()).number(i64::from(conversion.channel.number()));
        let timestamp = conversion.timestamp.map_or(i64::MIN, Timestamp::unix_seconds);
        sum.number(i64::from(conversion.delivered)).number(timestamp)
    }

    fn value(self) -> i64 {
        self.0.cast_signed()
    }
}

/// Reads the report in a row of `report` or `event`, whose first columns are the same. Reads columns by index, because
/// looking up a column by name costs more than reading it.
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

/// Reads a row of `event`.
pub(crate) fn event(row: &Row<'_>) -> Result<Event> {
    let event = Event {
        id: row.get(0)?,
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
    };
    let checksum: i64 = row.get(9)?;
    let is_unchanged = event_checksum(&event) == checksum;
    if is_unchanged { Ok(event) } else { Err(invalid_value("checksum")) }
}

/// Returns the error for a value that this library never writes, which means that the row is damaged.
fn invalid_value(column: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Null, format!("{column} has an invalid value").into())
}

/// Returns whether the error reports a value that this library never writes.
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_field_changes_the_checksum() {
        let report = |id, channel, delivered, timestamp: Option<i64>| {
            let message_id = MessageId::new(id).unwrap();
            let timestamp = timestamp.map(|seconds| Timestamp::from_unix_seconds(seconds).unwrap());
            Conversion { channel, message_id, delivered, timestamp }
        };
        let base = report("0123456789abcdef-1", Channel::Sms, true, Some(0));
        let moment = |wall, uptime, boot| Moment { wall, uptime, boot };
        let sums = [
            report_checksum(1, &base, &moment(1, 2, 3)),
            report_checksum(1 << 40 | 1, &base, &moment(1, 2, 3)),
            report_checksum(1, &report("0123456789abcdef-2", Channel::Sms, true, Some(0)), &moment(1, 2, 3)),
            report_checksum(1, &report("0123456689abcdef-1", Channel::Sms, true, Some(0)), &moment(1, 2, 3)),
            report_checksum(1, &report("0123456789abcdef-", Channel::Sms, true, Some(0)), &moment(1, 2, 3)),
            report_checksum(1, &report("0123456789abcdef-1", Channel::Voice, true, Some(0)), &moment(1, 2, 3)),
            report_checksum(1, &report("0123456789abcdef-1", Channel::Sms, false, Some(0)), &moment(1, 2, 3)),
            report_checksum(1, &report("0123456789abcdef-1", Channel::Sms, true, None), &moment(1, 2, 3)),
            report_checksum(1, &report("0123456789abcdef-1", Channel::Sms, true, Some(1)), &moment(1, 2, 3)),
            report_checksum(1, &base, &moment(2, 2, 3)),
            report_checksum(1, &base, &moment(1, 3, 3)),
            report_checksum(1, &base, &moment(1, 2, 4)),
        ];
        assert_eq!(sums.iter().collect::<HashSet<_>>().len(), sums.len());
    }
}
