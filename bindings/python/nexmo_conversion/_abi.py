"""The C interface for ctypes.

Generated from src/ffi by `make generate`; do not edit.

* `NEXMO_...`: each constant, under its name in C.
* `Status`: the statuses, named without NEXMO_ and ERR_; `RETRYABLE`: the statuses after which a retry can succeed.
* `Channel` and other enums: groups of related constants, named without their common prefix.
* `...Struct`: each C struct. A new object has its struct_size and the initial values that the INIT macro sets in C;
  keyword arguments set fields.
* `Handle`: nexmo_client * and nexmo_reporter *.
* `PROTOTYPES`: for the name of each function, its result type and parameter types (`restype` and `argtypes` of ctypes).
"""

import ctypes
from ctypes import POINTER, c_char, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Dict, Tuple

NEXMO_OK = 0
NEXMO_ERR_NULL_POINTER = 1
NEXMO_ERR_STRUCT_SIZE = 2
NEXMO_ERR_UNKNOWN_FLAGS = 3
NEXMO_ERR_INVALID_ARGUMENT = 4
NEXMO_ERR_INVALID_HANDLE = 5
NEXMO_ERR_CLOSED = 6
NEXMO_ERR_FORKED = 7
NEXMO_ERR_NETWORK = 20
NEXMO_ERR_TIMEOUT = 21
NEXMO_ERR_TLS = 22
NEXMO_ERR_PROTOCOL = 23
NEXMO_ERR_PROXY = 24
NEXMO_ERR_CANCELLED = 25
NEXMO_ERR_SYSTEM = 26
NEXMO_ERR_UNAUTHORIZED = 40
NEXMO_ERR_NOT_ENABLED = 41
NEXMO_ERR_REJECTED = 42
NEXMO_ERR_RATE_LIMITED = 43
NEXMO_ERR_UNAVAILABLE = 44
NEXMO_ERR_REDIRECTED = 45
NEXMO_ERR_UNEXPECTED_STATUS = 46
NEXMO_ERR_OUTBOX = 60
NEXMO_ERR_OUTBOX_FULL = 61
NEXMO_ERR_OUTBOX_BUSY = 62
NEXMO_ERR_OUTBOX_CORRUPT = 63
NEXMO_ERR_OUTBOX_WRONG_ACCOUNT = 64
NEXMO_ERR_OUTBOX_VERSION = 65
NEXMO_ERR_PENDING = 70
NEXMO_ERR_SUSPENDED = 71
NEXMO_ERR_INTERNAL = 99
NEXMO_TIMESTAMP_SIZE = 20
NEXMO_AUTH_QUERY = 0
NEXMO_AUTH_BASIC = 1
NEXMO_AUTH_SIGNATURE = 2
NEXMO_SIGNATURE_MD5_HASH = 1
NEXMO_SIGNATURE_HMAC_MD5 = 2
NEXMO_SIGNATURE_HMAC_SHA1 = 3
NEXMO_SIGNATURE_HMAC_SHA256 = 4
NEXMO_SIGNATURE_HMAC_SHA512 = 5
NEXMO_OPTIONS_ALLOW_PLAIN_HTTP = 1
NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT = 2
NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY = 4
NEXMO_OPTIONS_SIGN_UNIX_SECONDS = 8
NEXMO_ACCEPTANCE_NO = 0
NEXMO_ACCEPTANCE_UNKNOWN = 1
NEXMO_ACCEPTANCE_YES = 2
NEXMO_MESSAGE_SIZE = 256
NEXMO_CHANNEL_SMS = 1
NEXMO_CHANNEL_VOICE = 2
NEXMO_DURABILITY_PROCESS = 0
NEXMO_DURABILITY_POWER = 1
NEXMO_DURABILITY_NONE = 2
NEXMO_OVERFLOW_FAIL = 0
NEXMO_OVERFLOW_DROP_OLDEST = 1
NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM = 1
NEXMO_EVENT_NONE = 0
NEXMO_EVENT_REJECTED = 1
NEXMO_EVENT_EXPIRED = 2
NEXMO_EVENT_DROPPED = 3
NEXMO_MESSAGE_ID_SIZE = 260
NEXMO_STATE_RUNNING = 0
NEXMO_STATE_BACKING_OFF = 1
NEXMO_STATE_SUSPENDED = 2
NEXMO_STATE_CLOSED = 3
NEXMO_STATE_STANDBY = 4
NEXMO_DETAIL_STATUS = 0
NEXMO_DETAIL_HTTP_STATUS = 1
NEXMO_DETAIL_ATTEMPTS = 2
NEXMO_DETAIL_ACCEPTANCE = 3
NEXMO_DETAIL_ELAPSED_US = 4
NEXMO_DETAIL_RETRY_AFTER_MS = 5
NEXMO_DETAIL_COUNT = 6
NEXMO_EVENT_FIELD_ID = 0
NEXMO_EVENT_FIELD_KIND = 1
NEXMO_EVENT_FIELD_CHANNEL = 2
NEXMO_EVENT_FIELD_DELIVERED = 3
NEXMO_EVENT_FIELD_HTTP_STATUS = 4
NEXMO_EVENT_FIELD_COUNT = 5


