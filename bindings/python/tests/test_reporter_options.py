"""Tests the options of a reporter: effects and invalid values. tests/c/reporter_options.c tests the other effects."""

import os
import stat
from pathlib import Path
from typing import Any, Dict

import pytest

from nexmo_conversion import (
    Channel,
    Durability,
    InvalidArgument,
    InvalidCall,
    NullPointer,
    Reporter,
    ReporterOptions,
    Status,
    WrongType,
    _abi,
    _reporter_options,
)
from reporters import LONG_MS, flushed, held, in_memory
from sandbox import QUERY, Log, http_options

# --- outbox and durability ---


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
def test_the_outbox_is_readable_by_its_owner_only(kind: Any, durability: Durability, tmp_path: Path, log: Log) -> None:
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


# --- max_in_flight ---


def test_the_statistics_count_reports_in_flight() -> None:
    with held() as server, in_memory(server.options, max_in_flight=2) as reporter:
        for number in range(5):
            reporter.submit(Channel.SMS, f"{number}", True)
        server.wait()
        server.wait()
        statistics = reporter.statistics()
        assert (statistics.in_flight, statistics.pending) == (2, 5)
        assert statistics.oldest_pending_ms is not None and 0 <= statistics.oldest_pending_ms < LONG_MS
        server.release()


# --- allow_network_file_system ---


def test_the_flag_reaches_the_library(tmp_path: Path) -> None:
    options = ReporterOptions(tmp_path / "outbox", allow_network_file_system=True)
    assert _reporter_options.struct(options).flags == _abi.ReporterOptionsFlag.ALLOW_NETWORK_FILE_SYSTEM
    assert _reporter_options.struct(ReporterOptions("outbox")).flags == 0
    Reporter(QUERY, options, http_options()).free()


# --- invalid values ---


@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
def test_an_outbox_is_required_with_a_durability(durability: Durability) -> None:
    with pytest.raises(NullPointer, match=r"^outbox is None: .*=Durability\.NONE$") as caught:
        Reporter(QUERY, ReporterOptions(durability=durability), http_options())
    assert (caught.value.status, caught.value.retryable) == (Status.NULL_POINTER, False)


URLS = ["postgresql://me:pa55@db.test/shop", "ab:", "sqlite:box", "c++:box", "://box", ":memory:"]


@pytest.mark.parametrize("outbox", [*URLS, *map(Path, URLS), Path("./ab:c")])
def test_a_url_is_not_an_outbox(outbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgument, match="^outbox ") as caught:
        Reporter(QUERY, ReporterOptions(outbox), http_options())
    assert "pa55" not in str(caught.value)
    assert os.listdir(tmp_path) == []


FILE_NAMES = ["x:y", "öl:box", "a b:c"]


@pytest.mark.parametrize(
    "outbox",
    [*FILE_NAMES, *map(Path, FILE_NAMES), *(f"./{name}" for name in [*FILE_NAMES, "ab:", "sqlite:box", ":memory:"])],
)
def test_other_names_are_files(
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
def test_a_wrong_type_raises_immediately(given: Dict[str, Any], begins: str) -> None:
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
def test_a_value_that_c_cannot_hold_raises_immediately(given: Dict[str, Any], begins: str) -> None:
    with pytest.raises(InvalidCall, match=f"^{begins}"):
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
def test_the_library_checks_values_in_a_new_reporter(given: Dict[str, Any], begins: str, tmp_path: Path) -> None:
    options = ReporterOptions(**{"outbox": tmp_path / "outbox", **given})
    with pytest.raises(InvalidCall, match=f"^{begins}") as caught:
        Reporter(QUERY, options, http_options())
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert os.listdir(tmp_path) == []


def test_options_are_immutable() -> None:
    with pytest.raises(AttributeError):
        ReporterOptions().outbox = "other"  # type: ignore[misc]
