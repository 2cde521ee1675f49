"""Measures the cost of `submit` and of draining an outbox with benches/reporter.rs, without a server."""

import json
import subprocess

from paths import BUILD, ROOT
from process import Failed

Lines = list[dict[str, object]]


def submits(is_short: bool) -> Lines:
    """Returns the times of submit with each durability and, for comparison, of plain SQLite inserts."""
    return _run("none", "process", "sqlite", "one-power", *([] if is_short else ["paced"]))


def rows(is_short: bool) -> Lines:
    """Returns the times of submit and the rate of draining for each number of rows in the outbox."""
    return _run("rows", *(["short"] if is_short else []))


def _run(*parts: str) -> Lines:
    command = ["cargo", "bench", "--locked", "--quiet", "--features", "testing", "--bench", "reporter", "--", f"{BUILD}/", *parts]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed("benches/reporter.rs failed")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
