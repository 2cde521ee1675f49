//! Defines the number, name and meaning of each status, and whether a retry can succeed.
//!
//! The comment on each constant is also the text that [`nexmo_status_describe`] returns: `status_table.rs` is generated
//! from these comments.
#![allow(non_camel_case_types)]

use std::ffi::{CStr, c_char};

use super::status_table::{ROWS, UNKNOWN};
use crate::error::Kind;

/// The result of a call: NEXMO_OK or one of the NEXMO_ERR_* constants. No status of this version is negative or above
/// 99, so that a status can be a program's exit status. If a band is full, later versions may add statuses that are
/// 1000 higher, so the status modulo 1000 determines the band: 1 to 19, the call was invalid and nothing was sent; 20
/// to 39, no valid response was received (acceptance says whether the report may have been accepted); 40 to 59, the
/// service's response is an error; 60 to 79, an error of the outbox or the reporter; 80 to 98, unused; 99, a bug.
pub type nexmo_status = i32;

/// Success. The service accepted the report or, after a submit, the outbox stored it. Nothing needs to be done.
pub const NEXMO_OK: nexmo_status = 0;

/// A required pointer is NULL. Nothing was sent. Set the pointer that the message names.
pub const NEXMO_ERR_NULL_POINTER: nexmo_status = 1;
/// A struct has a size that this library does not accept, or a field that this library does not know is not 0.
/// Nothing was sent. Initialize the struct with its INIT macro or _init function, or load the library that the program
/// was built for.
pub const NEXMO_ERR_STRUCT_SIZE: nexmo_status = 2;
/// This library does not know one of the flags. Nothing was sent. Clear the flag, or load a later version of the
/// library.
pub const NEXMO_ERR_UNKNOWN_FLAGS: nexmo_status = 3;
/// An argument, or a file that it names, is invalid. Nothing was sent. Correct the argument or file that the message
/// names.
pub const NEXMO_ERR_INVALID_ARGUMENT: nexmo_status = 4;
/// The handle is NULL, was freed, or is not a handle for this function. Nothing was sent. Pass a valid handle.
pub const NEXMO_ERR_INVALID_HANDLE: nexmo_status = 5;
/// The reporter is closed and, if the call was a poll, has no more events. A submitted report was not stored. Submit it
/// to another reporter.
pub const NEXMO_ERR_CLOSED: nexmo_status = 6;
/// The fork handlers did not run when this process was created. Nothing was sent. Create the process with fork, or
/// execute a new program in it.
pub const NEXMO_ERR_FORKED: nexmo_status = 7;

/// The host name could not be resolved, no connection could be made, or the connection was lost before the head of the
/// response was complete. acceptance says whether the report may have been accepted. Retry later.
pub const NEXMO_ERR_NETWORK: nexmo_status = 20;
/// A time limit expired. acceptance says whether the report may have been accepted. Retry later.
pub const NEXMO_ERR_TIMEOUT: nexmo_status = 21;
/// The TLS handshake failed, or the server's certificate is not trusted. The report was not accepted unless
/// acceptance says that it may have been. Before retrying, check base_url, ca_file, the machine's clock, and
/// whether another server responds in place of the service.
pub const NEXMO_ERR_TLS: nexmo_status = 22;
/// The head of the response is not valid HTTP or exceeds a limit. The report may have been accepted. Retry later; if
/// the error persists, check base_url.
pub const NEXMO_ERR_PROTOCOL: nexmo_status = 23;
/// The proxy could not be reached, refused the connection, or sent no valid response. The report was not accepted
/// unless acceptance says that it may have been. Retry later; if the error persists, check the proxy's address and
/// credentials.
pub const NEXMO_ERR_PROXY: nexmo_status = 24;
/// The handle was freed during the call. Before reporting again, check acceptance: it says whether the report may have
/// been accepted.
pub const NEXMO_ERR_CANCELLED: nexmo_status = 25;
/// The system has no file descriptor, memory or thread available, or a file cannot be read at the moment. The
/// report was not accepted unless acceptance says that it may have been. Retry later; if the error persists, remove
/// the cause that the message states.
pub const NEXMO_ERR_SYSTEM: nexmo_status = 26;

