"""How a reporter keeps reports."""

import os
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Union

from . import _library, _values
from ._errors import wrong_type


class Durability(IntEnum):
    """What an accepted report survives."""

    PROCESS = 0
    """The end of the process, however it comes about."""
    POWER = 1
    """The loss of power too. Each submit waits for the disk; those of several threads wait together."""
    NONE = 2
    """Nothing: reports are in memory only, there is no file, and what was not sent when the process ends is lost."""


class WhenFull(IntEnum):
    """What a submit does when `most_reports` are pending."""

    REFUSE = 0
    """Refuses the new report with `OutboxFull`."""
    DROP_OLDEST = 1
    """Sets the oldest report aside as `Reason.DROPPED`, and accepts the new one."""


class Flag(IntFlag):
    """The bits of nexmo_reporter_options.flags."""

    ALLOW_NETWORK_FILE_SYSTEM = 1


@dataclass(frozen=True)
class ReporterOptions:
    """Where reports wait until the service has them, and how. Every number that stays 0 takes its default.

    Ranges and files are checked by the library when a `Reporter` is made; a value that cannot be passed to it at all
    (wrong type, a NUL, half of a surrogate pair, more than 32 bits) raises `CallerError` at once.
    """

    outbox: "Union[str, os.PathLike[str], None]" = None
    """Path of the outbox file, in a folder that exists; the file is made if it is not there, for its owner alone.
    Beside it stand files of its name with endings of their own, -wal, -shm, .lock and .ballast: they belong to it, and
    must be moved or removed with it and never while it is open. Any number of processes may share it, all for one
    account: api_key and base_url are kept in it. Required; None with `Durability.NONE`."""
    durability: int = Durability.PROCESS
    """What an accepted report survives: a `Durability`."""
    when_full: int = WhenFull.REFUSE
    """What a submit does when `most_reports` are pending: a `WhenFull`."""
    most_reports: int = 0
    """The most reports that may be pending, 1 to 1000000000. 0: 1000000, which take up to some 300 MB."""
    age_limit_s: int = 0
    """How old a report may grow before it is set aside, in seconds since its submission, 1 to 31536000 (365 days).
    0: 86400 (24 hours)."""
    connections: int = 0
    """How many reports may be under way at a time, each on a connection and a thread of the library's own, 1 to 256.
    0: 8."""
    lock_wait_ms: int = 0
    """How long a call waits for others that have the outbox locked, in milliseconds, 1 to 60000. 0: 100."""
    allow_network_file_system: bool = False
    """Allows an outbox on a network file system. Where its locks do not work, reports are sent more than once, or the
    file is damaged."""

    def __post_init__(self) -> None:
        struct(self)


def struct(options: ReporterOptions) -> _library.ReporterOptionsStruct:
    """`options` as the library takes them; refused are values that cannot be passed to it."""
    if not isinstance(options, ReporterOptions):
        raise wrong_type("reporter_options", options, "a ReporterOptions")
    allows = _values.boolean("allow_network_file_system", options.allow_network_file_system)
    return _library.ReporterOptionsStruct(
        flags=Flag.ALLOW_NETWORK_FILE_SYSTEM if allows else 0,
        outbox=_values.optional_path("outbox", options.outbox),
        durability=_values.number("durability", options.durability),
        when_full=_values.number("when_full", options.when_full),
        most_reports=_values.number("most_reports", options.most_reports),
        age_limit_s=_values.number("age_limit_s", options.age_limit_s),
        connections=_values.number("connections", options.connections),
        lock_wait_ms=_values.number("lock_wait_ms", options.lock_wait_ms),
    )
