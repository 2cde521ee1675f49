"""What came of a report."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Optional

from . import _library


class Taken(IntEnum):
    """Whether the service may have taken a report, over all requests that were made for it."""

    NO = 0
    """Nothing of the report was written on any connection."""
    PERHAPS = 1
    """Something was written and no success came back; the status says what did."""
    YES = 2
    """The service said that it took the report."""


@dataclass(frozen=True)
class Result:
    """What came of a report: what `sms` and `voice` return, and what an `Error` carries."""

    status: int
    """0 on success, otherwise the number of a failure; see `Status`."""
    http_status: int = 0
    """The HTTP status of the last answer; 0 if there was none."""
    attempts: int = 0
    """How many requests were made, those that found no connection included; 0 if the call was refused."""
    taken: Taken = Taken.NO
    """Whether the service may have taken the report."""
    elapsed_us: int = 0
    """How long the call took, in microseconds."""
    retry_after_ms: Optional[int] = None
    """How long to wait before a repeat, in milliseconds: what the service asks for, 0 to 3600000, or a wait that would
    have passed `timeout_ms`; None if there is none."""
    message: str = ""
    """What happened, in a sentence for a log. Never holds a secret."""


_BLANK = bytes(_library.ResultStruct(retry_after_ms=-1))
_TAKEN = {taken.value: taken for taken in Taken}


def blank() -> _library.ResultStruct:
    """A struct for the library to fill, which says nothing if the library refuses to."""
    return _library.ResultStruct.from_buffer_copy(_BLANK)


def read(status: int, filled: _library.ResultStruct) -> Result:
    """The result of a call that returned `status`."""
    result = object.__new__(Result)
    # At once, where the constructor of a frozen class sets field after field, at several times the cost.
    result.__dict__.update(
        status=status,
        http_status=filled.http_status,
        attempts=filled.attempts,
        # What a newer library says there is not known here, so neither yes nor no would be honest.
        taken=_TAKEN.get(filled.taken, Taken.PERHAPS),
        elapsed_us=filled.elapsed_us,
        retry_after_ms=None if filled.retry_after_ms < 0 else filled.retry_after_ms,
        message=filled.message.decode("utf-8", "replace") or _library.status_describe(status),
    )
    return result
