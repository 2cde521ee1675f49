"""Tests clients: reports, use by several threads, and close."""

import copy
import gc
import pickle
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Callable, List

import pytest

import nexmo_conversion
from nexmo_conversion import (
    Acceptance,
    Cancelled,
    Channel,
    Client,
    Credentials,
    Error,
    InvalidArgument,
    InvalidCall,
    InvalidHandle,
    NoResponse,
    Options,
    RateLimited,
    Result,
    Status,
    Unauthorized,
    WrongType,
)
from sandbox import ALL_AUTH, API_KEY, BASIC, QUERY, Log, auth_id, holding, http_options, https_options

REPORTS = [Client.sms, Client.voice]
NO_CHANNELS = [0, 3, -1]


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
@pytest.mark.parametrize("delivered", [True, False])
@pytest.mark.parametrize("report", REPORTS)
def test_a_report_arrives(report: Callable[..., Result], delivered: bool, credentials: Credentials, log: Log) -> None:
    with Client(credentials, http_options()) as client:
        result = report(client, "00A0B0C0", delivered, "2020-01-01 12:00:00")
    record = log.only()
    assert (record["status"], record["violations"]) == (200, [])
    assert (record["method"], record["channel"]) == ("POST", report.__name__)
    assert (record["api_key"], record["message_id"]) == (API_KEY, "00A0B0C0")
    assert (record["delivered"], record["timestamp"]) == (str(delivered).lower(), "2020-01-01 12:00:00")
    assert record["authentication"] == nexmo_conversion.Authentication(credentials.auth).name.lower()
    assert (result.status, result.http_status, result.attempts, result.acceptance) == (0, 200, 1, Acceptance.YES)
    assert 0 < result.elapsed_us < 10_000_000
    assert (result.retry_after_ms, result.message) == (None, "report accepted")


def test_the_channel_is_an_argument(log: Log) -> None:
    with Client(QUERY, http_options()) as client:
        for channel in Channel:
            assert client.report(channel, "channel", False, "2020-01-01 12:00:00").acceptance is Acceptance.YES
        client.report(1, "as a number", True)
    assert [record["channel"] for record in log.records()] == ["sms", "voice", "sms"]


def test_a_report_arrives_over_tls(log: Log) -> None:
    with Client(BASIC, https_options()) as client:
        client.sms("over tls", True)
        client.voice("over tls", False)
    assert [(record["scheme"], record["timestamp"]) for record in log.records()] == [("https", None)] * 2


def test_a_client_keeps_its_own_connections(log: Log) -> None:
    options = http_options()
    with Client(QUERY, options) as first, Client(QUERY, options) as second:
        for _ in range(3):
            first.sms("first", True)
            second.sms("second", True)
            nexmo_conversion.sms(QUERY, "alone", True, options=options)
    connections = {(record["message_id"], record["connection"]) for record in log.records()}
    assert len(connections) == len({connection for _, connection in connections}) == 3


def test_a_failure_is_raised_and_the_client_still_works(log: Log) -> None:
    with Client(QUERY, http_options()) as client:
        with pytest.raises(RateLimited) as caught:
            client.sms("throttled", True)
        assert caught.value.result.retry_after_ms == 7000
        assert client.sms("after", True).acceptance is Acceptance.YES
    with Client(Credentials.basic(API_KEY, "wrong"), http_options()) as client, pytest.raises(Unauthorized):
        client.voice("wrong", True)
    assert log.statuses() == [429, 200, 401]


@pytest.mark.parametrize("report", REPORTS)
def test_invalid_reports_are_not_sent(report: Callable[..., Result], log: Log) -> None:
    given: Any
    with Client(QUERY, http_options()) as client:
        for arguments in [(7, True), ("a", 1), ("a", True, 0)]:
            with pytest.raises(WrongType):
                report(client, *arguments)
        for texts in [("a\0", True), (" a", True), ("a", True, "yesterday")]:
            with pytest.raises(InvalidCall) as caught:
                report(client, *texts)
            assert caught.value.status == Status.INVALID_ARGUMENT
        for channel in NO_CHANNELS:
            with pytest.raises(InvalidArgument, match="^channel "):
                client.report(channel, "a", True)
        for given in ("sms", None, True, 1.0):
            with pytest.raises(WrongType, match="^channel is of type "):
                client.report(given, "a", True)
        assert log.records() == []
        report(client, "fine", True)
    assert log.statuses() == [200]


def test_a_new_client_checks_credentials_and_options() -> None:
    given: Any
    for given in [("abcd1234", "s3cret"), None]:
        with pytest.raises(WrongType, match=r"^credentials is of type "):
            Client(given)
    with pytest.raises(WrongType, match=r"^options is of type "):
        Client(QUERY, {"timeout_ms": 5})  # type: ignore[arg-type]
    with pytest.raises(InvalidCall, match=r"^api_key ") as caught:
        Client(Credentials.basic("a:b", "s3cret"))
    assert (caught.value.status, caught.value.result.attempts) == (Status.INVALID_ARGUMENT, 0)
    with pytest.raises(InvalidCall, match=r"^base_url "):
        Client(QUERY, Options(base_url="http://192.0.2.1"))


def test_a_new_client_does_not_connect() -> None:
    Client(QUERY).close()
    Client(credentials=QUERY, options=Options(base_url="https://conversion.test")).close()


