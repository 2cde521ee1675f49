"""Tests reporters: submits, delivery, and use by several threads."""

import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from nexmo_conversion import (
    Channel,
    Credentials,
    Durability,
    InvalidCall,
    Options,
    Pending,
    Reporter,
    ReporterOptions,
    State,
    Status,
    WrongType,
)
from reporters import LONG_MS, flushed, held, in_file, in_memory, is_balanced, run
from sandbox import ALL_AUTH, API_KEY, QUERY, Log, auth_id, https_options

CHANNELS = [*Channel]


# --- delivery ---


@pytest.mark.parametrize("delivered", [True, False])
@pytest.mark.parametrize("channel", Channel)
def test_a_report_arrives(channel: Channel, delivered: bool, tmp_path: Path, log: Log) -> None:
    with in_file(tmp_path / "outbox") as reporter:
        reporter.submit(channel, "00A0B0C0", delivered, "2020-01-01 12:00:00")
        statistics = flushed(reporter)
    record = log.only()
    assert (record["status"], record["violations"], record["api_key"]) == (200, [], API_KEY)
    assert (record["channel"], record["message_id"]) == (channel.name.lower(), "00A0B0C0")
    assert (record["delivered"], record["timestamp"]) == (str(delivered).lower(), "2020-01-01 12:00:00")
    assert (statistics.submitted, statistics.accepted, statistics.pending) == (1, 1, 0)
    assert (statistics.state, statistics.last_error, statistics.last_error_message) == (State.RUNNING, 0, "")
    assert (statistics.oldest_pending_ms, statistics.last_error_unix_ms) == (None, None)


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
def test_every_authentication(credentials: Credentials, log: Log) -> None:
    with Reporter(credentials, ReporterOptions(durability=Durability.NONE), https_options()) as reporter:
        reporter.submit(Channel.SMS, "a", True)
        assert flushed(reporter).accepted == 1
    assert (log.only()["scheme"], log.only()["status"]) == ("https", 200)


def test_the_default_timestamp_is_that_of_the_submit(log: Log) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)
    with in_memory() as reporter:
        reporter.submit(Channel.SMS, "a", True)
        reporter.flush(LONG_MS)
    after = datetime.now(timezone.utc).replace(tzinfo=None)
    assert before <= datetime.fromisoformat(log.only()["timestamp"]) <= after


def test_a_timestamp_may_be_a_datetime(log: Log) -> None:
    moment = datetime(2020, 2, 28, 23, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=-8)))
    with in_memory() as reporter:
        reporter.submit(Channel.VOICE, "a", True, moment)
        reporter.flush(LONG_MS)
    assert log.only()["timestamp"] == "2020-02-29 07:00:00"


def test_the_service_receives_the_last_report_for_a_message_last(log: Log) -> None:
    with held() as server, in_memory(server.options, max_in_flight=1) as reporter:
        reporter.submit(Channel.SMS, "first", True)
        server.wait()
        for delivered in (True, False):
            reporter.submit(Channel.SMS, "same", delivered)
            reporter.submit(Channel.VOICE, "same", delivered)
        assert reporter.statistics().replaced == 2
        server.release()
        statistics = flushed(reporter)
    assert (statistics.submitted, statistics.accepted, statistics.replaced) == (5, 3, 2)
    assert is_balanced(statistics)


def test_threads_share_a_reporter(tmp_path: Path, log: Log) -> None:
    with in_file(tmp_path / "outbox", busy_timeout_ms=LONG_MS) as reporter, ThreadPoolExecutor(8) as pool:

        def submit(number: int) -> None:
            reporter.submit(CHANNELS[number % 2], f"shared {number}", number % 3 == 0)
            assert is_balanced(reporter.statistics())

        list(pool.map(submit, range(200)))
        assert flushed(reporter).accepted == 200
    arrived = {record["message_id"]: record for record in log.records()}
    assert len(log.records()) == len(arrived) == 200
    for number in range(200):
        record = arrived[f"shared {number}"]
        assert record["channel"] == CHANNELS[number % 2].name.lower()
        assert record["delivered"] == str(number % 3 == 0).lower()


