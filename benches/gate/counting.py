"""Defines the hot paths and counts their user-mode instructions with callgrind."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from comparison import Counts

BUILD = Path(__file__).resolve().parents[2] / "build" / "gate"
TIME_LIMIT_S = 300


class Failed(Exception):
    """A counted program failed, or nothing was counted."""


@dataclass(frozen=True)
class HotPath:
    """
    A program that calls a function `calls` times after its warm-up.

    In its command, {http}, {https} and {ca} stand for the sandbox's URLs and CA file, {outbox} for the path of a new
    file, and {calls} for `calls`.
    """

    name: str
    function: str
    calls: int
    command: str


HOT_PATHS = (
    HotPath("request-plain", "nexmo_client_report", 200, "calls client query {http} - {calls}"),
    HotPath("request-tls", "nexmo_client_report", 200, "calls client query {https} {ca} {calls}"),
    HotPath("request-signed", "nexmo_client_report", 200, "calls client signature {http} - {calls}"),
    HotPath("submit-none", "nexmo_reporter_submit", 2000, "calls reporter - {calls}"),
    HotPath("submit-process", "nexmo_reporter_submit", 2000, "calls reporter {outbox} {calls}"),
    HotPath("submit-flat", "nexmo_flat_submit", 2000, "calls flat {calls}"),
    HotPath("claim-32", "nexmo_conversion::reporter::testing::claim", 100, "parts batches {outbox} {calls}"),
    HotPath("complete-32", "nexmo_conversion::reporter::testing::complete", 100, "parts batches {outbox} {calls}"),
    HotPath("response-accepted", "gate::accepted_response", 100, "parts responses {calls}"),
    HotPath("response-rejected", "gate::rejected_response", 100, "parts responses {calls}"),
)


def count_all() -> Counts:
    return {path.name: count(path) for path in HOT_PATHS}


def count(path: HotPath, slow_malloc: int | None = None) -> int:
    """
    Returns the number of instructions of one call.

    With `slow_malloc`, each call of `malloc` additionally runs a loop with that many iterations.
    """
    # Passes on only PATH, because the counts must not depend on the rest of the caller's environment.
    environment = {"PATH": os.environ["PATH"]}
    if slow_malloc is not None:
        environment |= {"LD_PRELOAD": str(BUILD / "slow_malloc.so"), "SLOW_MALLOC": str(slow_malloc)}
    with tempfile.TemporaryDirectory() as folder:
        arguments = path.command.format(
            http=os.environ["NEXMO_SANDBOX_HTTP"],
            https=os.environ["NEXMO_SANDBOX_HTTPS"],
            ca=os.environ["NEXMO_SANDBOX_CA"],
            outbox=f"{folder}/outbox",
            calls=path.calls,
        )
        callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes"]
        # The programs call `begin_counting` after their warm-up.
        limits = ["--zero-before=*begin_counting", f"--toggle-collect={path.function}"]
        command = [*callgrind, *limits, *f"./{arguments}".split()]
        done = subprocess.run(command, cwd=BUILD, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or counted is None or counted.group(1) == "0":
        raise Failed(f"{path.name}: {' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return round(int(counted.group(1)) / path.calls)


def versions() -> dict[str, str]:
    """Returns the versions of the tools, and the processor, on which the counts depend."""
    return {
        "rustc": _first_line("rustc", "--version"),
        "cc": _first_line(os.environ.get("CC", "cc"), "--version"),
        "libc": os.confstr("CS_GNU_LIBC_VERSION") or "unknown",
        "valgrind": _first_line("valgrind", "--version"),
        # Valgrind emulates the same processor on every machine with AVX2. libc and ring select code for that processor.
        "processor": platform.machine() + (" with AVX2" if " avx2 " in Path("/proc/cpuinfo").read_text() else ""),
    }


def _first_line(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
