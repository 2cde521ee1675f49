"""Statistics in the text format that Prometheus reads."""

import re
from typing import Iterator, Mapping, Optional, Tuple

from . import _values
from ._errors import refusal, wrong_type
from ._statistics import State, Statistics

_COUNTERS = (
    ("accepted", "Reports accepted by submit."),
    ("sent", "Reports taken by the service."),
    ("refused", "Reports refused by the service."),
    ("expired", "Reports grown older than the age limit."),
    ("replaced", "Reports replaced by a later one for the same message."),
    ("dropped", "Reports dropped because the outbox was full."),
    ("forgotten", "Reports set aside and forgotten before they were fetched."),
    ("outboxes_lost", "Outbox files that were damaged or removed while they were used, and replaced by new ones."),
    ("outbox_errors", "Times that the outbox could not be read or written in the background."),
)

_GAUGES = (
    ("pending", "Reports still to be sent."),
    ("aside", "Reports set aside that wait to be fetched."),
    ("under_way", "Reports being sent at this moment."),
    ("oldest_pending_seconds", "How long ago the oldest pending report was accepted; 0 if none is pending."),
    ("last_error_status", "What last went wrong in the background, as a status; 0 if nothing ever did."),
    ("last_error_timestamp_seconds", "When that was, in seconds since 1970; 0 if it never was."),
)

_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")

Labels = Mapping[str, str]


def prometheus_text(statistics: Statistics, labels: Optional[Labels] = None) -> str:
    """Gives statistics of a reporter in the text format that Prometheus reads: "text/plain; version=0.0.4".

    statistics: those of a `Reporter`.
    labels: are put on every sample, such as {"outbox": "conversions"}. A name has letters, digits and underscores, does
        not begin with a digit or two underscores, and is not "state"; a value is a text without a NUL. `CallerError`
        otherwise.

    All names begin with nexmo_reporter_. Counters end in _total; nexmo_reporter_state has a sample for each `State`,
    which is 1 for the one that the reporter is in. Of the processes that share an outbox, let one tell what the file
    counts.
    """
    if not isinstance(statistics, Statistics):
        raise wrong_type("statistics", statistics, "a Statistics")
    return "".join(f"{line}\n" for line in _lines(statistics, _checked({} if labels is None else labels)))


def _lines(statistics: Statistics, labels: Labels) -> Iterator[str]:
    for name, told in _COUNTERS:
        yield from _head(f"{name}_total", "counter", told)
        yield _sample(f"{name}_total", labels, getattr(statistics, name))
    values = _gauges(statistics)
    for name, told in _GAUGES:
        yield from _head(name, "gauge", told)
        yield _sample(name, labels, values[name])
    yield from _head("state", "gauge", "What the reporter does: 1 for its state, 0 for the others.")
    for state in State:
        yield _sample("state", {**labels, "state": _values.word(state)}, int(statistics.state == state))


def _gauges(statistics: Statistics) -> Mapping[str, float]:
    return {
        "pending": statistics.pending,
        "aside": statistics.aside,
        "under_way": statistics.under_way,
        "oldest_pending_seconds": (statistics.oldest_pending_ms or 0) / 1000,
        "last_error_status": statistics.last_error,
        "last_error_timestamp_seconds": (statistics.last_error_unix_ms or 0) / 1000,
    }


def _head(name: str, kind: str, told: str) -> Tuple[str, str]:
    return f"# HELP nexmo_reporter_{name} {told}", f"# TYPE nexmo_reporter_{name} {kind}"


def _sample(name: str, labels: Labels, value: float) -> str:
    written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"nexmo_reporter_{name}{f'{{{written}}}' if written else ''} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _checked(labels: Labels) -> Labels:
    if not isinstance(labels, Mapping):
        raise wrong_type("labels", labels, "a mapping of str to str, or None")
    for label, text in labels.items():
        _values.text("labels", label)
        _values.text("labels", text)
        if label == "state" or not _LABEL.fullmatch(label):
            raise refusal(f"labels has {label!r}, which is taken or no name for a label: give another")
    return labels
