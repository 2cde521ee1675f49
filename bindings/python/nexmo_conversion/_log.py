"""The logger of the package. Only methods whose documentation mentions it write to it, on the calling thread."""

import logging

_logger = logging.getLogger("nexmo_conversion")
# Without this handler, Python would write warnings to standard error in a program that has not configured logging.
_logger.addHandler(logging.NullHandler())


def warn(message: object) -> None:
    """Writes a warning."""
    _logger.warning("%s", message)
