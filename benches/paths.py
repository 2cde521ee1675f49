"""The paths that the benchmarks read and write."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
PROGRAMS = BUILD / "programs"
LIBRARY = ROOT / "build" / "lib" / "libnexmo_conversion.so"
#: The library with a line table, and the programs of the gate.
PROFILED = BUILD / "profiled" / "libnexmo_conversion.so"
GATE = ROOT / "build" / "gate"
DOCS = ROOT / "docs"
