"""Handles as C gives them: NULL, garbage, freed, freed twice."""

import ctypes
from typing import Any, Iterator

import pytest

from nexmo_conversion import Status, _abi
from raw import Call
from sandbox import Log

GARBAGE = [1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, 1 << 63, (1 << 64) - 1]


def made() -> int:
    """A new client's handle."""
    handle = _abi.Handle()
    assert Call().new(handle).status == Status.OK
    assert handle.value
    return handle.value


@pytest.fixture
def client() -> Iterator[int]:
    """A client's handle, freed after the test, to which no other may do harm."""
    handle = made()
    yield handle
    assert Call().report(handle).status == Status.OK
    assert Call().free(handle) == Status.OK


def garbage(client: int) -> Iterator[Any]:
    """What is no handle, but might be mistaken for one."""
    text = ctypes.create_string_buffer(b"no client", 4096)
    yield from GARBAGE
    # A ticket that was not given out yet, ones that differ in bits beyond it, and places in memory.
    yield from (client + 1000, client + (1 << 31), client + (1 << 32), client + (1 << 63))
    yield from (ctypes.addressof(text), ctypes.addressof(text) + 1)


def assert_refused(handle: Any, log: Log) -> None:
    for channel in ("sms", "voice"):
        call = Call()
        call.channel = channel
        outcome = call.report(handle)
        assert outcome == (Status.INVALID_HANDLE, "the handle is NULL, was freed, or is not a handle for this function")
        assert (call.result.status, call.result.acceptance, call.result.attempts) == (Status.INVALID_HANDLE, 0, 0)
        call.result = None
        assert call.report(handle).status == Status.INVALID_HANDLE
    assert log.records() == []


def test_null_is_refused_but_may_be_freed(client: int, log: Log) -> None:
    for null in (None, 0):
        assert_refused(null, log)
        assert Call().free(null) == Status.OK


def test_garbage_is_refused(client: int, log: Log) -> None:
    for handle in garbage(client):
        assert_refused(handle, log)
        assert Call().free(handle) == Status.INVALID_HANDLE


def test_a_freed_handle_is_refused(client: int, log: Log) -> None:
    handle = made()
    assert Call().free(handle) == Status.OK
    for _ in range(2):
        assert_refused(handle, log)
        assert Call().free(handle) == Status.INVALID_HANDLE


def test_a_handle_is_never_given_out_again(client: int, log: Log) -> None:
    seen = {client}
    for _ in range(1000):
        handle = made()
        assert handle not in seen
        assert handle >= 1 << 16
        seen.add(handle)
        assert Call().free(handle) == Status.OK
    assert_refused(min(seen - {client}), log)


def test_a_handle_comes_first(client: int) -> None:
    call = Call()
    call.message_id, call.delivered, call.timestamp = None, 7, b"yesterday"
    assert call.report(None).status == Status.INVALID_HANDLE
    assert call.report(client).status == Status.NULL_POINTER


def test_a_refused_result_comes_before_the_handle(client: int, log: Log) -> None:
    call = Call()
    call.result.struct_size = 4
    assert call.report(None).status == Status.STRUCT_SIZE
    assert call.report(client).status == Status.STRUCT_SIZE
    assert log.records() == []


def test_a_place_for_the_client_is_required() -> None:
    call = Call()
    outcome = call.new(None)
    assert (outcome.status, outcome.message.split(" ")[0]) == (Status.NULL_POINTER, "client")
    call.result = None
    assert call.new(None).status == Status.NULL_POINTER


def test_a_client_that_is_not_made_is_null() -> None:
    call = Call()
    call.options.timeout_ms = -1
    for result in (call.result, None):
        handle = _abi.Handle(77)
        call.result = result
        assert call.new(handle).status == Status.INVALID_ARGUMENT
        assert handle.value is None
    call = Call()
    call.credentials = None
    handle = _abi.Handle(77)
    assert (call.new(handle).status, handle.value) == (Status.NULL_POINTER, None)


def test_a_client_is_not_made_if_the_result_is_refused() -> None:
    call, handle = Call(), _abi.Handle(77)
    call.result.struct_size = 4
    assert call.new(handle).status == Status.STRUCT_SIZE
    assert handle.value is None


def test_a_client_is_made_without_a_result_and_without_options(client: int) -> None:
    call = Call()
    call.result = call.options = None
    handle = _abi.Handle()
    assert call.new(handle).status == Status.OK
    assert call.free(handle) == Status.OK


def test_what_a_client_is_made_of_may_change_afterwards(log: Log) -> None:
    call, handle = Call(), _abi.Handle()
    secret = ctypes.create_string_buffer(call.credentials.api_secret)
    call.credentials.api_secret = ctypes.cast(secret, ctypes.c_char_p)
    assert call.new(handle).status == Status.OK
    ctypes.memset(secret, 0xAA, len(secret) - 1)
    for struct in (call.credentials, call.options):
        ctypes.memset(ctypes.addressof(struct), 0xAA, ctypes.sizeof(struct))
    assert call.report(handle).status == Status.OK
    assert log.only()["status"] == 200
    assert call.free(handle) == Status.OK
