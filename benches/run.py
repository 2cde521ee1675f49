"""Measures the library beside what people would use instead.

    run.py [--short] [CASE...]

Without a case: all, and docs/benchmarks.md and docs/benchmarks.svg are written anew. With some: those, and a table.
"""

import argparse
import json
import sys

import rounds
from cases import CASES, Case
from places import BUILD
from server import Server
from table import markdown, rows


def main() -> None:
    asked = _arguments()
    with Server() as server:
        for case in (case for case in CASES if not asked.cases or case.name in asked.cases):
            _measure(case, server, asked.short)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    return parser.parse_args()


def _measure(case: Case, server: Server, is_short: bool) -> None:
    results = rounds.run(case, server, case.short if is_short else case.full, _tell)
    (BUILD / f"{case.name}.json").write_text(json.dumps(results, indent=1))
    print(f"\n{case.title}\n\n{markdown(rows(case, results))}\n")


def _tell(what: str) -> None:
    print(what, file=sys.stderr)


if __name__ == "__main__":
    main()
