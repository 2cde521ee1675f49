"""The C library: where it is found, how it is loaded, its structs and its functions.

No other module knows ctypes. Names, sizes and parameters are those of nexmo_conversion.h, to which the tests hold them.
"""

import ctypes
import os
import sys
import threading
from ctypes import POINTER, c_char, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from typing import Any, Optional, Tuple, Union

MESSAGE_SIZE = 256
TIMESTAMP_SIZE = 20
MESSAGE_ID_SIZE = 260

_NAMES = (
    ("libnexmo_conversion.1.dylib", "libnexmo_conversion.dylib")
    if sys.platform == "darwin"
    else ("libnexmo_conversion.so.1", "libnexmo_conversion.so")
)


class LibraryError(OSError):
    """The shared library cannot be used: it does not load, is another library, or a different one is loaded already."""


class LibraryNotFound(LibraryError):
    """There is no shared library where it was looked for; the message says where that was and what to do."""


class Sized(ctypes.Structure):
    """A struct that begins with its own size, so that a program and a library of different age get along."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(struct_size=ctypes.sizeof(self), **fields)


class CredentialsStruct(Sized):
    """nexmo_credentials."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("api_key", c_char_p),
        ("api_secret", c_char_p),
        ("signature_secret", c_char_p),
        ("auth", c_int32),
        ("signature_method", c_int32),
    ]


class OptionsStruct(Sized):
    """nexmo_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("base_url", c_char_p),
        ("proxy", c_char_p),
        ("ca_file", c_char_p),
        ("client_cert_file", c_char_p),
        ("client_key_file", c_char_p),
        ("user_agent", c_char_p),
        ("connect_timeout_ms", c_int32),
        ("timeout_ms", c_int32),
        ("attempts", c_int32),
        ("connections", c_int32),
    ]


class ResultStruct(Sized):
    """nexmo_result."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("status", c_int32),
        ("http_status", c_int32),
        ("attempts", c_int32),
        ("taken", c_int32),
        ("elapsed_us", c_int64),
        ("retry_after_ms", c_int64),
        ("message", c_char * MESSAGE_SIZE),
    ]


class ReporterOptionsStruct(Sized):
    """nexmo_reporter_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("outbox", c_char_p),
        ("durability", c_int32),
        ("when_full", c_int32),
        ("most_reports", c_int32),
        ("age_limit_s", c_int32),
        ("connections", c_int32),
        ("lock_wait_ms", c_int32),
    ]


class AsideStruct(Sized):
    """nexmo_aside."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("reason", c_int32),
        ("http_status", c_int32),
        ("channel", c_int32),
        ("delivered", c_int32),
        ("message_id", c_char * MESSAGE_ID_SIZE),
        ("timestamp", c_char * TIMESTAMP_SIZE),
        ("message", c_char * MESSAGE_SIZE),
    ]


