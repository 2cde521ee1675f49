"""What the statuses mean."""

from . import _library, _values


def status_name(status: int) -> str:
    """Returns the name of a status in C, such as "NEXMO_ERR_TIMEOUT".

    status: any number of 32 bits; otherwise `InvalidArgument` is raised. For a number that the library does not know,
        the name is "NEXMO_ERR_UNKNOWN".

    Threads: any. Never blocks.
    """
    return _library.status_name(_values.number("status", status))


def status_describe(status: int) -> str:
    """Returns what a status means: what happened, whether the report may have been accepted, and what to do next.

    status: any number of 32 bits; otherwise `InvalidArgument` is raised.

    Threads: any. Never blocks.
    """
    return _library.status_describe(_values.number("status", status))


def status_is_retryable(status: int) -> bool:
    """Returns whether the same report can succeed if it is sent or submitted again later, unchanged, without anyone
    correcting anything.

    status: any number of 32 bits; otherwise `InvalidArgument` is raised. False for a number that the library does not
        know.

    Threads: any. Never blocks.
    """
    return _library.status_is_retryable(_values.number("status", status))
