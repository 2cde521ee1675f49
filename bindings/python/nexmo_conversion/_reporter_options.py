"""How a reporter keeps reports."""

import os
from dataclasses import dataclass
from typing import Union

from . import _abi, _values
from ._abi import Durability, Overflow, ReporterOptionsFlag, Status
from ._errors import NullPointer, wrong_type
from ._result import Result


@dataclass(frozen=True)
class ReporterOptions:
    """How a reporter keeps reports. Every number that is 0 selects its default. Immutable.

    The library checks ranges and files when a `Reporter` is created. A value that cannot be passed to it (wrong type, a
    NUL, an unpaired surrogate, more than 32 bits) raises `InvalidArgument` immediately.
    """

    outbox: "Union[str, os.PathLike[str], None]" = None
    """Path of the outbox file, in a directory that exists; the file is created if it does not, readable by its owner
    only. Files with the same name and -wal, -shm, .lock or .reserve at the end belong to it: move or remove them
    together, and never while it is open. Any number of processes may share it, all for one account: api_key and
    base_url are stored in it. Required, except that it is None with `Durability.NONE`.

    A path that begins with ":", or like a URL ("name:", of two or more letters, digits, "+", "." or "-"), is rejected;
    the str "./name:x" names such a file. An os.PathLike is converted to a str first, and pathlib removes the "./": so
    pathlib.Path("./name:x") is rejected too."""
    durability: int = Durability.PROCESS
    """What a submitted report survives: a `Durability`."""
    overflow: int = Overflow.FAIL
    """What a submit does when `max_pending` reports are pending: an `Overflow`."""
    max_pending: int = 0
    """The most reports that may be pending, 1 to 1000000000. 0: 1000000, which take up to about 300 MB."""
    max_age_s: int = 0
    """The age at which a report expires, in seconds since it was submitted, 1 to 31536000 (365 days). 0: 86400 (24
    hours)."""
    max_in_flight: int = 0
    """The most reports in flight at a time, each on its own connection and thread, 1 to 256. 0: chosen by the
    library."""
    busy_timeout_ms: int = 0
    """How long a call waits while others have the outbox locked, in milliseconds, 1 to 60000. 0: 1000."""
    allow_network_file_system: bool = False
    """Allows an outbox on a network file system. Where its locks do not work, reports are sent more than once, or the
    file is damaged."""

    def __post_init__(self) -> None:
        struct(self)


def check(options: ReporterOptions) -> _abi.ReporterOptionsStruct:
    """As `struct`. Raises if the outbox is missing too, because the library's message says NULL where Python says
    None."""
    checked = struct(options)
    if options.outbox is None and options.durability in (Durability.PROCESS, Durability.POWER):
        message = "outbox is None: give the path of a file, or durability=Durability.NONE"
        raise NullPointer(Result(Status.NULL_POINTER, message=message))
    return checked


def struct(options: ReporterOptions) -> _abi.ReporterOptionsStruct:
    """`options` as the library takes them. Raises if a value cannot be passed to it."""
    if not isinstance(options, ReporterOptions):
        raise wrong_type("reporter_options", options, "a ReporterOptions")
    allows = _values.boolean("allow_network_file_system", options.allow_network_file_system)
    return _abi.ReporterOptionsStruct(
        flags=ReporterOptionsFlag.ALLOW_NETWORK_FILE_SYSTEM if allows else 0,
        outbox=_values.optional_path("outbox", options.outbox),
        durability=_values.number("durability", options.durability),
        overflow=_values.number("overflow", options.overflow),
        max_pending=_values.number("max_pending", options.max_pending),
        max_age_s=_values.number("max_age_s", options.max_age_s),
        max_in_flight=_values.number("max_in_flight", options.max_in_flight),
        busy_timeout_ms=_values.number("busy_timeout_ms", options.busy_timeout_ms),
    )
