//! The statuses: number, name, what happened, and whether a repeat can help.
//!
//! The comment above each number is what the header shows and what `nexmo_status_describe` says; a test compares them.
#![allow(non_camel_case_types)]

use std::ffi::{CStr, c_char};

use crate::error::Kind;

/// The result of a call: 0 on success, otherwise one of the NEXMO_ERR_ numbers. A number keeps its meaning for ever;
/// later versions may add some, so treat one that you do not know by its nexmo_status_is_retryable.
pub type nexmo_status = i32;

/// The call did what it is for. Of a report it means that the service took it, of a submitted one that the outbox has
/// it.
pub const NEXMO_OK: nexmo_status = 0;

/// A pointer that must point to something is NULL. Nothing was sent. Correct the call; the message names the pointer.
pub const NEXMO_ERR_NULL: nexmo_status = 1;
/// A struct has a struct_size that this library cannot use, or holds something in fields that this library does not
/// know. Nothing was sent. Begin the struct with its NEXMO_..._INIT, or load the newer library that the program was
/// built for.
pub const NEXMO_ERR_STRUCT: nexmo_status = 2;
/// A flag is set that this library does not know. Nothing was sent. Clear it, or load a newer library.
pub const NEXMO_ERR_FLAGS: nexmo_status = 3;
/// A value was refused. Nothing was sent. Correct the call; the message names the value and says what is right.
pub const NEXMO_ERR_ARGUMENT: nexmo_status = 4;
/// The handle is NULL, was freed, or never was one. Nothing was sent. Correct the call.
pub const NEXMO_ERR_HANDLE: nexmo_status = 5;
/// The handle was freed while the call was under way. The report may have been taken. Repeat it through another
/// handle.
pub const NEXMO_ERR_CANCELLED: nexmo_status = 6;
/// The process was made in a way that fork handlers do not see. Nothing was sent. Make processes with fork, or start a
/// program in them.
pub const NEXMO_ERR_FORKED: nexmo_status = 7;

/// The host's name could not be looked up, no connection could be made, or it was lost before a complete answer. The
/// report may have been taken if the result's taken says so. Repeat later.
pub const NEXMO_ERR_NETWORK: nexmo_status = 100;
/// A time limit ran out. The report may have been taken if the result's taken says so. Repeat later.
pub const NEXMO_ERR_TIMEOUT: nexmo_status = 101;
/// The TLS handshake failed, or the server's certificate is not trusted. The report was not taken unless the result's
/// taken says that it may be. Do not repeat before the cause is removed: check base_url, ca_file, the machine's clock,
/// and who answers in the service's place.
pub const NEXMO_ERR_TLS: nexmo_status = 102;
/// What came back is not HTTP. The report may have been taken. Repeat later; if it stays so, check base_url.
pub const NEXMO_ERR_PROTOCOL: nexmo_status = 103;
/// The proxy could not be reached, refused, or sent no valid answer. The report was not taken unless the result's
/// taken says that it may be. Repeat later; if it stays so, check the proxy's address and its user.
pub const NEXMO_ERR_PROXY: nexmo_status = 104;

/// 401: the credentials are wrong. The service refused the report. Repeat it with the right key and secret; a signed
/// report may also be refused because its timestamp is old or the machine's clock is wrong.
pub const NEXMO_ERR_UNAUTHORIZED: nexmo_status = 200;
/// 402: conversion is not enabled for the account, or the account's credentials are bad. The service refused the
/// report. Ask the service's support to enable it, and repeat afterwards.
pub const NEXMO_ERR_NOT_ENABLED: nexmo_status = 201;
/// 420, 422 or 423: the service refused the report for its parameters. Do not repeat it unchanged.
pub const NEXMO_ERR_INVALID_PARAMETERS: nexmo_status = 202;
/// 429: too many reports for now. The service refused the report. Repeat it after the result's retry_after_ms, or
/// later if that is -1.
pub const NEXMO_ERR_RATE_LIMITED: nexmo_status = 203;
/// 408 or 5xx: the service cannot answer now. The report may have been taken. Repeat later, after the result's
/// retry_after_ms if it is not -1.
pub const NEXMO_ERR_UNAVAILABLE: nexmo_status = 204;
/// 3xx: something wants the report sent elsewhere, which is never done, because the credentials would be sent along.
/// Whether the report was taken is unknown. Do not repeat before the cause is removed: check base_url, and who answers
/// in the service's place.
pub const NEXMO_ERR_REDIRECTED: nexmo_status = 205;
/// An HTTP status that the Conversion API does not give. Whether the report was taken is unknown. Do not repeat before
/// the cause is removed: check base_url, and who answers in the service's place.
pub const NEXMO_ERR_UNEXPECTED_STATUS: nexmo_status = 206;

