"""Timestamps of user actions in the format of the API, "yyyy-MM-dd HH:mm:ss" in UTC."""

from datetime import datetime, timezone
from typing import Optional, Union

from . import _library, _values
from ._errors import invalid, wrong_type

Timestamp = Union[datetime, str, None]


def timestamp_from_unix(seconds: int) -> str:
    """Converts a UNIX time to the format of the API, "yyyy-MM-dd HH:mm:ss" in UTC.

    seconds: seconds since 1970-01-01 00:00:00 UTC, -62135596800 to 253402300799 (the years 1 to 9999); other numbers
        raise `InvalidArgument`. For the current time write int(time.time()).

    Threads: any. Never blocks.
    """
    status, text = _library.timestamp_from_unix(_values.number("seconds", seconds, bits=64))
    if status != 0:
        raise invalid("seconds is outside the years 1 to 9999: give -62135596800 to 253402300799")
    return text


def text(timestamp: Timestamp) -> Optional[bytes]:
    """Converts `timestamp` for the library. A str is passed on unchanged, and the library checks it."""
    if timestamp is None:
        return None
    if isinstance(timestamp, str):
        return _values.text("timestamp", timestamp)
    if isinstance(timestamp, datetime):
        return _utc(timestamp).encode("ascii")
    raise wrong_type("timestamp", timestamp, 'a datetime with a time zone, or a "yyyy-MM-dd HH:mm:ss" in UTC')


def _utc(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise invalid(
            "timestamp is a datetime without a time zone, which is ambiguous: give one with tzinfo, such as "
            "datetime.now(timezone.utc)"
        )
    try:
        utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    except OverflowError:
        utc = None
    if utc is None:
        raise invalid("timestamp is outside the years 1 to 9999 in UTC: give a time in these years")
    return utc.isoformat(sep=" ", timespec="seconds")
