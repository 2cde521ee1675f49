"""Measures how the cost of a report depends on the number of threads, connections and reports."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import process
from clients import CURL_EASY, OUR_CLIENT, OUR_REPORTER, OUR_REPORTER_NONE, OUTBOX, Client
from server import DELAY_S, Server

THREADS = (1, 4, 16, 64, 256, 1000)
CONNECTIONS = (1, 4, 16, 64, 256)
MAX_SAMPLES = 200

#: The figures of each round, for each client and size.
Sizes = dict[str, dict[str, list[process.Figures]]]


def threads(server: Server, rounds: int, count: int) -> Sizes:
    """Returns the figures of one client for all threads and of a libcurl handle per thread, by number of threads."""
    def once(client: Client, size: int) -> process.Figures:
        return _run_once(server, "https", client, max(count, 5 * size), size)
    return _sizes(rounds, THREADS, (replace(OUR_CLIENT, name="our client"), CURL_EASY), once)


def connections(server: Server, rounds: int, seconds: float) -> Sizes:
    """Returns the figures of a reporter with and without an outbox file, by number of connections.

    The server responds after 50 ms.
    """
    def once(client: Client, size: int) -> process.Figures:
        return _run_once(server, "delayed", client, max(10, round(size * seconds / DELAY_S)), size)
    return _sizes(rounds, CONNECTIONS, (OUR_REPORTER_NONE, OUR_REPORTER), once)


def _sizes(rounds: int, sizes: "tuple[int, ...]", clients: "tuple[Client, ...]",
           once: "Callable[[Client, int], process.Figures]") -> Sizes:
    results: Sizes = {client.name: {str(size): [] for size in sizes} for client in clients}
    for _ in range(rounds):
        for size in sizes:
            for client in clients:
                results[client.name][str(size)].append(once(client, size))
    return results


def _run_once(server: Server, url: str, client: Client, count: int, size: int) -> process.Figures:
    _empty_outbox()
    cores = os.sched_getaffinity(0)
    server.pin_to(cores)
    command = client.command(server.urls[url], str(server.ca), count, size, 5 * size)
    return process.run(command, cores)


def _empty_outbox() -> None:
    shutil.rmtree(OUTBOX, ignore_errors=True)
    OUTBOX.mkdir(parents=True)


def many(server: Server, count: int) -> "dict[str, object]":
    """
    Sends many reports through one reporter.

    Returns the memory of the program over time, in pairs of seconds and MB, and the final figures.
    """
    _empty_outbox()
    command = OUR_REPORTER.command(server.urls["https"], str(server.ca), count, 32, 0)
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
    """
    Returns at most MAX_SAMPLES of the samples.

    Omits the first sample, which precedes the loading of the program, and those after its exit, which are 0.
    """
    alive = [sample for sample in samples[1:] if sample[1] > 0]
    return alive[::len(alive) // MAX_SAMPLES + 1]
