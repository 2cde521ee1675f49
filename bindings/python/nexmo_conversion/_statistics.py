"""The number of reports and their outcomes, and what a reporter does."""

from dataclasses import dataclass
from typing import Optional

from . import _abi, _values
from ._abi import State, Status


@dataclass(frozen=True)
class Statistics:
    """The number of reports and their outcomes.

    The counts belong to the outbox, over all processes and reporters that ever used it; with `Durability.NONE` to the
    reporter. `state`, `in_flight`, `outbox_resets`, `outbox_errors` and the last error belong to this reporter.
    `submitted` is the sum of `accepted`, `rejected`, `expired`, `replaced`, `dropped`, `damaged` and `pending`.
    """

    state: int
    """What this reporter does: a `State`, or a number of a later library."""
    in_flight: int
    """The reports that this reporter is sending at this moment."""
    submitted: int
    """Stored by `Reporter.submit`."""
    accepted: int
    """Accepted by the service."""
    rejected: int
    """Rejected by the service."""
    expired: int
    """Older than `max_age_s`."""
    replaced: int
    """Replaced by a later report for the same message."""
    dropped: int
    """Dropped because the outbox was full."""
    damaged: int
    """Could not be read back and were removed."""
    pending: int
    """Still pending, those in flight included."""
    events: int
    """Events that wait to be acknowledged: at most 10000."""
    events_discarded: int
    """Events that were discarded because there were more."""
    outbox_resets: int
    """How often the outbox was found damaged or removed and was replaced by a new one. A damaged outbox is kept beside
    the new one, with .corrupt in its name."""
    outbox_errors: int
    """How often the outbox could not be read or written in the background."""
    oldest_pending_ms: Optional[int]
    """The time since the oldest pending report was submitted, in milliseconds; None if none is pending."""
    last_error: int
    """The last error in the background: a `Status`, or a number of a later library; 0 if there was none."""
    last_error_http_status: int
    """The HTTP status of the response that was the last error; 0 if it was not a response."""
    last_error_unix_ms: Optional[int]
    """When the last error happened, in milliseconds since 1970; None if there was none."""
    last_error_message: str
    """The last error as one line for a log. Never contains a secret."""


COUNTERS = (
    ("submitted", "Reports stored by submit."),
    ("accepted", "Reports accepted by the service."),
    ("rejected", "Reports rejected by the service."),
    ("expired", "Reports older than max_age_s."),
    ("replaced", "Reports replaced by a later one for the same message."),
    ("dropped", "Reports dropped because the outbox was full."),
    ("damaged", "Reports that could not be read back and were removed."),
    ("events_discarded", "Events discarded before they were acknowledged, because there were more than 10000."),
    ("outbox_resets", "Times that the outbox was found damaged or removed and was replaced by a new one."),
    ("outbox_errors", "Times that the outbox could not be read or written in the background."),
)
"""Numbers that only grow, with what `prometheus_text` says about each."""

GAUGES = (
    ("pending", "Reports that are pending, those in flight included."),
    ("events", "Events that wait to be acknowledged."),
    ("in_flight", "Reports being sent at this moment."),
)
"""Numbers that also fall, with what `prometheus_text` says about each."""


def read(written: _abi.StatisticsStruct) -> Statistics:
    """The statistics that the library returned."""
    counts = {name: getattr(written, name) for name, *_ in written._fields_ if name not in ("struct_size", "flags")}
    return Statistics(
        **{
            **counts,
            "state": _values.known(State, written.state),
            "last_error": _values.known(Status, written.last_error),
            "oldest_pending_ms": _not_negative(written.oldest_pending_ms),
            "last_error_unix_ms": _not_negative(written.last_error_unix_ms),
            "last_error_message": written.last_error_message.decode("utf-8", "replace"),
        }
    )


def _not_negative(number: int) -> Optional[int]:
    return None if number < 0 else number
