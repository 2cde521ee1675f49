"""A report that was set aside, and why."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Optional

from . import _library, _values


class Reason(IntEnum):
    """Why a report was set aside."""

    NONE = 0
    """It was not: the library says so where there is nothing to fetch."""
    REFUSED = 1
    """The service refused the report."""
    EXPIRED = 2
    """The report grew older than `age_limit_s`. It may have been taken, if an attempt was not answered."""
    DROPPED = 3
    """The outbox was full, and this was its oldest report."""


class Channel(IntEnum):
    """What was reported on."""

    SMS = 1
    """An SMS."""
    VOICE = 2
    """A phone call."""


@dataclass(frozen=True)
class Aside:
    """A report that was set aside. Its text is a sentence for a log, which never holds a secret."""

    reason: int
    """Why: a `Reason`, or a number of a newer library."""
    http_status: int
    """The HTTP status that refused the report; 0 if none did."""
    channel: int
    """What was reported on: a `Channel`, or a number of a newer library."""
    message_id: str
    """As it was submitted."""
    delivered: bool
    """As it was submitted."""
    timestamp: str
    """When the user completed the action, as it was submitted, or the time of the submission: "yyyy-MM-dd HH:mm:ss" in
    UTC."""
    message: str
    """What happened, in a sentence."""

    def __str__(self) -> str:
        # The quotes keep a message_id with separators of lines within its own line.
        report = f"{_values.word(self.channel)} {self.message_id!r}"
        return f"the report on {report} was {_values.word(self.reason)}: {self.message}"


def read(filled: _library.AsideStruct) -> Optional[Aside]:
    """What the library handed out, or None if it was nothing."""
    if filled.reason == Reason.NONE:
        return None
    return Aside(
        reason=_values.known(Reason, filled.reason),
        http_status=filled.http_status,
        channel=_values.known(Channel, filled.channel),
        message_id=filled.message_id.decode("utf-8", "replace"),
        delivered=filled.delivered != 0,
        timestamp=filled.timestamp.decode("utf-8", "replace"),
        message=filled.message.decode("utf-8", "replace"),
    )
