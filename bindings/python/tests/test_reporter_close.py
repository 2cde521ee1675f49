"""Tests flush, close and free of a reporter from any thread."""

import copy
import gc
import itertools
import logging
import pickle
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Callable, List

import pytest

from nexmo_conversion import InvalidCall, Cancelled, Channel, Client, Closed, InvalidHandle, Pending, Reporter, State, Status
from reporters import LONG_MS, flushed, held, in_file, in_memory, until
from sandbox import API_KEY, Log, holding

# --- closing and freeing ---


def test_a_closed_reporter_fails_submits_and_still_has_statistics(log: Log) -> None:
    reporter = in_memory()
    reporter.submit(Channel.SMS, "before", True)
    reporter.close(LONG_MS)
    statistics = reporter.statistics()
    assert (statistics.state, statistics.accepted) == (State.CLOSED, 1)
    uses: List[Callable[[], object]] = [lambda: reporter.submit(Channel.SMS, "after", True), reporter.poll]
    for use in uses:
        with pytest.raises(Closed) as caught:
            use()
        assert (caught.value.status, caught.value.name) == (Status.CLOSED, "NEXMO_ERR_CLOSED")
    assert (list(reporter.events(-1)), reporter.statistics().submitted) == ([], 1)
    assert repr(reporter) == f"<Reporter of {API_KEY!r}, closed>"
    reporter.close()
    reporter.flush(LONG_MS)
    assert log.only()["message_id"] == "before"


def assert_freed(reporter: Reporter, log: Log) -> None:
    uses: List[Callable[[], object]] = [
        lambda: reporter.submit(Channel.SMS, "freed", True),
        lambda: reporter.flush(0),
        lambda: reporter.close(0),
        lambda: reporter.acknowledge(1 << 50),
        reporter.poll,
        reporter.fileno,
        reporter.statistics,
    ]
    for use in uses:
        with pytest.raises(InvalidHandle) as caught:
            use()
        assert (str(caught.value), caught.value.retryable) == ("the reporter is freed: create another", False)
    assert repr(reporter) == f"<Reporter of {API_KEY!r}, freed>"
    assert log.records() == []


def test_a_freed_reporter_raises_invalid_handle(log: Log) -> None:
    reporter, other = in_memory(), in_memory()
    assert repr(reporter) == f"<Reporter of {API_KEY!r}>"
    for _ in range(3):
        reporter.free()
    with reporter:
        pass
    assert_freed(reporter, log)
    with other:
        assert other.statistics().state == State.RUNNING


def test_with_closes_and_frees_the_reporter_even_after_an_exception(log: Log) -> None:
    with in_memory() as reporter:
        assert isinstance(reporter, Reporter)
    assert_freed(reporter, log)
    with pytest.raises(ZeroDivisionError), in_memory() as reporter:
        raise ZeroDivisionError
    assert_freed(reporter, log)


def test_with_sends_pending_reports(tmp_path: Path, log: Log) -> None:
    with in_file(tmp_path / "outbox") as reporter:
        reporter.submit(Channel.SMS, "a", True)
    assert log.statuses() == [200]


