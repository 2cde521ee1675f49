//! Step 2: a client, which owns its connections and options.
#![allow(non_camel_case_types)]

use std::ffi::c_char;

use super::call::call;
use super::conversion::channel;
use super::credentials::nexmo_credentials;
use super::handle::{Table, number};
use super::options::nexmo_options;
use super::result::nexmo_result;
use super::status::nexmo_status;
use super::{conversion, credentials, options};
use crate::client::Client;
use crate::os::fork;
use crate::outcome::Acceptance;

/// A client: credentials, options and connections.
pub struct nexmo_client {
    _identifier: (),
}

static CLIENTS: Table<Client> = Table::new();

/// Registers the table's lock with the fork handlers at load time.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn hold() {
        fork::hold_during_forks(|| Box::new(CLIENTS.lock()));
    }
    hold
};

/// Creates a client. Checks the credentials and options and reads the files that the options name, but makes no
/// connection.
///
/// @param options  NULL: all defaults.
/// @param client   Receives the client; NULL on failure.
/// @par Blocking: while the files are read.
///
/// @code
/// nexmo_client *client;
/// if (nexmo_client_new(&credentials, NULL, &client, &result) == NEXMO_OK) {
///     nexmo_client_report(client, NEXMO_CHANNEL_SMS, "00A0B0C0", 1, NULL, &result);
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
        // SAFETY: the header requires each pointer parameter to be NULL or valid.
        let (credentials, settings) = unsafe { (credentials::read(credentials)?, options::read(options)?) };
        Ok(Client::with_settings(credentials, settings)?)
    };
    // SAFETY: the header requires `client` and `result` to be NULL or valid.
    unsafe { CLIENTS.new_handle("client", client, result, make) }
}

/// Reports to the Conversion API, through a client, whether one message was effective. Works like nexmo_conversion_sms
/// and nexmo_conversion_voice, but with the credentials, options and connections of the client.
///
/// @param channel  One of NEXMO_CHANNEL_*. It determines which kind of id message_id is.
/// @par Blocking: up to the timeout_ms of the client's options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_client_report(
    client: *mut nexmo_client,
    channel: i32,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
    result: *mut nexmo_result,
) -> nexmo_status {
    let work = || {
        let found = CLIENTS.get(number(client))?;
        // SAFETY: the header requires each pointer parameter to be NULL or valid.
        let conversion = unsafe { conversion::read(self::channel(channel)?, message_id, delivered, timestamp) }?;
        #[cfg(feature = "testing")]
        super::testing::panic_if_asked();
        Ok(nexmo_result::from(&found.report(&conversion)))
    };
    // SAFETY: the header requires `result` to be NULL or valid.
    unsafe { call(result, Acceptance::Unknown, || discard(client), work) }
}

/// Removes a client that may be inconsistent after a panic, without dropping it.
fn discard(client: *mut nexmo_client) {
    if let Ok(client) = CLIENTS.remove(number(client)) {
        std::mem::forget(client);
    }
}

/// Frees a client. Calls in progress on other threads return NEXMO_ERR_CANCELLED; the last of them to return releases
/// the memory and closes the connections.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_client_free(client: *mut nexmo_client) -> nexmo_status {
    CLIENTS.free(client, Client::cancel)
}
