//! Events through the flat functions.

use std::ffi::c_char;

use super::numbers_out::NumbersOut;
use super::text_out::TextOut;
use super::{call, find};
use crate::ffi::c_string::text_of;
use crate::ffi::call::time_limit;
use crate::ffi::reporter::event::nexmo_event;
use crate::ffi::result::nexmo_result;
use crate::ffi::sized_struct::SizedStruct;
use crate::ffi::status::NEXMO_OK;
use crate::outcome::Acceptance;

/// The index of nexmo_event.id in the event array of nexmo_flat_poll.
pub const NEXMO_EVENT_FIELD_ID: usize = 0;
/// The index of nexmo_event.kind in the event array of nexmo_flat_poll.
pub const NEXMO_EVENT_FIELD_KIND: usize = 1;
/// The index of nexmo_event.channel in the event array of nexmo_flat_poll.
pub const NEXMO_EVENT_FIELD_CHANNEL: usize = 2;
/// The index of nexmo_event.delivered in the event array of nexmo_flat_poll.
pub const NEXMO_EVENT_FIELD_DELIVERED: usize = 3;
/// The index of nexmo_event.http_status in the event array of nexmo_flat_poll.
pub const NEXMO_EVENT_FIELD_HTTP_STATUS: usize = 4;
/// The number of elements in the event array of nexmo_flat_poll. Later versions may append elements.
pub const NEXMO_EVENT_FIELD_COUNT: usize = 5;

/// Waits for an event and returns the oldest one, like nexmo_reporter_poll. The handle must be a reporter.
///
/// @param event       Receives the event as numbers, at the indices NEXMO_EVENT_FIELD_*.
/// @param message_id  Receives the message id as submitted. It is never truncated: a size that is too small is invalid,
///                    and the event is kept. NEXMO_MESSAGE_ID_SIZE is enough for every id.
/// @param timestamp   Receives the timestamp as submitted or, if none was given, the time of the submission.
///                    NEXMO_TIMESTAMP_SIZE is enough for every timestamp.
/// @param message     Receives nexmo_event.message if there is an event.
/// @par Blocking: like nexmo_reporter_poll.
///
/// @code
/// int64_t event[NEXMO_EVENT_FIELD_COUNT];
/// char message_id[NEXMO_MESSAGE_ID_SIZE];
/// if (nexmo_flat_poll(handle, 0, event, NEXMO_EVENT_FIELD_COUNT, message_id, (int32_t)sizeof message_id, NULL, 0,
///                     message, (int32_t)sizeof message) == NEXMO_OK &&
///     event[NEXMO_EVENT_FIELD_KIND] != NEXMO_EVENT_NONE) {
///     fprintf(stderr, "%s: %s\n", message_id, message);
///     nexmo_flat_acknowledge(handle, event[NEXMO_EVENT_FIELD_ID], NULL, 0);
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_poll(
    handle: i64,
    timeout_ms: i32,
    event: *mut i64,
    event_count: i32,
    message_id: *mut c_char,
    message_id_size: i32,
    timestamp: *mut c_char,
    timestamp_size: i32,
    message: *mut c_char,
    message_size: i32,
) -> i32 {
    // SAFETY: the header requires each output to be NULL or to have the given size.
    let (event, message_id, timestamp, message) = unsafe {
        (
            NumbersOut::new("event", event, event_count),
            TextOut::new("message_id", message_id, message_id_size),
            TextOut::new("timestamp", timestamp, timestamp_size),
            TextOut::new("message", message, message_size),
        )
    };
    let mut polled = nexmo_event::INITIAL;
    let work = || {
        event.check()?;
        message_id.check()?;
        timestamp.check()?;
        let Some(oldest) = find(handle)?.reporter()?.poll(time_limit(timeout_ms)?)? else {
            return Ok(nexmo_result::ok());
        };
        message_id.check_fits(oldest.conversion.message_id.as_str())?;
        polled = nexmo_event::from(&oldest);
        Ok(nexmo_result::new(NEXMO_OK, Acceptance::No, &oldest.message))
    };
    let status = call(handle, &message, Acceptance::No, work).status;
    event.write(&numbers(&polled));
    message_id.write(&text_of(&polled.message_id));
    timestamp.write(&text_of(&polled.timestamp));
    status
}

fn numbers(event: &nexmo_event) -> [i64; NEXMO_EVENT_FIELD_COUNT] {
    let mut numbers = [0; NEXMO_EVENT_FIELD_COUNT];
    numbers[NEXMO_EVENT_FIELD_ID] = event.id;
    numbers[NEXMO_EVENT_FIELD_KIND] = i64::from(event.kind);
    numbers[NEXMO_EVENT_FIELD_CHANNEL] = i64::from(event.channel);
    numbers[NEXMO_EVENT_FIELD_DELIVERED] = i64::from(event.delivered);
    numbers[NEXMO_EVENT_FIELD_HTTP_STATUS] = i64::from(event.http_status);
    numbers
}

/// Removes an event from the outbox, like nexmo_reporter_acknowledge. The handle must be a reporter.
///
/// @param event_id  The element at index NEXMO_EVENT_FIELD_ID of the event array.
/// @par Blocking: like nexmo_reporter_acknowledge.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_acknowledge(
    handle: i64,
    event_id: i64,
    message: *mut c_char,
    message_size: i32,
) -> i32 {
    // SAFETY: the header requires `message` to be NULL or to have the given size.
    let message = unsafe { TextOut::new("message", message, message_size) };
    let work = || {
        find(handle)?.reporter()?.acknowledge(event_id)?;
        Ok(nexmo_result::ok())
    };
    call(handle, &message, Acceptance::No, work).status
}
