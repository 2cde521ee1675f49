"""What became of a report that the service did not accept."""

from dataclasses import dataclass
from typing import Optional

from . import _abi, _values
from ._abi import Channel, EventKind


@dataclass(frozen=True)
class Event:
    """What became of a report that the service did not accept. Kept in the outbox until it is acknowledged.

    Its text, str(event), is one line for a log and never contains a secret.
    """

    id: int
    """Identifies the event for `Reporter.acknowledge`. Increases within an outbox, is not reused, and is below
    2**53."""
    kind: int
    """What became of the report: an `EventKind`, or a number of a later library."""
    channel: int
    """What the report is about: a `Channel`, or a number of a later library."""
    message_id: str
    """As submitted."""
    delivered: bool
    """As submitted."""
    timestamp: str
    """As submitted, or the time of the submission: "yyyy-MM-dd HH:mm:ss" in UTC."""
    http_status: int
    """The HTTP status of the response that rejected the report; 0 if none did."""
    created_unix_ms: int
    """When the event was created, in milliseconds since 1970."""
    message: str
    """What happened, as one line."""

    def __str__(self) -> str:
        # The quotes keep a message_id that contains line separators on one line.
        report = f"{_values.word(self.channel)} {self.message_id!r}"
        return f"the report on {report} was {_values.word(self.kind)}: {self.message}"


def read(written: _abi.EventStruct) -> Optional[Event]:
    """The event that the library returned, or None if there is none."""
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
