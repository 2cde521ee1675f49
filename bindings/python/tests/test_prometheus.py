"""Tests that the Prometheus text can be parsed and agrees with the statistics."""

import dataclasses
import re
from typing import Any, Dict, List, Tuple

import pytest

from nexmo_conversion import (
    Channel,
    InvalidCall,
    State,
    Statistics,
    Status,
    WrongType,
    _abi,
    _statistics,
    prometheus_text,
)
from reporters import flushed, in_memory

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Labels = Tuple[Tuple[str, str], ...]

BUSY = Statistics(
    state=State.BACKING_OFF,
    in_flight=1,
    submitted=44,
    accepted=3,
    rejected=4,
    expired=5,
    replaced=6,
    dropped=7,
    damaged=8,
    pending=11,
    events=12,
    events_discarded=13,
    outbox_resets=14,
    outbox_errors=15,
    oldest_pending_ms=1500,
    last_error=Status.UNAVAILABLE,
    last_error_http_status=503,
    last_error_unix_ms=1_577_880_000_250,
    last_error_message='a "message"',
)


class Read:
    """The type of each family and the value of each sample in a parsed text."""

    def __init__(self, text: str) -> None:
        self.types: Dict[str, str] = {}
        self.values: Dict[Tuple[str, Labels], float] = {}
        assert text.endswith("\n")
        helped: List[str] = []
        for line in text[:-1].split("\n"):
            if line.startswith("# HELP "):
                helped.append(line.split(" ")[2])
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                # The help line must come first, and all lines of a family must be consecutive.
                assert helped[-1] == name and name not in self.types
                self.types[name] = kind
            else:
                self.read(line)
        assert helped == list(self.types)

    def read(self, line: str) -> None:
        """Parses a sample, which belongs to the most recent family."""
        parsed = SAMPLE.fullmatch(line)
        assert parsed, line
        name = parsed[1]
        assert name == list(self.types)[-1]
        labels = tuple((label, unescaped(value)) for label, value in re.findall(LABEL, parsed[2] or ""))
        assert (name, labels) not in self.values
        self.values[name, labels] = float(line.rsplit(" ", 1)[1])

    def value(self, name: str) -> float:
        """Returns the value of the sample with this name and without labels."""
        return self.values[f"nexmo_reporter_{name}", ()]


def unescaped(value: str) -> str:
    return re.sub(r"\\.", lambda found: UNESCAPED[found[0]], value)


COUNTERS = [
    "submitted", "accepted", "rejected", "expired", "replaced", "dropped", "damaged", "events_discarded",
    "outbox_resets", "outbox_errors",
]  # fmt: skip
GAUGES = ["pending", "events", "in_flight"]


def test_every_counter_has_its_name() -> None:
    read = Read(prometheus_text(BUSY))
    for name in COUNTERS:
        assert read.types[f"nexmo_reporter_{name}_total"] == "counter"
        assert read.value(f"{name}_total") == getattr(BUSY, name)
    for name in GAUGES:
        assert read.types[f"nexmo_reporter_{name}"] == "gauge"
        assert read.value(name) == getattr(BUSY, name)
    assert read.value("oldest_pending_seconds") == 1.5
    assert read.value("last_error_status") == 44
    assert read.value("last_error_timestamp_seconds") == 1_577_880_000.25
    assert len(read.types) == len(COUNTERS) + len(GAUGES) + 4


def test_every_number_of_the_statistics_is_included() -> None:
    seen = {*COUNTERS, *GAUGES, "oldest_pending_ms", "last_error", "last_error_unix_ms", "state"}
    # The message of the last error is not a number.
    left_out = {"last_error_http_status", "last_error_message"}
    assert seen | left_out == {field.name for field in dataclasses.fields(Statistics)}


@pytest.mark.parametrize("state", [*State, 77])
def test_only_the_current_state_is_1(state: int) -> None:
    read = Read(prometheus_text(dataclasses.replace(BUSY, state=state)))
    for other in State:
        labels = (("state", other.name.lower()),)
        assert read.values["nexmo_reporter_state", labels] == (other == state)


def test_the_names_are_stable() -> None:
    lines = prometheus_text(BUSY, {"outbox": "shop"}).splitlines()
    assert lines[:3] == [
        "# HELP nexmo_reporter_submitted_total Reports stored by submit.",
        "# TYPE nexmo_reporter_submitted_total counter",
        'nexmo_reporter_submitted_total{outbox="shop"} 44',
    ]
    assert 'nexmo_reporter_state{outbox="shop",state="backing_off"} 1' in lines


VALUES = ["", "a b", 'quo"te', "back\\slash", "li\nne", '\\"\\n', "\\n", "ö☃", "{},=", "\r\t"]


@pytest.mark.parametrize("value", VALUES)
def test_labels_are_escaped(value: str) -> None:
    read = Read(prometheus_text(BUSY, {"outbox": value, "Host_1": "other"}))
    assert all(dict(labels)["outbox"] == value for _, labels in read.values)
    assert all(dict(labels)["Host_1"] == "other" for _, labels in read.values)


@pytest.mark.parametrize("label", ["", "1a", "a-b", "__name__", "state", "a b", "é", 'a"', "a\n"])
def test_an_invalid_label_is_an_error(label: str) -> None:
    with pytest.raises(InvalidCall, match="^labels "):
        prometheus_text(BUSY, {label: "value"})


@pytest.mark.parametrize("labels", [{"a": 1}, {1: "a"}, {"a": None}, "a", [("a", "b")]])
def test_labels_must_be_a_mapping_of_str(labels: Any) -> None:
    with pytest.raises(WrongType, match="^labels is of type "):
        prometheus_text(BUSY, labels)


def test_an_unencodable_value_is_an_error() -> None:
    for value in ("\ud800", "a\0"):
        with pytest.raises(InvalidCall, match="^labels contains "):
            prometheus_text(BUSY, {"a": value})


def test_only_statistics_are_accepted() -> None:
    with pytest.raises(WrongType, match="^statistics is of type "):
        prometheus_text({"accepted": 1})  # type: ignore[arg-type]


def test_statistics_of_a_reporter() -> None:
    with in_memory() as reporter:
        for number in range(3):
            reporter.submit(Channel.SMS, f"{number}", True)
        read = Read(prometheus_text(flushed(reporter)))
    assert [read.value(name) for name in ("submitted_total", "accepted_total", "pending")] == [3, 3, 0]
    assert [read.value(name) for name in ("oldest_pending_seconds", "last_error_status")] == [0, 0]
    assert read.value("last_error_timestamp_seconds") == 0


def test_unknown_numbers_of_a_later_library_are_kept() -> None:
    read = _statistics.read(_abi.StatisticsStruct(state=77, last_error=999, oldest_pending_ms=-1))
    assert (read.state, read.last_error, read.oldest_pending_ms) == (77, 999, None)
