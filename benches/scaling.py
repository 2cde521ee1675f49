"""What a report costs as their number grows: threads, connections, and a million reports through one reporter."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import process
from clients import CLIENT, EASY, OUTBOX, REPORTER, REPORTER_NONE, Contestant
from server import DELAY_S, Server

THREADS = (1, 4, 16, 64, 256, 1000)
CONNECTIONS = (1, 4, 16, 64, 256)
SAMPLES = 200

#: By contestant, then by size: a figure a round.
Sizes = dict[str, dict[str, list[process.Figures]]]


def threads(server: Server, rounds: int, count: int) -> Sizes:
    """One client shared by more and more threads, beside as many libcurl handles."""
    def once(contestant: Contestant, size: int) -> process.Figures:
        return _once(server, "https", contestant, max(count, 5 * size), size)
    return _sizes(rounds, THREADS, (replace(CLIENT, name="our client"), EASY), once)


def connections(server: Server, rounds: int, seconds: float) -> Sizes:
    """A reporter with more and more connections to a service that takes 50 ms for each answer."""
    def once(contestant: Contestant, size: int) -> process.Figures:
        return _once(server, "far", contestant, max(10, round(size * seconds / DELAY_S)), size)
    return _sizes(rounds, CONNECTIONS, (REPORTER_NONE, REPORTER), once)


def _sizes(rounds: int, sizes: "tuple[int, ...]", contestants: "tuple[Contestant, ...]",
           once: "Callable[[Contestant, int], process.Figures]") -> Sizes:
    results: Sizes = {each.name: {str(size): [] for size in sizes} for each in contestants}
    for _ in range(rounds):
        for size in sizes:
            for each in contestants:
                results[each.name][str(size)].append(once(each, size))
    return results


def _once(server: Server, url: str, contestant: Contestant, count: int, size: int) -> process.Figures:
    _empty_outbox()
    cores = os.sched_getaffinity(0)
    server.stay_on(cores)
    command = contestant.command(server.urls[url], str(server.ca), count, size, 5 * size)
    return process.run(command, cores)


def _empty_outbox() -> None:
    shutil.rmtree(OUTBOX, ignore_errors=True)
    OUTBOX.mkdir(parents=True)


def many(server: Server, count: int) -> "dict[str, object]":
    """Many reports through one reporter: memory over time, in pairs of seconds and MB, and the figures at its end."""
    _empty_outbox()
    command = REPORTER.command(server.urls["https"], str(server.ca), count, 32, 0)
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    samples = list(_samples(running))
    output = running.communicate()[0]
    return {"count": count, "memory": _thinned(samples), "figures": process.figures(command, running.returncode, output)}


def _samples(running: "subprocess.Popen[str]") -> "Iterator[tuple[float, float]]":
    start = time.monotonic()
    while running.poll() is None:
        yield round(time.monotonic() - start, 2), _resident_mb(running.pid)
        time.sleep(0.1)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _thinned(samples: "list[tuple[float, float]]") -> "list[tuple[float, float]]":
    """Every so manieth, so that a plot stays small. The first was taken before the program was loaded, and one at its end has
    none left."""
    alive = [sample for sample in samples[1:] if sample[1] > 0]
    return alive[::len(alive) // SAMPLES + 1]
