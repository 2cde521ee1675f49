//! From what became of a call to what C is told of it.

use std::time::{Duration, Instant};

use super::status::{self, NEXMO_ERR_FORKED, NEXMO_ERR_INTERNAL, NEXMO_OK, nexmo_status};
use super::structs::{NEXMO_MESSAGE_SIZE, NEXMO_TAKEN_NO, NEXMO_TAKEN_PERHAPS, NEXMO_TAKEN_YES, nexmo_result};
use super::{Refusal, sized, text};
use crate::fork;
use crate::guard::guard;
use crate::outcome::{Outcome, Taken};

/// What is said of a panic.
const MISTAKE: &str = "a mistake of the library was caught: please tell its developers what was called";

/// Does `work` and writes what came of it to `result`. Nothing is done if `result` cannot be written. After a panic
/// `discard` puts away what may be broken.
///
/// # Safety
///
/// `result` is NULL or points to a result as the header asks for it.
pub(crate) unsafe fn tell(
    result: *mut nexmo_result,
    work: impl FnOnce() -> Result<Outcome, Refusal>,
    discard: impl FnOnce(),
) -> nexmo_status {
    let told_of_work = || work().map(|outcome| of_outcome(&outcome));
    // SAFETY: the caller's promise.
    unsafe { tell_result(result, told_of_work, || after_panic(discard)) }
}

/// As [`tell`], for a call that reports nothing.
///
/// # Safety
///
/// As [`tell`].
pub(crate) unsafe fn tell_done(
    result: *mut nexmo_result,
    work: impl FnOnce() -> Result<(), Refusal>,
    discard: impl FnOnce(),
) -> nexmo_status {
    let start = Instant::now();
    let done = || {
        let done = work().map_or_else(|refusal| told(refusal.status, &refusal.message), |()| told(NEXMO_OK, "done"));
        Ok(nexmo_result { elapsed_us: microseconds(start.elapsed()), ..done })
    };
    // SAFETY: the caller's promise.
    unsafe { tell_result(result, done, || after_panic(discard)) }
}

/// What is told after a panic, when what it may have broken is put away.
fn after_panic(discard: impl FnOnce()) -> nexmo_result {
    discard();
    nexmo_result { taken: NEXMO_TAKEN_PERHAPS, ..told(NEXMO_ERR_INTERNAL, MISTAKE) }
}

/// # Safety
///
/// As [`tell`].
unsafe fn tell_result(
    result: *mut nexmo_result,
    work: impl FnOnce() -> Result<nexmo_result, Refusal>,
    after_panic: impl FnOnce() -> nexmo_result,
) -> nexmo_status {
    // SAFETY: the caller's promise.
    if let Err(refusal) = unsafe { sized::check_writable(result) } {
        return refusal.status;
    }
    let done =
        guard(|| if_sound().and_then(|()| work()).unwrap_or_else(|refusal| told(refusal.status, &refusal.message)));
    let told = done.unwrap_or_else(after_panic);
    // SAFETY: the caller's promise; the struct was just found to be writable.
    unsafe { sized::write(result, &told) };
    told.status
}

/// Refuses a process that cannot use the library.
pub(crate) fn if_sound() -> Result<(), Refusal> {
    if fork::is_sound() {
        return Ok(());
    }
    Err(Refusal::new(
        NEXMO_ERR_FORKED,
        "this process was made in a way that fork handlers do not see: make it with fork",
    ))
}

fn of_outcome(outcome: &Outcome) -> nexmo_result {
    let (status, message) = match &outcome.result {
        Ok(()) => (NEXMO_OK, "the service took the report"),
        Err(error) => (status::of(error.kind()), error.message()),
    };
    nexmo_result {
        http_status: outcome.http_status.map_or(0, i32::from),
        attempts: i32::try_from(outcome.attempts).unwrap_or(i32::MAX),
        taken: match outcome.taken {
            Taken::No => NEXMO_TAKEN_NO,
            Taken::Perhaps => NEXMO_TAKEN_PERHAPS,
            Taken::Yes => NEXMO_TAKEN_YES,
        },
        elapsed_us: microseconds(outcome.elapsed),
        retry_after_ms: outcome.retry_after.map_or(-1, milliseconds),
        ..told(status, message)
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A result that says no more than what happened.
fn told(status: nexmo_status, message: &str) -> nexmo_result {
    let mut result = nexmo_result {
        struct_size: 0,
        flags: 0,
        status,
        http_status: 0,
        attempts: 0,
        taken: NEXMO_TAKEN_NO,
        elapsed_us: 0,
        retry_after_ms: -1,
        message: [0; NEXMO_MESSAGE_SIZE],
    };
    text::write(&mut result.message, message);
    result
}