/// The outbox cannot be read or written; the message says why. The report does not count as accepted, and is sent all
/// the same if its disk failed at the last moment. Remove the cause, and submit again.
pub const NEXMO_ERR_OUTBOX: nexmo_status = 300;
/// The outbox holds as many reports as it may, or its disk is full. The report was not accepted. Submit it again
/// later.
pub const NEXMO_ERR_OUTBOX_FULL: nexmo_status = 301;
/// Others held the outbox file for too long. The report was not accepted. Submit it again.
pub const NEXMO_ERR_OUTBOX_BUSY: nexmo_status = 302;
/// The outbox file is damaged and still open elsewhere. The report was not accepted. Submit it again once the others
/// have closed the file, which is then set aside.
pub const NEXMO_ERR_OUTBOX_CORRUPT: nexmo_status = 303;
/// The outbox file belongs to another account. The report was not accepted. Give each account a file of its own.
pub const NEXMO_ERR_OUTBOX_ACCOUNT: nexmo_status = 304;
/// Reports are left in the outbox. They go out when a reporter next opens it. Nothing needs to be repeated.
pub const NEXMO_ERR_PENDING: nexmo_status = 305;
/// Reports were set aside because they were refused, grew too old or found no room. Fetch them with the reporter's
/// poll.
pub const NEXMO_ERR_ASIDE: nexmo_status = 306;
/// The service refuses the account's reports for now. They stay in the outbox. Correct the account's credentials or
/// settings; nothing needs to be repeated.
pub const NEXMO_ERR_PARKED: nexmo_status = 307;
/// The reporter is closed. The report was not accepted. Submit it through another reporter.
pub const NEXMO_ERR_CLOSED: nexmo_status = 308;

/// A mistake of this library was caught before it could harm the program. The report may have been taken. Repeat it
/// once, and tell the library's developers what was called.
pub const NEXMO_ERR_INTERNAL: nexmo_status = 900;

/// What is known of one status, beside its number.
struct Row {
    status: nexmo_status,
    name: &'static CStr,
    is_retryable: bool,
    description: &'static CStr,
}

const fn row(status: nexmo_status, name: &'static CStr, is_retryable: bool, description: &'static CStr) -> Row {
    Row { status, name, is_retryable, description }
}

