//! Handing over a report.

use std::ffi::c_char;

use super::{REPORTERS, discard, nexmo_reporter};
use crate::conversion::Channel;
use crate::ffi::arguments;
use crate::ffi::status::nexmo_status;
use crate::ffi::structs::nexmo_result;
use crate::ffi::tell::tell_done;
#[cfg(feature = "testing")]
use crate::ffi::testing;

/// Hands over a report on one SMS, to be sent in the background.
///
/// On NEXMO_OK the report is as safe as the reporter's durability says, and is sent at once, again and again until the
/// service took it, refused it, or it grew older than age_limit_s. A report for the same message that was not sent yet
/// is replaced; whichever was submitted last is the last that the service hears.
///
/// @param reporter    Required. A reporter that was not freed.
/// @param message_id  Required. The message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256
///                    bytes of UTF-8. No control characters, no white space at its ends.
/// @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
/// @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss". NULL: now.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK                  The report is accepted.
/// @retval NEXMO_ERR_NULL            A required pointer is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT          The result's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_ARGUMENT        A value was refused; the message names it. Correct the call.
/// @retval NEXMO_ERR_HANDLE          The reporter is NULL, was freed, or never was one. Correct the call.
/// @retval NEXMO_ERR_CLOSED          The reporter is closed. Not accepted: submit to another.
/// @retval NEXMO_ERR_OUTBOX          The outbox cannot be written. Does not count as accepted, and is sent all the same
///                                   if the disk failed at the last moment: remove the cause, and repeat.
/// @retval NEXMO_ERR_OUTBOX_FULL     most_reports are pending, or the disk is full. Not accepted: repeat later.
/// @retval NEXMO_ERR_OUTBOX_BUSY     Others held the outbox for longer than lock_wait_ms. Not accepted: repeat.
/// @retval NEXMO_ERR_OUTBOX_CORRUPT  The outbox is damaged, and open elsewhere. Not accepted.
/// @retval NEXMO_ERR_OUTBOX_ACCOUNT  The outbox was replaced by that of another account. Not accepted.
/// @retval NEXMO_ERR_FORKED          The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL        A mistake of the library; the reporter is closed. Repeat with another.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once, with the same reporter too. Not from a signal handler.
/// @par Blocking: some microseconds; up to lock_wait_ms where others have the outbox locked; with
/// NEXMO_DURABILITY_POWER until the disk has it. A disk that hangs keeps one thread for as long as it does (with
/// NEXMO_DURABILITY_POWER those whose reports went to it together), and the others get NEXMO_ERR_OUTBOX_BUSY. Never
/// for the network.
/// @par Since: 1.0
///
/// @code
/// status = nexmo_reporter_submit_sms(reporter, "00A0B0C0", 1, NULL, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_submit_sms(
    reporter: *mut nexmo_reporter,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header's promises for each parameter.
    unsafe { submit(Channel::Sms, reporter, message_id, delivered, timestamp, result) }
}

/// Hands over a report on one phone call, to be sent in the background.
///
/// All is as with nexmo_reporter_submit_sms, but for the message_id: it is the call-id that the Text-To-Speech API or
/// the Text-To-Speech-Prompt API gave.
///
/// @param reporter    Required. A reporter that was not freed.
/// @param message_id  Required. The call-id; 1 to 256 bytes of UTF-8. No control characters, no white space at its
///                    ends.
/// @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
/// @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss". NULL: now.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @return A status as nexmo_reporter_submit_sms gives it.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once, with the same reporter too. Not from a signal handler.
/// @par Blocking: as nexmo_reporter_submit_sms.
/// @par Since: 1.0
///
/// @code
/// status = nexmo_reporter_submit_voice(reporter, call_id, 0, "2020-01-01 12:00:00", &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_submit_voice(
    reporter: *mut nexmo_reporter,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: as above.
    unsafe { submit(Channel::Voice, reporter, message_id, delivered, timestamp, result) }
}

/// # Safety
///
/// Each pointer is NULL or points to what the header asks for; `reporter` may be anything.
unsafe fn submit(
    channel: Channel,
    reporter: *mut nexmo_reporter,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        let reporter = REPORTERS.get(reporter)?;
        // SAFETY: the caller's promise.
        let conversion = unsafe { arguments::conversion(channel, message_id, delivered, timestamp) }?;
        #[cfg(feature = "testing")]
        testing::panic_if_asked();
        Ok(reporter.submit(&conversion)?)
    };
    // SAFETY: the caller's promise.
    unsafe { tell_done(result, work, || discard(reporter)) }
}
