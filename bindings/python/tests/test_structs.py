"""Structs of callers of earlier and later versions than the library."""

import ctypes
import os
from typing import Any, Type

import pytest

from nexmo_conversion import Status, _library
from nexmo_conversion._abi import CredentialsStruct, OptionsStruct, ResultStruct
from raw import Call, credentials, options
from sandbox import Log


class LongerCredentials(CredentialsStruct):
    """Credentials of a later version."""

    _fields_ = [("added", ctypes.c_int64)]


class LongerOptions(OptionsStruct):
    """Options of a later version."""

    _fields_ = [("added", ctypes.c_int64)]


class LongerResult(ResultStruct):
    """A result of a later version."""

    _fields_ = [("added", ctypes.c_int64)]


class LongestResult(LongerResult):
    """A result of a version later still."""

    _fields_ = [("added_later", ctypes.c_int64)]


class LargestOptions(OptionsStruct):
    """Options as large as a library believes."""

    _fields_ = [("surplus", ctypes.c_char * (4096 - ctypes.sizeof(OptionsStruct)))]


PAIRS = [("credentials", CredentialsStruct), ("options", OptionsStruct), ("result", ResultStruct)]
NO_SIZES = [0, 4, 4097, 4_000_000_000]


def bytes_of(struct: ctypes.Structure) -> bytes:
    return ctypes.string_at(ctypes.addressof(struct), ctypes.sizeof(struct))


def filled(kind: Type[ResultStruct]) -> Any:
    """A result full of what was there before."""
    struct = kind()
    ctypes.memset(ctypes.addressof(struct), 0xAA, ctypes.sizeof(struct))
    struct.struct_size = ctypes.sizeof(struct)
    return struct


def test_structs_of_the_first_size_are_accepted(log: Log) -> None:
    call = Call()
    assert [getattr(call, name).struct_size for name, _ in PAIRS] == [ctypes.sizeof(kind) for _, kind in PAIRS]
    assert call.make().status == Status.OK
    assert len(log.records()) == 1


def test_longer_structs_are_accepted_while_their_surplus_is_0(log: Log) -> None:
    call = Call()
    call.credentials, call.options = credentials(LongerCredentials), options(LongerOptions)
    assert (call.credentials.struct_size, call.options.struct_size) == (48, 80)
    assert call.make().status == Status.OK
    call.options = options(LargestOptions)
    assert call.make().status == Status.OK
    assert len(log.records()) == 2


def test_a_surplus_that_is_not_0_is_refused(log: Log) -> None:
    for name, kind in (("credentials", LongerCredentials), ("options", LongerOptions)):
        call = Call()
        struct = getattr(call, name)
        longer = kind(**{field[0]: getattr(struct, field[0]) for field in struct._fields_[1:]}, added=1 << 56)
        setattr(call, name, longer)
        outcome = call.make()
        assert (outcome.status, outcome.message.split(" ")[0]) == (Status.STRUCT_SIZE, f"{name}.struct_size")
    assert log.records() == []


@pytest.mark.parametrize("size", NO_SIZES)
@pytest.mark.parametrize("name", ["credentials", "options"])
def test_sizes_that_no_version_has_are_refused(name: str, size: int, log: Log) -> None:
    call = Call()
    getattr(call, name).struct_size = size
    outcome = call.make()
    assert outcome.status == Status.STRUCT_SIZE
    assert outcome.message.startswith(f"{name}.struct_size ")
    assert log.records() == []


@pytest.mark.parametrize("name, kind", PAIRS)
def test_a_size_below_the_first_is_refused(name: str, kind: Type[ctypes.Structure], log: Log) -> None:
    call = Call()
    getattr(call, name).struct_size = ctypes.sizeof(kind) - 1
    assert call.make().status == Status.STRUCT_SIZE
    assert log.records() == []


@pytest.mark.parametrize("size", NO_SIZES)
def test_a_refused_result_is_not_written_and_nothing_is_sent(size: int, log: Log) -> None:
    call = Call()
    call.result = filled(ResultStruct)
    call.result.struct_size = size
    before = bytes_of(call.result)
    function = _library.functions().nexmo_conversion_sms
    status = function(call.credentials, call.message_id, 1, call.timestamp, call.options, call.result)
    assert status == Status.STRUCT_SIZE
    assert bytes_of(call.result) == before
    assert log.records() == []


