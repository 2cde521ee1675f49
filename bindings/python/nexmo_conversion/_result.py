"""The outcome of a call."""

from dataclasses import dataclass
from typing import Optional

from . import _abi, _library
from ._abi import Acceptance


@dataclass(frozen=True)
class Result:
    """The outcome of a call: what `sms`, `voice` and `Client.report` return, and what an `Error` carries."""

    status: int
    """0 on success, otherwise a failure: a `Status`, or a number of a later library."""
    http_status: int = 0
    """The HTTP status of the last response; 0 if there was none."""
    attempts: int = 0
    """The number of requests made, including those that found no connection; 0 if none was made."""
    acceptance: Acceptance = Acceptance.NO
    """Whether the service may have accepted the report. After a submit that failed, `Acceptance.UNKNOWN` if the report
    may be in the outbox."""
    elapsed_us: int = 0
    """The duration of the call in microseconds."""
    retry_after_ms: Optional[int] = None
    """Suggested delay before retrying, in milliseconds, 0 to 3600000: the service's Retry-After, or the back-off that
    would have exceeded `timeout_ms`; None if there is none."""
    message: str = ""
    """What happened, as one line for a log. Never contains a secret."""


_BLANK = bytes(_abi.ResultStruct())
_ACCEPTANCE = {acceptance.value: acceptance for acceptance in Acceptance}


def blank() -> _abi.ResultStruct:
    """A new struct for the library to write."""
    return _abi.ResultStruct.from_buffer_copy(_BLANK)


def read(status: int, written: _abi.ResultStruct) -> Result:
    """The result of a call that returned `status`."""
    result = object.__new__(Result)
    # Sets all fields at once: the constructor of a frozen class sets them one by one, at several times the cost.
    result.__dict__.update(
        status=status,
        http_status=written.http_status,
        attempts=written.attempts,
        # A value of a later library is unknown here, so neither YES nor NO would be true.
        acceptance=_ACCEPTANCE.get(written.acceptance, Acceptance.UNKNOWN),
        elapsed_us=written.elapsed_us,
        retry_after_ms=None if written.retry_after_ms < 0 else written.retry_after_ms,
        message=written.message.decode("utf-8", "replace") or _library.status_describe(status),
    )
    return result
