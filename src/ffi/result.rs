//! The result of a call.
#![allow(non_camel_case_types)]

use std::ffi::c_char;

use super::call::milliseconds;
use super::sized_struct::{SizedStruct, first_size, zeroed};
use super::status::{NEXMO_ERR_STRUCT_SIZE, NEXMO_OK, nexmo_status};
use super::{c_string, sized_struct, status};
use crate::outcome::{Acceptance, Outcome};

/// nexmo_result.acceptance: no attempt was made, or each attempt wrote nothing of the request or was rejected by a
/// response (401, 402, 420, 422, 423, 429).
pub const NEXMO_ACCEPTANCE_NO: i32 = 0;
/// nexmo_result.acceptance: at least one attempt wrote a part of the request but was not rejected by one of these
/// responses (401, 402, 420, 422, 423, 429), and no attempt got a 2xx response. Reporting the same value for a message
/// twice is harmless, so retry if the status allows it.
pub const NEXMO_ACCEPTANCE_UNKNOWN: i32 = 1;
/// nexmo_result.acceptance: an attempt got a 2xx response.
pub const NEXMO_ACCEPTANCE_YES: i32 = 2;

/// Size of nexmo_result.message in bytes, including the NUL.
pub const NEXMO_MESSAGE_SIZE: usize = 256;

/// The outcome of a call. Written on success and on failure, except if the struct_size of this struct is invalid: the
/// call then returns NEXMO_ERR_STRUCT_SIZE, sends nothing and leaves the struct unchanged.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_result {
    /// sizeof(nexmo_result). The library reads only this field.
    pub struct_size: u32,
    /// Written as 0.
    pub flags: u32,
    /// The status that the call returns.
    pub status: nexmo_status,
    /// The HTTP status of the response to the last attempt; 0 if that attempt got none.
    pub http_status: i32,
    /// The number of requests attempted, including those for which no connection could be made; 0 if there was none.
    pub attempts: i32,
    /// Whether the service accepted the report in any attempt: one of NEXMO_ACCEPTANCE_*. After a submit,
    /// NEXMO_ACCEPTANCE_UNKNOWN if the report is or may be in the outbox. NEXMO_ACCEPTANCE_NO after any other call that
    /// sends nothing.
    pub acceptance: i32,
    /// The duration of the call in microseconds.
    pub elapsed_us: i64,
    /// The suggested delay before retrying, in milliseconds: the service's Retry-After, capped at 3600000, or the
    /// back-off that would have exceeded timeout_ms; -1 if there is none.
    pub retry_after_ms: i64,
    /// What happened, as one line for a log: UTF-8 without control characters, NUL-terminated, truncated at a
    /// character boundary. Never contains a secret.
    pub message: [c_char; NEXMO_MESSAGE_SIZE],
}

// SAFETY: all fields are integers, for which every bit pattern is valid; layout.rs asserts that there is no padding.
unsafe impl SizedStruct for nexmo_result {
    const NAME: &'static str = "result";
    const FIRST_SIZE: usize = first_size(296, 296);
    const KNOWN_FLAGS: u32 = 0;
    const INITIAL: Self = Self { status: NEXMO_ERR_STRUCT_SIZE, retry_after_ms: -1, ..zeroed() };
}

impl nexmo_result {
    pub(super) fn new(status: nexmo_status, acceptance: Acceptance, message: &str) -> Self {
        let acceptance = match acceptance {
            Acceptance::No => NEXMO_ACCEPTANCE_NO,
            Acceptance::Unknown => NEXMO_ACCEPTANCE_UNKNOWN,
            Acceptance::Yes => NEXMO_ACCEPTANCE_YES,
        };
        let mut result = Self { status, acceptance, ..Self::INITIAL };
        if status == NEXMO_OK {
            c_string::fill(&mut result.message, message);
        } else {
            c_string::fill(&mut result.message, &c_string::one_line(message));
        }
        result
    }

    /// Returns the result of a call that succeeded and sent nothing.
    pub(super) fn ok() -> Self {
        Self::new(NEXMO_OK, Acceptance::No, "ok")
    }

    /// Returns the message as text.
    pub(super) fn message(&self) -> String {
        c_string::text_of(&self.message)
    }
}

impl From<&Outcome> for nexmo_result {
    fn from(outcome: &Outcome) -> Self {
        let (status, message) = match &outcome.result {
            Ok(()) => (NEXMO_OK, "report accepted"),
            Err(error) => (status::of(error.kind()), error.message()),
        };
        Self {
            http_status: outcome.http_status.map_or(0, i32::from),
            attempts: i32::try_from(outcome.attempts).unwrap_or(i32::MAX),
            retry_after_ms: outcome.retry_after.map_or(-1, milliseconds),
            ..Self::new(status, outcome.acceptance, message)
        }
    }
}

/// Initializes a struct as NEXMO_RESULT_INIT does. size is sizeof(nexmo_result) in the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_result_init(result: *mut nexmo_result, size: usize) {
    // SAFETY: the header requires the caller to ensure that `size` bytes can be written at `result`.
    unsafe { sized_struct::init(result, size) };
}
