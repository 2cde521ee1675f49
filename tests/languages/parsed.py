"""Tests that Python's cffi parses nexmo_conversion.ffi.h with the layout that the C compiler uses, and that it
can call the library.

    python parsed.py LIBRARY HEADER LAYOUT VERSION

LAYOUT is the output of tests/abi/layout.c, with lines "STRUCT SIZE", "STRUCT.FIELD OFFSET SIZE" and "CONSTANT VALUE".
"""

import sys
from pathlib import Path

import cffi

path, header, layout, version = sys.argv[1:]

ffi = cffi.FFI()
ffi.cdef(Path(header).read_text(encoding="utf-8"))
library = ffi.dlopen(path)


def expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        sys.exit(f"cffi: {what} is {found!r}, not {expected!r}")


lines = Path(layout).read_text(encoding="ascii").splitlines()
for line in lines:
    name, *numbers = line.split()
    expected = [int(number) for number in numbers]
    if "." in name:
        struct, field = name.split(".")
        field_type = dict(ffi.typeof(struct).fields)[field].type
        expect(name, [ffi.offsetof(struct, field), ffi.sizeof(field_type)], expected)
    elif name.startswith("NEXMO_"):
        expect(name, [getattr(library, name)], expected)
    else:
        expect(f"the size of {name}", [ffi.sizeof(name)], expected)

expect("nexmo_conversion_version()", ffi.string(library.nexmo_conversion_version()).decode(), version)
name = ffi.string(library.nexmo_status_name(library.NEXMO_ERR_UNAUTHORIZED)).decode()
expect("nexmo_status_name", name, "NEXMO_ERR_UNAUTHORIZED")
print(f"cffi {cffi.__version__}: {len(lines)} sizes, offsets and constants")
