//! The options of calls, clients and reporters.
#![allow(non_camel_case_types)]

use std::ffi::c_char;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use super::call::CallError;
use super::sized_struct::{SizedStruct, first_size, zeroed};
use super::{c_string, sized_struct};
use crate::options::{ClientSettings, LONGEST_TIMEOUT, MOST_ATTEMPTS, MOST_CONNECTIONS, Options, out_of_range};

/// nexmo_options.flags: allows http:// to hosts other than loopback. Anyone on the network path can then read the
/// credentials.
pub const NEXMO_OPTIONS_ALLOW_PLAIN_HTTP: u32 = 1;
/// nexmo_options.flags: if proxy is NULL, uses the proxy from the environment: from https_proxy or HTTPS_PROXY (for an
/// http:// base_url, from http_proxy, but never from HTTP_PROXY), or else from all_proxy or ALL_PROXY, unless no_proxy
/// or NO_PROXY excludes the host. The flag is ignored in CGI programs. docs/operations.md describes the values of these
/// variables.
pub const NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT: u32 = 2;
/// nexmo_options.flags: trusts the root certificates built into the library instead of the platform's store.
pub const NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY: u32 = 4;
/// nexmo_options.flags: signs with the UNIX time of sending as the timestamp, as the service's signing guide describes.
/// The service then does not receive the timestamp of the report. Without the flag, the library signs and sends the
/// timestamp of the report or, if it has none, the time of sending.
pub const NEXMO_OPTIONS_SIGN_UNIX_SECONDS: u32 = 8;

/// Options of requests. A NULL pointer to the struct selects all defaults. A field that is NULL or 0 selects its
/// default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_options {
    /// sizeof(nexmo_options).
    pub struct_size: u32,
    /// A combination of NEXMO_OPTIONS_* flags, or 0.
    pub flags: u32,
    /// https://host[:port][/prefix] of the service; http:// only to loopback (127.0.0.0/8, ::1, localhost), unless
    /// NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set. User information, a query and a fragment are invalid. NULL means
    /// https://api.nexmo.com.
    pub base_url: *const c_char,
    /// http://[user:password@]host:port of a proxy that supports CONNECT, or socks5://[user:password@]host:port. The
    /// proxy resolves the service's name. User and password are percent-encoded. A remote proxy with an http://
    /// base_url is invalid, unless NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set. NULL means no proxy.
    pub proxy: *const c_char,
    /// Path of a PEM file with the certificates to trust; no others are trusted. The library reads this file, the
    /// platform's store and the two files below again when they change, and uses the new content for later connections.
    /// If the new content cannot be used, clients and reporters keep the previous certificates, and one-call functions
    /// fail. NULL means the platform's store, or the built-in roots if there is none.
    pub ca_file: *const c_char,
    /// Path of a PEM file with the client certificate and its intermediates. Requires client_key_file. NULL means no
    /// client certificate.
    pub client_cert_file: *const c_char,
    /// Path of a PEM file with the private key of the client certificate, without a passphrase.
    pub client_key_file: *const c_char,
    /// Appended to "nexmo-conversion/VERSION " in the user-agent header: at most 256 bytes of visible ASCII and
    /// spaces.
    pub user_agent: *const c_char,
    /// Time limit for resolving the host name and connecting, in milliseconds, 1 to 3600000. timeout_ms includes this
    /// time. 0 means 5000.
    pub connect_timeout_ms: i32,
    /// Time limit for the whole call, all attempts included, in milliseconds, 1 to 3600000. 0 means 10000.
    pub timeout_ms: i32,
    /// The maximum number of requests for one report, 1 to 100. After a retryable failure, the library retries after a
    /// random back-off, or after Retry-After if that is longer. The limit of the back-off is 200 ms, and doubles with
    /// each failure up to 30 s. If the delay would exceed timeout_ms, the call returns instead. A reporter ignores this
    /// field and retries until the report expires. 0 means 1.
    pub max_attempts: i32,
    /// The maximum number of idle connections to keep, 1 to 1024. For a reporter, the maximum is max_in_flight if that
    /// is higher. 0 means 32.
    pub max_idle_connections: i32,
}

// SAFETY: all fields are integers and pointers, for which every bit pattern is valid; layout.rs asserts that there is
// no padding.
unsafe impl SizedStruct for nexmo_options {
    const NAME: &'static str = "options";
    const FIRST_SIZE: usize = first_size(72, 48);
    const KNOWN_FLAGS: u32 = NEXMO_OPTIONS_ALLOW_PLAIN_HTTP
        | NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT
        | NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY
        | NEXMO_OPTIONS_SIGN_UNIX_SECONDS;
    const FLAG_NAMES: &'static str = "NEXMO_OPTIONS_*";
    const INITIAL: Self = Self { ..zeroed() };
}

/// # Safety
///
/// `pointer` is NULL, which selects every default, or points to a nexmo_options that meets the requirements of the
/// header.
pub(super) unsafe fn read(pointer: *const nexmo_options) -> Result<ClientSettings, CallError> {
    if pointer.is_null() {
        return Ok(Options::default().check()?);
    }
    // SAFETY: guaranteed by the caller.
    let given = unsafe { sized_struct::read(pointer) }?;
    // SAFETY: the header requires each text in the struct to be NULL or NUL-terminated.
    let optional = |name, pointer| unsafe { c_string::optional(name, pointer) };
    let limit = |name, value| number(name, value, LONGEST_TIMEOUT.as_millis()).map(|number| number.map(milliseconds));
    let has = |flag: u32| given.flags & flag != 0;
    let options = Options {
        base_url: optional("base_url", given.base_url)?,
        allow_plain_http: has(NEXMO_OPTIONS_ALLOW_PLAIN_HTTP),
        ca_file: optional("ca_file", given.ca_file)?.map(Path::new),
        built_in_roots_only: has(NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY),
        user_agent: optional("user_agent", given.user_agent)?,
        connect_timeout: limit("connect_timeout_ms", given.connect_timeout_ms)?,
        timeout: limit("timeout_ms", given.timeout_ms)?,
        proxy: optional("proxy", given.proxy)?,
        proxy_from_environment: has(NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT),
        client_cert_file: optional("client_cert_file", given.client_cert_file)?.map(Path::new),
        client_key_file: optional("client_key_file", given.client_key_file)?.map(Path::new),
        max_attempts: number("max_attempts", given.max_attempts, MOST_ATTEMPTS)?,
        max_idle_connections: number("max_idle_connections", given.max_idle_connections, MOST_CONNECTIONS)?,
        sign_unix_seconds: has(NEXMO_OPTIONS_SIGN_UNIX_SECONDS),
    };
    Ok(options.check()?)
}

/// Converts an option. Returns None, which selects the default, for 0. Fails for a negative number. The core checks
/// that the number is at most `most`.
pub(super) fn number(name: &str, number: i32, most: impl Display) -> Result<Option<u32>, CallError> {
    match u32::try_from(number) {
        Ok(number) => Ok((number != 0).then_some(number)),
        Err(_) => Err(out_of_range(name, number, most).into()),
    }
}

pub(super) fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(u64::from(number))
}

/// Initializes a struct as NEXMO_OPTIONS_INIT does. size is sizeof(nexmo_options) in the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_options_init(options: *mut nexmo_options, size: usize) {
    // SAFETY: the header requires the caller to ensure that `size` bytes can be written at `options`.
    unsafe { sized_struct::init(options, size) };
}
