"""The numbers that say what came of a call."""

from enum import IntEnum


class Status(IntEnum):
    """The statuses that this version of the package knows: NEXMO_OK, and NEXMO_ERR_ with the name behind it.

    A number keeps its meaning for ever. A newer library may give others, so `Error.status` and `Result.status` are
    plain integers, which compare with these; `status_describe` says what each means.
    """

    OK = 0

    NULL = 1
    STRUCT = 2
    FLAGS = 3
    ARGUMENT = 4
    HANDLE = 5
    CANCELLED = 6
    FORKED = 7

    NETWORK = 100
    TIMEOUT = 101
    TLS = 102
    PROTOCOL = 103
    PROXY = 104

    UNAUTHORIZED = 200
    NOT_ENABLED = 201
    INVALID_PARAMETERS = 202
    RATE_LIMITED = 203
    UNAVAILABLE = 204
    REDIRECTED = 205
    UNEXPECTED_STATUS = 206

    OUTBOX = 300
    OUTBOX_FULL = 301
    OUTBOX_BUSY = 302
    OUTBOX_CORRUPT = 303
    OUTBOX_ACCOUNT = 304
    PENDING = 305
    ASIDE = 306
    PARKED = 307
    CLOSED = 308

    INTERNAL = 900
