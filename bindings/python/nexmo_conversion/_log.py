"""What this package tells in the log of Python: only what its caller asked for, on the caller's own thread."""

import logging

_logger = logging.getLogger("nexmo_conversion")
# Without a handler Python would write warnings to standard error, in a program that asked for no log.
_logger.addHandler(logging.NullHandler())


def warn(told: object) -> None:
    """Writes a warning."""
    _logger.warning("%s", told)