/// 401: the credentials are wrong or, if the report is signed, its timestamp is old or the machine's clock is wrong.
/// The service did not accept the report. Correct the cause before retrying.
pub const NEXMO_ERR_UNAUTHORIZED: nexmo_status = 40;
/// 402: conversion is not enabled for the account, or the credentials are wrong. The service did not accept the
/// report. Check the credentials, or ask the service's support team to enable conversions; then retry.
pub const NEXMO_ERR_NOT_ENABLED: nexmo_status = 41;
/// 420, 422 or 423: the service rejected the report because of its parameters. The report was not accepted. Do not
/// retry it unchanged.
pub const NEXMO_ERR_REJECTED: nexmo_status = 42;
/// 429: too many requests. The service did not accept the report. Retry after retry_after_ms; if that is -1,
/// choose a delay.
pub const NEXMO_ERR_RATE_LIMITED: nexmo_status = 43;
/// 408 or 5xx: the service is unavailable. The report may have been accepted. Retry after retry_after_ms; if that
/// is -1, choose a delay.
pub const NEXMO_ERR_UNAVAILABLE: nexmo_status = 44;
/// 3xx: a redirect. The library follows no redirect, because doing so could send the credentials to another server. The
/// report may have been accepted. Before retrying, check base_url, and whether another server responds in place of the
/// service.
pub const NEXMO_ERR_REDIRECTED: nexmo_status = 45;
/// Any other HTTP status, which the Conversion API does not document. The report may have been accepted. Before
/// retrying, check base_url, and whether another server responds in place of the service.
pub const NEXMO_ERR_UNEXPECTED_STATUS: nexmo_status = 46;

/// The outbox cannot be read or written; the message says why. A submitted report was not stored, unless acceptance is
/// NEXMO_ACCEPTANCE_UNKNOWN: it may then be stored and sent. Remove the cause, then repeat the call.
pub const NEXMO_ERR_OUTBOX: nexmo_status = 60;
/// The outbox or its disk is full. A submitted report was not stored. Retry later.
pub const NEXMO_ERR_OUTBOX_FULL: nexmo_status = 61;
/// Other processes, reporters or threads kept the outbox locked for longer than busy_timeout_ms. A submitted report was
/// not stored. Retry.
pub const NEXMO_ERR_OUTBOX_BUSY: nexmo_status = 62;
/// The outbox is corrupt and still open elsewhere. A submitted report was not stored. Retry later: the outbox is
/// replaced once no process has it open.
pub const NEXMO_ERR_OUTBOX_CORRUPT: nexmo_status = 63;
/// The outbox belongs to another account. A submitted report was not stored. Use a separate outbox for each account.
pub const NEXMO_ERR_OUTBOX_WRONG_ACCOUNT: nexmo_status = 64;
/// The outbox was created by a later version of this library. A submitted report was not stored. Load that version,
/// or use another path.
pub const NEXMO_ERR_OUTBOX_VERSION: nexmo_status = 65;
/// Reports were still pending when the time limit expired or the reporter was closed. They may have been accepted. With
/// NEXMO_DURABILITY_NONE, a closed reporter has lost them; otherwise they are sent later and need not be submitted
/// again.
pub const NEXMO_ERR_PENDING: nexmo_status = 70;
/// The reporter is suspended: the service accepts no reports from this account. With NEXMO_DURABILITY_NONE, a closed
/// reporter has lost its pending reports; otherwise they stay pending and need not be submitted again. Correct the
/// account, its credentials or base_url.
pub const NEXMO_ERR_SUSPENDED: nexmo_status = 71;

/// An internal error occurred because of a bug in this library. The calling program can continue. Before reporting
/// again, check acceptance: it says whether the report may have been accepted. File a bug report.
pub const NEXMO_ERR_INTERNAL: nexmo_status = 99;

/// The statuses for which `nexmo_status_is_retryable` returns 1.
pub(super) const RETRYABLE: &[nexmo_status] = &[
    NEXMO_ERR_NETWORK,
    NEXMO_ERR_TIMEOUT,
    NEXMO_ERR_PROTOCOL,
    NEXMO_ERR_PROXY,
    NEXMO_ERR_SYSTEM,
    NEXMO_ERR_RATE_LIMITED,
    NEXMO_ERR_UNAVAILABLE,
    NEXMO_ERR_OUTBOX_FULL,
    NEXMO_ERR_OUTBOX_BUSY,
    NEXMO_ERR_OUTBOX_CORRUPT,
];

/// The properties of one status.
pub(super) struct Row {
    pub(super) status: nexmo_status,
    pub(super) name: &'static CStr,
    pub(super) text: &'static CStr,
}

pub(super) fn row_of(status: nexmo_status) -> &'static Row {
    ROWS.iter().find(|row| row.status == status).unwrap_or(&UNKNOWN)
}

