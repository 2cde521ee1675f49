"""Compares the library with other clients.

    run.py [--short] [NAME...]

Without names, this runs all measurements and writes benchmarks.md and benchmarks.svg to docs, or with --short to
build/bench. With names, it runs only the named measurements. It prints the table of each measurement.
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
    # On SIGTERM, leaves every `with` block, so that no server is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    arguments = _arguments()
    file = BUILD / ("results-short.json" if arguments.short else "results.json" if not arguments.names else "results-some.json")
    results = json.loads(file.read_text()) if arguments.report else _measure(arguments.names, arguments.short, file)
    if arguments.report or not arguments.names:
        folder = BUILD if arguments.short else DOCS
        report.write(results, folder)
        chart.draw(results, folder)
        print(markdown(targets.rows(results)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="make fewer requests and rounds")
    parser.add_argument("--report", action="store_true", help="only write the report and chart of the last full run")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no measurement named {', '.join(sorted(unknown))}; choose from {', '.join(MEASUREMENTS)}")
    return arguments


def _measure(names: "list[str]", is_short: bool, file: Path) -> "dict[str, object]":
    """Runs measurements and returns the results. Saves them after each measurement, because a failure ends the run."""
    results: dict[str, object] = {"environment": environment.facts()}
    with Server() as server:
        for name in (name for name in MEASUREMENTS if not names or name in names):
            _log(name)
            results[name] = MEASUREMENTS[name](server, is_short, _log)
            file.write_text(json.dumps(results, indent=1))
            print(f"\n{table(name, results[name])}", flush=True)
    return results


def _log(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
