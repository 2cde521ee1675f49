"""Finds and loads the C library, and wraps its functions that use no struct.

The generated file _abi.py contains the structs, constants and prototypes.
"""

import ctypes
import os
import sys
import threading
from typing import Optional, Tuple, Union

from ._abi import NEXMO_TIMESTAMP_SIZE, PROTOTYPES

_NAMES = (
    ("libnexmo_conversion.1.dylib", "libnexmo_conversion.dylib")
    if sys.platform == "darwin"
    else ("libnexmo_conversion.so.1", "libnexmo_conversion.so")
)


class LibraryError(OSError):
    """The shared library cannot be used: it cannot be loaded, it is not this library, or a different file is already
    loaded."""


class LibraryNotFound(LibraryError):
    """The shared library was not found. The message names the searched directory and the remedy."""


_lock = threading.Lock()
# The path without symbolic links, and the library. Both are set once, under the lock.
_loaded: Optional[Tuple[str, ctypes.CDLL]] = None


def load(path: "Union[str, os.PathLike[str], None]" = None) -> None:
    """Loads the shared library from `path`, for the rest of the process.

    This call is only needed if the library is not in the directory of this package, where the package finds it. The
    library is never searched for in the current directory, in the library directories of the system, or where an
    environment variable points.

    path: the library file; a relative path starts from the current directory. None: the file in the directory of this
    package. Loading the same file again does nothing.

    Raises `LibraryNotFound` if the file does not exist, and `LibraryError` if it cannot be loaded, lacks a function of
    nexmo_conversion.h, or a different file is already loaded.

    Threads: any. Blocks while the file is read.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            file = _beside() if path is None else _given(path)
            _loaded = (file, _open(file))
        elif path is not None and _given(path) != _loaded[0]:
            raise LibraryError(f"{_loaded[0]} is already loaded: call load first, and with only one path")


def functions() -> ctypes.CDLL:
    """Returns the functions of the library. Loads the library first if necessary, and raises as `load` does."""
    if _loaded is None:
        load()
    assert _loaded is not None
    return _loaded[1]


def _beside() -> str:
    directory = os.path.dirname(os.path.abspath(__file__))
    for name in _NAMES:
        file = os.path.join(directory, name)
        if os.path.isfile(file):
            return os.path.realpath(file)
    raise LibraryNotFound(
        f"There is neither {' nor '.join(_NAMES)} in {directory}: put the library there, or give its path to "
        "nexmo_conversion.load(path)"
    )


def _given(path: "Union[str, os.PathLike[str]]") -> str:
    # The path must be absolute, because dlopen searches the directories of the system for a bare name.
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
            raise LibraryError(f"{file} has no function {name}: load a libnexmo_conversion of this package's version")
        function.restype, function.argtypes = result, parameters
    return library


def status_name(status: int) -> str:
    """Calls nexmo_status_name for a number that fits into 32 bits."""
    name: bytes = functions().nexmo_status_name(status)
    return name.decode("utf-8")


def status_describe(status: int) -> str:
    """Calls nexmo_status_describe for a number that fits into 32 bits."""
    description: bytes = functions().nexmo_status_describe(status)
    return description.decode("utf-8")


def status_is_retryable(status: int) -> bool:
    """Calls nexmo_status_is_retryable for a number that fits into 32 bits."""
    return bool(functions().nexmo_status_is_retryable(status))


def version() -> str:
    """Calls nexmo_conversion_version."""
    text: bytes = functions().nexmo_conversion_version()
    return text.decode("utf-8")


def timestamp_from_unix(unix_seconds: int) -> Tuple[int, str]:
    """Calls nexmo_timestamp_from_unix for a number that fits into 64 bits. Returns the status and the text."""
    text = ctypes.create_string_buffer(NEXMO_TIMESTAMP_SIZE)
    status: int = functions().nexmo_timestamp_from_unix(unix_seconds, text, NEXMO_TIMESTAMP_SIZE)
    return status, text.value.decode("utf-8")
