//! The two forms of time that the service reads.

use chrono::{Datelike, NaiveDateTime, Timelike};

const FORM: &str = "%Y-%m-%d %H:%M:%S";

/// The last second of the year 9999, the last that the written form can tell.
const LAST_SECOND: u64 = 253_402_300_799;

/// Says if `text` is exactly `yyyy-MM-dd HH:mm:ss` and names a second that exists.
pub(crate) fn is_date_and_time(text: &str) -> bool {
    // The parser takes more than one spelling; only the one it would write itself counts here.
    let exact = |time: &NaiveDateTime| text.len() == 19 && time.format(FORM).to_string() == text;
    NaiveDateTime::parse_from_str(text, FORM)
        .is_ok_and(|time| exact(&time) && time.year() > 0 && !is_leap_second(&time))
}

/// The parser keeps second 60 as more than a whole second of nanoseconds.
fn is_leap_second(time: &NaiveDateTime) -> bool {
    time.nanosecond() >= 1_000_000_000
}

/// Says if `text` is a number of seconds since 1970, which signed requests may carry.
pub(crate) fn is_unix_seconds(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|seconds: u64| seconds <= LAST_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_dates_are_taken() {
        for text in ["2020-01-01 12:00:00", "2020-02-29 23:59:59", "0001-01-01 00:00:00", "9999-12-31 23:59:59"] {
            assert!(is_date_and_time(text), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let refused = [
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
        for text in refused {
            assert!(!is_date_and_time(text), "{text}");
        }
    }

    #[test]
    fn seconds_are_digits_alone_and_within_the_calendar() {
        assert!(is_unix_seconds("1577880000") && is_unix_seconds("0") && is_unix_seconds("253402300799"));
        for text in ["", "-1", "+1", "1.5", " 1", "253402300800", "99999999999999999999999", "2020-01-01 12:00:00"] {
            assert!(!is_unix_seconds(text), "{text}");
        }
    }
}
