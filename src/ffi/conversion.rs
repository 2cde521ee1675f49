//! Step 1: one call reports one conversion.

use std::ffi::c_char;
use std::time::Instant;

use super::call::{CallError, call};
use super::credentials::nexmo_credentials;
use super::options::nexmo_options;
use super::result::nexmo_result;
use super::status::nexmo_status;
use super::{c_string, credentials, options};
use crate::conversion::{Channel, Conversion, MessageId};
use crate::one_shot;
use crate::outcome::Acceptance;
use crate::timestamp::Timestamp;

/// The channel of a report: an SMS. The message_id is the message-id that the SMS API returned, or the event_id of the
/// Verify API.
pub const NEXMO_CHANNEL_SMS: i32 = 1;
/// The channel of a report: a phone call. The message_id is the call-id that the Text-To-Speech or
/// Text-To-Speech-Prompt API returned.
pub const NEXMO_CHANNEL_VOICE: i32 = 2;

const _: () = assert!(NEXMO_CHANNEL_SMS == Channel::Sms.number() && NEXMO_CHANNEL_VOICE == Channel::Voice.number());

/// Reports to the Conversion API whether one SMS was effective. The comment at the top of this header shows a call.
///
/// Makes one request (more only if max_attempts allows it) and waits for the response. Does not store the report, so
/// the caller must retry a report that fails. Later calls with the same base_url, proxy and TLS settings reuse the
/// connection if it is still open.
///
/// @param message_id  The id described at NEXMO_CHANNEL_SMS: 1 to 256 bytes, without control characters (including
///                    those of bidirectional text) and without leading or trailing white space.
/// @param delivered   1 if the user completed the action, otherwise 0.
/// @param timestamp   The time at which the user completed the action, in UTC, as "yyyy-MM-dd HH:mm:ss". If NULL, a
///                    signed request contains the time of sending; for others, the service uses the time of arrival.
/// @param options     NULL: all defaults.
/// @par Blocking: up to timeout_ms, 10 s by default, which includes all attempts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_conversion_sms(
    credentials: *const nexmo_credentials,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    options: *const nexmo_options,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header requires each pointer parameter to be NULL or valid.
    unsafe { report(Channel::Sms, credentials, message_id, delivered, timestamp, options, result) }
}

/// Reports to the Conversion API whether one phone call was effective. Works like nexmo_conversion_sms, but message_id
/// is the id described at NEXMO_CHANNEL_VOICE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_conversion_voice(
    credentials: *const nexmo_credentials,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    options: *const nexmo_options,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header requires each pointer parameter to be NULL or valid.
    unsafe { report(Channel::Voice, credentials, message_id, delivered, timestamp, options, result) }
}

/// # Safety
///
/// Each pointer is NULL or meets the requirements of the header.
unsafe fn report(
    channel: Channel,
    credentials: *const nexmo_credentials,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    options: *const nexmo_options,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        let start = Instant::now();
        // SAFETY: guaranteed by the caller.
        let (credentials, conversion, settings) = unsafe {
            (credentials::read(credentials)?, read(channel, message_id, delivered, timestamp)?, options::read(options)?)
        };
        #[cfg(feature = "testing")]
        super::testing::panic_if_asked();
        Ok(nexmo_result::from(&one_shot::report_with(&credentials, &settings, &conversion, start)?))
    };
    // SAFETY: guaranteed by the caller.
    unsafe { call(result, Acceptance::Unknown, one_shot::discard, work) }
}

/// # Safety
///
/// Each text is NULL or NUL-terminated.
pub(super) unsafe fn read(
    channel: Channel,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
) -> Result<Conversion, CallError> {
    // SAFETY: guaranteed by the caller.
    let (message_id, timestamp) =
        unsafe { (c_string::required("message_id", message_id)?, c_string::optional("timestamp", timestamp)?) };
    conversion(channel, message_id, delivered, timestamp)
}

pub(super) fn conversion(
    channel: Channel,
    message_id: &str,
    delivered: i32,
    timestamp: Option<&str>,
) -> Result<Conversion, CallError> {
    let delivered = match delivered {
        0 => false,
        1 => true,
        other => return Err(CallError::invalid_argument(format!("delivered is {other}; valid: 0, 1"))),
    };
    let message_id = MessageId::new(message_id)?;
    Ok(Conversion { channel, message_id, delivered, timestamp: timestamp.map(Timestamp::parse).transpose()? })
}

pub(super) fn channel(number: i32) -> Result<Channel, CallError> {
    Channel::from_number(number).ok_or_else(|| {
        let valid: Vec<_> = Channel::ALL.iter().map(|channel| channel.number().to_string()).collect();
        let message = format!("channel is {number}; valid: {} (NEXMO_CHANNEL_*)", valid.join(", "));
        CallError::invalid_argument(message)
    })
}
