"""The version of the library."""

from . import _library


def version() -> str:
    """Returns the version of the loaded library, such as "1.0.0". Threads: any. Never blocks."""
    return _library.version()
