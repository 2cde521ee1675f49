"""Each failure is raised as the class that it should be, and carries what the library said."""

import pickle
import socket
import threading
from typing import Iterator, Optional, Type

import pytest

import nexmo_conversion
from nexmo_conversion import (
    CallerError,
    Cancelled,
    Closed,
    ConnectionFailed,
    Credentials,
    Error,
    HandleError,
    InternalError,
    InvalidParameters,
    NotEnabled,
    Options,
    OutboxAccount,
    OutboxBusy,
    OutboxCorrupt,
    OutboxError,
    OutboxFull,
    Parked,
    Pending,
    RateLimited,
    Result,
    ServiceError,
    SetAside,
    Status,
    Taken,
    Timeout,
    TlsError,
    Unauthorized,
    Unavailable,
    _errors,
)
from sandbox import QUERY, Log, answering, http_options, https_options


def failure(options: Options, credentials: Credentials = QUERY, message_id: str = "a") -> Error:
    with pytest.raises(Error) as caught:
        nexmo_conversion.sms(credentials, message_id, True, options=options)
    return caught.value


def check(error: Error, kind: Type[Error], status: Status, taken: Taken, http_status: int = 0) -> None:
    """Whether the error is all that such an error must be."""
    assert type(error) is kind
    assert (error.status, error.result.status) == (status, status)
    assert error.name == nexmo_conversion.status_name(status) == f"NEXMO_ERR_{status.name}"
    assert error.description == nexmo_conversion.status_describe(status)
    assert error.is_retryable is nexmo_conversion.status_is_retryable(status)
    assert (error.result.taken, error.result.http_status) == (taken, http_status)
    assert str(error) == error.result.message != ""


@pytest.mark.parametrize(
    ("message_id", "kind", "status", "http_status", "is_retryable", "retry_after_ms"),
    [
        ("not-enabled", NotEnabled, Status.NOT_ENABLED, 402, False, None),
        ("throttled", RateLimited, Status.RATE_LIMITED, 429, True, 7000),
        ("unavailable", Unavailable, Status.UNAVAILABLE, 503, True, None),
        ("teapot", ServiceError, Status.UNEXPECTED_STATUS, 418, False, None),
        ("moved", ServiceError, Status.REDIRECTED, 302, False, None),
        ("leak", NotEnabled, Status.NOT_ENABLED, 402, False, None),
    ],
)
def test_answers_of_the_sandbox(
    message_id: str,
    kind: Type[Error],
    status: Status,
    http_status: int,
    is_retryable: bool,
    retry_after_ms: Optional[int],
    log: Log,
) -> None:
    error = failure(http_options(), message_id=message_id)
    check(error, kind, status, Taken.PERHAPS, http_status)
    assert isinstance(error, ServiceError)
    assert (error.is_retryable, error.result.retry_after_ms) == (is_retryable, retry_after_ms)
    assert (error.result.attempts, log.only()["status"]) == (1, http_status)


def test_wrong_credentials(log: Log) -> None:
    error = failure(http_options(), Credentials.basic("abcd1234", "wrong"))
    check(error, Unauthorized, Status.UNAUTHORIZED, Taken.PERHAPS, 401)
    assert log.only()["status"] == 401


@pytest.mark.parametrize("http_status", [420, 422, 423])
def test_invalid_parameters(http_status: int) -> None:
    with answering(http_status) as options:
        check(failure(options), InvalidParameters, Status.INVALID_PARAMETERS, Taken.PERHAPS, http_status)


@pytest.mark.parametrize("http_status", [408, 500, 502, 599])
def test_unavailable(http_status: int) -> None:
    with answering(http_status, {"retry-after": "120"}) as options:
        error = failure(options)
    check(error, Unavailable, Status.UNAVAILABLE, Taken.PERHAPS, http_status)
    assert error.result.retry_after_ms == 120_000


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def towards(listener: socket.socket) -> Options:
    return Options(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_ms=300)


def test_a_connection_that_cannot_be_made(listener: socket.socket) -> None:
    options = towards(listener)
    listener.close()
    error = failure(options)
    check(error, ConnectionFailed, Status.NETWORK, Taken.NO)
    assert isinstance(error, ConnectionError)


def test_an_answer_that_does_not_come(listener: socket.socket) -> None:
    error = failure(towards(listener))
    check(error, Timeout, Status.TIMEOUT, Taken.PERHAPS)
    assert isinstance(error, TimeoutError)
    assert isinstance(error, ConnectionFailed)
    assert 300_000 <= error.result.elapsed_us < 5_000_000


def test_an_answer_that_is_not_http(listener: socket.socket) -> None:
    def babble() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"220 mail.test ESMTP\r\n")

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        check(failure(towards(listener)), ConnectionFailed, Status.PROTOCOL, Taken.PERHAPS)
    finally:
        thread.join()


def test_a_server_that_is_not_trusted(log: Log) -> None:
    error = failure(Options(base_url=https_options().base_url))
    check(error, TlsError, Status.TLS, Taken.NO)
    assert isinstance(error, ConnectionFailed)
    assert log.records() == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((number, CallerError) for number in (*range(1, 5), 7, 99)),
        (5, HandleError),
        (6, Cancelled),
        *((number, ConnectionFailed) for number in (100, 103, 104, 199)),
        *((number, ServiceError) for number in (205, 206, 299)),
        *((number, OutboxError) for number in (300, 309, 399)),
        (301, OutboxFull),
        (302, OutboxBusy),
        (303, OutboxCorrupt),
        (304, OutboxAccount),
        (305, Pending),
        (306, SetAside),
        (307, Parked),
        (308, Closed),
        *((number, InternalError) for number in (900, 999)),
        *((number, Error) for number in (-1, 400, 899, 1000, 2**31 - 1)),
    ],
)
def test_every_number_has_the_class_of_its_family(status: int, kind: Type[Error]) -> None:
    error = _errors.of(Result(status, message="why"))
    assert type(error) is kind
    assert (error.status, str(error)) == (status, "why")
    if status not in [*Status]:
        assert (error.name, error.is_retryable) == ("NEXMO_ERR_UNKNOWN", False)


@pytest.mark.parametrize("number", [status for status in Status if 300 <= status < 400])
def test_whatever_the_outbox_says_is_an_outbox_error(number: int) -> None:
    assert isinstance(_errors.of(Result(number)), OutboxError)


@pytest.mark.parametrize("status", [status for status in Status if status])
def test_every_error_survives_pickling(status: Status) -> None:
    error = _errors.of(Result(status, 503, 1, Taken.PERHAPS, 5, 7000, "why"))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.result, str(again)) == (type(error), error.result, "why")


@pytest.mark.parametrize("status", Status)
def test_every_status_is_described(status: Status) -> None:
    name = "NEXMO_OK" if status == 0 else f"NEXMO_ERR_{status.name}"
    assert nexmo_conversion.status_name(status) == name
    assert nexmo_conversion.status_describe(status).endswith(".")


@pytest.mark.parametrize("status", [2**31, -(2**31) - 1, 2**32])
def test_no_status_has_more_than_32_bits(status: int) -> None:
    for function in (
        nexmo_conversion.status_name,
        nexmo_conversion.status_describe,
        nexmo_conversion.status_is_retryable,
    ):
        with pytest.raises(CallerError, match=r"^status is out of range"):
            function(status)
