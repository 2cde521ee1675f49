//! The ends of a reporter: closing it, which waits, and freeing it, which does not.

use super::statistics::wait_and_tell;
use super::structs::nexmo_statistics;
use super::{REPORTERS, nexmo_reporter};
use crate::ffi::status::nexmo_status;
use crate::ffi::structs::nexmo_result;
use crate::reporter::Reporter;

/// Closes a reporter: it takes no more reports, goes on sending until none is left or the time is over, and then
/// interrupts what is under way.
///
/// What is left stays in the outbox and goes out when a reporter next opens it; with NEXMO_DURABILITY_NONE it is lost. A
/// program that ends without this call loses nothing that its durability protects.
///
/// @param reporter    Required. A reporter that was not freed. It can still be polled and asked for its statistics.
/// @param timeout_ms  How long to go on sending, in milliseconds; 0 ends at once.
/// @param statistics  Is filled with the counts at the end, on success and on failure, unless the outbox cannot be
///                    read. NULL: they are not wanted.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK             Nothing is left.
/// @retval NEXMO_ERR_PENDING    Reports are left in the outbox; the statistics and the message say how many.
/// @retval NEXMO_ERR_CANCELLED  The reporter was freed during the call.
/// @retval NEXMO_ERR_ARGUMENT   timeout_ms is negative. Correct the call.
/// @retval NEXMO_ERR_STRUCT     A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE     The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX     The outbox cannot be read, or is busy, full, damaged or another account's with the
///                              status of that name, 301 to 304. The reporter is closed all the same.
/// @retval NEXMO_ERR_FORKED     The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL   A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns. The reporter is still to be freed.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to timeout_ms and half a second.
/// @par Since: 1.0
///
/// @code
/// if (nexmo_reporter_close(reporter, 2000, &statistics, NULL) == NEXMO_ERR_PENDING)
///     fprintf(stderr, "%lld go out at the next start\n", (long long)statistics.pending);
/// nexmo_reporter_free(reporter);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_close(
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    statistics: *mut nexmo_statistics,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header's promises for each parameter.
    unsafe { wait_and_tell(Reporter::close, reporter, timeout_ms, statistics, result) }
}

/// Frees a reporter, and closes it if it is not closed, without waiting for anything.
///
/// Calls that other threads make with it at this moment end with NEXMO_ERR_CANCELLED if they wait for reports. What is
/// left in the outbox goes out when a reporter next opens it; with NEXMO_DURABILITY_NONE it is lost.
///
/// @param reporter  A reporter, or NULL, which does nothing.
/// @retval NEXMO_OK            The reporter is freed, or NULL was given.
/// @retval NEXMO_ERR_HANDLE    The reporter was freed before, or never was one. Correct the call.
/// @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL  A mistake of the library.
/// @par Ownership: the pointer must not be used afterwards; a call that does returns NEXMO_ERR_HANDLE.
/// @par Threads: call from any thread, while others use the reporter too. Not from a signal handler.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// nexmo_reporter_free(reporter);
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_reporter_free(reporter: *mut nexmo_reporter) -> nexmo_status {
    REPORTERS.free(reporter, Reporter::abandon)
}
