"""Exceptions for failed calls: one class for each status, grouped by ranges of statuses."""

from typing import Any, Dict, Optional, Tuple, Type

from . import _library
from ._abi import Acceptance, Status
from ._result import Result

__all__ = [
    "Cancelled",
    "Closed",
    "Error",
    "Forked",
    "InternalError",
    "InvalidArgument",
    "InvalidCall",
    "InvalidHandle",
    "NetworkError",
    "NoResponse",
    "NotEnabled",
    "NullPointer",
    "OutboxBusy",
    "OutboxCorrupt",
    "OutboxError",
    "OutboxFull",
    "OutboxVersion",
    "OutboxWrongAccount",
    "Pending",
    "ProtocolError",
    "ProxyError",
    "RateLimited",
    "Redirected",
    "Rejected",
    "ReporterError",
    "ServiceError",
    "StructSize",
    "Suspended",
    "SystemFailure",
    "Timeout",
    "TlsError",
    "Unauthorized",
    "Unavailable",
    "UnexpectedStatus",
    "UnknownFlags",
    "WrongType",
]

# The class of each status. Defining a class adds it.
_CLASSES: "Dict[int, Type[Error]]" = {}


class Error(Exception):
    """The error of a failed call. str(error) is the message of the result, which never contains a secret.

    `sms`, `voice` and `Client.report` do not keep a report that fails: `retryable`, `acceptance` and `retry_after` help
    the caller decide whether to retry it.
    A status that this version does not know raises the class of its range.
    """

    def __init_subclass__(cls, status: Optional[int] = None, **others: Any) -> None:
        super().__init_subclass__(**others)
        if status is not None:
            _CLASSES[status] = cls

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result
        """The outcome of the call."""

    def __str__(self) -> str:
        return self.result.message

    @property
    def status(self) -> int:
        """The status of the call: a `Status`, or an int from a later version of the library."""
        return self.result.status

    @property
    def name(self) -> str:
        """The name of the status in C, such as "NEXMO_ERR_TIMEOUT"."""
        return _library.status_name(self.status)

    @property
    def description(self) -> str:
        """The meaning of the status: what happened, whether the report may have been accepted, and what to do next."""
        return _library.status_describe(self.status)

    @property
    def retryable(self) -> bool:
        """Whether the same report can succeed later without any correction."""
        return _library.status_is_retryable(self.status)

    @property
    def acceptance(self) -> Acceptance:
        """Whether the service may have accepted the report."""
        return self.result.acceptance

    @property
    def http_status(self) -> int:
        """The HTTP status of the response to the last attempt; 0 if that attempt got none."""
        return self.result.http_status

    @property
    def retry_after(self) -> Optional[float]:
        """The suggested delay before a retry, in seconds as for time.sleep; None if no delay is suggested."""
        milliseconds = self.result.retry_after_ms
        return None if milliseconds is None else milliseconds / 1000


# --- 1 to 19 ---


class InvalidCall(Error, ValueError):
    """1 to 19: the call was invalid, and nothing was sent. The message says what to correct."""


class NullPointer(InvalidCall, status=Status.NULL_POINTER):
    """1: a required value is None. Pass a value."""


class StructSize(InvalidCall, status=Status.STRUCT_SIZE):
    """2: the library does not accept the size of a struct that this package passed. Load the version of the library
    that matches this package."""


class UnknownFlags(InvalidCall, status=Status.UNKNOWN_FLAGS):
    """3: the library does not know a flag that this package passed. Load the version of the library that matches this
    package."""


class InvalidArgument(InvalidCall, status=Status.INVALID_ARGUMENT):
    """4: an argument, or a file that it names, is invalid. Correct the argument or file that the message names."""


class WrongType(InvalidArgument, TypeError):
    """4: an argument has the wrong type. The message names the parameter and never shows the value."""


class InvalidHandle(InvalidCall, status=Status.INVALID_HANDLE):
    """5: the client is closed, or the reporter is freed. Create a new one."""


class Closed(InvalidCall, status=Status.CLOSED):
    """6: the reporter is closed. A submitted report was not stored: submit it to another reporter. `Reporter.poll`
    raises this exception if there are no more events."""


class Forked(InvalidCall, status=Status.FORKED):
    """7: the process was created without running the fork handlers. Use os.fork, multiprocessing or subprocess."""


# --- 20 to 39 ---


class NoResponse(Error):
    """20 to 39: the service sent no valid response. `acceptance` says whether the report may have been accepted."""


class NetworkError(NoResponse, ConnectionError, status=Status.NETWORK):
    """20: the host name could not be resolved, or the connection failed or was lost. Retry later."""


class Timeout(NoResponse, TimeoutError, status=Status.TIMEOUT):
    """21: a time limit expired. Retry later."""


class TlsError(NoResponse, ConnectionError, status=Status.TLS):
    """22: the TLS handshake failed, or the server's certificate is not trusted. Before retrying, check `base_url`,
    `ca_file` and the machine's clock."""


class ProtocolError(NoResponse, ConnectionError, status=Status.PROTOCOL):
    """23: the head of the response is not valid HTTP or exceeds a limit. Retry later; if the error persists,
    check `base_url`."""


