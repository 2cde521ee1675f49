"""The names and meanings of statuses."""

from . import _library, _values


def status_name(status: int) -> str:
    """Returns the name of a status in C, such as "NEXMO_ERR_TIMEOUT".

    status: any number that fits into 32 bits; other numbers raise `InvalidArgument`. The name of a number that the
        library does not know is "NEXMO_ERR_UNKNOWN".

    Threads: any. Never blocks.
    """
    return _library.status_name(_values.number("status", status))


def status_describe(status: int) -> str:
    """Returns the meaning of a status: what happened, whether the report may have been accepted, and what to do next.

    status: any number that fits into 32 bits; other numbers raise `InvalidArgument`.

    Threads: any. Never blocks.
    """
    return _library.status_describe(_values.number("status", status))


def status_is_retryable(status: int) -> bool:
    """Returns whether the same report can succeed later without any correction.

    status: any number that fits into 32 bits; other numbers raise `InvalidArgument`. The result is False for a number
        that the library does not know.

    Threads: any. Never blocks.
    """
    return _library.status_is_retryable(_values.number("status", status))
