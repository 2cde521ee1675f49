"""The outcome of a call."""

from dataclasses import dataclass
from typing import Optional

from . import _abi, _library
from ._abi import Acceptance


@dataclass(frozen=True)
class Result:
    """The outcome of a call. `sms`, `voice` and `Client.report` return a `Result`, and each `Error` contains one."""

    status: int
    """0 on success, otherwise the kind of failure: a `Status`, or an int from a later version of the library."""
    http_status: int = 0
    """The HTTP status of the response to the last attempt; 0 if that attempt got none."""
    attempts: int = 0
    """The number of attempts, including those that could not connect."""
    acceptance: Acceptance = Acceptance.NO
    """Whether the service may have accepted the report. After a failed submit, `Acceptance.UNKNOWN` if the report may
    be in the outbox."""
    elapsed_us: int = 0
    """The duration of the call in microseconds."""
    retry_after_ms: Optional[int] = None
    """The suggested delay before a retry, in milliseconds, 0 to 3600000: the service's Retry-After, or a back-off that
    would have exceeded `timeout_ms`; None if no delay is suggested."""
    message: str = ""
    """A description of the outcome, as one line for a log. Never contains a secret."""


_BLANK = bytes(_abi.ResultStruct())
_ACCEPTANCE = {acceptance.value: acceptance for acceptance in Acceptance}


def blank() -> _abi.ResultStruct:
    """Returns a new struct for the library to write."""
    return _abi.ResultStruct.from_buffer_copy(_BLANK)


def read(status: int, written: _abi.ResultStruct) -> Result:
    """Returns the result of a call that returned `status`."""
    result = object.__new__(Result)
    # Sets all fields at once, because the constructor of a frozen class sets them one by one, which takes several times
    # as long.
    result.__dict__.update(
        status=status,
        http_status=written.http_status,
        attempts=written.attempts,
        # A value from a later version of the library is unknown here, so neither YES nor NO would be correct.
        acceptance=_ACCEPTANCE.get(written.acceptance, Acceptance.UNKNOWN),
        elapsed_us=written.elapsed_us,
        retry_after_ms=None if written.retry_after_ms < 0 else written.retry_after_ms,
        message=written.message.decode("utf-8", "replace") or _library.status_describe(status),
    )
    return result
