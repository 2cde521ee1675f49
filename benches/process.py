"""Runs a program and reads the figures that it prints."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence

Figures = dict[str, float]


class Failed(SystemExit):
    """A program failed or did not complete its work, so its figures are invalid."""


def run(command: Sequence[str], cores: "set[int]", environment: "Mapping[str, str] | None" = None) -> Figures:
    """Runs a program on these cores and returns its figures."""
    pinned = ["taskset", "--cpu-list", ",".join(map(str, sorted(cores))), *command]
    done = subprocess.run(pinned, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    return figures(command, done.returncode, done.stdout)


def figures(command: Sequence[str], status: int, output: str) -> Figures:
    """Returns the figures in the last line of a program's output, with the rate and the CPU time per request added."""
    lines = output.splitlines()
    if status != 0 or not lines:
        raise Failed(f"status {status} of: {' '.join(command)}")
    found: Figures = json.loads(lines[-1])
    if found["failures"] or not found["done"]:
        raise Failed(f"{found['failures']} failures of: {' '.join(command)}")
    found["rate"] = found["done"] / found["wall_s"]
    found["cpu_us"] = found["cpu_s"] / found["done"] * 1e6
    return found
