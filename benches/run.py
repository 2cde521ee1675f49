"""Measures the library beside what people would use instead.

    run.py [--short] [NAME...]

Without a name: everything, and then docs/benchmarks.md and docs/benchmarks.svg are written anew (in short, both in build/bench).
With names: those measurements, whose tables are printed.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

import environment
import report
import chart
import targets
from measurements import MEASUREMENTS
from paths import BUILD, DOCS
from server import Server
from tables import markdown, table


def main() -> None:
    # Ends by way of every `with`, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    asked = _arguments()
    file = BUILD / ("results-short.json" if asked.short else "results.json" if not asked.names else "results-some.json")
    results = json.loads(file.read_text()) if asked.page else _measure(asked.names, asked.short, file)
    if asked.page or not asked.names:
        folder = BUILD if asked.short else DOCS
        report.write(results, folder)
        chart.draw(results, folder)
        print(markdown(targets.rows(results)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer requests and rounds")
    parser.add_argument("--page", action="store_true", help="only write the page and the picture, of the last run of everything")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    asked = parser.parse_args()
    unknown = set(asked.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    return asked


def _measure(names: "list[str]", is_short: bool, file: Path) -> "dict[str, object]":
    """Measures what is asked for, and keeps what there is after each, for a failure ends the run."""
    results: dict[str, object] = {"machine": environment.facts()}
    with Server() as server:
        for name in (name for name in MEASUREMENTS if not names or name in names):
            _tell(name)
            results[name] = MEASUREMENTS[name](server, is_short, _tell)
            file.write_text(json.dumps(results, indent=1))
            print(f"\n{table(name, results[name])}", flush=True)
    return results


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
