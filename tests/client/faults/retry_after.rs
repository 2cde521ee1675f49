//! Tests valid and invalid forms of `Retry-After`.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use nexmo_conversion::Kind;

use crate::case::{Case, case};
use crate::script::{respond, respond_with};

const HOUR: RangeInclusive<u64> = 3_600_000..=3_600_000;

/// Values of `Retry-After`, each with the delay that the call must return, in milliseconds.
const VALUES: [(&str, Option<RangeInclusive<u64>>); 22] = [
    ("0", Some(0..=0)),
    ("1", Some(1000..=1000)),
    ("30", Some(30_000..=30_000)),
    ("  30  ", Some(30_000..=30_000)),
    ("0030", Some(30_000..=30_000)),
    ("3600", Some(HOUR)),
    ("3601", Some(HOUR)),
    ("86400", Some(HOUR)),
    ("18446744073709551616", Some(HOUR)),
    ("99999999999999999999999999999999999999999", Some(HOUR)),
    ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0..=0)),
    ("Sunday, 06-Nov-94 08:49:37 GMT", Some(0..=0)),
    ("Sun Nov  6 08:49:37 1994", Some(0..=0)),
    ("Fri, 31 Dec 9999 23:59:59 GMT", Some(HOUR)),
    ("-1", None),
    ("-99999999999999999999", None),
    ("+5", None),
    ("1.5", None),
    ("soon", None),
    ("", None),
    ("Fri, 32 Dec 2099 25:61:61 GMT", None),
    ("1e3", None),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = VALUES.iter().map(|(value, wait)| of(value, wait.clone())).collect();
    cases.extend(other_statuses());
    cases.extend([
        // The range is wide because the case may run long after its date was computed.
        of(&in_half_an_hour(), Some(1_500_000..=1_800_000)),
        with_date("behind", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:57 GMT", 20_000),
        with_date("ahead", "Sat, 06 Nov 2094 08:49:37 GMT", "Sat, 06 Nov 2094 08:49:57 GMT", 20_000),
        with_date(
            "ahead, with a date in its past",
            "Sat, 06 Nov 2094 08:49:37 GMT",
            "Sat, 06 Nov 2094 08:49:36 GMT",
            0,
        ),
        case("Retry-After twice")
            .plays(respond("HTTP/1.1 429 Slow\r\nretry-after: 7\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"))
            .fails(Kind::RateLimited)
            .status(429)
            .asks_to_wait(7000..=7000),
        case("Retry-After with bytes that are not text")
            .plays(respond(b"HTTP/1.1 429 Slow\r\nretry-after: \xff\xfe\r\ncontent-length: 0\r\n\r\n"))
            .fails(Kind::RateLimited)
            .status(429),
        case("Retry-After in capitals")
            .plays(respond_with("429 Slow", "RETRY-AFTER: 7", ""))
            .fails(Kind::RateLimited)
            .status(429)
            .asks_to_wait(7000..=7000),
        case("Retry-After with a success").plays(respond_with("200 OK", "retry-after: 7", "")).succeeds(200),
    ]);
    cases
}

fn of(value: &str, wait: Option<RangeInclusive<u64>>) -> Case {
    let case = case(format!("Retry-After: {value:?}"))
        .plays(respond_with("429 Slow", &format!("retry-after: {value}"), ""))
        .fails(Kind::RateLimited)
        .status(429);
    match wait {
        Some(wait) => case.asks_to_wait(wait),
        None => case,
    }
}

/// Returns a case with a service whose clock differs from this machine's clock by many years.
fn with_date(name: &str, date: &str, retry_after: &str, wait: u64) -> Case {
    case(format!("Retry-After by a clock that is {name}"))
        .plays(respond_with("429 Slow", &format!("date: {date}\r\nretry-after: {retry_after}"), ""))
        .fails(Kind::RateLimited)
        .status(429)
        .asks_to_wait(wait..=wait)
}

fn other_statuses() -> Vec<Case> {
    [(503, Kind::Unavailable), (500, Kind::Unavailable), (408, Kind::Unavailable)]
        .map(|(status, kind)| {
            case(format!("Retry-After with {status}"))
                .plays(respond_with(&format!("{status} Later"), "retry-after: 9", "later"))
                .fails(kind)
                .status(status)
                .asks_to_wait(9000..=9000)
        })
        .to_vec()
}

fn in_half_an_hour() -> String {
    httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(1800))
}