class Status(IntEnum):
    """The statuses that this version of the package knows."""

    OK = 0
    """Success. The service accepted the report or, after a submit, the outbox stored it. Nothing needs to be done."""

    NULL_POINTER = 1
    """A required pointer is NULL. Nothing was sent. Set the pointer that the message names."""

    STRUCT_SIZE = 2
    """A struct has a size that this library does not accept, or a field that this library does not know is not 0.
    Nothing was sent. Initialize the struct with its INIT macro or _init function, or load the library that the program
    was built for."""

    UNKNOWN_FLAGS = 3
    """This library does not know one of the flags. Nothing was sent. Clear the flag, or load a later version of the
    library."""

    INVALID_ARGUMENT = 4
    """An argument, or a file that it names, is invalid. Nothing was sent. Correct the argument or file that the message
    names."""

    INVALID_HANDLE = 5
    """The handle is NULL, was freed, or is not a handle for this function. Nothing was sent. Pass a valid handle."""

    CLOSED = 6
    """The reporter is closed and, if the call was a poll, has no more events. A submitted report was not stored. Submit
    it to another reporter."""

    FORKED = 7
    """The fork handlers did not run when this process was created. Nothing was sent. Create the process with fork, or
    execute a new program in it."""

    NETWORK = 20
    """The host name could not be resolved, no connection could be made, or the connection was lost before the head of
    the response was complete. acceptance says whether the report may have been accepted. Retry later."""

    TIMEOUT = 21
    """A time limit expired. acceptance says whether the report may have been accepted. Retry later."""

    TLS = 22
    """The TLS handshake failed, or the server's certificate is not trusted. The report was not accepted unless
    acceptance says that it may have been. Before retrying, check base_url, ca_file, the machine's clock, and whether
    another server responds in place of the service."""

    PROTOCOL = 23
    """The head of the response is not valid HTTP or exceeds a limit. The report may have been accepted. Retry later; if
    the error persists, check base_url."""

    PROXY = 24
    """The proxy could not be reached, refused the connection, or sent no valid response. The report was not accepted
    unless acceptance says that it may have been. Retry later; if the error persists, check the proxy's address and
    credentials."""

    CANCELLED = 25
    """The handle was freed during the call. Before reporting again, check acceptance: it says whether the report may
    have been accepted."""

    SYSTEM = 26
    """The system has no file descriptor, memory or thread available, or a file cannot be read at the moment. The report
    was not accepted unless acceptance says that it may have been. Retry later; if the error persists, remove the cause
    that the message states."""

    UNAUTHORIZED = 40
    """401: the credentials are wrong or, if the report is signed, its timestamp is old or the machine's clock is wrong.
    The service did not accept the report. Correct the cause before retrying."""

    NOT_ENABLED = 41
    """402: conversion is not enabled for the account, or the credentials are wrong. The service did not accept the
    report. Check the credentials, or ask the service's support team to enable conversions; then retry."""

    REJECTED = 42
    """420, 422 or 423: the service rejected the report because of its parameters. The report was not accepted. Do not
    retry it unchanged."""

    RATE_LIMITED = 43
    """429: too many requests. The service did not accept the report. Retry after retry_after_ms; if that is -1, choose
    a delay."""

    UNAVAILABLE = 44
    """408 or 5xx: the service is unavailable. The report may have been accepted. Retry after retry_after_ms; if that is
    -1, choose a delay."""

    REDIRECTED = 45
    """3xx: a redirect. The library follows no redirect, because doing so could send the credentials to another server.
    The report may have been accepted. Before retrying, check base_url, and whether another server responds in place of
    the service."""

    UNEXPECTED_STATUS = 46
    """Any other HTTP status, which the Conversion API does not document. The report may have been accepted. Before
    retrying, check base_url, and whether another server responds in place of the service."""

    OUTBOX = 60
    """The outbox cannot be read or written; the message says why. A submitted report was not stored, unless acceptance
    is NEXMO_ACCEPTANCE_UNKNOWN: it may then be stored and sent. Remove the cause, then repeat the call."""

    OUTBOX_FULL = 61
    """The outbox or its disk is full. A submitted report was not stored. Retry later."""

    OUTBOX_BUSY = 62
    """Other processes, reporters or threads kept the outbox locked for longer than busy_timeout_ms. A submitted report
    was not stored. Retry."""

    OUTBOX_CORRUPT = 63
    """The outbox is corrupt and still open elsewhere. A submitted report was not stored. Retry later: the outbox is
    replaced once no process has it open."""

    OUTBOX_WRONG_ACCOUNT = 64
    """The outbox belongs to another account. A submitted report was not stored. Use a separate outbox for each
    account."""

    OUTBOX_VERSION = 65
    """The outbox was created by a later version of this library. A submitted report was not stored. Load that version,
    or use another path."""

    PENDING = 70
    """Reports were still pending when the time limit expired or the reporter was closed. They may have been accepted.
    With NEXMO_DURABILITY_NONE, a closed reporter has lost them; otherwise they are sent later and need not be submitted
    again."""

    SUSPENDED = 71
    """The reporter is suspended: the service accepts no reports from this account. With NEXMO_DURABILITY_NONE, a closed
    reporter has lost its pending reports; otherwise they stay pending and need not be submitted again. Correct the
    account, its credentials or base_url."""

    INTERNAL = 99
    """An internal error occurred because of a bug in this library. The calling program can continue. Before reporting
    again, check acceptance: it says whether the report may have been accepted. File a bug report."""