/// Every status there is, in the order of their numbers.
const ROWS: &[Row] = &[
    row(NEXMO_OK, c"NEXMO_OK", false, c"The call did what it is for. Of a report it means that the service took it, of a submitted one that the outbox has it."),
    row(NEXMO_ERR_NULL, c"NEXMO_ERR_NULL", false, c"A pointer that must point to something is NULL. Nothing was sent. Correct the call; the message names the pointer."),
    row(NEXMO_ERR_STRUCT, c"NEXMO_ERR_STRUCT", false, c"A struct has a struct_size that this library cannot use, or holds something in fields that this library does not know. Nothing was sent. Begin the struct with its NEXMO_..._INIT, or load the newer library that the program was built for."),
    row(NEXMO_ERR_FLAGS, c"NEXMO_ERR_FLAGS", false, c"A flag is set that this library does not know. Nothing was sent. Clear it, or load a newer library."),
    row(NEXMO_ERR_ARGUMENT, c"NEXMO_ERR_ARGUMENT", false, c"A value was refused. Nothing was sent. Correct the call; the message names the value and says what is right."),
    row(NEXMO_ERR_HANDLE, c"NEXMO_ERR_HANDLE", false, c"The handle is NULL, was freed, or never was one. Nothing was sent. Correct the call."),
    row(NEXMO_ERR_CANCELLED, c"NEXMO_ERR_CANCELLED", false, c"The handle was freed while the call was under way. The report may have been taken. Repeat it through another handle."),
    row(NEXMO_ERR_FORKED, c"NEXMO_ERR_FORKED", false, c"The process was made in a way that fork handlers do not see. Nothing was sent. Make processes with fork, or start a program in them."),
    row(NEXMO_ERR_NETWORK, c"NEXMO_ERR_NETWORK", true, c"The host's name could not be looked up, no connection could be made, or it was lost before a complete answer. The report may have been taken if the result's taken says so. Repeat later."),
    row(NEXMO_ERR_TIMEOUT, c"NEXMO_ERR_TIMEOUT", true, c"A time limit ran out. The report may have been taken if the result's taken says so. Repeat later."),
    row(NEXMO_ERR_TLS, c"NEXMO_ERR_TLS", false, c"The TLS handshake failed, or the server's certificate is not trusted. The report was not taken unless the result's taken says that it may be. Do not repeat before the cause is removed: check base_url, ca_file, the machine's clock, and who answers in the service's place."),
    row(NEXMO_ERR_PROTOCOL, c"NEXMO_ERR_PROTOCOL", true, c"What came back is not HTTP. The report may have been taken. Repeat later; if it stays so, check base_url."),
    row(NEXMO_ERR_PROXY, c"NEXMO_ERR_PROXY", true, c"The proxy could not be reached, refused, or sent no valid answer. The report was not taken unless the result's taken says that it may be. Repeat later; if it stays so, check the proxy's address and its user."),
    row(NEXMO_ERR_UNAUTHORIZED, c"NEXMO_ERR_UNAUTHORIZED", false, c"401: the credentials are wrong. The service refused the report. Repeat it with the right key and secret; a signed report may also be refused because its timestamp is old or the machine's clock is wrong."),
    row(NEXMO_ERR_NOT_ENABLED, c"NEXMO_ERR_NOT_ENABLED", false, c"402: conversion is not enabled for the account, or the account's credentials are bad. The service refused the report. Ask the service's support to enable it, and repeat afterwards."),
    row(NEXMO_ERR_INVALID_PARAMETERS, c"NEXMO_ERR_INVALID_PARAMETERS", false, c"420, 422 or 423: the service refused the report for its parameters. Do not repeat it unchanged."),
    row(NEXMO_ERR_RATE_LIMITED, c"NEXMO_ERR_RATE_LIMITED", true, c"429: too many reports for now. The service refused the report. Repeat it after the result's retry_after_ms, or later if that is -1."),
    row(NEXMO_ERR_UNAVAILABLE, c"NEXMO_ERR_UNAVAILABLE", true, c"408 or 5xx: the service cannot answer now. The report may have been taken. Repeat later, after the result's retry_after_ms if it is not -1."),
    row(NEXMO_ERR_REDIRECTED, c"NEXMO_ERR_REDIRECTED", false, c"3xx: something wants the report sent elsewhere, which is never done, because the credentials would be sent along. Whether the report was taken is unknown. Do not repeat before the cause is removed: check base_url, and who answers in the service's place."),
    row(NEXMO_ERR_UNEXPECTED_STATUS, c"NEXMO_ERR_UNEXPECTED_STATUS", false, c"An HTTP status that the Conversion API does not give. Whether the report was taken is unknown. Do not repeat before the cause is removed: check base_url, and who answers in the service's place."),
    row(NEXMO_ERR_OUTBOX, c"NEXMO_ERR_OUTBOX", false, c"The outbox cannot be read or written; the message says why. The report does not count as accepted, and is sent all the same if its disk failed at the last moment. Remove the cause, and submit again."),
    row(NEXMO_ERR_OUTBOX_FULL, c"NEXMO_ERR_OUTBOX_FULL", true, c"The outbox holds as many reports as it may, or its disk is full. The report was not accepted. Submit it again later."),
    row(NEXMO_ERR_OUTBOX_BUSY, c"NEXMO_ERR_OUTBOX_BUSY", true, c"Others held the outbox file for too long. The report was not accepted. Submit it again."),
    row(NEXMO_ERR_OUTBOX_CORRUPT, c"NEXMO_ERR_OUTBOX_CORRUPT", false, c"The outbox file is damaged and still open elsewhere. The report was not accepted. Submit it again once the others have closed the file, which is then set aside."),
    row(NEXMO_ERR_OUTBOX_ACCOUNT, c"NEXMO_ERR_OUTBOX_ACCOUNT", false, c"The outbox file belongs to another account. The report was not accepted. Give each account a file of its own."),
    row(NEXMO_ERR_PENDING, c"NEXMO_ERR_PENDING", false, c"Reports are left in the outbox. They go out when a reporter next opens it. Nothing needs to be repeated."),
    row(NEXMO_ERR_ASIDE, c"NEXMO_ERR_ASIDE", false, c"Reports were set aside because they were refused, grew too old or found no room. Fetch them with the reporter's poll."),
    row(NEXMO_ERR_PARKED, c"NEXMO_ERR_PARKED", false, c"The service refuses the account's reports for now. They stay in the outbox. Correct the account's credentials or settings; nothing needs to be repeated."),
    row(NEXMO_ERR_CLOSED, c"NEXMO_ERR_CLOSED", false, c"The reporter is closed. The report was not accepted. Submit it through another reporter."),
    row(NEXMO_ERR_INTERNAL, c"NEXMO_ERR_INTERNAL", false, c"A mistake of this library was caught before it could harm the program. The report may have been taken. Repeat it once, and tell the library's developers what was called."),
];

