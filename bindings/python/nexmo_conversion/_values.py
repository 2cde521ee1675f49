"""Converts values between Python and C.

Rejects only values that ctypes cannot pass unchanged: values of a wrong type, text with a NUL, which would end there,
and numbers of more than 32 or 64 bits. The library checks all other values.
"""

import os
from enum import IntEnum
from typing import Optional, Type

from ._errors import invalid, wrong_type


def text(name: str, value: object) -> bytes:
    """Returns `value` in UTF-8. Raises if it is not a str, or contains a NUL or an unpaired surrogate."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "a str")
    # The common case comes first, because a report is short and every check takes time.
    if value.isascii() and "\0" not in value:
        return value.encode()
    if "\0" in value:
        raise invalid(f"{name} contains a NUL, which ends a text in C: give a text without one")
    encoded = _utf8(value)
    if encoded is None:
        raise invalid(f"{name} contains an unpaired surrogate, which UTF-8 cannot encode: give a text without one")
    return encoded


def optional_text(name: str, value: object) -> Optional[bytes]:
    """Like `text`, but None stays None."""
    return None if value is None else text(name, value)


def optional_path(name: str, value: object) -> Optional[bytes]:
    """Like `optional_text`, but also accepts an os.PathLike."""
    return optional_text(name, os.fspath(value) if isinstance(value, os.PathLike) else value)


def number(name: str, value: object, bits: int = 32) -> int:
    """Returns `value`. Raises unless it is an int that fits into this number of bits, including the sign."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(name, value, "an int")
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise invalid(f"{name} is out of range: give a number that fits into {bits} bits")
    return int(value)


def boolean(name: str, value: object) -> bool:
    """Returns `value`. Raises unless it is True or False: other values, such as 1 and 0, are often mistakes."""
    if not isinstance(value, bool):
        raise wrong_type(name, value, "True or False")
    return value


def known(kind: Type[IntEnum], value: int) -> int:
    """Returns `value` as a member of `kind`, or unchanged if it is from a later version of the library."""
    try:
        return kind(value)
    except ValueError:
        return value


def word(value: int) -> str:
    """Describes a value that `known` returned: as the lower-case name of the member, or as "number" and the value."""
    return value.name.lower() if isinstance(value, IntEnum) else f"number {value}"


def _utf8(value: str) -> Optional[bytes]:
    # Returns None instead of raising UnicodeEncodeError, which contains the whole text: it may be a secret.
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        return None
