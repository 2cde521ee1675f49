"""The package's logger. It is used only by calls that say so, on the thread that calls."""

import logging

_logger = logging.getLogger("nexmo_conversion")
# Without a handler, Python would write warnings to standard error in a program that has not configured logging.
_logger.addHandler(logging.NullHandler())


def warn(message: object) -> None:
    """Writes a warning."""
    _logger.warning("%s", message)
