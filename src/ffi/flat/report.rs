//! Reports and submits through the flat functions.

use std::ffi::c_char;

use super::numbers_out::NumbersOut;
use super::text_out::TextOut;
use super::{call, find, text_in};
use crate::conversion::Conversion;
use crate::ffi::call::{CallError, time_limit};
use crate::ffi::result::nexmo_result;
use crate::ffi::{conversion, reporter};
use crate::outcome::Acceptance;

/// The index of the element that holds nexmo_result.status in the details of nexmo_flat_report and nexmo_flat_submit.
pub const NEXMO_DETAIL_STATUS: usize = 0;
/// The index of the element that holds nexmo_result.http_status in the details of nexmo_flat_report and
/// nexmo_flat_submit. The element is 0 after nexmo_flat_submit.
pub const NEXMO_DETAIL_HTTP_STATUS: usize = 1;
/// The index of the element that holds nexmo_result.attempts in the details of nexmo_flat_report and
/// nexmo_flat_submit. The element is 0 after nexmo_flat_submit.
pub const NEXMO_DETAIL_ATTEMPTS: usize = 2;
/// The index of the element that holds nexmo_result.acceptance in the details of nexmo_flat_report and
/// nexmo_flat_submit.
pub const NEXMO_DETAIL_ACCEPTANCE: usize = 3;
/// The index of the element that holds nexmo_result.elapsed_us in the details of nexmo_flat_report and
/// nexmo_flat_submit.
pub const NEXMO_DETAIL_ELAPSED_US: usize = 4;
/// The index of the element that holds nexmo_result.retry_after_ms in the details of nexmo_flat_report and
/// nexmo_flat_submit. The element is -1 after nexmo_flat_submit.
pub const NEXMO_DETAIL_RETRY_AFTER_MS: usize = 5;
/// The number of elements in the details of nexmo_flat_report and nexmo_flat_submit. Later versions may append
/// elements.
pub const NEXMO_DETAIL_COUNT: usize = 6;

/// The maximum length, in bytes, of a message id or timestamp that is passed to the core, whose limits are much lower.
const LONGEST: usize = 4096;

/// Reports to the Conversion API whether one message was effective, like nexmo_client_report. The handle must be a
/// client.
///
/// @param details  Receives the outcome as numbers, at the indices NEXMO_DETAIL_*.
/// @par Blocking: up to the timeout_ms of the settings.
///
/// @code
/// int64_t details[NEXMO_DETAIL_COUNT];
/// if (nexmo_flat_report(handle, NEXMO_CHANNEL_SMS, "00A0B0C0", -1, 1, NULL, 0, details, NEXMO_DETAIL_COUNT, message,
///                       (int32_t)sizeof message) != NEXMO_OK)
///     fprintf(stderr, "%s\n", message);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_report(
    handle: i64,
    channel: i32,
    message_id: *const c_char,
    message_id_size: i32,
    delivered: i32,
    timestamp: *const c_char,
    timestamp_size: i32,
    details: *mut i64,
    details_count: i32,
    message: *mut c_char,
    message_size: i32,
) -> i32 {
    // SAFETY: the header requires each output to be NULL or to have the given size.
    let (details, message) =
        unsafe { (NumbersOut::new("details", details, details_count), TextOut::new("message", message, message_size)) };
    let work = || {
        details.check()?;
        let found = find(handle)?;
        let client = found.client()?;
        // SAFETY: the header requires each text to be NULL or to have the given size.
        let conversion = unsafe { read(channel, message_id, message_id_size, delivered, timestamp, timestamp_size) }?;
        #[cfg(feature = "testing")]
        crate::ffi::testing::panic_if_asked();
        Ok(nexmo_result::from(&client.report(&conversion)))
    };
    let result = call(handle, &message, Acceptance::Unknown, work);
    details.write(&numbers(&result));
    result.status
}

/// Submits a report, like nexmo_reporter_submit. The handle must be a reporter.
///
/// @param details  Receives the outcome as numbers, at the indices NEXMO_DETAIL_*.
/// @par Blocking: like nexmo_reporter_submit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_submit(
    handle: i64,
    channel: i32,
    message_id: *const c_char,
    message_id_size: i32,
    delivered: i32,
    timestamp: *const c_char,
    timestamp_size: i32,
    details: *mut i64,
    details_count: i32,
    message: *mut c_char,
    message_size: i32,
) -> i32 {
    // SAFETY: the header requires each output to be NULL or to have the given size.
    let (details, message) =
        unsafe { (NumbersOut::new("details", details, details_count), TextOut::new("message", message, message_size)) };
    let work = || {
        details.check()?;
        let found = find(handle)?;
        let reporter = found.reporter()?;
        // SAFETY: the header requires each text to be NULL or to have the given size.
        let conversion = unsafe { read(channel, message_id, message_id_size, delivered, timestamp, timestamp_size) }?;
        #[cfg(feature = "testing")]
        crate::ffi::testing::panic_if_asked();
        reporter::submit::submit(reporter, &conversion)
    };
    let result = call(handle, &message, Acceptance::Unknown, work);
    details.write(&numbers(&result));
    result.status
}

/// Waits until the reports that were submitted before the call are no longer pending, like nexmo_reporter_flush. The
/// handle must be a reporter.
///
/// @par Blocking: like nexmo_reporter_flush.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_flush(
    handle: i64,
    timeout_ms: i32,
    message: *mut c_char,
    message_size: i32,
) -> i32 {
    // SAFETY: the header requires `message` to be NULL or to have the given size.
    let message = unsafe { TextOut::new("message", message, message_size) };
    let work = || {
        find(handle)?.reporter()?.flush(time_limit(timeout_ms)?)?;
        Ok(nexmo_result::ok())
    };
    call(handle, &message, Acceptance::No, work).status
}

/// # Safety
///
/// Each text, with the size in the parameter after it, meets the requirements of [`text_in::optional`].
unsafe fn read(
    channel: i32,
    message_id: *const c_char,
    message_id_size: i32,
    delivered: i32,
    timestamp: *const c_char,
    timestamp_size: i32,
) -> Result<Conversion, CallError> {
    // SAFETY: guaranteed by the caller.
    let (message_id, timestamp) = unsafe {
        (
            text_in::required(LONGEST, "message_id", message_id, message_id_size)?,
            text_in::optional(LONGEST, "timestamp", timestamp, timestamp_size)?,
        )
    };
    conversion::conversion(conversion::channel(channel)?, message_id, delivered, timestamp)
}

fn numbers(result: &nexmo_result) -> [i64; NEXMO_DETAIL_COUNT] {
    let mut numbers = [0; NEXMO_DETAIL_COUNT];
    numbers[NEXMO_DETAIL_STATUS] = i64::from(result.status);
    numbers[NEXMO_DETAIL_HTTP_STATUS] = i64::from(result.http_status);
    numbers[NEXMO_DETAIL_ATTEMPTS] = i64::from(result.attempts);
    numbers[NEXMO_DETAIL_ACCEPTANCE] = i64::from(result.acceptance);
    numbers[NEXMO_DETAIL_ELAPSED_US] = result.elapsed_us;
    numbers[NEXMO_DETAIL_RETRY_AFTER_MS] = result.retry_after_ms;
    numbers
}
