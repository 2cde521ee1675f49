"""Tests errors of a reporter: a locked outbox, pending reports, a suspension, an outage, and secrets in responses."""

from pathlib import Path
from typing import Callable, List

import pytest

from nexmo_conversion import (
    Channel,
    Credentials,
    Durability,
    OutboxBusy,
    Pending,
    Reporter,
    ReporterOptions,
    State,
    Status,
    Suspended,
)
from reporters import LONG_MS, flushed, held, in_file, in_memory, locked, until
from sandbox import API_KEY, Log, http_options, responding


def test_a_locked_outbox_is_busy(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with in_file(outbox, busy_timeout_ms=20) as reporter:
        with locked(outbox):
            uses: List[Callable[[], object]] = [
                lambda: reporter.submit(Channel.SMS, "busy", True),
                lambda: in_file(outbox, busy_timeout_ms=20),
            ]
            for use in uses:
                with pytest.raises(OutboxBusy) as caught:
                    use()
                assert (caught.value.status, caught.value.name) == (Status.OUTBOX_BUSY, "NEXMO_ERR_OUTBOX_BUSY")
        reporter.submit(Channel.SMS, "free again", True)
        assert flushed(reporter).submitted == 1


def test_close_raises_pending_while_reports_are_left() -> None:
    with held() as server:
        reporter = in_memory(server.options)
        reporter.submit(Channel.SMS, "held", True)
        for _ in range(2):
            with pytest.raises(Pending) as caught:
                reporter.close(0)
            assert (caught.value.status, caught.value.retryable) == (Status.PENDING, False)
        assert reporter.statistics().state == State.CLOSED
        reporter.free()


def test_a_reporter_of_a_rejected_account_is_suspended(tmp_path: Path, log: Log) -> None:
    options = ReporterOptions(tmp_path / "outbox")
    with Reporter(Credentials.query(API_KEY, "wrong"), options, http_options()) as reporter:
        reporter.submit(Channel.SMS, "suspended", True)
        until(reporter, lambda statistics: statistics.state == State.SUSPENDED)
        with pytest.raises(Suspended) as caught:
            reporter.flush(LONG_MS)
        assert (caught.value.status, caught.value.retryable) == (Status.SUSPENDED, False)
        statistics = reporter.statistics()
        assert (statistics.state, statistics.pending, statistics.events) == (State.SUSPENDED, 1, 0)
        assert (statistics.last_error, statistics.last_error_http_status) == (Status.UNAUTHORIZED, 401)
        reporter.free()
    assert set(log.statuses()) == {401}
    # The report is not lost: the service accepts it with the right secret.
    with in_file(tmp_path / "outbox") as reporter:
        assert flushed(reporter).accepted == 1


@pytest.mark.parametrize("is_file", [True, False])
def test_closing_a_suspended_reporter_raises_suspended(is_file: bool, tmp_path: Path) -> None:
    reporter_options = ReporterOptions(tmp_path / "outbox") if is_file else ReporterOptions(durability=Durability.NONE)
    reporter = Reporter(Credentials.query(API_KEY, "wrong"), reporter_options, http_options())
    reporter.submit(Channel.SMS, "suspended", True)
    with pytest.raises(Suspended) as by_flush:
        reporter.flush(LONG_MS)
    with pytest.raises(Suspended) as caught:
        reporter.close(LONG_MS)
    # close extends the message of the library.
    said, loss, _ = str(caught.value).partition("; they are lost")
    assert (said, bool(loss)) == (str(by_flush.value), not is_file)
    assert (caught.value.status, reporter.statistics().state) == (Status.SUSPENDED, State.CLOSED)
    # The reporter is now closed instead of suspended.
    with pytest.raises(Pending):
        reporter.close(LONG_MS)
    reporter.free()


def test_an_outage_is_reported() -> None:
    with held() as server, in_memory(server.options) as reporter:
        reporter.submit(Channel.SMS, "a", True)
        server.wait()
        assert reporter.statistics().state == State.RUNNING
        server.release()
    with responding(503) as options, in_memory(options) as reporter:
        reporter.submit(Channel.SMS, "a", True)
        statistics = until(reporter, lambda statistics: statistics.state == State.BACKING_OFF)
        assert (statistics.last_error, statistics.last_error_http_status) == (Status.UNAVAILABLE, 503)
        assert statistics.last_error_message
        assert statistics.last_error_unix_ms and statistics.last_error_unix_ms > 1_577_880_000_000
        assert (statistics.pending, statistics.rejected) == (1, 0)
        reporter.free()


def test_no_secret_in_a_response_is_revealed(tmp_path: Path, log: Log) -> None:
    with in_file(tmp_path / "outbox") as reporter:
        reporter.submit(Channel.SMS, "leak", True)
        until(reporter, lambda statistics: statistics.state == State.SUSPENDED)
        with pytest.raises(Suspended) as caught:
            reporter.flush(LONG_MS)
        assert reporter.statistics().last_error == Status.NOT_ENABLED
        shown = f"{caught.value!r} {reporter.statistics()!r} {reporter!r} {vars(reporter)!r}"
        reporter.free()
    assert log.records() and "s3cret" not in shown
