"""What is raised when a report fails: one class for each family of statuses, and some for single ones."""

from typing import Dict, Tuple, Type

from . import _library
from ._result import Result
from ._status import Status


class Error(Exception):
    """A report failed. Its text is the message of the result, which never holds a secret.

    A failed report is kept nowhere: to repeat it is the caller's choice, which `is_retryable`, `result.taken` and
    `result.retry_after_ms` help to make.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return self.result.message

    @property
    def status(self) -> int:
        """The number of the failure; compare it with `Status`."""
        return self.result.status

    @property
    def name(self) -> str:
        """The name of the status in C, such as "NEXMO_ERR_TIMEOUT". Asks the library, as do the properties below."""
        return _library.status_name(self.status)

    @property
    def description(self) -> str:
        """What the status means: what happened, whether the report may have been taken, and what to do next."""
        return _library.status_describe(self.status)

    @property
    def is_retryable(self) -> bool:
        """Whether the same call, repeated later without any change, can succeed."""
        return _library.status_is_retryable(self.status)


class CallerError(Error, ValueError):
    """1 to 99: the call was refused; nothing was sent, but for `Cancelled`. Correct it as the message says.

    The refusals that Python makes before it calls the library have the status `Status.ARGUMENT`.
    """


class WrongType(CallerError, TypeError):
    """A value has a type that is not taken. Nothing was sent. Correct the call; the message names the parameter."""


class HandleError(CallerError):
    """5: the client is closed, by `close` or after a mistake of the library. Nothing was sent. Make another."""


class Cancelled(CallerError):
    """6: the client was closed during the call. `result.taken` says whether the report may have arrived. Repeat it
    through another client."""


class ConnectionFailed(Error, ConnectionError):
    """100 to 199: no answer came. `result.taken` says whether the report may have arrived. Mostly worth a repeat."""


class Timeout(ConnectionFailed, TimeoutError):
    """101: a time limit ran out. `result.taken` says whether the report may have arrived. Repeat later."""


class TlsError(ConnectionFailed):
    """102: the server is not trusted, or the TLS handshake failed. Do not repeat before the cause is mended."""


class ServiceError(Error):
    """200 to 299: the service, or something in its place, answered something else than success."""


class Unauthorized(ServiceError):
    """200: the credentials are wrong. Do not repeat before they are mended."""


class NotEnabled(ServiceError):
    """201: conversion is not enabled for the account, or its credentials are bad. Ask the service's support."""


class InvalidParameters(ServiceError):
    """202: the service refused the report for its parameters. Do not repeat it unchanged."""


class RateLimited(ServiceError):
    """203: too many reports for now. Repeat after `result.retry_after_ms`."""


class Unavailable(ServiceError):
    """204: the service cannot answer now. Repeat later, after `result.retry_after_ms` if it is not None."""


class OutboxError(Error):
    """300 to 399: the outbox did not accept a report, or has something to say about those that it holds."""


class InternalError(Error):
    """900 to 999: a mistake of the library was caught. Repeat once, and tell its developers what was called."""


_SINGLE: Dict[int, Type[Error]] = {
    Status.HANDLE: HandleError,
    Status.CANCELLED: Cancelled,
    Status.TIMEOUT: Timeout,
    Status.TLS: TlsError,
    Status.UNAUTHORIZED: Unauthorized,
    Status.NOT_ENABLED: NotEnabled,
    Status.INVALID_PARAMETERS: InvalidParameters,
    Status.RATE_LIMITED: RateLimited,
    Status.UNAVAILABLE: Unavailable,
}

_FAMILIES: Tuple[Tuple[range, Type[Error]], ...] = (
    (range(1, 100), CallerError),
    (range(100, 200), ConnectionFailed),
    (range(200, 300), ServiceError),
    (range(300, 400), OutboxError),
    (range(900, 1000), InternalError),
)


def of(result: Result) -> Error:
    """The error for a result that is no success; a status that is not known here gets the class of its family."""
    family = (kind for numbers, kind in _FAMILIES if result.status in numbers)
    kind = _SINGLE.get(result.status) or next(family, Error)
    return kind(result)


def refusal(message: str) -> CallerError:
    """The error for a value that Python refuses; `message` begins with the name of the parameter."""
    return CallerError(Result(Status.ARGUMENT, message=message))


def wrong_type(name: str, value: object, wanted: str) -> WrongType:
    """The error for a value of a wrong type. The value itself is not shown, for it may be a secret."""
    message = f"{name} is of type {type(value).__name__}: give {wanted}"
    return WrongType(Result(Status.ARGUMENT, message=message))
