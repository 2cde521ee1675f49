//! Any `Retry-After` at any time: the delay is none, or at most one hour.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::retry_after;

fuzz_target!(|input: (u32, &str)| {
    let (seconds, text) = input;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    assert!(retry_after(text, now).is_none_or(|wait| wait <= Duration::from_secs(3600)));
});
