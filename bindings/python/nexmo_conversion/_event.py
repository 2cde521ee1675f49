"""Events: the outcomes of reports that were rejected, expired or dropped."""

from dataclasses import dataclass
from typing import Optional

from . import _abi, _values
from ._abi import Channel, EventKind


@dataclass(frozen=True)
class Event:
    """The outcome of a report that was rejected, expired or dropped. The outbox keeps the event until it is
    acknowledged, but discards the oldest of more than 10,000 events.

    str(event) is one line for a log and never contains a secret.
    """

    id: int
    """The id for `Reporter.acknowledge`. Ids increase within an outbox, are never reused, and are below 2**53."""
    kind: int
    """The outcome of the report: an `EventKind`, or an int from a later version of the library."""
    channel: int
    """The channel of the report: a `Channel`, or an int from a later version of the library."""
    message_id: str
    """The message id, as submitted."""
    delivered: bool
    """Whether the user completed the action, as submitted."""
    timestamp: str
    """The timestamp as submitted, or the time of submission: "yyyy-MM-dd HH:mm:ss" in UTC."""
    http_status: int
    """The HTTP status of the response that rejected the report; 0 if no response rejected it."""
    created_unix_ms: int
    """The time at which the event was created, in milliseconds since 1970."""
    message: str
    """The reason, as one line."""

    def __str__(self) -> str:
        # repr keeps a message_id that contains line separators on one line.
        report = f"{_values.word(self.channel)} {self.message_id!r}"
        return f"the report on {report} was {_values.word(self.kind)}: {self.message}"


def read(written: _abi.EventStruct) -> Optional[Event]:
    """Converts the event that the library returned. Returns None if there is no event."""
    if written.kind == _abi.NEXMO_EVENT_NONE:
        return None
    return Event(
        id=written.id,
        kind=_values.known(EventKind, written.kind),
        channel=_values.known(Channel, written.channel),
        message_id=written.message_id.decode("utf-8", "replace"),
        delivered=written.delivered != 0,
        timestamp=written.timestamp.decode("utf-8", "replace"),
        http_status=written.http_status,
        created_unix_ms=written.created_unix_ms,
        message=written.message.decode("utf-8", "replace"),
    )
