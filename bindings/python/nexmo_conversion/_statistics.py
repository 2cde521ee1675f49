"""How many reports there were, what became of them, and what a reporter does."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Optional

from . import _library, _values


class State(IntEnum):
    """What a reporter does."""

    RUNNING = 0
    """It sends what comes in."""
    BACKING_OFF = 1
    """The service, or the way to it, is down. It tries again after growing waits of up to 30 s, or when the service
    asks for it."""
    PARKED = 2
    """The service takes no reports of the account (401, 402, 3xx or a status that it does not give). It tries one a
    minute; the reports stay."""
    CLOSED = 3
    """It is closed."""
    STANDING_BY = 4
    """Another process, or another reporter of this one, sends what is in the outbox. It takes over when that ends."""


@dataclass(frozen=True)
class Statistics:
    """How many reports there were, and what became of them.

    The counts belong to the outbox file, over all processes and reporters that ever used it; with `Durability.NONE` to
    the reporter. `accepted` is always the sum of `sent`, `refused`, `expired`, `replaced`, `dropped` and `pending`.
    """

    state: int
    """What this reporter does: a `State`, or a number of a newer library."""
    under_way: int
    """How many reports are being sent by this reporter at this moment."""
    accepted: int
    """Accepted by a submit."""
    sent: int
    """Taken by the service."""
    refused: int
    """Refused by the service."""
    expired: int
    """Grown older than the age limit."""
    replaced: int
    """Replaced by a later report for the same message."""
    dropped: int
    """Dropped, because the outbox was full."""
    pending: int
    """Still to be sent."""
    aside: int
    """Set aside, and waiting to be fetched by `poll`: at most 10000."""
    forgotten: int
    """Set aside and forgotten before they were fetched, because there were more."""
    outboxes_lost: int
    """How many outbox files were damaged or removed while this reporter used them, and replaced by new ones. A damaged
    one is kept beside the outbox under a name with .corrupt in it."""
    outbox_errors: int
    """How often this reporter could not read or write the outbox in the background."""
    oldest_pending_ms: Optional[int]
    """How long ago the oldest pending report was accepted, in milliseconds; None if none is pending."""
    last_error: int
    """What last went wrong in the background, as a `Status`; 0 if nothing ever did."""
    last_error_http_status: int
    """The HTTP status of the answer that was the last error; 0 if it was none."""
    last_error_unix_ms: Optional[int]
    """When the last error happened, in milliseconds since 1970; None if there was none."""
    last_error_message: str
    """The last error in a sentence for a log. Never holds a secret."""


def read(filled: _library.StatisticsStruct) -> Statistics:
    """What the library counted."""
    counts = {name: getattr(filled, name) for name, *_ in filled._fields_ if name not in ("struct_size", "flags")}
    return Statistics(
        **{
            **counts,
            "state": _values.known(State, filled.state),
            "oldest_pending_ms": _not_negative(filled.oldest_pending_ms),
            "last_error_unix_ms": _not_negative(filled.last_error_unix_ms),
            "last_error_message": filled.last_error_message.decode("utf-8", "replace"),
        }
    )


def _not_negative(number: int) -> Optional[int]:
    return None if number < 0 else number
