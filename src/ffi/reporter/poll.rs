//! Fetching what was set aside, and being told when there is something.

use super::structs::nexmo_aside;
use super::{REPORTERS, discard, nexmo_reporter, told};
use crate::ffi::status::nexmo_status;
use crate::ffi::structs::nexmo_result;
use crate::ffi::tell::{if_sound, tell_done};
use crate::ffi::{Refusal, sized};
use crate::guard::guard;

/// Fetches a report that was set aside: refused by the service, grown too old, or dropped from a full outbox.
///
/// Each is handed out once, over all processes and reporters that share the outbox, the oldest first.
///
/// @param reporter  Required. A reporter that was not freed; it may be closed.
/// @param aside     Required. Receives the report, or NEXMO_ASIDE_NONE as its reason if there is none.
/// @param result    Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK                  The report is fetched, or there is none.
/// @retval NEXMO_ERR_NULL            aside is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT          A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_HANDLE          The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_OUTBOX          The outbox cannot be read or written, or is busy, full, damaged or another
///                                   account's with the status of that name, 301 to 304. Nothing was fetched.
/// @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL        A mistake of the library.
/// @par Ownership: the arguments are borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: up to lock_wait_ms.
/// @par Since: 1.0
///
/// @code
/// nexmo_aside aside = NEXMO_ASIDE_INIT;
/// while (nexmo_reporter_poll(reporter, &aside, NULL) == NEXMO_OK && aside.reason != NEXMO_ASIDE_NONE)
///     fprintf(stderr, "%s: %s\n", aside.message_id, aside.message);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_poll(
    reporter: *mut nexmo_reporter,
    aside: *mut nexmo_aside,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        // SAFETY: the header's promise.
        unsafe { sized::check_required(aside) }?;
        let fetched = REPORTERS.get(reporter)?.poll()?;
        // SAFETY: the header's promise; the struct was just found to be writable.
        unsafe { sized::write(aside, &told::aside(fetched.as_ref())) };
        Ok(())
    };
    // SAFETY: the header's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}

/// Gives a file descriptor that is readable when nexmo_reporter_poll may have something, for poll, select or epoll.
///
/// @param reporter  Required. A reporter that was not freed.
/// @return The descriptor, or -1 if the reporter is NULL, was freed, or never was one, or the system has none left.
/// @par Ownership: the descriptor is the reporter's. Do not read, write or close it; stop watching it before
/// nexmo_reporter_free. In a child made by fork it is closed, and another call gives that of the child.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// struct pollfd watched = { 0, POLLIN, 0 };
/// watched.fd = nexmo_reporter_fd(reporter);
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_reporter_fd(reporter: *mut nexmo_reporter) -> i32 {
    let fd = || -> Result<i32, Refusal> { if_sound().and_then(|()| Ok(REPORTERS.get(reporter)?.fd()?)) };
    guard(fd).and_then(Result::ok).unwrap_or(-1)
}