/// Returns the status that corresponds to an error kind.
pub(super) fn of(kind: Kind) -> nexmo_status {
    match kind {
        Kind::InvalidArgument => NEXMO_ERR_INVALID_ARGUMENT,
        Kind::Network => NEXMO_ERR_NETWORK,
        Kind::Timeout => NEXMO_ERR_TIMEOUT,
        Kind::Tls => NEXMO_ERR_TLS,
        Kind::Protocol => NEXMO_ERR_PROTOCOL,
        Kind::Proxy => NEXMO_ERR_PROXY,
        Kind::Cancelled => NEXMO_ERR_CANCELLED,
        Kind::System => NEXMO_ERR_SYSTEM,
        Kind::Unauthorized => NEXMO_ERR_UNAUTHORIZED,
        Kind::NotEnabled => NEXMO_ERR_NOT_ENABLED,
        Kind::Rejected => NEXMO_ERR_REJECTED,
        Kind::RateLimited => NEXMO_ERR_RATE_LIMITED,
        Kind::Unavailable => NEXMO_ERR_UNAVAILABLE,
        Kind::Redirected => NEXMO_ERR_REDIRECTED,
        Kind::UnexpectedStatus => NEXMO_ERR_UNEXPECTED_STATUS,
        Kind::Outbox => NEXMO_ERR_OUTBOX,
        Kind::OutboxFull => NEXMO_ERR_OUTBOX_FULL,
        Kind::OutboxBusy => NEXMO_ERR_OUTBOX_BUSY,
        Kind::OutboxCorrupt => NEXMO_ERR_OUTBOX_CORRUPT,
        Kind::OutboxWrongAccount => NEXMO_ERR_OUTBOX_WRONG_ACCOUNT,
        Kind::OutboxVersion => NEXMO_ERR_OUTBOX_VERSION,
        Kind::Pending => NEXMO_ERR_PENDING,
        Kind::Suspended => NEXMO_ERR_SUSPENDED,
        Kind::Closed => NEXMO_ERR_CLOSED,
        Kind::Internal => NEXMO_ERR_INTERNAL,
    }
}

/// Returns the name of a status, such as "NEXMO_ERR_TIMEOUT", or "NEXMO_ERR_UNKNOWN" for a number that this version
/// does not know.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_status_name(status: nexmo_status) -> *const c_char {
    row_of(status).name.as_ptr()
}

/// Returns the meaning of a status, in two to four English sentences: what happened, whether the report may have been
/// accepted, and what to do next.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_status_describe(status: nexmo_status) -> *const c_char {
    row_of(status).text.as_ptr()
}

/// Returns 1 if the same report can succeed when it is sent or submitted again later without a correction by a user.
/// Returns 0 otherwise, including for a number that this version does not know.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_status_is_retryable(status: nexmo_status) -> i32 {
    i32::from(RETRYABLE.contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pointer: *const c_char) -> &'static str {
        // SAFETY: the functions above return static strings that end with NUL.
        unsafe { CStr::from_ptr(pointer) }.to_str().unwrap()
    }

    #[test]
    fn every_status_is_in_a_documented_band_and_has_a_name_and_a_text() {
        assert!(ROWS.windows(2).all(|pair| pair[0].status < pair[1].status));
        for row in ROWS {
            assert!(matches!(row.status, 0..=79 | 99), "status {} is in no documented band", row.status);
            assert_eq!(text(nexmo_status_name(row.status)), row.name.to_str().unwrap());
            let text = text(nexmo_status_describe(row.status));
            assert!(text.ends_with('.') && text.matches(". ").count() >= 1, "{text}");
        }
    }

    #[test]
    fn the_text_says_to_retry_if_and_only_if_the_status_is_retryable() {
        for row in ROWS {
            let text = text(nexmo_status_describe(row.status));
            let says_so = ["Retry.", "Retry later", "Retry after"].iter().any(|advice| text.contains(advice));
            assert_eq!(says_so, nexmo_status_is_retryable(row.status) == 1, "{text}");
        }
    }

    #[test]
    fn an_unknown_number_is_named_unknown() {
        for status in [-1, 8, 19, 27, 47, 66, 72, 80, 98, 100, 200, 900, i32::MIN, i32::MAX] {
            assert_eq!(text(nexmo_status_name(status)), "NEXMO_ERR_UNKNOWN");
            assert_eq!(nexmo_status_is_retryable(status), 0);
        }
    }

    #[test]
    fn the_core_and_the_c_interface_agree_on_what_is_retryable() {
        let kinds = [
            Kind::InvalidArgument,
            Kind::Network,
            Kind::Timeout,
            Kind::Tls,
            Kind::Protocol,
            Kind::Proxy,
            Kind::Cancelled,
            Kind::System,
            Kind::Unauthorized,
            Kind::NotEnabled,
            Kind::Rejected,
            Kind::RateLimited,
            Kind::Unavailable,
            Kind::Redirected,
            Kind::UnexpectedStatus,
            Kind::Outbox,
            Kind::OutboxFull,
            Kind::OutboxBusy,
            Kind::OutboxCorrupt,
            Kind::OutboxWrongAccount,
            Kind::OutboxVersion,
            Kind::Pending,
            Kind::Suspended,
            Kind::Closed,
            Kind::Internal,
        ];
        for kind in kinds {
            assert_eq!(nexmo_status_is_retryable(of(kind)) == 1, kind.is_retryable(), "{kind:?}");
        }
    }
}
