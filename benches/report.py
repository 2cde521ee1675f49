"""docs/benchmarks.md, out of what was measured and nothing else but the notes that stand beside this file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import targets
from tables import TABLES, markdown, table

NOTES = Path(__file__).resolve().parent / "methodology.md"

HEAD = """# What a report costs, beside what people would use instead

`make bench` wrote this page and its picture; the figures are of one run on the machine below. Read the ratios, not the
figures: **x** is a figure as a multiple of the reference's in the same round, the median of all rounds, with the least and the
most in brackets. The reference is the row whose x is 1.

![The ratios, and what becomes of them as numbers grow](benchmarks.svg)
"""

SCALE = ("threads", "connections", "rows", "many")


def write(results: Mapping[str, Any], folder: Path) -> None:
    """Writes the page into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text("\n".join(_parts(results)))


def _parts(results: Mapping[str, Any]) -> "list[str]":
    cases = [name for name in TABLES if name in results and name not in SCALE]
    scales = [name for name in SCALE if name in results]
    return [
        HEAD,
        "## What it must show\n\nWhether it does is computed from this run, by the median.\n",
        markdown(targets.rows(results)) + "\n",
        "## Side by side\n", *(table(name, results[name]) for name in cases),
        "## As numbers grow\n", *(table(name, results[name]) for name in scales),
        NOTES.read_text(),
        "## The machine, and the versions\n", _facts(results["machine"]),
    ]


def _facts(facts: Mapping[str, str]) -> str:
    return "\n".join(f"* **{name}**: {value}" for name, value in facts.items()) + "\n"
