//! The name and the text of each status, from the comments in `status.rs`.
//!
//! Generated from src/ffi by `make generate`; do not edit.

use super::status::Row;

/// The row for every number that is not a known status.
pub(super) static UNKNOWN: Row = Row {
    status: -1,
    name: c"NEXMO_ERR_UNKNOWN",
    text: c"A status that this version of the library does not know. Classify it by its band.",
};

/// Every status, in numerical order.
pub(super) static ROWS: &[Row] = &[
    Row {
        status: 0,
        name: c"NEXMO_OK",
        text: c"Success. The service accepted the report or, after a submit, the outbox stored it. Nothing needs \
            to be done.",
    },
    Row {
        status: 1,
        name: c"NEXMO_ERR_NULL_POINTER",
        text: c"A required pointer is NULL. Nothing was sent. Set the pointer that the message names.",
    },
    Row {
        status: 2,
        name: c"NEXMO_ERR_STRUCT_SIZE",
        text: c"A struct has a size that this library does not accept, or a field that this library does not \
            know is not 0. Nothing was sent. Initialize the struct with its INIT macro or _init function, or \
            load the library that the program was built for.",
    },
    Row {
        status: 3,
        name: c"NEXMO_ERR_UNKNOWN_FLAGS",
        text: c"This library does not know one of the flags. Nothing was sent. Clear the flag, or load a later \
            version of the library.",
    },
    Row {
        status: 4,
        name: c"NEXMO_ERR_INVALID_ARGUMENT",
        text: c"An argument, or a file that it names, is invalid. Nothing was sent. Correct the argument or file \
            that the message names.",
    },
    Row {
        status: 5,
        name: c"NEXMO_ERR_INVALID_HANDLE",
        text: c"The handle is NULL, was freed, or is not a handle for this function. Nothing was sent. Pass a \
            valid handle.",
    },
    Row {
        status: 6,
        name: c"NEXMO_ERR_CLOSED",
        text: c"The reporter is closed and, if the call was a poll, has no more events. A submitted report was \
            not stored. Submit it to another reporter.",
    },
    Row {
        status: 7,
        name: c"NEXMO_ERR_FORKED",
        text: c"The fork handlers did not run when this process was created. Nothing was sent. Create the \
            process with fork, or execute a new program in it.",
    },
    Row {
        status: 20,
        name: c"NEXMO_ERR_NETWORK",
        text: c"The host name could not be resolved, no connection could be made, or the connection was lost \
            before the head of the response was complete. acceptance says whether the report may have been \
            accepted. Retry later.",
    },
    Row {
        status: 21,
        name: c"NEXMO_ERR_TIMEOUT",
        text: c"A time limit expired. acceptance says whether the report may have been accepted. Retry later.",
    },
    Row {
        status: 22,
        name: c"NEXMO_ERR_TLS",
        text: c"The TLS handshake failed, or the server's certificate is not trusted. The report was not \
            accepted unless acceptance says that it may have been. Before retrying, check base_url, ca_file, \
            the machine's clock, and whether another server responds in place of the service.",
    },
    Row {
        status: 23,
        name: c"NEXMO_ERR_PROTOCOL",
        text: c"The head of the response is not valid HTTP or exceeds a limit. The report may have been \
            accepted. Retry later; if the error persists, check base_url.",
    },
    Row {
        status: 24,
        name: c"NEXMO_ERR_PROXY",
        text: c"The proxy could not be reached, refused the connection, or sent no valid response. The report \
            was not accepted unless acceptance says that it may have been. Retry later; if the error \
            persists, check the proxy's address and credentials.",
    },
    Row {
        status: 25,
        name: c"NEXMO_ERR_CANCELLED",
        text: c"The handle was freed during the call. Before reporting again, check acceptance: it says whether \
            the report may have been accepted.",
    },
    Row {
        status: 26,
        name: c"NEXMO_ERR_SYSTEM",
        text: c"The system has no file descriptor, memory or thread available, or a file cannot be read at the \
            moment. The report was not accepted unless acceptance says that it may have been. Retry later; \
            if the error persists, remove the cause that the message states.",
    },
    Row {
        status: 40,
        name: c"NEXMO_ERR_UNAUTHORIZED",
        text: c"401: the credentials are wrong or, if the report is signed, its timestamp is old or the \
            machine's clock is wrong. The service did not accept the report. Correct the cause before \
            retrying.",
    },
    Row {
        status: 41,
        name: c"NEXMO_ERR_NOT_ENABLED",
        text: c"402: conversion is not enabled for the account, or the credentials are wrong. The service did \
            not accept the report. Check the credentials, or ask the service's support team to enable \
            conversions; then retry.",
    },
    Row {
        status: 42,
        name: c"NEXMO_ERR_REJECTED",
        text: c"420, 422 or 423: the service rejected the report because of its parameters. The report was not \
            accepted. Do not retry it unchanged.",
    },
    Row {
        status: 43,
        name: c"NEXMO_ERR_RATE_LIMITED",
        text: c"429: too many requests. The service did not accept the report. Retry after retry_after_ms; if \
            that is -1, choose a delay.",
    },
    Row {
        status: 44,
        name: c"NEXMO_ERR_UNAVAILABLE",
        text: c"408 or 5xx: the service is unavailable. The report may have been accepted. Retry after \
            retry_after_ms; if that is -1, choose a delay.",
    },
    Row {
        status: 45,
        name: c"NEXMO_ERR_REDIRECTED",
        text: c"3xx: a redirect. The library follows no redirect, because doing so could send the credentials to \
            another server. The report may have been accepted. Before retrying, check base_url, and whether \
            another server responds in place of the service.",
    },
    Row {
        status: 46,
        name: c"NEXMO_ERR_UNEXPECTED_STATUS",
        text: c"Any other HTTP status, which the Conversion API does not document. The report may have been \
            accepted. Before retrying, check base_url, and whether another server responds in place of the \
            service.",
    },
    Row {
        status: 60,
        name: c"NEXMO_ERR_OUTBOX",
        text: c"The outbox cannot be read or written; the message says why. A submitted report was not stored, \
            unless acceptance is NEXMO_ACCEPTANCE_UNKNOWN: it may then be stored and sent. Remove the cause, \
            then repeat the call.",
    },
    Row {
        status: 61,
        name: c"NEXMO_ERR_OUTBOX_FULL",
        text: c"The outbox or its disk is full. A submitted report was not stored. Retry later.",
    },
    Row {
        status: 62,
        name: c"NEXMO_ERR_OUTBOX_BUSY",
        text: c"Other processes, reporters or threads kept the outbox locked for longer than busy_timeout_ms. A \
            submitted report was not stored. Retry.",
    },
    Row {
        status: 63,
        name: c"NEXMO_ERR_OUTBOX_CORRUPT",
        text: c"The outbox is corrupt and still open elsewhere. A submitted report was not stored. Retry later: \
            the outbox is replaced once no process has it open.",
    },
    Row {
        status: 64,
        name: c"NEXMO_ERR_OUTBOX_WRONG_ACCOUNT",
        text: c"The outbox belongs to another account. A submitted report was not stored. Use a separate outbox \
            for each account.",
    },
    Row {
        status: 65,
        name: c"NEXMO_ERR_OUTBOX_VERSION",
        text: c"The outbox was created by a later version of this library. A submitted report was not stored. \
            Load that version, or use another path.",
    },
    Row {
        status: 70,
        name: c"NEXMO_ERR_PENDING",
        text: c"Reports were still pending when the time limit expired or the reporter was closed. They may have \
            been accepted. With NEXMO_DURABILITY_NONE, a closed reporter has lost them; otherwise they are \
            sent later and need not be submitted again.",
    },
    Row {
        status: 71,
        name: c"NEXMO_ERR_SUSPENDED",
        text: c"The reporter is suspended: the service accepts no reports from this account. With \
            NEXMO_DURABILITY_NONE, a closed reporter has lost its pending reports; otherwise they stay \
            pending and need not be submitted again. Correct the account, its credentials or base_url.",
    },
    Row {
        status: 99,
        name: c"NEXMO_ERR_INTERNAL",
        text: c"An internal error occurred because of a bug in this library. The calling program can continue. \
            Before reporting again, check acceptance: it says whether the report may have been accepted. \
            File a bug report.",
    },
];