const UNKNOWN: Row = row(
    -1,
    c"NEXMO_ERR_UNKNOWN",
    false,
    c"A status that this version of the library does not know. Load the version that gave it.",
);

fn row_of(status: nexmo_status) -> &'static Row {
    ROWS.iter().find(|row| row.status == status).unwrap_or(&UNKNOWN)
}

/// The status that stands for a failure of the core.
pub(crate) fn of(kind: Kind) -> nexmo_status {
    match kind {
        Kind::Argument => NEXMO_ERR_ARGUMENT,
        Kind::Network => NEXMO_ERR_NETWORK,
        Kind::Timeout => NEXMO_ERR_TIMEOUT,
        Kind::Tls => NEXMO_ERR_TLS,
        Kind::Protocol => NEXMO_ERR_PROTOCOL,
        Kind::Proxy => NEXMO_ERR_PROXY,
        Kind::Unauthorized => NEXMO_ERR_UNAUTHORIZED,
        Kind::NotEnabled => NEXMO_ERR_NOT_ENABLED,
        Kind::InvalidParameters => NEXMO_ERR_INVALID_PARAMETERS,
        Kind::RateLimited => NEXMO_ERR_RATE_LIMITED,
        Kind::Unavailable => NEXMO_ERR_UNAVAILABLE,
        Kind::Redirected => NEXMO_ERR_REDIRECTED,
        Kind::UnexpectedStatus => NEXMO_ERR_UNEXPECTED_STATUS,
        Kind::Cancelled => NEXMO_ERR_CANCELLED,
        Kind::Outbox => NEXMO_ERR_OUTBOX,
        Kind::OutboxFull => NEXMO_ERR_OUTBOX_FULL,
        Kind::OutboxBusy => NEXMO_ERR_OUTBOX_BUSY,
        Kind::OutboxCorrupt => NEXMO_ERR_OUTBOX_CORRUPT,
        Kind::OutboxAccount => NEXMO_ERR_OUTBOX_ACCOUNT,
        Kind::Pending => NEXMO_ERR_PENDING,
        Kind::Aside => NEXMO_ERR_ASIDE,
        Kind::Parked => NEXMO_ERR_PARKED,
        Kind::Closed => NEXMO_ERR_CLOSED,
        Kind::Internal => NEXMO_ERR_INTERNAL,
    }
}

