"""What is raised when a call fails: one class for each family of statuses, and some for single ones."""

from typing import Dict, Tuple, Type

from . import _library
from ._result import Result
from ._status import Status


class Error(Exception):
    """A call failed. Its text is the message of the result, which never holds a secret.

    A report that fails is kept nowhere, and one that a `Reporter` does not accept neither: to repeat it is the caller's
    choice, which `is_retryable`, `result.taken` and `result.retry_after_ms` help to make.
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
    """5: the client is closed, or the reporter freed, by the program or after a mistake of the library. Nothing was
    sent. Make another."""


class Cancelled(CallerError):
    """6: the client was closed during the call, or the reporter freed during a flush or a close. `result.taken` says
    whether the report of a client may have arrived: repeat it through another. Reports in an outbox file stay there."""


class ConnectionFailed(Error, ConnectionError):
    """100 to 199: no answer came. `result.taken` says whether the report may have arrived. Mostly worth a repeat."""


class Timeout(ConnectionFailed, TimeoutError):
    """101: a time limit ran out. `result.taken` says whether the report may have arrived. Repeat later.

    From `Reporter.flush` it means that reports are left after the time given: they go out later, and nothing needs to
    be repeated."""


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
    """300 to 399: the outbox did not accept a report, or has something to say about those that it holds.

    300 itself: the outbox cannot be read or written; the message says why. A report that was submitted does not count
    as accepted, and is sent all the same if its disk failed at the last moment. Remove the cause, and submit again.
    """


class OutboxFull(OutboxError):
    """301: as many reports are pending as may be, or the disk is full. The report was not accepted: submit it later."""


class OutboxBusy(OutboxError):
    """302: others held the outbox for longer than `lock_wait_ms`. The report was not accepted: submit it again."""


class OutboxCorrupt(OutboxError):
    """303: the outbox is damaged, and still open elsewhere. The report was not accepted: submit it again once the
    others have closed the outbox, which is then set aside under another name."""


class OutboxAccount(OutboxError):
    """304: the outbox belongs to another account (api_key or base_url). The report was not accepted. Give each account
    an outbox of its own."""


class Pending(OutboxError):
    """305, from `close`: reports are left. They go out when a reporter next opens the outbox, and nothing needs to be
    repeated; with `Durability.NONE` they are lost."""


class SetAside(OutboxError):
    """306, from `flush`: none is left to be sent, and some were set aside. Fetch them with `poll`."""


class Parked(OutboxError):
    """307, from `flush`: the service takes no reports of the account, which was just tried. They stay in the outbox.
    Correct the account's credentials or settings; nothing needs to be repeated."""


class Closed(OutboxError):
    """308, from a submit: the reporter is closed. The report was not accepted: submit it through another reporter."""


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
    Status.OUTBOX_FULL: OutboxFull,
    Status.OUTBOX_BUSY: OutboxBusy,
    Status.OUTBOX_CORRUPT: OutboxCorrupt,
    Status.OUTBOX_ACCOUNT: OutboxAccount,
    Status.PENDING: Pending,
    Status.ASIDE: SetAside,
    Status.PARKED: Parked,
    Status.CLOSED: Closed,
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
