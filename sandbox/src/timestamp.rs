//! The two forms of timestamps.

use chrono::{Datelike, NaiveDateTime, Timelike};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// The last second of the year 9999. `yyyy-MM-dd HH:mm:ss` cannot express a later one.
const LAST_SECOND: u64 = 253_402_300_799;

/// Returns whether `text` is a valid time in exactly the form `yyyy-MM-dd HH:mm:ss`.
pub(crate) fn is_date_and_time(text: &str) -> bool {
    // The parser also accepts variants of the format.
    let exact = |time: &NaiveDateTime| text.len() == 19 && time.format(FORMAT).to_string() == text;
    NaiveDateTime::parse_from_str(text, FORMAT)
        .is_ok_and(|time| exact(&time) && time.year() > 0 && !is_leap_second(&time))
}

/// Returns whether the second is 60, which the parser represents as at least 1,000,000,000 nanoseconds.
fn is_leap_second(time: &NaiveDateTime) -> bool {
    time.nanosecond() >= 1_000_000_000
}

/// Returns whether `text` is a number of seconds since 1970, up to the year 9999. Signed requests may use this form.
pub(crate) fn is_unix_seconds(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|seconds: u64| seconds <= LAST_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_times_are_accepted() {
        for text in ["2020-01-01 12:00:00", "2020-02-29 23:59:59", "0001-01-01 00:00:00", "9999-12-31 23:59:59"] {
            assert!(is_date_and_time(text), "{text}");
        }
    }

    #[test]
    fn invalid_times_and_other_formats_are_rejected() {
        let invalid = [
            "",
            "2020-01-01",
            "2020-01-01T12:00:00",
            "2020-01-01 12:00:00Z",
            "2020-01-01 12:00:00+00:00",
            " 2020-01-01 12:00:00",
            "2020-01-01 12:00:00 ",
            "2020-01-01  2:00:00",
            "2020-1-01 12:00:00",
            "2020-02-30 12:00:00",
            "2021-02-29 12:00:00",
            "2020-01-01 24:00:00",
            "2020-01-01 12:00:60",
            "2016-12-31 23:59:60",
            "0000-01-01 00:00:00",
            "-001-01-01 00:00:00",
            "+020-01-01 00:00:00",
            "+10000-01-01 00:00:00",
            "٢٠٢٠-01-01 12:00:00",
            "1577880000",
        ];
        for text in invalid {
            assert!(!is_date_and_time(text), "{text}");
        }
    }

    #[test]
    fn unix_seconds_consist_of_digits_and_are_valid_up_to_the_year_9999() {
        assert!(is_unix_seconds("1577880000") && is_unix_seconds("0") && is_unix_seconds("253402300799"));
        for text in ["", "-1", "+1", "1.5", " 1", "253402300800", "99999999999999999999999", "2020-01-01 12:00:00"] {
            assert!(!is_unix_seconds(text), "{text}");
        }
    }
}