/// Gives the name of a status, such as "NEXMO_ERR_TIMEOUT", for log files.
///
/// @param status  Any number.
/// @return The name, or "NEXMO_ERR_UNKNOWN" for a number that this version does not know. Never NULL.
/// @par Ownership: the text belongs to the library and stays for as long as the program runs; do not free it.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// printf("%s\n", nexmo_status_name(status));
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_status_name(status: nexmo_status) -> *const c_char {
    row_of(status).name.as_ptr()
}

/// Says in English what a status means: what happened, whether the report may have been taken, and what to do next.
///
/// @param status  Any number.
/// @return One to three sentences; for a number that this version does not know, a sentence that says so. Never NULL.
/// @par Ownership: the text belongs to the library and stays for as long as the program runs; do not free it.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// fprintf(stderr, "%s\n", nexmo_status_describe(status));
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_status_describe(status: nexmo_status) -> *const c_char {
    row_of(status).description.as_ptr()
}

/// Tells whether the same call, repeated later without any change, can succeed.
///
/// @param status  Any number.
/// @return 1 if it can; 0 if something must be corrected first, nothing is left to do, or this version does not know
/// the number. NEXMO_ERR_CANCELLED and NEXMO_ERR_INTERNAL are 0: whether to repeat those is the caller's choice.
/// @par Threads: call from any thread, any number at once.
/// @par Blocking: never.
/// @par Since: 1.0
///
/// @code
/// if (nexmo_status_is_retryable(status)) { keep_for_later(message_id); }
/// @endcode
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_status_is_retryable(status: nexmo_status) -> i32 {
    i32::from(row_of(status).is_retryable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pointer: *const c_char) -> &'static str {
        // SAFETY: the three functions above return texts of the table, which live for ever.
        unsafe { CStr::from_ptr(pointer) }.to_str().unwrap()
    }

    #[test]
    fn numbers_grow_and_names_are_their_own() {
        assert!(ROWS.windows(2).all(|pair| pair[0].status < pair[1].status));
        for row in ROWS {
            assert_eq!(text(nexmo_status_name(row.status)), row.name.to_str().unwrap());
        }
    }

    #[test]
    fn a_description_says_all_in_two_sentences_or_more() {
        for row in ROWS {
            let description = text(nexmo_status_describe(row.status));
            assert!(description.ends_with('.') && description.matches(". ").count() >= 1, "{description}");
        }
    }

    #[test]
    fn an_unknown_number_is_named_so() {
        for status in [-1, 8, 99, 207, 309, 901, i32::MIN, i32::MAX] {
            assert_eq!(text(nexmo_status_name(status)), "NEXMO_ERR_UNKNOWN");
            assert_eq!(nexmo_status_is_retryable(status), 0);
        }
    }

    #[test]
    fn core_and_door_agree_on_what_may_be_repeated() {
        let kinds = [
            Kind::Argument,
            Kind::Network,
            Kind::Timeout,
            Kind::Tls,
            Kind::Protocol,
            Kind::Proxy,
            Kind::Cancelled,
            Kind::Unauthorized,
            Kind::NotEnabled,
            Kind::InvalidParameters,
            Kind::RateLimited,
            Kind::Unavailable,
            Kind::Redirected,
            Kind::UnexpectedStatus,
            Kind::Outbox,
            Kind::OutboxFull,
            Kind::OutboxBusy,
            Kind::OutboxCorrupt,
            Kind::OutboxAccount,
            Kind::Pending,
            Kind::Aside,
            Kind::Parked,
            Kind::Closed,
            Kind::Internal,
        ];
        for kind in kinds {
            assert_eq!(nexmo_status_is_retryable(of(kind)) == 1, kind.is_retryable(), "{kind:?}");
        }
    }
}
