//! What the library says of itself, and a small help with time.

use std::ffi::{CStr, c_char};

use super::status::{NEXMO_ERR_INTERNAL, NEXMO_OK, nexmo_status};
use super::{Refusal, text};
use crate::conversion::Timestamp;
use crate::guard::guard;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Bytes of the text that nexmo_timestamp_from_unix writes, its NUL included.
pub const NEXMO_TIMESTAMP_SIZE: usize = 20;

const _: () = assert!(NEXMO_TIMESTAMP_SIZE == Timestamp::TEXT_LENGTH + 1);

/// Gives the version of the library that was loaded, such as "1.0.0". NEXMO_VERSION is that of the header.
///
/// @return The version. Never NULL.
/// @par Ownership: the text belongs to the library and stays for as long as the program runs; do not free it.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// printf("built for %s, runs with %s\n", NEXMO_VERSION, nexmo_version());
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_version() -> *const c_char {
    const TEXT: &CStr = match CStr::from_bytes_with_nul(VERSION.as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };
    TEXT.as_ptr()
}

/// Turns seconds since 1970-01-01 00:00:00 UTC, as time() gives them, into the API's text form, "yyyy-MM-dd HH:mm:ss".
///
/// @param unix_seconds  -62135596800 to 253402300799, which are the years 1 to 9999.
/// @param text          Required. Receives the text and its NUL.
/// @param text_size     Bytes that text has room for: NEXMO_TIMESTAMP_SIZE or more.
/// @retval NEXMO_OK            The text is written.
/// @retval NEXMO_ERR_NULL      text is NULL.
/// @retval NEXMO_ERR_ARGUMENT  The seconds lie outside of the range, or the room does not suffice. text becomes "",
///                             which no call takes for a timestamp.
/// @retval NEXMO_ERR_INTERNAL  A mistake of the library.
/// @par Ownership: text is borrowed until the call returns.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: never.
/// @par Since: 1.0
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
    let write = || -> Result<(), Refusal> {
        // SAFETY: the header's promise: `text_size` bytes can be written at `text`.
        let put = |written: &str| unsafe { text::write_to("text", text, text_size, written) };
        put("")?;
        put(&Timestamp::from_unix_seconds(unix_seconds)?.to_string())
    };
    match guard(write) {
        Some(Ok(())) => NEXMO_OK,
        Some(Err(refusal)) => refusal.status,
        None => NEXMO_ERR_INTERNAL,
    }
}
