"""Tests `poll`, `acknowledge`, `events`, the file descriptor, `log_events`, and interruption by Ctrl-C."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, List

import pytest

from nexmo_conversion import (
    Channel,
    Closed,
    Event,
    EventKind,
    InvalidArgument,
    InvalidHandle,
    OutboxBusy,
    Overflow,
    Reporter,
    WrongType,
    _abi,
    _event,
)
from reporters import LONG_MS, held, in_file, in_memory, is_readable, locked, run_successfully
from sandbox import Log

REJECTED = Event(1 << 50, EventKind.REJECTED, Channel.SMS, "invalid", True, "2020-01-01 12:00:00", 420, 1, "rejected")


def reject(reporter: Reporter, times: int = 1) -> None:
    """Makes the sandbox reject `times` reports, one after the other."""
    for number in range(times):
        reporter.submit(Channel.SMS, "invalid", number % 2 == 0, f"2020-01-01 12:00:{number:02}")
        reporter.flush(LONG_MS)


def polled(reporter: Reporter, timeout_ms: int = 0) -> Event:
    """Returns the oldest event, which must exist."""
    event = reporter.poll(timeout_ms)
    assert event
    return event


# --- poll and acknowledge ---


def test_the_oldest_event_is_returned_until_it_is_acknowledged(tmp_path: Path) -> None:
    before_ms = time.time() * 1000 - 1000
    with in_file(tmp_path / "outbox") as reporter, in_file(tmp_path / "outbox") as other:
        reject(reporter, 3)
        events = []
        for consumer in (other, reporter, other):
            first = polled(consumer)
            assert polled(reporter) == polled(other) == first
            consumer.acknowledge(first)
            # This second call succeeds too, as if another thread had acknowledged the event first.
            reporter.acknowledge(first.id)
            events.append(first)
        assert (reporter.poll(), other.poll()) == (None, None)
    assert [event.timestamp[-2:] for event in events] == ["00", "01", "02"]
    assert [event.delivered for event in events] == [True, False, True]
    assert 1 << 50 <= events[0].id < events[1].id < events[2].id < 1 << 53
    first = events[0]
    assert (first.kind, first.http_status, first.channel) == (EventKind.REJECTED, 420, Channel.SMS)
    assert (first.message_id, first.timestamp) == ("invalid", "2020-01-01 12:00:00")
    assert before_ms < first.created_unix_ms < time.time() * 1000 + 1000
    assert first.message


def test_an_impossible_id_is_invalid() -> None:
    with in_memory() as reporter:
        reject(reporter)
        event = polled(reporter)
        for event_id in (0, -1, 1 << 49, 1 << 53, (1 << 63) - 1):
            with pytest.raises(InvalidArgument):
                reporter.acknowledge(event_id)
        given: Any
        for given in (None, "1", 1.0, True):
            with pytest.raises(WrongType, match=r"^event is of type "):
                reporter.acknowledge(given)
        assert polled(reporter) == event


def test_poll_waits_until_its_time_limit() -> None:
    with in_memory() as reporter:
        for timeout_ms in (0, 50, 700):
            before = time.monotonic()
            assert reporter.poll(timeout_ms) is None
            assert timeout_ms <= (time.monotonic() - before) * 1000 < LONG_MS


@pytest.mark.parametrize("timeout_ms", [-1, LONG_MS])
def test_poll_waits_for_an_event(timeout_ms: int) -> None:
    with in_memory() as reporter, ThreadPoolExecutor(1) as pool:
        call = pool.submit(reporter.poll, timeout_ms)
        # The event arrives during the second wait inside the library; each wait takes at most `_wait.SLICE_MS`.
        time.sleep(0.7)
        reject(reporter)
        assert call.result(LONG_MS / 1000) == polled(reporter)


def test_poll_raises_closed_after_the_last_event() -> None:
    reporter = in_memory()
    reject(reporter)
    reporter.close(LONG_MS)
    event = polled(reporter, -1)
    reporter.acknowledge(event)
    with pytest.raises(Closed):
        reporter.poll(-1)
    reporter.free()
    for use in (reporter.poll, lambda: reporter.acknowledge(event)):
        with pytest.raises(InvalidHandle):
            use()


def test_a_time_limit_is_an_int() -> None:
    with in_memory() as reporter:
        given: Any
        for given in ("1", 1.0, None, True):
            for method in (reporter.poll, reporter.events):
                with pytest.raises(WrongType, match=r"^timeout_ms is of type "):
                    method(given)
        for given in (-2, -(2**31)):
            with pytest.raises(InvalidArgument, match=r"^timeout_ms "):
                reporter.poll(given)
            with pytest.raises(InvalidArgument, match=r"^timeout_ms "):
                next(reporter.events(given))


# --- events ---


def test_events_acknowledges_each_event_when_the_next_is_requested() -> None:
    with in_memory() as reporter:
        assert list(reporter.events()) == []
        reject(reporter, 3)
        for left, _ in zip((3, 2, 1), reporter.events()):
            assert reporter.statistics().events == left
        assert reporter.statistics().events == 1
        assert len(list(reporter.events())) == 1
        assert reporter.statistics().events == 0


def test_leaving_the_loop_keeps_the_event() -> None:
    def leave_by_return(reporter: Reporter) -> Event:
        for event in reporter.events():
            return event
        raise AssertionError

    with in_memory() as reporter:
        reject(reporter, 2)
        first = leave_by_return(reporter)
        with pytest.raises(ZeroDivisionError):
            for event in reporter.events():
                assert event == first
                raise ZeroDivisionError
        for event in reporter.events():
            assert event == first
            reporter.acknowledge(event)
            break
        assert [event.timestamp[-2:] for event in reporter.events()] == ["01"]


def test_waiting_iterations_end_with_the_reporter() -> None:
    with ThreadPoolExecutor(1) as pool:
        for end in (Reporter.close, Reporter.free):
            reporter = in_memory()
            reject(reporter)
            seen = pool.submit(list, reporter.events(-1))
            while reporter.statistics().events:
                time.sleep(0.01)
            end(reporter)
            assert len(seen.result(LONG_MS / 1000)) == 1
            reporter.free()
            assert list(reporter.events(-1)) == []


def test_events_survive_a_restart(tmp_path: Path) -> None:
    with in_file(tmp_path / "outbox") as reporter:
        reject(reporter)
        event = polled(reporter)
    with in_file(tmp_path / "outbox") as reporter:
        assert is_readable(reporter, LONG_MS)
        reporter.close(0)
        assert list(reporter.events(-1)) == [event]


def test_a_locked_outbox_raises_and_loses_no_event(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with in_file(outbox, busy_timeout_ms=20) as reporter:
        reject(reporter, 2)
        events = reporter.events()
        first = next(events)
        with locked(outbox), pytest.raises(OutboxBusy):
            next(events)
        assert polled(reporter) == first
        assert len(list(reporter.events())) == 2


def test_a_message_id_of_maximum_length_is_returned_whole() -> None:
    name = "é" * 128
    with held() as server:
        with in_memory(server.options, max_pending=1, overflow=Overflow.DROP_OLDEST) as reporter:
            reporter.submit(Channel.VOICE, name, False)
            reporter.submit(Channel.SMS, "another", True)
            event = polled(reporter)
            server.release()
    assert (event.message_id, event.channel, event.kind) == (name, Channel.VOICE, EventKind.DROPPED)


# --- the file descriptor ---


def test_the_descriptor_is_readable_until_all_events_are_acknowledged() -> None:
    with in_memory() as reporter:
        descriptor = reporter.fileno()
        assert descriptor >= 3 and descriptor == reporter.fileno()
        assert not is_readable(reporter)
        reject(reporter, 2)
        for _ in range(2):
            assert is_readable(reporter, LONG_MS)
            event = polled(reporter)
            assert is_readable(reporter)
            reporter.acknowledge(event)
        assert reporter.poll() is None
        assert not is_readable(reporter)
        reporter.close()
        assert is_readable(reporter, LONG_MS)


def test_the_descriptor_is_readable_after_a_drop() -> None:
    with held() as server:
        with in_memory(server.options, max_pending=1, overflow=Overflow.DROP_OLDEST) as reporter:
            reporter.submit(Channel.SMS, "0", True)
            server.wait()
            reporter.submit(Channel.SMS, "1", True)
            assert is_readable(reporter, LONG_MS)
            server.release()


def test_the_descriptor_is_readable_after_a_rejection_in_another_reporter(tmp_path: Path) -> None:
    with in_file(tmp_path / "outbox") as reporter, in_file(tmp_path / "outbox") as other:
        reject(reporter)
        assert is_readable(other, LONG_MS)
        assert other.poll()


# --- the log ---


def test_events_are_logged_by_the_calling_thread(caplog: pytest.LogCaptureFixture) -> None:
    with in_memory() as reporter:
        assert reporter.log_events() == 0
        reject(reporter, 2)
        assert (reporter.log_events(), reporter.log_events()) == (2, 0)
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert (record.name, record.levelno) == ("nexmo_conversion", logging.WARNING)
        assert record.thread == threading.get_ident()
        assert record.message.startswith("the report on sms 'invalid' was rejected: ")
        assert "s3cret" not in record.message and "\n" not in record.message


def test_nothing_is_logged_by_default(caplog: pytest.LogCaptureFixture, log: Log) -> None:
    with in_memory() as reporter:
        reject(reporter)
        reporter.poll()
    assert caplog.records == []


def test_a_log_that_is_not_configured_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("nexmo_conversion")
    logger.propagate = False
    try:
        with in_memory() as reporter:
            reject(reporter)
            assert reporter.log_events() == 1
    finally:
        logger.propagate = True
    assert capsys.readouterr() == ("", "")


# --- the event itself ---


def test_the_text_of_an_event_is_one_line() -> None:
    message_id, message = "a\u2028b'c", "the outbox was full"
    event = Event(1, EventKind.DROPPED, Channel.VOICE, message_id, True, "2020-01-01 12:00:00", 0, 1, message)
    assert str(event) == 'the report on voice "a\\u2028b\'c" was dropped: the outbox was full'


def test_unknown_numbers_of_a_later_library_are_kept() -> None:
    event = _event.read(_abi.EventStruct(kind=77, channel=9, message_id=b"a", message=b"why"))
    assert event and (event.kind, event.channel) == (77, 9)
    assert str(event) == "the report on number 9 'a' was number 77: why"


def test_an_event_is_immutable() -> None:
    with pytest.raises(AttributeError):
        REJECTED.kind = 2  # type: ignore[misc]


# --- Ctrl-C ---

INTERRUPTED = """
import signal, threading, time
reporter = Reporter(credentials, ReporterOptions(outbox), options)
reporter.submit(Channel.SMS, "held", True)
before = time.monotonic()
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {wait}
except KeyboardInterrupt:
    assert time.monotonic() - before < 10
else:
    sys.exit(1)
{after}
"""

IS_CLOSED = """
assert reporter.statistics().state == State.CLOSED
try:
    reporter.submit(Channel.SMS, "late", True)
except Closed:
    pass
else:
    sys.exit(1)
"""

WAITS: List[Any] = [
    ("reporter.poll(-1)", ""),
    ("reporter.poll(60000)", ""),
    ("list(reporter.events(-1))", ""),
    ("reporter.flush(-1)", ""),
    ("reporter.flush(60000)", ""),
    ("reporter.close(60000)", IS_CLOSED),
]


@pytest.mark.parametrize(("wait", "after"), WAITS)
def test_ctrl_c_ends_a_wait(wait: str, after: str, tmp_path: Path) -> None:
    with held() as server:
        run_successfully(INTERRUPTED.format(wait=wait, after=after), tmp_path / "outbox", server.options)
