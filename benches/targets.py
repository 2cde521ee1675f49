"""What the library must show, and whether it does, computed from what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tables
from clients import CLIENT, CLIENT_32, EASY, EASY_32, MULTI, ONCE, PYTHON_OURS, PYTHON_SDK, REPORTER, Contestant
from ratios import Spread, of, ratio, spread

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One promise; `tuned` and `limit` are what was measured before the library was built."""

    title: str
    tuned: str
    limit: str
    at_least: "float | None"
    at_most: "float | None"
    unit: str
    measured: Callable[[Results], Spread]

    def is_reached(self, results: Results) -> bool:
        """By the median of all rounds."""
        value = self.measured(results).median
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def reach(self) -> str:
        bound, value = ("at most", self.at_most) if self.at_least is None else ("at least", self.at_least)
        return f"{bound} {value:g}{self.unit}"


def _x(case: str, ours: Contestant, theirs: Contestant, figure: str) -> "Callable[[Results], Spread]":
    return lambda results: ratio(results[case][ours.name], results[case][theirs.name], figure)


def _peak_mb(results: Results) -> Spread:
    peak = of(results["https-32-far"][CLIENT_32.name], "peak_kib")
    return Spread(*map(tables.megabytes, peak))


def _size_mb(results: Results) -> Spread:
    return spread([results["size"]["bytes"] / 1e6])


TARGETS = (
    Target("HTTPS one after another, requests a second", "1.30", "1.56", 1.40, None, "", _x("https-serial", CLIENT, EASY, "rate")),
    Target("CPU a request, HTTPS", "0.66", "0.52", None, 0.62, "", _x("https-serial", CLIENT, EASY, "cpu_us")),
    Target("HTTP one after another, requests a second", "1.26", "1.64", 1.33, None, "", _x("http-serial", CLIENT, EASY, "rate")),
    Target("cold start over HTTPS, wall, same CA file", "0.39", "0.63 (OpenSSL)", None, 0.40, "", _x("cold", ONCE, EASY, "median_s")),
    Target("cold start over HTTPS with the platform's store on both sides", "-", "-", None, 0.60, "",
           _x("cold-platform", ONCE, EASY, "median_s")),
    Target("32 at a time, HTTPS, no delay, requests a second against libcurl multi", "1.9", "-", 2.0, None, "",
           _x("https-32", CLIENT_32, MULTI, "rate")),
    Target("32 at a time, 50 ms, HTTPS: CPU a request, against 32 threads of libcurl easy", "0.56", "-", None, 0.52, "",
           _x("https-32-far", CLIENT_32, EASY_32, "cpu_us")),
    Target("the same: peak memory", "8.6 MB", "-", None, 8, " MB", _peak_mb),
    Target("through Python ctypes, HTTPS one after another, against the official Python SDK", "-", "-", 15, None, " times",
           _x("https-python", PYTHON_OURS, PYTHON_SDK, "rate")),
    Target("shared library, everything in, stripped", "-", "-", None, 3.0, " MB", _size_mb),
    Target("reporter with reports coming in, HTTPS, 32 connections, durability process, against the client's rate", "-", "-", 0.6,
           None, "", _x("reporter-feed", REPORTER, CLIENT_32, "rate")),
)


def rows(results: Results) -> tables.Rows:
    """The table of the targets beside what was reached."""
    heading = ["case", "a tuned ureq", "limit", "reach", "here", ""]
    return [heading, *([target.title, target.tuned, target.limit, target.reach(), tables.times(target.measured(results)),
                        "reached" if target.is_reached(results) else "**not reached**"] for target in TARGETS)]