RETRYABLE = frozenset(
    {
        Status.NETWORK,
        Status.TIMEOUT,
        Status.PROTOCOL,
        Status.PROXY,
        Status.SYSTEM,
        Status.RATE_LIMITED,
        Status.UNAVAILABLE,
        Status.OUTBOX_FULL,
        Status.OUTBOX_BUSY,
        Status.OUTBOX_CORRUPT,
    }
)


class Authentication(IntEnum):
    """The ways to authenticate a request."""

    QUERY = 0
    """The query contains api_key and api_secret, as the API's documentation shows."""

    BASIC = 1
    """An Authorization: Basic header, which keeps the secret out of URLs that servers log."""

    SIGNATURE = 2
    """A signature made with signature_secret. The secret is never sent."""


class SignatureMethod(IntEnum):
    """The methods to compute a signature. The account's settings determine which one to use."""

    MD5_HASH = 1
    """MD5 of the parameters followed by the secret."""

    HMAC_MD5 = 2
    """HMAC-MD5."""

    HMAC_SHA1 = 3
    """HMAC-SHA-1."""

    HMAC_SHA256 = 4
    """HMAC-SHA-256."""

    HMAC_SHA512 = 5
    """HMAC-SHA-512."""


class Channel(IntEnum):
    """The ways to send a one-time code."""

    SMS = 1
    """An SMS. The message_id is the message-id that the SMS API returned, or the event_id of the Verify API."""

    VOICE = 2
    """A phone call. The message_id is the call-id that the Text-To-Speech or Text-To-Speech-Prompt API returned."""


