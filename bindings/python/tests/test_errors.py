"""Tests that each failure raises the class of its status, with the result that the library returned."""

import pickle
import socket
import threading
from typing import Iterator, Optional, Type

import pytest

import nexmo_conversion
from nexmo_conversion import (
    Acceptance,
    Credentials,
    Error,
    InternalError,
    InvalidArgument,
    InvalidCall,
    NetworkError,
    NoResponse,
    NotEnabled,
    Options,
    OutboxError,
    ProtocolError,
    ProxyError,
    RateLimited,
    Redirected,
    Rejected,
    ReporterError,
    Result,
    ServiceError,
    Status,
    SystemFailure,
    Timeout,
    TlsError,
    Unauthorized,
    Unavailable,
    UnexpectedStatus,
    WrongType,
    _errors,
)
from nexmo_conversion._abi import RETRYABLE
from sandbox import QUERY, Log, http_options, https_options, responding


def failure(options: Options, credentials: Credentials = QUERY, message_id: str = "a") -> Error:
    with pytest.raises(Error) as caught:
        nexmo_conversion.sms(credentials, message_id, True, options=options)
    return caught.value


def check(error: Error, kind: Type[Error], status: Status, acceptance: Acceptance, http_status: int = 0) -> None:
    """Checks the attributes of an error."""
    assert type(error) is kind
    assert (error.status, error.result.status) == (status, status)
    assert error.name == nexmo_conversion.status_name(status) == f"NEXMO_ERR_{status.name}"
    assert error.description == nexmo_conversion.status_describe(status)
    assert error.retryable is nexmo_conversion.status_is_retryable(status)
    assert (error.acceptance, error.http_status) == (acceptance, http_status)
    assert (error.result.acceptance, error.result.http_status) == (acceptance, http_status)
    assert str(error) == error.result.message != ""


@pytest.mark.parametrize(
    ("message_id", "kind", "status", "http_status", "acceptance", "retry_after"),
    [
        ("not-enabled", NotEnabled, Status.NOT_ENABLED, 402, Acceptance.NO, None),
        ("throttled", RateLimited, Status.RATE_LIMITED, 429, Acceptance.NO, 7.0),
        ("unavailable", Unavailable, Status.UNAVAILABLE, 503, Acceptance.UNKNOWN, None),
        ("teapot", UnexpectedStatus, Status.UNEXPECTED_STATUS, 418, Acceptance.UNKNOWN, None),
        ("moved", Redirected, Status.REDIRECTED, 302, Acceptance.UNKNOWN, None),
        ("leak", NotEnabled, Status.NOT_ENABLED, 402, Acceptance.NO, None),
    ],
)
def test_responses_of_the_sandbox(
    message_id: str,
    kind: Type[Error],
    status: Status,
    http_status: int,
    acceptance: Acceptance,
    retry_after: Optional[float],
    log: Log,
) -> None:
    error = failure(http_options(), message_id=message_id)
    check(error, kind, status, acceptance, http_status)
    assert isinstance(error, ServiceError)
    assert (error.retryable, error.retry_after) == (status in RETRYABLE, retry_after)
    assert (error.result.attempts, log.only()["status"]) == (1, http_status)


def test_wrong_credentials(log: Log) -> None:
    error = failure(http_options(), Credentials.basic("abcd1234", "wrong"))
    check(error, Unauthorized, Status.UNAUTHORIZED, Acceptance.NO, 401)
    assert log.only()["status"] == 401


@pytest.mark.parametrize("http_status", [420, 422, 423])
def test_invalid_parameters(http_status: int) -> None:
    with responding(http_status) as options:
        check(failure(options), Rejected, Status.REJECTED, Acceptance.NO, http_status)


@pytest.mark.parametrize("http_status", [408, 500, 502, 599])
def test_unavailable(http_status: int) -> None:
    with responding(http_status, {"retry-after": "120"}) as options:
        error = failure(options)
    check(error, Unavailable, Status.UNAVAILABLE, Acceptance.UNKNOWN, http_status)
    assert (error.result.retry_after_ms, error.retry_after) == (120_000, 120.0)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def towards(listener: socket.socket) -> Options:
    return Options(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_ms=300)


