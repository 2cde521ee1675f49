"""Measures what idle processes cost: how often they wake, their CPU time and their memory."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from paths import BUILD, PROGRAMS
from process import Failed
from server import Server

PROGRAM = PROGRAMS / "conversion_idle"
OUTBOXES = BUILD / "idle"
WORKERS = 100

#: The number of reports that the sender and the standby process each submit before they are idle, so that there are
#: connections, threads and a long WAL to release.
REPORTS = 20_000

#: The time after which idle sender threads have ended, checkpoints are done and the WAL is truncated.
QUIET_S = 150

#: The figures of each role.
Figures = dict[str, dict[str, float]]


def run(server: Server, is_short: bool) -> Figures:
    """Returns, for each role, the figures of all its processes together and, for the sender, the length of the WAL."""
    shutil.rmtree(OUTBOXES, ignore_errors=True)
    OUTBOXES.mkdir(parents=True)
    quiet, observed, reports = (20, 20, 1000) if is_short else (QUIET_S, 60, REPORTS)
    url, denied = server.urls["https"], server.urls["denied"]
    with ExitStack() as stack:
        def start(url: str, count: int, workers: int, *extra: str) -> "list[int]":
            return stack.enter_context(_idle([url, str(server.ca), str(count), str(workers), "0", *extra]))

        def outbox(name: str) -> str:
            return str(OUTBOXES / name)

        roles = {
            "client": start(url, 100, 1, "client"),
            "sender": start(url, reports, 1, "reporter", outbox("shared")),
            "standby": start(url, reports, 1, "reporter", outbox("shared")),
            "suspended": start(denied, 1, 1, "reporter", outbox("suspended")),
            f"{WORKERS} workers and their parent": start(url, 1, WORKERS, "reporter", outbox("workers")),
        }
        time.sleep(quiet)
        before = {role: _used(processes) for role, processes in roles.items()}
        time.sleep(observed)
        after = {role: _used(processes) for role, processes in roles.items()}
        return {role: {"observed_s": observed, "processes": len(processes), "wakeups": after[role][0] - before[role][0],
                       "cpu_ms": (after[role][1] - before[role][1]) / 1e6, **_memory(processes),
                       **_wal(role)} for role, processes in roles.items()}


@contextmanager
def _idle(arguments: "list[str]") -> "Iterator[list[int]]":
    """Runs the program until the context ends, and yields the ids of its processes."""
    running = subprocess.Popen([str(PROGRAM), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdin is not None and running.stdout is not None
    try:
        processes = [int(word) for word in running.stdout.readline().split()]
        if not processes:
            raise Failed(f"{PROGRAM} failed")
        yield processes
    finally:
        running.stdin.close()
        running.wait()


def _used(processes: "list[int]") -> "tuple[int, int]":
    """Returns the voluntary context switches of the threads of these processes, and their CPU time in nanoseconds."""
    threads = [thread for process in processes for thread in Path(f"/proc/{process}/task").iterdir()]
    waits = sum(int(line.split()[1]) for thread in threads for line in (thread / "status").read_text().splitlines()
                if line.startswith("voluntary_ctxt_switches"))
    return waits, sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def _memory(processes: "list[int]") -> "dict[str, float]":
    """Returns the memory of these processes in KiB: the resident set, the proportional set, and private dirty pages."""
    lines = [line.split() for process in processes
             for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]]
    names = {"Rss:": "rss_kib", "Pss:": "pss_kib", "Private_Dirty:": "private_kib"}
    return {name: sum(int(line[1]) for line in lines if line[0] == label) for label, name in names.items()}


def _wal(role: str) -> "dict[str, float]":
    """Returns the length of the WAL if the role is the sender's, and otherwise nothing."""
    return {"wal_bytes": (OUTBOXES / "shared-wal").stat().st_size} if role == "sender" else {}
