"""The structs and handles of a reporter as C gives them: of any size, NULL, garbage, freed."""

import ctypes
from typing import Any, Dict, Iterator, Tuple, Type

import pytest

from nexmo_conversion import Durability, Status, _library
from nexmo_conversion._library import AsideStruct, ReporterOptionsStruct, ResultStruct, Sized, StatisticsStruct
from raw import credentials, options
from test_structs import bytes_of

NO_SIZES = [0, 4, 4097, 4_000_000_000]

# Each function that fills a struct, and what it takes between the handle and that.
FILLING: Dict[str, Tuple[Type[Sized], Tuple[int, ...]]] = {
    "nexmo_reporter_poll": (AsideStruct, ()),
    "nexmo_reporter_statistics": (StatisticsStruct, ()),
    "nexmo_reporter_flush": (StatisticsStruct, (0,)),
    "nexmo_reporter_close": (StatisticsStruct, (0,)),
}


def call(function: str, *arguments: Any) -> int:
    status: int = getattr(_library.functions(), function)(*arguments)
    return status


def new(keeps: Any, handle: Any, result: Any = None) -> int:
    return call("nexmo_reporter_new", credentials(), options(), keeps, handle, result)


def in_memory(kind: Any = ReporterOptionsStruct) -> Any:
    return kind(durability=Durability.NONE)


@pytest.fixture
def reporter() -> Iterator[int]:
    """A reporter's handle, freed after the test."""
    handle = _library.Handle()
    assert new(in_memory(), handle) == Status.OK
    assert handle.value
    yield handle.value
    assert call("nexmo_reporter_free", handle) == Status.OK


def longer(kind: Type[Sized]) -> Any:
    """A struct of a later version."""
    return type("Longer", (kind,), {"_fields_": [("added", ctypes.c_int64)]})


@pytest.mark.parametrize("size", [*NO_SIZES, ctypes.sizeof(ReporterOptionsStruct) - 1])
def test_reporter_options_of_a_size_that_no_version_has_are_refused(size: int) -> None:
    keeps, handle, result = in_memory(), _library.Handle(77), ResultStruct()
    keeps.struct_size = size
    assert new(keeps, handle, result) == result.status == Status.STRUCT
    assert result.message.startswith(b"reporter_options.struct_size ")
    assert handle.value is None


def test_longer_reporter_options_are_taken_while_their_surplus_is_0() -> None:
    keeps, handle = in_memory(longer(ReporterOptionsStruct)), _library.Handle()
    assert new(keeps, handle) == Status.OK
    assert call("nexmo_reporter_free", handle) == Status.OK
    keeps.added = 1 << 56
    assert new(keeps, handle) == Status.STRUCT


def test_unknown_flags_of_reporter_options_are_refused() -> None:
    keeps, handle = in_memory(), _library.Handle()
    keeps.flags = 2
    assert (new(keeps, handle), handle.value) == (Status.FLAGS, None)


def test_reporter_options_and_a_place_for_the_handle_are_required() -> None:
    handle = _library.Handle(77)
    assert (new(None, handle), handle.value) == (Status.NULL, None)
    assert new(in_memory(), None) == Status.NULL


@pytest.mark.parametrize("function", FILLING)
def test_a_struct_that_is_refused_is_not_written(function: str, reporter: int) -> None:
    kind, between = FILLING[function]
    for size in (*NO_SIZES, ctypes.sizeof(kind) - 1):
        struct = kind()
        ctypes.memset(ctypes.addressof(struct), 0xAA, ctypes.sizeof(struct))
        struct.struct_size = size
        before = bytes_of(struct)
        assert call(function, reporter, *between, struct, None) == Status.STRUCT
        assert bytes_of(struct) == before


@pytest.mark.parametrize("function", FILLING)
def test_a_longer_struct_is_written_whole(function: str, reporter: int) -> None:
    kind, between = FILLING[function]
    struct = longer(kind)()
    ctypes.memset(ctypes.addressof(struct), 0xAA, ctypes.sizeof(struct))
    struct.struct_size = ctypes.sizeof(struct)
    assert call(function, reporter, *between, struct, None) == Status.OK
    assert (struct.struct_size, struct.flags, struct.added) == (ctypes.sizeof(struct), 0, 0)
    assert b"\xaa" not in bytes_of(struct)


@pytest.mark.parametrize("function", FILLING)
def test_only_poll_and_statistics_require_their_struct(function: str, reporter: int) -> None:
    _, between = FILLING[function]
    expected = Status.OK if between else Status.NULL
    assert call(function, reporter, *between, None, None) == expected


def test_a_handle_that_is_none_is_refused(reporter: int) -> None:
    freed = _library.Handle()
    assert new(in_memory(), freed) == call("nexmo_reporter_free", freed) == Status.OK
    for handle in (None, freed.value, reporter + 1000, reporter + (1 << 32), 1 << 31, (1 << 64) - 1):
        for function, (kind, between) in FILLING.items():
            assert call(function, handle, *between, kind(), None) == Status.HANDLE
        for channel in ("sms", "voice"):
            assert call(f"nexmo_reporter_submit_{channel}", handle, b"a", 1, None, None) == Status.HANDLE
        assert call("nexmo_reporter_fd", handle) == -1
        assert call("nexmo_reporter_free", handle) == (Status.HANDLE if handle else Status.OK)


@pytest.mark.parametrize(
    ("message_id", "delivered", "timestamp", "status"),
    [
        (None, 1, None, Status.NULL),
        (b"", 1, None, Status.ARGUMENT),
        (b"\xff", 1, None, Status.ARGUMENT),
        (b"a", 2, None, Status.ARGUMENT),
        (b"a", -1, None, Status.ARGUMENT),
        (b"a", 1, b"", Status.ARGUMENT),
        (b"a", 1, b"2020-01-01T12:00:00", Status.ARGUMENT),
    ],
)
def test_a_submit_that_is_refused_is_not_accepted(
    message_id: Any, delivered: int, timestamp: Any, status: Status, reporter: int
) -> None:
    for channel in ("sms", "voice"):
        assert call(f"nexmo_reporter_submit_{channel}", reporter, message_id, delivered, timestamp, None) == status
    statistics = StatisticsStruct()
    assert call("nexmo_reporter_statistics", reporter, statistics, None) == Status.OK
    assert statistics.accepted == 0
