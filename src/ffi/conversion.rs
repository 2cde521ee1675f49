//! The first step: one call reports one conversion.

use std::ffi::c_char;
use std::time::Instant;

use super::status::nexmo_status;
use super::structs::{nexmo_credentials, nexmo_options, nexmo_result};
use super::tell::tell;
use super::{Refusal, arguments, pools};
use crate::client::{self, World};
use crate::conversion::Channel;
use crate::outcome::Outcome;

/// Tells the Conversion API whether one SMS did its job.
///
/// Makes one request, or more if attempts asks for them, and waits for the answer. Keeps nothing of the report: one
/// that fails here is the caller's to repeat. Keeps the connection for the next call with the same base_url and
/// ca_file and the same whom to trust; one that was closed meanwhile is replaced unseen.
///
/// @param credentials  Required. Who reports.
/// @param message_id   Required. The message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256
///                     bytes of UTF-8. No control characters, no white space at its ends.
/// @param delivered    1 if the user completed the action, 0 if not; any other number is refused.
/// @param timestamp    When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", a date that exists; see
///                     nexmo_timestamp_from_unix. NULL: the service takes the time of arrival; a signed request
///                     carries the time of sending.
/// @param options      How to report. NULL: all defaults.
/// @param result       Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK                      Any 2xx: the service took the report.
/// @retval NEXMO_ERR_NULL                A required pointer is NULL. Nothing was sent. Correct the call.
/// @retval NEXMO_ERR_STRUCT              A struct's size cannot be used. Nothing was sent. Correct the call.
/// @retval NEXMO_ERR_FLAGS               A flag is unknown. Nothing was sent. Correct the call.
/// @retval NEXMO_ERR_ARGUMENT            A value was refused. Nothing was sent. Correct the call.
/// @retval NEXMO_ERR_FORKED              The process was made by a raw clone. Nothing was sent. Make it with fork.
/// @retval NEXMO_ERR_NETWORK             No connection, or it was lost; taken says if the report may be there. Repeat.
/// @retval NEXMO_ERR_TIMEOUT             A limit ran out; taken says if the report may be there. Repeat.
/// @retval NEXMO_ERR_TLS                 The server is not trusted. Remove the cause before a repeat.
/// @retval NEXMO_ERR_PROTOCOL            The answer is not HTTP; the report may be there. Repeat.
/// @retval NEXMO_ERR_PROXY               The proxy cannot be reached, or refuses. Repeat.
/// @retval NEXMO_ERR_UNAUTHORIZED        401: wrong credentials. Correct them before a repeat.
/// @retval NEXMO_ERR_NOT_ENABLED         402: ask the service's support to enable the account before a repeat.
/// @retval NEXMO_ERR_INVALID_PARAMETERS  420, 422, 423: the service refuses this report. Do not repeat it unchanged.
/// @retval NEXMO_ERR_RATE_LIMITED        429: repeat after retry_after_ms.
/// @retval NEXMO_ERR_UNAVAILABLE         408, 5xx: repeat after retry_after_ms, or later if that is -1.
/// @retval NEXMO_ERR_REDIRECTED          3xx: not followed. Remove the cause before a repeat.
/// @retval NEXMO_ERR_UNEXPECTED_STATUS   Any other status. Remove the cause before a repeat.
/// @retval NEXMO_ERR_INTERNAL            A mistake of the library; the report may be there.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once. Not from a signal handler.
/// @par Blocking: up to timeout_ms, 10 s by default.
/// @par Since: 1.0
///
/// @code
/// nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
/// nexmo_result result = NEXMO_RESULT_INIT;
/// credentials.api_key = "abcd1234";
/// credentials.api_secret = "s3cret";
/// if (nexmo_conversion_sms(&credentials, "00A0B0C0", 1, NULL, NULL, &result) != NEXMO_OK)
///     fprintf(stderr, "%s\n", result.message);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_conversion_sms(
    credentials: *const nexmo_credentials,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    options: *const nexmo_options,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header's promises for each parameter are those of `report` and `tell`.
    unsafe {
        tell(result, || report(Channel::Sms, credentials, message_id, delivered, timestamp, options), pools::discard)
    }
}

/// Tells the Conversion API whether one phone call did its job.
///
/// All is as with nexmo_conversion_sms, but for the message_id: it is the call-id that the Text-To-Speech API or the
/// Text-To-Speech-Prompt API gave.
///
/// @param credentials  Required. Who reports.
/// @param message_id   Required. The call-id; 1 to 256 bytes of UTF-8. No control characters, no white space at its
///                     ends.
/// @param delivered    1 if the user completed the action, 0 if not.
/// @param timestamp    When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", or NULL.
/// @param options      How to report. NULL: all defaults.
/// @param result       Is filled with what came of it. NULL: the status is enough.
/// @return A status as nexmo_conversion_sms gives it.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once. Not from a signal handler.
/// @par Blocking: up to timeout_ms, 10 s by default.
/// @par Since: 1.0
///
/// @code
/// status = nexmo_conversion_voice(&credentials, call_id, 0, "2020-01-01 12:00:00", NULL, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_conversion_voice(
    credentials: *const nexmo_credentials,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    options: *const nexmo_options,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: as above.
    unsafe {
        tell(result, || report(Channel::Voice, credentials, message_id, delivered, timestamp, options), pools::discard)
    }
}

/// # Safety
///
/// Each pointer is NULL or points to what the header asks for.
unsafe fn report(
    channel: Channel,
    credentials: *const nexmo_credentials,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    options: *const nexmo_options,
) -> Result<Outcome, Refusal> {
    let start = Instant::now();
    // SAFETY: the caller's promise.
    let (credentials, conversion, settings) = unsafe {
        (
            arguments::credentials(credentials)?,
            arguments::conversion(channel, message_id, delivered, timestamp)?,
            arguments::options(options)?,
        )
    };
    let transport = pools::transport(&settings)?;
    #[cfg(feature = "testing")]
    super::testing::panic_if_asked();
    Ok(client::report(&conversion, &credentials, &settings, &*transport, &World::REAL, start))
}
