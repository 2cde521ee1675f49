"""What the options of a reporter do, each seen by its effect, and how it refuses what it cannot use."""

import os
import stat
import threading
import time
from pathlib import Path
from typing import Any, Dict

import pytest

from nexmo_conversion import (
    CallRefused,
    Channel,
    Durability,
    EventKind,
    InvalidArgument,
    NullPointer,
    OutboxBusy,
    OutboxFull,
    Overflow,
    Pending,
    Reporter,
    ReporterOptions,
    Status,
    WrongType,
    _reporter_options,
)
from reporters import LONG_MS, flushed, held, in_file, in_memory, is_balanced, locked, until
from sandbox import QUERY, Log, holding, http_options, responding

# --- outbox and durability ---


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
def test_the_outbox_is_a_file_of_its_owner_alone(kind: Any, durability: Durability, tmp_path: Path, log: Log) -> None:
    outbox = tmp_path / "öutbox"
    with Reporter(QUERY, ReporterOptions(kind(outbox), durability=durability), http_options()) as reporter:
        reporter.submit(Channel.SMS, "a", True)
        assert flushed(reporter).accepted == 1
    assert stat.S_IMODE(outbox.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} >= {"öutbox", "öutbox.lock", "öutbox-wal"}
    assert log.statuses() == [200]


def test_without_durability_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    monkeypatch.chdir(tmp_path)
    with in_memory() as reporter:
        reporter.submit(Channel.SMS, "a", True)
        assert flushed(reporter).accepted == 1
        assert os.listdir(tmp_path) == []
    assert log.statuses() == [200]


# --- max_pending and overflow ---


def test_a_full_outbox_refuses(tmp_path: Path) -> None:
    with held() as server, in_file(tmp_path / "outbox", server.options, max_pending=3) as reporter:
        for number in range(3):
            reporter.submit(Channel.SMS, f"{number}", True)
        with pytest.raises(OutboxFull) as caught:
            reporter.submit(Channel.SMS, "one too many", True)
        assert (caught.value.status, caught.value.retryable) == (Status.OUTBOX_FULL, True)
        # One that replaces another needs no room.
        reporter.submit(Channel.SMS, "2", False)
        assert reporter.statistics().submitted == 4
        server.let_go()
        until(reporter, lambda statistics: statistics.pending == 0)
        reporter.submit(Channel.SMS, "there is room", True)


@pytest.mark.parametrize("is_file", [True, False])
def test_a_full_outbox_drops_its_oldest(is_file: bool, tmp_path: Path) -> None:
    options: Dict[str, Any] = {"max_pending": 2, "overflow": Overflow.DROP_OLDEST}
    with held() as server:
        made = in_file(tmp_path / "outbox", server.options, **options) if is_file else None
        with made or in_memory(server.options, **options) as reporter:
            for number in range(5):
                reporter.submit(Channel.SMS, f"{number}", True)
            statistics = reporter.statistics()
            assert (statistics.dropped, statistics.pending, statistics.events) == (3, 2, 3)
            assert is_balanced(statistics)
            dropped = list(reporter.events())
            server.let_go()
    assert [event.message_id for event in dropped] == ["0", "1", "2"]
    assert {event.kind for event in dropped} == {EventKind.DROPPED}


def test_the_oldest_events_are_discarded_in_the_end() -> None:
    options: Dict[str, Any] = {"max_pending": 1, "overflow": Overflow.DROP_OLDEST, "max_in_flight": 1}
    with held() as server, in_memory(server.options, **options) as reporter:
        for number in range(10_006):
            reporter.submit(Channel.SMS, f"{number}", True)
        statistics = reporter.statistics()
        assert (statistics.dropped, statistics.events, statistics.events_discarded) == (10_005, 10_000, 5)
        event = reporter.poll()
        assert event and event.message_id == "5"
        server.let_go()


# --- max_age_s ---