class ProxyError(NoResponse, ConnectionError, status=Status.PROXY):
    """24: the proxy could not be reached, refused the connection, or sent no valid response. Retry later; if the error
    persists, check the proxy's address and credentials."""


class Cancelled(NoResponse, status=Status.CANCELLED):
    """25: the client was closed, or the reporter freed, during the call. Reports in an outbox file stay there."""


class SystemFailure(NoResponse, OSError, status=Status.SYSTEM):
    """26: the system has no file descriptor, memory or thread available, or a file cannot currently be read. Retry
    later; if the error persists, raise the limit that the message names."""


# --- 40 to 59 ---


class ServiceError(Error):
    """40 to 59: the service, or another server in its place, sent a response that is not a success."""


class Unauthorized(ServiceError, status=Status.UNAUTHORIZED):
    """40: the credentials are wrong (401). Correct them before retrying."""


class NotEnabled(ServiceError, status=Status.NOT_ENABLED):
    """41: conversion is not enabled for the account, or its credentials are bad (402). Contact the service's
    support team."""


class Rejected(ServiceError, status=Status.REJECTED):
    """42: the service rejected the parameters of the report (420, 422, 423). Do not retry it unchanged."""


class RateLimited(ServiceError, status=Status.RATE_LIMITED):
    """43: too many requests (429). Retry later; wait `retry_after` seconds unless that is None."""


class Unavailable(ServiceError, status=Status.UNAVAILABLE):
    """44: the service is unavailable (408, 5xx). Retry later; wait `retry_after` seconds unless that is None."""


class Redirected(ServiceError, status=Status.REDIRECTED):
    """45: the response is a redirect (3xx), which is never followed. Before retrying, check `base_url`."""


class UnexpectedStatus(ServiceError, status=Status.UNEXPECTED_STATUS):
    """46: the response has an HTTP status that the Conversion API does not document. Before retrying, check
    `base_url`."""


# --- 60 to 79 ---


class ReporterError(Error):
    """60 to 79: a reporter or its outbox failed, or reports are still pending."""


class OutboxError(ReporterError, status=Status.OUTBOX):
    """60: the outbox cannot be read or written; the message says why. A submitted report was not stored, unless
    `acceptance` is `Acceptance.UNKNOWN`: then the report may be stored and sent. Remove the cause, then repeat the
    call."""


class OutboxFull(OutboxError, status=Status.OUTBOX_FULL):
    """61: the outbox or its disk is full. A submitted report was not stored. Retry later."""


class OutboxBusy(OutboxError, status=Status.OUTBOX_BUSY):
    """62: other processes or reporters had the outbox locked for longer than `busy_timeout_ms`. A submitted report was
    not stored. Retry."""


class OutboxCorrupt(OutboxError, status=Status.OUTBOX_CORRUPT):
    """63: the outbox is corrupt and still open elsewhere. A submitted report was not stored. Retry later: the outbox is
    replaced once all other processes have closed it."""


class OutboxWrongAccount(OutboxError, status=Status.OUTBOX_WRONG_ACCOUNT):
    """64: the outbox belongs to another account (`api_key` or `base_url`). A submitted report was not stored. Use a
    separate outbox for each account."""


class OutboxVersion(OutboxError, status=Status.OUTBOX_VERSION):
    """65: the outbox was created by a later version of the library. A submitted report was not stored. Load that
    version, or use another path."""


class Pending(ReporterError, status=Status.PENDING):
    """70: reports were still pending when the time limit expired or the reporter was closed. With `Durability.NONE`, a
    closed reporter has lost them; otherwise they are sent later and need not be submitted again."""


class Suspended(ReporterError, status=Status.SUSPENDED):
    """71: the reporter is suspended because the service accepts no reports from this account. With
    `Durability.NONE`, a closed reporter has lost its pending reports; otherwise they stay pending and need not be
    submitted again. Correct the account, its credentials or `base_url`."""


# --- 99 ---


class InternalError(Error, status=Status.INTERNAL):
    """99: the library caught an internal error, which is a bug. Before reporting again, check `acceptance`: it says
    whether the report may have been accepted. File a bug report."""


# When all numbers of a range are in use, its further statuses are numbered 1000 higher.
_BANDS: Tuple[Tuple[range, Type[Error]], ...] = (
    (range(1, 20), InvalidCall),
    (range(20, 40), NoResponse),
    (range(40, 60), ServiceError),
    (range(60, 80), ReporterError),
    (range(99, 100), InternalError),
)


def of(result: Result) -> Error:
    """Returns the error for the result of a failed call."""
    band = (kind for numbers, kind in _BANDS if result.status % 1000 in numbers)
    kind = _CLASSES.get(result.status) or next(band, Error)
    return kind(result)


def invalid(message: str) -> InvalidArgument:
    """Returns the error for a value that this package rejects. `message` begins with the name of the parameter."""
    return InvalidArgument(Result(Status.INVALID_ARGUMENT, message=message))


def wrong_type(name: str, value: object, wanted: str) -> WrongType:
    """Returns the error for a value of the wrong type. The message omits the value, which may be a secret."""
    message = f"{name} is of type {type(value).__name__}: give {wanted}"
    return WrongType(Result(Status.INVALID_ARGUMENT, message=message))
