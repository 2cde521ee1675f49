//! The statistics, which one call asks for, and which others are told at the end of a wait.

use std::time::Duration;

use super::structs::nexmo_statistics;
use super::{REPORTERS, discard, nexmo_reporter, told};
use crate::error::Error;
use crate::ffi::status::nexmo_status;
use crate::ffi::structs::nexmo_result;
use crate::ffi::tell::tell_done;
use crate::ffi::{arguments, sized};
use crate::reporter::Reporter;

/// Tells how many reports there were, what became of them, and what the reporter does.
///
/// @param reporter    Required. A reporter that was not freed; it may be closed.
/// @param statistics  Required. Is filled.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK            The statistics are filled.
/// @retval NEXMO_ERR_NULL      statistics is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT    A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE    The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX    The outbox cannot be read, or is busy, full, damaged or another account's with the
///                             status of that name, 301 to 304.
/// @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL  A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to lock_wait_ms; the same few reads however many reports there are.
/// @par Since: 1.0
///
/// @code
/// if (nexmo_reporter_statistics(reporter, &statistics, NULL) == NEXMO_OK)
///     printf("%lld pending\n", (long long)statistics.pending);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_statistics(
    reporter: *mut nexmo_reporter,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        // SAFETY: the header's promise.
        unsafe { sized::check_required(statistics) }?;
        let counted = REPORTERS.get(reporter)?.statistics()?;
        // SAFETY: the header's promise; the struct was just found to be writable.
        unsafe { sized::write(statistics, &told::statistics(&counted)) };
        Ok(())
    };
    // SAFETY: the header's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Does `wait`, and fills `statistics` when it is over, whatever came of it.
///
/// # Safety
///
/// Each pointer is NULL or points to what the header asks for; `reporter` may be anything.
pub(super) unsafe fn wait_and_tell(
    wait: fn(&Reporter, Duration) -> Result<(), Error>,
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        // SAFETY: the caller's promise.
        unsafe { sized::check_writable(statistics) }?;
        let (reporter, timeout) = (REPORTERS.get(reporter)?, arguments::wait(timeout_ms)?);
        let waited = wait(&reporter, timeout);
        // SAFETY: the caller's promise; the struct was just found to be writable.
        unsafe { tell_statistics(&reporter, statistics) };
        Ok(waited?)
    };
    // SAFETY: the caller's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Fills `statistics`, if they are wanted and the outbox can be read; otherwise they stay as they are.
///
/// # Safety
///
/// As [`sized::write`].
unsafe fn tell_statistics(reporter: &Reporter, statistics: *mut nexmo_statistics) {
    if let (false, Ok(counted)) = (statistics.is_null(), reporter.statistics()) {
        // SAFETY: the caller's promise.
        unsafe { sized::write(statistics, &told::statistics(&counted)) };
    }
}
