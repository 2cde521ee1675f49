//! Waiting until what was submitted is sent.

use super::nexmo_reporter;
use super::statistics::wait_and_tell;
use super::structs::nexmo_statistics;
use crate::ffi::status::nexmo_status;
use crate::ffi::structs::nexmo_result;
use crate::reporter::Reporter;

/// Waits until every report that the outbox accepted before this call has left it.
///
/// @param reporter    Required. A reporter that was not freed.
/// @param timeout_ms  How long to wait at most, in milliseconds; 0 only looks.
/// @param statistics  Is filled with the counts after the wait, on success and on failure, unless the outbox cannot be
///                    read. NULL: they are not wanted.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK             None is left, and nothing waits to be fetched by nexmo_reporter_poll.
/// @retval NEXMO_ERR_ASIDE      None is left, and some were set aside: fetch them by nexmo_reporter_poll.
/// @retval NEXMO_ERR_TIMEOUT    Some are left after timeout_ms. They go out later; nothing needs to be repeated.
/// @retval NEXMO_ERR_PARKED     The service takes no reports of the account, which was just tried. They stay.
/// @retval NEXMO_ERR_CANCELLED  The reporter was freed during the call.
/// @retval NEXMO_ERR_ARGUMENT   timeout_ms is negative. Correct the call.
/// @retval NEXMO_ERR_STRUCT     A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE     The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX     The outbox cannot be read, or is busy, full, damaged or another account's with the
///                              status of that name, 301 to 304.
/// @retval NEXMO_ERR_FORKED     The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL   A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to timeout_ms.
/// @par Since: 1.0
///
/// @code
/// nexmo_statistics statistics = NEXMO_STATISTICS_INIT;
/// status = nexmo_reporter_flush(reporter, 10000, &statistics, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_flush(
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header's promises for each parameter.
    unsafe { wait_and_tell(Reporter::flush, reporter, timeout_ms, statistics, result) }
}
