"""
Checks the number of instructions of each hot path against counts.json.

    gate.py check   fails if a path is outside the margin, or if the file was written with other tools
    gate.py count   prints the counts and writes build/gate/counted.json
    gate.py renew   counts the code for which the file was written and the current code, and writes the file
    gate.py proof   slows each path down by 1 % and by 3 %, and fails unless the check rejects only the latter

Run it through make, which builds the programs and starts the sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from counting import BUILD, HOT_PATHS, Failed, count, count_all, versions
from comparison import Counts, Baseline, deviations, differing, renewed

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).resolve().parent / "counts.json"
COUNTED = BUILD / "counted.json"
HOW_TO_RENEW = """To renew benches/gate/counts.json: make gate-renew
With the current tools, this counts the code for which the file was written and the current code, prints both counts and
writes the file. It fails if a path became slower, unless you accept that: make gate-renew ACCEPT="NAME ..."
Explain the reason in the commit message."""

Row = tuple[str, ...]


def check() -> None:
    made_with, margin, baselines = _load()
    _fail_if("counts.json was made with other tools", differing(made_with, versions()))
    counts = count_all()
    rows = [(name, *_beside(counted, baselines[name].reference if name in baselines else None)) for name, counted in counts.items()]
    _print_table(("path", "reference", "here", "change"), rows)
    _fail_if("the counts differ from counts.json", deviations(baselines, counts, margin))


def count_here() -> None:
    counts = count_all()
    COUNTED.write_text(json.dumps(counts, indent=2) + "\n")
    _print_table(("path", "instructions"), [(name, f"{counted:,}") for name, counted in counts.items()])


def renew() -> None:
    made_with, margin, baselines = _load()
    same_tools = not differing(made_with, versions())
    old = {name: path.counted for name, path in baselines.items()} if same_tools else _count_old_code()
    new = count_all()
    made, slower = renewed(baselines, old, new, margin, set(os.environ.get("ACCEPT", "").split()))
    rows = [(name, *_beside(counted, old.get(name)), f"{made[name].reference:,}") for name, counted in new.items()]
    _print_table(("path", "old code", "new code", "change", "reference"), rows)
    _fail_if("counts.json was not written, because these paths became slower", slower)
    counts = {name: vars(path) for name, path in made.items()}
    FILE.write_text(json.dumps({"versions": versions(), "margin": margin, "counts": counts}, indent=2) + "\n")


def proof() -> None:
    made_with, margin, _ = _load()
    _fail_if("counts.json was made with other tools", differing(made_with, versions()))
    rows, wrong = [], []
    for path in HOT_PATHS:
        # The reference is a new count, because the current code can already differ from the count in the file.
        reference, some = count(path, slow_malloc=0), count(path, slow_malloc=1000)
        row: Row = (path.name, f"{reference:,}")
        for slowdown, must_fail in ((0.01, False), (0.03, True)):
            loops = round(1000 * reference * slowdown / (some - reference))
            counted = count(path, slow_malloc=loops)
            fails = bool(deviations({path.name: Baseline(reference, reference)}, {path.name: counted}, margin))
            row += (*_beside(counted, reference)[1:], "fails" if fails else "passes")
            if fails != must_fail:
                wrong.append(f"{path.name} {row[-1]} if it is slower by {slowdown:.0%}")
        rows.append(row)
    _print_table(("path", "here", "1 % slower", "", "", "3 % slower", "", ""), rows)
    _fail_if("the gate did not behave as expected", wrong)


def _count_old_code() -> Counts:
    """Counts the code of the commit that last changed counts.json, with that commit's programs and Makefile."""
    revision = _git("log", "-1", "--format=%H", "--", str(FILE)).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "-x", "-C", folder], input=_git("archive", revision), check=True)
        subprocess.run(["make", "-C", folder, "gate-count"], check=True)
        counts: Counts = json.loads((Path(folder) / COUNTED.relative_to(ROOT)).read_text())
        return counts


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout


def _load() -> tuple[dict[str, str], float, dict[str, Baseline]]:
    file = json.loads(FILE.read_text())
    return file["versions"], file["margin"], {name: Baseline(**counts) for name, counts in file["counts"].items()}


def _beside(counted: int, reference: int | None) -> Row:
    if reference is None:
        return "-", f"{counted:,}", "-"
    return f"{reference:,}", f"{counted:,}", f"{counted / reference - 1:+.2%}"


def _print_table(headings: Row, rows: list[Row]) -> None:
    widths = [max(map(len, column)) for column in zip(headings, *rows)]
    for first, *others in [headings, *rows]:
        print(first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:])), sep="  ")


def _fail_if(what: str, lines: list[str]) -> None:
    if lines:
        sys.exit("\n".join([f"gate: {what}:", *(f"    {line}" for line in lines), HOW_TO_RENEW]))


if __name__ == "__main__":
    try:
        {"check": check, "count": count_here, "renew": renew, "proof": proof}[sys.argv[1]]()
    except Failed as failure:
        sys.exit(f"gate: {failure}")
