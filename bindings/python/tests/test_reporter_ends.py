"""A reporter is flushed, closed and freed, by whoever and whenever."""

import copy
import gc
import logging
import pickle
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Callable, List

import pytest

from nexmo_conversion import Cancelled, Closed, HandleError, Pending, Reporter, State, Status, Timeout
from reporters import LONG_MS, held, in_file, in_memory, until
from sandbox import API_KEY, Log

# --- closing and freeing ---


def test_a_closed_reporter_takes_nothing_but_can_be_asked(log: Log) -> None:
    reporter = in_memory()
    reporter.submit_sms("before", True)
    statistics = reporter.close(LONG_MS)
    assert (statistics.state, statistics.sent) == (State.CLOSED, 1)
    for submit in (Reporter.submit_sms, Reporter.submit_voice):
        with pytest.raises(Closed) as caught:
            submit(reporter, "after", True)
        assert (caught.value.status, caught.value.name) == (Status.CLOSED, "NEXMO_ERR_CLOSED")
    assert (reporter.poll(), reporter.statistics().accepted) == (None, 1)
    assert repr(reporter) == f"<Reporter of {API_KEY!r}, closed>"
    assert reporter.close().state == State.CLOSED
    assert log.only()["message_id"] == "before"


def assert_freed(reporter: Reporter, log: Log) -> None:
    uses: List[Callable[[], object]] = [
        lambda: reporter.submit_sms("freed", True),
        lambda: reporter.submit_voice("freed", True),
        lambda: reporter.flush(0),
        lambda: reporter.close(0),
        lambda: list(reporter.poll_all()),
        reporter.poll,
        reporter.log_aside,
        reporter.fileno,
        reporter.statistics,
    ]
    for use in uses:
        with pytest.raises(HandleError) as caught:
            use()
        assert (str(caught.value), caught.value.is_retryable) == ("the reporter is freed: make another", False)
    assert repr(reporter) == f"<Reporter of {API_KEY!r}, freed>"
    assert log.records() == []


def test_a_freed_reporter_says_so(log: Log) -> None:
    reporter, other = in_memory(), in_memory()
    assert repr(reporter) == f"<Reporter of {API_KEY!r}>"
    for _ in range(3):
        reporter.free()
    with reporter:
        pass
    assert_freed(reporter, log)
    with other:
        assert other.statistics().state == State.RUNNING


def test_with_closes_and_frees_the_reporter_whatever_happens(log: Log) -> None:
    with in_memory() as reporter:
        assert isinstance(reporter, Reporter)
    assert_freed(reporter, log)
    with pytest.raises(ZeroDivisionError), in_memory() as reporter:
        raise ZeroDivisionError
    assert_freed(reporter, log)


def test_with_sends_what_it_can(tmp_path: Path, log: Log) -> None:
    with in_file(tmp_path / "outbox") as reporter:
        reporter.submit_sms("a", True)
    assert log.statuses() == [200]


def test_with_tells_the_log_what_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with held() as server:
        with in_file(tmp_path / "outbox", server.options) as reporter:
            reporter.submit_sms("held", True)
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("nexmo_conversion", logging.WARNING)
        assert record.message.endswith("still pending: 1")
        assert record.thread == threading.get_ident()


def test_freeing_ends_a_flush_and_a_close_of_other_threads() -> None:
    with held() as server, ThreadPoolExecutor(2) as pool:
        reporter = in_memory(server.options)
        reporter.submit_sms("held", True)
        server.wait()
        calls = [pool.submit(reporter.flush, LONG_MS), pool.submit(reporter.close, LONG_MS)]
        # Long enough for both to wait; one that has not come that far is to end as well.
        wait(calls, timeout=0.2)
        reporter.free()
        flushed, closed = [call.exception(timeout=LONG_MS / 1000) for call in calls]
    assert isinstance(flushed, (Cancelled, HandleError))
    # A close may as well tell what it left behind.
    assert isinstance(closed, (Cancelled, HandleError, Pending))


def test_threads_may_free_a_reporter_together(log: Log) -> None:
    for _ in range(20):
        reporter, barrier = in_memory(), threading.Barrier(4)

        def end(reporter: Reporter = reporter, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            reporter.free()

        with ThreadPoolExecutor(4) as pool:
            for call in [pool.submit(end) for _ in range(4)]:
                call.result(LONG_MS / 1000)
        assert_freed(reporter, log)


def test_a_reporter_that_is_forgotten_is_collected_and_loses_nothing(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with held() as server:
        reporter = in_file(outbox, server.options)
        reporter.submit_sms("forgotten", True)
        gone = weakref.ref(reporter)
        del reporter
        gc.collect()
        assert gone() is None
        server.let_go()
        with in_file(outbox, server.options) as again:
            assert until(again, lambda statistics: statistics.pending == 0).sent == 1


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_reporter_cannot_be_pickled_or_copied(duplicate: Callable[[Reporter], object]) -> None:
    with in_memory() as reporter:
        with pytest.raises(TypeError, match=r"^a Reporter cannot be pickled or copied: make another "):
            duplicate(reporter)
        reporter.submit_sms("as before", True)


# --- flush ---


def test_a_flush_waits_no_longer_than_it_is_told() -> None:
    with held() as server, in_memory(server.options) as reporter:
        assert reporter.flush(0).accepted == 0
        reporter.submit_sms("held", True)
        for timeout_ms in (0, 50):
            before = time.monotonic()
            with pytest.raises(Timeout, match="still pending: 1") as caught:
                reporter.flush(timeout_ms)
            assert timeout_ms <= (time.monotonic() - before) * 1000 < LONG_MS
            assert (caught.value.status, caught.value.result.attempts) == (Status.TIMEOUT, 0)
        server.let_go()
        assert reporter.flush(LONG_MS).sent == 1


def test_a_flush_lets_other_threads_run() -> None:
    with held() as server, in_memory(server.options) as reporter, ThreadPoolExecutor(1) as pool:
        reporter.submit_sms("held", True)
        call = pool.submit(reporter.flush, LONG_MS)
        server.wait()
        server.let_go()
        assert call.result(LONG_MS / 1000).sent == 1
