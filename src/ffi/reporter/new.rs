//! The handle of a reporter, and how one is made.

use super::REPORTERS;
use super::structs::nexmo_reporter_options;
use crate::ffi::arguments;
use crate::ffi::status::nexmo_status;
use crate::ffi::structs::{nexmo_credentials, nexmo_options, nexmo_result};
use crate::reporter::Reporter;

/// A reporter: who reports, how, and where reports wait until the service has them. Made by nexmo_reporter_new, given
/// back to nexmo_reporter_free.
///
/// What a nexmo_reporter pointer points to is nobody's to read: it is a ticket, a number that is never used twice. A
/// call with one that was freed, or never was one, returns NEXMO_ERR_HANDLE.
pub struct nexmo_reporter {
    _ticket: (),
}

/// Makes a reporter.
///
/// Opens the outbox, or makes it, and begins to send what is in it, on threads of the library's own. Of the processes
/// and reporters that share an outbox, one sends; when that ends, another takes over. attempts of the options is not
/// used: the reporter repeats as long as it takes.
///
/// A damaged outbox is given another name, with .corrupt in it, and a new one is made; outboxes_lost of the statistics
/// counts that. A file that never was an outbox is refused and left as it is.
///
/// @param credentials       Required. Who reports.
/// @param options           How to report. NULL: all defaults.
/// @param reporter_options  Required. Where reports wait, and how.
/// @param reporter          Required. Receives the reporter; NULL on failure.
/// @param result            Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK                  The reporter is made.
/// @retval NEXMO_ERR_NULL            A required pointer is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT          A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_FLAGS           A flag is unknown. Correct the call.
/// @retval NEXMO_ERR_ARGUMENT        A value or a file was refused; the message names it. Correct the call.
/// @retval NEXMO_ERR_OUTBOX          The outbox cannot be made or opened, or is the file of another program.
/// @retval NEXMO_ERR_OUTBOX_FULL     The disk is full. Call again when there is room.
/// @retval NEXMO_ERR_OUTBOX_BUSY     Others held the outbox for longer than lock_wait_ms. Call again.
/// @retval NEXMO_ERR_OUTBOX_CORRUPT  The outbox is damaged, and open elsewhere. Call again when that has ended.
/// @retval NEXMO_ERR_OUTBOX_ACCOUNT  The outbox belongs to another api_key or base_url. Choose another path.
/// @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL        A mistake of the library.
/// @par Ownership: credentials and options are copied. The reporter is the caller's, to be given to
/// nexmo_reporter_free.
/// @par Threads: call from any thread, any number at once. The reporter may be used by any thread, by many at once, and
/// on both sides of a fork; without a file the child's begins empty.
/// @par Blocking: for as long as it takes to read the files, lock_wait_ms included.
/// @par Since: 1.0
///
/// @code
/// nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
/// nexmo_reporter *reporter;
/// reporter_options.outbox = "/var/lib/shop/conversions";
/// if (nexmo_reporter_new(&credentials, NULL, &reporter_options, &reporter, &result) != NEXMO_OK)
///     fprintf(stderr, "%s\n", result.message);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_new(
    credentials: *const nexmo_credentials,
    options: *const nexmo_options,
    reporter_options: *const nexmo_reporter_options,
    reporter: *mut *mut nexmo_reporter,
    result: *mut nexmo_result,
) -> nexmo_status {
    let make = || {
        // SAFETY: the header's promises for each parameter.
        let (credentials, settings, plan) = unsafe {
            (
                arguments::credentials(credentials)?,
                arguments::options(options)?,
                arguments::reporter_options(reporter_options)?,
            )
        };
        Ok(Reporter::with_settings(credentials, settings, plan)?)
    };
    // SAFETY: the header's promises.
    unsafe { REPORTERS.tell_new("reporter", reporter, result, make) }
}
