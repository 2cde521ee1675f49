//! Events: the outcomes of reports that were rejected, expired or dropped.
#![allow(non_camel_case_types)]

use std::ffi::c_char;

use super::lifecycle::{REPORTERS, discard, nexmo_reporter};
use crate::ffi::call::{CallError, call, perform, time_limit};
use crate::ffi::handle::number;
use crate::ffi::result::{NEXMO_MESSAGE_SIZE, nexmo_result};
use crate::ffi::sized_struct::{SizedStruct, first_size, zeroed};
use crate::ffi::status::nexmo_status;
use crate::ffi::version::NEXMO_TIMESTAMP_SIZE;
use crate::ffi::{c_string, sized_struct};
use crate::outcome::Acceptance;
use crate::reporter::{Event, EventKind};

/// nexmo_event.kind: there is no event.
pub const NEXMO_EVENT_NONE: i32 = 0;
/// nexmo_event.kind: the service rejected the report.
pub const NEXMO_EVENT_REJECTED: i32 = 1;
/// nexmo_event.kind: the report reached the age max_age_s. The service may have accepted it in an earlier attempt.
pub const NEXMO_EVENT_EXPIRED: i32 = 2;
/// nexmo_event.kind: the outbox was full, and this was its oldest report. The service may have accepted it in an
/// earlier attempt.
pub const NEXMO_EVENT_DROPPED: i32 = 3;

/// Size of nexmo_event.message_id in bytes, including the NUL.
pub const NEXMO_MESSAGE_ID_SIZE: usize = 260;

/// An event: the outcome of a report that was rejected, expired or dropped. The event stays in the outbox until it is
/// acknowledged.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_event {
    /// sizeof(nexmo_event). The library reads only this field.
    pub struct_size: u32,
    /// Written as 0.
    pub flags: u32,
    /// The id to pass to nexmo_reporter_acknowledge; 0 with NEXMO_EVENT_NONE. Ids increase within an outbox, are never
    /// reused and are below 2^53. They have no other meaning.
    pub id: i64,
    /// The time at which the event was created, in milliseconds since 1970; 0 with NEXMO_EVENT_NONE.
    pub created_unix_ms: i64,
    /// NEXMO_EVENT_NONE, NEXMO_EVENT_REJECTED, NEXMO_EVENT_EXPIRED or NEXMO_EVENT_DROPPED. With NEXMO_EVENT_NONE, all
    /// fields below are 0 or "".
    pub kind: i32,
    /// The HTTP status of the response that rejected the report; 0 if no response rejected it.
    pub http_status: i32,
    /// One of NEXMO_CHANNEL_*.
    pub channel: i32,
    /// The value submitted: 1 or 0.
    pub delivered: i32,
    /// The message id as submitted.
    pub message_id: [c_char; NEXMO_MESSAGE_ID_SIZE],
    /// The timestamp as submitted or, if it was NULL, the time of the submission.
    pub timestamp: [c_char; NEXMO_TIMESTAMP_SIZE],
    /// What happened, as one line for a log, like nexmo_result.message.
    pub message: [c_char; NEXMO_MESSAGE_SIZE],
}

// SAFETY: all fields are integers, for which every bit pattern is valid; layout.rs asserts that there is no padding.
unsafe impl SizedStruct for nexmo_event {
    const NAME: &'static str = "event";
    const FIRST_SIZE: usize = first_size(576, 576);
    const KNOWN_FLAGS: u32 = 0;
    const INITIAL: Self = Self { ..zeroed() };
}

impl From<&Event> for nexmo_event {
    fn from(event: &Event) -> Self {
        let conversion = &event.conversion;
        let timestamp = conversion.timestamp.map(|timestamp| timestamp.to_string());
        let mut written = Self {
            id: event.id,
            created_unix_ms: event.created_unix_ms,
            kind: match event.kind {
                EventKind::Rejected => NEXMO_EVENT_REJECTED,
                EventKind::Expired => NEXMO_EVENT_EXPIRED,
                EventKind::Dropped => NEXMO_EVENT_DROPPED,
            },
            http_status: event.http_status.map_or(0, i32::from),
            channel: conversion.channel.number(),
            delivered: i32::from(conversion.delivered),
            ..Self::INITIAL
        };
        c_string::fill(&mut written.message_id, conversion.message_id.as_str());
        c_string::fill(&mut written.timestamp, timestamp.as_deref().unwrap_or_default());
        c_string::fill(&mut written.message, &c_string::one_line(&event.message));
        written
    }
}