def test_a_result_is_written_whole_and_its_surplus_cleared() -> None:
    for kind in (ResultStruct, LongerResult, LongestResult):
        call = Call()
        call.result = filled(kind)
        assert call.make().status == Status.OK
        known = ctypes.sizeof(ResultStruct)
        assert call.result.struct_size == ctypes.sizeof(kind)
        assert (call.result.flags, call.result.status, call.result.retry_after_ms) == (0, 0, -1)
        assert bytes_of(call.result)[known:] == bytes(ctypes.sizeof(kind) - known)
        assert b"\xaa" not in bytes_of(call.result)[ResultStruct.message.offset :]


def test_a_result_is_not_required(log: Log) -> None:
    call = Call()
    call.result = None
    assert call.make().status == Status.OK
    assert len(log.records()) == 1


def test_credentials_are_required(log: Log) -> None:
    call = Call()
    call.credentials = None
    outcome = call.make()
    assert outcome.status == Status.NULL_POINTER
    assert outcome.message.startswith("credentials ")
    assert log.records() == []


@pytest.fixture
def later() -> ctypes.CDLL:
    """A library whose options and result have a field more than this package knows."""
    return ctypes.CDLL(os.environ["NEXMO_TESTING_LIBRARY"])


def read_later(later: ctypes.CDLL, struct: Any) -> "tuple[int, int]":
    """The status with which a later library reads options, and what it takes for its added field."""
    added = ctypes.c_int64(99)
    status: int = later.nexmo_testing_read_later_options(ctypes.byref(struct), ctypes.byref(added))
    return status, added.value


def test_a_later_library_reads_0_where_an_old_caller_has_nothing(later: ctypes.CDLL) -> None:
    assert read_later(later, OptionsStruct()) == (Status.OK, 0)


def test_a_later_library_reads_the_field_of_a_caller_as_new(later: ctypes.CDLL) -> None:
    assert read_later(later, LongerOptions(added=-5)) == (Status.OK, -5)


def test_a_later_library_refuses_what_even_it_does_not_know(later: ctypes.CDLL) -> None:
    assert read_later(later, LargestOptions(surplus=b"\0" * 8))[0] == Status.OK
    newest = LargestOptions()
    ctypes.memset(ctypes.addressof(newest) + 4095, 1, 1)
    assert read_later(later, newest) == (Status.STRUCT_SIZE, 99)
    for size in (*NO_SIZES, ctypes.sizeof(OptionsStruct) - 1):
        struct = OptionsStruct()
        struct.struct_size = size
        assert read_later(later, struct) == (Status.STRUCT_SIZE, 99)


def test_a_later_library_writes_no_more_than_an_old_caller_has(later: ctypes.CDLL) -> None:
    whole = filled(LongerResult)
    whole.struct_size = ctypes.sizeof(ResultStruct)
    assert later.nexmo_testing_write_later_result(ctypes.byref(whole)) == Status.OK
    known = ctypes.sizeof(ResultStruct)
    assert bytes_of(whole)[4:known] == bytes_of(ResultStruct())[4:]
    assert bytes_of(whole)[known:] == b"\xaa" * 8
    assert whole.struct_size == known


def test_a_later_library_writes_the_field_of_a_caller_as_new(later: ctypes.CDLL) -> None:
    for kind in (LongerResult, LongestResult):
        whole = filled(kind)
        assert later.nexmo_testing_write_later_result(ctypes.byref(whole)) == Status.OK
        assert (whole.added, whole.struct_size) == (7, ctypes.sizeof(kind))
        assert bytes_of(whole)[ctypes.sizeof(LongerResult) :] == bytes(
            ctypes.sizeof(kind) - ctypes.sizeof(LongerResult)
        )


def test_a_later_library_does_not_write_a_result_that_it_refuses(later: ctypes.CDLL) -> None:
    for size in (*NO_SIZES, ctypes.sizeof(ResultStruct) - 1):
        struct = filled(ResultStruct)
        struct.struct_size = size
        before = bytes_of(struct)
        assert later.nexmo_testing_write_later_result(ctypes.byref(struct)) == Status.STRUCT_SIZE
        assert bytes_of(struct) == before
