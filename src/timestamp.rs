//! A time in the API's format: `yyyy-MM-dd HH:mm:ss` in UTC.

use std::time::SystemTime;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

use crate::error::Error;

/// A time in UTC with a resolution of one second, in the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(NaiveDateTime);

impl Timestamp {
    /// The length in bytes of the API's text format, `yyyy-MM-dd HH:mm:ss`.
    pub const TEXT_LENGTH: usize = 19;

    /// Parses the API's text format.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`](crate::Kind::InvalidArgument) if `text` is not exactly `yyyy-MM-dd HH:mm:ss`
    /// with an existing date and time. `T`, an offset, a fraction, a leap second and the year 0000 are invalid.
    pub fn parse(text: &str) -> Result<Self, Error> {
        digits_of(text).and_then(existing_second).map(Self).ok_or_else(|| {
            Error::argument(
                "timestamp",
                "is not a valid date and time of the form yyyy-MM-dd HH:mm:ss in UTC, such as 2020-01-01 12:00:00",
            )
        })
    }

    /// Converts seconds since 1970-01-01 00:00:00 UTC. Negative values are earlier times.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`](crate::Kind::InvalidArgument) if the time is not in the years 1 to 9999
    /// (-62135596800 to 253402300799 seconds).
    pub fn from_unix_seconds(unix_seconds: i64) -> Result<Self, Error> {
        const YEARS_1_TO_9999: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
        DateTime::from_timestamp(unix_seconds, 0)
            .filter(|_| YEARS_1_TO_9999.contains(&unix_seconds))
            .map(|date| Self(date.naive_utc()))
            .ok_or_else(|| {
                Error::argument(
                    "unix_seconds",
                    format!("is {unix_seconds}; valid: -62135596800 to 253402300799 (the years 1 to 9999)"),
                )
            })
    }

    /// Returns the time in the API's text format.
    pub(crate) fn text(self) -> String {
        let Self(date) = self;
        let [century, year] = [date.year().unsigned_abs() / 100, date.year().unsigned_abs() % 100];
        let numbers = [century, year, date.month(), date.day(), date.hour(), date.minute(), date.second()];
        let mut text = *SHAPE;
        // Written digit by digit, which is faster than `std::fmt`.
        for (number, position) in numbers.into_iter().zip([0, 2, 5, 8, 11, 14, 17]) {
            if let Some([tens, ones]) = text.get_mut(position..).and_then(<[u8]>::first_chunk_mut) {
                (*tens, *ones) = (digit(number / 10), digit(number % 10));
            }
        }
        String::from_utf8(text.to_vec()).unwrap_or_default()
    }

    /// Returns the seconds since 1970-01-01 00:00:00 UTC, which are negative for earlier times.
    pub(crate) fn unix_seconds(self) -> i64 {
        self.0.and_utc().timestamp()
    }

    /// Truncates `time` to whole seconds, and limits it to the years 1970 to 9999.
    pub(crate) fn from_system_time(time: SystemTime) -> Self {
        const END_OF_9999: u64 = 253_402_300_799;
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs().min(END_OF_9999)).unwrap_or_default();
        Self::from_unix_seconds(seconds).unwrap_or(Self(DateTime::UNIX_EPOCH.naive_utc()))
    }
}

impl std::fmt::Display for Timestamp {
    /// Writes the API's text format.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

/// The API's text format, with a 0 for each digit.
const SHAPE: &[u8; Timestamp::TEXT_LENGTH] = b"0000-00-00 00:00:00";

fn digit(number: u32) -> u8 {
    b'0' | u8::try_from(number % 10).unwrap_or(0)
}

/// Returns the six numbers of `yyyy-MM-dd HH:mm:ss` if `text` has exactly that format.
fn digits_of(text: &str) -> Option<[u32; 6]> {
    if text.len() != SHAPE.len() {
        return None;
    }
    let fits = |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape };
    if !text.bytes().zip(SHAPE).all(fits) {
        return None;
    }
    let value = |digits: &[u8]| digits.iter().fold(0, |value, digit| 10 * value + u32::from(*digit & 0x0f));
    let number = |at: usize, count: usize| text.as_bytes().get(at..at + count).map(value);
    Some([number(0, 4)?, number(5, 2)?, number(8, 2)?, number(11, 2)?, number(14, 2)?, number(17, 2)?])
}

/// Returns the time that the six numbers denote, if it exists in the calendar.
fn existing_second([year, month, day, hour, minute, second]: [u32; 6]) -> Option<NaiveDateTime> {
    let year = i32::try_from(year).ok().filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_parses_and_formats_to_the_same_text() {
        for text in ["2020-01-01 12:00:00", "2024-02-29 23:59:59", "0001-01-01 00:00:00", "9999-12-31 23:59:59"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_timestamp_in_another_format_or_with_an_impossible_date_is_invalid() {
        let invalid = [
            "",
            "2020-01-01",
            "2020-01-01T12:00:00",
            "2020-01-01 12:00:00Z",
            "2020-01-01 12:00:00 ",
            " 2020-01-01 12:00:00",
            "2020-1-1 12:00:00",
            "20200-01-01 12:00:0",
            "2020-02-30 00:00:00",
            "2021-02-29 00:00:00",
            "2020-01-01 24:00:00",
            "2020-01-01 12:60:00",
            "2020-01-01 12:00:60",
            "0000-01-01 00:00:00",
            "+020-01-01 12:00:00",
            "2020-13-01 00:00:00",
            "2020-00-01 00:00:00",
            "2020-01-00 00:00:00",
            "2020-01-01 12:00:0é",
            "2020-01-01-12:00:00",
            "2020-01-01 12:00:00.0",
        ];
        for text in invalid {
            assert!(Timestamp::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn seconds_are_formatted_as_their_date() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (1_577_880_000, "2020-01-01 12:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (-62_135_596_800, "0001-01-01 00:00:00"),
            (253_402_300_799, "9999-12-31 23:59:59"),
        ] {
            assert_eq!(Timestamp::from_unix_seconds(seconds).unwrap().to_string(), text);
        }
        for seconds in [-62_135_596_801, 253_402_300_800, i64::MIN, i64::MAX] {
            assert!(Timestamp::from_unix_seconds(seconds).is_err(), "{seconds} was accepted");
        }
    }

    #[test]
    fn a_system_time_is_limited_to_the_years_1970_to_9999() {
        let beyond = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(400_000_000_000);
        assert_eq!(Timestamp::from_system_time(beyond).to_string(), "9999-12-31 23:59:59");
        let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(9);
        assert_eq!(Timestamp::from_system_time(before).to_string(), "1970-01-01 00:00:00");
    }
}
