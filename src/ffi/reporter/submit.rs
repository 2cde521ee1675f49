//! Submits a report.

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

/// Submits a report to be sent in the background. message_id and delivered are the same as for nexmo_conversion_sms.
///
/// On NEXMO_OK, the report is stored with the reporter's durability. The reporter sends it in the background and
/// retries until the service accepts or rejects the report or the report expires. It replaces a pending report for the
/// same message, and the service always receives the most recently submitted value last. On any other status, the
/// report is not stored, unless acceptance is NEXMO_ACCEPTANCE_UNKNOWN: the report may then be stored and sent.
///
/// @param channel    One of NEXMO_CHANNEL_*. It determines which kind of id message_id is.
/// @param timestamp  The same as for nexmo_conversion_sms, but NULL means now.
/// @retval NEXMO_ERR_OUTBOX_WRONG_ACCOUNT  The outbox was replaced by one that belongs to another account.
/// @retval NEXMO_ERR_OUTBOX_VERSION        The outbox was replaced by one that a later version of the library created.
/// @par Blocking: a few microseconds; up to busy_timeout_ms while another reporter or process has the outbox locked;
/// with NEXMO_DURABILITY_POWER, until the report is on disk. A disk that hangs blocks one thread; other threads get
/// NEXMO_ERR_OUTBOX_BUSY, or NEXMO_ERR_OUTBOX with NEXMO_ACCEPTANCE_UNKNOWN if their reports are in the same write. With
/// NEXMO_DURABILITY_POWER, it blocks all threads whose reports are in the same write. Never waits for the network.
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
        // SAFETY: the header requires each pointer parameter to be NULL or valid.
        let conversion = unsafe { conversion::read(conversion::channel(channel)?, message_id, delivered, timestamp) }?;
        #[cfg(feature = "testing")]
        crate::ffi::testing::panic_if_asked();
        submit(&found, &conversion)
    };
    // SAFETY: the header requires `result` to be NULL or valid.
    unsafe { call(result, Acceptance::Unknown, || discard(reporter), work) }
}

/// Submits `conversion`. The acceptance is unknown if the report is or may be stored, because it may then be sent.
pub(in crate::ffi) fn submit(reporter: &Reporter, conversion: &Conversion) -> Result<nexmo_result, CallError> {
    match reporter.submit(conversion) {
        Ok(()) => Ok(nexmo_result::new(NEXMO_OK, Acceptance::Unknown, "report stored")),
        Err(error) if error.may_be_stored() => {
            Err(CallError { acceptance: Acceptance::Unknown, ..CallError::from(error) })
        }
        Err(error) => Err(error.into()),
    }
}
