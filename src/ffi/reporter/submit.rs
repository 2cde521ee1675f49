//! Submitting a report.

use std::ffi::c_char;

use super::lifecycle::{REPORTERS, discard, nexmo_reporter};
use crate::conversion::Conversion;
use crate::ffi::call::{CallError, call};
use crate::ffi::conversion;
use crate::ffi::handle::number;
use crate::ffi::result::nexmo_result;
use crate::ffi::status::{NEXMO_OK, nexmo_status};
use crate::outcome::Acceptance;
use crate::reporter::Reporter;

/// Submits a report, to be sent in the background.
///
/// On NEXMO_OK, the report is stored with the reporter's durability. It is sent immediately, and again until the
/// service accepts or rejects it or it expires. A pending report for the same message is replaced; the service always
/// receives the most recently submitted value last.
///
/// @param reporter    Required.
/// @param channel     One of NEXMO_CHANNEL_*.
/// @param message_id  Required. As for nexmo_conversion_sms and nexmo_conversion_voice.
/// @param delivered   1 if the user completed the action, otherwise 0.
/// @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss". NULL: now.
/// @param result      Optional. Receives the outcome.
/// @retval NEXMO_OK                  The report is stored.
/// @retval NEXMO_ERR_CLOSED          The reporter is closed. The report was not stored.
/// @retval NEXMO_ERR_SYSTEM          No file descriptor or memory is available. The report was not stored. Retry.
/// @retval NEXMO_ERR_OUTBOX          The outbox cannot be written. If acceptance is NEXMO_ACCEPTANCE_UNKNOWN, the
///                                   report may be stored and sent.
/// @retval NEXMO_ERR_OUTBOX_FULL     max_pending reports are pending, or the disk is full. The report was not stored.
/// @retval NEXMO_ERR_OUTBOX_BUSY     Another process or reporter had the outbox locked for longer than
///                                   busy_timeout_ms. The report was not stored.
/// @retval NEXMO_ERR_OUTBOX_CORRUPT  The outbox is corrupt, and open elsewhere. The report was not stored.
/// @retval NEXMO_ERR_OUTBOX_WRONG_ACCOUNT  The outbox was replaced by that of another account. The report was not
///                                   stored.
/// @retval NEXMO_ERR_OUTBOX_VERSION  The outbox was replaced by that of a later version of the library. The report
///                                   was not stored.
/// @retval NEXMO_ERR_INTERNAL        A bug. The reporter is freed.
/// @return Otherwise NEXMO_ERR_NULL_POINTER to NEXMO_ERR_INVALID_HANDLE or NEXMO_ERR_FORKED.
/// @par Blocking: a few microseconds; up to busy_timeout_ms while the outbox is locked elsewhere; with
/// NEXMO_DURABILITY_POWER until the report is on disk. While a disk hangs, it
/// blocks one thread (with NEXMO_DURABILITY_POWER, all threads whose reports are in the same write); the others get
/// NEXMO_ERR_OUTBOX_BUSY. Never waits for the network.
///
/// @code
/// status = nexmo_reporter_submit(reporter, NEXMO_CHANNEL_SMS, "00A0B0C0", 1, NULL, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_submit(
    reporter: *mut nexmo_reporter,
    channel: i32,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        let found = REPORTERS.get(number(reporter))?;
        // SAFETY: the header's promises for each parameter.
        let conversion = unsafe { conversion::read(conversion::channel(channel)?, message_id, delivered, timestamp) }?;
        #[cfg(feature = "testing")]
        crate::ffi::testing::panic_if_asked();
        submit(&found, &conversion)
    };
    // SAFETY: the header's promise.
    unsafe { call(result, Acceptance::Unknown, || discard(reporter), work) }
}

/// Submits `conversion`. The service may accept it as soon as it may be stored.
pub(in crate::ffi) fn submit(reporter: &Reporter, conversion: &Conversion) -> Result<nexmo_result, CallError> {
    match reporter.submit(conversion) {
        Ok(()) => Ok(nexmo_result::new(NEXMO_OK, Acceptance::Unknown, "report stored")),
        Err(error) if error.may_be_stored() => {
            Err(CallError { acceptance: Acceptance::Unknown, ..CallError::from(error) })
        }
        Err(error) => Err(error.into()),
    }
}
