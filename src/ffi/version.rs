//! The version of the library, and a helper for timestamps.

use std::ffi::{CStr, c_char};

use super::c_string;
use super::call::perform;
use super::result::nexmo_result;
use super::status::nexmo_status;
use crate::outcome::Acceptance;
use crate::timestamp::Timestamp;

/// Size of a timestamp in bytes, including the NUL.
pub const NEXMO_TIMESTAMP_SIZE: usize = 20;

const _: () = assert!(NEXMO_TIMESTAMP_SIZE == Timestamp::TEXT_LENGTH + 1);

/// The version with a terminating NUL.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Returns the version of the loaded library, such as "1.0.0". NEXMO_CONVERSION_VERSION is the version of the header.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_conversion_version() -> *const c_char {
    const TEXT: &CStr = match CStr::from_bytes_with_nul(VERSION.as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };
    TEXT.as_ptr()
}

/// Converts a UNIX time, as returned by time(), to the API's format "yyyy-MM-dd HH:mm:ss" in UTC.
///
/// @param unix_seconds  Seconds since 1970-01-01 00:00:00 UTC: -62135596800 to 253402300799, the years 1 to 9999.
/// @param text          Receives the text and its NUL; "" on failure.
/// @param text_size     The size of text in bytes: NEXMO_TIMESTAMP_SIZE or more.
///
/// @code
/// char now[NEXMO_TIMESTAMP_SIZE];
/// if (nexmo_timestamp_from_unix((int64_t)time(NULL), now, sizeof now) == NEXMO_OK)
///     status = nexmo_conversion_sms(&credentials, message_id, 1, now, NULL, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_timestamp_from_unix(
    unix_seconds: i64,
    text: *mut c_char,
    text_size: usize,
) -> nexmo_status {
    let work = || {
        // SAFETY: the header requires that `text_size` bytes can be written at `text`.
        let write = |written: &str| unsafe { c_string::write_to("text", text, text_size, written) };
        write("")?;
        write(&Timestamp::from_unix_seconds(unix_seconds)?.to_string())?;
        Ok(nexmo_result::ok())
    };
    perform(Acceptance::No, || {}, work).status
}

/// Returns the version as a Rust string, for the flat functions.
pub(super) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