# --- durability ---

KILLED = """
reporter = Reporter(credentials, ReporterOptions(outbox, durability=Durability.{durability}), options)
for number in range(9):
    reporter.submit(Channel.SMS, f"kept {{number}}", True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
def test_submitted_reports_survive_a_kill(durability: Durability, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with held() as server:
        done = run(KILLED.format(durability=durability.name), outbox, server.options)
        assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "", "")
        server.release()
        with in_file(outbox, server.options, durability=durability) as reporter:
            statistics = flushed(reporter)
    assert (statistics.submitted, statistics.accepted) == (9, 9)


def test_pending_reports_are_sent_at_the_next_start(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with held() as server:
        reporter = in_file(outbox, server.options)
        for number in range(3):
            reporter.submit(Channel.SMS, f"left {number}", True)
        with pytest.raises(Pending, match="^3 pending ") as caught:
            reporter.close(0)
        assert (caught.value.status, caught.value.retryable) == (Status.PENDING, False)
        assert reporter.statistics().pending == 3
        server.release()
        with in_file(outbox, server.options) as again:
            assert flushed(again).accepted == 3


# --- invalid reports ---

TEXTS: List[Tuple[Any, ...]] = [
    ("", True),
    (" a", True),
    ("a\0", True),
    ("a\n", True),
    ("\ud800", True),
    ("a" * 257, True),
    ("a", True, "yesterday"),
    ("a", True, "2020-02-30 12:00:00"),
    ("a", True, datetime(2020, 1, 1)),
]
TYPES: List[Tuple[Any, ...]] = [(7, True), (None, True), (b"a", True), ("a", 1), ("a", None), ("a", True, 0)]


@pytest.mark.parametrize("channel", CHANNELS)
def test_invalid_reports_are_not_stored(channel: Channel, log: Log) -> None:
    given: Any
    with in_memory() as reporter:
        for arguments in [*TEXTS, *TYPES]:
            with pytest.raises(InvalidCall) as caught:
                reporter.submit(channel, *arguments)
            assert caught.value.status == Status.INVALID_ARGUMENT
            assert isinstance(caught.value, WrongType) is (arguments in TYPES)
        assert reporter.statistics().submitted == 0
        for number in (0, 3, -1):
            with pytest.raises(InvalidCall, match="^channel "):
                reporter.submit(number, "a", True)
        for given in ("sms", None, True):
            with pytest.raises(WrongType, match="^channel is of type "):
                reporter.submit(given, "a", True)
        reporter.submit(channel, "a" * 256, True)
        assert flushed(reporter).accepted == 1
    assert log.only()["message_id"] == "a" * 256


def test_a_time_limit_is_an_int_of_at_least_minus_1() -> None:
    with in_memory() as reporter:
        given: Any
        for given in ("1", 1.0, None, True):
            for method in (reporter.flush, reporter.close):
                with pytest.raises(WrongType, match=r"^timeout_ms is of type "):
                    method(given)
        for given in (-2, 2**31, -(2**31) - 1):
            for method in (reporter.flush, reporter.close):
                with pytest.raises(InvalidCall, match=r"^timeout_ms is "):
                    method(given)
        # The failed calls did not close the reporter.
        reporter.submit(Channel.SMS, "a", True)


def test_a_new_reporter_checks_credentials_and_options() -> None:
    reporter_options = ReporterOptions(durability=Durability.NONE)
    with pytest.raises(WrongType, match=r"^credentials is of type "):
        Reporter(("abcd1234", "s3cret"), reporter_options)  # type: ignore[arg-type]
    with pytest.raises(WrongType, match=r"^options is of type "):
        Reporter(QUERY, reporter_options, {"timeout_ms": 5})  # type: ignore[arg-type]
    given: Any
    for given in (None, "outbox", {"outbox": "outbox"}):
        with pytest.raises(WrongType, match=r"^reporter_options is of type "):
            Reporter(QUERY, given)
    with pytest.raises(InvalidCall, match=r"^base_url "):
        Reporter(QUERY, reporter_options, Options(base_url="http://192.0.2.1"))
