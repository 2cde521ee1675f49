//! Creates, flushes, closes and frees reporters.
#![allow(non_camel_case_types)]

use std::time::Duration;

use super::options::nexmo_reporter_options;
use crate::error::Error;
use crate::ffi::call::{call, time_limit};
use crate::ffi::credentials::nexmo_credentials;
use crate::ffi::handle::{Table, number};
use crate::ffi::options::nexmo_options;
use crate::ffi::result::nexmo_result;
use crate::ffi::status::nexmo_status;
use crate::ffi::{credentials, options};
use crate::os::fork;
use crate::outcome::Acceptance;
use crate::panic::catch_panic;
use crate::reporter::Reporter;

/// A reporter: credentials, options, and the outbox that keeps reports until the service accepts them.
pub struct nexmo_reporter {
    _identifier: (),
}

pub(super) static REPORTERS: Table<Reporter> = Table::new();

/// Registers the table's lock with the fork handlers at load time.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn hold() {
        fork::hold_during_forks(|| Box::new(REPORTERS.lock()));
    }
    hold
};

/// Creates a reporter. Opens or creates the outbox, and starts threads that send the reports in the outbox.
///
/// If several reporters, in any processes, share an outbox, only one sends; when it ends or cannot send, another takes
/// over. A corrupt outbox is renamed, with .corrupt in the new name, and replaced; outbox_resets counts the
/// replacements. If the outbox cannot be opened or created, or the file is not an outbox, the call fails with
/// NEXMO_ERR_OUTBOX and leaves the file unchanged. With NEXMO_DURABILITY_NONE, a forked child's reporter starts with
/// an empty outbox.
///
/// @param options   NULL: all defaults. A reporter uses all options except max_attempts.
/// @param reporter  Receives the reporter; NULL on failure.
/// @par Blocking: while files are read, and up to busy_timeout_ms for the outbox.
///
/// @code
/// nexmo_reporter_options reporter_options = NEXMO_REPORTER_OPTIONS_INIT;
/// nexmo_reporter *reporter;
/// reporter_options.outbox = "/var/lib/shop/conversions";
/// if (nexmo_reporter_new(&credentials, NULL, &reporter_options, &reporter, &result) == NEXMO_OK) {
///     nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "00A0B0C0", 1, NULL, &result);
///     nexmo_reporter_close(reporter, 2000, &result);
///     nexmo_reporter_free(reporter);
/// }
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
        // SAFETY: the header requires each pointer parameter to be NULL or valid.
        let (credentials, settings, plan) = unsafe {
            (credentials::read(credentials)?, options::read(options)?, super::options::read(reporter_options)?)
        };
        Ok(Reporter::with_settings(credentials, settings, plan)?)
    };
    // SAFETY: the header requires `reporter` and `result` to be NULL or valid.
    unsafe { REPORTERS.new_handle("reporter", reporter, result, make) }
}

/// Waits until the reports that were submitted to this outbox before the call, by any process, are no longer pending;
/// events and statistics show their outcome. If a back-off would delay the next attempt, sends a probe without waiting,
/// but at most one per second, and none if the service asked for the back-off. Does not wait for reports that are
/// submitted during the call. If reports are still pending, the message gives the number of all pending reports in the
/// outbox.
///
/// @retval NEXMO_ERR_SUSPENDED  The reporter is suspended, and either a probe did not end the suspension or no probe is
///                              allowed because the service asked for a wait. The call returns before timeout_ms.
/// @par Blocking: up to timeout_ms, plus busy_timeout_ms for the outbox.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_flush(
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header requires `result` to be NULL or valid.
    unsafe { wait(Reporter::flush, reporter, timeout_ms, result) }
}

/// Closes a reporter: stops accepting reports, waits like nexmo_reporter_flush, with the same result, and then cancels
/// requests in flight.
///
/// Reports that are still pending stay in the outbox, and the next reporter that opens it sends them. With
/// NEXMO_DURABILITY_NONE, they are lost. A program that ends without this call loses no report that the durability of
/// the outbox protects. The reporter is closed unless the call is invalid (a status from 1 to 19). A closed reporter
/// can still be polled, acknowledge events and return statistics, and must be freed. A second call does not wait.
///
/// @par Blocking: up to timeout_ms plus half a second.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_close(
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header requires `result` to be NULL or valid.
    unsafe { wait(Reporter::close, reporter, timeout_ms, result) }
}

/// # Safety
///
/// `result` is NULL or points to a nexmo_result that meets the requirements of the header.
unsafe fn wait(
    wait: fn(&Reporter, Option<Duration>) -> Result<(), Error>,
    reporter: *mut nexmo_reporter,
    timeout_ms: i32,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        let found = REPORTERS.get(number(reporter))?;
        wait(&found, time_limit(timeout_ms)?)?;
        Ok(nexmo_result::ok())
    };
    // SAFETY: guaranteed by the caller.
    unsafe { call(result, Acceptance::No, || discard(reporter), work) }
}

/// Frees a reporter. If it is open, closes it first, without waiting for reports. Other threads that wait in a call
/// with the reporter get NEXMO_ERR_CANCELLED.
///
/// @par Blocking: up to half a second.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_reporter_free(reporter: *mut nexmo_reporter) -> nexmo_status {
    REPORTERS.free(reporter, Reporter::abandon)
}

/// Removes a reporter that may be inconsistent after a panic, without dropping it. The next reporter that opens the
/// same outbox sends the pending reports.
pub(super) fn discard(reporter: *mut nexmo_reporter) {
    if let Ok(reporter) = REPORTERS.remove(number(reporter)) {
        catch_panic(|| reporter.abandon());
        std::mem::forget(reporter);
    }
}
