"""Measures the distribution of the latency of `submit` with programs/submit_load.c."""

import os
import shutil
import subprocess
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean

from paths import BUILD, LIBRARY, PROGRAMS
from process import Failed
from server import Server

#: The total number of submits per second, unless at full speed.
RATE = 10_000

#: The time that the processes have to start, in nanoseconds. It is longer than they need.
START_NS = 500_000_000

FOLDER = BUILD / "tail"

Shape = tuple[int, int]
Line = dict[str, "str | float"]


@dataclass(frozen=True)
class Load:
    durability: str
    service: str
    shape: Shape
    rate: int

    def describe(self, library: str) -> Line:
        processes, threads = self.shape
        return {"durability": self.durability, "service": self.service, "shape": f"{processes} x {threads}",
                "load": f"{self.rate:,}/s" if self.rate else "full speed", "library": library}


def run(server: Server, shapes: "tuple[Shape, ...]", rounds: int, seconds: float, log: "Callable[[str], None]") -> "list[Line]":
    """
    Returns the latency of submit for each durability, with and without a service, and for each shape: a number of
    processes, and the number of threads of each. If $BEFORE is set, also measures the library in that folder.
    """
    server.pin_to(os.sched_getaffinity(0))
    libraries = {"this": LIBRARY.parent}
    if before := os.environ.get("BEFORE"):
        libraries = {"before": Path(before), **libraries}
    lines: list[Line] = []
    for durability, service, shape, rate in product(("none", "process", "power"), ("none", "accepts"), shapes, (RATE, 0)):
        load = Load(durability, service, shape, rate)
        url = [server.urls["http"]] if service == "accepts" else []
        samples = {name: array("f") for name in libraries}
        for number in range(rounds):
            for name in list(libraries)[::-1 if number % 2 else 1]:
                log(" ".join(map(str, load.describe(name).values())))
                samples[name].extend(_once(libraries[name], str(FOLDER / "outbox"), durability, load, seconds, url))
        lines += [load.describe(name) | _figures(load, samples[name], rounds * seconds) for name in libraries]
    return lines + list(_bare_lock(lines, shapes, seconds))


def _bare_lock(lines: "list[Line]", shapes: "tuple[Shape, ...]", seconds: float) -> "Iterator[Line]":
    """
    Returns the latency of threads that contend for a fair lock and hold it for the median time of a submit. This shows
    how much of the latency of submit is due to contention and scheduling, whatever the library does. Each process has its
    own lock, so at full speed, when processes contend for an outbox all the time, only one process is comparable.
    """
    single = Load("process", "none", (1, 1), 0).describe("this")
    hold_ns = next(round(float(line["median_ms"]) * 1e6) for line in lines if single.items() <= line.items())
    for shape, rate in product(shapes, (RATE, 0)):
        if shape[0] == 1 or rate:
            load = Load("process", "none", shape, rate)
            name = f"bare lock, held {hold_ns / 1000:.0f} us"
            yield load.describe(name) | _figures(load, _once(LIBRARY.parent, "-", str(hold_ns), load, seconds, []), seconds)


def _once(library: Path, outbox: str, durability: str, load: Load, seconds: float, url: "list[str]") -> "array[float]":
    """Runs all processes of a load and returns the latencies of their submits, in microseconds."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    processes, threads = load.shape
    start = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + START_NS
    command = [str(PROGRAMS / "submit_load"), outbox, durability, str(threads), str(load.rate / processes), str(seconds), str(start), *url]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(library)}
    with ThreadPoolExecutor(processes) as executor:
        done = list(executor.map(lambda _: subprocess.run(command, stdout=subprocess.PIPE, env=environment), range(processes)))
    times = array("f")
    for each in done:
        if each.returncode != 0:
            raise Failed(f"status {each.returncode} of: {' '.join(command)}")
        times.frombytes(each.stdout)
    return times


def _figures(load: Load, times: "array[float]", seconds: float) -> Line:
    ordered = sorted(times)
    at = {"median_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999, "max_ms": 1}
    processes, threads = load.shape
    # At full speed, threads submit without a pause, so the mean latency determines the rate.
    rate = len(ordered) / seconds if load.rate else processes * threads / fmean(ordered) * 1e6
    return {"rate": rate} | {name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000 for name, share in at.items()}
