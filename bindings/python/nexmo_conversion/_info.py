"""What the library says of itself and of its statuses, and a small help with time. None of it blocks."""

from . import _library, _values
from ._errors import refusal


def status_name(status: int) -> str:
    """Gives the name of a status, such as "NEXMO_ERR_TIMEOUT", or "NEXMO_ERR_UNKNOWN" for a number of a newer library.

    status: a number of 32 bits; `CallerError` otherwise.
    """
    return _library.status_name(_values.number("status", status))


def status_describe(status: int) -> str:
    """Says in English what a status means: what happened, whether the report may have been taken, and what to do next.

    status: a number of 32 bits; `CallerError` otherwise.
    """
    return _library.status_describe(_values.number("status", status))


def status_is_retryable(status: int) -> bool:
    """Tells whether the same call, repeated later without any change, can succeed. False for an unknown number.

    status: a number of 32 bits; `CallerError` otherwise.
    """
    return _library.status_is_retryable(_values.number("status", status))


def version() -> str:
    """Gives the version of the library that is loaded, such as "1.0.0"."""
    return _library.version()


def timestamp_from_unix(seconds: int) -> str:
    """Turns seconds since 1970-01-01 00:00:00 UTC into the API's text form, "yyyy-MM-dd HH:mm:ss".

    seconds: -62135596800 to 253402300799, which are the years 1 to 9999; `CallerError` otherwise. For time.time() write
    int(time.time()).
    """
    status, text = _library.timestamp_from_unix(_values.number("seconds", seconds, bits=64))
    if status != 0:
        raise refusal("seconds lies outside of the years 1 to 9999: give -62135596800 to 253402300799")
    return text
