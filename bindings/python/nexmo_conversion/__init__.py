"""Reports conversions to the Nexmo (Vonage) Conversion API.

A conversion says whether a one-time code, sent by SMS or phone call, did its job.

    import nexmo_conversion
    from nexmo_conversion import Credentials

    credentials = Credentials.basic("abcd1234", "s3cret")
    nexmo_conversion.sms(credentials, "00A0B0C0", True)

`sms` and `voice` make one report each and wait for the answer; what fails raises a subclass of `Error`. A `Client` says
once who reports and how, and can be closed while other threads use it. A `Reporter` takes reports over in microseconds
and sends them in the background until the service has them, across crashes, outages and restarts. The work is done by
the shared library libnexmo_conversion, which is loaded at the first use (see `load`). Every function may be called from
any thread, any number at once; other threads run on while one waits.
"""

from ._aside import Aside, Channel, Reason
from ._client import Client
from ._credentials import Authentication, Credentials, SignatureMethod
from ._errors import (
    CallerError,
    Cancelled,
    Closed,
    ConnectionFailed,
    Error,
    HandleError,
    InternalError,
    InvalidParameters,
    NotEnabled,
    OutboxAccount,
    OutboxBusy,
    OutboxCorrupt,
    OutboxError,
    OutboxFull,
    Parked,
    Pending,
    RateLimited,
    ServiceError,
    SetAside,
    Timeout,
    TlsError,
    Unauthorized,
    Unavailable,
    WrongType,
)
from ._info import status_describe, status_is_retryable, status_name, timestamp_from_unix, version
from ._library import LibraryError, LibraryNotFound, load
from ._options import Options
from ._prometheus import prometheus_text
from ._report import sms, voice
from ._reporter import Reporter
from ._reporter_options import Durability, ReporterOptions, WhenFull
from ._result import Result, Taken
from ._statistics import State, Statistics
from ._status import Status
from ._watch import Watch

__all__ = [
    "Aside",
    "Authentication",
    "CallerError",
    "Cancelled",
    "Channel",
    "Client",
    "Closed",
    "ConnectionFailed",
    "Credentials",
    "Durability",
    "Error",
    "HandleError",
    "InternalError",
    "InvalidParameters",
    "LibraryError",
    "LibraryNotFound",
    "NotEnabled",
    "Options",
    "OutboxAccount",
    "OutboxBusy",
    "OutboxCorrupt",
    "OutboxError",
    "OutboxFull",
    "Parked",
    "Pending",
    "RateLimited",
    "Reason",
    "Reporter",
    "ReporterOptions",
    "Result",
    "ServiceError",
    "SetAside",
    "SignatureMethod",
    "State",
    "Statistics",
    "Status",
    "Taken",
    "Timeout",
    "TlsError",
    "Unauthorized",
    "Unavailable",
    "Watch",
    "WhenFull",
    "WrongType",
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
