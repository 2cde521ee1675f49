"""The targets of the library, which the report compares with the results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tables
from clients import (
    CURL_EASY, CURL_EASY_32, CURL_MULTI, OUR_CLIENT, OUR_CLIENT_32, OUR_ONE_CALL, OUR_PYTHON, OUR_REPORTER, PYTHON_SDK, Client,
)
from ratios import Spread, of, ratio, spread

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    title: str
    at_least: "float | None"
    at_most: "float | None"
    unit: str
    measured: Callable[[Results], Spread]

    def is_met(self, results: Results) -> bool:
        """Returns whether the median over all rounds meets the target."""
        value = self.measured(results).median
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def bound(self) -> str:
        word, value = ("at most", self.at_most) if self.at_least is None else ("at least", self.at_least)
        return f"{word} {value:g}{self.unit}"


def _ratio(case: str, ours: Client, theirs: Client, figure: str) -> "Callable[[Results], Spread]":
    return lambda results: ratio(results[case][ours.name], results[case][theirs.name], figure)


def _peak_mb(results: Results) -> Spread:
    peak = of(results["https-32-delayed"][OUR_CLIENT_32.name], "peak_kib")
    return Spread(*map(tables.megabytes, peak))


def _size_mb(results: Results) -> Spread:
    return spread([results["size"]["bytes"] / 1e6])


TARGETS = (
    Target("HTTPS, sequential: requests/s, relative to libcurl easy", 1.40, None, "",
           _ratio("https-serial", OUR_CLIENT, CURL_EASY, "rate")),
    Target("HTTPS, sequential: CPU per request, relative to libcurl easy", None, 0.62, "",
           _ratio("https-serial", OUR_CLIENT, CURL_EASY, "cpu_us")),
    Target("HTTP, sequential: requests/s, relative to libcurl easy", 1.33, None, "",
           _ratio("http-serial", OUR_CLIENT, CURL_EASY, "rate")),
    Target("cold start over HTTPS with a CA file: wall time, relative to libcurl easy", None, 0.40, "",
           _ratio("cold", OUR_ONE_CALL, CURL_EASY, "median_s")),
    Target("cold start over HTTPS with the system's store: wall time, relative to libcurl easy", None, 0.60, "",
           _ratio("cold-system", OUR_ONE_CALL, CURL_EASY, "median_s")),
    Target("HTTPS, 32 concurrent: requests/s, relative to libcurl multi", 2.0, None, "",
           _ratio("https-32", OUR_CLIENT_32, CURL_MULTI, "rate")),
    Target("HTTPS, 32 concurrent, 50 ms: CPU per request, relative to libcurl easy on 32 threads", None, 0.52, "",
           _ratio("https-32-delayed", OUR_CLIENT_32, CURL_EASY_32, "cpu_us")),
    Target("HTTPS, 32 concurrent, 50 ms: peak memory", None, 8, " MB", _peak_mb),
    Target("Python, HTTPS, sequential: requests/s, relative to the official SDK", 15, None, "",
           _ratio("https-python", OUR_PYTHON, PYTHON_SDK, "rate")),
    Target("shared library, stripped", None, 3.5, " MB", _size_mb),
    Target("reporter, durability process, submitting while sending: requests/s, relative to the client", 0.6, None, "",
           _ratio("reporter-feed", OUR_REPORTER, OUR_CLIENT_32, "rate")),
)


def rows(results: Results) -> tables.Rows:
    """Returns the table of targets and results."""
    heading = ["figure", "target", "measured", ""]
    return [heading, *([target.title, target.bound(), tables.times(target.measured(results)),
                        "met" if target.is_met(results) else "**not met**"] for target in TARGETS)]