class Acceptance(IntEnum):
    """Whether the service accepted a report in any attempt of a call: no, unknown or yes."""

    NO = 0
    """No attempt was made, or each attempt wrote nothing of the request or was rejected by a response (401, 402, 420,
    422, 423, 429)."""

    UNKNOWN = 1
    """At least one attempt wrote a part of the request but was not rejected by one of these responses (401, 402, 420,
    422, 423, 429), and no attempt got a 2xx response. Reporting the same value for a message twice is harmless, so
    retry if the status allows it."""

    YES = 2
    """An attempt got a 2xx response."""


class Durability(IntEnum):
    """The failures that a submitted report survives."""

    PROCESS = 0
    """A submitted report survives the end of the process, including a crash."""

    POWER = 1
    """A submitted report also survives power loss. Each submit waits for the disk; concurrent submits share one
    write."""

    NONE = 2
    """Reports are kept in memory. There is no file, and reports that are still pending when the process ends are
    lost."""


class Overflow(IntEnum):
    """What a submit does when `max_pending` reports are pending."""

    FAIL = 0
    """If max_pending reports are pending, submit fails with NEXMO_ERR_OUTBOX_FULL."""

    DROP_OLDEST = 1
    """If max_pending reports are pending, submit drops the oldest one, which becomes an event of kind
    NEXMO_EVENT_DROPPED."""


class State(IntEnum):
    """The states of a reporter."""

    RUNNING = 0
    """The reporter sends submitted reports."""

    BACKING_OFF = 1
    """The network or the service fails (no response, 408, 429 or 5xx). The reporter sends one report at a time as a
    probe, after delays that grow up to 30 s, or after the delay that the service asks for."""

    SUSPENDED = 2
    """The service accepts no reports from this account (401, 402, 3xx or an unexpected status). The reporter sends one
    report a minute as a probe; all other reports stay pending."""

    CLOSED = 3
    """The reporter is closed."""

    STANDBY = 4
    """Another process, or another reporter in this process, sends the reports in the outbox. This reporter takes over
    when the other reporter ends or cannot send."""


class EventKind(IntEnum):
    """The reasons why a report became an event."""

    REJECTED = 1
    """The service rejected the report."""

    EXPIRED = 2
    """The report reached the age max_age_s. The service may have accepted it in an earlier attempt."""

    DROPPED = 3
    """The outbox was full, and this was its oldest report. The service may have accepted it in an earlier attempt."""


class OptionsFlag(IntFlag):
    """The bits of nexmo_options.flags."""

    ALLOW_PLAIN_HTTP = 1
    """Allows http:// to hosts other than loopback. Anyone on the network path can then read the credentials."""

    PROXY_FROM_ENVIRONMENT = 2
    """If proxy is NULL, uses the proxy from the environment: from https_proxy or HTTPS_PROXY (for an http:// base_url,
    from http_proxy, but never from HTTP_PROXY), or else from all_proxy or ALL_PROXY, unless no_proxy or NO_PROXY
    excludes the host. The flag is ignored in CGI programs. docs/operations.md describes the values of these
    variables."""

    BUILT_IN_ROOTS_ONLY = 4
    """Trusts the root certificates built into the library instead of the platform's store."""

    SIGN_UNIX_SECONDS = 8
    """Signs with the UNIX time of sending as the timestamp, as the service's signing guide describes. The service then
    does not receive the timestamp of the report. Without the flag, the library signs and sends the timestamp of the
    report or, if it has none, the time of sending."""


class ReporterOptionsFlag(IntFlag):
    """The bits of nexmo_reporter_options.flags."""

    ALLOW_NETWORK_FILE_SYSTEM = 1
    """Allows an outbox on a network file system, FUSE or a shared folder of a virtual machine. If file locks do not
    work there, reports may be sent more than once, or the file may be corrupted."""


