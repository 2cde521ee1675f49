"""Reports conversions to the Nexmo (Vonage) Conversion API.

A conversion report says whether a one-time code that was sent by SMS or phone call was effective.

    import nexmo_conversion
    from nexmo_conversion import Credentials

    credentials = Credentials.basic("abcd1234", "s3cret")
    nexmo_conversion.sms(credentials, "00A0B0C0", True)

`sms` and `voice` make one report and wait for the response; a failure raises a subclass of `Error`. A `Client` does the
same with credentials and options that are set once, and can be closed while other threads use it. A `Reporter` stores a
report in an outbox within microseconds and sends it in the background until the service accepts it, across crashes,
outages and restarts. The package calls the shared library libnexmo_conversion, which it loads at the first use (see
`load`). Every function may be called from any thread, concurrently; while a call waits, other threads run.
"""

from . import _errors
from ._abi import (
    Acceptance,
    Authentication,
    Channel,
    Durability,
    EventKind,
    Overflow,
    SignatureMethod,
    State,
    Status,
)
from ._client import Client
from ._credentials import Credentials
from ._errors import *
from ._event import Event
from ._library import LibraryError, LibraryNotFound, load
from ._options import Options
from ._prometheus import prometheus_text
from ._report import sms, voice
from ._reporter import Reporter
from ._reporter_options import ReporterOptions
from ._result import Result
from ._statistics import Statistics
from ._status import status_describe, status_is_retryable, status_name
from ._timestamp import timestamp_from_unix
from ._version import version

__all__ = [
    *_errors.__all__,
    "Acceptance",
    "Authentication",
    "Channel",
    "Client",
    "Credentials",
    "Durability",
    "Event",
    "EventKind",
    "LibraryError",
    "LibraryNotFound",
    "Options",
    "Overflow",
    "Reporter",
    "ReporterOptions",
    "Result",
    "SignatureMethod",
    "State",
    "Statistics",
    "Status",
    "load",
    "prometheus_text",
    "sms",
    "status_describe",
    "status_is_retryable",
    "status_name",
    "timestamp_from_unix",
    "version",
    "voice",
]
