//! The structs that callers allocate: who reports, how, and what came of it.
//!
//! Each begins with its own size, has no padding anywhere on 32 or 64 bits, and grows at its end only, where 0 means "as
//! before". Padding would be where a later field falls into bytes that older callers never set.
#![allow(non_camel_case_types)]

use std::ffi::c_char;
use std::mem::{offset_of, size_of};

use super::sized::Sized;
use super::status::nexmo_status;

/// nexmo_credentials.auth: api_key and api_secret in the query, as the API's page shows.
pub const NEXMO_AUTH_QUERY: i32 = 0;
/// nexmo_credentials.auth: the header Authorization: Basic, which keeps the secret out of the URLs that servers log.
pub const NEXMO_AUTH_BASIC: i32 = 1;
/// nexmo_credentials.auth: sig, made with signature_secret by signature_method. The secret never leaves the machine.
pub const NEXMO_AUTH_SIGNATURE: i32 = 2;

/// nexmo_credentials.signature_method: MD5 of the parameters with the secret appended.
pub const NEXMO_SIGNATURE_MD5HASH: i32 = 1;
/// nexmo_credentials.signature_method: HMAC-MD5.
pub const NEXMO_SIGNATURE_MD5: i32 = 2;
/// nexmo_credentials.signature_method: HMAC-SHA-1.
pub const NEXMO_SIGNATURE_SHA1: i32 = 3;
/// nexmo_credentials.signature_method: HMAC-SHA-256.
pub const NEXMO_SIGNATURE_SHA256: i32 = 4;
/// nexmo_credentials.signature_method: HMAC-SHA-512.
pub const NEXMO_SIGNATURE_SHA512: i32 = 5;

/// nexmo_options.flags: allows http:// to hosts other than loopback, where anyone on the network can read the
/// credentials.
pub const NEXMO_OPTIONS_ALLOW_PLAIN_HTTP: u32 = 1;
/// nexmo_options.flags: where proxy is NULL, takes it from the environment, by names in lower case: https_proxy
/// (http_proxy for an http:// base_url) or all_proxy, unless no_proxy excepts the host. Nothing is taken in a CGI
/// program.
pub const NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT: u32 = 2;
/// nexmo_options.flags: trusts the roots built into the library rather than the platform's store.
pub const NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY: u32 = 4;
/// nexmo_options.flags: signs the seconds since 1970 of the moment of sending as timestamp, as the service's signing
/// guide describes. The price: the service is not told the time of the event. Without the flag the event's date is
/// signed and told, or the date of the moment of sending if none is given.
pub const NEXMO_OPTIONS_SIGN_UNIX_SECONDS: u32 = 8;

/// nexmo_result.taken: nothing of the report was written on any connection.
pub const NEXMO_TAKEN_NO: i32 = 0;
/// nexmo_result.taken: something of the report was written, and no success came back; the status says what did. To
/// report the same value for a message twice is taken to be harmless, so a report that the status tells to repeat may
/// be repeated.
pub const NEXMO_TAKEN_PERHAPS: i32 = 1;
/// nexmo_result.taken: the service said that it took the report.
pub const NEXMO_TAKEN_YES: i32 = 2;

/// Bytes of nexmo_result.message, its NUL included.
pub const NEXMO_MESSAGE_SIZE: usize = 256;

/// Who reports, and how that is proved. Begin it with NEXMO_CREDENTIALS_INIT.
///
/// The texts are UTF-8, end with NUL and are borrowed until the call returns. The library wipes its own copies.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_credentials {
    /// sizeof(nexmo_credentials): 40, or 28 where pointers have 4 bytes.
    pub struct_size: u32,
    /// 0; any other is refused.
    pub flags: u32,
    /// Required: the account's key, 1 to 256 bytes. No control characters, no white space at its ends; with
    /// NEXMO_AUTH_BASIC no colon.
    pub api_key: *const c_char,
    /// Required with NEXMO_AUTH_QUERY and NEXMO_AUTH_BASIC, otherwise not read: 1 to 256 bytes, no control characters.
    /// White space at its ends counts.
    pub api_secret: *const c_char,
    /// Required with NEXMO_AUTH_SIGNATURE, otherwise not read: 1 to 256 bytes, no control characters.
    /// White space at its ends counts.
    pub signature_secret: *const c_char,
    /// One of the NEXMO_AUTH_ numbers.
    pub auth: i32,
    /// One of the NEXMO_SIGNATURE_ numbers, as the account's settings say; required with NEXMO_AUTH_SIGNATURE.
    /// Otherwise one of them or 0, and not used.
    pub signature_method: i32,
}

