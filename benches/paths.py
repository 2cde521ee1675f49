"""The paths that the benchmarks read and write."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
PROGRAMS = BUILD / "programs"
LIBRARY = ROOT / "build" / "lib" / "libnexmo_conversion.so"
DOCS = ROOT / "docs"
