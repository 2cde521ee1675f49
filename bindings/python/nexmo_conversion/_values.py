"""Converts values between Python and C.

Rejects only what ctypes would pass on changed: it truncates text at a NUL, and numbers to 32 or 64 bits.
Everything else is left to the library.
"""

import os
from enum import IntEnum
from typing import Optional, Type

from ._errors import invalid, wrong_type


def text(name: str, value: object) -> bytes:
    """`value` as UTF-8. Raises if it is not a str, or contains a NUL or an unpaired surrogate."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "a str")
    # The common case first: a report is short, and each check counts.
    if value.isascii() and "\0" not in value:
        return value.encode()
    if "\0" in value:
        raise invalid(f"{name} contains a NUL, which ends a text in C: give a text without one")
    encoded = _utf8(value)
    if encoded is None:
        raise invalid(f"{name} contains an unpaired surrogate, which UTF-8 cannot encode: give a text without one")
    return encoded


def optional_text(name: str, value: object) -> Optional[bytes]:
    """As `text`; None stays None."""
    return None if value is None else text(name, value)


def optional_path(name: str, value: object) -> Optional[bytes]:
    """As `optional_text`; accepts an os.PathLike too."""
    return optional_text(name, os.fspath(value) if isinstance(value, os.PathLike) else value)


def number(name: str, value: object, bits: int = 32) -> int:
    """`value`, if it is an integer that fits into this many bits, including the sign."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(name, value, "an int")
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise invalid(f"{name} is out of range: give a number that fits into {bits} bits")
    return int(value)


def boolean(name: str, value: object) -> bool:
    """`value`, if it is True or False. 1, 0 and the like are rejected, because they are often mistakes."""
    if not isinstance(value, bool):
        raise wrong_type(name, value, "True or False")
    return value


def known(kind: Type[IntEnum], value: int) -> int:
    """`value` as a member of `kind`, or unchanged if it is a number of a later library."""
    try:
        return kind(value)
    except ValueError:
        return value


def word(value: int) -> str:
    """A number that `known` returned, as a word for a sentence."""
    return value.name.lower() if isinstance(value, IntEnum) else f"number {value}"


def _utf8(value: str) -> Optional[bytes]:
    # The codec's own error contains the whole text, which may be a secret, so it must not become part of ours.
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        return None
