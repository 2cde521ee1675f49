//! Parses any `Retry-After` with any `Date` at any time: the delay must be at most an hour, or absent.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::retry_after;

fuzz_target!(|input: (u32, Option<&str>, &str)| {
    let (seconds, date, text) = input;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    assert!(retry_after(text, date, now).is_none_or(|wait| wait <= Duration::from_secs(3600)));
});
