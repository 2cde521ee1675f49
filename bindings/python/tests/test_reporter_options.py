"""What the options of a reporter do, each seen by its effect, and how it refuses what it cannot use."""

import os
import stat
import threading
import time
from pathlib import Path
from typing import Any, Dict

import pytest

from nexmo_conversion import (
    CallerError,
    Durability,
    OutboxBusy,
    OutboxFull,
    Reason,
    Reporter,
    ReporterOptions,
    Status,
    Timeout,
    WhenFull,
    WrongType,
    _reporter_options,
)
from reporters import LONG_MS, held, in_file, in_memory, is_balanced, locked, until
from sandbox import QUERY, Log, answering, holding, http_options

# --- outbox and durability ---


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
def test_the_outbox_is_a_file_of_its_owner_alone(kind: Any, durability: Durability, tmp_path: Path, log: Log) -> None:
    outbox = tmp_path / "öutbox"
    with Reporter(QUERY, ReporterOptions(kind(outbox), durability=durability), http_options()) as reporter:
        reporter.submit_sms("a", True)
        assert reporter.flush(LONG_MS).sent == 1
    assert stat.S_IMODE(outbox.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} >= {"öutbox", "öutbox.lock", "öutbox-wal"}
    assert log.statuses() == [200]


def test_without_durability_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    monkeypatch.chdir(tmp_path)
    with in_memory() as reporter:
        reporter.submit_sms("a", True)
        assert reporter.flush(LONG_MS).sent == 1
        assert os.listdir(tmp_path) == []
    assert log.statuses() == [200]


# --- most_reports and when_full ---


def test_a_full_outbox_refuses(tmp_path: Path) -> None:
    with held() as server, in_file(tmp_path / "outbox", server.options, most_reports=3) as reporter:
        for number in range(3):
            reporter.submit_sms(f"{number}", True)
        with pytest.raises(OutboxFull) as caught:
            reporter.submit_sms("one too many", True)
        assert (caught.value.status, caught.value.is_retryable) == (Status.OUTBOX_FULL, True)
        # One that replaces another needs no room.
        reporter.submit_sms("2", False)
        assert reporter.statistics().accepted == 4
        server.let_go()
        until(reporter, lambda statistics: statistics.pending == 0)
        reporter.submit_sms("there is room", True)


@pytest.mark.parametrize("is_file", [True, False])
def test_a_full_outbox_drops_its_oldest(is_file: bool, tmp_path: Path) -> None:
    options: Dict[str, Any] = {"most_reports": 2, "when_full": WhenFull.DROP_OLDEST}
    with held() as server:
        made = in_file(tmp_path / "outbox", server.options, **options) if is_file else None
        with made or in_memory(server.options, **options) as reporter:
            for number in range(5):
                reporter.submit_sms(f"{number}", True)
            statistics = reporter.statistics()
            assert (statistics.dropped, statistics.pending, statistics.aside) == (3, 2, 3)
            assert is_balanced(statistics)
            dropped = list(reporter.poll_all())
            server.let_go()
    assert [aside.message_id for aside in dropped] == ["0", "1", "2"]
    assert {aside.reason for aside in dropped} == {Reason.DROPPED}


def test_what_nobody_fetches_is_forgotten_in_the_end() -> None:
    options: Dict[str, Any] = {"most_reports": 1, "when_full": WhenFull.DROP_OLDEST, "connections": 1}
    with held() as server, in_memory(server.options, **options) as reporter:
        for number in range(10_006):
            reporter.submit_sms(f"{number}", True)
        statistics = reporter.statistics()
        assert (statistics.dropped, statistics.aside, statistics.forgotten) == (10_005, 10_000, 5)
        aside = reporter.poll()
        assert aside and aside.message_id == "5"
        server.let_go()


# --- age_limit_s ---


def test_what_grows_too_old_expires(tmp_path: Path) -> None:
    with answering(503) as options, in_file(tmp_path / "outbox", options, age_limit_s=1) as reporter:
        reporter.submit_voice("old", False, "2020-01-01 12:00:00")
        with pytest.raises(Timeout):
            reporter.flush(500)
        statistics, aside = until(reporter, lambda statistics: statistics.expired == 1), reporter.poll()
    assert (statistics.sent, statistics.pending) == (0, 0)
    assert aside and (aside.reason, aside.http_status) == (Reason.EXPIRED, 0)
    assert (aside.message_id, aside.delivered, aside.timestamp) == ("old", False, "2020-01-01 12:00:00")


# --- connections ---


@pytest.mark.parametrize("connections", [1, 3])
def test_as_many_reports_are_under_way_as_allowed(connections: int) -> None:
    together, under_way, most = threading.Barrier(connections), [0], [0]
    lock = threading.Lock()

    def hold() -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        together.wait(LONG_MS / 1000)
        with lock:
            under_way[0] -= 1

    with holding(hold) as server:
        with in_memory(server.options(timeout_ms=LONG_MS), connections=connections) as reporter:
            for number in range(4 * connections):
                reporter.submit_sms(f"{number}", True)
            assert reporter.flush(LONG_MS).sent == 4 * connections
        assert (server.connections, most[0]) == (connections, connections)