class StatisticsStruct(Sized):
    """nexmo_statistics."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("state", c_int32),
        ("under_way", c_int32),
        ("last_error", c_int32),
        ("last_error_http_status", c_int32),
        ("accepted", c_int64),
        ("sent", c_int64),
        ("refused", c_int64),
        ("expired", c_int64),
        ("replaced", c_int64),
        ("dropped", c_int64),
        ("pending", c_int64),
        ("aside", c_int64),
        ("forgotten", c_int64),
        ("outboxes_lost", c_int64),
        ("outbox_errors", c_int64),
        ("oldest_pending_ms", c_int64),
        ("last_error_unix_ms", c_int64),
        ("last_error_message", c_char * MESSAGE_SIZE),
    ]


Handle = c_void_p
"""nexmo_client * or nexmo_reporter *: a ticket, which points to nothing that anybody may read."""

_NEW = (POINTER(CredentialsStruct), POINTER(OptionsStruct), POINTER(Handle), POINTER(ResultStruct))
_NEW_REPORTER = (*_NEW[:2], POINTER(ReporterOptionsStruct), *_NEW[2:])
_CONVERSION = (POINTER(CredentialsStruct), c_char_p, c_int32, c_char_p, POINTER(OptionsStruct), POINTER(ResultStruct))
_REPORT = (Handle, c_char_p, c_int32, c_char_p, POINTER(ResultStruct))
_WAIT = (Handle, c_int32, POINTER(StatisticsStruct), POINTER(ResultStruct))

# What each function returns, and what it takes.
PROTOTYPES: "dict[str, Tuple[Any, Tuple[Any, ...]]]" = {
    "nexmo_status_name": (c_char_p, (c_int32,)),
    "nexmo_status_describe": (c_char_p, (c_int32,)),
    "nexmo_status_is_retryable": (c_int32, (c_int32,)),
    "nexmo_conversion_sms": (c_int32, _CONVERSION),
    "nexmo_conversion_voice": (c_int32, _CONVERSION),
    "nexmo_client_new": (c_int32, _NEW),
    "nexmo_client_report_sms": (c_int32, _REPORT),
    "nexmo_client_report_voice": (c_int32, _REPORT),
    "nexmo_client_free": (c_int32, (Handle,)),
    "nexmo_reporter_new": (c_int32, _NEW_REPORTER),
    "nexmo_reporter_submit_sms": (c_int32, _REPORT),
    "nexmo_reporter_submit_voice": (c_int32, _REPORT),
    "nexmo_reporter_poll": (c_int32, (Handle, POINTER(AsideStruct), POINTER(ResultStruct))),
    "nexmo_reporter_fd": (c_int32, (Handle,)),
    "nexmo_reporter_flush": (c_int32, _WAIT),
    "nexmo_reporter_statistics": (c_int32, (Handle, POINTER(StatisticsStruct), POINTER(ResultStruct))),
    "nexmo_reporter_close": (c_int32, _WAIT),
    "nexmo_reporter_free": (c_int32, (Handle,)),
    "nexmo_version": (c_char_p, ()),
    "nexmo_timestamp_from_unix": (c_int32, (c_int64, POINTER(c_char), c_size_t)),
}

_lock = threading.Lock()
# The path without symbolic links, and the library; set once, under the lock.
_loaded: Optional[Tuple[str, ctypes.CDLL]] = None


def load(path: "Union[str, os.PathLike[str], None]" = None) -> None:
    """Loads the shared library from `path`, for the rest of the process.

    Needed only where the library does not lie beside the modules of this package: there the first call finds it by
    itself. Nowhere else is it looked for: not in the current folder, not where the system keeps its libraries, not
    where an environment variable points. A relative path is taken from the current folder. Loading the same file twice
    is fine. Call from any thread; blocks for as long as it takes to read the file.

    Raises `LibraryNotFound` if there is no such file, and `LibraryError` if it cannot be loaded, lacks a function of
    nexmo_conversion.h, or a different file is loaded already.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            file = _beside() if path is None else _given(path)
            _loaded = (file, _open(file))
        elif path is not None and _given(path) != _loaded[0]:
            raise LibraryError(f"{_loaded[0]} is loaded already: call load before all else, and with one path only")


def functions() -> ctypes.CDLL:
    """The library's functions. Loads the library if nobody did yet; raises as `load` does."""
    if _loaded is None:
        load()
    assert _loaded is not None
    return _loaded[1]


def _beside() -> str:
    folder = os.path.dirname(os.path.abspath(__file__))
    for name in _NAMES:
        file = os.path.join(folder, name)
        if os.path.isfile(file):
            return os.path.realpath(file)
    raise LibraryNotFound(
        f"There is neither {' nor '.join(_NAMES)} in {folder}: put the library there, or name its path with "
        "nexmo_conversion.load(path)"
    )


def _given(path: "Union[str, os.PathLike[str]]") -> str:
    # An absolute path, because dlopen searches the system's folders for a bare name.
    file = os.path.abspath(os.fsdecode(path))
    if not os.path.isfile(file):
        raise LibraryNotFound(f"There is no file {file}: give the path of {_NAMES[0]}")
    return os.path.realpath(file)


def _open(file: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(file)
    except OSError as error:
        raise LibraryError(f"{file} cannot be loaded: {error}") from error
    for name, (result, parameters) in PROTOTYPES.items():
        function = getattr(library, name, None)
        if function is None:
            raise LibraryError(f"{file} has no function {name}: give a libnexmo_conversion as new as this package")
        function.restype, function.argtypes = result, parameters
    return library


def status_name(status: int) -> str:
    """nexmo_status_name of a number that fits into 32 bits."""
    name: bytes = functions().nexmo_status_name(status)
    return name.decode("utf-8")


def status_describe(status: int) -> str:
    """nexmo_status_describe of a number that fits into 32 bits."""
    description: bytes = functions().nexmo_status_describe(status)
    return description.decode("utf-8")


def status_is_retryable(status: int) -> bool:
    """nexmo_status_is_retryable of a number that fits into 32 bits."""
    return bool(functions().nexmo_status_is_retryable(status))


def version() -> str:
    """nexmo_version."""
    text: bytes = functions().nexmo_version()
    return text.decode("utf-8")


def timestamp_from_unix(unix_seconds: int) -> Tuple[int, str]:
    """The status and the text of nexmo_timestamp_from_unix, for a number that fits into 64 bits."""
    text = ctypes.create_string_buffer(TIMESTAMP_SIZE)
    status: int = functions().nexmo_timestamp_from_unix(unix_seconds, text, TIMESTAMP_SIZE)
    return status, text.value.decode("utf-8")
