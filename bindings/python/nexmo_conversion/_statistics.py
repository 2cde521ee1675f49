"""Statistics: the number of reports by outcome, and the state of a reporter."""

from dataclasses import dataclass
from typing import Optional

from . import _abi, _values
from ._abi import State, Status


@dataclass(frozen=True)
class Statistics:
    """The number of reports by outcome, and the state of a reporter.

    The counts are totals for the outbox, over all processes and reporters that ever used it; with `Durability.NONE`,
    they are totals for the reporter. `state`, `in_flight`, `outbox_resets`, `outbox_errors` and the last error belong
    to this reporter. `submitted` is the sum of `accepted`, `rejected`, `expired`, `replaced`, `dropped`, `damaged` and
    `pending`.
    """

    state: int
    """The state of this reporter: a `State`, or an int from a later version of the library."""
    in_flight: int
    """The number of reports that this reporter is sending."""
    submitted: int
    """The number of reports that `Reporter.submit` stored."""
    accepted: int
    """The number of reports that the service accepted."""
    rejected: int
    """The number of reports that the service rejected."""
    expired: int
    """The number of reports that reached the age `max_age_s`."""
    replaced: int
    """The number of reports that a later report for the same message replaced."""
    dropped: int
    """The number of reports that were dropped because the outbox was full."""
    damaged: int
    """The number of reports that were lost because they were missing from the outbox or could not be read back."""
    pending: int
    """The number of pending reports, including those in flight."""
    events: int
    """The number of unacknowledged events, at most 10000."""
    events_discarded: int
    """The number of events that were discarded because they were damaged or because there were more than 10000."""
    outbox_resets: int
    """The number of times that the outbox was found corrupt or removed and was replaced. A corrupt outbox is kept next
    to the new one, with .corrupt in its name."""
    outbox_errors: int
    """The number of times that the outbox could not be read or written in the background."""
    oldest_pending_ms: Optional[int]
    """The time since the submission of the oldest pending report, in milliseconds; None if no report is pending."""
    last_error: int
    """The last error in the background: a `Status`, or an int from a later version of the library; 0 if there was
    none."""
    last_error_http_status: int
    """The HTTP status of the last error; 0 if the error was not a response."""
    last_error_unix_ms: Optional[int]
    """The time of the last error, in milliseconds since 1970; None if there was none."""
    last_error_message: str
    """The message of the last error, as one line for a log. Never contains a secret."""


COUNTERS = (
    ("submitted", "Reports stored by submit."),
    ("accepted", "Reports accepted by the service."),
    ("rejected", "Reports rejected by the service."),
    ("expired", "Reports that reached the age max_age_s."),
    ("replaced", "Reports replaced by a later report for the same message."),
    ("dropped", "Reports dropped because the outbox was full."),
    ("damaged", "Reports lost because they were missing from the outbox or could not be read back."),
    ("events_discarded", "Events discarded because they were damaged or there were more than 10000."),
    ("outbox_resets", "Times that the outbox was found corrupt or removed and was replaced."),
    ("outbox_errors", "Times that the outbox could not be read or written in the background."),
)
"""The counters, with the help text of `prometheus_text` for each."""

GAUGES = (
    ("pending", "Pending reports, including those in flight."),
    ("events", "Unacknowledged events."),
    ("in_flight", "Reports that the reporter is sending."),
)
"""The gauges, with the help text of `prometheus_text` for each."""


def read(written: _abi.StatisticsStruct) -> Statistics:
    """Converts the statistics that the library returned."""
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