class Sized(ctypes.Structure):
    """A struct that begins with its own size, so that programs and libraries of different versions work together."""

    _initial_: ClassVar[Dict[str, int]] = {}

    def __init__(self, **fields: Any) -> None:
        super().__init__(**{"struct_size": ctypes.sizeof(self), **self._initial_, **fields})


class CredentialsStruct(Sized):
    """nexmo_credentials."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("api_key", c_char_p),
        ("api_secret", c_char_p),
        ("signature_secret", c_char_p),
        ("auth", c_int32),
        ("signature_method", c_int32),
    ]


class OptionsStruct(Sized):
    """nexmo_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("base_url", c_char_p),
        ("proxy", c_char_p),
        ("ca_file", c_char_p),
        ("client_cert_file", c_char_p),
        ("client_key_file", c_char_p),
        ("user_agent", c_char_p),
        ("connect_timeout_ms", c_int32),
        ("timeout_ms", c_int32),
        ("max_attempts", c_int32),
        ("max_idle_connections", c_int32),
    ]


class ResultStruct(Sized):
    """nexmo_result."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("status", c_int32),
        ("http_status", c_int32),
        ("attempts", c_int32),
        ("acceptance", c_int32),
        ("elapsed_us", c_int64),
        ("retry_after_ms", c_int64),
        ("message", c_char * 256),
    ]
    _initial_ = {"status": NEXMO_ERR_STRUCT_SIZE, "retry_after_ms": -1}


class ReporterOptionsStruct(Sized):
    """nexmo_reporter_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("outbox", c_char_p),
        ("durability", c_int32),
        ("overflow", c_int32),
        ("max_pending", c_int32),
        ("max_age_s", c_int32),
        ("max_in_flight", c_int32),
        ("busy_timeout_ms", c_int32),
    ]


class EventStruct(Sized):
    """nexmo_event."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("id", c_int64),
        ("created_unix_ms", c_int64),
        ("kind", c_int32),
        ("http_status", c_int32),
        ("channel", c_int32),
        ("delivered", c_int32),
        ("message_id", c_char * 260),
        ("timestamp", c_char * 20),
        ("message", c_char * 256),
    ]


class StatisticsStruct(Sized):
    """nexmo_statistics."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("state", c_int32),
        ("in_flight", c_int32),
        ("last_error", c_int32),
        ("last_error_http_status", c_int32),
        ("submitted", c_int64),
        ("accepted", c_int64),
        ("rejected", c_int64),
        ("expired", c_int64),
        ("replaced", c_int64),
        ("dropped", c_int64),
        ("damaged", c_int64),
        ("pending", c_int64),
        ("events", c_int64),
        ("events_discarded", c_int64),
        ("outbox_resets", c_int64),
        ("outbox_errors", c_int64),
        ("oldest_pending_ms", c_int64),
        ("last_error_unix_ms", c_int64),
        ("last_error_message", c_char * 256),
    ]
    _initial_ = {"oldest_pending_ms": -1, "last_error_unix_ms": -1}


Handle = c_void_p
"""nexmo_client * or nexmo_reporter *: an identifier, not an address."""

