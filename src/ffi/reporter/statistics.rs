//! The statistics of a reporter and its outbox.
#![allow(non_camel_case_types)]

use std::ffi::c_char;
use std::time::SystemTime;

use super::lifecycle::{REPORTERS, discard, nexmo_reporter};
use crate::ffi::call::{call, milliseconds};
use crate::ffi::handle::number;
use crate::ffi::result::{NEXMO_MESSAGE_SIZE, nexmo_result};
use crate::ffi::sized_struct::{SizedStruct, first_size, zeroed};
use crate::ffi::status::nexmo_status;
use crate::ffi::{c_string, sized_struct, status};
use crate::outcome::Acceptance;
use crate::reporter::{State, Statistics};

/// nexmo_statistics.state: the reporter sends submitted reports.
pub const NEXMO_STATE_RUNNING: i32 = 0;
/// nexmo_statistics.state: the network or the service fails (no response, 408, 429 or 5xx). The reporter sends one
/// report at a time as a probe, after delays that grow up to 30 s, or after the delay that the service asks for.
pub const NEXMO_STATE_BACKING_OFF: i32 = 1;
/// nexmo_statistics.state: the service accepts no reports from this account (401, 402, 3xx or an unexpected status).
/// The reporter sends one report a minute as a probe; all other reports stay pending.
pub const NEXMO_STATE_SUSPENDED: i32 = 2;
/// nexmo_statistics.state: the reporter is closed.
pub const NEXMO_STATE_CLOSED: i32 = 3;
/// nexmo_statistics.state: another process, or another reporter in this process, sends the reports in the outbox. This
/// reporter takes over when the other reporter ends or cannot send.
pub const NEXMO_STATE_STANDBY: i32 = 4;

/// The numbers of reports by outcome, and the state of the reporter.
///
/// The counts of reports and events cover the whole outbox, including all reporters and processes that have used it;
/// with NEXMO_DURABILITY_NONE, they cover only this reporter. state, in_flight, outbox_resets, outbox_errors and the
/// last error are always those of this reporter. submitted is the sum of accepted, rejected, expired, replaced,
/// dropped, damaged and pending.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_statistics {
    /// sizeof(nexmo_statistics). The library reads only this field.
    pub struct_size: u32,
    /// Written as 0.
    pub flags: u32,
    /// The state of this reporter: one of NEXMO_STATE_*.
    pub state: i32,
    /// The number of reports that this reporter is currently sending.
    pub in_flight: i32,
    /// The status of the last error that occurred in the background; 0 if there was none.
    pub last_error: nexmo_status,
    /// The HTTP status of the response that caused the last error; 0 if no response caused it.
    pub last_error_http_status: i32,
    /// Reports stored by submit.
    pub submitted: i64,
    /// Reports that the service accepted.
    pub accepted: i64,
    /// Reports that the service rejected.
    pub rejected: i64,
    /// Reports that reached the age max_age_s.
    pub expired: i64,
    /// Reports replaced by a later report for the same message.
    pub replaced: i64,
    /// Reports dropped because the outbox was full.
    pub dropped: i64,
    /// Reports whose rows in the outbox were removed because they were damaged, or are missing.
    pub damaged: i64,
    /// Reports still pending, including those in flight.
    pub pending: i64,
    /// Events waiting to be acknowledged: at most 10000.
    pub events: i64,
    /// Events discarded because there were more than 10000, and damaged events.
    pub events_discarded: i64,
    /// The number of times the outbox was found corrupt or removed and was replaced. A corrupt outbox stays next to the
    /// new one, with .corrupt in its name.
    pub outbox_resets: i64,
    /// The number of times the outbox could not be read or written in the background.
    pub outbox_errors: i64,
    /// The time since the oldest pending report was submitted, in milliseconds; -1 if none is pending.
    pub oldest_pending_ms: i64,
    /// The time of the last error, in milliseconds since 1970; -1 if there was none.
    pub last_error_unix_ms: i64,
    /// The last error as one line for a log, like nexmo_result.message.
    pub last_error_message: [c_char; NEXMO_MESSAGE_SIZE],
}

// SAFETY: all fields are integers, for which every bit pattern is valid; layout.rs asserts that there is no padding.
unsafe impl SizedStruct for nexmo_statistics {
    const NAME: &'static str = "statistics";
    const FIRST_SIZE: usize = first_size(392, 392);
    const KNOWN_FLAGS: u32 = 0;
    const INITIAL: Self = Self { oldest_pending_ms: -1, last_error_unix_ms: -1, ..zeroed() };
}

impl From<&Statistics> for nexmo_statistics {
    fn from(counted: &Statistics) -> Self {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let mut written = Self {
            state: match counted.state {
                State::Running => NEXMO_STATE_RUNNING,
                State::BackingOff => NEXMO_STATE_BACKING_OFF,
                State::Suspended => NEXMO_STATE_SUSPENDED,
                State::Closed => NEXMO_STATE_CLOSED,
                State::Standby => NEXMO_STATE_STANDBY,
            },
            in_flight: i32::try_from(counted.in_flight).unwrap_or(i32::MAX),
            submitted: count(counted.submitted),
            accepted: count(counted.accepted),
            rejected: count(counted.rejected),
            expired: count(counted.expired),
            replaced: count(counted.replaced),
            dropped: count(counted.dropped),
            damaged: count(counted.damaged),
            pending: count(counted.pending),
            events: count(counted.events),
            events_discarded: count(counted.events_discarded),
            outbox_resets: count(counted.outbox_resets),
            outbox_errors: count(counted.outbox_errors),
            oldest_pending_ms: counted.oldest_pending.map_or(-1, milliseconds),
            ..Self::INITIAL
        };
        if let Some(last) = &counted.last_error {
            written.last_error = status::of(last.error.kind());
            written.last_error_http_status = last.http_status.map_or(0, i32::from);
            let since_1970 = last.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            written.last_error_unix_ms = milliseconds(since_1970);
            c_string::fill(&mut written.last_error_message, &c_string::one_line(last.error.message()));
        }
        written
    }
}

/// Returns the statistics of the reporter and its outbox. The reporter may be closed.
///
/// @param statistics  Receives the statistics; on failure, the initial values.
/// @par Blocking: up to busy_timeout_ms. The time does not depend on the number of reports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_statistics(
    reporter: *mut nexmo_reporter,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header requires `statistics` to be NULL or valid; `write` leaves a struct of invalid size unchanged.
    let write = |written: &nexmo_statistics| unsafe { sized_struct::write(statistics, written) };
    write(&nexmo_statistics::INITIAL);
    let work = || {
        // SAFETY: the header requires `statistics` to be NULL or valid.
        unsafe { sized_struct::check_required(statistics) }?;
        write(&nexmo_statistics::from(&REPORTERS.get(number(reporter))?.statistics()?));
        Ok(nexmo_result::ok())
    };
    // SAFETY: the header requires `result` to be NULL or valid.
    unsafe { call(result, Acceptance::No, || discard(reporter), work) }
}

/// Initializes a struct as NEXMO_STATISTICS_INIT does. size is sizeof(nexmo_statistics) in the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_statistics_init(statistics: *mut nexmo_statistics, size: usize) {
    // SAFETY: the header requires the caller to ensure that `size` bytes can be written at `statistics`.
    unsafe { sized_struct::init(statistics, size) };
}