/// Waits for an event and returns the oldest one. Calls in every thread and process return the same event until it is
/// acknowledged: use one consumer per outbox, or handle events idempotently. Once the reporter is closed, calls
/// return the remaining events and then NEXMO_ERR_CLOSED.
///
/// @param event  Receives the event. Its kind is NEXMO_EVENT_NONE when the time limit expires (with NEXMO_OK) or the
///               call fails.
/// @par Blocking: up to timeout_ms, plus busy_timeout_ms for the outbox. Signals do not end the wait.
///
/// @code
/// nexmo_event event = NEXMO_EVENT_INIT;
/// while (nexmo_reporter_poll(reporter, -1, &event, &result) == NEXMO_OK) {
///     fprintf(stderr, "%s: %s\n", event.message_id, event.message);
///     nexmo_reporter_acknowledge(reporter, event.id, &result);
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_poll(
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    event: *mut nexmo_event,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header requires `event` to be NULL or valid; `write` leaves a struct of invalid size unchanged.
    let write = |written: &nexmo_event| unsafe { sized_struct::write(event, written) };
    write(&nexmo_event::INITIAL);
    let work = || {
        // SAFETY: the header requires `event` to be NULL or valid.
        unsafe { sized_struct::check_required(event) }?;
        let found = REPORTERS.get(number(reporter))?;
        if let Some(oldest) = found.poll(time_limit(timeout_ms)?)? {
            write(&nexmo_event::from(&oldest));
        }
        Ok(nexmo_result::ok())
    };
    // SAFETY: the header requires `result` to be NULL or valid.
    unsafe { call(result, Acceptance::No, || discard(reporter), work) }
}

/// Removes one event from the outbox. Also succeeds if the event is already gone because another process acknowledged
/// it, because it was discarded, or because its outbox was lost. The reporter may be closed. The outbox keeps at most
/// 10000 events. If there are more, it discards the oldest ones, even if a consumer is handling them, and counts them
/// in events_discarded.
///
/// @param event_id  nexmo_event.id. An id that no event can have is invalid.
/// @retval NEXMO_ERR_OUTBOX_BUSY  The event stays in the outbox.
/// @par Blocking: up to busy_timeout_ms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_acknowledge(
    reporter: *mut nexmo_reporter,
    event_id: i64,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        REPORTERS.get(number(reporter))?.acknowledge(event_id)?;
        Ok(nexmo_result::ok())
    };
    // SAFETY: the header requires `result` to be NULL or valid.
    unsafe { call(result, Acceptance::No, || discard(reporter), work) }
}

/// Returns a file descriptor for poll, select or epoll. It is readable while an event is waiting to be acknowledged,
/// and once the reporter is closed.
///
/// The descriptor may also be readable without an event if another process has just acknowledged the event, so call
/// nexmo_reporter_poll with timeout_ms 0. The descriptor belongs to the reporter: do not read, write or close it, and
/// stop watching it before nexmo_reporter_free.
///
/// @return The file descriptor, 3 or above; on failure, a negated status: -NEXMO_ERR_INVALID_HANDLE, -NEXMO_ERR_SYSTEM,
/// -NEXMO_ERR_FORKED, -NEXMO_ERR_INTERNAL, or -60 to -65 after a fork.
/// @par Blocking: up to busy_timeout_ms after a fork, otherwise never.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_reporter_fd(reporter: *mut nexmo_reporter) -> i32 {
    let mut descriptor = 0;
    let work = || -> Result<nexmo_result, CallError> {
        descriptor = REPORTERS.get(number(reporter))?.fd()?;
        Ok(nexmo_result::ok())
    };
    match perform(Acceptance::No, || discard(reporter), work).status {
        0 => descriptor,
        status => status.saturating_neg(),
    }
}

/// Initializes a struct as NEXMO_EVENT_INIT does. size is sizeof(nexmo_event) in the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_event_init(event: *mut nexmo_event, size: usize) {
    // SAFETY: the header requires the caller to ensure that `size` bytes can be written at `event`.
    unsafe { sized_struct::init(event, size) };
}
