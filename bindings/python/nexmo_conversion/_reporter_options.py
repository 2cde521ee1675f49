"""Options for a reporter."""

import os
from dataclasses import dataclass
from typing import Union

from . import _abi, _values
from ._abi import Durability, Overflow, ReporterOptionsFlag, Status
from ._errors import NullPointer, wrong_type
from ._result import Result


@dataclass(frozen=True)
class ReporterOptions:
    """Options for a reporter and its outbox. In a numeric option, 0 selects the default. Immutable.

    The library checks values and files when a `Reporter` is created. A value that cannot be passed to the library (a
    wrong type, a NUL, an unpaired surrogate, more than 32 bits) raises `InvalidArgument` immediately.
    """

    outbox: "Union[str, os.PathLike[str], None]" = None
    """The path of the outbox file, in an existing directory. A missing file is created, readable only by its owner.
    Files with the same name and the suffix -wal, -shm, .lock or .reserve belong to the outbox: move or remove them
    together, and never while the outbox is open. Any number of processes may share an outbox if they all
    use the api_key and base_url stored in it. Required, except with `Durability.NONE`, where it must be None.

    A path that begins with ":" or like a URL ("name:", with a name of two or more letters, digits, "+", "." or "-") is
    rejected; use the str "./name:x" for a file with such a name. An os.PathLike is converted to a str first;
    pathlib.Path("./name:x") is also rejected, because pathlib removes the "./"."""
    durability: int = Durability.PROCESS
    """The failures that a submitted report survives: a `Durability`."""
    overflow: int = Overflow.FAIL
    """The behavior of a submit when `max_pending` reports are pending: an `Overflow`."""
    max_pending: int = 0
    """The maximum number of pending reports, 1 to 1000000000. 0: 1000000, which take up to about 300 MB."""
    max_age_s: int = 0
    """The time after submission at which a report expires, in seconds, 1 to 31536000 (365 days). 0: 86400 (24
    hours)."""
    max_in_flight: int = 0
    """The maximum number of reports in flight, each on its own connection and thread, 1 to 256. Within it, the reporter
    adapts their number to the service. 0: 64."""
    busy_timeout_ms: int = 0
    """The maximum time that a call waits while another process or reporter has the outbox locked, in milliseconds, 1 to
    60000. 0: 1000."""
    allow_network_file_system: bool = False
    """Whether to allow an outbox on a network file system. If its locks do not work, reports may be sent more
    than once or the file may be corrupted."""

    def __post_init__(self) -> None:
        struct(self)


def check(options: ReporterOptions) -> _abi.ReporterOptionsStruct:
    """Like `struct`, but also raises if the outbox is missing, because the message of the library would name NULL
    instead of None."""
    checked = struct(options)
    if options.outbox is None and options.durability in (Durability.PROCESS, Durability.POWER):
        message = "outbox is None: give the path of a file, or durability=Durability.NONE"
        raise NullPointer(Result(Status.NULL_POINTER, message=message))
    return checked


def struct(options: ReporterOptions) -> _abi.ReporterOptionsStruct:
    """Converts `options` for the library. Raises if a value cannot be passed to it."""
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