def test_a_refused_connection(listener: socket.socket) -> None:
    options = towards(listener)
    listener.close()
    error = failure(options)
    check(error, NetworkError, Status.NETWORK, Acceptance.NO)
    assert isinstance(error, ConnectionError)


def test_no_response(listener: socket.socket) -> None:
    error = failure(towards(listener))
    check(error, Timeout, Status.TIMEOUT, Acceptance.UNKNOWN)
    assert isinstance(error, TimeoutError)
    assert isinstance(error, NoResponse)
    assert 300_000 <= error.result.elapsed_us < 5_000_000


def test_a_response_that_is_not_http(listener: socket.socket) -> None:
    def babble() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"220 mail.test ESMTP\r\n")

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        check(failure(towards(listener)), ProtocolError, Status.PROTOCOL, Acceptance.UNKNOWN)
    finally:
        thread.join()


def test_an_untrusted_server(log: Log) -> None:
    error = failure(Options(base_url=https_options().base_url))
    check(error, TlsError, Status.TLS, Acceptance.NO)
    assert isinstance(error, NoResponse)
    assert log.records() == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((number, InvalidCall) for number in (8, 19, 1005)),
        *((number, NoResponse) for number in (27, 39, 1020)),
        *((number, ServiceError) for number in (47, 59, 1040)),
        *((number, ReporterError) for number in (66, 79, 1060)),
        (1099, InternalError),
        *((number, Error) for number in (-1, 80, 98, 100, 1000, 2**31 - 1)),
        *((number, kind) for number, kind in _errors._CLASSES.items()),
    ],
)
def test_every_status_has_its_class_or_that_of_its_range(status: int, kind: Type[Error]) -> None:
    error = _errors.of(Result(status, message="why"))
    assert type(error) is kind
    assert (error.status, str(error)) == (status, "why")
    if status not in [*Status]:
        assert (error.name, error.retryable) == ("NEXMO_ERR_UNKNOWN", False)


BANDS = ((1, InvalidCall), (20, NoResponse), (40, ServiceError), (60, ReporterError))


@pytest.mark.parametrize("status", [status for status in Status if 0 < status < 80])
def test_every_class_belongs_to_its_range(status: Status) -> None:
    *_, kind = (kind for begin, kind in BANDS if begin <= status)
    assert isinstance(_errors.of(Result(status)), kind)
    assert isinstance(_errors.of(Result(status)), OutboxError) is status.name.startswith("OUTBOX")


def test_errors_derive_from_builtin_exceptions() -> None:
    pairs = [
        (InvalidCall, ValueError), (WrongType, TypeError), (WrongType, InvalidArgument), (Timeout, TimeoutError),
        (NetworkError, ConnectionError), (ProxyError, ConnectionError), (SystemFailure, OSError),
    ]  # fmt: skip
    assert all(issubclass(kind, parent) for kind, parent in pairs)


@pytest.mark.parametrize("status", Status)
def test_retryable_agrees_with_the_library(status: Status) -> None:
    assert nexmo_conversion.status_is_retryable(status) is (status in RETRYABLE)


@pytest.mark.parametrize("status", [status for status in Status if status])
def test_every_error_survives_pickling(status: Status) -> None:
    error = _errors.of(Result(status, 503, 1, Acceptance.UNKNOWN, 5, 7000, "why"))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.result, str(again)) == (type(error), error.result, "why")


@pytest.mark.parametrize("status", Status)
def test_every_status_is_described(status: Status) -> None:
    name = "NEXMO_OK" if status == 0 else f"NEXMO_ERR_{status.name}"
    assert nexmo_conversion.status_name(status) == name
    assert nexmo_conversion.status_describe(status).endswith(".")


@pytest.mark.parametrize("status", [2**31, -(2**31) - 1, 2**32])
def test_a_status_has_at_most_32_bits(status: int) -> None:
    for function in (
        nexmo_conversion.status_name,
        nexmo_conversion.status_describe,
        nexmo_conversion.status_is_retryable,
    ):
        with pytest.raises(InvalidCall, match=r"^status is out of range"):
            function(status)
