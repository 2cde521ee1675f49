"""This package says the same as nexmo_conversion.h, as the library, and as the golden files of the C interface."""

import ctypes
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List

import pytest

import nexmo_conversion
from nexmo_conversion import (
    Authentication,
    Channel,
    Durability,
    Reason,
    SignatureMethod,
    State,
    Status,
    Taken,
    WhenFull,
    _library,
    _options,
    _reporter_options,
)

STRUCTS = {
    "nexmo_credentials": _library.CredentialsStruct,
    "nexmo_options": _library.OptionsStruct,
    "nexmo_result": _library.ResultStruct,
    "nexmo_reporter_options": _library.ReporterOptionsStruct,
    "nexmo_statistics": _library.StatisticsStruct,
    "nexmo_aside": _library.AsideStruct,
}


@pytest.fixture
def header(root: Path) -> str:
    """The header without its comments."""
    text = (root / "include" / "nexmo_conversion.h").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def constants() -> Dict[str, int]:
    """Every constant that this package knows, by its name in C."""
    prefixes: Dict[str, Iterable[Any]] = {
        "AUTH_": Authentication,
        "SIGNATURE_": SignatureMethod,
        "OPTIONS_": _options.Flag,
        "TAKEN_": Taken,
        "DURABILITY_": Durability,
        "WHEN_FULL_": WhenFull,
        "REPORTER_OPTIONS_": _reporter_options.Flag,
        "STATE_": State,
        "ASIDE_": Reason,
        "CHANNEL_": Channel,
        "ERR_": Status,
    }
    found = {f"NEXMO_{prefix}{member.name}": member.value for prefix, kind in prefixes.items() for member in kind}
    found["NEXMO_OK"] = found.pop("NEXMO_ERR_OK")
    sizes = ("MESSAGE_SIZE", "MESSAGE_ID_SIZE", "TIMESTAMP_SIZE")
    return {**found, **{f"NEXMO_{name}": getattr(_library, name) for name in sizes}}


def version_constants() -> Dict[str, int]:
    parts = nexmo_conversion.version().split(".")
    return {f"NEXMO_VERSION_{name}": int(part) for name, part in zip(("MAJOR", "MINOR", "PATCH"), parts)}


def test_every_constant_of_the_header_is_here_and_no_other(header: str) -> None:
    defined = re.findall(r"^#define (NEXMO_\w+) (-?\d+)u?$", header, re.MULTILINE)
    assert {name: int(value) for name, value in defined} == {**constants(), **version_constants()}


def test_no_define_of_the_header_is_overlooked(header: str) -> None:
    others = set(re.findall(r"^#define (\w+)", header, re.MULTILINE)) - {*constants(), *version_constants()}
    inits = {f"{name.upper()}_INIT" for name in STRUCTS}
    assert others == {"NEXMO_CONVERSION_H", "NEXMO_VERSION", *inits}


def test_header_library_and_package_have_one_version(header: str, root: Path) -> None:
    project = (root / "bindings" / "python" / "pyproject.toml").read_text(encoding="utf-8")
    versions = re.findall(r'^version = "(.+)"$', project, re.MULTILINE)
    versions += re.findall(r'^#define NEXMO_VERSION "(.+)"$', header, re.MULTILINE)
    assert versions == [nexmo_conversion.version()] * 2


def parameters(header: str, function: str) -> List[str]:
    declared = re.search(rf"\b{function}\(([^)]*)\);", header)
    assert declared, function
    return [] if declared[1] == "void" else [part.strip() for part in declared[1].split(",")]


def test_every_function_of_the_header_is_bound_and_no_other(header: str, root: Path) -> None:
    declared = set(re.findall(r"\b(nexmo_\w+)\(", header))
    exported = (root / "tests" / "abi" / "exports.txt").read_text(encoding="utf-8").split()
    assert declared == set(_library.PROTOTYPES) == set(exported)


C_TYPES = {
    "const struct nexmo_credentials *": ctypes.POINTER(_library.CredentialsStruct),
    "const struct nexmo_options *": ctypes.POINTER(_library.OptionsStruct),
    "const struct nexmo_reporter_options *": ctypes.POINTER(_library.ReporterOptionsStruct),
    "struct nexmo_statistics *": ctypes.POINTER(_library.StatisticsStruct),
    "struct nexmo_aside *": ctypes.POINTER(_library.AsideStruct),
    "struct nexmo_result *": ctypes.POINTER(_library.ResultStruct),
    "struct nexmo_client *": ctypes.c_void_p,
    "struct nexmo_client **": ctypes.POINTER(ctypes.c_void_p),
    "struct nexmo_reporter *": ctypes.c_void_p,
    "struct nexmo_reporter **": ctypes.POINTER(ctypes.c_void_p),
    "const char *": ctypes.c_char_p,
    "char *": ctypes.POINTER(ctypes.c_char),
    "int32_t ": ctypes.c_int32,
    "nexmo_status ": ctypes.c_int32,
    "uint32_t ": ctypes.c_uint32,
    "int64_t ": ctypes.c_int64,
    "size_t ": ctypes.c_size_t,
}


def c_type(declaration: str) -> object:
    """The ctypes type of a C declaration such as `const char *text`."""
    return C_TYPES[re.sub(r"\w+$", "", declaration)]


@pytest.mark.parametrize("function", _library.PROTOTYPES)
def test_every_prototype_is_that_of_the_header(function: str, header: str) -> None:
    returned = re.search(rf"^(.+?){function}\(", header, re.MULTILINE)
    assert returned
    result, arguments = _library.PROTOTYPES[function]
    assert C_TYPES[returned[1]] is result
    assert [c_type(declaration) for declaration in parameters(header, function)] == list(arguments)


@pytest.mark.parametrize("name", STRUCTS)
def test_every_field_is_that_of_the_header(name: str, header: str) -> None:
    body = re.search(rf"typedef struct {name} \{{(.*?)\}} {name};", header, re.DOTALL)
    assert body
    declared = [line.strip() for line in body[1].split(";") if line.strip()]
    fields = STRUCTS[name]._fields_
    assert [re.sub(r"\[.*", "", line).split("*")[-1].split()[-1] for line in declared] == [field[0] for field in fields]
    plain = [(line, field[1]) for line, field in zip(declared, fields) if "[" not in line]
    assert all(c_type(line) is kind for line, kind in plain)


def test_the_layout_is_that_of_the_golden_file(root: Path) -> None:
    lines = []
    for name, struct in STRUCTS.items():
        lines.append(f"{name} {ctypes.sizeof(struct)}")
        for field, *_ in struct._fields_:
            place = getattr(struct, field)
            lines.append(f"{name}.{field} {place.offset} {place.size}")
    golden = (root / "tests" / "abi" / "layout.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in golden if line and not line.startswith("#")] == lines


def test_public_names_are_as_promised() -> None:
    public = {name for name in vars(nexmo_conversion) if not name.startswith("_")}
    assert public == set(nexmo_conversion.__all__)
