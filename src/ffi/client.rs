//! The second step: a client, which owns its connections and its options.
#![allow(non_camel_case_types)]

use std::ffi::c_char;

use super::arguments;
use super::handle::Table;
use super::status::nexmo_status;
use super::structs::{nexmo_credentials, nexmo_options, nexmo_result};
use super::tell::tell;
use crate::client::Client;
use crate::conversion::Channel;
use crate::fork;

/// A client: who reports, how, and the connections that are kept for it. Made by nexmo_client_new, given back to
/// nexmo_client_free.
///
/// What a nexmo_client pointer points to is nobody's to read: it is a ticket, a number that is never used twice. A
/// call with one that was freed, or never was one, returns NEXMO_ERR_HANDLE.
pub struct nexmo_client {
    _ticket: (),
}

static CLIENTS: Table<Client> = Table::new();

/// Has forks hold the table's lock from the moment on that the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn hold() {
        fork::hold_during_forks(|| Box::new(CLIENTS.lock()));
    }
    hold
};

/// Makes a client.
///
/// Checks credentials and options, and reads the files that the options name, once and for all. Makes no connection
/// yet.
///
/// @param credentials  Required. Who reports.
/// @param options      How to report. NULL: all defaults.
/// @param client       Required. Receives the client; NULL on failure.
/// @param result       Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_OK            The client is made.
/// @retval NEXMO_ERR_NULL      A required pointer is NULL. Correct the call.
/// @retval NEXMO_ERR_STRUCT    A struct's size cannot be used. Correct the call.
/// @retval NEXMO_ERR_FLAGS     A flag is unknown. Correct the call.
/// @retval NEXMO_ERR_ARGUMENT  A value or a file was refused; the message names it. Correct the call.
/// @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL  A mistake of the library.
/// @par Ownership: credentials and options are copied. The client is the caller's, to be given to nexmo_client_free.
/// @par Threads: call from any thread, any number at once. The client may be used by any thread, by many at once, and
/// on both sides of a fork.
/// @par Blocking: for as long as it takes to read the files.
/// @par Since: 1.0
///
/// @code
/// nexmo_client *client;
/// if (nexmo_client_new(&credentials, NULL, &client, &result) == NEXMO_OK) {
///     nexmo_client_report_sms(client, "00A0B0C0", 1, NULL, &result);
///     nexmo_client_free(client);
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_client_new(
    credentials: *const nexmo_credentials,
    options: *const nexmo_options,
    client: *mut *mut nexmo_client,
    result: *mut nexmo_result,
) -> nexmo_status {
    let make = || {
        // SAFETY: the header's promises for each parameter.
        let (credentials, settings) = unsafe { (arguments::credentials(credentials)?, arguments::options(options)?) };
        Ok(Client::with_settings(credentials, settings)?)
    };
    // SAFETY: the header's promises.
    unsafe { CLIENTS.tell_new("client", client, result, make) }
}

/// Tells the Conversion API, through a client, whether one SMS did its job.
///
/// All is as with nexmo_conversion_sms, but credentials, options and connections are the client's.
///
/// @param client      Required. A client that was not freed.
/// @param message_id  Required. The message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256
///                    bytes of UTF-8. No control characters, no white space at its ends.
/// @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
/// @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", or NULL.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @retval NEXMO_ERR_HANDLE     The client is NULL, was freed, or never was one. Nothing was sent. Correct the call.
/// @retval NEXMO_ERR_CANCELLED  The client was freed during the call; taken says if the report may be there. Repeat it
///                              through another client.
/// @return Or a status as nexmo_conversion_sms gives it.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once, with the same client too. Not from a signal handler.
/// @par Blocking: up to timeout_ms of the client's options, 10 s by default.
/// @par Since: 1.0
///
/// @code
/// status = nexmo_client_report_sms(client, "00A0B0C0", 1, NULL, &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_client_report_sms(
    client: *mut nexmo_client,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: the header's promises for each parameter.
    unsafe { report(Channel::Sms, client, message_id, delivered, timestamp, result) }
}

/// Tells the Conversion API, through a client, whether one phone call did its job.
///
/// All is as with nexmo_client_report_sms, but for the message_id: it is the call-id that the Text-To-Speech API or
/// the Text-To-Speech-Prompt API gave.
///
/// @param client      Required. A client that was not freed.
/// @param message_id  Required. The call-id; 1 to 256 bytes of UTF-8. No control characters, no white space at its
///                    ends.
/// @param delivered   1 if the user completed the action, 0 if not; any other number is refused.
/// @param timestamp   When the user did, in UTC, as "yyyy-MM-dd HH:mm:ss", or NULL.
/// @param result      Is filled with what came of it. NULL: the status is enough.
/// @return A status as nexmo_client_report_sms gives it.
/// @par Ownership: every argument is borrowed until the call returns; nothing is there to free.
/// @par Threads: call from any thread, any number at once, with the same client too. Not from a signal handler.
/// @par Blocking: up to timeout_ms of the client's options, 10 s by default.
/// @par Since: 1.0
///
/// @code
/// status = nexmo_client_report_voice(client, call_id, 0, "2020-01-01 12:00:00", &result);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_client_report_voice(
    client: *mut nexmo_client,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    // SAFETY: as above.
    unsafe { report(Channel::Voice, client, message_id, delivered, timestamp, result) }
}

/// # Safety
///
/// Each pointer is NULL or points to what the header asks for; `client` may be anything.
unsafe fn report(
    channel: Channel,
    client: *mut nexmo_client,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        let client = CLIENTS.get(client)?;
        // SAFETY: the caller's promise.
        let conversion = unsafe { arguments::conversion(channel, message_id, delivered, timestamp) }?;
        #[cfg(feature = "testing")]
        super::testing::panic_if_asked();
        Ok(client.report(&conversion))
    };
    // SAFETY: the caller's promise.
    unsafe { tell(result, work, || discard(client)) }
}

/// Takes away a client that a panic may have broken. It is not dropped, for the same reason.
fn discard(client: *mut nexmo_client) {
    if let Ok(client) = CLIENTS.remove(client) {
        std::mem::forget(client);
    }
}

/// Frees a client.
///
/// Calls that other threads make with it at this moment end with NEXMO_ERR_CANCELLED; this call does not wait for
/// them. The last of them to end releases the memory and closes the connections.
///
/// @param client  A client, or NULL, which does nothing.
/// @retval NEXMO_OK            The client is freed, or NULL was given.
/// @retval NEXMO_ERR_HANDLE    The client was freed before, or never was one. Correct the call.
/// @retval NEXMO_ERR_FORKED    The process was made by a raw clone. Make it with fork.
/// @retval NEXMO_ERR_INTERNAL  A mistake of the library.
/// @par Ownership: the pointer must not be used afterwards; a call that does returns NEXMO_ERR_HANDLE.
/// @par Threads: call from any thread, while others use the client too. Not from a signal handler.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// nexmo_client_free(client);
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_client_free(client: *mut nexmo_client) -> nexmo_status {
    CLIENTS.free(client, Client::cancel)
}
