//! Parses any `Retry-After` header, with any or no `Date` header, at any time. If there is a delay, it must be at most
//! one hour.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::retry_after;

fuzz_target!(|input: (u32, Option<&str>, &str)| {
    let (seconds, date, text) = input;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    assert!(retry_after(text, date, now).is_none_or(|wait| wait <= Duration::from_secs(3600)));
});