PROTOTYPES: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {
    "nexmo_status_name": (c_char_p, (c_int32,)),
    "nexmo_status_describe": (c_char_p, (c_int32,)),
    "nexmo_status_is_retryable": (c_int32, (c_int32,)),
    "nexmo_conversion_version": (c_char_p, ()),
    "nexmo_timestamp_from_unix": (c_int32, (c_int64, POINTER(c_char), c_size_t)),
    "nexmo_credentials_init": (None, (POINTER(CredentialsStruct), c_size_t)),
    "nexmo_options_init": (None, (POINTER(OptionsStruct), c_size_t)),
    "nexmo_result_init": (None, (POINTER(ResultStruct), c_size_t)),
    "nexmo_conversion_sms": (
        c_int32,
        (
            POINTER(CredentialsStruct),
            c_char_p,
            c_int32,
            c_char_p,
            POINTER(OptionsStruct),
            POINTER(ResultStruct),
        ),
    ),
    "nexmo_conversion_voice": (
        c_int32,
        (
            POINTER(CredentialsStruct),
            c_char_p,
            c_int32,
            c_char_p,
            POINTER(OptionsStruct),
            POINTER(ResultStruct),
        ),
    ),
    "nexmo_client_new": (
        c_int32,
        (
            POINTER(CredentialsStruct),
            POINTER(OptionsStruct),
            POINTER(Handle),
            POINTER(ResultStruct),
        ),
    ),
    "nexmo_client_report": (c_int32, (Handle, c_int32, c_char_p, c_int32, c_char_p, POINTER(ResultStruct))),
    "nexmo_client_free": (c_int32, (Handle,)),
    "nexmo_reporter_options_init": (None, (POINTER(ReporterOptionsStruct), c_size_t)),
    "nexmo_reporter_new": (
        c_int32,
        (
            POINTER(CredentialsStruct),
            POINTER(OptionsStruct),
            POINTER(ReporterOptionsStruct),
            POINTER(Handle),
            POINTER(ResultStruct),
        ),
    ),
    "nexmo_reporter_flush": (c_int32, (Handle, c_int32, POINTER(ResultStruct))),
    "nexmo_reporter_close": (c_int32, (Handle, c_int32, POINTER(ResultStruct))),
    "nexmo_reporter_free": (c_int32, (Handle,)),
    "nexmo_reporter_submit": (c_int32, (Handle, c_int32, c_char_p, c_int32, c_char_p, POINTER(ResultStruct))),
    "nexmo_reporter_poll": (c_int32, (Handle, c_int32, POINTER(EventStruct), POINTER(ResultStruct))),
    "nexmo_reporter_acknowledge": (c_int32, (Handle, c_int64, POINTER(ResultStruct))),
    "nexmo_reporter_fd": (c_int32, (Handle,)),
    "nexmo_event_init": (None, (POINTER(EventStruct), c_size_t)),
    "nexmo_reporter_statistics": (c_int32, (Handle, POINTER(StatisticsStruct), POINTER(ResultStruct))),
    "nexmo_statistics_init": (None, (POINTER(StatisticsStruct), c_size_t)),
    "nexmo_flat_open": (c_int32, (c_char_p, c_int32, POINTER(c_int64), POINTER(c_char), c_int32)),
    "nexmo_flat_close": (c_int32, (c_int64, c_int32, POINTER(c_char), c_int32)),
    "nexmo_flat_report": (
        c_int32,
        (
            c_int64,
            c_int32,
            c_char_p,
            c_int32,
            c_int32,
            c_char_p,
            c_int32,
            POINTER(c_int64),
            c_int32,
            POINTER(c_char),
            c_int32,
        ),
    ),
    "nexmo_flat_submit": (
        c_int32,
        (
            c_int64,
            c_int32,
            c_char_p,
            c_int32,
            c_int32,
            c_char_p,
            c_int32,
            POINTER(c_int64),
            c_int32,
            POINTER(c_char),
            c_int32,
        ),
    ),
    "nexmo_flat_flush": (c_int32, (c_int64, c_int32, POINTER(c_char), c_int32)),
    "nexmo_flat_poll": (
        c_int32,
        (
            c_int64,
            c_int32,
            POINTER(c_int64),
            c_int32,
            POINTER(c_char),
            c_int32,
            POINTER(c_char),
            c_int32,
            POINTER(c_char),
            c_int32,
        ),
    ),
    "nexmo_flat_acknowledge": (c_int32, (c_int64, c_int64, POINTER(c_char), c_int32)),
    "nexmo_flat_statistic": (c_int32, (c_int64, c_char_p, c_int32, POINTER(c_int64), POINTER(c_char), c_int32)),
    "nexmo_flat_status": (c_int32, (c_int32, POINTER(c_char), c_int32, POINTER(c_char), c_int32)),
    "nexmo_flat_version": (c_int32, (POINTER(c_char), c_int32)),
}
