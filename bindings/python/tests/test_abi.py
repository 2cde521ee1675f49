"""Tests that the package covers the C interface, has the library's version, and lays out structs as C does."""

import ctypes
import enum
import json
import re
from pathlib import Path
from typing import Any, Dict, Iterable, Type

import pytest

import nexmo_conversion
from nexmo_conversion import (
    Acceptance,
    Authentication,
    Channel,
    Durability,
    EventKind,
    Overflow,
    SignatureMethod,
    State,
    Status,
    _abi,
    _errors,
    _library,
)

KINDS: Dict[str, Type[enum.IntEnum]] = {
    "NEXMO_AUTH_": Authentication,
    "NEXMO_SIGNATURE_": SignatureMethod,
    "NEXMO_ACCEPTANCE_": Acceptance,
    "NEXMO_CHANNEL_": Channel,
    "NEXMO_DURABILITY_": Durability,
    "NEXMO_OVERFLOW_": Overflow,
    "NEXMO_STATE_": State,
    "NEXMO_EVENT_": EventKind,
    "NEXMO_ERR_": Status,
}

FLAGS = {"NEXMO_OPTIONS_": _abi.OptionsFlag, "NEXMO_REPORTER_OPTIONS_": _abi.ReporterOptionsFlag}


@pytest.fixture
def abi(root: Path) -> Dict[str, Any]:
    """Returns the description of the C interface."""
    described: Dict[str, Any] = json.loads((root / "docs" / "abi.json").read_text(encoding="utf-8"))
    return described


def test_every_constant_is_in_its_enum(abi: Dict[str, Any]) -> None:
    kinds: Dict[str, Iterable[Any]] = {**KINDS, **FLAGS}
    known = {f"{prefix}{one.name}": one.value for prefix, kind in kinds.items() for one in kind}
    known["NEXMO_OK"] = known.pop("NEXMO_ERR_OK")
    # poll returns None instead.
    known["NEXMO_EVENT_NONE"] = 0
    others = {name for name in vars(_abi) if re.match("NEXMO_(DETAIL|EVENT_FIELD)_|NEXMO_.*_SIZE$", name)}
    constants = {constant["name"]: constant["value"] for constant in abi["constants"]}
    assert {**known, **{name: getattr(_abi, name) for name in others}} == constants


def test_every_failure_has_a_separate_class() -> None:
    classes = [_errors._CLASSES[status] for status in Status if status != Status.OK]
    assert len(set(classes)) == len(classes) == len(_errors._CLASSES)
    for status, kind in _errors._CLASSES.items():
        assert str(kind.__doc__).startswith(f"{status}: ")


def test_ctypes_lays_structs_out_as_c_does(abi: Dict[str, Any]) -> None:
    bits = 8 * ctypes.sizeof(ctypes.c_void_p)
    for struct in abi["structs"]:
        kind = getattr(_abi, struct["name"].removeprefix("nexmo_").title().replace("_", "") + "Struct")
        assert ctypes.sizeof(kind) == struct[f"size_{bits}"]
        assert [name for name, *_ in kind._fields_] == [field["name"] for field in struct["fields"]]
        for field in struct["fields"]:
            descriptor = getattr(kind, field["name"])
            assert (descriptor.offset, descriptor.size) == (field[f"offset_{bits}"], field[f"size_{bits}"])


def test_every_function_is_bound(abi: Dict[str, Any]) -> None:
    assert set(_abi.PROTOTYPES) == {function["name"] for function in abi["functions"]}
    for name, (result, parameters) in _abi.PROTOTYPES.items():
        function = getattr(_library.functions(), name)
        assert (function.restype, function.argtypes) == (result, parameters)


def test_library_and_package_have_one_version(abi: Dict[str, Any], root: Path) -> None:
    project = (root / "bindings" / "python" / "pyproject.toml").read_text(encoding="utf-8")
    versions = re.findall(r'^version = "(.+)"$', project, re.MULTILINE)
    assert [*versions, abi["version"]] == [nexmo_conversion.version()] * 2


def test_public_names_are_as_promised() -> None:
    public = {name for name in vars(nexmo_conversion) if not name.startswith("_")}
    assert public == set(nexmo_conversion.__all__)


def test_everything_public_is_documented() -> None:
    for name in nexmo_conversion.__all__:
        thing = getattr(nexmo_conversion, name)
        assert thing.__doc__, name
        for method, member in vars(thing).items() if isinstance(thing, type) else ():
            if callable(member) and not method.startswith("_"):
                assert member.__doc__, f"{name}.{method}"
