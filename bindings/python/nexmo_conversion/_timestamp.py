"""When the user completed the action, as the service reads it: "yyyy-MM-dd HH:mm:ss", UTC."""

from datetime import datetime, timezone
from typing import Optional, Union

from . import _values
from ._errors import refusal, wrong_type

Timestamp = Union[datetime, str, None]


def text(timestamp: Timestamp) -> Optional[bytes]:
    """`timestamp` as the library takes it. Text goes through as it is, for the library to judge."""
    if timestamp is None:
        return None
    if isinstance(timestamp, str):
        return _values.text("timestamp", timestamp)
    if isinstance(timestamp, datetime):
        return _utc(timestamp).encode("ascii")
    raise wrong_type("timestamp", timestamp, 'a datetime with a time zone, or a "yyyy-MM-dd HH:mm:ss" in UTC')


def _utc(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise refusal(
            "timestamp is a datetime without a time zone, so which moment it means cannot be known: give one with "
            "tzinfo, such as datetime.now(timezone.utc)"
        )
    try:
        utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    except OverflowError:
        utc = None
    if utc is None:
        raise refusal("timestamp lies outside of the years 1 to 9999 in UTC: give a moment within")
    return utc.isoformat(sep=" ", timespec="seconds")