def test_with_logs_the_number_of_pending_reports(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with held() as server:
        with in_file(tmp_path / "outbox", server.options) as reporter:
            reporter.submit(Channel.SMS, "held", True)
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("nexmo_conversion", logging.WARNING)
        assert record.message.startswith("1 pending ")
        assert record.thread == threading.get_ident()


def test_freeing_ends_a_flush_and_a_close_of_other_threads() -> None:
    with held() as server, ThreadPoolExecutor(2) as pool:
        reporter = in_memory(server.options)
        reporter.submit(Channel.SMS, "held", True)
        server.wait()
        calls = [pool.submit(reporter.flush, LONG_MS), pool.submit(reporter.close, LONG_MS)]
        # Usually long enough for both calls to start waiting. A call that has not started to wait must end too.
        wait(calls, timeout=0.2)
        reporter.free()
        by_flush, by_close = [call.exception(timeout=LONG_MS / 1000) for call in calls]
    assert isinstance(by_flush, (Cancelled, InvalidHandle))
    # The close may raise Pending.
    assert isinstance(by_close, (Cancelled, InvalidHandle, Pending))


def test_threads_may_free_a_reporter_concurrently(log: Log) -> None:
    for _ in range(20):
        reporter, barrier = in_memory(), threading.Barrier(4)

        def end(reporter: Reporter = reporter, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            reporter.free()

        with ThreadPoolExecutor(4) as pool:
            for call in [pool.submit(end) for _ in range(4)]:
                call.result(LONG_MS / 1000)
        assert_freed(reporter, log)


def test_an_unreferenced_reporter_is_collected_and_loses_no_report(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with held() as server:
        reporter = in_file(outbox, server.options)
        reporter.submit(Channel.SMS, "dropped", True)
        gone = weakref.ref(reporter)
        del reporter
        gc.collect()
        assert gone() is None
        server.release()
        with in_file(outbox, server.options) as again:
            assert until(again, lambda statistics: statistics.pending == 0).accepted == 1


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_reporter_cannot_be_pickled_or_copied(duplicate: Callable[[Reporter], object]) -> None:
    with in_memory() as reporter:
        with pytest.raises(TypeError, match=r"^a Reporter cannot be pickled or copied: create another "):
            duplicate(reporter)
        reporter.submit(Channel.SMS, "as before", True)


# --- flush ---


def test_a_flush_waits_until_its_time_limit() -> None:
    with held() as server, in_memory(server.options) as reporter:
        reporter.flush(0)
        reporter.submit(Channel.SMS, "held", True)
        for timeout_ms in (0, 50, 700):
            before = time.monotonic()
            with pytest.raises(Pending, match="^1 pending ") as caught:
                reporter.flush(timeout_ms)
            assert timeout_ms <= (time.monotonic() - before) * 1000 < LONG_MS
            assert (caught.value.status, caught.value.result.attempts) == (Status.PENDING, 0)
        server.release()
        assert flushed(reporter).accepted == 1


# A call with a time limit other than 0 that ends within this time did not wait for its time limit.
SOON_S = 15


@pytest.mark.parametrize("timeout_ms", [0, LONG_MS, -1])
def test_a_flush_of_a_closed_reporter_does_not_wait(timeout_ms: int) -> None:
    # Leaving `with` ends the calls that still wait.
    with held() as server, ThreadPoolExecutor(1) as pool, in_memory(server.options) as reporter:
        reporter.submit(Channel.SMS, "held", True)
        server.wait()
        with pytest.raises(Pending):
            reporter.close(0)
        for method in (reporter.flush, reporter.close):
            error = pool.submit(method, timeout_ms).exception(SOON_S)
            assert isinstance(error, Pending) and str(error).startswith("1 pending ")
        reporter.free()


@pytest.mark.parametrize("timeout_ms", [LONG_MS, -1])
@pytest.mark.parametrize("name", ["flush", "close"])
def test_closing_ends_a_flush_and_a_close_of_other_threads(name: str, timeout_ms: int) -> None:
    with held() as server, ThreadPoolExecutor(1) as pool, in_memory(server.options) as reporter:
        reporter.submit(Channel.SMS, "held", True)
        server.wait()
        call = pool.submit(getattr(reporter, name), timeout_ms)
        wait([call], timeout=0.7)
        assert not call.done()
        before = time.monotonic()
        with pytest.raises(Pending):
            reporter.close(0 if name == "flush" else timeout_ms)
        assert isinstance(call.exception(SOON_S), Pending)
        assert time.monotonic() - before < SOON_S
        reporter.free()


def test_a_flush_waits_for_the_close_of_another_thread() -> None:
    with held() as server, ThreadPoolExecutor(2) as pool, in_memory(server.options) as reporter:
        reporter.submit(Channel.SMS, "held", True)
        server.wait()
        calls = [pool.submit(reporter.close, LONG_MS), pool.submit(reporter.flush, LONG_MS)]
        assert not wait(calls, timeout=1.2).done
        server.release()
        for call in calls:
            call.result(LONG_MS / 1000)


def test_a_flush_lets_other_threads_run() -> None:
    with held() as server, in_memory(server.options) as reporter, ThreadPoolExecutor(1) as pool:
        reporter.submit(Channel.SMS, "held", True)
        call = pool.submit(reporter.flush, LONG_MS)
        server.wait()
        server.release()
        call.result(LONG_MS / 1000)
        assert reporter.statistics().accepted == 1


def test_a_closing_reporter_waits_and_fails_submits() -> None:
    with held() as server, ThreadPoolExecutor(1) as pool:
        reporter = in_memory(server.options)
        reporter.submit(Channel.SMS, "held", True)
        server.wait()
        call = pool.submit(reporter.close, LONG_MS)
        deadline = time.monotonic() + LONG_MS / 1000
        while not repr(reporter).endswith("closed>"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        # The loop takes longer than one wait inside the library (`_wait.SLICE_MS`).
        for _ in range(2):
            with pytest.raises(Closed):
                reporter.submit(Channel.SMS, "late", True)
            time.sleep(0.4)
        assert not call.done()
        server.release()
        call.result(LONG_MS / 1000)
        statistics = reporter.statistics()
        assert (statistics.state, statistics.submitted, statistics.accepted) == (State.CLOSED, 1, 1)
        reporter.free()


def test_a_close_waits_until_its_time_limit() -> None:
    for timeout_ms in (0, 50, 700):
        with held() as server:
            reporter = in_memory(server.options)
            reporter.submit(Channel.SMS, "held", True)
            before = time.monotonic()
            with pytest.raises(Pending, match="^1 pending .*; they are lost"):
                reporter.close(timeout_ms)
            assert timeout_ms <= (time.monotonic() - before) * 1000 < LONG_MS
            assert reporter.statistics().state == State.CLOSED
            reporter.free()


def test_a_flush_waits_only_for_reports_submitted_before_it() -> None:
    is_over, count = threading.Event(), itertools.count()

    def hold() -> None:
        # The server responds to the first request after more than `_wait.SLICE_MS`, and to all others at the end.
        is_over.wait(1.0 if next(count) == 0 else LONG_MS / 1000)

    with holding(hold) as server, in_memory(server.options(timeout_ms=LONG_MS)) as reporter:
        reporter.submit(Channel.SMS, "earlier", True)

        def submit_later() -> None:
            while not any(thread.name == "nexmo-wait" for thread in threading.enumerate()):
                time.sleep(0.001)
            time.sleep(0.1)
            reporter.submit(Channel.SMS, "later", True)

        submitting = threading.Thread(target=submit_later)
        submitting.start()
        reporter.flush(LONG_MS)
        submitting.join()
        assert reporter.statistics().pending == 1
        is_over.set()


def test_an_object_that_could_not_be_created_has_a_repr() -> None:
    for kind in (Client, Reporter):
        made = kind.__new__(kind)
        with pytest.raises(InvalidCall):
            kind.__init__(made, None, None)  # type: ignore[arg-type]
        assert repr(made) == f"<{kind.__name__}, not created>"
