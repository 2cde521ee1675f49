"""From Python's values to what fits over the border to C, and back.

What ctypes would pass on maimed is refused here: it cuts text at a NUL and numbers at their last 32 or 64 bits. All
else is for the library to judge.
"""

import os
from enum import IntEnum
from typing import Optional, Type

from ._errors import refusal, wrong_type


def text(name: str, value: object) -> bytes:
    """`value` as UTF-8; refused if it is no str, or holds a NUL or half of a surrogate pair."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "a str")
    # Most texts are; each look and call that is spared here counts, for a report is short.
    if value.isascii() and "\0" not in value:
        return value.encode()
    if "\0" in value:
        raise refusal(f"{name} holds a NUL, which ends a text in C: give a text without")
    encoded = _utf8(value)
    if encoded is None:
        raise refusal(f"{name} holds a surrogate without its pair, which UTF-8 cannot carry: give a text without")
    return encoded


def optional_text(name: str, value: object) -> Optional[bytes]:
    """As `text`; None stays None."""
    return None if value is None else text(name, value)


def optional_path(name: str, value: object) -> Optional[bytes]:
    """As `optional_text`, and takes a pathlib.Path as well."""
    return optional_text(name, os.fspath(value) if isinstance(value, os.PathLike) else value)


def number(name: str, value: object, bits: int = 32) -> int:
    """`value`, if it is an integer that fits into so many bits, one of which is the sign."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(name, value, "an int")
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise refusal(f"{name} is out of range: give a number that fits into {bits} bits")
    return int(value)


def boolean(name: str, value: object) -> bool:
    """`value`, if it is True or False; 1, 0 and the like are refused, for with them go many mistakes."""
    if not isinstance(value, bool):
        raise wrong_type(name, value, "True or False")
    return value


def known(kind: Type[IntEnum], value: int) -> int:
    """`value` as a member of `kind`, or as it is if it is none: a newer library may give others."""
    try:
        return kind(value)
    except ValueError:
        return value


def word(value: int) -> str:
    """What a number that `known` gave is called in a sentence."""
    return value.name.lower() if isinstance(value, IntEnum) else f"number {value}"


def _utf8(value: str) -> Optional[bytes]:
    # The codec's own error holds the whole text, which may be a secret, so it must not become part of ours.
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        return None
