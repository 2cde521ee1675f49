"""Writes benchmarks.md from the results and methodology.md."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import targets
from tables import TABLES, markdown, table

METHODOLOGY = Path(__file__).resolve().parent / "methodology.md"

INTRODUCTION = """# Benchmarks

`make bench` generates this file and its chart from one run on the machine described below. Compare the ratios rather
than the absolute figures. A **ratio** is a figure divided by the reference's figure in the same round; the tables show
the median over all rounds, with minimum and maximum in parentheses. The reference is the row whose ratio is 1.

![Ratios and scaling](benchmarks.svg)
"""

SCALING = ("threads", "connections", "rows", "many")


def write(results: Mapping[str, Any], folder: Path) -> None:
    """Writes the report to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text("\n".join(_parts(results)))


def _parts(results: Mapping[str, Any]) -> "list[str]":
    cases = [name for name in TABLES if name in results and name not in SCALING]
    scaling = [name for name in SCALING if name in results]
    return [
        INTRODUCTION,
        "## Targets\n\nA target is met if the median over all rounds meets it.\n",
        markdown(targets.rows(results)) + "\n",
        "## Comparison\n", *(table(name, results[name]) for name in cases),
        "## Scaling\n", *(table(name, results[name]) for name in scaling),
        METHODOLOGY.read_text(),
        "## Machine and versions\n", _facts(results["environment"]),
    ]


def _facts(facts: Mapping[str, str]) -> str:
    return "\n".join(_item(f"* **{name}**: {value}") for name, value in facts.items()) + "\n"


def _item(text: str) -> str:
    return textwrap.fill(text, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
