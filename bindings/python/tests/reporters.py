"""Helpers that create reporters, delay responses, run programs that share an outbox, and wait with a time limit."""

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

from nexmo_conversion import Durability, Options, Reporter, ReporterError, ReporterOptions, Statistics
from sandbox import QUERY, Holding, holding, http_options

LONG_MS = 60_000
"""A time limit that only a failing test reaches."""


def in_memory(options: Optional[Options] = None, **others: Any) -> Reporter:
    """Creates a reporter without a file, for the sandbox unless `options` name another server."""
    return Reporter(QUERY, ReporterOptions(durability=Durability.NONE, **others), options or http_options())


def in_file(outbox: Path, options: Optional[Options] = None, **others: Any) -> Reporter:
    """Creates a reporter with a file, for the sandbox unless `options` name another server."""
    return Reporter(QUERY, ReporterOptions(outbox, **others), options or http_options())


def flushed(reporter: Reporter) -> Statistics:
    """Returns the statistics once no report is pending."""
    reporter.flush(LONG_MS)
    return reporter.statistics()


def until(reporter: Reporter, is_so: Callable[[Statistics], bool]) -> Statistics:
    """Returns the statistics once the condition holds. Flushes between checks, so the reporter sends immediately."""
    deadline = time.monotonic() + LONG_MS / 1000
    while not is_so(statistics := reporter.statistics()):
        assert time.monotonic() < deadline, statistics
        with contextlib.suppress(ReporterError):
            reporter.flush(10)
    return statistics


def is_readable(reporter: Reporter, timeout_ms: int = 0) -> bool:
    """Returns whether the reporter's descriptor becomes readable within a time limit."""
    return bool(select.select([reporter], [], [], timeout_ms / 1000)[0])


def is_balanced(statistics: Statistics) -> bool:
    """Returns whether the numbers of reports by outcome add up to the number of submitted reports."""
    outcomes = ("accepted", "rejected", "expired", "replaced", "dropped", "damaged", "pending")
    return statistics.submitted == sum(int(getattr(statistics, outcome)) for outcome in outcomes)


class Held:
    """A server that delays every response until `release` is called."""

    def __init__(self, server: Holding, arrived: threading.Semaphore, is_over: threading.Event) -> None:
        self.options = server.options(timeout_ms=LONG_MS)
        self._arrived = arrived
        self._is_over = is_over

    def wait(self) -> None:
        """Waits for the next request."""
        assert self._arrived.acquire(timeout=LONG_MS / 1000)

    def release(self) -> None:
        """Responds to all delayed requests, and to later requests immediately."""
        self._is_over.set()


@contextlib.contextmanager
def held() -> Iterator[Held]:
    """Runs a server that responds when `release` is called or the context ends."""
    arrived, is_over = threading.Semaphore(0), threading.Event()

    def hold() -> None:
        arrived.release()
        is_over.wait(LONG_MS / 1000)

    with holding(hold) as server:
        try:
            yield Held(server, arrived, is_over)
        finally:
            is_over.set()


START = """
import os, sys
import nexmo_conversion
from nexmo_conversion import *

nexmo_conversion.load(os.environ["NEXMO_LIBRARY"])
credentials = Credentials.query("abcd1234", "s3cret")
outbox, base_url = sys.argv[1:3]
options = Options(base_url=base_url)

def flushed(reporter):
    reporter.flush(60000)
    return reporter.statistics()
"""


def run(program: str, outbox: Path, options: Optional[Options] = None) -> "subprocess.CompletedProcess[str]":
    """Runs a program in another Python process. The variables `outbox`, `options` and `credentials` are set."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    base_url = (options or http_options()).base_url
    # Python 3.12 and later warn about a fork while another thread exists, even if that thread never runs Python.
    warnings = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    command = [sys.executable, *warnings, "-c", START + program, str(outbox), str(base_url)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def run_successfully(program: str, outbox: Path, options: Optional[Options] = None) -> None:
    """Runs a program that must succeed and print nothing."""
    done = run(program, outbox, options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locked(outbox: Path) -> Iterator[None]:
    """Keeps the outbox locked by another process."""
    command = [sys.executable, "-c", LOCK, str(outbox)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "locked\n"
        yield
        process.stdin.close()
