"""The structs and handles of a reporter as C gives them: of any size, NULL, garbage, freed."""

import ctypes
from typing import Any, Dict, Iterator, Tuple, Type

import pytest

from nexmo_conversion import Acceptance, Channel, Durability, Status, _abi, _library
from nexmo_conversion._abi import EventStruct, ReporterOptionsStruct, ResultStruct, Sized, StatisticsStruct
from raw import credentials, options
from test_structs import bytes_of

NO_SIZES = [0, 4, 4097, 4_000_000_000]

# Each function that writes a struct, and what it takes before that.
WRITING: Dict[str, Tuple[Type[Sized], Tuple[int, ...]]] = {
    "nexmo_reporter_poll": (EventStruct, (0,)),
    "nexmo_reporter_statistics": (StatisticsStruct, ()),
}
# Each function that takes nothing but numbers, and which.
NUMBERS: Dict[str, Tuple[int, ...]] = {
    "nexmo_reporter_acknowledge": (1 << 50,),
    "nexmo_reporter_flush": (0,),
    "nexmo_reporter_close": (0,),
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
    handle = _abi.Handle()
    assert new(in_memory(), handle) == Status.OK
    assert handle.value
    yield handle.value
    assert call("nexmo_reporter_free", handle) == Status.OK


def longer(kind: Type[Sized]) -> Any:
    """A struct of a later version."""
    return type("Longer", (kind,), {"_fields_": [("added", ctypes.c_int64)]})


@pytest.mark.parametrize("size", [*NO_SIZES, ctypes.sizeof(ReporterOptionsStruct) - 1])
def test_reporter_options_of_a_size_that_no_version_has_are_refused(size: int) -> None:
    keeps, handle, result = in_memory(), _abi.Handle(77), ResultStruct()
    keeps.struct_size = size
    assert new(keeps, handle, result) == result.status == Status.STRUCT_SIZE
    assert result.message.startswith(b"reporter_options.struct_size ")
    assert handle.value is None


def test_longer_reporter_options_are_accepted_while_their_surplus_is_0() -> None:
    keeps, handle = in_memory(longer(ReporterOptionsStruct)), _abi.Handle()
    assert new(keeps, handle) == Status.OK
    assert call("nexmo_reporter_free", handle) == Status.OK
    keeps.added = 1 << 56
    assert new(keeps, handle) == Status.STRUCT_SIZE


def test_unknown_flags_of_reporter_options_are_refused() -> None:
    keeps, handle = in_memory(), _abi.Handle()
    keeps.flags = 2
    assert (new(keeps, handle), handle.value) == (Status.UNKNOWN_FLAGS, None)


def test_reporter_options_and_a_place_for_the_handle_are_required() -> None:
    handle = _abi.Handle(77)
    assert (new(None, handle), handle.value) == (Status.NULL_POINTER, None)
    assert new(in_memory(), None) == Status.NULL_POINTER


@pytest.mark.parametrize("function", WRITING)
def test_a_struct_that_is_refused_is_not_written(function: str, reporter: int) -> None:
    kind, between = WRITING[function]
    for size in (*NO_SIZES, ctypes.sizeof(kind) - 1):
        struct = kind()
        ctypes.memset(ctypes.addressof(struct), 0xAA, ctypes.sizeof(struct))
        struct.struct_size = size
        before = bytes_of(struct)
        assert call(function, reporter, *between, struct, None) == Status.STRUCT_SIZE
        assert bytes_of(struct) == before


@pytest.mark.parametrize("function", WRITING)
def test_a_longer_struct_is_written_whole(function: str, reporter: int) -> None:
    kind, between = WRITING[function]
    struct = longer(kind)()
    ctypes.memset(ctypes.addressof(struct), 0xAA, ctypes.sizeof(struct))
    struct.struct_size = ctypes.sizeof(struct)
    assert call(function, reporter, *between, struct, None) == Status.OK
    assert (struct.struct_size, struct.flags, struct.added) == (ctypes.sizeof(struct), 0, 0)
    assert b"\xaa" not in bytes_of(struct)


@pytest.mark.parametrize("function", WRITING)
def test_the_struct_is_required(function: str, reporter: int) -> None:
    assert call(function, reporter, *WRITING[function][1], None, None) == Status.NULL_POINTER


def test_a_submit_leaves_acceptance_unknown(reporter: int) -> None:
    result = ResultStruct()
    assert call("nexmo_reporter_submit", reporter, Channel.SMS, b"a", 1, None, result) == Status.OK
    assert (result.acceptance, result.http_status, result.attempts) == (Acceptance.UNKNOWN, 0, 0)
    assert call("nexmo_reporter_submit", reporter, Channel.SMS, b"", 1, None, result) == Status.INVALID_ARGUMENT
    assert result.acceptance == Acceptance.NO


def test_a_handle_that_is_none_is_refused(reporter: int) -> None:
    freed = _abi.Handle()
    assert new(in_memory(), freed) == call("nexmo_reporter_free", freed) == Status.OK
    for handle in (None, freed.value, reporter + 1000, reporter + (1 << 32), 1 << 31, (1 << 64) - 1):
        for function, (kind, between) in WRITING.items():
            assert call(function, handle, *between, kind(), None) == Status.INVALID_HANDLE
        for function, numbers in NUMBERS.items():
            assert call(function, handle, *numbers, None) == Status.INVALID_HANDLE
        assert call("nexmo_reporter_submit", handle, Channel.SMS, b"a", 1, None, None) == Status.INVALID_HANDLE
        assert call("nexmo_reporter_fd", handle) == -Status.INVALID_HANDLE
        assert call("nexmo_reporter_free", handle) == (Status.INVALID_HANDLE if handle else Status.OK)


@pytest.mark.parametrize(
    ("message_id", "delivered", "timestamp", "status"),
    [
        (None, 1, None, Status.NULL_POINTER),
        (b"", 1, None, Status.INVALID_ARGUMENT),
        (b"\xff", 1, None, Status.INVALID_ARGUMENT),
        (b"a", 2, None, Status.INVALID_ARGUMENT),
        (b"a", -1, None, Status.INVALID_ARGUMENT),
        (b"a", 1, b"", Status.INVALID_ARGUMENT),
        (b"a", 1, b"2020-01-01T12:00:00", Status.INVALID_ARGUMENT),
    ],
)
def test_a_submit_that_is_refused_is_not_stored(
    message_id: Any, delivered: int, timestamp: Any, status: Status, reporter: int
) -> None:
    for channel in Channel:
        assert call("nexmo_reporter_submit", reporter, channel, message_id, delivered, timestamp, None) == status
    statistics = StatisticsStruct()
    assert call("nexmo_reporter_statistics", reporter, statistics, None) == Status.OK
    assert statistics.submitted == 0
