"""Each status of an outbox and a reporter, provoked."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Callable, List

import pytest

from nexmo_conversion import (
    Channel,
    Credentials,
    Durability,
    EventKind,
    OutboxBusy,
    OutboxCorrupt,
    OutboxError,
    OutboxWrongAccount,
    Pending,
    Reporter,
    ReporterOptions,
    State,
    Status,
    Suspended,
)
from reporters import LONG_MS, flushed, held, in_file, in_memory, is_balanced, locked, until
from sandbox import API_KEY, Log, http_options, responding


def missing_directory(outbox: Path) -> Path:
    return outbox / "missing" / "outbox"


def directory(outbox: Path) -> Path:
    outbox.mkdir()
    return outbox


def link(outbox: Path) -> Path:
    outbox.symlink_to("elsewhere")
    return outbox


def database_of_another_program(outbox: Path) -> Path:
    with closing(sqlite3.connect(outbox)) as connection:
        connection.execute("CREATE TABLE theirs (number)")
    return outbox


@pytest.mark.parametrize("kind", [missing_directory, directory, link, database_of_another_program])
def test_what_is_no_outbox_is_refused_and_left_as_it_is(kind: Callable[[Path], Path], tmp_path: Path) -> None:
    outbox = kind(tmp_path / "outbox")
    before = outbox.read_bytes() if outbox.is_file() else None
    with pytest.raises(OutboxError) as caught:
        in_file(outbox)
    error = caught.value
    assert (type(error), error.status, error.retryable) == (OutboxError, Status.OUTBOX, False)
    assert "outbox" in str(error)
    assert before is None or outbox.read_bytes() == before


def test_an_outbox_that_others_hold_is_busy(tmp_path: Path) -> None:
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


def test_an_outbox_belongs_to_one_account(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    in_file(outbox).free()
    with pytest.raises(OutboxWrongAccount, match=f" belongs to the account {API_KEY} at ") as caught:
        Reporter(Credentials.basic("another", "s3cret"), ReporterOptions(outbox), http_options())
    assert (caught.value.status, caught.value.retryable) == (Status.OUTBOX_WRONG_ACCOUNT, False)
    with responding(200) as elsewhere, pytest.raises(OutboxWrongAccount):
        in_file(outbox, elsewhere)
    # Another secret of the same account is none of its business, for no secret is ever in it.
    Reporter(Credentials.basic(API_KEY, "new"), ReporterOptions(outbox), http_options()).free()
    assert b"s3cret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def spoil(outbox: Path) -> None:
    """Damages an outbox so that nobody can overlook it. Its size stays, for it may be mapped into memory."""
    for path in (outbox, outbox.with_name("outbox-wal")):
        path.write_bytes(b"spoilt " * (path.stat().st_size // 7 + 1))


def test_a_damaged_outbox_is_refused_while_others_have_it_open(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with held() as server, in_file(outbox, server.options) as reporter:
        reporter.submit(Channel.SMS, "a", True)
        spoil(outbox)
        with pytest.raises(OutboxCorrupt) as caught:
            in_file(outbox, server.options)
        assert (caught.value.status, caught.value.retryable) == (Status.OUTBOX_CORRUPT, True)
        server.let_go()


def test_a_damaged_outbox_is_renamed_and_kept(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with in_file(outbox) as reporter:
        reporter.submit(Channel.SMS, "before", True)
        reporter.flush(LONG_MS)
    spoil(outbox)
    with in_file(outbox) as reporter:
        reporter.submit(Channel.SMS, "after", True)
        statistics = until(reporter, lambda statistics: statistics.accepted == 1)
    assert (statistics.submitted, statistics.outbox_resets) == (1, 1)
    assert any(".corrupt" in path.name for path in tmp_path.iterdir())


def test_an_outbox_that_was_removed_is_made_anew_and_counted(tmp_path: Path, log: Log) -> None:
    outbox = tmp_path / "outbox"
    with in_file(outbox) as reporter:
        reporter.submit(Channel.SMS, "before", True)
        reporter.flush(LONG_MS)
        for name in ("outbox", "outbox-wal", "outbox-shm"):
            outbox.with_name(name).unlink()
        until(reporter, lambda statistics: statistics.outbox_resets == 1)
        reporter.submit(Channel.SMS, "after", True)
        assert until(reporter, lambda statistics: statistics.accepted == 1).accepted == 1
    assert log.statuses() == [200, 200]


def test_reports_that_are_left_are_pending() -> None:
    with held() as server:
        reporter = in_memory(server.options)
        reporter.submit(Channel.SMS, "held", True)
        for _ in range(2):
            with pytest.raises(Pending) as caught:
                reporter.close(0)
            assert (caught.value.status, caught.value.retryable) == (Status.PENDING, False)
        assert reporter.statistics().state == State.CLOSED
        reporter.free()


@pytest.mark.parametrize("http_status", [420, 422, 423])
def test_what_the_service_rejects_becomes_an_event(http_status: int, tmp_path: Path) -> None:
    with responding(http_status) as options, in_file(tmp_path / "outbox", options) as reporter:
        reporter.submit(Channel.SMS, "rejected", True)
        statistics = flushed(reporter)
        assert (statistics.rejected, statistics.events, statistics.pending) == (1, 1, 0)
        (event,) = reporter.events()
        assert (event.kind, event.http_status) == (EventKind.REJECTED, http_status)
        assert reporter.statistics().events == 0


def test_a_reporter_whose_account_is_not_accepted_is_suspended(tmp_path: Path, log: Log) -> None:
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
    # Nothing is lost: with the right secret it is accepted.
    with in_file(tmp_path / "outbox") as reporter:
        assert flushed(reporter).accepted == 1


@pytest.mark.parametrize("is_file", [True, False])
def test_a_suspended_reporter_says_so_when_it_is_closed(is_file: bool, tmp_path: Path) -> None:
    keeps = ReporterOptions(tmp_path / "outbox") if is_file else ReporterOptions(durability=Durability.NONE)
    reporter = Reporter(Credentials.query(API_KEY, "wrong"), keeps, http_options())
    reporter.submit(Channel.SMS, "suspended", True)
    with pytest.raises(Suspended) as by_flush:
        reporter.flush(LONG_MS)
    with pytest.raises(Suspended) as caught:
        reporter.close(LONG_MS)
    # The library's sentence, and what a close adds to it.
    said, loss, _ = str(caught.value).partition("; they are lost")
    assert (said, bool(loss)) == (str(by_flush.value), not is_file)
    assert (caught.value.status, reporter.statistics().state) == (Status.SUSPENDED, State.CLOSED)
    # It is closed, and no longer suspended.
    with pytest.raises(Pending):
        reporter.close(LONG_MS)
    reporter.free()


def test_an_outage_is_reported() -> None:
    with held() as server, in_memory(server.options) as reporter:
        reporter.submit(Channel.SMS, "a", True)
        server.wait()
        assert reporter.statistics().state == State.RUNNING
        server.let_go()
    with responding(503) as options, in_memory(options) as reporter:
        reporter.submit(Channel.SMS, "a", True)
        statistics = until(reporter, lambda statistics: statistics.state == State.BACKING_OFF)
        assert (statistics.last_error, statistics.last_error_http_status) == (Status.UNAVAILABLE, 503)
        assert statistics.last_error_message
        assert statistics.last_error_unix_ms and statistics.last_error_unix_ms > 1_577_880_000_000
        assert (statistics.pending, statistics.rejected) == (1, 0)
        reporter.free()


def test_one_reporter_sends_and_the_others_are_on_standby(tmp_path: Path, log: Log) -> None:
    outbox = tmp_path / "outbox"
    with in_file(outbox) as first:
        first.submit(Channel.SMS, "first", True)
        first.flush(LONG_MS)
        with in_file(outbox) as second:
            second.submit(Channel.SMS, "second", True)
            statistics = until(second, lambda statistics: statistics.state == State.STANDBY)
            assert flushed(second).accepted == flushed(first).accepted == 2
            first.free()
            second.submit(Channel.SMS, "third", True)
            statistics = flushed(second)
            assert (statistics.accepted, statistics.state) == (3, State.RUNNING)
            assert is_balanced(statistics)
    assert log.statuses() == [200] * 3


def test_no_secret_is_shown_by_what_the_service_repeats(tmp_path: Path, log: Log) -> None:
    with in_file(tmp_path / "outbox") as reporter:
        reporter.submit(Channel.SMS, "leak", True)
        until(reporter, lambda statistics: statistics.state == State.SUSPENDED)
        with pytest.raises(Suspended) as caught:
            reporter.flush(LONG_MS)
        assert reporter.statistics().last_error == Status.NOT_ENABLED
        shown = f"{caught.value!r} {reporter.statistics()!r} {reporter!r} {vars(reporter)!r}"
        reporter.free()
    assert log.records() and "s3cret" not in shown
