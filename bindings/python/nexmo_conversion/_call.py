"""Calls functions of the library, and returns or raises their outcomes."""

from typing import Any, Optional, Tuple

from . import _errors, _library, _result, _timestamp, _values
from ._result import Result
from ._timestamp import Timestamp


def conversion(message_id: str, delivered: bool, timestamp: Timestamp) -> Tuple[bytes, bool, Optional[bytes]]:
    """Converts the values of a report for the library. Raises if a value cannot be passed to it."""
    return _values.text("message_id", message_id), _values.boolean("delivered", delivered), _timestamp.text(timestamp)


def complete(function: str, *arguments: Any) -> Result:
    """Calls a function of the library whose last parameter is a result. Returns the result, or raises if the call
    fails."""
    written = _result.blank()
    status: int = getattr(_library.functions(), function)(*arguments, written)
    result = _result.read(status, written)
    if status != 0:
        raise _errors.of(result)
    return result