def test_the_statistics_count_what_is_under_way() -> None:
    with held() as server, in_memory(server.options, connections=2) as reporter:
        for number in range(5):
            reporter.submit_sms(f"{number}", True)
        server.wait()
        server.wait()
        statistics = reporter.statistics()
        assert (statistics.under_way, statistics.pending) == (2, 5)
        assert statistics.oldest_pending_ms is not None and 0 <= statistics.oldest_pending_ms < LONG_MS
        server.let_go()


# --- lock_wait_ms ---


@pytest.mark.parametrize(("lock_wait_ms", "least", "most"), [(1, 1, 1500), (1500, 1500, LONG_MS)])
def test_a_call_waits_for_the_lock_no_longer_than_allowed(
    lock_wait_ms: int, least: int, most: int, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    with in_file(outbox, lock_wait_ms=lock_wait_ms) as reporter:
        with locked(outbox):
            before = time.monotonic()
            with pytest.raises(OutboxBusy) as caught:
                reporter.submit_sms("busy", True)
            assert least <= (time.monotonic() - before) * 1000 < most
        assert (caught.value.status, caught.value.is_retryable) == (Status.OUTBOX_BUSY, True)


# --- allow_network_file_system ---


def test_the_flag_reaches_the_library_and_does_no_harm_on_a_local_one(tmp_path: Path) -> None:
    options = ReporterOptions(tmp_path / "outbox", allow_network_file_system=True)
    assert _reporter_options.struct(options).flags == _reporter_options.Flag.ALLOW_NETWORK_FILE_SYSTEM
    assert _reporter_options.struct(ReporterOptions("outbox")).flags == 0
    Reporter(QUERY, options, http_options()).free()


# --- what is refused ---


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({"outbox": 7}, "outbox is of type int"),
        ({"outbox": b"outbox"}, "outbox is of type bytes"),
        ({"durability": "power"}, "durability is of type str"),
        ({"durability": None}, "durability is of type NoneType"),
        ({"when_full": True}, "when_full is of type bool"),
        ({"most_reports": 1.0}, "most_reports is of type float"),
        ({"age_limit_s": "1"}, "age_limit_s is of type str"),
        ({"connections": None}, "connections is of type NoneType"),
        ({"lock_wait_ms": 0.5}, "lock_wait_ms is of type float"),
        ({"allow_network_file_system": 1}, "allow_network_file_system is of type int"),
    ],
)
def test_a_wrong_type_is_refused_at_once(given: Dict[str, Any], begins: str) -> None:
    with pytest.raises(WrongType, match=f"^{begins}"):
        ReporterOptions(**given)


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({"outbox": "out\0box"}, "outbox holds a NUL"),
        ({"outbox": "\ud800"}, "outbox holds a surrogate"),
        ({"outbox": Path("out\0box")}, "outbox holds a NUL"),
        ({"most_reports": 2**31}, "most_reports is out of range"),
        ({"age_limit_s": -(2**31) - 1}, "age_limit_s is out of range"),
    ],
)
def test_what_cannot_be_passed_on_is_refused_at_once(given: Dict[str, Any], begins: str) -> None:
    with pytest.raises(CallerError, match=f"^{begins}"):
        ReporterOptions(**given)


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({"outbox": None}, "outbox is missing"),
        ({"outbox": ""}, "outbox is empty"),
        ({"durability": Durability.NONE}, "outbox is given"),
        ({"durability": 3}, "durability is 3"),
        ({"durability": -1}, "durability is -1"),
        ({"when_full": 2}, "when_full is 2"),
        ({"most_reports": -1}, "most_reports is not 1 to 1000000000"),
        ({"most_reports": 1_000_000_001}, "most_reports is not 1 to 1000000000"),
        ({"age_limit_s": -1}, "age_limit_"),
        ({"age_limit_s": 31_536_001}, "age_limit_"),
        ({"connections": -1}, "connections is not 1 to 256"),
        ({"connections": 257}, "connections is not 1 to 256"),
        ({"lock_wait_ms": -1}, "lock_wait_ms is not 1 to 60000"),
        ({"lock_wait_ms": 60_001}, "lock_wait_ms is not 1 to 60000"),
    ],
)
def test_the_library_judges_when_the_reporter_is_made(given: Dict[str, Any], begins: str, tmp_path: Path) -> None:
    options = ReporterOptions(**{"outbox": tmp_path / "outbox", **given})
    with pytest.raises(CallerError, match=f"^{begins}") as caught:
        Reporter(QUERY, options, http_options())
    assert caught.value.status == Status.ARGUMENT
    assert os.listdir(tmp_path) == []


def test_options_never_change() -> None:
    with pytest.raises(AttributeError):
        ReporterOptions().outbox = "other"  # type: ignore[misc]