def test_what_reaches_its_maximum_age_expires(tmp_path: Path) -> None:
    with responding(503) as options, in_file(tmp_path / "outbox", options, max_age_s=1) as reporter:
        reporter.submit(Channel.VOICE, "old", False, "2020-01-01 12:00:00")
        with pytest.raises(Pending):
            reporter.flush(500)
        statistics, event = until(reporter, lambda statistics: statistics.expired == 1), reporter.poll()
    assert (statistics.accepted, statistics.pending) == (0, 0)
    assert event and (event.kind, event.http_status) == (EventKind.EXPIRED, 0)
    assert (event.message_id, event.delivered, event.timestamp) == ("old", False, "2020-01-01 12:00:00")


# --- max_in_flight ---


@pytest.mark.parametrize("most_allowed", [1, 3])
def test_as_many_reports_are_in_flight_as_allowed(most_allowed: int) -> None:
    together, in_flight, most = threading.Barrier(most_allowed), [0], [0]
    lock = threading.Lock()

    def hold() -> None:
        with lock:
            in_flight[0] += 1
            most[0] = max(most[0], in_flight[0])
        together.wait(LONG_MS / 1000)
        with lock:
            in_flight[0] -= 1

    with holding(hold) as server:
        with in_memory(server.options(timeout_ms=LONG_MS), max_in_flight=most_allowed) as reporter:
            for number in range(4 * most_allowed):
                reporter.submit(Channel.SMS, f"{number}", True)
            assert flushed(reporter).accepted == 4 * most_allowed
        assert (server.connections, most[0]) == (most_allowed, most_allowed)


def test_the_statistics_count_what_is_in_flight() -> None:
    with held() as server, in_memory(server.options, max_in_flight=2) as reporter:
        for number in range(5):
            reporter.submit(Channel.SMS, f"{number}", True)
        server.wait()
        server.wait()
        statistics = reporter.statistics()
        assert (statistics.in_flight, statistics.pending) == (2, 5)
        assert statistics.oldest_pending_ms is not None and 0 <= statistics.oldest_pending_ms < LONG_MS
        server.let_go()


# --- busy_timeout_ms ---


