"""What is raised when a call fails: one class for each status, grouped by the bands of the statuses."""

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

# The class of each status, entered by the class itself.
_CLASSES: "Dict[int, Type[Error]]" = {}


class Error(Exception):
    """A call failed. Its text is the message of the result, which never contains a secret.

    A report that fails is not kept: whether to retry it is the caller's decision, for which there are `retryable`,
    `acceptance` and `retry_after`. A status that this version does not know raises the class of its band.
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
        """The status of the call: a `Status`, or a number of a later library."""
        return self.result.status

    @property
    def name(self) -> str:
        """The name of the status in C, such as "NEXMO_ERR_TIMEOUT"."""
        return _library.status_name(self.status)

    @property
    def description(self) -> str:
        """What the status means: what happened, whether the report may have been accepted, and what to do next."""
        return _library.status_describe(self.status)

    @property
    def retryable(self) -> bool:
        """Whether the same report can succeed if it is sent or submitted again later, unchanged, without anyone
        correcting anything."""
        return _library.status_is_retryable(self.status)

    @property
    def acceptance(self) -> Acceptance:
        """Whether the service may have accepted the report."""
        return self.result.acceptance

    @property
    def http_status(self) -> int:
        """The HTTP status of the last response; 0 if there was none."""
        return self.result.http_status

    @property
    def retry_after(self) -> Optional[float]:
        """Suggested delay before retrying, in seconds, as time.sleep takes it; None if there is none."""
        milliseconds = self.result.retry_after_ms
        return None if milliseconds is None else milliseconds / 1000


# --- 1 to 19 ---


class InvalidCall(Error, ValueError):
    """1 to 19: the call was invalid, and nothing was sent. Correct what the message names."""


class NullPointer(InvalidCall, status=Status.NULL_POINTER):
    """1: a required value is None. Give one."""


class StructSize(InvalidCall, status=Status.STRUCT_SIZE):
    """2: the library does not know a struct of this package. Load the library of this package's version."""


class UnknownFlags(InvalidCall, status=Status.UNKNOWN_FLAGS):
    """3: the library does not know a flag of this package. Load the library of this package's version."""


class InvalidArgument(InvalidCall, status=Status.INVALID_ARGUMENT):
    """4: an argument, or a file that it names, is invalid. Correct what the message names."""


class WrongType(InvalidArgument, TypeError):
    """4: an argument has a type that is not accepted. The message names the parameter, and never shows the value."""


class InvalidHandle(InvalidCall, status=Status.INVALID_HANDLE):
    """5: the client is closed, or the reporter is freed. Create another."""


class Closed(InvalidCall, status=Status.CLOSED):
    """6: the reporter is closed. A report was not stored: submit it to another reporter. From `Reporter.poll`: there
    are no more events."""


class Forked(InvalidCall, status=Status.FORKED):
    """7: the process was created without running the fork handlers. Use os.fork, multiprocessing or subprocess."""


# --- 20 to 39 ---


class NoResponse(Error):
    """20 to 39: there was no response from the service. `acceptance` says whether the report may have been accepted."""


class NetworkError(NoResponse, ConnectionError, status=Status.NETWORK):
    """20: the host name could not be resolved, no connection could be made, or it was lost. Retry later."""


class Timeout(NoResponse, TimeoutError, status=Status.TIMEOUT):
    """21: a time limit expired. Retry later."""


class TlsError(NoResponse, ConnectionError, status=Status.TLS):
    """22: the TLS handshake failed, or the server's certificate is not trusted. Before retrying, check `base_url`,
    `ca_file` and the machine's clock."""


class ProtocolError(NoResponse, ConnectionError, status=Status.PROTOCOL):
    """23: the response is not valid HTTP. Retry later; if the error persists, check `base_url`."""


class ProxyError(NoResponse, ConnectionError, status=Status.PROXY):
    """24: the proxy could not be reached, refused the connection, or sent no valid response. Retry later; if the error
    persists, check the proxy's address and credentials."""


class Cancelled(NoResponse, status=Status.CANCELLED):
    """25: the client was closed, or the reporter freed, during the call. Reports in an outbox file stay there."""


class SystemFailure(NoResponse, OSError, status=Status.SYSTEM):
    """26: the system has no file descriptor, memory or thread available, or a file cannot be read at the moment. Retry
    later; if the error persists, raise the limit that the message names."""


# --- 40 to 59 ---


