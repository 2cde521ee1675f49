//! Wraps exported functions: defers thread cancellation, checks the result struct, catches panics and writes the
//! result.

use std::time::{Duration, Instant};

use super::result::nexmo_result;
use super::status::{NEXMO_ERR_FORKED, NEXMO_ERR_INTERNAL, NEXMO_ERR_INVALID_ARGUMENT, nexmo_status};
use super::{sized_struct, status};
use crate::error::Error;
use crate::os::{Uncancellable, fork};
use crate::outcome::Acceptance;
use crate::panic::catch_panic;

/// The error of a call: its status, message and acceptance.
pub(crate) struct CallError {
    pub(super) status: nexmo_status,
    pub(super) message: String,
    pub(super) acceptance: Acceptance,
}

impl CallError {
    pub(super) fn new(status: nexmo_status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), acceptance: Acceptance::No }
    }

    pub(super) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(NEXMO_ERR_INVALID_ARGUMENT, message)
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::new(status::of(error.kind()), error.message())
    }
}

/// Calls `work` and returns its result. After a panic, calls `discard` to remove objects that may be inconsistent, and
/// returns a result whose acceptance is `after_panic`.
pub(super) fn perform(
    after_panic: Acceptance,
    discard: impl FnOnce(),
    work: impl FnOnce() -> Result<nexmo_result, CallError>,
) -> nexmo_result {
    let _uncancellable = Uncancellable::begin();
    let start = Instant::now();
    let mut result = match catch_panic(|| check_process().and_then(|()| work())) {
        Some(Ok(result)) => result,
        Some(Err(error)) => nexmo_result::new(error.status, error.acceptance, &error.message),
        None => {
            discard();
            nexmo_result::new(NEXMO_ERR_INTERNAL, after_panic, Error::bug().message())
        }
    };
    result.elapsed_us = i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX);
    result
}

/// Like [`perform`], but also writes the result to `result`. If the size of that struct is invalid, returns
/// NEXMO_ERR_STRUCT_SIZE and does not call `work`.
///
/// # Safety
///
/// `result` is NULL or points to a nexmo_result that meets the requirements of the header.
pub(super) unsafe fn call(
    result: *mut nexmo_result,
    after_panic: Acceptance,
    discard: impl FnOnce(),
    work: impl FnOnce() -> Result<nexmo_result, CallError>,
) -> nexmo_status {
    // SAFETY: guaranteed by the caller.
    if let Err(error) = unsafe { sized_struct::check_writable(result) } {
        return error.status;
    }
    let done = perform(after_panic, discard, work);
    // SAFETY: guaranteed by the caller; `check_writable` has accepted the size of the struct.
    unsafe { sized_struct::write(result, &done) };
    done.status
}

/// Returns an error if this process cannot use the library.
fn check_process() -> Result<(), CallError> {
    if fork::is_sound() {
        return Ok(());
    }
    let message =
        "this process was created without running the fork handlers; create it with fork, or execute a program in it";
    Err(CallError::new(NEXMO_ERR_FORKED, message))
}

/// Converts a time limit in milliseconds. 0 means to check once, and -1 means no limit.
pub(super) fn time_limit(milliseconds: i32) -> Result<Option<Duration>, CallError> {
    match u64::try_from(milliseconds) {
        Ok(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
        Err(_) if milliseconds == -1 => Ok(None),
        Err(_) => {
            let message = format!("timeout_ms is {milliseconds}; valid: 0 or more, or -1 for no limit");
            Err(CallError::invalid_argument(message))
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