def assert_closed(client: Client, log: Log) -> None:
    for report in REPORTS:
        with pytest.raises(InvalidHandle) as caught:
            report(client, "closed", True)
        error = caught.value
        assert (error.status, error.name, error.retryable) == (Status.INVALID_HANDLE, "NEXMO_ERR_INVALID_HANDLE", False)
        assert (str(error), error.result.acceptance) == ("the client is closed: create another", Acceptance.NO)
        assert isinstance(error, InvalidCall)
    assert repr(client) == f"<Client of {API_KEY!r}, closed>"
    assert log.records() == []


def test_a_closed_client_raises_invalid_handle(log: Log) -> None:
    client = Client(QUERY, http_options())
    assert repr(client) == f"<Client of {API_KEY!r}>"
    client.close()
    assert_closed(client, log)


def test_closing_again_does_nothing(log: Log) -> None:
    client = Client(QUERY, http_options())
    others = [Client(QUERY, http_options()) for _ in range(3)]
    for _ in range(3):
        client.close()
    with client:
        pass
    assert_closed(client, log)
    for other in others:
        other.sms("still open", True)
        other.close()


def test_with_closes_the_client_even_after_an_exception(log: Log) -> None:
    with Client(QUERY, http_options()) as client:
        assert isinstance(client, Client)
    assert_closed(client, log)
    with pytest.raises(ZeroDivisionError), Client(QUERY, http_options()) as client:
        raise ZeroDivisionError
    assert_closed(client, log)


def test_threads_share_a_client(log: Log) -> None:
    with Client(BASIC, http_options()) as client, ThreadPoolExecutor(16) as pool:

        def report(number: int) -> Result:
            return REPORTS[number % 2](client, f"shared {number}", number % 3 == 0)

        results = list(pool.map(report, range(16 * 50)))
    assert all(result.acceptance is Acceptance.YES for result in results)
    arrived = {record["message_id"]: record for record in log.records()}
    assert len(log.records()) == len(arrived) == len(results)
    for number in range(len(results)):
        record = arrived[f"shared {number}"]
        assert (record["channel"], record["delivered"]) == (REPORTS[number % 2].__name__, str(number % 3 == 0).lower())
    assert len({record["connection"] for record in log.records()}) <= 16


def errors(calls: "List[Future[Result]]") -> List[Error]:
    """Returns the errors of the calls. Each call must raise an `Error` soon."""
    raised = [call.exception(timeout=60) for call in calls]
    return [error for error in raised if isinstance(error, Error)]


def test_closing_ends_the_calls_of_other_threads() -> None:
    arrived, is_over = threading.Semaphore(0), threading.Event()

    def hold() -> None:
        arrived.release()
        is_over.wait(60)

    with holding(hold) as server, ThreadPoolExecutor(16) as pool:
        client = Client(QUERY, server.options(timeout_ms=50_000, max_attempts=9))
        calls = [pool.submit(client.sms, f"held {number}", True) for number in range(16)]
        for _ in calls:
            assert arrived.acquire(timeout=60)
        client.close()
        raised = errors(calls)
        is_over.set()
    assert [type(error) for error in raised] == [Cancelled] * 16
    for error in raised:
        assert (error.status, error.name, error.retryable) == (Status.CANCELLED, "NEXMO_ERR_CANCELLED", False)
        assert (error.acceptance, error.result.attempts) == (Acceptance.UNKNOWN, 1)
        assert error.result.elapsed_us < 25_000_000
        assert isinstance(error, NoResponse)
        assert str(error)


def test_closing_does_not_wait_for_a_slow_response(log: Log) -> None:
    client = Client(QUERY, http_options())
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.voice, "slow", True)
        while not (log.records() or call.done()):
            wait([call], timeout=0.01)
        client.close()
        (error,) = errors([call])
    assert (type(error), error.result.acceptance) == (Cancelled, Acceptance.UNKNOWN)
    # The sandbox would have responded after this time.
    assert error.result.elapsed_us < 2_000_000


def test_closing_ends_a_wait_between_attempts(log: Log) -> None:
    # The sandbox responds with Retry-After: 7, which this time limit allows.
    client = Client(QUERY, http_options(timeout_ms=50_000, max_attempts=2))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.sms, "throttled", True)
        while not (log.records() or call.done()):
            wait([call], timeout=0.01)
        # Usually long enough for the client to read the response. A call that has not read it must end in the same way.
        wait([call], timeout=0.2)
        client.close()
        (error,) = errors([call])
    # The service rejected the only attempt, or the client has not read the response yet.
    assert type(error) is Cancelled and error.acceptance in (Acceptance.NO, Acceptance.UNKNOWN)
    assert error.result.elapsed_us < 7_000_000
    assert len(log.records()) == 1


def test_threads_may_close_a_client_concurrently(log: Log) -> None:
    for _ in range(50):
        client, barrier = Client(QUERY, http_options()), threading.Barrier(4)

        def end(client: Client = client, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            client.close()

        with ThreadPoolExecutor(4) as pool:
            for call in [pool.submit(end) for _ in range(4)]:
                call.result(60)
        assert_closed(client, log)


def test_a_client_in_use_is_not_collected(log: Log) -> None:
    assert Client(QUERY, http_options()).sms("nameless", True).acceptance is Acceptance.YES
    gone = weakref.ref(Client(QUERY, http_options()))
    gc.collect()
    assert gone() is None
    assert len(log.records()) == 1


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_pickled_or_copied(duplicate: Callable[[Client], object], log: Log) -> None:
    with Client(QUERY, http_options()) as client:
        with pytest.raises(TypeError, match=r"^a Client cannot be pickled or copied: create another "):
            duplicate(client)
        client.sms("as before", True)
    assert len(log.records()) == 1