class ServiceError(Error):
    """40 to 59: the service, or something in its place, sent a response other than success."""


class Unauthorized(ServiceError, status=Status.UNAUTHORIZED):
    """40: the credentials are wrong (401). Correct them before retrying."""


class NotEnabled(ServiceError, status=Status.NOT_ENABLED):
    """41: conversion is not enabled for the account, or its credentials are bad (402). Ask the service's support."""


class Rejected(ServiceError, status=Status.REJECTED):
    """42: the service rejected the report for its parameters (420, 422, 423). Do not retry it unchanged."""


class RateLimited(ServiceError, status=Status.RATE_LIMITED):
    """43: too many requests (429). Retry after `retry_after`."""


class Unavailable(ServiceError, status=Status.UNAVAILABLE):
    """44: the service is unavailable (408, 5xx). Retry later, after `retry_after` unless that is None."""


class Redirected(ServiceError, status=Status.REDIRECTED):
    """45: a redirect (3xx), which is never followed. Before retrying, check `base_url`."""


class UnexpectedStatus(ServiceError, status=Status.UNEXPECTED_STATUS):
    """46: an HTTP status that the Conversion API does not document. Before retrying, check `base_url`."""


# --- 60 to 79 ---


class ReporterError(Error):
    """60 to 79: a reporter or its outbox failed, or has not finished."""


class OutboxError(ReporterError, status=Status.OUTBOX):
    """60: the outbox cannot be read or written; the message says why. A submitted report was not stored, unless
    `acceptance` is `Acceptance.UNKNOWN`: then it may be stored and sent. Remove the cause, then repeat the call."""


class OutboxFull(OutboxError, status=Status.OUTBOX_FULL):
    """61: the outbox is full, or its disk is. A submitted report was not stored. Retry later."""


class OutboxBusy(OutboxError, status=Status.OUTBOX_BUSY):
    """62: others had the outbox locked for longer than `busy_timeout_ms`. A submitted report was not stored.
    Retry."""


class OutboxCorrupt(OutboxError, status=Status.OUTBOX_CORRUPT):
    """63: the outbox is corrupt, and still open elsewhere. A submitted report was not stored. Retry later: the outbox
    is replaced once all others have closed it."""


class OutboxWrongAccount(OutboxError, status=Status.OUTBOX_WRONG_ACCOUNT):
    """64: the outbox belongs to another account (`api_key` or `base_url`). A submitted report was not stored. Use a
    separate outbox for each account."""


class OutboxVersion(OutboxError, status=Status.OUTBOX_VERSION):
    """65: the outbox was created by a later version of the library. A submitted report was not stored. Load that
    version, or use another path."""


class Pending(ReporterError, status=Status.PENDING):
    """70: the time limit expired, or the reporter is closed, with reports still pending. Nothing needs to be done: they
    are sent later, except that a closed reporter with `Durability.NONE` loses them."""


class Suspended(ReporterError, status=Status.SUSPENDED):
    """71: the reporter is suspended, because the service accepts no reports of the account. They stay pending, except
    that a closed reporter with `Durability.NONE` loses them. Correct the account, its credentials or `base_url`; what
    is pending needs no second submit."""


# --- 99 ---


class InternalError(Error, status=Status.INTERNAL):
    """99: a bug in the library was caught. Check whether the report was accepted before reporting it again, and
    file a bug report."""


# A full band continues 1000 higher.
_BANDS: Tuple[Tuple[range, Type[Error]], ...] = (
    (range(1, 20), InvalidCall),
    (range(20, 40), NoResponse),
    (range(40, 60), ServiceError),
    (range(60, 80), ReporterError),
    (range(99, 100), InternalError),
)


def of(result: Result) -> Error:
    """The error for the result of a call that failed."""
    band = (kind for numbers, kind in _BANDS if result.status % 1000 in numbers)
    kind = _CLASSES.get(result.status) or next(band, Error)
    return kind(result)


def invalid(message: str) -> InvalidArgument:
    """The error for a value that Python rejects; `message` begins with the name of the parameter."""
    return InvalidArgument(Result(Status.INVALID_ARGUMENT, message=message))


def wrong_type(name: str, value: object, wanted: str) -> WrongType:
    """The error for a value of a wrong type. The value itself is not shown, because it may be a secret."""
    message = f"{name} is of type {type(value).__name__}: give {wanted}"
    return WrongType(Result(Status.INVALID_ARGUMENT, message=message))
