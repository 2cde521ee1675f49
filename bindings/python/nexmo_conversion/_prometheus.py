"""Formats statistics for Prometheus."""

import re
from typing import Iterator, Mapping, Optional, Tuple

from . import _values
from ._abi import State
from ._errors import invalid, wrong_type
from ._statistics import COUNTERS, GAUGES, Statistics

_OTHER_GAUGES = (
    ("oldest_pending_seconds", "The time since the oldest pending report was submitted; 0 if none is pending."),
    ("last_error_status", "The status of the last error in the background; 0 if there was none."),
    ("last_error_timestamp_seconds", "The time of the last error, in seconds since 1970; 0 if there was none."),
)

_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")

Labels = Mapping[str, str]


def prometheus_text(statistics: Statistics, labels: Optional[Labels] = None) -> str:
    """Returns the statistics of a reporter in the Prometheus text format, "text/plain; version=0.0.4".

    statistics: the return value of `Reporter.statistics`.
    labels: added to every sample, such as {"outbox": "conversions"}. A name consists of letters, digits and
        underscores, begins with neither a digit nor two underscores, and is not "state"; a value is a str without a
        NUL. Other names and values raise `InvalidArgument`, and wrong types `WrongType`.

    All names begin with nexmo_reporter_. Counters end in _total; nexmo_reporter_state has one sample per `State`, which
    is 1 for the reporter's state and 0 for the other states. Export from only one of the processes that share an
    outbox, because the counts belong to the file.

    Threads: any. Never blocks.
    """
    if not isinstance(statistics, Statistics):
        raise wrong_type("statistics", statistics, "a Statistics")
    return "".join(f"{line}\n" for line in _lines(statistics, _checked({} if labels is None else labels)))


def _lines(statistics: Statistics, labels: Labels) -> Iterator[str]:
    for name, meaning in COUNTERS:
        yield from _head(f"{name}_total", "counter", meaning)
        yield _sample(f"{name}_total", labels, getattr(statistics, name))
    values = _gauges(statistics)
    for name, meaning in (*GAUGES, *_OTHER_GAUGES):
        yield from _head(name, "gauge", meaning)
        yield _sample(name, labels, values[name])
    yield from _head("state", "gauge", "The state of the reporter: 1 for the current state, 0 for the others.")
    for state in State:
        yield _sample("state", {**labels, "state": _values.word(state)}, int(statistics.state == state))


def _gauges(statistics: Statistics) -> Mapping[str, float]:
    return {
        **{name: getattr(statistics, name) for name, _ in GAUGES},
        "oldest_pending_seconds": (statistics.oldest_pending_ms or 0) / 1000,
        "last_error_status": int(statistics.last_error),
        "last_error_timestamp_seconds": (statistics.last_error_unix_ms or 0) / 1000,
    }


def _head(name: str, kind: str, meaning: str) -> Tuple[str, str]:
    return f"# HELP nexmo_reporter_{name} {meaning}", f"# TYPE nexmo_reporter_{name} {kind}"


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
            raise invalid(f"labels contains {label!r}, which is reserved or not a valid name: give another name")
    return labels