@pytest.mark.parametrize(("busy_timeout_ms", "least", "most"), [(1, 1, 1500), (1500, 1500, LONG_MS)])
def test_a_call_waits_for_the_lock_no_longer_than_allowed(
    busy_timeout_ms: int, least: int, most: int, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    with in_file(outbox, busy_timeout_ms=busy_timeout_ms) as reporter:
        with locked(outbox):
            before = time.monotonic()
            with pytest.raises(OutboxBusy) as caught:
                reporter.submit(Channel.SMS, "busy", True)
            assert least <= (time.monotonic() - before) * 1000 < most
        assert (caught.value.status, caught.value.retryable) == (Status.OUTBOX_BUSY, True)


# --- allow_network_file_system ---


def test_the_flag_reaches_the_library_and_does_no_harm_on_a_local_one(tmp_path: Path) -> None:
    options = ReporterOptions(tmp_path / "outbox", allow_network_file_system=True)
    assert _reporter_options.struct(options).flags == _reporter_options.Flag.ALLOW_NETWORK_FILE_SYSTEM
    assert _reporter_options.struct(ReporterOptions("outbox")).flags == 0
    Reporter(QUERY, options, http_options()).free()


# --- what is refused ---


@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
def test_an_outbox_is_required_unless_there_is_none(durability: Durability) -> None:
    with pytest.raises(NullPointer, match=r"^outbox is None: .*=Durability\.NONE$") as caught:
        Reporter(QUERY, ReporterOptions(durability=durability), http_options())
    assert (caught.value.status, caught.value.retryable) == (Status.NULL_POINTER, False)


URLS = ["postgresql://me:pa55@db.test/shop", "ab:", "sqlite:box", "c++:box", "://box", ":memory:"]


@pytest.mark.parametrize("outbox", [*URLS, *map(Path, URLS), Path("./ab:c")])
def test_a_url_is_no_outbox(outbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgument, match="^outbox ") as caught:
        Reporter(QUERY, ReporterOptions(outbox), http_options())
    assert "pa55" not in str(caught.value)
    assert os.listdir(tmp_path) == []


NO_URLS = ["x:y", "öl:box", "a b:c"]


@pytest.mark.parametrize(
    "outbox", [*NO_URLS, *map(Path, NO_URLS), *(f"./{name}" for name in [*NO_URLS, "ab:", "sqlite:box", ":memory:"])]
)
def test_what_does_not_begin_like_a_url_is_a_file(
    outbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Reporter(QUERY, ReporterOptions(outbox), http_options()).free()
    assert Path(outbox).name in os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({"outbox": 7}, "outbox is of type int"),
        ({"outbox": b"outbox"}, "outbox is of type bytes"),
        ({"durability": "power"}, "durability is of type str"),
        ({"durability": None}, "durability is of type NoneType"),
        ({"overflow": True}, "overflow is of type bool"),
        ({"max_pending": 1.0}, "max_pending is of type float"),
        ({"max_age_s": "1"}, "max_age_s is of type str"),
        ({"max_in_flight": None}, "max_in_flight is of type NoneType"),
        ({"busy_timeout_ms": 0.5}, "busy_timeout_ms is of type float"),
        ({"allow_network_file_system": 1}, "allow_network_file_system is of type int"),
    ],
)
def test_a_wrong_type_is_refused_at_once(given: Dict[str, Any], begins: str) -> None:
    with pytest.raises(WrongType, match=f"^{begins}"):
        ReporterOptions(**given)


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({"outbox": "out\0box"}, "outbox contains a NUL"),
        ({"outbox": "\ud800"}, "outbox contains an unpaired"),
        ({"outbox": Path("out\0box")}, "outbox contains a NUL"),
        ({"max_pending": 2**31}, "max_pending is out of range"),
        ({"max_age_s": -(2**31) - 1}, "max_age_s is out of range"),
    ],
)
def test_what_cannot_be_passed_on_is_refused_at_once(given: Dict[str, Any], begins: str) -> None:
    with pytest.raises(CallRefused, match=f"^{begins}"):
        ReporterOptions(**given)


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({"outbox": ""}, "outbox is empty"),
        ({"durability": Durability.NONE}, "outbox is set"),
        ({"durability": 3}, "durability is 3"),
        ({"durability": -1}, "durability is -1"),
        ({"overflow": 2}, "overflow is 2; valid: 0, 1"),
        ({"max_pending": -1}, "max_pending is -1; valid: 1 to 1000000000, or 0 for the default"),
        ({"max_pending": 1_000_000_001}, "max_pending is 1000000001; valid: 1 to 1000000000, or 0 for the default"),
        ({"max_age_s": -1}, "max_age_s is -1; valid: 1 to 31536000, or 0 for the default"),
        ({"max_age_s": 31_536_001}, "max_age_s is 31536001; valid: 1 to 31536000, or 0 for the default"),
        ({"max_in_flight": -1}, "max_in_flight is -1; valid: 1 to 256, or 0 for the default"),
        ({"max_in_flight": 257}, "max_in_flight is 257; valid: 1 to 256, or 0 for the default"),
        ({"busy_timeout_ms": -1}, "busy_timeout_ms is -1; valid: 1 to 60000, or 0 for the default"),
        ({"busy_timeout_ms": 60_001}, "busy_timeout_ms is 60001; valid: 1 to 60000, or 0 for the default"),
    ],
)
def test_the_library_judges_when_the_reporter_is_made(given: Dict[str, Any], begins: str, tmp_path: Path) -> None:
    options = ReporterOptions(**{"outbox": tmp_path / "outbox", **given})
    with pytest.raises(CallRefused, match=f"^{begins}") as caught:
        Reporter(QUERY, options, http_options())
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert os.listdir(tmp_path) == []


def test_options_never_change() -> None:
    with pytest.raises(AttributeError):
        ReporterOptions().outbox = "other"  # type: ignore[misc]