/// How to report. Begin it with NEXMO_OPTIONS_INIT: every field that stays NULL or 0 takes its default. A NULL in
/// place of the struct takes all defaults.
///
/// The texts are UTF-8, end with NUL and are borrowed until the call returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_options {
    /// sizeof(nexmo_options): 72, or 48 where pointers have 4 bytes.
    pub struct_size: u32,
    /// Flags of NEXMO_OPTIONS_ joined by |, or 0.
    pub flags: u32,
    /// https://host[:port][/prefix] of the service; http:// towards loopback only, unless
    /// NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set. Loopback is 127.0.0.0/8, ::1 and localhost. No user information, no
    /// query, no fragment; a slash at the end makes no difference. NULL: https://api.nexmo.com.
    pub base_url: *const c_char,
    /// http://[user:password@]host:port of a proxy that knows CONNECT, or socks5://[user:password@]host:port. The
    /// proxy looks up the service's name. User and password are percent-encoded where they hold what a URL cannot. One
    /// on another machine is refused with an http:// base_url, unless NEXMO_OPTIONS_ALLOW_PLAIN_HTTP is set; from the
    /// environment it is not taken. NULL: none.
    pub proxy: *const c_char,
    /// Path of a PEM file with the certificates to trust, in place of all others; NEXMO_ERR_ARGUMENT if it cannot be
    /// read or holds none. A client reads it once, as it does the two files below; the one-call functions read a file
    /// again when its time, size or inode changes. NULL: the platform's store; where no such store is found, the roots
    /// built into the library.
    pub ca_file: *const c_char,
    /// Path of a PEM file with the certificate that the client shows to a server that asks, and those between it and a
    /// root. Goes with client_key_file. NULL: none.
    pub client_cert_file: *const c_char,
    /// Path of a PEM file with the key of that certificate, without a passphrase.
    pub client_key_file: *const c_char,
    /// Follows "nexmo-conversion/VERSION " in the user-agent header: at most 256 bytes of visible ASCII and spaces.
    /// NULL: nothing follows.
    pub user_agent: *const c_char,
    /// Limit for looking up the host's name and connecting, in milliseconds, 1 to 3600000; it never extends
    /// timeout_ms. 0: 5000.
    pub connect_timeout_ms: i32,
    /// Limit over everything, looking up the name and reading the answer included, in milliseconds, 1 to 3600000. 0:
    /// 10000.
    pub timeout_ms: i32,
    /// The most requests to make for one report, 1 to 100. What can succeed later is tried again after a wait: what
    /// the service asks for, or else a random one of up to 200 ms, doubled each time. A wait that would pass
    /// timeout_ms is not begun. 0: 1.
    pub attempts: i32,
    /// The most idle connections to keep for the next calls, 1 to 1024. 0: 32.
    pub connections: i32,
}

/// The result of a call. Begin it with NEXMO_RESULT_INIT; the call fills it on success and on failure.
///
/// A call that refuses the struct itself with NEXMO_ERR_STRUCT sends nothing and leaves the struct as it was.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_result {
    /// sizeof(nexmo_result): 296. The only field that is read.
    pub struct_size: u32,
    /// Written as 0.
    pub flags: u32,
    /// The same status that the call returns.
    pub status: nexmo_status,
    /// The HTTP status of the answer; 0 if there was no complete head of one.
    pub http_status: i32,
    /// How many requests were made, those that found no connection included; 0 if the call was refused.
    pub attempts: i32,
    /// Whether the report may have been taken: one of the NEXMO_TAKEN_ numbers.
    pub taken: i32,
    /// How long the call took, in microseconds.
    pub elapsed_us: i64,
    /// How long to wait before a repeat, in milliseconds: what the service asks for, 0 to 3600000, to which a longer
    /// wait is cut, or a wait that would have passed timeout_ms; -1 if there is none.
    pub retry_after_ms: i64,
    /// What happened, in one line for a log: UTF-8 without control characters, ended by NUL, cut at a character. Never
    /// holds a secret.
    pub message: [c_char; NEXMO_MESSAGE_SIZE],
}

const POINTER: usize = size_of::<*const c_char>();

// The bytes of the fields that the first release has, which is what its callers say as struct_size.
const CREDENTIALS_FIRST: usize = 2 * 4 + 3 * POINTER + 2 * 4;
const OPTIONS_FIRST: usize = 2 * 4 + 6 * POINTER + 4 * 4;
const RESULT_FIRST: usize = 6 * 4 + 2 * 8 + NEXMO_MESSAGE_SIZE;

// The sum of the fields is the size of the struct: there is no padding, inside or at the end.
const _: () = assert!(size_of::<nexmo_credentials>() == CREDENTIALS_FIRST);
const _: () = assert!(size_of::<nexmo_options>() == OPTIONS_FIRST);
const _: () = assert!(size_of::<nexmo_result>() == RESULT_FIRST);
const _: () =
    assert!(offset_of!(nexmo_result, elapsed_us) % 8 == 0 && offset_of!(nexmo_result, retry_after_ms) % 8 == 0);

// SAFETY: all fields are integers and pointers, for which every bit pattern, all zeroes included, is a value.
unsafe impl Sized for nexmo_credentials {
    const NAME: &'static str = "credentials";
    const FIRST_SIZE: usize = CREDENTIALS_FIRST;
    const KNOWN_FLAGS: u32 = 0;
}

// SAFETY: as above.
unsafe impl Sized for nexmo_options {
    const NAME: &'static str = "options";
    const FIRST_SIZE: usize = OPTIONS_FIRST;
    const KNOWN_FLAGS: u32 = NEXMO_OPTIONS_ALLOW_PLAIN_HTTP
        | NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT
        | NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY
        | NEXMO_OPTIONS_SIGN_UNIX_SECONDS;
}

// SAFETY: as above.
unsafe impl Sized for nexmo_result {
    const NAME: &'static str = "result";
    const FIRST_SIZE: usize = RESULT_FIRST;
    const KNOWN_FLAGS: u32 = 0;
}
