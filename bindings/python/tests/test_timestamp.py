"""Tests the conversion of timestamps to the format of the service."""

import os
import time
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Optional

import pytest

import nexmo_conversion
from nexmo_conversion import InvalidCall
from sandbox import QUERY, Log, http_options


def at(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))


class Undecided(tzinfo):
    """A time zone without an offset, which makes a datetime naive although it has a tzinfo."""

    def utcoffset(self, moment: Optional[datetime]) -> None:
        return None

    def dst(self, moment: Optional[datetime]) -> None:
        return None

    def tzname(self, moment: Optional[datetime]) -> str:
        return "?"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2020, 1, 1, 12, 0, 0, tzinfo=timezone.utc), "2020-01-01 12:00:00"),
        (datetime(2020, 1, 1, 12, 0, 0, 999_999, tzinfo=timezone.utc), "2020-01-01 12:00:00"),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc), "1969-12-31 23:59:59"),
        (datetime(2020, 1, 1, 1, 30, tzinfo=at(5.5)), "2019-12-31 20:00:00"),
        (datetime(2020, 2, 28, 23, 0, tzinfo=at(-8)), "2020-02-29 07:00:00"),
        (datetime(2020, 1, 1, tzinfo=timezone(timedelta(microseconds=1))), "2019-12-31 23:59:59"),
        (datetime(1, 1, 1, tzinfo=timezone.utc), "0001-01-01 00:00:00"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc), "9999-12-31 23:59:59"),
    ],
)
def test_a_datetime_is_converted_to_utc(moment: datetime, text: str, log: Log) -> None:
    nexmo_conversion.sms(QUERY, "moment", True, moment, options=http_options())
    assert log.only()["timestamp"] == text


def test_the_local_time_zone_is_ignored(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "XXX-9")
    time.tzset()
    try:
        moment = datetime(2020, 1, 1, 12, tzinfo=at(1))
        nexmo_conversion.sms(QUERY, "zone", True, moment, options=http_options())
    finally:
        monkeypatch.undo()
        assert os.environ.get("TZ") == before
        time.tzset()
    assert log.only()["timestamp"] == "2020-01-01 11:00:00"


@pytest.mark.parametrize("moment", [datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=Undecided())])
def test_a_naive_datetime_is_an_error(moment: datetime, log: Log) -> None:
    with pytest.raises(InvalidCall, match=r"^timestamp is a datetime without a time zone, which is ambiguous"):
        nexmo_conversion.sms(QUERY, "naive", True, moment, options=http_options())
    assert log.records() == []


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=at(1)), datetime(9999, 12, 31, 23, 59, 59, tzinfo=at(-1))])
def test_a_datetime_out_of_range_is_an_error(moment: datetime, log: Log) -> None:
    with pytest.raises(InvalidCall, match=r"^timestamp is outside"):
        nexmo_conversion.sms(QUERY, "outside", True, moment, options=http_options())
    assert log.records() == []


def test_text_is_passed_unchanged(log: Log) -> None:
    nexmo_conversion.sms(QUERY, "text", True, "2020-02-29 23:59:59", options=http_options())
    assert log.only()["timestamp"] == "2020-02-29 23:59:59"
    with pytest.raises(InvalidCall, match=r"^timestamp ") as caught:
        nexmo_conversion.sms(QUERY, "text", True, "2020-01-01T12:00:00Z", options=http_options())
    assert caught.value.name == "NEXMO_ERR_INVALID_ARGUMENT"
    assert len(log.records()) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01 00:00:00"),
        (-1, "1969-12-31 23:59:59"),
        (1_577_880_000, "2020-01-01 12:00:00"),
        (-62_135_596_800, "0001-01-01 00:00:00"),
        (253_402_300_799, "9999-12-31 23:59:59"),
    ],
)
def test_unix_seconds_become_text(seconds: int, text: str) -> None:
    assert nexmo_conversion.timestamp_from_unix(seconds) == text


@pytest.mark.parametrize("seconds", [-62_135_596_801, 253_402_300_800, -(2**63), 2**63 - 1, 2**63, 2**64])
def test_seconds_out_of_range_are_an_error(seconds: int) -> None:
    with pytest.raises(InvalidCall, match=r"^seconds "):
        nexmo_conversion.timestamp_from_unix(seconds)


@pytest.mark.parametrize("seconds", [1.0, "0", None, True])
def test_seconds_must_be_an_int(seconds: object) -> None:
    with pytest.raises(TypeError, match=r"^seconds is of type "):
        nexmo_conversion.timestamp_from_unix(seconds)  # type: ignore[arg-type]
